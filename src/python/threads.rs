//! Work that releases the interpreter, how Ctrl-C gets into it, and on how many threads
//! it runs.

use crate::error::{Error, Fault, Result};
use crate::kernels::threads;
use crate::stop::{self, Answer};
use pyo3::intern;
use pyo3::prelude::*;
use std::time::Duration;

/// How long signals wait.
const PAUSE: Duration = Duration::from_millis(20);

/// Does long work detached from the interpreter. Now and then it attaches, to run the
/// handlers of signals that have come. If one of them raises an exception, the work
/// fails with `Fault::Interrupted`, and the exception is this thread's current one.
pub(super) fn detached<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
    py.detach(|| stop::watched(may_go_on, PAUSE, work))
}

fn may_go_on() -> Answer {
    let answer = Python::try_attach(|py| {
        let is_main = run_handlers(py).and_then(|()| failing(py, is_main_thread(py)));
        match is_main {
            Ok(true) => Answer::GoOn,
            // Only the main thread runs handlers.
            Ok(false) => Answer::Always,
            Err(_) => Answer::Stop,
        }
    });
    // An interpreter that is ending has no handlers any more.
    answer.unwrap_or(Answer::Always)
}

/// Runs the handlers of signals that have come. The exception of one that fails becomes
/// the current one.
pub(super) fn run_handlers(py: Python<'_>) -> Result<()> {
    failing(py, py.check_signals())
}

/// Makes an exception the current one.
fn failing<T>(py: Python<'_>, result: PyResult<T>) -> Result<T> {
    result.map_err(|error| {
        error.restore(py);
        Error::new(Fault::Interrupted)
    })
}

/// Whether this is the thread that runs handlers. It runs code, and so handlers too.
fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import(intern!(py, "threading"))?;
    let main = threading.call_method0(intern!(py, "main_thread"))?;
    let this = threading.call_method0(intern!(py, "get_ident"))?;
    main.getattr(intern!(py, "ident"))?.eq(this)
}

/// Give the number of threads that a large op uses at most.
///
/// The caller's own is one of them. It is that of the last `set_num_threads`, else what
/// the environment variable `WENGERT_NUM_THREADS` says, else the number of cores that the
/// process may use.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.set_num_threads(2)
/// >>> wengert.num_threads()
/// 2
/// >>> wengert.set_num_threads(0)
#[pyfunction]
pub(super) fn num_threads() -> usize {
    threads::num_threads()
}

/// Set the number of threads that a large op uses at most; 0 is the default again.
///
/// Results do not depend on it.
///
/// Examples
/// --------
/// >>> import wengert
/// >>> wengert.set_num_threads(1)
/// >>> wengert.num_threads()
/// 1
/// >>> wengert.set_num_threads(0)
#[pyfunction]
#[pyo3(signature = (threads, /))]
pub(super) fn set_num_threads(threads: usize) {
    threads::set_num_threads(threads);
}
