//! Functions of two reals: lengths, angles, and sums of exponentials.

use super::super::declare::declare_binary;
use super::super::scalar::Scalar;
use crate::array::{View, ViewMut};
use crate::kernels::map::Mode;

/// Functions of two reals, for the macro `$with`. Operands broadcast.
macro_rules! planar_ops {
    ($with:ident $($head:tt)*) => {
        $with! { $($head)*
            /// `sqrt(a * a + b * b)`, without overflow on the way. The gradient at
            /// (0, 0) is 0.
            Hypot hypot try_hypot on Reals {
                example("[3.0, 1e200]", "[4.0, 0.0]") = "[5.0, 1e+200]";
                value(a, b) = a.hypot(b);
                slope_a(a, _, y) = ratio(a, y);
                slope_b(_, b, y) = ratio(b, y);
            }

            /// The angle in `[-pi, pi]` of the point with the abscissa `b` and the
            /// ordinate `a`. The gradient at (0, 0) is 0.
            Arctan2 arctan2 try_arctan2 on Reals {
                example("[1.0, 0.0]", "[1.0, -1.0]") = "[0.7853981633974483, 3.141592653589793]";
                value(a, b) = a.arctan2(b);
                slope_a(a, b, _) = {
                    let length = a.hypot(b);
                    ratio(ratio(b, length), length)
                };
                slope_b(a, b, _) = {
                    let length = a.hypot(b);
                    -ratio(ratio(a, length), length)
                };
            }

            /// `log(exp(a) + exp(b))`, without overflow. If both are the same infinity
            /// the gradient is NaN.
            Logaddexp logaddexp try_logaddexp on Reals {
                example("[1000.0]", "[1000.0]") = "[1000.6931471805599]";
                value(a, b) = {
                    // Equal infinities have no difference.
                    let apart = S::select(a.equal(b), S::lit(0.0), (a - b).abs());
                    a.max(b) + (-apart).exp().ln_1p()
                };
                slope_a(a, b, _) = (a - b).logistic();
                slope_b(a, b, _) = (b - a).logistic();
            }
        }
    };
}
pub(crate) use planar_ops;

planar_ops!(declare_binary);

/// `a / b`, and 0 where `b` is 0.
#[inline(always)]
fn ratio<S: Scalar>(a: S, b: S) -> S {
    let zero = S::lit(0.0);
    S::select(b.equal(zero), zero, a / b)
}
