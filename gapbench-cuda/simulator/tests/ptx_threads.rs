//! What threads do together: barriers, votes, copies, and how they fail to meet. Each kernel writes one word per thread.
#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

#[path = "ptx/support.rs"]
mod support;

use cuda_simulator::ptx::{Fault, FaultKind};
use support::{Buffers, launch, parameters};

/// Runs a body that computes `%d` from the thread's index in `%t`, in one block; `%out` is where it is stored.
fn each(threads: u32, body: &str) -> Result<Vec<u32>, Fault> {
    let text = format!(
        ".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry one(.param .u64 to)\n{{\n\
         .reg .b32 %r<9>, %t, %d; .reg .b64 %rd<9>, %out; .reg .pred %p<5>; .shared .align 16 .b8 %s[256];\n\
         mov.u32 %t, %tid.x; ld.param.u64 %out, [to]; mad.wide.u32 %out, %t, 4, %out;\n\
         {body}\nst.global.u32 [%out], %d; ret;\n}}\n"
    );
    let text = text.replace("%s", "memory");
    let mut memory = Buffers::default();
    let output = memory.zeros::<u32>(threads as usize);
    launch(&text, "one", &memory, [1, 1, 1], [threads, 1, 1], &parameters().with(output))?;
    Ok(memory.read(output))
}

#[test]
fn barriers_that_reduce() {
    let odd = "and.b32 %r1, %t, 1; setp.eq.u32 %p1, %r1, 1;";
    let found = each(50, &format!("{odd} bar.red.popc.u32 %d, 0, %p1;")).unwrap();
    assert_eq!(found, [25; 50]);
    let found =
        each(50, &format!("{odd} barrier.red.or.pred %p2, 1, !%p1; selp.u32 %d, 7, 8, %p2;")).unwrap();
    assert_eq!(found, [7; 50]);
    let found = each(50, &format!("{odd} bar.red.and.pred %p2, 0, %p1; selp.u32 %d, 7, 8, %p2;")).unwrap();
    assert_eq!(found, [8; 50]);
}

#[test]
fn a_barrier_for_some_of_the_threads() {
    // The first warp only arrives; the second waits for it and reads what it wrote.
    let body = "setp.lt.u32 %p1, %t, 32; shl.b32 %r1, %t, 2; mov.u32 %r2, %s; add.u32 %r2, %r2, %r1; mov.u32 %d, 0;\n\
                @%p1 st.shared.u32 [%r2], %t; @%p1 bar.arrive 1, 64; @%p1 bra DONE;\n\
                bar.sync 1, 64; ld.shared.u32 %d, [%r2+-128]; DONE:";
    let found = each(64, body).unwrap();
    assert_eq!(found[..32], [0; 32]);
    assert_eq!(found[32..], (0..32).collect::<Vec<_>>());
}

#[test]
fn threads_at_different_barriers() {
    let fault =
        each(64, "setp.lt.u32 %p1, %t, 32; @%p1 bar.sync 1; @!%p1 bar.sync 2; mov.u32 %d, 0;").unwrap_err();
    assert_eq!((&fault.kind, fault.line), (&FaultKind::Deadlock, 8));
    assert_eq!(
        fault.to_string(),
        "one: thread (0,0,0) of block (0,0,0): waits for threads that never arrive (PTX line 8: @%p1 bar.sync 1;)"
    );
}

#[test]
fn a_thread_that_has_ended_is_not_waited_for() {
    let found = each(40, "setp.eq.u32 %p1, %t, 3; @%p1 exit; bar.sync 0; mov.u32 %d, 1;").unwrap();
    assert_eq!((found[3], found.iter().sum::<u32>()), (0, 39));
}

#[test]
fn the_lanes_of_a_mask() {
    let half = "setp.lt.u32 %p1, %t, 16; selp.b32 %r1, 0xffff, 0xffff0000, %p1;";
    let found = each(32, &format!("{half} redux.sync.max.s32 %d, %t, %r1;")).unwrap();
    assert!(found[..16].iter().all(|value| *value == 15) && found[16..].iter().all(|value| *value == 31));
    let found = each(32, &format!("{half} elect.sync %r2|%p2, %r1; selp.u32 %d, 100, %r2, %p2;")).unwrap();
    assert_eq!((found[0], found[1], found[16], found[31]), (100, 0, 100, 16));
    let found = each(32, &format!("{half} mov.u32 %d, 0; @%p1 activemask.b32 %d;")).unwrap();
    assert_eq!((found[0], found[16]), (0xffff, 0));
    let found =
        each(32, &format!("{half} shr.u32 %r2, %t, 3; match.all.sync.b32 %d|%p2, %r2, %r1;")).unwrap();
    assert_eq!(found, [0; 32]);
    // A lane outside its own mask waits for what it has no part in.
    let fault = each(32, "bar.warp.sync 0xff; mov.u32 %d, 0;").unwrap_err();
    assert_eq!((fault.kind, fault.thread), (FaultKind::Deadlock, [8, 0, 0]));
}

#[test]
fn shuffles_within_segments() {
    let found =
        each(32, "shfl.sync.down.b32 %d|%p1, %t, 1, 0x181f, 0xffffffff; @!%p1 add.u32 %d, %d, 100;").unwrap();
    let expected = |lane: u32| if lane % 8 == 7 { lane + 100 } else { lane + 1 };
    assert_eq!(found, (0..32).map(expected).collect::<Vec<_>>());
    let found = each(32, "shfl.sync.up.b32 %d, %t, 3, 0x0, 0xffffffff;").unwrap();
    assert_eq!(found, (0..32).map(|lane| if lane < 3 { lane } else { lane - 3 }).collect::<Vec<_>>());
    // What a lane that is not there sends is NaN.
    let found = each(16, "shfl.sync.idx.b32 %d, %t, 20, 0x1f, 0xffffffff;").unwrap();
    assert_eq!(found, [u32::MAX; 16]);
}

#[test]
fn asynchronous_copies() {
    let body = "mov.u32 %r1, %s; and.b32 %r2, %t, 15; mad.lo.u32 %r1, %r2, 16, %r1; and.b64 %rd1, %out, -16;\n\
                st.global.u32 [%out], 9; bar.sync 0; cp.async.cg.shared.global [%r1], [%rd1], 16, 8;\n\
                cp.async.commit_group; cp.async.wait_group 0; bar.sync 0; ld.shared.v4.u32 {%r3, %r4, %r5, %r6}, [%r1];\n\
                mad.lo.u32 %d, %r4, 10, %r5; add.u32 %d, %d, %r6;";
    assert_eq!(each(4, body).unwrap(), [90; 4]);
}

#[test]
fn clocks_and_windows() {
    let found = each(
        1,
        "mov.u64 %rd1, %clock64; nanosleep.u32 1000; mov.u64 %rd2, %clock64; sub.u64 %rd1, %rd2, %rd1; cvt.u32.u64 %d, %rd1;",
    );
    assert_eq!(found.unwrap(), [1002]);
    let body = "mov.u64 %rd1, %s; cvta.shared.u64 %rd1, %rd1; st.u32 [%rd1+4], 77; ld.shared.u32 %d, [%s+4];\n\
                isspacep.shared %p1, %rd1; isspacep.global %p2, %rd1; @%p2 add.u32 %d, %d, 1; @%p1 add.u32 %d, %d, 2;";
    assert_eq!(each(1, body).unwrap(), [79]);
}
