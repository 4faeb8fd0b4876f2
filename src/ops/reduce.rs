//! Reductions over axes, which are sorted and within the operand's rank.

use super::declare::Entry;
use super::emit::{Cotangents, Emit, Node};
use super::{Forward, Linear, Op, Rules};
use crate::array::{View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Operand, Result};
use crate::kernels;
use crate::shape::{self, Axes, Shape, Type};

/// Sum of the elements over axes; 0 over none. Booleans are counted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Sum {
    pub(crate) axes: Axes,
    pub(crate) keepdims: bool,
}

/// Arithmetic mean of the elements over axes; integers are averaged as `f64`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Mean {
    pub(crate) axes: Axes,
    pub(crate) keepdims: bool,
}

/// Largest element over axes; NaN if any is NaN. At ties the cotangent is split
/// equally.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Max {
    pub(crate) axes: Axes,
    pub(crate) keepdims: bool,
}

/// `log(sum(exp(x)))` over axes, without overflow; `-inf` if all elements are `-inf`.
/// The gradient is the softmax, for infinities too.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct LogSumExp {
    pub(crate) axes: Axes,
    pub(crate) keepdims: bool,
}

/// Index of the largest element along an axis, or in C order over all; the first at
/// ties. It has no gradient.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ArgMax {
    pub(crate) axis: Option<usize>,
}

impl Entry for Sum {
    const NAME: &'static str = "sum";
}
impl Entry for Mean {
    const NAME: &'static str = "mean";
    const TAKES_INTEGERS: bool = false;
}
impl Entry for Max {
    const NAME: &'static str = "max";
}
impl Entry for LogSumExp {
    const NAME: &'static str = "logsumexp";
    const TAKES_INTEGERS: bool = false;
}
impl Entry for ArgMax {
    const NAME: &'static str = "argmax";
}

pub(super) fn infer(x: &Type, axes: &[usize], keepdims: bool) -> Type {
    Type::new(shape::reduced(&x.shape, axes, keepdims), x.dtype)
}

/// Fails if an extremum would be taken of nothing.
pub(crate) fn refuse_empty(op: &'static str, x: &Type, axes: &[usize]) -> Result<()> {
    let kept_any = !shape::reduced(&x.shape, axes, false).is_empty();
    if x.shape.is_empty() && kept_any {
        let operand = Operand::new(&x.shape);
        return Err(Error::new(Fault::EmptyReduction { op, operand }));
    }
    Ok(())
}

/// The number of elements that are reduced into one.
pub(super) fn count(shape: &[usize], axes: &[usize]) -> usize {
    axes.iter().map(|&k| shape[k]).product()
}

/// A value of the reduced shape, with its reduced axes as axes of size 1.
pub(super) fn keep<E: Emit>(
    e: &mut E,
    v: E::V,
    x: &Type,
    axes: &[usize],
) -> Result<E::V> {
    e.reshape(v, shape::reduced(&x.shape, axes, true))
}

impl Forward for Sum {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(infer(x[0], &self.axes, self.keepdims))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::reduce::sum(x[0], &self.axes, None, out)
    }
}

impl Linear for Sum {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let x = e.input_type(node, k);
        let ct = keep(e, ct, &x, &self.axes)?;
        e.broadcast_to(ct, x.shape)
    }
}

impl Forward for Mean {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(infer(x[0], &self.axes, self.keepdims))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        let divisor = count(x[0].shape(), &self.axes) as f64;
        kernels::reduce::sum(x[0], &self.axes, Some(divisor), out)
    }
}

impl Linear for Mean {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let x = e.input_type(node, k);
        let scale = Scalar::Float(1.0 / count(&x.shape, &self.axes) as f64);
        let ct = e.multiply(ct, super::emit::Arg::Number(scale))?;
        let ct = keep(e, ct, &x, &self.axes)?;
        e.broadcast_to(ct, x.shape)
    }
}

impl Forward for Max {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        refuse_empty(Max::NAME, x[0], &self.axes)?;
        Ok(infer(x[0], &self.axes, self.keepdims))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::reduce::max(x[0], &self.axes, out)
    }
}

impl Rules for Max {
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        share_among_ties(e, node, &self.axes, ct, out)
    }
}

/// The rule of an extremum: the elements that equal it share the cotangent evenly.
pub(super) fn share_among_ties<E: Emit>(
    e: &mut E,
    node: Node,
    axes: &Axes,
    ct: E::V,
    out: &mut Cotangents<E::V>,
) -> Result<()> {
    let ty = e.input_type(node, 0);
    let x = e.input_value(node, 0)?;
    let y = e.output(node)?;
    let y = keep(e, y, &ty, axes)?;
    let tied = e.binary(Op::Equal, x, y)?;
    let tied = e.cast(tied, ty.dtype)?;
    let copy = e.dup(&tied);
    let ties = e.sum(copy, axes.clone(), true)?;
    let ct = keep(e, ct, &ty, axes)?;
    let share = e.binary(Op::Divide, ct, ties)?;
    let cotangent = e.multiply(share, tied)?;
    out.give(0, cotangent);
    Ok(())
}

impl Forward for LogSumExp {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(infer(x[0], &self.axes, self.keepdims))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::reduce::logsumexp(x[0], &self.axes, out)
    }
}

impl Rules for LogSumExp {
    /// The softmax of `x`, rather than `exp(x - y)`: a large `y` has few digits after the
    /// point, and an infinite one none.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let ty = e.input_type(node, 0);
        let x = e.input_value(node, 0)?;
        let weights = softmax(e, x, &ty.shape, &self.axes)?;
        let ct = keep(e, ct, &ty, &self.axes)?;
        let cotangent = e.binary(Op::MultiplyNoNan, ct, weights)?;
        out.give(0, cotangent);
        Ok(())
    }
}

/// Softmax over any number of axes: they become the rows of a matrix, and are put back.
fn softmax<E: Emit>(e: &mut E, x: E::V, shape: &Shape, axes: &[usize]) -> Result<E::V> {
    if let &[axis] = axes {
        return e.softmax(x, axis);
    }
    let kept = (0..shape.ndim()).filter(|k| !axes.contains(k));
    let order: Axes = kept.chain(axes.iter().copied()).collect();
    let turned: Shape = order.iter().map(|&k| shape[k]).collect();
    let (rows, columns) = turned.split_at(shape.ndim() - axes.len());
    let matrix = Shape::new(&[rows.iter().product(), columns.iter().product()]);
    let x = e.transpose(x, order.clone())?;
    let x = e.reshape(x, matrix)?;
    let weights = e.softmax(x, 1)?;
    let weights = e.reshape(weights, turned)?;
    e.transpose(weights, shape::inverse(&order))
}

impl Forward for ArgMax {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let axes: Axes = match self.axis {
            Some(axis) => Axes::from_slice(&[axis]),
            None => (0..x[0].shape.ndim()).collect(),
        };
        refuse_empty(ArgMax::NAME, x[0], &axes)?;
        Ok(Type::new(shape::reduced(&x[0].shape, &axes, false), DType::I64))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::reduce::argmax(x[0], self.axis, out)
    }
}
