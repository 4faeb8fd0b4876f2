//! Rows of scores beside an integer label each.

use super::threads::{for_each_part, tile_size};
use super::walk;
use crate::array::{View, ViewMut};
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::ops::scalar::{Scalar, strong_product};

/// Elements of a tile.
const TILE: usize = tile_size(1 << 14, 64);

/// Turns each row of weights in `out`, of shape (..., classes), into
/// `ct * (weights - one_hot(label))`. Labels and cotangents have shape (...).
pub(crate) fn less_one_hot_times(
    labels: View<'_>,
    ct: View<'_>,
    out: ViewMut<'_>,
) -> Result<()> {
    match out.dtype() {
        DType::F32 => typed::<f32>(labels, ct, out),
        DType::F64 => typed::<f64>(labels, ct, out),
        DType::I64 | DType::Bool => unreachable!("weights are floats"),
    }
}

fn typed<T: Element + Scalar>(
    labels: View<'_>,
    ct: View<'_>,
    mut out: ViewMut<'_>,
) -> Result<()> {
    let classes = out.shape().last().copied().unwrap_or(1).max(1);
    let (mut label_copy, mut ct_copy) = (None, None);
    let labels = walk::contiguous("grad", labels, &mut label_copy)?;
    let ct = walk::contiguous("grad", ct, &mut ct_copy)?;
    let (Some(labels), Some(ct)) = (labels.as_slice::<i64>(), ct.as_slice::<T>())
    else {
        unreachable!("there is a label and a cotangent for each row")
    };
    let len = out.len();
    // SAFETY: the view reaches as many elements, which are weights.
    let weights =
        unsafe { std::slice::from_raw_parts_mut(out.first_mut().cast::<T>(), len) };
    let rows = (TILE / classes).max(1);
    for_each_part(weights, rows * classes, |k, weights| {
        let start = k * rows;
        let beside = labels[start..].iter().zip(&ct[start..]);
        for (row, (&label, &ct)) in weights.chunks_exact_mut(classes).zip(beside) {
            // The labels were checked when the node was recorded.
            let weight = usize::try_from(label).ok().and_then(|k| row.get_mut(k));
            if let Some(weight) = weight {
                *weight = *weight - T::lit(1.0);
            }
            for weight in row {
                *weight = strong_product(ct, *weight);
            }
        }
    })
}
