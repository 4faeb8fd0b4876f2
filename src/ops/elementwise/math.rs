//! Exponentials, logarithms, angles, hyperbolic functions and the error function.

use super::super::declare::declare_unary;
use super::super::scalar::Scalar;
use crate::array::{View, ViewMut};
use crate::kernels::map::Mode;
use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LOG2_E, LOG10_E};

/// The mathematical functions of one operand, for the macro `$with`.
macro_rules! math_ops {
    ($with:ident $($head:tt)*) => {
        $with! { $($head)*
            /// 2 to the power `x`.
            Exp2 exp2 try_exp2 on Reals {
                example("[0.5, 10.0]") = "[1.4142135623730951, 1024.0]";
                value(x) = x.exp2();
                slope(_, y) = S::lit(LN_2) * y;
            }

            /// Logarithm to base 2; NaN below 0, `-inf` at 0, where the slope is
            /// infinite.
            Log2 log2 try_log2 on Reals {
                example("[8.0, 10.0]") = "[3.0, 3.321928094887362]";
                value(x) = x.log2();
                slope(x, _) = S::lit(LOG2_E) / x;
            }

            /// Logarithm to base 10; NaN below 0, `-inf` at 0, where the slope is
            /// infinite.
            Log10 log10 try_log10 on Reals {
                example("[1000.0, 2.0]") = "[3.0, 0.3010299956639812]";
                value(x) = x.log10();
                slope(x, _) = S::lit(LOG10_E) / x;
            }

            /// Tangent of an angle in radians.
            Tan tan try_tan on Reals {
                example("[0.0, 1.0]") = "[0.0, 1.5574077246549023]";
                value(x) = x.tan();
                slope(_, y) = S::lit(1.0) + y * y;
            }

            /// The angle in `[-pi/2, pi/2]` whose sine is `x`; NaN beyond `[-1, 1]`, at
            /// whose ends the slope is infinite.
            Arcsin arcsin try_arcsin on Reals {
                example("[0.5, 1.0]") = "[0.5235987755982989, 1.5707963267948966]";
                value(x) = x.arcsin();
                slope(x, _) = {
                    let one = S::lit(1.0);
                    one / ((one - x) * (one + x)).sqrt()
                };
            }

            /// The angle in `[0, pi]` whose cosine is `x`; NaN beyond `[-1, 1]`, at whose
            /// ends the slope is infinite.
            Arccos arccos try_arccos on Reals {
                example("[0.5, 1.0]") = "[1.0471975511965979, 0.0]";
                value(x) = x.arccos();
                slope(x, _) = {
                    let one = S::lit(1.0);
                    -(one / ((one - x) * (one + x)).sqrt())
                };
            }

            /// The angle in `[-pi/2, pi/2]` whose tangent is `x`.
            Arctan arctan try_arctan on Reals {
                example("[0.0, 1.0]") = "[0.0, 0.7853981633974483]";
                value(x) = x.arctan();
                slope(x, _) = S::lit(1.0) / (S::lit(1.0) + x * x);
            }

            /// Hyperbolic sine.
            Sinh sinh try_sinh on Reals {
                example("[0.0, 1.0]") = "[0.0, 1.1752011936438014]";
                value(x) = x.sinh();
                slope(x, _) = x.cosh();
            }

            /// Hyperbolic cosine.
            Cosh cosh try_cosh on Reals {
                example("[0.0, 0.5]") = "[1.0, 1.1276259652063807]";
                value(x) = x.cosh();
                slope(x, _) = x.sinh();
            }

            /// Inverse of the hyperbolic sine.
            Arcsinh arcsinh try_arcsinh on Reals {
                example("[0.0, 1.0]") = "[0.0, 0.881373587019543]";
                value(x) = x.arcsinh();
                slope(x, _) = S::lit(1.0) / x.hypot(S::lit(1.0));
            }

            /// Inverse of the hyperbolic cosine; NaN below 1, where the slope is infinite.
            Arccosh arccosh try_arccosh on Reals {
                example("[1.0, 10.0]") = "[0.0, 2.993222846126381]";
                value(x) = x.arccosh();
                slope(x, _) = {
                    let one = S::lit(1.0);
                    one / ((x - one).sqrt() * (x + one).sqrt())
                };
            }

            /// Inverse of the hyperbolic tangent; NaN beyond `[-1, 1]`, infinite at the
            /// ends.
            Arctanh arctanh try_arctanh on Reals {
                example("[0.0, 0.25]") = "[0.0, 0.25541281188299536]";
                value(x) = x.arctanh();
                slope(x, _) = S::lit(1.0) / ((S::lit(1.0) - x) * (S::lit(1.0) + x));
            }

            /// Error function, `2 / sqrt(pi)` times the integral of `exp(-t * t)` from 0
            /// to `x`.
            Erf erf try_erf on Reals {
                example("[0.0, 0.5]") = "[0.0, 0.5204998778130465]";
                value(x) = x.erf();
                slope(x, _) = S::lit(FRAC_2_SQRT_PI) * (-(x * x)).exp();
            }

            /// `1 - erf(x)`, accurate where that is small.
            Erfc erfc try_erfc on Reals {
                example("[0.0, 10.0]") = "[1.0, 2.088487583762545e-45]";
                value(x) = x.erfc();
                slope(x, _) = S::lit(-FRAC_2_SQRT_PI) * (-(x * x)).exp();
            }
        }
    };
}
pub(crate) use math_ops;

math_ops!(declare_unary);
