//! The plan's arithmetic as lines: each term with its factors.
//!
//! Computes nothing: every number is the plan's.

use std::fmt;

use super::{Cache, FormatSource, Kind, Plan};
use crate::units::{Family, show, show_integer};

/// One line of the sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The term, or nothing where the line goes on with the one above.
    pub term: &'static str,
    /// Its bytes, on the term's first line.
    pub bytes: Option<u64>,
    /// What they are the product of.
    pub factors: String,
}

impl Plan {
    /// The terms and their sum, in the order they are added.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = self.weights_lines();
        lines.extend(self.cache_lines());
        lines.push(self.activations_line());
        let overhead = self.demand.overhead_bytes;
        let given = if overhead == 0 { "none was given" } else { "as given: driver, context and libraries" };
        lines.push(line("overhead", overhead, given.to_owned()));
        lines.push(line("total", self.total_bytes, String::new()));
        lines
    }

    fn weights_lines(&self) -> Vec<Line> {
        let weights = &self.weights;
        let parts = weights.by_dtype.iter().enumerate().map(|(index, share)| {
            let factors = format!(
                "{} numbers of {} x {} bit, in {} tensors",
                whole(share.numbers),
                share.dtype,
                share.bits,
                whole(share.tensors)
            );
            if index == 0 {
                line("weights", weights.bytes, factors)
            } else {
                Line { term: "", bytes: None, factors: format!("+ {factors}") }
            }
        });
        parts.collect()
    }

    fn cache_lines(&self) -> Vec<Line> {
        let shape = &self.shape;
        let format = self.cache_format;
        let per_layer = match shape.cache {
            Cache::None => {
                let why = "an encoder keeps nothing between steps".to_owned();
                return vec![line("keys and values", 0, why)];
            }
            Cache::Heads { heads, key, value } if key == value => format!("2 x {heads} heads x {key}"),
            Cache::Heads { heads, key, value } => format!("{heads} heads x ({key} + {value})"),
            Cache::Latent { rank, rope } => format!("({rank} compressed + {rope} rotated)"),
        };
        let source = match self.cache_format_source {
            FormatSource::Asked => "as asked",
            FormatSource::Config => "of config.json",
            FormatSource::Weights => "of the weights",
        };
        let (clients, tokens) = (whole(self.demand.clients), whole(self.demand.tokens));
        let page = self.demand.page_tokens;
        let paged = if page > 1 { format!(", in pages of {}", whole(page)) } else { String::new() };
        let per_token = whole(self.cache_bytes_per_token);
        let windowed = shape.window_tokens.filter(|window| *window < self.demand.tokens);
        let mut lines = Vec::new();
        match windowed {
            None => {
                let factors = format!("{clients} clients x {tokens} tokens{paged} x {per_token} B");
                lines.push(line("keys and values", self.cache_bytes, factors));
            }
            Some(window) => {
                let (all, some) = (shape.layers, shape.window_layers);
                let factors = format!(
                    "{clients} clients x ({} layers x {tokens} + {some} layers x {} tokens{paged}) x {per_layer} numbers x \
                     {} bit",
                    all.saturating_sub(some),
                    whole(window),
                    format.bits()
                );
                lines.push(line("keys and values", self.cache_bytes, factors));
            }
        }
        let factors = format!(
            "a token: {} layers x {per_layer} numbers x {} bit of {format} ({source}) = {per_token} B",
            shape.layers,
            format.bits()
        );
        lines.push(Line { term: "", bytes: None, factors });
        lines
    }

    fn activations_line(&self) -> Line {
        let (shape, buffers, bits) = (&self.shape, &self.activations, self.compute_format.bits());
        let step = whole(buffers.step_tokens);
        let hidden = whole(shape.hidden);
        let factors = if buffers.logits_are_largest {
            format!(
                "{step} tokens x 2 x {hidden} numbers x {bits} bit + {} clients x {} logits x ({bits} + 32) bit",
                whole(buffers.logit_rows),
                whole(shape.vocabulary)
            )
        } else if shape.attention > shape.feed_forward.saturating_mul(3) {
            format!(
                "{step} tokens x (2 x {hidden} + {} of the attention) numbers x {bits} bit",
                whole(shape.attention)
            )
        } else {
            let (width, format) = (whole(shape.feed_forward), self.compute_format);
            format!("{step} tokens x (2 x {hidden} + 3 x {width}) numbers x {bits} bit of {format}")
        };
        let whose = match (shape.kind, self.demand.step_tokens) {
            (_, Some(cap)) if cap <= buffers.step_tokens => "; a step has at most so many tokens",
            (Kind::Encoder, _) => "; all texts in one step",
            (Kind::Decoder, _) => "; one whole prompt in a step",
        };
        line("activations (estimate)", buffers.bytes, factors + whose)
    }
}

impl fmt::Display for Plan {
    /// One line per term, without a line break at the end.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TERM: usize = 23;
        for (index, line) in self.lines().iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            let text = match line.bytes {
                Some(bytes) => format!(
                    "{:TERM$}{:>20} B  {:>9}  {}",
                    line.term,
                    whole(bytes),
                    show(bytes as f64, Family::Bytes),
                    line.factors
                ),
                None => format!("{:TERM$}{:33}  {}", line.term, "", line.factors),
            };
            formatter.write_str(text.trim_end())?;
        }
        Ok(())
    }
}

fn line(term: &'static str, bytes: u64, factors: String) -> Line {
    Line { term, bytes: Some(bytes), factors }
}

/// A whole number with its thousands apart.
pub(super) fn whole(number: u64) -> String {
    show_integer(number as f64)
}
