//! Elementwise functions beyond the common ones.

use super::{binary, unary};
use crate::ops::elementwise::{
    activation_ops, bit_ops, bit_pair_ops, limit_ops, math_ops, planar_ops,
    shaped_activation_ops, step_ops,
};
use crate::ops::emit::Arg;
use crate::python::fixed::unknown;
use crate::python::operand::{call, node};
use crate::record::Logical;
use pyo3::prelude::*;

math_ops!(bind_unary add_math unknown:);
activation_ops!(bind_unary add_activations unknown:);
step_ops!(bind_unary add_steps unknown:);
bit_ops!(bind_unary add_bits unknown:);
shaped_activation_ops!(bind_binary add_shaped_activations unknown:);
limit_ops!(bind_binary add_limits unknown:);
planar_ops!(bind_binary add_planar unknown:);
bit_pair_ops!(bind_binary add_bit_pairs unknown:);

macro_rules! compositions {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (x, /))]
            fn $name<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
                call(x.py(), stringify!($name), &[x], |arena, x, site| {
                    let x = node(arena, x[0], site)?;
                    arena.$name(x, site)
                })
            }
        )*

        fn add_compositions(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
}
compositions! {
    /// `1 / x`; integers are divided as float64.
    ///
    /// `x` is a tensor or array_like of any shape; the result has its shape and is of
    /// float type.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.reciprocal([2.0, -4.0])
    /// array([ 0.5 , -0.25])
    reciprocal;
    /// Whether each element is NaN.
    ///
    /// `x` is a tensor or array_like of any shape; the result is boolean and has no
    /// gradient.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.isnan([1.0, float("nan")])
    /// array([False,  True])
    isnan;
    /// Whether each element is infinite.
    ///
    /// `x` is a tensor or array_like of any shape; the result is boolean and has no
    /// gradient.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.isinf([1.0, -float("inf")])
    /// array([False,  True])
    isinf;
    /// Whether each element is neither infinite nor NaN.
    ///
    /// `x` is a tensor or array_like of any shape; the result is boolean and has no
    /// gradient.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.isfinite([1.0, float("nan")])
    /// array([ True, False])
    isfinite;
    /// Whether each element is 0.
    ///
    /// `x` is a tensor or array_like of any shape; the result is boolean and has no
    /// gradient.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.logical_not([0, 3])
    /// array([ True, False])
    logical_not;
    /// Scaled exponential linear unit: `elu` with the rate and the bound that keep mean
    /// 0 and variance 1 (Klambauer et al., 2017).
    ///
    /// `x` is a tensor or array_like of any shape; the result has its shape and is of
    /// float type. The gradient at 0 is that from below, 1.758.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.selu([-1.0, 0.0, 1.0]).round(4)
    /// array([-1.1113,  0.    ,  1.0507])
    selu;
}

macro_rules! connectives {
    ($($(#[$doc:meta])* $Connective:ident $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (a, b, /))]
            fn $name<'py>(
                a: &Bound<'py, PyAny>,
                b: &Bound<'py, PyAny>,
            ) -> PyResult<Bound<'py, PyAny>> {
                call(a.py(), stringify!($name), &[a, b], |arena, x, site| {
                    arena.logical(Logical::$Connective, x[0], x[1], site)
                })
            }
        )*

        fn add_connectives(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
}
connectives! {
    /// Whether both operands differ from 0.
    ///
    /// `a` and `b` are tensors, array_likes or numbers that broadcast, ShapeError
    /// otherwise. The result is boolean and has no gradient.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.logical_and([0, 1, 2], [1, 0, 3])
    /// array([False, False,  True])
    And logical_and;
    /// Whether either operand differs from 0.
    ///
    /// `a` and `b` are tensors, array_likes or numbers that broadcast, ShapeError
    /// otherwise. The result is boolean and has no gradient.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.logical_or([0, 1, 0], [1, 0, 0])
    /// array([ True,  True, False])
    Or logical_or;
    /// Whether one of the operands differs from 0 and the other does not.
    ///
    /// `a` and `b` are tensors, array_likes or numbers that broadcast, ShapeError
    /// otherwise. The result is boolean and has no gradient.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.logical_xor([0, 1, 2], [1, 0, 3])
    /// array([ True,  True, False])
    Xor logical_xor;
}

/// The elements limited to what lies between `min` and `max`, of which either may be
/// None.
///
/// All three are tensors or array_likes that broadcast, ShapeError otherwise; their
/// types promote as NumPy's. At a bound the whole cotangent goes to `x`, beyond it to
/// the bound. If `min` exceeds `max` the result is `max`.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.clip([-1.0, 0.5, 2.0], 0.0, 1.0)
/// array([0. , 0.5, 1. ])
#[pyfunction]
#[pyo3(signature = (x, /, min=None, max=None))]
pub(in crate::python) fn clip<'py>(
    x: &Bound<'py, PyAny>,
    min: Option<&Bound<'py, PyAny>>,
    max: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let operands: Vec<_> = [Some(x), min, max].into_iter().flatten().collect();
    let (has_min, has_max) = (min.is_some(), max.is_some());
    call(x.py(), "clip", &operands, |arena, given, site| {
        let x = node(arena, given[0], site)?;
        let min = has_min.then(|| given[1]);
        let max = has_max.then(|| given[given.len() - 1]);
        arena.clip(x, min, max, site)
    })
}

/// `x` limited to the interval from `low` to `high`; at its ends the gradient is 1.
///
/// `x` is a tensor or array_like of any shape; the bounds are numbers, which make
/// integers float64.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.hardtanh([-3.0, 0.5, 2.0])
/// array([-1. ,  0.5,  1. ])
#[pyfunction]
#[pyo3(
    signature = (x, /, low=-1.0, high=1.0),
    text_signature = "(x, /, low=-1.0, high=1.0)"
)]
fn hardtanh<'py>(
    x: &Bound<'py, PyAny>,
    low: f64,
    high: f64,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "hardtanh", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        let [low, high] = [low, high].map(|bound| Some(Arg::Number(bound.into())));
        arena.clip(x, low, high, site)
    })
}

/// Rounded to a number of decimals, which is negative left of the point; of two
/// neighbours the even one.
///
/// `x` is a tensor or array_like of any shape; the result has its shape and type. Its
/// gradient is 0.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.round([0.125, 2.5, 17.0], 2)
/// array([ 0.12,  2.5 , 17.  ])
/// >>> wengert.round([0.125, 2.5, 17.0], -1)
/// array([ 0.,  0., 20.])
#[pyfunction]
#[pyo3(signature = (x, /, decimals=0))]
pub(in crate::python) fn round<'py>(
    x: &Bound<'py, PyAny>,
    decimals: i32,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "round", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.round(x, decimals, site)
    })
}

/// NaN and the infinities replaced by numbers: NaN by `nan`, the infinities by `posinf`
/// and `neginf`, or if those are None by the largest and the lowest finite number.
///
/// `x` is a tensor or array_like of any shape; the result has its shape and type. No
/// gradient passes where an element is replaced.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0)
/// array([1., 0., 9.])
#[pyfunction]
#[pyo3(signature = (x, /, nan=0.0, posinf=None, neginf=None))]
fn nan_to_num<'py>(
    x: &Bound<'py, PyAny>,
    nan: f64,
    posinf: Option<f64>,
    neginf: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    call(x.py(), "nan_to_num", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.nan_to_num(x, nan, posinf, neginf, site)
    })
}

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_math(module)?;
    add_activations(module)?;
    add_steps(module)?;
    add_bits(module)?;
    add_shaped_activations(module)?;
    add_limits(module)?;
    add_planar(module)?;
    add_bit_pairs(module)?;
    add_compositions(module)?;
    add_connectives(module)?;
    module.add_function(wrap_pyfunction!(clip, module)?)?;
    module.add_function(wrap_pyfunction!(hardtanh, module)?)?;
    module.add_function(wrap_pyfunction!(round, module)?)?;
    module.add_function(wrap_pyfunction!(nan_to_num, module)?)
}
