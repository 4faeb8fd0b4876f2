//! The Python objects of tensors.
//!
//! The interpreter takes about as long to make and to free an object as a small op takes
//! in all. So objects of dead tensors are kept for the next ones. The collector does not
//! track those: a tensor leads to its record alone, which leads nowhere.

use super::handle::{Handle, Moving};
use super::record::PyRecord;
use super::tensor::PyTensor;
use pyo3::prelude::*;

/// A tensor's object.
#[inline]
pub(super) fn tensor<'py>(
    record: &Bound<'py, PyRecord>,
    handle: Handle,
) -> PyResult<Bound<'py, PyTensor>> {
    let tensor = PyTensor { record: record.clone().unbind(), at: Moving::new(handle) };
    #[cfg(not(Py_GIL_DISABLED))]
    let tensor = match pool::revive(record.py(), tensor) {
        Ok(object) => return Ok(object),
        Err(tensor) => tensor,
    };
    Bound::new(record.py(), tensor)
}

/// Makes tensors return their objects.
pub(super) fn install(py: Python<'_>) {
    #[cfg(not(Py_GIL_DISABLED))]
    pool::install(py);
    #[cfg(Py_GIL_DISABLED)]
    let _ = py;
}

#[cfg(not(Py_GIL_DISABLED))]
mod pool {
    use super::PyTensor;
    use pyo3::prelude::*;
    use pyo3::{PyTypeInfo, ffi};
    use std::cell::UnsafeCell;
    use std::ptr::{from_ref, null_mut};

    /// The most objects that are kept.
    const MOST: usize = 256;

    /// Objects whose tensors are dead.
    struct Pool {
        objects: [*mut ffi::PyObject; MOST],
        len: usize,
        /// Frees an object for good.
        free: Option<ffi::destructor>,
        /// Where in an object its weak references hang.
        weak: usize,
    }

    /// Used only by the thread that is attached to the interpreter.
    struct Attached(UnsafeCell<Pool>);

    // SAFETY: the interpreter's lock lets one thread be attached at a time.
    unsafe impl Sync for Attached {}

    static POOL: Attached = Attached(UnsafeCell::new(Pool {
        objects: [null_mut(); MOST],
        len: 0,
        free: None,
        weak: 0,
    }));

    /// Puts `free` in the place of what frees tensors.
    pub(super) fn install(py: Python<'_>) {
        let class = PyTensor::type_object_raw(py);
        // SAFETY: the thread is attached. No tensor exists yet, and the class cannot be
        // derived from, so no other type has copied its slots.
        unsafe {
            let pool = &mut *POOL.0.get();
            let Ok(weak @ 1..) = usize::try_from((*class).tp_weaklistoffset) else {
                return;
            };
            if pool.free.is_none() {
                pool.weak = weak;
                pool.free = (*class).tp_dealloc.replace(free);
            }
        }
    }

    /// Where in its object a tensor is.
    ///
    /// # Safety
    /// The object is of the class, and its memory not freed.
    #[inline]
    unsafe fn place(py: Python<'_>, object: *mut ffi::PyObject) -> *mut PyTensor {
        // SAFETY: by the contract; only the address of the reference is used, since
        // what is behind it may be dead and is to be written.
        let address = unsafe {
            from_ref(Borrowed::from_ptr(py, object).cast_unchecked::<PyTensor>().get())
        };
        object.cast::<PyTensor>().with_addr(address.addr())
    }

    /// An object for the tensor from the pool, if there is one.
    #[inline]
    pub(super) fn revive(
        py: Python<'_>,
        tensor: PyTensor,
    ) -> Result<Bound<'_, PyTensor>, PyTensor> {
        // SAFETY: the thread is attached. An object of the pool belongs to nobody, and
        // all of it but the header and the tensor is as it was when it was new.
        unsafe {
            let pool = &mut *POOL.0.get();
            let Some(len) = pool.len.checked_sub(1) else { return Err(tensor) };
            pool.len = len;
            let object = pool.objects[len];
            place(py, object).write(tensor);
            ffi::PyObject_Init(object, PyTensor::type_object_raw(py));
            Ok(Bound::from_owned_ptr(py, object).cast_into_unchecked())
        }
    }

    /// Takes a dead tensor's object into the pool.
    ///
    /// # Safety
    /// As for any `tp_dealloc`: the object is a tensor, and nothing refers to it.
    unsafe extern "C" fn free(object: *mut ffi::PyObject) {
        // SAFETY: the interpreter calls this attached, with an object of the class,
        // for which it holds a reference of its own that goes with the tensor.
        unsafe {
            let py = Python::assume_attached();
            let tensor = &*place(py, object);
            if tensor.at.releases(py) {
                tensor.record.get().release(&tensor.at, py);
            }
            let pool = POOL.0.get();
            let weak = object.byte_add((*pool).weak).cast::<*mut ffi::PyObject>();
            if (*pool).len == MOST || !weak.read().is_null() {
                if let Some(free) = (*pool).free {
                    free(object);
                }
                return;
            }
            ffi::PyObject_GC_UnTrack(object.cast());
            let class = ffi::Py_TYPE(object);
            let PyTensor { record, .. } = place(py, object).read();
            let len = (*pool).len;
            (*pool).objects[len] = object;
            (*pool).len = len + 1;
            // Last, for the record may go with it, and whatever that runs.
            ffi::Py_DECREF(record.into_ptr());
            ffi::Py_DECREF(class.cast());
        }
    }
}
