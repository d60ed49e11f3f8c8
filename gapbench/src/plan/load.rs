//! Which loads a served model gets, and how long each lasts.

use std::fmt;

use crate::declare::{Declaration, PaperClaim};
use crate::record::Objective;
use crate::stats;
use crate::units::Family;

use super::build::wants;
use super::job::LoadJob;
use super::options::{Loads, Mode, Options, Part, Profile};

impl Loads {
    /// Whether the command line asks for a load.
    pub fn asked(&self) -> bool {
        !self.points.is_empty() || self.search.is_some()
    }
}

/// The loads of a case; absent where none are wanted.
pub(super) fn job(declaration: &Declaration, options: &Options, claims: &[PaperClaim]) -> Option<LoadJob> {
    if options.mode == Mode::Test || !wants(declaration, options, Part::Load) {
        return None;
    }
    let declared = declaration.options.load;
    let asked = &options.loads;
    let points = if asked.points.is_empty() {
        declared.map(|load| load.points.to_vec()).unwrap_or_default()
    } else {
        asked.points.clone()
    };
    let objectives = if asked.objectives.is_empty() {
        declaration.options.objectives.to_vec()
    } else {
        asked.objectives.clone()
    };
    // A search of the attribute belongs to its loads: who asks for others on the command line asks for it too.
    let search = asked.search.or_else(|| {
        declared.and_then(|load| load.search).filter(|_| asked.points.is_empty() && !objectives.is_empty())
    });
    let (seconds, at_most, warm_up, repeats): (f64, f64, f64, u32) = match options.profile {
        Profile::Smoke => (0.2, 1.0, 0.05, 1),
        Profile::Quick => (1.5, 6.0, 0.2, 1),
        Profile::Full => (10.0, 60.0, 1.0, 3),
    };
    let seconds = options.measure.map_or(seconds, |measure| measure.as_secs_f64());
    Some(LoadJob {
        points,
        search,
        requests: if options.profile == Profile::Smoke { 0 } else { requests(&objectives, claims) },
        objectives,
        seconds,
        at_most: at_most.max(seconds),
        warm_up: options.warm_up.map_or(warm_up, |warm_up| warm_up.as_secs_f64()),
        timeout_seconds: declared.and_then(|load| load.timeout_seconds).unwrap_or(TIMEOUT_SECONDS),
        repeats,
    })
}

/// No interactive service lets a person wait for half a minute.
const TIMEOUT_SECONDS: f64 = 30.0;

/// How many requests the percentiles need that will be judged: those of the objectives to be bounded from above at 95 %,
/// those of claimed times from both sides.
fn requests(objectives: &[Objective], claims: &[PaperClaim]) -> u64 {
    let asked =
        objectives.iter().filter_map(|objective| stats::smallest_n_one_sided(objective.quantile, ONE_SIDED));
    let claimed = claims
        .iter()
        .filter(|claim| claim.metric.family() == Family::Time)
        .filter_map(|claim| stats::smallest_n_two_sided(claim.statistic.quantile()?, claim.policy.alpha));
    asked.chain(claimed).max().unwrap_or(0)
}

/// Error level of an upper bound at 95 %.
const ONE_SIDED: f64 = 0.05;

/// Rates that a search tries at most, about: ten doublings, five bisections and a confirmation.
const SEARCH_RATES: u32 = 16;

impl LoadJob {
    /// Seconds that all loads take if each lasts as long as it may.
    pub fn longest_seconds(&self) -> f64 {
        self.runs() as f64 * (self.warm_up + self.at_most)
    }

    /// Seconds that all loads should take.
    pub fn expected_seconds(&self) -> f64 {
        self.runs() as f64 * (self.warm_up + self.seconds)
    }

    fn runs(&self) -> usize {
        let search = if self.search.is_some() { SEARCH_RATES * self.repeats } else { 0 };
        self.points.len() + search as usize
    }
}

impl fmt::Display for LoadJob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut loads: Vec<String> = self.points.iter().map(ToString::to_string).collect();
        if let Some(search) = self.search {
            loads.push(format!("a search for the largest rate with {} arrivals", search.arrival.name()));
        }
        write!(
            formatter,
            "under {}; each {} s after {} s of warm-up, or as long as {} requests take, at most {} s",
            loads.join(", "),
            self.seconds,
            self.warm_up,
            self.requests,
            self.at_most
        )?;
        let objectives: Vec<String> = self.objectives.iter().map(ToString::to_string).collect();
        if objectives.is_empty() { Ok(()) } else { write!(formatter, "; {}", objectives.join(", ")) }
    }
}
