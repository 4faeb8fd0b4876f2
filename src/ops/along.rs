//! Order along one axis, and elements taken by positions along it.

use super::declare::Entry;
use super::emit::{Emit, Node};
use super::{Forward, Linear};
use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::error::{Error, Fault, Operand, Result};
use crate::kernels;
use crate::shape::{Shape, Type};

/// The positions that sort the elements along `axis`; equal elements keep their order,
/// and a NaN is larger than any number. It has no gradient.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ArgSort {
    pub(crate) axis: usize,
    pub(crate) descending: bool,
}

/// The elements at the positions in an integer array along `axis`. On the other axes
/// the positions reach no farther than the operand.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TakeAlongAxis {
    pub(crate) axis: usize,
}

/// Zeros of `shape`, to which the operand's elements are added at the positions in an
/// integer array along `axis`, in their order: the transpose of `take_along_axis`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct AddAlongAxis {
    pub(crate) shape: Shape,
    pub(crate) axis: usize,
}

impl Entry for ArgSort {
    const NAME: &'static str = "argsort";
}
impl Entry for TakeAlongAxis {
    const NAME: &'static str = "take_along_axis";
}
impl Entry for AddAlongAxis {
    const NAME: &'static str = "add_along_axis";
    const ABOUT: &'static str = "\
        zeros to which elements are added at positions along an axis: the transpose \
        of `take_along_axis`";
}

impl Forward for ArgSort {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(Type::new(x[0].shape.clone(), DType::I64))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::sort::argsort(x[0], self.axis, self.descending, out)
    }
}

/// Fails unless positions of this shape lie within an array of the other.
pub(crate) fn expect_within(
    op: &'static str,
    shape: &[usize],
    positions: &[usize],
    axis: usize,
) -> Result<()> {
    let mut sizes = shape.iter().zip(positions).enumerate();
    if shape.len() == positions.len() && sizes.all(|(k, (n, p))| k == axis || p <= n) {
        return Ok(());
    }
    let (operand, positions) = (Operand::new(shape), positions.to_vec());
    Err(Error::new(Fault::PositionsShape { op, operand, axis, positions }))
}

impl Forward for TakeAlongAxis {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        expect_within(Self::NAME, &x[0].shape, &x[1].shape, self.axis)?;
        Ok(Type::new(x[1].shape.clone(), x[0].dtype))
    }

    fn check(&self, x: &[View<'_>]) -> Result<()> {
        kernels::gather::check(Self::NAME, x[1], x[0].shape()[self.axis])
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::along::take(x[0], x[1], self.axis, out)
    }
}

impl Linear for TakeAlongAxis {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let shape = e.input_type(node, k).shape;
        let positions = e.input_value(node, 1)?;
        e.binary(AddAlongAxis { shape, axis: self.axis }.into(), ct, positions)
    }
}

impl Forward for AddAlongAxis {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        expect_within(Self::NAME, &self.shape, &x[1].shape, self.axis)?;
        if x[0].shape != x[1].shape {
            let operands = x.iter().map(|x| &*x.shape).collect();
            return Err(Error::new(Fault::Broadcast { op: Self::NAME, operands }));
        }
        Ok(Type::new(self.shape.clone(), x[0].dtype))
    }

    fn check(&self, x: &[View<'_>]) -> Result<()> {
        kernels::gather::check(Self::NAME, x[1], self.shape[self.axis])
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::along::add(x[0], x[1], self.axis, out)
    }
}

impl Linear for AddAlongAxis {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        _: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let positions = e.input_value(node, 1)?;
        e.binary(TakeAlongAxis { axis: self.axis }.into(), ct, positions)
    }
}
