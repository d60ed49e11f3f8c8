//! Steps of the engine: a prompt, a token for each of a batch, and the last step once more.

use gapbench_cuda::{Buffer, CudaError};

use super::step::{Rows, Stretch};
use super::{CudaEngine, GraphUse, work};
use crate::{Config, Engine, Error, Sequence, check, pack};

/// A step whose inputs still lie on the device.
#[derive(Clone, Debug)]
pub(super) struct Last {
    tokens: usize,
    rows: Rows,
}

impl CudaEngine {
    pub(super) fn splits(&self, sequences: usize) -> u32 {
        let multiprocessors = self.device.facts().multiprocessors.unsigned_abs();
        work::splits(self.heads, multiprocessors, self.pages.longest(), sequences)
    }

    /// Computes one step of at most `max_batch` sequences; logits are left on the device.
    fn step(&mut self, batch: &[(&mut Sequence, u32)]) -> Result<(), Error> {
        self.send_inputs(batch.iter().map(|(sequence, token)| (*token, sequence.length, sequence.slot)))?;
        let n = batch.len();
        self.begin(n, Rows::Steps);
        if let Some(graph) = self.graphs.ready(n) {
            return Ok(graph.launch()?);
        }
        if self.graphs.wants(n) {
            let recorded = self.device.stream().capture(|| self.launch(n, &Rows::Steps));
            if let Some(graph) = self.graphs.keep(n, recorded)? {
                return Ok(graph.launch()?);
            }
        }
        Ok(self.launch(n, &Rows::Steps)?)
    }

    /// Remembers the step that is about to be computed.
    fn begin(&mut self, tokens: usize, rows: Rows) {
        (self.last, self.repeated) = (Some(Last { tokens, rows }), None);
    }

    fn check_batch(&self, batch: &[(&mut Sequence, u32)]) -> Result<(), Error> {
        check::decode(&self.config, batch)?;
        batch.iter().try_for_each(|(sequence, _)| self.pages.check(sequence, sequence.length + 1))
    }

    /// As [`Engine::decode`], but answers only the token with the largest logit of each sequence: the logits stay on
    /// the device.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::decode`], and [`Error::LogitNotFinite`] where all logits of a sequence are NaN.
    pub fn decode_greedy(&mut self, batch: &mut [(&mut Sequence, u32)]) -> Result<Vec<u32>, Error> {
        self.check_batch(batch)?;
        let mut tokens = Vec::with_capacity(batch.len());
        for part in batch.chunks(self.max_batch) {
            self.step(part)?;
            self.argmax(part.len())?;
            self.finish()?;
            self.work.host_words.receive(self.device.stream(), &self.work.best.view(0..part.len())?)?;
            tokens.extend(self.work.host_words.values()?.iter().take(part.len()));
        }
        if tokens.contains(&u32::MAX) {
            return Err(Error::LogitNotFinite { position: 0 });
        }
        batch.iter_mut().for_each(|(sequence, _)| sequence.length += 1);
        Ok(tokens)
    }
}

/// For benchmarks.
impl CudaEngine {
    /// Adds the last step to the work of the device's stream once more, with the same tokens at the same positions, and
    /// neither gives the device anything nor waits for it. Of a prompt in several chunks it is the last chunk.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] where there was no step since a sequence was closed, or the driver refuses a launch.
    pub fn repeat(&mut self) -> Result<(), Error> {
        let Some(Last { tokens, rows }) = self.last.clone() else {
            return Err(Error::Device("there was no step that could be repeated".into()));
        };
        if let (Rows::Steps, Some(graph)) = (&rows, self.graphs.ready(tokens)) {
            return Ok(graph.launch()?);
        }
        // A prompt is hundreds of launches: more than a stream takes while it is held.
        if self.repeated.is_none() && self.graphs.used() == GraphUse::Recorded {
            let recorded = self.device.stream().capture(|| self.launch(tokens, &rows));
            self.repeated = self.graphs.unless_refused(recorded)?;
        }
        match &mut self.repeated {
            Some(graph) => graph.launch()?,
            None => self.launch(tokens, &rows)?,
        }
        Ok(())
    }

    fn launch(&self, tokens: usize, rows: &Rows) -> Result<(), CudaError> {
        self.layers(tokens, rows)?;
        match rows {
            Rows::Steps => self.head(0, tokens),
            Rows::Stretches(stretches) => self.heads(stretches),
        }
    }

    /// Where a step leaves its logits: rows of `vocab_size` numbers, for a whole batch of `max_batch`.
    #[must_use]
    pub fn logits(&self) -> &Buffer<f32> {
        &self.work.logits
    }
}

impl Engine for CudaEngine {
    fn config(&self) -> &Config {
        &self.config
    }

    fn free_tokens(&self) -> usize {
        self.pages.free_tokens()
    }

    fn open(&mut self, capacity: usize) -> Result<Sequence, Error> {
        check::open(&self.config, capacity)?;
        self.pages.open(capacity)
    }

    fn close(&mut self, sequence: Sequence) {
        (self.last, self.repeated) = (None, None);
        self.pages.close(&sequence);
    }

    fn prefill_many(&mut self, batch: &mut [(&mut Sequence, &[u32])]) -> Result<Vec<f32>, Error> {
        check::prefill_many(&self.config, batch)?;
        for (sequence, tokens) in batch.iter() {
            self.pages.check(sequence, sequence.length + tokens.len())?;
        }
        let vocabulary = self.config.vocab_size;
        let mut logits = Vec::with_capacity(batch.len() * vocabulary);
        for step in pack::steps(batch.iter().map(|(_, tokens)| tokens.len()), self.chunk, self.max_batch) {
            let (mut inputs, mut stretches) = (Vec::with_capacity(self.chunk), Vec::new());
            for segment in step {
                let Some((sequence, prompt)) = batch.get(segment.prompt) else { continue };
                let (slot, first) = (sequence.slot, sequence.length + segment.before);
                let tokens = prompt.iter().skip(segment.before).take(segment.tokens);
                inputs.extend(tokens.enumerate().map(|(at, token)| (*token, first + at, slot)));
                let pack::Segment { start, tokens, ends, .. } = segment;
                stretches.push(Stretch { slot, first, start, tokens, ends });
            }
            let ended = stretches.iter().filter(|stretch| stretch.ends).count();
            let (tokens, rows) = (inputs.len(), Rows::Stretches(stretches));
            self.send_inputs(inputs.into_iter())?;
            self.launch(tokens, &rows)?;
            self.begin(tokens, rows);
            if ended > 0 {
                let numbers = ended * vocabulary;
                let stream = self.device.stream();
                self.work.host_logits.receive(stream, &self.work.logits.view(0..numbers)?)?;
                self.finish()?;
                logits.extend(self.work.host_logits.values()?.iter().take(numbers));
            }
        }
        batch.iter_mut().for_each(|(sequence, tokens)| sequence.length += tokens.len());
        Ok(logits)
    }

    fn decode(&mut self, batch: &mut [(&mut Sequence, u32)]) -> Result<Vec<f32>, Error> {
        self.check_batch(batch)?;
        let vocabulary = self.config.vocab_size;
        let mut logits = Vec::with_capacity(batch.len() * vocabulary);
        for part in batch.chunks(self.max_batch) {
            self.step(part)?;
            let numbers = part.len() * vocabulary;
            self.work.host_logits.receive(self.device.stream(), &self.work.logits.view(0..numbers)?)?;
            self.finish()?;
            logits.extend(self.work.host_logits.values()?.iter().take(numbers));
        }
        batch.iter_mut().for_each(|(sequence, _)| sequence.length += 1);
        Ok(logits)
    }
}
