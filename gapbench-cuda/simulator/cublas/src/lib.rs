//! A cuBLAS without a GPU, for tests: matrix products on the memory of the simulated driver.
#![allow(
    unsafe_code,
    reason = "the interface is C: every entry point receives pointers, and device memory is addressed by number"
)]
#![allow(clippy::indexing_slicing, reason = "a test tool; a panic in a product becomes an error code")]
#![allow(
    clippy::print_stderr,
    reason = "an error code says too little; the sentence to it goes where a test shows it"
)]

mod api;
mod driver;
mod handle;
mod matrix;
mod product;
