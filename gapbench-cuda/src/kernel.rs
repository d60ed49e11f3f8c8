//! What a benchmark of a CUDA kernel holds.

use gapbench::declare::Kind;
use gapbench::measure::{Session, Target, first_answer, now_ns, say};
use gapbench::plan::{Job, JobMode};
use gapbench::record::{Condition, ConditionValue, Conditions, Data, Event, Metric, Note, Series};
use gapbench::{Error, Result};

use crate::buffer::Buffer;
use crate::check::Answer;
use crate::cuda::Cuda;
use crate::describe;
use crate::element::Element;
use crate::function::Function;
use crate::memory_report;
use crate::module::Code;
use crate::outputs::Outputs;
use crate::peaks;
use crate::stream::Stream;
use crate::timing::{self, Observed, Stand};

/// Measures a kernel on a device. The function calls [`launch`](Kernel::launch) once and then [`check`](Kernel::check).
///
/// ```no_run
/// use gapbench::prelude::*;
/// use gapbench_cuda::{Cuda, Grid, Kernel, close};
///
/// const SCALE: &str = include_str!("../tests/fixtures/kernels.ptx");
///
/// #[gap_bench(len = [1 << 20, 1 << 24])]
/// fn scale(bench: &mut Kernel<Cuda>, len: usize) -> Result<()> {
///     let scale = bench.kernel(SCALE, "scale")?;
///     let device = bench.device().clone();
///     let x = device.random::<f32>(len, bench.seed())?;
///     let mut y = device.uninit::<f32>(len)?;
///     bench.reads(&x).writes(&y).flops(len as u64);
///     bench.launch(|stream| scale.launch(stream, Grid::cover(len, 256), (&x, &mut y, len as u32)))?;
///     bench.check(|| {
///         let twice: Vec<f64> = device.download(&x)?.iter().map(|x| 2.0 * f64::from(*x)).collect();
///         Ok::<_, gapbench::Error>(close(&twice, &device.download(&y)?, 0.0, 0.0)?)
///     })
/// }
/// # gapbench::main!();
/// ```
#[derive(Debug)]
pub struct Kernel<D> {
    job: Job,
    device: D,
    conditions: Conditions,
    outputs: Outputs,
    /// Bytes that the buffers make up, and what the author says instead.
    moved: u64,
    bytes: Option<u64>,
    flops: Option<u64>,
    elements: Option<u64>,
    launched: usize,
    checked: usize,
}

impl Target for Kernel<Cuda> {
    const KIND: Kind = Kind::Kernel;

    fn open(session: &Session) -> Result<Self> {
        let job = session.job.clone();
        let device = Cuda::find()?;
        device.memory().reset_peaks()?;
        if !job.survey {
            say(&Event::Device(describe::device(&device)));
        }
        let conditions = job
            .conditions
            .clone()
            .with(Condition::Hardware, device.facts().name.as_str())
            .with(Condition::Count, 1.0);
        Ok(Kernel {
            job,
            device,
            conditions,
            outputs: Outputs::default(),
            moved: 0,
            bytes: None,
            flops: None,
            elements: None,
            launched: 0,
            checked: 0,
        })
    }

    fn survey(self) -> Result<()> {
        let mut device = describe::device(&self.device);
        describe::probe(&mut device, &self.device);
        let stand = Stand::new(&self.device)?;
        peaks::measure(&stand, &mut device);
        say(&Event::Device(device));
        Ok(())
    }

    fn close(self) -> Result<()> {
        match (self.launched, self.checked) {
            (0, _) => Err("nothing was measured: the benchmark function never called `launch`".into()),
            (1, 0) => Err("the output was never checked: call `check` after `launch`, since a time without a right \
                           answer is no number"
                .into()),
            (1, _) => Ok(()),
            (launched, _) => Err(format!(
                "`launch` was called {launched} times, so that one case would have several numbers; write one function \
                 for each, or use an axis"
            )
            .into()),
        }
    }
}

impl<D> Kernel<D> {
    /// The device.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// The seed of the run, for random inputs.
    pub fn seed(&self) -> u64 {
        self.job.seed
    }

    /// Whether this process only runs the kernel once, to see that it works: then smaller shapes are enough.
    pub fn is_test(&self) -> bool {
        self.job.mode == JobMode::Test
    }

    /// States a condition of the measurement, such as `Condition::Dtype`; claims are compared only under equal ones.
    pub fn condition(&mut self, condition: Condition, value: impl Into<ConditionValue>) -> &mut Self {
        self.conditions.known.insert(condition, value.into());
        self
    }

    /// States how many bytes of device memory one launch moves, for bytes per second and the roofline: by default as many
    /// as the buffers of [`reads`](Kernel::reads), [`writes`](Kernel::writes) and, twice, [`updates`](Kernel::updates)
    /// have.
    pub fn bytes(&mut self, per_launch: u64) -> &mut Self {
        self.bytes = Some(per_launch);
        self
    }

    /// States how many elements one launch processes, such as tokens, so that elements per second are reported too.
    pub fn elements(&mut self, per_launch: u64) -> &mut Self {
        self.elements = Some(per_launch);
        self
    }

    /// States how many floating-point operations one launch does, for operations per second and the roofline.
    pub fn flops(&mut self, per_launch: u64) -> &mut Self {
        self.flops = Some(per_launch);
        self
    }
}

impl Kernel<Cuda> {
    /// Loads a kernel of a module; the time is a phase of the cold start.
    ///
    /// # Errors
    /// [`CudaError`](crate::CudaError): an image that the driver refuses, or no kernel of this name.
    pub fn kernel<'a>(&self, code: impl Into<Code<'a>>, name: &str) -> Result<Function> {
        Ok(self.device.kernel(code, name)?)
    }

    /// Every launch reads `buffer`.
    pub fn reads<T: Element>(&mut self, buffer: &Buffer<T>) -> &mut Self {
        self.moved += buffer.bytes() as u64;
        self
    }

    /// Every launch writes `buffer` anew. It is filled with a pattern before a launch is timed, so that a launch that
    /// does nothing is caught.
    pub fn writes<T: Element>(&mut self, buffer: &Buffer<T>) -> &mut Self {
        self.moved += buffer.bytes() as u64;
        self.outputs.written(buffer);
        self
    }

    /// Every launch reads `buffer` and writes over it. What it holds now is put back before a launch is timed; within a
    /// batch of launches each gets what the one before it left.
    ///
    /// # Errors
    /// Where there is no memory for a copy of it.
    pub fn updates<T: Element>(&mut self, buffer: &Buffer<T>) -> Result<&mut Self> {
        self.moved += 2 * buffer.bytes() as u64;
        self.outputs.updated(&self.device, buffer)?;
        Ok(self)
    }

    /// Times `launch`, which queues the kernel on the given stream and does not wait for it.
    ///
    /// # Errors
    /// Those of `launch` and of the device; a launch that waits for the stream; one that wrote nothing.
    pub fn launch<E: Into<Error>>(
        &mut self,
        mut launch: impl FnMut(&Stream) -> std::result::Result<(), E>,
    ) -> Result<()> {
        self.launched += 1;
        if self.launched > 1 {
            // `close` says so.
            return Ok(());
        }
        if !self.outputs.are_known() {
            return Err("no output is known: name what the kernel writes with `writes` or `updates`, so that it can be \
                        seen that it did"
                .into());
        }
        let mut launch = |stream: &Stream| launch(stream).map_err(Into::into);
        self.outputs.prepare(self.device.stream())?;
        self.device.synchronize()?;
        // Not held: whatever is wrong with the launch itself shows here, with the kernel's name.
        let start_ns = now_ns();
        launch(self.device.stream())?;
        self.device.synchronize()?;
        let end_ns = now_ns();
        self.outputs.expect_changed(&self.device, "the first launch")?;
        match self.job.mode {
            JobMode::FirstAnswer => {
                first_answer(&self.job, None, &self.conditions, start_ns, end_ns)?;
                // Before the measuring stand takes memory of its own.
                memory_report::report(&self.job, &self.device, &self.conditions)
            }
            JobMode::Measure if self.job.latency => self.measure(&mut launch),
            JobMode::Measure | JobMode::Test | JobMode::Load => Ok(()),
        }
    }

    /// Checks the output of the launch that was timed last: no right answer, no number. `check` may return `bool`, or a
    /// `Result` such as that of [`close`](crate::close).
    ///
    /// # Errors
    /// What is wrong with the output.
    pub fn check<A: Answer>(&mut self, check: impl FnOnce() -> A) -> Result<()> {
        self.checked += 1;
        if let Some(text) = check().judge()? {
            say(&Event::Note(Note { code: "checked".to_owned(), text }));
        }
        Ok(())
    }

    fn measure(&self, launch: &mut timing::Launching<'_>) -> Result<()> {
        let stand = Stand::new(&self.device)?;
        let floor = timing::floor(&stand)?;
        let (device, outputs) = (&self.device, &self.outputs);
        let observed = timing::observe(
            &stand,
            &self.job.budget,
            launch,
            &mut || Ok(outputs.prepare(device.stream())?),
            &mut || outputs.expect_changed(device, "a batch of launches"),
        )?;
        outputs.expect_changed(device, "the last timed launch")?;
        self.report(floor, observed);
        Ok(())
    }

    fn report(&self, floor: Vec<f64>, observed: Observed) {
        if let Some(text) = observed.remark() {
            let text = format!("{text}{}", describe::throttle_reasons(&self.device));
            say(&Event::Note(Note { code: "throttled".to_owned(), text }));
        }
        let series = |metric, values, calls_per_value| {
            let data = Data::Values { values, calls_per_value };
            say(&Event::Series(Series { metric, inputs: None, conditions: self.conditions.clone(), data }));
        };
        let bytes = self.bytes.unwrap_or(self.moved);
        let rate = |work: u64| observed.cold.iter().map(|seconds| work as f64 / seconds).collect::<Vec<_>>();
        if bytes > 0 {
            series(Metric::ThroughputBytes, rate(bytes), 1);
        }
        if let Some(flops) = self.flops {
            series(Metric::ThroughputFlops, rate(flops), 1);
        }
        if let Some(elements) = self.elements {
            series(Metric::ThroughputSamples, rate(elements), 1);
        }
        match self.attainable(bytes) {
            Ok(seconds) => {
                series(Metric::RooflineShare, observed.cold.iter().map(|cold| seconds / cold).collect(), 1);
            }
            Err(why) => {
                let text = format!("no share of the roofline: {why}");
                say(&Event::Note(Note { code: "roofline".to_owned(), text }));
            }
        }
        series(Metric::LatencyLaunchFloor, floor, 1);
        series(Metric::LatencyKernelHot, observed.hot, observed.hot_launches);
        series(Metric::LatencyKernel, observed.cold, 1);
    }

    /// The least seconds that the device's measured peaks allow for the work of one launch.
    ///
    /// # Source
    /// Williams, Waterman, Patterson 2009, "Roofline: an insightful visual performance model for multicore architectures".
    fn attainable(&self, bytes: u64) -> std::result::Result<f64, String> {
        let device = self.job.device.as_ref().ok_or("the device's peaks were not measured")?;
        let over = |work: u64, peak: Option<f64>, what: &str| match peak.filter(|peak| *peak > 0.0) {
            Some(peak) => Ok(work as f64 / peak),
            None => Err(format!("no peak of {what} was measured on this device")),
        };
        let moving =
            if bytes == 0 { 0.0 } else { over(bytes, device.peak(Metric::ThroughputBytes, None), "bytes")? };
        let computing = match self.flops {
            None => 0.0,
            Some(flops) => {
                let dtype = self.conditions.get(Condition::Dtype).map(ToString::to_string);
                let dtype = dtype
                    .ok_or("state the operands' number format: `condition(Condition::Dtype, \"bf16\")`")?;
                let peak = device.peak(Metric::ThroughputFlops, Some(&dtype));
                over(flops, peak, &format!("operations in {dtype}"))?
            }
        };
        let seconds = f64::max(moving, computing);
        if seconds > 0.0 { Ok(seconds) } else { Err("no bytes and no operations were declared".to_owned()) }
    }
}
