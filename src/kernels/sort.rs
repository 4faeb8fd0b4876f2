//! Order: the permutation that sorts, and distinct elements.

use super::reduce::Ordered;
use super::threads::{for_each_part, tile_size};
use super::walk;
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::{DType, Element};
use crate::error::{Error, Fault, Result};
use crate::stop;
use std::cmp::Ordering;
use std::mem::MaybeUninit;

/// Items that are sorted at a time, and merged between two polls.
const RUN: usize = tile_size(1 << 14, 16);

/// A NaN is larger than any number, and as large as another.
fn compare<T: Ordered>(a: T, b: T) -> Ordering {
    if b.beats(a) {
        Ordering::Less
    } else if a.beats(b) {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

/// Sorts; equal items keep their places. Runs are sorted alone, and then merged.
fn sort<T: Copy + Send>(
    op: &'static str,
    items: &mut [T],
    order: impl Fn(&T, &T) -> Ordering + Sync,
) -> Result<()> {
    for_each_part(items, RUN, |_, run| run.sort_by(&order))?;
    let (len, mut width) = (items.len(), RUN);
    let mut merged = room(op, if len > RUN { len } else { 0 })?;
    while width < len {
        merged.clear();
        for pair in items.chunks(2 * width) {
            let (mut a, mut b) = pair.split_at(width.min(pair.len()));
            while let ([x, rest_of_a @ ..], [y, rest_of_b @ ..]) = (a, b) {
                if merged.len() % RUN == 0 {
                    stop::poll()?;
                }
                if order(y, x).is_lt() {
                    merged.push(*y);
                    b = rest_of_b;
                } else {
                    merged.push(*x);
                    a = rest_of_a;
                }
            }
            merged.extend_from_slice(a);
            merged.extend_from_slice(b);
        }
        items.copy_from_slice(&merged);
        width *= 2;
    }
    Ok(())
}

/// An empty list with room for so many items.
fn room<T>(op: &'static str, len: usize) -> Result<Vec<T>> {
    let mut room = Vec::new();
    if room.try_reserve_exact(len).is_err() {
        let (bytes, shape) = (len.saturating_mul(size_of::<T>()), vec![len]);
        return Err(Error::new(Fault::Memory { op, bytes, shape }));
    }
    Ok(room)
}

/// The positions of the elements along `axis` in ascending or descending order; equal
/// elements keep theirs.
pub(crate) fn argsort(
    x: View<'_>,
    axis: usize,
    descending: bool,
    out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Ordered>(
        x: View<'_>,
        axis: usize,
        descending: bool,
        mut out: ViewMut<'_>,
    ) -> Result<()> {
        let (steps, inner) =
            (x.shape()[axis], x.shape()[axis + 1..].iter().product::<usize>());
        let Some(x) = x.as_slice::<T>() else { return Ok(()) };
        let out = out.slice_mut::<i64>();
        let mut order = room("argsort", steps)?;
        for start in (0..x.len()).step_by((steps * inner).max(1)) {
            for first in start..start + inner {
                let element = |k: usize| x[first + k * inner];
                order.clear();
                order.extend(0..steps);
                sort("argsort", &mut order, |&a, &b| {
                    let order = compare(element(a), element(b));
                    if descending { order.reverse() } else { order }
                })?;
                for (k, &place) in order.iter().enumerate() {
                    let place = place.cast_signed() as i64;
                    out[first + k * inner] = MaybeUninit::new(place);
                }
            }
        }
        Ok(())
    }
    let mut copy = None;
    let x = walk::contiguous("argsort", x, &mut copy)?;
    match x.dtype() {
        DType::F32 => of::<f32>(x, axis, descending, out),
        DType::F64 => of::<f64>(x, axis, descending, out),
        DType::I64 => of::<i64>(x, axis, descending, out),
        DType::Bool => of::<bool>(x, axis, descending, out),
    }
}

/// The distinct elements, ascending; at most one NaN, which is last.
pub(crate) fn unique(x: View<'_>) -> Result<NdArray> {
    fn of<T: Ordered + Element>(x: View<'_>) -> Result<NdArray> {
        let mut elements = room("unique", x.len())?;
        elements.extend(x.as_array::<T>().iter().copied());
        sort("unique", &mut elements, |&a: &T, &b: &T| compare(a, b))?;
        elements.dedup_by(|a, b| compare(*a, *b).is_eq());
        NdArray::try_from_elements(&elements, &[elements.len()])
    }
    match x.dtype() {
        DType::F32 => of::<f32>(x),
        DType::F64 => of::<f64>(x),
        DType::I64 => of::<i64>(x),
        DType::Bool => of::<bool>(x),
    }
}
