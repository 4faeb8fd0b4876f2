//! Every fault that a user can meet, and its text. No other file formats one.
//!
//! A message has up to three parts: what failed with the offending values; where each
//! operand was recorded; a hint, if there is one obvious remedy.

mod fault;
mod kind;
mod mentioned;
mod shown;
mod subscripts;

pub use fault::{Event, Fault};
pub use kind::Kind;
pub(crate) use shown::{Operand, Operands, tuple};
use std::fmt;
pub use subscripts::Subscripts;

/// The result of a fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with the places where the operands were recorded.
///
/// `Display` gives the whole message; [`Error::kind`] the class of the fault.
#[derive(Clone)]
pub struct Error(Box<Report>);

#[derive(Clone)]
struct Report {
    fault: Fault,
    recorded: Vec<Recorded>,
}

/// A node that a message mentions, and where it was recorded.
#[derive(Clone, Debug)]
struct Recorded {
    label: String,
    place: Place,
}

/// Where a node was recorded: the site's number, until a record resolves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Site(u32),
    Line(String),
}

impl Error {
    /// An error without places.
    #[cold]
    pub(crate) fn new(fault: Fault) -> Self {
        Error(Box::new(Report { fault, recorded: Vec::new() }))
    }

    /// The fault, with its values as fields.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The class of the fault.
    pub fn kind(&self) -> Kind {
        self.0.fault.kind()
    }

    /// Gives the operand at `position` of the failed call a label, and says where it
    /// was recorded.
    #[must_use]
    pub(crate) fn with_operand(
        mut self,
        position: usize,
        label: String,
        place: Place,
    ) -> Self {
        if let Some(operand) = self.0.fault.operand_mut(position) {
            operand.label = Some(label.clone());
        }
        self.recorded_at(label, place)
    }

    /// Says where a node that the text mentions was recorded.
    #[must_use]
    pub(crate) fn recorded_at(mut self, label: String, place: Place) -> Self {
        if self.0.recorded.iter().all(|known| known.label != label) {
            self.0.recorded.push(Recorded { label, place });
        }
        self
    }

    /// Speaks by the name of the function that was called, where ops with other names
    /// found the fault.
    #[must_use]
    pub(crate) fn called(mut self, name: &'static str) -> Self {
        if let Some(op) = self.0.fault.op_mut() {
            *op = name;
        }
        self
    }

    /// Forgets nodes of these labels, which are taken back.
    #[must_use]
    pub(crate) fn without_nodes(mut self, labels: &[String]) -> Self {
        self.0.recorded.retain(|known| !labels.contains(&known.label));
        let mut position = 0;
        while let Some(operand) = self.0.fault.operand_mut(position) {
            operand.label.take_if(|label| labels.contains(label));
            position += 1;
        }
        self
    }

    /// Forgets all places, such as those of nodes that are taken back.
    #[must_use]
    pub(crate) fn without_places(mut self) -> Self {
        self.0.recorded.clear();
        self
    }

    /// Replaces site numbers by source lines.
    #[must_use]
    pub(crate) fn resolved(mut self, line: impl Fn(u32) -> String) -> Self {
        for recorded in &mut self.0.recorded {
            if let Place::Site(site) = recorded.place {
                recorded.place = Place::Line(line(site));
            }
        }
        self
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Error::new(fault)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.fault)?;
        for (k, Recorded { label, place }) in self.0.recorded.iter().enumerate() {
            let line = match place {
                Place::Line(line) => line.as_str(),
                Place::Site(_) => "an unknown place",
            };
            if k == 0 {
                write!(f, "\n  {label} recorded at {line}")?;
            } else {
                write!(f, ", {label} at {line}")?;
            }
        }
        if let Some(hint) = self.0.fault.hint() {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// The message itself, so that `unwrap` shows it as it is meant to be read.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.fault {
            Fault::Raised { error, .. } => Some(error.as_ref()),
            _ => None,
        }
    }
}

/// Unwraps for the infallible face of a call: panics at the user's line.
#[track_caller]
pub(crate) fn expect<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_values_places_and_the_remedy() {
        let error = Error::new(Fault::NotScalar { operand: Operand::new(&[3]) })
            .with_operand(0, "#7 relu".into(), Place::Site(4))
            .resolved(|site| format!("train.py:{site}"));
        assert_eq!(
            error.to_string(),
            "grad: #7 relu (3,) is not a scalar\n  #7 relu recorded at train.py:4\n\
             hint: take .sum() first, or give grad(seed=...)"
        );
    }

    #[test]
    fn shapes_that_do_not_broadcast_are_shown_aligned() {
        let shapes: [&[usize]; 2] = [&[128, 10], &[4]];
        let operands = shapes.into_iter().collect();
        let error = Error::new(Fault::Broadcast { op: "add", operands });
        assert_eq!(
            error.to_string(),
            "add: shapes do not broadcast: (128, 10), (4,)\n   128 10\n        4"
        );
    }
}
