//! Elementwise loops over any mix of contiguous, repeated and strided operands.
//!
//! A loop runs over blocks. Contiguous operands are read where they lie; a repeated
//! value fills a block once; strided operands are packed into a block. So one loop
//! body, over plain slices, serves every layout and vectorises for all of them.
//!
//! What has more elements than a tile is cut into tiles.

use super::guard::{Flag, Flagged, Guarded};
use super::pack::pack_run;
use super::panels::Panels;
use super::simd::{Kernel, dispatch, dispatch_floats};
use super::threads::{Shared, evenly, for_each_part, for_each_tile, tile_size};
use crate::array::{Fresh, NdArray, View, ViewMut};
use crate::dtype::{DType, Element, Scalar};
use crate::error::{Error, Fault, Result};
use crate::shape::{Shape, Type, broadcast_strides};
use smallvec::SmallVec;
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

/// Bytes of the results of a tile, about 10 microseconds of work: where each takes some
/// arithmetic, and where each takes a function such as `exp`.
const TILE: usize = tile_size(256 << 10, 4096);
const DEAR_TILE: usize = tile_size(64 << 10, 2048);

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
    fn at(operands: [T; N]) -> Self::Output;

    /// The same bits sooner, if the operands are common; otherwise with a raised flag.
    #[inline(always)]
    fn guarded(operands: [T; N]) -> Guarded<Self::Output, T::Flag> {
        Guarded::right(Self::at(operands))
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
    let tile = const { tile_of::<M::Output>(M::DEAR) };
    drive(operands, out, mode, body::<M, T, N>, tile)
}

/// Elements of a tile.
const fn tile_of<O: Lane>(dear: bool) -> usize {
    (if dear { DEAR_TILE } else { TILE }) / size_of::<O>()
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
    tile: usize,
) -> Result<()> {
    debug_assert_eq!(out.dtype(), O::Element::DTYPE);
    let (len, shape, first) = (out.len(), out.shape(), out.first_mut().cast());
    if let Some(panels) = Panels::new(&operands, shape) {
        return panels.drive(first, mode, body, tile);
    }
    if len <= tile {
        // SAFETY: the output has `len` elements.
        unsafe { run(&operands, shape, first, 0..len, mode, body) };
        return Ok(());
    }
    let (out, tile) = (Shared::new(first), evenly(len, tile, BLOCK));
    for_each_tile(len.div_ceil(tile), 1, |k| {
        let range = k * tile..len.min((k + 1) * tile);
        // SAFETY: the output has these elements, and they are this tile's alone.
        unsafe { run(&operands, shape, out.at(range.start), range, mode, body) };
    })
}

/// Runs a loop over a range of the elements, block by block. It is compiled once for
/// each type; only the loop itself is compiled for each op.
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
    for start in (0..len).step_by(BLOCK) {
        let count = BLOCK.min(len - start);
        let x = from_fn(|k| sources[k].next(start, count, &mut blocks[k]));
        // SAFETY: each operand has `count` elements here, and so has the output.
        unsafe { finish(body, x, out.add(start), count, mode) };
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

/// Adds results to what memory holds.
///
/// # Safety
/// Both reach `count` elements.
pub(super) unsafe fn accumulate<O: Lane>(
    results: *const O,
    sums: *mut O,
    count: usize,
) {
    // SAFETY: by the contract of this function.
    let (results, sums) = unsafe {
        let sums = std::slice::from_raw_parts_mut(sums, count);
        (std::slice::from_raw_parts(results, count), sums)
    };
    dispatch(Accumulate { results, sums });
}

struct Accumulate<'a, O> {
    results: &'a [O],
    sums: &'a mut [O],
}

impl<O: Lane> Kernel for Accumulate<'_, O> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sum, &x) in self.sums.iter_mut().zip(self.results) {
            *sum = sum.plus(x);
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
    struct Loop<'a, M: Map<T, N>, T: Lane, const N: usize> {
        x: [&'a [T]; N],
        out: &'a mut [MaybeUninit<M::Output>],
    }
    impl<M: Map<T, N>, T: Lane, const N: usize> Kernel for Loop<'_, M, T, N> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            over_slices::<M, T, N>(self.x, self.out);
        }
    }
    // SAFETY: by the contract of this function.
    unsafe {
        let x = x.map(|x| std::slice::from_raw_parts(x, count));
        let out = std::slice::from_raw_parts_mut(out.cast(), count);
        dispatch_floats::<T::Element, _>(Loop::<M, T, N> { x, out });
    }
}

/// References as parameters tell the compiler that the slices do not overlap.
#[inline(always)]
fn over_slices<M: Map<T, N>, T: Lane, const N: usize>(
    x: [&[T]; N],
    out: &mut [MaybeUninit<M::Output>],
) {
    for (k, out) in out.chunks_mut(GUARDED).enumerate() {
        // SAFETY: `body` made all slices of one length.
        let x = x.map(|x| unsafe {
            x.get_unchecked(k * GUARDED..).get_unchecked(..out.len())
        });
        // SAFETY: as above.
        let at = |i: usize| from_fn(|k| unsafe { *x[k].get_unchecked(i) });
        let mut flag = T::Flag::LOWERED;
        for (i, y) in out.iter_mut().enumerate() {
            let result = M::guarded(at(i));
            y.write(result.value);
            flag = flag.or(result.flag);
        }
        if flag.is_raised() {
            for (i, y) in out.iter_mut().enumerate() {
                y.write(M::at(at(i)));
            }
        }
    }
}

/// Adds the operand to `out`.
pub(crate) fn add_to(x: View<'_>, mut out: ViewMut<'_>) -> Result<()> {
    if x.is_contiguous() && x.shape() == out.shape() {
        let (dtype, len) = (out.dtype(), out.len());
        // SAFETY: both have this many elements of this type, and nothing else reads or
        // writes those of `out`.
        return unsafe { add_flat(dtype, x.first(), out.first_mut(), len) };
    }
    move_to(x, out, Mode::Add)
}

/// Adds `count` elements that lie flat to others.
///
/// # Safety
/// Both pointers reach `count` elements of the type, which are initialised and not the
/// same.
#[inline]
pub(crate) unsafe fn add_flat(
    dtype: DType,
    x: *const u8,
    sums: *mut u8,
    count: usize,
) -> Result<()> {
    #[inline]
    unsafe fn typed<T: Lane>(x: *const u8, sums: *mut u8, len: usize) -> Result<()> {
        let (x, sums) = (x.cast::<T>(), sums.cast::<T>());
        let tile = const { tile_of::<T>(false) };
        if len <= tile {
            // SAFETY: by the contract of this function.
            unsafe { accumulate(x, sums, len) };
            return Ok(());
        }
        let tile = evenly(len, tile, BLOCK);
        let (x, sums) = (Shared::new(x.cast_mut()), Shared::new(sums));
        for_each_tile(len.div_ceil(tile), 1, |k| {
            let (start, end) = (k * tile, len.min((k + 1) * tile));
            // SAFETY: by the contract of this function; the tiles do not meet.
            unsafe { accumulate(x.at(start), sums.at(start), end - start) };
        })
    }
    // SAFETY: by the contract of this function.
    unsafe {
        match dtype {
            DType::F32 => typed::<f32>(x, sums, count),
            DType::F64 => typed::<f64>(x, sums, count),
            DType::I64 => typed::<Wrapping<i64>>(x, sums, count),
            DType::Bool => typed::<bool>(x, sums, count),
        }
    }
}

/// Writes the operand to `out`, or adds it.
pub(super) fn move_to(x: View<'_>, out: ViewMut<'_>, mode: Mode) -> Result<()> {
    struct Same;
    impl<T: Lane> Map<T, 1> for Same {
        type Output = T;
        #[inline(always)]
        fn at([x]: [T; 1]) -> T {
            x
        }
    }
    match out.dtype() {
        DType::F32 => map::<Same, f32, 1>([x], out, mode),
        DType::F64 => map::<Same, f64, 1>([x], out, mode),
        DType::I64 => map::<Same, Wrapping<i64>, 1>([x], out, mode),
        DType::Bool => map::<Same, bool, 1>([x], out, mode),
    }
}

/// An operand as a sequence of blocks in the order of the output.
enum Source<T> {
    Slice(*const T),
    Repeat(T),
    Strided(Walk<T>),
}

impl<T: Lane> Source<T> {
    /// The elements from the given one on.
    #[inline]
    fn new(x: View<'_>, shape: &[usize], from: usize) -> Self {
        debug_assert_eq!(x.dtype(), T::Element::DTYPE);
        if x.is_contiguous() && x.shape() == shape {
            return Source::Slice(x.first().cast::<T>().wrapping_add(from));
        }
        Source::broadcast(x, shape, from)
    }

    fn broadcast(x: View<'_>, shape: &[usize], from: usize) -> Self {
        let first = x.first().cast::<T>();
        if shape.contains(&0) {
            return Source::Slice(first);
        }
        let strides = broadcast_strides(x.shape(), &x.strides(), shape);
        if strides.iter().all(|&stride| stride == 0) {
            // SAFETY: what broadcasts to a shape with elements has one.
            return Source::Repeat(unsafe { first.read() });
        }
        Source::Strided(Walk::new(first, shape, &strides, from))
    }

    /// The next `count` elements, after `start` that were taken; packed into `block`
    /// where they do not lie behind one another.
    fn next(
        &mut self,
        start: usize,
        count: usize,
        block: &mut [MaybeUninit<T>; BLOCK],
    ) -> *const T {
        match self {
            // SAFETY: a slice has an element for each of the output.
            Source::Slice(first) => return unsafe { first.add(start) },
            Source::Repeat(x) if start == 0 => {
                block[..count].fill(MaybeUninit::new(*x));
            }
            Source::Repeat(_) => {}
            Source::Strided(walk) => walk.pack(&mut block[..count]),
        }
        block.as_ptr().cast()
    }
}

/// A walk over the elements of a strided array, in C order.
struct Walk<T> {
    at: *const T,
    /// Sizes and strides from the innermost axis outward; neighbours that lie behind
    /// one another are merged.
    axes: SmallVec<[(usize, isize); 4]>,
    /// The position along each axis.
    position: SmallVec<[usize; 4]>,
}

impl<T: Copy> Walk<T> {
    /// Starts at element `from`.
    fn new(first: *const T, shape: &[usize], strides: &[isize], from: usize) -> Self {
        let mut axes: SmallVec<[(usize, isize); 4]> = SmallVec::new();
        for (&size, &stride) in shape.iter().zip(strides).rev().filter(|x| *x.0 != 1) {
            match axes.last_mut() {
                Some((inner, step)) if stride == *step * inner.cast_signed() => {
                    *inner *= size;
                }
                _ => axes.push((size, stride)),
            }
        }
        if axes.is_empty() {
            axes.push((1, 1));
        }
        let (mut at, mut rest) = (first, from);
        let mut step = |&(size, stride): &(usize, isize)| {
            let position = rest % size;
            rest /= size;
            at = at.wrapping_offset(stride * position.cast_signed());
            position
        };
        let position = axes.iter().map(&mut step).collect();
        Walk { at, axes, position }
    }

    /// Copies the next elements into the block.
    fn pack(&mut self, block: &mut [MaybeUninit<T>]) {
        let (size, stride) = self.axes[0];
        let mut filled = 0;
        while filled < block.len() {
            let run = (size - self.position[0]).min(block.len() - filled);
            // SAFETY: `run` elements are left along the innermost axis.
            unsafe { pack_run(self.at, stride, &mut block[filled..filled + run]) };
            self.at = self.at.wrapping_offset(stride * run.cast_signed());
            self.position[0] += run;
            filled += run;
            if self.position[0] == size {
                self.carry();
                if run == size {
                    filled += self.repeat(block, filled);
                }
            }
        }
    }

    /// Fills the block with the row that was packed last, as often as it comes again
    /// before the last time, which moves on. Gives how many elements that are.
    fn repeat(&mut self, block: &mut [MaybeUninit<T>], filled: usize) -> usize {
        let size = self.axes[0].0;
        let Some(&(rows, 0)) = self.axes.get(1) else { return 0 };
        let again = match self.position[1] {
            // That was the last time.
            0 => 0,
            row => (rows - 1 - row).min((block.len() - filled) / size),
        };
        self.position[1] += again;
        let (from, end) = (filled - size, filled + again * size);
        let mut next = filled;
        while next < end {
            // Twice as many each time.
            let count = (next - from).min(end - next);
            block.copy_within(from..from + count, next);
            next += count;
        }
        again * size
    }

    /// Steps to the next row once the innermost axis is at its end.
    fn carry(&mut self) {
        for (k, &(size, stride)) in self.axes.iter().enumerate() {
            if self.position[k] < size {
                return;
            }
            self.position[k] = 0;
            self.at = self.at.wrapping_offset(-stride * size.cast_signed());
            let Some(&(_, outer)) = self.axes.get(k + 1) else { return };
            self.position[k + 1] += 1;
            self.at = self.at.wrapping_offset(outer);
        }
    }
}

/// Writes `a` where the condition holds, otherwise `b`; all broadcast to `out`.
pub(crate) fn select(
    condition: View<'_>,
    a: View<'_>,
    b: View<'_>,
    out: ViewMut<'_>,
) -> Result<()> {
    fn typed<T: Lane>(
        c: View<'_>,
        a: View<'_>,
        b: View<'_>,
        mut out: ViewMut<'_>,
    ) -> Result<()> {
        let shape = out.shape();
        let tile = evenly(out.len(), const { tile_of::<T>(false) }, BLOCK);
        for_each_part(out.slice_mut::<T::Element>(), tile, |k, out| {
            let condition = Source::<bool>::new(c, shape, k * tile);
            let sides = [a, b].map(|x| Source::<T>::new(x, shape, k * tile));
            dispatch_floats::<T::Element, _>(Select { condition, sides, out });
        })
    }
    match out.dtype() {
        DType::F32 => typed::<f32>(condition, a, b, out),
        DType::F64 => typed::<f64>(condition, a, b, out),
        DType::I64 => typed::<Wrapping<i64>>(condition, a, b, out),
        DType::Bool => typed::<bool>(condition, a, b, out),
    }
}

struct Select<'a, T: Lane> {
    condition: Source<bool>,
    sides: [Source<T>; 2],
    out: &'a mut [MaybeUninit<T::Element>],
}

impl<T: Lane> Kernel for Select<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let len = self.out.len();
        let out = self.out.as_mut_ptr().cast::<MaybeUninit<T>>();
        let mut flags = [const { MaybeUninit::uninit() }; BLOCK];
        let mut blocks = [[const { MaybeUninit::uninit() }; BLOCK]; 2];
        let mut start = 0;
        while start < len {
            let count = BLOCK.min(len - start);
            let condition = self.condition.next(start, count, &mut flags);
            let [a, b] = from_fn(|k| self.sides[k].next(start, count, &mut blocks[k]));
            // SAFETY: each operand has `count` elements here, and so has the output.
            unsafe {
                let condition = std::slice::from_raw_parts(condition, count);
                let a = std::slice::from_raw_parts(a, count);
                let b = std::slice::from_raw_parts(b, count);
                let out = std::slice::from_raw_parts_mut(out.add(start), count);
                for (((y, &c), &a), &b) in out.iter_mut().zip(condition).zip(a).zip(b) {
                    y.write(if c { a } else { b });
                }
            }
            start += count;
        }
    }
}

/// `x - rate * g`, elementwise, for floats of one type and shape.
pub(crate) fn descend(x: &NdArray, g: &NdArray, rate: f64) -> Result<NdArray> {
    struct Step;
    impl<T: Lane + Mul<Output = T> + Sub<Output = T>> Map<T, 3> for Step {
        type Output = T;
        #[inline(always)]
        fn at([x, g, rate]: [T; 3]) -> T {
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
    let operands = [x.view(), g.view(), View::of_word(&rate, x.dtype())];
    let mut out = Fresh::new(op, Type::new(Shape::new(x.shape()), x.dtype()))?;
    match x.dtype() {
        DType::F32 => map::<Step, f32, 3>(operands, out.view(), Mode::Write)?,
        DType::F64 => map::<Step, f64, 3>(operands, out.view(), Mode::Write)?,
        dtype => return Err(Error::new(Fault::Unsupported { op, dtype })),
    }
    // SAFETY: the loop wrote every element.
    Ok(unsafe { out.assume_init() })
}

impl NdArray {
    /// This array, or a copy with its elements as another type: floats round to the
    /// nearest, integers are truncated towards zero, `bool` is whether an element
    /// differs from 0.
    pub fn cast(&self, dtype: DType) -> Result<NdArray> {
        if self.dtype() == dtype {
            return Ok(self.clone());
        }
        let ty = Type::new(Shape::new(self.shape()), dtype);
        let mut array = Fresh::new("cast", ty)?;
        cast(self.view(), array.view())?;
        // SAFETY: `cast` wrote every element.
        Ok(unsafe { array.assume_init() })
    }
}

/// Writes the elements as another type.
pub(crate) fn cast(x: View<'_>, out: ViewMut<'_>) -> Result<()> {
    macro_rules! each_pair {
        ($($from:ty, $from_tag:ident { $($to:ty, $to_tag:ident, $f:expr;)* })*) => {
            match (x.dtype(), out.dtype()) { $($(
                (DType::$from_tag, DType::$to_tag) => {
                    struct Convert;
                    impl Map<$from, 1> for Convert {
                        type Output = $to;
                        #[inline(always)]
                        #[allow(
                            clippy::cast_possible_truncation,
                            clippy::redundant_closure_call,
                            reason = "a cast is what was asked for"
                        )]
                        fn at([x]: [$from; 1]) -> $to {
                            ($f)(x)
                        }
                    }
                    map::<Convert, $from, 1>([x], out, Mode::Write)
                }
            )*)* }
        };
    }
    each_pair! {
        f32, F32 {
            f32, F32, |x: f32| x;
            f64, F64, f64::from;
            Wrapping<i64>, I64, |x: f32| Wrapping(x as i64);
            bool, Bool, |x: f32| x != 0.0;
        }
        f64, F64 {
            f32, F32, |x: f64| x as f32;
            f64, F64, |x: f64| x;
            Wrapping<i64>, I64, |x: f64| Wrapping(x as i64);
            bool, Bool, |x: f64| x != 0.0;
        }
        Wrapping<i64>, I64 {
            f32, F32, |x: Wrapping<i64>| x.0 as f32;
            f64, F64, |x: Wrapping<i64>| x.0 as f64;
            Wrapping<i64>, I64, |x: Wrapping<i64>| x;
            bool, Bool, |x: Wrapping<i64>| x.0 != 0;
        }
        bool, Bool {
            f32, F32, |x: bool| f32::from(u8::from(x));
            f64, F64, |x: bool| f64::from(u8::from(x));
            Wrapping<i64>, I64, |x: bool| Wrapping(i64::from(x));
            bool, Bool, |x: bool| x;
        }
    }
}
