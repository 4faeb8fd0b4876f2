//! Copies of strided elements to memory in which loops find them side by side.

use std::mem::MaybeUninit;

/// Copies elements that lie `stride` apart.
///
/// # Safety
/// From `first` on there are as many elements as `out` has room for.
#[inline(always)]
pub(super) unsafe fn pack_run<T: Copy>(
    first: *const T,
    stride: isize,
    out: &mut [MaybeUninit<T>],
) {
    /// With a stride that the compiler knows, it shuffles vectors.
    #[inline(always)]
    unsafe fn spread<T: Copy>(
        first: *const T,
        stride: isize,
        out: &mut [MaybeUninit<T>],
    ) {
        for (k, x) in out.iter_mut().enumerate() {
            // SAFETY: by the contract of `pack_run`.
            x.write(unsafe { first.offset(stride * k.cast_signed()).read() });
        }
    }
    // SAFETY: by the contract of this function.
    unsafe {
        match stride {
            0 => out.fill(MaybeUninit::new(first.read())),
            1 => out.copy_from_slice(std::slice::from_raw_parts(
                first.cast::<MaybeUninit<T>>(),
                out.len(),
            )),
            -1 => spread(first, -1, out),
            2 => spread(first, 2, out),
            _ => spread(first, stride, out),
        }
    }
}

/// A block of elements in rows, each row `steps[0]` elements behind the last one, and
/// each element of a row `steps[1]` behind the last one.
#[derive(Clone, Copy)]
pub(super) struct Block<T> {
    pub(super) first: *const T,
    pub(super) steps: [isize; 2],
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl<T: Copy> Block<T> {
    /// Copies the block row by row; rows begin `pitch` apart.
    ///
    /// # Safety
    /// The elements exist, and `out` has room for them.
    #[inline(always)]
    pub(super) unsafe fn pack(self, out: *mut T, pitch: usize) {
        let Block { first, steps: [down, along], rows, columns } = self;
        // SAFETY: by the contract of this function.
        unsafe {
            if down == 1 && along != 1 {
                return self.turn(out, pitch);
            }
            for row in 0..rows {
                let first = first.offset(down * row.cast_signed());
                let to = out.add(row * pitch).cast::<MaybeUninit<T>>();
                pack_run(first, along, std::slice::from_raw_parts_mut(to, columns));
            }
        }
    }

    /// As `pack`, where each column lies side by side in memory.
    unsafe fn turn(self, out: *mut T, pitch: usize) {
        let Block { first, steps: [_, along], rows, columns } = self;
        let side = Square::<T>::SIDE;
        let whole = (rows / side * side, columns / side * side);
        // SAFETY: by the contract of `pack`.
        unsafe {
            for column in (0..whole.1).step_by(side) {
                let first = first.offset(along * column.cast_signed());
                for row in (0..whole.0).step_by(side) {
                    let to = out.add(row * pitch + column);
                    Square::turn(first.add(row), along, to, pitch);
                }
            }
            for column in 0..columns {
                let first = first.offset(along * column.cast_signed());
                let done = if column < whole.1 { whole.0 } else { 0 };
                for row in done..rows {
                    out.add(row * pitch + column).write(first.add(row).read());
                }
            }
        }
    }
}

/// A square of elements that is turned in registers.
struct Square<T>(T);

#[cfg(target_arch = "x86_64")]
impl<T: Copy> Square<T> {
    const SIDE: usize = match size_of::<T>() {
        4 => 4,
        8 => 2,
        _ => 1,
    };

    /// Copies columns that begin `along` apart to rows that begin `pitch` apart.
    ///
    /// # Safety
    /// The elements exist, and there is room for them.
    #[inline(always)]
    unsafe fn turn(first: *const T, along: isize, out: *mut T, pitch: usize) {
        use std::arch::x86_64::{
            _mm_loadu_pd, _mm_loadu_ps, _mm_movehl_ps, _mm_movelh_ps, _mm_storeu_pd,
            _mm_storeu_ps, _mm_unpackhi_pd, _mm_unpackhi_ps, _mm_unpacklo_pd,
            _mm_unpacklo_ps,
        };
        // SAFETY: by the contract of this function; every x86-64 has these
        // instructions, and they move the bits of any type of the same size.
        unsafe {
            match size_of::<T>() {
                4 => {
                    let column =
                        |k: isize| _mm_loadu_ps(first.offset(k * along).cast());
                    let [a, b, c, d] = [column(0), column(1), column(2), column(3)];
                    let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
                    let (ef, gh) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
                    let rows = [
                        _mm_movelh_ps(ab, cd),
                        _mm_movehl_ps(cd, ab),
                        _mm_movelh_ps(ef, gh),
                        _mm_movehl_ps(gh, ef),
                    ];
                    for (k, row) in rows.into_iter().enumerate() {
                        _mm_storeu_ps(out.add(k * pitch).cast(), row);
                    }
                }
                8 => {
                    let a = _mm_loadu_pd(first.cast());
                    let b = _mm_loadu_pd(first.offset(along).cast());
                    _mm_storeu_pd(out.cast(), _mm_unpacklo_pd(a, b));
                    _mm_storeu_pd(out.add(pitch).cast(), _mm_unpackhi_pd(a, b));
                }
                _ => out.write(first.read()),
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl<T: Copy> Square<T> {
    const SIDE: usize = 4;

    /// Copies columns that begin `along` apart to rows that begin `pitch` apart.
    ///
    /// # Safety
    /// The elements exist, and there is room for them.
    #[inline(always)]
    unsafe fn turn(first: *const T, along: isize, out: *mut T, pitch: usize) {
        for (row, column) in (0..4).flat_map(|row| (0..4).map(move |k| (row, k))) {
            // SAFETY: by the contract of this function.
            unsafe {
                let x = first.offset(column as isize * along).add(row).read();
                out.add(row * pitch + column).write(x);
            }
        }
    }
}
