//! Elementary functions without branches, so that a loop over a slice vectorises.
//!
//! Every function is `#[inline(always)]`: it takes the instruction set of the
//! `#[target_feature]` kernel that calls it. Only IEEE additions, multiplications,
//! divisions, comparisons and bit operations occur, never a fused multiply-add, so that
//! the same bits come out of every instruction set (of a NaN, its sign and payload may
//! differ). What belongs here is the value of a scalar function; loops over slices and
//! the choice of instruction set do not.
//!
//! Special values follow C99 Annex F: signed zeros, subnormals, infinities and NaN
//! included. Largest error found, in units in the last place (f32 over every input,
//! but `pow` and f64 by samples; `tools/ulp_table.py` measures again):
//!
//! | function | f32 | f64 |
//! |---|---|---|
//! | `exp` | 0.89 | 0.83 |
//! | `exp_m1` | 1.13 | 1.03 |
//! | `ln` | 0.84 | 0.85 |
//! | `ln_1p` | 0.88 | 0.86 |
//! | `sin`, `cos` | 0.57 | 0.78 |
//! | `tanh` | 1.05 | 0.75 |
//! | `logistic` | 0.58 | 0.78 |
//! | `pow` | 0.58 | 0.75 |
//!
//! `sin` and `cos` hold for `|x| <= TRIG_LIMIT`. A kernel asks `beyond_trig_limit` of
//! each block and, where it says yes, maps `sin_any` or `cos_any`, which take any
//! angle and agree with the fast ones to the bit below the limit. A result thus never
//! depends on its neighbours.
//!
//! What is left to the crate `libm` stands in [`special`].
//!
//! The shape of every function here follows Muller et al., "Handbook of Floating-Point
//! Arithmetic" (2nd ed., chapter 10): reduce the argument, evaluate a polynomial, add
//! the largest term last. `tools/fit_polynomials.py` derives the coefficients.

#![allow(
    clippy::inline_always,
    reason = "only an inlined function takes its caller's instruction set"
)]
#![allow(clippy::float_cmp, reason = "special values are compared exactly")]

pub(crate) mod f32;
pub(crate) mod f64;
mod reduction;
pub(crate) mod special;

#[cfg(test)]
mod tests;
