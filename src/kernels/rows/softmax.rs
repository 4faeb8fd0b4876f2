//! Softmax and its logarithm, along rows or along columns.

use super::{
    Exponentials, LONG, Limit, ROWS, Real, TILE, initialised, long_max, long_sum,
    rows_of,
};
use crate::array::{Fresh, View, ViewMut};
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::kernels::reduce::{self, join_tree};
use crate::kernels::simd::{self, Kernel};
use crate::kernels::threads::{Shared, USUAL, for_each_part, for_each_tile};
use crate::kernels::walk;
use crate::shape::{Shape, Type};
use crate::stop;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::slice;

/// Columns that are computed side by side.
const WIDTH: usize = 64;
/// Rows of a tile of a matrix, at least.
const HEIGHT: usize = 64;

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
    let mut copy = None;
    let x = walk::contiguous(op, x, &mut copy)?;
    match x.dtype() {
        DType::F32 => of::<f32>(op, x, axis, out.slice_mut(), log),
        _ => of::<f64>(op, x, axis, out.slice_mut(), log),
    }
}

fn of<T: Real>(
    op: &'static str,
    x: View<'_>,
    axis: usize,
    out: &mut [MaybeUninit<T>],
    log: bool,
) -> Result<()> {
    let len = x.shape()[axis];
    let columns = x.shape()[axis + 1..].iter().product();
    let Some(x) = x.as_slice::<T>().filter(|x| !x.is_empty()) else { return Ok(()) };
    if columns == 1 && len <= LONG {
        let group = len * rows_of(len);
        let tile = group * (TILE / group).max(1);
        return for_each_part(out, tile, |k, out| {
            let x = x[k * tile..].chunks(group);
            for (x, out) in x.zip(out.chunks_mut(group)) {
                simd::dispatch(SoftmaxRows { x, len, out, log });
            }
        });
    }
    let matrix = len * columns;
    if columns > 1 && matrix <= TILE {
        let tile = matrix * (TILE / matrix);
        return for_each_part(out, tile, |k, out| {
            let x = x[k * tile..].chunks(matrix);
            for (x, out) in x.zip(out.chunks_mut(matrix)) {
                let out = Shared::new(out.as_mut_ptr());
                simd::dispatch(SoftmaxColumns {
                    x,
                    columns,
                    strip: 0..columns,
                    out,
                    log,
                });
            }
        });
    }
    let mut matrices = x.chunks(matrix).zip(out.chunks_mut(matrix));
    matrices.try_for_each(|(x, out)| match len {
        _ if columns == 1 => long_row(op, x, out, log),
        ..HEIGHT => low_matrix(x, columns, out, log),
        _ => tall_matrix(op, x, columns, out, log),
    })
}

/// Softmax of a row that is divided.
fn long_row<T: Real>(
    op: &'static str,
    x: &[T],
    out: &mut [MaybeUninit<T>],
    log: bool,
) -> Result<()> {
    let shift = long_max(op, x)?;
    if !shift.is_finite() {
        let limit = Limit::of(x.iter(), shift);
        return for_each_part(out, TILE, |k, out| {
            for (out, &x) in out.iter_mut().zip(&x[k * TILE..]) {
                out.write(limit.value(x, log));
            }
        });
    }
    let last = last_step(long_sum(op, x, shift)?, log);
    for_each_part(out, TILE, |k, out| {
        simd::dispatch(SoftmaxPart { x: &x[k * TILE..], shift, last, out, log });
    })
}

/// What remains to be subtracted, or to be multiplied by, once the sum is known.
#[inline(always)]
fn last_step<T: Real>(sum: f64, log: bool) -> T {
    T::narrow(if log { sum.ln() } else { 1.0 / sum })
}

/// Softmax along the columns of a matrix of few rows, in strips of columns.
fn low_matrix<T: Real>(
    x: &[T],
    columns: usize,
    out: &mut [MaybeUninit<T>],
    log: bool,
) -> Result<()> {
    // Strips as wide as that share few cache lines.
    let rows = x.len() / columns;
    let width = (TILE / rows).max(1).next_multiple_of(WIDTH);
    let out = Shared::new(out.as_mut_ptr());
    for_each_tile(columns.div_ceil(width), USUAL, |k| {
        let strip = k * width..columns.min((k + 1) * width);
        simd::dispatch(SoftmaxColumns { x, columns, strip, out, log });
    })
}

/// Softmax along the columns of a matrix of many rows, some rows at a time.
fn tall_matrix<T: Real>(
    op: &'static str,
    x: &[T],
    columns: usize,
    out: &mut [MaybeUninit<T>],
    log: bool,
) -> Result<()> {
    fn array<T: Element>(op: &'static str, sizes: &[usize]) -> Result<Fresh> {
        Fresh::new(op, Type::new(Shape::new(sizes), T::DTYPE))
    }
    let shape = [x.len() / columns, columns];
    let tile = columns * (TILE / columns).max(HEIGHT);
    let count = x.len().div_ceil(tile);
    let (mut shifts, mut last) =
        (array::<T>(op, &shape[1..])?, array::<T>(op, &shape[1..])?);
    let mut sums = array::<f64>(op, &[count, columns])?;
    // SAFETY: these are the elements of `x`.
    let matrix = unsafe { View::from_raw(x.as_ptr().cast(), &shape, None, T::DTYPE) };
    reduce::max(matrix, &[0], shifts.view())?;
    let (mut shifts, mut last, mut sums) = (shifts.view(), last.view(), sums.view());
    // SAFETY: `max` wrote every element.
    let shifts = &*unsafe { initialised(shifts.slice_mut::<T>()) };
    let sums = sums.slice_mut::<f64>();
    let to = Shared::new(sums.as_mut_ptr());
    for_each_part(out, tile, |k, out| {
        // SAFETY: there is room for the sums of each tile, and these are this tile's.
        let sums = unsafe { slice::from_raw_parts_mut(to.at(k * columns), columns) };
        simd::dispatch(ExpOfRows { x: &x[k * tile..], shifts, out, sums });
    })?;
    // SAFETY: each tile wrote its sums.
    let sums = &*unsafe { initialised(sums) };
    let last = last.slice_mut::<T>();
    for (k, last) in last.iter_mut().enumerate() {
        let sums = sums[k..].iter().step_by(columns).copied();
        last.write(last_step(join_tree(sums, |a, b| a + b).unwrap_or(0.0), log));
    }
    // SAFETY: the loop above wrote every element.
    let last = &*unsafe { initialised(last) };
    for_each_part(out, tile, |k, out| {
        // SAFETY: `ExpOfRows` wrote every element.
        let out = unsafe { initialised(out) };
        simd::dispatch(LastStepOfRows { x: &x[k * tile..], shifts, last, out, log });
    })?;
    for (k, &shift) in shifts.iter().enumerate().filter(|x| !x.1.is_finite()) {
        stop::poll()?;
        let column = || x[k..].iter().step_by(columns);
        let limit = Limit::of(column(), shift);
        for (out, &x) in out[k..].iter_mut().step_by(columns).zip(column()) {
            out.write(limit.value(x, log));
        }
    }
    Ok(())
}

/// Softmax of part of a row, whose shift is known, and the logarithm of its sum, or the
/// inverse of that.
struct SoftmaxPart<'a, T> {
    x: &'a [T],
    shift: T,
    last: T,
    out: &'a mut [MaybeUninit<T>],
    log: bool,
}

impl<T: Real> Kernel for SoftmaxPart<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let SoftmaxPart { x, shift, last, out, log } = self;
        for (out, &x) in out.iter_mut().zip(x) {
            out.write(if log {
                (x - shift) - last
            } else {
                (x - shift).exp::<FMA>().times(last)
            });
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
    fn run<const FMA: bool>(self) {
        let SoftmaxRows { x, len, out, log } = self;
        let mut sums = [(T::ZERO, 0.0); ROWS];
        let group = Exponentials { x, len, out, finite: false, sums: &mut sums };
        group.run::<FMA>();
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

/// Softmax along columns of a matrix.
struct SoftmaxColumns<'a, T> {
    x: &'a [T],
    columns: usize,
    /// The columns that are computed, and that nobody else writes.
    strip: Range<usize>,
    out: Shared<MaybeUninit<T>>,
    log: bool,
}

impl<T: Real> Kernel for SoftmaxColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let SoftmaxColumns { x, columns, strip, out, log } = self;
        for start in strip.clone().step_by(WIDTH) {
            let width = WIDTH.min(strip.end - start);
            // SAFETY: `out` is as large as `x`, and this part of it is ours.
            let out_row = |k: usize| unsafe {
                slice::from_raw_parts_mut(out.at(k * columns + start), width)
            };
            let rows = || {
                let rows = x.chunks_exact(columns).enumerate();
                rows.map(|(k, row)| (&row[start..start + width], out_row(k)))
            };
            let (mut shifts, mut sums) = ([T::LEAST; WIDTH], [0.0; WIDTH]);
            for row in x.chunks_exact(columns) {
                for (shift, &x) in shifts.iter_mut().zip(&row[start..start + width]) {
                    *shift = shift.larger(x);
                }
            }
            for (row, out) in rows() {
                let columns = shifts.iter().zip(&mut sums);
                for ((&x, out), (&shift, sum)) in row.iter().zip(out).zip(columns) {
                    let y = (x - shift).exp::<FMA>();
                    out.write(y);
                    *sum += y.widen();
                }
            }
            let mut last = [T::ZERO; WIDTH];
            for (last, sum) in last.iter_mut().zip(&sums[..width]) {
                *last = last_step(*sum, log);
            }
            for (row, out) in rows() {
                let columns = shifts.iter().zip(&last);
                for ((&x, out), (&shift, &last)) in row.iter().zip(out).zip(columns) {
                    // SAFETY: the loop above wrote it.
                    let y = unsafe { out.assume_init_read() };
                    out.write(if log { (x - shift) - last } else { y.times(last) });
                }
            }
            for (k, &shift) in shifts[..width].iter().enumerate() {
                if !shift.is_finite() {
                    let column = || x[start + k..].iter().step_by(columns);
                    let limit = Limit::of(column(), shift);
                    for (row, &x) in column().enumerate() {
                        out_row(row)[k].write(limit.value(x, log));
                    }
                }
            }
        }
    }
}

/// Writes `exp(x − shift)` for some rows, and the sums of their columns.
struct ExpOfRows<'a, T> {
    x: &'a [T],
    shifts: &'a [T],
    out: &'a mut [MaybeUninit<T>],
    sums: &'a mut [MaybeUninit<f64>],
}

impl<T: Real> Kernel for ExpOfRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let columns = self.shifts.len();
        self.sums.fill(MaybeUninit::new(0.0));
        // SAFETY: the line above wrote every element.
        let sums = unsafe { initialised(self.sums) };
        let rows = self.x.chunks_exact(columns).zip(self.out.chunks_exact_mut(columns));
        for (row, out) in rows {
            let columns = self.shifts.iter().zip(&mut *sums);
            for ((&x, out), (&shift, sum)) in row.iter().zip(out).zip(columns) {
                let y = (x - shift).exp::<FMA>();
                out.write(y);
                *sum += y.widen();
            }
        }
    }
}

/// Makes the softmax of what `ExpOfRows` wrote.
struct LastStepOfRows<'a, T> {
    x: &'a [T],
    shifts: &'a [T],
    last: &'a [T],
    out: &'a mut [T],
    log: bool,
}

impl<T: Real> Kernel for LastStepOfRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let LastStepOfRows { x, shifts, last, out, log } = self;
        let columns = shifts.len();
        let rows = x.chunks_exact(columns).zip(out.chunks_exact_mut(columns));
        for (row, out) in rows {
            let columns = shifts.iter().zip(last);
            for ((&x, y), (&shift, &last)) in row.iter().zip(out).zip(columns) {
                *y = if log { (x - shift) - last } else { y.times(last) };
            }
        }
    }
}
