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

use super::threads::{detached, run_handlers};
use crate::error::{Error, Fault, Result};
use pyo3::Python;
use std::cell::UnsafeCell;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

/// A value that one thread at a time uses.
pub(super) struct Lock<T> {
    turn: Turn,
    /// Set by a panic while the lock was held.
    poisoned: AtomicBool,
    value: ManuallyDrop<UnsafeCell<T>>,
}

/// Who uses the value.
struct Turn {
    /// `FREE`, `ATTACHED`, or the thread that holds the lock.
    owner: AtomicUsize,
    /// The process of a holder that is detached, otherwise 0. A forked child has none of
    /// its parent's threads, but may have a lock that one of them held.
    process: AtomicU32,
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
pub(super) struct Held<'a>(&'a Turn);

impl<'a> Held<'a> {
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline]
    fn take(turn: &'a Turn) -> Result<Self, Refused> {
        match turn.owner.load(Ordering::Acquire) {
            FREE => {
                turn.owner.store(ATTACHED, Ordering::Relaxed);
                Ok(Held(turn))
            }
            ATTACHED => Err(Refused::Mine),
            thread if thread == this_thread() => Err(Refused::Mine),
            _ => Err(Refused::Taken),
        }
    }

    #[cfg(Py_GIL_DISABLED)]
    fn take(turn: &'a Turn) -> Result<Self, Refused> {
        let me = this_thread();
        let order = (Ordering::Acquire, Ordering::Relaxed);
        match turn.owner.compare_exchange(FREE, me, order.0, order.1) {
            Ok(_) => Ok(Held(turn)),
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
        self.0.process.store(process::id(), Ordering::Relaxed);
        self.0.owner.store(this_thread(), Ordering::Relaxed);
        let result = detached(py, f);
        self.0.process.store(0, Ordering::Relaxed);
        result
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.owner.store(FREE, Ordering::Release);
    }
}

impl<T> Drop for Lock<T> {
    fn drop(&mut self) {
        // In a forked child a value whose holder stayed behind may be half changed.
        if *self.turn.owner.get_mut() == FREE {
            // SAFETY: it is dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

impl<T> Lock<T> {
    pub(super) fn new(value: T) -> Self {
        Lock {
            turn: Turn { owner: AtomicUsize::new(FREE), process: AtomicU32::new(0) },
            poisoned: AtomicBool::new(false),
            value: ManuallyDrop::new(UnsafeCell::new(value)),
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
        let held = match Held::take(&self.turn) {
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
        let _held = Held::take(&self.turn).ok()?;
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

    /// Waits for another thread to leave the lock; an error if this one holds it, or one
    /// that does not exist any more.
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
            let holder = self.turn.process.load(Ordering::Relaxed);
            let why = match refused {
                _ if holder != 0 && holder != process::id() => {
                    Some("the thread that used it stayed behind at a fork")
                }
                Refused::Mine => Some("a callback came back to it"),
                Refused::Taken => None,
            };
            if let Some(why) = why {
                return Err(Error::new(Fault::Busy { op, record, why }));
            }
            py.detach(|| std::thread::sleep(pause));
            run_handlers(py)?;
            pause = (pause * 2).min(Duration::from_millis(1));
            match Held::take(&self.turn) {
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
