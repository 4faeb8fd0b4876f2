//! Ops that the compiler knows, so that what follows from them is worked out then.
//!
//! Each takes 14 to 22 KiB of code: those that programs call most often are known.

use crate::ops::Op;

/// Names an op. As a type it is known wherever it is passed on, as a reference not.
pub(super) trait Named: Copy {
    fn op(self) -> &'static Op;
}

impl Named for &'static Op {
    #[inline(always)]
    fn op(self) -> &'static Op {
        self
    }
}

/// The name of an op as a value of a type of its own.
macro_rules! known {
    ($Op:ident) => {{
        #[derive(Clone, Copy)]
        struct Known;
        impl $crate::python::fixed::Named for Known {
            #[inline(always)]
            fn op(self) -> &'static $crate::ops::Op {
                &$crate::ops::Op::$Op
            }
        }
        Known
    }};
}
/// The name of an op as a reference.
macro_rules! unknown {
    ($Op:ident) => {
        &$crate::ops::Op::$Op
    };
}
pub(super) use {known, unknown};
