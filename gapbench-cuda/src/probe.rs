//! The state of the device beside the program: clocks, power, temperature, memory of all processes. By NVML.

use std::fmt;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::error::{Bits, NvmlError};
use nvml_wrapper::{Device, Nvml};

use crate::find::{environment, visible};
use crate::libraries::{self, NotOpened, Opened};

const LIBRARY: &str = "libnvidia-ml.so.1";

/// NVML, for one device.
pub struct Probe {
    nvml: Nvml,
    uuid: String,
}

impl fmt::Debug for Probe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Probe").field("uuid", &self.uuid).finish_non_exhaustive()
    }
}

/// What the device told at one moment; nothing where it does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The clock of the multiprocessors now.
    pub clock_mhz: Option<u32>,
    /// Their highest clock.
    pub max_clock_mhz: Option<u32>,
    /// The clock of the memory now.
    pub memory_clock_mhz: Option<u32>,
    /// Its highest clock.
    pub max_memory_clock_mhz: Option<u32>,
    /// What lowers the clock, in words; empty if nothing does.
    pub throttle_reasons: Option<Vec<&'static str>>,
    /// The power that the device draws.
    pub power_milliwatts: Option<u32>,
    /// The power that it may draw.
    pub power_limit_milliwatts: Option<u32>,
    /// The energy since the driver was loaded.
    pub energy_millijoules: Option<u64>,
    /// The temperature of the chip.
    pub temperature_celsius: Option<u32>,
    /// The memory that all processes use, without what the driver keeps for itself.
    pub memory_used_bytes: Option<u64>,
    /// The other processes that compute on the device. In a container the numbers may be those of the host, and this
    /// process one of them.
    pub other_processes: Option<Vec<u32>>,
}

impl Reading {
    /// Whether something beside idleness or the user's own setting lowers the clock.
    pub fn is_throttled(&self) -> bool {
        let harmless = ["idle", "application clocks", "display clocks", "sync boost"];
        self.throttle_reasons.iter().flatten().any(|reason| !harmless.contains(reason))
    }
}

const WORDS: [(ThrottleReasons, &str); 9] = [
    (ThrottleReasons::GPU_IDLE, "idle"),
    (ThrottleReasons::APPLICATIONS_CLOCKS_SETTING, "application clocks"),
    (ThrottleReasons::SW_POWER_CAP, "power cap"),
    (ThrottleReasons::HW_SLOWDOWN, "hardware slowdown"),
    (ThrottleReasons::SYNC_BOOST, "sync boost"),
    (ThrottleReasons::SW_THERMAL_SLOWDOWN, "thermal slowdown"),
    (ThrottleReasons::HW_THERMAL_SLOWDOWN, "hardware thermal slowdown"),
    (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, "power brake"),
    (ThrottleReasons::DISPLAY_CLOCK_SETTING, "display clocks"),
];

fn words(reasons: u64) -> Vec<&'static str> {
    let known = ThrottleReasons::from_bits_truncate(reasons);
    let mut words: Vec<&str> =
        WORDS.iter().filter(|(reason, _)| known.contains(*reason)).map(|(_, word)| *word).collect();
    if reasons & !ThrottleReasons::all().bits() != 0 {
        words.push("a reason that gapbench-cuda does not know");
    }
    words
}

impl Probe {
    /// Asks about the device of this number, as [`Facts::uuid`](crate::Facts::uuid) has it.
    ///
    /// # Errors
    /// Why there is nothing to ask, in words: no library, or no such device.
    pub fn open(uuid: &str) -> Result<Probe, String> {
        let folders = libraries::folders(&environment);
        let Opened { library, path } =
            libraries::open(&[LIBRARY], &folders).map_err(|problem| match problem {
                NotOpened::Missing => {
                    format!("no {LIBRARY} in {}", libraries::in_words(&folders, &environment))
                }
                NotOpened::Refused { path, what } => format!("the loader refuses {}: {what}", path.display()),
            })?;
        // Open for good, so that nobody finds another one later.
        libraries::keep(library);
        let failed = |call: &str, error: NvmlError| format!("{}: {call}: {error}", path.display());
        let nvml =
            Nvml::builder().lib_path(path.as_os_str()).init().map_err(|error| failed("nvmlInit", error))?;
        nvml.device_by_uuid(uuid).map_err(|error| failed("nvmlDeviceGetHandleByUUID", error))?;
        Ok(Probe { nvml, uuid: uuid.to_owned() })
    }

    /// Asks about the device that [`Cuda::find`](crate::Cuda::find) would find, without making a context: a reading from
    /// before the context tells what the context itself takes.
    ///
    /// # Errors
    /// Why there is nothing to ask, in words.
    pub fn open_visible() -> Result<Probe, String> {
        let (_, _, facts) = visible().map_err(|absent| absent.to_string())?;
        Probe::open(&facts.uuid)
    }

    /// What the device tells now.
    pub fn read(&self) -> Reading {
        let Ok(device) = self.nvml.device_by_uuid(self.uuid.as_str()) else { return Reading::default() };
        Reading {
            clock_mhz: device.clock_info(Clock::SM).ok(),
            max_clock_mhz: device.max_clock_info(Clock::SM).ok(),
            memory_clock_mhz: device.clock_info(Clock::Memory).ok(),
            max_memory_clock_mhz: device.max_clock_info(Clock::Memory).ok(),
            throttle_reasons: reasons(&device).map(words),
            power_milliwatts: device.power_usage().ok(),
            power_limit_milliwatts: device.enforced_power_limit().ok(),
            energy_millijoules: device.total_energy_consumption().ok(),
            temperature_celsius: device.temperature(TemperatureSensor::Gpu).ok(),
            memory_used_bytes: device.memory_info().ok().map(|memory| memory.used),
            other_processes: others(&device),
        }
    }
}

/// The bits as they are, also those that no header of ours knows.
fn reasons(device: &Device<'_>) -> Option<u64> {
    match device.current_throttle_reasons_strict() {
        Ok(reasons) => Some(reasons.bits()),
        Err(NvmlError::IncorrectBits(Bits::U64(bits))) => Some(bits),
        Err(_) => None,
    }
}

fn others(device: &Device<'_>) -> Option<Vec<u32>> {
    let own = std::process::id();
    let processes = device.running_compute_processes().ok()?;
    Some(processes.into_iter().map(|process| process.pid).filter(|pid| *pid != own).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_in_words() {
        assert_eq!(words(0), [""; 0]);
        assert_eq!(words(0x48), ["hardware slowdown", "hardware thermal slowdown"]);
        assert_eq!(words(1 | 1 << 40), ["idle", "a reason that gapbench-cuda does not know"]);
        let reading = |reasons| Reading { throttle_reasons: Some(words(reasons)), ..Reading::default() };
        assert!(!reading(3).is_throttled() && reading(0x40).is_throttled());
    }
}
