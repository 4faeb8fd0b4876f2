//! What networks compute: normalisation, embedding, dropout, attention, a loss.

use super::{Arena, Reduction};
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Operand, Result};
use crate::kernels::gather;
use crate::ops::Op;
use crate::ops::emit::Arg;
use crate::ops::view::Reshape;
use crate::rng::Rng;
use crate::shape::{self, Shape};
use smallvec::SmallVec;

fn number(x: f64) -> Arg<u32> {
    Arg::Number(Scalar::Float(x))
}

impl Arena {
    /// The mean of `(a - b)²`. Shapes differ only if `broadcast` allows it: between
    /// (N, 1) and (N,) every element would meet every other.
    pub(crate) fn mean_squared_error(
        &mut self,
        a: Arg<u32>,
        b: Arg<u32>,
        broadcast: bool,
        site: u32,
    ) -> Result<u32> {
        let shape = |operand| match operand {
            Arg::Value(node) => self.ty(node).shape.clone(),
            Arg::Number(_) => Shape::scalar(),
        };
        let (shape_a, shape_b) = (shape(a), shape(b));
        let op = "mean_squared_error";
        if !broadcast && shape_a != shape_b {
            let fault = Fault::Unlike {
                op,
                a: Operand::new(&shape_a),
                b: Operand::new(&shape_b),
            };
            return Err(self.explain(Error::new(fault), &[a, b]));
        }
        self.composed(op, |arena| {
            let difference = arena.binary(&Op::Subtract, a, b, site)?;
            let square = arena.unary(&Op::Square, difference, site)?;
            arena.reduce(Reduction::Mean, square, None, false, site)
        })
    }

    /// Sees that a companion of `x`, such as a scale, has its sizes along `axes`, and
    /// gives it the axes that make it broadcast along the others.
    fn along_axes(
        &mut self,
        op: &'static str,
        what: &'static str,
        x: u32,
        companion: u32,
        axes: &[usize],
        site: u32,
    ) -> Result<u32> {
        let (from, found) = (&self.ty(x).shape, &self.ty(companion).shape);
        let wanted: Shape = axes.iter().map(|&k| from[k]).collect();
        if *found != wanted {
            let (operand, found) = (Operand::new(from), Operand::new(found));
            let wanted = wanted.to_vec();
            let fault = Fault::Companion { op, what, operand, found, wanted };
            let operands = [Arg::Value(x), Arg::Value(companion)];
            return Err(self.explain(Error::new(fault), &operands));
        }
        let (first, end) = (axes.first().copied().unwrap_or(0), from.ndim());
        if axes.iter().copied().eq(first..end) {
            return Ok(companion);
        }
        let size = |k: usize| if axes.contains(&k) { from[k] } else { 1 };
        let shape = (first..end).map(size).collect();
        self.one(Reshape { shape }.into(), companion, site)
    }

    /// `y * scale + bias`, of which either may be absent. `x`, which `y` was made of,
    /// is what an error speaks of.
    fn scaled_and_biased(
        &mut self,
        op: &'static str,
        [x, mut y]: [u32; 2],
        [scale, bias]: [Option<u32>; 2],
        axes: &[usize],
        site: u32,
    ) -> Result<u32> {
        if let Some(scale) = scale {
            let scale = self.along_axes(op, "scale", x, scale, axes, site)?;
            y = self.binary(&Op::Multiply, Arg::Value(y), Arg::Value(scale), site)?;
        }
        if let Some(bias) = bias {
            let bias = self.along_axes(op, "bias", x, bias, axes, site)?;
            y = self.binary(&Op::Add, Arg::Value(y), Arg::Value(bias), site)?;
        }
        Ok(y)
    }

    /// `x / sqrt(square + eps)`.
    fn divided_by_root(
        &mut self,
        x: u32,
        square: u32,
        eps: f64,
        site: u32,
    ) -> Result<u32> {
        let square = self.binary(&Op::Add, Arg::Value(square), number(eps), site)?;
        let root = self.unary(&Op::Sqrt, square, site)?;
        self.binary(&Op::Divide, Arg::Value(x), Arg::Value(root), site)
    }

    /// `x` less its mean over axes, divided by the root of its variance; then scaled
    /// and biased.
    pub(crate) fn layer_norm(
        &mut self,
        x: u32,
        [scale, bias]: [Option<u32>; 2],
        axes: &[isize],
        eps: f64,
        site: u32,
    ) -> Result<u32> {
        let op = "layer_norm";
        let named = shape::axes(op, Some(axes), self.ndim(x));
        let named = self.about(x, named)?;
        self.composed(op, |arena| {
            let (apart, _) = arena.deviations(op, x, Some(axes), site)?;
            let squares = arena.unary(&Op::Square, apart, site)?;
            let var = arena.reduce(Reduction::Mean, squares, Some(axes), true, site)?;
            let y = arena.divided_by_root(apart, var, eps, site)?;
            arena.scaled_and_biased(op, [x, y], [scale, bias], &named, site)
        })
    }

    /// `x` divided by the root of the mean of its squares over axes; then scaled.
    pub(crate) fn rms_norm(
        &mut self,
        x: u32,
        scale: Option<u32>,
        axes: &[isize],
        eps: f64,
        site: u32,
    ) -> Result<u32> {
        let op = "rms_norm";
        let named = shape::axes(op, Some(axes), self.ndim(x));
        let named = self.about(x, named)?;
        self.composed(op, |arena| {
            let squares = arena.unary(&Op::Square, x, site)?;
            let mean =
                arena.reduce(Reduction::Mean, squares, Some(axes), true, site)?;
            let y = arena.divided_by_root(x, mean, eps, site)?;
            arena.scaled_and_biased(op, [x, y], [scale, None], &named, site)
        })
    }

    /// `x` normalised over all axes but one by a mean and a variance; then scaled and
    /// biased. A statistic that is not given is computed. Gives both beside the result.
    pub(crate) fn batch_norm(
        &mut self,
        x: u32,
        [mean, var]: [Option<u32>; 2],
        [scale, bias]: [Option<u32>; 2],
        axis: isize,
        eps: f64,
        site: u32,
    ) -> Result<[u32; 3]> {
        let op = "batch_norm";
        let ndim = self.ndim(x);
        let axis = shape::axis(op, axis, ndim);
        let axis = self.about(x, axis)?;
        let others: SmallVec<[isize; 4]> =
            (0..ndim).filter(|&k| k != axis).map(usize::cast_signed).collect();
        let start = self.mark();
        let result = (|| {
            let mean = match mean {
                Some(mean) => mean,
                None => self.reduce(Reduction::Mean, x, Some(&others), false, site)?,
            };
            let centre = self.along_axes(op, "mean", x, mean, &[axis], site)?;
            let apart =
                self.binary(&Op::Subtract, Arg::Value(x), Arg::Value(centre), site)?;
            let var = if let Some(var) = var {
                var
            } else {
                let squares = self.unary(&Op::Square, apart, site)?;
                self.reduce(Reduction::Mean, squares, Some(&others), false, site)?
            };
            let spread = self.along_axes(op, "variance", x, var, &[axis], site)?;
            let y = self.divided_by_root(apart, spread, eps, site)?;
            let y = self.scaled_and_biased(op, [x, y], [scale, bias], &[axis], site)?;
            Ok([y, mean, var])
        })();
        self.keep_or_undo(&start, result)
    }

    /// The rows of a table that ids name; unlike an index, an id is not negative.
    pub(crate) fn embedding(&mut self, table: u32, ids: u32, site: u32) -> Result<u32> {
        let op = "embedding";
        if self.ndim(table) == 0 {
            let fault = Fault::AxisOutOfRange { op, axis: 0, ndim: 0 };
            return self.about(table, Err(Error::new(fault)));
        }
        if self.ty(ids).dtype == DType::I64 {
            let limit = self.ty(table).shape[0];
            self.about(ids, gather::check_labels(op, self.view(ids), limit))?;
        }
        self.composed(op, |arena| arena.gather(table, &[(0, ids)], true, site))
    }

    /// Each element times `1 / (1 - rate)` or, with probability `rate`, 0. The draws
    /// are a constant of the record.
    pub(crate) fn dropout(
        &mut self,
        x: u32,
        rate: f64,
        rng: &Rng,
        site: u32,
    ) -> Result<u32> {
        let op = "dropout";
        if !(0.0..=1.0).contains(&rate) {
            let (what, value) = ("the rate", rate);
            return Err(Error::new(Fault::NotAFraction { op, what, value }));
        }
        let ty = self.ty(x).clone();
        let dtype = ty.dtype.to_float();
        self.composed(op, |arena| {
            if rate == 0.0 {
                let is_float = ty.dtype == dtype;
                return if is_float { Ok(x) } else { arena.astype(x, dtype, site) };
            }
            #[expect(clippy::float_cmp, reason = "all below 1 keep something")]
            let mask = if rate == 1.0 {
                NdArray::zeros(&ty.shape, dtype)?
            } else {
                rng.try_mask(&ty.shape, rate, dtype)?
            };
            let mask = arena.source(&Op::Constant, &mask, None, site)?;
            // What is dropped is 0 even where it is infinite.
            arena.binary(&Op::MultiplyNoNan, Arg::Value(mask), Arg::Value(x), site)
        })
    }

    /// `softmax(query @ keyᵀ * scale) @ value` over the last two axes. A boolean mask
    /// says what may be attended to, another is added to the scores.
    pub(crate) fn attention(
        &mut self,
        [query, key, value]: [u32; 3],
        mask: Option<u32>,
        causal: bool,
        scale: Option<f64>,
        site: u32,
    ) -> Result<u32> {
        let op = "scaled_dot_product_attention";
        let scores = self.scores_shape(op, [query, key, value])?;
        let (from, keys) = (scores[scores.ndim() - 2], scores[scores.ndim() - 1]);
        if let Some(mask) = mask
            && !shape::broadcasts_to(&self.ty(mask).shape, &scores)
        {
            let (operand, shape) =
                (Operand::new(&self.ty(mask).shape), scores.to_vec());
            let fault = Fault::BroadcastTo { op, operand, shape };
            return self.about(mask, Err(Error::new(fault)));
        }
        if let Some(mask) = mask
            && self.ty(mask).dtype == DType::I64
        {
            let fault = Fault::MaskDType { op, dtype: DType::I64 };
            return self.about(mask, Err(Error::new(fault)));
        }
        let width = self.ty(query).shape[self.ndim(query) - 1];
        let scale = number(scale.unwrap_or(1.0 / (width as f64).sqrt()));
        self.composed(op, |arena| {
            let query = arena.binary(&Op::Multiply, Arg::Value(query), scale, site)?;
            let turned = arena.swapaxes(key, -1, -2, site)?;
            let mut scores = arena.matmul(query, turned, site)?;
            let mut allowed: SmallVec<[u32; 2]> = SmallVec::new();
            match mask {
                Some(mask) if arena.ty(mask).dtype == DType::Bool => allowed.push(mask),
                Some(mask) => {
                    let mask = Arg::Value(mask);
                    scores = arena.binary(&Op::Add, Arg::Value(scores), mask, site)?;
                }
                None => {}
            }
            if causal {
                let seen = lower_triangle(from, keys)?;
                allowed.push(arena.source(&Op::Constant, &seen, None, site)?);
            }
            // A finite number, so that a record that checks for others takes it.
            let least = match arena.ty(scores).dtype {
                DType::F32 => f64::from(f32::MIN),
                _ => f64::MIN,
            };
            for &mask in &allowed {
                scores = arena.choose(mask, Arg::Value(scores), number(least), site)?;
            }
            let mut weights = arena.softmax(scores, -1, false, site)?;
            // Where nothing may be attended to, nothing is.
            for &mask in &allowed {
                weights = arena.choose(mask, Arg::Value(weights), number(0.0), site)?;
            }
            arena.matmul(weights, value, site)
        })
    }

    /// The shape of the scores of queries and keys, which values must fit.
    fn scores_shape(&self, op: &'static str, operands: [u32; 3]) -> Result<Shape> {
        let shapes = operands.map(|x| &*self.ty(x).shape);
        let misfit = || {
            let fault = Fault::Attention { op, operands: shapes.into_iter().collect() };
            self.explain(Error::new(fault), &operands.map(Arg::Value))
        };
        let mut batches: SmallVec<[&[usize]; 3]> = SmallVec::new();
        let mut cores: SmallVec<[[usize; 2]; 3]> = SmallVec::new();
        for shape in shapes {
            let Some((batch, &core)) = shape.split_last_chunk::<2>() else {
                return Err(misfit());
            };
            batches.push(batch);
            cores.push(core);
        }
        let ([from, width], [keys, key_width], [values, _]) =
            (cores[0], cores[1], cores[2]);
        if width != key_width || keys != values {
            return Err(misfit());
        }
        shape::broadcast(op, &batches).map_err(|_| misfit())?;
        let mut scores = shape::broadcast(op, &batches[..2]).map_err(|_| misfit())?;
        scores.push(from);
        scores.push(keys);
        shape::check(op, &scores, DType::F64)
    }
}

/// Whether a key comes no later than its query, for each pair.
fn lower_triangle(queries: usize, keys: usize) -> Result<NdArray> {
    let mut seen = NdArray::zeros(&[queries, keys], DType::Bool)?;
    let rows = seen.try_as_mut_slice::<bool>()?.chunks_exact_mut(keys.max(1));
    for (query, row) in rows.enumerate() {
        row[..keys.min(query + 1)].fill(true);
    }
    Ok(seen)
}
