//! Reductions beyond sums and maxima, running sums and order, as methods.

use wengert::prelude::*;

#[test]
fn reductions() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(NdArray::from_elements(&[3.0, -4.0, 0.0]));
    assert_eq!(x.min().item(), -4.0);
    assert_eq!(x.prod().item(), 0.0);
    assert_eq!(x.prod().grad().wrt(&x).data().to_vec::<f64>(), [0.0, 0.0, -12.0]);
    assert_eq!(x.norm(2.0).item(), 5.0);
    assert_eq!(x.norm(1.0).item(), 7.0);
    assert_eq!(x.norm(f64::INFINITY).item(), 4.0);
    assert_eq!(x.norm(0.0).item(), 2.0);
    assert_eq!(x.median().item(), 0.0);
    assert_eq!(x.count_nonzero().item(), 2.0);
    assert_eq!(x.any().data().to_vec::<bool>(), [true]);
    assert_eq!(x.all().data().to_vec::<bool>(), [false]);
    let pair = rec.tensor_from_value(NdArray::from_elements(&[1.0, 3.0]));
    assert_eq!(pair.var(1.0).item(), 2.0);
    assert_eq!(pair.std(0.0).item(), 1.0);
    assert_eq!(pair.min_axes(&[0], true).shape(), [1]);
    assert_eq!(pair.var_axes(0.0, &[0], false).item(), 1.0);
}

#[test]
fn running_sums_and_order() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(NdArray::from_elements(&[3.0, 1.0, 2.0]));
    assert_eq!(x.cumsum(0).data().to_vec::<f64>(), [3.0, 4.0, 6.0]);
    assert_eq!(x.cumprod(0).data().to_vec::<f64>(), [3.0, 3.0, 6.0]);
    let total = x.logcumsumexp(0).sum() - x.logsumexp(&[0], false);
    assert!(total.item() > 6.0);
    assert_eq!(x.sort(0).data().to_vec::<f64>(), [1.0, 2.0, 3.0]);
    assert_eq!(x.argsort(0).data().to_vec::<i64>(), [1, 2, 0]);
    assert_eq!(x.argmin(0).data().to_vec::<i64>(), [1]);
    let (values, places) = x.topk(2, -1);
    assert_eq!(values.data().to_vec::<f64>(), [3.0, 2.0]);
    assert_eq!(places.data().to_vec::<i64>(), [0, 2]);
    let gradient = values.sum().grad().wrt(&x).data();
    assert_eq!(gradient.to_vec::<f64>(), [1.0, 0.0, 1.0]);
    let error = x.try_topk(4, 0).unwrap_err().to_string();
    assert!(error.starts_with("topk: 4 elements asked for, there are 3"), "{error}");
    let counts = rec.constant(NdArray::from_elements(&[1_i64, 1]));
    assert_eq!(counts.bincount(3).data().to_vec::<i64>(), [0, 2, 0]);
    assert_eq!(counts.unique().data().to_vec::<i64>(), [1]);
    let low = rec.constant(NdArray::from_elements(&[-1_i64]));
    assert!(low.try_bincount(0).is_err());
}
