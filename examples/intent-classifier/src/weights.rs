//! Named, shape-checked tensors out of a safetensors file.

use std::{collections::BTreeSet, path::Path};

use half::f16;
use safetensors::{Dtype, SafeTensors};

use crate::{LoadError, model::Linear, model::Norm};

/// The tensors of one file, and which of them have been taken.
pub(crate) struct Weights<'a> {
    path: &'a Path,
    file: SafeTensors<'a>,
    taken: BTreeSet<String>,
}

impl<'a> Weights<'a> {
    /// Reads the header of `bytes`, the contents of the file at `path`.
    pub(crate) fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self, LoadError> {
        let file = SafeTensors::deserialize(bytes).map_err(|source| LoadError::Weights {
            path: path.into(),
            bytes: bytes.len(),
            source,
        })?;
        Ok(Self { path, file, taken: BTreeSet::new() })
    }

    /// The numbers of one tensor, row by row, as f32. `expected` is its shape.
    pub(crate) fn tensor(&mut self, name: &str, expected: &[usize]) -> Result<Vec<f32>, LoadError> {
        let path = || self.path.to_path_buf();
        let tensor = || name.to_owned();
        let Ok(view) = self.file.tensor(name) else {
            return Err(LoadError::MissingTensor {
                path: path(),
                tensor: tensor(),
                expected: expected.into(),
            });
        };
        if view.shape() != expected {
            let found = view.shape().into();
            return Err(LoadError::Shape {
                path: path(),
                tensor: tensor(),
                expected: expected.into(),
                found,
            });
        }
        let numbers: Vec<f32> = match view.dtype() {
            Dtype::F16 => view.data().as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::F32 => view.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            found => return Err(LoadError::NumberFormat { path: path(), tensor: tensor(), found }),
        };
        if let Some((position, value)) = numbers.iter().enumerate().find(|(_, number)| !number.is_finite()) {
            return Err(LoadError::NotFinite { path: path(), tensor: tensor(), position, value: *value });
        }
        self.taken.insert(tensor());
        Ok(numbers)
    }

    /// The gain and bias of a layer norm over `width` numbers.
    pub(crate) fn norm(&mut self, name: &str, width: usize, epsilon: f32) -> Result<Norm, LoadError> {
        let gain = self.tensor(&format!("{name}.weight"), &[width])?;
        let bias = self.tensor(&format!("{name}.bias"), &[width])?;
        Ok(Norm { gain, bias, epsilon })
    }

    /// A linear map. The file holds the weight as PyTorch does, `[outputs, inputs]`; it is turned here, once,
    /// to `[inputs, outputs]`, so that the product reads both matrices along their rows.
    pub(crate) fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, LoadError> {
        let stored = self.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = self.tensor(&format!("{name}.bias"), &[outputs])?;
        let weight =
            (0..inputs).flat_map(|input| stored.iter().skip(input).step_by(inputs).copied()).collect();
        Ok(Linear { weight, bias })
    }

    /// Checks that nothing in the file was left unused: a model with a layer more than its configuration
    /// says would run, and be wrong.
    pub(crate) fn finish(self) -> Result<(), LoadError> {
        match self.file.iter().find(|(name, _)| !self.taken.contains(*name)) {
            None => Ok(()),
            Some((name, view)) => Err(LoadError::UnknownTensor {
                path: self.path.into(),
                tensor: name.to_owned(),
                found: view.shape().into(),
            }),
        }
    }
}
