//! What a gradient is: its values, its targets, higher orders, long and shared graphs.

use crate::differences::{array, assert_close};
use std::thread;
use wengert::prelude::*;

const RECORDED: GradOptions<'_, '_> =
    GradOptions { seed: None, wrt: None, record: true, ieee: false, consume: false };

fn bits(x: &NdArray) -> Vec<u64> {
    x.to_vec::<f64>().iter().map(|x| x.to_bits()).collect()
}

fn scalar(rec: &ComputationRecord, x: f64) -> Tensor<'_> {
    rec.tensor_from_value(array(&[], &[x]))
}

#[test]
fn a_shared_node_is_visited_once() {
    // Sixty diamonds: 2⁶⁰ paths. y = x^(2^60) overflows, so the factor keeps it at 1.
    let rec = ComputationRecord::new();
    let x = scalar(&rec, 1.0);
    let mut y = x;
    for _ in 0..60 {
        y = y * y;
    }
    assert_eq!(y.grad().wrt(&x).item(), 2.0_f64.powi(60));

    let x = rec.tensor_from_value(array(&[3], &[1.0; 3]));
    let mut y = x;
    for _ in 0..60 {
        y = y + y;
    }
    let gradient = y.sum().grad().wrt(&x).data().to_vec::<f64>();
    assert_eq!(gradient, [2.0_f64.powi(60); 3]);
}

/// Programs on three tensors of one shape.
type Program = for<'rec> fn([Tensor<'rec>; 3]) -> Tensor<'rec>;

/// The elements below the 200th.
const HEAD: Index = Index::Slice { start: None, stop: Some(200), step: 1 };

const PROGRAMS: [Program; 10] = [
    |[x, w, b]| (0..30).fold(x, |y, _| (y * w + b).tanh()).sum(),
    |[x, w, b]| (0..9).fold(x, |y, _| (y * 0.5 + w * y - b / 3.0).exp().log1p()).mean(),
    |[x, w, b]| (0..20).fold(x, |y, _| (y * y).sin() - y + w.maximum(b)).sum(),
    |[x, w, b]| {
        (0..5).fold(x + b, |y, _| (y + y).sin() * w + 2.0 * y.power(3.0).tanh()).sum()
    },
    // Other nodes in between, and other numbers of elements.
    |[x, w, b]| {
        let [p, q, r] = [x, w, b].map(|t| t.get(&[HEAD]));
        let y = (p * q).tanh() * r;
        (y.sum() * (x * w).tanh() + (x * b).cos() * x.sum()).sum() + y.exp().sum()
    },
    |[x, w, b]| ((x * w).tanh() * b.mean() + (x * w * b).cumsum(0).tanh() * x).sum(),
    // A cotangent that two nodes have, and one that nobody wants.
    |[x, w, b]| ((x + w) * (x - w) + (x + w)).tanh().sum() + (b + b).sum(),
    |[x, w, b]| (((x + w) * (x - w) + (x + w)).tanh() * b).tanh().sum(),
    |[x, w, _]| (x.stop_gradient() * w.tanh()).tanh().sum() + (w * x).exp().sum(),
    |[x, w, b]| (x / w * (b / x)).abs().sqrt().sum() + (x - 1.0).minimum(w).sum(),
];

#[test]
fn loops_that_are_put_off_give_the_bits_of_loops_at_once() {
    let bits = |x: NdArray| -> Vec<u64> {
        x.cast(DType::F64)
            .unwrap()
            .to_vec::<f64>()
            .iter()
            .map(|x| x.to_bits())
            .collect()
    };
    for (len, dtype) in [(300, DType::F32), (1500, DType::F64), (20_001, DType::F32)] {
        let start = |shift: f64| -> NdArray {
            let elements: Vec<f64> = (0..len)
                .map(|k| ((k as f64).mul_add(0.37, shift)).sin() * 0.9)
                .collect();
            array(&[len], &elements).cast(dtype).unwrap()
        };
        for (number, program) in PROGRAMS.iter().enumerate() {
            let gradients = |at_once: bool, all: bool| {
                let rec = ComputationRecord::new();
                // Each cotangent is looked at as soon as it is there.
                rec.check_finite(at_once);
                let leaves =
                    [0.1, 1.7, 2.9].map(|shift| rec.tensor_from_value(start(shift)));
                let mid = (leaves[0] * leaves[1]).tanh();
                let loss = program([mid, leaves[1], leaves[2]]);
                let targets = [leaves[0], leaves[1], leaves[2], mid];
                let asked = GradOptions {
                    wrt: all.then_some(&targets[..]),
                    ..GradOptions::default()
                };
                let grad = loss.grad_with(&asked);
                targets.map(|x| bits(grad.wrt(&x).data()))
            };
            for all in [false, true] {
                assert_eq!(
                    gradients(false, all),
                    gradients(true, all),
                    "program {number} of {len} {dtype}"
                );
            }
        }
    }
}

#[test]
fn loops_that_are_put_off_do_not_outlive_a_sweep_that_fails() {
    fn links<'rec>(y: Tensor<'rec>, x: Tensor<'rec>) -> Tensor<'rec> {
        (0..6).fold(y, |y, _| (y * y).tanh() + x).sum()
    }
    let elements: Vec<f64> = (0..5000).map(|k| f64::from(k) * 1e-4).collect();
    let start = array(&[5000], &elements);
    let gradient = |fails: bool| {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(start.clone());
        if fails {
            // A gradient has no gradient unless its sweep is recorded.
            let gradient = x.tanh().sum().grad().wrt(&x);
            let loss = links(x * gradient, x);
            let error = loss.try_grad(&GradOptions::default()).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains("gradient"), "{error}");
        }
        bits(&links(x, x).grad().wrt(&x).data())
    };
    assert_eq!(gradient(true), gradient(false));
}

#[test]
fn a_recorded_sweep_is_linear_in_the_record() {
    let nodes = |diamonds: i32| {
        let rec = ComputationRecord::new();
        let x = scalar(&rec, 1.0);
        let y = (0..diamonds).fold(x, |y, _| y * y);
        let before = rec.len();
        let gradient = y.grad_with(&RECORDED).wrt(&x);
        assert_eq!(gradient.item(), 2.0_f64.powi(diamonds));
        rec.len() - before
    };
    let (few, many) = (nodes(10), nodes(50));
    assert_eq!(many - nodes(40), nodes(20) - few);
}

/// Runs `f` on a thread with a small stack.
fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(256 << 10).spawn(f).unwrap().join().unwrap();
}

#[test]
fn a_long_chain_needs_no_stack() {
    const NODES: usize = 2_000_000;
    on_a_small_stack(|| {
        let mut rec = ComputationRecord::new();
        let x = scalar(&rec, 0.5);
        let mut y = x;
        for _ in 0..NODES / 2 {
            y = (y + 1.0) - 1.0;
        }
        assert_eq!(rec.len(), NODES + 1);
        assert_eq!(y.grad().wrt(&x).item(), 1.0);
        rec.clear();
        assert!(rec.is_empty());
    });
}

#[test]
fn a_long_chain_of_arrays_needs_no_stack() {
    on_a_small_stack(|| {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(array(&[2, 100], &[0.5; 200]));
        let mut y = x;
        for _ in 0..5_000 {
            y = (y.t() * 1.0).t();
        }
        let grad = y.sum().grad_with(&RECORDED);
        assert_eq!(grad.wrt(&x).data().to_vec::<f64>(), [1.0; 200]);
    });
}

/// A graph with sharing, broadcasting, a view and a reduction.
fn graph(rec: &ComputationRecord) -> (Vec<Tensor<'_>>, Tensor<'_>) {
    let x = rec.tensor_from_value(array(&[2, 3], &[0.1, -0.7, 1.3, 0.4, 0.9, -1.1]));
    let w = rec.tensor_from_value(array(&[3], &[0.3, -0.2, 0.8]));
    let inner = (x * w).tanh();
    let shared = inner + inner.sin() * 0.3;
    let loss = (shared.t().reshape(&[-1]) * inner.reshape(&[-1]))
        .logsumexp(&[0], false)
        + shared.square().mean();
    (vec![x, w, inner, shared], loss)
}

#[test]
fn the_same_gradient_twice_has_the_same_bits() {
    let rec = ComputationRecord::new();
    let (tensors, loss) = graph(&rec);
    let (first, second) = (loss.grad(), loss.grad());
    for x in &tensors {
        assert_eq!(bits(&first.wrt(x).data()), bits(&second.wrt(x).data()));
    }
}

#[test]
fn a_restricted_sweep_gives_the_same_bits() {
    let rec = ComputationRecord::new();
    let (tensors, loss) = graph(&rec);
    let all = GradOptions { wrt: Some(&tensors), ..GradOptions::default() };
    let all = loss.grad_with(&all);
    for x in &tensors {
        let alone = GradOptions { wrt: Some(&[*x]), ..GradOptions::default() };
        let alone = bits(&loss.grad_with(&alone).wrt(x).data());
        assert_eq!(alone, bits(&all.wrt(x).data()));
        assert_eq!(alone, bits(&loss.grad().wrt(x).data()));
    }
    let together = loss.grad().wrt_all(&tensors);
    for (x, found) in tensors.iter().zip(&together) {
        assert_eq!(bits(&found.data()), bits(&all.wrt(x).data()));
    }
}

#[test]
fn the_order_of_requests_does_not_change_the_bits() {
    let rec = ComputationRecord::new();
    let (tensors, loss) = graph(&rec);
    let grad = loss.grad();
    let backwards: Vec<_> =
        tensors.iter().rev().map(|x| bits(&grad.wrt(x).data())).collect();
    let grad = loss.grad();
    let forwards: Vec<_> = tensors.iter().map(|x| bits(&grad.wrt(x).data())).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
}

#[test]
fn wrt_twice_gives_the_same_tensor() {
    let rec = ComputationRecord::new();
    let (tensors, loss) = graph(&rec);
    for options in [GradOptions::default(), RECORDED] {
        let grad = loss.grad_with(&options);
        for x in &tensors {
            let (first, len) = (grad.wrt(x), rec.len());
            assert_eq!(grad.wrt(x).index(), first.index());
            assert_eq!(rec.len(), len, "nothing more is recorded");
        }
    }
    let twice = loss.grad().wrt_all(&[tensors[0], tensors[0]]);
    assert_eq!(twice[0].index(), twice[1].index());
    assert!(loss.grad().wrt_all(&[]).is_empty());
}

#[test]
fn the_loss_has_a_gradient_of_its_own() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[1], &[3.0]));
    let loss = x.square();
    assert_eq!(loss.grad().wrt(&loss).data().to_vec::<f64>(), [1.0]);
    assert_eq!(x.grad().wrt(&x).data().to_vec::<f64>(), [1.0]);
    let targets = [x, loss];
    let options = GradOptions { wrt: Some(&targets), ..RECORDED };
    let found = loss.grad_with(&options).wrt_all(&targets);
    assert_eq!(found.iter().map(Tensor::item).collect::<Vec<_>>(), [6.0, 1.0]);
}

#[test]
fn what_is_not_connected_has_a_gradient_of_zeros() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[2], &[1.0, 2.0]));
    let other = rec.tensor_from_value(array(&[3], &[1.0; 3]));
    let constant = rec.constant(array(&[2], &[5.0, 5.0]));
    let loss = (x * constant + x.stop_gradient()).sum();
    let later = x.exp();
    for options in [GradOptions::default(), RECORDED] {
        let grad = loss.grad_with(&options);
        assert!(grad.connected(&x) && grad.connected(&loss));
        for unconnected in [&other, &later] {
            assert!(!grad.connected(unconnected));
            let zeros = grad.wrt(unconnected);
            assert_eq!(zeros.shape(), unconnected.shape());
            assert!(zeros.data().to_vec::<f64>().iter().all(|&g| g == 0.0));
        }
        assert_eq!(grad.wrt(&x).data().to_vec::<f64>(), [5.0, 5.0]);
        // A constant is no leaf, but its gradient can be asked for.
        assert!(grad.connected(&constant));
        assert_eq!(grad.wrt(&constant).data().to_vec::<f64>(), [1.0, 2.0]);
    }
}

#[test]
fn a_loss_without_leaves_has_no_gradients() {
    let rec = ComputationRecord::new();
    let c = rec.constant(array(&[], &[2.0]));
    let x = scalar(&rec, 1.0);
    let loss = c.exp();
    let grad = loss.grad();
    assert!(!grad.connected(&x));
    assert_eq!(grad.wrt(&x).item(), 0.0);
    assert_eq!(grad.wrt(&c).item(), loss.item());
}

#[test]
fn a_seed_is_the_cotangent_of_the_result() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[3], &[1.0, 2.0, 3.0]));
    let y = x.square();
    let seed = array(&[3], &[1.0, 0.0, -2.0]);
    for record in [false, true] {
        let options =
            GradOptions { seed: Some(&seed), record, ..GradOptions::default() };
        let gradient = y.grad_with(&options).wrt(&x).data();
        assert_eq!(gradient.to_vec::<f64>(), [2.0, 0.0, -12.0]);
    }
    // It takes the type of the result.
    let seed = NdArray::from_elements(&[1_i64, 1, 1]);
    let options = GradOptions { seed: Some(&seed), ..GradOptions::default() };
    assert_eq!(y.grad_with(&options).wrt(&x).data().to_vec::<f64>(), [2.0, 4.0, 6.0]);
    // A result of one element needs none, whatever its shape.
    let single = x.sum().reshape(&[1, 1]);
    assert_eq!(single.grad().wrt(&x).data().to_vec::<f64>(), [1.0; 3]);
    assert_eq!(seed.to_vec::<i64>(), [1, 1, 1]);
}

#[test]
fn chosen_targets_are_found_and_no_others() {
    let rec = ComputationRecord::new();
    let (tensors, loss) = graph(&rec);
    let [x, w, inner, _] = tensors[..] else { unreachable!() };
    let chosen = [inner, w];
    let options = GradOptions { wrt: Some(&chosen), ..GradOptions::default() };
    let grad = loss.grad_with(&options);
    assert_eq!(bits(&grad.wrt(&w).data()), bits(&loss.grad().wrt(&w).data()));
    assert_eq!(bits(&grad.wrt(&inner).data()), bits(&loss.grad().wrt(&inner).data()));
    let error = grad.try_wrt(&x).unwrap_err();
    assert_eq!(error.kind(), wengert::Kind::Gradient);
    assert!(error.to_string().starts_with("wrt: #0 tensor was not among"), "{error}");
}

/// The first three derivatives of `f` at `x`, by recorded gradients.
fn three_orders(
    f: impl for<'rec> Fn(Tensor<'rec>) -> Tensor<'rec>,
    x: f64,
) -> [f64; 3] {
    let rec = ComputationRecord::new();
    let x = scalar(&rec, x);
    let first = f(x).grad_with(&RECORDED).wrt(&x);
    let second = first.grad_with(&RECORDED).wrt(&x);
    let third = second.grad_with(&RECORDED).wrt(&x);
    [first.item(), second.item(), third.item()]
}

#[test]
fn recorded_gradients_give_three_orders() {
    const X: f64 = 0.7;
    let close = |what, found: [f64; 3], wanted: [f64; 3]| {
        assert_close(what, &found, &wanted, 1e-13);
    };
    let powers = [5.0 * X.powi(4), 20.0 * X.powi(3), 60.0 * X.powi(2)];
    close("x^5", three_orders(|x| x.power(5), X), powers);
    close("x^5 by products", three_orders(|x| x * x * x * x * x, X), powers);
    close("x^5 by squares", three_orders(|x| x.square().square() * x, X), powers);
    close("sin", three_orders(|x| x.sin(), X), [X.cos(), -X.sin(), -X.cos()]);
    close("cos", three_orders(|x| x.cos(), X), [-X.sin(), -X.cos(), X.sin()]);
    close("exp", three_orders(|x| x.exp(), X), [X.exp(); 3]);
    let log = [1.0 / X, -1.0 / X.powi(2), 2.0 / X.powi(3)];
    close("log", three_orders(|x| x.log(), X), log);
    let inverse = [-1.0 / X.powi(2), 2.0 / X.powi(3), -6.0 / X.powi(4)];
    close("1/x", three_orders(|x| 1.0 / x, X), inverse);
    let root = [0.5 / X.sqrt(), -0.25 * X.powf(-1.5), 0.375 * X.powf(-2.5)];
    close("sqrt", three_orders(|x| x.sqrt(), X), root);
    let t = X.tanh();
    let s = 1.0 - t * t;
    let tanh = [s, -2.0 * t * s, s * (6.0 * t * t - 2.0)];
    close("tanh", three_orders(|x| x.tanh(), X), tanh);
    let s = 1.0 / (1.0 + (-X).exp());
    let first = s * (1.0 - s);
    let sigmoid = [first, first * (1.0 - 2.0 * s), first * (1.0 - 6.0 * first)];
    close("sigmoid", three_orders(|x| x.sigmoid(), X), sigmoid);
    close("softplus", three_orders(|x| x.softplus(), X), [s, sigmoid[0], sigmoid[1]]);
    let product = [
        X.exp() * (X.sin() + X.cos()),
        2.0 * X.exp() * X.cos(),
        2.0 * X.exp() * (X.cos() - X.sin()),
    ];
    close("exp · sin", three_orders(|x| x.exp() * x.sin(), X), product);
}

#[test]
fn recorded_gradients_of_arrays_give_three_orders() {
    let rec = ComputationRecord::new();
    let values = [0.5, -1.5, 2.0, 0.25, 1.0, -0.75];
    let x = rec.tensor_from_value(array(&[2, 3], &values));
    let by = |power: i32, factor: f64| values.map(|x| factor * x.powi(power)).to_vec();
    let mut y = (x.t() * x.t().power(4)).sum();
    for wanted in [by(4, 5.0), by(3, 20.0), by(2, 60.0)] {
        let gradient = y.grad_with(&RECORDED).wrt(&x);
        assert_close("x^5", &gradient.data().to_vec::<f64>(), &wanted, 1e-13);
        y = gradient.sum();
    }
}

#[test]
fn mixed_derivatives_do_not_depend_on_the_order() {
    let rec = ComputationRecord::new();
    let (x, y) = (scalar(&rec, 0.7), scalar(&rec, 1.3));
    let z = (x * y).sin() + x.power(3) * y.square();
    let first = z.grad_with(&RECORDED);
    let xy = first.wrt(&x).grad().wrt(&y).item();
    let yx = first.wrt(&y).grad().wrt(&x).item();
    let (a, b) = (0.7_f64, 1.3_f64);
    let wanted = (a * b).cos() - a * b * (a * b).sin() + 6.0 * a * a * b;
    assert_close("xy, yx", &[xy, yx], &[wanted, wanted], 1e-13);
}

#[test]
fn a_gradient_may_be_part_of_a_loss() {
    // A penalty on the gradient of x³: the loss is (3x²)², its derivative 36x³.
    let rec = ComputationRecord::new();
    let x = scalar(&rec, 2.0);
    let slope = x.power(3).grad_with(&RECORDED).wrt(&x);
    assert_eq!(slope.square().grad().wrt(&x).item(), 36.0 * 8.0);
}

#[test]
fn a_product_of_hessian_and_vector() {
    // f = xᵀAx/2 with a symmetric A has the Hessian A.
    let rec = ComputationRecord::new();
    let a = rec.constant(array(&[2, 2], &[2.0, -1.0, -1.0, 3.0]));
    let x = rec.tensor_from_value(array(&[2], &[0.3, 0.4]));
    let v = rec.constant(array(&[2], &[5.0, 7.0]));
    let f = x.matmul(&a).matmul(&x) * 0.5;
    let gradient = f.grad_with(&RECORDED).wrt(&x);
    let product = gradient.matmul(&v).grad().wrt(&x).data().to_vec::<f64>();
    assert_close("Av", &product, &[3.0, 16.0], 1e-14);
}

#[test]
fn a_stopped_gradient_is_a_constant() {
    let rec = ComputationRecord::new();
    let x = scalar(&rec, 3.0);
    let y = x * x.stop_gradient();
    assert_eq!(y.grad().wrt(&x).item(), 3.0);
    let slope = x.square().grad().wrt(&x);
    assert_eq!((x * slope.stop_gradient()).grad().wrt(&x).item(), 6.0);
}

#[test]
fn a_zero_cotangent_contributes_zero_whatever_the_slope() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[3], &[0.0, 2.0, -1.0]));
    let y = x.greater(0.0).choose(x.log(), 0.0).sum();
    for record in [false, true] {
        let strong = GradOptions { record, ..GradOptions::default() };
        let gradient = y.grad_with(&strong).wrt(&x).data();
        assert_eq!(gradient.to_vec::<f64>(), [0.0, 0.5, 0.0]);
        let ieee = GradOptions { ieee: true, ..strong };
        let gradient = y.grad_with(&ieee).wrt(&x).data().to_vec::<f64>();
        assert!(gradient[0].is_nan());
        assert_eq!(gradient[1], 0.5);
    }
}

#[test]
fn a_zero_cotangent_of_a_scalar_contributes_zero_whatever_the_slope() {
    for at in [0.0, -1.0] {
        let rec = ComputationRecord::new();
        let x = scalar(&rec, at);
        let y = x.greater(0.0).choose(x.log() + x.sqrt(), 0.0);
        for record in [false, true] {
            let options = GradOptions { record, ..GradOptions::default() };
            assert_eq!(y.grad_with(&options).wrt(&x).item(), 0.0);
            let ieee = GradOptions { ieee: true, ..options };
            assert!(y.grad_with(&ieee).wrt(&x).item().is_nan());
        }
    }
}

#[test]
fn a_second_derivative_past_an_infinite_slope_is_finite() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[2], &[0.0, 2.0]));
    let y = x.greater(0.0).choose(x.log(), 0.0).sum();
    let slope = y.grad_with(&RECORDED).wrt(&x);
    let second = slope.sum().grad().wrt(&x).data().to_vec::<f64>();
    assert_eq!(second, [0.0, -0.25]);
}

#[test]
fn kinks_and_ties_have_the_promised_gradients() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[3], &[-2.0, 0.0, 3.0]));
    let of = |y: Tensor<'_>| y.sum().grad().wrt(&x).data().to_vec::<f64>();
    assert_eq!(of(x.relu()), [0.0, 0.0, 1.0]);
    assert_eq!(of(x.abs()), [-1.0, 0.0, 1.0]);
    assert_eq!(of(x.maximum(0.0)), [0.0, 0.5, 1.0]);
    assert_eq!(of(x.minimum(0.0)), [1.0, 0.5, 0.0]);
    assert_eq!(of(x.leaky_relu(0.25)), [0.25, 0.25, 1.0]);
    assert_eq!(of(x.power(0.0)), [0.0; 3]);
    assert_eq!(of(x.maximum(x)), [1.0; 3]);

    let ties = rec.tensor_from_value(array(&[2, 3], &[5.0, 1.0, 5.0, 2.0, 2.0, 2.0]));
    let of = |y: Tensor<'_>| y.sum().grad().wrt(&ties).data().to_vec::<f64>();
    assert_eq!(of(ties.max()), [0.5, 0.0, 0.5, 0.0, 0.0, 0.0]);
    let third = 1.0 / 3.0;
    assert_eq!(of(ties.max_axes(&[1], false)), [0.5, 0.0, 0.5, third, third, third]);
}

#[test]
fn repeated_indices_add_up() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[3], &[1.0, 2.0, 3.0]));
    let rows = rec.constant(NdArray::from_elements(&[2_i64, 0, 2, -1]));
    let weights = rec.constant(array(&[4], &[1.0, 10.0, 100.0, 1000.0]));
    let loss = (x.take(&rows) * weights).sum();
    assert_eq!(loss.grad().wrt(&x).data().to_vec::<f64>(), [10.0, 0.0, 1101.0]);
}

#[test]
fn a_gradient_outlives_no_record_but_its_arrays_do() {
    let mut rec = ComputationRecord::new();
    let gradient = {
        let x = rec.tensor_from_value(array(&[2], &[1.0, 2.0]));
        x.square().sum().grad().wrt(&x).data()
    };
    rec.clear();
    assert_eq!(gradient.to_vec::<f64>(), [2.0, 4.0]);
}
