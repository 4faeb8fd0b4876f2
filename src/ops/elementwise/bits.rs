//! Ops on the bits of integers and on truth values. They have no gradient.

use super::super::declare::{Elementwise, Forwards, Value, op_type};
use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::kernels::map::{Mode, map};
use std::num::Wrapping;
use std::ops::{BitAnd, BitOr, BitXor, Not};

/// What has bits: integers, and truth values, which have one.
pub(crate) trait Bits:
    Copy
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
{
    /// Bits shifted upward; 0 if the distance is negative or beyond the width.
    fn shift_left(self, by: Self) -> Self;
    /// Bits shifted downward; only the sign is left if the distance is negative or
    /// beyond the width.
    fn shift_right(self, by: Self) -> Self;
}

impl Bits for Wrapping<i64> {
    #[inline(always)]
    fn shift_left(self, by: Self) -> Self {
        Wrapping(if (0..64).contains(&by.0) { self.0 << by.0 } else { 0 })
    }
    #[inline(always)]
    fn shift_right(self, by: Self) -> Self {
        Wrapping(self.0 >> if (0..64).contains(&by.0) { by.0 } else { 63 })
    }
}

impl Bits for bool {
    fn shift_left(self, _: Self) -> Self {
        unreachable!("booleans are shifted as integers")
    }
    fn shift_right(self, _: Self) -> Self {
        unreachable!("booleans are shifted as integers")
    }
}

/// The ops on bits of one operand, for the macro `$with`.
macro_rules! bit_ops {
    ($with:ident $($head:tt)*) => { $with! { $($head)*
        /// The bits of an integer inverted; *not* of truth values.
        BitwiseNot bitwise_not try_bitwise_not on Bits {
            example("[0, 5, -1]") = "[-1, -6, 0]";
            value(x) = !x;
        }
    } };
}
pub(crate) use bit_ops;

/// The ops on bits of two operands, for the macro `$with`. Operands broadcast.
macro_rules! bit_pair_ops {
    ($with:ident $($head:tt)*) => { $with! { $($head)*
        /// The bits that both integers have; *and* of truth values.
        BitwiseAnd bitwise_and try_bitwise_and on Bits {
            example("[6, 12]", "[3, 10]") = "[2, 8]";
            value(a, b) = a & b;
        }

        /// The bits that either integer has; *or* of truth values.
        BitwiseOr bitwise_or try_bitwise_or on Bits {
            example("[6, 12]", "[3, 10]") = "[7, 14]";
            value(a, b) = a | b;
        }

        /// The bits that one of the integers has; *either, or* of truth values.
        BitwiseXor bitwise_xor try_bitwise_xor on Bits {
            example("[6, 12]", "[3, 10]") = "[5, 6]";
            value(a, b) = a ^ b;
        }

        /// `a * 2**b` of integers, without the bits beyond the 64th; 0 unless `b` is
        /// from 0 to 63.
        LeftShift left_shift try_left_shift on Bits {
            example("[1, 3]", "[4, 2]") = "[16, 12]";
            value(a, b) = a.shift_left(b);
        }

        /// `floor(a / 2**b)` of integers; 0 or -1 unless `b` is from 0 to 63.
        RightShift right_shift try_right_shift on Bits {
            example("[16, -5]", "[4, 1]") = "[1, -3]";
            value(a, b) = a.shift_right(b);
        }
    } };
}
pub(crate) use bit_pair_ops;

macro_rules! declare_bits {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident on Bits {
            example($($operands:literal),+) = $result:literal;
            value($($x:ident),*) = $value:expr;
        }
    )*) => { $(
        op_type!($(#[$doc])* $Op $name);

        impl<S: Bits> Value<S, { [$(stringify!($x)),*].len() }> for $Op {
            type Output = S;
            #[inline(always)]
            fn value([$($x),*]: [S; [$(stringify!($x)),*].len()]) -> S {
                $value
            }
        }

        impl Elementwise for $Op {
            fn map(x: &[View<'_>], out: ViewMut<'_>, mode: Mode) -> crate::error::Result<()> {
                const N: usize = [$(stringify!($x)),*].len();
                let x = std::array::from_fn::<_, N, _>(|k| x[k]);
                match out.dtype() {
                    DType::I64 => map::<Forwards<$Op>, Wrapping<i64>, N>(x, out, mode),
                    DType::Bool => map::<Forwards<$Op>, bool, N>(x, out, mode),
                    other => unreachable!("{other} has no bits"),
                }
            }
        }
    )* };
}
bit_ops!(declare_bits);
bit_pair_ops!(declare_bits);
