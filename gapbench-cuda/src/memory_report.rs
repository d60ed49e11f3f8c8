//! What a process took of the device's memory, for a kernel and for a served model.
//!
//! Knows nothing of when it is asked.

use gapbench::Result;
use gapbench::measure::{DeviceMemory, DeviceProbe, memory_is_wanted, phase, say};
use gapbench::plan::Job;
use gapbench::record::{Conditions, Data, Event, Metric, Series};

use crate::cuda::Cuda;
use crate::probe::Probe;

/// The device's memory in use before this process has a context, in bytes, where the management library tells. Read only
/// where memory is reported: opening the library takes time, which is a phase of a cold start.
pub(crate) fn used_before_context() -> Option<u64> {
    let used = || Probe::open_visible().ok()?.read().memory_used_bytes;
    memory_is_wanted().then(|| phase("device memory", used)).flatten()
}

impl DeviceProbe for Cuda {
    fn name(&self) -> &str {
        &self.facts().name
    }

    fn reset(&self) -> Result<()> {
        // A buffer leaves the pool when its stream reaches its end.
        self.synchronize()?;
        Ok(self.memory().reset_peaks()?)
    }

    fn read(&self) -> Result<DeviceMemory> {
        let memory = self.memory();
        let fell = || {
            let used = memory.total_bytes().ok()?.checked_sub(memory.free_bytes().ok()?)?;
            used.checked_sub(self.used_before_context()?)
        };
        Ok(DeviceMemory {
            used_peak: memory.used_peak_bytes()?,
            reserved_peak: Some(memory.reserved_peak_bytes()?),
            delta: fell(),
        })
    }
}

/// Says the pool's high-water marks, and by how much the device's free memory fell.
pub(crate) fn report(job: &Job, cuda: &Cuda, conditions: &Conditions) -> Result<()> {
    if !job.memory {
        return Ok(());
    }
    let memory = cuda.read()?;
    let found = [
        (Metric::MemoryDevicePeak, Some(memory.used_peak)),
        (Metric::MemoryDeviceReserved, memory.reserved_peak),
        (Metric::MemoryDeviceDelta, memory.delta),
    ];
    for (metric, bytes) in found {
        let Some(bytes) = bytes else { continue };
        let data = Data::Values { values: vec![bytes as f64], calls_per_value: 1 };
        say(&Event::Series(Series { metric, inputs: None, conditions: conditions.clone(), data }));
    }
    Ok(())
}
