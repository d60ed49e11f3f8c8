//! Which request is next and when it is due. The queue in front of the workers is the schedule itself: a worker takes the
//! next request when it is free and sleeps until that one is due, so that no thread hands requests over.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::clock;
use super::{Load, pace};
use crate::load::{Draw, Limit, Schedule, Think};

/// A request that a worker has taken; times are nanoseconds of the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) request: usize,
    pub(super) due_ns: u64,
}

/// What there is to take now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Taken(Taken),
    /// Nothing before this time.
    NotBefore(u64),
    /// Nothing until a request ends.
    Later,
    /// Nothing any more.
    Never,
}

/// Shared by all workers of a run.
#[derive(Debug)]
pub(super) struct Dispatch {
    start_ns: u64,
    kind: Kind,
    ended: AtomicU64,
}

#[derive(Debug)]
enum Kind {
    Open { schedule: Schedule, next: AtomicUsize, grain_ns: u64 },
    Closed { queue: Mutex<Closed>, changed: Condvar },
}

/// When a closed loop was at its cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Option<(u64, u64)>,
    pub(super) to: Option<(u64, u64)>,
}

/// Clients that think and clients whose request waits; the rest is with the workers.
#[derive(Debug)]
struct Closed {
    thinking: BinaryHeap<Reverse<u64>>,
    ready: VecDeque<u64>,
    draw: Draw,
    think: Think,
    most_requests: usize,
    until_ns: u64,
    /// After `until_ns` requests go on until there are so many, or until `longest_ns`.
    enough: usize,
    longest_ns: u64,
    promised: usize,
    issued: usize,
    with_workers: usize,
    waiting_workers: usize,
    in_system: usize,
    cap: usize,
    ended: u64,
    window: Window,
}

/// A closed loop is steady while at least this share of its clients has a request in flight.
///
/// # Source
/// vLLM's `vllm-bench`, steady-state window.
const STEADY_SHARE: f64 = 0.95;

impl Closed {
    /// A client's request is due.
    fn arrives(&mut self, at_ns: u64) {
        self.in_system += 1;
        if self.in_system >= self.cap && self.window.from.is_none() {
            self.window.from = Some((at_ns, self.ended));
        }
    }

    /// Moves the clients who have thought enough by `now_ns`.
    fn advance(&mut self, now_ns: u64) {
        while let Some(Reverse(due_ns)) = self.thinking.peek().copied() {
            if due_ns > now_ns {
                return;
            }
            self.thinking.pop();
            self.ready.push_back(due_ns);
            self.arrives(due_ns);
        }
    }

    fn next(&mut self, now_ns: u64) -> Next {
        self.advance(now_ns);
        if let Some(due_ns) = self.ready.pop_front() {
            self.issued += 1;
            self.with_workers += 1;
            return Next::Taken(Taken { request: self.issued - 1, due_ns });
        }
        match self.thinking.peek() {
            Some(Reverse(due_ns)) => Next::NotBefore(*due_ns),
            None if self.with_workers > 0 && self.promised < self.most_requests => Next::Later,
            None => Next::Never,
        }
    }

    fn promise(&mut self, due_ns: u64, now_ns: u64) {
        let more = due_ns < self.until_ns || (self.promised < self.enough && due_ns < self.longest_ns);
        if self.promised < self.most_requests && more {
            self.promised += 1;
            if due_ns <= now_ns {
                self.ready.push_back(due_ns);
                self.arrives(due_ns);
            } else {
                self.thinking.push(Reverse(due_ns));
            }
        }
    }

    fn end(&mut self, end_ns: u64) {
        self.advance(end_ns);
        self.ended += 1;
        self.with_workers = self.with_workers.saturating_sub(1);
        // Ends count before starts at the same time.
        if self.in_system == self.cap && self.window.from.is_some() {
            self.window.to = Some((end_ns, self.ended));
        }
        self.in_system = self.in_system.saturating_sub(1);
        let think_ns = self.draw.think_ns(self.think);
        self.promise(end_ns.saturating_add(think_ns), end_ns);
        self.advance(end_ns);
    }
}

fn lock(queue: &Mutex<Closed>) -> MutexGuard<'_, Closed> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dispatch {
    pub(super) fn open(schedule: Schedule, start_ns: u64, grain_ns: u64) -> Dispatch {
        let kind = Kind::Open { schedule, next: AtomicUsize::new(0), grain_ns };
        Dispatch { start_ns, kind, ended: AtomicU64::new(0) }
    }

    pub(super) fn closed(clients: usize, think: Think, load: &Load, start_ns: u64) -> Dispatch {
        let at = |seconds: f64| start_ns.saturating_add((seconds * 1e9) as u64);
        let (most_requests, until_ns) = match load.limit {
            Limit::Requests(requests) => (requests, u64::MAX),
            Limit::Seconds(seconds) => (usize::MAX, at(seconds)),
        };
        let (enough, longest_ns) =
            load.enough.map_or((0, until_ns), |enough| (enough.requests, at(enough.at_most_seconds)));
        let mut queue = Closed {
            thinking: BinaryHeap::with_capacity(clients + 1),
            ready: VecDeque::with_capacity(clients + 1),
            draw: Draw::named(load.seed, "think"),
            think,
            most_requests,
            until_ns,
            enough,
            longest_ns,
            promised: 0,
            issued: 0,
            with_workers: 0,
            waiting_workers: 0,
            in_system: 0,
            cap: ((clients as f64 * STEADY_SHARE).ceil() as usize).max(1),
            ended: 0,
            window: Window::default(),
        };
        for _ in 0..clients {
            let think_ns = queue.draw.think_ns(think);
            queue.promise(start_ns.saturating_add(think_ns), 0);
        }
        let kind = Kind::Closed { queue: Mutex::new(queue), changed: Condvar::new() };
        Dispatch { start_ns, kind, ended: AtomicU64::new(0) }
    }

    /// The next request for a worker that is free, and the time at which it can begin, which has come.
    #[inline]
    pub(super) fn take(&self) -> Option<(Taken, u64)> {
        match &self.kind {
            Kind::Open { schedule, next, grain_ns } => {
                let request = next.fetch_add(1, Ordering::Relaxed);
                let due_ns = self.start_ns + schedule.due_ns(request)?;
                Some((Taken { request, due_ns }, pace::wait_in_grains(due_ns, *grain_ns)))
            }
            Kind::Closed { queue, changed } => {
                let mut queue = lock(queue);
                loop {
                    let now_ns = clock::now_ns();
                    match queue.next(now_ns) {
                        Next::Taken(taken) => return Some((taken, now_ns)),
                        Next::NotBefore(due_ns) => {
                            let wait = Duration::from_nanos(due_ns - now_ns);
                            queue.waiting_workers += 1;
                            let waited = changed.wait_timeout(queue, wait);
                            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
                            queue.waiting_workers -= 1;
                        }
                        Next::Later => {
                            queue.waiting_workers += 1;
                            queue = changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                            queue.waiting_workers -= 1;
                        }
                        Next::Never => return None,
                    }
                }
            }
        }
    }

    /// What a lone worker could take at `now_ns` without waiting.
    pub(super) fn try_take(&self, now_ns: u64) -> Next {
        match &self.kind {
            Kind::Open { schedule, next, .. } => {
                let request = next.load(Ordering::Relaxed);
                let Some(due_ns) = schedule.due_ns(request) else { return Next::Never };
                let due_ns = self.start_ns + due_ns;
                if due_ns > now_ns {
                    return Next::NotBefore(due_ns);
                }
                next.store(request + 1, Ordering::Relaxed);
                Next::Taken(Taken { request, due_ns })
            }
            Kind::Closed { queue, .. } => lock(queue).next(now_ns),
        }
    }

    /// A request ended at `end_ns`: its client goes on.
    #[inline]
    pub(super) fn end(&self, end_ns: u64) {
        match &self.kind {
            Kind::Open { .. } => {
                self.ended.fetch_add(1, Ordering::Relaxed);
            }
            Kind::Closed { queue, changed } => {
                let mut queue = lock(queue);
                queue.end(end_ns);
                let somebody_waits = queue.waiting_workers > 0;
                drop(queue);
                if somebody_waits {
                    // They look again: for this client's next request, or because none will come.
                    changed.notify_all();
                }
            }
        }
    }

    /// Requests that are due and have not ended.
    pub(super) fn in_system(&self, now_ns: u64) -> u64 {
        match &self.kind {
            Kind::Open { schedule, .. } => {
                // In this order: a request that ends in between makes the number too small by one, never negative.
                let due = schedule.due_by(now_ns.saturating_sub(self.start_ns)) as u64;
                due.saturating_sub(self.ended.load(Ordering::Relaxed))
            }
            Kind::Closed { queue, .. } => {
                let mut queue = lock(queue);
                queue.advance(now_ns);
                queue.in_system as u64
            }
        }
    }

    /// When the closed loop was steady, with the requests that had ended by then.
    pub(super) fn window(&self) -> Window {
        match &self.kind {
            Kind::Open { .. } => Window::default(),
            Kind::Closed { queue, .. } => lock(queue).window,
        }
    }

    pub(super) fn start_ns(&self) -> u64 {
        self.start_ns
    }

    /// The schedule of an open loop.
    pub(super) fn schedule(&self) -> Option<&Schedule> {
        match &self.kind {
            Kind::Open { schedule, .. } => Some(schedule),
            Kind::Closed { .. } => None,
        }
    }

    pub(super) fn issued(&self) -> usize {
        match &self.kind {
            Kind::Open { schedule, next, .. } => next.load(Ordering::Relaxed).min(schedule.len()),
            Kind::Closed { queue, .. } => lock(queue).issued,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Enough;
    use super::*;
    use crate::load::Scenario;

    fn load(limit: Limit) -> Load {
        Load::new(Scenario::SingleStream, limit, 1, 1)
    }

    fn taken(next: Next) -> Taken {
        match next {
            Next::Taken(taken) => taken,
            other => panic!("nothing taken: {other:?}"),
        }
    }

    #[test]
    fn clients_think_and_the_window_is_the_time_at_the_cap() {
        let loop_of_two = Dispatch::closed(2, Think::Constant(100), &load(Limit::Requests(3)), 1_000);
        assert_eq!(loop_of_two.try_take(1_000), Next::NotBefore(1_100));
        assert_eq!(taken(loop_of_two.try_take(1_100)), Taken { request: 0, due_ns: 1_100 });
        assert_eq!(taken(loop_of_two.try_take(1_100)), Taken { request: 1, due_ns: 1_100 });
        assert_eq!(loop_of_two.try_take(1_100), Next::Later);
        assert_eq!(loop_of_two.in_system(1_100), 2);
        loop_of_two.end(1_150);
        assert_eq!(loop_of_two.try_take(1_150), Next::NotBefore(1_250));
        loop_of_two.end(1_160);
        assert_eq!(taken(loop_of_two.try_take(1_300)), Taken { request: 2, due_ns: 1_250 });
        assert_eq!(loop_of_two.try_take(1_300), Next::Never);
        assert_eq!(loop_of_two.window(), Window { from: Some((1_100, 0)), to: Some((1_150, 1)) });
        assert_eq!(loop_of_two.issued(), 3);
    }

    #[test]
    fn a_loop_of_some_seconds_promises_nothing_after_them() {
        let one = Dispatch::closed(1, Think::None, &load(Limit::Seconds(1e-6)), 5_000);
        taken(one.try_take(5_000));
        one.end(5_999);
        taken(one.try_take(5_999));
        one.end(6_000);
        assert_eq!(one.try_take(6_000), Next::Never);
    }

    #[test]
    fn a_loop_goes_on_until_it_has_sent_enough_or_its_time_is_over() {
        let enough = |requests, at_most_seconds| {
            let enough = Some(Enough { requests, at_most_seconds });
            let one = Dispatch::closed(1, Think::None, &Load { enough, ..load(Limit::Seconds(1e-6)) }, 5_000);
            let mut now_ns = 5_000;
            while let Next::Taken(_) = one.try_take(now_ns) {
                now_ns += 600;
                one.end(now_ns);
            }
            one.issued()
        };
        assert_eq!(enough(0, 1e-3), 2);
        assert_eq!(enough(5, 1e-3), 5);
        assert_eq!(enough(50, 2e-6), 4);
    }
}
