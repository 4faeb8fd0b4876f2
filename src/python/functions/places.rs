//! Functions that read and write elements at integer positions.

use crate::python::operand::{call, node};
use pyo3::prelude::*;

type Result<'py> = PyResult<Bound<'py, PyAny>>;

/// The parts at integer positions along an axis, or without one of the elements in C
/// order.
///
/// `x` is a tensor or array_like, `indices` one of int64, whose axes stand in the place
/// of the axis. Positions may repeat, and their gradients add up; negative ones count
/// from the end, OutOfRangeError beyond it.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.take([10.0, 20.0, 30.0], [2, 0, -1])
/// array([30., 10., 30.])
#[pyfunction]
#[pyo3(signature = (x, indices, /, axis=None))]
pub(in crate::python) fn take<'py>(
    x: &Bound<'py, PyAny>,
    indices: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> Result<'py> {
    call(x.py(), "take", &[x, indices], |arena, x, site| {
        let (x, indices) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
        arena.take(x, indices, axis, site)
    })
}

/// The elements at integer positions along an axis; the other axes broadcast.
///
/// `x` is a tensor or array_like, `indices` one of int64 with as many axes. With the
/// axis None the positions are those of the elements in C order. Positions may repeat,
/// and their gradients add up; OutOfRangeError beyond the ends.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.take_along_axis([[3.0, 1.0], [5.0, 7.0]], [[1], [0]])
/// array([[1.],
///        [5.]])
#[pyfunction]
#[pyo3(signature = (x, indices, /, axis=Some(-1)),
       text_signature = "(x, indices, /, axis=-1)")]
fn take_along_axis<'py>(
    x: &Bound<'py, PyAny>,
    indices: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> Result<'py> {
    call(x.py(), "take_along_axis", &[x, indices], |arena, x, site| {
        let (x, indices) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
        arena.take_along(x, indices, axis, true, site)
    })
}

/// The elements at integer positions along an axis.
///
/// `x` is a tensor or array_like, `indices` one of int64 with as many axes, which on
/// the other axes reaches no farther than `x`, of which it may leave out the end.
/// Positions may repeat, and their gradients add up; OutOfRangeError beyond the ends.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.gather([[3.0, 1.0], [5.0, 7.0]], [[1, 1]])
/// array([[1., 1.]])
#[pyfunction]
#[pyo3(signature = (x, indices, /, axis=-1), text_signature = "(x, indices, /, axis=-1)")]
fn gather<'py>(
    x: &Bound<'py, PyAny>,
    indices: &Bound<'py, PyAny>,
    axis: isize,
) -> Result<'py> {
    call(x.py(), "gather", &[x, indices], |arena, x, site| {
        let (x, indices) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
        arena.take_along(x, indices, Some(axis), false, site)
    })
}

/// `x` with values added at integer positions along an axis, in their order: the same
/// sum each time, however often a position occurs.
///
/// `x` is a tensor or array_like, `indices` one of int64 with as many axes, and
/// `values` has the shape of `indices`. OutOfRangeError for a position beyond the ends.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.scatter_add([0.0, 0.0, 0.0], [0, 2, 0], [1.0, 2.0, 3.0])
/// array([4., 0., 2.])
#[pyfunction]
#[pyo3(signature = (x, indices, values, /, axis=-1),
       text_signature = "(x, indices, values, /, axis=-1)")]
fn scatter_add<'py>(
    x: &Bound<'py, PyAny>,
    indices: &Bound<'py, PyAny>,
    values: &Bound<'py, PyAny>,
    axis: isize,
) -> Result<'py> {
    call(x.py(), "scatter_add", &[x, indices, values], |arena, x, site| {
        let (a, indices) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
        let values = node(arena, x[2], site)?;
        arena.scatter_add(a, indices, values, axis, site)
    })
}

/// `x` with values at integer positions along an axis; the other axes broadcast.
///
/// Unlike NumPy's function it changes nothing, but gives the result. `x`, `indices` of
/// int64 with as many axes, and `values`, which broadcasts to them, are tensors or
/// array_like. With the axis None the positions are those of the elements in C order.
/// Where positions repeat the last value stays, and has the gradient. OutOfRangeError
/// beyond the ends; DTypeError if `x` holds no floats and `values` does.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.put_along_axis([[3.0, 1.0], [5.0, 7.0]], [[1], [0]], 9.0)
/// array([[3., 9.],
///        [9., 7.]])
#[pyfunction]
#[pyo3(signature = (x, indices, values, /, axis=Some(-1)),
       text_signature = "(x, indices, values, /, axis=-1)")]
fn put_along_axis<'py>(
    x: &Bound<'py, PyAny>,
    indices: &Bound<'py, PyAny>,
    values: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> Result<'py> {
    call(x.py(), "put_along_axis", &[x, indices, values], |arena, x, site| {
        let (a, indices) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
        arena.put_along(a, indices, x[2], axis, true, site)
    })
}

/// `x` with values at integer positions along an axis.
///
/// `x` is a tensor or array_like, `indices` one of int64 with as many axes, which on
/// the other axes reaches no farther than `x`, and `values` broadcasts to them. Where
/// positions repeat the last value stays, and has the gradient; `scatter_add` adds them.
/// OutOfRangeError beyond the ends; DTypeError if `x` holds no floats and `values` does.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.scatter([0.0, 0.0, 0.0], [0, 2, 0], [1.0, 2.0, 3.0])
/// array([3., 0., 2.])
#[pyfunction]
#[pyo3(signature = (x, indices, values, /, axis=-1),
       text_signature = "(x, indices, values, /, axis=-1)")]
fn scatter<'py>(
    x: &Bound<'py, PyAny>,
    indices: &Bound<'py, PyAny>,
    values: &Bound<'py, PyAny>,
    axis: isize,
) -> Result<'py> {
    call(x.py(), "scatter", &[x, indices, values], |arena, x, site| {
        let (a, indices) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
        arena.put_along(a, indices, x[2], Some(axis), false, site)
    })
}

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! { take take_along_axis gather put_along_axis scatter scatter_add }
    Ok(())
}
