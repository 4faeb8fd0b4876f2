//! The kernels, compared with plain loops over every index.

use super::*;
use crate::array::NdArray;

/// Each tap at each place of the windows, with the position that it shows: the indices
/// of tap and place in C order, and of the position unless it is padding.
fn shown(
    windows: &[Window],
    image: &[usize],
    places: &[usize],
) -> Vec<(usize, usize, Option<usize>)> {
    let taps: usize = windows.iter().map(|w| w.size).product();
    let count: usize = places.iter().product();
    let mut all = Vec::new();
    for tap in 0..taps {
        for place in 0..count {
            let (mut taps, mut rest, mut step) = (tap, place, 1);
            let mut position = Some(0);
            for k in (0..windows.len()).rev() {
                let w = windows[k];
                let at = rest % places[k] * w.stride + taps % w.size * w.dilation;
                taps /= w.size;
                rest /= places[k];
                let inside = at.checked_sub(w.padding.0).filter(|&at| at < image[k]);
                position = position.zip(inside).map(|(sum, at)| sum + at * step);
                step *= image[k];
            }
            all.push((tap, place, position));
        }
    }
    all
}

fn evaluate(
    shape: &[usize],
    kernel: impl FnOnce(ViewMut<'_>) -> Result<()>,
) -> Vec<f64> {
    let mut out = NdArray::full(shape, f64::NAN, DType::F64).unwrap();
    let room: &mut [f64] = out.try_as_mut_slice().unwrap();
    let first = room.as_mut_ptr().cast();
    // SAFETY: the array is contiguous, of this type, and nothing else uses it.
    kernel(unsafe { ViewMut::from_raw(first, shape, DType::F64) }).unwrap();
    out.to_vec::<f64>()
}

fn cases() -> Vec<(Windows, Vec<usize>)> {
    let w =
        |size, stride, dilation, padding| Window { size, stride, dilation, padding };
    let mut all = Vec::new();
    for size in [1, 2, 3] {
        for stride in [1, 2, 3] {
            for dilation in [1, 2] {
                for padding in [(0, 0), (1, 0), (2, 3)] {
                    let one = w(size, stride, dilation, padding);
                    let other = w(2, 1, 1, (0, 1));
                    all.push((Windows::from_slice(&[one]), vec![17]));
                    all.push((Windows::from_slice(&[one, other]), vec![6, 5]));
                    all.push((Windows::from_slice(&[other, one]), vec![2, 7]));
                    all.push((
                        Windows::from_slice(&[other, one, other]),
                        vec![3, 5, 2],
                    ));
                }
            }
        }
    }
    all
}

#[test]
fn patches_folds_and_maxima_are_those_of_plain_loops() {
    for (windows, image) in cases() {
        let places: Vec<usize> =
            windows.iter().zip(&image).map(|(w, &n)| w.places(n).unwrap()).collect();
        let sizes: Vec<usize> = windows.iter().map(|w| w.size).collect();
        let shown = shown(&windows, &image, &places);
        let len: usize = image.iter().product();
        let count: usize = places.iter().product();
        let taps: usize = sizes.iter().product();
        let images = 2;
        let value = |k: usize| ((k * 37 + 11) % 101) as f64 - 50.0;
        let x: Vec<f64> = (0..images * len).map(value).collect();
        let ct: Vec<f64> = (0..images * taps * count).map(value).collect();
        let full = |tail: &[usize]| [&[images], tail].concat();
        let x_shape = full(&image);
        let patch_shape = full(&[&sizes[..], &places].concat());
        let (x_array, ct_array) = (
            NdArray::try_from_elements(&x, &x_shape).unwrap(),
            NdArray::try_from_elements(&ct, &patch_shape).unwrap(),
        );
        let mut wanted = vec![0.0; ct.len()];
        let mut folded = vec![0.0; x.len()];
        let mut largest: Vec<f64> = vec![f64::NEG_INFINITY; images * count];
        for k in 0..images {
            for &(tap, place, position) in &shown {
                if let Some(at) = position.map(|at| k * len + at) {
                    let patch = (k * taps + tap) * count + place;
                    wanted[patch] = x[at];
                    folded[at] += ct[patch];
                    let top = &mut largest[k * count + place];
                    *top = top.max(x[at]);
                }
            }
        }
        let why = format!("{windows:?} over {image:?}");
        let found =
            evaluate(&patch_shape, |out| patches(x_array.view(), &windows, out));
        assert_eq!(found, wanted, "patches {why}");
        let found = evaluate(&x_shape, |out| fold(ct_array.view(), &windows, out));
        assert_eq!(found, folded, "fold {why}");
        let found =
            evaluate(&full(&places), |out| max_pool(x_array.view(), &windows, out));
        assert_eq!(found, largest, "maxima {why}");
    }
}

#[test]
fn a_window_has_places_unless_it_is_longer_than_the_axis() {
    let w = Window { size: 3, stride: 2, dilation: 2, padding: (1, 0) };
    assert_eq!(
        (w.span(), w.places(3), w.places(4), w.places(6)),
        (5, None, Some(1), Some(2))
    );
    assert_eq!(format!("{w:?}"), "3/2 dilated 2 padded 1+0");
    let huge = Window { size: usize::MAX, dilation: 3, ..w };
    assert_eq!(huge.places(5), None);
}
