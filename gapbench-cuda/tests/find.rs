//! Every answer of the door.
#![allow(unsafe_code, reason = "the support of scenarios calls C functions")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a skipped part is said")]

mod support;

use std::path::Path;
use std::process::Command;

use gapbench_cuda::{Absent, Cuda, Reason, Status};
use support::{scenario, scenario_in, simulated};

fn absent() -> Absent {
    let absent = Cuda::find().unwrap_err();
    // A second look says the same.
    assert_eq!(Cuda::find().unwrap_err(), absent);
    absent
}

#[test]
fn no_driver() {
    scenario_in("no_driver", &[("LD_LIBRARY_PATH", "/nowhere:/nor/here")], || {
        let absent = absent();
        let Reason::NoDriver { searched } = &absent.reason else {
            // A machine with a driver cannot show this.
            println!("SKIPPED no_driver: {absent}");
            return;
        };
        assert_eq!(searched[..2], ["/nowhere", "/nor/here"].map(Path::new));
        let text = absent.to_string();
        let start = "no CUDA driver found (no libcuda.so.1 in the 2 folders of LD_LIBRARY_PATH, /usr/local/nvidia/lib64, ";
        assert!(text.starts_with(start), "{text}");
    });
}

#[test]
fn nothing_in_the_environment_at_all() {
    scenario_in("nothing_in_the_environment_at_all", &[], || match Cuda::find() {
        Ok(cuda) => println!("SKIPPED nothing_in_the_environment_at_all: there is {}", cuda.facts().name),
        Err(absent) => {
            assert!(absent.to_string().starts_with("no CUDA driver found (no libcuda.so.1 in /usr/"))
        }
    });
}

#[test]
fn a_folder_that_is_none() {
    scenario_in("a_folder_that_is_none", &[("GAPBENCH_CUDA_PATH", "/usr::/no/such/folder")], || {
        let text = absent().to_string();
        let expected = "the CUDA driver /no/such/folder cannot be used: GAPBENCH_CUDA_PATH names it, and it is not the \
                        absolute path of a folder";
        assert!(text.contains(expected), "{text}");
    });
}

#[test]
fn a_stub() {
    scenario("a_stub", "stub", || {
        let absent = absent();
        assert!(matches!(absent.reason, Reason::Stub { .. }), "{absent}");
        assert!(absent.to_string().contains("is a stub for linking"), "{absent}");
    });
}

#[test]
fn a_driver_that_is_too_old() {
    scenario("a_driver_that_is_too_old", "driver 11040", || {
        let absent = absent();
        assert!(matches!(absent.reason, Reason::TooOld { version: 11040, least: 12000, .. }), "{absent}");
        assert!(absent.to_string().contains("supports CUDA 11.4, and 12.0 is needed"), "{absent}");
    });
}

#[test]
fn no_device() {
    scenario("no_device", "no-device", || {
        let absent = absent();
        let Reason::NoDevice { library, code } = &absent.reason else { panic!("{absent}") };
        assert_eq!(*code, Status(100));
        assert!(library.ends_with("libcuda.so.1") && library.is_absolute());
        assert!(absent.to_string().contains("CUDA_VISIBLE_DEVICES is not set"), "{absent}");
    });
}

#[test]
fn a_driver_that_does_not_fit_its_kernel_module() {
    scenario("a_driver_that_does_not_fit_its_kernel_module", "fail cuInit at 1 with 803 always", || {
        let Reason::Unusable { what, .. } = absent().reason else { panic!() };
        assert!(what.starts_with("cuInit answered CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803): "), "{what}");
    });
}

#[test]
fn a_device_that_another_process_holds() {
    let script = "fail cuDevicePrimaryCtxRetain at 1 with 46 always";
    scenario("a_device_that_another_process_holds", script, || {
        let Reason::Unusable { what, .. } = absent().reason else { panic!() };
        let expected =
            "failed to call cuDevicePrimaryCtxRetain: it answered CUDA_ERROR_DEVICE_UNAVAILABLE (46)";
        assert!(what.starts_with(expected), "{what}");
    });
}

#[test]
fn an_answer_that_no_header_knows() {
    scenario("an_answer_that_no_header_knows", "fail cuInit at 1 with 917 always", || {
        let Reason::Unusable { what, .. } = absent().reason else { panic!() };
        assert!(what.starts_with("cuInit answered code 917: "), "{what}");
    });
}

#[test]
fn a_device_without_a_memory_pool() {
    scenario("a_device_without_a_memory_pool", "attribute 115 0", || {
        let Reason::Unusable { what, .. } = absent().reason else { panic!() };
        assert!(
            what.starts_with("failed to call cuDeviceGetMemPool: it answered CUDA_ERROR_NOT_SUPPORTED"),
            "{what}"
        );
    });
}

#[test]
fn a_file_that_is_no_library() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("libcuda.so.1"), "text").unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    scenario_in("a_file_that_is_no_library", &[("GAPBENCH_CUDA_PATH", &path)], || match absent().reason {
        Reason::Unusable { library, what } => {
            assert!(library.ends_with("libcuda.so.1"));
            assert!(what.starts_with("the loader refuses it: "), "{what}");
        }
        other => panic!("{other:?}"),
    });
}

#[test]
fn a_driver_that_lacks_a_function() {
    let folder = if support::is_child() { None } else { Some(driver_with_one_function()) };
    let path = folder.as_ref().map(|folder| folder.path().to_string_lossy().into_owned()).unwrap_or_default();
    scenario_in("a_driver_that_lacks_a_function", &[("GAPBENCH_CUDA_PATH", &path)], || {
        let Reason::Unusable { what, .. } = absent().reason else { panic!() };
        assert_eq!(what, "it lacks the function cuInit");
    });
}

fn driver_with_one_function() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("driver.rs");
    let text = "#[unsafe(no_mangle)] pub unsafe extern \"C\" fn cuDriverGetVersion(version: *mut i32) -> i32 {\n\
                    unsafe { *version = 13000 };\n    0\n}\n";
    std::fs::write(&source, text).unwrap();
    let mut compile = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    compile.args(["--edition=2024", "--crate-type=cdylib", "-Clink-arg=-Wl,-soname,libcuda.so.1", "-o"]);
    let output = compile.arg(folder.path().join("libcuda.so.1")).arg(&source).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

#[test]
fn another_library_under_the_plain_name() {
    let folder = tempfile::tempdir().unwrap();
    let own = std::fs::canonicalize(simulated().join("libcuda.so.1")).unwrap();
    // A copy is another library to the loader, as a stub would be.
    let bytes = std::fs::read(own).unwrap();
    let soname = b"libcuda.so.1\0";
    let place = bytes.windows(soname.len()).rposition(|window| window == soname).unwrap();
    let mut other = bytes;
    other[place..place + soname.len()].copy_from_slice(b"libother.so.1");
    std::fs::write(folder.path().join("libcuda.so"), other).unwrap();
    let (simulated, folder) =
        (simulated().to_string_lossy().into_owned(), folder.path().to_string_lossy().into_owned());
    let variables = [("GAPBENCH_CUDA_PATH", simulated.as_str()), ("LD_LIBRARY_PATH", folder.as_str())];
    scenario_in("another_library_under_the_plain_name", &variables, || {
        let Reason::Unusable { what, .. } = absent().reason else { panic!() };
        assert!(what.starts_with("the loader has another library as libcuda.so; "), "{what}");
        assert!(what.ends_with("in which libcuda.so is a link to this one"), "{what}");
    });
}

#[test]
fn a_device() {
    scenario("a_device", "attribute 16 7; attribute 36 2619000; driver 12040", || {
        let cuda = Cuda::find().unwrap();
        let facts = cuda.facts();
        assert_eq!(facts.name, "NVIDIA H200 (simulated)");
        assert!(facts.simulated);
        assert_eq!((facts.driver_version, facts.driver_version_text.as_str()), (12040, "12.4"));
        assert_eq!((facts.compute_capability, facts.architecture().as_str()), ((9, 0), "90"));
        assert_eq!((facts.multiprocessors, facts.l2_bytes, facts.memory_clock_khz), (7, 60 << 20, 2_619_000));
        assert!(facts.total_bytes > 100 << 30 && facts.clock_khz > 0 && facts.bus_width_bits > 0);
        assert!(facts.uuid.starts_with("GPU-") && facts.uuid.len() == 40, "{}", facts.uuid);
        assert!(facts.pci_bus_id.contains(':'), "{}", facts.pci_bus_id);
        assert_eq!(cuda.context().ordinal(), 0);
        assert!(!cuda.context().is_event_tracking());
        let again = Cuda::find().unwrap();
        assert!(std::ptr::eq(again.facts(), facts));
        drop((cuda, again));
        assert_eq!(
            support::calls("cuDevicePrimaryCtxRetain"),
            support::calls("cuDevicePrimaryCtxRelease_v2")
        );
        Cuda::find().unwrap().synchronize().unwrap();
    });
}
