//! Matrix products.
//!
//! Large products of floats go to the `gemm` crate, and narrow ones to a loop; both fuse
//! multiplications with additions where the processor can. Small ones, those with
//! vectors, and those of integers and truth values have loops of their own that do not,
//! so every instruction set gives the same bits.
//!
//! What takes long is cut into panels of the result, whose terms are never divided. A
//! panel of few columns costs nothing: `gemm` packs each part of the second matrix once
//! all the same, and reads the first as it lies. One of few rows would pack all of the
//! second matrix again.

mod narrow;
mod small;
#[cfg(test)]
mod tests;
mod vector;

use crate::array::{Fresh, View, ViewMut};
use crate::dtype::DType;
use crate::error::{Error, Fault, Result};
use crate::kernels::pack::Block;
use crate::kernels::reduce::Number;
use crate::kernels::simd;
use crate::kernels::threads::{
    Shared, USUAL, evenly, for_each_part, for_each_tile, tile_size,
};
use crate::kernels::walk::{self, Dim, Walk};
use crate::shape::{Shape, Type};
use narrow::Narrow;
use small::Small;
use std::cell::Cell;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};

/// Multiplications up to which the loop below beats `gemm`, by measurement: where the
/// columns of the second matrix are neighbours, and where they are not.
const SMALL: usize = 2048;
const SMALL_STRIDED: usize = 512;
/// Columns that lie a multiple of so many elements apart compete for the same places in the
/// caches, where `gemm` packs them. They are turned first, if there are so many rows.
const ALIASED: isize = 256;
const LEAST_ROWS: usize = 16;
/// Terms up to which adding them one by one does.
const SHALLOW: usize = 64;

/// The time of a product grows with its multiplications times the bytes of an element:
/// 2¹⁸ take about a microsecond. Up to this, a product is one panel.
const WHOLE: usize = tile_size(1 << 23, 1 << 14);
/// Up to this, 20 milliseconds, a panel is not cut further.
const LONGEST: usize = tile_size(1 << 32, 1 << 15);
/// What a tile of small products takes.
const TILE: usize = tile_size(1 << 21, 1 << 12);
/// Bytes of a row of a panel.
const WIDTH: usize = tile_size(512, 128);
/// The rows and columns of a panel are multiples of this, where there are as many.
const UNIT: usize = 8;
/// Rows of a panel where a product has no more columns, by whether the columns of the
/// second matrix are neighbours: where not, it is slow to pack.
const HEIGHT: usize = tile_size(256, 16);
const HEIGHT_STRIDED: usize = tile_size(2048, 32);

/// The product of the matrices along the last two axes; the other axes are equal.
pub(crate) fn matmul(a: View<'_>, b: View<'_>, mut out: ViewMut<'_>) -> Result<()> {
    match a.dtype() {
        DType::F32 => multiply(a, b, out.slice_mut(), panel::<f32>, product::<f32>),
        DType::F64 => multiply(a, b, out.slice_mut(), panel::<f64>, product::<f64>),
        DType::I64 => multiply(a, b, out.slice_mut(), rows::<i64>, in_order::<i64>),
        DType::Bool => multiply(a, b, out.slice_mut(), rows::<bool>, in_order::<bool>),
    }
}

/// A matrix to read: its first element, and the steps between rows and columns.
#[derive(Clone, Copy)]
struct Matrix<T> {
    first: *const T,
    row: isize,
    column: isize,
}

// SAFETY: it is a reference to elements that are only read.
unsafe impl<T: Sync> Sync for Matrix<T> {}

impl<T: Copy> Matrix<T> {
    /// The first matrix of an array.
    #[inline(always)]
    fn of(x: View<'_>) -> Self {
        let first = x.first().cast();
        let (row, column) = match *x.shape() {
            [.., columns] if x.is_contiguous() => (columns.cast_signed(), 1),
            _ => match *x.strides() {
                [.., row, column] => (row, column),
                _ => unreachable!("a matrix has two axes"),
            },
        };
        Matrix { first, row, column }
    }

    /// The matrix whose first element lies `offset` behind that of this one.
    #[inline(always)]
    fn from(self, offset: isize) -> Self {
        Matrix { first: self.first.wrapping_offset(offset), ..self }
    }

    /// The matrix without its first rows and columns.
    #[inline(always)]
    fn at(self, row: usize, column: usize) -> Self {
        self.from(row.cast_signed() * self.row + column.cast_signed() * self.column)
    }
}

/// The sizes of a product: `m × k` by `k × n`.
#[derive(Clone, Copy)]
struct Sizes {
    m: usize,
    k: usize,
    n: usize,
}

impl Sizes {
    /// A measure of the time that the product takes.
    #[inline(always)]
    fn work<T>(self) -> usize {
        self.m.saturating_mul(self.k).saturating_mul(self.n * size_of::<T>())
    }
}

/// Writes one product to rows that lie as far apart as the last argument says. False if
/// there is no memory for that.
type Product<T> =
    unsafe fn(Sizes, Matrix<T>, Matrix<T>, *mut MaybeUninit<T>, usize) -> bool;

/// Calls `product` for each pair of matrices, or for each panel of large ones, of as
/// many rows and columns as `panel` says.
fn multiply<T: Number>(
    a: View<'_>,
    b: View<'_>,
    out: &mut [MaybeUninit<T>],
    panel: fn(Sizes, &Matrix<T>) -> [usize; 2],
    product: Product<T>,
) -> Result<()> {
    let ([batch @ .., m, k], [.., n]) = (a.shape(), b.shape()) else {
        unreachable!("a matrix has two axes")
    };
    let mut sizes = Sizes { m: *m, k: *k, n: *n };
    if out.is_empty() {
        return Ok(());
    }
    let (mut left, right) = (Matrix::of(a), Matrix::of(b));
    let mut pairs = walk::Dims::new();
    if !batch.is_empty() {
        pairs = walk::dims_of_two(batch, &a.strides(), &b.strides());
        // Matrices that lie one below the other and meet the same `b` are one tall
        // matrix.
        while let Some(&Dim { size, strides: [step, 0] }) = pairs.last() {
            if sizes.m == 1 {
                left.row = step;
            } else if step != left.row * sizes.m.cast_signed() {
                break;
            }
            sizes.m *= size;
            pairs.pop();
        }
    }
    let (len, work) = (sizes.m * sizes.n, sizes.work::<T>());
    let has_failed = AtomicBool::new(false);
    let note = |done: bool| {
        if !done {
            has_failed.store(true, Ordering::Relaxed);
        }
    };
    if work <= WHOLE && out.len() == len {
        // SAFETY: these are the matrices, and `out` has `m` rows of `n` elements.
        note(unsafe { product(sizes, left, right, out.as_mut_ptr(), sizes.n) });
    } else if work <= WHOLE {
        let count = (TILE / work.max(1)).max(1);
        for_each_part(out, count * len, |k, out| {
            let products = out.chunks_exact_mut(len);
            for (out, [a, b]) in products.zip(Walk::from(&pairs, k * count)) {
                let (a, b, out) = (left.from(a), right.from(b), out.as_mut_ptr());
                // SAFETY: as above.
                note(unsafe { product(sizes, a, b, out, sizes.n) });
            }
        })?;
    } else {
        let Sizes { m, k, n } = sizes;
        let [rows, columns] = panel(sizes, &right);
        let across = n.div_ceil(columns);
        let panels = m.div_ceil(rows) * across;
        let weight = (work / panels / TILE).max(1) * USUAL;
        let (pair_count, out) = (out.len() / len, Shared::new(out.as_mut_ptr()));
        for_each_tile(pair_count * panels, weight, |tile| {
            let (pair, panel) = (tile / panels, tile % panels);
            let (i, j) = (panel / across * rows, panel % across * columns);
            let [a, b] = walk::place(&pairs, pair);
            let (a, b) = (left.from(a).at(i, 0), right.from(b).at(0, j));
            let sizes = Sizes { m: rows.min(m - i), k, n: columns.min(n - j) };
            let out = out.at(pair * len + i * n + j);
            // SAFETY: these are parts of the matrices, and no two panels meet.
            note(unsafe { product(sizes, a, b, out, n) });
        })?;
    }
    if has_failed.into_inner() {
        let (op, shape) = ("matmul", vec![sizes.m, sizes.n]);
        return Err(Error::new(Fault::Memory { op, bytes: packed::<T>(sizes), shape }));
    }
    Ok(())
}

/// Bytes that a product asks for at most: `gemm`, to pack parts of both matrices, or
/// before it a copy of the second.
fn packed<T>(sizes: Sizes) -> usize {
    // It packs up to 1,024 terms at a time, and rounds rows and columns up.
    let Sizes { m, k, n } = sizes;
    m.saturating_add(n + 128).saturating_mul(k.min(1024) * size_of::<T>())
}

/// Whether there is memory for a product. `gemm` would end the process if not: what it
/// asks for is asked for here first, where it is worth a question.
fn has_memory<T>(sizes: Sizes) -> bool {
    /// What is as likely to be there as for any small thing.
    const LITTLE: usize = 1 << 16;
    /// More than a second cache has, which a thread's first product asks for.
    const FIRST: usize = 4 << 20;
    thread_local!(static KNOWS_GEMM: Cell<bool> = const { Cell::new(false) });

    let mut bytes = packed::<T>(sizes);
    if !KNOWS_GEMM.get() {
        bytes = bytes.saturating_add(FIRST);
    }
    // The compiler takes memory that nothing uses for granted, unless it cannot know.
    let is_there = || black_box(&mut Vec::<u8>::new()).try_reserve_exact(bytes).is_ok();
    let is_there = bytes <= LITTLE || is_there();
    KNOWS_GEMM.set(KNOWS_GEMM.get() || is_there);
    is_there
}

/// The rows and columns of a panel of floats.
fn panel<T>(sizes: Sizes, b: &Matrix<T>) -> [usize; 2] {
    let Sizes { m, k, n } = sizes;
    let widest = WIDTH / size_of::<T>();
    let (tallest, columns) = if n > widest {
        // As many as two, four or eight threads can share.
        let count = n.div_ceil(widest);
        let count = if count < 8 { count.next_power_of_two() } else { count };
        (m.next_multiple_of(UNIT), n.div_ceil(count).next_multiple_of(UNIT))
    } else {
        (if b.column == 1 { HEIGHT } else { HEIGHT_STRIDED }, n)
    };
    let longest = LONGEST / (k * columns * size_of::<T>()) / UNIT * UNIT;
    [evenly(m, tallest.min(longest).max(UNIT), UNIT), columns]
}

/// As `panel`, but whole rows, for the loop below, which takes four times as long.
fn rows<T>(sizes: Sizes, _: &Matrix<T>) -> [usize; 2] {
    let row = Sizes { m: 1, ..sizes }.work::<T>();
    [(WHOLE / row.max(1)).max(1), sizes.n]
}

/// One product of floats.
unsafe fn product<T: Number>(
    sizes: Sizes,
    a: Matrix<T>,
    b: Matrix<T>,
    out: *mut MaybeUninit<T>,
    row: usize,
) -> bool {
    let Sizes { m, k, n } = sizes;
    let limit = if b.column == 1 { SMALL } else { SMALL_STRIDED };
    let is_small = k <= SHALLOW && m * n * k <= limit;
    let is_outer = k == 1 && b.column == 1;
    if (is_small || is_outer) && row == n {
        // SAFETY: by the contract of this function.
        return unsafe { in_order(sizes, a, b, out, row) };
    }
    if row == n && narrow::takes(sizes, &b) {
        // SAFETY: by the contract of this function.
        let out = unsafe { slice::from_raw_parts_mut(out, m * n) };
        simd::dispatch(Narrow { sizes, a, b, out });
        return true;
    }
    // SAFETY: by the contract of this function; a column of one element ends a row.
    if (m == 1 || row == 1) && unsafe { vector::product(sizes, a, b, out) } {
        return true;
    }
    let (mut b, mut copy) = (b, None);
    if n > 1 && b.row == 1 && b.column > 1 && b.column % ALIASED == 0 && m >= LEAST_ROWS
    {
        // SAFETY: by the contract of this function.
        let Ok((memory, turned)) = (unsafe { turned(sizes, b) }) else { return false };
        (b, copy) = (turned, Some(memory));
    }
    if !has_memory::<T>(sizes) {
        return false;
    }
    let (to, row) = (out.cast::<T>(), row.cast_signed());
    let (zero, one, alone) = (T::ZERO, T::ONE, gemm::Parallelism::None);
    // SAFETY: the sizes and steps are those of the operands, and `out` has room for as
    // many rows and columns. It is not read, as the third `false` says.
    unsafe {
        gemm::gemm(
            m, n, k, to, 1, row, false, a.first, a.column, a.row, b.first, b.column,
            b.row, zero, one, false, false, false, alone,
        );
    }
    drop(copy);
    true
}

/// A copy of the second matrix, whose rows are neighbours, with columns that are, and the
/// memory that holds it.
///
/// # Safety
/// The matrix has `k` rows of `n` elements.
unsafe fn turned<T: Number>(sizes: Sizes, b: Matrix<T>) -> Result<(Fresh, Matrix<T>)> {
    /// Rows of which the first cache holds the copy.
    const ROWS: usize = 64;
    let Sizes { k, n, .. } = sizes;
    // Rows of the copy do not compete for the same places.
    let pitch = n + 16;
    let mut copy = Fresh::new("matmul", Type::new(Shape::new(&[k, pitch]), T::DTYPE))?;
    let to = copy.view().first_mut().cast::<T>();
    for start in (0..k).step_by(ROWS) {
        let (first, steps) = (b.at(start, 0).first, [b.row, b.column]);
        let block = Block { first, steps, rows: ROWS.min(k - start), columns: n };
        // SAFETY: these are elements of the matrix, and the copy has room for them.
        unsafe { block.pack(to.add(start * pitch), pitch) };
    }
    Ok((copy, Matrix { first: to, row: pitch.cast_signed(), column: 1 }))
}

/// One product of any numbers. The rows follow one another.
unsafe fn in_order<T: Number>(
    sizes: Sizes,
    a: Matrix<T>,
    b: Matrix<T>,
    out: *mut MaybeUninit<T>,
    row: usize,
) -> bool {
    debug_assert_eq!(row, sizes.n);
    // SAFETY: by the contract of this function.
    let out = unsafe { slice::from_raw_parts_mut(out, sizes.m * sizes.n) };
    if b.column == 1 {
        simd::dispatch_floats::<T, _>(Small::<T, true> { sizes, a, b, out });
    } else {
        simd::dispatch_floats::<T, _>(Small::<T, false> { sizes, a, b, out });
    }
    true
}
