//! How the prompts of several sequences are cut into steps of an engine: a step takes tokens of as many prompts as fit,
//! so that short prompts share one reading of the weights. Knows lengths only.

/// Tokens of one prompt within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Which prompt.
    pub(crate) prompt: usize,
    /// Its tokens that were in earlier steps.
    pub(crate) before: usize,
    /// Its tokens in this step.
    pub(crate) tokens: usize,
    /// Tokens of the step before the segment's first one.
    pub(crate) start: usize,
    /// The prompt ends here.
    pub(crate) ends: bool,
}

/// The segments of each step, for prompts of these lengths, none of which is 0: at most `rows` tokens a step, and at most
/// `ends` prompts that end in it.
pub(crate) fn steps(lengths: impl IntoIterator<Item = usize>, rows: usize, ends: usize) -> Vec<Vec<Segment>> {
    let (mut steps, mut step) = (Vec::new(), Vec::new());
    let (mut filled, mut ended) = (0, 0);
    for (prompt, length) in lengths.into_iter().enumerate() {
        let mut before = 0;
        while before < length {
            if filled == rows.max(1) || ended == ends.max(1) {
                steps.push(std::mem::take(&mut step));
                (filled, ended) = (0, 0);
            }
            let tokens = (length - before).min(rows.max(1) - filled);
            let last = before + tokens == length;
            step.push(Segment { prompt, before, tokens, start: filled, ends: last });
            (before, filled, ended) = (before + tokens, filled + tokens, ended + usize::from(last));
        }
    }
    steps.push(step);
    steps
}

/// The rows of a step after which prompts end.
pub(crate) fn last_rows(step: &[Segment]) -> Vec<usize> {
    step.iter()
        .filter(|segment| segment.ends)
        .map(|segment| segment.start + segment.tokens.saturating_sub(1))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Prompt, before, tokens, start of each segment.
    fn cut(lengths: &[usize], rows: usize, ends: usize) -> Vec<Vec<[usize; 4]>> {
        let each = |step: Vec<Segment>| {
            step.iter()
                .map(|segment| [segment.prompt, segment.before, segment.tokens, segment.start])
                .collect()
        };
        steps(lengths.iter().copied(), rows, ends).into_iter().map(each).collect()
    }

    #[test]
    fn short_prompts_share_a_step_and_long_ones_are_cut() {
        assert_eq!(cut(&[3, 2], 8, 8), [[[0, 0, 3, 0], [1, 0, 2, 3]]]);
        assert_eq!(cut(&[10], 4, 8), [[[0, 0, 4, 0]], [[0, 4, 4, 0]], [[0, 8, 2, 0]]]);
        assert_eq!(cut(&[3, 3], 4, 8), [vec![[0, 0, 3, 0], [1, 0, 1, 3]], vec![[1, 1, 2, 0]]]);
        // A full step ends exactly.
        assert_eq!(cut(&[4, 1], 4, 8), [[[0, 0, 4, 0]], [[1, 0, 1, 0]]]);
        // No more ends than there is room for logits.
        assert_eq!(cut(&[1, 1, 1], 8, 2), [vec![[0, 0, 1, 0], [1, 0, 1, 1]], vec![[2, 0, 1, 0]]]);
    }

    #[test]
    fn every_token_is_in_one_step_and_every_prompt_ends_once() {
        for (rows, most) in [(1, 1), (2, 1), (3, 2), (7, 3), (100, 100)] {
            let lengths = [5, 1, 1, 9, 2, 14, 3];
            let (mut seen, mut ended) = ([0; 7], [0; 7]);
            for step in steps(lengths, rows, most) {
                assert!(step.iter().map(|segment| segment.tokens).sum::<usize>() <= rows);
                assert!(last_rows(&step).len() <= most);
                let mut row = 0;
                for segment in step {
                    assert_eq!((segment.start, segment.before), (row, seen[segment.prompt]));
                    row += segment.tokens;
                    seen[segment.prompt] += segment.tokens;
                    ended[segment.prompt] += usize::from(segment.ends);
                }
            }
            assert_eq!((seen, ended), (lengths, [1; 7]));
        }
    }

    #[test]
    fn rows_after_which_prompts_end() {
        let [first, second] = <[_; 2]>::try_from(steps([3, 3], 4, 8)).unwrap();
        assert_eq!((last_rows(&first), last_rows(&second)), (vec![2], vec![1]));
    }
}
