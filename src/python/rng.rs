//! `Rng`.

use super::array::{checked_size, checked_sizes, dtype_of, to_numpy};
use super::error::plain;
use super::threads::detached;
use super::work::LONG;
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::Result;
use crate::rng::Rng;
use pyo3::prelude::*;

/// A handle to one PCG64 stream of random numbers.
///
/// The same seed gives the same numbers in Rust and in Python, in the order of the calls.
///
/// Parameters
/// ----------
/// seed : int
///     From 0 to 2**64 - 1.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.Rng(7).permutation(4).shape
/// (4,)
#[pyclass(frozen, module = "wengert", name = "Rng")]
pub(super) struct PyRng(pub(super) Rng);

#[pymethods]
impl PyRng {
    #[new]
    #[pyo3(signature = (seed, /))]
    fn new(seed: u64) -> Self {
        PyRng(Rng::new(seed))
    }

    /// Values drawn uniformly from `low` (included) to `high` (not), as a read-only
    /// array.
    ///
    /// Parameters
    /// ----------
    /// shape : int or sequence of int
    /// low, high : float
    /// dtype : dtype, optional
    ///     float32 (default) or float64.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.Rng(7).uniform(3, dtype="float64").round(3)
    /// array([0.001, 0.231, 0.902])
    #[pyo3(signature = (shape, low=0.0, high=1.0, dtype=None))]
    fn uniform<'py>(
        &self,
        shape: &Bound<'py, PyAny>,
        low: f64,
        high: f64,
        dtype: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = shape.py();
        let dtype = dtype.map_or(Ok(DType::F32), |dtype| dtype_of(py, dtype))?;
        let shape = checked_sizes("uniform", shape)?;
        drawn(py, &shape, || self.0.try_uniform(&shape, low, high, dtype))
    }

    /// Values drawn from the normal distribution of mean 0 and variance 1, as a read-
    /// only array.
    ///
    /// By the method of Box and Muller (1958).
    ///
    /// Parameters
    /// ----------
    /// shape : int or sequence of int
    /// dtype : dtype, optional
    ///     float32 (default) or float64.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.Rng(7).normal((2, 2)).shape
    /// (2, 2)
    #[pyo3(signature = (shape, dtype=None))]
    fn normal<'py>(
        &self,
        shape: &Bound<'py, PyAny>,
        dtype: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = shape.py();
        let dtype = dtype.map_or(Ok(DType::F32), |dtype| dtype_of(py, dtype))?;
        let shape = checked_sizes("normal", shape)?;
        drawn(py, &shape, || self.0.try_normal(&shape, dtype))
    }

    /// The integers below `n` in a random order, as a read-only int64 array.
    ///
    /// By the shuffle of Fisher and Yates. MemoryError if `n` is too large.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> sorted(wengert.Rng(7).permutation(4).tolist())
    /// [0, 1, 2, 3]
    #[pyo3(signature = (n, /))]
    fn permutation<'py>(&self, n: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, n) = (n.py(), checked_size("permutation", n)?);
        drawn(py, &[n], || self.0.try_permuted(n))
    }

    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __repr__(&self) -> &'static str {
        "<Rng>"
    }
}

/// The array that `draw` gives, of this shape: for many numbers the interpreter is released.
fn drawn<'py>(
    py: Python<'py>,
    shape: &[usize],
    draw: impl FnOnce() -> Result<NdArray> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let len = shape.iter().fold(1_usize, |len, &size| len.saturating_mul(size));
    let array = if len > LONG / 8 { detached(py, draw) } else { draw() };
    to_numpy(py, &plain(py, array)?)
}
