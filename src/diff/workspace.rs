//! The cotangents of a sweep that is under way, by node.

use crate::array::buffer::Buffer;
use crate::array::{NdArray, Order, View};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::kernels;
use crate::kernels::batch::Batch;
use crate::shape::Type;

/// The cotangent of one node, as far as it has been summed.
#[derive(Default)]
pub(crate) enum Slot {
    /// Zero.
    #[default]
    Empty,
    /// That of a rank-0 `f64` node.
    Word(f64),
    /// Contiguous elements of the node's own type.
    Dense(Buffer),
    /// Any other array, by its place in `Workspace::arrays`.
    Array(usize),
}

/// One slot a node, recycled from sweep to sweep. Between sweeps all are empty.
#[derive(Default)]
pub(crate) struct Workspace {
    slots: Vec<Slot>,
    arrays: Vec<Option<NdArray>>,
    free: Vec<usize>,
    /// Memory for the nodes that a sweep visits, a bit each.
    pub(crate) bits: Vec<u64>,
    /// Loops that cotangents wait for.
    pub(crate) batch: Batch,
}

impl Workspace {
    /// Makes room for the nodes below `len`; false if there is no memory.
    pub(crate) fn reserve(&mut self, len: usize) -> bool {
        let missing = len.saturating_sub(self.slots.len());
        if self.slots.try_reserve(missing).is_err() {
            return false;
        }
        self.slots.resize_with(self.slots.len() + missing, Slot::default);
        true
    }

    /// The number of nodes that there is room for.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Takes a node's cotangent.
    #[inline]
    pub(crate) fn take(&mut self, node: u32) -> Slot {
        std::mem::take(&mut self.slots[node as usize])
    }

    #[inline]
    pub(crate) fn slot(&mut self, node: u32) -> &mut Slot {
        &mut self.slots[node as usize]
    }

    /// Takes a node's cotangent, if it is a word.
    #[inline(always)]
    pub(crate) fn take_word(&mut self, node: u32) -> Option<f64> {
        let slot = self.slot(node);
        let &mut Slot::Word(ct) = slot else { return None };
        // Forgotten, so that no code is made to drop a word.
        std::mem::forget(std::mem::take(slot));
        Some(ct)
    }

    /// Takes a node's cotangent, if it is a buffer.
    #[inline(always)]
    pub(crate) fn take_dense(&mut self, node: u32) -> Option<Buffer> {
        let slot = self.slot(node);
        if !matches!(slot, Slot::Dense(_)) {
            return None;
        }
        match std::mem::take(slot) {
            Slot::Dense(ct) => Some(ct),
            _ => None,
        }
    }

    /// Gives a node whose slot is empty a buffer of elements of its type.
    #[inline(always)]
    pub(crate) fn put_dense(&mut self, node: u32, ct: Buffer) {
        let slot = self.slot(node);
        debug_assert!(matches!(slot, Slot::Empty), "the slot was taken");
        // Forgotten, so that no code is made to drop what is empty.
        std::mem::forget(std::mem::replace(slot, Slot::Dense(ct)));
    }

    #[inline]
    pub(crate) fn is_empty(&self, node: u32) -> bool {
        matches!(self.slots[node as usize], Slot::Empty)
    }

    /// The cotangent of a node of type `ty`, as far as it has been summed.
    pub(crate) fn view<'a>(&'a self, node: u32, ty: &'a Type) -> Option<View<'a>> {
        let first = match &self.slots[node as usize] {
            Slot::Empty => return None,
            Slot::Word(x) => std::ptr::from_ref(x).cast(),
            Slot::Dense(buffer) => buffer.data().cast_const(),
            Slot::Array(k) => return self.arrays[*k].as_ref().map(NdArray::view),
        };
        // SAFETY: a word is the one element of its type; a dense slot holds initialised
        // elements of its node's type.
        Some(unsafe { View::from_raw(first, &ty.shape, None, ty.dtype) })
    }

    /// The bits of the number that each element of an array among the slots is, if they
    /// share its memory.
    pub(crate) fn repeated(&self, slot: &Slot) -> Option<u64> {
        let &Slot::Array(k) = slot else { return None };
        let view = self.arrays[k].as_ref()?.view();
        let is_repeated = !view.is_empty() && view.repeats() == view.len();
        is_repeated.then(|| view.first_value().to_bits(view.dtype()))
    }

    /// Adds to the cotangent of a rank-0 `f64` node.
    #[inline(always)]
    pub(crate) fn add_word(&mut self, node: u32, ct: f64) {
        let slot = self.slot(node);
        if let Slot::Word(sum) = slot {
            *sum += ct;
        } else {
            debug_assert!(matches!(slot, Slot::Empty), "a rank-0 f64 node has a word");
            std::mem::forget(std::mem::replace(slot, Slot::Word(ct)));
        }
    }

    /// The array of a slot that was taken, for a node of type `ty`.
    pub(crate) fn array_of(&mut self, slot: Slot, ty: &Type) -> Result<NdArray> {
        match slot {
            Slot::Empty => NdArray::zeros(&ty.shape, ty.dtype),
            Slot::Word(x) => NdArray::full(&ty.shape, Scalar::Float(x), ty.dtype),
            Slot::Dense(buffer) => {
                // SAFETY: a dense slot holds initialised elements of its node's type.
                Ok(unsafe { NdArray::from_buffer(buffer, ty.clone()) })
            }
            Slot::Array(k) => {
                self.free.push(k);
                let array = self.arrays[k].take();
                Ok(array.expect("a slot's array is there until it is taken"))
            }
        }
    }

    /// As `array_of`, copied if anything else holds its memory or it has gaps.
    pub(crate) fn exclusive_of(&mut self, slot: Slot, ty: &Type) -> Result<NdArray> {
        exclusive(self.array_of(slot, ty)?)
    }

    /// Makes an array of the node's type the node's cotangent.
    pub(crate) fn set(&mut self, node: u32, array: NdArray) {
        let slot = self.hold(array);
        *self.slot(node) = slot;
    }

    /// The slot for an array.
    fn hold(&mut self, array: NdArray) -> Slot {
        if array.ndim() == 0 && array.dtype() == DType::F64 {
            return Slot::Word(array.view().first_value().to_f64());
        }
        match array.into_buffer() {
            Ok(buffer) => Slot::Dense(buffer),
            Err(array) => {
                let k = self.free.pop().unwrap_or_else(|| {
                    self.arrays.push(None);
                    self.arrays.len() - 1
                });
                self.arrays[k] = Some(array);
                Slot::Array(k)
            }
        }
    }

    /// Adds to a node's cotangent an array of the node's type.
    pub(crate) fn add(&mut self, node: u32, ct: NdArray) -> Result<()> {
        let sum = match self.take(node) {
            Slot::Empty => ct,
            slot => add(self.array_of(slot, &ct.ty())?, ct)?,
        };
        self.set(node, sum);
        Ok(())
    }

    /// Empties the slots below `len`, after a sweep that failed.
    pub(crate) fn abandon(&mut self, len: usize) {
        self.batch.clear();
        for slot in &mut self.slots[..len] {
            *slot = Slot::Empty;
        }
        self.arrays.clear();
        self.free.clear();
    }
}

/// The sum of two arrays of one type, in the memory of one of them if nothing else holds it.
fn add(a: NdArray, b: NdArray) -> Result<NdArray> {
    fn has_free_memory(x: &NdArray) -> bool {
        x.is_unique() && (x.is_contiguous() || Order::of(&x.view()).is_some())
    }
    fn add_in_order(sum: NdArray, more: &NdArray) -> Result<NdArray> {
        let mut sum = exclusive(sum)?;
        let out = sum.exclusive().expect("the sweep alone holds the sum");
        kernels::map::add_to(more.view(), out)?;
        Ok(sum)
    }
    let swaps = !has_free_memory(&a) && has_free_memory(&b);
    let (sum, more) = if swaps { (b, a) } else { (a, b) };
    match Order::of(&sum.view()) {
        None => add_in_order(sum, &more),
        Some(order) => {
            let sum = add_in_order(order.turn(sum), &order.turn(more))?;
            Ok(order.turn_back(sum))
        }
    }
}

/// The array, or a copy if anything else holds its memory or it has gaps.
pub(super) fn exclusive(mut array: NdArray) -> Result<NdArray> {
    if array.exclusive().is_some() { Ok(array) } else { array.copied() }
}

#[cfg(test)]
mod tests {
    use crate::array::buffer::TAKEN;
    use crate::{ComputationRecord, DType, NdArray, Tensor};

    /// Arrays of the size of a matrix that the sweep from a loss of it takes.
    fn taken(loss: for<'rec> fn(Tensor<'rec>) -> Tensor<'rec>) -> usize {
        const SIDE: usize = 128;
        let rec = ComputationRecord::new();
        let matrix = NdArray::full(&[SIDE, SIDE], 0.5, DType::F64).unwrap();
        let x = rec.tensor_from_value(matrix);
        let loss = loss(x);
        let before = TAKEN.get();
        let grad = loss.grad();
        let taken = TAKEN.get() - before;
        drop(grad);
        taken / (SIDE * SIDE * size_of::<f64>())
    }

    #[test]
    fn a_cotangent_that_repeats_takes_no_memory_before_it_is_added_to() {
        assert_eq!(taken(|x| x.sum()), 0);
        assert_eq!(taken(|x| x.mean_axes(&[0], false).sum()), 0);
        assert_eq!(taken(|x| x.sum_axes(&[1], true).exp().sum()), 0);
        // One array is the gradient itself.
        assert_eq!(taken(|x| x.tanh().mean()), 1);
        assert_eq!(taken(|x| (x * x).mean()), 1);
        assert_eq!(taken(|x| x.sum() + x.mean()), 1);
        assert_eq!(taken(|x| x.sum() + x.exp().sum()), 1);
        assert_eq!(taken(|x| x.exp().sum() + x.sum()), 1);
        // The sum goes to the array that is there, not to another one.
        assert_eq!(taken(|x| x.logsumexp(&[0, 1], false)), 1);
        assert_eq!(taken(|x| x.logsumexp(&[0, 1], false) + x.sum()), 1);
        // A sum and a difference pass it on as it is.
        assert_eq!(taken(|x| (x + 2.0 - 1.0 + x).sum()), 1);
        assert_eq!(taken(|x| (x + 2.0 - 1.0).sum()), 0);
        assert_eq!(taken(|x| (x.exp() + 2.0 - 1.0).sum()), 1);
        assert_eq!(taken(|x| (x * 3.0 + 2.0 - 1.0).exp().sum()), 1);
        // What cotangents leave behind is used again by those below.
        assert_eq!(taken(|x| (0..3).fold(x, |y, _| y * y).tanh().sum()), 2);
        // Elementwise loops read the one value of a mean's cotangent, too.
        assert_eq!(taken(|x| (x * x).tanh().mean()), 2);
    }

    #[test]
    fn cotangents_in_another_order_take_no_more_memory() {
        macro_rules! expect_same {
            ($($x:ident => $loss:expr;)*) => { $(
                let turned = taken(|x| {
                    let $x = x.swapaxes(0, 1);
                    $loss
                });
                assert_eq!(turned, taken(|$x| $loss), stringify!($loss));
            )* };
        }
        expect_same! {
            x => x.exp().sum();
            x => (x * x).sum();
            x => (x.exp() + x.tanh()).sum();
            x => (x + x.exp()).tanh().sum();
            x => (x + x).tanh().sum() + x.exp().sum();
            x => (x.exp() + x.mean()).tanh().sum();
        }
    }
}
