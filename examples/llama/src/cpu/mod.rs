//! The engine on the CPU: one thread, f32, keys and values in a cache that is allocated once.

mod arena;
mod attention;
mod cache;
mod forward;
mod matmul;
mod network;
mod vector;

use self::{
    cache::{Cache, PAGE},
    forward::{ROWS, Row, Scratch},
    network::Network,
};
use crate::{
    Config, Dtype, Engine, Error, Sequence, Weights, check, layout,
    pack::{self, Segment},
    plan::{Plan, host_available},
};

/// A decoder on the calling thread.
#[derive(Debug)]
pub struct CpuEngine {
    config: Config,
    network: Network,
    cache: Cache,
    scratch: Scratch,
}

impl CpuEngine {
    /// Loads the weights, as f32, and allocates a cache for `cache_tokens` tokens of all sequences together.
    ///
    /// # Errors
    ///
    /// Those of [`Weights::check`]; [`Error::Memory`], with the arithmetic, where the plan does not fit into what the
    /// system says is available; [`Error::NotFinite`] for a weight that is infinite or not a number.
    pub fn load(config: Config, weights: &Weights, cache_tokens: usize) -> Result<Self, Error> {
        weights.check(&config)?;
        let plan = Self::plan(&config, cache_tokens);
        if let Some(available) = host_available().filter(|available| !plan.fits(*available)) {
            let place = "host memory".into();
            return Err(Error::Memory { place, available, plan: plan.to_string() });
        }
        let network = Network::load(&config, weights)?;
        let cache = Cache::new(&config, cache_tokens);
        let scratch = Scratch::new(&config, longest(&config, cache_tokens));
        Ok(Self { config, network, cache, scratch })
    }

    /// What [`CpuEngine::load`] will allocate.
    #[must_use]
    pub fn plan(config: &Config, cache_tokens: usize) -> Plan {
        let weights = 4 * layout::parameters(config);
        let tokens = whole_pages(cache_tokens);
        let scratch = Scratch::planned_bytes(config, longest(config, cache_tokens));
        Plan::new(config, weights, Dtype::F32, tokens, scratch)
    }

    /// Bytes of weights, cache and intermediate results, as allocated.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64, u64) {
        (self.network.bytes(), self.cache.bytes(), self.scratch.bytes())
    }
}

/// Most tokens that a sequence can have.
fn longest(config: &Config, cache_tokens: usize) -> usize {
    config.max_position_embeddings.min(whole_pages(cache_tokens))
}

fn whole_pages(tokens: usize) -> usize {
    tokens.div_ceil(PAGE).saturating_mul(PAGE)
}

/// The tokens of a segment and their places.
fn rows(batch: &[(&mut Sequence, &[u32])], segment: &Segment) -> impl Iterator<Item = Row> {
    let Segment { prompt, before, tokens, .. } = *segment;
    batch.get(prompt).into_iter().flat_map(move |(sequence, prompt)| {
        let (slot, first) = (sequence.slot, sequence.length);
        let places = prompt.iter().enumerate().skip(before).take(tokens);
        places.map(move |(at, token)| Row { token: *token, slot, position: first + at })
    })
}

impl Engine for CpuEngine {
    fn config(&self) -> &Config {
        &self.config
    }

    fn free_tokens(&self) -> usize {
        self.cache.free_tokens()
    }

    fn open(&mut self, capacity: usize) -> Result<Sequence, Error> {
        check::open(&self.config, capacity)?;
        self.cache.open(capacity)
    }

    fn close(&mut self, sequence: Sequence) {
        self.cache.close(sequence);
    }

    fn prefill_many(&mut self, batch: &mut [(&mut Sequence, &[u32])]) -> Result<Vec<f32>, Error> {
        check::prefill_many(&self.config, batch)?;
        for (sequence, tokens) in batch.iter() {
            self.cache.check(sequence, sequence.length + tokens.len())?;
        }
        let vocabulary = self.config.vocab_size;
        let mut logits = vec![0.0; batch.len() * vocabulary];
        let mut rest = logits.as_mut_slice();
        for step in pack::steps(batch.iter().map(|(_, tokens)| tokens.len()), ROWS, ROWS) {
            let rows: Vec<Row> = step.iter().flat_map(|segment| rows(batch, segment)).collect();
            self.network.forward(&rows, &mut self.cache, &mut self.scratch);
            let last = pack::last_rows(&step);
            let (here, after) = rest.split_at_mut(last.len() * vocabulary);
            self.network.logits(&last, &mut self.scratch, here);
            rest = after;
        }
        batch.iter_mut().for_each(|(sequence, tokens)| sequence.length += tokens.len());
        Ok(logits)
    }

    fn decode(&mut self, batch: &mut [(&mut Sequence, u32)]) -> Result<Vec<f32>, Error> {
        check::decode(&self.config, batch)?;
        batch.iter().try_for_each(|(sequence, _)| self.cache.check(sequence, sequence.length + 1))?;
        let vocabulary = self.config.vocab_size;
        let mut logits = vec![0.0; batch.len() * vocabulary];
        for (batch, logits) in batch.chunks_mut(ROWS).zip(logits.chunks_mut(ROWS * vocabulary)) {
            let row = |(sequence, token): &(&mut Sequence, u32)| Row {
                token: *token,
                slot: sequence.slot,
                position: sequence.length,
            };
            let rows: Vec<Row> = batch.iter().map(row).collect();
            self.network.forward(&rows, &mut self.cache, &mut self.scratch);
            let all: Vec<usize> = (0..rows.len()).collect();
            self.network.logits(&all, &mut self.scratch, logits);
            batch.iter_mut().for_each(|(sequence, _)| sequence.length += 1);
        }
        Ok(logits)
    }
}
