//! Faults as Python exceptions. The classes are those of `wengert.errors`.

use crate::error::{Error, Fault, Kind};
use pyo3::exceptions::{
    PyKeyError, PyKeyboardInterrupt, PyMemoryError, PyOverflowError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::{PyTypeInfo, ffi};

/// The classes of `wengert.errors`, which are found when the module is imported: later
/// there may be no memory to look for one.
const NAMES: [&str; 7] = [
    "ShapeError",
    "DTypeError",
    "HandleError",
    "GradError",
    "OutOfRangeError",
    "NonFiniteError",
    "InternalError",
];
static CLASSES: PyOnceLock<[Py<PyType>; NAMES.len()]> = PyOnceLock::new();

pub(super) fn install(py: Python<'_>) -> PyResult<()> {
    let module = py.import("wengert.errors")?;
    let class = |name| -> PyResult<_> {
        Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind())
    };
    let [a, b, c, d, e, f, g] = NAMES.map(class);
    let _ = CLASSES.set(py, [a?, b?, c?, d?, e?, f?, g?]);
    Ok(())
}

/// The exception for an error whose places are resolved.
#[cold]
pub(super) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let text = error.to_string();
    match error.kind() {
        Kind::Shape => raise(py, "ShapeError", &text),
        Kind::DType => raise(py, "DTypeError", &text),
        Kind::Handle => raise(py, "HandleError", &text),
        Kind::Gradient => raise(py, "GradError", &text),
        Kind::OutOfRange => raise(py, "OutOfRangeError", &text),
        Kind::NonFinite => raise(py, "NonFiniteError", &text),
        Kind::Internal => raise(py, "InternalError", &text),
        Kind::Value => match error.fault() {
            Fault::IntegerTooLarge { .. } => made::<PyOverflowError>(py, &text),
            _ => made::<PyValueError>(py, &text),
        },
        Kind::Missing => made::<PyKeyError>(py, &text),
        Kind::Memory => made::<PyMemoryError>(py, &text),
        Kind::Raised => match error.fault() {
            Fault::Raised { error, .. } => user_error(py, error.as_ref()),
            fault => unreachable!("{fault:?} is no error of a user's"),
        },
        // What the handler of the signal raised is the current exception.
        Kind::Interrupted => {
            PyErr::take(py).unwrap_or_else(|| PyKeyboardInterrupt::new_err(()))
        }
    }
}

/// The exception that a function of the user's raised, unchanged.
pub(super) fn user_error(
    py: Python<'_>,
    error: &(dyn std::error::Error + Send + Sync + 'static),
) -> PyErr {
    match error.downcast_ref::<PyErr>() {
        Some(error) => error.clone_ref(py),
        None => raise(py, "InternalError", &error.to_string()),
    }
}

/// As `exception`, for errors that name no places.
pub(super) fn plain<T>(py: Python<'_>, result: Result<T, Error>) -> PyResult<T> {
    result.map_err(|error| exception(py, &error))
}

/// An exception of a class of `wengert.errors`.
#[cold]
pub(super) fn raise(py: Python<'_>, class: &str, text: &str) -> PyErr {
    let place = NAMES.iter().position(|name| *name == class);
    let class = CLASSES.get(py).zip(place).map(|(classes, k)| classes[k].bind(py));
    with_text(class.expect("the class was found at import"), text)
}

fn made<E: PyTypeInfo>(py: Python<'_>, text: &str) -> PyErr {
    with_text(&E::type_object(py), text)
}

/// An exception that exists already: `PyErr::new` would make it later, and end the process
/// if there is no memory then. Here Python's own `MemoryError` takes its place.
fn with_text(class: &Bound<'_, PyType>, text: &str) -> PyErr {
    let py = class.py();
    let len = text.len().cast_signed();
    // SAFETY: the text has `len` bytes; the class is one of exceptions.
    unsafe {
        let text = ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), len);
        if !text.is_null() {
            ffi::PyErr_SetObject(class.as_ptr(), text);
            ffi::Py_DECREF(text);
        }
    }
    PyErr::fetch(py)
}
