//! What a tensor of Python remembers of its node.

use crate::error::{Error, Fault, Place, Result};
use crate::ops::Tag;
use crate::record::Arena;
use pyo3::Python;
#[cfg(not(Py_GIL_DISABLED))]
use std::cell::Cell;
#[cfg(Py_GIL_DISABLED)]
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A node, the epoch in which it was recorded, and what to call it once it is gone.
#[derive(Clone, Copy)]
pub(super) struct Handle {
    epoch: u64,
    pub(super) node: u32,
    site: u32,
    tag: Tag,
    /// Whether no other handle leads to the node, and its value may be let go of once
    /// this one is dropped.
    releases: bool,
}

impl Handle {
    #[inline]
    pub(super) fn new(arena: &Arena, node: u32, site: u32) -> Self {
        Handle::of_op(arena, node, site, arena.tag(node))
    }

    /// As `new`, of a node whose op is known.
    #[inline]
    pub(super) fn of_op(arena: &Arena, node: u32, site: u32, tag: Tag) -> Self {
        debug_assert_eq!(tag, arena.tag(node));
        Handle { epoch: arena.epochs().current(), node, site, tag, releases: false }
    }

    /// As `new`, of the only result of a call that found `len` nodes in the record. No
    /// handle will lead to what else the call has made.
    #[inline]
    pub(super) fn of_result(
        arena: &mut Arena,
        node: u32,
        site: u32,
        len: u32,
    ) -> Result<Self> {
        arena.release_but(len, node);
        let mut handle = Handle::new(arena, node, site);
        if node < len {
            arena.keep(node)?;
        } else {
            handle.releases = arena.is_releasable(node);
        }
        Ok(handle)
    }

    /// As `new`, of a node that was there before, so that other handles may lead to it.
    pub(super) fn another(arena: &mut Arena, node: u32) -> Result<Self> {
        arena.keep(node)?;
        Ok(Handle::new(arena, node, arena.site(node)))
    }

    /// The node, if the handle is alive.
    #[inline]
    pub(super) fn check(&self, arena: &Arena, op: &'static str) -> Result<u32> {
        match arena.epochs().death(self.epoch, self.node) {
            None => Ok(self.node),
            Some(event) => {
                let label = self.label();
                Err(Error::new(Fault::Dead { op, label: label.clone(), event })
                    .recorded_at(label, self.place()))
            }
        }
    }

    /// As `check`, without saying what is wrong.
    #[inline]
    pub(super) fn living(&self, arena: &Arena) -> Option<u32> {
        arena.epochs().death(self.epoch, self.node).is_none().then_some(self.node)
    }

    /// The epoch in which the node was seen alive, and the node.
    pub(super) fn seen(&self) -> (u64, u32) {
        (self.epoch, self.node)
    }

    /// Whether the handle was given out in this epoch or before.
    pub(super) fn is_as_old_as(&self, epoch: u64) -> bool {
        self.epoch <= epoch
    }

    /// What messages call the node; by its name, if it is alive and has one.
    pub(super) fn label_in(&self, arena: &Arena) -> String {
        self.living(arena).map_or_else(|| self.label(), |node| arena.label(node))
    }

    /// What messages call the node once it is gone.
    pub(super) fn label(&self) -> String {
        format!("#{} {}", self.node, self.tag.name())
    }

    pub(super) fn place(&self) -> Place {
        Place::Site(self.site)
    }
}

/// The handle in a tensor's object, which an assignment moves on to a new node.
#[cfg(not(Py_GIL_DISABLED))]
pub(super) struct Moving(Cell<Handle>);

// SAFETY: it is read and written only by a thread that is attached to the interpreter,
// whose lock lets one be attached at a time.
#[cfg(not(Py_GIL_DISABLED))]
unsafe impl Sync for Moving {}

#[cfg(not(Py_GIL_DISABLED))]
impl Moving {
    pub(super) fn new(handle: Handle) -> Self {
        Moving(Cell::new(handle))
    }

    #[inline]
    pub(super) fn get(&self, _: Python<'_>) -> Handle {
        self.0.get()
    }

    /// Whether the value may go with the handle. The rest of it is not read: it may be
    /// on its way to memory still.
    #[inline]
    pub(super) fn releases(&self, _: Python<'_>) -> bool {
        self.0.get().releases
    }

    pub(super) fn swap(&self, other: &Moving, _: Python<'_>) {
        self.0.swap(&other.0);
    }
}

/// As above, where several threads may be attached.
#[cfg(Py_GIL_DISABLED)]
pub(super) struct Moving(Mutex<Handle>);

#[cfg(Py_GIL_DISABLED)]
impl Moving {
    pub(super) fn new(handle: Handle) -> Self {
        Moving(Mutex::new(handle))
    }

    pub(super) fn get(&self, _: Python<'_>) -> Handle {
        *self.lock()
    }

    pub(super) fn releases(&self, py: Python<'_>) -> bool {
        self.get(py).releases
    }

    pub(super) fn swap(&self, other: &Moving, py: Python<'_>) {
        let theirs = other.get(py);
        let ours = std::mem::replace(&mut *self.lock(), theirs);
        *other.lock() = ours;
    }

    fn lock(&self) -> MutexGuard<'_, Handle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
