//! The CPU engine on a model of a million random weights, and the CUDA engine where there is a device:
//! `cargo bench -p llama`.

#[cfg(feature = "cuda")]
#[path = "llama/cuda.rs"]
mod cuda;

#[path = "llama/served.rs"]
mod served;

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use gapbench::prelude::*;
use llama::{Config, CpuEngine, Engine, Sequence, Tokenizer, Weights, plan, presets, weights::WEIGHTS_FILE};
use served::{SERVED_TOKENS, SLOTS, Served};

gapbench::main!();

/// Tokens that each request is answered with.
const ANSWER: usize = 16;
/// Tokens that each sequence has before a timed step.
const PAST: u32 = 128;

/// The folder of the preset `tiny`, written where there is none yet.
fn model() -> Result<PathBuf> {
    // The name changes whenever what is written does.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("llama-tiny-2");
    if !folder.exists() {
        let unfinished = folder.with_extension(process::id().to_string());
        let written = presets::preset("tiny").map(|tiny| presets::write(&unfinished, &tiny, 1));
        written.transpose()?;
        // Another process may have been faster: then its folder is as good.
        if fs::rename(&unfinished, &folder).is_err() {
            let _ = fs::remove_dir_all(&unfinished);
        }
    }
    Ok(folder)
}

fn engine(cache_tokens: usize) -> Result<CpuEngine> {
    let folder = model()?;
    Ok(CpuEngine::load(Config::load(&folder)?, &Weights::open(&folder)?, cache_tokens)?)
}

/// Ids in a fixed order; the weights are random, so no id is special.
fn prompt(tokens: u32) -> Vec<u32> {
    (0..tokens).map(|position| (1 + 37 * position) % 1024).collect()
}

/// A prompt of so many tokens, up to the logits of the token after it.
#[gap_bench(
    paper = ["papers/llama.toml#prefill-512", "papers/llama.toml#trtllm-ttft-2048"],
    tokens = [32, 512]
)]
fn prefill(bench: &mut Bencher, tokens: u32) -> Result<()> {
    let mut engine = engine(tokens as usize)?;
    let prompt = prompt(tokens);
    let mut sequence = engine.open(prompt.len())?;
    let expected = engine.prefill(&mut sequence, &prompt)?;
    bench
        .condition(Condition::Model, "llama-tiny")
        .condition(Condition::Dtype, "bf16")
        .condition(Condition::Batch, 1.0)
        .condition(Condition::InputLen, f64::from(tokens))
        .elements(u64::from(tokens))
        .iter_checked(
            || {
                sequence.truncate(0);
                engine.prefill(&mut sequence, &prompt)
            },
            |logits| logits.as_ref().is_ok_and(|logits| *logits == expected),
        );
    Ok(())
}

/// One more token for each of so many sequences of 128 tokens.
#[gap_bench(
    paper = [
        "papers/llama.toml#decode-1",
        "papers/llama.toml#decode-8",
        "papers/llama.toml#decode-50",
        "papers/llama.toml#stories260k-esp32",
        "papers/llama.toml#trtllm-8b-h200",
        "papers/llama.toml#trtllm-8b-h100",
        "papers/llama.toml#nim-70b-50",
    ],
    batch = [1, 8, 50]
)]
fn decode(bench: &mut Bencher, batch: u32) -> Result<()> {
    let room = PAST as usize + 1;
    let mut engine = engine(batch as usize * room.next_multiple_of(16))?;
    let mut sequences: Vec<Sequence> = Vec::new();
    for number in 0..batch {
        let mut sequence = engine.open(room)?;
        let prompt: Vec<u32> = prompt(PAST).iter().map(|id| (id + number) % 1024).collect();
        engine.prefill(&mut sequence, &prompt)?;
        sequences.push(sequence);
    }
    let mut step = move || {
        sequences.iter_mut().for_each(|sequence| sequence.truncate(PAST as usize));
        let mut batch: Vec<(&mut Sequence, u32)> = sequences.iter_mut().zip(100..).collect();
        engine.decode(&mut batch)
    };
    let expected = step()?;
    bench
        .condition(Condition::Model, "llama-tiny")
        .condition(Condition::Dtype, "bf16")
        .condition(Condition::InputLen, f64::from(PAST))
        .elements(u64::from(batch))
        .iter_checked(step, |logits| logits.as_ref().is_ok_and(|logits| *logits == expected));
    Ok(())
}

/// The served model: a short prompt in, sixteen tokens out, greedily; alone, and with 1, 8 and 50 clients.
#[gap_bench(
    paper = [
        "papers/llama.toml#size",
        "papers/llama.toml#vllm-latency-mean",
        "papers/llama.toml#vllm-latency-median",
        "papers/llama.toml#vllm-latency-p99",
        "papers/llama.toml#vllm-requests",
    ],
    inputs = "data/prompts.jsonl",
    cold_start,
    memory,
    load(clients = [1, 8, 50]),
    slo(p95 = "250ms", ttft_p95 = "200ms", tpot_p95 = "20ms")
)]
fn served(serve: &mut Serve) -> Result<()> {
    let folder = model()?;
    serve
        .condition(Condition::Model, "llama-tiny")
        .condition(Condition::Dtype, "bf16")
        .condition(Condition::OutputLen, ANSWER as f64)
        .model_files(&[folder.join(WEIGHTS_FILE)])?;
    let config = serve.phase("config", || Config::load(&folder))?;
    let tokenizer = serve.phase("tokenizer", || Tokenizer::load(&folder, &config))?;
    let plan = serve.phase("plan", || CpuEngine::plan(&config, SERVED_TOKENS));
    if plan::host_available().is_some_and(|available| !plan.fits(available)) {
        return Err(format!("the model does not fit:\n{plan}").into());
    }
    let engine =
        serve.phase("weights", || CpuEngine::load(config, &Weights::open(&folder)?, SERVED_TOKENS))?;
    serve.steps(SLOTS, Served::new(engine, tokenizer, ANSWER))
}
