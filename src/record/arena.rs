//! The record's engine: it checks, allocates, evaluates and appends nodes.
//!
//! A failed call changes nothing: shapes, element types and data are checked and memory
//! is had before a row is committed, and rows of casts that went before are taken back.

use super::epoch::Epochs;
use super::intern::{Numbers, Ops, Types};
use super::rows::{Flags, MAX_ROWS, Row, Rows};
use super::small::{Position, SMALL_BYTES, Small};
use crate::array::buffer::Buffer;
use crate::array::{NdArray, View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Event, Fault, Place, Result};
use crate::kernels::map::Mode;
use crate::ops::convert::Cast;
use crate::ops::emit::{Arg, Args};
use crate::ops::{Op, Tag, Tier};
use crate::shape::{Shape, Strides, Type};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An operand in a row: a node, or with the top bit a number.
const NUMBER: u32 = 1 << 31;
/// What a row holds in place of an operand that it lacks.
const NONE: u32 = u32::MAX;

/// An operand of a loop over flat elements.
#[derive(Clone, Copy)]
enum Flat {
    Node { first: *const u8, node: u32 },
    Number(Scalar),
}

/// An elementwise node whose operands need no broadcasting, packing or casting.
pub(crate) struct FlatNode<'a> {
    /// The operands that are nodes.
    pub(crate) targets: [Option<u32>; 2],
    pub(crate) views: [View<'a>; 2],
    pub(crate) y: View<'a>,
    pub(crate) shape: &'a [usize],
    pub(crate) dtype: DType,
}

/// How a node's value shows the memory of another node or of an array from outside.
struct Alias {
    first: *const u8,
    /// `None` if contiguous.
    strides: Option<Strides>,
    /// Keeps memory that is not the record's own.
    buffer: Option<Buffer>,
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
    names: Vec<(u32, Arc<str>)>,
    epochs: Epochs,
    /// Recent broadcasts: two types and the result's.
    broadcasts: [(u32, u32, u32); 8],
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

/// Memory for a value, and what a row says of it.
struct Storage {
    first: *mut u8,
    slot: u64,
    kind: u8,
    /// Given back if the row is not committed.
    buffer: Option<Buffer>,
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
            epochs: Epochs::default(),
            broadcasts: [(NONE, NONE, NONE); 8],
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

    /// The name of a parameter's node.
    pub(crate) fn name(&self, node: u32) -> Option<&Arc<str>> {
        let found = self.names.binary_search_by_key(&node, |&(node, _)| node);
        found.ok().map(|k| &self.names[k].1)
    }

    /// How messages call a node: its name, or its number and op.
    pub(crate) fn label(&self, node: u32) -> String {
        match self.name(node) {
            Some(name) => name.to_string(),
            None => format!("#{node} {}", self.tag(node).name()),
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

    /// Appends a leaf or a constant with the array's elements.
    ///
    /// A large array is shared, not copied.
    pub(crate) fn source(
        &mut self,
        op: &Op,
        array: &NdArray,
        name: Option<Arc<str>>,
        site: u32,
    ) -> Result<u32> {
        let ty = self.types.number(&array.ty());
        let (number, op) = (self.ops.number(op), op.tag());
        let is_leaf = matches!(op, Tag::Tensor | Tag::Parameter);
        let mut flags = match op {
            Tag::Gradient => Flags::GRADIENT | Flags::ACTIVE,
            _ if is_leaf && array.dtype().is_float() => Flags::LEAF | Flags::ACTIVE,
            _ => 0,
        };
        let bytes = array.len() * array.dtype().size();
        let slot = if bytes > SMALL_BYTES {
            self.reserve_row(op)?;
            flags |= Flags::ALIAS;
            let strides = if array.is_contiguous() {
                None
            } else {
                Some(Strides::from_slice(array.strides()))
            };
            let buffer = Some(array.buffer().clone());
            self.aliases.push(Alias { first: array.first(), strides, buffer });
            self.aliases.len() as u64 - 1
        } else {
            let storage = self.reserve(op, ty)?;
            let ty = self.types.get(ty);
            // SAFETY: the storage has room for this type and nothing else uses it.
            let out = unsafe { ViewMut::from_raw(storage.first, &ty.shape, ty.dtype) };
            array.view().copy_to(out);
            flags |= storage.kind;
            self.finish(storage)
        };
        let flags = Flags(flags);
        let (lhs, rhs, op) = (NONE, NONE, number);
        self.rows.push(Row { slot, lhs, rhs, ty, op, site, flags });
        let node = self.len() - 1;
        if let Some(name) = name {
            self.names.push((node, name));
        }
        Ok(node)
    }

    /// Appends a node that applies `op`.
    #[expect(clippy::needless_pass_by_value, reason = "callers make the list in place")]
    pub(crate) fn apply(
        &mut self,
        op: &Op,
        operands: Args<u32>,
        site: u32,
    ) -> Result<u32> {
        let (len, small) = (self.len(), self.small.position());
        let result =
            self.prepare(op, operands.clone(), site).and_then(|(operands, back)| {
                let y = self.evaluate(op, &operands, site)?;
                match back {
                    None => Ok(y),
                    Some(dtype) => {
                        let cast = Cast { dtype }.into();
                        self.evaluate(&cast, &[Arg::Value(y)], site)
                    }
                }
            });
        result.map_err(|error| {
            self.drop_rows(len);
            self.small.go_back(small);
            self.explain(error, &operands)
        })
    }

    /// As `apply`, for one operand.
    #[inline]
    pub(crate) fn unary(&mut self, op: &Op, x: u32, site: u32) -> Result<u32> {
        if op.tag().tier() == Tier::Unary {
            let row = self.rows.get(x);
            if row.ty == Types::scalar(DType::F64) {
                let y = op.value([self.word(x, &row), 0.0]);
                return self.push_word(op, [x, NONE], y, row.flags, site);
            }
            let flat = self.flat(x, &row);
            if !flat.is_null() && self.types.get(row.ty).dtype.is_float() {
                let operand = Flat::Node { first: flat, node: x };
                return self.map_flat(op, [operand], row.ty, row.flags, site);
            }
        }
        self.apply(op, smallvec![Arg::Value(x)], site)
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
        if op.tag().tier() == Tier::Binary {
            match (a, b) {
                (Arg::Value(x), Arg::Value(y)) => {
                    let (p, q) = (self.rows.get(x), self.rows.get(y));
                    if p.ty == q.ty {
                        let flags = Flags(p.flags.0 | q.flags.0);
                        if p.ty == Types::scalar(DType::F64) {
                            let z = op.value([self.word(x, &p), self.word(y, &q)]);
                            return self.push_word(op, [x, y], z, flags, site);
                        }
                        let (first, second) = (self.flat(x, &p), self.flat(y, &q));
                        if !first.is_null()
                            && !second.is_null()
                            && self.types.get(p.ty).dtype.is_float()
                        {
                            let operands = [
                                Flat::Node { first, node: x },
                                Flat::Node { first: second, node: y },
                            ];
                            return self.map_flat(op, operands, p.ty, flags, site);
                        }
                    }
                }
                (Arg::Value(x), Arg::Number(number)) => {
                    if let Some(node) = self.with_number(op, x, number, false, site) {
                        return node;
                    }
                }
                (Arg::Number(number), Arg::Value(y)) => {
                    if let Some(node) = self.with_number(op, y, number, true, site) {
                        return node;
                    }
                }
                (Arg::Number(_), Arg::Number(_)) => {}
            }
        }
        self.apply(op, smallvec![a, b], site)
    }

    /// As `binary` for a flat float node and a number; `None` for other nodes.
    #[inline]
    fn with_number(
        &mut self,
        op: &Op,
        x: u32,
        number: Scalar,
        reversed: bool,
        site: u32,
    ) -> Option<Result<u32>> {
        let row = self.rows.get(x);
        let first = self.flat(x, &row);
        if first.is_null() || !self.types.get(row.ty).dtype.is_float() {
            return None;
        }
        if row.ty == Types::scalar(DType::F64) {
            let (value, code) = (self.word(x, &row), self.numbers.position(number));
            let (a, b) = (value, number.to_f64());
            let (lhs, rhs) = (x, code | NUMBER);
            let (values, codes) =
                if reversed { ([b, a], [rhs, lhs]) } else { ([a, b], [lhs, rhs]) };
            return Some(self.push_word(op, codes, op.value(values), row.flags, site));
        }
        let (node, number) = (Flat::Node { first, node: x }, Flat::Number(number));
        let operands = if reversed { [number, node] } else { [node, number] };
        Some(self.map_flat(op, operands, row.ty, row.flags, site))
    }

    /// The address of a node's first element if the elements lie in C order without
    /// gaps, otherwise null.
    #[inline]
    fn flat(&self, node: u32, row: &Row) -> *const u8 {
        match row.flags.storage() {
            Flags::WORD => self.rows.slot_address(node).cast_const().cast(),
            Flags::ALIAS => {
                let alias = &self.aliases[row.slot as usize];
                if alias.strides.is_none() { alias.first } else { std::ptr::null() }
            }
            _ => row.slot as *const u8,
        }
    }

    /// The value of a rank-0 `f64` node.
    #[inline]
    fn word(&self, node: u32, row: &Row) -> f64 {
        if row.flags.storage() == Flags::WORD {
            f64::from_bits(row.slot)
        } else {
            self.view(node).first_value().to_f64()
        }
    }

    /// As `word`.
    #[inline]
    pub(crate) fn scalar(&self, node: u32) -> f64 {
        self.word(node, &self.rows.get(node))
    }

    #[inline]
    pub(crate) fn is_active(&self, node: u32) -> bool {
        self.rows.flags(node).has(Flags::ACTIVE)
    }

    /// Appends a rank-0 `f64` node of a differentiable op. `flags` are the operands'.
    #[inline]
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
    /// one float type, which is the result's. `flags` are the operands'. Most nodes
    /// take this path, so nothing is looked at twice.
    #[inline]
    fn map_flat<const N: usize>(
        &mut self,
        op: &Op,
        operands: [Flat; N],
        ty: u32,
        flags: Flags,
        site: u32,
    ) -> Result<u32> {
        let storage = self.reserve(op.tag(), ty)?;
        let Type { shape, dtype } = self.types.get(ty);
        let (shape, dtype): (&[usize], DType) = (shape, *dtype);
        let mut words = [0; N];
        for (word, operand) in words.iter_mut().zip(&operands) {
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
        op.map(&views, out, Mode::Write);
        let mut codes = [NONE; 2];
        for (code, operand) in codes.iter_mut().zip(operands) {
            *code = match operand {
                Flat::Node { node, .. } => node,
                Flat::Number(number) => self.numbers.position(number) | NUMBER,
            };
        }
        let flags = Flags(storage.kind | flags.0 & Flags::ACTIVE);
        let (slot, op, [lhs, rhs]) = (self.finish(storage), self.ops.number(op), codes);
        self.rows.push(Row { slot, lhs, rhs, ty, op, site, flags });
        Ok(self.len() - 1)
    }

    /// What the rule of a differentiable elementwise node reads, if its operands are
    /// flat and of its own type, or numbers: the operands and the node's own value.
    #[inline]
    pub(crate) fn flat_node<'a>(
        &'a self,
        node: u32,
        words: &'a mut [u64; 2],
    ) -> Option<FlatNode<'a>> {
        let row = self.rows.get(node);
        let Type { shape, dtype } = self.types.get(row.ty);
        let (shape, dtype): (&[usize], DType) = (shape, *dtype);
        let codes = [row.lhs, row.rhs];
        let mut targets = [None; 2];
        let mut firsts = [std::ptr::null(); 2];
        for (k, &code) in codes.iter().enumerate().filter(|(_, code)| **code != NONE) {
            match self.decode(code) {
                Arg::Number(number) => words[k] = number.to_bits(dtype),
                Arg::Value(x) => {
                    let operand = self.rows.get(x);
                    firsts[k] = self.flat(x, &operand);
                    if operand.ty != row.ty || firsts[k].is_null() {
                        return None;
                    }
                    targets[k] = Some(x);
                }
            }
        }
        let words = &*words;
        let views = std::array::from_fn(|k| {
            if firsts[k].is_null() {
                return View::of_word(&words[k], dtype);
            }
            // SAFETY: as in `view`; the operand is flat and of this type.
            unsafe { View::from_raw(firsts[k], shape, None, dtype) }
        });
        // SAFETY: as in `view`; the result of an elementwise op is flat.
        let y = unsafe { View::from_raw(self.flat(node, &row), shape, None, dtype) };
        Some(FlatNode { targets, views, y, shape, dtype })
    }

    /// Casts operands to the types that the op computes with. If the result is of
    /// another type, gives that too.
    fn prepare(
        &mut self,
        op: &Op,
        mut operands: Args<u32>,
        site: u32,
    ) -> Result<(Args<u32>, Option<DType>)> {
        let tag = op.tag();
        let together = match tag {
            Tag::Gather | Tag::ScatterAdd | Tag::SoftmaxCrossEntropy => {
                self.expect_integers(tag, &operands[1..])?;
                0..1
            }
            Tag::Where => {
                self.cast_operand(&mut operands[0], DType::Bool, site)?;
                1..3
            }
            _ => 0..operands.len(),
        };
        let Some(mut dtype) = self.common_dtype(&operands[together.clone()]) else {
            return Ok((operands, None));
        };
        let mut back = None;
        if !tag.takes_integers() {
            dtype = dtype.to_float();
        } else if dtype == DType::Bool {
            match tag {
                Tag::Negative | Tag::Subtract => {
                    return Err(Error::new(Fault::Unsupported {
                        op: tag.name(),
                        dtype,
                    }));
                }
                // NumPy's `and` and `or`: what is not 0 of the same among 0 and 1.
                Tag::Add
                | Tag::Multiply
                | Tag::MultiplyNoNan
                | Tag::Maximum
                | Tag::Minimum
                | Tag::Abs
                | Tag::MatMul => (dtype, back) = (DType::I64, Some(DType::Bool)),
                Tag::Sum => dtype = DType::I64,
                _ if tag.is_elementwise() => dtype = DType::I64,
                _ => {}
            }
        }
        if tag == Tag::Power && dtype == DType::I64 {
            self.refuse_negative_exponents(operands[1])?;
        }
        for k in together {
            self.cast_operand(&mut operands[k], dtype, site)?;
        }
        Ok((operands, back))
    }

    fn expect_integers(&self, tag: Tag, indices: &[Arg<u32>]) -> Result<()> {
        for index in indices {
            if let Arg::Value(node) = *index {
                let dtype = self.ty(node).dtype;
                if dtype != DType::I64 {
                    let op = tag.name();
                    return Err(Error::new(Fault::IndexDType { op, dtype }));
                }
            }
        }
        Ok(())
    }

    fn refuse_negative_exponents(&self, exponents: Arg<u32>) -> Result<()> {
        let lowest = match exponents {
            Arg::Number(Scalar::Int(exponent)) => Some(exponent),
            Arg::Value(node) if self.ty(node).dtype == DType::I64 => {
                self.view(node).as_array::<i64>().iter().min().copied()
            }
            _ => None,
        };
        match lowest {
            Some(exponent) if exponent < 0 => {
                Err(Error::new(Fault::NegativePower { exponent }))
            }
            _ => Ok(()),
        }
    }

    /// The type that the operands compute in; `None` if all are numbers.
    fn common_dtype(&self, operands: &[Arg<u32>]) -> Option<DType> {
        let nodes = operands.iter().filter_map(|operand| match *operand {
            Arg::Value(node) => Some(self.ty(node).dtype),
            Arg::Number(_) => None,
        });
        let dtype = nodes.reduce(DType::promote)?;
        let numbers = operands.iter().filter_map(|operand| match *operand {
            Arg::Number(number) => Some(number),
            Arg::Value(_) => None,
        });
        Some(numbers.fold(dtype, |dtype, number| number.promote(dtype)))
    }

    fn cast_operand(
        &mut self,
        operand: &mut Arg<u32>,
        dtype: DType,
        site: u32,
    ) -> Result<()> {
        if let Arg::Value(node) = *operand
            && self.ty(node).dtype != dtype
        {
            let cast = Cast { dtype }.into();
            *operand = Arg::Value(self.evaluate(&cast, &[Arg::Value(node)], site)?);
        }
        Ok(())
    }

    /// Infers, evaluates and commits a node whose operands have fitting types.
    fn evaluate(&mut self, op: &Op, operands: &[Arg<u32>], site: u32) -> Result<u32> {
        let ty = self.infer(op, operands)?;
        if let Some(node) = self.evaluate_alias(op, operands, ty, site)? {
            return Ok(node);
        }
        if op.tag().tier() != Tier::Unary {
            op.check(&self.views(operands, &mut [0; 2]))?;
        }
        let storage = self.reserve(op.tag(), ty)?;
        {
            let mut words = [0; 2];
            let views = self.views(operands, &mut words);
            let ty = self.types.get(ty);
            // SAFETY: the storage has room for this type and nothing else uses it.
            let out = unsafe { ViewMut::from_raw(storage.first, &ty.shape, ty.dtype) };
            op.eval(&views, out)?;
        }
        let kind = storage.kind;
        let slot = self.finish(storage);
        Ok(self.commit(op, operands, ty, slot, kind, site))
    }

    /// Commits a node that shows its first operand's memory, if the op does that.
    fn evaluate_alias(
        &mut self,
        op: &Op,
        operands: &[Arg<u32>],
        ty: u32,
        site: u32,
    ) -> Result<Option<u32>> {
        let [Arg::Value(base), ..] = *operands else { return Ok(None) };
        if op.tag().is_elementwise() {
            return Ok(None);
        }
        let view = self.view(base);
        let Some((offset, strides)) = op.alias(&view) else { return Ok(None) };
        let size = view.dtype().size().cast_signed();
        let first = view.first().wrapping_offset(offset * size);
        let shape = &self.types.get(ty).shape;
        let contiguous = crate::shape::is_contiguous(shape, &strides);
        let buffer = match self.rows.flags(base).storage() {
            Flags::BUFFER => Some(self.buffer_of(base)),
            Flags::ALIAS => self.aliases[self.rows.slot(base) as usize].buffer.clone(),
            _ => None,
        };
        self.reserve_row(op.tag())?;
        let strides = if contiguous { None } else { Some(strides) };
        self.aliases.push(Alias { first, strides, buffer });
        let slot = self.aliases.len() as u64 - 1;
        Ok(Some(self.commit(op, operands, ty, slot, Flags::ALIAS, site)))
    }

    /// The number of the result's type.
    fn infer(&mut self, op: &Op, operands: &[Arg<u32>]) -> Result<u32> {
        let tag = op.tag();
        if !tag.is_elementwise() {
            let ty = self.infer_type(op, operands)?;
            return Ok(self.types.number(&ty));
        }
        let number = |operand: &Arg<u32>| match *operand {
            Arg::Value(node) => Some(self.rows.ty(node)),
            Arg::Number(_) => None,
        };
        let a = operands.first().and_then(number);
        let b = operands.get(1).and_then(number);
        let (Some(a), Some(b)) = (a.or(b), b.or(a)) else {
            return self.infer_type(op, operands).map(|ty| self.types.number(&ty));
        };
        if a == b && tag.tier() != Tier::Compare {
            return Ok(a);
        }
        let compare = u32::from(tag.tier() == Tier::Compare) << 31;
        let key = (a | compare, b);
        let slot = (a.wrapping_mul(31) ^ b ^ compare >> 29) as usize % 8;
        let (known_a, known_b, known) = self.broadcasts[slot];
        if (known_a, known_b) == key {
            return Ok(known);
        }
        let ty = self.infer_type(op, operands)?;
        let ty = self.types.number(&ty);
        self.broadcasts[slot] = (key.0, key.1, ty);
        Ok(ty)
    }

    fn infer_type(&self, op: &Op, operands: &[Arg<u32>]) -> Result<Type> {
        // A number has the type of the other operands; only its rank matters here.
        let dtype = self.common_dtype(operands).unwrap_or(DType::F64);
        let number = Type::new(Shape::scalar(), dtype);
        let types: SmallVec<[&Type; 3]> = operands
            .iter()
            .map(|operand| match *operand {
                Arg::Value(node) => self.ty(node),
                Arg::Number(_) => &number,
            })
            .collect();
        op.infer(&types)
    }

    /// The operands to be read; numbers become words of the other operands' type.
    pub(crate) fn views<'a>(
        &'a self,
        operands: &[Arg<u32>],
        words: &'a mut [u64; 2],
    ) -> SmallVec<[View<'a>; 3]> {
        let typed = |operand: &Arg<u32>| match *operand {
            Arg::Value(node) => Some(self.ty(node).dtype),
            Arg::Number(_) => None,
        };
        // The last operand with a type has the type that the op computes in: only a
        // condition, which is first, has another.
        let dtype = operands.iter().rev().find_map(typed).unwrap_or(DType::F64);
        let mut free = words.iter_mut();
        operands
            .iter()
            .map(|operand| match (*operand, free.len()) {
                (Arg::Value(node), _) => self.view(node),
                (Arg::Number(number), _) => {
                    let word = free.next().expect("an op takes at most two numbers");
                    *word = number.to_bits(dtype);
                    View::of_word(word, dtype)
                }
            })
            .collect()
    }

    /// Makes room for one more row.
    #[inline]
    fn reserve_row(&mut self, op: Tag) -> Result<()> {
        match self.rows.reserve() {
            Some(()) => Ok(()),
            None => Err(self.no_row(op)),
        }
    }

    #[cold]
    fn no_row(&self, op: Tag) -> Error {
        let op = op.name();
        Error::new(if self.len() >= MAX_ROWS {
            Fault::RecordFull { op }
        } else {
            Fault::Memory { op, bytes: self.rows.bytes(), shape: Vec::new() }
        })
    }

    /// Makes room for a row and for a value of a type.
    #[inline]
    fn reserve(&mut self, op: Tag, ty: u32) -> Result<Storage> {
        self.reserve_row(op)?;
        let ty = self.types.get(ty);
        let bytes = ty.bytes();
        if bytes <= 8 {
            let first = self.rows.slot_address(self.rows.len()).cast();
            return Ok(Storage { first, slot: 0, kind: Flags::WORD, buffer: None });
        }
        if bytes <= SMALL_BYTES {
            let first = self.small.allocate(bytes).ok_or_else(|| {
                let (op, shape) = (op.name(), ty.shape.to_vec());
                Error::new(Fault::Memory { op, bytes, shape })
            })?;
            let slot = first.addr() as u64;
            return Ok(Storage { first, slot, kind: Flags::SMALL, buffer: None });
        }
        let buffer = Buffer::new(op.name(), bytes, &ty.shape)?;
        let first = buffer.data();
        let slot = first.addr() as u64;
        Ok(Storage { first, slot, kind: Flags::BUFFER, buffer: Some(buffer) })
    }

    /// Leaves written storage to the row that is pushed next; gives its slot.
    #[inline]
    fn finish(&mut self, storage: Storage) -> u64 {
        if let Some(buffer) = storage.buffer {
            // The slot keeps the handle: `drop_rows` takes it back.
            let _ = buffer.into_raw();
            self.holders.push(self.len());
        }
        if storage.kind == Flags::WORD {
            // SAFETY: the row is reserved and its slot was written.
            unsafe { self.rows.slot_address(self.len()).read() }
        } else {
            storage.slot
        }
    }

    /// Pushes the row of a value that is in its place.
    fn commit(
        &mut self,
        op: &Op,
        operands: &[Arg<u32>],
        ty: u32,
        slot: u64,
        kind: u8,
        site: u32,
    ) -> u32 {
        let mut flags = kind;
        let any_active = operands
            .iter()
            .any(|operand| matches!(*operand, Arg::Value(x) if self.is_active(x)));
        if any_active
            && op.tag().is_differentiable()
            && self.types.get(ty).dtype.is_float()
        {
            flags |= Flags::ACTIVE;
        }
        let code = |numbers: &mut Numbers, operand: &Arg<u32>| match *operand {
            Arg::Value(node) => node,
            Arg::Number(number) => numbers.position(number) | NUMBER,
        };
        let numbers = &mut self.numbers;
        let (lhs, rhs) = match operands {
            [] => (NONE, NONE),
            [a] => (code(numbers, a), NONE),
            [a, b] => (code(numbers, a), code(numbers, b)),
            many => {
                flags |= Flags::LIST;
                let start = self.lists.len();
                self.lists.extend(many.iter().map(|operand| code(numbers, operand)));
                (start as u32, many.len() as u32)
            }
        };
        let (op, flags) = (self.ops.number(op), Flags(flags));
        self.rows.push(Row { slot, lhs, rhs, ty, op, site, flags });
        self.len() - 1
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
        self.undo(mark);
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
        self.rows.truncate(len);
    }

    /// Bytes that the record holds for itself: rows, tables, values.
    pub(crate) fn bytes(&self) -> usize {
        let buffers: usize =
            self.holders.iter().map(|&node| self.buffer_of(node).capacity()).sum();
        self.rows.bytes()
            + self.small.bytes()
            + buffers
            + self.numbers.len() * size_of::<Scalar>()
            + self.lists.len() * size_of::<u32>()
            + self.aliases.len() * size_of::<Alias>()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.drop_rows(0);
    }
}
