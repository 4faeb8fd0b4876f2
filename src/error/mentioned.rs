//! What the text of a fault mentions, to be called by another name.

use super::{Fault, Operand};

impl Fault {
    /// The name by which the text speaks of the call.
    pub(super) fn op_mut(&mut self) -> Option<&mut &'static str> {
        use Fault as F;
        match self {
            F::Broadcast { op, .. }
            | F::InnerSizes { op, .. }
            | F::AxesPairs { op, .. }
            | F::Elements { op, .. }
            | F::AxisOutOfRange { op, .. }
            | F::RepeatedAxis { op, .. }
            | F::AxesCount { op, .. }
            | F::Reshape { op, .. }
            | F::ReshapeInfer { op, .. }
            | F::BroadcastTo { op, .. }
            | F::Squeeze { op, .. }
            | F::NegativeDimension { op, .. }
            | F::SizeOverflow { op, .. }
            | F::TooManyAxes { op, .. }
            | F::EmptyReduction { op, .. }
            | F::NoOperands { op, .. }
            | F::Concatenate { op, .. }
            | F::PositionsShape { op, .. }
            | F::NotVectorOrMatrix { op, .. }
            | F::TooMany { op, .. }
            | F::Labels { op, .. }
            | F::Companion { op, .. }
            | F::Attention { op, .. }
            | F::Unlike { op, .. }
            | F::Rank { op, .. }
            | F::PerAxis { op, .. }
            | F::ZeroParameter { op, .. }
            | F::Window { op, .. }
            | F::Channels { op, .. }
            | F::Groups { op, .. }
            | F::TooWide { op, .. }
            | F::NothingLeft { op, .. }
            | F::SameTransposed { op, .. }
            | F::TooManyIndices { op, .. }
            | F::TwoEllipses { op, .. }
            | F::Selected { op, .. }
            | F::Lossy { op, .. }
            | F::ZeroStep { op, .. }
            | F::ParameterShape { op, .. }
            | F::ValueCount { op, .. }
            | F::WrongDType { op, .. }
            | F::Unsupported { op, .. }
            | F::IndexDType { op, .. }
            | F::IntegerGradient { op, .. }
            | F::Foreign { op, .. }
            | F::Dead { op, .. }
            | F::Consumed { op, .. }
            | F::Busy { op, .. }
            | F::Poisoned { op, .. }
            | F::IndexOutOfRange { op, .. }
            | F::NotAFraction { op, .. }
            | F::IntegerTooLarge { op, .. }
            | F::MissingParameter { op, .. }
            | F::Memory { op, .. }
            | F::RecordFull { op, .. } => Some(op),
            _ => None,
        }
    }

    /// The operands that the text shows, by their position in the call.
    pub(super) fn operand_mut(&mut self, position: usize) -> Option<&mut Operand> {
        use Fault as F;
        match self {
            F::Broadcast { operands, .. }
            | F::Attention { operands, .. }
            | F::MatmulScalar { operands }
            | F::Concatenate { operands, .. }
            | F::Stack { operands } => operands.0.get_mut(position),
            F::InnerSizes { a, b, .. }
            | F::EinsumSizes { a, b, .. }
            | F::Elements { a, b, .. }
            | F::Unlike { a, b, .. }
            | F::Channels { x: a, weight: b, .. }
            | F::Companion { operand: a, found: b, .. } => match position {
                0 => Some(a),
                1 => Some(b),
                _ => None,
            },
            F::Reshape { operand, .. }
            | F::ReshapeInfer { operand, .. }
            | F::BroadcastTo { operand, .. }
            | F::Squeeze { operand, .. }
            | F::EmptyReduction { operand, .. }
            | F::Rank { operand, .. }
            | F::Images { operand, .. }
            | F::Window { operand, .. }
            | F::Groups { operand, .. }
            | F::PositionsShape { operand, .. }
            | F::MaskShape { operand, .. }
            | F::RepeatCounts { operand, .. }
            | F::NotVectorOrMatrix { operand, .. }
            | F::PadOfNothing { operand, .. }
            | F::TooManyIndices { operand, .. }
            | F::NotOneElement { operand, .. }
            | F::EinsumAxes { operand, .. }
            | F::NotThree { operand, .. }
            | F::NotScalar { operand }
            | F::CotangentShape { operand, .. }
            | F::SeedShape { operand, .. } => (position == 0).then_some(operand),
            F::Labels { logits: operand, .. } | F::Selected { values: operand, .. } => {
                (position == 0).then_some(operand)
            }
            _ => None,
        }
    }

    /// The fault with its operands known by their shapes alone.
    #[cfg(feature = "python")]
    pub(crate) fn without_labels(mut self) -> Self {
        let mut position = 0;
        while let Some(operand) = self.operand_mut(position) {
            operand.label = None;
            position += 1;
        }
        self
    }
}
