//! The nodes that most sweeps are made of: rank-0 `f64` nodes, and elementwise nodes
//! without broadcasting or gaps, whose cotangents are plain buffers.

use super::reverse::Sweep;
use super::wanted::Wanted;
use super::workspace::Slot;
use crate::array::buffer::Buffer;
use crate::array::{View, ViewMut};
use crate::error::{Error, Fault, Result};
use crate::kernels::map::{Mode, add_flat};
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
        let Extent { dtype, len, .. } = extent;
        self.spread(row, targets, ct, extent, |k, ct, out, mode| {
            // SAFETY: all have the node's own type, and the sweep alone holds `out`. Where
            // that is the cotangent itself, the loop reads all before it writes.
            unsafe { pull(k, dtype, [ct, a, b, y], out, len, mode) }
            Ok(())
        })?;
        Ok(None)
    }

    /// An elementwise node without broadcasting or gaps. Gives the cotangent back if it is
    /// no such node.
    #[inline]
    pub(super) fn visit_flat(
        &mut self,
        node: u32,
        row: &Row,
        op: &Op,
        ct: Buffer,
        wanted: &Wanted,
    ) -> Result<Option<Buffer>> {
        let arena = self.arena;
        let mut words = [0; 2];
        let Some(FlatNode { targets, views, y, shape, dtype }) =
            arena.flat_node(node, row, &mut words, ct.data())
        else {
            return Ok(Some(ct));
        };
        let targets = targets.map(|x| x.filter(|&x| wanted.has(arena, x)));
        let len = y.len();
        let extent = Extent { bytes: len * dtype.size(), len, dtype };
        self.spread(row, targets, ct, extent, |k, ct, out, mode| {
            // SAFETY: as in `visit_small`.
            unsafe {
                let ct = View::from_raw(ct, shape, None, dtype);
                op.pull(k, ct, &views, y, ViewMut::from_raw(out, shape, dtype), mode)
            }
        })?;
        Ok(None)
    }

    /// Hands cotangents of the node's own type to those of its operands that are
    /// targets. `pull` writes or adds that of operand `k`, given the node's, to the sum.
    #[inline(always)]
    fn spread(
        &mut self,
        row: &Row,
        targets: [Option<u32>; 2],
        ct: Buffer,
        extent: Extent,
        pull: impl Fn(usize, *const u8, *mut u8, Mode) -> Result<()>,
    ) -> Result<()> {
        let order = self.order(targets);
        let Some(last) = order.into_iter().rfind(|&k| targets[k].is_some()) else {
            return Ok(());
        };
        let Extent { bytes, len, dtype } = extent;
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
                    None => match Buffer::try_new(bytes) {
                        Some(fresh) => (fresh, Mode::Write),
                        None => return Err(no_memory(self.arena.ty_of(row))),
                    },
                },
                Slot::Dense(sum) if sum.is_unique() => (sum, Mode::Add),
                slot => {
                    (self.exclusive_buffer(slot, self.arena.ty_of(row))?, Mode::Add)
                }
            };
            if factors[k] == Factor::One && mode == Mode::Add {
                // SAFETY: both have the node's own type, and the sweep alone holds the
                // sum.
                unsafe { add_flat(dtype, first, sum.data(), len)? };
            } else {
                pull(k, first, sum.data(), mode)?;
            }
            self.work.put_dense(target, sum);
        }
        Ok(())
    }

    /// What a slot holds, as a buffer that nothing else does.
    #[cold]
    fn exclusive_buffer(&mut self, slot: Slot, ty: &Type) -> Result<Buffer> {
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

#[cold]
fn no_memory(ty: &Type) -> Error {
    let shape = ty.shape.to_vec();
    Error::new(Fault::Memory { op: "grad", bytes: ty.bytes(), shape })
}
