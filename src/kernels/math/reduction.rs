//! Reduction of large angles, one at a time, by Payne and Hanek's method (Muller,
//! "Elementary Functions", 3rd ed., chapter 11).

/// The bits of 1 / (2 pi) after the binary point, behind a word of zeros, so that the
/// window below can start before the point.
#[rustfmt::skip]
const INVERSE_TURN: [u64; 20] = [
    0x0000_0000_0000_0000, 0x28be_60db_9391_054a, 0x7f09_d5f4_7d4d_3770,
    0x36d8_a566_4f10_e410, 0x7f94_58ea_f7ae_f158, 0x6dc9_1b8e_9093_74b8,
    0x0192_4bba_8274_6487, 0x3f87_7ac7_2c4a_69cf, 0xba20_8d7d_4bae_d121,
    0x3a67_1c09_ad17_df90, 0x4e64_758e_60d4_ce7d, 0x2721_17e2_ef7e_4a0e,
    0xc7fe_25ff_f781_6603, 0xfbcb_c462_d682_9b47, 0xdb4d_9fb3_c9f2_c26d,
    0xd3d1_8fd9_a797_fa8b, 0x5d49_eeb1_faf9_7c5e, 0xcf41_ce7d_e294_a4ba,
    0x9afe_d7ec_47e3_5742, 0x1580_cc11_bf1e_daea,
];

/// pi * 2^62, rounded down.
const PI: u64 = 0xc90f_daa2_2168_c234;

/// x = n pi / 2 + r + low, for x >= 1; of n only the last two bits are right.
///
/// NaN for an infinite or NaN x.
#[allow(clippy::cast_possible_truncation, reason = "words are taken out of products")]
#[inline(never)]
pub(super) fn reduce_large(x: f64) -> (u64, f64, f64) {
    if !x.is_finite() {
        return (0, f64::NAN, 0.0);
    }
    let significand = u128::from(x.to_bits() & ((1 << 52) - 1) | (1 << 52));
    // x = significand * 2^e. The digits of 1 / (2 pi) before position e only add whole
    // turns; 192 from there on leave an error of 2^-127 turns, and no double is nearer
    // than 2^-62 to a multiple of pi / 2.
    let start = (x.to_bits() >> 52) as usize + 64 - 1075;
    let word = |i: usize| {
        let pair = u128::from(INVERSE_TURN[start / 64 + i]) << 64
            | u128::from(INVERSE_TURN[start / 64 + i + 1]);
        pair << (start % 64) >> 64
    };
    let turns = ((significand * word(0)) << 64)
        .wrapping_add(significand * word(1))
        .wrapping_add((significand * word(2)) >> 64);
    let n = (turns.wrapping_add(1 << 125) >> 126) as u64;
    let rest = turns.wrapping_sub(u128::from(n) << 126).cast_signed();

    // r = 2 pi rest / 2^128: 64 significant bits times 64 bits of pi.
    let size = rest.unsigned_abs();
    let shift = size.leading_zeros();
    let product = (((size << shift >> 64) * u128::from(PI)) >> 2).cast_signed();
    let hi = product as f64;
    let low = (product - hi as i128) as f64;
    let scale = f64::from_bits(u64::from(1023 - 123 - shift) << 52);
    let scale = if rest < 0 { -scale } else { scale };
    (n, hi * scale, low * scale)
}
