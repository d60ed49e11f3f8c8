//! What a device says about itself.

use std::ffi::{CStr, c_int};
use std::path::{Path, PathBuf};

use crate::absent::version_text;
use crate::status::Status;
use crate::symbols::Symbols;

/// What the device and its driver say about themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The device's name, as `NVIDIA H200`.
    pub name: String,
    /// There is no GPU: the driver is the simulator of tests, and no time from here says anything.
    pub simulated: bool,
    /// The driver's library.
    pub driver_path: PathBuf,
    /// The version of CUDA that the driver supports, as 13000.
    pub driver_version: i32,
    /// The same as text, as `13.0`.
    pub driver_version_text: String,
    /// Major and minor.
    pub compute_capability: (i32, i32),
    /// The device's memory.
    pub total_bytes: u64,
    /// The number of multiprocessors.
    pub multiprocessors: i32,
    /// The size of the second-level cache.
    pub l2_bytes: u64,
    /// The highest clock of the multiprocessors.
    pub clock_khz: i32,
    /// The highest clock of the memory.
    pub memory_clock_khz: i32,
    /// The width of the memory's bus.
    pub bus_width_bits: i32,
    /// What a block may have of threads at most.
    pub block_threads: i32,
    /// What a block may have of shared memory without asking for more.
    pub block_shared_bytes: i32,
    /// What a block may have of shared memory if the kernel asks for it.
    pub block_shared_optin_bytes: i32,
    /// The device's own number, as `GPU-` and 32 digits.
    pub uuid: String,
    /// The device's place on the bus, as `0000:19:00.0`.
    pub pci_bus_id: String,
}

// `CUdevice_attribute`
const MAX_THREADS_PER_BLOCK: c_int = 1;
const MAX_SHARED_MEMORY_PER_BLOCK: c_int = 8;
const CLOCK_RATE: c_int = 13;
const MULTIPROCESSOR_COUNT: c_int = 16;
const MEMORY_CLOCK_RATE: c_int = 36;
const GLOBAL_MEMORY_BUS_WIDTH: c_int = 37;
const L2_CACHE_SIZE: c_int = 38;
const COMPUTE_CAPABILITY_MAJOR: c_int = 75;
const COMPUTE_CAPABILITY_MINOR: c_int = 76;
const MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: c_int = 97;

fn check(call: &'static str, status: c_int) -> Result<(), (&'static str, Status)> {
    if status == 0 { Ok(()) } else { Err((call, Status(status))) }
}

impl Facts {
    /// Asks an initialised driver about a device, or answers which call failed.
    pub(crate) fn read(
        symbols: &Symbols,
        device: c_int,
        library: &Path,
    ) -> Result<Facts, (&'static str, Status)> {
        let attribute = |which: c_int| {
            let mut value = 0;
            // SAFETY: the pointer is to a value of the type that is asked for.
            check("cuDeviceGetAttribute", unsafe { (symbols.device_attribute)(&mut value, which, device) })?;
            Ok::<c_int, (&'static str, Status)>(value)
        };
        let (mut driver_version, mut total_bytes, mut uuid) = (0, 0_usize, [0_u8; 16]);
        // The last byte stays 0 whatever the driver writes.
        let (mut name, mut bus_id) = ([0_u8; 257], [0_u8; 33]);
        // SAFETY: each pointer is to a value of the type that is asked for, or to as many bytes as are said.
        unsafe {
            check("cuDriverGetVersion", (symbols.driver_version)(&mut driver_version))?;
            check("cuDeviceTotalMem", (symbols.device_bytes)(&mut total_bytes, device))?;
            check("cuDeviceGetUuid", (symbols.device_uuid)(&mut uuid, device))?;
            check("cuDeviceGetName", (symbols.device_name)(name.as_mut_ptr().cast(), 256, device))?;
            check("cuDeviceGetPCIBusId", (symbols.device_bus_id)(bus_id.as_mut_ptr().cast(), 32, device))?;
        }
        // SAFETY: the symbol is the simulator's own and takes nothing.
        let simulated = symbols.simulator.is_some_and(|present| unsafe { present() } == 1);
        Ok(Facts {
            name: text(&name),
            simulated,
            driver_path: library.to_owned(),
            driver_version,
            driver_version_text: version_text(driver_version),
            compute_capability: (attribute(COMPUTE_CAPABILITY_MAJOR)?, attribute(COMPUTE_CAPABILITY_MINOR)?),
            total_bytes: total_bytes as u64,
            multiprocessors: attribute(MULTIPROCESSOR_COUNT)?,
            l2_bytes: u64::try_from(attribute(L2_CACHE_SIZE)?).unwrap_or(0),
            clock_khz: attribute(CLOCK_RATE)?,
            memory_clock_khz: attribute(MEMORY_CLOCK_RATE)?,
            bus_width_bits: attribute(GLOBAL_MEMORY_BUS_WIDTH)?,
            block_threads: attribute(MAX_THREADS_PER_BLOCK)?,
            block_shared_bytes: attribute(MAX_SHARED_MEMORY_PER_BLOCK)?,
            block_shared_optin_bytes: attribute(MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?,
            uuid: uuid_text(&uuid),
            pci_bus_id: text(&bus_id),
        })
    }

    /// What NVRTC and nvcc call the device's architecture, as `90`.
    pub fn architecture(&self) -> String {
        let (major, minor) = self.compute_capability;
        format!("{major}{minor}")
    }
}

fn text(bytes: &[u8]) -> String {
    CStr::from_bytes_until_nul(bytes).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

/// As NVML and nvidia-smi write it.
fn uuid_text(uuid: &[u8; 16]) -> String {
    let mut text = String::from("GPU");
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 0 | 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_as_nvidia_smi_writes_it() {
        let bytes = std::array::from_fn(|index| index as u8 * 17);
        assert_eq!(uuid_text(&bytes), "GPU-00112233-4455-6677-8899-aabbccddeeff");
    }
}
