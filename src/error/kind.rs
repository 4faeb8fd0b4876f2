//! The class of each fault, and its remedy.

use super::{Event, Fault};

/// The class of a fault. Python has one exception for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Shapes, axes or sizes that do not fit.
    Shape,
    /// An element type that the operation does not take.
    DType,
    /// A handle that is dead or belongs to another record.
    Handle,
    /// A gradient that cannot be taken.
    Gradient,
    /// An index outside its axis.
    OutOfRange,
    /// A NaN or an infinity in a record that was asked to check for them.
    NonFinite,
    /// A value that an operation refuses, such as an integer to a negative power.
    Value,
    /// A name that is not in a store.
    Missing,
    /// Memory that could not be had.
    Memory,
    /// An error that a rule of the user's gave.
    Raised,
    /// Work that was told to stop.
    Interrupted,
    /// A defect of this crate.
    Internal,
}

impl Fault {
    /// The class of the fault.
    pub fn kind(&self) -> Kind {
        use Fault as F;
        match self {
            F::Broadcast { .. }
            | F::InnerSizes { .. }
            | F::Einsum { .. }
            | F::EinsumAxes { .. }
            | F::EinsumSizes { .. }
            | F::AxesPairs { .. }
            | F::Elements { .. }
            | F::NotThree { .. }
            | F::MatmulScalar { .. }
            | F::AxisOutOfRange { .. }
            | F::RepeatedAxis { .. }
            | F::AxesCount { .. }
            | F::Reshape { .. }
            | F::ReshapeInfer { .. }
            | F::BroadcastTo { .. }
            | F::Squeeze { .. }
            | F::NegativeDimension { .. }
            | F::SizeOverflow { .. }
            | F::TooManyAxes { .. }
            | F::EmptyReduction { .. }
            | F::NoOperands { .. }
            | F::Concatenate { .. }
            | F::Stack { .. }
            | F::PositionsShape { .. }
            | F::Selected { .. }
            | F::TooMany { .. }
            | F::RepeatCounts { .. }
            | F::NotVectorOrMatrix { .. }
            | F::PadOfNothing { .. }
            | F::Labels { .. }
            | F::Companion { .. }
            | F::Attention { .. }
            | F::Unlike { .. }
            | F::Rank { .. }
            | F::Images { .. }
            | F::PerAxis { .. }
            | F::ZeroParameter { .. }
            | F::Window { .. }
            | F::Channels { .. }
            | F::Groups { .. }
            | F::TooWide { .. }
            | F::NothingLeft { .. }
            | F::SameTransposed { .. }
            | F::NotOneElement { .. }
            | F::NotScalar { .. }
            | F::SeedShape { .. }
            | F::ParameterShape { .. }
            | F::ValueCount { .. }
            | F::ReplayShape { .. }
            | F::CotangentCount { .. }
            | F::CotangentShape { .. }
            | F::TangentShape { .. }
            | F::UnsteadyShape { .. }
            | F::ZeroStep { .. } => Kind::Shape,
            F::WrongDType { .. }
            | F::Lossy { .. }
            | F::Unsupported { .. }
            | F::IndexDType { .. }
            | F::ReplayDType { .. }
            | F::CotangentDType { .. }
            | F::CotangentOfInteger { .. }
            | F::TangentDType { .. }
            | F::MaskDType { .. }
            | F::NothingToCheck { .. }
            | F::IntegerGradient { .. } => Kind::DType,
            F::Foreign { .. }
            | F::Dead { .. }
            | F::Consumed { .. }
            | F::DeadMark { .. }
            | F::ForeignMark { .. }
            | F::Busy { .. }
            | F::Poisoned { .. }
            | F::Forked => Kind::Handle,
            F::GradientReached { .. }
            | F::GradientBetween { .. }
            | F::ConsumedPath { .. }
            | F::ConsumeRecorded
            | F::NotAsked { .. }
            | F::Disconnected { .. }
            | F::NoRule { .. }
            | F::WrongRule { .. }
            | F::VjpOfArrays { .. }
            | F::ReplayGradient { .. } => Kind::Gradient,
            F::TooManyIndices { .. }
            | F::MaskShape { .. }
            | F::TwoEllipses { .. }
            | F::NegativeIndex { .. }
            | F::IndexOutOfRange { .. } => Kind::OutOfRange,
            F::NonFinite { .. } | F::NonFiniteCotangent { .. } => Kind::NonFinite,
            F::NegativePower { .. }
            | F::IntegerTooLarge { .. }
            | F::NotAFraction { .. }
            | F::ReplayComputed { .. } => Kind::Value,
            F::MissingParameter { .. } => Kind::Missing,
            F::Memory { .. } | F::RecordFull { .. } => Kind::Memory,
            F::Raised { .. } => Kind::Raised,
            F::Interrupted => Kind::Interrupted,
            F::Internal { .. } => Kind::Internal,
        }
    }

    /// The obvious remedy, if there is one.
    pub(super) fn hint(&self) -> Option<&'static str> {
        use Fault as F;
        Some(match self {
            F::NotScalar { .. } => "take .sum() first, or give grad(seed=...)",
            F::MatmulScalar { .. } => "use * to multiply by a scalar",
            F::IntegerGradient { .. } => "cast with .astype to f32 or f64 first",
            F::IndexDType { .. } => "cast with .astype to i64 first",
            F::Unlike { .. } => "reshape one of them, or allow broadcast",
            F::Lossy { .. } => "cast the values with .astype, or the tensor",
            F::Foreign { op: "wrt" | "connected" | "table" | "to_html", .. } => {
                "a gradient covers only the record it was taken from"
            }
            F::Foreign { .. } => "read its data() into this record",
            F::GradientReached { .. } => {
                "take that gradient with grad(record=True), or stop_gradient it"
            }
            F::GradientBetween { .. } => {
                "take that gradient with grad(record=True), or ask for it alone"
            }
            F::ReplayGradient { .. } => {
                "take that gradient with grad(record=True), or give it a value too"
            }
            F::Consumed { .. } => {
                "read it before that, or take the gradient without consume"
            }
            F::ConsumedPath { .. } => {
                "ask for all gradients in one sweep, or take them without consume"
            }
            F::NotAsked { .. } => "add it to wrt, or call grad() without wrt",
            F::Disconnected { ends, .. } if ends.is_empty() => {
                "what .data() or .item() gave is a new leaf when it is recorded again"
            }
            F::NoRule { op: "check", .. } => "give the op one",
            F::NoRule { .. } => "give the op one, or stop_gradient its value",
            F::VjpOfArrays { .. } => "give the op a vjp that works on tensors",
            F::CotangentOfInteger { .. } => "give None for it",
            F::NotThree { size: 2, .. } => {
                "of vectors of 2, write a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]"
            }
            F::NegativePower { .. } => "cast with .astype to a float type first",
            F::Dead { event: Event::Rewound, .. } => {
                "make it before the mark that the record is rewound to"
            }
            F::Internal { .. } => "this is a defect of wengert: please report it",
            _ => return None,
        })
    }
}
