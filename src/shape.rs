//! Shapes, axes and the arithmetic of broadcasting. Touches no data.

use crate::dtype::DType;
use crate::error::{self, Error, Fault, Operand, Result};
use smallvec::SmallVec;
use std::fmt;
use std::ops::Deref;

/// The largest number of axes of an array.
pub const MAX_AXES: usize = 64;

/// The sizes of an array's axes. Rank 0 is a scalar.
#[derive(PartialEq, Eq, Hash, Default)]
pub(crate) struct Shape(SmallVec<[usize; INLINE]>);

/// Axes whose sizes and steps need no memory of their own.
const INLINE: usize = 4;

/// Steps between neighbours along each axis, in elements.
pub(crate) type Strides = SmallVec<[isize; INLINE]>;

/// A set of axes as a permutation or a selection, each below the rank.
pub(crate) type Axes = SmallVec<[usize; INLINE]>;

impl Shape {
    /// The shape with these sizes, as they are.
    pub(crate) fn new(sizes: &[usize]) -> Self {
        Shape(SmallVec::from_slice(sizes))
    }

    /// The shape of a scalar: no axes.
    pub(crate) const fn scalar() -> Self {
        Shape(SmallVec::new_const())
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        self.iter().product()
    }

    /// Whether there are no elements.
    pub(crate) fn is_empty(&self) -> bool {
        self.contains(&0)
    }

    /// The number of axes.
    pub(crate) fn ndim(&self) -> usize {
        self.0.len()
    }

    /// Appends an axis.
    pub(crate) fn push(&mut self, size: usize) {
        self.0.push(size);
    }

    /// Exchanges two axes.
    pub(crate) fn swap(&mut self, a: usize, b: usize) {
        self.0.swap(a, b);
    }

    /// The strides of a C-contiguous array of this shape.
    pub(crate) fn strides(&self) -> Strides {
        contiguous_strides(self)
    }
}

/// As the sizes are copied as they lie, and not one by one.
impl Clone for Shape {
    fn clone(&self) -> Self {
        Shape::new(self)
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        Shape(sizes.into_iter().collect())
    }
}

/// As Python prints a tuple.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&error::tuple(self))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a value is before it has data: its shape and its element type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Type {
    /// The sizes of the axes.
    pub shape: Shape,
    /// The element type.
    pub dtype: DType,
}

impl Type {
    /// The type with this shape and element type.
    pub(crate) fn new(shape: Shape, dtype: DType) -> Self {
        Type { shape, dtype }
    }

    /// Bytes of a contiguous array of this type.
    pub(crate) fn bytes(&self) -> usize {
        self.shape.len() * self.dtype.size()
    }
}

/// Checks sizes that a user gave: their number, and that bytes fit `isize`.
///
/// As in `NumPy` a zero does not excuse an overflow among the other sizes.
pub(crate) fn check(op: &'static str, sizes: &[usize], dtype: DType) -> Result<Shape> {
    if sizes.len() > MAX_AXES {
        return Err(Error::new(Fault::TooManyAxes { op, ndim: sizes.len() }));
    }
    let bytes = sizes
        .iter()
        .filter(|&&size| size != 0)
        .try_fold(dtype.size(), |bytes, &size| bytes.checked_mul(size));
    match bytes {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(Shape::new(sizes)),
        _ => Err(Error::new(Fault::SizeOverflow { op, shape: sizes.to_vec() })),
    }
}

/// The axis that `axis` names, counted from the end if negative.
pub(crate) fn axis(op: &'static str, axis: isize, ndim: usize) -> Result<usize> {
    let from_start = if axis < 0 { axis + ndim.cast_signed() } else { axis };
    match usize::try_from(from_start) {
        Ok(k) if k < ndim => Ok(k),
        _ => Err(Error::new(Fault::AxisOutOfRange { op, axis, ndim })),
    }
}

/// The axes that a reduction names, sorted; `None` names all.
pub(crate) fn axes(
    op: &'static str,
    given: Option<&[isize]>,
    ndim: usize,
) -> Result<Axes> {
    let Some(given) = given else { return Ok((0..ndim).collect()) };
    let mut axes = Axes::new();
    for &name in given {
        let k = axis(op, name, ndim)?;
        if axes.contains(&k) {
            return Err(Error::new(Fault::RepeatedAxis { op, axis: name }));
        }
        axes.push(k);
    }
    axes.sort_unstable();
    Ok(axes)
}

/// The permutation that a transpose names; `None` reverses the axes.
pub(crate) fn permutation(
    op: &'static str,
    given: Option<&[isize]>,
    ndim: usize,
) -> Result<Axes> {
    let Some(given) = given else { return Ok((0..ndim).rev().collect()) };
    if given.len() != ndim {
        return Err(Error::new(Fault::AxesCount { op, given: given.len(), ndim }));
    }
    axes(op, Some(given), ndim)?;
    given.iter().map(|&name| axis(op, name, ndim)).collect()
}

/// The permutation that undoes `permutation`.
pub(crate) fn inverse(permutation: &[usize]) -> Axes {
    let mut inverse: Axes = SmallVec::from_elem(0, permutation.len());
    for (k, &from) in permutation.iter().enumerate() {
        inverse[from] = k;
    }
    inverse
}

/// The shape that operands broadcast to.
pub(crate) fn broadcast(op: &'static str, shapes: &[&[usize]]) -> Result<Shape> {
    let ndim = shapes.iter().map(|s| s.len()).max().unwrap_or(0);
    let mut out = Shape(SmallVec::from_elem(1, ndim));
    for shape in shapes {
        for (size, &other) in out.0.iter_mut().rev().zip(shape.iter().rev()) {
            if *size == 1 {
                *size = other;
            } else if other != 1 && other != *size {
                let operands = shapes.iter().copied().collect();
                return Err(Error::new(Fault::Broadcast { op, operands }));
            }
        }
    }
    check(op, &out, DType::F64)
}

/// Whether `from` broadcasts to `to` without changing `to`.
pub(crate) fn broadcasts_to(from: &[usize], to: &[usize]) -> bool {
    from.len() <= to.len()
        && from.iter().rev().zip(to.iter().rev()).all(|(&a, &b)| a == b || a == 1)
}

/// The strides of a C-contiguous array of this shape.
pub(crate) fn contiguous_strides(shape: &[usize]) -> Strides {
    fn fill(strides: &mut [isize], shape: &[usize]) {
        let mut step = 1;
        for (stride, &size) in strides.iter_mut().zip(shape).rev() {
            *stride = step;
            step *= size.cast_signed();
        }
    }
    let ndim = shape.len();
    let mut inline = [0; INLINE];
    if let Some(strides) = inline.get_mut(..ndim) {
        fill(strides, shape);
        return Strides::from_buf_and_len(inline, ndim);
    }
    let mut strides = Strides::from_elem(0, ndim);
    fill(&mut strides, shape);
    strides
}

/// Strides that read an array of shape `from` as if it had shape `to`.
pub(crate) fn broadcast_strides(
    from: &[usize],
    strides: &[isize],
    to: &[usize],
) -> Strides {
    debug_assert!(broadcasts_to(from, to));
    let mut out: Strides = SmallVec::from_elem(0, to.len() - from.len());
    out.extend(from.iter().zip(strides).map(|(&n, &s)| if n == 1 { 0 } else { s }));
    out
}

/// The axes of `to` along which an array of shape `from` is repeated.
pub(crate) fn broadcast_axes(from: &[usize], to: &[usize]) -> Axes {
    let extra = to.len() - from.len();
    let repeated = |&k: &usize| k < extra || (from[k - extra] == 1 && to[k] != 1);
    (0..to.len()).filter(repeated).collect()
}

/// The shape that remains of `shape` when `axes` are reduced.
pub(crate) fn reduced(shape: &[usize], axes: &[usize], keepdims: bool) -> Shape {
    let size = |(k, &n): (usize, &usize)| match axes.contains(&k) {
        true if keepdims => Some(1),
        true => None,
        false => Some(n),
    };
    shape.iter().enumerate().filter_map(size).collect()
}

/// The shape that `sizes` asks for, where one size may be −1.
pub(crate) fn reshape(
    op: &'static str,
    from: &[usize],
    sizes: &[isize],
) -> Result<Shape> {
    let len: usize = from.iter().product();
    let misfit = || {
        let shape = sizes.to_vec();
        Error::new(Fault::ReshapeInfer { op, operand: Operand::new(from), shape })
    };
    let mut out = Shape::default();
    let mut open = None;
    for (k, &size) in sizes.iter().enumerate() {
        match usize::try_from(size) {
            Ok(size) => out.push(size),
            Err(_) if size == -1 && open.is_none() => {
                open = Some(k);
                out.push(1);
            }
            Err(_) if size == -1 => return Err(misfit()),
            Err(_) => {
                return Err(Error::new(Fault::NegativeDimension { op, value: size }));
            }
        }
    }
    let out = check(op, &out, DType::F64).map(|mut shape| {
        if let Some(k) = open {
            let known = shape.len();
            shape.0[k] = len.checked_div(known).unwrap_or(0);
        }
        shape
    })?;
    if out.len() == len && (open.is_none() || len != 0 || !sizes.contains(&0)) {
        return Ok(out);
    }
    if open.is_some() {
        return Err(misfit());
    }
    let (operand, wanted) = (Operand::new(from), out.len());
    Err(Error::new(Fault::Reshape { op, operand, shape: out.to_vec(), wanted }))
}

/// Strides that read the elements of a strided array in the order of a new shape, or
/// `None` if that needs a copy.
///
/// Runs of axes that lie behind one another in memory are merged, then split anew.
pub(crate) fn reshape_strides(
    from: &[usize],
    strides: &[isize],
    to: &Shape,
) -> Option<Strides> {
    if to.is_empty() {
        return Some(to.strides());
    }
    let mut runs: SmallVec<[(usize, isize); 4]> = SmallVec::new();
    for (&size, &stride) in from.iter().zip(strides).filter(|(size, _)| **size != 1) {
        match runs.last_mut() {
            Some((run, step)) if *step == stride * size.cast_signed() => {
                *run *= size;
                *step = stride;
            }
            _ => runs.push((size, stride)),
        }
    }
    let mut out: Strides = SmallVec::from_elem(1, to.ndim());
    let mut left = runs.pop();
    for (k, &size) in to.iter().enumerate().rev() {
        if size == 1 {
            // Any stride reads the one element; this one is what C order has.
            out[k] = out.get(k + 1).map_or(1, |step| step * to[k + 1].cast_signed());
            continue;
        }
        let (run, step) = left?;
        if run % size != 0 {
            return None;
        }
        out[k] = step;
        left = match run / size {
            1 => runs.pop(),
            rest => Some((rest, step * size.cast_signed())),
        };
    }
    Some(out)
}

/// Whether elements of `shape` at `strides` lie in C order without gaps.
pub(crate) fn is_contiguous(shape: &[usize], strides: &[isize]) -> bool {
    let mut step = 1;
    for (&size, &stride) in shape.iter().zip(strides).rev() {
        if size != 1 && stride != step {
            return shape.contains(&0);
        }
        step *= size.cast_signed();
    }
    true
}

/// One axis of a slice: the first element, the step and the number of elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    /// Position of the first element.
    pub start: usize,
    /// Positions from one element to the next; may be negative.
    pub step: isize,
    /// Number of elements.
    pub len: usize,
}

/// As Python writes a slice: `1:5:2`.
impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.start.cast_signed();
        let stop = start + self.step * self.len.cast_signed();
        write!(f, "{start}:")?;
        // Backwards, the place before the first cannot be written.
        if stop >= 0 {
            write!(f, "{stop}")?;
        }
        if self.step == 1 { Ok(()) } else { write!(f, ":{}", self.step) }
    }
}

impl Span {
    /// A whole axis.
    pub(crate) fn whole(size: usize) -> Self {
        Span { start: 0, step: 1, len: size }
    }

    /// The span that Python's `slice(start, stop, step)` selects of `size` elements.
    pub(crate) fn new(
        op: &'static str,
        start: Option<isize>,
        stop: Option<isize>,
        step: isize,
        size: usize,
    ) -> Result<Self> {
        if step == 0 {
            return Err(Error::new(Fault::ZeroStep { op }));
        }
        let size = size.cast_signed();
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let place = |given: Option<isize>, default: isize| match given {
            None => default,
            Some(k) if k < 0 => k.saturating_add(size).clamp(low, high),
            Some(k) => k.clamp(low, high),
        };
        let (first, last) = if step > 0 { (low, high) } else { (high, low) };
        let (start, stop) = (place(start, first), place(stop, last));
        let distance = if step > 0 { stop - start } else { start - stop };
        let len = if distance <= 0 {
            0
        } else {
            (distance.unsigned_abs() - 1) / step.unsigned_abs() + 1
        };
        // A step that is never taken may be too large to multiply by.
        let step = if len > 1 { step } else { 1 };
        Ok(Span { start: if len == 0 { 0 } else { start.unsigned_abs() }, step, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_is_found_before_any_allocation_even_next_to_a_zero() {
        for sizes in [&[1 << 40, 1 << 40][..], &[0, 1 << 63], &[1 << 62, 4]] {
            let error = check("zeros", sizes, DType::F64).unwrap_err();
            assert!(error.to_string().contains("overflows"), "{error}");
        }
        assert!(check("zeros", &[0, 1 << 40], DType::F64).is_ok());
        assert!(check("zeros", &[1; 65], DType::F64).is_err());
    }

    #[test]
    fn reshape_fills_one_open_axis() {
        assert_eq!(&*reshape("reshape", &[2, 6], &[-1, 4]).unwrap(), &[3, 4]);
        assert_eq!(&*reshape("reshape", &[0, 6], &[2, -1]).unwrap(), &[2, 0]);
        assert!(reshape("reshape", &[2, 6], &[5, -1]).is_err());
        assert!(reshape("reshape", &[0], &[0, -1]).is_err());
        assert!(reshape("reshape", &[4], &[-1, -1]).is_err());
        assert!(reshape("reshape", &[4], &[-2, 2]).is_err());
        assert!(reshape("reshape", &[4], &[5]).is_err());
    }

    #[test]
    fn a_reshape_of_a_strided_array_is_a_view_where_runs_allow_it() {
        let of = |from: &[usize], strides: &[isize], to: &[usize]| {
            reshape_strides(from, strides, &Shape::new(to)).map(|s| s.to_vec())
        };
        assert_eq!(of(&[4, 6], &[6, 1], &[2, 2, 6]), Some(vec![12, 6, 1]));
        assert_eq!(of(&[6, 4], &[1, 6], &[24]), None);
        assert_eq!(of(&[6, 4], &[1, 6], &[2, 3, 4]), Some(vec![3, 1, 6]));
        assert_eq!(of(&[3], &[-2], &[3, 1]), Some(vec![-2, 1]));
        assert_eq!(of(&[2, 3], &[0, 0], &[6]), Some(vec![0]));
    }

    #[test]
    fn spans_select_what_python_slices_select() {
        let span = |start, stop, step, size| {
            let s = Span::new("index", start, stop, step, size).unwrap();
            (0..s.len)
                .map(|k| s.start.cast_signed() + k.cast_signed() * s.step)
                .collect::<Vec<_>>()
        };
        assert_eq!(span(None, None, -2, 5), [4, 2, 0]);
        assert_eq!(span(Some(-2), None, 1, 5), [3, 4]);
        assert_eq!(span(Some(1), Some(100), 3, 8), [1, 4, 7]);
        assert_eq!(span(Some(5), Some(1), 1, 8), [] as [isize; 0]);
        assert_eq!(span(None, Some(-9), -1, 3), [2, 1, 0]);
        assert!(Span::new("index", None, None, 0, 3).is_err());
    }

    #[test]
    fn broadcasting_names_the_axes_that_are_repeated() {
        let shape = broadcast("add", &[&[3, 1], &[2, 1, 4]]).unwrap();
        assert_eq!(&*shape, &[2, 3, 4]);
        assert_eq!(&*broadcast_axes(&[3, 1], &shape), &[0, 2]);
        assert_eq!(&*broadcast_strides(&[3, 1], &[1, 1], &shape), &[0, 1, 0]);
        assert!(broadcast("add", &[&[3], &[4]]).is_err());
    }
}
