//! The language of structural rules: a rule is written once over [`Emit`].
//!
//! The eager emitter runs kernels; the recording emitter appends nodes, so that the
//! result of a rule can be differentiated again. Values move: giving one away is its
//! last use, and the eager emitter then reuses its buffer.

use super::{Op, convert, index, linalg, reduce, softmax, symbolic, view};
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::shape::{self, Axes, Shape, Span, Type};
use smallvec::{SmallVec, smallvec};

/// What an elementwise op takes: a value, or a number that has the others' type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg<V> {
    Value(V),
    Number(Scalar),
}

impl<V> Arg<V> {
    /// The number, if it is one.
    pub(crate) fn number(&self) -> Option<Scalar> {
        match self {
            Arg::Value(_) => None,
            Arg::Number(number) => Some(*number),
        }
    }
}

impl<V> From<V> for Arg<V> {
    fn from(value: V) -> Self {
        Arg::Value(value)
    }
}

/// The operands of one op.
pub(crate) type Args<V> = SmallVec<[Arg<V>; 3]>;

/// A node whose rule runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Its position in the record.
    pub(crate) index: u32,
}

/// Runs or records the ops that rules are made of.
pub(crate) trait Emit {
    /// A value. It is deliberately not `Copy`: see [`Emit::dup`].
    type V;

    /// A second handle to a value that is used more than once.
    fn dup(&mut self, v: &Self::V) -> Self::V;
    /// The shape and element type of a value.
    fn ty(&self, v: &Self::V) -> Type;
    /// Operand `k` of the node.
    fn input(&mut self, node: Node, k: usize) -> Result<Arg<Self::V>>;
    /// Operand `k` of the node, if it is a number.
    fn input_number(&self, node: Node, k: usize) -> Option<Scalar>;
    /// The type of operand `k` of the node; a number's is its node's own, of rank 0.
    fn input_type(&self, node: Node, k: usize) -> Type;
    /// The number of operands of the node.
    fn operand_count(&self, node: Node) -> usize;
    /// What the node computed.
    fn output(&mut self, node: Node) -> Result<Self::V>;
    /// A constant array.
    fn constant(&mut self, array: NdArray) -> Result<Self::V>;
    /// Applies an op.
    fn apply(&mut self, op: Op, operands: Args<Self::V>) -> Result<Self::V>;

    /// The cotangent of what an op with one operand was applied to, if its value, from
    /// which its slope follows, is the node's.
    fn pull_by_value(&mut self, op: &Op, node: Node, ct: Self::V) -> Result<Self::V>
    where
        Self: Sized,
    {
        symbolic::pull_by_value(self, op, node, ct)
    }

    /// The cotangent of the logits of a softmax cross entropy.
    fn pull_cross_entropy(
        &mut self,
        logits: Self::V,
        labels: Self::V,
        ct: Self::V,
    ) -> Result<Self::V>
    where
        Self: Sized,
    {
        softmax::pull_cross_entropy(self, logits, labels, ct)
    }

    /// Operand `k`, which is a value by the op's declaration.
    fn input_value(&mut self, node: Node, k: usize) -> Result<Self::V> {
        match self.input(node, k)? {
            Arg::Value(value) => Ok(value),
            Arg::Number(number) => {
                let dtype = self.input_type(node, k).dtype;
                self.constant(NdArray::full(&[], number, dtype)?)
            }
        }
    }

    fn unary(&mut self, op: Op, x: Self::V) -> Result<Self::V> {
        self.apply(op, smallvec![Arg::Value(x)])
    }

    fn binary(
        &mut self,
        op: Op,
        a: impl Into<Arg<Self::V>>,
        b: impl Into<Arg<Self::V>>,
    ) -> Result<Self::V> {
        self.apply(op, smallvec![a.into(), b.into()])
    }

    fn multiply(&mut self, a: Self::V, b: impl Into<Arg<Self::V>>) -> Result<Self::V> {
        self.binary(Op::Multiply, a, b)
    }

    fn matmul(&mut self, a: Self::V, b: Self::V) -> Result<Self::V> {
        self.binary(linalg::MatMul.into(), a, b)
    }

    /// Exchanges the last two axes.
    fn swap_last(&mut self, x: Self::V) -> Result<Self::V> {
        let ndim = self.ty(&x).shape.ndim();
        let mut axes: Axes = (0..ndim).collect();
        axes.swap(ndim - 2, ndim - 1);
        self.unary(view::Transpose { axes }.into(), x)
    }

    fn transpose(&mut self, x: Self::V, axes: Axes) -> Result<Self::V> {
        self.unary(view::Transpose { axes }.into(), x)
    }

    fn reshape(&mut self, x: Self::V, shape: Shape) -> Result<Self::V> {
        if self.ty(&x).shape == shape {
            return Ok(x);
        }
        self.unary(view::Reshape { shape }.into(), x)
    }

    fn broadcast_to(&mut self, x: Self::V, shape: Shape) -> Result<Self::V> {
        if self.ty(&x).shape == shape {
            return Ok(x);
        }
        self.unary(view::BroadcastTo { shape }.into(), x)
    }

    fn cast(&mut self, x: Self::V, dtype: DType) -> Result<Self::V> {
        if self.ty(&x).dtype == dtype {
            return Ok(x);
        }
        self.unary(convert::Cast { dtype }.into(), x)
    }

    fn sum(&mut self, x: Self::V, axes: Axes, keepdims: bool) -> Result<Self::V> {
        self.unary(reduce::Sum { axes, keepdims }.into(), x)
    }

    fn softmax(&mut self, x: Self::V, axis: usize) -> Result<Self::V> {
        self.unary(softmax::Softmax { axis }.into(), x)
    }

    fn slice(&mut self, x: Self::V, spans: SmallVec<[Span; 4]>) -> Result<Self::V> {
        self.unary(index::Slice { spans }.into(), x)
    }

    /// Sums a value over the axes along which an array of `shape` was repeated.
    fn sum_to(&mut self, x: Self::V, shape: &Shape) -> Result<Self::V> {
        let from = self.ty(&x).shape;
        if from == *shape {
            return Ok(x);
        }
        let axes = shape::broadcast_axes(shape, &from);
        let summed = self.sum(x, axes, false)?;
        self.reshape(summed, shape.clone())
    }
}

/// Where a rule puts the cotangents of its node's operands.
pub(crate) struct Cotangents<V> {
    wanted: u64,
    given: SmallVec<[(usize, V); 2]>,
}

impl<V> Cotangents<V> {
    /// Collects cotangents of the operands whose bits are set.
    pub(crate) fn new(wanted: u64) -> Self {
        Cotangents { wanted, given: SmallVec::new() }
    }

    /// Whether anyone asks for the cotangent of operand `k`.
    ///
    /// Operands from the 64th on share an answer: an op with so many wants them all.
    pub(crate) fn wants(&self, k: usize) -> bool {
        self.wanted >> k.min(63) & 1 == 1
    }

    /// Gives the cotangent of operand `k`, shaped like the node's output or like the
    /// operand: the sweep sums it back to the operand's shape.
    pub(crate) fn give(&mut self, k: usize, cotangent: V) {
        self.given.push((k, cotangent));
    }

    /// What was given, by operand.
    pub(crate) fn into_given(self) -> SmallVec<[(usize, V); 2]> {
        self.given
    }
}
