//! The Rust face: a record, and handles that cannot outlive it.

use super::arena::{Arena, Mark};
use super::compose::{Index, Reduction};
use super::intern::Map;
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::{self, Error, Fault, Place, Result};
use crate::ops::elementwise::{binary_ops, compare_ops, unary_ops};
use crate::ops::emit::Arg;
use crate::ops::{Op, Tag};
use crate::rng::Rng;
use smallvec::SmallVec;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashSet;
use std::fmt::{self, Write};
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

/// A computation record (Wengert list): it owns every value of a computation, and what
/// is needed to differentiate it.
///
/// Tensors are positions in it. They borrow it, so none outlives it:
///
/// ```compile_fail,E0597
/// use wengert::prelude::*;
/// let escaped = {
///     let rec = ComputationRecord::new();
///     rec.tensor_from_value(NdArray::from_slice(&[1.0]))
/// };
/// escaped.data();
/// ```
/// ```
/// use wengert::prelude::*;
/// let rec = ComputationRecord::new();
/// let kept = {
///     rec.tensor_from_value(NdArray::from_slice(&[1.0]))
/// };
/// kept.data();
/// ```
///
/// and it is not cleared while one is in use:
///
/// ```compile_fail,E0502
/// use wengert::prelude::*;
/// let mut rec = ComputationRecord::new();
/// let x = rec.tensor_from_value(NdArray::from_slice(&[1.0]));
/// rec.clear();
/// x.data();
/// ```
/// ```
/// use wengert::prelude::*;
/// let mut rec = ComputationRecord::new();
/// let x = rec.tensor_from_value(NdArray::from_slice(&[1.0]));
/// x.data();
/// rec.clear();
/// ```
pub struct ComputationRecord<A = NdArray> {
    arena: RefCell<Arena>,
    sites: RefCell<Sites>,
    names: RefCell<Names>,
    rng: OnceCell<Rng>,
    layers: Cell<usize>,
    storage: PhantomData<A>,
}

/// The places in the user's source from which nodes were recorded.
#[derive(Default)]
struct Sites {
    lines: Vec<&'static Location<'static>>,
    numbers: Map<usize, u32>,
    last: Option<(&'static Location<'static>, u32)>,
}

impl Sites {
    fn number(&mut self, line: &'static Location<'static>) -> u32 {
        match self.last {
            Some((last, number)) if std::ptr::eq(last, line) => return number,
            _ => {}
        }
        let lines = &mut self.lines;
        let number =
            *self.numbers.entry(std::ptr::from_ref(line).addr()).or_insert_with(|| {
                lines.push(line);
                lines.len() as u32 - 1
            });
        self.last = Some((line, number));
        number
    }

    fn line(&self, site: u32) -> String {
        match self.lines.get(site as usize) {
            Some(line) => format!("{}:{}", line.file(), line.line()),
            None => "an unknown place".into(),
        }
    }
}

/// The names of parameters. Each is made once, since every pass gives them again.
#[derive(Default)]
struct Names {
    known: HashSet<Arc<str>>,
    text: String,
}

impl Names {
    /// More names than this are not remembered.
    const KEPT: usize = 4096;

    fn get(&mut self, name: fmt::Arguments<'_>) -> Arc<str> {
        self.text.clear();
        let _ = self.text.write_fmt(name);
        if let Some(known) = self.known.get(self.text.as_str()) {
            return Arc::clone(known);
        }
        let name: Arc<str> = self.text.as_str().into();
        if self.known.len() < Names::KEPT {
            self.known.insert(Arc::clone(&name));
        }
        name
    }
}

impl ComputationRecord {
    /// An empty record.
    pub fn new() -> Self {
        ComputationRecord {
            arena: RefCell::new(Arena::new()),
            sites: RefCell::default(),
            names: RefCell::default(),
            rng: OnceCell::new(),
            layers: Cell::new(0),
            storage: PhantomData,
        }
    }

    /// An empty record whose random numbers come from `rng`.
    pub fn with_rng(rng: &Rng) -> Self {
        let record = ComputationRecord::new();
        record.rng.get_or_init(|| rng.clone());
        record
    }

    /// The stream of random numbers; without one of the user's its seed comes from the
    /// operating system.
    pub fn rng(&self) -> &Rng {
        self.rng.get_or_init(Rng::from_os)
    }

    /// The number of a layer: layers are counted by order of creation.
    pub(crate) fn next_layer(&self) -> usize {
        self.layers.replace(self.layers.get() + 1)
    }

    /// Records a leaf: a value that has a gradient, if it holds floats.
    ///
    /// A large array is shared, not copied; nobody can change it.
    #[track_caller]
    pub fn tensor_from_value(&self, value: impl Into<NdArray>) -> Tensor<'_> {
        error::expect(self.try_tensor_from_value(value))
    }

    /// As `tensor_from_value`; an error if memory cannot be had.
    #[track_caller]
    pub fn try_tensor_from_value(
        &self,
        value: impl Into<NdArray>,
    ) -> Result<Tensor<'_>> {
        self.source(&Op::Tensor, &value.into(), None)
    }

    /// Records a value that has no gradient.
    #[track_caller]
    pub fn constant(&self, value: impl Into<NdArray>) -> Tensor<'_> {
        error::expect(self.try_constant(value))
    }

    /// As `constant`; an error if memory cannot be had.
    #[track_caller]
    pub fn try_constant(&self, value: impl Into<NdArray>) -> Result<Tensor<'_>> {
        self.source(&Op::Constant, &value.into(), None)
    }

    /// Records a leaf with a name, which messages and the printed record show.
    #[track_caller]
    pub fn parameter(&self, name: &str, value: impl Into<NdArray>) -> Tensor<'_> {
        let name = self.name(format_args!("{name}"));
        error::expect(self.try_parameter(&name, &value.into()))
    }

    /// As `parameter`, by a name that [`ComputationRecord::name`] gave.
    #[track_caller]
    pub(crate) fn try_parameter(
        &self,
        name: &Arc<str>,
        value: &NdArray,
    ) -> Result<Tensor<'_>> {
        self.source(&Op::Parameter, value, Some(Arc::clone(name)))
    }

    /// A name, shared with those who asked for it before.
    pub(crate) fn name(&self, name: fmt::Arguments<'_>) -> Arc<str> {
        self.names.borrow_mut().get(name)
    }

    /// Records a leaf of zeros.
    #[track_caller]
    pub fn zeros(&self, shape: &[usize], dtype: DType) -> Tensor<'_> {
        self.tensor_from_value(error::expect(NdArray::zeros(shape, dtype)))
    }

    /// Records a leaf of ones.
    #[track_caller]
    pub fn ones(&self, shape: &[usize], dtype: DType) -> Tensor<'_> {
        self.tensor_from_value(error::expect(NdArray::full(shape, 1.0, dtype)))
    }

    #[track_caller]
    fn source(
        &self,
        op: &Op,
        value: &NdArray,
        name: Option<Arc<str>>,
    ) -> Result<Tensor<'_>> {
        self.node(|arena, site| arena.source(op, value, name, site))
    }

    /// Runs `f`, which appends a node, from the place of the call.
    #[track_caller]
    pub(crate) fn node(
        &self,
        f: impl FnOnce(&mut Arena, u32) -> Result<u32>,
    ) -> Result<Tensor<'_>> {
        self.run(f).map(|index| Tensor { record: self, index })
    }

    /// Runs `f` on the engine, from the place of the call.
    #[track_caller]
    pub(crate) fn run<T>(
        &self,
        f: impl FnOnce(&mut Arena, u32) -> Result<T>,
    ) -> Result<T> {
        let site = self.sites.borrow_mut().number(Location::caller());
        f(&mut self.arena.borrow_mut(), site).map_err(|error| self.resolve(error))
    }

    pub(crate) fn resolve(&self, error: Error) -> Error {
        let sites = self.sites.borrow();
        error.resolved(|site| sites.line(site))
    }

    /// The tensor at a position, such as one recorded before a mark to which the
    /// record has since been rewound.
    pub fn tensor(&self, index: usize) -> Option<Tensor<'_>> {
        let index =
            u32::try_from(index).ok().filter(|&k| k < self.arena.borrow().len());
        index.map(|index| Tensor { record: self, index })
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.arena.borrow().len() as usize
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the record holds: nodes, tables and values.
    pub fn bytes(&self) -> usize {
        self.arena.borrow().bytes()
    }

    /// Drops all nodes. Memory is kept for the next ones.
    pub fn clear(&mut self) {
        self.arena.get_mut().clear();
        self.layers.set(0);
    }

    /// The present length, to rewind to.
    pub fn mark(&self) -> Mark {
        self.arena.borrow().mark()
    }

    /// Drops the nodes that were recorded after the mark. Earlier ones are found again
    /// by [`ComputationRecord::tensor`].
    ///
    /// # Panics
    /// If the mark belongs to another record, or the record has been rewound below it.
    #[track_caller]
    pub fn rewind(&mut self, mark: &Mark) {
        error::expect(self.try_rewind(mark));
    }

    /// As `rewind`; an error changes nothing.
    pub fn try_rewind(&mut self, mark: &Mark) -> Result<()> {
        self.arena.get_mut().rewind(mark)
    }
}

impl Default for ComputationRecord {
    fn default() -> Self {
        ComputationRecord::new()
    }
}

/// The Wengert list as a table; a long one is elided in the middle.
impl fmt::Display for ComputationRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sites = self.sites.borrow();
        f.write_str(&super::print::table(&self.arena.borrow(), |site| sites.line(site)))
    }
}

impl fmt::Debug for ComputationRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.arena.borrow().id();
        write!(f, "ComputationRecord {id} of {} nodes", self.len())
    }
}

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
        self.record.arena.borrow().data(self.index)
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
        $Op:ident $name:ident $fallible:ident on $domain:ident { $($rule:tt)* }
    )*) => {
        /// Elementwise ops of one operand.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
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
        $Op:ident $name:ident $fallible:ident $(on $domain:ident)? { $($rule:tt)* }
    )*) => {
        /// Elementwise ops of two operands, which broadcast.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
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
        let positions = Index::Node(positions.node_of("take", self.record)?);
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
        f.write_str(&super::print::tensor(&self.record.arena.borrow(), self.index))
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark after {} nodes", self.len())
    }
}
