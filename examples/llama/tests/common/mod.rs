//! What several tests share: model folders to load, and greedy decoding.

#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use llama::{
    CONFIG_FILE, Config, CpuEngine, Dtype, TOKENIZER_FILE, Weights, layout, presets, weights::WEIGHTS_FILE,
};
use safetensors::{SafeTensors, tensor::TensorView};

/// One tensor as stored: number format, shape, bytes.
pub(crate) type Stored = (safetensors::Dtype, Vec<usize>, Vec<u8>);

/// An empty folder of this test's own.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The preset `tiny`, written into a folder of this test's own.
pub(crate) fn tiny(test: &str) -> PathBuf {
    let folder = folder(test);
    presets::write(&folder, &presets::preset("tiny").unwrap(), 1).unwrap();
    folder
}

/// An engine over a model folder.
pub(crate) fn engine(folder: &Path, cache_tokens: usize) -> CpuEngine {
    let config = Config::load(folder).unwrap();
    CpuEngine::load(config, &Weights::open(folder).unwrap(), cache_tokens).unwrap()
}

/// The folder of stories260K beside this repository; where it is absent, a line says that the test is skipped.
pub(crate) fn stories(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stories260K");
    if !folder.exists() {
        // Not `println`, which is shown for failed tests only.
        let line = format!("skipped {test}: no {}\n", folder.display());
        io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    Some(folder)
}

/// The text that llama2.c's documentation prints for stories260K at temperature 0.
pub(crate) fn published(stories: &Path) -> String {
    let page = fs::read_to_string(stories.join("karpathy_stories260K.md")).unwrap();
    let after = page.split_once("-t 0.0\n").unwrap().1;
    after.split_once("\n```").unwrap().0.to_owned()
}

/// The tensors of a weights file.
pub(crate) fn read_tensors(path: &Path) -> BTreeMap<String, Stored> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, view)| (name.into(), (view.dtype(), view.shape().into(), view.data().into())))
        .collect()
}

pub(crate) fn write_tensors(path: &Path, tensors: &BTreeMap<String, Stored>) {
    let views = tensors
        .iter()
        .map(|(name, (dtype, shape, data))| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// A copy of stories260K with its weights stored in another format.
pub(crate) fn stories_as(stories: &Path, test: &str, dtype: Dtype) -> PathBuf {
    let (from, to) = (stories.join("hf"), folder(test));
    for file in [CONFIG_FILE, TOKENIZER_FILE] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let weights = Weights::open(&from).unwrap();
    let mut tensors = BTreeMap::new();
    for (name, shape) in layout::tensors(&Config::load(&from).unwrap()) {
        let numbers = weights.tensor(&name).unwrap().to_f32();
        let bytes = |to: fn(f32) -> Vec<u8>| numbers.iter().flat_map(|number| to(*number)).collect();
        let stored = match dtype {
            Dtype::F32 => (safetensors::Dtype::F32, bytes(|x| x.to_le_bytes().into())),
            Dtype::F16 => (safetensors::Dtype::F16, bytes(|x| half::f16::from_f32(x).to_le_bytes().into())),
            Dtype::Bf16 => {
                (safetensors::Dtype::BF16, bytes(|x| half::bf16::from_f32(x).to_le_bytes().into()))
            }
            // Vectors stay as they are.
            Dtype::I8 if shape.len() == 1 => (safetensors::Dtype::F32, bytes(|x| x.to_le_bytes().into())),
            Dtype::I8 => {
                let (rounded, scales) = int8(&numbers, shape[1]);
                let scales = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
                tensors.insert(format!("{name}.scale"), (safetensors::Dtype::F32, vec![shape[0]], scales));
                (safetensors::Dtype::I8, rounded)
            }
        };
        tensors.insert(name, (stored.0, shape, stored.1));
    }
    write_tensors(&to.join(WEIGHTS_FILE), &tensors);
    to
}

/// Each row rounded to signed bytes, and the scale of each row.
fn int8(numbers: &[f32], columns: usize) -> (Vec<u8>, Vec<f32>) {
    let scale = |row: &[f32]| row.iter().fold(0.0_f32, |most, x| most.max(x.abs())).max(1e-12) / 127.0;
    let scales: Vec<f32> = numbers.chunks(columns).map(scale).collect();
    let rows = numbers.chunks(columns).zip(&scales);
    let bytes =
        rows.flat_map(|(row, scale)| row.iter().map(move |x| ((x / scale).round() as i8).cast_unsigned()));
    (bytes.collect(), scales)
}
