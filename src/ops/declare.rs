//! The declaration macros: each turns the entries of one list into types and rules.

use super::fused::Fused;
use super::guarded::Common;
use super::scalar::{Scalar, strong_product};
use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::guard::{Flagged, Guarded};
use crate::kernels::map::{Lane, Map, Mode};
use std::marker::PhantomData;

/// What a declared op says of itself.
pub(crate) trait Entry {
    /// The name that users, messages and printed records know it by.
    const NAME: &'static str;
    /// What it computes, unless the function of its name says so.
    const ABOUT: &'static str = "";
    /// Whether integers keep their type, or are cast to `f64`.
    const TAKES_INTEGERS: bool = true;
}

/// The value of an elementwise op of `N` operands.
pub(crate) trait Value<S, const N: usize>: Entry {
    type Output;
    fn value(operands: [S; N]) -> Self::Output;
}

/// The partial derivative of an elementwise op in operand `K`, given the output `y`.
pub(crate) trait Slope<S, const N: usize, const K: usize>: Entry {
    fn slope(operands: [S; N], y: S) -> S;
}

/// An elementwise op as loops over arrays.
pub(crate) trait Elementwise: Entry {
    /// Writes the value at every position.
    fn map(x: &[View<'_>], out: ViewMut<'_>, mode: Mode) -> Result<()>;

    /// As `map`, for `len` elements of a float type that lie flat.
    ///
    /// # Safety
    /// Each pointer reaches `len` elements of `dtype`, `out` room for as many, elsewhere.
    unsafe fn map_flat(dtype: DType, x: &[*const u8], out: *mut u8, len: usize) {
        let _ = (dtype, x, out, len);
        unreachable!("{} has no flat loop", Self::NAME)
    }

    /// Writes or adds the cotangent of operand `k` at every position.
    fn pull(
        k: usize,
        ct: View<'_>,
        x: &[View<'_>],
        y: View<'_>,
        out: ViewMut<'_>,
        mode: Mode,
    ) -> Result<()> {
        let _ = (k, ct, x, y, out, mode);
        unreachable!("{} has no slope", Self::NAME)
    }

    /// As `pull`, for a few elements of a float type that lie flat: the cotangent, the
    /// operands and the value.
    ///
    /// # Safety
    /// As for the kernel `pull_flat`.
    unsafe fn pull_flat(
        k: usize,
        dtype: DType,
        x: [*const u8; 4],
        out: *mut u8,
        len: usize,
        mode: Mode,
    ) {
        let _ = (k, dtype, x, out, len, mode);
        unreachable!("{} has no slope", Self::NAME)
    }
}

/// The value as what a loop computes.
pub(crate) struct Forwards<R>(PhantomData<R>);

impl<T: Lane, R: Value<T, N>, const N: usize> Map<T, N> for Forwards<R>
where
    R::Output: Lane,
{
    type Output = R::Output;
    const DEAR: bool = !R::TAKES_INTEGERS;
    #[inline(always)]
    fn at<const FMA: bool>(operands: [T; N]) -> R::Output {
        R::value(operands)
    }
}

/// The same for floats, whose functions are sooner computed for common arguments, and by
/// fused operations.
pub(crate) struct Guards<R>(PhantomData<R>);

/// A float that is right unless its flag is raised.
type Safe<T> = Guarded<T, <T as Flagged>::Flag>;

impl<T: Common + Lane, R, const N: usize> Map<T, N> for Guards<R>
where
    Fused<T>: Common<Flag = T::Flag>,
    R: Value<T, N, Output = T> + Value<Safe<T>, N, Output = Safe<T>>,
    R: Value<Fused<T>, N, Output = Fused<T>>,
    R: Value<Safe<Fused<T>>, N, Output = Safe<Fused<T>>>,
{
    type Output = T;
    const DEAR: bool = !R::TAKES_INTEGERS;
    #[inline(always)]
    fn at<const FMA: bool>(operands: [T; N]) -> T {
        if FMA { R::value(operands.map(Fused)).0 } else { R::value(operands) }
    }
    #[inline(always)]
    fn guarded<const FMA: bool>(operands: [T; N]) -> Safe<T> {
        if FMA {
            R::value(operands.map(|x| Guarded::right(Fused(x)))).map(|y| y.0)
        } else {
            R::value(operands.map(Guarded::right))
        }
    }
}

/// The cotangent of operand `K` as what a loop computes.
pub(crate) struct Backwards<R, const K: usize>(PhantomData<R>);

/// The cotangent `ct` times the slope of operand `K`.
#[inline(always)]
fn pull<R: Slope<S, N, K>, S: Scalar, const N: usize, const K: usize>(
    ct: S,
    x: [S; N],
    y: S,
) -> S {
    strong_product(ct, R::slope(x, y))
}

macro_rules! backwards {
    ($n:literal: $operands:literal, [$($x:ident),*]) => {
        impl<T: Common + Lane, R, const K: usize> Map<T, $operands> for Backwards<R, K>
        where
            Fused<T>: Common<Flag = T::Flag>,
            R: Slope<T, $n, K> + Slope<Safe<T>, $n, K>,
            R: Slope<Fused<T>, $n, K> + Slope<Safe<Fused<T>>, $n, K>,
        {
            type Output = T;
            const DEAR: bool = !R::TAKES_INTEGERS;
            #[inline(always)]
            fn at<const FMA: bool>(operands: [T; $operands]) -> T {
                if FMA {
                    let [ct, $($x,)* y] = operands.map(Fused);
                    pull::<R, _, $n, K>(ct, [$($x),*], y).0
                } else {
                    let [ct, $($x,)* y] = operands;
                    pull::<R, _, $n, K>(ct, [$($x),*], y)
                }
            }
            #[inline(always)]
            fn guarded<const FMA: bool>(operands: [T; $operands]) -> Safe<T> {
                if FMA {
                    let [ct, $($x,)* y] = operands.map(|x| Guarded::right(Fused(x)));
                    pull::<R, _, $n, K>(ct, [$($x),*], y).map(|y| y.0)
                } else {
                    let [ct, $($x,)* y] = operands.map(Guarded::right);
                    pull::<R, _, $n, K>(ct, [$($x),*], y)
                }
            }
        }
    };
}
backwards!(1: 3, [x]);
backwards!(2: 4, [a, b]);

macro_rules! takes_integers {
    (Reals) => {
        false
    };
    (Numbers) => {
        true
    };
}
pub(crate) use takes_integers;

/// The type of an op, and what it says of itself.
macro_rules! op_type {
    ($(#[$doc:meta])* $Op:ident $name:ident $($domain:ident)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub(crate) struct $Op;

        impl $crate::ops::declare::Entry for $Op {
            const NAME: &'static str = stringify!($name);
            $(
                const TAKES_INTEGERS: bool =
                    $crate::ops::declare::takes_integers!($domain);
            )?
        }
    };
}
pub(crate) use op_type;

macro_rules! declare_unary {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident on $domain:ident {
            example($($operands:literal),+) = $result:literal;
            value($x:pat_param) = $value:expr;
            slope($sx:pat_param, $sy:pat_param) = $slope:expr;
        }
    )*) => { $(
        $crate::ops::declare::op_type!($(#[$doc])* $Op $name $domain);
        $crate::ops::declare::value!($domain, $Op, 1, [$x], $value);

        impl $crate::ops::declare::Elementwise for $Op {
            fn map(x: &[View<'_>], out: ViewMut<'_>, mode: Mode) -> $crate::error::Result<()> {
                $crate::ops::declare::map_typed!($domain, $Op, 1, [x[0]], out, mode)
            }

            unsafe fn map_flat(
                dtype: $crate::dtype::DType,
                x: &[*const u8],
                out: *mut u8,
                len: usize,
            ) {
                // SAFETY: by the contract of this function.
                unsafe {
                    $crate::ops::declare::map_flat_typed!(
                        $Op, 1, dtype, [x[0]], out, len
                    )
                }
            }

            fn pull(
                _: usize,
                ct: View<'_>,
                x: &[View<'_>],
                y: View<'_>,
                out: ViewMut<'_>,
                mode: Mode,
            ) -> $crate::error::Result<()> {
                $crate::ops::declare::pull_typed!($Op, 0, 3, [ct, x[0], y], out, mode)
            }

            unsafe fn pull_flat(
                _: usize,
                dtype: $crate::dtype::DType,
                [ct, x, _, y]: [*const u8; 4],
                out: *mut u8,
                len: usize,
                mode: Mode,
            ) {
                // SAFETY: by the contract of this function.
                unsafe {
                    $crate::ops::declare::pull_flat_typed!(
                        $Op, 0, 3, dtype, [ct, x, y], out, len, mode
                    );
                }
            }
        }

        impl<S: Scalar> $crate::ops::declare::Slope<S, 1, 0> for $Op {
            #[inline(always)]
            fn slope([$sx]: [S; 1], $sy: S) -> S {
                $slope
            }
        }
    )* };
}
pub(crate) use declare_unary;

macro_rules! declare_binary {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident on $domain:ident {
            example($($operands:literal),+) = $result:literal;
            value($a:pat_param, $b:pat_param) = $value:expr;
            slope_a($aa:pat_param, $ab:pat_param, $ay:pat_param) = $slope_a:expr;
            slope_b($ba:pat_param, $bb:pat_param, $by:pat_param) = $slope_b:expr;
        }
    )*) => { $(
        $crate::ops::declare::op_type!($(#[$doc])* $Op $name $domain);
        $crate::ops::declare::value!($domain, $Op, 2, [$a, $b], $value);

        impl $crate::ops::declare::Elementwise for $Op {
            fn map(x: &[View<'_>], out: ViewMut<'_>, mode: Mode) -> $crate::error::Result<()> {
                $crate::ops::declare::map_typed!($domain, $Op, 2, [x[0], x[1]], out, mode)
            }

            unsafe fn map_flat(
                dtype: $crate::dtype::DType,
                x: &[*const u8],
                out: *mut u8,
                len: usize,
            ) {
                // SAFETY: by the contract of this function.
                unsafe {
                    $crate::ops::declare::map_flat_typed!(
                        $Op, 2, dtype, [x[0], x[1]], out, len
                    )
                }
            }

            fn pull(
                k: usize,
                ct: View<'_>,
                x: &[View<'_>],
                y: View<'_>,
                out: ViewMut<'_>,
                mode: Mode,
            ) -> $crate::error::Result<()> {
                let x = [ct, x[0], x[1], y];
                if k == 0 {
                    $crate::ops::declare::pull_typed!($Op, 0, 4, x, out, mode)
                } else {
                    $crate::ops::declare::pull_typed!($Op, 1, 4, x, out, mode)
                }
            }

            unsafe fn pull_flat(
                k: usize,
                dtype: $crate::dtype::DType,
                x: [*const u8; 4],
                out: *mut u8,
                len: usize,
                mode: Mode,
            ) {
                // SAFETY: by the contract of this function.
                unsafe {
                    if k == 0 {
                        $crate::ops::declare::pull_flat_typed!(
                            $Op, 0, 4, dtype, x, out, len, mode
                        );
                    } else {
                        $crate::ops::declare::pull_flat_typed!(
                            $Op, 1, 4, dtype, x, out, len, mode
                        );
                    }
                }
            }
        }

        impl<S: Scalar> $crate::ops::declare::Slope<S, 2, 0> for $Op {
            #[inline(always)]
            fn slope([$aa, $ab]: [S; 2], $ay: S) -> S {
                $slope_a
            }
        }

        impl<S: Scalar> $crate::ops::declare::Slope<S, 2, 1> for $Op {
            #[inline(always)]
            fn slope([$ba, $bb]: [S; 2], $by: S) -> S {
                $slope_b
            }
        }
    )* };
}
pub(crate) use declare_binary;

macro_rules! declare_compare {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident $fallible:ident {
            example($($operands:literal),+) = $result:literal;
            value($a:ident, $b:ident) = $value:expr;
        }
    )*) => { $(
        $crate::ops::declare::op_type!($(#[$doc])* $Op $name);

        impl<S: Arith> $crate::ops::declare::Value<S, 2> for $Op {
            type Output = S::Mask;
            #[inline(always)]
            fn value([$a, $b]: [S; 2]) -> S::Mask {
                $value
            }
        }

        impl $crate::ops::declare::Elementwise for $Op {
            fn map(x: &[View<'_>], out: ViewMut<'_>, mode: Mode) -> $crate::error::Result<()> {
                use $crate::dtype::DType;
                use $crate::kernels::map::map;
                use $crate::ops::declare::Forwards;
                let operands = [x[0], x[1]];
                match x[0].dtype() {
                    DType::F32 => map::<Forwards<$Op>, f32, 2>(operands, out, mode),
                    DType::F64 => map::<Forwards<$Op>, f64, 2>(operands, out, mode),
                    DType::I64 => {
                        map::<Forwards<$Op>, std::num::Wrapping<i64>, 2>(operands, out, mode)
                    }
                    DType::Bool => unreachable!("booleans are compared as integers"),
                }
            }
        }
    )* };
}
pub(crate) use declare_compare;

macro_rules! value {
    (Reals, $Op:ident, $n:literal, [$($x:pat_param),*], $value:expr) => {
        impl<S: Scalar> $crate::ops::declare::Value<S, $n> for $Op {
            type Output = S;
            #[inline(always)]
            fn value([$($x),*]: [S; $n]) -> S {
                $value
            }
        }
    };
    (Numbers, $Op:ident, $n:literal, [$($x:pat_param),*], $value:expr) => {
        impl<S: Arith> $crate::ops::declare::Value<S, $n> for $Op {
            type Output = S;
            #[inline(always)]
            fn value([$($x),*]: [S; $n]) -> S {
                $value
            }
        }
    };
}
pub(crate) use value;

/// The loop of an op's value for the element type of the output.
macro_rules! map_typed {
    (Reals, $Op:ident, $n:literal, $x:expr, $out:expr, $mode:expr) => {{
        use $crate::dtype::DType;
        use $crate::kernels::map::map;
        use $crate::ops::declare::Guards;
        match $out.dtype() {
            DType::F32 => map::<Guards<$Op>, f32, $n>($x, $out, $mode),
            DType::F64 => map::<Guards<$Op>, f64, $n>($x, $out, $mode),
            other => unreachable!("{other} was to be cast to a float"),
        }
    }};
    (Numbers, $Op:ident, $n:literal, $x:expr, $out:expr, $mode:expr) => {{
        use $crate::dtype::DType;
        use $crate::kernels::map::map;
        use $crate::ops::declare::{Forwards, Guards};
        match $out.dtype() {
            DType::F32 => map::<Guards<$Op>, f32, $n>($x, $out, $mode),
            DType::F64 => map::<Guards<$Op>, f64, $n>($x, $out, $mode),
            DType::I64 => {
                map::<Forwards<$Op>, std::num::Wrapping<i64>, $n>($x, $out, $mode)
            }
            DType::Bool => unreachable!("booleans are computed as integers"),
        }
    }};
}
pub(crate) use map_typed;

/// The loop of an op's value over elements of a float type that lie flat.
macro_rules! map_flat_typed {
    ($Op:ident, $n:literal, $dtype:expr, $x:expr, $out:expr, $len:expr) => {{
        use $crate::dtype::DType;
        use $crate::kernels::map::map_flat;
        use $crate::ops::declare::Guards;
        match $dtype {
            DType::F32 => map_flat::<Guards<$Op>, f32, $n>($x, $out, $len),
            DType::F64 => map_flat::<Guards<$Op>, f64, $n>($x, $out, $len),
            other => unreachable!("{other} is no float"),
        }
    }};
}
pub(crate) use map_flat_typed;

/// The loop of an operand's cotangent for the element type of the output.
macro_rules! pull_typed {
    ($Op:ident, $k:literal, $n:literal, $x:expr, $out:expr, $mode:expr) => {{
        use $crate::dtype::DType;
        use $crate::kernels::map::map;
        use $crate::ops::declare::Backwards;
        match $out.dtype() {
            DType::F32 => map::<Backwards<$Op, $k>, f32, $n>($x, $out, $mode),
            DType::F64 => map::<Backwards<$Op, $k>, f64, $n>($x, $out, $mode),
            other => unreachable!("{other} has no gradient"),
        }
    }};
}
pub(crate) use pull_typed;

/// The loop of an operand's cotangent over a few elements of a float type.
macro_rules! pull_flat_typed {
    (
        $Op:ident, $k:literal, $n:literal,
        $dtype:expr, $x:expr, $out:expr, $len:expr, $mode:expr
    ) => {{
        use $crate::dtype::DType;
        use $crate::kernels::map::pull_flat;
        use $crate::ops::declare::Backwards;
        match $dtype {
            DType::F32 => {
                pull_flat::<Backwards<$Op, $k>, f32, $n>($x, $out, $len, $mode)
            }
            DType::F64 => {
                pull_flat::<Backwards<$Op, $k>, f64, $n>($x, $out, $len, $mode)
            }
            other => unreachable!("{other} has no gradient"),
        }
    }};
}
pub(crate) use pull_flat_typed;
