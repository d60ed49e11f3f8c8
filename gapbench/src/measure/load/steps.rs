//! A service that works in steps on the calling thread: it takes requests in while it has room, and every step brings
//! all that it has in hand further. Engines of language models call this continuous batching.

use std::borrow::Cow;

use super::super::clock;
use super::calling::watched;
use super::dispatch::{Next, Taken};
use super::outcome::Seen;
use super::record::{Ended, Recorder};
use super::{Answer, Emit, Load, Run, guarded};

/// What became of a request that was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is in hand.
    Taken,
    /// There is no room now; it waits and is offered again after the next step.
    Full,
    /// It has ended already.
    Ended(Answer),
}

/// A service that works in steps. A request in hand has a slot, below the service's capacity.
pub trait Stepped {
    /// Takes the input with this index in, under `slot`.
    fn admit(&mut self, slot: usize, input: usize) -> Admission;

    /// Brings every request in hand one step further.
    ///
    /// # Errors
    /// Why all requests in hand have failed.
    fn step(&mut self, progress: &mut Progress) -> Result<(), Cow<'static, str>>;

    /// Drops all requests in hand: a step failed or panicked.
    fn reset(&mut self);
}

/// What a step brought.
#[derive(Debug, Default)]
pub struct Progress {
    tokens: Vec<(usize, u32)>,
    ended: Vec<(usize, Answer)>,
}

impl Progress {
    /// So many tokens of the request in `slot` are out.
    pub fn tokens(&mut self, slot: usize, count: u32) {
        self.tokens.push((slot, count));
    }

    /// The request in `slot` has ended; the slot is free.
    pub fn ended(&mut self, slot: usize, answer: Answer) {
        self.ended.push((slot, answer));
    }
}

/// A request in hand.
struct InHand {
    taken: Taken,
    possible_ns: u64,
    begin_ns: u64,
}

/// All slots.
struct Slots<'a> {
    run: &'a Run,
    recorder: &'a mut Recorder,
    requests: Vec<Option<InHand>>,
    emits: Vec<Emit>,
    in_hand: usize,
}

impl Slots<'_> {
    fn free(&self) -> Option<usize> {
        self.requests.iter().position(Option::is_none)
    }

    fn put(&mut self, slot: usize, request: InHand) {
        if let (Some(place), Some(emit)) = (self.requests.get_mut(slot), self.emits.get_mut(slot)) {
            emit.begin(request.begin_ns);
            *place = Some(request);
            self.in_hand += 1;
        }
    }

    fn tokens(&mut self, slot: usize, count: u32) {
        let busy = self.requests.get(slot).is_some_and(Option::is_some);
        if let Some(emit) = self.emits.get_mut(slot).filter(|_| busy) {
            emit.tokens(count);
        }
    }

    fn end(&mut self, slot: usize, answer: Answer) {
        let Some(InHand { taken, possible_ns, begin_ns }) =
            self.requests.get_mut(slot).and_then(Option::take)
        else {
            return;
        };
        self.in_hand -= 1;
        let end_ns = clock::now_ns();
        self.run.dispatch.end(end_ns);
        let Taken { request, due_ns } = taken;
        let emit = self.emits.get(slot);
        self.recorder.add(Ended { request, due_ns, possible_ns, begin_ns, end_ns, answer, emit });
    }

    fn fail_all(&mut self, why: &str) {
        (0..self.requests.len()).for_each(|slot| self.end(slot, Answer::Failed(Cow::Owned(why.to_owned()))));
    }
}

/// As many requests in hand as there are slots, as long as the service takes them.
pub(super) fn run(run: &Run, load: &Load, service: &mut dyn Stepped, capacity: usize) -> Seen {
    let mut steps = 0;
    let mut seen = watched(run, load, |recorder| {
        let mut slots = Slots {
            run,
            recorder,
            requests: (0..capacity).map(|_| None).collect(),
            emits: (0..capacity).map(|_| Emit::new(true)).collect(),
            in_hand: 0,
        };
        let mut waiting: Option<Taken> = None;
        let mut progress = Progress::default();
        loop {
            admit(&mut slots, service, &mut waiting);
            if slots.in_hand == 0 {
                // Nothing to do until somebody comes.
                let Some((taken, _)) = run.dispatch.take() else { return };
                // At the time at which it was due: a generator that woke up late is late. With nothing in hand it is
                // taken or ends.
                offer(&mut slots, service, taken, taken.due_ns);
                continue;
            }
            let begin_ns = clock::now_ns();
            let stepped = guarded(|| service.step(&mut progress)).and_then(|stepped| stepped);
            steps += 1;
            progress.tokens.drain(..).for_each(|(slot, count)| slots.tokens(slot, count));
            progress.ended.drain(..).for_each(|(slot, answer)| slots.end(slot, answer));
            slots.recorder.busy_ns += clock::now_ns() - begin_ns;
            if let Err(why) = stepped {
                slots.fail_all(&why);
                service.reset();
            }
        }
    });
    seen.batches = steps;
    seen
}

#[derive(PartialEq, Eq)]
enum Offered {
    Settled,
    NoRoom,
}

/// Takes in whatever is due, oldest first, until there is no room.
fn admit(slots: &mut Slots<'_>, service: &mut dyn Stepped, waiting: &mut Option<Taken>) {
    loop {
        let now_ns = clock::now_ns();
        let next = match waiting.take() {
            Some(taken) => taken,
            None if slots.free().is_none() => return,
            None => match slots.run.dispatch.try_take(now_ns) {
                Next::Taken(taken) => taken,
                Next::NotBefore(_) | Next::Later | Next::Never => return,
            },
        };
        // It could begin only now: what it waited for is the service.
        if offer(slots, service, next, now_ns) == Offered::NoRoom {
            *waiting = Some(next);
            return;
        }
    }
}

fn offer(slots: &mut Slots<'_>, service: &mut dyn Stepped, taken: Taken, possible_ns: u64) -> Offered {
    let Some(slot) = slots.free() else { return Offered::NoRoom };
    let begin_ns = clock::now_ns();
    let possible_ns = possible_ns.max(taken.due_ns).min(begin_ns);
    let input = slots.run.input(taken.request);
    let admission =
        guarded(|| service.admit(slot, input)).unwrap_or_else(|why| Admission::Ended(Answer::Failed(why)));
    // Taking a request in may be most of its work, as reading a prompt is.
    slots.recorder.busy_ns += clock::now_ns() - begin_ns;
    let ended = match admission {
        Admission::Full if slots.in_hand > 0 => return Offered::NoRoom,
        // With nothing else in hand there will never be more room.
        Admission::Full => Some(Answer::Refused),
        Admission::Ended(answer) => Some(answer),
        Admission::Taken => None,
    };
    slots.put(slot, InHand { taken, possible_ns, begin_ns });
    if let Some(answer) = ended {
        slots.end(slot, answer);
    }
    Offered::Settled
}
