//! How far a run is: a bar on a terminal, single lines in a log, nothing when quiet. Always on standard error.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::record::{CaseId, CaseRow, Outcome};
use crate::units::{Family, show};

/// From this expected time on, a log says that a case began: a reader should know what is being waited for.
const WORTH_A_LINE_SECONDS: f64 = 10.0;

/// Shows the progress of a run.
pub struct Progress {
    total: usize,
    done: usize,
    shown: Shown,
}

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines(Box<dyn Write + Send>),
}

impl Progress {
    /// For `total` cases; `terminal` says whether standard error is one.
    pub fn new(total: usize, quiet: bool, terminal: bool) -> Progress {
        let shown = match (quiet, terminal) {
            (true, _) => Shown::Nothing,
            (false, false) => Shown::Lines(Box::new(io::stderr())),
            (false, true) => Shown::Bar(bar(total)),
        };
        Progress { total, done: 0, shown }
    }

    /// `case` begins and should take about `expected_seconds`.
    pub fn started(&mut self, case: &CaseId, expected_seconds: f64) {
        let about = show(expected_seconds, Family::Time);
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.set_message(format!("{case} (about {about})"));
                bar.tick();
            }
            Shown::Lines(log) if expected_seconds >= WORTH_A_LINE_SECONDS => {
                // Progress that cannot be written is no reason to stop a measurement.
                let _ = writeln!(log, "[{}/{}] {case} started, about {about}", self.done + 1, self.total);
            }
            Shown::Lines(_) => {}
        }
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
            Outcome::Skipped { reason, .. } => (format!("{} skipped: {reason}", row.case), true),
        };
        let line = crate::report::one_line(&format!("[{}/{}] {line}", self.done, self.total));
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                if notable {
                    bar.println(line);
                }
                bar.inc(1);
            }
            Shown::Lines(log) => _ = writeln!(log, "{line}"),
        }
    }

    /// The run is over; the bar goes away.
    pub fn close(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
        self.shown = Shown::Nothing;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.close();
    }
}

/// Redrawn when a case starts or ends only: a thread that ticks would disturb what is being timed.
fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(4));
    match ProgressStyle::with_template("{bar:24} {pos}/{len}  {eta:>4} left  {wide_msg}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        // Only a broken template is refused, and this one is fixed.
        Err(_) => bar,
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
            timing: None,
            notes: vec![],
            wall_seconds: 1.5,
        }
    }

    #[test]
    fn a_log_has_one_line_per_case() {
        let log = Log::default();
        let mut progress = Progress { total: 2, done: 0, shown: Shown::Lines(Box::new(log.clone())) };
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
    fn quiet_and_terminal_take_every_call() {
        for (quiet, terminal) in [(true, true), (false, true)] {
            let mut progress = Progress::new(1, quiet, terminal);
            progress.started(&CaseId("paper::a".to_owned()), 0.1);
            progress.finished(&row(Outcome::Measured));
            progress.close();
        }
    }
}
