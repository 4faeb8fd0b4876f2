//! Elementwise loops over any mix of contiguous, repeated and strided operands.
//!
//! A loop runs over blocks. Contiguous operands are read where they lie; a repeated
//! value fills a block once; strided operands are packed into a block. So one loop
//! body, over plain slices, serves every layout and vectorises for all of them.
//!
//! What has more elements than a tile is cut into tiles.

mod add;
mod cast;
mod select;
mod source;
#[cfg(test)]
mod tests;

use super::guard::{Flag, Flagged, Guarded};
use super::panels::Panels;
use super::simd::{Kernel, dispatch_floats, dispatch_streams};
use super::threads::{Shared, USUAL, evenly, for_each_tile, tile_size};
use crate::array::{Fresh, NdArray, View, ViewMut};
use crate::dtype::{DType, Element, Scalar};
use crate::error::{Error, Fault, Result};
use crate::shape::{Shape, Type};
pub(crate) use add::add_to;
pub(super) use add::{accumulate, move_to};
pub(crate) use cast::cast;
pub(crate) use select::select;
use source::Source;
use std::array::from_fn;
use std::mem::MaybeUninit;
use std::num::Wrapping;
use std::ops::{Add, BitOr, Mul, Range, Sub};

/// Elements of a block: four operands of `f64` stay within half of L1.
const BLOCK: usize = 512;

/// Results that wait for their way to memory which is already in use.
const RESULTS: usize = 512;

/// Elements that are computed again if the flag of one of them is raised.
const GUARDED: usize = 1024;

/// Bytes of the results of a tile. One size for all loops, so that each thread's part of the
/// elements is the same from loop to loop.
const TILE: usize = tile_size(64 << 10, 2048);
/// Bytes of results from which on arrays may lie beyond the caches.
const STREAM: usize = 4 * TILE;
/// The weight of a tile whose results take some arithmetic. Those of a function such as `exp`
/// have the usual one.
const LIGHT: usize = USUAL / 4;

/// A type that loops compute with: floats, and integers that wrap.
pub(crate) trait Lane: Flagged + Send {
    /// The element type with the same bytes.
    type Element: Element;
    /// The sum; for booleans whether either is true.
    fn plus(self, other: Self) -> Self;
}

macro_rules! lanes {
    ($($lane:ty, $element:ty, $plus:expr;)*) => { $(
        impl Lane for $lane {
            type Element = $element;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                $plus(self, other)
            }
        }
    )* };
}
lanes! {
    f32, f32, f32::add;
    f64, f64, f64::add;
    Wrapping<i64>, i64, Wrapping::add;
    bool, bool, bool::bitor;
}

/// What is computed at each position.
pub(crate) trait Map<T: Flagged, const N: usize> {
    type Output: Lane;
    /// Whether a result takes more time than its way to memory.
    const DEAR: bool = false;
    /// Functions fuse multiplications with additions if `FMA`.
    fn at<const FMA: bool>(operands: [T; N]) -> Self::Output;

    /// The same bits sooner, if the operands are common; otherwise with a raised flag.
    #[inline(always)]
    fn guarded<const FMA: bool>(operands: [T; N]) -> Guarded<Self::Output, T::Flag> {
        Guarded::right(Self::at::<FMA>(operands))
    }
}

/// How results reach their memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// The memory is fresh.
    Write,
    /// As `Write`, but the memory may be that of an operand, element for element.
    Overwrite,
    /// Results are added to what the memory holds.
    Add,
}

/// Writes or adds `M` of the operands, which broadcast to the shape of `out`.
pub(crate) fn map<M, T, const N: usize>(
    operands: [View<'_>; N],
    out: ViewMut<'_>,
    mode: Mode,
) -> Result<()>
where
    M: Map<T, N>,
    T: Lane,
{
    let weight = if M::DEAR { USUAL } else { LIGHT };
    let is_stream = !M::DEAR && out.len() * size_of::<M::Output>() > STREAM;
    let body = if is_stream { stream::<M, T, N> } else { body::<M, T, N> };
    drive(operands, out, mode, body, weight)
}

/// Elements of a tile.
pub(super) const fn tile_of<O: Lane>() -> usize {
    TILE / size_of::<O>()
}

/// Writes `M` of `count` elements that lie flat.
///
/// # Safety
/// Each pointer reaches `count` elements of type `T`, `out` room for as many results,
/// elsewhere.
#[inline]
pub(crate) unsafe fn map_flat<M, T, const N: usize>(
    x: [*const u8; N],
    out: *mut u8,
    count: usize,
) where
    M: Map<T, N>,
    T: Lane,
{
    // SAFETY: by the contract of this function.
    unsafe { body::<M, T, N>(x.map(<*const u8>::cast), out.cast(), count) }
}

/// Writes or adds `M` of `count` elements that lie flat.
///
/// # Safety
/// As for `map_flat`; `out` is initialised if results are added to it, and may be an
/// operand's memory if it is overwritten.
#[inline]
pub(crate) unsafe fn pull_flat<M, T, const N: usize>(
    x: [*const u8; N],
    out: *mut u8,
    count: usize,
    mode: Mode,
) where
    M: Map<T, N>,
    T: Lane,
{
    // SAFETY: by the contract of this function.
    unsafe {
        finish(body::<M, T, N>, x.map(<*const u8>::cast), out.cast(), count, mode);
    }
}

/// A loop over `count` elements of each operand.
pub(super) type Body<T, O, const N: usize> = unsafe fn([*const T; N], *mut O, usize);

/// Runs a loop over all elements, tile by tile.
fn drive<T: Lane, O: Lane, const N: usize>(
    operands: [View<'_>; N],
    mut out: ViewMut<'_>,
    mode: Mode,
    body: Body<T, O, N>,
    weight: usize,
) -> Result<()> {
    debug_assert_eq!(out.dtype(), O::Element::DTYPE);
    let tile = const { tile_of::<O>() };
    let (len, shape, first) = (out.len(), out.shape(), out.first_mut().cast());
    if let Some(panels) = Panels::new(&operands, shape) {
        return panels.drive(first, mode, body, weight);
    }
    if len <= tile {
        // SAFETY: the output has `len` elements.
        unsafe { run(&operands, shape, first, 0..len, mode, body) };
        return Ok(());
    }
    let (out, tile) = (Shared::new(first), evenly(len, tile, BLOCK));
    for_each_tile(len.div_ceil(tile), weight, |k| {
        let range = k * tile..len.min((k + 1) * tile);
        // SAFETY: the output has these elements, and they are this tile's alone.
        unsafe { run(&operands, shape, out.at(range.start), range, mode, body) };
    })
}

/// Runs a loop over a range of the elements, block by block or row by row. It is compiled
/// once for each type; only the loop itself is compiled for each op.
///
/// # Safety
/// `out` has room for the results of the range, of a shape with at least as many
/// elements; they are initialised if results are added to them.
unsafe fn run<T: Lane, O: Lane, const N: usize>(
    operands: &[View<'_>; N],
    shape: &[usize],
    out: *mut O,
    range: Range<usize>,
    mode: Mode,
    body: Body<T, O, N>,
) {
    let len = range.len();
    let mut blocks = [[const { MaybeUninit::uninit() }; BLOCK]; N];
    let whole = from_fn(|k| at_once(&operands[k], shape, &range, &mut blocks[k]));
    if whole.iter().all(|x: &*const T| !x.is_null()) {
        // SAFETY: each operand has an element for each of the output.
        return unsafe { finish(body, whole, out, len, mode) };
    }
    let mut sources = operands.map(|x| Source::<T>::new(x, shape, range.start));
    let mut start = 0;
    while start < len {
        let reach = |count: usize, x: &Source<T>| count.min(x.reach());
        let count = sources.iter().fold(len - start, reach);
        let x = from_fn(|k| sources[k].next(start, count, &mut blocks[k]));
        // SAFETY: each operand has `count` elements here, and so has the output.
        unsafe { finish(body, x, out.add(start), count, mode) };
        start += count;
    }
}

/// The elements of an operand, if they lie behind one another or repeat one value that
/// fills a single block; otherwise null.
#[inline]
fn at_once<T: Lane>(
    x: &View<'_>,
    shape: &[usize],
    range: &Range<usize>,
    block: &mut [MaybeUninit<T>; BLOCK],
) -> *const T {
    if x.is_contiguous() && (std::ptr::eq(x.shape(), shape) || x.shape() == shape) {
        return x.first().cast::<T>().wrapping_add(range.start);
    }
    let len = range.len();
    if x.shape().is_empty() && len <= BLOCK {
        // SAFETY: an operand without axes has one element.
        block[..len].fill(MaybeUninit::new(unsafe { x.first().cast::<T>().read() }));
        return block.as_ptr().cast();
    }
    std::ptr::null()
}

/// Runs the loop over some elements, whose results reach `out` by the given mode.
///
/// # Safety
/// Each pointer of `x` reaches `count` elements, `out` room for as many: elsewhere if
/// they are written, initialised if they are added to.
// Its block stays in a frame of its own: inlined into a choice among all ops it would make
// one frame of many pages, which every call has to touch.
#[inline(never)]
pub(super) unsafe fn finish<T: Lane, O: Lane, const N: usize>(
    body: Body<T, O, N>,
    x: [*const T; N],
    out: *mut O,
    count: usize,
    mode: Mode,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        if mode == Mode::Write {
            return body(x, out, count);
        }
        let mut results = [const { MaybeUninit::<O>::uninit() }; RESULTS];
        let results = results.as_mut_ptr().cast::<O>();
        let (mut x, mut out, mut rest) = (x, out, count);
        while rest > 0 {
            let count = rest.min(RESULTS);
            body(x, results, count);
            if mode == Mode::Overwrite {
                out.copy_from_nonoverlapping(results, count);
            } else {
                accumulate(results, out, count);
            }
            (x, out, rest) = (x.map(|x| x.add(count)), out.add(count), rest - count);
        }
    }
}

/// The loop of `M`, for the instruction set in use.
///
/// # Safety
/// Each pointer of `x` reaches `count` elements, `out` room for as many, elsewhere.
unsafe fn body<M: Map<T, N>, T: Lane, const N: usize>(
    x: [*const T; N],
    out: *mut M::Output,
    count: usize,
) {
    // SAFETY: by the contract of this function.
    dispatch_floats::<T::Element, _>(unsafe { Loop::<M, T, N>::new(x, out, count) });
}

/// As `body`, for large arrays and little arithmetic.
///
/// # Safety
/// As for `body`.
unsafe fn stream<M: Map<T, N>, T: Lane, const N: usize>(
    x: [*const T; N],
    out: *mut M::Output,
    count: usize,
) {
    // SAFETY: by the contract of this function.
    dispatch_streams::<T::Element, _>(unsafe { Loop::<M, T, N>::new(x, out, count) });
}

struct Loop<'a, M: Map<T, N>, T: Lane, const N: usize> {
    x: [&'a [T]; N],
    out: &'a mut [MaybeUninit<M::Output>],
}

impl<M: Map<T, N>, T: Lane, const N: usize> Loop<'_, M, T, N> {
    /// # Safety
    /// As for `body`; the elements and the room are there as long as the loop.
    #[inline(always)]
    unsafe fn new(x: [*const T; N], out: *mut M::Output, count: usize) -> Self {
        // SAFETY: by the contract of this function.
        unsafe {
            let x = x.map(|x| std::slice::from_raw_parts(x, count));
            Loop { x, out: std::slice::from_raw_parts_mut(out.cast(), count) }
        }
    }
}

impl<M: Map<T, N>, T: Lane, const N: usize> Kernel for Loop<'_, M, T, N> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        over_slices::<M, T, N, FMA>(self.x, self.out);
    }
}

/// References as parameters tell the compiler that the slices do not overlap.
#[inline(always)]
fn over_slices<M: Map<T, N>, T: Lane, const N: usize, const FMA: bool>(
    x: [&[T]; N],
    out: &mut [MaybeUninit<M::Output>],
) {
    // Only functions have twins, so other loops run through.
    let size = if const { M::DEAR } { GUARDED } else { out.len().max(1) };
    for (k, out) in out.chunks_mut(size).enumerate() {
        // SAFETY: a `Loop` has slices of one length.
        let x = x
            .map(|x| unsafe { x.get_unchecked(k * size..).get_unchecked(..out.len()) });
        // SAFETY: as above.
        let at = |i: usize| from_fn(|k| unsafe { *x[k].get_unchecked(i) });
        let mut flag = T::Flag::LOWERED;
        for (i, y) in out.iter_mut().enumerate() {
            let result = M::guarded::<FMA>(at(i));
            y.write(result.value);
            flag = flag.or(result.flag);
        }
        if flag.is_raised() {
            for (i, y) in out.iter_mut().enumerate() {
                y.write(M::at::<FMA>(at(i)));
            }
        }
    }
}

/// `x - rate * g`, elementwise, for floats of one type and shape.
pub(crate) fn descend(x: View<'_>, g: View<'_>, rate: f64) -> Result<NdArray> {
    struct Step;
    impl<T: Lane + Mul<Output = T> + Sub<Output = T>> Map<T, 3> for Step {
        type Output = T;
        #[inline(always)]
        fn at<const FMA: bool>([x, g, rate]: [T; 3]) -> T {
            x - rate * g
        }
    }
    let op = "descend";
    if x.shape() != g.shape() {
        let operands = [x.shape(), g.shape()].into_iter().collect();
        return Err(Error::new(Fault::Broadcast { op, operands }));
    }
    if x.dtype() != g.dtype() {
        let (found, wanted) = (g.dtype(), x.dtype());
        return Err(Error::new(Fault::WrongDType { op, found, wanted }));
    }
    let rate = Scalar::Float(rate).to_bits(x.dtype());
    let mut out = Fresh::new(op, Type::new(Shape::new(x.shape()), x.dtype()))?;
    let operands = [x, g, View::of_word(&rate, x.dtype())];
    match x.dtype() {
        DType::F32 => map::<Step, f32, 3>(operands, out.view(), Mode::Write)?,
        DType::F64 => map::<Step, f64, 3>(operands, out.view(), Mode::Write)?,
        dtype => return Err(Error::new(Fault::Unsupported { op, dtype })),
    }
    // SAFETY: the loop wrote every element.
    Ok(unsafe { out.assume_init() })
}
