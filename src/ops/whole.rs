//! Whole numbers next to a number, and remainders: the part of the language of rules
//! that integers share with reals.

use super::Op;
use super::symbolic::Symbol;
use std::num::Wrapping;

/// Roundings, which leave an integer as it is, and remainders.
pub(crate) trait Whole: Copy {
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    /// The nearest whole number; of two the even one.
    fn rint(self) -> Self;
    fn trunc(self) -> Self;
    /// The remainder with the sign of `self`; for integers 0 if `other` is 0.
    fn fmod(self, other: Self) -> Self;
    /// The remainder with the sign of `other`; for integers 0 if `other` is 0.
    fn modulo(self, other: Self) -> Self;
}

macro_rules! floats {
    ($($t:ident)*) => { $(
        impl Whole for $t {
            #[inline(always)]
            fn floor(self) -> Self {
                $t::floor(self)
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                $t::ceil(self)
            }
            #[inline(always)]
            fn rint(self) -> Self {
                $t::round_ties_even(self)
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                $t::trunc(self)
            }
            // Exact, so that every platform's function gives the same bits.
            #[inline(always)]
            fn fmod(self, other: Self) -> Self {
                self % other
            }
            #[inline(always)]
            fn modulo(self, other: Self) -> Self {
                let rest = self % other;
                if rest == 0.0 {
                    (0.0 as $t).copysign(other)
                } else if (rest < 0.0) == (other < 0.0) {
                    rest
                } else {
                    rest + other
                }
            }
        }
    )* };
}
floats!(f32 f64);

impl Whole for Wrapping<i64> {
    #[inline(always)]
    fn floor(self) -> Self {
        self
    }
    #[inline(always)]
    fn ceil(self) -> Self {
        self
    }
    #[inline(always)]
    fn rint(self) -> Self {
        self
    }
    #[inline(always)]
    fn trunc(self) -> Self {
        self
    }
    #[inline(always)]
    fn fmod(self, other: Self) -> Self {
        Wrapping(if other.0 == 0 { 0 } else { self.0.wrapping_rem(other.0) })
    }
    #[inline(always)]
    fn modulo(self, other: Self) -> Self {
        let rest = self.fmod(other);
        let same_side = rest.0 == 0 || (rest.0 < 0) == (other.0 < 0);
        if same_side { rest } else { rest + other }
    }
}

impl Whole for Symbol<'_> {
    fn floor(self) -> Self {
        Symbol::step(Op::Floor, [self], |[x]| x.floor())
    }
    fn ceil(self) -> Self {
        Symbol::step(Op::Ceil, [self], |[x]| x.ceil())
    }
    fn rint(self) -> Self {
        Symbol::step(Op::Rint, [self], |[x]| x.round_ties_even())
    }
    fn trunc(self) -> Self {
        Symbol::step(Op::Trunc, [self], |[x]| x.trunc())
    }
    fn fmod(self, other: Self) -> Self {
        Symbol::step(Op::Fmod, [self, other], |[a, b]| a % b)
    }
    fn modulo(self, other: Self) -> Self {
        Symbol::step(Op::Remainder, [self, other], |[a, b]| Whole::modulo(a, b))
    }
}
