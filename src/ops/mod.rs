//! What each op means: its type rule, its value and its derivative. This file holds the
//! list of all ops and the calls that every op answers.
//!
//! Three tiers. Elementwise ops are expressions ([`elementwise`]); linear ops give the
//! transpose of each operand ([`Linear`]); the rest give a `vjp` ([`Rules`]). All rules
//! are written over [`emit::Emit`], which runs or records them. What an op of the user's
//! means is not known here: the record has its rules beside the node.

pub(crate) mod affine;
pub(crate) mod along;
pub(crate) mod convert;
pub(crate) mod declare;
pub(crate) mod elementwise;
pub(crate) mod emit;
pub(crate) mod fold;
mod fused;
mod guarded;
pub(crate) mod index;
pub(crate) mod linalg;
pub(crate) mod patches;
pub(crate) mod reduce;
pub(crate) mod scalar;
pub(crate) mod scan;
pub(crate) mod softmax;
pub(crate) mod spec;
pub(crate) mod special;
pub(crate) mod symbolic;
pub(crate) mod view;
pub(crate) mod whole;

use crate::array::{View, ViewMut};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels;
use crate::kernels::map::Mode;
use crate::shape::{self, Strides, Type};
use declare::{Elementwise, Entry, Slope};
use emit::{Cotangents, Emit, Node};
use scalar::Scalar;
pub(crate) use spec::Tier;

/// How the value of an op that is not elementwise comes about.
pub(crate) trait Forward {
    /// The type of the result; an error if the operands do not fit.
    fn infer(&self, x: &[&Type]) -> Result<Type>;

    /// Fails if the data of the operands is refused, such as an index out of range.
    fn check(&self, _: &[View<'_>]) -> Result<()> {
        Ok(())
    }

    /// If the result shows elements of the first operand: the distance, in elements,
    /// from its first element to the result's, and the result's strides.
    fn alias(&self, _: &View<'_>) -> Option<(isize, Strides)> {
        None
    }

    /// Writes the result.
    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()>;
}

/// An op that is linear in each operand that has a gradient.
pub(crate) trait Linear: Forward {
    /// The transpose in operand `k`, applied to the cotangent of the result.
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V>;
}

/// An op that is neither elementwise nor linear.
pub(crate) trait Rules: Forward {
    /// Gives the cotangents of the operands, from the cotangent of the result.
    fn vjp<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        ct: E::V,
        out: &mut Cotangents<E::V>,
    ) -> Result<()>;
}

/// Whether the rules of an elementwise op call functions such as `exp`, which fuse where
/// the processor can. Of the ops that take integers only the power has one, in a slope.
const fn calls_functions(tag: Tag) -> bool {
    !tag.takes_integers() || matches!(tag, Tag::Power)
}

/// What a flat loop writes for one element.
#[inline]
fn word_of(run: impl FnOnce(*mut u8, usize)) -> f64 {
    let mut y = 0.0_f64;
    run((&raw mut y).cast(), 1);
    y
}

/// Where each number lies.
#[inline]
fn at<const N: usize>(x: &[f64; N]) -> [*const u8; N] {
    std::array::from_fn(|k| (&raw const x[k]).cast())
}

/// The slope of an op in operand `k`, given both operands and the value: the bits that the
/// loop for a cotangent of 1 gives.
fn slope_of(pull: PullFlat, k: usize, [a, b, y]: [f64; 3]) -> f64 {
    let x = [1.0, a, b, y];
    // SAFETY: there is one element of each.
    word_of(|out, len| unsafe { pull(k, DType::F64, at(&x), out, len, Mode::Write) })
}

/// A partial derivative at a point: from the operands and the value, the slope.
pub(crate) type SlopeAt = fn(f64, f64, f64) -> f64;

/// Writes or adds the cotangent of one operand of an elementwise op:
/// [`Elementwise::pull_flat`].
pub(crate) type PullFlat = kernels::batch::Run;

macro_rules! ops {
    (
        source { $($S:ident $source:literal $about:literal)* }
        custom { $($M:ident $custom:literal)* }
        unary { $($U:ident)* }
        binary { $($B:ident)* }
        compare { $($C:ident)* }
        bits { $($T:ident)* }
        linear { $($l:ident::$L:ident)* }
        rules { $($r:ident::$R:ident)* }
        constant { $($k:ident::$K:ident)* }
    ) => {
        /// An op with its parameters.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub(crate) enum Op {
            $($S,)* $($M,)* $($U,)* $($B,)* $($C,)* $($T,)*
            $($L($l::$L),)* $($R($r::$R),)* $($K($k::$K),)*
        }

        /// An op without its parameters, as handles remember it.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub(crate) enum Tag {
            $($S,)* $($M,)* $($U,)* $($B,)* $($C,)* $($T,)*
            $($L,)* $($R,)* $($K,)*
        }

        $(impl From<$l::$L> for Op {
            fn from(op: $l::$L) -> Op {
                Op::$L(op)
            }
        })*
        $(impl From<$r::$R> for Op {
            fn from(op: $r::$R) -> Op {
                Op::$R(op)
            }
        })*
        $(impl From<$k::$K> for Op {
            fn from(op: $k::$K) -> Op {
                Op::$K(op)
            }
        })*

        impl Tag {
            /// Every op.
            pub(crate) const ALL: &[Tag] = &[
                $(Tag::$S,)* $(Tag::$M,)* $(Tag::$U,)* $(Tag::$B,)* $(Tag::$C,)* $(Tag::$T,)*
                $(Tag::$L,)* $(Tag::$R,)* $(Tag::$K,)*
            ];

            /// The name that users, messages and printed records know the op by.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Tag::$S => $source,)*
                    $(Tag::$M => $custom,)*
                    $(Tag::$U => elementwise::$U::NAME,)*
                    $(Tag::$B => elementwise::$B::NAME,)*
                    $(Tag::$C => elementwise::$C::NAME,)*
                    $(Tag::$T => elementwise::$T::NAME,)*
                    $(Tag::$L => $l::$L::NAME,)*
                    $(Tag::$R => $r::$R::NAME,)*
                    $(Tag::$K => $k::$K::NAME,)*
                }
            }

            /// What the op computes, unless the function of its name says so.
            pub(crate) fn about(self) -> &'static str {
                match self {
                    $(Tag::$S => $about,)*
                    $(Tag::$L => $l::$L::ABOUT,)*
                    $(Tag::$R => $r::$R::ABOUT,)*
                    $(Tag::$K => $k::$K::ABOUT,)*
                    _ => "",
                }
            }

            /// The op's family.
            #[inline]
            pub(crate) fn tier(self) -> Tier {
                match self {
                    $(Tag::$S => Tier::Source,)*
                    $(Tag::$M => Tier::Custom,)*
                    $(Tag::$U => Tier::Unary,)*
                    $(Tag::$B => Tier::Binary,)*
                    $(Tag::$C => Tier::Compare,)*
                    $(Tag::$T => Tier::Bits,)*
                    $(Tag::$L => Tier::Linear,)*
                    $(Tag::$R => Tier::Rules,)*
                    $(Tag::$K => Tier::Constant,)*
                }
            }

            /// Whether integers keep their type, or are cast to `f64` first.
            #[inline]
            pub(crate) const fn takes_integers(self) -> bool {
                match self {
                    $(Tag::$S => true,)*
                    $(Tag::$M => true,)*
                    $(Tag::$U => elementwise::$U::TAKES_INTEGERS,)*
                    $(Tag::$B => elementwise::$B::TAKES_INTEGERS,)*
                    $(Tag::$C => elementwise::$C::TAKES_INTEGERS,)*
                    $(Tag::$T => elementwise::$T::TAKES_INTEGERS,)*
                    $(Tag::$L => $l::$L::TAKES_INTEGERS,)*
                    $(Tag::$R => $r::$R::TAKES_INTEGERS,)*
                    $(Tag::$K => $k::$K::TAKES_INTEGERS,)*
                }
            }
        }

        impl Op {
            /// The ops without parameters that are stored by their tag alone, in the
            /// order of their tags.
            pub(crate) const PLAIN: &[Op] =
                &[$(Op::$S,)* $(Op::$M,)* $(Op::$U,)* $(Op::$B,)* $(Op::$C,)* $(Op::$T,)*];

            /// The partial derivatives of the plain ops that have any.
            pub(crate) const SLOPES: &[Option<[SlopeAt; 2]>] = &[
                $({ let _ = Tag::$S; None },)*
                $({ let _ = Tag::$M; None },)*
                $(Some(if calls_functions(Tag::$U) {
                    [
                        |a, _, y| slope_of(elementwise::$U::pull_flat, 0, [a, a, y]),
                        |_, _, _| unreachable!("there is no second operand"),
                    ]
                } else {
                    [
                        |a, _, y| elementwise::$U::slope([a], y),
                        |_, _, _| unreachable!("there is no second operand"),
                    ]
                }),)*
                $(Some(if calls_functions(Tag::$B) {
                    [
                        |a, b, y| slope_of(elementwise::$B::pull_flat, 0, [a, b, y]),
                        |a, b, y| slope_of(elementwise::$B::pull_flat, 1, [a, b, y]),
                    ]
                } else {
                    [
                        |a, b, y| {
                            <elementwise::$B as Slope<f64, 2, 0>>::slope([a, b], y)
                        },
                        |a, b, y| {
                            <elementwise::$B as Slope<f64, 2, 1>>::slope([a, b], y)
                        },
                    ]
                }),)*
                $({ let _ = Tag::$C; None },)*
            ];

            /// The flat loops for the cotangents of the plain ops that have any.
            pub(crate) const PULLS: &[Option<PullFlat>] = &[
                $({ let _ = Tag::$S; None },)*
                $({ let _ = Tag::$M; None },)*
                $(Some(elementwise::$U::pull_flat),)*
                $(Some(elementwise::$B::pull_flat),)*
                $({ let _ = Tag::$C; None },)*
            ];

            /// The op without its parameters.
            #[inline]
            pub(crate) fn tag(&self) -> Tag {
                match self {
                    $(Op::$S => Tag::$S,)*
                    $(Op::$M => Tag::$M,)*
                    $(Op::$U => Tag::$U,)*
                    $(Op::$B => Tag::$B,)*
                    $(Op::$C => Tag::$C,)*
                    $(Op::$T => Tag::$T,)*
                    $(Op::$L(_) => Tag::$L,)*
                    $(Op::$R(_) => Tag::$R,)*
                    $(Op::$K(_) => Tag::$K,)*
                }
            }

            fn forward(&self) -> Option<&dyn Forward> {
                match self {
                    $(Op::$L(op) => Some(op),)*
                    $(Op::$R(op) => Some(op),)*
                    $(Op::$K(op) => Some(op),)*
                    _ => None,
                }
            }

            /// Writes the result of an elementwise op.
            pub(crate) fn map(
                &self,
                x: &[View<'_>],
                out: ViewMut<'_>,
                mode: Mode,
            ) -> Result<()> {
                match self {
                    $(Op::$U => elementwise::$U::map(x, out, mode),)*
                    $(Op::$B => elementwise::$B::map(x, out, mode),)*
                    $(Op::$C => elementwise::$C::map(x, out, mode),)*
                    $(Op::$T => elementwise::$T::map(x, out, mode),)*
                    _ => unreachable!("{self:?} is not elementwise"),
                }
            }

            /// As `map`, for `len` elements of a float type that lie flat.
            ///
            /// # Safety
            /// Each pointer reaches `len` elements of `dtype`, `out` room for as many,
            /// elsewhere.
            #[inline(always)]
            pub(crate) unsafe fn map_flat<const N: usize>(
                &self,
                dtype: DType,
                x: [*const u8; N],
                out: *mut u8,
                len: usize,
            ) {
                // SAFETY: by the contract of this function.
                unsafe {
                    match self {
                        $(Op::$U => elementwise::$U::map_flat(dtype, &x, out, len),)*
                        $(Op::$B => elementwise::$B::map_flat(dtype, &x, out, len),)*
                        _ => unreachable!("{self:?} has no flat loop"),
                    }
                }
            }

            /// Writes or adds, by `mode`, the cotangent of operand `k` of a
            /// differentiable elementwise op. All operands broadcast to `out`.
            pub(crate) fn pull(
                &self,
                k: usize,
                ct: View<'_>,
                x: &[View<'_>],
                y: View<'_>,
                out: ViewMut<'_>,
                mode: Mode,
            ) -> Result<()> {
                match self {
                    $(Op::$U => elementwise::$U::pull(k, ct, x, y, out, mode),)*
                    $(Op::$B => elementwise::$B::pull(k, ct, x, y, out, mode),)*
                    _ => unreachable!("{self:?} has no slope"),
                }
            }

            /// The value of a differentiable elementwise op on numbers alone: the bits that
            /// the op's loop gives.
            #[inline]
            pub(crate) fn word(&self, x: [f64; 2]) -> f64 {
                use declare::Value;
                match self {
                    $(Op::$U if const { calls_functions(Tag::$U) } => {
                        word_of(|y, len| {
                            // SAFETY: there is one element of each.
                            unsafe {
                                elementwise::$U::map_flat(DType::F64, &at(&x), y, len);
                            }
                        })
                    })*
                    $(Op::$B if const { calls_functions(Tag::$B) } => {
                        word_of(|y, len| {
                            // SAFETY: as above.
                            unsafe {
                                elementwise::$B::map_flat(DType::F64, &at(&x), y, len);
                            }
                        })
                    })*
                    $(Op::$U => apart(|| elementwise::$U::value([x[0]])),)*
                    $(Op::$B => apart(|| elementwise::$B::value(x)),)*
                    _ => unreachable!("{self:?} has no value at a point"),
                }
            }

            /// The partial derivative of an elementwise op in operand `k`.
            #[inline]
            pub(crate) fn slope<S: Scalar>(&self, k: usize, x: [S; 2], y: S) -> S {
                match (self, k) {
                    $((Op::$U, _) => apart(|| elementwise::$U::slope([x[0]], y)),)*
                    $((Op::$B, 0) => {
                        apart(|| <elementwise::$B as Slope<S, 2, 0>>::slope(x, y))
                    })*
                    $((Op::$B, _) => {
                        apart(|| <elementwise::$B as Slope<S, 2, 1>>::slope(x, y))
                    })*
                    _ => unreachable!("{self:?} has no slope"),
                }
            }

            /// Gives the cotangents of a node's operands from the cotangent of its
            /// result. `ieee` lets a zero cotangent meet an infinite slope.
            pub(crate) fn vjp<E: Emit>(
                &self,
                e: &mut E,
                node: Node,
                ct: E::V,
                ieee: bool,
                out: &mut Cotangents<E::V>,
            ) -> Result<()> {
                match self {
                    $(Op::$U => symbolic::pull(e, self, node, 1, &ct, ieee, out),)*
                    $(Op::$B => symbolic::pull(e, self, node, 2, &ct, ieee, out),)*
                    $(Op::$L(op) => {
                        for k in 0..e.operand_count(node) {
                            if out.wants(k) {
                                let copy = e.dup(&ct);
                                let cotangent = op.transpose(e, node, k, copy)?;
                                out.give(k, cotangent);
                            }
                        }
                        Ok(())
                    })*
                    $(Op::$R(op) => op.vjp(e, node, ct, out),)*
                    _ => Ok(()),
                }
            }
        }
    };
}

ops! {
    source {
        Tensor "tensor" "a leaf: a value that the program gives"
        Parameter "parameter" "a leaf with a name, such as its key in a store"
        Constant "constant" "a value that has no gradient"
        Gradient "gradient" "what a sweep gave that was not recorded"
    }
    custom {
        Custom "custom"
        CustomVjp "custom_vjp"
    }
    unary {
        Negative Abs Square Sqrt Exp Expm1 Log Log1p Sin Cos Tanh Sigmoid Relu Softplus
        Exp2 Log2 Log10 Tan Arcsin Arccos Arctan Sinh Cosh Arcsinh Arccosh Arctanh
        Erf Erfc Gelu GeluTanh Silu Mish Sign Floor Ceil Rint Trunc
    }
    binary {
        Add Subtract Multiply Divide Power Maximum Minimum LeakyRelu MultiplyNoNan
        Elu ClipMin ClipMax Fmax Fmin Remainder Fmod Copysign Hypot Arctan2 Logaddexp
    }
    compare { Equal NotEqual Less LessEqual Greater GreaterEqual }
    bits { BitwiseNot BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift }
    linear {
        convert::Cast
        view::Reshape view::Transpose view::BroadcastTo
        index::Slice index::Embed index::Gather index::ScatterAdd index::Concatenate
        index::Assign index::Put
        reduce::Sum reduce::Mean scan::CumSum
        along::TakeAlongAxis along::AddAlongAxis
        linalg::MatMul
        patches::Patches patches::Fold
    }
    rules {
        convert::Where
        reduce::Max reduce::LogSumExp fold::Min fold::Prod fold::Norm
        scan::CumProd scan::LogCumSumExp scan::Recurrence
        softmax::Softmax softmax::LogSoftmax softmax::SoftmaxCrossEntropy
        affine::Affine
        patches::MaxPool
    }
    constant { reduce::ArgMax along::ArgSort view::StopGradient }
}

/// Calls `f` in a function of its own.
///
/// Rules have no side effects: inlined into one `match`, the compiler computes those of
/// many ops and keeps one result, which makes a sweep over scalars four times slower.
#[inline(never)]
fn apart<T>(f: impl FnOnce() -> T) -> T {
    f()
}

impl Tag {
    /// Whether the op computes each element from the elements at the same place.
    #[inline]
    pub(crate) fn is_elementwise(self) -> bool {
        matches!(self.tier(), Tier::Unary | Tier::Binary | Tier::Compare | Tier::Bits)
    }

    /// Whether the results may lie in memory as the operands do, where these all lie in
    /// one order.
    #[inline]
    pub(crate) fn keeps_order(self) -> bool {
        self.is_elementwise() || self == Tag::Cast
    }

    /// Whether gradients pass through the op.
    #[inline]
    pub(crate) fn is_differentiable(self) -> bool {
        !matches!(self.tier(), Tier::Compare | Tier::Bits | Tier::Constant)
    }
}

impl Op {
    /// The type of the result. Operands of elementwise ops have one element type.
    pub(crate) fn infer(&self, x: &[&Type]) -> Result<Type> {
        if let Some(op) = self.forward() {
            return op.infer(x);
        }
        let name = self.tag().name();
        let shapes: smallvec::SmallVec<[&[usize]; 3]> =
            x.iter().map(|t| &*t.shape).collect();
        let shape = shape::broadcast(name, &shapes)?;
        let dtype = match self.tag().tier() {
            Tier::Compare => crate::dtype::DType::Bool,
            _ => x[0].dtype,
        };
        Ok(Type::new(shape, dtype))
    }

    /// Fails if the data of the operands is refused.
    pub(crate) fn check(&self, x: &[View<'_>]) -> Result<()> {
        self.forward().map_or(Ok(()), |op| op.check(x))
    }

    /// How the result lies within the first operand, if it does.
    pub(crate) fn alias(&self, x: &View<'_>) -> Option<(isize, Strides)> {
        self.forward()?.alias(x)
    }

    /// Whether the result is made of elements of the first operand.
    pub(crate) fn is_part(&self) -> bool {
        matches!(self, Op::Slice(_) | Op::Gather(_))
    }

    /// Adds the transpose in the first operand, applied to the cotangent of a part, to a
    /// cotangent of that operand. `indices` are the other operands.
    pub(crate) fn add_part(
        &self,
        ct: View<'_>,
        indices: &[View<'_>],
        sum: ViewMut<'_>,
    ) -> Result<()> {
        match self {
            Op::Slice(op) => kernels::gather::embed_add(ct, &op.spans, sum),
            Op::Gather(_) => kernels::gather::scatter_add(ct, indices, sum),
            _ => unreachable!("{self:?} is no part"),
        }
    }

    /// Writes the result.
    pub(crate) fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        if let Some(op) = self.forward() {
            op.eval(x, out)
        } else {
            self.map(x, out, Mode::Write)
        }
    }
}
