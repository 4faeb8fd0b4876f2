//! Products of tensors.

use super::{Tensor, nodes_of};
use crate::error::{self, Result};
use crate::record::Expression;

/// A product of two tensors and its fallible twin, from one body.
macro_rules! products {
    ($(
        $(#[$doc:meta])*
        $name:ident $fallible:ident ($($arg:ident: $t:ty),*)
        |$a:ident, $b:ident, $arena:ident, $site:ident| $body:expr;
    )*) => {
        /// Products by `NumPy`'s rules.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, b: &Tensor<'rec> $(, $arg: $t)*) -> Tensor<'rec> {
                error::expect(self.$fallible(b $(, $arg)*))
            }

            #[doc = concat!("As `", stringify!($name), "`; an error records nothing.")]
            #[track_caller]
            pub fn $fallible(
                &self,
                b: &Tensor<'rec>
                $(, $arg: $t)*
            ) -> Result<Tensor<'rec>> {
                let $a = self.index;
                let $b = b.node_of(stringify!($name), self.record)?;
                self.record.node(|$arena, $site| $body)
            }
        )* }
    };
}

products! {
    /// Sums of products over pairs of axes; the others stay, this tensor's first.
    tensordot try_tensordot(axes: &[isize], axes_b: &[isize])
    |a, b, arena, site| arena.tensordot(a, b, axes, axes_b, site);

    /// Sums of products over the last axis of this tensor and the last but one of `b`,
    /// or its only one; a product if either has no axes.
    dot try_dot() |a, b, arena, site| arena.dot(a, b, site);

    /// Sums of products over the last axes; a product if either tensor has no axes.
    inner try_inner() |a, b, arena, site| arena.inner(a, b, site);

    /// The product of each element, in C order, with each of `b`: a matrix.
    outer try_outer() |a, b, arena, site| arena.outer(a, b, site);

    /// The sum of the products of all elements, in C order.
    vdot try_vdot() |a, b, arena, site| arena.vdot(a, b, site);

    /// Each element times the whole of `b`, side by side along each axis.
    kron try_kron() |a, b, arena, site| arena.kron(a, b, site);

    /// The vector product along an axis, which has size 3; the others broadcast.
    cross try_cross(axis: isize)
    |a, b, arena, site| arena.cross(a, b, [axis; 3], site);
}

/// The sum of products that an expression writes out: `"ij,jk->ik"` is a product of
/// matrices, `"ii"` a trace, `"...ij->...ji"` a transpose.
///
/// ```
/// use wengert::{einsum, prelude::*};
/// let rec = ComputationRecord::new();
/// let x = rec.tensor_from_value(NdArray::from_elements(&[1.0, 2.0, 3.0]));
/// assert_eq!(einsum("i,i->", &[x, x]).item(), 14.0);
/// ```
///
/// # Panics
/// If the expression is none, does not fit the tensors, or their records differ.
#[track_caller]
pub fn einsum<'rec>(subscripts: &str, operands: &[Tensor<'rec>]) -> Tensor<'rec> {
    error::expect(try_einsum(subscripts, operands))
}

/// As `einsum`; an error records nothing.
#[track_caller]
pub fn try_einsum<'rec>(
    subscripts: &str,
    operands: &[Tensor<'rec>],
) -> Result<Tensor<'rec>> {
    let (record, nodes) = nodes_of("einsum", operands)?;
    let expression = Expression::parse(subscripts)?;
    record.node(|arena, site| arena.einsum(&expression, &nodes, site))
}
