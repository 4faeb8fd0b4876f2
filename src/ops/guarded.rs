//! Rules over results that hold for common arguments: the loops' way to functions that
//! do without special cases.

use super::fused::{Fused, operator, pass_on};
use super::scalar::{Arith, Scalar};
use super::special::Special;
use super::whole::Whole;
use crate::kernels::guard::{Flag, Flagged, Guarded};
use crate::kernels::math;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Floats, with the functions that hold for common arguments.
pub(crate) trait Common: Scalar<Mask = bool> + Flagged {
    fn exp_common(self) -> Guarded<Self, Self::Flag>;
    fn exp_m1_common(self) -> Guarded<Self, Self::Flag>;
    fn ln_common(self) -> Guarded<Self, Self::Flag>;
    fn ln_1p_common(self) -> Guarded<Self, Self::Flag>;
    fn sin_common(self) -> Guarded<Self, Self::Flag>;
    fn cos_common(self) -> Guarded<Self, Self::Flag>;
    fn logistic_common(self) -> Guarded<Self, Self::Flag>;
}

macro_rules! common {
    ($t:ident: $($function:ident)*) => {
        impl Common for $t { $(
            #[inline(always)]
            fn $function(self) -> Guarded<Self, Self::Flag> {
                math::$t::$function::<false>(self)
            }
        )* }
        impl Common for Fused<$t> { $(
            #[inline(always)]
            fn $function(self) -> Guarded<Self, Self::Flag> {
                math::$t::$function::<true>(self.0).map(Fused)
            }
        )* }
    };
}
common!(f32: exp_common exp_m1_common ln_common ln_1p_common sin_common cos_common
    logistic_common);
common!(f64: exp_common exp_m1_common ln_common ln_1p_common sin_common cos_common
    logistic_common);

operator!(Add add, Guarded<T, F>, F: Flag);
operator!(Sub sub, Guarded<T, F>, F: Flag);
operator!(Mul mul, Guarded<T, F>, F: Flag);
operator!(Div div, Guarded<T, F>, F: Flag);

impl<T: Neg<Output = T>, F: Flag> Neg for Guarded<T, F> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(T::neg)
    }
}

impl<T: Whole, F: Flag> Whole for Guarded<T, F> {
    pass_on!(floor ceil rint trunc; fmod modulo);
}

impl<T: Special, F: Flag> Special for Guarded<T, F> {
    pass_on!(
        exp2 log2 log10 tan arcsin arccos arctan sinh cosh arcsinh arccosh arctanh erf
        erfc; arctan2 hypot copysign
    );
}

impl<T: Arith<Mask = bool>, F: Flag> Arith for Guarded<T, F> {
    type Mask = Guarded<bool, F>;
    pass_on!(abs; max min pow);

    #[inline(always)]
    fn lit(x: f64) -> Self {
        Guarded::right(T::lit(x))
    }
    #[inline(always)]
    fn less(self, other: Self) -> Self::Mask {
        self.zip(other, T::less)
    }
    #[inline(always)]
    fn less_equal(self, other: Self) -> Self::Mask {
        self.zip(other, T::less_equal)
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self::Mask {
        self.zip(other, T::equal)
    }
    #[inline(always)]
    fn not_equal(self, other: Self) -> Self::Mask {
        self.zip(other, T::not_equal)
    }
    #[inline(always)]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        let sides = a.zip(b, |a, b| (a, b));
        mask.zip(sides, |mask, (a, b)| T::select(mask, a, b))
    }
}

impl<T: Common> Scalar for Guarded<T, T::Flag> {
    pass_on!(sqrt tanh;);

    #[inline(always)]
    fn exp(self) -> Self {
        self.then(T::exp_common)
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.then(T::exp_m1_common)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.then(T::ln_common)
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.then(T::ln_1p_common)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.then(T::sin_common)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.then(T::cos_common)
    }
    #[inline(always)]
    fn logistic(self) -> Self {
        self.then(T::logistic_common)
    }
}
