//! `ComputationRecord`.

use super::array::{
    borrow_numpy, checked_sizes, dtype_of, from_numpy, release_dropped,
};
use super::custom::InPython;
use super::error::exception;
use super::handle::Handle;
use super::lock::{Held, Lock};
use super::rng::PyRng;
use super::site::{Place, Sites, UNKNOWN};
use super::tensor::PyTensor;
use super::threads::detached;
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::{Error, Fault, Kind, Result};
use crate::ops::Op;
use crate::record::steps::Step;
use crate::record::{Arena, Mark, print};
use crate::rng::Rng;
use pyo3::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of an operand above which work counts as long: about 20 microseconds.
const LONG: usize = 128 << 10;
/// The same for the product of the bytes of two operands of different shapes, which may
/// be as many times more as the result has elements.
const LONG_PRODUCT: usize = 1 << 25;

/// How long work will take: for long work the interpreter is released.
#[derive(Clone, Copy)]
pub(super) enum Work {
    Short,
    Long,
    /// As long as the larger of two nodes makes it.
    OnNodes([u32; 2]),
    /// A sweep over the record.
    OnRecord,
}

impl Work {
    /// The work of an op on an array.
    pub(super) fn on_array(array: &NdArray) -> Self {
        let long = array.len() * array.dtype().size() > LONG;
        if long { Work::Long } else { Work::Short }
    }

    /// The same, and that of an op on a node.
    pub(super) fn and(self, node: u32) -> Self {
        match self {
            Work::Short => Work::OnNodes([node; 2]),
            Work::OnNodes([first, _]) => Work::OnNodes([first, node]),
            long => long,
        }
    }

    #[inline]
    fn is_long(self, arena: &Arena) -> bool {
        match self {
            Work::Short => false,
            Work::Long => true,
            Work::OnNodes([a, b]) => {
                let (x, y) = (arena.large_bytes(a), arena.large_bytes(b));
                x.max(y) > LONG
                    || x.saturating_mul(y) > LONG_PRODUCT
                        && arena.type_number(a) != arena.type_number(b)
            }
            Work::OnRecord => arena.len() > 200 || arena.bytes() > LONG,
        }
    }
}

/// A computation record (Wengert list): it owns every value of a computation, and what
/// is needed to differentiate it.
///
/// Parameters
/// ----------
/// rng : Rng, optional
///     The stream of random numbers that layers draw from. Without one its seed comes
///     from the operating system.
/// check_finite : bool
///     Refuse every node and every cotangent that is NaN or infinite: `NonFiniteError`
///     names the op that makes it, its line and the element.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> rec = wengert.ComputationRecord()
/// >>> x = rec.tensor_from_value([1.0, 2.0])
/// >>> (x * x).sum().grad().wrt(x).data()
/// array([2., 4.])
#[pyclass(frozen, weakref, module = "wengert", name = "ComputationRecord")]
pub(super) struct PyRecord {
    pub(super) id: u64,
    state: Lock<State>,
    rng: OnceLock<Rng>,
    layers: AtomicUsize,
}

/// What the lock guards.
pub(super) struct State {
    pub(super) arena: Arena,
    sites: Sites,
}

/// A length of a record to which it can be rewound, as `ComputationRecord.mark` gives
/// it.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.ComputationRecord().mark()
/// <mark after 0 nodes>
#[pyclass(frozen, module = "wengert", name = "Mark")]
pub(super) struct PyMark(Mark);

#[pymethods]
impl PyMark {
    fn __repr__(&self) -> String {
        format!("<mark after {} nodes>", self.0.len())
    }
}

impl PyRecord {
    /// Runs `f` on the engine. Heavy work is done detached from the interpreter.
    pub(super) fn run<R: Send>(
        &self,
        py: Python<'_>,
        op: &'static str,
        work: Work,
        f: impl FnOnce(&mut Arena) -> Result<R> + Send,
    ) -> PyResult<R> {
        let result = self.state.with(py, op, self.id, |state, held| {
            let arena = &mut state.arena;
            if work.is_long(arena) { held.detach(py, || f(arena)) } else { f(arena) }
        });
        result.map_err(|error| self.explain(py, error))
    }

    /// As `run`, for calls that append nodes: `f` is told the place of the call.
    #[inline]
    pub(super) fn run_at<R: Send>(
        &self,
        py: Python<'_>,
        op: &'static str,
        work: Work,
        f: impl FnOnce(&mut Arena, u32) -> Result<R> + Send,
    ) -> PyResult<R> {
        let place = Place::here(py);
        let mut f = Some(f);
        let mut append = |state: &mut State, held: &Held<'_>, site: u32| {
            let f = f.take().expect("the work is done once");
            let arena = &mut state.arena;
            if work.is_long(arena) {
                held.detach(py, || f(arena, site))
            } else {
                f(arena, site)
            }
        };
        let known = self.state.with(py, op, self.id, |state, held| match &place {
            None => append(state, held, UNKNOWN).map(Some),
            Some(place) => match state.sites.find(place) {
                Some(site) => append(state, held, site).map(Some),
                None => Ok(None),
            },
        });
        let result = match known {
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                // A place that is new, or within this package.
                let mut outside = Place::outside(py);
                let result = self.state.with(py, op, self.id, |state, held| {
                    let site = state.sites.number(&mut outside);
                    append(state, held, site)
                });
                drop(outside);
                result
            }
            Err(error) => Err(error),
        };
        result.map_err(|error| self.explain(py, error))
    }

    /// As `run_at`, for a short way that may not apply: `None`, with nothing changed, if
    /// `f` says so, or if the record is in use or the place of the call is new to it.
    #[inline]
    pub(super) fn try_run_at<R>(
        &self,
        py: Python<'_>,
        op: &'static str,
        f: impl FnOnce(&mut Arena, u32) -> Option<Result<R>>,
    ) -> Option<Result<R>> {
        let place = Place::here(py)?;
        self.state.try_with(op, |state| {
            let site = state.sites.find(&place)?;
            f(&mut state.arena, site)
        })
    }

    /// Goes on with work until it is done. The record is free while rules are called.
    pub(super) fn finish<T: Send + 'static>(
        slf: &Bound<'_, PyRecord>,
        op: &'static str,
        mut step: Step<T>,
    ) -> PyResult<T> {
        loop {
            let waits = match step {
                Step::Done(done) => return Ok(done),
                Step::Waits(waits) => waits,
            };
            let answer = waits.call.answer(&InPython(slf));
            step = slf.get().run(slf.py(), op, Work::OnRecord, |arena| {
                waits.go_on(arena, answer)
            })?;
        }
    }

    /// A record that `f` makes of this one, whose nodes come from the same places, and
    /// what else it gives.
    pub(super) fn derive<R: Send + 'static>(
        slf: &Bound<'_, PyRecord>,
        op: &'static str,
        f: impl FnOnce(&mut Arena) -> Result<Step<(Arena, R)>> + Send,
    ) -> PyResult<(PyRecord, R)> {
        let step = slf.get().run(slf.py(), op, Work::Long, f)?;
        let (arena, rest) = PyRecord::finish(slf, op, step)?;
        let (py, this) = (slf.py(), slf.get());
        let sites =
            this.state.with(py, op, this.id, |state, _| Ok(state.sites.clone()));
        let sites = sites.map_err(|error| this.explain(py, error))?;
        Ok((PyRecord::of(arena, sites), rest))
    }

    /// A record without nodes.
    pub(super) fn empty() -> Self {
        PyRecord::of(Arena::new(), Sites::default())
    }

    fn of(arena: Arena, sites: Sites) -> Self {
        PyRecord {
            id: arena.id(),
            state: Lock::new(State { arena, sites }),
            rng: OnceLock::new(),
            layers: AtomicUsize::new(0),
        }
    }

    /// The exception for an error, with the lines of its places.
    #[cold]
    pub(super) fn explain(&self, py: Python<'_>, error: Error) -> PyErr {
        if error.kind() == Kind::Interrupted {
            return exception(py, &error);
        }
        exception(py, &error.resolved(|site| self.line(py, site)))
    }

    /// The stream of random numbers.
    pub(super) fn stream(&self) -> &Rng {
        self.rng.get_or_init(Rng::from_os)
    }
}

/// Appends a node by `f` and gives the handle to it.
#[inline]
pub(super) fn append<'py>(
    record: &Bound<'py, PyRecord>,
    op: &'static str,
    work: Work,
    f: impl FnOnce(&mut Arena, u32) -> Result<u32> + Send,
) -> PyResult<Bound<'py, PyTensor>> {
    let py = record.py();
    let handle = record.get().run_at(py, op, work, |arena, site| {
        f(arena, site).map(|node| Handle::new(arena, node, site))
    })?;
    super::object::tensor(record, handle)
}

/// Appends a leaf or a constant.
pub(super) fn append_source<'py>(
    record: &Bound<'py, PyRecord>,
    op: &Op,
    array: &NdArray,
    name: Option<&str>,
) -> PyResult<Bound<'py, PyTensor>> {
    append(record, op.tag().name(), Work::on_array(array), |arena, site| {
        arena.source(op, array, name.map(Into::into), site)
    })
}

/// The array of a `value` argument.
fn value_of(
    value: &Bound<'_, PyAny>,
    dtype: Option<&Bound<'_, PyAny>>,
    borrow: bool,
) -> PyResult<NdArray> {
    let py = value.py();
    if let Ok(tensor) = value.cast_exact::<PyTensor>() {
        let array = tensor.get().array(py)?;
        return cast_to(py, array, dtype);
    }
    let array = if borrow { borrow_numpy(value)? } else { from_numpy(value)? };
    cast_to(py, array, dtype)
}

fn cast_to(
    py: Python<'_>,
    array: NdArray,
    dtype: Option<&Bound<'_, PyAny>>,
) -> PyResult<NdArray> {
    match dtype {
        Some(dtype) => super::error::plain(py, array.cast(dtype_of(py, dtype)?)),
        None => Ok(array),
    }
}

#[pymethods]
impl PyRecord {
    #[new]
    #[pyo3(signature = (*, rng=None, check_finite=false))]
    fn new(rng: Option<&Bound<'_, PyRng>>, check_finite: bool) -> Self {
        let mut arena = Arena::new();
        arena.set_check_finite(check_finite);
        let record = PyRecord::of(arena, Sites::default());
        if let Some(rng) = rng {
            record.rng.get_or_init(|| rng.get().0.clone());
        }
        record
    }

    /// Record a leaf: a value that has a gradient, if it holds floats.
    ///
    /// Parameters
    /// ----------
    /// value : array_like or Tensor
    ///     The value. It is copied, unless it is a read-only array that this package
    ///     made, or a view of one. A tensor of any record gives its value.
    /// dtype : dtype, optional
    ///     float32, float64, int64 or bool; by default the value's own. Smaller
    ///     integers become int64, float16 becomes float32; DTypeError for other types.
    /// borrow : bool
    ///     Share the memory of a NumPy array instead; the array becomes read-only.
    ///     BufferError if it cannot be read as it lies.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> rec.tensor_from_value([1, 2], dtype="float32")
    /// <tensor #0 tensor f32 (2,): [1, 2]>
    #[pyo3(signature = (value, /, *, dtype=None, borrow=false))]
    fn tensor_from_value<'py>(
        slf: &Bound<'py, Self>,
        value: &Bound<'py, PyAny>,
        dtype: Option<&Bound<'py, PyAny>>,
        borrow: bool,
    ) -> PyResult<Bound<'py, PyTensor>> {
        append_source(slf, &Op::Tensor, &value_of(value, dtype, borrow)?, None)
    }

    /// Record a value that has no gradient.
    ///
    /// The parameters are those of `tensor_from_value`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().constant([1.0, 2.0])
    /// <tensor #0 constant f64 (2,): [1, 2]>
    #[pyo3(signature = (value, /, *, dtype=None, borrow=false))]
    fn constant<'py>(
        slf: &Bound<'py, Self>,
        value: &Bound<'py, PyAny>,
        dtype: Option<&Bound<'py, PyAny>>,
        borrow: bool,
    ) -> PyResult<Bound<'py, PyTensor>> {
        append_source(slf, &Op::Constant, &value_of(value, dtype, borrow)?, None)
    }

    /// Record a leaf with a name, which messages and the printed record show.
    ///
    /// The value is as for `tensor_from_value`. Names need not differ.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().parameter("weight", [1.0, 2.0])
    /// <tensor weight f64 (2,): [1, 2]>
    #[pyo3(signature = (name, value, /))]
    fn parameter<'py>(
        slf: &Bound<'py, Self>,
        name: &str,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        append_source(slf, &Op::Parameter, &value_of(value, None, false)?, Some(name))
    }

    /// Record a leaf of zeros.
    ///
    /// Parameters
    /// ----------
    /// shape : int or sequence of int
    ///     ShapeError if a size is negative, MemoryError if there are too many
    ///     elements.
    /// dtype : dtype, optional
    ///     float64 by default.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().zeros((2, 2)).data()
    /// array([[0., 0.],
    ///        [0., 0.]])
    #[pyo3(signature = (shape, dtype=None))]
    fn zeros<'py>(
        slf: &Bound<'py, Self>,
        shape: &Bound<'py, PyAny>,
        dtype: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        filled(slf, "zeros", shape, 0.0, dtype)
    }

    /// Record a leaf of ones.
    ///
    /// The parameters are those of `zeros`.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().ones(3, dtype="int64").data()
    /// array([1, 1, 1])
    #[pyo3(signature = (shape, dtype=None))]
    fn ones<'py>(
        slf: &Bound<'py, Self>,
        shape: &Bound<'py, PyAny>,
        dtype: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTensor>> {
        filled(slf, "ones", shape, 1.0, dtype)
    }

    /// Drop all nodes: tensors of the record are dead from then on.
    ///
    /// Memory is kept for the next nodes; arrays that `data` gave stay as they are.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> x = rec.ones(2)
    /// >>> rec.clear()
    /// >>> len(rec)
    /// 0
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, "clear", Work::Short, |arena| {
            arena.clear();
            Ok(())
        })?;
        self.layers.store(0, Ordering::Relaxed);
        release_dropped(py);
        Ok(())
    }

    /// The present length, to rewind to.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> wengert.ComputationRecord().mark()
    /// <mark after 0 nodes>
    fn mark(&self, py: Python<'_>) -> PyResult<PyMark> {
        self.run(py, "mark", Work::Short, |arena| Ok(PyMark(arena.mark())))
    }

    /// Drop the nodes that were recorded after a mark.
    ///
    /// HandleError if the mark is of another record, or of a time before the record was
    /// cleared or rewound below it.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> mark = rec.mark()
    /// >>> x = rec.ones(2)
    /// >>> rec.rewind(mark)
    /// >>> len(rec)
    /// 0
    #[pyo3(signature = (mark, /))]
    fn rewind(&self, py: Python<'_>, mark: &Bound<'_, PyMark>) -> PyResult<()> {
        let mark = &mark.get().0;
        self.run(py, "rewind", Work::Short, |arena| arena.rewind(mark))?;
        release_dropped(py);
        Ok(())
    }

    /// Bytes that the record holds: nodes, tables and values.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> before, x = rec.bytes(), rec.ones(1000) * 2
    /// >>> rec.bytes() - before > 8000
    /// True
    fn bytes(&self, py: Python<'_>) -> PyResult<usize> {
        self.run(py, "bytes", Work::Short, |arena| Ok(arena.bytes()))
    }

    /// The record's stream of random numbers.
    #[getter]
    fn rng(&self) -> PyRng {
        PyRng(self.stream().clone())
    }

    /// The number of layers, by which the next one is named.
    #[getter]
    fn _layers(&self) -> usize {
        self.layers.load(Ordering::Relaxed)
    }

    fn _count_layer(&self) {
        self.layers.fetch_add(1, Ordering::Relaxed);
    }

    /// Panic while the lock is held, for the tests of what a defect does.
    fn _panic(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, "panic", Work::Short, |_| panic!("injected"))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.run(py, "len", Work::Short, |arena| Ok(arena.len() as usize))
    }

    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let Ok(len) = self.__len__(py) else {
            return format!("<record {}: in use or closed>", self.id);
        };
        let plural = if len == 1 { "" } else { "s" };
        format!("<record {}: {len} node{plural}>", self.id)
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        self.printed(py, None)
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _exception: &Bound<'_, pyo3::types::PyTuple>,
    ) -> PyResult<()> {
        self.clear(py)
    }
}

impl PyRecord {
    /// The place with a number, if it is known.
    pub(super) fn place(&self, py: Python<'_>, site: u32) -> Option<Place> {
        let place = |state: &mut State, _: &Held<'_>| Ok(state.sites.place(site));
        self.state.with(py, "record", self.id, place).ok().flatten()
    }

    /// The source line that a site stands for.
    pub(super) fn line(&self, py: Python<'_>, site: u32) -> String {
        match self.place(py, site) {
            Some(place) => place.line(py),
            None => "an unknown place".to_owned(),
        }
    }

    /// What `f` makes with the source lines of some nodes' sites.
    pub(super) fn with_lines<R: Send>(
        &self,
        py: Python<'_>,
        nodes: impl FnOnce(&mut Arena) -> Vec<u32> + Send,
        f: impl FnOnce(&mut Arena, &dyn Fn(u32) -> String) -> Result<R> + Send,
    ) -> PyResult<R> {
        let sites = self.run(py, "print", Work::OnRecord, |arena| {
            let nodes = nodes(arena);
            Ok(nodes.into_iter().map(|node| arena.site(node)).collect::<BTreeSet<_>>())
        })?;
        let lines: BTreeMap<u32, String> =
            sites.into_iter().map(|site| (site, self.line(py, site))).collect();
        self.run(py, "print", Work::OnRecord, |arena| {
            f(arena, &|site| lines.get(&site).cloned().unwrap_or_default())
        })
    }

    /// The Wengert list as text.
    pub(super) fn printed(
        &self,
        py: Python<'_>,
        cotangents: Option<&[(u32, NdArray)]>,
    ) -> PyResult<String> {
        let shown = |arena: &mut Arena| print::shown(arena.len()).collect();
        self.with_lines(py, shown, |arena, line| {
            Ok(print::table(arena, cotangents, line))
        })
    }
}

fn filled<'py>(
    record: &Bound<'py, PyRecord>,
    op: &'static str,
    shape: &Bound<'py, PyAny>,
    value: f64,
    dtype: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyTensor>> {
    let py = record.py();
    let sizes = checked_sizes(op, shape)?;
    let dtype = match dtype {
        Some(dtype) => dtype_of(py, dtype)?,
        None => DType::F64,
    };
    let full = || NdArray::full(&sizes, value, dtype);
    let len = sizes.iter().fold(1_usize, |len, &size| len.saturating_mul(size));
    let array = if len > LONG { detached(py, full) } else { full() };
    let array = super::error::plain(py, array)?;
    append_source(record, &Op::Tensor, &array, None)
}

/// Fails if a handle's record is not `record`.
pub(super) fn expect_record(
    py: Python<'_>,
    op: &'static str,
    tensor: &PyTensor,
    record: &Bound<'_, PyRecord>,
) -> PyResult<()> {
    if tensor.record.as_ptr() == record.as_ptr() {
        return Ok(());
    }
    Err(foreign(py, op, tensor, record.get().id))
}

#[cold]
fn foreign(py: Python<'_>, op: &'static str, tensor: &PyTensor, other: u64) -> PyErr {
    let (home, handle) = (tensor.record.get(), tensor.handle(py));
    let label = home.run(py, op, Work::Short, |arena| Ok(handle.label_in(arena)));
    let label = label.unwrap_or_else(|_| handle.label());
    let fault = Fault::Foreign { op, label: label.clone(), home: home.id, other };
    home.explain(py, Error::new(fault).recorded_at(label, handle.place()))
}
