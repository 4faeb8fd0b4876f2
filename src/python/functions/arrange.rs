//! Functions that rearrange elements: parts, order, repetition, margins.

use super::axes;
use crate::python::array::{
    both_ends, checked_size, checked_sizes, dtype_of, from_numpy,
};
use crate::python::error::raise;
use crate::python::operand::{call, call_with, is_index, node, several};
use crate::python::tensor::PyTensor;
use crate::python::work::Work;
use crate::record::Padding;
use crate::shape;
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

type Result<'py> = PyResult<Bound<'py, PyAny>>;

/// The sizes of the axes of anything.
fn shape_of(x: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    if x.is_exact_instance_of::<PyTensor>() {
        return x.getattr("shape")?.extract();
    }
    Ok(from_numpy(x)?.shape().to_vec())
}

/// One integer, or several.
fn integers(value: &Bound<'_, PyAny>) -> PyResult<Vec<isize>> {
    match several(value) {
        Some(items) => items.map(|item| item?.extract()).collect(),
        None => Ok(vec![value.extract()?]),
    }
}

/// The elements in reverse order along axes; None reverses all.
///
/// `x` is a tensor or array_like; nothing is copied. ShapeError for an axis that it
/// lacks.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.flip([[1, 2], [3, 4]], axis=1)
/// array([[2, 1],
///        [4, 3]])
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
fn flip<'py>(x: &Bound<'py, PyAny>, axis: Option<&Bound<'py, PyAny>>) -> Result<'py> {
    let axes = axes("flip", axis)?;
    call(x.py(), "flip", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.flip(x, axes.as_deref(), site)
    })
}

/// The elements shifted along axes; those beyond the end come in at the start.
///
/// `x` is a tensor or array_like. `shift` and `axis` are integers, or sequences of as
/// many, ShapeError otherwise; without an axis the elements are shifted in C order.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.roll([1, 2, 3, 4], 1)
/// array([4, 1, 2, 3])
#[pyfunction]
#[pyo3(signature = (x, /, shift, axis=None))]
fn roll<'py>(
    x: &Bound<'py, PyAny>,
    shift: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
) -> Result<'py> {
    let (shifts, axes) = (integers(shift)?, axes("roll", axis)?);
    call(x.py(), "roll", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.roll(x, &shifts, axes.as_deref(), site)
    })
}

/// The array repeated as a whole: `reps` times along each axis.
///
/// `x` is a tensor or array_like; `reps` is an integer or a sequence of integers.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.tile([1, 2], (2, 2))
/// array([[1, 2, 1, 2],
///        [1, 2, 1, 2]])
#[pyfunction]
#[pyo3(signature = (x, reps, /))]
fn tile<'py>(x: &Bound<'py, PyAny>, reps: &Bound<'py, PyAny>) -> Result<'py> {
    let counts = checked_sizes("tile", reps)?;
    call_with(x.py(), "tile", &[x], Work::Long, |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.tile(x, &counts, site)
    })
}

/// Each element repeated along an axis, or without one in C order.
///
/// `x` is a tensor or array_like; `repeats` is one integer, or one for each element of
/// the axis.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.repeat([1, 2], 2)
/// array([1, 1, 2, 2])
/// >>> wengert.repeat([1, 2], [3, 1])
/// array([1, 1, 1, 2])
#[pyfunction]
#[pyo3(signature = (x, repeats, /, axis=None))]
fn repeat<'py>(
    x: &Bound<'py, PyAny>,
    repeats: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> Result<'py> {
    let counts = checked_sizes("repeat", repeats)?;
    call_with(x.py(), "repeat", &[x], Work::Long, |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.repeat(x, &counts, axis, site)
    })
}

/// Axes moved to other positions; the others keep their order.
///
/// `x` is a tensor or array_like; nothing is copied. `source` and `destination` are
/// integers, or sequences of as many.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.moveaxis([[[1, 2, 3]]], 0, -1).shape
/// (1, 3, 1)
#[pyfunction]
#[pyo3(signature = (x, source, destination, /))]
fn moveaxis<'py>(
    x: &Bound<'py, PyAny>,
    source: &Bound<'py, PyAny>,
    destination: &Bound<'py, PyAny>,
) -> Result<'py> {
    let from = axes("moveaxis", Some(source))?.unwrap_or_default();
    let to = axes("moveaxis", Some(destination))?.unwrap_or_default();
    call(x.py(), "moveaxis", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.moveaxis(x, &from, &to, site)
    })
}

/// The elements at equal positions of two axes, as a new last axis.
///
/// `x` is a tensor or array_like with at least two axes; nothing is copied. `offset` is
/// the position in the second axis less that in the first.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.diagonal([[1, 2], [3, 4]])
/// array([1, 4])
#[pyfunction]
#[pyo3(signature = (x, /, offset=0, axis1=0, axis2=1))]
pub(in crate::python) fn diagonal<'py>(
    x: &Bound<'py, PyAny>,
    offset: isize,
    axis1: isize,
    axis2: isize,
) -> Result<'py> {
    call(x.py(), "diagonal", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.diagonal(x, offset, (axis1, axis2), site)
    })
}

/// The diagonal of a matrix, or a matrix with a vector on its diagonal.
///
/// `x` is a tensor or array_like of one or two axes, ShapeError otherwise; `k` is the
/// column less the row.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.diag([1, 2])
/// array([[1, 0],
///        [0, 2]])
/// >>> wengert.diag([[1, 2], [3, 4]], k=1)
/// array([2])
#[pyfunction]
#[pyo3(signature = (x, /, k=0))]
fn diag<'py>(x: &Bound<'py, PyAny>, k: isize) -> Result<'py> {
    call(x.py(), "diag", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.diag(x, k, site)
    })
}

/// The matrices of the last two axes with 0 above the diagonal `k`.
///
/// `x` is a tensor or array_like; `k` is the column less the row. A vector is every row
/// of a square matrix. ShapeError if there is no axis.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.tril([[1, 2], [3, 4]])
/// array([[1, 0],
///        [3, 4]])
#[pyfunction]
#[pyo3(signature = (x, /, k=0))]
fn tril<'py>(x: &Bound<'py, PyAny>, k: isize) -> Result<'py> {
    call(x.py(), "tril", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.triangle(x, k, false, site)
    })
}

/// The matrices of the last two axes with 0 below the diagonal `k`.
///
/// `x` is a tensor or array_like; `k` is the column less the row. A vector is every row
/// of a square matrix. ShapeError if there is no axis.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.triu([[1, 2], [3, 4]])
/// array([[1, 2],
///        [0, 4]])
#[pyfunction]
#[pyo3(signature = (x, /, k=0))]
fn triu<'py>(x: &Bound<'py, PyAny>, k: isize) -> Result<'py> {
    call(x.py(), "triu", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.triangle(x, k, true, site)
    })
}

macro_rules! at_least {
    ($($(#[$doc:meta])* $name:ident $ndim:literal;)*) => { $(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (x, /))]
        fn $name<'py>(x: &Bound<'py, PyAny>) -> Result<'py> {
            call(x.py(), stringify!($name), &[x], |arena, x, site| {
                let x = node(arena, x[0], site)?;
                arena.atleast(x, $ndim, site)
            })
        }
    )* };
}
at_least! {
    /// The tensor or array_like with at least one axis.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.atleast_1d(3.0)
    /// array([3.])
    atleast_1d 1;
    /// The tensor or array_like with at least two axes; a vector becomes a row.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.atleast_2d([1.0, 2.0]).shape
    /// (1, 2)
    atleast_2d 2;
    /// The tensor or array_like with at least three axes; of a vector the middle one,
    /// of a matrix the first two are its own.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.atleast_3d([1.0, 2.0]).shape
    /// (1, 2, 1)
    atleast_3d 3;
}

/// The array in parts along an axis: in so many equal ones, or cut before each of the
/// given positions.
///
/// `x` is a tensor or array_like; nothing is copied. ShapeError if equal parts do not
/// fit.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.split([1.0, 2.0, 3.0], [1])
/// [array([1.]), array([2., 3.])]
#[pyfunction]
#[pyo3(signature = (x, indices_or_sections, /, axis=0))]
fn split<'py>(
    x: &Bound<'py, PyAny>,
    indices_or_sections: &Bound<'py, PyAny>,
    axis: isize,
) -> PyResult<Bound<'py, PyList>> {
    let py = x.py();
    let sizes = shape_of(x)?;
    let axis = super::super::error::plain(py, shape::axis("split", axis, sizes.len()))?;
    let len = sizes[axis];
    let mut cuts: Vec<usize> = vec![0];
    if is_index(indices_or_sections) {
        let given = indices_or_sections.extract::<isize>()?;
        let sections = usize::try_from(given).unwrap_or(0);
        if sections == 0 || len % sections != 0 {
            let text = format!("split: {given} equal parts of {len} elements");
            return Err(raise(py, "ShapeError", &text));
        }
        if cuts.try_reserve_exact(sections).is_err() {
            return Err(PyMemoryError::new_err(format!("split: {sections} parts")));
        }
        cuts.extend((1..=sections).map(|k| k * (len / sections)));
    } else {
        let size = len.cast_signed();
        for cut in integers(indices_or_sections)? {
            let cut = if cut < 0 { cut + size } else { cut };
            cuts.push(cut.clamp(0, size).unsigned_abs());
        }
        cuts.push(len);
    }
    let parts = cuts.windows(2).map(|cut| {
        let (start, len) = (cut[0], cut[1].saturating_sub(cut[0]));
        call(py, "split", &[x], |arena, x, site| {
            let x = node(arena, x[0], site)?;
            arena.part(x, axis, start.min(arena.ty(x).shape[axis]), len, site)
        })
    });
    PyList::new(py, parts.collect::<PyResult<Vec<_>>>()?)
}

/// The coordinates of a grid: each vector along its own axis, repeated along the
/// others.
///
/// `xi` are tensors or array_likes. With `indexing="xy"` the first two axes are
/// exchanged, with "ij" they are not.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.meshgrid([1, 2], [3, 4], indexing="ij")[0]
/// array([[1, 1],
///        [2, 2]])
#[pyfunction]
#[pyo3(signature = (*xi, indexing="xy"))]
fn meshgrid<'py>(
    xi: &Bound<'py, pyo3::types::PyTuple>,
    indexing: &str,
) -> PyResult<Bound<'py, PyList>> {
    let py = xi.py();
    let exchange = match indexing {
        "xy" => xi.len() > 1,
        "ij" => false,
        other => {
            let text = format!("meshgrid: indexing is \"xy\" or \"ij\", not {other:?}");
            return Err(raise(py, "ShapeError", &text));
        }
    };
    let mut sizes = Vec::new();
    for x in xi {
        sizes.push(shape_of(&x)?.iter().product::<usize>());
    }
    let place = |k: usize| if exchange && k < 2 { 1 - k } else { k };
    let mut grid = vec![1; sizes.len()];
    for (k, &size) in sizes.iter().enumerate() {
        grid[place(k)] = size;
    }
    let mut out = Vec::new();
    for (k, x) in xi.iter().enumerate() {
        let mut column = vec![1; sizes.len()];
        column[place(k)] = sizes[k].cast_signed();
        out.push(call(py, "meshgrid", &[&x], |arena, x, site| {
            let x = node(arena, x[0], site)?;
            let start = arena.mark();
            let result = arena
                .reshape(x, &column, site)
                .and_then(|x| arena.broadcast_to(x, &grid, site));
            arena.keep_or_undo(&start, result).map_err(|error| error.called("meshgrid"))
        })?);
    }
    PyList::new(py, out)
}

/// 1 at each integer label along a new last axis of `classes` elements, otherwise 0.
///
/// `labels` is a tensor or array_like of int64, OutOfRangeError for one that is negative
/// or not below `classes`; the result is of `dtype`, by default float64, and has no
/// gradient.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.one_hot([0, 2], 3)
/// array([[1., 0., 0.],
///        [0., 0., 1.]])
#[pyfunction]
#[pyo3(signature = (labels, classes, /, dtype=None))]
fn one_hot<'py>(
    labels: &Bound<'py, PyAny>,
    classes: &Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
) -> Result<'py> {
    let classes = checked_size("one_hot", classes)?;
    let dtype = dtype.map(|dtype| dtype_of(labels.py(), dtype)).transpose()?;
    let dtype = dtype.unwrap_or(crate::dtype::DType::F64);
    call_with(labels.py(), "one_hot", &[labels], Work::Long, |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.one_hot(x, classes, dtype, site)
    })
}

/// The array with margins.
///
/// `x` is a tensor or array_like; `pad_width` is one number, a pair for before and
/// after, or a pair for each axis. `mode` is "constant", which writes
/// `constant_values`; "edge", which repeats the element at the edge; "reflect", which
/// mirrors at it; or "wrap", which goes on at the other end.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.pad([1.0, 2.0, 3.0], 2, mode="reflect")
/// array([3., 2., 1., 2., 3., 2., 1.])
#[pyfunction]
#[pyo3(signature = (x, pad_width, /, mode="constant", constant_values=0.0))]
fn pad<'py>(
    x: &Bound<'py, PyAny>,
    pad_width: &Bound<'py, PyAny>,
    mode: &str,
    constant_values: f64,
) -> Result<'py> {
    let py = x.py();
    let ndim = shape_of(x)?.len();
    let padding = match mode {
        "constant" => Padding::Constant(constant_values),
        "edge" => Padding::Edge,
        "reflect" => Padding::Reflect,
        "wrap" => Padding::Wrap,
        other => {
            let text = format!(
                "pad: mode is \"constant\", \"edge\", \"reflect\" or \"wrap\", \
                 not {other:?}"
            );
            return Err(raise(py, "ShapeError", &text));
        }
    };
    let widths = pad_widths(pad_width, ndim)?;
    call_with(py, "pad", &[x], Work::Long, |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.pad(x, &widths, padding, site)
    })
}

/// The widths of both ends of each axis, of which one pair stands for all.
fn pad_widths(given: &Bound<'_, PyAny>, ndim: usize) -> PyResult<Vec<(usize, usize)>> {
    // NumPy reads its keys as axes; here they would be widths.
    if given.is_instance_of::<PyDict>() {
        let text =
            "pad: pad_width is a number, a pair or a pair for each axis, not a dict";
        return Err(raise(given.py(), "DTypeError", text));
    }
    let items: Vec<_> = match given.try_iter() {
        Ok(items) => items.collect::<PyResult<_>>()?,
        Err(_) => return Ok(vec![both_ends("pad", given)?; ndim]),
    };
    if !items.is_empty() && items.iter().all(|item| item.try_iter().is_err()) {
        return Ok(vec![both_ends("pad", given)?; ndim]);
    }
    let pairs = items.iter().map(|item| both_ends("pad", item));
    let pairs = pairs.collect::<PyResult<Vec<_>>>()?;
    Ok(if let [pair] = *pairs { vec![pair; ndim] } else { pairs })
}

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! {
        flip roll tile repeat moveaxis diagonal diag tril triu atleast_1d atleast_2d
        atleast_3d split meshgrid one_hot pad
    }
    Ok(())
}
