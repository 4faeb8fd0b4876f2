//! What bad input gets: the rows of the table of faults that exist in Rust, each by its
//! number. Two rows are compile errors here: see `ComputationRecord`.

use crate::caught::{here, panic_of};
use crate::differences::array;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use wengert::prelude::*;
use wengert::{Kind, Result, concatenate, stack, try_concatenate, try_stack};

/// Fails unless the call is refused with this text, in both of its forms, and nothing
/// was lost: the record is as long as before, and computes.
#[track_caller]
fn refused<T: Debug>(
    rec: &ComputationRecord,
    kind: Kind,
    text: &str,
    fallible: impl Fn() -> Result<T>,
    panicking: impl Fn() -> T,
) {
    let (len, bytes) = (rec.len(), rec.bytes());
    let error = fallible().unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(error.kind(), kind);
    let (message, place) = panic_of(panicking);
    assert_eq!(message, text);
    let caller = here();
    let (file, _) = caller.rsplit_once(':').expect("FILE:LINE");
    assert!(place.starts_with(file), "{place} is the place of the panic");
    assert_eq!((rec.len(), rec.bytes()), (len, bytes));
    let x = rec.tensor_from_value(array(&[2], &[2.0, 3.0]));
    assert_eq!((x * x).sum().grad().wrt(&x).data().to_vec::<f64>(), [4.0, 6.0]);
}

/// The number by which messages know a record.
fn number(rec: &ComputationRecord) -> String {
    let text = format!("{rec:?}");
    text.split(' ').nth(1).expect("ComputationRecord N of ...").to_owned()
}

#[track_caller]
fn zeros<'rec>(rec: &'rec ComputationRecord, shape: &[usize]) -> Tensor<'rec> {
    rec.constant(NdArray::zeros(shape, DType::F64).unwrap())
}

#[test]
fn a_panic_names_the_line_of_the_call() {
    let rec = ComputationRecord::new();
    let (a, b) = (rec.ones(&[2], DType::F32), rec.ones(&[3], DType::F32));
    let layer = LinearLayer::new(&rec, 5, 2, &HashMap::new());
    let mut data = a.data();
    let at = RefCell::new(String::new());
    #[rustfmt::skip]
    let calls: [&mut dyn FnMut(); 11] = [
        &mut || { at.replace(here()); let _ = a + b; },
        &mut || { at.replace(here()); let _ = 2.0 / a.reshape(&[7]); },
        &mut || { at.replace(here()); let _ = a.maximum(b); },
        &mut || { at.replace(here()); let _ = concatenate(&[], 0); },
        &mut || { at.replace(here()); relu(&b).grad(); },
        &mut || { at.replace(here()); a.item(); },
        &mut || { at.replace(here()); let _ = rec.zeros(&[1 << 61, 8], DType::F32); },
        &mut || { at.replace(here()); a.data().to_vec::<i64>(); },
        &mut || { at.replace(here()); data.reshape(&[5]); },
        &mut || { at.replace(here()); let _ = layer.forward(&a); },
        &mut || { at.replace(here()); ComputationRecord::new().rewind(&rec.mark()); },
    ];
    for call in calls {
        let (message, place) = panic_of(call);
        assert_eq!(place, at.take(), "{message}");
    }
}

#[test]
fn fault_01_a_tensor_of_another_record() {
    let (rec, other) = (ComputationRecord::new(), ComputationRecord::new());
    let x = rec.ones(&[2], DType::F64);
    let (y, place) = (other.parameter("y", array(&[2], &[1.0; 2])), here());
    let (home, used) = (number(&other), number(&rec));
    let text = |op: &str| {
        format!(
            "{op}: y belongs to record {home}, not to record {used}\n  \
             y recorded at {place}\nhint: read its data() into this record"
        )
    };
    refused(&rec, Kind::Handle, &text("add"), || x.try_add(y), || x + y);
    refused(&rec, Kind::Handle, &text("power"), || x.try_power(y), || x.power(y));
    refused(&rec, Kind::Handle, &text("matmul"), || x.try_matmul(&y), || x.matmul(&y));
    refused(&rec, Kind::Handle, &text("take"), || x.try_take(&y), || x.take(&y));
    let choose = || x.greater(0.0).choose(x, y);
    assert_eq!(panic_of(choose).0, text("where"));
    let parts = [x, y];
    refused(
        &rec,
        Kind::Handle,
        &text("concatenate"),
        || try_concatenate(&parts, 0),
        || concatenate(&parts, 0),
    );
    refused(
        &rec,
        Kind::Handle,
        &text("stack"),
        || try_stack(&parts, 0),
        || stack(&parts, 0),
    );
    let options = GradOptions { wrt: Some(&parts), ..GradOptions::default() };
    let loss = x.sum();
    refused(
        &rec,
        Kind::Handle,
        &text("grad"),
        || loss.try_grad(&options),
        || loss.grad_with(&options),
    );
    assert_eq!(other.len(), 1);
}

#[test]
fn fault_02_a_mark_of_another_time_or_record() {
    let mut rec = ComputationRecord::new();
    let _ = zeros(&rec, &[2]);
    let mark = rec.mark();
    rec.clear();
    let _ = zeros(&rec, &[2]);
    let text = "rewind: the mark was made before the record was cleared";
    let error = rec.try_rewind(&mark).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.kind()), (text, Kind::Handle));
    assert_eq!(panic_of(|| rec.rewind(&mark)).0, text);

    let outer = rec.mark();
    let _ = zeros(&rec, &[2]);
    let inner = rec.mark();
    rec.rewind(&outer);
    let error = rec.try_rewind(&inner).unwrap_err().to_string();
    assert_eq!(error, "rewind: the mark was made before the record was rewound");

    let mut other = ComputationRecord::new();
    let error = other.try_rewind(&outer).unwrap_err();
    let (home, used) = (number(&rec), number(&other));
    let text =
        format!("rewind: the mark belongs to record {home}, not to record {used}");
    assert_eq!((error.to_string(), error.kind()), (text, Kind::Handle));
    assert_eq!((rec.len(), other.len()), (1, 0));
}

#[test]
fn fault_03_a_gradient_asked_for_a_tensor_of_another_record() {
    let (rec, other) = (ComputationRecord::new(), ComputationRecord::new());
    let (x, place) = (zeros(&other, &[2]), here());
    let grad = rec.ones(&[2], DType::F64).sum().grad();
    let (home, used) = (number(&other), number(&rec));
    let text = |op: &str| {
        format!(
            "{op}: #0 constant belongs to record {home}, not to record {used}\n  \
             #0 constant recorded at {place}\n\
             hint: a gradient covers only the record it was taken from"
        )
    };
    refused(&rec, Kind::Handle, &text("wrt"), || grad.try_wrt(&x), || grad.wrt(&x));
    let all = [rec.tensor(0).unwrap(), x];
    refused(
        &rec,
        Kind::Handle,
        &text("wrt"),
        || grad.try_wrt_all(&all),
        || grad.wrt_all(&all),
    );
    refused(
        &rec,
        Kind::Handle,
        &text("connected"),
        || grad.try_connected(&x),
        || grad.connected(&x),
    );
}

#[test]
fn fault_04_a_tensor_that_does_not_reach_the_loss() {
    let rec = ComputationRecord::new();
    let (x, y) = (rec.ones(&[2], DType::F64), rec.ones(&[3], DType::F32));
    let grad = x.sum().grad();
    assert!(!grad.connected(&y));
    assert_eq!(grad.wrt(&y).data(), NdArray::zeros(&[3], DType::F32).unwrap());
}

#[test]
fn fault_05_a_gradient_of_several_elements() {
    let rec = ComputationRecord::new();
    let x = rec.ones(&[3], DType::F64);
    let (y, place) = (x.relu(), here());
    let text = format!(
        "grad: #1 relu (3,) is not a scalar\n  #1 relu recorded at {place}\n\
         hint: take .sum() first, or give grad(seed=...)"
    );
    let plain = GradOptions::default();
    refused(&rec, Kind::Shape, &text, || y.try_grad(&plain), || y.grad());
    let seed = array(&[2], &[1.0, 1.0]);
    let options = GradOptions { seed: Some(&seed), ..plain };
    let text = format!(
        "grad: the seed has shape (2,), #1 relu (3,) needs its own\n  \
         #1 relu recorded at {place}"
    );
    refused(
        &rec,
        Kind::Shape,
        &text,
        || y.try_grad(&options),
        || y.grad_with(&options),
    );
}

#[test]
fn fault_06_the_same_gradient_twice() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[3], &[0.1, 0.2, 0.3]));
    let loss = (x.sin() * x).logsumexp(&[0], false);
    let bits = || {
        let gradient = loss.grad().wrt(&x).data().to_vec::<f64>();
        gradient.into_iter().map(f64::to_bits).collect::<Vec<u64>>()
    };
    assert_eq!(bits(), bits());
}

#[test]
fn fault_07_inner_sizes_of_a_matrix_product() {
    let rec = ComputationRecord::new();
    let (a, at_a) = (zeros(&rec, &[2, 3]).exp(), here());
    let (b, at_b) = (rec.parameter("out.weight", array(&[4, 5], &[0.0; 20])), here());
    let text = format!(
        "matmul: inner sizes differ: #1 exp (2, 3) @ out.weight (4, 5): \
         axis 1 has 3, axis 0 has 4\n  \
         #1 exp recorded at {at_a}, out.weight at {at_b}"
    );
    refused(&rec, Kind::Shape, &text, || a.try_matmul(&b), || a.matmul(&b));
}

#[test]
fn fault_08_shapes_that_do_not_broadcast() {
    let rec = ComputationRecord::new();
    let (a, at_a) = (zeros(&rec, &[128, 10]), here());
    let (b, at_b) = (zeros(&rec, &[4]), here());
    let text = |op: &str| {
        format!(
            "{op}: shapes do not broadcast: #0 constant (128, 10), #1 constant (4,)\n   \
             128 10   #0 constant\n        4   #1 constant\n  \
             #0 constant recorded at {at_a}, #1 constant at {at_b}"
        )
    };
    refused(&rec, Kind::Shape, &text("add"), || a.try_add(b), || a + b);
    refused(&rec, Kind::Shape, &text("less"), || a.try_less(b), || a.less(b));
}

#[test]
fn fault_09_a_loss_of_a_column_and_a_vector() {
    let rec = ComputationRecord::new();
    let (a, at_a) = (zeros(&rec, &[4, 1]), here());
    let (b, at_b) = (zeros(&rec, &[4]), here());
    let text = format!(
        "mean_squared_error: the shapes of #0 constant (4, 1) and #1 constant (4,) \
         differ\n  #0 constant recorded at {at_a}, #1 constant at {at_b}\n\
         hint: reshape one of them, or allow broadcast"
    );
    refused(
        &rec,
        Kind::Shape,
        &text,
        || a.try_mean_squared_error(b, false),
        || a.mean_squared_error(b, false),
    );
    assert_eq!((a + 2.0).mean_squared_error(b, true).item(), 4.0);
    assert_eq!((b + 2.0).mean_squared_error(b, false).item(), 4.0);
}

#[test]
fn fault_10_a_negative_dimension() {
    let rec = ComputationRecord::new();
    let (x, place) = (zeros(&rec, &[6]), here());
    let text =
        format!("reshape: dimension -2 is negative\n  #0 constant recorded at {place}");
    refused(
        &rec,
        Kind::Shape,
        &text,
        || x.try_reshape(&[-2, 3]),
        || x.reshape(&[-2, 3]),
    );
}

#[test]
fn fault_11_a_size_that_overflows() {
    let rec = ComputationRecord::new();
    let x = rec.constant(array(&[1], &[1.0]));
    for shape in [&[0, 1 << 63][..], &[1 << 40, 1 << 40], &[1 << 61, 8]] {
        let sizes = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let error = NdArray::zeros(shape, DType::F64).unwrap_err();
        assert_eq!(error.to_string(), format!("full: the size of ({sizes}) overflows"));
        let text = format!("broadcast_to: the size of ({sizes}) overflows");
        refused(
            &rec,
            Kind::Shape,
            &text,
            || x.try_broadcast_to(shape),
            || x.broadcast_to(shape),
        );
    }
}

#[test]
fn fault_12_ten_trillion_elements() {
    const LEN: usize = 10_000_000_000_000;
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[1], &[1.0]));
    // A view of so many elements is fine; an op on it has no place for its result.
    let (wide, place) = (x.broadcast_to(&[LEN]), here());
    let text = format!(
        "exp: no memory for 74505.8 GiB of shape (10000000000000,)\n  \
         #1 broadcast_to recorded at {place}"
    );
    refused(&rec, Kind::Memory, &text, || wide.try_exp(), || wide.exp());
    let text = "full: no memory for 74505.8 GiB of shape (10000000000000,)";
    let zeros = || NdArray::zeros(&[LEN], DType::F64);
    let make = || rec.zeros(&[LEN], DType::F64);
    refused(&rec, Kind::Memory, text, || zeros().map(|x| rec.constant(x)), make);
    let text = "permutation: no memory for 74505.8 GiB of shape (10000000000000,)";
    let rng = Rng::new(1);
    refused(
        &rec,
        Kind::Memory,
        text,
        || rng.try_permutation(LEN),
        || rng.permutation(LEN),
    );
}

#[test]
fn fault_13_memory_that_runs_out_in_a_sweep() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[1], &[2.0]));
    let before = x.square().sum().grad().wrt(&x);
    // The sum of a view of 2⁴³ equal elements would take an hour; no element is enough.
    let y = (x.broadcast_to(&[1 << 43]).get(&[Index::Slice {
        start: Some(0),
        stop: Some(1),
        step: 1,
    }]) * 3.0)
        .sum();
    let len = rec.len();
    let error = y.try_grad(&GradOptions::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Memory);
    assert_eq!(rec.len(), len);
    let z = x.square().sum();
    assert_eq!(z.grad().wrt(&x).data().to_vec::<f64>(), [4.0]);
    assert_eq!(before.data().to_vec::<f64>(), [4.0]);
}

#[test]
fn fault_15_a_chain_of_ten_million_nodes_on_a_small_stack() {
    let chain = || {
        let mut rec = ComputationRecord::new();
        let x = rec.tensor_from_value(array(&[], &[0.5]));
        let y = (0..10_000_000).fold(x, |y, _| -y);
        assert_eq!(y.grad().wrt(&x).item(), 1.0);
        rec.clear();
        assert!(rec.is_empty());
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    thread.spawn(chain).unwrap().join().unwrap();
}

#[test]
fn fault_20_slopes_at_singular_points() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[2], &[0.0, 4.0]));
    let gradient = |y: Tensor<'_>| y.sum().grad().wrt(&x).data().to_vec::<f64>();
    let inf = f64::INFINITY;
    assert_eq!(gradient(x.sqrt()), [inf, 0.25]);
    assert_eq!(gradient(x.log()), [inf, 0.25]);
    assert_eq!(gradient(x.power(0.5)), [inf, 0.25]);
    assert_eq!(gradient(1.0 / x), [-inf, -0.0625]);
    // Where nothing flows back, the infinity does not become NaN.
    let weights = rec.constant(array(&[2], &[0.0, 1.0]));
    assert_eq!(gradient(x.sqrt() * weights), [0.0, 0.25]);
    assert_eq!(gradient(x.log() * weights), [0.0, 0.25]);
    assert_eq!(gradient(x.power(0.5) * weights), [0.0, 0.25]);
    assert_eq!(gradient(1.0 / x * weights), [0.0, -0.0625]);
    assert_eq!(gradient(x.greater(0.0).choose(x.log().sqrt(), x))[0], 1.0);
    let power = rec.tensor_from_value(array(&[2], &[2.0, 0.5]));
    let in_the_exponent = x.power(power).sum().grad().wrt(&power);
    assert_eq!(in_the_exponent.data().to_vec::<f64>(), [0.0, 2.0 * 4.0_f64.ln()]);
}

#[test]
fn fault_22_an_integer_tensor_asked_for_a_gradient() {
    let rec = ComputationRecord::new();
    let plain = GradOptions::default();
    let n = NdArray::from_elements(&[1_i64, 2]);
    let (n, place) = (rec.tensor_from_value(n), here());
    let text = |op: &str, label: &str, dtype: &str, place: &str| {
        format!(
            "{op}: {label} holds {dtype}, which has no gradient\n  \
             {label} recorded at {place}\n\
             hint: cast with .astype to f32 or f64 first"
        )
    };
    let (loss, at_loss) = ((n * n).sum(), here());
    let loss_text = text("grad", "#2 sum", "i64", &at_loss);
    refused(&rec, Kind::DType, &loss_text, || loss.try_grad(&plain), || loss.grad());
    let grad = (n * 0.5).sum().grad();
    let n_text = text("wrt", "#0 tensor", "i64", &place);
    refused(&rec, Kind::DType, &n_text, || grad.try_wrt(&n), || grad.wrt(&n));
    let (flag, place) = (n.greater(1), here());
    let text = text("grad", &format!("#{} greater", flag.index()), "bool", &place);
    let single = flag.get(&[Index::At(0)]);
    assert_eq!(single.try_grad(&plain).unwrap_err().kind(), Kind::DType);
    let wrt = [flag];
    let options = GradOptions { wrt: Some(&wrt), ..plain };
    let real = (n * 0.5).sum();
    refused(
        &rec,
        Kind::DType,
        &text,
        || real.try_grad(&options),
        || real.grad_with(&options),
    );
}

#[test]
fn fault_23_two_element_types_meet_in_the_wider_one() {
    let rec = ComputationRecord::new();
    let narrow = rec.tensor_from_value(NdArray::from_slice(&[0.1]));
    let wide = rec.tensor_from_value(NdArray::from_elements(&[0.2_f64]));
    for sum in [narrow + wide, wide + narrow] {
        assert_eq!(sum.dtype(), DType::F64);
        assert_eq!(sum.data().to_vec::<f64>(), [f64::from(0.1_f32) + 0.2]);
    }
    assert_eq!(narrow.matmul(&wide).dtype(), DType::F64);
    assert_eq!(concatenate(&[narrow, wide], 0).dtype(), DType::F64);
}

#[test]
fn fault_24_an_index_out_of_range() {
    let rec = ComputationRecord::new();
    let (x, at_x) = (zeros(&rec, &[3, 4]), here());
    for (axis, value) in [(0, 3), (0, -4), (1, 4), (1, -5)] {
        let mut index = vec![Index::At(0), Index::At(0)];
        index[axis] = Index::At(value);
        let size = 3 + axis;
        let text = format!(
            "index: index {value} at axis {axis} is out of range for size {size}\n  \
             #0 constant recorded at {at_x}"
        );
        refused(&rec, Kind::OutOfRange, &text, || x.try_get(&index), || x.get(&index));
    }

    let rows = NdArray::try_from_elements(&[0_i64, -3, 2, 3], &[2, 2]).unwrap();
    let (k, at_k) = (rec.constant(rows.clone()), here());
    let text = |op: &str, fault: &str, label: &str| {
        format!(
            "{op}: index {fault} is out of range for size 3\n  \
             #0 constant recorded at {at_x}, {label} constant at {at_k}"
        )
    };
    let label = format!("#{}", k.index());
    let taken = text("index", "3 at (1, 1)", &label);
    refused(&rec, Kind::OutOfRange, &taken, || x.try_take(&k), || x.take(&k));
    let index = [Index::Array(rows)];
    let error = x.try_get(&index).unwrap_err();
    assert!(error.to_string().starts_with("index: index 3 at (1, 1)"), "{error}");
    let len = rec.len();
    let (message, _) = panic_of(|| x.get(&index));
    assert_eq!(message.lines().next(), error.to_string().lines().next());
    assert_eq!(rec.len(), len, "the constant of positions is taken back");

    let (scores, at_x) = (zeros(&rec, &[2, 3]), here());
    for label in [-4, 3] {
        let labels = NdArray::from_elements(&[0, label]);
        let (labels, at_labels) = (rec.constant(labels), here());
        let text = format!(
            "softmax_cross_entropy: index {label} at (1,) is out of range for size 3\n  \
             #{} constant recorded at {at_x}, #{} constant at {at_labels}",
            scores.index(),
            labels.index()
        );
        refused(
            &rec,
            Kind::OutOfRange,
            &text,
            || scores.try_softmax_cross_entropy(&labels),
            || scores.softmax_cross_entropy(&labels),
        );
    }
}

#[test]
fn fault_27_an_array_read_from_a_record_keeps_its_values() {
    let mut rec = ComputationRecord::new();
    let elements: Vec<f64> = (0..5000).map(f64::from).collect();
    let x = rec.tensor_from_value(NdArray::from_elements(&elements));
    let (whole, view) = ((x * 1.0).data(), (x * 1.0).reshape(&[50, -1]).t().data());
    for _ in 0..100 {
        let _ = x * 0.0;
    }
    rec.clear();
    for _ in 0..10 {
        let _ = rec.ones(&[5000], DType::F64) * 0.0;
    }
    drop(rec);
    assert_eq!(whole.to_vec::<f64>(), elements);
    assert_eq!(view.as_array::<f64>()[[99, 49]], 4999.0);
}

#[test]
fn fault_28_the_source_of_a_tensor_is_changed() {
    for len in [4, 4000] {
        let rec = ComputationRecord::new();
        let mut source = NdArray::from_elements(&vec![1.0_f64; len]);
        let (x, c) =
            (rec.tensor_from_value(source.clone()), rec.constant(source.clone()));
        let y = x * c;
        source.as_mut_slice::<f64>()[0] = 7.0;
        let mut read = x.data();
        read.as_mut_slice::<f64>()[1] = 9.0;
        assert_eq!((x.sum() + c.sum() + y.sum()).item(), 3.0 * len as f64);
        assert_eq!(y.sum().grad().wrt(&x).data().to_vec::<f64>(), vec![1.0; len]);
    }
}

#[test]
fn fault_51_a_sweep_that_reaches_an_unrecorded_gradient() {
    let rec = ComputationRecord::new();
    let x = rec.tensor_from_value(array(&[], &[3.0]));
    let grad = x.power(3).grad();
    let (slope, place) = (grad.wrt(&x), here());
    let (loss, both) = (slope.square(), slope.square() + x);
    let label = format!("#{} gradient", slope.index());
    let text = format!(
        "grad: the sweep reached {label}, a gradient that was taken without record=True\n  \
         {label} recorded at {place}\n\
         hint: take that gradient with grad(record=True), or stop_gradient it"
    );
    for record in [false, true] {
        let options = GradOptions { record, ..GradOptions::default() };
        refused(
            &rec,
            Kind::Gradient,
            &text,
            || loss.try_grad(&options),
            || loss.grad_with(&options),
        );
        let targets = [x];
        let options = GradOptions { wrt: Some(&targets), ..options };
        refused(
            &rec,
            Kind::Gradient,
            &text,
            || both.try_grad(&options),
            || both.grad_with(&options),
        );
    }
    let silenced = slope.stop_gradient().square() * x;
    assert_eq!(silenced.grad().wrt(&x).item(), 27.0_f64.powi(2));
    let options = GradOptions { record: true, ..GradOptions::default() };
    let recorded = x.power(3).grad_with(&options).wrt(&x);
    assert_eq!(recorded.grad().wrt(&x).item(), 18.0);
    // It may be asked for itself, but not beside what may lie behind it.
    let asked = [slope];
    let options = GradOptions { wrt: Some(&asked), ..GradOptions::default() };
    assert_eq!(loss.grad_with(&options).wrt(&slope).item(), 2.0 * 27.0);
    let asked = [slope, x];
    let options = GradOptions { wrt: Some(&asked), ..options };
    let text = format!(
        "grad: #0 tensor may lie behind {label}, a gradient that was taken without \
         record=True\n  {label} recorded at {place}\n\
         hint: take that gradient with grad(record=True), or ask for it alone"
    );
    refused(
        &rec,
        Kind::Gradient,
        &text,
        || both.try_grad(&options),
        || both.grad_with(&options),
    );
    // It is no obstacle to a sweep that does not reach it.
    assert_eq!((x * 2.0).grad().wrt(&x).item(), 2.0);
}
