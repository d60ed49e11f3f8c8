//! What a stream's thread does with an operation.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Driver;
use super::code::{Code, Outcome};
use super::cost::{self, Duration};
use super::device;
use super::launch::KernelLaunch;
use super::stream::{Foreign, Job, Operation, Source, Transfer};
use super::trace::{Trace, View};
use crate::ptx::{self, Fault, FaultKind};

/// Executes one operation; an error ends the context.
pub(crate) fn execute(driver: &Driver, stream: u64, job: Job) {
    let Job { operation, issued_ns } = job;
    let step = Step { driver, stream, issued_ns, launch_ns: cost::LAUNCH_NS };
    let outcome = catch_unwind(AssertUnwindSafe(|| step.run(&operation)));
    if let Err(code) = outcome.unwrap_or(Err(Code::UNKNOWN)) {
        let mut state = driver.lock();
        // An error of a context that has ended meanwhile is nobody's.
        if state.streams.contains_key(&stream) {
            state.sticky.get_or_insert(code);
        }
        drop(state);
        driver.wake();
    }
}

/// One operation's place: in which stream, and from when.
struct Step<'a> {
    driver: &'a Driver,
    stream: u64,
    issued_ns: u64,
    launch_ns: u64,
}

impl Step<'_> {
    fn run(&self, operation: &Operation) -> Outcome {
        let lost = self.driver.lock().sticky.is_some();
        match operation {
            Operation::Record(recording) => {
                recording.finish(self.advance(Duration::default(), 0));
                self.driver.wake();
                Ok(())
            }
            // Nothing else happens in a lost context.
            _ if lost => Ok(()),
            Operation::Wait(recording) => {
                let at_ns = self.driver.wait_for_recording(recording).unwrap_or(0);
                self.advance(Duration::default(), at_ns);
                Ok(())
            }
            Operation::After { stream, position } => {
                let at_ns = self.driver.wait_for_position(*stream, *position);
                self.advance(Duration::default(), at_ns);
                Ok(())
            }
            Operation::Copy(transfer) => self.copy(transfer),
            Operation::Fill { address, pattern, pattern_bytes, bytes } => {
                self.fill(*address, &pattern[..*pattern_bytes], *bytes)
            }
            Operation::Unmap(address) => {
                let mut state = self.driver.lock();
                state.memory.unmap(*address);
                state.cache.forget(*address);
                Ok(())
            }
            Operation::Kernel(launch) => self.kernel(launch),
            Operation::Host { function, data } => {
                self.advance(Duration::default(), 0);
                // SAFETY: the program gave the function for this data, to be called once from another thread.
                unsafe { function(*data as *mut c_void) };
                Ok(())
            }
            Operation::Foreign(foreign) => self.foreign(foreign),
            Operation::Graph(operations) => {
                self.advance(Duration { latency_ns: cost::LAUNCH_NS, body_ns: 0 }, 0);
                let node = Step { launch_ns: cost::NODE_NS, ..*self };
                operations.iter().try_for_each(|operation| node.run(operation))
            }
        }
    }

    /// Lets the stream's time pass; answers the time after it. The latency overlaps the host's way to the call.
    fn advance(&self, duration: Duration, not_before_ns: u64) -> u64 {
        let mut state = self.driver.lock();
        if state.script.realtime {
            drop(state);
            let whole = std::time::Duration::from_nanos(duration.latency_ns + duration.body_ns);
            #[allow(
                clippy::disallowed_methods,
                reason = "a duration that really elapses is what was asked for"
            )]
            std::thread::sleep(whole);
            state = self.driver.lock();
        }
        let Some(stream) = state.streams.get_mut(&self.stream) else { return self.issued_ns };
        let begun_ns = (stream.ready_ns + duration.latency_ns).max(self.issued_ns).max(not_before_ns);
        stream.ready_ns = begun_ns + duration.body_ns;
        stream.ready_ns
    }

    /// When a kernel begins that is launched now: nanoseconds, and cycles of the multiprocessors' clock.
    fn start(&self) -> (u64, u64) {
        let state = self.driver.lock();
        let stream = state.streams.get(&self.stream);
        let (ready_ns, lost) = stream.map_or((0, 0), |stream| (stream.ready_ns, stream.lost_cycles));
        let start_ns = (ready_ns + self.launch_ns).max(self.issued_ns);
        (start_ns, device::cycles(start_ns).saturating_sub(lost))
    }

    /// A kernel's duration under a clock that is `factor` times slower.
    fn advance_throttled(&self, duration: Duration, factor: f64) {
        self.advance(duration, 0);
        let cycles = device::cycles(duration.latency_ns + duration.body_ns) as f64;
        if let Some(stream) = self.driver.lock().streams.get_mut(&self.stream) {
            stream.lost_cycles += (cycles * (1.0 - 1.0 / factor)) as u64;
        }
    }

    /// Checks that a device range lies in one allocation and holds its pages as long as the answer lives.
    fn check(&self, address: u64, bytes: u64, write: bool) -> Outcome<Arc<View>> {
        let mut state = self.driver.lock();
        if bytes > 0 && state.memory.covering(address, bytes).is_none() {
            let what = if write { "write" } else { "read" };
            eprintln!(
                "cuda-simulator: a copy would {what} {bytes} bytes at {address:#x}, outside every live allocation"
            );
            return Err(Code::ILLEGAL_ADDRESS);
        }
        Ok(state.memory.view())
    }

    fn touch(&self, address: u64, bytes: u64) {
        let mut state = self.driver.lock();
        if bytes >= cost::L2_BYTES {
            state.cache.clear();
        } else if let Some((start, size)) = state.memory.covering(address, bytes) {
            state.cache.touch(start, size);
        }
    }

    fn copy(&self, transfer: &Transfer) -> Outcome {
        let Transfer { to, from, bytes, from_device, to_device } = transfer;
        let source = match from {
            Source::Address(address) => *address,
            Source::Bytes(held) => held.as_ptr() as u64,
        };
        let _from = from_device.then(|| self.check(source, *bytes, false)).transpose()?;
        let _to = to_device.then(|| self.check(*to, *bytes, true)).transpose()?;
        // SAFETY: device ranges were checked and their pages are held; host ranges are the caller's promise.
        unsafe { std::ptr::copy(source as *const u8, *to as *mut u8, *bytes as usize) };
        if *from_device {
            self.touch(source, *bytes);
        }
        if *to_device {
            self.touch(*to, *bytes);
        }
        self.advance(cost::copy(*bytes, !(*from_device && *to_device)), 0);
        Ok(())
    }

    fn fill(&self, address: u64, pattern: &[u8], bytes: u64) -> Outcome {
        let _pages = self.check(address, bytes, true)?;
        let zeros = pattern.iter().all(|&byte| byte == 0);
        let emptied = if zeros { self.driver.lock().memory.empty(address, bytes) } else { 0..0 };
        // SAFETY: the range was checked and its pages are held.
        let target = unsafe { std::slice::from_raw_parts_mut(address as *mut u8, bytes as usize) };
        let (before, rest) = target.split_at_mut(emptied.start);
        for part in [before, &mut rest[emptied.len()..]] {
            if pattern.iter().all(|&byte| byte == pattern[0]) {
                part.fill(pattern[0]);
            } else {
                part.chunks_exact_mut(pattern.len()).for_each(|chunk| chunk.copy_from_slice(pattern));
            }
        }
        self.touch(address, bytes);
        self.advance(cost::fill(bytes), 0);
        Ok(())
    }

    fn foreign(&self, foreign: &Foreign) -> Outcome {
        self.scripted(&foreign.name)?;
        let mut duration = {
            let mut state = self.driver.lock();
            let slow = state.script.slow.get(&foreign.name).copied().unwrap_or(1.0);
            let fixed = state.script.costs.get(&foreign.name).map(|cost| Duration::whole(cost.ns));
            fixed.unwrap_or(foreign.duration).slowed(slow * state.script.throttle_launch())
        };
        duration.latency_ns = duration.latency_ns.min(self.launch_ns);
        // SAFETY: the library gave the function for this data and releases it only when the operation is dropped.
        let code = unsafe { (foreign.run)(foreign.data as *mut c_void) };
        if code != 0 {
            return Err(Code(code));
        }
        self.advance(duration, 0);
        Ok(())
    }

    /// What the script has for a kernel or a product while it runs.
    fn scripted(&self, name: &str) -> Outcome {
        let (hangs, failing) = {
            let mut state = self.driver.lock();
            (state.script.hanging.contains(name), state.script.failing_kernel(name, true))
        };
        if hangs {
            loop {
                std::thread::park();
            }
        }
        failing.map_or(Ok(()), |failing| Err(Code(failing.code)))
    }

    fn kernel(&self, launch: &KernelLaunch) -> Outcome {
        self.scripted(&launch.name)?;
        let trace = {
            let mut state = self.driver.lock();
            Trace::new(state.memory.view(), Arc::clone(&state.alive))
        };
        let (start_ns, start_cycles) = self.start();
        let request = ptx::Launch {
            dynamic_shared_bytes: launch.dynamic_shared_bytes as usize,
            start_ns,
            start_cycles,
            ..ptx::Launch::new(launch.kernel()?, launch.grid, launch.block, &launch.parameters)
        };
        let work = match ptx::run(request, &trace) {
            Ok(work) => work,
            Err(_) if trace.is_over() => return Ok(()),
            Err(fault) => return Err(report(&fault)),
        };
        if trace.waited_for_host() {
            // Its instructions are the wait's, and it ended when the host had done what it waited for.
            let duration = Duration { latency_ns: self.launch_ns, body_ns: 0 };
            self.advance(duration, self.driver.host_ns());
            return Ok(());
        }
        let (duration, factor) = self.duration(launch, work, &trace);
        self.advance_throttled(duration, factor);
        Ok(())
    }

    /// What a kernel costs, and by how much a throttle slowed the clock meanwhile.
    fn duration(&self, launch: &KernelLaunch, work: ptx::Work, trace: &Trace) -> (Duration, f64) {
        let mut state = self.driver.lock();
        let touched = trace.touched();
        let cold_bytes = touched.into_iter().map(|(address, bytes)| state.cache.touch(address, bytes)).sum();
        let duration = match state.script.costs.get(&launch.name) {
            Some(&cost) => cost::fixed(cost, launch.grid),
            None => cost::kernel(work, cold_bytes, self.launch_ns),
        };
        let slow = state.script.slow.get(&launch.name).copied().unwrap_or(1.0);
        let throttle = state.script.throttle_launch();
        (duration.slowed(slow * throttle), throttle)
    }
}

/// Says on stderr what a kernel did, and answers the code that hardware gives for it.
fn report(fault: &Fault) -> Code {
    eprintln!("cuda-simulator: {fault}");
    match fault.kind {
        FaultKind::IllegalAddress { .. } => Code::ILLEGAL_ADDRESS,
        FaultKind::MisalignedAddress { .. } => Code::MISALIGNED_ADDRESS,
        // The function that a failed `assert` calls.
        FaultKind::Trap if fault.instruction.contains("__assertfail") => Code::ASSERT,
        FaultKind::Trap => Code::LAUNCH_FAILED,
        FaultKind::Deadlock | FaultKind::Endless => Code::LAUNCH_TIMEOUT,
    }
}
