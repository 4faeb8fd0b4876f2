//! What can be wrong with the subscripts of an `einsum`.

/// A fault in an expression such as `"ij,jk->ik"`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's text says what it is")]
pub enum Subscripts {
    #[error("{found:?} is no subscript")]
    Character { found: char },
    #[error("dots stand in threes, and once in each operand")]
    Dots,
    #[error("it is for {wanted} operands, {given} are given")]
    Operands { wanted: usize, given: usize },
    #[error("subscript {subscript} of the result is in no operand")]
    Unknown { subscript: String },
    #[error("the result has subscript {subscript} twice")]
    Twice { subscript: String },
    #[error("the result has no place for the axes at the operands' dots")]
    DotsDropped,
}
