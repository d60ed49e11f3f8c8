//! What the tests of the interpreter share: buffers, parameters, launches.
#![allow(unsafe_code, reason = "device memory is addressed by number")]
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

use cuda_simulator::ptx::{Fault, GlobalMemory, Launch, Module, Work, run};
use std::cell::UnsafeCell;
use std::ptr::NonNull;

/// Buffers that a kernel may access; between two of them lies memory that it may not.
#[derive(Default)]
pub(crate) struct Buffers(Vec<Box<[UnsafeCell<u64>]>>, Vec<usize>);

impl GlobalMemory for Buffers {
    fn at(&self, address: u64, bytes: usize) -> Option<NonNull<u8>> {
        let inside = |(buffer, size): (&[UnsafeCell<u64>], &usize)| {
            let start = buffer.as_ptr() as u64;
            address >= start && address + bytes as u64 <= start + *size as u64
        };
        self.0
            .iter()
            .map(|buffer| &**buffer)
            .zip(&self.1)
            .any(inside)
            .then(|| NonNull::new(address as *mut u8))
            .flatten()
    }
}

/// A type that buffers and parameters hold.
pub(crate) trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for u16 {}
impl Plain for i32 {}
impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for f32 {}
impl Plain for f64 {}

impl Buffers {
    /// Allocates a copy of these values; its address.
    pub(crate) fn add<T: Plain>(&mut self, values: &[T]) -> u64 {
        let bytes = size_of_val(values);
        let words: Box<[UnsafeCell<u64>]> = (0..bytes.div_ceil(8) + 1).map(|_| UnsafeCell::new(0)).collect();
        // SAFETY: the words have room for the values and do not overlap them.
        unsafe {
            std::ptr::copy_nonoverlapping(values.as_ptr().cast::<u8>(), words.as_ptr() as *mut u8, bytes)
        };
        self.0.push(words);
        self.1.push(bytes);
        self.0.last().unwrap().as_ptr() as u64
    }

    pub(crate) fn zeros<T: Plain + Default>(&mut self, count: usize) -> u64 {
        self.add(&vec![T::default(); count])
    }

    /// What a buffer holds now.
    pub(crate) fn read<T: Plain>(&self, address: u64) -> Vec<T> {
        let index = self.0.iter().position(|buffer| buffer.as_ptr() as u64 == address).unwrap();
        let count = self.1[index] / size_of::<T>();
        // SAFETY: the buffer holds that many values, and no kernel runs.
        (0..count).map(|index| unsafe { *(address as *const T).add(index) }).collect()
    }
}

/// A parameter buffer, filled as the host fills it.
#[derive(Default)]
pub(crate) struct Parameters(pub(crate) Vec<u8>);

impl Parameters {
    pub(crate) fn with<T: Plain>(mut self, value: T) -> Parameters {
        self.0.resize(self.0.len().next_multiple_of(size_of::<T>()), 0);
        // SAFETY: a plain value has no padding.
        let bytes = unsafe { std::slice::from_raw_parts((&raw const value).cast::<u8>(), size_of::<T>()) };
        self.0.extend_from_slice(bytes);
        self
    }
}

pub(crate) fn parameters() -> Parameters {
    Parameters::default()
}

pub(crate) fn launch(
    text: &str,
    name: &str,
    memory: &Buffers,
    grid: [u32; 3],
    block: [u32; 3],
    parameters: &Parameters,
) -> Result<Work, Fault> {
    launch_with(text, name, memory, grid, block, parameters, 0)
}

pub(crate) fn launch_with(
    text: &str,
    name: &str,
    memory: &Buffers,
    grid: [u32; 3],
    block: [u32; 3],
    parameters: &Parameters,
    dynamic_shared_bytes: usize,
) -> Result<Work, Fault> {
    let module = Module::parse(text).unwrap();
    let kernel = &module.kernels[name];
    assert!(
        kernel.parameter_bytes <= parameters.0.len().next_multiple_of(8),
        "{name}: {:?}",
        kernel.parameters
    );
    run(
        Launch {
            dynamic_shared_bytes,
            max_instructions: 50_000_000,
            ..Launch::new(kernel, grid, block, &parameters.0)
        },
        memory,
    )
}

/// Numbers in [-1, 1) that are the same every time.
pub(crate) fn noise(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Sets a 32-bit flag while a kernel may read it.
pub(crate) fn set_flag(address: u64) {
    // SAFETY: the caller's buffer outlives the call, and the kernel reads the flag atomically.
    let flag = unsafe { std::sync::atomic::AtomicI32::from_ptr(address as *mut i32) };
    flag.store(1, std::sync::atomic::Ordering::Release);
}

/// The time now.
#[allow(clippy::disallowed_methods, reason = "the interpreter's speed is measured outside of any benchmark")]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}
