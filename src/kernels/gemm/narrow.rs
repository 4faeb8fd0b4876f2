//! Products with few columns: the second matrix is packed into the first cache, and each
//! row of results stays in registers.

use super::{Matrix, Sizes};
use crate::kernels::reduce::Number;
use crate::kernels::simd::Kernel;
use std::array;
use std::mem::MaybeUninit;

/// The most columns, and the most terms.
const WIDEST: usize = 16;
const DEEPEST: usize = 64;
/// Rows from which on the loop beats `gemm`, by measurement: where the columns of the
/// second matrix are neighbours, and where they are not, so that packing takes longer.
const LOWEST: usize = 16;
const LOWEST_STRIDED: usize = 64;
/// Rows that share what is read of the second matrix.
const ROWS: usize = 4;

/// Whether the loop computes products of these sizes. Two columns are too few.
pub(super) fn takes<T>(Sizes { m, k, n }: Sizes, b: &Matrix<T>) -> bool {
    let lowest = if b.column == 1 { LOWEST } else { LOWEST_STRIDED };
    m >= lowest && k <= DEEPEST && (3..=WIDEST).contains(&n)
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
            9..=12 => self.of_width::<12, FMA>(),
            _ => self.of_width::<16, FMA>(),
        }
    }
}

impl<T: Number> Narrow<'_, T> {
    /// Computes `W` columns, of which `n` are written.
    #[inline(always)]
    fn of_width<const W: usize, const FMA: bool>(self) {
        let Narrow { sizes: Sizes { m, k, n }, a, b, out } = self;
        let mut packed = [const { MaybeUninit::uninit() }; DEEPEST];
        for (p, row) in packed[..k].iter_mut().enumerate() {
            let from = b.at(p, 0);
            // SAFETY: `b` has `k` rows of `n` elements.
            let at = |j| unsafe { from.at(0, j).first.read() };
            row.write(array::from_fn(|j| if j < n { at(j) } else { T::ZERO }));
        }
        // SAFETY: the loop above wrote `k` rows.
        let packed: &[[T; W]] = unsafe { packed[..k].assume_init_ref() };
        let (mut done, mut left) = (0, out.len());
        // SAFETY: `a` has `m` rows of `k` terms.
        unsafe {
            // What is written beyond a row is too early, and is written again.
            while done + ROWS <= m && (ROWS - 1) * n + W <= left {
                let sums = times::<T, W, ROWS, FMA>(a.at(done, 0), packed);
                for (i, sums) in sums.into_iter().enumerate() {
                    let to = out.as_mut_ptr().add((done + i) * n);
                    to.cast::<[T; W]>().write_unaligned(sums);
                }
                (done, left) = (done + ROWS, left - ROWS * n);
            }
            for row in done..m {
                let [sums] = times::<T, W, 1, FMA>(a.at(row, 0), packed);
                out[row * n..][..n].write_copy_of_slice(&sums[..n]);
            }
        }
    }
}

/// The first `R` rows of `a` times what is packed.
///
/// # Safety
/// `a` has as many rows, of a term for each row that is packed.
#[inline(always)]
unsafe fn times<T: Number, const W: usize, const R: usize, const FMA: bool>(
    a: Matrix<T>,
    packed: &[[T; W]],
) -> [[T; W]; R] {
    let mut sums = [[T::ZERO; W]; R];
    for (p, row) in packed.iter().enumerate() {
        for (i, sums) in sums.iter_mut().enumerate() {
            // SAFETY: by the contract of this function.
            let x = unsafe { a.at(i, p).first.read() };
            *sums = array::from_fn(|j| x.times_plus::<FMA>(row[j], sums[j]));
        }
    }
    sums
}
