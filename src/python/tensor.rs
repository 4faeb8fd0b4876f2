//! `Tensor`: a handle, its operators and its methods.

mod elementwise;
mod shapes;
mod statistics;

use super::array::{Small, descr, to_numpy};
use super::error::raise;
use super::grad::PyGrad;
use super::handle::{Handle, Moving};
use super::index::{Key, parse};
use super::object;
use super::operand::{self, Given, classify};
use super::record::{PyRecord, append, expect_record};
use super::work::Work;
use crate::array::NdArray;
use crate::diff::gradient::Request;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::ops::Op;
use crate::ops::emit::Arg;
use crate::ops::linalg::MatMul;
use crate::record::Arena;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::PyTuple;

/// A position in a record: a value, and how it came about.
///
/// Operators and NumPy-like methods record further nodes. Elements are of float32,
/// float64, int64 or bool. `data()` gives the value as a read-only NumPy array,
/// `item()` as a Python number; `float(t)` and `numpy.asarray(t)` are refused with a
/// DTypeError, since they would lose the gradient.
///
/// ``y[key] = v`` records a tensor with `v` where the key selects, and `y` is that
/// tensor from then on: every name of the same object sees it, as with an array. The
/// value before stays in the record, so that what was computed from it, parts too,
/// keeps its value and its gradient; ``+y`` taken before is the tensor as it was, of
/// which a leaf's gradient is asked. `v` broadcasts and is cast to the type of `y`, but
/// floats are not cut to integers (DTypeError). Of values that meet, as in
/// ``y[[0, 0]] = [1, 2]``, the last one stays and has the gradient.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> rec = wengert.ComputationRecord()
/// >>> x = rec.tensor_from_value([1.0, 2.0])
/// >>> y = x * 3
/// >>> y[0] = 5
/// >>> y
/// <tensor #3 assign f64 (2,): [5, 6]>
/// >>> y.sum().grad().wrt(x).data()
/// array([0., 3.])
#[pyclass(frozen, weakref, mapping, module = "wengert", name = "Tensor")]
pub(super) struct PyTensor {
    pub(super) record: Py<PyRecord>,
    pub(super) at: Moving,
}

impl PyTensor {
    /// The handle, which an assignment may replace.
    #[inline]
    pub(super) fn handle(&self, py: Python<'_>) -> Handle {
        self.at.get(py)
    }

    /// Runs `f` on the engine and the node, if the handle is alive.
    pub(super) fn read<R: Send>(
        &self,
        py: Python<'_>,
        op: &'static str,
        f: impl FnOnce(&mut Arena, u32) -> Result<R> + Send,
    ) -> PyResult<R> {
        let handle = self.handle(py);
        self.record.get().run(py, op, Work::Short, |arena| {
            let node = handle.check(arena, op)?;
            f(arena, node)
        })
    }

    /// The value.
    pub(super) fn array(&self, py: Python<'_>) -> PyResult<NdArray> {
        self.read(py, "data", |arena, node| arena.data(node))
    }

    pub(super) fn dtype(&self, py: Python<'_>) -> PyResult<DType> {
        self.read(py, "dtype", |arena, node| Ok(arena.ty(node).dtype))
    }

    fn sizes(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        self.read(py, "shape", |arena, node| Ok(arena.ty(node).shape.to_vec()))
    }
}

/// Appends a node that `f` makes of the tensor's own.
#[inline]
pub(super) fn apply<'py>(
    tensor: &Bound<'py, PyTensor>,
    op: &'static str,
    f: impl FnOnce(&mut Arena, u32, u32) -> Result<u32> + Send,
) -> PyResult<Bound<'py, PyTensor>> {
    apply_with(tensor, op, Work::Short, f)
}

/// As `apply`, where the work may be more than what the tensor asks for.
#[inline]
fn apply_with<'py>(
    tensor: &Bound<'py, PyTensor>,
    op: &'static str,
    work: Work,
    f: impl FnOnce(&mut Arena, u32, u32) -> Result<u32> + Send,
) -> PyResult<Bound<'py, PyTensor>> {
    let handle = tensor.get().handle(tensor.py());
    let work = work.and(handle.node);
    append(tensor.get().record.bind(tensor.py()), op, work, |arena, site| {
        let node = handle.check(arena, op)?;
        f(arena, node, site)
    })
}

/// A binary op of a tensor and anything; `NotImplemented` if it is not an operand.
pub(super) fn binary<'py>(
    op: &'static Op,
    tensor: &Bound<'py, PyTensor>,
    other: &Bound<'py, PyAny>,
    reversed: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, name) = (tensor.py(), op.tag().name());
    let this = tensor.get();
    let record = this.record.bind(py);
    let handle = this.handle(py);
    let compute = |arena: &mut Arena, x: u32, other: Arg<u32>, site: u32| {
        let (a, b) =
            if reversed { (other, Arg::Value(x)) } else { (Arg::Value(x), other) };
        match op {
            Op::Power => arena.power(a, b, site),
            Op::MatMul(_) => {
                let start = arena.mark();
                let result = operand::node(arena, a, site)
                    .and_then(|a| Ok((a, operand::node(arena, b, site)?)))
                    .and_then(|(a, b)| arena.matmul(a, b, site));
                arena.keep_or_undo(&start, result)
            }
            _ => arena.binary(op, a, b, site),
        }
    };
    let result = match classify(other)? {
        None => return Ok(py.NotImplemented().into_bound(py)),
        Some(Given::Tensor(other)) => {
            let other = other.get();
            expect_record(py, name, other, record)?;
            let second = other.handle(py);
            let work = Work::OnNodes([handle.node, second.node]);
            append(record, name, work, |arena, site| {
                let x = handle.check(arena, name)?;
                let y = second.check(arena, name)?;
                compute(arena, x, Arg::Value(y), site)
            })
        }
        Some(Given::Number(number)) => {
            let work = Work::OnNodes([handle.node; 2]);
            append(record, name, work, |arena, site| {
                let x = handle.check(arena, name)?;
                compute(arena, x, Arg::Number(number), site)
            })
        }
        Some(Given::Large(number)) => {
            append(record, name, Work::OnNodes([handle.node; 2]), |arena, site| {
                let x = handle.check(arena, name)?;
                let number = number.beside(name, Some(arena.ty(x).dtype))?;
                compute(arena, x, Arg::Number(number), site)
            })
        }
        Some(Given::Array(array)) => {
            append(record, name, Work::on_array(&array), |arena, site| {
                let x = handle.check(arena, name)?;
                let start = arena.mark();
                let result = arena
                    .source(&Op::Constant, &array, None, site)
                    .and_then(|y| compute(arena, x, Arg::Value(y), site));
                arena.keep_or_undo(&start, result)
            })
        }
    };
    result.map(Bound::into_any)
}

fn refuse(py: Python<'_>, call: &str) -> PyErr {
    let text = format!(
        "{call} of a tensor would lose its gradient without a word\n\
         hint: .item() gives a Python number, .data() a NumPy array; \
         an array to write tensors into is made by rec.zeros"
    );
    raise(py, "DTypeError", &text)
}

#[pymethods]
impl PyTensor {
    /// `NumPy` leaves operators with tensors to the tensors.
    #[classattr]
    fn __array_ufunc__(py: Python<'_>) -> Py<PyAny> {
        py.None()
    }

    fn __add__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Add, slf, other, false)
    }

    fn __radd__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Add, slf, other, true)
    }

    fn __sub__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Subtract, slf, other, false)
    }

    fn __rsub__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Subtract, slf, other, true)
    }

    fn __mul__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Multiply, slf, other, false)
    }

    fn __rmul__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Multiply, slf, other, true)
    }

    fn __truediv__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Divide, slf, other, false)
    }

    fn __rtruediv__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::Divide, slf, other, true)
    }

    fn __matmul__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::MatMul(MatMul), slf, other, false)
    }

    fn __rmatmul__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary(&Op::MatMul(MatMul), slf, other, true)
    }

    fn __pow__<'py>(
        slf: &Bound<'py, Self>,
        exponent: &Bound<'py, PyAny>,
        modulo: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match modulo {
            None => binary(&Op::Power, slf, exponent, false),
            Some(_) => Ok(slf.py().NotImplemented().into_bound(slf.py())),
        }
    }

    fn __rpow__<'py>(
        slf: &Bound<'py, Self>,
        base: &Bound<'py, PyAny>,
        modulo: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match modulo {
            None => binary(&Op::Power, slf, base, true),
            Some(_) => Ok(slf.py().NotImplemented().into_bound(slf.py())),
        }
    }

    fn __neg__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTensor>> {
        apply(slf, "negative", |arena, x, site| arena.unary(&Op::Negative, x, site))
    }

    /// An object of its own, which an assignment to this one leaves where it is.
    fn __pos__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTensor>> {
        let (py, this) = (slf.py(), slf.get());
        let handle = this.read(py, "positive", Handle::another)?;
        object::tensor(this.record.bind(py), handle)
    }

    fn __abs__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTensor>> {
        apply(slf, "abs", |arena, x, site| arena.unary(&Op::Abs, x, site))
    }

    fn __richcmp__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        compare: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        match compare {
            CompareOp::Eq => binary(&Op::Equal, slf, other, false),
            CompareOp::Ne => binary(&Op::NotEqual, slf, other, false),
            CompareOp::Lt => binary(&Op::Less, slf, other, false),
            CompareOp::Le => binary(&Op::LessEqual, slf, other, false),
            CompareOp::Gt => binary(&Op::Greater, slf, other, false),
            CompareOp::Ge => binary(&Op::GreaterEqual, slf, other, false),
        }
    }

    /// By identity: equality of tensors is elementwise.
    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        slf.as_ptr().addr().cast_signed() >> 4
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        let record = slf.get().record.bind(slf.py());
        let key: Key = parse(key, record)?;
        let work = key.work();
        apply_with(slf, "index", work, |arena, x, site| key.apply(arena, x, site))
    }

    /// Assignment is functional: the object moves on to a new node, the one before keeps
    /// its value.
    fn __setitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
        values: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let key: Key = parse(key, this.record.bind(py))?;
        let (operands, work) = ([slf.as_any(), values], key.work());
        let made =
            operand::call_with(py, "assign", &operands, work, |arena, x, site| {
                key.assign(arena, x[0], x[1], site)
            })?;
        this.at.swap(&made.cast::<PyTensor>()?.get().at, py);
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __delitem__(&self, _key: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyTypeError::new_err("a tensor does not support item deletion"))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        match self.sizes(py)?.first() {
            Some(&len) => Ok(len),
            None => Err(PyTypeError::new_err("len() of a tensor without axes")),
        }
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let Some(&len) = slf.get().sizes(py)?.first() else {
            return Err(PyTypeError::new_err("iteration over a tensor without axes"));
        };
        let items = (0..len).map(|k| slf.get_item(k)).collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, items)?.try_iter()?.into_any())
    }

    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __float__(&self, py: Python<'_>) -> PyResult<f64> {
        Err(refuse(py, "float()"))
    }

    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __complex__(&self, py: Python<'_>) -> PyResult<f64> {
        Err(refuse(py, "complex()"))
    }

    #[expect(clippy::unused_self, reason = "Python passes it")]
    #[pyo3(signature = (*_arguments, **_options))]
    fn __array__(
        &self,
        py: Python<'_>,
        _arguments: &Bound<'_, PyTuple>,
        _options: Option<&Bound<'_, pyo3::types::PyDict>>,
    ) -> PyResult<()> {
        Err(refuse(py, "a NumPy array"))
    }

    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        match self.dtype(py)? {
            DType::Bool => Ok(matches!(self.value(py)?, Scalar::Bool(true))),
            dtype => {
                let text = format!(
                    "bool() of a tensor of {dtype}\n\
                     hint: compare it first, or read it by .item()"
                );
                Err(raise(py, "DTypeError", &text))
            }
        }
    }

    fn __int__(&self, py: Python<'_>) -> PyResult<i64> {
        match (self.dtype(py)?, self.value(py)) {
            (DType::I64, Ok(Scalar::Int(x))) => Ok(x),
            (DType::I64, Err(error)) => Err(error),
            _ => Err(refuse(py, "int()")),
        }
    }

    fn __index__(&self, py: Python<'_>) -> PyResult<i64> {
        self.__int__(py)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let text = self.read(py, "repr", |arena, node| {
            Ok(crate::record::print::tensor(arena, node))
        });
        let (label, record) = (self.handle(py).label(), self.record.get().id);
        match text {
            Ok(text) => format!("<{text}>"),
            Err(_) => format!("<dead tensor {label} of record {record}>"),
        }
    }

    /// The record that the tensor is a position of.
    #[getter]
    fn record<'py>(&self, py: Python<'py>) -> Bound<'py, PyRecord> {
        self.record.bind(py).clone()
    }

    /// The position in the record.
    #[getter]
    fn index(&self, py: Python<'_>) -> u32 {
        self.handle(py).node
    }

    /// The sizes of the axes.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.sizes(py)?)
    }

    /// The number of axes.
    #[getter]
    fn ndim(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.sizes(py)?.len())
    }

    /// The number of elements.
    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.sizes(py)?.iter().product())
    }

    /// The element type, as `NumPy`'s.
    #[getter(dtype)]
    fn numpy_dtype<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, numpy::PyArrayDescr>> {
        Ok(descr(py, self.dtype(py)?))
    }

    /// The axes in reverse order.
    #[getter(T)]
    fn reversed<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTensor>> {
        apply(slf, "transpose", |arena, x, site| arena.transpose(x, None, site))
    }

    /// The value as a read-only NumPy array of the tensor's shape and type.
    ///
    /// Arrays of up to 1 KiB are copied; larger ones show the record's memory and keep
    /// it.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones(2).data()
    /// array([1., 1.])
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut small = Small::default();
        let large = self.read(py, "data", |arena, node| {
            arena.expect_value("data", node)?;
            let is_small = small.read(&arena.view(node));
            if is_small { Ok(None) } else { arena.data(node).map(Some) }
        })?;
        match large {
            None => small.to_numpy(py),
            Some(array) => to_numpy(py, &array),
        }
    }

    /// The value of a tensor of one element, as a Python number; ShapeError if there
    /// are several.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones(2).sum().item()
    /// 2.0
    fn item<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self.value(py)? {
            Scalar::Bool(x) => x.into_pyobject(py)?.to_owned().into_any(),
            Scalar::Int(x) => x.into_pyobject(py)?.into_any(),
            Scalar::Float(x) => x.into_pyobject(py)?.into_any(),
        })
    }

    /// Sweep back from this tensor.
    ///
    /// Parameters
    /// ----------
    /// seed : `array_like`, optional
    ///     The cotangent of this tensor, of its shape: a constant. Needed unless the
    ///     tensor has one element.
    /// wrt : tensor, or nested lists, tuples and dicts of tensors, optional
    ///     Compute and keep exactly these cotangents; by default those of the leaves,
    ///     and others on demand. A gradient that was taken without ``record=True`` may
    ///     be among them, unless an earlier tensor is that may lie behind it.
    /// record : bool
    ///     Record the sweep, so that its results can be differentiated again.
    /// ieee : bool
    ///     Let a zero cotangent meet an infinite slope as IEEE 754 says, giving NaN.
    /// consume : bool
    ///     Free each value after the sweep has used it, so that less memory is needed at
    ///     once. What was computed from leaves is then gone, except this tensor's own
    ///     value: HandleError for its value or an op on it, GradError for another sweep
    ///     over it, until the record is cleared or rewound below it. A sweep that fails
    ///     has consumed too.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> x = rec.tensor_from_value(3.0)
    /// >>> (x ** 2).grad().wrt(x).item()
    /// 6.0
    #[pyo3(signature = (*, seed=None, wrt=None, record=false, ieee=false, consume=false))]
    fn grad<'py>(
        slf: &Bound<'py, Self>,
        seed: Option<&Bound<'py, PyAny>>,
        wrt: Option<&Bound<'py, PyAny>>,
        record: bool,
        ieee: bool,
        consume: bool,
    ) -> PyResult<Bound<'py, PyGrad>> {
        let options = Request { record, ieee, consume, ..Request::default() };
        PyGrad::take(slf, seed, wrt, options)
    }

    /// Refused: a copy outside the record would be no tensor of it.
    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a tensor cannot be pickled or copied: it is a position in its record\n\
             hint: .data() gives its value as a NumPy array",
        ))
    }

    /// As `+`: values are immutable, so that no node is needed.
    fn __copy__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTensor>> {
        PyTensor::__pos__(slf)
    }
}

impl PyTensor {
    /// The value of a tensor of one element.
    fn value(&self, py: Python<'_>) -> PyResult<Scalar> {
        self.read(py, "item", |arena, node| {
            arena.expect_value("item", node)?;
            let value = arena.view(node).item();
            value.map_err(|error| arena.explain(error, &[Arg::Value(node)]))
        })
    }
}
