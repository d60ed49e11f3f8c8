//! Presets written, loaded and run.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::fs;

use llama::{Config, Dtype, End, Engine, Sampler, Tokenizer, Weights, generate, presets};

#[test]
fn tiny_is_written_loaded_and_run() {
    let folder = common::tiny("tiny");
    let preset = presets::preset("tiny").unwrap();
    let config = Config::load(&folder).unwrap();
    assert_eq!(config, preset.config);
    let weights = Weights::open(&folder).unwrap();
    weights.check(&config).unwrap();
    assert_eq!(weights.total_bytes(), 2 * 1_049_728);
    let tokenizer = Tokenizer::load(&folder, &config).unwrap();
    let text = "Grüße, 世界 </s>";
    let prompt = tokenizer.encode(text).unwrap();
    // Begin of text, and one token for each byte; `</s>` in a text does not end it.
    assert_eq!((prompt[0], prompt.len()), (1, 1 + text.len()));
    assert_eq!(tokenizer.decode(&prompt).unwrap(), text);
    let mut engine = common::engine(&folder, 256);
    let answer = generate(&mut engine, &prompt, 20, &mut Sampler::greedy(), |_| ()).unwrap();
    // Random weights may end the text at any token.
    let whole = answer.tokens.len() == 20 || answer.end == End::EndOfText;
    assert!(whole && !answer.tokens.is_empty(), "{answer:?}");
}

#[test]
fn numbers_between_layers_neither_grow_nor_vanish() {
    let mut engine = common::engine(&common::tiny("scale"), 256);
    let mut sequence = engine.open(32).unwrap();
    let logits = engine.prefill(&mut sequence, &(100..132).collect::<Vec<u32>>()).unwrap();
    let square = logits.iter().map(|logit| logit * logit).sum::<f32>() / logits.len() as f32;
    assert!((0.5..2.0).contains(&square.sqrt()), "deviation of the logits: {}", square.sqrt());
}

#[test]
fn the_same_seed_writes_the_same_weights_in_any_number_of_files() {
    let (one, many) = (common::folder("one-file"), common::folder("many-files"));
    let preset = presets::preset("tiny").unwrap();
    presets::write(&one, &preset, 7).unwrap();
    presets::write_sharded(&many, &preset, 7, 300_000).unwrap();
    let (one, many) = (Weights::open(&one).unwrap(), Weights::open(&many).unwrap());
    assert_eq!((one.files().count(), many.files().count()), (1, 8));
    assert!(many.files().all(|file| fs::metadata(file).unwrap().len() < 310_000));
    assert!(one.names().eq(many.names()));
    for name in one.names() {
        assert_eq!(one.tensor(name).unwrap().bytes, many.tensor(name).unwrap().bytes, "{name}");
    }
    let other = common::folder("other-seed");
    presets::write(&other, &preset, 8).unwrap();
    let head = "lm_head.weight";
    let other = Weights::open(&other).unwrap();
    assert_ne!(one.tensor(head).unwrap().bytes, other.tensor(head).unwrap().bytes);
}

#[test]
fn in_memory_are_the_weights_that_would_be_written() {
    for matrices in [Dtype::Bf16, Dtype::I8] {
        let folder = common::folder("in-memory");
        let preset = presets::Preset { matrices, ..presets::preset("tiny").unwrap() };
        presets::write(&folder, &preset, 7).unwrap();
        let (written, made) = (Weights::open(&folder).unwrap(), presets::in_memory(&preset, 7).unwrap());
        made.check(&preset.config).unwrap();
        assert!(written.names().eq(made.names()));
        assert_eq!(written.total_bytes(), made.total_bytes());
        for name in written.names().filter(|name| !name.ends_with(".scale")) {
            let (written, made) = (written.tensor(name).unwrap(), made.tensor(name).unwrap());
            assert_eq!((written.bytes, written.scale), (made.bytes, made.scale), "{name}");
        }
    }
}

#[test]
fn what_the_host_has_no_memory_for_is_not_made() {
    let large = presets::preset("70b").unwrap();
    let config = Config { num_hidden_layers: 8_000, ..large.config };
    let error = presets::in_memory(&presets::Preset { config, ..large }, 1).unwrap_err();
    assert!(error.to_string().contains("weights of a preset, in memory"), "{error}");
}

#[test]
fn int8_matrices_are_as_large_as_bf16_ones() {
    let folder = common::folder("int8");
    let preset = presets::Preset { matrices: Dtype::I8, ..presets::preset("tiny").unwrap() };
    presets::write(&folder, &preset, 1).unwrap();
    let weights = Weights::open(&folder).unwrap();
    weights.check(&preset.config).unwrap();
    let tensor = weights.tensor("model.layers.0.mlp.down_proj.weight").unwrap();
    assert_eq!((tensor.dtype, tensor.shape, tensor.scale.len()), (Dtype::I8, [128, 384].as_slice(), 128 * 4));
    let numbers = tensor.to_f32();
    let deviation = (numbers.iter().map(|x| x * x).sum::<f32>() / numbers.len() as f32).sqrt();
    // 1 / sqrt(384 inputs x 8 additions to the residual)
    assert!((deviation / (1.0 / 3072.0_f32.sqrt()) - 1.0).abs() < 0.02, "{deviation}");
    let mut engine = common::engine(&folder, 64);
    generate(&mut engine, &[1, 2, 3], 10, &mut Sampler::greedy(), |_| ()).unwrap();
}

#[test]
fn an_unknown_name_is_no_preset() {
    assert!(presets::preset("7b").is_none());
    assert!(presets::NAMES.iter().all(|name| presets::preset(name).is_some()));
}
