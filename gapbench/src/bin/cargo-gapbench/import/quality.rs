//! The names that sources give to scores, and which metric each is. Knows no format.

use gapbench::record::Metric;

/// A score's metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) metric: Metric,
    /// Attempts per problem, where the name has them: `pass@10`.
    pub(super) attempts: Option<u32>,
}

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Is(Metric),
    /// A metric that the vocabulary lacks, and why nothing else stands for it.
    Other(&'static str),
}

/// Words with one meaning. What is not here is unknown, not near.
const WORDS: &[(&str, Word)] = &[
    ("accuracy", Word::Is(Metric::QualityAccuracy)),
    ("acc", Word::Is(Metric::QualityAccuracy)),
    ("acc_norm", Word::Is(Metric::QualityAccuracy)),
    ("f1", Word::Is(Metric::QualityF1)),
    ("f1_score", Word::Is(Metric::QualityF1)),
    ("f_score", Word::Is(Metric::QualityF1)),
    ("exact_match", Word::Is(Metric::QualityExactMatch)),
    ("em", Word::Is(Metric::QualityExactMatch)),
    ("spearman", Word::Is(Metric::QualitySpearman)),
    ("spearmanr", Word::Is(Metric::QualitySpearman)),
    ("cos_sim_spearman", Word::Is(Metric::QualitySpearman)),
    ("cosine_spearman", Word::Is(Metric::QualitySpearman)),
    ("bleu", Word::Is(Metric::QualityBleu)),
    ("sacrebleu", Word::Is(Metric::QualityBleu)),
    ("rougel", Word::Is(Metric::QualityRougeL)),
    ("rouge_l", Word::Is(Metric::QualityRougeL)),
    ("perplexity", Word::Is(Metric::QualityPerplexity)),
    ("ppl", Word::Is(Metric::QualityPerplexity)),
    ("wer", Word::Is(Metric::QualityWer)),
    ("word_error_rate", Word::Is(Metric::QualityWer)),
    ("balanced_accuracy", Word::Other("the mean of the classes' recalls")),
    ("bleu_acc", Word::Other("a share of comparisons, not BLEU")),
    ("bleu_diff", Word::Other("a difference of two BLEU")),
    ("bleu_max", Word::Other("the best of several references")),
    ("bits_per_byte", Word::Other("bits per byte")),
    ("byte_perplexity", Word::Other("a perplexity per byte")),
    ("word_perplexity", Word::Other("a perplexity per word")),
    ("cer", Word::Other("a character error rate")),
    ("chrf", Word::Other("chrF")),
    ("loss", Word::Other("a loss, of which the source does not say that it is nats per token")),
    ("map", Word::Other("a mean average precision")),
    ("mean_reward", Word::Other("a reward")),
    ("mrr", Word::Other("a reciprocal rank")),
    ("ndcg", Word::Other("a discounted cumulative gain")),
    ("pearson", Word::Other("a linear correlation")),
    ("pearsonr", Word::Other("a linear correlation")),
    ("precision", Word::Other("a precision")),
    ("recall", Word::Other("a recall")),
    ("rouge1", Word::Other("ROUGE-1")),
    ("rouge2", Word::Other("ROUGE-2")),
    ("rouge_1", Word::Other("ROUGE-1")),
    ("rouge_2", Word::Other("ROUGE-2")),
    ("rougelsum", Word::Other("ROUGE-L of summaries, split at lines")),
    ("ter", Word::Other("a translation edit rate")),
];

/// The metric of a score of kind `kind`, whose `name` a person reads.
///
/// # Errors
/// Why it is none of the vocabulary, or that kind and name contradict each other.
pub(super) fn metric(kind: &str, name: Option<&str>) -> Result<Named, String> {
    let by_kind = meaning(kind);
    let by_name = name.and_then(in_words);
    if let Some(attempts) = attempts(kind).or_else(|| name.and_then(attempts)) {
        return Ok(Named { metric: Metric::QualityPassAtK, attempts: Some(attempts) });
    }
    match (by_kind, by_name) {
        (Some(Word::Is(metric)), Some(Word::Is(other))) if metric != other => {
            Err(format!("the type says {metric} and the name says {other}; correct the one that is wrong"))
        }
        (Some(Word::Is(metric)), Some(Word::Other(what))) => {
            Err(format!("the type says {metric} and the name says {what}; correct the one that is wrong"))
        }
        (Some(Word::Is(metric)), _) | (None, Some(Word::Is(metric))) => Ok(Named { metric, attempts: None }),
        (Some(Word::Other(what)), _) | (None, Some(Word::Other(what))) => {
            Err(format!("is {what}, for which there is no metric"))
        }
        (None, None) => Err("is of a kind for which there is no metric".to_owned()),
    }
}

/// Lower case, with `_` for everything that parts words.
fn folded(text: &str) -> String {
    let mut word = String::new();
    for letter in text.trim().chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            word.push(letter);
        } else if !word.ends_with('_') && !word.is_empty() {
            word.push('_');
        }
    }
    word.trim_end_matches('_').to_owned()
}

fn meaning(kind: &str) -> Option<Word> {
    let kind = folded(kind);
    WORDS.iter().find(|(word, _)| *word == kind).map(|(_, meaning)| *meaning)
}

/// The one meaning of the words in `name`; several are none, except that a longer word wins over its parts.
fn in_words(name: &str) -> Option<Word> {
    let name = format!("_{}_", folded(name));
    let mut hits: Vec<(&str, Word)> =
        WORDS.iter().filter(|(word, _)| name.contains(&format!("_{word}_"))).copied().collect();
    let all = hits.clone();
    hits.retain(|(word, _)| !all.iter().any(|(other, _)| other != word && other.contains(word)));
    let (_, first) = hits.first()?;
    hits.iter().all(|(_, meaning)| meaning == first).then_some(*first)
}

/// `pass@k` with its k.
fn attempts(text: &str) -> Option<u32> {
    let lower = text.to_lowercase();
    let at = ["pass@", "pass_at_", "pass at "].iter().find_map(|word| lower.split_once(word))?.1;
    let digits: String = at.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|attempts| *attempts > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_real_cards_have() {
        let is = |kind: &str, name: &str| metric(kind, Some(name)).map(|named| named.metric);
        assert_eq!(is("wer", "Test WER"), Ok(Metric::QualityWer));
        assert_eq!(is("wer", "Test WER (+LM)"), Ok(Metric::QualityWer));
        assert_eq!(is("accuracy", "Cosine Accuracy"), Ok(Metric::QualityAccuracy));
        assert_eq!(is("f1", "F1 Macro"), Ok(Metric::QualityF1));
        assert_eq!(is("rouge", "Rougel"), Ok(Metric::QualityRougeL));
        assert_eq!(is("rouge", "ROUGE-L"), Ok(Metric::QualityRougeL));
        assert_eq!(is("f_score", "NER F Score"), Ok(Metric::QualityF1));
        assert_eq!(metric("pass@10", None), Ok(Named { metric: Metric::QualityPassAtK, attempts: Some(10) }));
        assert!(is("rouge", "Rouge1").unwrap_err().contains("ROUGE-1"));
        assert!(is("mean_reward", "mean_reward").unwrap_err().contains("reward"));
        assert!(is("None", "None").is_err());
    }

    #[test]
    fn type_and_name_have_to_agree() {
        let refused = |kind: &str, name: &str| metric(kind, Some(name)).unwrap_err();
        assert!(
            refused("accuracy", "Test WER")
                .contains("type says quality.accuracy and the name says quality.wer")
        );
        assert!(refused("wer", "Test CER").contains("character error rate"));
        assert!(refused("accuracy", "Recall").contains("recall"));
    }
}
