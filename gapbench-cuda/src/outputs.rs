//! The buffers that a kernel writes: poisoned before it is timed, so that a launch that writes nothing is caught.

use gapbench::Error;
use gapbench::measure::WrongAnswer;

use crate::buffer::{Buffer, POISON, View};
use crate::cuda::Cuda;
use crate::element::Element;
use crate::error::CudaError;
use crate::stream::Stream;

/// What a launch leaves behind.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    written: Vec<View<u8>>,
    updated: Vec<Updated>,
}

/// A buffer that is read and written: what it held is put back before each launch.
#[derive(Debug)]
struct Updated {
    region: View<u8>,
    held: View<u8>,
}

/// So many pieces of an output are looked at, from its beginning to its end.
const PIECES: usize = 64;
/// Bytes of each.
const PIECE_BYTES: usize = 256;

impl Outputs {
    /// Every launch writes `buffer` anew.
    pub(crate) fn written<T: Element>(&mut self, buffer: &Buffer<T>) {
        self.written.push(buffer.region());
    }

    /// Every launch reads what `buffer` holds now, and writes over it.
    pub(crate) fn updated<T: Element>(&mut self, cuda: &Cuda, buffer: &Buffer<T>) -> Result<(), CudaError> {
        let held = cuda.stream().allocate::<T>(buffer.len())?.region();
        cuda.stream().copy(held.ptr(), buffer.ptr(), buffer.bytes())?;
        cuda.stream().synchronize()?;
        self.updated.push(Updated { region: buffer.region(), held });
        Ok(())
    }

    /// Whether there are any.
    pub(crate) fn are_known(&self) -> bool {
        !(self.written.is_empty() && self.updated.is_empty())
    }

    /// Makes what a launch is to write wrong, and what it is to change as it was.
    pub(crate) fn prepare(&self, stream: &Stream) -> Result<(), CudaError> {
        for region in &self.written {
            stream.fill_bytes(region.ptr(), POISON, region.len())?;
        }
        for Updated { region, held } in &self.updated {
            stream.copy(region.ptr(), held.ptr(), region.len())?;
        }
        Ok(())
    }

    /// Whether launches changed every output since [`prepare`](Outputs::prepare), as far as a look at some pieces of
    /// each can tell.
    ///
    /// # Errors
    /// [`WrongAnswer`] where one is as it was prepared.
    pub(crate) fn expect_changed(&self, cuda: &Cuda, launches: &str) -> Result<(), Error> {
        let untouched = |number: usize, held: &str| {
            Err(WrongAnswer(format!(
                "output {} still holds {held} after {launches}: they wrote nothing to it, so what was timed is not the \
                 kernel",
                number + 1
            ))
            .into())
        };
        for (number, region) in self.written.iter().enumerate() {
            let pieces = pieces(cuda, region)?;
            if !pieces.is_empty() && pieces.iter().all(|byte| *byte == POISON) {
                return untouched(number, "the pattern that was put there");
            }
        }
        for (number, Updated { region, held }) in self.updated.iter().enumerate() {
            let now = pieces(cuda, region)?;
            if !now.is_empty() && now == pieces(cuda, held)? {
                return untouched(self.written.len() + number, "what it held before");
            }
        }
        Ok(())
    }
}

/// Bytes from places all over `region`.
fn pieces(cuda: &Cuda, region: &View<u8>) -> Result<Vec<u8>, CudaError> {
    let bytes = region.len();
    if bytes <= PIECES * PIECE_BYTES {
        return cuda.stream().read_bytes(region.ptr(), bytes);
    }
    let last = bytes - PIECE_BYTES;
    let mut found = Vec::with_capacity(PIECES * PIECE_BYTES);
    for number in 0..PIECES {
        // At most `last`, since the factor is at most one.
        let at = (last as u128 * number as u128 / (PIECES as u128 - 1)) as u64;
        found.extend(cuda.stream().read_bytes(region.ptr() + at, PIECE_BYTES)?);
    }
    Ok(found)
}
