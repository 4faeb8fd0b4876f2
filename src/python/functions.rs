//! The functions of `wengert._core`. They are builtins, so a call has no frame of its
//! own and is recorded at the line of its caller.

#[macro_use]
mod documented;

use super::array::dtype_of;
use super::error::raise;
use super::fixed::{known, unknown};
use super::operand::{call, is_index, is_operand, node, several};
use super::tensor::{self, PyTensor, apply};
use crate::ops::elementwise::{binary_ops, compare_ops, unary_ops};
use crate::ops::{Op, Tag};
use crate::record::Reduction;
use pyo3::prelude::*;

/// The axes that an `axis` argument names; `None` for all.
pub(super) fn axes(
    op: &'static str,
    axis: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Vec<isize>>> {
    let Some(axis) = axis else { return Ok(None) };
    let one = |value: &Bound<'_, PyAny>| -> PyResult<isize> {
        if !is_index(value) {
            let kind = value.get_type().name()?;
            let text =
                format!("{op}: an axis must be an integer, not {value} ({kind})");
            return Err(raise(value.py(), "DTypeError", &text));
        }
        value.extract()
    };
    match several(axis) {
        Some(items) => items.map(|item| one(&item?)).collect::<PyResult<_>>().map(Some),
        None => Ok(Some(vec![one(axis)?])),
    }
}

/// A reduction of anything over axes.
pub(super) fn reduce<'py>(
    x: &Bound<'py, PyAny>,
    reduction: Reduction,
    axis: Option<&Bound<'py, PyAny>>,
    keepdims: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let op = match reduction {
        Reduction::Sum => Tag::Sum,
        Reduction::Mean => Tag::Mean,
        Reduction::Max => Tag::Max,
        Reduction::LogSumExp => Tag::LogSumExp,
        Reduction::Min => Tag::Min,
        Reduction::Prod => Tag::Prod,
    }
    .name();
    let axes = axes(op, axis)?;
    call(x.py(), op, &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.reduce(reduction, x, axes.as_deref(), keepdims, site)
    })
}

/// An elementwise op of anything.
fn unary<'py>(op: &'static Op, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let name = op.tag().name();
    if let Ok(tensor) = x.cast_exact::<PyTensor>() {
        return apply(tensor, name, |arena, x, site| arena.unary(op, x, site))
            .map(Bound::into_any);
    }
    call(x.py(), name, &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.unary(op, x, site)
    })
}

/// An elementwise op of anything and anything.
fn binary<'py>(
    op: &'static Op,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if let (Ok(tensor), true) = (a.cast_exact::<PyTensor>(), is_operand(b)) {
        return tensor::binary(op, tensor, b, false);
    }
    call(a.py(), op.tag().name(), &[a, b], |arena, x, site| match op {
        Op::Power => arena.power(x[0], x[1], site),
        op => arena.binary(op, x[0], x[1], site),
    })
}

macro_rules! bind_unary {
    ($add:ident $named:ident: $(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident on $domain:ident {
            example($x:literal) = $y:literal;
            $($rule:tt)*
        }
    )*) => {
        $(
            $(#[$doc])*
            #[doc = documented!($name on $domain: ($x) = $y)]
            #[pyfunction]
            #[pyo3(signature = (x, /))]
            fn $name<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
                unary(&$crate::ops::Op::$Op, x)
            }
        )*

        fn $add(module: &Bound<'_, PyModule>) -> PyResult<()> {
            use $crate::python::short::{short_function, unary};
            $(module.add_function(short_function!(module, $name, |x: 1| {
                unary($named!($Op), &x[0])
            }))?;)*
            Ok(())
        }
    };
}
macro_rules! bind_functions {
    ($($entries:tt)*) => { bind_unary! { add_unary known: $($entries)* } };
}
unary_ops!(bind_functions);

macro_rules! bind_binary {
    ($add:ident $named:ident: $(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident $(on $domain:ident)? {
            example($a:literal, $b:literal) = $y:literal;
            $($rule:tt)*
        }
    )*) => {
        $(
            $(#[$doc])*
            #[doc = documented!($name $(on $domain)?: ($a, $b) = $y)]
            #[pyfunction]
            #[pyo3(signature = (a, b, /))]
            fn $name<'py>(
                a: &Bound<'py, PyAny>,
                b: &Bound<'py, PyAny>,
            ) -> PyResult<Bound<'py, PyAny>> {
                binary(&$crate::ops::Op::$Op, a, b)
            }
        )*

        fn $add(module: &Bound<'_, PyModule>) -> PyResult<()> {
            use $crate::python::short::{binary, short_function};
            $(module.add_function(short_function!(module, $name, |x: 2| {
                binary($named!($Op), &x[0], &x[1])
            }))?;)*
            Ok(())
        }
    };
}
macro_rules! bind_arithmetic {
    ($($entries:tt)*) => { bind_binary! { add_binary known: $($entries)* } };
}
macro_rules! bind_compare {
    ($($entries:tt)*) => { bind_binary! { add_compare unknown: $($entries)* } };
}
binary_ops!(bind_arithmetic);
compare_ops!(bind_compare);

mod affine;
pub(super) mod arrange;
pub(super) mod elementwise;
mod engine;
mod linear;
mod network;
pub(super) mod places;
mod shapes;
mod softmax;
pub(super) mod statistics;
mod windows;

macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident $Reduction:ident;)*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (x, /, axis=None, keepdims=false))]
            fn $name<'py>(
                x: &Bound<'py, PyAny>,
                axis: Option<&Bound<'py, PyAny>>,
                keepdims: bool,
            ) -> PyResult<Bound<'py, PyAny>> {
                reduce(x, Reduction::$Reduction, axis, keepdims)
            }
        )*

        fn add_reductions(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
}
reductions! {
    /// Sum of the elements over axes; 0 over none.
    ///
    /// `x` is a tensor or array_like; booleans are counted, as int64. `axis` is None
    /// for all axes, an integer, or a sequence of integers; `keepdims` keeps the
    /// reduced axes with size 1. float32 is added up pairwise in float32.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    /// array([4., 6.])
    sum Sum;

    /// Arithmetic mean of the elements over axes; NaN over none.
    ///
    /// `x` is a tensor or array_like; integers and booleans are averaged as float64,
    /// float32 is added up in float64. `axis` is None for all axes, an integer, or a
    /// sequence of integers; `keepdims` keeps the reduced axes with size 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.mean([[1, 2], [3, 4]], axis=1)
    /// array([1.5, 3.5])
    mean Mean;

    /// Product of the elements over axes; 1 over none.
    ///
    /// `x` is a tensor or array_like; booleans are multiplied as int64. The gradient is
    /// right where elements are 0. `axis` is None for all axes, an integer, or a
    /// sequence of integers; `keepdims` keeps the reduced axes with size 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.prod([[1.0, 2.0], [3.0, 4.0]], axis=0)
    /// array([3., 8.])
    prod Prod;

    /// Largest element over axes; NaN if any is NaN, as is the gradient then.
    ///
    /// `x` is a tensor or array_like; the result has its type. At ties the cotangent is
    /// split equally. ShapeError over no elements. `axis` is None for all axes, an
    /// integer, or a sequence of integers; `keepdims` keeps the reduced axes with size
    /// 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.max([[1.0, 5.0], [4.0, 2.0]], axis=1)
    /// array([5., 4.])
    max Max;

    /// Smallest element over axes; NaN if any is NaN, as is the gradient then.
    ///
    /// `x` is a tensor or array_like; the result has its type. At ties the cotangent is
    /// split equally. ShapeError over no elements. `axis` is None for all axes, an
    /// integer, or a sequence of integers; `keepdims` keeps the reduced axes with size
    /// 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.min([[1.0, 5.0], [4.0, 2.0]], axis=1)
    /// array([1., 2.])
    min Min;

    /// `log(sum(exp(x)))` over axes, without overflow; -inf over none.
    ///
    /// `x` is a tensor or array_like; the result is of float type, float64 for
    /// integers. The gradient is the softmax of `x`: elements of inf share the
    /// cotangent, and if all are -inf none gets any. `axis` is None for all axes, an
    /// integer, or a sequence of integers; `keepdims` keeps the reduced axes with size
    /// 1.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.logsumexp([[1000.0, 1000.0], [0.0, -1000.0]], axis=1).tolist()
    /// [1000.6931471805599, 0.0]
    logsumexp LogSumExp;
}

/// Matrix product by NumPy's rules.
///
/// Shapes (..., m, k) and (..., k, n) give (..., m, n); leading axes broadcast. An
/// operand with one axis is a row on the left, a column on the right, and its axis does
/// not appear in the result. ShapeError if the inner sizes differ or an operand has no
/// axes; the types promote as NumPy's.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.matmul([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
/// array([3., 7.])
#[pyfunction]
#[pyo3(signature = (a, b, /))]
fn matmul<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    call(a.py(), "matmul", &[a, b], |arena, x, site| {
        let a = node(arena, x[0], site)?;
        let b = node(arena, x[1], site)?;
        arena.matmul(a, b, site)
    })
}

/// Choose from `a` where `condition` is true, otherwise from `b`; all broadcast.
///
/// The condition is a tensor or array_like whose elements count as true unless they are
/// 0; the types of `a` and `b` promote as NumPy's. The gradient flows to the chosen
/// side alone: a NaN or infinity on the other side does not reach it.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.where([True, False], [1.0, 2.0], 0.0)
/// array([1., 0.])
#[pyfunction(name = "where")]
#[pyo3(signature = (condition, a, b, /))]
fn choose<'py>(
    condition: &Bound<'py, PyAny>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    call(condition.py(), "where", &[condition, a, b], |arena, x, site| {
        let condition = node(arena, x[0], site)?;
        arena.choose(condition, x[1], x[2], site)
    })
}

/// The elements as float32, float64, int64 or bool; a gradient passes between floats.
///
/// `x` is a tensor or array_like. Floats round to the nearest, integers are truncated
/// towards 0, booleans are whether an element differs from 0. DTypeError for another
/// `dtype`.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.astype([1.7, -1.7], "int64")
/// array([ 1, -1])
#[pyfunction]
#[pyo3(signature = (x, dtype, /))]
fn astype<'py>(
    x: &Bound<'py, PyAny>,
    dtype: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let dtype = dtype_of(x.py(), dtype)?;
    call(x.py(), "cast", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.astype(x, dtype, site)
    })
}

/// The value as a constant: no gradient passes.
///
/// `x` is a tensor or array_like; nothing is copied.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> x = wengert.ComputationRecord().tensor_from_value(3.0)
/// >>> (x * wengert.stop_gradient(x)).grad().wrt(x).item()
/// 3.0
#[pyfunction]
#[pyo3(signature = (x, /))]
fn stop_gradient<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "stop_gradient", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.stop_gradient(x, site)
    })
}

/// Adds all functions to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_unary(module)?;
    add_binary(module)?;
    add_compare(module)?;
    add_reductions(module)?;
    arrange::add_all(module)?;
    places::add_all(module)?;
    elementwise::add_all(module)?;
    engine::add_all(module)?;
    network::add_all(module)?;
    linear::add_all(module)?;
    shapes::add_all(module)?;
    module.add_function(wrap_pyfunction!(affine::linear, module)?)?;
    softmax::add_all(module)?;
    statistics::add_all(module)?;
    windows::add_all(module)?;
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! {
        matmul choose astype stop_gradient
    }
    Ok(())
}
