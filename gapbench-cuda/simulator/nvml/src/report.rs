//! The state of the device, from the simulated driver if the program has opened it.

/// What the driver tells. Its copy there has the same fields.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) driver_version: u32,
    pub(crate) has_device: u32,
    pub(crate) clock_mhz: u32,
    pub(crate) memory_clock_mhz: u32,
    pub(crate) busy: u32,
    /// A context of this process exists.
    pub(crate) in_use: u32,
    pub(crate) throttle_reasons: u64,
    pub(crate) memory_total: u64,
    pub(crate) memory_used: u64,
    pub(crate) virtual_ns: u64,
}

/// An idle device that nobody has touched.
const IDLE: Report = Report {
    driver_version: 13_000,
    has_device: 1,
    clock_mhz: MAX_CLOCK_MHZ,
    memory_clock_mhz: 3_201,
    busy: 0,
    in_use: 0,
    throttle_reasons: 0,
    memory_total: 143_771 << 20,
    memory_used: 0,
    virtual_ns: 0,
};

pub(crate) const MAX_CLOCK_MHZ: u32 = 1_980;
pub(crate) const POWER_LIMIT_MW: u32 = 700_000;

/// `HW_SLOWDOWN`, `SW_THERMAL_SLOWDOWN` and `HW_THERMAL_SLOWDOWN` of the clocks' event reasons.
const THERMAL_REASONS: u64 = 0x8 | 0x20 | 0x40;

pub(crate) fn report() -> Report {
    // The driver is asked for each time: the program may open it after this library. It is not loaded for the answer.
    // SAFETY: the name ends with a zero.
    let library = unsafe { libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
    if library.is_null() {
        return IDLE;
    }
    // SAFETY: the library is open.
    let symbol = unsafe { libc::dlsym(library, c"simulator_report".as_ptr()) };
    let mut report = IDLE;
    if !symbol.is_null() {
        // SAFETY: this is the type with which the driver defines the function.
        let ask = unsafe {
            std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(*mut Report) -> u32>(symbol)
        };
        // SAFETY: the pointer is to a local of the same fields.
        if unsafe { ask(&raw mut report) } != 0 {
            return IDLE;
        }
    }
    report
}

impl Report {
    pub(crate) fn temperature(&self) -> u32 {
        match (self.throttle_reasons & THERMAL_REASONS != 0, self.busy != 0) {
            (true, _) => 90,
            (false, true) => 60,
            (false, false) => 40,
        }
    }

    pub(crate) fn power_mw(&self) -> u32 {
        if self.busy != 0 { 500_000 } else { 80_000 }
    }

    /// As if the device had drawn the power of a busy one for all of the virtual time.
    pub(crate) fn energy_mj(&self) -> u64 {
        self.virtual_ns / 1_000 * 500 / 1_000
    }
}
