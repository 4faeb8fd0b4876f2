use super::*;
use crate::array::NdArray;
use crate::kernels::naive::{
    self, Layout, assert_close, config, fresh, layout, layout_of, sizes,
};
use ndarray::ArrayViewD;
use proptest::collection::vec;
use proptest::prelude::*;

/// An array, how many of its axes are indexed, and the layout of the indices.
/// The position along each axis of the `k`-th element in C order.
fn unravel(mut k: usize, shape: &[usize]) -> Vec<usize> {
    let mut position = vec![0; shape.len()];
    for (at, &size) in position.iter_mut().zip(shape).rev() {
        (*at, k) = (k % size, k / size);
    }
    position
}

fn selection() -> impl Strategy<Value = (Layout, usize, Layout)> {
    (vec(1..6_usize, 1..=4), 1..=3_usize, sizes(0..=2)).prop_flat_map(
        |(sizes, count, places)| {
            let count = count.min(sizes.len());
            (layout_of(sizes), Just(count), layout_of(places))
        },
    )
}

/// Arrays of indices for the leading axes.
fn indices(places: &Layout, sizes: &[usize], seed: u64) -> Vec<NdArray> {
    let array = |(k, &size): (usize, &usize)| {
        let limit = size.cast_signed() as i64;
        places.array(seed ^ k as u64, |x| (x >> 1).cast_signed() % (2 * limit) - limit)
    };
    sizes.iter().enumerate().map(array).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn gather_and_scatter_are_those_of_a_loop(
        (layout, count, places) in selection(),
        seed: u64,
    ) {
        let sizes = &layout.sizes;
        let indices = indices(&places, &sizes[..count], seed);
        let views: Vec<View<'_>> = indices.iter().map(NdArray::view).collect();
        let arrays: Vec<ArrayViewD<'_, i64>> = indices.iter().map(NdArray::as_array).collect();
        let shape = [&places.sizes[..], &sizes[count..]].concat();

        let x = layout.array(seed, naive::real);
        let y = fresh::<f64>(&shape, |out| gather(x.view(), &views, out).unwrap());
        assert_close(y, naive::gather(&x.as_array(), &arrays, &shape), 0.0);
        let x = layout.array(seed, |random| random % 2 == 0);
        let y = fresh::<bool>(&shape, |out| gather(x.view(), &views, out).unwrap());
        let wanted = naive::gather(&x.as_array::<bool>(), &arrays, &shape);
        prop_assert_eq!(y.into_iter().collect::<Vec<_>>(), wanted);

        let steps = [&places.steps[..], &layout.steps[count..]].concat();
        let ranks = [&places.ranks[..], &layout.ranks[count..]].concat();
        let x = Layout { sizes: shape, steps, ranks }.array(seed, naive::real);
        let y = fresh::<f64>(sizes, |out| scatter(x.view(), &views, out).unwrap());
        // Parts that meet are added in the same order, so the bits agree.
        let zeros = ndarray::ArrayD::zeros(&sizes[..]);
        assert_close(y, naive::scatter_add(&x.as_array(), &arrays, zeros), 0.0);
        let mut sum = Layout::dense(sizes).array(!seed, naive::real);
        let wanted = sum.as_array().to_owned();
        scatter_add(x.view(), &views, sum.exclusive().unwrap()).unwrap();
        let wanted = naive::scatter_add(&x.as_array(), &arrays, wanted);
        assert_close(sum.to_vec::<f64>(), wanted, 0.0);
        let before = Layout::dense(sizes).array(!seed, naive::real);
        let y =
            fresh::<f64>(sizes, |out| put(before.view(), x.view(), &views, out).unwrap());
        let wanted = before.as_array().to_owned();
        assert_close(y, naive::put(&x.as_array(), &arrays, wanted), 0.0);
    }

    #[test]
    fn concatenation_is_that_of_ndarray(
        layouts in (sizes(1..=3), any::<prop::sample::Index>(), vec(0..5_usize, 1..=3))
            .prop_flat_map(|(sizes, axis, lens)| {
                let axis = axis.index(sizes.len());
                let part = |len| {
                    let mut sizes = sizes.clone();
                    sizes[axis] = len;
                    layout_of(sizes)
                };
                (lens.into_iter().map(part).collect::<Vec<_>>(), Just(axis))
            }),
        seed: u64,
    ) {
        let (layouts, axis) = layouts;
        let parts: Vec<NdArray> =
            layouts.iter().map(|layout| layout.array(seed, naive::real)).collect();
        let arrays: Vec<_> = parts.iter().map(NdArray::as_array::<f64>).collect();
        let wanted = ndarray::concatenate(ndarray::Axis(axis), &arrays).unwrap();
        let views: Vec<View<'_>> = parts.iter().map(NdArray::view).collect();
        let y = fresh::<f64>(wanted.shape(), |out| concatenate(&views, axis, out).unwrap());
        prop_assert_eq!(y, wanted);
    }

    #[test]
    fn embedding_is_that_of_a_loop(
        layout in layout(),
        places in vec((0..3_usize, prop::sample::select(&[1, 2, -1, -3][..]), 0..3_usize), 4),
        seed: u64,
    ) {
        let (mut spans, mut sizes) = (Vec::new(), Vec::new());
        for (&len, (before, step, after)) in layout.sizes.iter().zip(places) {
            let reach = len.saturating_sub(1) * isize::unsigned_abs(step);
            let start = if step < 0 { before + reach } else { before };
            spans.push(Span { start, step, len });
            sizes.push(before + reach + usize::from(len > 0) + after);
        }
        let x = layout.array(seed, naive::real);
        let y = fresh::<f64>(&sizes, |out| embed(x.view(), &spans, out).unwrap());
        let zeros = ndarray::ArrayD::zeros(&sizes[..]);
        let wanted = naive::embed(&x.as_array::<f64>(), &spans, zeros);
        prop_assert_eq!(&y, &wanted);
        let mut sum = Layout::dense(&sizes).array(!seed, naive::real);
        let wanted = sum.as_array::<f64>().to_owned() + wanted;
        embed_add(x.view(), &spans, sum.exclusive().unwrap()).unwrap();
        prop_assert_eq!(sum.as_array::<f64>(), wanted.view());
        let y = fresh::<f64>(&sizes, |out| {
            assign(sum.view(), x.view(), &spans, out).unwrap();
        });
        prop_assert_eq!(y, naive::embed(&x.as_array::<f64>(), &spans, wanted));
    }

    #[test]
    fn an_index_out_of_range_is_found_wherever_it_is(
        layout in layout(),
        place: prop::sample::Index,
        value in prop::sample::select(&[7, -8, i64::MAX, i64::MIN][..]),
        seed: u64,
    ) {
        let good = layout.array(seed, |random| (random % 14).cast_signed() - 7);
        prop_assert!(check("take", good.view(), 7).is_ok());
        let len: usize = layout.sizes.iter().product();
        prop_assume!(len > 0 && !layout.steps.contains(&0));
        let at = place.index(len);
        let mut bad = good.as_array::<i64>().to_owned();
        *bad.iter_mut().nth(at).unwrap() = value;
        let position = unravel(at, &layout.sizes);
        // The same layout, so that strided arrays are searched as well.
        let bad = NdArray::from(bad);
        let error = check("take", bad.view(), 7).unwrap_err().to_string();
        let position = error::tuple(&position);
        let text = format!("take: index {value} at {position} is out of range for size 7");
        prop_assert_eq!(error, text);
    }
}

#[test]
fn nothing_is_in_range_of_an_empty_axis() {
    let index = NdArray::from_elements(&[0_i64]);
    assert!(check("take", index.view(), 0).is_err());
    let none = NdArray::from_elements::<i64>(&[]);
    assert!(check("take", none.view(), 0).is_ok());
}

#[test]
fn a_strided_index_out_of_range_is_named_by_its_position() {
    let column = Layout { sizes: vec![2, 3], steps: vec![1, 1], ranks: vec![1, 0] };
    let index = column.array(0, |_| 9_i64);
    let error = check("take", index.view(), 9).unwrap_err();
    assert!(error.to_string().contains("index 9 at (0, 0)"), "{error}");
}
