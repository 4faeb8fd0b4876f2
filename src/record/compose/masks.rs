//! Boolean masks in an index: each stands for the positions at which it is true, one
//! array for each of its axes. A mask without axes is true or false for a new axis of
//! size 1.

use super::Arena;
use super::arrange::as_index;
use super::index::Index;
use crate::array::{NdArray, View};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Operand, Result};
use crate::ops::Op;
use crate::stop;
use smallvec::SmallVec;

/// A part of an index, with positions in place of masks.
pub(super) enum Part {
    /// No array.
    Basic(Index),
    /// The positions in a node, along the next axis.
    Along(u32),
    /// The positions in a node, along a new axis of size 1.
    AlongNew(u32),
}

impl Part {
    /// How many axes of the tensor the part takes; an ellipsis has those that are left.
    pub(super) fn axes(&self) -> usize {
        match self {
            Part::Basic(Index::NewAxis | Index::Ellipsis) | Part::AlongNew(_) => 0,
            _ => 1,
        }
    }
}

impl Arena {
    /// The parts of an index; arrays of positions become constants.
    pub(super) fn without_masks(
        &mut self,
        x: u32,
        index: &[Index],
        site: u32,
    ) -> Result<SmallVec<[Part; 4]>> {
        let from = self.ty(x).shape.clone();
        let given: usize = index.iter().map(|part| self.axes_of(part)).sum();
        let mut axis = 0;
        let mut parts = SmallVec::new();
        for part in index {
            let next = axis
                + match part {
                    Index::Ellipsis => from.ndim().saturating_sub(given),
                    _ => self.axes_of(part),
                };
            if let Some(mask) = self.mask_of(part)? {
                if from.get(axis..next) != Some(mask.shape()) {
                    let (operand, mask) = (Operand::new(&from), mask.shape().to_vec());
                    let fault = Fault::MaskShape { operand, axis, mask };
                    return self.about(x, Err(Error::new(fault)));
                }
                if mask.ndim() == 0 {
                    let holds = mask.item()? == Scalar::Bool(true);
                    let places = holds.then_some(0).into_iter();
                    let places = self.integers(usize::from(holds), places, site)?;
                    parts.push(Part::AlongNew(places));
                }
                for places in places_of(mask.view())? {
                    let node = self.source(&Op::Constant, &places, None, site)?;
                    parts.push(Part::Along(node));
                }
            } else {
                parts.push(match part {
                    Index::Array(array) => {
                        Part::Along(self.source(&Op::Constant, array, None, site)?)
                    }
                    Index::Node(node) => Part::Along(node.0),
                    basic => Part::Basic(basic.clone()),
                });
            }
            axis = next;
        }
        Ok(parts)
    }

    /// How many axes of the tensor a part takes, without those of an ellipsis.
    fn axes_of(&self, part: &Index) -> usize {
        match part {
            Index::NewAxis | Index::Ellipsis => 0,
            Index::Array(array) if array.dtype() == DType::Bool => array.ndim(),
            Index::Node(node) if self.ty(node.0).dtype == DType::Bool => {
                self.ndim(node.0)
            }
            _ => 1,
        }
    }

    /// The mask, if the part is one.
    fn mask_of(&self, part: &Index) -> Result<Option<NdArray>> {
        Ok(match part {
            Index::Array(array) if array.dtype() == DType::Bool => Some(array.clone()),
            Index::Node(node) if self.ty(node.0).dtype == DType::Bool => {
                Some(self.data(node.0)?)
            }
            _ => None,
        })
    }
}

/// The positions along each axis at which a mask is true, in C order.
fn places_of(mask: View<'_>) -> Result<Vec<NdArray>> {
    let mask = mask.as_array::<bool>();
    let mut count = 0;
    for (k, &holds) in mask.iter().enumerate() {
        stop::poll_at(k)?;
        count += usize::from(holds);
    }
    let mut places = Vec::new();
    for _ in 0..mask.ndim() {
        places.push(NdArray::zeros(&[count], DType::I64)?);
    }
    let mut columns = Vec::new();
    for places in &mut places {
        columns.push(places.try_as_mut_slice::<i64>()?.iter_mut());
    }
    for (k, (at, &holds)) in mask.indexed_iter().enumerate() {
        stop::poll_at(k)?;
        if holds {
            let at = ndarray::Dimension::slice(&at);
            for (column, &at) in columns.iter_mut().zip(at) {
                *column.next().expect("there is room for each true element") =
                    as_index(at);
            }
        }
    }
    Ok(places)
}
