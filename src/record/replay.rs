//! A record evaluated again, on other values: the plain way, node by node.

use super::Arena;
use crate::array::NdArray;
use crate::error::{Error, Fault, Place, Result};
use crate::ops::emit::{Arg, Args};
use crate::ops::{Op, Tier};
use std::collections::BTreeMap;

/// A record that was evaluated again, and for each node of the first the node of it.
pub(crate) struct Replayed {
    pub(crate) arena: Arena,
    /// `None` for a gradient that was not recorded: its value would be stale.
    pub(crate) nodes: Vec<Option<u32>>,
}

impl Arena {
    /// Evaluates the first `len` nodes again into a new record, with `values` in the
    /// places of leaves and constants.
    ///
    /// A value has the type that its node was recorded with. Numbers that a program took
    /// from a shape, such as the divisor of a mean, are part of the record: with another
    /// shape they would be stale.
    pub(crate) fn replay(
        &self,
        values: &BTreeMap<u32, NdArray>,
        len: u32,
    ) -> Result<Replayed> {
        let mut nodes = Vec::new();
        if nodes.try_reserve(len as usize).is_err() {
            let (op, bytes) = ("replay", len as usize * size_of::<Option<u32>>());
            return Err(Error::new(Fault::Memory { op, bytes, shape: Vec::new() }));
        }
        let mut arena = Arena::new();
        arena.set_check_finite(self.check_finite);
        for node in 0..len {
            let again = match (self.tag(node).tier(), values.get(&node)) {
                (Tier::Source, value) => self.replay_source(&mut arena, node, value)?,
                (_, None) => Some(self.replay_op(&mut arena, node, &nodes)?),
                (_, Some(_)) => {
                    let label = self.label(node);
                    return Err(self.about_node(Fault::ReplayComputed { label }, node));
                }
            };
            if let Some(again) = again {
                self.expect_same_type(node, &arena, again)?;
            }
            nodes.push(again);
        }
        Ok(Replayed { arena, nodes })
    }

    fn replay_source(
        &self,
        arena: &mut Arena,
        node: u32,
        value: Option<&NdArray>,
    ) -> Result<Option<u32>> {
        let op = self.op(node);
        let array = match value {
            Some(array) => array.clone(),
            None if *op == Op::Gradient => return Ok(None),
            None => self.data(node)?,
        };
        let name = self.name(node).cloned();
        arena.source(op, &array, name, self.site(node)).map(Some)
    }

    fn replay_op(
        &self,
        arena: &mut Arena,
        node: u32,
        nodes: &[Option<u32>],
    ) -> Result<u32> {
        let mut operands = Args::new();
        for operand in self.operands(node) {
            let Arg::Value(x) = operand else {
                operands.push(operand);
                continue;
            };
            let Some(again) = nodes[x as usize] else {
                let (label, user) = (self.label(x), self.label(node));
                return Err(self.about_node(Fault::ReplayGradient { label, user }, x));
            };
            operands.push(Arg::Value(again));
        }
        let again = arena.apply(self.op(node), operands, self.site(node))?;
        if let Some(name) = self.name(node) {
            arena.set_name(again, name.clone());
        }
        Ok(again)
    }

    fn expect_same_type(&self, node: u32, arena: &Arena, again: u32) -> Result<()> {
        let (before, now) = (self.ty(node), arena.ty(again));
        let label = self.label(node);
        if before.shape != now.shape {
            let (recorded, found) = (before.shape.to_vec(), now.shape.to_vec());
            let fault = Fault::ReplayShape { label, recorded, found };
            return Err(self.about_node(fault, node));
        }
        if before.dtype != now.dtype {
            let (recorded, found) = (before.dtype, now.dtype);
            let fault = Fault::ReplayDType { label, recorded, found };
            return Err(self.about_node(fault, node));
        }
        Ok(())
    }

    /// The error for a fault of a node, with the node's place.
    fn about_node(&self, fault: Fault, node: u32) -> Error {
        Error::new(fault).recorded_at(self.label(node), Place::Site(self.site(node)))
    }
}
