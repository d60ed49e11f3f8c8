//! The wording of what noise did: a table of its kinds, and items that it turned wrong.

use crate::record::{NoiseRow, PairsRow};
use crate::report::plain::one_line;
use crate::report::results::CaseResult;
use crate::stats::Pairs;
use crate::units::{show_percent, show_significant};

use super::TableView;

/// Error level of the intervals.
const ALPHA: f64 = 0.05;

/// Items that are shown; the results have more.
const MOST_ITEMS: usize = 3;

/// Characters of a text that are shown.
const MOST_CHARACTERS: usize = 90;

/// What clean inputs hide of a model's accuracy, as a share of it.
///
/// # Source
/// The practice report that gapbench follows: four models in production lost 8 to 12 % of their accuracy to the quality
/// of inputs alone (METHODOLOGY, "Noise").
const REPORTED: (f64, f64) = (0.08, 0.12);

/// The kinds of noise of a case; absent where none were made.
pub(super) fn view(row: &CaseResult) -> Option<TableView> {
    if row.noise.is_empty() {
        return None;
    }
    let head = ["noise", "unchanged", "characters", "clean", "noisy", "lost, points", "p", "labels"];
    let rows = row.noise.iter().map(|noise| {
        let Pairs { n, lost, gained } = pairs(noise.pairs);
        let noisy = (noise.clean_right + gained).saturating_sub(lost);
        let share = |count: u64, of: u64| {
            if of > 0 { show_percent(count as f64 / of as f64) } else { "-".to_owned() }
        };
        vec![
            one_line(&noise.noise),
            share(noise.unchanged, noise.items),
            noise.character_error_rate.map_or_else(|| "-".to_owned(), show_percent),
            share(noise.clean_right, n),
            share(noisy, n),
            points(noise),
            show_significant(pairs(noise.pairs).mcnemar(), 2),
            noise.labels.clone(),
        ]
    });
    let mut remarks: Vec<String> =
        row.noise.iter().filter(|noise| noise.on_the_ladder).flat_map(of_the_ladder).collect();
    remarks.extend(row.noise.iter().filter(|noise| noise.failed > 0).map(|noise| {
        format!(
            "{}: {} of {} requests failed and count as wrong",
            one_line(&noise.noise),
            noise.failed,
            noise.items
        )
    }));
    Some(TableView { head: head.to_vec(), rows: rows.collect(), remarks })
}

fn pairs(row: PairsRow) -> Pairs {
    Pairs { n: row.n, lost: row.lost, gained: row.gained }
}

/// `4.5 [2.1..6.9]`.
fn points(noise: &NoiseRow) -> String {
    let found = pairs(noise.pairs);
    let percent = |share: f64| format!("{:.1}", share * 100.0).replace("-0.0", "0.0");
    let Some(difference) = found.difference() else { return "-".to_owned() };
    let ends = found.interval(ALPHA).and_then(|ends| Some((ends.lower?, ends.upper?)));
    let ends =
        ends.map_or_else(String::new, |(lower, upper)| format!(" [{}..{}]", percent(lower), percent(upper)));
    format!("{}{ends}", percent(difference))
}

/// What the step of the ladder cost, against what others report, and the items it turned wrong.
fn of_the_ladder(noise: &NoiseRow) -> Vec<String> {
    let found = pairs(noise.pairs);
    let mut remarks = Vec::new();
    if let (Some(difference), true) = (found.difference(), noise.clean_right > 0) {
        let relative = difference * found.n as f64 / noise.clean_right as f64;
        let against = if relative < REPORTED.0 {
            "less than"
        } else if relative <= REPORTED.1 {
            "as much as"
        } else {
            "more than"
        };
        remarks.push(format!(
            "{} noise of all families costs {} points, {} of the clean score: {against} the {} to {} % that was \
             reported from production",
            one_line(&noise.noise),
            points(noise),
            show_percent(relative),
            (REPORTED.0 * 100.0).round(),
            (REPORTED.1 * 100.0).round()
        ));
    }
    remarks.extend(noise.worst.iter().take(MOST_ITEMS).map(|item| {
        let wrong =
            item.wrong.as_deref().map_or_else(|| "no answer".to_owned(), |wrong| format!("`{}`", cut(wrong)));
        format!(
            "turned wrong, `{}`: \"{}\" was `{}`; \"{}\" is {wrong}",
            cut(&item.id),
            cut(&item.clean),
            cut(&item.right),
            cut(&item.noisy)
        )
    }));
    remarks
}

fn cut(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
