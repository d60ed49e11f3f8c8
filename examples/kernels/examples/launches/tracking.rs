//! What cudarc's event tracking costs per launch.
//!
//! cudarc keeps two events with each allocation. While tracking is on, a launch waits for the events of every slice that
//! it takes and records them anew, so that streams are in order by themselves. gapbench-cuda turns it off.

use gapbench::Result;
use gapbench::measure::now_ns;
use gapbench_cuda::cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, LaunchConfig, PushKernelArg,
};
use gapbench_cuda::cudarc::nvrtc::Ptx;
use gapbench_cuda::{Cuda, Grid};
use kernels::vector_add;
use serde_json::{Value, json};
use std::sync::Arc;

/// Small enough that a launch is little else than its own cost.
const SHAPE: vector_add::Shape = vector_add::Shape { n: 4096 };
/// Launches in a row, fewer than a stream's queue holds.
const LAUNCHES: u32 = 64;
/// Of each way in turn; the median counts, the first is warm-up.
const ROUNDS: usize = 41;

/// One way's seconds per launch, a value per round: until the host had issued all, and until the device had done all.
#[derive(Default)]
struct Way {
    host: Vec<f64>,
    device: Vec<f64>,
}

struct Slices {
    a: CudaSlice<f32>,
    b: CudaSlice<f32>,
    c: CudaSlice<f32>,
}

pub(crate) fn measured() -> Result<Value> {
    let cuda = Cuda::find()?;
    let stream = cuda.stream().raw();
    let context = stream.context();
    let module = context.load_module(Ptx::from_src(vector_add::PTX))?;
    let function = module.load_function(vector_add::NAME)?;
    let ours = cuda.kernel(vector_add::PTX, vector_add::NAME)?;
    let len = usize::try_from(SHAPE.n)?;
    let (a, b) = (cuda.random::<f32>(len, 1)?, cuda.random::<f32>(len, 2)?);
    let mut c = cuda.uninit::<f32>(len)?;
    let shape = vector_add::launch(&SHAPE);
    let grid = Grid::new(shape.grid, shape.block);

    // Whether a slice has events is settled when it is made.
    let mut untracked = Slices::new(stream)?;
    tracking(context, true);
    let mut tracked = Slices::new(stream)?;
    let [mut off, mut on, mut own] = [Way::default(), Way::default(), Way::default()];
    for round in 0..ROUNDS {
        let counts = round > 0;
        tracking(context, false);
        off.time(&cuda, counts, || untracked.launch(stream, &function))?;
        own.time(&cuda, counts, || Ok(ours.launch(cuda.stream(), grid, (&a, &b, &mut c, SHAPE.n))?))?;
        tracking(context, true);
        on.time(&cuda, counts, || tracked.launch(stream, &function))?;
    }
    // The slices' ends are under the regime they were made in.
    drop(tracked);
    tracking(context, false);
    let facts = cuda.facts();
    Ok(json!({
        "schema": "gapbench.event-tracking", "version": 1,
        "device": facts.name, "simulated": facts.simulated,
        "kernel": vector_add::NAME, "elements": SHAPE.n, "launches": LAUNCHES, "rounds": ROUNDS - 1,
        "seconds_per_launch": {
            "cudarc_tracking_on": on.medians(),
            "cudarc_tracking_off": off.medians(),
            "gapbench_cuda": own.medians(),
        },
    }))
}

fn tracking(context: &CudaContext, on: bool) {
    // SAFETY: one stream is used, so that its order is the order of all uses.
    unsafe { if on { context.enable_event_tracking() } else { context.disable_event_tracking() } }
}

impl Slices {
    fn new(stream: &Arc<CudaStream>) -> Result<Slices> {
        let zeros = || stream.alloc_zeros::<f32>(usize::try_from(SHAPE.n).unwrap_or(0));
        Ok(Slices { a: zeros()?, b: zeros()?, c: zeros()? })
    }

    fn launch(&mut self, stream: &CudaStream, function: &CudaFunction) -> Result<()> {
        let shape = vector_add::launch(&SHAPE);
        let ([gx, gy, gz], [bx, by, bz]) = (shape.grid, shape.block);
        let config = LaunchConfig { grid_dim: (gx, gy, gz), block_dim: (bx, by, bz), shared_mem_bytes: 0 };
        let n = SHAPE.n;
        let mut launch = stream.launch_builder(function);
        launch.arg(&self.a).arg(&self.b).arg(&mut self.c).arg(&n);
        // SAFETY: these are the kernel's parameters, and each slice has as many elements as it is told.
        unsafe { launch.launch(config) }?;
        Ok(())
    }
}

impl Way {
    fn time(&mut self, cuda: &Cuda, counts: bool, mut launch: impl FnMut() -> Result<()>) -> Result<()> {
        let stream = cuda.stream();
        stream.synchronize()?;
        let begin = stream.record()?;
        let start = now_ns();
        for _ in 0..LAUNCHES {
            launch()?;
        }
        let issued = now_ns();
        let end = stream.record()?;
        end.synchronize()?;
        if counts {
            self.host.push((issued - start) as f64 * 1e-9 / f64::from(LAUNCHES));
            self.device.push(begin.elapsed(&end)? / f64::from(LAUNCHES));
        }
        Ok(())
    }

    fn medians(&self) -> Value {
        json!({ "host": median(&self.host), "device": median(&self.device) })
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
