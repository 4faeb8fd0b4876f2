//! Parts of arrays: slices, gathers, and what puts them together again.

use super::declare::Entry;
use super::emit::{Emit, Node};
use super::{Forward, Linear};
use crate::array::{View, ViewMut};
use crate::error::{Error, Fault, Result};
use crate::kernels;
use crate::shape::{self, Shape, Span, Strides, Type};
use smallvec::{SmallVec, smallvec};

use super::emit::Arg;

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

/// The operands behind one another along an axis.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Concatenate {
    pub(crate) axis: usize,
}

impl Entry for Slice {
    const NAME: &'static str = "slice";
}
impl Entry for Embed {
    const NAME: &'static str = "embed";
}
impl Entry for Gather {
    const NAME: &'static str = "gather";
}
impl Entry for ScatterAdd {
    const NAME: &'static str = "scatter_add";
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

/// The indices of a gather or scatter, as operands of its transpose.
fn with_indices<E: Emit>(
    e: &mut E,
    node: Node,
    ct: E::V,
) -> Result<super::emit::Args<E::V>> {
    let mut operands = smallvec![Arg::Value(ct)];
    for k in 1..e.operand_count(node) {
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
        let operands = with_indices(e, node, ct)?;
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
        let operands = with_indices(e, node, ct)?;
        e.apply(Gather.into(), operands)
    }
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
