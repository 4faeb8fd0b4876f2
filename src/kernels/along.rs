//! Elements that an array of positions selects along one axis, and the transpose.

use super::gather::position;
use super::reduce::Number;
use super::threads::{Shared, for_each_part, tile_size};
use super::walk::{self, Dim, Dims, Walk};
use crate::array::{self, View, ViewMut};
use crate::dtype::{DType, Element, Scalar};
use crate::error::Result;
use crate::shape::Shape;
use crate::stop;
use std::mem::MaybeUninit;

/// Elements of a tile.
const TILE: usize = tile_size(1 << 13, 64);

/// Calls `visit` with the offset that each index from the given one on means in an array
/// of `shape`, in the order of the indices. They are checked; negative ones count from
/// the end.
fn for_each_place(
    indices: View<'_>,
    from: usize,
    shape: &[usize],
    strides: &[isize],
    axis: usize,
    mut visit: impl FnMut(isize),
) {
    let dims: Dims<1> = indices
        .shape()
        .iter()
        .zip(strides)
        .enumerate()
        .map(|(k, (&size, &stride))| {
            let stride = if k == axis { 0 } else { stride };
            Dim { size, strides: [stride] }
        })
        .collect();
    let mut room = Dims::new();
    let indices = walk::elements::<i64>(indices, &mut room, from);
    for ([at], index) in Walk::from(&dims, from).take(TILE).zip(indices) {
        let place = position(index, shape[axis]).cast_signed();
        visit(at + place * strides[axis]);
    }
}

/// The elements at `indices` along `axis`.
pub(crate) fn take(
    x: View<'_>,
    indices: View<'_>,
    axis: usize,
    mut out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Element>(
        x: View<'_>,
        indices: View<'_>,
        axis: usize,
        out: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        let (strides, first) = (x.strides(), Shared::new(x.first().cast_mut()));
        for_each_part(out, TILE, |k, out| {
            let (first, mut out) =
                (first.at(0).cast_const().cast::<T>(), out.iter_mut());
            for_each_place(indices, k * TILE, x.shape(), &strides, axis, |offset| {
                let Some(out) = out.next() else { return };
                // SAFETY: `position` checked the index; on the other axes the indices
                // are no larger than `x`.
                out.write(unsafe { first.offset(offset).read() });
            });
        })
    }
    match x.dtype() {
        DType::F32 => of::<f32>(x, indices, axis, out.slice_mut()),
        DType::F64 => of::<f64>(x, indices, axis, out.slice_mut()),
        DType::I64 => of::<i64>(x, indices, axis, out.slice_mut()),
        DType::Bool => of::<bool>(x, indices, axis, out.slice_mut()),
    }
}

/// Adds the elements of `x` to zeros at `indices` along `axis`, in the order of the
/// indices.
pub(crate) fn add(
    x: View<'_>,
    indices: View<'_>,
    axis: usize,
    mut out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Number>(
        x: View<'_>,
        indices: View<'_>,
        axis: usize,
        mut out: ViewMut<'_>,
    ) -> Result<()> {
        let shape = Shape::new(out.shape());
        let first = out.slice_mut::<T>().as_mut_ptr().cast::<T>();
        for from in (0..x.len()).step_by(TILE) {
            stop::poll()?;
            let mut room = Dims::new();
            let mut elements = walk::elements::<T>(x, &mut room, from);
            for_each_place(indices, from, &shape, &shape.strides(), axis, |offset| {
                let Some(x) = elements.next() else { return };
                // SAFETY: as in `take`; the memory was filled.
                unsafe {
                    let sum = first.offset(offset);
                    sum.write(sum.read().plus(x));
                }
            });
        }
        Ok(())
    }
    array::fill(out.reborrow(), Scalar::Bool(false))?;
    match x.dtype() {
        DType::F32 => of::<f32>(x, indices, axis, out),
        DType::F64 => of::<f64>(x, indices, axis, out),
        DType::I64 => of::<i64>(x, indices, axis, out),
        DType::Bool => unreachable!("truth values are not added"),
    }
}
