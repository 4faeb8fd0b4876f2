//! What a person reads of a record: names, the table, the graph, breaks, checks, replays.

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
fn a_graph_has_a_box_for_each_node() {
    let rec = ComputationRecord::new();
    let [_, w, hidden, loss] = program(&rec);
    let _ = (w * 2.5).named("a \"b\"");
    let dot = rec.to_dot(None);
    assert_eq!(dot.matches("label=").count(), rec.len());
    assert_eq!(dot.matches("->").count(), 5);
    let hidden_box =
        "n3 [label=\"#3 relu hidden\\nf64 (2,)\", tooltip=\"[3, 0]\\ntests/rust/";
    assert!(dot.contains(hidden_box), "{dot}");
    assert!(dot.contains("#5 multiply a \\\"b\\\"\\n2.5\\nf64 (2,)"), "{dot}");
    assert_eq!(rec.to_dot(Some(&hidden)).matches("label=").count(), 4);
    assert!(rec.to_dot(Some(&loss)).contains("n3 -> n4;"));
    let other = ComputationRecord::new();
    assert_eq!(other.try_to_dot(Some(&w)).unwrap_err().kind(), Kind::Handle);
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

#[test]
fn a_replay_is_the_program_on_other_values() {
    let rec = ComputationRecord::new();
    let [x, w, hidden, loss] = program(&rec);
    let slope = loss.grad_with(&GradOptions { record: true, ..Default::default() });
    let slope = slope.wrt(&w);
    let again = rec.replay(&[(x, array(&[2], &[5.0, 6.0]))], None);
    let now = |t: &Tensor<'_>| again.tensor(t).unwrap().data().to_vec::<f64>();
    assert_eq!(now(&hidden), [15.0, 24.0]);
    assert_eq!(now(&loss), [39.0]);
    assert_eq!(now(&slope), [5.0, 6.0]);
    assert_eq!(again.record().len(), rec.len());
    let lines = |text: String| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(
        lines(rec.replay(&[], None).record().to_string()),
        lines(rec.to_string())
    );
    let part = rec.replay(&[], Some(&hidden));
    assert_eq!(part.record().len(), hidden.index() + 1);
    assert!(part.tensor(&loss).is_none());
    assert!(part.tensor(&again.tensor(&x).unwrap()).is_none());
    assert!(format!("{part:?}").starts_with("Replay of record "));
}

#[test]
fn a_replay_refuses_what_would_be_stale() {
    let rec = ComputationRecord::new();
    let [x, _, hidden, loss] = program(&rec);
    let failed = |value: (Tensor<'_>, NdArray)| {
        let error = rec.try_replay(&[value], None).unwrap_err();
        (error.kind(), error.to_string().lines().next().unwrap().to_owned())
    };
    assert_eq!(
        failed((x, array(&[3], &[0.0; 3]))),
        (Kind::Shape, "replay: #0 tensor was recorded for (2,), not (3,)".into())
    );
    assert_eq!(
        failed((x, NdArray::from_slice(&[1.0, 2.0]))),
        (Kind::DType, "replay: #0 tensor was recorded for f64, not f32".into())
    );
    assert_eq!(
        failed((hidden, array(&[2], &[0.0; 2]))),
        (
            Kind::Value,
            "replay: hidden is computed: only leaves and constants take a value".into()
        )
    );
    let step = loss.grad().wrt(&x) * 0.5;
    let (text, _) = panic_of(|| rec.replay(&[], None));
    assert!(text.starts_with("replay: #6 multiply uses #5 gradient, a gradient that"));
    assert!(rec.replay(&[], Some(&loss)).tensor(&step).is_none());
}
