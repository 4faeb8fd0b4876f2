//! The seed's design problem: `x` changes while `z`, computed from it, is in use. Here `x`
//! lives in a store and `z` in a record, so updating one cannot disturb the other.

#![allow(clippy::print_stdout, reason = "an example shows what it computes")]

use std::collections::HashMap;
use wengert::{ComputationRecord, NdArray, descend};

fn main() -> wengert::Result<()> {
    let mut store = HashMap::from([
        ("x", NdArray::from_slice(&[2.0])),
        ("y", NdArray::from_slice(&[3.0])),
    ]);
    let rec = ComputationRecord::new();
    let mut products = Vec::new();

    for _ in 0..2 {
        let x = rec.tensor_from_value(store["x"].clone());
        let y = rec.tensor_from_value(store["y"].clone());
        let z = x * y;
        // A gradient is a value: there is nothing to zero, and nothing holds on to x.
        let x_grad = z.grad().wrt(&x);
        println!("x_grad = {:.4}", x_grad.item());
        store.insert("x", descend(&x.data(), &x_grad.data(), 0.1)?);
        println!("x = {:.4}", store["x"].item()?.to_f64());
        products.push(z);
    }

    // z is what it was when it was recorded: 1.7 · 3, although x is 1.4 by now.
    println!("z = {:.4}", products[1].item());
    Ok(())
}
