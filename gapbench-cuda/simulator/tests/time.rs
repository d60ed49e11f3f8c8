//! Virtual time through cudarc: events, streams, graphs, host functions.
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "a C interface, called as it is described"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cudarc::driver::sys::{
    self, CUevent_flags, CUgraphInstantiate_flags, CUstreamCaptureMode, CUstreamCaptureStatus,
};
use cudarc::driver::{CudaContext, CudaEvent, CudaStream};
use support::scenario;

fn event(stream: &Arc<CudaStream>) -> CudaEvent {
    stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT)).unwrap()
}

/// What lies between two events, in nanoseconds.
fn between(start: &CudaEvent, end: &CudaEvent) -> u64 {
    (f64::from(start.elapsed_ms(end).unwrap()) * 1e6).round() as u64
}

#[test]
fn an_interval_is_what_the_model_says() {
    scenario("an_interval_is_what_the_model_says", "", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let mut memory = unsafe { stream.alloc::<u8>(48 << 20) }.unwrap();
        let host = vec![0u8; 55_000];
        for _ in 0..3 {
            let start = event(&stream);
            stream.memset_zeros(&mut memory).unwrap();
            let filled = event(&stream);
            stream.memcpy_htod(&host, &mut memory).unwrap();
            let copied = event(&stream);
            let bytes = f64::from(48 << 20);
            assert_eq!(between(&start, &filled), 1_000 + (bytes / 4_800.0).ceil() as u64);
            assert_eq!(between(&filled, &copied), 1_000 + 1_000);
            // The symbol of older drivers answers the same.
            let mut milliseconds = 0.0f32;
            unsafe {
                type Elapsed = unsafe extern "C" fn(*mut f32, sys::CUevent, sys::CUevent) -> u32;
                let elapsed: Elapsed = std::mem::transmute(support::symbol(c"cuEventElapsedTime"));
                assert_eq!(elapsed(&raw mut milliseconds, start.cu_event(), filled.cu_event()), 0);
            }
            assert_eq!(milliseconds, start.elapsed_ms(&filled).unwrap());
        }
    });
}

#[test]
fn an_event_without_timing_has_no_time() {
    scenario("an_event_without_timing_has_no_time", "", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let (untimed, timed) = (stream.record_event(None).unwrap(), event(&stream));
        assert_eq!(untimed.elapsed_ms(&timed).unwrap_err().0 as u32, 400);
    });
}

#[test]
fn streams_overlap_unless_one_waits_for_the_other() {
    scenario("streams_overlap_unless_one_waits_for_the_other", "", || {
        let context = CudaContext::new(0).unwrap();
        unsafe { context.disable_event_tracking() };
        let streams = [context.new_stream().unwrap(), context.new_stream().unwrap()];
        let mut memory = streams.each_ref().map(|stream| unsafe { stream.alloc::<u8>(96 << 20) }.unwrap());
        context.synchronize().unwrap();
        let one = 1_000 + (f64::from(96 << 20) / 4_800.0).ceil() as u64;

        let start = event(&streams[0]);
        streams.iter().zip(&mut memory).for_each(|(stream, memory)| stream.memset_zeros(memory).unwrap());
        let ends = streams.each_ref().map(event);
        assert!(between(&start, &ends[1]) < one + 2_000, "they overlap");

        let start = event(&streams[0]);
        streams[0].memset_zeros(&mut memory[0]).unwrap();
        streams[1].wait(&event(&streams[0])).unwrap();
        streams[1].memset_zeros(&mut memory[1]).unwrap();
        assert_eq!(between(&start, &event(&streams[1])), 2 * one);
    });
}

#[test]
fn a_captured_graph_runs_when_it_is_launched() {
    scenario("a_captured_graph_runs_when_it_is_launched", "", || {
        let context = CudaContext::new(0).unwrap();
        unsafe { context.disable_event_tracking() };
        let stream = context.new_stream().unwrap();
        let mut memory = stream.clone_htod(&[1u8; 4_800]).unwrap();
        stream.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_GLOBAL).unwrap();
        for _ in 0..10 {
            stream.memset_zeros(&mut memory).unwrap();
        }
        let status = CUstreamCaptureStatus::CU_STREAM_CAPTURE_STATUS_ACTIVE;
        assert_eq!(stream.capture_status().unwrap(), status);
        let graph = stream.end_capture(CUgraphInstantiate_flags(0)).unwrap().unwrap();
        assert_eq!(stream.clone_dtoh(&memory).unwrap()[0], 1, "a capture executes nothing");
        graph.upload().unwrap();
        for _ in 0..2 {
            let start = event(&stream);
            graph.launch().unwrap();
            assert_eq!(between(&start, &event(&stream)), 2_000 + 10 * (1_000 + 1));
        }
        assert_eq!(stream.clone_dtoh(&memory).unwrap(), [0; 4_800]);
    });
}

#[test]
fn a_graph_cannot_be_launched_from_the_device() {
    scenario("a_graph_cannot_be_launched_from_the_device", "", || {
        let context = CudaContext::new(0).unwrap();
        let stream = context.new_stream().unwrap();
        let with = |flags| {
            stream.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED).unwrap();
            let ended = stream.end_capture(CUgraphInstantiate_flags(flags));
            ended.map_or_else(|error| error.0 as u32, |_| 0)
        };
        assert_eq!([with(0), with(1), with(4), with(5), with(16)], [0, 0, 801, 1, 1]);
    });
}

#[test]
fn another_stream_joins_a_capture_through_an_event() {
    scenario("another_stream_joins_a_capture_through_an_event", "", || {
        let context = CudaContext::new(0).unwrap();
        unsafe { context.disable_event_tracking() };
        let (first, second) = (context.new_stream().unwrap(), context.new_stream().unwrap());
        let mut memory = first.clone_htod(&[1u8; 64]).unwrap();
        first.synchronize().unwrap();
        first.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED).unwrap();
        second.wait(&first.record_event(None).unwrap()).unwrap();
        second.memset_zeros(&mut memory).unwrap();
        first.wait(&second.record_event(None).unwrap()).unwrap();
        let graph = first.end_capture(CUgraphInstantiate_flags(0)).unwrap().unwrap();
        graph.launch().unwrap();
        assert_eq!(first.clone_dtoh(&memory).unwrap(), [0; 64]);
    });
}

#[test]
fn a_synchronisation_breaks_a_capture() {
    scenario("a_synchronisation_breaks_a_capture", "", || {
        let context = CudaContext::new(0).unwrap();
        unsafe { context.disable_event_tracking() };
        let stream = context.new_stream().unwrap();
        stream.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_GLOBAL).unwrap();
        assert_eq!(stream.synchronize().unwrap_err().0 as u32, 900);
        assert_eq!(stream.end_capture(CUgraphInstantiate_flags(0)).map(|_| ()).unwrap_err().0 as u32, 901);
        stream.synchronize().unwrap();
        let default = context.default_stream();
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_GLOBAL;
        assert_eq!(default.begin_capture(mode).unwrap_err().0 as u32, 900);
    });
}

static FLAG: AtomicBool = AtomicBool::new(false);

unsafe extern "C" fn wait_for_flag(_data: *mut std::ffi::c_void) {
    while !FLAG.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
}

/// A host function holds a stream up as a waiting kernel does.
#[test]
fn a_stream_is_asynchronous_and_in_order() {
    scenario("a_stream_is_asynchronous_and_in_order", "", || {
        let context = CudaContext::new(0).unwrap();
        unsafe { context.disable_event_tracking() };
        let (stream, other) = (context.new_stream().unwrap(), context.new_stream().unwrap());
        let mut memory = stream.clone_htod(&[1u8; 64]).unwrap();
        let result =
            unsafe { sys::cuLaunchHostFunc(stream.cu_stream(), Some(wait_for_flag), std::ptr::null_mut()) };
        assert_eq!(result as u32, 0);
        let (start, mut ends) = (event(&stream), Vec::new());
        for _ in 0..3 {
            stream.memset_zeros(&mut memory).unwrap();
            ends.push(event(&stream));
        }
        assert!(!ends[0].is_complete());
        // Another stream goes on.
        other.alloc_zeros::<u8>(64).unwrap();
        other.synchronize().unwrap();
        FLAG.store(true, Ordering::Release);
        stream.synchronize().unwrap();
        assert!(ends.iter().all(CudaEvent::is_complete));
        assert_eq!(ends.iter().map(|end| between(&start, end)).collect::<Vec<_>>(), [1_001, 2_002, 3_003]);
    });
}

#[test]
fn the_null_stream_waits_for_blocking_streams_only() {
    scenario("the_null_stream_waits_for_blocking_streams_only", "", || {
        let context = CudaContext::new(0).unwrap();
        let null = context.default_stream();
        let bytes = 96 << 20;
        let mut blocking = std::ptr::null_mut();
        let mut memory = 0;
        unsafe {
            assert_eq!(sys::cuStreamCreate(&raw mut blocking, 0) as u32, 0);
            assert_eq!(sys::cuMemAlloc_v2(&raw mut memory, bytes) as u32, 0);
            let start = event(&null);
            assert_eq!(sys::cuMemsetD8Async(memory, 1, bytes, blocking) as u32, 0);
            let end = event(&null);
            assert!(between(&start, &end) > (bytes as f64 / 4_800.0) as u64);
        }
    });
}

#[test]
fn realtime_lets_durations_elapse() {
    scenario("realtime_lets_durations_elapse", "realtime", || {
        let stream = CudaContext::new(0).unwrap().default_stream();
        let host = vec![0u8; 5_500_000];
        let mut memory = unsafe { stream.alloc::<u8>(5_500_000) }.unwrap();
        #[allow(clippy::disallowed_methods, reason = "the real clock is what is tested")]
        let begin = std::time::Instant::now();
        for _ in 0..50 {
            stream.memcpy_htod(&host, &mut memory).unwrap();
        }
        stream.synchronize().unwrap();
        assert!(begin.elapsed() >= std::time::Duration::from_micros(50 * 101));
    });
}
