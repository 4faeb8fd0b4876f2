//! Roundings, signs and remainders, and what limits a value.

use super::super::declare::{declare_binary, declare_unary};
use super::super::scalar::{Arith, Scalar};
use super::share;
use crate::array::{View, ViewMut};
use crate::kernels::map::Mode;

/// The step functions of one operand, for the macro `$with`.
macro_rules! step_ops {
    ($with:ident $($head:tt)*) => {
        $with! { $($head)*
            /// Sign: -1, 0 or 1; NaN for NaN. Its gradient is 0.
            Sign sign try_sign on Numbers {
                example("[-2.5, 0.0, 7.0]") = "[-1.0, 0.0, 1.0]";
                value(x) = {
                    let (zero, one) = (S::lit(0.0), S::lit(1.0));
                    let rest = S::select(x.equal(zero), zero, x);
                    let below = S::select(x.less(zero), -one, rest);
                    S::select(zero.less(x), one, below)
                };
                slope(_, _) = S::lit(0.0);
            }

            /// Largest whole number that is not above `x`. Its gradient is 0.
            Floor floor try_floor on Numbers {
                example("[-1.5, 2.0, 2.7]") = "[-2.0, 2.0, 2.0]";
                value(x) = x.floor();
                slope(_, _) = S::lit(0.0);
            }

            /// Smallest whole number that is not below `x`. Its gradient is 0.
            Ceil ceil try_ceil on Numbers {
                example("[-1.5, 2.0, 2.3]") = "[-1.0, 2.0, 3.0]";
                value(x) = x.ceil();
                slope(_, _) = S::lit(0.0);
            }

            /// Nearest whole number; of two the even one. Its gradient is 0.
            Rint rint try_rint on Numbers {
                example("[0.5, 1.5, 2.7]") = "[0.0, 2.0, 3.0]";
                value(x) = x.rint();
                slope(_, _) = S::lit(0.0);
            }

            /// The whole number next to `x` towards 0. Its gradient is 0.
            Trunc trunc try_trunc on Numbers {
                example("[-1.7, 1.7]") = "[-1.0, 1.0]";
                value(x) = x.trunc();
                slope(_, _) = S::lit(0.0);
            }
        }
    };
}
pub(crate) use step_ops;

/// Limits and remainders, for the macro `$with`. Operands broadcast.
macro_rules! limit_ops {
    ($with:ident $($head:tt)*) => {
        $with! { $($head)*
            /// `a`, but at least `b`; NaN if either is. At `a == b` the whole cotangent
            /// goes to `a`.
            ClipMin clip_min try_clip_min on Numbers {
                example("[1.0, 5.0]", "[3.0, 3.0]") = "[3.0, 5.0]";
                value(a, b) = a.max(b);
                slope_a(a, b, _) = S::select(b.less_equal(a), S::lit(1.0), S::lit(0.0));
                slope_b(a, b, _) = S::select(b.less_equal(a), S::lit(0.0), S::lit(1.0));
            }

            /// `a`, but at most `b`; NaN if either is. At `a == b` the whole cotangent
            /// goes to `a`.
            ClipMax clip_max try_clip_max on Numbers {
                example("[1.0, 5.0]", "[3.0, 3.0]") = "[1.0, 3.0]";
                value(a, b) = a.min(b);
                slope_a(a, b, _) = S::select(a.less_equal(b), S::lit(1.0), S::lit(0.0));
                slope_b(a, b, _) = S::select(a.less_equal(b), S::lit(0.0), S::lit(1.0));
            }

            /// The larger of `a` and `b`; of a NaN and a number the number. At ties each
            /// gets half of the cotangent.
            Fmax fmax try_fmax on Numbers {
                example("[1.0, 5.0]", "[3.0, 2.0]") = "[3.0, 5.0]";
                value(a, b) = {
                    let max = S::select(b.not_equal(b), a, a.max(b));
                    S::select(a.not_equal(a), b, max)
                };
                slope_a(a, b, _) = number_or(a, b, share(b, a));
                slope_b(a, b, _) = number_or(b, a, share(a, b));
            }

            /// The smaller of `a` and `b`; of a NaN and a number the number. At ties each
            /// gets half of the cotangent.
            Fmin fmin try_fmin on Numbers {
                example("[1.0, 5.0]", "[3.0, 2.0]") = "[1.0, 2.0]";
                value(a, b) = {
                    let min = S::select(b.not_equal(b), a, a.min(b));
                    S::select(a.not_equal(a), b, min)
                };
                slope_a(a, b, _) = number_or(a, b, share(a, b));
                slope_b(a, b, _) = number_or(b, a, share(b, a));
            }

            /// Remainder of `a / b` with the sign of `b`: `a - b * floor(a / b)`, as
            /// Python's `%`. Of integers 0 where `b` is 0. The gradient is 1 in `a` and
            /// `-floor(a / b)` in `b`, also where the remainder jumps.
            Remainder remainder try_remainder on Numbers {
                example("[7.0, -7.0]", "[3.0, 3.0]") = "[1.0, 2.0]";
                value(a, b) = a.modulo(b);
                slope_a(_, _, _) = S::lit(1.0);
                slope_b(a, b, y) = ((y - a) / b).rint();
            }

            /// Remainder of `a / b` with the sign of `a`: `a - b * trunc(a / b)`, as C's
            /// `fmod`. Of integers 0 where `b` is 0. The gradient is 1 in `a` and
            /// `-trunc(a / b)` in `b`, also where the remainder jumps.
            Fmod fmod try_fmod on Numbers {
                example("[7.0, -7.0]", "[3.0, 3.0]") = "[1.0, -1.0]";
                value(a, b) = a.fmod(b);
                slope_a(_, _, _) = S::lit(1.0);
                slope_b(a, b, y) = ((y - a) / b).rint();
            }

            /// The magnitude of `a` with the sign of `b`. The gradient in `a` is 0 at 0,
            /// and 0 in `b`.
            Copysign copysign try_copysign on Reals {
                example("[2.0, -3.0]", "[-1.0, 1.0]") = "[-2.0, 3.0]";
                value(a, b) = a.copysign(b);
                slope_a(a, b, _) = {
                    let one = S::lit(1.0);
                    let slope = one.copysign(a) * one.copysign(b);
                    S::select(a.equal(S::lit(0.0)), S::lit(0.0), slope)
                };
                slope_b(_, _, _) = S::lit(0.0);
            }
        }
    };
}
pub(crate) use limit_ops;

step_ops!(declare_unary);
limit_ops!(declare_binary);

/// The slope in `x` of an extremum that passes over NaN.
#[inline(always)]
fn number_or<S: Scalar>(x: S, other: S, slope: S) -> S {
    let slope = S::select(other.not_equal(other), S::lit(1.0), slope);
    S::select(x.not_equal(x), S::lit(0.0), slope)
}
