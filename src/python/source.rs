//! Leaves and constants from arrays, numbers and shapes.

use super::array::{borrow_numpy, checked_sizes, dtype_of, from_numpy};
use super::error::plain;
use super::record::{PyRecord, append};
use super::tensor::PyTensor;
use super::threads::detached;
use super::work::{LONG, Work};
use crate::array::NdArray;
use crate::dtype::DType;
use crate::ops::Op;
use pyo3::prelude::*;

/// Appends a leaf or a constant.
pub(super) fn append_source<'py>(
    record: &Bound<'py, PyRecord>,
    op: &Op,
    array: &NdArray,
    name: Option<&str>,
) -> PyResult<Bound<'py, PyTensor>> {
    append(record, op.tag().name(), Work::on_array(array), |arena, site| {
        arena.source(op, array, name.map(Into::into), site)
    })
}

/// The array of a `value` argument.
pub(super) fn value_of(
    value: &Bound<'_, PyAny>,
    dtype: Option<&Bound<'_, PyAny>>,
    borrow: bool,
) -> PyResult<NdArray> {
    let py = value.py();
    if let Ok(tensor) = value.cast_exact::<PyTensor>() {
        let array = tensor.get().array(py)?;
        return cast_to(py, array, dtype);
    }
    let array = if borrow { borrow_numpy(value)? } else { from_numpy(value)? };
    cast_to(py, array, dtype)
}

fn cast_to(
    py: Python<'_>,
    array: NdArray,
    dtype: Option<&Bound<'_, PyAny>>,
) -> PyResult<NdArray> {
    match dtype {
        Some(dtype) => plain(py, array.cast(dtype_of(py, dtype)?)),
        None => Ok(array),
    }
}

/// A leaf of one value everywhere.
pub(super) fn filled<'py>(
    record: &Bound<'py, PyRecord>,
    op: &'static str,
    shape: &Bound<'py, PyAny>,
    value: f64,
    dtype: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyTensor>> {
    let py = record.py();
    let sizes = checked_sizes(op, shape)?;
    let dtype = match dtype {
        Some(dtype) => dtype_of(py, dtype)?,
        None => DType::F64,
    };
    let full = || NdArray::full(&sizes, value, dtype);
    let len = sizes.iter().fold(1_usize, |len, &size| len.saturating_mul(size));
    let array = if len > LONG { detached(py, full) } else { full() };
    let array = plain(py, array)?;
    append_source(record, &Op::Tensor, &array, None)
}
