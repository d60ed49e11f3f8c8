//! The driver's functions, by name: each answers a plain number, so that a code of a newer driver is only a number too.

use std::ffi::{c_char, c_int, c_uint, c_void};

use libloading::os::unix::Library;

/// Any handle of the driver: context, stream, event, module, function, pool.
pub(crate) type Handle = usize;
/// An address of the device.
pub(crate) type Address = u64;

/// The types of the driver's functions, after the driver API's reference: `CUdevice` is an `int`, `CUdeviceptr` 64 bits.
macro_rules! symbols {
    (
        needed { $($field:ident = $symbol:literal ($($argument:ty),*);)* }
        optional { $($maybe:ident = $maybe_symbol:literal ($($maybe_argument:ty),*);)* }
    ) => {
        /// The functions, of a library that stays open for good.
        pub(crate) struct Symbols {
            $(pub(crate) $field: unsafe extern "C" fn($($argument),*) -> c_int,)*
            $(pub(crate) $maybe: Option<unsafe extern "C" fn($($maybe_argument),*) -> c_int>,)*
        }

        impl Symbols {
            /// Or the name of a function that the library lacks.
            ///
            /// # Safety
            /// The library is a CUDA driver and is never closed.
            pub(crate) unsafe fn load(library: &Library) -> Result<Symbols, &'static str> {
                Ok(Symbols {
                    // SAFETY: the symbol of a driver has the type that the driver API gives it.
                    $($field: *unsafe { library.get($symbol) }.map_err(|_| $symbol)?,)*
                    // SAFETY: the same.
                    $($maybe: unsafe { library.get($maybe_symbol) }.ok().map(|found| *found),)*
                })
            }
        }
    };
}

symbols! {
    needed {
        init = "cuInit" (c_uint);
        driver_version = "cuDriverGetVersion" (*mut c_int);
        device_count = "cuDeviceGetCount" (*mut c_int);
        device = "cuDeviceGet" (*mut c_int, c_int);
        device_name = "cuDeviceGetName" (*mut c_char, c_int, c_int);
        device_attribute = "cuDeviceGetAttribute" (*mut c_int, c_int, c_int);
        device_bytes = "cuDeviceTotalMem_v2" (*mut usize, c_int);
        device_uuid = "cuDeviceGetUuid_v2" (*mut [u8; 16], c_int);
        device_bus_id = "cuDeviceGetPCIBusId" (*mut c_char, c_int, c_int);
        device_pool = "cuDeviceGetMemPool" (*mut Handle, c_int);
        retain_context = "cuDevicePrimaryCtxRetain" (*mut Handle, c_int);
        release_context = "cuDevicePrimaryCtxRelease_v2" (c_int);
        current_context = "cuCtxGetCurrent" (*mut Handle);
        set_current_context = "cuCtxSetCurrent" (Handle);
        pool_attribute = "cuMemPoolGetAttribute" (Handle, c_int, *mut u64);
        set_pool_attribute = "cuMemPoolSetAttribute" (Handle, c_int, *const u64);
        trim_pool = "cuMemPoolTrimTo" (Handle, usize);
        memory_info = "cuMemGetInfo_v2" (*mut usize, *mut usize);
        allocate = "cuMemAllocAsync" (*mut Address, usize, Handle);
        free = "cuMemFreeAsync" (Address, Handle);
        copy_to_device = "cuMemcpyHtoDAsync_v2" (Address, *const c_void, usize, Handle);
        copy_to_host = "cuMemcpyDtoHAsync_v2" (*mut c_void, Address, usize, Handle);
        copy = "cuMemcpyDtoDAsync_v2" (Address, Address, usize, Handle);
        fill = "cuMemsetD8Async" (Address, u8, usize, Handle);
        allocate_host = "cuMemHostAlloc" (*mut *mut c_void, usize, c_uint);
        free_host = "cuMemFreeHost" (*mut c_void);
        host_address = "cuMemHostGetDevicePointer_v2" (*mut Address, *mut c_void, c_uint);
        query_stream = "cuStreamQuery" (Handle);
        wait_for_event = "cuStreamWaitEvent" (Handle, Handle, c_uint);
        create_event = "cuEventCreate" (*mut Handle, c_uint);
        record_event = "cuEventRecord" (Handle, Handle);
        query_event = "cuEventQuery" (Handle);
        elapsed = "cuEventElapsedTime" (*mut f32, Handle, Handle);
        destroy_event = "cuEventDestroy_v2" (Handle);
        begin_capture = "cuStreamBeginCapture_v2" (Handle, c_int);
        end_capture = "cuStreamEndCapture" (Handle, *mut Handle);
        instantiate_graph = "cuGraphInstantiateWithFlags" (*mut Handle, Handle, u64);
        launch_graph = "cuGraphLaunch" (Handle, Handle);
        destroy_graph = "cuGraphDestroy" (Handle);
        destroy_executable_graph = "cuGraphExecDestroy" (Handle);
        load_module = "cuModuleLoadDataEx" (*mut Handle, *const c_void, c_uint, *mut c_int, *mut *mut c_void);
        unload_module = "cuModuleUnload" (Handle);
        function = "cuModuleGetFunction" (*mut Handle, Handle, *const c_char);
        function_attribute = "cuFuncGetAttribute" (*mut c_int, c_int, Handle);
        set_function_attribute = "cuFuncSetAttribute" (Handle, c_int, c_int);
        launch = "cuLaunchKernel" (Handle, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Handle,
            *mut *mut c_void, *mut *mut c_void);
    }
    optional {
        // CUDA 12.4
        parameter = "cuFuncGetParamInfo" (Handle, usize, *mut usize, *mut usize);
        // The simulated driver of this repository says by this symbol that it is one.
        simulator = "simulator_is_present" ();
    }
}

/// What cudarc calls beside the above in the parts of it that this crate uses or hands out. It loads them when they are
/// first called, and panics where one is not there.
pub(crate) const OF_CUDARC: &[&str] = &[
    "cuCtxSynchronize",
    "cuEventElapsedTime",
    "cuEventRecord",
    "cuEventSynchronize",
    "cuGetErrorName",
    "cuGetErrorString",
    "cuLaunchCooperativeKernel",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuModuleGetGlobal_v2",
    "cuModuleLoadData",
    "cuStreamCreate",
    "cuStreamCreateWithPriority",
    "cuStreamDestroy_v2",
    "cuStreamSynchronize",
];
