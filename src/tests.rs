//! Ops of several tiles: on any number of threads they give the same bits, and stopped
//! between two tiles they leave everything as it was.

use crate::kernels::threads::tests::with_threads;
use crate::prelude::*;
use crate::stop::{Answer, unwatched, watched};
use crate::{Kind, Result, try_concatenate};
use std::cell::Cell;
use std::time::Duration;

type Case = for<'rec> fn(Tensor<'rec>) -> Result<Tensor<'rec>>;

/// Each takes a matrix of 90 rows and 70 columns, and has tiles of its own.
const CASES: &[(&str, Case)] = &[
    ("exp", |x| x.try_exp()),
    ("multiply", |x| x.try_multiply(x)),
    ("add a row", |x| x.try_add(x.try_get(&[Index::At(3)])?)),
    ("add a transpose", |x| x.try_t()?.try_add(x.try_reshape(&[70, 90])?)),
    ("add a number", |x| x.try_add(1.5)),
    ("greater", |x| x.try_greater(0.1)),
    ("where", |x| x.try_greater(0.1)?.try_choose(x, 0.5)),
    ("cast", |x| x.try_cast(DType::F32)),
    ("sum", |x| x.try_sum()),
    ("sum of columns", |x| x.try_sum_axes(&[0], false)),
    ("sum of rows", |x| x.try_sum_axes(&[1], true)),
    ("mean of a transpose", |x| x.try_t()?.try_mean_axes(&[0], false)),
    ("max", |x| x.try_max()),
    ("argmax", |x| x.try_argmax(0)),
    ("logsumexp", |x| x.try_logsumexp(&[0, 1], false)),
    ("logsumexp of rows", |x| x.try_logsumexp(&[1], false)),
    ("softmax of rows", |x| x.try_softmax(1)),
    ("softmax of columns", |x| x.try_softmax(0)),
    ("log_softmax of one row", |x| x.try_reshape(&[-1])?.try_log_softmax(0)),
    ("matmul", |x| x.try_t()?.try_matmul(&x)),
    ("matmul with a transpose", |x| x.try_matmul(&x.try_t()?)),
    ("matmul of few columns", |x| {
        let columns = Index::Slice { start: None, stop: Some(5), step: 1 };
        x.try_t()?.try_matmul(&x.try_get(&[Index::Ellipsis, columns])?)
    }),
    ("matmul of integers", |x| {
        let x = x.try_cast(DType::I64)?;
        x.try_matmul(&x.try_t()?)
    }),
    ("matmul of a batch", |x| {
        let x = x.try_reshape(&[9, 10, 70])?;
        x.try_matmul(&x.try_swapaxes(1, 2)?)
    }),
    ("take", |x| x.try_take(&rows(x)?)),
    ("take elements", |x| x.try_reshape(&[-1])?.try_take(&rows(x)?)),
    ("concatenate", |x| try_concatenate(&[x, x], 1)),
    ("reshape of a transpose", |x| x.try_t()?.try_reshape(&[-1])),
    ("cross entropy", |x| {
        let labels = NdArray::from_elements(&[3_i64; 90]);
        x.try_softmax_cross_entropy(&x.record().try_constant(labels)?)
    }),
];

fn rows(x: Tensor<'_>) -> Result<Tensor<'_>> {
    let rows: Vec<i64> = (0..100).map(|k| k * k % 70).collect();
    x.record().try_constant(NdArray::from_elements(&rows))
}

fn matrix() -> NdArray {
    Rng::new(7).try_uniform(&[90, 70], -1.0, 1.0, DType::F64).unwrap()
}

/// The value of the case, and the gradient of its sum if it has one.
fn values(case: Case, x: Tensor<'_>) -> Result<Vec<NdArray>> {
    let y = case(x)?;
    let mut values = vec![y.try_data()?];
    if matches!(y.dtype(), DType::F32 | DType::F64) {
        let loss = y.try_multiply(y)?.try_sum()?;
        let grad = loss.try_grad(&GradOptions::default())?;
        values.push(grad.try_wrt(&x)?.try_data()?);
        let recorded = GradOptions { record: true, ..GradOptions::default() };
        values.push(loss.try_grad(&recorded)?.try_wrt(&x)?.try_data()?);
    }
    Ok(values)
}

/// The values of the case in a record of its own.
fn alone(case: Case) -> Vec<NdArray> {
    let rec = ComputationRecord::new();
    values(case, rec.tensor_from_value(matrix())).unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (name, case) in CASES {
        let wanted = with_threads(1, || alone(*case));
        for threads in [2, 3, 16] {
            let found = with_threads(threads, || alone(*case));
            assert!(found == wanted, "{name} on {threads} threads");
        }
    }
}

/// Indices of which only the last is out of range.
fn wrong_at_the_end(x: Tensor<'_>, last: i64) -> Result<Tensor<'_>> {
    let mut indices = vec![0; 1 << 17];
    indices[(1 << 17) - 1] = last;
    x.record().try_constant(NdArray::from_elements(&indices))
}

/// What they refuse, they find after a long search, before any tile.
const SEARCHES: &[(&str, Case)] = &[
    ("take", |x| x.try_take(&wrong_at_the_end(x, 90)?)),
    ("take strided", |x| {
        let wrong = wrong_at_the_end(x, 90)?.try_reshape(&[1 << 16, 2])?;
        x.try_take(&wrong.try_t()?)
    }),
    ("one_hot", |x| wrong_at_the_end(x, -1)?.try_one_hot(2, DType::F32)),
    ("bincount", |x| wrong_at_the_end(x, -1)?.try_bincount(0)),
    ("embedding", |x| x.try_embedding(&wrong_at_the_end(x, -1)?)),
];

#[test]
fn fault_36_a_search_for_wrong_indices_can_be_stopped() {
    for (name, search) in SEARCHES {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(matrix());
        let (result, left) = stopped_at(1 << 30, || search(x));
        assert_eq!(result.err().map(|e| e.kind()), Some(Kind::OutOfRange), "{name}");
        assert!((1 << 30) - left >= 2, "{name} cannot be stopped");
    }
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(NdArray::from_elements(&vec![1.0; 1 << 17]));
    let mask = Index::Array(NdArray::from_elements(&vec![false; 1 << 17]));
    let (result, left) = stopped_at(1 << 30, || x.try_get(&[mask]));
    assert_eq!(result.unwrap().shape(), [0]);
    assert!((1 << 30) - left >= 16, "a mask cannot be stopped");
}

thread_local!(static POLLS: Cell<usize> = const { Cell::new(0) });

fn count_down() -> Answer {
    POLLS.set(POLLS.get() - 1);
    if POLLS.get() == 0 { Answer::Stop } else { Answer::GoOn }
}

/// Does work that is stopped at the given poll; gives the polls that were left, too.
fn stopped_at<R>(poll: usize, work: impl FnOnce() -> R) -> (R, usize) {
    POLLS.set(poll);
    let result = watched(count_down, Duration::ZERO, work);
    (result, POLLS.get())
}

#[test]
fn fault_36_what_is_stopped_leaves_the_record_as_it_was() {
    const MANY: usize = 1 << 30;
    with_threads(1, || {
        for (name, case) in CASES {
            let wanted = alone(*case);
            let mut rec = ComputationRecord::new();
            let x = rec.tensor_from_value(matrix());
            let (_, left) = stopped_at(MANY, || values(*case, x).unwrap());
            let start = rec.mark();
            let polls = MANY - left;
            assert!(polls > 1, "{name} has no tiles");
            for poll in (1..=polls).step_by(polls.div_ceil(20)) {
                rec.rewind(&start);
                let x = rec.tensor(0).unwrap();
                let (result, _) = stopped_at(poll, || values(*case, x));
                let error = result.expect_err("it was stopped");
                assert_eq!(error.kind(), Kind::Interrupted, "{name}: {error}");
                // What went before may be recorded: of that the values are right.
                let recorded = rec.len();
                let again = values(*case, rec.tensor(0).unwrap()).unwrap();
                assert!(again == wanted, "{name} stopped at poll {poll} of {polls}");
                assert!(rec.len() > recorded);
            }
        }
    });
}

#[test]
fn fault_36_a_single_op_that_is_stopped_records_nothing() {
    with_threads(1, || {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(matrix());
        let loss = x.exp().matmul(&x.t()).sum();
        let (len, bytes) = (rec.len(), rec.bytes());
        let recorded = GradOptions { record: true, ..GradOptions::default() };
        for poll in 1..5 {
            let results = [
                stopped_at(poll, || x.try_exp().err()).0,
                stopped_at(poll, || x.try_matmul(&x.t()).err()).0,
                stopped_at(poll, || loss.try_grad(&GradOptions::default()).err()).0,
                stopped_at(poll, || loss.try_grad(&recorded).err()).0,
            ];
            for error in results {
                assert_eq!(error.unwrap().kind(), Kind::Interrupted);
            }
        }
        // The transposes are views that were recorded before the products.
        assert_eq!(rec.len(), len + 4);
        assert!(rec.bytes() < bytes + 1000);
    });
}

#[test]
fn a_question_is_asked_once_a_pause_and_only_of_the_work() {
    fn that_polls() -> Answer {
        POLLS.set(POLLS.get() - 1);
        assert!(crate::stop::poll().is_ok());
        Answer::GoOn
    }
    fn always() -> Answer {
        POLLS.set(POLLS.get() - 1);
        Answer::Always
    }

    let polls = || (0..1000).try_for_each(|_| crate::stop::poll());
    let (result, left) = stopped_at(5000, polls);
    assert!(result.is_ok());
    assert_eq!(left, 4000);
    POLLS.set(5000);
    watched(count_down, Duration::from_hours(1), polls).unwrap();
    assert_eq!(POLLS.get(), 5000, "the pause is not over");
    polls().unwrap();
    assert_eq!(POLLS.get(), 5000, "nobody watches");

    watched(that_polls, Duration::ZERO, polls).unwrap();
    assert_eq!(POLLS.get(), 4000, "what is done to answer is not asked for");

    watched(always, Duration::ZERO, polls).unwrap();
    assert_eq!(POLLS.get(), 3999);

    let twice = || unwatched(polls).and_then(|()| crate::stop::poll());
    watched(count_down, Duration::ZERO, twice).unwrap();
    assert_eq!(POLLS.get(), 3998, "the first polls ask nothing");
}
