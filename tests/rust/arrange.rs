//! Methods that rearrange elements.

use wengert::prelude::*;

fn floats(t: Tensor<'_>) -> Vec<f64> {
    t.data().to_vec::<f64>()
}

#[test]
fn order_and_repetition() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(NdArray::from_elements(&[1.0, 2.0, 3.0]));
    assert_eq!(floats(x.flip(&[0])), [3.0, 2.0, 1.0]);
    assert_eq!(floats(x.roll(1, 0)), [3.0, 1.0, 2.0]);
    assert_eq!(floats(x.tile(&[2])), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    assert_eq!(floats(x.repeat(&[0, 1, 2], 0)), [2.0, 3.0, 3.0]);
    assert_eq!(floats(x.pad(&[(1, 0)], 7.0)), [7.0, 1.0, 2.0, 3.0]);
    assert_eq!(floats(x.pad_edge(&[(1, 1)])), [1.0, 1.0, 2.0, 3.0, 3.0]);
    assert_eq!(floats(x.pad_reflect(&[(2, 0)])), [3.0, 2.0, 1.0, 2.0, 3.0]);
    assert_eq!(floats(x.pad_wrap(&[(1, 1)])), [3.0, 1.0, 2.0, 3.0, 1.0]);
    let matrix = x.diag(0);
    assert_eq!(matrix.shape(), [3, 3]);
    assert_eq!(floats(matrix.diagonal(0, 0, 1)), [1.0, 2.0, 3.0]);
    assert_eq!(floats(matrix.tril(-1).sum() + matrix.triu(0).sum()), [6.0]);
    assert_eq!(x.atleast(3).shape(), [1, 3, 1]);
    assert_eq!(x.atleast(3).moveaxis(&[0], &[2]).shape(), [3, 1, 1]);
    let parts = x.split(&[1], 0);
    assert_eq!(floats(parts[1]), [2.0, 3.0]);
    assert_eq!(floats(parts[1].sum().grad().wrt(&x)), [0.0, 1.0, 1.0]);
}

#[test]
fn places_and_masks() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(NdArray::from_elements(&[1.0, 2.0, 3.0]));
    let places = rec.constant(NdArray::from_elements(&[2_i64, 2]));
    assert_eq!(floats(x.take_along_axis(&places, 0)), [3.0, 3.0]);
    assert_eq!(floats(x.gather(&places, 0)), [3.0, 3.0]);
    assert_eq!(floats(x.take_axis(&places, 0)), [3.0, 3.0]);
    let ones = rec.constant(NdArray::from_elements(&[1.0, 1.0]));
    assert_eq!(floats(x.scatter_add(&places, &ones, 0)), [1.0, 2.0, 5.0]);
    let pair = rec.tensor_from_value(NdArray::from_elements(&[7.0, 8.0]));
    for y in [x.put_along_axis(&places, pair, 0), x.scatter(&places, pair, 0)] {
        assert_eq!(floats(y), [1.0, 2.0, 8.0]);
        assert_eq!(floats(y.sum().grad().wrt(&x)), [1.0, 1.0, 0.0]);
        assert_eq!(floats(y.sum().grad().wrt(&pair)), [0.0, 1.0]);
    }
    assert_eq!(floats(x.scatter(&places, 0, 0)), [1.0, 2.0, 0.0]);
    let classes = places.one_hot(3, DType::F64);
    assert_eq!(floats(classes), [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    let mask = NdArray::from_elements(&[true, false, true]);
    assert_eq!(floats(x.get(&[Index::Array(mask)])), [1.0, 3.0]);
    let short = NdArray::from_elements(&[true]);
    let error = x.try_get(&[Index::Array(short)]).unwrap_err().to_string();
    assert!(error.starts_with("index: a mask of shape (1,) does not fit"), "{error}");
}
