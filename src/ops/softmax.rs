//! Softmax and the losses that stand on it.

use super::declare::Entry;
use super::emit::{Cotangents, Emit, Node};
use super::{Forward, Op, Rules};
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::DType;
use crate::error::{Error, Fault, Operand, Result};
use crate::kernels;
use crate::shape::{Axes, Shape, Type};

/// `exp(x) / sum(exp(x))` along an axis, without overflow. Elements of `inf` share the
/// weight; if all are `-inf`, none has any.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Softmax {
    pub(crate) axis: usize,
}

/// `x - logsumexp(x)` along an axis, without overflow; the logarithm of the softmax for
/// infinities too.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct LogSoftmax {
    pub(crate) axis: usize,
}

/// `logsumexp(row) - row[label]` for each row of the last axis: the cross entropy of
/// `softmax(row)` against an integer label.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SoftmaxCrossEntropy;

impl Entry for Softmax {
    const NAME: &'static str = "softmax";
    const TAKES_INTEGERS: bool = false;
}
impl Entry for LogSoftmax {
    const NAME: &'static str = "log_softmax";
    const TAKES_INTEGERS: bool = false;
}
impl Entry for SoftmaxCrossEntropy {
    const NAME: &'static str = "softmax_cross_entropy";
    const TAKES_INTEGERS: bool = false;
}

impl Forward for Softmax {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[0].clone())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::rows::softmax(x[0], self.axis, out)
    }
}

impl Rules for Softmax {
    /// `y * (ct - sum(ct * y))`.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let (y, copy) = (e.output(node)?, e.dup(&ct));
        let weighted = e.multiply(copy, y)?;
        let total = e.sum(weighted, Axes::from_slice(&[self.axis]), true)?;
        let centred = e.binary(Op::Subtract, ct, total)?;
        let y = e.output(node)?;
        let cotangent = e.multiply(centred, y)?;
        out.give(0, cotangent);
        Ok(())
    }
}

impl Forward for LogSoftmax {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[0].clone())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::rows::log_softmax(x[0], self.axis, out)
    }
}

impl Rules for LogSoftmax {
    /// `ct - exp(y) * sum(ct)`.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let copy = e.dup(&ct);
        let total = e.sum(copy, Axes::from_slice(&[self.axis]), true)?;
        let y = e.output(node)?;
        let weights = e.unary(Op::Exp, y)?;
        let spread = e.multiply(weights, total)?;
        let cotangent = e.binary(Op::Subtract, ct, spread)?;
        out.give(0, cotangent);
        Ok(())
    }
}

impl Forward for SoftmaxCrossEntropy {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let op = SoftmaxCrossEntropy::NAME;
        let (logits, labels) = (&x[0].shape, &x[1].shape);
        let Some((_, wanted)) = logits.split_last() else {
            return Err(Error::new(Fault::AxisOutOfRange { op, axis: -1, ndim: 0 }));
        };
        if **labels != *wanted {
            return Err(Error::new(Fault::Labels {
                op,
                logits: Operand::new(logits),
                labels: labels.to_vec(),
                wanted: wanted.to_vec(),
            }));
        }
        Ok(Type::new(Shape::new(wanted), x[0].dtype))
    }

    fn check(&self, x: &[View<'_>]) -> Result<()> {
        let (op, limit) = (SoftmaxCrossEntropy::NAME, x[0].shape().last().copied());
        let limit = limit.unwrap_or(0);
        kernels::gather::check_labels(op, x[1], limit)
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::rows::softmax_cross_entropy(x[0], x[1], out)
    }
}

impl Rules for SoftmaxCrossEntropy {
    /// `(softmax(row) - one_hot(label)) * ct`.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let logits = e.input_value(node, 0)?;
        let labels = e.input_value(node, 1)?;
        let cotangent = e.pull_cross_entropy(logits, labels, ct)?;
        out.give(0, cotangent);
        Ok(())
    }
}

/// `(softmax(row) - one_hot(label)) * ct`.
pub(crate) fn pull_cross_entropy<E: Emit>(
    e: &mut E,
    logits: E::V,
    labels: E::V,
    ct: E::V,
) -> Result<E::V> {
    let ty = e.ty(&logits);
    let axis = ty.shape.ndim() - 1;
    let mut column = Shape::new(&ty.shape[..axis]);
    column.push(1);
    let weights = e.softmax(logits, axis)?;
    let labels = e.reshape(labels, column.clone())?;
    let mut classes = NdArray::zeros(&ty.shape[axis..], DType::I64)?;
    for (class, k) in classes.try_as_mut_slice::<i64>()?.iter_mut().zip(0..) {
        *class = k;
    }
    let classes = e.constant(classes)?;
    let hits = e.binary(Op::Equal, labels, classes)?;
    let hits = e.cast(hits, ty.dtype)?;
    let slope = e.binary(Op::Subtract, weights, hits)?;
    let ct = e.reshape(ct, column)?;
    e.binary(Op::MultiplyNoNan, ct, slope)
}
