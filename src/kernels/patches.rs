//! Windows that move over the last axes of an array: what they show, the transpose, and
//! their maxima.
//!
//! Arrays are read image by image. For each tap of the window, the places at which it
//! lies within the image are walked in runs along the last axis.

#[cfg(test)]
mod tests;

use super::reduce::{Number, Ordered};
use super::simd::{self, Kernel};
use super::threads::{for_each_part, tile_size};
use super::walk;
use crate::array::{View, ViewMut};
use crate::dtype::{DType, Element};
use crate::error::Result;
use smallvec::SmallVec;
use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::slice;

/// Elements of a tile, which is some images or one.
const TILE: usize = tile_size(1 << 15, 64);

/// How a window lies along one axis.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Window {
    /// The number of taps.
    pub(crate) size: usize,
    /// Positions from one place of the window to the next.
    pub(crate) stride: usize,
    /// Positions from one tap to the next.
    pub(crate) dilation: usize,
    /// Zeros before the axis and after it.
    pub(crate) padding: (usize, usize),
}

/// One window for each axis, the last axes of an array.
pub(crate) type Windows = SmallVec<[Window; 3]>;

/// As `3`, `3/2` with a stride of 2, and what else is not the default.
impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.size)?;
        if self.stride != 1 {
            write!(f, "/{}", self.stride)?;
        }
        if self.dilation != 1 {
            write!(f, " dilated {}", self.dilation)?;
        }
        match self.padding {
            (0, 0) => Ok(()),
            (before, after) => write!(f, " padded {before}+{after}"),
        }
    }
}

impl Window {
    /// Positions from the first tap to the last, both included.
    pub(crate) fn span(&self) -> usize {
        self.size.saturating_sub(1).saturating_mul(self.dilation).saturating_add(1)
    }

    /// The length of an axis with its padding.
    pub(crate) fn padded(&self, len: usize) -> usize {
        len.saturating_add(self.padding.0).saturating_add(self.padding.1)
    }

    /// The number of places on an axis; `None` if the window is longer.
    pub(crate) fn places(&self, len: usize) -> Option<usize> {
        Some(self.padded(len).checked_sub(self.span())? / self.stride + 1)
    }

    /// The places, of `count`, at which a tap lies within an axis.
    fn within(&self, tap: usize, len: usize, count: usize) -> Range<usize> {
        let shift = tap * self.dilation;
        let reach = |position: usize| {
            position.saturating_sub(shift).div_ceil(self.stride).min(count)
        };
        let end = reach(self.padding.0 + len);
        reach(self.padding.0).min(end)..end
    }
}

/// The sizes of one image and of its patches.
#[derive(Clone, Copy)]
struct Layout<'a> {
    windows: &'a [Window],
    /// The axes that the windows move over.
    image: &'a [usize],
    places: &'a [usize],
}

/// Elements that a tap shows at neighbouring places.
#[derive(Clone, Copy)]
struct Run {
    tap: usize,
    /// The first place, in C order.
    place: usize,
    len: usize,
    /// The position in the image at the first place, and from one place to the next.
    first: usize,
    step: usize,
}

impl Layout<'_> {
    fn image_len(&self) -> usize {
        self.image.iter().product()
    }

    fn place_count(&self) -> usize {
        self.places.iter().product()
    }

    fn tap_count(&self) -> usize {
        self.windows.iter().map(|window| window.size).product()
    }

    /// Calls `visit` for each run, tap by tap.
    #[inline(always)]
    fn for_each_run(&self, mut visit: impl FnMut(Run)) {
        let Layout { windows, image, places } = *self;
        let Some(step) = windows.last().map(|window| window.stride) else { return };
        for tap in 0..self.tap_count() {
            // From the last axis to the first: where the tap lies within the image, the
            // position that stands for place 0, and the distances between neighbours.
            let mut axes: SmallVec<[_; 3]> = SmallVec::new();
            let (mut rest, mut across, mut down) = (tap, 1, 1);
            for ((window, &len), &count) in windows.iter().zip(image).zip(places).rev()
            {
                let at = rest % window.size;
                rest /= window.size;
                let range = window.within(at, len, count);
                let shift = (at * window.dilation).cast_signed()
                    - window.padding.0.cast_signed();
                axes.push((range, shift, window.stride, across, down));
                across *= len;
                down *= count;
            }
            let len = axes[0].0.len();
            let rows: usize = axes[1..].iter().map(|axis| axis.0.len()).product();
            for row in 0..if len == 0 { 0 } else { rows } {
                let (mut rest, mut first, mut place) = (row, 0, 0);
                for (k, (range, shift, stride, across, down)) in axes.iter().enumerate()
                {
                    let mut at = range.start;
                    if k > 0 {
                        at += rest % range.len();
                        rest /= range.len();
                    }
                    let position = (at * stride).cast_signed() + shift;
                    first += position.unsigned_abs() * across;
                    place += at * down;
                }
                visit(Run { tap, place, len, first, step });
            }
        }
    }
}

/// Calls `visit` with the elements of some images, and with those that belong to them of
/// `out`: `sizes` says how many each image has.
fn for_each_image<T: Sync, U: Send>(
    x: Option<&[T]>,
    [from, to]: [usize; 2],
    out: &mut [U],
    visit: impl Fn(&[T], &mut [U]) + Sync,
) -> Result<()> {
    let Some(x) = x.filter(|_| !out.is_empty()) else { return Ok(()) };
    let images = (TILE / from.max(to)).max(1);
    for_each_part(out, images * to, |k, out| {
        visit(&x[k * images * from..][..out.len() / to * from], out);
    })
}

/// The sizes that follow the leading axes.
fn tail(shape: &[usize], count: usize) -> &[usize] {
    &shape[shape.len() - count..]
}

/// What the windows show, zeros in the padding: from (..., axes) to (..., taps, places).
pub(crate) fn patches(
    x: View<'_>,
    windows: &[Window],
    mut out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Element>(
        x: View<'_>,
        layout: Layout<'_>,
        out: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        let sizes = [layout.image_len(), layout.tap_count() * layout.place_count()];
        for_each_image(x.as_slice(), sizes, out, |x, out| {
            simd::dispatch_floats::<T, _>(Patches { x, layout, out });
        })
    }
    let mut copy = None;
    let x = walk::contiguous("patches", x, &mut copy)?;
    let axes = windows.len();
    let (image, places) = (tail(x.shape(), axes), tail(out.shape(), axes));
    // The sizes outlive the borrow of what is written.
    let places: SmallVec<[usize; 3]> = SmallVec::from_slice(places);
    let layout = Layout { windows, image, places: &places };
    match x.dtype() {
        DType::F32 => of::<f32>(x, layout, out.slice_mut()),
        DType::F64 => of::<f64>(x, layout, out.slice_mut()),
        DType::I64 => of::<i64>(x, layout, out.slice_mut()),
        DType::Bool => of::<bool>(x, layout, out.slice_mut()),
    }
}

struct Patches<'a, T> {
    x: &'a [T],
    layout: Layout<'a>,
    out: &'a mut [MaybeUninit<T>],
}

impl<T: Element> Kernel for Patches<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Patches { x, layout, out } = self;
        if layout.windows.iter().any(|window| window.padding != (0, 0)) {
            out.fill(MaybeUninit::new(T::default()));
        }
        let places = layout.place_count();
        let (from, to) = (layout.image_len(), layout.tap_count() * places);
        if from == 0 || to == 0 {
            return;
        }
        for (x, out) in x.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
            layout.for_each_run(|Run { tap, place, len, first, step }| {
                let start = tap * places + place;
                let (x, out) = (&x[first..], &mut out[start..start + len]);
                if step == 1 {
                    out.write_copy_of_slice(&x[..len]);
                } else {
                    for (out, &x) in out.iter_mut().zip(x.iter().step_by(step)) {
                        out.write(x);
                    }
                }
            });
        }
    }
}

/// The transpose of `patches`: zeros, to which each element is added where it was shown,
/// tap by tap.
pub(crate) fn fold(
    x: View<'_>,
    windows: &[Window],
    mut out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Number>(
        x: View<'_>,
        layout: Layout<'_>,
        out: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        out.fill(MaybeUninit::new(T::ZERO));
        // SAFETY: the memory was filled.
        let out = unsafe {
            slice::from_raw_parts_mut(out.as_mut_ptr().cast::<T>(), out.len())
        };
        let sizes = [layout.tap_count() * layout.place_count(), layout.image_len()];
        for_each_image(x.as_slice(), sizes, out, |x, out| {
            simd::dispatch_floats::<T, _>(Fold { x, layout, out });
        })
    }
    let mut copy = None;
    let x = walk::contiguous("fold", x, &mut copy)?;
    let axes = windows.len();
    let image: SmallVec<[usize; 3]> = SmallVec::from_slice(tail(out.shape(), axes));
    let layout = Layout { windows, image: &image, places: tail(x.shape(), axes) };
    match x.dtype() {
        DType::F32 => of::<f32>(x, layout, out.slice_mut()),
        DType::F64 => of::<f64>(x, layout, out.slice_mut()),
        DType::I64 => of::<i64>(x, layout, out.slice_mut()),
        DType::Bool => unreachable!("truth values are not added"),
    }
}

struct Fold<'a, T> {
    x: &'a [T],
    layout: Layout<'a>,
    out: &'a mut [T],
}

impl<T: Number> Kernel for Fold<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Fold { x, layout, out } = self;
        let places = layout.place_count();
        let (from, to) = (layout.tap_count() * places, layout.image_len());
        if from == 0 || to == 0 {
            return;
        }
        for (x, out) in x.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
            layout.for_each_run(|Run { tap, place, len, first, step }| {
                let start = tap * places + place;
                let (x, out) = (&x[start..start + len], &mut out[first..]);
                if step == 1 {
                    for (sum, &x) in out.iter_mut().zip(x) {
                        *sum = sum.plus(x);
                    }
                } else {
                    for (sum, &x) in out.iter_mut().step_by(step).zip(x) {
                        *sum = sum.plus(x);
                    }
                }
            });
        }
    }
}

/// The largest element that each window shows, NaN if one is NaN; padding counts as
/// nothing. Each window lies at least partly within the image.
pub(crate) fn max_pool(
    x: View<'_>,
    windows: &[Window],
    mut out: ViewMut<'_>,
) -> Result<()> {
    fn of<T: Ordered>(
        x: View<'_>,
        layout: Layout<'_>,
        out: &mut [MaybeUninit<T>],
    ) -> Result<()> {
        out.fill(MaybeUninit::new(T::LEAST));
        // SAFETY: the memory was filled.
        let out = unsafe {
            slice::from_raw_parts_mut(out.as_mut_ptr().cast::<T>(), out.len())
        };
        let sizes = [layout.image_len(), layout.place_count()];
        for_each_image(x.as_slice(), sizes, out, |x, out| {
            simd::dispatch(MaxPool { x, layout, out });
        })
    }
    let mut copy = None;
    let x = walk::contiguous("max_pool", x, &mut copy)?;
    let axes = windows.len();
    let places: SmallVec<[usize; 3]> = SmallVec::from_slice(tail(out.shape(), axes));
    let layout = Layout { windows, image: tail(x.shape(), axes), places: &places };
    match x.dtype() {
        DType::F32 => of::<f32>(x, layout, out.slice_mut()),
        DType::F64 => of::<f64>(x, layout, out.slice_mut()),
        DType::I64 => of::<i64>(x, layout, out.slice_mut()),
        DType::Bool => of::<bool>(x, layout, out.slice_mut()),
    }
}

struct MaxPool<'a, T> {
    x: &'a [T],
    layout: Layout<'a>,
    out: &'a mut [T],
}

impl<T: Ordered> Kernel for MaxPool<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let MaxPool { x, layout, out } = self;
        let (from, to) = (layout.image_len(), layout.place_count());
        if from == 0 || to == 0 {
            return;
        }
        for (x, out) in x.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
            layout.for_each_run(|Run { place, len, first, step, .. }| {
                let (x, out) = (&x[first..], &mut out[place..place + len]);
                if step == 1 {
                    for (top, &x) in out.iter_mut().zip(x) {
                        *top = top.larger(x);
                    }
                } else {
                    for (top, &x) in out.iter_mut().zip(x.iter().step_by(step)) {
                        *top = top.larger(x);
                    }
                }
            });
        }
    }
}
