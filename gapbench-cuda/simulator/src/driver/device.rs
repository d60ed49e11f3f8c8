//! What the device says of itself: the figures of an H200 (SXM).

use super::script::Script;

/// Its name says that it is none.
pub(crate) const NAME: &str = "NVIDIA H200 (simulated)";
pub(crate) const UUID: [u8; 16] = *b"simulated-H200\0\x01";
pub(crate) const PCI_BUS_ID: &str = "0000:09:00.0";
pub(crate) const MULTIPROCESSORS: i32 = 132;
pub(crate) const CLOCK_KHZ: i32 = 1_980_000;
pub(crate) const MEMORY_CLOCK_KHZ: i32 = 3_201_000;

/// The value of a device attribute, by the numbers of `CUdevice_attribute`; nothing for a number that is none.
pub(crate) fn attribute(script: &Script, number: i32) -> Option<i32> {
    let known = (1..=150).contains(&number).then(|| known_attribute(number));
    script.attributes.get(&number).copied().or(known)
}

fn known_attribute(number: i32) -> i32 {
    match number {
        // Threads per block and its three dimensions, the grid's dimensions.
        1..=3 => 1024,
        4 => 64,
        5 => i32::MAX,
        6 | 7 => 65_535,
        // Shared memory per block, constant memory, warp, pitch.
        8 => 48 << 10,
        9 => 64 << 10,
        10 => 32,
        11 => i32::MAX,
        // Registers per block and per multiprocessor.
        12 | 82 => 65_536,
        13 => CLOCK_KHZ,
        14 => 512,
        16 => MULTIPROCESSORS,
        // Overlap, mapped host memory, concurrent kernels, ECC.
        15 | 19 | 31 | 32 => 1,
        33 => 9,
        36 => MEMORY_CLOCK_KHZ,
        37 => 6144,
        38 => super::cost::L2_BYTES as i32,
        39 => 2048,
        40 => 3,
        // Unified addressing, compute capability 9.0, stream priorities, L1 caches.
        41 | 78..=80 => 1,
        75 => 9,
        76 => 0,
        81 => 228 << 10,
        // Managed memory, host pointers of registered memory as device pointers, cooperative launches.
        83 | 91 | 95 => 1,
        87 => 2,
        // Concurrent managed access, preemption, host registration, memory pools.
        89 | 90 | 99 | 115 => 1,
        97 => 227 << 10,
        106 => 32,
        108 => 30 << 20,
        109 => 128 << 20,
        111 => 1 << 10,
        _ => 0,
    }
}

/// Cycles of the multiprocessors' highest clock in `ns`.
pub(crate) fn cycles(ns: u64) -> u64 {
    ns * CLOCK_KHZ as u64 / 1_000_000
}

/// The clock of the multiprocessors under the throttle of the moment.
pub(crate) fn clock_mhz(script: &Script) -> u32 {
    let factor = script.throttle.map_or(1.0, |throttle| throttle.factor);
    (f64::from(CLOCK_KHZ) / 1000.0 / factor).round() as u32
}
