//! What users give as operands: tensors, Python numbers, and anything `NumPy` takes.

use super::array::{from_numpy, to_numpy, unwrap_scalar};
use super::error::plain;
use super::handle::Handle;
use super::large::Large;
use super::object::tensor;
use super::record::{PyRecord, expect_record};
use super::tensor::PyTensor;
use super::threads::detached;
use super::work::Work;
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ops::emit::Arg;
use crate::ops::{Op, Tag};
use crate::record::Arena;
use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyIterator, PyList, PyTuple};
use pyo3::{ffi, intern};
use smallvec::{SmallVec, smallvec};
use std::array::from_fn;

/// An operand as it was given.
pub(super) enum Given<'a, 'py> {
    Tensor(&'a Bound<'py, PyTensor>),
    Number(Scalar),
    Large(Large),
    Array(NdArray),
}

/// Exactly Python's own `bool`, `int` or `float`: the numbers without a type of their
/// own. A `NumPy` scalar has one, and is no such number.
pub(super) fn number<'a, 'py>(
    value: &Bound<'py, PyAny>,
) -> PyResult<Option<Given<'a, 'py>>> {
    if let Ok(x) = value.cast_exact::<PyFloat>() {
        return Ok(Some(Given::Number(Scalar::Float(x.value()))));
    }
    if let Ok(x) = value.cast_exact::<PyInt>() {
        return Ok(Some(match x.extract::<i64>() {
            Ok(x) => Given::Number(Scalar::Int(x)),
            Err(_) => Given::Large(Large::new(x)?),
        }));
    }
    if let Ok(x) = value.cast_exact::<PyBool>() {
        return Ok(Some(Given::Number(Scalar::Bool(x.is_true()))));
    }
    Ok(None)
}

/// What the value is; `None` if it is nothing that an operand can be.
pub(super) fn classify<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
) -> PyResult<Option<Given<'a, 'py>>> {
    if let Ok(tensor) = value.cast_exact::<PyTensor>() {
        return Ok(Some(Given::Tensor(tensor)));
    }
    if let Some(number) = number(value)? {
        return Ok(Some(number));
    }
    let py = value.py();
    // A subclass of a number, such as an enumeration, has a type of its own.
    let is_array = value.cast::<PyUntypedArray>().is_ok()
        || value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PyFloat>()
        || value.is_instance_of::<PyInt>()
        || value.hasattr(intern!(py, "__array__"))?;
    if !is_array {
        return Ok(None);
    }
    from_numpy(value).map(|array| Some(Given::Array(array)))
}

/// Whether the value is a tensor or a Python number, which need no conversion.
pub(super) fn is_operand(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyTensor>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyInt>()
}

/// As `classify`; what cannot be an operand is an error.
pub(super) fn expect<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
) -> PyResult<Given<'a, 'py>> {
    match classify(value)? {
        Some(given) => Ok(given),
        // NumPy says best why it cannot make an array of it.
        None => from_numpy(value).map(Given::Array),
    }
}

/// The array of a number's own kind.
fn array_of(number: Scalar) -> Result<NdArray> {
    let dtype = match number {
        Scalar::Bool(_) => DType::Bool,
        Scalar::Int(_) => DType::I64,
        Scalar::Float(_) => DType::F64,
    };
    NdArray::full(&[], number, dtype)
}

/// An operand that may cross into detached code.
enum Sent {
    Handle(Handle),
    Number(Scalar),
    Large(Large),
    Array(NdArray),
}

impl Sent {
    /// The operand in the record: handles are checked, arrays become constants, and
    /// integers beyond `i64` what they are beside operands of a type.
    fn place(
        &self,
        arena: &mut Arena,
        op: &'static str,
        beside: Option<DType>,
        site: u32,
    ) -> Result<Arg<u32>> {
        match self {
            Sent::Handle(handle) => handle.check(arena, op).map(Arg::Value),
            Sent::Number(number) => Ok(Arg::Number(*number)),
            Sent::Large(number) => number.beside(op, beside).map(Arg::Number),
            Sent::Array(array) => {
                arena.source(&Op::Constant, array, None, site).map(Arg::Value)
            }
        }
    }
}

/// The type of the operands that an integer beyond `i64` stands beside; `None` if there
/// is no such integer, or nothing beside it.
fn beside(sent: &[Sent], arena: &Arena, op: &'static str) -> Result<Option<DType>> {
    if !sent.iter().any(|x| matches!(x, Sent::Large(_))) {
        return Ok(None);
    }
    // What a choice is made by is not among what it chooses from.
    let condition = usize::from(op == Tag::Where.name());
    let mut common = None;
    for x in &sent[condition..] {
        let dtype = common.unwrap_or(DType::Bool);
        common = Some(match x {
            Sent::Handle(handle) => {
                dtype.promote(arena.ty(handle.check(arena, op)?).dtype)
            }
            Sent::Number(number) => number.promote(dtype),
            Sent::Array(array) => dtype.promote(array.dtype()),
            Sent::Large(_) => continue,
        });
    }
    Ok(common)
}

/// The node of an operand; a number becomes a constant.
pub(super) fn node(arena: &mut Arena, operand: Arg<u32>, site: u32) -> Result<u32> {
    match operand {
        Arg::Value(node) => Ok(node),
        Arg::Number(number) => {
            arena.source(&Op::Constant, &array_of(number)?, None, site)
        }
    }
}

/// What a function does in a record with its operands, at a site: the nodes of its
/// results.
type Run<'a> = dyn FnMut(&mut Arena, &[Arg<u32>], u32) -> Result<Nodes> + Send + 'a;
type Nodes = SmallVec<[u32; 3]>;
type Results<'py> = SmallVec<[Bound<'py, PyAny>; 3]>;

/// Applies `f` to the operands: in the record of the tensors among them, or, if there
/// are none, at once, as `NumPy` does.
pub(super) fn call<'py>(
    py: Python<'py>,
    op: &'static str,
    operands: &[&Bound<'py, PyAny>],
    f: impl FnOnce(&mut Arena, &[Arg<u32>], u32) -> Result<u32> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    call_with(py, op, operands, Work::Short, f)
}

/// As `call`, where the work may be more than what the operands ask for.
pub(super) fn call_with<'py>(
    py: Python<'py>,
    op: &'static str,
    operands: &[&Bound<'py, PyAny>],
    work: Work,
    f: impl FnOnce(&mut Arena, &[Arg<u32>], u32) -> Result<u32> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let [result] = call_many(py, op, operands, work, |arena, x, site| {
        f(arena, x, site).map(|node| [node])
    })?;
    Ok(result)
}

/// As `call_with`, of a function with `N` results.
pub(super) fn call_many<'py, const N: usize>(
    py: Python<'py>,
    op: &'static str,
    operands: &[&Bound<'py, PyAny>],
    work: Work,
    f: impl FnOnce(&mut Arena, &[Arg<u32>], u32) -> Result<[u32; N]> + Send,
) -> PyResult<[Bound<'py, PyAny>; N]> {
    let mut f = Some(f);
    let mut run = |arena: &mut Arena, x: &[Arg<u32>], site| {
        let f = f.take().expect("a function runs once");
        f(arena, x, site).map(Nodes::from_iter)
    };
    let mut results = apply(py, op, operands, work, &mut run)?.into_iter();
    Ok(from_fn(|_| results.next().expect("there is a result for each node")))
}

/// As `call_many`, compiled once: as a part of each function it was a sixth of the package.
fn apply<'py>(
    py: Python<'py>,
    op: &'static str,
    operands: &[&Bound<'py, PyAny>],
    mut work: Work,
    f: &mut Run<'_>,
) -> PyResult<Results<'py>> {
    let mut record: Option<Bound<'py, PyRecord>> = None;
    let mut sent: SmallVec<[Sent; 3]> = SmallVec::new();
    for value in operands {
        sent.push(match expect(value)? {
            Given::Tensor(tensor) => {
                let tensor = tensor.get();
                match &record {
                    Some(record) => expect_record(py, op, tensor, record)?,
                    None => record = Some(tensor.record.bind(py).clone()),
                }
                let handle = tensor.handle(py);
                work = work.and(handle.node);
                Sent::Handle(handle)
            }
            Given::Number(number) => Sent::Number(number),
            Given::Large(number) => Sent::Large(number),
            Given::Array(array) => {
                if let long @ Work::Long = Work::on_array(&array) {
                    work = long;
                }
                Sent::Array(array)
            }
        });
    }
    let Some(record) = record else { return at_once(py, op, &sent, work, f) };
    let new_nodes = sent.iter().any(|x| !matches!(x, Sent::Handle(_)));
    let handles: SmallVec<[Handle; 3]> =
        record.get().run_at(py, op, work, |arena, site| {
            let (len, start) = (arena.len(), new_nodes.then(|| arena.mark()));
            let mut placed: SmallVec<[Arg<u32>; 3]> = SmallVec::new();
            let result = beside(&sent, arena, op)
                .and_then(|beside| {
                    let mut places =
                        sent.iter().map(|x| x.place(arena, op, beside, site));
                    places.try_for_each(|x| x.map(|x| placed.push(x)))
                })
                .and_then(|()| f(arena, &placed, site));
            let nodes = match start {
                Some(start) => arena.keep_or_undo(&start, result),
                None => result,
            }?;
            Ok(match *nodes {
                [node] => smallvec![Handle::of_result(arena, node, site, len)?],
                _ => nodes
                    .into_iter()
                    .map(|node| Handle::another(arena, node))
                    .collect::<Result<_>>()?,
            })
        })?;
    let results = handles.into_iter().map(|handle| tensor(&record, handle));
    results.map(|x| x.map(Bound::into_any)).collect()
}

/// Evaluates a function of no tensors.
fn at_once<'py>(
    py: Python<'py>,
    op: &'static str,
    sent: &[Sent],
    work: Work,
    f: &mut Run<'_>,
) -> PyResult<Results<'py>> {
    let mut compute = || -> Result<SmallVec<[NdArray; 3]>> {
        let mut arena = Arena::new();
        let mut only_numbers = !sent.iter().any(|x| matches!(x, Sent::Array(_)));
        let beside = beside(sent, &arena, op)?;
        let mut placed: SmallVec<[Arg<u32>; 3]> = SmallVec::new();
        for x in sent {
            let mut x = x.place(&mut arena, op, beside, 0)?;
            // Of several numbers the first gives the others their type.
            if std::mem::take(&mut only_numbers) {
                x = Arg::Value(node(&mut arena, x, 0)?);
            }
            placed.push(x);
        }
        let nodes = f(&mut arena, &placed, 0)?;
        nodes.into_iter().map(|node| arena.data(node)).collect()
    };
    let result = match work {
        Work::Long => detached(py, compute),
        _ => compute(),
    };
    let arrays = plain(py, result.map_err(unplaced))?;
    let shown = |array: &NdArray| {
        let array = to_numpy(py, array)?;
        if array.getattr(intern!(py, "ndim"))?.extract::<usize>()? == 0 {
            return unwrap_scalar(array);
        }
        Ok(array)
    };
    arrays.iter().map(shown).collect()
}

/// An error whose nodes no user has seen.
fn unplaced(error: Error) -> Error {
    Error::new(error.fault().clone().without_labels())
}

/// Whether the value is an integer of Python's, NumPy's or anyone's, but no boolean:
/// both kinds of `bool` would pass for 0 and 1.
pub(super) fn is_index(value: &Bound<'_, PyAny>) -> bool {
    if value.is_exact_instance_of::<PyInt>() {
        return true;
    }
    // SAFETY: the thread is attached and the object alive.
    let has_index = unsafe { ffi::PyIndex_Check(value.as_ptr()) != 0 };
    has_index && !is_truth_value(value)
}

/// The items of a sequence of sizes or axes; `None` if the value is to be one of them.
pub(super) fn several<'py>(
    value: &Bound<'py, PyAny>,
) -> Option<Bound<'py, PyIterator>> {
    // Most are, and that they have no items would be told by an exception.
    if value.is_exact_instance_of::<PyInt>() {
        return None;
    }
    value.try_iter().ok()
}

/// Whether the value is a boolean of Python's or NumPy's.
pub(super) fn is_truth_value(value: &Bound<'_, PyAny>) -> bool {
    value.get_type().name().is_ok_and(|name| name == "bool")
}
