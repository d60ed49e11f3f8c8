//! The sizes of the network, as a Hugging Face `config.json` of `LlamaForCausalLM` states them.
//!
//! Strict about everything that changes the numbers: a configuration this decoder would compute wrongly is refused.
//! Keys that do not (`transformers_version`, `use_cache`, ...) are passed over.

use std::path::Path;

use crate::{
    Error,
    json::{Keys, read_object},
};

/// Name of the configuration inside a model folder.
pub const CONFIG_FILE: &str = "config.json";

/// What `config.json` says about the model; fields are named as its keys are.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Numbers per token between the layers.
    pub hidden_size: usize,
    /// Numbers per token inside the feed-forward block.
    pub intermediate_size: usize,
    /// Decoder layers.
    pub num_hidden_layers: usize,
    /// Query heads per layer.
    pub num_attention_heads: usize,
    /// Key and value heads per layer; divides `num_attention_heads`.
    pub num_key_value_heads: usize,
    /// Numbers per head; even. `hidden_size / num_attention_heads` where the file does not say.
    pub head_dim: usize,
    /// Rows of the token embedding: ids run from 0 to `vocab_size - 1`.
    pub vocab_size: usize,
    /// Most tokens of a sequence, prompt and answer together.
    pub max_position_embeddings: usize,
    /// Added to the mean square in every norm.
    pub rms_norm_eps: f32,
    /// Base of the rotation's wavelengths.
    pub rope_theta: f64,
    /// How the wavelengths are stretched for a longer context.
    pub rope_scaling: Option<RopeScaling>,
    /// Whether the token embedding is also the output head.
    pub tie_word_embeddings: bool,
    /// Token that begins a text.
    pub bos_token_id: Option<u32>,
    /// Tokens that end a text.
    pub eos_token_ids: Vec<u32>,
    /// Number format that the file declares (`torch_dtype`, or `dtype`); the weights themselves decide.
    pub torch_dtype: Option<String>,
}

/// Llama 3's stretching of long wavelengths (`rope_type: "llama3"`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RopeScaling {
    /// How many times longer the long wavelengths become.
    pub factor: f64,
    /// Wavelengths above `original_max_position_embeddings / low_freq_factor` are stretched in full.
    pub low_freq_factor: f64,
    /// Wavelengths below `original_max_position_embeddings / high_freq_factor` stay; between the two it blends.
    pub high_freq_factor: f64,
    /// Context of the model before it was extended.
    pub original_max_position_embeddings: usize,
}

impl Config {
    /// Reads and checks `config.json` in a model folder.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] and [`Error::Json`] for a file that is missing or not JSON; [`Error::Config`] names the key
    /// that is missing or has a value that this decoder does not compute with.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(CONFIG_FILE);
        Self::read(&Keys { path: &path, map: &read_object(&path)? })
    }

    fn read(keys: &Keys<'_>) -> Result<Self, Error> {
        keys.only_text("model_type", "llama")?;
        keys.only_text("hidden_act", "silu")?;
        for key in ["attention_bias", "mlp_bias"] {
            if keys.flag(key)?.unwrap_or(false) {
                return Err(keys.fault(key, "true", "false: biases are not computed here"));
            }
        }
        if keys.map.contains_key("quantization_config") {
            return Err(keys.fault(
                "quantization_config",
                "present",
                "no such key: save the weights as BF16",
            ));
        }
        let hidden_size = keys.size("hidden_size")?;
        let num_attention_heads = keys.size("num_attention_heads")?;
        let num_key_value_heads = keys.size_or("num_key_value_heads", num_attention_heads)?;
        let head_dim = match keys.optional_size("head_dim")? {
            Some(size) => size,
            None if hidden_size.is_multiple_of(num_attention_heads) => hidden_size / num_attention_heads,
            None => {
                let expected = format!("a divisor of `hidden_size` {hidden_size}, or a `head_dim`");
                return Err(keys.fault("num_attention_heads", num_attention_heads, &expected));
            }
        };
        if !num_attention_heads.is_multiple_of(num_key_value_heads) {
            let expected = format!("a divisor of `num_attention_heads` {num_attention_heads}");
            return Err(keys.fault("num_key_value_heads", num_key_value_heads, &expected));
        }
        if !head_dim.is_multiple_of(2) {
            return Err(keys.fault("head_dim", head_dim, "an even number: its halves are rotated"));
        }
        // Newer files put the base beside the scaling, under another name.
        let rope = ["rope_scaling", "rope_parameters"].into_iter().find(|key| keys.is_set(key));
        let nested = rope.map(|key| keys.object(key)).transpose()?;
        let rope_theta = match &nested {
            Some(nested) if nested.is_set("rope_theta") => nested.positive("rope_theta")?,
            _ => keys.positive_or("rope_theta", 10_000.0)?,
        };
        Ok(Self {
            hidden_size,
            intermediate_size: keys.size("intermediate_size")?,
            num_hidden_layers: keys.size("num_hidden_layers")?,
            num_attention_heads,
            num_key_value_heads,
            head_dim,
            vocab_size: keys.size("vocab_size")?,
            max_position_embeddings: keys.size("max_position_embeddings")?,
            rms_norm_eps: keys.positive("rms_norm_eps")? as f32,
            rope_theta,
            rope_scaling: nested.map(|nested| RopeScaling::read(&nested)).transpose()?.flatten(),
            tie_word_embeddings: keys.flag("tie_word_embeddings")?.unwrap_or(false),
            bos_token_id: keys.ids("bos_token_id")?.first().copied(),
            eos_token_ids: keys.ids("eos_token_id")?,
            torch_dtype: match keys.text("torch_dtype")? {
                None => keys.text("dtype")?.map(String::from),
                declared => declared.map(String::from),
            },
        })
    }

    /// Numbers per token of all query heads together.
    #[must_use]
    pub fn query_size(&self) -> usize {
        self.num_attention_heads * self.head_dim
    }

    /// Numbers per token of all key heads together; the value heads have as many.
    #[must_use]
    pub fn key_value_size(&self) -> usize {
        self.num_key_value_heads * self.head_dim
    }

    /// Query heads that share one key and value head.
    #[must_use]
    pub fn group_size(&self) -> usize {
        self.num_attention_heads / self.num_key_value_heads
    }
}

impl RopeScaling {
    /// `None` for `rope_type: "default"`, which stretches nothing.
    fn read(keys: &Keys<'_>) -> Result<Option<Self>, Error> {
        let key = if keys.is_set("rope_type") { "rope_type" } else { "type" };
        match keys.text(key)? {
            Some("default") => return Ok(None),
            Some("llama3") => {}
            Some(other) => return Err(keys.fault(key, format!("{other:?}"), "\"llama3\" or \"default\"")),
            None => return Err(keys.fault("rope_type", "missing", "\"llama3\" or \"default\"")),
        }
        let scaling = Self {
            factor: keys.positive("factor")?,
            low_freq_factor: keys.positive("low_freq_factor")?,
            high_freq_factor: keys.positive("high_freq_factor")?,
            original_max_position_embeddings: keys.size("original_max_position_embeddings")?,
        };
        if scaling.high_freq_factor <= scaling.low_freq_factor {
            let expected = format!("more than `low_freq_factor` {}", scaling.low_freq_factor);
            return Err(keys.fault("high_freq_factor", scaling.high_freq_factor, &expected));
        }
        Ok(Some(scaling))
    }
}
