//! Products of two tensors by `NumPy`'s names.

use super::Arena;
use super::contract::{Label, Labels, Term};
use crate::error::{Error, Fault, Operand, Result};
use crate::ops::Op;
use crate::ops::emit::Arg;
use crate::shape::{self, Axes, Shape};

/// Labels for axes that are known by their places.
fn numbers(places: impl IntoIterator<Item = usize>) -> Labels {
    places.into_iter().map(Label::Number).collect()
}

impl Arena {
    /// Adds the names and places of both operands to an error about their shapes.
    fn about_both<T>(&self, a: u32, b: u32, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.explain(error, &[Arg::Value(a), Arg::Value(b)]))
    }

    /// Sums products over pairs of axes; the others stay, those of `a` first.
    pub(crate) fn tensordot(
        &mut self,
        a: u32,
        b: u32,
        axes_a: &[isize],
        axes_b: &[isize],
        site: u32,
    ) -> Result<u32> {
        let op = "tensordot";
        if axes_a.len() != axes_b.len() {
            let (a, b) = (axes_a.len(), axes_b.len());
            return Err(Error::new(Fault::AxesPairs { op, a, b }));
        }
        let named = |arena: &Arena, x: u32, axes: &[isize]| -> Result<Axes> {
            let ndim = arena.ndim(x);
            let named = shape::axes(op, Some(axes), ndim)
                .and_then(|_| axes.iter().map(|&k| shape::axis(op, k, ndim)).collect());
            arena.about(x, named)
        };
        let (axes_a, axes_b) = (named(self, a, axes_a)?, named(self, b, axes_b)?);
        self.paired(op, a, b, &axes_a, &axes_b, site)
    }

    /// As `tensordot`, with axes that exist.
    fn paired(
        &mut self,
        op: &'static str,
        a: u32,
        b: u32,
        axes_a: &[usize],
        axes_b: &[usize],
        site: u32,
    ) -> Result<u32> {
        let (left, right) = (&self.ty(a).shape, &self.ty(b).shape);
        for (&axis_a, &axis_b) in axes_a.iter().zip(axes_b) {
            let (size_a, size_b) = (left[axis_a], right[axis_b]);
            if size_a != size_b {
                let (x, y) = (Operand::new(left), Operand::new(right));
                let fault = Fault::InnerSizes {
                    op,
                    a: x,
                    b: y,
                    axis_a,
                    axis_b,
                    size_a,
                    size_b,
                };
                return self.about_both(a, b, Err(Error::new(fault)));
            }
        }
        let ndim = left.ndim();
        let label = |k: usize| match axes_b.iter().position(|&axis| axis == k) {
            Some(pair) => axes_a[pair],
            None => ndim + k,
        };
        let labels_a = numbers(0..ndim);
        let labels_b = numbers((0..right.ndim()).map(label));
        let is_free =
            |label: &Label| labels_a.contains(label) != labels_b.contains(label);
        let result: Labels =
            labels_a.iter().chain(&labels_b).copied().filter(is_free).collect();
        let terms = vec![
            Term { node: a, labels: labels_a },
            Term { node: b, labels: labels_b },
        ];
        self.composed(op, |arena| arena.contract(op, terms, &result, site))
    }

    /// Sums products over the last axis of both; a product if one has no axes.
    pub(crate) fn inner(&mut self, a: u32, b: u32, site: u32) -> Result<u32> {
        match (self.ndim(a), self.ndim(b)) {
            (0, _) | (_, 0) => {
                self.binary(&Op::Multiply, Arg::Value(a), Arg::Value(b), site)
            }
            (m, n) => self.paired("inner", a, b, &[m - 1], &[n - 1], site),
        }
    }

    /// Sums products over the last axis of `a` and the last but one of `b`.
    pub(crate) fn dot(&mut self, a: u32, b: u32, site: u32) -> Result<u32> {
        match (self.ndim(a), self.ndim(b)) {
            (0, _) | (_, 0) => {
                self.binary(&Op::Multiply, Arg::Value(a), Arg::Value(b), site)
            }
            (m, n) => self.paired("dot", a, b, &[m - 1], &[n.saturating_sub(2)], site),
        }
    }

    /// The sum of the products of all elements, in C order.
    pub(crate) fn vdot(&mut self, a: u32, b: u32, site: u32) -> Result<u32> {
        let flat = |arena: &Arena, x: u32| Shape::new(&[arena.ty(x).shape.len()]);
        let (left, right) = (flat(self, a), flat(self, b));
        if left != right {
            let (size_a, size_b) = (left.len(), right.len());
            let (x, y) = (&self.ty(a).shape, &self.ty(b).shape);
            let (x, y) = (Operand::new(x), Operand::new(y));
            let fault = Fault::Elements { op: "vdot", a: x, b: y, size_a, size_b };
            return self.about_both(a, b, Err(Error::new(fault)));
        }
        self.composed("vdot", |arena| {
            let x = arena.flattened(a, site)?;
            let y = arena.flattened(b, site)?;
            arena.paired("vdot", x, y, &[0], &[0], site)
        })
    }

    /// The product of each element of `a`, in C order, with each of `b`.
    pub(crate) fn outer(&mut self, a: u32, b: u32, site: u32) -> Result<u32> {
        self.composed("outer", |arena| {
            let x = arena.flattened(a, site)?;
            let y = arena.flattened(b, site)?;
            arena.paired("outer", x, y, &[], &[], site)
        })
    }

    /// Each element of `a` times the whole of `b`, side by side along each axis.
    pub(crate) fn kron(&mut self, a: u32, b: u32, site: u32) -> Result<u32> {
        let ndim = self.ndim(a).max(self.ndim(b));
        // The axes of both take turns; missing ones are the first.
        let terms = [(a, 0), (b, 1)].map(|(node, second)| {
            let missing = ndim - self.ndim(node);
            Term { node, labels: numbers((missing..ndim).map(|k| 2 * k + second)) }
        });
        let mut result: Labels =
            terms.iter().flat_map(|term| term.labels.iter().copied()).collect();
        result.sort_unstable();
        let padded = |arena: &Arena, node: u32, k: usize| {
            let shape = &arena.ty(node).shape;
            (k + shape.ndim()).checked_sub(ndim).map_or(1, |k| shape[k])
        };
        let shape: Shape = (0..ndim)
            .map(|k| padded(self, a, k).saturating_mul(padded(self, b, k)))
            .collect();
        let shape = shape::check("kron", &shape, self.ty(a).dtype)?;
        self.composed("kron", |arena| {
            let y = arena.contract("kron", terms.into(), &result, site)?;
            arena.reshaped(y, shape, site)
        })
    }

    /// The vector product along axes of size 3; the others broadcast.
    pub(crate) fn cross(
        &mut self,
        a: u32,
        b: u32,
        axes: [isize; 3],
        site: u32,
    ) -> Result<u32> {
        for (x, axis) in [(a, axes[0]), (b, axes[1])] {
            let from = &self.ty(x).shape;
            let axis = self.about(x, shape::axis("cross", axis, from.ndim()))?;
            if from[axis] != 3 {
                let (operand, size) = (Operand::new(from), from[axis]);
                let fault = Fault::NotThree { operand, axis, size };
                return self.about(x, Err(Error::new(fault)));
            }
        }
        self.composed("cross", |arena| {
            let x = arena.moveaxis(a, &[axes[0]], &[-1], site)?;
            let y = arena.moveaxis(b, &[axes[1]], &[-1], site)?;
            let mut products = [0; 2];
            for (product, (of_x, of_y)) in products
                .iter_mut()
                .zip([([1, 2, 0], [2, 0, 1]), ([2, 0, 1], [1, 2, 0])])
            {
                let (last_x, last_y) = (arena.ndim(x) - 1, arena.ndim(y) - 1);
                let x = arena.taken(x, 3, of_x.into_iter(), last_x, site)?;
                let y = arena.taken(y, 3, of_y.into_iter(), last_y, site)?;
                *product =
                    arena.binary(&Op::Multiply, Arg::Value(x), Arg::Value(y), site)?;
            }
            let [first, second] = products.map(Arg::Value);
            let y = arena.binary(&Op::Subtract, first, second, site)?;
            arena.moveaxis(y, &[-1], &[axes[2]], site)
        })
    }
}
