//! What can be said of an op without running it.

use super::Tag;

/// One row of the table of ops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpInfo {
    /// The name that messages and printed records know the op by.
    pub name: &'static str,
    /// Its family: `source`, `elementwise`, `compare`, `bits`, `linear`, `rules` or `constant`.
    pub tier: &'static str,
    /// Whether gradients pass through it.
    pub differentiable: bool,
    /// Whether integers keep their type, or are cast to `f64` first.
    pub takes_integers: bool,
    /// What it computes; empty if that is what the function of its name does.
    pub about: &'static str,
}

/// Every op that a record can hold, but for those that users define.
///
/// ```
/// assert!(wengert::op_table().any(|op| op.name == "matmul" && op.tier == "linear"));
/// ```
pub fn op_table() -> impl Iterator<Item = OpInfo> {
    let own = |tag: &&Tag| tag.tier() != Tier::Custom;
    Tag::ALL.iter().filter(own).map(|tag| OpInfo {
        name: tag.name(),
        tier: tag.tier().name(),
        differentiable: tag.is_differentiable(),
        takes_integers: tag.takes_integers(),
        about: tag.about(),
    })
}

/// The family of an op, which says how its derivative is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tier {
    Source,
    /// Defined by the user.
    Custom,
    Unary,
    Binary,
    Compare,
    Bits,
    Linear,
    Rules,
    Constant,
}

impl Tier {
    /// The word for it in the op table.
    fn name(self) -> &'static str {
        match self {
            Tier::Source => "source",
            Tier::Custom => "custom",
            Tier::Unary | Tier::Binary => "elementwise",
            Tier::Compare => "compare",
            Tier::Bits => "bits",
            Tier::Linear => "linear",
            Tier::Rules => "rules",
            Tier::Constant => "constant",
        }
    }
}
