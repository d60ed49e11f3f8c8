//! Launches.

use std::ffi::{c_uint, c_void};
use std::sync::Arc;

use super::api;
use crate::driver::Driver;
use crate::driver::code::{Code, Outcome};
use crate::driver::launch::{KernelLaunch, Shape, gather, packed};
use crate::driver::stream::Operation;

/// Parameters, either as pointers to values or as one buffer.
type Parameters = (*const *const c_void, *const *const c_void);

/// # Safety
/// The parameters are as [`gather`] or [`packed`] ask for.
unsafe fn launch(
    driver: &'static Driver,
    handle: u64,
    shape: &Shape,
    stream: u64,
    parameters: Parameters,
) -> Outcome {
    let function = {
        let mut state = driver.lock();
        state.stream(stream)?;
        let function = state.functions.get(&handle).cloned().ok_or(Code::INVALID_HANDLE)?;
        if let Some(failing) = state.script.failing_kernel(&function.name, false) {
            return Err(Code(failing.code));
        }
        function
    };
    shape.check(&function)?;
    let kernel = function.kernel()?;
    let parameters = match parameters {
        // SAFETY: the caller's promise.
        (values, extra) if extra.is_null() => unsafe { gather(kernel, values) }?,
        // SAFETY: the caller's promise.
        (values, extra) if values.is_null() => unsafe { packed(kernel, extra) }?,
        _ => return Err(Code::INVALID_VALUE),
    };
    let Shape { grid, block, dynamic_shared_bytes, .. } = *shape;
    let (module, name) = (Arc::clone(&function.module), function.name.clone());
    let launch = KernelLaunch { module, name, grid, block, dynamic_shared_bytes, parameters };
    driver.enqueue(stream, Operation::Kernel(Arc::new(launch)))
}

/// `CUlaunchConfig`
#[repr(C)]
struct Config {
    grid: [c_uint; 3],
    block: [c_uint; 3],
    shared: c_uint,
    stream: u64,
    attributes: *const Attribute,
    attribute_count: c_uint,
}

/// `CUlaunchAttribute`
#[repr(C)]
struct Attribute {
    id: c_uint,
    _pad: c_uint,
    value: [u32; 16],
}

// `CUlaunchAttributeID`
const COOPERATIVE: u32 = 2;
const CLUSTER_DIMENSION: u32 = 4;
/// Nothing, synchronisation policy, programmatic stream order, priority, memory domains: none of them changes what is
/// computed, nor the cost model.
const HARMLESS: [u32; 6] = [0, 3, 6, 8, 9, 10];

/// # Safety
/// `config` points to a launch configuration.
unsafe fn launch_configured(
    driver: &'static Driver,
    config: &Config,
    handle: u64,
    parameters: Parameters,
) -> Outcome {
    let count = config.attribute_count as usize;
    let attributes = match count {
        0 => &[],
        // SAFETY: the caller's promise.
        _ => unsafe { std::slice::from_raw_parts(config.attributes, count) },
    };
    let mut cooperative = false;
    for attribute in attributes {
        match attribute.id {
            COOPERATIVE => cooperative = attribute.value[0] != 0,
            CLUSTER_DIMENSION if attribute.value[..3] == [1; 3] => {}
            harmless if HARMLESS.contains(&harmless) => {}
            _ => return Err(Code::NOT_SUPPORTED),
        }
    }
    let Config { grid, block, shared: dynamic_shared_bytes, .. } = *config;
    let shape = Shape { grid, block, dynamic_shared_bytes, cooperative };
    // SAFETY: the caller's promise.
    unsafe { launch(driver, handle, &shape, config.stream, parameters) }
}

api! { Driver:
    fn cuLaunchKernel(function: u64, grid_x: c_uint, grid_y: c_uint, grid_z: c_uint, block_x: c_uint, block_y: c_uint,
        block_z: c_uint, shared: c_uint, stream: u64, values: *const *const c_void,
        extra: *const *const c_void) |driver| {
        let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
        let shape = Shape { grid, block, dynamic_shared_bytes: shared, cooperative: false };
        launch(driver, function, &shape, stream, (values, extra))
    }

    fn cuLaunchCooperativeKernel(function: u64, grid_x: c_uint, grid_y: c_uint, grid_z: c_uint, block_x: c_uint,
        block_y: c_uint, block_z: c_uint, shared: c_uint, stream: u64, values: *const *const c_void) |driver| {
        let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
        let shape = Shape { grid, block, dynamic_shared_bytes: shared, cooperative: true };
        launch(driver, function, &shape, stream, (values, std::ptr::null()))
    }

    fn cuLaunchKernelEx(config: *const Config, function: u64, values: *const *const c_void,
        extra: *const *const c_void) |driver| {
        let config = config.as_ref().ok_or(Code::INVALID_VALUE)?;
        launch_configured(driver, config, function, (values, extra))
    }
}
