//! Work that now and then waits for a rule of the user's.
//!
//! A rule may use the record whose nodes it belongs to, raise, or take any time. So the
//! record is not in anyone's hands meanwhile: work that needs a rule ends with what is to
//! be called and how it goes on from there. In between, the record may change, and who
//! goes on finds out whether what it needs is still there.

use super::Arena;
use super::custom::{CustomOp, RuleError};
use crate::array::NdArray;
use crate::error::{Error, Fault, Result};
use std::sync::Arc;

/// Work that is done, or waits.
pub(crate) enum Step<T> {
    Done(T),
    Waits(Box<Waits<T>>),
}

/// Work that waits for a rule.
pub(crate) struct Waits<T> {
    pub(crate) call: Call,
    go_on: GoOn<T>,
}

/// How work goes on from the answer. Without one it takes back what it did, and fails.
type GoOn<T> = Box<dyn FnOnce(&mut Arena, Result<Answer>) -> Result<Step<T>> + Send>;

impl<T> Waits<T> {
    pub(crate) fn go_on(
        self,
        arena: &mut Arena,
        answer: Result<Answer>,
    ) -> Result<Step<T>> {
        (self.go_on)(arena, answer)
    }
}

impl<T: 'static> Step<T> {
    /// Work that waits for `call`.
    pub(crate) fn waits(
        call: Call,
        go_on: impl FnOnce(&mut Arena, Result<Answer>) -> Result<Step<T>> + Send + 'static,
    ) -> Self {
        Step::Waits(Box::new(Waits { call, go_on: Box::new(go_on) }))
    }

    /// The work, and `f` after it.
    pub(crate) fn then<U: 'static>(
        self,
        arena: &mut Arena,
        f: impl FnOnce(&mut Arena, T) -> Result<U> + Send + 'static,
    ) -> Result<Step<U>> {
        match self {
            Step::Done(done) => f(arena, done).map(Step::Done),
            Step::Waits(waits) => {
                let Waits { call, go_on } = *waits;
                Ok(Step::waits(call, move |arena, answer| {
                    go_on(arena, answer)?.then(arena, f)
                }))
            }
        }
    }
}

/// A rule that is to be called.
pub(crate) struct Call {
    pub(crate) op: Arc<dyn CustomOp>,
    pub(crate) x: Vec<NdArray>,
    pub(crate) ask: Ask,
}

/// What is asked of an op.
pub(crate) enum Ask {
    /// Its value.
    Value,
    /// The cotangents of its operands.
    Vjp(Box<Vjp>),
}

/// What a vjp is given beside the operands.
pub(crate) struct Vjp {
    pub(crate) ct: NdArray,
    pub(crate) y: NdArray,
    /// If the result is to be recorded.
    pub(crate) nodes: Option<Nodes>,
}

/// The nodes whose values a call has.
pub(crate) struct Nodes {
    pub(crate) ct: u32,
    pub(crate) y: u32,
    pub(crate) x: Vec<u32>,
    /// The epoch in which they are alive.
    pub(crate) epoch: u64,
}

/// What a rule gave.
pub(crate) enum Answer {
    Value(NdArray),
    Arrays(Vec<Option<NdArray>>),
    /// Nodes with the epochs in which they were seen alive.
    Nodes(Vec<Option<(u64, u32)>>),
}

/// How a rule that works on tensors is called, which the languages do differently.
pub(crate) trait OnTensors {
    /// Calls it on tensors of the record.
    fn recorded(
        &self,
        op: &dyn CustomOp,
        nodes: &Nodes,
    ) -> Result<Vec<Option<(u64, u32)>>, RuleError>;

    /// Calls it on tensors of a record of its own.
    fn apart(
        &self,
        op: &dyn CustomOp,
        ct: &NdArray,
        y: &NdArray,
        x: &[NdArray],
    ) -> Result<Vec<Option<NdArray>>, RuleError>;
}

impl Call {
    /// Calls the rule. Nobody may hold a record.
    pub(crate) fn answer(&self, tensors: &impl OnTensors) -> Result<Answer> {
        let Call { op, x, ask } = self;
        match ask {
            Ask::Value => match op.forward(x) {
                Ok(value) => Ok(Answer::Value(value)),
                Err(error) => Err(raised("custom", op.name(), error)),
            },
            Ask::Vjp(vjp) => self
                .cotangents(tensors, vjp)
                .map_err(|error| raised("grad", &format!("{}.vjp", op.name()), error)),
        }
    }

    /// By the rule that does what is needed with the least work: on tensors if the
    /// result is to be differentiated, otherwise on arrays.
    fn cotangents(
        &self,
        tensors: &impl OnTensors,
        Vjp { ct, y, nodes }: &Vjp,
    ) -> Result<Answer, RuleError> {
        let Call { op, x, .. } = self;
        let op = &**op;
        let recorded = nodes.as_ref().map(|nodes| tensors.recorded(op, nodes));
        match recorded {
            None | Some(Err(RuleError::Missing)) => {}
            Some(given) => return given.map(Answer::Nodes),
        }
        let given = match op.vjp(ct, y, x) {
            Err(RuleError::Missing) if nodes.is_none() => tensors.apart(op, ct, y, x),
            given => given,
        };
        given.map(Answer::Arrays)
    }
}

/// The error of a rule that `op` needs. One of this crate's own is as clear as it was.
pub(crate) fn raised(op: &'static str, rule: &str, error: RuleError) -> Error {
    match error {
        RuleError::Missing => Error::new(Fault::NoRule { op, rule: rule.to_owned() }),
        RuleError::Raised(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => {
                Error::new(Fault::Raised { rule: rule.to_owned(), error: error.into() })
            }
        },
    }
}
