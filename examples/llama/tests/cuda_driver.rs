//! What the CUDA engine does when the driver refuses, memory is short or a kernel fails, on a simulated device.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;
mod cuda_support;

use std::time::Duration;

use cuda_support::{apart, cuda_engine, options, scenario, small};
use gapbench_cuda::Cuda;
use llama::cuda::kernels::Element;
use llama::cuda::{CudaEngine, GraphUse, Options};
use llama::{Config, Dtype, Engine, Error, Weights};

/// Logits of a few decode steps.
fn steps(engine: &mut CudaEngine, tokens: &[u32]) -> Result<Vec<Vec<f32>>, Error> {
    let mut sequence = engine.open(tokens.len())?;
    tokens.iter().map(|token| engine.decode(&mut [(&mut sequence, *token)])).collect()
}

#[test]
fn without_graphs_the_steps_are_the_same() {
    scenario("without_graphs_the_steps_are_the_same", "", || {
        let folder = small("cuda-no-graphs", Dtype::Bf16);
        let mut with = cuda_engine(&folder, &options(64));
        let mut without = cuda_engine(&folder, &Options { graphs: false, ..options(64) });
        let tokens = [3, 1, 4, 1, 5];
        assert_eq!(steps(&mut with, &tokens).unwrap(), steps(&mut without, &tokens).unwrap());
        assert_eq!((with.graph_use(), without.graph_use()), (GraphUse::Recorded, GraphUse::Off));
        assert_eq!(with.element(), Element::Bf16);
    });
}

#[test]
fn a_refused_capture_falls_back() {
    scenario("a_refused_capture_falls_back", "fail cuStreamBeginCapture_v2 at 1 with 900", refused);
}

#[test]
fn a_refused_graph_falls_back() {
    scenario("a_refused_graph_falls_back", "fail cuGraphInstantiateWithFlags at 1 with 801", refused);
}

fn refused() {
    let folder = small(&format!("cuda-refused-{}", std::process::id()), Dtype::Bf16);
    let mut engine = cuda_engine(&folder, &options(64));
    let tokens = [3, 1, 4, 1, 5];
    let got = steps(&mut engine, &tokens).unwrap();
    let GraphUse::Refused(reason) = engine.graph_use() else { panic!("{:?}", engine.graph_use()) };
    assert!(reason.contains("cuStreamBeginCapture") || reason.contains("cuGraphInstantiate"), "{reason}");
    let mut other = cuda_engine(&folder, &Options { graphs: false, ..options(64) });
    assert_eq!(got, steps(&mut other, &tokens).unwrap());
    std::fs::remove_dir_all(folder).unwrap();
}

/// The context alone takes 520 MiB of the simulated device.
#[test]
fn what_does_not_fit_is_refused_with_the_arithmetic() {
    scenario("what_does_not_fit_is_refused_with_the_arithmetic", "memory 700000000", || {
        let folder = small("cuda-memory", Dtype::Bf16);
        let (config, weights) = (Config::load(&folder).unwrap(), Weights::open(&folder).unwrap());
        let cuda = Cuda::find().unwrap();
        let options = options(1_000_000);
        let plan = CudaEngine::plan(&cuda, &config, &weights, &options).unwrap();
        let used = cuda.memory().used_bytes().unwrap();
        let error = CudaEngine::load(&cuda, config.clone(), &weights, &options).err().unwrap();
        let Error::Memory { place, available, plan: text } = &error else { panic!("{error}") };
        assert!(place.contains("simulated") && *available < plan.total(), "{error}");
        assert!(text.contains("1,000,000 tokens x 128 B"), "{error}");
        assert_eq!(cuda.memory().used_bytes().unwrap(), used, "nothing was allocated");
        // A smaller cache fits.
        CudaEngine::load(&cuda, config, &weights, &cuda_support::options(64)).unwrap();
    });
}

#[test]
fn no_more_is_allocated_than_planned() {
    scenario("no_more_is_allocated_than_planned", "", || {
        for (name, dtype) in [("cuda-plan-bf16", Dtype::Bf16), ("cuda-plan-i8", Dtype::I8)] {
            let folder = small(name, dtype);
            let (config, weights) = (Config::load(&folder).unwrap(), Weights::open(&folder).unwrap());
            let cuda = Cuda::find().unwrap();
            let options = options(4096);
            let plan = CudaEngine::plan(&cuda, &config, &weights, &options).unwrap().total();
            let before = cuda.memory().used_bytes().unwrap();
            let engine = CudaEngine::load(&cuda, config, &weights, &options).unwrap();
            let used = cuda.memory().used_bytes().unwrap() - before;
            // The pool gives multiples of 512 bytes; the frequencies are beside the plan.
            assert!(used <= plan + 60 * 512 && used + 60 * 512 >= plan, "{used} of {plan}");
            drop(engine);
            cuda.synchronize().unwrap();
            assert_eq!(cuda.memory().used_bytes().unwrap(), before);
        }
    });
}

#[test]
fn memory_that_runs_out_while_loading_is_an_error() {
    scenario("memory_that_runs_out_while_loading_is_an_error", "fail cuMemAllocAsync at 9 with 2", || {
        let folder = small("cuda-out-of-memory", Dtype::Bf16);
        let (config, weights) = (Config::load(&folder).unwrap(), Weights::open(&folder).unwrap());
        let cuda = Cuda::find().unwrap();
        let error = CudaEngine::load(&cuda, config.clone(), &weights, &options(64)).err().unwrap();
        assert!(matches!(error, Error::Memory { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("bytes of the device") && text.contains("64 tokens x 128 B"), "{error}");
        CudaEngine::load(&cuda, config, &weights, &options(64)).unwrap();
    });
}

#[test]
fn a_kernel_that_never_ends_is_waited_for_until_the_deadline() {
    scenario("a_kernel_that_never_ends_is_waited_for_until_the_deadline", "hang silu_mul_bf16", || {
        let folder = small("cuda-hang", Dtype::Bf16);
        let mut engine = cuda_engine(&folder, &options(64));
        Cuda::find().unwrap().set_deadline(Duration::from_millis(300));
        let error = steps(&mut engine, &[1]).unwrap_err();
        assert!(error.to_string().contains("was not done after 0.3"), "{error}");
    });
}

#[test]
fn a_kernel_that_fails_is_an_error() {
    scenario("a_kernel_that_fails_is_an_error", "fail kernel silu_mul_bf16 with 700 sticky", || {
        let folder = small("cuda-sticky", Dtype::Bf16);
        let mut engine = cuda_engine(&folder, &options(64));
        let error = steps(&mut engine, &[1]).unwrap_err();
        assert!(error.to_string().contains("ILLEGAL_ADDRESS"), "{error}");
    });
}

#[test]
fn a_refused_launch_names_the_kernel() {
    scenario("a_refused_launch_names_the_kernel", "fail kernel rope_append_bf16 with 1", || {
        let folder = small("cuda-launch", Dtype::Bf16);
        let mut engine = cuda_engine(&folder, &options(64));
        let error = steps(&mut engine, &[1]).unwrap_err();
        assert!(error.to_string().contains("rope_append_bf16"), "{error}");
    });
}

#[test]
fn pieces_of_any_size_load_the_same() {
    scenario("pieces_of_any_size_load_the_same", "", || {
        for dtype in [Dtype::Bf16, Dtype::I8] {
            let folder = small(&format!("cuda-pieces-{dtype}"), dtype);
            for element in [Element::Bf16, Element::F32, Element::F16] {
                let load = |staging_bytes| {
                    let options = Options { element: Some(element), staging_bytes, ..options(64) };
                    let mut engine = cuda_engine(&folder, &options);
                    let logits = steps(&mut engine, &[3, 1, 4]).unwrap();
                    (logits, engine.loaded())
                };
                let ((small, many), (large, few)) = (load(700), load(1 << 20));
                assert_eq!(small, large, "{dtype} as {element:?}");
                assert_eq!(many.bytes, few.bytes);
                assert!(many.pieces > 2 * few.pieces, "{} {}", many.pieces, few.pieces);
                assert!(apart(&small[0], &vec![0.0; 96]) > 0.01);
            }
        }
    });
}

/// Puts a number into a tensor of the folder's one file, by its bytes.
fn damage(folder: &std::path::Path, tensor: &str, position: usize, number: &[u8]) {
    let path = folder.join(llama::weights::WEIGHTS_FILE);
    let mut tensors = common::read_tensors(&path);
    let start = position * number.len();
    tensors.get_mut(tensor).unwrap().2[start..start + number.len()].copy_from_slice(number);
    common::write_tensors(&path, &tensors);
}

#[test]
fn weights_that_are_no_numbers_are_refused_as_on_the_cpu() {
    scenario("weights_that_are_no_numbers_are_refused_as_on_the_cpu", "", || {
        let nan = half::bf16::NAN.to_le_bytes();
        let infinite = half::bf16::NEG_INFINITY.to_le_bytes();
        let cases: [(Dtype, &str, usize, &[u8]); 6] = [
            (Dtype::Bf16, "model.embed_tokens.weight", 4607, &nan),
            (Dtype::Bf16, "model.layers.1.self_attn.v_proj.weight", 0, &infinite),
            (Dtype::Bf16, "model.layers.0.input_layernorm.weight", 47, &infinite),
            (Dtype::Bf16, "lm_head.weight", 1001, &nan),
            // Of bytes it can only be the scale of a row.
            (Dtype::I8, "model.layers.1.mlp.up_proj.weight.scale", 35, &f32::NAN.to_le_bytes()),
            (Dtype::I8, "model.layers.0.mlp.down_proj.weight.scale", 3, &f32::INFINITY.to_le_bytes()),
        ];
        for (dtype, tensor, position, number) in cases {
            let folder = small("cuda-not-finite", dtype);
            damage(&folder, tensor, position, number);
            let (config, weights) = (Config::load(&folder).unwrap(), Weights::open(&folder).unwrap());
            let on_cpu = llama::CpuEngine::load(config.clone(), &weights, 64).unwrap_err().to_string();
            assert!(on_cpu.contains(tensor.trim_end_matches(".scale")), "{on_cpu}");
            for element in [Element::Bf16, Element::F32, Element::F16] {
                let options = Options { element: Some(element), ..options(64) };
                let on_cuda = CudaEngine::load(&Cuda::find().unwrap(), config.clone(), &weights, &options)
                    .err()
                    .unwrap();
                assert_eq!(on_cuda.to_string(), on_cpu, "{element:?}");
            }
        }
    });
}

#[test]
fn a_weight_that_the_chosen_format_cannot_hold_is_refused() {
    scenario("a_weight_that_the_chosen_format_cannot_hold_is_refused", "", || {
        let folder = small("cuda-not-held", Dtype::Bf16);
        damage(&folder, "model.layers.0.mlp.up_proj.weight", 50, &half::bf16::from_f32(1e6).to_le_bytes());
        let (config, weights) = (Config::load(&folder).unwrap(), Weights::open(&folder).unwrap());
        let load = |element| {
            let options = Options { element: Some(element), ..options(64) };
            CudaEngine::load(&Cuda::find().unwrap(), config.clone(), &weights, &options)
        };
        assert!(load(Element::Bf16).is_ok() && load(Element::F32).is_ok());
        let error = load(Element::F16).err().unwrap();
        assert!(matches!(error, Error::NotHeld { position: 50, dtype: Dtype::F16, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("`model.layers.0.mlp.up_proj.weight` holds 999424 at position 50"), "{text}");
    });
}
