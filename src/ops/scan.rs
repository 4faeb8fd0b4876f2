//! Running sums and products along one axis.
//!
//! Their derivatives are recurrences `r[k] = b[k] + a[k] * r[k - 1]`, an op whose own
//! derivative is another: so products are right where elements are 0, to any order.

use super::declare::Entry;
use super::emit::{Arg, Cotangents, Emit, Node};
use super::fold::delayed;
use super::{Forward, Linear, Op, Rules};
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels;
use crate::shape::Type;
use smallvec::smallvec;

/// Sums of the elements along `axis` up to each place; in reverse, from it on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct CumSum {
    pub(crate) axis: usize,
    pub(crate) reverse: bool,
}

/// Products of the elements along `axis` up to each place.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct CumProd {
    pub(crate) axis: usize,
}

/// `log(cumsum(exp(x)))` along `axis`, without overflow.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct LogCumSumExp {
    pub(crate) axis: usize,
}

/// `r[k] = b[k] + a[k] * r[k - 1]` along `axis`; in reverse
/// `r[k] = b[k] + a[k + 1] * r[k + 1]`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Recurrence {
    pub(crate) axis: usize,
    pub(crate) reverse: bool,
}

impl Entry for CumSum {
    const NAME: &'static str = "cumsum";
}
impl Entry for CumProd {
    const NAME: &'static str = "cumprod";
}
impl Entry for LogCumSumExp {
    const NAME: &'static str = "logcumsumexp";
    const TAKES_INTEGERS: bool = false;
}
impl Entry for Recurrence {
    const NAME: &'static str = "recurrence";
    const ABOUT: &'static str = "\
        `r[k] = b[k] + a[k] * r[k - 1]` along an axis, of which the gradients of \
        products are made";
    const TAKES_INTEGERS: bool = false;
}

impl Forward for CumSum {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[0].clone())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::scan::cumsum(x[0], self.axis, self.reverse, out)
    }
}

impl Linear for CumSum {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        _: Node,
        _: usize,
        ct: E::V,
    ) -> Result<E::V> {
        e.unary(CumSum { axis: self.axis, reverse: !self.reverse }.into(), ct)
    }
}

impl Forward for CumProd {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[0].clone())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::scan::cumprod(x[0], self.axis, out)
    }
}

impl Rules for CumProd {
    /// `y[k - 1] * r[k]`, where `r[k] = ct[k] + x[k + 1] * r[k + 1]` sums what the
    /// later products say of the element, without those before it.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let axis = self.axis;
        let x = e.input_value(node, 0)?;
        let y = e.output(node)?;
        let later = e.binary(Recurrence { axis, reverse: true }.into(), x, ct)?;
        let before = delayed(e, y, axis, 1.0)?;
        let cotangent = e.multiply(before, later)?;
        out.give(0, cotangent);
        Ok(())
    }
}

impl Forward for LogCumSumExp {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[0].clone())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::scan::logcumsumexp(x[0], self.axis, out)
    }
}

impl Rules for LogCumSumExp {
    /// `exp(x[k] - y[k]) * r[k]`, where `r[k] = ct[k] + exp(y[k] - y[k + 1]) * r[k + 1]`:
    /// no exponential exceeds 1.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let axis = self.axis;
        let x = e.input_value(node, 0)?;
        let y = e.output(node)?;
        // Elements that are all -inf have no weight: the sum is taken to be above them.
        let dtype = e.ty(&y).dtype;
        let single = dtype == DType::F32;
        let lowest = if single { f64::from(f32::MIN) } else { f64::MIN };
        let lowest = e.constant(NdArray::full(&[], lowest, dtype)?)?;
        let y = e.binary(Op::ClipMin, y, lowest)?;
        let copy = e.dup(&y);
        // The first element stands for nothing: a reversed recurrence does not read it.
        let before = delayed(e, copy, axis, 0.0)?;
        let copy = e.dup(&y);
        let rate = exp_difference(e, before, copy)?;
        let sums = e.binary(Recurrence { axis, reverse: true }.into(), rate, ct)?;
        let weight = exp_difference(e, x, y)?;
        let cotangent = e.binary(Op::MultiplyNoNan, sums, weight)?;
        out.give(0, cotangent);
        Ok(())
    }
}

/// `exp(a - b)`, and 1 where `a` equals `b`: equal infinities have no difference.
fn exp_difference<E: Emit>(e: &mut E, a: E::V, b: E::V) -> Result<E::V> {
    let dtype = e.ty(&a).dtype;
    let (copy_a, copy_b) = (e.dup(&a), e.dup(&b));
    let equal = e.binary(Op::Equal, copy_a, copy_b)?;
    let difference = e.binary(Op::Subtract, a, b)?;
    let zero = e.constant(NdArray::zeros(&[], dtype)?)?;
    let operands =
        smallvec![Arg::Value(equal), Arg::Value(zero), Arg::Value(difference)];
    let difference = e.apply(super::convert::Where.into(), operands)?;
    e.unary(Op::Exp, difference)
}

impl Forward for Recurrence {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[1].clone())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::scan::recurrence(x[0], x[1], self.axis, self.reverse, out)
    }
}

impl Rules for Recurrence {
    /// Of `b` the transpose, `s`, which runs the other way; of `a[k]` the product of
    /// the two sequences where they meet: at `k - 1` of the one that ascends and at
    /// `k` of the one that descends.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let Recurrence { axis, reverse } = *self;
        let a = e.input_value(node, 0)?;
        let turned = Recurrence { axis, reverse: !reverse };
        let sums = e.binary(turned.into(), a, ct)?;
        if out.wants(0) {
            let (y, copy) = (e.output(node)?, e.dup(&sums));
            let (up, down) = if reverse { (copy, y) } else { (y, copy) };
            let up = delayed(e, up, axis, 0.0)?;
            let cotangent = e.multiply(up, down)?;
            out.give(0, cotangent);
        }
        if out.wants(1) {
            out.give(1, sums);
        }
        Ok(())
    }
}
