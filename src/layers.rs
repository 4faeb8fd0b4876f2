//! The seed's layers: parameters live in a store and are read into each record.

use crate::array::NdArray;
use crate::diff::Grad;
use crate::dtype::DType;
use crate::error::{self, Error, Fault, Result};
use crate::ops::affine::Activation;
use crate::record::{ComputationRecord, Tensor};
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::Arc;

/// Where parameters live between records: a map from names to arrays.
pub trait ParameterStore {
    /// The parameter of this name.
    fn parameter(&self, name: &str) -> Option<&NdArray>;
    /// Replaces or adds a parameter.
    fn set_parameter(&mut self, name: &str, value: NdArray);
}

macro_rules! maps_are_stores {
    ($([$($generics:tt)*] $Map:ty;)*) => { $(
        impl<$($generics)*> ParameterStore for $Map {
            fn parameter(&self, name: &str) -> Option<&NdArray> {
                self.get(name)
            }

            // A known name is not allocated again.
            fn set_parameter(&mut self, name: &str, value: NdArray) {
                match self.get_mut(name) {
                    Some(known) => *known = value,
                    None => {
                        self.insert(name.to_owned(), value);
                    }
                }
            }
        }
    )* };
}
maps_are_stores! {
    [S: BuildHasher] HashMap<String, NdArray, S>;
    [] BTreeMap<String, NdArray>;
}

/// `x @ weight`, and `+ bias` if there is one.
///
/// A layer is made for each record: it reads its parameters from the store, or draws
/// them from the record's random numbers if they are not there, and
/// [`LinearLayer::optimize`] writes them back. Weights are of `f32`, drawn uniformly from
/// ±√(6 / (inputs + outputs)) (Glorot and Bengio, 2010); a bias starts at 0.
#[derive(Debug)]
pub struct LinearLayer<'rec> {
    name: Arc<str>,
    outputs: usize,
    weight: Parameter<'rec>,
    bias: Option<Parameter<'rec>>,
    activation: Option<Activation>,
    rate: f64,
}

/// A leaf of the record, and its name in the store.
#[derive(Debug)]
struct Parameter<'rec> {
    name: Arc<str>,
    tensor: Tensor<'rec>,
}

impl<'rec> Parameter<'rec> {
    /// Reads the parameter from the store, or makes a new one.
    #[track_caller]
    fn try_read(
        record: &'rec ComputationRecord,
        name: Arc<str>,
        shape: &[usize],
        store: &impl ParameterStore,
        new: impl FnOnce() -> Result<NdArray>,
    ) -> Result<Self> {
        let value = match store.parameter(&name) {
            Some(known) if known.shape() == shape => known.clone(),
            Some(known) => {
                return Err(Error::new(Fault::ParameterShape {
                    op: "LinearLayer",
                    name: name.to_string(),
                    found: known.shape().to_vec(),
                    wanted: shape.to_vec(),
                }));
            }
            None => new()?,
        };
        let tensor = record.try_named_source(&name, &value)?;
        Ok(Parameter { name, tensor })
    }
}

impl<'rec> LinearLayer<'rec> {
    /// A layer named `linear0`, `linear1` ... by order of creation in the record.
    ///
    /// # Panics
    /// If a parameter in the store has another shape.
    #[track_caller]
    pub fn new(
        record: &'rec ComputationRecord,
        inputs: usize,
        outputs: usize,
        store: &impl ParameterStore,
    ) -> Self {
        error::expect(LinearLayer::try_new(record, inputs, outputs, store))
    }

    /// As `new`; an error records nothing, and leaves the number to the next layer.
    #[track_caller]
    pub fn try_new(
        record: &'rec ComputationRecord,
        inputs: usize,
        outputs: usize,
        store: &impl ParameterStore,
    ) -> Result<Self> {
        let name = record.name(format_args!("linear{}", record.layers()));
        let layer = LinearLayer::try_named(record, &name, inputs, outputs, store)?;
        record.count_layer();
        Ok(layer)
    }

    /// A layer whose parameters are `NAME.weight` and `NAME.bias`.
    ///
    /// # Panics
    /// If a parameter in the store has another shape.
    #[track_caller]
    pub fn named(
        record: &'rec ComputationRecord,
        name: &str,
        inputs: usize,
        outputs: usize,
        store: &impl ParameterStore,
    ) -> Self {
        error::expect(LinearLayer::try_named(record, name, inputs, outputs, store))
    }

    /// As `named`; an error records nothing.
    #[track_caller]
    pub fn try_named(
        record: &'rec ComputationRecord,
        name: &str,
        inputs: usize,
        outputs: usize,
        store: &impl ParameterStore,
    ) -> Result<Self> {
        let bound = (6.0 / (inputs as f64 + outputs as f64)).sqrt();
        let shape = [inputs, outputs];
        let draw = || record.rng().try_uniform(&shape, -bound, bound, DType::F32);
        let key = record.name(format_args!("{name}.weight"));
        let weight = Parameter::try_read(record, key, &shape, store, draw)?;
        let name = record.name(format_args!("{name}"));
        Ok(LinearLayer {
            name,
            outputs,
            weight,
            bias: None,
            activation: None,
            rate: 0.01,
        })
    }

    /// The layer with a bias.
    ///
    /// # Panics
    /// If the bias in the store has another shape.
    #[must_use]
    #[track_caller]
    pub fn with_bias(self, store: &impl ParameterStore) -> Self {
        error::expect(self.try_with_bias(store))
    }

    /// As `with_bias`; an error records nothing more.
    #[track_caller]
    pub fn try_with_bias(mut self, store: &impl ParameterStore) -> Result<Self> {
        let (record, shape) = (self.weight.tensor.record(), [self.outputs]);
        let zeros = || NdArray::zeros(&shape, DType::F32);
        let key = record.name(format_args!("{}.bias", self.name));
        self.bias = Some(Parameter::try_read(record, key, &shape, store, zeros)?);
        Ok(self)
    }

    /// The layer with another rate of descent than 0.01.
    #[must_use]
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// The layer, ending with an activation. With a bias that takes no op of its own.
    #[must_use]
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = Some(activation);
        self
    }

    /// Applies the layer to rows of inputs.
    ///
    /// # Panics
    /// If the last axis of `x` is not of the layer's number of inputs.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<'rec>) -> Tensor<'rec> {
        error::expect(self.try_forward(x))
    }

    /// As `forward`, with an error for inputs that do not fit.
    #[track_caller]
    pub fn try_forward(&self, x: &Tensor<'rec>) -> Result<Tensor<'rec>> {
        let bias = self.bias.as_ref().map(|bias| &bias.tensor);
        x.try_linear(&self.weight.tensor, bias, self.activation)
    }

    /// Steps each parameter down its gradient and writes it to the store.
    ///
    /// # Panics
    /// If the gradient belongs to another record.
    #[track_caller]
    pub fn optimize(
        &mut self,
        grad: impl Borrow<Grad<'rec>>,
        store: &mut impl ParameterStore,
    ) {
        error::expect(self.try_optimize(grad, store));
    }

    /// As `optimize`; an error leaves the store as it was.
    #[track_caller]
    pub fn try_optimize(
        &mut self,
        grad: impl Borrow<Grad<'rec>>,
        store: &mut impl ParameterStore,
    ) -> Result<()> {
        let step = |parameter: &Parameter<'rec>| {
            grad.borrow().try_descend(&parameter.tensor, self.rate)
        };
        let weight = step(&self.weight)?;
        let bias = self.bias.as_ref().map(step).transpose()?;
        store.set_parameter(&self.weight.name, weight);
        if let (Some(parameter), Some(value)) = (&self.bias, bias) {
            store.set_parameter(&parameter.name, value);
        }
        Ok(())
    }
}

/// `parameter - rate * gradient`, in the parameter's type: a step of gradient descent.
///
/// # Errors
/// If the shapes or element types differ, or memory cannot be had.
pub fn descend(parameter: &NdArray, gradient: &NdArray, rate: f64) -> Result<NdArray> {
    crate::kernels::map::descend(parameter.view(), gradient.view(), rate)
}

/// Rectifier, `max(x, 0)`, elementwise.
#[track_caller]
pub fn relu<'rec>(x: &Tensor<'rec>) -> Tensor<'rec> {
    error::expect(try_relu(x))
}

/// As `relu`; an error records nothing.
#[track_caller]
pub fn try_relu<'rec>(x: &Tensor<'rec>) -> Result<Tensor<'rec>> {
    x.try_relu()
}

/// Sum of all elements, of shape `[1]`.
#[track_caller]
pub fn sum<'rec>(x: &Tensor<'rec>) -> Tensor<'rec> {
    error::expect(try_sum(x))
}

/// As `sum`, with an error if memory cannot be had.
#[track_caller]
pub fn try_sum<'rec>(x: &Tensor<'rec>) -> Result<Tensor<'rec>> {
    x.try_sum()?.try_reshape(&[1])
}
