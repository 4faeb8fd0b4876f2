//! Methods that show the elements in another shape, order or type.

use super::{PyTensor, apply};
use crate::python::array::{dtype_of, sizes};
use crate::python::functions;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

#[pymethods]
impl PyTensor {
    /// The elements, in C order, by another shape; see `wengert.reshape`.
    ///
    /// The sizes are several integers or one sequence; one of them may be -1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones((2, 3)).reshape(3, -1).shape
    /// (3, 2)
    #[pyo3(signature = (*shape))]
    fn reshape<'py>(
        slf: &Bound<'py, Self>,
        shape: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        let shape = sizes("reshape", &only_or_all(shape)?)?;
        apply(slf, "reshape", |arena, x, site| arena.reshape(x, &shape, site))
    }

    /// The axes permuted, without arguments reversed; see `wengert.transpose`.
    ///
    /// The axes are several integers or one sequence.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones((2, 3, 4)).transpose(2, 0, 1).shape
    /// (4, 2, 3)
    #[pyo3(signature = (*axes))]
    fn transpose<'py>(
        slf: &Bound<'py, Self>,
        axes: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        let axes = if axes.is_empty() {
            None
        } else {
            functions::axes("transpose", Some(&only_or_all(axes)?))?
        };
        apply(slf, "transpose", |arena, x, site| {
            arena.transpose(x, axes.as_deref(), site)
        })
    }

    /// Two axes exchanged; see `wengert.swapaxes`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones((2, 3, 4)).swapaxes(0, 2).shape
    /// (4, 3, 2)
    fn swapaxes<'py>(
        slf: &Bound<'py, Self>,
        axis1: isize,
        axis2: isize,
    ) -> PyResult<Bound<'py, PyTensor>> {
        apply(slf, "swapaxes", |arena, x, site| arena.swapaxes(x, axis1, axis2, site))
    }

    /// Without axes of size 1; see `wengert.squeeze`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones((1, 3, 1)).squeeze().shape
    /// (3,)
    #[pyo3(signature = (axis=None))]
    fn squeeze<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        let axes = functions::axes("squeeze", axis)?;
        apply(slf, "squeeze", |arena, x, site| arena.squeeze(x, axes.as_deref(), site))
    }

    /// The elements as another type; see `wengert.astype`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones(2).astype("int64").data()
    /// array([1, 1])
    fn astype<'py>(
        slf: &Bound<'py, Self>,
        dtype: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        let dtype = dtype_of(slf.py(), dtype)?;
        apply(slf, "cast", |arena, x, site| arena.astype(x, dtype, site))
    }
}

/// The one argument if there is one, otherwise the tuple of all.
fn only_or_all<'py>(arguments: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    if arguments.len() == 1 {
        arguments.get_item(0)
    } else {
        Ok(arguments.clone().into_any())
    }
}
