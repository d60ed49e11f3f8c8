//! Runs each scenario in a process of its own, with a simulated driver: a driver's state belongs to the process.
#![allow(dead_code, reason = "each test file uses what it needs")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Names the scenario that a child process is to run.
const SCENARIO: &str = "CUDA_TEST_SCENARIO";
/// A scenario that takes longer is ended by the system, so that a deadlock is a failure and not a hang.
const SECONDS: u32 = 120;

/// Whether this is the child process of a scenario.
pub(crate) fn is_child() -> bool {
    std::env::var_os(SCENARIO).is_some()
}

/// Runs `body` in a child process that finds the simulated libraries, under a script.
pub(crate) fn scenario(name: &str, script: &str, body: fn()) {
    let folder = simulated();
    let folder = folder.to_string_lossy();
    let variables =
        [("GAPBENCH_CUDA_PATH", &*folder), ("LD_LIBRARY_PATH", &*folder), ("CUDA_SIMULATOR", script)];
    scenario_in(name, &variables, body);
}

/// Runs `body` in a child process whose environment has nothing but these variables.
pub(crate) fn scenario_in(name: &str, variables: &[(&str, &str)], body: fn()) {
    if std::env::var_os(SCENARIO).is_some_and(|scenario| scenario == name) {
        // SAFETY: the call takes a number.
        unsafe { libc::alarm(SECONDS) };
        return body();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    child.env_clear().env(SCENARIO, name).envs(variables.iter().copied());
    let Output { status, stdout, stderr } = child.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{name}: {status}\n{text}");
    assert!(text.contains("1 passed"), "{name}: no such test\n{text}");
    for line in text.lines().filter(|line| line.contains("SKIPPED")) {
        // Past the harness, which shows nothing of a test that passes.
        writeln!(std::io::stderr(), "{line}").ok();
    }
}

/// The folder of the simulated libraries.
pub(crate) fn simulated() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("simulated-libraries");
    let program = std::env::current_exe().unwrap();
    cuda_simulator::install(&folder, program.parent().and_then(Path::parent).unwrap()).unwrap();
    // On a machine with a driver, the plain names are of that otherwise.
    for (plain, name) in [("libcuda.so", "libcuda.so.1"), ("libcublas.so", "libcublas.so.13")] {
        let link = folder.join(format!("{plain}.{:?}-{}", std::thread::current().id(), std::process::id()));
        std::os::unix::fs::symlink(name, &link).unwrap();
        std::fs::rename(link, folder.join(plain)).unwrap();
    }
    folder
}

fn symbol(name: &str) -> *mut c_void {
    let name = CString::new(name).unwrap();
    // SAFETY: the names are terminated; the library is open already.
    unsafe {
        let library = libc::dlopen(c"libcuda.so.1".as_ptr(), libc::RTLD_NOW);
        assert!(!library.is_null(), "no libcuda.so.1");
        let symbol = libc::dlsym(library, name.as_ptr());
        assert!(!symbol.is_null(), "no symbol");
        symbol
    }
}

/// Applies statements of a script while the program runs.
pub(crate) fn control(statements: &str) {
    let statements = CString::new(statements).unwrap();
    // SAFETY: the simulator's function has this type.
    let answer = unsafe {
        let control: unsafe extern "C" fn(*const c_char) -> c_int =
            std::mem::transmute(symbol("simulator_control"));
        control(statements.as_ptr())
    };
    assert_eq!(answer, 0);
}

/// How often a function of the driver was called.
pub(crate) fn calls(name: &str) -> u64 {
    let name = CString::new(name).unwrap();
    // SAFETY: the simulator's function has this type.
    unsafe {
        let calls: unsafe extern "C" fn(*const c_char) -> u64 =
            std::mem::transmute(symbol("simulator_calls"));
        calls(name.as_ptr())
    }
}
