//! Functions that the crate `libm` computes, which is the same code on every platform.
//!
//! They do not vectorise. An `f32` is computed in `f64` and rounded once.

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($x:ident),*) = $value:expr;)*) => {
        /// The functions for `f64`.
        pub(crate) mod f64 {
            $($(#[$doc])* #[inline]
            pub(crate) fn $name($($x: f64),*) -> f64 {
                $value
            })*
        }

        /// The functions for `f32`.
        pub(crate) mod f32 {
            $($(#[$doc])* #[inline]
            #[expect(clippy::cast_possible_truncation, reason = "rounds to f32")]
            pub(crate) fn $name($($x: f32),*) -> f32 {
                super::f64::$name($(f64::from($x)),*) as f32
            })*
        }
    };
}

functions! {
    /// 2^x.
    exp2(x) = libm::exp2(x);
    /// The logarithm to base 2.
    log2(x) = libm::log2(x);
    /// The logarithm to base 10.
    log10(x) = libm::log10(x);
    /// The tangent.
    tan(x) = libm::tan(x);
    /// The angle in [-pi / 2, pi / 2] whose sine is `x`.
    asin(x) = libm::asin(x);
    /// The angle in [0, pi] whose cosine is `x`.
    acos(x) = libm::acos(x);
    /// The angle in [-pi / 2, pi / 2] whose tangent is `x`.
    atan(x) = libm::atan(x);
    /// The hyperbolic sine.
    sinh(x) = libm::sinh(x);
    /// The hyperbolic cosine.
    cosh(x) = libm::cosh(x);
    /// The inverse of `sinh`.
    asinh(x) = libm::asinh(x);
    /// The inverse of `cosh` that is not negative.
    // `libm` has numbers for some arguments below -1.
    acosh(x) = if x < 1.0 { f64::NAN } else { libm::acosh(x) };
    /// The inverse of `tanh`.
    atanh(x) = libm::atanh(x);
    /// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to `x`.
    erf(x) = libm::erf(x);
    /// 1 - erf(x), accurate where that is small.
    erfc(x) = libm::erfc(x);
    /// The angle of the point (x, y).
    atan2(y, x) = libm::atan2(y, x);
    /// sqrt(x^2 + y^2), without overflow on the way.
    hypot(x, y) = libm::hypot(x, y);
}
