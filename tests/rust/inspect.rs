//! What a person reads of a record: names, the table, breaks, checks.

use crate::caught::panic_of;
use crate::differences::array;
use wengert::prelude::*;
use wengert::{Fault, Kind};

fn program(rec: &ComputationRecord) -> [Tensor<'_>; 4] {
    let x = rec.tensor_from_value(array(&[2], &[1.0, -2.0]));
    let w = rec.parameter("w", array(&[2], &[3.0, 4.0]));
    let hidden = (x * w).relu().named("hidden");
    [x, w, hidden, hidden.sum()]
}

#[test]
fn names_are_in_views_and_messages() {
    let rec = ComputationRecord::new();
    let [x, w, hidden, _] = program(&rec);
    assert_eq!(x.name(), None);
    assert_eq!(w.name().as_deref(), Some("w"));
    assert_eq!(hidden.name().as_deref(), Some("hidden"));
    assert!(rec.to_string().contains("  relu hidden  "));
    let error = hidden.try_add(rec.ones(&[3], DType::F64)).unwrap_err().to_string();
    assert!(error.contains("hidden (2,), #5 tensor (3,)"), "{error}");
    let _ = hidden.named("h");
    assert_eq!(hidden.name().as_deref(), Some("h"));
}

#[test]
fn a_table_has_cotangents_beside_values() {
    let rec = ComputationRecord::new();
    let [x, .., loss] = program(&rec);
    let len = rec.len();
    let table = rec.table(&loss.grad());
    assert_eq!(rec.len(), len);
    let row = |k: usize| table.lines().nth(k + 2).unwrap();
    assert!(table.lines().nth(1).unwrap().contains("value    cotangent  recorded at"));
    assert!(row(x.index()).contains("  [1, -2]  [3, 0]     tests/rust/inspect.rs:"));
    assert!(row(loss.index()).contains("  3        1          tests/"));
    let other = ComputationRecord::new();
    let foreign = other.ones(&[], DType::F64).grad();
    let error = rec.try_table(&foreign).unwrap_err();
    assert_eq!(error.kind(), Kind::Handle);
    assert!(error.to_string().contains("table: the gradient of #0 belongs to record"));
    let (text, _) = panic_of(|| rec.table(&foreign));
    assert_eq!(text, error.to_string());
}

#[test]
fn fault_04_strict_names_the_break() {
    let rec = ComputationRecord::new();
    let [x, w, ..] = program(&rec);
    let still = (x * 2.0).stop_gradient();
    let (loss, unused) = ((still * w).sum(), rec.ones(&[], DType::F64));
    let grad = loss.grad();
    assert_eq!(grad.wrt_strict(&w).data().to_vec::<f64>(), [2.0, -4.0]);
    assert_eq!(grad.wrt(&x).data().to_vec::<f64>(), [0.0, 0.0]);
    let len = rec.len();
    let (text, _) = panic_of(|| grad.wrt_strict(&x));
    let head = "wrt: no gradient flows from #8 sum to #0 tensor: the path ends at #6 \
                stop_gradient\n  #0 tensor recorded at tests/rust/inspect.rs:";
    assert!(text.starts_with(head), "{text}");
    assert!(text.contains(", #6 stop_gradient at tests/rust/inspect.rs:"), "{text}");
    let error = grad.try_wrt_strict(&unused).unwrap_err();
    assert_eq!(error.kind(), Kind::Gradient);
    assert!(error.to_string().contains("#9 tensor: no path leads there\n"), "{error}");
    assert_eq!(rec.len(), len);
}

#[test]
fn fault_21_the_first_node_that_is_not_finite() {
    let rec = ComputationRecord::new();
    let zero = rec.tensor_from_value(array(&[2], &[1.0, 0.0])).named("zero");
    assert_eq!(zero.log().data().to_vec::<f64>(), [0.0, f64::NEG_INFINITY]);
    rec.check_finite(true);
    let len = rec.len();
    let error = zero.try_log().unwrap_err();
    assert_eq!(error.kind(), Kind::NonFinite);
    let Fault::NonFinite { op: "log", value, position, .. } = error.fault() else {
        panic!("{error}")
    };
    assert_eq!((*value, position.as_slice()), (f64::NEG_INFINITY, &[1][..]));
    let (text, _) = panic_of(|| zero.log());
    assert!(text.starts_with("log: #2 log would hold -inf at (1,)\n  #2 log recor"));
    let nan = rec.try_constant(NdArray::from_slice(&[f32::NAN])).unwrap_err();
    assert!(
        nan.to_string().starts_with("constant: #2 constant would hold NaN at (0,)")
    );
    assert_eq!(rec.len(), len);
    let root = zero.sqrt().sum();
    let error = root.try_grad(&GradOptions::default()).unwrap_err().to_string();
    let text = "grad: the cotangent that #2 sqrt passes to zero would hold inf at (1,)";
    assert!(error.starts_with(text), "{error}");
}
