//! A queue on a virtual clock: what a load does to servers of known behaviour, without waiting.
//!
//! It is how the arithmetic of loads is held against queueing theory, and how a reader can see what a stall does to a
//! tail.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::scenario::Think;
use super::schedule::{Draw, Schedule};

/// How long a server is busy with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ServiceTime {
    /// Always this many nanoseconds.
    Constant(u64),
    /// Exponential with this mean in nanoseconds.
    Exponential(u64),
}

/// All servers stand still from `from_ns` for `length_ns`; what they were doing is finished afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stall {
    /// Nanoseconds from the start.
    pub from_ns: u64,
    /// Nanoseconds.
    pub length_ns: u64,
}

/// Equal servers with one first-come-first-served queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct System {
    /// Servers; 0 is taken as 1.
    pub servers: usize,
    /// Time per request.
    pub service: ServiceTime,
    /// At most one stall.
    pub stall: Option<Stall>,
}

/// When a request was due, when a server took it and when it ended, in nanoseconds from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Due.
    pub due_ns: u64,
    /// Taken by a server.
    pub begin_ns: u64,
    /// Ended.
    pub end_ns: u64,
}

impl Served {
    /// From due to taken.
    pub fn wait_ns(&self) -> u64 {
        self.begin_ns.saturating_sub(self.due_ns)
    }

    /// From due to the end: what a user sees.
    pub fn sojourn_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.due_ns)
    }

    /// From taken to the end: what a generator sees that counts from sending to a busy server.
    pub fn service_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.begin_ns)
    }
}

impl System {
    fn draw_ns(&self, draw: &mut Draw) -> u64 {
        match self.service {
            ServiceTime::Constant(ns) => ns,
            ServiceTime::Exponential(mean_ns) => (mean_ns as f64 * draw.exponential()).round() as u64,
        }
    }

    /// When a service of `ns` begins and ends that finds a free server at `at_ns`.
    fn serve(&self, at_ns: u64, ns: u64) -> (u64, u64) {
        let Some(Stall { from_ns, length_ns }) = self.stall else { return (at_ns, at_ns.saturating_add(ns)) };
        let until_ns = from_ns.saturating_add(length_ns);
        let begin_ns = if (from_ns..until_ns).contains(&at_ns) { until_ns } else { at_ns };
        let end_ns = begin_ns.saturating_add(ns);
        let hit = begin_ns < from_ns && end_ns > from_ns;
        (begin_ns, if hit { end_ns.saturating_add(length_ns) } else { end_ns })
    }

    fn free(&self) -> BinaryHeap<Reverse<u64>> {
        (0..self.servers.max(1)).map(|_| Reverse(0)).collect()
    }

    /// Plays an open load.
    pub fn open(&self, schedule: &Schedule, seed: u64) -> Vec<Served> {
        let mut draw = Draw::named(seed, "service");
        let mut free = self.free();
        let due = (0..schedule.len()).map_while(|index| schedule.due_ns(index));
        due.map_while(|due_ns| {
            let Reverse(idle_ns) = free.pop()?;
            let (begin_ns, end_ns) = self.serve(due_ns.max(idle_ns), self.draw_ns(&mut draw));
            free.push(Reverse(end_ns));
            Some(Served { due_ns, begin_ns, end_ns })
        })
        .collect()
    }

    /// Plays a closed loop of `clients` over `requests`. Every client begins by thinking, as if it had just been answered.
    pub fn closed(&self, clients: usize, think: Think, requests: usize, seed: u64) -> Vec<Served> {
        let mut service = Draw::named(seed, "service");
        let mut thinking = Draw::named(seed, "think");
        let mut free = self.free();
        let mut due: BinaryHeap<Reverse<u64>> =
            (0..clients).map(|_| Reverse(thinking.think_ns(think))).collect();
        (0..requests)
            .map_while(|_| {
                // The earliest due request goes to the server that is free first: no later one can overtake it, since an
                // answer that is still to come makes a request due only after it.
                let Reverse(due_ns) = due.pop()?;
                let Reverse(idle_ns) = free.pop()?;
                let (begin_ns, end_ns) = self.serve(due_ns.max(idle_ns), self.draw_ns(&mut service));
                free.push(Reverse(end_ns));
                due.push(Reverse(end_ns.saturating_add(thinking.think_ns(think))));
                Some(Served { due_ns, begin_ns, end_ns })
            })
            .collect()
    }
}

/// The mean number of requests in the system from the start to the last end, by walking over arrivals and departures.
/// It knows no sojourn time, so that Little's law can be held against it. 0 without requests.
pub fn mean_in_system(served: &[Served]) -> f64 {
    let mut ends: Vec<u64> = served.iter().map(|one| one.end_ns).collect();
    let mut dues: Vec<u64> = served.iter().map(|one| one.due_ns).collect();
    ends.sort_unstable();
    dues.sort_unstable();
    let (mut dues, mut ends) = (dues.into_iter().peekable(), ends.into_iter().peekable());
    let (mut last_ns, mut inside, mut area) = (0_u64, 0.0, 0.0);
    while let Some(end) = ends.peek().copied() {
        let arrives = dues.peek().copied().filter(|due| *due <= end);
        let at_ns = arrives.unwrap_or(end);
        area += inside * at_ns.saturating_sub(last_ns) as f64;
        last_ns = at_ns;
        if arrives.is_some() {
            inside += 1.0;
            dues.next();
        } else {
            inside -= 1.0;
            ends.next();
        }
    }
    if last_ns == 0 { 0.0 } else { area / last_ns as f64 }
}
