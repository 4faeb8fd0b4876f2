//! Functions of reals beyond the common ones of [`Scalar`](super::scalar::Scalar): each
//! is a function of `kernels::math::special`, and the op that records it.

use super::Op;
use super::symbolic::Symbol;
use crate::kernels::math::special;

macro_rules! functions {
    ($($name:ident $function:ident $Op:ident;)*) => {
        /// Functions of one real; their ops say what they compute.
        pub(crate) trait Special: Copy {
            $(fn $name(self) -> Self;)*
            fn arctan2(self, other: Self) -> Self;
            fn hypot(self, other: Self) -> Self;
            /// The magnitude of `self` with the sign of `other`.
            fn copysign(self, other: Self) -> Self;
        }

        functions!(float f32: $($name $function;)*);
        functions!(float f64: $($name $function;)*);

        impl Special for Symbol<'_> {
            $(fn $name(self) -> Self {
                Symbol::step(Op::$Op, [self], |[x]| Special::$name(x))
            })*
            fn arctan2(self, other: Self) -> Self {
                let fold = |[a, b]: [f64; 2]| Special::arctan2(a, b);
                Symbol::step(Op::Arctan2, [self, other], fold)
            }
            fn hypot(self, other: Self) -> Self {
                let fold = |[a, b]: [f64; 2]| Special::hypot(a, b);
                Symbol::step(Op::Hypot, [self, other], fold)
            }
            fn copysign(self, other: Self) -> Self {
                Symbol::step(Op::Copysign, [self, other], |[a, b]| a.copysign(b))
            }
        }
    };
    (float $t:ident: $($name:ident $function:ident;)*) => {
        impl Special for $t {
            $(#[inline]
            fn $name(self) -> Self {
                special::$t::$function(self)
            })*
            #[inline]
            fn arctan2(self, other: Self) -> Self {
                special::$t::atan2(self, other)
            }
            #[inline]
            fn hypot(self, other: Self) -> Self {
                special::$t::hypot(self, other)
            }
            #[inline(always)]
            fn copysign(self, other: Self) -> Self {
                $t::copysign(self, other)
            }
        }
    };
}

functions! {
    exp2 exp2 Exp2;
    log2 log2 Log2;
    log10 log10 Log10;
    tan tan Tan;
    arcsin asin Arcsin;
    arccos acos Arccos;
    arctan atan Arctan;
    sinh sinh Sinh;
    cosh cosh Cosh;
    arcsinh asinh Arcsinh;
    arccosh acosh Arccosh;
    arctanh atanh Arctanh;
    erf erf Erf;
    erfc erfc Erfc;
}
