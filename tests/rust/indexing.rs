//! What an index selects, against a plain computation of the same.

use crate::differences::spread;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use wengert::Rng;
use wengert::prelude::*;

const SHAPE: [usize; 3] = [4, 3, 5];

fn cube(rec: &ComputationRecord) -> Tensor<'_> {
    let elements: Vec<i64> = (0..60).collect();
    rec.constant(NdArray::try_from_elements(&elements, &SHAPE).unwrap())
}

fn slice(
    start: impl Into<Option<isize>>,
    stop: impl Into<Option<isize>>,
    step: isize,
) -> Index {
    Index::Slice { start: start.into(), stop: stop.into(), step }
}

fn positions(elements: &[i64], shape: &[usize]) -> Index {
    Index::Array(NdArray::try_from_elements(elements, shape).unwrap())
}

/// Fails unless the index selects these elements, in this shape.
#[track_caller]
fn assert_selects(
    index: &[Index],
    shape: &[usize],
    elements: impl IntoIterator<Item = i64>,
) {
    let rec = ComputationRecord::new();
    let found = cube(&rec).get(index);
    assert_eq!(found.shape(), shape, "{index:?}");
    let elements: Vec<i64> = elements.into_iter().collect();
    assert_eq!(found.data().to_vec::<i64>(), elements, "{index:?}");
}

#[test]
fn positions_and_slices() {
    use Index::{At, Ellipsis, NewAxis};
    assert_selects(&[], &SHAPE, 0..60);
    assert_selects(&[Ellipsis], &SHAPE, 0..60);
    assert_selects(&[At(1)], &[3, 5], 15..30);
    assert_selects(&[At(-1), At(0), At(-2)], &[], [48]);
    assert_selects(&[At(2), slice(None, None, 1), At(0)], &[3], [30, 35, 40]);
    assert_selects(
        &[Ellipsis, At(0), slice(1, 3, 1)],
        &[4, 2],
        [1, 2, 16, 17, 31, 32, 46, 47],
    );
    assert_selects(&[At(0), At(0), slice(None, None, -2)], &[3], [4, 2, 0]);
    assert_selects(&[At(0), At(0), slice(-2, None, 1)], &[2], [3, 4]);
    assert_selects(&[At(0), At(0), slice(3, 1, 1)], &[0], []);
    assert_selects(&[At(0), At(0), slice(100, -100, -3)], &[2], [4, 1]);
    assert_selects(
        &[NewAxis, At(3), NewAxis, Ellipsis, At(4)],
        &[1, 1, 3],
        [49, 54, 59],
    );
    assert_selects(&[Ellipsis, NewAxis, At(0)], &[4, 3, 1], (0..60).step_by(5));
}

#[test]
fn arrays_of_positions() {
    use Index::{At, Ellipsis, NewAxis};
    let rows = |rows: &[i64]| {
        rows.iter().flat_map(|r| 15 * r..15 * (r + 1)).collect::<Vec<_>>()
    };
    assert_selects(&[positions(&[2, -1, 2], &[3])], &[3, 3, 5], rows(&[2, 3, 2]));
    assert_selects(&[positions(&[1], &[])], &[3, 5], rows(&[1]));
    assert_selects(&[positions(&[], &[0])], &[0, 3, 5], []);
    assert_selects(&[positions(&[0, 1, 2, 3], &[2, 2])], &[2, 2, 3, 5], 0..60);
    // Several arrays broadcast together; a position among them is one of them.
    let (a, b) = (positions(&[0, 3], &[2, 1]), positions(&[1, 0, 2], &[3]));
    let wanted = [[5, 0, 10], [50, 45, 55]].concat();
    assert_selects(&[a, b, At(0)], &[2, 3], wanted);
    // Adjacent arrays keep their place; separated ones lead the result.
    let pair = || positions(&[0, 2], &[2]);
    let wanted = [0, 12, 15, 27, 30, 42, 45, 57];
    assert_selects(&[Ellipsis, pair(), pair()], &[4, 2], wanted);
    let wanted = [0, 5, 10, 32, 37, 42];
    assert_selects(&[pair(), slice(None, None, 1), pair()], &[2, 3], wanted);
    assert_selects(&[pair(), Ellipsis, At(1)], &[2, 3], [1, 6, 11, 31, 36, 41]);
    let wanted = [2, 0, 32, 30];
    let columns = positions(&[2, 0], &[2]);
    assert_selects(&[slice(None, None, 2), At(0), columns.clone()], &[2, 2], wanted);
    assert_selects(
        &[slice(None, None, 2), slice(0, 1, 1), columns],
        &[2, 1, 2],
        wanted,
    );
    assert_selects(
        &[At(0), NewAxis, pair()],
        &[2, 1, 5],
        [0, 1, 2, 3, 4, 10, 11, 12, 13, 14],
    );
}

#[test]
fn a_mask_without_axes_is_a_new_axis_of_one_element_or_none() {
    use Index::{At, Ellipsis};
    let truth =
        |holds: bool| Index::Array(NdArray::try_from_elements(&[holds], &[]).unwrap());
    assert_selects(&[truth(true)], &[1, 4, 3, 5], 0..60);
    assert_selects(&[truth(false)], &[0, 4, 3, 5], []);
    assert_selects(&[At(3), truth(true), At(0)], &[1, 5], 45..50);
    assert_selects(&[At(3), truth(true), Ellipsis, At(0)], &[1, 3], [45, 50, 55]);
    assert_selects(
        &[At(0), At(0), positions(&[0, 4], &[2]), truth(true)],
        &[2],
        [0, 4],
    );
}

#[test]
fn a_tensor_selects_as_an_array_does() {
    let rec = ComputationRecord::new();
    let x = cube(&rec);
    let rows = NdArray::try_from_elements(&[3_i64, -4, 1, 1], &[2, 2]).unwrap();
    let taken = x.take(&rec.constant(rows.clone()));
    assert_eq!(taken.data(), x.get(&[Index::Array(rows)]).data());
}

/// Fails unless an assignment of 0 reaches just the elements that the index selects.
fn assert_reaches(x: Tensor<'_>, index: &[Index]) -> Result<(), TestCaseError> {
    let selected = x.get(index).data().to_vec::<i64>();
    let kept = |element: i64| if selected.contains(&element) { -1 } else { element };
    let wanted: Vec<i64> = x.data().to_vec::<i64>().into_iter().map(kept).collect();
    prop_assert_eq!(x.assign(index, -1).data().to_vec::<i64>(), wanted);
    Ok(())
}

#[test]
fn an_assignment_gives_a_tensor_of_its_own() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(NdArray::from_elements(&[1.0, 2.0, 3.0]));
    let v = rec.tensor_from_value(NdArray::from_elements(&[5.0, 6.0]));
    let y = x.assign(&[positions(&[2, 2], &[2])], v);
    assert_eq!(y.data().to_vec::<f64>(), [1.0, 2.0, 6.0]);
    assert_eq!(x.data().to_vec::<f64>(), [1.0, 2.0, 3.0]);
    let grad = (y * y).sum().grad();
    assert_eq!(grad.wrt(&x).data().to_vec::<f64>(), [2.0, 4.0, 0.0]);
    assert_eq!(grad.wrt(&v).data().to_vec::<f64>(), [0.0, 12.0]);
}

#[test]
fn an_assignment_that_does_not_fit_records_nothing() {
    let rec = ComputationRecord::new();
    let (x, len) = (cube(&rec), rec.len());
    let floats = rec.constant(NdArray::from_elements(&[1.0, 2.0]));
    let error = x.try_assign(&[], floats).unwrap_err();
    assert_eq!(error.kind(), wengert::Kind::DType);
    let integers = rec.constant(NdArray::from_elements(&[1_i64, 2]));
    let error = x.try_assign(&[Index::At(0)], integers).unwrap_err();
    assert_eq!(error.kind(), wengert::Kind::Shape);
    assert!(
        error.to_string().starts_with(
            "assign: #2 constant (2,) does not broadcast to the selected (3, 5)\n  \
             #0 constant recorded at "
        ),
        "{error}"
    );
    let other = ComputationRecord::new();
    let foreign = other.constant(NdArray::from_elements(&[1_i64]));
    let error = x.try_assign(&[], foreign).unwrap_err();
    assert_eq!(error.kind(), wengert::Kind::Handle);
    assert_eq!(rec.len(), len + 2);
}

#[test]
fn a_basic_index_copies_nothing() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(spread(&Rng::new(2), &[50, 40], (0.0, 1.0), 0));
    let y = x.get(&[slice(None, None, -1), Index::At(3)]);
    assert_eq!(y.data().strides(), [-40]);
    assert_eq!(x.t().data().strides(), [1, 40]);
    let flat = x.t().reshape(&[-1]);
    assert_eq!(flat.data().strides(), [1], "this one has to be copied");
}

/// One slice of an axis of `size`, often with ends outside it.
fn any_slice(
    size: usize,
) -> impl Strategy<Value = (Option<isize>, Option<isize>, isize)> {
    let reach = size.cast_signed() + 3;
    let end = || prop::option::of(-reach..reach);
    (end(), end(), prop_oneof![-3..0_isize, 1..4_isize])
}

/// The positions that Python's `range(size)[start:stop:step]` gives, by definition.
fn selected(
    size: usize,
    start: Option<isize>,
    stop: Option<isize>,
    step: isize,
) -> Vec<isize> {
    let size = size.cast_signed();
    let place = |end: isize| if end < 0 { end + size } else { end };
    let inside = |k: &isize| {
        let after =
            |end: isize| if step > 0 { *k >= place(end) } else { *k <= place(end) };
        let before =
            |end: isize| if step > 0 { *k < place(end) } else { *k > place(end) };
        start.is_none_or(after) && stop.is_none_or(before)
    };
    let mut all: Vec<isize> = (0..size).collect();
    if step < 0 {
        all.reverse();
    }
    all.into_iter().filter(inside).step_by(step.unsigned_abs()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn slices_agree_with_their_definition(
        a in any_slice(SHAPE[0]),
        b in any_slice(SHAPE[1]),
        c in any_slice(SHAPE[2]),
    ) {
        let rec = ComputationRecord::new();
        let index: Vec<Index> = [a, b, c]
            .map(|(start, stop, step)| slice(start, stop, step))
            .to_vec();
        let found = cube(&rec).get(&index);
        let axes: Vec<Vec<isize>> = [a, b, c]
            .iter()
            .zip(SHAPE)
            .map(|(&(start, stop, step), size)| selected(size, start, stop, step))
            .collect();
        let mut wanted = Vec::new();
        for i in &axes[0] {
            for j in &axes[1] {
                for k in &axes[2] {
                    wanted.push((i * 15 + j * 5 + k) as i64);
                }
            }
        }
        let shape: Vec<usize> = axes.iter().map(Vec::len).collect();
        prop_assert_eq!(found.shape(), shape);
        prop_assert_eq!(found.data().to_vec::<i64>(), wanted);
        assert_reaches(cube(&rec), &index)?;
    }
}
