//! Operands, shapes and sizes as messages show them.

use std::fmt::{self, Write as _};

/// An operand as a message shows it: its name or number, and its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    pub(super) label: Option<String>,
    pub(super) shape: Vec<usize>,
}

impl Operand {
    /// An operand that is only known by its shape.
    pub(crate) fn new(shape: &[usize]) -> Self {
        Operand { label: None, shape: shape.to_vec() }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = &self.label {
            write!(f, "{label} ")?;
        }
        write!(f, "{}", tuple(&self.shape))
    }
}

/// Operands separated by a comma.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operands(pub(super) Vec<Operand>);

impl<'a> FromIterator<&'a [usize]> for Operands {
    fn from_iter<I: IntoIterator<Item = &'a [usize]>>(shapes: I) -> Self {
        Operands(shapes.into_iter().map(Operand::new).collect())
    }
}

impl fmt::Display for Operands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, operand) in self.0.iter().enumerate() {
            let separator = if k == 0 { "" } else { ", " };
            write!(f, "{separator}{operand}")?;
        }
        Ok(())
    }
}

/// A shape as Python prints a tuple.
pub(crate) fn tuple(shape: &[usize]) -> String {
    match shape {
        [n] => format!("({n},)"),
        _ => format!("({})", join(shape)),
    }
}

pub(super) fn join<T: fmt::Display>(items: &[T]) -> String {
    let mut text = String::new();
    for (k, item) in items.iter().enumerate() {
        let separator = if k == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}{item}");
    }
    text
}

pub(super) fn gibibytes(bytes: usize) -> String {
    const UNITS: [(&str, f64); 3] =
        [("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1024.0)];
    for (unit, size) in UNITS {
        let amount = bytes as f64 / size;
        if amount >= 1.0 {
            return format!("{amount:.1} {unit}");
        }
    }
    format!("{bytes} bytes")
}

/// What is not finite, and where.
pub(super) fn held(value: f64, position: &[usize]) -> String {
    match position {
        [] => format!("be {value}"),
        position => format!("hold {value} at {}", tuple(position)),
    }
}

/// The operand that a rule is wrong for, if it is known.
pub(super) fn of_operand(position: Option<usize>) -> String {
    position.map_or_else(String::new, |k| format!("operand {k}: "))
}

/// A number to six digits.
pub(super) fn rounded(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// Where the paths to a tensor end.
pub(super) fn ended(ends: &[String], more: usize) -> String {
    let ends = match ends {
        [] => return "no path leads there".to_owned(),
        [end] => return format!("the path ends at {end}"),
        ends => ends.join(", "),
    };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the paths end at {ends}{more}")
}

/// Shapes one under the other's right end, so that axes that meet stand in one column.
pub(super) fn aligned(operands: &Operands) -> String {
    let rank = operands.0.iter().map(|x| x.shape.len()).max().unwrap_or(0);
    let width = |axis: usize| {
        let from_right = rank - axis;
        let digits = |x: &Operand| {
            let len = x.shape.len();
            (len >= from_right).then(|| x.shape[len - from_right].to_string().len())
        };
        operands.0.iter().filter_map(digits).max().unwrap_or(1)
    };
    let mut text = String::new();
    for operand in &operands.0 {
        let missing = rank - operand.shape.len();
        text.push_str("\n  ");
        for axis in 0..rank {
            let cell = match axis.checked_sub(missing) {
                Some(k) => operand.shape[k].to_string(),
                None => String::new(),
            };
            let _ = write!(text, " {cell:>width$}", width = width(axis));
        }
        if let Some(label) = &operand.label {
            let _ = write!(text, "   {label}");
        }
    }
    text
}
