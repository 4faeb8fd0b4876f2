//! Products of tensors: einsum, and those that have names of their own.

use super::axes;
use crate::error::{Error, Fault};
use crate::python::error::{plain, raise};
use crate::python::operand::{call, is_index, node};
use crate::python::tensor::PyTensor;
use crate::record::Expression;
use crate::shape::MAX_AXES;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

type Result<'py> = PyResult<Bound<'py, PyAny>>;

/// The sum of products that subscripts write out, one letter for each axis.
///
/// `subscripts` is such as "ij,jk->ik": operands apart by commas, then the result. Axes
/// of one letter run together, and are summed if the result lacks it; a letter that an
/// operand repeats takes its diagonal. "..." stands for the axes without letters, which
/// broadcast. Without an arrow the result has the axes at "...", then the letters that
/// occur once, in alphabetical order. `operands` are tensors or array_likes whose types
/// promote as NumPy's; of booleans the result is whether any product is true.
///
/// The subscripts may also be lists of whole numbers and `...`, one behind each operand:
/// `einsum(a, [0, 1], b, [1, 2], [0, 2])`. Without the last list, that of the result,
/// the numbers that occur once stand in their order.
///
/// A size of 1 fits any other in another operand. ShapeError if sizes differ, or if
/// the subscripts do not fit the operands. More than two operands are multiplied in
/// pairs, each time the pair whose product is smallest beside what it replaces.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
/// array([3., 7.])
/// >>> wengert.einsum("ii", [[1, 2], [3, 4]]).item()
/// 5
#[pyfunction]
#[pyo3(signature = (subscripts, /, *operands))]
fn einsum<'py>(
    subscripts: &Bound<'py, PyAny>,
    operands: &Bound<'py, PyTuple>,
) -> Result<'py> {
    let (op, py) = ("einsum", operands.py());
    let mut items: Vec<_> = operands.iter().collect();
    let expression = if let Ok(text) = subscripts.cast::<PyString>() {
        Expression::parse(text.to_str()?)
    } else {
        items.insert(0, subscripts.clone());
        let result = if items.len() % 2 == 1 { items.pop() } else { None };
        let result = result.as_ref().map(labels).transpose()?;
        let mut lists = Vec::new();
        for list in items.iter().skip(1).step_by(2) {
            lists.push(labels(list)?);
        }
        items = items.into_iter().step_by(2).collect();
        Expression::of_lists(&lists, result.as_deref())
    };
    if items.is_empty() {
        return plain(py, Err(Error::new(Fault::NoOperands { op })));
    }
    let expression = plain(py, expression)?;
    let operands: Vec<_> = items.iter().collect();
    call(py, op, &operands, |arena, x, site| {
        let nodes = x.iter().map(|&x| node(arena, x, site));
        let nodes = nodes.collect::<crate::error::Result<Vec<u32>>>()?;
        arena.einsum(&expression, &nodes, site)
    })
}

/// A list of subscripts; `None` stands for `...`.
fn labels(list: &Bound<'_, PyAny>) -> PyResult<Vec<Option<usize>>> {
    let py = list.py();
    let wrong = |what: &Bound<'_, PyAny>| {
        let text = format!(
            "einsum: behind each operand comes the list of its subscripts, whole \
             numbers or `...`, not {}",
            what.repr()?
        );
        PyResult::<PyErr>::Ok(raise(py, "DTypeError", &text))
    };
    let label = |item: Bound<'_, PyAny>| {
        if item.is(py.Ellipsis()) {
            return Ok(None);
        }
        if !is_index(&item) {
            return Err(wrong(&item)?);
        }
        let number = item.extract::<isize>()?;
        let negative = Fault::NegativeDimension { op: "einsum", value: number };
        plain(py, usize::try_from(number).map_err(|_| negative.into())).map(Some)
    };
    // A tensor's items would be recorded.
    if list.is_exact_instance_of::<PyTensor>() {
        return Err(wrong(list)?);
    }
    match list.try_iter() {
        Ok(items) => items.map(|item| label(item?)).collect(),
        Err(_) => Err(wrong(list)?),
    }
}

/// Sums of products over pairs of axes; the others stay, those of `a` first.
///
/// `a` and `b` are tensors or array_likes whose types promote as NumPy's. `axes` is how
/// many of the last axes of `a` are paired with the first of `b`, or the axes of both:
/// a pair of integers or of sequences of as many. ShapeError if sizes of a pair differ.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.tensordot([[1, 2], [3, 4]], [[1, 1], [0, 1]], axes=([0], [1]))
/// array([[4, 3],
///        [6, 4]])
#[pyfunction]
#[pyo3(signature = (a, b, /, axes=None), text_signature = "(a, b, /, axes=2)")]
fn tensordot<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    axes: Option<&Bound<'py, PyAny>>,
) -> Result<'py> {
    let (op, py) = ("tensordot", a.py());
    let counted = match axes {
        None => Some(2),
        Some(axes) if is_index(axes) => Some(axes.extract::<isize>()?),
        Some(_) => None,
    };
    let (axes_a, axes_b) = match (counted, axes) {
        (Some(value @ ..0), _) => {
            let fault = Fault::NegativeDimension { op, value };
            return plain(py, Err(Error::new(fault)));
        }
        // So many axes no tensor has: the error is that of the first one missing.
        (Some(count), _) => {
            let count = count.min(MAX_AXES.cast_signed() + 1);
            ((-count..0).collect(), (0..count).collect())
        }
        (None, Some(pair)) => {
            let (axes_a, axes_b): (Bound<'py, PyAny>, Bound<'py, PyAny>) =
                pair.extract()?;
            let named = |axes: &Bound<'py, PyAny>| {
                self::axes(op, Some(axes)).map(Option::unwrap_or_default)
            };
            (named(&axes_a)?, named(&axes_b)?)
        }
        (None, None) => unreachable!("without axes there is a count"),
    };
    call(py, op, &[a, b], |arena, x, site| {
        let (a, b) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
        arena.tensordot(a, b, &axes_a, &axes_b, site)
    })
}

macro_rules! products {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = (a, b, /))]
            fn $name<'py>(a: &Bound<'py, PyAny>, b: &Bound<'py, PyAny>) -> Result<'py> {
                call(a.py(), stringify!($name), &[a, b], |arena, x, site| {
                    let (a, b) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
                    arena.$name(a, b, site)
                })
            }
        )*

        fn add_products(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            Ok(())
        }
    };
}
products! {
    /// Sums of products over the last axis of `a` and the last but one of `b`, or its
    /// only one; a product if either has no axes.
    ///
    /// `a` and `b` are tensors, array_likes or numbers whose types promote as NumPy's.
    /// The other axes stay, those of `a` first. ShapeError if the sizes differ.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.dot([1.0, 2.0], [3.0, 4.0]).item()
    /// 11.0
    dot;

    /// Sums of products over the last axis of both; a product if either has no axes.
    ///
    /// `a` and `b` are tensors, array_likes or numbers whose types promote as NumPy's.
    /// The other axes stay, those of `a` first. ShapeError if the sizes differ.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.inner([[1, 2], [3, 4]], [1, 1])
    /// array([3, 7])
    inner;

    /// The product of each element of `a`, in C order, with each of `b`: a matrix.
    ///
    /// `a` and `b` are tensors, array_likes or numbers whose types promote as NumPy's.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.outer([1, 2], [3, 4])
    /// array([[3, 4],
    ///        [6, 8]])
    outer;

    /// The sum of the products of all elements, in C order.
    ///
    /// `a` and `b` are tensors, array_likes or numbers of as many elements, ShapeError
    /// otherwise, whose types promote as NumPy's.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.vdot([[1, 2], [3, 4]], [1, 1, 1, 1]).item()
    /// 10
    vdot;

    /// Each element of `a` times the whole of `b`, side by side along each axis.
    ///
    /// `a` and `b` are tensors, array_likes or numbers whose types promote as NumPy's;
    /// the one with fewer axes has further ones of size 1 in front. Each size of the
    /// result is the product of both sizes.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.kron([1, 10], [1, 2, 3])
    /// array([ 1,  2,  3, 10, 20, 30])
    kron;
}

/// The vector product along axes of size 3; the other axes broadcast.
///
/// `a` and `b` are tensors or array_likes whose types promote as NumPy's; their vectors
/// lie along `axisa` and `axisb`, those of the result along `axisc`, or all along `axis`
/// if it is given. ShapeError for vectors of another size. NumPy 2.0 deprecates those
/// of 2, whose product is a number; it is `a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]`.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.cross([1, 0, 0], [0, 1, 0])
/// array([0, 0, 1])
#[pyfunction]
#[pyo3(signature = (a, b, /, axisa=-1, axisb=-1, axisc=-1, axis=None),
       text_signature = "(a, b, /, axisa=-1, axisb=-1, axisc=-1, axis=None)")]
fn cross<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    axisa: isize,
    axisb: isize,
    axisc: isize,
    axis: Option<isize>,
) -> Result<'py> {
    let axes = axis.map_or([axisa, axisb, axisc], |axis| [axis; 3]);
    call(a.py(), "cross", &[a, b], |arena, x, site| {
        let (a, b) = (node(arena, x[0], site)?, node(arena, x[1], site)?);
        arena.cross(a, b, axes, site)
    })
}

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_products(module)?;
    module.add_function(wrap_pyfunction!(einsum, module)?)?;
    module.add_function(wrap_pyfunction!(tensordot, module)?)?;
    module.add_function(wrap_pyfunction!(cross, module)?)?;
    Ok(())
}
