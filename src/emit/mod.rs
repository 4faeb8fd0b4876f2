//! The interpreters of structural rules: one runs kernels, one appends nodes.

mod eager;
mod recorder;

pub(crate) use eager::Eager;
pub(crate) use recorder::Recorder;
