//! Device memory: real mappings, exact figures, and a check of every address.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::code::{Code, Outcome};
use super::pool::Pool;
use super::trace::{Range, View};

/// What the context itself takes of the device.
pub(crate) const CONTEXT_BYTES: u64 = 520 << 20;
/// `cuMemAlloc` takes memory from the device in pages of this size.
const PAGE_BYTES: u64 = 2 << 20;
/// Larger allocations stay untouched, so that 100 GiB cost nothing until they are used.
const POISONED_BYTES: u64 = 64 << 20;
/// A NaN in every floating-point format, so that a kernel which reads memory it did not write shows it.
const POISON: u8 = 0xff;
/// Smaller fills are written byte by byte.
const LARGE_FILL_BYTES: u64 = 1 << 20;

/// Where an allocation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The device's memory pool, in stream order.
    Pool,
    /// The device, at once.
    Plain,
    /// Pinned host memory, which the device addresses as the host does.
    Host,
    /// Host memory that the program allocated itself.
    Registered,
    /// A variable of a module, whose memory belongs to the module.
    Variable,
}

/// Pages of this process that stand for device memory, or the program's own (`mapped` is 0).
#[derive(Debug)]
pub(super) struct Mapping {
    address: u64,
    mapped: usize,
}

impl Mapping {
    fn new(bytes: u64) -> Outcome<Mapping> {
        let mapped = usize::try_from(bytes.max(1)).map_err(|_| Code::OUT_OF_MEMORY)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping touches no memory of the program.
        let pages = unsafe { libc::mmap(std::ptr::null_mut(), mapped, protection, flags, -1, 0) };
        if pages == libc::MAP_FAILED {
            return Err(Code::OUT_OF_MEMORY);
        }
        Ok(Mapping { address: pages as u64, mapped })
    }

    fn poison(&self, bytes: u64) {
        if bytes <= POISONED_BYTES {
            // SAFETY: the mapping is at least `bytes` long and nobody else knows its address yet.
            unsafe { std::ptr::write_bytes(self.address as *mut u8, POISON, bytes as usize) };
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.mapped > 0 {
            // SAFETY: the pages are this mapping's own; a launch that may touch them holds it.
            unsafe { libc::munmap(self.address as *mut libc::c_void, self.mapped) };
        }
    }
}

#[derive(Debug)]
struct Allocation {
    mapping: Arc<Mapping>,
    bytes: u64,
    /// What the device accounts for it.
    charged: u64,
    kind: Kind,
    /// Freed by the host, and to be unmapped when its stream reaches the free.
    freed: bool,
}

/// All allocations, and the figures that a program can ask for.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) capacity: u64,
    pub(crate) pool: Pool,
    context: u64,
    plain: u64,
    allocations: BTreeMap<u64, Allocation>,
    /// Built at a launch, kept until an allocation comes or goes.
    view: Option<Arc<View>>,
}

impl Memory {
    pub(crate) fn new(capacity: u64) -> Memory {
        let (pool, allocations) = (Pool::default(), BTreeMap::new());
        Memory { capacity, pool, context: 0, plain: 0, allocations, view: None }
    }

    /// Accounts for a context, or for its end; a context's end frees everything but the program's own memory.
    pub(crate) fn set_context(&mut self, active: bool) {
        *self = Memory::new(self.capacity);
        self.context = if active { CONTEXT_BYTES } else { 0 };
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        self.capacity.saturating_sub(self.context + self.plain + self.pool.reserved)
    }

    /// Allocates device memory, or pinned host memory.
    pub(crate) fn allocate(&mut self, bytes: u64, kind: Kind) -> Outcome<u64> {
        let used = self.context + self.plain;
        let available = self.capacity.saturating_sub(used + self.pool.used);
        let charged = match kind {
            Kind::Pool => Pool::charge(bytes),
            Kind::Plain => bytes.checked_next_multiple_of(PAGE_BYTES),
            Kind::Host | Kind::Registered | Kind::Variable => Some(0),
        };
        let charged = charged.filter(|&charged| charged <= available).ok_or(Code::OUT_OF_MEMORY)?;
        let mapping = Mapping::new(bytes)?;
        mapping.poison(bytes);
        match kind {
            Kind::Pool => self.pool.take(charged, self.capacity.saturating_sub(used)),
            Kind::Plain => {
                self.plain += charged;
                // What the pool keeps for later gives way.
                self.pool.limit(self.capacity.saturating_sub(self.context + self.plain));
            }
            Kind::Host | Kind::Registered | Kind::Variable => {}
        }
        let address = mapping.address;
        self.insert(Allocation { mapping: Arc::new(mapping), bytes, charged, kind, freed: false });
        Ok(address)
    }

    /// Makes a range known that this driver did not allocate: the program's own memory, or a module's variable.
    pub(crate) fn register(&mut self, address: u64, bytes: u64, kind: Kind) -> Outcome {
        if self.find(address, 1).is_some() {
            return Err(Code::HOST_MEMORY_ALREADY_REGISTERED);
        }
        let mapping = Arc::new(Mapping { address, mapped: 0 });
        self.insert(Allocation { mapping, bytes, charged: 0, kind, freed: false });
        Ok(())
    }

    fn insert(&mut self, allocation: Allocation) {
        self.allocations.insert(allocation.mapping.address, allocation);
        self.view = None;
    }

    /// Accounts for a free; the address stays valid until [`Memory::unmap`], which its stream reaches later.
    pub(crate) fn free(&mut self, address: u64) -> Outcome {
        let allocation = self.allocations.get_mut(&address).ok_or(Code::INVALID_VALUE)?;
        match allocation.kind {
            _ if allocation.freed => return Err(Code::INVALID_VALUE),
            Kind::Pool => self.pool.give_back(allocation.charged),
            Kind::Plain => self.plain -= allocation.charged,
            Kind::Host | Kind::Registered | Kind::Variable => return Err(Code::INVALID_VALUE),
        }
        allocation.freed = true;
        Ok(())
    }

    /// Forgets an allocation: from now on its addresses are illegal.
    pub(crate) fn unmap(&mut self, address: u64) {
        self.allocations.remove(&address);
        self.view = None;
    }

    /// Forgets pinned or registered host memory.
    pub(crate) fn unmap_host(&mut self, address: u64, kind: Kind) -> Outcome {
        if self.allocations.get(&address).is_none_or(|allocation| allocation.kind != kind) {
            return Err(match kind {
                Kind::Registered => Code::HOST_MEMORY_NOT_REGISTERED,
                _ => Code::INVALID_VALUE,
            });
        }
        self.unmap(address);
        Ok(())
    }

    /// The allocation in which all of a range lies.
    fn find(&self, address: u64, bytes: u64) -> Option<&Allocation> {
        let (&start, allocation) = self.allocations.range(..=address).next_back()?;
        let end = address.checked_add(bytes)?;
        (end <= start + allocation.bytes).then_some(allocation)
    }

    /// The start and the size of the allocation in which all of a range lies.
    pub(crate) fn covering(&self, address: u64, bytes: u64) -> Option<(u64, u64)> {
        self.find(address, bytes).map(|allocation| (allocation.mapping.address, allocation.bytes))
    }

    /// Whether a range is host memory that the device can read by itself.
    pub(crate) fn is_pinned(&self, address: u64, bytes: u64) -> bool {
        self.find(address, bytes).is_some_and(|found| matches!(found.kind, Kind::Host | Kind::Registered))
    }

    /// Makes the whole pages of a large range zero by giving them back to the system, which costs no memory; a test
    /// that flushes the cache with 120 MB of zeros a thousand times depends on it. Answers which part that was.
    pub(crate) fn empty(&self, address: u64, bytes: u64) -> std::ops::Range<usize> {
        const HOST_PAGE: u64 = 4096;
        let (start, end) = (address.next_multiple_of(HOST_PAGE), (address + bytes) / HOST_PAGE * HOST_PAGE);
        let own = self
            .find(address, bytes)
            .is_some_and(|found| !matches!(found.kind, Kind::Registered | Kind::Variable));
        if !own || bytes < LARGE_FILL_BYTES || start >= end {
            return 0..0;
        }
        let length = (end - start) as usize;
        // SAFETY: the pages belong to one anonymous private mapping of this driver and become zero.
        match unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) } {
            0 => (start - address) as usize..(end - address) as usize,
            _ => 0..0,
        }
    }

    /// The allocations as they are now; whoever holds it keeps their pages mapped.
    pub(crate) fn view(&mut self) -> Arc<View> {
        let allocations = &self.allocations;
        let build = || {
            let range = |(&start, allocation): (&u64, &Allocation)| Range {
                start,
                end: start + allocation.bytes,
                host: matches!(allocation.kind, Kind::Host | Kind::Registered),
                pages: Arc::clone(&allocation.mapping),
            };
            Arc::new(View::new(allocations.iter().map(range).collect()))
        };
        Arc::clone(self.view.get_or_insert_with(build))
    }
}

#[cfg(test)]
mod tests {
    use super::{CONTEXT_BYTES, Kind, Memory};
    use crate::driver::code::Code;
    use crate::driver::trace::{Alive, Trace};
    use crate::ptx::GlobalMemory;

    fn memory(capacity: u64) -> Memory {
        let mut memory = Memory::new(CONTEXT_BYTES + capacity);
        memory.set_context(true);
        memory
    }

    #[test]
    fn an_allocation_ends_at_its_last_byte_and_with_its_free() {
        let mut memory = memory(1 << 20);
        let address = memory.allocate(1000, Kind::Pool).unwrap();
        let trace = Trace::new(memory.view(), Alive::new());
        assert!(trace.at(address + 996, 4).is_some());
        assert!(trace.at(address + 997, 4).is_none());
        assert!(trace.at(address - 1, 1).is_none());
        assert_eq!(trace.touched(), [(address, 1000)]);
        memory.free(address).unwrap();
        assert_eq!(memory.free(address), Err(Code::INVALID_VALUE));
        memory.unmap(address);
        assert!(Trace::new(memory.view(), Alive::new()).at(address, 4).is_none());
        // The launch that began before keeps its pages.
        let byte = trace.at(address, 1).unwrap();
        // SAFETY: the trace holds the pages.
        assert_eq!(unsafe { byte.read() }, 0xff);
    }

    #[test]
    fn memory_is_out_at_the_last_byte() {
        let mut memory = memory(1 << 30);
        let first = memory.allocate(1 << 29, Kind::Pool).unwrap();
        memory.allocate((1 << 29) - 512, Kind::Pool).unwrap();
        assert_eq!((memory.pool.used, memory.free_bytes()), ((1 << 30) - 512, 0));
        assert_eq!(memory.allocate(513, Kind::Pool), Err(Code::OUT_OF_MEMORY));
        memory.allocate(512, Kind::Pool).unwrap();
        memory.free(first).unwrap();
        assert_eq!((memory.pool.used, memory.pool.used_high), (1 << 29, 1 << 30));
        memory.allocate(1 << 29, Kind::Plain).unwrap();
        assert_eq!(memory.allocate(1, Kind::Plain), Err(Code::OUT_OF_MEMORY));
    }
}
