//! One source for every instruction set: a kernel is compiled once for each, and the
//! widest that the processor has is chosen at the first call.
//!
//! Kernels add and multiply in an order of their own, so every instruction set gives the
//! same bits. Only functions such as `exp`, `norm` of `f32` and narrow matrix products fuse
//! a multiplication with an addition: with AVX2 and FMA, with AVX-512 and on `AArch64` they
//! give the same bits, elsewhere others.

use crate::dtype::Element;
use std::sync::atomic::{AtomicU8, Ordering};

/// A computation over slices that the compiler vectorises.
///
/// `run` must be `#[inline(always)]`, as must all that it calls in its loops: only code
/// that is inlined into the wrappers below is compiled for their instruction sets. `FMA`
/// says whether these have a fused multiply-add, which is a call where they have not.
pub(crate) trait Kernel {
    type Output;
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Isa {
    /// What the target guarantees: SSE2 on x86-64, NEON on `AArch64`.
    Baseline = 1,
    /// AVX2 and FMA.
    Avx2 = 2,
    /// The 512-bit sets that Skylake-X and Zen 4 share.
    Avx512 = 3,
}

/// Whether every processor of the architecture has a fused multiply-add.
pub(super) const BASELINE_FMA: bool = cfg!(target_arch = "aarch64");

static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// The instruction set in use: the widest that the processor has, or the one that the
/// environment variable `WENGERT_ISA` names (`baseline`, `avx2`, `avx512`), if it has it.
/// The `gemm` crate makes its own choice.
#[inline]
pub fn isa() -> Isa {
    match CHOSEN.load(Ordering::Relaxed) {
        1 => Isa::Baseline,
        2 => Isa::Avx2,
        3 => Isa::Avx512,
        _ => choose(),
    }
}

#[cold]
fn choose() -> Isa {
    let asked = match std::env::var("WENGERT_ISA").as_deref() {
        Ok("baseline") => Isa::Baseline,
        Ok("avx2") => Isa::Avx2,
        _ => Isa::Avx512,
    };
    let isa = asked.min(widest());
    CHOSEN.store(isa as u8, Ordering::Relaxed);
    isa
}

#[cfg(target_arch = "x86_64")]
fn widest() -> Isa {
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        Isa::Baseline
    } else if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        Isa::Avx512
    } else {
        Isa::Avx2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn widest() -> Isa {
    Isa::Baseline
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

/// As `dispatch` for elements of floats. Kernels of integers and truth values have one
/// version, or the package would be a sixth larger.
#[inline]
pub(crate) fn dispatch_floats<T: Element, K: Kernel>(kernel: K) -> K::Output {
    if const { T::DTYPE.is_float() } { dispatch(kernel) } else { kernel.run::<false>() }
}

/// As `dispatch_floats`, for a loop that waits for memory beyond the caches, which vectors of
/// 64 bytes ask for in larger jumps: with those of 32 bytes the sum of two arrays of 4 MB
/// took 0.92 of the time.
#[inline]
pub(crate) fn dispatch_streams<T: Element, K: Kernel>(kernel: K) -> K::Output {
    match isa() {
        // SAFETY: what has AVX-512 as we ask for it has AVX2 and FMA.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 if const { T::DTYPE.is_float() } => unsafe { run_avx2(kernel) },
        _ => dispatch_floats::<T, K>(kernel),
    }
}

/// Runs the kernel in the version for the instruction set in use.
#[inline]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    match isa() {
        // SAFETY: `isa` names only sets whose features were detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { run_avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { run_avx2(kernel) },
        _ => kernel.run::<BASELINE_FMA>(),
    }
}
