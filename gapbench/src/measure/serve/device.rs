//! The memory of a served model's device: which device, and from its figures to metrics.
//!
//! Knows nothing of when it is looked at.

use crate::declare::Result;
use crate::measure::{DeviceMemory, DeviceProbe};
use crate::record::Metric;

use super::Serve;

impl Serve {
    /// Names the device whose memory the model takes: with the option `memory` it is reported beside the host's.
    ///
    /// # Errors
    /// When another one was named: a case has one device.
    pub fn device(&mut self, probe: impl DeviceProbe + 'static) -> Result<&mut Self> {
        if let Some(known) = &self.device {
            let (known, new) = (known.name(), probe.name());
            return Err(
                format!("a case has one device: this one has `{known}`, and `{new}` came after").into()
            );
        }
        self.device = Some(Box::new(probe));
        Ok(self)
    }

    /// Lets the device's high-water marks begin again, before a load; nothing where no device or no memory is asked for.
    pub(super) fn reset_device(&self) -> Result<()> {
        match &self.device {
            Some(device) if self.job.memory => {
                device.reset().map_err(|error| self.unreadable("reset the peaks", &error))
            }
            _ => Ok(()),
        }
    }

    /// The device's memory since [`reset_device`](Serve::reset_device) as `memory.device_peak`, `memory.device_reserved`
    /// and `memory.device_delta`, in bytes, as far as the device tells; nothing where no device or no memory is asked for.
    pub(super) fn read_device(&self) -> Result<Vec<(Metric, u64)>> {
        Ok(self.device_memory()?.map(metrics).unwrap_or_default())
    }

    /// The figures themselves.
    pub(super) fn device_memory(&self) -> Result<Option<DeviceMemory>> {
        match &self.device {
            Some(device) if self.job.memory => {
                device.read().map(Some).map_err(|error| self.unreadable("read the memory", &error))
            }
            _ => Ok(None),
        }
    }

    fn unreadable(&self, what: &str, error: &crate::declare::Error) -> crate::declare::Error {
        let name = self.device.as_ref().map_or("", |device| device.name());
        format!("{what} of {name}: {error}").into()
    }
}

/// The metrics of a device's figures.
pub(super) fn metrics(memory: DeviceMemory) -> Vec<(Metric, u64)> {
    let found = [
        (Metric::MemoryDevicePeak, Some(memory.used_peak)),
        (Metric::MemoryDeviceReserved, memory.reserved_peak),
        (Metric::MemoryDeviceDelta, memory.delta),
    ];
    found.into_iter().filter_map(|(metric, bytes)| Some((metric, bytes?))).collect()
}
