//! Model folders with real headers and configurations, and no numbers.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use gapbench::footprint::{ModelShape, Weights};
use serde_json::{Map, Value, json};

pub(crate) struct Folder(tempfile::TempDir);

/// Name, number format, shape.
pub(crate) type TensorShape = (String, &'static str, Vec<u64>);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A safetensors file of these tensors, one behind the other.
    pub(crate) fn weights(&self, name: &str, tensors: &[TensorShape]) -> &Folder {
        let mut entries = Map::new();
        let mut end = 0_u64;
        for (tensor, dtype, shape) in tensors {
            let begin = end;
            end += shape.iter().product::<u64>() * bits(dtype) / 8;
            let entry = json!({ "dtype": dtype, "shape": shape, "data_offsets": [begin, end] });
            assert!(entries.insert(tensor.clone(), entry).is_none(), "{tensor} twice");
        }
        entries.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
        self.raw(name, &Value::Object(entries).to_string(), end)
    }

    /// A file with this header and so many bytes behind it, which are a hole.
    pub(crate) fn raw(&self, name: &str, header: &str, data: u64) -> &Folder {
        let mut file = File::create(self.join(name)).unwrap();
        file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
        file.write_all(header.as_bytes()).unwrap();
        file.set_len(8 + header.len() as u64 + data).unwrap();
        self
    }

    pub(crate) fn text(&self, name: &str, text: impl AsRef<[u8]>) -> &Folder {
        fs::write(self.join(name), text).unwrap();
        self
    }

    pub(crate) fn config(&self, config: &Value) -> &Folder {
        self.text("config.json", config.to_string())
    }

    pub(crate) fn open(&self) -> (Weights, ModelShape) {
        (Weights::open(self.path()).unwrap(), ModelShape::open(self.path()).unwrap())
    }
}

fn bits(dtype: &str) -> u64 {
    match dtype {
        "F4" => 4,
        "F6_E2M3" => 6,
        "U8" | "F8_E4M3" => 8,
        "BF16" | "F16" => 16,
        "F32" => 32,
        "I64" => 64,
        other => panic!("{other}"),
    }
}

/// Sizes of a Llama.
#[derive(Clone, Copy)]
pub(crate) struct Llama {
    pub(crate) hidden: u64,
    pub(crate) feed_forward: u64,
    pub(crate) layers: u64,
    pub(crate) heads: u64,
    pub(crate) key_value_heads: u64,
    pub(crate) vocabulary: u64,
}

pub(crate) const LLAMA_3_8B: Llama = Llama {
    hidden: 4096,
    feed_forward: 14336,
    layers: 32,
    heads: 32,
    key_value_heads: 8,
    vocabulary: 128_256,
};
pub(crate) const LLAMA_3_70B: Llama = Llama {
    hidden: 8192,
    feed_forward: 28672,
    layers: 80,
    heads: 64,
    key_value_heads: 8,
    vocabulary: 128_256,
};
pub(crate) const LLAMA_2_7B: Llama = Llama {
    hidden: 4096,
    feed_forward: 11008,
    layers: 32,
    heads: 32,
    key_value_heads: 32,
    vocabulary: 32_000,
};

impl Llama {
    /// Every tensor in bf16, embedding and head apart.
    pub(crate) fn tensors(&self) -> Vec<TensorShape> {
        let mut tensors = Vec::new();
        let mut add = |name: String, shape: &[u64]| tensors.push((name, "BF16", shape.to_vec()));
        let key_value = self.hidden / self.heads * self.key_value_heads;
        add("model.embed_tokens.weight".to_owned(), &[self.vocabulary, self.hidden]);
        for layer in 0..self.layers {
            let mut layer_add =
                |name: &str, shape: &[u64]| add(format!("model.layers.{layer}.{name}.weight"), shape);
            layer_add("self_attn.q_proj", &[self.hidden, self.hidden]);
            layer_add("self_attn.k_proj", &[key_value, self.hidden]);
            layer_add("self_attn.v_proj", &[key_value, self.hidden]);
            layer_add("self_attn.o_proj", &[self.hidden, self.hidden]);
            layer_add("mlp.gate_proj", &[self.feed_forward, self.hidden]);
            layer_add("mlp.up_proj", &[self.feed_forward, self.hidden]);
            layer_add("mlp.down_proj", &[self.hidden, self.feed_forward]);
            layer_add("input_layernorm", &[self.hidden]);
            layer_add("post_attention_layernorm", &[self.hidden]);
        }
        add("model.norm.weight".to_owned(), &[self.hidden]);
        add("lm_head.weight".to_owned(), &[self.vocabulary, self.hidden]);
        tensors
    }

    pub(crate) fn config(&self) -> Value {
        json!({
            "model_type": "llama",
            "hidden_size": self.hidden,
            "intermediate_size": self.feed_forward,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.key_value_heads,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": 8192,
            "torch_dtype": "bfloat16",
        })
    }

    pub(crate) fn folder(&self) -> Folder {
        let folder = Folder::new();
        folder.weights("model.safetensors", &self.tensors()).config(&self.config());
        folder
    }
}

/// The tensors of sentence-transformers/all-MiniLM-L6-v2.
pub(crate) fn mini_lm() -> Vec<TensorShape> {
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: &[u64]| tensors.push((name, "F32", shape.to_vec()));
    add("embeddings.word_embeddings.weight".to_owned(), &[30522, 384]);
    add("embeddings.position_embeddings.weight".to_owned(), &[512, 384]);
    add("embeddings.token_type_embeddings.weight".to_owned(), &[2, 384]);
    let norm = |add: &mut dyn FnMut(String, &[u64]), name: String| {
        add(format!("{name}.weight"), &[384]);
        add(format!("{name}.bias"), &[384]);
    };
    norm(&mut add, "embeddings.LayerNorm".to_owned());
    let linear = |add: &mut dyn FnMut(String, &[u64]), name: String, outputs: u64, inputs: u64| {
        add(format!("{name}.weight"), &[outputs, inputs]);
        add(format!("{name}.bias"), &[outputs]);
    };
    for layer in 0..6 {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        for part in
            ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]
        {
            linear(&mut add, name(part), 384, 384);
        }
        norm(&mut add, name("attention.output.LayerNorm"));
        linear(&mut add, name("intermediate.dense"), 1536, 384);
        linear(&mut add, name("output.dense"), 384, 1536);
        norm(&mut add, name("output.LayerNorm"));
    }
    linear(&mut add, "pooler.dense".to_owned(), 384, 384);
    tensors
}

pub(crate) fn mini_lm_config() -> Value {
    json!({
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": 384,
        "intermediate_size": 1536,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
    })
}
