//! Ops as types, for the operators of tensors.

use crate::ops::Op;
use crate::ops::linalg::MatMul;

/// An op that is known when the bindings are compiled, so that what follows
/// from it is worked out then.
pub(super) trait Fixed {
    const OP: &'static Op;
}

macro_rules! fixed {
    ($($Name:ident: $op:expr;)*) => { $(
        pub(super) struct $Name;
        impl Fixed for $Name {
            const OP: &'static Op = &$op;
        }
    )* };
}
fixed! {
    Add: Op::Add;
    Subtract: Op::Subtract;
    Multiply: Op::Multiply;
    Divide: Op::Divide;
    Power: Op::Power;
    Product: Op::MatMul(MatMul);
    Equal: Op::Equal;
    NotEqual: Op::NotEqual;
    Less: Op::Less;
    LessEqual: Op::LessEqual;
    Greater: Op::Greater;
    GreaterEqual: Op::GreaterEqual;
    Remainder: Op::Remainder;
    And: Op::BitwiseAnd;
    Or: Op::BitwiseOr;
    Xor: Op::BitwiseXor;
    LeftShift: Op::LeftShift;
    RightShift: Op::RightShift;
}
