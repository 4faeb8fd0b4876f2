//! Elements that are written as they are, or added to others.

use super::{BLOCK, LIGHT, Lane, Map, Mode, map, tile_of};
use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::simd::{Kernel, dispatch};
use crate::kernels::threads::{Shared, evenly, for_each_tile};
use std::num::Wrapping;

/// Adds the operand to `out`.
pub(crate) fn add_to(x: View<'_>, mut out: ViewMut<'_>) -> Result<()> {
    if x.is_contiguous() && x.shape() == out.shape() {
        let (dtype, len) = (out.dtype(), out.len());
        // SAFETY: both have this many elements of this type, and nothing else reads or
        // writes those of `out`.
        return unsafe { add_flat(dtype, x.first(), out.first_mut(), len) };
    }
    move_to(x, out, Mode::Add)
}

/// Adds `count` elements that lie flat to others.
///
/// # Safety
/// Both pointers reach `count` elements of the type, which are initialised and not the
/// same.
#[inline]
unsafe fn add_flat(
    dtype: DType,
    x: *const u8,
    sums: *mut u8,
    count: usize,
) -> Result<()> {
    #[inline]
    unsafe fn typed<T: Lane>(x: *const u8, sums: *mut u8, len: usize) -> Result<()> {
        let (x, sums) = (x.cast::<T>(), sums.cast::<T>());
        let tile = const { tile_of::<T>() };
        if len <= tile {
            // SAFETY: by the contract of this function.
            unsafe { accumulate(x, sums, len) };
            return Ok(());
        }
        let tile = evenly(len, tile, BLOCK);
        let (x, sums) = (Shared::new(x.cast_mut()), Shared::new(sums));
        for_each_tile(len.div_ceil(tile), LIGHT, |k| {
            let (start, end) = (k * tile, len.min((k + 1) * tile));
            // SAFETY: by the contract of this function; the tiles do not meet.
            unsafe { accumulate(x.at(start), sums.at(start), end - start) };
        })
    }
    // SAFETY: by the contract of this function.
    unsafe {
        match dtype {
            DType::F32 => typed::<f32>(x, sums, count),
            DType::F64 => typed::<f64>(x, sums, count),
            DType::I64 => typed::<Wrapping<i64>>(x, sums, count),
            DType::Bool => typed::<bool>(x, sums, count),
        }
    }
}

/// Writes the operand to `out`, or adds it.
pub(in crate::kernels) fn move_to(
    x: View<'_>,
    out: ViewMut<'_>,
    mode: Mode,
) -> Result<()> {
    struct Same;
    impl<T: Lane> Map<T, 1> for Same {
        type Output = T;
        #[inline(always)]
        fn at<const FMA: bool>([x]: [T; 1]) -> T {
            x
        }
    }
    match out.dtype() {
        DType::F32 => map::<Same, f32, 1>([x], out, mode),
        DType::F64 => map::<Same, f64, 1>([x], out, mode),
        DType::I64 => map::<Same, Wrapping<i64>, 1>([x], out, mode),
        DType::Bool => map::<Same, bool, 1>([x], out, mode),
    }
}

/// Adds results to what memory holds.
///
/// # Safety
/// Both reach `count` elements.
pub(in crate::kernels) unsafe fn accumulate<O: Lane>(
    results: *const O,
    sums: *mut O,
    count: usize,
) {
    // SAFETY: by the contract of this function.
    let (results, sums) = unsafe {
        let sums = std::slice::from_raw_parts_mut(sums, count);
        (std::slice::from_raw_parts(results, count), sums)
    };
    dispatch(Accumulate { results, sums });
}

struct Accumulate<'a, O> {
    results: &'a [O],
    sums: &'a mut [O],
}

impl<O: Lane> Kernel for Accumulate<'_, O> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (sum, &x) in self.sums.iter_mut().zip(self.results) {
            *sum = sum.plus(x);
        }
    }
}
