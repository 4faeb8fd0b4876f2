//! Results that hold if all arguments were common: finite, say, or not too large. A
//! loop computes a block of them with a flag, and the block again, by functions that
//! take any argument, if the flag is raised.

use std::num::Wrapping;

/// Says in its sign whether a result may be wrong. It is as wide as an element, so that
/// it fits into the lanes of a vector.
pub(crate) trait Flag: Copy {
    const LOWERED: Self;
    fn or(self, other: Self) -> Self;
    fn is_raised(self) -> bool;
}

macro_rules! flags {
    ($($t:ty)*) => { $(
        impl Flag for $t {
            const LOWERED: Self = 0;
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn is_raised(self) -> bool {
                self < 0
            }
        }
    )* };
}
flags!(i32 i64);

/// Of results that are always right.
impl Flag for () {
    const LOWERED: Self = ();
    #[inline(always)]
    fn or(self, (): Self) -> Self {}
    #[inline(always)]
    fn is_raised(self) -> bool {
        false
    }
}

/// An element with a flag of its width.
pub(crate) trait Flagged: Copy {
    type Flag: Flag;
}
impl Flagged for f32 {
    type Flag = i32;
}
impl Flagged for f64 {
    type Flag = i64;
}
impl Flagged for Wrapping<i64> {
    type Flag = ();
}
impl Flagged for bool {
    type Flag = ();
}

/// A result that is right unless its flag is raised.
#[derive(Clone, Copy)]
pub(crate) struct Guarded<T, F> {
    pub(crate) value: T,
    pub(crate) flag: F,
}

impl<T, F: Flag> Guarded<T, F> {
    /// A result that is right.
    #[inline(always)]
    pub(crate) fn right(value: T) -> Self {
        Guarded { value, flag: F::LOWERED }
    }

    /// What follows from this result.
    #[inline(always)]
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Guarded<U, F> {
        Guarded { value: f(self.value), flag: self.flag }
    }

    /// What follows from this result and another.
    #[inline(always)]
    pub(crate) fn zip<U, V>(
        self,
        other: Guarded<U, F>,
        f: impl FnOnce(T, U) -> V,
    ) -> Guarded<V, F> {
        Guarded { value: f(self.value, other.value), flag: self.flag.or(other.flag) }
    }

    /// What a function makes of this result.
    #[inline(always)]
    pub(crate) fn then<U>(self, f: impl FnOnce(T) -> Guarded<U, F>) -> Guarded<U, F> {
        let Guarded { value, flag } = f(self.value);
        Guarded { value, flag: flag.or(self.flag) }
    }
}
