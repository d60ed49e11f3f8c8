//! Cells side by side in the columns of a terminal.

use super::plain::{pad, width, wrap};

/// Spaces between two columns.
const GAP: usize = 2;

/// Lays `rows` out in at most `room` columns of the terminal: the lines of each row. A cell that is wider than its
/// column is wrapped. Column `i` is never narrower than `floors[i]` or its widest cell; `None` keeps it as wide as that
/// cell. Where even the floors need more than `room`, the lines are longer than it.
pub(crate) fn lay_out<const N: usize>(
    rows: &[[String; N]],
    floors: [Option<usize>; N],
    room: usize,
) -> Vec<Vec<String>> {
    let natural =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0);
    let columns: Vec<(usize, usize)> = floors
        .iter()
        .enumerate()
        .map(|(at, floor)| (natural(at), floor.map_or(natural(at), |floor| floor.min(natural(at)))))
        .collect();
    let room = room.saturating_sub(GAP * N.saturating_sub(1));
    // The widest columns give way first, all to the same width.
    let widths = |level: usize| -> Vec<usize> {
        columns.iter().map(|&(natural, floor)| natural.min(level).max(floor)).collect()
    };
    let level = (0..=room).rev().find(|level| widths(*level).iter().sum::<usize>() <= room).unwrap_or(0);
    let widths = widths(level);
    rows.iter().map(|row| lines(row, &widths)).collect()
}

fn lines<const N: usize>(row: &[String; N], widths: &[usize]) -> Vec<String> {
    let cells: Vec<Vec<String>> = row.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |at: usize| {
        let cells = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| pad(cell.get(at).map_or("", String::as_str), width + GAP));
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &[[&str; 3]]) -> Vec<[String; 3]> {
        cells.iter().map(|row| row.map(str::to_owned)).collect()
    }

    #[test]
    fn as_wide_as_the_widest_cell_where_there_is_room() {
        let laid = lay_out(&rows(&[["a", "bb", "c"], ["aaa", "b", "c"]]), [None; 3], 80);
        assert_eq!(laid, [["a    bb  c"], ["aaa  b   c"]]);
    }

    #[test]
    fn the_widest_gives_way_and_is_wrapped() {
        let rows = rows(&[["verdict", "one two three four five", "a short one"]]);
        let laid = lay_out(&rows, [None, Some(8), Some(8)], 34);
        assert_eq!(laid, [["verdict  one two       a short one", "         three four", "         five"]]);
    }

    #[test]
    fn no_column_is_narrower_than_its_floor() {
        let rows = rows(&[["verdict", "one two three four five", "a short one"]]);
        let laid = lay_out(&rows, [None, Some(14), Some(8)], 10);
        assert!(laid[0].iter().any(|line| line.contains("one two three")), "{laid:?}");
    }
}
