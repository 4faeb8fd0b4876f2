//! Running sums, products and recurrences along one axis.

use super::reduce::Number;
use super::threads::tile_size;
use super::walk;
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::kernels::math;
use crate::stop;
use std::mem::MaybeUninit;

/// Elements between two polls.
const BETWEEN_POLLS: usize = tile_size(1 << 14, 64);

/// What is kept of an array: lines along the axis, `inner` of them side by side.
#[derive(Clone, Copy)]
struct Lines {
    steps: usize,
    inner: usize,
}

impl Lines {
    fn of(shape: &[usize], axis: usize) -> Self {
        Lines { steps: shape[axis], inner: shape[axis + 1..].iter().product() }
    }

    /// Calls `visit` with the position of each element and of the one before it on its
    /// line, in the order of the lines, or of the lines reversed.
    fn visit(
        self,
        len: usize,
        reverse: bool,
        mut visit: impl FnMut(usize, Option<usize>),
    ) -> Result<()> {
        let Lines { steps, inner } = self;
        let mut since_poll = 0;
        for start in (0..len).step_by((steps * inner).max(1)) {
            for step in 0..steps {
                since_poll += inner;
                if since_poll >= BETWEEN_POLLS {
                    stop::poll()?;
                    since_poll = 0;
                }
                let row = if reverse { steps - 1 - step } else { step };
                let first = start + row * inner;
                for at in first..first + inner {
                    let back =
                        if reverse { at + inner } else { at.wrapping_sub(inner) };
                    visit(at, (step > 0).then_some(back));
                }
            }
        }
        Ok(())
    }
}

/// Writes `first` of each line's first element, then `next` of what was written last
/// and of the next element.
fn scan<T: Element>(
    op: &'static str,
    x: View<'_>,
    axis: usize,
    reverse: bool,
    mut out: ViewMut<'_>,
    next: impl Fn(T, T) -> T,
) -> Result<()> {
    let mut copy = None;
    let x = walk::contiguous(op, x, &mut copy)?;
    let lines = Lines::of(x.shape(), axis);
    let Some(x) = x.as_slice::<T>() else { return Ok(()) };
    let out = out.slice_mut::<T>();
    let mut last = NdArray::zeros(&[lines.inner], T::DTYPE)?;
    let last = last.try_as_mut_slice::<T>()?;
    lines.visit(x.len(), reverse, |at, back| {
        let running = &mut last[at % lines.inner];
        *running = if back.is_none() { x[at] } else { next(*running, x[at]) };
        out[at] = MaybeUninit::new(*running);
    })
}

/// The sums of the elements up to each place, or from it on.
pub(crate) fn cumsum(
    x: View<'_>,
    axis: usize,
    reverse: bool,
    out: ViewMut<'_>,
) -> Result<()> {
    let op = "cumsum";
    match x.dtype() {
        DType::F32 => scan(op, x, axis, reverse, out, <f32 as Number>::plus),
        DType::F64 => scan(op, x, axis, reverse, out, <f64 as Number>::plus),
        DType::I64 => scan(op, x, axis, reverse, out, <i64 as Number>::plus),
        DType::Bool => unreachable!("truth values are summed as integers"),
    }
}

/// The products of the elements up to each place.
pub(crate) fn cumprod(x: View<'_>, axis: usize, out: ViewMut<'_>) -> Result<()> {
    let op = "cumprod";
    match x.dtype() {
        DType::F32 => scan(op, x, axis, false, out, <f32 as Number>::times),
        DType::F64 => scan(op, x, axis, false, out, <f64 as Number>::times),
        DType::I64 => scan(op, x, axis, false, out, <i64 as Number>::times),
        DType::Bool => unreachable!("truth values are multiplied as integers"),
    }
}

/// The logarithms of the sums of exponentials up to each place.
pub(crate) fn logcumsumexp(x: View<'_>, axis: usize, out: ViewMut<'_>) -> Result<()> {
    macro_rules! join {
        ($t:ident) => {
            |a: $t, b: $t| {
                let top = if a >= b || a.is_nan() { a } else { b };
                let low = if a >= b || a.is_nan() { b } else { a };
                // Equal infinities have no difference; finite numbers have one of 0.
                if top.is_infinite() && low.is_infinite() && low.signum() * top > 0.0 {
                    return top;
                }
                let ratio = math::$t::exp::<false>(low - top);
                top + math::$t::ln_1p::<false>(ratio)
            }
        };
    }
    let op = "logcumsumexp";
    match x.dtype() {
        DType::F32 => scan(op, x, axis, false, out, join!(f32)),
        DType::F64 => scan(op, x, axis, false, out, join!(f64)),
        other => unreachable!("{other} was to be cast to a float"),
    }
}

/// `r[k] = b[k] + a[k] * r[k - 1]` along `axis`; in reverse
/// `r[k] = b[k] + a[k + 1] * r[k + 1]`, which is the transpose.
pub(crate) fn recurrence(
    a: View<'_>,
    b: View<'_>,
    axis: usize,
    reverse: bool,
    out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Number>(
        [a, b]: [View<'_>; 2],
        axis: usize,
        reverse: bool,
        mut out: ViewMut<'_>,
    ) -> Result<()> {
        let lines = Lines::of(a.shape(), axis);
        let (Some(a), Some(b)) = (a.as_slice::<T>(), b.as_slice::<T>()) else {
            return Ok(());
        };
        let out = out.slice_mut::<T>();
        let mut last = NdArray::zeros(&[lines.inner], T::DTYPE)?;
        let last = last.try_as_mut_slice::<T>()?;
        lines.visit(a.len(), reverse, |at, back| {
            let running = &mut last[at % lines.inner];
            *running = match back {
                None => b[at],
                Some(back) => {
                    let rate = a[if reverse { back } else { at }];
                    b[at].plus(rate.times(*running))
                }
            };
            out[at] = MaybeUninit::new(*running);
        })
    }
    let (mut copy_a, mut copy_b) = (None, None);
    let op = "recurrence";
    let a = walk::contiguous(op, a, &mut copy_a)?;
    let b = walk::contiguous(op, b, &mut copy_b)?;
    match b.dtype() {
        DType::F32 => of::<f32>([a, b], axis, reverse, out),
        DType::F64 => of::<f64>([a, b], axis, reverse, out),
        other => unreachable!("{other} was to be cast to a float"),
    }
}
