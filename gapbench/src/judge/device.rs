//! What forbids holding a number from a device against anything.

use crate::record::{CaseRow, Data, Metric, Series};
use crate::stats::Sample;
use crate::units::{Family, show};

/// Under so many empty launches it is the launch that is timed, not the kernel.
///
/// # Source
/// `docs/METHODOLOGY.md`, "Kernels".
const FLOORS: f64 = 3.0;

/// Why the number of `series` may be held against no claim; empty when nothing forbids it.
pub(super) fn forbids(row: &CaseRow, series: &Series) -> Vec<String> {
    if !series.metric.depends_on_machine() {
        return Vec::new();
    }
    let simulated = row.device.as_ref().filter(|device| device.simulated);
    let simulated = simulated.map(|device| {
        format!("device: paper a real one, here {}, whose times come from a model", device.name)
    });
    simulated.into_iter().chain(too_short(row, series)).collect()
}

/// A kernel that takes hardly longer than an empty one.
fn too_short(row: &CaseRow, series: &Series) -> Option<String> {
    let about_the_kernel = matches!(
        series.metric,
        Metric::LatencyKernel | Metric::ThroughputBytes | Metric::ThroughputFlops | Metric::RooflineShare
    );
    let median = |metric: Metric| {
        let series = row.series.iter().find(|series| series.metric == metric)?;
        let Data::Values { values, .. } = &series.data else { return None };
        Some(Sample::new(values.clone()).ok()?.quantile(0.5))
    };
    let (floor, kernel) = (median(Metric::LatencyLaunchFloor)?, median(Metric::LatencyKernel)?);
    (about_the_kernel && kernel < FLOORS * floor).then(|| {
        format!(
            "size: the kernel takes {}, less than {FLOORS} empty launches of {} each, so it is the launch that is \
             timed; measure a larger shape",
            show(kernel, Family::Time),
            show(floor, Family::Time)
        )
    })
}
