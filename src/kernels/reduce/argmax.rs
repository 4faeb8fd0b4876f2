//! Where a maximum lies.

use super::fold::{Max, Ordered, fold_block, join_tiles};
use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::simd::{self, Kernel};
use crate::kernels::threads::{for_each_part, tile_size};
use crate::kernels::walk;
use std::mem::MaybeUninit;

/// Elements of a tile.
const TILE: usize = tile_size(1 << 16, 64);
/// Columns that are searched side by side.
const WIDTH: usize = 64;
/// Elements of a row of which only the maximum is taken, until one of them wins.
const BLOCK: usize = 256;

/// The position of the first maximum along `axis`, or of that of all elements in C
/// order; a NaN is a maximum. The axis is not empty.
pub(crate) fn argmax(x: View<'_>, axis: Option<usize>, out: ViewMut<'_>) -> Result<()> {
    let mut copy = None;
    let x = walk::contiguous("argmax", x, &mut copy)?;
    match x.dtype() {
        DType::F32 => of::<f32>(x, axis, out),
        DType::F64 => of::<f64>(x, axis, out),
        DType::I64 => of::<i64>(x, axis, out),
        DType::Bool => of::<bool>(x, axis, out),
    }
}

fn of<T: Ordered>(
    x: View<'_>,
    axis: Option<usize>,
    mut out: ViewMut<'_>,
) -> Result<()> {
    let (rows, columns) = match axis {
        None => (x.len(), 1),
        Some(axis) => (x.shape()[axis], x.shape()[axis + 1..].iter().product()),
    };
    let Some(x) = x.as_slice::<T>().filter(|x| !x.is_empty()) else { return Ok(()) };
    let out = out.slice_mut();
    let matrix = rows * columns;
    if matrix <= TILE {
        let count = TILE / matrix;
        return for_each_part(out, count * columns, |k, out| {
            let x = &x[k * count * matrix..][..out.len() * rows];
            simd::dispatch(ArgMax { x, rows, columns, out });
        });
    }
    for (matrix, out) in x.chunks_exact(matrix).zip(out.chunks_exact_mut(columns)) {
        if columns == 1 {
            out[0].write((first_max_of_tiles(matrix)? as u64).cast_signed());
        } else {
            for_each_part(out, WIDTH, |k, out| {
                let matrix = &matrix[k * WIDTH..];
                simd::dispatch(ArgMaxOfColumns { matrix, columns, out });
            })?;
        }
    }
    Ok(())
}

fn first_max_of_tiles<T: Ordered>(row: &[T]) -> Result<usize> {
    let search = |k: usize| {
        let x = &row[k * TILE..row.len().min((k + 1) * TILE)];
        k * TILE + simd::dispatch(ArgMaxOfRow { x })
    };
    let first = |a: usize, b: usize| if row[b].beats(row[a]) { b } else { a };
    let found = join_tiles("argmax", row.len().div_ceil(TILE), search, first)?;
    Ok(found.unwrap_or(0))
}

struct ArgMaxOfRow<'a, T> {
    x: &'a [T],
}

impl<T: Ordered> Kernel for ArgMaxOfRow<'_, T> {
    type Output = usize;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> usize {
        first_max(self.x)
    }
}

struct ArgMaxOfColumns<'a, T> {
    matrix: &'a [T],
    columns: usize,
    out: &'a mut [MaybeUninit<i64>],
}

impl<T: Ordered> Kernel for ArgMaxOfColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        first_max_of_columns(self.matrix, self.columns, self.out);
    }
}

/// Searches matrices, that lie one behind the other, along their rows.
struct ArgMax<'a, T> {
    x: &'a [T],
    rows: usize,
    columns: usize,
    out: &'a mut [MaybeUninit<i64>],
}

impl<T: Ordered> Kernel for ArgMax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        if self.columns == 1 {
            for (row, out) in self.x.chunks_exact(self.rows).zip(self.out) {
                out.write((first_max(row) as u64).cast_signed());
            }
            return;
        }
        let matrices = self.x.chunks_exact(self.rows * self.columns);
        for (matrix, out) in matrices.zip(self.out.chunks_exact_mut(self.columns)) {
            for (block, out) in out.chunks_mut(WIDTH).enumerate() {
                first_max_of_columns(&matrix[block * WIDTH..], self.columns, out);
            }
        }
    }
}

#[inline(always)]
fn first_max<T: Ordered>(row: &[T]) -> usize {
    let (mut best, mut winner) = (T::LEAST, 0);
    for (k, block) in row.chunks(BLOCK).enumerate() {
        let max = fold_block::<Max<T>, false>(block);
        if max.beats(best) {
            (best, winner) = (max, k * BLOCK);
        }
    }
    let equal = |&x: &T| x == best || x.is_nan();
    winner + row[winner..].iter().position(equal).unwrap_or(0)
}

/// Searches as many columns as there are outputs; `matrix` starts with the first.
#[inline(always)]
fn first_max_of_columns<T: Ordered>(
    matrix: &[T],
    columns: usize,
    out: &mut [MaybeUninit<i64>],
) {
    let (mut best, mut winner) = ([T::LEAST; WIDTH], [0; WIDTH]);
    for (k, row) in (0..).zip(matrix.chunks(columns)) {
        for ((best, winner), &x) in
            best.iter_mut().zip(&mut winner).zip(&row[..out.len()])
        {
            let wins = x.beats(*best);
            *best = if wins { x } else { *best };
            *winner = if wins { k } else { *winner };
        }
    }
    out.write_copy_of_slice(&winner[..out.len()]);
}
