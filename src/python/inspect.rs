//! Reading a record: names, and what a person is shown. What is more than a line of text
//! is made by `wengert.inspection`.

use super::grad::PyGrad;
use super::record::{PyRecord, Work};
use super::tensor::PyTensor;
use pyo3::prelude::*;

#[pymethods]
impl PyTensor {
    /// Give the tensor a name, by which messages and views call it; returns the tensor.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> wengert.relu(rec.ones(2)).named("hidden")
    /// <tensor hidden f64 (2,): [1, 1]>
    #[pyo3(signature = (name, /))]
    fn named<'py>(
        slf: &Bound<'py, Self>,
        name: &str,
    ) -> PyResult<Bound<'py, PyTensor>> {
        slf.get().read(slf.py(), "named", |arena, node| {
            arena.set_name(node, name.into());
            Ok(())
        })?;
        Ok(slf.clone())
    }

    /// The name: that of a parameter, or the one that `named` gave; or None.
    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.read(py, "name", |arena, node| {
            Ok(arena.name(node).map(ToString::to_string))
        })
    }
}

#[pymethods]
impl PyRecord {
    /// Whether nodes and cotangents that are not finite are refused.
    #[getter]
    fn check_finite(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, "check_finite", Work::Short, |arena| Ok(arena.check_finite))
    }

    /// The printed record, with a gradient's cotangents beside the values.
    ///
    /// Parameters
    /// ----------
    /// grad : Grad, optional
    ///     A gradient of this record. A cotangent is shown for each node that depends
    ///     on a leaf and that the differentiated tensor depends on.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> x = rec.tensor_from_value(3.0)
    /// >>> line = rec.table((x * x).grad()).splitlines()[2]
    /// >>> " ".join(line.split()[:5])
    /// '0 tensor f64 () 3'
    #[pyo3(signature = (grad=None))]
    fn table(
        &self,
        py: Python<'_>,
        grad: Option<&Bound<'_, PyGrad>>,
    ) -> PyResult<String> {
        let cotangents = match grad {
            Some(grad) => Some(grad.get().cotangents(py, "table", self)?),
            None => None,
        };
        self.printed(py, cotangents.as_deref())
    }
}
