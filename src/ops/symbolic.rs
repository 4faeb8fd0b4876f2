//! Elementwise rules as expressions: the same text that compiles into loops is run on
//! symbols, which note the steps that an emitter then takes.

use super::convert::Where;
use super::emit::{Arg, Args, Cotangents, Emit, Node};
use super::scalar::{Arith, Scalar};
use super::{Op, Tier};
use crate::array::NdArray;
use crate::dtype::{DType, Scalar as Number};
use crate::error::Result;
use smallvec::SmallVec;
use std::array::from_fn;
use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::LazyLock;

/// The most operands of an elementwise op.
pub(crate) const MAX_ARITY: usize = 2;

/// The steps of one rule.
#[derive(Default)]
struct Steps(RefCell<SmallVec<[Step; 8]>>);

/// An op and what it reads.
type Step = (Op, SmallVec<[Atom; 3]>);

/// What a step reads.
#[derive(Clone, Copy, Debug)]
enum Atom {
    Literal(f64),
    Input(usize),
    Output,
    Step(usize),
}

/// A number that is not known yet, or a literal.
#[derive(Clone, Copy)]
pub(crate) struct Symbol<'s> {
    /// `None` for a literal that has met no other symbol.
    steps: Option<&'s Steps>,
    atom: Atom,
}

impl<'s> Symbol<'s> {
    fn literal(self) -> Option<f64> {
        match self.atom {
            Atom::Literal(x) => Some(x),
            _ => None,
        }
    }

    /// Notes a step, or computes it if all it reads are literals.
    pub(super) fn step<const N: usize>(
        op: Op,
        operands: [Symbol<'s>; N],
        fold: impl Fn([f64; N]) -> f64,
    ) -> Symbol<'s> {
        let Some(steps) = operands.iter().find_map(|x| x.steps) else {
            let literals = operands.map(|x| x.literal().unwrap_or(f64::NAN));
            return Symbol::lit(fold(literals));
        };
        let mut list = steps.0.borrow_mut();
        list.push((op, operands.iter().map(|x| x.atom).collect()));
        Symbol { steps: Some(steps), atom: Atom::Step(list.len() - 1) }
    }
}

macro_rules! operators {
    ($($Trait:ident $method:ident $op:ident;)*) => { $(
        impl $Trait for Symbol<'_> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Symbol::step(Op::$op, [self, other], |[a, b]| a.$method(b))
            }
        }
    )* };
}
operators! {
    Add add Add;
    Sub sub Subtract;
    Mul mul Multiply;
    Div div Divide;
}

impl Neg for Symbol<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        Symbol::step(Op::Negative, [self], |[x]| -x)
    }
}

impl Arith for Symbol<'_> {
    type Mask = Self;

    fn lit(x: f64) -> Self {
        Symbol { steps: None, atom: Atom::Literal(x) }
    }
    fn abs(self) -> Self {
        Symbol::step(Op::Abs, [self], |[x]| x.abs())
    }
    fn max(self, other: Self) -> Self {
        Symbol::step(Op::Maximum, [self, other], |[a, b]| Arith::max(a, b))
    }
    fn min(self, other: Self) -> Self {
        Symbol::step(Op::Minimum, [self, other], |[a, b]| Arith::min(a, b))
    }
    fn pow(self, exponent: Self) -> Self {
        // The slope of a square is a first power.
        match exponent.literal() {
            Some(1.0) => self,
            _ => Symbol::step(Op::Power, [self, exponent], |[a, b]| a.powf(b)),
        }
    }
    fn less(self, other: Self) -> Self {
        Symbol::step(Op::Less, [self, other], |[a, b]| f64::from(u8::from(a < b)))
    }
    fn less_equal(self, other: Self) -> Self {
        Symbol::step(Op::LessEqual, [self, other], |[a, b]| f64::from(u8::from(a <= b)))
    }
    fn equal(self, other: Self) -> Self {
        let fold = |[a, b]: [f64; 2]| f64::from(u8::from(a.equal(b)));
        Symbol::step(Op::Equal, [self, other], fold)
    }
    fn not_equal(self, other: Self) -> Self {
        let fold = |[a, b]: [f64; 2]| f64::from(u8::from(a.not_equal(b)));
        Symbol::step(Op::NotEqual, [self, other], fold)
    }
    fn select(mask: Self, a: Self, b: Self) -> Self {
        match mask.literal() {
            Some(0.0) => b,
            Some(_) => a,
            None => Symbol::step(Op::Where(Where), [mask, a, b], |[_, _, _]| f64::NAN),
        }
    }
}

impl Scalar for Symbol<'_> {
    fn sqrt(self) -> Self {
        Symbol::step(Op::Sqrt, [self], |[x]| x.sqrt())
    }
    fn exp(self) -> Self {
        Symbol::step(Op::Exp, [self], |[x]| x.exp())
    }
    fn exp_m1(self) -> Self {
        Symbol::step(Op::Expm1, [self], |[x]| x.exp_m1())
    }
    fn ln(self) -> Self {
        Symbol::step(Op::Log, [self], |[x]| x.ln())
    }
    fn ln_1p(self) -> Self {
        Symbol::step(Op::Log1p, [self], |[x]| x.ln_1p())
    }
    fn sin(self) -> Self {
        Symbol::step(Op::Sin, [self], |[x]| x.sin())
    }
    fn cos(self) -> Self {
        Symbol::step(Op::Cos, [self], |[x]| x.cos())
    }
    fn tanh(self) -> Self {
        Symbol::step(Op::Tanh, [self], |[x]| x.tanh())
    }
    fn logistic(self) -> Self {
        Symbol::step(Op::Sigmoid, [self], |[x]| x.logistic())
    }
}

/// Emits the cotangents of an elementwise node's operands.
///
/// `ieee` multiplies plainly; otherwise a zero cotangent stays zero whatever the slope.
pub(crate) fn pull<E: Emit>(
    e: &mut E,
    op: &Op,
    node: Node,
    arity: usize,
    ct: &E::V,
    ieee: bool,
    out: &mut Cotangents<E::V>,
) -> Result<()> {
    let product = if ieee { Op::Multiply } else { Op::MultiplyNoNan };
    for k in (0..arity).filter(|&k| k < MAX_ARITY) {
        if !out.wants(k) {
            continue;
        }
        let steps = Steps::default();
        let mut operands = [Symbol::lit(f64::NAN); MAX_ARITY];
        for (i, operand) in operands.iter_mut().enumerate().take(arity) {
            *operand = match e.input(node, i)? {
                Arg::Number(number) => Symbol::lit(number.to_f64()),
                Arg::Value(_) => Symbol { steps: Some(&steps), atom: Atom::Input(i) },
            };
        }
        let y = Symbol { steps: Some(&steps), atom: Atom::Output };
        let slope = op.slope(k, operands, y);
        let ct = e.dup(ct);
        let cotangent = times(e, ct, slope.atom, &steps, node, product.clone())?;
        out.give(k, cotangent);
    }
    Ok(())
}

/// What a slope is everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Factor {
    One,
    MinusOne,
    /// Something else, or not the same everywhere.
    Other,
}

static FACTORS: LazyLock<Vec<[Factor; MAX_ARITY]>> = LazyLock::new(|| {
    let factors = |op: &Op| {
        let arity = match op.tag().tier() {
            Tier::Unary => 1,
            Tier::Binary => 2,
            _ => 0,
        };
        from_fn(|k| if k < arity { factor(op, k) } else { Factor::Other })
    };
    Op::PLAIN.iter().map(factors).collect()
});

fn factor(op: &Op, k: usize) -> Factor {
    let steps = Steps::default();
    let symbol = |atom| Symbol { steps: Some(&steps), atom };
    let operands = from_fn(|k| symbol(Atom::Input(k)));
    match op.slope(k, operands, symbol(Atom::Output)).literal() {
        Some(1.0) => Factor::One,
        Some(-1.0) => Factor::MinusOne,
        _ => Factor::Other,
    }
}

impl Op {
    /// The slopes of each plain op, by its tag.
    #[inline]
    pub(crate) fn factors() -> &'static [[Factor; MAX_ARITY]] {
        &FACTORS
    }
}

/// The cotangent of the operand of `op`, whose value is the node's and tells the slope.
pub(crate) fn pull_by_value<E: Emit>(
    e: &mut E,
    op: &Op,
    node: Node,
    ct: E::V,
) -> Result<E::V> {
    let steps = Steps::default();
    let y = Symbol { steps: Some(&steps), atom: Atom::Output };
    let slope = op.slope(0, [y, y], y);
    times(e, ct, slope.atom, &steps, node, Op::MultiplyNoNan)
}

/// The cotangent times a slope.
fn times<E: Emit>(
    e: &mut E,
    ct: E::V,
    slope: Atom,
    steps: &Steps,
    node: Node,
    product: Op,
) -> Result<E::V> {
    match slope {
        Atom::Literal(1.0) => Ok(ct),
        Atom::Literal(-1.0) => e.unary(Op::Negative, ct),
        _ => {
            let dtype = e.ty(&ct).dtype;
            let slope = emit(e, steps, slope, node, dtype)?;
            e.binary(product, ct, slope)
        }
    }
}

/// Takes the steps that `result` stands on.
fn emit<E: Emit>(
    e: &mut E,
    steps: &Steps,
    result: Atom,
    node: Node,
    dtype: DType,
) -> Result<Arg<E::V>> {
    let list = steps.0.borrow();
    let mut values: SmallVec<[Option<E::V>; 8]> = SmallVec::new();
    for (op, atoms) in list.iter() {
        let mut operands: Args<E::V> = SmallVec::new();
        for &atom in atoms {
            operands.push(read(e, &values, atom, node)?);
        }
        // A choice between two literals has no operand that tells its type.
        if let [_, Arg::Number(a), Arg::Number(_)] = operands.as_slice() {
            let typed = e.constant(NdArray::full(&[], *a, dtype)?)?;
            operands[1] = Arg::Value(typed);
        }
        values.push(Some(e.apply(op.clone(), operands)?));
    }
    match result {
        Atom::Step(k) => Ok(match values[k].take() {
            Some(value) => Arg::Value(value),
            None => Arg::Number(Number::Float(f64::NAN)),
        }),
        atom => read(e, &values, atom, node),
    }
}

fn read<E: Emit>(
    e: &mut E,
    values: &[Option<E::V>],
    atom: Atom,
    node: Node,
) -> Result<Arg<E::V>> {
    Ok(match atom {
        Atom::Literal(x) => Arg::Number(Number::Float(x)),
        Atom::Input(k) => e.input(node, k)?,
        Atom::Output => Arg::Value(e.output(node)?),
        Atom::Step(k) => match &values[k] {
            Some(value) => Arg::Value(e.dup(value)),
            None => Arg::Number(Number::Float(f64::NAN)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{FACTORS, Factor, Op};

    #[test]
    fn slopes_that_are_the_same_everywhere_are_known() {
        use Factor::{MinusOne, One, Other};
        for (op, factors) in Op::PLAIN.iter().zip(FACTORS.iter()) {
            let expected = match op {
                Op::Add => [One, One],
                Op::Subtract => [One, MinusOne],
                Op::Remainder | Op::Fmod => [One, Other],
                Op::Negative => [MinusOne, Other],
                _ => [Other, Other],
            };
            assert_eq!(*factors, expected, "{op:?}");
        }
    }
}
