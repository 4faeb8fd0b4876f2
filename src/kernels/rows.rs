//! Kernels along one axis that keep the shape, and the softmax cross-entropy.
//!
//! `exp` runs over long slices even where rows are short: several rows form a group
//! that fits the first cache. A tile is some groups, or part of a long row.

mod softmax;
#[cfg(test)]
mod tests;

use crate::array::{self, View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels::gather;
use crate::kernels::math;
use crate::kernels::reduce::{
    Max, Mean, Number, Ordered, fold_block, join_tiles, join_tree,
};
use crate::kernels::simd::{self, Kernel};
use crate::kernels::threads::{for_each_part, tile_size};
use crate::kernels::walk;
use crate::shape::{Axes, Shape, Strides};
pub(crate) use softmax::{log_softmax, softmax};
use std::mem::MaybeUninit;
use std::ops::Sub;
use std::slice;

/// Floats, with what the kernels along an axis compute.
pub(super) trait Real: Number + Ordered + Sub<Output = Self> {
    fn exp<const FMA: bool>(self) -> Self;
    fn widen(self) -> f64;
    /// Rounds to the type.
    fn narrow(x: f64) -> Self;
    fn is_finite(self) -> bool;
}

macro_rules! real {
    ($t:ident) => {
        impl Real for $t {
            #[inline(always)]
            fn exp<const FMA: bool>(self) -> Self {
                math::$t::exp::<FMA>(self)
            }
            #[inline(always)]
            fn widen(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "rounding is the aim")]
            fn narrow(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
        }
    };
}
real!(f32);
real!(f64);

/// Elements of a tile, and those up to which a row is not divided.
const TILE: usize = tile_size(1 << 14, 16);
const LONG: usize = 4 * TILE;
/// Elements of a group of rows.
const GROUP: usize = 2048;
/// Rows of a group at most.
const ROWS: usize = 16;
/// `ln(Σ exp(x))` over `axes`, which are sorted, without overflow; exact for infinities.
pub(crate) fn logsumexp(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
    fn of<T: Real>(x: View<'_>, len: usize, mut out: ViewMut<'_>) -> Result<()> {
        for_each_row::<T>("logsumexp", x, len, out.slice_mut(), |_, _, shift, sum| {
            T::narrow(shift.widen() + sum.ln())
        })
    }
    if x.is_empty() {
        return array::fill(out, Scalar::Float(f64::NEG_INFINITY));
    }
    let kept = (0..x.shape().len()).filter(|k| !axes.contains(k));
    let order: Axes = kept.chain(axes.iter().copied()).collect();
    let steps = x.strides();
    let shape: Shape = order.iter().map(|&k| x.shape()[k]).collect();
    let strides: Strides = order.iter().map(|&k| steps[k]).collect();
    // SAFETY: these are the same elements in another order.
    let x = unsafe { x.restrided(&shape, &strides) };
    let len = x.len() / out.len();
    match x.dtype() {
        DType::F32 => of::<f32>(x, len, out),
        _ => of::<f64>(x, len, out),
    }
}

/// `ln(Σ exp(row)) − row[label]` for each row along the last axis: what `log_softmax` has
/// at the label, negated. Labels are in range; negative ones count from the end.
pub(crate) fn softmax_cross_entropy(
    logits: View<'_>,
    labels: View<'_>,
    out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Real>(x: View<'_>, labels: View<'_>, mut out: ViewMut<'_>) -> Result<()> {
        let op = "softmax_cross_entropy";
        let len = x.shape().last().map_or(1, |&len| len);
        let mut copy = None;
        let labels = walk::contiguous(op, labels, &mut copy)?;
        let Some(labels) = labels.as_slice::<i64>() else {
            unreachable!("labels are integers")
        };
        for_each_row::<T>(op, x, len, out.slice_mut(), |k, row, shift, sum| {
            let own = row[gather::position(labels[k], len)];
            // In this order a small loss keeps its digits.
            let loss = (shift.widen() - own.widen()) + sum.ln();
            T::narrow(if loss.is_nan() {
                -Limit::of(row.iter(), fold_block::<Max<T>, false>(row))
                    .weight(own)
                    .ln()
            } else {
                loss
            })
        })
    }
    match logits.dtype() {
        DType::F32 => of::<f32>(logits, labels, out),
        _ => of::<f64>(logits, labels, out),
    }
}

/// Softmax of elements whose largest is not finite. Elements of `+inf` share the weight,
/// as equal elements do that grow together; if all are `-inf`, none has any weight.
struct Limit<T> {
    largest: T,
    share: f64,
    rest: f64,
}

impl<T: Real> Limit<T> {
    #[cold]
    fn of<'a>(x: impl Iterator<Item = &'a T>, largest: T) -> Self {
        let (share, rest) = match largest.widen() {
            nan if nan.is_nan() => (nan, nan),
            f64::INFINITY => (1.0 / x.filter(|&&x| x == largest).count() as f64, 0.0),
            _ => (0.0, 0.0),
        };
        Limit { largest, share, rest }
    }

    fn weight(&self, x: T) -> f64 {
        if x == self.largest { self.share } else { self.rest }
    }

    /// The weight of an element, or its logarithm.
    fn value(&self, x: T, log: bool) -> T {
        let weight = self.weight(x);
        T::narrow(if log { weight.ln() } else { weight })
    }
}

/// Writes what `result` gives for the number of each row of `len` elements, the row, its
/// shift and its `Σ exp(x − shift)`. The shift is the largest element if that is finite,
/// and otherwise 0: then the infinities of the elements decide.
fn for_each_row<T: Real>(
    op: &'static str,
    x: View<'_>,
    len: usize,
    out: &mut [MaybeUninit<T>],
    result: impl Fn(usize, &[T], T, f64) -> T + Sync,
) -> Result<()> {
    let mut copy = None;
    let x = walk::contiguous(op, x, &mut copy)?;
    let Some(x) = x.as_slice::<T>().filter(|x| !x.is_empty()) else { return Ok(()) };
    let finite = |shift: T| if shift.is_finite() { shift } else { T::ZERO };
    if len > LONG {
        for (k, (row, out)) in x.chunks_exact(len).zip(out).enumerate() {
            let shift = finite(long_max(op, row)?);
            let sum = long_sum(op, row, shift)?;
            out.write(result(k, row, shift, sum));
        }
        return Ok(());
    }
    let rows = rows_of(len);
    let tile = rows * (TILE / (rows * len)).max(1);
    for_each_part(out, tile, |k, out| {
        let mut sums = [(T::ZERO, 0.0); ROWS];
        let x = &x[k * tile * len..][..out.len() * len];
        let groups = x.chunks(rows * len).zip(out.chunks_mut(rows));
        for (group, (x, out)) in groups.enumerate() {
            if len > GROUP {
                let shift = finite(simd::dispatch(MaxOf { x }));
                sums[0] = (shift, sum_of(x, shift));
            } else {
                let mut scratch = [MaybeUninit::uninit(); GROUP];
                let (out, sums) = (&mut scratch[..], &mut sums);
                simd::dispatch(Exponentials { x, len, out, finite: true, sums });
            }
            let row = k * tile + group * rows;
            let done = x.chunks_exact(len).zip(out).zip(sums).enumerate();
            for (k, ((x, out), (shift, sum))) in done {
                out.write(result(row + k, x, shift, sum));
            }
        }
    })
}

/// The largest of the elements of a long row.
fn long_max<T: Real>(op: &'static str, x: &[T]) -> Result<T> {
    let count = x.len().div_ceil(TILE);
    let tile = |k: usize| simd::dispatch(MaxOf { x: tile_of(x, k) });
    Ok(join_tiles(op, count, tile, T::larger)?.unwrap_or(T::LEAST))
}

/// `Σ exp(x − shift)` over a long row.
fn long_sum<T: Real>(op: &'static str, x: &[T], shift: T) -> Result<f64> {
    let count = x.len().div_ceil(TILE);
    let tile = |k: usize| sum_of(tile_of(x, k), shift);
    Ok(join_tiles(op, count, tile, |a, b| a + b)?.unwrap_or(0.0))
}

fn tile_of<T>(x: &[T], k: usize) -> &[T] {
    &x[k * TILE..x.len().min((k + 1) * TILE)]
}

/// `Σ exp(x − shift)`.
fn sum_of<T: Real>(x: &[T], shift: T) -> f64 {
    let mut scratch = [MaybeUninit::uninit(); GROUP];
    let sums = x.chunks(GROUP).map(|x| {
        let out = &mut scratch[..x.len()];
        simd::dispatch(SumOfExp { x, shift, out })
    });
    join_tree(sums, |a, b| a + b).unwrap_or(0.0)
}

/// How many rows of this length form a group.
fn rows_of(len: usize) -> usize {
    (GROUP / len.max(1)).clamp(1, ROWS)
}

/// Writes `exp(x − shift)` for the rows of a group, and each row's shift and sum.
struct Exponentials<'a, T> {
    x: &'a [T],
    len: usize,
    out: &'a mut [MaybeUninit<T>],
    /// Whether a maximum that is not finite is no shift.
    finite: bool,
    sums: &'a mut [(T, f64); ROWS],
}

impl<T: Real> Kernel for Exponentials<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Exponentials { x, len, out, finite, sums } = self;
        let out = &mut out[..x.len()];
        let rows = x.chunks_exact(len).zip(out.chunks_exact_mut(len));
        for ((row, out), (shift, _)) in rows.zip(&mut *sums) {
            *shift = fold_block::<Max<T>, FMA>(row);
            if finite && !shift.is_finite() {
                *shift = T::ZERO;
            }
            for (out, &x) in out.iter_mut().zip(row) {
                out.write(x - *shift);
            }
        }
        // SAFETY: the loop above wrote every element.
        let out = unsafe { initialised(out) };
        for x in &mut *out {
            *x = x.exp::<FMA>();
        }
        for (row, (_, sum)) in out.chunks_exact(len).zip(sums) {
            *sum = fold_block::<Mean<T>, FMA>(row);
        }
    }
}

/// The largest element.
struct MaxOf<'a, T> {
    x: &'a [T],
}

impl<T: Real> Kernel for MaxOf<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        fold_block::<Max<T>, FMA>(self.x)
    }
}

/// Writes `exp(x − shift)`, and gives the sum.
struct SumOfExp<'a, T> {
    x: &'a [T],
    shift: T,
    out: &'a mut [MaybeUninit<T>],
}

impl<T: Real> Kernel for SumOfExp<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> f64 {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            out.write((x - self.shift).exp::<FMA>());
        }
        // SAFETY: the loop above wrote every element.
        fold_block::<Mean<T>, FMA>(unsafe { initialised(self.out) })
    }
}

/// # Safety
/// Every element has been written.
unsafe fn initialised<T>(out: &mut [MaybeUninit<T>]) -> &mut [T] {
    // SAFETY: by the contract of this function.
    unsafe { slice::from_raw_parts_mut(out.as_mut_ptr().cast(), out.len()) }
}
