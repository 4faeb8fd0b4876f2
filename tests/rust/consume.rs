//! Sweeps that free values as they go.

use crate::caught::panic_of;
use wengert::prelude::*;
use wengert::{Fault, Kind};

const CONSUME: GradOptions<'_, '_> =
    GradOptions { seed: None, wrt: None, record: false, ieee: false, consume: true };

/// A chain of large values, with a view and a small part, and what it is made of.
fn program(rec: &ComputationRecord) -> [Tensor<'_>; 5] {
    let x = rec.ones(&[100, 50], DType::F64);
    let scale = rec.constant(NdArray::full(&[50], 0.5, DType::F64).unwrap()) * 2.0;
    let h = (x * scale).tanh();
    let t = h.transpose(&[1, 0]);
    let loss = (t.matmul(&h) + 1.0).sum() + h.get(&[Index::At(3)]).exp().sum();
    [x, scale, h, t, loss]
}

#[test]
fn gradients_are_those_that_a_plain_sweep_gives() {
    let (plain, consumed) = (ComputationRecord::new(), ComputationRecord::new());
    let [x, _, h, _, loss] = program(&plain);
    let grad = loss.grad();
    let wanted = [x, h].map(|x| grad.wrt(&x).data().to_vec::<f64>());
    let [x, _, h, _, loss] = program(&consumed);
    let targets = [x, h];
    let options = GradOptions { wrt: Some(&targets), ..CONSUME };
    let grad = loss.grad_with(&options);
    let found = [x, h].map(|x| grad.wrt(&x).data().to_vec::<f64>());
    assert_eq!(found, wanted);
    assert!(grad.connected(&h));
}

#[test]
fn memory_is_freed_unless_an_array_shows_it() {
    let rec = ComputationRecord::new();
    let before = rec.bytes();
    let [x, scale, h, t, loss] = program(&rec);
    let (shown, first) = (t.data(), h.data().to_vec::<f64>());
    let held = rec.bytes() - before;
    let _grad = loss.grad_with(&CONSUME);
    // Of the large values those are left that are no nodes' own: leaves are shared.
    assert!(held > 3 * 40_000, "{held}");
    assert!(rec.bytes() - before < 10_000, "{}", rec.bytes() - before);
    // Memory that comes from the pool again is not what the array shows.
    for _ in 0..20 {
        let _ = x * 7.0;
    }
    assert_eq!(shown.to_vec::<f64>(), first);
    assert_eq!(x.data().to_vec::<f64>()[0], 1.0);
    assert_eq!(scale.data().to_vec::<f64>()[0], 1.0);
    assert!(loss.item() > 0.0);
}

#[test]
fn what_is_consumed_is_refused_until_the_record_is_cut_back() {
    let mut rec = ComputationRecord::new();
    let _ = rec.ones(&[3], DType::F64);
    let mark = rec.mark();
    for _ in 0..2 {
        let x = rec.tensor(0).unwrap();
        let y = (x * 2.0).named("y");
        let loss = y.sum();
        let later = loss + y.exp().sum();
        let _ = loss.grad_with(&CONSUME);
        let errors = [
            y.try_data().unwrap_err(),
            y.try_add(1.0).unwrap_err(),
            y.try_sum().unwrap_err(),
            x.try_multiply(y).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), Kind::Handle);
            assert!(matches!(error.fault(), Fault::Consumed { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains("the value of y was freed by grad(consume=True)"));
            assert!(text.contains("y recorded at tests/rust/consume.rs:"), "{text}");
            assert!(text.contains("hint: read it before that"), "{text}");
        }
        assert_eq!(y.shape(), [3]);
        assert_eq!(format!("{y:?}"), "tensor y f64 (3,): consumed");
        for loss in [loss, later] {
            for record in [false, true] {
                let options = GradOptions { record, ..GradOptions::default() };
                let error = loss.try_grad(&options).unwrap_err();
                assert_eq!(error.kind(), Kind::Gradient);
                assert!(error.to_string().contains("an earlier grad(consume=True)"));
            }
        }
        // What depends on leaves alone goes on.
        let fresh = (x * x).sum();
        assert_eq!(fresh.grad().wrt(&x).data().to_vec::<f64>(), [2.0; 3]);
        assert_eq!(later.item(), 6.0 + 3.0 * 2.0_f64.exp());
        rec.rewind(&mark);
    }
    let x = rec.tensor(0).unwrap();
    let again = (x * 3.0).sum();
    assert_eq!(again.item(), 9.0);
    assert_eq!(again.grad().wrt(&x).data().to_vec::<f64>(), [3.0; 3]);
}

#[test]
fn a_recorded_sweep_cannot_consume() {
    let rec = ComputationRecord::new();
    let loss = rec.ones(&[3], DType::F64).exp().sum();
    let options = GradOptions { record: true, ..CONSUME };
    let (text, _) = panic_of(|| loss.grad_with(&options));
    assert!(text.starts_with("grad: consume=True frees the values"), "{text}");
    let _ = loss.grad();
}

#[test]
fn a_sweep_that_consumes_is_profiled_and_checked() {
    let rec = ComputationRecord::new();
    rec.check_finite(true);
    rec.start_profile();
    let [x, .., loss] = program(&rec);
    let grad = loss.grad_with(&CONSUME);
    assert_eq!(grad.wrt(&x).shape(), [100, 50]);
    let profile = rec.stop_profile().unwrap();
    let tanh = profile.ops.iter().find(|entry| entry.name == "tanh").unwrap();
    assert!(!tanh.sweep.is_zero());
}
