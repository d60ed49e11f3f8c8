//! The libraries beside the driver.
#![allow(unsafe_code, reason = "the support of scenarios calls C functions")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a skipped part is said")]

mod support;

use gapbench_cuda::{Buffer, Code, Cuda, CudaError, Element, Gemm, GemmInto, Grid, Probe};
use half::{bf16, f16};
use support::{control, scenario, scenario_in, simulated};

fn product<T: Gemm + Element + PartialEq + std::fmt::Debug>(cuda: &Cuda, from: fn(f32) -> T) {
    let upload = |values: &[f32]| -> Buffer<T> {
        cuda.upload(&values.iter().map(|value| from(*value)).collect::<Vec<_>>()).unwrap()
    };
    // Three rows and two columns times two rows and four columns.
    let a = upload(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let b = upload(&[1.0, 0.0, 2.0, -1.0, 0.0, 1.0, 1.0, 1.0]);
    let mut c = upload(&[1.0; 12]);
    cuda.blas().unwrap().gemm(3, 4, 2, 1.0, &a, &b, 2.0, &mut c).unwrap();
    let expected = [3.0, 4.0, 6.0, 3.0, 5.0, 6.0, 12.0, 3.0, 7.0, 8.0, 18.0, 3.0];
    assert_eq!(cuda.download(&c).unwrap(), expected.map(from));
}

#[test]
fn products_of_every_type() {
    scenario("products_of_every_type", "", || {
        let cuda = Cuda::find().unwrap();
        product::<f32>(&cuda, |value| value);
        product::<f64>(&cuda, f64::from);
        product::<f16>(&cuda, f16::from_f32);
        product::<bf16>(&cuda, bf16::from_f32);
        let (a, mut c) = (cuda.zeros::<f32>(6).unwrap(), cuda.zeros::<f32>(4).unwrap());
        let error = cuda.blas().unwrap().gemm(2, 2, 2, 1.0, &a, &a, 0.0, &mut c).unwrap_err();
        assert_eq!(error.to_string(), "use a buffer: a has 6 elements, and a matrix of 2x2 is needed");
        // One handle for all.
        assert_eq!(support::calls("cublasCreate_v2"), 1);
    });
}

/// Two rows and three columns times the transpose of two rows and three columns; exact in every type.
fn transposed<T: Gemm, C: GemmInto<T> + PartialEq + std::fmt::Debug>(
    cuda: &Cuda,
    from: fn(f32) -> T,
    into: fn(f32) -> C,
) {
    let upload = |values: &[f32]| -> Buffer<T> {
        cuda.upload(&values.iter().map(|value| from(*value)).collect::<Vec<_>>()).unwrap()
    };
    // The matrices are parts of larger buffers.
    let x = upload(&[9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0]);
    let weight = upload(&[1.0, 0.0, 2.0, -1.0, 3.0, 1.0]);
    let y = cuda.uninit::<C>(6).unwrap();
    let view = (x.view(1..7).unwrap(), weight.whole(), y.view(1..5).unwrap());
    cuda.blas().unwrap().gemm_transposed((2, 2, 3), &view.0, &view.1, &view.2).unwrap();
    let got = cuda.download(&y).unwrap();
    assert_eq!(got[1..5], [7.0, 8.0, 16.0, 17.0].map(into));
    // A NaN is not equal to itself.
    let outside = [&got[..1], &got[5..]];
    assert!(outside.iter().all(|part| *part != part.to_vec()), "what is outside of the view stays: {got:?}");
}

#[test]
fn products_with_a_transposed_factor() {
    scenario("products_with_a_transposed_factor", "", || {
        let cuda = Cuda::find().unwrap();
        transposed::<f32, f32>(&cuda, |value| value, |value| value);
        transposed::<f64, f64>(&cuda, f64::from, f64::from);
        transposed::<f16, f16>(&cuda, f16::from_f32, f16::from_f32);
        transposed::<f16, f32>(&cuda, f16::from_f32, |value| value);
        transposed::<bf16, bf16>(&cuda, bf16::from_f32, bf16::from_f32);
        transposed::<bf16, f32>(&cuda, bf16::from_f32, |value| value);
        let blas = cuda.blas().unwrap();
        // The sum is kept in f32: 1 + 1/512 is no bf16, and is what comes out in f32.
        let x = cuda.upload(&[bf16::from_f32(1.0), bf16::from_f32(1.0 / 512.0)]).unwrap();
        let ones = cuda.upload(&[bf16::ONE; 2]).unwrap();
        let (wide, narrow) = (cuda.uninit::<f32>(1).unwrap(), cuda.uninit::<bf16>(1).unwrap());
        blas.gemm_transposed((1, 1, 2), &x.whole(), &ones.whole(), &wide.whole()).unwrap();
        blas.gemm_transposed((1, 1, 2), &x.whole(), &ones.whole(), &narrow.whole()).unwrap();
        assert_eq!(cuda.download(&wide).unwrap(), [1.0 + 1.0 / 512.0]);
        assert_eq!(cuda.download(&narrow).unwrap(), [bf16::ONE]);
        // Nothing to sum is zero, and no row is nothing.
        blas.gemm_transposed((1, 1, 0), &x.view(0..0).unwrap(), &ones.view(0..0).unwrap(), &wide.whole())
            .unwrap();
        assert_eq!(cuda.download(&wide).unwrap(), [0.0]);
        blas.gemm_transposed((0, 1, 2), &x.view(0..0).unwrap(), &ones.whole(), &wide.view(0..0).unwrap())
            .unwrap();
        // Bytes are numbers by a cast.
        let bytes = cuda.upload(&[0_u8, 0, 0x80, 0x3f, 0, 0, 0, 0x40]).unwrap();
        let twos = bytes.whole().cast::<f32>().unwrap();
        let y = cuda.uninit::<f32>(1).unwrap();
        blas.gemm_transposed((1, 1, 2), &twos, &twos, &y.whole()).unwrap();
        assert_eq!(cuda.download(&y).unwrap(), [5.0]);
    });
}

#[test]
fn products_that_do_not_fit() {
    scenario("products_that_do_not_fit", "fail cublasGemmEx at 1 with 15", || {
        let cuda = Cuda::find().unwrap();
        let blas = cuda.blas().unwrap();
        let (x, y) = (cuda.zeros::<f32>(6).unwrap(), cuda.zeros::<f32>(4).unwrap());
        let error = |(m, n, k), y: &Buffer<f32>| {
            blas.gemm_transposed((m, n, k), &x.whole(), &x.whole(), &y.whole()).unwrap_err().to_string()
        };
        assert_eq!(
            error((2, 3, 3), &y),
            "use a buffer: weight has 6 elements, and a matrix of 3x3 is needed"
        );
        assert_eq!(error((2, 2, 2), &y), "use a buffer: x has 6 elements, and a matrix of 2x2 is needed");
        assert_eq!(error((2, 2, 3), &x), "use a buffer: y has 6 elements, and a matrix of 2x2 is needed");
        let all = cuda.zeros::<f32>(9).unwrap();
        let (a, b, c) = (all.view(0..2).unwrap(), all.view(2..4).unwrap(), all.view(3..4).unwrap());
        let text = blas.gemm_transposed((1, 1, 2), &a, &b, &c).unwrap_err().to_string();
        assert_eq!(text, "use a buffer: y shares memory with weight, and a product has to have its own");
        let text = error((2, 2, 3), &y);
        assert!(text.contains("cublasGemmEx answered CUBLAS_STATUS_NOT_SUPPORTED (15)"), "{text}");
        let odd = cuda.zeros::<u8>(9).unwrap();
        for range in [0..9, 1..9] {
            let text = odd.view(range).unwrap().cast::<f32>().unwrap_err().to_string();
            assert!(text.ends_with("are no whole and aligned numbers of f32"), "{text}");
        }
    });
}

#[test]
fn a_product_that_fails() {
    scenario(
        "a_product_that_fails",
        "fail cublasGemmEx at 1 with 13; fail cublasCreate_v2 at 1 with 3",
        || {
            let cuda = Cuda::find().unwrap();
            let text = cuda.blas().unwrap_err().to_string();
            assert!(
                text.starts_with("use cuBLAS: cublasCreate answered CUBLAS_STATUS_ALLOC_FAILED (3); "),
                "{text}"
            );
            let a = cuda.zeros::<f32>(1).unwrap();
            let mut c = cuda.zeros::<f32>(1).unwrap();
            let text = cuda.blas().unwrap().gemm(1, 1, 1, 1.0, &a, &a, 0.0, &mut c).unwrap_err().to_string();
            assert!(text.contains("cublasGemmEx answered CUBLAS_STATUS_EXECUTION_FAILED (13)"), "{text}");
        },
    );
}

/// A folder with the simulated driver alone.
fn driver_alone() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let driver = std::fs::canonicalize(simulated().join("libcuda.so.1")).unwrap();
    std::os::unix::fs::symlink(driver, folder.path().join("libcuda.so.1")).unwrap();
    folder
}

#[test]
fn libraries_that_are_not_there() {
    let folder = driver_alone();
    let path = folder.path().to_string_lossy().into_owned();
    scenario_in("libraries_that_are_not_there", &[("GAPBENCH_CUDA_PATH", &path)], || {
        let cuda = Cuda::find().unwrap();
        let source = Code::Source { name: "a.cu", text: "", options: &[] };
        let errors = [("cuBLAS", cuda.blas().err()), ("NVRTC", cuda.kernel(source, "a").err())];
        for (name, error) in errors {
            let Some(error) = error else {
                println!("SKIPPED libraries_that_are_not_there: this machine has {name}");
                continue;
            };
            let text = error.to_string();
            assert!(
                matches!(error, CudaError::Library { .. }) && text.starts_with(&format!("find {name} (")),
                "{text}"
            );
            assert!(
                text.contains("it is not in the folder of GAPBENCH_CUDA_PATH, /usr/local/nvidia/lib64, "),
                "{text}"
            );
            assert!(text.ends_with("name its folder in GAPBENCH_CUDA_PATH"), "{text}");
        }
        match Probe::open(&cuda.facts().uuid) {
            Ok(_) => println!("SKIPPED libraries_that_are_not_there: this machine has NVML"),
            Err(text) => assert!(
                text.starts_with("no libnvidia-ml.so.1 in the folder of GAPBENCH_CUDA_PATH, "),
                "{text}"
            ),
        }
    });
}

#[test]
fn the_device_tells_its_state() {
    scenario("the_device_tells_its_state", "", || {
        let probe = Probe::open_visible().unwrap();
        let before = probe.read();
        assert_eq!(support::calls("cuDevicePrimaryCtxRetain"), 0);
        assert!(!before.is_throttled());
        let cuda = Cuda::find().unwrap();
        let buffer = cuda.zeros::<u8>(100 << 20).unwrap();
        let now = Probe::open(&cuda.facts().uuid).unwrap().read();
        let grown = now.memory_used_bytes.unwrap() - before.memory_used_bytes.unwrap();
        assert!(grown >= buffer.bytes() as u64, "{grown}");
        assert_eq!(now.other_processes, Some(vec![]));
        assert!(now.clock_mhz.unwrap() <= now.max_clock_mhz.unwrap());
        assert!(now.power_milliwatts.unwrap() <= now.power_limit_milliwatts.unwrap());
        assert!(now.energy_millijoules.is_some() && now.temperature_celsius.unwrap() > 10);
        control("throttle 2 0x48");
        let throttled = probe.read();
        assert_eq!(
            throttled.throttle_reasons.as_deref().unwrap(),
            ["hardware slowdown", "hardware thermal slowdown"]
        );
        assert!(throttled.is_throttled() && throttled.clock_mhz < now.clock_mhz);
        let text = Probe::open("GPU-00000000-0000-0000-0000-000000000000").unwrap_err();
        assert!(text.contains("nvmlDeviceGetHandleByUUID: "), "{text}");
    });
}

const SOURCE: &str = r#"extern "C" __global__ void scale(float *data, float factor, unsigned count) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) data[i] *= factor;
}"#;

/// Runs a scenario with NVRTC, where this machine has it, and an empty cache.
fn with_nvrtc(name: &str, body: fn()) {
    if support::is_child() {
        return scenario_in(name, &[], body);
    }
    let cache = tempfile::tempdir().unwrap();
    let before = |name: &str| match std::env::var_os(name) {
        Some(folders) => format!("{}:{}", simulated().display(), folders.to_string_lossy()),
        None => simulated().display().to_string(),
    };
    let (path, loader) = (before("GAPBENCH_CUDA_PATH"), before("LD_LIBRARY_PATH"));
    let cache = cache.path().to_string_lossy().into_owned();
    let keep = ["VIRTUAL_ENV", "CONDA_PREFIX", "CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"];
    let kept: Vec<(&str, String)> =
        keep.iter().filter_map(|name| std::env::var(name).ok().map(|value| (*name, value))).collect();
    let mut variables = vec![
        ("GAPBENCH_CUDA_PATH", path.as_str()),
        ("XDG_CACHE_HOME", cache.as_str()),
        ("LD_LIBRARY_PATH", loader.as_str()),
    ];
    variables.extend(kept.iter().map(|(name, value)| (*name, value.as_str())));
    scenario_in(name, &variables, body);
}

fn has_nvrtc(cuda: &Cuda, name: &str) -> bool {
    let source = Code::Source { name: "scale.cu", text: SOURCE, options: &[] };
    match cuda.kernel(source, "scale") {
        Err(error @ CudaError::Library { .. }) => {
            println!("SKIPPED {name}: {error}");
            false
        }
        answer => {
            answer.unwrap();
            true
        }
    }
}

#[test]
fn source_is_compiled_once_and_runs() {
    with_nvrtc("source_is_compiled_once_and_runs", || {
        let cuda = Cuda::find().unwrap();
        if !has_nvrtc(&cuda, "source_is_compiled_once_and_runs") {
            return;
        }
        let source = Code::Source { name: "scale.cu", text: SOURCE, options: &[] };
        let entries = || {
            let cache = std::path::PathBuf::from(std::env::var_os("XDG_CACHE_HOME").unwrap());
            let entries = std::fs::read_dir(cache.join("gapbench/nvrtc")).unwrap();
            let entries = entries.map(|entry| entry.unwrap());
            entries
                .map(|entry| (entry.path(), entry.metadata().unwrap().modified().unwrap()))
                .collect::<Vec<_>>()
        };
        let kept = entries();
        assert_eq!(kept.len(), 1);
        let scale = cuda.kernel(source, "scale").unwrap();
        assert_eq!(scale.parameters().unwrap(), [8, 4, 4]);
        let mut data = cuda.upload(&[1.0_f32, 2.0, 3.0]).unwrap();
        scale.launch(cuda.stream(), Grid::cover(3, 32), (&mut data, 2.0_f32, 3_u32)).unwrap();
        assert_eq!(cuda.download(&data).unwrap(), [2.0, 4.0, 6.0]);
        // Another holder of the device takes what was kept.
        drop((scale, data, cuda));
        let cuda = Cuda::find().unwrap();
        cuda.kernel(source, "scale").unwrap();
        assert_eq!(entries(), kept);
        drop(cuda);
        std::fs::write(&kept[0].0, "damaged").unwrap();
        Cuda::find().unwrap().kernel(source, "scale").unwrap();
        assert!(std::fs::metadata(&kept[0].0).unwrap().len() > 100);
        let options = Code::Source { name: "scale.cu", text: SOURCE, options: &["--use_fast_math"] };
        Cuda::find().unwrap().kernel(options, "scale").unwrap();
        assert_eq!(entries().len(), 2);
    });
}

#[test]
fn errors_of_source_have_its_name_and_line() {
    with_nvrtc("errors_of_source_have_its_name_and_line", || {
        let cuda = Cuda::find().unwrap();
        if !has_nvrtc(&cuda, "errors_of_source_have_its_name_and_line") {
            return;
        }
        let broken = SOURCE.replace("factor;", "facto;");
        let error =
            cuda.kernel(Code::Source { name: "scale.cu", text: &broken, options: &[] }, "scale").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("compile scale.cu:\nscale.cu(3): error: "), "{text}");
        let wrong = Code::Source { name: "scale.cu", text: SOURCE, options: &["--no-such-option"] };
        let text = cuda.kernel(wrong, "scale").unwrap_err().to_string();
        assert!(text.contains("--no-such-option"), "{text}");
        let half = "#include <cuda_fp16.h>\nextern \"C\" __global__ void half_of(__half *data) { data[0] = __hmul(data[0], __float2half(0.5f)); }";
        match cuda.kernel(Code::Source { name: "half.cu", text: half, options: &[] }, "half_of") {
            Ok(_) => {}
            Err(error) => println!("SKIPPED headers: {error}"),
        }
    });
}
