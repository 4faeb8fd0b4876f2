//! The chain in the words of each library.

use crate::LINKS;
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use candle_core::{Device, Var};
use wengert::{ComputationRecord, NdArray};

/// The chain with its leaves, ready to be run.
pub trait Chain {
    const NAME: &'static str;
    type Array;

    /// Runs forward and backward: the gradients of the sum of the last link.
    fn sweep(&mut self) -> [Self::Array; 3];
    fn read(array: Self::Array) -> Vec<f32>;
}

/// One record, used again and again.
pub struct Wengert {
    rec: ComputationRecord,
    leaves: [NdArray; 3],
}

impl Wengert {
    pub fn new(leaves: &[Vec<f32>; 3]) -> Self {
        let leaves = leaves.each_ref().map(|x| NdArray::from_slice(x));
        Wengert { rec: ComputationRecord::new(), leaves }
    }
}

impl Chain for Wengert {
    const NAME: &'static str = "wengert";
    type Array = NdArray;

    fn sweep(&mut self) -> [NdArray; 3] {
        self.rec.clear();
        let leaves = self.leaves.clone().map(|x| self.rec.tensor_from_value(x));
        let [x, w, b] = leaves;
        let mut y = x;
        for _ in 0..LINKS {
            y = (y * w + b).tanh();
        }
        let grad = y.sum().grad();
        leaves.map(|leaf| grad.wrt(&leaf).data())
    }

    fn read(array: NdArray) -> Vec<f32> {
        array.to_vec()
    }
}

pub struct Candle {
    leaves: [Var; 3],
}

impl Candle {
    pub fn new(leaves: &[Vec<f32>; 3]) -> Self {
        let leaves = leaves.each_ref().map(|x| {
            Var::from_slice(x, x.len(), &Device::Cpu).expect("the leaves are vectors")
        });
        Candle { leaves }
    }

    fn try_sweep(&self) -> candle_core::Result<[candle_core::Tensor; 3]> {
        let [x, w, b] = self.leaves.each_ref().map(Var::as_tensor);
        let mut y = x.clone();
        for _ in 0..LINKS {
            y = ((&y * w)? + b)?.tanh()?;
        }
        let grads = y.sum_all()?.backward()?;
        Ok([x, w, b].map(|leaf| grads.get(leaf).expect("it is a variable").clone()))
    }
}

impl Chain for Candle {
    const NAME: &'static str = "candle";
    type Array = candle_core::Tensor;

    fn sweep(&mut self) -> [candle_core::Tensor; 3] {
        self.try_sweep().expect("the shapes are equal")
    }

    fn read(array: candle_core::Tensor) -> Vec<f32> {
        array.to_vec1().expect("it is a vector of f32")
    }
}

/// Burn, on one of its backends for the CPU.
pub struct Burn<B: Backend> {
    leaves: [Tensor<Autodiff<B>, 1>; 3],
}

/// What tells the backends apart in the report.
pub trait Named: Backend {
    const NAME: &'static str;
}

impl Named for burn::backend::NdArray {
    const NAME: &'static str = "burn-ndarray";
}

impl Named for burn::backend::Flex {
    const NAME: &'static str = "burn-flex";
}

impl<B: Named> Burn<B> {
    pub fn new(leaves: &[Vec<f32>; 3]) -> Self {
        let device = Default::default();
        let leaves = leaves.each_ref().map(|x| {
            Tensor::<Autodiff<B>, 1>::from_floats(x.as_slice(), &device).require_grad()
        });
        Burn { leaves }
    }
}

impl<B: Named> Chain for Burn<B> {
    const NAME: &'static str = B::NAME;
    type Array = Tensor<B, 1>;

    fn sweep(&mut self) -> [Tensor<B, 1>; 3] {
        let [x, w, b] = &self.leaves;
        let mut y = x.clone();
        for _ in 0..LINKS {
            y = (y * w.clone() + b.clone()).tanh();
        }
        let grads = y.sum().backward();
        [x, w, b].map(|leaf| leaf.grad(&grads).expect("it is a leaf"))
    }

    fn read(array: Tensor<B, 1>) -> Vec<f32> {
        array.into_data().to_vec().expect("it holds f32")
    }
}
