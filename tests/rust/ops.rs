//! Every op: its gradient and second derivative against differences, for operands of
//! every layout; element types; arrays without elements; special points.

use crate::caught::panic_of;
use crate::differences::{Function, array, assert_close, check, check_f32, spread};
use wengert::prelude::*;
use wengert::{Activation, concatenate, stack};

const SEED: u64 = 11;

/// Both signs, and positive numbers.
const ANY: (f64, f64) = (-1.6, 1.5);
const POSITIVE: (f64, f64) = (0.3, 2.2);

type Op = for<'rec> fn(&[Tensor<'rec>]) -> Tensor<'rec>;

/// An op with operands to check it at.
struct Row {
    name: &'static str,
    range: (f64, f64),
    shapes: &'static [&'static [usize]],
    op: Op,
}

const fn row(
    name: &'static str,
    range: (f64, f64),
    shapes: &'static [&'static [usize]],
    op: Op,
) -> Row {
    Row { name, range, shapes, op }
}

const ONE: &[&[usize]] = &[&[2, 3]];
const TWO: &[&[usize]] = &[&[2, 3], &[2, 3]];
const BROADCAST: &[&[usize]] = &[&[2, 1, 3], &[4, 1]];

fn labels<'rec>(x: &Tensor<'rec>) -> Tensor<'rec> {
    x.record().constant(NdArray::from_elements(&[2_i64, 0]))
}

fn mask<'rec>(x: &Tensor<'rec>) -> Tensor<'rec> {
    x.record().constant(NdArray::from_elements(&[true, false, true]))
}

/// A slice with a negative step, a new axis, and a position.
const PART: &[Index] = &[
    Index::Slice { start: None, stop: None, step: -2 },
    Index::NewAxis,
    Index::At(-1),
    Index::Ellipsis,
];

#[allow(clippy::eq_op, reason = "an op may be given one operand twice")]
const ROWS: &[Row] = &[
    row("negative", ANY, ONE, |x| -x[0]),
    row("abs", ANY, ONE, |x| x[0].abs()),
    row("square", ANY, ONE, |x| x[0].square()),
    row("sqrt", POSITIVE, ONE, |x| x[0].sqrt()),
    row("exp", ANY, ONE, |x| x[0].exp()),
    row("log", POSITIVE, ONE, |x| x[0].log()),
    row("log1p", POSITIVE, ONE, |x| x[0].log1p()),
    row("sin", ANY, ONE, |x| x[0].sin()),
    row("cos", ANY, ONE, |x| x[0].cos()),
    row("tanh", ANY, ONE, |x| x[0].tanh()),
    row("sigmoid", ANY, ONE, |x| x[0].sigmoid()),
    row("relu", ANY, ONE, |x| x[0].relu()),
    row("softplus", ANY, ONE, |x| x[0].softplus()),
    row("add", ANY, TWO, |x| x[0] + x[1]),
    row("subtract", ANY, TWO, |x| x[0] - x[1]),
    row("multiply", ANY, TWO, |x| x[0] * x[1]),
    row("divide", POSITIVE, TWO, |x| x[0] / x[1]),
    row("power", POSITIVE, TWO, |x| x[0].power(x[1])),
    row("maximum", ANY, TWO, |x| x[0].maximum(x[1])),
    row("minimum", ANY, TWO, |x| x[0].minimum(x[1])),
    row("leaky_relu", ANY, TWO, |x| x[0].leaky_relu(x[1])),
    row("multiply_no_nan", ANY, TWO, |x| x[0].multiply_no_nan(x[1])),
    row("add, broadcast", ANY, BROADCAST, |x| x[0] + x[1]),
    row("multiply, broadcast", ANY, BROADCAST, |x| x[0] * x[1]),
    row("divide, broadcast", POSITIVE, BROADCAST, |x| x[0] / x[1]),
    row("power, broadcast", POSITIVE, BROADCAST, |x| x[0].power(x[1])),
    row("maximum, broadcast", ANY, BROADCAST, |x| x[0].maximum(x[1])),
    row("add a scalar", ANY, &[&[2, 3], &[]], |x| x[0] + x[1]),
    row("subtract from a scalar", ANY, &[&[], &[2, 3]], |x| x[0] - x[1]),
    row("scalars", POSITIVE, &[&[], &[]], |x| x[0] / x[1] + x[0].power(x[1])),
    row("number on the right", ANY, ONE, |x| (x[0] * 3.0 - 1) / 2.0 + 0.5_f32),
    row("number on the left", POSITIVE, ONE, |x| 2.0 / x[0] - 3 * (1_i64 - x[0])),
    row("power 3", ANY, ONE, |x| x[0].power(3)),
    row("power 2", ANY, ONE, |x| x[0].power(2.0)),
    row("power -0.5", POSITIVE, ONE, |x| x[0].power(-0.5)),
    row("maximum with a number", ANY, ONE, |x| x[0].maximum(0.2)),
    row("leaky_relu by a number", ANY, ONE, |x| x[0].leaky_relu(0.1)),
    row("add to itself", ANY, ONE, |x| x[0] + x[0]),
    row("subtract from itself", ANY, ONE, |x| x[0] - x[0]),
    row("multiply by itself", ANY, ONE, |x| x[0] * x[0]),
    row("divide by itself", POSITIVE, ONE, |x| x[0] / x[0]),
    row("power of itself", POSITIVE, ONE, |x| x[0].power(x[0])),
    row("matmul with itself", ANY, &[&[3, 3]], |x| x[0].matmul(&x[0])),
    row("concatenate with itself", ANY, ONE, |x| concatenate(&[x[0], x[0]], 0)),
    row("where, both sides", ANY, TWO, |x| mask(&x[0]).choose(x[0], x[1])),
    row("where, broadcast", ANY, BROADCAST, |x| mask(&x[0]).choose(x[0], x[1])),
    row("where, a number", ANY, ONE, |x| mask(&x[0]).choose(x[0], 1.5)),
    row("where, by comparison", ANY, TWO, |x| x[0].less(x[1]).choose(x[0].exp(), x[1])),
    row("where, itself twice", ANY, ONE, |x| mask(&x[0]).choose(x[0], x[0])),
    row("sum", ANY, ONE, |x| x[0].square().sum()),
    row("sum over axes", ANY, &[&[2, 3, 2]], |x| {
        x[0].sum_axes(&[0, -1], false).square()
    }),
    row("sum, keepdims", ANY, ONE, |x| x[0].sum_axes(&[1], true) * x[0]),
    row("sum over no axis", ANY, ONE, |x| x[0].sum_axes(&[], false) * x[0]),
    row("mean", ANY, ONE, |x| x[0].square().mean()),
    row("mean over axes", ANY, ONE, |x| x[0].mean_axes(&[0], true) * x[0]),
    row("max", ANY, ONE, |x| x[0].max().square()),
    row("max over axes", ANY, &[&[2, 3, 2]], |x| {
        x[0].max_axes(&[0, 2], false).square()
    }),
    row("max, keepdims", ANY, ONE, |x| x[0].max_axes(&[-1], true) * x[0]),
    row("logsumexp", ANY, ONE, |x| x[0].logsumexp(&[0, 1], false)),
    row("logsumexp over an axis", ANY, ONE, |x| x[0].logsumexp(&[1], true) * x[0]),
    row("softmax", ANY, ONE, |x| x[0].softmax(-1)),
    row("softmax over the first axis", ANY, &[&[2, 3, 2]], |x| x[0].softmax(0)),
    row("log_softmax", ANY, ONE, |x| x[0].log_softmax(1)),
    row("log_softmax over the first axis", ANY, ONE, |x| x[0].log_softmax(0)),
    row("softmax_cross_entropy", ANY, ONE, |x| {
        x[0].softmax_cross_entropy(&labels(&x[0]))
    }),
    row("reshape", ANY, ONE, |x| x[0].reshape(&[3, -1]).square()),
    row("t", ANY, ONE, |x| x[0].t().exp()),
    row("transpose", ANY, &[&[2, 3, 2]], |x| x[0].transpose(&[1, 2, 0]).square()),
    row("swapaxes", ANY, &[&[2, 3, 2]], |x| x[0].swapaxes(0, -1).square()),
    row("expand_dims", ANY, ONE, |x| x[0].expand_dims(1).square()),
    row("squeeze", ANY, &[&[2, 1, 3]], |x| x[0].squeeze(1).square()),
    row("broadcast_to", ANY, &[&[3, 1]], |x| x[0].broadcast_to(&[2, 3, 2]).square()),
    row("concatenate", ANY, &[&[2, 3], &[1, 3]], |x| {
        concatenate(&[x[0], x[1], x[0]], 0).square()
    }),
    row("concatenate, last axis", ANY, TWO, |x| concatenate(x, -1).square()),
    row("stack", ANY, TWO, |x| stack(&[x[0], x[1]], 1).square()),
    row("get a part", ANY, &[&[3, 2, 2]], |x| x[0].get(PART).square()),
    row("get rows", ANY, &[&[3, 2]], |x| {
        let rows = NdArray::from_elements(&[2_i64, 0, -1, 2]);
        x[0].get(&[Index::Array(rows)]).square()
    }),
    row("get elements", ANY, ONE, |x| {
        let index = |k: &[i64]| Index::Array(NdArray::from_elements(k));
        x[0].get(&[index(&[0, 1, 1, 0]), index(&[2, 0, 0, 1])]).square()
    }),
    row("get columns", ANY, &[&[2, 3, 2]], |x| {
        let columns = NdArray::try_from_elements(&[2_i64, 0, 2, 1], &[2, 2]).unwrap();
        x[0].get(&[Index::Ellipsis, Index::Array(columns), Index::At(1)]).square()
    }),
    row("take", ANY, &[&[3, 2]], |x| {
        let rows = x[0].record().constant(NdArray::from_elements(&[1_i64, 1, 0]));
        x[0].take(&rows).square()
    }),
    row("matmul", ANY, &[&[2, 3], &[3, 4]], |x| x[0].matmul(&x[1])),
    row("linear", ANY, &[&[3, 2], &[2, 4]], |x| {
        x[0].linear(&x[1], Some(&x[1].sum_axes(&[0], false)), None)
    }),
    row("linear with tanh", ANY, &[&[2, 3, 2], &[2, 4]], |x| {
        x[0].linear(&x[1], Some(&x[1].mean_axes(&[0], false)), Some(Activation::Tanh))
    }),
    row("linear with sigmoid of itself", ANY, &[&[3, 3], &[3]], |x| {
        x[0].linear(&x[0], Some(&x[1]), Some(Activation::Sigmoid))
    }),
    row("linear without bias", ANY, &[&[3, 2], &[2, 4]], |x| {
        x[0].linear(&x[1], None, Some(Activation::Tanh))
    }),
    row("matmul of vectors", ANY, &[&[3], &[3]], |x| x[0].matmul(&x[1])),
    row("matmul by a vector", ANY, &[&[2, 3], &[3]], |x| x[0].matmul(&x[1])),
    row("matmul of a vector", ANY, &[&[3], &[3, 2]], |x| x[0].matmul(&x[1])),
    row("matmul of batches", ANY, &[&[2, 2, 3], &[2, 3, 2]], |x| x[0].matmul(&x[1])),
    row("matmul, broadcast", ANY, &[&[2, 1, 2, 3], &[3, 3, 2]], |x| x[0].matmul(&x[1])),
    row("matmul of a vector by batches", ANY, &[&[3], &[2, 3, 2]], |x| {
        x[0].matmul(&x[1])
    }),
    row("matmul of batches by a vector", ANY, &[&[2, 2, 3], &[3]], |x| {
        x[0].matmul(&x[1])
    }),
    row("stop_gradient", ANY, ONE, |x| x[0].sin() + x[0].stop_gradient() * 0.0),
];

/// How an operand lies in the memory of the leaf that is differentiated.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Plain,
    Transposed,
    Reversed,
    /// Every second element, from the second on.
    Gapped,
    /// One row, repeated along all axes but the last.
    Repeated,
}

use Layout::{Gapped, Plain, Repeated, Reversed, Transposed};

impl Layout {
    /// The shape of the leaf of which an operand of `shape` is made.
    fn leaf(self, shape: &[usize]) -> Vec<usize> {
        match self {
            Plain | Reversed => shape.to_vec(),
            Transposed => shape.iter().rev().copied().collect(),
            Gapped => shape.iter().map(|n| 2 * n + 1).collect(),
            Repeated => shape.last().copied().into_iter().collect(),
        }
    }

    fn operand<'rec>(self, leaf: &Tensor<'rec>, shape: &[usize]) -> Tensor<'rec> {
        let slices =
            |start, step| vec![Index::Slice { start, stop: None, step }; shape.len()];
        match self {
            Plain => *leaf,
            Transposed => leaf.t(),
            Reversed => leaf.get(&slices(None, -1)),
            Gapped => leaf.get(&slices(Some(1), 2)),
            Repeated => leaf.broadcast_to(shape),
        }
    }
}

/// Gives each row with inputs to `check`, once for each combination of layouts.
fn each_row(layouts: &[[Layout; 2]], check: impl Fn(&str, &[NdArray], &Function)) {
    for row in ROWS {
        for &pair in layouts {
            let rng = Rng::new(SEED);
            let operands = || row.shapes.iter().zip(pair).enumerate();
            let inputs: Vec<NdArray> = operands()
                .map(|(k, (shape, layout))| {
                    spread(&rng, &layout.leaf(shape), row.range, k)
                })
                .collect();
            let what = format!("{} {pair:?}, Rng::new({SEED})", row.name);
            check(&what, &inputs, &move |leaves: &[Tensor<'_>]| {
                let laid: Vec<Tensor<'_>> = row
                    .shapes
                    .iter()
                    .zip(pair)
                    .zip(leaves)
                    .map(|((shape, layout), leaf)| layout.operand(leaf, shape))
                    .collect();
                (row.op)(&laid)
            });
        }
    }
}

#[test]
fn derivatives_agree_with_differences() {
    each_row(&[[Plain, Plain]], check);
}

#[test]
fn derivatives_of_strided_operands_agree_with_differences() {
    each_row(&[[Transposed, Plain], [Reversed, Transposed], [Gapped, Reversed]], check);
}

#[test]
fn derivatives_of_repeated_operands_agree_with_differences() {
    each_row(&[[Repeated, Plain], [Plain, Repeated], [Repeated, Gapped]], check);
}

#[test]
fn gradients_of_f32_agree_with_those_of_f64() {
    each_row(&[[Plain, Plain], [Transposed, Gapped]], check_f32);
}

#[test]
fn long_operands_agree_with_differences() {
    // More elements than one block of the loops, and values in buffers of their own.
    let rng = Rng::new(SEED);
    let x = spread(&rng, &[3, 200], ANY, 0);
    let row = spread(&rng, &[200], ANY, 1);
    check("long", &[x.clone(), row], &|x| (x[0] * x[1]).tanh().sum_axes(&[1], false));
    check("long, strided", &[x], &|x| {
        let turned =
            x[0].t().get(&[Index::Slice { start: None, stop: None, step: -1 }]);
        (turned.sin() * x[0].t()).mean_axes(&[0], false).square()
    });
}

#[test]
fn a_wrong_derivative_is_caught() {
    let x = [array(&[2], &[0.5, -1.5])];
    let first = panic_of(|| check("x²", &x, &|x| x[0] * x[0].stop_gradient()));
    assert!(first.0.starts_with("x²: gradient 0: element 0: 0.1"), "{}", first.0);
    let second = panic_of(|| {
        check("x²", &x, &|x| {
            2.0 * x[0] * x[0].stop_gradient() - x[0].stop_gradient().square()
        });
    });
    assert!(second.0.starts_with("x²: second derivative 0"), "{}", second.0);
}

#[test]
fn operands_of_many_axes_agree_with_differences() {
    let rng = Rng::new(SEED);
    let x = spread(&rng, &[2, 1, 2, 1, 2, 1, 2], ANY, 0);
    let y = spread(&rng, &[2, 1, 2, 1, 1], ANY, 1);
    check("seven axes", &[x, y], &|x| {
        let turned = x[0].transpose(&[6, 5, 4, 3, 2, 1, 0]) * x[1].sin();
        turned.sum_axes(&[0, 2, -1], false).get(&[Index::Ellipsis, Index::At(0)]).tanh()
    });
}

#[test]
fn more_operands_than_bits_in_a_word() {
    let rec = ComputationRecord::new();
    let parts: Vec<Tensor<'_>> = (0..70)
        .map(|k| {
            let value = array(&[1], &[f64::from(k)]);
            if k % 3 == 1 { rec.constant(value) } else { rec.tensor_from_value(value) }
        })
        .collect();
    let grad = concatenate(&parts, 0).square().sum().grad();
    for (k, part) in parts.iter().enumerate() {
        assert_eq!(grad.wrt(part).data().to_vec::<f64>(), [2.0 * k as f64]);
    }
}

/// The gradients of `op`, summed, for leaves of zeros; only their shapes are of interest
/// where leaves have no elements.
#[track_caller]
fn gradients_at_zeros(shapes: &[&[usize]], op: Op) -> Vec<NdArray> {
    let rec = ComputationRecord::new();
    let leaves: Vec<_> = shapes.iter().map(|s| rec.zeros(s, DType::F64)).collect();
    let grad = op(&leaves).sum().grad();
    let gradients: Vec<_> = leaves.iter().map(|x| grad.wrt(x).data()).collect();
    for (gradient, shape) in gradients.iter().zip(shapes) {
        assert_eq!(gradient.shape(), *shape);
    }
    gradients
}

#[test]
fn operands_without_elements_have_gradients_without_elements() {
    const NONE: &[usize] = &[0, 3];
    gradients_at_zeros(&[NONE], |x| x[0].exp().t().reshape(&[-1]).tanh());
    gradients_at_zeros(&[NONE], |x| x[0].softmax(1) + x[0].log_softmax(-1));
    gradients_at_zeros(&[NONE], |x| {
        x[0].max_axes(&[1], false) + x[0].sum_axes(&[1], false)
    });
    gradients_at_zeros(&[NONE], |x| {
        x[0].sum_axes(&[0], true) + x[0].logsumexp(&[1], true)
    });
    gradients_at_zeros(&[NONE], |x| mask(&x[0]).choose(x[0], 1.0));
    gradients_at_zeros(&[NONE], |x| {
        let labels = NdArray::zeros(&[0], DType::I64).unwrap();
        x[0].softmax_cross_entropy(&x[0].record().constant(labels))
    });
    let found = gradients_at_zeros(&[NONE, &[3]], |x| x[0] * x[1]);
    assert_eq!(found[1].to_vec::<f64>(), [0.0; 3]);
    let found = gradients_at_zeros(&[&[2, 0], &[0, 3]], |x| x[0].matmul(&x[1]).exp());
    assert!(found.iter().all(NdArray::is_empty));
    let found = gradients_at_zeros(&[&[2, 3], &[3, 0]], |x| x[0].matmul(&x[1]));
    assert_eq!(found[0].to_vec::<f64>(), [0.0; 6]);
    let found = gradients_at_zeros(&[NONE, &[2, 3]], |x| concatenate(x, 0));
    assert_eq!(found[1].to_vec::<f64>(), [1.0; 6]);
    let found = gradients_at_zeros(&[&[4]], |x| {
        x[0].get(&[Index::Slice { start: Some(3), stop: Some(1), step: 1 }])
    });
    assert_eq!(found[0].to_vec::<f64>(), [0.0; 4]);
    let found = gradients_at_zeros(&[&[4]], |x| {
        x[0].get(&[Index::Array(NdArray::zeros(&[2, 0], DType::I64).unwrap())])
    });
    assert_eq!(found[0].to_vec::<f64>(), [0.0; 4]);
}

#[test]
fn reductions_of_nothing_give_what_numpy_gives() {
    let rec = ComputationRecord::new();
    let x = rec.zeros(&[2, 0], DType::F64);
    assert_eq!(x.sum_axes(&[1], false).data().to_vec::<f64>(), [0.0; 2]);
    let mean = x.mean_axes(&[1], false).data().to_vec::<f64>();
    assert!(mean.iter().all(|m| m.is_nan()));
    assert_eq!(x.logsumexp(&[1], false).data().to_vec::<f64>(), [f64::NEG_INFINITY; 2]);
    assert!(x.try_max().is_err() && x.try_argmax(1).is_err());
    assert_eq!(x.argmax(0).shape(), [0]);
}

#[test]
fn element_types_promote_as_in_numpy() {
    use DType::{Bool, F32, F64, I64};
    let rec = ComputationRecord::new();
    let of = |dtype| rec.ones(&[2], dtype);
    for (a, b, wanted) in [
        (F32, F64, F64),
        (F32, I64, F64),
        (F32, Bool, F32),
        (I64, F64, F64),
        (I64, Bool, I64),
        (Bool, Bool, Bool),
    ] {
        assert_eq!((of(a) * of(b)).dtype(), wanted, "{a} * {b}");
        assert_eq!((of(b) * of(a)).dtype(), wanted, "{b} * {a}");
    }
    assert_eq!((of(I64) / of(I64)).dtype(), F64);
    assert_eq!(of(I64).exp().dtype(), F64);
    assert_eq!(of(I64).mean().dtype(), F64);
    assert_eq!(of(Bool).sum().dtype(), I64);
    assert_eq!(of(F32).less(of(I64)).dtype(), Bool);
    // A number has the type of the tensor, unless it is of a wider kind.
    assert_eq!((of(F32) * 2.0).dtype(), F32);
    assert_eq!((of(I64) * 2).dtype(), I64);
    assert_eq!((of(I64) * 2.0).dtype(), F64);
    assert_eq!((of(Bool) + 1).dtype(), I64);
    let condition = of(F64);
    assert_eq!(condition.choose(1.0, 0).dtype(), F64);
    assert_eq!(condition.choose(1, true).dtype(), I64);
    assert_eq!(condition.choose(of(F32), 0.5).data().to_vec::<f32>(), [1.0, 1.0]);
    // A tensor of rank 0 is not a number.
    let half = rec.constant(NdArray::full(&[], 0.5, F64).unwrap());
    assert_eq!((of(F32) * half).dtype(), F64);
}

#[test]
fn a_gradient_has_the_type_of_its_leaf() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(NdArray::from_slice(&[1.0, 2.0]));
    let y = rec.tensor_from_value(array(&[2], &[3.0, 4.0]));
    let n = rec.tensor_from_value(NdArray::from_elements(&[2_i64, 3]));
    let loss = (x * y * n).sum();
    assert_eq!(loss.dtype(), DType::F64);
    let grad = loss.grad();
    assert_eq!(grad.wrt(&x).dtype(), DType::F32);
    assert_eq!(grad.wrt(&x).data().to_vec::<f32>(), [6.0, 12.0]);
    assert_eq!(grad.wrt(&y).data().to_vec::<f64>(), [2.0, 6.0]);
    let z = x.cast(DType::F64).square().cast(DType::F32);
    assert_eq!(z.sum().grad().wrt(&x).data().to_vec::<f32>(), [2.0, 4.0]);
    let through_integers = x.cast(DType::I64).cast(DType::F32);
    assert!(!through_integers.sum().grad().connected(&x));
}

#[test]
fn integers_are_computed_exactly() {
    let rec = ComputationRecord::new();
    let big = i64::MAX / 2;
    let x = rec.tensor_from_value(NdArray::from_elements(&[3, big, -7]));
    assert_eq!((x + 1).data().to_vec::<i64>(), [4, big + 1, -6]);
    assert_eq!((x * x).data().to_vec::<i64>()[0], 9);
    assert_eq!(x.power(3).data().to_vec::<i64>()[2], -343);
    assert_eq!(x.maximum(0).data().to_vec::<i64>(), [3, big, 0]);
    assert_eq!(x.sum().item(), (big - 4) as f64);
    assert_eq!(x.max().try_item().unwrap(), wengert::Scalar::Int(big));
    assert_eq!(x.greater(0).data().to_vec::<bool>(), [true, true, false]);
    let square = rec.tensor_from_value(
        NdArray::try_from_elements(&[1_i64, 2, 3, 4], &[2, 2]).unwrap(),
    );
    assert_eq!(square.matmul(&square).data().to_vec::<i64>(), [7, 10, 15, 22]);
}

#[test]
fn extreme_arguments_neither_overflow_nor_lose_digits() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[4], &[-800.0, -40.0, 40.0, 800.0]));
    let values = |y: Tensor<'_>| y.data().to_vec::<f64>();
    let tail = (-40.0_f64).exp();
    assert_close("softplus", &values(x.softplus()), &[0.0, tail, 40.0, 800.0], 1e-15);
    assert_close("sigmoid", &values(x.sigmoid()), &[0.0, tail, 1.0, 1.0], 1e-15);
    assert_eq!(values(x.softplus())[1], tail.ln_1p());
    assert_close("softmax", &values(x.softmax(0)), &[0.0, 0.0, 0.0, 1.0], 0.0);
    assert_eq!(x.logsumexp(&[0], false).item(), 800.0);
    for y in [x.softplus(), x.sigmoid(), x.tanh(), x.log_softmax(0)] {
        let gradient = y.sum().grad().wrt(&x).data().to_vec::<f64>();
        assert!(gradient.iter().all(|g| g.is_finite()), "{y:?}: {gradient:?}");
    }
}
