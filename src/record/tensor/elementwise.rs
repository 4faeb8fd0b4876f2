//! Elementwise methods beyond the common ones.

use super::{IntoOperand, Tensor};
use crate::error::{self, Result};
use crate::ops::Op;
use crate::ops::elementwise::{
    activation_ops, bit_ops, bit_pair_ops, limit_ops, math_ops, planar_ops,
    shaped_activation_ops, step_ops,
};
use crate::ops::emit::Arg;
use crate::record::Logical;

math_ops!(unary_methods);
activation_ops!(unary_methods);
step_ops!(unary_methods);
bit_ops!(unary_methods);
shaped_activation_ops!(binary_methods);
limit_ops!(binary_methods);
planar_ops!(binary_methods);
bit_pair_ops!(binary_methods);

methods! {
    /// `1 / x`; integers are divided as `f64`.
    reciprocal try_reciprocal() |x, arena, site| arena.reciprocal(x, site);

    /// Rounded to a number of decimals; of two neighbours the even one. Its gradient
    /// is 0.
    round try_round(decimals: i32) |x, arena, site| arena.round(x, decimals, site);

    /// Whether each element is NaN.
    isnan try_isnan() |x, arena, site| arena.isnan(x, site);

    /// Whether each element is infinite.
    isinf try_isinf() |x, arena, site| arena.isinf(x, site);

    /// Whether each element is neither infinite nor NaN.
    isfinite try_isfinite() |x, arena, site| arena.isfinite(x, site);

    /// NaN as `nan`, infinities as the largest and the lowest finite numbers. No
    /// gradient passes where an element is replaced.
    nan_to_num try_nan_to_num(nan: f64)
    |x, arena, site| arena.nan_to_num(x, nan, None, None, site);

    /// Whether each element is 0.
    logical_not try_logical_not() |x, arena, site| arena.logical_not(x, site);

    /// Scaled exponential linear unit: `elu` with the rate and the bound that keep mean
    /// 0 and variance 1.
    selu try_selu() |x, arena, site| arena.selu(x, site);

    /// The elements limited to `min..=max`. The gradient is 1 at the bounds too.
    clip try_clip(min: f64, max: f64)
    |x, arena, site| {
        let bounds = [min, max].map(|bound| Some(Arg::Number(bound.into())));
        arena.clip(x, bounds[0], bounds[1], site)
    };
}

macro_rules! logical_methods {
    ($($(#[$doc:meta])* $Connective:ident $name:ident $fallible:ident;)*) => {
        /// Logical connectives: of numbers, whether they differ from 0 counts.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, b: impl IntoOperand<'rec>) -> Tensor<'rec> {
                error::expect(self.$fallible(b))
            }

            #[doc = concat!("As `", stringify!($name), "`; an error records nothing.")]
            #[track_caller]
            pub fn $fallible(&self, b: impl IntoOperand<'rec>) -> Result<Tensor<'rec>> {
                let (a, b) =
                    (Arg::Value(self.index), self.operand(stringify!($name), b)?);
                self.record
                    .node(|arena, site| arena.logical(Logical::$Connective, a, b, site))
            }
        )* }
    };
}
logical_methods! {
    /// Whether both operands differ from 0.
    And logical_and try_logical_and;
    /// Whether either operand differs from 0.
    Or logical_or try_logical_or;
    /// Whether one of the operands differs from 0 and the other does not.
    Xor logical_xor try_logical_xor;
}
