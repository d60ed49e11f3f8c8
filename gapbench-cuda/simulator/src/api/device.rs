//! Initialisation, versions, devices.

use std::ffi::{c_char, c_int, c_uint};

use super::{answer, answer_text, api, text};
use crate::driver::code::{Code, Outcome};
use crate::driver::device;

/// There is one device.
fn check(number: c_int) -> Outcome {
    if number == 0 { Ok(()) } else { Err(Code::INVALID_DEVICE) }
}

api! { Nothing:
    fn cuInit(flags: c_uint) |driver| {
        let mut state = driver.lock();
        // Half a script would let a program pass that should not.
        if flags != 0 || state.script.broken {
            return Err(Code::INVALID_VALUE);
        }
        if state.script.no_device {
            return Err(Code::NO_DEVICE);
        }
        state.initialised = true;
        Ok(())
    }

    fn cuDriverGetVersion(version: *mut c_int) |driver| {
        answer(version, driver.lock().script.driver_version)
    }
}

api! { Driver:
    fn cuDeviceGetCount(count: *mut c_int) |_| { answer(count, 1) }

    fn cuDeviceGet(device: *mut c_int, ordinal: c_int) |_| {
        check(ordinal)?;
        answer(device, 0)
    }

    fn cuDeviceGetName(name: *mut c_char, bytes: c_int, device: c_int) |_| {
        check(device)?;
        answer_text(name, usize::try_from(bytes).unwrap_or(0), device::NAME)
    }

    fn cuDeviceGetUuid(uuid: *mut [u8; 16], device: c_int) |_| {
        check(device)?;
        answer(uuid, device::UUID)
    }

    fn cuDeviceGetUuid_v2(uuid: *mut [u8; 16], device: c_int) |_| {
        check(device)?;
        answer(uuid, device::UUID)
    }

    fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) |driver| {
        check(device)?;
        answer(bytes, driver.lock().memory.capacity as usize)
    }

    fn cuDeviceGetAttribute(value: *mut c_int, attribute: c_int, device: c_int) |driver| {
        check(device)?;
        let found = device::attribute(&driver.lock().script, attribute);
        answer(value, found.ok_or(Code::INVALID_VALUE)?)
    }

    fn cuDeviceComputeCapability(major: *mut c_int, minor: *mut c_int, device: c_int) |driver| {
        check(device)?;
        let state = driver.lock();
        let [known_major, known_minor] = [75, 76].map(|number| device::attribute(&state.script, number));
        answer(major, known_major.ok_or(Code::INVALID_VALUE)?)?;
        answer(minor, known_minor.ok_or(Code::INVALID_VALUE)?)
    }

    fn cuDeviceGetPCIBusId(id: *mut c_char, bytes: c_int, device: c_int) |_| {
        check(device)?;
        answer_text(id, usize::try_from(bytes).unwrap_or(0), device::PCI_BUS_ID)
    }

    fn cuDeviceGetByPCIBusId(device: *mut c_int, id: *const c_char) |_| {
        if text(id)? != device::PCI_BUS_ID {
            return Err(Code::INVALID_DEVICE);
        }
        answer(device, 0)
    }

    fn cuDeviceCanAccessPeer(can: *mut c_int, device: c_int, peer: c_int) |_| {
        check(device)?;
        check(peer)?;
        answer(can, 0)
    }

    fn cuDeviceGetP2PAttribute(_value: *mut c_int, _attribute: c_int, device: c_int, peer: c_int) |_| {
        check(device)?;
        check(peer)?;
        // A device is no peer of itself.
        Err(Code::INVALID_DEVICE)
    }
}
