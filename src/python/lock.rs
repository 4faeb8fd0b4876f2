//! One lock a record.
//!
//! A thread never blocks on it while it is attached to the interpreter: it tries, and
//! otherwise detaches and waits. While holding it, no Python object is created or
//! released, since that may run arbitrary code, which may come back to the record.

use crate::error::{Error, Fault, Result};
use pyo3::Python;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A value that one thread at a time uses.
pub(super) struct Lock<T> {
    /// The thread that holds the lock, or `FREE`.
    owner: AtomicUsize,
    /// Set by a panic while the lock was held.
    poisoned: AtomicBool,
    value: UnsafeCell<T>,
}

const FREE: usize = 0;

// SAFETY: the value is reached only by the thread that holds the lock.
unsafe impl<T: Send> Sync for Lock<T> {}

/// A number that no other living thread has.
#[inline]
fn this_thread() -> usize {
    thread_local!(static PLACE: u8 = const { 0 });
    PLACE.with(|place| std::ptr::from_ref(place).addr())
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
        f: impl FnOnce(&mut T) -> Result<R>,
    ) -> Result<R> {
        let me = this_thread();
        let taken =
            self.owner.compare_exchange(FREE, me, Ordering::Acquire, Ordering::Relaxed);
        if let Err(owner) = taken {
            if owner == me {
                let why = "a callback came back to it";
                return Err(Error::new(Fault::Busy { op, record, why }));
            }
            wait(py, &self.owner, me);
        }
        let _release = Release(&self.owner);
        if self.poisoned.load(Ordering::Relaxed) {
            return Err(Error::new(Fault::Poisoned { op, record }));
        }
        // SAFETY: this thread holds the lock until `_release` is dropped.
        let value = unsafe { &mut *self.value.get() };
        match catch_unwind(AssertUnwindSafe(|| f(value))) {
            Ok(result) => result,
            Err(panic) => {
                self.poisoned.store(true, Ordering::Relaxed);
                Err(Error::new(Fault::Internal { op, message: message(&*panic) }))
            }
        }
    }

    /// As `with`, for a value that is only used within another lock.
    pub(super) fn with_free<R>(
        &self,
        op: &'static str,
        record: u64,
        f: impl FnOnce(&mut T) -> Result<R>,
    ) -> Result<R> {
        let me = this_thread();
        let taken =
            self.owner.compare_exchange(FREE, me, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_err() {
            let why = "its gradient is in use";
            return Err(Error::new(Fault::Busy { op, record, why }));
        }
        let _release = Release(&self.owner);
        // SAFETY: this thread holds the lock until `_release` is dropped.
        f(unsafe { &mut *self.value.get() })
    }
}

/// Waits for a lock, detached from the interpreter, and takes it.
#[cold]
fn wait(py: Python<'_>, owner: &AtomicUsize, me: usize) {
    py.detach(|| {
        let mut pause = Duration::from_micros(5);
        while owner
            .compare_exchange_weak(FREE, me, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(1));
        }
    });
}

struct Release<'a>(&'a AtomicUsize);

impl Drop for Release<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(FREE, Ordering::Release);
    }
}

/// The text of a panic.
pub(super) fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
