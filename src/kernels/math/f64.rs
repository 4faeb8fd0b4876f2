//! The functions for `f64`.

use super::reduction::reduce_large;
use crate::kernels::guard;
use std::f64::consts::{FRAC_2_PI, LN_2, LOG2_E};

/// Adding this rounds a small number to an integer and leaves that integer in the low
/// bits of the sum: 1.5 * 2^52, whose unit in the last place is 1. Unlike a
/// conversion, this vectorises without AVX-512DQ.
pub(super) const ROUND: f64 = 6_755_399_441_055_744.0;
pub(super) const TWO_52: f64 = 4_503_599_627_370_496.0;
const TWO_54: f64 = 18_014_398_509_481_984.0;

/// ln 2 to 42 bits, so that its product with an exponent is exact, and the rest.
const LN2_HI: f64 = 0.693_147_180_559_890_3;
const LN2_LO: f64 = 5.497_923_018_708_371e-14;

const SIGN: u64 = 1 << 63;
const MANTISSA: u64 = (1 << 52) - 1;
const ONE_BITS: u64 = 1.0_f64.to_bits();
const SQRT_HALF_BITS: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
const TWO_52_BITS: u64 = TWO_52.to_bits();

/// (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2; error of e^r - 1: 2^-54.3.
const EXP: [f64; 10] = [
    0.500_000_000_000_000_4,
    0.166_666_666_666_664_13,
    0.041_666_666_666_588_026,
    0.008_333_333_333_531_501,
    0.001_388_888_892_840_197_8,
    0.000_198_412_693_608_420_18,
    2.480_150_864_855_304e-5,
    2.755_776_356_471_450_6e-6,
    2.762_482_216_585_215_4e-7,
    2.493_184_541_856_229_5e-8,
];
/// (ln((1 + s) / (1 - s)) - 2 s) / s^3 in powers of s^2, |s| <= 3 - 2 sqrt 2; error
/// of the logarithm: 2^-59.5.
const LN: [f64; 7] = [
    0.666_666_666_666_673_4,
    0.399_999_999_994_164_75,
    0.285_714_287_421_039_6,
    0.222_221_985_933_193_48,
    0.181_835_636_623_655_18,
    0.153_140_590_929_921_4,
    0.147_959_393_979_602_9,
];
/// The same to 2^-66.6, for `pow`, which multiplies the error by up to 2^9.
const LN_POW: [f64; 8] = [
    0.666_666_666_666_666_6,
    0.400_000_000_000_049_26,
    0.285_714_285_694_095_24,
    0.222_222_226_073_237_72,
    0.181_817_783_193_684_1,
    0.153_869_906_952_742_36,
    0.132_521_015_881_326_28,
    0.132_352_365_701_450_1,
];
/// tanh r = r - r^3 U / V on 0 <= r <= 0.55, with U and V in powers of r^2; error of
/// tanh: 2^-54.6. V is that of Lambert's continued fraction, to its seventh term.
const TANH_U: [f64; 3] =
    [45_045.000_000_000_26, 2_771.999_999_996_014_6, 27.000_000_013_744_64];
const TANH_V: [f64; 4] = [135_135.0, 62370.0, 3150.0, 28.0];
/// (sin r - r) / r^3 in powers of r^2 on |r| <= pi / 4; error of the sine: 2^-57.9.
const SIN: [f64; 6] = [
    -0.166_666_666_666_666_3,
    0.008_333_333_333_321_84,
    -0.000_198_412_698_293_585_22,
    2.755_731_353_850_934e-6,
    -2.505_073_438_798_258_6e-8,
    1.589_543_318_729_018_4e-10,
];
/// (cos r - 1 + r^2 / 2) / r^4 likewise; error of the cosine: 2^-63.9.
const COS: [f64; 6] = [
    0.041_666_666_666_666_595,
    -0.001_388_888_888_887_333_3,
    2.480_158_728_899_288_7e-5,
    -2.755_731_421_356_127e-7,
    2.087_570_483_430_769e-9,
    -1.135_871_633_324_59e-11,
];

/// `sin_common` and `cos_common` hold up to here.
///
/// Below, the multiple of pi / 2 has at most 18 bits. The bound on the error was
/// checked at the worst case of each binade, found by continued fractions (Muller,
/// "Elementary Functions", 3rd ed., chapter 11).
pub(crate) const TRIG_LIMIT: f64 = 400_000.0;
/// pi / 2 in three parts, the first two of 35 bits: their products with a multiple of
/// 18 bits are exact.
const HALF_PI: [f64; 3] = [
    f64::from_bits(0x3ff9_21fb_5444_0000),
    f64::from_bits(0x3d86_8c23_4c4c_0000),
    f64::from_bits(0x3b29_8a2e_0370_7345),
];

/// Below, `tanh` needs no power of e.
const TANH_NEAR: f64 = 0.55;

/// Below, `exp` and what is made of it need neither limits nor subnormals.
const EXP_COMMON: f64 = 708.0;
/// 1 + x below this has a reciprocal that is normal.
const LN_1P_COMMON: f64 = f64::MAX / 4.0;

type Guarded = guard::Guarded<f64, i64>;

/// `a b + c`, rounded once if `FMA`.
#[inline(always)]
pub(super) fn fma<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Limits `x`; a NaN stays. In this form each line is one instruction.
#[inline(always)]
fn limit(x: f64, low: f64, high: f64) -> f64 {
    let x = if high < x { high } else { x };
    if low > x { low } else { x }
}

/// Negative where |x| > `limit`, or x is a NaN.
#[inline(always)]
fn beyond(limit: f64, x: f64) -> i64 {
    limit.to_bits().wrapping_sub(x.to_bits() & !SIGN).cast_signed()
}

/// Negative unless `least` <= x <= `most`; `least` is positive.
#[inline(always)]
fn outside(least: f64, most: f64, x: f64) -> i64 {
    let x = x.to_bits();
    // Of a negative x one difference or the other wraps around.
    let (above, below) =
        (x.wrapping_sub(least.to_bits()), most.to_bits().wrapping_sub(x));
    (above | below).cast_signed()
}

/// The upper 26 bits of the significand: products of two such numbers are exact.
#[inline(always)]
fn top(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & !((1 << 27) - 1))
}

/// The whole number nearest to x / ln 2, plus the bias, in the low bits; and the number.
#[inline(always)]
fn exponent<const FMA: bool>(x: f64, log2_e: f64, bias: f64) -> (u64, f64) {
    let shifted = fma::<FMA>(x, log2_e, ROUND + bias);
    (shifted.to_bits(), shifted - (ROUND + bias))
}

/// x - k ln 2.
#[inline(always)]
fn less_ln_2<const FMA: bool>(x: f64, k: f64) -> f64 {
    fma::<FMA>(-k, LN2_LO, fma::<FMA>(-k, LN2_HI, x))
}

/// `term` + e^r - 1 - r for |r| <= ln 2 / 2.
#[inline(always)]
fn add_bend<const FMA: bool>(r: f64, term: f64) -> f64 {
    let z = r * r;
    let w = z * z;
    // Pairs rather than Horner's rule: its chain of dependent operations leaves the
    // processor idle.
    let pair = |k: usize| fma::<FMA>(r, EXP[k + 1], EXP[k]);
    let four = |k: usize| fma::<FMA>(z, pair(k + 2), pair(k));
    fma::<FMA>(z, fma::<FMA>(w, fma::<FMA>(w, pair(8), four(4)), four(0)), term)
}

/// e^(x + tail) = 2^k (1 + hi + lo). The low bits of the first result are k + 2046.
#[inline(always)]
fn split_exp(x: f64, tail: f64) -> (u64, f64, f64) {
    let (bits, k) = exponent::<false>(x, LOG2_E, 2046.0);
    let a = x - k * LN2_HI;
    let b = k * LN2_LO - tail;
    let r = a - b;
    let error = (a - r) - b;
    let q = add_bend::<false>(r, error);
    let hi = r + q;
    (bits, hi, q - (hi - r))
}

/// 2^k as two factors, from k + 2046 in the low bits: one factor cannot reach 2^1024 or
/// the subnormals.
#[inline(always)]
fn halves(k: u64) -> (f64, f64) {
    let k = k & 0xfff;
    let half = k >> 1;
    (f64::from_bits(half << 52), f64::from_bits((k - half) << 52))
}

/// e^x.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f64) -> f64 {
    let x = limit(x, -746.0, 710.0);
    let (bits, k) = exponent::<FMA>(x, LOG2_E, 2046.0);
    let r = less_ln_2::<FMA>(x, k);
    let (s, t) = halves(bits);
    (1.0 + add_bend::<FMA>(r, r)) * s * t
}

/// e^x for |x| <= 708.
#[inline(always)]
pub(crate) fn exp_common<const FMA: bool>(x: f64) -> Guarded {
    let (bits, k) = exponent::<FMA>(x, LOG2_E, 0.0);
    let r = less_ln_2::<FMA>(x, k);
    let y = 1.0 + add_bend::<FMA>(r, r);
    // Times 2^k: neither is subnormal.
    let y = f64::from_bits(y.to_bits().wrapping_add(bits << 52));
    Guarded { value: y, flag: beyond(EXP_COMMON, x) }
}

/// `one` (e^x - 1), given the whole number k nearest to x / ln 2, and `one` 2^k.
///
/// For small k the first sum is exact, and the second adds the little that is left.
#[inline(always)]
fn scaled_exp_m1<const FMA: bool>(x: f64, k: f64, one: f64, power: f64) -> f64 {
    let (a, b) = (fma::<FMA>(-k, LN2_HI, x), k * LN2_LO);
    let sum = fma::<FMA>(power, a, power - one);
    fma::<FMA>(power, add_bend::<FMA>(a - b, -b), sum)
}

/// e^x - 1, accurate near 0.
#[inline(always)]
pub(crate) fn exp_m1<const FMA: bool>(x: f64) -> f64 {
    let limited = limit(x, -40.0, 710.0);
    // Half the result throughout: 2^1024 would overflow too early.
    let (bits, k) = exponent::<FMA>(limited, LOG2_E, 1022.0);
    let y = scaled_exp_m1::<FMA>(limited, k, 0.5, f64::from_bits(bits << 52)) * 2.0;
    // Halving a subnormal would lose its last bit.
    (if x.abs() < 5e-17 { x } else { y }).copysign(x)
}

/// e^x - 1, accurate near 0, for |x| <= 708.
#[inline(always)]
pub(crate) fn exp_m1_common<const FMA: bool>(x: f64) -> Guarded {
    let (bits, k) = exponent::<FMA>(x, LOG2_E, 1023.0);
    let y = scaled_exp_m1::<FMA>(x, k, 1.0, f64::from_bits(bits << 52));
    // A zero has lost its sign.
    Guarded { value: y.copysign(x), flag: beyond(EXP_COMMON, x) }
}

/// x = 2^k m with m from sqrt(1/2) to sqrt 2: k + 1023 and m.
#[inline(always)]
pub(super) fn split_ln(x: f64) -> (u64, f64) {
    let bits = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    (bits >> 52, f64::from_bits((bits & MANTISSA) + SQRT_HALF_BITS))
}

/// k as a float, from k + `bias`.
#[inline(always)]
fn unbiased(k: u64, bias: f64) -> f64 {
    f64::from_bits(k | TWO_52_BITS) - (TWO_52 + bias)
}

/// `split_ln` for any positive x, with k as a float.
#[inline(always)]
fn split_ln_any(x: f64) -> (f64, f64) {
    let subnormal = x < f64::MIN_POSITIVE;
    let (k, m) = split_ln(if subnormal { x * TWO_54 } else { x });
    (unbiased(k, if subnormal { 1077.0 } else { 1023.0 }), m)
}

/// k ln 2 + ln(1 + f).
///
/// With s = f / (2 + f), ln(1 + f) = 2 s + s p, and 2 s = f - s f, so that the term f,
/// which is exact, is added last.
#[inline(always)]
fn join_ln<const FMA: bool>(k: f64, f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let pair = |k: usize| fma::<FMA>(z, LN[k + 1], LN[k]);
    let p = fma::<FMA>(w, fma::<FMA>(w, LN[6], pair(4)), pair(2));
    let p = z * fma::<FMA>(w, p, pair(0));
    let less = fma::<FMA>(s, f - p, -(k * LN2_LO)) - f;
    fma::<FMA>(k, LN2_HI, -less)
}

/// `y`, unless ln x has a special value.
#[inline(always)]
fn special_ln(x: f64, y: f64) -> f64 {
    let y = if x < f64::INFINITY { y } else { x };
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    if x < 0.0 { f64::NAN } else { y }
}

/// The natural logarithm.
#[inline(always)]
pub(crate) fn ln<const FMA: bool>(x: f64) -> f64 {
    let (k, m) = split_ln_any(x);
    special_ln(x, join_ln::<FMA>(k, m - 1.0))
}

/// The natural logarithm of a normal positive number.
#[inline(always)]
pub(crate) fn ln_common<const FMA: bool>(x: f64) -> Guarded {
    let (k, m) = split_ln(x);
    let y = join_ln::<FMA>(unbiased(k, 1023.0), m - 1.0);
    Guarded { value: y, flag: outside(f64::MIN_POSITIVE, f64::MAX, x) }
}

/// 1 + x as two numbers whose sum is exact, by Knuth's sum of two (Handbook,
/// section 4.3).
#[inline(always)]
fn one_plus(x: f64) -> (f64, f64) {
    let u = 1.0 + x;
    let b = u - 1.0;
    (u, (1.0 - (u - b)) + (x - b))
}

/// ln(1 + x), accurate near 0.
#[inline(always)]
pub(crate) fn ln_1p<const FMA: bool>(x: f64) -> f64 {
    let (u, c) = one_plus(x);
    let (k, m) = split_ln(u);
    // Where 2^-k is no normal number, c is too small to matter.
    let inverse = if u <= LN_1P_COMMON { 2046_u64.wrapping_sub(k) } else { 0 };
    let f = fma::<FMA>(c, f64::from_bits(inverse << 52), m - 1.0);
    special_ln(u, join_ln::<FMA>(unbiased(k, 1023.0), f)).copysign(x)
}

/// ln(1 + x), accurate near 0, for -1 < x < 2^1022.
#[inline(always)]
pub(crate) fn ln_1p_common<const FMA: bool>(x: f64) -> Guarded {
    let (u, c) = one_plus(x);
    let (k, m) = split_ln(u);
    let inverse = f64::from_bits(2046_u64.wrapping_sub(k) << 52);
    let f = fma::<FMA>(c, inverse, m - 1.0);
    let y = join_ln::<FMA>(unbiased(k, 1023.0), f).copysign(x);
    Guarded { value: y, flag: outside(f64::MIN_POSITIVE, LN_1P_COMMON, u) }
}

/// The hyperbolic tangent, with one division and without e^r.
///
/// With tanh r = b / v, where b = r V - r^3 U and v = V, e^(2 r) is (v + b) / (v - b). So
/// for y = k ln 2 / 2 + r, tanh y = 1 - 2 (v - b) / (2^k (v + b) + (v - b)). Near 0 that
/// would cancel; there k is 0, the denominator 2 v, and tanh y = y - r^3 U / V.
#[inline(always)]
pub(crate) fn tanh<const FMA: bool>(x: f64) -> f64 {
    let y = x.abs();
    let is_near = y < TANH_NEAR;
    let limited = if 22.0 < y { 22.0 } else { y };
    let far = if is_near { 0.0 } else { limited };
    let (bits, k) = exponent::<FMA>(far, 2.0 * LOG2_E, 1023.0);
    // ln 2 in one part: its error grows with k, but what is taken from 1 shrinks.
    let r = fma::<FMA>(-k, 0.5 * LN_2, limited);
    let power = f64::from_bits(bits << 52);
    let z = r * r;
    let u = fma::<FMA>(z, fma::<FMA>(z, TANH_U[2], TANH_U[1]), TANH_U[0]);
    let u = (r * z) * u;
    let v = fma::<FMA>(z, fma::<FMA>(z, TANH_V[3], TANH_V[2]), TANH_V[1]);
    let v = fma::<FMA>(z, v, TANH_V[0]);
    let b = fma::<FMA>(r, v, -u);
    let less = v - b;
    // Chosen together before the division, of which there would be two otherwise.
    let (part, whole) = if is_near { (u, y) } else { (less, 1.0) };
    let sum = fma::<FMA>(power, v + b, less);
    (whole - (part + part) / sum).copysign(x)
}

/// (1 + e^y) / 2^k, given e^r - 1 and 2^-k, where y = k ln 2 + r is not negative.
#[inline(always)]
fn one_plus_exp(p: f64, inverse: f64) -> f64 {
    let one = 1.0 + inverse;
    one + (p + (inverse - (one - 1.0)))
}

/// 1 / (1 + e^-x); e^x for large negative x, down to the subnormals.
#[inline(always)]
pub(crate) fn logistic<const FMA: bool>(x: f64) -> f64 {
    let y = x.abs();
    let y = if 746.0 < y { 746.0 } else { y };
    let (bits, k) = exponent::<FMA>(y, -LOG2_E, 2046.0);
    let r = less_ln_2::<FMA>(y, -k);
    let (s, t) = halves(bits);
    let tail = (1.0 / one_plus_exp(add_bend::<FMA>(r, r), s * t)) * s * t;
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// 1 / (1 + e^-x) for |x| <= 708.
#[inline(always)]
pub(crate) fn logistic_common<const FMA: bool>(x: f64) -> Guarded {
    let y = x.abs();
    let (bits, k) = exponent::<FMA>(y, -LOG2_E, 1023.0);
    let r = less_ln_2::<FMA>(y, -k);
    let inverse = f64::from_bits(bits << 52);
    let tail = inverse / one_plus_exp(add_bend::<FMA>(r, r), inverse);
    let y = if x < 0.0 { tail } else { 1.0 - tail };
    Guarded { value: y, flag: beyond(EXP_COMMON, x) }
}

/// x = n pi / 2 + r + low for 0 <= x <= `TRIG_LIMIT`; the low bits of the first result
/// are n. Cody and Waite's method (Muller, as above).
#[inline(always)]
fn reduce<const FMA: bool>(x: f64) -> (u64, f64, f64) {
    let shifted = fma::<FMA>(x, FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let a = fma::<FMA>(-n, HALF_PI[0], x);
    let b = n * HALF_PI[1];
    // "Fast2Sum" recovers what a - b loses (Handbook, section 4.3): even where
    // |a| < |b|, a is a multiple of the last place of b, which is enough.
    let c = a - b;
    let t = fma::<FMA>(n, HALF_PI[2], -((a - c) - b));
    let r = c - t;
    (shifted.to_bits(), r, (c - r) - t)
}

/// The sine of n pi / 2 + r + low.
#[inline(always)]
fn wave<const FMA: bool>(n: u64, r: f64, low: f64) -> f64 {
    // Choosing coefficients is cheaper than evaluating both polynomials.
    let odd = n & 1 != 0;
    let pick = |sin: f64, cos: f64| if odd { cos } else { sin };
    let z = r * r;
    let w = z * z;
    let pick_at = |k: usize| pick(SIN[k], COS[k]);
    let pair = |k: usize| fma::<FMA>(z, pick_at(k + 1), pick_at(k));
    let p = fma::<FMA>(w, fma::<FMA>(w, pair(4), pair(2)), pair(0));
    let half = 0.5 * z;
    let c = 1.0 - half;
    let lost = pick(0.0, (1.0 - c) - half);
    let small = fma::<FMA>(pick(r, z) * z, p, low * pick(c, -r));
    let y = pick(r, c) + (lost + small);
    f64::from_bits(y.to_bits() ^ ((n & 2) << 62))
}

#[inline(always)]
fn flip_sign(y: f64, x: f64) -> f64 {
    f64::from_bits(y.to_bits() ^ (x.to_bits() & SIGN))
}

/// The sine; does not vectorise.
#[inline(always)]
pub(crate) fn sin<const FMA: bool>(x: f64) -> f64 {
    if x.abs() <= TRIG_LIMIT {
        return sin_common::<FMA>(x).value;
    }
    let (n, r, low) = reduce_large(x.abs());
    flip_sign(wave::<FMA>(n, r, low), x)
}

/// The sine for |x| <= `TRIG_LIMIT`.
#[inline(always)]
pub(crate) fn sin_common<const FMA: bool>(x: f64) -> Guarded {
    let (n, r, low) = reduce::<FMA>(x.abs());
    Guarded { value: flip_sign(wave::<FMA>(n, r, low), x), flag: beyond(TRIG_LIMIT, x) }
}

/// The cosine; does not vectorise.
#[inline(always)]
pub(crate) fn cos<const FMA: bool>(x: f64) -> f64 {
    if x.abs() <= TRIG_LIMIT {
        return cos_common::<FMA>(x).value;
    }
    let (n, r, low) = reduce_large(x.abs());
    wave::<FMA>(n.wrapping_add(1), r, low)
}

/// The cosine for |x| <= `TRIG_LIMIT`.
#[inline(always)]
pub(crate) fn cos_common<const FMA: bool>(x: f64) -> Guarded {
    let (n, r, low) = reduce::<FMA>(x.abs());
    Guarded {
        value: wave::<FMA>(n.wrapping_add(1), r, low),
        flag: beyond(TRIG_LIMIT, x),
    }
}

/// Whether x >= 0 is an integer; every x >= 2^52 is.
#[inline(always)]
fn is_integer(x: f64) -> bool {
    (if x < TWO_52 { (x + TWO_52) - TWO_52 } else { x }) == x
}

/// ln x for positive x as a number of 26 bits and the rest, to 2^-64 of its value.
#[inline(always)]
fn ln_extended(x: f64) -> (f64, f64) {
    let (k, m) = split_ln_any(x);
    // s = (m - 1) / (m + 1) in two parts, the first of 26 bits.
    let f = m - 1.0;
    let d = m + 1.0;
    let inverse = 1.0 / d;
    let s = top(f * inverse);
    let d_top = top(d);
    let d_rest = (d - d_top) + (m - (d - 1.0));
    let s_low = ((f - s * d_top) - s * d_rest) * inverse;
    // s^2 in two parts.
    let z = s * s;
    let z_low = s_low * (s + (s + s_low));
    let z_top = top(z);
    let z_rest = (z - z_top) + z_low;
    // v = (ln x - 2 s) / s^3 in two parts, then s^2 v, then s^3 v.
    let y = z + z_low;
    let w = y * y;
    let p1 = LN_POW[1] + y * LN_POW[2];
    let p3 = LN_POW[3] + y * LN_POW[4];
    let p5 = LN_POW[5] + y * LN_POW[6];
    let rest = y * ((p1 + w * p3) + (w * w) * (p5 + w * LN_POW[7]));
    let v = LN_POW[0] + rest;
    let v_top = top(v);
    let v_rest = (LN_POW[0] - v_top) + rest;
    let u_exact = z_top * v_top;
    let u_error = z_top * v_rest + z_rest * v;
    let u = u_exact + u_error;
    let u_top = top(u);
    let u_rest = (u_exact - u_top) + u_error;
    let cubic = s * u_top;
    let cubic_low = s * u_rest + s_low * u;
    // The sum of k ln 2, 2 s and the rest, the larger terms by "Fast2Sum".
    let a = k * LN2_HI;
    let b = a + 2.0 * s;
    let c = b + cubic;
    let lost = (2.0 * s - (b - a)) + (cubic - (c - b));
    let low = ((2.0 * s_low + cubic_low) + k * LN2_LO) + lost;
    let hi = top(c + low);
    (hi, (c - hi) + low)
}

/// a^b, with the special values of C99's `pow`: 1 where b = 0 or a = 1, NaN for
/// negative a and fractional b.
#[inline(always)]
pub(crate) fn pow(a: f64, b: f64) -> f64 {
    let x = a.abs();
    let (l, l_low) = ln_extended(x);
    // Beyond 1e21 the result is 0, 1 or infinite, and an infinite b would give NaN.
    let c = limit(b, -1e21, 1e21);
    let c_top = top(c);
    let exact = c_top * l;
    let error = (c - c_top) * l + c * l_low;
    let y = exact + error;
    let y_low = if y.abs() < 800.0 { (exact - y) + error } else { 0.0 };
    let y = if x < f64::INFINITY { y } else { b * x };
    let y = if x == 0.0 { b * f64::NEG_INFINITY } else { y };
    let (k, hi, lo) = split_exp(limit(y, -746.0, 710.0), y_low);
    let w = 1.0 + hi;
    let (s, t) = halves(k);
    let y = (w + ((hi - (w - 1.0)) + lo)) * s * t;

    let whole = is_integer(b.abs());
    let odd = whole && !is_integer(0.5 * b.abs());
    let undefined = a < 0.0 && x < f64::INFINITY && !whole;
    let y = if undefined { f64::NAN } else { y };
    let y = if odd { flip_sign(y, a) } else { y };
    if b == 0.0 || a == 1.0 { 1.0 } else { y }
}
