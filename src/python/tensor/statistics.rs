//! Reductions and running sums as methods.

use super::PyTensor;
use crate::python::functions::{self, statistics};
use crate::record::Reduction;
use pyo3::prelude::*;

type Result<'py> = PyResult<Bound<'py, PyAny>>;

#[pymethods]
impl PyTensor {
    /// Smallest element over axes; see `wengert.min`.
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn min<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        functions::reduce(slf.as_any(), Reduction::Min, axis, keepdims)
    }

    /// Product over axes; see `wengert.prod`.
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn prod<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        functions::reduce(slf.as_any(), Reduction::Prod, axis, keepdims)
    }

    /// Variance over axes; see `wengert.var`.
    #[pyo3(signature = (axis=None, ddof=0.0, keepdims=false))]
    fn var<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        ddof: f64,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::var(slf.as_any(), axis, ddof, keepdims)
    }

    /// Standard deviation over axes; see `wengert.std`.
    #[pyo3(signature = (axis=None, ddof=0.0, keepdims=false))]
    fn std<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        ddof: f64,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::deviation(slf.as_any(), axis, ddof, keepdims)
    }

    /// Whether any element differs from 0; see `wengert.any`.
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn any<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::any(slf.as_any(), axis, keepdims)
    }

    /// Whether all elements differ from 0; see `wengert.all`.
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn all<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::all(slf.as_any(), axis, keepdims)
    }

    /// Index of the smallest element; see `wengert.argmin`.
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn argmin<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<isize>,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::argmin(slf.as_any(), axis, keepdims)
    }

    /// Running sums along an axis; see `wengert.cumsum`.
    #[pyo3(signature = (axis=None))]
    fn cumsum<'py>(slf: &Bound<'py, Self>, axis: Option<isize>) -> Result<'py> {
        statistics::cumsum(slf.as_any(), axis)
    }

    /// Running products along an axis; see `wengert.cumprod`.
    #[pyo3(signature = (axis=None))]
    fn cumprod<'py>(slf: &Bound<'py, Self>, axis: Option<isize>) -> Result<'py> {
        statistics::cumprod(slf.as_any(), axis)
    }

    /// The positions that sort the elements; see `wengert.argsort`.
    #[pyo3(signature = (axis=Some(-1)), text_signature = "($self, axis=-1)")]
    fn argsort<'py>(slf: &Bound<'py, Self>, axis: Option<isize>) -> Result<'py> {
        statistics::argsort(slf.as_any(), axis)
    }
}
