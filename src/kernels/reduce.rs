//! Reductions: sums, means, maxima, and where a maximum lies.
//!
//! Elements are combined in lanes, lanes in halves and blocks in a tree. The order
//! depends on the shape and on the strides, never on the instruction set. Lengths of `f32`
//! are quick where squares neither overflow nor underflow, and computed again elsewhere.

mod argmax;
mod fold;
mod more;
mod strided;
#[cfg(test)]
mod tests;

use crate::array::{self, View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels::rows::Real;
pub(crate) use crate::kernels::rows::logsumexp;
pub(crate) use argmax::argmax;
use fold::Sum;
pub(super) use fold::{Max, Mean, Number, Ordered, fold_block, join_tiles, join_tree};
pub(crate) use more::{length, min, prod};
use std::marker::PhantomData;
use strided::reduce;

/// Sums over `axes`, which are sorted. With a divisor, as means have one, `f32` is added
/// up in `f64`, divided, and rounded once.
pub(crate) fn sum(
    x: View<'_>,
    axes: &[usize],
    divisor: Option<f64>,
    out: ViewMut<'_>,
) -> Result<()> {
    fn floats<T: Real>(
        x: View<'_>,
        axes: &[usize],
        divisor: Option<f64>,
        out: ViewMut<'_>,
    ) -> Result<()> {
        match divisor {
            None => reduce("sum", Sum::<T>(PhantomData), x, axes, out),
            Some(divisor) => {
                let mean = Mean::<T> { divisor, of: PhantomData };
                reduce("mean", mean, x, axes, out)
            }
        }
    }
    if x.is_empty() {
        return array::fill(out, Scalar::Float(0.0 / divisor.unwrap_or(1.0)));
    }
    match x.dtype() {
        DType::F32 => floats::<f32>(x, axes, divisor, out),
        DType::F64 => floats::<f64>(x, axes, divisor, out),
        DType::I64 => reduce("sum", Sum::<i64>(PhantomData), x, axes, out),
        DType::Bool => unreachable!("truth values are summed as integers"),
    }
}

/// The maximum over `axes`, which are sorted and not empty; a NaN wins.
pub(crate) fn max(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
    fn of<T: Ordered>(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
        reduce("max", Max::<T>(PhantomData), x, axes, out)
    }
    if x.is_empty() {
        return Ok(());
    }
    match x.dtype() {
        DType::F32 => of::<f32>(x, axes, out),
        DType::F64 => of::<f64>(x, axes, out),
        DType::I64 => of::<i64>(x, axes, out),
        DType::Bool => of::<bool>(x, axes, out),
    }
}
