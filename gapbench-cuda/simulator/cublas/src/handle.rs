//! Handles and what a program has set for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::api::Status;

/// What belongs to a handle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Handle {
    pub(crate) stream: u64,
    /// `CUBLAS_POINTER_MODE_DEVICE` is 1: alpha and beta lie on the device.
    pub(crate) pointer_mode: u32,
    pub(crate) math_mode: u32,
}

#[derive(Default)]
struct Handles {
    last: u64,
    live: HashMap<u64, Handle>,
}

fn handles() -> MutexGuard<'static, Handles> {
    static HANDLES: OnceLock<Mutex<Handles>> = OnceLock::new();
    HANDLES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn create() -> u64 {
    let mut handles = handles();
    handles.last += 16;
    let handle = handles.last;
    handles.live.insert(handle, Handle::default());
    handle
}

pub(crate) fn destroy(handle: u64) -> Result<(), Status> {
    handles().live.remove(&handle).map(|_| ()).ok_or(Status::NotInitialized)
}

pub(crate) fn get(handle: u64) -> Result<Handle, Status> {
    handles().live.get(&handle).copied().ok_or(Status::NotInitialized)
}

pub(crate) fn set(handle: u64, change: impl FnOnce(&mut Handle)) -> Result<(), Status> {
    handles().live.get_mut(&handle).map(change).ok_or(Status::NotInitialized)
}
