//! Kernels through cudarc: what they compute, what they cost, how they fail, and how the host holds them up.
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "a C interface, called as it is described"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cudarc::driver::sys::{self, CUevent_flags, CUgraphInstantiate_flags, CUstreamCaptureMode};
use cudarc::driver::{
    CudaContext, CudaEvent, CudaFunction, CudaModule, CudaSlice, CudaStream, DriverError, LaunchConfig,
    PushKernelArg, result,
};
use cudarc::nvrtc::Ptx;
use support::{control, scenario, scenario_stderr};

const KERNELS: &str = include_str!("kernels.ptx");

fn module(context: &Arc<CudaContext>) -> Arc<CudaModule> {
    context.load_module(Ptx::from_src(KERNELS)).unwrap()
}

fn event(stream: &Arc<CudaStream>) -> CudaEvent {
    stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT)).unwrap()
}

/// What lies between two events, in nanoseconds.
fn between(start: &CudaEvent, end: &CudaEvent) -> u64 {
    (f64::from(start.elapsed_ms(end).unwrap()) * 1e6).round() as u64
}

fn code<T>(answer: Result<T, DriverError>) -> u32 {
    answer.map_or_else(|error| error.0 as u32, |_| 0)
}

/// One block of 256 threads adds 1 to each of the first `count` values.
fn increment(
    stream: &Arc<CudaStream>,
    kernel: &CudaFunction,
    data: &mut CudaSlice<u32>,
    count: u32,
) -> Result<(), DriverError> {
    let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (256, 1, 1), shared_mem_bytes: 0 };
    unsafe { stream.launch_builder(kernel).arg(data).arg(&count).launch(config) }.map(|_| ())
}

fn launch_one(
    stream: &Arc<CudaStream>,
    kernel: &CudaFunction,
    shared_mem_bytes: u32,
) -> Result<(), DriverError> {
    let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (1, 1, 1), shared_mem_bytes };
    unsafe { stream.launch_builder(kernel).launch(config) }.map(|_| ())
}

/// A word of host memory that a kernel waits for.
struct Flag(*mut std::ffi::c_void);

impl Flag {
    fn new() -> Flag {
        let word = unsafe { result::malloc_host(4, sys::CU_MEMHOSTALLOC_DEVICEMAP) }.unwrap();
        unsafe { word.cast::<u32>().write(0) };
        Flag(word)
    }

    fn hold(&self, stream: &Arc<CudaStream>, kernel: &CudaFunction) {
        let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (1, 1, 1), shared_mem_bytes: 0 };
        unsafe { stream.launch_builder(kernel).arg(&(self.0 as u64)).launch(config) }.unwrap();
    }

    fn release(&self) {
        unsafe { AtomicU32::from_ptr(self.0.cast()) }.store(1, Ordering::Release);
    }
}

#[test]
fn a_kernel_computes_and_costs_what_the_model_says() {
    scenario("a_kernel_computes_and_costs_what_the_model_says", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let kernel = module(&context).load_function("increment").unwrap();
        let mut data = stream.clone_htod(&[41u32; 300]).unwrap();
        let start = event(&stream);
        increment(&stream, &kernel, &mut data, 200).unwrap();
        let end = event(&stream);
        let values = stream.clone_dtoh(&data).unwrap();
        assert_eq!((&values[..200], &values[200..]), (&[42; 200][..], &[41; 100][..]));
        // 256 threads execute some 16 instructions and move 8 bytes each: less than a nanosecond.
        assert_eq!(between(&start, &end), 2_001);
    });
}

#[test]
fn a_script_sets_the_cost_of_a_kernel() {
    scenario("a_script_sets_the_cost_of_a_kernel", "cost increment 70000 500; slow count 10", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let kernel = module(&context).load_function("increment").unwrap();
        let mut data = stream.clone_htod(&[0u32; 256]).unwrap();
        let mut timed = || {
            let start = event(&stream);
            increment(&stream, &kernel, &mut data, 256).unwrap();
            between(&start, &event(&stream))
        };
        assert_eq!(timed(), 70_500);
        assert_eq!(control("throttle 1.5 4 for 1 launches"), 0);
        assert_eq!([timed(), timed()], [105_750, 70_500]);
        assert_eq!(stream.clone_dtoh(&data).unwrap(), [3; 256]);
    });
}

#[test]
fn a_held_stream_runs_when_the_host_lets_it() {
    let script = "cost increment 7000";
    scenario("a_held_stream_runs_when_the_host_lets_it", script, || {
        let context = CudaContext::new(0).unwrap();
        unsafe { context.disable_event_tracking() };
        let module = module(&context);
        let (hold, kernel) =
            (module.load_function("hold").unwrap(), module.load_function("increment").unwrap());
        let stream = context.new_stream().unwrap();
        let mut data = stream.clone_htod(&[0u32; 256]).unwrap();
        stream.synchronize().unwrap();
        let flag = Flag::new();
        flag.hold(&stream, &hold);
        let mut events = vec![event(&stream)];
        for _ in 0..100 {
            increment(&stream, &kernel, &mut data, 256).unwrap();
            events.push(event(&stream));
        }
        assert!(!events[0].is_complete());
        // To wait for the stream now is to wait for ever.
        let (done, waiting) = std::sync::mpsc::channel();
        let waiter = Arc::clone(&stream);
        std::thread::spawn(move || done.send(waiter.synchronize()).unwrap());
        assert!(waiting.recv_timeout(Duration::from_millis(100)).is_err());
        flag.release();
        waiting.recv().unwrap().unwrap();
        assert!(events.windows(2).all(|pair| between(&pair[0], &pair[1]) == 7_000));
        assert_eq!(stream.clone_dtoh(&data).unwrap(), [100; 256]);
    });
}

#[test]
fn a_kernel_in_a_graph_is_launched_faster() {
    scenario("a_kernel_in_a_graph_is_launched_faster", "", || {
        let context = CudaContext::new(0).unwrap();
        unsafe { context.disable_event_tracking() };
        let kernel = module(&context).load_function("increment").unwrap();
        let stream = context.new_stream().unwrap();
        let mut data = stream.clone_htod(&[0u32; 256]).unwrap();
        stream.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL).unwrap();
        (0..10).for_each(|_| increment(&stream, &kernel, &mut data, 256).unwrap());
        let graph = stream.end_capture(CUgraphInstantiate_flags(0)).unwrap().unwrap();
        let start = event(&stream);
        graph.launch().unwrap();
        assert_eq!(between(&start, &event(&stream)), 2_000 + 10 * 1_001);
        assert_eq!(stream.clone_dtoh(&data).unwrap(), [10; 256]);
    });
}

#[test]
fn memory_that_was_flushed_from_the_cache_costs_more() {
    scenario("memory_that_was_flushed_from_the_cache_costs_more", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let kernel = module(&context).load_function("increment").unwrap();
        let count = 1 << 18;
        let mut data = stream.clone_htod(&vec![0u32; count]).unwrap();
        let mut flush = stream.alloc_zeros::<u8>(120 << 20).unwrap();
        let mut timed = || {
            let start = event(&stream);
            let config = LaunchConfig::for_num_elems(count as u32);
            let mut launch = stream.launch_builder(&kernel);
            unsafe { launch.arg(&mut data).arg(&(count as u32)).launch(config) }.unwrap();
            between(&start, &event(&stream))
        };
        // 1 MiB read and as much written: at first half of it comes from memory.
        let (cold, warm) = (timed(), timed());
        let bytes = f64::from(1 << 20);
        assert_eq!(cold, 2_000 + (bytes / 4_800.0 + bytes / 9_600.0).ceil() as u64);
        assert_eq!(warm, 2_000 + (2.0 * bytes / 9_600.0).ceil() as u64);
        stream.memset_zeros(&mut flush).unwrap();
        assert_eq!([timed(), timed()], [cold, warm]);
    });
}

#[test]
fn an_access_outside_an_allocation_ends_the_context() {
    let stderr = scenario_stderr("an_access_outside_an_allocation_ends_the_context", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let kernel = module(&context).load_function("increment").unwrap();
        let mut data = stream.clone_htod(&[0u32; 255]).unwrap();
        increment(&stream, &kernel, &mut data, 256).unwrap();
        assert_eq!(code(stream.synchronize()), 700);
        assert_eq!(code(stream.alloc_zeros::<u8>(1)), 700);
    });
    if let Some(stderr) = stderr {
        assert!(stderr.contains("cuda-simulator: increment: thread (255,0,0) of block (0,0,0)"), "{stderr}");
    }
}

#[test]
fn freed_memory_is_gone_for_later_kernels() {
    scenario("freed_memory_is_gone_for_later_kernels", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let kernel = module(&context).load_function("increment").unwrap();
        let (address, _leaked) = {
            let data = stream.clone_htod(&[0u32; 256]).unwrap();
            let address = cudarc::driver::DevicePtr::device_ptr(&data, &stream).0;
            (address, std::mem::ManuallyDrop::new(data))
        };
        unsafe {
            let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (256, 1, 1), shared_mem_bytes: 0 };
            stream.launch_builder(&kernel).arg(&address).arg(&256u32).launch(config).unwrap();
            result::free_async(address, stream.cu_stream()).unwrap();
            stream.synchronize().unwrap();
            stream.launch_builder(&kernel).arg(&address).arg(&256u32).launch(config).unwrap();
        }
        assert_eq!(code(stream.synchronize()), 700);
    });
}

#[test]
fn a_trap_is_a_launch_failure() {
    scenario("a_trap_is_a_launch_failure", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        launch_one(&stream, &module(&context).load_function("stop").unwrap(), 0).unwrap();
        assert_eq!(code(stream.synchronize()), 719);
    });
}

#[test]
fn a_failed_assertion_has_a_code_of_its_own() {
    scenario("a_failed_assertion_has_a_code_of_its_own", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        launch_one(&stream, &module(&context).load_function("assert").unwrap(), 0).unwrap();
        assert_eq!(code(stream.synchronize()), 710);
    });
}

#[test]
fn a_kernel_fails_by_script() {
    let script = "fail kernel count with 701; fail kernel hold with 719 sticky";
    scenario("a_kernel_fails_by_script", script, || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let module = module(&context);
        let (count, hold) = (module.load_function("count").unwrap(), module.load_function("hold").unwrap());
        assert_eq!([(); 2].map(|()| code(launch_one(&stream, &count, 0))), [701, 0]);
        stream.synchronize().unwrap();
        Flag::new().hold(&stream, &hold);
        assert_eq!(code(stream.synchronize()), 719);
    });
}

#[test]
fn a_hanging_kernel_never_ends() {
    scenario("a_hanging_kernel_never_ends", "hang count", || {
        let context = CudaContext::new(0).unwrap();
        let (stream, other) = (context.new_stream().unwrap(), context.new_stream().unwrap());
        launch_one(&stream, &module(&context).load_function("count").unwrap(), 0).unwrap();
        let end = event(&stream);
        other.alloc_zeros::<u8>(1).unwrap();
        other.synchronize().unwrap();
        assert!(!end.try_is_complete().unwrap());
    });
}

#[test]
fn a_reset_ends_a_kernel_that_waits() {
    scenario("a_reset_ends_a_kernel_that_waits", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.new_stream().unwrap();
        let flag = Flag::new();
        flag.hold(&stream, &module(&context).load_function("hold").unwrap());
        assert_eq!(unsafe { sys::cuDevicePrimaryCtxReset_v2(0) } as u32, 0);
        std::mem::forget((context, stream));
        let again = CudaContext::new(0).unwrap();
        let kernel = module(&again).load_function("increment").unwrap();
        let stream = again.default_stream();
        let mut data = stream.clone_htod(&[0u32; 256]).unwrap();
        increment(&stream, &kernel, &mut data, 256).unwrap();
        assert_eq!(stream.clone_dtoh(&data).unwrap(), [1; 256]);
    });
}

#[test]
fn a_module_has_variables_and_functions() {
    scenario("a_module_has_variables_and_functions", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.default_stream();
        let module = module(&context);
        assert_eq!(code(module.load_function("nothing")), 500);
        let count = module.load_function("count").unwrap();
        (0..3).for_each(|_| launch_one(&stream, &count, 0).unwrap());
        let counter = module.get_global("counter", &stream).unwrap();
        assert_eq!(stream.clone_dtoh(&counter).unwrap(), 3u32.to_le_bytes());
    });
}

#[test]
fn host_threads_with_streams_of_their_own_do_not_disturb_each_other() {
    scenario("host_threads_with_streams_of_their_own_do_not_disturb_each_other", "", || {
        let context = CudaContext::new(0).unwrap();
        unsafe { context.disable_event_tracking() };
        let kernel = module(&context).load_function("increment").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    context.bind_to_thread().unwrap();
                    let stream = context.new_stream().unwrap();
                    let mut data = stream.clone_htod(&[0u32; 256]).unwrap();
                    (0..200).for_each(|_| increment(&stream, &kernel, &mut data, 256).unwrap());
                    assert_eq!(stream.clone_dtoh(&data).unwrap(), [200; 256]);
                });
            }
        });
    });
}
