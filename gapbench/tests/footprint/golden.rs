//! Sizes that others have published.

use std::path::PathBuf;

use gapbench::footprint::{
    Cache, CheckKind, Demand, FormatSource, Kind, Largest, ModelShape, NumberFormat, Plan, Sizes, Weights,
    budget, check,
};
use serde_json::{Value, json};

use super::fixture::{Folder, LLAMA_2_7B, LLAMA_3_8B, LLAMA_3_70B, Llama, mini_lm, mini_lm_config};

const GIB: f64 = 1_073_741_824.0;

fn plan(folder: &Folder, demand: &Demand) -> Plan {
    let (weights, shape) = folder.open();
    Plan::new(&weights, &shape, demand).unwrap()
}

/// What a token leaves in the cache of a model with this configuration, in bf16.
fn per_token(config: &Value) -> u64 {
    let folder = Folder::new();
    folder.weights("model.safetensors", &[("a".to_owned(), "BF16", vec![1])]).config(config);
    plan(&folder, &Demand::new(1, 1)).cache_bytes_per_token
}

fn shape(config: &Value) -> ModelShape {
    let folder = Folder::new();
    ModelShape::open(folder.config(config).path()).unwrap()
}

#[test]
fn weights_of_published_models() {
    let of = |llama: Llama| llama.folder().open().0;
    // The index of Llama 3 8B and 70B on Hugging Face states these as `total_size`.
    let eight = of(LLAMA_3_8B);
    assert_eq!((eight.bytes, eight.numbers, eight.tensors), (16_060_522_496, 8_030_261_248, 291));
    assert_eq!(eight.by_dtype.len(), 1);
    assert_eq!((eight.by_dtype[0].dtype.as_str(), eight.by_dtype[0].bits), ("BF16", 16));
    assert_eq!(eight.largest.bytes, 128_256 * 4096 * 2);
    assert_eq!(of(LLAMA_3_70B).bytes, 141_107_412_992);
    // 6.74 billion parameters.
    assert_eq!(of(LLAMA_2_7B).numbers, 6_738_415_616);
}

#[test]
fn cache_of_a_token_of_published_models() {
    assert_eq!(per_token(&LLAMA_3_8B.config()), 131_072);
    assert_eq!(per_token(&LLAMA_3_70B.config()), 327_680);
    assert_eq!(per_token(&LLAMA_2_7B.config()), 524_288);
    // PagedAttention, arXiv 2309.06180, section 3: 800 KB for OPT-13B.
    let opt = json!({
        "model_type": "opt", "hidden_size": 5120, "ffn_dim": 20480, "num_hidden_layers": 40, "num_attention_heads": 40,
        "vocab_size": 50272, "max_position_embeddings": 2048, "torch_dtype": "float16",
    });
    assert_eq!(per_token(&opt), 819_200);
    // "Insights into DeepSeek-V3", arXiv 2505.09343, table 1: 70.272, 327.680 and 516.096 KB in bf16.
    let deepseek = json!({
        "model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18432, "moe_intermediate_size": 2048,
        "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "num_hidden_layers": 61,
        "num_attention_heads": 128, "num_key_value_heads": 128, "kv_lora_rank": 512, "qk_rope_head_dim": 64,
        "qk_nope_head_dim": 128, "v_head_dim": 128, "vocab_size": 129_280, "max_position_embeddings": 163_840,
        "torch_dtype": "bfloat16",
    });
    assert_eq!(per_token(&deepseek), 70_272);
    assert_eq!(shape(&deepseek).cache, Cache::Latent { rank: 512, rope: 64 });
    assert_eq!(shape(&deepseek).feed_forward, 9 * 2048);
    let qwen = json!({
        "model_type": "qwen2", "hidden_size": 8192, "intermediate_size": 29568, "num_hidden_layers": 80,
        "num_attention_heads": 64, "num_key_value_heads": 8, "vocab_size": 152_064, "max_position_embeddings": 32_768,
        "sliding_window": 131_072, "use_sliding_window": false, "max_window_layers": 70, "torch_dtype": "bfloat16",
    });
    assert_eq!(per_token(&qwen), 327_680);
    let large = Llama {
        hidden: 16384,
        feed_forward: 53248,
        layers: 126,
        heads: 128,
        key_value_heads: 8,
        vocabulary: 128_256,
    };
    assert_eq!(per_token(&large.config()), 516_096);
    // An explicit head size wins over hidden / heads: Gemma 7B has 16 heads of 256 and a hidden size of 3,072.
    let gemma = json!({
        "model_type": "gemma", "hidden_size": 3072, "intermediate_size": 24576, "num_hidden_layers": 28,
        "num_attention_heads": 16, "num_key_value_heads": 16, "head_dim": 256, "vocab_size": 256_000,
        "max_position_embeddings": 8192, "torch_dtype": "bfloat16",
    });
    assert_eq!(per_token(&gemma), 2 * 28 * 16 * 256 * 2);
}

#[test]
fn fifty_clients_of_two_thousand_tokens() {
    let eight = plan(&LLAMA_3_8B.folder(), &Demand::new(50, 2048));
    assert_eq!(eight.cache_bytes as f64 / GIB, 12.5);
    assert_eq!(plan(&LLAMA_2_7B.folder(), &Demand::new(50, 2048)).cache_bytes as f64 / GIB, 50.0);
    let half = Demand { cache_format: Some(NumberFormat::Fp8), ..Demand::new(50, 2048) };
    assert_eq!(plan(&LLAMA_3_8B.folder(), &half).cache_bytes as f64 / GIB, 6.25);
    assert_eq!(
        eight.total_bytes,
        eight.weights.bytes + eight.cache_bytes + eight.activations.bytes + eight.demand.overhead_bytes
    );
}

/// vLLM issue 10517: Llama-3.1-8B on an RTX 3090 of 23.58 GiB with a utilisation of 0.9. Peak of weights and activations
/// 17.06 GiB, 0.35 GiB outside PyTorch, 3.81 GiB of cache, 1,952 pages of 16 tokens.
#[test]
fn the_published_log_of_vllm() {
    let used = |peak: f64| {
        let memory = budget((23.58 * GIB) as u64, 0.9).unwrap() as f64;
        (memory - (peak + 0.35) * GIB) / GIB
    };
    assert_eq!(format!("{:.2}", used(17.06)), "3.81");
    // With a peak of 17.98 GiB, for 29,000 tokens.
    assert_eq!(format!("{:.2}", used(17.98)), "2.89");
    assert_eq!(131_072.0 * 1952.0 * 16.0 / GIB, 3.8125);

    // The same out of the plan: what is not cache is overhead here, and the cache has pages of 16 tokens.
    let (weights, shape) = LLAMA_3_8B.folder().open();
    let shape = ModelShape { positions: Some(131_072), ..shape };
    let without = Plan::new(&weights, &shape, &Demand { step_tokens: Some(1), ..Demand::new(1, 1) }).unwrap();
    let known = without.weights.bytes + without.activations.bytes;
    let rest = budget((23.58 * GIB) as u64, 0.9).unwrap() - (3.8125 * GIB) as u64 - known;
    let demand =
        Demand { page_tokens: 16, step_tokens: Some(1), overhead_bytes: rest, ..Demand::new(1, 29_000) };
    let plan = Plan::new(&weights, &shape, &demand).unwrap();
    let memory = budget((23.58 * GIB) as u64, 0.9).unwrap();
    assert_eq!(plan.largest_length(memory), Largest::Memory(1952 * 16));
    assert_eq!(plan.largest_length(memory - 1), Largest::Memory(1951 * 16));
    assert_eq!(plan.largest_clients(memory), Largest::Memory(1));
    assert_eq!(
        Plan::new(&weights, &shape, &Demand { tokens: 1952 * 16 + 1, ..demand })
            .unwrap()
            .largest_clients(memory),
        Largest::Nothing { missing_bytes: Some(131_072 * 16) }
    );
}

/// The same issue's peaks grow by about 107 KB per token of an undivided prompt. The estimate leaves small buffers out, so
/// it may be below and not above.
#[test]
fn the_estimate_of_activations_is_near_the_published_log() {
    let buffers = |tokens| plan(&LLAMA_3_8B.folder(), &Demand::new(1, tokens)).activations;
    let per_token = (buffers(29_000).bytes - buffers(19_000).bytes) as f64 / 10_000.0;
    assert_eq!(per_token, 102_400.0);
    assert!((0.9..=1.0).contains(&(per_token / 107_000.0)), "{per_token}");
    let capped = Demand { step_tokens: Some(2048), ..Demand::new(1, 29_000) };
    assert_eq!(plan(&LLAMA_3_8B.folder(), &capped).activations.bytes, 2048 * 102_400);
    // A step of one token of each of 50 clients: the logits are larger than a layer.
    let decode =
        plan(&LLAMA_3_8B.folder(), &Demand { step_tokens: Some(50), ..Demand::new(50, 2048) }).activations;
    assert!(decode.logits_are_largest);
    assert_eq!(decode.bytes, 50 * 2 * 4096 * 2 + 50 * 128_256 * (2 + 4));
}

#[test]
fn the_card_of_mini_lm_says_80_mb() {
    let folder = Folder::new();
    folder.weights("model.safetensors", &mini_lm()).config(&mini_lm_config());
    let (weights, shape) = folder.open();
    assert_eq!(weights.numbers, 22_713_216);
    assert_eq!(format!("{:.2}", weights.bytes as f64 / 1e6), "90.85");
    let sizes = Sizes { stated: Some(80_000_000), header: Some(weights.bytes), ..Sizes::default() };
    let checks = check(&sizes).unwrap();
    let flags: Vec<_> = checks.flags().collect();
    assert_eq!(flags.len(), 1);
    assert_eq!(flags[0].kind, CheckKind::HeaderAgainstStated);
    assert_eq!(
        flags[0].text,
        "the size of the weights in the headers, 90,852,864 B, is 1.136 times the stated size, 80,000,000 B, more than \
         1.02: the weights alone need more than the page says, so plan with the headers"
    );
    // An encoder keeps nothing between texts; its format is that of the weights, since the configuration says none.
    assert_eq!((shape.kind, shape.cache), (Kind::Encoder, Cache::None));
    let plan = Plan::new(&weights, &shape, &Demand::new(32, 128)).unwrap();
    assert_eq!((plan.cache_bytes, plan.cache_format_source), (0, FormatSource::Weights));
    assert_eq!(plan.activations.bytes, 32 * 128 * (2 * 384 + 3 * 1536) * 4);
    assert_eq!(plan.largest_length(1 << 40), Largest::Positions(512));
    assert_eq!(plan.length_warning(), None);
    let long = Plan::new(&weights, &shape, &Demand::new(1, 513)).unwrap();
    assert!(long.length_warning().unwrap().contains("513 tokens is more than the 512 positions"));
    let capped = Demand { step_tokens: Some(64), ..Demand::new(1, 64) };
    let capped = Plan::new(&weights, &shape, &capped).unwrap();
    assert_eq!(
        capped.largest_clients(1 << 30),
        Largest::Unbounded,
        "texts are worked off one step after the other"
    );
    assert!(
        check(&Sizes { stated: Some(90_000_000), ..sizes }).unwrap().flags().next().is_none(),
        "1.009 times"
    );
}

#[test]
fn windows_bound_the_cache() {
    let base = |more: Value| {
        let mut config = json!({
            "model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 32768,
            "sliding_window": 4096, "torch_dtype": "bfloat16",
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let window = |more: Value| {
        let shape = shape(&base(more));
        (shape.window_layers, shape.window_tokens)
    };
    assert_eq!(window(json!({})), (32, Some(4096)));
    assert_eq!(window(json!({ "sliding_window": null })), (0, None));
    assert_eq!(window(json!({ "model_type": "qwen2", "use_sliding_window": false })), (0, None));
    assert_eq!(
        window(json!({ "model_type": "qwen2", "use_sliding_window": true, "max_window_layers": 28 })),
        (4, Some(4096))
    );
    assert_eq!(window(json!({ "model_type": "gemma2", "num_hidden_layers": 26 })), (13, Some(4096)));
    assert_eq!(window(json!({ "model_type": "gemma3_text", "num_hidden_layers": 26 })), (22, Some(4096)));
    assert_eq!(window(json!({ "sliding_window_pattern": 4 })), (24, Some(4096)));
    let types = ["full_attention", "sliding_attention", "sliding_attention"];
    assert_eq!(window(json!({ "num_hidden_layers": 3, "layer_types": types })), (2, Some(4096)));

    // Mistral 7B at 32,768 tokens: its rolling buffer is an eighth of the whole cache (arXiv 2310.06825, section 2).
    let folder = Folder::new();
    folder.weights("model.safetensors", &[("a".to_owned(), "BF16", vec![1])]).config(&base(json!({})));
    let at = |tokens| plan(&folder, &Demand::new(1, tokens));
    assert_eq!(at(32_768).cache_bytes, at(4096).cache_bytes);
    assert_eq!(at(32_768).cache_bytes * 8, 32_768 * at(1).cache_bytes_per_token);
    assert_eq!(at(100).cache_bytes, 100 * at(1).cache_bytes_per_token);
    assert!(at(32_768).to_string().contains("1 clients x (0 layers x 32,768 + 32 layers x 4,096 tokens)"));
}

#[test]
fn heads_of_other_families() {
    let gpt2 = json!({ "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "vocab_size": 50257 });
    let gpt2 = shape(&gpt2);
    assert_eq!((gpt2.feed_forward, gpt2.positions, gpt2.dtype), (3072, Some(1024), None));
    assert_eq!(gpt2.cache, Cache::Heads { heads: 12, key: 64, value: 64 });
    let falcon = json!({
        "model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71, "num_kv_heads": 71,
        "multi_query": true, "new_decoder_architecture": false, "ffn_dim": 18176, "vocab_size": 65024,
    });
    assert_eq!(shape(&falcon).cache, Cache::Heads { heads: 1, key: 64, value: 64 });
    let seeing =
        json!({ "model_type": "llava", "torch_dtype": "float16", "text_config": LLAMA_2_7B.config() });
    let seeing = shape(&seeing);
    assert_eq!(
        (seeing.layers, seeing.dtype),
        (32, Some(NumberFormat::Bf16)),
        "the inner format is the model's"
    );
}

#[test]
fn formats_below_a_byte_are_counted() {
    let folder = Folder::new();
    let tensors = [
        ("blocks".to_owned(), "F4", vec![128, 64]),
        ("scales".to_owned(), "F8_E4M3", vec![128, 4]),
        ("six".to_owned(), "F6_E2M3", vec![4]),
        ("norm".to_owned(), "BF16", vec![64]),
        ("nothing".to_owned(), "BF16", vec![0, 64]),
        ("one".to_owned(), "F32", vec![]),
    ];
    folder.weights("model.safetensors", &tensors).config(&LLAMA_3_8B.config());
    let (weights, _) = folder.open();
    let shares: Vec<_> =
        weights.by_dtype.iter().map(|share| (share.dtype.as_str(), share.numbers, share.bytes)).collect();
    assert_eq!(
        shares,
        [("F4", 8192, 4096), ("F8_E4M3", 512, 512), ("BF16", 64, 128), ("F32", 1, 4), ("F6_E2M3", 4, 3),]
    );
    assert_eq!((weights.bytes, weights.numbers, weights.tensors), (4743, 8773, 6));
}

#[test]
fn many_files_come_to_the_same_as_one() {
    let folder = Folder::new();
    let tensors = LLAMA_3_8B.tensors();
    let mut map = serde_json::Map::new();
    for (number, part) in tensors.chunks(80).enumerate() {
        let name = format!("model-{number}.safetensors");
        folder.weights(&name, part);
        map.extend(part.iter().map(|(tensor, ..)| (tensor.clone(), json!(name))));
    }
    let index = |total: u64| json!({ "metadata": { "total_size": total }, "weight_map": map }).to_string();
    folder.config(&LLAMA_3_8B.config()).text("model.safetensors.index.json", index(16_060_522_496));
    let (weights, _) = folder.open();
    assert_eq!((weights.bytes, weights.tensors, weights.files.len()), (16_060_522_496, 291, 4));
    assert_eq!(weights.remarks, [] as [&str; 0]);
    let files: Vec<PathBuf> =
        (0..4).map(|number| folder.join(&format!("model-{number}.safetensors"))).collect();
    assert_eq!(Weights::of_files(&files).unwrap().bytes, weights.bytes);
    let named = Weights::open(&folder.join("model.safetensors.index.json")).unwrap();
    assert_eq!(named, weights);
    // What only a file knows is said and not counted.
    folder.text("model.safetensors.index.json", index(5));
    folder.weights(
        "model-3.safetensors",
        &[&tensors[240..], &[("extra".to_owned(), "BF16", vec![2])]].concat(),
    );
    let remarks = Weights::open(folder.path()).unwrap().remarks;
    assert_eq!(
        remarks,
        [
            "tensors in the files that the index does not name are not counted: 1, such as `extra`",
            "the index states 5 bytes in all, the headers come to 16060522496"
        ]
    );
}

/// The inverse against the plan itself: the answer fits, and one more does not.
#[test]
fn the_largest_that_fits_fits_and_one_more_does_not() {
    let (weights, shape) = LLAMA_3_8B.folder().open();
    for (clients, tokens, page, step) in [(1, 100, 1, None), (50, 2048, 16, None), (7, 8192, 64, Some(512))] {
        let demand = Demand {
            page_tokens: page,
            step_tokens: step,
            overhead_bytes: 400 << 20,
            ..Demand::new(clients, tokens)
        };
        let total = |clients, tokens| {
            Plan::new(&weights, &shape, &Demand { clients, tokens, ..demand.clone() }).unwrap().total_bytes
        };
        let plan = Plan::new(&weights, &shape, &demand).unwrap();
        for memory in [24_u64 << 30, 80 << 30, 141 << 30] {
            match plan.largest_clients(memory) {
                Largest::Memory(most) => {
                    assert!(total(most, tokens) <= memory && total(most + 1, tokens) > memory, "{most}");
                }
                Largest::Nothing { missing_bytes } => {
                    assert_eq!(missing_bytes, Some(total(1, tokens) - memory));
                }
                other => panic!("{other:?}"),
            }
            match plan.largest_length(memory) {
                Largest::Memory(most) => {
                    assert!(total(clients, most) <= memory && total(clients, most + 1) > memory, "{most}");
                }
                Largest::Positions(8192) => assert!(total(clients, 8192) <= memory),
                Largest::Nothing { .. } => assert!(total(clients, 1) > memory),
                other => panic!("{other:?}"),
            }
        }
    }
    let plan = Plan::new(&weights, &shape, &Demand::new(1, 2048)).unwrap();
    let short = plan.total_bytes - 1;
    assert_eq!(plan.largest_clients(short), Largest::Nothing { missing_bytes: Some(1) });
    assert_eq!(plan.largest_clients(plan.total_bytes), Largest::Memory(1));
}

#[test]
fn the_arithmetic_in_lines() {
    let demand = Demand { overhead_bytes: 446_693_376, ..Demand::new(50, 2048) };
    let text = plan(&LLAMA_3_8B.folder(), &demand).to_string();
    let expected = "\
weights                      16,060,522,496 B   15.0 GiB  8,030,261,248 numbers of BF16 x 16 bit, in 291 tensors
keys and values              13,421,772,800 B   12.5 GiB  50 clients x 2,048 tokens x 131,072 B
                                                          a token: 32 layers x 2 x 8 heads x 128 numbers x 16 bit of bf16 (of config.json) = 131,072 B
activations (estimate)          214,732,800 B    205 MiB  2,097 tokens x (2 x 4,096 + 3 x 14,336) numbers x 16 bit of bf16; one whole prompt in a step
overhead                        446,693,376 B    426 MiB  as given: driver, context and libraries
total                        30,143,721,472 B   28.1 GiB";
    assert_eq!(text, expected, "\n{text}");
}
