//! Kernels along one axis that keep the shape, and the softmax cross-entropy.
//!
//! `exp` runs over long slices even where rows are short: several rows form a group
//! that fits the first cache.

#[cfg(test)]
mod tests;

use crate::array::{self, Fresh, View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels::gather;
use crate::kernels::math;
use crate::kernels::reduce::{Max, Mean, Number, Ordered, fold_block};
use crate::kernels::simd::{self, Kernel};
use crate::kernels::walk::{self, Dims};
use crate::shape::{Axes, Shape, Strides, Type};
use std::mem::MaybeUninit;
use std::ops::Sub;
use std::slice;

/// Floats, with what the kernels along an axis compute.
pub(super) trait Real: Number + Ordered + Sub<Output = Self> {
    fn exp(self) -> Self;
    fn widen(self) -> f64;
    /// Rounds to the type.
    fn narrow(x: f64) -> Self;
    fn is_finite(self) -> bool;
}

macro_rules! real {
    ($t:ident) => {
        impl Real for $t {
            #[inline(always)]
            fn exp(self) -> Self {
                math::$t::exp(self)
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

/// Elements of a group of rows.
const GROUP: usize = 2048;
/// Rows of a group at most.
const ROWS: usize = 16;
/// Columns that are computed side by side.
const WIDTH: usize = 64;

/// `exp(x) / Σ exp(x)` along `axis`; see [`Limit`] for infinities.
pub(crate) fn softmax(x: View<'_>, axis: usize, out: ViewMut<'_>) -> Result<()> {
    along("softmax", x, axis, out, false)
}

/// `x − ln(Σ exp(x))` along `axis`: the logarithm of `softmax`.
pub(crate) fn log_softmax(x: View<'_>, axis: usize, out: ViewMut<'_>) -> Result<()> {
    along("log_softmax", x, axis, out, true)
}

fn along(
    op: &'static str,
    x: View<'_>,
    axis: usize,
    mut out: ViewMut<'_>,
    log: bool,
) -> Result<()> {
    fn of<T: Real>(x: View<'_>, axis: usize, out: &mut [MaybeUninit<T>], log: bool) {
        let len = x.shape()[axis];
        let columns = x.shape()[axis + 1..].iter().product();
        let Some(x) = x.as_slice::<T>().filter(|x| !x.is_empty()) else { return };
        if columns == 1 {
            let group = len * rows_of(len);
            for (x, out) in x.chunks(group).zip(out.chunks_mut(group)) {
                simd::dispatch(SoftmaxRows { x, len, out, log });
            }
        } else {
            let matrix = len * columns;
            for (x, out) in x.chunks(matrix).zip(out.chunks_mut(matrix)) {
                simd::dispatch(SoftmaxColumns { x, columns, out, log });
            }
        }
    }
    let mut copy = None;
    let x = walk::contiguous(op, x, &mut copy)?;
    match x.dtype() {
        DType::F32 => of::<f32>(x, axis, out.slice_mut(), log),
        _ => of::<f64>(x, axis, out.slice_mut(), log),
    }
    Ok(())
}

/// `ln(Σ exp(x))` over `axes`, which are sorted, without overflow; exact for infinities.
pub(crate) fn logsumexp(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
    fn of<T: Real>(x: View<'_>, len: usize, mut out: ViewMut<'_>) -> Result<()> {
        let mut out = out.slice_mut().iter_mut();
        for_each_row::<T>("logsumexp", x, len, |_, shift, sum| {
            if let Some(out) = out.next() {
                out.write(T::narrow(shift.widen() + sum.ln()));
            }
        })
    }
    if x.is_empty() {
        array::fill(out, Scalar::Float(f64::NEG_INFINITY));
        return Ok(());
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
        let len = x.shape().last().map_or(1, |&len| len);
        let mut dims = Dims::new();
        let mut pairs = walk::elements(labels, &mut dims).zip(out.slice_mut());
        for_each_row::<T>("softmax_cross_entropy", x, len, |row, shift, sum| {
            if let Some((label, out)) = pairs.next() {
                let own = row[gather::position(label, len)];
                // In this order a small loss keeps its digits.
                let loss = (shift.widen() - own.widen()) + sum.ln();
                out.write(T::narrow(if loss.is_nan() {
                    -Limit::of(row.iter(), fold_block::<Max<T>>(row)).weight(own).ln()
                } else {
                    loss
                }));
            }
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

/// Calls `visit` with each row of `len` elements, its shift and its `Σ exp(x − shift)`.
/// The shift is the largest element if that is finite, and otherwise 0: then the
/// infinities of the elements decide.
fn for_each_row<T: Real>(
    op: &'static str,
    x: View<'_>,
    len: usize,
    mut visit: impl FnMut(&[T], T, f64),
) -> Result<()> {
    let mut copy = None;
    let x = walk::contiguous(op, x, &mut copy)?;
    let Some(x) = x.as_slice::<T>().filter(|x| !x.is_empty()) else { return Ok(()) };
    let group = len * rows_of(len);
    let size = Shape::new(&[group.min(x.len())]);
    let mut scratch = Fresh::new(op, Type::new(size, T::DTYPE))?;
    let mut scratch = scratch.view();
    let mut sums = [(T::ZERO, 0.0); ROWS];
    for x in x.chunks(group) {
        let (out, sums) = (scratch.slice_mut(), &mut sums);
        simd::dispatch(Exponentials { x, len, out, finite: true, sums });
        for (row, &mut (shift, sum)) in x.chunks_exact(len).zip(sums) {
            visit(row, shift, sum);
        }
    }
    Ok(())
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
    fn run(self) {
        let Exponentials { x, len, out, finite, sums } = self;
        let out = &mut out[..x.len()];
        let rows = x.chunks_exact(len).zip(out.chunks_exact_mut(len));
        for ((row, out), (shift, _)) in rows.zip(&mut *sums) {
            *shift = fold_block::<Max<T>>(row);
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
            *x = x.exp();
        }
        for (row, (_, sum)) in out.chunks_exact(len).zip(sums) {
            *sum = fold_block::<Mean<T>>(row);
        }
    }
}

/// Softmax along the rows of a group.
struct SoftmaxRows<'a, T> {
    x: &'a [T],
    len: usize,
    out: &'a mut [MaybeUninit<T>],
    log: bool,
}

impl<T: Real> Kernel for SoftmaxRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let SoftmaxRows { x, len, out, log } = self;
        let mut sums = [(T::ZERO, 0.0); ROWS];
        let group = Exponentials { x, len, out, finite: false, sums: &mut sums };
        group.run();
        // SAFETY: `Exponentials` wrote every element.
        let out = unsafe { initialised(out) };
        let rows = x.chunks_exact(len).zip(out.chunks_exact_mut(len));
        for ((row, out), (shift, sum)) in rows.zip(sums) {
            if !shift.is_finite() {
                let limit = Limit::of(row.iter(), shift);
                for (out, &x) in out.iter_mut().zip(row) {
                    *out = limit.value(x, log);
                }
            } else if log {
                let ln = T::narrow(sum.ln());
                for (out, &x) in out.iter_mut().zip(row) {
                    *out = (x - shift) - ln;
                }
            } else {
                let scale = T::narrow(1.0 / sum);
                for out in out {
                    *out = out.times(scale);
                }
            }
        }
    }
}

/// Softmax along the columns of a matrix.
struct SoftmaxColumns<'a, T> {
    x: &'a [T],
    columns: usize,
    out: &'a mut [MaybeUninit<T>],
    log: bool,
}

impl<T: Real> Kernel for SoftmaxColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let SoftmaxColumns { x, columns, out, log } = self;
        for start in (0..columns).step_by(WIDTH) {
            let width = WIDTH.min(columns - start);
            let (mut shifts, mut sums) = ([T::LEAST; WIDTH], [0.0; WIDTH]);
            for row in x.chunks_exact(columns) {
                for (shift, &x) in shifts.iter_mut().zip(&row[start..start + width]) {
                    *shift = shift.larger(x);
                }
            }
            let rows = x.chunks_exact(columns).zip(out.chunks_exact_mut(columns));
            for (row, out) in rows {
                let row = row[start..start + width].iter().zip(&mut out[start..]);
                for ((&x, out), (&shift, sum)) in row.zip(shifts.iter().zip(&mut sums))
                {
                    let y = (x - shift).exp();
                    out.write(y);
                    *sum += y.widen();
                }
            }
            let mut last = [T::ZERO; WIDTH];
            for (last, sum) in last.iter_mut().zip(&sums[..width]) {
                *last = T::narrow(if log { sum.ln() } else { 1.0 / sum });
            }
            let rows = x.chunks_exact(columns).zip(out.chunks_exact_mut(columns));
            for (row, out) in rows {
                let row = row[start..start + width].iter().zip(&mut out[start..]);
                for ((&x, out), (&shift, &last)) in row.zip(shifts.iter().zip(&last)) {
                    // SAFETY: the loop above wrote it.
                    let y = unsafe { out.assume_init_read() };
                    out.write(if log { (x - shift) - last } else { y.times(last) });
                }
            }
            for (k, &shift) in shifts[..width].iter().enumerate() {
                if !shift.is_finite() {
                    let column = || x[start + k..].iter().step_by(columns);
                    let limit = Limit::of(column(), shift);
                    let out = out[start + k..].iter_mut().step_by(columns);
                    for (out, &x) in out.zip(column()) {
                        out.write(limit.value(x, log));
                    }
                }
            }
        }
    }
}

/// # Safety
/// Every element has been written.
unsafe fn initialised<T>(out: &mut [MaybeUninit<T>]) -> &mut [T] {
    // SAFETY: by the contract of this function.
    unsafe { slice::from_raw_parts_mut(out.as_mut_ptr().cast(), out.len()) }
}
