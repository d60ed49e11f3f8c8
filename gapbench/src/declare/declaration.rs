//! What the attribute `#[gap_bench]` records about a function: constants, no behaviour.

use std::any::Any;
use std::fmt;

use crate::record::{ColdLevel, LoadPoint, Objective};

/// The error of a benchmark function: anything that can be shown.
pub type Error = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The result of a benchmark function.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// What drives the function: the type of its first parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plain code: `&mut Bencher`.
    Function,
    /// A model that answers requests: `&mut Serve`.
    Service,
    /// A kernel on a device: `&mut Kernel<..>` of a device crate.
    Kernel,
}

/// A swept parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The parameter's name.
    pub name: &'static str,
    /// Its values as they appear in case names, in the author's order.
    pub labels: &'static [&'static str],
}

/// A claims file that the attribute names, embedded so that the bench binary is self-contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperRef {
    /// The path as written, relative to the crate's manifest.
    pub path: &'static str,
    /// The result's id after `#`; all results of the file without one.
    pub id: Option<&'static str>,
    /// The file's bytes.
    pub text: &'static [u8],
}

/// `load(...)`: what is sent to a served model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// The loads, in the author's order.
    pub points: &'static [LoadPoint],
    /// Search for the largest rate that meets the objectives; its arrivals.
    pub search: Option<LoadPoint>,
    /// Seconds after which a request has timed out, where the author says so.
    pub timeout_seconds: Option<f64>,
}

/// The options of the attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The paper's own input set: a JSON Lines file, relative to the crate's manifest.
    pub benchmark: Option<&'static str>,
    /// The user's input set, likewise.
    pub inputs: Option<&'static str>,
    /// Measure fresh processes from their start to the first answer, each of these cold, the warmest first.
    pub cold_start: &'static [ColdLevel],
    /// Report the peak memory of the process.
    pub memory: bool,
    /// Measure it under load.
    pub load: Option<Load>,
    /// `slo(...)`: what is asked of the latencies under load.
    pub objectives: &'static [Objective],
    /// Noise on the inputs: severities, or chains of operators with `@` and a severity.
    pub noise: &'static [&'static str],
}

impl Options {
    /// What an attribute without options means.
    pub const NONE: Options = Options {
        benchmark: None,
        inputs: None,
        cold_start: &[],
        memory: false,
        load: None,
        objectives: &[],
        noise: &[],
    };
}

/// One annotated function.
#[derive(Clone, Copy)]
pub struct Declaration {
    /// `module_path!()` of the function.
    pub module: &'static str,
    /// The function's name, or the attribute's `name`.
    pub name: &'static str,
    /// Where the function stands.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// The crate's manifest folder when the benchmark was compiled; input files are relative to it.
    pub manifest_dir: &'static str,
    /// What drives it.
    pub kind: Kind,
    /// Its axes, in the order of the parameters.
    pub axes: &'static [Axis],
    /// The claims it is held against.
    pub papers: &'static [PaperRef],
    /// Everything else.
    pub options: Options,
    /// Calls the function: the child's session, and one index per axis.
    pub run: fn(session: &mut dyn Any, axis_index: &[usize]) -> Result<()>,
}

impl Declaration {
    /// `module::name`, the front of every case's name.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}

impl fmt::Debug for Declaration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}:{})", self.path(), self.file, self.line)
    }
}

inventory::collect!(Declaration);

/// Returned by a benchmark function that cannot run here: the case is reported as skipped, with this reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// A sentence.
    pub reason: String,
    /// The device whose absence is the reason; `--require-device` turns that into a failure.
    pub absent_device: Option<String>,
}

impl Skip {
    /// A skip for any reason.
    pub fn because(reason: impl Into<String>) -> Skip {
        Skip { reason: reason.into(), absent_device: None }
    }

    /// A skip because `device` (such as `cuda`) is absent.
    pub fn absent(device: impl Into<String>, reason: impl Into<String>) -> Skip {
        Skip { reason: reason.into(), absent_device: Some(device.into()) }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for Skip {}
