//! The device as a record describes it.

use std::collections::BTreeMap;

use gapbench::record::Device;

use crate::cuda::Cuda;
use crate::probe::{Probe, Reading};

/// What the driver tells; everything but the peaks and what only the management library knows.
pub(crate) fn device(cuda: &Cuda) -> Device {
    let facts = cuda.facts();
    let (major, minor) = facts.compute_capability;
    let known = [
        ("compute capability", format!("{major}.{minor}")),
        ("memory", format!("{} B", facts.total_bytes)),
        ("multiprocessors", facts.multiprocessors.to_string()),
        ("second-level cache", format!("{} B", facts.l2_bytes)),
        ("highest clock", format!("{} kHz", facts.clock_khz)),
        ("driver library", facts.driver_path.display().to_string()),
    ];
    Device {
        kind: "cuda".to_owned(),
        name: facts.name.clone(),
        driver: facts.driver_version_text.clone(),
        simulated: facts.simulated,
        facts: known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Device::default()
    }
}

/// Adds what the management library tells, or why it does not.
pub(crate) fn probe(device: &mut Device, cuda: &Cuda) {
    match Probe::open(&cuda.facts().uuid) {
        Ok(probe) => device.facts.extend(words(&probe.read())),
        Err(why) => _ = device.facts.insert("management library".to_owned(), why),
    }
}

fn words(reading: &Reading) -> BTreeMap<String, String> {
    let with = |value: Option<u64>, unit: &str| value.map(|value| format!("{value} {unit}"));
    let found = [
        ("clock", with(reading.clock_mhz.map(u64::from), "MHz")),
        ("memory clock", with(reading.memory_clock_mhz.map(u64::from), "MHz")),
        ("power", with(reading.power_milliwatts.map(u64::from), "mW")),
        ("power limit", with(reading.power_limit_milliwatts.map(u64::from), "mW")),
        ("temperature", with(reading.temperature_celsius.map(u64::from), "°C")),
        ("memory in use", with(reading.memory_used_bytes, "B")),
        ("clock lowered by", reading.throttle_reasons.as_ref().map(|reasons| reasons.join(", "))),
        ("other processes", reading.other_processes.as_ref().map(|found| found.len().to_string())),
    ];
    let known = found.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    known.filter(|(_, value)| !value.is_empty()).collect()
}

/// ` (power cap)`: what lowers the clock now, as far as anybody tells.
pub(crate) fn throttle_reasons(cuda: &Cuda) -> String {
    let reasons = Probe::open(&cuda.facts().uuid).ok().and_then(|probe| probe.read().throttle_reasons);
    match reasons.unwrap_or_default().as_slice() {
        [] => String::new(),
        reasons => format!(" ({})", reasons.join(", ")),
    }
}
