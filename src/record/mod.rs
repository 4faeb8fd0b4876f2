//! The record: nodes, their values, and the handles to them.
//!
//! The arena is the engine that both faces share; [`handle`] is the face of Rust. What an
//! op means does not belong here.

#![allow(
    clippy::cast_possible_truncation,
    reason = "positions in a record are below 2³¹: see `rows::MAX_ROWS`"
)]
#![allow(
    clippy::cast_ptr_alignment,
    reason = "cells lie at addresses that suit their column"
)]

mod arena;
pub(crate) mod check;
mod compose;
pub(crate) mod custom;
pub(crate) mod epoch;
pub(crate) mod finite;
pub(crate) mod graph;
mod handle;
mod inspect;
pub(crate) mod intern;
pub(crate) mod print;
pub(crate) mod profile;
mod replay;
pub(crate) mod rows;
pub(crate) mod small;
pub(crate) mod steps;
mod tensor;

pub use arena::Mark;
pub(crate) use arena::{
    Arena, CustomOperand, FlatNode, SmallNode, pull_of, word_slopes,
};
pub use compose::{Convolution, Index, Margins, NodeIndex, Pooling};
pub(crate) use compose::{Expression, Logical, Padding, Reduction, Running};
pub use custom::{CustomOp, RuleError, RuleResult};
pub use handle::ComputationRecord;
pub use inspect::Replay;
pub use profile::{Profile, ProfileEntry};
pub(crate) use tensor::nodes_of;
pub use tensor::{
    IntoOperand, Tensor, concatenate, einsum, stack, try_concatenate, try_einsum,
    try_stack,
};
