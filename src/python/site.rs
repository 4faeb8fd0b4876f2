//! Where in the user's source a node was recorded.
//!
//! A site is a code object and an instruction in it: two loads and two calls a node. It
//! is turned into a file and a line only when something prints.

use crate::record::intern::Map;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{ffi, intern};
use std::ptr::NonNull;

/// A code object and the instruction, or on Python 3.10 the line, that it was at.
pub(super) struct Place {
    code: NonNull<ffi::PyCodeObject>,
    at: i32,
}

// SAFETY: a place is read and dropped only while attached to the interpreter.
unsafe impl Send for Place {}

impl Place {
    /// Where the innermost frame is.
    #[inline]
    pub(super) fn here(_py: Python<'_>) -> Option<Place> {
        // SAFETY: the thread is attached; the frame is borrowed from it.
        unsafe { Place::of_frame(ffi::PyEval_GetFrame()) }
    }

    /// # Safety
    /// `frame` is null or a frame of this thread, which is attached.
    #[inline]
    unsafe fn of_frame(frame: *mut ffi::PyFrameObject) -> Option<Place> {
        if frame.is_null() {
            return None;
        }
        // SAFETY: by the contract of this function.
        unsafe {
            let code = NonNull::new(ffi::PyFrame_GetCode(frame))?;
            #[cfg(Py_3_11)]
            let at = ffi::PyFrame_GetLasti(frame);
            #[cfg(not(Py_3_11))]
            let at = ffi::PyFrame_GetLineNumber(frame);
            Some(Place { code, at })
        }
    }

    /// Where the innermost frame outside this package is.
    #[cold]
    pub(super) fn outside(py: Python<'_>) -> Option<Place> {
        // SAFETY: the thread is attached. `PyFrame_GetBack` gives an owned frame, which
        // `back` releases after the next was taken from it.
        unsafe {
            let mut frame = ffi::PyEval_GetFrame();
            let mut owned: Option<Bound<'_, PyAny>> = None;
            loop {
                let place = Place::of_frame(frame)?;
                if !place.is_internal(py) {
                    return Some(place);
                }
                frame = ffi::PyFrame_GetBack(frame);
                let back = Bound::from_owned_ptr_or_opt(py, frame.cast());
                drop(std::mem::replace(&mut owned, back));
            }
        }
    }

    fn key(&self) -> (usize, i32) {
        (self.code.as_ptr().addr(), self.at)
    }

    fn code<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the place holds a reference to the code object.
        unsafe { Bound::from_borrowed_ptr(py, self.code.as_ptr().cast()) }
    }

    fn file_object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let file = self.code(py).getattr(intern!(py, "co_filename"))?;
        Ok(file.cast_into::<PyString>()?)
    }

    pub(super) fn file(&self, py: Python<'_>) -> String {
        self.file_object(py).and_then(|file| file.extract()).unwrap_or_default()
    }

    /// Whether the code is this package's own.
    fn is_internal(&self, py: Python<'_>) -> bool {
        let Ok(file) = self.file_object(py) else { return false };
        // Not as `file` does it: a call within the package asks this of every frame.
        let Ok(file) = file.to_str() else { return false };
        package_folder(py).is_some_and(|folder| file.starts_with(folder))
    }

    /// The number of the line.
    pub(super) fn line_number(&self, _py: Python<'_>) -> i32 {
        #[cfg(Py_3_11)]
        // SAFETY: the thread is attached, the code object alive, and the instruction was
        // its own.
        let line = unsafe { ffi::PyCode_Addr2Line(self.code.as_ptr(), self.at) };
        #[cfg(not(Py_3_11))]
        let line = self.at;
        line
    }

    /// The file and line, relative to the working directory if within it.
    pub(super) fn line(&self, py: Python<'_>) -> String {
        let file = self.file(py);
        let here = std::env::current_dir().ok();
        let path = std::path::Path::new(&file);
        let short = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
        format!("{}:{}", short.unwrap_or(path).display(), self.line_number(py))
    }
}

impl Clone for Place {
    fn clone(&self) -> Self {
        // SAFETY: clones are made only while attached to the interpreter.
        unsafe { ffi::Py_INCREF(self.code.as_ptr().cast()) };
        Place { code: self.code, at: self.at }
    }
}

impl Drop for Place {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: places are dropped only while attached to the interpreter.
        unsafe { ffi::Py_DECREF(self.code.as_ptr().cast()) };
    }
}

/// The folder of the package's own Python files.
fn package_folder(py: Python<'_>) -> Option<&'static str> {
    static FOLDER: pyo3::sync::PyOnceLock<Option<String>> =
        pyo3::sync::PyOnceLock::new();
    let find = || {
        let package = py.import("wengert").ok()?;
        let paths = package.getattr("__path__").ok()?;
        let path: String = paths.get_item(0).ok()?.extract().ok()?;
        Some(path + std::path::MAIN_SEPARATOR_STR)
    };
    FOLDER.get_or_init(py, find).as_deref()
}

/// The number of a node whose place is not known.
pub(super) const UNKNOWN: u32 = 0;
/// The most places that a record remembers; later ones are unknown.
const MOST: u32 = 1 << 16;

/// The places of a record's nodes. It outlives a clear.
#[derive(Clone, Default)]
pub(super) struct Sites {
    places: Vec<Place>,
    numbers: Map<(usize, i32), u32>,
    last: Option<((usize, i32), u32)>,
}

impl Sites {
    /// The number of a place, if it is known. Code of this package never is.
    #[inline]
    pub(super) fn find(&mut self, place: &Place) -> Option<u32> {
        let key = place.key();
        match self.last {
            Some((last, number)) if last == key => Some(number),
            _ => {
                let number = *self.numbers.get(&key)?;
                self.last = Some((key, number));
                Some(number)
            }
        }
    }

    /// The number of a place, which is taken and kept if it was not known.
    pub(super) fn number(&mut self, place: &mut Option<Place>) -> u32 {
        let Some(key) = place.as_ref().map(Place::key) else { return UNKNOWN };
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let number = match u32::try_from(self.places.len() + 1) {
            Ok(number) if number <= MOST => number,
            _ => return UNKNOWN,
        };
        self.places.extend(place.take());
        self.numbers.insert(key, number);
        number
    }

    /// The place with a number.
    pub(super) fn place(&self, number: u32) -> Option<Place> {
        self.places.get((number as usize).checked_sub(1)?).cloned()
    }
}
