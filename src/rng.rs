//! Random numbers from one stream that the user holds.

use crate::array::NdArray;
use crate::dtype::{DType, Element, Scalar};
use crate::error::{Error, Fault, Result};
use crate::stop;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng as _, SeedableRng};
use std::f64::consts::TAU;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle to one PCG64 stream. A clone draws from the same stream.
///
/// The same seed gives the same numbers in Rust and in Python, in the order of the calls. A
/// draw that fails leaves the stream as it was.
///
/// ```
/// use wengert::Rng;
/// let (a, b) = (Rng::new(7), Rng::new(7));
/// assert_eq!(a.uniform(&[2, 2], 0.0, 1.0), b.uniform(&[2, 2], 0.0, 1.0));
/// ```
#[derive(Clone, Debug)]
pub struct Rng(Arc<Mutex<Pcg64>>);

impl Rng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Rng(Arc::new(Mutex::new(Pcg64::seed_from_u64(seed))))
    }

    /// A stream whose seed comes from the operating system.
    pub fn from_os() -> Self {
        // The standard library seeds the keys of its hash maps from the system.
        Rng::new(RandomState::new().hash_one(0))
    }

    fn stream(&self) -> MutexGuard<'_, Pcg64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `draw` makes of the stream, which moves on if it succeeds.
    ///
    /// A draw has a copy of the stream, for it may take long, and be asked to stop, which runs
    /// code that may draw, too. It draws again if another was quicker, and if that happens
    /// again and again, the others wait.
    fn draw<T>(&self, draw: impl Fn(&mut Pcg64) -> Result<T>) -> Result<T> {
        for _ in 0..TRIES {
            let before = self.stream().clone();
            let mut after = before.clone();
            let drawn = draw(&mut after)?;
            let mut stream = self.stream();
            if *stream == before {
                *stream = after;
                return Ok(drawn);
            }
        }
        let mut stream = self.stream();
        let mut after = stream.clone();
        let drawn = stop::unwatched(|| draw(&mut after))?;
        *stream = after;
        Ok(drawn)
    }

    /// Values drawn uniformly from `low` (included) to `high` (not), of type `f32`.
    ///
    /// # Panics
    /// If memory cannot be had.
    #[track_caller]
    pub fn uniform(&self, shape: &[usize], low: f64, high: f64) -> NdArray {
        crate::error::expect(self.try_uniform(shape, low, high, DType::F32))
    }

    /// As `uniform`, of any float type. Each value takes one step of the stream, so
    /// `f32` values are the rounded `f64` values of the same seed.
    pub fn try_uniform(
        &self,
        shape: &[usize],
        low: f64,
        high: f64,
        dtype: DType,
    ) -> Result<NdArray> {
        self.draw(|stream| {
            fill("uniform", shape, dtype, || low + (high - low) * unit(stream))
        })
    }

    /// Values drawn from the normal distribution of mean 0 and variance 1, by the
    /// method of Box and Muller (1958). Each value takes two steps of the stream.
    pub fn try_normal(&self, shape: &[usize], dtype: DType) -> Result<NdArray> {
        self.draw(|stream| {
            fill("normal", shape, dtype, || {
                let radius = (-2.0 * (1.0 - unit(stream)).ln()).sqrt();
                radius * (TAU * unit(stream)).cos()
            })
        })
    }

    /// 0 with probability `rate`, which is below 1, otherwise `1 / (1 - rate)`. Each
    /// value takes one step of the stream.
    pub(crate) fn try_mask(
        &self,
        shape: &[usize],
        rate: f64,
        dtype: DType,
    ) -> Result<NdArray> {
        let kept = 1.0 / (1.0 - rate);
        let mask = |x| if x < rate { 0.0 } else { kept };
        self.draw(|stream| fill("dropout", shape, dtype, || mask(unit(stream))))
    }

    /// The integers below `n` in a random order, by the shuffle of Fisher and Yates.
    ///
    /// # Panics
    /// If memory cannot be had.
    #[track_caller]
    pub fn permutation(&self, n: usize) -> Vec<i64> {
        crate::error::expect(self.try_permutation(n))
    }

    /// As `permutation`; an error if memory cannot be had.
    pub fn try_permutation(&self, n: usize) -> Result<Vec<i64>> {
        self.draw(|stream| {
            let mut items = Vec::new();
            if items.try_reserve_exact(n).is_err() {
                let (op, bytes) = ("permutation", n.saturating_mul(size_of::<i64>()));
                return Err(Error::new(Fault::Memory { op, bytes, shape: vec![n] }));
            }
            items.resize(n, 0);
            shuffle(&mut items, stream)?;
            Ok(items)
        })
    }

    /// As `try_permutation`, as an array.
    #[cfg(feature = "python")]
    pub(crate) fn try_permuted(&self, n: usize) -> Result<NdArray> {
        self.draw(|stream| {
            let mut items =
                NdArray::filled("permutation", &[n], Scalar::Int(0), DType::I64)?;
            shuffle(items.try_as_mut_slice()?, stream)?;
            Ok(items)
        })
    }
}

/// Writes the integers from 0 on in a random order.
#[expect(clippy::cast_possible_truncation, reason = "an index of an item")]
#[expect(clippy::cast_possible_wrap, reason = "the items fit in memory")]
fn shuffle(items: &mut [i64], stream: &mut Pcg64) -> Result<()> {
    for (k, item) in items.iter_mut().enumerate() {
        stop::poll_at(k)?;
        *item = k as i64;
    }
    for last in (1..items.len()).rev() {
        stop::poll_at(last)?;
        items.swap(last, below(stream, last as u64 + 1) as usize);
    }
    Ok(())
}

/// How often a draw is tried while others draw.
const TRIES: usize = 3;
/// Values that are drawn between two polls.
const CHUNK: usize = 1 << 12;

/// A value from 0 to 1, with 53 random bits.
fn unit(stream: &mut Pcg64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (stream.next_u64() >> 11) as f64 * STEP
}

/// An integer below `bound`, each equally likely: Lemire, "Fast random integer
/// generation in an interval" (2019).
#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
fn below(stream: &mut Pcg64, bound: u64) -> u64 {
    loop {
        let product = u128::from(stream.next_u64()) * u128::from(bound);
        let (high, low) = ((product >> 64) as u64, product as u64);
        if low >= bound.wrapping_neg() % bound {
            return high;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "f32 was asked for")]
fn fill(
    op: &'static str,
    shape: &[usize],
    dtype: DType,
    mut draw: impl FnMut() -> f64,
) -> Result<NdArray> {
    fn array<T: Element>(
        op: &'static str,
        shape: &[usize],
        mut draw: impl FnMut() -> T,
    ) -> Result<NdArray> {
        let mut array = NdArray::filled(op, shape, Scalar::Float(0.0), T::DTYPE)?;
        for chunk in array.try_as_mut_slice::<T>()?.chunks_mut(CHUNK) {
            stop::poll()?;
            chunk.fill_with(&mut draw);
        }
        Ok(array)
    }
    match dtype {
        DType::F32 => array::<f32>(op, shape, || draw() as f32),
        DType::F64 => array::<f64>(op, shape, draw),
        DType::I64 | DType::Bool => Err(Error::new(Fault::Unsupported { op, dtype })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::{Answer, watched};
    use std::cell::Cell;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn clones_share_the_stream() {
        let a = Rng::new(1);
        let both = Rng::new(1).uniform(&[4], 0.0, 1.0).to_vec::<f32>();
        let first = a.uniform(&[2], 0.0, 1.0).to_vec::<f32>();
        let second = a.clone().uniform(&[2], 0.0, 1.0).to_vec::<f32>();
        assert_eq!([first, second].concat(), both);
    }

    #[test]
    fn a_draw_that_fails_leaves_the_stream_as_it_was() {
        thread_local!(static LEFT: Cell<usize> = const { Cell::new(0) });
        fn count_down() -> Answer {
            LEFT.set(LEFT.get() - 1);
            if LEFT.get() == 0 { Answer::Stop } else { Answer::GoOn }
        }
        let (rng, many) = (Rng::new(1), 1 << 20);
        // So many polls on, some numbers are drawn, and not all.
        let fails = |polls: usize, draw: &dyn Fn() -> bool| {
            LEFT.set(polls);
            assert!(watched(count_down, Duration::ZERO, draw));
        };
        fails(250, &|| rng.try_uniform(&[many], 0.0, 1.0, DType::F32).is_err());
        fails(250, &|| rng.try_normal(&[many], DType::F64).is_err());
        fails(100, &|| rng.try_permutation(many).is_err());
        assert!(rng.try_uniform(&[1 << 50], 0.0, 1.0, DType::F32).is_err());
        assert_eq!(rng.uniform(&[5], 0.0, 1.0), Rng::new(1).uniform(&[5], 0.0, 1.0));
    }

    #[test]
    fn threads_that_share_a_stream_draw_no_number_twice() {
        let (rng, draws, each) = (Rng::new(1), 500, 16);
        let draw = || -> Vec<f32> {
            let next = || rng.uniform(&[each], 0.0, 1.0).to_vec::<f32>();
            (0..draws).flat_map(|_| next()).collect()
        };
        let (mut all, more) = std::thread::scope(|scope| {
            let other = scope.spawn(draw);
            (draw(), other.join().unwrap())
        });
        all.extend(more);
        let mut wanted =
            Rng::new(1).uniform(&[2 * draws * each], 0.0, 1.0).to_vec::<f32>();
        all.sort_unstable_by(f32::total_cmp);
        wanted.sort_unstable_by(f32::total_cmp);
        assert_eq!(all, wanted);
    }

    #[test]
    fn a_long_draw_ends_while_others_draw() {
        let (rng, is_done) = (Rng::new(1), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    rng.uniform(&[1], 0.0, 1.0);
                }
            });
            for _ in 0..3 {
                rng.uniform(&[300_000], 0.0, 1.0);
            }
            is_done.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_permutation_holds_every_integer_once() {
        let mut items = Rng::new(3).permutation(1000);
        assert_ne!(items[..5], [0, 1, 2, 3, 4]);
        items.sort_unstable();
        assert!(items.iter().copied().eq(0..1000));
    }

    #[test]
    fn draws_have_the_moments_of_their_distribution() {
        let rng = Rng::new(5);
        let normal = rng.try_normal(&[100_000], DType::F64).unwrap().to_vec::<f64>();
        let mean = normal.iter().sum::<f64>() / 1e5;
        let variance = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02);
        let uniform = rng.try_uniform(&[1000], 2.0, 3.0, DType::F64).unwrap();
        assert!(uniform.to_vec::<f64>().iter().all(|x| (2.0..3.0).contains(x)));
    }
}
