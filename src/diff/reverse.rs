//! The reverse sweep: from the loss down, each node once, its cotangents handed to its
//! operands.
//!
//! Nodes are visited in descending order, so contributions to a node are added in an
//! order that does not depend on what else is asked for. There is no recursion.

use super::pause::Paused;
use super::workspace::{Slot, Workspace};
use crate::array::{Fresh, NdArray, View, ViewMut};
use crate::dtype::Scalar;
use crate::emit::Eager;
use crate::error::{Error, Fault, Place, Result};
use crate::kernels::map::Mode;
use crate::ops::emit::{Arg, Cotangents, Emit, Node};
use crate::ops::symbolic::Factor;
use crate::ops::{Op, Tier};
use crate::record::finite;
use crate::record::profile::Profiler;
use crate::record::rows::{Flags, Row};
use crate::record::steps::Step;
use crate::record::{Arena, pull_of, word_slopes};
use crate::shape::Type;
use crate::stop;

/// Nodes that a sweep visits between two polls. A kernel of more than some 20
/// microseconds polls itself.
pub(super) const BETWEEN_POLLS: u32 = 1024;

/// What a sweep is to find.
pub(crate) struct Task<'a> {
    /// The node to start from.
    pub(crate) loss: u32,
    /// The loss's cotangent; `None` is 1.
    pub(crate) seed: Option<&'a NdArray>,
    /// The nodes whose cotangents are asked for, ascending; `None` asks for the leaves.
    pub(crate) targets: Option<&'a [u32]>,
    /// Whether a zero cotangent meets an infinite slope as IEEE 754 says.
    pub(crate) ieee: bool,
    /// Whether each value is freed after its last use.
    pub(crate) consume: bool,
}

/// The nodes that a sweep visits.
pub(super) enum Wanted {
    /// All that depend on a leaf.
    Active,
    /// All that depend on a target: a bit each, from `first` on.
    Marked { first: u32, bits: Vec<u64> },
}

impl Wanted {
    /// `bits` is memory to use.
    pub(super) fn new(
        arena: &Arena,
        task: &Task<'_>,
        mut bits: Vec<u64>,
    ) -> Result<Wanted> {
        let Some(targets) = task.targets else { return Ok(Wanted::Active) };
        let first = match targets.first() {
            Some(&first) if first <= task.loss => first,
            _ => task.loss + 1,
        };
        descendants(arena, targets, first, task.loss, &mut bits)?;
        Ok(Wanted::Marked { first, bits })
    }

    #[inline]
    pub(super) fn has(&self, arena: &Arena, node: u32) -> bool {
        self.has_with(node, || arena.flags(node))
    }

    /// As `has`, for a node whose flags may be known.
    #[inline]
    pub(super) fn has_with(&self, node: u32, flags: impl FnOnce() -> Flags) -> bool {
        match self {
            Wanted::Active => flags().has(Flags::ACTIVE),
            Wanted::Marked { first, bits } => {
                node >= *first && bit(bits, (node - first) as usize)
            }
        }
    }
}

#[inline]
fn bit(bits: &[u64], k: usize) -> bool {
    bits[k / 64] >> (k % 64) & 1 == 1
}

/// Sets the bits of the nodes from `first` to `last` through which a gradient flows to a
/// target: the targets, what is computed from them, and gradients that were not
/// recorded, which may depend on anything.
fn descendants(
    arena: &Arena,
    targets: &[u32],
    first: u32,
    last: u32,
    bits: &mut Vec<u64>,
) -> Result<()> {
    let words = ((last + 1 - first) as usize).div_ceil(64);
    bits.clear();
    if bits.try_reserve(words).is_err() {
        return Err(out_of_memory(words * 8));
    }
    bits.resize(words, 0);
    let mut targets = targets.iter().copied().peekable();
    for node in first..=last {
        let reached = targets.next_if_eq(&node).is_some()
            || arena.flags(node).has(Flags::GRADIENT)
            || arena.tag(node).is_differentiable()
                && arena.ty(node).dtype.is_float()
                && arena.any_operand(node, |operand| {
                    operand >= first && bit(bits, (operand - first) as usize)
                });
        if reached {
            let k = (node - first) as usize;
            bits[k / 64] |= 1 << (k % 64);
        }
    }
    Ok(())
}

#[cold]
pub(super) fn out_of_memory(bytes: usize) -> Error {
    Error::new(Fault::Memory { op: "grad", bytes, shape: Vec::new() })
}

/// Whether a gradient flows from `loss` to `target`.
pub(crate) fn connected(arena: &Arena, loss: u32, target: u32) -> Result<bool> {
    if target > loss {
        return Ok(false);
    }
    let mut bits = Vec::new();
    descendants(arena, &[target], target, loss, &mut bits)?;
    Ok(bit(&bits, (loss - target) as usize) && arena.ty(target).dtype.is_float())
}

/// Fails unless the sweep may end at a gradient that was not recorded: it was asked for,
/// and no earlier node was that may lie behind it. Gradients in a row lie side by side.
#[cold]
pub(super) fn end_at_gradient(arena: &Arena, task: &Task<'_>, node: u32) -> Result<()> {
    let label = arena.label(node);
    let first = task.targets.and_then(|targets| targets.first().copied());
    let fault = match first.filter(|_| is_kept(task, node, arena.flags(node))) {
        Some(first) if (first..node).all(|k| arena.flags(k).has(Flags::GRADIENT)) => {
            return Ok(());
        }
        Some(first) => {
            Fault::GradientBetween { label: label.clone(), hidden: arena.label(first) }
        }
        None => Fault::GradientReached { label: label.clone() },
    };
    Err(Error::new(fault).recorded_at(label, Place::Site(arena.site(node))))
}

/// Whether the cotangent of a visited node is to be kept.
#[inline]
pub(super) fn is_kept(task: &Task<'_>, node: u32, flags: Flags) -> bool {
    match task.targets {
        None => flags.has(Flags::LEAF),
        Some(targets) => targets.binary_search(&node).is_ok(),
    }
}

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
            let mut sweep = Sweep { arena, task, work: &mut self.work, profile };
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
            let sweep = Sweep { arena, task, work: &mut self.work, profile: None };
            sweep.expect_finite(node)?;
        }
        Ok(())
    }
}

pub(super) struct Sweep<'a> {
    pub(super) arena: &'a Arena,
    pub(super) task: &'a Task<'a>,
    pub(super) work: &'a mut Workspace,
    /// The record's own, in the meantime.
    pub(super) profile: Option<Box<Profiler>>,
}

impl Sweep<'_> {
    /// Visits the nodes below `rest`, the last first, as far as `floor`.
    fn run(
        &mut self,
        mut rest: u32,
        floor: u32,
        wanted: &Wanted,
        kept: &mut Vec<(u32, NdArray)>,
    ) -> Result<()> {
        while rest > floor {
            stop::poll()?;
            let end = rest.saturating_sub(BETWEEN_POLLS).max(floor);
            self.visit_range(rest, end, wanted, kept)?;
            rest = end;
        }
        Ok(())
    }

    /// As `run`, without a poll.
    fn visit_range(
        &mut self,
        mut rest: u32,
        floor: u32,
        wanted: &Wanted,
        kept: &mut Vec<(u32, NdArray)>,
    ) -> Result<()> {
        let (arena, task) = (self.arena, self.task);
        loop {
            if task.targets.is_none() && arena.has_short_way() {
                rest = match self.profile {
                    None => self.visit_short(rest, floor, wanted)?,
                    Some(_) => self.visit_short_timed(rest, floor, wanted)?,
                };
            }
            if rest == floor {
                break;
            }
            let node = rest - 1;
            rest = node;
            let row = arena.row(node);
            let slot = self.work.take(node);
            if matches!(slot, Slot::Empty) {
                continue;
            }
            if row.flags.has(Flags::GRADIENT) {
                end_at_gradient(arena, task, node)?;
            }
            if !is_kept(task, node, row.flags) {
                self.hand_down(node, &row, slot, wanted)?;
                continue;
            }
            let array = self.work.array_of(slot, arena.ty(node))?;
            if !row.flags.has(Flags::LEAF) {
                self.work.set(node, array.clone());
                let slot = self.work.take(node);
                self.hand_down(node, &row, slot, wanted)?;
            }
            kept.push((node, array));
        }
        Ok(())
    }

    /// Hands the node's cotangent to its operands, and checks it if the record does.
    #[inline]
    fn hand_down(
        &mut self,
        node: u32,
        row: &Row,
        slot: Slot,
        wanted: &Wanted,
    ) -> Result<()> {
        self.arena.expect_rule(node)?;
        match self.profile {
            None => self.visit(node, row, slot, wanted)?,
            Some(_) => self.visit_timed(node, row, slot, wanted)?,
        }
        if self.arena.check_finite { self.expect_finite(node) } else { Ok(()) }
    }

    /// Fails if a cotangent that the node has handed to an operand is not finite.
    #[cold]
    fn expect_finite(&self, node: u32) -> Result<()> {
        let arena = self.arena;
        for operand in arena.operands(node) {
            let Arg::Value(operand) = operand else { continue };
            let sum = self.work.view(operand, arena.ty(operand));
            let Some((position, value)) = sum.and_then(finite::first) else { continue };
            let (label, to) = (arena.label(node), arena.label(operand));
            let error = Error::new(Fault::NonFiniteCotangent {
                label: label.clone(),
                to: to.clone(),
                value,
                position,
            });
            return Err(error
                .recorded_at(label, Place::Site(arena.site(node)))
                .recorded_at(to, Place::Site(arena.site(operand))));
        }
        Ok(())
    }

    /// Hands the node's cotangent to its operands.
    pub(super) fn visit(
        &mut self,
        node: u32,
        row: &Row,
        slot: Slot,
        wanted: &Wanted,
    ) -> Result<()> {
        if let (&Slot::Word(ct), Some(slopes)) = (&slot, word_slopes(row)) {
            let rule = (slopes, Op::factors()[row.op as usize]);
            self.visit_word(self.arena.near(node), node, row, rule, ct, wanted);
            return Ok(());
        }
        let op = self.arena.op_of(row);
        match (slot, op.tag().tier()) {
            (Slot::Empty, _) => Ok(()),
            (Slot::Dense(ct), Tier::Unary | Tier::Binary) if !self.task.ieee => {
                let pull = pull_of(row).expect("an elementwise op has slopes");
                let ct = self.visit_small(
                    self.arena.near(node),
                    node,
                    row,
                    pull,
                    ct,
                    wanted,
                )?;
                let Some(ct) = ct else { return Ok(()) };
                let ct = self.visit_flat(node, row, op, ct, wanted)?;
                let Some(ct) = ct else { return Ok(()) };
                self.visit_elementwise(node, op, Slot::Dense(ct), wanted)
            }
            (slot, Tier::Unary | Tier::Binary) if !self.task.ieee => {
                self.visit_elementwise(node, op, slot, wanted)
            }
            (slot, _) => self.visit_any(node, op, slot, wanted),
        }
    }

    /// An elementwise node: each operand's cotangent is one fused loop.
    fn visit_elementwise(
        &mut self,
        node: u32,
        op: &Op,
        slot: Slot,
        wanted: &Wanted,
    ) -> Result<()> {
        let arena = self.arena;
        let (number, ty) = (arena.type_number(node), arena.ty(node));
        let operands = arena.operands(node);
        let wants = |operand: &Arg<u32>| match *operand {
            Arg::Value(x) => wanted.has(arena, x),
            Arg::Number(_) => false,
        };
        let Some(last) = operands.iter().rposition(wants) else { return Ok(()) };
        let mut words = [0; 2];
        let x = arena.views(&operands, &mut words);
        let y = arena.view(node);
        let mut ct = self.work.array_of(slot, ty)?;
        let factors = Op::factors()[op.tag() as usize];
        for (k, operand) in operands.iter().enumerate().take(last + 1) {
            let Arg::Value(target) = *operand else { continue };
            if !wants(operand) {
                continue;
            }
            let is_broadcast = arena.type_number(target) != number;
            if factors[k] == Factor::One {
                self.add(target, ct.clone())?;
                continue;
            }
            if is_broadcast && factors[k] == Factor::MinusOne {
                let mut eager = Eager { arena };
                let sum = eager.sum_to(ct.clone(), &arena.ty(target).shape)?;
                self.work.add(target, eager.unary(Op::Negative, sum)?)?;
                continue;
            }
            if is_broadcast {
                // What the operand was broadcast to is summed back.
                let full = pull(op, k, ct.view(), &x, y, ty)?;
                self.add(target, full)?;
                continue;
            }
            let sum = match self.work.take(target) {
                Slot::Empty if k == last && ct.exclusive().is_some() => {
                    // SAFETY: nothing else holds the memory, and the loop reads each
                    // cotangent before it writes there.
                    let out = unsafe {
                        let first = ct.first().cast_mut();
                        ViewMut::from_raw(first, &ty.shape, ty.dtype)
                    };
                    op.pull(k, ct.view(), &x, y, out, Mode::Overwrite)?;
                    self.work.set(target, ct);
                    return Ok(());
                }
                Slot::Empty => pull(op, k, ct.view(), &x, y, ty)?,
                slot => {
                    let mut sum = self.work.exclusive_of(slot, ty)?;
                    let out = sum.exclusive().expect("the sweep alone holds the sum");
                    op.pull(k, ct.view(), &x, y, out, Mode::Add)?;
                    sum
                }
            };
            self.work.set(target, sum);
        }
        Ok(())
    }

    /// Any node, by its rule.
    fn visit_any(
        &mut self,
        node: u32,
        op: &Op,
        slot: Slot,
        wanted: &Wanted,
    ) -> Result<()> {
        let arena = self.arena;
        let mask = wanted_mask(arena, node, wanted);
        if mask == 0 {
            return Ok(());
        }
        let ct = self.work.array_of(slot, arena.ty(node))?;
        if self.add_part(node, op, ct.view())? {
            return Ok(());
        }
        let mut out = Cotangents::new(mask);
        let mut eager = Eager { arena };
        op.vjp(&mut eager, Node { index: node }, ct, self.task.ieee, &mut out)?;
        for (k, ct) in out.into_given() {
            if let Arg::Value(operand) = arena.operand(node, k) {
                self.add(operand, ct)?;
            }
        }
        Ok(())
    }

    /// Adds to an operand's cotangent, summed back to the operand's shape.
    fn add(&mut self, operand: u32, ct: NdArray) -> Result<()> {
        let mut eager = Eager { arena: self.arena };
        let ct = eager.sum_to(ct, &self.arena.ty(operand).shape)?;
        self.work.add(operand, ct)
    }
}

/// The cotangent of operand `k` of an elementwise node, as a fresh array.
fn pull(
    op: &Op,
    k: usize,
    ct: View<'_>,
    x: &[View<'_>],
    y: View<'_>,
    ty: &Type,
) -> Result<NdArray> {
    let mut out = Fresh::new("grad", ty.clone())?;
    op.pull(k, ct, x, y, out.view(), Mode::Write)?;
    // SAFETY: the loop wrote every element.
    Ok(unsafe { out.assume_init() })
}

/// A bit for each operand whose cotangent is wanted; all operands from the 64th on
/// share one.
pub(super) fn wanted_mask(arena: &Arena, node: u32, wanted: &Wanted) -> u64 {
    let operands = arena.operands(node);
    operands.iter().enumerate().fold(0, |mask, (k, operand)| match *operand {
        Arg::Value(x) if wanted.has(arena, x) => mask | 1 << k.min(63),
        _ => mask,
    })
}
