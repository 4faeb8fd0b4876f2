//! The Rust face of gradients.

use super::gradient::{Asked, Gradient, Request};
use crate::array::NdArray;
use crate::error::{self, Error, Fault, Result};
use crate::record::{Arena, ComputationRecord, Tensor, nodes_of};
use std::cell::RefCell;
use std::fmt;

/// How a gradient is taken, beyond the default: see [`Tensor::grad_with`].
#[derive(Clone, Copy, Default, Debug)]
pub struct GradOptions<'a, 'rec> {
    /// The cotangent of the tensor, of its shape. Needed unless it has one element.
    pub seed: Option<&'a NdArray>,
    /// Compute and keep the cotangents of exactly these tensors. Among them may be a
    /// gradient that was not recorded: the sweep ends there, and is an error if an earlier
    /// tensor is asked for that may lie behind it.
    pub wrt: Option<&'a [Tensor<'rec>]>,
    /// Record the sweep, so that its results can be differentiated again.
    pub record: bool,
    /// Let a zero cotangent meet an infinite slope as IEEE 754 says, which gives NaN.
    pub ieee: bool,
    /// Free each value after the sweep has used it, so that less memory is needed at
    /// once. What was computed from leaves is then gone, except the tensor's own value:
    /// an error for its value, an op on it, or another sweep over it, until the record
    /// is cleared or rewound below it. A sweep that fails has consumed too.
    pub consume: bool,
}

/// The gradient of a tensor: the cotangent of every leaf that it depends on, and of any
/// other tensor on demand.
pub struct Grad<'rec> {
    record: &'rec ComputationRecord,
    gradient: RefCell<Gradient>,
}

impl<'rec> Tensor<'rec> {
    /// Sweeps back from this tensor, which has one element, to the leaves.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// let rec = ComputationRecord::new();
    /// let x = rec.tensor_from_value(NdArray::from_slice(&[1.0, 2.0]));
    /// let grad = (x * x).sum().grad();
    /// assert_eq!(grad.wrt(&x).data().to_vec::<f32>(), [2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the tensor has several elements or holds integers, or if the sweep reaches a
    /// gradient that was not recorded.
    #[track_caller]
    pub fn grad(&self) -> Grad<'rec> {
        error::expect(self.try_grad(&GradOptions::default()))
    }

    /// As `grad`, with a seed, chosen targets, recorded, or by IEEE 754.
    #[track_caller]
    pub fn grad_with(&self, options: &GradOptions<'_, 'rec>) -> Grad<'rec> {
        error::expect(self.try_grad(options))
    }

    /// As `grad_with`; an error records nothing.
    #[track_caller]
    pub fn try_grad(&self, options: &GradOptions<'_, 'rec>) -> Result<Grad<'rec>> {
        let record = self.record();
        let targets = match options.wrt {
            Some(wrt) => {
                let nodes = wrt.iter().map(|x| x.node_of("grad", record));
                Some(nodes.collect::<Result<Vec<u32>>>()?)
            }
            None => None,
        };
        let request = Request {
            seed: options.seed.cloned(),
            targets,
            record: options.record,
            ieee: options.ieee,
            consume: options.consume,
        };
        let loss = self.node_of("grad", record)?;
        let gradient =
            record.run(|arena, site| Gradient::new(arena, loss, request, site))?;
        let gradient = record.finish(gradient)?;
        Ok(Grad { record, gradient: RefCell::new(gradient) })
    }
}

impl<'rec> Grad<'rec> {
    /// The cotangent of a tensor, as a tensor of the record; zeros if no path leads to
    /// it. Asked again, it gives the same tensor.
    ///
    /// # Panics
    /// If the tensor belongs to another record, holds integers, or was not among the
    /// targets that were chosen.
    #[track_caller]
    pub fn wrt(&self, tensor: &Tensor<'rec>) -> Tensor<'rec> {
        error::expect(self.try_wrt(tensor))
    }

    /// As `wrt`; an error records nothing.
    #[track_caller]
    pub fn try_wrt(&self, tensor: &Tensor<'rec>) -> Result<Tensor<'rec>> {
        let node = tensor.node_of("wrt", self.record)?;
        let node =
            self.ask(|gradient, arena, site| gradient.wrt_one(arena, node, site))?;
        Ok(Tensor::new(self.record, node))
    }

    /// Asks the gradient again and again, until it needs no further sweep.
    #[track_caller]
    fn ask<T>(
        &self,
        mut question: impl FnMut(&mut Gradient, &mut Arena, u32) -> Result<Asked<T>>,
    ) -> Result<T> {
        loop {
            let mut gradient = self.gradient.borrow_mut();
            let asked =
                self.record.run(|arena, site| question(&mut gradient, arena, site))?;
            drop(gradient);
            match asked {
                Asked::Known(answer) => return Ok(answer),
                Asked::After(sweep) => {
                    let found = self.record.finish(sweep)?;
                    self.gradient.borrow_mut().add(found);
                }
            }
        }
    }

    /// The value that lies a step of gradient descent down from a tensor's. It is not
    /// recorded.
    #[track_caller]
    pub(crate) fn try_descend(
        &self,
        tensor: &Tensor<'rec>,
        rate: f64,
    ) -> Result<NdArray> {
        let node = tensor.node_of("optimize", self.record)?;
        self.ask(|gradient, arena, site| gradient.descend_one(arena, node, rate, site))
    }

    /// As `wrt`, but a tensor that no path leads to is a fault that says where the paths
    /// end, such as at a `stop_gradient`.
    ///
    /// # Panics
    /// If no path leads to the tensor, and where `wrt` does.
    #[track_caller]
    pub fn wrt_strict(&self, tensor: &Tensor<'rec>) -> Tensor<'rec> {
        error::expect(self.try_wrt_strict(tensor))
    }

    /// As `wrt_strict`; an error records nothing.
    #[track_caller]
    pub fn try_wrt_strict(&self, tensor: &Tensor<'rec>) -> Result<Tensor<'rec>> {
        let node = tensor.node_of("wrt", self.record)?;
        self.record
            .run(|arena, _| self.gradient.borrow().expect_connected(arena, &[node]))?;
        self.try_wrt(tensor)
    }

    /// The cotangents of several tensors, by at most one more sweep.
    #[track_caller]
    pub fn wrt_all(&self, tensors: &[Tensor<'rec>]) -> Vec<Tensor<'rec>> {
        error::expect(self.try_wrt_all(tensors))
    }

    /// As `wrt_all`; an error records nothing.
    #[track_caller]
    pub fn try_wrt_all(&self, tensors: &[Tensor<'rec>]) -> Result<Vec<Tensor<'rec>>> {
        if tensors.is_empty() {
            return Ok(Vec::new());
        }
        for tensor in tensors {
            tensor.node_of("wrt", self.record)?;
        }
        let (record, nodes) = nodes_of("wrt", tensors)?;
        let found =
            self.ask(|gradient, arena, site| gradient.wrt(arena, &nodes, site))?;
        let tensor = |node: u32| record.tensor(node as usize);
        Ok(found.into_iter().filter_map(tensor).collect())
    }

    /// The cotangents of all nodes that take part, for a view of the whole record.
    pub(crate) fn cotangents(
        &self,
        op: &'static str,
        record: &ComputationRecord,
    ) -> Result<Vec<(u32, NdArray)>> {
        let loss = self.gradient.borrow().loss();
        if !std::ptr::eq(self.record, record) {
            let label = format!("the gradient of #{loss}");
            let (home, other) = (self.record.id(), record.id());
            return Err(Error::new(Fault::Foreign { op, label, home, other }));
        }
        let found =
            record.run(|arena, _| self.gradient.borrow().cotangents(arena, op))?;
        record.finish(found)
    }

    /// Whether a path leads from the differentiated tensor to this one.
    ///
    /// # Panics
    /// If the tensor belongs to another record.
    #[track_caller]
    pub fn connected(&self, tensor: &Tensor<'rec>) -> bool {
        error::expect(self.try_connected(tensor))
    }

    /// As `connected`, with an error for a tensor of another record.
    #[track_caller]
    pub fn try_connected(&self, tensor: &Tensor<'rec>) -> Result<bool> {
        let node = tensor.node_of("connected", self.record)?;
        self.record.run(|arena, _| self.gradient.borrow().connected(arena, node))
    }
}

impl fmt::Debug for Grad<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grad of node #{}", self.gradient.borrow().loss())
    }
}
