//! Where the time of a cold start went: from the events of one child to named stretches that sum to its total, and from
//! several children to the phases of a row.

use std::collections::HashMap;

use crate::record::{ColdLevel, Event, Phase};

use super::child::Report;

/// One cold start: named stretches, the first from the spawn on, that sum to the total. Seconds.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) level: ColdLevel,
    stretches: Vec<(String, f64)>,
}

/// From the parent's reading of the clock to the child's, the loader included.
const TO_MAIN: &str = "spawn to main";
/// The request itself.
const FIRST_ANSWER: &str = "first answer";
/// The time between named phases, in which the author's function did unnamed things.
const UNACCOUNTED: &str = "unaccounted";

/// The stretches of a child that said its first answer. Time that several phases share is that of the one which began
/// last: an inner phase takes its time from the outer one, and so does one of another thread.
pub(super) fn of(report: &Report, level: ColdLevel) -> Option<Start> {
    let mut phases: Vec<(&str, u64, u64)> = Vec::new();
    let mut answered_ns = None;
    for event in &report.events {
        match event {
            Event::Started { at_ns, .. } => phases.push((TO_MAIN, report.spawned_ns, *at_ns)),
            Event::Phase { name, start_ns, end_ns } => phases.push((name, *start_ns, *end_ns)),
            Event::FirstAnswer { start_ns, end_ns } => {
                answered_ns = Some(*end_ns);
                phases.push((FIRST_ANSWER, *start_ns, *end_ns));
            }
            _ => {}
        }
    }
    let mut clock = Clock::new(report.spawned_ns, answered_ns?);
    phases.sort_by_key(|(_, start, end)| (*start, std::cmp::Reverse(*end)));
    for (name, start, end) in phases {
        clock.advance(start);
        clock.begin(name, end);
    }
    Some(Start { level, stretches: clock.finish() })
}

/// Gives each nanosecond to one name.
struct Clock<'a> {
    reached: u64,
    end: u64,
    /// Phases that run, the one that began last at the end; what lies below it may be over already.
    running: Vec<(&'a str, u64)>,
    /// In the order of their first beginning.
    names: Vec<&'a str>,
    spent: HashMap<&'a str, u64>,
    unaccounted: u64,
}

impl<'a> Clock<'a> {
    fn new(start: u64, end: u64) -> Clock<'a> {
        Clock {
            reached: start,
            end,
            running: Vec::new(),
            names: Vec::new(),
            spent: HashMap::new(),
            unaccounted: 0,
        }
    }

    fn begin(&mut self, name: &'a str, end: u64) {
        if self.reached < self.end && end > self.reached {
            if !self.names.contains(&name) {
                self.names.push(name);
            }
            self.running.push((name, end));
        }
    }

    fn advance(&mut self, to: u64) {
        let to = to.min(self.end);
        while self.reached < to {
            let before = self.reached;
            match self.running.last() {
                Some((_, end)) if *end <= before => {
                    self.running.pop();
                }
                Some((name, end)) => {
                    self.reached = to.min(*end);
                    *self.spent.entry(name).or_default() += self.reached - before;
                }
                None => {
                    self.unaccounted += to - before;
                    self.reached = to;
                }
            }
        }
    }

    fn finish(mut self) -> Vec<(String, f64)> {
        self.advance(self.end);
        let seconds = |ns: u64| ns as f64 * 1e-9;
        let named = self.names.iter().map(|name| {
            let spent = self.spent.get(name).copied().unwrap_or_default();
            ((*name).to_owned(), seconds(spent))
        });
        named.chain([(UNACCOUNTED.to_owned(), seconds(self.unaccounted))]).collect()
    }
}

/// The same phase of several starts of a level side by side, in the order of the first start.
pub(super) fn join(starts: &[Start]) -> Vec<Phase> {
    let mut joined: Vec<Phase> = Vec::new();
    for Start { level, stretches } in starts {
        for (name, seconds) in stretches {
            match joined.iter_mut().find(|phase| phase.name == *name && phase.level == *level) {
                Some(phase) => phase.seconds.push(*seconds),
                None => joined.push(Phase { name: name.clone(), level: *level, seconds: vec![*seconds] }),
            }
        }
    }
    // What a later start had and the first had not stands before what nobody named.
    joined.sort_by_key(|phase| (phase.level, phase.name == UNACCOUNTED));
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PROTOCOL;
    use crate::run::child::Ending;

    fn start(events: Vec<Event>) -> Option<Vec<(String, f64)>> {
        let report = Report {
            ending: Ending::DeadlinePassed,
            spawned_ns: 1_000,
            events,
            garbage: 0,
            stderr_tail: Vec::new(),
            out_of_memory: false,
        };
        of(&report, ColdLevel::Process).map(|start| start.stretches)
    }

    fn phase(name: &str, start_ns: u64, end_ns: u64) -> Event {
        Event::Phase { name: name.into(), start_ns, end_ns }
    }

    /// Each name with its nanoseconds, in order. A start from 1,000 to 4,000, in `main` at 2,000.
    fn told(phases: Vec<Event>) -> Vec<(String, u64)> {
        let mut events = vec![Event::Started { protocol: PROTOCOL, at_ns: 2_000 }];
        events.extend(phases);
        events.push(Event::FirstAnswer { start_ns: 3_100, end_ns: 4_000 });
        let told: Vec<(String, u64)> = start(events)
            .unwrap()
            .into_iter()
            .map(|(name, seconds)| (name, (seconds * 1e9).round() as u64))
            .collect();
        assert_eq!(told.iter().map(|(_, ns)| ns).sum::<u64>(), 3_000, "{told:?}");
        told
    }

    fn owned(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected.iter().map(|(name, ns)| ((*name).to_owned(), *ns)).collect()
    }

    #[test]
    fn an_inner_phase_takes_its_time_from_the_outer_one() {
        let inner = vec![phase("innermost", 2_650, 2_700), phase("inner", 2_600, 2_800)];
        let told = told([inner, vec![phase("outer", 2_500, 3_000)]].concat());
        let expected = [
            ("spawn to main", 1_000),
            ("outer", 300),
            ("inner", 150),
            ("innermost", 50),
            ("first answer", 900),
            ("unaccounted", 600),
        ];
        assert_eq!(told, owned(&expected));
    }

    #[test]
    fn a_phase_of_another_thread_is_not_counted_twice() {
        // Two threads load from 2,000 to 2,600 and from 2,400 to 3,100; one of them is in a phase within a phase.
        let told = told(vec![phase("tokenizer", 2_000, 2_600), phase("weights", 2_400, 3_100)]);
        let expected =
            [("spawn to main", 1_000), ("tokenizer", 400), ("weights", 700), ("first answer", 900)];
        assert_eq!(told[..4], owned(&expected));
        assert_eq!(told[4].1, 0);
    }

    #[test]
    fn phases_of_one_name_are_added_up_and_those_after_the_answer_are_not_counted() {
        let told = told(vec![
            phase("upload", 2_000, 2_100),
            phase("upload", 2_200, 2_300),
            phase("module", 3_500, 3_600),
            phase("late", 3_900, 9_000),
            phase("later", 5_000, 9_000),
        ]);
        let expected = [
            ("spawn to main", 1_000),
            ("upload", 200),
            ("first answer", 700),
            ("module", 100),
            ("late", 100),
            ("unaccounted", 900),
        ];
        assert_eq!(told, owned(&expected));
    }

    #[test]
    fn without_an_answer_there_is_no_cold_start() {
        assert!(start(vec![Event::Started { protocol: PROTOCOL, at_ns: 2_000 }]).is_none());
    }

    #[test]
    fn levels_stand_apart() {
        let start = |level, names: &[&str]| Start {
            level,
            stretches: names.iter().map(|name| ((*name).to_owned(), 1.0)).collect(),
        };
        let rest = UNACCOUNTED;
        let phases = join(&[
            start(ColdLevel::Process, &["a", rest]),
            start(ColdLevel::Process, &["a", "b", rest]),
            start(ColdLevel::Jit, &["a", rest]),
        ]);
        let found: Vec<_> =
            phases.iter().map(|phase| (phase.level.name(), &*phase.name, phase.seconds.len())).collect();
        let expected = [("process", "a", 2), ("process", "b", 1), ("process", rest, 2)];
        assert_eq!(found, [&expected[..], &[("jit", "a", 1), ("jit", rest, 1)]].concat());
    }
}
