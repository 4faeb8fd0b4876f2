//! What a sweep is to find, and the nodes that it visits for it.

use crate::array::NdArray;
use crate::error::{Error, Fault, Place, Result};
use crate::ops::emit::Arg;
use crate::record::Arena;
use crate::record::rows::Flags;

/// What a sweep is to find.
pub(crate) struct Task<'a> {
    /// The node to start from.
    pub(crate) loss: u32,
    /// The loss's cotangent; `None` is 1.
    pub(crate) seed: Option<&'a NdArray>,
    /// The nodes whose cotangents are asked for, ascending; `None` asks for the leaves.
    pub(crate) targets: Option<&'a [u32]>,
    /// Whether a zero cotangent meets an infinite slope as IEEE 754 says.
    pub(crate) ieee: bool,
    /// Whether each value is freed after its last use.
    pub(crate) consume: bool,
}

/// The nodes that a sweep visits.
pub(super) enum Wanted {
    /// All that depend on a leaf.
    Active,
    /// All that depend on a target: a bit each, from `first` on.
    Marked { first: u32, bits: Vec<u64> },
}

impl Wanted {
    /// `bits` is memory to use.
    pub(super) fn new(
        arena: &Arena,
        task: &Task<'_>,
        mut bits: Vec<u64>,
    ) -> Result<Wanted> {
        let Some(targets) = task.targets else { return Ok(Wanted::Active) };
        let first = match targets.first() {
            Some(&first) if first <= task.loss => first,
            _ => task.loss + 1,
        };
        descendants(arena, targets, first, task.loss, &mut bits)?;
        Ok(Wanted::Marked { first, bits })
    }

    #[inline]
    pub(super) fn has(&self, arena: &Arena, node: u32) -> bool {
        self.has_with(node, || arena.flags(node))
    }

    /// As `has`, for a node whose flags may be known.
    #[inline]
    pub(super) fn has_with(&self, node: u32, flags: impl FnOnce() -> Flags) -> bool {
        match self {
            Wanted::Active => flags().has(Flags::ACTIVE),
            Wanted::Marked { first, bits } => {
                node >= *first && bit(bits, (node - first) as usize)
            }
        }
    }
}

#[inline]
fn bit(bits: &[u64], k: usize) -> bool {
    bits[k / 64] >> (k % 64) & 1 == 1
}

/// Sets the bits of the nodes from `first` to `last` through which a gradient flows to a
/// target: the targets, what is computed from them, and gradients that were not
/// recorded, which may depend on anything.
fn descendants(
    arena: &Arena,
    targets: &[u32],
    first: u32,
    last: u32,
    bits: &mut Vec<u64>,
) -> Result<()> {
    let words = ((last + 1 - first) as usize).div_ceil(64);
    bits.clear();
    if bits.try_reserve(words).is_err() {
        return Err(out_of_memory(words * 8));
    }
    bits.resize(words, 0);
    let mut targets = targets.iter().copied().peekable();
    for node in first..=last {
        let reached = targets.next_if_eq(&node).is_some()
            || arena.flags(node).has(Flags::GRADIENT)
            || arena.tag(node).is_differentiable()
                && arena.ty(node).dtype.is_float()
                && arena.any_operand(node, |operand| {
                    operand >= first && bit(bits, (operand - first) as usize)
                });
        if reached {
            let k = (node - first) as usize;
            bits[k / 64] |= 1 << (k % 64);
        }
    }
    Ok(())
}

#[cold]
pub(super) fn out_of_memory(bytes: usize) -> Error {
    Error::new(Fault::Memory { op: "grad", bytes, shape: Vec::new() })
}

/// Whether a gradient flows from `loss` to `target`.
pub(crate) fn connected(arena: &Arena, loss: u32, target: u32) -> Result<bool> {
    if target > loss {
        return Ok(false);
    }
    let mut bits = Vec::new();
    descendants(arena, &[target], target, loss, &mut bits)?;
    Ok(bit(&bits, (loss - target) as usize) && arena.ty(target).dtype.is_float())
}

/// Fails unless the sweep may end at a gradient that was not recorded: it was asked for,
/// and no earlier node was that may lie behind it. Gradients in a row lie side by side.
#[cold]
pub(super) fn end_at_gradient(arena: &Arena, task: &Task<'_>, node: u32) -> Result<()> {
    let label = arena.label(node);
    let first = task.targets.and_then(|targets| targets.first().copied());
    let fault = match first.filter(|_| is_kept(task, node, arena.flags(node))) {
        Some(first) if (first..node).all(|k| arena.flags(k).has(Flags::GRADIENT)) => {
            return Ok(());
        }
        Some(first) => {
            Fault::GradientBetween { label: label.clone(), hidden: arena.label(first) }
        }
        None => Fault::GradientReached { label: label.clone() },
    };
    Err(Error::new(fault).recorded_at(label, Place::Site(arena.site(node))))
}

/// Whether the cotangent of a visited node is to be kept.
#[inline]
pub(super) fn is_kept(task: &Task<'_>, node: u32, flags: Flags) -> bool {
    match task.targets {
        None => flags.has(Flags::LEAF),
        Some(targets) => targets.binary_search(&node).is_ok(),
    }
}

/// A bit for each operand whose cotangent is wanted; all operands from the 64th on
/// share one.
pub(super) fn wanted_mask(arena: &Arena, node: u32, wanted: &Wanted) -> u64 {
    let operands = arena.operands(node);
    operands.iter().enumerate().fold(0, |mask, (k, operand)| match *operand {
        Arg::Value(x) if wanted.has(arena, x) => mask | 1 << k.min(63),
        _ => mask,
    })
}
