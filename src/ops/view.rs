//! Ops that show the same elements in another shape or order. They copy nothing.

use super::declare::Entry;
use super::emit::{Emit, Node};
use super::{Forward, Linear};
use crate::array::{View, ViewMut};
use crate::error::{Error, Fault, Operand, Result};
use crate::shape::{self, Axes, Shape, Strides, Type};

/// Give the elements, in C order, another shape.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Reshape {
    pub(crate) shape: Shape,
}

impl Entry for Reshape {
    const NAME: &'static str = "reshape";
}

impl Forward for Reshape {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let (from, wanted) = (&x[0].shape, self.shape.len());
        if from.len() != wanted {
            let (op, operand) = (Reshape::NAME, Operand::new(from));
            let shape = self.shape.to_vec();
            return Err(Error::new(Fault::Reshape { op, operand, shape, wanted }));
        }
        Ok(Type::new(self.shape.clone(), x[0].dtype))
    }

    fn alias(&self, x: &View<'_>) -> Option<(isize, Strides)> {
        let strides = shape::reshape_strides(x.shape(), &x.strides(), &self.shape)?;
        Some((0, strides))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        x[0].copy_to(out)
    }
}

impl Linear for Reshape {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let shape = e.input_type(node, k).shape;
        e.reshape(ct, shape)
    }
}

/// Permute the axes: axis `k` of the result is axis `axes[k]` of the operand.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Transpose {
    pub(crate) axes: Axes,
}

impl Entry for Transpose {
    const NAME: &'static str = "transpose";
}

impl Forward for Transpose {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let shape = self.axes.iter().map(|&k| x[0].shape[k]).collect();
        Ok(Type::new(shape, x[0].dtype))
    }

    fn alias(&self, x: &View<'_>) -> Option<(isize, Strides)> {
        let strides = x.strides();
        Some((0, self.axes.iter().map(|&k| strides[k]).collect()))
    }

    fn eval(&self, _: &[View<'_>], _: ViewMut<'_>) -> Result<()> {
        unreachable!("a transpose is always an alias")
    }
}

impl Linear for Transpose {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        _: Node,
        _: usize,
        ct: E::V,
    ) -> Result<E::V> {
        e.transpose(ct, shape::inverse(&self.axes))
    }
}

/// Repeat the operand along axes of size 1 and along new leading axes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct BroadcastTo {
    pub(crate) shape: Shape,
}

impl Entry for BroadcastTo {
    const NAME: &'static str = "broadcast_to";
}

impl Forward for BroadcastTo {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        if !shape::broadcasts_to(&x[0].shape, &self.shape) {
            let (op, operand) = (BroadcastTo::NAME, Operand::new(&x[0].shape));
            let shape = self.shape.to_vec();
            return Err(Error::new(Fault::BroadcastTo { op, operand, shape }));
        }
        Ok(Type::new(self.shape.clone(), x[0].dtype))
    }

    fn alias(&self, x: &View<'_>) -> Option<(isize, Strides)> {
        Some((0, shape::broadcast_strides(x.shape(), &x.strides(), &self.shape)))
    }

    fn eval(&self, _: &[View<'_>], _: ViewMut<'_>) -> Result<()> {
        unreachable!("a broadcast is always an alias")
    }
}

impl Linear for BroadcastTo {
    /// The sweep sums every cotangent back to its operand's shape.
    fn transpose<E: Emit>(
        &self,
        _: &mut E,
        _: Node,
        _: usize,
        ct: E::V,
    ) -> Result<E::V> {
        Ok(ct)
    }
}

/// The operand as a constant: no gradient passes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct StopGradient;

impl Entry for StopGradient {
    const NAME: &'static str = "stop_gradient";
}

impl Forward for StopGradient {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[0].clone())
    }

    fn alias(&self, x: &View<'_>) -> Option<(isize, Strides)> {
        Some((0, x.strides()))
    }

    fn eval(&self, _: &[View<'_>], _: ViewMut<'_>) -> Result<()> {
        unreachable!("a stopped gradient is always an alias")
    }
}
