//! The sizes of a model that its `config.json` states, as far as memory depends on them.
//!
//! Strict about everything that changes a count: a model that would be counted wrongly is refused with the key that says
//! so. Knows nothing of weights, clients or devices.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::error::quoted;
use super::keys::Keys;
use super::window;
use super::{Cache, FootprintError, NumberFormat};

/// Name of the configuration inside a model folder.
pub const CONFIG_FILE: &str = "config.json";

/// Model families that compute a whole text in one step and keep nothing, unless they say `is_decoder`.
const ENCODERS: &[&str] = &[
    "albert",
    "bert",
    "camembert",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "modernbert",
    "mpnet",
    "nomic_bert",
    "roberta",
    "xlm-roberta",
];

/// Keys of models that keep more than, or something other than, keys and values of each token.
const UNCOUNTED: &[(&str, &str)] = &[
    ("attn_layer_period", "layers with a state in place of keys and values"),
    ("hybrid_override_pattern", "layers with a state in place of keys and values"),
    ("layers_block_type", "layers with a state in place of keys and values"),
    ("linear_num_key_heads", "layers with a state in place of keys and values"),
    ("mamba_d_state", "layers with a state in place of keys and values"),
    ("ssm_cfg", "layers with a state in place of keys and values"),
    ("index_head_dim", "an indexer's keys"),
    ("num_kv_shared_layers", "layers that share their keys and values"),
];

/// Whether a model answers token by token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A text in, one vector or label out: no cache.
    Encoder,
    /// One token after the other, with a cache of those before.
    Decoder,
}

/// What memory depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelShape {
    /// The configuration it is from.
    pub path: PathBuf,
    /// The family, in the file's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_type: Option<String>,
    /// Whether there is a cache.
    pub kind: Kind,
    /// Layers.
    pub layers: u64,
    /// Numbers per token between the layers.
    pub hidden: u64,
    /// Numbers per token of queries, keys, values and the attention's answer, all heads together.
    pub attention: u64,
    /// Numbers per token inside the feed-forward block; of a mixture, those of the experts that one token visits.
    pub feed_forward: u64,
    /// Entries of the vocabulary.
    pub vocabulary: u64,
    /// Most tokens of a text, where the file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positions: Option<u64>,
    /// What a layer keeps of a token.
    pub cache: Cache,
    /// How many of the layers look back only [`window_tokens`](Self::window_tokens).
    pub window_layers: u64,
    /// How far these look back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_tokens: Option<u64>,
    /// The number format that the file declares (`torch_dtype` or `dtype`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtype: Option<NumberFormat>,
}

impl ModelShape {
    /// Reads the configuration at `path`: a file, or [`CONFIG_FILE`] in a folder.
    ///
    /// # Errors
    /// [`FootprintError::Read`] for a file that is not there or is not JSON; [`FootprintError::Config`] for a key that is
    /// missing or whose value cannot be, and for models that keep other things than keys and values.
    pub fn open(path: &Path) -> Result<ModelShape, FootprintError> {
        let path = if path.is_dir() { path.join(CONFIG_FILE) } else { path.to_owned() };
        let unreadable = |reason: String, remedy: &str| FootprintError::Read {
            path: path.clone(),
            reason,
            remedy: remedy.to_owned(),
        };
        let text = fs::read(&path).map_err(|error| {
            unreadable(error.to_string(), "put the model's config.json beside its weights")
        })?;
        let value: Value = serde_json::from_slice(&text)
            .map_err(|error| unreadable(format!("it is not JSON ({error})"), "download it again"))?;
        let Value::Object(map) = &value else {
            return Err(unreadable("it is no JSON object".to_owned(), "download it again"));
        };
        let outer = Keys { path: &path, above: "", map };
        // A model that also sees or hears keeps the sizes of its language model one level below.
        match outer.get("text_config") {
            Some(Value::Object(map)) if outer.first(LAYERS).is_none() => {
                read(&Keys { path: &path, above: "text_config.", map }, &outer)
            }
            _ => read(&outer, &outer),
        }
    }
}

const LAYERS: &[&str] = &["num_hidden_layers", "n_layer", "n_layers"];
const HEADS: &[&str] = &["num_attention_heads", "n_head", "n_heads"];
const HIDDEN: &[&str] = &["hidden_size", "n_embd", "d_model", "dim"];
const KEY_VALUE_HEADS: &[&str] = &["num_key_value_heads", "num_kv_heads", "n_head_kv"];
const FEED_FORWARD: &[&str] = &["intermediate_size", "ffn_dim", "n_inner", "hidden_dim"];
const POSITIONS: &[&str] = &["max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length"];

fn read(keys: &Keys<'_>, outer: &Keys<'_>) -> Result<ModelShape, FootprintError> {
    if outer.flag("is_encoder_decoder")? == Some(true) {
        let expected = "false: what a decoder keeps of its encoder's answer is not counted here";
        return Err(outer.fault("is_encoder_decoder", "true".to_owned(), expected));
    }
    for (key, what) in UNCOUNTED {
        let off = |value: &&Value| value.as_u64() == Some(0) || value.as_bool() == Some(false);
        if keys.get(key).filter(|value| !off(value)).is_some() {
            return Err(keys.fault(
                key,
                "present".to_owned(),
                &format!("a model without it: {what} are not counted here"),
            ));
        }
    }
    let model_type = keys.text("model_type")?;
    let encoder = model_type.is_some_and(|family| ENCODERS.contains(&family));
    let kind = if encoder && keys.flag("is_decoder")? != Some(true) { Kind::Encoder } else { Kind::Decoder };
    let (layers, hidden, heads) = (keys.size(LAYERS)?, keys.size(HIDDEN)?, keys.size(HEADS)?);
    let (cache, attention) = attention(keys, hidden, heads)?;
    let cache = if kind == Kind::Encoder { Cache::None } else { cache };
    let window = if kind == Kind::Encoder { None } else { window::read(keys, layers)? };
    Ok(ModelShape {
        path: keys.path.to_owned(),
        model_type: model_type.map(str::to_owned),
        kind,
        layers,
        hidden,
        attention,
        feed_forward: feed_forward(keys, hidden)?,
        vocabulary: keys.size(&["vocab_size"])?,
        positions: keys.optional_size(POSITIONS)?,
        cache,
        window_layers: window.map_or(0, |window| window.layers),
        window_tokens: window.map(|window| window.tokens),
        dtype: match dtype(keys)? {
            None => dtype(outer)?,
            declared => declared,
        },
    })
}

/// What a layer keeps of a token, and the numbers per token of its queries, keys, values and answer.
fn attention(keys: &Keys<'_>, hidden: u64, heads: u64) -> Result<(Cache, u64), FootprintError> {
    let too_large = || FootprintError::Overflow { term: format!("{heads} heads x their numbers") };
    if let Some(rank) = keys.optional_size(&["kv_lora_rank"])? {
        let rope = keys.size(&["qk_rope_head_dim"])?;
        let query = keys.size(&["qk_nope_head_dim"])?.saturating_add(rope);
        let value = keys.size(&["v_head_dim"])?;
        let numbers = heads.checked_mul(2 * (query + value)).ok_or_else(too_large)?;
        return Ok((Cache::Latent { rank, rope }, numbers));
    }
    let key = match keys.optional_size(&["head_dim"])? {
        Some(size) => size,
        None if hidden.is_multiple_of(heads) => hidden / heads,
        None => {
            let expected = format!("a divisor of the hidden size {hidden}; else add `head_dim`");
            let name = keys.first(HEADS).map_or("num_attention_heads", |(name, _)| name);
            return Err(keys.fault(name, heads.to_string(), &expected));
        }
    };
    let value = keys.optional_size(&["v_head_dim"])?.unwrap_or(key);
    let written = keys.optional_size(KEY_VALUE_HEADS)?;
    // The first Falcon writes down as many key heads as query heads and uses one.
    let one = keys.flag("multi_query")? == Some(true) && keys.flag("new_decoder_architecture")? != Some(true);
    let shared = if one { 1 } else { written.unwrap_or(heads) };
    if !heads.is_multiple_of(shared) {
        let name = keys.first(KEY_VALUE_HEADS).map_or("num_key_value_heads", |(name, _)| name);
        return Err(keys.fault(name, shared.to_string(), &format!("a divisor of the {heads} query heads")));
    }
    let numbers =
        heads.checked_add(shared).and_then(|all| all.checked_mul(key + value)).ok_or_else(too_large)?;
    Ok((Cache::Heads { heads: shared, key, value }, numbers))
}

fn feed_forward(keys: &Keys<'_>, hidden: u64) -> Result<u64, FootprintError> {
    let dense = match keys.optional_size(FEED_FORWARD)? {
        Some(size) => size,
        // The first GPT-2 configurations leave it out and mean four times the hidden size.
        None if keys.get("n_embd").is_some() => hidden.saturating_mul(4),
        None => keys.size(FEED_FORWARD)?,
    };
    let experts = ["num_local_experts", "num_experts", "n_routed_experts"];
    if keys.first(&experts).is_none() {
        return Ok(dense);
    }
    let visited = keys.size(&["num_experts_per_tok", "experts_per_token"])?;
    let expert = keys.optional_size(&["moe_intermediate_size"])?.unwrap_or(dense);
    // A shared expert is visited by every token.
    let shared = match keys.get("n_shared_experts") {
        Some(Value::Number(number)) if number.as_u64() == Some(0) => 0,
        _ => keys.optional_size(&["n_shared_experts"])?.unwrap_or(0),
    };
    let all = visited.saturating_add(shared).checked_mul(expert);
    all.map(|all| all.max(dense)).ok_or_else(|| FootprintError::Overflow {
        term: format!("{visited} + {shared} experts of a token x {expert} numbers"),
    })
}

fn dtype(keys: &Keys<'_>) -> Result<Option<NumberFormat>, FootprintError> {
    let key = if keys.get("dtype").is_some() { "dtype" } else { "torch_dtype" };
    let Some(word) = keys.text(key)? else { return Ok(None) };
    match NumberFormat::parse(word) {
        Some(format) => Ok(Some(format)),
        None => Err(keys.fault(key, quoted(word), &format!("one of: {}", NumberFormat::NAMES.join(", ")))),
    }
}
