//! Handles to nodes, and the methods that record further ones.

#[macro_use]
mod example;

use super::handle::ComputationRecord;
use super::{Index, Mark, NodeIndex, Reduction, print};
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::{self, Error, Fault, Place, Result};
use crate::ops::affine::Activation;
use crate::ops::elementwise::{binary_ops, compare_ops, unary_ops};
use crate::ops::emit::Arg;
use crate::ops::{Op, Tag};
use smallvec::SmallVec;
use std::fmt;

/// A position in a record: a value, and how it came about.
#[derive(Clone, Copy)]
#[must_use = "the node is recorded, but nothing reads it"]
pub struct Tensor<'rec> {
    record: &'rec ComputationRecord,
    index: u32,
}

/// What an operation takes beside a tensor: a tensor of the same record, or a number,
/// which then has the tensor's element type.
pub trait IntoOperand<'rec> {
    #[doc(hidden)]
    fn into_operand(self) -> AnyOperand<'rec>;
}

/// See [`IntoOperand`].
#[doc(hidden)]
pub enum AnyOperand<'rec> {
    Tensor(Tensor<'rec>),
    Number(Scalar),
}

impl<'rec> IntoOperand<'rec> for Tensor<'rec> {
    fn into_operand(self) -> AnyOperand<'rec> {
        AnyOperand::Tensor(self)
    }
}

impl<'rec> IntoOperand<'rec> for &Tensor<'rec> {
    fn into_operand(self) -> AnyOperand<'rec> {
        AnyOperand::Tensor(*self)
    }
}

macro_rules! number_operands {
    ($($number:ty)*) => { $(
        impl<'rec> IntoOperand<'rec> for $number {
            fn into_operand(self) -> AnyOperand<'rec> {
                AnyOperand::Number(self.into())
            }
        }
    )* };
}
number_operands!(f64 f32 i64 i32 bool);

impl<'rec> Tensor<'rec> {
    /// The handle to a node of the record.
    pub(crate) fn new(record: &'rec ComputationRecord, index: u32) -> Self {
        Tensor { record, index }
    }

    /// The record that the tensor is a position of.
    pub fn record(&self) -> &'rec ComputationRecord {
        self.record
    }

    /// The tensor's position in the record.
    pub fn index(&self) -> usize {
        self.index as usize
    }

    /// The position, for a call on `record`; an error if the tensor belongs to another.
    pub(crate) fn node_of(
        self,
        op: &'static str,
        record: &ComputationRecord,
    ) -> Result<u32> {
        if std::ptr::eq(self.record, record) {
            return Ok(self.index);
        }
        let arena = self.record.arena.borrow();
        let (label, place) = (arena.label(self.index), arena.site(self.index));
        let other = record.arena.borrow().id();
        let fault =
            Fault::Foreign { op, label: label.clone(), home: arena.id(), other };
        drop(arena);
        let error = Error::new(fault).recorded_at(label, Place::Site(place));
        Err(self.record.resolve(error))
    }

    fn operand(
        self,
        op: &'static str,
        operand: impl IntoOperand<'rec>,
    ) -> Result<Arg<u32>> {
        Ok(match operand.into_operand() {
            AnyOperand::Tensor(tensor) => Arg::Value(tensor.node_of(op, self.record)?),
            AnyOperand::Number(number) => Arg::Number(number),
        })
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> Vec<usize> {
        self.record.arena.borrow().ty(self.index).shape.to_vec()
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.record.arena.borrow().ty(self.index).dtype
    }

    /// The value. Large ones are shared with the record, small ones copied.
    ///
    /// # Panics
    /// If memory for a copy cannot be had.
    #[track_caller]
    pub fn data(&self) -> NdArray {
        error::expect(self.try_data())
    }

    /// As `data`; an error if memory for a copy cannot be had.
    pub fn try_data(&self) -> Result<NdArray> {
        let found = self.record.arena.borrow().data(self.index);
        found.map_err(|error| self.record.resolve(error))
    }

    /// The value of a tensor of one element.
    ///
    /// # Panics
    /// If it has another number of elements.
    #[track_caller]
    pub fn item(&self) -> f64 {
        error::expect(self.try_item()).to_f64()
    }

    /// As `item`, as a number of the tensor's own kind.
    #[track_caller]
    pub fn try_item(&self) -> Result<Scalar> {
        let tensor = [Arg::Value(self.index)];
        self.record.run(|arena, _| {
            arena.expect_value("item", self.index)?;
            arena.view(self.index).item().map_err(|error| arena.explain(error, &tensor))
        })
    }

    #[track_caller]
    fn apply_unary(self, op: &Op) -> Result<Tensor<'rec>> {
        self.record.node(|arena, site| arena.unary(op, self.index, site))
    }

    #[track_caller]
    fn apply_binary(
        self,
        op: &Op,
        other: impl IntoOperand<'rec>,
    ) -> Result<Tensor<'rec>> {
        let other = self.operand(op.tag().name(), other)?;
        let this = Arg::Value(self.index);
        self.record.node(|arena, site| match op {
            Op::Power => arena.power(this, other, site),
            _ => arena.binary(op, this, other, site),
        })
    }

    /// As `apply_binary`, with a number on the left.
    #[track_caller]
    fn apply_reversed(self, op: &Op, left: Scalar) -> Result<Tensor<'rec>> {
        let this = Arg::Value(self.index);
        self.record.node(|arena, site| arena.binary(op, Arg::Number(left), this, site))
    }
}

macro_rules! unary_methods {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident on $domain:ident {
            example($x:literal) = $y:literal;
            $($rule:tt)*
        }
    )*) => {
        /// Elementwise ops of one operand.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
            #[doc = example!($name on $domain ($x) = $y)]
            #[track_caller]
            pub fn $name(&self) -> Tensor<'rec> {
                error::expect(self.$fallible())
            }

            #[doc = concat!("As `", stringify!($name), "`; an error records nothing.")]
            #[track_caller]
            pub fn $fallible(&self) -> Result<Tensor<'rec>> {
                self.apply_unary(&Op::$Op)
            }
        )* }
    };
}
unary_ops!(unary_methods);

macro_rules! binary_methods {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident $(on $domain:ident)? {
            example($a:literal, $b:literal) = $y:literal;
            $($rule:tt)*
        }
    )*) => {
        /// Elementwise ops of two operands, which broadcast.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
            $(#[doc = example!($name on $domain ($a, $b) = $y)])?
            #[track_caller]
            pub fn $name(&self, b: impl IntoOperand<'rec>) -> Tensor<'rec> {
                error::expect(self.$fallible(b))
            }

            #[doc = concat!("As `", stringify!($name), "`; an error records nothing.")]
            #[track_caller]
            pub fn $fallible(&self, b: impl IntoOperand<'rec>) -> Result<Tensor<'rec>> {
                self.apply_binary(&Op::$Op, b)
            }
        )* }
    };
}
binary_ops!(binary_methods);
compare_ops!(binary_methods);

/// A method and its fallible twin, from one body.
macro_rules! methods {
    ($(
        $(#[$doc:meta])*
        $name:ident $fallible:ident ($($arg:ident: $t:ty),*)
        |$this:ident, $arena:ident, $site:ident| $body:expr;
    )*) => {
        /// Reductions, shapes, indexing and products.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self $(, $arg: $t)*) -> Tensor<'rec> {
                error::expect(self.$fallible($($arg),*))
            }

            #[doc = concat!("As `", stringify!($name), "`; an error records nothing.")]
            #[track_caller]
            pub fn $fallible(&self $(, $arg: $t)*) -> Result<Tensor<'rec>> {
                let $this = self.index;
                self.record.node(|$arena, $site| $body)
            }
        )* }
    };
}

methods! {
    /// Sum of all elements.
    sum try_sum() |x, arena, site| arena.reduce(Reduction::Sum, x, None, false, site);

    /// Sum over axes; `keepdims` keeps them with size 1.
    sum_axes try_sum_axes(axes: &[isize], keepdims: bool)
    |x, arena, site| arena.reduce(Reduction::Sum, x, Some(axes), keepdims, site);

    /// Mean of all elements.
    mean try_mean() |x, arena, site| arena.reduce(Reduction::Mean, x, None, false, site);

    /// Mean over axes; `keepdims` keeps them with size 1.
    mean_axes try_mean_axes(axes: &[isize], keepdims: bool)
    |x, arena, site| arena.reduce(Reduction::Mean, x, Some(axes), keepdims, site);

    /// Largest element; at ties the cotangent is split equally.
    max try_max() |x, arena, site| arena.reduce(Reduction::Max, x, None, false, site);

    /// Largest elements over axes; at ties the cotangent is split equally.
    max_axes try_max_axes(axes: &[isize], keepdims: bool)
    |x, arena, site| arena.reduce(Reduction::Max, x, Some(axes), keepdims, site);

    /// `log(sum(exp(x)))` over axes, without overflow.
    logsumexp try_logsumexp(axes: &[isize], keepdims: bool)
    |x, arena, site| arena.reduce(Reduction::LogSumExp, x, Some(axes), keepdims, site);

    /// Index of the largest element along an axis; the first at ties.
    argmax try_argmax(axis: isize)
    |x, arena, site| arena.argmax(x, Some(axis), false, site);

    /// `exp(x) / sum(exp(x))` along an axis, without overflow.
    softmax try_softmax(axis: isize)
    |x, arena, site| arena.softmax(x, axis, false, site);

    /// `x - logsumexp(x)` along an axis, without overflow.
    log_softmax try_log_softmax(axis: isize)
    |x, arena, site| arena.softmax(x, axis, true, site);

    /// The elements, in C order, by another shape; one size may be −1.
    reshape try_reshape(shape: &[isize])
    |x, arena, site| arena.reshape(x, shape, site);

    /// The axes in reverse order.
    t try_t() |x, arena, site| arena.transpose(x, None, site);

    /// Axis `k` of the result is axis `axes[k]` of the tensor.
    transpose try_transpose(axes: &[isize])
    |x, arena, site| arena.transpose(x, Some(axes), site);

    /// Two axes exchanged.
    swapaxes try_swapaxes(a: isize, b: isize)
    |x, arena, site| arena.swapaxes(x, a, b, site);

    /// A new axis of size 1 at a position of the result.
    expand_dims try_expand_dims(axis: isize)
    |x, arena, site| arena.expand_dims(x, &[axis], site);

    /// Without an axis of size 1.
    squeeze try_squeeze(axis: isize)
    |x, arena, site| arena.squeeze(x, Some(&[axis]), site);

    /// Repeated along axes of size 1 and along new leading ones.
    broadcast_to try_broadcast_to(shape: &[usize])
    |x, arena, site| arena.broadcast_to(x, shape, site);

    /// The elements that an index selects, by NumPy's rules.
    get try_get(index: &[Index]) |x, arena, site| arena.index(x, index, site);

    /// The elements as another type; a gradient passes between floats.
    cast try_cast(dtype: DType) |x, arena, site| arena.astype(x, dtype, site);

    /// The value as a constant: no gradient passes.
    stop_gradient try_stop_gradient() |x, arena, site| arena.stop_gradient(x, site);
}

mod arrange;
mod assign;
mod elementwise;
mod linear;
mod network;
mod statistics;
mod windows;

pub use linear::{einsum, try_einsum};

/// Operations on several tensors.
impl<'rec> Tensor<'rec> {
    /// Matrix product by `NumPy`'s rules.
    #[track_caller]
    pub fn matmul(&self, b: &Tensor<'rec>) -> Tensor<'rec> {
        error::expect(self.try_matmul(b))
    }

    /// As `matmul`; an error records nothing.
    #[track_caller]
    pub fn try_matmul(&self, b: &Tensor<'rec>) -> Result<Tensor<'rec>> {
        let b = b.node_of(Tag::MatMul.name(), self.record)?;
        self.record.node(|arena, site| arena.matmul(self.index, b, site))
    }

    /// `activation(self @ weight + bias)`, a layer: one op for rows `(..., k)`, a weight
    /// `(k, n)` and a bias `(n,)`, otherwise those that it consists of.
    ///
    /// ```
    /// use wengert::{Activation, ComputationRecord, DType};
    /// let record = ComputationRecord::new();
    /// let x = record.ones(&[1, 2], DType::F64);
    /// let weight = record.ones(&[2, 3], DType::F64);
    /// let bias = record.ones(&[3], DType::F64);
    /// let y = x.linear(&weight, Some(&bias), Some(Activation::Relu));
    /// assert_eq!(y.data().to_vec::<f64>(), [3.0; 3]);
    /// ```
    #[track_caller]
    pub fn linear(
        &self,
        weight: &Tensor<'rec>,
        bias: Option<&Tensor<'rec>>,
        activation: Option<Activation>,
    ) -> Tensor<'rec> {
        error::expect(self.try_linear(weight, bias, activation))
    }

    /// As `linear`; an error records nothing.
    #[track_caller]
    pub fn try_linear(
        &self,
        weight: &Tensor<'rec>,
        bias: Option<&Tensor<'rec>>,
        activation: Option<Activation>,
    ) -> Result<Tensor<'rec>> {
        let name = Tag::Affine.name();
        let weight = weight.node_of(name, self.record)?;
        let bias = bias.map(|bias| bias.node_of(name, self.record)).transpose()?;
        self.record.node(|arena, site| {
            arena.linear(self.index, weight, bias, activation, site)
        })
    }

    /// `a` where this boolean tensor is true, otherwise `b`; all broadcast.
    #[track_caller]
    pub fn choose(
        &self,
        a: impl IntoOperand<'rec>,
        b: impl IntoOperand<'rec>,
    ) -> Tensor<'rec> {
        error::expect(self.try_choose(a, b))
    }

    /// As `choose`; an error records nothing.
    #[track_caller]
    pub fn try_choose(
        &self,
        a: impl IntoOperand<'rec>,
        b: impl IntoOperand<'rec>,
    ) -> Result<Tensor<'rec>> {
        let op = Tag::Where.name();
        let (a, b) = (self.operand(op, a)?, self.operand(op, b)?);
        self.record.node(|arena, site| arena.choose(self.index, a, b, site))
    }

    /// `logsumexp(row) - row[label]` for each row of the last axis and its `i64` label.
    #[track_caller]
    pub fn softmax_cross_entropy(&self, labels: &Tensor<'rec>) -> Tensor<'rec> {
        error::expect(self.try_softmax_cross_entropy(labels))
    }

    /// As `softmax_cross_entropy`; an error records nothing.
    #[track_caller]
    pub fn try_softmax_cross_entropy(
        &self,
        labels: &Tensor<'rec>,
    ) -> Result<Tensor<'rec>> {
        let labels = labels.node_of(Tag::SoftmaxCrossEntropy.name(), self.record)?;
        self.record
            .node(|arena, site| arena.softmax_cross_entropy(self.index, labels, site))
    }

    /// The elements at the positions in an `i64` tensor, along the first axis.
    #[track_caller]
    pub fn take(&self, positions: &Tensor<'rec>) -> Tensor<'rec> {
        error::expect(self.try_take(positions))
    }

    /// As `take`; an error records nothing.
    #[track_caller]
    pub fn try_take(&self, positions: &Tensor<'rec>) -> Result<Tensor<'rec>> {
        let positions = Index::Node(NodeIndex(positions.node_of("take", self.record)?));
        self.record.node(|arena, site| arena.index(self.index, &[positions], site))
    }
}

/// The tensors behind one another along an axis.
///
/// # Panics
/// If there are none, their shapes differ elsewhere, or their records differ.
#[track_caller]
pub fn concatenate<'rec>(parts: &[Tensor<'rec>], axis: isize) -> Tensor<'rec> {
    error::expect(try_concatenate(parts, axis))
}

/// As `concatenate`; an error records nothing.
#[track_caller]
pub fn try_concatenate<'rec>(
    parts: &[Tensor<'rec>],
    axis: isize,
) -> Result<Tensor<'rec>> {
    let op = Tag::Concatenate.name();
    let (record, nodes) = nodes_of(op, parts)?;
    record.node(|arena, site| arena.concatenate(&nodes, axis, site))
}

/// The tensors, of one shape, along a new axis.
///
/// # Panics
/// If there are none, their shapes differ, or their records differ.
#[track_caller]
pub fn stack<'rec>(parts: &[Tensor<'rec>], axis: isize) -> Tensor<'rec> {
    error::expect(try_stack(parts, axis))
}

/// As `stack`; an error records nothing.
#[track_caller]
pub fn try_stack<'rec>(parts: &[Tensor<'rec>], axis: isize) -> Result<Tensor<'rec>> {
    let (record, nodes) = nodes_of("stack", parts)?;
    record.node(|arena, site| arena.stack(&nodes, axis, site))
}

/// The positions of tensors of one record.
pub(crate) fn nodes_of<'rec>(
    op: &'static str,
    parts: &[Tensor<'rec>],
) -> Result<(&'rec ComputationRecord, SmallVec<[u32; 8]>)> {
    let Some(first) = parts.first() else {
        return Err(Error::new(Fault::NoOperands { op }));
    };
    let record = first.record;
    let nodes =
        parts.iter().map(|part| part.node_of(op, record)).collect::<Result<_>>()?;
    Ok((record, nodes))
}

macro_rules! operators {
    ($($Trait:ident $method:ident $op:ident;)*) => { $(
        impl<'rec, B: IntoOperand<'rec>> std::ops::$Trait<B> for Tensor<'rec> {
            type Output = Tensor<'rec>;
            #[track_caller]
            fn $method(self, b: B) -> Tensor<'rec> {
                error::expect(self.apply_binary(&Op::$op, b))
            }
        }

        impl<'rec, B: IntoOperand<'rec>> std::ops::$Trait<B> for &Tensor<'rec> {
            type Output = Tensor<'rec>;
            #[track_caller]
            fn $method(self, b: B) -> Tensor<'rec> {
                error::expect(self.apply_binary(&Op::$op, b))
            }
        }

        operators!(numbers $Trait $method $op: f64 f32 i64 i32);
    )* };
    (numbers $Trait:ident $method:ident $op:ident: $($number:ident)*) => { $(
        impl<'rec> std::ops::$Trait<Tensor<'rec>> for $number {
            type Output = Tensor<'rec>;
            #[track_caller]
            fn $method(self, b: Tensor<'rec>) -> Tensor<'rec> {
                error::expect(b.apply_reversed(&Op::$op, self.into()))
            }
        }

        impl<'rec> std::ops::$Trait<&Tensor<'rec>> for $number {
            type Output = Tensor<'rec>;
            #[track_caller]
            fn $method(self, b: &Tensor<'rec>) -> Tensor<'rec> {
                error::expect(b.apply_reversed(&Op::$op, self.into()))
            }
        }
    )* };
}
operators! {
    Add add Add;
    Sub sub Subtract;
    Mul mul Multiply;
    Div div Divide;
}

impl<'rec> std::ops::Neg for Tensor<'rec> {
    type Output = Tensor<'rec>;
    #[track_caller]
    fn neg(self) -> Tensor<'rec> {
        self.negative()
    }
}

impl<'rec> std::ops::Neg for &Tensor<'rec> {
    type Output = Tensor<'rec>;
    #[track_caller]
    fn neg(self) -> Tensor<'rec> {
        self.negative()
    }
}

/// One line: node, op, type and a summary of the value.
impl fmt::Debug for Tensor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print::tensor(&self.record.arena.borrow(), self.index))
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark after {} nodes", self.len())
    }
}
