//! Reductions beyond sums and maxima, running sums, and order.

use super::axes;
use crate::error::Result;
use crate::ops::along::TakeAlongAxis;
use crate::ops::emit::Arg;
use crate::python::array::checked_size;
use crate::python::operand::{call, call_with, node};
use crate::python::work::Work;
use crate::record::{Arena, Running};
use crate::shape;
use pyo3::prelude::*;
use smallvec::smallvec;

/// A reduction that is a composition.
pub(in crate::python) fn composed<'py>(
    op: &'static str,
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    f: impl FnOnce(&mut Arena, u32, Option<&[isize]>, u32) -> Result<u32> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = axes(op, axis)?;
    call(x.py(), op, &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        f(arena, x, axes.as_deref(), site)
    })
}

macro_rules! reductions {
    ($(
        $(#[$doc:meta])*
        $name:ident |$x:ident, $axes:ident, $keepdims:ident, $arena:ident, $site:ident|
        $body:expr;
    )*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (x, /, axis=None, keepdims=false))]
            pub(in crate::python) fn $name<'py>(
                x: &Bound<'py, PyAny>,
                axis: Option<&Bound<'py, PyAny>>,
                keepdims: bool,
            ) -> PyResult<Bound<'py, PyAny>> {
                let $keepdims = keepdims;
                composed(stringify!($name), x, axis, |$arena, $x, $axes, $site| $body)
            }
        )*

        fn add_reductions(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
}
reductions! {
    /// Median over axes: the middle of the sorted elements, or the mean of the two
    /// there; NaN if any is NaN.
    ///
    /// `x` is a tensor or array_like; integers are averaged as float64. The cotangent
    /// goes to the elements in the middle, of equal ones to those that `sort` puts there,
    /// or to a NaN. `axis` is None for all axes, an integer, or a sequence of integers;
    /// `keepdims` keeps the reduced axes with size 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.median([[3.0, 1.0, 2.0], [4.0, 9.0, 6.0]], axis=1)
    /// array([2., 6.])
    median |x, axes, keepdims, arena, site| arena.median(x, axes, keepdims, site);

    /// Whether any element over axes differs from 0; false of nothing.
    ///
    /// `x` is a tensor or array_like; the result is boolean and has no gradient. `axis`
    /// is None for all axes, an integer, or a sequence of integers; `keepdims` keeps
    /// the reduced axes with size 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.any([[0, 2], [0, 0]], axis=1)
    /// array([ True, False])
    any |x, axes, keepdims, arena, site| arena.any(x, axes, keepdims, false, site);

    /// Whether all elements over axes differ from 0; true of nothing.
    ///
    /// `x` is a tensor or array_like; the result is boolean and has no gradient. `axis`
    /// is None for all axes, an integer, or a sequence of integers; `keepdims` keeps
    /// the reduced axes with size 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.all([[1, 2], [3, 0]], axis=1)
    /// array([ True, False])
    all |x, axes, keepdims, arena, site| arena.any(x, axes, keepdims, true, site);

    /// Number of elements over axes that differ from 0.
    ///
    /// `x` is a tensor or array_like; the result is of int64 and has no gradient.
    /// `axis` is None for all axes, an integer, or a sequence of integers; `keepdims`
    /// keeps the reduced axes with size 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.count_nonzero([[1.0, 0.0], [3.0, 4.0]], axis=1)
    /// array([1, 2])
    count_nonzero |x, axes, keepdims, arena, site|
        arena.count_nonzero(x, axes, keepdims, site);
}

/// Variance over axes: the sum of the squared deviations from the mean, divided by the
/// count less `ddof`.
///
/// `x` is a tensor or array_like; integers are averaged as float64, float32 is added up
/// in float64. `axis` is None for all axes, an integer, or a sequence of integers;
/// `keepdims` keeps the reduced axes with size 1.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.var([[1.0, 3.0], [2.0, 6.0]], axis=1)
/// array([1., 4.])
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, ddof=0.0, keepdims=false))]
pub(in crate::python) fn var<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    ddof: f64,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    composed("var", x, axis, |arena, x, axes, site| {
        arena.var(x, axes, ddof, keepdims, site)
    })
}

/// Standard deviation over axes, the root of `var`.
///
/// `x` is a tensor or array_like; integers are averaged as float64. Where it is 0 the
/// gradient is 0. `axis` is None for all axes, an integer, or a sequence of integers;
/// `keepdims` keeps the reduced axes with size 1.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.std([[1.0, 3.0], [2.0, 6.0]], axis=1)
/// array([1., 2.])
#[pyfunction(name = "std")]
#[pyo3(signature = (x, /, axis=None, ddof=0.0, keepdims=false))]
pub(in crate::python) fn deviation<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    ddof: f64,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    composed("std", x, axis, |arena, x, axes, site| {
        arena.std(x, axes, ddof, keepdims, site)
    })
}

/// Norm of the vectors over axes: the root of order `ord` of the sum of the magnitudes
/// to that power.
///
/// `x` is a tensor or array_like; the result is of float type, float64 for integers.
/// For `inf` it is the largest magnitude, for `-inf` the smallest, for 0 the number of
/// elements that are not 0, without a gradient. Of nothing it is 0, `inf` for a
/// negative order, and ShapeError for `-inf`. Several axes hold one vector: there are no
/// matrix norms here.
///
/// An element that is 0 gets no gradient, nor does any if the norm is 0. Elements that
/// tie for `inf` or `-inf` share the cotangent equally.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.norm([[3.0, 4.0], [0.0, 2.0]], axis=1)
/// array([5., 2.])
/// >>> wengert.norm([[3.0, 4.0], [0.0, 2.0]], 1, axis=1)
/// array([7., 2.])
#[pyfunction]
#[pyo3(
    signature = (x, /, ord=2.0, axis=None, keepdims=false),
    text_signature = "(x, /, ord=2.0, axis=None, keepdims=False)"
)]
fn norm<'py>(
    x: &Bound<'py, PyAny>,
    ord: f64,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    composed("norm", x, axis, |arena, x, axes, site| {
        arena.norm(x, ord, axes, keepdims, site)
    })
}

/// Index of the largest element along an axis, or in C order over all; the first at
/// ties.
///
/// `x` is a tensor or array_like; a NaN is the largest. The result is of int64 and has
/// no gradient. ShapeError over no elements.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.argmax([[1.0, 5.0], [4.0, 2.0]], axis=1)
/// array([1, 0])
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
pub(in crate::python) fn argmax<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "argmax", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.argmax(x, axis, keepdims, site)
    })
}

/// Index of the smallest element along an axis, or in C order over all; the first at
/// ties.
///
/// `x` is a tensor or array_like; a NaN is the smallest. The result is of int64 and has
/// no gradient. ShapeError over no elements.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.argmin([[1.0, 5.0], [4.0, 2.0]], axis=1)
/// array([0, 1])
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
pub(in crate::python) fn argmin<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "argmin", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.argmin(x, axis, keepdims, site)
    })
}

fn running<'py>(
    running: Running,
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), running.name(), &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.running(running, x, axis, site)
    })
}

/// Sums of the elements along an axis up to each place; without an axis in C order.
///
/// `x` is a tensor or array_like; booleans are counted, as int64.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.cumsum([[1.0, 2.0], [3.0, 4.0]], axis=1)
/// array([[1., 3.],
///        [3., 7.]])
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
pub(in crate::python) fn cumsum<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    running(Running::Sum, x, axis)
}

/// Products of the elements along an axis up to each place; without an axis in C order.
///
/// `x` is a tensor or array_like; booleans are multiplied as int64. The gradient is
/// right where elements are 0.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.cumprod([1.0, 2.0, 3.0, 4.0])
/// array([ 1.,  2.,  6., 24.])
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
pub(in crate::python) fn cumprod<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    running(Running::Product, x, axis)
}

/// `log(cumsum(exp(x)))` along an axis, without overflow; without an axis in C order.
///
/// `x` is a tensor or array_like; the result is of float type, float64 for integers.
/// Up to each place the gradient is the softmax of the elements; while all are -inf none
/// gets any, but each of inf gets the whole cotangent.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.logcumsumexp([1000.0, 1000.0]).tolist()
/// [1000.0, 1000.6931471805599]
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
fn logcumsumexp<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    running(Running::LogSumExp, x, axis)
}

/// The elements along an axis in ascending order, NaN last; with the axis None in C
/// order.
///
/// `x` is a tensor or array_like. The cotangent of each element goes to where it came
/// from; equal elements keep their order.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.sort([[3.0, 1.0, 2.0]])
/// array([[1., 2., 3.]])
#[pyfunction]
#[pyo3(signature = (x, /, axis=Some(-1)), text_signature = "(x, /, axis=-1)")]
fn sort<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "sort", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.sort(x, axis, site)
    })
}

/// The positions that sort the elements along an axis, NaN last; with the axis None in
/// C order.
///
/// `x` is a tensor or array_like. Equal elements keep their order. The result is of
/// int64 and has no gradient.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.argsort([3.0, 1.0, 2.0])
/// array([1, 2, 0])
#[pyfunction]
#[pyo3(signature = (x, /, axis=Some(-1)), text_signature = "(x, /, axis=-1)")]
pub(in crate::python) fn argsort<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "argsort", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.argsort(x, axis, false, site)
    })
}

/// The `k` largest elements along an axis, the largest first, and their positions.
///
/// `x` is a tensor or array_like; the positions are of int64 and have no gradient. Of
/// equal elements the first counts; a NaN is larger than any number. The cotangents go to
/// the elements that were chosen. ShapeError if there are fewer than `k`.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.topk([1.0, 3.0, 2.0], 2)
/// (array([3., 2.]), array([1, 2]))
#[pyfunction]
#[pyo3(signature = (x, k, /, axis=-1), text_signature = "(x, k, /, axis=-1)")]
fn topk<'py>(
    x: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    axis: isize,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let k = checked_size("topk", k)?;
    let places = call(x.py(), "topk", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.topk_positions(x, k, axis, site)
    })?;
    let values = call(x.py(), "topk", &[x, &places], |arena, x, site| {
        let axis = match x[0] {
            Arg::Value(x) => shape::axis("topk", axis, arena.ty(x).shape.ndim())?,
            Arg::Number(_) => 0,
        };
        arena.apply(&TakeAlongAxis { axis }.into(), smallvec![x[0], x[1]], site)
    })?;
    Ok((values, places))
}

/// The distinct elements, ascending, with one axis; NaN last, once.
///
/// `x` is a tensor or array_like. The result is a constant: no gradient passes.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.unique([3, 1, 2, 1])
/// array([1, 2, 3])
#[pyfunction]
#[pyo3(signature = (x, /))]
fn unique<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "unique", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.unique(x, site)
    })
}

/// How often each integer from 0 on occurs in `x`; with `weights`, the sum of the
/// weights of its occurrences.
///
/// `x` holds integers that are not negative, OutOfRangeError otherwise, and `weights`
/// has its shape. There are at least `minlength` counts. Only the weights have a gradient.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.bincount([0, 2, 2, 5])
/// array([1, 0, 2, 0, 0, 1])
/// >>> wengert.bincount([0, 1, 1], weights=[0.5, 1.0, 2.0])
/// array([0.5, 3. ])
#[pyfunction]
#[pyo3(
    signature = (x, /, weights=None, minlength=None),
    text_signature = "(x, /, weights=None, minlength=0)"
)]
fn bincount<'py>(
    x: &Bound<'py, PyAny>,
    weights: Option<&Bound<'py, PyAny>>,
    minlength: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let minlength = minlength.map_or(Ok(0), |n| checked_size("bincount", n))?;
    let operands: Vec<_> = [Some(x), weights].into_iter().flatten().collect();
    call_with(x.py(), "bincount", &operands, Work::Long, |arena, given, site| {
        let x = node(arena, given[0], site)?;
        let weights = given.get(1).map(|&w| node(arena, w, site)).transpose()?;
        arena.bincount(x, weights, minlength, site)
    })
}

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_reductions(module)?;
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! {
        var deviation norm argmax argmin cumsum cumprod logcumsumexp sort argsort topk unique
        bincount
    }
    Ok(())
}
