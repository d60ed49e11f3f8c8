//! The arguments of a launch.

use crate::buffer::{Buffer, View};
use crate::error::Mismatch;
use crate::stream::Stream;
use crate::symbols::Address;

/// The most arguments of a launch.
const MOST: usize = 12;

/// Values in the order of the parameters, each in eight bytes of its own.
#[derive(Debug)]
pub struct Packed<'a> {
    stream: &'a Stream,
    slots: [u64; MOST],
    sizes: [u8; MOST],
    count: usize,
}

impl<'a> Packed<'a> {
    pub(crate) fn new(stream: &'a Stream) -> Packed<'a> {
        Packed { stream, slots: [0; MOST], sizes: [0; MOST], count: 0 }
    }

    /// A tuple has at most as many elements as there are slots.
    fn push(&mut self, bits: u64, size: usize) {
        if let (Some(slot), Some(place)) = (self.slots.get_mut(self.count), self.sizes.get_mut(self.count)) {
            // A device's host is little-endian: the low bytes are the value.
            *slot = bits;
            *place = size as u8;
            self.count += 1;
        }
    }

    pub(crate) fn slots(&mut self) -> &mut [u64; MOST] {
        &mut self.slots
    }

    /// Compares with what the kernel takes.
    pub(crate) fn check(&self, parameters: &[usize]) -> Result<(), Mismatch> {
        if parameters.len() != self.count {
            return Err(Mismatch::Count { expected: parameters.len(), given: self.count });
        }
        let pairs = parameters.iter().zip(self.sizes).enumerate();
        for (index, (&expected, given)) in pairs {
            let given = usize::from(given);
            if expected != given {
                return Err(Mismatch::Size { index, expected, given });
            }
        }
        Ok(())
    }
}

/// One argument: a buffer, a view, a number or an address.
pub trait Arg {
    /// Adds itself.
    #[doc(hidden)]
    fn pack(self, packed: &mut Packed<'_>);
}

impl<T> Arg for &Buffer<T> {
    fn pack(self, packed: &mut Packed<'_>) {
        self.used_on(packed.stream);
        packed.push(self.ptr(), 8);
    }
}

impl<T> Arg for &mut Buffer<T> {
    fn pack(self, packed: &mut Packed<'_>) {
        (&*self).pack(packed);
    }
}

impl<T> Arg for &View<T> {
    fn pack(self, packed: &mut Packed<'_>) {
        self.used_on(packed.stream);
        packed.push(self.ptr(), 8);
    }
}

impl<T> Arg for View<T> {
    fn pack(self, packed: &mut Packed<'_>) {
        (&self).pack(packed);
    }
}

/// An address of the device, or of host memory that the device can reach. What it belongs to must outlive the launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer(pub Address);

impl Arg for Pointer {
    fn pack(self, packed: &mut Packed<'_>) {
        packed.push(self.0, 8);
    }
}

/// As one byte, the `bool` of C++.
impl Arg for bool {
    fn pack(self, packed: &mut Packed<'_>) {
        packed.push(u64::from(self), 1);
    }
}

/// As the `size_t` of a 64-bit device.
impl Arg for usize {
    fn pack(self, packed: &mut Packed<'_>) {
        packed.push(self as u64, 8);
    }
}

macro_rules! numbers {
    ($($type:ident as $bits:ident by $convert:expr;)*) => {
        $(impl Arg for $type {
            fn pack(self, packed: &mut Packed<'_>) {
                let bits: $bits = ($convert)(self);
                packed.push(u64::from(bits), size_of::<$type>());
            }
        })*
    };
}

numbers! {
    u8 as u8 by |value| value;
    u16 as u16 by |value| value;
    u32 as u32 by |value| value;
    u64 as u64 by |value| value;
    i8 as u8 by |value: i8| value.cast_unsigned();
    i16 as u16 by |value: i16| value.cast_unsigned();
    i32 as u32 by |value: i32| value.cast_unsigned();
    i64 as u64 by |value: i64| value.cast_unsigned();
    f32 as u32 by f32::to_bits;
    f64 as u64 by f64::to_bits;
}

/// The arguments of a launch: a tuple of up to 12, in the order of the kernel's parameters.
pub trait Args {
    /// Adds all.
    #[doc(hidden)]
    fn pack(self, packed: &mut Packed<'_>);
}

impl Args for () {
    fn pack(self, _packed: &mut Packed<'_>) {}
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {
        $(impl<$($name: Arg),*> Args for ($($name,)*) {
            #[allow(non_snake_case, reason = "a value is called after its type")]
            fn pack(self, packed: &mut Packed<'_>) {
                let ($($name,)*) = self;
                $($name.pack(packed);)*
            }
        })*
    };
}

tuples! {
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E F)
    (A B C D E F G)
    (A B C D E F G H)
    (A B C D E F G H I)
    (A B C D E F G H I J)
    (A B C D E F G H I J K)
    (A B C D E F G H I J K L)
}
