//! `Replay`: a record that was evaluated again.

use super::array::from_numpy;
use super::handle::Handle;
use super::object;
use super::operand::number;
use super::record::{PyRecord, expect_record};
use super::tensor::PyTensor;
use super::work::Work;
use crate::array::NdArray;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::collections::BTreeMap;

/// A record that was evaluated again, and its tensors by those of the first record.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> rec = wengert.ComputationRecord()
/// >>> x = rec.tensor_from_value([1.0, 2.0])
/// >>> y = (x * x).sum()
/// >>> again = rec.replay({x: [3.0, 4.0]})
/// >>> again[y].item()
/// 25.0
#[pyclass(frozen, mapping, module = "wengert", name = "Replay")]
pub(super) struct PyReplay {
    home: Py<PyRecord>,
    /// The home's epoch at the time.
    epoch: u64,
    record: Py<PyRecord>,
    nodes: Vec<Option<u32>>,
}

#[pymethods]
impl PyReplay {
    /// The new record.
    #[getter]
    fn record<'py>(&self, py: Python<'py>) -> Bound<'py, PyRecord> {
        self.record.bind(py).clone()
    }

    /// The tensor that took the place of one of the first record.
    fn __getitem__<'py>(
        &self,
        tensor: &Bound<'py, PyTensor>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        let py = tensor.py();
        expect_record(py, "replay", tensor.get(), self.home.bind(py))?;
        let old = tensor.get().handle(py);
        let node = self.home.get().run(py, "replay", Work::Short, |arena| {
            let node = old.check(arena, "replay")? as usize;
            let known =
                if old.is_as_old_as(self.epoch) { self.nodes.get(node) } else { None };
            Ok(known.copied().flatten())
        })?;
        let Some(node) = node else {
            let text = format!("replay: {} was not replayed", old.label());
            return Err(PyKeyError::new_err(text));
        };
        let handle = self
            .record
            .get()
            .run(py, "replay", Work::Short, |arena| Handle::another(arena, node))?;
        object::tensor(self.record.bind(py), handle)
    }

    fn __repr__(&self) -> String {
        let (home, record) = (self.home.get().id, self.record.get().id);
        format!("<replay of record {home}: record {record}>")
    }
}

#[pymethods]
impl PyRecord {
    /// Evaluate the record again, with other values for leaves or constants, into a new
    /// record.
    ///
    /// Random draws are constants, so they are as they were. Gradients that were taken
    /// without ``record=True`` are left out; GradError if a node uses one.
    ///
    /// Parameters
    /// ----------
    /// values : dict from Tensor to array_like, optional
    ///     The new values. Each has the shape and the element type that its tensor was
    ///     recorded with: ShapeError or DTypeError otherwise, since numbers that the
    ///     program took from a shape are part of the record. Python numbers and lists
    ///     take the tensor's float type.
    /// upto : Tensor, optional
    ///     The last node to evaluate; by default all are.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> x = wengert.ComputationRecord().tensor_from_value(3.0)
    /// >>> y = x * x
    /// >>> x.record.replay({x: 4.0})[y].item()
    /// 16.0
    #[pyo3(signature = (values=None, /, *, upto=None))]
    fn replay<'py>(
        slf: &Bound<'py, Self>,
        values: Option<&Bound<'py, PyDict>>,
        upto: Option<&Bound<'py, PyTensor>>,
    ) -> PyResult<Bound<'py, PyReplay>> {
        let py = slf.py();
        let mut given = Vec::new();
        for (tensor, value) in values.into_iter().flatten() {
            let Ok(tensor) = tensor.cast_exact::<PyTensor>() else {
                let kind = tensor.get_type().name()?;
                let text = format!("replay: values are given by tensor, not by {kind}");
                return Err(PyTypeError::new_err(text));
            };
            expect_record(py, "replay", tensor.get(), slf)?;
            given.push((tensor.get().handle(py), array_for(tensor, &value)?));
        }
        if let Some(upto) = upto {
            expect_record(py, "replay", upto.get(), slf)?;
        }
        let upto = upto.map(|tensor| tensor.get().handle(py));
        let (record, (epoch, nodes)) = PyRecord::derive(slf, "replay", |arena| {
            let mut values = BTreeMap::new();
            for (handle, array) in given {
                values.insert(handle.check(arena, "replay")?, array);
            }
            let len = match upto {
                Some(handle) => handle.check(arena, "replay")? + 1,
                None => arena.len(),
            };
            let epoch = arena.epochs().current();
            let again = arena.replay(values, len)?;
            again.then(arena, move |_, again| Ok((again.arena, (epoch, again.nodes))))
        })?;
        let (home, record) = (slf.clone().unbind(), Py::new(py, record)?);
        Bound::new(py, PyReplay { home, epoch, record, nodes })
    }
}

/// The new value of a tensor. What has no element type of its own takes the tensor's.
fn array_for(
    tensor: &Bound<'_, PyTensor>,
    value: &Bound<'_, PyAny>,
) -> PyResult<NdArray> {
    let py = tensor.py();
    if let Ok(other) = value.cast_exact::<PyTensor>() {
        return other.get().array(py);
    }
    let array = from_numpy(value)?;
    let is_untyped = value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || number(value)?.is_some();
    let dtype = tensor.get().dtype(py)?;
    if is_untyped && dtype.is_float() {
        return super::error::plain(py, array.cast(dtype));
    }
    Ok(array)
}
