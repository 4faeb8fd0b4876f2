//! Elements in another order: reversed, shifted, repeated, diagonals and triangles.

use super::Arena;
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Operand, Result};
use crate::ops::emit::Arg;
use crate::ops::index::{ScatterAdd, Slice, Spans};
use crate::ops::view::{BroadcastTo, Reshape, Transpose};
use crate::ops::{Op, Tag};
use crate::shape::{self, Axes, Shape, Span};
use smallvec::{SmallVec, smallvec};

impl Arena {
    fn spans(&self, x: u32) -> Spans {
        self.ty(x).shape.iter().map(|&n| Span::whole(n)).collect()
    }

    /// A constant of integers, of which there are `len`.
    pub(super) fn integers(
        &mut self,
        len: usize,
        values: impl Iterator<Item = i64>,
        site: u32,
    ) -> Result<u32> {
        let array = NdArray::try_from_iter(Tag::Constant.name(), &[len], values)?;
        self.source(&Op::Constant, &array, None, site)
    }

    /// The part of an axis from `start` on.
    pub(crate) fn part(
        &mut self,
        x: u32,
        axis: usize,
        start: usize,
        len: usize,
        site: u32,
    ) -> Result<u32> {
        let mut spans = self.spans(x);
        spans[axis] = Span { start, step: 1, len };
        self.one(Slice { spans }.into(), x, site)
    }

    pub(crate) fn flip(
        &mut self,
        x: u32,
        axes: Option<&[isize]>,
        site: u32,
    ) -> Result<u32> {
        let axes = shape::axes("flip", axes, self.ndim(x));
        let axes = self.about(x, axes)?;
        let mut spans = self.spans(x);
        for axis in axes {
            let len = spans[axis].len;
            if len > 1 {
                spans[axis] = Span { start: len - 1, step: -1, len };
            }
        }
        self.one(Slice { spans }.into(), x, site)
    }

    /// Shifts the elements along axes; those beyond the end come in at the start.
    /// Without axes the elements in C order are shifted.
    pub(crate) fn roll(
        &mut self,
        x: u32,
        shifts: &[isize],
        axes: Option<&[isize]>,
        site: u32,
    ) -> Result<u32> {
        let shape = self.ty(x).shape.clone();
        self.composed("roll", |arena| {
            let Some(axes) = axes else {
                let mut y = arena.flattened(x, site)?;
                for &shift in shifts {
                    y = arena.rolled(y, shift, 0, site)?;
                }
                return arena.one(Reshape { shape }.into(), y, site);
            };
            // Either list broadcasts, if it has one item.
            let count = if shifts.len() == 1 { axes.len() } else { shifts.len() };
            if axes.len() != count && axes.len() != 1 {
                let (given, wanted) = (shifts.len(), axes.len());
                let fault = Fault::PerAxis { op: "roll", what: "shift", given, wanted };
                return Err(Error::new(fault));
            }
            let mut y = x;
            for k in 0..count {
                let shift = shifts[k % shifts.len()];
                let axis = shape::axis("roll", axes[k % axes.len()], shape.ndim());
                let axis = arena.about(x, axis)?;
                y = arena.rolled(y, shift, axis, site)?;
            }
            Ok(y)
        })
    }

    fn rolled(&mut self, x: u32, shift: isize, axis: usize, site: u32) -> Result<u32> {
        let len = self.ty(x).shape[axis];
        if len == 0 {
            return Ok(x);
        }
        let shift = shift.rem_euclid(len.cast_signed()).unsigned_abs();
        if shift == 0 {
            return Ok(x);
        }
        let head = self.part(x, axis, len - shift, shift, site)?;
        let tail = self.part(x, axis, 0, len - shift, site)?;
        self.concatenate(&[head, tail], axis.cast_signed(), site)
    }

    /// The array repeated as a whole along each axis.
    pub(crate) fn tile(&mut self, x: u32, counts: &[usize], site: u32) -> Result<u32> {
        let from = self.ty(x).shape.clone();
        let ndim = from.ndim().max(counts.len());
        let size =
            |k: usize| (k + from.ndim()).checked_sub(ndim).map_or(1, |k| from[k]);
        let count =
            |k: usize| (k + counts.len()).checked_sub(ndim).map_or(1, |k| counts[k]);
        let (mut apart, mut wide, mut whole) =
            (Shape::default(), Shape::default(), Shape::default());
        for k in 0..ndim {
            apart.push(1);
            apart.push(size(k));
            wide.push(count(k));
            wide.push(size(k));
            whole.push(size(k).saturating_mul(count(k)));
        }
        let whole = shape::check("tile", &whole, self.ty(x).dtype)?;
        shape::check("tile", &wide, self.ty(x).dtype)?;
        self.composed("tile", |arena| {
            let y = arena.one(Reshape { shape: apart }.into(), x, site)?;
            let y = arena.one(BroadcastTo { shape: wide }.into(), y, site)?;
            arena.one(Reshape { shape: whole }.into(), y, site)
        })
    }

    /// Each element repeated along an axis; without one, of the elements in C order.
    /// `counts` has one number, or one for each element of the axis.
    pub(crate) fn repeat(
        &mut self,
        x: u32,
        counts: &[usize],
        axis: Option<isize>,
        site: u32,
    ) -> Result<u32> {
        self.composed("repeat", |arena| {
            let (x, axis) = arena.along("repeat", x, axis, site)?;
            let len = arena.ty(x).shape[axis];
            if counts.len() != 1 && counts.len() != len {
                let operand = Operand::new(&arena.ty(x).shape);
                let fault = Fault::RepeatCounts {
                    operand,
                    axis,
                    given: counts.len(),
                    size: len,
                };
                return arena.about(x, Err(Error::new(fault)));
            }
            let count =
                |k: usize| if counts.len() == 1 { counts[0] } else { counts[k] };
            let all = (0..len).fold(0_usize, |all, k| all.saturating_add(count(k)));
            let places =
                (0..len).flat_map(|k| std::iter::repeat_n(as_index(k), count(k)));
            arena.taken(x, all, places, axis, site)
        })
    }

    /// The elements at `len` fixed places along an axis.
    pub(super) fn taken(
        &mut self,
        x: u32,
        len: usize,
        places: impl Iterator<Item = i64>,
        axis: usize,
        site: u32,
    ) -> Result<u32> {
        let places = self.integers(len, places, site)?;
        self.gather(x, &[(axis, places)], false, site)
    }

    pub(crate) fn moveaxis(
        &mut self,
        x: u32,
        from: &[isize],
        to: &[isize],
        site: u32,
    ) -> Result<u32> {
        let (op, ndim) = ("moveaxis", self.ndim(x));
        let order = (|| {
            if from.len() != to.len() {
                let (given, ndim) = (to.len(), from.len());
                return Err(Error::new(Fault::AxesCount { op, given, ndim }));
            }
            shape::axes(op, Some(from), ndim)?;
            shape::axes(op, Some(to), ndim)?;
            let mut moved: SmallVec<[(usize, usize); 4]> = SmallVec::new();
            for (&from, &to) in from.iter().zip(to) {
                moved.push((shape::axis(op, to, ndim)?, shape::axis(op, from, ndim)?));
            }
            let mut order: Axes = (0..ndim)
                .filter(|k| moved.iter().all(|&(_, from)| from != *k))
                .collect();
            moved.sort_unstable();
            for (to, from) in moved {
                order.insert(to, from);
            }
            Ok(order)
        })();
        let axes = self.about(x, order)?;
        self.one(Transpose { axes }.into(), x, site)
    }

    /// The elements at equal positions of two axes, which become one at the end.
    pub(crate) fn diagonal(
        &mut self,
        x: u32,
        offset: isize,
        axes: (isize, isize),
        site: u32,
    ) -> Result<u32> {
        let (op, from) = ("diagonal", self.ty(x).shape.clone());
        let pair = shape::axis(op, axes.0, from.ndim())
            .and_then(|a| Ok((a, shape::axis(op, axes.1, from.ndim())?)))
            .and_then(|(a, b)| {
                if a == b {
                    return Err(Error::new(Fault::RepeatedAxis { op, axis: axes.1 }));
                }
                Ok((a, b))
            });
        let (a, b) = self.about(x, pair)?;
        let (down, right) =
            (offset.min(0).unsigned_abs(), offset.max(0).unsigned_abs());
        let len = from[a].saturating_sub(down).min(from[b].saturating_sub(right));
        let places = |start: usize| (0..len).map(move |k| as_index(start + k));
        let kept = (0..from.ndim()).filter(|&k| k != a && k != b);
        let order: Axes = kept.chain([a, b]).collect();
        let last = from.ndim() - 2;
        self.composed(op, |arena| {
            let y = arena.one(Transpose { axes: order }.into(), x, site)?;
            let rows = arena.integers(len, places(down), site)?;
            let columns = arena.integers(len, places(right), site)?;
            arena.gather(y, &[(last, rows), (last + 1, columns)], false, site)
        })
    }

    /// The diagonal of a matrix, or a matrix with a vector on its diagonal.
    pub(crate) fn diag(&mut self, x: u32, offset: isize, site: u32) -> Result<u32> {
        let from = self.ty(x).shape.clone();
        match *from {
            [_, _] => self.diagonal(x, offset, (0, 1), site),
            [len] => {
                let (down, right) =
                    (offset.min(0).unsigned_abs(), offset.max(0).unsigned_abs());
                let size = len + down + right;
                let shape = shape::check("diag", &[size, size], self.ty(x).dtype)?;
                let places = |start: usize| (0..len).map(move |k| as_index(start + k));
                self.composed("diag", |arena| {
                    let rows = arena.integers(len, places(down), site)?;
                    let columns = arena.integers(len, places(right), site)?;
                    let operands =
                        smallvec![Arg::Value(x), Arg::Value(rows), Arg::Value(columns)];
                    arena.apply(&ScatterAdd { shape }.into(), operands, site)
                })
            }
            _ => {
                let (operand, ndim) = (Operand::new(&from), from.ndim());
                let fault = Fault::NotVectorOrMatrix { op: "diag", operand, ndim };
                self.about(x, Err(Error::new(fault)))
            }
        }
    }

    /// The matrices of the last two axes without what lies above the diagonal, or with
    /// `upper` below it. A vector is every row of its matrix.
    pub(crate) fn triangle(
        &mut self,
        x: u32,
        offset: isize,
        upper: bool,
        site: u32,
    ) -> Result<u32> {
        let op = if upper { "triu" } else { "tril" };
        let from = self.ty(x).shape.clone();
        let ndim = from.ndim();
        let (rows, columns) = match *from {
            [] => {
                let operand = Operand::new(&from);
                let fault = Fault::NotVectorOrMatrix { op, operand, ndim };
                return self.about(x, Err(Error::new(fault)));
            }
            [size] => (size, size),
            [.., rows, columns] => (rows, columns),
        };
        let keeps = |row: usize, column: usize| {
            let distance = column.cast_signed() - row.cast_signed();
            if upper { distance >= offset } else { distance <= offset }
        };
        let mask = (0..rows)
            .flat_map(|row| (0..columns).map(move |column| keeps(row, column)));
        let zero = match self.ty(x).dtype {
            DType::Bool => Scalar::Bool(false),
            DType::I64 => Scalar::Int(0),
            _ => Scalar::Float(0.0),
        };
        self.composed(op, |arena| {
            let mask = NdArray::try_from_iter(op, &[rows, columns], mask)?;
            let mask = arena.source(&Op::Constant, &mask, None, site)?;
            arena.choose(mask, Arg::Value(x), Arg::Number(zero), site)
        })
    }

    /// The array with at least `ndim` axes, new ones where `NumPy` puts them.
    pub(crate) fn atleast(&mut self, x: u32, ndim: usize, site: u32) -> Result<u32> {
        let from = self.ty(x).shape.clone();
        let shape = match (ndim, &*from) {
            (1, []) => Shape::new(&[1]),
            (2, []) => Shape::new(&[1, 1]),
            (2, &[n]) => Shape::new(&[1, n]),
            (3, []) => Shape::new(&[1, 1, 1]),
            (3, &[n]) => Shape::new(&[1, n, 1]),
            (3, &[m, n]) => Shape::new(&[m, n, 1]),
            _ => return Ok(x),
        };
        self.one(Reshape { shape }.into(), x, site)
    }
}

/// A position, as indices hold it.
pub(super) fn as_index(k: usize) -> i64 {
    k.cast_signed() as i64
}
