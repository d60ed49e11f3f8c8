//! Work that is recorded once and launched as a whole.
#![allow(unsafe_code, reason = "the support of scenarios calls C functions")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use gapbench_cuda::{Buffer, Cuda, CudaError, Function, Graph, Grid, Status};
use support::{calls, control, scenario};

const KERNELS: &str = include_str!("kernels.ptx");

/// The device, a kernel and four values.
fn find() -> (Cuda, Function, Buffer<u32>) {
    let cuda = Cuda::find().unwrap();
    let increment = cuda.kernel(KERNELS, "increment").unwrap();
    let values = cuda.upload(&[1_u32, 2, 3, 4]).unwrap();
    (cuda, increment, values)
}

/// Two launches, recorded.
fn recorded(cuda: &Cuda, increment: &Function, values: &Buffer<u32>) -> Result<Graph, CudaError> {
    let stream = cuda.stream();
    stream.capture(|| {
        for _ in 0..2 {
            increment.launch(stream, Grid::new(1, 32), (values, 4_u32))?;
        }
        Ok(())
    })
}

/// The stream takes work as before.
fn works(cuda: &Cuda, increment: &Function, values: &Buffer<u32>) {
    let before = cuda.download(values).unwrap();
    increment.launch(cuda.stream(), Grid::new(1, 32), (values, 4_u32)).unwrap();
    let after: Vec<u32> = before.iter().map(|value| value + 1).collect();
    assert_eq!(cuda.download(values).unwrap(), after);
}

#[test]
fn recorded_work_is_done_when_it_is_launched() {
    fn sent<T: Send>() {}
    sent::<Graph>();
    scenario("recorded_work_is_done_when_it_is_launched", "", || {
        let (cuda, increment, values) = find();
        let mut graph = recorded(&cuda, &increment, &values).unwrap();
        assert_eq!(cuda.download(&values).unwrap(), [1, 2, 3, 4], "recording does nothing");
        let launches = calls("cuLaunchKernel");
        for _ in 0..3 {
            graph.launch().unwrap();
        }
        assert_eq!(cuda.download(&values).unwrap(), [7, 8, 9, 10]);
        assert_eq!((calls("cuLaunchKernel"), graph.last_kernel()), (launches, Some("increment")));
        works(&cuda, &increment, &values);
        drop(graph);
        assert_eq!((calls("cuGraphDestroy"), calls("cuGraphExecDestroy")), (1, 1));
        // Nothing is a graph too.
        let mut nothing = cuda.stream().capture(|| Ok(())).unwrap();
        nothing.launch().unwrap();
        assert_eq!(nothing.last_kernel(), None);
    });
}

#[test]
fn a_capture_that_is_refused_leaves_the_stream_as_it_was() {
    scenario("a_capture_that_is_refused_leaves_the_stream_as_it_was", "", || {
        let (cuda, increment, values) = find();
        let cases = [
            ("fail cuStreamBeginCapture_v2 at 1 with 900", "cuStreamBeginCapture", 900, None),
            ("fail cuGraphInstantiateWithFlags at 1 with 801", "cuGraphInstantiate", 801, Some("increment")),
        ];
        for (script, wanted, status, last) in cases {
            control(script);
            let error = recorded(&cuda, &increment, &values).unwrap_err();
            let CudaError::Capture { call, code, kernel, cause } = &error else { panic!("{error}") };
            assert_eq!((*call, *code, kernel.as_deref(), cause), (wanted, Status(status), last, &None));
            assert!(error.to_string().starts_with(&format!("record a graph: {wanted} answered ")), "{error}");
            assert!(error.to_string().ends_with("; the work can be launched without a graph"), "{error}");
            works(&cuda, &increment, &values);
        }
        recorded(&cuda, &increment, &values).unwrap().launch().unwrap();
    });
}

#[test]
fn a_wait_within_a_capture_is_a_refused_capture() {
    scenario("a_wait_within_a_capture_is_a_refused_capture", "", || {
        let (cuda, increment, values) = find();
        let stream = cuda.stream();
        let error = stream
            .capture(|| {
                increment.launch(stream, Grid::new(1, 32), (&values, 4_u32))?;
                stream.synchronize()
            })
            .unwrap_err();
        let CudaError::Capture { code, kernel, cause, .. } = &error else { panic!("{error}") };
        assert_eq!((*code, kernel.as_deref()), (Status(901), Some("increment")));
        assert_eq!(**cause.as_ref().unwrap(), CudaError::Driver { call: "cuStreamQuery", code: Status(900) });
        let text = error.to_string();
        assert!(
            text.contains("the kernel recorded last is increment; before that it failed to call"),
            "{text}"
        );
        works(&cuda, &increment, &values);
    });
}

#[test]
fn an_error_of_what_is_recorded_is_told_as_it_is() {
    scenario("an_error_of_what_is_recorded_is_told_as_it_is", "", || {
        let (cuda, increment, values) = find();
        let stream = cuda.stream();
        let error = stream.capture(|| increment.launch(stream, Grid::new(1, 32), (&values,))).unwrap_err();
        assert!(matches!(error, CudaError::Arguments { .. }), "{error}");
        works(&cuda, &increment, &values);
        // And a panic does not leave the stream recording.
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            stream.capture(|| panic!("on purpose")).map(|_| ())
        }));
        assert!(panicked.is_err());
        works(&cuda, &increment, &values);
        assert_eq!(calls("cuGraphDestroy"), 2);
    });
}

#[test]
fn a_launch_that_is_refused_or_fails() {
    scenario("a_launch_that_is_refused_or_fails", "fail cuGraphLaunch at 2 with 1", || {
        let (cuda, increment, values) = find();
        let mut graph = recorded(&cuda, &increment, &values).unwrap();
        graph.launch().unwrap();
        let error = graph.launch().unwrap_err();
        assert_eq!(error, CudaError::Driver { call: "cuGraphLaunch", code: Status(1) });
        // Another kernel in between; an error is then told with that of the graph.
        let failing = cuda.kernel(KERNELS, "failing").unwrap();
        let mut fails = cuda.stream().capture(|| failing.launch(cuda.stream(), Grid::new(1, 1), ())).unwrap();
        works(&cuda, &increment, &values);
        fails.launch().unwrap();
        let error = cuda.synchronize().unwrap_err();
        assert!(
            matches!(&error, CudaError::Sticky { kernel: Some(kernel), .. } if kernel == "failing"),
            "{error}"
        );
        assert!(matches!(graph.launch().unwrap_err(), CudaError::Sticky { .. }));
        // Nothing is refused as a capture any more: there is nothing to fall back to.
        assert!(matches!(recorded(&cuda, &increment, &values).unwrap_err(), CudaError::Sticky { .. }));
    });
}

#[test]
fn a_graph_that_never_ends_names_its_kernel() {
    scenario("a_graph_that_never_ends_names_its_kernel", "hang increment", || {
        let (cuda, increment, values) = find();
        let mut graph = recorded(&cuda, &increment, &values).unwrap();
        cuda.set_deadline(Duration::from_millis(200));
        graph.launch().unwrap();
        let error = cuda.synchronize().unwrap_err();
        assert!(
            matches!(&error, CudaError::Deadline { kernel: Some(kernel), .. } if kernel == "increment"),
            "{error}"
        );
        drop(graph);
        assert_eq!(calls("cuGraphExecDestroy"), 0, "nothing waits for a device that hangs");
    });
}
