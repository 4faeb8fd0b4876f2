//! Runs kernels at once. Values are arrays; the last handle to one is reused in place.

use crate::array::{Fresh, NdArray, View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels;
use crate::kernels::map::Mode;
use crate::ops::declare::Entry;
use crate::ops::emit::{Arg, Args, Emit, Node};
use crate::ops::linalg::MatMul;
use crate::ops::view::Reshape;
use crate::ops::{Forward, Op, Tier};
use crate::record::Arena;
use crate::shape::{Shape, Type};
use smallvec::SmallVec;

/// Evaluates rules over the values of a record.
pub(crate) struct Eager<'a> {
    pub(crate) arena: &'a Arena,
}

impl Eager<'_> {
    /// The type of the result of an op.
    fn infer(op: &Op, operands: &Args<NdArray>) -> Result<Type> {
        let typed = |x: &Arg<NdArray>| match x {
            Arg::Value(array) => Some(array.ty()),
            Arg::Number(_) => None,
        };
        let dtype =
            operands.iter().rev().find_map(typed).map_or(DType::F64, |t| t.dtype);
        let number = || Type::new(Shape::scalar(), dtype);
        let types: SmallVec<[Type; 3]> =
            operands.iter().map(|x| typed(x).unwrap_or_else(number)).collect();
        op.infer(&types.iter().collect::<SmallVec<[&Type; 3]>>())
    }
}

/// Runs `f` on what a kernel reads of the operands.
fn with_views<R>(operands: &Args<NdArray>, f: impl FnOnce(&[View<'_>]) -> R) -> R {
    let typed = |x: &Arg<NdArray>| match x {
        Arg::Value(array) => Some(array.dtype()),
        Arg::Number(_) => None,
    };
    let dtype = operands.iter().rev().find_map(typed).unwrap_or(DType::F64);
    let bits = |x: &Arg<NdArray>| match x {
        Arg::Value(_) => 0,
        Arg::Number(number) => number.to_bits(dtype),
    };
    let words: SmallVec<[u64; 3]> = operands.iter().map(bits).collect();
    let views: SmallVec<[View<'_>; 3]> = operands
        .iter()
        .zip(&words)
        .map(|(x, word)| match x {
            Arg::Value(array) => array.view(),
            Arg::Number(_) => View::of_word(word, dtype),
        })
        .collect();
    f(&views)
}

/// The position of an operand whose memory the result may take over.
fn replaceable(op: &Op, operands: &mut Args<NdArray>, ty: &Type) -> Option<usize> {
    if !matches!(op.tag().tier(), Tier::Unary | Tier::Binary) {
        return None;
    }
    operands.iter_mut().position(|x| match x {
        Arg::Value(array) => {
            array.dtype() == ty.dtype
                && array.shape() == &*ty.shape
                && array.exclusive().is_some()
        }
        Arg::Number(_) => false,
    })
}

impl Emit for Eager<'_> {
    type V = NdArray;

    fn dup(&mut self, v: &NdArray) -> NdArray {
        v.clone()
    }

    fn ty(&self, v: &NdArray) -> Type {
        v.ty()
    }

    fn input(&mut self, node: Node, k: usize) -> Result<Arg<NdArray>> {
        Ok(match self.arena.operand(node.index, k) {
            Arg::Value(operand) => Arg::Value(self.arena.data(operand)?),
            Arg::Number(number) => Arg::Number(number),
        })
    }

    fn input_number(&self, node: Node, k: usize) -> Option<Scalar> {
        self.arena.operand(node.index, k).number()
    }

    fn input_type(&self, node: Node, k: usize) -> Type {
        self.arena.operand_type(node.index, k)
    }

    fn operand_count(&self, node: Node) -> usize {
        self.arena.operand_count(node.index)
    }

    fn output(&mut self, node: Node) -> Result<NdArray> {
        self.arena.data(node.index)
    }

    fn constant(&mut self, array: NdArray) -> Result<NdArray> {
        Ok(array)
    }

    fn apply(&mut self, op: Op, mut operands: Args<NdArray>) -> Result<NdArray> {
        let ty = Eager::infer(&op, &operands)?;
        if let Some(Arg::Value(x)) = operands.first()
            && let Some((offset, strides)) = op.alias(&x.view())
        {
            let size = x.dtype().size().cast_signed();
            let first = x.first().wrapping_offset(offset * size);
            // SAFETY: an alias reaches only elements of its operand.
            return Ok(unsafe {
                NdArray::from_raw(x.buffer().clone(), first, ty, strides)
            });
        }
        if let Some(k) = replaceable(&op, &mut operands, &ty) {
            let Arg::Value(array) = &operands[k] else { unreachable!("k is an array") };
            let shared = array.clone();
            with_views(&operands, |views| {
                // SAFETY: the memory is read only by this op, element for element.
                let out = unsafe {
                    ViewMut::from_raw(shared.first().cast_mut(), &ty.shape, ty.dtype)
                };
                op.map(views, out, Mode::Overwrite)
            })?;
            return Ok(shared);
        }
        let mut out = Fresh::new(op.tag().name(), ty)?;
        with_views(&operands, |views| {
            op.check(views)?;
            op.eval(views, out.view())
        })?;
        // SAFETY: `eval` wrote every element.
        Ok(unsafe { out.assume_init() })
    }

    // The rules of small networks spend most of their time here: what only shows an array
    // another way makes no op.

    fn swap_last(&mut self, x: NdArray) -> Result<NdArray> {
        let ndim = x.ndim();
        Ok(x.swapped(ndim - 2, ndim - 1))
    }

    fn reshape(&mut self, x: NdArray, shape: Shape) -> Result<NdArray> {
        if *x.shape() == *shape {
            return Ok(x);
        }
        if x.is_contiguous() && x.len() == shape.len() {
            return Ok(x.contiguous_as(shape));
        }
        self.unary(Reshape { shape }.into(), x)
    }

    fn matmul(&mut self, a: NdArray, b: NdArray) -> Result<NdArray> {
        let mut out = Fresh::new(MatMul::NAME, MatMul.infer(&[&a.ty(), &b.ty()])?)?;
        MatMul.eval(&[a.view(), b.view()], out.view())?;
        // SAFETY: `eval` wrote every element.
        Ok(unsafe { out.assume_init() })
    }

    fn pull_by_value(
        &mut self,
        op: &Op,
        node: Node,
        mut ct: NdArray,
    ) -> Result<NdArray> {
        let y = self.arena.view(node.index);
        if ct.exclusive().is_some() {
            let ty = ct.ty();
            // SAFETY: nothing else holds the memory, and the loop reads each cotangent
            // before it writes there.
            let out = unsafe {
                ViewMut::from_raw(ct.first().cast_mut(), &ty.shape, ty.dtype)
            };
            op.pull(0, ct.view(), &[y], y, out, Mode::Overwrite)?;
            return Ok(ct);
        }
        let mut out = Fresh::new("grad", ct.ty())?;
        op.pull(0, ct.view(), &[y], y, out.view(), Mode::Write)?;
        // SAFETY: the loop wrote every element.
        Ok(unsafe { out.assume_init() })
    }

    fn pull_cross_entropy(
        &mut self,
        logits: NdArray,
        labels: NdArray,
        ct: NdArray,
    ) -> Result<NdArray> {
        let axis = logits.ndim() - 1;
        let mut slope = self.softmax(logits, axis)?;
        let out = slope.exclusive().expect("the softmax is a fresh array");
        kernels::labels::less_one_hot_times(labels.view(), ct.view(), out)?;
        Ok(slope)
    }
}
