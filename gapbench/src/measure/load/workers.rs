//! Services that several threads call, and the watch over them: a worker that hangs is left behind and replaced.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::super::clock;
use super::depth::Depth;
use super::dispatch::Taken;
use super::outcome::{self, LoadOutcome, Seen};
use super::pace::{Prepared, Scheduling};
use super::record::{Ended, Recorder};
use super::{Answer, Emit, Load, Run, guarded};

/// Any service of several workers: index of the input, of the worker, and where to emit.
type Call = dyn Fn(usize, usize, &mut Emit) -> Answer + Send + Sync;

/// State of a worker that is with no request. Otherwise the state is when its request began.
const IDLE: u64 = 0;

/// State of a worker that was left behind.
const LEFT: u64 = u64::MAX;

/// Longest time between two looks at the workers; hangs are rarer than that.
const LONGEST_TICK_NS: u64 = 50_000_000;

/// What a worker and the watch share.
#[derive(Debug)]
struct Slot {
    state: AtomicU64,
    request: AtomicUsize,
    due_ns: AtomicU64,
    possible_ns: AtomicU64,
    /// Written by the worker alone, outside the time of a request: a lock that nobody waits for.
    recorder: Mutex<Recorder>,
}

impl Slot {
    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a worker begins.
#[derive(Clone, Copy, Debug)]
struct From {
    realtime: bool,
    /// When its place became free.
    free_ns: u64,
}

/// What a worker says when it ends.
struct Gone {
    worker: usize,
    scheduling: Scheduling,
}

fn work(run: &Run, slot: &Slot, worker: usize, call: &Call, from: From, gone: &Sender<Gone>) {
    let prepared = Prepared::take(from.realtime);
    let mut emit = Emit::new(run.rules.stream);
    let mut free_ns = from.free_ns;
    while let Some((Taken { request, due_ns }, begin_ns)) = run.dispatch.take() {
        let input = run.input(request);
        let possible_ns = due_ns.max(free_ns);
        slot.request.store(request, Ordering::Relaxed);
        slot.due_ns.store(due_ns, Ordering::Relaxed);
        slot.possible_ns.store(possible_ns, Ordering::Relaxed);
        slot.state.store(begin_ns, Ordering::Release);
        emit.begin(begin_ns);
        let answer = guarded(|| call(input, worker, &mut emit)).unwrap_or_else(Answer::Failed);
        let end_ns = clock::now_ns();
        if slot.state.compare_exchange(begin_ns, IDLE, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            // Its request has been counted, and another worker has its place.
            return;
        }
        run.dispatch.end(end_ns);
        let mut recorder = slot.recorder();
        recorder.busy_ns += end_ns - begin_ns;
        let emit = run.rules.stream.then_some(&emit);
        recorder.add(Ended { request, due_ns, possible_ns, begin_ns, end_ns, answer, emit });
        drop(recorder);
        free_ns = run.free_ns(possible_ns, begin_ns, end_ns);
    }
    // The watch has not ended: it waits for this.
    let _ = gone.send(Gone { worker, scheduling: prepared.scheduling.clone() });
}

/// The watch's side of a run.
struct Watch {
    run: Arc<Run>,
    call: Arc<Call>,
    realtime: bool,
    sender: Sender<Gone>,
    slots: Vec<Arc<Slot>>,
    running: Vec<usize>,
    lost: Recorder,
    depth: Depth,
    scheduling: Scheduling,
    replaced: u64,
}

impl Watch {
    /// Starts one more worker; false when the system gives no thread.
    fn start(&mut self, free_ns: u64) -> bool {
        let worker = self.slots.len();
        let slot = Arc::new(Slot {
            state: AtomicU64::new(IDLE),
            request: AtomicUsize::new(0),
            due_ns: AtomicU64::new(0),
            possible_ns: AtomicU64::new(0),
            recorder: Mutex::new(Recorder::new(&self.run.rules)),
        });
        let (run, call, sender) = (Arc::clone(&self.run), Arc::clone(&self.call), self.sender.clone());
        let (theirs, from) = (Arc::clone(&slot), From { realtime: self.realtime, free_ns });
        let started = thread::Builder::new()
            .name(format!("load-{worker}"))
            .spawn(move || work(&run, &theirs, worker, call.as_ref(), from, &sender));
        self.slots.push(slot);
        if started.is_ok() {
            self.running.push(worker);
        }
        started.is_ok()
    }

    /// Leaves workers behind whose request began longer ago than the limit.
    fn look_for_hangs(&mut self) {
        let now_ns = clock::now_ns();
        let limit_ns = self.run.rules.timeout_ns;
        for worker in self.running.clone() {
            let Some(slot) = self.slots.get(worker).cloned() else { continue };
            let begin_ns = slot.state.load(Ordering::Acquire);
            let taken = Taken {
                request: slot.request.load(Ordering::Relaxed),
                due_ns: slot.due_ns.load(Ordering::Relaxed),
            };
            let possible_ns = slot.possible_ns.load(Ordering::Relaxed);
            let hangs = begin_ns != IDLE && now_ns.saturating_sub(begin_ns) > limit_ns;
            // The exchange succeeds only while the worker is with the very request that was read.
            if !hangs
                || slot.state.compare_exchange(begin_ns, LEFT, Ordering::AcqRel, Ordering::Relaxed).is_err()
            {
                continue;
            }
            self.running.retain(|running| *running != worker);
            self.replaced += 1;
            // Started before its client goes on, so that nobody is missing who could serve it.
            let end_ns = begin_ns.saturating_add(limit_ns);
            self.start(end_ns);
            self.lost.busy_ns += limit_ns;
            let Taken { request, due_ns } = taken;
            let answer = Answer::Timeout;
            self.lost.add(Ended { request, due_ns, possible_ns, begin_ns, end_ns, answer, emit: None });
            self.run.dispatch.end(end_ns);
        }
    }

    fn until_all_are_gone(&mut self, gone: &Receiver<Gone>) {
        let start_ns = self.run.rules.start_ns;
        let hang_tick_ns = (self.run.rules.timeout_ns / 4).clamp(1_000_000, LONGEST_TICK_NS);
        let mut look_at_ns = start_ns;
        let mut hangs_at_ns = start_ns;
        while !self.running.is_empty() {
            let now_ns = clock::now_ns();
            let wait_ns = look_at_ns.min(hangs_at_ns).saturating_sub(now_ns);
            match gone.recv_timeout(Duration::from_nanos(wait_ns)) {
                Ok(Gone { worker, scheduling }) => {
                    self.running.retain(|running| *running != worker);
                    self.scheduling = scheduling;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now_ns = clock::now_ns();
            if now_ns >= look_at_ns {
                self.depth.look(&self.run.dispatch, start_ns);
                look_at_ns = now_ns + self.depth.interval_ns();
            }
            if now_ns >= hangs_at_ns {
                self.look_for_hangs();
                hangs_at_ns = now_ns + hang_tick_ns;
            }
        }
    }
}

pub(super) fn run(run: Run, load: &Load, call: Arc<Call>, workers: usize) -> LoadOutcome {
    let (sender, gone) = channel();
    let lost = Recorder::new(&run.rules);
    let mut watch = Watch {
        run: Arc::new(run),
        call,
        realtime: load.realtime,
        sender,
        slots: Vec::with_capacity(workers),
        running: Vec::with_capacity(workers),
        lost,
        depth: Depth::new(),
        scheduling: Scheduling::Ordinary,
        replaced: 0,
    };
    let start_ns = watch.run.rules.start_ns;
    let started = (0..workers).filter(|_| watch.start(start_ns)).count();
    watch.until_all_are_gone(&gone);
    let mut recorder = watch.lost;
    for slot in &watch.slots {
        recorder.merge(&mut slot.recorder());
    }
    recorder.rows.sort_unstable_by_key(|row| row.request);
    let seen = Seen {
        recorder,
        depth: watch.depth,
        timing: None,
        scheduling: watch.scheduling,
        replaced_workers: watch.replaced,
        batches: 0,
    };
    outcome::make(&watch.run, load, started.max(1), seen)
}
