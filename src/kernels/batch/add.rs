//! Loops for a batch that add to sums.

use crate::dtype::DType;
use crate::kernels::map::{Lane, Mode, accumulate};
use crate::kernels::simd::{Kernel, dispatch};
use crate::ops::scalar::{Scalar, strong_product};
use std::slice;

/// Adds the first operand.
///
/// # Safety
/// As for [`Run`](super::Run).
pub(crate) unsafe fn add(
    _: usize,
    dtype: DType,
    [x, ..]: [*const u8; 4],
    sums: *mut u8,
    count: usize,
    _: Mode,
) {
    // SAFETY: by the contract of this function.
    unsafe {
        match dtype {
            DType::F32 => accumulate::<f32>(x.cast(), sums.cast(), count),
            DType::F64 => accumulate::<f64>(x.cast(), sums.cast(), count),
            other => unreachable!("{other} has no gradient"),
        }
    }
}

/// Adds the product of the first two operands, a cotangent and a slope. One loop does what
/// any other rule takes two for: its results and their addition.
///
/// # Safety
/// As for [`Run`](super::Run).
pub(crate) unsafe fn add_product(
    _: usize,
    dtype: DType,
    [ct, slope, ..]: [*const u8; 4],
    sums: *mut u8,
    count: usize,
    _: Mode,
) {
    unsafe fn typed<T: Scalar + Lane>(
        ct: *const u8,
        slope: *const u8,
        sums: *mut u8,
        count: usize,
    ) {
        // SAFETY: by the contract of `add_product`.
        let product = unsafe {
            AddProduct::<T> {
                ct: slice::from_raw_parts(ct.cast(), count),
                slope: slice::from_raw_parts(slope.cast(), count),
                sums: slice::from_raw_parts_mut(sums.cast(), count),
            }
        };
        dispatch(product);
    }
    // SAFETY: by the contract of this function.
    unsafe {
        match dtype {
            DType::F32 => typed::<f32>(ct, slope, sums, count),
            DType::F64 => typed::<f64>(ct, slope, sums, count),
            other => unreachable!("{other} has no gradient"),
        }
    }
}

struct AddProduct<'a, T> {
    ct: &'a [T],
    slope: &'a [T],
    sums: &'a mut [T],
}

impl<T: Scalar + Lane> Kernel for AddProduct<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for ((sum, &ct), &slope) in self.sums.iter_mut().zip(self.ct).zip(self.slope) {
            *sum = sum.plus(strong_product(ct, slope));
        }
    }
}
