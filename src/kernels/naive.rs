//! For tests: plain loops that are right at a glance, and arrays of any layout to
//! compare the kernels on.
#![expect(clippy::float_cmp, reason = "what is equal needs no tolerance")]

use crate::array::{Fresh, NdArray, ViewMut};
use crate::dtype::Element;
use crate::shape::{Shape, Span, Strides, Type};
use ndarray::{ArrayD, ArrayViewD, Axis, Dimension as _, IxDyn};
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// The same cases at every run.
pub(super) fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7),
        ..ProptestConfig::default()
    }
}

/// How an array lies in memory: for each axis its size, its step over elements that are
/// skipped (negative: backward; zero: repeated), and its rank among the axes.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) sizes: Vec<usize>,
    pub(super) steps: Vec<isize>,
    pub(super) ranks: Vec<u8>,
}

/// Sizes around the edges of lanes, groups and blocks, mostly small ones.
pub(super) fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 0..10_usize,
        1 => select(&[15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 130][..]),
    ]
}

/// Sizes of so many axes, but not of too many elements.
pub(super) fn sizes(ndim: impl Into<SizeRange>) -> impl Strategy<Value = Vec<usize>> {
    let few = |sizes: &Vec<usize>| sizes.iter().product::<usize>() <= 1 << 14;
    vec(size(), ndim).prop_filter("too many elements", few)
}

/// Layouts of up to four axes; one in three is contiguous.
pub(super) fn layout() -> impl Strategy<Value = Layout> {
    sizes(0..=4).prop_flat_map(layout_of)
}

/// Layouts of an array of these sizes.
pub(super) fn layout_of(sizes: Vec<usize>) -> impl Strategy<Value = Layout> {
    let ndim = sizes.len();
    let strided =
        (vec(select(&[1, 1, 2, -1, -2, 0][..]), ndim), vec(any::<u8>(), ndim));
    let dense = Just((vec![1; ndim], vec![0; ndim]));
    let permuted = vec(any::<u8>(), ndim).prop_map(move |ranks| (vec![1; ndim], ranks));
    prop_oneof![strided, dense, permuted].prop_map(move |(steps, ranks)| Layout {
        sizes: sizes.clone(),
        steps,
        ranks,
    })
}

impl Layout {
    /// The layout of a contiguous array.
    pub(super) fn dense(sizes: &[usize]) -> Self {
        let ndim = sizes.len();
        Layout { sizes: sizes.to_vec(), steps: vec![1; ndim], ranks: vec![0; ndim] }
    }

    /// An array that lies like this, with elements made from random numbers.
    pub(super) fn array<T: Element>(
        &self,
        seed: u64,
        element: impl Fn(u64) -> T,
    ) -> NdArray {
        let mut axes: Vec<usize> = (0..self.sizes.len()).collect();
        axes.sort_by_key(|&k| self.ranks[k]);
        let mut strides = Strides::from_elem(0, axes.len());
        let (mut room, mut first) = (1, 0);
        for &k in axes.iter().rev() {
            let (size, step) = (self.sizes[k].max(1).cast_signed(), self.steps[k]);
            strides[k] = step * room;
            first += if step < 0 { (size - 1) * -step * room } else { 0 };
            room *= if step == 0 { 1 } else { size * step.abs() };
        }
        let mut state = seed;
        let elements: Vec<T> = (0..room).map(|_| element(random(&mut state))).collect();
        let base = NdArray::from_elements(&elements);
        let ty = Type::new(Shape::new(&self.sizes), T::DTYPE);
        // SAFETY: `room` counts all elements that the strides reach, and `first` those
        // before the first.
        unsafe {
            let first = base.first().cast::<T>().offset(first).cast();
            NdArray::from_raw(base.buffer().clone(), first, ty, strides)
        }
    }
}

/// The next number of `SplitMix64`.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number between −4 and 4 that `f32` holds.
pub(super) fn real(random: u64) -> f64 {
    f64::from((random >> 44) as u32) / f64::from(1 << 17) - 4.0
}

/// As `real`, but one in four is an infinity, a NaN or a zero.
pub(super) fn special(random: u64) -> f64 {
    const SPECIAL: [f64; 5] = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0];
    let [low, ..] = random.to_le_bytes();
    SPECIAL.get(usize::from(low % 20)).copied().unwrap_or_else(|| real(random))
}

/// Runs a kernel into fresh memory.
pub(super) fn fresh<T: Element>(
    shape: &[usize],
    kernel: impl FnOnce(ViewMut<'_>),
) -> ArrayD<T> {
    let ty = Type::new(Shape::new(shape), T::DTYPE);
    let mut out = Fresh::new("test", ty).unwrap();
    kernel(out.view());
    // SAFETY: the kernel under test writes every element.
    let out = unsafe { out.assume_init() };
    out.as_array::<T>().to_owned()
}

/// Fails unless each pair is equal, both NaN, or as close as `tolerance` times `scale`.
#[track_caller]
pub(super) fn assert_close(
    found: impl IntoIterator<Item = impl Into<f64>>,
    wanted: impl IntoIterator<Item = f64>,
    tolerance: f64,
) {
    let found: Vec<f64> = found.into_iter().map(Into::into).collect();
    let wanted: Vec<f64> = wanted.into_iter().collect();
    assert_eq!(found.len(), wanted.len());
    for (k, (&a, &b)) in found.iter().zip(&wanted).enumerate() {
        let equal = a == b || (a.is_nan() && b.is_nan());
        assert!(equal || (a - b).abs() <= tolerance, "{a} is not {b}, at {k}");
    }
}

/// `f` of the elements along `axes`, in C order, for each position along the others.
pub(super) fn reduce<T: Copy, U>(
    x: &ArrayViewD<'_, T>,
    axes: &[usize],
    f: impl Fn(&[T]) -> U,
) -> Vec<U> {
    let kept = (0..x.ndim()).filter(|k| !axes.contains(k));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let len: usize = axes.iter().map(|&k| x.shape()[k]).product();
    let outputs: usize =
        order[..x.ndim() - axes.len()].iter().map(|&k| x.shape()[k]).product();
    let elements: Vec<T> = x.view().permuted_axes(order).iter().copied().collect();
    (0..outputs).map(|k| f(&elements[k * len..][..len])).collect()
}

pub(super) fn sum(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() + 0.0
}

pub(super) fn max(x: &[f64]) -> f64 {
    x.iter().copied().fold(f64::NEG_INFINITY, |a, b| {
        if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
    })
}

pub(super) fn argmax(x: &[f64]) -> i64 {
    let max = max(x);
    let same = |&x: &f64| x == max || (x.is_nan() && max.is_nan());
    x.iter().position(same).unwrap().try_into().unwrap()
}

pub(super) fn logsumexp(x: &[f64]) -> f64 {
    let max = max(x);
    let shift = if max.is_finite() { max } else { 0.0 };
    shift + x.iter().map(|x| (x - shift).exp()).sum::<f64>().ln()
}

/// Applies `f`, which maps the elements along an axis to as many, along `axis`.
pub(super) fn along(
    x: &ArrayViewD<'_, f64>,
    axis: usize,
    f: impl Fn(&[f64]) -> Vec<f64>,
) -> ArrayD<f64> {
    let mut out = x.to_owned();
    for mut lane in out.lanes_mut(Axis(axis)) {
        let y = f(&lane.to_vec());
        lane.iter_mut().zip(y).for_each(|(out, y)| *out = y);
    }
    out
}

pub(super) fn log_softmax(x: &[f64]) -> Vec<f64> {
    let max = max(x);
    if max.is_infinite() {
        return softmax(x).iter().map(|y| y.ln()).collect();
    }
    let sum: f64 = x.iter().map(|x| (x - max).exp()).sum();
    x.iter().map(|x| x - max - sum.ln()).collect()
}

pub(super) fn softmax(x: &[f64]) -> Vec<f64> {
    let max = max(x);
    let weights: Vec<f64> = match max {
        f64::INFINITY => x.iter().map(|&x| f64::from(x == max)).collect(),
        f64::NEG_INFINITY => return vec![0.0; x.len()],
        _ => x.iter().map(|x| (x - max).exp()).collect(),
    };
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// The products of matrices along the last two axes, by `plus` and `times`.
pub(super) fn matmul<T: Copy>(
    a: &ArrayViewD<'_, T>,
    b: &ArrayViewD<'_, T>,
    zero: T,
    plus: impl Fn(T, T) -> T,
    times: impl Fn(T, T) -> T,
) -> Vec<T> {
    let (&[ref batch @ .., m, k], &[.., n]) = (a.shape(), b.shape()) else {
        unreachable!("a matrix has two axes")
    };
    let pairs: usize = batch.iter().product();
    let (a, b): (Vec<T>, Vec<T>) =
        (a.iter().copied().collect(), b.iter().copied().collect());
    let mut out = Vec::new();
    for pair in 0..pairs {
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let terms = (0..k)
                .map(|p| times(a[(pair * m + i) * k + p], b[(pair * k + p) * n + j]));
            out.push(terms.fold(zero, &plus));
        }
    }
    out
}

/// The position in the indexed array, for each position in the selection.
fn selected(
    indices: &[ArrayViewD<'_, i64>],
    sizes: &[usize],
    shape: &[usize],
) -> Vec<(IxDyn, IxDyn)> {
    let ndim = indices[0].ndim();
    let positions = ndarray::indices(IxDyn(shape)).into_iter();
    let place = |position: IxDyn| {
        let (outer, inner) = position.slice().split_at(ndim);
        let leading = indices.iter().zip(sizes).map(|(index, &size)| {
            let k = index[IxDyn(outer)];
            usize::try_from(if k < 0 { k + size.cast_signed() as i64 } else { k })
                .unwrap()
        });
        let place: Vec<usize> = leading.chain(inner.iter().copied()).collect();
        (IxDyn(&place), position)
    };
    positions.map(place).collect()
}

pub(super) fn gather<T: Copy>(
    x: &ArrayViewD<'_, T>,
    indices: &[ArrayViewD<'_, i64>],
    shape: &[usize],
) -> Vec<T> {
    let places = selected(indices, x.shape(), shape);
    places.into_iter().map(|(place, _)| x[place]).collect()
}

pub(super) fn scatter_add(
    x: &ArrayViewD<'_, f64>,
    indices: &[ArrayViewD<'_, i64>],
    mut sum: ArrayD<f64>,
) -> ArrayD<f64> {
    for (place, position) in selected(indices, sum.shape(), x.shape()) {
        sum[place] += x[position];
    }
    sum
}

pub(super) fn put(
    x: &ArrayViewD<'_, f64>,
    indices: &[ArrayViewD<'_, i64>],
    mut out: ArrayD<f64>,
) -> ArrayD<f64> {
    for (place, position) in selected(indices, out.shape(), x.shape()) {
        out[place] = x[position];
    }
    out
}

pub(super) fn embed<T: Copy>(
    x: &ArrayViewD<'_, T>,
    spans: &[Span],
    mut out: ArrayD<T>,
) -> ArrayD<T> {
    for (position, &x) in x.indexed_iter() {
        let place = position.slice().iter().zip(spans).map(|(&k, span)| {
            (span.start.cast_signed() + k.cast_signed() * span.step).unsigned_abs()
        });
        out[IxDyn(&place.collect::<Vec<_>>())] = x;
    }
    out
}
