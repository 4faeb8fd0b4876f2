//! Element types: `cast`, and the choice by a mask.

use super::declare::Entry;
use super::emit::{Arg, Cotangents, Emit, Node};
use super::{Forward, Linear, Op, Rules};
use crate::array::{View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels;
use crate::shape::{self, Type};
use smallvec::smallvec;

/// Convert the elements to another type: floats round to the nearest, integers are
/// truncated towards zero, `bool` is whether the element differs from 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Cast {
    pub(crate) dtype: DType,
}

impl Entry for Cast {
    const NAME: &'static str = "cast";
    const ABOUT: &'static str = "the elements in another type, as `astype`";
}

impl Forward for Cast {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(Type::new(x[0].shape.clone(), self.dtype))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::map::cast(x[0], out)
    }
}

impl Linear for Cast {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let dtype = e.input_type(node, k).dtype;
        e.cast(ct, dtype)
    }
}

/// Choose from `a` where `condition` is true, otherwise from `b`.
///
/// The gradient flows to the chosen side alone: a NaN or infinity on the other side
/// does not reach it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Where;

impl Entry for Where {
    const NAME: &'static str = "where";
}

impl Forward for Where {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let shapes: [&[usize]; 3] = [&x[0].shape, &x[1].shape, &x[2].shape];
        Ok(Type::new(shape::broadcast(Where::NAME, &shapes)?, x[1].dtype))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::map::select(x[0], x[1], x[2], out)
    }
}

impl Rules for Where {
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        for k in [1, 2] {
            if out.wants(k) {
                let condition = Arg::Value(e.input_value(node, 0)?);
                let (ct, zero) =
                    (Arg::Value(e.dup(&ct)), Arg::Number(Scalar::Float(0.0)));
                let (a, b) = if k == 1 { (ct, zero) } else { (zero, ct) };
                let chosen = e.apply(Op::Where(Where), smallvec![condition, a, b])?;
                out.give(k, chosen);
            }
        }
        Ok(())
    }
}
