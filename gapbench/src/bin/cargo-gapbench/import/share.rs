//! Whether a share that nobody labelled is a percentage. What the other shares of the file do not settle stays open. Knows
//! no format.

use gapbench::record::Metric;

use super::claim::{Found, Left, Share, UnitOf};
use super::number::float;

/// Settles the unit of every share of one file; those that stay open go to `left`. `asked` decides where it is given.
pub(super) fn settle(found: Vec<Found>, left: &mut Vec<Left>, asked: Option<Share>) -> Vec<Found> {
    let unsaid: Vec<(Metric, f64)> = found
        .iter()
        .filter(|one| one.unit == UnitOf::Unsaid)
        .map(|one| (one.metric, float(&one.value)))
        .collect();
    let mut kept = Vec::with_capacity(found.len());
    for mut one in found {
        match unit(&one, &unsaid, asked) {
            Ok(Some((unit, note))) => {
                one.unit = UnitOf::Said(unit.to_owned());
                one.notes.extend(note);
                kept.push(one);
            }
            Ok(None) => kept.push(one),
            Err(why) => left.push(one.left(why)),
        }
    }
    kept
}

/// Scores that are usually printed on the same scale. BLEU, ROUGE and error rates are often percentages in files whose
/// other scores are not.
fn scale(metric: Metric) -> u8 {
    match metric {
        Metric::QualityBleu => 1,
        Metric::QualityRougeL => 2,
        Metric::QualityWer => 3,
        _ => 0,
    }
}

type Settled = Option<(&'static str, Option<String>)>;

fn unit(one: &Found, unsaid: &[(Metric, f64)], asked: Option<Share>) -> Result<Settled, String> {
    const WAYS: &str = "`--shares percent` or `--shares fraction` decides";
    let value = float(&one.value);
    if let UnitOf::Said(unit) = &one.unit {
        if unit == "%" && value > 0.0 && value < 1.0 {
            return Err(
                "is labelled `%` but less than one in a hundred: perhaps a fraction; correct the source"
                    .to_owned(),
            );
        }
        return Ok(None);
    }
    if value < 0.0 {
        return Err("is negative, and a claim on a share is not".to_owned());
    }
    let error_rate = one.metric == Metric::QualityWer;
    match asked {
        Some(Share::Percent) => return Ok(Some(("%", Some("`%`, as asked for with --shares".to_owned())))),
        Some(Share::Fraction) => {
            return Ok(Some(("fraction", Some("`fraction`, as asked for with --shares".to_owned()))));
        }
        None => {}
    }
    // A word error rate may exceed one, so that a number just above it says nothing.
    let surely_percent =
        |metric: Metric, value: f64| value > if metric == Metric::QualityWer { 2.0 } else { 1.0 };
    let percent_beside = unsaid
        .iter()
        .any(|(metric, value)| scale(*metric) == scale(one.metric) && surely_percent(*metric, *value));
    if value > 100.0 && !error_rate {
        return Err("is above 100, which no share is".to_owned());
    }
    if surely_percent(one.metric, value) {
        return Ok(Some((
            "%",
            Some("assumed `%`: the source names no unit, and a fraction is not above 1".to_owned()),
        )));
    }
    if percent_beside && value > 0.0 {
        return Err(format!(
            "is a fraction or a percentage: the file names no unit and has percentages beside it; {WAYS}"
        ));
    }
    // sacreBLEU counts to 100 and other code to 1, so that a small one says nothing.
    if one.metric == Metric::QualityBleu && value > 0.0 {
        return Err(format!("is a fraction or a percentage: both scales of BLEU are in use; {WAYS}"));
    }
    if value > 1.0 {
        return Err(format!("is a fraction or a percentage, since an error rate may exceed 1; {WAYS}"));
    }
    Ok(Some((
        "fraction",
        Some(
            "assumed `fraction`: the source names no unit, and no such share of the file is above 1"
                .to_owned(),
        ),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::document::Place;
    use gapbench::record::Statistic;

    fn settled(numbers: &[(Metric, &str)], asked: Option<Share>) -> Vec<String> {
        let found = numbers
            .iter()
            .map(|(metric, text)| {
                Found::read(Place::default(), &["x"], *metric, Statistic::Mean, text).unwrap()
            })
            .collect();
        let mut left = Vec::new();
        let mut said: Vec<String> = settle(found, &mut left, asked)
            .into_iter()
            .map(|one| match one.unit {
                UnitOf::Said(unit) => format!("{} {unit}", one.value),
                UnitOf::Unsaid => panic!("open"),
            })
            .collect();
        said.extend(left.into_iter().map(|left| format!("? {}", left.what)));
        said
    }

    #[test]
    fn above_one_is_a_percentage_and_below_it_depends_on_the_others() {
        use Metric::{QualityAccuracy as Accuracy, QualityBleu as Bleu, QualityF1 as F1, QualityWer as Wer};
        assert_eq!(settled(&[(Accuracy, "85.3")], None), ["85.3 %"]);
        assert_eq!(settled(&[(Accuracy, "0.853"), (F1, "0.9")], None), ["0.853 fraction", "0.9 fraction"]);
        assert_eq!(settled(&[(Accuracy, "85.3"), (F1, "0.9")], None), ["85.3 %", "? `x` = 0.9"]);
        assert_eq!(settled(&[(Accuracy, "0.9"), (Bleu, "27.3")], None), ["0.9 fraction", "27.3 %"]);
        assert_eq!(settled(&[(Bleu, "0.3")], None), ["? `x` = 0.3"]);
        assert_eq!(settled(&[(Accuracy, "853")], None), ["? `x` = 853"]);
        assert_eq!(settled(&[(Accuracy, "1.0")], None), ["1.0 fraction"]);
        assert_eq!(settled(&[(Wer, "1.4")], None), ["? `x` = 1.4"]);
        assert_eq!(settled(&[(Wer, "113.4"), (Wer, "1.4")], None), ["113.4 %", "? `x` = 1.4"]);
    }

    #[test]
    fn a_label_decides_unless_it_cannot_be() {
        let accuracy = Metric::QualityAccuracy;
        assert_eq!(settled(&[(accuracy, "85.3 %"), (accuracy, "0.9")], None), ["85.3 %", "0.9 fraction"]);
        assert_eq!(settled(&[(accuracy, "0.853 %")], None), ["? `x` = 0.853"]);
        assert_eq!(settled(&[(accuracy, "0.853 %")], Some(Share::Fraction)), ["? `x` = 0.853"]);
    }

    #[test]
    fn whoever_knows_decides() {
        let both = [(Metric::QualityAccuracy, "85.3"), (Metric::QualityF1, "0.9")];
        assert_eq!(settled(&both, Some(Share::Percent)), ["85.3 %", "0.9 %"]);
    }
}
