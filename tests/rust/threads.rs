//! Arrays that are large enough to be shared among threads.

use crate::differences::assert_close;
use std::thread;
use wengert::prelude::*;
use wengert::{concatenate, num_threads, set_num_threads};

type Case = for<'rec> fn(Tensor<'rec>) -> Tensor<'rec>;

const ROWS: usize = 900;
const COLUMNS: usize = 300;

/// Each row of a result depends on the same row of the argument alone.
const BY_ROWS: &[(&str, Case)] = &[
    ("exp", |x| x.exp()),
    ("power", |x| x.abs().power(1.7)),
    ("multiply", |x| x * x),
    ("add a row", |x| x + x.record().constant(row())),
    ("add a column", |x| x + x.get(&[Index::Ellipsis, Index::At(5), Index::NewAxis])),
    ("where", |x| x.greater(0.1).choose(x, 0.5)),
    ("cast", |x| x.cast(DType::F32)),
    ("sum", |x| x.sum_axes(&[1], false)),
    ("mean of a transpose", |x| x.t().mean_axes(&[0], false)),
    ("max", |x| x.max_axes(&[1], false)),
    ("argmax", |x| x.argmax(1)),
    ("argmax of a transpose", |x| x.t().argmax(0)),
    ("logsumexp", |x| x.logsumexp(&[1], false)),
    ("softmax", |x| x.softmax(1)),
    ("log_softmax of a transpose", |x| x.t().log_softmax(0).t()),
    ("matmul", |x| x.matmul(&square(x.record()))),
    ("matmul with a transpose", |x| x.matmul(&square(x.record()).t())),
    ("matmul of integers", |x| {
        let scaled = (x * 10.0).cast(DType::I64);
        scaled.matmul(&(square(x.record()) * 10.0).cast(DType::I64))
    }),
    ("concatenate", |x| concatenate(&[x, x], 1)),
    ("reversed", |x| {
        let reversed = Index::Slice { start: None, stop: None, step: -1 };
        x.get(&[Index::Ellipsis, reversed]) * 1.0
    }),
];

/// Results that depend on all elements.
const WHOLE: &[(&str, Case)] = &[
    ("sum", |x| x.sum()),
    ("sum of columns", |x| x.sum_axes(&[0], false)),
    ("max", |x| x.max()),
    ("logsumexp", |x| x.logsumexp(&[0, 1], false)),
    ("softmax of one row", |x| x.reshape(&[-1]).softmax(0)),
    ("softmax of columns", |x| x.softmax(0)),
    ("matmul", |x| x.t().matmul(&x)),
    ("take", |x| {
        let rows: Vec<i64> = (0..2000).map(|k| k * k % 900).collect();
        x.take(&x.record().constant(NdArray::from_elements(&rows)))
    }),
    ("reshape of a transpose", |x| x.t().reshape(&[-1])),
];

fn matrix(dtype: DType) -> NdArray {
    Rng::new(3).try_uniform(&[ROWS, COLUMNS], -1.0, 1.0, dtype).unwrap()
}

fn row() -> NdArray {
    Rng::new(4).try_uniform(&[COLUMNS], -1.0, 1.0, DType::F64).unwrap()
}

fn square(rec: &ComputationRecord) -> Tensor<'_> {
    let shape = [COLUMNS, COLUMNS];
    rec.constant(Rng::new(5).try_uniform(&shape, -1.0, 1.0, DType::F64).unwrap())
}

/// The result, and the gradient of the sum of its squares if it has one.
fn values(case: Case, dtype: DType) -> Vec<NdArray> {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(matrix(dtype));
    let y = case(x);
    let mut values = vec![y.data()];
    if matches!(y.dtype(), DType::F32 | DType::F64) {
        values.push((y * y).sum().grad().wrt(&x).data());
    }
    values
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for dtype in [DType::F32, DType::F64] {
        for (name, case) in BY_ROWS.iter().chain(WHOLE) {
            set_num_threads(1);
            let wanted = values(*case, dtype);
            for threads in [2, 5] {
                set_num_threads(threads);
                let found = values(*case, dtype);
                assert!(found == wanted, "{name} of {dtype} on {threads} threads");
            }
        }
    }
    set_num_threads(0);
    assert!(num_threads() > 0);
}

/// A record of several threads does not compile: it is not `Sync`.
#[test]
fn sweeps_at_once_share_no_memory() {
    let sweep = || {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(matrix(DType::F64));
        let y = (0..8).fold(x, |y, _| (y * y).sin() + y);
        y.sum().grad().wrt(&x).data().to_vec::<f64>()
    };
    let alone = sweep();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| assert_eq!(sweep(), alone)));
        }
    });
}

#[test]
fn fault_33_sixteen_threads_with_a_record_each() {
    let wanted: Vec<_> = BY_ROWS.iter().map(|x| values(x.1, DType::F64)).collect();
    thread::scope(|scope| {
        for first in 0..16 {
            let wanted = &wanted;
            scope.spawn(move || {
                for k in 0..BY_ROWS.len() {
                    let k = (first + k) % BY_ROWS.len();
                    let (name, case) = BY_ROWS[k];
                    assert!(values(case, DType::F64) == wanted[k], "{name}");
                }
            });
        }
    });
}

#[test]
fn the_whole_is_what_its_rows_are() {
    let f64s = |x: Tensor<'_>| x.cast(DType::F64).reshape(&[-1]).data().to_vec::<f64>();
    for (name, case) in BY_ROWS {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(matrix(DType::F64));
        let mut rows = Vec::new();
        for start in (0..ROWS.cast_signed()).step_by(60) {
            let some =
                Index::Slice { start: Some(start), stop: Some(start + 60), step: 1 };
            rows.extend(f64s(case(x.get(&[some]))));
        }
        assert_close(name, &f64s(case(x)), &rows, 1e-13);
    }
}

#[test]
fn the_whole_is_what_its_elements_say() {
    let matrix = matrix(DType::F64);
    let x = matrix.as_array::<f64>();
    let x = x.into_dimensionality::<ndarray::Ix2>().unwrap();
    let exp = x.mapv(f64::exp);
    let (total, columns) = (exp.sum(), exp.sum_axis(ndarray::Axis(0)));
    let rows: Vec<usize> = (0..2000).map(|k| k * k % ROWS).collect();
    let wanted: &[(&str, Vec<f64>)] = &[
        ("sum", vec![x.sum()]),
        ("sum of columns", x.sum_axis(ndarray::Axis(0)).to_vec()),
        ("max", vec![x.iter().copied().fold(f64::MIN, f64::max)]),
        ("logsumexp", vec![total.ln()]),
        ("softmax of one row", exp.iter().map(|y| y / total).collect()),
        ("softmax of columns", (&exp / &columns).iter().copied().collect()),
        ("matmul", x.t().dot(&x).iter().copied().collect()),
        ("take", x.select(ndarray::Axis(0), &rows).iter().copied().collect()),
        ("reshape of a transpose", x.t().iter().copied().collect()),
    ];
    assert_eq!(wanted.len(), WHOLE.len());
    for ((name, case), (known, wanted)) in WHOLE.iter().zip(wanted) {
        assert_eq!(name, known);
        let found = values(*case, DType::F64)[0].to_vec::<f64>();
        assert_close(name, &found, wanted, 1e-11);
    }
}
