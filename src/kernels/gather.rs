//! Elements that change their places: indexing and its transpose, concatenation, and
//! the transpose of a slice.

#[cfg(test)]
mod tests;

use crate::array::{self, View, ViewMut};
use crate::dtype::{DType, Element, Scalar};
use crate::error::{self, Error, Fault, Result};
use crate::kernels::reduce::Number;
use crate::kernels::simd::{self, Kernel};
use crate::kernels::threads::{Shared, USUAL, for_each_part, for_each_tile, tile_size};
use crate::kernels::walk::{self, Dim, Dims, Walk};
use crate::shape::{self, Shape, Span, Strides};
use crate::stop;
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::slice;

/// Elements of a tile.
const TILE: usize = tile_size(1 << 15, 64);
/// Neighbours that a tile of a sum adds at each index.
const STRIP: usize = tile_size(128, 3);

/// Fails at the first index outside `-limit..limit`.
pub(crate) fn check(op: &'static str, indices: View<'_>, limit: usize) -> Result<()> {
    check_within(op, indices, Bounds { below: limit, limit })
}

/// Fails at the first label outside `0..limit`: an index may count from the end, a label
/// may not.
pub(crate) fn check_labels(
    op: &'static str,
    labels: View<'_>,
    limit: usize,
) -> Result<()> {
    check_within(op, labels, Bounds { below: 0, limit })
}

fn check_within(op: &'static str, indices: View<'_>, bounds: Bounds) -> Result<()> {
    if let Some(indices) = indices.as_slice() {
        let mut all = true;
        for indices in indices.chunks(1 << 16) {
            stop::poll()?;
            all &= simd::dispatch(AllWithin { indices, bounds });
        }
        if all {
            return Ok(());
        }
    }
    // What a broadcast repeats is seen once, where it stands first.
    let distinct = indices.distinct::<i64>();
    for (k, (position, &value)) in distinct.indexed_iter().enumerate() {
        stop::poll_at(k)?;
        if !bounds.hold(value) {
            let position = error::tuple(ndarray::Dimension::slice(&position));
            let limit = bounds.limit;
            let fault = Fault::IndexOutOfRange { op, value, position, limit };
            return Err(Error::new(fault));
        }
    }
    Ok(())
}

/// From `-below` up to `limit`, without it.
#[derive(Clone, Copy)]
struct Bounds {
    below: usize,
    limit: usize,
}

impl Bounds {
    #[inline(always)]
    fn hold(self, index: i64) -> bool {
        let below = self.below as u64;
        index.cast_unsigned().wrapping_add(below) < below + self.limit as u64
    }
}

struct AllWithin<'a> {
    indices: &'a [i64],
    bounds: Bounds,
}

impl Kernel for AllWithin<'_> {
    type Output = bool;

    // Without an early end, so that it vectorises.
    #[inline(always)]
    fn run<const FMA: bool>(self) -> bool {
        self.indices.iter().fold(true, |all, &index| all & self.bounds.hold(index))
    }
}

/// The position that a checked index means: negative ones count from the end.
///
/// # Panics
/// If it is out of range: memory safety hangs on that.
#[inline(always)]
pub(super) fn position(index: i64, limit: usize) -> usize {
    let from_start = if index < 0 { index + limit.cast_signed() as i64 } else { index };
    match usize::try_from(from_start) {
        Ok(position) if position < limit => position,
        _ => panic!("indices are checked before they are used"),
    }
}

/// Calls `visit` with the offset that each tuple of indices in the range means, in C
/// order.
///
/// The arrays of indices have one shape; `sizes` and `strides` are those of the axes
/// that they address.
fn for_each_offset(
    indices: &[View<'_>],
    range: Range<usize>,
    sizes: &[usize],
    strides: &[isize],
    mut visit: impl FnMut(isize),
) {
    const BLOCK: usize = 64;
    if let ([indices], [size, ..], [stride, ..]) = (indices, sizes, strides)
        && let Some(indices) = indices.as_slice()
    {
        for &index in &indices[range] {
            visit(position(index, *size).cast_signed() * stride);
        }
        return;
    }
    let mut dims: SmallVec<[Dims<1>; 2]> =
        indices.iter().map(|_| Dims::new()).collect();
    let mut arrays: SmallVec<[_; 2]> = indices
        .iter()
        .zip(&mut dims)
        .map(|(indices, dims)| walk::elements(*indices, dims, range.start))
        .collect();
    let mut block = [0; BLOCK];
    for start in range.clone().step_by(BLOCK) {
        let offsets = &mut block[..BLOCK.min(range.end - start)];
        offsets.fill(0);
        for ((indices, &size), &stride) in arrays.iter_mut().zip(sizes).zip(strides) {
            for (offset, index) in offsets.iter_mut().zip(indices) {
                *offset += position(index, size).cast_signed() * stride;
            }
        }
        offsets.iter().copied().for_each(&mut visit);
    }
}

/// What `indices`, all of one shape, select along the leading axes of `x`. They are
/// checked; negative ones count from the end.
pub(crate) fn gather(
    x: View<'_>,
    indices: &[View<'_>],
    mut out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Element>(
        x: View<'_>,
        indices: &[View<'_>],
        out: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        let strides = x.strides();
        let (sizes, rest) = x.shape().split_at(indices.len());
        let (leading, trailing) = strides.split_at(indices.len());
        let rest = Shape::new(rest);
        let dims = walk::dims_of_two(&rest, trailing, &rest.strides());
        let first = Shared::new(x.first().cast::<T>().cast_mut());
        let len = rest.len();
        let count = (TILE / len).max(1);
        for_each_part(out, count * len, |k, out| {
            let first = first.at(0).cast_const();
            let range = k * count..k * count + out.len() / len;
            if dims.is_empty() {
                let mut out = out.iter_mut();
                for_each_offset(indices, range, sizes, leading, |offset| {
                    let Some(out) = out.next() else { return };
                    // SAFETY: the offset was checked against the sizes.
                    out.write(unsafe { first.offset(offset).read() });
                });
                return;
            }
            let mut out = out.chunks_exact_mut(len);
            for_each_offset(indices, range, sizes, leading, |offset| {
                let Some(out) = out.next() else { return };
                let to = out.as_mut_ptr().cast();
                // SAFETY: the offset was checked against the sizes; `out` is as long as
                // the rest of the axes.
                unsafe { walk::copy(first.offset(offset), to, &dims) };
            });
        })
    }
    if out.is_empty() {
        return Ok(());
    }
    match x.dtype() {
        DType::F32 => of::<f32>(x, indices, out.slice_mut()),
        DType::F64 => of::<f64>(x, indices, out.slice_mut()),
        DType::I64 => of::<i64>(x, indices, out.slice_mut()),
        DType::Bool => of::<bool>(x, indices, out.slice_mut()),
    }
}

/// `scatter_add` to zeros: the transpose of `gather`.
pub(crate) fn scatter(
    x: View<'_>,
    indices: &[View<'_>],
    mut out: ViewMut<'_>,
) -> Result<()> {
    array::fill(out.reborrow(), Scalar::Bool(false))?;
    scatter_add(x, indices, out)
}

/// Adds the parts of `x` to where `indices` point along the leading axes of `sum`. Parts
/// that meet are added in the order of the indices.
pub(crate) fn scatter_add(
    x: View<'_>,
    indices: &[View<'_>],
    sum: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Number>(
        x: View<'_>,
        indices: &[View<'_>],
        sum: ViewMut<'_>,
    ) -> Result<()> {
        for_each_part_at(x, indices, sum, |from, to: *mut T, dims| {
            // SAFETY: both may be reached, and the sums hold elements.
            unsafe { add(from, to, dims) };
        })
    }
    match x.dtype() {
        DType::F32 => of::<f32>(x, indices, sum),
        DType::F64 => of::<f64>(x, indices, sum),
        DType::I64 => of::<i64>(x, indices, sum),
        DType::Bool => unreachable!("truth values are not added"),
    }
}

/// `x`, with the parts of `values`, which broadcasts, where `indices` point along the
/// leading axes. Of parts that meet the last one stays.
pub(crate) fn put(
    x: View<'_>,
    values: View<'_>,
    indices: &[View<'_>],
    mut out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Element>(
        values: View<'_>,
        indices: &[View<'_>],
        out: ViewMut<'_>,
    ) -> Result<()> {
        for_each_part_at(values, indices, out, |from, to: *mut T, dims| {
            // SAFETY: both may be reached.
            unsafe { walk::copy(from, to, dims) };
        })
    }
    x.copy_to(out.reborrow())?;
    let rest = &x.shape()[indices.len()..];
    let shape: Shape = indices[0].shape().iter().chain(rest).copied().collect();
    let strides = shape::broadcast_strides(values.shape(), &values.strides(), &shape);
    // SAFETY: to broadcast is to reach the same elements.
    let values = unsafe { values.restrided(&shape, &strides) };
    match x.dtype() {
        DType::F32 => of::<f32>(values, indices, out),
        DType::F64 => of::<f64>(values, indices, out),
        DType::I64 => of::<i64>(values, indices, out),
        DType::Bool => of::<bool>(values, indices, out),
    }
}

/// Calls `f` with each part of `x`, the place in `out` where `indices` point for it along
/// the leading axes, and the axes that both may be reached by, of which none is empty.
/// Parts that meet come in the order of the indices.
fn for_each_part_at<T: Element>(
    x: View<'_>,
    indices: &[View<'_>],
    mut out: ViewMut<'_>,
    f: impl Fn(*const T, *mut T, &[Dim<2>]) + Sync,
) -> Result<()> {
    let shape = Shape::new(out.shape());
    let out = out.slice_mut::<T>();
    if x.is_empty() {
        return Ok(());
    }
    let (sizes, rest) = shape.split_at(indices.len());
    let (from, to) = (x.strides(), shape.strides());
    let (places, parts) = x.shape().split_at(x.shape().len() - rest.len());
    let (outer, inner) = from.split_at(places.len());
    let (leading, trailing) = to.split_at(sizes.len());
    let dims = walk::dims_of_two(parts, inner, trailing);
    let count: usize = places.iter().product();
    let places = walk::dims_of(places, outer);
    let first = Shared::new(x.first().cast::<T>().cast_mut());
    let out = Shared::new(out.as_mut_ptr().cast::<T>());
    let visit = |range: Range<usize>, dims: &[Dim<2>], skip: usize| {
        let (first, out) = (first.at(skip).cast_const(), out.at(skip));
        let mut places = Walk::from(&places, range.start);
        for_each_offset(indices, range, sizes, leading, |offset| {
            let Some([at]) = places.next() else { return };
            // SAFETY: the offset was checked against the sizes.
            let (from, to) = unsafe { (first.offset(at), out.offset(offset)) };
            f(from, to, dims);
        });
    };
    let size: usize = parts.iter().product();
    let rows = (TILE / size).max(1);
    for start in (0..count).step_by(rows * 16) {
        let range = start..count.min(start + rows * 16);
        match *dims {
            // Each thread takes a strip of all parts, so the order is kept.
            [Dim { size, strides: [1, 1] }] if range.len() * size > TILE => {
                for_each_tile(size.div_ceil(STRIP), USUAL, |k| {
                    let size = STRIP.min(size - k * STRIP);
                    let dims = [Dim { size, strides: [1, 1] }];
                    visit(range.clone(), &dims, k * STRIP);
                })?;
            }
            _ => {
                stop::poll()?;
                visit(range, &dims, 0);
            }
        }
    }
    Ok(())
}

/// Adds the elements that the axes, of which none is empty, reach.
///
/// # Safety
/// `from` may be read, and `to` read and written, at every offset that the axes reach.
#[inline(always)]
unsafe fn add<T: Number>(from: *const T, to: *mut T, dims: &[Dim<2>]) {
    walk::for_each_inner(dims, |[read, write], Dim { size, strides }| {
        // SAFETY: all offsets are among those that the axes reach; the memory that is
        // read is not the memory that is written.
        unsafe {
            let (from, to) = (from.offset(read), to.offset(write));
            if strides == [1, 1] {
                let sums = slice::from_raw_parts_mut(to, size);
                for (sum, &x) in sums.iter_mut().zip(slice::from_raw_parts(from, size))
                {
                    *sum = sum.plus(x);
                }
            } else {
                let [read, write] = strides;
                for k in 0..size.cast_signed() {
                    let sum = to.offset(k * write);
                    sum.write(sum.read().plus(from.offset(k * read).read()));
                }
            }
        }
    });
}

/// Joins arrays along `axis`.
pub(crate) fn concatenate(
    parts: &[View<'_>],
    axis: usize,
    out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Element>(
        parts: &[View<'_>],
        axis: usize,
        mut out: ViewMut<'_>,
    ) -> Result<()> {
        let strides = Shape::new(out.shape()).strides();
        let mut to = out.slice_mut::<T>().as_mut_ptr().cast::<T>();
        for part in parts {
            // SAFETY: the parts fill the axis one after the other.
            unsafe { walk::copy_strided(*part, to, &strides)? };
            to = to.wrapping_offset(part.shape()[axis].cast_signed() * strides[axis]);
        }
        Ok(())
    }
    match out.dtype() {
        DType::F32 => of::<f32>(parts, axis, out),
        DType::F64 => of::<f64>(parts, axis, out),
        DType::I64 => of::<i64>(parts, axis, out),
        DType::Bool => of::<bool>(parts, axis, out),
    }
}

/// Where the first element lies that `spans` select of a contiguous array, and the
/// strides of what they select.
fn selected(spans: &[Span], shape: &[usize]) -> (isize, Strides) {
    let mut strides = Shape::new(shape).strides();
    let mut first = 0;
    for (stride, span) in strides.iter_mut().zip(spans) {
        first += *stride * span.start.cast_signed();
        *stride *= span.step;
    }
    (first, strides)
}

/// Adds `x` to what `spans` select of `sum`.
pub(crate) fn embed_add(x: View<'_>, spans: &[Span], sum: ViewMut<'_>) -> Result<()> {
    fn of<T: Number>(x: View<'_>, spans: &[Span], mut sum: ViewMut<'_>) -> Result<()> {
        let (first, strides) = selected(spans, sum.shape());
        let to = sum.slice_mut::<T>().as_mut_ptr().cast::<T>().wrapping_offset(first);
        let dims = walk::dims_of_two(x.shape(), &x.strides(), &strides);
        // SAFETY: the spans lie within the axes and are as long as those of `x`.
        unsafe { walk::in_tiles(&dims, x.first().cast(), to, add::<T>) }
    }
    if x.is_empty() {
        return Ok(());
    }
    match x.dtype() {
        DType::F32 => of::<f32>(x, spans, sum),
        DType::F64 => of::<f64>(x, spans, sum),
        DType::I64 => of::<i64>(x, spans, sum),
        DType::Bool => unreachable!("truth values are not added"),
    }
}

/// Writes `x` to what `spans` select of zeros: the transpose of a slice.
pub(crate) fn embed(x: View<'_>, spans: &[Span], mut out: ViewMut<'_>) -> Result<()> {
    array::fill(out.reborrow(), Scalar::Bool(false))?;
    write_to(x, spans, out)
}

/// `x`, with `values`, which broadcasts, where `spans` select.
pub(crate) fn assign(
    x: View<'_>,
    values: View<'_>,
    spans: &[Span],
    mut out: ViewMut<'_>,
) -> Result<()> {
    x.copy_to(out.reborrow())?;
    let shape: Shape = spans.iter().map(|span| span.len).collect();
    let strides = shape::broadcast_strides(values.shape(), &values.strides(), &shape);
    // SAFETY: to broadcast is to reach the same elements.
    write_to(unsafe { values.restrided(&shape, &strides) }, spans, out)
}

/// Writes `x` to what `spans` select.
fn write_to(x: View<'_>, spans: &[Span], out: ViewMut<'_>) -> Result<()> {
    fn of<T: Element>(x: View<'_>, spans: &[Span], mut out: ViewMut<'_>) -> Result<()> {
        let (first, strides) = selected(spans, out.shape());
        let out = out.slice_mut::<T>();
        let to = out.as_mut_ptr().cast::<T>().wrapping_offset(first);
        // SAFETY: the spans lie within the axes and are as long as those of `x`.
        unsafe { walk::copy_strided(x, to, &strides) }
    }
    match out.dtype() {
        DType::F32 => of::<f32>(x, spans, out),
        DType::F64 => of::<f64>(x, spans, out),
        DType::I64 => of::<i64>(x, spans, out),
        DType::Bool => of::<bool>(x, spans, out),
    }
}
