//! The timed loop and the rule that ends it. One sampler serves plain functions and requests alike.

use std::hint::black_box;

use crate::plan::Budget;
use crate::record::{Batch, Timing};
use crate::stats;

use super::clock;
use super::contention::Reading;

/// Shorter than this, the two clock readings (about 44 ns together, measured) are more than 1 % of an observation, so
/// calls are timed in batches. Source: `docs/METHODOLOGY.md`, "One observation".
const SHORTEST_OBSERVATION_NS: u64 = 5_000;

/// From this length on, the thread's processor time is read around each observation: two system calls of about 0.25 us
/// outside the timed interval are then no disturbance.
const SHORTEST_CPU_OBSERVATION_NS: u64 = 50_000;

/// A record keeps its raw observations, so there is a bound: calls in between still run, untimed.
const MOST_OBSERVATIONS: usize = 10_000;

/// The interval's level in the stopping rule.
const STOPPING_ALPHA: f64 = 0.05;

/// Stretches that a rate is made of; enough for an interval that allows for slow drift.
const RATE_BATCHES: usize = 20;

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    /// Wall seconds per call, in order.
    pub(super) wall: Vec<f64>,
    /// Processor seconds per call of the calling thread, where observations are long enough.
    pub(super) cpu: Vec<f64>,
    /// Calls that each observation is the mean of.
    pub(super) calls_per_value: u64,
    /// Calls and seconds of consecutive stretches of the loop: every call counts, and time between calls does not.
    pub(super) rates: Vec<Batch>,
    /// Contention of the loop.
    pub(super) timing: Timing,
}

/// How calls are grouped into observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grouping {
    /// Calls per observation.
    batch: u64,
    /// Calls that run untimed between two observations.
    between: u64,
}

impl Grouping {
    fn new(call_ns: f64, budget: &Budget) -> Grouping {
        let call_ns = call_ns.max(0.1);
        let batch = (SHORTEST_OBSERVATION_NS as f64 / call_ns).ceil().max(1.0);
        let possible = budget.measure * 1e9 / (call_ns * batch);
        let between = if possible > MOST_OBSERVATIONS as f64 {
            ((possible / MOST_OBSERVATIONS as f64 - 1.0) * batch).ceil()
        } else {
            0.0
        };
        // Both are small positive whole numbers: call_ns is at least 0.1 and budgets are seconds.
        Grouping { batch: batch as u64, between: between as u64 }
    }
}

/// Runs `call` without recording for the budget's warm-up time and at least once; returns nanoseconds per call as they
/// are once caches and branch predictors have settled.
///
/// That is the smallest mean of the last three groups, which hold seven eighths of the calls: one group that other work
/// stretched would make a short call look long, and the batches too small. Earlier groups are too few calls to stand for
/// all where calls differ, as requests do.
pub(super) fn warm_up<O>(call: &mut impl FnMut() -> O, seconds: f64) -> f64 {
    let start = clock::now_ns();
    let mut calls = 1_u64;
    let mut last = [f64::INFINITY; 3];
    loop {
        let begin = clock::now_ns();
        for _ in 0..calls {
            keep(call());
        }
        let end = clock::now_ns();
        let group = end.saturating_sub(begin);
        last.rotate_left(1);
        last[2] = group as f64 / calls as f64;
        let long_enough = group >= SHORTEST_OBSERVATION_NS || calls >= MOST_WARM_UP_CALLS;
        if end.saturating_sub(start) as f64 >= seconds * 1e9 && long_enough {
            return last.into_iter().fold(f64::INFINITY, f64::min);
        }
        // Doubling ends within twice the warm-up time, and its last groups are long enough to be exact.
        calls = calls.saturating_mul(2);
    }
}

/// A group of so many calls that is not long enough to time is a call that was optimised away.
const MOST_WARM_UP_CALLS: u64 = 1 << 30;

/// Observes `call`, which takes about `call_ns`, until the stopping rule ends it.
///
/// `checked` receives the answer of the last call of each observation, outside the timed interval; what it returns
/// ends the loop when it is an error.
pub(super) fn observe<O, E>(
    budget: &Budget,
    call_ns: f64,
    mut call: impl FnMut() -> O,
    mut checked: impl FnMut(O) -> Result<(), E>,
) -> Result<Observed, E> {
    let grouping = Grouping::new(call_ns, budget);
    let with_cpu = call_ns * grouping.batch as f64 >= SHORTEST_CPU_OBSERVATION_NS as f64;
    let per_call = |ns: u64| ns as f64 * 1e-9 / grouping.batch as f64;
    let mut seen = Observed { calls_per_value: grouping.batch, ..Observed::default() };
    let mut stop = StoppingRule::new(budget);
    let mut rates = RateMeter::new(budget);
    let reading = Reading::take();
    let start = clock::now_ns();
    loop {
        let cpu_begin = if with_cpu { clock::thread_cpu_ns() } else { 0 };
        // Everything up to `end` is the measured interval: the calls, and one reading of the clock.
        let begin = clock::now_ns();
        for _ in 1..grouping.batch {
            keep(call());
        }
        let answer = keep(call());
        let end = clock::now_ns();
        if with_cpu {
            seen.cpu.push(per_call(clock::thread_cpu_ns().saturating_sub(cpu_begin)));
        }
        seen.wall.push(per_call(end.saturating_sub(begin)));
        checked(answer)?;
        let resumed = clock::now_ns();
        for _ in 0..grouping.between {
            keep(call());
        }
        let now = clock::now_ns();
        rates.add(grouping.batch + grouping.between, end.saturating_sub(begin) + now.saturating_sub(resumed));
        // A call that became faster than the warm-up said would fill the record.
        if seen.wall.len() >= MOST_OBSERVATIONS.max(budget.min_observations)
            || stop.reached(&seen.wall, now.saturating_sub(start) as f64 * 1e-9)
        {
            break;
        }
    }
    seen.timing = reading.until_now();
    seen.rates = rates.batches;
    Ok(seen)
}

/// Makes `answer` count as used. A large one is shown to the compiler where it lies: moving it through the black box would
/// copy it, with a call of `memcpy` from some size on, inside the timed interval.
#[inline(always)]
fn keep<O>(answer: O) -> O {
    if size_of::<O>() <= 2 * size_of::<usize>() {
        black_box(answer)
    } else {
        black_box(&answer);
        answer
    }
}

/// Ends when the median is known well enough or the time is spent, and never before the statistic that will be judged
/// has the observations it needs.
#[derive(Clone, Debug)]
pub struct StoppingRule {
    budget: Budget,
    next_look: usize,
}

impl StoppingRule {
    /// For one series of observations.
    pub fn new(budget: &Budget) -> StoppingRule {
        StoppingRule { budget: *budget, next_look: budget.min_observations.max(1) }
    }

    /// Whether `observations`, made within `elapsed` seconds so far, are enough.
    pub fn reached(&mut self, observations: &[f64], elapsed: f64) -> bool {
        if observations.len() < self.budget.min_observations {
            return elapsed >= self.budget.at_most;
        }
        if elapsed >= self.budget.measure {
            return true;
        }
        // Looks are few and far apart: each one sorts, and each one is another chance to stop on a lucky interval.
        if observations.len() < self.next_look || elapsed < self.budget.measure / 4.0 {
            return false;
        }
        self.next_look = observations.len() + observations.len() / 2 + 1;
        stats::relative_width_of_median(observations, STOPPING_ALPHA)
            .is_some_and(|width| width <= self.budget.relative_width)
    }
}

/// Cuts the loop into stretches of equal length.
struct RateMeter {
    stretch_ns: f64,
    calls: u64,
    busy_ns: u64,
    batches: Vec<Batch>,
}

impl RateMeter {
    fn new(budget: &Budget) -> RateMeter {
        RateMeter {
            stretch_ns: budget.measure * 1e9 / (4.0 * RATE_BATCHES as f64),
            calls: 0,
            busy_ns: 0,
            batches: Vec::new(),
        }
    }

    /// Takes `calls` that together took `busy_ns`.
    fn add(&mut self, calls: u64, busy_ns: u64) {
        self.calls += calls;
        self.busy_ns += busy_ns;
        if self.busy_ns as f64 >= self.stretch_ns {
            self.batches.push(Batch { work: self.calls as f64, seconds: self.busy_ns as f64 * 1e-9 });
            self.calls = 0;
            self.busy_ns = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget =
        Budget { warm_up: 0.001, measure: 0.05, at_most: 1.0, relative_width: 0.0, min_observations: 40 };

    #[test]
    fn long_calls_are_timed_singly_and_short_ones_in_batches() {
        assert_eq!(Grouping::new(1e6, &BUDGET), Grouping { batch: 1, between: 0 });
        let short = Grouping::new(10.0, &BUDGET);
        assert_eq!(short.batch, 500);
        let endless = Grouping::new(10_000.0, &Budget { measure: 10.0, ..BUDGET });
        assert_eq!(endless, Grouping { batch: 1, between: 99 });
    }

    #[test]
    fn a_known_duration_is_measured() {
        // The call waits for the clock itself, so its length is known whatever the machine does meanwhile.
        let wait = || {
            let until = clock::now_ns() + 200_000;
            while clock::now_ns() < until {}
        };
        let seen = observe(&BUDGET, 200_000.0, wait, |()| Ok::<_, ()>(())).unwrap();
        assert!(seen.wall.len() >= 40);
        assert!(seen.wall.iter().all(|seconds| *seconds >= 200e-6));
        let mut sorted = seen.wall.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted[0] < 205e-6, "the fastest of {} took {} s", sorted.len(), sorted[0]);
        let calls: f64 = seen.rates.iter().map(|batch| batch.work).sum();
        let seconds: f64 = seen.rates.iter().map(|batch| batch.seconds).sum();
        assert!(calls / seconds <= 5_000.0, "{} calls/s of 200 us each", calls / seconds);
    }

    #[test]
    fn min_observations_outlast_the_time_and_a_wrong_answer_ends_the_loop() {
        let budget = Budget { measure: 0.0, min_observations: 60, ..BUDGET };
        let seen = observe(&budget, 1e6, || 1, |_| Ok::<_, ()>(())).unwrap();
        assert_eq!(seen.wall.len(), 60);
        assert_eq!(observe(&BUDGET, 1e6, || 7, Err).unwrap_err(), 7);
    }
}
