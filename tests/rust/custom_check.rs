//! Checks of the rules of ops that users define.

use crate::caught::panic_of;
use crate::differences::array;
use wengert::prelude::*;
use wengert::{CustomOp, Kind, RuleError, RuleResult};

/// `a * sin(b) * k`, with rules that are wrong by these factors. The rules on tensors
/// and for tangents are missing where theirs is 0.
struct Wave {
    on_arrays: [f64; 2],
    on_tensors: f64,
    tangent: f64,
}

const RIGHT: Wave = Wave { on_arrays: [1.0, 1.0], on_tensors: 1.0, tangent: 1.0 };

/// Calls `f` with the elements of `x`, of which the last are integers.
fn with_elements(
    x: &[NdArray],
    f: impl Fn(f64, f64, f64) -> f64,
) -> RuleResult<NdArray> {
    let [a, b] = [x[0].try_to_vec::<f64>()?, x[1].try_to_vec::<f64>()?];
    let k = x[2].try_to_vec::<i64>()?;
    let values = a.iter().zip(&b).zip(&k).map(|((a, b), k)| f(*a, *b, *k as f64));
    Ok(NdArray::try_from_elements(&values.collect::<Vec<_>>(), x[0].shape())?)
}

fn times(a: &NdArray, b: &NdArray, factor: f64) -> RuleResult<NdArray> {
    let product = &a.try_as_array::<f64>()? * &b.try_as_array::<f64>()?;
    Ok((product * factor).into())
}

impl CustomOp for Wave {
    fn name(&self) -> &'static str {
        "wave"
    }

    fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
        with_elements(x, |a, b, k| a * b.sin() * k)
    }

    fn vjp(
        &self,
        ct: &NdArray,
        _: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        let of_a = with_elements(x, |_, b, k| b.sin() * k)?;
        let of_b = with_elements(x, |a, b, k| a * b.cos() * k)?;
        let [a, b] = self.on_arrays;
        Ok(vec![Some(times(ct, &of_a, a)?), Some(times(ct, &of_b, b)?), None])
    }

    fn vjp_on_tensors<'rec>(
        &self,
        ct: &Tensor<'rec>,
        _: &Tensor<'rec>,
        x: &[Tensor<'rec>],
    ) -> RuleResult<Vec<Option<Tensor<'rec>>>> {
        if self.on_tensors == 0.0 {
            return Err(RuleError::Missing);
        }
        let of_b = ct * x[2] * x[1].cos() * x[0] * self.on_tensors;
        Ok(vec![Some(ct * x[2] * x[1].sin()), Some(of_b), None])
    }

    fn jvp(
        &self,
        t: &[Option<NdArray>],
        _: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<NdArray> {
        if self.tangent == 0.0 {
            return Err(RuleError::Missing);
        }
        assert!(t[2].is_none());
        let [Some(of_a), Some(of_b)] = [&t[0], &t[1]] else { panic!("floats") };
        let along_a = times(of_a, &with_elements(x, |_, b, k| b.sin() * k)?, 1.0)?;
        let along_b = times(of_b, &with_elements(x, |a, b, k| a * b.cos() * k)?, 1.0)?;
        let sum = &along_a.try_as_array::<f64>()? + &along_b.try_as_array::<f64>()?;
        Ok((sum * self.tangent).into())
    }
}

fn operands() -> [NdArray; 3] {
    let k = NdArray::from_elements(&[1_i64, 2, -1]);
    [array(&[3], &[1.0, -2.0, 30.0]), array(&[3], &[0.5, 0.1, -2.0]), k]
}

#[test]
fn right_rules_pass() {
    for op in [RIGHT, Wave { on_tensors: 0.0, ..RIGHT }, Wave { tangent: 0.0, ..RIGHT }]
    {
        op.check(&operands(), 1e-9);
    }
    // What holds f32 is computed in f64.
    let [a, b, k] = operands();
    RIGHT.check(&[a.cast(DType::F32).unwrap(), b, k], 1e-9);
}

#[test]
fn the_error_names_the_rule_that_is_wrong() {
    let wrong = [
        (Wave { on_arrays: [1.001, 1.0], ..RIGHT }, "wave.vjp: operand 0: "),
        (Wave { on_arrays: [1.0, -1.0], ..RIGHT }, "wave.vjp: operand 1: "),
        (Wave { on_arrays: [1.0, f64::NAN], ..RIGHT }, "wave.vjp: operand 1: "),
        (Wave { on_tensors: 0.999, ..RIGHT }, "wave.vjp on tensors: operand 1: "),
        (Wave { tangent: 1.001, ..RIGHT }, "wave.jvp: "),
    ];
    for (op, text) in wrong {
        let error = op.try_check(&operands(), 1e-5).unwrap_err();
        assert_eq!(error.kind(), Kind::Gradient);
        assert!(error.to_string().starts_with(text), "{error}");
        assert!(error.to_string().contains(" by differences, "), "{error}");
        let (panicked, line) = panic_of(|| op.check(&operands(), 1e-5));
        assert_eq!(panicked, error.to_string());
        assert!(line.contains("custom_check.rs"), "{line}");
    }
    Wave { tangent: 1.001, ..RIGHT }.check(&operands(), 1e-2);
}

/// An op of the one operand, with the value, cotangent and tangent that it is told.
#[derive(Clone, Copy)]
struct Told {
    value: fn(&NdArray) -> RuleResult<NdArray>,
    cotangent: fn(&NdArray) -> RuleResult<Vec<Option<NdArray>>>,
    tangent: fn(&NdArray) -> RuleResult<NdArray>,
}

const NOTHING: Told = Told {
    value: |x| Ok(x.clone()),
    cotangent: |_| Err(RuleError::Missing),
    tangent: |_| Err(RuleError::Missing),
};

impl CustomOp for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
        (self.value)(&x[0])
    }

    fn vjp(
        &self,
        ct: &NdArray,
        _: &NdArray,
        _: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        (self.cotangent)(ct)
    }

    fn jvp(
        &self,
        t: &[Option<NdArray>],
        _: &NdArray,
        _: &[NdArray],
    ) -> RuleResult<NdArray> {
        (self.tangent)(t[0].as_ref().expect("the operand holds floats"))
    }
}

/// A value whose shape depends on the operand's elements.
fn above_one(x: &NdArray) -> RuleResult<NdArray> {
    let kept = x.try_to_vec::<f64>()?.into_iter().filter(|x| *x > 1.0);
    Ok(NdArray::from_elements(&kept.collect::<Vec<_>>()))
}

fn long(_: &NdArray) -> NdArray {
    array(&[3], &[0.0; 3])
}

fn single(x: &NdArray) -> NdArray {
    x.cast(DType::F32).unwrap()
}

fn whole(x: &NdArray) -> NdArray {
    x.cast(DType::I64).unwrap()
}

#[test]
fn what_rules_give_is_checked() {
    let cases: [(Told, Kind, &str); 10] = [
        (NOTHING, Kind::Gradient, "check: there is no told.vjp\nhint: give the op one"),
        (
            Told { tangent: |t| Ok(long(t)), ..NOTHING },
            Kind::Shape,
            "told.jvp: the tangent has shape (3,), the value has (2,)",
        ),
        (
            Told { tangent: |t| Ok(single(t)), ..NOTHING },
            Kind::DType,
            "told.jvp: the tangent holds f32, the value holds f64",
        ),
        (
            Told { cotangent: |_| Ok(vec![]), ..NOTHING },
            Kind::Shape,
            "told.vjp: 0 cotangents for 1 operands",
        ),
        (
            Told { cotangent: |ct| Ok(vec![Some(long(ct))]), ..NOTHING },
            Kind::Shape,
            "told.vjp: the cotangent of operand 0 has shape (3,), (2,) needs its own",
        ),
        (
            Told { cotangent: |ct| Ok(vec![Some(single(ct))]), ..NOTHING },
            Kind::DType,
            "told.vjp: the cotangent of operand 0 holds f32, operand 0 needs f64",
        ),
        (
            Told { cotangent: |_| Ok(vec![None]), ..NOTHING },
            Kind::Gradient,
            "told.vjp: operand 0: ",
        ),
        (
            Told { value: |x| Ok(whole(x)), ..NOTHING },
            Kind::DType,
            "check: the value of told holds i64, which has no gradient",
        ),
        (
            Told { value: above_one, ..NOTHING },
            Kind::Shape,
            "check: the value of told has shape (1,), close by it has ",
        ),
        (
            Told { value: |_| Err(RuleError::Missing), ..NOTHING },
            Kind::Gradient,
            "check: there is no told\nhint: give the op one",
        ),
    ];
    for (op, kind, text) in cases {
        let error = op.try_check(&[array(&[2], &[1.0, 2.0])], 1e-5).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with(text), "{error}");
    }
}

#[test]
fn a_rule_for_tangents_may_be_the_only_one() {
    Told { tangent: |t| Ok(t.clone()), ..NOTHING }.check(&[array(&[], &[3.0])], 1e-5);
}

#[test]
fn there_must_be_floats_to_move() {
    for x in [NdArray::from_elements(&[1_i64, 2]), array(&[0], &[])] {
        let op = Told { value: |_| Ok(array(&[], &[1.0])), ..NOTHING };
        let error = op.try_check(&[x], 1e-5).unwrap_err();
        assert_eq!(error.kind(), Kind::DType);
        let text = "check: no operand of told has elements of a float type";
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn an_error_of_a_rule_passes_through() {
    let fails = |x: &NdArray| Err(x.try_to_vec::<bool>().unwrap_err().into());
    for op in [
        Told { value: fails, ..NOTHING },
        Told { tangent: fails, ..NOTHING },
        Told {
            cotangent: |ct| Err(ct.try_to_vec::<bool>().unwrap_err().into()),
            ..NOTHING
        },
    ] {
        let error = op.try_check(&[array(&[2], &[1.0, 2.0])], 1e-5).unwrap_err();
        assert_eq!(error.to_string(), "as_array: the array holds f64, not bool");
    }
    let mine = |_: &NdArray| Err(std::fmt::Error.into());
    let error = Told { tangent: mine, ..NOTHING }
        .try_check(&[array(&[2], &[1.0, 2.0])], 1e-5)
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Raised);
    assert!(error.to_string().starts_with("told.jvp: "), "{error}");
}
