//! What can go wrong once a device was found.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::function::Grid;
use crate::status::Status;

/// A call to the device failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CudaError {
    /// A function of the driver, NVRTC or cuBLAS answered a code that has no variant of its own.
    Driver {
        /// The function.
        call: &'static str,
        /// What it answered.
        code: Status,
    },
    /// The device's memory is used up.
    OutOfMemory {
        /// The function.
        call: &'static str,
        /// How much was asked for, where it was memory that was asked for.
        wanted: Option<u64>,
        /// What the device had left right after.
        free: u64,
        /// What the device has.
        total: u64,
    },
    /// An image could not be loaded.
    Image {
        /// What kind of image it is, and what is wrong with it.
        what: String,
        /// What the driver answered.
        code: Status,
        /// What the driver's compiler wrote about it.
        log: String,
    },
    /// The image has no kernel of that name.
    NoSuchKernel {
        /// The name.
        name: String,
        /// The kernels that it has, where the image tells them.
        available: Vec<String>,
    },
    /// The arguments of a launch are not what the kernel takes.
    Arguments {
        /// The kernel.
        kernel: String,
        /// What does not fit.
        mismatch: Mismatch,
    },
    /// A launch was refused.
    Launch {
        /// The kernel.
        kernel: String,
        /// What was asked for.
        grid: Grid,
        /// The limit that it breaks, where it is known.
        limit: String,
        /// What the driver answered, if it was asked.
        code: Status,
    },
    /// A kernel failed, and with it the context: every later call answers the same until the process ends.
    Sticky {
        /// The kernel launched last before the failure was seen, which is often the one that failed.
        kernel: Option<String>,
        /// The call that saw it.
        call: &'static str,
        /// What it answered.
        code: Status,
    },
    /// What was waited for did not come. The device is left alone from here on: end the process.
    Deadline {
        /// How long it was waited for.
        waited: Duration,
        /// The kernel launched last.
        kernel: Option<String>,
    },
    /// A capture, or the graph of it, was refused. None of the work was done: it can be given to the stream without a
    /// capture.
    Capture {
        /// The function that refused.
        call: &'static str,
        /// What it answered.
        code: Status,
        /// The kernel that was launched last within the capture.
        kernel: Option<String>,
        /// The call within the capture that ended it, where one failed.
        cause: Option<Box<CudaError>>,
    },
    /// A library beside the driver is missing or does not work.
    Library {
        /// What it is called.
        name: &'static str,
        /// Where it was looked for, in words.
        searched: String,
        /// What is wrong with it; empty if there is none.
        what: String,
    },
    /// Source did not compile.
    Compile {
        /// What the source is called.
        name: String,
        /// What the compiler wrote, with that name and the line.
        log: String,
    },
    /// A range goes beyond a buffer, or lengths differ that should be equal.
    Length {
        /// What does not fit.
        what: String,
    },
}

/// How arguments differ from parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// In number.
    Count {
        /// The kernel's parameters.
        expected: usize,
        /// The arguments.
        given: usize,
    },
    /// In the size of one.
    Size {
        /// Which parameter, from 0.
        index: usize,
        /// The bytes that the kernel takes.
        expected: usize,
        /// The bytes of the argument.
        given: usize,
    },
}

fn last_launched(kernel: Option<&String>) -> String {
    kernel.map_or_else(
        || "no kernel was launched".to_owned(),
        |kernel| format!("the kernel launched last is {kernel}"),
    )
}

fn log_text(log: &str) -> String {
    if log.is_empty() { String::new() } else { format!("\n{}", log.trim_end()) }
}

impl fmt::Display for CudaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CudaError::Driver { call, code } => {
                write!(formatter, "call {call}: it answered {code}: {}", code.meaning())
            }
            CudaError::OutOfMemory { call, wanted, free, total } => {
                match wanted {
                    Some(wanted) => write!(formatter, "allocate {wanted} bytes of the device")?,
                    None => write!(formatter, "call {call}: it had no memory left")?,
                }
                write!(
                    formatter,
                    ": {free} of {total} are free; make the inputs smaller, or see what else uses the device"
                )
            }
            CudaError::Image { what, code, log } => {
                write!(formatter, "load the image: {what} ({code}){}", log_text(log))
            }
            CudaError::NoSuchKernel { name, available } => {
                write!(formatter, "find the kernel {name}: ")?;
                match available.iter().find(|found| found.starts_with("_Z") && found.contains(name.as_str()))
                {
                    Some(mangled) => write!(
                        formatter,
                        "the image has {mangled}, which C++ made of it; declare the kernel extern \"C\""
                    ),
                    None if available.is_empty() => {
                        write!(formatter, "the image does not tell which kernels it has")
                    }
                    None => write!(formatter, "the image has {}", available.join(", ")),
                }
            }
            CudaError::Arguments { kernel, mismatch: Mismatch::Count { expected, given } } => {
                write!(formatter, "launch {kernel}: it takes {expected} arguments, and {given} were given")
            }
            CudaError::Arguments { kernel, mismatch: Mismatch::Size { index, expected, given } } => write!(
                formatter,
                "launch {kernel}: its parameter {index} (counted from 0) has {expected} bytes, and the argument has \
                 {given}; convert the argument to the parameter's type"
            ),
            CudaError::Launch { kernel, grid, limit, code } => {
                write!(formatter, "launch {kernel} with {grid}: {limit}")?;
                if *code == Status::SUCCESS { Ok(()) } else { write!(formatter, " ({code})") }
            }
            CudaError::Sticky { kernel, call, code } => write!(
                formatter,
                "call {call}: a kernel failed with {code}: {}; {}; the context is lost, and every later call in this \
                 process fails; compute-sanitizer names the line",
                code.meaning(),
                last_launched(kernel.as_ref())
            ),
            CudaError::Deadline { waited, kernel } => write!(
                formatter,
                "wait for the device: it was not done after {:.3} s; {}; a kernel that may take longer needs \
                 Cuda::set_deadline",
                waited.as_secs_f64(),
                last_launched(kernel.as_ref())
            ),
            CudaError::Capture { call, code, kernel, cause } => {
                write!(formatter, "record a graph: {call} answered {code}: {}", code.meaning())?;
                match kernel {
                    Some(kernel) => write!(formatter, "; the kernel recorded last is {kernel}")?,
                    None => write!(formatter, "; no kernel was recorded")?,
                }
                if let Some(cause) = cause {
                    write!(formatter, "; before that it failed to {cause}")?;
                }
                write!(formatter, "; the work can be launched without a graph")
            }
            CudaError::Library { name, searched, what } if what.is_empty() => write!(
                formatter,
                "find {name}: it is not in {searched}; name its folder in GAPBENCH_CUDA_PATH"
            ),
            CudaError::Library { name, what, .. } => write!(formatter, "use {name}: {what}"),
            CudaError::Compile { name, log } => write!(formatter, "compile {name}:{}", log_text(log)),
            CudaError::Length { what } => write!(formatter, "use a buffer: {what}"),
        }
    }
}

impl Error for CudaError {}
