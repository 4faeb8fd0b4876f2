//! Loops over elements. A kernel reads [`View`](crate::array::View)s, fills a
//! [`ViewMut`](crate::array::ViewMut), and trusts that shapes and types were checked.
//! What an op means, and what its gradient is, does not belong here.

pub(crate) mod along;
pub(crate) mod batch;
pub(crate) mod gather;
pub(crate) mod gemm;
pub(crate) mod guard;
pub(crate) mod labels;
pub(crate) mod map;
pub(crate) mod math;
#[cfg(test)]
mod naive;
mod pack;
mod panels;
pub(crate) mod patches;
pub(crate) mod reduce;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod simd;
pub(crate) mod sort;
pub(crate) mod threads;
mod walk;
