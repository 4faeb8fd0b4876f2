//! Counted, 64-byte aligned memory, recycled through a pool.
//!
//! A block is a header and its data in one allocation. Blocks come in size classes,
//! four to each power of two, so a recycled block wastes at most a quarter. The last
//! holder of a block returns it: small ones to a shelf of the thread, large ones and those
//! for which that has no room to the shelf of the process. Both are limited in bytes; what
//! does not fit is freed.
//!
//! Nobody waits long for the process's shelf, but goes to the system instead: a forked
//! child may have it locked for ever.

use crate::error::{Error, Fault, Result};
use std::alloc::{self, Layout};
use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::hint;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Mutex, TryLockError};

/// Alignment of every block's data: a cache line, and the widest vector register.
pub(crate) const ALIGN: usize = 64;

/// Blocks up to this size rest on the thread's own shelf, which takes no lock.
const SMALL: usize = 256 << 10;
/// Bytes that a thread's shelf holds at most, whatever the pool's limit.
const THREAD_LIMIT: usize = 16 << 20;
/// A huge page. Blocks that have room for one begin with one.
const HUGE: usize = 2 << 20;
static LIMIT: AtomicUsize = AtomicUsize::new(1 << 30);

#[repr(C, align(64))]
struct Header {
    holders: AtomicUsize,
    /// Bytes behind the header.
    capacity: usize,
    /// Keeps memory from outside, to which arrays with this buffer point.
    owner: Option<Owner>,
}

/// What keeps memory that is not of the pool.
pub(crate) type Owner = Box<dyn Any + Send + Sync>;

const HEADER: usize = size_of::<Header>();

/// A shared handle to a block of memory.
pub(crate) struct Buffer(NonNull<Header>);

// SAFETY: the count is atomic, and the data is written only by a unique holder.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// A block of at least `bytes`, uninitialised, with one holder.
    pub(crate) fn new(
        op: &'static str,
        bytes: usize,
        shape: &[usize],
    ) -> Result<Buffer> {
        Buffer::try_new(bytes).ok_or_else(|| {
            Error::new(Fault::Memory { op, bytes, shape: shape.to_vec() })
        })
    }

    /// As `new`; `None` where the memory cannot be had.
    pub(crate) fn try_new(bytes: usize) -> Option<Buffer> {
        Buffer::try_recycled(bytes, Idle::Short)
    }

    /// As `try_new`, for what is not used again soon: recycled memory that may still be in
    /// the caches is left for others.
    pub(crate) fn try_long_idle(bytes: usize) -> Option<Buffer> {
        Buffer::try_recycled(bytes, Idle::Long)
    }

    fn try_recycled(bytes: usize, idle: Idle) -> Option<Buffer> {
        let (class, capacity) = class_of(bytes)?;
        #[cfg(test)]
        TAKEN.set(TAKEN.get() + capacity);
        if let Some(block) = take(class, capacity, idle) {
            // SAFETY: a block on a shelf has a valid header and no holder.
            unsafe { block.as_ref() }.holders.store(1, Ordering::Relaxed);
            return Some(Buffer(block));
        }
        let layout = layout(capacity)?;
        // SAFETY: the layout is not empty: it holds a header.
        let block = NonNull::new(unsafe { alloc::alloc(layout) })?.cast::<Header>();
        advise(block.cast(), capacity);
        // SAFETY: the block is fresh, aligned, and large enough for a header.
        unsafe {
            block.write(Header { holders: AtomicUsize::new(1), capacity, owner: None });
        };
        Some(Buffer(block))
    }

    /// A handle that keeps `owner` as long as it or a clone of it lives.
    #[cfg(feature = "python")]
    pub(crate) fn keeping(owner: Owner) -> Option<Buffer> {
        let buffer = Buffer::try_new(0)?;
        // SAFETY: the block is held by this handle alone.
        unsafe { (*buffer.0.as_ptr()).owner = Some(owner) };
        Some(buffer)
    }

    /// The first byte of the data.
    #[inline]
    pub(crate) fn data(&self) -> *mut u8 {
        // SAFETY: the data follows the header within one allocation.
        unsafe { self.0.as_ptr().cast::<u8>().add(HEADER) }
    }

    /// Bytes of data that the block holds.
    pub(crate) fn capacity(&self) -> usize {
        // SAFETY: a held block has a valid header.
        unsafe { self.0.as_ref() }.capacity
    }

    /// Whether this is the only handle to memory of the pool.
    #[inline]
    pub(crate) fn is_unique(&self) -> bool {
        // SAFETY: a held block has a valid header.
        let header = unsafe { self.0.as_ref() };
        // Acquire pairs with the release in `drop`, so that reads of former holders
        // happen before our writes.
        header.owner.is_none() && header.holders.load(Ordering::Acquire) == 1
    }

    /// Gives the handle up for the address of its data.
    #[inline]
    pub(crate) fn into_raw(self) -> *mut u8 {
        let data = self.data();
        std::mem::forget(self);
        data
    }

    /// Takes back the handle that `into_raw` gave up.
    ///
    /// # Safety
    /// `data` came from `into_raw`, and each such address is taken back once.
    #[inline]
    pub(crate) unsafe fn from_raw(data: *mut u8) -> Buffer {
        // SAFETY: `into_raw` returned the address one header past a block.
        Buffer(unsafe { NonNull::new_unchecked(data.sub(HEADER).cast::<Header>()) })
    }
}

impl Clone for Buffer {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: a held block has a valid header. A new handle is made from a live
        // one, so no ordering is needed.
        unsafe { self.0.as_ref() }.holders.fetch_add(1, Ordering::Relaxed);
        Buffer(self.0)
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: a held block has a valid header.
        let header = unsafe { self.0.as_ref() };
        if header.holders.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            let capacity = header.capacity;
            // SAFETY: this was the last handle.
            drop(unsafe { (*self.0.as_ptr()).owner.take() });
            put_back(self.0, capacity);
        }
    }
}

/// The size class that holds `bytes`, and its capacity.
fn class_of(bytes: usize) -> Option<(usize, usize)> {
    let units = bytes.max(1).div_ceil(ALIGN);
    if units <= 4 {
        return Some((units - 1, units * ALIGN));
    }
    let below = units - 1;
    let shift = below.ilog2() as usize - 2;
    let quarter = below >> shift;
    let capacity = (quarter + 1).checked_mul(ALIGN << shift)?;
    Some((4 * shift + quarter, capacity))
}

fn layout(capacity: usize) -> Option<Layout> {
    let align = if capacity < HUGE { ALIGN } else { HUGE };
    Layout::from_size_align(capacity.checked_add(HEADER)?, align).ok()
}

/// Asks for huge pages, as far as a fresh block fills them: loops through memory beyond
/// the caches wait for fewer translations of addresses.
#[cfg(target_os = "linux")]
fn advise(block: NonNull<libc::c_void>, capacity: usize) {
    let whole = capacity / HUGE * HUGE;
    if whole > 0 {
        // SAFETY: the block has these bytes. Advice does not change what they hold,
        // and if it is refused, all is as before.
        unsafe { libc::madvise(block.as_ptr(), whole, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: NonNull<std::ffi::c_void>, _: usize) {}

/// Which of the idle blocks to take.
#[derive(Clone, Copy)]
enum Idle {
    /// That which came last.
    Short,
    /// One that came long ago.
    Long,
}

/// Idle blocks by size class, those that came last at the back.
struct Shelf {
    classes: Vec<VecDeque<NonNull<Header>>>,
    bytes: usize,
}

// SAFETY: idle blocks have no holder; only the shelf knows them.
unsafe impl Send for Shelf {}

impl Shelf {
    const fn new() -> Self {
        Shelf { classes: Vec::new(), bytes: 0 }
    }

    fn take(
        &mut self,
        class: usize,
        capacity: usize,
        idle: Idle,
    ) -> Option<NonNull<Header>> {
        let blocks = self.classes.get_mut(class)?;
        let block = match idle {
            Idle::Short => blocks.pop_back(),
            Idle::Long => blocks.pop_front(),
        }?;
        self.bytes -= capacity;
        Some(block)
    }

    /// Keeps the block; false if the shelf is full.
    fn keep(
        &mut self,
        block: NonNull<Header>,
        class: usize,
        capacity: usize,
        limit: usize,
    ) -> bool {
        self.trim(limit);
        if self.bytes + capacity > limit {
            return false;
        }
        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, VecDeque::new);
        }
        self.classes[class].push_back(block);
        self.bytes += capacity;
        true
    }

    /// Frees blocks, the largest first, until no more than `limit` bytes are left.
    fn trim(&mut self, limit: usize) {
        while self.bytes > limit
            && let Some(block) =
                self.classes.iter_mut().rev().find_map(VecDeque::pop_front)
        {
            // SAFETY: a block on a shelf has a valid header.
            self.bytes -= unsafe { block.as_ref() }.capacity;
            release(block);
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.trim(0);
    }
}

#[cfg(test)]
thread_local! {
    /// Bytes of all blocks that this thread has asked for.
    pub(crate) static TAKEN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

thread_local! {
    static THREAD: RefCell<Shelf> = const { RefCell::new(Shelf::new()) };
}
static PROCESS: Mutex<Shelf> = Mutex::new(Shelf::new());

/// Runs `f` on the thread's shelf, and what it holds at most; `None` on a dying thread.
fn with_thread<T>(f: impl FnOnce(&mut Shelf, usize) -> T) -> Option<T> {
    let limit = pool_limit().min(THREAD_LIMIT);
    THREAD.try_with(|shelf| f(&mut shelf.borrow_mut(), limit)).ok()
}

/// As `with_thread`, on the process's shelf; `None` if others are at it.
fn with_process<T>(f: impl FnOnce(&mut Shelf, usize) -> T) -> Option<T> {
    let limit = pool_limit();
    // Much longer than a visit takes.
    for _ in 0..100 {
        match PROCESS.try_lock() {
            Ok(mut shelf) => return Some(f(&mut shelf, limit)),
            Err(TryLockError::Poisoned(shelf)) => {
                return Some(f(&mut shelf.into_inner(), limit));
            }
            Err(TryLockError::WouldBlock) => hint::spin_loop(),
        }
    }
    None
}

/// Runs `f` on the shelf of this thread and on that of the process.
fn with_both(mut f: impl FnMut(&mut Shelf, usize)) {
    with_thread(&mut f);
    with_process(&mut f);
}

#[inline]
fn take(class: usize, capacity: usize, idle: Idle) -> Option<NonNull<Header>> {
    let find = |shelf: &mut Shelf, _| shelf.take(class, capacity, idle);
    let thread = || (capacity <= SMALL).then(|| with_thread(find).flatten()).flatten();
    let process = || with_process(find).flatten();
    match idle {
        Idle::Short => thread().or_else(process),
        // What a thread has no room for comes to the process's shelf.
        Idle::Long => process().or_else(thread),
    }
}

#[inline(never)]
fn put_back(block: NonNull<Header>, capacity: usize) {
    // The capacity is a class's own, so it names its class.
    let Some((class, capacity)) = class_of(capacity) else { return release(block) };
    let keep = |shelf: &mut Shelf, limit| shelf.keep(block, class, capacity, limit);
    let kept = capacity <= SMALL && with_thread(keep) == Some(true);
    if !kept && with_process(keep) != Some(true) {
        release(block);
    }
}

/// Frees a block that nobody holds.
fn release(block: NonNull<Header>) {
    // SAFETY: an idle block has a valid header and was allocated with this layout.
    unsafe {
        let capacity = block.as_ref().capacity;
        if let Some(layout) = layout(capacity) {
            alloc::dealloc(block.as_ptr().cast(), layout);
        }
    }
}

/// Bytes of idle memory that this thread and the process keep for reuse.
pub fn pool_bytes() -> usize {
    let mut bytes = 0;
    with_both(|shelf, _| bytes += shelf.bytes);
    bytes
}

/// Bytes of idle memory that the process keeps for reuse at most: 1 GiB, unless it was
/// set. Each thread keeps at most 16 MiB of blocks of up to 256 KiB beside it, or the
/// limit if that is less.
pub fn pool_limit() -> usize {
    LIMIT.load(Ordering::Relaxed)
}

/// Limits the idle memory that is kept for reuse, and frees what is above the limit.
/// Other threads free theirs when next they return memory. Memory in use does not count.
///
/// ```standalone_crate
/// use wengert::{NdArray, pool_bytes, pool_limit, release_pool, set_pool_limit};
/// assert_eq!(pool_limit(), 1 << 30);
/// drop(NdArray::from_slice(&[0.0; 1000]));
/// assert!(pool_bytes() >= 4000);
/// set_pool_limit(0);
/// assert_eq!(pool_bytes(), 0);
/// # drop((NdArray::from_slice(&[0.0; 1000]), NdArray::from_slice(&[0.0; 1 << 20])));
/// # assert_eq!(pool_bytes(), 0);
/// # set_pool_limit(5 << 20);
/// # let large = || NdArray::from_slice(&[0.0; 1 << 20]);
/// # drop((large(), large()));
/// # assert!((4 << 20..=5 << 20).contains(&pool_bytes()));
/// # release_pool();
/// # assert_eq!((pool_bytes(), pool_limit()), (0, 5 << 20));
/// ```
pub fn set_pool_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
    with_both(Shelf::trim);
}

/// Frees the idle memory of this thread and of the process.
pub fn release_pool() {
    with_both(|shelf, _| shelf.trim(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_waste_at_most_a_quarter_and_name_themselves() {
        let mut last = (0, 0);
        for bytes in (1..100_000).step_by(7) {
            let (class, capacity) = class_of(bytes).unwrap();
            assert!(capacity >= bytes && capacity % ALIGN == 0);
            assert!(capacity <= bytes.max(ALIGN).div_ceil(ALIGN) * ALIGN * 5 / 4);
            assert_eq!(class_of(capacity), Some((class, capacity)));
            assert!(class == last.0 || class == last.0 + 1 || last.1 == 0);
            assert_eq!(class == last.0 && last.1 != 0, capacity == last.1);
            last = (class, capacity);
        }
    }

    #[test]
    fn a_block_is_aligned_counted_and_recycled() {
        let block = Buffer::try_new(1000).unwrap();
        let address = block.data();
        assert_eq!(address.addr() % ALIGN, 0);
        let second = block.clone();
        assert!(!block.is_unique());
        drop(block);
        assert!(second.is_unique());
        drop(second);
        assert_eq!(Buffer::try_new(1000).unwrap().data(), address);
    }

    #[test]
    fn memory_that_is_idle_for_longest_waits_for_what_stays() {
        let size = SMALL + 4096;
        release_pool();
        let blocks: [Buffer; 3] =
            std::array::from_fn(|_| Buffer::try_new(size).unwrap());
        let [oldest, _, newest] = [0, 1, 2].map(|k: usize| blocks[k].data());
        blocks.into_iter().for_each(drop);
        let (long, short) = (Buffer::try_long_idle(size), Buffer::try_new(size));
        assert_eq!(long.unwrap().data(), oldest);
        assert_eq!(short.unwrap().data(), newest);
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        assert!(Buffer::try_new(usize::MAX).is_none());
        assert!(Buffer::try_new(isize::MAX.unsigned_abs()).is_none());
    }
}
