//! Reductions and running sums that are compositions, and order along an axis.

use super::{Arena, Reduction};
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Operand, Result};
use crate::kernels;
use crate::ops::along::{ArgSort, TakeAlongAxis};
use crate::ops::convert::Cast;
use crate::ops::emit::Arg;
use crate::ops::fold::Norm;
use crate::ops::index::{ScatterAdd, Slice, Spans};
use crate::ops::reduce::refuse_empty;
use crate::ops::scan::{CumProd, CumSum, LogCumSumExp};
use crate::ops::view::{BroadcastTo, Reshape, Transpose};
use crate::ops::{Op, Tag};
use crate::shape::{self, Axes, Shape, Span};
use crate::stop;
use smallvec::smallvec;

/// A running reduction along one axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Running {
    Sum,
    Product,
    LogSumExp,
}

impl Running {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Running::Sum => Tag::CumSum,
            Running::Product => Tag::CumProd,
            Running::LogSumExp => Tag::LogCumSumExp,
        }
        .name()
    }
}

fn float(x: f64) -> Arg<u32> {
    Arg::Number(Scalar::Float(x))
}

impl Arena {
    /// The elements in C order along one axis.
    pub(super) fn flattened(&mut self, x: u32, site: u32) -> Result<u32> {
        let from = &self.ty(x).shape;
        if from.ndim() == 1 {
            return Ok(x);
        }
        let shape = Shape::new(&[from.len()]);
        self.one(Reshape { shape }.into(), x, site)
    }

    /// The operand and the axis that `axis` names; `None` flattens.
    pub(super) fn along(
        &mut self,
        op: &'static str,
        x: u32,
        axis: Option<isize>,
        site: u32,
    ) -> Result<(u32, usize)> {
        match axis {
            None => Ok((self.flattened(x, site)?, 0)),
            Some(axis) => {
                let axis = shape::axis(op, axis, self.ndim(x));
                Ok((x, self.about(x, axis)?))
            }
        }
    }

    pub(crate) fn running(
        &mut self,
        running: Running,
        x: u32,
        axis: Option<isize>,
        site: u32,
    ) -> Result<u32> {
        self.composed(running.name(), |arena| {
            let (x, axis) = arena.along(running.name(), x, axis, site)?;
            let op = match running {
                Running::Sum => CumSum { axis, reverse: false }.into(),
                Running::Product => CumProd { axis }.into(),
                Running::LogSumExp => LogCumSumExp { axis }.into(),
            };
            arena.one(op, x, site)
        })
    }

    /// The number of elements over axes that differ from 0.
    pub(crate) fn count_nonzero(
        &mut self,
        x: u32,
        axes: Option<&[isize]>,
        keepdims: bool,
        site: u32,
    ) -> Result<u32> {
        self.composed("count_nonzero", |arena| {
            let x = arena.one(Cast { dtype: DType::Bool }.into(), x, site)?;
            arena.reduce(Reduction::Sum, x, axes, keepdims, site)
        })
    }

    /// Whether any element over axes differs from 0; with `all` whether all do.
    pub(crate) fn any(
        &mut self,
        x: u32,
        axes: Option<&[isize]>,
        keepdims: bool,
        all: bool,
        site: u32,
    ) -> Result<u32> {
        let name = if all { "all" } else { "any" };
        self.composed(name, |arena| {
            let named = shape::axes(name, axes, arena.ndim(x));
            let named = arena.about(x, named)?;
            let size: usize = named.iter().map(|&k| arena.ty(x).shape[k]).product();
            let count = arena.count_nonzero(x, axes, keepdims, site)?;
            let (op, limit) = if all { (Op::Equal, size) } else { (Op::Greater, 0) };
            let limit = Arg::Number(Scalar::Int(limit.cast_signed() as i64));
            arena.binary(&op, Arg::Value(count), limit, site)
        })
    }

    /// The first maximum of what reverses the order: negation, and for integers, whose
    /// lowest has no negative, inversion of the bits.
    pub(crate) fn argmin(
        &mut self,
        x: u32,
        axis: Option<isize>,
        keepdims: bool,
        site: u32,
    ) -> Result<u32> {
        let ty = self.ty(x);
        let axes = axis.map_or((0..ty.shape.ndim()).collect(), |axis| {
            shape::axis("argmin", axis, ty.shape.ndim()).into_iter().collect::<Axes>()
        });
        let checked = refuse_empty("argmin", ty, &axes);
        let reversed = if ty.dtype.is_float() { Op::Negative } else { Op::BitwiseNot };
        self.about(x, checked)?;
        self.composed("argmin", |arena| {
            let reversed = arena.unary(&reversed, x, site)?;
            arena.argmax(reversed, axis, keepdims, site)
        })
    }

    /// The deviations from the mean over axes, and the number of elements of each mean.
    pub(super) fn deviations(
        &mut self,
        op: &'static str,
        x: u32,
        axes: Option<&[isize]>,
        site: u32,
    ) -> Result<(u32, f64)> {
        let named = shape::axes(op, axes, self.ndim(x));
        let named = self.about(x, named)?;
        let count: usize = named.iter().map(|&k| self.ty(x).shape[k]).product();
        let mean = self.reduce(Reduction::Mean, x, axes, true, site)?;
        let apart =
            self.binary(&Op::Subtract, Arg::Value(x), Arg::Value(mean), site)?;
        Ok((apart, count as f64))
    }

    /// The variance over axes: the sum of squares divided by the count less `ddof`.
    pub(crate) fn var(
        &mut self,
        x: u32,
        axes: Option<&[isize]>,
        ddof: f64,
        keepdims: bool,
        site: u32,
    ) -> Result<u32> {
        self.composed("var", |arena| {
            let (apart, count) = arena.deviations("var", x, axes, site)?;
            let squares = arena.unary(&Op::Square, apart, site)?;
            let mean = arena.reduce(Reduction::Mean, squares, axes, keepdims, site)?;
            if ddof == 0.0 {
                return Ok(mean);
            }
            let scale = float(count / (count - ddof).max(0.0));
            arena.binary(&Op::Multiply, Arg::Value(mean), scale, site)
        })
    }

    /// The standard deviation over axes, as a length: its gradient at 0 is 0.
    pub(crate) fn std(
        &mut self,
        x: u32,
        axes: Option<&[isize]>,
        ddof: f64,
        keepdims: bool,
        site: u32,
    ) -> Result<u32> {
        self.composed("std", |arena| {
            let (apart, count) = arena.deviations("std", x, axes, site)?;
            let length = arena.norm(apart, 2.0, axes, keepdims, site)?;
            let root = float((count - ddof).max(0.0).sqrt());
            arena.binary(&Op::Divide, Arg::Value(length), root, site)
        })
    }

    /// The norm of order `order` of the vectors over axes.
    pub(crate) fn norm(
        &mut self,
        x: u32,
        order: f64,
        axes: Option<&[isize]>,
        keepdims: bool,
        site: u32,
    ) -> Result<u32> {
        let named = shape::axes("norm", axes, self.ndim(x));
        let named = self.about(x, named)?;
        #[expect(clippy::float_cmp, reason = "only 2 itself has an op")]
        if order == 2.0 {
            return self.one(Norm { axes: named, keepdims }.into(), x, site);
        }
        let count: usize = named.iter().map(|&k| self.ty(x).shape[k]).product();
        if count == 0 && order == f64::NEG_INFINITY {
            let operand = Operand::new(&self.ty(x).shape);
            let fault = Fault::EmptyReduction { op: "norm", operand };
            return self.about(x, Err(Error::new(fault)));
        }
        self.composed("norm", |arena| {
            let mut x = x;
            if !arena.ty(x).dtype.is_float() {
                x = arena.one(Cast { dtype: DType::F64 }.into(), x, site)?;
            }
            let dtype = arena.ty(x).dtype;
            if order == 0.0 {
                let count = arena.count_nonzero(x, axes, keepdims, site)?;
                return arena.one(Cast { dtype }.into(), count, site);
            }
            let sizes = arena.unary(&Op::Abs, x, site)?;
            let plain = match order {
                1.0 => Some(Reduction::Sum),
                f64::INFINITY if count == 0 => Some(Reduction::Sum),
                f64::INFINITY => Some(Reduction::Max),
                f64::NEG_INFINITY => Some(Reduction::Min),
                _ => None,
            };
            if let Some(reduction) = plain {
                return arena.reduce(reduction, sizes, axes, keepdims, site);
            }
            // Zeros stay out of the powers, whose slopes there may be infinite.
            let at_zero = if order > 0.0 { 0.0 } else { f64::INFINITY };
            let powers = arena.power_but_at_zero(sizes, order, at_zero, site)?;
            let root = 1.0 / order;
            // The mean of f32 is taken in f64; of nothing there is none.
            let (reduction, scale) = match count {
                0 => (Reduction::Sum, 1.0),
                _ => (Reduction::Mean, (count as f64).powf(root)),
            };
            let mean = arena.reduce(reduction, powers, axes, keepdims, site)?;
            let mean = arena.power_but_at_zero(mean, root, at_zero, site)?;
            arena.binary(&Op::Multiply, Arg::Value(mean), float(scale), site)
        })
    }

    /// `x` to a power, and `at_zero` with no gradient where `x` is 0.
    fn power_but_at_zero(
        &mut self,
        x: u32,
        exponent: f64,
        at_zero: f64,
        site: u32,
    ) -> Result<u32> {
        let zero = self.binary(&Op::Equal, Arg::Value(x), float(0.0), site)?;
        let safe = self.choose(zero, float(1.0), Arg::Value(x), site)?;
        let power = self.power(Arg::Value(safe), float(exponent), site)?;
        self.choose(zero, float(at_zero), Arg::Value(power), site)
    }

    pub(crate) fn argsort(
        &mut self,
        x: u32,
        axis: Option<isize>,
        descending: bool,
        site: u32,
    ) -> Result<u32> {
        self.composed("argsort", |arena| {
            let (x, axis) = arena.along("argsort", x, axis, site)?;
            arena.one(ArgSort { axis, descending }.into(), x, site)
        })
    }

    pub(crate) fn sort(
        &mut self,
        x: u32,
        axis: Option<isize>,
        site: u32,
    ) -> Result<u32> {
        self.composed("sort", |arena| {
            let (x, axis) = arena.along("sort", x, axis, site)?;
            let order =
                arena.one(ArgSort { axis, descending: false }.into(), x, site)?;
            let operands = smallvec![Arg::Value(x), Arg::Value(order)];
            arena.apply(&TakeAlongAxis { axis }.into(), operands, site)
        })
    }

    /// The positions of the `k` largest elements along an axis, the largest first.
    pub(crate) fn topk_positions(
        &mut self,
        x: u32,
        k: usize,
        axis: isize,
        site: u32,
    ) -> Result<u32> {
        self.composed("topk", |arena| {
            let (x, axis) = arena.along("topk", x, Some(axis), site)?;
            let from = arena.ty(x).shape.clone();
            if k > from[axis] {
                let (op, limit) = ("topk", from[axis]);
                let fault = Fault::TooMany { op, what: "elements", given: k, limit };
                return arena.about(x, Err(Error::new(fault)));
            }
            let order =
                arena.one(ArgSort { axis, descending: true }.into(), x, site)?;
            let mut spans: Spans = from.iter().map(|&n| Span::whole(n)).collect();
            spans[axis].len = k;
            arena.one(Slice { spans }.into(), order, site)
        })
    }

    /// The middle of the sorted elements over axes, or the mean of the two there.
    pub(crate) fn median(
        &mut self,
        x: u32,
        axes: Option<&[isize]>,
        keepdims: bool,
        site: u32,
    ) -> Result<u32> {
        let from = self.ty(x).shape.clone();
        let named = shape::axes("median", axes, from.ndim());
        let named = self.about(x, named)?;
        let shape = shape::reduced(&from, &named, keepdims);
        self.composed("median", |arena| {
            let kept = (0..from.ndim()).filter(|k| !named.contains(k));
            let order: Axes = kept.chain(named.iter().copied()).collect();
            let count: usize = named.iter().map(|&k| from[k]).product();
            let mut lines = shape::reduced(&from, &named, false);
            lines.push(count);
            let y = arena.one(Transpose { axes: order }.into(), x, site)?;
            let y = arena.one(Reshape { shape: lines.clone() }.into(), y, site)?;
            let y = arena.sort(y, Some(-1), site)?;
            let axis = lines.ndim() - 1;
            let part = |start: usize, len: usize| {
                let mut spans: Spans = lines.iter().map(|&n| Span::whole(n)).collect();
                spans[axis] = Span { start, step: 1, len };
                Op::from(Slice { spans })
            };
            let axes: &[isize] = &[-1];
            if count == 0 {
                let y = arena.reduce(Reduction::Mean, y, Some(axes), false, site)?;
                return arena.one(Reshape { shape }.into(), y, site);
            }
            let middle = part((count - 1) / 2, 2 - count % 2);
            let middle = arena.one(middle, y, site)?;
            let median =
                arena.reduce(Reduction::Mean, middle, Some(axes), false, site)?;
            let median =
                arena.one(Reshape { shape: shape.clone() }.into(), median, site)?;
            if !arena.ty(y).dtype.is_float() {
                return Ok(median);
            }
            // A NaN is sorted to the end.
            let largest = arena.one(part(count - 1, 1), y, site)?;
            let largest = arena.one(Reshape { shape }.into(), largest, site)?;
            let wrong = arena.isnan(largest, site)?;
            arena.choose(wrong, Arg::Value(largest), Arg::Value(median), site)
        })
    }

    /// The distinct elements, ascending, as a constant.
    pub(crate) fn unique(&mut self, x: u32, site: u32) -> Result<u32> {
        self.expect_value("unique", x)?;
        let values = kernels::sort::unique(self.view(x))?;
        self.source(&Op::Constant, &values, None, site)
    }

    /// How often each integer from 0 on occurs, or the sum of its weights.
    pub(crate) fn bincount(
        &mut self,
        x: u32,
        weights: Option<u32>,
        minlength: usize,
        site: u32,
    ) -> Result<u32> {
        let op = "bincount";
        let ty = self.ty(x).clone();
        if ty.dtype != DType::I64 {
            return Err(Error::new(Fault::IndexDType { op, dtype: ty.dtype }));
        }
        let (mut low, mut high) = (0, -1);
        for (k, &count) in self.view(x).distinct::<i64>().iter().enumerate() {
            stop::poll_at(k)?;
            (low, high) = (count.min(low), count.max(high));
        }
        if low < 0 {
            let values = self.view(x).as_array::<i64>();
            let found = values.indexed_iter().find_map(|(at, &value)| {
                let position = ndarray::Dimension::slice(&at).to_vec();
                (value < 0).then_some((position, value))
            });
            let (position, value) = found.expect("the lowest is negative");
            let fault = Fault::NegativeIndex { op, value, position };
            return self.about(x, Err(Error::new(fault)));
        }
        let size = (high.wrapping_add(1).cast_unsigned() as usize).max(minlength);
        self.composed(op, |arena| {
            let weights = if let Some(weights) = weights {
                weights
            } else {
                let one = NdArray::full(&[], 1_i64, DType::I64)?;
                let one = arena.source(&Op::Constant, &one, None, site)?;
                let shape = ty.shape.clone();
                arena.one(BroadcastTo { shape }.into(), one, site)?
            };
            if arena.ty(weights).shape != ty.shape {
                let operands = [&*ty.shape, &arena.ty(weights).shape];
                let operands = operands.into_iter().collect();
                return Err(Error::new(Fault::Broadcast { op, operands }));
            }
            let shape = shape::check(op, &[size], DType::F64)?;
            let operands = smallvec![Arg::Value(weights), Arg::Value(x)];
            arena.apply(&ScatterAdd { shape }.into(), operands, site)
        })
    }
}
