//! `einsum`: subscripts are read, given to the axes of the operands, and contracted.

use super::Arena;
use super::contract::{Label, Labels, Term};
use crate::error::{Error, Fault, Operand, Result, Subscripts as Wrong};
use crate::ops::emit::Arg;
use crate::shape::Shape;
use std::collections::BTreeMap;
use std::fmt;

/// The subscripts of an operand or of the result.
#[derive(Default)]
struct Subscripts {
    labels: Vec<Label>,
    /// How many labels stand before `...`, if it occurs.
    dots: Option<usize>,
}

impl Subscripts {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let mut subscripts = Subscripts::default();
        let mut characters = text.chars().filter(|c| !c.is_whitespace());
        while let Some(found) = characters.next() {
            if found == '.' {
                let three = (characters.next(), characters.next());
                if three != (Some('.'), Some('.')) {
                    return Err(Wrong::Dots);
                }
                subscripts.dots()?;
            } else if found.is_alphabetic() {
                subscripts.labels.push(Label::Letter(found));
            } else {
                return Err(Wrong::Character { found });
            }
        }
        Ok(subscripts)
    }

    fn of_list(list: &[Option<usize>]) -> Result<Self, Wrong> {
        let mut subscripts = Subscripts::default();
        for number in list {
            match *number {
                Some(number) => subscripts.labels.push(Label::Number(number)),
                None => subscripts.dots()?,
            }
        }
        Ok(subscripts)
    }

    fn dots(&mut self) -> Result<(), Wrong> {
        let twice = self.dots.replace(self.labels.len()).is_some();
        if twice { Err(Wrong::Dots) } else { Ok(()) }
    }

    /// The labels of the axes, of which `at_dots` are at the dots. Those at the dots of
    /// all operands are numbered up to `width`: the last of one are those of all.
    fn labels(&self, at_dots: usize, width: usize) -> Labels {
        let named = || self.labels.iter().copied();
        let before = self.dots.unwrap_or(self.labels.len());
        let dots = (width - at_dots..width).map(Label::Dots);
        named().take(before).chain(dots).chain(named().skip(before)).collect()
    }
}

/// As they were written, without dots.
impl fmt::Display for Subscripts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |separator| {
            let labels = self.labels.iter().map(Label::to_string);
            labels.collect::<Vec<_>>().join(separator)
        };
        match self.labels.first() {
            Some(Label::Number(_)) => write!(f, "[{}]", text(", ")),
            _ => write!(f, "\"{}\"", text("")),
        }
    }
}

/// What an `einsum` sums: the subscripts of its operands and of its result.
pub(crate) struct Expression {
    /// As messages show it.
    text: String,
    operands: Vec<Subscripts>,
    result: Option<Subscripts>,
}

impl Expression {
    /// From letters, such as `"ij,jk->ik"`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (operands, result) = match text.split_once("->") {
            Some((operands, result)) => (operands, Some(result)),
            None => (text, None),
        };
        Expression::new(
            text.to_owned(),
            operands.split(',').map(Subscripts::parse),
            result.map(Subscripts::parse),
        )
    }

    /// From numbers, and `None` for `...`.
    #[cfg_attr(
        not(feature = "python"),
        expect(dead_code, reason = "Rust gives expressions as text")
    )]
    pub(crate) fn of_lists(
        operands: &[Vec<Option<usize>>],
        result: Option<&[Option<usize>]>,
    ) -> Result<Self> {
        let text = |list: &[Option<usize>]| {
            let number = |number: &Option<usize>| {
                number.map_or_else(|| "...".to_owned(), |number| number.to_string())
            };
            format!("[{}]", list.iter().map(number).collect::<Vec<_>>().join(", "))
        };
        let texts = operands.iter().map(|list| text(list)).collect::<Vec<_>>();
        let after = result.map(|list| format!(" -> {}", text(list)));
        Expression::new(
            texts.join(", ") + &after.unwrap_or_default(),
            operands.iter().map(|list| Subscripts::of_list(list)),
            result.map(Subscripts::of_list),
        )
    }

    fn new(
        text: String,
        operands: impl Iterator<Item = Result<Subscripts, Wrong>>,
        result: Option<Result<Subscripts, Wrong>>,
    ) -> Result<Self> {
        let operands = operands.collect::<Result<Vec<_>, _>>();
        match operands.and_then(|operands| Ok((operands, result.transpose()?))) {
            Ok((operands, result)) => Ok(Expression { text, operands, result }),
            Err(fault) => Err(Error::new(Fault::Einsum { expression: text, fault })),
        }
    }

    fn wrong(&self, fault: Wrong) -> Error {
        Error::new(Fault::Einsum { expression: self.text.clone(), fault })
    }

    /// The labels of the result's axes; `width` axes are at the dots.
    fn result(&self, width: usize) -> Result<Labels, Wrong> {
        let mut counts = BTreeMap::new();
        for &label in self.operands.iter().flat_map(|operand| &operand.labels) {
            *counts.entry(label).or_insert(0) += 1;
        }
        let Some(result) = &self.result else {
            // Without one: what occurs once, in order.
            let once = counts.into_iter().filter(|&(_, count)| count == 1);
            let labels = once.map(|(label, _)| label).collect();
            return Ok(Subscripts { labels, dots: Some(0) }.labels(width, width));
        };
        for (k, label) in result.labels.iter().enumerate() {
            let subscript = label.to_string();
            if !counts.contains_key(label) {
                return Err(Wrong::Unknown { subscript });
            }
            if result.labels[..k].contains(label) {
                return Err(Wrong::Twice { subscript });
            }
        }
        if width > 0 && result.dots.is_none() {
            return Err(Wrong::DotsDropped);
        }
        Ok(result.labels(width, width))
    }
}

impl Arena {
    /// The sum of products that an expression writes out.
    pub(crate) fn einsum(
        &mut self,
        expression: &Expression,
        operands: &[u32],
        site: u32,
    ) -> Result<u32> {
        let (wanted, given) = (expression.operands.len(), operands.len());
        if wanted != given {
            return Err(expression.wrong(Wrong::Operands { wanted, given }));
        }
        let mut at_dots = Vec::new();
        for (subscripts, &node) in expression.operands.iter().zip(operands) {
            at_dots.push(self.axes_at_dots(subscripts, node)?);
        }
        let width = at_dots.iter().copied().max().unwrap_or(0);
        let result = expression.result(width).map_err(|x| expression.wrong(x))?;
        let mut terms: Vec<Term> = expression
            .operands
            .iter()
            .zip(operands)
            .zip(at_dots)
            .map(|((subscripts, &node), at_dots)| Term {
                node,
                labels: subscripts.labels(at_dots, width),
            })
            .collect();
        let sizes = self.sizes(&terms)?;
        self.composed("einsum", |arena| {
            for term in &mut terms {
                arena.diagonals(term, site)?;
                arena.without_repeated(term, &sizes, site)?;
            }
            arena.contract("einsum", terms, &result, site)
        })
    }

    /// How many axes of an operand are at its dots.
    fn axes_at_dots(&self, subscripts: &Subscripts, node: u32) -> Result<usize> {
        let (ndim, named) = (self.ndim(node), subscripts.labels.len());
        match ndim.checked_sub(named) {
            Some(rest) if rest == 0 || subscripts.dots.is_some() => Ok(rest),
            _ => {
                let subscripts = subscripts.to_string();
                let operand = Operand::new(&self.ty(node).shape);
                let fault = Fault::EinsumAxes { subscripts, named, operand, ndim };
                self.about(node, Err(Error::new(fault)))
            }
        }
    }

    /// The size of each label. Between operands a size of 1 fits any other.
    fn sizes(&self, terms: &[Term]) -> Result<BTreeMap<Label, usize>> {
        let mut known: BTreeMap<Label, (usize, u32)> = BTreeMap::new();
        for term in terms {
            let shape = &self.ty(term.node).shape;
            for (k, (&label, &size)) in term.labels.iter().zip(shape.iter()).enumerate()
            {
                let own = term.labels[..k].iter().position(|&other| other == label);
                if let Some(other) = own.filter(|&other| shape[other] != size) {
                    let first = (shape[other], term.node);
                    return Err(self.sizes_differ(label, first, (size, term.node)));
                }
                let (first, node) = *known.entry(label).or_insert((size, term.node));
                if first == 1 {
                    known.insert(label, (size, term.node));
                } else if size != 1 && size != first {
                    let second = (size, term.node);
                    return Err(self.sizes_differ(label, (first, node), second));
                }
            }
        }
        Ok(known.into_iter().map(|(label, (size, _))| (label, size)).collect())
    }

    fn sizes_differ(
        &self,
        label: Label,
        (size_a, a): (usize, u32),
        (size_b, b): (usize, u32),
    ) -> Error {
        let subscript = label.to_string();
        let operand = |node| Operand::new(&self.ty(node).shape);
        let (a, b, nodes) = (operand(a), operand(b), [Arg::Value(a), Arg::Value(b)]);
        let fault = Fault::EinsumSizes { subscript, a, b, size_a, size_b };
        self.explain(Error::new(fault), &nodes)
    }

    /// One axis in place of several that have the same label.
    fn diagonals(&mut self, term: &mut Term, site: u32) -> Result<()> {
        while let Some((a, b)) = repeated(&term.labels) {
            let axes = (a.cast_signed(), b.cast_signed());
            term.node = self.diagonal(term.node, 0, axes, site)?;
            term.labels.remove(b);
            let label = term.labels.remove(a);
            term.labels.push(label);
        }
        Ok(())
    }

    /// Without the axes of size 1 that another operand has in full.
    fn without_repeated(
        &mut self,
        term: &mut Term,
        sizes: &BTreeMap<Label, usize>,
        site: u32,
    ) -> Result<()> {
        let from = self.ty(term.node).shape.clone();
        let own = term.labels.iter().copied().zip(from.iter().copied());
        let (labels, shape): (Labels, Vec<usize>) =
            own.filter(|(label, size)| sizes[label] == *size).unzip();
        term.node = self.reshaped(term.node, Shape::new(&shape), site)?;
        term.labels = labels;
        Ok(())
    }
}

/// The places of the first label that occurs again.
fn repeated(labels: &[Label]) -> Option<(usize, usize)> {
    labels.iter().enumerate().find_map(|(b, label)| {
        labels[..b].iter().position(|other| other == label).map(|a| (a, b))
    })
}
