//! Faults as Python exceptions. The classes are those of `wengert.errors`.

use crate::error::{Error, Kind};
use pyo3::exceptions::{PyKeyError, PyMemoryError, PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// The exception for an error whose places are resolved.
#[cold]
pub(super) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let text = error.to_string();
    match error.kind() {
        Kind::Shape => raise(py, "ShapeError", text),
        Kind::DType => raise(py, "DTypeError", text),
        Kind::Handle => raise(py, "HandleError", text),
        Kind::Gradient => raise(py, "GradError", text),
        Kind::OutOfRange => raise(py, "OutOfRangeError", text),
        Kind::NonFinite => raise(py, "NonFiniteError", text),
        Kind::Internal => raise(py, "InternalError", text),
        Kind::Value => match error.fault() {
            crate::error::Fault::IntegerTooLarge { .. } => {
                PyOverflowError::new_err(text)
            }
            _ => PyValueError::new_err(text),
        },
        Kind::Missing => PyKeyError::new_err(text),
        Kind::Memory => PyMemoryError::new_err(text),
    }
}

/// As `exception`, for errors that name no places.
pub(super) fn plain<T>(py: Python<'_>, result: Result<T, Error>) -> PyResult<T> {
    result.map_err(|error| exception(py, &error))
}

/// An exception of a class of `wengert.errors`.
#[cold]
pub(super) fn raise(py: Python<'_>, class: &str, text: String) -> PyErr {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let found = MODULE
        .get_or_try_init(py, || py.import("wengert.errors").map(Bound::unbind))
        .and_then(|module| module.bind(py).getattr(class))
        .and_then(|class| Ok(class.cast_into::<PyType>()?));
    match found {
        Ok(class) => PyErr::from_type(class, text),
        Err(error) => error,
    }
}
