//! A record evaluated again, on other values: the plain way, node by node.

use super::arena::{Arena, Part};
use super::steps::{Answer, Step};
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

/// A replay between two nodes.
struct Replaying {
    again: Replayed,
    values: BTreeMap<u32, NdArray>,
    len: u32,
    /// The epoch in which the nodes that are left were alive.
    epoch: u64,
}

impl Arena {
    /// Evaluates the first `len` nodes again into a new record, with `values` in the
    /// places of leaves and constants.
    ///
    /// A value has the type that its node was recorded with. Numbers that a program took
    /// from a shape, such as the divisor of a mean, are part of the record: with another
    /// shape they would be stale.
    pub(crate) fn replay(
        &mut self,
        values: BTreeMap<u32, NdArray>,
        len: u32,
    ) -> Result<Step<Replayed>> {
        let mut nodes = Vec::new();
        if nodes.try_reserve(len as usize).is_err() {
            let (op, bytes) = ("replay", len as usize * size_of::<Option<u32>>());
            return Err(Error::new(Fault::Memory { op, bytes, shape: Vec::new() }));
        }
        let mut arena = Arena::new();
        arena.set_check_finite(self.check_finite);
        let (again, epoch) = (Replayed { arena, nodes }, self.epochs().current());
        Replaying { again, values, len, epoch }.go_on(self)
    }
}

impl Replaying {
    /// Evaluates the nodes that are left of `home`, or as far as one that needs a rule of
    /// the user's.
    fn go_on(mut self, home: &mut Arena) -> Result<Step<Replayed>> {
        let Replayed { arena, nodes } = &mut self.again;
        for node in nodes.len() as u32..self.len {
            let again = match (home.tag(node).tier(), self.values.get(&node)) {
                (Tier::Source, value) => home.replay_source(arena, node, value)?,
                (_, Some(_)) => {
                    let label = home.label(node);
                    return Err(home.about_node(Fault::ReplayComputed { label }, node));
                }
                (Tier::Custom, None) => {
                    let operands = home.replay_operands(node, nodes)?;
                    return self.wait(home, node, operands);
                }
                (_, None) => Some(home.replay_op(arena, node, nodes)?),
            };
            if let Some(again) = again {
                home.expect_same_type(node, arena, again)?;
            }
            nodes.push(again);
        }
        Ok(Step::Done(self.again))
    }

    /// Waits for the value of a node of a user's op.
    fn wait(
        mut self,
        home: &Arena,
        node: u32,
        operands: Args<u32>,
    ) -> Result<Step<Replayed>> {
        let custom = home.custom_of(node).clone();
        let values = operands.iter().filter_map(|operand| match *operand {
            Arg::Value(x) => Some(self.again.arena.data(x)),
            Arg::Number(_) => None,
        });
        let call = custom.call(values.collect::<Result<_>>()?);
        Ok(Step::waits(call, move |home, answer| {
            let answer = answer?;
            home.expect_alive("replay", self.epoch, self.len - 1)?;
            let value = match (answer, custom.part) {
                (Answer::Value(value), _) => value,
                (Answer::Arrays(mut given), Part::Vjp(k)) if k < given.len() => {
                    let ty = home.ty(node);
                    let zeros = || NdArray::zeros(&ty.shape, ty.dtype);
                    given.swap_remove(k).map_or_else(zeros, Ok)?
                }
                (Answer::Arrays(given), _) => {
                    let rule = format!("{}.vjp", custom.op.name());
                    let (given, wanted) = (given.len(), operands.len() - 2);
                    let fault = Fault::CotangentCount { rule, given, wanted };
                    return Err(home.about_node(fault, node));
                }
                (Answer::Nodes(_), _) => unreachable!("arrays were asked for"),
            };
            let Replayed { arena, nodes } = &mut self.again;
            let again =
                arena.commit_custom(custom, &operands, &value, home.site(node))?;
            if let Some(name) = home.name(node) {
                arena.set_name(again, name.clone());
            }
            home.expect_same_type(node, arena, again)?;
            nodes.push(Some(again));
            self.go_on(home)
        }))
    }
}

impl Arena {
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
        let operands = self.replay_operands(node, nodes)?;
        let again = arena.apply(self.op(node), operands, self.site(node))?;
        if let Some(name) = self.name(node) {
            arena.set_name(again, name.clone());
        }
        Ok(again)
    }

    /// The operands of a node in the new record.
    fn replay_operands(&self, node: u32, nodes: &[Option<u32>]) -> Result<Args<u32>> {
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
        Ok(operands)
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
    pub(crate) fn about_node(&self, fault: Fault, node: u32) -> Error {
        Error::new(fault).recorded_at(self.label(node), Place::Site(self.site(node)))
    }
}
