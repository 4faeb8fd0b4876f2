//! Reductions beyond sums and maxima: minima, products, lengths.

use super::convert::Where;
use super::declare::Entry;
use super::emit::{Arg, Cotangents, Emit, Node};
use super::index::Concatenate;
use super::reduce::{infer, keep, refuse_empty, share_among_ties};
use super::scan::CumProd;
use super::{Forward, Op, Rules};
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::Scalar;
use crate::error::Result;
use crate::kernels;
use crate::shape::{self, Axes, Shape, Span, Type};
use smallvec::smallvec;

/// Smallest element over axes; NaN if any is NaN. At ties the cotangent is split
/// equally.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Min {
    pub(crate) axes: Axes,
    pub(crate) keepdims: bool,
}

/// Product of the elements over axes; 1 over none. The gradient is right where
/// elements are 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Prod {
    pub(crate) axes: Axes,
    pub(crate) keepdims: bool,
}

/// Euclidean length over axes, `sqrt(sum(x * x))`. The gradient at 0 is 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Norm {
    pub(crate) axes: Axes,
    pub(crate) keepdims: bool,
}

impl Entry for Min {
    const NAME: &'static str = "min";
}
impl Entry for Prod {
    const NAME: &'static str = "prod";
}
impl Entry for Norm {
    const NAME: &'static str = "norm";
    const TAKES_INTEGERS: bool = false;
}

impl Forward for Min {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        refuse_empty(Min::NAME, x[0], &self.axes)?;
        Ok(infer(x[0], &self.axes, self.keepdims))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::reduce::min(x[0], &self.axes, out)
    }
}

impl Rules for Min {
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

impl Forward for Prod {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(infer(x[0], &self.axes, self.keepdims))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::reduce::prod(x[0], &self.axes, out)
    }
}

impl Rules for Prod {
    /// The slope of an element is the product of those before it and of those after
    /// it: a quotient would fail at zeros.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let ty = e.input_type(node, 0);
        let kept = (0..ty.shape.ndim()).filter(|k| !self.axes.contains(k));
        let order: Axes = kept.chain(self.axes.iter().copied()).collect();
        let moved: Shape = order.iter().map(|&k| ty.shape[k]).collect();
        let rows = shape::reduced(&ty.shape, &self.axes, false);
        let mut lines = rows.clone();
        lines.push(self.axes.iter().map(|&k| ty.shape[k]).product());
        let axis = rows.ndim();
        let x = e.input_value(node, 0)?;
        let x = e.transpose(x, order.clone())?;
        let x = e.reshape(x, lines.clone())?;
        let copy = e.dup(&x);
        let before = product_before(e, copy, axis)?;
        let backwards = flip(e, x, axis)?;
        let after = product_before(e, backwards, axis)?;
        let after = flip(e, after, axis)?;
        let others = e.multiply(before, after)?;
        let mut column = rows;
        column.push(1);
        let ct = e.reshape(ct, column)?;
        let cotangent = e.binary(Op::MultiplyNoNan, ct, others)?;
        let cotangent = e.reshape(cotangent, moved)?;
        let cotangent = e.transpose(cotangent, shape::inverse(&order))?;
        out.give(0, cotangent);
        Ok(())
    }
}

/// The elements along the last axis in reverse order.
fn flip<E: Emit>(e: &mut E, x: E::V, axis: usize) -> Result<E::V> {
    let shape = e.ty(&x).shape;
    let mut spans: super::index::Spans =
        shape.iter().map(|&n| Span::whole(n)).collect();
    if shape[axis] > 1 {
        spans[axis] = Span { start: shape[axis] - 1, step: -1, len: shape[axis] };
    }
    e.slice(x, spans)
}

/// For each element the product of those before it along the axis.
fn product_before<E: Emit>(e: &mut E, x: E::V, axis: usize) -> Result<E::V> {
    let products = e.unary(CumProd { axis }.into(), x)?;
    delayed(e, products, axis, 1.0)
}

/// The elements one place later along the axis, after a first one; the last is dropped.
pub(super) fn delayed<E: Emit>(
    e: &mut E,
    x: E::V,
    axis: usize,
    first: f64,
) -> Result<E::V> {
    let Type { shape, dtype } = e.ty(&x);
    if shape[axis] == 0 {
        return Ok(x);
    }
    let mut spans: super::index::Spans =
        shape.iter().map(|&n| Span::whole(n)).collect();
    spans[axis].len -= 1;
    let rest = e.slice(x, spans)?;
    let start: Shape =
        shape.iter().enumerate().map(|(k, &n)| if k == axis { 1 } else { n }).collect();
    let start = e.constant(NdArray::full(&start, Scalar::Float(first), dtype)?)?;
    let parts = smallvec![Arg::Value(start), Arg::Value(rest)];
    e.apply(Concatenate { axis }.into(), parts)
}

impl Forward for Norm {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(infer(x[0], &self.axes, self.keepdims))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::reduce::length(x[0], &self.axes, out)
    }
}

impl Rules for Norm {
    /// `x / y`, and 0 where `y` is 0.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let ty = e.input_type(node, 0);
        let x = e.input_value(node, 0)?;
        let y = e.output(node)?;
        let y = keep(e, y, &ty, &self.axes)?;
        let copy = e.dup(&y);
        let is_zero = e.binary(Op::Equal, copy, Arg::Number(Scalar::Float(0.0)))?;
        let again = e.dup(&is_zero);
        let [zero, one] = [0.0, 1.0].map(|x| NdArray::full(&[], x, ty.dtype));
        let (zero, one) = (e.constant(zero?)?, e.constant(one?)?);
        let operands = smallvec![Arg::Value(is_zero), Arg::Value(one), Arg::Value(y)];
        let divisor = e.apply(Where.into(), operands)?;
        let direction = e.binary(Op::Divide, x, divisor)?;
        let ct = keep(e, ct, &ty, &self.axes)?;
        // Without it the second derivative at 0 would be that of `x`.
        let operands = smallvec![Arg::Value(again), Arg::Value(zero), Arg::Value(ct)];
        let ct = e.apply(Where.into(), operands)?;
        let cotangent = e.binary(Op::MultiplyNoNan, ct, direction)?;
        out.give(0, cotangent);
        Ok(())
    }
}
