//! The last lines of what a child prints. An endless flood costs nothing but its reading.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Lines kept.
const LINES: usize = 20;
/// Bytes kept of one line.
const LINE_BYTES: usize = 400;

/// Reads a stream on a thread of its own until it ends.
pub(super) struct Tail {
    done: Receiver<Vec<String>>,
}

impl Tail {
    /// Starts reading; each piece also goes to `copy`.
    pub(super) fn of(
        mut stream: impl Read + Send + 'static,
        mut copy: Option<Box<dyn io::Write + Send>>,
    ) -> Tail {
        let (finished, done) = channel();
        thread::spawn(move || {
            let mut lines = Lines::default();
            let mut buffer = [0_u8; 8192];
            while let Ok(count) = stream.read(&mut buffer) {
                let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
                if let Some(copy) = &mut copy {
                    // A reader that went away, such as `head`, is no reason to lose a measurement.
                    let _ = copy.write_all(piece);
                }
                lines.take(piece);
            }
            let _ = finished.send(lines.into_vec());
        });
        Tail { done }
    }

    /// The last lines, oldest first. A grandchild that keeps the stream open is waited for no longer than `patience`.
    pub(super) fn lines(self, patience: Duration) -> Vec<String> {
        self.done.recv_timeout(patience).unwrap_or_default()
    }
}

#[derive(Default)]
struct Lines {
    kept: VecDeque<String>,
    open: Vec<u8>,
}

impl Lines {
    fn take(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_BYTES.saturating_sub(self.open.len());
            self.open.extend(part.iter().take(room));
            if part.last() == Some(&b'\n') {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let line = String::from_utf8_lossy(&self.open).trim_end().to_owned();
        self.open.clear();
        if !line.is_empty() {
            self.kept.push_back(line);
        }
        while self.kept.len() > LINES {
            self.kept.pop_front();
        }
    }

    fn into_vec(mut self) -> Vec<String> {
        self.close();
        self.kept.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_and_bounds_them() {
        let mut text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        text.push_str(&"x".repeat(10_000));
        let lines = Tail::of(io::Cursor::new(text), None).lines(Duration::from_secs(5));
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0], "line 81");
        assert_eq!(lines[19].len(), LINE_BYTES);
    }
}
