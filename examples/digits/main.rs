//! Trains a classifier of handwritten digits: two linear layers, minibatches, gradient
//! descent. It is what a training loop looks like.

#![allow(clippy::print_stdout, reason = "an example shows what it computes")]

use std::collections::HashMap;
use wengert::prelude::*;

const SEED: u64 = 7;
const EPOCHS: usize = 40;
const BATCH: usize = 32;
const RATE: f64 = 0.2;
const TESTED: usize = 360;

type Store = HashMap<String, NdArray>;

/// Layers are made for each record: they read their parameters from the store.
struct Classifier<'rec> {
    hidden: LinearLayer<'rec>,
    output: LinearLayer<'rec>,
}

impl<'rec> Classifier<'rec> {
    fn new(rec: &'rec ComputationRecord, store: &Store) -> Self {
        let layer = |name, inputs, outputs| {
            LinearLayer::named(rec, name, inputs, outputs, store)
                .with_bias(store)
                .with_rate(RATE)
        };
        Classifier { hidden: layer("hidden", 64, 32), output: layer("output", 32, 10) }
    }

    fn forward(&self, images: &Tensor<'rec>) -> Tensor<'rec> {
        self.output.forward(&self.hidden.forward(images).relu())
    }

    fn optimize(&mut self, grad: &Grad<'rec>, store: &mut Store) {
        self.hidden.optimize(grad, store);
        self.output.optimize(grad, store);
    }
}

/// Images as rows of 64 pixels from 0 to 1, and their labels.
struct Digits {
    images: NdArray,
    labels: NdArray,
}

impl Digits {
    fn read() -> wengert::Result<Self> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for line in include_str!("digits.csv").lines() {
            let mut numbers =
                line.split(',').map(|x| x.parse::<u8>().expect("a number"));
            pixels.extend(numbers.by_ref().take(64).map(|x| f32::from(x) / 16.0));
            labels.push(numbers.next().map(i64::from).expect("a label"));
        }
        let images = NdArray::try_from_elements(&pixels, &[labels.len(), 64])?;
        Ok(Digits { images, labels: NdArray::from_elements(&labels) })
    }

    /// Images and labels in the given order, as constants of a record.
    fn take<'rec>(
        &self,
        rec: &'rec ComputationRecord,
        rows: &[i64],
    ) -> (Tensor<'rec>, Tensor<'rec>) {
        let rows = rec.constant(NdArray::from_elements(rows));
        let pick = |all: &NdArray| rec.constant(all.clone()).take(&rows);
        (pick(&self.images), pick(&self.labels))
    }

    /// As `take`, for use in many records.
    fn subset(&self, rows: &[i64]) -> Self {
        let rec = ComputationRecord::new();
        let (images, labels) = self.take(&rec, rows);
        Digits { images: images.data(), labels: labels.data() }
    }
}

fn main() -> wengert::Result<()> {
    let all = Digits::read()?;
    let rng = Rng::new(SEED);
    let order = rng.permutation(all.labels.len());
    let (tested, trained) = order.split_at(TESTED);
    let (test, train) = (all.subset(tested), all.subset(trained));

    let mut rec = ComputationRecord::with_rng(&rng);
    let mut store = Store::new();
    for epoch in 1..=EPOCHS {
        let mut total = 0.0;
        for rows in rng.permutation(train.labels.len()).chunks(BATCH) {
            let (images, labels) = train.take(&rec, rows);
            let mut model = Classifier::new(&rec, &store);
            let loss = model.forward(&images).softmax_cross_entropy(&labels).mean();
            total += loss.item() * rows.len() as f64;
            model.optimize(&loss.grad(), &mut store);
            rec.clear();
        }
        if epoch % 5 == 0 {
            let images = rec.constant(test.images.clone());
            let guesses = Classifier::new(&rec, &store).forward(&images).argmax(-1);
            let hits = guesses.equal(rec.constant(test.labels.clone()));
            let accuracy = hits.mean().item();
            let loss = total / train.labels.len() as f64;
            println!("epoch {epoch:2}  loss {loss:.4}  test accuracy {accuracy:.4}");
            rec.clear();
        }
    }
    Ok(())
}
