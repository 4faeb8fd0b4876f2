//! Reductions beyond sums and maxima, running sums, and order.

use super::{axes, reduce};
use crate::error::Result;
use crate::ops::along::TakeAlongAxis;
use crate::ops::emit::Arg;
use crate::python::operand::{call, node};
use crate::record::{Arena, Reduction, Running};
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
            ///
            /// `axis` is None for all, an integer, or a sequence of them; `keepdims`
            /// keeps the reduced axes with size 1.
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
    median |x, axes, keepdims, arena, site| arena.median(x, axes, keepdims, site);

    /// Whether any element over axes differs from 0; false of nothing.
    any |x, axes, keepdims, arena, site| arena.any(x, axes, keepdims, false, site);

    /// Whether all elements over axes differ from 0; true of nothing.
    all |x, axes, keepdims, arena, site| arena.any(x, axes, keepdims, true, site);

    /// Number of elements over axes that differ from 0.
    count_nonzero |x, axes, keepdims, arena, site|
        arena.count_nonzero(x, axes, keepdims, site);
}

/// Smallest element over axes; NaN if any is NaN.
///
/// At ties the cotangent is split equally. `axis` is None for all, an integer, or a
/// sequence of them; `keepdims` keeps the reduced axes with size 1.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
fn min<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(x, Reduction::Min, axis, keepdims)
}

/// Product of the elements over axes; 1 over none.
///
/// The gradient is right where elements are 0. `axis` is None for all, an integer, or a
/// sequence of them; `keepdims` keeps the reduced axes with size 1.
///
/// >>> import wengert
/// >>> wengert.prod([[1.0, 2.0], [3.0, 4.0]], axis=0)
/// array([3., 8.])
#[pyfunction]
#[pyo3(signature = (x, /, axis=None, keepdims=false))]
fn prod<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    reduce(x, Reduction::Prod, axis, keepdims)
}

/// Variance over axes: the sum of the squared deviations from the mean, divided by the
/// count less `ddof`.
///
/// Integers are averaged as float64; float32 is added up in float64.
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

/// Standard deviation over axes, the root of `var`. Its gradient at 0 is 0.
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
/// For `inf` it is the largest magnitude, for `-inf` the smallest, for 0 the number of
/// elements that are not 0. Several axes hold one vector: there are no matrix norms
/// here. The gradient at 0 is 0.
///
/// >>> import wengert
/// >>> float(wengert.norm([3.0, 4.0])), float(wengert.norm([3.0, 4.0], 1))
/// (5.0, 7.0)
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

/// Index of the smallest element along an axis, or in C order over all; the first at
/// ties. It has no gradient.
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

/// Sums of the elements along an axis up to each place; None flattens. Booleans are
/// counted.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
pub(in crate::python) fn cumsum<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    running(Running::Sum, x, axis)
}

/// Products of the elements along an axis up to each place; None flattens.
///
/// The gradient is right where elements are 0.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
pub(in crate::python) fn cumprod<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    running(Running::Product, x, axis)
}

/// `log(cumsum(exp(x)))` along an axis, without overflow; None flattens.
#[pyfunction]
#[pyo3(signature = (x, /, axis=None))]
fn logcumsumexp<'py>(
    x: &Bound<'py, PyAny>,
    axis: Option<isize>,
) -> PyResult<Bound<'py, PyAny>> {
    running(Running::LogSumExp, x, axis)
}

/// The elements along an axis in ascending order, NaN last; None flattens.
///
/// The gradient of each element goes to where it came from; equal elements keep their
/// order.
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

/// The positions that sort the elements along an axis, NaN last; None flattens. Equal
/// elements keep their order. It has no gradient.
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
/// Of equal elements the first counts; a NaN is larger than any number.
///
/// >>> import wengert
/// >>> wengert.topk([1.0, 3.0, 2.0], 2)
/// (array([3., 2.]), array([1, 2]))
#[pyfunction]
#[pyo3(signature = (x, k, /, axis=-1), text_signature = "(x, k, /, axis=-1)")]
fn topk<'py>(
    x: &Bound<'py, PyAny>,
    k: usize,
    axis: isize,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
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

/// The distinct elements, ascending, as a constant without a gradient; NaN last, once.
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
/// There are at least `minlength` counts. Only the weights have a gradient.
#[pyfunction]
#[pyo3(signature = (x, /, weights=None, minlength=0))]
fn bincount<'py>(
    x: &Bound<'py, PyAny>,
    weights: Option<&Bound<'py, PyAny>>,
    minlength: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let operands: Vec<_> = [Some(x), weights].into_iter().flatten().collect();
    call(x.py(), "bincount", &operands, |arena, given, site| {
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
        min prod var deviation norm argmin cumsum cumprod logcumsumexp sort argsort topk unique
        bincount
    }
    Ok(())
}
