//! A record as a graph: what stands in its boxes, and the text for Graphviz.

use super::Arena;
use super::print::{heading, in_line, number, parameters, ty, value};
use crate::ops::Tier;
use crate::ops::emit::Arg;
use std::fmt::Write;

/// A node as a box.
pub(crate) struct GraphBox {
    pub(crate) node: u32,
    pub(crate) look: Look,
    /// Number, op and name; what the op takes beside tensors; type.
    pub(crate) lines: Vec<String>,
    /// What is shown on pointing at it: the value in short, and the source line.
    pub(crate) tip: String,
    /// The operands that are nodes.
    pub(crate) operands: Vec<u32>,
}

#[derive(Clone, Copy)]
pub(crate) enum Look {
    Leaf,
    Constant,
    Op,
}

/// The boxes of all nodes, or of those that `of` was computed from, in the order of
/// recording; `line` gives the source line of a site.
pub(crate) fn boxes(
    arena: &Arena,
    of: Option<u32>,
    line: impl Fn(u32) -> String,
) -> Vec<GraphBox> {
    let nodes = match of {
        Some(node) => ancestors(arena, node),
        None => (0..arena.len()).collect(),
    };
    let made = |node| GraphBox {
        node,
        look: match arena.tag(node).tier() {
            Tier::Source if arena.is_leaf(node) => Look::Leaf,
            Tier::Source => Look::Constant,
            _ => Look::Op,
        },
        lines: lines(arena, node),
        tip: format!("{}\n{}", value(arena, node), line(arena.site(node))),
        operands: operands(arena, node).collect(),
    };
    nodes.into_iter().map(made).collect()
}

/// The graph in the language of Graphviz, operands above what uses them.
pub(crate) fn dot(
    arena: &Arena,
    of: Option<u32>,
    line: impl Fn(u32) -> String,
) -> String {
    let mut text = format!("digraph \"record {}\" {{\n", arena.id());
    text.push_str("  node [shape=box, style=rounded, fontname=monospace];\n");
    let mut edges = String::new();
    for drawn in boxes(arena, of, line) {
        let node = drawn.node;
        let (label, tip) = (quoted(&drawn.lines.join("\n")), quoted(&drawn.tip));
        let style = match drawn.look {
            Look::Leaf => ", style=\"rounded,bold\"",
            Look::Constant => ", style=\"rounded,dashed\"",
            Look::Op => "",
        };
        // A `String` takes all that is written.
        let _ =
            writeln!(text, "  n{node} [label=\"{label}\", tooltip=\"{tip}\"{style}];");
        for operand in drawn.operands {
            let _ = writeln!(edges, "  n{operand} -> n{node};");
        }
    }
    text + &edges + "}\n"
}

fn lines(arena: &Arena, node: u32) -> Vec<String> {
    let head = format!("#{node} {}", heading(arena, node));
    let operands = arena.operands(node).into_iter();
    let numbers = operands.filter_map(|operand| match operand {
        Arg::Number(x) => Some(number(x)),
        Arg::Value(_) => None,
    });
    let parameters = Some(in_line(&parameters(arena, node)));
    let rest = numbers.chain(parameters.filter(|text| !text.is_empty()));
    let rest = rest.collect::<Vec<String>>().join(", ");
    [head, rest, ty(arena, node)].into_iter().filter(|line| !line.is_empty()).collect()
}

/// A text within quotation marks.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn operands(arena: &Arena, node: u32) -> impl Iterator<Item = u32> {
    arena.operands(node).into_iter().filter_map(|operand| match operand {
        Arg::Value(operand) => Some(operand),
        Arg::Number(_) => None,
    })
}

/// The nodes that `node` was computed from, and itself, ascending.
fn ancestors(arena: &Arena, node: u32) -> Vec<u32> {
    let mut needed = vec![false; node as usize + 1];
    needed[node as usize] = true;
    for node in (0..=node).rev() {
        if needed[node as usize] {
            operands(arena, node).for_each(|operand| needed[operand as usize] = true);
        }
    }
    (0..=node).filter(|&node| needed[node as usize]).collect()
}
