//! How long things take: a stated model, not a prediction. The README gives the source of each number.

use std::collections::VecDeque;

use super::script::FixedCost;
use crate::ptx::Work;

/// What a call into the driver takes on the host.
pub(crate) const CALL_NS: u64 = 100;
/// From a launch to the kernel's first instruction.
pub(crate) const LAUNCH_NS: u64 = 2_000;
/// The same between the nodes of a graph.
pub(crate) const NODE_NS: u64 = 1_000;
/// From the request of a copy or a fill to its first byte.
pub(crate) const COPY_NS: u64 = 1_000;
/// What the device calls its L2 cache.
pub(crate) const L2_BYTES: u64 = 60 << 20;

/// 132 multiprocessors, 4 schedulers, 32 lanes, 1.98 GHz.
const INSTRUCTIONS_PER_NS: f64 = 132.0 * 4.0 * 32.0 * 1.98;
const HBM_BYTES_PER_NS: f64 = 4_800.0;
const L2_BYTES_PER_NS: f64 = 9_600.0;
const PCIE_BYTES_PER_NS: f64 = 55.0;

/// The time an operation takes: `latency` overlaps the host's next calls, `body` does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Duration {
    pub(crate) latency_ns: u64,
    pub(crate) body_ns: u64,
}

impl Duration {
    /// A duration that is known as a whole.
    pub(crate) fn whole(ns: u64) -> Duration {
        let latency_ns = ns.min(LAUNCH_NS);
        Duration { latency_ns, body_ns: ns - latency_ns }
    }

    /// Lower clocks stretch what the device executes, not the way to it.
    pub(crate) fn slowed(self, factor: f64) -> Duration {
        let whole = (self.latency_ns + self.body_ns) as f64 * factor;
        Duration { latency_ns: self.latency_ns, body_ns: whole.round() as u64 - self.latency_ns }
    }
}

pub(crate) fn kernel(work: Work, cold_bytes: u64, latency_ns: u64) -> Duration {
    let bytes = work.bytes_read + work.bytes_written;
    let cold = cold_bytes.min(bytes);
    let memory = cold as f64 / HBM_BYTES_PER_NS + (bytes - cold) as f64 / L2_BYTES_PER_NS;
    let body = memory.max(work.instructions as f64 / INSTRUCTIONS_PER_NS);
    Duration { latency_ns, body_ns: body.ceil() as u64 }
}

pub(crate) fn fixed(cost: FixedCost, grid: [u32; 3]) -> Duration {
    let blocks: u64 = grid.iter().map(|&n| u64::from(n)).product();
    Duration::whole(cost.ns + cost.per_block_ns * blocks)
}

/// A copy; on the device it reads and writes, over the bus it goes once.
pub(crate) fn copy(bytes: u64, over_bus: bool) -> Duration {
    let body =
        if over_bus { bytes as f64 / PCIE_BYTES_PER_NS } else { 2.0 * bytes as f64 / HBM_BYTES_PER_NS };
    Duration { latency_ns: COPY_NS, body_ns: body.ceil() as u64 }
}

pub(crate) fn fill(bytes: u64) -> Duration {
    Duration { latency_ns: COPY_NS, body_ns: (bytes as f64 / HBM_BYTES_PER_NS).ceil() as u64 }
}

/// Which allocations the L2 cache holds, as a whole each: the last touched that fit.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// Address and bytes, the last touched at the end.
    warm: VecDeque<(u64, u64)>,
}

impl Cache {
    /// Touches an allocation; answers how many of its bytes were not in the cache.
    pub(crate) fn touch(&mut self, address: u64, bytes: u64) -> u64 {
        let before = self.warm.len();
        self.warm.retain(|&(start, _)| start != address);
        let cold = if self.warm.len() == before { bytes } else { 0 };
        self.warm.push_back((address, bytes));
        // An allocation larger than the cache drives out everything, itself at last.
        while self.warm.iter().map(|&(_, bytes)| bytes).sum::<u64>() > L2_BYTES {
            self.warm.pop_front();
        }
        cold
    }

    pub(crate) fn forget(&mut self, address: u64) {
        self.warm.retain(|&(start, _)| start != address);
    }

    pub(crate) fn clear(&mut self) {
        self.warm.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, Duration, L2_BYTES, kernel};
    use crate::ptx::Work;

    #[test]
    fn what_was_touched_is_warm_until_the_cache_is_flushed() {
        let mut cache = Cache::default();
        assert_eq!([cache.touch(1, 100), cache.touch(1, 100)], [100, 0]);
        cache.touch(2, L2_BYTES);
        assert_eq!(cache.touch(1, 100), 100);
    }

    #[test]
    fn a_kernel_costs_its_launch_and_the_larger_of_instructions_and_bytes() {
        let bytes = Work { instructions: 10, bytes_read: 4_800_000, bytes_written: 4_800_000 };
        let expected = |body_ns| Duration { latency_ns: 2_000, body_ns };
        assert_eq!(kernel(bytes, 9_600_000, 2_000), expected(2_000));
        assert_eq!(kernel(bytes, 0, 2_000), expected(1_000));
        let instructions = Work { instructions: 33_454_080, bytes_read: 8, bytes_written: 0 };
        assert_eq!(kernel(instructions, 8, 2_000), expected(1_000));
    }
}
