//! Operands of any layout, a block at a time.

use super::{BLOCK, Lane};
use crate::array::View;
use crate::dtype::Element;
use crate::kernels::pack::pack_run;
use crate::kernels::simd::{Kernel, dispatch};
use crate::kernels::walk::{self, Dim, Dims};
use crate::shape::broadcast_strides;
use smallvec::SmallVec;
use std::mem::MaybeUninit;

/// An operand as a sequence of blocks in the order of the output.
pub(super) enum Source<T> {
    Slice(*const T),
    Repeat(T),
    Strided(Rows<T>),
}

impl<T: Lane> Source<T> {
    /// The elements from the given one on.
    #[inline]
    pub(super) fn new(x: View<'_>, shape: &[usize], from: usize) -> Self {
        debug_assert_eq!(x.dtype(), T::Element::DTYPE);
        if x.is_contiguous() && x.shape() == shape {
            return Source::Slice(x.first().cast::<T>().wrapping_add(from));
        }
        Source::broadcast(x, shape, from)
    }

    fn broadcast(x: View<'_>, shape: &[usize], from: usize) -> Self {
        let first = x.first().cast::<T>();
        if shape.contains(&0) {
            return Source::Slice(first);
        }
        let strides = broadcast_strides(x.shape(), &x.strides(), shape);
        if strides.iter().all(|&stride| stride == 0) {
            // SAFETY: what broadcasts to a shape with elements has one.
            return Source::Repeat(unsafe { first.read() });
        }
        Source::Strided(Rows::new(first, shape, &strides, from))
    }

    /// How many elements to take next: as far as they lie behind one another, or as many as
    /// a block holds.
    #[inline]
    pub(super) fn reach(&self) -> usize {
        match self {
            Source::Slice(_) => usize::MAX,
            Source::Repeat(_) => BLOCK,
            Source::Strided(rows) => rows.reach(),
        }
    }

    /// The next `count` elements, after `start` that were taken; packed into `block`
    /// where they do not lie behind one another.
    pub(super) fn next(
        &mut self,
        start: usize,
        count: usize,
        block: &mut [MaybeUninit<T>; BLOCK],
    ) -> *const T {
        match self {
            // SAFETY: a slice has an element for each of the output.
            Source::Slice(first) => return unsafe { first.add(start) },
            Source::Repeat(x) if start == 0 => block.fill(MaybeUninit::new(*x)),
            Source::Repeat(_) => {}
            Source::Strided(rows) => match rows.run(count) {
                Some(first) => return first,
                None => rows.pack(&mut block[..count]),
            },
        }
        block.as_ptr().cast()
    }
}

/// Rows of so many elements are read where they lie: to copy them takes longer than to begin
/// a loop for each.
const LONG: usize = BLOCK / 4;

/// Elements that are written at once.
const WIDE: usize = 16;

/// Repeats one element.
struct Fill<'a, T> {
    x: MaybeUninit<T>,
    to: &'a mut [MaybeUninit<T>],
}

impl<T: Copy> Kernel for Fill<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        self.to.fill(self.x);
    }
}

/// Repeats each of `count` elements, which lie `step` apart, `size` times, at most `WIDE`.
/// There is room for `WIDE` elements more.
struct Spread<T> {
    first: *const T,
    step: isize,
    size: usize,
    count: usize,
    to: *mut T,
}

impl<T: Copy> Kernel for Spread<T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for k in 0..self.count {
            // What is written beyond a row is too early, and is written again.
            // SAFETY: there are so many elements and so much room, as the type says.
            unsafe {
                let x = self.first.offset(self.step * k.cast_signed()).read();
                let to = self.to.add(k * self.size).cast::<[T; WIDE]>();
                to.write_unaligned([x; WIDE]);
            }
        }
    }
}

/// The rows of a strided array, in C order.
pub(super) struct Rows<T> {
    at: *const T,
    /// The axes from the outermost to the innermost, at least one.
    dims: Dims<1>,
    /// The position along each axis.
    position: SmallVec<[usize; 4]>,
}

impl<T: Copy> Rows<T> {
    /// Starts at element `from`.
    fn new(first: *const T, shape: &[usize], strides: &[isize], from: usize) -> Self {
        let mut dims = walk::dims_of(shape, strides);
        if dims.is_empty() {
            dims.push(Dim::ONE);
        }
        let [offset] = walk::place(&dims, from);
        let position = walk::along_axes(&dims, from);
        Rows { at: first.wrapping_offset(offset), dims, position }
    }

    /// As far as the end of a long row that lies in one piece, otherwise a block.
    fn reach(&self) -> usize {
        match *self.dims {
            [.., Dim { size, strides: [1] }] if size >= LONG => {
                size - self.position[self.dims.len() - 1]
            }
            _ => BLOCK,
        }
    }

    /// Where the next elements lie, if they lie behind one another.
    fn run(&mut self, count: usize) -> Option<*const T> {
        let last = self.dims.len() - 1;
        let (Dim { size, strides: [1] }, position) =
            (self.dims[last], self.position[last])
        else {
            return None;
        };
        if size - position < count {
            return None;
        }
        let first = self.at;
        self.at = self.at.wrapping_add(count);
        self.position[last] += count;
        if self.position[last] == size {
            self.carry();
        }
        Some(first)
    }

    /// Copies the next elements into the block.
    fn pack(&mut self, block: &mut [MaybeUninit<T>]) {
        let (outer, inner) = walk::split_inner(&self.dims);
        let (size, [stride], last) = (inner.size, inner.strides, outer.len());
        let mut filled = 0;
        while filled < block.len() {
            let run = (size - self.position[last]).min(block.len() - filled);
            let to = &mut block[filled..filled + run];
            // SAFETY: `run` elements are left along the innermost axis.
            unsafe {
                if stride == 0 {
                    dispatch(Fill { x: MaybeUninit::new(self.at.read()), to });
                } else {
                    pack_run(self.at, stride, to);
                }
            }
            self.at = self.at.wrapping_offset(stride * run.cast_signed());
            self.position[last] += run;
            filled += run;
            if self.position[last] == size {
                self.carry();
                if run == size {
                    filled += self.repeat(block, filled);
                    filled += self.spread(&mut block[filled..]);
                }
            }
        }
    }

    /// Fills the block with the row that was packed last, as often as it comes again
    /// before the last time, which moves on. Gives how many elements that are.
    fn repeat(&mut self, block: &mut [MaybeUninit<T>], filled: usize) -> usize {
        let &[.., Dim { size: rows, strides: [0] }, Dim { size, .. }] = &*self.dims
        else {
            return 0;
        };
        let row = &mut self.position[self.dims.len() - 2];
        // At 0 the last time is over.
        let left = if *row == 0 { 0 } else { rows - 1 - *row };
        let again = left.min((block.len() - filled) / size);
        *row += again;
        let (from, end) = (filled - size, filled + again * size);
        let mut next = filled;
        while next < end {
            // Twice as many each time.
            let count = (next - from).min(end - next);
            block.copy_within(from..from + count, next);
            next += count;
        }
        again * size
    }

    /// Writes rows that each repeat one element, while `WIDE` elements fit and another row
    /// follows. Gives how many elements that are.
    fn spread(&mut self, block: &mut [MaybeUninit<T>]) -> usize {
        let &[.., Dim { size: rows, strides: [step] }, Dim { size, strides: [0] }] =
            &*self.dims
        else {
            return 0;
        };
        let row = &mut self.position[self.dims.len() - 2];
        let fit = block.len().saturating_sub(WIDE) / size;
        let count = if size > WIDE { 0 } else { fit.min(rows - 1 - *row) };
        if count == 0 {
            return 0;
        }
        let to = block.as_mut_ptr().cast();
        dispatch(Spread { first: self.at, step, size, count, to });
        *row += count;
        self.at = self.at.wrapping_offset(step * count.cast_signed());
        count * size
    }

    /// Steps to the next row, from the end of one.
    fn carry(&mut self) {
        for k in (0..self.dims.len()).rev() {
            let Dim { size, strides: [stride] } = self.dims[k];
            if self.position[k] < size {
                return;
            }
            self.position[k] = 0;
            self.at = self.at.wrapping_offset(-stride * size.cast_signed());
            let Some(outer) = k.checked_sub(1) else { return };
            self.position[outer] += 1;
            self.at = self.at.wrapping_offset(self.dims[outer].strides[0]);
        }
    }
}
