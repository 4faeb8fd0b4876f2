//! A sweep from its start to its end, with the stops on the way: for values that are freed,
//! and for rules of the user's.

use super::pause::Paused;
use super::reverse::Sweep;
use super::wanted::{Task, Wanted, is_kept, out_of_memory, wanted_mask};
use super::workspace::{Slot, Workspace};
use crate::array::NdArray;
use crate::dtype::Scalar;
use crate::error::Result;
use crate::record::Arena;
use crate::record::steps::Step;

/// Finds the cotangents of what the task asks for, descending by node; those without a
/// path are missing. `kept` is an empty list to use. A failed sweep leaves everything as
/// it was.
pub(crate) fn sweep(
    arena: &mut Arena,
    task: &Task<'_>,
    kept: Vec<(u32, NdArray)>,
) -> Result<Step<Vec<(u32, NdArray)>>> {
    let mut descent = Descent::new(arena, task, kept)?;
    if !descent.wanted.has(arena, task.loss) {
        return Ok(Step::Done(descent.finish(arena)));
    }
    let result = descent.start(arena, task);
    descent.step(arena, task, result)
}

/// A sweep between two nodes.
pub(super) struct Descent {
    work: Workspace,
    wanted: Wanted,
    kept: Vec<(u32, NdArray)>,
    /// The nodes below are still to be visited.
    rest: u32,
}

impl Descent {
    /// A sweep that stands before the loss.
    fn new(
        arena: &mut Arena,
        task: &Task<'_>,
        kept: Vec<(u32, NdArray)>,
    ) -> Result<Descent> {
        let mut work = std::mem::take(&mut arena.sweep);
        let len = task.loss as usize + 1;
        let wanted = if work.reserve(len) {
            let bits = task.targets.map(|_| std::mem::take(&mut work.bits));
            Wanted::new(arena, task, bits.unwrap_or_default())
        } else {
            Err(out_of_memory(len * size_of::<Slot>()))
        };
        match wanted {
            Ok(wanted) => Ok(Descent { work, wanted, kept, rest: task.loss + 1 }),
            Err(error) => {
                arena.sweep = work;
                Err(error)
            }
        }
    }

    /// Gives memory back, and what was found.
    fn finish(mut self, arena: &mut Arena) -> Vec<(u32, NdArray)> {
        if let Wanted::Marked { bits, .. } = self.wanted {
            self.work.bits = bits;
        }
        arena.sweep = self.work;
        self.kept
    }

    /// As `finish`, after a failure.
    pub(super) fn abandon(mut self, arena: &mut Arena) {
        self.work.abandon(self.work.len());
        self.finish(arena);
    }

    /// What follows a run, which may have stopped at a node that needs a rule.
    pub(super) fn step(
        self,
        arena: &mut Arena,
        task: &Task<'_>,
        result: Result<Option<u32>>,
    ) -> Result<Step<Vec<(u32, NdArray)>>> {
        if let Ok(Some(node)) = result {
            return Paused::at(arena, task, self, node);
        }
        if task.consume {
            arena.set_consumed(task.loss);
        }
        match result {
            Ok(_) => Ok(Step::Done(self.finish(arena))),
            Err(error) => {
                self.abandon(arena);
                Err(error)
            }
        }
    }

    /// Runs from the loss.
    fn start(&mut self, arena: &mut Arena, task: &Task<'_>) -> Result<Option<u32>> {
        let seed = match task.seed {
            Some(seed) => seed.clone(),
            None => NdArray::repeated(Scalar::Float(1.0), arena.ty(task.loss).clone())?,
        };
        self.work.add(task.loss, seed)?;
        self.run(arena, task)
    }

    /// Sweeps over all nodes that are left, or to the next node whose value is freed, and
    /// so on. Stops at a node that needs a rule of the user's.
    pub(super) fn run(
        &mut self,
        arena: &mut Arena,
        task: &Task<'_>,
    ) -> Result<Option<u32>> {
        loop {
            let next = self.rest.checked_sub(1);
            let is_custom = arena.last_custom(self.rest) == next;
            if let Some(node) = next.filter(|_| is_custom)
                && !self.work.is_empty(node)
                && wanted_mask(arena, node, &self.wanted) != 0
            {
                return Ok(Some(node));
            }
            let below = self.rest - u32::from(is_custom && next.is_some());
            let custom = arena.last_custom(below);
            let before_loss = self.rest.min(task.loss);
            let freed =
                if task.consume { arena.last_to_free(before_loss) } else { None };
            let floor = freed.max(custom.map(|node| node + 1)).unwrap_or(0);
            let profile = arena.profile.take();
            let mut sweep = Sweep::new(arena, task, &mut self.work, profile);
            let result = sweep.run(self.rest, floor, &self.wanted, &mut self.kept);
            arena.profile = sweep.profile;
            result?;
            self.rest = floor;
            if freed == Some(floor) {
                arena.free(floor);
            } else if custom.is_none() {
                return Ok(None);
            }
        }
    }

    /// Takes the cotangent of a node at which the sweep has stopped.
    pub(super) fn take(
        &mut self,
        arena: &Arena,
        task: &Task<'_>,
        node: u32,
    ) -> Result<NdArray> {
        arena.expect_rule(node)?;
        let slot = self.work.take(node);
        let ct = self.work.array_of(slot, arena.ty(node))?;
        if is_kept(task, node, arena.flags(node)) {
            self.kept.push((node, ct.clone()));
        }
        self.rest = node;
        Ok(ct)
    }

    /// Adds the cotangents that a rule gave for a node's operands.
    pub(super) fn give(
        &mut self,
        arena: &Arena,
        task: &Task<'_>,
        node: u32,
        given: Vec<Option<NdArray>>,
    ) -> Result<()> {
        for (operand, ct) in arena.nodes_of(node).into_iter().zip(given) {
            if let Some(ct) = ct.filter(|_| self.wanted.has(arena, operand)) {
                self.work.add(operand, ct)?;
            }
        }
        if arena.check_finite {
            let sweep = Sweep::new(arena, task, &mut self.work, None);
            sweep.expect_finite(node)?;
        }
        Ok(())
    }
}
