//! The same items with noise: each kind graded item by item against the clean answers.

use crate::declare::Result;
use crate::input::perturb::{Chain, Dose, Family, LabelSafety, Operator, Registry, Severity, Statistics};
use crate::input::{Input, InputFile};
use crate::record::{Condition, Data, Event, InputSet, LostItem, Metric, NoiseRow, PairsRow};
use crate::stats::SplitMix64;

use super::super::channel::say;
use super::Serve;
use super::requests::{self, Graded};
use super::shape::Shape;

/// Items that noise turned wrong and that are shown; the counts have all.
const MOST_LOST_SHOWN: usize = 5;

/// Characters of a text that are shown.
const MOST_SHOWN: usize = 400;

/// One kind of noise.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    /// The value of the condition `noise`.
    pub(super) name: String,
    what: What,
    dose: Dose,
}

#[derive(Clone, Debug)]
enum What {
    /// One operator of every family, drawn for each item.
    Everything,
    /// One operator of this family, drawn for each item.
    Family(Family),
    /// These operators in this order.
    Chain(Chain),
}

/// What a declaration asks for.
pub(super) struct Kinds {
    /// The kind that is a step of the ladder, and that requests under load have.
    pub(super) ladder: Option<Noise>,
    others: Vec<Noise>,
}

impl Kinds {
    /// Reads the words of the attribute: the severity `medium` is the ladder's, or the first one where it is not among
    /// them; its families are measured one by one too.
    ///
    /// # Errors
    /// When an operator or a severity is unknown.
    pub(super) fn read(words: &[&str], registry: &Registry) -> Result<Kinds> {
        let severities: Vec<Severity> = words.iter().filter_map(|word| severity(word)).collect();
        let medium = severities.iter().find(|severity| **severity == Severity::Medium);
        let main = medium.or(severities.first()).copied();
        let everything = |severity: Severity| Noise {
            name: severity.name().to_owned(),
            what: What::Everything,
            dose: severity.dose(),
        };
        let mut others: Vec<Noise> =
            severities.iter().copied().filter(|one| Some(*one) != main).map(everything).collect();
        others.extend(main.into_iter().flat_map(|severity| {
            Family::ALL.iter().map(move |family| Noise {
                name: format!("{severity} {family}"),
                what: What::Family(*family),
                dose: severity.dose(),
            })
        }));
        for word in words.iter().filter(|word| severity(word).is_none()) {
            others.push(chain(word, registry)?);
        }
        Ok(Kinds { ladder: main.map(everything), others })
    }
}

fn severity(word: &str) -> Option<Severity> {
    Severity::ALL.iter().copied().find(|severity| severity.name() == word)
}

/// `typo.keyboard,format.html@heavy`.
fn chain(word: &str, registry: &Registry) -> Result<Noise> {
    let (names, severity) = match word.split_once('@') {
        Some((names, wanted)) => (
            names,
            severity(wanted.trim()).ok_or_else(|| {
                format!(
                    "there is no severity `{wanted}` in the noise `{word}`; expected light, medium or heavy"
                )
            })?,
        ),
        None => (word, Severity::Medium),
    };
    let chain = registry.chain(names).map_err(|error| format!("failed to {error}"))?;
    Ok(Noise {
        name: format!("{}@{severity}", chain.name()),
        what: What::Chain(chain),
        dose: severity.dose(),
    })
}

impl Noise {
    /// The operators of an item. Noise that may take away what the answer depends on is left out of drawn operators.
    fn operators(&self, registry: &Registry, seed: u64, id: &str) -> Option<Chain> {
        let drawn = |family: Family| {
            let of_family: Vec<_> = registry
                .operators()
                .iter()
                .filter(|one| one.family() == family && one.label_safety() < LabelSafety::MayChange)
                .collect();
            let mut stream = SplitMix64::named(&format!("{seed}:noise.{}:{id}", family.name()));
            let index = stream.below(of_family.len() as u64) as usize;
            of_family.get(index).map(|operator| std::sync::Arc::clone(operator))
        };
        match &self.what {
            What::Everything => Chain::new(Family::ALL.iter().copied().filter_map(drawn).collect()).ok(),
            What::Family(family) => Chain::new(drawn(*family).into_iter().collect()).ok(),
            What::Chain(chain) => Some(chain.clone()),
        }
    }

    /// The set with this noise: ids and answers stay.
    pub(super) fn apply(&self, registry: &Registry, file: &InputFile, seed: u64) -> InputFile {
        let noisy = |input: &Input| match self.operators(registry, seed, &input.id) {
            Some(chain) => chain.perturb(input, self.dose, seed),
            None => input.clone(),
        };
        InputFile {
            name: file.name.clone(),
            path: file.path.clone(),
            items: file.items.iter().map(noisy).collect(),
        }
    }

    fn labels(&self, registry: &Registry) -> LabelSafety {
        match &self.what {
            What::Chain(chain) => chain.label_safety(),
            What::Everything | What::Family(_) => registry
                .operators()
                .iter()
                .filter(|one| matches!(self.what, What::Everything) || self.what.is(one.family()))
                .map(|one| one.label_safety())
                .filter(|safety| *safety < LabelSafety::MayChange)
                .max()
                .unwrap_or(LabelSafety::Kept),
        }
    }
}

impl What {
    fn is(&self, family: Family) -> bool {
        matches!(self, What::Family(own) if *own == family)
    }
}

/// Answers the set with every kind of noise, where any is declared. The ladder's kind is also timed, as the clean set is.
pub(super) fn measure(
    serve: &Serve,
    role: InputSet,
    file: &InputFile,
    clean: &Graded,
    shape: &mut dyn Shape,
) -> Result<()> {
    let kinds = Kinds::read(serve.declaration.options.noise, &serve.noises)?;
    let on_the_ladder = kinds.ladder.iter().map(|kind| (kind, true));
    for (kind, on_the_ladder) in on_the_ladder.chain(kinds.others.iter().map(|kind| (kind, false))) {
        let noisy = kind.apply(&serve.noises, file, serve.job.seed);
        let graded = if on_the_ladder {
            requests::measure(serve, role, &noisy, Some(&kind.name), shape)?
        } else if serve.job.quality {
            let graded = Graded::collect(serve, &noisy, shape)?;
            if graded.gradable > 0 {
                let conditions = serve
                    .conditions
                    .clone()
                    .with(Condition::Dataset, file.name.as_str())
                    .with(Condition::Warm, true)
                    .with(Condition::Noise, kind.name.as_str());
                let data = Data::Counts { successes: graded.right, trials: graded.gradable };
                serve.series(Metric::QualityAccuracy, Some(role), &conditions, data);
            }
            graded
        } else {
            continue;
        };
        if serve.job.quality {
            let labels = kind.labels(&serve.noises);
            let mut row = row(file, &noisy, clean, &graded);
            row.noise.clone_from(&kind.name);
            row.labels = labels.to_string();
            row.inputs = role;
            row.on_the_ladder = on_the_ladder;
            say(&Event::Noise(Box::new(row)));
        }
    }
    Ok(())
}

fn row(clean_file: &InputFile, noisy_file: &InputFile, clean: &Graded, noisy: &Graded) -> NoiseRow {
    let mut statistics = Statistics::default();
    let mut pairs = PairsRow::default();
    let (mut clean_right, mut worst) = (0, Vec::new());
    let items = clean_file.items.iter().zip(&noisy_file.items).enumerate();
    for (index, (before, after)) in items {
        statistics.add(&before.text, &after.text);
        let (Some(was), Some(is)) = (clean.right_of(index), noisy.right_of(index)) else { continue };
        pairs.n += 1;
        clean_right += u64::from(was);
        pairs.gained += u64::from(!was && is);
        if was && !is {
            pairs.lost += 1;
            if worst.len() < MOST_LOST_SHOWN {
                worst.push(LostItem {
                    id: before.id.clone(),
                    clean: shown(&before.text),
                    noisy: shown(&after.text),
                    right: clean.answer_of(index).map(shown).unwrap_or_default(),
                    wrong: noisy.answer_of(index).map(shown),
                });
            }
        }
    }
    NoiseRow {
        noise: String::new(),
        on_the_ladder: false,
        inputs: InputSet::Own,
        labels: String::new(),
        items: statistics.items,
        unchanged: statistics.unchanged,
        character_error_rate: statistics.character_error_rate(),
        failed: noisy.failed,
        pairs,
        clean_right,
        worst,
    }
}

/// The beginning of a text.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Serve {
    /// Adds a noise operator of one's own, which `noise = ["own.name"]` in the attribute can then name.
    ///
    /// # Errors
    /// When its name is taken or no name.
    pub fn operator(&mut self, operator: impl Operator + 'static) -> Result<&mut Serve> {
        self.noises.add(operator).map_err(|error| format!("failed to {error}"))?;
        Ok(self)
    }
}
