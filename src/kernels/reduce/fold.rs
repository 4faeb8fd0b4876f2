//! The ways in which elements are combined, and the order in which a slice is.

use crate::array::buffer::Buffer;
use crate::dtype::Element;
use crate::error::Result;
use crate::kernels::rows::Real;
use crate::kernels::threads::for_each_part;
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::{array, slice};

/// Elements under `+` and `×`: integers wrap, truth values know *or* and *and*.
pub(in crate::kernels) trait Number: Element {
    const ZERO: Self;
    const ONE: Self;
    /// What leaves every number as it is when added, the sign of a zero included.
    const NEUTRAL: Self;
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// `self · factor + term`; for floats rounded once if `FMA`.
    #[inline(always)]
    fn times_plus<const FMA: bool>(self, factor: Self, term: Self) -> Self {
        self.times(factor).plus(term)
    }
}

macro_rules! number {
    ($(
        $t:ty, $zero:expr, $one:expr, $neutral:expr, $plus:expr, $times:expr
        $(, $fused:expr)?;
    )*) => {$(
        impl Number for $t {
            const ZERO: Self = $zero;
            const ONE: Self = $one;
            const NEUTRAL: Self = $neutral;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                $plus(self, other)
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                $times(self, other)
            }
            $(#[inline(always)]
            fn times_plus<const FMA: bool>(self, factor: Self, term: Self) -> Self {
                if FMA {
                    $fused(self, factor, term)
                } else {
                    $plus($times(self, factor), term)
                }
            })?
        }
    )*};
}
number! {
    f32, 0.0, 1.0, -0.0, |a, b| a + b, |a, b| a * b, f32::mul_add;
    f64, 0.0, 1.0, -0.0, |a, b| a + b, |a, b| a * b, f64::mul_add;
    i64, 0, 1, 0, i64::wrapping_add, i64::wrapping_mul;
    bool, false, true, false, |a, b| a | b, |a, b| a & b;
}

/// A way to combine the elements of a reduction into one.
pub(in crate::kernels) trait Fold: Copy + Sync {
    type Item: Element;
    type Acc: Copy + Send;
    /// Joined to anything, it changes nothing.
    const NEUTRAL: Self::Acc;
    /// Whether every order gives the same bits, so that the compiler may choose one.
    const ORDERLESS: bool = !Self::Item::DTYPE.is_float();
    /// Elements that are folded at once; the results of longer runs meet in a tree.
    const BLOCK: usize = 4096;
    fn lift(x: Self::Item) -> Self::Acc;
    fn join(a: Self::Acc, b: Self::Acc) -> Self::Acc;
    fn finish(self, acc: Self::Acc) -> Self::Item;
    /// Whether `lift_group` is quicker than `lift_each`, and may fail.
    const QUICK: bool = false;
    #[inline(always)]
    fn lift_group<const FMA: bool>(group: [Self::Item; GROUP]) -> Self::Acc {
        lift_each::<Self>(group)
    }
    /// Whether a `lift_group` may have failed on the way to this result of at most `BLOCK`
    /// elements, which are then folded again without.
    #[inline(always)]
    fn failed(_acc: Self::Acc) -> bool {
        false
    }
}

/// Lifts the elements of a group one by one, and joins them in pairs.
#[inline(always)]
pub(super) fn lift_each<F: Fold>(group: [F::Item; GROUP]) -> F::Acc {
    join_group(group.map(F::lift), F::join)
}

/// The sum, in the elements' own type.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Sum<T>(pub(in crate::kernels) PhantomData<T>);

impl<T: Number> Fold for Sum<T> {
    type Item = T;
    type Acc = T;
    const NEUTRAL: T = T::NEUTRAL;
    #[inline(always)]
    fn lift(x: T) -> T {
        x
    }
    #[inline(always)]
    fn join(a: T, b: T) -> T {
        a.plus(b)
    }
    #[inline(always)]
    fn finish(self, acc: T) -> T {
        acc
    }
}

/// The sum in `f64`, divided before it is rounded to the elements' type.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Mean<T> {
    pub(in crate::kernels) divisor: f64,
    pub(in crate::kernels) of: PhantomData<T>,
}

impl<T: Real> Fold for Mean<T> {
    type Item = T;
    type Acc = f64;
    const NEUTRAL: f64 = -0.0;
    #[inline(always)]
    fn lift(x: T) -> f64 {
        x.widen()
    }
    #[inline(always)]
    fn join(a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn finish(self, acc: f64) -> T {
        T::narrow(acc / self.divisor)
    }
}

/// Elements with a largest one; a NaN is larger than any number.
pub(in crate::kernels) trait Ordered: Element + PartialOrd {
    const LEAST: Self;
    fn is_nan(self) -> bool;
    /// Whether this is larger than `other`.
    #[inline(always)]
    fn beats(self, other: Self) -> bool {
        self > other || (self.is_nan() && !other.is_nan())
    }
    /// The larger of two; the first of two equals.
    ///
    /// The inner choice is one instruction, as a test for NaN within it is not.
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        let larger = if other > self { other } else { self };
        if other.is_nan() { other } else { larger }
    }
}

macro_rules! ordered {
    ($($t:ty, $least:expr, $is_nan:expr;)*) => {$(
        impl Ordered for $t {
            const LEAST: Self = $least;
            #[inline(always)]
            fn is_nan(self) -> bool {
                $is_nan(self)
            }
        }
    )*};
}
ordered! {
    f32, f32::NEG_INFINITY, f32::is_nan;
    f64, f64::NEG_INFINITY, f64::is_nan;
    i64, i64::MIN, |_| false;
    bool, false, |_| false;
}

/// The largest element.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Max<T>(pub(in crate::kernels) PhantomData<T>);

impl<T: Ordered> Fold for Max<T> {
    type Item = T;
    type Acc = T;
    const NEUTRAL: T = T::LEAST;
    #[inline(always)]
    fn lift(x: T) -> T {
        x
    }
    #[inline(always)]
    fn join(a: T, b: T) -> T {
        a.larger(b)
    }
    #[inline(always)]
    fn finish(self, acc: T) -> T {
        acc
    }
}

/// Joins results in pairs: those of one block, of two, of four and so on, so that the
/// order depends on their number alone. `None` if there are none.
pub(in crate::kernels) fn join_tree<A>(
    mut items: impl Iterator<Item = A>,
    join: impl Fn(A, A) -> A,
) -> Option<A> {
    let mut last = items.next()?;
    // What is here are the ones of a binary counter.
    let mut partial = SmallVec::<[A; 16]>::new();
    for (count, item) in items.enumerate() {
        let mut whole = mem::replace(&mut last, item);
        for _ in 0..count.trailing_ones() {
            if let Some(left) = partial.pop() {
                whole = join(left, whole);
            }
        }
        partial.push(whole);
    }
    // What is popped moves alone: it may be the results of many columns.
    while let Some(left) = partial.pop() {
        last = join(left, last);
    }
    Some(last)
}

/// As `join_tree`, of what `tile` gives for each number below `count`.
pub(in crate::kernels) fn join_tiles<A: Copy + Send>(
    op: &'static str,
    count: usize,
    tile: impl Fn(usize) -> A + Sync,
    join: impl Fn(A, A) -> A,
) -> Result<Option<A>> {
    let memory = Buffer::new(op, count * size_of::<A>(), &[count])?;
    let items = memory.data().cast::<MaybeUninit<A>>();
    // SAFETY: the memory is ours alone, aligned, and has room for the items.
    let items = unsafe { slice::from_raw_parts_mut(items, count) };
    for_each_part(items, 1, |k, item| {
        item[0].write(tile(k));
    })?;
    // SAFETY: each tile has written its item.
    let items = items.iter().map(|item| unsafe { item.assume_init() });
    Ok(join_tree(items, join))
}

/// Elements that are combined in pairs before they join a running result.
pub(in crate::kernels) const GROUP: usize = 8;
/// Running results of a slice.
const LANES: usize = 16;

/// Folds at most `F::BLOCK` elements: in lanes, eight rows of them at a time, then row by
/// row; at last the lanes in halves.
///
/// Lanes are passed by value, as behind references they would be kept in memory; and
/// halves, not neighbours, are joined, as the compiler finds its vectors from the end.
#[inline(always)]
pub(in crate::kernels) fn fold_block<F: Fold, const FMA: bool>(
    x: &[F::Item],
) -> F::Acc {
    if F::ORDERLESS {
        return x.iter().fold(F::NEUTRAL, |acc, &x| F::join(acc, F::lift(x)));
    }
    let (rows, x) = x.as_chunks::<LANES>();
    let (groups, rows) = rows.as_chunks::<GROUP>();
    if F::QUICK && !groups.is_empty() {
        let acc = fold_ends::<F>(fold_groups_quickly::<F, FMA>(groups), rows, x);
        if !F::failed(acc) {
            return acc;
        }
    }
    let row = |row: &[_; LANES]| -> [_; LANES] { array::from_fn(|k| F::lift(row[k])) };
    let mut lanes = [F::NEUTRAL; LANES];
    for [a, b, c, d, e, f, g, h] in groups {
        let group = [row(a), row(b), row(c), row(d), row(e), row(f), row(g), row(h)];
        lanes = join_lanes::<F, _>(lanes, join_group(group, join_lanes::<F, _>));
    }
    fold_ends::<F>(lanes, rows, x)
}

/// Here the lanes are changed in place: so a group, which is joined lane by lane, becomes
/// vectors whatever happens in it.
#[inline(always)]
fn fold_groups_quickly<F: Fold, const FMA: bool>(
    groups: &[[[F::Item; LANES]; GROUP]],
) -> [F::Acc; LANES] {
    let mut lanes = [F::NEUTRAL; LANES];
    for group in groups {
        for (k, lane) in lanes.iter_mut().enumerate() {
            let group = array::from_fn(|row| group[row][k]);
            *lane = F::join(*lane, F::lift_group::<FMA>(group));
        }
    }
    lanes
}

/// Joins the rows after the last group to the lanes, these in halves, and the elements
/// after the last row.
#[inline(always)]
fn fold_ends<F: Fold>(
    mut lanes: [F::Acc; LANES],
    rows: &[[F::Item; LANES]],
    x: &[F::Item],
) -> F::Acc {
    for row in rows {
        lanes = join_lanes::<F, _>(lanes, array::from_fn(|k| F::lift(row[k])));
    }
    let mut eight: [_; 8] = array::from_fn(|k| F::join(lanes[k], lanes[k + 8]));
    let (rows, x) = x.as_chunks::<8>();
    for row in rows {
        eight = join_lanes::<F, _>(eight, array::from_fn(|k| F::lift(row[k])));
    }
    let four: [_; 4] = array::from_fn(|k| F::join(eight[k], eight[k + 4]));
    let two: [_; 2] = array::from_fn(|k| F::join(four[k], four[k + 2]));
    let rest = x.iter().fold(F::NEUTRAL, |acc, &x| F::join(acc, F::lift(x)));
    F::join(F::join(two[0], two[1]), rest)
}

#[inline(always)]
fn join_lanes<F: Fold, const N: usize>(a: [F::Acc; N], b: [F::Acc; N]) -> [F::Acc; N] {
    array::from_fn(|k| F::join(a[k], b[k]))
}

/// Joins a group in pairs.
#[inline(always)]
fn join_group<A>(group: [A; GROUP], join: impl Fn(A, A) -> A) -> A {
    let [a, b, c, d, e, f, g, h] = group;
    let (ab, cd, ef, gh) = (join(a, b), join(c, d), join(e, f), join(g, h));
    join(join(ab, cd), join(ef, gh))
}
