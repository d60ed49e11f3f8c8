//! `cargo gapbench memory`, by running it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::fixture::{Folder, LLAMA_3_8B, mini_lm, mini_lm_config};

/// Exit code, standard output, standard error.
fn run(model: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-gapbench"));
    let output = command.args(["gapbench", "memory", "--model"]).arg(model).args(words).output().unwrap();
    let text =
        |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&model.display().to_string(), "MODEL");
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_plan_as_text() {
    let folder = Folder::new();
    folder.weights("model.safetensors", &mini_lm()).config(&mini_lm_config());
    let (code, out, complaints) = run(
        folder.path(),
        &["--clients", "8", "--length", "256", "--stated", "80MB", "--measured-peak", "180 MB"],
    );
    assert_eq!((code, complaints.as_str()), (0, ""));
    let expected = "\
encoder (bert), 1 file, 8 clients x 256 tokens

weights                          90,852,864 B   86.6 MiB  22,713,216 numbers of F32 x 32 bit, in 103 tensors
keys and values                           0 B        0 B  an encoder keeps nothing between steps
activations (estimate)           44,040,192 B   42.0 MiB  2,048 tokens x (2 x 384 + 3 x 1,536) numbers x 32 bit of f32; all texts in one step
overhead                                  0 B        0 B  none was given
total                           134,893,056 B    129 MiB

flag: the size of the weights in the headers, 90,852,864 B, is 1.136 times the stated size, 80,000,000 B, more than 1.02: the weights alone need more than the page says, so plan with the headers
flag: the measured peak, 180,000,000 B, is 2.250 times the stated size, 80,000,000 B, more than 1.2: the page leaves out what serving needs, so plan with the measured peak
not checked: the memory under load is not known
not checked: the size of the memory is not known
";
    assert_eq!(out, expected, "\n{out}");
    assert_eq!(run(folder.path(), &["--stated", "80MB", "--gate"]).0, 1);
    assert_eq!(run(folder.path(), &["--stated", "91MB", "--gate"]).0, 0);
    let one = folder.join("model.safetensors");
    assert_eq!(run(&one, &["--length", "256"]).0, 0, "the configuration stands beside the file");
}

#[test]
fn what_fits() {
    let folder = LLAMA_3_8B.folder();
    let words = [
        "--clients",
        "50",
        "--length",
        "2048",
        "--memory",
        "24GiB",
        "--utilisation",
        "0.9",
        "--step-tokens",
        "2048",
    ];
    let (code, out, _) = run(folder.path(), &words);
    assert_eq!(code, 0);
    assert!(out.contains("\n90.0 % of 24.0 GiB hold at most 25 clients with 2,048 tokens\n"), "{out}");
    assert!(out.contains("\n90.0 % of 24.0 GiB hold at most 1,070 tokens for each of 50 clients\n"), "{out}");
    assert!(
        out.contains("\nflag: 50 clients are declared, but at most 25 fit: lower the number or the length, or take a smaller"),
        "{out}"
    );
    let half = run(folder.path(), &[&words[..], &["--kv-dtype", "fp8", "--gate"]].concat());
    assert!(half.1.contains("16 bit") && half.1.contains("8 bit of fp8 (as asked)"), "{}", half.1);
    let small = run(folder.path(), &["--memory", "12GiB"]).1;
    assert!(small.contains("12.0 GiB hold none of the clients with 8,192 tokens: 4."), "{small}");
}

#[test]
fn a_plan_as_json() {
    let folder = LLAMA_3_8B.folder();
    let (code, out, _) =
        run(folder.path(), &["--clients", "50", "--length", "9000", "--memory", "80GiB", "--json"]);
    assert_eq!(code, 0);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&answer["schema"], &answer["version"]), (&"gapbench.memory".into(), &1.into()));
    let plan = &answer["plan"];
    assert_eq!(plan["weights"]["bytes"], 16_060_522_496_u64);
    assert_eq!(plan["weights"]["by_dtype"][0]["dtype"], "BF16");
    assert_eq!(plan["cache_bytes_per_token"], 131_072);
    assert_eq!((&plan["cache_format"], &plan["cache_format_source"]), (&"bf16".into(), &"config".into()));
    assert_eq!(plan["shape"]["cache"]["heads"]["heads"], 8);
    assert_eq!(answer["room"]["largest_clients"]["limit"], "memory");
    assert!(answer["room"]["largest_clients"]["value"].as_u64().unwrap() > 50);
    assert_eq!(answer["room"]["largest_length"]["limit"], "positions");
    assert!(
        answer["length_warning"].as_str().unwrap().contains("9000 tokens is more than the 8192 positions")
    );
    let bytes: u64 =
        answer["lines"].as_array().unwrap().iter().filter_map(|line| line["bytes"].as_u64()).sum();
    assert_eq!(bytes, 2 * plan["total_bytes"].as_u64().unwrap(), "the terms and their sum");
    assert_eq!(answer["checks"][0]["kind"], "clients-against-memory");
    assert_eq!(answer["not_checked"][0]["reason"], "the stated size is not known");
    assert!(!out.contains("null"), "what is not known is absent: {out}");
    let small = run(folder.path(), &["--memory", "1GiB", "--json"]).1;
    let small: Value = serde_json::from_str(&small).unwrap();
    let clients = &small["room"]["largest_clients"];
    assert_eq!(clients["limit"], "nothing");
    assert_eq!(clients["value"]["missing_bytes"], small["plan"]["total_bytes"].as_u64().unwrap() - (1 << 30));
}

#[test]
fn mistakes_end_with_two() {
    let folder = LLAMA_3_8B.folder();
    let said = |words: &[&str]| {
        let (code, out, complaints) = run(folder.path(), words);
        assert_eq!((code, out.as_str()), (2, ""), "{complaints}");
        complaints
    };
    assert!(
        said(&["--memory", "80"])
            .starts_with("error: failed to plan the memory: memory is `80`; expected one of the")
    );
    assert!(said(&["--clients", "0"]).contains("clients is 0; expected a whole number from 1"));
    assert!(said(&["--clients", "-1"]).contains("error: "));
    assert!(said(&["--kv-dtype", "bf61"]).contains("[possible values: f32, f16, bf16, fp8, int8, int4]"));
    assert!(
        said(&["--memory", "80GiB", "--utilisation", "90"]).contains("expected a share above 0 and up to 1")
    );
    let absent = run(&folder.join("absent"), &[]);
    assert_eq!(absent.0, 2);
    assert!(absent.2.starts_with("error: failed to read MODEL: No such file"), "{}", absent.2);
}
