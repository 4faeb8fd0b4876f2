//! The short way to a node, which most take: elementwise ops on operands of one float
//! type whose elements lie in C order without gaps.

use super::{Arena, FlatNode, NONE, NUMBER};
use crate::array::{View, ViewMut};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels::map::Mode;
use crate::ops::emit::Arg;
use crate::ops::{Op, Tier};
use crate::record::intern::Types;
use crate::record::rows::{Flags, Row};
use crate::shape::Type;
use smallvec::smallvec;

/// An operand of a loop over flat elements.
#[derive(Clone, Copy)]
enum Flat {
    Node { first: *const u8, node: u32 },
    Number(Scalar),
}

impl Arena {
    /// As `apply`, for one operand.
    #[inline(always)]
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
    #[inline(always)]
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
    #[inline(always)]
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
    /// one float type, which is the result's. `flags` are the operands'. Most nodes
    /// take this path, so nothing is looked at twice.
    #[inline(always)]
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
}
