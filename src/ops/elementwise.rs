//! Tier E: each op is its value and its partial derivatives, as expressions.
//!
//! `on Numbers` takes integers too; `on Reals` casts them to `f64` first. `slope` is
//! the partial derivative, given the operands and the output `y`; the value's JVP and
//! VJP both multiply by it. A zero cotangent times any slope is zero (see
//! [`strong_product`](super::scalar::strong_product)), so a slope may be infinite.

mod activation;
mod bits;
mod math;
mod planar;
mod steps;

use super::declare::{declare_binary, declare_compare, declare_unary};
use super::scalar::{Arith, Scalar, strong_product};
use crate::array::{View, ViewMut};
use crate::kernels::map::Mode;
pub(crate) use activation::*;
pub(crate) use bits::*;
pub(crate) use math::*;
pub(crate) use planar::*;
pub(crate) use steps::*;

/// The unary ops, for the macro `$with`: each entry reads
/// `Type function fallible_twin on Domain { example; rules }`. The example, operands and
/// result, stands in the documentation of both faces and is tested there.
macro_rules! unary_ops {
    ($with:ident) => {
        $with! {
            /// Numerical negative, `-x`.
            Negative negative try_negative on Numbers {
                example("[1.0, -2.0]") = "[-1.0, 2.0]";
                value(x) = -x;
                slope(_, _) = S::lit(-1.0);
            }

            /// Absolute value. The gradient at 0 is 0.
            Abs abs try_abs on Numbers {
                example("[-2.0, 0.0, 3.0]") = "[2.0, 0.0, 3.0]";
                value(x) = x.abs();
                slope(x, _) = {
                    let (zero, one) = (S::lit(0.0), S::lit(1.0));
                    let below = S::select(x.less(zero), -one, zero);
                    S::select(zero.less(x), one, below)
                };
            }

            /// Square, `x * x`.
            Square square try_square on Numbers {
                example("[3.0, -4.0]") = "[9.0, 16.0]";
                value(x) = x * x;
                slope(x, _) = S::lit(2.0) * x;
            }

            /// Non-negative square root; NaN below 0. The slope at 0 is infinite.
            Sqrt sqrt try_sqrt on Reals {
                example("[0.0, 2.0, 9.0]") = "[0.0, 1.4142135623730951, 3.0]";
                value(x) = x.sqrt();
                slope(_, y) = S::lit(0.5) / y;
            }

            /// Exponential, `e` to the power `x`.
            Exp exp try_exp on Reals {
                example("[0.0, 0.5]") = "[1.0, 1.6487212707001282]";
                value(x) = x.exp();
                slope(_, y) = y;
            }

            /// `exp(x) - 1`, exact near 0.
            Expm1 expm1 try_expm1 on Reals {
                example("[0.0, 1e-10]") = "[0.0, 1.00000000005e-10]";
                value(x) = x.exp_m1();
                slope(_, y) = y + S::lit(1.0);
            }

            /// Natural logarithm; NaN below 0, `-inf` at 0, where the slope is infinite.
            Log log try_log on Reals {
                example("[1.0, 10.0]") = "[0.0, 2.302585092994046]";
                value(x) = x.ln();
                slope(x, _) = S::lit(1.0) / x;
            }

            /// `log(1 + x)`, exact near 0.
            Log1p log1p try_log1p on Reals {
                example("[0.0, 1e-10]") = "[0.0, 9.999999999500001e-11]";
                value(x) = x.ln_1p();
                slope(x, _) = S::lit(1.0) / (S::lit(1.0) + x);
            }

            /// Sine of an angle in radians.
            Sin sin try_sin on Reals {
                example("[0.0, 1.0]") = "[0.0, 0.8414709848078965]";
                value(x) = x.sin();
                slope(x, _) = x.cos();
            }

            /// Cosine of an angle in radians.
            Cos cos try_cos on Reals {
                example("[0.0, 1.0]") = "[1.0, 0.5403023058681398]";
                value(x) = x.cos();
                slope(x, _) = -x.sin();
            }

            /// Hyperbolic tangent.
            Tanh tanh try_tanh on Reals {
                example("[0.0, 1.0]") = "[0.0, 0.7615941559557649]";
                value(x) = x.tanh();
                slope(_, y) = S::lit(1.0) - y * y;
            }

            /// Logistic function, `1 / (1 + exp(-x))`; it never overflows.
            Sigmoid sigmoid try_sigmoid on Reals {
                example("[0.0, 2.0, -1000.0]") = "[0.5, 0.8807970779778824, 0.0]";
                value(x) = x.logistic();
                slope(_, y) = y * (S::lit(1.0) - y);
            }

            /// Rectifier, `max(x, 0)`. The gradient at 0 is 0.
            Relu relu try_relu on Numbers {
                example("[-2.0, 0.0, 3.0]") = "[0.0, 0.0, 3.0]";
                value(x) = x.max(S::lit(0.0));
                slope(x, _) = S::select(S::lit(0.0).less(x), S::lit(1.0), S::lit(0.0));
            }

            /// Softplus, `log(1 + exp(x))`; it never overflows.
            Softplus softplus try_softplus on Reals {
                example("[0.0, 1000.0]") = "[0.6931471805599453, 1000.0]";
                value(x) = x.max(S::lit(0.0)) + (-x.abs()).exp().ln_1p();
                slope(x, _) = x.logistic();
            }
        }
    };
}
pub(crate) use unary_ops;

/// The binary ops, for the macro `$with`. Operands broadcast.
macro_rules! binary_ops {
    ($with:ident) => {
        $with! {
            /// Sum, `a + b`.
            Add add try_add on Numbers {
                example("[1.0, 2.0]", "[10.0, 20.0]") = "[11.0, 22.0]";
                value(a, b) = a + b;
                slope_a(_, _, _) = S::lit(1.0);
                slope_b(_, _, _) = S::lit(1.0);
            }

            /// Difference, `a - b`.
            Subtract subtract try_subtract on Numbers {
                example("[5.0, 7.0]", "[2.0, 3.0]") = "[3.0, 4.0]";
                value(a, b) = a - b;
                slope_a(_, _, _) = S::lit(1.0);
                slope_b(_, _, _) = S::lit(-1.0);
            }

            /// Product, `a * b`.
            Multiply multiply try_multiply on Numbers {
                example("[2.0, 3.0]", "[4.0, 5.0]") = "[8.0, 15.0]";
                value(a, b) = a * b;
                slope_a(_, b, _) = b;
                slope_b(a, _, _) = a;
            }

            /// Quotient, `a / b`; integers are divided as `f64`. By 0 it is infinite or
            /// NaN, as are the gradients.
            Divide divide try_divide on Reals {
                example("[1.0, 9.0]", "[4.0, 2.0]") = "[0.25, 4.5]";
                value(a, b) = a / b;
                slope_a(_, b, _) = S::lit(1.0) / b;
                slope_b(_, b, y) = -y / b;
            }

            /// `a` to the power `b`. An integer to a negative integer power is an error.
            ///
            /// The gradient in `a` at 0 is infinite for `b` below 1, and 0 for 0. That in
            /// `b` is 0 where `a` is 0, and NaN where `a` is negative.
            Power power try_power on Numbers {
                example("[2.0, 9.0]", "[3.0, 0.5]") = "[8.0, 3.0]";
                value(a, b) = a.pow(b);
                slope_a(a, b, _) = {
                    // Of `0 * 0^-1` only: elsewhere at `b` = 0 the product is right, and
                    // so is its own slope in `b`.
                    let (zero, full) = (S::lit(0.0), b * a.pow(b - S::lit(1.0)));
                    S::select(a.equal(zero), S::select(b.equal(zero), zero, full), full)
                };
                slope_b(a, _, y) = {
                    let zero = S::lit(0.0);
                    S::select(a.equal(zero), zero, y * a.ln())
                };
            }

            /// The larger of `a` and `b`; NaN if either is, and then neither gets a
            /// cotangent. At ties each gets half of it.
            Maximum maximum try_maximum on Numbers {
                example("[1.0, 5.0]", "[3.0, 2.0]") = "[3.0, 5.0]";
                value(a, b) = a.max(b);
                slope_a(a, b, _) = share(b, a);
                slope_b(a, b, _) = share(a, b);
            }

            /// The smaller of `a` and `b`; NaN if either is, and then neither gets a
            /// cotangent. At ties each gets half of it.
            Minimum minimum try_minimum on Numbers {
                example("[1.0, 5.0]", "[3.0, 2.0]") = "[1.0, 2.0]";
                value(a, b) = a.min(b);
                slope_a(a, b, _) = share(a, b);
                slope_b(a, b, _) = share(b, a);
            }

            /// Leaky rectifier: `a` above 0, otherwise `a * b`, where `b` is the slope
            /// below 0. The gradient in `a` at 0 is `b`.
            LeakyRelu leaky_relu try_leaky_relu on Reals {
                example("[-2.0, 3.0]", "[0.1, 0.1]") = "[-0.2, 3.0]";
                value(a, b) = S::select(S::lit(0.0).less(a), a, a * b);
                slope_a(a, b, _) = S::select(S::lit(0.0).less(a), S::lit(1.0), b);
                slope_b(a, _, _) = S::select(S::lit(0.0).less(a), S::lit(0.0), a);
            }

            /// `a * b`, and exactly 0 where `a` is 0, even if `b` is infinite or NaN.
            MultiplyNoNan multiply_no_nan try_multiply_no_nan on Numbers {
                example("[0.0, 2.0]", "[7.0, 3.0]") = "[0.0, 6.0]";
                value(a, b) = strong_product(a, b);
                slope_a(_, b, _) = b;
                slope_b(a, _, _) = a;
            }
        }
    };
}
pub(crate) use binary_ops;

/// The comparisons, for the macro `$with`. Operands broadcast; the result is boolean
/// and has no gradient.
macro_rules! compare_ops {
    ($with:ident) => {
        $with! {
            /// Whether `a == b`.
            Equal equal try_equal {
                example("[1.0, 2.0, 3.0]", "[2.0, 2.0, 2.0]") = "[False, True, False]";
                value(a, b) = a.equal(b);
            }

            /// Whether `a != b`.
            NotEqual not_equal try_not_equal {
                example("[1.0, 2.0, 3.0]", "[2.0, 2.0, 2.0]") = "[True, False, True]";
                value(a, b) = a.not_equal(b);
            }

            /// Whether `a < b`.
            Less less try_less {
                example("[1.0, 2.0, 3.0]", "[2.0, 2.0, 2.0]") = "[True, False, False]";
                value(a, b) = a.less(b);
            }

            /// Whether `a <= b`.
            LessEqual less_equal try_less_equal {
                example("[1.0, 2.0, 3.0]", "[2.0, 2.0, 2.0]") = "[True, True, False]";
                value(a, b) = a.less_equal(b);
            }

            /// Whether `a > b`.
            Greater greater try_greater {
                example("[1.0, 2.0, 3.0]", "[2.0, 2.0, 2.0]") = "[False, False, True]";
                value(a, b) = b.less(a);
            }

            /// Whether `a >= b`.
            GreaterEqual greater_equal try_greater_equal {
                example("[1.0, 2.0, 3.0]", "[2.0, 2.0, 2.0]") = "[False, True, True]";
                value(a, b) = b.less_equal(a);
            }
        }
    };
}
pub(crate) use compare_ops;

unary_ops!(declare_unary);
binary_ops!(declare_binary);
compare_ops!(declare_compare);

/// 1 where `low < high`, half where they are equal, otherwise 0.
#[inline(always)]
fn share<S: Scalar>(low: S, high: S) -> S {
    let tie = S::select(low.equal(high), S::lit(0.5), S::lit(0.0));
    S::select(low.less(high), S::lit(1.0), tie)
}
