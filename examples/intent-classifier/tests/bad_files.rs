//! Damaged, missing or mismatched model files give typed errors that say what is wrong; nothing panics.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use intent_classifier::{
    CONFIG_FILE, Classifier, ClassifyError, Config, LoadError, Model, TOKENIZER_FILE, WEIGHTS_FILE,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// A copy of the model folder, for one test to damage.
fn copy_of_model(test: &str) -> PathBuf {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&copy).unwrap();
    for file in [CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE] {
        fs::copy(common::path("model").join(file), copy.join(file)).unwrap();
    }
    copy
}

/// One tensor as stored: number format, shape, bytes.
type Stored = (Dtype, Vec<usize>, Vec<u8>);

/// Rewrites the weights file after `change` was made to its tensors.
fn change_weights(folder: &Path, change: impl Fn(&mut BTreeMap<String, Stored>)) {
    let path = folder.join(WEIGHTS_FILE);
    let bytes = fs::read(&path).unwrap();
    let mut tensors: BTreeMap<String, Stored> = SafeTensors::deserialize(&bytes)
        .unwrap()
        .iter()
        .map(|(name, view)| (name.into(), (view.dtype(), view.shape().into(), view.data().into())))
        .collect();
    change(&mut tensors);
    let views = tensors
        .iter()
        .map(|(name, (dtype, shape, data))| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// Rewrites the configuration with one field replaced.
fn change_config(folder: &Path, field: &str, value: serde_json::Value) {
    let path = folder.join(CONFIG_FILE);
    let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config[field] = value;
    fs::write(path, config.to_string()).unwrap();
}

/// The error from loading `folder`, after checking that its message has all of `words`.
fn error(folder: &Path, words: &[&str]) -> LoadError {
    let error = Classifier::load(folder).unwrap_err();
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
    error
}

#[test]
fn a_missing_file_is_named() {
    for file in [CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE] {
        let folder = copy_of_model(&format!("missing-{file}"));
        fs::remove_file(folder.join(file)).unwrap();
        let error = error(&folder, &[file, "train.py"]);
        assert!(matches!(error, LoadError::Read { .. }), "{error:?}");
    }
}

#[test]
fn truncated_weights_are_refused_wherever_they_end() {
    let folder = copy_of_model("truncated-weights");
    let whole = fs::read(folder.join(WEIGHTS_FILE)).unwrap();
    for length in [0, 1, 7, 8, 9, 500, whole.len() / 2, whole.len() - 1] {
        fs::write(folder.join(WEIGHTS_FILE), &whole[..length]).unwrap();
        let error = error(&folder, &[WEIGHTS_FILE, &format!("({length} bytes)")]);
        assert!(matches!(error, LoadError::Weights { .. }), "{length} bytes: {error:?}");
    }
}

#[test]
fn a_missing_tensor_is_named_with_its_shape() {
    let folder = copy_of_model("missing-tensor");
    change_weights(&folder, |tensors| {
        tensors.remove("layers.2.up.bias").unwrap();
    });
    let error = error(&folder, &["layers.2.up.bias", "[512]"]);
    assert!(matches!(error, LoadError::MissingTensor { .. }), "{error:?}");
}

#[test]
fn a_wrong_shape_is_told_with_both_shapes() {
    let folder = copy_of_model("wrong-shape");
    change_weights(&folder, |tensors| tensors.get_mut("head.weight").unwrap().1 = vec![128, 16]);
    let error = error(&folder, &["head.weight", "[128, 16]", "[16, 128]"]);
    assert!(matches!(error, LoadError::Shape { .. }), "{error:?}");
}

#[test]
fn a_tensor_without_a_place_is_refused() {
    let folder = copy_of_model("unknown-tensor");
    change_config(&folder, "layers", 3.into());
    let error = error(&folder, &["layers.3."]);
    assert!(matches!(error, LoadError::UnknownTensor { .. }), "{error:?}");
}

#[test]
fn an_unread_number_format_is_named() {
    let folder = copy_of_model("number-format");
    change_weights(&folder, |tensors| tensors.get_mut("norm.bias").unwrap().0 = Dtype::BF16);
    let error = error(&folder, &["norm.bias", "BF16", "F32"]);
    assert!(matches!(error, LoadError::NumberFormat { .. }), "{error:?}");
}

#[test]
fn f32_weights_are_read_too() {
    let folder = copy_of_model("f32-weights");
    change_weights(&folder, |tensors| {
        for (dtype, _, data) in tensors.values_mut() {
            let halves = data.chunks_exact(2).map(|pair| half::f16::from_le_bytes([pair[0], pair[1]]));
            *data = halves.flat_map(|number| number.to_f32().to_le_bytes()).collect();
            *dtype = Dtype::F32;
        }
    });
    let text = "where is my parcel?";
    let wide = Classifier::load(&folder).unwrap();
    let stored = Classifier::load(&common::path("model")).unwrap();
    assert_eq!(wide.classify(text).unwrap(), stored.classify(text).unwrap());
}

#[test]
fn a_weight_that_is_not_finite_is_found() {
    let folder = copy_of_model("not-finite");
    change_weights(&folder, |tensors| {
        let data = &mut tensors.get_mut("layers.0.qkv.weight").unwrap().2;
        data[6..8].copy_from_slice(&half::f16::NAN.to_le_bytes());
    });
    let error = error(&folder, &["layers.0.qkv.weight", "NaN", "position 3"]);
    assert!(matches!(error, LoadError::NotFinite { position: 3, .. }), "{error:?}");
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let folder = copy_of_model("config");
    let cases = [
        ("heads", 5.into(), "multiple of heads"),
        ("heads", 0.into(), "heads is 0"),
        ("width", serde_json::Value::from(u64::MAX), "between 1 and"),
        ("layers", "four".into(), "expected usize"),
        ("labels", serde_json::json!([]), "number of labels is 0"),
        ("norm_epsilon", (-1.0).into(), "norm_epsilon"),
        ("dropout", 0.1.into(), "unknown field"),
    ];
    for (field, value, words) in cases {
        fs::copy(common::path("model").join(CONFIG_FILE), folder.join(CONFIG_FILE)).unwrap();
        change_config(&folder, field, value);
        let error = error(&folder, &[CONFIG_FILE, words]);
        assert!(matches!(error, LoadError::Config { .. }), "{error:?}");
    }
    fs::write(folder.join(CONFIG_FILE), "{").unwrap();
    assert!(matches!(error(&folder, &[CONFIG_FILE]), LoadError::Config { .. }));
}

#[test]
fn a_tokenizer_that_is_none_or_too_large_is_refused() {
    let folder = copy_of_model("tokenizer");
    change_config(&folder, "vocabulary", 100.into());
    let too_large = error(&folder, &[TOKENIZER_FILE, "vocabulary of 100"]);
    assert!(matches!(too_large, LoadError::Vocabulary { .. }), "{too_large:?}");

    fs::write(folder.join(TOKENIZER_FILE), "{}").unwrap();
    let none = error(&folder, &[TOKENIZER_FILE]);
    assert!(matches!(none, LoadError::Tokenizer { .. }), "{none:?}");
}

#[test]
fn padding_and_truncation_asked_for_by_the_tokenizer_file_are_ignored() {
    let folder = copy_of_model("padding");
    let path = folder.join(TOKENIZER_FILE);
    let mut tokenizer: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    tokenizer["truncation"] =
        serde_json::json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
    tokenizer["padding"] = serde_json::json!({"strategy": {"Fixed": 128}, "direction": "Right",
        "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    fs::write(&path, tokenizer.to_string()).unwrap();
    let text = "where is my parcel?";
    let changed = Classifier::load(&folder).unwrap();
    let stored = Classifier::load(&common::path("model")).unwrap();
    assert_eq!(changed.classify(text).unwrap(), stored.classify(text).unwrap());
}

#[test]
fn bad_ids_are_refused() {
    let config = Config::load(&common::path("model/config.json")).unwrap();
    let model = Model::load(&common::path("model/model.safetensors"), &config).unwrap();
    let vocabulary = config.vocabulary;
    for id in [vocabulary as u32, u32::MAX] {
        assert_eq!(model.logits(&[2, id]), Err(ClassifyError::TokenOutOfRange { id, vocabulary }));
    }
    let most = config.max_tokens;
    assert_eq!(model.logits(&[]), Err(ClassifyError::TokenCount { found: 0, most }));
    assert_eq!(model.logits(&vec![2; most + 1]), Err(ClassifyError::TokenCount { found: most + 1, most }));
    assert!(model.logits(&vec![2; most]).is_ok());
}

#[test]
fn texts_without_a_token_are_refused_and_odd_ones_are_not() {
    let classifier = Classifier::load(&common::path("model")).unwrap();
    for text in ["", " ", "\n\t ", "\0", "\u{200b}\u{feff}", "\u{301}"] {
        assert_eq!(
            classifier.classify(text),
            Err(ClassifyError::EmptyText { bytes: text.len() }),
            "{text:?}"
        );
    }
    let long = "parcel ".repeat(100_000);
    let wide = "😀".repeat(5_000);
    for text in ["x", "[CLS] [PAD] [UNK]", "😀", "где моя посылка", &long, &wide] {
        let prediction = classifier.classify(text).unwrap();
        assert!(prediction.tokens > 1);
        assert_eq!(prediction.truncated, text.len() > 4_096);
    }
    assert_eq!(classifier.classify(&long).unwrap().tokens, 128);
}

#[test]
fn special_tokens_written_in_a_message_are_plain_text() {
    let classifier = Classifier::load(&common::path("model")).unwrap();
    let ids = classifier.encoder().encode("[CLS] hello").unwrap().ids;
    assert_eq!(ids.iter().filter(|id| **id == ids[0]).count(), 1);
}
