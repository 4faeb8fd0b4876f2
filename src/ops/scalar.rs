//! The language of elementwise rules.
//!
//! A rule is a pure expression over [`Arith`] or [`Scalar`]. With `f32` or `f64` it
//! compiles into a vector loop; with [`super::symbolic::Symbol`] it records nodes. It
//! chooses with `select`, never with `if`, so both read the same text.

use super::special::Special;
use super::whole::Whole;
use crate::kernels::math;
use std::num::Wrapping;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// What integers and reals have in common.
pub(crate) trait Arith:
    Whole
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
{
    /// The result of a comparison.
    type Mask: Copy;

    fn lit(x: f64) -> Self;
    fn abs(self) -> Self;
    /// The larger; NaN if either is NaN.
    fn max(self, other: Self) -> Self;
    /// The smaller; NaN if either is NaN.
    fn min(self, other: Self) -> Self;
    /// `self` to the power `exponent`. For integers the exponent is not negative.
    fn pow(self, exponent: Self) -> Self;
    fn less(self, other: Self) -> Self::Mask;
    fn less_equal(self, other: Self) -> Self::Mask;
    fn equal(self, other: Self) -> Self::Mask;
    fn not_equal(self, other: Self) -> Self::Mask;
    /// `a` where the mask holds, otherwise `b`.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;
}

/// Reals: floats, and expressions that stand for them.
pub(crate) trait Scalar: Arith + Special + Div<Output = Self> {
    fn sqrt(self) -> Self;
    fn exp(self) -> Self;
    /// `exp(self) - 1`, exact near 0.
    fn exp_m1(self) -> Self;
    fn ln(self) -> Self;
    /// `ln(1 + self)`, exact near 0.
    fn ln_1p(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tanh(self) -> Self;
    /// `1 / (1 + exp(-self))`, which never overflows.
    fn logistic(self) -> Self;
}

/// `a · b`, and exactly 0 where `a` is 0, whatever `b` is: how a cotangent meets a
/// partial derivative.
#[inline(always)]
pub(crate) fn strong_product<S: Arith>(a: S, b: S) -> S {
    let zero = S::lit(0.0);
    S::select(a.equal(zero), zero, a * b)
}

macro_rules! float_scalar {
    ($t:ident) => {
        impl Arith for $t {
            type Mask = bool;
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "rounds to f32")]
            fn lit(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            #[allow(
                clippy::eq_op,
                clippy::float_cmp,
                reason = "only a NaN differs from itself"
            )]
            fn max(self, other: Self) -> Self {
                if self > other || self != self { self } else { other }
            }
            #[inline(always)]
            #[allow(
                clippy::eq_op,
                clippy::float_cmp,
                reason = "only a NaN differs from itself"
            )]
            fn min(self, other: Self) -> Self {
                if self < other || self != self { self } else { other }
            }
            #[inline(always)]
            fn pow(self, exponent: Self) -> Self {
                math::$t::pow(self, exponent)
            }
            #[inline(always)]
            fn less(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn less_equal(self, other: Self) -> bool {
                self <= other
            }
            #[inline(always)]
            #[allow(clippy::float_cmp, reason = "the rules compare exactly")]
            fn equal(self, other: Self) -> bool {
                self == other
            }
            #[inline(always)]
            #[allow(clippy::float_cmp, reason = "the rules compare exactly")]
            fn not_equal(self, other: Self) -> bool {
                self != other
            }
            #[inline(always)]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }
        }

        impl Scalar for $t {
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                math::$t::exp::<false>(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                math::$t::exp_m1::<false>(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                math::$t::ln::<false>(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                math::$t::ln_1p::<false>(self)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                math::$t::sin::<false>(self)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                math::$t::cos::<false>(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                math::$t::tanh::<false>(self)
            }
            #[inline(always)]
            fn logistic(self) -> Self {
                math::$t::logistic::<false>(self)
            }
        }
    };
}

float_scalar!(f32);
float_scalar!(f64);

/// Integers wrap on overflow, as `NumPy`'s do.
impl Arith for Wrapping<i64> {
    type Mask = bool;
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "rules use small literals")]
    fn lit(x: f64) -> Self {
        Wrapping(x as i64)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Wrapping(self.0.wrapping_abs())
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Ord::max(self, other)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Ord::min(self, other)
    }
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        let (mut base, mut exponent, mut power) = (self, exponent.0, Wrapping(1));
        while exponent > 0 {
            if exponent & 1 == 1 {
                power *= base;
            }
            base *= base;
            exponent >>= 1;
        }
        power
    }
    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self < other
    }
    #[inline(always)]
    fn less_equal(self, other: Self) -> bool {
        self <= other
    }
    #[inline(always)]
    fn equal(self, other: Self) -> bool {
        self == other
    }
    #[inline(always)]
    fn not_equal(self, other: Self) -> bool {
        self != other
    }
    #[inline(always)]
    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }
}
