use super::fold::{Fold, Max, Mean, Sum, fold_block};
use super::more::Length;
use super::strided::{Columns, WIDTH};
use super::*;
use crate::array::{Fresh, NdArray};
use crate::kernels::naive::{self, Layout, assert_close, config, fresh, layout};
use crate::kernels::simd::{self, Isa, Kernel};
use crate::shape::{self, Shape, Type};
use proptest::prelude::*;

/// A layout, and some of its axes.
fn reduction() -> impl Strategy<Value = (Layout, Vec<usize>)> {
    layout().prop_flat_map(|layout| {
        let ndim = layout.sizes.len();
        (
            Just(layout),
            proptest::sample::subsequence((0..ndim).collect::<Vec<_>>(), 0..=ndim),
        )
    })
}

#[expect(clippy::cast_possible_truncation, reason = "the numbers fit f32")]
fn f32_of(random: u64) -> f32 {
    naive::real(random) as f32
}

#[expect(clippy::cast_possible_truncation, reason = "the numbers fit f32")]
fn special_f32(random: u64) -> f32 {
    naive::special(random) as f32
}

fn outputs(x: &NdArray, axes: &[usize]) -> Shape {
    shape::reduced(x.shape(), axes, false)
}

fn f64s(x: &NdArray) -> ndarray::ArrayD<f64> {
    match x.dtype() {
        DType::F32 => x.as_array::<f32>().mapv(f64::from),
        DType::F64 => x.as_array::<f64>().to_owned(),
        DType::I64 => x.as_array::<i64>().mapv(|x| x as f64),
        DType::Bool => x.as_array::<bool>().mapv(|x| f64::from(u8::from(x))),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sums_are_those_of_a_loop((layout, axes) in reduction(), seed: u64) {
        let terms: usize = axes.iter().map(|&k| layout.sizes[k]).product();
        let divisor = Some(terms as f64);
        let scale = 4.0 * terms as f64;
        let mean = |x: &[f64]| naive::sum(x) / terms as f64;

        let x = layout.array(seed, naive::real);
        let (wide, out) = (f64s(&x), outputs(&x, &axes));
        let wanted = naive::reduce(&wide.view(), &axes, naive::sum);
        let means = naive::reduce(&wide.view(), &axes, mean);
        let y = fresh::<f64>(&out, |out| sum(x.view(), &axes, None, out).unwrap());
        assert_close(y, wanted.iter().copied(), 1e-15 * scale);
        let y = fresh::<f64>(&out, |out| sum(x.view(), &axes, divisor, out).unwrap());
        assert_close(y, means.iter().copied(), 4e-15);

        let x = layout.array(seed, f32_of);
        let y = fresh::<f32>(&out, |out| sum(x.view(), &axes, None, out).unwrap());
        assert_close(y, wanted, 1e-6 * scale);
        let y = fresh::<f32>(&out, |out| sum(x.view(), &axes, divisor, out).unwrap());
        assert_close(y, means, 3e-7);

        let x = layout.array(seed, u64::cast_signed);
        let y = fresh::<i64>(&out, |out| sum(x.view(), &axes, None, out).unwrap());
        let wrapping = |x: &[i64]| x.iter().fold(0, |a, &b| i64::wrapping_add(a, b));
        let wanted = naive::reduce(&x.as_array::<i64>(), &axes, wrapping);
        prop_assert_eq!(y.into_iter().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn maxima_are_those_of_a_loop((layout, axes) in reduction(), seed: u64) {
        prop_assume!(axes.iter().all(|&k| layout.sizes[k] != 0));
        let arrays = [
            layout.array(seed, naive::special),
            layout.array(seed, special_f32),
            layout.array(seed, |random| (random % 100).cast_signed() - 50),
            layout.array(seed, |random| random % 4 == 0),
        ];
        for x in arrays {
            let out = outputs(&x, &axes);
            let wanted = naive::reduce(&f64s(&x).view(), &axes, naive::max);
            let mut y = Fresh::new("test", Type::new(out, x.dtype())).unwrap();
            max(x.view(), &axes, y.view()).unwrap();
            // SAFETY: `max` wrote every element.
            let y = unsafe { y.assume_init() };
            assert_close(f64s(&y), wanted, 0.0);
        }
    }

    #[test]
    fn argmax_is_that_of_a_loop(layout in layout(), axis: prop::sample::Index, seed: u64) {
        prop_assume!(!layout.sizes.contains(&0));
        let ndim = layout.sizes.len();
        let all: Vec<usize> = (0..ndim).collect();
        let arrays = [
            layout.array(seed, naive::special),
            layout.array(seed, f32_of),
            layout.array(seed, |random| (random % 10).cast_signed()),
            layout.array(seed, |random| random % 4 == 0),
        ];
        for x in arrays {
            let wide = f64s(&x);
            let y = fresh::<i64>(&[], |out| argmax(x.view(), None, out).unwrap());
            prop_assert_eq!(
                y.into_iter().collect::<Vec<_>>(),
                naive::reduce(&wide.view(), &all, naive::argmax)
            );
            if ndim > 0 {
                let axis = axis.index(ndim);
                let out = outputs(&x, &[axis]);
                let y = fresh::<i64>(&out, |out| argmax(x.view(), Some(axis), out).unwrap());
                let wanted = naive::reduce(&wide.view(), &[axis], naive::argmax);
                prop_assert_eq!(y.into_iter().collect::<Vec<_>>(), wanted);
            }
        }
    }

    #[test]
    fn logsumexp_is_that_of_a_loop((layout, axes) in reduction(), seed: u64) {
        for element in [naive::real, naive::special] {
            let x = layout.array(seed, element);
            let wanted = naive::reduce(&x.as_array::<f64>(), &axes, naive::logsumexp);
            let out = outputs(&x, &axes);
            let y = fresh::<f64>(&out, |out| logsumexp(x.view(), &axes, out).unwrap());
            assert_close(y, wanted, 1e-13);
        }
    }

    /// The bits of the instruction set in use are those of the baseline, or of a fused
    /// loop that is compiled for it.
    #[test]
    fn every_instruction_set_adds_in_the_same_order(len in 0..5000_usize, seed: u64) {
        struct Block<'a, F: Fold>(&'a [F::Item]);
        impl<F: Fold> Kernel for Block<'_, F> {
            type Output = F::Acc;
            #[inline(always)]
            fn run<const FMA: bool>(self) -> F::Acc {
                fold_block::<F, FMA>(self.0)
            }
        }
        let x = Layout { sizes: vec![len], steps: vec![1], ranks: vec![0] };
        let (wide, x) = (x.array(seed, naive::real), x.array(seed, f32_of));
        let (wide, x) = (wide.as_slice().unwrap(), x.as_slice().unwrap());
        let plain = Block::<Sum<f32>>(x).run::<false>();
        let vector = simd::dispatch(Block::<Sum<f32>>(x));
        prop_assert_eq!(plain.to_bits(), vector.to_bits());
        let plain = Block::<Sum<f64>>(wide).run::<false>();
        let vector = simd::dispatch(Block::<Sum<f64>>(wide));
        prop_assert_eq!(plain.to_bits(), vector.to_bits());
        let plain = Block::<Mean<f32>>(x).run::<false>();
        let vector = simd::dispatch(Block::<Mean<f32>>(x));
        prop_assert_eq!(plain.to_bits(), vector.to_bits());
        let plain = Block::<Max<f32>>(x).run::<false>();
        let vector = simd::dispatch(Block::<Max<f32>>(x));
        prop_assert_eq!(plain.to_bits(), vector.to_bits());
        let fuses = simd::BASELINE_FMA || simd::isa() > Isa::Baseline;
        let block = Block::<Length<f32>>(x);
        let plain = if fuses { block.run::<true>() } else { block.run::<false>() };
        let vector = simd::dispatch(Block::<Length<f32>>(x));
        prop_assert_eq!(plain.to_bits(), vector.to_bits());

        let (count, width) = (x.len() / 127 + 9, 100.min(x.len() / 60));
        let (mut plain, mut vector) = ([-0.0; WIDTH], [-0.0; WIDTH]);
        if count * width <= x.len() {
            let (first, step) = (x.as_ptr(), width.cast_signed());
            let acc = &mut plain[..width];
            Columns::<Sum<f32>> { first, step, count, acc }.run::<false>();
            let acc = &mut vector[..width];
            simd::dispatch(Columns::<Sum<f32>> { first, step, count, acc });
            prop_assert_eq!(plain.map(f32::to_bits), vector.map(f32::to_bits));
        }
    }
}

#[test]
fn long_sums_stay_exact_to_the_last_bits() {
    // A running sum of 2²⁴ ones and more is stuck in f32.
    let len = (1 << 25) + 3;
    let ones = NdArray::full(&[len], 1.0, DType::F32).unwrap();
    let y = fresh::<f32>(&[], |out| sum(ones.view(), &[0], None, out).unwrap());
    assert_close(y, [len as f64], 1.0);
    let tenths = NdArray::full(&[1 << 20, 2], 0.1, DType::F32).unwrap();
    let wanted = f64::from(0.1_f32) * f64::from(1 << 20);
    let y = fresh::<f32>(&[2], |out| sum(tenths.view(), &[0], None, out).unwrap());
    assert_close(y, [wanted; 2], 0.05);
    let y = fresh::<f32>(&[2], |out| {
        sum(tenths.view(), &[0], Some(f64::from(1 << 20)), out).unwrap();
    });
    assert_close(y, [f64::from(0.1_f32); 2], 0.0);
}

#[test]
fn sums_keep_the_sign_of_zero_and_empty_sums_are_zero() {
    let x = NdArray::from_elements(&[-0.0_f64; 3]);
    let y = fresh::<f64>(&[], |out| sum(x.view(), &[0], None, out).unwrap());
    assert!(y[[]].is_sign_negative());
    let x = NdArray::zeros(&[2, 0], DType::F64).unwrap();
    let y = fresh::<f64>(&[2], |out| sum(x.view(), &[1], None, out).unwrap());
    assert!(y.iter().all(|y| *y == 0.0 && y.is_sign_positive()));
    let y = fresh::<f64>(&[2], |out| sum(x.view(), &[1], Some(0.0), out).unwrap());
    assert!(y.iter().all(|y| y.is_nan()));
    let y = fresh::<f64>(&[2], |out| logsumexp(x.view(), &[1], out).unwrap());
    assert_close(y, [f64::NEG_INFINITY; 2], 0.0);
}

#[test]
fn a_mean_of_ones_is_one() {
    for len in [3, 49, 1000, 5001] {
        let ones = NdArray::full(&[len], 1.0, DType::F64).unwrap();
        let y = fresh::<f64>(&[], |out| {
            sum(ones.view(), &[0], Some(len as f64), out).unwrap();
        });
        assert_close(y, [1.0], 0.0);
    }
}

#[test]
fn logsumexp_is_exact_for_infinities_and_does_not_overflow() {
    let inf = f64::INFINITY;
    for (x, wanted) in [
        ([-inf, -inf], -inf),
        ([inf, 1.0], inf),
        ([inf, -inf], inf),
        ([1000.0, 1000.0], 1000.0 + std::f64::consts::LN_2),
        ([-1000.0, -inf], -1000.0),
        ([f64::NAN, inf], f64::NAN),
    ] {
        let x = NdArray::from_elements(&x);
        let y = fresh::<f64>(&[], |out| logsumexp(x.view(), &[0], out).unwrap());
        assert_close(y, [wanted], 1e-12);
    }
}

fn exact_length(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Compares lengths along the rows, the columns and all of a matrix.
fn check_lengths(x: &NdArray) {
    for axes in [&[0][..], &[1], &[0, 1]] {
        let out = outputs(x, axes);
        let y = fresh::<f32>(&out, |out| length(x.view(), axes, out).unwrap());
        let wanted = naive::reduce(&f64s(x).view(), axes, exact_length);
        for (&y, wanted) in y.iter().zip(wanted) {
            let exponent = wanted.log2().floor().max(-126.0);
            // `f64` is not exact either.
            let two_places = 2.0001 * (exponent - 23.0).exp2();
            let close = (f64::from(y) - wanted).abs() <= two_places;
            let overflows = y == f32::INFINITY && wanted > f64::from(f32::MAX);
            assert!(close || overflows, "{y:e} is not {wanted:e}, {axes:?}");
        }
    }
}

/// Around the edges of groups, and of blocks of rows and columns.
const MATRICES: [[usize; 2]; 12] = [
    [1, 7],
    [3, 127],
    [7, 128],
    [8, 129],
    [9, 1000],
    [64, 3],
    [65, 130],
    [300, 200],
    [1, 16_383],
    [2, 16_384],
    [1, 16_385],
    [1, 50_000],
];

#[test]
fn lengths_of_any_magnitude_are_within_two_places() {
    let scales: [&[f32]; 14] = [
        &[0.0],
        &[1.0],
        &[1e18],
        &[1e19],
        &[1e30],
        &[1e38],
        &[1e-13],
        &[1e-18],
        &[1e-19],
        &[1e-22],
        &[1e-30],
        &[1e-44],
        &[1e-14, 1e-19, 1e-22],
        &[1e30, 1e-30, 1.0, 0.0],
    ];
    for scales in scales {
        for (seed, sizes) in (0..).zip(&MATRICES) {
            check_lengths(&Layout::dense(sizes).array(seed, |random| {
                let [low, ..] = random.to_le_bytes();
                f32_of(random) * scales[usize::from(low) % scales.len()]
            }));
        }
    }
}

#[test]
fn lengths_are_within_two_places_where_all_roundings_lean_one_way() {
    for seed in 0..60 {
        // Without steps all elements are one, whose square is rounded alike everywhere.
        let layout =
            Layout { sizes: vec![40, 640], steps: vec![0; 2], ranks: vec![0; 2] };
        check_lengths(&layout.array(seed, |random| 1.0 + f32_of(random).abs() / 4.0));
    }
}

#[test]
fn lengths_know_infinities_and_nans() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for (special, wanted) in
        [([inf, 1.0], inf), ([-inf, inf], inf), ([nan, 1.0], nan), ([nan, inf], nan)]
    {
        for others in [0.0, 1.0, 1e30, 1e-30] {
            let mut x = [others; 8 * 130];
            (x[3], x[131]) = (special[0], special[1]);
            let x = NdArray::from_elements(&x);
            let y = fresh::<f32>(&[], |out| length(x.view(), &[0], out).unwrap());
            assert_close(y, [f64::from(wanted)], 0.0);
        }
    }
}
