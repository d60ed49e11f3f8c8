//! Functions that programs look up and that are not simulated: a clear answer is better than a missing symbol.

use std::ffi::c_void;

use super::api;
use crate::driver::code::Code;

// Their arguments are left where the caller put them.
api! { Driver:
    fn cuCtxCreate_v2() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuCtxCreate_v3() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuCtxCreate_v4() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuCtxDestroy_v2() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuDestroyExternalMemory() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuExternalMemoryGetMappedBuffer() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuImportExternalMemory() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuMemAdvise_v2() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuMemPoolCreate() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuMemPoolDestroy() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuMemPrefetchAsync_v2() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuMemcpyPeerAsync() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuModuleLoadFatBinary() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuOccupancyMaxActiveClusters() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuOccupancyMaxPotentialClusterSize() |_| { Err(Code::NOT_SUPPORTED) }

    fn cuStreamAttachMemAsync() |_| { Err(Code::NOT_SUPPORTED) }
}

api! { Driver:
    fn cuCtxEnablePeerAccess(_context: *mut c_void, _flags: u32) |_| { Err(Code::PEER_ACCESS_UNSUPPORTED) }

    fn cuCtxDisablePeerAccess(_context: *mut c_void) |_| { Err(Code::PEER_ACCESS_NOT_ENABLED) }
}
