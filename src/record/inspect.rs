//! The Rust face of reading a record: names, and what a person is shown.

use super::handle::ComputationRecord;
use super::print;
use super::tensor::Tensor;
use crate::diff::Grad;
use crate::error::{self, Result};

impl ComputationRecord {
    /// Whether each node and each cotangent from now on must be finite: the first that
    /// is not fails, and the fault names the op, its line and the element.
    ///
    /// ```
    /// use wengert::Kind;
    /// use wengert::prelude::*;
    /// let rec = ComputationRecord::new();
    /// rec.check_finite(true);
    /// let x = rec.tensor_from_value(NdArray::from_slice(&[1.0, 0.0]));
    /// assert_eq!(x.try_log().unwrap_err().kind(), Kind::NonFinite);
    /// ```
    pub fn check_finite(&self, on: bool) {
        self.arena.borrow_mut().check_finite = on;
    }

    /// The printed record with a gradient's cotangents beside the values.
    ///
    /// A cotangent is shown for each node that depends on a leaf and that the
    /// differentiated tensor depends on.
    ///
    /// # Panics
    /// If the gradient belongs to another record.
    #[track_caller]
    pub fn table(&self, grad: &Grad<'_>) -> String {
        error::expect(self.try_table(grad))
    }

    /// As `table`; an error if the gradient belongs to another record.
    #[track_caller]
    pub fn try_table(&self, grad: &Grad<'_>) -> Result<String> {
        let cotangents = grad.cotangents("table", self)?;
        let arena = self.arena.borrow();
        Ok(print::table(&arena, Some(&cotangents), |site| self.line(site)))
    }
}

impl Tensor<'_> {
    /// The tensor itself, with a name by which messages and printed records call it.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// let rec = ComputationRecord::new();
    /// let x = rec.tensor_from_value(NdArray::from_slice(&[1.0, -2.0]));
    /// let hidden = x.relu().named("hidden");
    /// assert_eq!(format!("{hidden:?}"), "tensor hidden f32 (2,): [1, 0]");
    /// ```
    pub fn named(&self, name: &str) -> Self {
        let record = self.record();
        let name = record.name(format_args!("{name}"));
        record.arena.borrow_mut().set_name(self.index() as u32, name);
        *self
    }

    /// The name: that of a parameter, or the one that `named` gave.
    pub fn name(&self) -> Option<String> {
        let arena = self.record().arena.borrow();
        arena.name(self.index() as u32).map(ToString::to_string)
    }
}
