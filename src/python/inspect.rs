//! Reading a record: names, and what a person is shown. Larger views are made in Python,
//! of what the methods below that start with `_` give.

use super::grad::PyGrad;
use super::record::{PyRecord, Work, expect_record};
use super::tensor::PyTensor;
use crate::record::Arena;
use crate::record::graph::{self, GraphBox, Look};
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

    /// The record as a graph in the language of Graphviz.
    ///
    /// Parameters
    /// ----------
    /// of : Tensor, optional
    ///     Only what this tensor was computed from; by default all nodes.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> y = wengert.tanh(rec.ones(3))
    /// >>> "n0 -> n1;" in rec.to_dot()
    /// True
    #[pyo3(signature = (of=None))]
    fn to_dot(
        slf: &Bound<'_, Self>,
        of: Option<&Bound<'_, PyTensor>>,
    ) -> PyResult<String> {
        graph("to_dot", slf, of, |arena, of, line| graph::dot(arena, of, line))
    }

    /// The record as a picture: a graph with what is computed below its operands.
    ///
    /// Parameters
    /// ----------
    /// of : Tensor, optional
    ///     Only what this tensor was computed from; by default all nodes.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> y = wengert.tanh(rec.ones(3))
    /// >>> rec.to_svg(y).count("<rect")
    /// 2
    #[pyo3(signature = (of=None))]
    fn to_svg<'py>(
        slf: &Bound<'py, Self>,
        of: Option<&Bound<'py, PyTensor>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        python(slf.py(), "wengert._svg", "to_svg")?.call1((slf, of))
    }

    /// The boxes of the record's graph: node, look, lines, tip, operands.
    fn _boxes(
        slf: &Bound<'_, Self>,
        of: Option<&Bound<'_, PyTensor>>,
    ) -> PyResult<Vec<BoxFields>> {
        let fields = |drawn: GraphBox| {
            let look = match drawn.look {
                Look::Leaf => "leaf",
                Look::Constant => "constant",
                Look::Op => "op",
            };
            (drawn.node, look, drawn.lines, drawn.tip, drawn.operands)
        };
        graph("to_svg", slf, of, |arena, of, line| {
            graph::boxes(arena, of, line).into_iter().map(fields).collect()
        })
    }
}

type BoxFields = (u32, &'static str, Vec<String>, String, Vec<u32>);

/// A function of one of the modules that make the larger views.
fn python<'py>(
    py: Python<'py>,
    module: &str,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    py.import(module)?.getattr(name)
}

/// What `f` makes of a record, or of what one of its tensors was computed from.
fn graph<R: Send>(
    op: &'static str,
    record: &Bound<'_, PyRecord>,
    of: Option<&Bound<'_, PyTensor>>,
    f: impl FnOnce(&Arena, Option<u32>, &dyn Fn(u32) -> String) -> R + Send,
) -> PyResult<R> {
    let py = record.py();
    if let Some(tensor) = of {
        expect_record(py, op, tensor.get(), record)?;
    }
    let handle = of.map(|tensor| tensor.get().handle);
    let all = |arena: &mut Arena| (0..arena.len()).collect();
    record.get().with_lines(py, all, |arena, line| {
        let of = handle.map(|handle| handle.check(arena, op)).transpose()?;
        Ok(f(arena, of, line))
    })
}
