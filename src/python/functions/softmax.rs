//! Softmax, its logarithm and its cross entropy.

use crate::python::operand::{call, node};
use pyo3::prelude::*;

/// `exp(x) / sum(exp(x))` along an axis, without overflow.
///
/// `x` is a tensor or array_like with at least one axis; the result has its shape and
/// float type, float64 for integers. Elements of inf share the weight; if all are -inf
/// none has any.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.softmax([[0.0, 0.0], [1000.0, 0.0]])
/// array([[0.5, 0.5],
///        [1. , 0. ]])
#[pyfunction]
#[pyo3(signature = (x, /, axis=-1), text_signature = "(x, /, axis=-1)")]
fn softmax<'py>(x: &Bound<'py, PyAny>, axis: isize) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "softmax", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.softmax(x, axis, false, site)
    })
}

/// `x - logsumexp(x)` along an axis, without overflow: the logarithm of the softmax.
///
/// `x` is a tensor or array_like with at least one axis; the result has its shape and
/// float type, float64 for integers. Elements of inf share the weight; if all are -inf
/// all stay so.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.log_softmax([[1000.0, 0.0]])
/// array([[    0., -1000.]])
#[pyfunction]
#[pyo3(signature = (x, /, axis=-1), text_signature = "(x, /, axis=-1)")]
fn log_softmax<'py>(x: &Bound<'py, PyAny>, axis: isize) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "log_softmax", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.softmax(x, axis, true, site)
    })
}

/// Cross entropy of the softmax of each row against its integer label: `logsumexp(row)
/// - row[label]`.
///
/// `logits` has shape (..., classes) and float type; `labels`, of int64, and the result
/// have shape (...). OutOfRangeError for a label that is negative or not below the
/// number of classes.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.softmax_cross_entropy([[0.0, 1000.0], [1000.0, 0.0]], [0, 0])
/// array([1000.,    0.])
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

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! {
        softmax log_softmax softmax_cross_entropy
    }
    Ok(())
}
