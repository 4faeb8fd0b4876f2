//! Elementwise loops over the same elements, run part by part: all of them over the first
//! few, then all over the next. What one loop writes is in the first cache when another
//! reads it, and what comes from memory was asked for a part before.

mod add;
#[cfg(test)]
mod tests;

use super::map::Mode;
use super::threads::{evenly, for_each_tile, tile_size};
use crate::array::buffer::Buffer;
use crate::dtype::DType;
use crate::error::Result;
pub(crate) use add::{add, add_product};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Bytes of an operand that a loop runs over at once: several operands stay in the first
/// cache.
const PART: usize = tile_size(4096, 256);
/// Bytes of an operand that a tile runs over.
const TILE: usize = tile_size(64 << 10, 1024);
/// Loops of a batch. The parts of all their operands, and the next, stay in the second cache.
const MOST: usize = tile_size(64, 8);
/// Of so many parts the loops of one are timed: to look at the clock takes as long as a fifth
/// of a loop.
const TIMED: usize = 64;
/// Bytes of a cache line.
const LINE: usize = 64;

/// Writes or adds what a rule computes of elements that lie flat: up to four operands, the
/// results, their number. The first number chooses among an op's loops.
///
/// # Safety
/// Each address of an operand that the loop reads leads to as many elements of the type, and
/// that of the results to room for them: elsewhere, unless the mode is to overwrite;
/// initialised, if they are added to.
pub(crate) type Run = unsafe fn(usize, DType, [*const u8; 4], *mut u8, usize, Mode);

/// An operand of a loop that is put off.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// The address of the first element.
    Elements(*const u8),
    /// A number, by its bits in the type of the elements.
    Number(u64),
    /// What the loop does not read.
    Unread,
}

/// The same, with the place of a number in the batch.
#[derive(Clone, Copy)]
enum Operand {
    Elements(*const u8),
    Number(usize),
    Unread,
}

/// A loop that is put off.
#[derive(Clone, Copy)]
struct Loop {
    /// The loop and its first argument.
    run: (Run, usize),
    x: [Operand; 4],
    out: *mut u8,
    mode: Mode,
    /// Whose loop it is.
    owner: u32,
}

/// Room for a part of an operand: a number again and again, or results.
#[repr(align(64))]
struct Room(UnsafeCell<[MaybeUninit<u64>; PART / 8]>);

impl Room {
    const fn new(word: MaybeUninit<u64>) -> Room {
        Room(UnsafeCell::new([word; PART / 8]))
    }

    fn first(&self) -> *mut u8 {
        self.0.get().cast()
    }
}

/// Loops that are put off, over elements of one type and number.
#[derive(Default)]
pub(crate) struct Batch {
    extent: Option<(DType, usize)>,
    loops: Vec<Loop>,
    /// Where the operands begin, in the order in which the loops come to them.
    streams: Vec<*const u8>,
    numbers: Vec<Room>,
    /// Memory that only the loops use.
    held: Vec<Buffer>,
    /// Whose loops come next.
    pub(crate) owner: u32,
}

// SAFETY: whoever puts a loop off vouches for the memory behind its addresses.
unsafe impl Send for Batch {}
// SAFETY: as above; a shared batch is only read.
unsafe impl Sync for Batch {}

impl Batch {
    /// Whether loops over so many elements of a type can be put off with the others.
    #[inline]
    pub(crate) fn takes(&self, dtype: DType, len: usize) -> bool {
        self.loops.len() < MOST
            && self.extent.is_none_or(|extent| extent == (dtype, len))
    }

    /// Puts a loop off.
    ///
    /// # Safety
    /// The batch takes loops over `len` elements of `dtype`, which read the first operand.
    /// Until it has run, all memory stays and is used through its loops alone; and
    /// where two of them use the same memory, their elements begin at the same address.
    pub(crate) unsafe fn put_off(
        &mut self,
        (dtype, len): (DType, usize),
        run: (Run, usize),
        x: [Source; 4],
        out: *mut u8,
        mode: Mode,
    ) {
        self.extent = Some((dtype, len));
        let x = x.map(|source| match source {
            Source::Elements(first) => {
                self.note(first);
                Operand::Elements(first)
            }
            Source::Number(word) => {
                let word = if dtype == DType::F32 { word << 32 | word } else { word };
                self.numbers.push(Room::new(MaybeUninit::new(word)));
                Operand::Number(self.numbers.len() - 1)
            }
            Source::Unread => Operand::Unread,
        });
        self.note(out);
        self.loops.push(Loop { run, x, out, mode, owner: self.owner });
    }

    /// Notes an operand.
    fn note(&mut self, first: *const u8) {
        if !self.streams.contains(&first) {
            self.streams.push(first);
        }
    }

    /// Keeps memory that the loops use until they have run.
    pub(crate) fn hold(&mut self, buffer: Buffer) {
        if !self.loops.is_empty() {
            self.held.push(buffer);
        }
    }

    /// Memory of the same size that a further loop may write to: only loops before it use it.
    pub(crate) fn take_held(&mut self) -> Option<Buffer> {
        let k = self.held.iter().position(Buffer::is_unique)?;
        Some(self.held.swap_remove(k))
    }

    /// Forgets the loops.
    pub(crate) fn clear(&mut self) {
        self.extent = None;
        self.loops.clear();
        self.streams.clear();
        self.numbers.clear();
        self.held.clear();
    }

    /// Runs the loops, and forgets them.
    #[inline]
    pub(crate) fn run(&mut self) -> Result<()> {
        match self.extent {
            None => Ok(()),
            Some((dtype, len)) => {
                let result = self.run_tiles(dtype, len, None);
                self.clear();
                result
            }
        }
    }

    /// Bytes of an operand.
    pub(crate) fn bytes(&self) -> usize {
        self.extent.map_or(0, |(dtype, len)| len * dtype.size())
    }

    /// As `run`; tells of each loop whose it is and how long it took.
    pub(crate) fn run_timed(
        &mut self,
        mut note: impl FnMut(u32, Duration),
    ) -> Result<()> {
        let Some((dtype, len)) = self.extent else { return Ok(()) };
        let times: Vec<_> = self.loops.iter().map(|_| AtomicU64::new(0)).collect();
        let started = Instant::now();
        let result = self.run_tiles(dtype, len, Some(&times));
        let spent = started.elapsed();
        // Where no part was timed all are taken for alike.
        let times: Vec<_> = times.into_iter().map(|x| x.into_inner().max(1)).collect();
        let all: u64 = times.iter().sum();
        for (each, time) in self.loops.iter().zip(times) {
            note(each.owner, spent.mul_f64(time as f64 / all as f64));
        }
        self.clear();
        result
    }

    /// Runs the loops; adds what some parts of them took to `times`, in nanoseconds.
    fn run_tiles(
        &self,
        dtype: DType,
        len: usize,
        times: Option<&Vec<AtomicU64>>,
    ) -> Result<()> {
        let size = dtype.size();
        let part = PART / size;
        let tile = evenly(len, TILE / size, part);
        let weight = self.loops.len().div_ceil(2);
        for_each_tile(len.div_ceil(tile), weight, |k| {
            let end = len.min((k + 1) * tile);
            for start in (k * tile..end).step_by(part) {
                let bytes = part.min(end - start) * size;
                // Not the first one, which nobody has asked memory for.
                let times = times.filter(|_| start / part % TIMED == 1);
                let part = Part::new(self, start * size, bytes);
                let rest = (len - start) * size - bytes;
                // SAFETY: by the contract of `put_off`; the tiles do not meet.
                unsafe { part.run(dtype, bytes / size, rest.min(PART), times) };
            }
        })
    }
}

/// A run of the loops over some elements.
///
/// Results that overwrite an operand, such as cotangents on their way down a chain, would
/// have to be computed elsewhere and copied. Instead they stay in room that the loops after
/// that find in the first cache, and go to their memory at the end.
struct Part<'a> {
    batch: &'a Batch,
    /// Bytes before the part, and in it.
    offset: usize,
    bytes: usize,
    rooms: [Room; 2],
    /// The operand that is in one of the rooms.
    moved: *mut u8,
    room: usize,
}

impl<'a> Part<'a> {
    fn new(batch: &'a Batch, offset: usize, bytes: usize) -> Part<'a> {
        let rooms = [const { Room::new(MaybeUninit::uninit()) }; 2];
        Part { batch, offset, bytes, rooms, moved: std::ptr::null_mut(), room: 0 }
    }

    /// Runs all loops over `count` elements, and meanwhile asks for so many bytes of each
    /// operand behind them. Adds the nanoseconds that each takes to `times`.
    ///
    /// # Safety
    /// As for `put_off`.
    unsafe fn run(
        mut self,
        dtype: DType,
        count: usize,
        ahead: usize,
        times: Option<&Vec<AtomicU64>>,
    ) {
        let mut last = times.map(|_| Instant::now());
        let Batch { loops, streams, .. } = self.batch;
        let (offset, lines) = (self.offset + self.bytes, ahead.div_ceil(LINE));
        let mut ahead = Ahead { streams, offset, lines, asked: 0 };
        for (k, &Loop { run: (run, slope), x, out, mode, .. }) in
            loops.iter().enumerate()
        {
            ahead.ask(ahead.all() * (k + 1) / loops.len());
            let mut any = std::ptr::null();
            let x = x.map(|operand| match operand {
                Operand::Elements(first) => {
                    any = self.place(first.cast_mut()).cast_const();
                    any
                }
                Operand::Number(k) => {
                    any = self.batch.numbers[k].first().cast_const();
                    any
                }
                // Other elements stand for it.
                Operand::Unread => any,
            });
            // SAFETY: by the contract of `put_off`.
            unsafe {
                if mode == Mode::Overwrite {
                    let to = self.make_room(out);
                    run(slope, dtype, x, to, count, Mode::Write);
                } else {
                    run(slope, dtype, x, self.place(out), count, mode);
                }
            }
            if let (Some(times), Some(last)) = (times, &mut last) {
                let now = Instant::now();
                let time = u64::try_from((now - *last).as_nanos()).unwrap_or(u64::MAX);
                times[k].fetch_add(time, Ordering::Relaxed);
                *last = now;
            }
        }
        // SAFETY: as above.
        unsafe { self.put_back() };
    }

    /// Where the elements of an operand are.
    fn place(&self, first: *mut u8) -> *mut u8 {
        if first == self.moved {
            self.rooms[self.room].first()
        } else {
            first.wrapping_add(self.offset)
        }
    }

    /// Room for elements that take the place of an operand's. What was in the other room
    /// stays there for one more loop.
    ///
    /// # Safety
    /// As for `put_off`.
    unsafe fn make_room(&mut self, out: *mut u8) -> *mut u8 {
        if out != self.moved {
            // SAFETY: by the contract of this function.
            unsafe { self.put_back() };
        }
        self.moved = out;
        self.room = 1 - self.room;
        self.rooms[self.room].first()
    }

    /// Writes what is in a room to its memory.
    ///
    /// # Safety
    /// As for `put_off`.
    unsafe fn put_back(&self) {
        if !self.moved.is_null() {
            let to = self.moved.wrapping_add(self.offset);
            // SAFETY: by the contract of this function; a loop has filled the room.
            unsafe { to.copy_from_nonoverlapping(self.place(self.moved), self.bytes) };
        }
    }
}

/// What is asked of memory before it is read, a little with each loop: all at once, the
/// requests would have to wait for one another, and the loops for them.
struct Ahead<'a> {
    streams: &'a [*const u8],
    /// Bytes of each stream that come before.
    offset: usize,
    /// Cache lines of each stream to ask for.
    lines: usize,
    /// Lines asked for.
    asked: usize,
}

impl Ahead<'_> {
    /// All lines of all streams.
    fn all(&self) -> usize {
        self.streams.len() * self.lines
    }

    /// Asks for the first lines, up to so many.
    fn ask(&mut self, until: usize) {
        while self.asked < until {
            let (stream, line) = (self.asked / self.lines, self.asked % self.lines);
            let first = self.streams[stream].wrapping_add(self.offset + line * LINE);
            let count = (self.lines - line).min(until - self.asked);
            for k in 0..count {
                prefetch(first.wrapping_add(k * LINE));
            }
            self.asked += count;
        }
    }
}

/// Asks for a cache line to come to the second cache.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch(at: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    // SAFETY: it is a hint, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) };
}

/// The processor's own guesses have to do.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn prefetch(_: *const u8) {}
