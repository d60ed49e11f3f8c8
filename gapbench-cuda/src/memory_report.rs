//! What a kernel's process took of the device's memory.

use gapbench::Result;
use gapbench::measure::say;
use gapbench::plan::Job;
use gapbench::record::{Conditions, Data, Event, Metric, Series};

use crate::cuda::Cuda;
use crate::probe::Probe;

/// The device's memory in use before this process had a context, where the management library tells.
#[derive(Clone, Debug)]
pub(crate) struct Before(Option<u64>);

impl Before {
    /// Reads it for a job that asks for memory; opening the library takes time that belongs to no other job.
    pub(crate) fn read(job: &Job) -> Before {
        let probe = || Probe::open_visible().ok()?.read().memory_used_bytes;
        Before(job.memory.then(probe).flatten())
    }

    /// Says the pool's high-water marks, and by how much the device's free memory fell.
    pub(crate) fn report(&self, job: &Job, cuda: &Cuda, conditions: &Conditions) -> Result<()> {
        if !job.memory {
            return Ok(());
        }
        let memory = cuda.memory();
        let fell = || {
            let used = memory.total_bytes().ok()?.checked_sub(memory.free_bytes().ok()?)?;
            used.checked_sub(self.0?)
        };
        let found = [
            (Metric::MemoryDevicePeak, Some(memory.used_peak_bytes()?)),
            (Metric::MemoryDeviceReserved, Some(memory.reserved_peak_bytes()?)),
            (Metric::MemoryDeviceDelta, fell()),
        ];
        for (metric, bytes) in found {
            let Some(bytes) = bytes else { continue };
            let data = Data::Values { values: vec![bytes as f64], calls_per_value: 1 };
            say(&Event::Series(Series { metric, inputs: None, conditions: conditions.clone(), data }));
        }
        Ok(())
    }
}
