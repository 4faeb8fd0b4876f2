//! Products with few columns: each row of results stays in registers, and several rows
//! share what is read of the second matrix.

use super::{Matrix, Sizes};
use crate::kernels::reduce::Number;
use crate::kernels::simd::Kernel;
use std::array;
use std::mem::MaybeUninit;

/// The most columns.
const WIDEST: usize = 16;
/// The most terms where there are many rows.
const DEEPEST: usize = 64;
/// Rows from which on the loop then beats `gemm`, by measurement: where the columns of the
/// second matrix are neighbours, and where they are not, so that it is packed first.
const LOWEST: usize = 16;
const LOWEST_STRIDED: usize = 64;
/// Rows up to which it beats `gemm` with any number of terms.
const HIGHEST: usize = 24;
/// Rows that are computed at once: sums for as many fit in registers.
const ROWS: usize = 4;

/// Whether the loop computes products of these sizes. Two columns are too few.
pub(super) fn takes<T>(Sizes { m, k, n }: Sizes, b: &Matrix<T>) -> bool {
    let is_dense = is_dense(b, n);
    let lowest = if is_dense { LOWEST } else { LOWEST_STRIDED };
    let is_low = is_dense && (2..=HIGHEST).contains(&m);
    (3..=WIDEST).contains(&n) && (is_low || m >= lowest && k <= DEEPEST)
}

/// Whether each row of `n` elements lies in one piece, and before the next row.
fn is_dense<T>(b: &Matrix<T>, n: usize) -> bool {
    b.column == 1 && b.row >= n.cast_signed()
}

/// The loop over a product whose rows follow one another.
pub(super) struct Narrow<'a, T> {
    pub sizes: Sizes,
    pub a: Matrix<T>,
    pub b: Matrix<T>,
    pub out: &'a mut [MaybeUninit<T>],
}

impl<T: Number> Kernel for Narrow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        match self.sizes.n {
            ..=4 => self.of_width::<4, FMA>(),
            5..=8 => self.of_width::<8, FMA>(),
            9..=12 if const { size_of::<T>() == 8 } => self.of_width::<12, FMA>(),
            _ => self.of_width::<16, FMA>(),
        }
    }
}

impl<T: Number> Narrow<'_, T> {
    /// Computes `W` columns, of which `n` are written: more than half of them.
    #[inline(always)]
    fn of_width<const W: usize, const FMA: bool>(self) {
        let Narrow { sizes: Sizes { m, k, n }, a, b, out } = self;
        // Rows behind which lie as many elements as are read beyond them.
        let whole = if is_dense(&b, n) { k - usize::from(n < W) } else { 0 };
        let mut packed = [const { MaybeUninit::<[T; W]>::uninit() }; DEEPEST];
        for (p, row) in (whole..k).zip(&mut packed) {
            let from = b.at(p, 0);
            // SAFETY: `b` has `k` rows of `n` elements.
            let at = |j| unsafe { from.at(0, j).first.read() };
            row.write(array::from_fn(|j| if j < n { at(j) } else { T::ZERO }));
        }
        // SAFETY: the loop above wrote as many rows, for there are no more than fit.
        let packed = unsafe { packed[..k - whole].assume_init_ref() };
        let b = Terms { whole, first: b, packed };
        let (mut i, mut out) = (0, out);
        // SAFETY: `a` has so many rows, of `k` terms each.
        unsafe {
            while i + ROWS <= m {
                out = b.times::<ROWS, FMA>(a.at(i, 0), n, out);
                i += ROWS;
            }
            if i + 2 <= m {
                out = b.times::<2, FMA>(a.at(i, 0), n, out);
                i += 2;
            }
            if i < m {
                b.times::<1, FMA>(a.at(i, 0), n, out);
            }
        }
    }
}

/// The rows of the second matrix, `W` elements of each: the first ones where they lie, the
/// others packed.
struct Terms<'a, T, const W: usize> {
    whole: usize,
    first: Matrix<T>,
    packed: &'a [[T; W]],
}

impl<T: Number, const W: usize> Terms<'_, T, W> {
    /// Writes `n` columns of the first `R` rows of `a` times these; gives the room behind.
    ///
    /// # Safety
    /// `a` has as many rows, of a term for each of these.
    #[inline(always)]
    unsafe fn times<'o, const R: usize, const FMA: bool>(
        &self,
        a: Matrix<T>,
        n: usize,
        out: &'o mut [MaybeUninit<T>],
    ) -> &'o mut [MaybeUninit<T>] {
        let mut sums = [[T::ZERO; W]; R];
        for p in 0..self.whole {
            let row = self.first.at(p, 0).first.cast::<[T; W]>();
            // SAFETY: behind the row's own elements lie others of the matrix; `a` has a
            // term for the row.
            unsafe { add::<T, W, R, FMA>(&mut sums, a.at(0, p), row.read_unaligned()) };
        }
        for (p, &row) in (self.whole..).zip(self.packed) {
            // SAFETY: `a` has a term for the row.
            unsafe { add::<T, W, R, FMA>(&mut sums, a.at(0, p), row) };
        }
        let (rows, rest) = out.split_at_mut(R * n);
        for (i, sums) in sums.iter().enumerate() {
            match rows[i * n..].first_chunk_mut::<W>() {
                // What is written beyond a row is too early, and is written again.
                Some(row) => *row = sums.map(MaybeUninit::new),
                None => {
                    rows[i * n..][..n].write_copy_of_slice(&sums[..n]);
                }
            }
        }
        rest
    }
}

/// Adds a row times the first element of each row of `a`.
///
/// # Safety
/// `a` has as many rows as there are sums.
#[inline(always)]
unsafe fn add<T: Number, const W: usize, const R: usize, const FMA: bool>(
    sums: &mut [[T; W]; R],
    a: Matrix<T>,
    row: [T; W],
) {
    for (i, sums) in sums.iter_mut().enumerate() {
        // SAFETY: by the contract of this function.
        let x = unsafe { a.at(i, 0).first.read() };
        *sums = array::from_fn(|j| x.times_plus::<FMA>(row[j], sums[j]));
    }
}
