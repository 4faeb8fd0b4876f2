//! `Profile`.

use super::record::PyRecord;
use super::work::Work;
use crate::error::{Error, Fault};
use crate::record::{Profile, ProfileEntry};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a record's engine does within a ``with`` block: `ComputationRecord.profile`
/// gives one.
///
/// Printed, it is a table by op and one by source line, what took longest first. Counts
/// and bytes are exact. Times are seconds of the engine alone, without the interpreter's
/// between ops; of small nodes about one in 1,024 is timed and stands for the others, so
/// the times of few small nodes are rough.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> rec = wengert.ComputationRecord()
/// >>> with rec.profile() as profile:
/// ...     y = wengert.exp(rec.ones(1000))
/// >>> [(row.name, row.count, row.bytes) for row in profile.ops if row.name == "exp"]
/// [('exp', 1, 8000)]
#[pyclass(frozen, module = "wengert", name = "Profile")]
pub(super) struct PyProfile {
    record: Py<PyRecord>,
    /// What was found, once the block is left.
    found: Mutex<Option<Profile>>,
}

/// What an op, or a source line, took.
///
/// Attributes
/// ----------
/// name : str
///     The op, or the line.
/// count : int
///     The nodes that were recorded.
/// bytes : int
///     The bytes of their values; a view has none of its own.
/// forward, sweep : float
///     Seconds to record and evaluate them, and of their rules in sweeps.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> rec = wengert.ComputationRecord()
/// >>> with rec.profile() as profile:
/// ...     x = rec.ones(3)
/// >>> profile.ops[0].name, profile.ops[0].count
/// ('tensor', 1)
#[pyclass(frozen, get_all, module = "wengert", name = "ProfileRow")]
pub(super) struct PyProfileRow {
    name: String,
    count: u64,
    bytes: u64,
    forward: f64,
    sweep: f64,
}

impl PyProfileRow {
    fn new(entry: ProfileEntry) -> Self {
        let ProfileEntry { name, count, bytes, forward, sweep } = entry;
        let (forward, sweep) = (forward.as_secs_f64(), sweep.as_secs_f64());
        PyProfileRow { name, count, bytes, forward, sweep }
    }
}

#[pymethods]
impl PyProfileRow {
    fn __repr__(&self) -> String {
        let PyProfileRow { name, count, bytes, forward, sweep } = self;
        format!(
            "<{name}: {count} nodes, {bytes} bytes, {forward:.3e} s forward, \
             {sweep:.3e} s in sweeps>"
        )
    }
}

impl PyProfile {
    pub(super) fn new(record: &Bound<'_, PyRecord>) -> Self {
        PyProfile { record: record.clone().unbind(), found: Mutex::new(None) }
    }

    /// What was found, or has been so far; nothing if the block was not entered.
    fn read(&self, py: Python<'_>) -> PyResult<Profile> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(found) = found {
            return Ok(found);
        }
        let record = self.record.get();
        let cells =
            record.run(py, "profile", Work::Short, |arena| Ok(arena.profiled()))?;
        let cells = cells.unwrap_or((Vec::new(), Duration::ZERO));
        Ok(Profile::new(&cells, |site| record.line(py, site)))
    }
}

#[pymethods]
impl PyProfile {
    /// The rows by op, what took longest first.
    #[getter]
    fn ops(&self, py: Python<'_>) -> PyResult<Vec<PyProfileRow>> {
        Ok(self.read(py)?.ops.into_iter().map(PyProfileRow::new).collect())
    }

    /// The rows by the source line that recorded the nodes, what took longest first.
    #[getter]
    fn lines(&self, py: Python<'_>) -> PyResult<Vec<PyProfileRow>> {
        Ok(self.read(py)?.lines.into_iter().map(PyProfileRow::new).collect())
    }

    /// The seconds from start to stop, the interpreter's own included.
    #[getter]
    fn wall(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(self.read(py)?.wall.as_secs_f64())
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.read(py)?.to_string())
    }

    fn __repr__(&self) -> String {
        format!("<profile of record {}>", self.record.get().id)
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let (py, this) = (slf.py(), slf.get());
        let record = this.record.get();
        let id = record.id;
        record.run(py, "profile", Work::Short, |arena| {
            if arena.start_profile() {
                return Ok(());
            }
            let (op, why) = ("profile", "a profile is running");
            Err(Error::new(Fault::Busy { op, record: id, why }))
        })?;
        *this.found.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(slf.clone())
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _exception: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let record = self.record.get();
        let cells =
            record.run(py, "profile", Work::Short, |arena| Ok(arena.stop_profile()))?;
        let found =
            cells.map(|cells| Profile::new(&cells, |site| record.line(py, site)));
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }
}

#[pymethods]
impl PyRecord {
    /// Count and time what the record does within a ``with`` block, by op and by line.
    ///
    /// It costs a few percent while it is on, and nothing when it is off. What is
    /// cleared or rewound within the block counts too. HandleError if a profile of the
    /// record is running.
    ///
    /// Examples
    /// --------
    /// >>> import wengert
    /// >>> rec = wengert.ComputationRecord()
    /// >>> with rec.profile() as profile:
    /// ...     grad = wengert.exp(rec.ones(9)).sum().grad()
    /// >>> print(profile)
    /// profile: 3 nodes, ... in the engine
    /// ...
    fn profile(slf: &Bound<'_, Self>) -> PyProfile {
        PyProfile::new(slf)
    }
}
