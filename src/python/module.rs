//! The module `wengert._core`.

use super::array::Pin;
use super::custom;
use super::error;
use super::functions;
use super::grad::PyGrad;
use super::object;
use super::profile::{PyProfile, PyProfileRow};
use super::record::{PyMark, PyRecord};
use super::replay::PyReplay;
use super::rng::PyRng;
use super::short;
use super::tensor::PyTensor;
use super::threads;
use pyo3::prelude::*;

/// The engine of wengert, compiled.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyRecord>()?;
    module.add_class::<PyTensor>()?;
    module.add_class::<PyGrad>()?;
    module.add_class::<PyMark>()?;
    module.add_class::<PyProfile>()?;
    module.add_class::<PyProfileRow>()?;
    module.add_class::<PyReplay>()?;
    module.add_class::<PyRng>()?;
    module.add_class::<Pin>()?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    error::install(module.py())?;
    object::install(module.py());
    short::install(module.py());
    module.add_function(wrap_pyfunction!(threads::num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(threads::set_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(custom::_custom, module)?)?;
    module.add_function(wrap_pyfunction!(custom::_check_custom, module)?)?;
    functions::add_all(module)
}
