//! Recorded latencies, replayed into criterion for its pages and its baselines. The only file that imports criterion.
//!
//! criterion plans its iterations from wall time, drops zeros, panics on constants and never writes its verdict to
//! disk; so it measures nothing here and no verdict depends on it. Its choices that matter are fixed: one call per
//! recorded observation, in the order recorded.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{Criterion, PlottingBackend, SamplingMode, Throughput};
use serde::Deserialize;

use crate::record::{WriteError, write_atomically};

use super::replayable::{ReplayItem, Work};

/// What a report child does.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayJob {
    /// criterion's folder, `target/criterion`. The child's `CRITERION_HOME` names the same, which spares it a call
    /// of `cargo metadata`.
    pub home: PathBuf,
    /// Under which name to keep this run; `base` when absent.
    pub save_baseline: Option<String>,
    /// Which kept run to compare with, and whether one that lacks a benchmark is fine. Wins over `save_baseline`.
    pub baseline: Option<(String, bool)>,
    /// Whether to draw; about half a processor second per item.
    pub plots: bool,
    /// What to replay.
    pub items: Vec<ReplayItem>,
    /// The page that criterion's index shows as `gap-report`: [`super::html::verdict_page`].
    pub page: String,
}

/// From the page in `target/criterion` to the full report in `target/gapbench`, for [`super::html::verdict_page`].
pub const REPORT_HREF: &str = "../../../gapbench/report.html";

/// Bootstrap resamples. criterion's default of 100,000 costs ten times as much and changes no digit that is shown.
const RESAMPLES: usize = 10_000;

/// Replays `job` and rewrites criterion's index. Runs in a process of its own: criterion prints, and may panic.
///
/// # Errors
/// What could not be replayed, a line each: a missing baseline, a panic of criterion, a refusal of the file system.
/// Everything else has then been replayed.
pub fn replay(job: &ReplayJob) -> Result<(), String> {
    let mut problems = Vec::new();
    let present = present(&job.home);
    let mut criterion = Criterion::default()
        .output_directory(&job.home)
        .with_output_color(false)
        .with_measurement(Recorded)
        .warm_up_time(TICK)
        .measurement_time(TICK)
        .nresamples(RESAMPLES);
    let mut against = "base";
    if let Some(name) = &job.save_baseline {
        criterion = criterion.save_baseline(name.clone());
        against = name;
    }
    if let Some((name, lenient)) = &job.baseline {
        criterion = criterion.retain_baseline(name.clone(), !lenient);
        against = name;
    }
    for item in &job.items {
        let folder = present.get(&(item.group.clone(), item.id.clone()));
        let earlier = folder.map(|folder| folder.join(against)).filter(|folder| folder.exists());
        if let (Some((name, false)), None) = (&job.baseline, &earlier) {
            problems.push(format!(
                "{}/{}: there is no baseline `{name}`; save one with `--save-baseline {name}`, or compare what \
                 there is with `--baseline-lenient {name}`",
                item.group, item.id
            ));
            continue;
        }
        if let Some(folder) = folder {
            // An earlier comparison would stand beside the new numbers as if it were theirs.
            let _ = fs::remove_dir_all(folder.join("change"));
        }
        let flat = constant(&item.nanos) || earlier.is_some_and(|folder| constant(&times(&folder)));
        criterion = if job.plots && !flat { with_plots(criterion) } else { criterion.without_plots() };
        if let Err(reason) = replay_item(&mut criterion, item) {
            problems.push(format!("{}/{}: {reason}", item.group, item.id));
        }
    }
    if let Err(error) = write_page(&job.home, &job.page) {
        problems.push(error.to_string());
    }
    // The index is written by the page writer, so by the one that has plots.
    let index = with_plots(criterion);
    if catch_unwind(AssertUnwindSafe(|| index.final_summary())).is_err() {
        problems.push("criterion's index could not be written".to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// criterion refuses zero; this makes it take each observation once.
const TICK: Duration = Duration::from_nanos(1);

/// Always drawn in this process: a gnuplot that happens to be installed would be started once per picture.
fn with_plots(criterion: Criterion<Recorded>) -> Criterion<Recorded> {
    criterion.plotting_backend(PlottingBackend::Plotters)
}

fn replay_item(criterion: &mut Criterion<Recorded>, item: &ReplayItem) -> Result<(), String> {
    if item.nanos.len() < super::replayable::FEWEST
        || item.nanos.iter().any(|nanos| nanos.is_nan() || *nanos <= 0.0)
    {
        return Err("needs at least 10 observations, all above zero".to_owned());
    }
    let mut calls = 0;
    let run = AssertUnwindSafe(|| {
        let mut group = criterion.benchmark_group(&item.group);
        group.sampling_mode(SamplingMode::Flat).sample_size(item.nanos.len());
        match item.throughput {
            Some(Work::Elements(count)) => _ = group.throughput(Throughput::Elements(count)),
            Some(Work::Bytes(count)) => _ = group.throughput(Throughput::Bytes(count)),
            None => {}
        }
        group.bench_function(&item.id, |bencher| {
            bencher.iter_custom(|iterations| {
                // Call 0 is the warm-up.
                let nanos = item.nanos.get(usize::saturating_sub(calls, 1)).copied().unwrap_or(f64::NAN);
                calls += 1;
                nanos * iterations as f64
            });
        });
        group.finish();
    });
    catch_unwind(run).map_err(|_| "criterion panicked; its message is in the log".to_owned())?;
    match calls.checked_sub(1) {
        Some(made) if made == item.nanos.len() => Ok(()),
        _ => Err(format!("criterion asked for {calls} observations instead of {}", item.nanos.len() + 1)),
    }
}

/// Folders of the benchmarks that criterion has seen, by group and id.
fn present(home: &Path) -> BTreeMap<(String, String), PathBuf> {
    #[derive(Deserialize)]
    struct Seen {
        group_id: String,
        function_id: Option<String>,
    }
    let mut found = BTreeMap::new();
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        let seen = fs::read(folder.join("new/benchmark.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Seen>(&bytes).ok());
        if let Some(Seen { group_id, function_id: Some(id) }) = seen {
            found.insert((group_id, id), folder.clone());
        }
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
    found
}

/// The times of a kept run in nanoseconds; none when it cannot be read.
fn times(folder: &Path) -> Vec<f64> {
    #[derive(Deserialize)]
    struct Sample {
        times: Vec<f64>,
    }
    fs::read(folder.join("sample.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Sample>(&bytes).ok())
        .map_or_else(Vec::new, |sample| sample.times)
}

/// Whether all values are equal: criterion's density estimate panics then.
fn constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair.first() == pair.last())
}

/// A pseudo benchmark: criterion's index lists every folder with a `new/benchmark.json` and links its page. It must
/// hold no `estimates.json`, which critcmp would read.
fn write_page(home: &Path, page: &str) -> Result<(), WriteError> {
    const BENCHMARK: &str = r#"{"group_id":"gap-report","function_id":null,"value_str":null,"throughput":null,"full_id":"gap-report","directory_name":"gap-report","title":"gap-report"}"#;
    let folder = home.join("gap-report");
    write_atomically(&folder.join("report/index.html"), page.as_bytes())?;
    write_atomically(&folder.join("new/benchmark.json"), BENCHMARK.as_bytes())
}

/// Nanoseconds that were measured elsewhere.
struct Recorded;

impl Measurement for Recorded {
    type Intermediate = ();
    type Value = f64;

    // Never called: every observation comes through `iter_custom`.
    fn start(&self) -> Self::Intermediate {}

    fn end(&self, (): Self::Intermediate) -> f64 {
        f64::NAN
    }

    fn add(&self, first: &f64, second: &f64) -> f64 {
        first + second
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Nanoseconds
    }
}

struct Nanoseconds;

impl ValueFormatter for Nanoseconds {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        let (factor, unit) = match typical {
            nanos if nanos < 1e3 => (1.0, "ns"),
            nanos if nanos < 1e6 => (1e-3, "µs"),
            nanos if nanos < 1e9 => (1e-6, "ms"),
            _ => (1e-9, "s"),
        };
        values.iter_mut().for_each(|value| *value *= factor);
        unit
    }

    fn scale_throughputs(&self, typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let (count, names) = match throughput {
            Throughput::Bytes(count) | Throughput::BytesDecimal(count) => {
                (*count as f64, ["B/s", "MB/s", "GB/s"])
            }
            Throughput::Elements(count) => (*count as f64, ["elem/s", "Melem/s", "Gelem/s"]),
            _ => (1.0, ["/s", "M/s", "G/s"]),
        };
        let [one, mega, giga] = names;
        let (scale, unit) = match count * 1e9 / typical {
            rate if rate < 1e6 => (1.0, one),
            rate if rate < 1e9 => (1e-6, mega),
            _ => (1e-9, giga),
        };
        values.iter_mut().for_each(|value| *value = count * 1e9 / *value * scale);
        unit
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "ns"
    }
}
