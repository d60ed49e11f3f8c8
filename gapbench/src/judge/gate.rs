//! What a whole judgement comes to.

use super::{Change, Judgement, Verdict};

impl Verdict {
    /// Order of concern, the worst first: 0 is [`Verdict::Fail`].
    pub const fn rank(self) -> u8 {
        match self {
            Verdict::Fail => 0,
            Verdict::Gap => 1,
            Verdict::Unclear => 2,
            Verdict::NotComparable => 3,
            Verdict::NotMeasured => 4,
            Verdict::Ahead => 5,
            Verdict::Within => 6,
            Verdict::OnPar => 7,
        }
    }
}

impl Judgement {
    /// How many claims the gate stops.
    pub fn gated(&self) -> usize {
        self.claims.iter().filter(|one| one.gated).count()
    }

    /// How many claims have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.claims.iter().filter(|one| one.verdict == verdict).count()
    }

    /// The verdict of most concern; absent without claims.
    pub fn worst(&self) -> Option<Verdict> {
        self.claims.iter().map(|one| one.verdict).min_by_key(|verdict| verdict.rank())
    }

    /// How many numbers are worse than in the earlier record, beyond the noise.
    pub fn worsened(&self) -> usize {
        self.changes.iter().filter(|one| one.change == Change::Slower).count()
    }

    /// The median gap over all comparable claims as a share of the declared goodness; absent without one.
    pub fn median_gap(&self) -> Option<f64> {
        let comparable = |verdict| !matches!(verdict, Verdict::NotComparable | Verdict::NotMeasured);
        let gaps = self
            .claims
            .iter()
            .filter(|one| comparable(one.verdict))
            .filter_map(|one| one.ladder.gap)
            .collect();
        crate::stats::Sample::new(gaps).ok().map(|sample| sample.quantile(0.5))
    }
}
