//! What a device does when all is well.
#![allow(unsafe_code, reason = "the support of scenarios calls C functions")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use gapbench_cuda::{
    Blas, Buffer, Cuda, CudaError, Event, F8E4M3, Function, Grid, Pointer, Probe, Stream, View, Worker,
};
use half::{bf16, f16};
use support::{calls, scenario};

const KERNELS: &str = include_str!("kernels.ptx");

fn find() -> (Cuda, Function) {
    let cuda = Cuda::find().unwrap();
    let increment = cuda.kernel(KERNELS, "increment").unwrap();
    (cuda, increment)
}

#[test]
fn objects_may_go_to_other_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<(Cuda, Stream, Event, Function, Buffer<f32>, View<f32>, Blas, Probe, CudaError)>();
    fn sent<T: Send>() {}
    sent::<Worker>();
}

#[test]
fn a_kernel_runs() {
    scenario("a_kernel_runs", "", || {
        let (cuda, increment) = find();
        let values: Vec<u32> = (0..1000).collect();
        let mut buffer = cuda.upload(&values).unwrap();
        increment.launch(cuda.stream(), Grid::cover(1000, 256), (&mut buffer, 1000_u32)).unwrap();
        assert_eq!(cuda.download(&buffer).unwrap(), (1..=1000).collect::<Vec<u32>>());
        let tail = buffer.view(990..1000).unwrap();
        increment.launch(cuda.stream(), Grid::new(1, 32), (&tail, tail.len() as u32)).unwrap();
        let values = cuda.download(&buffer).unwrap();
        assert_eq!((values[989], values[990], values[999]), (990, 992, 1001));
        assert_eq!((tail.ptr(), tail.id()), (buffer.ptr() + 990 * 4, buffer.id()));
    });
}

#[test]
fn every_kind_of_argument_arrives() {
    scenario("every_kind_of_argument_arrives", "", || {
        let cuda = Cuda::find().unwrap();
        let kinds = cuda.kernel(KERNELS, "kinds").unwrap();
        assert_eq!(kinds.parameters().unwrap(), [8, 1, 4, 4, 8, 8, 4, 8, 8, 8, 8]);
        let mut out = cuda.zeros::<u64>(10).unwrap();
        let other = cuda.zeros::<u8>(4).unwrap();
        let view = other.view(1..4).unwrap();
        let (unsigned, signed) = (0x8000_0001_u32, -2_i32);
        let address = other.ptr();
        kinds
            .launch(
                cuda.stream(),
                Grid::new(1, 1),
                (
                    &mut out,
                    true,
                    unsigned,
                    signed,
                    u64::MAX,
                    -3_i64,
                    1.5_f32,
                    -2.5_f64,
                    7_usize,
                    view,
                    Pointer(address),
                ),
            )
            .unwrap();
        let expected = [
            1,
            u64::from(unsigned),
            u64::from(signed.cast_unsigned()),
            u64::MAX,
            (-3_i64).cast_unsigned(),
            u64::from(1.5_f32.to_bits()),
            (-2.5_f64).to_bits(),
            7,
            address + 1,
            address,
        ];
        assert_eq!(cuda.download(&out).unwrap(), expected);
    });
}

#[test]
fn facts_of_a_kernel() {
    scenario("facts_of_a_kernel", "", || {
        let cuda = Cuda::find().unwrap();
        let shared = cuda.kernel(KERNELS, "shared").unwrap();
        assert_eq!((shared.name(), shared.shared_bytes().unwrap()), ("shared", 1024));
        assert_eq!((shared.local_bytes().unwrap(), shared.max_threads().unwrap()), (0, 1024));
        shared.registers().unwrap();
        shared.allow_shared(100 << 10).unwrap();
        let unused = cuda.zeros::<u8>(1).unwrap();
        shared.launch(cuda.stream(), Grid::new(1, 32).shared(100 << 10), (&unused,)).unwrap();
        cuda.synchronize().unwrap();
        // One image for all its kernels.
        assert_eq!(calls("cuModuleLoadDataEx"), 1);
    });
}

#[test]
fn buffers_of_every_fill() {
    scenario("buffers_of_every_fill", "", || {
        let cuda = Cuda::find().unwrap();
        let zeros = cuda.zeros::<f64>(5).unwrap();
        assert_eq!((zeros.len(), zeros.bytes()), (5, 40));
        assert_eq!(cuda.download(&zeros).unwrap(), [0.0; 5]);
        let poison = cuda.uninit::<f32>(3).unwrap();
        assert!(cuda.download(&poison).unwrap().iter().all(|value| value.is_nan()));
        let poison = cuda.uninit::<bf16>(3).unwrap();
        assert!(cuda.download(&poison).unwrap().iter().all(|value| value.is_nan()));
        assert_ne!(zeros.id(), poison.id());
        let empty = cuda.upload::<f32>(&[]).unwrap();
        assert!(empty.is_empty() && empty.ptr() == 0 && cuda.download(&empty).unwrap().is_empty());
        let mut buffer = cuda.upload(&[1_u8, 2, 3, 4]).unwrap();
        cuda.stream().write(&mut buffer, &[5, 6, 7, 8]).unwrap();
        cuda.stream().fill_bytes(buffer.ptr(), 9, 1).unwrap();
        cuda.stream().copy(buffer.ptr() + 3, buffer.ptr() + 1, 1).unwrap();
        assert_eq!(cuda.download(&buffer).unwrap(), [9, 6, 7, 6]);
    });
}

#[test]
fn random_values_are_the_same_everywhere() {
    scenario("random_values_are_the_same_everywhere", "", || {
        let cuda = Cuda::find().unwrap();
        let single = cuda.random::<f32>(4, 42).unwrap();
        let single = cuda.download(&single).unwrap();
        assert_eq!(single.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), GOLDEN);
        let half = cuda.random::<f16>(4, 42).unwrap();
        assert_eq!(
            cuda.download(&half).unwrap(),
            single.iter().map(|v| f16::from_f32(*v)).collect::<Vec<_>>()
        );
        let eighth = cuda.random::<F8E4M3>(4, 42).unwrap();
        let eighth = cuda.download(&eighth).unwrap();
        assert_eq!(eighth, single.iter().map(|v| F8E4M3::from_f32(*v)).collect::<Vec<_>>());
    });
}

/// The first values of seed 42, in bits, as a program in Python computes them with `statistics.NormalDist().inv_cdf`:
/// -0.4035, 1.7033, -0.0342, -1.4958.
const GOLDEN: [u32; 4] = [0xbece_96f2, 0x3fda_06ae, 0xbd0c_2dc0, 0xbfbf_751e];

#[test]
fn the_pool_tells_its_peaks_to_the_byte() {
    scenario("the_pool_tells_its_peaks_to_the_byte", "", || {
        let cuda = Cuda::find().unwrap();
        let memory = cuda.memory();
        assert_eq!(memory.used_bytes().unwrap(), 0);
        let free = memory.free_bytes().unwrap();
        let first = cuda.zeros::<u8>(1 << 20).unwrap();
        let second = cuda.zeros::<u8>(3 << 20).unwrap();
        drop(first);
        cuda.synchronize().unwrap();
        assert_eq!(memory.used_bytes().unwrap(), 3 << 20);
        assert_eq!(memory.used_peak_bytes().unwrap(), 4 << 20);
        let reserved = memory.reserved_bytes().unwrap();
        assert!(reserved >= 4 << 20 && memory.reserved_peak_bytes().unwrap() == reserved);
        assert_eq!(memory.free_bytes().unwrap(), free - reserved);
        memory.reset_peaks().unwrap();
        assert_eq!(memory.used_peak_bytes().unwrap(), 3 << 20);
        drop(second);
        cuda.synchronize().unwrap();
        assert_eq!(memory.used_bytes().unwrap(), 0);
        // Kept until it is asked for.
        assert_eq!(memory.reserved_bytes().unwrap(), reserved);
        memory.trim().unwrap();
        assert_eq!((memory.reserved_bytes().unwrap(), memory.free_bytes().unwrap()), (0, free));
        assert_eq!(memory.total_bytes().unwrap(), cuda.facts().total_bytes);
    });
}

#[test]
fn events_tell_what_a_kernel_costs() {
    scenario(
        "events_tell_what_a_kernel_costs",
        "cost increment 12500; driver 12040; missing cuEventElapsedTime_v2",
        || {
            let (cuda, increment) = find();
            let buffer = cuda.zeros::<u32>(32).unwrap();
            let begin = cuda.stream().record().unwrap();
            for _ in 0..3 {
                increment.launch(cuda.stream(), Grid::new(1, 32), (&buffer, 32_u32)).unwrap();
            }
            let end = cuda.stream().record().unwrap();
            let seconds = begin.elapsed(&end).unwrap();
            assert!((seconds - 3.0 * 12.5e-6).abs() < 1e-9, "{seconds}");
            cuda.stream().record_into(&begin).unwrap();
            assert!(end.elapsed(&begin).unwrap() >= 0.0);
            assert_eq!(calls("cuEventElapsedTime_v2"), 0);
        },
    );
}

#[test]
fn a_buffer_dropped_in_another_thread_is_freed_after_its_use() {
    scenario("a_buffer_dropped_in_another_thread_is_freed_after_its_use", "cost increment 50000000", || {
        let (cuda, increment) = find();
        let worker = cuda.worker().unwrap();
        let buffer = cuda.zeros::<u32>(32).unwrap();
        increment.launch(worker.stream(), Grid::new(1, 32), (&buffer, 32_u32)).unwrap();
        let waits = calls("cuStreamWaitEvent");
        std::thread::spawn(move || drop(buffer)).join().unwrap();
        assert_eq!(calls("cuStreamWaitEvent"), waits + 1);
        cuda.synchronize().unwrap();
        worker.stream().synchronize().unwrap();
        assert_eq!(cuda.memory().used_bytes().unwrap(), 0);
        cuda.context().check_err().unwrap();
    });
}

#[test]
fn workers_compute_side_by_side() {
    scenario("workers_compute_side_by_side", "", || {
        let (cuda, increment) = find();
        let shared = cuda.upload(&[1_u32; 64]).unwrap();
        std::thread::scope(|scope| {
            for number in 0..4_u32 {
                let (cuda, increment, shared) = (&cuda, &increment, &shared);
                scope.spawn(move || {
                    let worker = cuda.worker().unwrap();
                    let stream = worker.stream();
                    let mut own = stream.upload(&vec![number; 64]).unwrap();
                    for _ in 0..10 {
                        increment.launch(stream, Grid::new(2, 32), (&mut own, 64_u32)).unwrap();
                    }
                    assert_eq!(stream.download(&own).unwrap(), vec![number + 10; 64]);
                    assert_eq!(stream.download(shared).unwrap(), [1; 64]);
                    let (a, b) =
                        (stream.upload(&[1.0_f32, 2.0]).unwrap(), stream.upload(&[3.0_f32, 4.0]).unwrap());
                    let mut c = stream.uninit::<f32>(1).unwrap();
                    worker.blas().unwrap().gemm(1, 1, 2, 1.0, &a, &b, 0.0, &mut c).unwrap();
                    assert_eq!(stream.download(&c).unwrap(), [11.0]);
                });
            }
        });
        cuda.synchronize().unwrap();
        drop(shared);
        cuda.synchronize().unwrap();
        cuda.context().check_err().unwrap();
        assert_eq!(calls("cublasCreate_v2"), 4);
    });
}

#[test]
fn objects_keep_the_device_alive() {
    scenario("objects_keep_the_device_alive", "", || {
        let (cuda, increment) = find();
        let mut buffer = cuda.zeros::<u32>(8).unwrap();
        let stream = cuda.stream().clone();
        drop(cuda);
        increment.launch(&stream, Grid::new(1, 8), (&mut buffer, 8_u32)).unwrap();
        assert_eq!(stream.download(&buffer).unwrap(), [1; 8]);
        drop((increment, stream));
        assert_eq!(calls("cuDevicePrimaryCtxRelease_v2"), 0);
        drop(buffer);
        assert_eq!(calls("cuDevicePrimaryCtxRelease_v2"), calls("cuDevicePrimaryCtxRetain"));
        assert_eq!(calls("cuMemAllocAsync"), calls("cuMemFreeAsync"));
    });
}
