//! The device's memory.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::context::call;
use crate::element::Element;
use crate::error::CudaError;
use crate::event::Event;
use crate::status::Status;
use crate::stream::Stream;
use crate::symbols::Address;

/// What fresh memory is filled with: NaN in every floating-point type.
pub(crate) const POISON: u8 = 0xff;

/// Memory of the device's pool, given back in the order of the stream that it was taken in, and after all work of other
/// streams that took it as an argument.
#[derive(Debug)]
struct Allocation {
    /// 0 where nothing was asked for.
    address: Address,
    id: u64,
    home: Stream,
    /// Streams other than `home` that used it.
    others: Mutex<Vec<Stream>>,
}

impl Allocation {
    fn others(&self) -> std::sync::MutexGuard<'_, Vec<Stream>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn used_on(&self, stream: &Stream) {
        if !stream.is(&self.home) {
            let mut others = self.others();
            if !others.iter().any(|other| other.is(stream)) {
                others.push(stream.clone());
            }
        }
    }

    /// Makes the home stream wait for what the others have to do.
    fn join(&self) -> Result<(), CudaError> {
        for other in self.others().iter() {
            let event: Event = other.record()?;
            self.home.wait(&event)?;
        }
        Ok(())
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        let core = self.home.core();
        if self.address == 0 || core.bind().is_err() || self.join().is_err() {
            return;
        }
        // SAFETY: the address is of an allocation that nobody else has, and the stream orders the call after its uses.
        // A refusal means that the context is lost, and the memory with it.
        let _ = unsafe { call!(core, "cuMemFreeAsync", free(self.address, self.home.handle())) };
    }
}

/// Values in the device's memory. Dropped in any thread, it is given back after the work that uses it.
#[derive(Debug)]
pub struct Buffer<T> {
    allocation: Arc<Allocation>,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Element> Buffer<T> {
    pub(crate) fn allocate(stream: &Stream, len: usize) -> Result<Buffer<T>, CudaError> {
        let core = stream.core();
        let bytes = len.checked_mul(size_of::<T>()).ok_or_else(|| CudaError::Length {
            what: format!("{len} values of {} do not fit into an address space", T::NAME),
        })?;
        core.bind()?;
        let mut address = 0;
        if bytes > 0 {
            // SAFETY: the pointer is to an address, and the stream lives.
            let status = unsafe { (core.symbols.allocate)(&mut address, bytes, stream.handle()) };
            if Status(status) == Status::OUT_OF_MEMORY {
                return Err(core.out_of_memory("cuMemAllocAsync", Some(bytes as u64)));
            }
            core.check("cuMemAllocAsync", status)?;
        }
        let id = core.next_allocation();
        let allocation = Allocation { address, id, home: stream.clone(), others: Mutex::default() };
        Ok(Buffer { allocation: Arc::new(allocation), len, element: PhantomData })
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> usize {
        self.len * size_of::<T>()
    }

    /// Part of it, by elements, which keeps the whole alive.
    ///
    /// # Errors
    /// [`CudaError::Length`] if the range is not within the buffer.
    pub fn view(&self, range: Range<usize>) -> Result<View<T>, CudaError> {
        if range.start > range.end || range.end > self.len {
            let what = format!("{range:?} is not within its {} elements", self.len);
            return Err(CudaError::Length { what });
        }
        Ok(View {
            allocation: Arc::clone(&self.allocation),
            ptr: self.ptr() + (range.start * size_of::<T>()) as u64,
            len: range.len(),
            element: PhantomData,
        })
    }
}

impl<T> Buffer<T> {
    /// All of it, which keeps it alive.
    pub fn whole(&self) -> View<T> {
        View {
            ptr: self.ptr(),
            allocation: Arc::clone(&self.allocation),
            len: self.len,
            element: PhantomData,
        }
    }

    /// All of it as bytes, which keeps it alive.
    pub(crate) fn region(&self) -> View<u8> {
        let (allocation, len) = (Arc::clone(&self.allocation), self.len * size_of::<T>());
        View { ptr: self.ptr(), allocation, len, element: PhantomData }
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// It has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The device's address of the first element; 0 for a buffer without elements.
    pub fn ptr(&self) -> Address {
        self.allocation.address
    }

    /// The number of the allocation: no two of a process have the same, even if they follow each other at one address.
    pub fn id(&self) -> u64 {
        self.allocation.id
    }

    /// Says that work of the stream uses the buffer: a launch that takes it as an argument says so by itself.
    pub fn used_on(&self, stream: &Stream) {
        self.allocation.used_on(stream);
    }

    /// Waits for all streams that used it.
    pub(crate) fn synchronize(&self) -> Result<(), CudaError> {
        self.allocation.home.synchronize()?;
        let others = self.allocation.others().clone();
        others.iter().try_for_each(Stream::synchronize)
    }
}

/// Part of a [`Buffer`], as an argument of a kernel.
#[derive(Clone, Debug)]
pub struct View<T> {
    allocation: Arc<Allocation>,
    ptr: Address,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Element> View<T> {
    /// The same bytes as numbers of another type.
    ///
    /// # Errors
    /// [`CudaError::Length`] if the bytes are no whole number of them, or begin where none can.
    pub fn cast<U: Element>(&self) -> Result<View<U>, CudaError> {
        let (bytes, size) = (self.len * size_of::<T>(), size_of::<U>());
        if !bytes.is_multiple_of(size) || !self.ptr.is_multiple_of(size as u64) {
            let what =
                format!("{bytes} bytes at {:#x} are no whole and aligned numbers of {}", self.ptr, U::NAME);
            return Err(CudaError::Length { what });
        }
        let allocation = Arc::clone(&self.allocation);
        Ok(View { allocation, ptr: self.ptr, len: bytes / size, element: PhantomData })
    }

    /// Whether both have a byte in common.
    pub(crate) fn overlaps<U: Element>(&self, other: &View<U>) -> bool {
        let end = |ptr: Address, bytes: usize| ptr + bytes as u64;
        let (mine, theirs) = (self.len * size_of::<T>(), other.len * size_of::<U>());
        mine > 0 && theirs > 0 && self.ptr < end(other.ptr, theirs) && other.ptr < end(self.ptr, mine)
    }
}

impl<T> View<T> {
    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// It has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The device's address of the first element.
    pub fn ptr(&self) -> Address {
        self.ptr
    }

    /// The number of the whole buffer's allocation.
    pub fn id(&self) -> u64 {
        self.allocation.id
    }

    /// As [`Buffer::used_on`].
    pub fn used_on(&self, stream: &Stream) {
        self.allocation.used_on(stream);
    }
}
