//! Derivatives: the sweep over a record, and the gradient that it returns.

mod breaks;
mod descent;
mod grad;
pub(crate) mod gradient;
mod parts;
mod pause;
mod recorded;
mod reverse;
mod short;
mod timed;
mod wanted;
mod workspace;

pub use grad::{Grad, GradOptions};
pub(crate) use workspace::Workspace;
