//! Greedy decoding without a pause, for `compare/engines.py`: `greedy MODEL TOKENS REPEATS PROMPT_TOKENS` prints, for
//! each repeat, the processor time in nanoseconds of the prefill and of the decoding, and then the tokens.

#![allow(clippy::print_stdout, reason = "a program's answer is printed")]

use std::{error::Error, fs, path::Path};

use llama::{Config, CpuEngine, Engine, Sampler, Weights};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, tokens, repeats, prompt] = arguments.as_slice() else {
        return Err("usage: greedy MODEL TOKENS REPEATS PROMPT_TOKENS".into());
    };
    let (tokens, repeats, prompt): (usize, usize, u32) = (tokens.parse()?, repeats.parse()?, prompt.parse()?);
    let folder = Path::new(model);
    let config = Config::load(folder)?;
    let vocabulary = u32::try_from(config.vocab_size)?;
    let mut engine = CpuEngine::load(config, &Weights::open(folder)?, tokens + prompt as usize)?;
    // Any ids will do, as long as every engine gets the same; the first is the begin of text.
    let prompt: Vec<u32> = (0..prompt).map(|position| (1 + 37 * position) % vocabulary).collect();
    for _ in 0..repeats {
        let mut sequence = engine.open(tokens + prompt.len())?;
        let mut sampler = Sampler::greedy();
        let mut answer = Vec::new();
        let start = processor_time()?;
        let mut logits = engine.prefill(&mut sequence, &prompt)?;
        let middle = processor_time()?;
        for _ in 0..tokens {
            let token = sampler.sample(&logits)?;
            answer.push(token.to_string());
            logits = engine.decode(&mut [(&mut sequence, token)])?;
        }
        let end = processor_time()?;
        engine.close(sequence);
        println!("{} {} {}", middle - start, end - middle, answer.join(","));
    }
    Ok(())
}

/// Nanoseconds that this thread has run on a processor.
fn processor_time() -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split_whitespace().next().ok_or("an empty schedstat")?.parse()?)
}
