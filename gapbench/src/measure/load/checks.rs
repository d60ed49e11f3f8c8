//! What a run says about itself: two identities that must hold, and whether the generator kept the schedule.

use super::Load;
use super::dispatch::Dispatch;
use super::outcome::Seen;
use crate::stats::batch_means_interval;

/// Least ratio of the achieved to the intended sending rate in a valid run.
///
/// # Source
/// `docs/METHODOLOGY.md`, "Load"; perf_analyzer warns from 1 % of delayed requests on.
const LEAST_ACHIEVED: f64 = 0.99;

/// Two sides of an identity may differ by so much: looks from outside are a sample, and a run has a beginning and an end.
const MOST_DIFFERENCE: f64 = 0.1;

/// Level of the interval of the mean of looks; a self-check that fails once in a hundred good runs would be ignored.
const LOOKS_ALPHA: f64 = 0.001;

/// Whether the numbers of a run are about the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validity {
    /// The generator kept the schedule.
    Valid,
    /// It did not, for this reason.
    Invalid(String),
}

/// An identity that must hold between numbers that were measured apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Which identity.
    pub name: &'static str,
    /// Its left side.
    pub left: f64,
    /// Its right side.
    pub right: f64,
    /// Whether both agree as well as the run can tell.
    pub holds: bool,
}

/// `L = lambda W`: requests in the system, looked at from outside, against the arrival rate times the mean sojourn. Absent
/// for a run that was too short for looks.
pub(super) fn littles_law(seen: &Seen, start_ns: u64) -> Option<Check> {
    let length_ns = seen.recorder.last_end_ns.saturating_sub(start_ns);
    let (left, stretches) = seen.depth.means(0, length_ns)?;
    let right = seen.recorder.sum_in_system_ns / length_ns as f64;
    let near = (left - right).abs() <= MOST_DIFFERENCE * left.max(right);
    let holds = near || batch_means_interval(&stretches, LOOKS_ALPHA).contains(right);
    Some(Check { name: "L = lambda W", left, right, holds })
}

/// `X = C * OSL / (TTFT + (OSL - 1) * ITL)`: the token rate of a closed loop against its clients and the times of its
/// streams. Absent where clients think, a request did not end with an answer, or an answer was not streamed to its end.
pub(super) fn token_identity(seen: &Seen, load: &Load, window_seconds: f64) -> Option<Check> {
    let recorder = &seen.recorder;
    let clients = load.clients()?;
    let stream = recorder.stream.as_ref()?;
    let thinks = matches!(
        load.scenario,
        crate::load::Scenario::ClosedLoop { think, .. } if think != crate::load::Think::None
    );
    let answered = recorder.counts.completed;
    if thinks || answered == 0 || answered != recorder.counts.measured() || stream.gaps_left_out > 0 {
        return None;
    }
    let length = recorder.tokens as f64 / answered as f64;
    let first = stream.ttft.mean_ns()? * 1e-9;
    // Chunks of several tokens have fewer gaps than tokens, so the mean gap is taken per token.
    let after_first = stream.itl.sum_ns() * 1e-9 / answered as f64;
    let left = recorder.tokens as f64 / window_seconds;
    let right = clients as f64 * length / (first + after_first);
    let holds = (left - right).abs() <= MOST_DIFFERENCE * left.max(right);
    Some(Check { name: "X = C * OSL / (TTFT + (OSL - 1) * ITL)", left, right, holds })
}

/// Achieved over intended sending rate of an open loop; absent where all requests are due at once.
pub(super) fn achieved_share(seen: &Seen, dispatch: &Dispatch) -> Option<f64> {
    let schedule = dispatch.schedule()?;
    let last_ns = schedule.due_ns(schedule.len().checked_sub(1)?)?;
    let recorder = &seen.recorder;
    let first_ns = (recorder.first_due_ns != u64::MAX).then_some(recorder.first_due_ns)?;
    let intended_ns = last_ns.checked_sub(first_ns.saturating_sub(dispatch.start_ns()))?;
    let sent_ns = recorder.last_sent_ns.saturating_sub(first_ns);
    (intended_ns > 0 && sent_ns > 0).then(|| intended_ns as f64 / sent_ns as f64)
}

pub(super) fn validity(seen: &Seen, load: &Load, achieved: Option<f64>) -> Validity {
    let mut reasons = Vec::new();
    if let Some(share) = achieved.filter(|share| *share < LEAST_ACHIEVED) {
        reasons.push(format!(
            "the generator sent at {share:.3} of the intended rate, below {LEAST_ACHIEVED}; use a quieter machine or a lower rate"
        ));
    }
    if let (Some(lag), Some(median)) =
        (seen.recorder.lag.quantile_ns(0.99), seen.recorder.latency.quantile_ns(0.5))
    {
        let share = lag as f64 / median.max(1) as f64;
        if share > load.most_lag_share {
            reasons.push(format!(
                "the p99 of the send lag, {:.1} us, is {share:.2} of the median latency, above {}; use a quieter machine",
                lag as f64 * 1e-3,
                load.most_lag_share
            ));
        }
    }
    if reasons.is_empty() { Validity::Valid } else { Validity::Invalid(reasons.join("; ")) }
}
