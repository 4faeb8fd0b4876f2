//! The nodes that most sweeps are made of: rank-0 `f64` nodes, and elementwise nodes
//! without broadcasting or gaps, whose cotangents are plain buffers.

use super::reverse::Sweep;
use super::wanted::Wanted;
use super::workspace::{Slot, Workspace};
use crate::array::buffer::Buffer;
use crate::error::{Error, Fault, Result};
use crate::kernels::batch::{self, Source};
use crate::kernels::map::Mode;
use crate::ops::scalar::strong_product;
use crate::ops::symbolic::Factor;
use crate::ops::{Op, PullFlat, SlopeAt};
use crate::record::intern::Extent;
use crate::record::rows::{Near, Row};
use crate::record::{FlatNode, SmallNode, pull_of, word_slopes};
use crate::shape::Type;

impl Sweep<'_> {
    /// Visits the nodes below `rest` as long as they are short ones and no targets, and
    /// not below `floor`; gives those that are left.
    pub(super) fn visit_short(
        &mut self,
        mut rest: u32,
        floor: u32,
        wanted: &Wanted,
    ) -> Result<u32> {
        if rest <= floor {
            return Ok(rest);
        }
        let mut near = self.arena.near(rest - 1);
        while rest > floor {
            let node = rest - 1;
            near.go_to(node);
            let row = near.get(node);
            if word_slopes(&row).is_some() {
                rest = self.visit_words(rest, floor, wanted);
            } else if !self.task.ieee
                && self.visit_if_small(near, node, &row, wanted)?
            {
                rest = node;
            } else {
                break;
            }
        }
        Ok(rest)
    }

    /// As `visit_short`, as long as they are rank-0 `f64` nodes; there is at least one. A
    /// loop of its own stays within registers.
    #[inline(never)]
    fn visit_words(&mut self, mut rest: u32, floor: u32, wanted: &Wanted) -> u32 {
        let factors = Op::factors();
        let mut near = self.arena.near(rest - 1);
        while rest > floor {
            let node = rest - 1;
            near.go_to(node);
            let row = near.get(node);
            let Some(slopes) = word_slopes(&row) else { break };
            if let Some(ct) = self.work.take_word(node) {
                let rule = (slopes, factors[row.op as usize]);
                self.visit_word(near, node, &row, rule, ct, wanted);
            }
            rest = node;
        }
        rest
    }

    /// Visits a node if it has no cotangent or is an elementwise one of small values;
    /// false if nothing was done.
    #[inline(always)]
    fn visit_if_small(
        &mut self,
        near: Near<'_>,
        node: u32,
        row: &Row,
        wanted: &Wanted,
    ) -> Result<bool> {
        let Some(pull) = pull_of(row) else { return Ok(self.work.is_empty(node)) };
        let Some(ct) = self.work.take_dense(node) else {
            return Ok(self.work.is_empty(node));
        };
        let left = self.visit_small(near, node, row, pull, ct, wanted)?;
        let is_done = left.is_none();
        if let Some(ct) = left {
            self.work.put_dense(node, ct);
        }
        Ok(is_done)
    }

    /// A rank-0 `f64` node, whose operands are such nodes too, or numbers.
    #[inline(always)]
    pub(super) fn visit_word(
        &mut self,
        near: Near<'_>,
        node: u32,
        row: &Row,
        (slopes, factors): (&[SlopeAt; 2], [Factor; 2]),
        ct: f64,
        wanted: &Wanted,
    ) {
        let arena = self.arena;
        let (a, first) = arena.word_operand(near, row.lhs);
        let (b, second) = arena.word_operand(near, row.rhs);
        let y = arena.word(node, row);
        for (k, operand) in [first, second].into_iter().enumerate() {
            let Some((operand, flags)) = operand else { continue };
            if !wanted.has_with(operand, || flags) {
                continue;
            }
            let ct = if factors[k] == Factor::One {
                ct
            } else {
                let slope = slopes[k](a, b, y);
                if self.task.ieee { ct * slope } else { strong_product(ct, slope) }
            };
            self.work.add_word(operand, ct);
        }
    }

    /// An elementwise node of small values without broadcasting or gaps. Gives the
    /// cotangent back if it is no such node.
    #[inline]
    pub(super) fn visit_small(
        &mut self,
        near: Near<'_>,
        node: u32,
        row: &Row,
        pull: PullFlat,
        ct: Buffer,
        wanted: &Wanted,
    ) -> Result<Option<Buffer>> {
        let mut numbers = [const { SmallNode::NO_NUMBERS }; 2];
        let Some(SmallNode { operands, firsts, extent }) =
            self.arena.small_node(near, node, row, &mut numbers)
        else {
            return Ok(Some(ct));
        };
        let targets = operands.map(|operand| {
            let (x, flags) = operand?;
            wanted.has_with(x, || flags).then_some(x)
        });
        let ([a, b], y) = firsts;
        self.spread(row, targets, ct, extent, pull, &Now { operands: [a, b], y })?;
        Ok(None)
    }

    /// An elementwise node without broadcasting or gaps, whose loops are put off. Gives the
    /// cotangent back if it is no such node.
    #[inline]
    pub(super) fn visit_flat(
        &mut self,
        node: u32,
        row: &Row,
        op: &Op,
        pull: PullFlat,
        ct: Buffer,
        wanted: &Wanted,
    ) -> Result<Option<Buffer>> {
        let arena = self.arena;
        let Some(FlatNode { targets, operands, y, extent }) =
            arena.flat_node(node, row)
        else {
            return Ok(Some(ct));
        };
        let targets = targets.map(|x| x.filter(|&x| wanted.has(arena, x)));
        self.make_room(node, extent)?;
        let loops = Later { op, operands, y };
        self.spread(row, targets, ct, extent, pull, &loops)?;
        self.run_if_checked()?;
        Ok(None)
    }

    /// As `visit_flat`, with a cotangent whose elements are one number, such as that of a
    /// mean; false if nothing was done.
    pub(super) fn visit_repeated(
        &mut self,
        node: u32,
        row: &Row,
        op: &Op,
        slot: &Slot,
        wanted: &Wanted,
    ) -> Result<bool> {
        let arena = self.arena;
        let (Some(word), Some(pull)) = (self.work.repeated(slot), pull_of(row)) else {
            return Ok(false);
        };
        let Some(FlatNode { targets, operands, y, extent }) =
            arena.flat_node(node, row)
        else {
            return Ok(false);
        };
        let targets = targets.map(|x| x.filter(|&x| wanted.has(arena, x)));
        let factors = Op::factors()[row.op as usize];
        // A cotangent that is handed on as it is stays a number.
        if (0..2).any(|k| targets[k].is_some() && factors[k] == Factor::One) {
            return Ok(false);
        }
        self.make_room(node, extent)?;
        let loops = Later { op, operands, y };
        for (k, target) in targets.into_iter().enumerate() {
            let Some(target) = target else { continue };
            let (sum, mode) = match self.work.take(target) {
                Slot::Empty => (self.fresh(row, extent, &loops)?, Mode::Write),
                slot => (self.sum_of(row, slot)?, Mode::Add),
            };
            let x = loops.operands_with(k, Source::Number(word));
            let (run, x) = rule(factors[k], mode, (pull, k), x);
            // SAFETY: as in `spread`.
            unsafe { loops.run(self.work, extent, run, x, sum.data(), mode) };
            self.work.put_dense(target, sum);
        }
        self.run_if_checked()?;
        Ok(true)
    }

    /// Runs the loops that were put off, if those of a node over so many elements cannot
    /// wait with them.
    fn make_room(&mut self, node: u32, extent: Extent) -> Result<()> {
        if !self.work.batch.takes(extent.dtype, extent.len) {
            self.run_batch()?;
        }
        self.work.batch.owner = node;
        Ok(())
    }

    /// Runs the loops that were put off.
    #[inline]
    pub(super) fn run_batch(&mut self) -> Result<()> {
        match self.profile {
            None => self.work.batch.run(),
            Some(_) => self.run_batch_timed(),
        }
    }

    /// Runs the loops at once if what they write is looked at.
    fn run_if_checked(&mut self) -> Result<()> {
        if self.arena.check_finite { self.run_batch() } else { Ok(()) }
    }

    /// Hands cotangents of the node's own type to those of its operands that are targets.
    #[inline(always)]
    fn spread(
        &mut self,
        row: &Row,
        targets: [Option<u32>; 2],
        ct: Buffer,
        extent: Extent,
        pull: PullFlat,
        loops: &impl Loops,
    ) -> Result<()> {
        let order = self.order(targets);
        let Some(last) = order.into_iter().rfind(|&k| targets[k].is_some()) else {
            loops.finish(self.work, ct);
            return Ok(());
        };
        let factors = Op::factors()[row.op as usize];
        let first = ct.data().cast_const();
        let mut ct = Some(ct);
        for k in order {
            let Some(target) = targets[k] else { continue };
            let (sum, mode) = match self.work.take(target) {
                Slot::Empty if factors[k] == Factor::One => {
                    let shared = if k == last { ct.take() } else { ct.clone() };
                    let shared = shared.expect("only the last operand takes it");
                    self.work.put_dense(target, shared);
                    continue;
                }
                Slot::Empty => match ct.take_if(|ct| k == last && ct.is_unique()) {
                    Some(ct) => (ct, Mode::Overwrite),
                    None => (self.fresh(row, extent, loops)?, Mode::Write),
                },
                slot => (self.sum_of(row, slot)?, Mode::Add),
            };
            let (run, x) = rule(factors[k], mode, (pull, k), loops.operands(k, first));
            // SAFETY: all have the node's own type, and the sweep alone holds the sum. Where
            // that is the cotangent itself, a loop reads all before it writes.
            unsafe { loops.run(self.work, extent, run, x, sum.data(), mode) };
            self.work.put_dense(target, sum);
        }
        if let Some(ct) = ct {
            loops.finish(self.work, ct);
        }
        Ok(())
    }

    /// Memory for the cotangent of an operand of the row.
    #[inline(always)]
    fn fresh(
        &mut self,
        row: &Row,
        extent: Extent,
        loops: &impl Loops,
    ) -> Result<Buffer> {
        match loops.fresh(self.work, extent.bytes) {
            Some(fresh) => Ok(fresh),
            None => Err(no_memory(self.arena.ty_of(row))),
        }
    }

    /// What a slot holds, of an operand of the row, to add to.
    #[inline(always)]
    fn sum_of(&mut self, row: &Row, slot: Slot) -> Result<Buffer> {
        match slot {
            Slot::Dense(sum) if sum.is_unique() => Ok(sum),
            slot => self.exclusive_buffer(slot, self.arena.ty_of(row)),
        }
    }

    /// What a slot holds, as a buffer that nothing else does.
    #[cold]
    fn exclusive_buffer(&mut self, slot: Slot, ty: &Type) -> Result<Buffer> {
        self.run_batch()?;
        let sum = self.work.exclusive_of(slot, ty)?;
        // Part of another array, such as one row, is no whole buffer.
        match sum.into_buffer() {
            Ok(sum) => Ok(sum),
            Err(part) => {
                let whole = part.copied()?.into_buffer();
                Ok(whole.expect("a copy fills its buffer"))
            }
        }
    }

    /// In which order the operands get their cotangents. One whose sum starts here comes
    /// last, for it can take the node's own buffer over.
    #[inline]
    fn order(&mut self, targets: [Option<u32>; 2]) -> [usize; 2] {
        let [Some(a), Some(b)] = targets else { return [0, 1] };
        let starts = |slot: &Slot| matches!(slot, Slot::Empty);
        let first_starts = a != b && starts(self.work.slot(a));
        if first_starts && !starts(self.work.slot(b)) { [1, 0] } else { [0, 1] }
    }
}

/// The loop for the cotangent of an operand, and what it reads: `pull`, unless the slope
/// allows for one that adds at once.
#[inline(always)]
fn rule<T: Copy>(
    factor: Factor,
    mode: Mode,
    pull: (PullFlat, usize),
    x: [T; 4],
) -> ((PullFlat, usize), [T; 4]) {
    let [ct, .., y] = x;
    match factor {
        Factor::One if mode == Mode::Add => ((batch::add, 0), x),
        Factor::Operand(j) if mode == Mode::Add => {
            ((batch::add_product, 0), [ct, x[1 + j], y, y])
        }
        Factor::Value if mode == Mode::Add => ((batch::add_product, 0), [ct, y, y, y]),
        _ => (pull, x),
    }
}

/// How the loops of a node come to run.
trait Loops {
    type Operand: Copy;

    /// What the loop for the cotangent of operand `k` reads: the node's own cotangent, which
    /// begins at `ct`, the operands and the value.
    fn operands(&self, k: usize, ct: *const u8) -> [Self::Operand; 4];

    /// Memory for what a loop writes.
    #[inline(always)]
    fn fresh(&self, _: &mut Workspace, bytes: usize) -> Option<Buffer> {
        Buffer::try_new(bytes)
    }

    /// Runs a loop, or puts it off.
    ///
    /// # Safety
    /// As for [`Run`](batch::Run). The elements of the operands are the record's, or
    /// cotangents like those of `out`, which are the sweep's own.
    unsafe fn run(
        &self,
        work: &mut Workspace,
        extent: Extent,
        run: (PullFlat, usize),
        x: [Self::Operand; 4],
        out: *mut u8,
        mode: Mode,
    );

    /// Lets go of the node's cotangent.
    #[inline(always)]
    fn finish(&self, _: &mut Workspace, ct: Buffer) {
        drop(ct);
    }
}

/// Loops over small values, which run at once.
struct Now {
    operands: [*const u8; 2],
    y: *const u8,
}

impl Loops for Now {
    type Operand = *const u8;

    #[inline(always)]
    fn operands(&self, _: usize, ct: *const u8) -> [*const u8; 4] {
        let [a, b] = self.operands;
        [ct, a, b, self.y]
    }

    #[inline(always)]
    unsafe fn run(
        &self,
        _: &mut Workspace,
        Extent { dtype, len, .. }: Extent,
        (run, k): (PullFlat, usize),
        x: [*const u8; 4],
        out: *mut u8,
        mode: Mode,
    ) {
        // SAFETY: by the contract of this function.
        unsafe { run(k, dtype, x, out, len, mode) }
    }
}

/// Loops that are put off.
struct Later<'a> {
    op: &'a Op,
    operands: [Source; 2],
    y: Source,
}

impl Later<'_> {
    /// As `operands`, with any cotangent.
    fn operands_with(&self, k: usize, ct: Source) -> [Source; 4] {
        let reads = self.op.reads_of_slope(k);
        let read = |source, is_read| if is_read { source } else { Source::Unread };
        let [a, b] = self.operands;
        [
            ct,
            read(a, reads.operand(0)),
            read(b, reads.operand(1)),
            read(self.y, reads.value),
        ]
    }
}

impl Loops for Later<'_> {
    type Operand = Source;

    fn operands(&self, k: usize, ct: *const u8) -> [Source; 4] {
        self.operands_with(k, Source::Elements(ct))
    }

    fn fresh(&self, work: &mut Workspace, bytes: usize) -> Option<Buffer> {
        work.batch.take_held().or_else(|| Buffer::try_new(bytes))
    }

    unsafe fn run(
        &self,
        work: &mut Workspace,
        Extent { dtype, len, .. }: Extent,
        run: (PullFlat, usize),
        x: [Source; 4],
        out: *mut u8,
        mode: Mode,
    ) {
        // SAFETY: by the contract of this function. The record keeps its values until the
        // sweep has run the batch, and what the sweep lets go of before is held.
        unsafe { work.batch.put_off((dtype, len), run, x, out, mode) }
    }

    fn finish(&self, work: &mut Workspace, ct: Buffer) {
        work.batch.hold(ct);
    }
}

#[cold]
fn no_memory(ty: &Type) -> Error {
    let shape = ty.shape.to_vec();
    Error::new(Fault::Memory { op: "grad", bytes: ty.bytes(), shape })
}
