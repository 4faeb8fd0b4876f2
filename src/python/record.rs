//! `ComputationRecord`.

use super::array::release_dropped;
use super::custom::InPython;
use super::handle::{Handle, Moving};
use super::lock::{Held, Lock};
use super::rng::PyRng;
use super::site::{Place, Sites, UNKNOWN};
use super::source::{append_source, filled, value_of};
use super::tensor::PyTensor;
use super::work::Work;
use crate::error::{Error, Fault, Result};
use crate::ops::Op;
use crate::record::steps::Step;
use crate::record::{Arena, Mark};
use crate::rng::Rng;
use pyo3::prelude::*;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// Lets go of a value to which only this handle led. Nothing waits for that: if the
    /// record is in use, it keeps the value.
    #[cold]
    pub(super) fn release(&self, at: &Moving, py: Python<'_>) {
        self.state.try_with("release", |state| {
            state.arena.release(at.get(py).living(&state.arena)?);
            None::<Result<()>>
        });
    }

    /// The place with a number, if it is known.
    pub(super) fn place(&self, py: Python<'_>, site: u32) -> Option<Place> {
        let place = |state: &mut State, _: &Held<'_>| Ok(state.sites.place(site));
        self.state.with(py, "record", self.id, place).ok().flatten()
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
        let len = arena.len();
        let node = f(arena, site)?;
        Handle::of_result(arena, node, site, len)
    })?;
    super::object::tensor(record, handle)
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
