//! Models of well-known shapes with random weights: what they answer is noise, what they cost is real.

mod files;
mod memory;
mod numbers;
mod planned;
mod threads;
mod write;

pub use self::memory::in_memory;
pub use self::write::{SHARD_BYTES, write, write_sharded};
use crate::{Config, Dtype, RopeScaling};

/// A shape, and how its layers' matrices are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its sizes.
    pub config: Config,
    /// Bf16, or I8 with a scale for each row. Embedding, norms and head are bf16 in any case.
    pub matrices: Dtype,
}

/// The names of the presets.
pub const NAMES: [&str; 4] = ["tiny", "1b", "8b", "70b"];

/// The preset of this name: `tiny` has about a million parameters, the others the shapes of Llama 3.2 1B, Llama 3.1 8B
/// and Llama 3.1 70B; `70b` with int8 matrices. `None` for another name.
#[must_use]
pub fn preset(name: &str) -> Option<Preset> {
    let llama3 = |hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, factor| Config {
        hidden_size,
        intermediate_size,
        num_hidden_layers,
        num_attention_heads,
        num_key_value_heads: 8,
        head_dim: hidden_size / num_attention_heads,
        vocab_size: 128_256,
        max_position_embeddings: 131_072,
        rms_norm_eps: 1e-5,
        rope_theta: 500_000.0,
        rope_scaling: Some(RopeScaling {
            factor,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings: 8192,
        }),
        tie_word_embeddings: false,
        // The ids of the tokenizer that is written beside the weights, not of Llama 3's.
        bos_token_id: Some(1),
        eos_token_ids: vec![2],
        torch_dtype: Some("bfloat16".into()),
    };
    let (config, matrices) = match name {
        "tiny" => {
            let small = Config {
                num_key_value_heads: 4,
                vocab_size: 1024,
                max_position_embeddings: 2048,
                rope_theta: 10_000.0,
                rope_scaling: None,
                ..llama3(128, 384, 4, 8, 1.0)
            };
            (small, Dtype::Bf16)
        }
        "1b" => (Config { tie_word_embeddings: true, ..llama3(2048, 8192, 16, 32, 32.0) }, Dtype::Bf16),
        "8b" => (llama3(4096, 14_336, 32, 32, 8.0), Dtype::Bf16),
        "70b" => (llama3(8192, 28_672, 80, 64, 8.0), Dtype::I8),
        _ => return None,
    };
    Some(Preset { config, matrices })
}
