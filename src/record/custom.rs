//! Ops that users define, and the Rust face of them.

use super::check::check;
use super::handle::ComputationRecord;
use super::steps::{Answer, Nodes, OnTensors, Step};
use super::tensor::{Tensor, nodes_of};
use crate::array::NdArray;
use crate::error::{self, Error, Result};
use std::any::Any;
use std::sync::Arc;

/// An op of one's own: a value, and how its cotangent passes to its operands.
///
/// [`ComputationRecord::custom`] records a node that applies it. The rule of its
/// derivative works on arrays or on tensors. One on arrays is plain computation, and
/// cannot be differentiated again; one on tensors consists of ops of a record, and can,
/// to any order. An op may have both: the one on arrays is then used where no further
/// derivative is asked for.
///
/// ```
/// use std::sync::Arc;
/// use wengert::prelude::*;
/// use wengert::{CustomOp, RuleResult};
///
/// struct Cube;
///
/// impl CustomOp for Cube {
///     fn name(&self) -> &'static str {
///         "cube"
///     }
///     fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
///         Ok(x[0].try_as_array::<f64>()?.mapv(|x| x * x * x).into())
///     }
///     fn vjp_on_tensors<'rec>(
///         &self,
///         ct: &Tensor<'rec>,
///         _: &Tensor<'rec>,
///         x: &[Tensor<'rec>],
///     ) -> RuleResult<Vec<Option<Tensor<'rec>>>> {
///         Ok(vec![Some(x[0] * x[0] * 3.0 * ct)])
///     }
/// }
///
/// let rec = ComputationRecord::new();
/// let x = rec.tensor_from_value(NdArray::from_elements(&[1.0, 2.0]));
/// let y = rec.custom(Arc::new(Cube), &[x]);
/// assert_eq!(y.sum().grad().wrt(&x).data().to_vec::<f64>(), [3.0, 12.0]);
/// Cube.check(&[NdArray::from_elements(&[1.0, 2.0])], 1e-5);
/// ```
///
/// Rules may use any record, also the one whose nodes they are called for, whose lock
/// nobody holds meanwhile. What they give is checked: there is one cotangent for each
/// operand, of the operand's shape and type, or `None` where it is zero or the operand
/// holds integers.
pub trait CustomOp: Any + Send + Sync {
    /// The name that users, messages and printed records know the op by.
    fn name(&self) -> &'static str;

    /// The value at the operands.
    fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray>;

    /// The cotangents of the operands, from the cotangent of the value `y`.
    fn vjp(
        &self,
        ct: &NdArray,
        y: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        let _ = (ct, y, x);
        Err(RuleError::Missing)
    }

    /// As `vjp`, by ops on tensors of one record: the user's, if the sweep is recorded,
    /// otherwise one that is dropped after the call.
    fn vjp_on_tensors<'rec>(
        &self,
        ct: &Tensor<'rec>,
        y: &Tensor<'rec>,
        x: &[Tensor<'rec>],
    ) -> RuleResult<Vec<Option<Tensor<'rec>>>> {
        let _ = (ct, y, x);
        Err(RuleError::Missing)
    }

    /// The tangent of the value `y`, of its shape and type, from those of the operands;
    /// that of an operand of integers is `None`. Sweeps need no such rule: it is what
    /// `check` compares.
    fn jvp(
        &self,
        t: &[Option<NdArray>],
        y: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<NdArray> {
        let _ = (t, y, x);
        Err(RuleError::Missing)
    }

    /// Compares every rule that the op has with differences of its values, at some
    /// operands.
    ///
    /// Floats are computed in `f64`; the directions are always the same random ones.
    /// `rtol` is what a rule's result may be wrong by, compared with the sum of the
    /// magnitudes of its terms: 1e-5 finds mistakes and forgives rounding. Choose no
    /// operand nearer than a thousandth to a kink or to the end of its domain.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::{CustomOp, RuleResult};
    ///
    /// struct Double;
    ///
    /// impl CustomOp for Double {
    ///     fn name(&self) -> &'static str {
    ///         "double"
    ///     }
    ///     fn forward(&self, x: &[NdArray]) -> RuleResult<NdArray> {
    ///         Ok(x[0].try_as_array::<f64>()?.mapv(|x| 2.0 * x).into())
    ///     }
    ///     fn jvp(
    ///         &self,
    ///         t: &[Option<NdArray>],
    ///         _: &NdArray,
    ///         _: &[NdArray],
    ///     ) -> RuleResult<NdArray> {
    ///         let t = t[0].as_ref().expect("the operand holds floats");
    ///         Ok(t.try_as_array::<f64>()?.mapv(|t| 3.0 * t).into())
    ///     }
    /// }
    ///
    /// let error = Double.try_check(&[NdArray::from_elements(&[1.0])], 1e-5).unwrap_err();
    /// assert!(error.to_string().starts_with("double.jvp: "));
    /// ```
    ///
    /// # Panics
    /// If a rule is wrong or fails, the op has none, or no operand holds a float.
    #[track_caller]
    fn check(&self, x: &[NdArray], rtol: f64)
    where
        Self: Sized,
    {
        error::expect(self.try_check(x, rtol));
    }

    /// As `check`; the error says which rule is wrong, and for which operand.
    fn try_check(&self, x: &[NdArray], rtol: f64) -> Result<()>
    where
        Self: Sized,
    {
        check(self, &InRust(&ComputationRecord::new()), x, rtol)
    }
}

/// What a rule of a [`CustomOp`] gives.
pub type RuleResult<T> = std::result::Result<T, RuleError>;

/// Why a rule gave nothing. Any error becomes one by `?`.
#[derive(Debug)]
#[non_exhaustive]
pub enum RuleError {
    /// The op has no such rule.
    Missing,
    /// The rule failed. The call that needed it fails with this error.
    Raised(Box<dyn std::error::Error + Send + Sync>),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for RuleError {
    fn from(error: E) -> Self {
        RuleError::Raised(Box::new(error))
    }
}

/// Calls rules on the tensors of Rust.
struct InRust<'a>(&'a ComputationRecord);

impl OnTensors for InRust<'_> {
    fn recorded(
        &self,
        op: &dyn CustomOp,
        nodes: &Nodes,
    ) -> RuleResult<Vec<Option<(u64, u32)>>> {
        let record = self.0;
        let tensor = |node: u32| Tensor::new(record, node);
        let x: Vec<Tensor<'_>> = nodes.x.iter().copied().map(tensor).collect();
        let given = op.vjp_on_tensors(&tensor(nodes.ct), &tensor(nodes.y), &x)?;
        let node = |x: Tensor<'_>| Ok((nodes.epoch, x.node_of(op.name(), record)?));
        given.into_iter().map(|x| x.map(node).transpose()).collect()
    }

    fn apart(
        &self,
        op: &dyn CustomOp,
        ct: &NdArray,
        y: &NdArray,
        x: &[NdArray],
    ) -> RuleResult<Vec<Option<NdArray>>> {
        let record = ComputationRecord::new();
        let constant = |name: &str, array: &NdArray| {
            record.try_constant(array.clone()).map(|tensor| tensor.named(name))
        };
        let x = x.iter().map(|x| constant("x", x)).collect::<Result<Vec<_>>>()?;
        let given = op.vjp_on_tensors(&constant("ct", ct)?, &constant("y", y)?, &x)?;
        let value = |x: Tensor<'_>| {
            x.node_of(op.name(), &record)?;
            Ok(x.try_data()?)
        };
        given.into_iter().map(|x| x.map(value).transpose()).collect()
    }
}

impl ComputationRecord {
    /// Records an op of the user's: see [`CustomOp`].
    ///
    /// # Panics
    /// If there are no operands, one belongs to another record, or the op fails.
    #[track_caller]
    pub fn custom<'rec>(
        &'rec self,
        op: Arc<dyn CustomOp>,
        x: &[Tensor<'rec>],
    ) -> Tensor<'rec> {
        error::expect(self.try_custom(op, x))
    }

    /// As `custom`; an error records nothing.
    #[track_caller]
    pub fn try_custom<'rec>(
        &'rec self,
        op: Arc<dyn CustomOp>,
        x: &[Tensor<'rec>],
    ) -> Result<Tensor<'rec>> {
        for tensor in x {
            tensor.node_of(op.name(), self)?;
        }
        let (_, nodes) = nodes_of(op.name(), x)?;
        let operands = nodes.into_iter().map(super::CustomOperand::Node).collect();
        let step = self.run(|arena, site| arena.begin_custom(op, operands, site))?;
        self.finish(step).map(|node| Tensor::new(self, node))
    }

    /// Goes on with work until it is done. The record is free while rules are called.
    pub(crate) fn finish<T: 'static>(&self, mut step: Step<T>) -> Result<T> {
        loop {
            let waits = match step {
                Step::Done(done) => return Ok(done),
                Step::Waits(waits) => waits,
            };
            let answer: Result<Answer, Error> = waits.call.answer(&InRust(self));
            step = self.run_on(|arena| waits.go_on(arena, answer))?;
        }
    }
}
