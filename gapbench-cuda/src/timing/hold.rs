//! Holding a stream until the host lets it go.

use std::time::Duration;

use crate::cuda::Cuda;
use crate::error::CudaError;
use crate::function::{Function, Grid};
use crate::mapped::Mapped;
use crate::stream::Stream;

/// The word by which the host lets the stream go.
const RELEASE: usize = 0;
/// The word by which the kernel says that it waited in vain.
const LATE: usize = 1;

/// A kernel that waits for the host, and the words through which they speak.
#[derive(Debug)]
pub(super) struct Hold {
    kernel: Function,
    words: Mapped<u32>,
}

impl Hold {
    pub(super) fn new(cuda: &Cuda) -> Result<Hold, CudaError> {
        Ok(Hold { kernel: cuda.kernel(super::stand::HARNESS, "gapbench_hold")?, words: cuda.mapped(2)? })
    }

    /// Holds `stream`, for `at_most` this long on the device's clock.
    pub(super) fn hold(&self, stream: &Stream, at_most: Duration) -> Result<(), CudaError> {
        self.words.set(RELEASE, 0);
        self.words.set(LATE, 0);
        let nanos = u64::try_from(at_most.as_nanos()).unwrap_or(u64::MAX);
        self.kernel.launch(stream, Grid::new(1, 1), (self.words.address(), nanos))
    }

    /// Lets the stream go.
    pub(super) fn release(&self) {
        self.words.set(RELEASE, 1);
    }

    /// Whether the stream went by itself because the host did not let it go in time. To be asked once the stream is
    /// empty.
    pub(super) fn was_late(&self) -> bool {
        self.words.get(LATE) != 0
    }
}
