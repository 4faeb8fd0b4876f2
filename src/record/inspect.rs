//! The Rust face of reading a record: names, and what a person is shown.

use super::graph;
use super::handle::ComputationRecord;
use super::print;
use super::profile::Profile;
use super::replay::Replayed;
use super::tensor::Tensor;
use crate::array::NdArray;
use crate::diff::Grad;
use crate::error::{self, Result};
use std::collections::BTreeMap;
use std::fmt;

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
        self.arena.borrow_mut().set_check_finite(on);
    }

    /// Starts to count and to time what the record does, until
    /// [`ComputationRecord::stop_profile`]. A profile that is running goes on.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// let rec = ComputationRecord::new();
    /// rec.start_profile();
    /// let x = rec.ones(&[1000], DType::F64);
    /// let y = (x * 2.0).exp();
    /// let profile = rec.stop_profile().unwrap();
    /// let exp = profile.ops.iter().find(|entry| entry.name == "exp").unwrap();
    /// assert_eq!((exp.count, exp.bytes), (1, 8000));
    /// ```
    pub fn start_profile(&self) {
        self.arena.borrow_mut().start_profile();
    }

    /// Stops the profile that is running and gives what it found; `None` if none is.
    ///
    /// Nodes count that were cleared or rewound in the meantime, too.
    pub fn stop_profile(&self) -> Option<Profile> {
        let found = self.arena.borrow_mut().stop_profile();
        found.map(|found| Profile::new(&found, |site| self.line(site)))
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

    /// The record as a graph for Graphviz: all of it, or what a tensor was computed from.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// let rec = ComputationRecord::new();
    /// let x = rec.ones(&[2], DType::F64);
    /// let y = x.tanh();
    /// assert!(rec.to_dot(None).contains("n0 -> n1;"));
    /// assert!(!rec.to_dot(Some(&x)).contains("tanh"));
    /// ```
    ///
    /// # Panics
    /// If the tensor belongs to another record.
    #[track_caller]
    pub fn to_dot(&self, of: Option<&Tensor<'_>>) -> String {
        error::expect(self.try_to_dot(of))
    }

    /// As `to_dot`; an error if the tensor belongs to another record.
    pub fn try_to_dot(&self, of: Option<&Tensor<'_>>) -> Result<String> {
        let of = of.map(|tensor| tensor.node_of("to_dot", self)).transpose()?;
        Ok(graph::dot(&self.arena.borrow(), of, |site| self.line(site)))
    }

    /// Evaluates the record again, with other values for leaves or constants, into a new
    /// record: up to a tensor, or all of it.
    ///
    /// Each value has the shape and the element type that its tensor was recorded with.
    /// Random draws are constants, so they are as they were. Gradients that were taken
    /// without being recorded are left out.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// let rec = ComputationRecord::new();
    /// let x = rec.tensor_from_value(NdArray::from_slice(&[1.0, 2.0]));
    /// let y = (x * x).sum();
    /// let again = rec.replay(&[(x, NdArray::from_slice(&[3.0, 4.0]))], None);
    /// assert_eq!(again.tensor(&y).unwrap().item(), 25.0);
    /// ```
    ///
    /// # Panics
    /// If a value does not fit, is for a computed tensor or one of another record, or if
    /// a node uses a gradient that was not recorded.
    #[track_caller]
    pub fn replay(
        &self,
        values: &[(Tensor<'_>, NdArray)],
        upto: Option<&Tensor<'_>>,
    ) -> Replay {
        error::expect(self.try_replay(values, upto))
    }

    /// As `replay`, with an error instead of a panic.
    #[track_caller]
    pub fn try_replay(
        &self,
        values: &[(Tensor<'_>, NdArray)],
        upto: Option<&Tensor<'_>>,
    ) -> Result<Replay> {
        let values: BTreeMap<u32, NdArray> = values
            .iter()
            .map(|(tensor, value)| Ok((tensor.node_of("replay", self)?, value.clone())))
            .collect::<Result<_>>()?;
        let len = match upto {
            Some(tensor) => tensor.node_of("replay", self)? + 1,
            None => self.arena.borrow().len(),
        };
        let again = self.run(|arena, _| arena.replay(values, len))?;
        let Replayed { arena, nodes } = self.finish(again)?;
        Ok(Replay { home: self.id(), record: self.with_arena(arena), nodes })
    }
}

/// What [`ComputationRecord::replay`] gives: a record, and its tensors by those of the
/// record that was replayed.
pub struct Replay {
    /// The number of the record that was replayed.
    home: u64,
    record: ComputationRecord,
    nodes: Vec<Option<u32>>,
}

impl Replay {
    /// The new record.
    pub fn record(&self) -> &ComputationRecord {
        &self.record
    }

    /// The tensor that took the place of one of the first record; `None` if that is of
    /// another record, was not replayed, or is a gradient that was not recorded.
    pub fn tensor(&self, old: &Tensor<'_>) -> Option<Tensor<'_>> {
        if old.record().id() != self.home {
            return None;
        }
        let node = (*self.nodes.get(old.index())?)?;
        self.record.tensor(node as usize)
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replay of record {}: {:?}", self.home, self.record)
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
