//! The columns of a record: one row a node, in chunks that never move.
//!
//! The first chunk has 64 rows, each next one twice as many up to 2¹⁶, so a small record
//! is cheap and a large one wastes little. A chunk is one block of the buffer pool that
//! holds its columns one behind the other.

use crate::array::buffer::Buffer;

const FIRST: u32 = 64;
const LARGEST: u32 = 1 << 16;
/// Chunks of growing size, and the rows that they hold together with `FIRST` more.
const GROWING: u32 = LARGEST.ilog2() - FIRST.ilog2() + 1;
const GROWN: u32 = FIRST << GROWING;

/// Bytes of a row over all columns.
pub(crate) const ROW_BYTES: usize = 8 + 5 * 4 + 1;

/// The most rows of a record: operands keep the top bit for numbers.
pub(crate) const MAX_ROWS: u32 = 1 << 31;

/// The number of an alias that there never is.
const NO_ALIAS: u64 = u64::MAX;

/// One node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The value itself, an address, or a number of an alias: see `Flags::STORAGE`.
    pub(crate) slot: u64,
    /// The first operand, or the position of the list of operands.
    pub(crate) lhs: u32,
    /// The second operand, or the length of the list.
    pub(crate) rhs: u32,
    /// The number of the interned type.
    pub(crate) ty: u32,
    /// The number of the op: a tag, or beyond the tags an interned op.
    pub(crate) op: u32,
    /// The number of the place in the user's source.
    pub(crate) site: u32,
    pub(crate) flags: Flags,
}

impl Row {
    /// Whether the row has no value any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.flags.says_empty(self.slot)
    }
}

/// What a node is, in one byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    /// The value is the slot itself.
    pub(crate) const WORD: u8 = 0;
    /// The slot is an address within the record's small memory.
    pub(crate) const SMALL: u8 = 1;
    /// The slot is the address of a buffer that the node holds.
    pub(crate) const BUFFER: u8 = 2;
    /// The slot is the number of an alias.
    pub(crate) const ALIAS: u8 = 3;
    /// The bits that say where the value is.
    pub(crate) const STORAGE: u8 = 3;
    /// The node depends on a leaf that has a gradient.
    pub(crate) const ACTIVE: u8 = 4;
    /// The node is itself such a leaf.
    pub(crate) const LEAF: u8 = 8;
    /// The node is a gradient that was taken without being recorded.
    pub(crate) const GRADIENT: u8 = 16;
    /// Operands are a list elsewhere.
    pub(crate) const LIST: u8 = 32;
    /// The value stays: a rule reads it, or more than one handle leads to it.
    pub(crate) const KEPT: u8 = 64;

    #[inline]
    pub(crate) fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    #[inline]
    pub(crate) fn storage(self) -> u8 {
        self.0 & Flags::STORAGE
    }

    /// Whether a row with this slot has no value any more.
    #[inline]
    pub(crate) fn says_empty(self, slot: u64) -> bool {
        self.storage() == Flags::ALIAS && slot == NO_ALIAS
    }
}

/// The rows of a record.
#[derive(Default)]
pub(crate) struct Rows {
    chunks: Vec<Chunk>,
    len: u32,
    /// Where the next row goes, so that appending need not look for it.
    end: End,
}

struct Chunk {
    first: *mut u8,
    rows: usize,
    /// The number of its first row.
    start: u32,
    /// Keeps the memory at `first`.
    _buffer: Buffer,
}

impl Chunk {
    /// All cells of one of its committed rows.
    #[inline(always)]
    fn get(&self, row: u32) -> Row {
        let &Chunk { first, rows, start, .. } = self;
        let k = (row - start) as usize;
        debug_assert!(k < rows);
        // SAFETY: `k` is below `rows`, so each cell is within its column, and
        // committed rows are initialised.
        unsafe {
            Row {
                slot: first.cast::<u64>().add(k).read(),
                lhs: first.add(8 * rows).cast::<u32>().add(k).read(),
                rhs: first.add(12 * rows).cast::<u32>().add(k).read(),
                ty: first.add(16 * rows).cast::<u32>().add(k).read(),
                op: first.add(20 * rows).cast::<u32>().add(k).read(),
                site: first.add(24 * rows).cast::<u32>().add(k).read(),
                flags: Flags(first.add(28 * rows).add(k).read()),
            }
        }
    }
}

/// A chunk: the operands of most of its rows lie there, too.
#[derive(Clone, Copy)]
pub(crate) struct Near<'a> {
    rows: &'a Rows,
    chunk: &'a Chunk,
}

impl Near<'_> {
    /// Goes to the chunk of a row that lies before the end of this one.
    #[inline(always)]
    pub(crate) fn go_to(&mut self, row: u32) {
        if row < self.chunk.start {
            *self = self.rows.near(row);
        }
    }

    /// All cells of a row that lies before the end of the chunk.
    #[inline(always)]
    pub(crate) fn get(mut self, row: u32) -> Row {
        self.go_to(row);
        self.chunk.get(row)
    }
}

/// The cell after the last row: row `k` of the chunk of `rows` at `first`. With `k` equal
/// to `rows` the next row needs another chunk.
struct End {
    first: *mut u8,
    rows: usize,
    k: usize,
}

impl Default for End {
    fn default() -> Self {
        End { first: std::ptr::null_mut(), rows: 0, k: 0 }
    }
}

macro_rules! columns {
    ($($name:ident: $t:ty, $offset:literal;)*) => { $(
        #[inline]
        pub(crate) fn $name(&self, row: u32) -> $t {
            // SAFETY: `cell` is within the row's column, and committed rows are
            // initialised.
            unsafe { self.cell::<$t>(row, $offset).read() }
        }
    )* };
}

impl Rows {
    /// The number of nodes.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    columns! {
        slot: u64, 0;
        lhs: u32, 8;
        rhs: u32, 12;
        ty: u32, 16;
        op: u32, 20;
        site: u32, 24;
    }

    #[inline]
    pub(crate) fn flags(&self, row: u32) -> Flags {
        // SAFETY: as in `columns!`.
        Flags(unsafe { self.cell::<u8>(row, 28).read() })
    }

    /// All cells of a row, found once. Inlined, so that what is not used is not read.
    #[inline(always)]
    pub(crate) fn get(&self, row: u32) -> Row {
        self.locate(row).0.get(row)
    }

    /// Calls `f` with the op, place, type, flags and slot of each row from the given one on.
    #[inline(always)]
    pub(crate) fn for_each_from(
        &self,
        mut row: u32,
        mut f: impl FnMut([u32; 3], Flags, u64),
    ) {
        while row < self.len {
            let (&Chunk { first, rows, start, .. }, k) = self.locate(row);
            let end = self.len.min(start + rows as u32);
            let count = (end - row) as usize;
            // As slices, so that nothing but their elements is computed for each row.
            // SAFETY: these are the cells of `count` committed rows in each column.
            unsafe {
                let words = |offset: usize| {
                    let column = first.add(rows * offset).cast::<u32>();
                    std::slice::from_raw_parts(column.add(k), count)
                };
                let slots =
                    std::slice::from_raw_parts(first.cast::<u64>().add(k), count);
                let flags = std::slice::from_raw_parts(first.add(28 * rows + k), count);
                let words = words(20).iter().zip(words(24)).zip(words(16));
                for (((&op, &site), &ty), (&flags, &slot)) in
                    words.zip(flags.iter().zip(slots))
                {
                    f([op, site, ty], Flags(flags), slot);
                }
            }
            row = end;
        }
    }

    /// The chunk of a committed row, to look for that row and its operands.
    #[inline(always)]
    pub(crate) fn near(&self, row: u32) -> Near<'_> {
        Near { rows: self, chunk: self.locate(row).0 }
    }

    /// Marks a row's value as one that stays.
    pub(crate) fn keep_value(&mut self, row: u32) {
        let flags = self.flags(row).0 | Flags::KEPT;
        // SAFETY: as in `columns!`, and nothing else reads while `self` is borrowed.
        unsafe { self.cell::<u8>(row, 28).write(flags) };
    }

    /// Gives a row that has no value one in a buffer that it holds.
    pub(crate) fn put_buffer(&mut self, row: u32, data: *mut u8) {
        let flags = self.flags(row).0 & !Flags::STORAGE | Flags::BUFFER | Flags::KEPT;
        // SAFETY: as above.
        unsafe {
            self.cell::<u64>(row, 0).write(data.addr() as u64);
            self.cell::<u8>(row, 28).write(flags);
        }
    }

    /// Leaves a row without a value. To look for one is an index out of bounds: its
    /// slot is the number of an alias that there never is.
    pub(crate) fn forget_value(&mut self, row: u32) {
        let flags = self.flags(row).0 & !Flags::STORAGE | Flags::ALIAS;
        // SAFETY: as above.
        unsafe {
            self.cell::<u64>(row, 0).write(NO_ALIAS);
            self.cell::<u8>(row, 28).write(flags);
        }
    }

    /// The address of a row's slot. It stays until the row is truncated away.
    #[inline]
    pub(crate) fn slot_address(&self, row: u32) -> *mut u64 {
        self.cell::<u64>(row, 0)
    }

    /// The chunk of a committed row, and the row's position in it.
    #[inline(always)]
    fn locate(&self, row: u32) -> (&Chunk, usize) {
        debug_assert!(row < self.len, "row {row} of {}", self.len);
        // SAFETY: there are chunks for all committed rows.
        let chunk = unsafe { self.chunks.get_unchecked(chunk_of(row)) };
        let k = (row - chunk.start) as usize;
        debug_assert!(k < chunk.rows);
        (chunk, k)
    }

    /// A row's cell in the column whose cells start at `offset` bytes a row.
    #[inline]
    fn cell<T>(&self, row: u32, offset: usize) -> *mut T {
        let (chunk, k) = self.locate(row);
        // SAFETY: the column starts after the columns before it, all of `rows` cells.
        unsafe { chunk.first.add(chunk.rows * offset).cast::<T>().add(k) }
    }

    /// Makes room for one more row; `None` if there is no memory or the record is full.
    #[inline]
    pub(crate) fn reserve(&mut self) -> Option<()> {
        if self.end.k < self.end.rows { Some(()) } else { self.open() }
    }

    /// Goes on in the next chunk, which is made if it is not there from before.
    #[cold]
    fn open(&mut self) -> Option<()> {
        let chunk = chunk_of(self.len);
        if chunk == self.chunks.len() {
            if self.len >= MAX_ROWS {
                return None;
            }
            let rows = (FIRST as usize) << chunk.min((GROWING - 1) as usize);
            let buffer = Buffer::try_new(rows * ROW_BYTES)?;
            self.chunks.try_reserve(1).ok()?;
            let (first, start) = (buffer.data(), self.len);
            self.chunks.push(Chunk { first, rows, start, _buffer: buffer });
        }
        self.end_at(self.len);
        Some(())
    }

    /// Puts the end at a row of a chunk that is there.
    fn end_at(&mut self, row: u32) {
        let Chunk { first, rows, start, .. } = self.chunks[chunk_of(row)];
        self.end = End { first, rows, k: (row - start) as usize };
    }

    /// The address of the slot of the next row, for which `reserve` made room.
    #[inline]
    pub(crate) fn next_slot(&self) -> *mut u64 {
        debug_assert!(self.end.k < self.end.rows);
        // SAFETY: `k` is below `rows`, and the slots are the first column.
        unsafe { self.end.first.cast::<u64>().add(self.end.k) }
    }

    /// Appends a row, for which `reserve` made room. Inlined, so that the row is never built
    /// in memory.
    #[inline(always)]
    pub(crate) fn push(&mut self, row: Row) {
        let End { first, rows, k } = self.end;
        debug_assert!(k < rows);
        // SAFETY: `k` is below `rows`, so each cell is within its column.
        unsafe {
            first.cast::<u64>().add(k).write(row.slot);
            first.add(8 * rows).cast::<u32>().add(k).write(row.lhs);
            first.add(12 * rows).cast::<u32>().add(k).write(row.rhs);
            first.add(16 * rows).cast::<u32>().add(k).write(row.ty);
            first.add(20 * rows).cast::<u32>().add(k).write(row.op);
            first.add(24 * rows).cast::<u32>().add(k).write(row.site);
            first.add(28 * rows).add(k).write(row.flags.0);
        }
        self.end.k = k + 1;
        self.len += 1;
    }

    /// Drops the rows from `len` on. Chunks are kept for the next rows.
    pub(crate) fn truncate(&mut self, len: u32) {
        if len >= self.len {
            return;
        }
        self.len = len;
        self.end_at(len);
    }

    /// Bytes of all chunks.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.rows * ROW_BYTES).sum()
    }
}

/// The chunk of a row.
#[inline(always)]
fn chunk_of(row: u32) -> usize {
    let shifted = row + FIRST;
    let chunk = if shifted < GROWN {
        shifted.ilog2() - FIRST.ilog2()
    } else {
        GROWING + (shifted - GROWN) / LARGEST
    };
    chunk as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fill_chunk_after_chunk_without_gaps() {
        let (mut chunk, mut k) = (0, 0);
        for row in 0..400_000 {
            if k == FIRST as usize * (1 << chunk.min(10)) {
                (chunk, k) = (chunk + 1, 0);
            }
            assert_eq!(chunk_of(row), chunk, "row {row}");
            k += 1;
        }
    }

    #[test]
    fn cells_keep_their_values_and_addresses() {
        let mut rows = Rows::default();
        let row = |i: u32| Row {
            slot: u64::from(i) << 32,
            lhs: i,
            rhs: i + 1,
            ty: i + 2,
            op: i + 3,
            site: i + 4,
            flags: Flags((i % 64) as u8),
        };
        rows.reserve().unwrap();
        let address = rows.next_slot();
        for i in 0..1000 {
            rows.reserve().unwrap();
            rows.push(row(i));
        }
        for i in 0..1000 {
            assert_eq!(rows.slot(i), u64::from(i) << 32);
            assert_eq!([rows.lhs(i), rows.rhs(i), rows.ty(i)], [i, i + 1, i + 2]);
            assert_eq!([rows.op(i), rows.site(i)], [i + 3, i + 4]);
            assert_eq!(rows.flags(i), Flags((i % 64) as u8));
        }
        assert_eq!(rows.slot_address(0), address);
        let mut seen = Vec::new();
        rows.for_each_from(50, |words, flags, slot| seen.push((words, flags, slot)));
        let wanted = (50..1000).map(|i| {
            let row = rows.get(i);
            ([row.op, row.site, row.ty], row.flags, row.slot)
        });
        assert!(seen.into_iter().eq(wanted));
        rows.truncate(10);
        assert_eq!(rows.len(), 10);
    }
}
