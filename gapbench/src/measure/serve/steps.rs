//! What an author writes to serve requests in steps, as engines with continuous batching do.

use std::borrow::Cow;
use std::sync::Arc;

use super::answer::{Answered, IntoAnswer};
use super::shape::{Asked, Shape};
use crate::declare::Error;
use crate::input::Input;
use crate::load::LoadError;
use crate::measure::load::{self, Admission, Answer, Load, LoadOutcome, Progress, Service, Stepped};

/// Names a request that is in hand: a number below the number of slots, which another request gets when this one has
/// ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub usize);

/// Whether a request was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admit {
    /// It is in hand.
    Taken,
    /// There is no room for it now, for example in the cache of keys and values: it waits in the queue. With nothing else in
    /// hand it is refused, since there will never be more room.
    Full,
}

/// A model that answers many requests at a time in steps: each step brings all that are in hand one token further.
pub trait StepService {
    /// Takes a request in under `ticket`.
    ///
    /// # Errors
    /// Why this request has failed.
    fn admit(&mut self, ticket: Ticket, input: &Input) -> Result<Admit, Error>;

    /// One step of all requests in hand. `out` hears of every token and of every answer that is complete.
    ///
    /// # Errors
    /// Why all requests in hand have failed; [`reset`](StepService::reset) is called next.
    fn step(&mut self, out: &mut StepOutput<'_>) -> Result<(), Error>;

    /// Forgets every request in hand.
    fn reset(&mut self);
}

/// What a step says of its requests.
#[derive(Debug)]
pub struct StepOutput<'a> {
    progress: &'a mut Progress,
    done: &'a mut Vec<(usize, Result<Answered, Error>)>,
}

impl StepOutput<'_> {
    /// One more token of this request is out.
    pub fn token(&mut self, ticket: Ticket) {
        self.progress.tokens(ticket.0, 1);
    }

    /// The answer to this request is complete, and its ticket is free.
    pub fn done(&mut self, ticket: Ticket, answer: impl IntoAnswer) {
        self.done.push((ticket.0, answer.into_answer()));
    }
}

/// A [`StepService`] with so many slots.
pub(super) struct Stepping<S> {
    pub(super) service: S,
    pub(super) slots: usize,
}

/// Steps after which a request that gets no token and no end is given up: a service that forgot it.
const MOST_STEPS_ALONE: usize = 1_000_000;

impl<S: StepService> Shape for Stepping<S> {
    fn answer(&mut self, input: &Input) -> Result<Answered, Error> {
        if self.service.admit(Ticket(0), input)? == Admit::Full {
            return Err("there is no room for the request even alone".into());
        }
        let (mut progress, mut done) = (Progress::default(), Vec::new());
        for _ in 0..MOST_STEPS_ALONE {
            let stepped = self.service.step(&mut StepOutput { progress: &mut progress, done: &mut done });
            progress = Progress::default();
            if let Err(error) = stepped {
                self.service.reset();
                return Err(error);
            }
            if let Some((_, answer)) = done.pop() {
                return answer;
            }
        }
        self.service.reset();
        Err(format!("no answer within {MOST_STEPS_ALONE} steps").into())
    }

    fn load(&mut self, load: &Load, asked: &Arc<Asked>) -> Result<LoadOutcome, LoadError> {
        let slots = self.slots;
        let mut bridge =
            Bridge { service: &mut self.service, asked, inputs: vec![0; slots], done: Vec::new() };
        load::run(load, Service::Steps(&mut bridge, slots))
    }

    fn at_once(&self) -> usize {
        self.slots
    }
}

/// From slots and indices to tickets and inputs.
struct Bridge<'a, S> {
    service: &'a mut S,
    asked: &'a Asked,
    inputs: Vec<usize>,
    done: Vec<(usize, Result<Answered, Error>)>,
}

impl<S: StepService> Stepped for Bridge<'_, S> {
    fn admit(&mut self, slot: usize, index: usize) -> Admission {
        let Some(input) = self.asked.input(index) else {
            return Admission::Ended(Answer::Failed(Cow::Borrowed("no such input")));
        };
        if let Some(place) = self.inputs.get_mut(slot) {
            *place = index;
        }
        match self.service.admit(Ticket(slot), input) {
            Ok(Admit::Taken) => Admission::Taken,
            Ok(Admit::Full) => Admission::Full,
            Err(error) => Admission::Ended(self.asked.take(index, Some(Err(error)))),
        }
    }

    fn step(&mut self, progress: &mut Progress) -> Result<(), Cow<'static, str>> {
        let stepped = self.service.step(&mut StepOutput { progress, done: &mut self.done });
        for (slot, answered) in self.done.drain(..) {
            let index = self.inputs.get(slot).copied().unwrap_or(usize::MAX);
            progress.ended(slot, self.asked.take(index, Some(answered)));
        }
        stepped.map_err(|error| Cow::Owned(error.to_string()))
    }

    fn reset(&mut self) {
        self.service.reset();
    }
}
