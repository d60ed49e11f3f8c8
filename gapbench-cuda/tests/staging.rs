//! Page-locked memory that is filled again and again.
#![allow(unsafe_code, reason = "the support of scenarios calls C functions")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use gapbench_cuda::{Cuda, CudaError, Grid, Staging, Status};
use support::{calls, control, scenario};

const KERNELS: &str = include_str!("kernels.ptx");

#[test]
fn values_go_and_come_back() {
    fn sent<T: Send>() {}
    sent::<Staging<u32>>();
    scenario("values_go_and_come_back", "", || {
        let cuda = Cuda::find().unwrap();
        let mut staging = cuda.staging::<u32>(8).unwrap();
        assert_eq!((staging.len(), staging.is_empty(), staging.is_free().unwrap()), (8, false, true));
        assert_eq!(staging.values().unwrap(), [0; 8]);
        let buffer = cuda.uninit::<u32>(12).unwrap();
        // The first three of eight, then four others into other places.
        staging.values().unwrap()[..3].copy_from_slice(&[1, 2, 3]);
        staging.send(cuda.stream(), &buffer.view(0..3).unwrap()).unwrap();
        staging.values().unwrap()[..4].copy_from_slice(&[4, 5, 6, 7]);
        staging.send(cuda.stream(), &buffer.view(3..7).unwrap()).unwrap();
        assert_eq!(cuda.download(&buffer).unwrap()[..7], [1, 2, 3, 4, 5, 6, 7]);
        staging.receive(cuda.stream(), &buffer.view(2..6).unwrap()).unwrap();
        assert_eq!(staging.values().unwrap()[..5], [3, 4, 5, 6, 0]);
        // Nothing is nothing.
        staging.send(cuda.stream(), &buffer.view(0..0).unwrap()).unwrap();
        let mut empty = cuda.staging::<u32>(0).unwrap();
        assert!(empty.is_empty() && empty.values().unwrap().is_empty());
        drop(staging);
        assert_eq!(calls("cuMemFreeHost"), 1);
    });
}

#[test]
fn a_refill_waits_for_the_copy_before() {
    scenario("a_refill_waits_for_the_copy_before", "realtime; cost increment 100000000", || {
        let cuda = Cuda::find().unwrap();
        let increment = cuda.kernel(KERNELS, "increment").unwrap();
        let (slow, other) = (cuda.zeros::<u32>(4).unwrap(), cuda.new_stream().unwrap());
        let target = cuda.zeros::<u32>(4).unwrap();
        let mut staging = cuda.staging::<u32>(4).unwrap();
        staging.values().unwrap().fill(7);
        // The copy has to wait for a kernel of a tenth of a second.
        increment.launch(cuda.stream(), Grid::new(1, 32), (&slow, 4_u32)).unwrap();
        staging.send(cuda.stream(), &target.whole()).unwrap();
        assert!(!staging.is_free().unwrap(), "the copy is not waited for");
        staging.values().unwrap().fill(9);
        assert!(staging.is_free().unwrap());
        // What was sent is what was there, not what came after.
        assert_eq!(cuda.download(&target).unwrap(), [7; 4]);
        // Another stream may be next.
        staging.send(&other, &target.whole()).unwrap();
        assert_eq!(cuda.download(&target).unwrap(), [9; 4]);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    scenario("what_does_not_fit_is_refused", "", || {
        let cuda = Cuda::find().unwrap();
        let buffer = cuda.zeros::<u32>(5).unwrap();
        let mut staging = cuda.staging::<u32>(4).unwrap();
        let text = "use a buffer: 5 values do not go through a staging of 4";
        assert_eq!(staging.send(cuda.stream(), &buffer.whole()).unwrap_err().to_string(), text);
        assert_eq!(staging.receive(cuda.stream(), &buffer.whole()).unwrap_err().to_string(), text);
        assert!(matches!(cuda.staging::<u64>(usize::MAX / 4).unwrap_err(), CudaError::Length { .. }));
    });
}

#[test]
fn each_refusal_of_the_driver_is_told() {
    scenario("each_refusal_of_the_driver_is_told", "fail cuMemHostAlloc at 1 with 2", || {
        let cuda = Cuda::find().unwrap();
        let error = cuda.staging::<u32>(4).unwrap_err();
        assert!(matches!(error, CudaError::OutOfMemory { call: "cuMemHostAlloc", .. }), "{error}");
        let buffer = cuda.zeros::<u32>(4).unwrap();
        let mut staging = cuda.staging::<u32>(4).unwrap();
        let failing =
            [("cuMemcpyHtoDAsync_v2", "cuMemcpyHtoDAsync"), ("cuMemcpyDtoHAsync_v2", "cuMemcpyDtoHAsync")];
        for (function, call) in failing {
            control(&format!("fail {function} at 1 with 1"));
            let answer = match call {
                "cuMemcpyHtoDAsync" => staging.send(cuda.stream(), &buffer.whole()),
                _ => staging.receive(cuda.stream(), &buffer.whole()),
            };
            assert_eq!(answer.unwrap_err(), CudaError::Driver { call, code: Status(1) });
        }
        // The copy itself was taken, and is waited for in another way.
        control("fail cuEventRecord at 1 with 1");
        staging.values().unwrap().fill(3);
        let error = staging.send(cuda.stream(), &buffer.whole()).unwrap_err();
        assert_eq!(error, CudaError::Driver { call: "cuEventRecord", code: Status(1) });
        assert!(cuda.stream().is_idle().unwrap());
        // And all is as before.
        staging.values().unwrap().fill(5);
        staging.send(cuda.stream(), &buffer.whole()).unwrap();
        assert_eq!(cuda.download(&buffer).unwrap(), [5; 4]);
    });
}

#[test]
fn a_copy_that_never_comes_ends_at_the_deadline() {
    scenario("a_copy_that_never_comes_ends_at_the_deadline", "hang increment", || {
        let cuda = Cuda::find().unwrap();
        cuda.set_deadline(Duration::from_millis(200));
        let increment = cuda.kernel(KERNELS, "increment").unwrap();
        let buffer = cuda.zeros::<u32>(4).unwrap();
        let mut staging = cuda.staging::<u32>(4).unwrap();
        increment.launch(cuda.stream(), Grid::new(1, 32), (&buffer, 4_u32)).unwrap();
        staging.send(cuda.stream(), &buffer.whole()).unwrap();
        let error = staging.values().unwrap_err();
        assert!(matches!(&error, CudaError::Deadline { kernel: Some(kernel), .. } if kernel == "increment"));
        drop(staging);
        assert_eq!(calls("cuMemFreeHost"), 0, "the memory stays: the copy may still come");
    });
}
