//! Keys and values of many sequences in the device's memory, in pages of [`PAGE`] tokens, all allocated at the start.

use gapbench_cuda::{Buffer, Cuda, Pointer, Staging, Stream};

use super::kernels::{Cache, PAGE};
use crate::{Config, Error, Sequence};

/// Most sequences that may be open at once: each has a row of the tables.
pub(super) const MAX_SEQUENCES: usize = 256;

pub(super) struct Pages {
    /// Keys and values of each layer.
    layers: Vec<(Buffer<u8>, Buffer<u8>)>,
    /// A row for each slot, with the numbers of its pages.
    tables: Buffer<i32>,
    row: Staging<i32>,
    stream: Stream,
    pages_per_row: usize,
    bytes_per_token: u64,
    total: usize,
    free: Vec<i32>,
    /// How many pages each open sequence has, and which.
    slots: Vec<Option<Vec<i32>>>,
}

/// Entries of a table's row, for the longest sequence that is possible.
pub(super) fn pages_per_row(config: &Config, tokens: usize) -> usize {
    config.max_position_embeddings.min(tokens).div_ceil(PAGE).max(1)
}

/// Rows of the tables.
pub(super) fn rows(tokens: usize) -> usize {
    tokens.div_ceil(PAGE).clamp(1, MAX_SEQUENCES)
}

impl Pages {
    /// Room for `tokens` tokens, rounded up to whole pages.
    pub(super) fn new(
        cuda: &Cuda,
        config: &Config,
        tokens: usize,
        element_bytes: usize,
    ) -> Result<Self, Error> {
        let stream = cuda.stream();
        let total = tokens.div_ceil(PAGE);
        let bytes = total * PAGE * config.key_value_size() * element_bytes;
        let layer = |_| Ok((stream.allocate(bytes)?, stream.allocate(bytes)?));
        let (pages_per_row, slots) = (pages_per_row(config, tokens), rows(tokens));
        Ok(Self {
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_, Error>>()?,
            // 0xffffffff is -1: no page.
            tables: stream.uninit(slots * pages_per_row)?,
            row: cuda.staging(pages_per_row)?,
            stream: stream.clone(),
            pages_per_row,
            bytes_per_token: (2 * config.num_hidden_layers * config.key_value_size() * element_bytes) as u64,
            total,
            free: (0..i32::try_from(total).unwrap_or(i32::MAX)).rev().collect(),
            slots: vec![None; slots],
        })
    }

    pub(super) fn free_tokens(&self) -> usize {
        self.free.len() * PAGE
    }

    pub(super) fn open(&mut self, capacity: usize) -> Result<Sequence, Error> {
        let pages = capacity.div_ceil(PAGE);
        let left = self.free.len().checked_sub(pages).filter(|_| pages <= self.pages_per_row);
        let Some(left) = left else {
            return Err(Error::CacheFull {
                capacity: pages * PAGE,
                free: self.free_tokens(),
                total: self.total * PAGE,
                bytes_per_token: self.bytes_per_token,
            });
        };
        let Some(slot) = self.slots.iter().position(Option::is_none) else {
            let most = self.slots.len();
            return Err(Error::Device(format!(
                "{most} sequences are open, the most that the cache's tables take; close one"
            )));
        };
        // First the table, so that an error leaves everything as it was.
        let taken: Vec<i32> = self.free.get(left..).unwrap_or_default().to_vec();
        for (entry, page) in
            self.row.values()?.iter_mut().zip(taken.iter().copied().chain(std::iter::repeat(-1)))
        {
            *entry = page;
        }
        let start = slot * self.pages_per_row;
        self.row.send(&self.stream, &self.tables.view(start..start + self.pages_per_row)?)?;
        self.free.truncate(left);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(taken);
        }
        Ok(Sequence { slot, length: 0, capacity })
    }

    pub(super) fn close(&mut self, sequence: &Sequence) {
        let pages = self.slots.get_mut(sequence.slot).and_then(Option::take);
        if let Some(pages) = pages {
            self.free.extend(pages);
            // Who still uses the row is told so by the kernels. A refusal is seen by the next step.
            let _ = self.stream.fill_bytes(self.row_address(sequence.slot), 0xff, 4 * self.pages_per_row);
        }
    }

    /// Checks that the sequence is one of this cache's, with pages for `length` tokens.
    pub(super) fn check(&self, sequence: &Sequence, length: usize) -> Result<(), Error> {
        match self.slots.get(sequence.slot) {
            Some(Some(pages)) if pages.len() * PAGE >= length => Ok(()),
            _ => Err(Error::ForeignSequence { slot: sequence.slot }),
        }
    }

    fn row_address(&self, slot: usize) -> u64 {
        self.tables.ptr() + (4 * slot * self.pages_per_row) as u64
    }

    /// A layer's cache, with the tables from a slot's row on.
    pub(super) fn layer(&self, layer: usize, slot: usize) -> Option<Cache<&Buffer<u8>, Pointer>> {
        let (keys, values) = self.layers.get(layer)?;
        let pages_per_row = self.pages_per_row as u32;
        Some(Cache { keys, values, tables: Pointer(self.row_address(slot)), pages_per_row })
    }

    /// Positions that a row has room for.
    pub(super) fn longest(&self) -> usize {
        self.pages_per_row * PAGE
    }
}
