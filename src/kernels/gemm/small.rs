//! Small products of floats, and any of integers and truth values: each output adds up
//! its terms in order.

use super::{Matrix, Sizes};
use crate::kernels::reduce::Number;
use crate::kernels::simd::Kernel;
use std::array;
use std::mem::MaybeUninit;

/// Rows that share what is read of the second matrix.
const ROWS: usize = 4;

/// The loop over a product whose rows follow one another. `UNIT` says that the columns
/// of `b` are neighbours.
pub(super) struct Small<'a, T, const UNIT: bool> {
    pub sizes: Sizes,
    pub a: Matrix<T>,
    pub b: Matrix<T>,
    pub out: &'a mut [MaybeUninit<T>],
}

impl<T: Number, const UNIT: bool> Kernel for Small<'_, T, UNIT> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Small { sizes: Sizes { k, n, .. }, mut a, mut b, out } = self;
        if UNIT {
            b.column = 1;
        }
        let mut rows = out.chunks_exact_mut(ROWS * n);
        for rows in &mut rows {
            // SAFETY: as many rows of `a` are left as there are rows of outputs.
            unsafe { times::<T, ROWS>(a, b, [k, n], rows) };
            a = a.at(ROWS, 0);
        }
        for row in rows.into_remainder().chunks_exact_mut(n) {
            // SAFETY: as above.
            unsafe { times::<T, 1>(a, b, [k, n], row) };
            a = a.at(1, 0);
        }
    }
}

/// Writes the first `R` rows of `a` times `b`.
///
/// # Safety
/// `a` has as many rows of `k` elements, and `b` has `k` rows of `n`.
#[inline(always)]
unsafe fn times<T: Number, const R: usize>(
    a: Matrix<T>,
    b: Matrix<T>,
    [k, n]: [usize; 2],
    out: &mut [MaybeUninit<T>],
) {
    let mut j = 0;
    // SAFETY: each block ends at the last column or before.
    unsafe {
        while j + 16 <= n {
            block::<T, R, 16>(a, b.at(0, j), [k, n], &mut out[j..]);
            j += 16;
        }
        if j + 8 <= n {
            block::<T, R, 8>(a, b.at(0, j), [k, n], &mut out[j..]);
            j += 8;
        }
        if j + 4 <= n {
            block::<T, R, 4>(a, b.at(0, j), [k, n], &mut out[j..]);
            j += 4;
        }
        while j < n {
            block::<T, R, 1>(a, b.at(0, j), [k, n], &mut out[j..]);
            j += 1;
        }
    }
}

/// Writes the first `R` rows of `a` times the first `N` columns of `b`. The rows of
/// outputs lie `n` apart.
///
/// # Safety
/// `a` has as many rows of `k` elements, and `b` has `k` rows of at least `N`.
#[inline(always)]
unsafe fn block<T: Number, const R: usize, const N: usize>(
    a: Matrix<T>,
    b: Matrix<T>,
    [k, n]: [usize; 2],
    out: &mut [MaybeUninit<T>],
) {
    let mut acc = [[T::ZERO; N]; R];
    for p in 0..k {
        let row = b.at(p, 0);
        // SAFETY: `p` is below `k`, and there are `N` columns.
        let row: [T; N] = array::from_fn(|j| unsafe { row.at(0, j).first.read() });
        for (i, acc) in acc.iter_mut().enumerate() {
            // SAFETY: `i` is below `R`.
            let x = unsafe { a.at(i, p).first.read() };
            *acc = array::from_fn(|j| acc[j].plus(x.times(row[j])));
        }
    }
    for (acc, out) in acc.into_iter().zip(out.chunks_mut(n)) {
        out[..N].copy_from_slice(&acc.map(MaybeUninit::new));
    }
}
