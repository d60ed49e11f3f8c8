//! Prints, as JSON, exactly what the benchmarks of `benches/kernels` launch, so that another program can launch the same:
//! the PTX, entry point, grid, block and arguments of each case, and the bytes and operations that count for it.
//! `--event-tracking` times a small launch through cudarc with its event tracking on and off instead, which needs a
//! device.

mod table;
#[allow(unsafe_code, reason = "cudarc leaves the order of uses, and what a kernel is given, to its caller")]
mod tracking;

use std::io::Write;

use gapbench::Result;
use serde_json::{Map, Value, json};

use table::{Argument, Case, Fill, Work};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let answer = match words[..] {
        [] => {
            let cases: Vec<Value> = table::cases().iter().map(described).collect();
            json!({ "schema": "gapbench.launches", "version": 1, "cases": cases })
        }
        ["--event-tracking"] => tracking::measured()?,
        _ => return Err("usage: launches [--event-tracking]".into()),
    };
    writeln!(std::io::stdout(), "{answer:#}")?;
    Ok(())
}

fn described(case: &Case) -> Value {
    let mut object = Map::new();
    let mut add = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    add("case", json!(case.name));
    add("bytes", json!(case.bytes));
    if let Some(flops) = case.flops {
        add("flops", json!(flops));
    }
    match &case.work {
        Work::Kernel(kernel) => {
            add("kind", json!("kernel"));
            add("ptx", json!(kernel.ptx));
            add("entry", json!(kernel.entry));
            add("grid", json!(kernel.launch.grid));
            add("block", json!(kernel.launch.block));
            add("dtype", json!(kernel.dtype));
            add("arguments", kernel.arguments.iter().map(argument).collect());
        }
        Work::Product { dtype, m, n, k } => {
            add("kind", json!("product"));
            add("dtype", json!(dtype));
            add("m", json!(m));
            add("n", json!(n));
            add("k", json!(k));
        }
        Work::Copy { from_host } => {
            add("kind", json!(if *from_host { "host_to_device" } else { "device_copy" }));
        }
    }
    Value::Object(object)
}

fn argument(argument: &Argument) -> Value {
    match argument {
        Argument::Buffer { name, dtype, elements, fill: how } => json!({
            "name": name, "kind": "buffer", "dtype": dtype, "elements": elements, "role": how.role(), "fill": fill(*how),
        }),
        Argument::U32(name, value) => json!({ "name": name, "kind": "u32", "value": value }),
        Argument::U64(name, value) => json!({ "name": name, "kind": "u64", "value": value }),
        Argument::F32(name, value) => json!({ "name": name, "kind": "f32", "value": value }),
    }
}

fn fill(fill: Fill) -> Value {
    match fill {
        Fill::Random => json!({ "kind": "normal" }),
        Fill::Counting => json!({ "kind": "counting" }),
        Fill::Constant(value) => json!({ "kind": "constant", "value": value }),
        Fill::Rope { dim, theta } => json!({ "kind": "rope_table", "dim": dim, "theta": theta }),
        Fill::Output => json!({ "kind": "output" }),
    }
}
