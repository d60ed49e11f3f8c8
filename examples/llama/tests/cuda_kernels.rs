//! Each kernel of the CUDA engine against the same computation in f64, on a simulated device that checks every access.
//! A buffer ends at its last element, so that an access beyond it is a fault.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cuda_support;

use cuda_support::{ELEMENTS, distance, on_device, read, roundoff, scenario, uniform, worst};
use gapbench_cuda::{Cuda, Pointer};
use llama::cuda::kernels::{ID_OUT_OF_RANGE, Kernels, cast, cast_grid};

const NONE: Option<Pointer> = None;

#[test]
fn embedding_gather() {
    scenario("embedding_gather", "", || {
        let cuda = Cuda::find().unwrap();
        for element in ELEMENTS {
            let kernels = Kernels::load(&cuda, element).unwrap();
            for hidden in [8usize, 13, 64, 2056] {
                let vocab = 5;
                let (kept, table) = on_device(&cuda, element, &uniform(1, vocab * hidden));
                let ids = cuda.upload(&[4, 0, 5, -1, 2i32]).unwrap();
                let (residual, error) =
                    (cuda.uninit::<f32>(5 * hidden).unwrap(), cuda.zeros::<u32>(1).unwrap());
                let shape = (vocab as u32, hidden as u32);
                kernels.embed(cuda.stream(), 5, &ids, &table, &residual, &error, shape).unwrap();
                let row = |id: usize| &kept[id * hidden..][..hidden];
                let zeros = vec![0.0; hidden];
                let want = [row(4), row(0), &zeros, &zeros, row(2)].concat();
                let got: Vec<f64> = cuda.download(&residual).unwrap().into_iter().map(f64::from).collect();
                assert_eq!(got, want, "{element:?} {hidden}");
                assert_eq!(cuda.download(&error).unwrap(), [ID_OUT_OF_RANGE]);
            }
        }
    });
}

#[test]
fn norm_with_residual() {
    scenario("norm_with_residual", "", || {
        let cuda = Cuda::find().unwrap();
        for element in ELEMENTS {
            let kernels = Kernels::load(&cuda, element).unwrap();
            let mut largest = 0f64;
            for (rows, hidden, has_delta) in
                [(1, 8, true), (3, 13, true), (2, 64, false), (2, 172, true), (2, 5000, true)]
            {
                let (delta, on) = on_device(&cuda, element, &uniform(1, rows * hidden));
                let (weight, w) = on_device(&cuda, element, &uniform(2, hidden));
                let before = uniform(3, rows * hidden);
                let residual = cuda.upload(&before).unwrap();
                let y = cuda.uninit::<u8>(rows * hidden * element.bytes()).unwrap();
                let epsilon = 1e-5f32;
                let delta_or_none = Pointer(if has_delta { on.ptr() } else { 0 });
                let shape = (hidden as u32, epsilon);
                kernels.add_rms_norm(cuda.stream(), rows, delta_or_none, &residual, &w, &y, shape).unwrap();
                let sum: Vec<f64> = before
                    .iter()
                    .zip(&delta)
                    .map(|(r, d)| f64::from(*r) + if has_delta { *d } else { 0.0 })
                    .collect();
                let want: Vec<f64> = sum
                    .chunks(hidden)
                    .flat_map(|row| {
                        let mean = row.iter().map(|x| x * x).sum::<f64>() / hidden as f64;
                        let scale = 1.0 / (mean + f64::from(epsilon)).sqrt();
                        row.iter().zip(&weight).map(move |(x, w)| x * scale * w).collect::<Vec<_>>()
                    })
                    .collect();
                let kept: Vec<f64> = cuda.download(&residual).unwrap().into_iter().map(f64::from).collect();
                assert!(worst(&kept, &sum, 0.0, 2f64.powi(-23)) <= 1.0, "{element:?} {hidden}");
                let got = read(&cuda, element, &y);
                largest = largest.max(distance(&got, &want));
                // A tree of sums, a reciprocal root within 2 ulp and four products; then one rounding.
                let relative = 64.0 * 2f64.powi(-24) + roundoff(element);
                let share = worst(&got, &want, 1e-9, relative);
                assert!(share <= 1.0, "{element:?} {rows}x{hidden}: {share}");
            }
            println!("measured add_rms_norm_{}: {largest:.1e}", element.suffix());
        }
    });
}

#[test]
fn gated_activation() {
    scenario("gated_activation", "", || {
        let cuda = Cuda::find().unwrap();
        for element in ELEMENTS {
            let kernels = Kernels::load(&cuda, element).unwrap();
            let mut largest = 0f64;
            for (tokens, width) in [(1, 8), (3, 13), (2, 172), (2, 1032)] {
                let inputs: Vec<f32> = uniform(1, tokens * 2 * width).iter().map(|x| 20.0 * x).collect();
                let (kept, gate_up) = on_device(&cuda, element, &inputs);
                let y = cuda.uninit::<u8>(tokens * width * element.bytes()).unwrap();
                kernels.silu_mul(cuda.stream(), tokens, &gate_up, &y, width as u32).unwrap();
                let silu = |x: f64| x / (1.0 + (-x).exp());
                let of_token = |token: &[f64]| -> Vec<f64> {
                    (0..width).map(|i| silu(token[i]) * token[width + i]).collect()
                };
                let want: Vec<f64> = kept.chunks(2 * width).flat_map(of_token).collect();
                let got = read(&cuda, element, &y);
                largest = largest.max(distance(&got, &want));
                // exp by the hardware: its error grows with the argument, to 20 * 2^-23 and 2 ulp here.
                let relative = 64.0 * 2f64.powi(-24) + roundoff(element);
                // Below the normal numbers of f16 its steps are 2^-24.
                let share = worst(&got, &want, 2f64.powi(-25), relative);
                assert!(share <= 1.0, "{element:?} {tokens}x{width}: {share}");
            }
            println!("measured silu_mul_{}: {largest:.1e}", element.suffix());
        }
    });
}

#[test]
fn products_of_few_rows() {
    scenario("products_of_few_rows", "", || {
        let cuda = Cuda::find().unwrap();
        for element in ELEMENTS {
            let kernels = Kernels::load(&cuda, element).unwrap();
            let mut largest = 0f64;
            for (m, n, k, wide) in [
                (1, 1, 8, true),
                (1, 33, 64, false),
                (2, 17, 172, true),
                (4, 16, 520, false),
                (5, 31, 13, true),
                (8, 50, 96, false),
                (7, 3, 1040, true),
            ] {
                let (x, x_on) = on_device(&cuda, element, &uniform(1, m * k));
                let (w, w_on) = on_device(&cuda, element, &uniform(2, n * k));
                let bytes = if wide { 4 } else { element.bytes() };
                let y = cuda.uninit::<u8>(m * n * bytes).unwrap();
                kernels.gemv(cuda.stream(), (m, n, k), &w_on, NONE, &x_on, &y, wide).unwrap();
                let result = if wide { llama::cuda::kernels::Element::F32 } else { element };
                let got = read(&cuda, result, &y);
                let (want, sizes) = product(m, n, k, &x, &w);
                // Chains of k/32 and at most 8 products in a lane, and five sums of lanes.
                let steps = (k as f64 / 32.0).ceil() + 16.0 + 5.0;
                largest = largest.max(distance(&got, &want));
                let share = worst(&got, &want, steps * 2f64.powi(-24) * sizes, roundoff(result));
                assert!(share <= 1.0, "{element:?} {m}x{n}x{k}: {share}");
            }
            println!("measured gemv_{}: {largest:.1e}", element.suffix());
        }
    });
}

#[test]
fn products_with_eight_bits() {
    scenario("products_with_eight_bits", "", || {
        let cuda = Cuda::find().unwrap();
        for element in ELEMENTS {
            let kernels = Kernels::load(&cuda, element).unwrap();
            let mut largest = 0f64;
            for (m, n, k) in [(1, 33, 64), (1, 5, 172), (3, 17, 528), (8, 20, 32), (6, 2, 7)] {
                let (x, x_on) = on_device(&cuda, element, &uniform(1, m * k));
                let q: Vec<i8> = uniform(2, n * k).iter().map(|x| (127.0 * x) as i8).collect();
                let scales: Vec<f32> = uniform(3, n).iter().map(|x| 0.01 + x.abs()).collect();
                let (q_on, scales_on) = (cuda.upload(&q).unwrap(), cuda.upload(&scales).unwrap());
                let y = cuda.uninit::<f32>(m * n).unwrap();
                kernels.gemv(cuda.stream(), (m, n, k), &q_on, Some(&scales_on), &x_on, &y, true).unwrap();
                let w: Vec<f64> = (0..n * k).map(|i| f64::from(q[i]) * f64::from(scales[i / k])).collect();
                let got: Vec<f64> = cuda.download(&y).unwrap().into_iter().map(f64::from).collect();
                let (want, sizes) = product(m, n, k, &x, &w);
                let steps = (k as f64 / 32.0).ceil() + 16.0 + 5.0;
                largest = largest.max(distance(&got, &want));
                let share = worst(&got, &want, steps * 2f64.powi(-24) * sizes, 2f64.powi(-23));
                assert!(share <= 1.0, "{element:?} {m}x{n}x{k}: {share}");

                let back = cuda.uninit::<u8>(n * k * element.bytes()).unwrap();
                kernels.dequantize(cuda.stream(), (n, k), &q_on, &scales_on, &back).unwrap();
                let share = worst(&read(&cuda, element, &back), &w, 0.0, 2f64.powi(-24) + roundoff(element));
                assert!(share <= 1.0, "{element:?} back {n}x{k}: {share}");
            }
            println!("measured gemv_i8_{}: {largest:.1e}", element.suffix());
        }
    });
}

/// The product with a transposed second factor, and the largest sum of sizes.
fn product(m: usize, n: usize, k: usize, x: &[f64], w: &[f64]) -> (Vec<f64>, f64) {
    let (mut want, mut largest) = (Vec::new(), 0f64);
    for r in 0..m {
        for j in 0..n {
            let terms = || (0..k).map(|i| x[r * k + i] * w[j * k + i]);
            want.push(terms().sum());
            largest = largest.max(terms().map(f64::abs).sum());
        }
    }
    (want, largest)
}

#[test]
fn largest_of_a_row() {
    scenario("largest_of_a_row", "", || {
        let cuda = Cuda::find().unwrap();
        let kernels = Kernels::load(&cuda, ELEMENTS[0]).unwrap();
        for columns in [1usize, 5, 32, 1000, 3001] {
            let mut x = uniform(9, 4 * columns);
            let last = columns - 1;
            x[last] = 2.0; // the last of row 0
            x[columns..][..columns].fill(-7.0); // all equal: the first
            x[2 * columns..][..columns].fill(f32::NAN);
            x[3 * columns..][..columns].fill(f32::NEG_INFINITY);
            x[3 * columns + columns / 2] = f32::NAN;
            let (on, index) = (cuda.upload(&x).unwrap(), cuda.uninit::<u32>(4).unwrap());
            kernels.argmax(cuda.stream(), (4, columns), &on, &index).unwrap();
            let least = if columns == 1 { u32::MAX } else { 0 };
            assert_eq!(cuda.download(&index).unwrap(), [last as u32, 0, u32::MAX, least], "{columns}");
        }
    });
}

#[test]
fn numbers_that_are_none_are_found() {
    scenario("numbers_that_are_none_are_found", "", || {
        let cuda = Cuda::find().unwrap();
        for element in ELEMENTS {
            let kernel = llama::cuda::kernels::finite(&cuda, element).unwrap();
            let found = |values: &[f32], from: usize| {
                let (_, x) = on_device(&cuda, element, values);
                let word = cuda.zeros::<u32>(1).unwrap();
                let at = gapbench_cuda::Pointer(x.ptr() + (from * element.bytes()) as u64);
                let count = (values.len() - from) as u64;
                kernel.launch(cuda.stream(), gapbench_cuda::Grid::new(2, 64), (at, &word, count)).unwrap();
                cuda.download(&word).unwrap()[0]
            };
            // The largest numbers, the smallest and zeros are numbers.
            let largest = if element == llama::cuda::kernels::Element::F16 { 65504.0 } else { 3.3e38 };
            let mut values: Vec<f32> = [largest, -largest, 1e-7, -0.0, 0.0, 1.0].repeat(500);
            assert_eq!(
                (found(&values, 0), found(&values, 1), found(&values[..0], 0)),
                (0, 0, 0),
                "{element:?}"
            );
            // At both ends, in the middle and in what is left beside whole accesses.
            for position in [0, 1, 1234, 2990, 2998, 2999] {
                for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let before = std::mem::replace(&mut values[position], number);
                    assert_eq!(found(&values, 0), 1, "{element:?} {position} {number}");
                    assert_eq!(
                        found(&values, 1),
                        u32::from(position >= 1),
                        "{element:?} {position} {number}"
                    );
                    values[position] = before;
                }
            }
        }
    });
}

#[test]
fn casts_round_to_even() {
    scenario("casts_round_to_even", "", || {
        let cuda = Cuda::find().unwrap();
        for from in ELEMENTS {
            for to in ELEMENTS {
                let Some(kernel) = cast(&cuda, from, to).unwrap() else { continue };
                for count in [1usize, 8, 21, 4099] {
                    let (kept, x) = on_device(&cuda, from, &uniform(5, count));
                    let y = cuda.uninit::<u8>(count * to.bytes()).unwrap();
                    kernel.launch(cuda.stream(), cast_grid(count), (&x, &y, count as u64)).unwrap();
                    let narrow: Vec<f32> = kept.iter().map(|x| *x as f32).collect();
                    let (want, _) = cuda_support::rounded(to, &narrow);
                    assert_eq!(read(&cuda, to, &y), want, "{from:?} to {to:?}, {count}");
                }
            }
        }
    });
}
