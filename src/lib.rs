//! Reverse-mode automatic differentiation on a record that you own.
//!
//! A [`ComputationRecord`] holds every value of a computation. A [`Tensor`] is a position
//! in it. A [`Grad`] is a value that a sweep over the record returns. Parameters live
//! outside, in a [`ParameterStore`], and are read into each record.
//!
//! ```
//! use std::collections::HashMap;
//! use wengert::prelude::*;
//!
//! pub fn main() {
//!     // Tensors only exist inside a graph, so here we store the Tensor data itself
//!     let mut parameter_store: HashMap<String, NdArray> = HashMap::new();
//!
//!     for _i in 0..5 {
//!         // Where all the data to compute the gradients is stored
//!         let rec: ComputationRecord<NdArray> = ComputationRecord::new();
//!         // Here we create a linear layer with 3 input neurons and 3 output neurons.
//!         // This layer loads its parameters from the parameter_store or initializes them
//!         // randomly if they are not found there. In the future we will also pass an ID
//!         // to identify the layer uniquely along with its parameters, but for now its just
//!         // a PoC.
//!         let mut linear = LinearLayer::new(&rec, 3, 3, &parameter_store);
//!
//!         // Create input data
//!         let mut data = NdArray::from_slice(&[1., 2., 3.]); // [3]
//!         data.reshape(&[1, 3]); // [1x3]
//!
//!         // Create a tensor in the graph using this data
//!         let input = rec.tensor_from_value(data);
//!
//!         // Run the input through the linear layer
//!         let linear_layer_output = linear.forward(&input);
//!         // Apply a relu
//!         let relu_output = relu(&linear_layer_output);
//!         // Sum all elements reducing them to shape [1]
//!         let loss = sum(&relu_output);
//!         println!("Loss: {:?}", loss.data());
//!
//!         // get all the gradient from the loss tensor backwards
//!         let grad = loss.grad();
//!         let relu_grad = grad.wrt(&linear_layer_output);
//!         println!("Relu grad: {:?}", relu_grad.data());
//!         println!();
//!         // Optimize the linear layer in order to minimize the loss
//!         linear.optimize(grad, &mut parameter_store);
//!     }
//! }
//! ```

mod array;
mod diff;
mod dtype;
mod emit;
mod error;
mod kernels;
mod layers;
mod ops;
#[cfg(feature = "python")]
mod python;
mod record;
mod rng;
mod shape;
mod stop;
#[cfg(test)]
mod tests;

pub use array::{NdArray, pool_bytes, pool_limit, release_pool, set_pool_limit};
pub use diff::{Grad, GradOptions};
pub use dtype::{DType, Element, Scalar};
pub use error::{Error, Event, Fault, Kind, Result, Subscripts};
pub use kernels::simd::{Isa, isa};
pub use kernels::threads::{num_threads, set_num_threads};
pub use layers::{LinearLayer, ParameterStore, descend};
pub use ops::affine::Activation;
pub use ops::spec::{OpInfo, op_table};
pub use record::{
    ComputationRecord, Convolution, CustomOp, Index, IntoOperand, Margins, Mark,
    NodeIndex, Pooling, Profile, ProfileEntry, Replay, RuleError, RuleResult, Tensor,
    concatenate, einsum, stack, try_concatenate, try_einsum, try_stack,
};
pub use rng::Rng;
pub use shape::MAX_AXES;

/// What the seed's program needs, by one `use`.
pub mod prelude {
    pub use crate::layers::{LinearLayer, ParameterStore, relu, sum};
    pub use crate::{
        ComputationRecord, DType, Grad, GradOptions, Index, NdArray, Rng, Tensor,
    };
}

/// The seed's functions, beside the methods of [`Tensor`].
pub mod functions {
    pub use crate::layers::{relu, sum, try_relu, try_sum};
}

/// The Rust example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Those of the guides.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide/writing_an_op.md")]
struct WritingAnOp;
