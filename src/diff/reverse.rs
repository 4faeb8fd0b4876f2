//! The reverse sweep: from the loss down, each node once, its cotangents handed to its
//! operands.
//!
//! Nodes are visited in descending order, so contributions to a node are added in an
//! order that does not depend on what else is asked for. There is no recursion.

use super::wanted::{Task, Wanted, end_at_gradient, is_kept, wanted_mask};
use super::workspace::{Slot, Workspace, exclusive};
use crate::array::{Fresh, NdArray, Order, View, ViewMut};
use crate::emit::Eager;
use crate::error::{Error, Fault, Place, Result};
use crate::kernels::map::Mode;
use crate::ops::emit::{Arg, Cotangents, Emit, Node};
use crate::ops::symbolic::Factor;
use crate::ops::{Op, Tier};
use crate::record::finite;
use crate::record::profile::Profiler;
use crate::record::rows::{Flags, Row};
use crate::record::{Arena, pull_of, word_slopes};
use crate::shape::Type;
use crate::stop;
use std::time::Duration;

/// Nodes that a sweep visits between two polls. A kernel of more than some 20
/// microseconds polls itself.
pub(super) const BETWEEN_POLLS: u32 = 1024;

pub(super) struct Sweep<'a> {
    pub(super) arena: &'a Arena,
    pub(super) task: &'a Task<'a>,
    pub(super) work: &'a mut Workspace,
    /// The record's own, in the meantime.
    pub(super) profile: Option<Box<Profiler>>,
    /// What loops that were put off have taken, if it is profiled.
    pub(super) batches: Duration,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(
        arena: &'a Arena,
        task: &'a Task<'a>,
        work: &'a mut Workspace,
        profile: Option<Box<Profiler>>,
    ) -> Self {
        Sweep { arena, task, work, profile, batches: Duration::ZERO }
    }
}

impl Sweep<'_> {
    /// Visits the nodes below `rest`, the last first, as far as `floor`.
    pub(super) fn run(
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
        self.run_batch()
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
    pub(super) fn expect_finite(&self, node: u32) -> Result<()> {
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
        let is_elementwise =
            matches!(op.tag().tier(), Tier::Unary | Tier::Binary) && !self.task.ieee;
        let slot = match slot {
            Slot::Dense(ct) if is_elementwise => {
                let pull = pull_of(row).expect("an elementwise op has slopes");
                let near = self.arena.near(node);
                let ct = self.visit_small(near, node, row, pull, ct, wanted)?;
                let Some(ct) = ct else { return Ok(()) };
                let ct = self.visit_flat(node, row, op, pull, ct, wanted)?;
                let Some(ct) = ct else { return Ok(()) };
                Slot::Dense(ct)
            }
            Slot::Array(_) if is_elementwise => {
                if self.visit_repeated(node, row, op, &slot, wanted)? {
                    self.work.array_of(slot, self.arena.ty(node))?;
                    return Ok(());
                }
                slot
            }
            slot => slot,
        };
        self.run_batch()?;
        match slot {
            Slot::Empty => Ok(()),
            slot if is_elementwise => self.visit_elementwise(node, op, slot, wanted),
            slot => self.visit_any(node, op, slot, wanted),
        }
    }

    /// An elementwise node: each operand's cotangent is one fused loop. Where the node's
    /// value lies in another order than C order, the loop runs in that.
    fn visit_elementwise(
        &mut self,
        node: u32,
        op: &Op,
        slot: Slot,
        wanted: &Wanted,
    ) -> Result<()> {
        let arena = self.arena;
        let number = arena.type_number(node);
        let operands = arena.operands(node);
        let wants = |operand: &Arg<u32>| match *operand {
            Arg::Value(x) => wanted.has(arena, x),
            Arg::Number(_) => false,
        };
        let Some(last) = operands.iter().rposition(wants) else { return Ok(()) };
        let mut y = arena.view_for_rule(node);
        let order = Order::of(&y);
        let mut words = [0; 2];
        let mut x = arena.views_by(&operands, &mut words, |x| arena.view_for_rule(x));
        if let Some(order) = &order {
            x.iter_mut().for_each(|x| *x = order.flat(*x));
            y = order.flat(y);
        }
        let turn = |ct: NdArray| match &order {
            Some(order) => order.turn(ct),
            None => ct,
        };
        let turn_back = |ct: NdArray| match &order {
            Some(order) => order.turn_back(ct),
            None => ct,
        };
        let mut ct = turn(self.work.array_of(slot, arena.ty(node))?);
        let ty = &ct.ty();
        let factors = Op::factors()[op.tag() as usize];
        for (k, operand) in operands.iter().enumerate().take(last + 1) {
            let Arg::Value(target) = *operand else { continue };
            if !wants(operand) {
                continue;
            }
            let is_broadcast = arena.type_number(target) != number;
            if factors[k] == Factor::One {
                self.add(target, turn_back(ct.clone()))?;
                continue;
            }
            if is_broadcast && factors[k] == Factor::MinusOne {
                let mut eager = Eager { arena };
                let sum =
                    eager.sum_to(turn_back(ct.clone()), &arena.ty(target).shape)?;
                self.work.add(target, eager.unary(Op::Negative, sum)?)?;
                continue;
            }
            let (x, y) = op.read_by_slope(k, &x, y);
            if is_broadcast {
                // What the operand was broadcast to is summed back.
                let full = pull(op, k, ct.view(), &x, y, ty)?;
                self.add(target, turn_back(full))?;
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
                    self.work.set(target, turn_back(ct));
                    return Ok(());
                }
                Slot::Empty => pull(op, k, ct.view(), &x, y, ty)?,
                slot => {
                    let sum = self.work.array_of(slot, arena.ty(target))?;
                    let mut sum = exclusive(turn(sum))?;
                    let out = sum.exclusive().expect("the sweep alone holds the sum");
                    op.pull(k, ct.view(), &x, y, out, Mode::Add)?;
                    sum
                }
            };
            self.work.set(target, turn_back(sum));
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
