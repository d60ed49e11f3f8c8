//! Due times, drawn from a seed before anything runs.

use super::NS_PER_SECOND;
use super::scenario::{Arrivals, Limit, LoadError, Scenario, Think, trace_rate};
use crate::stats::SplitMix64;

/// When each request of an open load is due. A closed loop has none: there a request is due when its client is ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    times: Times,
}

/// Only random times need memory.
#[derive(Clone, Debug, PartialEq)]
enum Times {
    AtOnce(usize),
    Even { requests: usize, gap_ns: f64 },
    Drawn(Vec<u64>),
}

impl Schedule {
    /// Requests of the load.
    pub fn len(&self) -> usize {
        match &self.times {
            Times::AtOnce(requests) | Times::Even { requests, .. } => *requests,
            Times::Drawn(due_ns) => due_ns.len(),
        }
    }

    /// Whether nothing is due, as in an open loop so short that no request fell into it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Nanoseconds from the start at which request `index` is due.
    #[inline]
    pub fn due_ns(&self, index: usize) -> Option<u64> {
        match &self.times {
            Times::AtOnce(requests) => (index < *requests).then_some(0),
            // A product and no sum, so that errors do not add up; whole and positive.
            Times::Even { requests, gap_ns } => (index < *requests).then_some((index as f64 * gap_ns) as u64),
            Times::Drawn(due_ns) => due_ns.get(index).copied(),
        }
    }

    /// How many requests are due at or before `at_ns`.
    pub fn due_by(&self, at_ns: u64) -> usize {
        match &self.times {
            Times::AtOnce(requests) => *requests,
            Times::Even { requests, gap_ns } => {
                ((at_ns as f64 / gap_ns) as usize).saturating_add(1).min(*requests)
            }
            Times::Drawn(due_ns) => due_ns.partition_point(|due| *due <= at_ns),
        }
    }

    /// Requests per second as drawn: gaps over the time between the first and the last. Absent where all are due at once.
    pub fn offered_rate(&self) -> Option<f64> {
        let last = self.len().checked_sub(1)?;
        let length = self.due_ns(last)?.saturating_sub(self.due_ns(0)?);
        (length > 0).then(|| last as f64 * NS_PER_SECOND / length as f64)
    }
}

/// Draws the schedule of `scenario`; absent for the scenarios that have none.
///
/// The first request of constant gaps is due at 0, the first of random gaps after one gap. Times are not stretched to
/// meet the rate exactly (vLLM stretches them): [`Schedule::offered_rate`] says what was drawn.
///
/// # Errors
/// When the scenario or its limit makes no sense.
pub fn schedule(scenario: &Scenario, seed: u64, limit: Limit) -> Result<Option<Schedule>, LoadError> {
    scenario.check(limit)?;
    let times = match (scenario, limit) {
        (Scenario::SingleStream | Scenario::ClosedLoop { .. }, _) => return Ok(None),
        (Scenario::Offline, Limit::Requests(requests)) => Times::AtOnce(requests),
        (Scenario::Offline, Limit::Seconds(_)) => return Err(LoadError::OfflineSeconds),
        (Scenario::OpenLoop { rate, arrivals }, _) => open(*rate, arrivals, seed, limit),
    };
    Ok(Some(Schedule { times }))
}

fn open(rate: f64, arrivals: &Arrivals, seed: u64, limit: Limit) -> Times {
    let gap_ns = NS_PER_SECOND / rate;
    match arrivals {
        Arrivals::Constant => {
            let requests = match limit {
                Limit::Requests(requests) => requests,
                // Due at 0, gap, 2 gap ...: as many as begin before the end.
                Limit::Seconds(seconds) => (seconds * rate).ceil() as usize,
            };
            Times::Even { requests, gap_ns }
        }
        Arrivals::Poisson => Times::Drawn(cumulate(limit, &mut Draw::named(seed, "arrivals"), |draw| {
            gap_ns * draw.exponential()
        })),
        Arrivals::Gamma { shape } => {
            let scale = gap_ns / shape;
            Times::Drawn(cumulate(limit, &mut Draw::named(seed, "arrivals"), |draw| {
                scale * draw.gamma(*shape)
            }))
        }
        Arrivals::Trace(trace) => {
            let first = trace.first().copied().unwrap_or(0);
            let stretch = trace_rate(trace).map_or(1.0, |own| own / rate);
            let stretched = trace.iter().map(|due| ((due - first) as f64 * stretch).round() as u64);
            Times::Drawn(match limit {
                Limit::Requests(requests) => stretched.take(requests).collect(),
                Limit::Seconds(seconds) => {
                    stretched.take_while(|due| (*due as f64) < seconds * NS_PER_SECOND).collect()
                }
            })
        }
    }
}

fn cumulate(limit: Limit, draw: &mut Draw, mut gap: impl FnMut(&mut Draw) -> f64) -> Vec<u64> {
    // Sums are kept in f64 nanoseconds: exact to 1 ns for 104 days.
    let mut at_ns = 0.0;
    match limit {
        Limit::Requests(requests) => (0..requests)
            .map(|_| {
                at_ns += gap(draw);
                at_ns as u64
            })
            .collect(),
        Limit::Seconds(seconds) => {
            let mut due = Vec::new();
            loop {
                at_ns += gap(draw);
                if at_ns >= seconds * NS_PER_SECOND || due.len() >= super::scenario::MOST_REQUESTS {
                    return due;
                }
                due.push(at_ns as u64);
            }
        }
    }
}

/// Random numbers of the distributions that a load needs.
#[derive(Clone, Debug)]
pub struct Draw {
    stream: SplitMix64,
}

impl Draw {
    /// A stream of its own per purpose, so that drawing more of one thing does not change another.
    pub fn named(seed: u64, purpose: &str) -> Draw {
        Draw { stream: SplitMix64::named(&format!("{seed}:load.{purpose}")) }
    }

    /// Exponential with mean 1, by inversion.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        // In (0, 1]: its logarithm is finite.
        -(1.0 - self.stream.next_f64()).ln()
    }

    /// Standard normal.
    ///
    /// # Source
    /// Box and Muller 1958, "A note on the generation of random normal deviates"; the cosine branch only.
    fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.stream.next_f64()).cos()
    }

    /// Gamma with this shape and scale 1; a shape that is not positive gives 0.
    ///
    /// # Source
    /// Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; shapes below 1 by their section 6.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape.is_nan() || shape <= 0.0 {
            return 0.0;
        }
        if shape < 1.0 {
            let boost = (1.0 - self.stream.next_f64()).powf(1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 {
                let u = 1.0 - self.stream.next_f64();
                if u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                    return d * v;
                }
            }
        }
    }

    /// Nanoseconds that a client thinks.
    #[inline]
    pub fn think_ns(&mut self, think: Think) -> u64 {
        match think {
            Think::None => 0,
            Think::Constant(ns) => ns,
            Think::Exponential(mean_ns) => (mean_ns as f64 * self.exponential()) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_loop(rate: f64, arrivals: Arrivals) -> Scenario {
        Scenario::OpenLoop { rate, arrivals }
    }

    fn first(scenario: &Scenario, requests: usize) -> Vec<u64> {
        let drawn = schedule(scenario, 42, Limit::Requests(requests)).unwrap().unwrap();
        (0..drawn.len()).map(|index| drawn.due_ns(index).unwrap()).collect()
    }

    #[test]
    fn golden() {
        assert_eq!(
            first(&open_loop(3.0, Arrivals::Constant), 4),
            [0, 333_333_333, 666_666_666, 1_000_000_000]
        );
        assert_eq!(
            first(&open_loop(1_000.0, Arrivals::Poisson), 4),
            [693_405, 2_168_558, 2_404_075, 3_498_026]
        );
        assert_eq!(
            first(&open_loop(1_000.0, Arrivals::Gamma { shape: 0.5 }), 4),
            [846_513, 5_920_619, 6_563_715, 7_673_422]
        );
        assert_eq!(
            first(&open_loop(1_000.0, Arrivals::Gamma { shape: 4.0 }), 4),
            [993_803, 1_784_504, 2_717_076, 3_194_891]
        );
        assert_eq!(
            first(&open_loop(0.5, Arrivals::Trace(vec![7, 8, 9])), 3),
            [0, 2_000_000_000, 4_000_000_000]
        );
        assert_eq!(first(&Scenario::Offline, 3), [0, 0, 0]);
    }

    /// Means of n gaps with coefficient of variation c lie within 4 c / sqrt(n); the seed is fixed.
    #[test]
    fn moments() {
        let n = 200_000;
        for (arrivals, squared_variation) in [
            (Arrivals::Poisson, 1.0),
            (Arrivals::Gamma { shape: 1.0 }, 1.0),
            (Arrivals::Gamma { shape: 0.25 }, 4.0),
            (Arrivals::Gamma { shape: 4.0 }, 0.25),
        ] {
            let due = first(&open_loop(1_000.0, arrivals.clone()), n);
            let gaps: Vec<f64> = std::iter::once(due[0])
                .chain(due.windows(2).map(|pair| pair[1] - pair[0]))
                .map(|gap| gap as f64)
                .collect();
            let mean = gaps.iter().sum::<f64>() / n as f64;
            let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n as f64;
            let bound = 4.0 * (squared_variation / n as f64).sqrt();
            assert!((mean / 1e6 - 1.0).abs() < bound, "{arrivals:?}: mean {mean} ns");
            let found = variance / (mean * mean);
            assert!(
                (found / squared_variation - 1.0).abs() < 0.05,
                "{arrivals:?}: squared variation {found}"
            );
        }
    }

    #[test]
    fn seconds_bound_what_is_due_and_counts_agree_with_times() {
        for arrivals in [Arrivals::Constant, Arrivals::Poisson, Arrivals::Gamma { shape: 0.5 }] {
            let drawn = schedule(&open_loop(500.0, arrivals), 3, Limit::Seconds(4.0)).unwrap().unwrap();
            let due: Vec<u64> = (0..drawn.len()).filter_map(|index| drawn.due_ns(index)).collect();
            assert!(due.is_sorted() && due.iter().all(|due| *due < 4_000_000_000));
            assert!((1_500..2_500).contains(&due.len()), "{}", due.len());
            for at in [0, 1, 999_999_999, 2_000_000_000, u64::MAX / 2] {
                assert_eq!(drawn.due_by(at), due.iter().filter(|due| **due <= at).count(), "at {at}");
            }
        }
        assert_eq!(schedule(&Scenario::SingleStream, 1, Limit::Requests(3)), Ok(None));
    }

    #[test]
    fn a_schedule_is_its_seed() {
        let poisson = open_loop(10.0, Arrivals::Poisson);
        let drawn = |seed| schedule(&poisson, seed, Limit::Requests(50)).unwrap();
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let open = |rate, arrivals| schedule(&open_loop(rate, arrivals), 1, Limit::Requests(3)).unwrap_err();
        for rate in [0.0, -1.0, f64::INFINITY] {
            assert_eq!(open(rate, Arrivals::Poisson), LoadError::Rate(rate));
        }
        assert!(matches!(open(f64::NAN, Arrivals::Constant), LoadError::Rate(rate) if rate.is_nan()));
        for shape in [0.0, -2.0, f64::INFINITY] {
            assert_eq!(open(1.0, Arrivals::Gamma { shape }), LoadError::Shape(shape));
        }
        assert_eq!(open(1.0, Arrivals::Trace(vec![1, 3, 2])), LoadError::TraceNotSorted(2));
        assert_eq!(open(1.0, Arrivals::Trace(vec![5, 5])), LoadError::ShortTrace(2));
        assert_eq!(open(1.0, Arrivals::Trace(vec![])), LoadError::ShortTrace(0));
        assert_eq!(open(1.0, Arrivals::Trace(vec![5, 6])), LoadError::TraceEnds { asked: 3, holds: 2 });
        let wrong = |scenario: &Scenario, limit| schedule(scenario, 1, limit).unwrap_err();
        let closed = Scenario::ClosedLoop { clients: 0, think: Think::None };
        assert_eq!(wrong(&closed, Limit::Requests(1)), LoadError::NoClients);
        assert_eq!(wrong(&Scenario::SingleStream, Limit::Requests(0)), LoadError::NoRequests);
        assert_eq!(wrong(&Scenario::SingleStream, Limit::Seconds(-1.0)), LoadError::Seconds(-1.0));
        assert_eq!(wrong(&Scenario::Offline, Limit::Seconds(1.0)), LoadError::OfflineSeconds);
        let flood = open_loop(1e12, Arrivals::Constant);
        assert_eq!(wrong(&flood, Limit::Seconds(1.0)), LoadError::TooMany(1e12));
        assert!(LoadError::Rate(0.0).to_string().contains("0 requests/s: give a positive"));
    }
}
