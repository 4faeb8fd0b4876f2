//! A layer in one op: a matrix product, a bias and an activation.

use super::declare::{Entry, Guards};
use super::elementwise::{Relu, Sigmoid, Tanh};
use super::emit::{Cotangents, Emit, Node};
use super::linalg::MatMul;
use super::{Forward, Op, Rules};
use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::guard::Guarded;
use crate::kernels::map::{Lane, Map, Mode, map};
use crate::shape::{self, Axes, Shape, Type};
use std::marker::PhantomData;

/// An elementwise function whose slope its value tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

impl Activation {
    /// The op that it is when it stands alone.
    pub(crate) fn op(self) -> Op {
        match self {
            Activation::Relu => Op::Relu,
            Activation::Tanh => Op::Tanh,
            Activation::Sigmoid => Op::Sigmoid,
        }
    }
}

/// `activation(x @ weight + bias)`: bit for bit the value that the three ops give one by
/// one.
///
/// The shapes are `(..., k)`, `(k, n)` and `(n,)`, of floats. The derivative reads the
/// result where the ops one by one would keep two values more.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Affine {
    pub(crate) activation: Option<Activation>,
}

impl Entry for Affine {
    const NAME: &'static str = "linear";
}

impl Affine {
    /// Whether the op takes operands of these types as they are.
    pub(crate) fn takes([x, weight, bias]: [&Type; 3]) -> bool {
        let (rows, columns) = (&x.shape, &weight.shape);
        [x, weight, bias].iter().all(|ty| ty.dtype.is_float())
            && rows.ndim() >= 1
            && columns.ndim() == 2
            && rows.last() == columns.first()
            && *bias.shape == [columns[1]]
    }
}

/// `(..., k)` as `(rows, k)`.
fn as_rows(shape: &[usize]) -> Shape {
    match shape {
        [outer @ .., last] => Shape::new(&[outer.iter().product(), *last]),
        [] => Shape::new(&[1, 1]),
    }
}

/// An activation of the sum of two operands.
struct OfSum<A>(PhantomData<A>);

impl<A, T> Map<T, 2> for OfSum<A>
where
    Guards<A>: Map<T, 1, Output = T>,
    T: Lane,
{
    type Output = T;
    const DEAR: bool = <Guards<A> as Map<T, 1>>::DEAR;
    #[inline(always)]
    fn at<const FMA: bool>([x, bias]: [T; 2]) -> T {
        Guards::<A>::at::<FMA>([x.plus(bias)])
    }
    #[inline(always)]
    fn guarded<const FMA: bool>([x, bias]: [T; 2]) -> Guarded<T, T::Flag> {
        Guards::<A>::guarded::<FMA>([x.plus(bias)])
    }
}

/// Writes `A` of the sums of `x`, which is broadcast to `out`.
fn of_sum<A>(x: [View<'_>; 2], out: ViewMut<'_>) -> Result<()>
where
    Guards<A>: Map<f32, 1, Output = f32> + Map<f64, 1, Output = f64>,
{
    match out.dtype() {
        DType::F32 => map::<OfSum<A>, f32, 2>(x, out, Mode::Overwrite),
        DType::F64 => map::<OfSum<A>, f64, 2>(x, out, Mode::Overwrite),
        DType::I64 | DType::Bool => unreachable!("{} takes floats", Affine::NAME),
    }
}

impl Forward for Affine {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let product = MatMul.infer(&x[..2])?;
        let shape = shape::broadcast(Self::NAME, &[&product.shape, &x[2].shape])?;
        Ok(Type::new(shape, product.dtype))
    }

    fn eval(&self, x: &[View<'_>], mut out: ViewMut<'_>) -> Result<()> {
        MatMul.eval(&x[..2], out.reborrow())?;
        let (shape, dtype) = (out.shape(), out.dtype());
        // SAFETY: the product is there; each element is read before its result is
        // written.
        let product = unsafe { View::from_raw(out.first_mut(), shape, None, dtype) };
        let sum = [product, x[2]];
        match self.activation {
            None => Op::Add.map(&sum, out, Mode::Overwrite),
            Some(Activation::Relu) => of_sum::<Relu>(sum, out),
            Some(Activation::Tanh) => of_sum::<Tanh>(sum, out),
            Some(Activation::Sigmoid) => of_sum::<Sigmoid>(sum, out),
        }
    }
}

impl Rules for Affine {
    /// With `z`, the cotangent of what the activation is applied to: `z @ weight.T`,
    /// `x.T @ z`, and the sum of the rows of `z`.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let shape = e.ty(&ct).shape;
        let z = match self.activation {
            Some(activation) => e.pull_by_value(&activation.op(), node, ct)?,
            None => ct,
        };
        if out.wants(2) {
            let rows = e.dup(&z);
            let axes: Axes = (0..shape.ndim() - 1).collect();
            let sum = e.sum(rows, axes, false)?;
            out.give(2, sum);
        }
        let z = e.reshape(z, as_rows(&shape))?;
        if out.wants(1) {
            let x = e.input_value(node, 0)?;
            let x = e.reshape(x, as_rows(&e.input_type(node, 0).shape))?;
            let columns = e.swap_last(x)?;
            let rows = e.dup(&z);
            let product = e.matmul(columns, rows)?;
            out.give(1, product);
        }
        if out.wants(0) {
            let weight = e.input_value(node, 1)?;
            let weight = e.swap_last(weight)?;
            let product = e.matmul(z, weight)?;
            let product = e.reshape(product, e.input_type(node, 0).shape)?;
            out.give(0, product);
        }
        Ok(())
    }
}
