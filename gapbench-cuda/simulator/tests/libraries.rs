//! The libraries beside the driver: matrix products through cudarc, the device's state through nvml-wrapper.
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "a C interface, called as it is described"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use cudarc::cublas::sys::cublasOperation_t::{self, CUBLAS_OP_N, CUBLAS_OP_T};
use cudarc::cublas::{CudaBlas, Gemm, GemmConfig, Gemv, GemvConfig, StridedBatchedConfig};
use cudarc::driver::sys::CUevent_flags;
use cudarc::driver::{CudaContext, CudaStream, DeviceRepr};
use half::{bf16, f16};
use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use support::{control, scenario, scenario_stderr};

/// Small numbers that every type holds exactly.
fn values(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|index| ((index * 7 + seed * 13) % 17) as f64 - 8.0).collect()
}

/// An element of a matrix that is stored column by column, transposed or not.
fn element(
    stored: &[f64],
    leading: usize,
    operation: cublasOperation_t,
    (row, column): (usize, usize),
) -> f64 {
    if operation == CUBLAS_OP_N { stored[column * leading + row] } else { stored[row * leading + column] }
}

/// Every combination of transposes in one type, with gaps between the columns and a batch of two.
fn products<T>(from: fn(f64) -> T, to: fn(T) -> f64, tolerance: f64)
where
    T: DeviceRepr + Copy + Unpin,
    CudaBlas: Gemm<T>,
{
    let stream = CudaContext::new(0).unwrap().default_stream();
    let blas = CudaBlas::new(Arc::clone(&stream)).unwrap();
    let (m, n, k, batch) = (5, 4, 7, 2);
    for transa in [CUBLAS_OP_N, CUBLAS_OP_T] {
        for transb in [CUBLAS_OP_N, CUBLAS_OP_T] {
            let (lda, ldb, ldc) = (9, 8, 6);
            let [a, b, c] = [(63, 1), (56, 2), (24, 3)].map(|(size, seed)| values(size * batch, seed));
            let upload = |stored: &[f64]| {
                stream.clone_htod(&stored.iter().map(|&value| from(value)).collect::<Vec<_>>()).unwrap()
            };
            let (device_a, device_b, mut device_c) = (upload(&a), upload(&b), upload(&c));
            let (alpha, beta) = (from(0.5), from(-2.0));
            let (rows, columns, inner) = (m as i32, n as i32, k as i32);
            let gemm =
                GemmConfig { transa, transb, m: rows, n: columns, k: inner, alpha, lda, ldb, beta, ldc };
            let config = StridedBatchedConfig {
                gemm,
                batch_size: batch as i32,
                stride_a: 63,
                stride_b: 56,
                stride_c: 24,
            };
            unsafe { blas.gemm_strided_batched(config, &device_a, &device_b, &mut device_c) }.unwrap();
            let result = stream.clone_dtoh(&device_c).unwrap();
            for index in 0..batch {
                let (a, b) = (&a[index * 63..], &b[index * 56..]);
                for place in 0..24 {
                    let (row, column) = (place % ldc as usize, place / ldc as usize);
                    let old = c[index * 24 + place];
                    let sum = |term| {
                        let a = element(a, lda as usize, transa, (row, term));
                        a * element(b, ldb as usize, transb, (term, column))
                    };
                    let inside = row < m && column < n;
                    let expected = if inside { 0.5 * (0..k).map(sum).sum::<f64>() - 2.0 * old } else { old };
                    let found = to(result[index * 24 + place]);
                    let error = (found - expected).abs();
                    assert!(
                        error <= tolerance * expected.abs(),
                        "{transa:?} {transb:?}: {found} for {expected}"
                    );
                }
            }
            // One product, over a C that held no numbers.
            let mut fresh = unsafe { stream.alloc::<T>(24) }.unwrap();
            let gemm = GemmConfig { beta: from(0.0), ..gemm };
            unsafe { blas.gemm(gemm, &device_a, &device_b, &mut fresh) }.unwrap();
            let first = to(stream.clone_dtoh(&fresh).unwrap()[0]);
            let sum = |term| element(&a, 9, transa, (0, term)) * element(&b, 8, transb, (term, 0));
            let expected = 0.5 * (0..k).map(sum).sum::<f64>();
            assert!((first - expected).abs() <= tolerance * expected.abs(), "{first} for {expected}");
        }
    }
}

#[test]
fn products_in_single_precision() {
    scenario("products_in_single_precision", "", || products(|value| value as f32, f64::from, 0.0));
}

#[test]
fn products_in_double_precision() {
    scenario("products_in_double_precision", "", || products(|value| value, |value| value, 0.0));
}

#[test]
fn products_in_half_precision() {
    scenario("products_in_half_precision", "", || products(f16::from_f64, f16::to_f64, 5e-4));
}

#[test]
fn products_in_bf16() {
    scenario("products_in_bf16", "", || products(bf16::from_f64, bf16::to_f64, 4e-3));
}

#[test]
fn a_matrix_times_a_vector_with_gaps() {
    scenario("a_matrix_times_a_vector_with_gaps", "", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let blas = CudaBlas::new(Arc::clone(&stream)).unwrap();
        let as_f32 = |stored: &[f64]| stored.iter().map(|&value| value as f32).collect::<Vec<_>>();
        let (a, x) = (values(4 * 3, 1), values(8, 2));
        let device_a = stream.clone_htod(&as_f32(&a)).unwrap();
        let device_x = stream.clone_htod(&as_f32(&x)).unwrap();
        for (trans, outputs, inputs) in [(CUBLAS_OP_N, 4, 3), (CUBLAS_OP_T, 3, 4)] {
            let mut y = stream.clone_htod(&[1.0f32; 12]).unwrap();
            let (incx, incy) = (2, 3);
            let config = GemvConfig { trans, m: 4, n: 3, alpha: 2.0, lda: 4, incx, beta: 1.0, incy };
            unsafe { blas.gemv(config, &device_a, &device_x, &mut y) }.unwrap();
            let result = stream.clone_dtoh(&y).unwrap();
            for (place, &found) in result.iter().enumerate() {
                let sum = |term: usize| element(&a, 4, trans, (place / 3, term)) * x[term * 2];
                let inside = place % 3 == 0 && place / 3 < outputs;
                let expected = if inside { 2.0 * (0..inputs).map(sum).sum::<f64>() + 1.0 } else { 1.0 };
                assert_eq!(f64::from(found), expected, "{trans:?} {place}");
            }
        }
    });
}

fn square(n: i32) -> GemmConfig<f32> {
    let trans = CUBLAS_OP_N;
    GemmConfig { transa: trans, transb: trans, m: n, n, k: n, alpha: 1.0, lda: n, ldb: n, beta: 0.0, ldc: n }
}

/// The time of one product of 67 by 67 by 67, in nanoseconds.
fn timed_product(stream: &Arc<CudaStream>) -> u64 {
    let blas = CudaBlas::new(Arc::clone(stream)).unwrap();
    let operand = stream.alloc_zeros::<f32>(67 * 67).unwrap();
    let mut result = stream.alloc_zeros::<f32>(67 * 67).unwrap();
    let start = stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT)).unwrap();
    unsafe { blas.gemm(square(67), &operand, &operand, &mut result) }.unwrap();
    let end = stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT)).unwrap();
    (f64::from(start.elapsed_ms(&end).unwrap()) * 1e6).round() as u64
}

#[test]
fn a_product_costs_its_operations_and_its_bytes() {
    scenario("a_product_costs_its_operations_and_its_bytes", "", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let (operations, bytes) = (2.0 * 67f64.powi(3), 3.0 * 4.0 * 67f64.powi(2));
        let expected = 2_000 + (operations / 67_000.0 + bytes / 4_800.0).ceil() as u64;
        assert_eq!(timed_product(&stream), expected);
        assert_eq!(control("cost cublasSgemm_v2 50000; slow cublasSgemm_v2 2"), 0);
        assert_eq!(timed_product(&stream), 100_000);
    });
}

#[test]
fn a_product_outside_its_memory_ends_the_context() {
    let stderr = scenario_stderr("a_product_outside_its_memory_ends_the_context", "", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let blas = CudaBlas::new(Arc::clone(&stream)).unwrap();
        let operand = stream.alloc_zeros::<f32>(16 * 16).unwrap();
        let mut result = stream.alloc_zeros::<f32>(16 * 16 - 1).unwrap();
        unsafe { blas.gemm(square(16), &operand, &operand, &mut result) }.unwrap();
        assert_eq!(stream.synchronize().unwrap_err().0 as u32, 700);
        assert!(unsafe { blas.gemm(square(16), &operand, &operand, &mut result) }.is_err());
    });
    if let Some(stderr) = stderr {
        assert!(stderr.contains("cublas-simulator: C would be 1024 bytes at 0x"), "{stderr}");
    }
}

#[test]
fn a_product_fails_while_it_runs() {
    scenario("a_product_fails_while_it_runs", "fail kernel cublasSgemm_v2 with 719 sticky", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let blas = CudaBlas::new(Arc::clone(&stream)).unwrap();
        let operand = stream.alloc_zeros::<f32>(4).unwrap();
        let mut result = stream.alloc_zeros::<f32>(4).unwrap();
        unsafe { blas.gemm(square(2), &operand, &operand, &mut result) }.unwrap();
        assert_eq!(stream.synchronize().unwrap_err().0 as u32, 719);
    });
}

#[test]
fn a_library_call_fails_by_script() {
    scenario("a_library_call_fails_by_script", "fail cublasCreate_v2 at 1 with 3", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        assert_eq!(CudaBlas::new(Arc::clone(&stream)).map(|_| ()).unwrap_err().0 as u32, 3);
        CudaBlas::new(stream).unwrap();
    });
}

#[test]
fn nvml_tells_of_an_idle_device_without_a_driver() {
    scenario("nvml_tells_of_an_idle_device_without_a_driver", "", || {
        let nvml = Nvml::init().unwrap();
        assert_eq!(nvml.device_count().unwrap(), 1);
        assert_eq!(nvml.sys_cuda_driver_version().unwrap(), 13_000);
        assert!(nvml.sys_driver_version().unwrap().starts_with("580."));
        let device = nvml.device_by_index(0).unwrap();
        assert!(nvml.device_by_index(1).is_err());
        assert_eq!(device.name().unwrap(), "NVIDIA H200 (simulated)");
        assert_eq!(nvml.device_by_uuid(device.uuid().unwrap()).unwrap().index().unwrap(), 0);
        assert_eq!(nvml.device_by_pci_bus_id(device.pci_info().unwrap().bus_id).unwrap().index().unwrap(), 0);
        assert_eq!(device.clock_info(Clock::SM).unwrap(), 1_980);
        assert_eq!(device.max_clock_info(Clock::Memory).unwrap(), 3_201);
        assert_eq!(device.enforced_power_limit().unwrap(), 700_000);
        assert_eq!(device.current_throttle_reasons_strict().unwrap(), ThrottleReasons::empty());
        assert_eq!(device.running_compute_processes().unwrap().len(), 0);
        assert_eq!(device.utilization_rates().unwrap().gpu, 0);
        assert!(device.power_usage().unwrap() > 0);
        assert_eq!(device.total_energy_consumption().unwrap(), 0);
    });
}

#[test]
fn a_throttle_shows_in_nvml_and_in_time() {
    scenario("a_throttle_shows_in_nvml_and_in_time", "driver 12080", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let nvml = Nvml::init().unwrap();
        let device = nvml.device_by_index(0).unwrap();
        assert_eq!(nvml.sys_cuda_driver_version().unwrap(), 12_080);
        let normal = timed_product(&stream);
        assert_eq!(control("throttle 2 0x48 for 2 launches"), 0);
        let reasons = ThrottleReasons::HW_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN;
        assert_eq!(device.current_throttle_reasons_strict().unwrap(), reasons);
        assert_eq!(device.clock_info(Clock::SM).unwrap(), 990);
        assert_eq!(device.temperature(TemperatureSensor::Gpu).unwrap(), 90);
        assert_eq!([0; 3].map(|_| timed_product(&stream)), [2 * normal, 2 * normal, normal]);
        assert_eq!(device.clock_info(Clock::SM).unwrap(), 1_980);
        assert_eq!(device.current_throttle_reasons().unwrap(), ThrottleReasons::empty());
    });
}

#[test]
fn nvml_tells_of_this_process_and_its_memory() {
    scenario("nvml_tells_of_this_process_and_its_memory", "", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let _memory = unsafe { stream.alloc::<u8>(64 << 20) }.unwrap();
        let nvml = Nvml::init().unwrap();
        let device = nvml.device_by_index(0).unwrap();
        let memory = device.memory_info().unwrap();
        assert_eq!((memory.total, memory.used), (143_771 << 20, (520 + 64) << 20));
        let processes = device.running_compute_processes().unwrap();
        assert_eq!(processes.iter().map(|process| process.pid).collect::<Vec<_>>(), [std::process::id()]);
    });
}

#[test]
fn without_a_device_nvml_does_not_start() {
    scenario("without_a_device_nvml_does_not_start", "no-device", || {
        assert!(CudaContext::new(0).is_err());
        assert!(matches!(Nvml::init(), Err(nvml_wrapper::error::NvmlError::DriverNotLoaded)));
    });
}
