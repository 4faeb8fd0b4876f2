//! The engine from Rust: kernels through recorded ops, chains, and a record of scalars.
//!
//! `cargo bench`, or `cargo bench -- chain` for one group.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Instant;
use wengert::prelude::*;

const FLOATS: [DType; 2] = [DType::F32, DType::F64];

/// Numbers near one, which no function of the benchmark makes infinite.
fn filled(shape: &[usize], dtype: DType) -> NdArray {
    NdArray::full(shape, 0.75, dtype).expect("it fits the memory")
}

/// Times an op on operands that are recorded once; its node is dropped each time.
fn op<const N: usize>(
    criterion: &mut Criterion,
    name: &str,
    throughput: Throughput,
    operands: [NdArray; N],
    op: impl for<'rec> Fn([Tensor<'rec>; N]) -> Tensor<'rec>,
) {
    let (group, case) = name.split_once('/').expect("a name has two parts");
    let mut rec = ComputationRecord::new();
    for operand in operands {
        let _leaf = rec.tensor_from_value(operand);
    }
    let mark = rec.mark();
    let mut group = criterion.benchmark_group(group);
    group.throughput(throughput);
    group.bench_function(case, |bencher| {
        bencher.iter(|| {
            rec.rewind(&mark);
            let operands = std::array::from_fn(|k| rec.tensor(k).expect("a leaf"));
            op(operands).index()
        });
    });
    group.finish();
}

fn elementwise(criterion: &mut Criterion) {
    for size in [16, 1_000, 100_000] {
        for dtype in FLOATS {
            let x = || filled(&[size], dtype);
            let throughput = || Throughput::Elements(size as u64);
            let name = |op: &str| format!("elementwise/{op} {dtype} {size}");
            op(criterion, &name("add"), throughput(), [x(), x()], |[x, y]| x + y);
            op(criterion, &name("multiply"), throughput(), [x(), x()], |[x, y]| x * y);
            op(criterion, &name("exp"), throughput(), [x()], |[x]| x.exp());
            op(criterion, &name("log"), throughput(), [x()], |[x]| x.log());
            op(criterion, &name("tanh"), throughput(), [x()], |[x]| x.tanh());
            op(criterion, &name("sin"), throughput(), [x()], |[x]| x.sin());
        }
    }
}

fn reductions(criterion: &mut Criterion) {
    const SIDE: usize = 1000;
    for dtype in FLOATS {
        let x = || [filled(&[SIDE, SIDE], dtype)];
        let throughput = || Throughput::Elements((SIDE * SIDE) as u64);
        let name = |op: &str| format!("reductions/{op} {dtype}");
        op(criterion, &name("sum"), throughput(), x(), |[x]| x.sum());
        for axis in [0, 1] {
            let over = |op: &str| name(&format!("{op} over axis {axis}"));
            op(criterion, &over("sum"), throughput(), x(), |[x]| {
                x.sum_axes(&[axis], false)
            });
            op(criterion, &over("max"), throughput(), x(), |[x]| {
                x.max_axes(&[axis], false)
            });
            op(criterion, &over("logsumexp"), throughput(), x(), |[x]| {
                x.logsumexp(&[axis], false)
            });
        }
    }
}

/// Square products; the throughput counts multiplications and additions.
fn products(criterion: &mut Criterion) {
    for n in [4, 16, 64, 256, 512] {
        for dtype in FLOATS {
            let matrix = || filled(&[n, n], dtype);
            let operands = || [matrix(), matrix()];
            let throughput = || Throughput::Elements(2 * (n * n * n) as u64);
            let name = |form: &str| format!("products/{form} {dtype} {n}");
            op(criterion, &name("plain"), throughput(), operands(), |[a, b]| {
                a.matmul(&b)
            });
            op(
                criterion,
                &name("left transposed"),
                throughput(),
                operands(),
                |[a, b]| a.t().matmul(&b),
            );
            op(
                criterion,
                &name("right transposed"),
                throughput(),
                operands(),
                |[a, b]| a.matmul(&b.t()),
            );
        }
    }
}

const LINKS: usize = 100;

/// The sum of the last link of the chain `tanh(y * w + b)`.
fn chain<'rec>(rec: &'rec ComputationRecord, leaves: &[NdArray; 3]) -> Tensor<'rec> {
    let [x, w, b] = leaves.clone().map(|leaf| rec.tensor_from_value(leaf));
    (0..LINKS).fold(x, |y, _| (y * w + b).tanh()).sum()
}

fn chains(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chain");
    group.throughput(Throughput::Elements(3 * LINKS as u64));
    for size in [16, 4096] {
        let leaves = [(); 3].map(|()| filled(&[size], DType::F32));
        let mut rec = ComputationRecord::new();
        group.bench_function(BenchmarkId::new("forward", size), |bencher| {
            bencher.iter(|| {
                rec.clear();
                chain(&rec, &leaves).index()
            });
        });
        group.bench_function(
            BenchmarkId::new("forward and backward", size),
            |bencher| {
                bencher.iter(|| {
                    rec.clear();
                    black_box(chain(&rec, &leaves).grad());
                });
            },
        );
    }
    group.finish();
}

/// A recurrence of scalars, two nodes a turn.
fn recurrence(rec: &ComputationRecord, nodes: usize) -> Tensor<'_> {
    let x = rec.tensor_from_value(filled(&[], DType::F64));
    (0..nodes / 2).fold(x, |y, _| y * x + 1e-9)
}

fn scalars(criterion: &mut Criterion) {
    const NODES: usize = 100_000;
    let mut group = criterion.benchmark_group("scalars");
    group.throughput(Throughput::Elements(NODES as u64));
    let mut rec = ComputationRecord::new();
    group.bench_function("record", |bencher| {
        bencher.iter(|| {
            rec.clear();
            recurrence(&rec, NODES).index()
        });
    });
    rec.clear();
    let last = recurrence(&rec, NODES);
    group.bench_function("sweep", |bencher| bencher.iter(|| black_box(last.grad())));
    group.bench_function("clear", |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    black_box(recurrence(&rec, NODES).index());
                    let start = Instant::now();
                    rec.clear();
                    start.elapsed()
                })
                .sum()
        });
    });
    group.finish();
}

criterion_group!(benches, elementwise, reductions, products, chains, scalars);
criterion_main!(benches);
