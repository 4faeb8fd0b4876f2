use super::*;
use crate::array::NdArray;
use crate::kernels::naive::{
    self, Layout, assert_close, config, fresh, layout_of, sizes,
};
use proptest::prelude::*;

fn layouts() -> impl Strategy<Value = Layout> {
    sizes(1..=4).prop_flat_map(layout_of)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn softmax_is_that_of_a_loop(layout in layouts(), axis: prop::sample::Index, seed: u64) {
        let axis = axis.index(layout.sizes.len());
        for element in [naive::real, naive::special] {
            let x = layout.array(seed, element);
            let wide = x.as_array::<f64>();
            let wanted = naive::along(&wide, axis, naive::softmax);
            let y = fresh::<f64>(x.shape(), |out| softmax(x.view(), axis, out).unwrap());
            assert_close(y, wanted, 1e-14);
            let wanted = naive::along(&wide, axis, naive::log_softmax);
            let y = fresh::<f64>(x.shape(), |out| log_softmax(x.view(), axis, out).unwrap());
            assert_close(y, wanted, 1e-13);

            #[expect(clippy::cast_possible_truncation, reason = "the numbers fit f32")]
            let x = layout.array(seed, |random| element(random) as f32);
            let wide = x.as_array::<f32>().mapv(f64::from);
            let wanted = naive::along(&wide.view(), axis, naive::softmax);
            let y = fresh::<f32>(x.shape(), |out| softmax(x.view(), axis, out).unwrap());
            assert_close(y, wanted, 3e-7);
            let wanted = naive::along(&wide.view(), axis, naive::log_softmax);
            let y = fresh::<f32>(x.shape(), |out| log_softmax(x.view(), axis, out).unwrap());
            assert_close(y, wanted, 3e-6);
        }
    }

    #[test]
    fn cross_entropy_is_that_of_a_loop(
        (logits, labels) in (sizes(0..=2), 1..40_usize).prop_flat_map(|(rows, len)| {
            let logits = [&rows[..], &[len]].concat();
            (layout_of(logits), layout_of(rows))
        }),
        seed: u64,
    ) {
        let len = *logits.sizes.last().unwrap();
        let x = logits.array(seed, naive::real);
        let size = len.cast_signed() as i64;
        let labels =
            labels.array(seed, |random| (random >> 1).cast_signed() % (2 * size) - size);
        let rows = &logits.sizes[..logits.sizes.len() - 1];
        let wide = x.as_array::<f64>();
        let rows_of = naive::reduce(&wide, &[rows.len()], <[f64]>::to_vec);
        let wanted: Vec<f64> = rows_of
            .iter()
            .zip(&labels.as_array::<i64>())
            .map(|(row, &label)| {
                let label = if label < 0 { label + size } else { label };
                naive::logsumexp(row) - row[usize::try_from(label).unwrap()]
            })
            .collect();
        let y = fresh::<f64>(rows, |out| {
            softmax_cross_entropy(x.view(), labels.view(), out).unwrap();
        });
        assert_close(y, wanted.iter().copied(), 1e-13);
        #[expect(clippy::cast_possible_truncation, reason = "the numbers fit f32")]
        let x = logits.array(seed, |random| naive::real(random) as f32);
        let y = fresh::<f32>(rows, |out| {
            softmax_cross_entropy(x.view(), labels.view(), out).unwrap();
        });
        assert_close(y, wanted, 2e-6);
    }
}

fn cross_entropy(x: &[f64], label: i64) -> f64 {
    let (x, label) = (NdArray::from_elements(x), NdArray::from_elements(&[label]));
    let label = label.view();
    let shape: [usize; 0] = [];
    // SAFETY: the first label, seen as a scalar.
    let label = unsafe { View::from_raw(label.first(), &shape, None, DType::I64) };
    fresh::<f64>(&[], |out| softmax_cross_entropy(x.view(), label, out).unwrap())[[]]
}

#[test]
fn cross_entropy_is_exact_where_it_is_small_or_infinite() {
    let inf = f64::INFINITY;
    assert_close(
        [cross_entropy(&[1000.0, 980.0], 0)],
        [2.061_153_620_314_381e-9],
        1e-15,
    );
    assert_close([cross_entropy(&[inf, 1.0], 1)], [inf], 0.0);
    assert_close([cross_entropy(&[-inf, 1.0], 0)], [inf], 0.0);
    assert_close([cross_entropy(&[-inf, 1.0], -1)], [0.0], 0.0);
}

#[test]
fn long_rows_span_groups() {
    for len in [1, 2047, 2048, 2049, 10_000] {
        let x = Layout::dense(&[3, len]).array(5, naive::real);
        let wanted = naive::along(&x.as_array::<f64>(), 1, naive::softmax);
        let y = fresh::<f64>(x.shape(), |out| softmax(x.view(), 1, out).unwrap());
        assert_close(y, wanted, 1e-14);
    }
}
