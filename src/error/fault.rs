//! The faults and their texts.

use super::shown::{aligned, ended, gibibytes, held, join, of_operand, rounded, tuple};
use super::{Operand, Operands, Subscripts};
use crate::dtype::DType;
use std::fmt;
use std::sync::Arc;

/// The faults, each with the values that its text shows.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's text says what it is")]
pub enum Fault {
    #[error("{op}: shapes do not broadcast: {operands}{}", aligned(operands))]
    Broadcast { op: &'static str, operands: Operands },
    #[error(
        "{op}: inner sizes differ: {a} @ {b}: \
         axis {axis_a} has {size_a}, axis {axis_b} has {size_b}"
    )]
    InnerSizes {
        op: &'static str,
        a: Operand,
        b: Operand,
        axis_a: usize,
        axis_b: usize,
        size_a: usize,
        size_b: usize,
    },
    #[error("einsum: {expression:?}: {fault}")]
    Einsum { expression: String, fault: Subscripts },
    #[error("einsum: {subscripts} names {named} axes, {operand} has {ndim}")]
    EinsumAxes { subscripts: String, named: usize, operand: Operand, ndim: usize },
    #[error(
        "einsum: the sizes at subscript {subscript} differ: \
         {size_a} in {a}, {size_b} in {b}"
    )]
    EinsumSizes {
        subscript: String,
        a: Operand,
        b: Operand,
        size_a: usize,
        size_b: usize,
    },
    #[error("{op}: {a} axes of one tensor are paired with {b} of the other")]
    AxesPairs { op: &'static str, a: usize, b: usize },
    #[error("{op}: {a} has {size_a} elements, {b} has {size_b}")]
    Elements { op: &'static str, a: Operand, b: Operand, size_a: usize, size_b: usize },
    #[error("cross: axis {axis} of {operand} has size {size}, not 3")]
    NotThree { operand: Operand, axis: usize, size: usize },
    #[error("matmul: an operand has no axes: {operands}")]
    MatmulScalar { operands: Operands },
    #[error("{op}: axis {axis} is out of range for {ndim} axes")]
    AxisOutOfRange { op: &'static str, axis: isize, ndim: usize },
    #[error("{op}: axis {axis} is given twice")]
    RepeatedAxis { op: &'static str, axis: isize },
    #[error("{op}: {given} axes given for a tensor of {ndim}")]
    AxesCount { op: &'static str, given: usize, ndim: usize },
    #[error(
        "{op}: {operand} has {} elements, {} asks for {wanted}",
        operand.shape.iter().product::<usize>(), tuple(shape)
    )]
    Reshape { op: &'static str, operand: Operand, shape: Vec<usize>, wanted: usize },
    #[error("{op}: {operand} does not split evenly into ({})", join(shape))]
    ReshapeInfer { op: &'static str, operand: Operand, shape: Vec<isize> },
    #[error("{op}: {operand} does not broadcast to {}", tuple(shape))]
    BroadcastTo { op: &'static str, operand: Operand, shape: Vec<usize> },
    #[error("{op}: axis {axis} of {operand} has size {size}, not 1")]
    Squeeze { op: &'static str, operand: Operand, axis: usize, size: usize },
    #[error("{op}: dimension {value} is negative")]
    NegativeDimension { op: &'static str, value: isize },
    #[error("{op}: the size of ({}) overflows", join(shape))]
    SizeOverflow { op: &'static str, shape: Vec<usize> },
    #[error("{op}: {ndim} axes, at most 64 axes are supported")]
    TooManyAxes { op: &'static str, ndim: usize },
    #[error("{op}: {operand} has no elements along the reduced axes")]
    EmptyReduction { op: &'static str, operand: Operand },
    #[error("{op}: needs at least one tensor")]
    NoOperands { op: &'static str },
    #[error("{op}: shapes differ beyond axis {axis}: {operands}")]
    Concatenate { op: &'static str, axis: usize, operands: Operands },
    #[error(
        "{op}: positions of shape {} do not lie within {operand} but along axis {axis}",
        tuple(positions)
    )]
    PositionsShape {
        op: &'static str,
        operand: Operand,
        axis: usize,
        positions: Vec<usize>,
    },
    #[error(
        "index: a mask of shape {} does not fit {operand} from axis {axis} on",
        tuple(mask)
    )]
    MaskShape { operand: Operand, axis: usize, mask: Vec<usize> },
    #[error(
        "repeat: {given} counts for axis {axis} of {operand}, which has size {size}"
    )]
    RepeatCounts { operand: Operand, axis: usize, given: usize, size: usize },
    #[error("{op}: {operand} has {ndim} axes")]
    NotVectorOrMatrix { op: &'static str, operand: Operand, ndim: usize },
    #[error("pad: axis {axis} of {operand} has no elements to repeat")]
    PadOfNothing { operand: Operand, axis: usize },
    #[error("{op}: {given} {what} asked for, there are {limit}")]
    TooMany { op: &'static str, what: &'static str, given: usize, limit: usize },
    #[error("stack: shapes differ: {operands}")]
    Stack { operands: Operands },
    #[error(
        "{op}: the labels have shape {}, {logits} needs {}",
        tuple(labels),
        tuple(wanted)
    )]
    Labels { op: &'static str, logits: Operand, labels: Vec<usize>, wanted: Vec<usize> },
    #[error(
        "{op}: the {what} {found} does not fit {operand}: it needs shape {}",
        tuple(wanted)
    )]
    Companion {
        op: &'static str,
        what: &'static str,
        operand: Operand,
        found: Operand,
        wanted: Vec<usize>,
    },
    #[error(
        "{op}: query, key and value do not fit: {operands}: the last axes of query and \
         key, the ones before of key and value, and the rest must agree"
    )]
    Attention { op: &'static str, operands: Operands },
    #[error("{op}: the shapes of {a} and {b} differ")]
    Unlike { op: &'static str, a: Operand, b: Operand },
    #[error("{op}: {operand} has {} axes, not {wanted}", operand.shape.len())]
    Rank { op: &'static str, operand: Operand, wanted: usize },
    #[error(
        "{op}: {operand} has {} axes, not {wanted}, or {} for one image alone",
        operand.shape.len(),
        wanted - 1
    )]
    Images { op: &'static str, operand: Operand, wanted: usize },
    #[error("{op}: {given} values of {what} for {wanted} axes")]
    PerAxis { op: &'static str, what: &'static str, given: usize, wanted: usize },
    #[error("{op}: {what} must be at least 1, not 0")]
    ZeroParameter { op: &'static str, what: &'static str },
    #[error(
        "{op}: a window that spans {span} does not fit axis {axis} of {operand}, which \
         is {padded} long with its padding"
    )]
    Window {
        op: &'static str,
        operand: Operand,
        axis: usize,
        span: usize,
        padded: usize,
    },
    #[error(
        "{op}: {x} has {} channels, {weight} takes {channels} in each of {groups} groups",
        x.shape[1]
    )]
    Channels {
        op: &'static str,
        x: Operand,
        weight: Operand,
        channels: usize,
        groups: usize,
    },
    #[error(
        "{op}: the {count} channels of {operand} do not split into {groups} groups"
    )]
    Groups { op: &'static str, operand: Operand, count: usize, groups: usize },
    #[error("{op}: {what} of {value} on axis {axis} must be less than {limit}")]
    TooWide {
        op: &'static str,
        what: &'static str,
        axis: usize,
        value: usize,
        limit: usize,
    },
    #[error("{op}: padding leaves nothing of axis {axis}")]
    NothingLeft { op: &'static str, axis: usize },
    #[error("{op}: padding is 'same' only where a window moves over its operand")]
    SameTransposed { op: &'static str },
    #[error("{op}: {operand} has {ndim} axes, {given} are indexed")]
    TooManyIndices { op: &'static str, operand: Operand, ndim: usize, given: usize },
    #[error("{op}: an index has more than one `...`")]
    TwoEllipses { op: &'static str },
    #[error("{op}: {values} does not broadcast to the selected {}", tuple(shape))]
    Selected { op: &'static str, values: Operand, shape: Vec<usize> },
    #[error("{op}: values of {found} would be cut to fit a tensor of {dtype}")]
    Lossy { op: &'static str, found: DType, dtype: DType },
    #[error("{op}: a slice step of 0")]
    ZeroStep { op: &'static str },
    #[error("item: {operand} has {len} elements, not 1")]
    NotOneElement { operand: Operand, len: usize },
    #[error("grad: {operand} is not a scalar")]
    NotScalar { operand: Operand },
    #[error("grad: the seed has shape {}, {operand} needs its own", tuple(seed))]
    SeedShape { operand: Operand, seed: Vec<usize> },
    #[error("{op}: the array has shape {}, {name} has {}", tuple(found), tuple(wanted))]
    ParameterShape {
        op: &'static str,
        name: String,
        found: Vec<usize>,
        wanted: Vec<usize>,
    },
    #[error("{op}: {} values do not fill {}", found, tuple(shape))]
    ValueCount { op: &'static str, found: usize, shape: Vec<usize> },
    #[error("{op}: the array holds {found}, not {wanted}")]
    WrongDType { op: &'static str, found: DType, wanted: DType },
    #[error("{op}: not defined for {dtype}")]
    Unsupported { op: &'static str, dtype: DType },
    #[error("{op}: indices must be i64, not {dtype}")]
    IndexDType { op: &'static str, dtype: DType },
    #[error("{op}: {label} holds {dtype}, which has no gradient")]
    IntegerGradient { op: &'static str, label: String, dtype: DType },
    #[error("{op}: {label} belongs to record {home}, not to record {other}")]
    Foreign { op: &'static str, label: String, home: u64, other: u64 },
    #[error("{op}: {label} was made before the record was {event}")]
    Dead { op: &'static str, label: String, event: Event },
    #[error("{op}: the value of {label} was freed by grad(consume=True)")]
    Consumed { op: &'static str, label: String },
    #[error("rewind: the mark was made before the record was {event}")]
    DeadMark { event: Event },
    #[error("rewind: the mark belongs to record {home}, not to record {other}")]
    ForeignMark { home: u64, other: u64 },
    #[error("{op}: record {record} is in use: {why}")]
    Busy { op: &'static str, record: u64, why: &'static str },
    #[error("{op}: record {record} is closed by an earlier defect of wengert")]
    Poisoned { op: &'static str, record: u64 },
    #[error(
        "grad: the sweep reached {label}, a gradient that was taken without record=True"
    )]
    GradientReached { label: String },
    #[error(
        "grad: {hidden} may lie behind {label}, a gradient that was taken without \
         record=True"
    )]
    GradientBetween { label: String, hidden: String },
    #[error(
        "grad: the sweep needs {label}, whose value an earlier grad(consume=True) freed"
    )]
    ConsumedPath { label: String },
    #[error(
        "grad: consume=True frees the values that a gradient with record=True needs"
    )]
    ConsumeRecorded,
    #[error("wrt: {label} was not among the tensors that grad(wrt=...) asked for")]
    NotAsked { label: String },
    #[error("wrt: no gradient flows from {loss} to {label}: {}", ended(ends, *more))]
    Disconnected { loss: String, label: String, ends: Vec<String>, more: usize },
    #[error(
        "replay: {label} was recorded for {}, not {}",
        tuple(recorded),
        tuple(found)
    )]
    ReplayShape { label: String, recorded: Vec<usize>, found: Vec<usize> },
    #[error("replay: {label} was recorded for {recorded}, not {found}")]
    ReplayDType { label: String, recorded: DType, found: DType },
    #[error("replay: {label} is computed: only leaves and constants take a value")]
    ReplayComputed { label: String },
    #[error(
        "replay: {user} uses {label}, a gradient that was taken without record=True"
    )]
    ReplayGradient { label: String, user: String },
    #[error("{op}: {label} would {}", held(*value, position))]
    NonFinite { op: &'static str, label: String, value: f64, position: Vec<usize> },
    #[error("grad: the cotangent that {label} passes to {to} would {}", held(*value, position))]
    NonFiniteCotangent { label: String, to: String, value: f64, position: Vec<usize> },
    #[error("{op}: index {value} at {} is out of range for size {limit}", position)]
    IndexOutOfRange { op: &'static str, value: i64, position: String, limit: usize },
    #[error("{op}: index {value} at {} is negative", tuple(position))]
    NegativeIndex { op: &'static str, value: i64, position: Vec<usize> },
    #[error("{op}: the mask holds {dtype}, not bool or floats to add")]
    MaskDType { op: &'static str, dtype: DType },
    #[error("power: an integer to the negative integer power {exponent}")]
    NegativePower { exponent: i64 },
    #[error("{op}: {what} must be between 0 and 1, not {value}")]
    NotAFraction { op: &'static str, what: &'static str, value: f64 },
    #[error("{op}: the number {number} does not fit {dtype}")]
    IntegerTooLarge { op: &'static str, number: String, dtype: DType },
    #[error("{op}: no parameter {name:?} in the store")]
    MissingParameter { op: &'static str, name: String },
    #[error("{op}: no memory for {} of shape {}", gibibytes(*bytes), tuple(shape))]
    Memory { op: &'static str, bytes: usize, shape: Vec<usize> },
    #[error("{op}: the record is full: it has 2³¹ nodes")]
    RecordFull { op: &'static str },
    #[error("{rule}: {error}")]
    Raised { rule: String, error: Arc<dyn std::error::Error + Send + Sync> },
    #[error("{op}: there is no {rule}")]
    NoRule { op: &'static str, rule: String },
    #[error(
        "grad: the sweep reached {label}: the vjp of {op} works on arrays, so it has no \
         derivative"
    )]
    VjpOfArrays { label: String, op: &'static str },
    #[error("{rule}: {given} cotangents for {wanted} operands")]
    CotangentCount { rule: String, given: usize, wanted: usize },
    #[error(
        "{rule}: the cotangent of operand {position} has shape {}, {operand} needs its own",
        tuple(found)
    )]
    CotangentShape {
        rule: String,
        position: usize,
        operand: Operand,
        found: Vec<usize>,
    },
    #[error(
        "{rule}: the cotangent of operand {position} holds {found}, {label} needs {wanted}"
    )]
    CotangentDType {
        rule: String,
        position: usize,
        label: String,
        found: DType,
        wanted: DType,
    },
    #[error(
        "{rule}: a cotangent is given for operand {position}, but {label} holds {dtype}, \
         which has none"
    )]
    CotangentOfInteger { rule: String, position: usize, label: String, dtype: DType },
    #[error(
        "{rule}: the tangent has shape {}, the value has {}",
        tuple(found),
        tuple(wanted)
    )]
    TangentShape { rule: String, found: Vec<usize>, wanted: Vec<usize> },
    #[error("{rule}: the tangent holds {found}, the value holds {wanted}")]
    TangentDType { rule: String, found: DType, wanted: DType },
    #[error(
        "{rule}: {}{} by differences, {} by the rule, in a random direction",
        of_operand(*position),
        rounded(*by_differences),
        rounded(*by_rule)
    )]
    WrongRule {
        rule: String,
        position: Option<usize>,
        by_differences: f64,
        by_rule: f64,
    },
    #[error("check: no operand of {op} has elements of a float type")]
    NothingToCheck { op: &'static str },
    #[error(
        "check: the value of {op} has shape {}, close by it has {}",
        tuple(here),
        tuple(nearby)
    )]
    UnsteadyShape { op: &'static str, here: Vec<usize>, nearby: Vec<usize> },
    #[error("interrupted")]
    Interrupted,
    #[error("the process was forked while this was computed: the child cannot go on")]
    Forked,
    #[error("{op}: internal error: {message}")]
    Internal { op: &'static str, message: String },
}

/// What ended the life of a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The record was cleared, or closed by leaving its `with` block.
    Cleared,
    /// The record was rewound to an earlier mark.
    Rewound,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Event::Cleared => "cleared",
            Event::Rewound => "rewound",
        })
    }
}
