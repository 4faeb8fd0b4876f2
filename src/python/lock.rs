//! One lock a record.
//!
//! A thread takes and leaves the lock only while it is attached to the interpreter, and
//! never blocks on it while attached: it tries, and otherwise detaches and waits. While
//! holding it, no Python object is created or released, since that may run arbitrary
//! code, which may come back to the record.
//!
//! So where there is a global interpreter lock, it makes taking this one a load and a
//! store. An attached holder is the only thread that runs; it says which thread it is
//! only before it detaches.

use crate::error::{Error, Fault, Result};
use pyo3::Python;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A value that one thread at a time uses.
pub(super) struct Lock<T> {
    /// `FREE`, `ATTACHED`, or the thread that holds the lock.
    owner: AtomicUsize,
    /// Set by a panic while the lock was held.
    poisoned: AtomicBool,
    value: UnsafeCell<T>,
}

const FREE: usize = 0;
/// Held by the thread that runs; its number is not needed.
#[cfg(not(Py_GIL_DISABLED))]
const ATTACHED: usize = 1;

// SAFETY: the value is reached only by the thread that holds the lock.
unsafe impl<T: Send> Sync for Lock<T> {}

/// A number that no other living thread has, and neither `FREE` nor `ATTACHED` is.
fn this_thread() -> usize {
    thread_local!(static PLACE: u64 = const { 0 });
    PLACE.with(|place| std::ptr::from_ref(place).addr())
}

/// Why the lock was not taken.
enum Refused {
    /// This thread holds it.
    Mine,
    /// Another thread holds it.
    Taken,
}

/// The lock while it is held.
pub(super) struct Held<'a>(&'a AtomicUsize);

impl<'a> Held<'a> {
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline]
    fn take(owner: &'a AtomicUsize) -> Result<Self, Refused> {
        match owner.load(Ordering::Acquire) {
            FREE => {
                owner.store(ATTACHED, Ordering::Relaxed);
                Ok(Held(owner))
            }
            ATTACHED => Err(Refused::Mine),
            thread if thread == this_thread() => Err(Refused::Mine),
            _ => Err(Refused::Taken),
        }
    }

    #[cfg(Py_GIL_DISABLED)]
    fn take(owner: &'a AtomicUsize) -> Result<Self, Refused> {
        let me = this_thread();
        match owner.compare_exchange(FREE, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(Held(owner)),
            Err(thread) if thread == me => Err(Refused::Mine),
            Err(_) => Err(Refused::Taken),
        }
    }

    /// Runs `f` detached from the interpreter, still holding the lock.
    pub(super) fn detach<R: Send>(
        &self,
        py: Python<'_>,
        f: impl FnOnce() -> R + Send,
    ) -> R {
        self.0.store(this_thread(), Ordering::Relaxed);
        py.detach(f)
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(FREE, Ordering::Release);
    }
}

impl<T> Lock<T> {
    pub(super) fn new(value: T) -> Self {
        Lock {
            owner: AtomicUsize::new(FREE),
            poisoned: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `f` on the value. A panic becomes an error, and closes the value for good.
    #[inline]
    pub(super) fn with<R>(
        &self,
        py: Python<'_>,
        op: &'static str,
        record: u64,
        f: impl FnOnce(&mut T, &Held<'_>) -> Result<R>,
    ) -> Result<R> {
        let held = match Held::take(&self.owner) {
            Ok(held) => held,
            Err(refused) => self.insist(py, op, record, refused)?,
        };
        if self.poisoned.load(Ordering::Relaxed) {
            return Err(Error::new(Fault::Poisoned { op, record }));
        }
        // SAFETY: this thread holds the lock until `held` is dropped.
        let value = unsafe { &mut *self.value.get() };
        catch_unwind(AssertUnwindSafe(|| f(value, &held)))
            .unwrap_or_else(|panic| Err(self.poison(op, &*panic)))
    }

    /// As `with`, for a short way that may not apply: `None`, with nothing changed, if
    /// `f` says so or the lock is not free at once.
    #[inline]
    pub(super) fn try_with<R>(
        &self,
        op: &'static str,
        f: impl FnOnce(&mut T) -> Option<Result<R>>,
    ) -> Option<Result<R>> {
        let _held = Held::take(&self.owner).ok()?;
        if self.poisoned.load(Ordering::Relaxed) {
            return None;
        }
        // SAFETY: this thread holds the lock until `_held` is dropped.
        let value = unsafe { &mut *self.value.get() };
        catch_unwind(AssertUnwindSafe(|| f(value)))
            .unwrap_or_else(|panic| Some(Err(self.poison(op, &*panic))))
    }

    /// Closes the value for good, after a panic.
    #[cold]
    fn poison(&self, op: &'static str, panic: &(dyn std::any::Any + Send)) -> Error {
        self.poisoned.store(true, Ordering::Relaxed);
        Error::new(Fault::Internal { op, message: message(panic) })
    }

    /// Waits for another thread to leave the lock; an error if this one holds it.
    #[cold]
    fn insist(
        &self,
        py: Python<'_>,
        op: &'static str,
        record: u64,
        mut refused: Refused,
    ) -> Result<Held<'_>> {
        let mut pause = Duration::from_micros(5);
        loop {
            if matches!(refused, Refused::Mine) {
                let why = "a callback came back to it";
                return Err(Error::new(Fault::Busy { op, record, why }));
            }
            py.detach(|| std::thread::sleep(pause));
            pause = (pause * 2).min(Duration::from_millis(1));
            match Held::take(&self.owner) {
                Ok(held) => return Ok(held),
                Err(again) => refused = again,
            }
        }
    }
}

/// The text of a panic.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
