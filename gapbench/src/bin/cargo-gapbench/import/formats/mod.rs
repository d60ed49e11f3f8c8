//! The formats that are read, one file each. Each turns a text into numbers with places; none decides what becomes of them.

mod criterion;
mod csv_table;
mod detect;
mod eval_results;
mod lm_eval;
mod mlperf;
mod model_index;
mod nvbench;

use gapbench::record::Metric;

use super::claim::Import;
use super::document::Refusal;
pub(super) use detect::detect;

/// A file that is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'t> {
    /// As it was named.
    pub(super) name: &'t str,
    pub(super) text: &'t str,
}

/// What the user says of numbers whose source does not.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) metric: Option<Metric>,
    pub(super) unit: Option<String>,
}

macro_rules! formats {
    ($($variant:ident $name:literal $what:literal $reader:ident;)*) => {
        /// A format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Format { $(#[doc = $what] $variant,)* }

        impl Format {
            pub(super) const ALL: &'static [Format] = &[$(Format::$variant,)*];

            /// The word for `--format`.
            pub(super) const fn name(self) -> &'static str { match self { $(Format::$variant => $name,)* } }

            /// What it is, for a person.
            pub(super) const fn what(self) -> &'static str { match self { $(Format::$variant => $what,)* } }

            /// Reads `source`.
            ///
            /// # Errors
            /// What is not of this format, with its place.
            pub(super) fn read(self, source: Source<'_>, known: &Known) -> Result<Import, Refusal> {
                match self { $(Format::$variant => $reader::read(source, known),)* }
            }
        }
    };
}

formats! {
    ModelIndex "model-index" "the YAML front matter of a model card" model_index;
    EvalResults "eval-results" "`.eval_results/*.yaml` of a model's repository" eval_results;
    LmEval "lm-eval" "the results of lm-evaluation-harness, JSON" lm_eval;
    Mlperf "mlperf" "`mlperf_log_summary.txt` of LoadGen" mlperf;
    Nvbench "nvbench" "the results of nvbench, JSON" nvbench;
    Csv "kernel-csv" "a table of Liger's or Triton's benchmarks, CSV" csv_table;
    Criterion "criterion" "`estimates.json` of criterion" criterion;
}

impl Format {
    /// The format of this name.
    pub(super) fn parse(name: &str) -> Option<Format> {
        Format::ALL.iter().copied().find(|format| format.name() == name)
    }
}
