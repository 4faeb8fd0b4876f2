//! The check for values that are not finite. A record does it only if it was asked to:
//! each value and each cotangent is then read once more.

use super::print::in_line;
use crate::array::View;
use crate::dtype::{DType, Element};
use crate::error::{Error, Fault, Place, Result};

/// The first element, in C order, that is NaN or infinite, and its position.
pub(crate) fn first(view: View<'_>) -> Option<(Vec<usize>, f64)> {
    fn find<T: Element + Into<f64>>(view: View<'_>) -> Option<(Vec<usize>, f64)> {
        let array = view.as_array::<T>();
        let values = array.indexed_iter().map(|(at, &x)| (at, x.into()));
        let found = values.into_iter().find(|(_, x): &(_, f64)| !x.is_finite());
        found.map(|(at, x)| (ndarray::Dimension::slice(&at).to_vec(), x))
    }
    match view.dtype() {
        DType::F32 => find::<f32>(view),
        DType::F64 => find::<f64>(view),
        DType::I64 | DType::Bool => None,
    }
}

/// Fails if the value that a node is to have is not finite throughout.
pub(crate) fn expect(
    op: &'static str,
    node: u32,
    name: Option<&str>,
    value: View<'_>,
    site: u32,
) -> Result<()> {
    let Some((position, value)) = first(value) else { return Ok(()) };
    let label = name.map_or_else(|| format!("#{node} {op}"), in_line);
    let fault = Fault::NonFinite { op, label: label.clone(), value, position };
    Err(Error::new(fault).recorded_at(label, Place::Site(site)))
}
