//! The figures of the device's memory pool.

/// The pool hands out memory in multiples of this.
const GRAIN_BYTES: u64 = 512;
/// And takes it from the device in multiples of this.
const CHUNK_BYTES: u64 = 32 << 20;

/// Used and reserved bytes, with their high-water marks.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    pub(crate) used: u64,
    pub(crate) used_high: u64,
    pub(crate) reserved: u64,
    pub(crate) reserved_high: u64,
    /// What the pool keeps at a synchronisation.
    pub(crate) release_threshold: u64,
}

impl Pool {
    /// What an allocation of this size is charged; nothing if no number holds it.
    pub(crate) fn charge(bytes: u64) -> Option<u64> {
        bytes.checked_next_multiple_of(GRAIN_BYTES)
    }

    /// Adds an allocation; `limit` is all that the device has for the pool.
    pub(crate) fn take(&mut self, charged: u64, limit: u64) {
        self.used += charged;
        self.used_high = self.used_high.max(self.used);
        self.reserved = self.reserved.max(chunks(self.used)).min(limit);
        self.reserved_high = self.reserved_high.max(self.reserved);
    }

    pub(crate) fn give_back(&mut self, charged: u64) {
        self.used -= charged;
    }

    /// Gives unused memory back to the device until no more than `keep` is reserved.
    pub(crate) fn trim(&mut self, keep: u64) {
        self.reserved = self.reserved.min(chunks(self.used).max(keep));
    }

    /// Gives unused memory back because the device has only this much.
    pub(crate) fn limit(&mut self, bytes: u64) {
        self.reserved = self.reserved.min(bytes.max(self.used));
    }

    /// What happens whenever the host waits for the device.
    pub(crate) fn synchronised(&mut self) {
        self.trim(self.release_threshold);
    }
}

fn chunks(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(CHUNK_BYTES).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn reserved_memory_goes_back_at_a_synchronisation_unless_the_threshold_keeps_it() {
        let mut pool = Pool::default();
        pool.take(512, 1 << 40);
        pool.take(64 << 20, 1 << 40);
        assert_eq!((pool.used, pool.reserved), ((64 << 20) + 512, 96 << 20));
        pool.give_back(64 << 20);
        pool.release_threshold = u64::MAX;
        pool.synchronised();
        assert_eq!(pool.reserved, 96 << 20);
        pool.release_threshold = 0;
        pool.synchronised();
        assert_eq!(
            (pool.reserved, pool.reserved_high, pool.used_high),
            (32 << 20, 96 << 20, (64 << 20) + 512)
        );
    }
}
