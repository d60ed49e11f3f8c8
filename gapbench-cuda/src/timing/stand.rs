//! The measuring stand: one observation, whole.

use std::time::Duration;

use gapbench::Error;
use gapbench::measure::now_ns;

use super::hold::Hold;
use crate::buffer::Buffer;
use crate::cuda::Cuda;
use crate::error::CudaError;
use crate::event::Event;
use crate::function::{Function, Grid};
use crate::mapped::Mapped;
use crate::module::Code;
use crate::stream::Stream;

/// What the stand launches itself.
pub(super) const HARNESS: Code<'static> = Code::Ptx(include_str!("harness.ptx"));

/// The author's launch: queues work on the stream and returns.
pub(crate) type Launching<'a> = dyn FnMut(&Stream) -> Result<(), Error> + 'a;

/// How long a stream is held at most while the host queues what it times. Queueing takes microseconds; only a launch
/// that waits for the stream takes longer, and it would wait for ever.
const HELD_AT_MOST: Duration = Duration::from_secs(2);

/// Launches that are queued behind a held stream at most: a queue of the driver is finite, and a full one blocks the
/// host that should let the stream go.
///
/// # Source
/// NVIDIA/nvbench, `docs/benchmarks.md`, "Beware: Combinations of ..."; its batch mode queues two.
const QUEUED_BEHIND_HOLD: u64 = 2;

/// Times launches on one stream of a device.
#[derive(Debug)]
pub(crate) struct Stand {
    cuda: Cuda,
    hold: Hold,
    stamp: Function,
    empty: Function,
    /// Nanoseconds and cycles, before and after.
    stamps: [Mapped<u64>; 2],
    /// Around what is timed.
    events: [Event; 2],
    /// Twice the second-level cache.
    flush: Buffer<u8>,
}

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observation {
    /// Seconds between the two events.
    pub(crate) seconds: f64,
    /// Seconds that the host waited for the released stream.
    pub(crate) host_seconds: f64,
    /// The multiprocessors' clock meanwhile as a share of their highest, where both are known.
    pub(crate) clock_share: Option<f64>,
}

impl Stand {
    pub(crate) fn new(cuda: &Cuda) -> Result<Stand, CudaError> {
        let l2 = usize::try_from(cuda.facts().l2_bytes).unwrap_or(0).max(1 << 20);
        Ok(Stand {
            hold: Hold::new(cuda)?,
            stamp: cuda.kernel(HARNESS, "gapbench_stamp")?,
            empty: cuda.kernel(HARNESS, "gapbench_empty")?,
            stamps: [cuda.mapped(2)?, cuda.mapped(2)?],
            events: [cuda.stream().event()?, cuda.stream().event()?],
            flush: cuda.zeros(2 * l2)?,
            cuda: cuda.clone(),
        })
    }

    /// The device.
    pub(crate) fn cuda(&self) -> &Cuda {
        &self.cuda
    }

    /// A kernel that copies: addresses from and to, and how many 16 bytes.
    pub(crate) fn copy_kernel(&self) -> Result<Function, CudaError> {
        self.cuda.kernel(HARNESS, "gapbench_copy")
    }

    fn stream(&self) -> &Stream {
        self.cuda.stream()
    }

    /// Launches an empty kernel.
    pub(crate) fn launch_empty(&self, stream: &Stream) -> Result<(), CudaError> {
        self.empty.launch(stream, Grid::new(1, 1), ())
    }

    /// One launch whose data is in no cache.
    ///
    /// # Errors
    /// Those of the launch and of the device; and a sentence where the launch waits for the stream it is queued on.
    pub(crate) fn cold(&self, launch: &mut Launching<'_>) -> Result<Observation, Error> {
        let stream = self.stream();
        stream.fill_bytes(self.flush.ptr(), 0, self.flush.bytes())?;
        stream.synchronize()?;
        self.hold.hold(stream, HELD_AT_MOST)?;
        let queued = self.queue(launch);
        self.hold.release();
        let released_ns = now_ns();
        let seconds = self.seconds(queued)?;
        let host_seconds = now_ns().saturating_sub(released_ns) as f64 * 1e-9;
        Ok(Observation { seconds, host_seconds, clock_share: self.clock_share() })
    }

    fn queue(&self, launch: &mut Launching<'_>) -> Result<(), Error> {
        let (stream, [begin, end]) = (self.stream(), &self.events);
        let [before, after] = &self.stamps;
        self.stamp(before)?;
        stream.record_into(begin)?;
        launch(stream)?;
        stream.record_into(end)?;
        Ok(self.stamp(after)?)
    }

    /// Waits for what was queued, and answers how long it took between the events.
    fn seconds(&self, queued: Result<(), Error>) -> Result<f64, Error> {
        let [begin, end] = &self.events;
        let waited = self.stream().synchronize();
        // A launch that waited in vain may have failed for that; then that is the reason to tell.
        if waited.is_ok() && self.hold.was_late() {
            return Err(waits_for_itself().into());
        }
        queued?;
        waited?;
        Ok(begin.elapsed(end)?)
    }

    fn stamp(&self, into: &Mapped<u64>) -> Result<(), CudaError> {
        // A block for each multiprocessor, so that the one whose counter is read gets one.
        let blocks = u32::try_from(self.cuda.facts().multiprocessors).unwrap_or(1).max(1);
        self.stamp.launch(self.stream(), Grid::new(blocks, 1), (into.address(),))
    }

    /// Cycles over nanoseconds between the stamps, against the highest clock.
    fn clock_share(&self) -> Option<f64> {
        let [before, after] = &self.stamps;
        let nanos = after.get(0).checked_sub(before.get(0)).filter(|nanos| *nanos > 0)?;
        let cycles = after.get(1).checked_sub(before.get(1)).filter(|cycles| *cycles > 0)?;
        let highest_khz = f64::from(self.cuda.facts().clock_khz);
        // Cycles per nanosecond are GHz.
        (highest_khz > 0.0).then(|| cycles as f64 / nanos as f64 * 1e6 / highest_khz)
    }

    /// The mean of `launches` launches one behind the other, in seconds.
    ///
    /// # Errors
    /// Those of [`cold`](Stand::cold).
    pub(crate) fn hot(&self, launches: u64, launch: &mut Launching<'_>) -> Result<f64, Error> {
        let stream = self.stream();
        stream.synchronize()?;
        self.hold.hold(stream, HELD_AT_MOST)?;
        let queued = self.queue_batch(launches, launch);
        self.hold.release();
        Ok(self.seconds(queued)? / launches.max(1) as f64)
    }

    fn queue_batch(&self, launches: u64, launch: &mut Launching<'_>) -> Result<(), Error> {
        let (stream, [begin, end]) = (self.stream(), &self.events);
        stream.record_into(begin)?;
        for number in 0..launches.max(1) {
            if number == QUEUED_BEHIND_HOLD {
                self.hold.release();
            }
            launch(stream)?;
        }
        Ok(stream.record_into(end)?)
    }
}

fn waits_for_itself() -> String {
    format!(
        "the launch waits for the stream: the stream was held so that the device alone is timed, and after {} s the \
         closure had not returned. Inside `launch`, queue work on the given stream and do nothing that waits for it: no \
         `synchronize`, no `download`, no memory that is freed or allocated outside the stream",
        HELD_AT_MOST.as_secs()
    )
}
