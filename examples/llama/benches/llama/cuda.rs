//! The CUDA engine. Where there is no device, each benchmark says so in one line and is skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use crate::served::{SERVED_TOKENS, SLOTS, Served};
use gapbench::prelude::*;
use gapbench_cuda::{Closeness, Cuda, Kernel, close};
use llama::cuda::{CudaEngine, Options};
use llama::{Config, CpuEngine, Engine, Error, Plan, Sequence, Tokenizer, Weights, layout, presets};

/// Tokens that each sequence has before a timed decode step.
const PAST: usize = 512;
/// Tokens that each request is answered with.
const ANSWER: usize = 16;

/// The variable that names where models are, and are written where they are not: a large one need not be written by a
/// benchmark, whose time is limited. Cargo's target folder if it is not set.
const MODELS: &str = "LLAMA_MODELS";

/// The folder of a preset, written once. Large ones take gigabytes, so that nothing is written without a device.
fn folder(name: &str) -> Result<PathBuf> {
    // The name changes whenever what is written does.
    let parent = std::env::var_os(MODELS).map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let folder = parent.join(format!("llama-{name}-2"));
    if !folder.exists() {
        let preset = presets::preset(name).ok_or_else(|| format!("there is no preset `{name}`"))?;
        let unfinished = folder.with_extension(process::id().to_string());
        presets::write(&unfinished, &preset, 1)?;
        // Another process may have been faster: then its folder is as good.
        if fs::rename(&unfinished, &folder).is_err() {
            fs::remove_dir_all(&unfinished).ok();
        }
    }
    Ok(folder)
}

/// Whose shape a preset has, as claims name it. The weights are random: they cost the same.
fn shape(preset: &str) -> &'static str {
    match preset {
        "1b" => "llama-3.2-1b",
        "8b" => "llama-3.1-8b",
        _ => "llama-tiny",
    }
}

struct Model {
    folder: PathBuf,
    config: Config,
    plan: Plan,
    engine: CudaEngine,
}

/// A simulated device computes some hundred million instructions per second.
fn small_enough(device: &Cuda, preset: &str) -> Result<()> {
    if device.facts().simulated && preset != "tiny" {
        return Err(Skip::because("a simulated device computes the smallest model only").into());
    }
    Ok(())
}

/// The preset on the device; skipped where it does not fit, with the arithmetic.
fn model(device: &Cuda, preset: &str, options: &Options) -> Result<Model> {
    small_enough(device, preset)?;
    let folder = folder(preset)?;
    let (config, weights) = (Config::load(&folder)?, Weights::open(&folder)?);
    let plan = CudaEngine::plan(device, &config, &weights, options)?;
    match CudaEngine::load(device, config.clone(), &weights, options) {
        Ok(engine) => Ok(Model { folder, config, plan, engine }),
        Err(error @ Error::Memory { .. }) => Err(Skip::because(error.to_string()).into()),
        Err(error) => Err(error.into()),
    }
}

/// Ids in a fixed order; the weights are random, so no id is special.
fn prompt(config: &Config, tokens: usize, number: usize) -> Vec<u32> {
    (0..tokens).map(|position| ((1 + 37 * position + number) % config.vocab_size) as u32).collect()
}

/// Bytes of weights that a step of `rows` tokens reads: all, but of an embedding that is not the head too only its rows.
fn weights_read(model: &Model, rows: usize) -> u64 {
    let Config { vocab_size, hidden_size, .. } = model.config;
    let row = (hidden_size * model.engine.element().bytes()) as u64;
    let gathered = if model.config.tie_word_embeddings { 0 } else { vocab_size as u64 * row };
    model.plan.weights - gathered + rows as u64 * row
}

/// Operations of the products of one token: two for each number of the matrices.
fn product_flops(config: &Config) -> (u64, u64) {
    let head = 2 * (config.vocab_size * config.hidden_size) as u64;
    let tables = if config.tie_word_embeddings { head } else { 2 * head };
    (2 * layout::parameters(config) - tables, head)
}

/// What a step leaves is close to what was expected: from the CPU where a run only tests the smallest model, else from the
/// same step launched kernel by kernel.
fn within(expected: &[f32], model: &Model, device: &Cuda) -> Result<Closeness> {
    let expected: Vec<f64> = expected.iter().map(|logit| f64::from(*logit)).collect();
    // bf16 has 8 bits: after the layers of the smallest model an error is a few units of the last one.
    Ok(close(&expected, &device.download(model.engine.logits())?, 0.05, 0.02)?)
}

/// One more token for each of so many sequences, a whole step as one launch. Its bytes are weights and cache.
#[gap_bench(preset = ["tiny", "1b", "8b"], batch = [1, 8, 50])]
fn decode_step_cuda(bench: &mut Kernel<Cuda>, preset: &str, batch: u32) -> Result<()> {
    let is_small = bench.is_test() || bench.device().facts().simulated;
    let count = if is_small { batch.min(9) } else { batch } as usize;
    let past = if is_small { 5 } else { PAST };
    let room = past + 4;
    let cache_tokens = count * room.next_multiple_of(16);
    let options = Options { max_batch: count, chunk: past.max(64), ..Options::new(cache_tokens) };
    let mut model = model(bench.device(), preset, &options)?;
    let config = model.config.clone();
    let prompts: Vec<Vec<u32>> = (0..count).map(|number| prompt(&config, past, number)).collect();
    let mut sequences: Vec<Sequence> = Vec::new();
    for prompt in &prompts {
        let mut sequence = model.engine.open(room)?;
        model.engine.prefill(&mut sequence, prompt)?;
        sequences.push(sequence);
    }
    // The first step is launched kernel by kernel, the second is recorded; both are of the same tokens.
    let mut expected = Vec::new();
    for _ in 0..2 {
        sequences.iter_mut().for_each(|sequence| sequence.truncate(past));
        let mut step: Vec<(&mut Sequence, u32)> = sequences.iter_mut().zip(100..).collect();
        expected = model.engine.decode(&mut step)?;
    }
    if bench.is_test() && preset == "tiny" {
        expected = on_cpu(&model, &prompts, cache_tokens)?;
    }
    let (layers, head) = product_flops(&config);
    let attention = 4 * ((past + 1) * config.query_size() * config.num_hidden_layers) as u64;
    bench.condition(Condition::Model, shape(preset)).condition(Condition::Dtype, "bf16");
    bench.condition(Condition::InputLen, past as f64);
    let cache = (count * (past + 1)) as u64 * model.plan.bytes_per_token();
    bench.bytes(weights_read(&model, count) + cache).flops(count as u64 * (layers + head + attention));
    bench.writes(model.engine.logits());
    bench.launch(|_| model.engine.repeat())?;
    let device = bench.device().clone();
    bench.check(|| within(&expected, &model, &device))
}

/// The same step on the CPU.
fn on_cpu(model: &Model, prompts: &[Vec<u32>], cache_tokens: usize) -> Result<Vec<f32>> {
    let mut cpu = CpuEngine::load(model.config.clone(), &Weights::open(&model.folder)?, cache_tokens)?;
    let mut logits = Vec::new();
    for (prompt, token) in prompts.iter().zip(100..) {
        let mut sequence = cpu.open(prompt.len() + 1)?;
        cpu.prefill(&mut sequence, prompt)?;
        logits.extend(cpu.decode(&mut [(&mut sequence, token)])?);
        cpu.close(sequence);
    }
    Ok(logits)
}

/// A prompt of so many tokens, up to the logits of the token after it, as one launch.
#[gap_bench(preset = ["tiny", "1b", "8b"], tokens = [2048])]
fn prefill_step_cuda(bench: &mut Kernel<Cuda>, preset: &str, tokens: u32) -> Result<()> {
    let is_small = bench.is_test() || bench.device().facts().simulated;
    let tokens = if is_small { 40 } else { tokens as usize };
    let options = Options { max_batch: 1, chunk: tokens, ..Options::new(tokens) };
    let mut model = model(bench.device(), preset, &options)?;
    let config = model.config.clone();
    let ids = prompt(&config, tokens, 0);
    let mut sequence = model.engine.open(tokens)?;
    let mut expected = model.engine.prefill(&mut sequence, &ids)?;
    if bench.is_test() && preset == "tiny" {
        let mut cpu = CpuEngine::load(config.clone(), &Weights::open(&model.folder)?, tokens)?;
        let mut sequence = cpu.open(tokens)?;
        expected = cpu.prefill(&mut sequence, &ids)?;
    }
    let (layers, head) = product_flops(&config);
    let (count, width) = (tokens as u64, (config.query_size() * config.num_hidden_layers) as u64);
    // Token i looks at i + 1 positions.
    let attention = 2 * count * (count + 1) * width;
    bench.condition(Condition::Model, shape(preset)).condition(Condition::Dtype, "bf16");
    bench.condition(Condition::Batch, 1.0).condition(Condition::InputLen, tokens as f64);
    bench.bytes(weights_read(&model, tokens) + count * model.plan.bytes_per_token());
    bench.flops(count * layers + attention + head);
    bench.writes(model.engine.logits());
    bench.launch(|_| model.engine.repeat())?;
    let device = bench.device().clone();
    bench.check(|| within(&expected, &model, &device))
}

/// One more token for each of so many sequences as a server sees it: ids go to the device, the likeliest tokens come back.
#[gap_bench(
    paper = [
        "papers/llama.toml#trtllm-8b-h200",
        "papers/llama.toml#trtllm-8b-h100",
        "papers/llama.toml#nim-70b-50",
    ],
    preset = ["tiny", "1b", "8b"],
    batch = [1, 8, 50]
)]
fn decode_cuda(bench: &mut Bencher, preset: &str, batch: u32) -> Result<()> {
    let device = Cuda::find()?;
    let simulated = device.facts().simulated;
    let (count, past) = if simulated { (batch.min(9) as usize, 5) } else { (batch as usize, PAST) };
    let room = past + 4;
    let options =
        Options { max_batch: count, chunk: past.max(64), ..Options::new(count * room.next_multiple_of(16)) };
    let Model { config, mut engine, .. } = model(&device, preset, &options)?;
    let mut sequences: Vec<Sequence> = Vec::new();
    for number in 0..count {
        let mut sequence = engine.open(room)?;
        engine.prefill(&mut sequence, &prompt(&config, past, number))?;
        sequences.push(sequence);
    }
    let mut step = move || {
        sequences.iter_mut().for_each(|sequence| sequence.truncate(past));
        let mut batch: Vec<(&mut Sequence, u32)> = sequences.iter_mut().zip(100..).collect();
        engine.decode_greedy(&mut batch)
    };
    let expected = step()?;
    on(bench, &device, preset).condition(Condition::InputLen, past as f64);
    bench
        .elements(count as u64)
        .iter_checked(step, |tokens| tokens.as_ref().is_ok_and(|tokens| *tokens == expected));
    Ok(())
}

/// A prompt of so many tokens, up to the logits of the token after it, as a server sees it.
#[gap_bench(paper = "papers/llama.toml#trtllm-ttft-2048", preset = ["tiny", "1b", "8b"], tokens = [2048])]
fn prefill_cuda(bench: &mut Bencher, preset: &str, tokens: u32) -> Result<()> {
    let device = Cuda::find()?;
    let tokens = if device.facts().simulated { 40 } else { tokens as usize };
    let options = Options { max_batch: 1, chunk: tokens, ..Options::new(tokens) };
    let Model { config, mut engine, .. } = model(&device, preset, &options)?;
    let ids = prompt(&config, tokens, 0);
    let mut sequence = engine.open(tokens)?;
    let expected = engine.prefill(&mut sequence, &ids)?;
    on(bench, &device, preset)
        .condition(Condition::Batch, 1.0)
        .condition(Condition::InputLen, tokens as f64)
        .elements(tokens as u64)
        .iter_checked(
            || {
                sequence.truncate(0);
                engine.prefill(&mut sequence, &ids)
            },
            |logits| logits.as_ref().is_ok_and(|logits| *logits == expected),
        );
    Ok(())
}

fn on<'a>(bench: &'a mut Bencher, device: &Cuda, preset: &str) -> &'a mut Bencher {
    bench
        .condition(Condition::Model, shape(preset))
        .condition(Condition::Dtype, "bf16")
        .condition(Condition::Hardware, device.facts().name.as_str())
        .condition(Condition::Count, 1.0)
}

/// The served model: a short prompt in, sixteen tokens out, greedily.
#[gap_bench(
    preset = ["tiny", "1b", "8b"],
    inputs = "data/prompts.jsonl",
    cold_start(process, jit),
    memory,
    load(clients = [1, 8, 50]),
    slo(p95 = "2s", ttft_p95 = "500ms")
)]
fn served_cuda(serve: &mut Serve, preset: &str) -> Result<()> {
    let device = serve.phase("device", Cuda::find)?;
    small_enough(&device, preset)?;
    let folder = folder(preset)?;
    serve.condition(Condition::Model, shape(preset)).condition(Condition::Dtype, "bf16");
    serve.condition(Condition::Hardware, device.facts().name.as_str()).condition(Condition::Count, 1.0);
    serve.condition(Condition::OutputLen, ANSWER as f64);
    let weights = Weights::open(&folder)?;
    let files: Vec<PathBuf> = weights.files().map(Path::to_owned).collect();
    serve.model_files(&files)?;
    let config = serve.phase("config", || Config::load(&folder))?;
    let tokenizer = serve.phase("tokenizer", || Tokenizer::load(&folder, &config))?;
    let options = Options { max_batch: SLOTS, ..Options::new(SERVED_TOKENS) };
    serve.device(device.clone())?;
    let engine = match serve.phase("weights", || CudaEngine::load(&device, config, &weights, &options)) {
        Err(error @ Error::Memory { .. }) => return Err(Skip::because(error.to_string()).into()),
        loaded => loaded?,
    };
    serve.steps(SLOTS, Served::new(engine, tokenizer, ANSWER))
}
