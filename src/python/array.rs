//! `NumPy` arrays in and out.

use super::error::{plain, raise};
use super::operand::{is_index, several};
use crate::array::buffer::Buffer;
use crate::array::{Fresh, NdArray, View, ViewMut};
use crate::dtype::DType;
use crate::error::{Error, Fault};
use crate::shape::{self, Shape, Strides, Type};
use numpy::npyffi::{self, PY_ARRAY_API, PyArrayObject};
use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyBufferError, PyMemoryError, PyOverflowError};
use pyo3::intern;
use pyo3::prelude::*;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Arrays up to this many bytes are copied out; larger ones are shown where they lie.
const COPIED: usize = 1 << 10;

/// Keeps the buffer that a `NumPy` array shows.
#[pyclass(frozen, module = "wengert._core", name = "_Pin")]
pub(super) struct Pin {
    buffer: Buffer,
    /// The type of the buffer's elements.
    dtype: DType,
}

/// `NumPy`'s own description of an element type.
pub(super) fn descr(py: Python<'_>, dtype: DType) -> Bound<'_, PyArrayDescr> {
    match dtype {
        DType::F32 => numpy::dtype::<f32>(py),
        DType::F64 => numpy::dtype::<f64>(py),
        DType::I64 => numpy::dtype::<i64>(py),
        DType::Bool => numpy::dtype::<bool>(py),
    }
}

/// The element type that a `dtype` argument names.
pub(super) fn dtype_of(py: Python<'_>, given: &Bound<'_, PyAny>) -> PyResult<DType> {
    // As NumPy has it. The crate `numpy` finds nothing for None, and panics.
    if given.is_none() {
        return Ok(DType::F64);
    }
    let descr = PyArrayDescr::new(py, given)?;
    match (descr.kind(), descr.itemsize()) {
        (b'b', _) => Ok(DType::Bool),
        (b'i', 8) => Ok(DType::I64),
        (b'f', 4) => Ok(DType::F32),
        (b'f', 8) => Ok(DType::F64),
        _ => Err(unsupported(py, &descr)),
    }
}

fn unsupported(py: Python<'_>, descr: &Bound<'_, PyArrayDescr>) -> PyErr {
    let text = format!(
        "dtype {descr} is not supported: arrays hold float32, float64, int64 or bool"
    );
    raise(py, "DTypeError", &text)
}

/// The element type of an array whose bytes can be read as they are.
fn native_dtype(descr: &Bound<'_, PyArrayDescr>) -> Option<DType> {
    if descr.is_native_byteorder() == Some(false) {
        return None;
    }
    match (descr.kind(), descr.itemsize()) {
        (b'b', 1) => Some(DType::Bool),
        (b'i', 8) => Some(DType::I64),
        (b'f', 4) => Some(DType::F32),
        (b'f', 8) => Some(DType::F64),
        _ => None,
    }
}

/// The array that anything `NumPy` takes stands for, of a type that we hold.
///
/// Smaller integers become `int64`, `float16` becomes `float32`, foreign byte order
/// becomes native; other types are refused.
fn readable<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = value.py();
    let array = if let Ok(array) = value.cast::<PyUntypedArray>() {
        refuse_masked(array)?;
        array.clone()
    } else {
        let numpy = py.import(intern!(py, "numpy"))?;
        let array = numpy.call_method1(intern!(py, "asarray"), (value,))?;
        array.cast_into::<PyUntypedArray>()?
    };
    let descr = array.dtype();
    if native_dtype(&descr).is_some() && is_aligned(&array) {
        return Ok(array);
    }
    let target = match (descr.kind(), descr.itemsize()) {
        (b'b', _) => DType::Bool,
        (b'i', _) | (b'u', ..=4) => DType::I64,
        (b'f', ..=4) => DType::F32,
        (b'f', 8) => DType::F64,
        _ => return Err(unsupported(py, &descr)),
    };
    let copy = array.call_method1(intern!(py, "astype"), (self::descr(py, target),))?;
    Ok(copy.cast_into::<PyUntypedArray>()?)
}

/// Refuses an array that hides some of its elements: they would come to light.
fn refuse_masked(array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    let py = array.py();
    // SAFETY: the API's table of types is there as long as NumPy is.
    let plain = unsafe { npyffi::get_type_object(py, npyffi::NpyTypes::PyArray_Type) };
    if array.get_type().as_type_ptr() == plain || !array.hasattr(intern!(py, "mask"))? {
        return Ok(());
    }
    let masks = py.import(intern!(py, "numpy.ma"))?;
    if !masks.call_method1(intern!(py, "is_masked"), (array,))?.is_truthy()? {
        return Ok(());
    }
    let text = "a masked array hides elements, a tensor has all\n\
                hint: .filled(x) gives an array with x in their place";
    Err(raise(py, "DTypeError", text))
}

/// Whether the elements lie where their type may lie, whole elements apart.
fn is_aligned(array: &Bound<'_, PyUntypedArray>) -> bool {
    let size = array.dtype().itemsize();
    let fields = fields(array);
    // SAFETY: the array is alive, and its strides are as many as its axes.
    let strides =
        unsafe { std::slice::from_raw_parts(array_strides(fields), array.ndim()) };
    fields.data.addr().is_multiple_of(size)
        && strides.iter().all(|stride| stride % size.cast_signed() == 0)
}

fn fields<'a>(
    array: &'a Bound<'_, PyUntypedArray>,
) -> &'a npyffi::PyArrayObject_fields {
    // SAFETY: the array is alive while it is borrowed.
    unsafe { &(*array.as_array_ptr()).fields }
}

fn is_writeable(array: &Bound<'_, PyUntypedArray>) -> bool {
    fields(array).flags & npyffi::NPY_ARRAY_WRITEABLE != 0
}

/// The strides, from an address that is valid even without axes.
fn array_strides(fields: &npyffi::PyArrayObject_fields) -> *const isize {
    if fields.nd == 0 {
        std::ptr::NonNull::dangling().as_ptr()
    } else {
        fields.strides.cast_const()
    }
}

/// An array with the elements of anything that `NumPy` takes.
///
/// It shares the memory of arrays that this package made, and copies others.
pub(super) fn from_numpy(value: &Bound<'_, PyAny>) -> PyResult<NdArray> {
    let py = value.py();
    let array = readable(value)?;
    let (ty, strides, first) = layout(&array)?;
    if let Some(pin) = pin_of(&array) {
        // SAFETY: the array is a view of what the pin's buffer holds.
        return Ok(unsafe { NdArray::from_raw(pin, first, ty, strides) });
    }
    let contiguous = shape::is_contiguous(&ty.shape, &strides);
    // SAFETY: NumPy's elements are initialised and of this type and layout. The thread
    // is attached, so only code that breaks NumPy's own rules could write meanwhile.
    let view = unsafe {
        let strides = if contiguous { None } else { Some(&*strides) };
        View::from_raw(first, &ty.shape, strides, ty.dtype)
    };
    if ty.dtype == DType::Bool {
        return plain(py, booleans(&view));
    }
    plain(py, view.copied("tensor"))
}

/// As `from_numpy`, without conversions between element types: what holds others gives
/// its own description instead of an array.
pub(super) fn from_plain<'py>(
    value: &Bound<'py, PyAny>,
) -> Result<NdArray, Result<Bound<'py, PyArrayDescr>, PyErr>> {
    let py = value.py();
    let convert = || {
        let numpy = py.import(intern!(py, "numpy"))?;
        let array = numpy.call_method1(intern!(py, "asarray"), (value,))?;
        Ok(array.cast_into::<PyUntypedArray>()?)
    };
    let array = convert().map_err(Err)?;
    let descr = array.dtype();
    match native_dtype(&descr) {
        Some(_) => from_numpy(array.as_any()).map_err(Err),
        None => Err(Ok(descr)),
    }
}

/// A copy whose every byte is 0 or 1: `NumPy` may view any bytes as booleans.
fn booleans(view: &View<'_>) -> Result<NdArray, Error> {
    let ty = Type::new(Shape::new(view.shape()), DType::Bool);
    let mut array = Fresh::new("tensor", ty)?;
    let strides = view.strides();
    let mut index = vec![0_usize; view.shape().len()];
    for element in array.view().slice_mut::<bool>() {
        let offset: isize =
            index.iter().zip(&strides).map(|(&i, &s)| i.cast_signed() * s).sum();
        // SAFETY: `bool` and `u8` have one size, any byte is a `u8`, and the offset is
        // that of an element.
        element.write(unsafe { *view.first().offset(offset) != 0 });
        for (i, &size) in index.iter_mut().zip(view.shape()).rev() {
            *i += 1;
            if *i < size {
                break;
            }
            *i = 0;
        }
    }
    // SAFETY: the loop wrote every element.
    Ok(unsafe { array.assume_init() })
}

/// An array over the memory of a `NumPy` array, which it keeps and makes read-only.
pub(super) fn borrow_numpy(value: &Bound<'_, PyAny>) -> PyResult<NdArray> {
    let py = value.py();
    let array = value.cast::<PyUntypedArray>().map_err(|_| {
        PyBufferError::new_err(
            "borrow=True needs a NumPy array, whose memory is shared",
        )
    })?;
    let native = native_dtype(&array.dtype()).filter(|&t| t != DType::Bool);
    if native.is_none() || !is_aligned(array) {
        return Err(PyBufferError::new_err(
            "borrow=True needs aligned float32, float64 or int64 in native byte order",
        ));
    }
    if let Some(pin) = pin_of(array) {
        let (ty, strides, first) = layout(array)?;
        // SAFETY: the array is a view of what the pin's buffer holds.
        return Ok(unsafe { NdArray::from_raw(pin, first, ty, strides) });
    }
    if is_writeable(array) {
        array
            .getattr(intern!(py, "flags"))?
            .setattr(intern!(py, "writeable"), false)?;
    }
    let (ty, strides, first) = layout(array)?;
    let keeper = Keeper::new(array.clone().into_any().unbind());
    let buffer = Buffer::keeping(Box::new(keeper))
        .ok_or_else(|| PyMemoryError::new_err("tensor: no memory"))?;
    // SAFETY: the keeper keeps the array, which NumPy now refuses to write.
    Ok(unsafe { NdArray::from_raw(buffer, first, ty, strides) })
}

/// Keeps a Python object. It may be dropped while a record's lock is held, so it leaves
/// the object to `release_dropped`.
pub(super) struct Keeper(Option<Py<PyAny>>);

impl Keeper {
    pub(super) fn new(object: Py<PyAny>) -> Self {
        Keeper(Some(object))
    }

    pub(super) fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        let object = self.0.as_ref().expect("the object is there until it is dropped");
        object.bind(py).clone()
    }
}

/// An object that nobody keeps any more, and those that were left before.
struct Dropped {
    object: Py<PyAny>,
    next: *mut Dropped,
}

/// The one that was left last. There is no lock, as a fork could leave it locked.
static DROPPED: AtomicPtr<Dropped> = AtomicPtr::new(ptr::null_mut());

impl Drop for Keeper {
    fn drop(&mut self) {
        let Some(object) = self.0.take() else { return };
        let mut next = DROPPED.load(Ordering::Relaxed);
        let this = Box::into_raw(Box::new(Dropped { object, next }));
        loop {
            // SAFETY: nobody else knows `this` until it is exchanged.
            unsafe { (*this).next = next };
            let order = (Ordering::Release, Ordering::Relaxed);
            match DROPPED.compare_exchange_weak(next, this, order.0, order.1) {
                Ok(_) => return,
                Err(other) => next = other,
            }
        }
    }
}

/// Releases the objects that records no longer keep. No record's lock may be held.
pub(super) fn release_dropped(py: Python<'_>) {
    let mut left = DROPPED.swap(ptr::null_mut(), Ordering::Acquire);
    while !left.is_null() {
        // SAFETY: it came from a box, and now is known to this thread alone.
        let Dropped { object, next } = *unsafe { Box::from_raw(left) };
        drop(object.into_bound(py));
        left = next;
    }
}

/// The type, the strides in elements, and the first element of a native array.
fn layout(array: &Bound<'_, PyUntypedArray>) -> PyResult<(Type, Strides, *const u8)> {
    let py = array.py();
    let descr = array.dtype();
    let Some(dtype) = native_dtype(&descr) else { return Err(unsupported(py, &descr)) };
    let shape: Shape = array.shape().iter().copied().collect();
    let size = dtype.size().cast_signed();
    let fields = fields(array);
    // SAFETY: the array is alive, and its strides are as many as its axes.
    let bytes =
        unsafe { std::slice::from_raw_parts(array_strides(fields), array.ndim()) };
    let strides = bytes.iter().map(|stride| stride / size).collect();
    let first = fields.data.cast_const().cast();
    Ok((Type::new(shape, dtype), strides, first))
}

/// The buffer of an array that this package made, or of a view of one, if nobody can
/// write it: `NumPy` makes no view of a read-only array writable.
fn pin_of(array: &Bound<'_, PyUntypedArray>) -> Option<Buffer> {
    let py = array.py();
    if is_writeable(array) {
        return None;
    }
    let mut array = array.clone();
    let is_bool = array.dtype().kind() == b'b';
    loop {
        let base = fields(&array).base;
        if base.is_null() {
            return None;
        }
        // SAFETY: an array's base is an object that it keeps.
        let base = unsafe { Bound::from_borrowed_ptr(py, base) };
        if let Ok(pin) = base.cast_exact::<Pin>() {
            let Pin { buffer, dtype } = pin.get();
            // `NumPy` may view any bytes as booleans.
            let fits = !is_bool || *dtype == DType::Bool;
            return fits.then(|| buffer.clone());
        }
        array = base.cast_into::<PyUntypedArray>().ok()?;
    }
}

/// A read-only `NumPy` array. Large arrays are shown where they lie, small ones copied.
pub(super) fn to_numpy<'py>(
    py: Python<'py>,
    array: &NdArray,
) -> PyResult<Bound<'py, PyAny>> {
    let mut small = Small::default();
    if small.read(&array.view()) {
        return small.to_numpy(py);
    }
    let (buffer, dtype) = (array.buffer().clone(), array.dtype());
    let pin = Bound::new(py, Pin { buffer, dtype })?;
    let view = array.view();
    let size = dtype.size().cast_signed();
    let mut steps: Strides = if view.is_contiguous() {
        Strides::new()
    } else {
        array.strides().iter().map(|stride| stride * size).collect()
    };
    let shown = new_array(py, array.shape(), dtype, view.first(), &mut steps)?;
    let object = shown.as_ptr().cast::<PyArrayObject>();
    // SAFETY: the array is fresh; the call takes over the pin.
    if unsafe { PY_ARRAY_API.PyArray_SetBaseObject(py, object, pin.into_ptr()) } < 0 {
        return Err(PyErr::fetch(py));
    }
    Ok(shown)
}

/// A value of up to `COPIED` bytes on its way to `NumPy`. It leaves a record before an
/// object is made for it, because none may be under the record's lock.
pub(super) struct Small {
    words: [MaybeUninit<u64>; COPIED / 8],
    shape: Shape,
    dtype: DType,
}

impl Default for Small {
    #[inline]
    fn default() -> Self {
        let words = [MaybeUninit::uninit(); COPIED / 8];
        Small { words, shape: Shape::scalar(), dtype: DType::F64 }
    }
}

impl Small {
    /// Copies the elements; false if they are too many.
    pub(super) fn read(&mut self, view: &View<'_>) -> bool {
        if view.len() * view.dtype().size() > COPIED {
            return false;
        }
        (self.shape, self.dtype) = (Shape::new(view.shape()), view.dtype());
        let first = self.words.as_mut_ptr().cast();
        // SAFETY: the elements fit the words, which nothing else uses.
        let to = unsafe { ViewMut::from_raw(first, view.shape(), view.dtype()) };
        view.copy_to(to).is_ok()
    }

    /// A read-only array of the elements that were read.
    pub(super) fn to_numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let none = std::ptr::null();
        let array = new_array(py, &self.shape, self.dtype, none, &mut Strides::new())?;
        // SAFETY: NumPy's fresh array has room for as many elements and is ours alone.
        unsafe {
            let fields = &mut (*array.as_ptr().cast::<PyArrayObject>()).fields;
            let bytes = self.shape.len() * self.dtype.size();
            fields.data.copy_from_nonoverlapping(self.words.as_ptr().cast(), bytes);
            fields.flags &= !npyffi::NPY_ARRAY_WRITEABLE;
        }
        Ok(array)
    }
}

/// A `NumPy` array over memory that is still to be given a keeper, read-only; without an
/// address, one with memory of its own that is to be filled. Without steps, which are in
/// bytes, the elements lie in C order.
fn new_array<'py>(
    py: Python<'py>,
    shape: &[usize],
    dtype: DType,
    first: *const u8,
    steps: &mut [isize],
) -> PyResult<Bound<'py, PyAny>> {
    let ndim = i32::try_from(shape.len())?;
    let steps =
        if steps.is_empty() { std::ptr::null_mut() } else { steps.as_mut_ptr() };
    // SAFETY: the call takes over the description, reads sizes, which fit `isize`, and
    // steps, and gives an owned array or null.
    unsafe {
        let array = PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            npyffi::get_type_object(py, npyffi::NpyTypes::PyArray_Type),
            descr(py, dtype).into_dtype_ptr(),
            ndim,
            shape.as_ptr().cast_mut().cast(),
            steps,
            first.cast_mut().cast(),
            0,
            std::ptr::null_mut(),
        );
        Bound::from_owned_ptr_or_err(py, array)
    }
}

/// A `NumPy` scalar for an array without axes, as `NumPy`'s own functions give.
pub(super) fn unwrap_scalar(array: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    let py = array.py();
    array.get_item(pyo3::types::PyTuple::empty(py))
}

/// A shape that a user gave: one integer or a sequence of them.
pub(super) fn sizes(
    op: &'static str,
    given: &Bound<'_, PyAny>,
) -> PyResult<Vec<isize>> {
    if let Some(items) = several(given) {
        return items.map(|item| signed(op, &item?)).collect();
    }
    Ok(vec![signed(op, given)?])
}

/// The sizes of both ends of an axis: one for both, or a pair.
pub(super) fn both_ends(
    op: &'static str,
    given: &Bound<'_, PyAny>,
) -> PyResult<(usize, usize)> {
    match *checked_sizes(op, given)? {
        [both] => Ok((both, both)),
        [before, after] => Ok((before, after)),
        ref many => {
            let text =
                format!("{op}: {} sizes of padding for the two ends", many.len());
            Err(raise(given.py(), "ShapeError", &text))
        }
    }
}

/// As `sizes`, of which none may be negative.
pub(super) fn checked_sizes(
    op: &'static str,
    given: &Bound<'_, PyAny>,
) -> PyResult<Vec<usize>> {
    let py = given.py();
    sizes(op, given)?.into_iter().map(|value| plain(py, positive(op, value))).collect()
}

/// One size that a user gave, which may not be negative.
pub(super) fn checked_size(
    op: &'static str,
    given: &Bound<'_, PyAny>,
) -> PyResult<usize> {
    plain(given.py(), positive(op, signed(op, given)?))
}

fn positive(op: &'static str, value: isize) -> Result<usize, Error> {
    usize::try_from(value)
        .map_err(|_| Error::new(Fault::NegativeDimension { op, value }))
}

fn signed(op: &'static str, given: &Bound<'_, PyAny>) -> PyResult<isize> {
    let py = given.py();
    if !is_index(given) {
        let kind = given.get_type().name()?;
        let text =
            format!("{op}: a dimension must be an integer, not {given} ({kind})");
        return Err(raise(py, "DTypeError", &text));
    }
    given.extract::<isize>().map_err(|error| {
        if !error.is_instance_of::<PyOverflowError>(py) {
            return error;
        }
        let text = format!("{op}: the size of {given} overflows");
        raise(py, "ShapeError", &text)
    })
}
