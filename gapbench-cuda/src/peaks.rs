//! What a device can do at most, measured on it.

use gapbench::record::{Device, Metric, Peak};
use gapbench::{Error, Result};
use half::bf16;

use crate::blas::Gemm;
use crate::element::Random;
use crate::function::Grid;
use crate::stream::Stream;
use crate::timing::Stand;

/// How often each thing is done; the fastest counts.
const REPEATS: usize = 20;

/// How much a peak is measured with. Large enough to fill a device for a millisecond; on a simulated one, whose times are
/// made up, no more than shows that it works.
struct Amount {
    copied_bytes: usize,
    matrix: usize,
}

const REAL: Amount = Amount { copied_bytes: 1 << 30, matrix: 8192 };
const SIMULATED: Amount = Amount { copied_bytes: 1 << 22, matrix: 64 };

/// Adds what can be measured to `device`, and a sentence for what cannot.
pub(crate) fn measure(stand: &Stand, device: &mut Device) {
    let amount = if device.simulated { SIMULATED } else { REAL };
    let mut add = |metric: Metric, dtype: Option<&str>, name: &str, found: Result<f64>| match found {
        Ok(value) => device.peaks.push(Peak { metric, dtype: dtype.map(str::to_owned), value }),
        Err(why) => device.unmeasured.push(format!("{name}: {why}")),
    };
    add(Metric::ThroughputBytes, None, "copy", copy(stand, amount.copied_bytes));
    add(Metric::ThroughputFlops, Some("bf16"), "product in bf16", product::<bf16>(stand, amount.matrix));
    add(Metric::ThroughputFlops, Some("f32"), "product in f32", product::<f32>(stand, amount.matrix));
}

/// Bytes per second, read and written, of the fastest copy: the driver's own, or a kernel's.
fn copy(stand: &Stand, most: usize) -> Result<f64> {
    let cuda = stand.cuda();
    // Half of what is free, so that a device that others use is measured too.
    let free = usize::try_from(cuda.memory().free_bytes()?)?;
    let bytes = most.min(free / 4) / 16 * 16;
    let (from, to) = (cuda.zeros::<u8>(bytes)?, cuda.zeros::<u8>(bytes)?);
    let mut by_driver = |stream: &Stream| Ok(stream.copy(to.ptr(), from.ptr(), bytes)?);
    let driver = fastest(stand, &mut by_driver)?;
    let kernel = stand.copy_kernel()?;
    // Eight blocks of 256 threads fill a multiprocessor of 2,048.
    let blocks = u32::try_from(cuda.facts().multiprocessors).unwrap_or(1).max(1) * 8;
    let vectors = (bytes / 16) as u64;
    let mut by_kernel =
        |stream: &Stream| Ok(kernel.launch(stream, Grid::new(blocks, 256), (&from, &to, vectors))?);
    let seconds = driver.min(fastest(stand, &mut by_kernel)?);
    if cuda.download(&to)? != cuda.download(&from)? {
        return Err("the copy differs from what was copied".into());
    }
    Ok(2.0 * bytes as f64 / seconds)
}

/// Operations per second of the fastest product of two square matrices through cuBLAS, a product and a sum counting two.
fn product<T: Gemm + Random + Into<f64>>(stand: &Stand, size: usize) -> Result<f64> {
    let cuda = stand.cuda();
    let blas = cuda.blas()?;
    let (a, b) = (cuda.random::<T>(size * size, 1)?, cuda.random::<T>(size * size, 2)?);
    let mut c = cuda.uninit::<T>(size * size)?;
    let mut multiply = |_: &Stream| Ok(blas.gemm(size, size, size, 1.0, &a, &b, 0.0, &mut c)?);
    let seconds = fastest(stand, &mut multiply)?;
    // One element tells whether anything was computed; that cuBLAS computes it well is not ours to show.
    let element = cuda.download(&c)?.first().copied().map(Into::into);
    match element {
        Some(value) if f64::is_finite(value) => Ok(2.0 * (size as f64).powi(3) / seconds),
        _ => Err("the product is no number".into()),
    }
}

fn fastest(stand: &Stand, launch: &mut dyn FnMut(&Stream) -> std::result::Result<(), Error>) -> Result<f64> {
    let mut seconds = f64::INFINITY;
    for _ in 0..REPEATS {
        seconds = seconds.min(stand.cold(launch)?.seconds);
    }
    if seconds > 0.0 { Ok(seconds) } else { Err("it took no time".into()) }
}
