//! Sums of products over labelled axes: what all products of tensors are made of.

use super::Arena;
use crate::dtype::DType;
use crate::error::Result;
use crate::ops::Op;
use crate::ops::convert::Cast;
use crate::ops::emit::Arg;
use crate::ops::reduce::Sum;
use crate::ops::view::{Reshape, Transpose};
use crate::shape::{self, Axes, Shape};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::fmt;

/// What an axis is called; axes of one label run together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Label {
    /// An axis at the dots of an expression, known by its place among them.
    Dots(usize),
    /// An axis that is known by its place, or by the number that a list gives it.
    Number(usize),
    /// An axis that an expression names.
    Letter(char),
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Dots(_) => write!(f, "..."),
            Label::Number(number) => write!(f, "{number}"),
            Label::Letter(letter) => write!(f, "{letter}"),
        }
    }
}

pub(super) type Labels = SmallVec<[Label; 4]>;

/// A node with a label for each axis.
pub(super) struct Term {
    pub(super) node: u32,
    pub(super) labels: Labels,
}

impl Arena {
    /// The product of the terms, summed over the labels that the result lacks.
    ///
    /// Axes of one label have one size, and a term has each label once. More than two
    /// terms are multiplied in pairs, cheap ones first.
    pub(super) fn contract(
        &mut self,
        op: &'static str,
        mut terms: Vec<Term>,
        result: &[Label],
        site: u32,
    ) -> Result<u32> {
        let dtypes = terms.iter().map(|term| self.ty(term.node).dtype);
        let Some(dtype) = dtypes.reduce(DType::promote) else {
            unreachable!("{op} of no terms")
        };
        // Of truth values it is counted where all hold.
        let computed = if dtype == DType::Bool { DType::I64 } else { dtype };
        let mut sizes = BTreeMap::new();
        for term in &mut terms {
            term.node = self.as_dtype(term.node, computed, site)?;
            let shape = &self.ty(term.node).shape;
            sizes.extend(term.labels.iter().copied().zip(shape.iter().copied()));
        }
        for k in 0..terms.len() {
            let stays = |label: &Label| {
                let mut others = terms.iter().enumerate().filter(|&(i, _)| i != k);
                result.contains(label)
                    || others.any(|(_, term)| term.labels.contains(label))
            };
            let stays: SmallVec<[bool; 4]> =
                terms[k].labels.iter().map(stays).collect();
            self.sum_unless(&mut terms[k], &stays, site)?;
        }
        while terms.len() > 1 {
            let labels: Vec<&[Label]> = terms.iter().map(|t| &t.labels[..]).collect();
            let (i, j) = next_pair(&labels, result, &sizes);
            let kept = kept(&labels, i, j, result);
            let is_last = terms.len() == 2;
            let kept = if is_last { Labels::from_slice(result) } else { kept };
            let b = terms.remove(j);
            let a = terms.remove(i);
            let shape: Shape = kept.iter().map(|label| sizes[label]).collect();
            shape::check(op, &shape, computed)?;
            terms.push(self.product(&a, &b, &kept, &sizes, site)?);
        }
        let y = self.aligned(&terms[0], result, site)?;
        self.as_dtype(y, dtype, site)
    }

    fn as_dtype(&mut self, x: u32, dtype: DType, site: u32) -> Result<u32> {
        if self.ty(x).dtype == dtype {
            return Ok(x);
        }
        self.one(Cast { dtype }.into(), x, site)
    }

    /// Sums the axes of a term that do not stay.
    fn sum_unless(&mut self, term: &mut Term, stays: &[bool], site: u32) -> Result<()> {
        let axes: Axes = (0..stays.len()).filter(|&k| !stays[k]).collect();
        if !axes.is_empty() {
            term.node =
                self.one(Sum { axes, keepdims: false }.into(), term.node, site)?;
            let mut stays = stays.iter();
            term.labels.retain(|_| *stays.next().expect("one for each label"));
        }
        Ok(())
    }

    /// The product of two terms, summed over the labels that are not kept, all of which
    /// are in both.
    fn product(
        &mut self,
        a: &Term,
        b: &Term,
        kept: &[Label],
        sizes: &BTreeMap<Label, usize>,
        site: u32,
    ) -> Result<Term> {
        let of = |from: &Term, wanted: &dyn Fn(&Label) -> bool| -> Labels {
            from.labels.iter().copied().filter(|label| wanted(label)).collect()
        };
        let summed = of(a, &|label| !kept.contains(label));
        if summed.is_empty() {
            let x = self.aligned(a, kept, site)?;
            let y = self.aligned(b, kept, site)?;
            let node =
                self.binary(&Op::Multiply, Arg::Value(x), Arg::Value(y), site)?;
            return Ok(Term { node, labels: Labels::from_slice(kept) });
        }
        let shared = of(a, &|label| kept.contains(label) && b.labels.contains(label));
        let rows = of(a, &|label| !b.labels.contains(label));
        let columns = of(b, &|label| !a.labels.contains(label));
        let x = self.grouped(a, [&shared, &rows, &summed], site)?;
        let y = self.grouped(b, [&shared, &summed, &columns], site)?;
        let node = self.matmul(x, y, site)?;
        let labels: Labels = [shared, rows, columns].into_iter().flatten().collect();
        let shape = labels.iter().map(|label| sizes[label]).collect();
        let node = self.reshaped(node, shape, site)?;
        Ok(Term { node, labels })
    }

    /// The term with its axes in the order of `labels`, and of size 1 where it has none.
    fn aligned(&mut self, term: &Term, labels: &[Label], site: u32) -> Result<u32> {
        let own: Labels = labels
            .iter()
            .copied()
            .filter(|label| term.labels.contains(label))
            .collect();
        let node = self.ordered(term, &own, site)?;
        let mut sizes = self.ty(node).shape.iter().copied();
        let size = |label| if own.contains(label) { sizes.next() } else { None };
        let shape = labels.iter().map(size).map(|size| size.unwrap_or(1)).collect();
        self.reshaped(node, shape, site)
    }

    /// The term as matrices: an axis for each group of labels, of which the first is
    /// left out if it is empty.
    fn grouped(&mut self, term: &Term, groups: [&Labels; 3], site: u32) -> Result<u32> {
        let order: Labels = groups.into_iter().flatten().copied().collect();
        let node = self.ordered(term, &order, site)?;
        let mut sizes = &*self.ty(node).shape.clone();
        let mut shape = Shape::default();
        for (k, group) in groups.into_iter().enumerate() {
            let (of_group, rest) = sizes.split_at(group.len());
            if k > 0 || !group.is_empty() {
                shape.push(of_group.iter().product());
            }
            sizes = rest;
        }
        self.reshaped(node, shape, site)
    }

    /// The term's node with its axes in another order.
    fn ordered(&mut self, term: &Term, order: &[Label], site: u32) -> Result<u32> {
        let place = |label| term.labels.iter().position(|own| own == label);
        let axes: Axes = order.iter().filter_map(place).collect();
        if axes.iter().enumerate().all(|(k, &axis)| k == axis) {
            return Ok(term.node);
        }
        self.one(Transpose { axes }.into(), term.node, site)
    }

    pub(super) fn reshaped(&mut self, x: u32, shape: Shape, site: u32) -> Result<u32> {
        if self.ty(x).shape == shape {
            return Ok(x);
        }
        self.one(Reshape { shape }.into(), x, site)
    }
}

/// The labels of a product of two terms that another term or the result has.
fn kept(terms: &[&[Label]], i: usize, j: usize, result: &[Label]) -> Labels {
    let others = |label: &Label| {
        let mut others = terms.iter().enumerate().filter(|&(k, _)| k != i && k != j);
        result.contains(label) || others.any(|(_, labels)| labels.contains(label))
    };
    let new = terms[j].iter().filter(|label| !terms[i].contains(label));
    terms[i].iter().chain(new).copied().filter(others).collect()
}

/// The two terms to multiply next, by the greedy method of Smith and Gray (`opt_einsum`,
/// Journal of Open Source Software 3(26), 2018): those whose product is smallest beside
/// what it replaces, and of these the ones with the fewest multiplications. Terms
/// without a common label come last.
fn next_pair(
    terms: &[&[Label]],
    result: &[Label],
    sizes: &BTreeMap<Label, usize>,
) -> (usize, usize) {
    let size = |labels: &mut dyn Iterator<Item = &Label>| -> f64 {
        labels.map(|label| sizes[label] as f64).product()
    };
    let cost = |i: usize, j: usize| {
        let (a, b) = (terms[i], terms[j]);
        let new = || b.iter().filter(|label| !a.contains(label));
        let product = kept(terms, i, j, result);
        let apart = new().count() == b.len();
        let grown =
            size(&mut product.iter()) - size(&mut a.iter()) - size(&mut b.iter());
        (apart, grown, size(&mut a.iter().chain(new())))
    };
    let pairs =
        (0..terms.len()).flat_map(|i| (i + 1..terms.len()).map(move |j| (i, j)));
    let cheapest = pairs.map(|(i, j)| (cost(i, j), (i, j))).min_by(|(a, _), (b, _)| {
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    });
    cheapest.expect("there are two terms").1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        text.chars().map(Label::Letter).collect()
    }

    fn order(terms: &[&str], result: &str, sizes: &[(char, usize)]) -> Vec<String> {
        let sizes =
            sizes.iter().map(|&(label, size)| (Label::Letter(label), size)).collect();
        let result = labels(result);
        let mut terms: Vec<Labels> = terms.iter().map(|term| labels(term)).collect();
        let mut products = Vec::new();
        while terms.len() > 1 {
            let all: Vec<&[Label]> = terms.iter().map(|term| &term[..]).collect();
            let (i, j) = next_pair(&all, &result, &sizes);
            let product = kept(&all, i, j, &result);
            let text = product.iter().map(|label| match label {
                Label::Letter(letter) => *letter,
                Label::Number(_) | Label::Dots(_) => '?',
            });
            products.push(text.collect());
            terms.remove(j);
            terms.remove(i);
            terms.push(product);
        }
        products
    }

    #[test]
    fn small_products_come_first() {
        let sizes = [('a', 2), ('b', 100), ('c', 100), ('d', 3)];
        assert_eq!(order(&["ab", "bc", "cd"], "ad", &sizes), ["ac", "da"]);
        // Both products replace as much; that of the column takes a hundredth as long.
        let sizes = [('a', 100), ('b', 100), ('c', 100), ('d', 1)];
        assert_eq!(order(&["ab", "bc", "cd"], "ad", &sizes), ["bd", "ad"]);
    }

    #[test]
    fn terms_without_a_common_label_come_last() {
        let sizes = [('a', 1), ('b', 50), ('c', 50)];
        assert_eq!(order(&["a", "bc", "bc"], "abc", &sizes), ["bc", "abc"]);
        assert_eq!(order(&["a", "b", "c"], "", &sizes), ["", ""]);
    }
}
