//! Rules over floats whose functions fuse multiplications with additions: for loops that
//! are compiled for processors that can. The rules' own arithmetic is never fused.

use super::scalar::{Arith, Scalar};
use super::special::Special;
use super::whole::Whole;
use crate::kernels::guard::Flagged;
use crate::kernels::math;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A float whose functions fuse.
#[derive(Clone, Copy)]
pub(crate) struct Fused<T>(pub(crate) T);

impl<T> Fused<T> {
    #[inline(always)]
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Fused<U> {
        Fused(f(self.0))
    }

    #[inline(always)]
    fn zip<U>(self, other: Self, f: impl FnOnce(T, T) -> U) -> Fused<U> {
        Fused(f(self.0, other.0))
    }
}

impl<T: Flagged> Flagged for Fused<T> {
    type Flag = T::Flag;
}

/// An operator of a type around `T`, which may have another parameter.
macro_rules! operator {
    ($Trait:ident $method:ident, $Type:ty $(, $other:ident: $bound:path)?) => {
        impl<T: $Trait<Output = T> $(, $other: $bound)?> $Trait for $Type {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, T::$method)
            }
        }
    };
}
pub(super) use operator;
operator!(Add add, Fused<T>);
operator!(Sub sub, Fused<T>);
operator!(Mul mul, Fused<T>);
operator!(Div div, Fused<T>);

impl<T: Neg<Output = T>> Neg for Fused<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(T::neg)
    }
}

/// Passes each function on to the value.
macro_rules! pass_on {
    ($($function:ident)*; $($binary:ident)*) => {
        $(#[inline(always)]
        fn $function(self) -> Self {
            self.map(T::$function)
        })*
        $(#[inline(always)]
        fn $binary(self, other: Self) -> Self {
            self.zip(other, T::$binary)
        })*
    };
}
pub(super) use pass_on;

impl<T: Whole> Whole for Fused<T> {
    pass_on!(floor ceil rint trunc; fmod modulo);
}

impl<T: Special> Special for Fused<T> {
    pass_on!(
        exp2 log2 log10 tan arcsin arccos arctan sinh cosh arcsinh arccosh arctanh erf
        erfc; arctan2 hypot copysign
    );
}

impl<T: Arith<Mask = bool>> Arith for Fused<T> {
    type Mask = bool;
    pass_on!(abs; max min pow);

    #[inline(always)]
    fn lit(x: f64) -> Self {
        Fused(T::lit(x))
    }
    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self.0.less(other.0)
    }
    #[inline(always)]
    fn less_equal(self, other: Self) -> bool {
        self.0.less_equal(other.0)
    }
    #[inline(always)]
    fn equal(self, other: Self) -> bool {
        self.0.equal(other.0)
    }
    #[inline(always)]
    fn not_equal(self, other: Self) -> bool {
        self.0.not_equal(other.0)
    }
    #[inline(always)]
    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }
}

macro_rules! functions {
    ($t:ident: $($function:ident)*) => {
        impl Scalar for Fused<$t> {
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.map(Scalar::sqrt)
            }
            $(
                #[inline(always)]
                fn $function(self) -> Self {
                    self.map(math::$t::$function::<true>)
                }
            )*
        }
    };
}
functions!(f32: exp exp_m1 ln ln_1p sin cos tanh logistic);
functions!(f64: exp exp_m1 ln ln_1p sin cos tanh logistic);
