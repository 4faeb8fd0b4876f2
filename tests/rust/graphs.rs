//! Random graphs: sharing, views, reused buffers and every kind of op together.

use crate::differences::spread;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use wengert::prelude::*;
use wengert::{Rng, concatenate, stack};

/// An op on earlier nodes, all of them square matrices of one size.
#[derive(Clone, Debug)]
struct Step {
    op: usize,
    a: usize,
    b: usize,
}

const OPS: [for<'rec> fn(Tensor<'rec>, Tensor<'rec>) -> Tensor<'rec>; 23] = [
    |a, b| a + b,
    |a, b| a - b,
    |a, b| a * b,
    |a, b| a / (b.square() + 1.0),
    |a, _| a.sin(),
    |a, _| a.tanh() * 2.0,
    |a, _| a.sigmoid(),
    |a, _| 1.0 - a,
    |a, _| a.t(),
    |a, _| a.get(&[Index::Ellipsis, REVERSED]),
    |a, b| a.get(&[REVERSED]) * b.t(),
    |a, b| (a * 0.5).matmul(&b.tanh()),
    |a, b| a.t().matmul(&b).tanh(),
    |a, _| a.softmax(1),
    |a, _| a.log_softmax(0).tanh(),
    |a, b| a + b.sum_axes(&[0], false).tanh(),
    |a, b| a * b.mean_axes(&[1], true),
    |a, b| a + b.logsumexp(&[0, 1], false),
    |a, b| {
        let half = a.shape()[0].cast_signed() / 2;
        let to = Index::Slice { start: None, stop: Some(half), step: 1 };
        let from = Index::Slice { start: Some(half), stop: None, step: 1 };
        concatenate(&[b.get(&[from]), a.get(&[to])], 0)
    },
    |a, b| stack(&[a, b, a], 1).get(&[Index::Ellipsis, Index::At(-1), REVERSED]),
    |a, b| {
        let size = a.shape()[0];
        let size = size.cast_signed() as i64;
        let rows: Vec<i64> = (0..size).map(|k| k * k % size).collect();
        a.take(&a.record().constant(NdArray::from_elements(&rows))) - b
    },
    |a, b| {
        let flags: Vec<bool> = (0..a.shape()[0]).map(|k| k % 3 == 0).collect();
        a.record().constant(NdArray::from_elements(&flags)).choose(a, b)
    },
    |a, b| {
        let size = a.shape()[0].cast_signed();
        a.t().reshape(&[-1]).get(&[REVERSED]).reshape(&[size, size]) + b.sum().tanh()
    },
];
const REVERSED: Index = Index::Slice { start: None, stop: None, step: -1 };

fn step() -> impl Strategy<Value = Step> {
    (0..OPS.len(), any::<usize>(), any::<usize>()).prop_map(|(op, a, b)| Step {
        op,
        a,
        b,
    })
}

/// The sum of the last nodes of the graph, each weighted differently.
fn loss<'rec>(leaves: &[Tensor<'rec>], steps: &[Step]) -> Tensor<'rec> {
    let mut nodes = leaves.to_vec();
    for step in steps {
        // Late operands are preferred, so graphs are deep as well as wide.
        let pick = |k: usize| nodes[nodes.len() - 1 - k % nodes.len().min(4)];
        let node = OPS[step.op](pick(step.a), pick(step.b));
        nodes.push(node);
    }
    let last = nodes.iter().rev().take(3).zip([1.0, -0.5, 0.25]);
    last.map(|(node, weight)| (node.tanh() * weight).mean())
        .reduce(|a, b| a + b)
        .expect("there are leaves")
}

fn dot(a: &NdArray, b: &NdArray) -> f64 {
    a.as_array::<f64>().iter().zip(&b.as_array::<f64>()).map(|(a, b)| a * b).sum()
}

/// The gradient of the loss in each input.
fn gradient(inputs: &[NdArray], steps: &[Step]) -> Vec<NdArray> {
    let rec = ComputationRecord::new();
    let leaves: Vec<_> =
        inputs.iter().map(|x| rec.tensor_from_value(x.clone())).collect();
    let grad = loss(&leaves, steps).grad();
    leaves.iter().map(|x| grad.wrt(x).data()).collect()
}

/// Directions of length 1, one for each input.
fn directions(rng: &Rng, inputs: &[NdArray]) -> Vec<NdArray> {
    let unit = |x: &NdArray| {
        let mut v = spread(rng, x.shape(), (-1.0, 1.0), 2);
        let length = dot(&v, &v).sqrt();
        v.as_mut_slice::<f64>().iter_mut().for_each(|v| *v /= length);
        v
    };
    inputs.iter().map(unit).collect()
}

/// The five-point difference of `f` along the directions.
fn difference(
    inputs: &[NdArray],
    directions: &[NdArray],
    f: impl Fn(&[NdArray]) -> f64,
) -> f64 {
    const STEP: f64 = 1e-3;
    let at = |steps: f64| {
        let moved = inputs.iter().zip(directions).map(|(x, v)| {
            let mut x = x.clone();
            let pairs =
                x.as_mut_slice::<f64>().iter_mut().zip(v.as_slice::<f64>().unwrap());
            pairs.for_each(|(x, v)| *x += steps * STEP * v);
            x
        });
        f(&moved.collect::<Vec<_>>())
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * STEP)
}

/// The derivative along the directions.
fn along(gradient: &[NdArray], directions: &[NdArray]) -> f64 {
    gradient.iter().zip(directions).map(|(g, v)| dot(g, v)).sum()
}

fn close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-8 * wanted.abs().max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(8),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The first and second derivative of random graphs along random directions. Matrices
    /// of 12 × 12 have buffers of their own, those of 3 × 3 live in the record.
    #[test]
    fn derivatives_agree_with_differences(
        steps in prop::collection::vec(step(), 1..14),
        size in prop_oneof![Just(3_usize), Just(12)],
    ) {
        let rng = Rng::new(size as u64);
        let inputs = [0, 1].map(|part| spread(&rng, &[size, size], (-1.5, 1.5), part));
        let (v, w) = (directions(&rng, &inputs), directions(&rng, &inputs));

        let first = gradient(&inputs, &steps);
        let wanted = difference(&inputs, &v, |inputs| {
            let rec = ComputationRecord::new();
            let leaves: Vec<_> = inputs.iter().map(|x| rec.constant(x.clone())).collect();
            loss(&leaves, &steps).item()
        });
        let found = along(&first, &v);
        prop_assert!(close(found, wanted), "first derivative {found}, {wanted} wanted");

        let rec = ComputationRecord::new();
        let leaves: Vec<_> =
            inputs.iter().map(|x| rec.tensor_from_value(x.clone())).collect();
        let options = GradOptions { record: true, ..GradOptions::default() };
        let recorded = loss(&leaves, &steps).grad_with(&options).wrt_all(&leaves);
        for (recorded, first) in recorded.iter().zip(&first) {
            let (recorded, first) = (recorded.data().to_vec(), first.to_vec::<f64>());
            prop_assert!(recorded.iter().zip(first).all(|(&a, b)| close(a, b)));
        }
        let weighted = recorded.iter().zip(&v).map(|(g, v)| g * rec.constant(v.clone()));
        let slope = weighted.map(|x| x.sum()).reduce(|a, b| a + b).expect("two inputs");
        let grad = slope.grad();
        let second: Vec<_> = leaves.iter().map(|x| grad.wrt(x).data()).collect();
        let wanted =
            difference(&inputs, &w, |inputs| along(&gradient(inputs, &steps), &v));
        let found = along(&second, &w);
        prop_assert!(close(found, wanted), "second derivative {found}, {wanted} wanted");
    }
}
