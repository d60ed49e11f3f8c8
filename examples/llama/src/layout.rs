//! Which tensors a model of a given configuration has, under the names that Hugging Face gives them.

use crate::Config;

/// The token embedding, `[vocab_size, hidden_size]`; also the output head where that is tied.
pub const EMBEDDING: &str = "model.embed_tokens.weight";
/// The gain of the norm after the last layer, `[hidden_size]`.
pub const FINAL_NORM: &str = "model.norm.weight";
/// The output head, `[vocab_size, hidden_size]`.
pub const HEAD: &str = "lm_head.weight";

/// The full name of a tensor of one layer: `part` is for example `self_attn.q_proj`.
#[must_use]
pub fn name(layer: usize, part: &str) -> String {
    format!("model.layers.{layer}.{part}.weight")
}

/// All tensors, in the order in which a forward pass meets them, with their shapes.
pub fn tensors(config: &Config) -> impl Iterator<Item = (String, Vec<usize>)> {
    let hidden = config.hidden_size;
    let ends = [(FINAL_NORM, vec![hidden]), (HEAD, vec![config.vocab_size, hidden])];
    let ends = ends.into_iter().take(if config.tie_word_embeddings { 1 } else { 2 });
    let layers = (0..config.num_hidden_layers)
        .flat_map(|layer| parts(config).into_iter().map(move |(part, shape)| (name(layer, part), shape)));
    std::iter::once((EMBEDDING.into(), vec![config.vocab_size, hidden]))
        .chain(layers)
        .chain(ends.map(|(name, shape)| (name.into(), shape)))
}

/// The tensors of one layer; matrices are `[outputs, inputs]`.
fn parts(config: &Config) -> [(&'static str, Vec<usize>); 9] {
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let (query, key_value) = (config.query_size(), config.key_value_size());
    [
        ("input_layernorm", vec![hidden]),
        ("self_attn.q_proj", vec![query, hidden]),
        ("self_attn.k_proj", vec![key_value, hidden]),
        ("self_attn.v_proj", vec![key_value, hidden]),
        ("self_attn.o_proj", vec![hidden, query]),
        ("post_attention_layernorm", vec![hidden]),
        ("mlp.gate_proj", vec![inner, hidden]),
        ("mlp.up_proj", vec![inner, hidden]),
        ("mlp.down_proj", vec![hidden, inner]),
    ]
}

/// Numbers in the whole model.
#[must_use]
pub fn parameters(config: &Config) -> u64 {
    tensors(config).map(|(_, shape)| shape.iter().map(|size| *size as u64).product::<u64>()).sum()
}
