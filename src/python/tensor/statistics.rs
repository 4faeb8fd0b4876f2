//! Reductions and running sums as methods.

use super::PyTensor;
use crate::python::functions::{self, statistics};
use crate::record::Reduction;
use pyo3::prelude::*;

type Result<'py> = PyResult<Bound<'py, PyAny>>;

#[pymethods]
impl PyTensor {
    /// Sum over axes; see `wengert.sum`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones((2, 3)).sum(axis=1).data()
    /// array([3., 3.])
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn sum<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        functions::reduce(slf.as_any(), Reduction::Sum, axis, keepdims)
    }

    /// Mean over axes; see `wengert.mean`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones((2, 3)).mean(axis=1).data()
    /// array([1., 1.])
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn mean<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        functions::reduce(slf.as_any(), Reduction::Mean, axis, keepdims)
    }

    /// Largest element over axes; see `wengert.max`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> rec.constant([[1.0, 5.0], [4.0, 2.0]]).max(axis=1).data()
    /// array([5., 4.])
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn max<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        functions::reduce(slf.as_any(), Reduction::Max, axis, keepdims)
    }

    /// Index of the largest element; see `wengert.argmax`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([1.0, 5.0]).argmax().item()
    /// 1
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn argmax<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<isize>,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::argmax(slf.as_any(), axis, keepdims)
    }

    /// Smallest element over axes; see `wengert.min`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([1.0, 5.0]).min().item()
    /// 1.0
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn min<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        functions::reduce(slf.as_any(), Reduction::Min, axis, keepdims)
    }

    /// Product over axes; see `wengert.prod`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([2.0, 5.0]).prod().item()
    /// 10.0
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn prod<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        functions::reduce(slf.as_any(), Reduction::Prod, axis, keepdims)
    }

    /// Variance over axes; see `wengert.var`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([1.0, 5.0]).var().item()
    /// 4.0
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
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([1.0, 5.0]).std().item()
    /// 2.0
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
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([0.0, 5.0]).any().item()
    /// True
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn any<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::any(slf.as_any(), axis, keepdims)
    }

    /// Whether all elements differ from 0; see `wengert.all`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([0.0, 5.0]).all().item()
    /// False
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn all<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<&Bound<'py, PyAny>>,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::all(slf.as_any(), axis, keepdims)
    }

    /// Index of the smallest element; see `wengert.argmin`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([1.0, 5.0]).argmin().item()
    /// 0
    #[pyo3(signature = (axis=None, keepdims=false))]
    fn argmin<'py>(
        slf: &Bound<'py, Self>,
        axis: Option<isize>,
        keepdims: bool,
    ) -> Result<'py> {
        statistics::argmin(slf.as_any(), axis, keepdims)
    }

    /// Running sums along an axis; see `wengert.cumsum`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([1.0, 5.0]).cumsum().data()
    /// array([1., 6.])
    #[pyo3(signature = (axis=None))]
    fn cumsum<'py>(slf: &Bound<'py, Self>, axis: Option<isize>) -> Result<'py> {
        statistics::cumsum(slf.as_any(), axis)
    }

    /// Running products along an axis; see `wengert.cumprod`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([2.0, 5.0]).cumprod().data()
    /// array([ 2., 10.])
    #[pyo3(signature = (axis=None))]
    fn cumprod<'py>(slf: &Bound<'py, Self>, axis: Option<isize>) -> Result<'py> {
        statistics::cumprod(slf.as_any(), axis)
    }

    /// The positions that sort the elements; see `wengert.argsort`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([3.0, 1.0, 2.0]).argsort().data()
    /// array([1, 2, 0])
    #[pyo3(signature = (axis=Some(-1)), text_signature = "($self, axis=-1)")]
    fn argsort<'py>(slf: &Bound<'py, Self>, axis: Option<isize>) -> Result<'py> {
        statistics::argsort(slf.as_any(), axis)
    }
}
