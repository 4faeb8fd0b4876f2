//! Parts of arrays: slices, gathers, and what puts them together again.

use super::convert::Where;
use super::declare::Entry;
use super::emit::{Arg, Args, Emit, Node};
use super::scan::CumSum;
use super::{Forward, Linear, Op};
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Result};
use crate::kernels;
use crate::shape::{self, Shape, Span, Strides, Type};
use smallvec::{SmallVec, smallvec};

/// One span of every axis.
pub(crate) type Spans = SmallVec<[Span; 4]>;

/// The elements that one span of every axis selects. It copies nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Slice {
    pub(crate) spans: Spans,
}

/// Zeros of `shape` with the operand where `spans` select: the transpose of a slice.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Embed {
    pub(crate) shape: Shape,
    pub(crate) spans: Spans,
}

/// `x[i, j, ...]` for integer arrays of one shape that index the leading axes.
///
/// Negative indices count from the end. An index may occur many times; the gradients
/// of its occurrences add up, in the order of the positions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Gather;

/// Zeros of `shape`, to which the operand's parts are added at the places that integer
/// arrays name: the transpose of a gather.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ScatterAdd {
    pub(crate) shape: Shape,
}

/// The first operand with the second, which broadcasts, where `spans` select.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Assign {
    pub(crate) spans: Spans,
}

/// The first operand with the second, which broadcasts, where integer arrays of one
/// shape index the leading axes.
///
/// If an index occurs several times, what belongs to its last occurrence stays; the
/// others have no influence, and a gradient of 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Put;

/// The operands behind one another along an axis.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Concatenate {
    pub(crate) axis: usize,
}

impl Entry for Slice {
    const NAME: &'static str = "slice";
    const ABOUT: &'static str =
        "the elements that integers and slices select, as `x[1:, ::2]`";
}
impl Entry for Embed {
    const NAME: &'static str = "embed";
    const ABOUT: &'static str = "\
        zeros with the operand where integers and slices select: the transpose of \
        `slice`";
}
impl Entry for Gather {
    const NAME: &'static str = "gather";
    const ABOUT: &'static str =
        "the elements at the positions that integer arrays name, as `x[i, j]`";
}
impl Entry for ScatterAdd {
    const NAME: &'static str = "scatter_add";
    const ABOUT: &'static str = "\
        zeros to which elements are added at the positions that integer arrays name: \
        the transpose of `gather`";
}
impl Entry for Assign {
    const NAME: &'static str = "assign";
    const ABOUT: &'static str =
        "`x` with values where integers and slices select, as `x[1:] = v`";
}
impl Entry for Put {
    const NAME: &'static str = "put";
    const ABOUT: &'static str =
        "`x` with values at the positions that integer arrays name, as `x[i, j] = v`";
}
impl Entry for Concatenate {
    const NAME: &'static str = "concatenate";
}

impl Forward for Slice {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(Type::new(self.spans.iter().map(|s| s.len).collect(), x[0].dtype))
    }

    fn alias(&self, x: &View<'_>) -> Option<(isize, Strides)> {
        let strides = x.strides();
        let with_spans = || strides.iter().zip(&self.spans);
        let offset =
            with_spans().map(|(stride, s)| stride * s.start.cast_signed()).sum();
        Some((offset, with_spans().map(|(stride, s)| stride * s.step).collect()))
    }

    fn eval(&self, _: &[View<'_>], _: ViewMut<'_>) -> Result<()> {
        unreachable!("a slice is always an alias")
    }
}

impl Linear for Slice {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let shape = e.input_type(node, k).shape;
        e.unary(Embed { shape, spans: self.spans.clone() }.into(), ct)
    }
}

impl Forward for Embed {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(Type::new(self.shape.clone(), x[0].dtype))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::gather::embed(x[0], &self.spans, out)
    }
}

impl Linear for Embed {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        _: Node,
        _: usize,
        ct: E::V,
    ) -> Result<E::V> {
        e.slice(ct, self.spans.clone())
    }
}

impl Forward for Gather {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let (data, indices) = (x[0], &x[1..]);
        let rest = &data.shape[indices.len()..];
        let shape: Shape = indices[0].shape.iter().chain(rest).copied().collect();
        Ok(Type::new(shape::check(Gather::NAME, &shape, data.dtype)?, data.dtype))
    }

    fn check(&self, x: &[View<'_>]) -> Result<()> {
        for (indices, &limit) in x[1..].iter().zip(x[0].shape()) {
            kernels::gather::check(Gather::NAME, *indices, limit)?;
        }
        Ok(())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::gather::gather(x[0], &x[1..], out)
    }
}

/// Operands, and behind them those of the node from the given one on: its indices.
fn with_indices<E: Emit, const N: usize>(
    e: &mut E,
    node: Node,
    operands: [E::V; N],
    first: usize,
) -> Result<Args<E::V>> {
    let mut operands: Args<E::V> = operands.into_iter().map(Arg::Value).collect();
    for k in first..e.operand_count(node) {
        operands.push(Arg::Value(e.input_value(node, k)?));
    }
    Ok(operands)
}

impl Linear for Gather {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let shape = e.input_type(node, k).shape;
        let operands = with_indices(e, node, [ct], 1)?;
        e.apply(ScatterAdd { shape }.into(), operands)
    }
}

impl Forward for ScatterAdd {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(Type::new(self.shape.clone(), x[0].dtype))
    }

    fn check(&self, x: &[View<'_>]) -> Result<()> {
        for (indices, &limit) in x[1..].iter().zip(self.shape.iter()) {
            kernels::gather::check(ScatterAdd::NAME, *indices, limit)?;
        }
        Ok(())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::gather::scatter(x[0], &x[1..], out)
    }
}

impl Linear for ScatterAdd {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        _: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let operands = with_indices(e, node, [ct], 1)?;
        e.apply(Gather.into(), operands)
    }
}

impl Forward for Assign {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[0].clone())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::gather::assign(x[0], x[1], &self.spans, out)
    }
}

/// A zero to put into a cotangent.
fn zero<E: Emit>(e: &mut E, dtype: DType) -> Result<E::V> {
    e.constant(NdArray::zeros(&[], dtype)?)
}

impl Linear for Assign {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        _: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        if k == 1 {
            return e.slice(ct, self.spans.clone());
        }
        let zero = zero(e, e.ty(&ct).dtype)?;
        e.binary(self.clone().into(), ct, zero)
    }
}

impl Forward for Put {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        Ok(x[0].clone())
    }

    fn check(&self, x: &[View<'_>]) -> Result<()> {
        for (indices, &limit) in x[2..].iter().zip(x[0].shape()) {
            kernels::gather::check(Put::NAME, *indices, limit)?;
        }
        Ok(())
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::gather::put(x[0], x[1], &x[2..], out)
    }
}

impl Linear for Put {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        if k == 0 {
            let zero = zero(e, e.ty(&ct).dtype)?;
            let operands = with_indices(e, node, [ct, zero], 2)?;
            return e.apply(Put.into(), operands);
        }
        let stays = stays(e, node)?;
        let operands = with_indices(e, node, [ct], 2)?;
        let taken = e.apply(Gather.into(), operands)?;
        let zero = Arg::Number(Scalar::Float(0.0));
        e.apply(Where.into(), smallvec![Arg::Value(stays), Arg::Value(taken), zero])
    }
}

/// Whether what belongs to each index of a put stays, with an axis of size 1 for each
/// that is not indexed: the occurrences put their numbers, and look which are there.
fn stays<E: Emit>(e: &mut E, node: Node) -> Result<E::V> {
    let shape = e.input_type(node, 2).shape;
    let sizes = e.input_type(node, 0).shape;
    let (sizes, rest) = sizes.split_at(e.operand_count(node) - 2);
    let ones = e.constant(NdArray::full(&[shape.len()], 1_i64, DType::I64)?)?;
    let numbers = e.unary(CumSum { axis: 0, reverse: false }.into(), ones)?;
    let numbers = e.reshape(numbers, shape.clone())?;
    let nobody = e.constant(NdArray::zeros(sizes, DType::I64)?)?;
    let copy = e.dup(&numbers);
    let operands = with_indices(e, node, [nobody, copy], 2)?;
    let owners = e.apply(Put.into(), operands)?;
    let operands = with_indices(e, node, [owners], 2)?;
    let owners = e.apply(Gather.into(), operands)?;
    let stays = e.binary(Op::Equal, owners, numbers)?;
    let shape = shape.iter().copied().chain(rest.iter().map(|_| 1)).collect();
    e.reshape(stays, shape)
}

impl Forward for Concatenate {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let (op, axis) = (Concatenate::NAME, self.axis);
        let mut sizes: SmallVec<[usize; 4]> = SmallVec::from_slice(&x[0].shape);
        sizes[axis] = 0;
        for part in x {
            let mut others = sizes.iter().zip(part.shape.iter()).enumerate();
            let fits = part.shape.ndim() == sizes.len()
                && others.all(|(k, (a, b))| k == axis || a == b);
            if !fits {
                let operands = x.iter().map(|part| &*part.shape).collect();
                return Err(Error::new(Fault::Concatenate { op, axis, operands }));
            }
            sizes[axis] = sizes[axis].saturating_add(part.shape[axis]);
        }
        Ok(Type::new(shape::check(op, &sizes, x[0].dtype)?, x[0].dtype))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::gather::concatenate(x, self.axis, out)
    }
}

impl Linear for Concatenate {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let before = (0..k).map(|i| e.input_type(node, i).shape[self.axis]).sum();
        let shape = e.input_type(node, k).shape;
        let mut spans: Spans = shape.iter().map(|&n| Span::whole(n)).collect();
        spans[self.axis].start = before;
        e.slice(ct, spans)
    }
}
