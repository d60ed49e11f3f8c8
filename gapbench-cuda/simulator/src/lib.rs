//! A CUDA driver without a GPU, for tests.
#![allow(
    unsafe_code,
    reason = "a driver's interface is C: every entry point receives pointers, and device memory is addressed by number"
)]
#![allow(
    clippy::indexing_slicing,
    reason = "a test tool; every entry point catches a panic and answers an error code"
)]

pub mod ptx;
