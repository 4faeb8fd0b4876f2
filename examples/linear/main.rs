//! The seed's program: a linear layer, a rectifier and a sum, five steps of gradient
//! descent. Parameters live in a store; each step reads them into a record of its own.

#![allow(clippy::print_stdout, reason = "an example shows what it computes")]

use std::collections::HashMap;
use wengert::prelude::*;

/// A seed with which all three outputs stay positive, so each step lowers the loss by
/// 3 · 0.01 · (1² + 2² + 3²) = 0.42.
const SEED: u64 = 16;

fn main() {
    // Tensors exist only inside a record; parameters outlive it here.
    let mut store: HashMap<String, NdArray> = HashMap::new();
    let rng = Rng::new(SEED);

    for _ in 0..5 {
        let rec = ComputationRecord::with_rng(&rng);
        // The first record draws the weights, the later ones find them in the store.
        let mut linear = LinearLayer::new(&rec, 3, 3, &store);

        let mut data = NdArray::from_slice(&[1., 2., 3.]);
        data.reshape(&[1, 3]);
        let input = rec.tensor_from_value(data);

        let output = linear.forward(&input);
        let loss = sum(&relu(&output));
        println!("Loss: {:?}", loss.data());

        let grad = loss.grad();
        println!("Relu grad: {:?}", grad.wrt(&output).data());
        println!();
        linear.optimize(grad, &mut store);
    }
}
