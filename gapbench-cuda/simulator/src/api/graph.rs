//! Graphs, which come from captures only.

use std::ffi::c_ulonglong;

use super::{answer, api};
use crate::driver::code::{Code, Outcome};
use crate::driver::stream::Operation;

// `CUgraphInstantiate_flags`; the others, upload and node priorities, change nothing here.
const AUTO_FREE: c_ulonglong = 1;
const DEVICE_LAUNCH: c_ulonglong = 4;

fn check_flags(flags: c_ulonglong) -> Outcome {
    match flags {
        16.. => Err(Code::INVALID_VALUE),
        // The one excludes the other.
        _ if flags & AUTO_FREE != 0 && flags & DEVICE_LAUNCH != 0 => Err(Code::INVALID_VALUE),
        _ if flags & DEVICE_LAUNCH != 0 => Err(Code::NOT_SUPPORTED),
        _ => Ok(()),
    }
}

api! { Driver:
    fn cuGraphInstantiateWithFlags(executable: *mut u64, graph: u64, flags: c_ulonglong) |driver| {
        check_flags(flags)?;
        let mut state = driver.lock();
        let operations = state.graphs.get(&graph).cloned().ok_or(Code::INVALID_HANDLE)?;
        let handle = state.handle();
        state.executables.insert(handle, operations);
        answer(executable, handle)
    }

    // Nothing has to be brought anywhere; an upload takes no time on the device.
    fn cuGraphUpload(executable: u64, stream: u64) |driver| {
        let state = driver.lock();
        state.stream(stream)?;
        if state.executables.contains_key(&executable) { Ok(()) } else { Err(Code::INVALID_HANDLE) }
    }

    fn cuGraphLaunch(executable: u64, stream: u64) |driver| {
        let operations = driver.lock().executables.get(&executable).cloned().ok_or(Code::INVALID_HANDLE)?;
        driver.enqueue(stream, Operation::Graph(operations))
    }

    fn cuGraphDestroy(graph: u64) |driver| {
        driver.lock().graphs.remove(&graph).map(|_| ()).ok_or(Code::INVALID_HANDLE)
    }

    fn cuGraphExecDestroy(executable: u64) |driver| {
        driver.lock().executables.remove(&executable).map(|_| ()).ok_or(Code::INVALID_HANDLE)
    }

    fn cuGraphGetNodes(graph: u64, nodes: *mut u64, count: *mut usize) |driver| {
        // How many there are can be asked; a node itself has no handle here.
        if !nodes.is_null() {
            return Err(Code::NOT_SUPPORTED);
        }
        let state = driver.lock();
        answer(count, state.graphs.get(&graph).ok_or(Code::INVALID_HANDLE)?.len())
    }
}
