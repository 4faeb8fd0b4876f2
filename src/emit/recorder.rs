//! Appends nodes, so that what a rule computes can itself be differentiated.

use crate::array::NdArray;
use crate::dtype::Scalar;
use crate::error::Result;
use crate::ops::Op;
use crate::ops::emit::{Arg, Args, Emit, Node};
use crate::record::Arena;
use crate::shape::Type;

/// Records rules as nodes of the record whose rules they are.
pub(crate) struct Recorder<'a> {
    pub(crate) arena: &'a mut Arena,
    /// The place that the new nodes are said to come from.
    pub(crate) site: u32,
}

impl Emit for Recorder<'_> {
    type V = u32;

    fn dup(&mut self, &v: &u32) -> u32 {
        v
    }

    fn ty(&self, &v: &u32) -> Type {
        self.arena.ty(v).clone()
    }

    fn input(&mut self, node: Node, k: usize) -> Result<Arg<u32>> {
        Ok(self.arena.operand(node.index, k))
    }

    fn input_number(&self, node: Node, k: usize) -> Option<Scalar> {
        self.arena.operand(node.index, k).number()
    }

    fn input_type(&self, node: Node, k: usize) -> Type {
        self.arena.operand_type(node.index, k)
    }

    fn operand_count(&self, node: Node) -> usize {
        self.arena.operand_count(node.index)
    }

    fn output(&mut self, node: Node) -> Result<u32> {
        Ok(node.index)
    }

    fn constant(&mut self, array: NdArray) -> Result<u32> {
        self.arena.source(&Op::Constant, &array, None, self.site)
    }

    fn apply(&mut self, op: Op, operands: Args<u32>) -> Result<u32> {
        self.arena.apply(&op, operands, self.site)
    }
}
