//! Element types and how they combine.

use crate::error::{Error, Fault, Result};
use std::fmt;

/// The element type of an array or tensor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum DType {
    /// `bool`, one byte, 0 or 1.
    Bool,
    /// 64-bit signed integer.
    I64,
    /// 32-bit IEEE 754 binary float.
    F32,
    /// 64-bit IEEE 754 binary float.
    F64,
}

impl DType {
    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            DType::Bool => 1,
            DType::F32 => 4,
            DType::I64 | DType::F64 => 8,
        }
    }

    /// Whether gradients exist for this type.
    pub const fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// The name that messages and printed records use: `f32`, `f64`, `i64`, `bool`.
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::I64 => "i64",
            DType::F32 => "f32",
            DType::F64 => "f64",
        }
    }

    /// The type that holds both operands, by `NumPy` 2's table.
    ///
    /// An `i64` and an `f32` meet in `f64`: no narrower float holds every `i64`.
    #[must_use]
    pub fn promote(self, other: DType) -> DType {
        match (self, other) {
            (DType::I64, DType::F32) | (DType::F32, DType::I64) => DType::F64,
            _ => self.max(other),
        }
    }

    /// The float type that an operation over the reals computes in.
    #[must_use]
    pub fn to_float(self) -> DType {
        if self.is_float() { self } else { DType::F64 }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A number that takes the type of the array it meets, as Python's own numbers do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
}

impl Scalar {
    /// The type that an array of `dtype` and this number compute in: the array's own,
    /// unless the number is of a wider kind.
    pub fn promote(self, dtype: DType) -> DType {
        match (self, dtype) {
            (Scalar::Int(_), DType::Bool) => DType::I64,
            (Scalar::Float(_), DType::Bool | DType::I64) => DType::F64,
            _ => dtype,
        }
    }

    /// The value as `f64`; integers beyond 2⁵³ are rounded.
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Bool(x) => f64::from(u8::from(x)),
            Scalar::Int(x) => x as f64,
            Scalar::Float(x) => x,
        }
    }

    /// The bytes of the value as one element of `dtype`, in the low bytes of a word.
    pub(crate) fn to_bits(self, dtype: DType) -> u64 {
        match dtype {
            DType::F64 => self.to_f64().to_bits(),
            #[expect(clippy::cast_possible_truncation, reason = "rounding is the aim")]
            DType::F32 => u64::from((self.to_f64() as f32).to_bits()),
            DType::I64 => match self {
                Scalar::Bool(x) => u64::from(x),
                Scalar::Int(x) => x.cast_unsigned(),
                #[expect(clippy::cast_possible_truncation, reason = "an explicit cast")]
                Scalar::Float(x) => (x as i64).cast_unsigned(),
            },
            DType::Bool => u64::from(match self {
                Scalar::Bool(x) => x,
                Scalar::Int(x) => x != 0,
                Scalar::Float(x) => x != 0.0,
            }),
        }
    }

    /// The element of type `dtype` whose bytes are the low bytes of `bits`.
    #[expect(clippy::cast_possible_truncation, reason = "the high bytes are unused")]
    pub(crate) fn from_bits(bits: u64, dtype: DType) -> Scalar {
        match dtype {
            DType::F64 => Scalar::Float(f64::from_bits(bits)),
            DType::F32 => Scalar::Float(f64::from(f32::from_bits(bits as u32))),
            DType::I64 => Scalar::Int(bits.cast_signed()),
            DType::Bool => Scalar::Bool(bits as u8 != 0),
        }
    }
}

impl From<f64> for Scalar {
    fn from(x: f64) -> Self {
        Scalar::Float(x)
    }
}

impl From<f32> for Scalar {
    fn from(x: f32) -> Self {
        Scalar::Float(f64::from(x))
    }
}

impl From<i64> for Scalar {
    fn from(x: i64) -> Self {
        Scalar::Int(x)
    }
}

impl From<i32> for Scalar {
    fn from(x: i32) -> Self {
        Scalar::Int(i64::from(x))
    }
}

impl From<bool> for Scalar {
    fn from(x: bool) -> Self {
        Scalar::Bool(x)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for i64 {}
    impl Sealed for bool {}
}

/// A Rust type that an array can hold: `f32`, `f64`, `i64` or `bool`.
pub trait Element:
    sealed::Sealed + Copy + Default + PartialEq + fmt::Debug + Send + Sync + 'static
{
    /// The element type's tag.
    const DTYPE: DType;
}

impl Element for f32 {
    const DTYPE: DType = DType::F32;
}
impl Element for f64 {
    const DTYPE: DType = DType::F64;
}
impl Element for i64 {
    const DTYPE: DType = DType::I64;
}
impl Element for bool {
    const DTYPE: DType = DType::Bool;
}

/// Fails unless `found` is the type of `T`.
pub(crate) fn expect<T: Element>(what: &'static str, found: DType) -> Result<()> {
    if found == T::DTYPE {
        Ok(())
    } else {
        Err(Error::new(Fault::WrongDType { op: what, found, wanted: T::DTYPE }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_is_symmetric_and_follows_numpy() {
        use DType::{Bool, F32, F64, I64};
        for (a, b, wanted) in [
            (Bool, Bool, Bool),
            (Bool, I64, I64),
            (Bool, F32, F32),
            (I64, F32, F64),
            (I64, F64, F64),
            (F32, F64, F64),
            (F32, F32, F32),
        ] {
            assert_eq!(a.promote(b), wanted);
            assert_eq!(b.promote(a), wanted);
        }
    }

    #[test]
    fn a_scalar_is_weak_unless_its_kind_is_wider() {
        assert_eq!(Scalar::Float(1.0).promote(DType::F32), DType::F32);
        assert_eq!(Scalar::Int(1).promote(DType::F32), DType::F32);
        assert_eq!(Scalar::Float(1.0).promote(DType::I64), DType::F64);
        assert_eq!(Scalar::Int(1).promote(DType::Bool), DType::I64);
    }

    #[test]
    fn bits_round_trip() {
        for dtype in [DType::F64, DType::F32, DType::I64, DType::Bool] {
            let one = Scalar::from_bits(Scalar::Int(1).to_bits(dtype), dtype);
            assert!((one.to_f64() - 1.0).abs() < f64::EPSILON);
        }
    }
}
