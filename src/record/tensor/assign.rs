//! Methods that put values where an index or positions select. They give a tensor of its
//! own: this one keeps its elements.

use super::{IntoOperand, Tensor};
use crate::error::{self, Result};
use crate::record::Index;

impl<'rec> Tensor<'rec> {
    /// With values where an index selects, by `NumPy`'s rules. The values broadcast to
    /// what is selected; of those that meet the last one stays, and has the gradient.
    ///
    /// ```
    /// # use wengert::prelude::*;
    /// # let rec = ComputationRecord::new();
    /// let x = rec.tensor_from_value(NdArray::from_elements(&[1.0, 2.0, 3.0]));
    /// let y = x.assign(&[Index::At(1)], 9.0);
    /// assert_eq!(y.data().to_vec::<f64>(), [1.0, 9.0, 3.0]);
    /// assert_eq!(x.data().to_vec::<f64>(), [1.0, 2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn assign(
        &self,
        index: &[Index],
        values: impl IntoOperand<'rec>,
    ) -> Tensor<'rec> {
        error::expect(self.try_assign(index, values))
    }

    /// As `assign`; an error records nothing.
    #[track_caller]
    pub fn try_assign(
        &self,
        index: &[Index],
        values: impl IntoOperand<'rec>,
    ) -> Result<Tensor<'rec>> {
        let values = self.operand("assign", values)?;
        self.record.node(|arena, site| arena.assign(self.index, index, values, site))
    }

    /// With values at the positions in an `i64` tensor, along an axis; the other axes
    /// broadcast. Where positions repeat the last value stays.
    #[track_caller]
    pub fn put_along_axis(
        &self,
        positions: &Tensor<'rec>,
        values: impl IntoOperand<'rec>,
        axis: isize,
    ) -> Tensor<'rec> {
        error::expect(self.try_put_along_axis(positions, values, axis))
    }

    /// As `put_along_axis`; an error records nothing.
    #[track_caller]
    pub fn try_put_along_axis(
        &self,
        positions: &Tensor<'rec>,
        values: impl IntoOperand<'rec>,
        axis: isize,
    ) -> Result<Tensor<'rec>> {
        let places = positions.node_of("put_along_axis", self.record)?;
        let values = self.operand("put_along_axis", values)?;
        self.record.node(|arena, site| {
            arena.put_along(self.index, places, values, Some(axis), true, site)
        })
    }

    /// With values at the positions in an `i64` tensor, along an axis; on the others the
    /// positions reach no farther than the tensor. Where they repeat the last value stays.
    #[track_caller]
    pub fn scatter(
        &self,
        positions: &Tensor<'rec>,
        values: impl IntoOperand<'rec>,
        axis: isize,
    ) -> Tensor<'rec> {
        error::expect(self.try_scatter(positions, values, axis))
    }

    /// As `scatter`; an error records nothing.
    #[track_caller]
    pub fn try_scatter(
        &self,
        positions: &Tensor<'rec>,
        values: impl IntoOperand<'rec>,
        axis: isize,
    ) -> Result<Tensor<'rec>> {
        let places = positions.node_of("scatter", self.record)?;
        let values = self.operand("scatter", values)?;
        self.record.node(|arena, site| {
            arena.put_along(self.index, places, values, Some(axis), false, site)
        })
    }
}
