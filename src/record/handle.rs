//! The Rust face: a record, and handles that cannot outlive it.

use super::arena::{Arena, Mark};
use super::intern::Map;
use super::tensor::Tensor;
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::{self, Error, Result};
use crate::ops::Op;
use crate::rng::Rng;
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
    pub(super) arena: RefCell<Arena>,
    sites: RefCell<Sites>,
    names: RefCell<Names>,
    rng: OnceCell<Rng>,
    layers: Cell<usize>,
    storage: PhantomData<A>,
}

/// The places in the user's source from which nodes were recorded.
#[derive(Clone, Default)]
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

    /// A record of nodes that come from the same places.
    pub(super) fn with_arena(&self, arena: Arena) -> Self {
        ComputationRecord {
            arena: RefCell::new(arena),
            sites: self.sites.clone(),
            ..ComputationRecord::new()
        }
    }

    /// The stream of random numbers; without one of the user's its seed comes from the
    /// operating system.
    pub fn rng(&self) -> &Rng {
        self.rng.get_or_init(Rng::from_os)
    }

    /// The number of layers, by which the next one is named.
    pub(crate) fn layers(&self) -> usize {
        self.layers.get()
    }

    pub(crate) fn count_layer(&self) {
        self.layers.set(self.layers.get() + 1);
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
        error::expect(self.try_parameter(name, value))
    }

    /// As `parameter`; an error if memory cannot be had.
    #[track_caller]
    pub fn try_parameter(
        &self,
        name: &str,
        value: impl Into<NdArray>,
    ) -> Result<Tensor<'_>> {
        let name = self.name(format_args!("{name}"));
        self.try_named_source(&name, &value.into())
    }

    /// As `try_parameter`, by a name that [`ComputationRecord::name`] gave.
    #[track_caller]
    pub(crate) fn try_named_source(
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
        error::expect(self.try_zeros(shape, dtype))
    }

    /// As `zeros`; an error if the size overflows or memory cannot be had.
    #[track_caller]
    pub fn try_zeros(&self, shape: &[usize], dtype: DType) -> Result<Tensor<'_>> {
        self.try_tensor_from_value(NdArray::zeros(shape, dtype)?)
    }

    /// Records a leaf of ones.
    #[track_caller]
    pub fn ones(&self, shape: &[usize], dtype: DType) -> Tensor<'_> {
        error::expect(self.try_ones(shape, dtype))
    }

    /// As `ones`; an error if the size overflows or memory cannot be had.
    #[track_caller]
    pub fn try_ones(&self, shape: &[usize], dtype: DType) -> Result<Tensor<'_>> {
        self.try_tensor_from_value(NdArray::full(shape, 1.0, dtype)?)
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
        self.run(f).map(|index| Tensor::new(self, index))
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

    /// As `run`, for work that a call began.
    pub(crate) fn run_on<T>(
        &self,
        f: impl FnOnce(&mut Arena) -> Result<T>,
    ) -> Result<T> {
        f(&mut self.arena.borrow_mut()).map_err(|error| self.resolve(error))
    }

    pub(crate) fn resolve(&self, error: Error) -> Error {
        error.resolved(|site| self.line(site))
    }

    /// The source line that a site stands for.
    pub(super) fn line(&self, site: u32) -> String {
        self.sites.borrow().line(site)
    }

    /// The tensor at a position, such as one recorded before a mark to which the
    /// record has since been rewound.
    pub fn tensor(&self, index: usize) -> Option<Tensor<'_>> {
        let index =
            u32::try_from(index).ok().filter(|&k| k < self.arena.borrow().len());
        index.map(|index| Tensor::new(self, index))
    }

    /// The number by which messages know the record.
    pub(crate) fn id(&self) -> u64 {
        self.arena.borrow().id()
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
        let arena = self.arena.borrow();
        f.write_str(&super::print::table(&arena, None, |site| self.line(site)))
    }
}

impl fmt::Debug for ComputationRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ComputationRecord {} of {} nodes", self.id(), self.len())
    }
}
