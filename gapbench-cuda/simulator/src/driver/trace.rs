//! Memory as one launch sees it: which addresses are valid, and what the launch touched.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::memory::Mapping;
use crate::ptx::GlobalMemory;

/// A kernel that reads one word of host memory so often in a row waits for the host: many threads may read one number
/// there, and a wait too short to be noticed costs next to nothing by its instructions.
const SPINS: u32 = 10_000;

/// An allocation as a launch sees it.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Memory of the host.
    pub(super) host: bool,
    #[allow(dead_code, reason = "held, so that the pages stay")]
    pub(super) pages: Arc<Mapping>,
}

/// The allocations at one moment, by address.
#[derive(Debug)]
pub(crate) struct View {
    ranges: Vec<Range>,
}

impl View {
    pub(super) fn new(ranges: Vec<Range>) -> View {
        View { ranges }
    }
}

/// Memory as one launch sees it, and what the launch touched.
#[derive(Debug)]
pub(crate) struct Trace {
    view: Arc<View>,
    last: Cell<usize>,
    touched: RefCell<Vec<bool>>,
    host_word: Cell<(u64, u32)>,
    waited: Cell<bool>,
    context: Arc<Alive>,
}

/// Whether a context still exists; when it ends, a kernel in it that waits for the host must not go on waiting.
#[derive(Debug)]
pub(crate) struct Alive(AtomicBool);

impl Alive {
    pub(crate) fn new() -> Arc<Alive> {
        Arc::new(Alive(AtomicBool::new(true)))
    }

    pub(crate) fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

impl Trace {
    pub(crate) fn new(view: Arc<View>, context: Arc<Alive>) -> Trace {
        let touched = RefCell::new(vec![false; view.ranges.len()]);
        let (last, host_word, waited) = (Cell::new(0), Cell::new((0, 0)), Cell::new(false));
        Trace { view, last, touched, host_word, waited, context }
    }

    /// Whether the context has ended, so that nobody may learn of what its kernels did.
    pub(crate) fn is_over(&self) -> bool {
        self.context.is_over()
    }

    /// Whether the kernel read the same word of host memory over and over.
    pub(crate) fn waited_for_host(&self) -> bool {
        self.waited.get()
    }

    /// The start and size of every allocation on the device that the kernel touched.
    pub(crate) fn touched(&self) -> Vec<(u64, u64)> {
        let touched = self.touched.borrow();
        let on_device =
            self.view.ranges.iter().zip(touched.iter()).filter(|(range, touched)| **touched && !range.host);
        on_device.map(|(range, _)| (range.start, range.end - range.start)).collect()
    }

    fn count_host_access(&self, address: u64) {
        let (word, times) = self.host_word.get();
        let times = if word == address { times + 1 } else { 0 };
        self.host_word.set((address, times.min(SPINS)));
        if times >= SPINS {
            self.waited.set(true);
        }
    }
}

impl GlobalMemory for Trace {
    fn at(&self, address: u64, bytes: usize) -> Option<NonNull<u8>> {
        let ranges = &self.view.ranges;
        let inside = |range: &Range| range.start <= address && address < range.end;
        let index = match ranges.get(self.last.get()) {
            Some(range) if inside(range) => self.last.get(),
            _ => ranges.partition_point(|range| range.start <= address).checked_sub(1)?,
        };
        let range = &ranges[index];
        if address.checked_add(bytes as u64)? > range.end {
            return None;
        }
        if self.last.replace(index) != index || index == 0 {
            self.touched.borrow_mut()[index] = true;
        }
        if range.host {
            if self.is_over() {
                return None;
            }
            self.count_host_access(address);
        }
        NonNull::new(address as *mut u8)
    }
}

#[cfg(test)]
mod tests {
    use super::{Alive, SPINS, Trace};
    use crate::driver::memory::{Kind, Memory};
    use crate::ptx::GlobalMemory;

    #[test]
    fn a_spin_on_a_host_word_is_noticed() {
        let mut memory = Memory::new(1 << 20);
        let flag = memory.allocate(64, Kind::Host).unwrap();
        let trace = Trace::new(memory.view(), Alive::new());
        for offset in 0..64 {
            trace.at(flag + offset, 1);
        }
        assert!(!trace.waited_for_host());
        for _ in 0..=SPINS {
            trace.at(flag, 4);
        }
        assert!(trace.waited_for_host());
        trace.context.end();
        assert!(trace.at(flag, 4).is_none());
    }
}
