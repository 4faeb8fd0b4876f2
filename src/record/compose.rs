//! The calls that both faces offer, on nodes: arguments are checked, and short
//! compositions are made of ops.

mod arrange;
mod assign;
mod contract;
mod einsum;
mod elementwise;
mod index;
mod linear;
mod masks;
mod network;
mod pad;
mod places;
mod statistics;
mod windows;

use super::arena::Arena;
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Operand, Result};
use crate::ops::affine::{Activation, Affine};
use crate::ops::convert::{Cast, Where};
use crate::ops::emit::{Arg, Args};
use crate::ops::fold::{Min, Prod};
use crate::ops::index::Concatenate;
use crate::ops::linalg::MatMul;
use crate::ops::reduce::{ArgMax, LogSumExp, Max, Mean, Sum};
use crate::ops::softmax::{LogSoftmax, Softmax, SoftmaxCrossEntropy};
use crate::ops::view::{BroadcastTo, Reshape, StopGradient, Transpose};
use crate::ops::{Op, Tag};
use crate::shape::{self, Axes, Shape};
pub(crate) use einsum::Expression;
pub(crate) use elementwise::Logical;
pub use index::{Index, NodeIndex};
pub(crate) use pad::Padding;
use smallvec::{SmallVec, smallvec};
pub(crate) use statistics::Running;
pub use windows::{Convolution, Margins, Pooling};

/// A reduction that takes axes and can keep them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reduction {
    Sum,
    Mean,
    Max,
    LogSumExp,
    Min,
    Prod,
}

impl Arena {
    #[expect(clippy::needless_pass_by_value, reason = "callers make the op in place")]
    fn one(&mut self, op: Op, x: u32, site: u32) -> Result<u32> {
        self.apply(&op, smallvec![Arg::Value(x)], site)
    }

    /// Adds the name and the place of operand 0 to an error about its shape.
    fn about<T>(&self, x: u32, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.explain(error, &[Arg::Value(x)]))
    }

    fn ndim(&self, x: u32) -> usize {
        self.ty(x).shape.ndim()
    }

    pub(crate) fn reduce(
        &mut self,
        reduction: Reduction,
        x: u32,
        axes: Option<&[isize]>,
        keepdims: bool,
        site: u32,
    ) -> Result<u32> {
        let name = match reduction {
            Reduction::Sum => Tag::Sum,
            Reduction::Mean => Tag::Mean,
            Reduction::Max => Tag::Max,
            Reduction::LogSumExp => Tag::LogSumExp,
            Reduction::Min => Tag::Min,
            Reduction::Prod => Tag::Prod,
        }
        .name();
        let axes = shape::axes(name, axes, self.ndim(x));
        let axes = self.about(x, axes)?;
        let op = match reduction {
            Reduction::Sum => Sum { axes, keepdims }.into(),
            Reduction::Mean => Mean { axes, keepdims }.into(),
            Reduction::Max => Max { axes, keepdims }.into(),
            Reduction::LogSumExp => LogSumExp { axes, keepdims }.into(),
            Reduction::Min => Min { axes, keepdims }.into(),
            Reduction::Prod => Prod { axes, keepdims }.into(),
        };
        self.one(op, x, site)
    }

    pub(crate) fn argmax(
        &mut self,
        x: u32,
        axis: Option<isize>,
        keepdims: bool,
        site: u32,
    ) -> Result<u32> {
        let from = self.ty(x).shape.clone();
        let axis = axis.map(|axis| shape::axis("argmax", axis, from.ndim()));
        let axis = self.about(x, axis.transpose())?;
        let y = self.one(ArgMax { axis }.into(), x, site)?;
        if !keepdims {
            return Ok(y);
        }
        let all: Axes = (0..from.ndim()).collect();
        let axes = axis.map_or(all, |axis| Axes::from_slice(&[axis]));
        let shape = shape::reduced(&from, &axes, true);
        self.one(Reshape { shape }.into(), y, site)
    }

    pub(crate) fn softmax(
        &mut self,
        x: u32,
        axis: isize,
        log: bool,
        site: u32,
    ) -> Result<u32> {
        let name = if log { Tag::LogSoftmax } else { Tag::Softmax }.name();
        let axis = shape::axis(name, axis, self.ndim(x));
        let axis = self.about(x, axis)?;
        let op = if log { LogSoftmax { axis }.into() } else { Softmax { axis }.into() };
        self.one(op, x, site)
    }

    pub(crate) fn softmax_cross_entropy(
        &mut self,
        logits: u32,
        labels: u32,
        site: u32,
    ) -> Result<u32> {
        let operands = smallvec![Arg::Value(logits), Arg::Value(labels)];
        self.apply(&SoftmaxCrossEntropy.into(), operands, site)
    }

    pub(crate) fn reshape(
        &mut self,
        x: u32,
        sizes: &[isize],
        site: u32,
    ) -> Result<u32> {
        let shape = shape::reshape("reshape", &self.ty(x).shape, sizes);
        let shape = self.about(x, shape)?;
        self.one(Reshape { shape }.into(), x, site)
    }

    pub(crate) fn transpose(
        &mut self,
        x: u32,
        axes: Option<&[isize]>,
        site: u32,
    ) -> Result<u32> {
        let axes = shape::permutation("transpose", axes, self.ndim(x));
        let axes = self.about(x, axes)?;
        self.one(Transpose { axes }.into(), x, site)
    }

    pub(crate) fn swapaxes(
        &mut self,
        x: u32,
        a: isize,
        b: isize,
        site: u32,
    ) -> Result<u32> {
        let ndim = self.ndim(x);
        let pair = shape::axis("swapaxes", a, ndim)
            .and_then(|a| Ok((a, shape::axis("swapaxes", b, ndim)?)));
        let (a, b) = self.about(x, pair)?;
        let mut axes: Axes = (0..ndim).collect();
        axes.swap(a, b);
        self.one(Transpose { axes }.into(), x, site)
    }

    /// Inserts axes of size 1 at positions of the result.
    pub(crate) fn expand_dims(
        &mut self,
        x: u32,
        axes: &[isize],
        site: u32,
    ) -> Result<u32> {
        let from = self.ty(x).shape.clone();
        let ndim = from.ndim() + axes.len();
        self.about(x, shape::check("expand_dims", &vec![1; ndim], DType::Bool))?;
        let axes = shape::axes("expand_dims", Some(axes), ndim);
        let axes = self.about(x, axes)?;
        let mut sizes = from.iter().copied();
        let shape: Shape = (0..ndim)
            .map(|k| if axes.contains(&k) { 1 } else { sizes.next().unwrap_or(1) })
            .collect();
        self.one(Reshape { shape }.into(), x, site)
    }

    /// Drops axes of size 1; `None` drops all of them.
    pub(crate) fn squeeze(
        &mut self,
        x: u32,
        axes: Option<&[isize]>,
        site: u32,
    ) -> Result<u32> {
        let from = self.ty(x).shape.clone();
        let axes: Axes = if axes.is_some() {
            let axes = shape::axes("squeeze", axes, from.ndim());
            self.about(x, axes)?
        } else {
            (0..from.ndim()).filter(|&k| from[k] == 1).collect()
        };
        if let Some(&axis) = axes.iter().find(|&&k| from[k] != 1) {
            let (operand, size) = (Operand::new(&from), from[axis]);
            let fault = Fault::Squeeze { op: "squeeze", operand, axis, size };
            return self.about(x, Err(Error::new(fault)));
        }
        let shape = shape::reduced(&from, &axes, false);
        self.one(Reshape { shape }.into(), x, site)
    }

    pub(crate) fn broadcast_to(
        &mut self,
        x: u32,
        shape: &[usize],
        site: u32,
    ) -> Result<u32> {
        let shape = shape::check("broadcast_to", shape, self.ty(x).dtype)?;
        self.one(BroadcastTo { shape }.into(), x, site)
    }

    pub(crate) fn concatenate(
        &mut self,
        parts: &[u32],
        axis: isize,
        site: u32,
    ) -> Result<u32> {
        let op = Tag::Concatenate.name();
        let Some(&first) = parts.first() else {
            return Err(Error::new(Fault::NoOperands { op }));
        };
        let axis = shape::axis(op, axis, self.ndim(first));
        let axis = self.about(first, axis)?;
        let operands: Args<u32> = parts.iter().copied().map(Arg::Value).collect();
        self.apply(&Concatenate { axis }.into(), operands, site)
    }

    pub(crate) fn stack(
        &mut self,
        parts: &[u32],
        axis: isize,
        site: u32,
    ) -> Result<u32> {
        let Some(&first) = parts.first() else {
            return Err(Error::new(Fault::NoOperands { op: "stack" }));
        };
        let axis = shape::axis("stack", axis, self.ndim(first) + 1);
        let axis = self.about(first, axis)?;
        let from = self.ty(first).shape.clone();
        if parts.iter().any(|&part| self.ty(part).shape != from) {
            let operands = parts.iter().map(|&part| &*self.ty(part).shape).collect();
            let operand = |&part: &u32| Arg::Value(part);
            let nodes: Args<u32> = parts.iter().map(operand).collect();
            return Err(self.explain(Error::new(Fault::Stack { operands }), &nodes));
        }
        let (before, after) = from.split_at(axis);
        let shape: Shape = before.iter().chain(&[1]).chain(after).copied().collect();
        let start = self.mark();
        let result = (|| {
            let mut rows: SmallVec<[u32; 8]> = SmallVec::new();
            for &part in parts {
                let shape = shape.clone();
                rows.push(self.one(Reshape { shape }.into(), part, site)?);
            }
            self.concatenate(&rows, axis.cast_signed(), site)
        })();
        self.keep_or_undo(&start, result).map_err(|error| error.called("stack"))
    }

    /// Takes back the nodes since `start` if the result is an error.
    pub(crate) fn keep_or_undo<T>(
        &mut self,
        start: &super::Mark,
        result: Result<T>,
    ) -> Result<T> {
        if result.is_err() {
            self.undo(start);
        }
        result
    }

    pub(crate) fn matmul(&mut self, a: u32, b: u32, site: u32) -> Result<u32> {
        self.apply(&MatMul.into(), smallvec![Arg::Value(a), Arg::Value(b)], site)
    }

    /// `activation(x @ weight + bias)`, in one op where it takes the operands.
    pub(crate) fn linear(
        &mut self,
        x: u32,
        weight: u32,
        bias: Option<u32>,
        activation: Option<Activation>,
        site: u32,
    ) -> Result<u32> {
        if let Some(bias) = bias
            && Affine::takes([x, weight, bias].map(|node| self.ty(node)))
        {
            let operands = [x, weight, bias].map(Arg::Value).into_iter().collect();
            return self.apply(&Affine { activation }.into(), operands, site);
        }
        self.composed("linear", |arena| {
            let mut y = arena.matmul(x, weight, site)?;
            if let Some(bias) = bias {
                y = arena.binary(&Op::Add, Arg::Value(y), Arg::Value(bias), site)?;
            }
            match activation {
                Some(activation) => arena.unary(&activation.op(), y, site),
                None => Ok(y),
            }
        })
    }

    pub(crate) fn power(&mut self, a: Arg<u32>, b: Arg<u32>, site: u32) -> Result<u32> {
        match (a, b) {
            // A multiplication is faster than a power, and exact.
            (Arg::Value(x), Arg::Number(Scalar::Int(2))) => {
                self.unary(&Op::Square, x, site)
            }
            (Arg::Value(x), Arg::Number(Scalar::Float(2.0)))
                if self.ty(x).dtype.is_float() =>
            {
                self.unary(&Op::Square, x, site)
            }
            _ => self.binary(&Op::Power, a, b, site),
        }
    }

    pub(crate) fn choose(
        &mut self,
        condition: u32,
        a: Arg<u32>,
        b: Arg<u32>,
        site: u32,
    ) -> Result<u32> {
        let start = self.mark();
        let result = self.typed_side(a, b, site).and_then(|a| {
            self.apply(&Where.into(), smallvec![Arg::Value(condition), a, b], site)
        });
        self.keep_or_undo(&start, result)
    }

    /// Of two numbers the first becomes a constant, with the type of both.
    fn typed_side(&mut self, a: Arg<u32>, b: Arg<u32>, site: u32) -> Result<Arg<u32>> {
        let (Arg::Number(x), Arg::Number(y)) = (a, b) else { return Ok(a) };
        let dtype = match (x, y) {
            (Scalar::Float(_), _) | (_, Scalar::Float(_)) => DType::F64,
            (Scalar::Int(_), _) | (_, Scalar::Int(_)) => DType::I64,
            _ => DType::Bool,
        };
        let array = NdArray::full(&[], x, dtype)?;
        Ok(Arg::Value(self.source(&Op::Constant, &array, None, site)?))
    }

    pub(crate) fn astype(&mut self, x: u32, dtype: DType, site: u32) -> Result<u32> {
        self.one(Cast { dtype }.into(), x, site)
    }

    pub(crate) fn stop_gradient(&mut self, x: u32, site: u32) -> Result<u32> {
        self.one(StopGradient.into(), x, site)
    }
}
