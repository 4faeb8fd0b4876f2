//! Profiles of records: counts, bytes and which times there are.

use crate::differences::array;
use std::time::Duration;
use wengert::prelude::*;
use wengert::{Profile, ProfileEntry};

fn entry<'a>(profile: &'a Profile, op: &str) -> &'a ProfileEntry {
    let entry = profile.ops.iter().find(|entry| entry.name == op);
    entry.unwrap_or_else(|| panic!("no {op} in {profile}"))
}

#[test]
fn counts_and_bytes_are_those_of_the_nodes() {
    let rec = ComputationRecord::new();
    let before = rec.ones(&[7], DType::F64).exp();
    rec.start_profile();
    let x = rec.tensor_from_value(array(&[2, 3], &[1.0; 6]));
    let y = (x * 2.0 + x).transpose(&[1, 0]);
    let loss = (y * y).sum() + before.sum();
    let profile = rec.stop_profile().unwrap();
    let _ = loss * 2.0;
    let found = |op| (entry(&profile, op).count, entry(&profile, op).bytes);
    assert_eq!(found("tensor"), (1, 48));
    assert_eq!(found("multiply"), (2, 96));
    assert_eq!(found("add"), (2, 56));
    // A view has no memory of its own.
    assert_eq!(found("transpose"), (1, 0));
    assert_eq!(found("sum"), (2, 16));
    assert_eq!(profile.ops.len(), 5);
    let sums = |entries: &[ProfileEntry]| -> (u64, u64) {
        (entries.iter().map(|x| x.count).sum(), entries.iter().map(|x| x.bytes).sum())
    };
    assert_eq!(sums(&profile.lines), sums(&profile.ops));
    assert!(profile.lines.iter().all(|x| x.name.starts_with("tests/rust/profile.rs:")));
    assert!(rec.stop_profile().is_none());
}

#[test]
fn loops_that_run_together_are_told_apart() {
    let rec = ComputationRecord::new();
    let elements: Vec<f64> = (0..20_000).map(|k| f64::from(k) * 1e-4).collect();
    let [x, w] = [0, 1].map(|_| rec.tensor_from_value(array(&[20_000], &elements)));
    rec.start_profile();
    let y = (0..5).fold(x, |y, _| (y * w).tanh().exp() - x);
    let gradient = y.sum().grad().wrt(&x);
    let profile = rec.stop_profile().unwrap();
    for op in ["multiply", "tanh", "exp"] {
        assert!(entry(&profile, op).sweep > Duration::ZERO, "{profile}");
    }
    let sweep: Duration = profile.ops.iter().map(|op| op.sweep).sum();
    assert!(sweep < profile.wall, "{profile}");
    // The bits are those of a sweep that nobody looks at.
    assert_eq!(
        gradient.data().to_vec::<f64>(),
        y.sum().grad().wrt(&x).data().to_vec::<f64>()
    );
}

#[test]
fn what_is_cleared_or_rewound_counts() {
    let mut rec = ComputationRecord::new();
    rec.start_profile();
    for _ in 0..3 {
        let start = rec.mark();
        for _ in 0..4 {
            let x = rec.ones(&[2], DType::F64);
            let _ = (x + x).sum().grad().wrt(&x);
            rec.rewind(&start);
        }
        rec.clear();
    }
    let profile = rec.stop_profile().unwrap();
    for op in ["tensor", "add", "sum", "gradient"] {
        assert_eq!(entry(&profile, op).count, 12, "{op}");
    }
}

/// Runs an op often enough that some of its nodes are due to be timed.
fn many(rec: &ComputationRecord) -> Tensor<'_> {
    let x = rec.ones(&[4], DType::F64);
    (0..2000).fold(x, |y, _| (y * 0.5).tanh()).sum()
}

#[test]
fn values_and_gradients_are_those_without_a_profile() {
    for check in [false, true] {
        let [plain, profiled] = [false, true].map(|on| {
            let rec = ComputationRecord::new();
            rec.check_finite(check);
            if on {
                rec.start_profile();
            }
            let loss = many(&rec);
            let x = rec.tensor(0).unwrap();
            let gradient = loss.grad().wrt(&x).data().to_vec::<f64>();
            assert_eq!(rec.stop_profile().is_some(), on);
            (rec.len(), rec.bytes(), loss.item().to_bits(), gradient)
        });
        assert_eq!(plain, profiled);
    }
}

#[test]
fn small_nodes_are_sampled_and_large_ones_timed() {
    let mut rec = ComputationRecord::new();
    rec.start_profile();
    // Several gaps for each of five ops.
    for _ in 0..4 {
        many(&rec).grad();
        rec.clear();
    }
    // Passes that are much shorter than a gap have their samples, too.
    for _ in 0..4000 {
        let x = rec.ones(&[], DType::F64);
        let _ = (x.sqrt() * x).grad();
        rec.clear();
    }
    let x = rec.ones(&[100, 100], DType::F64);
    let _ = x.exp().sum().grad();
    let profile = rec.stop_profile().unwrap();
    for op in ["multiply", "tanh", "sqrt", "exp", "sum"] {
        let ProfileEntry { forward, sweep, .. } = entry(&profile, op);
        assert!(
            *forward > Duration::ZERO && *sweep > Duration::ZERO,
            "{op}: {profile}"
        );
    }
    assert!(profile.ops.is_sorted_by_key(|x| std::cmp::Reverse(x.forward + x.sweep)));
}

#[test]
fn a_failed_op_is_no_node_of_the_profile() {
    let rec = ComputationRecord::new();
    rec.start_profile();
    let (x, y) = (rec.ones(&[2], DType::F64), rec.ones(&[3], DType::F64));
    for _ in 0..1000 {
        assert!(x.try_add(y).is_err());
    }
    let _ = x.sqrt();
    let profile = rec.stop_profile().unwrap();
    assert_eq!(entry(&profile, "sqrt").count, 1);
    assert!(profile.ops.iter().all(|entry| entry.name != "add"));
    assert_eq!(rec.len(), 3);
}
