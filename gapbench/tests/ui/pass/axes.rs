use gapbench::prelude::*;

const PAIR: (u8, u8) = (1, 2);
const LARGE: usize = 8192;

#[derive(Clone, Copy)]
enum Mode {
    Fast,
    Exact,
}

#[gap_bench(
    rows = [2048, LARGE, 1 << 14, usize::MAX],
    text = ["short", "long"],
    owned = ["bf16"],
    mode = [Mode::Fast, Mode::Exact],
    scale = [-1.5, 2.0],
    r#type = ['a'],
    pair = [PAIR],
)]
fn every_kind(
    _bench: &mut Bencher,
    mode: Mode,
    rows: usize,
    text: &str,
    owned: &'static str,
    mut scale: f64,
    r#type: char,
    pair: (u8, u8),
) {
    scale += 1.0;
    let _ = (mode as u8, rows, text, owned, scale, r#type, pair);
}

macro_rules! bench {
    ($name:ident, $target:ty, $axis:ident: $ty:ty = [$($value:expr),*]) => {
        #[gap_bench($axis = [$($value),*])]
        fn $name(_bench: &mut $target, $axis: $ty) {
            let _ = $axis;
        }
    };
}

bench!(from_a_macro, Bencher, size: usize = [1, 1 + 1]);
bench!(text_from_a_macro, Bencher, text: &'static str = ["a", "b"]);

fn main() {}
