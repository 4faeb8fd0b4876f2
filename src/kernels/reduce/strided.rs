//! The order of a reduction over strided memory: row by row, or many columns side by
//! side, whichever follows memory.
//!
//! Only the loops over elements are compiled for each instruction set.
//!
//! Large reductions are cut into tiles: of several results, or of parts of the terms of
//! one result, which meet in a tree.

use super::fold::{Fold, GROUP, fold_block, join_tree, lift_each};
use crate::array::buffer::Buffer;
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::Element;
use crate::error::Result;
use crate::kernels::simd::{self, Kernel};
use crate::kernels::threads::{Shared, USUAL, for_each_part, for_each_tile, tile_size};
use crate::kernels::walk::{self, Dim, Dims, Walk};
use crate::shape::{Shape, Strides};
use std::mem::MaybeUninit;
use std::{array, slice};

/// Bytes of a tile: a power of two, so that the terms of one result meet in the same tree
/// as without tiles.
const TILE: usize = tile_size(1 << 19, 1 << 9);
/// Short rows that are folded in one call.
const ROWS: usize = 16;
/// Columns that are folded side by side: long pieces of rows are read sooner.
pub(super) const WIDTH: usize = 256;
/// Rows that are added to one running result; beyond that, results meet in a tree.
const HEIGHT: usize = 32 * GROUP;
/// Results of pieces that are joined one by one: of more, all at once.
const FEW: usize = 16;
/// Rows of fewer columns are folded as if several were one.
const NARROW: usize = 32;

/// Folds `axes` of an array that is not empty.
pub(super) fn reduce<F: Fold>(
    op: &'static str,
    fold: F,
    x: View<'_>,
    axes: &[usize],
    mut out: ViewMut<'_>,
) -> Result<()> {
    debug_assert!(!x.is_empty());
    let (first, kept, reduced) =
        dense_axes(x, axes).unwrap_or_else(|| any_axes(x, axes));
    let by_columns = match (kept.last(), reduced.last()) {
        (Some(kept), Some(run)) => (1..run.strides[0]).contains(&kept.strides[0].abs()),
        (kept, _) => kept.is_some(),
    };
    let mut reduction =
        Reduction { fold, first: first.cast(), kept, reduced, by_columns };
    let _memory = reduction.pack(op)?;
    // SAFETY: the axes are those of an array whose first element is `first`, and the
    // innermost has stride 1.
    unsafe { reduction.run(op, out.slice_mut()) }
}

/// The first element, the kept axes and the reduced axes of a contiguous array that is
/// reduced along neighbouring axes: the common case, and the quick one.
#[inline(always)]
fn dense_axes(x: View<'_>, axes: &[usize]) -> Option<(*const u8, Dims<1>, Dims<1>)> {
    let (&start, end) = (axes.first()?, axes.last()? + 1);
    if !x.is_contiguous() || end - start != axes.len() {
        return None;
    }
    let size = |axes: &[usize]| axes.iter().product::<usize>();
    let (outer, rest) = x.shape().split_at(start);
    let (rows, columns) = rest.split_at(axes.len());
    let (rows, columns) = (size(rows), size(columns));
    let dims = |sizes: [(usize, usize); 2]| {
        let dims =
            sizes.map(|(size, step)| Dim { size, strides: [step.cast_signed()] });
        dims.into_iter().filter(|dim| dim.size != 1).collect()
    };
    let kept = dims([(size(outer), rows * columns), (columns, 1)]);
    Some((x.first(), kept, dims([(1, 0), (rows, columns)])))
}

/// As `dense_axes`, for any array.
fn any_axes(x: View<'_>, axes: &[usize]) -> (*const u8, Dims<1>, Dims<1>) {
    let (mut kept, mut reduced) = (Dims::new(), Dims::new());
    let mut first = x.first();
    for (k, (&size, mut stride)) in x.shape().iter().zip(x.strides()).enumerate() {
        if !axes.contains(&k) {
            kept.push(Dim { size, strides: [stride] });
            continue;
        }
        if stride < 0 {
            let bytes = stride * x.dtype().size().cast_signed();
            first = first.wrapping_offset(bytes * (size - 1).cast_signed());
            stride = -stride;
        }
        reduced.push(Dim { size, strides: [stride] });
    }
    // The order along reduced axes is free, so it is that of memory: forward, the
    // smallest step innermost, and repetitions outermost.
    reduced.sort_unstable_by_key(|dim| (dim.strides != [0], -dim.strides[0]));
    (first, walk::merged(kept), walk::merged(reduced))
}

// SAFETY: it refers to elements that are only read.
unsafe impl<F: Fold> Sync for Reduction<F> {}

struct Reduction<F: Fold> {
    fold: F,
    first: *const F::Item,
    kept: Dims<1>,
    reduced: Dims<1>,
    /// Whether the innermost axis is a kept one.
    by_columns: bool,
}

impl<F: Fold> Reduction<F> {
    /// Elements of a tile.
    const TILE: usize = TILE / size_of::<F::Item>();

    /// Copies the elements, unless the innermost axis has stride 1 already; returns
    /// what keeps the copy alive.
    fn pack(&mut self, op: &'static str) -> Result<Option<NdArray>> {
        let kept = self.kept.len();
        let (outer, columns) =
            self.kept.split_at_mut(kept - usize::from(self.by_columns));
        let dims = || outer.iter().chain(self.reduced.iter()).chain(columns.iter());
        if dims().last().is_none_or(|dim| dim.strides == [1]) {
            return Ok(None);
        }
        let shape: Shape = dims().map(|dim| dim.size).collect();
        let strides: Strides = dims().map(|dim| dim.strides[0]).collect();
        let mut copy = None;
        // SAFETY: the axes are those of the array that is reduced.
        let x = unsafe {
            View::from_raw(self.first.cast(), &shape, Some(&strides), F::Item::DTYPE)
        };
        let x = walk::contiguous(op, x, &mut copy)?;
        self.first = x.first().cast();
        let dims = outer.iter_mut().chain(&mut self.reduced).chain(columns);
        for (dim, &stride) in dims.zip(&shape.strides()) {
            dim.strides = [stride];
        }
        self.reduced = walk::merged(self.reduced.iter().copied());
        Ok(copy)
    }

    /// # Safety
    /// All offsets that the axes reach from `first` are those of elements, and the
    /// innermost axis has stride 1.
    unsafe fn run(
        &self,
        op: &'static str,
        out: &mut [MaybeUninit<F::Item>],
    ) -> Result<()> {
        let terms: usize = self.reduced.iter().map(|dim| dim.size).product();
        if terms * out.len() > Self::TILE {
            // SAFETY: as above.
            return unsafe { self.run_tiles(op, terms, out) };
        }
        let (outer, inner) = walk::split_inner(&self.kept);
        let outputs = out.chunks_exact_mut(inner.size);
        for (out, [start]) in outputs.zip(Walk::new(outer)) {
            let finish = |acc| self.fold.finish(acc);
            // SAFETY: `start` is the offset of an element; otherwise as above.
            unsafe { self.along(self.first.offset(start), &self.reduced, out, finish) }
        }
        Ok(())
    }

    /// As `run`, in tiles.
    ///
    /// # Safety
    /// As for `run`.
    #[inline(never)]
    unsafe fn run_tiles(
        &self,
        op: &'static str,
        terms: usize,
        out: &mut [MaybeUninit<F::Item>],
    ) -> Result<()> {
        let (outer, inner) = walk::split_inner(&self.kept);
        let (step, unit) = if self.by_columns {
            (1, WIDTH.min(inner.size))
        } else {
            (inner.strides[0], 1)
        };
        // A unit is as many results as are folded side by side.
        let per_axis = inner.size.div_ceil(unit);
        let units = out.len() / inner.size * per_axis;
        // The results from the given one of a unit on: where their elements start, where
        // they are written, and how many are left along the axis.
        let at = |unit_number: usize| {
            let (position, start) =
                (unit_number / per_axis, unit_number % per_axis * unit);
            let [offset] = walk::place(outer, position);
            let offset = offset + start.cast_signed() * step;
            (offset, position * inner.size + start, inner.size - start)
        };
        let first = Shared::new(self.first.cast_mut());
        let first = |offset: isize| first.at(0).cast_const().wrapping_offset(offset);
        let pieces = Pieces::new(&self.reduced, terms, Self::TILE / unit);
        let (len, results) = (out.len(), Shared::new(out.as_mut_ptr()));
        if pieces.count == 1 {
            let count = (Self::TILE / (terms * unit)).max(1);
            return for_each_tile(units.div_ceil(count), USUAL, |tile| {
                let (mut k, end) = (tile * count, units.min((tile + 1) * count));
                while k < end {
                    let (offset, place, left) = at(k);
                    let width = left.min((end - k) * unit);
                    // SAFETY: the results are this tile's alone.
                    unsafe {
                        let out = slice::from_raw_parts_mut(results.at(place), width);
                        let finish = |acc| self.fold.finish(acc);
                        self.along(first(offset), &self.reduced, out, finish);
                    }
                    k += width.div_ceil(unit);
                }
            });
        }
        let bytes = pieces.count * len * size_of::<F::Acc>();
        let memory = Buffer::new(op, bytes, &[pieces.count, len])?;
        let partial = Shared::new(memory.data().cast::<MaybeUninit<F::Acc>>());
        for_each_tile(units * pieces.count, USUAL, |tile| {
            let (k, piece) = (tile / pieces.count, tile % pieces.count);
            let (offset, place, left) = at(k);
            let (skip, reduced) = pieces.get(&self.reduced, piece);
            let to = partial.at(piece * len + place);
            // SAFETY: the memory has room for the results of each piece, and these are
            // this tile's alone.
            unsafe {
                let out = slice::from_raw_parts_mut(to, left.min(unit));
                self.along(first(offset + skip), &reduced, out, |acc| acc);
            }
        })?;
        let results = (Self::TILE / pieces.count).max(1);
        for_each_part(out, results, |part, out| {
            let first = part * results;
            // SAFETY: the tiles have written all results of each piece.
            let read = |piece, k| unsafe {
                partial.at(piece * len + first + k).read().assume_init()
            };
            if out.len() < FEW {
                for (k, out) in out.iter_mut().enumerate() {
                    let items = (0..pieces.count).map(|piece| read(piece, k));
                    let acc = join_tree(items, F::join).unwrap_or(F::NEUTRAL);
                    out.write(self.fold.finish(acc));
                }
                return;
            }
            for (start, out) in (0..).step_by(WIDTH).zip(out.chunks_mut(WIDTH)) {
                let items = (0..pieces.count).map(|piece| {
                    let mut acc = [F::NEUTRAL; WIDTH];
                    for (k, acc) in acc[..out.len()].iter_mut().enumerate() {
                        *acc = read(piece, start + k);
                    }
                    acc
                });
                let acc = join_tree(items, join_columns::<F>);
                let acc = acc.unwrap_or([F::NEUTRAL; WIDTH]);
                write(&acc, out, |acc| self.fold.finish(acc));
            }
        })
    }

    /// Folds `reduced` axes for results along the innermost kept axis.
    ///
    /// # Safety
    /// As for `run`, from `first`.
    #[inline(always)]
    unsafe fn along<O>(
        &self,
        first: *const F::Item,
        reduced: &[Dim<1>],
        out: &mut [MaybeUninit<O>],
        finish: impl Fn(F::Acc) -> O,
    ) {
        // SAFETY: by the contract of this function.
        unsafe {
            if self.by_columns {
                Self::columns(first, reduced, out, finish);
            } else {
                let (_, inner) = walk::split_inner(&self.kept);
                Self::rows(first, inner.strides[0], reduced, out, finish);
            }
        }
    }

    /// Folds rows whose first elements lie `step` apart.
    ///
    /// # Safety
    /// As for `run`, from `first`.
    unsafe fn rows<O>(
        mut first: *const F::Item,
        step: isize,
        reduced: &[Dim<1>],
        out: &mut [MaybeUninit<O>],
        finish: impl Fn(F::Acc) -> O,
    ) {
        let (outer, Dim { size: len, .. }) = walk::split_inner(reduced);
        if outer.is_empty() && len <= F::BLOCK {
            for out in out.chunks_mut(ROWS) {
                let mut acc = [F::NEUTRAL; ROWS];
                let acc = &mut acc[..out.len()];
                simd::dispatch(Rows::<F> { first, step, len, acc });
                write(acc, out, &finish);
                first = first.wrapping_offset(step * ROWS.cast_signed());
            }
            return;
        }
        for out in out.chunks_mut(1) {
            let blocks = Walk::new(outer).flat_map(|[start]| {
                // SAFETY: a run of `len` elements starts here.
                let run = unsafe { slice::from_raw_parts(first.offset(start), len) };
                run.chunks(F::BLOCK)
            });
            let fold = |block: &[F::Item]| {
                let (first, len) = (block.as_ptr(), block.len());
                let mut acc = [F::NEUTRAL];
                simd::dispatch(Rows::<F> { first, step: 0, len, acc: &mut acc });
                acc[0]
            };
            let acc = join_tree(blocks.map(fold), F::join).unwrap_or(F::NEUTRAL);
            write(&[acc], out, &finish);
            first = first.wrapping_offset(step);
        }
    }

    /// Folds columns that lie side by side.
    ///
    /// # Safety
    /// As for `run`, from `first`.
    unsafe fn columns<O>(
        mut first: *const F::Item,
        reduced: &[Dim<1>],
        out: &mut [MaybeUninit<O>],
        finish: impl Fn(F::Acc) -> O,
    ) {
        let mut room = [const { MaybeUninit::uninit() }; WIDTH];
        for out in out.chunks_mut(WIDTH) {
            let acc = neutral::<F>(&mut room[..out.len()]);
            // SAFETY: as above.
            unsafe { fold_columns::<F>(first, reduced, acc) };
            write(acc, out, &finish);
            first = first.wrapping_add(WIDTH);
        }
    }
}

fn write<A: Copy, O>(acc: &[A], out: &mut [MaybeUninit<O>], finish: impl Fn(A) -> O) {
    for (out, &acc) in out.iter_mut().zip(acc) {
        out.write(finish(acc));
    }
}

/// How the terms of each result are cut: along the longest of their axes.
struct Pieces {
    axis: usize,
    size: usize,
    count: usize,
}

impl Pieces {
    /// Of about `wanted` terms.
    fn new(reduced: &[Dim<1>], terms: usize, wanted: usize) -> Self {
        let sizes = reduced.iter().map(|dim| dim.size).enumerate();
        let Some((axis, longest)) = sizes.max_by_key(|&(_, size)| size) else {
            return Pieces { axis: 0, size: 1, count: 1 };
        };
        let largest = (wanted / (terms / longest)).max(1);
        let size = 1 << largest.ilog2();
        Pieces { axis, size, count: longest.div_ceil(size) }
    }

    /// The offset of a piece, and its axes.
    fn get(&self, reduced: &Dims<1>, piece: usize) -> (isize, Dims<1>) {
        let mut dims = reduced.clone();
        let Dim { size, strides: [stride] } = &mut dims[self.axis];
        let start = piece * self.size;
        *size = self.size.min(*size - start);
        (start.cast_signed() * *stride, dims)
    }
}

/// Running results that have folded nothing.
#[inline(always)]
fn neutral<F: Fold>(room: &mut [MaybeUninit<F::Acc>]) -> &mut [F::Acc] {
    room.fill(MaybeUninit::new(F::NEUTRAL));
    // SAFETY: all were written.
    unsafe { room.assume_init_mut() }
}

/// Folds neighbouring columns into `acc`, which is neutral.
///
/// # Safety
/// At each offset that `rows` reach from `first` lie as many elements as columns.
unsafe fn fold_columns<F: Fold>(
    first: *const F::Item,
    rows: &[Dim<1>],
    acc: &mut [F::Acc],
) {
    let (outer, Dim { size: count, strides: [step] }) = walk::split_inner(rows);
    if outer.is_empty() && count <= HEIGHT {
        simd::dispatch(Columns::<F> { first, step, count, acc });
    } else if acc.len() <= NARROW && outer.is_empty() && step == acc.len().cast_signed()
    {
        // SAFETY: the rows follow one another.
        unsafe { fold_narrow_columns::<F>(first, count, acc) };
    } else {
        // SAFETY: as above.
        unsafe { fold_tall_columns::<F>(first, rows, acc) };
    }
}

/// Folds columns of many rows: blocks of them in a tree.
///
/// # Safety
/// As for `fold_columns`.
// Apart, as short columns should not pay for its large frame.
#[inline(never)]
unsafe fn fold_tall_columns<F: Fold>(
    first: *const F::Item,
    rows: &[Dim<1>],
    acc: &mut [F::Acc],
) {
    let (outer, Dim { size, strides: [step] }) = walk::split_inner(rows);
    let width = acc.len();
    let blocks = Walk::new(outer).flat_map(|[start]| {
        (0..size).step_by(HEIGHT).map(move |row| {
            let first = first.wrapping_offset(start + row.cast_signed() * step);
            let mut acc = [F::NEUTRAL; WIDTH];
            let (count, folded) = (HEIGHT.min(size - row), &mut acc[..width]);
            simd::dispatch(Columns::<F> { first, step, count, acc: folded });
            acc
        })
    });
    if let Some(all) = join_tree(blocks, join_columns::<F>) {
        acc.copy_from_slice(&all[..width]);
    }
}

/// Joins the results of columns side by side.
fn join_columns<F: Fold>(
    mut a: [F::Acc; WIDTH],
    b: [F::Acc; WIDTH],
) -> [F::Acc; WIDTH] {
    for (a, &b) in a.iter_mut().zip(&b) {
        *a = F::join(*a, b);
    }
    a
}

/// Folds the columns of a dense matrix that is too narrow to fill a vector register:
/// as one with fewer, longer rows, whose parts are folded at last.
///
/// # Safety
/// From `first` lie so many rows of as many elements as columns.
unsafe fn fold_narrow_columns<F: Fold>(
    first: *const F::Item,
    rows: usize,
    acc: &mut [F::Acc],
) {
    let width = acc.len();
    let times = WIDTH / width;
    let long = times * width;
    let dim = |size, width: usize| Dim { size, strides: [width.cast_signed()] };
    let mut room = [const { MaybeUninit::uninit() }; WIDTH];
    let wide = neutral::<F>(&mut room[..long]);
    // SAFETY: the long rows and the rows that are left are all the elements.
    unsafe {
        fold_columns::<F>(first, &[dim(rows / times, long)], wide);
        let rest = first.add(rows / times * long);
        fold_columns::<F>(rest, &[dim(rows % times, width)], acc);
    }
    let mut parts = times;
    while parts > 1 {
        let half = parts.div_ceil(2);
        for k in half * width..parts * width {
            wide[k - half * width] = F::join(wide[k - half * width], wide[k]);
        }
        parts = half;
    }
    for (acc, &x) in acc.iter_mut().zip(&wide[..width]) {
        *acc = F::join(*acc, x);
    }
}

/// The loop over rows of up to `F::BLOCK` elements.
struct Rows<'a, F: Fold> {
    first: *const F::Item,
    step: isize,
    len: usize,
    acc: &'a mut [F::Acc],
}

impl<F: Fold> Kernel for Rows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let mut first = self.first;
        for acc in self.acc {
            // SAFETY: whoever makes a `Rows` vouches for the elements of each row.
            let row = unsafe { slice::from_raw_parts(first, self.len) };
            *acc = fold_block::<F, FMA>(row);
            first = first.wrapping_offset(self.step);
        }
    }
}

/// The loop over columns of up to `HEIGHT` rows, which finds `acc` neutral.
pub(super) struct Columns<'a, F: Fold> {
    pub(super) first: *const F::Item,
    pub(super) step: isize,
    pub(super) count: usize,
    pub(super) acc: &'a mut [F::Acc],
}

impl<F: Fold> Kernel for Columns<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(mut self) {
        if F::QUICK && self.count >= GROUP {
            self.fold(F::lift_group::<FMA>);
            // Without a way out of the loop it becomes vectors.
            if !self.acc.iter().fold(false, |any, &acc| any | F::failed(acc)) {
                return;
            }
            self.acc.fill(F::NEUTRAL);
        }
        self.fold(lift_each::<F>);
    }
}

impl<F: Fold> Columns<'_, F> {
    #[inline(always)]
    fn fold(&mut self, lift_group: impl Fn([F::Item; GROUP]) -> F::Acc) {
        let Columns { mut first, step, count, ref mut acc } = *self;
        let width = acc.len();
        let mut next_row = || {
            // SAFETY: whoever makes a `Columns` vouches for the elements of each row.
            let row = unsafe { slice::from_raw_parts(first, width) };
            first = first.wrapping_offset(step);
            row
        };
        for _ in 0..count / GROUP {
            let rows: [_; GROUP] = array::from_fn(|_| next_row());
            // The zip tells the compiler that `k` is below the width.
            for (k, (acc, _)) in acc.iter_mut().zip(rows[0]).enumerate() {
                *acc = F::join(*acc, lift_group(array::from_fn(|r| rows[r][k])));
            }
        }
        for _ in 0..count % GROUP {
            for (acc, &x) in acc.iter_mut().zip(next_row()) {
                *acc = F::join(*acc, F::lift(x));
            }
        }
    }
}
