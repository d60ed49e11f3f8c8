//! Expanding declarations into cases, selecting them, and giving each its budget.

use std::fmt;

use crate::declare::{Declaration, Declarations, Kind, PaperClaim};
use crate::record::{CaseId, ColdLevel, Condition, ConditionValue, Conditions};
use crate::stats;
use crate::units::Family;

use super::job::{Budget, JobMode, LoadJob};
use super::load;
use super::options::{Mode, Options, Part, Profile};

/// One child process, or several alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// What the child does.
    pub mode: JobMode,
    /// How cold the start is that it follows; absent where it follows none.
    pub cold_start: Option<ColdLevel>,
    /// In how many fresh processes.
    pub processes: usize,
    /// Seconds after which a process is ended.
    pub timeout: f64,
}

/// A case with everything that is decided about it before it runs.
#[derive(Clone, Debug)]
pub struct PlannedCase {
    /// Its name.
    pub id: CaseId,
    /// Its function.
    pub declaration: &'static Declaration,
    /// Which value of each axis.
    pub axis_index: Vec<usize>,
    /// The processes to run, in order.
    pub steps: Vec<Step>,
    /// How long a measuring process observes.
    pub budget: Budget,
    /// What is sent to it under load.
    pub load: Option<LoadJob>,
    /// Axis values that are conditions.
    pub conditions: Conditions,
}

impl PlannedCase {
    /// Whether a kernel is timed, for which the device's peaks are worth knowing.
    pub fn is_timed_kernel(&self) -> bool {
        self.declaration.kind == Kind::Kernel && self.steps.iter().any(|step| step.mode == JobMode::Measure)
    }
}

/// The ordered cases of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to run.
    pub cases: Vec<PlannedCase>,
    /// The options it was built from.
    pub options: Options,
    /// How many cases the filters and `--only` left out.
    pub left_out: usize,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// The bench binary registers nothing.
    NoBenchmarks,
}

impl fmt::Display for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::NoBenchmarks => formatter.write_str(
                "no benchmark is registered in this binary; annotate a function with `#[gap_bench]`, and where \
                 benchmarks live in a library crate, add `use that_crate as _;` so that it is linked",
            ),
        }
    }
}

impl std::error::Error for PlanError {}

/// Builds the plan.
///
/// # Errors
/// [`PlanError::NoBenchmarks`]. A filter that matches nothing is no error: another bench target may match.
pub fn build(declared: &Declarations, options: &Options) -> Result<Plan, PlanError> {
    if declared.items.is_empty() {
        return Err(PlanError::NoBenchmarks);
    }
    let mut plan = Plan { cases: Vec::new(), options: options.clone(), left_out: 0 };
    for item in &declared.items {
        for axis_index in combinations(item.declaration) {
            let id = name(item.declaration, &axis_index);
            let budget = budget(options, &item.claims);
            let load = load::job(item.declaration, options, &item.claims);
            let steps = steps(item.declaration, options, &budget, load.as_ref());
            if !options.selects(&id.0) || steps.is_empty() {
                plan.left_out += 1;
                continue;
            }
            plan.cases.push(PlannedCase {
                conditions: axis_conditions(item.declaration, &axis_index),
                steps,
                id,
                declaration: item.declaration,
                axis_index,
                budget,
                load,
            });
        }
    }
    Ok(plan)
}

/// Every combination of axis values, the last axis varying fastest; one empty combination without axes.
fn combinations(declaration: &Declaration) -> Vec<Vec<usize>> {
    declaration.axes.iter().fold(vec![Vec::new()], |shorter, axis| {
        shorter
            .iter()
            .flat_map(|front| {
                (0..axis.labels.len()).map(|value| front.iter().copied().chain([value]).collect::<Vec<_>>())
            })
            .collect()
    })
}

fn values<'a>(
    declaration: &'a Declaration,
    axis_index: &'a [usize],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    declaration
        .axes
        .iter()
        .zip(axis_index)
        .filter_map(|(axis, index)| axis.labels.get(*index).map(|label| (axis.name, *label)))
}

fn name(declaration: &Declaration, axis_index: &[usize]) -> CaseId {
    let axes: Vec<String> =
        values(declaration, axis_index).map(|(axis, label)| format!("{axis}={label}")).collect();
    let path = declaration.path();
    CaseId(if axes.is_empty() { path } else { format!("{path}::{}", axes.join(",")) })
}

fn axis_conditions(declaration: &Declaration, axis_index: &[usize]) -> Conditions {
    values(declaration, axis_index).fold(Conditions::default(), |conditions, (axis, label)| {
        match Condition::parse(axis) {
            None => conditions,
            Some(condition) => {
                let value =
                    label.parse().map_or_else(|_| ConditionValue::from(label), ConditionValue::Number);
                conditions.with(condition, value)
            }
        }
    })
}

/// Seven processes bound a median from both sides at 97.5 % (0.5^7 x 2 = 1.6 %), which each side of a comparison with an
/// earlier run needs; eleven leave out one value at each end.
fn steps(declaration: &Declaration, options: &Options, budget: &Budget, load: Option<&LoadJob>) -> Vec<Step> {
    let observing = budget.warm_up + budget.at_most;
    let timeout = |seconds: f64| {
        options.timeout.map_or(LOADING_SECONDS + 4.0 * seconds, |timeout| timeout.as_secs_f64())
    };
    let step =
        |mode, processes, seconds| Step { mode, cold_start: None, processes, timeout: timeout(seconds) };
    if options.mode == Mode::Test {
        return vec![step(JobMode::Test, 1, observing)];
    }
    let mut steps: Vec<Step> = first_answers(declaration, options)
        .into_iter()
        .map(|(cold_start, processes)| Step {
            cold_start,
            ..step(JobMode::FirstAnswer, processes, observing)
        })
        .collect();
    if options.wants(Part::Latency) || options.wants(Part::Quality) {
        steps.push(step(JobMode::Measure, 1, observing));
    }
    if let Some(load) = load {
        steps.push(step(JobMode::Load, 1, load.longest_seconds()));
    }
    steps
}

/// How many processes go to their first answer, from each level of cold, the warmest first: what a colder one has to
/// lose, such as files in the page cache, is not there for a warmer one after it.
fn first_answers(declaration: &Declaration, options: &Options) -> Vec<(Option<ColdLevel>, usize)> {
    let processes = match options.profile {
        Profile::Smoke => 1,
        Profile::Quick => 7,
        Profile::Full => 11,
    };
    let levels = ColdLevel::ALL.iter().copied().filter(|level| {
        wants(declaration, options, Part::ColdStart) && declaration.options.cold_start.contains(level)
    });
    let mut found: Vec<_> = levels.map(|level| (Some(level), processes)).collect();
    let has = |level| found.iter().any(|(found, _)| *found == Some(level));
    if !has(ColdLevel::Process) {
        if wants(declaration, options, Part::Memory) {
            found.insert(0, (None, processes));
        } else if has(ColdLevel::Disk) {
            // Says which files are the model's.
            found.insert(0, (None, 1));
        }
    }
    found
}

/// Whether a measurement is wanted for a function: asked for, and, where its author has to ask for it, declared.
pub fn wants(declaration: &Declaration, options: &Options, part: Part) -> bool {
    options.wants(part)
        && match part {
            Part::Latency | Part::Quality => true,
            Part::ColdStart => !declaration.options.cold_start.is_empty(),
            Part::Memory => declaration.options.memory,
            Part::Load => {
                declaration.kind == Kind::Service
                    && (declaration.options.load.is_some() || options.loads.asked())
            }
        }
}

fn budget(options: &Options, claims: &[PaperClaim]) -> Budget {
    let (warm_up, measure, at_most, relative_width): (f64, f64, f64, f64) = match options.profile {
        Profile::Smoke => (0.02, 0.1, 1.0, 0.05),
        Profile::Quick => (0.3, 1.5, 10.0, 0.01),
        Profile::Full => (1.0, 5.0, 60.0, 0.002),
    };
    // A claimed p99 is judged on our p99, so there must be enough observations to bound it from above.
    let needed = claims
        .iter()
        .filter(|claim| claim.metric.family() == Family::Time)
        .filter_map(|claim| stats::smallest_n_two_sided(claim.statistic.quantile()?, claim.policy.alpha))
        .max();
    let seconds = |duration: std::time::Duration| duration.as_secs_f64();
    let measure = options.measure.map_or(measure, seconds);
    Budget {
        warm_up: options.warm_up.map_or(warm_up, seconds),
        measure,
        at_most: at_most.max(measure),
        relative_width,
        min_observations: needed.and_then(|n| usize::try_from(n).ok()).unwrap_or(0).max(MIN_OBSERVATIONS),
    }
}

/// Twenty batches of at least two observations, so that a mean has an interval that allows for autocorrelation.
const MIN_OBSERVATIONS: usize = 40;

/// Loading a model may take long, so a process that observes for seconds is given minutes.
const LOADING_SECONDS: f64 = 120.0;

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        writeln!(
            formatter,
            "{} cases, {} left out by the filters; profile {}, seed {}",
            self.cases.len(),
            self.left_out,
            options.profile.name(),
            options.seed
        )?;
        for case in &self.cases {
            writeln!(formatter, "{}   {}:{}", case.id, case.declaration.file, case.declaration.line)?;
            for step in &case.steps {
                let processes = if step.processes == 1 { "process" } else { "processes" };
                let what = match step.mode {
                    JobMode::Test => "one call".to_owned(),
                    JobMode::FirstAnswer => match step.cold_start {
                        Some(level) => format!("from start to the first answer, cold level {level}"),
                        None => "to the first answer".to_owned(),
                    },
                    JobMode::Measure => format!(
                        "warm up {} s, observe {} s or until the median is known to {} %, at least {} observations \
                         within {} s",
                        case.budget.warm_up,
                        case.budget.measure,
                        case.budget.relative_width * 100.0,
                        case.budget.min_observations,
                        case.budget.at_most
                    ),
                    JobMode::Load => case.load.as_ref().map(ToString::to_string).unwrap_or_default(),
                };
                writeln!(
                    formatter,
                    "    {} fresh {processes}: {what}; ended after {:.0} s",
                    step.processes, step.timeout
                )?;
            }
        }
        Ok(())
    }
}
