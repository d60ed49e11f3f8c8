//! Rotation, cache and attention of the CUDA engine against the same computation in f64, on a simulated device that checks
//! every access.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cuda_support;

use cuda_support::{ELEMENTS, distance, on_device, read, roundoff, scenario, uniform, worst};
use gapbench_cuda::{Buffer, Cuda, Pointer};
use llama::cuda::kernels::{Cache, Element, Heads, Kernels, PAGE, POSITION_WITHOUT_PAGE};

/// Sequences of these lengths with their pages scattered over a cache that is exactly as large.
struct Sequences {
    lengths: Vec<usize>,
    pages_per_row: usize,
    tables: Vec<i32>,
    pages: usize,
}

impl Sequences {
    fn new(lengths: &[usize]) -> Sequences {
        let pages_per_row = lengths.iter().map(|length| length.div_ceil(PAGE)).max().unwrap() + 1;
        let pages: usize = lengths.iter().map(|length| length.div_ceil(PAGE)).sum();
        let mut tables = vec![-1; lengths.len() * pages_per_row];
        // From the last page down, in turns over the sequences.
        let mut next = pages;
        for i in 0..pages_per_row {
            for (row, length) in lengths.iter().enumerate() {
                if i * PAGE < *length {
                    next -= 1;
                    tables[row * pages_per_row + i] = next as i32;
                }
            }
        }
        Sequences { lengths: lengths.to_vec(), pages_per_row, tables, pages }
    }

    /// Where an element of the cache is.
    fn at(&self, heads: Heads, row: usize, position: usize, head: usize) -> usize {
        let page = self.tables[row * self.pages_per_row + position / PAGE] as usize;
        ((page * heads.key as usize + head) * PAGE + position % PAGE) * heads.dim as usize
    }

    fn elements(&self, heads: Heads) -> usize {
        self.pages * PAGE * heads.key as usize * heads.dim as usize
    }

    /// Attention in f64 of a query over the first `length` positions.
    fn attend(
        &self,
        heads: Heads,
        row: usize,
        length: usize,
        (q, k, v): (&[f64], &[f64], &[f64]),
    ) -> Vec<f64> {
        let dim = heads.dim as usize;
        let mut out = Vec::new();
        for head in 0..heads.query as usize {
            let key_head = head / (heads.query / heads.key) as usize;
            let scores: Vec<f64> = (0..length)
                .map(|t| {
                    let at = self.at(heads, row, t, key_head);
                    let dot: f64 = (0..dim).map(|e| q[head * dim + e] * k[at + e]).sum();
                    dot / (dim as f64).sqrt()
                })
                .collect();
            let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|score| (score - max).exp()).sum();
            for e in 0..dim {
                let weighted = |(t, score): (usize, &f64)| {
                    (score - max).exp() / sum * v[self.at(heads, row, t, key_head) + e]
                };
                out.push(scores.iter().enumerate().map(weighted).sum());
            }
        }
        out
    }
}

const SHAPES: [Heads; 5] = [
    Heads { query: 8, key: 4, dim: 8 },
    Heads { query: 2, key: 2, dim: 40 },
    Heads { query: 4, key: 1, dim: 64 },
    Heads { query: 8, key: 2, dim: 128 },
    Heads { query: 3, key: 1, dim: 16 },
];

/// Scores are off by a few roundings of their size, weights by as much again, and all of it is a mean of values below 1.
fn tolerance(element: Element, heads: Heads) -> (f64, f64) {
    let scores = f64::from(heads.dim).sqrt() * 40.0;
    ((scores + 200.0) * 2f64.powi(-24), roundoff(element))
}

#[test]
fn one_query_a_sequence() {
    scenario("one_query_a_sequence", "", || {
        let cuda = Cuda::find().unwrap();
        let sequences = Sequences::new(&[1, 17, 70, 16, 203]);
        let n = sequences.lengths.len();
        for element in ELEMENTS {
            let kernels = Kernels::load(&cuda, element).unwrap();
            let mut largest = 0f64;
            for heads in SHAPES {
                let (qkv, qkv_on) = on_device(&cuda, element, &uniform(1, n * heads.qkv() as usize));
                let (k, k_on) = on_device(&cuda, element, &uniform(2, sequences.elements(heads)));
                let (v, v_on) = on_device(&cuda, element, &uniform(3, sequences.elements(heads)));
                // In another order than the rows.
                let rows: Vec<i32> = (0..n as i32).rev().collect();
                let positions: Vec<i32> =
                    rows.iter().map(|row| sequences.lengths[*row as usize] as i32 - 1).collect();
                let (rows_on, positions_on) = (cuda.upload(&rows).unwrap(), cuda.upload(&positions).unwrap());
                let tables = cuda.upload(&sequences.tables).unwrap();
                let want: Vec<f64> = rows
                    .iter()
                    .enumerate()
                    .flat_map(|(at, row)| {
                        let q = &qkv[at * heads.qkv() as usize..];
                        let row = *row as usize;
                        sequences.attend(heads, row, sequences.lengths[row], (q, &k, &v))
                    })
                    .collect();
                for splits in [1u32, 3] {
                    let out = cuda.uninit::<u8>(want.len() * element.bytes()).unwrap();
                    let parts = cuda.uninit::<f32>(Kernels::parts_len(n, splits, heads)).unwrap();
                    let pages_per_row = sequences.pages_per_row as u32;
                    let cache = Cache { keys: &k_on, values: &v_on, tables: &tables, pages_per_row };
                    let places = (&positions_on, &rows_on);
                    let outs = (&out, &parts);
                    kernels
                        .attention_decode(cuda.stream(), n, splits, &qkv_on, cache, places, outs, heads)
                        .unwrap();
                    let got = read(&cuda, element, &out);
                    let (absolute, relative) = tolerance(element, heads);
                    let share = worst(&got, &want, absolute, relative);
                    assert!(share <= 1.0, "{element:?} {heads:?} {splits}: {share}");
                    largest = largest.max(distance(&got, &want));
                }
            }
            println!("measured attention_decode_{}: {largest:.1e}", element.suffix());
        }
    });
}

#[test]
fn queries_of_a_prompt() {
    scenario("queries_of_a_prompt", "", || {
        let cuda = Cuda::find().unwrap();
        for element in ELEMENTS {
            let kernels = Kernels::load(&cuda, element).unwrap();
            let mut largest = 0f64;
            for (heads, first, tokens) in [
                (SHAPES[0], 0, 1),
                (SHAPES[0], 0, 65),
                (SHAPES[3], 40, 130),
                (SHAPES[1], 5, 33),
                (SHAPES[2], 60, 7),
                (SHAPES[3], 31, 34),
                (SHAPES[4], 0, 32),
            ] {
                let length = first + tokens;
                let sequences = Sequences::new(&[3, length]);
                let (qkv, qkv_on) = on_device(&cuda, element, &uniform(1, tokens * heads.qkv() as usize));
                let (k, k_on) = on_device(&cuda, element, &uniform(2, sequences.elements(heads)));
                let (v, v_on) = on_device(&cuda, element, &uniform(3, sequences.elements(heads)));
                let row = &sequences.tables[sequences.pages_per_row..];
                let tables = cuda.upload(row).unwrap();
                let want: Vec<f64> = (0..tokens)
                    .flat_map(|i| {
                        let q = &qkv[i * heads.qkv() as usize..];
                        sequences.attend(heads, 1, first + i + 1, (q, &k, &v))
                    })
                    .collect();
                let out = cuda.uninit::<u8>(want.len() * element.bytes()).unwrap();
                let pages_per_row = sequences.pages_per_row as u32;
                let cache = Cache { keys: &k_on, values: &v_on, tables: &tables, pages_per_row };
                kernels
                    .attention_prefill(cuda.stream(), (first, tokens), &qkv_on, cache, &out, heads)
                    .unwrap();
                let got = read(&cuda, element, &out);
                let (mut absolute, relative) = tolerance(element, heads);
                if element != Element::F32 {
                    // The tensor cores take the weights in 16 bits: a mean of values below 1 moves by as much.
                    absolute += roundoff(element);
                }
                let share = worst(&got, &want, absolute, relative);
                assert!(share <= 1.0, "{element:?} {heads:?} {first}+{tokens}: {share}");
                largest = largest.max(distance(&got, &want));
            }
            println!("measured attention_prefill_{}: {largest:.1e}", element.suffix());
        }
    });
}

#[test]
fn rotation_into_the_cache() {
    scenario("rotation_into_the_cache", "", || {
        let cuda = Cuda::find().unwrap();
        for element in ELEMENTS {
            let kernels = Kernels::load(&cuda, element).unwrap();
            let mut largest = 0f64;
            for heads in SHAPES {
                let sequences = Sequences::new(&[40, 3, 131_072]);
                // Beside ordinary positions the last one of a long context.
                let places = [(0, 39), (1, 0), (1, 2), (2, 131_071), (0, 16)];
                let (dim, tokens) = (heads.dim as usize, places.len());
                let frequencies: Vec<f64> = (0..dim / 2)
                    .map(|i| 500_000f64.powf(-2.0 * i as f64 / dim as f64) / std::f64::consts::TAU)
                    .collect();
                let (before, qkv) = on_device(&cuda, element, &uniform(4, tokens * heads.qkv() as usize));
                let rows = cuda.upload(&places.map(|(row, _)| row)).unwrap();
                let positions = cuda.upload(&places.map(|(_, position)| position)).unwrap();
                let tables = cuda.upload(&sequences.tables).unwrap();
                let frequencies_on = cuda.upload(&frequencies).unwrap();
                let bytes = sequences.elements(heads) * element.bytes();
                // Untouched memory has no pages behind it.
                let keys = cuda.stream().allocate::<u8>(bytes).unwrap();
                let values = cuda.stream().allocate::<u8>(bytes).unwrap();
                let error = cuda.zeros::<u32>(1).unwrap();
                let pages_per_row = sequences.pages_per_row as u32;
                let cache = Cache { keys: &keys, values: &values, tables: &tables, pages_per_row };
                let at = (&positions, &rows);
                kernels
                    .rope_append(cuda.stream(), tokens, &qkv, &frequencies_on, at, cache, &error, heads)
                    .unwrap();
                assert_eq!(cuda.download(&error).unwrap(), [0]);

                let turned = |head: &[f64], position: i32| -> Vec<f64> {
                    let pair = |i: usize| {
                        let angle = (f64::from(position) * frequencies[i] * std::f64::consts::TAU).sin_cos();
                        let (first, second) = (head[i], head[i + dim / 2]);
                        (first * angle.1 - second * angle.0, second * angle.1 + first * angle.0)
                    };
                    (0..dim / 2).map(|i| pair(i).0).chain((0..dim / 2).map(|i| pair(i).1)).collect()
                };
                let after = read(&cuda, element, &qkv);
                for (token, (row, position)) in places.into_iter().enumerate() {
                    for head in 0..(heads.query + 2 * heads.key) as usize {
                        let from = (token * (heads.query + 2 * heads.key) as usize + head) * dim;
                        let given = &before[from..][..dim];
                        let query = heads.query as usize;
                        let (got, want) = if head < query {
                            (after[from..][..dim].to_vec(), turned(given, position))
                        } else {
                            let is_key = head < query + heads.key as usize;
                            let key_head = (head - query) % heads.key as usize;
                            let at = sequences.at(heads, row as usize, position as usize, key_head);
                            let cache = if is_key { &keys } else { &values };
                            let want = if is_key { turned(given, position) } else { given.to_vec() };
                            (part(&cuda, element, cache, at, dim), want)
                        };
                        // An angle in turns is off by 2^-24 of one, and so are the two products.
                        let share = worst(&got, &want, 16.0 * 2f64.powi(-24), roundoff(element));
                        assert!(share <= 1.0, "{element:?} {heads:?} token {token} head {head}: {share}");
                        largest = largest.max(distance(&got, &want));
                    }
                }
            }
            println!("measured rope_append_{}: {largest:.1e}", element.suffix());
        }
    });
}

/// `len` elements of a large buffer.
fn part(cuda: &Cuda, element: Element, buffer: &Buffer<u8>, at: usize, len: usize) -> Vec<f64> {
    let bytes = len * element.bytes();
    let copy = cuda.zeros::<u8>(bytes).unwrap();
    cuda.stream().copy(copy.ptr(), buffer.ptr() + (at * element.bytes()) as u64, bytes).unwrap();
    read(cuda, element, &copy)
}

/// A position that the sequence has no page for is told and not written: a write would be a fault here.
#[test]
fn a_position_without_a_page_is_an_error() {
    scenario("a_position_without_a_page_is_an_error", "", || {
        let cuda = Cuda::find().unwrap();
        let kernels = Kernels::load(&cuda, Element::F32).unwrap();
        let heads = SHAPES[0];
        let sequences = Sequences::new(&[16, 40]);
        let tables = cuda.upload(&sequences.tables).unwrap();
        for position in [16, 64, 1000, -1] {
            let (_, qkv) = on_device(&cuda, Element::F32, &uniform(4, heads.qkv() as usize));
            let keys = cuda.zeros::<f32>(sequences.elements(heads)).unwrap();
            let (positions, rows) = (cuda.upload(&[position]).unwrap(), cuda.upload(&[0i32]).unwrap());
            let (frequencies, error) = (cuda.upload(&[0.1f64; 4]).unwrap(), cuda.zeros::<u32>(1).unwrap());
            let pages_per_row = sequences.pages_per_row as u32;
            let cache = Cache { keys: &keys, values: &keys, tables: &tables, pages_per_row };
            let at = (&positions, &rows);
            kernels.rope_append(cuda.stream(), 1, &qkv, &frequencies, at, cache, &error, heads).unwrap();
            assert_eq!(cuda.download(&error).unwrap(), [POSITION_WITHOUT_PAGE], "{position}");
            assert!(cuda.download(&keys).unwrap().iter().all(|key| *key == 0.0));
            // And attention reads no more than there is.
            let out = cuda.uninit::<f32>((heads.query * heads.dim) as usize).unwrap();
            let (outs, cache) = ((&out, Pointer(0)), Cache { ..cache });
            kernels.attention_decode(cuda.stream(), 1, 1, &qkv, cache, at, outs, heads).unwrap();
            assert!(cuda.download(&out).unwrap().iter().all(|out| *out == 0.0));
        }
    });
}
