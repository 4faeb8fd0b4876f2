//! Windows that move over the last axes: what convolutions and poolings are made of.

use super::declare::Entry;
use super::emit::{Cotangents, Emit, Node};
use super::{Forward, Linear, Op, Rules};
use crate::array::{NdArray, View, ViewMut};
use crate::error::{Error, Fault, Operand, Result};
use crate::kernels;
pub(crate) use crate::kernels::patches::{Window, Windows};
use crate::shape::{self, Axes, Shape, Type};

/// What windows show as they move over the last axes, zeros beyond their ends: from
/// (..., sizes) to (..., taps, places).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Patches {
    pub(crate) windows: Windows,
}

/// Zeros of the given last sizes, to which each element is added where windows show it:
/// the transpose of `patches`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Fold {
    pub(crate) windows: Windows,
    pub(crate) sizes: Shape,
}

/// The largest element that each window shows; NaN if any is NaN, and what lies beyond
/// the ends is no element. At ties the cotangent is split equally.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct MaxPool {
    pub(crate) windows: Windows,
}

impl Entry for Patches {
    const NAME: &'static str = "patches";
    const ABOUT: &'static str =
        "what windows show as they move over the last axes, with zeros beyond the ends";
}
impl Entry for Fold {
    const NAME: &'static str = "fold";
    const ABOUT: &'static str = "\
        zeros to which each element is added where a window shows it: the transpose \
        of `patches`";
}
impl Entry for MaxPool {
    const NAME: &'static str = "max_pool";
    const ABOUT: &'static str =
        "the largest element that each window shows, as `max_pool1d`";
}

/// The number of places of each window on the last axes of an operand.
pub(crate) fn places(
    op: &'static str,
    operand: &[usize],
    windows: &[Window],
) -> Result<Shape> {
    let first = operand.len() - windows.len();
    let mut places = Shape::scalar();
    for ((k, &len), window) in operand.iter().enumerate().skip(first).zip(windows) {
        let Some(count) = window.places(len) else {
            let (span, padded) = (window.span(), window.padded(len));
            let operand = Operand::new(operand);
            return Err(Error::new(Fault::Window {
                op,
                operand,
                axis: k,
                span,
                padded,
            }));
        };
        places.push(count);
    }
    Ok(places)
}

fn taps(windows: &[Window]) -> impl Iterator<Item = usize> {
    windows.iter().map(|window| window.size)
}

impl Forward for Patches {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let places = places(Self::NAME, &x[0].shape, &self.windows)?;
        let leading = &x[0].shape[..x[0].shape.ndim() - places.ndim()];
        let leading = leading.iter().copied();
        let shape: Shape =
            leading.chain(taps(&self.windows)).chain(places.iter().copied()).collect();
        Ok(Type::new(shape::check(Self::NAME, &shape, x[0].dtype)?, x[0].dtype))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::patches::patches(x[0], &self.windows, out)
    }
}

impl Linear for Patches {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let shape = e.input_type(node, k).shape;
        let sizes = Shape::new(&shape[shape.ndim() - self.windows.len()..]);
        e.unary(Fold { windows: self.windows.clone(), sizes }.into(), ct)
    }
}

impl Forward for Fold {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let leading = x[0].shape.ndim() - 2 * self.windows.len();
        let leading = x[0].shape[..leading].iter();
        let shape: Shape = leading.chain(self.sizes.iter()).copied().collect();
        Ok(Type::new(shape::check(Self::NAME, &shape, x[0].dtype)?, x[0].dtype))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::patches::fold(x[0], &self.windows, out)
    }
}

impl Linear for Fold {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        _: Node,
        _: usize,
        ct: E::V,
    ) -> Result<E::V> {
        e.unary(Patches { windows: self.windows.clone() }.into(), ct)
    }
}

impl Forward for MaxPool {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let places = places(Self::NAME, &x[0].shape, &self.windows)?;
        let leading = &x[0].shape[..x[0].shape.ndim() - places.ndim()];
        let shape = leading.iter().chain(places.iter()).copied().collect();
        Ok(Type::new(shape, x[0].dtype))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        kernels::patches::max_pool(x[0], &self.windows, out)
    }
}

impl Rules for MaxPool {
    /// The elements that equal their window's maximum share its cotangent evenly.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()> {
        let ty = e.input_type(node, 0);
        let (windows, axes) = (&self.windows, self.windows.len());
        let leading = ty.shape.ndim() - axes;
        let patches: Op = Patches { windows: windows.clone() }.into();
        let x = e.input_value(node, 0)?;
        let y = e.output(node)?;
        // The maxima beside what their windows show.
        let found = e.ty(&y).shape;
        let (before, places) = found.split_at(leading);
        let ones = std::iter::repeat_n(&1, axes);
        let beside: Shape = before.iter().chain(ones).chain(places).copied().collect();
        let x = e.unary(patches.clone(), x)?;
        let y = e.reshape(y, beside.clone())?;
        let tied = e.binary(Op::Equal, x, y)?;
        let mut tied = e.cast(tied, ty.dtype)?;
        if windows.iter().any(|window| window.padding != (0, 0)) {
            let whole = NdArray::full(&ty.shape[leading..], 1.0, ty.dtype)?;
            let whole = e.constant(whole)?;
            let inside = e.unary(patches, whole)?;
            tied = e.multiply(tied, inside)?;
        }
        let copy = e.dup(&tied);
        let window_axes: Axes = (leading..leading + axes).collect();
        let ties = e.sum(copy, window_axes, true)?;
        let ct = e.reshape(ct, beside)?;
        let share = e.binary(Op::Divide, ct, ties)?;
        let shares = e.multiply(share, tied)?;
        let sizes = Shape::new(&ty.shape[leading..]);
        let cotangent =
            e.unary(Fold { windows: windows.clone(), sizes }.into(), shares)?;
        out.give(0, cotangent);
        Ok(())
    }
}
