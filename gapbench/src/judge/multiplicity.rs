//! Many claims at once: a failure must survive Holm's correction over all claims that could fail the gate.

use crate::declare::Gate;
use crate::stats::holm;

use super::{ClaimVerdict, Verdict};

/// Corrects the failures among `claims` and says which verdicts the gate counts.
///
/// The family is every claim whose policy stops at `fail` and that has a p value, that is, a comparable number.
pub(super) fn correct(claims: &mut [ClaimVerdict]) {
    let mut family: Vec<&mut ClaimVerdict> = claims
        .iter_mut()
        .filter(|one| one.p_fail.is_some() && one.claim.policy.gate.contains(&Gate::Fail))
        .collect();
    let adjusted = holm(&family.iter().filter_map(|one| one.p_fail).collect::<Vec<f64>>());
    let size = family.len();
    for (one, p) in family.iter_mut().zip(adjusted) {
        one.p_fail_holm = Some(p);
        if one.verdict == Verdict::Fail && p > one.claim.policy.alpha {
            one.verdict = Verdict::Unclear;
            one.reason = format!(
                "would fail alone (p {}), but not after Holm's correction over {size} claims (p {}): {}",
                show_p(one.p_fail.unwrap_or(1.0)),
                show_p(p),
                one.reason
            );
            if let Some(step) = one.ladder.steps.iter_mut().rfind(|step| step.verdict.is_some()) {
                step.verdict = Some(Verdict::Unclear);
            }
        }
    }
    for one in claims {
        one.gated = gate_of(one.verdict).is_some_and(|gate| one.claim.policy.gate.contains(&gate));
    }
}

/// The gate's word for a verdict; what no gate can stop has none.
const fn gate_of(verdict: Verdict) -> Option<Gate> {
    match verdict {
        Verdict::Fail => Some(Gate::Fail),
        Verdict::Gap => Some(Gate::Gap),
        Verdict::Unclear => Some(Gate::Unclear),
        Verdict::NotComparable => Some(Gate::NotComparable),
        Verdict::Within | Verdict::OnPar | Verdict::Ahead | Verdict::NotMeasured => None,
    }
}

fn show_p(p: f64) -> String {
    if p < 0.001 { "below 0.001".to_owned() } else { format!("{p:.3}") }
}
