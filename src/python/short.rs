//! The short way through an elementwise op, which most calls take: operands are small
//! tensors of one record, or one of them a Python number, and no error is in sight.
//!
//! Whatever is not so is declined here and goes the full way, which says what is wrong.

use super::fixed::{Named, known};
use super::handle::Handle;
use super::object;
use super::tensor::PyTensor;
use crate::dtype::Scalar;
use crate::error::Result;
use crate::ops::emit::Arg;
use crate::ops::{Op, Tag};
use crate::record::Arena;
use pyo3::prelude::*;
use pyo3::types::PyCFunction;
use pyo3::{PyTypeInfo, ffi};
use std::sync::OnceLock;

/// An operand that the short way takes.
enum Short<'a, 'py> {
    Tensor(&'a Bound<'py, PyTensor>),
    Number(Scalar),
}

impl<'a, 'py> Short<'a, 'py> {
    #[inline]
    fn new(
        value: &'a Bound<'py, PyAny>,
        tensor: *mut ffi::PyTypeObject,
    ) -> Option<Self> {
        let object = value.as_ptr();
        // SAFETY: the object is alive, and read as the type that it was found to have.
        unsafe {
            let class = ffi::Py_TYPE(object);
            if class == tensor {
                return Some(Short::Tensor(value.cast_unchecked()));
            }
            if class == &raw mut ffi::PyFloat_Type {
                let number = ffi::PyFloat_AS_DOUBLE(object);
                return Some(Short::Number(Scalar::Float(number)));
            }
            if class == &raw mut ffi::PyLong_Type {
                let mut overflow = 0;
                let number =
                    ffi::PyLong_AsLongLongAndOverflow(object, &raw mut overflow);
                return (overflow == 0).then_some(Short::Number(Scalar::Int(number)));
            }
        }
        None
    }
}

/// Appends the node that `f` makes of a tensor, or declines.
#[inline]
fn append<'py>(
    tensor: &Bound<'py, PyTensor>,
    op: Tag,
    f: impl FnOnce(&mut Arena, u32, u32) -> Option<Result<u32>>,
) -> Option<PyResult<Bound<'py, PyTensor>>> {
    let py = tensor.py();
    let (record, handle) = (tensor.get().record.bind(py), tensor.get().handle(py));
    let made = record.get().try_run_at(py, op.name(), |arena, site| {
        let x = handle.living(arena)?;
        let node = f(arena, x, site)?;
        Some(node.map(|node| Handle::of_op(arena, node, site, op)))
    })?;
    Some(match made {
        Ok(handle) => object::tensor(record, handle),
        Err(error) => Err(record.get().explain(py, error)),
    })
}

/// Applies an op to an operand, or declines.
#[inline]
pub(super) fn unary<'py>(
    named: impl Named,
    x: &Bound<'py, PyAny>,
) -> Option<PyResult<Bound<'py, PyTensor>>> {
    let x = x.cast_exact::<PyTensor>().ok()?;
    append(x, named.op().tag(), |arena, x, site| arena.small_unary(named.op(), x, site))
}

/// Applies an op to two operands, or declines.
#[inline]
pub(super) fn binary<'py>(
    named: impl Named,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> Option<PyResult<Bound<'py, PyTensor>>> {
    let tag = named.op().tag();
    if matches!(named.op(), Op::Power) {
        // Some exponents stand for other ops.
        return None;
    }
    let class = PyTensor::type_object_raw(a.py());
    match (Short::new(a, class)?, Short::new(b, class)?) {
        (Short::Tensor(a), Short::Tensor(b)) => {
            let (this, other) = (a.get(), b.get());
            if this.record.as_ptr() != other.record.as_ptr() {
                return None;
            }
            let second = other.handle(b.py());
            append(a, tag, |arena, x, site| {
                let y = second.living(arena)?;
                arena.small_binary(named.op(), Arg::Value(x), Arg::Value(y), site)
            })
        }
        (Short::Tensor(a), Short::Number(b)) => append(a, tag, |arena, x, site| {
            arena.small_binary(named.op(), Arg::Value(x), Arg::Number(b), site)
        }),
        (Short::Number(a), Short::Tensor(b)) => append(b, tag, |arena, y, site| {
            arena.small_binary(named.op(), Arg::Number(a), Arg::Value(y), site)
        }),
        (Short::Number(_), Short::Number(_)) => None,
    }
}

/// What the interpreter takes for a tensor or an error.
#[inline]
pub(super) fn returned(
    py: Python<'_>,
    made: PyResult<Bound<'_, PyTensor>>,
) -> *mut ffi::PyObject {
    match made {
        Ok(tensor) => tensor.into_ptr(),
        Err(error) => {
            error.restore(py);
            std::ptr::null_mut()
        }
    }
}

/// Puts the short way before the full one of a tensor's operators.
///
/// The interpreter calls these functions as they are, and a panic in one, which would be a
/// defect of this package, ends the process: what is declined goes on to the
/// function that was there before.
pub(super) fn install(py: Python<'_>) {
    macro_rules! operators {
        ($($slot:ident: $Op:ident;)*) => { $({
            static FULL: OnceLock<ffi::binaryfunc> = OnceLock::new();

            unsafe extern "C" fn short(
                a: *mut ffi::PyObject,
                b: *mut ffi::PyObject,
            ) -> *mut ffi::PyObject {
                // SAFETY: the interpreter calls this attached, with living operands.
                unsafe {
                    let py = Python::assume_attached();
                    let (x, y) = (Borrowed::from_ptr(py, a), Borrowed::from_ptr(py, b));
                    match (binary(known!($Op), &x, &y), FULL.get()) {
                        (Some(made), _) => returned(py, made),
                        (None, Some(full)) => full(a, b),
                        (None, None) => py.NotImplemented().into_ptr(),
                    }
                }
            }

            // SAFETY: the thread is attached, and the class, which cannot be derived
            // from, is not in use yet.
            unsafe {
                let number = (*PyTensor::type_object_raw(py)).tp_as_number;
                if FULL.get().is_none()
                    && let Some(full) = (*number).$slot.replace(short)
                {
                    FULL.get_or_init(|| full);
                }
            }
        })* };
    }
    operators! {
        nb_add: Add;
        nb_subtract: Subtract;
        nb_multiply: Multiply;
        nb_true_divide: Divide;
    }
}

/// How the interpreter calls a function of the module.
pub(super) type Call = ffi::PyCFunctionFastWithKeywords;

/// A function of the module with the short way before the full one, which looks at what
/// it was called with more closely than most calls need.
macro_rules! short_function {
    ($module:ident, $name:ident, |$x:ident: $n:literal| $short:expr) => {{
        use pyo3::ffi;
        static FULL: std::sync::OnceLock<$crate::python::short::Call> =
            std::sync::OnceLock::new();

        unsafe extern "C" fn short(
            module: *mut ffi::PyObject,
            arguments: *const *mut ffi::PyObject,
            count: ffi::Py_ssize_t,
            names: *mut ffi::PyObject,
        ) -> *mut ffi::PyObject {
            // SAFETY: the interpreter calls this attached, with `count` living arguments
            // and then those that have names.
            unsafe {
                let py = Python::assume_attached();
                if count == $n && names.is_null() {
                    let $x: [Borrowed<'_, '_, PyAny>; $n] = std::array::from_fn(|k| {
                        Borrowed::from_ptr(py, *arguments.add(k))
                    });
                    if let Some(made) = $short {
                        return $crate::python::short::returned(py, made);
                    }
                }
                match FULL.get() {
                    Some(full) => full(module, arguments, count, names),
                    None => py.NotImplemented().into_ptr(),
                }
            }
        }

        let function = wrap_pyfunction!($name, $module)?;
        $crate::python::short::install_before(&function, &FULL, short);
        function
    }};
}
pub(super) use short_function;

/// Makes the interpreter call `short` where it would have called the function, which
/// `full` then holds.
pub(super) fn install_before(
    function: &Bound<'_, PyCFunction>,
    full: &OnceLock<Call>,
    short: Call,
) {
    // SAFETY: the thread is attached, and nothing calls the function yet. Its definition
    // is pyo3's, which keeps it in a static cell for the interpreter alone, and says in its
    // flags how the function is called.
    unsafe {
        let definition = (*function.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml;
        debug_assert_eq!(
            (*definition).ml_flags,
            ffi::METH_FASTCALL | ffi::METH_KEYWORDS
        );
        if (*definition).ml_flags == ffi::METH_FASTCALL | ffi::METH_KEYWORDS {
            let call = &mut (*definition).ml_meth.PyCFunctionFastWithKeywords;
            full.get_or_init(|| *call);
            *call = short;
        }
    }
}
