//! Order: the permutation that sorts, and distinct elements.

use super::reduce::Ordered;
use super::walk;
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::{DType, Element};
use crate::error::Result;
use std::cmp::Ordering;
use std::mem::MaybeUninit;

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
    ) {
        let (steps, inner) =
            (x.shape()[axis], x.shape()[axis + 1..].iter().product::<usize>());
        let Some(x) = x.as_slice::<T>() else { return };
        let out = out.slice_mut::<i64>();
        let mut order: Vec<usize> = Vec::with_capacity(steps);
        for start in (0..x.len()).step_by((steps * inner).max(1)) {
            for first in start..start + inner {
                let element = |k: usize| x[first + k * inner];
                order.clear();
                order.extend(0..steps);
                order.sort_by(|&a, &b| {
                    let order = compare(element(a), element(b));
                    if descending { order.reverse() } else { order }
                });
                for (k, &place) in order.iter().enumerate() {
                    let place = place.cast_signed() as i64;
                    out[first + k * inner] = MaybeUninit::new(place);
                }
            }
        }
    }
    let mut copy = None;
    let x = walk::contiguous("argsort", x, &mut copy)?;
    match x.dtype() {
        DType::F32 => of::<f32>(x, axis, descending, out),
        DType::F64 => of::<f64>(x, axis, descending, out),
        DType::I64 => of::<i64>(x, axis, descending, out),
        DType::Bool => of::<bool>(x, axis, descending, out),
    }
    Ok(())
}

/// The distinct elements, ascending; at most one NaN, which is last.
pub(crate) fn unique(x: View<'_>) -> Result<NdArray> {
    fn of<T: Ordered + Element>(x: View<'_>) -> Result<NdArray> {
        let mut elements: Vec<T> = x.as_array::<T>().iter().copied().collect();
        elements.sort_by(|&a, &b| compare(a, b));
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
