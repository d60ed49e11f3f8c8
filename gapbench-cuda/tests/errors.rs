//! What a device says when something goes wrong.
#![allow(unsafe_code, reason = "the support of scenarios calls C functions")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use gapbench_cuda::{Cuda, CudaError, Function, Grid, Mismatch, Status};
use support::{calls, control, scenario};

const KERNELS: &str = include_str!("kernels.ptx");

fn find() -> (Cuda, Function) {
    let cuda = Cuda::find().unwrap();
    let increment = cuda.kernel(KERNELS, "increment").unwrap();
    (cuda, increment)
}

/// Asserts that a text has all parts.
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn an_ordinary_refusal() {
    scenario("an_ordinary_refusal", "fail cuMemsetD8Async at 1 with 801", || {
        let cuda = Cuda::find().unwrap();
        let error = cuda.zeros::<u8>(16).unwrap_err();
        assert_eq!(error, CudaError::Driver { call: "cuMemsetD8Async", code: Status(801) });
        let text = "call cuMemsetD8Async: it answered CUDA_ERROR_NOT_SUPPORTED (801): not supported by this device or driver";
        assert_eq!(error.to_string(), text);
        // The next call is not hurt.
        cuda.zeros::<u8>(16).unwrap();
    });
}

#[test]
fn a_code_that_no_header_knows_stays_a_number() {
    scenario("a_code_that_no_header_knows_stays_a_number", "fail cuEventRecord at 1 with 917", || {
        let error = Cuda::find().unwrap().stream().record().unwrap_err();
        assert_eq!(error, CudaError::Driver { call: "cuEventRecord", code: Status(917) });
        has(
            &error.to_string(),
            &["call cuEventRecord: it answered code 917: a code that gapbench-cuda does not know"],
        );
    });
}

#[test]
fn memory_runs_out() {
    scenario("memory_runs_out", "memory 2000000000", || {
        let cuda = Cuda::find().unwrap();
        let error = cuda.zeros::<u8>(3_000_000_000).unwrap_err();
        let CudaError::OutOfMemory { wanted: Some(3_000_000_000), free, total: 2_000_000_000, .. } = error
        else {
            panic!("{error}");
        };
        assert!(free > 1_000_000_000);
        has(&error.to_string(), &["allocate 3000000000 bytes of the device: ", " of 2000000000 are free; "]);
        cuda.zeros::<u8>(1_000_000).unwrap();
        let error = cuda.zeros::<u64>(usize::MAX / 4).unwrap_err();
        assert!(matches!(error, CudaError::Length { .. }), "{error}");
    });
}

#[test]
fn memory_runs_out_for_another_call() {
    scenario("memory_runs_out_for_another_call", "fail cuEventCreate at 1 with 2", || {
        let error = Cuda::find().unwrap().stream().record().unwrap_err();
        has(&error.to_string(), &["call cuEventCreate: it had no memory left: "]);
    });
}

#[test]
fn images_that_cannot_be_loaded() {
    scenario("images_that_cannot_be_loaded", "", || {
        let cuda = Cuda::find().unwrap();
        let error =
            cuda.kernel(KERNELS.replace(".version 8.0", ".version 99.0").as_str(), "increment").unwrap_err();
        has(
            &error.to_string(),
            &["the PTX is newer than the driver", "(CUDA_ERROR_UNSUPPORTED_PTX_VERSION (222))"],
        );
        let broken = KERNELS.replace("mad.lo.s32 %r2", "mad.lo.nonsense %r2");
        let error = cuda.kernel(broken.as_str(), "increment").unwrap_err();
        let CudaError::Image { what, code, log } = &error else { panic!("{error}") };
        assert_eq!((what.as_str(), *code), ("the PTX has an error", Status(218)));
        assert!(log.contains("nonsense"), "{log}");
        let error = cuda.kernel(&b"\x7fELF\x02\x01\x01 and nothing more"[..], "increment").unwrap_err();
        has(&error.to_string(), &["load the image: the cubin is cut off, or no image at all"]);
        let error = cuda.kernel("", "increment").unwrap_err();
        has(&error.to_string(), &["load the image: the PTX is empty"]);
        let error = cuda.kernel("no \0 code", "increment").unwrap_err();
        has(&error.to_string(), &["the PTX has a zero byte within"]);
        // Bytes that are text are PTX.
        cuda.kernel(KERNELS.as_bytes(), "increment").unwrap();
    });
}

#[test]
fn images_that_this_driver_and_device_cannot_take() {
    scenario("images_that_this_driver_and_device_cannot_take", "", || {
        let cuda = Cuda::find().unwrap();
        let texts = [
            (
                221,
                "load the image: the driver's compiler for PTX (libnvidia-ptxjitcompiler.so.1) is not installed",
            ),
            (
                209,
                "load the image: the PTX has no code for this device's architecture; compile it for the device",
            ),
            (999, "call cuModuleLoadDataEx: it answered CUDA_ERROR_UNKNOWN (999): "),
        ];
        for (code, text) in texts {
            control(&format!("fail cuModuleLoadDataEx at 1 with {code}"));
            has(&cuda.kernel(KERNELS, "increment").unwrap_err().to_string(), &[text]);
        }
        // A refusal is not kept.
        cuda.kernel(KERNELS, "increment").unwrap();
    });
}

#[test]
fn a_kernel_that_is_not_there() {
    scenario("a_kernel_that_is_not_there", "", || {
        let cuda = Cuda::find().unwrap();
        let error = cuda.kernel(KERNELS, "decrement").unwrap_err();
        let text = "find the kernel decrement: the image has increment, kinds, shared, failing";
        assert_eq!(error.to_string(), text);
        let mangled = KERNELS.replace("increment", "_Z9incrementPjj");
        let error = cuda.kernel(mangled.as_str(), "increment").unwrap_err();
        has(
            &error.to_string(),
            &["the image has _Z9incrementPjj, which C++ made of it; declare the kernel extern \"C\""],
        );
    });
}

#[test]
fn arguments_that_do_not_fit() {
    scenario("arguments_that_do_not_fit", "", arguments);
}

/// A driver that does not tell a kernel's parameters; then the PTX does.
#[test]
fn arguments_that_do_not_fit_an_old_driver() {
    scenario("arguments_that_do_not_fit_an_old_driver", "driver 12000", arguments);
}

fn arguments() {
    let (cuda, increment) = find();
    let stream = cuda.stream();
    let buffer = cuda.zeros::<u32>(8).unwrap();
    let error = increment.launch(stream, Grid::new(1, 8), (&buffer,)).unwrap_err();
    let kernel = "increment".to_owned();
    let mismatch = Mismatch::Count { expected: 2, given: 1 };
    assert_eq!(error, CudaError::Arguments { kernel: kernel.clone(), mismatch });
    assert_eq!(error.to_string(), "launch increment: it takes 2 arguments, and 1 were given");
    let error = increment.launch(stream, Grid::new(1, 8), (&buffer, buffer.len())).unwrap_err();
    let mismatch = Mismatch::Size { index: 1, expected: 4, given: 8 };
    assert_eq!(error, CudaError::Arguments { kernel, mismatch });
    has(&error.to_string(), &["its parameter 1 (counted from 0) has 4 bytes, and the argument has 8"]);
    assert_eq!(calls("cuLaunchKernel"), 0);
}

#[test]
fn grids_that_are_refused() {
    scenario("grids_that_are_refused", "", || {
        let (cuda, increment) = find();
        let buffer = cuda.zeros::<u32>(8).unwrap();
        let limit = |grid: Grid| match increment.launch(cuda.stream(), grid, (&buffer, 8_u32)).unwrap_err() {
            error @ CudaError::Launch { .. } => error.to_string(),
            error => panic!("{error}"),
        };
        has(
            &limit(Grid::new(1, 2048)),
            &["launch increment with 1x1x1 blocks of 2048x1x1 threads: at most 1024 threads along x"],
        );
        has(
            &limit(Grid::new(1, (64, 32))),
            &["a block of this kernel, which uses", "has at most 1024 threads"],
        );
        has(&limit(Grid::new((1, 70_000), 1)), &["at most 65535 blocks along y are possible"]);
        has(&limit(Grid::new([1, 1, 0], 1)), &["there is no block along z"]);
        has(
            &limit(Grid::new(1, 1).shared(100_000)),
            &["and 100000 bytes of shared memory: ", "Function::allow_shared"],
        );
        let error = increment.allow_shared(1 << 20).unwrap_err();
        has(
            &error.to_string(),
            &["a block has at most 232448 bytes of shared memory, of which the kernel declares 0"],
        );
    });
}

#[test]
fn a_wild_address_ends_the_context_and_names_the_kernel() {
    scenario("a_wild_address_ends_the_context_and_names_the_kernel", "", || {
        let (cuda, increment) = find();
        let buffer = cuda.zeros::<u32>(8).unwrap();
        increment.launch(cuda.stream(), Grid::cover(64, 32), (&buffer, 64_u32)).unwrap();
        let error = cuda.synchronize().unwrap_err();
        // Which call sees it first is a matter of time.
        let kernel = Some("increment".to_owned());
        assert!(
            matches!(&error, CudaError::Sticky { kernel: found, code: Status(700), .. } if *found == kernel),
            "{error}"
        );
        has(
            &error.to_string(),
            &["CUDA_ERROR_ILLEGAL_ADDRESS (700)", "the kernel launched last is increment"],
        );
        // What follows fails with the same reason.
        let error = cuda.zeros::<u8>(1).unwrap_err();
        assert!(
            matches!(&error, CudaError::Sticky { kernel: found, code: Status(700), .. } if *found == kernel),
            "{error}"
        );
    });
}

#[test]
fn a_trap_and_a_scripted_fault() {
    scenario("a_trap_and_a_scripted_fault", "", || {
        let cuda = Cuda::find().unwrap();
        cuda.kernel(KERNELS, "failing").unwrap().launch(cuda.stream(), Grid::new(1, 1), ()).unwrap();
        let error = cuda.synchronize().unwrap_err();
        has(&error.to_string(), &["CUDA_ERROR_LAUNCH_FAILED (719)", "failing"]);
    });
}

#[test]
fn an_uncorrectable_error_of_the_memory() {
    scenario("an_uncorrectable_error_of_the_memory", "fail kernel increment with 214 sticky", || {
        let (cuda, increment) = find();
        let buffer = cuda.zeros::<u32>(8).unwrap();
        increment.launch(cuda.stream(), Grid::new(1, 8), (&buffer, 8_u32)).unwrap();
        let error = cuda.download(&buffer).unwrap_err();
        has(&error.to_string(), &["CUDA_ERROR_ECC_UNCORRECTABLE (214)", "increment"]);
    });
}

#[test]
fn a_launch_that_the_driver_refuses() {
    scenario("a_launch_that_the_driver_refuses", "fail kernel increment with 701", || {
        let (cuda, increment) = find();
        let buffer = cuda.zeros::<u32>(8).unwrap();
        let error = increment.launch(cuda.stream(), Grid::new(1, 8), (&buffer, 8_u32)).unwrap_err();
        assert!(matches!(error, CudaError::Launch { code: Status(701), .. }), "{error}");
        has(&error.to_string(), &["needs more registers or shared memory"]);
        increment.launch(cuda.stream(), Grid::new(1, 8), (&buffer, 8_u32)).unwrap();
        cuda.synchronize().unwrap();
    });
}

#[test]
fn a_kernel_that_never_ends_is_not_waited_for() {
    scenario("a_kernel_that_never_ends_is_not_waited_for", "hang increment", || {
        let (cuda, increment) = find();
        cuda.set_deadline(Duration::from_millis(100));
        let buffer = cuda.zeros::<u32>(8).unwrap();
        increment.launch(cuda.stream(), Grid::new(1, 8), (&buffer, 8_u32)).unwrap();
        #[allow(clippy::disallowed_methods, reason = "the test's own clock")]
        let begin = Instant::now();
        let error = cuda.synchronize().unwrap_err();
        let CudaError::Deadline { waited, kernel } = &error else { panic!("{error}") };
        assert!(*waited >= Duration::from_millis(100) && kernel.as_deref() == Some("increment"));
        has(&error.to_string(), &["it was not done after 0.", "the kernel launched last is increment"]);
        assert!(!cuda.stream().is_idle().unwrap());
        // Nobody waits for the same again, and the end of all objects does not wait for it.
        assert_eq!(cuda.download(&buffer).unwrap_err(), error);
        let event = cuda.stream().record().unwrap();
        assert_eq!(event.synchronize().unwrap_err(), error);
        cuda.set_deadline(Duration::from_millis(150));
        let CudaError::Deadline { waited, .. } = cuda.synchronize().unwrap_err() else { panic!() };
        assert!(waited >= Duration::from_millis(150));
        cuda.blas().unwrap();
        drop((event, buffer, increment, cuda));
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert_eq!((calls("cublasDestroy_v2"), calls("cuDevicePrimaryCtxRelease_v2")), (0, 0));
    });
}

#[test]
fn ranges_and_lengths() {
    scenario("ranges_and_lengths", "", || {
        let cuda = Cuda::find().unwrap();
        let mut buffer = cuda.zeros::<f32>(8).unwrap();
        assert_eq!(
            buffer.view(4..9).unwrap_err().to_string(),
            "use a buffer: 4..9 is not within its 8 elements"
        );
        let error = cuda.stream().write(&mut buffer, &[1.0]).unwrap_err();
        assert_eq!(error.to_string(), "use a buffer: 1 values do not fill a buffer of 8");
    });
}
