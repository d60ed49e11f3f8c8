//! Runs each scenario in a process of its own: a driver's state belongs to the process, and some scenarios end it.
#![allow(dead_code, reason = "each test file uses what it needs")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::process::{Command, Output};

/// Names the scenario that a child process is to run.
const SCENARIO: &str = "SIMULATOR_SCENARIO";
/// A scenario that takes longer is ended by the system, so that a deadlock is a failure and not a hang.
const SECONDS: u32 = 120;

/// Runs `body` in a child process under a script, in which programs find the simulated libraries.
pub(crate) fn scenario(name: &str, script: &str, body: fn()) {
    if let Some(output) = run(name, script, body) {
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {}\n{text}", output.status);
    }
}

/// The same, answering what the child wrote to stderr; nothing in the child itself.
pub(crate) fn scenario_stderr(name: &str, script: &str, body: fn()) -> Option<String> {
    let output = run(name, script, body)?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {}\n{stderr}", output.status);
    Some(stderr)
}

fn run(name: &str, script: &str, body: fn()) -> Option<Output> {
    if std::env::var_os(SCENARIO).is_some_and(|scenario| scenario == name) {
        unsafe { libc::alarm(SECONDS) };
        body();
        return None;
    }
    let program = std::env::current_exe().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("simulated-libraries");
    cuda_simulator::install(&folder, program.parent().and_then(Path::parent).unwrap()).unwrap();
    let mut child = Command::new(program);
    child.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    child.env(SCENARIO, name).env("CUDA_SIMULATOR", script).env("LD_LIBRARY_PATH", folder);
    Some(child.output().unwrap())
}

/// A function of the driver by name.
pub(crate) fn symbol(name: &CStr) -> *mut c_void {
    unsafe {
        let library = libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
        assert!(!library.is_null(), "no libcuda.so.1");
        libc::dlsym(library, name.as_ptr())
    }
}

/// Applies statements of a script while the program runs.
pub(crate) fn control(statements: &str) -> c_int {
    let statements = CString::new(statements).unwrap();
    unsafe {
        let control: unsafe extern "C" fn(*const c_char) -> c_int =
            std::mem::transmute(symbol(c"simulator_control"));
        control(statements.as_ptr())
    }
}

/// How often a function of the driver was called.
pub(crate) fn calls(name: &CStr) -> u64 {
    unsafe {
        let calls: unsafe extern "C" fn(*const c_char) -> u64 =
            std::mem::transmute(symbol(c"simulator_calls"));
        calls(name.as_ptr())
    }
}
