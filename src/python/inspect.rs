//! Reading a record: names, and what a person is shown. Larger views are made in Python,
//! of what the methods below that start with `_` give.

use super::array::to_numpy;
use super::grad::PyGrad;
use super::record::{PyRecord, expect_record};
use super::tensor::PyTensor;
use super::work::Work;
use crate::array::{NdArray, summary};
use crate::error::Result;
use crate::ops::emit::{Arg, Args};
use crate::record::graph::{self, GraphBox, Look};
use crate::record::{Arena, print};
use crate::stop;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use std::borrow::Cow;

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

    /// What is known of the tensor, and its elements, as HTML.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python(slf.py(), "wengert._notebook", "tensor_html")?.call1((slf,))
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

    /// The record as one page of HTML, to be opened in a browser.
    ///
    /// It needs nothing but itself. A person scrolls and filters the list, looks at a
    /// node with its operands, users, value, cotangent and source line, and steps the
    /// sweep to and fro.
    ///
    /// Parameters
    /// ----------
    /// grad : Grad, optional
    ///     A gradient of this record, whose sweep is shown.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> loss = wengert.sum(rec.ones(3).named("x") * 2)
    /// >>> page = rec.to_html(loss.grad())
    /// >>> page.startswith("<!doctype html>")
    /// True
    #[pyo3(signature = (grad=None))]
    fn to_html<'py>(
        slf: &Bound<'py, Self>,
        grad: Option<&Bound<'py, PyGrad>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        python(slf.py(), "wengert._page", "to_html")?.call1((slf, grad))
    }

    /// Find the first node at which another record differs, in its op, its operands, its
    /// type or its value.
    ///
    /// Gradients that were taken without ``record=True`` are passed over.
    ///
    /// Parameters
    /// ----------
    /// other : `ComputationRecord`
    /// rtol, atol : float
    ///     Floats differ if they are further apart than ``atol + rtol * abs(other)``. A
    ///     NaN equals a NaN.
    ///
    /// Returns
    /// -------
    /// Difference or None
    ///     What differs, with the source lines of both; None if nothing does.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> first, second = (wengert.ComputationRecord() for _ in range(2))
    /// >>> x, y = first.constant([1.0, 2.0]), second.constant([1.0, 2.5])
    /// >>> first.diff(second).kind
    /// 'value'
    #[pyo3(signature = (other, /, *, rtol=0.0, atol=0.0))]
    fn diff<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyRecord>,
        rtol: f64,
        atol: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        python(slf.py(), "wengert.inspection", "diff")?.call1((slf, other, rtol, atol))
    }

    /// The printed record as a table of HTML.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python(slf.py(), "wengert._notebook", "record_html")?.call1((slf,))
    }

    /// The cells of the printed record.
    fn _rows(&self, py: Python<'_>) -> PyResult<Vec<Vec<String>>> {
        let shown = |arena: &mut Arena| print::shown(arena.len()).collect();
        self.with_lines(py, shown, |arena, line| Ok(print::rows(arena, None, line)))
    }

    /// The fields of all nodes, as in `wengert._nodes.Node`.
    fn _nodes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows = self.run(py, "nodes", Work::OnRecord, |arena| {
            let row = |node: u32| {
                stop::poll_at(node as usize)?;
                Ok(Row::new(arena, node))
            };
            (0..arena.len()).map(row).collect::<Result<Vec<_>>>()
        })?;
        let list = PyList::empty(py);
        for (k, row) in rows.into_iter().enumerate() {
            if k.is_multiple_of(1 << 10) {
                py.check_signals()?;
            }
            let operands = row.operands.into_iter().map(|operand| match operand {
                Arg::Value(node) => node.into_bound_py_any(py),
                Arg::Number(x) => print::number(x).into_bound_py_any(py),
            });
            let operands = PyList::new(py, operands.collect::<PyResult<Vec<_>>>()?)?;
            let op = PyString::intern(py, &row.op);
            let (name, heading, parameters) = (row.name, row.heading, row.parameters);
            list.append((
                op, name, heading, operands, parameters, row.ty, row.value, row.site,
            ))?;
        }
        Ok(list)
    }

    /// The value of a node.
    fn _value<'py>(
        &self,
        py: Python<'py>,
        node: u32,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let array = self.run(py, "value", Work::Short, |arena| {
            if node >= arena.len() {
                return Ok(None);
            }
            let gone = arena.is_consumed(node);
            Ok(Some(if gone { None } else { Some(arena.data(node)?) }))
        })?;
        let missing = || PyIndexError::new_err("the record has no such node");
        let array = array.ok_or_else(missing)?;
        array.map(|array| to_numpy(py, &array)).transpose()
    }

    /// The cotangents of a gradient's sweep: each one's node, what it is in short, and
    /// the array.
    fn _cotangents<'py>(
        &self,
        py: Python<'py>,
        grad: &Bound<'py, PyGrad>,
    ) -> PyResult<Vec<(u32, String, Bound<'py, PyAny>)>> {
        let found = grad.get().cotangents(py, "to_html", self)?;
        let shown = |(node, array): &(u32, NdArray)| {
            Ok((*node, summary(&array.view()), to_numpy(py, array)?))
        };
        found.iter().map(shown).collect()
    }

    /// The source line that a site stands for, as messages show it; and if it is known,
    /// its file and number.
    fn _place(&self, py: Python<'_>, site: u32) -> (String, Option<(String, i32)>) {
        let known = self.place(py, site);
        let place = known.map(|place| (place.file(py), place.line_number(py)));
        (self.line(py, site), place)
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

/// What is said of a node.
struct Row {
    op: Cow<'static, str>,
    name: Option<String>,
    heading: String,
    operands: Args<u32>,
    parameters: String,
    ty: String,
    value: String,
    site: u32,
}

impl Row {
    fn new(arena: &Arena, node: u32) -> Self {
        Row {
            op: arena.op_name(node),
            name: arena.name(node).map(ToString::to_string),
            heading: print::heading(arena, node),
            operands: arena.operands(node),
            parameters: print::parameters(arena, node),
            ty: print::ty(arena, node),
            value: print::value(arena, node),
            site: arena.site(node),
        }
    }
}

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
    let handle = of.map(|tensor| tensor.get().handle(py));
    let all = |arena: &mut Arena| (0..arena.len()).collect();
    record.get().with_lines(py, all, |arena, line| {
        let of = handle.map(|handle| handle.check(arena, op)).transpose()?;
        Ok(f(arena, of, line))
    })
}
