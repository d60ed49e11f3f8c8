//! One input set served one request after the other: first for quality, then for time.

use std::cell::Cell;

use crate::declare::Result;
use crate::input::InputFile;
use crate::record::{Condition, Data, Event, InputSet, Metric, Note};
use crate::stats::SplitMix64;

use super::super::channel::say;
use super::super::sampler;
use super::shape::{Shape, ask};
use super::{Answered, Serve};

/// How many inputs of each set a test answers.
const TEST_REQUESTS: usize = 3;

/// Answers a few inputs of every set.
pub(super) fn test(sets: &[(InputSet, InputFile)], shape: &mut dyn Shape) -> Result<()> {
    for (_, file) in sets {
        for input in file.items.iter().take(TEST_REQUESTS) {
            shape.answer(input).map_err(|error| {
                format!("answer input `{}` of {}: {error}", input.id, file.path.display())
            })?;
        }
    }
    Ok(())
}

/// Grades every item once, then times requests over the items in a seeded order.
pub(super) fn measure(
    serve: &Serve,
    role: InputSet,
    file: &InputFile,
    noise: Option<&str>,
    shape: &mut dyn Shape,
) -> Result<Graded> {
    let graded = Graded::collect(serve, file, shape)?;
    let conditions =
        serve.conditions.clone().with(Condition::Dataset, file.name.as_str()).with(Condition::Warm, true);
    let conditions = match noise {
        Some(noise) => conditions.with(Condition::Noise, noise),
        None => conditions,
    };
    if serve.job.quality && graded.gradable > 0 {
        let data = Data::Counts { successes: graded.right, trials: graded.gradable };
        serve.series(Metric::QualityAccuracy, Some(role), &conditions, data);
    }
    if serve.job.quality {
        serve.say_scores(role, file, &graded, &conditions)?;
    }
    if graded.failed > 0 {
        note(
            "failed_requests",
            format!(
                "{} of {} requests on `{}` failed; they count as wrong and have no latency",
                graded.failed,
                file.items.len(),
                file.name
            ),
        );
    }
    if serve.job.quality && graded.gradable == 0 {
        note(
            "not_graded",
            format!("no item of `{}` has an expected answer, so quality was not measured", file.name),
        );
    }
    if !serve.job.latency {
        return Ok(graded);
    }

    // A failed request is not a fast one: only items that were answered are timed.
    let mut order: Vec<usize> = graded
        .answers
        .iter()
        .enumerate()
        .filter(|(_, answer)| answer.is_some())
        .map(|(index, _)| index)
        .collect();
    SplitMix64::new(serve.job.seed).shuffle(&mut order);
    let mut next = order.iter().copied().cycle();
    let mut changed = 0_u64;
    let (calls, failed) = (Cell::new(0_u64), Cell::new(0_u64));
    let mut asked = 0;
    let mut call = || {
        asked = next.next().unwrap_or(0);
        let answered = file.items.get(asked).map(|input| (asked, ask(shape, input)));
        calls.set(calls.get() + 1);
        failed.set(failed.get() + u64::from(matches!(answered, Some((_, Err(_))))));
        answered
    };
    // A failed request is not a fast one: an observation with one in it is left out.
    let mut whole: Vec<bool> = Vec::new();
    let mut failed_before = 0;
    let check = |answered: Option<(usize, std::result::Result<Answered, crate::declare::Error>)>| {
        whole.push(failed.get() == failed_before);
        failed_before = failed.get();
        if let Some((index, Ok(now))) = answered {
            let then = graded.answers.get(index).and_then(|then| then.as_deref());
            changed += u64::from(then != Some(now.text.as_str()));
        }
        Ok::<(), std::convert::Infallible>(())
    };
    let call_ns = sampler::warm_up(&mut call, serve.job.budget.warm_up);
    calls.set(0);
    failed.set(0);
    let mut observed = match sampler::observe(&serve.job.budget, call_ns, call, check) {
        Ok(observed) => observed,
        Err(never) => match never {},
    };
    let (calls, failed) = (calls.get(), failed.get());
    keep(&mut observed.wall, &whole);
    keep(&mut observed.cpu, &whole);
    if observed.wall.is_empty() {
        return Err(format!(
            "{failed} of {calls} requests on `{}` failed while they were timed, after all had been answered once; the \
             times would be those of failures",
            file.name
        )
        .into());
    }
    if failed > 0 {
        note(
            "failed_while_timed",
            format!(
                "{failed} of {calls} requests on `{}` failed while they were timed, after all had been answered once; \
                 their times are left out, and there is no rate of requests one after the other",
                file.name
            ),
        );
    }
    if changed > 0 {
        note(
            "answers_differ",
            format!(
                "{changed} of {} timed answers on `{}` differ from the answer that was graded",
                observed.wall.len(),
                file.name
            ),
        );
    }
    say(&Event::Timing(observed.timing));
    if observed.calls_per_value > 1 {
        let text = format!(
            "each observation on `{}` is the mean of {} requests",
            file.name, observed.calls_per_value
        );
        note("batched", text);
    }
    if !observed.cpu.is_empty() {
        let data = Data::Values { values: observed.cpu, calls_per_value: observed.calls_per_value };
        serve.series(Metric::LatencyCpu, Some(role), &conditions, data);
    }
    let data = Data::Values { values: observed.wall, calls_per_value: observed.calls_per_value };
    serve.series(Metric::LatencyE2e, Some(role), &conditions, data);
    if failed == 0 {
        let data = Data::Rates { batches: observed.rates };
        serve.series(Metric::ThroughputRequests, Some(role), &conditions, data);
    }
    Ok(graded)
}

/// Leaves out the observations that are not `whole`.
fn keep(observed: &mut Vec<f64>, whole: &[bool]) {
    let mut whole = whole.iter();
    observed.retain(|_| whole.next().copied().unwrap_or(true));
}

/// The answers of a first pass over a set.
pub(super) struct Graded {
    /// One per item; absent where the request failed.
    answers: Vec<Option<String>>,
    /// One per item: whether it was right; absent where it could not be graded.
    rights: Vec<Option<bool>>,
    /// Items answered rightly.
    pub(super) right: u64,
    /// Items whose answer could be graded; failed requests are among them, since they are no right answers.
    pub(super) gradable: u64,
    /// Requests that failed.
    pub(super) failed: u64,
}

impl Graded {
    /// Whether the item was answered rightly; absent where it could not be graded.
    #[cfg(feature = "service")]
    pub(super) fn right_of(&self, index: usize) -> Option<bool> {
        self.rights.get(index).copied().flatten()
    }

    /// The item's answer; absent where the request failed.
    pub(super) fn answer_of(&self, index: usize) -> Option<&str> {
        self.answers.get(index)?.as_deref()
    }

    /// Answers and grades every item once.
    pub(super) fn collect(serve: &Serve, file: &InputFile, shape: &mut dyn Shape) -> Result<Graded> {
        let mut graded = Graded {
            answers: Vec::with_capacity(file.items.len()),
            rights: Vec::with_capacity(file.items.len()),
            right: 0,
            gradable: 0,
            failed: 0,
        };
        let mut first_error = None;
        for input in &file.items {
            let answered = ask(shape, input).map(|answered| answered.text);
            let right = match &answered {
                Ok(text) => (serve.grade.0)(input, text),
                // Whether a failed item could have been graded is asked with an empty answer.
                Err(_) => (serve.grade.0)(input, "").map(|_| false),
            };
            graded.gradable += u64::from(right.is_some());
            graded.right += u64::from(right == Some(true));
            if let Err(error) = &answered {
                graded.failed += 1;
                first_error.get_or_insert_with(|| format!("input `{}`: {error}", input.id));
            }
            graded.rights.push(right);
            graded.answers.push(answered.ok());
        }
        match first_error {
            Some(error) if graded.failed == file.items.len() as u64 => {
                Err(format!("every request on {} failed; the first: {error}", file.path.display()).into())
            }
            _ => Ok(graded),
        }
    }
}

fn note(code: &str, text: String) {
    say(&Event::Note(Note { code: code.to_owned(), text }));
}
