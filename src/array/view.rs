//! What kernels read and write: borrowed elements with a shape and a layout.

use crate::dtype::{DType, Element, Scalar};
use crate::error::{Error, Fault, Operand, Result};
use crate::shape::{self, Strides};
use crate::stop;
use ndarray::{ArrayViewD, Axis, IxDyn, ShapeBuilder};
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Elements to read: an address, a shape and strides.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    first: *const u8,
    shape: &'a [usize],
    /// `None` says that the elements are contiguous.
    strides: Option<&'a [isize]>,
    dtype: DType,
    lifetime: PhantomData<&'a u8>,
}

/// Contiguous memory that a kernel fills. The elements may be uninitialised.
pub(crate) struct ViewMut<'a> {
    first: *mut u8,
    shape: &'a [usize],
    dtype: DType,
    lifetime: PhantomData<&'a mut u8>,
}

/// What both kinds of view say of their elements.
macro_rules! describe {
    ($($View:ident)*) => { $(
        impl<'a> $View<'a> {
            /// The sizes of the axes.
            pub(crate) fn shape(&self) -> &'a [usize] {
                self.shape
            }

            /// The element type.
            pub(crate) fn dtype(&self) -> DType {
                self.dtype
            }

            /// The number of elements.
            pub(crate) fn len(&self) -> usize {
                self.shape.iter().product()
            }

            /// Whether there are no elements.
            pub(crate) fn is_empty(&self) -> bool {
                self.shape.contains(&0)
            }
        }
    )* };
}
describe!(View ViewMut);

// SAFETY: a view is a reference to elements that are only read.
unsafe impl Send for View<'_> {}
// SAFETY: as above.
unsafe impl Sync for View<'_> {}

impl<'a> View<'a> {
    /// A view of memory.
    ///
    /// # Safety
    /// For `'a`, all elements that `shape` and `strides` reach from `first` are
    /// initialised values of `dtype` and are not written.
    pub(crate) unsafe fn from_raw(
        first: *const u8,
        shape: &'a [usize],
        strides: Option<&'a [isize]>,
        dtype: DType,
    ) -> Self {
        View { first, shape, strides, dtype, lifetime: PhantomData }
    }

    /// A view of one value: the element whose bytes start at `word`.
    pub(crate) fn of_word(word: &'a u64, dtype: DType) -> Self {
        let first = std::ptr::from_ref(word).cast();
        View { first, shape: &[], strides: None, dtype, lifetime: PhantomData }
    }

    /// Whether the elements lie in C order without gaps.
    pub(crate) fn is_contiguous(&self) -> bool {
        self.strides.is_none()
    }

    /// The address of the first element.
    pub(crate) fn first(&self) -> *const u8 {
        self.first
    }

    /// Steps between neighbours along each axis, in elements.
    pub(crate) fn strides(&self) -> Strides {
        match self.strides {
            Some(strides) => Strides::from_slice(strides),
            None => shape::contiguous_strides(self.shape),
        }
    }

    /// The elements, if they are contiguous and of type `T`.
    pub(crate) fn as_slice<T: Element>(&self) -> Option<&'a [T]> {
        (self.dtype == T::DTYPE && self.strides.is_none()).then(|| {
            // SAFETY: a contiguous view reaches `len` elements of its dtype.
            unsafe { std::slice::from_raw_parts(self.first.cast::<T>(), self.len()) }
        })
    }

    /// The axes along which a broadcast repeats the elements.
    fn repeated(&self) -> impl Iterator<Item = usize> {
        let (shape, strides) = (self.shape, self.strides());
        (0..shape.len()).filter(move |&k| strides[k] == 0 && shape[k] > 1)
    }

    /// How often each element occurs.
    pub(crate) fn repeats(&self) -> usize {
        self.repeated().map(|axis| self.shape[axis]).product()
    }

    /// The elements without their repetitions, of which there may be more than anything
    /// could walk over: axes that only repeat have size 1.
    ///
    /// # Panics
    /// If the elements are not of type `T`.
    pub(crate) fn distinct<T: Element>(&self) -> ArrayViewD<'a, T> {
        let mut elements = self.as_array::<T>();
        for axis in self.repeated() {
            elements.collapse_axis(ndarray::Axis(axis), 0);
        }
        elements
    }

    /// The elements as an `ndarray` view.
    ///
    /// # Panics
    /// If the elements are not of type `T`.
    pub(crate) fn as_array<T: Element>(&self) -> ArrayViewD<'a, T> {
        assert_eq!(self.dtype, T::DTYPE, "a view is read as its own type");
        if self.is_empty() {
            return ArrayViewD::from_shape(self.shape, &[])
                .expect("an empty array has an empty slice");
        }
        // ndarray builds views from the lowest address upward and turns axes after.
        let strides = self.strides();
        let mut lowest = self.first.cast::<T>();
        for (&size, &stride) in self.shape.iter().zip(&strides) {
            if stride < 0 {
                // SAFETY: the last element along the axis is within the view.
                lowest = unsafe { lowest.offset(stride * (size - 1).cast_signed()) };
            }
        }
        let steps: SmallVec<[usize; 4]> =
            strides.iter().map(|s| s.unsigned_abs()).collect();
        let layout = IxDyn(self.shape).strides(IxDyn(&steps));
        // SAFETY: these are the elements that the view reaches, from the lowest up.
        let mut array = unsafe { ArrayViewD::from_shape_ptr(layout, lowest) };
        for (axis, _) in strides.iter().enumerate().filter(|(_, s)| **s < 0) {
            array.invert_axis(Axis(axis));
        }
        array
    }

    /// The same memory by another shape and other strides.
    ///
    /// # Safety
    /// They reach no elements that this view does not reach.
    pub(crate) unsafe fn restrided<'b>(
        &self,
        shape: &'b [usize],
        strides: &'b [isize],
    ) -> View<'b>
    where
        'a: 'b,
    {
        let contiguous = shape::is_contiguous(shape, strides);
        let strides = if contiguous { None } else { Some(strides) };
        View {
            first: self.first,
            shape,
            strides,
            dtype: self.dtype,
            lifetime: PhantomData,
        }
    }

    /// The first element as a view of its own, of a view that is not empty.
    pub(crate) fn first_alone(&self) -> View<'a> {
        debug_assert!(!self.is_empty());
        View { shape: &[], strides: None, ..*self }
    }

    /// The value of a view of one element.
    pub(crate) fn item(&self) -> Result<Scalar> {
        if self.len() != 1 {
            let (operand, len) = (Operand::new(self.shape), self.len());
            return Err(Error::new(Fault::NotOneElement { operand, len }));
        }
        Ok(self.first_value())
    }

    /// The first element.
    pub(crate) fn first_value(&self) -> Scalar {
        debug_assert!(!self.is_empty());
        // SAFETY: a view that is not empty reaches its first element.
        unsafe {
            match self.dtype {
                DType::F32 => self.first.cast::<f32>().read().into(),
                DType::F64 => self.first.cast::<f64>().read().into(),
                DType::I64 => self.first.cast::<i64>().read().into(),
                DType::Bool => self.first.cast::<bool>().read().into(),
            }
        }
    }
}

impl<'a> ViewMut<'a> {
    /// A view of memory to be written.
    ///
    /// # Safety
    /// For `'a`, `first` points to room for all elements of a contiguous array of this
    /// type, and nothing else reads or writes it.
    pub(crate) unsafe fn from_raw(
        first: *mut u8,
        shape: &'a [usize],
        dtype: DType,
    ) -> Self {
        ViewMut { first, shape, dtype, lifetime: PhantomData }
    }

    /// The same memory, to be written before the rest is.
    pub(crate) fn reborrow(&mut self) -> ViewMut<'_> {
        let ViewMut { first, shape, dtype, .. } = *self;
        ViewMut { first, shape, dtype, lifetime: PhantomData }
    }

    /// The address of the first element.
    pub(crate) fn first_mut(&mut self) -> *mut u8 {
        self.first
    }

    /// The same memory by another shape of as many elements.
    pub(crate) fn reshaped<'b>(self, shape: &'b [usize]) -> ViewMut<'b>
    where
        'a: 'b,
    {
        debug_assert_eq!(self.len(), shape.iter().product::<usize>());
        ViewMut { first: self.first, shape, dtype: self.dtype, lifetime: PhantomData }
    }

    /// The elements, to be written.
    ///
    /// # Panics
    /// If they are not of type `T`.
    pub(crate) fn slice_mut<T: Element>(&mut self) -> &mut [MaybeUninit<T>] {
        assert_eq!(self.dtype, T::DTYPE, "memory is written as its own type");
        // SAFETY: the view reaches `len` contiguous elements, exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.first.cast(), self.len()) }
    }
}

/// Writes one value to every element.
pub(crate) fn fill(out: ViewMut<'_>, value: Scalar) -> Result<()> {
    fn of<T: Element>(mut out: ViewMut<'_>, x: T) -> Result<()> {
        for part in out.slice_mut().chunks_mut(1 << 20) {
            stop::poll()?;
            part.fill(MaybeUninit::new(x));
        }
        Ok(())
    }
    let bits = value.to_bits(out.dtype());
    match Scalar::from_bits(bits, out.dtype()) {
        Scalar::Bool(x) => of(out, x),
        Scalar::Int(x) => of(out, x),
        Scalar::Float(x) if out.dtype() == DType::F64 => of(out, x),
        #[expect(clippy::cast_possible_truncation, reason = "x came from an f32")]
        Scalar::Float(x) => of(out, x as f32),
    }
}
