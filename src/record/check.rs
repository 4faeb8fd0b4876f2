//! Whether the rules of a user's op agree with differences of its values.

use super::arena::{cotangent_fault, count_fault};
use super::custom::{CustomOp, RuleError, RuleResult};
use super::steps::{OnTensors, raised};
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::{Error, Fault, Result};
use crate::rng::Rng;

/// How far an operand of up to 1 is moved, in units of its tangent. With five points the
/// error of rounding, some 1e-12, is the larger one.
const STEP: f64 = 1e-4;

/// Fails unless every rule of the op agrees with differences, to within `rtol`.
pub(crate) fn check(
    op: &dyn CustomOp,
    tensors: &impl OnTensors,
    x: &[NdArray],
    rtol: f64,
) -> Result<()> {
    let x = x.iter().map(floats).collect::<Result<Vec<_>>>()?;
    let y = value(op, &x)?;
    if !y.dtype().is_float() {
        let (label, dtype) = (format!("the value of {}", op.name()), y.dtype());
        return Err(Error::new(Fault::IntegerGradient { op: "check", label, dtype }));
    }
    let rng = Rng::new(0);
    let tangents = x.iter().map(|x| tangent(&rng, x)).collect::<Result<Vec<_>>>()?;
    if tangents.iter().flatten().all(NdArray::is_empty) {
        return Err(Error::new(Fault::NothingToCheck { op: op.name() }));
    }
    let ct = rng.try_normal(y.shape(), DType::F64)?.cast(y.dtype())?;
    let mut wanted = Vec::new();
    for (k, t) in tangents.iter().enumerate() {
        let slope = |t| difference(op, &x, &y, k, t).and_then(|slope| dot(&ct, &slope));
        wanted.push(t.as_ref().map(slope).transpose()?);
    }
    let at = Point { op, x: &x, y: &y, ct: &ct, tangents: &tangents, rtol };
    let mut rules = 0;
    rules += at.vjp("vjp", op.vjp(&ct, &y, &x), &wanted)?;
    rules += at.vjp("vjp on tensors", tensors.apart(op, &ct, &y, &x), &wanted)?;
    rules += at.jvp(&wanted)?;
    if rules == 0 {
        return Err(raised("check", &at.rule("vjp"), RuleError::Missing));
    }
    Ok(())
}

/// Where rules are checked, and what they get.
struct Point<'a> {
    op: &'a dyn CustomOp,
    x: &'a [NdArray],
    y: &'a NdArray,
    ct: &'a NdArray,
    tangents: &'a [Option<NdArray>],
    rtol: f64,
}

impl Point<'_> {
    fn rule(&self, rule: &str) -> String {
        format!("{}.{rule}", self.op.name())
    }

    /// Compares what a vjp gave; the number of rules that were there.
    fn vjp(
        &self,
        rule: &str,
        given: RuleResult<Vec<Option<NdArray>>>,
        wanted: &[Option<Total>],
    ) -> Result<usize> {
        let rule = self.rule(rule);
        let given = match given {
            Err(RuleError::Missing) => return Ok(0),
            given => given.map_err(|error| raised("check", &rule, error))?,
        };
        refuse(count_fault(&rule, given.len(), self.x.len()))?;
        for (k, (given, x)) in given.iter().zip(self.x).enumerate() {
            if let Some(given) = given {
                let label = format!("operand {k}");
                refuse(cotangent_fault(&rule, k, &label, &x.ty(), &given.ty()))?;
            }
            if let (Some(t), Some(wanted)) = (&self.tangents[k], wanted[k]) {
                let nothing = || Ok(Total::default());
                let found = given.as_ref().map_or_else(nothing, |ct| dot(ct, t))?;
                self.compare(&rule, Some(k), wanted, found)?;
            }
        }
        Ok(1)
    }

    /// Compares the rule for tangents; the number of rules that were there.
    fn jvp(&self, wanted: &[Option<Total>]) -> Result<usize> {
        let rule = self.rule("jvp");
        let given = match self.op.jvp(self.tangents, self.y, self.x) {
            Err(RuleError::Missing) => return Ok(0),
            given => given.map_err(|error| raised("check", &rule, error))?,
        };
        if given.shape() != self.y.shape() {
            let (found, wanted) = (given.shape().to_vec(), self.y.shape().to_vec());
            return Err(Error::new(Fault::TangentShape { rule, found, wanted }));
        }
        if given.dtype() != self.y.dtype() {
            let (found, wanted) = (given.dtype(), self.y.dtype());
            return Err(Error::new(Fault::TangentDType { rule, found, wanted }));
        }
        let wanted = wanted.iter().flatten().fold(Total::default(), |a, b| a.plus(*b));
        self.compare(&rule, None, wanted, dot(self.ct, &given)?)?;
        Ok(1)
    }

    fn compare(
        &self,
        rule: &str,
        position: Option<usize>,
        wanted: Total,
        found: Total,
    ) -> Result<()> {
        if wanted.agrees(found, self.rtol) {
            return Ok(());
        }
        let (by_differences, by_rule) = (wanted.sum, found.sum);
        let rule = rule.to_owned();
        let fault = Fault::WrongRule { rule, position, by_differences, by_rule };
        Err(Error::new(fault))
    }
}

/// A sum, and that of its terms' magnitudes.
#[derive(Clone, Copy, Default)]
struct Total {
    sum: f64,
    size: f64,
}

impl Total {
    fn plus(self, other: Total) -> Total {
        Total { sum: self.sum + other.sum, size: self.size + other.size }
    }

    /// If the sums are equal by the size of what they add up; NaN never is.
    fn agrees(self, other: Total, rtol: f64) -> bool {
        let size = self.size.max(other.size).max(1e-3);
        (self.sum - other.sum).abs() <= rtol * size
    }
}

fn refuse(fault: Option<Fault>) -> Result<()> {
    fault.map_or(Ok(()), |fault| Err(Error::new(fault)))
}

/// The sum of products of elements.
fn dot(a: &NdArray, b: &NdArray) -> Result<Total> {
    let (a, b) = (floats(a)?.try_to_vec::<f64>()?, floats(b)?.try_to_vec::<f64>()?);
    let terms = a.iter().zip(&b).map(|(a, b)| a * b);
    let total = |all: Total, x: f64| all.plus(Total { sum: x, size: x.abs() });
    Ok(terms.fold(Total::default(), total))
}

/// Floats as `f64`; what holds none as it is.
fn floats(x: &NdArray) -> Result<NdArray> {
    if x.dtype().is_float() { x.cast(DType::F64) } else { Ok(x.clone()) }
}

fn value(op: &dyn CustomOp, x: &[NdArray]) -> Result<NdArray> {
    op.forward(x).map_err(|error| raised("check", op.name(), error))
}

/// A random direction in which `x` is moved, longer for larger elements.
fn tangent(rng: &Rng, x: &NdArray) -> Result<Option<NdArray>> {
    if !x.dtype().is_float() {
        return Ok(None);
    }
    let mut t = rng.try_normal(x.shape(), DType::F64)?;
    for (t, x) in t.try_as_mut_slice::<f64>()?.iter_mut().zip(x.try_to_vec::<f64>()?) {
        *t *= x.abs().max(1.0);
    }
    Ok(Some(t))
}

/// The derivative of the value along a tangent of one operand, by five points.
fn difference(
    op: &dyn CustomOp,
    x: &[NdArray],
    y: &NdArray,
    k: usize,
    t: &NdArray,
) -> Result<NdArray> {
    let t = t.try_to_vec::<f64>()?;
    let mut moved = x.to_vec();
    let mut at = |steps: f64| {
        let mut elements = x[k].try_to_vec::<f64>()?;
        elements.iter_mut().zip(&t).for_each(|(x, t)| *x += steps * STEP * t);
        moved[k] = NdArray::try_from_elements(&elements, x[k].shape())?;
        let nearby = value(op, &moved)?;
        if nearby.shape() == y.shape() {
            return floats(&nearby)?.try_to_vec::<f64>();
        }
        let (here, nearby) = (y.shape().to_vec(), nearby.shape().to_vec());
        Err(Error::new(Fault::UnsteadyShape { op: op.name(), here, nearby }))
    };
    let mut slope = vec![0.0; y.len()];
    for (steps, weight) in [(-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)] {
        for (slope, value) in slope.iter_mut().zip(at(steps)?) {
            *slope += weight / (12.0 * STEP) * value;
        }
    }
    NdArray::try_from_elements(&slope, y.shape())
}
