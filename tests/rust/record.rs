//! The record: its length and memory, marks, and arrays that outlive what they show.

use crate::differences::array;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use wengert::prelude::*;
use wengert::{Kind, Mark, Rng};

/// One thing that a program does to a record.
#[derive(Clone, Debug)]
enum Step {
    /// A leaf: of rank 0, small, or large enough for a buffer of its own.
    Leaf(usize),
    Negative(usize),
    Add(usize, usize),
    /// A view with a negative stride.
    Reverse(usize),
    Sum(usize),
    Gradient(usize),
    Mark,
    Rewind(usize),
    Clear,
    Hold(usize),
    Refused(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let node = 0..1000_usize;
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Leaf),
        2 => node.clone().prop_map(Step::Negative),
        4 => (node.clone(), node.clone()).prop_map(|(a, b)| Step::Add(a, b)),
        2 => node.clone().prop_map(Step::Reverse),
        2 => node.clone().prop_map(Step::Sum),
        1 => node.clone().prop_map(Step::Gradient),
        1 => Just(Step::Mark),
        1 => node.clone().prop_map(Step::Rewind),
        1 => Just(Step::Clear),
        3 => node.clone().prop_map(Step::Hold),
        1 => node.prop_map(Step::Refused),
    ]
}

/// What the record is to hold, kept as plain vectors. Node values are small integers,
/// so sums are exact in any order.
#[derive(Default)]
struct Model {
    rec: ComputationRecord,
    nodes: Vec<Vec<f64>>,
    marks: Vec<(Mark, usize)>,
    held: Vec<(NdArray, Vec<f64>)>,
    leaves: usize,
}

impl Model {
    const SIZES: [usize; 4] = [1, 5, 127, 1000];

    fn node(&self, k: usize) -> Option<usize> {
        k.checked_rem(self.nodes.len())
    }

    fn tensor(&self, k: usize) -> Tensor<'_> {
        self.rec.tensor(k).expect("a recorded node")
    }

    fn push(&mut self, values: Vec<f64>) {
        assert_eq!(self.rec.len(), self.nodes.len() + 1, "one node a step");
        self.nodes.push(values);
        let last = self.tensor(self.nodes.len() - 1).data().to_vec::<f64>();
        assert_eq!(Some(&last), self.nodes.last());
    }

    fn cut(&mut self, len: usize) {
        self.nodes.truncate(len);
        self.marks.retain(|(_, at)| *at <= len);
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Leaf(size) => {
                self.leaves += 1;
                let len = Model::SIZES[size];
                let first = self.leaves;
                let values: Vec<f64> =
                    (0..len).map(|k| ((first + k) % 10) as f64).collect();
                let shape: &[usize] = if size == 0 { &[] } else { &[len] };
                let _ = self.rec.tensor_from_value(array(shape, &values));
                self.push(values);
            }
            Step::Negative(k) => {
                let Some(k) = self.node(k) else { return };
                let _ = -self.tensor(k);
                self.push(self.nodes[k].iter().map(|x| -x).collect());
            }
            Step::Add(a, b) => {
                let (Some(a), Some(b)) = (self.node(a), self.node(b)) else { return };
                let (x, y) = (self.nodes[a].clone(), self.nodes[b].clone());
                let values: Vec<f64> = match (x.as_slice(), y.as_slice()) {
                    ([x], y) => y.iter().map(|y| x + y).collect(),
                    (x, [y]) => x.iter().map(|x| x + y).collect(),
                    (x, y) if x.len() == y.len() => {
                        x.iter().zip(y).map(|(x, y)| x + y).collect()
                    }
                    _ => return,
                };
                let _ = self.tensor(a) + self.tensor(b);
                self.push(values);
            }
            Step::Reverse(k) => {
                let Some(k) = self.node(k) else { return };
                if self.tensor(k).shape().is_empty() {
                    return;
                }
                let _ = self.tensor(k).get(&[Index::Slice {
                    start: None,
                    stop: None,
                    step: -1,
                }]);
                self.push(self.nodes[k].iter().rev().copied().collect());
            }
            Step::Sum(k) => {
                let Some(k) = self.node(k) else { return };
                let _ = self.tensor(k).sum();
                self.push(vec![self.nodes[k].iter().sum()]);
            }
            Step::Gradient(k) => {
                let Some(k) = self.node(k) else { return };
                if self.nodes[k].len() != 1 {
                    return;
                }
                // A gradient of zeros or of small integers, or refused because an
                // unrecorded one was reached: then nothing is recorded.
                let node = self.tensor(k);
                match node.try_grad(&GradOptions::default()) {
                    Ok(grad) => {
                        let values = grad.wrt(&node).data().to_vec::<f64>();
                        self.push(values);
                    }
                    Err(error) => assert_eq!(error.kind(), Kind::Gradient),
                }
            }
            Step::Mark => self.marks.push((self.rec.mark(), self.nodes.len())),
            Step::Rewind(k) => {
                let Some(k) = k.checked_rem(self.marks.len()) else { return };
                let (mark, len) = self.marks[k].clone();
                self.rec.rewind(&mark);
                self.cut(len);
            }
            Step::Clear => {
                self.rec.clear();
                self.cut(0);
            }
            Step::Hold(k) => {
                let Some(k) = self.node(k) else { return };
                let data = self.tensor(k).data();
                self.held.push((data, self.nodes[k].clone()));
            }
            Step::Refused(k) => {
                let Some(k) = self.node(k) else { return };
                let bytes = self.rec.bytes();
                assert!(self.tensor(k).try_reshape(&[7, 11, 13]).is_err());
                assert_eq!(self.rec.bytes(), bytes);
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.rec.len(), self.nodes.len());
        assert_eq!(self.rec.is_empty(), self.nodes.is_empty());
        assert!(self.rec.tensor(self.nodes.len()).is_none());
        for (k, values) in self.nodes.iter().enumerate() {
            assert_eq!(self.tensor(k).data().to_vec::<f64>(), *values, "node {k}");
        }
        for (array, values) in &self.held {
            assert_eq!(array.to_vec::<f64>(), *values, "a held array");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(3),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A record behaves like a vector of vectors, and what was read from it stays.
    #[test]
    fn a_record_agrees_with_its_model(steps in prop::collection::vec(step(), 1..60)) {
        let mut model = Model::default();
        for step in &steps {
            model.take(step);
        }
        model.check();
    }

    /// The same program, run again in the same record, needs no more memory.
    #[test]
    fn a_record_that_is_used_again_does_not_grow(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut model = Model::default();
        let mut bytes = Vec::new();
        for _ in 0..5 {
            let mut most = 0;
            for step in &steps {
                model.take(step);
                most = most.max(model.rec.bytes());
            }
            model.held.clear();
            model.leaves = 0;
            model.rec.clear();
            model.cut(0);
            model.marks.clear();
            bytes.push((most, model.rec.bytes()));
        }
        prop_assert!(bytes[1..].iter().all(|b| *b == bytes[1]), "{:?}", bytes);
    }
}

#[test]
fn a_held_array_keeps_its_values_while_the_record_goes_on() {
    let mut rec = ComputationRecord::new();
    for len in [1, 100, 10_000] {
        let elements: Vec<f64> = (0..len).map(f64::from).collect();
        let x = rec.tensor_from_value(array(&[elements.len()], &elements));
        let held = [(x + 0.0).data(), (x + 0.0).t().data(), x.data()];
        rec.clear();
        for _ in 0..20 {
            let _ = rec.tensor_from_value(array(&[elements.len()], &elements)) * 0.0;
        }
        assert!(held.iter().all(|array| array.to_vec::<f64>() == elements));
        drop(rec);
        assert!(held.iter().all(|array| array.to_vec::<f64>() == elements));
        rec = ComputationRecord::new();
    }
}

#[test]
fn large_values_are_shared_and_small_ones_copied() {
    let rec = ComputationRecord::new();
    for (len, shared) in [(100_usize, false), (10_000, true)] {
        let given = NdArray::from_elements(&vec![1.5; len]);
        let x = rec.tensor_from_value(given.clone());
        let address = |array: &NdArray| array.as_slice::<f64>().map(<[f64]>::as_ptr);
        assert_eq!(address(&x.data()) == address(&given), shared);
        let y = x * 2.0;
        assert_eq!(address(&y.data()) == address(&y.data()), shared);
    }
}

#[test]
fn a_strided_array_is_read_as_it_is() {
    let elements: Vec<f64> = (0..2000).map(f64::from).collect();
    let rec = ComputationRecord::new();
    let turned = rec.constant(array(&[40, 50], &elements)).t().data();
    let other = ComputationRecord::new();
    let x = other.tensor_from_value(turned.clone());
    assert_eq!(x.data(), turned);
    assert_eq!(x.data().strides(), [1, 50]);
    let part = x.get(&[Index::At(3), Index::Ellipsis]);
    assert_eq!(part.data().to_vec::<f64>()[..2], [3.0, 53.0]);
    let gradient = (x * x).sum().grad().wrt(&x).data();
    assert!(gradient.as_array::<f64>().iter().eq(&(&turned.as_array::<f64>() * 2.0)));
}

#[test]
fn earlier_nodes_are_found_again_after_a_rewind() {
    let mut rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[2], &[1.0, 2.0])).index();
    let start = rec.mark();
    for round in 1..=3 {
        let x = rec.tensor(x).expect("x was recorded before the mark");
        let y = x * f64::from(round);
        assert_eq!(
            y.sum().grad().wrt(&x).data().to_vec::<f64>(),
            [f64::from(round); 2]
        );
        rec.rewind(&start);
        assert_eq!(rec.len(), 1);
    }
    assert!(rec.tensor(1).is_none() && rec.tensor(usize::MAX).is_none());
}

#[test]
fn rewinding_inward_and_outward() {
    let mut rec = ComputationRecord::new();
    let outer = rec.mark();
    let _ = rec.zeros(&[3], DType::F64);
    let inner = rec.mark();
    let _ = rec.zeros(&[4], DType::F64);
    rec.rewind(&inner);
    rec.rewind(&inner);
    assert_eq!(rec.len(), 1);
    rec.rewind(&outer);
    assert!(rec.is_empty());
    // `inner` is gone even though the record has grown past it again.
    let _ = rec.zeros(&[3], DType::F64);
    let _ = rec.zeros(&[4], DType::F64);
    let error = rec.try_rewind(&inner).unwrap_err();
    assert_eq!(error.kind(), Kind::Handle);
    assert_eq!(rec.len(), 2);
    rec.rewind(&outer);
}

#[test]
fn layers_are_numbered_anew_after_a_clear() {
    let mut rec = ComputationRecord::with_rng(&Rng::new(1));
    let mut store = std::collections::HashMap::new();
    for _ in 0..2 {
        let mut layer = LinearLayer::new(&rec, 2, 2, &store);
        let x = rec.ones(&[1, 2], DType::F32);
        let grad = layer.forward(&x).sum().grad();
        layer.optimize(grad, &mut store);
        rec.clear();
    }
    assert_eq!(store.len(), 1);
}

#[test]
fn a_record_prints_as_a_list_of_its_nodes() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[2], &[0.5, -2.0]));
    let w = rec.parameter("w", array(&[2], &[1.0, 3.0]));
    let line = line!() + 1;
    let y = (x * w + 1.0).sum();
    let text = rec.to_string();
    let rows: Vec<Vec<&str>> =
        text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(text.lines().next().unwrap().ends_with(": 5 nodes"), "{text}");
    assert_eq!(rows[1], ["#", "op", "operands", "type", "value", "recorded", "at"]);
    assert_eq!(rows[3][..3], ["1", "parameter", "w"]);
    let place = format!("{}:{line}", file!());
    let product = ["2", "multiply", "#0,", "#1", "f64", "(2,)", "[0.5,", "-6]", &place];
    assert_eq!(rows[4], product);
    assert_eq!(rows[5][..4], ["3", "add", "#2,", "1.0"]);
    assert_eq!(format!("{y:?}"), "tensor #4 sum f64 (): -3.5");
    assert_eq!(format!("{w:?}"), "tensor w f64 (2,): [1, 3]");
    for _ in 0..100 {
        let _ = x + 1;
    }
    assert!(rec.to_string().contains("... 65 nodes ..."), "{rec}");
    assert!(rec.to_string().lines().count() < 50);
}
