//! Reductions beyond sums and maxima: minima, products, lengths.

use super::fold::{Fold, GROUP, Number, Ordered};
use super::strided::reduce;
use crate::array::{self, View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels::rows::Real;
use std::marker::PhantomData;

/// Elements with a smallest one.
trait Bounded: Ordered {
    const GREATEST: Self;
}

macro_rules! bounded {
    ($($t:ty, $greatest:expr;)*) => { $(
        impl Bounded for $t {
            const GREATEST: Self = $greatest;
        }
    )* };
}
bounded! {
    f32, f32::INFINITY;
    f64, f64::INFINITY;
    i64, i64::MAX;
    bool, true;
}

/// The smallest element; a NaN is smaller than any number.
#[derive(Clone, Copy)]
struct Min<T>(PhantomData<T>);

impl<T: Bounded> Fold for Min<T> {
    type Item = T;
    type Acc = T;
    const NEUTRAL: T = T::GREATEST;
    #[inline(always)]
    fn lift(x: T) -> T {
        x
    }
    #[inline(always)]
    fn join(a: T, b: T) -> T {
        if a <= b || a.is_nan() { a } else { b }
    }
    #[inline(always)]
    fn finish(self, acc: T) -> T {
        acc
    }
}

/// The product, in the elements' own type.
#[derive(Clone, Copy)]
struct Product<T>(PhantomData<T>);

impl<T: Number> Fold for Product<T> {
    type Item = T;
    type Acc = T;
    const NEUTRAL: T = T::ONE;
    #[inline(always)]
    fn lift(x: T) -> T {
        x
    }
    #[inline(always)]
    fn join(a: T, b: T) -> T {
        a.times(b)
    }
    #[inline(always)]
    fn finish(self, acc: T) -> T {
        acc
    }
}

/// The root of the sum of squares, in `f64` before it is rounded.
///
/// Squares of `f32` are added by fours before they are widened. That rounds each square
/// three times at most, which the root halves: the length is within 2 units in the last
/// place.
#[derive(Clone, Copy)]
pub(super) struct Length<T>(pub(super) PhantomData<T>);

impl<T: Real> Fold for Length<T> {
    type Item = T;
    type Acc = f64;
    const NEUTRAL: f64 = 0.0;
    // To end a shorter block takes too much of its time. Each of the lanes adds 128 numbers
    // of `f64`; those of `f32` may be more, as they are added in `f64`.
    const BLOCK: usize = if Self::QUICK { 1 << 16 } else { 1 << 14 };
    const QUICK: bool = matches!(T::DTYPE, DType::F32);
    #[inline(always)]
    fn lift(x: T) -> f64 {
        x.widen() * x.widen()
    }
    #[inline(always)]
    fn join(a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn finish(self, acc: f64) -> T {
        T::narrow(acc.sqrt())
    }
    #[inline(always)]
    fn lift_group<const FMA: bool>([a, b, c, d, e, f, g, h]: [T; GROUP]) -> f64 {
        let two = |a: T, b: T| a.times_plus::<FMA>(a, b.times(b));
        two(a, b).plus(two(c, d)).widen() + two(e, f).plus(two(g, h)).widen()
    }
    /// A square that overflows leaves no finite sum. Those that underflow, below 2⁻¹²⁶, lose
    /// less than 2⁻¹¹² in a block: nothing of a sum that is not tiny.
    #[inline(always)]
    fn failed(acc: f64) -> bool {
        !(1e-24..f64::INFINITY).contains(&acc)
    }
}

/// The minimum over `axes`, which are sorted and not empty; a NaN wins.
pub(crate) fn min(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
    fn of<T: Bounded>(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
        reduce("min", Min::<T>(PhantomData), x, axes, out)
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

/// The product over `axes`, which are sorted; 1 of nothing.
pub(crate) fn prod(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
    fn of<T: Number>(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
        reduce("prod", Product::<T>(PhantomData), x, axes, out)
    }
    if x.is_empty() {
        return array::fill(out, Scalar::Float(1.0));
    }
    match x.dtype() {
        DType::F32 => of::<f32>(x, axes, out),
        DType::F64 => of::<f64>(x, axes, out),
        DType::I64 => of::<i64>(x, axes, out),
        DType::Bool => unreachable!("truth values are multiplied as integers"),
    }
}

/// The Euclidean length over `axes`, which are sorted; 0 of nothing.
pub(crate) fn length(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
    fn of<T: Real>(x: View<'_>, axes: &[usize], out: ViewMut<'_>) -> Result<()> {
        reduce("norm", Length::<T>(PhantomData), x, axes, out)
    }
    if x.is_empty() {
        return array::fill(out, Scalar::Float(0.0));
    }
    match x.dtype() {
        DType::F32 => of::<f32>(x, axes, out),
        DType::F64 => of::<f64>(x, axes, out),
        other => unreachable!("{other} was to be cast to a float"),
    }
}
