//! Tables of distinct things that nodes refer to by number.

use crate::dtype::{DType, Scalar};
use crate::ops::{Op, Tag};
use crate::shape::{Shape, Type};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A fast hash for small keys that the process itself makes: multiply and rotate.
#[derive(Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // An odd constant near 2⁶⁴ divided by the golden ratio.
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }
}

pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// Distinct values, numbered in the order of their first use.
pub(crate) struct Interned<T> {
    items: Vec<T>,
    numbers: Map<T, u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Interned { items: Vec::new(), numbers: Map::default() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    /// The number of an item.
    fn number(&mut self, item: &T) -> u32 {
        if let Some(&number) = self.numbers.get(item) {
            return number;
        }
        let number = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(item.clone());
        self.numbers.insert(item.clone(), number);
        number
    }

    fn clear(&mut self) {
        self.items.clear();
        self.numbers.clear();
    }
}

/// Tables are emptied by a clear once they hold more than this many entries.
const KEPT: usize = 4096;

/// The types of nodes. The first four are the scalars, by the order of `DType`.
#[derive(Default)]
pub(crate) struct Types {
    known: Interned<Type>,
    /// The sizes of those known, which most calls need alone.
    extents: Vec<Extent>,
}

/// How much a value of some type holds.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) dtype: DType,
    /// The number of elements.
    pub(crate) len: usize,
    pub(crate) bytes: usize,
}

impl Extent {
    const fn scalar(dtype: DType) -> Self {
        Extent { dtype, len: 1, bytes: dtype.size() }
    }

    fn new(ty: &Type) -> Self {
        Extent { dtype: ty.dtype, len: ty.shape.len(), bytes: ty.bytes() }
    }
}

static SCALARS: [Type; 4] = {
    const fn scalar(dtype: DType) -> Type {
        Type { shape: Shape::scalar(), dtype }
    }
    [scalar(DType::Bool), scalar(DType::I64), scalar(DType::F32), scalar(DType::F64)]
};

static SCALAR_EXTENTS: [Extent; 4] = [
    Extent::scalar(DType::Bool),
    Extent::scalar(DType::I64),
    Extent::scalar(DType::F32),
    Extent::scalar(DType::F64),
];

impl Types {
    /// The number of the rank-0 type.
    #[inline]
    pub(crate) const fn scalar(dtype: DType) -> u32 {
        dtype as u32
    }

    /// The number of a type.
    pub(crate) fn number(&mut self, ty: &Type) -> u32 {
        if ty.shape.ndim() == 0 {
            return Types::scalar(ty.dtype);
        }
        let number = self.known.number(ty);
        if number as usize == self.extents.len() {
            self.extents.push(Extent::new(ty));
        }
        number + SCALARS.len() as u32
    }

    /// The type with this number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> &Type {
        match (number as usize).checked_sub(SCALARS.len()) {
            None => &SCALARS[number as usize],
            Some(k) => &self.known.items[k],
        }
    }

    /// The size of values of the type with this number.
    #[inline]
    pub(crate) fn extent(&self, number: u32) -> Extent {
        match (number as usize).checked_sub(SCALARS.len()) {
            None => SCALAR_EXTENTS[number as usize],
            Some(k) => self.extents[k],
        }
    }

    /// Forgets the types if there are many. No node may refer to one.
    pub(crate) fn shed(&mut self) -> bool {
        let many = self.known.items.len() > KEPT;
        if many {
            self.known.clear();
            self.extents.clear();
        }
        many
    }
}

/// The ops of nodes: plain ones by their tag, others interned with their parameters.
#[derive(Default)]
pub(crate) struct Ops {
    known: Interned<Op>,
}

impl Ops {
    /// The number of an op.
    #[inline]
    pub(crate) fn number(&mut self, op: &Op) -> u32 {
        let tag = op.tag() as u32;
        if tag < Op::PLAIN.len() as u32 {
            return tag;
        }
        self.known.number(op) + Op::PLAIN.len() as u32
    }

    /// The op with this number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> &Op {
        match (number as usize).checked_sub(Op::PLAIN.len()) {
            None => &Op::PLAIN[number as usize],
            Some(k) => &self.known.items[k],
        }
    }

    /// The tag of the op with this number.
    #[inline]
    pub(crate) fn tag(&self, number: u32) -> Tag {
        self.get(number).tag()
    }

    /// Forgets the ops if there are many. No node may refer to one.
    pub(crate) fn shed(&mut self) {
        if self.known.items.len() > KEPT {
            self.known.clear();
        }
    }
}

/// The numbers that ops take as operands, in the order of their use.
#[derive(Default)]
pub(crate) struct Numbers(Vec<Scalar>);

impl Numbers {
    /// The position of a number; a recent equal one is shared.
    #[inline]
    pub(crate) fn position(&mut self, number: Scalar) -> u32 {
        const RECENT: usize = 4;
        let start = self.0.len().saturating_sub(RECENT);
        let same = |known: &Scalar| match (*known, number) {
            // By bits, since a zero has a sign and a NaN equals nothing.
            (Scalar::Float(a), Scalar::Float(b)) => a.to_bits() == b.to_bits(),
            (a, b) => a == b,
        };
        let position = if let Some(k) = self.0[start..].iter().position(same) {
            start + k
        } else {
            self.0.push(number);
            self.0.len() - 1
        };
        position as u32
    }

    #[inline]
    pub(crate) fn get(&self, position: u32) -> Scalar {
        self.0[position as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalar_types_have_fixed_numbers() {
        let mut types = Types::default();
        for dtype in [DType::Bool, DType::I64, DType::F32, DType::F64] {
            let ty = Type::new(Shape::default(), dtype);
            assert_eq!(types.number(&ty), Types::scalar(dtype));
            assert_eq!(types.get(Types::scalar(dtype)), &ty);
        }
        let ty = Type::new(Shape::new(&[2]), DType::F32);
        let number = types.number(&ty);
        assert_eq!(types.number(&ty), number);
        assert_eq!(types.get(number), &ty);
    }

    #[test]
    fn plain_ops_are_listed_in_the_order_of_their_tags() {
        for (k, op) in Op::PLAIN.iter().enumerate() {
            assert_eq!(op.tag() as usize, k);
        }
    }

    #[test]
    fn a_negative_zero_is_a_number_of_its_own() {
        let mut numbers = Numbers::default();
        let a = numbers.position(Scalar::Float(0.0));
        let b = numbers.position(Scalar::Float(-0.0));
        assert_ne!(a, b);
        assert_eq!(numbers.position(Scalar::Float(0.0)), a);
        assert_ne!(numbers.position(Scalar::Int(0)), a);
    }
}
