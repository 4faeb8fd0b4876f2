//! Convolutions and poolings.

use super::network::{Operands, nodes};
use crate::error::Result;
use crate::python::array::{both_ends, checked_size, checked_sizes};
use crate::python::error::raise;
use crate::python::operand::{call, is_index, node};
use crate::record::{Arena, Convolution, Margins, Pooling};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A size, or one for each axis.
fn per_axis(
    op: &'static str,
    given: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<usize>> {
    given.map_or(Ok(Vec::new()), |given| checked_sizes(op, given))
}

/// A `padding` argument: 'valid', 'same', a size, or for each axis a size or a pair.
fn margins(op: &'static str, given: Option<&Bound<'_, PyAny>>) -> PyResult<Margins> {
    let Some(given) = given else { return Ok(Margins::Valid) };
    if let Ok(name) = given.cast::<PyString>() {
        return match name.to_str()? {
            "valid" => Ok(Margins::Valid),
            "same" => Ok(Margins::Same),
            other => {
                let text = format!(
                    "{op}: padding is 'valid', 'same', sizes or pairs of sizes, \
                     not '{other}'"
                );
                Err(raise(given.py(), "ShapeError", &text))
            }
        };
    }
    if is_index(given) {
        return Ok(Margins::Each(vec![both_ends(op, given)?]));
    }
    let pairs = given.try_iter()?.map(|item| both_ends(op, &item?));
    Ok(Margins::Each(pairs.collect::<PyResult<_>>()?))
}

type Method = fn(
    &mut Arena,
    &'static str,
    usize,
    [u32; 2],
    Option<u32>,
    &Convolution,
    u32,
) -> Result<u32>;

/// A convolution of anything.
fn convolve<'py>(
    op: &'static str,
    axes: usize,
    method: Method,
    [x, weight]: [&Bound<'py, PyAny>; 2],
    bias: Option<&Bound<'py, PyAny>>,
    by: &Convolution,
) -> PyResult<Bound<'py, PyAny>> {
    let operands = Operands::new([x, weight], [bias]);
    let present = operands.presence();
    call(x.py(), op, &operands.given(), |arena, given, site| {
        let (operands, [bias]) = nodes(arena, given, present, site)?;
        method(arena, op, axes, operands, bias, by, site)
    })
}

macro_rules! convolutions {
    ($($(#[$doc:meta])* $name:ident $axes:literal;)*) => { $(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(
            signature = (
                x, weight, /, bias=None, stride=None, padding=None, dilation=None,
                groups=None
            ),
            text_signature = "(x, weight, /, bias=None, stride=1, padding=0, \
                              dilation=1, groups=1)"
        )]
        fn $name<'py>(
            x: &Bound<'py, PyAny>,
            weight: &Bound<'py, PyAny>,
            bias: Option<&Bound<'py, PyAny>>,
            stride: Option<&Bound<'py, PyAny>>,
            padding: Option<&Bound<'py, PyAny>>,
            dilation: Option<&Bound<'py, PyAny>>,
            groups: Option<&Bound<'py, PyAny>>,
        ) -> PyResult<Bound<'py, PyAny>> {
            let op = stringify!($name);
            let by = Convolution {
                stride: per_axis(op, stride)?,
                padding: margins(op, padding)?,
                dilation: per_axis(op, dilation)?,
                groups: groups.map_or(Ok(1), |n| checked_size(op, n))?,
                output_padding: Vec::new(),
            };
            convolve(op, $axes, Arena::convolution, [x, weight], bias, &by)
        }
    )* };
}
convolutions! {
    /// Convolution over one axis: `y[n, o, i]` is the sum over `c` and `k` of `x[n, c,
    /// i * stride + k * dilation - padding] * weight[o, c, k]`, plus `bias[o]`.
    ///
    /// `x` has shape (images, channels, size), `weight` (outputs, channels / groups,
    /// window) and `bias` (outputs,); the result has shape (images, outputs, places).
    /// For one image alone, `x` and the result are without the axis of images. All are
    /// tensors or array_likes, whose types promote as NumPy's. `stride` and `dilation`
    /// are an integer, or one for each axis. `padding` is the number of zeros at both
    /// ends, or for each axis that number or a pair (before, behind); 'valid' means
    /// none, 'same' as many as make size / stride places, rounded up. `groups` splits
    /// channels and outputs into parts that do not meet. ShapeError, which names the
    /// operands, for sizes that do not fit. As in networks the window is not turned
    /// around: Dumoulin and Visin, "A guide to convolution arithmetic" (2016).
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.conv1d([[[1.0, 2.0, 3.0, 4.0]]], [[[1.0, -1.0]]], padding=(1,))
    /// array([[[-1., -1., -1., -1.,  4.]]])
    conv1d 1;

    /// Convolution over two axes, by the rules of `conv1d`.
    ///
    /// `x` has shape (images, channels, height, width), `weight` (outputs, channels /
    /// groups, height, width of the window) and `bias` (outputs,).
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> x = [[[[1.0, 2.0], [3.0, 4.0]]]]
    /// >>> wengert.conv2d(x, [[[[1.0, 1.0]]]], padding="same")
    /// array([[[[3., 2.],
    ///          [7., 4.]]]])
    conv2d 2;

    /// Convolution over three axes, by the rules of `conv1d`.
    ///
    /// `x` has shape (images, channels, depth, height, width), `weight` (outputs,
    /// channels / groups, and the three of the window) and `bias` (outputs,).
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np, wengert
    /// >>> x, weight = np.ones((1, 2, 4, 4, 4)), np.ones((3, 2, 2, 2, 2))
    /// >>> wengert.conv3d(x, weight, stride=2).shape
    /// (1, 3, 2, 2, 2)
    conv3d 3;
}

macro_rules! transposed {
    ($($(#[$doc:meta])* $name:ident $axes:literal;)*) => { $(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(
            signature = (
                x, weight, /, bias=None, stride=None, padding=None, output_padding=None,
                dilation=None, groups=None
            ),
            text_signature = "(x, weight, /, bias=None, stride=1, padding=0, \
                              output_padding=0, dilation=1, groups=1)"
        )]
        #[expect(clippy::too_many_arguments, reason = "they are Python's")]
        fn $name<'py>(
            x: &Bound<'py, PyAny>,
            weight: &Bound<'py, PyAny>,
            bias: Option<&Bound<'py, PyAny>>,
            stride: Option<&Bound<'py, PyAny>>,
            padding: Option<&Bound<'py, PyAny>>,
            output_padding: Option<&Bound<'py, PyAny>>,
            dilation: Option<&Bound<'py, PyAny>>,
            groups: Option<&Bound<'py, PyAny>>,
        ) -> PyResult<Bound<'py, PyAny>> {
            let op = stringify!($name);
            let by = Convolution {
                stride: per_axis(op, stride)?,
                padding: margins(op, padding)?,
                dilation: per_axis(op, dilation)?,
                groups: groups.map_or(Ok(1), |n| checked_size(op, n))?,
                output_padding: per_axis(op, output_padding)?,
            };
            convolve(op, $axes, Arena::transposed_convolution, [x, weight], bias, &by)
        }
    )* };
}
transposed! {
    /// The transpose of `conv1d` in its operand: each element of `x` adds `weight`
    /// times itself where the window of `conv1d` would read it.
    ///
    /// `x` has shape (images, channels, size), `weight` (channels, outputs / groups,
    /// window) and `bias` (outputs,). The result has shape (images, outputs, (size - 1)
    /// * stride + (window - 1) * dilation + 1 + output_padding - padding), with the
    /// padding of both ends taken off. `output_padding` is less than the stride, by
    /// which it tells apart the sizes that `conv1d` takes to one; 'same' is no padding
    /// here. All else is as for `conv1d`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.conv_transpose1d([[[1.0, 2.0]]], [[[1.0, 10.0, 100.0]]], stride=2)
    /// array([[[  1.,  10., 102.,  20., 200.]]])
    conv_transpose1d 1;

    /// The transpose of `conv2d` in its operand, by the rules of `conv_transpose1d`.
    ///
    /// `x` has shape (images, channels, height, width), `weight` (channels, outputs /
    /// groups, height, width of the window) and `bias` (outputs,).
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np, wengert
    /// >>> x, weight = np.ones((1, 2, 3, 3)), np.ones((2, 4, 2, 2))
    /// >>> wengert.conv_transpose2d(x, weight, stride=2, output_padding=1).shape
    /// (1, 4, 7, 7)
    conv_transpose2d 2;

    /// The transpose of `conv3d` in its operand, by the rules of `conv_transpose1d`.
    ///
    /// `x` has shape (images, channels, depth, height, width), `weight` (channels,
    /// outputs / groups, and the three of the window) and `bias` (outputs,).
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np, wengert
    /// >>> x, weight = np.ones((1, 2, 2, 2, 2)), np.ones((2, 1, 3, 3, 3))
    /// >>> wengert.conv_transpose3d(x, weight, padding=1).shape
    /// (1, 1, 2, 2, 2)
    conv_transpose3d 3;
}

macro_rules! max_pools {
    ($($(#[$doc:meta])* $name:ident $axes:literal;)*) => { $(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(
            signature = (x, window, /, stride=None, padding=None),
            text_signature = "(x, window, /, stride=None, padding=0)"
        )]
        fn $name<'py>(
            x: &Bound<'py, PyAny>,
            window: &Bound<'py, PyAny>,
            stride: Option<&Bound<'py, PyAny>>,
            padding: Option<&Bound<'py, PyAny>>,
        ) -> PyResult<Bound<'py, PyAny>> {
            let op = stringify!($name);
            let by = Pooling {
                window: checked_sizes(op, window)?,
                stride: per_axis(op, stride)?,
                padding: margins(op, padding)?,
                leave_out_padding: false,
            };
            call(x.py(), op, &[x], |arena, x, site| {
                let x = node(arena, x[0], site)?;
                arena.max_pool(op, $axes, x, &by, site)
            })
        }
    )* };
}
max_pools! {
    /// The largest element in each window over the last axis; NaN if any is NaN.
    ///
    /// `x` is a tensor or array_like of shape (images, channels, size), or (channels,
    /// size) for one image alone. `window` and `stride`, by default the window, are an
    /// integer, or one for each axis; `padding` is as for `conv1d`, less than the
    /// window, and no element. At ties the cotangent is split equally among the largest
    /// elements of a window. ShapeError for a window that does not fit.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.max_pool1d([[[1.0, 3.0, 2.0, 0.0, 5.0]]], 2)
    /// array([[[3., 2.]]])
    max_pool1d 1;

    /// The largest element in each window over the last two axes, by the rules
    /// of `max_pool1d`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> x = [[[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]]]
    /// >>> wengert.max_pool2d(x, 2, stride=1)
    /// array([[[[4., 5.]]]])
    max_pool2d 2;

    /// The largest element in each window over the last three axes, by the rules
    /// of `max_pool1d`.
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np, wengert
    /// >>> wengert.max_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 2)
    /// array([[[[[7.]]]]])
    max_pool3d 3;
}

macro_rules! average_pools {
    ($($(#[$doc:meta])* $name:ident $axes:literal;)*) => { $(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(
            signature = (x, window, /, stride=None, padding=None, count_include_pad=true),
            text_signature = "(x, window, /, stride=None, padding=0, \
                              count_include_pad=True)"
        )]
        fn $name<'py>(
            x: &Bound<'py, PyAny>,
            window: &Bound<'py, PyAny>,
            stride: Option<&Bound<'py, PyAny>>,
            padding: Option<&Bound<'py, PyAny>>,
            count_include_pad: bool,
        ) -> PyResult<Bound<'py, PyAny>> {
            let op = stringify!($name);
            let by = Pooling {
                window: checked_sizes(op, window)?,
                stride: per_axis(op, stride)?,
                padding: margins(op, padding)?,
                leave_out_padding: !count_include_pad,
            };
            call(x.py(), op, &[x], |arena, x, site| {
                let x = node(arena, x[0], site)?;
                arena.average_pool(op, $axes, x, &by, site)
            })
        }
    )* };
}
average_pools! {
    /// The mean in each window over the last axis.
    ///
    /// `x` is a tensor or array_like of shape (images, channels, size), or (channels,
    /// size) for one image alone; integers are averaged as float64. `window` and
    /// `stride`, by default the window, are an integer, or one for each axis; `padding`
    /// is as for `conv1d` and less than the window. Padding counts as zeros; with
    /// `count_include_pad=False` the sum is divided by the number of elements that the
    /// window shows. ShapeError for a window that does not fit.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.avg_pool1d([[[1.0, 3.0, 2.0, 0.0, 5.0]]], 2)
    /// array([[[2., 1.]]])
    avg_pool1d 1;

    /// The mean in each window over the last two axes, by the rules of
    /// `avg_pool1d`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> x = [[[[4.0, 8.0], [0.0, 4.0]]]]
    /// >>> wengert.avg_pool2d(x, 2, padding=1)
    /// array([[[[1., 2.],
    ///          [0., 1.]]]])
    avg_pool2d 2;

    /// The mean in each window over the last three axes, by the rules of
    /// `avg_pool1d`.
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np, wengert
    /// >>> wengert.avg_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 2)
    /// array([[[[[3.5]]]]])
    avg_pool3d 3;
}

/// Adds the functions of this file to the module.
pub(super) fn add_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    macro_rules! add {
        ($($name:ident)*) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
        };
    }
    add! {
        conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
        max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d
    }
    Ok(())
}
