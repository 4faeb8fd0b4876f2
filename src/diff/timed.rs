//! A sweep that is profiled.

use super::reverse::Sweep;
use super::wanted::Wanted;
use super::workspace::Slot;
use crate::error::Result;
use crate::record::profile;
use crate::record::rows::Row;
use std::time::{Duration, Instant};

impl Sweep<'_> {
    /// As `visit_short`, with the clock looked at around the nodes that are
    /// due.
    pub(super) fn visit_short_timed(
        &mut self,
        mut rest: u32,
        floor: u32,
        wanted: &Wanted,
    ) -> Result<u32> {
        loop {
            let left = self.profile.as_ref().map_or(u32::MAX, |profile| profile.left);
            let due = rest.saturating_sub(left).max(floor);
            let reached = self.visit_short(rest, due, wanted)?;
            if let Some(profile) = &mut self.profile {
                profile.left -= rest - reached;
            }
            if reached > due || due == floor {
                return Ok(reached);
            }
            let (node, started) = (due - 1, profile::now());
            rest = self.visit_short(due, node, wanted)?;
            if rest == due {
                return Ok(rest);
            }
            self.note_due(node, started);
        }
    }

    /// As `visit`, with the clock looked at if the node is heavy or due.
    pub(super) fn visit_timed(
        &mut self,
        node: u32,
        row: &Row,
        slot: Slot,
        wanted: &Wanted,
    ) -> Result<()> {
        let is_heavy = self.arena.is_heavy(node);
        let Some(profile) = &mut self.profile else {
            return self.visit(node, row, slot, wanted);
        };
        if !is_heavy && profile.left > 0 {
            profile.left -= 1;
            return self.visit(node, row, slot, wanted);
        }
        self.batches = Duration::ZERO;
        let started = profile::now();
        self.visit(node, row, slot, wanted)?;
        // Loops that were put off are noted where they come from.
        let started = started + self.batches;
        if is_heavy {
            self.note_heavy(node, started);
        } else {
            self.note_due(node, started);
        }
        Ok(())
    }

    /// Runs the loops that were put off, and notes for each node what its own took, if these
    /// are heavy or due.
    #[cold]
    pub(super) fn run_batch_timed(&mut self) -> Result<()> {
        let (arena, batch) = (self.arena, &mut self.work.batch);
        let Some(profile) = &mut self.profile else { return batch.run() };
        let is_heavy = batch.bytes() >= profile::HEAVY_BYTES;
        let weight = if is_heavy { Some(1) } else { profile.next_batch() };
        let started = Instant::now();
        match weight {
            None => batch.run()?,
            Some(weight) => batch.run_timed(|node, time| {
                let (tag, site) = (arena.tag(node), arena.site(node));
                profile.note_batched_rule(tag, site, time * weight);
            })?,
        }
        self.batches += started.elapsed();
        Ok(())
    }

    fn note_heavy(&mut self, node: u32, started: Instant) {
        let (tag, site) = (self.arena.tag(node), self.arena.site(node));
        if let Some(profile) = &mut self.profile {
            profile.note_heavy_rule(tag, site, started);
        }
    }

    fn note_due(&mut self, node: u32, started: Instant) {
        let (tag, site) = (self.arena.tag(node), self.arena.site(node));
        if let Some(profile) = &mut self.profile {
            profile.note_due_rule(tag, site, started);
        }
    }
}
