//! Rows of scores beside an integer label each.

use crate::array::{View, ViewMut};
use crate::dtype::{DType, Element};
use crate::ops::scalar::{Scalar, strong_product};

/// Turns each row of weights in `out`, of shape (..., classes), into
/// `ct * (weights - one_hot(label))`. Labels and cotangents have shape (...).
pub(crate) fn less_one_hot_times(labels: View<'_>, ct: View<'_>, out: ViewMut<'_>) {
    match out.dtype() {
        DType::F32 => typed::<f32>(labels, ct, out),
        DType::F64 => typed::<f64>(labels, ct, out),
        DType::I64 | DType::Bool => unreachable!("weights are floats"),
    }
}

fn typed<T: Element + Scalar>(labels: View<'_>, ct: View<'_>, mut out: ViewMut<'_>) {
    let classes = out.shape().last().copied().unwrap_or(1);
    let (labels, ct) = (labels.as_array::<i64>(), ct.as_array::<T>());
    let len = out.len();
    // SAFETY: the view reaches as many elements, which are weights.
    let weights =
        unsafe { std::slice::from_raw_parts_mut(out.first_mut().cast::<T>(), len) };
    let rows = weights.chunks_exact_mut(classes.max(1));
    for ((row, &label), &ct) in rows.zip(&labels).zip(&ct) {
        // The labels were checked when the node was recorded.
        if let Some(weight) = usize::try_from(label).ok().and_then(|k| row.get_mut(k)) {
            *weight = *weight - T::lit(1.0);
        }
        for weight in row {
            *weight = strong_product(ct, *weight);
        }
    }
}
