//! The record's engine: what it holds, how it is read, and how it is cut back. How nodes
//! are appended is in [`evaluate`].

mod consume;
mod custom;
mod evaluate;
mod flat;
mod release;
mod watch;

pub(crate) use custom::{Custom, CustomOperand, Part, cotangent_fault, count_fault};
pub(crate) use flat::{FlatNode, SmallNode, pull_of, word_slopes};

use super::epoch::Epochs;
use super::intern::{Numbers, Ops, Types};
use super::print::in_line;
use super::profile::Profiler;
use super::rows::{Flags, Near, Row, Rows};
use super::small::{Position, Small};
use crate::array::buffer::Buffer;
use crate::array::{NdArray, View};
use crate::dtype::Scalar;
use crate::error::{Error, Event, Fault, Place, Result};
use crate::ops::emit::{Arg, Args};
use crate::ops::{Op, Tag};
use crate::shape::{Shape, Strides, Type};
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An operand in a row: a node, or with the top bit a number.
const NUMBER: u32 = 1 << 31;
/// What a row holds in place of an operand that it lacks.
const NONE: u32 = u32::MAX;

/// How a node's value shows the memory of another node or of an array from outside, or how
/// its own is read if it does not lie in C order.
struct Alias {
    first: *const u8,
    /// `None` if contiguous.
    strides: Option<Strides>,
    /// Keeps memory that is not among the record's small values.
    buffer: Option<Buffer>,
    /// Whether the memory is the node's own.
    is_own: bool,
}

/// The Wengert list: rows of nodes, the tables that they refer to, and their values.
pub(crate) struct Arena {
    id: u64,
    rows: Rows,
    types: Types,
    ops: Ops,
    numbers: Numbers,
    /// Operands of ops that take more than two.
    lists: Vec<u32>,
    small: Small,
    aliases: Vec<Alias>,
    /// The nodes that hold a buffer, ascending.
    holders: Vec<u32>,
    /// The nodes that have a name, ascending.
    names: Vec<(u32, Arc<str>)>,
    /// The nodes of ops that users define, ascending.
    customs: Vec<(u32, Custom)>,
    epochs: Epochs,
    /// Recent broadcasts: two types and the result's.
    broadcasts: [(u32, u32, u32); 8],
    /// Whether a value that is not finite is a fault: see [`super::finite`].
    pub(crate) check_finite: bool,
    /// Nodes from this one on do not take the short way.
    detour: u32,
    /// Among these, nodes whose values a sweep has freed.
    consumed: Range<u32>,
    times_consumed: u64,
    /// What is counted and timed, while that is asked for.
    pub(crate) profile: Option<Box<Profiler>>,
    /// Cotangents of the current sweep; empty between sweeps.
    pub(crate) sweep: crate::diff::Workspace,
}

// SAFETY: the addresses in rows and aliases point into memory that the arena keeps.
unsafe impl Send for Arena {}

/// A length of the record to which it can be rewound.
#[derive(Clone)]
pub struct Mark {
    record: u64,
    epoch: u64,
    len: u32,
    numbers: usize,
    lists: usize,
    aliases: usize,
    small: Position,
}

impl Mark {
    /// The number of nodes that were recorded before it.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }
}

impl Arena {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Arena {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            rows: Rows::default(),
            types: Types::default(),
            ops: Ops::default(),
            numbers: Numbers::default(),
            lists: Vec::new(),
            small: Small::default(),
            aliases: Vec::new(),
            holders: Vec::new(),
            names: Vec::new(),
            customs: Vec::new(),
            epochs: Epochs::default(),
            broadcasts: [(NONE, NONE, NONE); 8],
            check_finite: false,
            detour: u32::MAX,
            consumed: 0..0,
            times_consumed: 0,
            profile: None,
            sweep: crate::diff::Workspace::default(),
        }
    }

    /// The number by which messages know the record.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The number of nodes.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.rows.len()
    }

    /// Which handles are alive.
    #[inline]
    pub(crate) fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// The number of a node's type.
    #[inline]
    pub(crate) fn type_number(&self, node: u32) -> u32 {
        self.rows.ty(node)
    }

    /// A node's shape and element type.
    #[inline]
    pub(crate) fn ty(&self, node: u32) -> &Type {
        self.types.get(self.rows.ty(node))
    }

    /// The type of a row's node.
    #[inline]
    pub(crate) fn ty_of(&self, row: &Row) -> &Type {
        self.types.get(row.ty)
    }

    /// All that a row holds.
    #[inline(always)]
    pub(crate) fn row(&self, node: u32) -> Row {
        self.rows.get(node)
    }

    /// Where a node and its operands are found soonest.
    #[inline(always)]
    pub(crate) fn near(&self, node: u32) -> Near<'_> {
        self.rows.near(node)
    }

    /// The op of a node with this row.
    #[inline]
    pub(crate) fn op_of(&self, row: &Row) -> &Op {
        self.ops.get(row.op)
    }

    /// A node's op.
    #[inline]
    pub(crate) fn op(&self, node: u32) -> &Op {
        self.ops.get(self.rows.op(node))
    }

    /// A node's op without its parameters.
    #[inline]
    pub(crate) fn tag(&self, node: u32) -> Tag {
        self.ops.tag(self.rows.op(node))
    }

    #[inline]
    pub(crate) fn flags(&self, node: u32) -> Flags {
        self.rows.flags(node)
    }

    /// The number of the place where a node was recorded.
    pub(crate) fn site(&self, node: u32) -> u32 {
        self.rows.site(node)
    }

    /// The operands of a node, as rows hold them.
    #[inline]
    fn raw_operands(&self, node: u32) -> SmallVec<[u32; 3]> {
        let (lhs, rhs) = (self.rows.lhs(node), self.rows.rhs(node));
        if self.rows.flags(node).has(Flags::LIST) {
            let start = lhs as usize;
            return SmallVec::from_slice(&self.lists[start..start + rhs as usize]);
        }
        let mut operands = SmallVec::new();
        operands.extend([lhs, rhs].into_iter().filter(|&x| x != NONE));
        operands
    }

    #[inline]
    fn decode(&self, operand: u32) -> Arg<u32> {
        if operand & NUMBER == 0 {
            Arg::Value(operand)
        } else {
            Arg::Number(self.numbers.get(operand & !NUMBER))
        }
    }

    /// The operands of a node.
    pub(crate) fn operands(&self, node: u32) -> Args<u32> {
        self.raw_operands(node).into_iter().map(|x| self.decode(x)).collect()
    }

    /// The number of operands of a node.
    pub(crate) fn operand_count(&self, node: u32) -> usize {
        let (lhs, rhs) = (self.rows.lhs(node), self.rows.rhs(node));
        if self.rows.flags(node).has(Flags::LIST) {
            return rhs as usize;
        }
        usize::from(lhs != NONE) + usize::from(rhs != NONE)
    }

    /// Operand `k` of a node.
    #[inline]
    pub(crate) fn operand(&self, node: u32, k: usize) -> Arg<u32> {
        let (lhs, rhs) = (self.rows.lhs(node), self.rows.rhs(node));
        if self.rows.flags(node).has(Flags::LIST) {
            return self.decode(self.lists[lhs as usize + k]);
        }
        self.decode(if k == 0 { lhs } else { rhs })
    }

    /// The type of operand `k`; a number has the node's own element type.
    pub(crate) fn operand_type(&self, node: u32, k: usize) -> Type {
        match self.operand(node, k) {
            Arg::Value(operand) => self.ty(operand).clone(),
            Arg::Number(_) => Type::new(Shape::scalar(), self.ty(node).dtype),
        }
    }

    /// Whether any operand is a node for which `f` holds.
    #[inline]
    pub(crate) fn any_operand(&self, node: u32, f: impl Fn(u32) -> bool) -> bool {
        (0..self.operand_count(node)).any(|k| match self.operand(node, k) {
            Arg::Value(operand) => f(operand),
            Arg::Number(_) => false,
        })
    }

    /// Whether the node is a leaf that has a gradient.
    pub(crate) fn is_leaf(&self, node: u32) -> bool {
        self.rows.flags(node).has(Flags::LEAF)
    }

    /// The bytes of a living node's value, or 0 if it is small: then this is one look at
    /// the flags.
    #[cfg(feature = "python")]
    #[inline]
    pub(crate) fn large_bytes(&self, node: u32) -> usize {
        if node < self.len()
            && matches!(self.flags(node).storage(), Flags::BUFFER | Flags::ALIAS)
        {
            self.ty(node).bytes()
        } else {
            0
        }
    }

    /// The address of a node's first element.
    #[inline]
    fn first(&self, node: u32) -> *const u8 {
        match self.rows.flags(node).storage() {
            Flags::WORD => self.rows.slot_address(node).cast_const().cast(),
            Flags::ALIAS => self.aliases[self.rows.slot(node) as usize].first,
            _ => self.rows.slot(node) as *const u8,
        }
    }

    /// A node's value, to be read.
    #[inline]
    pub(crate) fn view(&self, node: u32) -> View<'_> {
        let ty = self.ty(node);
        let strides = match self.rows.flags(node).storage() {
            Flags::ALIAS => {
                self.aliases[self.rows.slot(node) as usize].strides.as_deref()
            }
            _ => None,
        };
        // SAFETY: the value was written before its row was committed, is not written
        // again, and its memory lasts while rows up to it do, so while `self` is
        // borrowed.
        unsafe { View::from_raw(self.first(node), &ty.shape, strides, ty.dtype) }
    }

    /// A node's value as an array: small values are copied, others share the buffer.
    pub(crate) fn data(&self, node: u32) -> Result<NdArray> {
        self.expect_value("data", node)?;
        if self.is_empty(node) {
            return self.computed_again(node);
        }
        let view = self.view(node);
        let ty = self.ty(node).clone();
        let strides = view.strides();
        let shared = match self.rows.flags(node).storage() {
            Flags::BUFFER => Some(self.buffer_of(node)),
            Flags::ALIAS => self.aliases[self.rows.slot(node) as usize].buffer.clone(),
            _ => None,
        };
        match shared {
            // SAFETY: the view's elements lie within the buffer, and are not written.
            Some(buffer) => unsafe {
                Ok(NdArray::from_raw(buffer, view.first(), ty, strides))
            },
            None => view.copied("data"),
        }
    }

    /// A handle of its own to the buffer that a node holds.
    fn buffer_of(&self, node: u32) -> Buffer {
        debug_assert_eq!(self.rows.flags(node).storage(), Flags::BUFFER);
        // SAFETY: the slot came from `Buffer::into_raw`; forgetting the handle leaves
        // it with the row.
        let own = unsafe { Buffer::from_raw(self.rows.slot(node) as *mut u8) };
        let shared = own.clone();
        std::mem::forget(own);
        shared
    }

    /// The name of a node, if it was given one.
    pub(crate) fn name(&self, node: u32) -> Option<&Arc<str>> {
        let found = self.names.binary_search_by_key(&node, |&(node, _)| node);
        found.ok().map(|k| &self.names[k].1)
    }

    /// Gives a node a name, in place of the one that it had.
    pub(crate) fn set_name(&mut self, node: u32, name: Arc<str>) {
        match self.names.binary_search_by_key(&node, |&(node, _)| node) {
            Ok(k) => self.names[k].1 = name,
            Err(k) => self.names.insert(k, (node, name)),
        }
    }

    /// How messages call a node: its name, or its number and op.
    pub(crate) fn label(&self, node: u32) -> String {
        match self.name(node) {
            Some(name) if !name.is_empty() => in_line(name),
            _ => format!("#{node} {}", self.op_name(node)),
        }
    }

    /// Adds names and places of the operands to an error.
    #[cold]
    pub(crate) fn explain(&self, error: Error, operands: &[Arg<u32>]) -> Error {
        operands.iter().enumerate().fold(error, |error, (k, operand)| match *operand {
            Arg::Value(node) if node < self.len() => {
                error.with_operand(k, self.label(node), Place::Site(self.site(node)))
            }
            _ => error,
        })
    }

    /// The present length, to rewind to.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            record: self.id,
            epoch: self.epochs.current(),
            len: self.len(),
            numbers: self.numbers.len(),
            lists: self.lists.len(),
            aliases: self.aliases.len(),
            small: self.small.position(),
        }
    }

    /// Drops all nodes that were recorded after the mark.
    pub(crate) fn rewind(&mut self, mark: &Mark) -> Result<()> {
        if mark.record != self.id {
            let (home, other) = (mark.record, self.id);
            return Err(Error::new(Fault::ForeignMark { home, other }));
        }
        if let Some(event) = self.epochs.mark_death(mark.epoch, mark.len) {
            return Err(Error::new(Fault::DeadMark { event }));
        }
        self.cut(mark, Event::Rewound);
        Ok(())
    }

    /// Drops all nodes.
    pub(crate) fn clear(&mut self) {
        let start = Mark {
            record: self.id,
            epoch: 0,
            len: 0,
            numbers: 0,
            lists: 0,
            aliases: 0,
            small: Position::default(),
        };
        self.cut(&start, Event::Cleared);
        if self.types.shed() {
            self.broadcasts = [(NONE, NONE, NONE); 8];
        }
        self.ops.shed();
    }

    fn cut(&mut self, mark: &Mark, event: Event) {
        self.count_before_cut(mark.len);
        self.undo(mark);
        self.cut_consumed(mark.len);
        self.epochs.rewind(mark.len, event);
    }

    /// Takes back nodes after a mark to which no handle was ever given out.
    pub(crate) fn undo(&mut self, mark: &Mark) {
        self.drop_rows(mark.len);
        self.numbers.truncate(mark.numbers);
        self.lists.truncate(mark.lists);
        self.aliases.truncate(mark.aliases);
        self.small.go_back(mark.small);
    }

    /// Takes back the rows from `len` on and the buffers that they hold.
    fn drop_rows(&mut self, len: u32) {
        while let Some(&holder) = self.holders.last() {
            if holder < len {
                break;
            }
            self.holders.pop();
            // SAFETY: the slot came from `Buffer::into_raw` when the node was
            // committed, and each holder is listed once.
            drop(unsafe { Buffer::from_raw(self.rows.slot(holder) as *mut u8) });
        }
        while self.names.last().is_some_and(|&(node, _)| node >= len) {
            self.names.pop();
        }
        while self.customs.last().is_some_and(|&(node, _)| node >= len) {
            self.customs.pop();
        }
        self.rows.truncate(len);
    }

    /// Bytes that the record holds for itself: rows, tables, values.
    pub(crate) fn bytes(&self) -> usize {
        let buffers: usize =
            self.holders.iter().map(|&node| self.buffer_of(node).capacity()).sum();
        let turned: usize = self
            .aliases
            .iter()
            .filter(|alias| alias.is_own)
            .filter_map(|alias| alias.buffer.as_ref())
            .map(Buffer::capacity)
            .sum();
        self.rows.bytes()
            + self.small.bytes()
            + buffers
            + turned
            + self.numbers.len() * size_of::<Scalar>()
            + self.lists.len() * size_of::<u32>()
            + self.aliases.len() * size_of::<Alias>()
            + self.customs.len() * size_of::<(u32, Custom)>()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.drop_rows(0);
    }
}
