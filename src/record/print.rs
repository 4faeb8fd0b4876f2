//! A record as a person reads it.

use super::arena::Arena;
use super::rows::Flags;
use crate::array::{NdArray, summary};
use crate::dtype::Scalar;
use crate::ops::Op;
use crate::ops::emit::Arg;
use std::fmt::Write;

/// Longer records show this many nodes at either end.
const SHOWN: u32 = 20;
/// Ops with more operands show the first ones.
const FEW: usize = 4;
/// Where the cotangents stand in a row.
const COTANGENT: usize = 5;

/// `tensor #3 relu f32 (2, 3): 0..1.5`.
pub(crate) fn tensor(arena: &Arena, node: u32) -> String {
    let ty = arena.ty(node);
    let value = value(arena, node);
    format!("tensor {} {} {}: {value}", arena.label(node), ty.dtype, ty.shape)
}

/// Whether a record of `len` nodes is not shown whole.
fn is_elided(len: u32) -> bool {
    len > 2 * SHOWN + 1
}

/// The nodes that are shown of a record of `len` nodes.
pub(crate) fn shown(len: u32) -> impl Iterator<Item = u32> {
    let (head, tail) = if is_elided(len) { (SHOWN, len - SHOWN) } else { (len, len) };
    (0..head).chain(tail..len)
}

/// The Wengert list: one line a node.
pub(crate) fn table(
    arena: &Arena,
    cotangents: Option<&[(u32, NdArray)]>,
    line: impl Fn(u32) -> String,
) -> String {
    let rows = rows(arena, cotangents, line);
    let mut widths = [0; 7];
    for row in rows.iter().filter(|row| row.len() > 1) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let len = arena.len();
    let plural = if len == 1 { "" } else { "s" };
    let mut text = format!("record {}: {len} node{plural}", arena.id());
    for row in rows {
        let mut rendered = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(rendered, "  {cell:width$}");
        }
        text.push('\n');
        text.push_str(rendered.trim_end());
    }
    text
}

/// The cells of the list: a header, and a row for each node. One of a single cell stands
/// for the nodes that are left out. Cotangents, which are ascending by node, stand in a
/// column of their own beside the values.
pub(crate) fn rows(
    arena: &Arena,
    cotangents: Option<&[(u32, NdArray)]>,
    line: impl Fn(u32) -> String,
) -> Vec<Vec<String>> {
    let len = arena.len();
    let mut header = vec!["#", "op", "operands", "type", "value", "recorded at"];
    if cotangents.is_some() {
        header.insert(COTANGENT, "cotangent");
    }
    let mut rows: Vec<Vec<String>> =
        vec![header.into_iter().map(String::from).collect()];
    for node in shown(len) {
        if is_elided(len) && node == len - SHOWN {
            rows.push(vec![format!("... {} nodes ...", len - 2 * SHOWN)]);
        }
        let mut row = row(arena, node, &line);
        if let Some(cotangents) = cotangents {
            row.insert(COTANGENT, cotangent(cotangents, node).unwrap_or_default());
        }
        rows.push(row);
    }
    rows
}

fn row(arena: &Arena, node: u32, line: &impl Fn(u32) -> String) -> Vec<String> {
    vec![
        node.to_string(),
        heading(arena, node),
        operands(arena, node),
        ty(arena, node),
        value(arena, node),
        line(arena.site(node)),
    ]
}

/// `relu hidden`.
pub(crate) fn heading(arena: &Arena, node: u32) -> String {
    let op = arena.op_name(node);
    match arena.name(node) {
        Some(name) => format!("{op} {}", in_line(name)),
        None => op.into_owned(),
    }
}

/// `f32 (2, 3)`.
pub(crate) fn ty(arena: &Arena, node: u32) -> String {
    let ty = arena.ty(node);
    format!("{} {}", ty.dtype, ty.shape)
}

/// A node's value in short.
pub(crate) fn value(arena: &Arena, node: u32) -> String {
    if arena.is_consumed(node) {
        return "consumed".into();
    }
    if !arena.is_empty(node) {
        return summary(&arena.view(node));
    }
    match arena.data(node) {
        Ok(value) => summary(&value.view()),
        Err(_) => "gone".into(),
    }
}

/// A node's cotangent in short, if there is one in the list.
pub(crate) fn cotangent(cotangents: &[(u32, NdArray)], node: u32) -> Option<String> {
    let found = cotangents.binary_search_by_key(&node, |x| x.0).ok()?;
    Some(summary(&cotangents[found].1.view()))
}

/// A text cut and escaped so that it stays within its line.
pub(crate) fn in_line(name: &str) -> String {
    const LONGEST: usize = 40;
    let mut text = String::new();
    for (k, c) in name.chars().enumerate() {
        match c {
            _ if k == LONGEST => {
                text.push_str("...");
                break;
            }
            c if c.is_control() => text.extend(c.escape_default()),
            c => text.push(c),
        }
    }
    text
}

/// A number as an operand.
pub(crate) fn number(number: Scalar) -> String {
    match number {
        Scalar::Bool(x) => x.to_string(),
        Scalar::Int(x) => x.to_string(),
        Scalar::Float(x) => format!("{x:?}"),
    }
}

/// Operands by number, and the parameters of the op.
fn operands(arena: &Arena, node: u32) -> String {
    let operand = |x: &Arg<u32>| match *x {
        Arg::Value(operand) => format!("#{operand}"),
        Arg::Number(x) => number(x),
    };
    let mut parts: Vec<String> = arena.operands(node).iter().map(operand).collect();
    if parts.len() > FEW {
        let rest = parts.len() - FEW + 1;
        parts.truncate(FEW - 1);
        parts.push(format!("and {rest} more"));
    }
    let parameters = parameters(arena, node);
    if !parameters.is_empty() {
        parts.push(in_line(&parameters));
    }
    parts.join(", ")
}

/// What else a node says of itself: the parameters of its op.
pub(crate) fn parameters(arena: &Arena, node: u32) -> String {
    if arena.flags(node).has(Flags::GRADIENT) {
        return "not recorded".into();
    }
    parameters_of(arena.op(node))
}

/// The parameters of an op that its type does not show: `axes=[0], keepdims`.
///
/// They are what `Debug` says of it, `Sum(Sum { axes: [0], keepdims: true })`, without
/// those that are off: so no op has to say twice what it consists of.
fn parameters_of(op: &Op) -> String {
    if (op.tag() as usize) < Op::PLAIN.len() {
        return String::new();
    }
    let text = format!("{op:?}");
    let fields = text.split_once(" { ").and_then(|(_, rest)| rest.rsplit_once(" }"));
    let Some((fields, _)) = fields else { return String::new() };
    let mut parts: Vec<String> = Vec::new();
    for field in split(fields) {
        let Some((name, value)) = field.split_once(": ") else { continue };
        let value = value
            .strip_prefix("Some(")
            .and_then(|value| value.strip_suffix(')'))
            .unwrap_or(value);
        match (name, value) {
            ("shape" | "dtype", _) | (_, "false" | "None") => {}
            (name, "true") => parts.push(name.to_owned()),
            (name, value) => parts.push(format!("{name}={value}")),
        }
    }
    parts.join(", ")
}

/// The parts between commas that stand within no brackets.
fn split(fields: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in fields.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(fields[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(fields[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::index::Slice;
    use crate::ops::reduce::{ArgMax, Sum};
    use crate::ops::view::Reshape;
    use crate::shape::{Shape, Span};
    use smallvec::smallvec;

    #[test]
    fn parameters_are_those_that_are_set() {
        let axes = smallvec![0, 2];
        let sum = Sum { axes, keepdims: true };
        assert_eq!(parameters_of(&sum.into()), "axes=[0, 2], keepdims");
        let sum = Sum { axes: smallvec![1], keepdims: false };
        assert_eq!(parameters_of(&sum.into()), "axes=[1]");
        assert_eq!(parameters_of(&ArgMax { axis: Some(1) }.into()), "axis=1");
        assert_eq!(parameters_of(&ArgMax { axis: None }.into()), "");
        assert_eq!(parameters_of(&Reshape { shape: Shape::new(&[2, 3]) }.into()), "");
        assert_eq!(parameters_of(&Op::Multiply), "");
    }

    #[test]
    fn spans_read_as_slices() {
        let span = |start, step, len| Span { start, step, len };
        let spans =
            smallvec![span(0, 1, 3), span(1, 2, 2), span(4, -1, 5), span(2, 1, 0)];
        let text = parameters_of(&Slice { spans }.into());
        assert_eq!(text, "spans=[0:3, 1:5:2, 4::-1, 2:2]");
    }
}
