//! Tables of kernel benchmarks, CSV: Liger's rows, which say everything, and Triton's `perf_report`, whose columns have a
//! unit only in later versions.

use std::collections::BTreeMap;

use gapbench::record::{Condition, Metric, Statistic};
use gapbench::units::Unit;

use super::super::claim::{Found, Import, Left, Publication, Spread, UnitOf};
use super::super::document::{Place, Refusal, quoted};
use super::super::{json, number};
use super::{Known, Source};

/// The columns without which a row of Liger's cannot be read.
const LIGER: &[&str] = &["kernel_name", "kernel_provider", "metric_name", "metric_unit", "y_value_50"];

/// Whether the first lines are a table of one of the two kinds.
pub(super) fn looks_like_one(text: &str) -> bool {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or("").split(',').map(str::trim).collect();
    if LIGER.iter().all(|column| columns.contains(column)) {
        return true;
    }
    let row: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
    columns.len() >= 2 && row.len() == columns.len() && row.iter().all(|cell| number::read(cell).is_ok())
}

/// Reads the table.
pub(super) fn read(source: Source<'_>, known: &Known) -> Result<Import, Refusal> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source.text.as_bytes());
    let columns: Vec<String> =
        reader.headers().map_err(|error| refused(&error))?.iter().map(str::to_owned).collect();
    let liger = LIGER.iter().all(|column| columns.iter().any(|name| name == column));
    if !liger && columns.len() < 2 {
        let message =
            format!("found the columns {}; expected Liger's or Triton's", quoted(&columns.join(", ")));
        return Err(Refusal::at(Place { line: 1, column: 1 }, message));
    }
    let mut import = Import::default();
    let mut days: Vec<String> = Vec::new();
    let mut lines = Lines { text: source.text, offset: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|error| refused(&error))?;
        let line = lines.of(record.position().map_or(0, csv::Position::byte) as usize);
        let row: Row<'_> =
            Row { cells: columns.iter().map(String::as_str).zip(record.iter()).collect(), line };
        if liger {
            import.found.extend(row.liger().map_err(|left| import.left.push(left)).ok());
            days.extend(row.get("timestamp").and_then(|time| time.get(..10)).map(str::to_owned));
        } else {
            row.triton(&columns, known, &mut import);
        }
    }
    days.sort_unstable();
    days.dedup();
    let title = if liger { "Liger-Kernel benchmarks" } else { "Triton benchmark" };
    import.paper = Publication { title: title.to_owned(), ..Publication::default() };
    match days.as_slice() {
        [] => {}
        [day] => import.paper.date = Some(day.clone()),
        [first, .., last] => {
            import
                .notes
                .push(format!("the rows are of several days, of which a paper has one: {first} to {last}"));
        }
    }
    if liger {
        import
            .notes
            .push("assumed: `MB` of Liger is read as `MiB`: its benchmark divides bytes by 2^20".to_owned());
    }
    Ok(import)
}

fn refused(error: &csv::Error) -> Refusal {
    let words = super::super::document::shown(&error.to_string());
    match error.position() {
        Some(position) => Refusal::at(
            Place { line: position.line() as usize, column: 1 },
            format!("not a table: {words}; every row has as many cells as the first"),
        ),
        None => Refusal::whole(format!("not a table: {words}")),
    }
}

/// Lines of rows. The reader's own are one too low where lines end in a carriage return and a line feed, and a row
/// begins at that line feed.
struct Lines<'t> {
    text: &'t str,
    offset: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the row that begins at or behind byte `offset`, which only grows.
    fn of(&mut self, offset: usize) -> usize {
        let rest = self.text.get(offset..).unwrap_or("");
        let start = offset + (rest.len() - rest.trim_start_matches(['\r', '\n']).len());
        self.line += self.text.get(self.offset..start).unwrap_or("").matches('\n').count();
        self.offset = start;
        self.line
    }
}

/// A row by its columns' names.
struct Row<'r> {
    cells: BTreeMap<&'r str, &'r str>,
    line: usize,
}

impl Row<'_> {
    fn get(&self, column: &str) -> Option<&str> {
        self.cells.get(column).copied().filter(|cell| !cell.is_empty())
    }

    /// Cells have no columns of their own in a table that quotes; the line is enough.
    fn place(&self) -> Place {
        Place { line: self.line, column: 1 }
    }

    fn liger(&self) -> Result<Found, Left> {
        let cell = |column: &str| self.get(column).unwrap_or("");
        let names = ["kernel_name", "kernel_provider", "kernel_operation_mode", "metric_name"].map(cell);
        let x =
            self.get("x_name").map(|name| format!("{name}={}", whole(cell("x_value")))).unwrap_or_default();
        let (metric, unit) = match (cell("metric_name"), cell("metric_unit")) {
            ("speed", unit @ ("ms" | "us" | "s")) => (Metric::LatencyKernel, unit),
            ("memory", "MB") => (Metric::MemoryDevicePeak, "MiB"),
            (name, unit) => {
                let why = format!(
                    "has metric {} and unit {}; expected `speed` in `ms` or `memory` in `MB`",
                    quoted(name),
                    quoted(unit)
                );
                return Err(Left::new(self.place(), quoted(&names.join(" ")), why));
            }
        };
        let name: Vec<&str> = names.into_iter().chain([x.as_str()]).filter(|part| !part.is_empty()).collect();
        let mut found = Found::read(self.place(), &name, metric, Statistic::Median, cell("y_value_50"))?;
        found.unit = UnitOf::Said(unit.to_owned());
        if metric == Metric::LatencyKernel {
            found.notes.push(format!(
                "assumed `{metric}`: `speed` is the time of a call with its data in no cache, all of the call's kernels together"
            ));
        }
        if let (Some(low), Some(high)) = (self.get("y_value_20"), self.get("y_value_80")) {
            match (number::read(low), number::read(high)) {
                (Ok(low), Ok(high)) => found.spread = Some(Spread::P20P80(low.value, high.value)),
                _ => found.notes.push(format!("no spread: {} to {}", quoted(low), quoted(high))),
            }
        }
        found.text(Condition::Hardware, self.get("gpu_name"));
        if let Some(condition) = axis(cell("x_label")) {
            found.number(condition, Some(whole(cell("x_value"))));
        }
        self.configuration(&mut found);
        if let Some(version) = self.get("liger_version") {
            found.software.insert("liger_kernel".to_owned(), version.to_owned());
        }
        found.locator = Some(name.join(", "));
        Ok(found)
    }

    /// What `extra_benchmark_config_str` says of conditions whose name is unmistakable.
    fn configuration(&self, found: &mut Found) {
        let Some(text) = self.get("extra_benchmark_config_str") else { return };
        found.apart = text.to_owned();
        let Ok(tree) = json::read(text) else {
            found.notes.push(format!("the configuration is not JSON: {}", quoted(text)));
            return;
        };
        found.text(Condition::Dtype, tree.text_of("dtype").map(|dtype| dtype.trim_start_matches("torch.")));
        // The axis says what was run; the configuration says from what it was varied.
        for (key, condition) in [("hidden_size", Condition::Hidden), ("head_dim", Condition::HeadDim)] {
            if !found.conditions.contains_key(&condition) {
                found.number(condition, tree.text_of(key));
            }
        }
        found.notes.push(format!("the rest of the configuration is no condition: {}", quoted(text)));
    }

    fn triton(&self, columns: &[String], known: &Known, import: &mut Import) {
        let Some((axis_name, series)) = columns.split_first() else { return };
        let x = format!("{axis_name}={}", whole(self.get(axis_name).unwrap_or("")));
        for column in series {
            let text = self.get(column).unwrap_or("");
            let what = format!("{} = {}", quoted(&format!("{column} {x}")), quoted(text));
            let (name, said) = match column.rsplit_once('(') {
                Some((name, unit)) if unit.ends_with(')') => (name.trim(), Some(unit.trim_end_matches(')'))),
                _ => (column.as_str(), None),
            };
            if name.ends_with("-min") || name.ends_with("-max") {
                import.left.push(Left::new(
                    self.place(),
                    what,
                    "is an end of a range that the benchmark chose itself",
                ));
                continue;
            }
            let meaning = match (said.and_then(unit_of), known.metric, known.unit.as_deref()) {
                (Some(meaning), ..) => Some((meaning, None)),
                (None, Some(metric), Some(unit)) if said.is_none() => Some((
                    (metric, unit),
                    Some(format!("`{metric}` in `{unit}`, as asked for with --metric and --unit")),
                )),
                _ => None,
            };
            let Some(((metric, unit), note)) = meaning else {
                let why = match said {
                    Some(said) => format!("is in {}, which is no unit of a kernel here", quoted(said)),
                    None => "has neither metric nor unit; `--metric throughput.bytes --unit GB/s`, or others, decide".to_owned(),
                };
                import.left.push(Left::new(self.place(), what, why));
                continue;
            };
            match Found::read(self.place(), &[name, &x], metric, Statistic::Unspecified, text) {
                Ok(mut found) => {
                    found.unit = UnitOf::Said(unit.to_owned());
                    found.notes.extend(note);
                    if let Some(condition) = Condition::parse(axis_name) {
                        found.number(condition, self.get(axis_name).map(whole));
                    }
                    found.locator = Some(format!("column {name}, {x}"));
                    import.found.push(found);
                }
                Err(left) => import.left.push(left),
            }
        }
    }
}

/// A whole number without the zeros that a table prints behind it.
fn whole(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, decimals)) if decimals.bytes().all(|byte| byte == b'0') && !whole.is_empty() => whole,
        _ => text,
    }
}

/// The condition that a label of Liger's x axis names.
fn axis(label: &str) -> Option<Condition> {
    match label {
        "hidden size" => Some(Condition::Hidden),
        "sequence length" | "seq_len" => Some(Condition::SeqLen),
        "head dim" | "head dimension" => Some(Condition::HeadDim),
        _ => None,
    }
}

/// Metric and unit of a column of Triton's.
fn unit_of(said: &str) -> Option<(Metric, &'static str)> {
    let name = match said {
        "TFLOPS" | "TFLOP/s" | "TFLOPs/s" => "TFLOP/s",
        "GFLOPS" | "GFLOP/s" => "GFLOP/s",
        other => other,
    };
    let unit = Unit::parse(name).ok()?;
    let metric = match unit.family {
        gapbench::units::Family::Time => Metric::LatencyKernel,
        gapbench::units::Family::ByteRate => Metric::ThroughputBytes,
        gapbench::units::Family::Flops => Metric::ThroughputFlops,
        _ => return None,
    };
    Some((metric, unit.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_told_by_its_first_rows() {
        assert!(looks_like_one("N,Triton,Torch\n256.000000,137.9,152.5\n"));
        assert!(looks_like_one("kernel_name,kernel_provider,metric_name,metric_unit,y_value_50\nx\n"));
        assert!(!looks_like_one("Dear reader, hello\nhow, are you\n"));
        assert!(!looks_like_one("a: 1\nb: 2\n"));
    }

    #[test]
    fn lines_of_both_endings() {
        for text in ["a,b\n1,2\n\n3,4\n", "a,b\r\n1,2\r\n\r\n3,4\r\n"] {
            let import = read(Source { name: "x", text }, &Known::default()).unwrap();
            let lines: Vec<usize> = import.left.iter().map(|left| left.at.line).collect();
            assert_eq!(lines, [2, 4], "{text:?}");
        }
    }

    #[test]
    fn numbers_of_an_axis_are_whole_where_they_are() {
        assert_eq!((whole("256.000000"), whole("0.5"), whole("7")), ("256", "0.5", "7"));
    }
}
