//! The wavelengths of the rotary position embedding. Both engines rotate by these; each does the rotation itself.

use std::f64::consts::TAU;

use crate::Config;

/// Radians per position for each of the `head_dim / 2` pairs of a head. Pair `i` is made of the numbers `i` and
/// `i + head_dim / 2` (half-rotation, the order of Hugging Face's weights).
///
/// # Source
///
/// Su et al. 2021, RoFormer, section 3.2.2; the stretching is `apply_scaling` of the reference code that Meta released
/// with Llama 3.1 (`llama_models/llama3/reference_impl/model.py`).
#[must_use]
pub fn frequencies(config: &Config) -> Vec<f64> {
    let pairs = config.head_dim / 2;
    (0..pairs).map(|pair| stretched(config.rope_theta.powf(-(pair as f64) / pairs as f64), config)).collect()
}

fn stretched(frequency: f64, config: &Config) -> f64 {
    let Some(scaling) = config.rope_scaling else { return frequency };
    let wavelength = TAU / frequency;
    let turns = scaling.original_max_position_embeddings as f64 / wavelength;
    if turns > scaling.high_freq_factor {
        frequency
    } else if turns < scaling.low_freq_factor {
        frequency / scaling.factor
    } else {
        let kept = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
        (1.0 - kept) * frequency / scaling.factor + kept * frequency
    }
}
