//! A record as a person reads it.

use super::arena::Arena;
use super::rows::Flags;
use crate::array::summary;
use crate::dtype::Scalar;
use crate::ops::emit::Arg;
use std::fmt::Write;

/// Longer records show this many nodes at either end.
const SHOWN: u32 = 20;
/// Ops with more operands show the first ones.
const FEW: usize = 4;

/// `tensor #3 relu f32 (2, 3): 0..1.5`.
pub(crate) fn tensor(arena: &Arena, node: u32) -> String {
    let ty = arena.ty(node);
    let value = summary(&arena.view(node));
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
pub(crate) fn table(arena: &Arena, line: impl Fn(u32) -> String) -> String {
    let len = arena.len();
    let header = ["#", "op", "operands", "type", "value", "recorded at"];
    let mut rows: Vec<[String; 6]> = vec![header.map(String::from)];
    rows.extend(shown(len).map(|node| row(arena, node, &line)));
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let plural = if len == 1 { "" } else { "s" };
    let mut text = format!("record {}: {len} node{plural}", arena.id());
    for (k, row) in rows.iter().enumerate() {
        if k == SHOWN as usize + 1 && is_elided(len) {
            let _ = write!(text, "\n  ... {} nodes ...", len - 2 * SHOWN);
        }
        let mut rendered = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(rendered, "  {cell:width$}");
        }
        text.push('\n');
        text.push_str(rendered.trim_end());
    }
    text
}

fn row(arena: &Arena, node: u32, line: &impl Fn(u32) -> String) -> [String; 6] {
    let ty = arena.ty(node);
    let name = arena.tag(node).name();
    let op = match arena.name(node) {
        Some(parameter) => format!("{name} {}", in_line(parameter)),
        None => name.to_owned(),
    };
    [
        node.to_string(),
        op,
        operands(arena, node),
        format!("{} {}", ty.dtype, ty.shape),
        summary(&arena.view(node)),
        line(arena.site(node)),
    ]
}

/// A name cut and escaped so that it stays within its line.
fn in_line(name: &str) -> String {
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

/// Operands by number, and the parameters of the op.
fn operands(arena: &Arena, node: u32) -> String {
    let operand = |x: &Arg<u32>| match *x {
        Arg::Value(operand) => format!("#{operand}"),
        Arg::Number(Scalar::Bool(x)) => x.to_string(),
        Arg::Number(Scalar::Int(x)) => x.to_string(),
        Arg::Number(Scalar::Float(x)) => format!("{x:?}"),
    };
    let mut parts: Vec<String> = arena.operands(node).iter().map(operand).collect();
    if parts.len() > FEW {
        let rest = parts.len() - FEW + 1;
        parts.truncate(FEW - 1);
        parts.push(format!("and {rest} more"));
    }
    if arena.flags(node).has(Flags::GRADIENT) {
        parts.push("not recorded".into());
    }
    parts.join(", ")
}
