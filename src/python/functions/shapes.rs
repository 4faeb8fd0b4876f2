//! Functions that show elements in another shape, or put arrays together.

use super::axes;
use crate::python::array::{checked_sizes, sizes};
use crate::python::operand::{call, node};
use pyo3::prelude::*;

/// The elements, in C order, by another shape, of which one size may be -1.
///
/// `x` is a tensor or array_like; nothing is copied where strides suffice. ShapeError
/// if the number of elements differs.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.reshape([[1, 2, 3], [4, 5, 6]], (3, -1))
/// array([[1, 2],
///        [3, 4],
///        [5, 6]])
#[pyfunction]
#[pyo3(signature = (x, /, shape))]
fn reshape<'py>(
    x: &Bound<'py, PyAny>,
    shape: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = sizes("reshape", shape)?;
    call(x.py(), "reshape", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.reshape(x, &shape, site)
    })
}

/// The axes permuted: axis `k` of the result is axis `axes[k]`; None reverses them.
///
/// `x` is a tensor or array_like; nothing is copied. ShapeError unless `axes` names
/// each axis once.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.transpose([[1, 2, 3], [4, 5, 6]])
/// array([[1, 4],
///        [2, 5],
///        [3, 6]])
#[pyfunction]
#[pyo3(signature = (x, /, axes=None))]
fn transpose<'py>(
    x: &Bound<'py, PyAny>,
    axes: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = self::axes("transpose", axes)?;
    call(x.py(), "transpose", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.transpose(x, axes.as_deref(), site)
    })
}

/// Two axes exchanged.
///
/// `x` is a tensor or array_like; nothing is copied. ShapeError for an axis that it
/// lacks.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.swapaxes([[1, 2, 3]], 0, 1).shape
/// (3, 1)
#[pyfunction]
#[pyo3(signature = (x, axis1, axis2, /))]
fn swapaxes<'py>(
    x: &Bound<'py, PyAny>,
    axis1: isize,
    axis2: isize,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "swapaxes", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.swapaxes(x, axis1, axis2, site)
    })
}

/// New axes of size 1, at positions of the result: an integer or a sequence of
/// integers.
///
/// `x` is a tensor or array_like; nothing is copied.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.expand_dims([1.0, 2.0], (0, 2)).shape
/// (1, 2, 1)
#[pyfunction]
#[pyo3(signature = (x, /, axis))]
fn expand_dims<'py>(
    x: &Bound<'py, PyAny>,
    axis: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = self::axes("expand_dims", Some(axis))?.unwrap_or_default();
    call(x.py(), "expand_dims", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.expand_dims(x, &axes, site)
    })
}

/// Without axes of size 1: those that `axis` names, or all.
///
/// `x` is a tensor or array_like; nothing is copied. ShapeError for an axis of another
/// size.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.squeeze([[[1.0], [2.0]]]).shape
/// (2,)
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
fn squeeze<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = axes("squeeze", axis)?;
    call(x.py(), "squeeze", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.squeeze(x, axes.as_deref(), site)
    })
}

/// Repeated along axes of size 1 and along new leading axes.
///
/// `x` is a tensor or array_like; nothing is copied. ShapeError unless its shape
/// broadcasts to `shape`.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.broadcast_to([1, 2], (2, 2))
/// array([[1, 2],
///        [1, 2]])
#[pyfunction]
#[pyo3(signature = (x, /, shape))]
fn broadcast_to<'py>(
    x: &Bound<'py, PyAny>,
    shape: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = checked_sizes("broadcast_to", shape)?;
    call(x.py(), "broadcast_to", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.broadcast_to(x, &shape, site)
    })
}

/// The operands of a sequence.
fn items<'py>(parts: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    parts.try_iter()?.collect()
}

/// The tensors behind one another along an axis.
///
/// `tensors` is a sequence of tensors or array_likes whose other sizes are the same,
/// ShapeError otherwise; their types promote as NumPy's.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.concatenate([[1, 2], [3]])
/// array([1, 2, 3])
#[pyfunction]
#[pyo3(signature = (tensors, /, axis=0))]
fn concatenate<'py>(
    tensors: &Bound<'py, PyAny>,
    axis: isize,
) -> PyResult<Bound<'py, PyAny>> {
    let items = items(tensors)?;
    let operands: Vec<_> = items.iter().collect();
    call(tensors.py(), "concatenate", &operands, |arena, x, site| {
        let parts = x.iter().map(|&x| node(arena, x, site));
        let parts = parts.collect::<crate::error::Result<Vec<u32>>>()?;
        arena.concatenate(&parts, axis, site)
    })
}

/// The tensors, of one shape, along a new axis.
///
/// `tensors` is a sequence of tensors or array_likes; ShapeError if their shapes
/// differ. Their types promote as NumPy's.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.stack([[1, 2], [3, 4]], axis=1)
/// array([[1, 3],
///        [2, 4]])
#[pyfunction]
#[pyo3(signature = (tensors, /, axis=0))]
fn stack<'py>(tensors: &Bound<'py, PyAny>, axis: isize) -> PyResult<Bound<'py, PyAny>> {
    let items = items(tensors)?;
    let operands: Vec<_> = items.iter().collect();
    call(tensors.py(), "stack", &operands, |arena, x, site| {
        let parts = x.iter().map(|&x| node(arena, x, site));
        let parts = parts.collect::<crate::error::Result<Vec<u32>>>()?;
        arena.stack(&parts, axis, site)
    })
}

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! {
        reshape transpose swapaxes expand_dims squeeze broadcast_to concatenate stack
    }
    Ok(())
}
