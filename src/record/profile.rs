//! What a profile counts and times while it runs, and what it says of it.
//!
//! Counts and bytes are read from the rows. Reading the clock takes half as long as a
//! small op, so of small nodes about one in 1,024 is timed and stands for those since the
//! last one; large ones are all timed.

use super::intern::Map;
use crate::ops::Tag;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::{Duration, Instant};

/// Nodes that take or give a value of this size are all timed: their work takes
/// microseconds, two looks at the clock 50 ns.
pub(crate) const HEAVY_BYTES: usize = 32 << 10;

/// Tables show this many rows.
const SHOWN: usize = 20;

/// The time of the nodes of one op that one place recorded.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) tag: Tag,
    /// The name of a user's op.
    pub(crate) custom: Option<&'static str>,
    pub(crate) site: u32,
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    pub(crate) forward: Duration,
    pub(crate) sweep: Duration,
}

impl Cell {
    fn name(&self) -> String {
        match (self.custom, self.tag) {
            (None, tag) => tag.name().to_owned(),
            (Some(name), Tag::CustomVjp) => format!("{name}_vjp"),
            (Some(name), _) => name.to_owned(),
        }
    }
}

/// Which small nodes are timed, and which batches of their loops.
pub(crate) struct Sample {
    state: u32,
    /// How many nodes the next one stands for.
    pub(crate) gap: u32,
}

impl Sample {
    fn new() -> Self {
        let mut sample = Sample { state: 0, gap: 0 };
        sample.advance();
        sample
    }

    /// Chooses the next gap, of 513 to 1,536 nodes: they differ, so that no loop of a
    /// program keeps in step with them.
    pub(crate) fn advance(&mut self) -> u32 {
        // The linear congruence of Numerical Recipes, section 7.1.
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.gap = 513 + (self.state >> 22);
        self.gap
    }
}

/// A profile that is running.
pub(crate) struct Profiler {
    since: Instant,
    /// What a look at the clock takes.
    clock: Duration,
    cells: Vec<Cell>,
    numbers: Map<(u32, u32, usize), u32>,
    /// Cells that were used lately, by a few bits of op and place.
    recent: [u32; RECENT],
    /// Nodes below are counted, or older than the profile.
    pub(crate) counted: u32,
    forward: Sample,
    /// The next node to be timed when it is recorded, unless it is a heavy one.
    pub(crate) due: u32,
    sweep: Sample,
    /// Small nodes that sweeps are to visit before the next one that is timed.
    pub(crate) left: u32,
    /// Of batches of loops over small values one in `BATCHES` is timed.
    batches: Sample,
}

const BATCHES: u32 = 8;

const RECENT: usize = 64;

impl Profiler {
    /// Starts at a record's length.
    pub(crate) fn new(len: u32) -> Self {
        let (forward, sweep) = (Sample::new(), Sample::new());
        Profiler {
            since: Instant::now(),
            clock: clock(),
            cells: Vec::new(),
            numbers: Map::default(),
            recent: [u32::MAX; RECENT],
            counted: len,
            due: len + forward.gap - 1,
            forward,
            left: sweep.gap - 1,
            sweep,
            batches: Sample::new(),
        }
    }

    /// The cell of an op and a place.
    #[inline]
    pub(crate) fn cell(&mut self, tag: Tag, site: u32) -> &mut Cell {
        let slot = (site.wrapping_mul(7) ^ tag as u32) as usize % RECENT;
        let mut number = self.recent[slot] as usize;
        if self
            .cells
            .get(number)
            .is_none_or(|cell| cell.tag != tag || cell.site != site)
        {
            number = self.find(tag, site);
            self.recent[slot] = number as u32;
        }
        &mut self.cells[number]
    }

    #[cold]
    fn find(&mut self, tag: Tag, site: u32) -> usize {
        self.find_named(tag, None, site)
    }

    fn find_named(
        &mut self,
        tag: Tag,
        custom: Option<&'static str>,
        site: u32,
    ) -> usize {
        let cells = &mut self.cells;
        let name = custom.map_or(0, |name| name.as_ptr().addr());
        let number =
            self.numbers.entry((tag as u32, site, name)).or_insert_with(|| {
                let (forward, sweep) = (Duration::ZERO, Duration::ZERO);
                cells.push(Cell {
                    tag,
                    custom,
                    site,
                    count: 0,
                    bytes: 0,
                    forward,
                    sweep,
                });
                cells.len() as u32 - 1
            });
        *number as usize
    }

    /// Counts a node of a user's op.
    pub(crate) fn count_custom(
        &mut self,
        tag: Tag,
        name: &'static str,
        site: u32,
        bytes: u64,
    ) {
        let number = self.find_named(tag, Some(name), site);
        let cell = &mut self.cells[number];
        cell.count += 1;
        cell.bytes += bytes;
    }

    /// The time since `started`, without what looking at the clock took.
    fn since(&self, started: Instant) -> Duration {
        started.elapsed().saturating_sub(self.clock)
    }

    /// Notes the time of a heavy node of the forward pass, which is not waited for.
    pub(crate) fn note_heavy(&mut self, tag: Tag, site: u32, started: Instant) {
        let time = self.since(started);
        self.cell(tag, site).forward += time;
        self.due = self.due.saturating_add(1);
    }

    /// Notes the time of the small node that was due, the last of `nodes` that one call
    /// appended, and chooses the next one from `len` on.
    pub(crate) fn note_due(
        &mut self,
        (tag, site): (Tag, u32),
        started: Instant,
        nodes: u32,
        len: u32,
    ) {
        let time = self.since(started) * self.forward.gap / nodes;
        self.cell(tag, site).forward += time;
        self.due = len.saturating_add(self.forward.advance() - 1);
    }

    /// Notes the time of a heavy node's rule in a sweep.
    pub(crate) fn note_heavy_rule(&mut self, tag: Tag, site: u32, started: Instant) {
        let time = self.since(started);
        self.cell(tag, site).sweep += time;
    }

    /// How many batches of small loops the next one stands for, if it is to be timed.
    pub(crate) fn next_batch(&mut self) -> Option<u32> {
        self.batches.advance().is_multiple_of(BATCHES).then_some(BATCHES)
    }

    /// Notes what a loop took that ran together with others.
    pub(crate) fn note_batched_rule(&mut self, tag: Tag, site: u32, time: Duration) {
        self.cell(tag, site).sweep += time;
    }

    /// Notes the time of the small node's rule that was due, and chooses the next one.
    pub(crate) fn note_due_rule(&mut self, tag: Tag, site: u32, started: Instant) {
        let time = self.since(started) * self.sweep.gap;
        self.cell(tag, site).sweep += time;
        self.left = self.sweep.advance() - 1;
    }

    /// All that was found so far, and how long it is since the start.
    pub(crate) fn report(&self) -> (Vec<Cell>, Duration) {
        (self.cells.clone(), self.since.elapsed())
    }
}

/// The time, from a clock that was looked at just before: the first look after a while
/// is slow.
#[inline]
pub(crate) fn now() -> Instant {
    let _ = Instant::now();
    Instant::now()
}

/// What a look at the clock takes: the shortest of several.
fn clock() -> Duration {
    (0..32).map(|_| now().elapsed()).min().unwrap_or_default()
}

/// What a record's engine did between [`ComputationRecord::start_profile`] and
/// [`ComputationRecord::stop_profile`]: its `Display` is a table.
///
/// Counts and bytes are exact. Times are those of the engine alone; of small nodes one in
/// about 1,024 is timed, so the times of few small nodes are rough.
///
/// [`ComputationRecord::start_profile`]: crate::ComputationRecord::start_profile
/// [`ComputationRecord::stop_profile`]: crate::ComputationRecord::stop_profile
#[derive(Clone, Debug)]
pub struct Profile {
    /// The time from start to stop, the program's own included.
    pub wall: Duration,
    /// By op, those that took longest first.
    pub ops: Vec<ProfileEntry>,
    /// By the source line that recorded the nodes, in the same order.
    pub lines: Vec<ProfileEntry>,
}

/// What an op, or a source line, took.
#[derive(Clone, Debug, Default)]
pub struct ProfileEntry {
    /// The op, or the line.
    pub name: String,
    /// The nodes that were recorded.
    pub count: u64,
    /// The bytes of their values. A view has none of its own.
    pub bytes: u64,
    /// The time to record and evaluate them.
    pub forward: Duration,
    /// The time of their rules in sweeps.
    pub sweep: Duration,
}

impl ProfileEntry {
    fn time(&self) -> Duration {
        self.forward + self.sweep
    }
}

impl Profile {
    pub(crate) fn new(
        (cells, wall): &(Vec<Cell>, Duration),
        line: impl Fn(u32) -> String,
    ) -> Self {
        let ops = merged(cells, Cell::name);
        let lines = merged(cells, |cell| line(cell.site));
        Profile { wall: *wall, ops, lines }
    }
}

/// The sums of cells of the same name, the longest time first.
fn merged(cells: &[Cell], name: impl Fn(&Cell) -> String) -> Vec<ProfileEntry> {
    let mut entries: BTreeMap<String, ProfileEntry> = BTreeMap::new();
    for cell in cells {
        let entry = entries.entry(name(cell)).or_default();
        entry.count += cell.count;
        entry.bytes += cell.bytes;
        entry.forward += cell.forward;
        entry.sweep += cell.sweep;
    }
    let named = entries.into_iter().map(|(name, entry)| ProfileEntry { name, ..entry });
    let mut entries: Vec<ProfileEntry> = named.collect();
    entries.sort_by_key(|entry| {
        std::cmp::Reverse((entry.time(), entry.bytes, entry.count))
    });
    entries
}

/// A table by op and one by line.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: u64 = self.ops.iter().map(|entry| entry.count).sum();
        let engine: Duration = self.ops.iter().map(ProfileEntry::time).sum();
        let plural = if nodes == 1 { "" } else { "s" };
        write!(f, "profile: {nodes} node{plural}, ")?;
        write!(f, "{} of {} in the engine", time(engine), time(self.wall))?;
        for (title, entries) in [("op", &self.ops), ("line", &self.lines)] {
            f.write_str("\n")?;
            f.write_str(&table(title, entries, engine))?;
        }
        Ok(())
    }
}

fn table(title: &str, entries: &[ProfileEntry], engine: Duration) -> String {
    let header = [title, "nodes", "bytes", "forward", "sweep", "share"];
    let mut rows: Vec<[String; 6]> = vec![header.map(String::from)];
    for entry in entries.iter().take(SHOWN) {
        let share = entry.time().as_secs_f64() / engine.as_secs_f64().max(1e-9);
        rows.push([
            entry.name.clone(),
            entry.count.to_string(),
            bytes(entry.bytes),
            time(entry.forward),
            time(entry.sweep),
            format!("{:.1} %", 100.0 * share),
        ]);
    }
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let (name, numbers) = row.split_first().expect("a row has cells");
        let _ = write!(text, "\n  {name:width$}", width = widths[0]);
        for (cell, width) in numbers.iter().zip(&widths[1..]) {
            let _ = write!(text, "  {cell:>width$}");
        }
    }
    if entries.len() > SHOWN {
        let _ = write!(text, "\n  ... {} more", entries.len() - SHOWN);
    }
    text
}

/// A time in three digits or so.
fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} µs", s * 1e6),
    }
}

fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] =
        [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.into_iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / size as f64),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_loop_keeps_in_step_with_the_sample() {
        for len in 1..=64_u32 {
            let mut hits = vec![0.0_f64; len as usize];
            let (mut sample, mut at) = (Sample::new(), 0);
            for _ in 0..4000 * len {
                at = (at + sample.advance()) % len;
                hits[at as usize] += 1.0;
            }
            let off = hits.iter().map(|hits| (hits / 4000.0 - 1.0).abs());
            let worst = off.fold(0.0, f64::max);
            assert!(worst < 0.1, "a loop of {len}: {worst}");
        }
    }

    #[test]
    fn entries_are_merged_and_the_longest_come_first() {
        let cell = |tag, site, count, micros| Cell {
            tag,
            custom: None,
            site,
            count,
            bytes: 1024 * count,
            forward: Duration::from_micros(micros),
            sweep: Duration::from_micros(2 * micros),
        };
        let cells = vec![
            cell(Tag::Add, 1, 1, 1),
            cell(Tag::Exp, 1, 2, 8),
            cell(Tag::Add, 2, 3, 1),
        ];
        let wall = Duration::from_millis(2);
        let profile = Profile::new(&(cells, wall), |site| format!("train.py:{site}"));
        assert_eq!(
            profile.to_string(),
            "profile: 6 nodes, 30.0 µs of 2.00 ms in the engine\n\
             \n  op   nodes    bytes  forward    sweep   share\
             \n  exp      2  2.0 KiB   8.0 µs  16.0 µs  80.0 %\
             \n  add      4  4.0 KiB   2.0 µs   4.0 µs  20.0 %\n\
             \n  line        nodes    bytes  forward    sweep   share\
             \n  train.py:1      3  3.0 KiB   9.0 µs  18.0 µs  90.0 %\
             \n  train.py:2      3  3.0 KiB   1.0 µs   2.0 µs  10.0 %"
        );
    }
}
