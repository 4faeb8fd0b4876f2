//! Values put where a key or positions along an axis select: the result is a new node,
//! and the tensor keeps its value.

use super::Arena;
use super::index::{Index, Selection};
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::{Error, Fault, Operand, Result};
use crate::ops::convert::Cast;
use crate::ops::emit::{Arg, Args};
use crate::ops::index::{Assign, Put};
use crate::ops::view::{Reshape, Transpose};
use crate::ops::{Op, Tag};
use crate::shape::{self, Shape};
use smallvec::{SmallVec, smallvec};

impl Arena {
    /// `x` with values where a key selects, by `NumPy`'s rules.
    pub(crate) fn assign(
        &mut self,
        x: u32,
        index: &[Index],
        values: Arg<u32>,
        site: u32,
    ) -> Result<u32> {
        let nodes = index.iter().filter_map(Index::node).chain(node_of(values));
        let named: SmallVec<[u32; 4]> = std::iter::once(x).chain(nodes).collect();
        self.naming("assign", &named, |arena| {
            let selection = arena.selection(x, index, site)?;
            let Selection { spans, shape, gathered, leading } = &selection;
            let mut part = if gathered.is_empty() {
                arena.fitting(Tag::Assign.name(), x, values, shape, site)?
            } else {
                let y = arena.spanned(x, &selection, site)?;
                arena.put(Tag::Assign.name(), y, gathered, *leading, values, site)?
            };
            if !gathered.is_empty() && arena.is_whole(x, spans) {
                let shape = arena.ty(x).shape.clone();
                return arena.shaped(part, &shape, site);
            }
            let window: Shape = spans.iter().map(|span| span.len).collect();
            if window != *shape && arena.ndim(part) > 0 {
                if arena.ty(part).shape != *shape {
                    part = arena.broadcast_to(part, shape, site)?;
                }
                part = arena.shaped(part, &window, site)?;
            }
            let operands = smallvec![Arg::Value(x), Arg::Value(part)];
            arena.apply(&Assign { spans: spans.clone() }.into(), operands, site)
        })
    }

    /// `x` with values at positions along axes, where `gather` would read them.
    pub(super) fn put(
        &mut self,
        op: &'static str,
        x: u32,
        gathered: &[(usize, u32)],
        leading: bool,
        values: Arg<u32>,
        site: u32,
    ) -> Result<u32> {
        let (y, order) = self.gathered_first(x, gathered, site)?;
        let positions = self.together(gathered, site)?;
        let common = self.ty(positions[0]).shape.clone();
        let front = if leading { 0 } else { gathered[0].0 };
        let (before, after) = self.ty(y).shape[gathered.len()..].split_at(front);
        let selected = [before, &common, after].concat();
        let trailing = after.len();
        let mut values = self.fitting(op, x, values, &selected, site)?;
        if front > 0 && self.ndim(values) > trailing {
            // In the op the axes of the positions come first.
            let missing = selected.len() - self.ndim(values);
            let ones = std::iter::repeat_n(1, missing);
            let shape: Shape =
                ones.chain(self.ty(values).shape.iter().copied()).collect();
            values = self.shaped(values, &shape, site)?;
            let end = front + common.ndim();
            let axes = (front..end).chain(0..front).chain(end..selected.len());
            values =
                self.one(Transpose { axes: axes.collect() }.into(), values, site)?;
        }
        let operands: Args<u32> =
            [y, values].into_iter().chain(positions).map(Arg::Value).collect();
        let put = self.apply(&Put.into(), operands, site)?;
        if y == x {
            return Ok(put);
        }
        self.one(Transpose { axes: shape::inverse(&order) }.into(), put, site)
    }

    /// Values of the type of `x` that broadcast to what is selected. As in `NumPy` they
    /// may have more leading axes of size 1; floats are not cut to fit integers.
    fn fitting(
        &mut self,
        op: &'static str,
        x: u32,
        values: Arg<u32>,
        selected: &[usize],
        site: u32,
    ) -> Result<u32> {
        let dtype = self.ty(x).dtype;
        let found = match values {
            Arg::Value(node) => self.ty(node).dtype,
            Arg::Number(number) => number.promote(DType::Bool),
        };
        if found.is_float() && !dtype.is_float() {
            return Err(Error::new(Fault::Lossy { op, found, dtype }));
        }
        let mut node = match values {
            Arg::Value(node) => node,
            Arg::Number(number) => {
                let array = NdArray::full(&[], number, dtype)?;
                return self.source(&Op::Constant, &array, None, site);
            }
        };
        let shape = self.ty(node).shape.clone();
        let (extra, kept) = shape.split_at(shape.ndim().saturating_sub(selected.len()));
        if extra.iter().any(|&size| size != 1) || !shape::broadcasts_to(kept, selected)
        {
            let (values, shape) = (Operand::new(&shape), selected.to_vec());
            let fault = Fault::Selected { op, values, shape };
            return self.about(node, Err(Error::new(fault)));
        }
        node = self.shaped(node, &Shape::new(kept), site)?;
        if found == dtype {
            return Ok(node);
        }
        self.one(Cast { dtype }.into(), node, site)
    }

    /// The elements in another shape of as many.
    pub(super) fn shaped(&mut self, x: u32, shape: &Shape, site: u32) -> Result<u32> {
        if self.ty(x).shape == *shape {
            return Ok(x);
        }
        self.one(Reshape { shape: shape.clone() }.into(), x, site)
    }
}

/// The node of an operand, if it is one.
pub(super) fn node_of(operand: Arg<u32>) -> Option<u32> {
    match operand {
        Arg::Value(node) => Some(node),
        Arg::Number(_) => None,
    }
}
