//! Methods that rearrange elements: order, repetition, places along axes.

use super::Tensor;
use crate::dtype::DType;
use crate::error::{self, Result};
use crate::record::Padding;

methods! {
    /// The elements in reverse order along axes.
    flip try_flip(axes: &[isize]) |x, arena, site| arena.flip(x, Some(axes), site);

    /// The elements shifted along an axis; those beyond the end come in at the start.
    roll try_roll(shift: isize, axis: isize)
    |x, arena, site| arena.roll(x, &[shift], Some(&[axis]), site);

    /// The array repeated as a whole along each axis.
    tile try_tile(counts: &[usize]) |x, arena, site| arena.tile(x, counts, site);

    /// Each element repeated along an axis: by one count, or by one for each element.
    repeat try_repeat(counts: &[usize], axis: isize)
    |x, arena, site| arena.repeat(x, counts, Some(axis), site);

    /// Axes moved to other positions; the others keep their order.
    moveaxis try_moveaxis(from: &[isize], to: &[isize])
    |x, arena, site| arena.moveaxis(x, from, to, site);

    /// The elements at equal positions of two axes, as a new last axis; `offset` is the
    /// position in the second less that in the first.
    diagonal try_diagonal(offset: isize, axis1: isize, axis2: isize)
    |x, arena, site| arena.diagonal(x, offset, (axis1, axis2), site);

    /// The diagonal of a matrix, or a matrix with a vector on its diagonal.
    diag try_diag(offset: isize) |x, arena, site| arena.diag(x, offset, site);

    /// The matrices of the last two axes with 0 above a diagonal; a vector is every row
    /// of a square matrix.
    tril try_tril(offset: isize)
    |x, arena, site| arena.triangle(x, offset, false, site);

    /// The matrices of the last two axes with 0 below a diagonal, as for `tril`.
    triu try_triu(offset: isize)
    |x, arena, site| arena.triangle(x, offset, true, site);

    /// With at least `ndim` axes, of which there may be 1 to 3; new ones are where
    /// `NumPy` puts them.
    atleast try_atleast(ndim: usize) |x, arena, site| arena.atleast(x, ndim, site);

    /// 1 at each label along a new last axis of `classes` elements, otherwise 0.
    one_hot try_one_hot(classes: usize, dtype: DType)
    |x, arena, site| arena.one_hot(x, classes, dtype, site);

    /// With margins of one value; `widths` has the two of each axis.
    pad try_pad(widths: &[(usize, usize)], value: f64)
    |x, arena, site| arena.pad(x, widths, Padding::Constant(value), site);

    /// With margins that repeat the elements at the edges.
    pad_edge try_pad_edge(widths: &[(usize, usize)])
    |x, arena, site| arena.pad(x, widths, Padding::Edge, site);

    /// With margins that mirror the elements at the edges, which occur once.
    pad_reflect try_pad_reflect(widths: &[(usize, usize)])
    |x, arena, site| arena.pad(x, widths, Padding::Reflect, site);

    /// With margins that go on at the other end.
    pad_wrap try_pad_wrap(widths: &[(usize, usize)])
    |x, arena, site| arena.pad(x, widths, Padding::Wrap, site);
}

/// Places along one axis.
impl<'rec> Tensor<'rec> {
    /// The parts at the positions in an `i64` tensor, along an axis.
    #[track_caller]
    pub fn take_axis(&self, positions: &Tensor<'rec>, axis: isize) -> Tensor<'rec> {
        error::expect(self.try_take_axis(positions, axis))
    }

    /// As `take_axis`; an error records nothing.
    #[track_caller]
    pub fn try_take_axis(
        &self,
        positions: &Tensor<'rec>,
        axis: isize,
    ) -> Result<Tensor<'rec>> {
        let places = positions.node_of("take", self.record)?;
        self.record.node(|arena, site| arena.take(self.index, places, Some(axis), site))
    }

    /// The elements at positions along an axis; the other axes broadcast.
    #[track_caller]
    pub fn take_along_axis(
        &self,
        positions: &Tensor<'rec>,
        axis: isize,
    ) -> Tensor<'rec> {
        error::expect(self.try_take_along_axis(positions, axis))
    }

    /// As `take_along_axis`; an error records nothing.
    #[track_caller]
    pub fn try_take_along_axis(
        &self,
        positions: &Tensor<'rec>,
        axis: isize,
    ) -> Result<Tensor<'rec>> {
        let places = positions.node_of("take_along_axis", self.record)?;
        self.record.node(|arena, site| {
            arena.take_along(self.index, places, Some(axis), true, site)
        })
    }

    /// The elements at positions along an axis; on the others the positions reach no
    /// farther than the tensor.
    #[track_caller]
    pub fn gather(&self, positions: &Tensor<'rec>, axis: isize) -> Tensor<'rec> {
        error::expect(self.try_gather(positions, axis))
    }

    /// As `gather`; an error records nothing.
    #[track_caller]
    pub fn try_gather(
        &self,
        positions: &Tensor<'rec>,
        axis: isize,
    ) -> Result<Tensor<'rec>> {
        let places = positions.node_of("gather", self.record)?;
        self.record.node(|arena, site| {
            arena.take_along(self.index, places, Some(axis), false, site)
        })
    }

    /// With values added at positions along an axis, in their order.
    #[track_caller]
    pub fn scatter_add(
        &self,
        positions: &Tensor<'rec>,
        values: &Tensor<'rec>,
        axis: isize,
    ) -> Tensor<'rec> {
        error::expect(self.try_scatter_add(positions, values, axis))
    }

    /// As `scatter_add`; an error records nothing.
    #[track_caller]
    pub fn try_scatter_add(
        &self,
        positions: &Tensor<'rec>,
        values: &Tensor<'rec>,
        axis: isize,
    ) -> Result<Tensor<'rec>> {
        let places = positions.node_of("scatter_add", self.record)?;
        let values = values.node_of("scatter_add", self.record)?;
        self.record.node(|arena, site| {
            arena.scatter_add(self.index, places, values, axis, site)
        })
    }

    /// The tensor cut before each of the given positions along an axis.
    #[track_caller]
    pub fn split(&self, cuts: &[usize], axis: isize) -> Vec<Tensor<'rec>> {
        error::expect(self.try_split(cuts, axis))
    }

    /// As `split`; an error records nothing.
    #[track_caller]
    pub fn try_split(&self, cuts: &[usize], axis: isize) -> Result<Vec<Tensor<'rec>>> {
        let sizes = self.shape();
        let axis = crate::shape::axis("split", axis, sizes.len())?;
        let ends = cuts.iter().copied().chain([sizes[axis]]);
        let mut start = 0;
        ends.map(|end| {
            let end = end.min(sizes[axis]);
            let (first, len) = (start, end.saturating_sub(start));
            start = end;
            self.record
                .node(|arena, site| arena.part(self.index, axis, first, len, site))
        })
        .collect()
    }
}
