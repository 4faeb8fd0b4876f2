//! Products of a matrix and a vector, which memory bounds: each element of the matrix is
//! read once, in the order in which it lies.

use super::{Matrix, Sizes};
use crate::kernels::reduce::Number;
use crate::kernels::simd::{self, Kernel};
use crate::kernels::threads::tile_size;
use std::array;
use std::mem::MaybeUninit;
use std::slice;

/// Rows of the matrix that are read side by side.
const ROWS: usize = 8;
/// Outputs that stay in the first cache while rows are added to them.
const BLOCK: usize = tile_size(2048, 48);
/// Neighbours that are multiplied at a time: of a long row, and of a short one.
const LANES: usize = 32;
const FEW: usize = 8;
/// Rows whose sums are computed side by side.
const SUMS: usize = 4;

/// Writes the product if one operand is a vector whose elements are neighbours, and the
/// other a matrix whose rows or columns are. False, and nothing written, if not.
///
/// # Safety
/// The matrices have these sizes, and `out` has room for the product, whose elements
/// follow one another.
pub(super) unsafe fn product<T: Number>(
    Sizes { m, k, n }: Sizes,
    a: Matrix<T>,
    b: Matrix<T>,
    out: *mut MaybeUninit<T>,
) -> bool {
    // A vector `x` times a matrix of `k` rows: a column on the right is seen from behind.
    let (x, step, matrix, len) = match (m, n) {
        (1, _) => (a.first, a.column, b, n),
        (_, 1) => {
            let turned = Matrix { first: a.first, row: a.column, column: a.row };
            (b.first, b.row, turned, m)
        }
        _ => return false,
    };
    if step != 1 && k > 1 {
        return false;
    }
    // SAFETY: by the contract of this function.
    let (x, out) =
        unsafe { (slice::from_raw_parts(x, k), slice::from_raw_parts_mut(out, len)) };
    if matrix.column == 1 && len > 1 {
        simd::dispatch(OfRows { x, matrix, out });
    } else if matrix.row == 1 {
        simd::dispatch(OfColumns { x, matrix, out });
    } else {
        return false;
    }
    true
}

/// The sum of the rows of a matrix, each times its element of `x`, in order. The
/// elements of a row are neighbours.
struct OfRows<'a, T> {
    x: &'a [T],
    matrix: Matrix<T>,
    out: &'a mut [MaybeUninit<T>],
}

impl<T: Number> Kernel for OfRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let OfRows { x, matrix, out } = self;
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            // Sums of no terms.
            out.fill(MaybeUninit::new(T::ZERO));
            // SAFETY: they were just written, and have this layout.
            let out: &mut [T] = unsafe {
                slice::from_raw_parts_mut(out.as_mut_ptr().cast(), out.len())
            };
            let mut rows = matrix.at(0, block * BLOCK);
            let (many, few) = x.as_chunks::<ROWS>();
            for x in many {
                // SAFETY: there is a row for each element of `x`, and a column for each
                // output.
                unsafe { add_rows(x, rows, out) };
                rows = rows.at(ROWS, 0);
            }
            for x in few {
                // SAFETY: as above.
                unsafe { add_rows(array::from_ref(x), rows, out) };
                rows = rows.at(1, 0);
            }
        }
    }
}

/// Adds the first `R` rows, each times its element of `x`.
///
/// # Safety
/// There are as many rows, with an element for each output.
#[inline(always)]
unsafe fn add_rows<T: Number, const R: usize>(
    x: &[T; R],
    rows: Matrix<T>,
    out: &mut [T],
) {
    let (sixteen, rest) = out.as_chunks_mut::<16>();
    let (eight, rest) = rest.as_chunks_mut::<8>();
    let (four, rest) = rest.as_chunks_mut::<4>();
    let (one, _) = rest.as_chunks_mut::<1>();
    // SAFETY: the columns before the chunks are as many as they hold.
    unsafe {
        let rows = add_parts(x, rows, sixteen);
        let rows = add_parts(x, rows, eight);
        let rows = add_parts(x, rows, four);
        add_parts(x, rows, one);
    }
}

/// Adds the first columns of `R` rows; returns what is right of those columns.
///
/// # Safety
/// There are as many rows, with an element for each output.
#[inline(always)]
unsafe fn add_parts<T: Number, const R: usize, const N: usize>(
    x: &[T; R],
    mut rows: Matrix<T>,
    out: &mut [[T; N]],
) -> Matrix<T> {
    for out in out {
        let mut sums = *out;
        for (i, x) in x.iter().enumerate() {
            let part = rows.at(i, 0).first.cast::<[T; N]>();
            // SAFETY: by the contract of this function.
            let part = unsafe { part.read() };
            sums = array::from_fn(|l| sums[l].plus(x.times(part[l])));
        }
        *out = sums;
        rows = rows.at(0, N);
    }
    rows
}

/// The sum of each column of a matrix times `x`. The elements of a column are
/// neighbours; those that lie `LANES` apart add up first.
struct OfColumns<'a, T> {
    x: &'a [T],
    matrix: Matrix<T>,
    out: &'a mut [MaybeUninit<T>],
}

impl<T: Number> Kernel for OfColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let OfColumns { x, matrix: mut columns, out } = self;
        let (many, few) = out.as_chunks_mut::<SUMS>();
        for out in many {
            // SAFETY: there is a column for each output, of as many elements as `x`.
            unsafe { sums(x, columns, out) };
            columns = columns.at(0, SUMS);
        }
        for out in few {
            // SAFETY: as above.
            unsafe { sums(x, columns, array::from_mut(out)) };
            columns = columns.at(0, 1);
        }
    }
}

/// Writes the sums of the first `C` columns times `x`.
///
/// # Safety
/// There are as many columns, each of as many neighbours as `x` has.
#[inline(always)]
unsafe fn sums<T: Number, const C: usize>(
    x: &[T],
    columns: Matrix<T>,
    out: &mut [MaybeUninit<T>; C],
) {
    let columns: [&[T]; C] = array::from_fn(|j| {
        // SAFETY: by the contract of this function.
        unsafe { slice::from_raw_parts(columns.at(0, j).first, x.len()) }
    });
    let (long, rest) = x.as_chunks::<LANES>();
    let done = x.len() - rest.len();
    let few: [[T; FEW]; C] = if long.is_empty() {
        [[T::ZERO; FEW]; C]
    } else {
        let mut acc = [[T::ZERO; LANES]; C];
        let parts = columns.map(|column| column.as_chunks::<LANES>().0);
        for (p, x) in long.iter().enumerate() {
            for (acc, part) in acc.iter_mut().zip(parts) {
                let part = part[p];
                *acc = array::from_fn(|l| acc[l].plus(x[l].times(part[l])));
            }
        }
        acc.map(|acc| {
            array::from_fn(|l| {
                let [a, b, c, d] = array::from_fn(|part| acc[l + part * FEW]);
                a.plus(b).plus(c.plus(d))
            })
        })
    };
    let (short, last) = rest.as_chunks::<FEW>();
    for ((mut few, column), out) in few.into_iter().zip(columns).zip(out) {
        let (parts, rest) = column[done..].as_chunks::<FEW>();
        for (x, part) in short.iter().zip(parts) {
            few = array::from_fn(|l| few[l].plus(x[l].times(part[l])));
        }
        let four: [T; 4] = array::from_fn(|l| few[l].plus(few[l + 4]));
        let mut sum = four[0].plus(four[2]).plus(four[1].plus(four[3]));
        for (x, &element) in last.iter().zip(rest) {
            sum = sum.plus(x.times(element));
        }
        out.write(sum);
    }
}
