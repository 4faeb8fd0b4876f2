//! The functions of `wengert._core`. They are builtins, so a call has no frame of its
//! own and is recorded at the line of its caller.

use super::array::{checked_sizes, dtype_of, sizes};
use super::error::raise;
use super::fixed::Fixed;
use super::operand::{call, is_index, is_operand, node};
use super::short;
use super::tensor::{self, PyTensor, apply};
use crate::ops::elementwise::{binary_ops, compare_ops, unary_ops};
use crate::ops::{Op, Tag};
use crate::record::Reduction;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// The axes that an `axis` argument names; `None` for all.
pub(super) fn axes(
    op: &'static str,
    axis: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Vec<isize>>> {
    let Some(axis) = axis else { return Ok(None) };
    let one = |value: &Bound<'_, PyAny>| -> PyResult<isize> {
        if !is_index(value) {
            let kind = value.get_type().name()?;
            let text =
                format!("{op}: an axis must be an integer, not {value} ({kind})");
            return Err(raise(value.py(), "DTypeError", text));
        }
        value.extract()
    };
    match axis.try_iter() {
        Ok(items) => items.map(|item| one(&item?)).collect::<PyResult<_>>().map(Some),
        Err(_) => Ok(Some(vec![one(axis)?])),
    }
}

/// A reduction of anything over axes.
pub(super) fn reduce<'py>(
    x: &Bound<'py, PyAny>,
    reduction: Reduction,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let op = match reduction {
        Reduction::Sum => Tag::Sum,
        Reduction::Mean => Tag::Mean,
        Reduction::Max => Tag::Max,
        Reduction::LogSumExp => Tag::LogSumExp,
        Reduction::Min => Tag::Min,
        Reduction::Prod => Tag::Prod,
    }
    .name();
    let axes = axes(op, axis)?;
    call(x.py(), op, &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.reduce(reduction, x, axes.as_deref(), keepdims, site)
    })
}

/// An elementwise op of anything.
fn unary<'py, F: Fixed>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let op = F::OP;
    let name = op.tag().name();
    if let Ok(tensor) = x.cast_exact::<PyTensor>() {
        if let Some(result) = short::unary::<F>(tensor) {
            return result.map(Bound::into_any);
        }
        return apply(tensor, name, |arena, x, site| arena.unary(op, x, site))
            .map(Bound::into_any);
    }
    call(x.py(), name, &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.unary(op, x, site)
    })
}

/// An elementwise op of anything and anything.
fn binary<'py, F: Fixed>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(result) = short::binary::<F>(a, b) {
        return result.map(Bound::into_any);
    }
    if let (Ok(tensor), true) = (a.cast_exact::<PyTensor>(), is_operand(b)) {
        return tensor::binary::<F>(tensor, b, false);
    }
    let op = F::OP;
    call(a.py(), op.tag().name(), &[a, b], |arena, x, site| match op {
        Op::Power => arena.power(x[0], x[1], site),
        op => arena.binary(op, x[0], x[1], site),
    })
}

macro_rules! bind_unary {
    ($add:ident: $(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident on $domain:ident { $($rule:tt)* }
    )*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (x, /))]
            fn $name<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
                struct This;
                impl Fixed for This {
                    const OP: &'static Op = &Op::$Op;
                }
                unary::<This>(x)
            }
        )*

        fn $add(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
}
macro_rules! bind_functions {
    ($($entries:tt)*) => { bind_unary! { add_unary: $($entries)* } };
}
unary_ops!(bind_functions);

macro_rules! bind_binary {
    ($add:ident: $(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident $(on $domain:ident)? { $($rule:tt)* }
    )*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (a, b, /))]
            fn $name<'py>(
                a: &Bound<'py, PyAny>,
                b: &Bound<'py, PyAny>,
            ) -> PyResult<Bound<'py, PyAny>> {
                struct This;
                impl Fixed for This {
                    const OP: &'static Op = &Op::$Op;
                }
                binary::<This>(a, b)
            }
        )*

        fn $add(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
}
macro_rules! bind_arithmetic {
    ($($entries:tt)*) => { bind_binary! { add_binary: $($entries)* } };
}
macro_rules! bind_compare {
    ($($entries:tt)*) => { bind_binary! { add_compare: $($entries)* } };
}
binary_ops!(bind_arithmetic);
compare_ops!(bind_compare);

pub(super) mod arrange;
pub(super) mod elementwise;
pub(super) mod statistics;

/// Sum of the elements over axes; 0 over none. Booleans are counted.
///
/// `axis` is None for all, an integer, or a sequence of them; `keepdims` keeps the
/// reduced axes with size 1.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
fn sum<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(x, Reduction::Sum, axis, keepdims)
}

/// Arithmetic mean of the elements over axes; integers are averaged as float64.
///
/// `axis` is None for all, an integer, or a sequence of them; `keepdims` keeps the
/// reduced axes with size 1.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
fn mean<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(x, Reduction::Mean, axis, keepdims)
}

/// Largest element over axes; NaN if any is NaN.
///
/// At ties the cotangent is split equally. `axis` is None for all, an integer, or a
/// sequence of them; `keepdims` keeps the reduced axes with size 1.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
fn max<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(x, Reduction::Max, axis, keepdims)
}

/// `log(sum(exp(x)))` over axes, without overflow; -inf if all elements are -inf.
///
/// `axis` is None for all, an integer, or a sequence of them; `keepdims` keeps the
/// reduced axes with size 1.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
fn logsumexp<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(x, Reduction::LogSumExp, axis, keepdims)
}

/// Index of the largest element along an axis, or in C order over all; the first at
/// ties. It has no gradient.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
fn argmax<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "argmax", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.argmax(x, axis, keepdims, site)
    })
}

/// `exp(x) / sum(exp(x))` along an axis, without overflow.
#[pyfunction]
#[pyo3(signature = (x, /, axis=-1), text_signature = "(x, /, axis=-1)")]
fn softmax<'py>(x: &Bound<'py, PyAny>, axis: isize) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "softmax", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.softmax(x, axis, false, site)
    })
}

/// `x - logsumexp(x)` along an axis, without overflow.
#[pyfunction]
#[pyo3(signature = (x, /, axis=-1), text_signature = "(x, /, axis=-1)")]
fn log_softmax<'py>(x: &Bound<'py, PyAny>, axis: isize) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "log_softmax", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.softmax(x, axis, true, site)
    })
}

/// Cross entropy of the softmax of each row against its integer label.
///
/// `logits` has shape (..., classes) and `labels`, of int64, shape (...), as has the
/// result: `logsumexp(row) - row[label]`.
#[pyfunction]
#[pyo3(signature = (logits, labels, /))]
fn softmax_cross_entropy<'py>(
    logits: &Bound<'py, PyAny>,
    labels: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    call(logits.py(), "softmax_cross_entropy", &[logits, labels], |arena, x, site| {
        let logits = node(arena, x[0], site)?;
        let labels = node(arena, x[1], site)?;
        arena.softmax_cross_entropy(logits, labels, site)
    })
}

/// The elements, in C order, by another shape; one size may be -1.
#[pyfunction]
#[pyo3(signature = (x, /, shape))]
fn reshape<'py>(
    x: &Bound<'py, PyAny>,
    shape: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = sizes("reshape", shape)?;
    call(x.py(), "reshape", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.reshape(x, &shape, site)
    })
}

/// The axes permuted: axis `k` of the result is axis `axes[k]`. None reverses them.
#[pyfunction]
#[pyo3(signature = (x, /, axes=None))]
fn transpose<'py>(
    x: &Bound<'py, PyAny>,
    axes: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = self::axes("transpose", axes)?;
    call(x.py(), "transpose", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.transpose(x, axes.as_deref(), site)
    })
}

/// Two axes exchanged.
#[pyfunction]
#[pyo3(signature = (x, axis1, axis2, /))]
fn swapaxes<'py>(
    x: &Bound<'py, PyAny>,
    axis1: isize,
    axis2: isize,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "swapaxes", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.swapaxes(x, axis1, axis2, site)
    })
}

/// New axes of size 1, at positions of the result.
#[pyfunction]
#[pyo3(signature = (x, /, axis))]
fn expand_dims<'py>(
    x: &Bound<'py, PyAny>,
    axis: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = self::axes("expand_dims", Some(axis))?.unwrap_or_default();
    call(x.py(), "expand_dims", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.expand_dims(x, &axes, site)
    })
}

/// Without axes of size 1: those that `axis` names, or all.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
fn squeeze<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = axes("squeeze", axis)?;
    call(x.py(), "squeeze", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.squeeze(x, axes.as_deref(), site)
    })
}

/// Repeated along axes of size 1 and along new leading axes.
#[pyfunction]
#[pyo3(signature = (x, /, shape))]
fn broadcast_to<'py>(
    x: &Bound<'py, PyAny>,
    shape: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = checked_sizes("broadcast_to", shape)?;
    call(x.py(), "broadcast_to", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.broadcast_to(x, &shape, site)
    })
}

/// The operands of a sequence.
fn items<'py>(parts: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    parts.try_iter()?.collect()
}

/// The tensors behind one another along an axis.
#[pyfunction]
#[pyo3(signature = (tensors, /, axis=0))]
fn concatenate<'py>(
    tensors: &Bound<'py, PyAny>,
    axis: isize,
) -> PyResult<Bound<'py, PyAny>> {
    let items = items(tensors)?;
    let operands: Vec<_> = items.iter().collect();
    call(tensors.py(), "concatenate", &operands, |arena, x, site| {
        let parts = x.iter().map(|&x| node(arena, x, site));
        let parts = parts.collect::<crate::error::Result<Vec<u32>>>()?;
        arena.concatenate(&parts, axis, site)
    })
}

/// The tensors, of one shape, along a new axis.
#[pyfunction]
#[pyo3(signature = (tensors, /, axis=0))]
fn stack<'py>(tensors: &Bound<'py, PyAny>, axis: isize) -> PyResult<Bound<'py, PyAny>> {
    let items = items(tensors)?;
    let operands: Vec<_> = items.iter().collect();
    call(tensors.py(), "stack", &operands, |arena, x, site| {
        let parts = x.iter().map(|&x| node(arena, x, site));
        let parts = parts.collect::<crate::error::Result<Vec<u32>>>()?;
        arena.stack(&parts, axis, site)
    })
}

/// Matrix product by `NumPy`'s rules.
///
/// Shapes (..., m, k) and (..., k, n) give (..., m, n); leading axes broadcast. An
/// operand with one axis is a row on the left, a column on the right.
#[pyfunction]
#[pyo3(signature = (a, b, /))]
fn matmul<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    call(a.py(), "matmul", &[a, b], |arena, x, site| {
        let a = node(arena, x[0], site)?;
        let b = node(arena, x[1], site)?;
        arena.matmul(a, b, site)
    })
}

/// Choose from `a` where `condition` is true, otherwise from `b`; all broadcast.
///
/// The gradient flows to the chosen side alone: a NaN or infinity on the other side
/// does not reach it.
#[pyfunction(name = "where")]
#[pyo3(signature = (condition, a, b, /))]
fn choose<'py>(
    condition: &Bound<'py, PyAny>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    call(condition.py(), "where", &[condition, a, b], |arena, x, site| {
        let condition = node(arena, x[0], site)?;
        arena.choose(condition, x[1], x[2], site)
    })
}

/// The elements as another type; a gradient passes between floats.
#[pyfunction]
#[pyo3(signature = (x, dtype, /))]
fn astype<'py>(
    x: &Bound<'py, PyAny>,
    dtype: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let dtype = dtype_of(x.py(), dtype)?;
    call(x.py(), "cast", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.astype(x, dtype, site)
    })
}

/// The value as a constant: no gradient passes.
#[pyfunction]
#[pyo3(signature = (x, /))]
fn stop_gradient<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "stop_gradient", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.stop_gradient(x, site)
    })
}

/// A step of gradient descent, `parameter - rate * gradient`, as a read-only array.
#[pyfunction]
#[pyo3(signature = (parameter, gradient, rate, /))]
fn descend<'py>(
    parameter: &Bound<'py, PyAny>,
    gradient: &Bound<'py, PyAny>,
    rate: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let py = parameter.py();
    let (x, g) =
        (super::array::from_numpy(parameter)?, super::array::from_numpy(gradient)?);
    let next = super::error::plain(py, crate::layers::descend(&x, &g, rate))?;
    super::array::to_numpy(py, &next)
}

/// The printed form of an array in Rust: elements, shape, strides and layout.
#[pyfunction]
#[pyo3(signature = (array, /))]
fn debug(array: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(format!("{:?}", super::array::from_numpy(array)?))
}

/// A read-only copy of an array that later records share instead of copying it.
#[pyfunction]
#[pyo3(signature = (array, /))]
fn freeze<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let ours = super::array::from_numpy(array)?;
    super::array::to_numpy(array.py(), &ours)
}

/// Bytes of idle memory that this thread and the process keep for reuse.
#[pyfunction]
fn pool_bytes() -> usize {
    crate::array::pool_bytes()
}

/// Bytes of idle memory that the process keeps for reuse at most, 1 GiB by default.
#[pyfunction]
fn pool_limit() -> usize {
    crate::array::pool_limit()
}

/// Limit the idle memory that is kept for reuse, and free what is above the limit.
#[pyfunction]
#[pyo3(signature = (limit, /))]
fn set_pool_limit(limit: usize) {
    crate::array::set_pool_limit(limit);
}

/// Free the idle memory of this thread and of the process.
#[pyfunction]
fn release_pool() {
    crate::array::release_pool();
}

/// Every op of records, as dicts with its name, tier and whether it is differentiable.
#[pyfunction]
fn op_table(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let rows = PyList::empty(py);
    for op in crate::op_table() {
        let row = PyDict::new(py);
        row.set_item("name", op.name)?;
        row.set_item("tier", op.tier)?;
        row.set_item("differentiable", op.differentiable)?;
        row.set_item("takes_integers", op.takes_integers)?;
        rows.append(row)?;
    }
    Ok(rows)
}

/// Adds all functions to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_unary(module)?;
    add_binary(module)?;
    add_compare(module)?;
    arrange::add_all(module)?;
    elementwise::add_all(module)?;
    statistics::add_all(module)?;
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! {
        sum mean max logsumexp argmax softmax log_softmax softmax_cross_entropy
        reshape transpose swapaxes expand_dims squeeze broadcast_to concatenate stack
        matmul choose astype stop_gradient descend debug freeze op_table
        pool_bytes pool_limit set_pool_limit release_pool
    }
    Ok(())
}
