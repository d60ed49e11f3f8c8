//! Memory plans of well-known models, against published sizes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use llama::{Config, Dtype, Plan, layout, presets};

fn shape(name: &str) -> Config {
    presets::preset(name).unwrap().config
}

fn bytes_per_token(config: &Config) -> u64 {
    Plan::new(config, 0, Dtype::Bf16, 1, 0).bytes_per_token()
}

#[test]
fn keys_and_values_per_token_in_bf16() {
    assert_eq!(bytes_per_token(&shape("8b")), 131_072);
    assert_eq!(bytes_per_token(&shape("70b")), 327_680);
    // Llama 2 7B: every query head has its own keys and values.
    let llama_2_7b = Config { num_key_value_heads: 32, ..shape("8b") };
    assert_eq!(bytes_per_token(&llama_2_7b), 524_288);
}

/// As the model cards of Llama 3.2 and 3.1 count them, to the last one: 1.24 B, 8.03 B, 70.6 B.
#[test]
fn parameters_of_the_presets() {
    assert_eq!(layout::parameters(&shape("1b")), 1_235_814_400);
    assert_eq!(layout::parameters(&shape("8b")), 8_030_261_248);
    assert_eq!(layout::parameters(&shape("70b")), 70_553_706_496);
    assert_eq!(layout::parameters(&shape("tiny")), 1_049_728);
}

#[test]
fn fifty_clients_of_8b_on_one_card_of_80_gb() {
    let config = shape("8b");
    let plan = Plan::new(&config, 2 * layout::parameters(&config), Dtype::Bf16, 50 * 4096, 1_000_000_000);
    assert_eq!(plan.total(), 16_060_522_496 + 26_843_545_600 + 1_000_000_000);
    assert!(plan.fits(80_000_000_000) && plan.fits(plan.total()) && !plan.fits(plan.total() - 1));
    assert_eq!(
        plan.to_string(),
        "weights          16,060,522,496 B  14.96 GiB
cache            26,843,545,600 B  25.00 GiB
             = 204,800 tokens x 131,072 B
             = 204,800 tokens x (2 x 32 layers x 8 heads x 128 x 2 B of bf16)
activations       1,000,000,000 B  953.67 MiB
total            43,904,068,096 B  40.89 GiB"
    );
}
