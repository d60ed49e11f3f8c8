//! The ways in which an author answers: one request at a time, or, with the feature `service`, many.

use crate::declare::Error;
use crate::input::Input;
use crate::measure::panics;

use super::answer::{Answered, IntoAnswer};

#[cfg(feature = "service")]
pub(super) use many::{Asked, Batched, Shared, Streamed};

/// How requests are answered.
pub(super) trait Shape {
    /// One request alone.
    fn answer(&mut self, input: &Input) -> Result<Answered, Error>;

    /// Requests as they come.
    #[cfg(feature = "service")]
    fn load(
        &mut self,
        load: &crate::measure::load::Load,
        asked: &std::sync::Arc<many::Asked>,
    ) -> Result<crate::measure::load::LoadOutcome, crate::load::LoadError>;

    /// Requests that it may have in hand at once.
    #[cfg(feature = "service")]
    fn at_once(&self) -> usize;
}

/// One request alone; a panic in it is an error, as it is under load.
pub(super) fn ask(shape: &mut dyn Shape, input: &Input) -> Result<Answered, Error> {
    panics::counted(|| shape.answer(input)).unwrap_or_else(|said| Err(said.into()))
}

/// One after the other.
pub(super) struct One<F>(pub(super) F);

impl<A: IntoAnswer, F: FnMut(&Input) -> A> Shape for One<F> {
    fn answer(&mut self, input: &Input) -> Result<Answered, Error> {
        (self.0)(input).into_answer()
    }

    #[cfg(feature = "service")]
    fn load(
        &mut self,
        load: &crate::measure::load::Load,
        asked: &std::sync::Arc<many::Asked>,
    ) -> Result<crate::measure::load::LoadOutcome, crate::load::LoadError> {
        let mut call = |index: usize| asked.take(index, asked.input(index).map(|input| self.answer(input)));
        crate::measure::load::run(load, crate::measure::load::Service::Single(&mut call))
    }

    #[cfg(feature = "service")]
    fn at_once(&self) -> usize {
        1
    }
}

#[cfg(feature = "service")]
mod many {
    use std::borrow::Cow;
    use std::sync::{Arc, OnceLock};

    use super::super::answer::{Refused, TimedOut};
    use super::{Answered, Error, Input, IntoAnswer, Shape};
    use crate::load::LoadError;
    use crate::measure::load::{self, Answer, Emit, Load, LoadOutcome, Service};

    /// The inputs of a load, and the first answer to each.
    #[derive(Debug)]
    pub(in crate::measure::serve) struct Asked {
        inputs: Vec<Input>,
        /// The text, or nothing where the request failed.
        answers: Vec<OnceLock<Option<String>>>,
    }

    impl Asked {
        pub(in crate::measure::serve) fn new(inputs: &[Input]) -> Asked {
            Asked { inputs: inputs.to_vec(), answers: inputs.iter().map(|_| OnceLock::new()).collect() }
        }

        pub(in crate::measure::serve) fn input(&self, index: usize) -> Option<&Input> {
            self.inputs.get(index)
        }

        /// Every input that was asked, with its index and its first answer.
        pub(in crate::measure::serve) fn answered(
            &self,
        ) -> impl Iterator<Item = (usize, &Input, Option<&str>)> {
            let all = self.inputs.iter().zip(&self.answers).enumerate();
            all.filter_map(|(index, (input, answer))| Some((index, input, answer.get()?.as_deref())))
        }

        /// Keeps the answer, and says how the request ended.
        pub(in crate::measure::serve) fn take(
            &self,
            index: usize,
            answered: Option<Result<Answered, Error>>,
        ) -> Answer {
            let slot = self.answers.get(index);
            let keep = |text: Option<String>| {
                if let Some(slot) = slot.filter(|slot| slot.get().is_none()) {
                    // Another worker may have been first: its answer is as good.
                    let _ = slot.set(text);
                }
            };
            match answered {
                Some(Ok(Answered { text, tokens })) => {
                    keep(Some(text));
                    Answer::Ok { tokens }
                }
                Some(Err(error)) => {
                    keep(None);
                    if error.is::<Refused>() {
                        Answer::Refused
                    } else if error.is::<TimedOut>() {
                        Answer::Timeout
                    } else {
                        Answer::Failed(Cow::Owned(error.to_string()))
                    }
                }
                None => Answer::Failed(Cow::Borrowed("no answer")),
            }
        }
    }

    /// Several workers, one request each.
    pub(in crate::measure::serve) struct Shared<F> {
        pub(in crate::measure::serve) call: Arc<F>,
        pub(in crate::measure::serve) workers: usize,
    }

    impl<A: IntoAnswer, F: Fn(&Input) -> A + Send + Sync + 'static> Shape for Shared<F> {
        fn answer(&mut self, input: &Input) -> Result<Answered, Error> {
            (self.call)(input).into_answer()
        }

        fn load(&mut self, load: &Load, asked: &Arc<Asked>) -> Result<LoadOutcome, LoadError> {
            let (call, asked) = (Arc::clone(&self.call), Arc::clone(asked));
            let service = move |index: usize, _: usize| {
                asked.take(index, asked.input(index).map(|input| call(input).into_answer()))
            };
            load::run(load, Service::Shared(Arc::new(service), self.workers))
        }

        fn at_once(&self) -> usize {
            self.workers
        }
    }

    /// Several workers that say when each token is out.
    pub(in crate::measure::serve) struct Streamed<F> {
        pub(in crate::measure::serve) call: Arc<F>,
        pub(in crate::measure::serve) workers: usize,
    }

    impl<A: IntoAnswer, F: Fn(&Input, &mut Emit) -> A + Send + Sync + 'static> Shape for Streamed<F> {
        fn answer(&mut self, input: &Input) -> Result<Answered, Error> {
            (self.call)(input, &mut Emit::nowhere()).into_answer()
        }

        fn load(&mut self, load: &Load, asked: &Arc<Asked>) -> Result<LoadOutcome, LoadError> {
            let (call, asked) = (Arc::clone(&self.call), Arc::clone(asked));
            let service = move |index: usize, emit: &mut Emit| {
                asked.take(index, asked.input(index).map(|input| call(input, emit).into_answer()))
            };
            load::run(load, Service::Stream(Arc::new(service), self.workers))
        }

        fn at_once(&self) -> usize {
            self.workers
        }
    }

    /// One worker that takes several requests at a time.
    pub(in crate::measure::serve) struct Batched<F> {
        pub(in crate::measure::serve) call: F,
        pub(in crate::measure::serve) max_batch: usize,
        pub(in crate::measure::serve) max_wait_ns: u64,
    }

    impl<A: IntoAnswer, F: FnMut(&[&Input]) -> Vec<A>> Shape for Batched<F> {
        fn answer(&mut self, input: &Input) -> Result<Answered, Error> {
            let answers = (self.call)(&[input]);
            let count = answers.len();
            match answers.into_iter().next() {
                Some(answer) if count == 1 => answer.into_answer(),
                _ => Err(format!("a batch of 1 request got {count} answers; give one per request, in order")
                    .into()),
            }
        }

        fn load(&mut self, load: &Load, asked: &Arc<Asked>) -> Result<LoadOutcome, LoadError> {
            let Batched { call, max_batch, max_wait_ns } = self;
            let mut batch = |indices: &[usize]| {
                let inputs: Vec<&Input> = indices.iter().filter_map(|index| asked.input(*index)).collect();
                let answers = call(&inputs);
                let complete = answers.len() == indices.len();
                let mut answers = answers.into_iter();
                let of = |index: &usize| match answers.next() {
                    Some(answer) if complete => asked.take(*index, Some(answer.into_answer())),
                    // Answers that cannot be told apart are nobody's.
                    _ => {
                        Answer::Failed(Cow::Borrowed("the batch got another number of answers than requests"))
                    }
                };
                indices.iter().map(of).collect()
            };
            load::run(
                load,
                Service::Batch { call: &mut batch, max_batch: *max_batch, max_wait_ns: *max_wait_ns },
            )
        }

        fn at_once(&self) -> usize {
            self.max_batch
        }
    }
}
