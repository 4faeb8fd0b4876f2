//! `einsum`: subscripts are read, given to the axes of the operands, and contracted.

use super::Arena;
use super::contract::{Label, Labels, Term};
use crate::error::{Error, Fault, Operand, Result, Subscripts as Wrong};
use crate::ops::emit::Arg;
use crate::shape::Shape;
use std::collections::BTreeMap;

/// The subscripts of an operand or of the result.
#[derive(Default)]
struct Subscripts {
    letters: Vec<char>,
    /// How many letters stand before `...`, if it occurs.
    dots: Option<usize>,
}

impl Subscripts {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let mut subscripts = Subscripts::default();
        let mut characters = text.chars().filter(|c| !c.is_whitespace());
        while let Some(found) = characters.next() {
            if found == '.' {
                let three = (characters.next(), characters.next());
                if three != (Some('.'), Some('.')) || subscripts.dots.is_some() {
                    return Err(Wrong::Dots);
                }
                subscripts.dots = Some(subscripts.letters.len());
            } else if found.is_alphabetic() {
                subscripts.letters.push(found);
            } else {
                return Err(Wrong::Character { found });
            }
        }
        Ok(subscripts)
    }

    /// The labels of the axes, of which `at_dots` are at the dots. Those at the dots of
    /// all operands are numbered up to `width`: the last of one are those of all.
    fn labels(&self, at_dots: usize, width: usize) -> Labels {
        let letters = || self.letters.iter().map(|&letter| Label::Letter(letter));
        let before = self.dots.unwrap_or(self.letters.len());
        let numbers = (width - at_dots..width).map(Label::Number);
        letters().take(before).chain(numbers).chain(letters().skip(before)).collect()
    }
}

/// What stands on both sides of the arrow.
struct Expression {
    operands: Vec<Subscripts>,
    result: Option<Subscripts>,
}

impl Expression {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let (operands, result) = match text.split_once("->") {
            Some((operands, result)) => (operands, Some(result)),
            None => (text, None),
        };
        Ok(Expression {
            operands: operands
                .split(',')
                .map(Subscripts::parse)
                .collect::<Result<_, _>>()?,
            result: result.map(Subscripts::parse).transpose()?,
        })
    }

    /// The labels of the result's axes; `width` axes are at the dots.
    fn result(&self, width: usize) -> Result<Labels, Wrong> {
        let mut counts = BTreeMap::new();
        for &letter in self.operands.iter().flat_map(|operand| &operand.letters) {
            *counts.entry(letter).or_insert(0) += 1;
        }
        let Some(result) = &self.result else {
            // Without an arrow: what occurs once, in alphabetical order.
            let once = counts.into_iter().filter(|&(_, count)| count == 1);
            let letters = once.map(|(letter, _)| letter).collect();
            return Ok(Subscripts { letters, dots: Some(0) }.labels(width, width));
        };
        for (k, &subscript) in result.letters.iter().enumerate() {
            if !counts.contains_key(&subscript) {
                return Err(Wrong::Unknown { subscript });
            }
            if result.letters[..k].contains(&subscript) {
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
    /// The sum of products that an expression such as `"ij,jk->ik"` writes out.
    pub(crate) fn einsum(
        &mut self,
        text: &str,
        operands: &[u32],
        site: u32,
    ) -> Result<u32> {
        let wrong =
            |fault| Error::new(Fault::Einsum { expression: text.to_owned(), fault });
        let expression = Expression::parse(text).map_err(wrong)?;
        let (wanted, given) = (expression.operands.len(), operands.len());
        if wanted != given {
            return Err(wrong(Wrong::Operands { wanted, given }));
        }
        let mut at_dots = Vec::new();
        for (subscripts, &node) in expression.operands.iter().zip(operands) {
            at_dots.push(self.axes_at_dots(subscripts, node)?);
        }
        let width = at_dots.iter().copied().max().unwrap_or(0);
        let result = expression.result(width).map_err(wrong)?;
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
        let (ndim, named) = (self.ndim(node), subscripts.letters.len());
        match ndim.checked_sub(named) {
            Some(rest) if rest == 0 || subscripts.dots.is_some() => Ok(rest),
            _ => {
                let subscripts = subscripts.letters.iter().collect();
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
        let subscript = match label {
            Label::Letter(letter) => letter.to_string(),
            Label::Number(_) => "...".to_owned(),
        };
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
