//! From a call to a node: operands are cast, the type is inferred, memory is had, the
//! value is written, and only then a row is committed. A failed call changes nothing.

use super::{Alias, Arena, NONE, NUMBER};
use crate::array::buffer::Buffer;
use crate::array::{NdArray, Order, View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Result};
use crate::ops::convert::Cast;
use crate::ops::emit::{Arg, Args};
use crate::ops::{Op, Tag, Tier};
use crate::record::finite;
use crate::record::intern::Numbers;
use crate::record::rows::{Flags, MAX_ROWS, Row};
use crate::record::small::SMALL_BYTES;
use crate::shape::{Shape, Strides, Type};
use smallvec::SmallVec;
use std::sync::Arc;

/// Bytes of the smallest results that lie in their operands' order. Smaller ones are turned
/// within the first cache.
const SMALLEST_TURNED: usize = 4 << 10;
const _: () = assert!(SMALLEST_TURNED > SMALL_BYTES, "what is turned has a buffer");

/// Memory for a value, and what a row says of it.
pub(super) struct Storage {
    pub(super) first: *mut u8,
    slot: u64,
    pub(super) kind: u8,
    /// Given back if the row is not committed.
    buffer: Option<Buffer>,
}

impl Arena {
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
        let (len, started) = (self.len(), self.start_if_due());
        let node = self.append_source(op, array, name, site)?;
        if let Some(started) = started {
            self.note_due(started, len);
        }
        Ok(node)
    }

    fn append_source(
        &mut self,
        op: &Op,
        array: &NdArray,
        name: Option<Arc<str>>,
        site: u32,
    ) -> Result<u32> {
        if self.check_finite {
            let (op, view) = (op.tag().name(), array.view());
            finite::expect(op, self.len(), name.as_deref(), view, site)?;
        }
        let ty = self.types.number(&array.ty());
        let (number, op) = (self.ops.number(op), op.tag());
        let is_leaf = matches!(op, Tag::Tensor | Tag::Parameter);
        let flags = match op {
            Tag::Gradient => Flags::GRADIENT | Flags::ACTIVE,
            _ if is_leaf && array.dtype().is_float() => Flags::LEAF | Flags::ACTIVE,
            _ => 0,
        };
        let (slot, kind) = self.hold(op, ty, array)?;
        let flags = Flags(flags | kind);
        let (lhs, rhs, op) = (NONE, NONE, number);
        self.rows.push(Row { slot, lhs, rhs, ty, op, site, flags });
        let node = self.len() - 1;
        if let Some(name) = name {
            self.names.push((node, name));
        }
        Ok(node)
    }

    /// Makes room for a row whose value is there already; gives its slot and how that is
    /// to be read. A large array is shared, not copied.
    pub(super) fn hold(
        &mut self,
        op: Tag,
        ty: u32,
        array: &NdArray,
    ) -> Result<(u64, u8)> {
        let bytes = array.len() * array.dtype().size();
        if bytes > SMALL_BYTES {
            self.reserve_row(op)?;
            let strides = if array.is_contiguous() {
                None
            } else {
                Some(Strides::from_slice(array.strides()))
            };
            let buffer = Some(array.buffer().clone());
            let first = array.first();
            self.aliases.push(Alias { first, strides, buffer, is_own: false });
            return Ok((self.aliases.len() as u64 - 1, Flags::ALIAS));
        }
        let storage = self.reserve(op, ty)?;
        let ty = self.types.get(ty);
        // SAFETY: the storage has room for this type and nothing else uses it.
        let out = unsafe { ViewMut::from_raw(storage.first, &ty.shape, ty.dtype) };
        array.view().copy_to(out)?;
        let kind = storage.kind;
        Ok((self.finish(storage), kind))
    }

    /// Appends a node that applies `op`.
    #[expect(clippy::needless_pass_by_value, reason = "callers make the list in place")]
    pub(crate) fn apply(
        &mut self,
        op: &Op,
        operands: Args<u32>,
        site: u32,
    ) -> Result<u32> {
        self.expect_values(op.tag().name(), &operands)?;
        self.restore_operands(&operands)?;
        let (len, small) = (self.len(), self.small.position());
        let aliases = self.aliases.len();
        let due = self.start_if_due();
        let timed = due.and_then(|_| self.flat_timed(op, &operands, site));
        let (started, result) = match timed {
            Some((started, result)) => (Some(started), result),
            None => (due, self.apply_any(op, operands.clone(), site)),
        };
        if let (Some(started), Ok(_)) = (started, &result) {
            self.note_due(started, len);
        }
        result.map_err(|error| {
            self.drop_rows(len);
            self.aliases.truncate(aliases);
            self.small.go_back(small);
            self.explain(error, &operands)
        })
    }

    fn apply_any(&mut self, op: &Op, operands: Args<u32>, site: u32) -> Result<u32> {
        let (operands, back) = self.prepare(op, operands, site)?;
        let y = self.evaluate(op, &operands, site)?;
        match back {
            None => Ok(y),
            Some(dtype) => {
                let cast = Cast { dtype }.into();
                self.evaluate(&cast, &[Arg::Value(y)], site)
            }
        }
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
            Tag::Gather
            | Tag::ScatterAdd
            | Tag::TakeAlongAxis
            | Tag::AddAlongAxis
            | Tag::SoftmaxCrossEntropy => {
                self.expect_integers(tag, &operands[1..])?;
                0..1
            }
            Tag::Put => {
                self.expect_integers(tag, &operands[2..])?;
                0..2
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
        } else if tag.tier() == Tier::Bits && dtype.is_float() {
            return Err(Error::new(Fault::Unsupported { op: tag.name(), dtype }));
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
                | Tag::ClipMin
                | Tag::ClipMax
                | Tag::Fmax
                | Tag::Fmin
                | Tag::ScatterAdd
                | Tag::AddAlongAxis
                | Tag::Fold
                | Tag::Abs
                | Tag::MatMul => (dtype, back) = (DType::I64, Some(DType::Bool)),
                Tag::Sum | Tag::Prod | Tag::CumSum | Tag::CumProd => dtype = DType::I64,
                Tag::BitwiseNot
                | Tag::BitwiseAnd
                | Tag::BitwiseOr
                | Tag::BitwiseXor => {}
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
                self.view(node).distinct::<i64>().iter().min().copied()
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
        let started = self.start_if_heavy(ty, operands);
        let node = self.compute(op, operands, ty, site)?;
        if let Some(started) = started {
            self.note_heavy(op.tag(), site, started);
        }
        Ok(node)
    }

    /// Evaluates and commits a node that has memory of its own.
    fn compute(
        &mut self,
        op: &Op,
        operands: &[Arg<u32>],
        ty: u32,
        site: u32,
    ) -> Result<u32> {
        if op.tag().tier() != Tier::Unary {
            op.check(&self.views(operands, &mut [0; 2]))?;
        }
        let storage = self.reserve(op.tag(), ty)?;
        let order = self.common_order(op, operands, ty);
        let strides = order.as_ref().map(Order::strides);
        {
            let mut words = [0; 2];
            let mut views = self.views(operands, &mut words);
            let Type { shape, dtype } = self.types.get(ty);
            let mut sizes: &[usize] = shape;
            if let Some(order) = &order {
                views.iter_mut().for_each(|x| *x = order.flat(*x));
                sizes = order.shape();
            }
            // SAFETY: the storage has room for this type and nothing else uses it.
            let out = unsafe { ViewMut::from_raw(storage.first, sizes, *dtype) };
            op.eval(&views, out)?;
            if self.check_finite {
                let strides = strides.as_deref();
                // SAFETY: `eval` wrote every element, in that order.
                let value =
                    unsafe { View::from_raw(storage.first, shape, strides, *dtype) };
                finite::expect(op.tag().name(), self.len(), None, value, site)?;
            }
        }
        let (slot, kind) = match strides {
            None => {
                let kind = storage.kind;
                (self.finish(storage), kind)
            }
            Some(strides) => self.finish_turned(storage, strides),
        };
        Ok(self.commit(op, operands, ty, slot, kind, site))
    }

    /// The order in which a result is computed, if it is not C order: that of the operands
    /// which are more than one value, if it is the same.
    fn common_order(&self, op: &Op, operands: &[Arg<u32>], ty: u32) -> Option<Order> {
        if self.types.extent(ty).bytes < SMALLEST_TURNED || !op.tag().keeps_order() {
            return None;
        }
        let mut words = [0; 2];
        let views = self.views(operands, &mut words);
        let mut views = views.iter().filter(|x| x.len() != 1);
        let first = views.next().filter(|x| x.shape() == &*self.types.get(ty).shape)?;
        let order = Order::of(first)?;
        views.all(|x| Order::of(x).as_ref() == Some(&order)).then_some(order)
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
        self.aliases.push(Alias { first, strides, buffer, is_own: false });
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
        self.views_by(operands, words, |node| self.view(node))
    }

    /// As `views`, where `view` gives those of nodes.
    pub(crate) fn views_by<'a>(
        &self,
        operands: &[Arg<u32>],
        words: &'a mut [u64; 2],
        view: impl Fn(u32) -> View<'a>,
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
                (Arg::Value(node), _) => view(node),
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
    pub(super) fn reserve_row(&mut self, op: Tag) -> Result<()> {
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
    pub(super) fn reserve(&mut self, op: Tag, ty: u32) -> Result<Storage> {
        let bytes = self.types.extent(ty).bytes;
        self.reserve_row(op)?;
        if bytes <= size_of::<u64>() {
            let first = self.rows.next_slot().cast();
            return Ok(Storage { first, slot: 0, kind: Flags::WORD, buffer: None });
        }
        if bytes <= SMALL_BYTES {
            let Some(first) = self.small.allocate(bytes) else {
                return Err(self.no_memory(op, ty));
            };
            let slot = first.addr() as u64;
            return Ok(Storage { first, slot, kind: Flags::SMALL, buffer: None });
        }
        let buffer = if op.reads_value() {
            Buffer::try_long_idle(bytes)
        } else {
            Buffer::try_new(bytes)
        };
        let Some(buffer) = buffer else { return Err(self.no_memory(op, ty)) };
        let first = buffer.data();
        let slot = first.addr() as u64;
        Ok(Storage { first, slot, kind: Flags::BUFFER, buffer: Some(buffer) })
    }

    #[cold]
    pub(super) fn no_memory(&self, op: Tag, ty: u32) -> Error {
        let ty = self.types.get(ty);
        let (op, bytes, shape) = (op.name(), ty.bytes(), ty.shape.to_vec());
        Error::new(Fault::Memory { op, bytes, shape })
    }

    /// Leaves written storage to the row that is pushed next; gives its slot.
    #[inline]
    pub(super) fn finish(&mut self, storage: Storage) -> u64 {
        if let Some(buffer) = storage.buffer {
            // The slot keeps the handle: `drop_rows` takes it back.
            let _ = buffer.into_raw();
            self.holders.push(self.len());
        }
        if storage.kind == Flags::WORD {
            // SAFETY: the row is reserved and its slot was written.
            unsafe { self.rows.next_slot().read() }
        } else {
            storage.slot
        }
    }

    /// As `finish`, for a large value that does not lie in C order; gives how it is read,
    /// too.
    fn finish_turned(&mut self, storage: Storage, strides: Strides) -> (u64, u8) {
        let Storage { first, buffer, .. } = storage;
        let strides = Some(strides);
        self.aliases.push(Alias { first, strides, buffer, is_own: true });
        (self.aliases.len() as u64 - 1, Flags::ALIAS)
    }

    /// Pushes the row of a value that is in its place.
    pub(super) fn commit(
        &mut self,
        op: &Op,
        operands: &[Arg<u32>],
        ty: u32,
        slot: u64,
        kind: u8,
        site: u32,
    ) -> u32 {
        let mut flags = kind | self.keep_for_rule(op.tag(), operands, kind);
        let any_active = operands
            .iter()
            .any(|operand| matches!(*operand, Arg::Value(x) if self.is_active(x)));
        if any_active
            && op.tag().is_differentiable()
            && self.types.extent(ty).dtype.is_float()
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
}
