//! The printed form of arrays.

use super::{NdArray, View};
use crate::dtype::{DType, Element};
use std::fmt::{self, Write};

/// Axes longer than this show only their ends.
const SHOWN: usize = 6;
/// Arrays up to this length are shown whole.
const WHOLE: usize = 500;

/// `NdArray([1.0, 2.0], shape=[2], strides=[1], layout=C | F (0x3), dynamic ndim=1)`,
/// the form that the seed prints.
impl fmt::Debug for NdArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NdArray(")?;
        write_elements(f, &self.view(), WHOLE, "         ")?;
        let (shape, strides) = (self.shape(), self.strides());
        let layout = layout(shape, strides);
        let ndim = shape.len();
        write!(
            f,
            ", shape={shape:?}, strides={strides:?}, layout={layout}, \
             dynamic ndim={ndim})"
        )
    }
}

/// The elements alone, in nested brackets.
impl fmt::Display for NdArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_elements(f, &self.view(), WHOLE, " ")
    }
}

/// The orders in which the elements are contiguous, as names and as a bit set.
fn layout(shape: &[usize], strides: &[isize]) -> &'static str {
    let reversed: Vec<usize> = shape.iter().rev().copied().collect();
    let backward: Vec<isize> = strides.iter().rev().copied().collect();
    let c = crate::shape::is_contiguous(shape, strides);
    let f = crate::shape::is_contiguous(&reversed, &backward);
    match (c, f && shape.len() <= 1) {
        (true, true) => "C | F (0x3)",
        (true, false) => "C (0x1)",
        (false, _) if f => "F (0x2)",
        (false, _) => "Custom (0x0)",
    }
}

/// Writes the elements in nested brackets; lines after the first start with `indent`.
/// Arrays of more than `whole` elements are elided in the middle of each axis.
fn write_elements(
    f: &mut impl Write,
    view: &View<'_>,
    whole: usize,
    indent: &str,
) -> fmt::Result {
    let elide = view.len() > whole;
    match view.dtype() {
        DType::F32 => nested(f, &view.as_array::<f32>(), elide, indent),
        DType::F64 => nested(f, &view.as_array::<f64>(), elide, indent),
        DType::I64 => nested(f, &view.as_array::<i64>(), elide, indent),
        DType::Bool => nested(f, &view.as_array::<bool>(), elide, indent),
    }
}

fn nested<T: Element>(
    f: &mut impl Write,
    array: &ndarray::ArrayViewD<'_, T>,
    elide: bool,
    indent: &str,
) -> fmt::Result {
    let Some(&len) = array.shape().first() else {
        return write!(f, "{:?}", array[[]]);
    };
    let rows = array.ndim() - 1;
    let separator = if rows == 0 {
        ", ".to_owned()
    } else {
        format!(",{}{indent}", "\n".repeat(rows))
    };
    let inner = format!("{indent} ");
    let (head, tail) =
        if elide && len > SHOWN { (SHOWN / 2, len - SHOWN / 2) } else { (len, len) };
    f.write_char('[')?;
    for k in (0..head).chain(tail..len) {
        if k > 0 {
            f.write_str(&separator)?;
        }
        if k == tail && tail > head {
            write!(f, "...{separator}")?;
        }
        nested(f, &array.index_axis(ndarray::Axis(0), k), elide, &inner)?;
    }
    f.write_char(']')
}

/// A short account of the elements for one line of a listing: the values themselves if
/// they are few, otherwise their range.
pub(crate) fn summary(view: &View<'_>) -> String {
    const FEW: usize = 4;
    fn floats(values: impl Iterator<Item = f64> + Clone, repeats: usize) -> String {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.clone().fold(f64::NEG_INFINITY, f64::max);
        let broken = values.filter(|x| !x.is_finite()).count() * repeats;
        let range = format!("{}..{}", short(low), short(high));
        if broken == 0 { range } else { format!("{range}, {broken} not finite") }
    }
    if view.len() <= FEW {
        let items: Vec<String> = match view.dtype() {
            DType::F32 => {
                view.as_array::<f32>().iter().map(|&x| short(f64::from(x))).collect()
            }
            DType::F64 => view.as_array::<f64>().iter().map(|&x| short(x)).collect(),
            DType::I64 => view.as_array::<i64>().iter().map(i64::to_string).collect(),
            DType::Bool => {
                view.as_array::<bool>().iter().map(bool::to_string).collect()
            }
        };
        return match (view.shape().len(), items.as_slice()) {
            (0, [one]) => one.clone(),
            _ => format!("[{}]", items.join(", ")),
        };
    }
    let repeats = view.repeats();
    match view.dtype() {
        DType::F32 => {
            floats(view.distinct::<f32>().iter().map(|&x| f64::from(x)), repeats)
        }
        DType::F64 => floats(view.distinct::<f64>().iter().copied(), repeats),
        DType::I64 => {
            let values = view.distinct::<i64>();
            let low = values.iter().min().copied().unwrap_or(0);
            format!("{low}..{}", values.iter().max().copied().unwrap_or(0))
        }
        DType::Bool => {
            let count = view.distinct::<bool>().iter().filter(|&&x| x).count();
            format!("{} of {} true", count * repeats, view.len())
        }
    }
}

/// A float with up to five significant digits.
fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    if (1e-4..1e6).contains(&x.abs()) {
        #[expect(clippy::cast_possible_truncation, reason = "a small exponent")]
        let places = (4 - x.abs().log10().floor() as i32).clamp(0, 9).unsigned_abs();
        let text = format!("{x:.*}", places as usize);
        if text.contains('.') {
            return text.trim_end_matches('0').trim_end_matches('.').to_owned();
        }
        return text;
    }
    format!("{x:.3e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_the_seed_does() {
        let mut a = NdArray::from_slice(&[90.61549]);
        assert_eq!(
            format!("{a:?}"),
            "NdArray([90.61549], shape=[1], strides=[1], layout=C | F (0x3), \
             dynamic ndim=1)"
        );
        a = NdArray::from_slice(&[1.0, 1.0, 1.0]);
        a.reshape(&[1, 3]);
        assert_eq!(
            format!("{a:?}"),
            "NdArray([[1.0, 1.0, 1.0]], shape=[1, 3], strides=[3, 1], \
             layout=C (0x1), dynamic ndim=2)"
        );
    }

    #[test]
    fn rows_stand_below_one_another_and_long_arrays_are_elided() {
        let a = NdArray::try_from_elements(&[1_i64, 2, 3, 4], &[2, 2]).unwrap();
        assert_eq!(a.to_string(), "[[1, 2],\n [3, 4]]");
        let long = NdArray::zeros(&[1000], DType::Bool).unwrap();
        assert_eq!(long.to_string(), "[false, false, false, ..., false, false, false]");
    }

    #[test]
    fn a_summary_is_short() {
        let a = NdArray::from_slice(&[0.5, -2.25]);
        assert_eq!(summary(&a.view()), "[0.5, -2.25]");
        let b = NdArray::from_elements(&[1.0, 123_456.789, f64::NAN, 2.0, -1e-7]);
        assert_eq!(summary(&b.view()), "-1.000e-7..123457, 1 not finite");
    }
}
