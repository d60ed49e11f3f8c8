//! What each worker writes down. Everything is allocated before the run.

use std::borrow::Cow;
use std::sync::Arc;

use hdrhistogram::Histogram;

use super::{Answer, Emit};
use crate::load::{Objective, RequestTimes};

/// Digits that a histogram keeps: values are right to 0.1 %.
///
/// # Source
/// HdrHistogram's and wrk2's usual choice; a histogram is then 0.3 MB.
const DIGITS: u8 = 3;

/// Longest time that a histogram tells apart, one hour in nanoseconds: longer ones count as that.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Classes of failures that are counted apart; a service that puts a number into each error would fill the memory.
const MOST_CLASSES: usize = 32;

/// The class of failures beyond [`MOST_CLASSES`].
const OTHER: &str = "other";

/// Times of many requests, to three digits.
#[derive(Clone, Debug)]
pub struct Times {
    histogram: Option<Histogram<u64>>,
    sum_ns: f64,
}

impl Times {
    pub(super) fn new() -> Times {
        Times { histogram: Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).ok(), sum_ns: 0.0 }
    }

    #[inline]
    pub(super) fn add(&mut self, ns: u64) {
        self.sum_ns += ns as f64;
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(ns);
        }
    }

    pub(super) fn merge(&mut self, other: &Times) {
        self.sum_ns += other.sum_ns;
        if let (Some(all), Some(histogram)) = (&mut self.histogram, &other.histogram) {
            // Both have the same bounds, so that nothing can be out of range.
            let _ = all.add(histogram);
        }
    }

    /// Number of times.
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// Nanoseconds that a share `p` of the times does not exceed, to 0.1 %; absent without times.
    pub fn quantile_ns(&self, p: f64) -> Option<u64> {
        self.histogram
            .as_ref()
            .filter(|histogram| !histogram.is_empty())
            .map(|histogram| histogram.value_at_quantile(p))
    }

    /// Exact mean in nanoseconds; absent without times.
    pub fn mean_ns(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum_ns / count as f64)
    }

    /// The largest, to 0.1 %; absent without times.
    pub fn max_ns(&self) -> Option<u64> {
        self.histogram.as_ref().filter(|histogram| !histogram.is_empty()).map(Histogram::max)
    }

    /// Sum in nanoseconds.
    pub fn sum_ns(&self) -> f64 {
        self.sum_ns
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer.
    Completed,
    /// With an error or a panic.
    Failed,
    /// Turned away.
    Refused,
    /// Not in time.
    TimedOut,
}

/// One request; times are nanoseconds from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number of the request.
    pub request: u64,
    /// Due.
    pub due_ns: u64,
    /// Given to the service.
    pub begin_ns: u64,
    /// First token of a stream.
    pub first_ns: Option<u64>,
    /// Ended.
    pub end_ns: u64,
    /// Tokens of the answer.
    pub tokens: u32,
    /// How it ended.
    pub ending: Ending,
    /// Whether it was answered inside every objective.
    pub inside: bool,
}

/// How a run ended its requests, warm-up excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests of the warm-up, however they ended.
    pub warm_up: u64,
    /// Answered.
    pub completed: u64,
    /// Failed or panicked.
    pub failed: u64,
    /// Refused.
    pub refused: u64,
    /// Not answered in time.
    pub timed_out: u64,
}

impl Counts {
    /// Every request, which is every one that was issued.
    pub fn all(&self) -> u64 {
        self.warm_up + self.measured()
    }

    /// Every request after the warm-up.
    pub fn measured(&self) -> u64 {
        self.completed + self.failed + self.refused + self.timed_out
    }
}

/// What is the same for all recorders of a run.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) start_ns: u64,
    pub(super) warm_up: usize,
    pub(super) timeout_ns: u64,
    pub(super) rows: usize,
    pub(super) stream: bool,
    pub(super) objectives: Vec<Objective>,
}

/// A request that ended; times are nanoseconds of the monotonic clock.
#[derive(Debug)]
pub(super) struct Ended<'a> {
    pub(super) request: usize,
    pub(super) due_ns: u64,
    /// The earliest time at which it could have begun: due, and a worker free. See [`super::Run::free_ns`].
    pub(super) possible_ns: u64,
    pub(super) begin_ns: u64,
    pub(super) end_ns: u64,
    pub(super) answer: Answer,
    pub(super) emit: Option<&'a Emit>,
}

/// The times that only a stream has.
#[derive(Clone, Debug)]
pub struct StreamTimes {
    /// From due to the first token.
    pub ttft: Times,
    /// Gaps between tokens, pooled over all answered requests.
    pub itl: Times,
    /// `(last - first) / (tokens - 1)` of requests with at least two tokens.
    pub tpot_excl_first: Times,
    /// `(last - begin) / tokens`.
    pub tpot_incl_first: Times,
    /// Gaps that were too many to keep; the pooled gaps lack them.
    pub gaps_left_out: u64,
}

/// The numbers of one worker, or of all after [`Recorder::merge`].
#[derive(Debug)]
pub(super) struct Recorder {
    rules: Arc<Rules>,
    pub(super) counts: Counts,
    pub(super) classes: Vec<(Cow<'static, str>, u64)>,
    pub(super) latency: Times,
    pub(super) service: Times,
    pub(super) queue: Times,
    pub(super) lag: Times,
    pub(super) stream: Option<StreamTimes>,
    pub(super) inside: Vec<u64>,
    pub(super) inside_all: u64,
    pub(super) tokens: u64,
    /// All requests, warm-up included.
    pub(super) sum_in_system_ns: f64,
    pub(super) busy_ns: u64,
    pub(super) first_due_ns: u64,
    pub(super) last_sent_ns: u64,
    pub(super) last_end_ns: u64,
    pub(super) rows: Vec<Row>,
}

impl Recorder {
    pub(super) fn new(rules: &Arc<Rules>) -> Recorder {
        let stream = || StreamTimes {
            ttft: Times::new(),
            itl: Times::new(),
            tpot_excl_first: Times::new(),
            tpot_incl_first: Times::new(),
            gaps_left_out: 0,
        };
        Recorder {
            rules: Arc::clone(rules),
            counts: Counts::default(),
            classes: Vec::with_capacity(MOST_CLASSES + 1),
            latency: Times::new(),
            service: Times::new(),
            queue: Times::new(),
            lag: Times::new(),
            stream: rules.stream.then(stream),
            inside: vec![0; rules.objectives.len()],
            inside_all: 0,
            tokens: 0,
            sum_in_system_ns: 0.0,
            busy_ns: 0,
            first_due_ns: u64::MAX,
            last_sent_ns: 0,
            last_end_ns: rules.start_ns,
            rows: Vec::with_capacity(rules.rows),
        }
    }

    /// Writes one request down.
    #[inline]
    pub(super) fn add(&mut self, ended: Ended<'_>) {
        let e2e_ns = ended.end_ns.saturating_sub(ended.due_ns);
        self.sum_in_system_ns += e2e_ns as f64;
        self.last_end_ns = self.last_end_ns.max(ended.end_ns);
        if ended.request < self.rules.warm_up {
            self.counts.warm_up += 1;
            return;
        }
        let lag_ns = ended.begin_ns.saturating_sub(ended.possible_ns);
        self.lag.add(lag_ns);
        self.first_due_ns = self.first_due_ns.min(ended.due_ns);
        self.last_sent_ns = self.last_sent_ns.max(ended.due_ns.saturating_add(lag_ns));
        let service_ns = ended.end_ns.saturating_sub(ended.begin_ns);
        let ending = match ended.answer {
            _ if service_ns > self.rules.timeout_ns => Ending::TimedOut,
            Answer::Ok { .. } => Ending::Completed,
            Answer::Failed(_) => Ending::Failed,
            Answer::Refused => Ending::Refused,
            Answer::Timeout => Ending::TimedOut,
        };
        let mut tokens = 0;
        let mut inside = false;
        match ending {
            Ending::Completed => {
                if let Answer::Ok { tokens: answered } = ended.answer {
                    tokens = ended.emit.map_or(answered, |emit| emit.tokens);
                }
                self.counts.completed += 1;
                self.tokens += u64::from(tokens);
                self.latency.add(e2e_ns);
                self.service.add(service_ns);
                self.queue.add(ended.begin_ns.saturating_sub(ended.due_ns));
                inside = self.judge(e2e_ns, &ended);
            }
            Ending::Failed => {
                self.counts.failed += 1;
                if let Answer::Failed(class) = ended.answer {
                    self.classify(class);
                }
            }
            Ending::Refused => self.counts.refused += 1,
            Ending::TimedOut => self.counts.timed_out += 1,
        }
        if self.rows.len() < self.rules.rows {
            let from_start = |ns: u64| ns.saturating_sub(self.rules.start_ns);
            self.rows.push(Row {
                request: ended.request as u64,
                due_ns: from_start(ended.due_ns),
                begin_ns: from_start(ended.begin_ns),
                first_ns: ended.emit.and_then(|emit| emit.first_ns).map(from_start),
                end_ns: from_start(ended.end_ns),
                tokens,
                ending,
                inside,
            });
        }
    }

    /// Takes the times of an answered request, and counts it where it lies inside an objective; whether it lies inside all.
    #[inline]
    fn judge(&mut self, e2e_ns: u64, ended: &Ended<'_>) -> bool {
        let mut times = RequestTimes { e2e_ns, ..RequestTimes::default() };
        if let (Some(stream), Some(emit)) = (&mut self.stream, ended.emit) {
            times = emit.times(e2e_ns, ended.due_ns);
            times.ttft_ns.into_iter().for_each(|ns| stream.ttft.add(ns));
            times.tpot_excl_first_ns.into_iter().for_each(|ns| stream.tpot_excl_first.add(ns as u64));
            times.tpot_incl_first_ns.into_iter().for_each(|ns| stream.tpot_incl_first.add(ns as u64));
            emit.gaps_ns.iter().for_each(|ns| stream.itl.add(*ns));
            stream.gaps_left_out += emit.gaps_left_out;
        }
        let mut all = true;
        for (objective, count) in self.rules.objectives.iter().zip(&mut self.inside) {
            let inside = objective.inside(&times);
            *count += u64::from(inside);
            all &= inside;
        }
        self.inside_all += u64::from(all);
        all
    }

    fn classify(&mut self, class: Cow<'static, str>) {
        if let Some((_, count)) = self.classes.iter_mut().find(|(known, _)| *known == class) {
            *count += 1;
        } else if self.classes.len() < MOST_CLASSES {
            self.classes.push((class, 1));
        } else if let Some((_, count)) = self.classes.iter_mut().find(|(known, _)| known == OTHER) {
            *count += 1;
        } else {
            self.classes.push((Cow::Borrowed(OTHER), 1));
        }
    }

    /// Takes over what another worker wrote.
    pub(super) fn merge(&mut self, other: &mut Recorder) {
        self.counts.warm_up += other.counts.warm_up;
        self.counts.completed += other.counts.completed;
        self.counts.failed += other.counts.failed;
        self.counts.refused += other.counts.refused;
        self.counts.timed_out += other.counts.timed_out;
        for (class, count) in other.classes.drain(..) {
            match self.classes.iter_mut().find(|(known, _)| *known == class) {
                Some((_, known)) => *known += count,
                None => self.classes.push((class, count)),
            }
        }
        self.latency.merge(&other.latency);
        self.service.merge(&other.service);
        self.queue.merge(&other.queue);
        self.lag.merge(&other.lag);
        if let (Some(mine), Some(theirs)) = (&mut self.stream, &other.stream) {
            mine.ttft.merge(&theirs.ttft);
            mine.itl.merge(&theirs.itl);
            mine.tpot_excl_first.merge(&theirs.tpot_excl_first);
            mine.tpot_incl_first.merge(&theirs.tpot_incl_first);
            mine.gaps_left_out += theirs.gaps_left_out;
        }
        for (mine, theirs) in self.inside.iter_mut().zip(&other.inside) {
            *mine += theirs;
        }
        self.inside_all += other.inside_all;
        self.tokens += other.tokens;
        self.sum_in_system_ns += other.sum_in_system_ns;
        self.busy_ns += other.busy_ns;
        self.first_due_ns = self.first_due_ns.min(other.first_due_ns);
        self.last_sent_ns = self.last_sent_ns.max(other.last_sent_ns);
        self.last_end_ns = self.last_end_ns.max(other.last_end_ns);
        self.rows.append(&mut other.rows);
    }
}
