//! What the package and its tools ask of the engine: arrays, ops, memory.

use crate::python::array::{from_numpy, to_numpy};
use crate::python::grad::PyGrad;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Steps of gradient descent, `parameter - rate * gradient`: a read-only array for each
/// tensor of the gradient's record, by its rate. Nothing is recorded.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> from wengert import _core
/// >>> rec = wengert.ComputationRecord()
/// >>> x = rec.tensor_from_value([1.0, 2.0])
/// >>> _core.descend((x * x).sum().grad(), [x], [0.1])
/// [array([0.8, 1.6])]
#[pyfunction]
#[pyo3(signature = (gradient, parameters, rates, /))]
fn descend<'py>(
    gradient: &Bound<'py, PyGrad>,
    parameters: &Bound<'py, PyList>,
    rates: Vec<f64>,
) -> PyResult<Bound<'py, PyList>> {
    let py = gradient.py();
    let next = gradient.get().descend(py, parameters, &rates)?;
    let arrays = PyList::empty(py);
    for array in &next {
        arrays.append(to_numpy(py, array)?)?;
    }
    Ok(arrays)
}

/// The printed form of an array in Rust: elements, shape, strides and layout.
///
/// `array` is an array_like; for a tensor give its data().
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.debug([1.0, 2.0])
/// 'NdArray([1.0, 2.0], shape=[2], strides=[1], layout=C | F (0x3), dynamic ndim=1)'
#[pyfunction]
#[pyo3(signature = (array, /))]
fn debug(array: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(format!("{:?}", from_numpy(array)?))
}

/// A read-only array with the elements of an array_like, which later records share
/// instead of copying it.
///
/// Arrays of up to 1 KiB are copied all the same. What this package made is not copied
/// here either.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> from wengert import _core
/// >>> _core.freeze([1.0, 2.0]).flags.writeable
/// False
#[pyfunction]
#[pyo3(signature = (array, /))]
fn freeze<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let ours = from_numpy(array)?;
    to_numpy(array.py(), &ours)
}

/// Every op of records, as dicts with its name, its tier, whether it is differentiable,
/// whether it takes integers, and what it computes if no function of its name does.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> from wengert import _core
/// >>> _core.op_table()[0]["name"]
/// 'tensor'
#[pyfunction]
fn op_table(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let rows = PyList::empty(py);
    for op in crate::op_table() {
        let row = PyDict::new(py);
        row.set_item("name", op.name)?;
        row.set_item("tier", op.tier)?;
        row.set_item("differentiable", op.differentiable)?;
        row.set_item("takes_integers", op.takes_integers)?;
        row.set_item("about", op.about)?;
        rows.append(row)?;
    }
    Ok(rows)
}

/// Bytes of idle memory that this thread and the process keep for reuse.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.release_pool()
/// >>> wengert.pool_bytes()
/// 0
#[pyfunction]
fn pool_bytes() -> usize {
    crate::array::pool_bytes()
}

/// Bytes of idle memory that the process keeps for reuse at most: 1 GiB, unless it was
/// set.
///
/// Each thread keeps at most 16 MiB of blocks of up to 256 KiB beside it, or the limit
/// if that is less.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.pool_limit() >= 0
/// True
#[pyfunction]
fn pool_limit() -> usize {
    crate::array::pool_limit()
}

/// Limit the idle memory that is kept for reuse, in bytes, and free what is above the
/// limit.
///
/// Other threads free theirs when next they return memory. Memory in use does not
/// count. OverflowError for a negative limit.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> before = wengert.pool_limit()
/// >>> wengert.set_pool_limit(64 << 20)
/// >>> wengert.pool_limit()
/// 67108864
/// >>> wengert.set_pool_limit(before)
#[pyfunction]
#[pyo3(signature = (limit, /))]
fn set_pool_limit(limit: usize) {
    crate::array::set_pool_limit(limit);
}

/// Free the idle memory of this thread and of the process.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.release_pool()
/// >>> wengert.pool_bytes()
/// 0
#[pyfunction]
fn release_pool() {
    crate::array::release_pool();
}

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! {
        descend debug freeze op_table pool_bytes pool_limit set_pool_limit release_pool
    }
    Ok(())
}
