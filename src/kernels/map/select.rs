//! The choice between two operands.

use super::source::Source;
use super::{BLOCK, Lane, tile_of};
use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::simd::{Kernel, dispatch_floats};
use crate::kernels::threads::{evenly, for_each_part};
use std::array::from_fn;
use std::mem::MaybeUninit;
use std::num::Wrapping;

/// Writes `a` where the condition holds, otherwise `b`; all broadcast to `out`.
pub(crate) fn select(
    condition: View<'_>,
    a: View<'_>,
    b: View<'_>,
    out: ViewMut<'_>,
) -> Result<()> {
    fn typed<T: Lane>(
        c: View<'_>,
        a: View<'_>,
        b: View<'_>,
        mut out: ViewMut<'_>,
    ) -> Result<()> {
        let shape = out.shape();
        let tile = evenly(out.len(), const { 4 * tile_of::<T>() }, BLOCK);
        for_each_part(out.slice_mut::<T::Element>(), tile, |k, out| {
            let condition = Source::<bool>::new(c, shape, k * tile);
            let sides = [a, b].map(|x| Source::<T>::new(x, shape, k * tile));
            dispatch_floats::<T::Element, _>(Select { condition, sides, out });
        })
    }
    match out.dtype() {
        DType::F32 => typed::<f32>(condition, a, b, out),
        DType::F64 => typed::<f64>(condition, a, b, out),
        DType::I64 => typed::<Wrapping<i64>>(condition, a, b, out),
        DType::Bool => typed::<bool>(condition, a, b, out),
    }
}

struct Select<'a, T: Lane> {
    condition: Source<bool>,
    sides: [Source<T>; 2],
    out: &'a mut [MaybeUninit<T::Element>],
}

impl<T: Lane> Kernel for Select<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(mut self) {
        let len = self.out.len();
        let out = self.out.as_mut_ptr().cast::<MaybeUninit<T>>();
        let mut flags = [const { MaybeUninit::uninit() }; BLOCK];
        let mut blocks = [[const { MaybeUninit::uninit() }; BLOCK]; 2];
        let mut start = 0;
        while start < len {
            let count = BLOCK.min(len - start);
            let condition = self.condition.next(start, count, &mut flags);
            let [a, b] = from_fn(|k| self.sides[k].next(start, count, &mut blocks[k]));
            // SAFETY: each operand has `count` elements here, and so has the output.
            unsafe {
                let condition = std::slice::from_raw_parts(condition, count);
                let a = std::slice::from_raw_parts(a, count);
                let b = std::slice::from_raw_parts(b, count);
                let out = std::slice::from_raw_parts_mut(out.add(start), count);
                for (((y, &c), &a), &b) in out.iter_mut().zip(condition).zip(a).zip(b) {
                    y.write(if c { a } else { b });
                }
            }
            start += count;
        }
    }
}
