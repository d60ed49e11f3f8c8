//! From logits to the next token.

use crate::Error;

/// How the next token is chosen, and the random numbers for it.
#[derive(Debug, Clone)]
pub struct Sampler {
    temperature: f32,
    top_p: f32,
    state: u64,
}

impl Sampler {
    /// Always the token with the highest logit, the first of equals.
    #[must_use]
    pub fn greedy() -> Self {
        Self { temperature: 0.0, top_p: 1.0, state: 0 }
    }

    /// Draws from the smallest set of tokens whose probabilities sum to at least `top_p`. The same `seed` draws the same
    /// tokens. A `temperature` of 0 is [`Sampler::greedy`].
    ///
    /// # Errors
    ///
    /// [`Error::Sampling`] for a temperature below 0 or not finite, or a `top_p` outside (0, 1].
    ///
    /// # Source
    ///
    /// Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, section 3.1.
    pub fn new(temperature: f32, top_p: f32, seed: u64) -> Result<Self, Error> {
        if !(temperature >= 0.0 && temperature.is_finite()) {
            let (name, expected) = ("temperature", "a finite number of at least 0");
            return Err(Error::Sampling { name, value: temperature, expected });
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            let (name, expected) = ("top_p", "a number above 0 and at most 1");
            return Err(Error::Sampling { name, value: top_p, expected });
        }
        Ok(Self { temperature, top_p, state: seed })
    }

    /// The next token by these logits, `vocab_size` of them.
    ///
    /// # Errors
    ///
    /// [`Error::LogitNotFinite`]: a choice among NaNs would look like an answer.
    pub fn sample(&mut self, logits: &[f32]) -> Result<u32, Error> {
        if let Some(position) = logits.iter().position(|logit| !logit.is_finite()) {
            return Err(Error::LogitNotFinite { position });
        }
        let ranked = (0_u32..).zip(logits.iter().copied());
        let Some(best) = ranked.clone().reduce(|best, next| if next.1 > best.1 { next } else { best }) else {
            return Err(Error::LogitNotFinite { position: 0 });
        };
        if self.temperature == 0.0 {
            return Ok(best.0);
        }
        let temperature = f64::from(self.temperature);
        let weight = |logit: f32| (f64::from(logit - best.1) / temperature).exp();
        let mut weights: Vec<(u32, f64)> = ranked.map(|(id, logit)| (id, weight(logit))).collect();
        weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut kept = 0.0;
        let mut size = 0;
        for (_, weight) in &weights {
            kept += weight;
            size += 1;
            if kept >= f64::from(self.top_p) * total {
                break;
            }
        }
        let mut rest = self.uniform() * kept;
        for (id, weight) in weights.iter().take(size) {
            rest -= weight;
            if rest < 0.0 {
                return Ok(*id);
            }
        }
        Ok(best.0)
    }

    /// A number in [0, 1).
    fn uniform(&mut self) -> f64 {
        (next_random(&mut self.state) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What the state of [`next_random`] grows by: so many times it, and one is so many numbers further.
pub(crate) const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The next 64 random bits.
///
/// # Source
///
/// Steele, Lea and Flood 2014, Fast Splittable Pseudorandom Number Generators (SplitMix64).
pub(crate) fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(GAMMA);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
