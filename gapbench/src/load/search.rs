//! The search for the largest rate at which an objective holds, as a machine that is told what was seen.
//!
//! It measures nothing: [`Search::next`] says which rate to try, [`Search::tell`] takes what came out.

use std::fmt;

/// The state of a search: rates double until the objective breaks, then the bracket is bisected, and the last passing
/// rate is tried once more: that is the only point at which an answer that is not monotone can show.
///
/// # Source
/// MLPerf LoadGen `FindPeakPerformanceMode` (double, then bisect); AIPerf (a point passes only if every repeat passes).
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    start: f64,
    precision: f64,
    repeats: u32,
    most: f64,
    rate: Option<f64>,
    passed_here: u32,
    points: Vec<(f64, bool)>,
    confirming: bool,
}

/// Whether no rate passed that is at or above one that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Monotone {
    /// As far as was tried.
    Yes,
    /// A rate failed that had passed, or a larger one had: something besides the rate decides.
    No {
        /// The rate that failed.
        failed: f64,
        /// The rate that passed, the same or larger.
        passed: f64,
    },
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The largest rate at which every repeat passed and below which nothing failed; absent where none did.
    pub last_passing: Option<f64>,
    /// The smallest rate at which a repeat failed; absent where the largest rate allowed passed.
    pub first_failing: Option<f64>,
    /// Whether the answer deserves trust.
    pub monotone: Monotone,
    /// Every rate tried and whether it passed, in order.
    pub points: Vec<(f64, bool)>,
}

/// Why a search cannot begin.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchError(String);

impl fmt::Display for SearchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "search for a rate: {}", self.0)
    }
}

impl std::error::Error for SearchError {}

/// Below the start, rates halve at most this often before the search gives up: 1/1,024 of the start.
const MOST_HALVINGS: i32 = 10;

impl Search {
    /// Begins at `start` requests/s and ends when the bracket is narrower than `precision` of its lower end (0.05 is 5 %,
    /// AIPerf's), or at `most` requests/s. Every point is measured `repeats` times unless it fails before.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn new(start: f64, most: f64, precision: f64, repeats: u32) -> Result<Search, SearchError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        if !positive(start) || !positive(most) || most < start {
            return Err(SearchError(format!("{start} to {most} requests/s is no range of positive rates")));
        }
        if !positive(precision) || precision >= 1.0 {
            return Err(SearchError(format!("precision {precision} is not between 0 and 1")));
        }
        if repeats == 0 {
            return Err(SearchError("0 repeats decide nothing, give at least one".to_owned()));
        }
        Ok(Search {
            start,
            precision,
            repeats,
            most,
            rate: Some(start),
            passed_here: 0,
            points: Vec::new(),
            confirming: false,
        })
    }

    /// The rate to measure next, or nothing when the search has ended.
    pub fn next(&self) -> Option<f64> {
        self.rate
    }

    /// Takes whether a run at [`Search::next`] met the objective. An invalid run decides nothing: repeat it, and do not
    /// tell.
    pub fn tell(&mut self, passed: bool) {
        let Some(rate) = self.rate else { return };
        if passed {
            self.passed_here += 1;
            if self.passed_here < self.repeats {
                return;
            }
        }
        self.passed_here = 0;
        self.points.push((rate, passed));
        let confirmed = self.confirming && passed;
        self.confirming = false;
        self.rate = if confirmed { None } else { self.following(rate) };
        if let (None, false, (Some(low), Some(_))) = (self.rate, confirmed, self.bracket()) {
            self.confirming = true;
            self.rate = Some(low);
        }
    }

    fn following(&self, rate: f64) -> Option<f64> {
        match self.bracket() {
            (Some(low), Some(high)) if high - low <= self.precision * low => None,
            (Some(low), Some(high)) => {
                let middle = low + (high - low) / 2.0;
                // Two neighbouring numbers have no middle.
                (middle > low && middle < high).then_some(middle)
            }
            (Some(_), None) if rate >= self.most => None,
            (Some(_), None) => Some((rate * 2.0).min(self.most)),
            (None, Some(high)) if high <= self.start / f64::from(1 << MOST_HALVINGS) => None,
            (None, Some(high)) => Some(high / 2.0),
            (None, None) => None,
        }
    }

    /// The largest passing rate below the smallest failing one, and that.
    fn bracket(&self) -> (Option<f64>, Option<f64>) {
        let rates =
            |wanted: bool| self.points.iter().filter(move |point| point.1 == wanted).map(|point| point.0);
        let high = rates(false).min_by(f64::total_cmp);
        let low = rates(true).filter(|rate| high.is_none_or(|high| *rate < high)).max_by(f64::total_cmp);
        (low, high)
    }

    /// What was found so far.
    pub fn found(&self) -> Found {
        let (last_passing, first_failing) = self.bracket();
        let passed = self.points.iter().filter(|point| point.1).map(|point| point.0).max_by(f64::total_cmp);
        let monotone = match (first_failing, passed) {
            (Some(failed), Some(passed)) if passed >= failed => Monotone::No { failed, passed },
            _ => Monotone::Yes,
        };
        Found { last_passing, first_failing, monotone, points: self.points.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a search against a system that holds its objective up to `capacity`.
    fn against(mut search: Search, mut passes: impl FnMut(f64) -> bool) -> (Found, usize) {
        let mut runs = 0;
        while let Some(rate) = search.next() {
            search.tell(passes(rate));
            runs += 1;
            assert!(runs < 1_000, "the search does not end: {search:?}");
        }
        (search.found(), runs)
    }

    #[test]
    fn a_capacity_is_bracketed() {
        for capacity in [0.7, 1.0, 3.3, 137.0, 5_000.0] {
            let (found, _) = against(Search::new(1.0, 1e6, 0.05, 2).unwrap(), |rate| rate <= capacity);
            let (low, high) = (found.last_passing.unwrap(), found.first_failing.unwrap());
            assert!(
                low <= capacity && capacity < high && high - low <= 0.05 * low,
                "{capacity}: {low} to {high}"
            );
            assert_eq!(found.monotone, Monotone::Yes);
        }
    }

    #[test]
    fn points_of_a_search() {
        let (found, runs) = against(Search::new(10.0, 1e6, 0.1, 1).unwrap(), |rate| rate <= 55.0);
        let rates: Vec<f64> = found.points.iter().map(|point| point.0).collect();
        assert_eq!(rates, [10.0, 20.0, 40.0, 80.0, 60.0, 50.0, 55.0, 55.0]);
        assert_eq!(runs, 8);
        assert_eq!((found.last_passing, found.first_failing), (Some(55.0), Some(60.0)));
    }

    #[test]
    fn one_failing_repeat_fails_the_point_and_ends_it() {
        let mut search = Search::new(10.0, 100.0, 0.1, 3).unwrap();
        search.tell(true);
        assert_eq!(search.next(), Some(10.0));
        search.tell(false);
        assert_eq!(search.next(), Some(5.0));
        assert_eq!(search.found().points, [(10.0, false)]);
    }

    #[test]
    fn the_ends_are_said() {
        let (all, _) = against(Search::new(10.0, 100.0, 0.1, 1).unwrap(), |_| true);
        assert_eq!((all.last_passing, all.first_failing), (Some(100.0), None));
        let (none, runs) = against(Search::new(10.0, 100.0, 0.1, 1).unwrap(), |_| false);
        assert_eq!(none.last_passing, None);
        assert_eq!(runs, 11);
    }

    #[test]
    fn an_answer_that_is_not_monotone_says_so() {
        // The system gets worse with time: from the sixth run on it holds less than half of what it held before.
        let mut runs = 0;
        let (found, _) = against(Search::new(10.0, 1_000.0, 0.3, 1).unwrap(), |rate| {
            runs += 1;
            rate <= if runs < 6 { 55.0 } else { 25.0 }
        });
        assert_eq!(found.monotone, Monotone::No { failed: 30.0, passed: 40.0 });
        assert!(found.last_passing.unwrap() <= 25.0, "{found:?}");
    }

    #[test]
    fn a_search_out_of_range_does_not_begin() {
        for (start, most, precision, repeats) in [
            (0.0, 1.0, 0.1, 1),
            (2.0, 1.0, 0.1, 1),
            (1.0, f64::INFINITY, 0.1, 1),
            (1.0, 2.0, 0.0, 1),
            (1.0, 2.0, 0.1, 0),
        ] {
            assert!(Search::new(start, most, precision, repeats).is_err());
        }
    }
}
