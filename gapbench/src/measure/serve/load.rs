//! A served model under load: each declared load in order, then the search for the largest rate.

mod observed;

use crate::declare::Result;
use crate::input::InputFile;
use crate::load::{Arrivals, Limit, Scenario, Search, Think, trace_rate};
use crate::measure::load::{Enough, Load, Validity};
use crate::plan::LoadJob;
use crate::record::{
    Arrival, Condition, Data, Event, InputSet, LoadPoint, LoadRow, Metric, Note, PairsRow, SearchRow, Series,
};

use super::super::channel::say;
use super::super::contention::Machine;
use super::super::{clock, memory};
use super::Serve;
use super::noise::Kinds;
use super::requests::Graded;
use super::shape::{Asked, Shape, ask};

/// Sends the loads of the job.
pub(super) fn measure(serve: &Serve, role: InputSet, file: &InputFile, shape: &mut dyn Shape) -> Result<()> {
    let Some(job) = serve.job.load.as_ref() else { return Err("the parent did not say which loads".into()) };
    // Production's requests have production's noise.
    let noise = Kinds::read(serve.declaration.options.noise, &serve.noises)?.ladder;
    let noisy = noise.as_ref().map(|noise| noise.apply(&serve.noises, file, serve.job.seed));
    let file = noisy.as_ref().unwrap_or(file);
    // The same items one after the other, in this very process, to hold the answers under load against.
    let alone = if serve.job.quality { Some(Graded::collect(serve, file, shape)?) } else { None };
    let noise = noise.map(|noise| noise.name);
    let mut bench = Bench { serve, job, role, file, noise, alone, shape, most_seen: None };
    let alone_seconds = bench.alone()?;
    for point in &job.points {
        let (row, series) = bench.run(*point, job.seconds, false)?;
        say(&Event::Load(Box::new(row)));
        series.into_iter().for_each(|series| say(&Event::Series(series)));
    }
    match job.search {
        Some(arrivals) => bench.search(arrivals, alone_seconds),
        None => Ok(()),
    }
}

/// Everything that loads of one case share.
struct Bench<'a> {
    serve: &'a Serve,
    job: &'a LoadJob,
    role: InputSet,
    file: &'a InputFile,
    /// The noise that the inputs have.
    noise: Option<String>,
    /// The answers without load; absent where quality is not wanted.
    alone: Option<Graded>,
    shape: &'a mut dyn Shape,
    /// Most requests per second that were answered so far.
    most_seen: Option<f64>,
}

/// Requests that are answered one after the other before the first load, to see how long one takes...
const ALONE_REQUESTS: usize = 20;
/// ...as long as they take no longer than this.
const ALONE_NS: u64 = 200_000_000;

/// An invalid run of a search is tried again this often before the search ends.
const RETRIES: u32 = 2;

/// A search ends when it knows the largest rate to this share.
///
/// # Source
/// AIPerf's precision.
const PRECISION: f64 = 0.05;

/// Requests of a run of a search, if the time allows: with so many, a rate that is too large by [`PRECISION`] makes
/// latencies grow by more than chance does.
///
/// # Source
/// [`LoadRow::falls_behind`]: chance is 2 over the root of the number of requests.
const SEARCH_REQUESTS: usize = 1_600;

/// A search begins at this share of what was seen, or of what the workers could do if they did not disturb each other.
const FIRST_SHARE: f64 = 0.5;

/// A rate more than this often above the first is out of reach.
const MOST_ABOVE: f64 = 1024.0;

impl Bench<'_> {
    /// Mean seconds of a request alone. The first answer is not among them.
    fn alone(&mut self) -> Result<f64> {
        let begin_ns = clock::now_ns();
        let mut times = Vec::with_capacity(ALONE_REQUESTS);
        for input in self.file.items.iter().cycle().take(ALONE_REQUESTS) {
            let start_ns = clock::now_ns();
            // An error is one of the failures that the loads will count; a model that answers nothing is none.
            let _ = ask(self.shape, input);
            times.push(clock::now_ns() - start_ns);
            if clock::now_ns() - begin_ns > ALONE_NS {
                break;
            }
        }
        let later = if times.len() > 1 { times.get(1..).unwrap_or_default() } else { &times };
        Ok(later.iter().sum::<u64>() as f64 * 1e-9 / later.len().max(1) as f64)
    }

    /// Sends one load; what came of it, and its observations where it is valid.
    fn run(&mut self, point: LoadPoint, seconds: f64, searching: bool) -> Result<(LoadRow, Vec<Series>)> {
        let enough = if searching { SEARCH_REQUESTS } else { 0 };
        let load = self.load(point, seconds, enough)?;
        let asked = std::sync::Arc::new(Asked::new(&self.file.items));
        let peak_is_ours = self.serve.job.memory && memory::reset_host_peak();
        let before = memory::host_resident_bytes();
        self.serve.reset_device()?;
        let machine = Machine::take();
        let outcome = self
            .shape
            .load(&load, &asked)
            .map_err(|error| format!("send the load `{point}`: failed to {error}"))?;
        let others_share = machine.and_then(Machine::others_since);
        let peak = memory::host_peak_bytes().filter(|_| peak_is_ours);
        let after = memory::host_resident_bytes();
        let device = self.serve.read_device()?;
        let mut row = observed::row(point, self.role, searching, others_share, &load, &outcome);
        let (quality, pairs) = self.quality(&asked);
        row.pairs = pairs;
        let grown = after.zip(before).and_then(|(after, before)| after.checked_sub(before));
        row.host_growth_bytes = grown.filter(|bytes| *bytes > 0 && self.serve.job.memory);
        let valid = outcome.validity == Validity::Valid;
        if valid && !searching {
            self.most_seen = Some(
                self.most_seen.map_or(row.throughput_per_second, |most| most.max(row.throughput_per_second)),
            );
        }
        if self.serve.job.memory && !peak_is_ours {
            note(
                "memory_under_load",
                "the system does not reset the peak of resident memory (`/proc/self/clear_refs`), so \
                  memory under load was not measured"
                    .to_owned(),
            );
        }
        let mut series = Vec::new();
        if valid {
            let conditions = point.conditions(self.serve.conditions.clone());
            let conditions =
                conditions.with(Condition::Dataset, self.file.name.as_str()).with(Condition::Warm, true);
            let conditions = match &self.noise {
                Some(noise) => conditions.with(Condition::Noise, noise.as_str()),
                None => conditions,
            };
            let keep = |metric, data| Series {
                metric,
                inputs: Some(self.role),
                conditions: conditions.clone(),
                data,
            };
            series
                .extend(observed::data(&load, &outcome).into_iter().map(|(metric, data)| keep(metric, data)));
            series.extend(quality.map(|data| keep(Metric::QualityAccuracy, data)));
            let host = peak.map(|bytes| (Metric::MemoryHostPeak, bytes));
            series.extend(host.into_iter().chain(device).map(|(metric, bytes)| {
                keep(metric, Data::Values { values: vec![bytes as f64], calls_per_value: 1 })
            }));
        }
        Ok((row, series))
    }

    /// The answers under load, graded as those of a request alone, each input once; and the same items in pairs.
    fn quality(&self, asked: &Asked) -> (Option<Data>, Option<PairsRow>) {
        let Some(alone) = &self.alone else { return (None, None) };
        let (mut successes, mut trials) = (0, 0);
        let mut pairs = PairsRow::default();
        for (index, input, answer) in asked.answered() {
            let right = match answer {
                Some(text) => (self.serve.grade.0)(input, text),
                None => (self.serve.grade.0)(input, "").map(|_| false),
            };
            trials += u64::from(right.is_some());
            successes += u64::from(right == Some(true));
            if let (Some(was), Some(is)) = (alone.right_of(index), right) {
                pairs.n += 1;
                pairs.lost += u64::from(was && !is);
                pairs.gained += u64::from(!was && is);
            }
        }
        // A part of the set may be easier or harder than all of it: only the pairs can be compared then.
        let whole = asked.answered().count() == self.file.items.len();
        let data = (trials > 0 && whole).then_some(Data::Counts { successes, trials });
        (data, (pairs.n > 0).then_some(pairs))
    }

    /// How the load is sent.
    fn load(&self, point: LoadPoint, seconds: f64, enough: usize) -> Result<Load> {
        let scenario = self.scenario(point)?;
        let mut load =
            Load::new(scenario, Limit::Seconds(seconds), self.serve.job.seed, self.file.items.len());
        load.objectives = self.job.objectives.clone();
        load.timeout_ns = (self.job.timeout_seconds * 1e9) as u64;
        let asked = usize::try_from(self.job.requests).unwrap_or(usize::MAX).max(enough);
        match &load.scenario {
            Scenario::Offline => load.limit = Limit::Requests(asked.max(self.file.items.len())),
            Scenario::OpenLoop { rate, .. } => {
                load.warm_up = (rate * self.job.warm_up).ceil() as usize;
                let needed = (asked + load.warm_up) as f64 / rate;
                load.limit = Limit::Seconds((seconds + self.job.warm_up).max(needed).min(self.longest()));
            }
            Scenario::ClosedLoop { clients, .. } => {
                // The first request of each client finds an empty queue.
                load.warm_up = *clients;
                load.limit = Limit::Seconds(seconds + self.job.warm_up);
                let requests = asked + load.warm_up;
                load.enough = Some(Enough { requests, at_most_seconds: self.longest() });
            }
            Scenario::SingleStream => {}
        }
        Ok(load)
    }

    fn longest(&self) -> f64 {
        self.job.at_most + self.job.warm_up
    }

    fn scenario(&self, point: LoadPoint) -> Result<Scenario> {
        let rate = point.rate;
        let open = |arrivals| match rate {
            Some(rate) => Ok(Scenario::OpenLoop { rate, arrivals }),
            None => Err(format!("the load `{point}` has no rate").into()),
        };
        match point.arrival {
            Arrival::Offline => Ok(Scenario::Offline),
            Arrival::Closed => Ok(Scenario::ClosedLoop {
                clients: point.clients.unwrap_or(1) as usize,
                think: point
                    .think_seconds
                    .map_or(Think::None, |mean| Think::Exponential((mean * 1e9) as u64)),
            }),
            Arrival::Constant => open(Arrivals::Constant),
            Arrival::Poisson => open(Arrivals::Poisson),
            Arrival::Gamma => open(Arrivals::Gamma { shape: point.shape.unwrap_or(1.0) }),
            Arrival::Trace => {
                let trace = self.trace()?;
                let own = trace_rate(&trace).ok_or_else(|| {
                    format!(
                        "all inputs of {} have one `arrival_ms`, so their rate is unknown",
                        self.file.path.display()
                    )
                })?;
                Ok(Scenario::OpenLoop { rate: rate.unwrap_or(own), arrivals: Arrivals::Trace(trace) })
            }
        }
    }

    /// The arrivals of the input set in nanoseconds, sorted.
    fn trace(&self) -> Result<Vec<u64>> {
        let times = self.file.items.iter().map(|input| {
            let at_ms = input.arrival_ms.ok_or_else(|| {
                format!(
                    "a load of arrivals `trace` needs `arrival_ms` in every line of {}, and input `{}` has none",
                    self.file.path.display(),
                    input.id
                )
            })?;
            Ok((at_ms * 1e6) as u64)
        });
        let mut times = times.collect::<Result<Vec<u64>>>()?;
        times.sort_unstable();
        Ok(times)
    }

    /// Looks for the largest rate at which every objective is met and the service keeps up.
    fn search(&mut self, arrivals: LoadPoint, alone_seconds: f64) -> Result<()> {
        let possible = self.shape.at_once() as f64 / alone_seconds.max(1e-9);
        let start = FIRST_SHARE * self.most_seen.unwrap_or(possible);
        let mut search = Search::new(start, start * MOST_ABOVE, PRECISION, self.job.repeats)
            .map_err(|error| format!("failed to {error}"))?;
        let mut cut_short = None;
        let mut best: Option<(f64, Vec<Series>)> = None;
        while let Some(rate) = search.next() {
            let point = LoadPoint { rate: Some(rate), ..arrivals };
            let mut tries = 0;
            let (row, series) = loop {
                let (row, series) = self.run(point, self.job.seconds, true)?;
                tries += 1;
                if row.invalid.is_none() || tries > RETRIES {
                    break (row, series);
                }
                say(&Event::Load(Box::new(row)));
            };
            let passed = row.meets_objectives() == Some(true) && !row.falls_behind();
            if let Some(reason) = &row.invalid {
                cut_short = Some(format!("at {point} the generator failed {tries} times in a row: {reason}"));
            }
            say(&Event::Load(Box::new(row)));
            if cut_short.is_some() {
                break;
            }
            if passed && best.as_ref().is_none_or(|(known, _)| rate >= *known) {
                best = Some((rate, series));
            }
            search.tell(passed);
        }
        let found = search.found();
        let not_monotone_at = match found.monotone {
            crate::load::Monotone::Yes => None,
            crate::load::Monotone::No { failed, .. } => Some(failed),
        };
        say(&Event::Search(SearchRow {
            last_passing: found.last_passing,
            first_failing: found.first_failing,
            not_monotone_at,
            cut_short,
            repeats: self.job.repeats,
        }));
        // The observations of the answer itself, and not those of the way to it.
        if let Some((rate, series)) = best
            && found.last_passing.is_some_and(|last| last >= rate)
        {
            series.into_iter().for_each(|series| say(&Event::Series(series)));
        }
        Ok(())
    }
}

fn note(code: &str, text: String) {
    say(&Event::Note(Note { code: code.to_owned(), text }));
}
