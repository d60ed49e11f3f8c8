//! Damaged, missing or mismatched files give errors that name file and tensor or key; nothing panics.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::{
    fs::{self, OpenOptions},
    path::Path,
};

use common::{read_tensors, write_tensors};
use llama::{
    CONFIG_FILE, Config, Error, TOKENIZER_FILE, Tokenizer, Weights, presets,
    weights::{INDEX_FILE, WEIGHTS_FILE},
};
use serde_json::{Value, json};

/// What loading configuration and weights says, with the folder's own path cut off.
fn load_error(folder: &Path) -> String {
    let loaded = Config::load(folder).and_then(|config| {
        Tokenizer::load(folder, &config)?;
        Weights::open(folder)?.check(&config)
    });
    loaded.unwrap_err().to_string().replace(&format!("{}/", folder.display()), "")
}

fn change_json(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// The error after one key of `config.json` was replaced, or taken out with `null`.
fn config_error(folder: &Path, key: &str, value: Value) -> String {
    presets::write(folder, &presets::preset("tiny").unwrap(), 1).unwrap();
    change_json(&folder.join(CONFIG_FILE), |config| config[key] = value);
    load_error(folder)
}

#[test]
fn configurations_that_would_be_computed_wrongly() {
    let folder = common::folder("bad-config");
    let error = |key, value| config_error(&folder, key, value);
    let size = "expected a whole number from 1 to 16777216";
    assert_eq!(
        error("hidden_act", json!("gelu")),
        "config.json: `hidden_act` is \"gelu\", expected \"silu\""
    );
    assert_eq!(
        error("model_type", json!("gemma")),
        "config.json: `model_type` is \"gemma\", expected \"llama\""
    );
    for key in ["attention_bias", "mlp_bias"] {
        let expected = format!("config.json: `{key}` is true, expected false: biases are not computed here");
        assert_eq!(error(key, json!(true)), expected);
    }
    for key in
        ["hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size", "max_position_embeddings"]
    {
        assert_eq!(error(key, Value::Null), format!("config.json: `{key}` is missing, {size}"));
        assert_eq!(error(key, json!(0)), format!("config.json: `{key}` is 0, {size}"));
        assert_eq!(error(key, json!("12")), format!("config.json: `{key}` is \"12\", {size}"));
    }
    assert_eq!(
        error("rms_norm_eps", Value::Null),
        "config.json: `rms_norm_eps` is missing, expected a number above zero"
    );
    assert_eq!(
        error("num_key_value_heads", json!(3)),
        "config.json: `num_key_value_heads` is 3, expected a divisor of `num_attention_heads` 8"
    );
    assert_eq!(
        error("head_dim", json!(15)),
        "config.json: `head_dim` is 15, expected an even number: its halves are rotated"
    );
    assert_eq!(
        error("quantization_config", json!({ "bits": 4 })),
        "config.json: `quantization_config` is present, expected no such key: save the weights as BF16"
    );
    assert_eq!(
        error("rope_scaling", json!({ "rope_type": "yarn", "factor": 4.0 })),
        "config.json: `rope_type` is \"yarn\", expected \"llama3\" or \"default\""
    );
    assert_eq!(
        error("rope_scaling", json!({ "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0 })),
        "config.json: `high_freq_factor` is missing, expected a number above zero"
    );
    presets::write(&folder, &presets::preset("tiny").unwrap(), 1).unwrap();
    change_json(&folder.join(CONFIG_FILE), |config| {
        (config["head_dim"], config["num_attention_heads"]) = (Value::Null, json!(12));
    });
    assert_eq!(
        load_error(&folder),
        "config.json: `num_attention_heads` is 12, expected a divisor of `hidden_size` 128, or a `head_dim`"
    );
    fs::write(folder.join(CONFIG_FILE), "{").unwrap();
    assert!(load_error(&folder).starts_with("config.json is not valid JSON: EOF while parsing"));
}

#[test]
fn files_that_are_missing() {
    let folder = common::folder("missing-files");
    let missing = "No such file or directory (os error 2)";
    assert_eq!(load_error(&folder), format!("cannot read config.json: {missing}"));
    presets::write(&folder, &presets::preset("tiny").unwrap(), 1).unwrap();
    fs::remove_file(folder.join(WEIGHTS_FILE)).unwrap();
    let error = load_error(&folder);
    let neither = "missing-files has neither `model.safetensors` nor `model.safetensors.index.json`";
    assert!(error.ends_with(neither), "{error}");
    fs::remove_file(folder.join(TOKENIZER_FILE)).unwrap();
    assert_eq!(load_error(&folder), format!("cannot read tokenizer.json: {missing}"));
}

#[test]
fn a_weights_file_that_was_cut_short() {
    let folder = common::tiny("cut-short");
    let path = folder.join(WEIGHTS_FILE);
    let length = fs::metadata(&path).unwrap().len();
    for kept in [length - 1, length / 2, 100, 7, 0] {
        OpenOptions::new().write(true).open(&path).unwrap().set_len(kept).unwrap();
        let error = load_error(&folder);
        let start = format!("model.safetensors ({kept} bytes) is not a whole safetensors file: ");
        assert!(
            error.starts_with(&start) && error.ends_with("; copy it again, it may be cut short"),
            "{error}"
        );
    }
}

#[test]
fn weights_that_contradict_the_configuration() {
    let folder = common::tiny("contradiction");
    let path = folder.join(WEIGHTS_FILE);
    let whole = read_tensors(&path);
    let again = "take weights and configuration from the same model";
    let query = "model.layers.3.self_attn.q_proj.weight";
    let error = |change: &dyn Fn(&mut std::collections::BTreeMap<String, common::Stored>)| {
        let mut tensors = whole.clone();
        change(&mut tensors);
        write_tensors(&path, &tensors);
        load_error(&folder)
    };
    assert_eq!(
        error(&|tensors| drop(tensors.remove(query))),
        format!("model.safetensors has no tensor `{query}`; {again}")
    );
    assert_eq!(
        error(&|tensors| tensors.get_mut(query).unwrap().1 = vec![64, 256]),
        format!("model.safetensors: tensor `{query}` has shape [64, 256], expected [128, 128]; {again}")
    );
    assert_eq!(
        error(&|tensors| {
            let double = vec![0; 128 * 128 * 8];
            tensors.insert(query.into(), (safetensors::Dtype::F64, vec![128, 128], double));
        }),
        format!(
            "model.safetensors: tensor `{query}` is stored as F64, expected f32, f16, bf16 or i8 with scales"
        )
    );
    let int8 = |tensors: &mut std::collections::BTreeMap<String, common::Stored>| {
        tensors.insert(query.into(), (safetensors::Dtype::I8, vec![128, 128], vec![1; 128 * 128]));
    };
    assert_eq!(error(&int8), format!("model.safetensors has no tensor `{query}.scale`; {again}"));
    assert_eq!(
        error(&|tensors| {
            int8(tensors);
            tensors.insert(format!("{query}.scale"), (safetensors::Dtype::F32, vec![64], vec![0; 256]));
        }),
        format!("model.safetensors: tensor `{query}.scale` has shape [64], expected [128]; {again}")
    );
    assert_eq!(
        error(&|tensors| {
            int8(tensors);
            tensors.insert(format!("{query}.scale"), (safetensors::Dtype::F16, vec![128], vec![0; 256]));
        }),
        format!("model.safetensors: tensor `{query}.scale` is stored as f16, expected f32")
    );
    write_tensors(&path, &whole);
    change_json(&folder.join(CONFIG_FILE), |config| config["num_hidden_layers"] = json!(3));
    assert_eq!(
        load_error(&folder),
        format!(
            "model.safetensors has a tensor `model.layers.3.input_layernorm.weight` of shape [128] that the \
             configuration has no place for; {again}"
        )
    );
}

#[test]
fn a_weight_that_is_not_a_number() {
    let folder = common::tiny("not-finite");
    let path = folder.join(WEIGHTS_FILE);
    let mut tensors = read_tensors(&path);
    let down = "model.layers.1.mlp.down_proj.weight";
    tensors.get_mut(down).unwrap().2[2 * 77..2 * 78].copy_from_slice(&half::bf16::NAN.to_le_bytes());
    write_tensors(&path, &tensors);
    let config = Config::load(&folder).unwrap();
    let error = llama::CpuEngine::load(config, &Weights::open(&folder).unwrap(), 16).unwrap_err();
    let expected =
        format!("model.safetensors: tensor `{down}` holds NaN at position 77; the file is damaged");
    assert!(error.to_string().ends_with(&expected), "{error}");
}

#[test]
fn an_index_that_is_wrong() {
    let folder = common::folder("bad-index");
    let index = folder.join(INDEX_FILE);
    let write = || presets::write_sharded(&folder, &presets::preset("tiny").unwrap(), 1, 700_000).unwrap();
    let query = "model.layers.3.self_attn.q_proj.weight";
    write();
    let second = folder.join("model-00002-of-00004.safetensors");
    assert!(second.exists(), "{:?}", fs::read_dir(&folder).unwrap().collect::<Vec<_>>());
    change_json(&index, |index| drop(index["weight_map"].as_object_mut().unwrap().remove(query)));
    assert_eq!(
        load_error(&folder),
        format!(
            "model.safetensors.index.json has no tensor `{query}`; take weights and configuration from the same model"
        )
    );
    write();
    change_json(&index, |index| index["weight_map"][query] = json!("model-00001-of-00004.safetensors"));
    assert_eq!(
        load_error(&folder),
        format!(
            "model-00001-of-00004.safetensors has no tensor `{query}`, although the index puts it there; \
             copy index and weights together"
        )
    );
    write();
    change_json(&index, |index| index["weight_map"][query] = json!("../model.safetensors"));
    assert_eq!(
        load_error(&folder),
        format!(
            "model.safetensors.index.json is not a usable index: tensor `{query}` is put in \
             \"../model.safetensors\", which is not a file name; copy it from where the weights are from"
        )
    );
    fs::write(&index, "{}").unwrap();
    assert_eq!(
        load_error(&folder),
        "model.safetensors.index.json is not a usable index: it has no object `weight_map`; \
         copy it from where the weights are from"
    );
    write();
    fs::remove_file(second).unwrap();
    let error = load_error(&folder);
    let start = "model.safetensors.index.json puts tensor `model.layers.";
    let end = "` in model-00002-of-00004.safetensors, and that file is missing; copy it too";
    assert!(error.starts_with(start) && error.ends_with(end), "{error}");
}

#[test]
fn a_tokenizer_of_another_model() {
    let folder = common::tiny("tokenizer");
    let config = Config { vocab_size: 200, ..Config::load(&folder).unwrap() };
    let error = Tokenizer::load(&folder, &config).unwrap_err();
    assert!(matches!(error, Error::Vocabulary { largest_id: 258, vocabulary: 200, .. }));
    let expected = "tokenizer.json gives token ids up to 258, but the embedding has 200 rows; \
                    take tokenizer and weights from the same model";
    assert!(error.to_string().ends_with(expected), "{error}");
    fs::write(folder.join(TOKENIZER_FILE), "{}").unwrap();
    assert!(load_error(&folder).starts_with("tokenizer.json is not a usable tokenizer: "));
}
