//! Margins around an array.

use super::Arena;
use super::arrange::as_index;
use crate::array::NdArray;
use crate::error::{Error, Fault, Operand, Result};
use crate::ops::Op;
use crate::ops::index::{Embed, Spans};
use crate::shape::{self, Shape, Span};
use smallvec::SmallVec;

/// What `pad` writes around an array.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Padding {
    /// One value.
    Constant(f64),
    /// The element at the edge.
    Edge,
    /// The elements mirrored at the edge, without the edge itself.
    Reflect,
    /// The elements of the other end.
    Wrap,
}

impl Arena {
    /// The array with margins: `widths` has the two of each axis.
    pub(crate) fn pad(
        &mut self,
        x: u32,
        widths: &[(usize, usize)],
        padding: Padding,
        site: u32,
    ) -> Result<u32> {
        let op = "pad";
        let from = self.ty(x).clone();
        if widths.len() != from.shape.ndim() {
            let (given, ndim) = (widths.len(), from.shape.ndim());
            return self
                .about(x, Err(Error::new(Fault::AxesCount { op, given, ndim })));
        }
        let sizes: SmallVec<[usize; 4]> = from
            .shape
            .iter()
            .zip(widths)
            .map(|(&n, &(before, after))| {
                n.saturating_add(before).saturating_add(after)
            })
            .collect();
        let shape = shape::check(op, &sizes, from.dtype)?;
        if let Padding::Constant(value) = padding {
            return self.pad_constant(x, widths, shape, value, site);
        }
        let margin = |k: usize| widths[k] != (0, 0);
        if let Some(axis) = (0..widths.len()).find(|&k| from.shape[k] == 0 && margin(k))
        {
            let operand = Operand::new(&from.shape);
            let fault = Fault::PadOfNothing { operand, axis };
            return self.about(x, Err(Error::new(fault)));
        }
        self.composed(op, |arena| {
            let mut y = x;
            for (axis, &(before, after)) in widths.iter().enumerate() {
                if margin(axis) {
                    let (len, first) = (as_index(from.shape[axis]), as_index(before));
                    let places = (-first..len + as_index(after))
                        .map(|k| source(padding, k, len));
                    y = arena.taken(y, shape[axis], places, axis, site)?;
                }
            }
            Ok(y)
        })
    }

    fn pad_constant(
        &mut self,
        x: u32,
        widths: &[(usize, usize)],
        shape: Shape,
        value: f64,
        site: u32,
    ) -> Result<u32> {
        let from = self.ty(x).clone();
        if value == 0.0 && value.is_sign_positive() {
            let spans = from.shape.iter().zip(widths).map(|(&len, &(start, _))| Span {
                start,
                step: 1,
                len,
            });
            let spans: Spans = spans.collect();
            let embedded = self.one(Embed { shape, spans }.into(), x, site);
            return embedded.map_err(|error| error.called("pad"));
        }
        self.composed("pad", |arena| {
            let mut y = x;
            for (axis, &(before, after)) in widths.iter().enumerate() {
                let mut parts: SmallVec<[u32; 3]> = SmallVec::new();
                for (k, width) in [before, 0, after].into_iter().enumerate() {
                    if k == 1 {
                        parts.push(y);
                    } else if width > 0 {
                        let mut shape = arena.ty(y).shape.to_vec();
                        shape[axis] = width;
                        let margin = NdArray::full(&[], value, from.dtype)?;
                        let margin =
                            arena.source(&Op::Constant, &margin, None, site)?;
                        parts.push(arena.broadcast_to(margin, &shape, site)?);
                    }
                }
                if parts.len() > 1 {
                    y = arena.concatenate(&parts, axis.cast_signed(), site)?;
                }
            }
            Ok(y)
        })
    }
}

/// The place that a margin at `k`, from before 0 to beyond `len`, repeats.
fn source(padding: Padding, k: i64, len: i64) -> i64 {
    match padding {
        Padding::Constant(_) | Padding::Edge => k.clamp(0, len - 1),
        Padding::Wrap => k.rem_euclid(len),
        Padding::Reflect if len == 1 => 0,
        Padding::Reflect => {
            let period = 2 * (len - 1);
            let k = k.rem_euclid(period);
            k.min(period - k)
        }
    }
}
