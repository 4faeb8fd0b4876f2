//! Elementary functions without branches, so that a loop over a slice vectorises.
//!
//! Every function is `#[inline(always)]`: it takes the instruction set of the
//! `#[target_feature]` kernel that calls it. Only IEEE additions, multiplications,
//! divisions, comparisons and bit operations occur, and fused multiply-adds if `FMA`, so
//! that the same bits come out of every instruction set that has them, and of all that
//! have not (of a NaN, its sign and payload may differ). What belongs here is the value
//! of a scalar function; loops over slices and the choice of instruction set do not.
//!
//! Special values follow C99 Annex F: signed zeros, subnormals, infinities and NaN
//! included. No error is as large as 1.9 units in the last place;
//! `docs/reference/accuracy.md` has each function's.
//!
//! A function with special cases has a twin that does without them and says by a flag
//! whether it was right to: `exp_common` beside `exp`. Where the flag stays lowered, both
//! give the same bits, so a result never depends on its neighbours in a loop. `sin` and
//! `cos` of very large angles branch; their twins do not.
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
