//! Elementwise rules as expressions: the same text that compiles into loops is run on
//! symbols, which note the steps that an emitter then takes.

use super::convert::Where;
use super::emit::{Arg, Args, Cotangents, Emit, Node};
use super::scalar::{Arith, Scalar};
use super::{Op, Tag, Tier};
use crate::array::{NdArray, View};
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
            *operand = match e.input_number(node, i) {
                Some(number) => Symbol::lit(number.to_f64()),
                None => Symbol { steps: Some(&steps), atom: Atom::Input(i) },
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
    /// One of the operands.
    Operand(usize),
    /// The value.
    Value,
    /// Something else, or not the same everywhere.
    Other,
}

static FACTORS: LazyLock<Vec<[Factor; MAX_ARITY]>> = LazyLock::new(|| {
    let factors = |op: &Op| {
        from_fn(|k| if k < arity(op) { factor(op, k) } else { Factor::Other })
    };
    Op::PLAIN.iter().map(factors).collect()
});

/// The number of operands of an op that has slopes.
fn arity(op: &Op) -> usize {
    match op.tag().tier() {
        Tier::Unary => 1,
        Tier::Binary => 2,
        _ => 0,
    }
}

/// Gives what `f` makes of a slope, and of the steps to it, where no operand is known.
fn of_slope<R>(op: &Op, k: usize, f: impl FnOnce(Symbol<'_>, &Steps) -> R) -> R {
    let steps = Steps::default();
    let symbol = |atom| Symbol { steps: Some(&steps), atom };
    let operands = from_fn(|k| symbol(Atom::Input(k)));
    f(op.slope(k, operands, symbol(Atom::Output)), &steps)
}

fn factor(op: &Op, k: usize) -> Factor {
    of_slope(op, k, |slope, _| match slope.atom {
        Atom::Literal(1.0) => Factor::One,
        Atom::Literal(-1.0) => Factor::MinusOne,
        Atom::Input(k) => Factor::Operand(k),
        Atom::Output => Factor::Value,
        _ => Factor::Other,
    })
}

/// Which values the rule of a node reads.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Reads {
    /// Operands; all from the last of the array on are alike.
    operands: [bool; MAX_ARITY],
    /// The node's own value.
    pub(crate) value: bool,
}

impl Reads {
    /// Whether operand `k` is read.
    #[inline]
    pub(crate) fn operand(self, k: usize) -> bool {
        self.operands[k.min(MAX_ARITY - 1)]
    }

    /// What one or the other reads.
    fn or(self, other: Reads) -> Reads {
        Reads {
            operands: from_fn(|k| self.operands[k] || other.operands[k]),
            value: self.value || other.value,
        }
    }

    fn note(&mut self, atom: Atom) {
        match atom {
            Atom::Input(k) => self.operands[k] = true,
            Atom::Output => self.value = true,
            Atom::Literal(_) | Atom::Step(_) => {}
        }
    }
}

/// What each slope of a plain op reads.
static READS: LazyLock<Vec<[Reads; MAX_ARITY]>> = LazyLock::new(|| {
    let reads = |op: &Op| {
        from_fn(|k| {
            if k < arity(op) { of_slope(op, k, reads_of) } else { Reads::default() }
        })
    };
    Op::PLAIN.iter().map(reads).collect()
});

fn reads_of(slope: Symbol<'_>, steps: &Steps) -> Reads {
    let mut reads = Reads::default();
    reads.note(slope.atom);
    let steps = steps.0.borrow();
    steps.iter().flat_map(|(_, atoms)| atoms).for_each(|&atom| reads.note(atom));
    reads
}

impl Op {
    /// The slopes of each plain op, by its tag.
    #[inline]
    pub(crate) fn factors() -> &'static [[Factor; MAX_ARITY]] {
        &FACTORS
    }

    /// What the slope in operand `k` reads.
    #[inline]
    pub(crate) fn reads_of_slope(&self, k: usize) -> Reads {
        READS[self.tag() as usize][k]
    }

    /// The operands and the value of a node, for a loop that takes the slope of operand
    /// `k`. Where it reads nothing, one element stands for those that would have to be
    /// brought in order first.
    pub(crate) fn read_by_slope<'a>(
        &self,
        k: usize,
        x: &[View<'a>],
        y: View<'a>,
    ) -> (SmallVec<[View<'a>; MAX_ARITY]>, View<'a>) {
        let reads = self.reads_of_slope(k);
        let part = |x: View<'a>, is_read| {
            if is_read || x.is_contiguous() || x.is_empty() {
                x
            } else {
                x.first_alone()
            }
        };
        let operands = x.iter().zip(reads.operands);
        let operands = operands.map(|(&x, is_read)| part(x, is_read));
        (operands.collect(), part(y, reads.value))
    }
}

impl Tag {
    /// Which values the rule of a node with these operands reads.
    #[inline]
    pub(crate) fn reads<V>(self, operands: &[Arg<V>]) -> Reads {
        let operand = |x| Reads { operands: [x; MAX_ARITY], value: false };
        match self.tier() {
            // No slope is asked for in a number.
            Tier::Unary | Tier::Binary => operands
                .iter()
                .zip(READS[self as usize])
                .filter(|(operand, _)| operand.number().is_none())
                .fold(Reads::default(), |reads, (_, slope)| reads.or(slope)),
            Tier::Source | Tier::Compare | Tier::Bits | Tier::Constant => {
                operand(false)
            }
            // The transpose of a linear map does not depend on where it is taken.
            Tier::Linear => operand(operands.len() > 1),
            Tier::Rules | Tier::Custom => Reads { value: true, ..operand(true) },
        }
    }

    /// Whether the rule of a node may read the node's own value.
    #[inline]
    pub(crate) fn reads_value(self) -> bool {
        match self.tier() {
            Tier::Unary | Tier::Binary => READS[self as usize].iter().any(|x| x.value),
            Tier::Rules | Tier::Custom => true,
            _ => false,
        }
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
    use super::{Arg, FACTORS, Factor, Op, Reads, Tag};
    use crate::dtype::Scalar;

    #[test]
    fn it_is_known_which_slopes_need_no_arithmetic() {
        use Factor::{MinusOne, One, Operand, Other, Value};
        for (op, factors) in Op::PLAIN.iter().zip(FACTORS.iter()) {
            let expected = match op {
                Op::Add => [One, One],
                Op::Subtract => [One, MinusOne],
                Op::Remainder | Op::Fmod => [One, Other],
                Op::Negative => [MinusOne, Other],
                Op::Multiply | Op::MultiplyNoNan => [Operand(1), Operand(0)],
                Op::Exp => [Value, Other],
                _ => [Other, Other],
            };
            assert_eq!(*factors, expected, "{op:?}");
        }
    }

    #[test]
    fn it_is_known_what_rules_read() {
        let x = || Arg::Value(());
        let two = || Arg::Number(Scalar::Int(2));
        let reads = |a, b, value| Reads { operands: [a, b], value };
        for (op, operands, expected) in [
            (Tag::Add, vec![x(), x()], reads(false, false, false)),
            (Tag::Negative, vec![x()], reads(false, false, false)),
            (Tag::Multiply, vec![x(), x()], reads(true, true, false)),
            (Tag::Multiply, vec![x(), two()], reads(false, true, false)),
            (Tag::Power, vec![x(), two()], reads(true, true, false)),
            (Tag::Divide, vec![x(), two()], reads(false, true, false)),
            (Tag::Divide, vec![two(), x()], reads(false, true, true)),
            (Tag::Tanh, vec![x()], reads(false, false, true)),
            (Tag::Sin, vec![x()], reads(true, false, false)),
            (Tag::Less, vec![x(), x()], reads(false, false, false)),
            (Tag::Sum, vec![x()], reads(false, false, false)),
            (Tag::MatMul, vec![x(), x()], reads(true, true, false)),
            (Tag::Softmax, vec![x()], reads(true, true, true)),
        ] {
            assert_eq!(op.reads(&operands), expected, "{op:?} {operands:?}");
        }
    }
}
