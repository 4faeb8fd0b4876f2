//! Ops that users define in Python: `wengert.custom.CustomOp` holds their functions.

use super::array::{
    Keeper, from_numpy, from_plain, release_dropped, to_numpy, unwrap_scalar,
};
use super::error::{plain, raise};
use super::handle::Handle;
use super::object;
use super::operand::{Given, expect};
use super::record::{PyRecord, expect_record};
use super::source::append_source;
use super::tensor::PyTensor;
use super::work::Work;
use crate::array::NdArray;
use crate::ops::Op;
use crate::record::check::check;
use crate::record::steps::{Nodes, OnTensors};
use crate::record::{Arena, CustomOp, CustomOperand, RuleError, RuleResult};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use std::any::Any;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// An op as it was called: the object with its functions, and the options of the call.
struct PyCustom {
    name: &'static str,
    /// The object, and a dict.
    held: Keeper,
}

/// A name that lasts as long as the process, as those of other ops do. There are as many
/// as names in the program's text. The lock is held while attached alone, so no fork
/// leaves it locked.
fn lasting(name: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(name) {
        return known;
    }
    let name = Box::leak(name.to_owned().into_boxed_str());
    names.insert(name);
    name
}

impl PyCustom {
    fn new(op: &Bound<'_, PyAny>, options: &Bound<'_, PyDict>) -> PyResult<Arc<Self>> {
        let py = op.py();
        let name = op.getattr(intern!(py, "name"))?.cast_into::<PyString>()?;
        let held = (op, options).into_pyobject(py)?;
        let held = Keeper::new(held.into_any().unbind());
        Ok(Arc::new(PyCustom { name: lasting(name.to_str()?), held }))
    }

    /// Calls one of the op's functions; `None` if the op lacks it.
    fn call<'py>(
        &self,
        py: Python<'py>,
        function: &Bound<'py, PyString>,
        arguments: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let held = self.held.object(py).cast_into::<PyTuple>()?;
        let (op, options) = (held.get_item(0)?, held.get_item(1)?);
        let function = op.getattr(function)?;
        if function.is_none() {
            return Ok(None);
        }
        let options = options.cast::<PyDict>()?;
        function.call(PyTuple::new(py, arguments)?, Some(options)).map(Some)
    }

    fn of(op: &dyn CustomOp) -> &PyCustom {
        let op: &dyn Any = op;
        op.downcast_ref().expect("the records of Python have ops of Python")
    }

    fn rule(&self) -> String {
        format!("{}.vjp", self.name)
    }
}

/// What a vjp gave, an item for each operand: for a single one it is not in a tuple.
fn items(given: Bound<'_, PyAny>, operands: usize) -> Vec<Bound<'_, PyAny>> {
    match given.cast::<PyTuple>() {
        Ok(items) => items.iter().collect(),
        Err(_) if operands == 1 || !given.is_none() => vec![given],
        // A function that forgets to return gives no cotangent at all.
        Err(_) => Vec::new(),
    }
}

/// The array that a function gave.
fn array(rule: &str, what: &str, given: &Bound<'_, PyAny>) -> PyResult<NdArray> {
    let py = given.py();
    let refused = if given.is_exact_instance_of::<PyTensor>() {
        Some("a tensor".to_owned())
    } else if given.is_none() || given.is_instance_of::<PyTuple>() {
        Some(format!("a {}", given.get_type().name()?))
    } else {
        None
    };
    if let Some(refused) = refused {
        let text = format!("{rule}: {what} is {refused}, not an array");
        return Err(raise(py, "DTypeError", &text));
    }
    from_plain(given).map_err(|error| match error {
        Ok(descr) => {
            let text = format!(
                "{rule}: {what} holds {descr}, not float32, float64, int64 or bool"
            );
            raise(py, "DTypeError", &text)
        }
        Err(error) => error,
    })
}

fn arrays<'py>(py: Python<'py>, x: &[&NdArray]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    x.iter().map(|x| to_numpy(py, x)).collect()
}

impl CustomOp for PyCustom {
    fn name(&self) -> &'static str {
        self.name
    }

    fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
        Python::attach(|py| {
            let x = arrays(py, &x.iter().collect::<Vec<_>>())?;
            let given = self.call(py, intern!(py, "_forward"), x)?;
            let given = given.ok_or(RuleError::Missing)?;
            Ok(array(self.name, "the value", &given)?)
        })
    }

    fn vjp(
        &self,
        ct: &NdArray,
        y: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        Python::attach(|py| {
            let all: Vec<&NdArray> = [ct, y].into_iter().chain(x).collect();
            let given = self.call(py, intern!(py, "_vjp"), arrays(py, &all)?)?;
            let given = items(given.ok_or(RuleError::Missing)?, x.len());
            let cotangent = |(k, given): (usize, &Bound<'_, PyAny>)| {
                let what = format!("the cotangent of operand {k}");
                let is_given = !given.is_none();
                is_given.then(|| array(&self.rule(), &what, given)).transpose()
            };
            let given = given.iter().enumerate().map(cotangent);
            Ok(given.collect::<PyResult<_>>()?)
        })
    }

    fn jvp(
        &self,
        t: &[Option<NdArray>],
        y: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<NdArray> {
        Python::attach(|py| {
            let tangent = |t: &Option<NdArray>| match t {
                Some(t) => to_numpy(py, t),
                None => Ok(py.None().into_bound(py)),
            };
            let t = t.iter().map(tangent).collect::<PyResult<Vec<_>>>()?;
            let t = match <[_; 1]>::try_from(t) {
                Ok([t]) => t,
                Err(t) => PyTuple::new(py, t)?.into_any(),
            };
            let rest: Vec<&NdArray> = [y].into_iter().chain(x).collect();
            let arguments = [t].into_iter().chain(arrays(py, &rest)?).collect();
            let given = self.call(py, intern!(py, "_jvp"), arguments)?;
            let given = given.ok_or(RuleError::Missing)?;
            Ok(array(&format!("{}.jvp", self.name), "the tangent", &given)?)
        })
    }
}

/// Calls rules on the tensors of Python.
pub(super) struct InPython<'a, 'py>(pub(super) &'a Bound<'py, PyRecord>);

impl InPython<'_, '_> {
    /// Calls a rule that works on tensors of `record`; gives their handles.
    fn call(
        op: &PyCustom,
        record: &Bound<'_, PyRecord>,
        tensors: Vec<Bound<'_, PyAny>>,
    ) -> RuleResult<Vec<Option<Handle>>> {
        let py = record.py();
        let operands = tensors.len() - 2;
        let given = op.call(py, intern!(py, "_vjp_on_tensors"), tensors)?;
        let given = items(given.ok_or(RuleError::Missing)?, operands);
        let cotangent = |(k, given): (usize, &Bound<'_, PyAny>)| {
            if given.is_none() {
                return Ok(None);
            }
            let Ok(tensor) = given.cast_exact::<PyTensor>() else {
                let (rule, kind) = (op.rule(), given.get_type().name()?);
                let text = format!(
                    "{rule}: the cotangent of operand {k} is a {kind}, not a tensor"
                );
                return Err(raise(py, "DTypeError", &text));
            };
            expect_record(py, op.name, tensor.get(), record)?;
            Ok(Some(tensor.get().handle(py)))
        };
        let given = given.iter().enumerate().map(cotangent);
        Ok(given.collect::<PyResult<_>>()?)
    }
}

impl OnTensors for InPython<'_, '_> {
    fn recorded(
        &self,
        op: &dyn CustomOp,
        nodes: &Nodes,
    ) -> RuleResult<Vec<Option<(u64, u32)>>> {
        let (record, op) = (self.0, PyCustom::of(op));
        let py = record.py();
        let handles = record.get().run(py, op.name, Work::Short, |arena| {
            let handle = |&node: &u32| {
                arena.expect_alive(op.name, nodes.epoch, node)?;
                Handle::another(arena, node)
            };
            [nodes.ct, nodes.y]
                .iter()
                .chain(&nodes.x)
                .map(handle)
                .collect::<Result<Vec<Handle>, crate::Error>>()
        })?;
        let tensor = |handle| Ok(object::tensor(record, handle)?.into_any());
        let tensors = handles.into_iter().map(tensor).collect::<PyResult<_>>()?;
        let given = InPython::call(op, record, tensors)?;
        Ok(given.into_iter().map(|x| x.map(|x| x.seen())).collect())
    }

    fn apart(
        &self,
        op: &dyn CustomOp,
        ct: &NdArray,
        y: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        let (py, op) = (self.0.py(), PyCustom::of(op));
        let record = Bound::new(py, PyRecord::empty())?;
        let tensor = |(name, array): (&str, &NdArray)| {
            Ok(append_source(&record, &Op::Constant, array, Some(name))?.into_any())
        };
        let all = [("ct", ct), ("y", y)].into_iter().chain(x.iter().map(|x| ("x", x)));
        let tensors = all.map(tensor).collect::<PyResult<_>>()?;
        let given = InPython::call(op, &record, tensors)?;
        let values = record.get().run(py, op.name, Work::Short, |arena| {
            let value = |x: Handle| arena.data(x.check(arena, op.name)?);
            given.into_iter().map(|x| x.map(value).transpose()).collect()
        })?;
        Ok(values)
    }
}

/// Record an op of the user's, or compute it if no operand is a tensor.
#[pyfunction]
#[pyo3(signature = (op, operands, options, /))]
pub(super) fn _custom<'py>(
    op: &Bound<'py, PyAny>,
    operands: &Bound<'py, PyTuple>,
    options: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = op.py();
    let custom = PyCustom::new(op, options)?;
    let mut record: Option<Bound<'py, PyRecord>> = None;
    let mut sent = Vec::new();
    for value in operands.iter() {
        sent.push(match expect(&value)? {
            Given::Tensor(tensor) => {
                match &record {
                    Some(record) => {
                        expect_record(py, custom.name, tensor.get(), record)?;
                    }
                    None => record = Some(tensor.get().record.bind(py).clone()),
                }
                Sent::Handle(tensor.get().handle(py))
            }
            Given::Number(number) => Sent::Ready(CustomOperand::Number(number)),
            Given::Array(array) => Sent::Ready(CustomOperand::Array(array)),
            Given::Large(_) => Sent::Ready(CustomOperand::Array(from_numpy(&value)?)),
        });
    }
    let Some(record) = record else { return at_once(custom, operands) };
    let name = custom.name;
    let step = record.get().run_at(py, name, Work::Short, |arena, site| {
        let operand = |x: Sent| x.place(arena, name);
        let operands = sent.into_iter().map(operand).collect::<crate::Result<_>>()?;
        arena
            .begin_custom(custom, operands, site)?
            .then(arena, move |arena, node| Ok(Handle::new(arena, node, site)))
    })?;
    let handle = PyRecord::finish(&record, name, step)?;
    Ok(object::tensor(&record, handle)?.into_any())
}

/// Compare the rules of a user's op with differences of its values.
#[pyfunction]
#[pyo3(signature = (op, operands, options, rtol, /))]
pub(super) fn _check_custom(
    op: &Bound<'_, PyAny>,
    operands: &Bound<'_, PyTuple>,
    options: &Bound<'_, PyDict>,
    rtol: f64,
) -> PyResult<()> {
    let py = op.py();
    let custom = PyCustom::new(op, options)?;
    let x = operands.iter().map(|x| from_numpy(&x)).collect::<PyResult<Vec<_>>>()?;
    let record = Bound::new(py, PyRecord::empty())?;
    let checked = check(&*custom, &InPython(&record), &x, rtol);
    release_dropped(py);
    plain(py, checked)
}

/// An operand before its record is locked.
enum Sent {
    Handle(Handle),
    Ready(CustomOperand),
}

impl Sent {
    fn place(self, arena: &Arena, op: &'static str) -> crate::Result<CustomOperand> {
        match self {
            Sent::Handle(handle) => handle.check(arena, op).map(CustomOperand::Node),
            Sent::Ready(operand) => Ok(operand),
        }
    }
}

/// The value for operands that are no tensors.
fn at_once<'py>(
    custom: Arc<PyCustom>,
    operands: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = operands.py();
    if operands.is_empty() {
        let fault = crate::Fault::NoOperands { op: custom.name };
        return plain(py, Err(fault.into()));
    }
    let x: Vec<NdArray> =
        operands.iter().map(|x| from_numpy(&x)).collect::<PyResult<_>>()?;
    let value = custom.forward(&x).map_err(|error| match error {
        RuleError::Missing => unreachable!("each op has a value"),
        RuleError::Raised(error) => super::error::user_error(py, error.as_ref()),
    })?;
    let value = to_numpy(py, &value)?;
    release_dropped(py);
    let ndim = value.getattr(intern!(py, "ndim"))?.extract::<usize>()?;
    if ndim == 0 { unwrap_scalar(value) } else { Ok(value) }
}
