//! Activation functions.

use super::super::declare::{declare_binary, declare_unary};
use super::super::scalar::{Scalar, strong_product};
use crate::array::{View, ViewMut};
use crate::kernels::map::Mode;
use std::f64::consts::FRAC_1_SQRT_2;

/// 1 / sqrt(2 pi).
const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;
/// 2 sqrt(2 / pi), and the weight of the cube in the approximation by `tanh`
/// (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).
const TWICE_SQRT_2_PI: f64 = 1.595_769_121_605_730_8;
const CUBE: f64 = 0.044_715;

/// The activation functions of one operand, for the macro `$with`.
macro_rules! activation_ops {
    ($with:ident $($head:tt)*) => {
        $with! { $($head)*
            /// Gaussian error linear unit: `x` times the probability that a standard
            /// normal variable is below `x`.
            Gelu gelu try_gelu on Reals {
                example("[-0.5, 0.0, 2.0]") = "[-0.15426876936299344, 0.0, 1.9544997361036416]";
                value(x) = strong_product(below(x), x);
                slope(x, _) = {
                    let density = S::lit(DENSITY_AT_0) * (S::lit(-0.5) * x * x).exp();
                    below(x) + strong_product(density, x)
                };
            }

            /// `gelu` by the approximation
            /// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`.
            GeluTanh gelu_tanh try_gelu_tanh on Reals {
                example("[-0.5, 0.0, 2.0]") = "[-0.15428599017485609, 0.0, 1.954597694087775]";
                value(x) = strong_product(gate(x), x);
                slope(x, _) = {
                    let (one, gate) = (S::lit(1.0), gate(x));
                    let bend = one + S::lit(3.0 * CUBE) * x * x;
                    let rate = S::lit(TWICE_SQRT_2_PI) * x * bend;
                    gate + strong_product(gate * (one - gate), rate)
                };
            }

            /// Sigmoid linear unit, `x * sigmoid(x)`.
            Silu silu try_silu on Reals {
                example("[0.0, 2.0]") = "[0.0, 1.7615941559557649]";
                value(x) = strong_product(x.logistic(), x);
                slope(x, _) = {
                    let (one, gate) = (S::lit(1.0), x.logistic());
                    gate + strong_product(gate * (one - gate), x)
                };
            }

            /// `x * tanh(softplus(x))`.
            Mish mish try_mish on Reals {
                example("[-0.5, 0.0, 2.0]") = "[-0.22074377465173, 0.0, 1.9439589595339946]";
                value(x) = strong_product(softplus(x).tanh(), x);
                slope(x, _) = {
                    let (one, gate) = (S::lit(1.0), softplus(x).tanh());
                    gate + strong_product((one - gate * gate) * x.logistic(), x)
                };
            }
        }
    };
}
pub(crate) use activation_ops;

/// The activation functions with a parameter, for the macro `$with`.
macro_rules! shaped_activation_ops {
    ($with:ident $($head:tt)*) => {
        $with! { $($head)*
            /// Exponential linear unit: `a` above 0, otherwise `b * (exp(a) - 1)`. The
            /// gradient in `a` at 0 is `b`.
            Elu elu try_elu on Reals {
                example("[-1.0, 2.0]", "[1.0, 1.0]") = "[-0.6321205588285577, 2.0]";
                value(a, b) = S::select(S::lit(0.0).less(a), a, b * a.exp_m1());
                slope_a(a, b, _) = {
                    S::select(S::lit(0.0).less(a), S::lit(1.0), b * a.exp())
                };
                slope_b(a, _, _) = {
                    S::select(S::lit(0.0).less(a), S::lit(0.0), a.exp_m1())
                };
            }
        }
    };
}
pub(crate) use shaped_activation_ops;

activation_ops!(declare_unary);
shaped_activation_ops!(declare_binary);

/// The probability that a standard normal variable is below `x`.
#[inline(always)]
fn below<S: Scalar>(x: S) -> S {
    S::lit(0.5) * (S::lit(-FRAC_1_SQRT_2) * x).erfc()
}

/// `(1 + tanh(u)) / 2` as the logistic function of `2 u`, which keeps its digits.
#[inline(always)]
fn gate<S: Scalar>(x: S) -> S {
    (S::lit(TWICE_SQRT_2_PI) * x * (S::lit(1.0) + S::lit(CUBE) * x * x)).logistic()
}

#[inline(always)]
fn softplus<S: Scalar>(x: S) -> S {
    x.max(S::lit(0.0)) + (-x.abs()).exp().ln_1p()
}
