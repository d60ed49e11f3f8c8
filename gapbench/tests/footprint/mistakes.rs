//! What is said about files and numbers that cannot be.

use gapbench::footprint::{Demand, ModelShape, NumberFormat, Plan, Weights, budget};
use serde_json::{Value, json};

use super::fixture::{Folder, LLAMA_3_8B};

/// The text of an error without the folder's own name.
fn said<T: std::fmt::Debug>(folder: &Folder, result: Result<T, impl ToString>) -> String {
    let text = result.map(|_| ()).unwrap_err().to_string();
    text.replace(&format!("{}/", folder.path().display()), "")
        .replace(&folder.path().display().to_string(), "FOLDER")
}

fn opening(prepare: impl FnOnce(&Folder)) -> String {
    let folder = Folder::new();
    prepare(&folder);
    said(&folder, Weights::open(folder.path()))
}

/// What is said of a file with this header and so many bytes behind it.
fn header(header: &str, data: u64) -> String {
    let folder = Folder::new();
    folder.raw("model.safetensors", header, data);
    said(&folder, Weights::open(folder.path()))
}

const DAMAGED: &str = "; the file is damaged: download or save it again";

#[test]
fn folders() {
    assert_eq!(
        opening(|_| ()),
        "read FOLDER: it holds neither model.safetensors nor model.safetensors.index.json; name a folder with the weights \
         of a model"
    );
    let bin = opening(|folder| {
        folder.text("pytorch_model.bin", "x");
    });
    assert!(bin.ends_with("; it holds `pytorch_model.bin`; convert the weights to safetensors"), "{bin}");
    let other = opening(|folder| {
        folder.text("weights.safetensors", "x");
    });
    assert!(other.ends_with("; name the file itself: weights.safetensors"), "{other}");
    let both = opening(|folder| {
        folder.text("model.safetensors", "x").text("model.safetensors.index.json", "x");
    });
    assert!(both.ends_with("which may be different weights; name the one that is served"), "{both}");
    let folder = Folder::new();
    let absent = said(&folder, Weights::open(&folder.join("absent.safetensors")));
    assert!(absent.starts_with("read absent.safetensors: No such file"), "{absent}");
    assert!(absent.ends_with("; name a safetensors file that is there"), "{absent}");
}

#[test]
fn files_that_are_cut_short_or_no_safetensors() {
    let text = |bytes: &[u8]| {
        opening(|folder| {
            folder.text("model.safetensors", bytes);
        })
    };
    assert_eq!(
        text(b"abc"),
        format!(
            "read the header of model.safetensors: the file has 3 bytes; a safetensors file has at least 8{DAMAGED}"
        )
    );
    assert_eq!(
        text(&[100, 0, 0, 0, 0, 0, 0, 0, b'{']),
        format!(
            "read the header of model.safetensors: it should be 100 bytes long, but the file has 9 bytes in all{DAMAGED}"
        )
    );
    assert_eq!(
        text(b"PK\x03\x04 a zip file, as PyTorch writes them"),
        format!(
            "read the header of model.safetensors: it should be {} bytes long; a header has at most 100000000; check that \
             it is a safetensors file",
            u64::from_le_bytes(*b"PK\x03\x04 a z")
        )
    );
    assert_eq!(
        text(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90868376\n"),
        "read the header of model.safetensors: it is a Git LFS pointer and not the weights; get them with `git lfs pull`"
    );
    assert!(header("{\"a\":", 0).contains("it is not a JSON object of tensors (EOF while parsing"));
    assert!(
        header("[]", 0)
            .contains("it is not a JSON object of tensors (invalid type: sequence, expected an object")
    );
    assert!(header("{}", 0).contains("there is no tensor in it; name the file that holds the weights"));
    let folder = Folder::new();
    let not_text = [&[2, 0, 0, 0, 0, 0, 0, 0], b"\xff\xfe".as_slice()].concat();
    folder.text("model.safetensors", not_text);
    assert!(said(&folder, Weights::open(folder.path())).contains("it is not text"));
}

#[test]
fn headers_that_contradict_themselves() {
    let entry = |dtype: &str, shape: &str, offsets: &str| {
        format!("{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{offsets}}}")
    };
    let one = |dtype: &str, shape: &str, offsets: &str, data: u64| {
        let text = header(&format!("{{\"a\":{}}}", entry(dtype, shape, offsets)), data);
        text.strip_prefix("read the header of model.safetensors: tensor `a`: ").unwrap_or(&text).to_owned()
    };
    assert_eq!(
        one("F32", "[2,3]", "[0,20]", 20),
        format!("shape [2, 3] of F32 takes 24 bytes, but its offsets 0 to 20 hold 20{DAMAGED}")
    );
    assert_eq!(
        one("F4", "[3]", "[0,2]", 2),
        format!("shape [3] of F4 takes 12 bits, which is no whole number of bytes{DAMAGED}")
    );
    assert_eq!(
        one("BF16", "[2]", "[4,0]", 4),
        format!("its bytes begin at 4 and end before that, at 0{DAMAGED}")
    );
    assert_eq!(
        one("F32", "[4294967296,4294967296]", "[0,8]", 8),
        format!("shape [4294967296, 4294967296] of F32 is more than 64 bits count{DAMAGED}")
    );
    assert_eq!(
        one("BF16", "[4]", "[0,8]", 6),
        "its bytes end at 8, but only 6 follow the header: the file is cut short; download it again"
    );
    assert_eq!(
        one("BF16", "[4]", "[0,8]", 9),
        format!("read the header of model.safetensors: 9 bytes follow it, but the tensors end at 8{DAMAGED}")
    );
    let unknown = one("F5", "[4]", "[0,8]", 8);
    assert!(
        unknown.starts_with("it has no dtype, shape and data_offsets that are known (unknown variant `F5`"),
        "{unknown}"
    );
    let negative = one("F32", "[-1]", "[0,8]", 8);
    assert!(negative.contains("invalid value: integer `-1`, expected usize"), "{negative}");
    assert!(one("F32", "[1]", "[0]", 8).contains("invalid length 1"));

    let two = |first: &str, second: &str, data: u64| {
        let (a, b) = (entry("U8", "[4]", first), entry("U8", "[4]", second));
        header(&format!("{{\"a\":{a},\"b\":{b}}}"), data)
    };
    assert_eq!(
        two("[0,4]", "[2,6]", 6),
        format!(
            "read the header of model.safetensors: tensor `b`: its bytes begin at 2, but tensor `a` ends at 4: they \
             overlap{DAMAGED}"
        )
    );
    assert!(
        two("[0,4]", "[6,10]", 10)
            .contains("its bytes begin at 6, but tensor `a` ends at 4: they leave a gap")
    );
    assert!(
        two("[2,6]", "[6,10]", 10)
            .contains("tensor `a`: its bytes begin at 2, but the data begin at 0: they leave")
    );
    let twice = entry("U8", "[0]", "[0,0]");
    let twice = header(&format!("{{\"a\":{twice},\"a\":{twice}}}"), 0);
    assert!(twice.contains("tensor `a`: it stands twice in the header"), "{twice}");
}

#[test]
fn indices() {
    let with = |index: &str, prepare: &dyn Fn(&Folder)| {
        let folder = Folder::new();
        folder.text("model.safetensors.index.json", index);
        prepare(&folder);
        let text = said(&folder, Weights::open(folder.path()));
        text.strip_prefix("follow the index model.safetensors.index.json: ").unwrap_or(&text).to_owned()
    };
    let nothing = |_: &Folder| ();
    let again = "; download the index again";
    assert!(with("{", &nothing).starts_with("it is not JSON (EOF"));
    assert_eq!(with("{}", &nothing), format!("it has no object `weight_map`{again}"));
    assert_eq!(with("{\"weight_map\":{}}", &nothing), format!("its `weight_map` is empty{again}"));
    assert_eq!(
        with("{\"weight_map\":{\"a\":\"../b.safetensors\"}}", &nothing),
        format!("tensor `a`: it is put in `\"../b.safetensors\"`, which is not a file name{again}")
    );
    assert_eq!(
        with("{\"weight_map\":{\"a\":7}}", &nothing),
        format!("tensor `a`: it is put in `7`, which is not a file name{again}")
    );
    assert_eq!(
        with("{\"weight_map\":{\"a\":\"1.safetensors\"}}", &nothing),
        "tensor `a`: its file `1.safetensors` is not there; download the missing file beside the index"
    );
    let other = |folder: &Folder| {
        folder.weights("1.safetensors", &[("b".to_owned(), "U8", vec![1])]);
    };
    assert_eq!(
        with("{\"weight_map\":{\"a\":\"1.safetensors\"}}", &other),
        "tensor `a`: the file `1.safetensors` does not hold it; index and files are of different versions: download both \
         again"
    );
    let folder = Folder::new();
    folder.weights("1", &[("b".to_owned(), "U8", vec![1])]).weights("2", &[("b".to_owned(), "U8", vec![1])]);
    assert_eq!(
        said(&folder, Weights::of_files(&[folder.join("1"), folder.join("2")])),
        "read the header of 2: tensor `b`: 1 holds it too; name the files of one model only"
    );
}

#[test]
fn configurations() {
    let with = |key: &str, value: Value| {
        let mut config = LLAMA_3_8B.config();
        let map = config.as_object_mut().unwrap();
        match value {
            Value::String(word) if word == "remove" => drop(map.remove(key)),
            value => drop(map.insert(key.to_owned(), value)),
        }
        let folder = Folder::new();
        folder.config(&config);
        let text = said(&folder, ModelShape::open(folder.path()));
        text.strip_prefix("understand config.json: key ").unwrap_or(&text).to_owned()
    };
    let whole = "expected a whole number from 1 to 1000000000";
    assert_eq!(with("vocab_size", json!("remove")), format!("`vocab_size` is missing; {whole}; add it"));
    assert_eq!(
        with("num_hidden_layers", json!("remove")),
        format!(
            "`num_hidden_layers` is missing; {whole}, here or as one of: num_hidden_layers, n_layer, n_layers; add it"
        )
    );
    for absurd in
        [json!(0), json!(-32), json!(32.5), json!("32"), json!(1e30), json!(4_000_000_000_u64), json!([32])]
    {
        let text = with("num_hidden_layers", absurd.clone());
        assert_eq!(text, format!("`num_hidden_layers` is `{absurd}`; {whole}"));
    }
    assert_eq!(
        with("num_key_value_heads", json!(5)),
        "`num_key_value_heads` is 5; expected a divisor of the 32 query heads"
    );
    assert_eq!(
        with("num_attention_heads", json!(24)),
        "`num_attention_heads` is 24; expected a divisor of the hidden size 4096; else add `head_dim`"
    );
    assert_eq!(
        with("torch_dtype", json!("bfloat61")),
        "`torch_dtype` is `bfloat61`; expected one of: f32, f16, bf16, fp8, int8, int4"
    );
    assert_eq!(
        with("is_encoder_decoder", json!(true)),
        "`is_encoder_decoder` is true; expected false: what a decoder keeps of its encoder's answer is not counted here"
    );
    assert_eq!(
        with("mamba_d_state", json!(16)),
        "`mamba_d_state` is present; expected a model without it: layers with a state in place of keys and values are not \
         counted here"
    );
    assert_eq!(with("kv_lora_rank", json!(512)), format!("`qk_rope_head_dim` is missing; {whole}; add it"));
    assert_eq!(
        with("layer_types", json!(["full_attention"])),
        "`layer_types` is a list of 1; expected one type for each of 32 layers"
    );
    let mut types = vec!["full_attention"; 31];
    types.push("linear_attention");
    assert_eq!(
        with("layer_types", json!(types)),
        "`layer_types` is a list with `\"linear_attention\"`; expected full_attention and sliding_attention: what other \
         layers keep is not counted here"
    );
    assert_eq!(
        with("layer_types", json!(vec!["sliding_attention"; 32])),
        "`sliding_window` is missing or switched off; expected the tokens that 32 layers of type sliding_attention look \
         back; add it"
    );
    assert_eq!(
        with("use_sliding_window", json!("no")),
        "`use_sliding_window` is `\"no\"`; expected true or false"
    );
    assert!(with("num_local_experts", json!(8)).starts_with("`num_experts_per_tok` is missing"));

    let folder = Folder::new();
    let absent = said(&folder, ModelShape::open(folder.path()));
    assert!(absent.starts_with("read config.json: No such file"), "{absent}");
    assert!(absent.ends_with("; put the model's config.json beside its weights"), "{absent}");
    folder.text("config.json", "[1]");
    assert_eq!(
        said(&folder, ModelShape::open(folder.path())),
        "read config.json: it is no JSON object; download it again"
    );
    let nested = json!({ "text_config": { "hidden_size": 8 } });
    assert!(
        said(&folder, ModelShape::open(folder.config(&nested).path()))
            .contains("key `text_config.num_hidden_layers`")
    );
}

#[test]
fn numbers_that_cannot_be() {
    let (weights, shape) = LLAMA_3_8B.folder().open();
    let plan = |demand: Demand| Plan::new(&weights, &shape, &demand).unwrap_err().to_string();
    assert_eq!(
        plan(Demand::new(0, 2048)),
        "plan the memory: clients is 0; expected a whole number from 1 to 1000000000"
    );
    assert!(plan(Demand::new(1, 0)).contains("length is 0"));
    assert!(plan(Demand::new(2_000_000_000, 1)).contains("clients is 2000000000"));
    assert!(plan(Demand { page_tokens: 0, ..Demand::new(1, 1) }).contains("page is 0"));
    assert!(plan(Demand { step_tokens: Some(0), ..Demand::new(1, 1) }).contains("step is 0"));
    assert_eq!(
        plan(Demand::new(1_000_000_000, 1_000_000_000_000)),
        "plan the memory: the cache of 1000000000 clients x 1000000000000 tokens is more than 64 bits hold; one of these \
         factors is wrong, so check config.json and what was asked"
    );
    assert!(
        plan(Demand { overhead_bytes: u64::MAX, ..Demand::new(1, 1) })
            .contains("the sum of all terms is more than")
    );
    let vast = ModelShape { hidden: u64::MAX, ..shape.clone() };
    let vast = Plan::new(&weights, &vast, &Demand::new(1, 1)).unwrap_err().to_string();
    assert!(vast.contains("the buffers of a step is more than 64 bits hold"), "{vast}");

    for share in [0.0, -1.0, 1.01, f64::NAN] {
        let text = budget(1 << 30, share).unwrap_err().to_string();
        assert!(text.contains("expected a share above 0 and up to 1, such as 0.9"), "{text}");
    }
    assert_eq!(budget(u64::MAX, 1.0), Ok(u64::MAX));

    // Packed integers say nothing of the cache.
    let folder = Folder::new();
    let mut config = LLAMA_3_8B.config();
    config.as_object_mut().unwrap().remove("torch_dtype");
    folder.weights("model.safetensors", &[("a".to_owned(), "U8", vec![8])]).config(&config);
    let (weights, shape) = folder.open();
    assert_eq!(
        Plan::new(&weights, &shape, &Demand::new(1, 1)).unwrap_err().to_string(),
        "plan the memory: kv-dtype is not given, config.json has no `torch_dtype`, and the weights are stored in U8; \
         expected one of: f32, f16, bf16, fp8, int8, int4"
    );
    let asked = Demand { cache_format: Some(NumberFormat::Bf16), ..Demand::new(1, 1) };
    assert_eq!(Plan::new(&weights, &shape, &asked).unwrap().cache_bytes, 131_072);
}

/// Whatever is cut off or flipped, the reader answers; it never panics and never counts more than the file holds.
#[test]
fn damaged_headers_are_answered() {
    let folder = Folder::new();
    let tensors = [
        ("a".to_owned(), "BF16", vec![2, 3]),
        ("b".to_owned(), "F4", vec![8]),
        ("c".to_owned(), "F32", vec![]),
    ];
    folder.weights("model.safetensors", &tensors);
    let whole = std::fs::read(folder.join("model.safetensors")).unwrap();
    for end in 0..whole.len() {
        folder.text("model.safetensors", &whole[..end]);
        assert!(Weights::open(folder.path()).is_err(), "cut at {end}");
    }
    let letters = b"[]{}\"'=,:0a9-\x00\x80";
    for position in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[position] = letters[position % letters.len()];
        folder.text("model.safetensors", &damaged);
        if let Ok(weights) = Weights::open(folder.path()) {
            assert!(weights.bytes < damaged.len() as u64, "flipped at {position}");
        }
    }
}
