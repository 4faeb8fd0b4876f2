//! Elements as another type.

use super::{Map, Mode, map};
use crate::array::{Fresh, NdArray, View, ViewMut};
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::{Shape, Type};
use std::num::Wrapping;

impl NdArray {
    /// This array, or a copy with its elements as another type: floats round to the
    /// nearest, integers are truncated towards zero, `bool` is whether an element
    /// differs from 0.
    pub fn cast(&self, dtype: DType) -> Result<NdArray> {
        if self.dtype() == dtype {
            return Ok(self.clone());
        }
        let ty = Type::new(Shape::new(self.shape()), dtype);
        let mut array = Fresh::new("cast", ty)?;
        cast(self.view(), array.view())?;
        // SAFETY: `cast` wrote every element.
        Ok(unsafe { array.assume_init() })
    }
}

/// Writes the elements as another type.
pub(crate) fn cast(x: View<'_>, out: ViewMut<'_>) -> Result<()> {
    macro_rules! each_pair {
        ($($from:ty, $from_tag:ident { $($to:ty, $to_tag:ident, $f:expr;)* })*) => {
            match (x.dtype(), out.dtype()) { $($(
                (DType::$from_tag, DType::$to_tag) => {
                    struct Convert;
                    impl Map<$from, 1> for Convert {
                        type Output = $to;
                        #[inline(always)]
                        #[allow(
                            clippy::cast_possible_truncation,
                            clippy::redundant_closure_call,
                            reason = "a cast is what was asked for"
                        )]
                        fn at<const FMA: bool>([x]: [$from; 1]) -> $to {
                            ($f)(x)
                        }
                    }
                    map::<Convert, $from, 1>([x], out, Mode::Write)
                }
            )*)* }
        };
    }
    each_pair! {
        f32, F32 {
            f32, F32, |x: f32| x;
            f64, F64, f64::from;
            Wrapping<i64>, I64, |x: f32| Wrapping(x as i64);
            bool, Bool, |x: f32| x != 0.0;
        }
        f64, F64 {
            f32, F32, |x: f64| x as f32;
            f64, F64, |x: f64| x;
            Wrapping<i64>, I64, |x: f64| Wrapping(x as i64);
            bool, Bool, |x: f64| x != 0.0;
        }
        Wrapping<i64>, I64 {
            f32, F32, |x: Wrapping<i64>| x.0 as f32;
            f64, F64, |x: Wrapping<i64>| x.0 as f64;
            Wrapping<i64>, I64, |x: Wrapping<i64>| x;
            bool, Bool, |x: Wrapping<i64>| x.0 != 0;
        }
        bool, Bool {
            f32, F32, |x: bool| f32::from(u8::from(x));
            f64, F64, |x: bool| f64::from(u8::from(x));
            Wrapping<i64>, I64, |x: bool| Wrapping(i64::from(x));
            bool, Bool, |x: bool| x;
        }
    }
}
