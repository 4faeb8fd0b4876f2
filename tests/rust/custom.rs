//! Ops that users define.

use crate::caught::panic_of;
use crate::differences::array;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wengert::prelude::*;
use wengert::{CustomOp, Fault, Kind, RuleError, RuleResult};

/// `a * b`, with the rules that are there.
#[derive(Clone, Copy, Default)]
struct Product {
    on_arrays: bool,
    on_tensors: bool,
}

fn times(a: &NdArray, b: &NdArray) -> RuleResult<NdArray> {
    Ok((&a.try_as_array::<f64>()? * &b.try_as_array::<f64>()?).into())
}

impl CustomOp for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
        times(&x[0], &x[1])
    }

    fn vjp(
        &self,
        ct: &NdArray,
        _: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        if !self.on_arrays {
            return Err(RuleError::Missing);
        }
        Ok(vec![Some(times(ct, &x[1])?), Some(times(ct, &x[0])?)])
    }

    fn vjp_on_tensors<'rec>(
        &self,
        ct: &Tensor<'rec>,
        _: &Tensor<'rec>,
        x: &[Tensor<'rec>],
    ) -> RuleResult<Vec<Option<Tensor<'rec>>>> {
        if !self.on_tensors {
            return Err(RuleError::Missing);
        }
        Ok(vec![Some(ct * x[1]), Some(ct * x[0])])
    }
}

const FORMS: [Product; 3] = [
    Product { on_arrays: true, on_tensors: false },
    Product { on_arrays: false, on_tensors: true },
    Product { on_arrays: true, on_tensors: true },
];

#[test]
fn a_node_has_the_value_the_name_and_the_gradient() {
    for op in FORMS {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(array(&[2], &[1.0, 2.0]));
        let y = rec.custom(Arc::new(op), &[x, x * 2.0]);
        assert_eq!(format!("{y:?}"), "tensor #2 product f64 (2,): [2, 8]");
        for record in [false, true] {
            let options = GradOptions { record, ..GradOptions::default() };
            let slope = y.sum().grad_with(&options).wrt(&x);
            assert_eq!(slope.data().to_vec::<f64>(), [4.0, 8.0]);
        }
    }
}

#[test]
fn derivatives_of_every_order_by_a_rule_on_tensors() {
    let record = GradOptions { record: true, ..GradOptions::default() };
    for op in FORMS {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(array(&[], &[3.0]));
        let cube = rec.custom(Arc::new(op), &[x * x, x]);
        let first = cube.grad_with(&record).wrt(&x);
        assert_eq!(first.item(), 27.0);
        if op.on_tensors {
            let second = first.grad_with(&record).wrt(&x);
            let third = second.grad().wrt(&x);
            assert_eq!([second.item(), third.item()], [18.0, 6.0]);
            continue;
        }
        let error = first.try_grad(&GradOptions::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::Gradient);
        let text = error.to_string();
        assert!(
            text.contains("product_vjp: the vjp of product works on arrays"),
            "{text}"
        );
    }
}

#[test]
fn a_missing_rule_is_an_error_where_a_sweep_needs_it() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[2], &[1.0, 2.0]));
    let y = rec.custom(Arc::new(Product::default()), &[x, x]);
    assert_eq!((y.stop_gradient() * x).sum().grad().wrt(&x).data().len(), 2);
    let loss = y.sum();
    let len = rec.len();
    for record in [false, true] {
        let options = GradOptions { record, ..GradOptions::default() };
        let error = loss.try_grad(&options).unwrap_err();
        assert_eq!(error.kind(), Kind::Gradient);
        let text = error.to_string();
        assert!(
            text.starts_with("grad: there is no product.vjp\n  #1 product"),
            "{text}"
        );
    }
    assert_eq!(rec.len(), len);
}

/// A rule that gives what it is told.
struct Gives(Vec<Option<NdArray>>);

impl CustomOp for Gives {
    fn name(&self) -> &'static str {
        "first"
    }

    fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
        Ok(x[0].clone())
    }

    fn vjp(
        &self,
        _: &NdArray,
        _: &NdArray,
        _: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        Ok(self.0.clone())
    }
}

#[test]
fn cotangents_are_checked_and_the_error_names_the_rule() {
    let [fits, long] = [array(&[2], &[1.0, 2.0]), array(&[3], &[0.0; 3])];
    let single = NdArray::from_slice(&[1.0, 2.0]);
    let cases = [
        (vec![], Kind::Shape, "first.vjp: 0 cotangents for 2 operands"),
        (
            vec![Some(long), None],
            Kind::Shape,
            "first.vjp: the cotangent of operand 0 has shape (3,), x (2,) needs its own",
        ),
        (
            vec![Some(single), None],
            Kind::DType,
            "first.vjp: the cotangent of operand 0 holds f32, x needs f64",
        ),
        (
            vec![None, Some(fits)],
            Kind::DType,
            "first.vjp: a cotangent is given for operand 1, but #1 tensor holds i64, \
             which has none",
        ),
    ];
    for (given, kind, text) in cases {
        let rec = ComputationRecord::new();
        let x = rec.parameter("x", array(&[2], &[1.0, 2.0]));
        let k = rec.tensor_from_value(NdArray::from_elements(&[1_i64]));
        let loss = rec.custom(Arc::new(Gives(given)), &[x, k]).sum();
        let error = loss.try_grad(&GradOptions::default()).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().starts_with(text), "{error}");
        assert!(error.to_string().contains("#2 first recorded at"), "{error}");
    }
}

/// An error of a user's.
#[derive(Debug, PartialEq)]
struct Mine(u32);

impl fmt::Display for Mine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mine {}", self.0)
    }
}

impl std::error::Error for Mine {}

/// An op that fails.
struct Fails {
    in_forward: bool,
}

impl CustomOp for Fails {
    fn name(&self) -> &'static str {
        "fails"
    }

    fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
        if self.in_forward { Err(Mine(1).into()) } else { Ok(x[0].clone()) }
    }

    fn vjp_on_tensors<'rec>(
        &self,
        ct: &Tensor<'rec>,
        _: &Tensor<'rec>,
        _: &[Tensor<'rec>],
    ) -> RuleResult<Vec<Option<Tensor<'rec>>>> {
        Ok(vec![Some(ct.try_reshape(&[5])?)])
    }
}

#[test]
fn fault_31_an_error_of_a_rule_passes_through() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[2], &[1.0, 2.0]));
    let error = rec.try_custom(Arc::new(Fails { in_forward: true }), &[x]).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (Kind::Raised, "fails: mine 1".into())
    );
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.downcast_ref::<Mine>(), Some(&Mine(1)));
    assert!(matches!(error.fault(), Fault::Raised { .. }));
    assert_eq!(rec.len(), 1);
    // An error of this crate's own is as clear as it was.
    let y = rec.custom(Arc::new(Fails { in_forward: false }), &[x]);
    let error = y.sum().try_grad(&GradOptions::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Shape);
    assert!(
        error.to_string().starts_with("reshape: ct (2,) has 2 elements"),
        "{error}"
    );
    let (text, _) = panic_of(|| rec.custom(Arc::new(Fails { in_forward: true }), &[x]));
    assert_eq!(text, "fails: mine 1");
    assert_eq!((x * x).sum().grad().wrt(&x).data().to_vec::<f64>(), [2.0, 4.0]);
}

/// Counts the calls of its parts, and its own death.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(100, Ordering::Relaxed);
    }
}

impl CustomOp for Counted<'static> {
    fn name(&self) -> &'static str {
        "counted"
    }

    fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(x[0].clone())
    }

    fn vjp(
        &self,
        ct: &NdArray,
        _: &NdArray,
        _: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        self.0.fetch_add(10, Ordering::Relaxed);
        Ok(vec![Some(ct.clone())])
    }
}

#[test]
fn an_op_is_called_when_needed_and_dropped_with_its_nodes() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let mut rec = ComputationRecord::new();
    let mark = rec.mark();
    {
        let x = rec.tensor_from_value(array(&[2], &[1.0, 2.0]));
        let y = rec.custom(Arc::new(Counted(&CALLS)), &[x]);
        assert_eq!(CALLS.load(Ordering::Relaxed), 1);
        let grad = y.sum().grad();
        assert_eq!(grad.wrt(&x).data().to_vec::<f64>(), [1.0; 2]);
        assert_eq!(CALLS.load(Ordering::Relaxed), 11);
        assert!(rec.table(&grad).contains("counted"));
        let again = rec.replay(&[(x, array(&[2], &[3.0, 4.0]))], Some(&y));
        assert_eq!(again.tensor(&y).unwrap().data().to_vec::<f64>(), [3.0, 4.0]);
        assert_eq!(CALLS.load(Ordering::Relaxed), 22);
    }
    rec.rewind(&mark);
    assert_eq!(CALLS.load(Ordering::Relaxed), 122);
}

#[test]
fn operands_are_checked() {
    let (rec, other) = (ComputationRecord::new(), ComputationRecord::new());
    let x = other.tensor_from_value(array(&[2], &[1.0, 2.0]));
    let op = || Arc::new(FORMS[0]);
    let error = rec.try_custom(op(), &[x, x]).unwrap_err();
    assert_eq!(error.kind(), Kind::Handle);
    let error = rec.try_custom(op(), &[]).unwrap_err();
    assert_eq!(error.to_string(), "product: needs at least one tensor");
    assert!(rec.is_empty());
}
