//! The face of Python: classes and functions of `wengert._core`. Bindings only; what
//! they mean is said elsewhere.

#![warn(clippy::unwrap_used)]
#![allow(clippy::needless_pass_by_value, reason = "pyo3 hands arguments over")]
#![allow(clippy::doc_markdown, reason = "docstrings are read in Python")]

mod array;
mod custom;
mod error;
mod fixed;
mod functions;
mod grad;
mod handle;
mod index;
mod inspect;
mod large;
mod lines;
mod lock;
mod module;
mod object;
mod operand;
mod profile;
mod record;
mod replay;
mod rng;
mod short;
mod site;
mod source;
mod tensor;
mod threads;
mod work;
