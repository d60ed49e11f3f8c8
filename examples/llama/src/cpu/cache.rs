//! Keys and values of many sequences, in pages of a fixed number of tokens, so that sequences that come and go leave no
//! gaps that are too small for the next one. Everything is allocated at the start.

use std::ops::Range;

use crate::{Config, Error, Sequence};

/// Tokens of a page.
pub(super) const PAGE: usize = 16;

#[derive(Debug)]
pub(super) struct Cache {
    /// `[page, layer, key or value, head, token of the page, head_dim]`.
    data: Vec<f32>,
    layers: usize,
    heads: usize,
    head_dim: usize,
    total_pages: usize,
    free: Vec<usize>,
    /// The pages of each open sequence, by slot.
    slots: Vec<Option<Vec<usize>>>,
}

/// One layer of one sequence.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    cache: &'a Cache,
    pages: &'a [usize],
    layer: usize,
}

impl Cache {
    /// Room for `tokens` tokens, rounded up to whole pages.
    pub(super) fn new(config: &Config, tokens: usize) -> Self {
        let (layers, heads, head_dim) =
            (config.num_hidden_layers, config.num_key_value_heads, config.head_dim);
        let total_pages = tokens.div_ceil(PAGE);
        let data = vec![0.0; total_pages * layers * 2 * heads * PAGE * head_dim];
        let free = (0..total_pages).rev().collect();
        Self { data, layers, heads, head_dim, total_pages, free, slots: Vec::new() }
    }

    pub(super) fn bytes(&self) -> u64 {
        size_of_val(self.data.as_slice()) as u64
    }

    pub(super) fn free_tokens(&self) -> usize {
        self.free.len() * PAGE
    }

    pub(super) fn open(&mut self, capacity: usize) -> Result<Sequence, Error> {
        let pages = capacity.div_ceil(PAGE);
        let Some(left) = self.free.len().checked_sub(pages) else {
            return Err(Error::CacheFull {
                capacity: pages * PAGE,
                free: self.free_tokens(),
                total: self.total_pages * PAGE,
                bytes_per_token: self.bytes() / (self.total_pages * PAGE).max(1) as u64,
            });
        };
        let pages = Some(self.free.split_off(left));
        let slot = match self.slots.iter_mut().enumerate().find(|(_, slot)| slot.is_none()) {
            Some((number, slot)) => {
                *slot = pages;
                number
            }
            None => {
                self.slots.push(pages);
                self.slots.len() - 1
            }
        };
        Ok(Sequence { slot, length: 0, capacity })
    }

    pub(super) fn close(&mut self, sequence: Sequence) {
        let pages = self.slots.get_mut(sequence.slot).and_then(Option::take);
        self.free.extend(pages.into_iter().flatten());
    }

    /// Checks that the sequence is one of this cache's, with pages for `length` tokens.
    pub(super) fn check(&self, sequence: &Sequence, length: usize) -> Result<(), Error> {
        match self.slots.get(sequence.slot) {
            Some(Some(pages)) if pages.len() * PAGE >= length => Ok(()),
            _ => Err(Error::ForeignSequence { slot: sequence.slot }),
        }
    }

    fn pages(&self, slot: usize) -> &[usize] {
        self.slots.get(slot).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Numbers of one head of one page: `PAGE` tokens.
    fn block_size(&self) -> usize {
        PAGE * self.head_dim
    }

    /// Where the keys (or else the values) of one head of a page are.
    fn block(&self, page: usize, layer: usize, values: bool, head: usize) -> Range<usize> {
        let number = ((page * self.layers + layer) * 2 + usize::from(values)) * self.heads + head;
        number * self.block_size()..(number + 1) * self.block_size()
    }

    /// Writes the keys (or else the values) of all heads, `[heads, head_dim]`, of the token at `position`.
    pub(super) fn write(
        &mut self,
        slot: usize,
        layer: usize,
        position: usize,
        values: bool,
        numbers: &[f32],
    ) {
        let Some(page) = self.pages(slot).get(position / PAGE).copied() else { return };
        let inside = position % PAGE * self.head_dim;
        for (head, numbers) in numbers.chunks_exact(self.head_dim).enumerate() {
            let start = self.block(page, layer, values, head).start + inside;
            if let Some(place) = self.data.get_mut(start..start + self.head_dim) {
                place.copy_from_slice(numbers);
            }
        }
    }

    pub(super) fn view(&self, slot: usize, layer: usize) -> View<'_> {
        View { cache: self, pages: self.pages(slot), layer }
    }
}

impl<'a> View<'a> {
    /// The keys (or else the values) of one head, page by page, each `[tokens, head_dim]`, of the first `length` tokens.
    #[inline(always)]
    pub(super) fn blocks(self, values: bool, head: usize, length: usize) -> impl Iterator<Item = &'a [f32]> {
        let Self { cache, pages, layer } = self;
        pages.iter().zip((0..length).step_by(PAGE)).map(move |(page, before)| {
            let Range { start, .. } = cache.block(*page, layer, values, head);
            let tokens = PAGE.min(length - before);
            cache.data.get(start..start + tokens * cache.head_dim).unwrap_or_default()
        })
    }
}
