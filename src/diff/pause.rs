//! A sweep that waits for the rule of a user's op.

use super::descent::Descent;
use super::wanted::Task;
use crate::array::NdArray;
use crate::error::Result;
use crate::record::Arena;
use crate::record::steps::{Answer, Step};
use std::ops::Range;

/// A sweep that stopped at a node, and what it needs to go on.
pub(super) struct Paused {
    descent: Descent,
    node: u32,
    epoch: u64,
    loss: u32,
    targets: Option<Vec<u32>>,
    ieee: bool,
    consumes: Option<Consumes>,
}

/// What a sweep that consumes finds where it left the record.
struct Consumes {
    /// What earlier sweeps had consumed.
    before: Range<u32>,
    /// How many sweeps had consumed values, this one included.
    count: u64,
}

impl Paused {
    /// Waits for the cotangents of the operands of `node`.
    pub(super) fn at(
        arena: &mut Arena,
        task: &Task<'_>,
        mut descent: Descent,
        node: u32,
    ) -> Result<Step<Vec<(u32, NdArray)>>> {
        let ct = descent.take(arena, task, node);
        let call = match ct.and_then(|ct| arena.vjp_call(node, ct, None)) {
            Ok(call) => call,
            Err(error) => return descent.step(arena, task, Err(error)),
        };
        let consumes = task.consume.then(|| {
            let before = arena.consumed();
            arena.set_consumed(task.loss);
            Consumes { before, count: arena.times_consumed() }
        });
        let paused = Paused {
            descent,
            node,
            epoch: arena.epochs().current(),
            loss: task.loss,
            targets: task.targets.map(<[u32]>::to_vec),
            ieee: task.ieee,
            consumes,
        };
        Ok(Step::waits(call, |arena, answer| paused.go_on(arena, answer)))
    }

    fn go_on(
        self,
        arena: &mut Arena,
        answer: Result<Answer>,
    ) -> Result<Step<Vec<(u32, NdArray)>>> {
        let (mut descent, node) = (self.descent, self.node);
        let task = Task {
            loss: self.loss,
            seed: None,
            targets: self.targets.as_deref(),
            ieee: self.ieee,
            consume: self.consumes.is_some(),
        };
        let ready =
            answer.map_err(|error| arena.about_rule(error, node)).and_then(|answer| {
                arena.expect_alive("grad", self.epoch, self.loss)?;
                if let Some(Consumes { before, count }) = self.consumes {
                    arena.go_on_consuming(node, before, count)?;
                }
                Ok(answer)
            });
        let answer = match ready {
            Ok(answer) => answer,
            Err(error) => {
                descent.abandon(arena);
                return Err(error);
            }
        };
        let given = arena.cotangent_arrays(node, answer);
        let result = given.and_then(|given| {
            descent.give(arena, &task, node, given)?;
            if task.consume && node < task.loss && arena.is_consumable(node) {
                arena.free(node);
            }
            descent.run(arena, &task)
        });
        descent.step(arena, &task, result)
    }
}
