//! The linear layer: its names, its parameters, its step.

use crate::caught::panic_of;
use std::collections::{BTreeMap, HashMap};
use wengert::Kind;
use wengert::functions::{try_relu, try_sum};
use wengert::prelude::*;

const SEED: u64 = 5;

fn rows(rec: &ComputationRecord) -> Tensor<'_> {
    let elements = [1.0, 2.0, 3.0, -1.0, 0.5, 0.25];
    rec.tensor_from_value(
        NdArray::try_from_elements(&elements.map(|x: f32| x), &[2, 3]).unwrap(),
    )
}

#[test]
fn layers_are_named_by_order_of_creation_or_by_name() {
    let rec = ComputationRecord::new();
    let mut store = BTreeMap::new();
    let mut first = LinearLayer::new(&rec, 3, 4, &store);
    let mut hidden = LinearLayer::named(&rec, "hidden", 4, 4, &store).with_bias(&store);
    let mut second = LinearLayer::new(&rec, 4, 2, &store);
    let x = first.forward(&rows(&rec)).relu();
    let grad = sum(&second.forward(&hidden.forward(&x))).grad();
    for layer in [&mut first, &mut hidden, &mut second] {
        layer.optimize(&grad, &mut store);
    }
    let names = ["hidden.bias", "hidden.weight", "linear0.weight", "linear1.weight"];
    assert_eq!(store.keys().collect::<Vec<_>>(), names);
    let shapes: Vec<&[usize]> = store.values().map(NdArray::shape).collect();
    assert_eq!(shapes, [&[4][..], &[4, 4], &[3, 4], &[4, 2]]);
    assert!(store.values().all(|array| array.dtype() == DType::F32));
}

#[test]
fn new_weights_are_glorot_uniform_and_a_new_bias_is_zero() {
    let rec = ComputationRecord::with_rng(&Rng::new(SEED));
    let mut store = HashMap::new();
    let mut layer =
        LinearLayer::new(&rec, 30, 20, &store).with_bias(&store).with_rate(0.0);
    let x = rec.ones(&[1, 30], DType::F32);
    layer.optimize(layer.forward(&x).sum().grad(), &mut store);
    let weights = store["linear0.weight"].to_vec::<f32>();
    let bound = (6.0_f32 / 50.0).sqrt();
    let largest = weights.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
    assert!(largest <= bound && largest > 0.9 * bound, "Rng::new({SEED})");
    let mean: f32 = weights.iter().sum::<f32>() / weights.len() as f32;
    assert!(mean.abs() < 0.1 * bound, "Rng::new({SEED}): mean {mean}");
    assert_eq!(store["linear0.bias"].to_vec::<f32>(), [0.0; 20]);
}

#[test]
fn the_same_seed_gives_the_same_weights_in_the_order_of_the_calls() {
    let draw = || {
        let rng = Rng::new(SEED);
        let mut store = BTreeMap::new();
        let rec = ComputationRecord::with_rng(&rng);
        let mut a = LinearLayer::new(&rec, 3, 2, &store);
        let mut b = LinearLayer::new(&rec, 3, 2, &store);
        let loss = (a.forward(&rows(&rec)) + b.forward(&rows(&rec))).sum();
        let grad = loss.grad();
        a.optimize(&grad, &mut store);
        b.optimize(&grad, &mut store);
        store
    };
    let (first, second) = (draw(), draw());
    assert_eq!(first, second);
    assert_ne!(first["linear0.weight"], first["linear1.weight"]);
}

#[test]
fn parameters_come_from_the_store() {
    let rec = ComputationRecord::new();
    let weight =
        NdArray::try_from_elements(&[1.0_f32, 0.0, 0.0, 1.0, 1.0, 1.0], &[3, 2]);
    let mut store = HashMap::from([
        ("linear0.weight".to_owned(), weight.unwrap()),
        ("linear0.bias".to_owned(), NdArray::from_slice(&[10.0, 20.0])),
    ]);
    let mut layer =
        LinearLayer::new(&rec, 3, 2, &store).with_bias(&store).with_rate(0.5);
    let y = layer.forward(&rows(&rec));
    assert_eq!(y.data().to_vec::<f32>(), [14.0, 25.0, 9.25, 20.75]);
    layer.optimize(y.sum().grad(), &mut store);
    let step = |x: f32, column_sum: f32| x - 0.5 * column_sum;
    let wanted = [
        step(1.0, 0.0),
        step(0.0, 0.0),
        step(0.0, 2.5),
        step(1.0, 2.5),
        step(1.0, 3.25),
        step(1.0, 3.25),
    ];
    assert_eq!(store["linear0.weight"].to_vec::<f32>(), wanted);
    assert_eq!(store["linear0.bias"].to_vec::<f32>(), [9.0, 19.0]);
    // What the record read stays as it was read.
    assert_eq!(y.data().to_vec::<f32>()[0], 14.0);
}

#[test]
fn a_vector_is_a_row() {
    let rec = ComputationRecord::new();
    let layer = LinearLayer::new(&rec, 3, 2, &HashMap::new());
    assert_eq!(layer.forward(&rec.ones(&[3], DType::F32)).shape(), [2]);
    assert_eq!(layer.forward(&rec.ones(&[4, 5, 3], DType::F32)).shape(), [4, 5, 2]);
}

#[test]
fn descent_keeps_the_element_type_and_the_given_arrays() {
    let parameter = NdArray::from_elements(&[1.0_f64, 2.0]);
    let gradient = NdArray::from_elements(&[0.5_f64, -0.5]);
    let next = wengert::descend(&parameter, &gradient, 0.5).unwrap();
    assert_eq!(next.to_vec::<f64>(), [0.75, 2.25]);
    assert_eq!(parameter.to_vec::<f64>(), [1.0, 2.0]);
    let narrow = gradient.cast(DType::F32).unwrap();
    assert!(wengert::descend(&parameter, &narrow, 0.5).is_err());
    assert!(
        wengert::descend(&parameter, &NdArray::from_elements(&[1.0]), 0.5).is_err()
    );
}

#[test]
fn the_twins_of_a_layer_refuse_what_it_panics_at_and_change_nothing() {
    let (rec, other) = (ComputationRecord::new(), ComputationRecord::new());
    let misfit = NdArray::zeros(&[7], DType::F32).unwrap();
    let names = ["linear0.weight", "hidden.weight", "fits.bias"];
    let mut store: HashMap<String, NdArray> =
        names.into_iter().map(|name| (name.to_owned(), misfit.clone())).collect();
    let text = |name: &str, wanted: &str| {
        format!("LinearLayer: the array has shape (7,), {name} has {wanted}")
    };

    let error = LinearLayer::try_new(&rec, 3, 2, &store).unwrap_err();
    assert_eq!(error.to_string(), text(names[0], "(3, 2)"));
    assert_eq!(panic_of(|| LinearLayer::new(&rec, 3, 2, &store)).0, error.to_string());
    let error = LinearLayer::try_named(&rec, "hidden", 3, 2, &store).unwrap_err();
    assert_eq!(error.to_string(), text(names[1], "(3, 2)"));
    let named = || LinearLayer::named(&rec, "hidden", 3, 2, &store);
    assert_eq!(panic_of(named).0, error.to_string());
    assert!(rec.is_empty());
    let layer = || LinearLayer::try_named(&rec, "fits", 3, 2, &store).unwrap();
    let error = layer().try_with_bias(&store).unwrap_err();
    assert_eq!(error.to_string(), text(names[2], "(2,)"));
    assert_eq!(panic_of(|| layer().with_bias(&store)).0, error.to_string());

    // The number is still free.
    let mut layer = LinearLayer::try_new(&rec, 3, 2, &HashMap::new())
        .and_then(|layer| layer.try_with_bias(&HashMap::new()))
        .unwrap();
    let (len, wide) = (rec.len(), rec.ones(&[1, 4], DType::F32));
    let error = layer.try_forward(&wide).unwrap_err();
    assert_eq!(panic_of(|| layer.forward(&wide)).0, error.to_string());
    assert_eq!(rec.len(), len + 1);
    let foreign = try_sum(&other.ones(&[2], DType::F32)).unwrap().grad();
    let before = store.clone();
    let error = layer.try_optimize(&foreign, &mut store).unwrap_err();
    assert_eq!(error.kind(), Kind::Handle);
    assert_eq!(
        panic_of(|| layer.optimize(&foreign, &mut store.clone())).0,
        error.to_string()
    );
    assert_eq!(store, before);

    let x = rec.try_parameter("x", NdArray::from_slice(&[-1.0, 2.0])).unwrap();
    let y = try_sum(&try_relu(&x).unwrap()).unwrap();
    assert_eq!((y.shape(), y.item()), (vec![1], 2.0));
    layer.try_optimize(y.grad(), &mut store).unwrap();
    assert!(store.contains_key("linear0.bias") && store["linear0.weight"] != misfit);
}

#[test]
fn two_layers_learn_what_one_cannot() {
    let corners = NdArray::try_from_elements(
        &[0.0_f32, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0],
        &[4, 2],
    )
    .unwrap();
    let rng = Rng::new(SEED);
    let mut rec = ComputationRecord::with_rng(&rng);
    let mut store: HashMap<String, NdArray> = HashMap::new();
    let mut guesses = Vec::new();
    for _ in 0..2000 {
        let x = rec.constant(corners.clone());
        let labels = rec.constant(NdArray::from_elements(&[0_i64, 1, 1, 0]));
        let layer = |inputs, outputs| {
            LinearLayer::new(&rec, inputs, outputs, &store)
                .with_bias(&store)
                .with_rate(0.5)
        };
        let (mut hidden, mut output) = (layer(2, 8), layer(8, 2));
        let scores = output.forward(&hidden.forward(&x).tanh());
        guesses = scores.argmax(-1).data().to_vec::<i64>();
        let grad = scores.softmax_cross_entropy(&labels).mean().grad();
        hidden.optimize(&grad, &mut store);
        output.optimize(&grad, &mut store);
        rec.clear();
    }
    assert_eq!(guesses, [0, 1, 1, 0], "Rng::new({SEED})");
}
