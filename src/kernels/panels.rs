//! Elementwise loops where some operand follows memory along another axis than the
//! output does, as a transposed matrix does.
//!
//! Row by row such an operand is read one element a cache line. So the output is cut into
//! panels of several rows: of each line a panel reads all, and the caches hold it.
//! Operands that lie across are turned; if most do, the results are instead.

use super::map::{Body, Lane, Mode, accumulate, finish, tile_of};
use super::pack::Block;
use super::threads::{Shared, for_each_tile};
use super::walk::{self, Dim, Dims};
use crate::array::View;
use crate::error::Result;
use crate::shape::{Shape, broadcast_strides};
use std::array::from_fn;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Elements of a panel at most.
const PANEL: usize = 4096;
/// Axes with fewer elements are not worth panels.
const SHORT: usize = 8;

/// Elements of an output at least.
const SMALLEST: usize = 512;
/// Bytes of an output at most. Beyond the caches it is better written in order: operands
/// that lie across wait for memory either way, and the next rows find their cache lines.
const LARGEST: usize = 4 << 20;

/// Rows and columns of a panel of elements of so many bytes: some cache lines each way, and
/// the panels of two operands fit the first cache.
const fn sizes(bytes: usize) -> [usize; 2] {
    if bytes > 4 { [32, 64] } else { [32, 128] }
}

/// Room for the elements of a panel.
type Room<T> = [MaybeUninit<T>; PANEL];

/// How an output is cut into panels, and what each operand has there.
pub(super) struct Panels<const N: usize> {
    first: [*const u8; N],
    /// All axes but the two of the panels, for the operands and for the output.
    outer: (Dims<N>, Dims<1>),
    /// The axes from row to row of a panel and along its rows.
    axes: [Dim<N>; 2],
    /// The output's steps along them. One is 1: the second, unless results are turned.
    steps: [usize; 2],
    /// The sizes of a panel along them.
    sizes: [usize; 2],
    /// Whether an operand is one value.
    is_repeated: [bool; N],
}

// SAFETY: it refers to elements that are only read.
unsafe impl<const N: usize> Sync for Panels<N> {}

/// A panel: the first elements of the operands and their steps from row to row.
struct Panel<T, const N: usize> {
    operands: [(*const T, isize); N],
    rows: usize,
    columns: usize,
    /// Where its results begin in the output.
    out: usize,
}

impl<T, const N: usize> Panel<T, N> {
    /// The operands of each row.
    fn rows(&self) -> impl Iterator<Item = [*const T; N]> {
        let row =
            |k| self.operands.map(|(first, step)| first.wrapping_offset(k * step));
        (0..self.rows.cast_signed()).map(row)
    }

    /// Runs a loop whose rows are those of the output, which lie `step` apart.
    ///
    /// # Safety
    /// As for `finish`, for each row.
    unsafe fn write<O: Lane>(
        &self,
        out: *mut O,
        step: usize,
        mode: Mode,
        body: Body<T, O, N>,
    ) where
        T: Lane,
    {
        for (k, x) in self.rows().enumerate() {
            // SAFETY: by the contract of this function.
            unsafe { finish(body, x, out.add(k * step), self.columns, mode) };
        }
    }

    /// Runs a loop whose rows are columns of the output, and turns the results.
    ///
    /// # Safety
    /// As for `finish`, for each row of the output.
    unsafe fn write_turned<O: Lane>(
        &self,
        out: *mut O,
        step: usize,
        mode: Mode,
        body: Body<T, O, N>,
    ) {
        let mut rooms: [Room<O>; 2] =
            [const { [const { MaybeUninit::uninit() }; _] }; 2];
        let [results, turned] =
            rooms.each_mut().map(|room| room.as_mut_ptr().cast::<O>());
        let (rows, columns) = (self.columns, self.rows);
        // SAFETY: by the contract of this function, and rooms hold a panel each.
        unsafe {
            for (k, x) in self.rows().enumerate() {
                body(x, results.add(k * rows), rows);
            }
            let steps = [1, rows.cast_signed()];
            let block = Block { first: results.cast_const(), steps, rows, columns };
            if mode != Mode::Add {
                return block.pack(out, step);
            }
            block.pack(turned, columns);
            for k in 0..rows {
                accumulate(turned.add(k * columns), out.add(k * step), columns);
            }
        }
    }
}

impl<const N: usize> Panels<N> {
    /// The panels of an output of that shape, if some operand is better read so.
    pub(super) fn new(operands: &[View<'_>; N], shape: &[usize]) -> Option<Self> {
        let bytes = operands[0].dtype().size();
        let len: usize = shape.iter().product();
        if operands.iter().all(View::is_contiguous)
            || !(SMALLEST..=LARGEST / bytes).contains(&len)
        {
            return None;
        }
        let strides: [_; N] = from_fn(|k| {
            broadcast_strides(operands[k].shape(), &operands[k].strides(), shape)
        });
        let dims = shape
            .iter()
            .enumerate()
            .map(|(axis, &size)| Dim { size, strides: from_fn(|k| strides[k][axis]) });
        let mut dims = walk::merged(dims);
        let mut steps = dims.iter().map(|dim| dim.size).collect::<Shape>().strides();
        let along = dims.pop().filter(|dim| dim.size >= SHORT)?;
        // The axis along which some operand has its smallest step.
        let axis = along.strides.iter().enumerate().find_map(|(k, &stride)| {
            let step = |axis: &usize| dims[*axis].strides[k].unsigned_abs();
            (0..dims.len())
                .filter(|&axis| dims[axis].size >= SHORT)
                .filter(|axis| (1..stride.unsigned_abs()).contains(&step(axis)))
                .min_by_key(step)
        })?;
        let (down, step) = (dims.remove(axis), steps.remove(axis));
        let follows = |a: Dim<N>, b: Dim<N>| {
            let pairs = a.strides.into_iter().zip(b.strides);
            pairs
                .filter(|(a, b)| (1..b.unsigned_abs()).contains(&a.unsigned_abs()))
                .count()
        };
        let turned = follows(down, along) > follows(along, down);
        let outer = dims.iter().zip(&steps);
        let outer = outer.map(|(dim, &step)| Dim { size: dim.size, strides: [step] });
        let outer = (dims.clone(), outer.collect());
        let (mut axes, mut steps) = ([down, along], [step.cast_unsigned(), 1]);
        if turned {
            axes.reverse();
            steps.reverse();
        }
        let sizes = sizes(bytes);
        let first = operands.map(|x| x.first());
        let is_repeated = operands.map(|x| x.len() == 1);
        Some(Panels { first, outer, axes, steps, sizes, is_repeated })
    }

    /// Runs a loop over all elements. A tile is some panels.
    pub(super) fn drive<T: Lane, O: Lane>(
        &self,
        out: *mut O,
        mode: Mode,
        body: Body<T, O, N>,
        weight: usize,
    ) -> Result<()> {
        let out = Shared::new(out);
        let tile = const { tile_of::<O>() };
        let (count, some) =
            (self.count(), (tile / (self.sizes[0] * self.sizes[1])).max(1));
        for_each_tile(count.div_ceil(some), weight, |k| {
            let run = |panel: &Panel<T, N>| {
                let out = out.at(panel.out);
                // SAFETY: the operands and the output have these elements, and those of
                // the output are this panel's alone.
                unsafe {
                    match self.steps {
                        [step, 1] => panel.write(out, step, mode, body),
                        [_, step] => panel.write_turned(out, step, mode, body),
                    }
                }
            };
            // SAFETY: the panels were made of living operands of this type.
            unsafe { self.for_each(k * some..count.min((k + 1) * some), run) };
        })
    }

    /// The panels along each of the two axes.
    fn grid(&self) -> [usize; 2] {
        from_fn(|axis| self.axes[axis].size.div_ceil(self.sizes[axis]))
    }

    /// The number of panels.
    fn count(&self) -> usize {
        let outer: usize = self.outer.0.iter().map(|dim| dim.size).product();
        self.grid().into_iter().product::<usize>() * outer
    }

    /// Calls `f` with some of the panels.
    ///
    /// # Safety
    /// The operands are alive and of type `T`.
    unsafe fn for_each<T: Copy>(&self, panels: Range<usize>, f: impl Fn(&Panel<T, N>)) {
        let mut room: [Room<T>; N] =
            [const { [const { MaybeUninit::uninit() }; _] }; N];
        for (k, room) in room.iter_mut().enumerate().filter(|x| self.is_repeated[x.0]) {
            // SAFETY: an operand has a first element.
            room.fill(MaybeUninit::new(unsafe { self.first[k].cast::<T>().read() }));
        }
        let [down, along] = self.grid();
        for panel in panels {
            let (outer, within) = (panel / (down * along), panel % (down * along));
            let start = [within / along, within % along];
            let start: [_; 2] = from_fn(|axis| start[axis] * self.sizes[axis]);
            let [rows, columns] = from_fn(|axis| {
                self.sizes[axis].min(self.axes[axis].size - start[axis])
            });
            let places = walk::place(&self.outer.0, outer);
            let operands = from_fn(|k| {
                let to = room[k].as_mut_ptr().cast::<T>();
                if self.is_repeated[k] {
                    return (to.cast_const(), 0);
                }
                let steps = self.axes.map(|dim| dim.strides[k]);
                let [row, column] =
                    from_fn(|axis| steps[axis] * start[axis].cast_signed());
                let offset = places[k] + row + column;
                let first = self.first[k].cast::<T>().wrapping_offset(offset);
                if steps[1] == 1 {
                    return (first, steps[0]);
                }
                let block = Block { first, steps, rows, columns };
                // SAFETY: these are elements of the operand, and at most `PANEL`.
                unsafe { block.pack(to, columns) };
                (to.cast_const(), columns.cast_signed())
            });
            let [out] = walk::place(&self.outer.1, outer);
            let [row, column]: [_; 2] = from_fn(|axis| start[axis] * self.steps[axis]);
            let out = out.cast_unsigned() + row + column;
            f(&Panel { operands, rows, columns, out });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PANEL;
    use crate::array::NdArray;
    use crate::kernels::map::{Map, Mode, map};
    use crate::kernels::naive::{self, Layout, config, fresh, layout_of};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    struct Difference;
    impl Map<f64, 2> for Difference {
        type Output = f64;
        fn at<const FMA: bool>([a, b]: [f64; 2]) -> f64 {
            a - b
        }
    }

    /// Two operands of one shape, around the edges of panels.
    fn operands() -> impl Strategy<Value = [Layout; 2]> {
        let size = select(&[1, 2, 7, 8, 9, 31, 33, 63, 64, 65, 130][..]);
        vec(size, 2..=4)
            .prop_filter("not for panels", |sizes| {
                (PANEL..1 << 15).contains(&sizes.iter().product())
            })
            .prop_flat_map(|sizes| [layout_of(sizes.clone()), layout_of(sizes)])
    }

    /// The operand's elements in C order.
    fn elements(x: &NdArray) -> Vec<f64> {
        x.as_array::<f64>().iter().copied().collect()
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn operands_of_any_layout_give_what_a_loop_gives(layouts in operands(), seed: u64) {
            let [a, b] = layouts.each_ref().map(|layout| layout.array(seed, naive::real));
            let views = [a.view(), b.view()];
            let wanted: Vec<f64> =
                elements(&a).into_iter().zip(elements(&b)).map(|(a, b)| a - b).collect();
            let written = fresh::<f64>(a.shape(), |out| {
                map::<Difference, f64, 2>(views, out, Mode::Write).unwrap();
            });
            prop_assert!(written.iter().eq(&wanted));
            let mut sum = NdArray::zeros(a.shape(), a.dtype()).unwrap();
            for _ in 0..2 {
                let out = sum.exclusive().unwrap();
                map::<Difference, f64, 2>(views, out, Mode::Add).unwrap();
            }
            prop_assert!(elements(&sum).into_iter().eq(wanted.iter().map(|x| x + x)));
        }

        #[test]
        fn copies_of_any_layout_and_type_are_in_order(layouts in operands(), seed: u64) {
            let [word, byte] = [
                layouts[0].array(seed, |x| (x >> 40) as f32),
                layouts[1].array(seed, |x| x % 2 == 0),
            ];
            let copy = word.copied().unwrap();
            prop_assert!(copy.as_array::<f32>().iter().eq(word.as_array::<f32>()));
            let copy = byte.copied().unwrap();
            prop_assert!(copy.as_array::<bool>().iter().eq(byte.as_array::<bool>()));
        }
    }
}
