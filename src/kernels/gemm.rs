//! Matrix products.
//!
//! Large products of floats go to the `gemm` crate. Small ones, and those of integers
//! and truth values, are computed here: each output adds up its terms in order, without
//! fused multiply-adds, so every instruction set gives the same bits.

#[cfg(test)]
mod tests;

use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::kernels::reduce::Number;
use crate::kernels::simd::{self, Kernel};
use crate::kernels::walk::{self, Dim, Walk};
use std::array;
use std::mem::MaybeUninit;

/// Multiplications up to which the loop below beats `gemm`, by measurement: where the
/// columns of the second matrix are neighbours, and where they are not.
const SMALL: usize = 2048;
const SMALL_STRIDED: usize = 512;
/// Terms up to which adding them one by one does.
const SHALLOW: usize = 64;

/// The product of the matrices along the last two axes; the other axes are equal.
pub(crate) fn matmul(a: View<'_>, b: View<'_>, mut out: ViewMut<'_>) {
    match a.dtype() {
        DType::F32 => multiply(a, b, out.slice_mut(), product::<f32>),
        DType::F64 => multiply(a, b, out.slice_mut(), product::<f64>),
        DType::I64 => multiply(a, b, out.slice_mut(), small::<i64>),
        DType::Bool => multiply(a, b, out.slice_mut(), small::<bool>),
    }
}

/// A matrix to read: its first element, and the steps between rows and columns.
#[derive(Clone, Copy)]
struct Matrix<T> {
    first: *const T,
    row: isize,
    column: isize,
}

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

/// Calls `product` for each pair of matrices.
fn multiply<T: Copy>(
    a: View<'_>,
    b: View<'_>,
    out: &mut [MaybeUninit<T>],
    product: impl Fn(Sizes, Matrix<T>, Matrix<T>, &mut [MaybeUninit<T>]),
) {
    let ([batch @ .., m, k], [.., n]) = (a.shape(), b.shape()) else {
        unreachable!("a matrix has two axes")
    };
    let mut sizes = Sizes { m: *m, k: *k, n: *n };
    if out.is_empty() {
        return;
    }
    let (mut left, right) = (Matrix::of(a), Matrix::of(b));
    if batch.is_empty() {
        return product(sizes, left, right, out);
    }
    let mut pairs = walk::dims_of_two(batch, &a.strides(), &b.strides());
    // Matrices that lie one below the other and meet the same `b` are one tall matrix.
    while let Some(&Dim { size, strides: [step, 0] }) = pairs.last() {
        if sizes.m == 1 {
            left.row = step;
        } else if step != left.row * sizes.m.cast_signed() {
            break;
        }
        sizes.m *= size;
        pairs.pop();
    }
    let outputs = out.chunks_exact_mut(sizes.m * sizes.n);
    for (out, [a, b]) in outputs.zip(Walk::new(&pairs)) {
        product(sizes, left.from(a), right.from(b), out);
    }
}

/// One product of floats.
fn product<T: Number>(
    sizes: Sizes,
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [MaybeUninit<T>],
) {
    let Sizes { m, k, n } = sizes;
    let limit = if b.column == 1 { SMALL } else { SMALL_STRIDED };
    if k <= SHALLOW && m * n * k <= limit {
        return small(sizes, a, b, out);
    }
    let columns = n.cast_signed();
    let to = out.as_mut_ptr().cast::<T>();
    let (zero, one, alone) = (T::ZERO, T::ONE, gemm::Parallelism::None);
    // SAFETY: the sizes and steps are those of the operands, and `out` has `m` rows of
    // `n` elements. It is not read, as the third `false` says.
    unsafe {
        gemm::gemm(
            m, n, k, to, 1, columns, false, a.first, a.column, a.row, b.first,
            b.column, b.row, zero, one, false, false, false, alone,
        );
    }
}

/// One product of any numbers.
fn small<T: Number>(
    sizes: Sizes,
    a: Matrix<T>,
    b: Matrix<T>,
    out: &mut [MaybeUninit<T>],
) {
    if b.column == 1 {
        simd::dispatch(Small::<T, true> { sizes, a, b, out });
    } else {
        simd::dispatch(Small::<T, false> { sizes, a, b, out });
    }
}

/// The loop over a small product. `UNIT` says that the columns of `b` are neighbours.
struct Small<'a, T, const UNIT: bool> {
    sizes: Sizes,
    a: Matrix<T>,
    b: Matrix<T>,
    out: &'a mut [MaybeUninit<T>],
}

impl<T: Number, const UNIT: bool> Kernel for Small<'_, T, UNIT> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Small { sizes: Sizes { k, n, .. }, mut a, mut b, out } = self;
        if UNIT {
            b.column = 1;
        }
        for row in out.chunks_exact_mut(n) {
            let (sixteen, rest) = row.as_chunks_mut::<16>();
            let (eight, rest) = rest.as_chunks_mut::<8>();
            let (four, rest) = rest.as_chunks_mut::<4>();
            let (one, _) = rest.as_chunks_mut::<1>();
            // SAFETY: the columns before the chunks are as many as they hold.
            unsafe {
                let b = row_times(a, b, k, sixteen);
                let b = row_times(a, b, k, eight);
                let b = row_times(a, b, k, four);
                row_times(a, b, k, one);
            }
            a = a.at(1, 0);
        }
    }
}

/// Writes the first row of `a` times the first columns of `b` to as many chunks as there
/// are; returns what is right of those columns.
///
/// # Safety
/// `a` has a row of `k` elements; `b` has `k` rows, and a column for each output.
#[inline(always)]
unsafe fn row_times<T: Number, const N: usize>(
    a: Matrix<T>,
    mut b: Matrix<T>,
    k: usize,
    chunks: &mut [[MaybeUninit<T>; N]],
) -> Matrix<T> {
    for chunk in chunks {
        let mut acc = [T::ZERO; N];
        for p in 0..k {
            // SAFETY: `p` is below `k`, and there is a column for each output.
            let (x, row) = unsafe {
                let row = b.at(p, 0);
                (a.at(0, p).first.read(), array::from_fn(|j| row.at(0, j).first.read()))
            };
            let row: [T; N] = row;
            acc = array::from_fn(|j| acc[j].plus(x.times(row[j])));
        }
        *chunk = acc.map(MaybeUninit::new);
        b = b.at(0, N);
    }
    b
}
