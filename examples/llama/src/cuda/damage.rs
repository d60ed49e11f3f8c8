//! Weights that are infinite or not a number, found on the device as they arrive. Knows nothing of how they get there.

use std::collections::HashMap;

use gapbench_cuda::{Buffer, Cuda, Function, Pointer, Stream};

use super::kernels::{Element, cast_grid, finite};
use crate::{Dtype, Error, Weights};

/// One word for each tensor, which a kernel sets where it finds something.
pub(super) struct Damage {
    words: Buffer<u32>,
    /// The tensors so far: which, and what they are on the device.
    tensors: Vec<(String, Element)>,
    kernels: HashMap<Element, Function>,
}

impl Damage {
    /// For at most as many tensors.
    pub(super) fn new(cuda: &Cuda, tensors: usize) -> Result<Self, Error> {
        Ok(Self {
            words: cuda.zeros(tensors)?,
            tensors: Vec::with_capacity(tensors),
            kernels: HashMap::new(),
        })
    }

    /// The next checks are of this tensor, which is of these elements on the device.
    pub(super) fn begin(&mut self, name: &str, element: Element) {
        self.tensors.push((name.into(), element));
    }

    /// Adds a check of `count` elements to the stream's work.
    pub(super) fn check(&mut self, cuda: &Cuda, stream: &Stream, at: u64, count: usize) -> Result<(), Error> {
        let Some((_, element)) = self.tensors.last() else { return Ok(()) };
        let kernel = match self.kernels.get(element) {
            Some(kernel) => kernel,
            None => self.kernels.entry(*element).or_insert(finite(cuda, *element)?),
        };
        let number = self.tensors.len() - 1;
        let word = self.words.view(number..number + 1)?;
        Ok(kernel.launch(stream, cast_grid(count), (Pointer(at), &word, count as u64))?)
    }

    /// What was found in the first tensor that has something. All streams are done.
    pub(super) fn finish(&self, cuda: &Cuda, weights: &Weights) -> Result<(), Error> {
        let words = cuda.download(&self.words)?;
        let Some(((name, element), _)) = self.tensors.iter().zip(words).find(|(_, word)| *word != 0) else {
            return Ok(());
        };
        // The file says which number it is, as for the engine on the CPU.
        weights.check_numbers(name, Dtype::from(*element))?;
        Err(Error::Device(format!(
            "tensor `{name}` arrived damaged on the device, and its file is whole; load it again"
        )))
    }
}
