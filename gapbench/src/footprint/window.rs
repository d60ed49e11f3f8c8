//! Which layers of a model remember only the last tokens.
//!
//! Knows nothing of how large a token is in the cache.

use serde::Serialize;
use serde_json::Value;

use super::FootprintError;
use super::error::quoted;
use super::keys::Keys;

/// Layers whose attention looks back only so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Window {
    /// How many of the layers.
    pub(super) layers: u64,
    /// How many tokens they look back.
    pub(super) tokens: u64,
}

/// Models whose every n-th layer sees all tokens although their older configurations do not say so.
///
/// # Source
/// The configuration classes of Hugging Face transformers 4.5x: `Gemma2Config`, `Gemma3TextConfig`, `Cohere2Config`.
const PATTERNS: &[(&str, u64)] = &[("gemma2", 2), ("gemma3_text", 6), ("cohere2", 4)];

/// The windowed layers of a model of `layers` layers; `None` where all of them see all tokens.
pub(super) fn read(keys: &Keys<'_>, layers: u64) -> Result<Option<Window>, FootprintError> {
    let types = layer_types(keys, layers)?;
    // A window that is switched off is still written down by the models of Qwen.
    let used = keys.flag("use_sliding_window")?;
    let tokens = match used {
        Some(false) => None,
        _ => keys.optional_size(&["sliding_window"])?,
    };
    let windowed = match (types, tokens) {
        (Some(0), _) | (None, None) => return Ok(None),
        (Some(windowed), Some(_)) => windowed,
        (Some(windowed), None) => {
            let expected =
                format!("the tokens that {windowed} layers of type sliding_attention look back; add it");
            return Err(keys.fault("sliding_window", "missing or switched off".to_owned(), &expected));
        }
        (None, Some(_)) => without_types(keys, layers, used)?,
    };
    Ok(tokens.map(|tokens| Window { layers: windowed, tokens }).filter(|window| window.layers > 0))
}

/// How many layers `layer_types` calls windowed, where it is there.
fn layer_types(keys: &Keys<'_>, layers: u64) -> Result<Option<u64>, FootprintError> {
    const KEY: &str = "layer_types";
    let Some(value) = keys.get(KEY) else { return Ok(None) };
    let Value::Array(types) = value else {
        return Err(keys.fault(KEY, quoted(&value.to_string()), "a list with the type of each layer"));
    };
    if types.len() as u64 != layers {
        return Err(keys.fault(
            KEY,
            format!("a list of {}", types.len()),
            &format!("one type for each of {layers} layers"),
        ));
    }
    let mut windowed = 0;
    for kind in types {
        match kind.as_str() {
            Some("full_attention") => {}
            Some("sliding_attention") => windowed += 1,
            _ => {
                let expected =
                    "full_attention and sliding_attention: what other layers keep is not counted here";
                return Err(keys.fault(KEY, format!("a list with {}", quoted(&kind.to_string())), expected));
            }
        }
    }
    Ok(Some(windowed))
}

fn without_types(keys: &Keys<'_>, layers: u64, used: Option<bool>) -> Result<u64, FootprintError> {
    let family =
        keys.text("model_type")?.and_then(|family| PATTERNS.iter().find(|(name, _)| *name == family));
    let pattern = keys.optional_size(&["sliding_window_pattern", "_sliding_window_pattern"])?;
    if let Some(every) = pattern.or(family.map(|(_, every)| *every)) {
        // Every n-th layer is full.
        return Ok(layers - layers / every);
    }
    if used == Some(true) {
        // The first so many layers are full. The key may be 0, which is no size.
        let full = keys.get("max_window_layers").and_then(Value::as_u64);
        let Some(full) = full else {
            let found = keys
                .get("max_window_layers")
                .map_or("missing".to_owned(), |value| quoted(&value.to_string()));
            let expected = "the number of first layers that see all tokens; add it, or set `use_sliding_window` to false";
            return Err(keys.fault("max_window_layers", found, expected));
        };
        return Ok(layers.saturating_sub(full));
    }
    Ok(layers)
}
