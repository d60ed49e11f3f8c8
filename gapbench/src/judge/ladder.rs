//! The way from the declared number to ours: one thing changes per step.

use crate::declare::PaperClaim;
use crate::record::PairsRow;
use crate::stats::{Pairs, p_value_by_inversion};

use super::decide::decide;
use super::estimate::Measured;
use super::goodness::{Goodness, declared_interval};
use super::matching::Found;
use super::{Estimate, Interval, Ladder, Step, StepKind, Verdict, contention, reason};

/// A step of ours: its number and ratio, or why there is none.
pub(super) struct Rung<'a> {
    kind: StepKind,
    label: Option<String>,
    pairs: Option<Pairs>,
    ours: Option<&'a Measured>,
    goodness: Option<Goodness<'a>>,
    absent: Option<String>,
}

impl<'a> Rung<'a> {
    /// A step that was `measured`, or that is `absent` for a reason.
    pub(super) fn new(
        claim: &PaperClaim,
        kind: StepKind,
        measured: Option<&'a Measured>,
        absent: Option<&String>,
    ) -> Rung<'a> {
        let (goodness, no_ratio) = match measured.map(|ours| Goodness::new(ours, claim)) {
            Some(Ok(goodness)) => (Some(goodness), None),
            Some(Err(why)) => (None, Some(why)),
            None => (None, Some("its observations do not carry this statistic".to_owned())),
        };
        Rung {
            kind,
            label: None,
            pairs: None,
            ours: measured,
            goodness,
            absent: absent.cloned().or(no_ratio),
        }
    }

    /// The same with a name of its own.
    pub(super) fn called(self, label: Option<String>) -> Rung<'a> {
        Rung { label, ..self }
    }

    /// The same with its items in pairs with those of the step below.
    pub(super) fn paired(self, pairs: Option<PairsRow>) -> Rung<'a> {
        let pairs = pairs.map(|PairsRow { n, lost, gained }| Pairs { n, lost, gained });
        Rung { pairs, ..self }
    }

    /// The number.
    pub(super) fn estimate(&self, alpha: f64) -> Option<Estimate> {
        self.ours.map(|ours| ours.estimate(alpha))
    }

    /// The goodness ratio.
    pub(super) fn ratio(&self, alpha: f64) -> Option<Interval> {
        self.goodness.as_ref().map(|goodness| goodness.interval(alpha))
    }

    /// How likely so low a ratio is if the truth were at `floor`.
    pub(super) fn p_fail(&self, floor: f64) -> Option<f64> {
        let goodness = self.goodness.as_ref()?;
        let excludes = |bounds: crate::stats::Bounds| bounds.upper.is_some_and(|upper| upper < floor);
        Some(p_value_by_inversion(|alpha| goodness.bounds(alpha), excludes))
    }
}

/// All steps of a claim.
pub(super) struct Ascent<'a> {
    /// The claim.
    pub claim: &'a PaperClaim,
    /// Whether the numbers may be held against each other.
    pub comparable: bool,
    /// Wall over processor time where other work disturbed the timing.
    pub disturbed: Option<f64>,
    /// The steps in order, the reproduction first.
    pub rungs: Vec<Rung<'a>>,
}

impl<'a> Ascent<'a> {
    /// The last step whose number can be judged, else the last one that has a number: a single observation, as of the peak
    /// of memory under load, shows where it went and decides nothing.
    pub(super) fn top(&self) -> Option<&Rung<'a>> {
        let alpha = self.claim.policy.alpha;
        let bounded = |rung: &&Rung<'_>| {
            let interval = rung.ratio(alpha);
            rung.ours.is_some() && interval.is_none_or(|ratio| ratio.lower.is_some() || ratio.upper.is_some())
        };
        self.rungs.iter().rfind(bounded).or_else(|| self.rungs.iter().rfind(|rung| rung.ours.is_some()))
    }

    /// The paper's conditions.
    fn reproduced(&self) -> Option<&Rung<'a>> {
        self.rungs.first()
    }

    fn is_above_the_reproduction(&self) -> bool {
        self.top().is_some_and(|top| top.kind != StepKind::Reproduced)
    }

    /// The verdict if one stopped at `rung`; absent where the numbers are not comparable.
    pub(super) fn verdict(&self, rung: &Rung<'_>) -> Option<Verdict> {
        let verdict = self.undisturbed_verdict(rung)?;
        let lowered = self.disturbed.is_some() && matches!(verdict, Verdict::Fail | Verdict::Gap);
        Some(if lowered { Verdict::Unclear } else { verdict })
    }

    fn undisturbed_verdict(&self, rung: &Rung<'_>) -> Option<Verdict> {
        let goodness = rung.goodness.as_ref().filter(|_| self.comparable)?;
        let alpha = self.claim.policy.alpha;
        // Twice the level of the equivalence test stays a level.
        let narrow = (2.0 * alpha).min(0.999_999);
        Some(decide(goodness.bounds(alpha), goodness.bounds(narrow), &self.claim.policy))
    }

    /// The steps with their losses.
    pub(super) fn ladder(&self) -> Ladder {
        let mut steps = vec![paper_step(self.claim)];
        let mut before: Option<&Rung<'_>> = None;
        let top = self.top();
        // Losses sum to the gap, which is that of the step that is judged; what lies above is shown without one.
        let mut counts = true;
        for rung in &self.rungs {
            let step = self.step(rung, before);
            steps.push(if counts { step } else { Step { loss: None, ..step } });
            before = Some(rung).filter(|rung| rung.goodness.is_some()).or(before);
            counts &= !top.is_some_and(|top| std::ptr::eq(top, rung));
        }
        let gap = top.and_then(|rung| rung.goodness.as_ref()).map(|goodness| 1.0 - goodness.value());
        Ladder { steps, gap }
    }

    fn step(&self, rung: &Rung<'_>, before: Option<&Rung<'_>>) -> Step {
        let estimate = rung.estimate(self.claim.policy.alpha);
        let absent = if estimate.is_none() { rung.absent.clone() } else { None };
        Step {
            kind: rung.kind,
            label: rung.label.clone(),
            estimate,
            absent,
            loss: self.loss(rung, before),
            verdict: self.verdict(rung),
        }
    }

    /// Goodness lost since the step before: two intervals at half the error level each cover together.
    fn loss(&self, rung: &Rung<'_>, before: Option<&Rung<'_>>) -> Option<Interval> {
        let alpha = self.claim.policy.alpha;
        let Some(before) = before.and_then(|before| before.ratio(alpha / 2.0)) else {
            return rung.ratio(alpha).map(from_the_paper);
        };
        let after = rung.ratio(alpha / 2.0)?;
        let value = before.value - after.value;
        if let Some(paired) = self.paired_loss(rung, value) {
            return Some(paired);
        }
        Some(Interval {
            value,
            lower: before.lower.zip(after.upper).map(|(before, after)| before - after),
            upper: before.upper.zip(after.lower).map(|(before, after)| before - after),
        })
    }

    /// The interval of a loss on the same items, which is narrower than that of two sets.
    fn paired_loss(&self, rung: &Rung<'_>, value: f64) -> Option<Interval> {
        let pairs = rung.pairs.as_ref()?;
        let declared = self.claim.declared.value;
        let (middle, bounds) = (pairs.difference()?, pairs.interval(self.claim.policy.alpha)?);
        // Under load not every item may have been asked, so only the width is taken over.
        let end = |end: Option<f64>| end.map(|end| value + (end - middle) / declared);
        (declared > 0.0).then(|| Interval { value, lower: end(bounds.lower), upper: end(bounds.upper) })
    }

    /// The sentence behind the verdict of the last step.
    pub(super) fn reason(&self, differing: &[String], ladder: &Ladder) -> String {
        let Some((top, ours)) = self.top().and_then(|top| Some((top, top.ours?))) else {
            return "there is no number".to_owned();
        };
        let estimate = ours.estimate(self.claim.policy.alpha);
        let Some(goodness) = &top.goodness else {
            let why = top.absent.clone().unwrap_or_default();
            let all: Vec<String> = differing.iter().cloned().chain([why]).collect();
            return format!("{}; ours: {}", all.join("; "), reason::number(&estimate, self.claim.metric));
        };
        let comparison =
            reason::comparison(self.claim, &estimate, &goodness.interval(self.claim.policy.alpha));
        let tail = self.about_the_way(ladder);
        match self.undisturbed_verdict(top) {
            None => format!("{}; for information: {comparison}{tail}", differing.join("; ")),
            Some(verdict) => {
                let (lead, finding) =
                    (self.lead(verdict), reason::finding(verdict, self.claim, ours, goodness));
                format!("{lead}{comparison}, {finding}{tail}")
            }
        }
    }

    /// What must be said first: that the paper's own number did not come out, or that the timing was disturbed.
    fn lead(&self, verdict: Verdict) -> String {
        let short = |verdict| matches!(verdict, Verdict::Fail | Verdict::Gap);
        let mut lead = String::new();
        if self.is_above_the_reproduction() {
            let alpha = self.claim.policy.alpha;
            let reproduced = self.reproduced();
            let before = reproduced.and_then(|rung| rung.estimate(alpha).zip(rung.ratio(alpha)));
            if let (Some((estimate, ratio)), Some(verdict)) =
                (before, reproduced.and_then(|rung| self.verdict(rung)))
                && short(verdict)
            {
                lead = format!(
                    "not reproduced: on the paper's own set {} ({}); ",
                    reason::comparison(self.claim, &estimate, &ratio),
                    verdict.words()
                );
            }
        } else if short(verdict) && self.disturbed.is_none() {
            lead = "not reproduced: ".to_owned();
        }
        if let Some(ratio) = self.disturbed
            && short(verdict)
        {
            lead = format!("{lead}would be {}, but {}: ", verdict.words(), contention::words(ratio));
        }
        lead
    }

    /// What the steps below the last one gave.
    fn about_the_way(&self, ladder: &Ladder) -> String {
        if !self.is_above_the_reproduction() {
            return String::new();
        }
        let top = self.top().map(|top| top.kind);
        let reproduced = self.reproduced();
        let before = reproduced.and_then(|rung| rung.estimate(self.claim.policy.alpha));
        // The first step that has a number is compared with the paper, and that comparison stands in front.
        let first = ladder.steps.iter().position(|step| step.loss.is_some()).unwrap_or(0);
        let costs: Vec<String> = ladder
            .steps
            .iter()
            .skip(first + 1)
            .filter_map(|step| Some(reason::loss(cause(step.kind), step.loss.as_ref()?)))
            .collect();
        let costs = costs.join(" and ");
        let Some(before) = before else {
            let why = reproduced.and_then(|rung| rung.absent.as_deref()).unwrap_or("unknown");
            let below = self.rungs.iter().find(|rung| rung.ours.is_some() && Some(rung.kind) != top);
            let below = below.and_then(|rung| rung.estimate(self.claim.policy.alpha));
            let number = |estimate| reason::number(&estimate, self.claim.metric);
            let below =
                below.map(|estimate| format!("; own inputs alone gave {}, so {costs}", number(estimate)));
            return format!("; not reproduced: {why}{}", below.unwrap_or_default());
        };
        let number = reason::number(&before, self.claim.metric);
        match reproduced.and_then(|rung| self.verdict(rung)) {
            Some(Verdict::Fail | Verdict::Gap) => format!("; {costs}"),
            Some(Verdict::Unclear) => {
                format!("; the paper's own set gave {number} (unclear whether reproduced), so {costs}")
            }
            Some(_) => format!("; the paper's own set gave {number} (reproduced), so {costs}"),
            None => format!("; the paper's own set gave {number}, so {costs}"),
        }
    }
}

/// What a step changes, as the subject of a sentence.
const fn cause(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Paper | StepKind::Reproduced => "this system",
        StepKind::OwnInputs => "the inputs",
        StepKind::Noise => "the noise",
        StepKind::Load => "the load",
    }
}

fn from_the_paper(ratio: Interval) -> Interval {
    Interval {
        value: 1.0 - ratio.value,
        lower: ratio.upper.map(|upper| 1.0 - upper),
        upper: ratio.lower.map(|lower| 1.0 - lower),
    }
}

/// The first step: the declared number with the uncertainty that its source or its digits give it.
pub(super) fn paper_step(claim: &PaperClaim) -> Step {
    let interval = declared_interval(claim, claim.policy.alpha);
    let estimate = Estimate { statistic: claim.statistic, interval, n: claim.n.unwrap_or(0) };
    Step { estimate: Some(estimate), ..empty(StepKind::Paper) }
}

/// The steps of a case that has the metric but no series for the claim.
pub(super) fn without_numbers(claim: &PaperClaim, found: &Found<'_>) -> Ladder {
    let absent = |kind, why: &String| Step { absent: Some(why.clone()), ..empty(kind) };
    let reproduced = found.reproduced.as_ref().err().map(|why| absent(StepKind::Reproduced, why));
    let own =
        found.own.as_ref().and_then(|own| own.as_ref().err()).map(|why| absent(StepKind::OwnInputs, why));
    let load =
        found.load.as_ref().and_then(|(_, load)| load.as_ref().err()).map(|why| absent(StepKind::Load, why));
    let steps = [paper_step(claim)].into_iter().chain(reproduced).chain(own).chain(load).collect();
    Ladder { steps, gap: None }
}

const fn empty(kind: StepKind) -> Step {
    Step { kind, label: None, estimate: None, absent: None, loss: None, verdict: None }
}
