//! The Rust side of `compare/single_stream.py`: answers messages one by one and times each.
//!
//! Start it with the model folder and a data file. Every line on standard input, whatever it says, is answered
//! by one line: the nanoseconds that each message of the file took, in order. So the other side decides when
//! this one works, and the two take turns. The lines `answers` and `peak` ask instead for the label of every
//! message, and for the most memory this process has held (in KiB).

#![allow(clippy::print_stdout, reason = "printing is the purpose of this program")]
#![allow(clippy::disallowed_methods, reason = "this program stands beside another engine, outside gapbench")]

use std::{
    error::Error,
    fs,
    io::{self, BufRead, Write},
    path::Path,
    time::Instant,
};

use intent_classifier::Classifier;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(model), Some(data)) = (arguments.next(), arguments.next()) else {
        return Err("usage: single_stream MODEL_FOLDER DATA.jsonl".into());
    };
    let classifier = Classifier::load(Path::new(&model))?;
    let texts = fs::read_to_string(data)?
        .lines()
        .map(|line| {
            let message: serde_json::Value = serde_json::from_str(line)?;
            let text = message.get("text").and_then(|text| text.as_str()).ok_or("a line has no text")?;
            Ok(text.to_owned())
        })
        .collect::<Result<Vec<String>, Box<dyn Error>>>()?;

    for request in io::stdin().lock().lines() {
        let answer = match request?.as_str() {
            "answers" => each(&texts, |text| Ok(classifier.classify(text)?.label.to_owned()))?,
            "peak" => peak_memory()?,
            _ => each(&texts, |text| {
                let start = Instant::now();
                std::hint::black_box(classifier.classify(text)?);
                Ok(start.elapsed().as_nanos().to_string())
            })?,
        };
        println!("{answer}");
        io::stdout().flush()?;
    }
    Ok(())
}

/// What `f` says about every text, separated by spaces.
fn each(
    texts: &[String],
    f: impl Fn(&str) -> Result<String, Box<dyn Error>>,
) -> Result<String, Box<dyn Error>> {
    Ok(texts.iter().map(|text| f(text)).collect::<Result<Vec<_>, _>>()?.join(" "))
}

/// The kernel's high-water mark of this process's memory, in KiB.
fn peak_memory() -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let value =
        line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM in /proc/self/status")?;
    Ok(value.to_owned())
}
