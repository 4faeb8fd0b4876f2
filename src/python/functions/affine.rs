//! A layer as one function.

use crate::ops::affine::Activation;
use crate::python::operand::{call, node};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smallvec::{SmallVec, smallvec};

/// `activation(x @ weight + bias)`, a layer, in one op.
///
/// `x` has shape (..., k), `weight` (k, n) and `bias`, if any, (n,); the result has shape
/// (..., n). `activation` is None, "relu", "tanh" or "sigmoid"; ValueError otherwise.
/// Other operands that `@` and `+` take are taken too, as the ops that this consists of:
/// the values are the same to the last bit.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> x, weight, bias = [[1.0, -1.0]], [[2.0, 0.0], [0.0, 2.0]], [0.5, 0.5]
/// >>> wengert.linear(x, weight, bias, "relu")
/// array([[2.5, 0. ]])
#[pyfunction]
#[pyo3(signature = (x, weight, /, bias=None, activation=None))]
pub(super) fn linear<'py>(
    x: &Bound<'py, PyAny>,
    weight: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    activation: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let activation = activation.map(named).transpose()?;
    let mut operands: SmallVec<[_; 3]> = smallvec![x, weight];
    operands.extend(bias);
    call(x.py(), "linear", &operands, |arena, operands, site| {
        let x = node(arena, operands[0], site)?;
        let weight = node(arena, operands[1], site)?;
        let bias = operands.get(2).map(|&bias| node(arena, bias, site)).transpose()?;
        arena.linear(x, weight, bias, activation, site)
    })
}

/// The activation of this name.
fn named(name: &str) -> PyResult<Activation> {
    match name {
        "relu" => Ok(Activation::Relu),
        "tanh" => Ok(Activation::Tanh),
        "sigmoid" => Ok(Activation::Sigmoid),
        _ => Err(PyValueError::new_err(format!(
            "linear: the activation is '{name}', not None, 'relu', 'tanh' or 'sigmoid'"
        ))),
    }
}
