//! One pool of threads for the tiles of large ops.
//!
//! Drivers cut an op into tiles by its size alone, and a tile gives the same bits on any
//! thread: results do not depend on how many threads there are, or on which takes what.
//! The thread that calls takes tiles too, so nobody ever waits for a pool that sleeps or
//! serves others: at its end a job waits at most for tiles that have begun.
//!
//! The pool starts with the first job that needs it. A forked child, which has none of
//! its parent's threads, makes another.

#[cfg(test)]
pub(crate) mod tests;

use crate::error::Result;
use crate::stop;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, hint, process, thread};

/// How long a thread looks for work before it sleeps, and a caller for the end of a last
/// tile: as long as it takes to wake a thread.
const AWAKE: Duration = Duration::from_micros(50);
/// The weight of a tile that takes about 10 microseconds.
pub(super) const USUAL: usize = 4;
/// The weight of the tiles for which a sleeping thread is woken. Waking takes the caller 5
/// microseconds, and may bring no help for 100.
const WORTH_WAKING: usize = 12 * USUAL;

/// Jobs have fewer tiles, even with those that threads try to take in vain.
const BACK: usize = 1 << (usize::BITS / 2);

/// A size that says where tiles end. In unit tests it is a small one, so that small arrays
/// meet the ends.
pub(super) const fn tile_size(usual: usize, in_tests: usize) -> usize {
    if cfg!(test) { in_tests } else { usual }
}

/// The number of threads that an op may use; 0 if it is to be found out.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The number of threads that a large op uses at most, the caller's own included.
///
/// It is that of the last [`set_num_threads`], else what the environment variable
/// `WENGERT_NUM_THREADS` says, else the number of cores that the process may use.
pub fn num_threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            let asked = env::var("WENGERT_NUM_THREADS").ok();
            let asked = asked.and_then(|x| x.parse().ok()).filter(|&x: &usize| x > 0);
            let cores = || thread::available_parallelism().map_or(1, usize::from);
            let threads = asked.unwrap_or_else(cores);
            THREADS.store(threads, Ordering::Relaxed);
            threads
        }
        threads => threads,
    }
}

/// Sets the number of threads that a large op uses at most, the caller's own included;
/// 0 is the default again. Results do not depend on it.
///
/// ```
/// wengert::set_num_threads(1);
/// assert_eq!(wengert::num_threads(), 1);
/// ```
pub fn set_num_threads(threads: usize) {
    THREADS.store(threads, Ordering::Relaxed);
}

/// Calls `tile` with each number below `count`, in any order, on several threads if that
/// is worth it. Stops between tiles if the work is told to.
///
/// A tile of the usual weight takes about 10 microseconds, and none more than some 20
/// milliseconds.
pub(super) fn for_each_tile(
    count: usize,
    weight: usize,
    tile: impl Fn(usize) + Sync,
) -> Result<()> {
    if count == 1 {
        tile(0);
        return Ok(());
    }
    share(count, weight, &tile)
}

/// The size of parts of about equal size, none larger than `largest`: a multiple of `unit`,
/// as `largest` is.
pub(super) fn evenly(size: usize, largest: usize, unit: usize) -> usize {
    let size = size.max(1);
    size.div_ceil(size.div_ceil(largest)).next_multiple_of(unit)
}

/// Calls `part` with each part of `size` elements and its number; the last may be
/// shorter. Otherwise as `for_each_tile` with tiles of the usual weight.
pub(super) fn for_each_part<T: Send>(
    whole: &mut [T],
    size: usize,
    part: impl Fn(usize, &mut [T]) + Sync,
) -> Result<()> {
    let (len, first) = (whole.len(), Shared::new(whole.as_mut_ptr()));
    for_each_tile(len.div_ceil(size), USUAL, |k| {
        let start = k * size;
        let (first, len) = (first.at(start), size.min(len - start));
        // SAFETY: the parts lie within the whole and do not meet.
        part(k, unsafe { std::slice::from_raw_parts_mut(first, len) });
    })
}

/// An address behind which each tile writes elements of its own.
#[derive(Clone, Copy)]
pub(super) struct Shared<T>(*mut T);

// SAFETY: to know an address is harmless; who writes there vouches for it.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(super) fn new(first: *mut T) -> Self {
        Shared(first)
    }

    /// The address of the element that lies `offset` behind the first.
    pub(super) fn at(&self, offset: usize) -> *mut T {
        self.0.wrapping_add(offset)
    }
}

fn share(count: usize, weight: usize, tile: &(dyn Fn(usize) + Sync)) -> Result<()> {
    thread_local!(static LAST: Cell<Option<Instant>> = const { Cell::new(None) });

    let helpers = num_threads().min(count).saturating_sub(1);
    if helpers > 0 {
        let pool = Pool::of_this_process();
        // In a run of such jobs threads that are woken once stay awake.
        let in_a_run = || LAST.take().is_some_and(|last| last.elapsed() < AWAKE);
        if count * weight >= WORTH_WAKING || pool.is_awake() || in_a_run() {
            return pool.run(&Job::new(count, tile), helpers);
        }
    }
    for k in 0..count {
        stop::poll()?;
        tile(k);
    }
    if helpers > 0 {
        LAST.set(Some(Instant::now()));
    }
    Ok(())
}

/// Tiles that several threads take one by one: the caller from the front, helpers from the
/// back. So in a run of jobs over the same elements a thread finds many of those that it had
/// before, which are in its caches.
struct Job<'a> {
    tile: &'a (dyn Fn(usize) + Sync),
    count: usize,
    /// How many were taken from the front, and, times `BACK`, from the back.
    taken: AtomicUsize,
    /// The pool's threads that are at it.
    helpers: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl<'a> Job<'a> {
    fn new(count: usize, tile: &'a (dyn Fn(usize) + Sync)) -> Self {
        Job {
            tile,
            count,
            taken: AtomicUsize::new(0),
            helpers: AtomicUsize::new(0),
            panic: Mutex::new(None),
        }
    }

    /// The number of a tile that was not taken.
    fn take(&self, end: End) -> Option<usize> {
        let step = match end {
            End::Front => 1,
            End::Back => BACK,
        };
        let taken = self.taken.fetch_add(step, Ordering::Relaxed);
        let (front, back) = (taken % BACK, taken / BACK);
        (front + back < self.count).then_some(match end {
            End::Front => front,
            End::Back => self.count.wrapping_sub(1 + back),
        })
    }

    /// Does tiles, each after `check`, until none is left. An error or a panic leaves
    /// none to anybody.
    fn work(&self, end: End, check: impl Fn() -> Result<()>) -> Result<()> {
        let tiles = || {
            while let Some(k) = self.take(end) {
                check()?;
                (self.tile)(k);
            }
            Ok(())
        };
        let result = catch_unwind(AssertUnwindSafe(tiles));
        if !matches!(result, Ok(Ok(()))) {
            self.taken.store(self.count, Ordering::Relaxed);
        }
        result.unwrap_or_else(|panic| {
            *lock(&self.panic) = Some(panic);
            Ok(())
        })
    }
}

/// From which end of a job a thread takes tiles.
#[derive(Clone, Copy)]
enum End {
    Front,
    Back,
}

/// A lock whose holders leave nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A job on the stack of the thread that runs it, and how many more helpers it wants.
struct Offer {
    job: NonNull<Job<'static>>,
    wanted: usize,
}

// SAFETY: a job may be shared among threads, and outlives its offer and its helpers.
unsafe impl Send for Offer {}

#[derive(Default)]
struct Queue {
    offers: Vec<Offer>,
    /// All threads of the pool, and those among them that sleep.
    threads: usize,
    asleep: usize,
    /// Callers that wait for the last tiles of their jobs.
    waiting: usize,
}

struct Pool {
    process: u32,
    queue: Mutex<Queue>,
    /// How many helpers are wanted, for threads that look for work.
    wanted: AtomicUsize,
    /// How many threads look for work.
    looking: AtomicUsize,
    offered: Condvar,
    done: Condvar,
}

impl Pool {
    fn new() -> Self {
        Pool {
            process: process::id(),
            queue: Mutex::default(),
            wanted: AtomicUsize::new(0),
            looking: AtomicUsize::new(0),
            offered: Condvar::new(),
            done: Condvar::new(),
        }
    }

    /// The pool, which lives as long as the process.
    fn of_this_process() -> &'static Pool {
        static POOL: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());
        let known = POOL.load(Ordering::Acquire);
        // SAFETY: what is stored here was leaked.
        match unsafe { known.as_ref() } {
            Some(pool) if pool.process == process::id() => return pool,
            // After a fork the parent's stays as it is: its locks may be held for ever.
            _ => {}
        }
        let pool = Box::leak(Box::new(Pool::new()));
        let (new, order) = (ptr::from_mut(pool), Ordering::AcqRel);
        match POOL.compare_exchange(known, new, order, Ordering::Acquire) {
            Ok(_) => pool,
            Err(other) => {
                // SAFETY: `new` was leaked above and nobody has seen it; `other` is
                // what another thread leaked.
                unsafe {
                    drop(Box::from_raw(new));
                    &*other
                }
            }
        }
    }

    /// Whether an offer would be seen without waking anybody.
    fn is_awake(&self) -> bool {
        self.looking.load(Ordering::Relaxed) > 0
    }

    /// Does the job with that many helpers at most.
    fn run(&'static self, job: &Job<'_>, helpers: usize) -> Result<()> {
        self.offer(job, helpers);
        let result = job.work(End::Front, stop::poll);
        self.withdraw(job);
        if let Some(panic) = lock(&job.panic).take() {
            resume_unwind(panic);
        }
        result
    }

    /// Offers a job. It must be withdrawn before it dies.
    fn offer(&'static self, job: &Job<'_>, wanted: usize) {
        let mut queue = lock(&self.queue);
        while queue.threads < wanted {
            let thread = thread::Builder::new().name("wengert".into());
            if thread.spawn(|| self.serve()).is_err() {
                break;
            }
            queue.threads += 1;
        }
        queue.offers.push(Offer { job: NonNull::from(job).cast(), wanted });
        self.wanted.fetch_add(wanted, Ordering::Relaxed);
        if queue.asleep > 0 && self.looking.load(Ordering::Relaxed) < wanted {
            self.offered.notify_one();
        }
    }

    /// Takes back what is left of an offer, and waits until all helpers have left.
    fn withdraw(&self, job: &Job<'_>) {
        if process::id() != self.process {
            // A signal handler forked, and the helpers are the parent's.
            return;
        }
        let mut queue = lock(&self.queue);
        let ours = |offer: &Offer| ptr::eq(offer.job.as_ptr().cast(), job);
        if let Some(k) = queue.offers.iter().position(ours) {
            let offer = queue.offers.swap_remove(k);
            self.wanted.fetch_sub(offer.wanted, Ordering::Relaxed);
        }
        drop(queue);
        // Acquire pairs with the release in `serve`: what helpers wrote is seen.
        let is_done = || job.helpers.load(Ordering::Acquire) == 0;
        if spin(is_done) {
            return;
        }
        let mut queue = lock(&self.queue);
        queue.waiting += 1;
        while !is_done() {
            queue = self.done.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.waiting -= 1;
    }

    /// What each thread of the pool does for ever.
    fn serve(&self) {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(job) = self.accept(&mut queue) {
                drop(queue);
                // SAFETY: it is not withdrawn before it has no helpers.
                let job = unsafe { job.as_ref() };
                // Whoever runs the job is told to stop, and then takes its tiles away.
                let _ = job.work(End::Back, || Ok(()));
                let was_last = job.helpers.fetch_sub(1, Ordering::Release) == 1;
                // From here on the job may be gone.
                queue = lock(&self.queue);
                if was_last && queue.waiting > 0 {
                    self.done.notify_all();
                }
                continue;
            }
            drop(queue);
            self.looking.fetch_add(1, Ordering::Relaxed);
            spin(|| self.wanted.load(Ordering::Relaxed) > 0);
            self.looking.fetch_sub(1, Ordering::Relaxed);
            queue = lock(&self.queue);
            if queue.offers.is_empty() {
                queue.asleep += 1;
                let woken = self.offered.wait(queue);
                queue = woken.unwrap_or_else(PoisonError::into_inner);
                queue.asleep -= 1;
            }
        }
    }

    /// Joins the job that was offered first, and wakes another helper if it wants more.
    fn accept(&self, queue: &mut Queue) -> Option<NonNull<Job<'static>>> {
        let offer = queue.offers.first_mut()?;
        let job = offer.job;
        offer.wanted -= 1;
        // SAFETY: a job that is offered lives, and is not withdrawn under the lock.
        unsafe { job.as_ref() }.helpers.fetch_add(1, Ordering::Relaxed);
        self.wanted.fetch_sub(1, Ordering::Relaxed);
        if offer.wanted == 0 {
            queue.offers.remove(0);
        }
        if !queue.offers.is_empty() && queue.asleep > 0 {
            self.offered.notify_one();
        }
        Some(job)
    }
}

/// Waits a short while; says whether what was waited for has come.
fn spin(has_come: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !has_come() {
        if start.elapsed() >= AWAKE {
            return false;
        }
        for _ in 0..16 {
            hint::spin_loop();
        }
        // What is waited for may be done on this very core.
        thread::yield_now();
    }
    true
}
