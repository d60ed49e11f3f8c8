//! The program `llama`: which engine it takes, that it says so, and that both answer the same.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod cuda_support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use llama::weights::WEIGHTS_FILE;

/// Runs the program with these words; where `script` is given, on a simulated device. Answers success, output and errors.
fn llama(words: &[&str], input: &str, script: Option<&str>) -> (bool, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_llama"));
    program.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program.env_remove("GAPBENCH_CUDA_PATH").env_remove("LD_LIBRARY_PATH");
    if let Some(script) = script {
        let folder = cuda_support::simulated();
        program
            .env("GAPBENCH_CUDA_PATH", &folder)
            .env("LD_LIBRARY_PATH", &folder)
            .env("CUDA_SIMULATOR", script);
    }
    let mut child = program.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.success(), text(stdout), text(stderr))
}

/// Whether this machine has a device of its own, which the program would find.
fn has_device() -> bool {
    gapbench_cuda::Cuda::find().is_ok()
}

/// stories260K in f32, whose answers do not hang on roundings; nothing where it is not there.
fn model(test: &str) -> Option<String> {
    Some(common::stories(test)?.join("hf").to_string_lossy().into_owned())
}

#[test]
fn both_engines_answer_the_same_and_say_which_they_are() {
    let Some(model) = model("both_engines_answer_the_same_and_say_which_they_are") else { return };
    let generate = |engine, script| {
        let words = ["generate", "--model", &model, "--prompt", "Once", "--tokens", "12", "--engine", engine];
        llama(&words, "", script)
    };
    let (good, text, errors) = generate("cpu", None);
    assert_eq!((good, errors.as_str()), (true, "llama: engine cpu: as asked\n"));
    let (good, on_cuda, errors) = generate("cuda", Some(""));
    assert!(
        good && errors.starts_with("llama: engine cuda: as asked: NVIDIA H200 (simulated), computing in ")
    );
    assert_eq!((on_cuda, errors.lines().count()), (text.clone(), 1));
    // A simulated device is never taken for a device.
    let (good, auto, errors) = generate("auto", Some(""));
    assert_eq!((good, auto), (true, text.clone()));
    let reason = "llama: engine cpu: NVIDIA H200 (simulated) computes slowly; ask for it by --engine cuda\n";
    assert_eq!(errors, reason);
    if has_device() {
        return;
    }
    let (good, auto, errors) = generate("auto", None);
    assert_eq!((good, auto), (true, text));
    assert!(errors.starts_with("llama: engine cpu: no CUDA driver found (no libcuda.so.1 in "), "{errors}");
    let (good, nothing, errors) = generate("cuda", None);
    assert_eq!((good, nothing.as_str()), (false, ""));
    assert!(errors.starts_with("llama: no engine on CUDA: no CUDA driver found"), "{errors}");
}

#[test]
fn what_was_asked_for_is_not_replaced() {
    let model = common::tiny("asked-for").to_string_lossy().into_owned();
    let words = ["generate", "--model", &model, "--prompt", "a", "--tokens", "2", "--engine", "cuda"];
    let (good, _, errors) = llama(&words, "", Some("memory 500000000"));
    assert!(!good, "{errors}");
    let (good, _, errors) = llama(&words, "", Some("memory 650000000"));
    assert!(!good && errors.contains("the model does not fit into"), "{errors}");
    assert!(errors.contains("tokens x"), "the arithmetic is shown: {errors}");
    let (good, _, errors) = llama(&[&words[..8], &["gpu"]].concat(), "", None);
    assert!(!good && errors.contains("[possible values: auto, cpu, cuda]"), "{errors}");
    // Damaged weights are damaged on every engine.
    let path = Path::new(&model).join(WEIGHTS_FILE);
    let mut tensors = common::read_tensors(&path);
    tensors.get_mut("lm_head.weight").unwrap().2.splice(0..2, half::bf16::NAN.to_le_bytes());
    common::write_tensors(&path, &tensors);
    for engine in ["cpu", "cuda"] {
        let (good, _, errors) = llama(&[&words[..8], &[engine]].concat(), "", Some(""));
        let text = format!("{}: tensor `lm_head.weight` holds NaN at position 0", path.display());
        assert!(!good && errors.contains(&text), "{errors}");
    }
}

#[test]
fn lines_are_answered_as_each_alone() {
    let Some(model) = model("lines_are_answered_as_each_alone") else { return };
    let prompts = ["Once upon a time", "", "Lily", "A dog ran", "The"];
    let alone: Vec<String> = prompts
        .iter()
        .map(|prompt| {
            let words = ["answer", "--model", &model, "--tokens", "6", "--engine", "cpu"];
            let (good, text, errors) = llama(&words, &format!("{prompt}\n"), None);
            assert!(good && text.lines().count() == 1, "{errors}");
            text
        })
        .collect();
    for (engine, script) in [("cpu", None), ("cuda", Some(""))] {
        let words = ["answer", "--model", &model, "--tokens", "6", "--clients", "3", "--engine", engine];
        let (good, text, errors) = llama(&words, &format!("{}\n", prompts.join("\n")), script);
        assert!(good, "{errors}");
        assert_eq!(text, alone.concat(), "{engine}");
    }
    let (good, text, _) = llama(&["answer", "--model", &model, "--engine", "cpu"], "", None);
    assert_eq!((good, text.as_str()), (true, ""));
}
