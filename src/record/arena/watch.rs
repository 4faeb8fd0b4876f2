//! Why a node may go the long way: the record checks values, some of its values are gone,
//! or the node is to be timed.

use super::Arena;
use crate::error::Result;
use crate::ops::Op;
use crate::ops::Tag;
use crate::ops::emit::Arg;
use crate::record::profile::{self, Cell, HEAVY_BYTES, Profiler};
use crate::record::rows::Flags;
use std::time::{Duration, Instant};

/// What nodes have in common that are counted together: op and place, type and storage. Two
/// words are compared sooner than four halves.
#[derive(Clone, Copy, Default)]
struct Kind([u64; 2]);

impl Kind {
    #[inline(always)]
    fn new(op: u32, site: u32, ty: u32, storage: u8) -> Self {
        let word = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        Kind([word(op, site), word(ty, u32::from(storage))])
    }

    #[inline(always)]
    fn is(self, Kind([a, b]): Kind) -> bool {
        (self.0[0] ^ a) | (self.0[1] ^ b) == 0
    }
}

/// Kinds that are counted before they are looked for among all.
const KINDS: usize = 32;

impl Arena {
    /// Makes each value that is not finite a fault, or none.
    pub(crate) fn set_check_finite(&mut self, on: bool) {
        self.check_finite = on;
        self.set_detour();
    }

    /// Whether nodes may take the short way, in the forward pass and in sweeps.
    #[inline]
    pub(crate) fn has_short_way(&self) -> bool {
        !self.check_finite && self.consumed.is_empty()
    }

    /// Finds out which node goes the long way next.
    pub(super) fn set_detour(&mut self) {
        self.detour = match &self.profile {
            _ if !self.has_short_way() => 0,
            Some(profile) => profile.due,
            None => u32::MAX,
        };
    }

    /// Starts to profile; false if a profile is running.
    pub(crate) fn start_profile(&mut self) -> bool {
        let starts = self.profile.is_none();
        if starts {
            self.profile = Some(Box::new(Profiler::new(self.len())));
            self.set_detour();
        }
        starts
    }

    /// What the profile that is running has found, if one is.
    pub(crate) fn profiled(&mut self) -> Option<(Vec<Cell>, Duration)> {
        self.count_rows();
        self.profile.as_ref().map(|profile| profile.report())
    }

    /// As `profiled`, and stops.
    pub(crate) fn stop_profile(&mut self) -> Option<(Vec<Cell>, Duration)> {
        let found = self.profiled();
        self.profile = None;
        self.set_detour();
        found
    }

    /// Counts the nodes that were recorded since the last time.
    fn count_rows(&mut self) {
        let Some(mut profile) = self.profile.take() else { return };
        let counted = profile.counted;
        // Most nodes are like another one shortly before.
        let mut kinds = [(Kind::default(), 0); KINDS];
        self.rows.for_each_from(counted, |[op, site, ty], flags, slot| {
            let storage =
                if flags.says_empty(slot) { Flags::BUFFER } else { flags.storage() };
            let kind = Kind::new(op, site, ty, storage);
            let known = &mut kinds[(site ^ op.wrapping_mul(5)) as usize % KINDS];
            if !known.0.is(kind) {
                self.count_kind(&mut profile, std::mem::replace(known, (kind, 0)));
            }
            known.1 += 1;
        });
        for known in kinds {
            self.count_kind(&mut profile, known);
        }
        let first = self.customs.partition_point(|x| x.0 < counted);
        for (node, custom) in &self.customs[first..] {
            let row = self.rows.get(*node);
            let (tag, bytes) = (self.ops.tag(row.op), self.types.extent(row.ty).bytes);
            profile.count_custom(tag, custom.op.name(), row.site, bytes as u64);
        }
        profile.counted = self.rows.len();
        self.profile = Some(profile);
    }

    /// Counts nodes of one kind. Those of a user's op have names, and are counted one by
    /// one.
    // Apart, so that the loop over all nodes stays small.
    #[inline(never)]
    fn count_kind(&self, profile: &mut Profiler, (kind, count): (Kind, u64)) {
        let Kind([place, form]) = kind;
        let [op, site, ty] = [place >> 32, place, form >> 32].map(|word| word as u32);
        let storage = form as u8;
        let tag = self.ops.tag(op);
        if count == 0 || matches!(tag, Tag::Custom | Tag::CustomVjp) {
            return;
        }
        let cell = profile.cell(tag, site);
        cell.count += count;
        if has_own_memory(tag, storage) {
            cell.bytes += count * self.types.extent(ty).bytes as u64;
        }
    }

    /// Counts all nodes before those from `len` on go.
    pub(super) fn count_before_cut(&mut self, len: u32) {
        self.count_rows();
        let before = self.len();
        let Some(profile) = &mut self.profile else { return };
        profile.counted = len;
        // As far ahead as it was.
        profile.due = len.saturating_add(profile.due.saturating_sub(before));
        self.set_detour();
    }

    /// The time, if the next node is due to be timed.
    #[inline]
    pub(super) fn start_if_due(&self) -> Option<Instant> {
        if self.len() < self.detour { None } else { self.start_at_detour() }
    }

    #[cold]
    fn start_at_detour(&self) -> Option<Instant> {
        let profile = self.profile.as_ref()?;
        (self.len() >= profile.due).then(profile::now)
    }

    /// Appends the small node that is due by the short way, if it would have taken that,
    /// and gives the time when it began.
    ///
    /// It is appended twice. The first time brings code into the caches, where that of
    /// nodes in a row is.
    pub(super) fn flat_timed(
        &mut self,
        op: &Op,
        operands: &[Arg<u32>],
        site: u32,
    ) -> Option<(Instant, Result<u32>)> {
        if !self.has_short_way() || operands.iter().any(|x| self.is_heavy_operand(x)) {
            return None;
        }
        let start = self.mark();
        self.detour = u32::MAX;
        let first = self.flat_op(op, operands, site);
        let timed = first.map(|_| {
            self.undo(&start);
            (profile::now(), self.flat_op(op, operands, site))
        });
        self.set_detour();
        timed.and_then(|(started, result)| Some((started, result?)))
    }

    fn flat_op(
        &mut self,
        op: &Op,
        operands: &[Arg<u32>],
        site: u32,
    ) -> Option<Result<u32>> {
        match *operands {
            [Arg::Value(x)] => self.flat_unary::<true>(op, x, site),
            [a, b] => self.flat_binary::<true>(op, a, b, site),
            _ => None,
        }
    }

    /// Notes the time of the last of the nodes from `len` on, which was due.
    #[cold]
    pub(super) fn note_due(&mut self, started: Instant, len: u32) {
        let (now, node) = (self.len(), self.len() - 1);
        let (tag, row) = (self.tag(node), self.row(node));
        let is_noted = has_own_memory(tag, row.flags.storage()) && self.is_heavy(node);
        let Some(profile) = &mut self.profile else { return };
        if !is_noted {
            profile.note_due((tag, row.site), started, now - len, now);
            self.set_detour();
        }
    }

    /// The time, if a profile is running and the next node is a heavy one.
    #[inline]
    pub(super) fn start_if_heavy(
        &self,
        ty: u32,
        operands: &[Arg<u32>],
    ) -> Option<Instant> {
        self.profile.as_ref()?;
        let any = operands.iter().any(|x| self.is_heavy_operand(x));
        (any || self.is_heavy_type(ty)).then(Instant::now)
    }

    /// Notes the time of a heavy node.
    pub(super) fn note_heavy(&mut self, tag: Tag, site: u32, started: Instant) {
        if let Some(profile) = &mut self.profile {
            profile.note_heavy(tag, site, started);
            self.set_detour();
        }
    }

    fn is_heavy_operand(&self, operand: &Arg<u32>) -> bool {
        match *operand {
            Arg::Value(x) => self.is_heavy_type(self.type_number(x)),
            Arg::Number(_) => false,
        }
    }

    fn is_heavy_type(&self, ty: u32) -> bool {
        self.types.extent(ty).bytes >= HEAVY_BYTES
    }

    /// Whether a node or an operand of it is so large that each such node is timed.
    pub(crate) fn is_heavy(&self, node: u32) -> bool {
        self.is_heavy_type(self.type_number(node))
            || self.any_operand(node, |x| self.is_heavy_type(self.type_number(x)))
    }
}

/// Whether a node's value is in memory that the node itself has filled: that of an op which
/// keeps its operands' order is, even where its row says that it is read as an alias.
fn has_own_memory(tag: Tag, storage: u8) -> bool {
    storage != Flags::ALIAS || tag.keeps_order()
}
