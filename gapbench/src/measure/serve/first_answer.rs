//! The first answer of a served model, and what the process has of memory before, at and after it.
//!
//! Knows nothing of input sets beyond the first input, and nothing of how answers are graded.

use std::thread;
use std::time::Duration;

use crate::declare::Result;
use crate::input::{Input, InputFile};
use crate::measure::{DeviceMemory, channel::say, clock, cold, memory};
use crate::record::{Condition, Conditions, Data, Event, InputSet, Metric, Note};

use super::shape::Shape;
use super::{Serve, device};

/// How long a process waits before its idle memory is read: longer than a thread of a pool needs to go to sleep and to
/// give back what it held, short against a process that answers. No allocator's own delay is waited for: jemalloc keeps
/// what was freed for 10 s, which a service that is asked again within them does not get back either.
const PAUSE: Duration = Duration::from_millis(50);

/// What memory was just before the first request.
struct Loaded {
    host: Option<u64>,
    /// Bytes of the device in use, and its peaks until then.
    device: Option<(u64, DeviceMemory)>,
}

/// Asks the very first request of this process, never warmed, and says what is wanted of it.
pub(super) fn measure(serve: &Serve, sets: &[(InputSet, InputFile)], shape: &mut dyn Shape) -> Result<()> {
    let first = sets.iter().find_map(|(role, file)| file.items.first().map(|input| (*role, file, input)));
    let (role, file, input) = first.ok_or("the input files hold no input")?;
    let mut answer = || shape.answer(input).map(drop).map_err(|error| named(input, file, &error));
    let conditions = serve.conditions.clone().with(Condition::Dataset, file.name.as_str());
    let loaded = if serve.job.memory { Some(cold::phase("reading memory", || loaded(serve))?) } else { None };
    let start_ns = clock::now_ns();
    let answered = answer();
    let end_ns = clock::now_ns();
    answered?;
    cold::first_answer(&serve.job, Some(role), &conditions, start_ns, end_ns)?;
    if !serve.files.is_empty() {
        say(&Event::ModelFiles { files: serve.files.clone() });
    }
    match loaded {
        Some(loaded) => report_memory(serve, role, &conditions, loaded, &mut answer),
        None => Ok(()),
    }
}

fn named(input: &Input, file: &InputFile, error: &crate::declare::Error) -> crate::declare::Error {
    format!("answer input `{}` of {}: {error}", input.id, file.path.display()).into()
}

/// A high-water mark that was just reset is what is in use.
fn loaded(serve: &Serve) -> Result<Loaded> {
    let peaks = serve.device_memory()?;
    serve.reset_device()?;
    let used = serve.device_memory()?.map(|memory| memory.used_peak);
    Ok(Loaded { host: memory::host_resident_bytes(), device: used.zip(peaks) })
}

/// The figures of a stretch and of the one before it, as those of both together.
fn together(before: DeviceMemory, after: DeviceMemory) -> DeviceMemory {
    DeviceMemory {
        used_peak: before.used_peak.max(after.used_peak),
        reserved_peak: before.reserved_peak.max(after.reserved_peak),
        delta: after.delta,
    }
}

/// Says the memory of this process: loaded, at its peak, while one more request is answered, and idle.
fn report_memory(
    serve: &Serve,
    role: InputSet,
    conditions: &Conditions,
    loaded: Loaded,
    answer: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let conditions = conditions.clone().with(Condition::Warm, false);
    let say_bytes = |metric, bytes: u64| {
        let data = Data::Values { values: vec![bytes as f64], calls_per_value: 1 };
        serve.series(metric, Some(role), &conditions, data);
    };
    let untold = "read VmHWM and VmRSS of /proc/self/status: this system has none";
    say_bytes(Metric::MemoryHostPeak, memory::host_peak_bytes().ok_or(untold)?);
    say_bytes(Metric::MemoryHostLoaded, loaded.host.ok_or(untold)?);
    if let (Some((used, before)), Some(after)) = (loaded.device, serve.device_memory()?) {
        say_bytes(Metric::MemoryDeviceSteady, used);
        for (metric, bytes) in device::metrics(together(before, after)) {
            say_bytes(metric, bytes);
        }
    }
    serve.reset_device()?;
    let host_is_reset = memory::reset_host_peak();
    answer()?;
    if host_is_reset {
        say_bytes(Metric::MemoryHostRequest, memory::host_peak_bytes().ok_or(untold)?);
    } else {
        let text = "the system does not reset the peak of resident memory (`/proc/self/clear_refs`), so the memory of \
                    one request was not measured";
        say(&Event::Note(Note { code: "memory_of_a_request".to_owned(), text: text.to_owned() }));
    }
    let of_the_request = serve.read_device()?;
    for (_, bytes) in of_the_request.into_iter().filter(|(metric, _)| *metric == Metric::MemoryDevicePeak) {
        say_bytes(Metric::MemoryDeviceRequest, bytes);
    }
    #[allow(clippy::disallowed_methods, reason = "what is measured is a process that waits")]
    thread::sleep(PAUSE);
    say_bytes(Metric::MemoryHostIdle, memory::host_resident_bytes().ok_or(untold)?);
    Ok(())
}
