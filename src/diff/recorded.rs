//! The sweep that is recorded: what it finds are nodes that depend on the leaves.

use super::reverse::BETWEEN_POLLS;
use super::wanted::{
    Task, Wanted, end_at_gradient, is_kept, out_of_memory, wanted_mask,
};
use crate::array::NdArray;
use crate::dtype::Scalar;
use crate::emit::Recorder;
use crate::error::Result;
use crate::ops::emit::{Arg, Cotangents, Emit, Node};
use crate::ops::{Op, Tier};
use crate::record::rows::Flags;
use crate::record::steps::{Answer, Call, Step};
use crate::record::{Arena, Mark};
use crate::stop;
use smallvec::SmallVec;

/// Nodes, and the nodes that are their cotangents.
type Found = Vec<(u32, u32)>;

/// As `sweep`, but records the work.
pub(crate) fn sweep_recorded(
    arena: &mut Arena,
    task: &Task<'_>,
    site: u32,
) -> Result<Step<Found>> {
    let wanted = Wanted::new(arena, task, Vec::new())?;
    if !wanted.has(arena, task.loss) {
        return Ok(Step::Done(Vec::new()));
    }
    let len = task.loss as usize + 1;
    let mut slots: Vec<Option<u32>> = Vec::new();
    if slots.try_reserve(len).is_err() {
        return Err(out_of_memory(len * size_of::<Option<u32>>()));
    }
    slots.resize(len, None);
    let start = arena.mark();
    let seed = match task.seed {
        Some(seed) => seed.clone(),
        None => NdArray::repeated(Scalar::Float(1.0), arena.ty(task.loss).clone())?,
    };
    slots[task.loss as usize] = Some(arena.source(&Op::Constant, &seed, None, site)?);
    let (rest, kept) = (task.loss + 1, Vec::new());
    Recording { start, wanted, slots, kept, rest, site }.advance(arena, task, None)
}

/// A recorded sweep between two nodes.
struct Recording {
    /// What is taken back if the sweep fails.
    start: Mark,
    wanted: Wanted,
    /// The cotangents by node, as far as they are summed.
    slots: Vec<Option<u32>>,
    kept: Found,
    /// The nodes below are still to be visited.
    rest: u32,
    site: u32,
}

/// A node of a user's op, its cotangent, and the call of its rule.
struct Met {
    node: u32,
    ct: u32,
    call: Call,
}

impl Recording {
    /// Goes on as far as the sweep can, with what a rule gave for the node at which it
    /// stopped.
    fn advance(
        mut self,
        arena: &mut Arena,
        task: &Task<'_>,
        given: Option<(u32, Vec<Option<u32>>)>,
    ) -> Result<Step<Found>> {
        let result = match given {
            Some((node, given)) => self.give(arena, node, given),
            None => Ok(()),
        };
        match result.and_then(|()| self.run(arena, task)) {
            Ok(None) => {
                self.kept.reverse();
                Ok(Step::Done(self.kept))
            }
            Ok(Some(met)) => Ok(self.wait(arena, task, met)),
            Err(error) => {
                arena.undo(&self.start);
                Err(error)
            }
        }
    }

    /// Visits the nodes that are left; stops at one that needs a rule of the user's.
    fn run(&mut self, arena: &mut Arena, task: &Task<'_>) -> Result<Option<Met>> {
        let site = self.site;
        while let Some(node) = self.rest.checked_sub(1) {
            self.rest = node;
            if node % BETWEEN_POLLS == 0 {
                stop::poll()?;
            }
            let Some(ct) = self.slots[node as usize].take() else { continue };
            if arena.flags(node).has(Flags::GRADIENT) {
                end_at_gradient(arena, task, node)?;
            }
            if is_kept(task, node, arena.flags(node)) {
                self.kept.push((node, ct));
            }
            let mask = wanted_mask(arena, node, &self.wanted);
            if mask == 0 {
                continue;
            }
            arena.expect_rule(node)?;
            if arena.tag(node).tier() == Tier::Custom {
                let call = arena.vjp_call(node, arena.data(ct)?, Some(ct))?;
                return Ok(Some(Met { node, ct, call }));
            }
            let op = arena.op(node).clone();
            let operands: SmallVec<[Arg<u32>; 3]> = arena.operands(node);
            let mut out = Cotangents::new(mask);
            let mut recorder = Recorder { arena, site };
            op.vjp(&mut recorder, Node { index: node }, ct, task.ieee, &mut out)?;
            for (k, ct) in out.into_given() {
                let Arg::Value(operand) = operands[k] else { continue };
                let shape = recorder.arena.ty(operand).shape.clone();
                let ct = recorder.sum_to(ct, &shape)?;
                self.add(&mut recorder, operand, ct)?;
            }
        }
        Ok(None)
    }

    /// Adds to a node's cotangent.
    fn add(&mut self, recorder: &mut Recorder<'_>, node: u32, ct: u32) -> Result<()> {
        let slot = &mut self.slots[node as usize];
        *slot = Some(match *slot {
            None => ct,
            Some(sum) => recorder.binary(Op::Add, sum, ct)?,
        });
        Ok(())
    }

    /// Adds what a rule gave for the operands of a node.
    fn give(
        &mut self,
        arena: &mut Arena,
        node: u32,
        given: Vec<Option<u32>>,
    ) -> Result<()> {
        let mut recorder = Recorder { arena, site: self.site };
        for (operand, ct) in recorder.arena.nodes_of(node).into_iter().zip(given) {
            if let Some(ct) = ct.filter(|_| self.wanted.has(recorder.arena, operand)) {
                self.add(&mut recorder, operand, ct)?;
            }
        }
        Ok(())
    }

    /// Waits for the rule of a user's op.
    fn wait(self, arena: &Arena, task: &Task<'_>, met: Met) -> Step<Found> {
        let Met { node, ct, call } = met;
        let (epoch, len) = (arena.epochs().current(), arena.len());
        let targets = task.targets.map(<[u32]>::to_vec);
        let (loss, ieee) = (task.loss, task.ieee);
        Step::waits(call, move |arena, answer| {
            let targets = targets.as_deref();
            let task = Task { loss, seed: None, targets, ieee, consume: false };
            self.go_on(arena, &task, (node, ct), answer, (epoch, len))
        })
    }

    fn go_on(
        mut self,
        arena: &mut Arena,
        task: &Task<'_>,
        (node, ct): (u32, u32),
        answer: Result<Answer>,
        (epoch, len): (u64, u32),
    ) -> Result<Step<Found>> {
        let is_alone = arena.len() == len && arena.epochs().current() == epoch;
        let result =
            answer.map_err(|error| arena.about_rule(error, node)).and_then(|answer| {
                arena.expect_alive("grad", epoch, len - 1)?;
                Ok(answer)
            });
        if !is_alone {
            // Nodes that others have recorded since then are not this sweep's to take
            // back, nor are those below them.
            self.start = arena.mark();
        }
        match result
            .and_then(|answer| arena.cotangent_nodes(node, ct, answer, self.site))
        {
            Ok(given) => self.advance(arena, task, Some((node, given))),
            Err(error) => {
                arena.undo(&self.start);
                Err(error)
            }
        }
    }
}
