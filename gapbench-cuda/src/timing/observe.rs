//! A series of observations: when to stop, and which not to believe.

use std::thread;
use std::time::Duration;

use gapbench::Error;
use gapbench::measure::{StoppingRule, now_ns};
use gapbench::plan::Budget;

use super::stand::{Launching, Observation, Stand};

/// Below this share of the highest clock the device is throttled.
///
/// # Source
/// NVIDIA/nvbench, `--throttle-threshold`, default 75.
const THROTTLED_BELOW: f64 = 0.75;

/// How many throttled observations are thrown away before they are taken as they are: a device that is always throttled
/// has no other numbers (NVIDIA/nvbench issue 231).
const MOST_DISCARDED: usize = 20;

/// How long a throttled device is left alone, at first and at most.
///
/// # Source
/// NVIDIA/nvbench, `--throttle-recovery-delay`, default 0.05 s, and its cap.
const REST: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// Empty launches that make the floor.
const FLOOR_OBSERVATIONS: usize = 40;

/// A record keeps its raw observations, so there is a bound.
const MOST_OBSERVATIONS: usize = 10_000;

/// Batches of hot launches.
const HOT_BATCHES: usize = 12;

/// What was seen of one kernel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observed {
    /// Seconds of single launches with cold caches, in order.
    pub(crate) cold: Vec<f64>,
    /// Mean seconds of launches in batches.
    pub(crate) hot: Vec<f64>,
    /// Launches per batch.
    pub(crate) hot_launches: u64,
    /// Observations that were thrown away because the clock was low.
    pub(crate) discarded: usize,
    /// Observations that were taken although the clock was low.
    pub(crate) throttled: usize,
    /// Whether the clock could be read.
    pub(crate) clock_known: bool,
}

/// Seconds of empty launches, timed as a kernel is.
pub(crate) fn floor(stand: &Stand) -> Result<Vec<f64>, Error> {
    let mut launch = |stream: &_| Ok(stand.launch_empty(stream)?);
    // The first launch of a kernel loads it.
    stand.cold(&mut launch)?;
    (0..FLOOR_OBSERVATIONS).map(|_| Ok(stand.cold(&mut launch)?.seconds)).collect()
}

/// Observes `launch`: warm-up, batches, single launches. `before` is called in front of every batch and of every single
/// launch, outside what is timed; the last thing that runs on the device is a single launch that counts.
pub(crate) fn observe(
    stand: &Stand,
    budget: &Budget,
    launch: &mut Launching<'_>,
    before: &mut dyn FnMut() -> Result<(), Error>,
    after_batch: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<Observed, Error> {
    let mut seen = Observed::default();
    let call = warm_up(stand, budget, launch, before)?;
    batches(stand, budget, call, launch, before, &mut seen)?;
    after_batch()?;
    let mut stop = StoppingRule::new(budget);
    let mut rest = REST.0;
    let start = now_ns();
    loop {
        before()?;
        let Observation { seconds, clock_share, .. } = stand.cold(launch)?;
        seen.clock_known |= clock_share.is_some();
        let throttled = clock_share.is_some_and(|share| share < THROTTLED_BELOW);
        if throttled && seen.discarded < MOST_DISCARDED {
            seen.discarded += 1;
            #[allow(
                clippy::disallowed_methods,
                reason = "a device cools while nothing happens, and says nothing then"
            )]
            thread::sleep(rest);
            rest = (rest * 2).min(REST.1);
            continue;
        }
        seen.throttled += usize::from(throttled);
        seen.cold.push(seconds);
        let elapsed = now_ns().saturating_sub(start) as f64 * 1e-9;
        if seen.cold.len() >= MOST_OBSERVATIONS.max(budget.min_observations)
            || stop.reached(&seen.cold, elapsed)
        {
            return Ok(seen);
        }
    }
}

/// Launches for the budget's time and at least once; returns the shortest time seen, in seconds, of the device or of the
/// host, whichever takes longer: a batch is over no sooner than both are.
fn warm_up(
    stand: &Stand,
    budget: &Budget,
    launch: &mut Launching<'_>,
    before: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<f64, Error> {
    let start = now_ns();
    let mut shortest = f64::INFINITY;
    loop {
        before()?;
        let observed = stand.cold(launch)?;
        shortest = shortest.min(observed.seconds.max(observed.host_seconds));
        if now_ns().saturating_sub(start) as f64 * 1e-9 >= budget.warm_up {
            return Ok(shortest);
        }
    }
}

/// A quarter of the time goes to batches, each of as many launches as fit into its share of it.
fn batches(
    stand: &Stand,
    budget: &Budget,
    call: f64,
    launch: &mut Launching<'_>,
    before: &mut dyn FnMut() -> Result<(), Error>,
    seen: &mut Observed,
) -> Result<(), Error> {
    let share = budget.measure / 4.0 / HOT_BATCHES as f64;
    // A small positive whole number: the ratio is bounded on both sides.
    seen.hot_launches = (share / call.max(1e-7)).clamp(4.0, 10_000.0) as u64;
    for _ in 0..HOT_BATCHES {
        before()?;
        seen.hot.push(stand.hot(seen.hot_launches, launch)?);
    }
    Ok(())
}

impl Observed {
    /// What the clock did to the observations, where it did something.
    pub(crate) fn remark(&self) -> Option<String> {
        let percent = THROTTLED_BELOW * 100.0;
        match (self.discarded, self.throttled) {
            (0, 0) => None,
            (discarded, 0) => Some(format!(
                "{discarded} observations were made again: the device's clock was below {percent:.0} % of its highest"
            )),
            (discarded, throttled) => Some(format!(
                "the device's clock was below {percent:.0} % of its highest in {throttled} of {} observations, after \
                 {discarded} were thrown away for it: these times are a throttled device's",
                self.cold.len()
            )),
        }
    }
}
