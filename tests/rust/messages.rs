//! Arguments of the wrong form: each refusal has its own text.

use crate::caught::panic_of;
use crate::differences::array;
use std::collections::HashMap;
use wengert::prelude::*;
use wengert::{Kind, Result, try_concatenate, try_stack};

#[test]
fn every_refusal_has_its_text() {
    type Call<'rec> = (Kind, &'static str, Result<Tensor<'rec>>);
    let rec = ComputationRecord::new();
    let x = rec.parameter("x", array(&[2, 3], &[0.0; 6]));
    let y = rec.parameter("y", array(&[3, 3], &[0.0; 9]));
    let s = rec.parameter("s", array(&[], &[0.0]));
    let n = rec.parameter("n", NdArray::from_elements(&[1_i64, -2]));
    let flags = rec.parameter("flags", NdArray::from_elements(&[true, false]));
    let empty = rec.parameter("empty", array(&[2, 0], &[]));
    let slice = |step| Index::Slice { start: None, stop: None, step };
    let len = rec.len();
    let calls: Vec<Call<'_>> = vec![
        (
            Kind::Shape,
            "sum: axis 2 is out of range for 2 axes",
            x.try_sum_axes(&[2], false),
        ),
        (Kind::Shape, "mean: axis -2 is given twice", x.try_mean_axes(&[0, -2], true)),
        (Kind::Shape, "softmax: axis -3 is out of range for 2 axes", x.try_softmax(-3)),
        (Kind::Shape, "argmax: axis 5 is out of range for 2 axes", x.try_argmax(5)),
        (
            Kind::Shape,
            "transpose: 1 axes given for a tensor of 2",
            x.try_transpose(&[0]),
        ),
        (Kind::Shape, "transpose: axis 0 is given twice", x.try_transpose(&[0, 0])),
        (
            Kind::Shape,
            "swapaxes: axis 2 is out of range for 2 axes",
            x.try_swapaxes(0, 2),
        ),
        (
            Kind::Shape,
            "reshape: x (2, 3) has 6 elements, (4, 2) asks for 8",
            x.try_reshape(&[4, 2]),
        ),
        (
            Kind::Shape,
            "reshape: x (2, 3) does not split evenly into (4, -1)",
            x.try_reshape(&[4, -1]),
        ),
        (
            Kind::Shape,
            "broadcast_to: x (2, 3) does not broadcast to (2, 4)",
            x.try_broadcast_to(&[2, 4]),
        ),
        (
            Kind::Shape,
            "squeeze: axis 1 of x (2, 3) has size 3, not 1",
            x.try_squeeze(-1),
        ),
        (
            Kind::Shape,
            "expand_dims: axis 4 is out of range for 3 axes",
            x.try_expand_dims(4),
        ),
        (
            Kind::Shape,
            "max: empty (2, 0) has no elements along the reduced axes",
            empty.try_max_axes(&[1], false),
        ),
        (
            Kind::Shape,
            "concatenate: needs at least one tensor",
            try_concatenate(&[], 0),
        ),
        (Kind::Shape, "stack: needs at least one tensor", try_stack(&[], 0)),
        (
            Kind::Shape,
            "concatenate: shapes differ beyond axis 1: x (2, 3), y (3, 3)",
            try_concatenate(&[x, y], 1),
        ),
        (
            Kind::Shape,
            "stack: shapes differ: x (2, 3), y (3, 3)",
            try_stack(&[x, y], 0),
        ),
        (
            Kind::Shape,
            "matmul: an operand has no axes: x (2, 3), s ()",
            x.try_matmul(&s),
        ),
        (
            Kind::Shape,
            "softmax_cross_entropy: the labels have shape (2,), y (3, 3) needs (3,)",
            y.try_softmax_cross_entropy(&n),
        ),
        (Kind::Shape, "index: a slice step of 0", x.try_get(&[slice(0)])),
        (
            Kind::OutOfRange,
            "index: x (2, 3) has 2 axes, 3 are indexed",
            x.try_get(&[slice(1), slice(1), Index::At(0)]),
        ),
        (
            Kind::OutOfRange,
            "index: an index has more than one `...`",
            x.try_get(&[Index::Ellipsis, Index::Ellipsis]),
        ),
        (
            Kind::DType,
            "softmax_cross_entropy: indices must be i64, not bool",
            x.try_softmax_cross_entropy(&flags),
        ),
        (Kind::DType, "index: indices must be i64, not f64", x.try_take(&s)),
        (Kind::DType, "subtract: not defined for bool", flags.try_subtract(flags)),
        (Kind::DType, "negative: not defined for bool", flags.try_negative()),
        (
            Kind::Value,
            "power: an integer to the negative integer power -2",
            n.try_power(n),
        ),
        (
            Kind::Value,
            "power: an integer to the negative integer power -1",
            n.try_power(-1),
        ),
    ];
    assert_eq!(rec.len(), len);
    for (kind, text, result) in calls {
        let error = result.unwrap_err();
        assert_eq!(error.to_string().lines().next(), Some(text));
        assert_eq!(error.kind(), kind, "{text}");
        assert_eq!(format!("{error:?}"), error.to_string());
    }
    // Parts of a composition that was taken back are not named.
    let rows = Index::Array(NdArray::from_elements(&[7_i64]));
    let error = x.try_get(&[slice(2), rows]).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "index: index 7 at (0,) is out of range for size 3");
    assert!(
        lines[1].starts_with("  x recorded at") && !lines[1].contains(','),
        "{error}"
    );
    let error = x.try_item().unwrap_err().to_string();
    assert!(error.starts_with("item: x (2, 3) has 6 elements, not 1\n  x recorded at"));
    let error = NdArray::try_from_elements(&[1.0_f32; 3], &[2, 2]).unwrap_err();
    assert_eq!(error.to_string(), "from_elements: 3 values do not fill (2, 2)");
    let error = x.data().try_to_vec::<f32>().unwrap_err();
    assert_eq!(error.to_string(), "as_array: the array holds f64, not f32");
    let error = NdArray::zeros(&[1; 65], DType::F32).unwrap_err();
    assert_eq!(error.to_string(), "full: 65 axes, at most 64 axes are supported");
    let store = HashMap::from([("w.weight".to_owned(), NdArray::from_slice(&[1.0]))]);
    let layer = || LinearLayer::named(&rec, "w", 2, 3, &store);
    let text = "LinearLayer: the array has shape (1,), w.weight has (2, 3)";
    assert_eq!(panic_of(layer).0, text);
}
