//! The sum: weights, cache, activations and overhead for a number of clients and a length.
//!
//! Knows sizes only: no files, no devices, nothing measured.

use serde::Serialize;

use super::activations::{self, Activations};
use super::{FootprintError, ModelShape, NumberFormat, Weights};

/// More clients than this are a mistake.
pub const MOST_CLIENTS: u64 = 1_000_000_000;
/// A text of more tokens than this is a mistake.
pub const MOST_TOKENS: u64 = 1_000_000_000_000;

/// What is asked of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Demand {
    /// Clients that are served at once, from 1.
    pub clients: u64,
    /// Tokens of each client's text, question and answer together, from 1.
    pub tokens: u64,
    /// Number format of the cache; without one, that of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_format: Option<NumberFormat>,
    /// Most tokens that one step computes, where prompts are cut into pieces; without it, prompts are whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_tokens: Option<u64>,
    /// Tokens of a page of the cache: each client's text fills whole pages. 1 where the cache has no pages.
    pub page_tokens: u64,
    /// Bytes that driver, context and libraries take, as measured or known; 0 where nothing is known.
    pub overhead_bytes: u64,
}

impl Demand {
    /// `clients` at once with `tokens` tokens each, the cache in the model's own format, whole prompts, no pages, no
    /// overhead.
    pub const fn new(clients: u64, tokens: u64) -> Demand {
        Demand { clients, tokens, cache_format: None, step_tokens: None, page_tokens: 1, overhead_bytes: 0 }
    }

    fn validate(&self) -> Result<(), FootprintError> {
        let numbers = [
            ("clients", Some(self.clients), MOST_CLIENTS),
            ("length", Some(self.tokens), MOST_TOKENS),
            ("step", self.step_tokens, MOST_TOKENS),
            ("page", Some(self.page_tokens), MOST_TOKENS),
        ];
        for (name, number, most) in numbers {
            if let Some(number) = number.filter(|number| !(1..=most).contains(number)) {
                let expected = format!("a whole number from 1 to {most}");
                return Err(FootprintError::Demand { name, found: number.to_string(), expected });
            }
        }
        Ok(())
    }
}

/// Where the number format of the cache is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatSource {
    /// The caller's [`Demand`].
    Asked,
    /// The configuration's `torch_dtype` or `dtype`.
    Config,
    /// The format that most of the weights are stored in.
    Weights,
}

/// What a model takes for a [`Demand`], and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The weights.
    pub weights: Weights,
    /// The model's sizes.
    pub shape: ModelShape,
    /// What was asked.
    pub demand: Demand,
    /// Number format of the cache.
    pub cache_format: NumberFormat,
    /// Where that is from.
    pub cache_format_source: FormatSource,
    /// Number format that is computed in.
    pub compute_format: NumberFormat,
    /// Bytes that a token leaves in the cache, all layers together and no window.
    pub cache_bytes_per_token: u64,
    /// Bytes of the cache for all clients.
    pub cache_bytes: u64,
    /// An estimate of the buffers of a step.
    pub activations: Activations,
    /// All of it in bytes, the overhead included.
    pub total_bytes: u64,
}

impl Plan {
    /// The plan for the model of `weights` and `shape`.
    ///
    /// # Errors
    /// [`FootprintError::Demand`] for a number that cannot be, or where neither the caller nor the files say which number
    /// format the cache has; [`FootprintError::Overflow`] for a product beyond 64 bits.
    pub fn new(weights: &Weights, shape: &ModelShape, demand: &Demand) -> Result<Plan, FootprintError> {
        demand.validate()?;
        let of_weights = weights.by_dtype.first().and_then(|share| stored(&share.dtype));
        let own = shape.dtype.map(|format| (format, FormatSource::Config));
        let own = own.or(of_weights.map(|format| (format, FormatSource::Weights)));
        let asked = demand.cache_format.map(|format| (format, FormatSource::Asked));
        let Some((cache_format, cache_format_source)) = asked.or(own) else {
            let stored = weights.by_dtype.first().map(|share| share.dtype.clone()).unwrap_or_default();
            return Err(FootprintError::Demand {
                name: "kv-dtype",
                found: format!(
                    "not given, config.json has no `torch_dtype`, and the weights are stored in {stored}"
                ),
                expected: format!("one of: {}", NumberFormat::NAMES.join(", ")),
            });
        };
        let compute_format = own.map_or(cache_format, |(format, _)| format);
        let formats = Formats { cache: cache_format, compute: compute_format };
        let overflow = |term: &str| FootprintError::Overflow { term: term.to_owned() };
        let (clients, tokens) = (demand.clients, demand.tokens);
        let cache_bytes_per_token =
            per_token(shape, cache_format).ok_or_else(|| overflow("the cache of one token"))?;
        let cache_bytes = cache(shape, cache_format, demand, clients, tokens)
            .ok_or_else(|| overflow(&format!("the cache of {clients} clients x {tokens} tokens")))?;
        let activations = activations::estimate(shape, compute_format, clients, tokens, demand.step_tokens)
            .ok_or_else(|| overflow("the buffers of a step"))?;
        let total_bytes = total(weights, shape, demand, formats, clients, tokens)
            .ok_or_else(|| overflow("the sum of all terms"))?;
        Ok(Plan {
            weights: weights.clone(),
            shape: shape.clone(),
            demand: demand.clone(),
            cache_format,
            cache_format_source,
            compute_format,
            cache_bytes_per_token,
            cache_bytes,
            activations,
            total_bytes,
        })
    }

    /// Bytes for other numbers of clients and tokens; `None` where 64 bits do not hold them.
    pub(super) fn total_at(&self, clients: u64, tokens: u64) -> Option<u64> {
        let formats = Formats { cache: self.cache_format, compute: self.compute_format };
        total(&self.weights, &self.shape, &self.demand, formats, clients, tokens)
    }

    /// Whether a text is longer than the model has positions for, in a sentence.
    pub fn length_warning(&self) -> Option<String> {
        let positions = self.shape.positions.filter(|positions| *positions < self.demand.tokens)?;
        Some(format!(
            "the length of {} tokens is more than the {positions} positions that config.json states: the model was not \
             made for it",
            self.demand.tokens
        ))
    }
}

#[derive(Clone, Copy)]
struct Formats {
    cache: NumberFormat,
    compute: NumberFormat,
}

/// The format that weights of this stored format are computed in, where they are not quantised.
fn stored(dtype: &str) -> Option<NumberFormat> {
    match dtype {
        "F32" | "F64" => Some(NumberFormat::F32),
        "F16" => Some(NumberFormat::F16),
        "BF16" => Some(NumberFormat::Bf16),
        _ => None,
    }
}

fn total(
    weights: &Weights,
    shape: &ModelShape,
    demand: &Demand,
    formats: Formats,
    clients: u64,
    tokens: u64,
) -> Option<u64> {
    let activations = activations::estimate(shape, formats.compute, clients, tokens, demand.step_tokens)?;
    weights
        .bytes
        .checked_add(cache(shape, formats.cache, demand, clients, tokens)?)?
        .checked_add(activations.bytes)?
        .checked_add(demand.overhead_bytes)
}

/// Bytes that a token leaves in all layers.
fn per_token(shape: &ModelShape, format: NumberFormat) -> Option<u64> {
    Some(shape.cache.numbers()?.checked_mul(shape.layers)?.checked_mul(format.bits())?.div_ceil(8))
}

/// Bytes that `clients` texts of `tokens` tokens leave: windowed layers keep no more than their window.
fn cache(
    shape: &ModelShape,
    format: NumberFormat,
    demand: &Demand,
    clients: u64,
    tokens: u64,
) -> Option<u64> {
    let pages = |tokens: u64| tokens.checked_next_multiple_of(demand.page_tokens);
    let full = shape.layers.checked_sub(shape.window_layers)?.checked_mul(pages(tokens)?)?;
    let kept = shape.window_tokens.map_or(tokens, |window| window.min(tokens));
    let windowed = shape.window_layers.checked_mul(pages(kept)?)?;
    let numbers = full.checked_add(windowed)?.checked_mul(clients)?.checked_mul(shape.cache.numbers()?)?;
    Some(numbers.checked_mul(format.bits())?.div_ceil(8))
}
