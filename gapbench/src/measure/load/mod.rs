//! A load against a service, in real time: it sends on schedule, waits for every answer and says what it saw.
//!
//! Latency counts from the time a request is due. Knows nothing of claims, verdicts or reports.

mod calling;
mod checks;
mod depth;
mod dispatch;
mod emit;
mod outcome;
mod pace;
mod record;
mod steps;
mod workers;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{clock, panics};
use crate::load::{Limit, LoadError, Objective, Scenario, schedule};
use crate::stats::SplitMix64;

use dispatch::Dispatch;
use record::Rules;

pub use checks::{Check, Validity};
pub use depth::Depth;
pub use emit::Emit;
pub use outcome::{LoadOutcome, ObjectiveOutcome, Steady};
pub use pace::Scheduling;
pub use record::{Counts, Ending, Row, StreamTimes, Times};
pub use steps::{Admission, Progress, Stepped};

/// How long a closed loop goes on for the sake of the number of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Enough {
    /// Until this many requests were sent...
    pub requests: usize,
    /// ...but no longer than this many seconds.
    pub at_most_seconds: f64,
}

/// What is sent, and how it is watched.
#[derive(Clone, Debug)]
pub struct Load {
    /// How requests come.
    pub scenario: Scenario,
    /// Where they end.
    pub limit: Limit,
    /// A closed loop whose limit is a time goes on until it has sent enough; other loads end at their limit.
    pub enough: Option<Enough>,
    /// Seed of the schedule, the think times and the order of the inputs.
    pub seed: u64,
    /// Number of inputs; requests go over them in a seeded order, again and again.
    pub inputs: usize,
    /// The first so many requests are sent and not measured.
    pub warm_up: usize,
    /// A service that is longer than this with one request has timed out, in nanoseconds.
    pub timeout_ns: u64,
    /// What is asked of the latencies.
    pub objectives: Vec<Objective>,
    /// Whether to ask for a real-time scheduling class. The service runs in it too, so this is for services that wait for
    /// something else, not for ones that compute on this processor.
    pub realtime: bool,
    /// Single requests are kept where there are at most so many.
    pub keep_rows: usize,
    /// Shortest sleep between two sendings of an open loop, in nanoseconds. 0 sends each request at its due time; at tens
    /// of thousands of requests per second a longer one saves most of the generator's processor time, and is in the lag.
    pub grain_ns: u64,
    /// Largest p99 of the send lag, as a share of the median latency, in a valid run.
    pub most_lag_share: f64,
}

/// A request that runs for a minute is a hang unless somebody says otherwise.
const TIMEOUT_NS: u64 = 60_000_000_000;

/// Single requests take 64 bytes each: this many are 6.4 MB, and enough for an exact p99.9 with an interval.
const KEEP_ROWS: usize = 100_000;

/// A lag of a tenth of the median moves a percentile by less than the machine's own variation of about 10 %.
///
/// # Source
/// `docs/METHODOLOGY.md`, "Load".
const MOST_LAG_SHARE: f64 = 0.1;

impl Load {
    /// A load with the usual settings: no warm-up, no objectives, a minute per request.
    pub fn new(scenario: Scenario, limit: Limit, seed: u64, inputs: usize) -> Load {
        Load {
            scenario,
            limit,
            enough: None,
            seed,
            inputs,
            warm_up: 0,
            timeout_ns: TIMEOUT_NS,
            objectives: Vec::new(),
            realtime: false,
            keep_rows: KEEP_ROWS,
            grain_ns: 0,
            most_lag_share: MOST_LAG_SHARE,
        }
    }

    /// Clients of a closed loop; absent for scenarios that are none.
    pub(super) fn clients(&self) -> Option<usize> {
        match self.scenario {
            Scenario::SingleStream => Some(1),
            Scenario::ClosedLoop { clients, .. } => Some(clients),
            Scenario::Offline | Scenario::OpenLoop { .. } => None,
        }
    }
}

/// How one request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With so many tokens; 0 or 1 where there are none to count. A stream's tokens are those it emitted.
    Ok {
        /// Tokens.
        tokens: u32,
    },
    /// Not, for a reason of this class.
    Failed(Cow<'static, str>),
    /// Turned away: a fast refusal is not a fast answer.
    Refused,
    /// The service itself gave up waiting.
    Timeout,
}

impl Answer {
    /// An answer without tokens.
    pub const OK: Answer = Answer::Ok { tokens: 0 };
}

/// A service that several workers call, with the index of the input and of the worker.
pub type SharedCall = dyn Fn(usize, usize) -> Answer + Send + Sync;

/// A service that several workers call, with the index of the input and where to emit tokens.
pub type StreamCall = dyn Fn(usize, &mut Emit) -> Answer + Send + Sync;

/// What answers.
///
/// [`Single`](Service::Single), [`Batch`](Service::Batch) and [`Steps`](Service::Steps) run on the calling thread and may borrow anything; a call
/// that never returns ends with the process. [`Shared`](Service::Shared) and [`Stream`](Service::Stream) own their
/// closure, so that a worker that hangs in it can be left behind and replaced.
pub enum Service<'a> {
    /// One request at a time, with a queue in front.
    Single(&'a mut dyn FnMut(usize) -> Answer),
    /// One request per worker at a time, with one queue in front.
    Shared(Arc<SharedCall>, usize),
    /// Batches out of the queue.
    Batch {
        /// Answers the inputs with these indices, in order.
        call: &'a mut dyn FnMut(&[usize]) -> Vec<Answer>,
        /// Most requests of a batch.
        max_batch: usize,
        /// How long the oldest request may wait for the batch to fill, in nanoseconds from its due time.
        max_wait_ns: u64,
    },
    /// As `Shared`, and emits tokens.
    Stream(Arc<StreamCall>, usize),
    /// Many requests at a time, in steps, with so many slots. Runs on the calling thread.
    Steps(&'a mut dyn Stepped, usize),
}

impl fmt::Debug for Service<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Service::Single(_) => formatter.write_str("Single"),
            Service::Shared(_, workers) => write!(formatter, "Shared({workers})"),
            Service::Batch { max_batch, max_wait_ns, .. } => {
                write!(formatter, "Batch({max_batch}, {max_wait_ns} ns)")
            }
            Service::Stream(_, workers) => write!(formatter, "Stream({workers})"),
            Service::Steps(_, slots) => write!(formatter, "Steps({slots})"),
        }
    }
}

impl Service<'_> {
    fn workers(&self) -> usize {
        match self {
            Service::Single(_) | Service::Batch { .. } | Service::Steps(..) => 1,
            Service::Shared(_, workers) | Service::Stream(_, workers) => (*workers).max(1),
        }
    }
}

/// What all threads of a run share.
#[derive(Debug)]
struct Run {
    dispatch: Dispatch,
    rules: Arc<Rules>,
    order: Vec<usize>,
}

impl Run {
    /// When a worker would be free without delays of the generator, after a request that could have begun at
    /// `possible_ns`. In an open loop a delay of the generator also delays what waits behind, and all of that is its lag;
    /// in a closed loop the next due times begin at the real end.
    #[inline]
    fn free_ns(&self, possible_ns: u64, begin_ns: u64, end_ns: u64) -> u64 {
        if self.dispatch.schedule().is_some() { possible_ns + (end_ns - begin_ns) } else { end_ns }
    }

    /// The input of a request.
    #[inline]
    fn input(&self, request: usize) -> usize {
        // `order` is not empty: a load without inputs has one, with index 0.
        self.order.get(request % self.order.len().max(1)).copied().unwrap_or(0)
    }
}

/// Time between the drawing of a load and its start, in nanoseconds: threads start meanwhile, so that the first
/// requests do not lag. Starting a thread took 0.1 ms here, 5 ms on a busy machine.
const LEAD_NS: u64 = 10_000_000;

/// Sends `load` to `service` and waits until every request has ended.
///
/// # Errors
/// When the load cannot be drawn. Failures of the service are numbers of the outcome.
pub fn run(load: &Load, service: Service<'_>) -> Result<LoadOutcome, LoadError> {
    let drawn = schedule(&load.scenario, load.seed, load.limit)?;
    let mut order: Vec<usize> = (0..load.inputs.max(1)).collect();
    SplitMix64::named(&format!("{}:load.inputs", load.seed)).shuffle(&mut order);
    let workers = service.workers();
    let expected = match (&drawn, load.limit) {
        (Some(schedule), _) => schedule.len(),
        (None, Limit::Requests(requests)) => requests,
        // As many as may be kept: how many will come is not known.
        (None, Limit::Seconds(_)) => load.keep_rows,
    };
    let stream = matches!(service, Service::Stream(..) | Service::Steps(..));
    let lead_ns = if matches!(service, Service::Shared(..) | Service::Stream(..)) { LEAD_NS } else { 0 };
    let start_ns = clock::now_ns() + lead_ns;
    let rules = Arc::new(Rules {
        start_ns,
        warm_up: load.warm_up,
        timeout_ns: load.timeout_ns,
        rows: if expected <= load.keep_rows { expected } else { 0 },
        stream,
        objectives: load.objectives.clone(),
    });
    let dispatch = match (drawn, &load.scenario) {
        (Some(schedule), _) => Dispatch::open(schedule, start_ns, load.grain_ns),
        (None, Scenario::ClosedLoop { clients, think }) => Dispatch::closed(*clients, *think, load, start_ns),
        (None, _) => Dispatch::closed(1, crate::load::Think::None, load, start_ns),
    };
    let run = Run { dispatch, rules, order };
    let seen = match service {
        Service::Single(call) => calling::single(&run, load, call),
        Service::Batch { call, max_batch, max_wait_ns } => {
            calling::batches(&run, load, call, max_batch.max(1), max_wait_ns)
        }
        Service::Steps(service, slots) => steps::run(&run, load, service, slots.max(1)),
        Service::Shared(call, workers) => {
            let call = move |input: usize, worker: usize, _: &mut Emit| call(input, worker);
            return Ok(workers::run(run, load, Arc::new(call), workers.max(1)));
        }
        Service::Stream(call, workers) => {
            let call = move |input: usize, _: usize, emit: &mut Emit| call(input, emit);
            return Ok(workers::run(run, load, Arc::new(call), workers.max(1)));
        }
    };
    Ok(outcome::make(&run, load, workers, seen))
}

/// Calls `answer`; a panic in it is one failed request.
#[inline]
fn guarded<T>(answer: impl FnOnce() -> T) -> Result<T, Cow<'static, str>> {
    panics::counted(answer).map_err(Cow::Owned)
}
