//! What a benchmark of plain code holds.

use crate::declare::{Kind, Result};
use crate::plan::{Job, JobMode};
use crate::record::{Batch, Condition, ConditionValue, Conditions, Data, Event, Metric, Note, Series};

use super::channel::say;
use super::sampler::{self, Observed};
use super::target::{Session, Target, WrongAnswer};

/// Measures plain code. The function calls [`iter`](Bencher::iter) or [`iter_checked`](Bencher::iter_checked) once.
///
/// ```
/// use gapbench::prelude::*;
///
/// #[gap_bench]
/// fn parse(bench: &mut Bencher) {
///     let text = "12345";
///     bench.bytes(text.len() as u64).iter_checked(|| text.parse::<u32>(), |parsed| *parsed == Ok(12345));
/// }
/// ```
#[derive(Debug)]
pub struct Bencher {
    job: Job,
    conditions: Conditions,
    work: Option<(Metric, f64)>,
    calls: usize,
    wrong: Option<WrongAnswer>,
}

impl Target for Bencher {
    const KIND: Kind = Kind::Function;

    fn open(session: &Session) -> Result<Self> {
        let job = session.job.clone();
        Ok(Bencher { conditions: job.conditions.clone(), job, work: None, calls: 0, wrong: None })
    }

    fn close(self) -> Result<()> {
        match (self.wrong, self.calls) {
            (Some(wrong), _) => Err(wrong.into()),
            (None, 1) => Ok(()),
            (None, 0) => Err("nothing was measured: the benchmark function never called `iter`".into()),
            (None, calls) => Err(format!(
                "`iter` was called {calls} times, so that one case would have several numbers; write one function for \
                 each, or use an axis"
            )
            .into()),
        }
    }
}

impl Bencher {
    /// States how many bytes one call processes, so that bytes per second are reported too.
    pub fn bytes(&mut self, per_call: u64) -> &mut Self {
        self.work = Some((Metric::ThroughputBytes, per_call as f64));
        self
    }

    /// States how many elements one call processes, so that elements per second are reported too.
    pub fn elements(&mut self, per_call: u64) -> &mut Self {
        self.work = Some((Metric::ThroughputSamples, per_call as f64));
        self
    }

    /// States how many floating-point operations one call does, so that operations per second are reported too.
    pub fn flops(&mut self, per_call: u64) -> &mut Self {
        self.work = Some((Metric::ThroughputFlops, per_call as f64));
        self
    }

    /// States a condition of the measurement, such as `Condition::Dtype`; claims are compared only under equal ones.
    pub fn condition(&mut self, condition: Condition, value: impl Into<ConditionValue>) -> &mut Self {
        self.conditions.known.insert(condition, value.into());
        self
    }

    /// Times `routine`. Its result goes through a black box. Dropping it is not part of the measured time, except for
    /// calls so short that they are timed in batches.
    pub fn iter<O>(&mut self, routine: impl FnMut() -> O) {
        self.iter_checked(routine, |_| true);
    }

    /// Times `routine` and checks the results that were timed: no right answer, no number. Otherwise as
    /// [`iter`](Bencher::iter).
    ///
    /// `check` sees the last result of every observation, outside the measured time; the first `false` fails the case.
    pub fn iter_checked<O>(&mut self, mut routine: impl FnMut() -> O, mut check: impl FnMut(&O) -> bool) {
        self.calls += 1;
        if self.calls > 1 {
            return;
        }
        let first = routine();
        if !check(&first) {
            self.wrong = Some(WrongAnswer("the check of the first call's result failed".to_owned()));
            return;
        }
        drop(first);
        if self.job.mode != JobMode::Measure {
            return;
        }
        let call_ns = sampler::warm_up(&mut routine, self.job.budget.warm_up);
        let mut timed = 0_u64;
        let observed = sampler::observe(&self.job.budget, call_ns, routine, |result| {
            timed += 1;
            if check(&result) { Ok(()) } else { Err(timed) }
        });
        match observed {
            Ok(observed) => self.report(observed),
            Err(at) => {
                let reason =
                    format!("the check of the result failed at observation {at}, after earlier ones passed");
                self.wrong = Some(WrongAnswer(reason));
            }
        }
    }

    fn report(&self, observed: Observed) {
        let series = |metric, data| {
            say(&Event::Series(Series { metric, inputs: None, conditions: self.conditions.clone(), data }));
        };
        if observed.calls_per_value > 1 {
            say(&Event::Note(Note {
                code: "batched".to_owned(),
                text: format!(
                    "one call is too short to time alone: each observation is the mean of {} calls",
                    observed.calls_per_value
                ),
            }));
        }
        say(&Event::Timing(observed.timing));
        if let Some((metric, work)) = self.work {
            let batches = observed
                .rates
                .iter()
                .map(|batch| Batch { work: batch.work * work, seconds: batch.seconds })
                .collect();
            series(metric, Data::Rates { batches });
        }
        if !observed.cpu.is_empty() {
            let data = Data::Values { values: observed.cpu, calls_per_value: observed.calls_per_value };
            series(Metric::LatencyCpu, data);
        }
        series(
            Metric::LatencyE2e,
            Data::Values { values: observed.wall, calls_per_value: observed.calls_per_value },
        );
    }
}
