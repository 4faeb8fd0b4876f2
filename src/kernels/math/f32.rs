//! The functions for `f32`.
//!
//! `f64.rs` explains the steps they share. Angles are reduced, and powers computed, in
//! `f64`, which needs no correction terms.

use super::f64::{self as double, ROUND as ROUND_64, TWO_52};
use super::reduction::reduce_large;
use crate::kernels::guard;
use std::f32::consts::{FRAC_2_PI, LN_2, LOG2_E};
use std::f64::consts::{FRAC_PI_2, LN_2 as LN_2_64, LOG2_E as LOG2_E_64};

/// 1.5 * 2^23: as in `f64.rs`.
const ROUND: f32 = 12_582_912.0;
const TWO_23: f32 = 8_388_608.0;
const TWO_25: f32 = 33_554_432.0;

/// ln 2 to 16 bits and the rest.
const LN2_HI: f32 = 0.693_145_75;
const LN2_LO: f32 = 1.428_606_8e-6;

const SIGN: u32 = 1 << 31;
const MANTISSA: u32 = (1 << 23) - 1;
const ONE_BITS: u32 = 1.0_f32.to_bits();
const SQRT_HALF_BITS: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();

/// (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2; error of e^r - 1: 2^-25.8.
const EXP: [f32; 5] =
    [0.499_999_94, 0.166_665_48, 0.041_668_966, 0.008_366_032, 0.001_375_837_4];
/// (e^r - 1 - r - r^2 / 2) / r^3 for `pow`, which works in `f64`; error 2^-25.9.
const EXP_64: [f64; 4] = [
    0.166_665_681_931_228_08,
    0.041_667_850_272_303_46,
    0.008_364_134_495_619_341,
    0.001_380_290_258_250_904_1,
];
/// (ln((1 + s) / (1 - s)) - 2 s) / s^3 in powers of s^2, |s| <= 3 - 2 sqrt 2; error
/// of the logarithm: 2^-30.2.
const LN: [f32; 3] = [0.666_667_76, 0.399_775_8, 0.298_709_6];
/// The same for `pow`; error 2^-37.6.
const LN_64: [f64; 4] = [
    0.666_666_656_466_062_7,
    0.400_003_350_381_531_6,
    0.285_373_125_836_868_1,
    0.235_821_664_207_233_77,
];
/// (sin r - r) / r^3 in powers of r^2 on |r| <= pi / 4; error of the sine: 2^-27.9.
const SIN: [f32; 3] = [-0.166_666_55, 0.008_332_189, -0.000_195_182_77];
/// (cos r - 1 + r^2 / 2) / r^4 likewise; error of the cosine: 2^-33.0.
const COS: [f32; 3] = [0.041_666_646, -0.001_388_731, 2.443_232_7e-5];
/// r^3 / (r - tanh r) in powers of r^2 on 0 <= r <= 0.55; error of tanh: 2^-28.9.
const TANH: [f32; 3] = [3.000_001_2, 1.199_975_4, -0.005_570_843];

/// Below, `tanh` needs no power of e.
const TANH_NEAR: f32 = 0.55;

/// Below, `exp` and what is made of it need neither limits nor subnormals.
const EXP_COMMON: f32 = 87.0;
/// 1 + x below this has a reciprocal that is normal.
const LN_1P_COMMON: f32 = f32::MAX / 4.0;
/// `sin_common` and `cos_common` hold up to here.
pub(crate) const TRIG_LIMIT: f32 = 400_000.0;
/// pi / 2 in three parts of 24 bits.
const HALF_PI: [f32; 3] = [
    f32::from_bits(0x3fc9_0fdb),
    f32::from_bits(0xb33b_bd2e),
    f32::from_bits(0xa6f7_2ced),
];
/// 2 / pi in two parts, the first of 29 bits: its product with an `f32` is exact. That
/// of the second is too small, up to the limit, to matter for the nearest integer.
const FRAC_2_PI_64: [f64; 2] =
    [f64::from_bits(0x3fe4_5f30_6e00_0000), f64::from_bits(0xbdfb_1bbe_ad60_3d8b)];

type Guarded = guard::Guarded<f32, i32>;

/// `a b + c`, rounded once if `FMA`.
#[inline(always)]
fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Limits `x`; a NaN stays.
#[inline(always)]
fn limit(x: f32, low: f32, high: f32) -> f32 {
    let x = if high < x { high } else { x };
    if low > x { low } else { x }
}

/// Negative where |x| > `limit`, or x is a NaN.
#[inline(always)]
fn beyond(limit: f32, x: f32) -> i32 {
    limit.to_bits().wrapping_sub(x.to_bits() & !SIGN).cast_signed()
}

/// Negative unless `least` <= x <= `most`; `least` is positive.
#[inline(always)]
fn outside(least: f32, most: f32, x: f32) -> i32 {
    let x = x.to_bits();
    let (above, below) =
        (x.wrapping_sub(least.to_bits()), most.to_bits().wrapping_sub(x));
    (above | below).cast_signed()
}

/// The whole number nearest to x / ln 2, plus the bias, in the low bits; and the number.
#[inline(always)]
fn exponent<const FMA: bool>(x: f32, log2_e: f32, bias: f32) -> (u32, f32) {
    let shifted = fma::<FMA>(x, log2_e, ROUND + bias);
    (shifted.to_bits(), shifted - (ROUND + bias))
}

/// x - k ln 2.
#[inline(always)]
fn less_ln_2<const FMA: bool>(x: f32, k: f32) -> f32 {
    fma::<FMA>(-k, LN2_LO, fma::<FMA>(-k, LN2_HI, x))
}

/// `term` + e^r - 1 - r for |r| <= ln 2 / 2.
#[inline(always)]
fn add_bend<const FMA: bool>(r: f32, term: f32) -> f32 {
    let z = r * r;
    let p0 = fma::<FMA>(r, EXP[1], EXP[0]);
    let p2 = fma::<FMA>(r, EXP[3], EXP[2]);
    fma::<FMA>(z, fma::<FMA>(z, fma::<FMA>(z, EXP[4], p2), p0), term)
}

/// 2^k as two factors, from k + 254 in the low bits: one cannot reach 2^128 or the
/// subnormals.
#[inline(always)]
fn halves(k: u32) -> (f32, f32) {
    let k = k & 0x3ff;
    let half = k >> 1;
    (f32::from_bits(half << 23), f32::from_bits((k - half) << 23))
}

/// e^x.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    let x = limit(x, -105.0, 89.0);
    let (bits, k) = exponent::<FMA>(x, LOG2_E, 254.0);
    let r = less_ln_2::<FMA>(x, k);
    let (s, t) = halves(bits);
    (1.0 + add_bend::<FMA>(r, r)) * s * t
}

/// e^x for |x| <= 87.
#[inline(always)]
pub(crate) fn exp_common<const FMA: bool>(x: f32) -> Guarded {
    let (bits, k) = exponent::<FMA>(x, LOG2_E, 0.0);
    let r = less_ln_2::<FMA>(x, k);
    let y = 1.0 + add_bend::<FMA>(r, r);
    // Times 2^k: neither is subnormal.
    let y = f32::from_bits(y.to_bits().wrapping_add(bits << 23));
    Guarded { value: y, flag: beyond(EXP_COMMON, x) }
}

/// scale (e^x - 1), given `scale` and `scale` 2^k.
#[inline(always)]
fn scaled_exp_m1<const FMA: bool>(x: f32, k: f32, scale: f32, power: f32) -> f32 {
    let (a, b) = (fma::<FMA>(-k, LN2_HI, x), k * LN2_LO);
    let sum = fma::<FMA>(power, a, power - scale);
    fma::<FMA>(power, add_bend::<FMA>(a - b, -b), sum)
}

/// e^x - 1, accurate near 0.
#[inline(always)]
pub(crate) fn exp_m1<const FMA: bool>(x: f32) -> f32 {
    let limited = limit(x, -20.0, 89.0);
    // Half the result throughout: 2^128 would overflow too early.
    let (bits, k) = exponent::<FMA>(limited, LOG2_E, 126.0);
    let y = scaled_exp_m1::<FMA>(limited, k, 0.5, f32::from_bits(bits << 23)) * 2.0;
    // Halving a subnormal would lose its last bit.
    (if x.abs() < 1e-8 { x } else { y }).copysign(x)
}

/// e^x - 1 for |x| <= 87.
#[inline(always)]
pub(crate) fn exp_m1_common<const FMA: bool>(x: f32) -> Guarded {
    let (bits, k) = exponent::<FMA>(x, LOG2_E, 127.0);
    let y = scaled_exp_m1::<FMA>(x, k, 1.0, f32::from_bits(bits << 23));
    Guarded { value: y.copysign(x), flag: beyond(EXP_COMMON, x) }
}

/// x = 2^k m with m from sqrt(1/2) to sqrt 2: the bits of 2^k above those of 1, k, m.
#[inline(always)]
fn split_ln(x: f32) -> (u32, f32, f32) {
    let bits = x.to_bits();
    let above = bits.wrapping_sub(SQRT_HALF_BITS);
    let (power, k) = (above & !MANTISSA, above.cast_signed() >> 23);
    #[allow(clippy::cast_precision_loss, reason = "k has 8 bits")]
    (power, k as f32, f32::from_bits(bits.wrapping_sub(power)))
}

/// k ln 2 + ln(1 + f).
#[inline(always)]
fn join_ln<const FMA: bool>(k: f32, f: f32) -> f32 {
    let s = f / (2.0 + f);
    let z = s * s;
    let p = z * fma::<FMA>(z, fma::<FMA>(z, LN[2], LN[1]), LN[0]);
    let less = fma::<FMA>(s, f - p, -(k * LN2_LO)) - f;
    fma::<FMA>(k, LN2_HI, -less)
}

/// `y`, unless ln x has a special value.
#[inline(always)]
fn special_ln(x: f32, y: f32) -> f32 {
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

/// The natural logarithm.
#[inline(always)]
pub(crate) fn ln<const FMA: bool>(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let (_, k, m) = split_ln(if subnormal { x * TWO_25 } else { x });
    special_ln(x, join_ln::<FMA>(k - if subnormal { 25.0 } else { 0.0 }, m - 1.0))
}

/// The natural logarithm of a normal number.
#[inline(always)]
pub(crate) fn ln_common<const FMA: bool>(x: f32) -> Guarded {
    let (_, k, m) = split_ln(x);
    let flag = outside(f32::MIN_POSITIVE, f32::MAX, x);
    Guarded { value: join_ln::<FMA>(k, m - 1.0), flag }
}

/// 1 + x as two numbers whose sum is exact, by Knuth's sum of two (Handbook,
/// section 4.3).
#[inline(always)]
fn one_plus(x: f32) -> (f32, f32) {
    let u = 1.0 + x;
    let b = u - 1.0;
    (u, (1.0 - (u - b)) + (x - b))
}

/// ln(1 + x), accurate near 0.
#[inline(always)]
pub(crate) fn ln_1p<const FMA: bool>(x: f32) -> f32 {
    let (u, c) = one_plus(x);
    let (power, k, m) = split_ln(u);
    // Where 2^-k is no normal number, c is too small to matter.
    let inverse = if u <= LN_1P_COMMON { ONE_BITS.wrapping_sub(power) } else { 0 };
    let y = join_ln::<FMA>(k, fma::<FMA>(c, f32::from_bits(inverse), m - 1.0));
    special_ln(u, y).copysign(x)
}

/// ln(1 + x), accurate near 0, for -1 < x < 2^126.
#[inline(always)]
pub(crate) fn ln_1p_common<const FMA: bool>(x: f32) -> Guarded {
    let (u, c) = one_plus(x);
    let (power, k, m) = split_ln(u);
    let inverse = f32::from_bits(ONE_BITS.wrapping_sub(power));
    let y = join_ln::<FMA>(k, fma::<FMA>(c, inverse, m - 1.0)).copysign(x);
    Guarded { value: y, flag: outside(f32::MIN_POSITIVE, LN_1P_COMMON, u) }
}

/// The hyperbolic tangent; `f64.rs` explains the steps.
#[inline(always)]
pub(crate) fn tanh<const FMA: bool>(x: f32) -> f32 {
    let y = x.abs();
    let is_near = y < TANH_NEAR;
    let limited = if 10.0 < y { 10.0 } else { y };
    let far = if is_near { 0.0 } else { limited };
    let (bits, k) = exponent::<FMA>(far, 2.0 * LOG2_E, 127.0);
    let r = fma::<FMA>(-k, 0.5 * LN_2, limited);
    let power = f32::from_bits(bits << 23);
    let z = r * r;
    let u = r * z;
    let v = fma::<FMA>(z, fma::<FMA>(z, TANH[2], TANH[1]), TANH[0]);
    let b = fma::<FMA>(r, v, -u);
    let less = v - b;
    let (part, whole) = if is_near { (u, y) } else { (less, 1.0) };
    let sum = fma::<FMA>(power, v + b, less);
    (whole - (part + part) / sum).copysign(x)
}

/// 1 + e^y over 2^k as a number, given e^r and 2^-k with y = k ln 2 + r.
#[inline(always)]
fn one_plus_exp(p: f32, inverse: f32) -> f32 {
    let one = 1.0 + inverse;
    one + (p + (inverse - (one - 1.0)))
}

/// 1 / (1 + e^-x); e^x for large negative x, down to the subnormals.
#[inline(always)]
pub(crate) fn logistic<const FMA: bool>(x: f32) -> f32 {
    let y = x.abs();
    let y = if 105.0 < y { 105.0 } else { y };
    let (bits, k) = exponent::<FMA>(y, -LOG2_E, 254.0);
    let r = less_ln_2::<FMA>(y, -k);
    let (s, t) = halves(bits);
    let tail = (1.0 / one_plus_exp(add_bend::<FMA>(r, r), s * t)) * s * t;
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// 1 / (1 + e^-x) for |x| <= 87.
#[inline(always)]
pub(crate) fn logistic_common<const FMA: bool>(x: f32) -> Guarded {
    let y = x.abs();
    let (bits, k) = exponent::<FMA>(y, -LOG2_E, 127.0);
    let r = less_ln_2::<FMA>(y, -k);
    let inverse = f32::from_bits(bits << 23);
    let tail = inverse / one_plus_exp(add_bend::<FMA>(r, r), inverse);
    let y = if x < 0.0 { tail } else { 1.0 - tail };
    Guarded { value: y, flag: beyond(EXP_COMMON, x) }
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is the purpose")]
fn narrow(x: f64) -> f32 {
    x as f32
}

/// x = n pi / 2 + r for 0 <= x <= `TRIG_LIMIT`; the low bits of the first result are n.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "n is in the low bits")]
fn reduce<const FMA: bool>(x: f32) -> (u32, f32) {
    if FMA {
        // Cody and Waite's method (Muller, as above). The first difference is exact: it is
        // below 1, and a multiple of 2^-24. The next two are rounded, which costs the sine
        // a unit in the last place at most. |r| stays below 0.802, as n, by one product in
        // `f32`, is not always the nearest whole number.
        let shifted = fma::<FMA>(x, FRAC_2_PI, ROUND);
        let n = shifted - ROUND;
        let r = HALF_PI.iter().fold(x, |r, &part| fma::<FMA>(-n, part, r));
        return (shifted.to_bits(), r);
    }
    let x = f64::from(x);
    let turns = x * FRAC_2_PI_64[0];
    let shifted = turns + ROUND_64;
    let n = shifted - ROUND_64;
    let rest = (turns - n) + x * FRAC_2_PI_64[1];
    (shifted.to_bits() as u32, narrow(rest * FRAC_PI_2))
}

/// The sine of n pi / 2 + r.
#[inline(always)]
fn wave<const FMA: bool>(n: u32, r: f32) -> f32 {
    let odd = n & 1 != 0;
    let pick = |sin: f32, cos: f32| if odd { cos } else { sin };
    let z = r * r;
    let p = fma::<FMA>(z, pick(SIN[2], COS[2]), pick(SIN[1], COS[1]));
    let p = fma::<FMA>(z, p, pick(SIN[0], COS[0]));
    let y = fma::<FMA>(pick(r, z) * z, p, pick(r, fma::<FMA>(-0.5, z, 1.0)));
    f32::from_bits(y.to_bits() ^ ((n & 2) << 30))
}

#[inline(always)]
fn flip_sign(y: f32, x: f32) -> f32 {
    f32::from_bits(y.to_bits() ^ (x.to_bits() & SIGN))
}

/// The sine; does not vectorise.
#[inline(always)]
pub(crate) fn sin<const FMA: bool>(x: f32) -> f32 {
    if x.abs() <= TRIG_LIMIT {
        return sin_common::<FMA>(x).value;
    }
    let (n, r) = reduce_any(x.abs());
    flip_sign(wave::<FMA>(n, r), x)
}

/// The sine for |x| <= `TRIG_LIMIT`.
#[inline(always)]
pub(crate) fn sin_common<const FMA: bool>(x: f32) -> Guarded {
    let (n, r) = reduce::<FMA>(x.abs());
    Guarded { value: flip_sign(wave::<FMA>(n, r), x), flag: beyond(TRIG_LIMIT, x) }
}

/// The cosine; does not vectorise.
#[inline(always)]
pub(crate) fn cos<const FMA: bool>(x: f32) -> f32 {
    if x.abs() <= TRIG_LIMIT {
        return cos_common::<FMA>(x).value;
    }
    let (n, r) = reduce_any(x.abs());
    wave::<FMA>(n.wrapping_add(1), r)
}

/// The cosine for |x| <= `TRIG_LIMIT`.
#[inline(always)]
pub(crate) fn cos_common<const FMA: bool>(x: f32) -> Guarded {
    let (n, r) = reduce::<FMA>(x.abs());
    Guarded { value: wave::<FMA>(n.wrapping_add(1), r), flag: beyond(TRIG_LIMIT, x) }
}

/// As `reduce`, for x >= 1.
#[allow(clippy::cast_possible_truncation, reason = "n is in the low bits")]
fn reduce_any(x: f32) -> (u32, f32) {
    let (n, r, _) = reduce_large(f64::from(x));
    (n as u32, narrow(r))
}

/// e^x = 2^k (1 + p) in `f64`: 2^k and p, for |x| up to 700.
#[inline(always)]
fn split_exp_64(x: f64) -> (f64, f64) {
    let shifted = x * LOG2_E_64 + (ROUND_64 + 1023.0);
    let k = shifted - (ROUND_64 + 1023.0);
    let r = x - k * LN_2_64;
    let z = r * r;
    let p = (EXP_64[0] + r * EXP_64[1]) + z * (EXP_64[2] + r * EXP_64[3]);
    (f64::from_bits(shifted.to_bits() << 52), (r + 0.5 * z) + (r * z) * p)
}

/// Whether x >= 0 is an integer; every x >= 2^23 is.
#[inline(always)]
fn is_integer(x: f32) -> bool {
    (if x < TWO_23 { (x + TWO_23) - TWO_23 } else { x }) == x
}

/// a^b, with the special values of C99's `pow`: 1 where b = 0 or a = 1, NaN for
/// negative a and fractional b.
#[inline(always)]
pub(crate) fn pow(a: f32, b: f32) -> f32 {
    let x = a.abs();
    let (k, m) = double::split_ln(f64::from(x));
    let k = f64::from_bits(k | TWO_52.to_bits()) - (TWO_52 + 1023.0);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let p = (LN_64[0] + z * LN_64[1]) + (z * z) * (LN_64[2] + z * LN_64[3]);
    let l = k * LN_2_64 + s * (2.0 + z * p);
    // Beyond 1e30 the result is 0, 1 or infinite, and an infinite b would give NaN.
    let y = f64::from(limit(b, -1e30, 1e30)) * l;
    let y = if x < f32::INFINITY { y } else { f64::from(b * x) };
    let y = if x == 0.0 { f64::from(b * f32::NEG_INFINITY) } else { y };
    let y = if 89.0 < y { 89.0 } else { y };
    let (scale, p) = split_exp_64(if -105.0 > y { -105.0 } else { y });
    let y = narrow(scale + scale * p);

    let whole = is_integer(b.abs());
    let odd = whole && !is_integer(0.5 * b.abs());
    let undefined = a < 0.0 && x < f32::INFINITY && !whole;
    let y = if undefined { f32::NAN } else { y };
    let y = if odd { flip_sign(y, a) } else { y };
    if b == 0.0 || a == 1.0 { 1.0 } else { y }
}
