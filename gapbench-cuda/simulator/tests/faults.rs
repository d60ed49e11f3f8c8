//! Faults that a script asks for, and images that cannot be loaded.
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "a C interface, called as it is described"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::ffi::{CStr, c_char, c_int, c_void};

use cudarc::driver::{CudaContext, DriverError, result, sys};
use cudarc::nvrtc::Ptx;
use support::{control, scenario, scenario_stderr, symbol};

fn code<T>(answer: Result<T, DriverError>) -> u32 {
    answer.map_or_else(|error| error.0 as u32, |_| 0)
}

#[test]
fn a_wrong_script_stops_the_program() {
    let stderr = scenario_stderr("a_wrong_script_stops_the_program", "fial cuInit at 1 with 2", || {
        assert_eq!(code(CudaContext::new(0)), 1);
        assert_eq!(control("driver"), 1);
        assert_eq!(control("driver 12040"), 0);
        assert_eq!(control("fail cuMemAlloc at 1 with 2"), 1, "it is cuMemAlloc_v2");
    });
    if let Some(stderr) = stderr {
        assert!(stderr.contains("CUDA_SIMULATOR: `fial cuInit at 1 with 2`: not a statement"), "{stderr}");
        assert!(stderr.contains("`driver`: not a statement"), "{stderr}");
    }
}

#[test]
fn the_driver_says_that_it_is_simulated() {
    scenario("the_driver_says_that_it_is_simulated", "attribute 16 7", || {
        let present: unsafe extern "C" fn() -> c_int =
            unsafe { std::mem::transmute(symbol(c"simulator_is_present")) };
        assert_eq!(unsafe { present() }, 1);
        let context = CudaContext::new(0).unwrap();
        assert_eq!(context.name().unwrap(), "NVIDIA H200 (simulated)");
        assert_eq!(context.compute_capability().unwrap(), (9, 0));
        let attribute = |which| context.attribute(which).unwrap();
        assert_eq!(attribute(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE), 60 << 20);
        assert_eq!(attribute(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT), 7);
    });
}

#[test]
fn a_stub_answers_every_call_with_its_code() {
    scenario("a_stub_answers_every_call_with_its_code", "stub", || {
        assert_eq!(code(result::init()), 34);
        assert_eq!(code(result::device::get_count()), 34);
    });
}

#[test]
fn without_a_device_initialisation_fails() {
    scenario("without_a_device_initialisation_fails", "no-device", || {
        assert_eq!(code(CudaContext::new(0)), 100);
        assert_eq!(code(result::device::get_count()), 3);
    });
}

#[test]
fn a_second_device_does_not_exist() {
    scenario("a_second_device_does_not_exist", "", || {
        assert_eq!(CudaContext::device_count().unwrap(), 1);
        assert_eq!(code(CudaContext::new(1)), 101);
    });
}

#[test]
fn a_sticky_error_ends_the_context_until_it_is_reset() {
    let script = "fail cuMemsetD8Async at 2 with 700 sticky";
    scenario("a_sticky_error_ends_the_context_until_it_is_reset", script, || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let mut memory = stream.alloc_zeros::<u8>(16).unwrap();
        let error = stream.memset_zeros(&mut memory).unwrap_err();
        assert_eq!(error.error_name().unwrap(), c"CUDA_ERROR_ILLEGAL_ADDRESS");
        assert_eq!(error.error_string().unwrap(), c"an illegal memory access was encountered");
        assert_eq!(code(stream.alloc_zeros::<u8>(16)), 700);
        assert_eq!(code(stream.synchronize()), 700);
        assert_eq!(code(CudaContext::new(0)), 700);
        std::mem::forget((context, stream, memory));
        assert_eq!(unsafe { sys::cuDevicePrimaryCtxReset_v2(0) } as u32, 0);
        let again = CudaContext::new(0).unwrap();
        again.default_stream().alloc_zeros::<u8>(16).unwrap();
    });
}

#[test]
fn a_code_that_nobody_knows_reaches_the_program() {
    scenario(
        "a_code_that_nobody_knows_reaches_the_program",
        "fail cuStreamSynchronize at 1 with 4711",
        || {
            let _context = CudaContext::new(0).unwrap();
            // Not through cudarc: its enumeration cannot hold the number.
            unsafe {
                let synchronize: unsafe extern "C" fn(u64) -> u32 =
                    std::mem::transmute(symbol(c"cuStreamSynchronize"));
                assert_eq!(synchronize(0), 4711);
                let name_of: unsafe extern "C" fn(u32, *mut *const c_char) -> u32 =
                    std::mem::transmute(symbol(c"cuGetErrorName"));
                let mut name = c"".as_ptr();
                assert_eq!((name_of(4711, &raw mut name), name.is_null()), (1, true));
                assert_eq!(name_of(34, &raw mut name), 0);
                assert_eq!(CStr::from_ptr(name), c"CUDA_ERROR_STUB_LIBRARY");
            }
        },
    );
}

#[test]
fn a_failing_call_always_fails_from_then_on() {
    scenario("a_failing_call_always_fails_from_then_on", "fail cuEventCreate at 2 with 2 always", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let answers = [0; 3].map(|_| code(stream.record_event(None)));
        assert_eq!(answers, [0, 2, 2]);
    });
}

/// The code and the log of loading an image.
fn load_with_log(image: &[u8]) -> (u32, String) {
    let mut log = vec![0u8; 256];
    let mut names =
        [sys::CUjit_option::CU_JIT_ERROR_LOG_BUFFER, sys::CUjit_option::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES];
    let mut values = [log.as_mut_ptr().cast::<c_void>(), log.len() as *mut c_void];
    let mut module = std::ptr::null_mut();
    let answer = unsafe {
        let (names, values) = (names.as_mut_ptr(), values.as_mut_ptr());
        sys::cuModuleLoadDataEx(&raw mut module, image.as_ptr().cast(), 2, names, values)
    };
    log.truncate((values[1] as usize).saturating_sub(1));
    (answer as u32, String::from_utf8(log).unwrap())
}

#[test]
fn images_that_cannot_run_are_refused() {
    scenario("images_that_cannot_run_are_refused", "driver 12080", || {
        let context = CudaContext::new(0).unwrap();
        assert_eq!(code(context.load_module(Ptx::from_src("no PTX at all"))), 200);
        let newer = b".version 9.0\n.target sm_90\n.address_size 64\n\0";
        let (answer, log) = load_with_log(newer);
        assert_eq!(answer, 222);
        assert_eq!(log, "PTX version 9.0 is above the 8.7 of this driver");
        let damaged = b".version 8.7\n.target sm_90\n.address_size 64\n.visible .entry broken(\n\0";
        let (answer, log) = load_with_log(damaged);
        assert_eq!(answer, 218);
        assert!(log.starts_with("ptxas application ptx input, line "), "{log}");
        let mut cubin = vec![0u8; 256];
        cubin[..4].copy_from_slice(b"\x7fELF");
        assert_eq!(code(context.load_module(Ptx::from_binary(cubin))), 200);
    });
}

#[test]
fn a_missing_function_is_not_found_by_its_name() {
    scenario(
        "a_missing_function_is_not_found_by_its_name",
        "missing cuEventElapsedTime_v2; missing cuStreamQuery",
        || {
            let find = |name: &CStr| {
                let mut address = std::ptr::null_mut();
                let mut status = sys::CUdriverProcAddressQueryResult::CU_GET_PROC_ADDRESS_SUCCESS;
                let (address_at, status_at) = (&raw mut address, &raw mut status);
                let answer =
                    unsafe { sys::cuGetProcAddress_v2(name.as_ptr(), address_at, 13_000, 0, status_at) };
                (answer as u32, status as u32, address)
            };
            assert_eq!(find(c"cuStreamQuery"), (500, 1, std::ptr::null_mut()));
            assert_eq!(find(c"cuNoSuchFunction"), (500, 1, std::ptr::null_mut()));
            assert_eq!(find(c"cuEventElapsedTime"), (0, 0, symbol(c"cuEventElapsedTime")));
            assert_eq!(find(c"cuMemAlloc"), (0, 0, symbol(c"cuMemAlloc_v2")));
        },
    );
}

#[test]
fn nvrtc_finds_the_table_function() {
    scenario("nvrtc_finds_the_table_function", "", || unsafe {
        let mut table = std::ptr::dangling::<c_void>();
        let id = sys::CUuuid { bytes: [0; 16] };
        assert_eq!(sys::cuGetExportTable(&raw mut table, &raw const id) as u32, 500);
        assert!(table.is_null());
    });
}

#[test]
fn what_is_not_simulated_says_so() {
    scenario("what_is_not_simulated_says_so", "", || {
        let context = CudaContext::new(0).unwrap();
        unsafe {
            let mut pool = std::ptr::null_mut();
            let properties = std::mem::zeroed();
            assert_eq!(sys::cuMemPoolCreate(&raw mut pool, &raw const properties) as u32, 801);
            assert_eq!(sys::cuCtxEnablePeerAccess(context.cu_ctx(), 0) as u32, 217);
        }
    });
}
