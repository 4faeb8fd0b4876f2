//! The cotangents of parts of a tensor: slices and gathers.

use super::reverse::Sweep;
use super::workspace::Slot;
use crate::array::View;
use crate::error::Result;
use crate::ops::Op;
use crate::ops::emit::Arg;

impl Sweep<'_> {
    /// Adds the cotangent of a slice or a gather where it belongs in its operand's, if
    /// that has one already: of many parts of a tensor only the first to be visited
    /// takes an array of its size. False if nothing was done.
    pub(super) fn add_part(
        &mut self,
        node: u32,
        op: &Op,
        ct: View<'_>,
    ) -> Result<bool> {
        let arena = self.arena;
        let (true, Arg::Value(whole)) = (op.is_part(), arena.operand(node, 0)) else {
            return Ok(false);
        };
        let mut sum = match self.work.take(whole) {
            Slot::Empty => return Ok(false),
            slot => self.work.exclusive_of(slot, arena.ty(whole))?,
        };
        let operands = arena.operands(node);
        let mut words = [0; 2];
        let views = arena.views_by(&operands, &mut words, |x| arena.view_for_rule(x));
        let indices = &views[1..];
        let out = sum.exclusive().expect("the sweep alone holds the sum");
        op.add_part(ct, indices, out)?;
        self.work.set(whole, sum);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::array::buffer::TAKEN;
    use crate::{ComputationRecord, DType, Index, NdArray, Tensor};

    /// Bytes that a sweep takes from the pool where `parts` makes a loss of `len` parts
    /// of a tensor with as many elements.
    fn taken(
        len: usize,
        parts: for<'rec> fn(&Tensor<'rec>, usize) -> Vec<Tensor<'rec>>,
    ) -> usize {
        let rec = ComputationRecord::new();
        let x = rec.tensor_from_value(NdArray::full(&[len], 3.0, DType::F64).unwrap());
        let zero = x.get(&[Index::At(0)]) * 0.0;
        let loss = parts(&x, len).into_iter().fold(zero, |sum, part| sum + part);
        let before = TAKEN.get();
        let grad = loss.grad();
        let taken = TAKEN.get() - before;
        assert_eq!(grad.wrt(&x).data().to_vec::<f64>(), vec![1.0; len]);
        taken
    }

    #[test]
    fn many_parts_of_a_tensor_take_one_array_of_its_size() {
        fn slices<'rec>(x: &Tensor<'rec>, len: usize) -> Vec<Tensor<'rec>> {
            (0..len.cast_signed()).map(|k| x.get(&[Index::At(k)])).collect()
        }
        fn gathers<'rec>(x: &Tensor<'rec>, len: usize) -> Vec<Tensor<'rec>> {
            let at = |k: i64| Index::Array(NdArray::from_elements(&[k]));
            (0..i64::try_from(len).unwrap()).map(|k| x.get(&[at(k)]).sum()).collect()
        }
        for parts in [slices, gathers] {
            let (few, many) = (taken(1000, parts), taken(2000, parts));
            assert!(few > 8000 && many < 2 * few + 8000, "{few} bytes, then {many}");
        }
    }
}
