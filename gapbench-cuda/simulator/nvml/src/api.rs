//! The C interface: thin functions under the names of NVML.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::report::{MAX_CLOCK_MHZ, POWER_LIMIT_MW, Report, report};

/// `nvmlReturn_t`
#[derive(Clone, Copy, Debug)]
enum Error {
    Uninitialized = 1,
    InvalidArgument = 2,
    NotFound = 6,
    InsufficientSize = 7,
    DriverNotLoaded = 9,
    ArgumentVersionMismatch = 25,
    Unknown = 999,
}

type Outcome = Result<(), Error>;

/// How often the library was initialised and not shut down.
static INITIALISED: AtomicU32 = AtomicU32::new(0);

const DEVICE: u64 = 0x1;
const NAME: &str = "NVIDIA H200 (simulated)";
const UUID: &str = "GPU-73696d75-6c61-7465-642d-483230300001";
const PCI_BUS_ID: &str = "00000000:09:00.0";

fn enter(needs_init: bool, body: impl FnOnce(Report) -> Outcome) -> u32 {
    if needs_init && INITIALISED.load(Ordering::Acquire) == 0 {
        return Error::Uninitialized as u32;
    }
    // A panic must not reach the caller's frames.
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(report()))) {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => error as u32,
        Err(_) => Error::Unknown as u32,
    }
}

unsafe fn answer<T>(target: *mut T, value: T) -> Outcome {
    if target.is_null() {
        return Err(Error::InvalidArgument);
    }
    // SAFETY: the entry point's pointer.
    unsafe { target.write_unaligned(value) };
    Ok(())
}

/// Writes a text with its end into a buffer, which must be long enough.
unsafe fn answer_text(target: *mut c_char, bytes: c_uint, text: &str) -> Outcome {
    if target.is_null() {
        return Err(Error::InvalidArgument);
    }
    if text.len() >= bytes as usize {
        return Err(Error::InsufficientSize);
    }
    // SAFETY: the entry point's pointer, and the text fits.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), target.cast(), text.len());
        target.add(text.len()).write(0);
    }
    Ok(())
}

fn check(device: u64) -> Outcome {
    if device == DEVICE { Ok(()) } else { Err(Error::InvalidArgument) }
}

/// Answers the one device if a text names it.
unsafe fn find(device: *mut u64, text: *const c_char, names: &[&str], report: &Report) -> Outcome {
    if text.is_null() {
        return Err(Error::InvalidArgument);
    }
    // SAFETY: the entry point's pointers.
    unsafe {
        let text = CStr::from_ptr(text).to_string_lossy();
        if report.has_device == 0 || !names.contains(&text.as_ref()) {
            return Err(Error::NotFound);
        }
        answer(device, DEVICE)
    }
}

/// Clocks by `nvmlClockType_t`: graphics, multiprocessors, memory, video.
fn clock(kind: c_uint, multiprocessors: u32, memory: u32) -> Result<u32, Error> {
    match kind {
        0 | 1 | 3 => Ok(multiprocessors),
        2 => Ok(memory),
        _ => Err(Error::InvalidArgument),
    }
}

/// `nvmlPciInfo_t`
#[repr(C)]
struct PciInfo {
    bus_id_legacy: [u8; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    device_id: c_uint,
    subsystem_id: c_uint,
    bus_id: [u8; 32],
}

fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = text.bytes();
    std::array::from_fn(|_| bytes.next().unwrap_or(0))
}

/// `nvmlMemory_t`
#[repr(C)]
struct Memory {
    total: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

/// `nvmlMemory_v2_t`
#[repr(C)]
struct MemoryV2 {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

/// `nvmlProcessInfo_t`
#[repr(C)]
struct Process {
    id: c_uint,
    memory_used: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

macro_rules! api {
    ($needs_init:literal: $(fn $name:ident($($argument:ident: $type:ty),* $(,)?) |$report:pat_param| $body:block)*) => {
        $(
            #[unsafe(no_mangle)]
            #[allow(non_snake_case, reason = "the names are those of NVML")]
            unsafe extern "C" fn $name($($argument: $type),*) -> u32 {
                enter($needs_init, |$report| {
                    // SAFETY: pointers are what NVML's description of the function says they are.
                    #[allow(unused_unsafe, reason = "some bodies touch no pointer")]
                    unsafe { $body }
                })
            }
        )*
    };
}

fn initialise(report: &Report) -> Outcome {
    if report.has_device == 0 {
        return Err(Error::DriverNotLoaded);
    }
    INITIALISED.fetch_add(1, Ordering::AcqRel);
    Ok(())
}

api! { false:
    fn nvmlInit_v2() |report| { initialise(&report) }

    fn nvmlInitWithFlags(_flags: c_uint) |report| { initialise(&report) }
}

api! { true:
    fn nvmlShutdown() |_| {
        INITIALISED.fetch_sub(1, Ordering::AcqRel);
        Ok(())
    }

    fn nvmlSystemGetDriverVersion(version: *mut c_char, bytes: c_uint) |_| { answer_text(version, bytes, "580.65.06") }

    fn nvmlSystemGetNVMLVersion(version: *mut c_char, bytes: c_uint) |_| { answer_text(version, bytes, "13.580.65.06") }

    fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) |report| {
        answer(version, report.driver_version as c_int)
    }

    fn nvmlDeviceGetCount_v2(count: *mut c_uint) |report| { answer(count, report.has_device) }

    fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut u64) |report| {
        if index >= report.has_device {
            return Err(Error::InvalidArgument);
        }
        answer(device, DEVICE)
    }

    fn nvmlDeviceGetHandleByUUID(uuid: *const c_char, device: *mut u64) |report| {
        find(device, uuid, &[UUID], &report)
    }

    fn nvmlDeviceGetHandleByPciBusId_v2(id: *const c_char, device: *mut u64) |report| {
        find(device, id, &[PCI_BUS_ID, "0000:09:00.0", "09:00.0"], &report)
    }

    fn nvmlDeviceGetIndex(device: u64, index: *mut c_uint) |_| {
        check(device)?;
        answer(index, 0)
    }

    fn nvmlDeviceGetName(device: u64, name: *mut c_char, bytes: c_uint) |_| {
        check(device)?;
        answer_text(name, bytes, NAME)
    }

    fn nvmlDeviceGetUUID(device: u64, uuid: *mut c_char, bytes: c_uint) |_| {
        check(device)?;
        answer_text(uuid, bytes, UUID)
    }

    fn nvmlDeviceGetPciInfo_v3(device: u64, info: *mut PciInfo) |_| {
        check(device)?;
        answer(info, PciInfo {
            bus_id_legacy: padded("0000:09:00.0"),
            domain: 0,
            bus: 9,
            device: 0,
            device_id: 0x2335_10de,
            subsystem_id: 0,
            bus_id: padded(PCI_BUS_ID),
        })
    }

    fn nvmlDeviceGetClockInfo(device: u64, kind: c_uint, mhz: *mut c_uint) |report| {
        check(device)?;
        answer(mhz, clock(kind, report.clock_mhz, report.memory_clock_mhz)?)
    }

    fn nvmlDeviceGetMaxClockInfo(device: u64, kind: c_uint, mhz: *mut c_uint) |report| {
        check(device)?;
        answer(mhz, clock(kind, MAX_CLOCK_MHZ, report.memory_clock_mhz)?)
    }

    fn nvmlDeviceGetCurrentClocksThrottleReasons(device: u64, reasons: *mut c_ulonglong) |report| {
        check(device)?;
        answer(reasons, report.throttle_reasons)
    }

    fn nvmlDeviceGetCurrentClocksEventReasons(device: u64, reasons: *mut c_ulonglong) |report| {
        check(device)?;
        answer(reasons, report.throttle_reasons)
    }

    fn nvmlDeviceGetPowerUsage(device: u64, milliwatts: *mut c_uint) |report| {
        check(device)?;
        answer(milliwatts, report.power_mw())
    }

    fn nvmlDeviceGetEnforcedPowerLimit(device: u64, milliwatts: *mut c_uint) |_| {
        check(device)?;
        answer(milliwatts, POWER_LIMIT_MW)
    }

    fn nvmlDeviceGetTotalEnergyConsumption(device: u64, millijoules: *mut c_ulonglong) |report| {
        check(device)?;
        answer(millijoules, report.energy_mj())
    }

    fn nvmlDeviceGetTemperature(device: u64, sensor: c_uint, celsius: *mut c_uint) |report| {
        check(device)?;
        if sensor != 0 {
            return Err(Error::InvalidArgument);
        }
        answer(celsius, report.temperature())
    }

    fn nvmlDeviceGetMemoryInfo(device: u64, memory: *mut Memory) |report| {
        check(device)?;
        let Report { memory_total: total, memory_used: used, .. } = report;
        answer(memory, Memory { total, free: total - used, used })
    }

    fn nvmlDeviceGetMemoryInfo_v2(device: u64, memory: *mut MemoryV2) |report| {
        check(device)?;
        let expected = size_of::<MemoryV2>() as c_uint | 2 << 24;
        let version = memory.as_ref().ok_or(Error::InvalidArgument)?.version;
        if version != expected {
            return Err(Error::ArgumentVersionMismatch);
        }
        let Report { memory_total: total, memory_used: used, .. } = report;
        answer(memory, MemoryV2 { version, total, reserved: 0, free: total - used, used })
    }

    fn nvmlDeviceGetUtilizationRates(device: u64, rates: *mut [c_uint; 2]) |report| {
        check(device)?;
        // The multiprocessors and the memory.
        let busy = report.busy * 100;
        answer(rates, [busy, busy])
    }

    // The one process that the simulation can know of is this one.
    fn nvmlDeviceGetComputeRunningProcesses_v3(device: u64, count: *mut c_uint, processes: *mut c_void) |report| {
        check(device)?;
        let room = *count.as_ref().ok_or(Error::InvalidArgument)?;
        answer(count, report.in_use)?;
        if report.in_use == 0 {
            return Ok(());
        }
        if room == 0 {
            return Err(Error::InsufficientSize);
        }
        let none = c_uint::MAX;
        let (id, memory_used) = (std::process::id(), report.memory_used);
        answer(processes.cast(), Process { id, memory_used, gpu_instance: none, compute_instance: none })
    }
}

/// A description of an error code.
#[unsafe(no_mangle)]
#[allow(non_snake_case, reason = "the name is NVML's")]
extern "C" fn nvmlErrorString(code: u32) -> *const c_char {
    let text = match code {
        0 => c"Success",
        1 => c"Uninitialized",
        2 => c"Invalid Argument",
        6 => c"Not Found",
        7 => c"Insufficient Size",
        9 => c"Driver Not Loaded",
        25 => c"Argument version mismatch",
        _ => c"Unknown Error",
    };
    text.as_ptr()
}
