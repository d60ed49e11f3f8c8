//! An NVML without a GPU, for tests: the state of the simulated driver's device.
#![allow(unsafe_code, reason = "the interface is C: every entry point receives pointers")]

mod api;
mod report;
