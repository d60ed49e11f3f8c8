//! The forward pass: which kernel follows which. Nothing here allocates or waits, so that a step can be recorded.

use gapbench_cuda::{Blas, Buffer, CudaError, Gemm, GemmInto, Pointer};
use half::{bf16, f16};

use super::CudaEngine;
use super::kernels::{Element, MAX_GEMV_ROWS, POSITION_WITHOUT_PAGE};
use super::load::Matrix;
use crate::Error;

/// Up to as many rows, bytes with scales are read anew for every few rows: that is less than to read them, to write the
/// widened matrix and to read it again, which in 16 bits is five times as much.
const MAX_ROWS_OF_BYTES: usize = 4 * MAX_GEMV_ROWS;

/// Whose tokens a step has.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    /// One token of each of many sequences.
    Steps,
    /// Tokens of prompts, one behind the other.
    Stretches(Vec<Stretch>),
}

/// Tokens of one sequence that follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) slot: usize,
    /// Position of the first one.
    pub(super) first: usize,
    /// Tokens of the step before it.
    pub(super) start: usize,
    pub(super) tokens: usize,
    /// Logits after the last one are wanted.
    pub(super) ends: bool,
}

/// Where a product goes.
#[derive(Clone, Copy)]
enum Out<'a> {
    /// In the engine's type.
    Element(&'a Buffer<u8>),
    Wide(&'a Buffer<f32>),
}

impl CudaEngine {
    /// All layers over the `n` tokens of the inputs. The last layer's part of the sum is left in `delta`.
    pub(super) fn layers(&self, n: usize, rows: &Rows) -> Result<(), CudaError> {
        let (stream, kernels, work) = (self.device.stream(), &self.kernels, &self.work);
        let inputs = |part: usize| work.inputs.view(part * n..(part + 1) * n);
        let (ids, positions, tables) = (inputs(0)?, inputs(1)?, inputs(2)?);
        let norm = (self.config.hidden_size as u32, self.config.rms_norm_eps);
        let vocabulary = (self.config.vocab_size as u32, norm.0);
        let embedding = &self.network.embedding.data;
        kernels.embed(stream, n, &ids, embedding, &work.residual, &work.error, vocabulary)?;
        let mut delta = Pointer(0);
        for (number, layer) in self.network.layers.iter().enumerate() {
            let cache = self
                .pages
                .layer(number, 0)
                .ok_or_else(|| CudaError::Length { what: format!("layer {number} has no cache") })?;
            kernels.add_rms_norm(
                stream,
                n,
                delta,
                &work.residual,
                &layer.attention_norm,
                &work.normed,
                norm,
            )?;
            self.product(n, &layer.query_key_value, &work.normed, Out::Element(&work.qkv))?;
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
                Rows::Stretches(stretches) => {
                    for Stretch { slot, first, start, tokens, .. } in stretches {
                        let of_slot = self.pages.layer(number, *slot).unwrap_or(cache);
                        let (qkv, out) = self.attended_rows(*start);
                        let span = (*first, *tokens);
                        kernels.attention_prefill(stream, span, qkv, of_slot, out, self.heads)?;
                    }
                }
            }
            self.product(n, &layer.attention_out, &work.attended, Out::Element(&work.delta))?;
            delta = Pointer(work.delta.ptr());
            let gain = &layer.feed_forward_norm;
            kernels.add_rms_norm(stream, n, delta, &work.residual, gain, &work.normed, norm)?;
            self.product(n, &layer.gate_up, &work.normed, Out::Element(&work.gate_up))?;
            kernels.silu_mul(stream, n, &work.gate_up, &work.gated, self.config.intermediate_size as u32)?;
            self.product(n, &layer.down, &work.gated, Out::Element(&work.delta))?;
        }
        Ok(())
    }

    /// Where queries, keys and values of a token of the step begin, and where its attention goes.
    fn attended_rows(&self, row: usize) -> (Pointer, Pointer) {
        let bytes = self.kernels.element().bytes();
        let place = |buffer: &Buffer<u8>, width: usize| Pointer(buffer.ptr() + (row * width * bytes) as u64);
        (
            place(&self.work.qkv, self.heads.qkv() as usize),
            place(&self.work.attended, self.config.query_size()),
        )
    }

    /// Logits after the stretches that end.
    pub(super) fn heads(&self, stretches: &[Stretch]) -> Result<(), CudaError> {
        let ending = stretches.iter().filter(|stretch| stretch.ends);
        let rows: Vec<usize> = ending.map(|stretch| stretch.start + stretch.tokens - 1).collect();
        match rows.as_slice() {
            [] => Ok(()),
            [row] => self.head(*row, 1),
            rows => {
                // To the front, one behind the other. They are in order, so that none is overwritten before its turn.
                let (stream, work, hidden) = (self.device.stream(), &self.work, self.config.hidden_size);
                let of_delta = hidden * self.kernels.element().bytes();
                let buffers =
                    [(work.delta.ptr(), of_delta), (work.residual.ptr(), hidden * size_of::<f32>())];
                for (to, from) in rows.iter().enumerate().filter(|(to, from)| to != *from) {
                    for (start, bytes) in buffers {
                        stream.copy(start + (to * bytes) as u64, start + (from * bytes) as u64, bytes)?;
                    }
                }
                self.head(0, rows.len())
            }
        }
    }

    /// Logits of `n` tokens, the first of which is number `first` of the step.
    pub(super) fn head(&self, first: usize, n: usize) -> Result<(), CudaError> {
        let (stream, work, hidden) = (self.device.stream(), &self.work, self.config.hidden_size);
        let norm = (hidden as u32, self.config.rms_norm_eps);
        let delta = Pointer(work.delta.ptr() + (first * hidden * self.kernels.element().bytes()) as u64);
        let residual = Pointer(work.residual.ptr() + (first * hidden * size_of::<f32>()) as u64);
        self.kernels.add_rms_norm(stream, n, delta, residual, &self.network.norm, &work.normed, norm)?;
        self.product(n, self.network.head(), &work.normed, Out::Wide(&work.logits))
    }

    /// `y = x * weightᵗ` of `m` rows: by our own kernel where reading the weight is what takes the time, else by cuBLAS.
    fn product(&self, m: usize, weight: &Matrix, x: &Buffer<u8>, y: Out<'_>) -> Result<(), CudaError> {
        let (stream, element) = (self.device.stream(), self.kernels.element());
        let Matrix { data, scales, outputs, inputs } = weight;
        let row = |bytes: usize, numbers: usize| (MAX_GEMV_ROWS * numbers * bytes) as u64;
        let (start, wide) = match y {
            Out::Element(y) => (y.ptr(), false),
            Out::Wide(y) => (y.ptr(), true),
        };
        let steps = (row(element.bytes(), *inputs), row(if wide { 4 } else { element.bytes() }, *outputs));
        let most = if scales.is_some() { MAX_ROWS_OF_BYTES } else { MAX_GEMV_ROWS };
        if m <= most {
            for part in 0..m.div_ceil(MAX_GEMV_ROWS) {
                let rows = MAX_GEMV_ROWS.min(m - part * MAX_GEMV_ROWS);
                let (x, y) =
                    (Pointer(x.ptr() + part as u64 * steps.0), Pointer(start + part as u64 * steps.1));
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
        let (blas, shape) = (self.device.blas()?, (m, *outputs, *inputs));
        match element {
            Element::F32 => multiply::<f32>(&blas, shape, x, weight, y),
            Element::F16 => multiply::<f16>(&blas, shape, x, weight, y),
            Element::Bf16 => multiply::<bf16>(&blas, shape, x, weight, y),
        }
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
        Ok(self.work.host_inputs.send(self.device.stream(), &self.work.inputs.view(0..3 * n)?)?)
    }

    /// Waits for the step and says what its kernels found wrong.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.work.host_words.receive(self.device.stream(), &self.work.error.view(0..1)?)?;
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

/// `y = x * weightᵗ` by cuBLAS, of the first numbers of each buffer.
fn multiply<T: Gemm>(
    blas: &Blas,
    (m, n, k): (usize, usize, usize),
    x: &Buffer<u8>,
    weight: &Buffer<u8>,
    y: Out<'_>,
) -> Result<(), CudaError>
where
    f32: GemmInto<T>,
{
    let numbers = |buffer: &Buffer<u8>, count: usize| buffer.view(0..count * size_of::<T>())?.cast::<T>();
    let (x, weight) = (numbers(x, m * k)?, numbers(weight, n * k)?);
    match y {
        Out::Element(y) => blas.gemm_transposed((m, n, k), &x, &weight, &numbers(y, m * n)?),
        Out::Wide(y) => blas.gemm_transposed((m, n, k), &x, &weight, &y.view(0..m * n)?),
    }
}
