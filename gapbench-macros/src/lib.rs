//! The attribute `#[gap_bench]` of [gapbench](https://docs.rs/gapbench): it records a function as a benchmark.
//!
//! Depend on `gapbench`, which re-exports the attribute; the expansion names `::gapbench::__private` and nothing else.
//! This crate knows the words of the attribute and the shape of a benchmark function. It must not know what a claims
//! file says or how anything is measured.
//!
//! Every mistake is answered at the token that holds it, and all mistakes of one attribute at once.

mod arguments;
mod axis;
mod cold_start;
mod expand;
mod load;
mod message;
mod mistakes;
mod options;
mod signature;

use std::path::PathBuf;

use proc_macro::TokenStream;

/// Makes a function a benchmark.
///
/// ```ignore
/// use gapbench::prelude::*;
///
/// /// Axes make a case per combination: four here.
/// #[gap_bench(paper = "papers/liger.toml#rms-norm-fwd", rows = [2048, 8192], hidden = [4096, 16384])]
/// fn rms_norm(bench: &mut Bencher, rows: usize, hidden: usize) -> Result<()> {
///     let x = random(rows, hidden)?;
///     bench.iter_checked(|| rms_norm_of(&x), |y| is_right(y, &x)); // no right answer, no number
///     Ok(())
/// }
/// ```
///
/// The function itself stays as it is written, and other code may call it. It is run in a fresh process per case, so
/// what it sets up cannot disturb another case.
///
/// # The function
///
/// | part | what it must be |
/// |---|---|
/// | first parameter | `&mut Bencher` for plain code, `&mut Serve` for a model that answers requests, `&mut Kernel<Cuda>` of `gapbench-cuda` for a kernel |
/// | other parameters | one per axis, passed by value, of a `Copy` type such as `usize` or `&'static str` |
/// | return type | nothing, or a `Result<(), E>` whose error can become a boxed `std::error::Error` |
///
/// It is a free function: not a method, not `async`, `unsafe`, `const` or `extern`, without type or lifetime
/// parameters. It may be private, stand in a module or in another function, and carry documentation and `#[cfg]`.
///
/// # Options
///
/// | option | form | meaning |
/// |---|---|---|
/// | `name` | `name = "rms-norm"` | the benchmark's name; the function's name without it. ASCII letters, digits, `_` and `-` |
/// | `paper` | `paper = "papers/liger.toml"` | held against every result of this claims file |
/// | | `paper = "papers/liger.toml#rms-norm-fwd"` | held against the result with this id |
/// | | `paper = ["a.toml", "b.toml#id"]` | several of them |
/// | `benchmark` | `benchmark = "data/stsb.jsonl"` | `Serve` only: the paper's own input set, JSON Lines |
/// | `inputs` | `inputs = "data/eval.jsonl"` | `Serve` only: your input set, JSON Lines |
/// | `cold_start` | `cold_start` | `Serve` and kernels: measure fresh processes from their start to the first answer |
/// | | `cold_start(process, jit, disk)` | each of these cold: no compiled device code found; the model's files not in the page cache |
/// | `memory` | `memory` | `Serve` and kernels: report the peak memory of the process, or of the device's pool |
/// | `load` | `load(clients = [1, 8, 50])` | `Serve` only: closed loops of so many clients; `think = "100ms"` lets them think |
/// | | `load(rates = [10, 50], arrivals = poisson)` | open loops of so many requests per second: `constant`, `poisson`, `gamma(0.5)` or `trace` |
/// | | `load(offline, search)` | all requests at once; the largest rate that meets the objectives |
/// | `slo` | `slo(p99 = "800ms", ttft_p95 = "300ms")` | with `load`: what is asked of `e2e` (or nothing), `ttft`, `tpot` or `itl` |
/// | `noise` | `noise = [light, medium, heavy]` | `Serve` only: the same inputs as people write them, each item against its clean form |
/// | | `noise = ["typo.keyboard,format.html@heavy"]` | these operators, in this order |
/// | an axis | `rows = [2048, 8192]` | the values of the parameter `rows` |
///
/// Paths are relative to the folder of the crate's `Cargo.toml`. A claims file has to exist when the benchmark is
/// compiled, because its text becomes part of the program.
///
/// # Axes
///
/// Every parameter after the first needs a list of values, and every list needs a parameter. A value is any constant
/// expression of the parameter's type. Its label, which stands in the case's name (`rows=2048,hidden=4096`), is
///
/// | value | label |
/// |---|---|
/// | a string or a character: `"bf16"` | its text: `bf16` |
/// | a path: `Mode::Fast` | its last segment: `Fast` |
/// | anything else: `1 << 10` | its text without spaces: `1<<10` |
///
/// A label is not empty, is unique within its axis, and has no space, comma, `=` or `::`, since these separate the
/// parts of a case's name. Where an expression has one of them, bind it to a `const` and list the constant.
///
/// # Errors
///
/// A mistake is a compile error at your own token, with the allowed words. A type that does not fit is the compiler's
/// own error, also at your token: a value at the value, a first parameter that cannot drive a benchmark at its type, a
/// return type at the return type.
#[proc_macro_attribute]
pub fn gap_bench(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    expand::expand(attribute.into(), item.into(), manifest_dir.as_deref()).into()
}
