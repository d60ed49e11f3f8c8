//! CUDA C++ to an image, by NVRTC.

use crate::error::CudaError;
use crate::facts::Facts;
use crate::module::Image;

/// What NVRTC made.
pub(crate) struct Compiled {
    image: Vec<u8>,
}

impl Compiled {
    pub(crate) fn image(&self) -> Image<'_> {
        Image::Binary(&self.image)
    }
}

/// Compiles for the device's architecture.
pub(crate) fn compile(
    _facts: &Facts,
    _name: &str,
    _text: &str,
    _options: &[&str],
) -> Result<Compiled, CudaError> {
    Err(CudaError::Library { name: "NVRTC", searched: String::new(), what: "not supported yet".to_owned() })
}
