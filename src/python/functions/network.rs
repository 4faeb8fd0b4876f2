//! What networks compute: normalisation, embedding, dropout, attention, a loss.

use super::axes;
use crate::error::Result;
use crate::ops::emit::Arg;
use crate::python::error::raise;
use crate::python::operand::{call, call_many, node};
use crate::python::rng::PyRng;
use crate::python::tensor::PyTensor;
use crate::python::work::Work;
use crate::record::Arena;
use pyo3::prelude::*;

/// The operands that were given, with those that may be absent last.
pub(super) struct Operands<'a, 'py, const N: usize, const M: usize> {
    required: [&'a Bound<'py, PyAny>; N],
    optional: [Option<&'a Bound<'py, PyAny>>; M],
}

impl<'a, 'py, const N: usize, const M: usize> Operands<'a, 'py, N, M> {
    pub(super) fn new(
        required: [&'a Bound<'py, PyAny>; N],
        optional: [Option<&'a Bound<'py, PyAny>>; M],
    ) -> Self {
        Operands { required, optional }
    }

    /// All that were given.
    pub(super) fn given(&self) -> Vec<&'a Bound<'py, PyAny>> {
        self.required.into_iter().chain(self.optional.into_iter().flatten()).collect()
    }

    /// Which of the optional ones were given.
    pub(super) fn presence(&self) -> [bool; M] {
        self.optional.map(|operand| operand.is_some())
    }
}

/// The nodes of operands, of which the last may be absent.
pub(super) fn nodes<const N: usize, const M: usize>(
    arena: &mut Arena,
    given: &[Arg<u32>],
    present: [bool; M],
    site: u32,
) -> Result<([u32; N], [Option<u32>; M])> {
    let mut given = given.iter();
    let mut next = || match given.next() {
        Some(&operand) => node(arena, operand, site),
        None => unreachable!("each operand was sent"),
    };
    let (mut required, mut optional) = ([0; N], [None; M]);
    for place in &mut required {
        *place = next()?;
    }
    for (place, _) in optional.iter_mut().zip(present).filter(|(_, present)| *present) {
        *place = Some(next()?);
    }
    Ok((required, optional))
}

/// The axes of an `axis` argument whose default is the last one.
fn last_or(op: &'static str, axis: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<isize>> {
    Ok(axes(op, axis)?.unwrap_or_else(|| vec![-1]))
}

/// The mean of the squared differences from a target.
///
/// `prediction` and `target` are tensors or array_like of one shape, ShapeError
/// otherwise: between (N, 1) and (N,) every element would meet every other. `broadcast`
/// allows that.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.mean_squared_error([1.0, 2.0], [1.0, 4.0])
/// np.float64(2.0)
#[pyfunction]
#[pyo3(signature = (prediction, target, /, broadcast=false))]
fn mean_squared_error<'py>(
    prediction: &Bound<'py, PyAny>,
    target: &Bound<'py, PyAny>,
    broadcast: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let operands = [prediction, target];
    call(prediction.py(), "mean_squared_error", &operands, |arena, x, site| {
        arena.mean_squared_error(x[0], x[1], broadcast, site)
    })
}

/// `(x - mean) / sqrt(variance + eps) * scale + bias`, with mean and variance over
/// axes.
///
/// `x` is a tensor or array_like; integers count as float64, float32 is added up in
/// float64. `axis` is an integer or a sequence of integers, by default the last axis;
/// `scale` and `bias` have the sizes of these axes, ShapeError otherwise. With an
/// `eps` of 0 elements that are all equal give NaN. Ba, Kiros and Hinton, "Layer
/// Normalization" (2016).
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.layer_norm([[1.0, 3.0], [2.0, 8.0]], eps=0.0)
/// array([[-1.,  1.],
///        [-1.,  1.]])
#[pyfunction]
#[pyo3(
    signature = (x, /, scale=None, bias=None, axis=None, eps=1e-5),
    text_signature = "(x, /, scale=None, bias=None, axis=None, eps=1e-05)"
)]
fn layer_norm<'py>(
    x: &Bound<'py, PyAny>,
    scale: Option<&Bound<'py, PyAny>>,
    bias: Option<&Bound<'py, PyAny>>,
    axis: Option<&Bound<'py, PyAny>>,
    eps: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = last_or("layer_norm", axis)?;
    let operands = Operands::new([x], [scale, bias]);
    let present = operands.presence();
    call(x.py(), "layer_norm", &operands.given(), |arena, given, site| {
        let ([x], companions) = nodes(arena, given, present, site)?;
        arena.layer_norm(x, companions, &axes, eps, site)
    })
}

/// `x / sqrt(mean of squares + eps) * scale`, with the mean over axes.
///
/// `x` is a tensor or array_like; integers count as float64, float32 is added up in
/// float64. `axis` is an integer or a sequence of integers, by default the last axis;
/// `scale` has the sizes of these axes, ShapeError otherwise. With an `eps` of 0
/// elements that are all 0 give NaN. Zhang and Sennrich, "Root Mean Square Layer
/// Normalization" (2019).
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.rms_norm([[1.0, 7.0], [2.0, -2.0]], eps=0.0)
/// array([[ 0.2,  1.4],
///        [ 1. , -1. ]])
#[pyfunction]
#[pyo3(
    signature = (x, /, scale=None, axis=None, eps=1e-5),
    text_signature = "(x, /, scale=None, axis=None, eps=1e-05)"
)]
fn rms_norm<'py>(
    x: &Bound<'py, PyAny>,
    scale: Option<&Bound<'py, PyAny>>,
    axis: Option<&Bound<'py, PyAny>>,
    eps: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let axes = last_or("rms_norm", axis)?;
    let operands = Operands::new([x], [scale]);
    let present = operands.presence();
    call(x.py(), "rms_norm", &operands.given(), |arena, given, site| {
        let ([x], [scale]) = nodes(arena, given, present, site)?;
        arena.rms_norm(x, scale, &axes, eps, site)
    })
}

/// `(x - mean) / sqrt(var + eps) * scale + bias` for each place along one axis, and
/// the mean and the variance that were used: three results.
///
/// `x` is a tensor or array_like with the channels along `axis`. Statistics that are not
/// given are those of `x` over the other axes, and gradients flow through them; the
/// variance divides by the count. Nothing is kept: average the two in a store, and give
/// them when the model is used. `mean`, `var`, `scale` and `bias` have the size of
/// `axis`, ShapeError otherwise. Ioffe and Szegedy, "Batch Normalization" (2015).
///
/// Examples
/// --------
/// >>> import wengert
/// >>> y, mean, var = wengert.batch_norm([[1.0, 2.0], [3.0, 8.0]], eps=0.0)
/// >>> y.tolist(), mean.tolist(), var.tolist()
/// ([[-1.0, -1.0], [1.0, 1.0]], [2.0, 5.0], [1.0, 9.0])
#[pyfunction]
#[pyo3(
    signature = (x, /, mean=None, var=None, scale=None, bias=None, axis=1, eps=1e-5),
    text_signature = "(x, /, mean=None, var=None, scale=None, bias=None, axis=1, \
                      eps=1e-05)"
)]
fn batch_norm<'py>(
    x: &Bound<'py, PyAny>,
    mean: Option<&Bound<'py, PyAny>>,
    var: Option<&Bound<'py, PyAny>>,
    scale: Option<&Bound<'py, PyAny>>,
    bias: Option<&Bound<'py, PyAny>>,
    axis: isize,
    eps: f64,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let operands = Operands::new([x], [mean, var, scale, bias]);
    let present = operands.presence();
    let results = call_many(
        x.py(),
        "batch_norm",
        &operands.given(),
        Work::Short,
        |arena, given, site| {
            let ([x], [mean, var, scale, bias]) = nodes(arena, given, present, site)?;
            arena.batch_norm(x, [mean, var], [scale, bias], axis, eps, site)
        },
    )?;
    Ok(results.into())
}

/// The rows of a table that integer ids name.
///
/// `table` is a tensor or array_like of shape (rows, ...), `ids` of int64 and any shape;
/// the result has shape (*ids, ...). The cotangents of a row that occurs several times
/// add up in the order of the ids. OutOfRangeError for an id that is negative or not
/// below the number of rows, DTypeError for other ids.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.embedding([[1.0, 2.0], [3.0, 4.0]], [1, 0, 1])
/// array([[3., 4.],
///        [1., 2.],
///        [3., 4.]])
#[pyfunction]
#[pyo3(signature = (table, ids, /))]
fn embedding<'py>(
    table: &Bound<'py, PyAny>,
    ids: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    call(table.py(), "embedding", &[table, ids], |arena, x, site| {
        let table = node(arena, x[0], site)?;
        let ids = node(arena, x[1], site)?;
        arena.embedding(table, ids, site)
    })
}

/// Each element times `1 / (1 - rate)` or, with probability `rate`, 0.
///
/// `x` is a tensor, or an array_like if `rng` is given; the draws come from `rng`, or
/// else from the record's own stream, one for each element in C order. They are recorded
/// as a constant: a replay drops the same elements. What is dropped is 0 even if it is
/// infinite, and gets no gradient. A rate of 0 gives `x`, one of 1 zeros, and neither
/// draws; ValueError for other rates outside. Srivastava et al., "Dropout" (2014).
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.dropout([1.0, 2.0, 3.0, 4.0], 0.5, rng=wengert.Rng(7))
/// array([0., 0., 6., 8.])
#[pyfunction]
#[pyo3(signature = (x, /, rate, rng=None))]
fn dropout<'py>(
    x: &Bound<'py, PyAny>,
    rate: f64,
    rng: Option<&Bound<'py, PyRng>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = x.py();
    let rng = match (rng, x.cast_exact::<PyTensor>()) {
        (Some(rng), _) => rng.get().0.clone(),
        (None, Ok(tensor)) => tensor.get().record.bind(py).get().stream().clone(),
        (None, Err(_)) => {
            let text = "dropout: an array belongs to no record: give rng".to_owned();
            return Err(raise(py, "DTypeError", &text));
        }
    };
    call(py, "dropout", &[x], |arena, x, site| {
        let x = node(arena, x[0], site)?;
        arena.dropout(x, rate, &rng, site)
    })
}

/// `softmax(query @ key.T * scale + mask) @ value` over the last two axes.
///
/// `query` has shape (..., queries, width), `key` (..., keys, width) and `value` (...,
/// keys, size); the result has shape (..., queries, size). The leading axes, such as
/// heads, broadcast. `mask` broadcasts to (..., queries, keys): a boolean one is true
/// where a query may attend to a key, one of floats is added to the scores; DTypeError
/// for integers. `causal` lets query `i` attend to the keys `0` to `i`. A query that a
/// boolean mask or `causal` leaves no key gives 0, with no gradient. `scale` is
/// `1 / sqrt(width)` unless it is given. ShapeError for sizes that do not fit. Vaswani
/// et al., "Attention Is All You Need" (2017).
///
/// Examples
/// --------
/// >>> import wengert
/// >>> q, k, v = [[0.0], [0.0]], [[1.0], [2.0]], [[10.0], [20.0]]
/// >>> wengert.scaled_dot_product_attention(q, k, v, causal=True)
/// array([[10.],
///        [15.]])
#[pyfunction]
#[pyo3(signature = (query, key, value, /, mask=None, causal=false, scale=None))]
fn scaled_dot_product_attention<'py>(
    query: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
    mask: Option<&Bound<'py, PyAny>>,
    causal: bool,
    scale: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    let op = "scaled_dot_product_attention";
    let operands = Operands::new([query, key, value], [mask]);
    let present = operands.presence();
    call(query.py(), op, &operands.given(), |arena, given, site| {
        let (operands, [mask]) = nodes(arena, given, present, site)?;
        arena.attention(operands, mask, causal, scale, site)
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
        layer_norm rms_norm batch_norm embedding dropout scaled_dot_product_attention
        mean_squared_error
    }
    Ok(())
}
