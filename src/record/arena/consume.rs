//! Values that a sweep frees as it goes.
//!
//! A sweep reads a node's value in the node's own rule for the last time. One that
//! consumes frees it after that: all computed nodes below the loss that depend on a leaf
//! are then consumed, whatever their size, until the record is cut back below them.

use super::{Alias, Arena};
use crate::array::buffer::Buffer;
use crate::error::{Error, Fault, Place, Result};
use crate::ops::emit::Arg;
use crate::record::rows::Flags;
use std::ops::Range;

impl Arena {
    /// Whether the node is computed and depends on a leaf.
    pub(crate) fn is_consumable(&self, node: u32) -> bool {
        let flags = self.flags(node);
        flags.has(Flags::ACTIVE) && !flags.has(Flags::LEAF | Flags::GRADIENT)
    }

    /// Whether the node's value is gone.
    pub(crate) fn is_consumed(&self, node: u32) -> bool {
        self.consumed.contains(&node) && self.is_consumable(node)
    }

    /// The last node below `rest` that a sweep which consumes frees memory of.
    pub(crate) fn last_to_free(&self, rest: u32) -> Option<u32> {
        (0..rest).rev().find(|&node| {
            let kind = self.flags(node).storage();
            matches!(kind, Flags::BUFFER | Flags::ALIAS) && self.is_consumable(node)
        })
    }

    /// Lets go of the memory that a node holds.
    pub(crate) fn free(&mut self, node: u32) {
        let slot = self.rows.slot(node);
        match self.rows.flags(node).storage() {
            Flags::BUFFER => {
                let Ok(k) = self.holders.binary_search(&node) else { return };
                self.holders.remove(k);
                // SAFETY: as in `drop_rows`; the node is listed no more.
                drop(unsafe { Buffer::from_raw(slot as *mut u8) });
            }
            Flags::ALIAS => {
                if let Some(Alias { buffer, .. }) = self.aliases.get_mut(slot as usize)
                {
                    *buffer = None;
                }
            }
            _ => return,
        }
        self.rows.forget_value(node);
    }

    /// Where nodes are whose values earlier sweeps have freed.
    pub(crate) fn consumed(&self) -> Range<u32> {
        self.consumed.clone()
    }

    /// How many times sweeps have consumed values.
    pub(crate) fn times_consumed(&self) -> u64 {
        self.times_consumed
    }

    /// Lets the sweep that consumes go on at `node`, after a rule was called: what it has
    /// itself freed it needs no more. Fails if another one consumed in the meantime.
    pub(crate) fn go_on_consuming(
        &mut self,
        node: u32,
        before: Range<u32>,
        times: u64,
    ) -> Result<()> {
        if self.times_consumed != times {
            let label = self.label(node);
            return Err(self.about_node(Fault::ConsumedPath { label }, node));
        }
        self.consumed = before.start..before.end.min(self.len());
        self.set_detour();
        Ok(())
    }

    /// Notes that a sweep from `loss` has consumed what it depends on.
    pub(crate) fn set_consumed(&mut self, loss: u32) {
        self.times_consumed += 1;
        let first = (0..loss).find(|&node| self.is_consumable(node));
        let Some(first) = first else { return };
        self.consumed = if self.consumed.is_empty() {
            first..loss
        } else {
            self.consumed.start.min(first)..self.consumed.end.max(loss)
        };
        self.set_detour();
    }

    /// Forgets what was consumed from `len` on.
    pub(super) fn cut_consumed(&mut self, len: u32) {
        if !self.consumed.is_empty() {
            self.consumed.end = self.consumed.end.min(len);
            self.set_detour();
        }
    }

    /// Fails if a node's value is gone.
    pub(crate) fn expect_value(&self, op: &'static str, node: u32) -> Result<()> {
        if !self.is_consumed(node) {
            return Ok(());
        }
        let label = self.label(node);
        Err(Error::new(Fault::Consumed { op, label: label.clone() })
            .recorded_at(label, Place::Site(self.site(node))))
    }

    /// Fails if the value of an operand is gone.
    pub(super) fn expect_values(
        &self,
        op: &'static str,
        operands: &[Arg<u32>],
    ) -> Result<()> {
        operands.iter().try_for_each(|operand| match *operand {
            Arg::Value(node) => self.expect_value(op, node),
            Arg::Number(_) => Ok(()),
        })
    }

    /// Fails if a node's rule cannot be run, since the values that it may read are gone.
    #[inline]
    pub(crate) fn expect_rule(&self, node: u32) -> Result<()> {
        if self.consumed.is_empty() { Ok(()) } else { self.expect_values_of(node) }
    }

    #[cold]
    fn expect_values_of(&self, node: u32) -> Result<()> {
        let operands = self.operands(node);
        let values = operands.iter().filter_map(|operand| match *operand {
            Arg::Value(x) => Some(x),
            Arg::Number(_) => None,
        });
        let Some(gone) = values.chain([node]).find(|&x| self.is_consumed(x)) else {
            return Ok(());
        };
        let label = self.label(gone);
        Err(Error::new(Fault::ConsumedPath { label: label.clone() })
            .recorded_at(label, Place::Site(self.site(gone))))
    }
}
