//! Scores besides accuracy, as the author computes them for each answer.

use crate::declare::Result;
use crate::input::{Input, InputFile};
use crate::record::{Batch, Conditions, Data, InputSet, Metric};

use super::Serve;
use super::requests::Graded;

/// What one answer contributes to a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// The score is the mean of these: ROUGE-L of an answer, the share of attempts that solve a problem.
    Value(f64),
    /// The score is the sum of the parts over the sum of the wholes: edits over words (`quality.wer`), negative
    /// log-likelihood over tokens (`quality.nll`, and its exponential `quality.perplexity`), `2 tp` over
    /// `2 tp + fp + fn` (`quality.f1`).
    Share {
        /// What counts.
        part: f64,
        /// Of what.
        whole: f64,
    },
    /// The score is the rank correlation of all pairs (`quality.spearman`): ours and the reference's.
    Pair(f64, f64),
}

/// Scores one answer to one input; nothing where that input has no reference.
type ScoreOf = dyn Fn(&Input, &str) -> Option<Score>;

/// A score that was asked for.
pub(super) struct Scorer {
    metric: Metric,
    of: Box<ScoreOf>,
}

impl std::fmt::Debug for Scorer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Scorer({})", self.metric)
    }
}

impl Serve {
    /// Measures `metric` besides accuracy: `score` is asked for every answer, with an empty text where the request failed.
    ///
    /// # Errors
    /// When the metric is no score (`quality.*`), is the accuracy, or is scored already.
    pub fn score(
        &mut self,
        metric: Metric,
        score: impl Fn(&Input, &str) -> Option<Score> + 'static,
    ) -> Result<&mut Serve> {
        if !metric.name().starts_with("quality.") || metric == Metric::QualityAccuracy {
            let names: Vec<&str> = Metric::ALL
                .iter()
                .map(|metric| metric.name())
                .filter(|name| name.starts_with("quality.") && *name != "quality.accuracy")
                .collect();
            return Err(format!(
                "`{metric}` is no score of answers besides the accuracy, which `grade` measures; the scores are {}",
                names.join(", ")
            )
            .into());
        }
        if self.scorers.iter().any(|scorer| scorer.metric == metric) {
            return Err(format!("`{metric}` is scored twice; keep one").into());
        }
        self.scorers.push(Scorer { metric, of: Box::new(score) });
        Ok(self)
    }

    /// Says every score of the answers.
    ///
    /// # Errors
    /// When a number is not finite, or scores of one metric have different forms.
    pub(super) fn say_scores(
        &self,
        role: InputSet,
        file: &InputFile,
        graded: &Graded,
        conditions: &Conditions,
    ) -> Result<()> {
        for scorer in &self.scorers {
            let mut scores = Vec::with_capacity(file.items.len());
            for (index, input) in file.items.iter().enumerate() {
                let answer = graded.answer_of(index).unwrap_or_default();
                if let Some(score) = (scorer.of)(input, answer) {
                    scores.push((score, input));
                }
            }
            if let Some(data) = data(scorer.metric, &scores)? {
                self.series(scorer.metric, Some(role), conditions, data);
            }
        }
        Ok(())
    }
}

fn data(metric: Metric, scores: &[(Score, &Input)]) -> Result<Option<Data>> {
    let Some((first, _)) = scores.first() else { return Ok(None) };
    let wrong = |input: &Input, what: &str| -> crate::declare::Error {
        format!("the {metric} of input `{}` {what}", input.id).into()
    };
    let (mut values, mut batches, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (score, input) in scores {
        if std::mem::discriminant(score) != std::mem::discriminant(first) {
            return Err(wrong(
                input,
                "has another form than that of the inputs before; give all scores in one form",
            ));
        }
        let numbers = match *score {
            Score::Value(value) => [value, 0.0],
            Score::Share { part, whole } => [part, whole],
            Score::Pair(our, their) => [our, their],
        };
        if !numbers.iter().all(|number| number.is_finite()) {
            return Err(wrong(input, "is not a finite number"));
        }
        match *score {
            Score::Value(value) => values.push(value),
            Score::Share { whole, .. } if whole < 0.0 => return Err(wrong(input, "has a negative whole")),
            Score::Share { part, whole } => batches.push(Batch { work: part, seconds: whole }),
            Score::Pair(our, their) => {
                ours.push(our);
                theirs.push(their);
            }
        }
    }
    let correlates = metric == Metric::QualitySpearman;
    if correlates != matches!(first, Score::Pair(..)) {
        let needed =
            if correlates { "needs pairs (`Score::Pair`)" } else { "is no correlation, so it has no pairs" };
        return Err(format!("{metric} {needed}").into());
    }
    Ok(Some(match first {
        Score::Value(_) => Data::Values { values, calls_per_value: 1 },
        Score::Share { .. } => Data::Rates { batches },
        Score::Pair(..) => Data::Pairs { ours, theirs },
    }))
}
