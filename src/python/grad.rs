//! `Grad`.

use super::array::from_numpy;
use super::error::raise;
use super::handle::Handle;
use super::object;
use super::record::{PyRecord, expect_record};
use super::tensor::PyTensor;
use super::work::Work;
use crate::array::NdArray;
use crate::diff::gradient::{Asked, Gradient, Request};
use crate::error::{Error, Fault, Result};
use crate::record::Arena;
use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::sync::Mutex;

/// The gradient of a tensor: the cotangent of every leaf that it depends on, and of any
/// other tensor on demand.
///
/// `Tensor.grad` gives one. It is a value of its own: taking it again gives the same
/// bits.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> rec = wengert.ComputationRecord()
/// >>> x = rec.tensor_from_value([1.0, 2.0])
/// >>> grad = (x * x).sum().grad()
/// >>> grad.wrt(x).data()
/// array([2., 4.])
#[pyclass(frozen, module = "wengert", name = "Grad")]
pub(super) struct PyGrad {
    record: Py<PyRecord>,
    loss: u32,
    /// Taken within the record's own lock only, so it is always free.
    gradient: Mutex<Gradient>,
}

impl PyGrad {
    /// Sweeps back from a tensor.
    pub(super) fn take<'py>(
        loss: &Bound<'py, PyTensor>,
        seed: Option<&Bound<'py, PyAny>>,
        wrt: Option<&Bound<'py, PyAny>>,
        options: Request,
    ) -> PyResult<Bound<'py, PyGrad>> {
        let py = loss.py();
        let record = loss.get().record.bind(py);
        let seed = match seed {
            None => None,
            Some(seed) => Some(match seed.cast_exact::<PyTensor>() {
                // Its own gradient would be zero without a word.
                Ok(_) if options.record => {
                    let text = "grad: a sweep with record=True does not record its \
                                seed\nhint: give the seed's data(), a constant";
                    return Err(raise(py, "GradError", text));
                }
                Ok(tensor) => tensor.get().array(py)?,
                Err(_) => from_numpy(seed)?,
            }),
        };
        let mut handles = Vec::new();
        if let Some(wrt) = wrt {
            Tree::read(wrt, record, "grad", 0, &mut handles)?;
        }
        let handle = loss.get().handle(py);
        let asked = wrt.is_some();
        let gradient =
            record.get().run_at(py, "grad", Work::OnRecord, |arena, site| {
                let node = handle.check(arena, "grad")?;
                let targets = check_all(arena, "grad", &handles)?;
                let targets = asked.then_some(targets);
                let request = Request { seed, targets, ..options };
                Gradient::new(arena, node, request, site)
            })?;
        let gradient = PyRecord::finish(record, "grad", gradient)?;
        let loss = gradient.loss();
        let record = record.clone().unbind();
        Bound::new(py, PyGrad { record, loss, gradient: Mutex::new(gradient) })
    }
}

#[pymethods]
impl PyGrad {
    /// The cotangents of tensors, as tensors of the record; zeros where no path leads.
    ///
    /// Each has the shape and the type of its tensor, which must be a float, DTypeError
    /// otherwise. Asked for again it is the same tensor. Without ``record=True`` it is
    /// a constant: a later sweep that reaches it raises GradError.
    ///
    /// Parameters
    /// ----------
    /// tensors : Tensor, or nested lists, tuples and dicts of tensors
    ///     The result has the same structure. Several tensors take one sweep.
    /// strict : bool
    ///     GradError for a tensor that no path leads to, instead of zeros; it says
    ///     where the paths end, such as at a `stop_gradient`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> x, y = rec.tensor_from_value(2.0), rec.tensor_from_value(3.0)
    /// >>> both = (x * y).grad().wrt({"x": x, "y": y})
    /// >>> both["x"].item(), both["y"].item()
    /// (3.0, 2.0)
    #[pyo3(signature = (tensors, /, *, strict=false))]
    fn wrt<'py>(
        &self,
        py: Python<'py>,
        tensors: &Bound<'py, PyAny>,
        strict: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let record = self.record.bind(py);
        let mut handles = Vec::new();
        let tree = Tree::read(tensors, record, "wrt", 0, &mut handles)?;
        let found = self.ask(py, |gradient, arena, site| {
            let nodes = check_all(arena, "wrt", &handles)?;
            if strict {
                gradient.expect_connected(arena, &nodes)?;
            }
            let found = match gradient.wrt(arena, &nodes, site)? {
                Asked::Known(found) => found,
                Asked::After(sweep) => return Ok(Asked::After(sweep)),
            };
            let handles = found.into_iter().map(|node| Handle::another(arena, node));
            handles.collect::<Result<Vec<_>>>().map(Asked::Known)
        })?;
        let tensor = |handle| object::tensor(record, handle);
        let mut results = found.into_iter().map(tensor);
        tree.filled(py, &mut results)
    }

    /// Whether a path leads from the differentiated tensor to this one.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> x, y = rec.tensor_from_value(2.0), rec.tensor_from_value(3.0)
    /// >>> grad = (x * wengert.stop_gradient(y)).grad()
    /// >>> grad.connected(x), grad.connected(y)
    /// (True, False)
    #[pyo3(signature = (tensor, /))]
    fn connected(
        &self,
        py: Python<'_>,
        tensor: &Bound<'_, PyTensor>,
    ) -> PyResult<bool> {
        let record = self.record.bind(py);
        expect_record(py, "connected", tensor.get(), record)?;
        let handle = tensor.get().handle(tensor.py());
        let id = record.get().id;
        record.get().run(py, "connected", Work::OnRecord, |arena| {
            let node = handle.check(arena, "connected")?;
            self.within(id, |gradient| gradient.connected(arena, node))
        })
    }

    fn __repr__(&self) -> String {
        format!("<gradient of #{} of record {}>", self.loss, self.record.get().id)
    }
}

impl PyGrad {
    /// The cotangents of all nodes that take part, for a view of the whole record.
    pub(super) fn cotangents(
        &self,
        py: Python<'_>,
        op: &'static str,
        record: &PyRecord,
    ) -> PyResult<Vec<(u32, NdArray)>> {
        let home = self.record.get();
        if home.id != record.id {
            let label = format!("the gradient of #{}", self.loss);
            let fault = Fault::Foreign { op, label, home: home.id, other: record.id };
            return Err(home.explain(py, Error::new(fault)));
        }
        let found = home.run(py, op, Work::OnRecord, |arena| {
            self.within(home.id, |gradient| gradient.cotangents(arena, op))
        })?;
        PyRecord::finish(self.record.bind(py), op, found)
    }

    /// A step of gradient descent from each of some tensors, by its rate.
    pub(super) fn descend(
        &self,
        py: Python<'_>,
        parameters: &Bound<'_, PyList>,
        rates: &[f64],
    ) -> PyResult<Vec<NdArray>> {
        let record = self.record.bind(py);
        let mut handles = Vec::with_capacity(rates.len());
        Tree::read(parameters, record, "optimize", 0, &mut handles)?;
        self.ask(py, |gradient, arena, site| {
            let nodes = check_all(arena, "optimize", &handles)?;
            gradient.descend(arena, &nodes, rates, site)
        })
    }

    /// Asks the gradient, again after each sweep that this takes.
    fn ask<R: Send>(
        &self,
        py: Python<'_>,
        mut question: impl FnMut(&mut Gradient, &mut Arena, u32) -> Result<Asked<R>> + Send,
    ) -> PyResult<R> {
        let record = self.record.bind(py);
        let id = record.get().id;
        loop {
            let asked =
                record.get().run_at(py, "wrt", Work::OnRecord, |arena, site| {
                    self.within(id, |gradient| question(gradient, arena, site))
                })?;
            match asked {
                Asked::Known(found) => return Ok(found),
                Asked::After(sweep) => {
                    let found = PyRecord::finish(record, "wrt", sweep)?;
                    record.get().run(py, "wrt", Work::Short, |_| {
                        self.within(id, |gradient| {
                            gradient.add(found);
                            Ok(())
                        })
                    })?;
                }
            }
        }
    }

    /// Runs `f` on the gradient. The record's lock is held, so nobody else does.
    fn within<R>(
        &self,
        record: u64,
        f: impl FnOnce(&mut Gradient) -> Result<R>,
    ) -> Result<R> {
        let why = "its gradient is in use";
        let busy = || Error::new(Fault::Busy { op: "wrt", record, why });
        f(&mut *self.gradient.try_lock().map_err(|_| busy())?)
    }
}

fn check_all(arena: &Arena, op: &'static str, handles: &[Handle]) -> Result<Vec<u32>> {
    handles.iter().map(|handle| handle.check(arena, op)).collect()
}

/// Structures of tensors may be nested this deep.
const DEEPEST: usize = 100;

/// A structure of tensors as it was read. To read it again could run code of the user's
/// that gives another.
enum Tree<'py> {
    Tensor,
    List(Vec<Tree<'py>>),
    Tuple(Vec<Tree<'py>>),
    Dict(Vec<(Bound<'py, PyAny>, Tree<'py>)>),
}

impl<'py> Tree<'py> {
    /// Reads a structure; appends the handles of its tensors from left to right.
    fn read(
        tree: &Bound<'py, PyAny>,
        record: &Bound<'py, PyRecord>,
        op: &'static str,
        depth: usize,
        handles: &mut Vec<Handle>,
    ) -> PyResult<Self> {
        let py = tree.py();
        if let Ok(tensor) = tree.cast_exact::<PyTensor>() {
            expect_record(py, op, tensor.get(), record)?;
            handles.push(tensor.get().handle(tree.py()));
            return Ok(Tree::Tensor);
        }
        if depth == DEEPEST {
            let text = format!("{op}: tensors are nested more than {DEEPEST} deep");
            return Err(PyRecursionError::new_err(text));
        }
        let mut inner =
            |x: &Bound<'py, PyAny>| Tree::read(x, record, op, depth + 1, handles);
        if let Ok(dict) = tree.cast::<PyDict>() {
            let items = dict.iter().map(|(key, x)| Ok((key, inner(&x)?)));
            return items.collect::<PyResult<_>>().map(Tree::Dict);
        }
        if tree.is_instance_of::<PyTuple>() {
            let items = tree.try_iter()?.map(|x| inner(&x?));
            return items.collect::<PyResult<_>>().map(Tree::Tuple);
        }
        if tree.is_instance_of::<PyList>() {
            let items = tree.try_iter()?.map(|x| inner(&x?));
            return items.collect::<PyResult<_>>().map(Tree::List);
        }
        let kind = tree.get_type().name()?;
        let text = format!("{op}: a gradient is with respect to tensors, not {kind}");
        Err(raise(py, "DTypeError", &text))
    }

    /// The structure with other tensors in the places of those that were read.
    fn filled(
        self,
        py: Python<'py>,
        tensors: &mut impl Iterator<Item = PyResult<Bound<'py, PyTensor>>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut all = |items: Vec<Tree<'py>>| {
            items
                .into_iter()
                .map(|x| x.filled(py, tensors))
                .collect::<PyResult<Vec<_>>>()
        };
        Ok(match self {
            Tree::List(items) => PyList::new(py, all(items)?)?.into_any(),
            Tree::Tuple(items) => PyTuple::new(py, all(items)?)?.into_any(),
            Tree::Dict(items) => {
                let out = PyDict::new(py);
                for (key, x) in items {
                    out.set_item(key, x.filled(py, tensors)?)?;
                }
                out.into_any()
            }
            Tree::Tensor => tensors
                .next()
                .expect("there is a tensor for each that was read")?
                .into_any(),
        })
    }
}
