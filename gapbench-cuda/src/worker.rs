//! What a thread of its own needs.

use std::cell::OnceCell;

use crate::blas::Blas;
use crate::cuda::Cuda;
use crate::error::CudaError;
use crate::stream::Stream;

/// A stream and a cuBLAS handle for one thread.
#[derive(Debug)]
pub struct Worker {
    cuda: Cuda,
    stream: Stream,
    blas: OnceCell<Blas>,
}

impl Worker {
    pub(crate) fn new(cuda: Cuda, stream: Stream) -> Worker {
        Worker { cuda, stream, blas: OnceCell::new() }
    }

    /// The device.
    pub fn cuda(&self) -> &Cuda {
        &self.cuda
    }

    /// The worker's stream.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// cuBLAS on the worker's stream: one handle, made when it is first asked for.
    ///
    /// # Errors
    /// [`CudaError::Library`], which says where cuBLAS was looked for.
    pub fn blas(&self) -> Result<Blas, CudaError> {
        if let Some(blas) = self.blas.get() {
            return Ok(blas.clone());
        }
        let blas = Blas::new(&self.stream)?;
        Ok(self.blas.get_or_init(|| blas).clone())
    }
}
