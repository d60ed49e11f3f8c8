//! The engine on the CPU: one thread, f32, keys and values in a cache that is allocated once.

mod attention;
mod cache;
mod forward;
mod matmul;
mod network;
mod vector;

use self::{
    cache::{Cache, PAGE},
    forward::{ROWS, Row, Rows, Scratch},
    network::Network,
};
use crate::{
    Config, Dtype, Engine, Error, Sequence, Weights, check, layout,
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

    fn prefill(&mut self, sequence: &mut Sequence, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        check::prefill(&self.config, sequence, tokens)?;
        self.cache.check(sequence, sequence.length + tokens.len())?;
        let slot = sequence.slot;
        let mut last = 0;
        for tokens in tokens.chunks(ROWS) {
            let places = (sequence.length..).zip(tokens);
            let rows: Vec<Row> =
                places.map(|(position, token)| Row { token: *token, slot, position }).collect();
            self.network.forward(&rows, Rows::Stretch, &mut self.cache, &mut self.scratch);
            sequence.length += rows.len();
            last = rows.len() - 1;
        }
        let mut logits = vec![0.0; self.config.vocab_size];
        self.network.logits(last, 1, &mut self.scratch, &mut logits);
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
            self.network.forward(&rows, Rows::Steps, &mut self.cache, &mut self.scratch);
            self.network.logits(0, rows.len(), &mut self.scratch, logits);
            batch.iter_mut().for_each(|(sequence, _)| sequence.length += 1);
        }
        Ok(logits)
    }
}
