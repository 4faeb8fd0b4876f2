//! The elementwise methods beyond the common ones: values, and gradients by differences.

use wengert::prelude::*;

type Method = for<'rec> fn(&Tensor<'rec>) -> Tensor<'rec>;

/// A method, a point, and its value there.
const UNARY: &[(Method, f64, f64)] = &[
    (|x| x.exp2(), 3.0, 8.0),
    (|x| x.log2(), 8.0, 3.0),
    (|x| x.log10(), 1000.0, 3.0),
    (|x| x.tan(), 0.5, 0.546_302_489_843_790_5),
    (|x| x.arcsin(), 0.5, std::f64::consts::FRAC_PI_6),
    (|x| x.arccos(), 0.5, std::f64::consts::FRAC_PI_3),
    (|x| x.arctan(), 1.0, std::f64::consts::FRAC_PI_4),
    (|x| x.sinh(), 1.0, 1.175_201_193_643_801_5),
    (|x| x.cosh(), 1.0, 1.543_080_634_815_243_7),
    (|x| x.arcsinh(), 1.175_201_193_643_801_5, 1.0),
    (|x| x.arccosh(), 1.543_080_634_815_243_7, 1.0),
    (|x| x.arctanh(), 0.761_594_155_955_764_9, 1.0),
    (|x| x.erf(), 1.0, 0.842_700_792_949_714_9),
    (|x| x.erfc(), 1.0, 0.157_299_207_050_285_13),
    (|x| x.gelu(), 1.0, 0.841_344_746_068_542_9),
    (|x| x.gelu_tanh(), 1.0, 0.841_191_990_608_276_8),
    (|x| x.silu(), 1.0, 0.731_058_578_630_004_9),
    (|x| x.mish(), 1.0, 0.865_098_388_267_310_2),
    (|x| x.selu(), 1.0, 1.050_700_987_355_480_5),
    (|x| x.reciprocal(), 4.0, 0.25),
    (|x| x.sign(), -4.0, -1.0),
    (|x| x.floor(), -1.25, -2.0),
    (|x| x.ceil(), -1.25, -1.0),
    (|x| x.rint(), -1.25, -1.0),
    (|x| x.trunc(), -1.25, -1.0),
    (|x| x.round(1), -1.26, -1.3),
    (|x| x.clip(-1.0, 2.0), 1.5, 1.5),
    (|x| x.nan_to_num(0.0), 1.5, 1.5),
    (|x| x.elu(0.5), 2.0, 2.0),
    (|x| x.clip_min(1.0), 2.0, 2.0),
    (|x| x.clip_max(1.0), 2.0, 1.0),
    (|x| x.fmax(f64::NAN), 2.0, 2.0),
    (|x| x.fmin(1.0), 2.0, 1.0),
    (|x| x.remainder(3.0), -1.25, 1.75),
    (|x| x.fmod(3.0), -4.25, -1.25),
    (|x| x.copysign(-1.0), 2.0, -2.0),
    (|x| x.hypot(4.0), 3.0, 5.0),
    (|x| x.arctan2(1.0), 1.0, std::f64::consts::FRAC_PI_4),
    (|x| x.logaddexp(0.0), 0.0, std::f64::consts::LN_2),
];

#[test]
fn values_and_slopes() {
    for (k, &(f, x, wanted)) in UNARY.iter().enumerate() {
        let at = |x: f64| {
            let rec = ComputationRecord::new();
            let x = rec.tensor_from_value(NdArray::from_elements(&[x]));
            let y = f(&x).sum();
            (y.item(), y.grad().wrt(&x).item())
        };
        let (y, slope) = at(x);
        assert!((y - wanted).abs() <= 1e-14 * wanted.abs(), "entry {k}: {y}");
        let step = 1e-5;
        let difference = (at(x + step).0 - at(x - step).0) / (2.0 * step);
        let error = (slope - difference).abs();
        assert!(error < 1e-8 * (1.0 + slope.abs()), "entry {k}: {slope} {difference}");
    }
}

#[test]
fn bits_and_truth_values() {
    let rec = ComputationRecord::new();
    let x = rec.constant(NdArray::from_elements(&[5_i64, 12]));
    let ints = |t: Tensor<'_>| t.data().to_vec::<i64>();
    assert_eq!(ints(x.bitwise_and(4)), [4, 4]);
    assert_eq!(ints(x.bitwise_or(3)), [7, 15]);
    assert_eq!(ints(x.bitwise_xor(1)), [4, 13]);
    assert_eq!(ints(x.bitwise_not()), [-6, -13]);
    assert_eq!(ints(x.left_shift(1)), [10, 24]);
    assert_eq!(ints(x.right_shift(2)), [1, 3]);
    let big = x.greater(6);
    let truth = |t: Tensor<'_>| t.data().to_vec::<bool>();
    assert_eq!(truth(big.logical_and(true)), [false, true]);
    assert_eq!(truth(big.logical_or(true)), [true, true]);
    assert_eq!(truth(x.logical_xor(true)), [false, false]);
    assert_eq!(truth(big.logical_not()), [true, false]);
    let y = rec.constant(NdArray::from_elements(&[f64::NAN, f64::INFINITY]));
    assert_eq!(truth(y.isnan()), [true, false]);
    assert_eq!(truth(y.isinf()), [false, true]);
    assert_eq!(truth(y.isfinite()), [false, false]);
    let error = y.try_bitwise_and(1).unwrap_err().to_string();
    assert!(error.starts_with("bitwise_and: not defined for f64"), "{error}");
}
