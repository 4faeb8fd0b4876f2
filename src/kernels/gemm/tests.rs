use super::*;
use crate::dtype::Element;
use crate::kernels::naive::{
    self, Layout, assert_close, config, fresh, layout_of, size,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Layouts of two operands with no batch axis, one or two; every other time the second
/// operand is one matrix for all.
fn operands() -> impl Strategy<Value = (Layout, Layout)> {
    (vec(0..4_usize, 0..=2), size(), size(), size(), any::<bool>()).prop_flat_map(
        |(batch, m, k, n, shared)| {
            let shape = |rows, columns| [&batch[..], &[rows, columns]].concat();
            let axes = batch.len();
            let share = move |mut layout: Layout| {
                layout.steps[..axes]
                    .iter_mut()
                    .for_each(|step| *step *= isize::from(!shared));
                layout
            };
            (layout_of(shape(m, k)), layout_of(shape(k, n)).prop_map(share))
        },
    )
}

fn product_of<T: Element + Number>(
    (a, b): &(Layout, Layout),
    seed: u64,
    element: impl Fn(u64) -> T + Copy,
) -> (Vec<T>, Vec<T>) {
    let (a, b) = (a.array(seed, element), b.array(!seed, element));
    let mut shape = a.shape().to_vec();
    *shape.last_mut().unwrap() = *b.shape().last().unwrap();
    let y = fresh::<T>(&shape, |out| matmul(a.view(), b.view(), out).unwrap());
    let (a, b) = (a.as_array::<T>(), b.as_array::<T>());
    let wanted = naive::matmul(&a, &b, T::ZERO, T::plus, T::times);
    (y.into_iter().collect(), wanted)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn products_are_those_of_a_loop(operands in operands(), seed: u64) {
        let terms = operands.0.sizes.last().copied().unwrap_or(0) as f64;
        let (y, wanted) = product_of::<f64>(&operands, seed, naive::real);
        assert_close(y, wanted, 1e-14 * terms);
        #[expect(clippy::cast_possible_truncation, reason = "the numbers fit f32")]
        let (y, wanted) = product_of::<f32>(&operands, seed, |x| naive::real(x) as f32);
        assert_close(y, wanted.into_iter().map(f64::from), 1e-5 * terms);
        let (y, wanted) = product_of::<i64>(&operands, seed, u64::cast_signed);
        prop_assert_eq!(y, wanted);
        let (y, wanted) = product_of::<bool>(&operands, seed, |x| x % 4 == 0);
        prop_assert_eq!(y, wanted);
    }

    /// Small products have the bits of the plain loop under every instruction set.
    #[test]
    fn small_products_add_in_order(
        operands in (1..12_usize, 1..12_usize, 1..12_usize)
            .prop_flat_map(|(m, k, n)| (layout_of(vec![m, k]), layout_of(vec![k, n]))),
        seed: u64,
    ) {
        let (y, wanted) = product_of::<f64>(&operands, seed, naive::real);
        if y.len() * operands.0.sizes[1] <= SMALL_STRIDED {
            prop_assert_eq!(y, wanted);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// Lengths at which the loops of products with vectors take another turn.
    #[test]
    fn products_with_vectors_are_those_of_a_loop(
        operands in (0..150_usize, 1..150_usize, any::<bool>())
            .prop_flat_map(|(k, n, on_the_left)| {
                let [a, b] = if on_the_left { [[1, k], [k, n]] } else { [[n, k], [k, 1]] };
                (layout_of(a.to_vec()), layout_of(b.to_vec()))
            }),
        seed: u64,
    ) {
        let terms = operands.0.sizes[1] as f64;
        let (y, wanted) = product_of::<f64>(&operands, seed, naive::real);
        assert_close(y, wanted, 1e-14 * terms);
    }
}

proptest! {
    #![proptest_config(config())]

    /// Sizes for the loop of narrow products, and around them.
    #[test]
    fn narrow_products_are_those_of_a_loop(
        operands in prop_oneof![(1..150_usize, 1..70_usize), (1..30_usize, 60..300_usize)]
            .prop_flat_map(|(m, k)| {
                (1..20_usize).prop_flat_map(move |n| {
                    (layout_of(vec![m, k]), layout_of(vec![k, n]))
                })
            }),
        seed: u64,
    ) {
        // Both add up to `k` products below 16 in some order, each step with an error of
        // half a unit in the last place of at most `16 k`.
        let bound = 16.0 * (operands.0.sizes[1] as f64).powi(2);
        let (y, wanted) = product_of::<f64>(&operands, seed, naive::real);
        assert_close(y, wanted, bound * f64::EPSILON);
        #[expect(clippy::cast_possible_truncation, reason = "the numbers fit f32")]
        let (y, wanted) = product_of::<f32>(&operands, seed, |x| naive::real(x) as f32);
        assert_close(y, wanted.into_iter().map(f64::from), bound * f64::from(f32::EPSILON));
    }
}

#[test]
fn columns_that_compete_in_the_caches_are_turned() {
    for (m, k, n) in [(16, 256, 20), (17, 512, 3), (40, 768, 131), (300, 256, 65)] {
        // The columns of `b` are rows in memory.
        let b = Layout { ranks: vec![1, 0], ..Layout::dense(&[k, n]) };
        let bound = 16.0 * (k as f64).powi(2);
        let operands = (Layout::dense(&[m, k]), b);
        let (y, wanted) = product_of::<f64>(&operands, 5, naive::real);
        assert_close(y, wanted, bound * f64::EPSILON);
        #[expect(clippy::cast_possible_truncation, reason = "the numbers fit f32")]
        let (y, wanted) = product_of::<f32>(&operands, 5, |x| naive::real(x) as f32);
        assert_close(
            y,
            wanted.into_iter().map(f64::from),
            bound * f64::from(f32::EPSILON),
        );
    }
}

#[test]
fn a_product_over_nothing_is_zero() {
    let (a, b) = (Layout::dense(&[2, 3, 0]), Layout::dense(&[2, 0, 4]));
    let (y, _) = product_of::<f64>(&(a, b), 1, naive::real);
    assert_eq!(y, [0.0; 24]);
    let (a, b) = (Layout::dense(&[0, 5]), Layout::dense(&[5, 4]));
    assert!(product_of::<f32>(&(a, b), 1, |_| 1.0).0.is_empty());
}

#[test]
fn infinities_and_nans_stay_within_the_rows_of_narrow_products() {
    for n in 3..=16 {
        let (a, b) = (Layout::dense(&[70, 9]), Layout::dense(&[9, n]));
        let (y, wanted) = product_of::<f64>(&(a, b), 3, naive::special);
        assert_close(y, wanted, 1e-12);
    }
}

#[test]
fn infinities_and_nans_spread() {
    let (a, b) = (Layout::dense(&[3, 40]), Layout::dense(&[40, 50]));
    let (y, wanted) = product_of::<f64>(&(a, b), 3, naive::special);
    assert_close(y, wanted, 1e-12);
}
