//! How long calls take, and so whether the interpreter is released.

use crate::array::NdArray;
use crate::record::Arena;

/// Bytes of an operand above which work counts as long: about 20 microseconds.
pub(super) const LONG: usize = 128 << 10;
/// The same for the product of the bytes of two operands of different shapes, which may
/// be as many times more as the result has elements.
const LONG_PRODUCT: usize = 1 << 25;

/// How long work will take: for long work the interpreter is released.
#[derive(Clone, Copy)]
pub(super) enum Work {
    Short,
    Long,
    /// As long as the larger of two nodes makes it.
    OnNodes([u32; 2]),
    /// A sweep over the record.
    OnRecord,
}

impl Work {
    /// The work of an op on an array.
    pub(super) fn on_array(array: &NdArray) -> Self {
        let long = array.len() * array.dtype().size() > LONG;
        if long { Work::Long } else { Work::Short }
    }

    /// The same, and that of an op on a node.
    pub(super) fn and(self, node: u32) -> Self {
        match self {
            Work::Short => Work::OnNodes([node; 2]),
            Work::OnNodes([first, _]) => Work::OnNodes([first, node]),
            long => long,
        }
    }

    #[inline]
    pub(super) fn is_long(self, arena: &Arena) -> bool {
        match self {
            Work::Short => false,
            Work::Long => true,
            Work::OnNodes([a, b]) => {
                let (x, y) = (arena.large_bytes(a), arena.large_bytes(b));
                x.max(y) > LONG
                    || x.saturating_mul(y) > LONG_PRODUCT
                        && arena.type_number(a) != arena.type_number(b)
            }
            Work::OnRecord => arena.len() > 200 || arena.bytes() > LONG,
        }
    }
}
