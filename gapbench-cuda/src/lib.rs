//! CUDA for [gapbench](https://docs.rs/gapbench): [`Kernel`] times kernels on a device.
//!
//! [`Cuda::find`] is the only way to a device. Where there is none, it says what it looked for, and the benchmark that asked
//! is skipped with that reason; `--require-device cuda` makes that a failure. A benchmark of plain code may ask too:
//!
//! ```
//! use gapbench::prelude::*;
//! use gapbench_cuda::{Cuda, Grid};
//!
//! const PTX: &str = "…";
//!
//! #[gap_bench]
//! fn scale(bench: &mut Bencher) -> Result<()> {
//!     let cuda = Cuda::find()?;
//!     let kernel = cuda.kernel(PTX, "scale")?;
//!     let mut values = cuda.random::<f32>(1 << 20, 1)?;
//!     let len = values.len();
//!     kernel.launch(cuda.stream(), Grid::cover(len, 256), (&mut values, 2.0_f32, len as u32))?;
//!     cuda.synchronize()?;
//!     Ok(())
//! }
//! # gapbench::main!();
//! ```
//!
//! Nothing links against CUDA: a bench binary builds and starts on a machine without it. Every wait has a deadline, and
//! every error says which function of the driver or which kernel failed, and what to do.
#![allow(unsafe_code, reason = "the driver and cuBLAS are C libraries, found at run time")]

mod absent;
mod args;
mod blas;
mod buffer;
mod check;
mod context;
mod cuda;
mod describe;
mod element;
mod error;
mod event;
mod facts;
mod find;
mod float8;
mod function;
mod graph;
mod image;
mod kernel;
mod libraries;
mod mapped;
mod memory;
mod memory_report;
mod module;
mod nvrtc;
mod outputs;
mod peaks;
mod pinned;
mod probe;
mod random;
mod staging;
mod status;
mod stream;
mod symbols;
mod timing;
mod worker;

pub use absent::{Absent, Reason};
pub use args::{Arg, Args, Pointer};
pub use blas::{Blas, Gemm, GemmInto};
pub use buffer::{Buffer, View};
pub use check::{Answer, Closeness, Finding, close};
pub use cuda::Cuda;
pub use cudarc;
pub use element::{Element, Random};
pub use error::{CudaError, Mismatch};
pub use event::Event;
pub use facts::Facts;
pub use float8::F8E4M3;
pub use function::{Function, Grid, Sizes};
pub use graph::Graph;
pub use kernel::Kernel;
pub use memory::Memory;
pub use module::Code;
pub use pinned::Pinned;
pub use probe::{Probe, Reading};
pub use staging::Staging;
pub use status::Status;
pub use stream::Stream;
pub use worker::Worker;
