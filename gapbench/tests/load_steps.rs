//! A service in steps under load: what is taken in, what waits, and what becomes of a step that fails. A busy machine makes
//! everything later, so times are bounded from below only.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::thread;
use std::time::Duration;

use gapbench::load::{Arrivals, Limit, Scenario, Think};
use gapbench::measure::load::{Admission, Answer, Load, LoadOutcome, Progress, Service, Stepped, run};
use gapbench::measure::now_ns;

const MS: u64 = 1_000_000;

/// A step that takes at least `ns`.
fn take(ns: u64) {
    let until = now_ns() + ns;
    while now_ns() < until {
        thread::park_timeout(Duration::from_nanos(until.saturating_sub(now_ns())));
    }
}

fn conserved(outcome: &LoadOutcome) {
    assert_eq!(outcome.issued, outcome.counts.all(), "every request ended in one way");
    assert_eq!(outcome.latency.count(), outcome.counts.completed);
}

/// Requests need `tokens` steps of 1 ms each, and the cache holds `room` of them.
struct Steps {
    room: usize,
    tokens: u32,
    in_hand: Vec<(usize, u32)>,
    most_in_hand: usize,
    steps: u64,
    panics_at: Option<u64>,
}

impl Stepped for Steps {
    fn admit(&mut self, slot: usize, input: usize) -> Admission {
        if input == 3 {
            return Admission::Ended(Answer::Failed("too long".into()));
        }
        if self.in_hand.len() == self.room {
            return Admission::Full;
        }
        assert!(self.in_hand.iter().all(|(taken, _)| *taken != slot), "a slot is given once");
        self.in_hand.push((slot, self.tokens));
        self.most_in_hand = self.most_in_hand.max(self.in_hand.len());
        Admission::Taken
    }

    fn step(&mut self, progress: &mut Progress) -> Result<(), std::borrow::Cow<'static, str>> {
        take(MS);
        self.steps += 1;
        assert!(self.panics_at != Some(self.steps), "a step went wrong");
        for (slot, left) in &mut self.in_hand {
            progress.tokens(*slot, 1);
            *left -= 1;
            if *left == 0 {
                progress.ended(*slot, Answer::OK);
            }
        }
        self.in_hand.retain(|(_, left)| *left > 0);
        Ok(())
    }

    fn reset(&mut self) {
        self.in_hand.clear();
    }
}

fn steps(room: usize) -> Steps {
    Steps { room, tokens: 4, in_hand: Vec::new(), most_in_hand: 0, steps: 0, panics_at: None }
}

#[test]
fn steps_take_in_as_many_as_there_is_room_for() {
    let closed = Scenario::ClosedLoop { clients: 8, think: Think::None };
    for (room, slots, most) in [(8, 8, 8), (3, 8, 3), (8, 2, 2)] {
        let mut service = steps(room);
        // None of the inputs below 3 is too long.
        let load = Load::new(closed.clone(), Limit::Requests(80), 1, 3);
        let outcome = run(&load, Service::Steps(&mut service, slots)).unwrap();
        conserved(&outcome);
        assert_eq!(outcome.counts.completed, 80);
        assert_eq!(service.most_in_hand, most);
        let stream = outcome.stream.as_ref().unwrap();
        assert!(stream.ttft.quantile_ns(0.0).unwrap() >= MS);
        assert!(
            stream.itl.quantile_ns(0.0).unwrap() >= MS - MS / 500,
            "gaps of a histogram are right to 0.1 %"
        );
        assert_eq!(
            outcome.tokens_per_second.map(|rate| (rate * outcome.window_seconds).round()),
            Some(320.0)
        );
        // Four steps of at least 1 ms for `most` requests at a time, and one slot may be empty for a step.
        assert!(outcome.throughput_per_second <= most as f64 * 250.0 * 1.01, "{outcome:?}");
        assert_eq!(outcome.batches, service.steps);
        assert!(outcome.utilisation > 0.5 && outcome.utilisation <= 1.0);
    }
}

#[test]
fn steps_refuse_what_never_fits_and_survive_a_panic() {
    let mut nothing_fits = steps(0);
    let open = Scenario::OpenLoop { rate: 1_000.0, arrivals: Arrivals::Constant };
    let load = Load::new(open.clone(), Limit::Requests(20), 1, 3);
    let outcome = run(&load, Service::Steps(&mut nothing_fits, 4)).unwrap();
    conserved(&outcome);
    assert_eq!(outcome.counts.refused, 20);

    let mut panics = Steps { panics_at: Some(3), ..steps(4) };
    let load = Load::new(open, Limit::Requests(40), 1, 4);
    let outcome = run(&load, Service::Steps(&mut panics, 4)).unwrap();
    conserved(&outcome);
    let failed = |text: &str| {
        outcome
            .failures
            .iter()
            .filter(|(class, _)| class.contains(text))
            .map(|(_, count)| *count)
            .sum::<u64>()
    };
    assert_eq!(failed("too long"), 10, "one input of four: {:?}", outcome.failures);
    assert!((1..=4).contains(&failed("a step went wrong")), "{:?}", outcome.failures);
    assert_eq!(outcome.counts.completed + outcome.counts.failed, 40);
}
