//! Boolean masks in an index: each stands for the positions at which it is true, one
//! array for each of its axes.

use super::{Arena, Index};
use crate::array::{NdArray, View};
use crate::dtype::DType;
use crate::error::{Error, Fault, Operand, Result};
use smallvec::SmallVec;

impl Arena {
    /// The index with positions in place of masks.
    pub(super) fn without_masks(
        &mut self,
        x: u32,
        index: &[Index],
    ) -> Result<SmallVec<[Index; 4]>> {
        let from = self.ty(x).shape.clone();
        let width = |arena: &Arena, part: &Index| match part {
            Index::NewAxis | Index::Ellipsis => 0,
            Index::Array(array) if array.dtype() == DType::Bool => array.ndim(),
            Index::Node(node) if arena.ty(node.0).dtype == DType::Bool => {
                arena.ndim(node.0)
            }
            _ => 1,
        };
        let given: usize = index.iter().map(|part| width(self, part)).sum();
        let mut axis = 0;
        let mut parts = SmallVec::new();
        for part in index {
            let mask = match part {
                Index::Array(array) if array.dtype() == DType::Bool => array.clone(),
                Index::Node(node) if self.ty(node.0).dtype == DType::Bool => {
                    self.data(node.0)?
                }
                _ => {
                    axis += match part {
                        Index::Ellipsis => from.ndim().saturating_sub(given),
                        _ => width(self, part),
                    };
                    parts.push(part.clone());
                    continue;
                }
            };
            let end = axis + mask.ndim();
            if mask.ndim() == 0 || from.get(axis..end) != Some(mask.shape()) {
                let (operand, mask) = (Operand::new(&from), mask.shape().to_vec());
                let fault = Fault::MaskShape { operand, axis, mask };
                return self.about(x, Err(Error::new(fault)));
            }
            for places in places_of(mask.view())? {
                parts.push(Index::Array(places));
            }
            axis = end;
        }
        Ok(parts)
    }
}

/// The positions along each axis at which a mask is true, in C order.
fn places_of(mask: View<'_>) -> Result<Vec<NdArray>> {
    let mut places: Vec<Vec<i64>> = vec![Vec::new(); mask.shape().len()];
    for (position, &holds) in mask.as_array::<bool>().indexed_iter() {
        if holds {
            let position = ndarray::Dimension::slice(&position);
            for (places, &at) in places.iter_mut().zip(position) {
                places.push(at.cast_signed() as i64);
            }
        }
    }
    places.iter().map(|k| NdArray::try_from_elements(k, &[k.len()])).collect()
}
