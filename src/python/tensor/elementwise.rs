//! Operators and methods of tensors beyond arithmetic.

use super::{PyTensor, apply, binary};
use crate::ops::Op;
use crate::python::functions::elementwise as functions;
use pyo3::prelude::*;

#[pymethods]
impl PyTensor {
    fn __mod__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Remainder, slf, other, false)
    }

    fn __rmod__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Remainder, slf, other, true)
    }

    fn __and__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::BitwiseAnd, slf, other, false)
    }

    fn __rand__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::BitwiseAnd, slf, other, true)
    }

    fn __or__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::BitwiseOr, slf, other, false)
    }

    fn __ror__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::BitwiseOr, slf, other, true)
    }

    fn __xor__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::BitwiseXor, slf, other, false)
    }

    fn __rxor__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::BitwiseXor, slf, other, true)
    }

    fn __lshift__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::LeftShift, slf, other, false)
    }

    fn __rlshift__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::LeftShift, slf, other, true)
    }

    fn __rshift__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::RightShift, slf, other, false)
    }

    fn __rrshift__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::RightShift, slf, other, true)
    }

    fn __invert__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTensor>> {
        apply(slf, "bitwise_not", |arena, x, site| {
            arena.unary(&Op::BitwiseNot, x, site)
        })
    }

    /// The elements limited to `min` and `max`; see `wengert.clip`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([-1.0, 0.5]).clip(0.0, 1.0).data()
    /// array([0. , 0.5])
    #[pyo3(signature = (min=None, max=None))]
    fn clip<'py>(
        slf: &Bound<'py, Self>,
        min: Option<&Bound<'py, PyAny>>,
        max: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        functions::clip(slf.as_any(), min, max)
    }

    /// Rounded to a number of decimals; see `wengert.round`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([0.126]).round(2).data()
    /// array([0.13])
    #[pyo3(signature = (decimals=0))]
    fn round<'py>(
        slf: &Bound<'py, Self>,
        decimals: i32,
    ) -> PyResult<Bound<'py, PyAny>> {
        functions::round(slf.as_any(), decimals)
    }
}
