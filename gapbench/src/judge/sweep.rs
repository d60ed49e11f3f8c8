//! What a sweep over closed loops shows: where more clients stop helping, and where they begin to hurt.

use crate::record::{Arrival, LoadPoint, LoadRow};

/// The knee and the cliff of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sweep {
    /// The fewest clients that reach nearly all of the throughput.
    pub knee: LoadPoint,
    /// The fewest clients beyond it with which the throughput falls; absent where it holds.
    pub cliff: Option<LoadPoint>,
}

/// Throughput this near to the largest is the largest: the intervals of a sweep's points are about as wide.
const NEARLY_ALL: f64 = 0.95;

/// A throughput below this share of the largest, beyond the knee, has fallen.
const FALLEN: f64 = 0.8;

/// A knee needs a point on both of its sides.
const FEWEST_POINTS: usize = 3;

/// Looks at the goodput of the valid closed loops, or at the throughput where nothing was asked of latencies. Absent with
/// fewer than three.
pub fn sweep(loads: &[LoadRow]) -> Option<Sweep> {
    let mut closed: Vec<&LoadRow> = loads
        .iter()
        .filter(|load| load.point.arrival == Arrival::Closed && load.invalid.is_none() && !load.searching)
        .collect();
    if closed.len() < FEWEST_POINTS {
        return None;
    }
    closed.sort_by_key(|load| load.point.clients);
    let done = |load: &LoadRow| load.goodput_per_second.unwrap_or(load.throughput_per_second);
    let most = closed.iter().map(|load| done(load)).fold(0.0, f64::max);
    let at = closed.iter().position(|load| done(load) >= NEARLY_ALL * most)?;
    let cliff = closed.iter().skip(at + 1).find(|load| done(load) < FALLEN * most);
    Some(Sweep { knee: closed.get(at)?.point, cliff: cliff.map(|load| load.point) })
}
