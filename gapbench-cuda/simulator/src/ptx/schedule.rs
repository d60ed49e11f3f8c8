//! Runs the blocks of a launch one after another, and lets the threads of a block wait for each other.

use super::block::Block;
use super::instruction::{Barrier, Instruction, Operation, Slot};
use super::memory::Bytes;
use super::thread::{State, Thread};
use super::warp::{Collective, Inputs, LANES};
use super::{Fault, FaultKind, GlobalMemory, Kernel, Launch, Work};

/// The barriers of a block.
const BARRIERS: usize = 16;

/// Executes a launch.
pub(super) fn run(launch: &Launch<'_>, memory: &dyn GlobalMemory) -> Result<Work, Fault> {
    let count = launch.block.iter().map(|threads| *threads as usize).product();
    let parameters = Bytes::copy(launch.parameters);
    let shared = launch.kernel.shared_bytes.next_multiple_of(16).saturating_add(launch.dynamic_shared_bytes);
    let mut threads: Vec<Thread> = (0..count).map(|index| Thread::new(launch, index)).collect();
    let mut block = Block {
        launch,
        memory,
        parameters: &parameters,
        shared: Bytes::zeroed(shared),
        position: [0; 3],
        work: Work::default(),
        slept: 0,
    };
    for z in 0..launch.grid[2] {
        for y in 0..launch.grid[1] {
            for x in 0..launch.grid[0] {
                block.position = [x, y, z];
                run_block(&mut block, &mut threads)?;
            }
        }
    }
    Ok(block.work)
}

fn run_block(block: &mut Block<'_>, threads: &mut [Thread]) -> Result<(), Fault> {
    block.shared.poison(0, block.shared.length());
    for thread in &mut *threads {
        thread.start(block);
    }
    let mut arrived = [0; BARRIERS];
    loop {
        for warp in threads.chunks_mut(LANES) {
            run_warp(block, warp)?;
        }
        if threads.iter().all(|thread| thread.state == State::Done) {
            return Ok(());
        }
        let can_run = threads.iter().any(|thread| thread.state == State::Ready);
        if !arrive(block.launch.kernel, threads, &mut arrived) && !can_run {
            let stuck = threads.iter().find(|thread| thread.state != State::Done);
            return stuck.map_or(Ok(()), |thread| Err(fault(block, thread, FaultKind::Deadlock)));
        }
    }
}

/// Runs the threads of a warp until each waits for another warp, ends, or has had its turn.
fn run_warp(block: &mut Block<'_>, warp: &mut [Thread]) -> Result<(), Fault> {
    loop {
        for thread in &mut *warp {
            if thread.state == State::Ready {
                thread.run(block).map_err(|kind| fault(block, thread, kind))?;
            }
        }
        if !meet(block, warp)? {
            return Ok(());
        }
    }
}

fn fault(block: &Block<'_>, thread: &Thread, kind: FaultKind) -> Fault {
    let kernel = block.launch.kernel;
    let (line, instruction) = kernel.functions[thread.function].source[thread.at].clone();
    Fault {
        kernel: kernel.name.clone(),
        kind,
        block: block.position,
        thread: thread.position,
        line,
        instruction,
    }
}

/// What a thread of a warp waits for.
fn collective(kernel: &Kernel, thread: &Thread) -> Option<(Collective, u32)> {
    let instruction = thread.instruction(kernel);
    match (&instruction.operation, thread.state) {
        (Operation::Collective(collective), State::Collective) => {
            Some((*collective, thread.input(instruction, 3) as u32))
        }
        (Operation::Matrix(matrix, _), State::Collective) => Some((Collective::Matrix(*matrix), u32::MAX)),
        _ => None,
    }
}

/// The registers of the fragments of the matrix operation at which a thread stands.
fn fragments(kernel: &Kernel, thread: &Thread) -> Vec<Vec<Slot>> {
    match &thread.instruction(kernel).operation {
        Operation::Matrix(_, fragments) => fragments.to_vec(),
        _ => Vec::new(),
    }
}

/// Lets every group of lanes go on that is complete; whether there was one.
///
/// A group is complete when all lanes of its mask that have not ended stand at the same operation with the same mask.
fn meet(block: &mut Block<'_>, warp: &mut [Thread]) -> Result<bool, Fault> {
    let kernel = block.launch.kernel;
    let mut waiting = [None; LANES];
    let (mut alive, mut ready) = (0_u32, 0_u32);
    for (lane, thread) in warp.iter().enumerate() {
        waiting[lane] = collective(kernel, thread);
        alive |= u32::from(thread.state != State::Done) << lane;
        ready |= u32::from(thread.state == State::Ready) << lane;
    }
    let mut any = false;
    for lane in 0..warp.len() {
        let Some((kind, mask)) = waiting[lane] else { continue };
        // A lane outside its own mask waits for what it has no part in.
        let members = if kind == Collective::ActiveMask { u32::MAX } else { mask };
        let present = lanes_at(warp, &waiting, lane) & members;
        let complete = match kind {
            Collective::ActiveMask => ready == 0,
            // The ISA leaves open what a matrix operation gives where lanes are missing, so it never goes on there.
            Collective::Matrix(_) => present == u32::MAX,
            _ => mask >> lane & 1 == 1 && mask & alive & !present == 0,
        };
        if complete {
            any = true;
            exchange(block, warp, kind, present)?;
            for (lane, waiting) in waiting.iter_mut().enumerate() {
                *waiting = waiting.filter(|_| present >> lane & 1 == 0);
            }
        }
    }
    Ok(any)
}

/// The lanes that stand at the same operation with the same mask as this one.
fn lanes_at(warp: &[Thread], waiting: &[Option<(Collective, u32)>; LANES], lane: usize) -> u32 {
    let place = |lane: usize| (warp[lane].function, warp[lane].at);
    let one_place = matches!(waiting[lane], Some((Collective::ActiveMask, _)));
    (0..warp.len())
        .filter(|other| waiting[*other] == waiting[lane] && (!one_place || place(*other) == place(lane)))
        .fold(0, |mask, other| mask | 1 << other)
}

/// Executes an operation of these lanes.
fn exchange(block: &mut Block<'_>, warp: &mut [Thread], kind: Collective, present: u32) -> Result<(), Fault> {
    let kernel = block.launch.kernel;
    let taking_part = |lane: usize| present >> lane & 1 == 1;
    if let Collective::Matrix(matrix) = kind {
        let fragments: Vec<_> = warp.iter().map(|thread| fragments(kernel, thread)).collect();
        matrix.apply(block, warp, &fragments).map_err(|(lane, kind)| fault(block, &warp[lane], kind))?;
    }
    let mut inputs: Inputs = [None; LANES];
    for (lane, thread) in warp.iter().enumerate().filter(|(lane, _)| taking_part(*lane)) {
        let instruction = thread.instruction(kernel);
        let mut values = [0, 1, 2, 3].map(|index| thread.input(instruction, index));
        values[0] ^= u64::from(instruction.mode.variant);
        inputs[lane] = Some(values);
    }
    for (lane, thread) in warp.iter_mut().enumerate().filter(|(lane, _)| taking_part(*lane)) {
        let outputs = kind.outputs(lane, &inputs);
        let slots = thread.instruction(kernel).outputs;
        thread.set_register(slots[1], outputs[1]);
        thread.set_register(slots[0], outputs[0]);
        thread.go_on();
    }
    Ok(())
}

fn barrier(kernel: &Kernel, thread: &Thread) -> Option<(Barrier, usize)> {
    let instruction = thread.instruction(kernel);
    match (&instruction.operation, thread.state) {
        (Operation::Barrier(kind), State::Barrier) => {
            Some((*kind, thread.input(instruction, 0) as usize % BARRIERS))
        }
        _ => None,
    }
}

/// Lets go the threads of every complete barrier; whether any thread goes on.
fn arrive(kernel: &Kernel, threads: &mut [Thread], arrived: &mut [usize; BARRIERS]) -> bool {
    let mut any = false;
    for thread in &mut *threads {
        if let Some((Barrier::Arrive, id)) = barrier(kernel, thread) {
            arrived[id] += 1;
            thread.go_on();
            any = true;
        }
    }
    let alive = threads.iter().filter(|thread| thread.state != State::Done).count();
    for (id, arrived) in arrived.iter_mut().enumerate() {
        let waits = |thread: &Thread| barrier(kernel, thread).is_some_and(|(_, at)| at == id);
        let waiting: Vec<&Thread> = threads.iter().filter(|thread| waits(thread)).collect();
        let Some(first) = waiting.first() else { continue };
        let expected = match first.input(first.instruction(kernel), 1) as usize {
            0 => alive,
            count => count,
        };
        if waiting.len() + *arrived < expected {
            continue;
        }
        *arrived = 0;
        any = true;
        let holds = |thread: &Thread, instruction: &Instruction| {
            thread.input(instruction, 2) ^ u64::from(instruction.mode.variant) != 0
        };
        let true_count =
            waiting.iter().filter(|thread| holds(thread, thread.instruction(kernel))).count() as u64;
        let all = waiting.len() as u64;
        for thread in threads.iter_mut().filter(|thread| waits(thread)) {
            let instruction = thread.instruction(kernel);
            let result = match instruction.operation {
                Operation::Barrier(Barrier::All) => u64::from(true_count == all),
                Operation::Barrier(Barrier::Any) => u64::from(true_count > 0),
                _ => true_count,
            };
            thread.set_register(instruction.outputs[0], result);
            thread.go_on();
        }
    }
    any
}
