//! Elements that lie side by side in another order than C order, as those of a transposed
//! array do.

use super::{NdArray, View};
use crate::shape::{self, Axes, Shape, Strides};

/// In which order memory nests the axes of an array without gaps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Order {
    /// From the outermost to the innermost.
    axes: Axes,
    /// Their sizes.
    shape: Shape,
}

impl Order {
    /// The order of elements that lie without gaps, but not in C order.
    pub(crate) fn of(x: &View<'_>) -> Option<Self> {
        if x.is_contiguous() {
            return None;
        }
        let (sizes, strides) = (x.shape(), x.strides());
        let mut axes: Axes = (0..sizes.len()).collect();
        // Axes of size 1 come first: what their steps are makes no difference.
        axes.sort_by_key(|&k| (sizes[k] != 1).then(|| -strides[k]));
        let shape: Shape = axes.iter().map(|&k| sizes[k]).collect();
        let steps: Strides = axes.iter().map(|&k| strides[k]).collect();
        shape::is_contiguous(&shape, &steps).then_some(Order { axes, shape })
    }

    /// The sizes of the axes, in this order.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The steps of an array of this order along its own axes.
    pub(crate) fn strides(&self) -> Strides {
        let steps = self.shape.strides();
        shape::inverse(&self.axes).iter().map(|&k| steps[k]).collect()
    }

    /// The elements of an array of this order as they lie in memory; what has one element
    /// stays as it is.
    pub(crate) fn flat<'a>(&'a self, x: View<'a>) -> View<'a> {
        if x.len() == 1 {
            return x;
        }
        debug_assert_eq!(Order::of(&x).as_ref(), Some(self));
        // SAFETY: as the array is of this order, these are its elements.
        unsafe { View::from_raw(x.first(), &self.shape, None, x.dtype()) }
    }

    /// An array of the same shape with its axes in this order.
    pub(crate) fn turn(&self, x: NdArray) -> NdArray {
        x.transposed(&self.axes)
    }

    /// Undoes `turn`.
    pub(crate) fn turn_back(&self, x: NdArray) -> NdArray {
        x.transposed(&shape::inverse(&self.axes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An array of some sizes with its axes in any order.
    fn permuted() -> impl Strategy<Value = (Vec<usize>, Axes)> {
        proptest::collection::vec(1..4_usize, 2..=4).prop_flat_map(|sizes| {
            let axes: Vec<usize> = (0..sizes.len()).collect();
            (Just(sizes), Just(axes).prop_shuffle().prop_map(Axes::from))
        })
    }

    proptest! {
        #[test]
        fn a_permuted_array_is_flat_in_its_order((sizes, axes) in permuted()) {
            let base = NdArray::try_from_iter("test", &sizes, 0..).unwrap();
            let x = base.clone().transposed(&axes);
            let Some(order) = Order::of(&x.view()) else {
                prop_assert!(x.is_contiguous());
                return Ok(());
            };
            let flat = order.flat(x.view()).as_slice::<i64>().unwrap().to_vec();
            prop_assert_eq!(flat, base.to_vec::<i64>());
            let turned = order.turn(x.clone());
            prop_assert!(turned.is_contiguous());
            prop_assert_eq!(turned.shape(), order.shape());
            prop_assert_eq!(order.turn_back(turned), x.clone());
            let same = NdArray { strides: order.strides(), ..x.clone() };
            prop_assert_eq!(same, x);
        }
    }

    #[test]
    fn arrays_with_gaps_repetitions_or_backwards_have_no_order() {
        let base = NdArray::try_from_iter("test", &[6, 4], 0..24_i64).unwrap();
        for strides in [[2, 1], [1, 12], [0, 1], [1, 0], [4, 1]] {
            let x = NdArray {
                shape: Shape::new(&[3, 4]),
                strides: Strides::from_slice(&strides),
                ..base.clone()
            };
            assert_eq!(Order::of(&x.view()), None, "{strides:?}");
        }
    }
}
