//! How many requests were in the system, looked at from outside while they ran.

use super::super::clock;
use super::dispatch::Dispatch;

/// Looks that are kept; when they are full, every second one goes and looks become half as frequent.
const MOST_LOOKS: usize = 1_024;

/// First interval between looks: 1 ms costs the looking thread well under 1 % of a processor.
const FIRST_INTERVAL_NS: u64 = 1_000_000;

/// Requests that were due and had not ended, at times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Nanoseconds from the start, and requests.
    pub looks: Vec<(u64, u64)>,
    interval_ns: u64,
}

impl Depth {
    pub(super) fn new() -> Depth {
        Depth { looks: Vec::with_capacity(MOST_LOOKS), interval_ns: FIRST_INTERVAL_NS }
    }

    pub(super) fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// Looks once.
    pub(super) fn look(&mut self, dispatch: &Dispatch, start_ns: u64) {
        let now_ns = clock::now_ns();
        if now_ns < start_ns {
            return;
        }
        self.add(now_ns - start_ns, dispatch.in_system(now_ns));
    }

    fn add(&mut self, at_ns: u64, requests: u64) {
        if self.looks.len() >= MOST_LOOKS {
            let mut keep = false;
            self.looks.retain(|_| {
                keep = !keep;
                keep
            });
            self.interval_ns *= 2;
        }
        self.looks.push((at_ns, requests));
    }

    /// The most requests seen.
    pub fn most(&self) -> Option<u64> {
        self.looks.iter().map(|look| look.1).max()
    }

    /// Mean over time of `from_ns..to_ns` by the trapezoid rule, and that of twenty stretches of it; absent with fewer than
    /// forty looks.
    pub(super) fn means(&self, from_ns: u64, to_ns: u64) -> Option<(f64, Vec<f64>)> {
        const STRETCHES: usize = 20;
        let inside: Vec<(u64, u64)> =
            self.looks.iter().copied().filter(|look| (from_ns..=to_ns).contains(&look.0)).collect();
        if inside.len() < 2 * STRETCHES {
            return None;
        }
        let mean = |looks: &[(u64, u64)]| {
            let (mut area, mut length) = (0.0, 0.0);
            for pair in looks.windows(2) {
                if let [a, b] = pair {
                    let step = b.0.saturating_sub(a.0) as f64;
                    area += step * (a.1 as f64 + b.1 as f64) / 2.0;
                    length += step;
                }
            }
            (length > 0.0).then(|| area / length)
        };
        let stretches = inside.chunks(inside.len().div_ceil(STRETCHES)).filter_map(mean).collect();
        Some((mean(&inside)?, stretches))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_bounded_and_their_mean_is_over_time() {
        let mut depth = Depth::new();
        let mut at_ns = 0;
        while at_ns < 10_000 * FIRST_INTERVAL_NS {
            depth.add(at_ns, if at_ns < 5_000 * FIRST_INTERVAL_NS { 2 } else { 4 });
            at_ns += depth.interval_ns();
        }
        assert!(depth.looks.len() <= MOST_LOOKS);
        assert!(depth.looks.is_sorted());
        assert_eq!(depth.interval_ns(), 16 * FIRST_INTERVAL_NS);
        assert_eq!(depth.most(), Some(4));
        let (mean, _) = depth.means(0, at_ns).unwrap();
        assert!((mean - 3.0).abs() < 0.01, "early looks are as dense as late ones: {mean}");
        let mut even = Depth::new();
        (0..100).for_each(|at| even.add(at, u64::from(at >= 50) * 10));
        let (mean, stretches) = even.means(0, 99).unwrap();
        assert!((mean - 5.0).abs() < 0.06, "{mean}");
        assert_eq!(stretches.len(), 20);
        assert_eq!(even.means(90, 99), None);
    }
}
