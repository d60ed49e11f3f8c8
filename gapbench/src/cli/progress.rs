//! How far a run is: a status line on a terminal, single lines in a log, nothing when quiet. Always on standard error.

use std::io::{self, Write};

use crate::measure::now_ns;
use crate::record::{CaseId, CaseRow, Outcome};
use crate::report::{cut, one_line};
use crate::units::{Family, show};

/// From this expected time on, a log says that a case began: a reader should know what is being waited for.
const WORTH_A_LINE_SECONDS: f64 = 10.0;

/// To the line's first column, and away with what stands there.
///
/// # Source
/// ECMA-48, 8.3.41 EL with parameter 2.
const CLEAR_LINE: &str = "\r\x1b[2K";

/// Shows the progress of a run.
pub struct Progress {
    total: usize,
    done: usize,
    begun_ns: u64,
    /// Why a case was skipped, said already.
    told: Option<String>,
    shown: Shown,
}

enum Shown {
    Nothing,
    /// One line of this many columns, overwritten when a case starts or ends and at no other time: a thread that ticks
    /// would disturb what is being timed.
    StatusLine(Box<dyn Write + Send>, usize),
    Lines(Box<dyn Write + Send>),
}

impl Progress {
    /// For `total` cases on a terminal of `columns`, or into a log where there is no terminal.
    pub fn new(total: usize, quiet: bool, columns: Option<usize>) -> Progress {
        let shown = match (quiet, columns) {
            (true, _) => Shown::Nothing,
            (false, None) => Shown::Lines(Box::new(io::stderr())),
            (false, Some(columns)) => Shown::StatusLine(Box::new(io::stderr()), columns),
        };
        Progress { total, done: 0, begun_ns: now_ns(), told: None, shown }
    }

    /// `case` begins and should take about `expected_seconds`.
    pub fn started(&mut self, case: &CaseId, expected_seconds: f64) {
        let position = format!("[{}/{}]", self.done + 1, self.total);
        let about = show(expected_seconds, Family::Time);
        let left = self.left();
        // Progress that cannot be written is no reason to stop a measurement.
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::StatusLine(terminal, columns) => {
                let line = one_line(&format!("{position} {case}, about {about}{left}"));
                // A line that reaches the last column would wrap, and could not be cleared.
                let fits = cut(&line, columns.saturating_sub(1)).into_iter().next().unwrap_or_default();
                let _ = write!(terminal, "{CLEAR_LINE}{fits}");
                let _ = terminal.flush();
            }
            Shown::Lines(log) if expected_seconds >= WORTH_A_LINE_SECONDS => {
                let _ = writeln!(log, "{position} {case} started, about {about}");
            }
            Shown::Lines(_) => {}
        }
    }

    /// What the cases so far let expect of the others; empty before the first has ended.
    fn left(&self) -> String {
        if self.done == 0 {
            return String::new();
        }
        let per_case = now_ns().saturating_sub(self.begun_ns) as f64 * 1e-9 / self.done as f64;
        let left = per_case * self.total.saturating_sub(self.done) as f64;
        format!("; {} left in all", show(left, Family::Time))
    }

    /// A case ended.
    pub fn finished(&mut self, row: &CaseRow) {
        self.done += 1;
        let took = show(row.wall_seconds, Family::Time);
        let (line, notable) = match &row.outcome {
            Outcome::Measured => (format!("{} measured in {took}", row.case), false),
            Outcome::Failed(failure) => {
                (format!("{} failed after {took}: {}", row.case, failure.reason), true)
            }
            Outcome::Skipped { reason, .. } if self.told.as_ref() == Some(reason) => {
                (format!("{} skipped for the same reason", row.case), true)
            }
            Outcome::Skipped { reason, .. } => {
                self.told = Some(reason.clone());
                (format!("{} skipped: {reason}", row.case), true)
            }
        };
        let line = one_line(&format!("[{}/{}] {line}", self.done, self.total));
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::StatusLine(terminal, _) if notable => _ = writeln!(terminal, "{CLEAR_LINE}{line}"),
            Shown::StatusLine(..) => {}
            Shown::Lines(log) => _ = writeln!(log, "{line}"),
        }
    }

    /// The run is over; the status line goes away.
    pub fn close(&mut self) {
        if let Shown::StatusLine(terminal, _) = &mut self.shown {
            let _ = write!(terminal, "{CLEAR_LINE}");
            let _ = terminal.flush();
        }
        self.shown = Shown::Nothing;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::record::{Failure, FailureKind};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn row(outcome: Outcome) -> CaseRow {
        CaseRow {
            case: CaseId("paper::a".to_owned()),
            function: "paper::a".to_owned(),
            outcome,
            series: vec![],
            phases: vec![],
            noise: Vec::new(),
            loads: Vec::new(),
            search: None,
            timing: None,
            device: None,
            notes: vec![],
            wall_seconds: 1.5,
        }
    }

    fn with(shown: Shown) -> Progress {
        Progress { total: 2, done: 0, begun_ns: now_ns(), told: None, shown }
    }

    #[test]
    fn a_log_has_one_line_per_case() {
        let log = Log::default();
        let mut progress = with(Shown::Lines(Box::new(log.clone())));
        let case = CaseId("paper::a".to_owned());
        progress.started(&case, 1.0);
        progress.finished(&row(Outcome::Measured));
        progress.started(&case, 30.0);
        let failure =
            Failure { kind: FailureKind::Error, reason: "no\nweights".to_owned(), stderr_tail: vec![] };
        progress.finished(&row(Outcome::Failed(failure)));
        progress.close();
        progress.finished(&row(Outcome::Measured));
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            text,
            "[1/2] paper::a measured in 1.50 s\n[2/2] paper::a started, about 30.0 s\n\
             [2/2] paper::a failed after 1.50 s: no weights\n"
        );
    }

    #[test]
    fn a_terminal_has_one_line_and_what_went_wrong() {
        let log = Log::default();
        let mut progress = with(Shown::StatusLine(Box::new(log.clone()), 30));
        let case = CaseId("paper::a_long_name_that_does_not_fit".to_owned());
        progress.started(&case, 1.0);
        progress.finished(&row(Outcome::Measured));
        progress.finished(&row(Outcome::Skipped { reason: "no driver".to_owned(), absent_device: None }));
        progress.close();
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.split(CLEAR_LINE).collect();
        assert_eq!(lines.len(), 4, "{text:?}");
        assert!(
            lines[1].starts_with("[1/2] paper::a_long_name") && lines[1].chars().count() <= 29,
            "{text:?}"
        );
        assert_eq!(lines[2..], ["[2/2] paper::a skipped: no driver\n", ""]);
    }

    #[test]
    fn what_is_left_follows_from_what_was_done() {
        let mut progress = with(Shown::Nothing);
        assert_eq!(progress.left(), "");
        progress.finished(&row(Outcome::Measured));
        assert!(progress.left().ends_with(" left in all"));
    }

    #[test]
    fn quiet_takes_every_call() {
        let mut progress = Progress::new(1, true, Some(80));
        progress.started(&CaseId("paper::a".to_owned()), 0.1);
        progress.finished(&row(Outcome::Measured));
        progress.close();
    }
}
