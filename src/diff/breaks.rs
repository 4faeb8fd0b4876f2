//! Why no gradient flows from a loss to a tensor.

use crate::error::{Error, Fault, Place, Result};
use crate::ops::emit::Arg;
use crate::record::Arena;

/// The most nodes that an error names.
const NAMED: usize = 3;

/// The error for a tensor that no gradient reaches: it names the nodes at which the
/// paths from the tensor to the loss end.
pub(crate) fn disconnected(arena: &Arena, loss: u32, tensor: u32) -> Error {
    let ends = match ends(arena, loss, tensor) {
        Ok(ends) => ends,
        Err(error) => return error,
    };
    let text = |&node: &u32| {
        let (label, dtype) = (arena.label(node), arena.ty(node).dtype);
        if dtype.is_float() { label } else { format!("{label} of {dtype}") }
    };
    let named = &ends[..ends.len().min(NAMED)];
    let error = Error::new(Fault::Disconnected {
        loss: arena.label(loss),
        label: arena.label(tensor),
        ends: named.iter().map(text).collect(),
        more: ends.len() - named.len(),
    });
    [tensor].iter().chain(named).fold(error, |error, &node| {
        error.recorded_at(arena.label(node), Place::Site(arena.site(node)))
    })
}

/// The nodes on the way from `tensor` to `loss` that take a gradient no further: they
/// have an operand that depends on the tensor smoothly, and do not so themselves.
fn ends(arena: &Arena, loss: u32, tensor: u32) -> Result<Vec<u32>> {
    let Some(len) = loss.checked_sub(tensor) else { return Ok(Vec::new()) };
    let has = |marks: &[bool], node: u32| {
        node.checked_sub(tensor).is_some_and(|k| marks[k as usize])
    };
    // What depends on the tensor smoothly.
    let mut smooth = marks(len as usize + 1)?;
    smooth[0] = true;
    for node in tensor + 1..=loss {
        smooth[(node - tensor) as usize] = arena.tag(node).is_differentiable()
            && arena.ty(node).dtype.is_float()
            && arena.any_operand(node, |operand| has(&smooth, operand));
    }
    // What the loss was computed from.
    let mut needed = marks(len as usize + 1)?;
    needed[len as usize] = true;
    let mut ends = Vec::new();
    for node in (tensor + 1..=loss).rev() {
        if !has(&needed, node) {
            continue;
        }
        if !has(&smooth, node) && arena.any_operand(node, |x| has(&smooth, x)) {
            ends.push(node);
        }
        for operand in arena.operands(node) {
            if let Arg::Value(operand) = operand
                && operand >= tensor
            {
                needed[(operand - tensor) as usize] = true;
            }
        }
    }
    ends.reverse();
    Ok(ends)
}

fn marks(len: usize) -> Result<Vec<bool>> {
    let mut marks = Vec::new();
    if marks.try_reserve(len).is_err() {
        let (op, shape) = ("wrt", Vec::new());
        return Err(Error::new(Fault::Memory { op, bytes: len, shape }));
    }
    marks.resize(len, false);
    Ok(marks)
}
