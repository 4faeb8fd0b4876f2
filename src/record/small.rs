//! Memory for small values: handed out in order, taken back by going back.

use crate::array::buffer::{ALIGN, Buffer};

const FIRST: usize = 4 << 10;
const LARGEST: usize = 1 << 20;

/// Values up to this many bytes live here; larger ones have buffers of their own.
pub(crate) const SMALL_BYTES: usize = 1 << 10;

/// A bump allocator over blocks that never move.
#[derive(Default)]
pub(crate) struct Small {
    blocks: Vec<Buffer>,
    next: Position,
}

/// How much had been handed out at some time.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Position {
    block: usize,
    offset: usize,
}

impl Small {
    /// Room for `bytes`, at most `SMALL_BYTES`; `None` if there is no memory.
    #[inline]
    pub(crate) fn allocate(&mut self, bytes: usize) -> Option<*mut u8> {
        debug_assert!(bytes <= SMALL_BYTES);
        // A value of a cache line or more starts on one; shorter ones stay close.
        let align = if bytes >= ALIGN { ALIGN } else { 16 };
        let offset = (self.next.offset + align - 1) & !(align - 1);
        match self.blocks.get(self.next.block) {
            Some(block) if offset + bytes <= block.capacity() => {
                self.next.offset = offset + bytes;
                // SAFETY: the range lies within the block.
                Some(unsafe { block.data().add(offset) })
            }
            block => {
                let next = self.next.block + usize::from(block.is_some());
                self.open(next, bytes)
            }
        }
    }

    #[cold]
    fn open(&mut self, block: usize, bytes: usize) -> Option<*mut u8> {
        if block == self.blocks.len() {
            let size = LARGEST.min(FIRST << block.min(8));
            self.blocks.push(Buffer::try_new(size)?);
        }
        self.next = Position { block, offset: bytes };
        Some(self.blocks[block].data())
    }

    /// What has been handed out so far.
    pub(crate) fn position(&self) -> Position {
        self.next
    }

    /// Takes back all that was handed out after `position`.
    pub(crate) fn go_back(&mut self, position: Position) {
        debug_assert!(position <= self.next);
        self.next = position;
    }

    /// Bytes of all blocks.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.iter().map(Buffer::capacity).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_aligned_disjoint_and_reused_after_going_back() {
        let mut small = Small::default();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        let start = small.position();
        for k in 0..2000 {
            let bytes = 1 + (k * 37) % SMALL_BYTES;
            let address = small.allocate(bytes).unwrap().addr();
            assert_eq!(address % if bytes >= ALIGN { ALIGN } else { 16 }, 0);
            taken.push((address, address + bytes));
        }
        let first = taken[0].0;
        taken.sort_unstable();
        assert!(taken.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        let held = small.bytes();
        small.go_back(start);
        assert_eq!(small.allocate(8).unwrap().addr(), first);
        assert_eq!(small.bytes(), held);
    }
}
