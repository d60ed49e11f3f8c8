//! A CUDA driver without a GPU, for tests.
//!
//! Built as `libcuda.so.1` it stands where a program looks for the driver; built as a Rust library it says where that
//! file and its companions are, see [`install()`].
#![allow(
    unsafe_code,
    reason = "a driver's interface is C: every entry point receives pointers, and device memory is addressed by number"
)]
#![allow(
    clippy::indexing_slicing,
    reason = "a test tool; every entry point catches a panic and answers an error code"
)]
#![allow(
    clippy::print_stderr,
    reason = "an error code says too little; the sentence to it goes where a test shows it"
)]

mod api;
mod driver;
mod install;
pub mod ptx;

pub use install::install;
