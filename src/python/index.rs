//! What stands between the brackets of `x[...]`.

use super::array::from_numpy;
use super::error::raise;
use super::handle::Handle;
use super::operand::{is_index, is_truth_value, node};
use super::record::{PyRecord, expect_record};
use super::tensor::PyTensor;
use super::work::Work;
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::Result;
use crate::ops::emit::Arg;
use crate::record::{Arena, Index, NodeIndex};
use numpy::PyUntypedArray;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyEllipsis, PyList, PyRange, PySlice, PyString, PyTuple};
use smallvec::SmallVec;

/// An index, and the handles of the tensors in it.
pub(super) struct Key {
    parts: SmallVec<[Part; 4]>,
}

enum Part {
    Ready(Index),
    Handle(Handle),
}

impl Key {
    /// Applies the index to a node.
    pub(super) fn apply(&self, arena: &mut Arena, x: u32, site: u32) -> Result<u32> {
        let parts = self.parts(arena)?;
        arena.index(x, &parts, site)
    }

    /// Puts values where the index selects of a tensor.
    pub(super) fn assign(
        &self,
        arena: &mut Arena,
        x: Arg<u32>,
        values: Arg<u32>,
        site: u32,
    ) -> Result<u32> {
        let x = node(arena, x, site)?;
        let parts = self.parts(arena)?;
        arena.assign(x, &parts, values, site)
    }

    /// The work of gathering as many elements as the key names.
    pub(super) fn work(&self) -> Work {
        self.parts.iter().fold(Work::Short, |work, part| match part {
            Part::Handle(handle) => work.and(handle.node),
            Part::Ready(Index::Array(array)) => match Work::on_array(array) {
                Work::Long => Work::Long,
                _ => work,
            },
            Part::Ready(_) => work,
        })
    }

    fn parts(&self, arena: &Arena) -> Result<SmallVec<[Index; 4]>> {
        let parts = self.parts.iter().map(|part| match part {
            Part::Ready(index) => Ok(index.clone()),
            Part::Handle(handle) => {
                handle.check(arena, "index").map(|node| Index::Node(NodeIndex(node)))
            }
        });
        parts.collect()
    }
}

/// Reads an index for a tensor of `record`.
pub(super) fn parse<'py>(
    key: &Bound<'py, PyAny>,
    record: &Bound<'py, PyRecord>,
) -> PyResult<Key> {
    let mut parts = SmallVec::new();
    match key.cast::<PyTuple>() {
        Ok(tuple) => {
            for item in tuple.iter() {
                parts.push(part(&item, record)?);
            }
        }
        Err(_) => parts.push(part(key, record)?),
    }
    Ok(Key { parts })
}

fn part<'py>(
    item: &Bound<'py, PyAny>,
    record: &Bound<'py, PyRecord>,
) -> PyResult<Part> {
    let py = item.py();
    let ready = |index| Ok(Part::Ready(index));
    if item.is_none() {
        return ready(Index::NewAxis);
    }
    if item.is_instance_of::<PyEllipsis>() {
        return ready(Index::Ellipsis);
    }
    if let Ok(slice) = item.cast::<PySlice>() {
        let end = |name: &Bound<'py, PyString>| -> PyResult<Option<isize>> {
            let value = slice.getattr(name)?;
            if value.is_none() { Ok(None) } else { clamped(&value).map(Some) }
        };
        let step = end(intern!(py, "step"))?.unwrap_or(1);
        let (start, stop) = (end(intern!(py, "start"))?, end(intern!(py, "stop"))?);
        return ready(Index::Slice { start, stop, step });
    }
    if let Ok(tensor) = item.cast_exact::<PyTensor>() {
        expect_record(py, "index", tensor.get(), record)?;
        return Ok(Part::Handle(tensor.get().handle(py)));
    }
    if is_array(item) {
        return ready(Index::Array(integers(item)?));
    }
    if is_index(item) {
        return ready(Index::At(clamped(item)?));
    }
    if is_truth_value(item) {
        // A mask without axes.
        return ready(Index::Array(integers(item)?));
    }
    let kind = item.get_type().name()?;
    let text = format!(
        "index: {item} ({kind}) is no index\n\
         hint: integers, slices, ..., None, masks and integer arrays are"
    );
    Err(raise(py, "OutOfRangeError", &text))
}

/// Whether `NumPy` takes the part of an index for an array.
fn is_array(item: &Bound<'_, PyAny>) -> bool {
    item.cast::<PyUntypedArray>().is_ok()
        || item.is_instance_of::<PyList>()
        || item.is_instance_of::<PyTuple>()
        || item.is_instance_of::<PyRange>()
}

/// An integer; beyond the machine's range the nearest within it, as slices take it.
fn clamped(value: &Bound<'_, PyAny>) -> PyResult<isize> {
    match value.extract::<isize>() {
        Ok(x) => Ok(x),
        Err(error)
            if error
                .is_instance_of::<pyo3::exceptions::PyOverflowError>(value.py()) =>
        {
            Ok(if value.lt(0)? { isize::MIN } else { isize::MAX })
        }
        Err(error) => Err(error),
    }
}

/// An array of positions, or a mask. `NumPy` makes an empty sequence one of floats.
fn integers(item: &Bound<'_, PyAny>) -> PyResult<NdArray> {
    let py = item.py();
    let array = from_numpy(item)?;
    match array.dtype() {
        DType::I64 | DType::Bool => Ok(array),
        _ if array.is_empty() && item.cast::<PyUntypedArray>().is_err() => {
            super::error::plain(py, array.cast(DType::I64))
        }
        dtype => {
            let text =
                format!("index: positions must be integers or a mask, not {dtype}");
            Err(raise(py, "OutOfRangeError", &text))
        }
    }
}
