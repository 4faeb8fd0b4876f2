//! Reductions beyond sums and maxima, running sums, and order.

use super::Tensor;
use crate::error::{self, Result};
use crate::ops::along::TakeAlongAxis;
use crate::ops::emit::Arg;
use crate::record::{Reduction, Running};
use smallvec::smallvec;

macro_rules! reductions {
    ($(
        $(#[$doc:meta])*
        $name:ident $fallible:ident $axes_name:ident $axes_fallible:ident
        ($($arg:ident: $t:ty),*)
        |$this:ident, $axes:ident, $keepdims:ident, $arena:ident, $site:ident| $body:expr;
    )*) => {
        /// Reductions of all elements, and over axes.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self $(, $arg: $t)*) -> Tensor<'rec> {
                error::expect(self.$fallible($($arg),*))
            }

            #[doc = concat!("As `", stringify!($name), "`; an error records nothing.")]
            #[track_caller]
            pub fn $fallible(&self $(, $arg: $t)*) -> Result<Tensor<'rec>> {
                let ($this, $axes, $keepdims) = (self.index, None, false);
                self.record.node(|$arena, $site| $body)
            }

            #[doc = concat!("As `", stringify!($name), "` over axes; `keepdims` keeps them with size 1.")]
            #[track_caller]
            pub fn $axes_name(
                &self,
                $($arg: $t,)*
                axes: &[isize],
                keepdims: bool,
            ) -> Tensor<'rec> {
                error::expect(self.$axes_fallible($($arg,)* axes, keepdims))
            }

            #[doc = concat!("As `", stringify!($axes_name), "`; an error records nothing.")]
            #[track_caller]
            pub fn $axes_fallible(
                &self,
                $($arg: $t,)*
                axes: &[isize],
                keepdims: bool,
            ) -> Result<Tensor<'rec>> {
                let ($this, $axes, $keepdims) = (self.index, Some(axes), keepdims);
                self.record.node(|$arena, $site| $body)
            }
        )* }
    };
}
reductions! {
    /// Smallest element; at ties the cotangent is split equally.
    min try_min min_axes try_min_axes()
    |x, axes, keepdims, arena, site|
        arena.reduce(Reduction::Min, x, axes, keepdims, site);

    /// Product of the elements; its gradient is right where elements are 0.
    prod try_prod prod_axes try_prod_axes()
    |x, axes, keepdims, arena, site|
        arena.reduce(Reduction::Prod, x, axes, keepdims, site);

    /// Variance: the sum of the squared deviations by the count less `ddof`.
    var try_var var_axes try_var_axes(ddof: f64)
    |x, axes, keepdims, arena, site| arena.var(x, axes, ddof, keepdims, site);

    /// Standard deviation, the root of `var`. Its gradient at 0 is 0.
    std try_std std_axes try_std_axes(ddof: f64)
    |x, axes, keepdims, arena, site| arena.std(x, axes, ddof, keepdims, site);

    /// Norm of the elements as one vector: the root of order `order` of the sum of the
    /// magnitudes to that power; the largest for infinity, the number of those that
    /// are not 0 for 0. The gradient at 0 is 0.
    norm try_norm norm_axes try_norm_axes(order: f64)
    |x, axes, keepdims, arena, site| arena.norm(x, order, axes, keepdims, site);

    /// Median: the middle of the sorted elements, or the mean of the two there.
    median try_median median_axes try_median_axes()
    |x, axes, keepdims, arena, site| arena.median(x, axes, keepdims, site);

    /// Whether any element differs from 0.
    any try_any any_axes try_any_axes()
    |x, axes, keepdims, arena, site| arena.any(x, axes, keepdims, false, site);

    /// Whether all elements differ from 0.
    all try_all all_axes try_all_axes()
    |x, axes, keepdims, arena, site| arena.any(x, axes, keepdims, true, site);

    /// Number of elements that differ from 0.
    count_nonzero try_count_nonzero count_nonzero_axes try_count_nonzero_axes()
    |x, axes, keepdims, arena, site| arena.count_nonzero(x, axes, keepdims, site);
}

methods! {
    /// Index of the smallest element along an axis; the first at ties.
    argmin try_argmin(axis: isize)
    |x, arena, site| arena.argmin(x, Some(axis), false, site);

    /// Sums of the elements along an axis up to each place.
    cumsum try_cumsum(axis: isize)
    |x, arena, site| arena.running(Running::Sum, x, Some(axis), site);

    /// Products of the elements along an axis up to each place.
    cumprod try_cumprod(axis: isize)
    |x, arena, site| arena.running(Running::Product, x, Some(axis), site);

    /// `log(cumsum(exp(x)))` along an axis, without overflow.
    logcumsumexp try_logcumsumexp(axis: isize)
    |x, arena, site| arena.running(Running::LogSumExp, x, Some(axis), site);

    /// The elements along an axis in ascending order, NaN last.
    sort try_sort(axis: isize) |x, arena, site| arena.sort(x, Some(axis), site);

    /// The positions that sort the elements along an axis; equal ones keep their order.
    argsort try_argsort(axis: isize)
    |x, arena, site| arena.argsort(x, Some(axis), false, site);

    /// The distinct elements, ascending, as a constant.
    unique try_unique() |x, arena, site| arena.unique(x, site);

    /// How often each integer from 0 on occurs; at least `minlength` counts.
    bincount try_bincount(minlength: usize)
    |x, arena, site| arena.bincount(x, None, minlength, site);
}

/// Order.
impl<'rec> Tensor<'rec> {
    /// The `k` largest elements along an axis, the largest first, and their positions.
    #[track_caller]
    pub fn topk(&self, k: usize, axis: isize) -> (Tensor<'rec>, Tensor<'rec>) {
        error::expect(self.try_topk(k, axis))
    }

    /// As `topk`; an error records nothing.
    #[track_caller]
    pub fn try_topk(
        &self,
        k: usize,
        axis: isize,
    ) -> Result<(Tensor<'rec>, Tensor<'rec>)> {
        let places = self
            .record
            .node(|arena, site| arena.topk_positions(self.index, k, axis, site))?;
        let along =
            if axis < 0 { axis + self.shape().len().cast_signed() } else { axis };
        let op = TakeAlongAxis { axis: along.unsigned_abs() }.into();
        let operands = smallvec![Arg::Value(self.index), Arg::Value(places.index)];
        let values =
            self.record.node(|arena, site| arena.apply(&op, operands, site))?;
        Ok((values, places))
    }
}
