//! `f32` against std's `f64` functions, whose error does not matter there; `f64`
//! against correctly rounded values from mpmath, the hard cases among them, printed by
//! `tools/ulp_table.py --points`.

use super::{f32 as single, f64 as double};
use crate::kernels::guard::Flag;

const INF: f64 = f64::INFINITY;

/// Each check, of the functions with fused operations and of those without.
macro_rules! both {
    ($($check:ident)*) => {
        mod fused {
            $(#[test]
            fn $check() {
                super::$check::<true>();
            })*
        }
        mod separate {
            $(#[test]
            fn $check() {
                super::$check::<false>();
            })*
        }
    };
}
both!(
    f32_is_within_its_bound f64_agrees_with_mpmath f64_agrees_with_std
    f32_special_values f64_special_values f32_agrees_on_common_arguments
    f64_agrees_on_common_arguments f32_large_angles
);

/// The error of `y` in units of the last place of `want`; infinite if the special
/// values or the signs differ.
fn error_f32(y: f32, want: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, reason = "the rounded result is meant")]
    let rounded = want as f32;
    if rounded.is_nan() || rounded.is_infinite() || want == 0.0 {
        let same = y.to_bits() == rounded.to_bits() || (y.is_nan() && rounded.is_nan());
        return if same { 0.0 } else { INF };
    }
    if !y.is_finite() || y.is_sign_negative() != want.is_sign_negative() {
        return INF;
    }
    let exponent = (want.abs().to_bits() >> 52).max(1023 - 126);
    (f64::from(y) - want).abs() / f64::from_bits((exponent - 23) << 52)
}

/// Checks every 4099th `f32`, NaNs and infinities included.
fn check_f32(name: &str, f: fn(f32) -> f32, exact: fn(f64) -> f64, bound: f64) {
    for bits in (0..=u32::MAX).step_by(4099) {
        let x = f32::from_bits(bits);
        let error = error_f32(f(x), exact(f64::from(x)));
        assert!(error <= bound, "{name}({x:e}) = {:e}: {error} ulp", f(x));
    }
}

fn exact_logistic(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

fn f32_is_within_its_bound<const FMA: bool>() {
    check_f32("exp", single::exp::<FMA>, f64::exp, 1.0);
    check_f32("exp_m1", single::exp_m1::<FMA>, f64::exp_m1, 1.3);
    check_f32("ln", single::ln::<FMA>, f64::ln, 1.0);
    check_f32("ln_1p", single::ln_1p::<FMA>, f64::ln_1p, 1.5);
    check_f32("sin", single::sin::<FMA>, f64::sin, 1.6);
    check_f32("cos", single::cos::<FMA>, f64::cos, 1.6);
    check_f32("tanh", single::tanh::<FMA>, f64::tanh, 1.7);
    check_f32("logistic", single::logistic::<FMA>, exact_logistic, 1.8);
}

/// A walk over pairs of bit patterns.
fn pairs(count: u64) -> impl Iterator<Item = (u64, u64)> {
    // Steps of the golden ratio and of sqrt 2 fill the square evenly.
    (0..count).map(|i| {
        (i.wrapping_mul(0x9e37_79b9_7f4a_7c15), i.wrapping_mul(0xb504_f333_f9de_6485))
    })
}

#[test]
fn f32_pow_is_within_its_bound() {
    for (a, b) in pairs(300_000) {
        let wide = (f32::from_bits((a >> 32) as u32), f32::from_bits((b >> 32) as u32));
        // Most pairs of bit patterns overflow; these do not.
        let near = (0.01 + (a >> 40) as f32 * 1e-6, (b >> 40) as f32 * 1e-6 - 8.0);
        for (a, b) in [wide, near] {
            let error = error_f32(single::pow(a, b), f64::from(a).powf(f64::from(b)));
            assert!(error <= 0.6, "pow({a:e}, {b:e}): {error} ulp");
        }
    }
}

/// How many doubles `y` is from `want`; 0 for the same NaN-ness and the same bits.
fn distance(y: f64, want: f64) -> u64 {
    if y.is_nan() || want.is_nan() || y.is_sign_negative() != want.is_sign_negative() {
        return if y.is_nan() && want.is_nan() { 0 } else { u64::MAX };
    }
    y.to_bits().abs_diff(want.to_bits())
}

fn check_points(name: &str, f: fn(f64) -> f64, points: &[(u64, u64)], odd: bool) {
    for &(x, want) in points {
        let (x, want) = (f64::from_bits(x), f64::from_bits(want));
        assert!(distance(f(x), want) <= 1, "{name}({x:e}) = {:e}, not {want:e}", f(x));
        if odd {
            assert_eq!(f(-x).to_bits(), (-f(x)).to_bits(), "{name}(-{x:e})");
        }
    }
}

fn f64_agrees_with_mpmath<const FMA: bool>() {
    check_points("exp", double::exp::<FMA>, &EXP, false);
    check_points("exp_m1", double::exp_m1::<FMA>, &EXP_M1, false);
    check_points("ln", double::ln::<FMA>, &LN, false);
    check_points("ln_1p", double::ln_1p::<FMA>, &LN_1P, false);
    check_points("sin", double::sin::<FMA>, &SIN, true);
    check_points("cos", double::cos::<FMA>, &COS, false);
    check_points("tanh", double::tanh::<FMA>, &TANH, true);
    check_points("logistic", double::logistic::<FMA>, &LOGISTIC, false);
    for (a, b, want) in POW {
        let (a, b, want) = (f64::from_bits(a), f64::from_bits(b), f64::from_bits(want));
        assert!(distance(double::pow(a, b), want) <= 1, "pow({a:e}, {b:e})");
    }
}

/// Checks random doubles of every exponent, NaNs and infinities included. std is off by
/// one place itself.
fn check_f64(name: &str, f: fn(f64) -> f64, std: fn(f64) -> f64) {
    for (x, _) in pairs(200_000) {
        let wide = f64::from_bits(x);
        let near = (x >> 11) as f64 * 4e-15 - 18.0;
        for x in [wide, near] {
            assert!(distance(f(x), std(x)) <= 2, "{name}({x:e}) = {:e}", f(x));
        }
    }
}

fn f64_agrees_with_std<const FMA: bool>() {
    check_f64("exp", double::exp::<FMA>, f64::exp);
    check_f64("exp_m1", double::exp_m1::<FMA>, f64::exp_m1);
    check_f64("ln", double::ln::<FMA>, f64::ln);
    check_f64("ln_1p", double::ln_1p::<FMA>, f64::ln_1p);
    check_f64("sin", double::sin::<FMA>, f64::sin);
    check_f64("cos", double::cos::<FMA>, f64::cos);
    check_f64("pow", |x| double::pow(x, 0.7), |x| x.powf(0.7));
    check_f64("pow", |x| double::pow(1.7, x), |x| 1.7_f64.powf(x));
    // std's own error is larger here.
    for (x, _) in pairs(200_000) {
        let x = (x >> 11) as f64 * 4e-15 - 18.0;
        assert!(distance(double::tanh::<FMA>(x), x.tanh()) <= 3, "tanh({x:e})");
        assert!(
            distance(double::logistic::<FMA>(x), exact_logistic(x)) <= 3,
            "logistic({x})"
        );
    }
}

/// Angles that leave little after the multiples of pi / 2 are taken away, and those up to
/// the limit, where the parts of pi / 2 are the least exact.
fn f32_large_angles<const FMA: bool>() {
    #[expect(clippy::cast_possible_truncation, reason = "the rounded angle is meant")]
    let near = (1..254_000_u32)
        .map(|n| (f64::from(n) * std::f64::consts::FRAC_PI_2) as f32)
        .flat_map(|x| [x.next_down(), x, x.next_up()]);
    let last = single::TRIG_LIMIT.to_bits();
    let below = (last - 500_000..=last).map(f32::from_bits);
    for x in near.chain(below) {
        let (sin, cos) = (single::sin::<FMA>(x), single::cos::<FMA>(x));
        assert!(error_f32(sin, f64::from(x).sin()) <= 1.6, "sin({x:e}) = {sin:e}");
        assert!(error_f32(cos, f64::from(x).cos()) <= 1.6, "cos({x:e}) = {cos:e}");
    }
}

macro_rules! special_values {
    ($name:ident, $m:ident, $t:ty) => {
        fn $name<const FMA: bool>() {
            const INF: $t = <$t>::INFINITY;
            let same = |y: $t, want: $t, what: &str| {
                let equal =
                    y.to_bits() == want.to_bits() || (y.is_nan() && want.is_nan());
                assert!(equal, "{what}: {y:e}, not {want:e}");
            };
            let nan = <$t>::NAN;
            let tiny = <$t>::from_bits(1);
            let check = |what: &str, f: fn($t) -> $t, cases: &[($t, $t)]| {
                same(f(nan), nan, what);
                same(f(-nan), nan, what);
                for &(x, want) in cases {
                    same(f(x), want, what);
                }
            };
            let ends = [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e4, INF)];
            check("exp", $m::exp::<FMA>, &ends);
            check("exp", $m::exp::<FMA>, &[(-1e4, 0.0), (tiny, 1.0)]);
            let ends = [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (1e4, INF)];
            check("exp_m1", $m::exp_m1::<FMA>, &ends);
            check("exp_m1", $m::exp_m1::<FMA>, &[(-1e4, -1.0), (tiny, tiny)]);
            check("exp_m1", $m::exp_m1::<FMA>, &[(-tiny, -tiny)]);
            let ends = [(0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, nan), (1.0, 0.0)];
            check("ln", $m::ln::<FMA>, &ends);
            check("ln", $m::ln::<FMA>, &[(-tiny, nan), (-1.0, nan)]);
            let ends =
                [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, nan), (-1.0, -INF)];
            check("ln_1p", $m::ln_1p::<FMA>, &ends);
            check(
                "ln_1p",
                $m::ln_1p::<FMA>,
                &[(tiny, tiny), (-tiny, -tiny), (-1.5, nan)],
            );
            let ends = [(0.0, 0.0), (-0.0, -0.0), (tiny, tiny), (-tiny, -tiny)];
            check("sin", $m::sin::<FMA>, &ends);
            check("sin", $m::sin::<FMA>, &[(INF, nan), (-INF, nan)]);
            check("cos", $m::cos::<FMA>, &[(0.0, 1.0), (-0.0, 1.0), (tiny, 1.0)]);
            check("cos", $m::cos::<FMA>, &[(INF, nan), (-INF, nan)]);
            check("tanh", $m::tanh::<FMA>, &ends);
            check("tanh", $m::tanh::<FMA>, &[(INF, 1.0), (-INF, -1.0), (30.0, 1.0)]);
            let ends = [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e4, 1.0)];
            check("logistic", $m::logistic::<FMA>, &ends);
            check("logistic", $m::logistic::<FMA>, &[(-1e4, 0.0), (tiny, 0.5)]);
            // Every pair of these, as std, which follows C99.
            let xs = [0.0, tiny, 0.5, 1.0, 1.5, 2.0, 3.0, 1e9, <$t>::MAX, INF, nan];
            for a in xs.iter().flat_map(|&a| [a, -a]) {
                for b in xs.iter().flat_map(|&b| [b, -b]) {
                    let (y, want) = ($m::pow(a, b), a.powf(b));
                    if want.is_normal() {
                        let off = y.to_bits().abs_diff(want.to_bits());
                        assert!(off <= 1, "pow({a:e}, {b:e}) = {y:e}, not {want:e}");
                    } else {
                        same(y, want, &format!("pow({a:e}, {b:e})"));
                    }
                }
            }
        }
    };
}
special_values!(f32_special_values, single, f32);
special_values!(f64_special_values, double, f64);

#[test]
fn powers_that_are_floats_are_exact() {
    for i in -300_i16..300 {
        let x = f64::from(i);
        assert_eq!(double::pow(x, 2.0).to_bits(), (x * x).to_bits(), "{x} squared");
        assert_eq!(double::pow(x, 3.0).to_bits(), (x * x * x).to_bits(), "{x} cubed");
        assert_eq!(double::pow(x * x, 0.5).to_bits(), x.abs().to_bits(), "root {x}");
        let x = f32::from(i);
        assert_eq!(single::pow(x, 2.0).to_bits(), (x * x).to_bits(), "{x} squared");
        assert_eq!(single::pow(x * x, 0.5).to_bits(), x.abs().to_bits(), "root {x}");
    }
}

#[test]
fn angles_are_reduced_alike() {
    for (x, _) in pairs(20_000) {
        let x = (x >> 11) as f64 * (double::TRIG_LIMIT / (1_u64 << 53) as f64);
        // The two reductions, either of which would do here.
        let (n, r, low) = super::reduction::reduce_large(x + 1.0);
        let angle = (n % 4) as f64 * std::f64::consts::FRAC_PI_2 + r;
        assert!(((angle.cos() - (x + 1.0).cos()).abs() < 1e-15), "reduction of {x}");
        assert!(low.abs() <= r.abs() * f64::EPSILON, "low part of {x}");
    }
}

macro_rules! common_arguments {
    ($name:ident, $m:ident, $t:ty, $arguments:expr, [$($f:ident $g:ident $limits:expr;)*]) => {
        fn $name<const FMA: bool>() {
            $(
                for x in $arguments {
                    let (y, guarded) = ($m::$f::<FMA>(x), $m::$g::<FMA>(x));
                    let (low, high): ($t, $t) = $limits;
                    let common = low <= x && x <= high;
                    assert_eq!(guarded.flag.is_raised(), !common, "{}({x:e})", stringify!($f));
                    if common {
                        let bits = (guarded.value.to_bits(), y.to_bits());
                        assert_eq!(bits.0, bits.1, "{}({x:e})", stringify!($f));
                    }
                }
            )*
        }
    };
}
const WIDE: [f64; 2] = [f64::MIN_POSITIVE, f64::MAX];
const WIDE_32: [f32; 2] = [f32::MIN_POSITIVE, f32::MAX];
common_arguments!(f32_agrees_on_common_arguments, single, f32, {
    (0..=u32::MAX).step_by(4099).chain(0xff00_0000..=0xff00_0001).map(f32::from_bits)
}, [
    exp exp_common (-87.0, 87.0);
    exp_m1 exp_m1_common (-87.0, 87.0);
    ln ln_common (WIDE_32[0], WIDE_32[1]);
    ln_1p ln_1p_common (f32::EPSILON / 2.0 - 1.0, f32::MAX / 4.0);
    sin sin_common (-single::TRIG_LIMIT, single::TRIG_LIMIT);
    cos cos_common (-single::TRIG_LIMIT, single::TRIG_LIMIT);
    logistic logistic_common (-87.0, 87.0);
]);
common_arguments!(f64_agrees_on_common_arguments, double, f64, {
    // Every exponent, what is near 0, and the limits.
    let edges = [87.0, 708.0, double::TRIG_LIMIT, WIDE[0], WIDE[1], INF, 0.0, f64::NAN]
        .into_iter()
        .flat_map(|x| [x, x.next_up(), x.next_down()]);
    let random = pairs(100_000)
        .flat_map(|(x, _)| [f64::from_bits(x), (x >> 11) as f64 * 4e-15 - 18.0]);
    edges.chain(random).flat_map(|x| [x, -x])
}, [
    exp exp_common (-708.0, 708.0);
    exp_m1 exp_m1_common (-708.0, 708.0);
    ln ln_common (WIDE[0], WIDE[1]);
    ln_1p ln_1p_common (f64::EPSILON / 2.0 - 1.0, f64::MAX / 4.0);
    sin sin_common (-double::TRIG_LIMIT, double::TRIG_LIMIT);
    cos cos_common (-double::TRIG_LIMIT, double::TRIG_LIMIT);
    logistic logistic_common (-708.0, 708.0);
]);

const EXP: [(u64, u64); 10] = [
    (0x3fd6_2e42_9e0a_41a2, 0x3ff6_a09e_4439_76b4),
    (0xbfd6_2e43_096a_0c0d, 0x3fe6_a09e_62ce_9a31),
    (0x3fd9_dc9c_4da9_003f, 0x3ff7_f78e_a0dc_43ce),
    (0x4062_ef74_bc6a_7efa, 0x4d97_5310_facc_0a5d),
    (0x4086_2e42_fefa_39ef, 0x7fef_ffff_ffff_ff2a),
    (0xc086_232b_dd76_683c, 0x0010_0000_08a9_2c7e),
    (0xc087_4910_d52d_3051, 0x0000_0000_0000_0001),
    (0xc087_491e_b851_eb85, 0x0000_0000_0000_0000),
    (0x3c67_0ef5_4646_d497, 0x3ff0_0000_0000_0000),
    (0x3ff0_0000_0000_0000, 0x4005_bf0a_8b14_5769),
];
const EXP_M1: [(u64, u64); 10] = [
    (0x3fd6_a10a_a722_ef18, 0x3fdb_255e_442d_44c6),
    (0x3fd6_2e43_096a_0c0d, 0x3fda_8279_a8bf_75a5),
    (0xbfd6_2e42_9e0a_41a2, 0xbfd2_bec2_ee75_fdcd),
    (0x4042_9185_f06f_6944, 0x4347_df1f_1eb1_f7aa),
    (0xc042_b333_3333_3333, 0xbfef_ffff_ffff_ffff),
    (0x4086_2e42_fefa_39ef, 0x7fef_ffff_ffff_ff2a),
    (0x01a5_6e1f_c2f8_f359, 0x01a5_6e1f_c2f8_f359),
    (0xbc8c_d2b2_97d8_89bc, 0xbc8c_d2b2_97d8_89bc),
    (0x3e50_1b2b_29a4_692b, 0x3e50_1b2b_2bab_39ba),
    (0xbfe6_2e42_fefa_39ef, 0xbfe0_0000_0000_0000),
];
const LN: [(u64, u64); 10] = [
    (0x3ff6_7a97_e132_b55f, 0x3fd5_c25a_d85a_c386),
    (0x3fe6_5e56_cd6c_2efd, 0xbfd6_eacf_48f8_81d1),
    (0x3fe6_a09e_667f_3bcc, 0xbfd6_2e42_fefa_39f1),
    (0x3fe6_a09e_667f_3bce, 0xbfd6_2e42_fefa_39eb),
    (0x3ff0_0000_0000_0001, 0x3caf_ffff_ffff_ffff),
    (0x3fef_ffff_ffff_ffff, 0xbca0_0000_0000_0000),
    (0x0000_0000_0000_0001, 0xc087_4385_446d_71c3),
    (0x000f_ffff_ffff_ffff, 0xc086_232b_dd7a_bcd2),
    (0x7fef_ffff_ffff_ffff, 0x4086_2e42_fefa_39ef),
    (0x4024_0000_0000_0000, 0x4002_6bb1_bbb5_5516),
];
const LN_1P: [(u64, u64); 10] = [
    (0xbfd3_1ba7_fc32_ebe6, 0xbfd6_b229_a9b5_6e52),
    (0x3fda_4095_f245_2c5a, 0x3fd5_ff9a_c599_1e5b),
    (0x3fda_8279_99fc_ef32, 0x3fd6_2e42_fefa_39ef),
    (0x3fda_8279_99fc_ef35, 0x3fd6_2e42_fefa_39f1),
    (0x01a5_6e1f_c2f8_f359, 0x01a5_6e1f_c2f8_f359),
    (0x3ca0_0000_0000_0000, 0x3ca0_0000_0000_0000),
    (0xbca0_0000_0000_0000, 0xbca0_0000_0000_0000),
    (0x7fec_be90_9d2b_bebf, 0x4086_2d67_4278_94e4),
    (0xbfef_ffff_ffff_ffff, 0xc042_5e4f_7b27_37fa),
    (0x4325_50f7_dca7_0000, 0x4041_d195_f3cf_67dd),
];
const SIN: [(u64, u64); 11] = [
    (0x3fe9_21fb_5444_2d18, 0x3fe6_a09e_667f_3bcc),
    (0x4009_21fb_5444_2d18, 0x3ca1_a626_3314_5c07),
    (0x4046_c6cb_c45d_c8de, 0x3ff0_0000_0000_0000),
    (0x3e15_3563_6f5b_fa4f, 0x3e15_3563_6f5b_fa4f),
    (0x4024_0000_0000_0000, 0xbfe1_689e_f5f3_4f52),
    (0x4036_0000_0000_0000, 0xbf82_20a2_9f6e_b9f4),
    (0x4113_9c6f_d678_05a7, 0xbff0_0000_0000_0000),
    (0x4118_6a00_0000_0000, 0xbfc2_3eb3_e533_b3a9),
    (0x4480_f0cf_064d_d592, 0xbfeb_453a_b76b_f397),
    (0x7506_ac5b_262c_a1ff, 0x3ff0_0000_0000_0000),
    (0x7fef_ffff_ffff_ffff, 0x3f74_52fc_98b3_4e97),
];
const COS: [(u64, u64); 11] = [
    (0x3fe9_21fb_5444_2d18, 0x3fe6_a09e_667f_3bcd),
    (0x3ff9_21fb_5444_2d18, 0x3c91_a626_3314_5c07),
    (0x4046_c6cb_c45d_c8de, 0xbc26_d61b_58c9_9c43),
    (0x3e15_3563_6f5b_fa4f, 0x3ff0_0000_0000_0000),
    (0x4024_0000_0000_0000, 0xbfea_d9ac_890c_6b1f),
    (0x4026_0000_0000_0000, 0x3f72_20ae_41ee_2fdf),
    (0x4113_9c6f_d678_05a7, 0xbc89_88ef_e18f_f83f),
    (0x4118_6a00_0000_0000, 0x3fef_ac5a_8321_07b2),
    (0x4480_f0cf_064d_d592, 0x3fe0_be2c_ef01_c8f4),
    (0x7506_ac5b_262c_a1ff, 0xbc21_4ae7_2e6b_a22f),
    (0x7fef_ffff_ffff_ffff, 0xbfef_ffe6_2ecf_ab75),
];
const TANH: [(u64, u64); 10] = [
    (0x3fe1_ae79_24af_0bf2, 0x3fe0_13e2_ba81_1ec1),
    (0x3fec_c964_6280_27d9, 0x3fe6_ea40_9722_5689),
    (0x3fe1_93ea_7aad_030c, 0x3fe0_0000_0000_0001),
    (0x01a5_6e1f_c2f8_f359, 0x01a5_6e1f_c2f8_f359),
    (0x3e45_798e_e230_8c3a, 0x3e45_798e_e230_8c3a),
    (0x4032_8000_0000_0000, 0x3fef_ffff_ffff_fffe),
    (0x4032_e666_6666_6666, 0x3fef_ffff_ffff_ffff),
    (0x4033_0f5c_28f5_c28f, 0x3fef_ffff_ffff_ffff),
    (0x4033_11eb_851e_b852, 0x3ff0_0000_0000_0000),
    (0x4014_0000_0000_0000, 0x3fef_ff41_9668_df11),
];
const LOGISTIC: [(u64, u64); 10] = [
    (0x3fd6_45b6_c376_0bf6, 0x3fe2_c19b_7d23_9b5b),
    (0x3fd6_efb6_dca0_7f67, 0x3fe2_d635_4d63_a952),
    (0xbfd6_efb6_dca0_7f67, 0x3fda_5395_6538_ad5b),
    (0xc042_5999_9999_999a, 0x3ca0_998b_04bd_d18f),
    (0x4042_5999_9999_999a, 0x3fef_ffff_ffff_ffff),
    (0xc086_1b95_8106_24dd, 0x0024_a72a_502b_18f8),
    (0xc087_490a_3d70_a3d7, 0x0000_0000_0000_0001),
    (0xbc67_0ef5_4646_d497, 0x3fe0_0000_0000_0000),
    (0xbff0_0000_0000_0000, 0x3fd1_3656_1454_ba86),
    (0x3ff0_0000_0000_0000, 0x3fe7_64d4_f5d5_a2bd),
];
const POW: [(u64, u64, u64); 12] = [
    (0x4008_0000_0000_0000, 0x4000_0000_0000_0000, 0x4022_0000_0000_0000),
    (0x4024_0000_0000_0000, 0x4036_0000_0000_0000, 0x4480_f0cf_064d_d592),
    (0x4024_0000_0000_0000, 0xc014_0000_0000_0000, 0x3ee4_f8b5_88e3_68f1),
    (0x3ff4_3e66_2410_8d88, 0x4085_e000_0000_0000, 0x4ec7_f7ea_cb06_bc62),
    (0x4004_0000_0000_0000, 0xc088_2a38_81a0_4b58, 0x000d_c318_1b3d_1436),
    (0x3ff0_0000_0040_0000, 0x4255_ba4e_ab57_70cc, 0x5f47_5660_3a0f_02f9),
    (0x3fe0_aee0_6d6d_0d0d, 0x3fe0_0000_0000_0000, 0x3fe7_1afb_99a2_37f5),
    (0x0000_0000_0000_0001, 0x3fd3_3333_3333_3333, 0x2bcb_db8c_dadb_e161),
    (0x7fe1_ccf3_85eb_c8a0, 0x3ff0_03af_b7e9_0ff9, 0x7ff0_0000_0000_0000),
    (0x3fef_ffff_ffff_ffff, 0x43ab_c16d_674e_c800, 0x35ec_6ab6_c6b3_f2f9),
    (0x6586_7e3d_fed0_2308, 0xbffb_3333_3333_3333, 0x000b_0a1a_5d90_fb2e),
    (0x3fe6_a09e_667f_3bcd, 0x409f_fd33_3333_3333, 0x0005_1926_6bcc_6ce1),
];
