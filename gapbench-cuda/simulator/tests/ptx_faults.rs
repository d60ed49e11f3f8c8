//! Kernels that go wrong, compiled from the `.cu` files beside them: where and how they are stopped.

#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at what it does not expect"
)]

#[path = "ptx/support.rs"]
mod support;

use cuda_simulator::ptx::{FaultKind, Launch, Module, run};
use support::{Buffers, launch, parameters};

const FAULTS: &str = include_str!("ptx/faults.ptx");

#[test]
fn an_access_outside_every_allocation() {
    let mut memory = Buffers::default();
    let output = memory.zeros::<f32>(100);
    let arguments = parameters().with(output).with(100_i32);
    let fault = launch(FAULTS, "out_of_bounds", &memory, [4, 1, 1], [32, 1, 1], &arguments).unwrap_err();
    assert_eq!((fault.block, fault.thread), ([3, 0, 0], [4, 0, 0]));
    let (address, line) = (output + 400, fault.line);
    assert_eq!(
        fault.to_string(),
        format!(
            "out_of_bounds: thread (4,0,0) of block (3,0,0): write of 4 bytes at {address:#x}: outside every \
             allocation (PTX line {line}: {})",
            FAULTS.lines().nth(line - 1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        )
    );
    assert_eq!(memory.read::<f32>(output), [1.0; 100]);
}

#[test]
fn an_address_that_is_not_aligned() {
    let mut memory = Buffers::default();
    let output = memory.zeros::<i32>(4);
    let fault =
        launch(FAULTS, "misaligned", &memory, [1, 1, 1], [1, 1, 1], &parameters().with(output)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::MisalignedAddress { address: output + 1, bytes: 4 });
}

#[test]
fn shared_memory_has_an_end() {
    let mut memory = Buffers::default();
    let output = memory.zeros::<i32>(32);
    let arguments = |shift: i32| parameters().with(output).with(shift);
    launch(FAULTS, "shared_out_of_bounds", &memory, [1, 1, 1], [32, 1, 1], &arguments(0)).unwrap();
    assert_eq!(memory.read::<i32>(output), (0..32).rev().collect::<Vec<_>>());
    let fault =
        launch(FAULTS, "shared_out_of_bounds", &memory, [1, 1, 1], [32, 1, 1], &arguments(1)).unwrap_err();
    assert!(matches!(
        fault.kind,
        FaultKind::IllegalAddress { address: 128, bytes: 4, space: "shared", write: true }
    ));
    assert_eq!(fault.thread, [31, 0, 0]);
}

#[test]
fn shared_memory_begins_as_nan() {
    let mut memory = Buffers::default();
    let output = memory.zeros::<f32>(32);
    launch(FAULTS, "uninitialised", &memory, [1, 1, 1], [32, 1, 1], &parameters().with(output)).unwrap();
    let found = memory.read::<f32>(output);
    assert!(found[0].is_nan() && found[1..].iter().all(|value| *value == 1.0));
}

#[test]
fn a_torn_warp_is_a_deadlock() {
    let mut memory = Buffers::default();
    let output = memory.zeros::<i32>(32);
    let fault =
        launch(FAULTS, "torn_warp", &memory, [1, 1, 1], [32, 1, 1], &parameters().with(output)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Deadlock);
}

#[test]
fn a_trap() {
    let mut memory = Buffers::default();
    let output = memory.zeros::<i32>(32);
    let fault =
        launch(FAULTS, "traps", &memory, [1, 1, 1], [32, 1, 1], &parameters().with(output)).unwrap_err();
    assert_eq!((fault.kind, fault.thread), (FaultKind::Trap, [3, 0, 0]));
}

#[test]
fn a_kernel_that_never_ends_is_stopped() {
    let mut memory = Buffers::default();
    let (flag, times) = (memory.zeros::<i32>(1), memory.zeros::<u64>(3));
    let arguments = parameters().with(flag).with(times);
    let module = Module::parse(FAULTS).unwrap();
    let launch = Launch {
        max_instructions: 100_000,
        ..Launch::new(&module.kernels["waits_for_flag"], [1, 1, 1], [1, 1, 1], &arguments.0)
    };
    assert_eq!(run(launch, &memory).unwrap_err().kind, FaultKind::Endless);
}

#[test]
fn a_flag_that_the_host_sets_is_seen() {
    let mut memory = Buffers::default();
    let (flag, times) = (memory.zeros::<i32>(1), memory.zeros::<u64>(3));
    let arguments = parameters().with(flag).with(times);
    let module = Module::parse(FAULTS).unwrap();
    let launch = Launch {
        start_ns: 1_000_000,
        ..Launch::new(&module.kernels["waits_for_flag"], [1, 1, 1], [1, 1, 1], &arguments.0)
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            support::set_flag(flag);
        });
        run(launch, &memory).unwrap();
    });
    let times = memory.read::<u64>(times);
    assert!(times[0] > 0 && times[1] > 1_000_000, "{times:?}");
}

#[test]
fn threads_that_spin_do_not_starve_the_one_they_wait_for() {
    let mut memory = Buffers::default();
    let (lock, count) = (memory.zeros::<i32>(1), memory.zeros::<i32>(1));
    launch(FAULTS, "spin_lock", &memory, [2, 1, 1], [64, 1, 1], &parameters().with(lock).with(count))
        .unwrap();
    assert_eq!(memory.read::<i32>(count), [128]);
}
