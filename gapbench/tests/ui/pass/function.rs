use gapbench::prelude::*;

/// Documentation stays.
#[gap_bench]
fn nothing(_bench: &mut Bencher) {}

#[gap_bench()]
pub fn result(_bench: &mut Bencher) -> Result<()> {
    Ok(())
}

#[gap_bench(name = "other-name_2")]
pub(crate) fn own_error(_bench: &mut gapbench::prelude::Bencher) -> std::result::Result<(), std::fmt::Error> {
    Ok(())
}

#[gap_bench(cold_start(process, jit), memory, benchmark = "data/stsb.jsonl", inputs = "data/eval.jsonl")]
fn service(_serve: &mut Serve) -> std::result::Result<(), String> {
    Ok(())
}

#[gap_bench]
fn ignored(_: &mut Bencher) {}

#[gap_bench]
fn r#match(mut _bench: &mut Bencher) {}

mod inner {
    use super::*;

    #[gap_bench]
    fn private(_bench: &mut Bencher) {}
}

fn outer() {
    #[gap_bench]
    fn nested(_bench: &mut Bencher) {}
}

fn main() {}
