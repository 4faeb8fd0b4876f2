//! The short way to a node, which most take: elementwise ops on operands of one float
//! type whose elements lie in C order without gaps. What stands in its way is in
//! [`super::watch`].

use super::{Arena, NONE, NUMBER};
use crate::array::{View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels::batch::Source;
use crate::kernels::map::Mode;
use crate::ops::emit::Arg;
use crate::ops::{Op, PullFlat, SlopeAt, Tier};
use crate::record::intern::{Extent, Types};
use crate::record::rows::{Flags, Near, Row};
use crate::record::small::SMALL_BYTES;
use crate::shape::Type;
use smallvec::smallvec;
use std::mem::MaybeUninit;

/// An operand of a loop over flat elements.
#[derive(Clone, Copy)]
enum Flat {
    Node { first: *const u8, node: u32 },
    Number(Scalar),
}

impl Flat {
    fn operand(self) -> Arg<u32> {
        match self {
            Flat::Node { node, .. } => Arg::Value(node),
            Flat::Number(number) => Arg::Number(number),
        }
    }
}

/// An elementwise node whose operands need no broadcasting, packing or casting.
pub(crate) struct FlatNode {
    /// The operands that are nodes.
    pub(crate) targets: [Option<u32>; 2],
    pub(crate) operands: [Source; 2],
    /// The first element of the node's own value.
    pub(crate) y: Source,
    pub(crate) extent: Extent,
}

/// Room for the elements of a small value.
type Block = [MaybeUninit<u64>; SMALL_BYTES / 8];

/// An elementwise node of small values whose operands need no broadcasting, packing or
/// casting.
pub(crate) struct SmallNode {
    /// The operands that are nodes, and their flags.
    pub(crate) operands: [Option<(u32, Flags)>; 2],
    /// The first elements of the operands, and that of the node's own value.
    pub(crate) firsts: ([*const u8; 2], *const u8),
    pub(crate) extent: Extent,
}

impl SmallNode {
    /// The room for numbers before there are any.
    pub(crate) const NO_NUMBERS: Block =
        [const { MaybeUninit::uninit() }; SMALL_BYTES / 8];
}

impl Arena {
    /// As `apply`, for one operand.
    #[inline]
    pub(crate) fn unary(&mut self, op: &Op, x: u32, site: u32) -> Result<u32> {
        match self.flat_unary::<true>(op, x, site) {
            Some(node) => node,
            None => self.apply(op, smallvec![Arg::Value(x)], site),
        }
    }

    /// As `apply`, for two operands.
    #[inline]
    pub(crate) fn binary(
        &mut self,
        op: &Op,
        a: Arg<u32>,
        b: Arg<u32>,
        site: u32,
    ) -> Result<u32> {
        match self.flat_binary::<true>(op, a, b, site) {
            Some(node) => node,
            None => self.apply(op, smallvec![a, b], site),
        }
    }

    /// As `unary`, if the way is short and the value small; otherwise `None`.
    #[cfg(feature = "python")]
    #[inline(always)]
    pub(crate) fn small_unary(
        &mut self,
        op: &Op,
        x: u32,
        site: u32,
    ) -> Option<Result<u32>> {
        self.flat_unary::<false>(op, x, site)
    }

    /// As `binary`, if the way is short and the value small; otherwise `None`.
    #[cfg(feature = "python")]
    #[inline(always)]
    pub(crate) fn small_binary(
        &mut self,
        op: &Op,
        a: Arg<u32>,
        b: Arg<u32>,
        site: u32,
    ) -> Option<Result<u32>> {
        self.flat_binary::<false>(op, a, b, site)
    }

    /// As `unary`, if the way is short; otherwise `None`. `LARGE` says whether it takes
    /// values that are not small.
    #[inline(always)]
    pub(super) fn flat_unary<const LARGE: bool>(
        &mut self,
        op: &Op,
        x: u32,
        site: u32,
    ) -> Option<Result<u32>> {
        if op.tag().tier() != Tier::Unary || self.len() >= self.detour {
            return None;
        }
        let row = self.rows.get(x);
        if row.ty == Types::scalar(DType::F64) {
            let y = op.word([self.word(x, &row), 0.0]);
            return Some(self.push_word(op, [x, NONE], y, row.flags, site));
        }
        let operand = Flat::Node { first: self.flat(x, &row)?, node: x };
        self.map_flat::<LARGE, _>(op, [operand], row.ty, row.flags, site)
    }

    /// As `binary`, if the way is short; otherwise `None`.
    #[inline(always)]
    pub(super) fn flat_binary<const LARGE: bool>(
        &mut self,
        op: &Op,
        a: Arg<u32>,
        b: Arg<u32>,
        site: u32,
    ) -> Option<Result<u32>> {
        if op.tag().tier() != Tier::Binary || self.len() >= self.detour {
            return None;
        }
        let (x, y) = match (a, b) {
            (Arg::Value(x), Arg::Value(y)) => (x, y),
            (Arg::Value(x), Arg::Number(number)) => {
                return self.with_number::<LARGE>(op, x, number, false, site);
            }
            (Arg::Number(number), Arg::Value(y)) => {
                return self.with_number::<LARGE>(op, y, number, true, site);
            }
            (Arg::Number(_), Arg::Number(_)) => return None,
        };
        let (p, q) = (self.rows.get(x), self.rows.get(y));
        if p.ty != q.ty {
            return None;
        }
        let flags = Flags(p.flags.0 | q.flags.0);
        if p.ty == Types::scalar(DType::F64) {
            let z = op.word([self.word(x, &p), self.word(y, &q)]);
            return Some(self.push_word(op, [x, y], z, flags, site));
        }
        let operands = [
            Flat::Node { first: self.flat(x, &p)?, node: x },
            Flat::Node { first: self.flat(y, &q)?, node: y },
        ];
        self.map_flat::<LARGE, _>(op, operands, p.ty, flags, site)
    }

    /// As `flat_binary` for a node and a number.
    #[inline]
    fn with_number<const LARGE: bool>(
        &mut self,
        op: &Op,
        x: u32,
        number: Scalar,
        reversed: bool,
        site: u32,
    ) -> Option<Result<u32>> {
        let row = self.rows.get(x);
        if row.ty == Types::scalar(DType::F64) {
            let (value, code) = (self.word(x, &row), self.numbers.position(number));
            let (a, b) = (value, number.to_f64());
            let (lhs, rhs) = (x, code | NUMBER);
            let (values, codes) =
                if reversed { ([b, a], [rhs, lhs]) } else { ([a, b], [lhs, rhs]) };
            return Some(self.push_word(op, codes, op.word(values), row.flags, site));
        }
        let node = Flat::Node { first: self.flat(x, &row)?, node: x };
        let number = Flat::Number(number);
        let operands = if reversed { [number, node] } else { [node, number] };
        self.map_flat::<LARGE, _>(op, operands, row.ty, row.flags, site)
    }

    /// The address of a node's first element, if the elements lie in C order without
    /// gaps.
    #[inline]
    fn flat(&self, node: u32, row: &Row) -> Option<*const u8> {
        match row.flags.storage() {
            Flags::SMALL | Flags::BUFFER => Some(row.slot as *const u8),
            Flags::WORD => Some(self.rows.slot_address(node).cast_const().cast()),
            _ => {
                let alias = self.aliases.get(row.slot as usize)?;
                alias.strides.is_none().then_some(alias.first)
            }
        }
    }

    /// As `flat`, of a value that may be gone.
    #[inline]
    fn flat_source(&self, node: u32, row: &Row) -> Option<Source> {
        if row.is_empty() {
            return Some(Source::Unread);
        }
        self.flat(node, row).map(Source::Elements)
    }

    /// The value of a rank-0 `f64` node.
    #[inline(always)]
    pub(crate) fn word(&self, node: u32, row: &Row) -> f64 {
        if row.flags.storage() == Flags::WORD {
            f64::from_bits(row.slot)
        } else {
            self.word_elsewhere(node)
        }
    }

    #[cold]
    fn word_elsewhere(&self, node: u32) -> f64 {
        self.view(node).first_value().to_f64()
    }

    /// An operand, as a row holds it, of a rank-0 `f64` node: its value, and if it is a
    /// node its number and flags. What a row lacks is 0.
    #[inline(always)]
    pub(crate) fn word_operand(
        &self,
        near: Near<'_>,
        code: u32,
    ) -> (f64, Option<(u32, Flags)>) {
        if code & NUMBER == 0 {
            let row = near.get(code);
            (self.word(code, &row), Some((code, row.flags)))
        } else if code == NONE {
            (0.0, None)
        } else {
            (self.numbers.get(code & !NUMBER).to_f64(), None)
        }
    }

    #[inline]
    pub(crate) fn is_active(&self, node: u32) -> bool {
        self.rows.flags(node).has(Flags::ACTIVE)
    }

    /// Appends a rank-0 `f64` node of a differentiable op. `flags` are the operands'.
    #[inline(always)]
    fn push_word(
        &mut self,
        op: &Op,
        [lhs, rhs]: [u32; 2],
        value: f64,
        flags: Flags,
        site: u32,
    ) -> Result<u32> {
        self.reserve_row(op.tag())?;
        let flags = Flags(Flags::WORD | flags.0 & Flags::ACTIVE);
        let (slot, op) = (value.to_bits(), self.ops.number(op));
        let ty = Types::scalar(DType::F64);
        self.rows.push(Row { slot, lhs, rhs, ty, op, site, flags });
        Ok(self.len() - 1)
    }

    /// Appends a node of a differentiable elementwise op whose operands are flat and of
    /// one type, which is the result's; `None` if it is no float type. `flags` are the
    /// operands'. Most nodes take this path, so nothing is looked at twice.
    #[inline(always)]
    fn map_flat<const LARGE: bool, const N: usize>(
        &mut self,
        op: &Op,
        operands: [Flat; N],
        ty: u32,
        flags: Flags,
        site: u32,
    ) -> Option<Result<u32>> {
        let extent = self.types.extent(ty);
        if !extent.dtype.is_float() {
            return None;
        }
        let computed = if extent.bytes <= SMALL_BYTES {
            self.map_small(op, &operands, ty, extent)
        } else if LARGE {
            let started = self.start_if_heavy(ty, &[]);
            let computed = self.map_large(op, &operands, ty);
            if let Some(started) = started {
                self.note_heavy(op.tag(), site, started);
            }
            computed
        } else {
            return None;
        };
        let (slot, storage) = match computed {
            Ok(value) => value,
            Err(error) => return Some(Err(error)),
        };
        let mut kept = 0;
        if LARGE && extent.bytes > SMALL_BYTES {
            kept = self.keep_for_rule(op.tag(), &operands.map(Flat::operand), storage);
        }
        let mut codes = [NONE; 2];
        for (code, operand) in codes.iter_mut().zip(operands) {
            *code = match operand {
                Flat::Node { node, .. } => node,
                Flat::Number(number) => self.numbers.position(number) | NUMBER,
            };
        }
        let flags = Flags(storage | flags.0 & Flags::ACTIVE | kept);
        let ([lhs, rhs], op) = (codes, self.ops.number(op));
        self.rows.push(Row { slot, lhs, rhs, ty, op, site, flags });
        Some(Ok(self.len() - 1))
    }

    /// Computes a value of at most `SMALL_BYTES`, in one loop over what lies flat. Gives
    /// the slot of its row, and where the value is.
    #[inline(always)]
    fn map_small<const N: usize>(
        &mut self,
        op: &Op,
        operands: &[Flat; N],
        ty: u32,
        Extent { dtype, len, bytes }: Extent,
    ) -> Result<(u64, u8)> {
        self.reserve_row(op.tag())?;
        let is_word = bytes <= size_of::<u64>();
        let out = if is_word {
            self.rows.next_slot().cast()
        } else if let Some(memory) = self.small.allocate(bytes) {
            memory
        } else {
            return Err(self.no_memory(op.tag(), ty));
        };
        let mut repeated = [const { SmallNode::NO_NUMBERS }; N];
        let mut firsts = [std::ptr::null(); N];
        for ((first, operand), block) in
            firsts.iter_mut().zip(operands).zip(&mut repeated)
        {
            *first = match *operand {
                Flat::Node { first, .. } => first,
                Flat::Number(number) => repeat(number, dtype, len, block),
            };
        }
        // SAFETY: the operands have `len` elements of this type, and the memory, which
        // nothing else uses, has room for as many.
        unsafe { op.map_flat(dtype, firsts, out, len) };
        if is_word {
            // SAFETY: the row is reserved and its slot was written.
            Ok((unsafe { self.rows.next_slot().read() }, Flags::WORD))
        } else {
            Ok((out.addr() as u64, Flags::SMALL))
        }
    }

    /// As `map_small`, for a value of any size.
    fn map_large<const N: usize>(
        &mut self,
        op: &Op,
        operands: &[Flat; N],
        ty: u32,
    ) -> Result<(u64, u8)> {
        let storage = self.reserve(op.tag(), ty)?;
        let Type { shape, dtype } = self.types.get(ty);
        let (shape, dtype): (&[usize], DType) = (shape, *dtype);
        let mut words = [0; N];
        for (word, operand) in words.iter_mut().zip(operands) {
            if let Flat::Number(number) = operand {
                *word = number.to_bits(dtype);
            }
        }
        let views = std::array::from_fn::<_, N, _>(|k| match operands[k] {
            // SAFETY: as in `view`; the node is flat and of this type.
            Flat::Node { first, .. } => unsafe {
                View::from_raw(first, shape, None, dtype)
            },
            Flat::Number(_) => View::of_word(&words[k], dtype),
        });
        // SAFETY: the storage has room for this type and nothing else uses it.
        let out = unsafe { ViewMut::from_raw(storage.first, shape, dtype) };
        op.map(&views, out, Mode::Write)?;
        let kind = storage.kind;
        Ok((self.finish(storage), kind))
    }

    /// As `flat_node`, if the values are small. Numbers are repeated in `numbers`.
    #[inline(always)]
    pub(crate) fn small_node(
        &self,
        near: Near<'_>,
        node: u32,
        row: &Row,
        numbers: &mut [Block; 2],
    ) -> Option<SmallNode> {
        let extent = self.types.extent(row.ty);
        if extent.bytes > SMALL_BYTES {
            return None;
        }
        let mut operands = [None; 2];
        let mut firsts = [std::ptr::null(); 2];
        for (k, code) in [row.lhs, row.rhs].into_iter().enumerate() {
            if code & NUMBER == 0 {
                let operand = near.get(code);
                if operand.ty != row.ty {
                    return None;
                }
                firsts[k] = self.flat(code, &operand)?;
                operands[k] = Some((code, operand.flags));
            } else if code != NONE {
                let number = self.numbers.get(code & !NUMBER);
                firsts[k] = repeat(number, extent.dtype, extent.len, &mut numbers[k]);
            }
        }
        Some(SmallNode { operands, firsts: (firsts, self.flat(node, row)?), extent })
    }

    /// What the rule of a differentiable elementwise node may read, if its value is not
    /// small and its operands are flat and of its own type, or numbers: the operands and
    /// the node's own value. No rule reads a value that is gone.
    #[inline]
    pub(crate) fn flat_node(&self, node: u32, row: &Row) -> Option<FlatNode> {
        let extent = self.types.extent(row.ty);
        if extent.bytes <= SMALL_BYTES {
            return None;
        }
        let mut targets = [None; 2];
        let mut operands = [Source::Unread; 2];
        for (k, code) in [row.lhs, row.rhs].into_iter().enumerate() {
            if code == NONE {
                continue;
            }
            operands[k] = match self.decode(code) {
                Arg::Number(number) => Source::Number(number.to_bits(extent.dtype)),
                Arg::Value(x) => {
                    let operand = self.rows.get(x);
                    if operand.ty != row.ty {
                        return None;
                    }
                    targets[k] = Some(x);
                    self.flat_source(x, &operand)?
                }
            };
        }
        let y = self.flat_source(node, row)?;
        Some(FlatNode { targets, operands, y, extent })
    }
}

/// Fills the block with `len` elements of the number; gives the address of the first.
#[inline]
fn repeat(number: Scalar, dtype: DType, len: usize, block: &mut Block) -> *const u8 {
    let word = number.to_bits(dtype);
    if dtype == DType::F32 {
        // The element is the low half: twice the same makes two elements a word.
        block[..len.div_ceil(2)].fill(MaybeUninit::new(word << 32 | word));
    } else {
        block[..len].fill(MaybeUninit::new(word));
    }
    block.as_ptr().cast()
}

/// The slopes of a row's op, if it is an elementwise one on rank-0 `f64` nodes.
#[inline(always)]
pub(crate) fn word_slopes(row: &Row) -> Option<&'static [SlopeAt; 2]> {
    if row.ty != Types::scalar(DType::F64) {
        return None;
    }
    Op::SLOPES.get(row.op as usize)?.as_ref()
}

/// The loop for the cotangents of a row's op, if it is a differentiable elementwise one.
#[inline(always)]
pub(crate) fn pull_of(row: &Row) -> Option<PullFlat> {
    *Op::PULLS.get(row.op as usize)?
}
