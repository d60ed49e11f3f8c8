//! The engine on an NVIDIA GPU.

pub mod kernels;
mod launch;
pub mod ptx;
