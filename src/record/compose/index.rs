//! What stands between the brackets of `x[...]`, by `NumPy`'s rules.
//!
//! A key is read in one place, as a [`Selection`]: positions, slices and new axes, which
//! are one slice and one reshape, and then the axes along which integer arrays select.

use super::Arena;
use super::masks::Part;
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::{Error, Fault, Operand, Place, Result};
use crate::ops::Op;
use crate::ops::emit::Arg;
use crate::ops::index::{Gather, Slice, Spans};
use crate::ops::view::{BroadcastTo, Reshape, Transpose};
use crate::shape::{self, Axes, Shape, Span};
use smallvec::SmallVec;

/// One part of an index such as `x[1, ::2, ..., None, rows]`.
#[derive(Clone, Debug)]
pub enum Index {
    /// One position, which drops the axis; negative counts from the end.
    At(isize),
    /// Python's `start:stop:step`.
    Slice {
        /// The first position.
        start: Option<isize>,
        /// The position to stop before.
        stop: Option<isize>,
        /// Positions from one element to the next.
        step: isize,
    },
    /// A new axis of size 1.
    NewAxis,
    /// As many whole axes as are left.
    Ellipsis,
    /// The positions in an integer array, or those at which a boolean one is true.
    Array(NdArray),
    /// As `Array`, in a tensor of the record.
    Node(NodeIndex),
}

impl Index {
    /// The node, if the part is one.
    pub(super) fn node(&self) -> Option<u32> {
        match self {
            Index::Node(node) => Some(node.0),
            _ => None,
        }
    }
}

/// A node that holds positions; only tensors of the record make one.
#[derive(Clone, Copy, Debug)]
pub struct NodeIndex(pub(crate) u32);

/// What a key selects.
pub(super) struct Selection {
    /// Of every axis of the tensor.
    pub(super) spans: Spans,
    /// What the spans select, without the axes that a position drops, and with new ones.
    pub(super) shape: Shape,
    /// The axes of that along which the positions in nodes then select.
    pub(super) gathered: Gathered,
    /// Whether the axes of these positions lead the result: they do unless the gathered
    /// axes are adjacent.
    pub(super) leading: bool,
}

/// Axes, and the positions along each.
pub(super) type Gathered = SmallVec<[(usize, u32); 4]>;

impl Arena {
    /// Applies an index by `NumPy`'s rules.
    pub(crate) fn index(&mut self, x: u32, index: &[Index], site: u32) -> Result<u32> {
        let nodes = index.iter().filter_map(Index::node);
        let named: SmallVec<[u32; 4]> = std::iter::once(x).chain(nodes).collect();
        self.naming("index", &named, |arena| {
            let selection = arena.selection(x, index, site)?;
            let y = arena.spanned(x, &selection, site)?;
            if selection.gathered.is_empty() {
                return Ok(y);
            }
            arena.gather(y, &selection.gathered, selection.leading, site)
        })
    }

    /// Composes a call on nodes. An error names these: others that it may name are of
    /// the composition, and taken back.
    pub(super) fn naming(
        &mut self,
        op: &'static str,
        nodes: &[u32],
        f: impl FnOnce(&mut Arena) -> Result<u32>,
    ) -> Result<u32> {
        let start = self.mark();
        let result = f(self).map_err(|error| {
            nodes.iter().fold(error.without_places().called(op), |error, &node| {
                error.recorded_at(self.label(node), Place::Site(self.site(node)))
            })
        });
        self.keep_or_undo(&start, result)
    }

    /// What a key selects of `x`; its arrays become constants.
    pub(super) fn selection(
        &mut self,
        x: u32,
        index: &[Index],
        site: u32,
    ) -> Result<Selection> {
        let op = "index";
        let parts = self.without_masks(x, index, site)?;
        let from = self.ty(x).shape.clone();
        let given = parts.iter().map(Part::axes).sum();
        let ellipses =
            parts.iter().filter(|part| matches!(part, Part::Basic(Index::Ellipsis)));
        let ellipses = ellipses.count();
        if given > from.ndim() {
            let (operand, ndim) = (Operand::new(&from), from.ndim());
            let fault = Fault::TooManyIndices { op, operand, ndim, given };
            return self.about(x, Err(Error::new(fault)));
        }
        if ellipses > 1 {
            return Err(Error::new(Fault::TwoEllipses { op }));
        }
        let open = from.ndim() - given;
        let implicit = [Part::Basic(Index::Ellipsis)];
        let trailing: &[Part] = if ellipses == 0 { &implicit } else { &[] };
        let mut spans = Spans::new();
        let mut shape = Shape::default();
        let mut gathered = Gathered::new();
        let (mut leading, mut ended) = (false, false);
        // A position among arrays is an array of one position.
        let among_arrays = parts.iter().any(|part| !matches!(part, Part::Basic(_)));
        for part in parts.iter().chain(trailing) {
            let size = from.get(spans.len()).copied().unwrap_or(1);
            let positions = match part {
                Part::Along(positions) => {
                    spans.push(Span::whole(size));
                    Some((*positions, size))
                }
                Part::AlongNew(positions) => Some((*positions, 1)),
                Part::Basic(Index::At(at)) => {
                    let start = position_of(*at, size, spans.len())?;
                    if !among_arrays {
                        spans.push(Span { start, step: 1, len: 1 });
                        continue;
                    }
                    spans.push(Span::whole(size));
                    let at = NdArray::full(&[], *at as i64, DType::I64)?;
                    Some((self.source(&Op::Constant, &at, None, site)?, size))
                }
                Part::Basic(Index::Slice { start, stop, step }) => {
                    let span = Span::new(op, *start, *stop, *step, size)?;
                    spans.push(span);
                    shape.push(span.len);
                    None
                }
                Part::Basic(Index::Ellipsis) => {
                    for &size in &from[spans.len()..spans.len() + open] {
                        spans.push(Span::whole(size));
                        shape.push(size);
                    }
                    None
                }
                Part::Basic(_) => {
                    shape.push(1);
                    None
                }
            };
            match positions {
                Some((positions, size)) => {
                    leading |= ended;
                    gathered.push((shape.ndim(), positions));
                    shape.push(size);
                }
                None => ended = !gathered.is_empty(),
            }
        }
        let shape = self.about(x, shape::check(op, &shape, self.ty(x).dtype))?;
        Ok(Selection { spans, shape, gathered, leading })
    }

    /// What the spans of a selection select, in its shape.
    pub(super) fn spanned(
        &mut self,
        x: u32,
        selection: &Selection,
        site: u32,
    ) -> Result<u32> {
        let Selection { spans, shape, .. } = selection;
        let mut y = x;
        if !self.is_whole(x, spans) {
            y = self.one(Slice { spans: spans.clone() }.into(), y, site)?;
        }
        if self.ty(y).shape != *shape {
            y = self.one(Reshape { shape: shape.clone() }.into(), y, site)?;
        }
        Ok(y)
    }

    /// Whether spans select all of a tensor, in its order.
    pub(super) fn is_whole(&self, x: u32, spans: &[Span]) -> bool {
        let sizes = self.ty(x).shape.iter();
        spans.iter().zip(sizes).all(|(span, &size)| *span == Span::whole(size))
    }

    /// Gathers along axes. The arrays' axes lead the result if `leading`, otherwise
    /// they take the place of the gathered axes, which are adjacent.
    pub(super) fn gather(
        &mut self,
        x: u32,
        gathered: &[(usize, u32)],
        leading: bool,
        site: u32,
    ) -> Result<u32> {
        let (y, _) = self.gathered_first(x, gathered, site)?;
        let positions = self.together(gathered, site)?;
        let width = self.ndim(positions[0]);
        let operands = std::iter::once(y).chain(positions).map(Arg::Value).collect();
        let y = self.apply(&Gather.into(), operands, site)?;
        let front = gathered[0].0;
        if leading || front == 0 {
            return Ok(y);
        }
        let ndim = self.ndim(y);
        let order = (width..width + front).chain(0..width).chain(width + front..ndim);
        self.one(Transpose { axes: order.collect() }.into(), y, site)
    }

    /// A tensor with its gathered axes before the others, and the order of its axes.
    pub(super) fn gathered_first(
        &mut self,
        x: u32,
        gathered: &[(usize, u32)],
        site: u32,
    ) -> Result<(u32, Axes)> {
        let axes: Axes = gathered.iter().map(|&(axis, _)| axis).collect();
        let rest = (0..self.ndim(x)).filter(|k| !axes.contains(k));
        let order: Axes = axes.iter().copied().chain(rest).collect();
        if order.iter().enumerate().all(|(k, &axis)| k == axis) {
            return Ok((x, order));
        }
        let y = self.one(Transpose { axes: order.clone() }.into(), x, site)?;
        Ok((y, order))
    }

    /// The positions along gathered axes, in one shape.
    pub(super) fn together(
        &mut self,
        gathered: &[(usize, u32)],
        site: u32,
    ) -> Result<SmallVec<[u32; 4]>> {
        let shapes: SmallVec<[Shape; 4]> =
            gathered.iter().map(|&(_, i)| self.ty(i).shape.clone()).collect();
        let slices: SmallVec<[&[usize]; 4]> = shapes.iter().map(|s| &**s).collect();
        let common = shape::broadcast("index", &slices)?;
        let mut positions = SmallVec::new();
        for &(_, indices) in gathered {
            positions.push(if self.ty(indices).shape == common {
                indices
            } else {
                self.one(BroadcastTo { shape: common.clone() }.into(), indices, site)?
            });
        }
        Ok(positions)
    }
}

/// The position that `at` names on axis `axis` of the indexed tensor.
fn position_of(at: isize, size: usize, axis: usize) -> Result<usize> {
    let from_start = if at < 0 { at + size.cast_signed() } else { at };
    match usize::try_from(from_start) {
        Ok(k) if k < size => Ok(k),
        _ => {
            let position = format!("axis {axis}");
            let (op, value) = ("index", at as i64);
            let fault = Fault::IndexOutOfRange { op, value, position, limit: size };
            Err(Error::new(fault))
        }
    }
}
