//! Strided arrays over counted buffers, and the views that kernels read. Knows no ops.

#![allow(
    clippy::cast_ptr_alignment,
    reason = "elements lie at addresses that suit their type"
)]

pub(crate) mod buffer;
mod format;
mod order;
mod view;

use crate::dtype::{self, DType, Element, Scalar};
use crate::error::{self, Error, Fault, Operand, Result};
use crate::shape::{self, Shape, Strides, Type};
use crate::stop;
use buffer::Buffer;
pub use buffer::{pool_bytes, pool_limit, release_pool, set_pool_limit};
pub(crate) use format::summary;
use ndarray::{ArrayD, ArrayViewD};
pub(crate) use order::Order;
pub(crate) use view::fill;
pub(crate) use view::{View, ViewMut};

/// A reference-counted array of `f32`, `f64`, `i64` or `bool`.
///
/// A clone shares the elements; a write through one handle copies them first if
/// another handle shares them.
///
/// ```
/// use wengert::NdArray;
/// let mut x = NdArray::from_slice(&[1.0, 2.0, 3.0, 4.0]);
/// x.reshape(&[2, 2]);
/// assert_eq!(x.shape(), [2, 2]);
/// assert_eq!(x.to_vec::<f32>(), [1.0, 2.0, 3.0, 4.0]);
/// ```
#[derive(Clone)]
pub struct NdArray {
    buffer: Buffer,
    first: *const u8,
    shape: Shape,
    strides: Strides,
    dtype: DType,
}

// SAFETY: `first` points into `buffer`, whose elements are written only while a single
// handle exists.
unsafe impl Send for NdArray {}
// SAFETY: as above.
unsafe impl Sync for NdArray {}

impl NdArray {
    /// A one-dimensional array of `f32`.
    ///
    /// # Panics
    /// If memory cannot be had; [`NdArray::try_from_elements`] gives an error then.
    #[track_caller]
    pub fn from_slice(elements: &[f32]) -> Self {
        NdArray::from_elements(elements)
    }

    /// A one-dimensional array of any element type.
    ///
    /// ```
    /// use wengert::{DType, NdArray};
    /// assert_eq!(NdArray::from_elements(&[1_i64, 2]).dtype(), DType::I64);
    /// ```
    ///
    /// # Panics
    /// If memory cannot be had; [`NdArray::try_from_elements`] gives an error then.
    #[track_caller]
    pub fn from_elements<T: Element>(elements: &[T]) -> Self {
        error::expect(NdArray::try_from_elements(elements, &[elements.len()]))
    }

    /// An array of the given shape with these elements in C order; an error if their
    /// number does not fit the shape, or if memory cannot be had.
    pub fn try_from_elements<T: Element>(
        elements: &[T],
        shape: &[usize],
    ) -> Result<Self> {
        let op = "from_elements";
        let shape = shape::check(op, shape, T::DTYPE)?;
        if elements.len() != shape.len() {
            let found = elements.len();
            return Err(Error::new(Fault::ValueCount {
                op,
                found,
                shape: shape.to_vec(),
            }));
        }
        let mut array = Fresh::new(op, Type::new(shape, T::DTYPE))?;
        array.view().slice_mut::<T>().write_copy_of_slice(elements);
        // SAFETY: every element was just written.
        Ok(unsafe { array.assume_init() })
    }

    /// An array of the elements that an iterator gives, in C order.
    ///
    /// # Panics
    /// If the iterator ends before the array is full.
    pub(crate) fn try_from_iter<T: Element>(
        op: &'static str,
        shape: &[usize],
        mut items: impl Iterator<Item = T>,
    ) -> Result<Self> {
        let shape = shape::check(op, shape, T::DTYPE)?;
        let mut array = Fresh::new(op, Type::new(shape, T::DTYPE))?;
        for part in array.view().slice_mut::<T>().chunks_mut(1 << 16) {
            stop::poll()?;
            for element in part {
                element.write(items.next().expect("there is an item for each element"));
            }
        }
        // SAFETY: the loop wrote every element.
        Ok(unsafe { array.assume_init() })
    }

    /// An array filled with one value.
    pub fn full(
        shape: &[usize],
        value: impl Into<Scalar>,
        dtype: DType,
    ) -> Result<Self> {
        NdArray::filled("full", shape, value.into(), dtype)
    }

    /// As `full`, for the op that an error is to name.
    pub(crate) fn filled(
        op: &'static str,
        shape: &[usize],
        value: Scalar,
        dtype: DType,
    ) -> Result<Self> {
        let shape = shape::check(op, shape, dtype)?;
        let mut array = Fresh::new(op, Type::new(shape, dtype))?;
        fill(array.view(), value)?;
        // SAFETY: `fill` wrote every element.
        Ok(unsafe { array.assume_init() })
    }

    /// An array of zeros, or of `false`.
    pub fn zeros(shape: &[usize], dtype: DType) -> Result<Self> {
        NdArray::full(shape, 0.0, dtype)
    }

    /// One value seen as an array of any shape: all strides are 0.
    pub(crate) fn repeated(value: Scalar, ty: Type) -> Result<Self> {
        let one = NdArray::full(&[], value, ty.dtype)?;
        let strides = Strides::from_elem(0, ty.shape.ndim());
        Ok(NdArray { shape: ty.shape, strides, ..one })
    }

    /// An array over memory that `buffer` keeps alive.
    ///
    /// # Safety
    /// All elements that `shape` and `strides` reach from `first` lie within the buffer
    /// and are initialised.
    pub(crate) unsafe fn from_raw(
        buffer: Buffer,
        first: *const u8,
        ty: Type,
        strides: Strides,
    ) -> Self {
        NdArray { buffer, first, shape: ty.shape, strides, dtype: ty.dtype }
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Steps between neighbours along each axis, in elements.
    pub fn strides(&self) -> &[isize] {
        &self.strides
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The shape and the element type.
    pub(crate) fn ty(&self) -> Type {
        Type::new(self.shape.clone(), self.dtype)
    }

    /// The number of axes.
    pub fn ndim(&self) -> usize {
        self.shape.ndim()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.shape.is_empty()
    }

    /// Whether the elements lie in C order without gaps.
    pub fn is_contiguous(&self) -> bool {
        shape::is_contiguous(&self.shape, &self.strides)
    }

    /// The address of the first element.
    pub(crate) fn first(&self) -> *const u8 {
        self.first
    }

    /// The buffer that holds the elements.
    pub(crate) fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// What a kernel reads.
    pub(crate) fn view(&self) -> View<'_> {
        let contiguous = self.is_contiguous();
        let strides = if contiguous { None } else { Some(&*self.strides) };
        // SAFETY: the elements are initialised, kept by `self`, and written only by a
        // unique holder.
        unsafe { View::from_raw(self.first, &self.shape, strides, self.dtype) }
    }

    /// The elements, if they are contiguous and of type `T`.
    pub fn as_slice<T: Element>(&self) -> Option<&[T]> {
        self.view().as_slice::<T>()
    }

    /// The elements in C order.
    ///
    /// # Panics
    /// If the elements are not of type `T`.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        error::expect(self.try_to_vec())
    }

    /// As `to_vec`; an error if the elements are not of type `T`.
    pub fn try_to_vec<T: Element>(&self) -> Result<Vec<T>> {
        Ok(self.try_as_array::<T>()?.iter().copied().collect())
    }

    /// The elements as an `ndarray` view.
    ///
    /// # Panics
    /// If the elements are not of type `T`.
    #[track_caller]
    pub fn as_array<T: Element>(&self) -> ArrayViewD<'_, T> {
        error::expect(self.try_as_array())
    }

    /// As `as_array`; an error if the elements are not of type `T`.
    pub fn try_as_array<T: Element>(&self) -> Result<ArrayViewD<'_, T>> {
        dtype::expect::<T>("as_array", self.dtype)?;
        Ok(self.view().as_array::<T>())
    }

    /// The value of an array of one element.
    pub fn item(&self) -> Result<Scalar> {
        self.view().item()
    }

    /// Gives the array another shape, in place; elements keep their C order.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&mut self, shape: &[usize]) {
        error::expect(self.try_reshape(shape));
    }

    /// As `reshape`; an error leaves the array as it was.
    pub fn try_reshape(&mut self, shape: &[usize]) -> Result<()> {
        let shape = shape::check("reshape", shape, self.dtype)?;
        if shape.len() != self.len() {
            let (operand, wanted) = (Operand::new(&self.shape), shape.len());
            let (op, shape) = ("reshape", shape.to_vec());
            return Err(Error::new(Fault::Reshape { op, operand, shape, wanted }));
        }
        let strides = shape::reshape_strides(&self.shape, &self.strides, &shape);
        *self = match strides {
            Some(strides) => NdArray { shape, strides, ..self.clone() },
            None => {
                NdArray { strides: shape.strides(), shape, ..self.to_contiguous()? }
            }
        };
        Ok(())
    }

    /// The same elements with the axes permuted: axis `k` of the result is `axes[k]`.
    pub(crate) fn transposed(self, axes: &[usize]) -> NdArray {
        let shape = axes.iter().map(|&k| self.shape[k]).collect();
        let strides = axes.iter().map(|&k| self.strides[k]).collect();
        NdArray { shape, strides, ..self }
    }

    /// The same elements with two axes exchanged.
    pub(crate) fn swapped(mut self, a: usize, b: usize) -> NdArray {
        self.shape.swap(a, b);
        self.strides.swap(a, b);
        self
    }

    /// A contiguous array in another shape of as many elements.
    pub(crate) fn contiguous_as(self, shape: Shape) -> NdArray {
        debug_assert!(self.is_contiguous() && self.len() == shape.len());
        NdArray { strides: shape.strides(), shape, ..self }
    }

    /// This array, or a contiguous copy if it is not contiguous.
    pub(crate) fn to_contiguous(&self) -> Result<NdArray> {
        if self.is_contiguous() { Ok(self.clone()) } else { self.copied() }
    }

    /// A contiguous copy with a buffer of its own.
    pub(crate) fn copied(&self) -> Result<NdArray> {
        self.view().copied("copy")
    }

    /// Whether a write would be seen through no other handle.
    pub(crate) fn is_unique(&self) -> bool {
        self.buffer.is_unique()
    }

    /// The memory for a kernel to write, if no other handle shares it and the elements
    /// fill it in C order.
    pub(crate) fn exclusive(&mut self) -> Option<ViewMut<'_>> {
        if !self.is_unique() || !self.is_contiguous() {
            return None;
        }
        // SAFETY: the elements are contiguous, and no other handle reads them.
        Some(unsafe {
            ViewMut::from_raw(self.first.cast_mut(), &self.shape, self.dtype)
        })
    }

    /// The buffer alone, if the elements fill it from its start in C order.
    pub(crate) fn into_buffer(self) -> Result<Buffer, NdArray> {
        if self.first == self.buffer.data() && self.is_contiguous() {
            Ok(self.buffer)
        } else {
            Err(self)
        }
    }

    /// A contiguous array that fills a buffer from its start.
    ///
    /// # Safety
    /// The buffer holds initialised elements of this type.
    pub(crate) unsafe fn from_buffer(buffer: Buffer, ty: Type) -> NdArray {
        let (first, strides) = (buffer.data(), ty.shape.strides());
        // SAFETY: by the contract of this function.
        unsafe { NdArray::from_raw(buffer, first, ty, strides) }
    }

    /// The elements for writing, copied first if they are shared or strided.
    ///
    /// # Panics
    /// If the elements are not of type `T`.
    #[track_caller]
    pub fn as_mut_slice<T: Element>(&mut self) -> &mut [T] {
        error::expect(self.try_as_mut_slice())
    }

    /// As `as_mut_slice`; an error if the elements are not of type `T`, or if a copy is
    /// needed and memory cannot be had.
    pub fn try_as_mut_slice<T: Element>(&mut self) -> Result<&mut [T]> {
        dtype::expect::<T>("as_mut_slice", self.dtype)?;
        if !self.is_unique() || !self.is_contiguous() {
            *self = self.copied()?;
        }
        // SAFETY: the elements are contiguous, initialised, of type `T`, and no other
        // handle to the buffer exists while `self` is borrowed mutably.
        Ok(unsafe {
            std::slice::from_raw_parts_mut(self.first.cast_mut().cast(), self.len())
        })
    }
}

/// # Panics
/// If memory cannot be had; [`NdArray::try_from_elements`] gives an error then.
impl<T: Element> From<ArrayD<T>> for NdArray {
    #[track_caller]
    fn from(array: ArrayD<T>) -> Self {
        let elements = array.as_standard_layout();
        let slice = elements.as_slice().expect("a standard layout is a slice");
        error::expect(NdArray::try_from_elements(slice, array.shape()))
    }
}

/// Equal type, shape and elements; a NaN equals nothing.
impl PartialEq for NdArray {
    fn eq(&self, other: &Self) -> bool {
        fn same<T: Element>(a: &NdArray, b: &NdArray) -> bool {
            a.as_array::<T>() == b.as_array::<T>()
        }
        self.dtype == other.dtype
            && self.shape == other.shape
            && match self.dtype {
                DType::F32 => same::<f32>(self, other),
                DType::F64 => same::<f64>(self, other),
                DType::I64 => same::<i64>(self, other),
                DType::Bool => same::<bool>(self, other),
            }
    }
}

/// A contiguous array whose elements are still to be written.
pub(crate) struct Fresh {
    buffer: Buffer,
    ty: Type,
}

impl Fresh {
    /// Memory for an array of this type.
    pub(crate) fn new(op: &'static str, ty: Type) -> Result<Self> {
        Ok(Fresh { buffer: Buffer::new(op, ty.bytes(), &ty.shape)?, ty })
    }

    /// What a kernel fills.
    pub(crate) fn view(&mut self) -> ViewMut<'_> {
        // SAFETY: the buffer has room for the type and is held by `self` alone.
        unsafe { ViewMut::from_raw(self.buffer.data(), &self.ty.shape, self.ty.dtype) }
    }

    /// The array.
    ///
    /// # Safety
    /// Every element has been written.
    pub(crate) unsafe fn assume_init(self) -> NdArray {
        // SAFETY: the buffer holds a contiguous array of this type, by the contract of
        // this function initialised.
        unsafe { NdArray::from_buffer(self.buffer, self.ty) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_copies_what_is_shared() {
        let a = NdArray::from_slice(&[1.0, 2.0]);
        let mut b = a.clone();
        b.as_mut_slice::<f32>()[0] = 5.0;
        assert_eq!(a.to_vec::<f32>(), [1.0, 2.0]);
        assert_eq!(b.to_vec::<f32>(), [5.0, 2.0]);
        let address = b.first();
        b.as_mut_slice::<f32>()[1] = 6.0;
        assert_eq!(b.first(), address, "a unique array is written in place");
    }

    #[test]
    fn negative_and_zero_strides_are_read_in_c_order() {
        let base = NdArray::from_elements(&[0_i64, 1, 2, 3, 4, 5]);
        let ty = Type::new(Shape::new(&[2, 3]), DType::I64);
        // SAFETY: element 5 is within the buffer, and all others lie before it.
        let turned = unsafe {
            let last = base.first().add(5 * 8);
            NdArray::from_raw(base.buffer.clone(), last, ty, [-3, -1][..].into())
        };
        assert_eq!(turned.to_vec::<i64>(), [5, 4, 3, 2, 1, 0]);
        assert_eq!(turned.copied().unwrap(), turned);
        let ty = Type::new(Shape::new(&[2, 2]), DType::F64);
        let two = NdArray::repeated(Scalar::Float(2.0), ty).unwrap();
        assert_eq!(two.to_vec::<f64>(), [2.0; 4]);
    }

    #[test]
    fn a_reshape_that_fails_changes_nothing() {
        let mut a = NdArray::from_slice(&[1.0, 2.0, 3.0]);
        assert!(a.try_reshape(&[2, 2]).is_err());
        assert_eq!(a.shape(), [3]);
    }

    #[test]
    fn ndarray_round_trip() {
        let array = ndarray::array![[1.0, 2.0], [3.0, 4.0]].reversed_axes().into_dyn();
        let ours = NdArray::from(array.clone());
        assert_eq!(ours.as_array::<f64>(), array.view());
    }
}
