//! Elementwise functions that are compositions of ops.

use super::Arena;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::ops::Op;
use crate::ops::convert::Cast;
use crate::ops::emit::Arg;

/// A logical connective: of numbers, whether they differ from 0 counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Logical {
    And,
    Or,
    Xor,
}

/// The rate and the bound of `selu`, for which mean 0 and variance 1 are a fixed point
/// (Klambauer et al., "Self-Normalizing Neural Networks", 2017).
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

fn number(x: f64) -> Arg<u32> {
    Arg::Number(Scalar::Float(x))
}

impl Arena {
    /// Runs a composition. If it fails its nodes are taken back, and the error speaks of
    /// the function by its own name, and not of these nodes.
    pub(super) fn composed(
        &mut self,
        op: &'static str,
        f: impl FnOnce(&mut Arena) -> Result<u32>,
    ) -> Result<u32> {
        let start = self.mark();
        let result = f(self).map_err(|error| {
            let nodes = start.len()..self.len();
            let labels: Vec<String> = nodes.map(|node| self.label(node)).collect();
            error.without_nodes(&labels).called(op)
        });
        self.keep_or_undo(&start, result)
    }

    pub(crate) fn reciprocal(&mut self, x: u32, site: u32) -> Result<u32> {
        self.binary(&Op::Divide, number(1.0), Arg::Value(x), site)
    }

    /// `x` limited to what lies between two bounds, of which either may be absent.
    pub(crate) fn clip(
        &mut self,
        x: u32,
        min: Option<Arg<u32>>,
        max: Option<Arg<u32>>,
        site: u32,
    ) -> Result<u32> {
        self.composed("clip", |arena| {
            let mut y = x;
            if let Some(min) = min {
                y = arena.binary(&Op::ClipMin, Arg::Value(y), min, site)?;
            }
            if let Some(max) = max {
                y = arena.binary(&Op::ClipMax, Arg::Value(y), max, site)?;
            }
            Ok(y)
        })
    }

    /// Rounded to a number of decimals, which is negative left of the point.
    pub(crate) fn round(&mut self, x: u32, decimals: i32, site: u32) -> Result<u32> {
        if decimals == 0 || (decimals > 0 && !self.ty(x).dtype.is_float()) {
            return self.unary(&Op::Rint, x, site);
        }
        let dtype = self.ty(x).dtype;
        let scale = number(10_f64.powi(decimals.saturating_abs()));
        let (enlarge, reduce) = match decimals {
            1.. => (Op::Multiply, Op::Divide),
            _ => (Op::Divide, Op::Multiply),
        };
        self.composed("round", |arena| {
            let y = arena.binary(&enlarge, Arg::Value(x), scale, site)?;
            let y = arena.unary(&Op::Rint, y, site)?;
            let y = arena.binary(&reduce, Arg::Value(y), scale, site)?;
            if arena.ty(y).dtype == dtype {
                return Ok(y);
            }
            arena.one(Cast { dtype }.into(), y, site)
        })
    }

    pub(crate) fn isnan(&mut self, x: u32, site: u32) -> Result<u32> {
        self.binary(&Op::NotEqual, Arg::Value(x), Arg::Value(x), site)
    }

    pub(crate) fn isinf(&mut self, x: u32, site: u32) -> Result<u32> {
        self.magnitude("isinf", &Op::Equal, x, site)
    }

    pub(crate) fn isfinite(&mut self, x: u32, site: u32) -> Result<u32> {
        self.magnitude("isfinite", &Op::Less, x, site)
    }

    /// How the magnitude compares with infinity.
    fn magnitude(
        &mut self,
        op: &'static str,
        compare: &Op,
        x: u32,
        site: u32,
    ) -> Result<u32> {
        self.composed(op, |arena| {
            let size = arena.unary(&Op::Abs, x, site)?;
            arena.binary(compare, Arg::Value(size), number(f64::INFINITY), site)
        })
    }

    /// NaN and the infinities replaced by numbers; by default 0 and the largest finite
    /// ones.
    pub(crate) fn nan_to_num(
        &mut self,
        x: u32,
        nan: f64,
        posinf: Option<f64>,
        neginf: Option<f64>,
        site: u32,
    ) -> Result<u32> {
        let largest = match self.ty(x).dtype {
            DType::F32 => f64::from(f32::MAX),
            DType::F64 => f64::MAX,
            _ => return Ok(x),
        };
        let infinities = [
            (f64::INFINITY, posinf.unwrap_or(largest)),
            (f64::NEG_INFINITY, neginf.unwrap_or(-largest)),
        ];
        self.composed("nan_to_num", |arena| {
            let wrong = arena.isnan(x, site)?;
            let mut y = arena.choose(wrong, number(nan), Arg::Value(x), site)?;
            for (infinity, value) in infinities {
                let operands = (Arg::Value(x), number(infinity));
                let found = arena.binary(&Op::Equal, operands.0, operands.1, site)?;
                y = arena.choose(found, number(value), Arg::Value(y), site)?;
            }
            Ok(y)
        })
    }

    pub(crate) fn logical(
        &mut self,
        connective: Logical,
        a: Arg<u32>,
        b: Arg<u32>,
        site: u32,
    ) -> Result<u32> {
        let (name, op) = match connective {
            Logical::And => ("logical_and", Op::BitwiseAnd),
            Logical::Or => ("logical_or", Op::BitwiseOr),
            Logical::Xor => ("logical_xor", Op::BitwiseXor),
        };
        self.composed(name, |arena| {
            let (a, b) = (arena.truth(a, site)?, arena.truth(b, site)?);
            arena.binary(&op, a, b, site)
        })
    }

    pub(crate) fn logical_not(&mut self, x: u32, site: u32) -> Result<u32> {
        self.composed("logical_not", |arena| {
            match arena.truth(Arg::Value(x), site)? {
                Arg::Value(x) => arena.unary(&Op::BitwiseNot, x, site),
                Arg::Number(_) => unreachable!("a node's truth is a node"),
            }
        })
    }

    /// Whether an operand differs from 0.
    fn truth(&mut self, x: Arg<u32>, site: u32) -> Result<Arg<u32>> {
        let dtype = DType::Bool;
        Ok(match x {
            Arg::Number(x) => Arg::Number(Scalar::Bool(x.to_f64() != 0.0)),
            Arg::Value(x) if self.ty(x).dtype == dtype => Arg::Value(x),
            Arg::Value(x) => Arg::Value(self.one(Cast { dtype }.into(), x, site)?),
        })
    }

    pub(crate) fn selu(&mut self, x: u32, site: u32) -> Result<u32> {
        self.composed("selu", |arena| {
            let y = arena.binary(&Op::Elu, Arg::Value(x), number(SELU_ALPHA), site)?;
            arena.binary(&Op::Multiply, Arg::Value(y), number(SELU_SCALE), site)
        })
    }
}
