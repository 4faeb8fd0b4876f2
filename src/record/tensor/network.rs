//! Methods that layers of networks are made of.

use super::{IntoOperand, Tensor};
use crate::error::{self, Result};
use crate::ops::emit::Arg;

impl<'rec> Tensor<'rec> {
    /// The nodes of operands that may be absent.
    pub(super) fn nodes<const N: usize>(
        self,
        op: &'static str,
        operands: [Option<&Tensor<'rec>>; N],
    ) -> Result<[Option<u32>; N]> {
        let mut nodes = [None; N];
        for (node, operand) in nodes.iter_mut().zip(operands) {
            *node = operand.map(|x| x.node_of(op, self.record)).transpose()?;
        }
        Ok(nodes)
    }
}

/// Normalisation, embedding, dropout, attention and a loss.
impl<'rec> Tensor<'rec> {
    /// The mean of the squared differences from a target, which has the same shape
    /// unless `broadcast` allows another.
    ///
    /// # Panics
    /// If the shapes differ: between (N, 1) and (N,) every element would meet every
    /// other.
    #[track_caller]
    pub fn mean_squared_error(
        &self,
        target: impl IntoOperand<'rec>,
        broadcast: bool,
    ) -> Tensor<'rec> {
        error::expect(self.try_mean_squared_error(target, broadcast))
    }

    /// As `mean_squared_error`; an error records nothing.
    #[track_caller]
    pub fn try_mean_squared_error(
        &self,
        target: impl IntoOperand<'rec>,
        broadcast: bool,
    ) -> Result<Tensor<'rec>> {
        let target = self.operand("mean_squared_error", target)?;
        self.record.node(|arena, site| {
            arena.mean_squared_error(Arg::Value(self.index), target, broadcast, site)
        })
    }

    /// Less the mean over axes, divided by `sqrt(variance + eps)`, then times a scale
    /// and plus a bias, which have the sizes of those axes (Ba, Kiros and Hinton,
    /// "Layer Normalization", 2016).
    #[track_caller]
    pub fn layer_norm(
        &self,
        scale: Option<&Tensor<'rec>>,
        bias: Option<&Tensor<'rec>>,
        axes: &[isize],
        eps: f64,
    ) -> Tensor<'rec> {
        error::expect(self.try_layer_norm(scale, bias, axes, eps))
    }

    /// As `layer_norm`; an error records nothing.
    #[track_caller]
    pub fn try_layer_norm(
        &self,
        scale: Option<&Tensor<'rec>>,
        bias: Option<&Tensor<'rec>>,
        axes: &[isize],
        eps: f64,
    ) -> Result<Tensor<'rec>> {
        let companions = self.nodes("layer_norm", [scale, bias])?;
        self.record.node(|arena, site| {
            arena.layer_norm(self.index, companions, axes, eps, site)
        })
    }

    /// Divided by `sqrt(mean of squares over axes + eps)`, then times a scale, which has
    /// the sizes of those axes (Zhang and Sennrich, "Root Mean Square Layer
    /// Normalization", 2019).
    #[track_caller]
    pub fn rms_norm(
        &self,
        scale: Option<&Tensor<'rec>>,
        axes: &[isize],
        eps: f64,
    ) -> Tensor<'rec> {
        error::expect(self.try_rms_norm(scale, axes, eps))
    }

    /// As `rms_norm`; an error records nothing.
    #[track_caller]
    pub fn try_rms_norm(
        &self,
        scale: Option<&Tensor<'rec>>,
        axes: &[isize],
        eps: f64,
    ) -> Result<Tensor<'rec>> {
        let [scale] = self.nodes("rms_norm", [scale])?;
        self.record
            .node(|arena, site| arena.rms_norm(self.index, scale, axes, eps, site))
    }

    /// Normalised over all axes but one, then times a scale and plus a bias, which have
    /// that axis alone, as have the statistics `[mean, variance]`. Those not given are
    /// computed; both are returned beside the result, for who keeps running ones
    /// (Ioffe and Szegedy, "Batch Normalization", 2015).
    #[track_caller]
    pub fn batch_norm(
        &self,
        statistics: [Option<&Tensor<'rec>>; 2],
        scale: Option<&Tensor<'rec>>,
        bias: Option<&Tensor<'rec>>,
        axis: isize,
        eps: f64,
    ) -> [Tensor<'rec>; 3] {
        error::expect(self.try_batch_norm(statistics, scale, bias, axis, eps))
    }

    /// As `batch_norm`; an error records nothing.
    #[track_caller]
    pub fn try_batch_norm(
        &self,
        statistics: [Option<&Tensor<'rec>>; 2],
        scale: Option<&Tensor<'rec>>,
        bias: Option<&Tensor<'rec>>,
        axis: isize,
        eps: f64,
    ) -> Result<[Tensor<'rec>; 3]> {
        let statistics = self.nodes("batch_norm", statistics)?;
        let companions = self.nodes("batch_norm", [scale, bias])?;
        let nodes = self.record.run(|arena, site| {
            arena.batch_norm(self.index, statistics, companions, axis, eps, site)
        })?;
        Ok(nodes.map(|node| Tensor::new(self.record, node)))
    }

    /// The rows that `i64` ids name. An id is neither negative nor beyond the rows.
    #[track_caller]
    pub fn embedding(&self, ids: &Tensor<'rec>) -> Tensor<'rec> {
        error::expect(self.try_embedding(ids))
    }

    /// As `embedding`; an error records nothing.
    #[track_caller]
    pub fn try_embedding(&self, ids: &Tensor<'rec>) -> Result<Tensor<'rec>> {
        let ids = ids.node_of("embedding", self.record)?;
        self.record.node(|arena, site| arena.embedding(self.index, ids, site))
    }

    /// With elements dropped at random: each is 0 with probability `rate`, otherwise
    /// times `1 / (1 - rate)`. The draws come from the record's `Rng` and are recorded.
    #[track_caller]
    pub fn dropout(&self, rate: f64) -> Tensor<'rec> {
        error::expect(self.try_dropout(rate))
    }

    /// As `dropout`; an error records nothing.
    #[track_caller]
    pub fn try_dropout(&self, rate: f64) -> Result<Tensor<'rec>> {
        let rng = self.record.rng();
        self.record.node(|arena, site| arena.dropout(self.index, rate, rng, site))
    }

    /// `softmax(self @ keyᵀ * scale) @ value` over the last two axes; the scale is one
    /// over the root of the query's last size, unless it is given. A boolean mask says
    /// what may be attended to, one of floats is added to the scores; `causal` hides later
    /// keys (Vaswani et al., "Attention Is All You Need", 2017).
    #[track_caller]
    pub fn scaled_dot_product_attention(
        &self,
        key: &Tensor<'rec>,
        value: &Tensor<'rec>,
        mask: Option<&Tensor<'rec>>,
        causal: bool,
        scale: Option<f64>,
    ) -> Tensor<'rec> {
        error::expect(
            self.try_scaled_dot_product_attention(key, value, mask, causal, scale),
        )
    }

    /// As `scaled_dot_product_attention`; an error records nothing.
    #[track_caller]
    pub fn try_scaled_dot_product_attention(
        &self,
        key: &Tensor<'rec>,
        value: &Tensor<'rec>,
        mask: Option<&Tensor<'rec>>,
        causal: bool,
        scale: Option<f64>,
    ) -> Result<Tensor<'rec>> {
        let op = "scaled_dot_product_attention";
        let operands = [
            self.index,
            key.node_of(op, self.record)?,
            value.node_of(op, self.record)?,
        ];
        let [mask] = self.nodes(op, [mask])?;
        self.record
            .node(|arena, site| arena.attention(operands, mask, causal, scale, site))
    }
}
