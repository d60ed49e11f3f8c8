//! The driver's answer to a call, as a number: a driver may answer codes that no header of ours knows.

use std::fmt;

/// What a function of the driver answered (`CUresult`), kept as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status(pub i32);

macro_rules! statuses {
    ($($number:literal $name:ident $text:literal)*) => {
        impl Status {
            $(#[allow(dead_code, reason = "the table is whole, whether this crate asks for a code or not")]
            pub(crate) const $name: Status = Status($number);)*

            /// The name in NVIDIA's header, without a driver being asked; nothing for a code that is not in the table.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    0 => Some("CUDA_SUCCESS"),
                    $($number => Some(concat!("CUDA_ERROR_", stringify!($name))),)*
                    _ => None,
                }
            }

            /// What the code means, in a few words.
            pub fn meaning(self) -> &'static str {
                match self.0 {
                    0 => "no error",
                    $($number => $text,)*
                    _ => "a code that gapbench-cuda does not know; see CUresult in the manual of the driver API",
                }
            }
        }
    };
}

statuses! {
    1 INVALID_VALUE "an argument is out of range"
    2 OUT_OF_MEMORY "the device's memory is used up"
    3 NOT_INITIALIZED "the driver is not initialised"
    4 DEINITIALIZED "the driver is shutting down"
    34 STUB_LIBRARY "the library is a stub for linking, not a driver"
    46 DEVICE_UNAVAILABLE "the device is busy, or held exclusively by another process"
    100 NO_DEVICE "no device is visible"
    101 INVALID_DEVICE "there is no device of this number"
    102 DEVICE_NOT_LICENSED "the device's licence is missing"
    200 INVALID_IMAGE "the image is no code for a device"
    201 INVALID_CONTEXT "the context is not one, or not current in this thread"
    205 MAP_FAILED "the memory could not be mapped"
    208 ALREADY_MAPPED "the memory is already mapped"
    209 NO_BINARY_FOR_GPU "the image holds no code for this device's architecture"
    214 ECC_UNCORRECTABLE "the device's memory had an error that could not be corrected"
    217 PEER_ACCESS_UNSUPPORTED "the devices cannot reach each other's memory"
    218 INVALID_PTX "the PTX has an error"
    220 NVLINK_UNCORRECTABLE "NVLink had an error that could not be corrected"
    221 JIT_COMPILER_NOT_FOUND "the driver's compiler for PTX (libnvidia-ptxjitcompiler.so.1) is not installed"
    222 UNSUPPORTED_PTX_VERSION "the PTX is newer than the driver"
    223 JIT_COMPILATION_DISABLED "compiling PTX is switched off (CUDA_DISABLE_PTX_JIT)"
    226 CONTAINED "a fault of the hardware was contained to this process"
    300 INVALID_SOURCE "the image is no code for a device"
    301 FILE_NOT_FOUND "the file is not there"
    302 SHARED_OBJECT_SYMBOL_NOT_FOUND "a library lacks a symbol"
    303 SHARED_OBJECT_INIT_FAILED "a library could not be initialised"
    304 OPERATING_SYSTEM "the operating system refused a call"
    400 INVALID_HANDLE "a handle is not one"
    401 ILLEGAL_STATE "not possible in the present state"
    500 NOT_FOUND "there is nothing of this name"
    600 NOT_READY "not finished yet"
    700 ILLEGAL_ADDRESS "a kernel used an address that belongs to no allocation"
    701 LAUNCH_OUT_OF_RESOURCES "the launch needs more registers or shared memory than a multiprocessor has"
    702 LAUNCH_TIMEOUT "a kernel ran too long and was ended"
    704 PEER_ACCESS_ALREADY_ENABLED "access to the other device is already on"
    705 PEER_ACCESS_NOT_ENABLED "access to the other device is not on"
    708 PRIMARY_CONTEXT_ACTIVE "the primary context is already in use"
    709 CONTEXT_IS_DESTROYED "the context is gone"
    710 ASSERT "an assertion in a kernel failed"
    712 HOST_MEMORY_ALREADY_REGISTERED "the host's memory is already registered"
    713 HOST_MEMORY_NOT_REGISTERED "the host's memory is not registered"
    714 HARDWARE_STACK_ERROR "a kernel's call stack is damaged or too deep"
    715 ILLEGAL_INSTRUCTION "a kernel met an instruction that is none"
    716 MISALIGNED_ADDRESS "a kernel used an address that is not a multiple of the value's size"
    717 INVALID_ADDRESS_SPACE "a kernel used an address of another kind of memory"
    718 INVALID_PC "a kernel jumped out of its code"
    719 LAUNCH_FAILED "a kernel failed, for example by a trap"
    720 COOPERATIVE_LAUNCH_TOO_LARGE "more blocks than fit on the device at once, in a cooperative launch"
    800 NOT_PERMITTED "not permitted"
    801 NOT_SUPPORTED "not supported by this device or driver"
    802 SYSTEM_NOT_READY "the system is not ready (is the fabric manager running?)"
    803 SYSTEM_DRIVER_MISMATCH "the driver's library and the kernel module have different versions"
    804 COMPAT_NOT_SUPPORTED_ON_DEVICE "the compatibility libraries do not serve this device"
    900 STREAM_CAPTURE_UNSUPPORTED "not possible while the stream is captured"
    901 STREAM_CAPTURE_INVALIDATED "the capture failed earlier"
    902 STREAM_CAPTURE_MERGE "two captures would be merged"
    903 STREAM_CAPTURE_UNMATCHED "the capture began in another stream"
    904 STREAM_CAPTURE_UNJOINED "a captured stream was not joined"
    905 STREAM_CAPTURE_ISOLATION "a capture would depend on work outside it"
    906 STREAM_CAPTURE_IMPLICIT "the null stream would depend on a capture"
    907 CAPTURED_EVENT "the event was recorded in a capture"
    908 STREAM_CAPTURE_WRONG_THREAD "the capture began in another thread"
    909 TIMEOUT "the wait took too long"
    910 GRAPH_EXEC_UPDATE_FAILURE "the graph could not be updated"
    999 UNKNOWN "the driver does not say more; dmesg may (look for Xid)"
}

impl Status {
    pub(crate) const SUCCESS: Status = Status(0);

    /// The context is lost: every later call answers the same, until the process ends.
    pub fn is_sticky(self) -> bool {
        matches!(self.0, 214 | 220 | 226 | 700 | 702 | 709 | 710 | 714..=719)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(formatter, "{name} ({})", self.0),
            None => write!(formatter, "code {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_has_its_name_and_an_unknown_one_its_number() {
        assert_eq!(Status(700).to_string(), "CUDA_ERROR_ILLEGAL_ADDRESS (700)");
        assert_eq!(Status(917).to_string(), "code 917");
        assert!(Status::LAUNCH_FAILED.is_sticky() && !Status::OUT_OF_MEMORY.is_sticky());
    }
}
