//! Python's integers beyond `i64`.

use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Result};
use crate::ops::{Tag, Tier};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyInt;

/// An integer that no `i64` holds: what it is depends on what it meets.
pub(super) struct Large {
    /// The nearest `f64`; an infinity if it lies beyond those.
    value: f64,
    /// How messages show it.
    text: String,
}

impl Large {
    /// Python prints integers of up to 4300 digits; longer ones are told by their length.
    const SHOWN_BITS: usize = 128;

    #[cold]
    pub(super) fn new(number: &Bound<'_, PyInt>) -> PyResult<Self> {
        let py = number.py();
        let bits: usize = number.call_method0(intern!(py, "bit_length"))?.extract()?;
        let value = match number.extract::<f64>() {
            Ok(value) => value,
            Err(_) if number.lt(0)? => f64::NEG_INFINITY,
            Err(_) => f64::INFINITY,
        };
        let text = if bits <= Large::SHOWN_BITS {
            number.to_string()
        } else {
            format!("of {bits} bits")
        };
        Ok(Large { value, text })
    }

    /// The number as `op` takes it beside operands of a type, by `NumPy`'s rules: beside
    /// floats, or for an op of the reals, a float. Beside integers it can only be
    /// compared, and is larger or smaller than all of them.
    pub(super) fn beside(
        &self,
        op: &'static str,
        dtype: Option<DType>,
    ) -> Result<Scalar> {
        let tag = Tag::ALL.iter().find(|tag| tag.name() == op);
        let is_real = dtype.is_some_and(DType::is_float)
            || tag.is_some_and(|tag| !tag.takes_integers());
        let compares = tag.is_some_and(|tag| tag.tier() == Tier::Compare);
        if is_real && self.value.is_finite() {
            return Ok(Scalar::Float(self.value));
        }
        if !is_real && compares && dtype.is_some() {
            return Ok(Scalar::Float(f64::INFINITY.copysign(self.value)));
        }
        let dtype = if is_real { DType::F64 } else { DType::I64 };
        Err(Error::new(Fault::IntegerTooLarge { op, number: self.text.clone(), dtype }))
    }
}
