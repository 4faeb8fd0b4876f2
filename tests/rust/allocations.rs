//! After warm-up, recording, sweeping, reading and updating allocate nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashMap;
use wengert::prelude::*;
use wengert::{concatenate, descend, stack};

/// The system's allocator, which counts what each thread asks of it.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has no counter any more.
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the memory came from `alloc`, that is, from the system.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often the third of three equal rounds asked for memory. Each round ends with a
/// clear of the record.
fn in_the_third_round(mut round: impl FnMut(&ComputationRecord)) -> usize {
    let mut rec = ComputationRecord::new();
    let mut count = 0;
    for _ in 0..3 {
        let before = COUNT.get();
        round(&rec);
        rec.clear();
        count = COUNT.get() - before;
    }
    count
}

fn filled(shape: &[usize], dtype: DType) -> NdArray {
    NdArray::full(shape, 0.5, dtype).unwrap()
}

#[test]
fn the_allocator_counts() {
    let before = COUNT.get();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(COUNT.get() - before, 1);
}

#[test]
fn scalars() {
    let x0 = filled(&[], DType::F64);
    let count = in_the_third_round(|rec| {
        let x = rec.tensor_from_value(x0.clone());
        let mut y = x;
        for _ in 0..1000 {
            y = (y * x + 1.0).sin() / (x.square() + 2.0);
        }
        assert!(y.grad().wrt(&x).item().is_finite());
    });
    assert_eq!(count, 0);
}

/// Ops of every kind but products and losses, on arrays of `size` × `size`.
fn elementwise_reductions_and_views(size: usize, dtype: DType) -> usize {
    let x0 = filled(&[size, size], dtype);
    let mut store = HashMap::from([("w".to_owned(), filled(&[size], dtype))]);
    let rows = NdArray::from_elements(&[1_i64, 0, -1, 1]);
    let reversed = [Index::Slice { start: None, stop: None, step: -1 }];
    in_the_third_round(|rec| {
        let x = rec.tensor_from_value(x0.clone());
        let w = rec.parameter("w", store["w"].clone());
        let y = (x * w + 1.0).tanh().relu();
        let z = (y / (x.square() + 2.0) - w).sigmoid() * y;
        let turned = z.t().get(&reversed).maximum(0.1).reshape(&[-1]);
        let chosen = x.greater(0.3).choose(x, 0.0).sum_axes(&[0], true).max();
        let picked = concatenate(&[stack(&[x, y], 1).max_axes(&[1], false), y], 0)
            .take(&rec.constant(rows.clone()));
        let softened = x.softmax(1).log_softmax(0) + x.cast(DType::F64);
        let loss = turned.logsumexp(&[0], false) + z.mean() + y.max() + w.sum();
        let loss = loss + chosen + picked.mean_axes(&[0], false).sum() + softened.sum();
        let grad = loss.grad();
        let next = descend(&w.data(), &grad.wrt(&w).data(), 0.1).unwrap();
        assert!(!grad.wrt(&y).data().is_empty());
        *store.get_mut("w").unwrap() = next;
    })
}

#[test]
fn elementwise_ops_reductions_and_views() {
    for dtype in [DType::F32, DType::F64] {
        // Larger buffers come from the process's pool, which other tests use too.
        for size in [4, 40, 120] {
            let count = elementwise_reductions_and_views(size, dtype);
            assert_eq!(count, 0, "{size} {dtype}");
        }
    }
}

#[test]
fn values_that_are_held_across_the_clear() {
    let x0 = filled(&[1000], DType::F64);
    let mut held = None;
    let count = in_the_third_round(|rec| {
        let y = rec.tensor_from_value(x0.clone()).exp();
        held = Some(y.data());
    });
    assert_eq!(count, 0);
}

#[test]
fn chosen_targets() {
    let x0 = filled(&[50, 50], DType::F32);
    let count = in_the_third_round(|rec| {
        let x = rec.constant(x0.clone());
        let y = x.sin();
        let targets = [x, y];
        let options = GradOptions { wrt: Some(&targets), ..GradOptions::default() };
        let grad = y.square().sum().grad_with(&options);
        assert_eq!(grad.wrt(&x).shape(), [50, 50]);
    });
    // The list of targets, and the shape that the assertion asks for.
    assert_eq!(count, 2);
}

#[test]
fn layers() {
    let images = filled(&[32, 64], DType::F32);
    let labels = NdArray::from_elements(&[3_i64; 32]);
    let mut store: HashMap<String, NdArray> = HashMap::new();
    let count = in_the_third_round(|rec| {
        let x = rec.constant(images.clone());
        let labels = rec.constant(labels.clone());
        let mut hidden = LinearLayer::new(rec, 64, 32, &store).with_bias(&store);
        let mut output =
            LinearLayer::named(rec, "out", 32, 10, &store).with_bias(&store);
        let scores = output.forward(&hidden.forward(&x).relu());
        let grad = scores.softmax_cross_entropy(&labels).mean().grad();
        hidden.optimize(&grad, &mut store);
        output.optimize(grad, &mut store);
    });
    // The crate for matrix products makes up to two small allocations for each of five.
    assert!(count <= 10, "{count} allocations");
}
