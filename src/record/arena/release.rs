//! Values that the record lets go of before it is cut back: nobody can ask for them any
//! more, and no rule reads them.
//!
//! A value that is looked at all the same, as by a printed record, is computed again from
//! the operands: the same loops give the same bits.

use super::Arena;
use crate::array::{Fresh, NdArray, View};
use crate::error::Result;
use crate::kernels::map::Mode;
use crate::ops::Tag;
use crate::ops::emit::Arg;
use crate::record::rows::Flags;
use std::collections::BTreeMap;

/// What is read in the place of a value that is gone, where no rule reads it: a NaN.
const GAP: &u64 = &u64::MAX;

impl Arena {
    /// Keeps the values of operands that a rule of `op` reads. Gives the flag of the
    /// node itself, whose storage is `kind`, if the rule reads its value.
    #[inline]
    pub(super) fn keep_for_rule(
        &mut self,
        op: Tag,
        operands: &[Arg<u32>],
        kind: u8,
    ) -> u8 {
        let is_large = |operand: &Arg<u32>| match *operand {
            Arg::Value(x) => self.flags(x).storage() == Flags::BUFFER,
            Arg::Number(_) => false,
        };
        // What has no buffer is never let go of.
        if kind == Flags::BUFFER || operands.iter().any(is_large) {
            self.keep_large_for_rule(op, operands)
        } else {
            0
        }
    }

    #[inline(never)]
    fn keep_large_for_rule(&mut self, op: Tag, operands: &[Arg<u32>]) -> u8 {
        let reads = op.reads(operands);
        for (k, operand) in operands.iter().enumerate() {
            if let Arg::Value(x) = *operand
                && reads.operand(k)
            {
                self.rows.keep_value(x);
            }
        }
        if reads.value { Flags::KEPT } else { 0 }
    }

    /// Keeps a value to which a second handle leads, since either may be dropped. What is
    /// gone already, since only the record itself still knew the node, is brought back.
    #[cfg(feature = "python")]
    pub(crate) fn keep(&mut self, node: u32) -> Result<()> {
        if !self.is_consumed(node) {
            self.restore(node)?;
        }
        self.rows.keep_value(node);
        Ok(())
    }

    /// Whether it is worth a look, once the node's handle is dropped, if the value may go.
    #[cfg(feature = "python")]
    pub(crate) fn is_releasable(&self, node: u32) -> bool {
        self.flags(node).storage() == Flags::BUFFER && self.tag(node).is_elementwise()
    }

    /// Lets go of a value to which no handle leads, unless a rule reads it.
    #[cfg(feature = "python")]
    pub(crate) fn release(&mut self, node: u32) {
        if self.is_releasable(node) && !self.flags(node).has(Flags::KEPT) {
            self.free(node);
        }
    }

    /// As `release`, of the nodes from `len` on but for one.
    #[cfg(feature = "python")]
    #[inline]
    pub(crate) fn release_but(&mut self, len: u32, result: u32) {
        for node in (len..self.len()).filter(|&node| node != result) {
            self.release(node);
        }
    }

    /// Whether the node's value is gone.
    pub(crate) fn is_empty(&self, node: u32) -> bool {
        self.rows.get(node).is_empty()
    }

    /// As `view`, for a rule: it may be of a value that is gone, which no rule reads.
    pub(crate) fn view_for_rule(&self, node: u32) -> View<'_> {
        if self.is_empty(node) {
            View::of_word(GAP, self.ty(node).dtype)
        } else {
            self.view(node)
        }
    }

    /// Brings back the values of operands that are gone.
    pub(super) fn restore_operands(&mut self, operands: &[Arg<u32>]) -> Result<()> {
        operands.iter().try_for_each(|operand| match *operand {
            Arg::Value(node) => self.restore(node),
            Arg::Number(_) => Ok(()),
        })
    }

    /// Brings a node's value back if it is gone.
    #[inline]
    fn restore(&mut self, node: u32) -> Result<()> {
        if !self.is_empty(node) {
            return Ok(());
        }
        let value = self.computed_again(node)?.into_buffer();
        let buffer = value.expect("a computed value fills its buffer");
        let at = self.holders.partition_point(|&holder| holder < node);
        self.holders.insert(at, node);
        self.rows.put_buffer(node, buffer.into_raw());
        Ok(())
    }

    /// The value of a node that holds it no more.
    ///
    /// What it stands on may be gone too, down to the leaves. All that is computed in
    /// ascending order, and each value dropped after its last use.
    #[cold]
    pub(super) fn computed_again(&self, node: u32) -> Result<NdArray> {
        // For each node to compute the last one that reads it.
        let mut readers = BTreeMap::from([(node, node)]);
        let mut found = vec![node];
        while let Some(reader) = found.pop() {
            for x in self.nodes_of(reader).into_iter().filter(|&x| self.is_empty(x)) {
                self.expect_value("data", x)?;
                readers
                    .entry(x)
                    .and_modify(|last| *last = reader.max(*last))
                    .or_insert_with(|| {
                        found.push(x);
                        reader
                    });
            }
        }
        let mut values = BTreeMap::new();
        for &next in readers.keys() {
            let value = self.evaluate_with(&values, next)?;
            for x in self.nodes_of(next) {
                if readers.get(&x) == Some(&next) {
                    values.remove(&x);
                }
            }
            values.insert(next, value);
        }
        Ok(values.remove(&node).expect("the node asked for is the last"))
    }

    /// The value of an elementwise node, of whose operands some are among `values`.
    fn evaluate_with(
        &self,
        values: &BTreeMap<u32, NdArray>,
        node: u32,
    ) -> Result<NdArray> {
        let (op, operands) = (self.op(node), self.operands(node));
        let mut words = [0; 2];
        let x = self.views_by(&operands, &mut words, |x| match values.get(&x) {
            Some(value) => value.view(),
            None => self.view(x),
        });
        let mut out = Fresh::new(op.tag().name(), self.ty(node).clone())?;
        op.map(&x, out.view(), Mode::Write)?;
        // SAFETY: the loop wrote every element.
        Ok(unsafe { out.assume_init() })
    }
}
