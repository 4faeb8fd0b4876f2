//! The seed's program and the names that it uses.

use std::collections::{BTreeMap, HashMap};
use wengert::prelude::*;

/// A seed with which the layer's three outputs stay positive.
const SEED: u64 = 16;

fn input(rec: &ComputationRecord) -> Tensor<'_> {
    let mut data = NdArray::from_slice(&[1., 2., 3.]);
    data.reshape(&[1, 3]);
    rec.tensor_from_value(data)
}

#[test]
fn each_step_lowers_the_loss_by_0_42() {
    let mut store: HashMap<String, NdArray> = HashMap::new();
    let rng = Rng::new(SEED);
    let mut losses = Vec::new();
    for _ in 0..5 {
        let rec: ComputationRecord<NdArray> = ComputationRecord::with_rng(&rng);
        let mut linear = LinearLayer::new(&rec, 3, 3, &store);
        let output = linear.forward(&input(&rec));
        let activated = relu(&output);
        let loss = sum(&activated);
        assert_eq!((loss.shape(), loss.dtype()), (vec![1], DType::F32));
        let grad = loss.grad();
        let relu_grad = grad.wrt(&output).data();
        assert_eq!(relu_grad.to_vec::<f32>(), [1.0; 3], "Rng::new({SEED})");
        linear.optimize(grad, &mut store);
        losses.push(loss.item());
    }
    for pair in losses.windows(2) {
        assert!((pair[0] - pair[1] - 0.42).abs() < 1e-5, "{losses:?}");
    }
}

#[test]
fn arrays_print_as_the_seed_prints_them() {
    let rec = ComputationRecord::new();
    let x = input(&rec);
    assert_eq!(
        format!("{:?}", sum(&relu(&x)).data()),
        "NdArray([6.0], shape=[1], strides=[1], layout=C | F (0x3), dynamic ndim=1)"
    );
    let grad = sum(&relu(&x)).grad();
    assert_eq!(
        format!("{:?}", grad.wrt(&x).data()),
        "NdArray([[1.0, 1.0, 1.0]], shape=[1, 3], strides=[3, 1], \
         layout=C (0x1), dynamic ndim=2)"
    );
}

#[test]
fn the_names_of_the_seed_exist_by_every_path() {
    use wengert::functions;
    let rec = ComputationRecord::<NdArray>::new();
    assert_eq!(ComputationRecord::default().len(), 0);
    let x = rec.tensor_from_value(ndarray::array![[1.0_f64, -2.0]].into_dyn());
    assert_eq!(functions::sum(&functions::relu(&x)).data().to_vec::<f64>(), [1.0]);
    assert_eq!(x.relu().sum().shape(), [] as [usize; 0]);
    assert_eq!(x.data().as_array::<f64>().shape(), [1, 2]);
    let mut store = BTreeMap::new();
    let mut layer = LinearLayer::new(&rec, 2, 1, &store);
    let grad = layer.forward(&x.cast(DType::F32)).sum().grad();
    layer.optimize(&grad, &mut store);
    layer.optimize(grad, &mut store);
    assert_eq!(store.keys().collect::<Vec<_>>(), ["linear0.weight"]);
}

#[test]
fn the_design_problem_is_solved() {
    let mut x = NdArray::from_slice(&[2.0]);
    let y = NdArray::from_slice(&[3.0]);
    let rec = ComputationRecord::new();
    let mut products = Vec::new();
    for wanted in [1.7, 1.4] {
        let leaf = rec.tensor_from_value(x.clone());
        let z = leaf * rec.tensor_from_value(y.clone());
        let gradient = z.grad().wrt(&leaf).data();
        assert_eq!(gradient.to_vec::<f32>(), [3.0]);
        x = wengert::descend(&x, &gradient, 0.1).unwrap();
        assert!((x.to_vec::<f32>()[0] - wanted).abs() < 1e-6);
        products.push(z);
    }
    assert_eq!(products[0].item(), 6.0);
    assert!((products[1].item() - 5.1).abs() < 1e-6);
}
