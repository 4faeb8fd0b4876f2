//! Walks over strided elements in C order.
//!
//! Axes are merged where memory allows, so most arrays become one axis or two, and the
//! innermost is left to the caller as a plain loop.

use crate::array::{Fresh, NdArray, View, ViewMut};
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::kernels::map::{self, Mode};
use crate::kernels::panels::Panels;
use crate::kernels::threads::{Shared, USUAL, for_each_tile, tile_size};
use crate::shape::{Shape, Type};
use smallvec::SmallVec;

/// Elements of a tile of a copy.
const TILE: usize = tile_size(1 << 16, 64);

/// An axis along which `N` arrays are walked together, with the step of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Dim<const N: usize> {
    pub(super) size: usize,
    pub(super) strides: [isize; N],
}

impl<const N: usize> Dim<N> {
    /// What stands in for an axis where there is none.
    pub(super) const ONE: Self = Dim { size: 1, strides: [1; N] };
}

/// Axes from the outermost to the innermost.
pub(super) type Dims<const N: usize> = SmallVec<[Dim<N>; 4]>;

/// The axes without those of size 1, and with neighbours merged where each array steps
/// over the inner one as a whole.
#[inline]
pub(super) fn merged<const N: usize>(
    dims: impl IntoIterator<Item = Dim<N>>,
) -> Dims<N> {
    let mut out = Dims::new();
    for dim in dims.into_iter().filter(|dim| dim.size != 1) {
        let whole = dim.strides.map(|stride| stride * dim.size.cast_signed());
        match out.last_mut() {
            Some(last) if last.strides == whole => {
                *last = Dim { size: last.size * dim.size, ..dim };
            }
            _ => out.push(dim),
        }
    }
    out
}

/// The merged axes of one array.
#[inline]
pub(super) fn dims_of(shape: &[usize], strides: &[isize]) -> Dims<1> {
    merged(shape.iter().zip(strides).map(|(&size, &s)| Dim { size, strides: [s] }))
}

/// The merged axes of two arrays of one shape.
#[inline]
pub(super) fn dims_of_two(shape: &[usize], a: &[isize], b: &[isize]) -> Dims<2> {
    let strides = a.iter().zip(b);
    merged(
        shape
            .iter()
            .zip(strides)
            .map(|(&size, (&a, &b))| Dim { size, strides: [a, b] }),
    )
}

/// The outer axes and the innermost one.
#[inline]
pub(super) fn split_inner<const N: usize>(dims: &[Dim<N>]) -> (&[Dim<N>], Dim<N>) {
    match dims.split_last() {
        Some((&inner, outer)) => (outer, inner),
        None => (&[], Dim::ONE),
    }
}

/// The offset of the element at a position in C order from the first, for each array.
pub(super) fn place<const N: usize>(dims: &[Dim<N>], position: usize) -> [isize; N] {
    let (mut at, mut rest) = ([0; N], position);
    for dim in dims.iter().rev() {
        for (at, stride) in at.iter_mut().zip(dim.strides) {
            *at += (rest % dim.size).cast_signed() * stride;
        }
        rest /= dim.size;
    }
    at
}

/// The same position along each axis.
pub(super) fn along_axes<const N: usize>(
    dims: &[Dim<N>],
    position: usize,
) -> SmallVec<[usize; 4]> {
    let (mut along, mut rest) = (SmallVec::from_elem(0, dims.len()), position);
    for (along, dim) in along.iter_mut().zip(dims).rev() {
        (*along, rest) = (rest % dim.size, rest / dim.size);
    }
    along
}

/// The positions of all elements, as offsets from the first element of each array.
pub(super) struct Walk<'a, const N: usize> {
    dims: &'a [Dim<N>],
    index: SmallVec<[usize; 4]>,
    at: [isize; N],
    left: usize,
}

impl<'a, const N: usize> Walk<'a, N> {
    #[inline(always)]
    pub(super) fn new(dims: &'a [Dim<N>]) -> Self {
        let left = dims.iter().map(|dim| dim.size).product();
        Walk { dims, index: SmallVec::from_elem(0, dims.len()), at: [0; N], left }
    }

    /// The positions from the given one on.
    pub(super) fn from(dims: &'a [Dim<N>], position: usize) -> Self {
        let mut walk = Walk::new(dims);
        if position > 0 {
            walk.left = walk.left.saturating_sub(position);
            walk.at = place(dims, position);
            walk.index = along_axes(dims, position);
        }
        walk
    }
}

impl<const N: usize> Iterator for Walk<'_, N> {
    type Item = [isize; N];

    #[inline(always)]
    fn next(&mut self) -> Option<[isize; N]> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        for (index, dim) in self.index.iter_mut().zip(self.dims).rev() {
            *index += 1;
            let last = *index == dim.size;
            let steps = if last { 1 - dim.size.cast_signed() } else { 1 };
            for (at, stride) in self.at.iter_mut().zip(dim.strides) {
                *at += steps * stride;
            }
            if !last {
                break;
            }
            *index = 0;
        }
        Some(at)
    }

    #[inline(always)]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<const N: usize> ExactSizeIterator for Walk<'_, N> {}

/// The elements in C order, from the given one on. `dims` is room for their axes.
pub(super) fn elements<'a, T: Element>(
    x: View<'a>,
    dims: &'a mut Dims<1>,
    position: usize,
) -> impl Iterator<Item = T> {
    assert_eq!(x.dtype(), T::DTYPE, "a view is read as its own type");
    *dims = dims_of(x.shape(), &x.strides());
    let first = x.first().cast::<T>();
    // SAFETY: the offset is that of an element.
    Walk::from(dims, position).map(move |[at]| unsafe { first.offset(at).read() })
}

/// Calls `along` with the innermost axis and each place where it starts.
#[inline(always)]
pub(super) fn for_each_inner<const N: usize>(
    dims: &[Dim<N>],
    mut along: impl FnMut([isize; N], Dim<N>),
) {
    match *dims {
        [] => along([0; N], Dim::ONE),
        [dim] => along([0; N], dim),
        [ref outer @ .., inner] => {
            Walk::new(outer).for_each(|start| along(start, inner));
        }
    }
}

/// Copies the elements that the axes, of which none is empty, reach.
///
/// # Safety
/// `from` may be read, and `to` written, at every offset that the axes reach.
#[inline(always)]
pub(super) unsafe fn copy<T: Copy>(from: *const T, to: *mut T, dims: &[Dim<2>]) {
    for_each_inner(dims, |[read, write], Dim { size, strides }| {
        // SAFETY: all offsets are among those that the axes reach.
        unsafe {
            let (from, to) = (from.offset(read), to.offset(write));
            match strides {
                _ if size == 1 => to.write(from.read()),
                [1, 1] => from.copy_to_nonoverlapping(to, size),
                [read, write] => {
                    for k in 0..size.cast_signed() {
                        to.offset(k * write).write(from.offset(k * read).read());
                    }
                }
            }
        }
    });
}

/// Copies the elements of `x` to places that lie `strides` apart.
///
/// # Safety
/// `x` holds elements of type `T`; `to` may be written at every offset that the shape
/// and `strides` reach, each once.
pub(super) unsafe fn copy_strided<T: Copy + Send>(
    x: View<'_>,
    to: *mut T,
    strides: &[isize],
) -> Result<()> {
    if x.is_empty() {
        return Ok(());
    }
    let dims = dims_of_two(x.shape(), &x.strides(), strides);
    // SAFETY: by the contract of this function.
    unsafe { in_tiles(&dims, x.first().cast(), to, copy::<T>) }
}

/// Calls `f`, which reads and writes at the offsets that axes reach, with parts of the
/// axes, of which none is empty.
///
/// # Safety
/// `f` may be called with all of the axes, and they reach each place to write once.
pub(super) unsafe fn in_tiles<T: Send>(
    dims: &[Dim<2>],
    from: *const T,
    to: *mut T,
    f: unsafe fn(*const T, *mut T, &[Dim<2>]),
) -> Result<()> {
    let len: usize = dims.iter().map(|dim| dim.size).product();
    if len <= TILE {
        // SAFETY: by the contract of this function.
        unsafe { f(from, to, dims) };
        return Ok(());
    }
    // A tile is a piece of a long row, or several short rows.
    let (outer, Dim { size, strides }) = split_inner(dims);
    let (piece, rows) = (size.min(TILE), (TILE / size).max(1));
    let (pieces, count) = (size.div_ceil(piece), len / size);
    let (from, to) = (Shared::new(from.cast_mut()), Shared::new(to));
    for_each_tile(count.div_ceil(rows) * pieces, USUAL, |k| {
        let start = k % pieces * piece;
        let inner = [Dim { size: piece.min(size - start), strides }];
        for [read, write] in Walk::from(outer, k / pieces * rows).take(rows) {
            let skip = strides.map(|stride| start.cast_signed() * stride);
            let from = from.at(0).cast_const().wrapping_offset(read + skip[0]);
            let to = to.at(0).wrapping_offset(write + skip[1]);
            // SAFETY: these are among the elements that the axes reach, and what is
            // written is this tile's alone.
            unsafe { f(from, to, &inner) };
        }
    })
}

impl View<'_> {
    /// A contiguous copy.
    pub(crate) fn copied(&self, op: &'static str) -> Result<NdArray> {
        let ty = Type::new(Shape::new(self.shape()), self.dtype());
        let mut array = Fresh::new(op, ty)?;
        self.copy_to(array.view())?;
        // SAFETY: `copy_to` wrote every element.
        Ok(unsafe { array.assume_init() })
    }

    /// Writes the elements, in C order, to contiguous memory.
    pub(crate) fn copy_to(&self, out: ViewMut<'_>) -> Result<()> {
        fn of<T: Element>(x: &View<'_>, mut out: ViewMut<'_>) -> Result<()> {
            let out = out.slice_mut::<T>();
            match x.as_slice::<T>() {
                Some(x) if x.len() <= TILE => {
                    out.write_copy_of_slice(x);
                    Ok(())
                }
                _ => {
                    let strides = Shape::new(x.shape()).strides();
                    // SAFETY: `out` has room for an array of this shape.
                    unsafe { copy_strided(*x, out.as_mut_ptr().cast::<T>(), &strides) }
                }
            }
        }
        if Panels::new(&[*self], self.shape()).is_some() {
            return map::move_to(*self, out.reshaped(self.shape()), Mode::Write);
        }
        match self.dtype() {
            DType::F32 => of::<f32>(self, out),
            DType::F64 => of::<f64>(self, out),
            DType::I64 => of::<i64>(self, out),
            DType::Bool => of::<bool>(self, out),
        }
    }
}

/// The view itself, or that of a contiguous copy, which is put into `copy`.
pub(super) fn contiguous<'a>(
    op: &'static str,
    x: View<'a>,
    copy: &'a mut Option<NdArray>,
) -> Result<View<'a>> {
    if x.is_contiguous() { Ok(x) } else { Ok(copy.insert(x.copied(op)?).view()) }
}
