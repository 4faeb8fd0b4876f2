//! What layers of networks compute, as methods.

use wengert::prelude::*;
use wengert::{Convolution, Kind, Margins, Pooling};

fn array(elements: &[f64], shape: &[usize]) -> NdArray {
    NdArray::try_from_elements(elements, shape).unwrap()
}

#[test]
fn normalisation() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[1.0, 3.0, 2.0, 8.0], &[2, 2]));
    let two = rec.tensor_from_value(array(&[2.0, 2.0], &[2]));
    let y = x.layer_norm(Some(&two), Some(&two), &[-1], 0.0);
    assert_eq!(y.data().to_vec::<f64>(), [0.0, 4.0, 0.0, 4.0]);
    let flat = rec.tensor_from_value(array(&[1.0, 7.0], &[2]));
    assert_eq!(flat.rms_norm(None, &[0], 0.0).data().to_vec::<f64>(), [0.2, 1.4]);
    let [y, mean, var] = x.batch_norm([None, None], None, None, 1, 0.0);
    assert_eq!(y.data().to_vec::<f64>(), [-1.0, -1.0, 1.0, 1.0]);
    assert_eq!(mean.data().to_vec::<f64>(), [1.5, 5.5]);
    assert_eq!(var.data().to_vec::<f64>(), [0.25, 6.25]);
    let error = x.try_layer_norm(Some(&x), None, &[-1], 0.0).unwrap_err();
    assert_eq!(error.kind(), Kind::Shape);
}

#[test]
fn embedding_dropout_and_attention() {
    let rec = ComputationRecord::with_rng(&Rng::new(7));
    let table = rec.tensor_from_value(array(&[1.0, 2.0, 3.0, 4.0], &[2, 2]));
    let ids = rec.constant(NdArray::from_elements::<i64>(&[1, 1]));
    let rows = table.embedding(&ids);
    assert_eq!(rows.data().to_vec::<f64>(), [3.0, 4.0, 3.0, 4.0]);
    let grad = rows.sum().grad();
    assert_eq!(grad.wrt(&table).data().to_vec::<f64>(), [0.0, 0.0, 2.0, 2.0]);
    let negative = rec.constant(NdArray::from_elements::<i64>(&[-1]));
    let error = table.try_embedding(&negative).unwrap_err();
    assert_eq!(error.kind(), Kind::OutOfRange);
    let dropped = table.dropout(0.5).data().to_vec::<f64>();
    let other = ComputationRecord::with_rng(&Rng::new(7));
    let again = other.tensor_from_value(table.data()).dropout(0.5);
    assert_eq!(again.data().to_vec::<f64>(), dropped);
    assert_eq!(table.try_dropout(-0.5).unwrap_err().kind(), Kind::Value);
    let y = table.scaled_dot_product_attention(&table, &table, None, true, Some(1.0));
    assert_eq!(y.data().to_vec::<f64>()[..2], [1.0, 2.0]);
}

#[test]
fn convolutions_and_poolings() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[1.0, 2.0, 3.0, 4.0], &[1, 1, 4]));
    let weight = rec.tensor_from_value(array(&[1.0, -1.0], &[1, 1, 2]));
    let by = Convolution { padding: Margins::Same, ..Convolution::default() };
    let y = x.conv1d(&weight, None, &by);
    assert_eq!(y.data().to_vec::<f64>(), [-1.0, -1.0, -1.0, 4.0]);
    assert_eq!(y.sum().grad().wrt(&weight).data().to_vec::<f64>(), [10.0, 9.0]);
    let plain = Convolution::default();
    let back = x.conv_transpose1d(&weight, None, &plain);
    assert_eq!(back.data().to_vec::<f64>(), [1.0, 1.0, 1.0, 1.0, -4.0]);
    let images = rec.ones(&[1, 2, 3, 3], DType::F32);
    let kernel = rec.ones(&[4, 2, 2, 2], DType::F32);
    let bias = rec.ones(&[4], DType::F32);
    let y = images.conv2d(&kernel, Some(&bias), &plain);
    assert_eq!((y.shape(), y.data().to_vec::<f32>()[0]), (vec![1, 4, 2, 2], 9.0));
    let by = Pooling { window: vec![2], ..Pooling::default() };
    assert_eq!(x.max_pool1d(&by).data().to_vec::<f64>(), [2.0, 4.0]);
    assert_eq!(x.avg_pool1d(&by).data().to_vec::<f64>(), [1.5, 3.5]);
    let by = Pooling { window: vec![3], stride: vec![1], ..by };
    assert_eq!(x.max_pool1d(&by).data().to_vec::<f64>(), [3.0, 4.0]);
    let error = images.try_max_pool1d(&by).unwrap_err();
    assert_eq!(error.kind(), Kind::Shape);
}
