//! The forward pass: token ids in, the last layer's numbers out.

use super::{
    attention::{OneToken, Stretch},
    cache::Cache,
    network::Network,
    vector::{Mode, rms_norm, silu_mul},
};
use crate::Config;

/// Most tokens of one pass; more are cut into several. Above this a matrix product gains little, and the memory for
/// what is computed on the way stays bounded.
pub(super) const ROWS: usize = 128;

/// One token and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) token: u32,
    pub(super) slot: usize,
    pub(super) position: usize,
}

/// Where a pass keeps what it computes on the way, allocated once. Sizes are `[ROWS, ...]` unless said.
#[derive(Debug)]
pub(super) struct Scratch {
    hidden: Vec<f32>,
    normed: Vec<f32>,
    query_key_value: Vec<f32>,
    attended: Vec<f32>,
    gate_up: Vec<f32>,
    activated: Vec<f32>,
    /// Sine and cosine of each pair: `[ROWS, head_dim]`.
    turns: Vec<f32>,
    /// `[longest, head_dim]`.
    keys: Vec<f32>,
    values: Vec<f32>,
    /// `[ROWS, longest]`.
    scores: Vec<f32>,
}

impl Scratch {
    /// `longest` is the most tokens that a sequence can have.
    pub(super) fn new(config: &Config, longest: usize) -> Self {
        let [hidden, normed, query_key_value, attended, gate_up, activated, turns, keys, values, scores] =
            Self::sizes(config, longest).map(|size| vec![0.0; size]);
        Self { hidden, normed, query_key_value, attended, gate_up, activated, turns, keys, values, scores }
    }

    fn sizes(config: &Config, longest: usize) -> [usize; 10] {
        let (hidden, inner, query) = (config.hidden_size, config.intermediate_size, config.query_size());
        let rows =
            [hidden, hidden, query + 2 * config.key_value_size(), query, 2 * inner, inner, config.head_dim];
        let [a, b, c, d, e, f, g] = rows.map(|columns| ROWS * columns);
        [a, b, c, d, e, f, g, longest * config.head_dim, longest * config.head_dim, ROWS * longest]
    }

    /// Bytes of all of it.
    pub(super) fn bytes(&self) -> u64 {
        let Self { hidden, normed, query_key_value, attended, gate_up, .. } = self;
        let Self { activated, turns, keys, values, scores, .. } = self;
        let all =
            [hidden, normed, query_key_value, attended, gate_up, activated, turns, keys, values, scores];
        all.into_iter().map(|numbers| size_of_val(numbers.as_slice()) as u64).sum()
    }

    /// The same, before it is allocated.
    pub(super) fn planned_bytes(config: &Config, longest: usize) -> u64 {
        4 * Self::sizes(config, longest).iter().map(|size| *size as u64).sum::<u64>()
    }
}

impl Network {
    /// Runs at most [`ROWS`] rows through all layers; keys and values go to the cache. Rows of one sequence that follow
    /// each other are at positions that follow each other.
    pub(super) fn forward(&self, rows: &[Row], cache: &mut Cache, scratch: &mut Scratch) {
        let count = rows.len();
        let width = self.norm.len();
        let heads = self.heads;
        let (query_size, key_value_size) = (heads.query * heads.dim, heads.key_value * heads.dim);
        let columns = query_size + 2 * key_value_size;
        let hidden = of(&mut scratch.hidden, count * width);
        let normed = of(&mut scratch.normed, count * width);
        let query_key_value = of(&mut scratch.query_key_value, count * columns);
        let attended = of(&mut scratch.attended, count * query_size);
        let turns = of(&mut scratch.turns, count * heads.dim);

        for (row, hidden) in rows.iter().zip(hidden.chunks_exact_mut(width)) {
            hidden.copy_from_slice(self.embed(row.token));
        }
        for (row, turns) in rows.iter().zip(turns.chunks_exact_mut(heads.dim)) {
            self.turns(row.position, turns);
        }
        for (number, layer) in self.layers.iter().enumerate() {
            self.norm_rows(hidden, &layer.attention_norm, normed);
            layer.query_key_value.apply(count, normed, query_key_value, Mode::Replace);
            let each = rows.iter().zip(query_key_value.chunks_exact_mut(columns));
            for ((row, numbers), turns) in each.zip(turns.chunks_exact(heads.dim)) {
                let (rotated, values) = numbers.split_at_mut(query_size + key_value_size);
                rotated.chunks_exact_mut(heads.dim).for_each(|head| rotate(head, turns));
                let (query, keys) = rotated.split_at_mut(query_size);
                cache.write(row.slot, number, row.position, false, keys);
                cache.write(row.slot, number, row.position, true, values);
                // Here the queries are fewer numbers than their scores will be.
                let scale = 1.0 / (heads.dim as f32).sqrt();
                query.iter_mut().for_each(|query| *query *= scale);
            }
            let (mut queries, mut out) = (&*query_key_value, &mut *attended);
            for stretch in rows.chunk_by(|before, row| before.slot == row.slot) {
                let Some(first) = stretch.first() else { continue };
                let (these, more_queries) = queries.split_at(stretch.len() * columns);
                let (here, more_out) = out.split_at_mut(stretch.len() * query_size);
                let past = cache.view(first.slot, number);
                if stretch.len() > 1 {
                    Stretch {
                        heads,
                        queries: these,
                        columns,
                        count: stretch.len(),
                        before: first.position,
                        past,
                        keys: &mut scratch.keys,
                        values: &mut scratch.values,
                        scores: &mut scratch.scores,
                        out: here,
                    }
                    .run();
                } else {
                    let (query, length) = (these.split_at(query_size).0, first.position + 1);
                    let scores = &mut scratch.scores;
                    OneToken { heads, query, past, length, scores, out: here }.run();
                }
                (queries, out) = (more_queries, more_out);
            }
            layer.attention_out.apply(count, attended, hidden, Mode::Add);

            self.norm_rows(hidden, &layer.feed_forward_norm, normed);
            let inner = scratch.activated.len() / ROWS;
            let gate_up = of(&mut scratch.gate_up, count * 2 * inner);
            let activated = of(&mut scratch.activated, count * inner);
            layer.gate_up.apply(count, normed, gate_up, Mode::Replace);
            for (gate_up, out) in gate_up.chunks_exact(2 * inner).zip(activated.chunks_exact_mut(inner)) {
                let (gate, up) = gate_up.split_at(inner);
                silu_mul(gate, up, out);
            }
            layer.down.apply(count, activated, hidden, Mode::Add);
        }
    }

    /// The logits of these rows of the last pass: `[rows, vocab_size]`.
    pub(super) fn logits(&self, rows: &[usize], scratch: &mut Scratch, out: &mut [f32]) {
        let (width, count) = (self.norm.len(), rows.len());
        let normed = of(&mut scratch.normed, count * width);
        for (row, normed) in rows.iter().zip(normed.chunks_exact_mut(width)) {
            let hidden = scratch.hidden.get(row * width..(row + 1) * width).unwrap_or_default();
            self.norm_rows(hidden, &self.norm, normed);
        }
        self.head().apply(count, normed, out, Mode::Replace);
    }

    fn norm_rows(&self, from: &[f32], gain: &[f32], to: &mut [f32]) {
        for (from, to) in from.chunks_exact(gain.len()).zip(to.chunks_exact_mut(gain.len())) {
            rms_norm(from, gain, self.epsilon, to);
        }
    }

    /// The sines of all pairs at a position, then the cosines. The angle is computed in f64: at position 100,000 an f32
    /// would be off by thousandths of a radian.
    fn turns(&self, position: usize, turns: &mut [f32]) {
        let (sines, cosines) = turns.split_at_mut(self.frequencies.len());
        for ((sine, cosine), frequency) in sines.iter_mut().zip(cosines).zip(&self.frequencies) {
            let (exact_sine, exact_cosine) = (position as f64 * frequency).sin_cos();
            (*sine, *cosine) = (exact_sine as f32, exact_cosine as f32);
        }
    }
}

/// Rotates each pair of a head: number `i` with number `i + head_dim / 2`.
fn rotate(head: &mut [f32], turns: &[f32]) {
    let (sines, cosines) = turns.split_at(turns.len() / 2);
    let (low, high) = head.split_at_mut(turns.len() / 2);
    for ((low, high), (sine, cosine)) in low.iter_mut().zip(high).zip(sines.iter().zip(cosines)) {
        (*low, *high) = (*low * cosine - *high * sine, *high * cosine + *low * sine);
    }
}

/// The first `count` numbers; there are always as many.
fn of(numbers: &mut [f32], count: usize) -> &mut [f32] {
    numbers.get_mut(..count).unwrap_or_default()
}
