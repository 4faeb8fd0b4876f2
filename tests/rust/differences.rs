//! Gradients checked against differences of values.

use wengert::prelude::*;

/// What the checks differentiate: tensors of one record to a tensor of any shape.
pub(crate) type Function = dyn for<'rec> Fn(&[Tensor<'rec>]) -> Tensor<'rec>;

/// Step of the differences: the errors of rounding and of truncation are both about 1e-12.
const STEP: f64 = 1e-3;
const TOLERANCE: f64 = 1e-8;

/// An `f64` array of these elements in C order.
#[track_caller]
pub(crate) fn array(shape: &[usize], elements: &[f64]) -> NdArray {
    NdArray::try_from_elements(elements, shape).unwrap()
}

/// Different numbers between `low` and `high`, in an order that `rng` chooses. Arrays
/// with different `part`s share no number: no op is near a tie of two operands.
#[track_caller]
pub(crate) fn spread(
    rng: &Rng,
    shape: &[usize],
    (low, high): (f64, f64),
    part: usize,
) -> NdArray {
    let order = rng.permutation(shape.iter().product());
    let offset = [0.13, 0.41, 0.67][part];
    let step = (high - low) / order.len() as f64;
    let elements: Vec<f64> =
        order.iter().map(|&k| low + step * (k as f64 + offset)).collect();
    array(shape, &elements)
}

/// Fails unless the arrays agree to within `tolerance`, absolute or relative.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len(), "{what}: lengths");
    for (k, (&x, &y)) in found.iter().zip(wanted).enumerate() {
        let close = (x - y).abs() <= tolerance * y.abs().max(1.0);
        assert!(close, "{what}: element {k}: {x} found, {y} wanted");
    }
}

/// Weights of a tensor's elements: none is zero, no two are equal.
fn weights(shape: &[usize]) -> NdArray {
    let len: usize = shape.iter().product();
    let weight =
        |k: usize| if k.is_multiple_of(2) { 0.3 } else { -0.4 } + 0.07 * k as f64;
    array(shape, &(0..len).map(weight).collect::<Vec<f64>>())
}

fn dot(a: &NdArray, b: &NdArray) -> f64 {
    a.as_array::<f64>().iter().zip(&b.as_array::<f64>()).map(|(a, b)| a * b).sum()
}

/// `weights · f(inputs)`.
fn value(f: &Function, inputs: &[NdArray]) -> f64 {
    let rec = ComputationRecord::new();
    let leaves: Vec<_> = inputs.iter().map(|x| rec.constant(x.clone())).collect();
    let y = f(&leaves).data();
    dot(&y, &weights(y.shape()))
}

/// The gradient of `value` in each input.
fn gradient(f: &Function, inputs: &[NdArray]) -> Vec<NdArray> {
    let rec = ComputationRecord::new();
    let leaves: Vec<_> =
        inputs.iter().map(|x| rec.tensor_from_value(x.clone())).collect();
    let y = f(&leaves);
    let seed = weights(&y.shape());
    let grad =
        y.grad_with(&GradOptions { seed: Some(&seed), ..GradOptions::default() });
    leaves.iter().map(|x| grad.wrt(x).data()).collect()
}

/// `weights · gradient`, over all inputs.
fn slope(f: &Function, inputs: &[NdArray]) -> f64 {
    gradient(f, inputs).iter().map(|g| dot(g, &weights(g.shape()))).sum()
}

/// Five-point differences of `f` along each element of each input.
fn differences(inputs: &[NdArray], f: impl Fn(&[NdArray]) -> f64) -> Vec<Vec<f64>> {
    let mut inputs = inputs.to_vec();
    let mut all = Vec::new();
    for k in 0..inputs.len() {
        let mut along = Vec::new();
        for i in 0..inputs[k].len() {
            let x = inputs[k].to_vec::<f64>()[i];
            let mut at = |steps: f64| {
                inputs[k].as_mut_slice::<f64>()[i] = x + steps * STEP;
                f(&inputs)
            };
            let near = at(1.0) - at(-1.0);
            let far = at(2.0) - at(-2.0);
            at(0.0);
            along.push((8.0 * near - far) / (12.0 * STEP));
        }
        all.push(along);
    }
    all
}

/// Checks the gradient of `f`, the gradient as recorded, and the second derivative.
#[track_caller]
pub(crate) fn check(what: &str, inputs: &[NdArray], f: &Function) {
    let first = gradient(f, inputs);
    let wanted = differences(inputs, |inputs| value(f, inputs));
    for (k, (found, wanted)) in first.iter().zip(&wanted).enumerate() {
        assert_eq!(found.shape(), inputs[k].shape(), "{what}: shape of gradient {k}");
        let what = format!("{what}: gradient {k}");
        assert_close(&what, &found.to_vec::<f64>(), wanted, TOLERANCE);
    }

    let rec = ComputationRecord::new();
    let leaves: Vec<_> =
        inputs.iter().map(|x| rec.tensor_from_value(x.clone())).collect();
    let y = f(&leaves);
    let seed = weights(&y.shape());
    let options =
        GradOptions { seed: Some(&seed), record: true, ..GradOptions::default() };
    let recorded = y.grad_with(&options).wrt_all(&leaves);
    for (k, (found, wanted)) in recorded.iter().zip(&first).enumerate() {
        let what = format!("{what}: recorded gradient {k}");
        let found = found.data().to_vec::<f64>();
        assert_close(&what, &found, &wanted.to_vec::<f64>(), 1e-12);
    }

    let weighted = recorded.iter().map(|g| g * rec.constant(weights(&g.shape())));
    let total = weighted.map(|g| g.sum()).reduce(|a, b| a + b);
    let second = total.expect("at least one input").grad();
    let wanted = differences(inputs, |inputs| slope(f, inputs));
    for (k, (leaf, wanted)) in leaves.iter().zip(&wanted).enumerate() {
        let what = format!("{what}: second derivative {k}");
        let found = second.wrt(leaf).data().to_vec::<f64>();
        assert_close(&what, &found, wanted, TOLERANCE);
    }
}

/// Checks the gradient of `f` at `f32` inputs against the one at `f64` inputs.
#[track_caller]
pub(crate) fn check_f32(what: &str, inputs: &[NdArray], f: &Function) {
    let rec = ComputationRecord::new();
    let leaf = |x: &NdArray| rec.tensor_from_value(x.cast(DType::F32).unwrap());
    let leaves: Vec<_> = inputs.iter().map(leaf).collect();
    let y = f(&leaves);
    let seed = weights(&y.shape());
    let grad =
        y.grad_with(&GradOptions { seed: Some(&seed), ..GradOptions::default() });
    for (leaf, wanted) in leaves.iter().zip(gradient(f, inputs)) {
        let found = grad.wrt(leaf).data();
        assert_eq!(found.dtype(), DType::F32, "{what}: type of the gradient");
        let found = found.cast(DType::F64).unwrap().to_vec::<f64>();
        assert_close(&format!("{what}: f32"), &found, &wanted.to_vec::<f64>(), 2e-5);
    }
}
