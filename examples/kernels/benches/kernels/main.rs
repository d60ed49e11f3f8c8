//! The kernels on a CUDA device. Where there is none, each says so in one line and is skipped.

mod cuda;

gapbench::main!();
