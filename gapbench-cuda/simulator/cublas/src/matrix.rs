//! Elements and matrices as cuBLAS describes them: column by column, the columns some distance apart.

use half::{bf16, f16};

use crate::api::Status;

/// The type of an element, by the numbers of `cudaDataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F16,
    Bf16,
    F32,
    F64,
}

impl Element {
    pub(crate) fn from_number(number: u32) -> Result<Element, Status> {
        match number {
            0 => Ok(Element::F32),
            1 => Ok(Element::F64),
            2 => Ok(Element::F16),
            14 => Ok(Element::Bf16),
            _ => Err(Status::NotSupported),
        }
    }

    pub(crate) fn bytes(self) -> u64 {
        match self {
            Element::F16 | Element::Bf16 => 2,
            Element::F32 => 4,
            Element::F64 => 8,
        }
    }

    /// Reads an element; every type fits an `f64`.
    ///
    /// # Safety
    /// There is one at this address.
    pub(crate) unsafe fn read(self, address: u64) -> f64 {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Element::F16 => (address as *const f16).read_unaligned().to_f64(),
                Element::Bf16 => (address as *const bf16).read_unaligned().to_f64(),
                Element::F32 => f64::from((address as *const f32).read_unaligned()),
                Element::F64 => (address as *const f64).read_unaligned(),
            }
        }
    }

    /// Writes a value, rounded to this type.
    ///
    /// # Safety
    /// There is room for one at this address.
    pub(crate) unsafe fn write(self, address: u64, value: f64) {
        // SAFETY: the caller's promise. A value of an `f32` computation goes through `f32`, so it is rounded once.
        unsafe {
            match self {
                Element::F16 => (address as *mut f16).write_unaligned(f16::from_f64(value)),
                Element::Bf16 => (address as *mut bf16).write_unaligned(bf16::from_f64(value)),
                Element::F32 => (address as *mut f32).write_unaligned(value as f32),
                Element::F64 => (address as *mut f64).write_unaligned(value),
            }
        }
    }
}

/// A matrix in device memory, as it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix {
    pub(crate) address: u64,
    pub(crate) element: Element,
    pub(crate) rows: u64,
    pub(crate) columns: u64,
    /// From the start of one column to that of the next, in elements.
    pub(crate) leading: u64,
    /// From one matrix of a batch to the next, in elements.
    pub(crate) stride: i64,
}

impl Matrix {
    /// Bytes from the first element to the end of the last.
    pub(crate) fn extent(&self) -> u64 {
        if self.rows == 0 || self.columns == 0 {
            return 0;
        }
        ((self.columns - 1) * self.leading + self.rows) * self.element.bytes()
    }

    /// Where the matrix of a batch begins.
    pub(crate) fn in_batch(&self, index: u64) -> Matrix {
        let bytes = self.stride * index as i64 * self.element.bytes() as i64;
        Matrix { address: self.address.wrapping_add_signed(bytes), ..*self }
    }

    pub(crate) fn at(&self, row: u64, column: u64) -> u64 {
        self.address + (column * self.leading + row) * self.element.bytes()
    }
}
