//! What a benchmark of a model holds: named loading phases, then one closure that answers a request.

use std::fs;
use std::path::{Path, PathBuf};
#[cfg(feature = "service")]
use std::sync::Arc;

use crate::declare::{Declaration, Kind, Result};
use crate::input::{self, Input};
use crate::plan::{JIT_CACHE_VARIABLE, Job, JobMode};
use crate::record::{Condition, ConditionValue, Conditions, Data, Event, InputSet, Metric, Series};

use super::channel::say;
use super::cold;
use super::device_probe::DeviceProbe;
use super::target::{Session, Target};

mod answer;
mod device;
mod first_answer;
#[cfg(feature = "service")]
mod load;
#[cfg(feature = "service")]
mod noise;
mod requests;
mod score;
mod shape;
#[cfg(feature = "service")]
mod steps;

pub use answer::{Answered, IntoAnswer, Refused, TimedOut};
pub use score::Score;
#[cfg(feature = "service")]
pub use steps::{Admit, StepOutput, StepService, Ticket};

use shape::{One, Shape};

/// Measures a model that answers requests. The function loads the model in named [`phase`](Serve::phase)s and then
/// hands over one closure with [`requests`](Serve::requests).
///
/// The same function is run once per measurement, each time in a fresh process: up to the first answer for the cold
/// start and the memory, over both input sets for quality and latency.
#[derive(Debug)]
pub struct Serve {
    job: Job,
    declaration: &'static Declaration,
    conditions: Conditions,
    grade: Grade,
    /// The model's files, as far as they were named.
    files: Vec<PathBuf>,
    device: Option<Box<dyn DeviceProbe>>,
    /// Caches that were named.
    jit_caches: usize,
    served: usize,
    scorers: Vec<score::Scorer>,
    /// The noise operators that the attribute can name.
    #[cfg(feature = "service")]
    noises: crate::input::perturb::Registry,
}

/// Whether an answer to an input is right; absent where the input has no expectation.
type Right = dyn Fn(&Input, &str) -> Option<bool>;

/// How answers are graded.
struct Grade(Box<Right>);

impl std::fmt::Debug for Grade {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Grade")
    }
}

impl Target for Serve {
    const KIND: Kind = Kind::Service;

    fn open(session: &Session) -> Result<Self> {
        let job = session.job.clone();
        let conditions = job
            .conditions
            .clone()
            .with(Condition::Batch, 1.0)
            .with(Condition::Concurrency, 1.0)
            .with(Condition::Load, "single-stream");
        Ok(Serve {
            declaration: session.declaration,
            conditions,
            job,
            grade: exact_match(),
            files: Vec::new(),
            device: None,
            jit_caches: 0,
            served: 0,
            scorers: Vec::new(),
            #[cfg(feature = "service")]
            noises: crate::input::perturb::Registry::standard(),
        })
    }

    fn close(self) -> Result<()> {
        match self.served {
            1 => Ok(()),
            0 => {
                Err("nothing was measured: the benchmark function never called `requests` or one of its kind"
                    .into())
            }
            calls => Err(format!("requests were served {calls} times; a case serves one model, once").into()),
        }
    }
}

#[cfg(feature = "service")]
fn at_least_one(what: &str, count: usize) -> Result<()> {
    if count > 0 { Ok(()) } else { Err(format!("0 {what}s answer nothing; give at least one {what}").into()) }
}

fn exact_match() -> Grade {
    Grade(Box::new(|input, answer| input.expected.as_deref().map(|expected| expected == answer)))
}

impl Serve {
    /// Runs one named step of loading, as [`phase`](super::phase) does: in a cold-start process its duration becomes a row
    /// of the report.
    pub fn phase<T>(&mut self, name: &str, load: impl FnOnce() -> T) -> T {
        cold::phase(name, load)
    }

    /// The folder for a cache of code that is compiled at run time: `usual`, and in a cold start of the levels `jit` and
    /// `disk` an empty one. Tell it to what compiles. CUDA's own cache and `gapbench-cuda`'s need no word.
    ///
    /// # Errors
    /// When the empty folder cannot be made.
    pub fn jit_cache(&mut self, usual: impl AsRef<Path>) -> Result<PathBuf> {
        let Some(folder) = std::env::var_os(JIT_CACHE_VARIABLE) else { return Ok(usual.as_ref().to_owned()) };
        let folder = Path::new(&folder).join(self.jit_caches.to_string());
        self.jit_caches += 1;
        fs::create_dir(&folder)
            .map_err(|error| format!("make the empty cache {}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// States a condition of the measurement, such as `Condition::Model` or `Condition::Dtype`; claims are compared
    /// only under equal ones.
    pub fn condition(&mut self, condition: Condition, value: impl Into<ConditionValue>) -> &mut Self {
        self.conditions.known.insert(condition, value.into());
        self
    }

    /// Names the model's files, whose total size is reported as `memory.model_bytes`, and which a cold start of level
    /// `disk` reads from storage. Paths are relative to the crate.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn model_files<P: AsRef<Path>>(&mut self, files: &[P]) -> Result<&mut Self> {
        let mut bytes = 0;
        for file in files {
            let path = self.path(file.as_ref());
            bytes += fs::metadata(&path)
                .map_err(|error| format!("read size of {}: {error}", path.display()))?
                .len();
            self.files.push(path);
        }
        if self.job.mode == JobMode::Measure {
            self.series(
                Metric::MemoryModelBytes,
                None,
                &self.conditions,
                Data::Exact { value: bytes as f64 },
            );
        }
        Ok(self)
    }

    /// Grades answers by `right` instead of by equality with the input's `expected`.
    pub fn grade(&mut self, right: impl Fn(&Input, &str) -> bool + 'static) -> &mut Self {
        self.grade = Grade(Box::new(move |input, answer| Some(right(input, answer))));
        self
    }

    /// A file of the crate, from wherever the benchmark is started: relative to the crate's folder, or to the current
    /// one where the crate's folder is gone because the binary was carried elsewhere.
    pub fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        let in_crate = Path::new(self.declaration.manifest_dir).join(file.as_ref());
        if in_crate.exists() || !file.as_ref().exists() { in_crate } else { file.as_ref().to_owned() }
    }

    /// Serves requests one after the other with `answer` and measures what this process is to measure. Under load the
    /// others wait meanwhile.
    ///
    /// # Errors
    /// When there are no inputs, an input file is broken, or every request failed.
    pub fn requests<A: IntoAnswer>(&mut self, answer: impl FnMut(&Input) -> A) -> Result<()> {
        self.serve(&mut One(answer))
    }

    /// As [`requests`](Serve::requests), by `workers` threads that each answer one request at a time. A worker that hangs
    /// in `answer` is left behind and replaced.
    ///
    /// # Errors
    /// As of `requests`.
    #[cfg(feature = "service")]
    pub fn shared<A: IntoAnswer>(
        &mut self,
        workers: usize,
        answer: impl Fn(&Input) -> A + Send + Sync + 'static,
    ) -> Result<()> {
        at_least_one("worker", workers)?;
        self.serve(&mut shape::Shared { call: Arc::new(answer), workers })
    }

    /// As [`shared`](Serve::shared), with answers that come token by token: `answer` calls
    /// [`Emit::token`](super::load::Emit::token) when one is out.
    ///
    /// # Errors
    /// As of `requests`.
    #[cfg(feature = "service")]
    pub fn streams<A: IntoAnswer>(
        &mut self,
        workers: usize,
        answer: impl Fn(&Input, &mut super::load::Emit) -> A + Send + Sync + 'static,
    ) -> Result<()> {
        at_least_one("worker", workers)?;
        self.serve(&mut shape::Streamed { call: Arc::new(answer), workers })
    }

    /// As [`requests`](Serve::requests), up to `max_batch` at a time: those that wait, or those that come before the
    /// oldest has waited for `max_wait`. `answers` gives one answer per request, in order.
    ///
    /// # Errors
    /// As of `requests`.
    #[cfg(feature = "service")]
    pub fn batches<A: IntoAnswer>(
        &mut self,
        max_batch: usize,
        max_wait: std::time::Duration,
        answers: impl FnMut(&[&Input]) -> Vec<A>,
    ) -> Result<()> {
        at_least_one("request per batch", max_batch)?;
        // How many are processed together is not one number any more.
        self.conditions.known.remove(&Condition::Batch);
        let max_wait_ns = u64::try_from(max_wait.as_nanos()).unwrap_or(u64::MAX);
        self.serve(&mut shape::Batched { call: answers, max_batch, max_wait_ns })
    }

    /// As [`requests`](Serve::requests), many at a time: `service` has up to `slots` of them in hand and brings all of them
    /// one token further with every step.
    ///
    /// # Errors
    /// As of `requests`.
    #[cfg(feature = "service")]
    pub fn steps(&mut self, slots: usize, service: impl StepService) -> Result<()> {
        at_least_one("slot", slots)?;
        self.conditions.known.remove(&Condition::Batch);
        self.serve(&mut steps::Stepping { service, slots })
    }

    fn serve(&mut self, shape: &mut dyn Shape) -> Result<()> {
        self.served += 1;
        let options = &self.declaration.options;
        let named = [(InputSet::Paper, options.benchmark), (InputSet::Own, options.inputs)];
        let mut files =
            named.iter().filter_map(|(role, file)| Some((*role, self.path((*file)?)))).collect::<Vec<_>>();
        match self.job.mode {
            // One request needs one set, and a service would not read any.
            JobMode::FirstAnswer => files.truncate(1),
            // Production's requests are the user's own, where there are any.
            JobMode::Load => files = files.split_off(files.len().saturating_sub(1)),
            JobMode::Test | JobMode::Measure => {}
        }
        let sets = self.phase("reading inputs", || {
            files.iter().map(|(role, file)| Ok((*role, input::read(file)?))).collect::<Result<Vec<_>>>()
        })?;
        if sets.is_empty() {
            return Err("a served model needs inputs: add `benchmark = \"paper_set.jsonl\"`, `inputs = \
                        \"own_set.jsonl\"` or both to `#[gap_bench]`"
                .into());
        }
        match self.job.mode {
            JobMode::Test => requests::test(&sets, shape),
            JobMode::FirstAnswer => first_answer::measure(self, &sets, shape),
            JobMode::Measure => self.measure(&sets, shape),
            #[cfg(feature = "service")]
            JobMode::Load => sets.iter().try_for_each(|(role, file)| load::measure(self, *role, file, shape)),
            #[cfg(not(feature = "service"))]
            JobMode::Load => Err("this build has no load; it needs gapbench's feature `service`".into()),
        }
    }

    /// Each set, and the last one, which is the user's own where there is one, with noise.
    fn measure(&self, sets: &[(InputSet, input::InputFile)], shape: &mut dyn Shape) -> Result<()> {
        for (index, (role, file)) in sets.iter().enumerate() {
            let graded = requests::measure(self, *role, file, None, shape)?;
            #[cfg(feature = "service")]
            if index + 1 == sets.len() {
                noise::measure(self, *role, file, &graded, shape)?;
            }
            #[cfg(not(feature = "service"))]
            let _ = (index, graded);
        }
        Ok(())
    }

    fn series(&self, metric: Metric, inputs: Option<InputSet>, conditions: &Conditions, data: Data) {
        say(&Event::Series(Series { metric, inputs, conditions: conditions.clone(), data }));
    }
}
