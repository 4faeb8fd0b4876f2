//! The functions for `f32`.
//!
//! `exp`, `exp_m1`, `ln`, `ln_1p` and `tanh` work in `f32`; `f64.rs` explains the
//! steps they share. The others work in `f64`, which needs no correction terms and
//! was as fast or faster when measured; the functions that do are correct to almost
//! half a unit.

use super::f64::{self as double, ROUND as ROUND_64, TWO_52};
use super::reduction::reduce_large;
use std::f32::consts::LOG2_E;
use std::f64::consts::{FRAC_2_PI, LN_2, LOG2_E as LOG2_E_64};

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
const TWO_23_BITS: u32 = TWO_23.to_bits();

/// (e^r - 1 - r - r^2 / 2) / r^3 on |r| <= ln 2 / 2; error of e^r - 1: 2^-25.8.
const EXP: [f32; 4] = [0.166_665_69, 0.041_667_85, 0.008_364_134_5, 0.001_380_290_3];
/// The same for the functions that work in `f64`; error 2^-25.9.
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
/// (sin r - r) / r^3 in powers of r^2 on |r| <= pi / 4; error of the sine: 2^-28.0.
const SIN: [f64; 3] = [
    -0.166_666_545_918_143_12,
    0.008_332_159_615_900_48,
    -0.000_195_151_244_828_485_54,
];
/// (cos r - 1 + r^2 / 2) / r^4 likewise; error of the cosine: 2^-33.0.
const COS: [f64; 3] = [
    0.041_666_645_651_504_19,
    -0.001_388_731_468_974_017_4,
    2.443_297_474_989_724_2e-5,
];
/// (tanh y - y) / y^3 in powers of y^2 on 0 <= y <= 0.75; error of tanh: 2^-29.1.
const TANH: [f32; 6] = [
    -0.333_333_16,
    0.133_327_2,
    -0.053_894_535,
    0.021_457_793,
    -0.007_665_812_5,
    0.001_741_756_7,
];

/// `sin` and `cos` hold up to here: the multiple of pi / 2 has at most 26 bits.
pub(crate) const TRIG_LIMIT: f32 = 1e8;
/// pi / 2 in two parts, the first of 27 bits.
const HALF_PI: [f64; 2] =
    [f64::from_bits(0x3ff9_21fb_5400_0000), f64::from_bits(0x3e11_0b46_11a6_2633)];

/// Limits `x`; a NaN stays.
#[inline(always)]
fn limit(x: f32, low: f32, high: f32) -> f32 {
    let x = if high < x { high } else { x };
    if low > x { low } else { x }
}

/// e^x = 2^k (1 + hi + lo). The low bits of the first result are k + bias.
#[inline(always)]
fn split_exp(x: f32, bias: f32) -> (u32, f32, f32) {
    let shifted = x * LOG2_E + (ROUND + bias);
    let k = shifted - (ROUND + bias);
    let a = x - k * LN2_HI;
    let b = k * LN2_LO;
    let r = a - b;
    let error = (a - r) - b;
    let z = r * r;
    let p = (EXP[0] + r * EXP[1]) + z * (EXP[2] + r * EXP[3]);
    let q = (0.5 * z + error) + (r * z) * p;
    let hi = r + q;
    (shifted.to_bits(), hi, q - (hi - r))
}

/// e^x = 2^k (1 + p) in `f64`: 2^k and p, for |x| up to 700.
#[inline(always)]
fn split_exp_64(x: f64) -> (f64, f64) {
    let shifted = x * LOG2_E_64 + (ROUND_64 + 1023.0);
    let k = shifted - (ROUND_64 + 1023.0);
    let r = x - k * LN_2;
    let z = r * r;
    let p = (EXP_64[0] + r * EXP_64[1]) + z * (EXP_64[2] + r * EXP_64[3]);
    (f64::from_bits(shifted.to_bits() << 52), (r + 0.5 * z) + (r * z) * p)
}

/// e^x.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let (shifted, hi, _) = split_exp(limit(x, -105.0, 89.0), 254.0);
    // 2^k as two factors: one cannot reach 2^128 or the subnormals.
    let k = shifted & 0x3ff;
    let half = k >> 1;
    (1.0 + hi) * f32::from_bits(half << 23) * f32::from_bits((k - half) << 23)
}

/// e^x - 1, accurate near 0.
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    let (k, hi, lo) = split_exp(limit(x, -20.0, 89.0), 126.0);
    let scale = f32::from_bits(k << 23);
    let base = scale - 0.5;
    let step = scale * hi;
    let sum = base + step;
    let error = (step - (sum - base)) + scale * lo;
    if x.abs() < 1e-8 { x } else { (sum + error) * 2.0 }
}

/// x = 2^k m with m from sqrt(1/2) to sqrt 2: k + 127 and m.
#[inline(always)]
fn split_ln(x: f32) -> (u32, f32) {
    let bits = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    (bits >> 23, f32::from_bits((bits & MANTISSA) + SQRT_HALF_BITS))
}

/// k ln 2 + ln(1 + f) + low, given s = f / (2 + f).
#[inline(always)]
fn join_ln(k: f32, f: f32, s: f32, low: f32) -> f32 {
    let z = s * s;
    let p = z * ((LN[0] + z * LN[1]) + (z * z) * LN[2]);
    let half = 0.5 * f * f;
    k * LN2_HI - ((half - (s * (half + p) + (k * LN2_LO + low))) - f)
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
pub(crate) fn ln(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let (k, m) = split_ln(if subnormal { x * TWO_25 } else { x });
    let bias = TWO_23 + if subnormal { 152.0 } else { 127.0 };
    let k = f32::from_bits(k | TWO_23_BITS) - bias;
    let f = m - 1.0;
    special_ln(x, join_ln(k, f, f / (2.0 + f), 0.0))
}

/// ln(1 + x), accurate near 0.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let b = u - 1.0;
    let c = (1.0 - (u - b)) + (x - b);
    let (k, m) = split_ln(u);
    let c = c * f32::from_bits((255_u32.wrapping_sub(k)) << 23) * 0.5;
    let k = f32::from_bits(k | TWO_23_BITS) - (TWO_23 + 127.0);
    let g = m - 1.0;
    let f = g + c;
    let inverse = 1.0 / (2.0 + f);
    let lost = (c - (f - g)) * (4.06 * (inverse * inverse));
    special_ln(u, join_ln(k, f, f * inverse, lost)).copysign(x)
}

/// The hyperbolic tangent: a polynomial below 0.75, else 1 - 2 / (e^(2 |x|) + 1).
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let y = x.abs();
    let y = if 10.0 < y { 10.0 } else { y };
    let (k, hi, _) = split_exp(2.0 * y, 127.0);
    let scale = f32::from_bits(k << 23);
    let large = 1.0 - 2.0 / ((scale + scale * hi) + 1.0);
    let z = y * y;
    let w = z * z;
    let p0 = TANH[0] + z * TANH[1];
    let p2 = TANH[2] + z * TANH[3];
    let p4 = TANH[4] + z * TANH[5];
    let small = y + (y * z) * (p0 + w * (p2 + w * p4));
    (if y < 0.75 { small } else { large }).copysign(x)
}

/// 1 / (1 + e^-x); e^x for large negative x, down to the subnormals.
#[inline(always)]
pub(crate) fn logistic(x: f32) -> f32 {
    let (scale, p) = split_exp_64(f64::from(limit(-x, -105.0, 105.0)));
    narrow(1.0 / (1.0 + (scale + scale * p)))
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is the purpose")]
fn narrow(x: f64) -> f32 {
    x as f32
}

/// x = n pi / 2 + r for 0 <= x <= `TRIG_LIMIT`; the low bits of the first result are n.
#[inline(always)]
fn reduce(x: f32) -> (u64, f64) {
    let x = f64::from(x);
    let shifted = x * FRAC_2_PI + ROUND_64;
    let n = shifted - ROUND_64;
    (shifted.to_bits(), (x - n * HALF_PI[0]) - n * HALF_PI[1])
}

/// The sine of n pi / 2 + r.
#[inline(always)]
fn wave(n: u64, r: f64) -> f32 {
    let odd = n & 1 != 0;
    let pick = |sin: f64, cos: f64| if odd { cos } else { sin };
    let z = r * r;
    let p = (pick(SIN[0], COS[0]) + z * pick(SIN[1], COS[1]))
        + (z * z) * pick(SIN[2], COS[2]);
    let y = pick(r, 1.0 - 0.5 * z) + pick(r, z) * z * p;
    narrow(f64::from_bits(y.to_bits() ^ ((n & 2) << 62)))
}

#[inline(always)]
fn flip_sign(y: f32, x: f32) -> f32 {
    f32::from_bits(y.to_bits() ^ (x.to_bits() & SIGN))
}

/// The sine, for |x| <= `TRIG_LIMIT`.
#[inline(always)]
pub(crate) fn sin(x: f32) -> f32 {
    let (n, r) = reduce(x.abs());
    flip_sign(wave(n, r), x)
}

/// The cosine, for |x| <= `TRIG_LIMIT`.
#[inline(always)]
pub(crate) fn cos(x: f32) -> f32 {
    let (n, r) = reduce(x.abs());
    wave(n.wrapping_add(1), r)
}

/// The sine of any angle; does not vectorise.
#[inline]
pub(crate) fn sin_any(x: f32) -> f32 {
    if x.abs() <= TRIG_LIMIT {
        return sin(x);
    }
    let (n, r, _) = reduce_large(f64::from(x.abs()));
    flip_sign(wave(n, r), x)
}

/// The cosine of any angle; does not vectorise.
#[inline]
pub(crate) fn cos_any(x: f32) -> f32 {
    if x.abs() <= TRIG_LIMIT {
        return cos(x);
    }
    let (n, r, _) = reduce_large(f64::from(x.abs()));
    wave(n.wrapping_add(1), r)
}

/// Whether a block needs `sin_any` and `cos_any`.
#[inline(always)]
#[cfg(test)]
pub(crate) fn beyond_trig_limit(block: &[f32]) -> bool {
    block.iter().fold(false, |found, x| found | (x.abs() > TRIG_LIMIT))
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
    let l = k * LN_2 + s * (2.0 + z * p);
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
