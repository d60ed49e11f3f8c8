//! Llama 3's stretched wavelengths, against values computed here in another way.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::f64::consts::PI;

use llama::{Config, RopeScaling, presets, rope};

fn config(head_dim: usize, theta: f64, rope_scaling: Option<RopeScaling>) -> Config {
    let tiny = presets::preset("tiny").unwrap().config;
    Config { head_dim, rope_theta: theta, rope_scaling, ..tiny }
}

#[test]
fn unstretched_frequencies_are_powers_of_the_base() {
    let frequencies = rope::frequencies(&config(8, 10_000.0, None));
    let expected = [1.0, 0.1, 0.01, 0.001];
    assert_eq!(frequencies.len(), 4);
    for (ours, expected) in frequencies.iter().zip(expected) {
        assert!((ours / expected - 1.0_f64).abs() < 1e-12, "{ours}, expected {expected}");
    }
}

#[test]
fn llama_3_1_stretches_the_long_wavelengths() {
    let scaling = RopeScaling {
        factor: 8.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_max_position_embeddings: 8192,
    };
    let frequencies = rope::frequencies(&config(128, 500_000.0, Some(scaling)));
    let mut kinds = [0; 3];
    for (pair, ours) in frequencies.iter().enumerate() {
        // By logarithms and wavelengths, where the library uses powers and turns.
        let wavelength = 2.0 * PI * (2.0 * pair as f64 / 128.0 * 500_000_f64.ln()).exp();
        let (shortest, longest) = (8192.0 / 4.0, 8192.0 / 1.0);
        let expected = if wavelength < shortest {
            kinds[0] += 1;
            2.0 * PI / wavelength
        } else if wavelength > longest {
            kinds[1] += 1;
            2.0 * PI / (8.0 * wavelength)
        } else {
            kinds[2] += 1;
            let smooth = (8192.0 / wavelength - 1.0) / (4.0 - 1.0);
            2.0 * PI / wavelength * ((1.0 - smooth) / 8.0 + smooth)
        };
        assert!((ours / expected - 1.0).abs() < 1e-12, "pair {pair}: {ours}, expected {expected}");
    }
    assert_eq!(kinds, [29, 29, 6], "pairs that stay, are stretched in full, and blend");
}
