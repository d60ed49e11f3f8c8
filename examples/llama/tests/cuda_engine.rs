//! The CUDA engine on a simulated device, held against the CPU engine: logits, batches, sequences, errors.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;
mod cuda_support;

use std::path::Path;

use cuda_support::{apart, cuda_engine, largest, options, scenario, small};
use llama::cuda::kernels::Element;
use llama::cuda::{CudaEngine, GraphUse, Options};
use llama::{Dtype, Engine, Error, Sequence};

/// Ids that look random, below the small model's vocabulary.
fn ids(count: usize) -> Vec<u32> {
    (0..count).map(|i| ((i * i * 7 + i * 3 + 5) % 96) as u32).collect()
}

fn in_f32(folder: &Path, options: Options) -> CudaEngine {
    cuda_engine(folder, &Options { element: Some(Element::F32), ..options })
}

/// Logits after a prompt, and after each token that follows one by one.
fn logits(engine: &mut impl Engine, prompt: &[u32], more: &[u32]) -> Vec<Vec<f32>> {
    let mut sequence = engine.open(prompt.len() + more.len()).unwrap();
    let mut all = vec![engine.prefill(&mut sequence, prompt).unwrap()];
    for token in more {
        all.push(engine.decode(&mut [(&mut sequence, *token)]).unwrap());
    }
    assert_eq!(sequence.length(), prompt.len() + more.len());
    engine.close(sequence);
    all
}

#[test]
fn logits_are_those_of_the_cpu() {
    scenario("logits_are_those_of_the_cpu", "", || {
        for (name, dtype) in [("cuda-cpu-bf16", Dtype::Bf16), ("cuda-cpu-i8", Dtype::I8)] {
            let folder = small(name, dtype);
            let tokens = ids(40);
            // One token, few of them by our own product, many by cuBLAS, and more than a chunk.
            for split in [1, 7, 30, 36] {
                let (prompt, more) = tokens[..split + 4].split_at(split);
                let want = logits(&mut common::engine(&folder, 64), prompt, more);
                let got = logits(&mut in_f32(&folder, options(64)), prompt, more);
                let error = want.iter().zip(&got).map(|(want, got)| apart(want, got)).fold(0.0, f32::max);
                println!("measured {dtype}, {split} tokens: CPU and CUDA logits are {error:.1e} apart");
                assert!(error <= 1e-4, "{dtype} {split}: {error}");
                assert!(got.iter().all(|logits| largest(logits).1 > 0.01), "logits are not all zeros");
            }
        }
    });
}

#[test]
fn a_prompt_gives_what_its_tokens_give_one_by_one() {
    scenario("a_prompt_gives_what_its_tokens_give_one_by_one", "", || {
        let folder = small("cuda-one-by-one", Dtype::Bf16);
        let mut engine = in_f32(&folder, options(128));
        let tokens = ids(45);
        let one_by_one = logits(&mut engine, &tokens[..1], &tokens[1..]);
        let whole = logits(&mut engine, &tokens, &[]);
        assert!(apart(&one_by_one[44], &whole[0]) <= 1e-5);
        // And in two parts.
        let mut sequence = engine.open(45).unwrap();
        engine.prefill(&mut sequence, &tokens[..17]).unwrap();
        let parts = engine.prefill(&mut sequence, &tokens[17..]).unwrap();
        assert!(apart(&parts, &whole[0]) <= 1e-5);
    });
}

#[test]
fn a_batch_gives_what_its_sequences_give_alone() {
    scenario("a_batch_gives_what_its_sequences_give_alone", "", || {
        for (name, dtype) in [("cuda-batch-bf16", Dtype::Bf16), ("cuda-batch-i8", Dtype::I8)] {
            let folder = small(name, dtype);
            // Batches that our own product takes, that cuBLAS takes, and that are more than one step.
            for size in [2, 11, 13] {
                let mut engine = in_f32(&folder, Options { max_batch: 12, ..options(16 * 2 * 13) });
                let prompts: Vec<Vec<u32>> = (0..size).map(|i| ids(1 + i)).collect();
                let more = ids(4);
                let alone: Vec<_> = prompts.iter().map(|prompt| logits(&mut engine, prompt, &more)).collect();
                let mut sequences: Vec<Sequence> = Vec::new();
                for prompt in &prompts {
                    let mut sequence = engine.open(prompt.len() + more.len()).unwrap();
                    engine.prefill(&mut sequence, prompt).unwrap();
                    sequences.push(sequence);
                }
                for (step, token) in more.iter().enumerate() {
                    let mut batch: Vec<_> = sequences.iter_mut().map(|sequence| (sequence, *token)).collect();
                    let logits = engine.decode(&mut batch).unwrap();
                    for (logits, alone) in logits.chunks(96).zip(&alone) {
                        let error = apart(logits, &alone[step + 1]);
                        assert!(error <= 1e-5, "{dtype}, {size} sequences, step {step}: {error}");
                    }
                }
                assert_eq!(engine.graph_use(), GraphUse::Recorded);
            }
        }
    });
}

#[test]
fn sequences_take_turns_and_places_are_used_again() {
    scenario("sequences_take_turns_and_places_are_used_again", "", || {
        let folder = small("cuda-turns", Dtype::Bf16);
        let mut engine = in_f32(&folder, options(96));
        let (first, second) = (ids(20), ids(40)[20..].to_vec());
        let alone =
            [logits(&mut engine, &first[..9], &first[9..]), logits(&mut engine, &second[..3], &second[3..])];
        let (mut a, mut b) = (engine.open(20).unwrap(), engine.open(20).unwrap());
        assert_eq!(engine.free_tokens(), 96 - 64);
        engine.prefill(&mut a, &first[..9]).unwrap();
        engine.prefill(&mut b, &second[..3]).unwrap();
        for i in 0..11 {
            let of_a = engine.decode(&mut [(&mut a, first[9 + i])]).unwrap();
            let of_b = engine.decode(&mut [(&mut b, second[3 + i])]).unwrap();
            assert_eq!((&of_a, &of_b), (&alone[0][i + 1], &alone[1][i + 1]), "step {i}");
        }
        let slot = a.slot();
        engine.close(a);
        // What the closed sequence left behind is not seen by the next one in its place.
        let mut c = engine.open(20).unwrap();
        assert_eq!(c.slot(), slot);
        let again = engine.prefill(&mut c, &second[..3]).unwrap();
        assert_eq!(again, alone[1][0]);
        // And the other one is as before.
        let of_b = engine.decode(&mut [(&mut b, second[14])]).unwrap();
        assert_eq!(of_b, alone[1][12]);
        engine.close(b);
        engine.close(c);
        assert_eq!(engine.free_tokens(), 96);
    });
}

#[test]
fn the_largest_logit_is_found_on_the_device() {
    scenario("the_largest_logit_is_found_on_the_device", "", || {
        let folder = small("cuda-greedy", Dtype::Bf16);
        let mut engine = in_f32(&folder, options(64));
        let (mut a, mut b) = (engine.open(8).unwrap(), engine.open(8).unwrap());
        engine.prefill(&mut a, &[1, 2, 3]).unwrap();
        engine.prefill(&mut b, &[1, 2, 3]).unwrap();
        let mut token = 7;
        for _ in 0..4 {
            let best = largest(&engine.decode(&mut [(&mut a, token)]).unwrap()).0;
            let greedy = engine.decode_greedy(&mut [(&mut b, token)]).unwrap();
            assert_eq!(greedy, [best]);
            token = best;
        }
    });
}

#[test]
fn the_last_step_can_be_repeated() {
    scenario("the_last_step_can_be_repeated", "", || {
        let folder = small("cuda-repeat", Dtype::Bf16);
        let cuda = gapbench_cuda::Cuda::find().unwrap();
        let again = |engine: &mut CudaEngine, want: &[f32]| {
            for _ in 0..2 {
                let logits = engine.logits();
                cuda.stream().fill_bytes(logits.ptr(), 0xff, logits.bytes()).unwrap();
                engine.repeat().unwrap();
                assert_eq!(&cuda.download(engine.logits()).unwrap()[..want.len()], want);
            }
        };
        for graphs in [true, false] {
            let mut engine = in_f32(&folder, Options { graphs, ..options(64) });
            assert!(engine.repeat().unwrap_err().to_string().contains("no step"));
            let mut sequence = engine.open(30).unwrap();
            let want = engine.prefill(&mut sequence, &ids(25)).unwrap();
            again(&mut engine, &want);
            for token in [3, 1, 4] {
                let want = engine.decode(&mut [(&mut sequence, token)]).unwrap();
                again(&mut engine, &want);
            }
            engine.close(sequence);
            assert!(engine.repeat().is_err());
        }
    });
}

#[test]
fn requests_that_cannot_be_answered_change_nothing() {
    scenario("requests_that_cannot_be_answered_change_nothing", "", || {
        let folder = small("cuda-refused", Dtype::Bf16);
        let mut engine = in_f32(&folder, options(64));
        let mut other = in_f32(&folder, options(64));
        let tokens = ids(20);
        let want = logits(&mut engine, &tokens[..5], &tokens[5..7]);
        let mut sequence = engine.open(7).unwrap();
        engine.prefill(&mut sequence, &tokens[..5]).unwrap();

        let error = engine.prefill(&mut sequence, &[1, 96]).unwrap_err();
        assert!(matches!(error, Error::TokenOutOfRange { id: 96, position: 1, vocabulary: 96 }), "{error}");
        let error = engine.decode(&mut [(&mut sequence, u32::MAX)]).unwrap_err();
        assert!(matches!(error, Error::TokenOutOfRange { id: u32::MAX, position: 0, .. }), "{error}");
        let error = engine.prefill(&mut sequence, &tokens[..3]).unwrap_err();
        assert!(matches!(error, Error::CapacityExceeded { length: 5, tokens: 3, capacity: 7 }), "{error}");
        assert!(matches!(engine.prefill(&mut sequence, &[]), Err(Error::EmptyPrompt)));
        assert!(matches!(engine.decode(&mut []), Err(Error::EmptyBatch)));
        assert!(matches!(engine.open(129), Err(Error::ContextExceeded { .. })));
        let error = engine.open(49).unwrap_err();
        assert!(matches!(error, Error::CacheFull { capacity: 64, free: 48, total: 64, .. }), "{error}");
        let mut foreign = other.open(30).unwrap();
        let mut second = other.open(30).unwrap();
        other.prefill(&mut second, &tokens[..3]).unwrap();
        let error = engine.decode(&mut [(&mut sequence, 1), (&mut second, 1)]).unwrap_err();
        assert!(matches!(error, Error::ForeignSequence { slot: 1 }), "{error}");
        // In a place that is taken, but with fewer pages.
        let error = engine.prefill(&mut foreign, &tokens).unwrap_err();
        assert!(matches!(error, Error::ForeignSequence { slot: 0 }), "{error}");

        assert_eq!((sequence.length(), second.length()), (5, 3));
        for (token, want) in tokens[5..7].iter().zip(&want[1..]) {
            assert_eq!(&engine.decode(&mut [(&mut sequence, *token)]).unwrap(), want);
        }
        let error = engine.decode(&mut [(&mut sequence, 1)]).unwrap_err();
        assert!(matches!(error, Error::CapacityExceeded { .. }), "{error}");
    });
}

#[test]
fn prompts_together_are_as_one_by_one() {
    scenario("prompts_together_are_as_one_by_one", "", || {
        for dtype in [Dtype::Bf16, Dtype::I8] {
            let folder = small(&format!("cuda-together-{dtype}"), dtype);
            let mut cpu = common::engine(&folder, 64);
            // Steps of at most 40 tokens and two ends, so that prompts are cut and shared in every way.
            let mut engine = in_f32(&folder, Options { max_batch: 2, ..options(384) });
            let tokens = ids(60);
            let prompts = [&tokens[..3], &tokens[3..4], &tokens[10..58], &tokens[1..20], &tokens[30..37]];
            let mut sequences: Vec<Sequence> = prompts.iter().map(|_| engine.open(60).unwrap()).collect();
            let more: [u32; 2] = [5, 6];
            let parts: [Vec<&[u32]>; 2] = [prompts.to_vec(), vec![&more; 5]];
            let together: Vec<Vec<f32>> = parts
                .iter()
                .map(|prompts| {
                    let mut batch: Vec<(&mut Sequence, &[u32])> =
                        sequences.iter_mut().zip(prompts.iter().copied()).collect();
                    engine.prefill_many(&mut batch).unwrap()
                })
                .collect();
            for (number, prompt) in prompts.iter().enumerate() {
                assert_eq!(sequences[number].length(), prompt.len() + 2);
                let rows = |part: usize| &together[part][96 * number..96 * (number + 1)];
                for (name, alone) in [("CPU", &mut cpu as &mut dyn Engine), ("CUDA", &mut engine)] {
                    let mut sequence = alone.open(60).unwrap();
                    let first = alone.prefill(&mut sequence, prompt).unwrap();
                    let second = alone.prefill(&mut sequence, &more).unwrap();
                    alone.close(sequence);
                    let error = apart(rows(0), &first).max(apart(rows(1), &second));
                    assert!(error <= 1e-4, "{dtype}, prompt {number} against {name}: {error}");
                    assert!(largest(&first).1 > 0.01);
                }
            }
            sequences.into_iter().for_each(|sequence| engine.close(sequence));
            assert_eq!(engine.free_tokens(), 384);
        }
    });
}
