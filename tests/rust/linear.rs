//! Products of tensors.

use wengert::prelude::*;
use wengert::{Fault, Kind, Subscripts, einsum, try_einsum};

fn matrix<'rec>(
    rec: &'rec ComputationRecord,
    elements: &[f64],
    rows: isize,
) -> Tensor<'rec> {
    rec.tensor_from_value(NdArray::from_elements(elements)).reshape(&[rows, -1])
}

fn floats(t: Tensor<'_>) -> Vec<f64> {
    t.data().to_vec::<f64>()
}

#[test]
fn einsum_writes_out_sums_of_products() {
    let rec = ComputationRecord::new();
    let a = matrix(&rec, &[1.0, 2.0, 3.0, 4.0], 2);
    let b = matrix(&rec, &[0.0, 1.0, 1.0, 0.0], 2);
    assert_eq!(floats(einsum("ij,jk->ik", &[a, b])), [2.0, 1.0, 4.0, 3.0]);
    assert_eq!(floats(einsum("ij,jk,kl->il", &[b, a, b])), [4.0, 3.0, 2.0, 1.0]);
    assert_eq!(einsum("ii", &[a]).item(), 5.0);
    let grad = einsum("ij,ij->", &[a, a]).grad();
    assert_eq!(floats(grad.wrt(&a)), [2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn products_by_name() {
    let rec = ComputationRecord::new();
    let a = matrix(&rec, &[1.0, 2.0, 3.0, 4.0], 2);
    let x = rec.tensor_from_value(NdArray::from_elements(&[1.0, 10.0]));
    assert_eq!(floats(a.dot(&x)), [21.0, 43.0]);
    assert_eq!(floats(x.dot(&a)), [31.0, 42.0]);
    assert_eq!(floats(x.inner(&a)), [21.0, 43.0]);
    assert_eq!(floats(x.outer(&x)), [1.0, 10.0, 10.0, 100.0]);
    assert_eq!(a.vdot(&a).item(), 30.0);
    assert_eq!(floats(x.kron(&x)), [1.0, 10.0, 10.0, 100.0]);
    assert_eq!(a.tensordot(&a, &[0, 1], &[1, 0]).item(), 29.0);
    let up = rec.constant(NdArray::from_elements(&[0.0, 0.0, 1.0]));
    let along = rec.constant(NdArray::from_elements(&[1.0, 0.0, 0.0]));
    assert_eq!(floats(up.cross(&along, 0)), [0.0, 1.0, 0.0]);
}

#[test]
fn what_does_not_fit_is_named() {
    let rec = ComputationRecord::new();
    let a = matrix(&rec, &[0.0; 6], 2);
    let row = a.get(&[Index::At(0)]);
    let len = rec.len();
    let error = try_einsum("ij,jk->ik", &[a, a]).unwrap_err();
    assert_eq!(error.kind(), Kind::Shape);
    let text = error.to_string();
    let wanted = "einsum: the sizes at subscript j differ: \
                  3 in #1 reshape (2, 3), 2 in #1 reshape (2, 3)\n  \
                  #1 reshape recorded at tests/rust/linear.rs:";
    assert!(text.starts_with(wanted), "{text}");
    let error = try_einsum("ij->k", &[a]).unwrap_err();
    let Fault::Einsum { fault, .. } = error.fault() else { panic!("{error}") };
    assert_eq!(*fault, Subscripts::Unknown { subscript: "k".into() });
    assert!(try_einsum("", &[]).is_err());
    assert!(a.try_dot(&a).is_err());
    assert!(a.try_tensordot(&a, &[0], &[0, 1]).is_err());
    assert!(a.try_vdot(&row).is_err());
    assert!(a.try_cross(&a, 0).is_err());
    assert_eq!(rec.len(), len);
}

#[test]
#[should_panic(expected = "at most 64 axes")]
fn fault_16_einsum_of_too_many_axes() {
    let rec = ComputationRecord::new();
    let x = rec.ones(&[1; 60], DType::F64);
    let _ = einsum("...,abcdefgh", &[x, rec.ones(&[1; 8], DType::F64)]);
}
