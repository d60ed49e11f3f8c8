//! What a device crate offers to a served model: the memory that the model takes of the device.
//!
//! Knows no device.

use std::fmt;

use crate::declare::Result;

/// Memory of a device that this process has. Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// The most that was in use at one moment since the last reset, or since the process began.
    pub used_peak: u64,
    /// The most that the allocator held for its users in the same time, where there is such an allocator.
    pub reserved_peak: Option<u64>,
    /// By how much the device's free memory has fallen since before the context was made: context, code and libraries
    /// included, and what other processes took meanwhile. Absent where it was not read then.
    pub delta: Option<u64>,
}

/// A look at a device's memory, registered with [`Serve::device`](super::Serve::device).
pub trait DeviceProbe: fmt::Debug {
    /// The device's name, for errors.
    fn name(&self) -> &str;

    /// Lets the high-water marks begin again at what is in use now. What was given back before counts no more.
    ///
    /// # Errors
    /// When the device refuses.
    fn reset(&self) -> Result<()>;

    /// The memory now.
    ///
    /// # Errors
    /// When the device refuses.
    fn read(&self) -> Result<DeviceMemory>;
}
