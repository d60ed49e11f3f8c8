//! What is measured on a device beside the benchmarks, as one JSON object each:
//!
//! - `on_device served MODEL CLIENTS OUT`: each phase from the start to the first answer, the bus, and the device's memory
//!   while nobody is served and while so many clients are;
//! - `on_device memory PRESET OUT`: the plan for a preset with matrices of eight bits, made in memory and not in a file,
//!   against what the device's pool says was used.
//!
//! Exit code 3 says that the model does not fit: the plan is in the output all the same.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program's answer is printed")]

use std::{error::Error, fs, path::Path, process::ExitCode, time::Instant};

use gapbench_cuda::{Cuda, Probe};
use llama::cuda::{CudaEngine, GraphUse, Loaded, Options};
use llama::{
    Config, Dtype, Engine, Plan, Request, Sampler, Sequence, Tokenizer, Weights, answer_all, generate,
    presets::{self, Preset},
};
use serde_json::{Map, Value, json};

/// Tokens of each client's prompt and of its answer, where the model's context is long enough.
const PROMPT: usize = 512;
const ANSWER: usize = 64;
/// A simulated device computes some hundred million instructions per second.
const SIMULATED: (usize, usize) = (6, 3);
/// Of a transfer whose rate is the bus's.
const BUS_BYTES: usize = 256 << 20;
const BUS_REPEATS: usize = 10;
/// Tokens of the sequence that is decoded to see the largest use of memory.
const DECODED: usize = 8;
const SEED: u64 = 1;
const DOES_NOT_FIT: u8 = 3;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["served", model, clients, out] => served(Path::new(model), clients, Path::new(out)),
        ["memory", preset, out] => memory(preset, Path::new(out)),
        _ => Err("usage: on_device served MODEL CLIENTS OUT | on_device memory PRESET OUT".into()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("on_device: {error}");
        ExitCode::FAILURE
    })
}

/// Parts that are written as soon as they are there, so that a program that is ended leaves what it had.
struct Report<'a> {
    out: &'a Path,
    parts: Map<String, Value>,
}

impl<'a> Report<'a> {
    fn new(out: &'a Path, device: &Cuda) -> Self {
        let facts = device.facts();
        let known = json!({
            "schema": "llama.on-device", "version": 1, "device": facts.name, "simulated": facts.simulated,
        });
        let parts = known.as_object().cloned().unwrap_or_default();
        Self { out, parts }
    }

    fn add(&mut self, name: &str, value: Value) -> Result<(), Box<dyn Error>> {
        println!("{name}: {value}");
        self.parts.insert(name.into(), value);
        Ok(fs::write(self.out, format!("{:#}\n", Value::Object(self.parts.clone())))?)
    }
}

/// Seconds of each phase from the start of the program, in order.
struct Phases {
    last: Instant,
    seconds: Map<String, Value>,
}

#[allow(clippy::disallowed_methods, reason = "phases of a program, which no test replaces")]
fn now() -> Instant {
    Instant::now()
}

impl Phases {
    fn end(&mut self, name: &str) {
        let here = now();
        self.seconds.insert(name.into(), (here - self.last).as_secs_f64().into());
        self.last = here;
    }
}

fn plan_json(plan: &Plan) -> Value {
    json!({
        "total_bytes": plan.total(), "weights_bytes": plan.weights, "cache_bytes": plan.cache(),
        "activations_bytes": plan.activations, "text": plan.to_string(),
    })
}

fn loaded_json(loaded: Loaded) -> Value {
    let Loaded { bytes, pieces, total_s, fill_s, copy_s, kernels_s } = loaded;
    json!({
        "bytes": bytes, "pieces": pieces, "total_seconds": total_s, "fill_seconds": fill_s,
        "copy_seconds": copy_s, "kernels_seconds": kernels_s, "bytes_per_second": bytes as f64 / total_s,
    })
}

/// What the device's memory holds: the pool exactly, and all that any process uses, where NVML tells.
fn memory_json(device: &Cuda, probe: Option<&Probe>) -> Result<Value, Box<dyn Error>> {
    let memory = device.memory();
    Ok(json!({
        "pool_used_bytes": memory.used_bytes()?, "pool_used_peak_bytes": memory.used_peak_bytes()?,
        "pool_reserved_peak_bytes": memory.reserved_peak_bytes()?,
        "device_used_bytes": probe.and_then(|probe| probe.read().memory_used_bytes),
    }))
}

fn graphs_json(engine: &CudaEngine) -> Value {
    match engine.graph_use() {
        GraphUse::Recorded => "recorded".into(),
        GraphUse::Off => "off".into(),
        GraphUse::Refused(reason) => reason.into(),
    }
}

fn served(folder: &Path, clients: &str, out: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let clients: usize = clients.parse()?;
    let probe = Probe::open_visible().ok();
    let before = probe.as_ref().and_then(|probe| probe.read().memory_used_bytes);
    let mut phases = Phases { last: now(), seconds: Map::new() };
    let device = Cuda::find()?;
    phases.end("device");
    let config = Config::load(folder)?;
    phases.end("config");
    let tokenizer = Tokenizer::load(folder, &config)?;
    phases.end("tokenizer");
    let weights = Weights::open(folder)?;
    phases.end("headers");
    let (prompt, answer) = if device.facts().simulated { SIMULATED } else { (PROMPT, ANSWER) };
    let room = (prompt + answer).min(config.max_position_embeddings).next_multiple_of(16);
    let of = |clients: usize| Options { max_batch: clients, ..Options::new(clients * room) };
    let (one, many) = (
        CudaEngine::plan(&device, &config, &weights, &of(1))?,
        CudaEngine::plan(&device, &config, &weights, &of(clients))?,
    );
    phases.end("plan");
    let mut engine = CudaEngine::load(&device, config.clone(), &weights, &of(clients))?;
    phases.end("weights");
    let first = tokenizer.encode("Once upon a time")?;
    generate(&mut engine, &first, 1, &mut Sampler::greedy(), |_| ())?;
    phases.end("first answer");
    let mut report = Report::new(out, &device);
    report.add("device_used_before_bytes", before.into())?;
    report.add("phases_seconds", phases.seconds.into())?;
    report.add("loaded", loaded_json(engine.loaded()))?;
    report.add("plan_of_one", plan_json(&one))?;
    report.add("plan", plan_json(&many))?;
    report.add("idle", memory_json(&device, probe.as_ref())?)?;

    let requests: Vec<Request> =
        (0..clients).map(|client| Request { prompt: ids(&config, prompt, client), limit: answer }).collect();
    // Once to record the steps, once to be timed.
    answer_all(&mut engine, &requests, clients, &Sampler::greedy(), |_, _| ())?;
    let begin = now();
    let answers = answer_all(&mut engine, &requests, clients, &Sampler::greedy(), |_, _| ())?;
    let seconds = begin.elapsed().as_secs_f64();
    let tokens: usize = answers.iter().map(|answer| answer.tokens.len()).sum();
    let mut busy = memory_json(&device, probe.as_ref())?;
    for (name, value) in [
        ("clients", json!(clients)),
        ("prompt_tokens", json!(prompt)),
        ("answered_tokens", json!(tokens)),
        ("seconds", json!(seconds)),
        ("graphs", graphs_json(&engine)),
    ] {
        if let Some(busy) = busy.as_object_mut() {
            busy.insert(name.into(), value);
        }
    }
    report.add("busy", busy)?;
    drop(engine);
    report.add("bus", bus(&device)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Ids in a fixed order; the weights are random, so no id is special.
fn ids(config: &Config, tokens: usize, number: usize) -> Vec<u32> {
    (0..tokens).map(|position| ((3 + 37 * position + number) % config.vocab_size) as u32).collect()
}

/// The rate of copies from page-locked memory to the device: the fastest of some.
fn bus(device: &Cuda) -> Result<Value, Box<dyn Error>> {
    let stream = device.stream();
    let mut staging = device.staging::<u8>(BUS_BYTES)?;
    let target = stream.allocate::<u8>(BUS_BYTES)?;
    let mut best = f64::INFINITY;
    for _ in 0..BUS_REPEATS {
        let begin = stream.record()?;
        staging.send(stream, &target.whole())?;
        best = best.min(begin.elapsed(&stream.record()?)?);
    }
    Ok(json!({ "bytes": BUS_BYTES, "bytes_per_second": BUS_BYTES as f64 / best }))
}

fn memory(name: &str, out: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let preset = presets::preset(name)
        .ok_or_else(|| format!("there is no preset `{name}`, only {}", presets::NAMES.join(", ")))?;
    let preset = Preset { matrices: Dtype::I8, ..preset };
    let device = Cuda::find()?;
    let probe = Probe::open_visible().ok();
    let mut report = Report::new(out, &device);
    report.add("preset", name.into())?;
    // No disk is needed for it, which may be smaller than the model.
    let begin = now();
    let weights = presets::in_memory(&preset, SEED)?;
    let seconds = begin.elapsed().as_secs_f64();
    report.add("made", json!({ "seconds": seconds, "bytes": weights.total_bytes() }))?;
    let prompt = if device.facts().simulated { SIMULATED.0 } else { PROMPT };
    let room = (prompt + DECODED).next_multiple_of(16);
    let options = Options { max_batch: 1, chunk: PROMPT, ..Options::new(room) };
    let plan = CudaEngine::plan(&device, &preset.config, &weights, &options)?;
    report.add("plan", plan_json(&plan))?;
    report.add("free_bytes", device.memory().free_bytes()?.into())?;
    device.memory().reset_peaks()?;
    let mut engine = match CudaEngine::load(&device, preset.config.clone(), &weights, &options) {
        Err(error @ llama::Error::Memory { .. }) => {
            report.add("does_not_fit", error.to_string().into())?;
            return Ok(ExitCode::from(DOES_NOT_FIT));
        }
        loaded => loaded?,
    };
    report.add("loaded", loaded_json(engine.loaded()))?;
    let mut sequence = engine.open(room)?;
    engine.prefill(&mut sequence, &ids(&preset.config, prompt, 0))?;
    let mut seconds = Vec::new();
    let mut token = 3;
    for _ in 0..DECODED {
        let begin = now();
        let mut batch: [(&mut Sequence, u32); 1] = [(&mut sequence, token)];
        token = engine.decode_greedy(&mut batch)?.first().copied().unwrap_or(0);
        seconds.push(begin.elapsed().as_secs_f64());
    }
    report.add("decode_seconds", json!(seconds))?;
    report.add("graphs", graphs_json(&engine))?;
    report.add("used", memory_json(&device, probe.as_ref())?)?;
    Ok(ExitCode::SUCCESS)
}
