//! The classifier held against its model card: `cargo bench -p intent-classifier`.

use std::path::Path;

use gapbench::prelude::*;
use intent_classifier::{CONFIG_FILE, Classifier, Config, Model, TOKENIZER_FILE, WEIGHTS_FILE, text};

gapbench::main!();

/// Threads that answer. The model computes on one processor, and the smallest machine that serves it has two.
const WORKERS: usize = 2;

/// The served model: cold start, memory, latency, throughput and accuracy, on the card's own benchmark set and on
/// messages as people really write them; then with 1, 8 and 50 clients, and the largest rate of independent users that
/// still get 95 of 100 answers within 50 ms.
#[gap_bench(
    paper = "papers/intent-classifier.toml",
    benchmark = "data/benchmark.jsonl",
    inputs = "data/production.jsonl",
    cold_start(process, disk),
    memory,
    noise = [light, medium, heavy],
    load(clients = [1, 8, 50], search),
    slo(p95 = "50ms")
)]
fn classifier(serve: &mut Serve) -> Result<()> {
    let folder = serve.path("model");
    serve
        .condition(Condition::Model, "intent-classifier-1m")
        .condition(Condition::Dtype, "f16")
        .model_files(&[Path::new("model").join(WEIGHTS_FILE)])?;
    let config = serve.phase("config", || Config::load(&folder.join(CONFIG_FILE)))?;
    let encoder = serve.phase("tokenizer", || text::load_tokenizer(&folder.join(TOKENIZER_FILE), &config))?;
    let model = serve.phase("weights", || Model::load(&folder.join(WEIGHTS_FILE), &config))?;
    let classifier = Classifier::from_parts(config, encoder, model);
    serve.shared(WORKERS, move |message: &Input| {
        classifier.classify(&message.text).map(|prediction| prediction.label.to_owned())
    })
}

/// The forward pass alone, by the number of tokens in the message.
#[gap_bench(tokens = [8, 32, 128])]
fn forward(bench: &mut Bencher, tokens: u32) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("model");
    let config = Config::load(&folder.join(CONFIG_FILE))?;
    let model = Model::load(&folder.join(WEIGHTS_FILE), &config)?;
    // Real ids in a fixed order; the weights are the trained ones, so no value is special.
    let ids: Vec<u32> = (0..tokens).map(|position| 10 + 37 * position % 1000).collect();
    let expected = model.logits(&ids)?;
    bench.elements(u64::from(tokens)).iter_checked(
        || model.logits(&ids),
        |logits| logits.as_ref().is_ok_and(|logits| *logits == expected),
    );
    Ok(())
}
