//! The forward pass: which kernel follows which. Nothing here allocates or waits, so that a step can be recorded.

use gapbench_cuda::Pointer;

use super::CudaEngine;
use super::kernels::{MAX_GEMV_ROWS, POSITION_WITHOUT_PAGE};
use super::load::Matrix;
use super::raw;
use crate::Error;

/// Up to as many rows, bytes with scales are read anew for every few rows: that is less than to read them, to write the
/// widened matrix and to read it again, which in 16 bits is five times as much.
const MAX_ROWS_OF_BYTES: usize = 4 * MAX_GEMV_ROWS;

/// Whose tokens a step has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows {
    /// One token of each of many sequences.
    Steps,
    /// Tokens of the sequence in `slot`, from position `first` on.
    Stretch { slot: usize, first: usize },
}

impl CudaEngine {
    /// All layers over the `n` tokens of the inputs. The last layer's part of the sum is left in `delta`.
    pub(super) fn layers(&self, n: usize, rows: Rows) -> Result<(), Error> {
        let (stream, kernels, work) = (self.device.stream(), &self.kernels, &self.work);
        let inputs = |part: usize| work.inputs.view(part * n..(part + 1) * n);
        let (ids, positions, tables) = (inputs(0)?, inputs(1)?, inputs(2)?);
        let norm = (self.config.hidden_size as u32, self.config.rms_norm_eps);
        let vocabulary = (self.config.vocab_size as u32, norm.0);
        let embedding = &self.network.embedding.data;
        kernels.embed(stream, n, &ids, embedding, &work.residual, &work.error, vocabulary)?;
        let mut delta = Pointer(0);
        for (number, layer) in self.network.layers.iter().enumerate() {
            let cache =
                self.pages.layer(number, 0).ok_or_else(|| Error::Device("a layer without a cache".into()))?;
            kernels.add_rms_norm(
                stream,
                n,
                delta,
                &work.residual,
                &layer.attention_norm,
                &work.normed,
                norm,
            )?;
            self.product(n, &layer.query_key_value, work.normed.ptr(), work.qkv.ptr(), false)?;
            let places = (&positions, &tables);
            kernels.rope_append(
                stream,
                n,
                &work.qkv,
                &self.frequencies,
                places,
                cache,
                &work.error,
                self.heads,
            )?;
            match rows {
                Rows::Steps => {
                    let outs = (&work.attended, &work.parts);
                    let splits = self.splits(n);
                    kernels
                        .attention_decode(stream, n, splits, &work.qkv, cache, places, outs, self.heads)?;
                }
                Rows::Stretch { slot, first } => {
                    let of_slot = self.pages.layer(number, slot).unwrap_or(cache);
                    let span = (first, n);
                    kernels.attention_prefill(
                        stream,
                        span,
                        &work.qkv,
                        of_slot,
                        &work.attended,
                        self.heads,
                    )?;
                }
            }
            self.product(n, &layer.attention_out, work.attended.ptr(), work.delta.ptr(), false)?;
            delta = Pointer(work.delta.ptr());
            let gain = &layer.feed_forward_norm;
            kernels.add_rms_norm(stream, n, delta, &work.residual, gain, &work.normed, norm)?;
            self.product(n, &layer.gate_up, work.normed.ptr(), work.gate_up.ptr(), false)?;
            kernels.silu_mul(stream, n, &work.gate_up, &work.gated, self.config.intermediate_size as u32)?;
            self.product(n, &layer.down, work.gated.ptr(), work.delta.ptr(), false)?;
        }
        Ok(())
    }

    /// Logits of `n` tokens, the first of which is number `first` of the step.
    pub(super) fn head(&self, first: usize, n: usize) -> Result<(), Error> {
        let (stream, work, hidden) = (self.device.stream(), &self.work, self.config.hidden_size);
        let norm = (hidden as u32, self.config.rms_norm_eps);
        let delta = Pointer(work.delta.ptr() + (first * hidden * self.kernels.element().bytes()) as u64);
        let residual = Pointer(work.residual.ptr() + (first * hidden * size_of::<f32>()) as u64);
        self.kernels.add_rms_norm(stream, n, delta, residual, &self.network.norm, &work.normed, norm)?;
        self.product(n, self.network.head(), work.normed.ptr(), work.logits.ptr(), true)
    }

    /// `y = x * weightᵗ` of `m` rows: by our own kernel where reading the weight is what takes the time, else by cuBLAS.
    fn product(&self, m: usize, weight: &Matrix, x: u64, y: u64, wide: bool) -> Result<(), Error> {
        let (stream, element) = (self.device.stream(), self.kernels.element());
        let Matrix { data, scales, outputs, inputs } = weight;
        let row = |bytes: usize, numbers: usize| (MAX_GEMV_ROWS * numbers * bytes) as u64;
        let steps = (row(element.bytes(), *inputs), row(if wide { 4 } else { element.bytes() }, *outputs));
        let most = if scales.is_some() { MAX_ROWS_OF_BYTES } else { MAX_GEMV_ROWS };
        if m <= most {
            for part in 0..m.div_ceil(MAX_GEMV_ROWS) {
                let rows = MAX_GEMV_ROWS.min(m - part * MAX_GEMV_ROWS);
                let (x, y) = (Pointer(x + part as u64 * steps.0), Pointer(y + part as u64 * steps.1));
                self.kernels.gemv(stream, (rows, *outputs, *inputs), data, scales.as_ref(), x, y, wide)?;
            }
            return Ok(());
        }
        let weight = match scales {
            None => data,
            // cuBLAS takes no bytes with a scale for each row.
            Some(scales) => {
                let shape = (*outputs, *inputs);
                self.kernels.dequantize(stream, shape, data, scales, &self.work.widened)?;
                &self.work.widened
            }
        };
        raw::gemm(&self.device.blas()?, element, (m, *outputs, *inputs), [x, weight.ptr(), y], wide)
    }

    /// Gives ids, positions and rows of the tables to the device.
    pub(super) fn send_inputs(
        &mut self,
        tokens: impl ExactSizeIterator<Item = (u32, usize, usize)>,
    ) -> Result<(), Error> {
        let n = tokens.len();
        let values = self.work.host_inputs.values()?;
        let (ids, rest) = values.split_at_mut(n.min(values.len()));
        let (positions, rows) = rest.split_at_mut(n.min(rest.len()));
        let places = ids.iter_mut().zip(positions).zip(rows);
        for (((id, at), row), (token, position, slot)) in places.zip(tokens) {
            // All are below 2^31: the vocabulary, the context and the number of sequences are.
            (*id, *at, *row) = (token.cast_signed(), position as i32, slot as i32);
        }
        self.work.host_inputs.send(&self.work.inputs.view(0..3 * n)?)
    }

    /// Waits for the step and says what its kernels found wrong.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.work.host_words.receive(&self.work.error.view(0..1)?)?;
        let found = self.work.host_words.values()?.first().copied().unwrap_or(0);
        if found == 0 {
            return Ok(());
        }
        self.device.stream().fill_bytes(self.work.error.ptr(), 0, size_of::<u32>())?;
        let what = if found & POSITION_WITHOUT_PAGE != 0 {
            "kernel rope_append: a position has no page in the cache"
        } else {
            "kernel embed: a token id is outside the embedding"
        };
        Err(Error::Device(what.into()))
    }

    /// The index of the largest logit of each of the first `n` rows.
    pub(super) fn argmax(&self, n: usize) -> Result<(), Error> {
        let shape = (n, self.config.vocab_size);
        Ok(self.kernels.argmax(self.device.stream(), shape, &self.work.logits, &self.work.best)?)
    }
}
