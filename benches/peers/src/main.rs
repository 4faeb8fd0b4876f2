//! The chain `tanh(y * w + b)`, forward and backward, in this crate and in others.
//!
//! Prints a line for each length and library: the nanoseconds that an op took, in every
//! round. Blocks of the libraries take turns, and the gradients are compared first.
//!
//! `cargo run --release -- [ROUNDS]`, or `benches/python/run.py --peers candle,burn`.

mod chains;

use chains::{Burn, Candle, Chain, Wengert};
use std::time::{Duration, Instant};

/// The links of the chain; each is three ops.
const LINKS: usize = 100;
const LENGTHS: [usize; 2] = [16, 4096];
/// How long a block is, about.
const BLOCK: Duration = Duration::from_millis(20);
/// How far gradients may differ, relative to the largest.
const TOLERANCE: f32 = 1e-4;

/// A chain of any library.
trait Contestant {
    fn name(&self) -> &'static str;
    /// The gradients for the start, the factors and the summands.
    fn gradients(&mut self) -> [Vec<f32>; 3];
    /// How long so many gradients take.
    fn block(&mut self, times: u32) -> Duration;
}

impl<C: Chain> Contestant for C {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn gradients(&mut self) -> [Vec<f32>; 3] {
        self.sweep().map(C::read)
    }

    fn block(&mut self, times: u32) -> Duration {
        // The blocks of others have emptied the caches.
        self.sweep();
        let start = Instant::now();
        for _ in 0..times {
            std::hint::black_box(self.sweep());
        }
        start.elapsed()
    }
}

fn contestants(leaves: &[Vec<f32>; 3]) -> Vec<Box<dyn Contestant>> {
    vec![
        Box::new(Wengert::new(leaves)),
        Box::new(Candle::new(leaves)),
        Box::new(Burn::<burn::backend::NdArray>::new(leaves)),
        Box::new(Burn::<burn::backend::Flex>::new(leaves)),
    ]
}

/// Start, factors and summands: the chain stays where tanh is neither flat nor straight.
fn leaves(length: usize) -> [Vec<f32>; 3] {
    let spread = |from: f32, to: f32| {
        let step = (to - from) / (length - 1) as f32;
        (0..length).map(|k| from + step * k as f32).collect()
    };
    [spread(-1.0, 1.0), spread(0.8, 1.2), spread(-0.2, 0.2)]
}

fn check(name: &str, found: &[Vec<f32>; 3], wanted: &[Vec<f32>; 3]) {
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!(found.len(), wanted.len(), "{name}: another shape");
        let largest = wanted.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        for (a, b) in found.iter().zip(wanted) {
            let agrees = (a - b).abs() <= TOLERANCE * largest;
            assert!(agrees, "{name}: another gradient, {a} instead of {b}");
        }
    }
}

/// How many gradients fill a block.
fn times(contestant: &mut dyn Contestant) -> u32 {
    let mut times = 1;
    while contestant.block(times) < BLOCK / 2 {
        times *= 2;
    }
    times
}

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(30, |text| text.parse().expect("the argument is the number of rounds"));
    for length in LENGTHS {
        let mut contestants = contestants(&leaves(length));
        let wanted = contestants[0].gradients();
        let mut times_of = Vec::new();
        for contestant in &mut contestants {
            check(contestant.name(), &contestant.gradients(), &wanted);
            times_of.push(times(&mut **contestant));
        }
        let mut spent = vec![Vec::new(); contestants.len()];
        for _ in 0..rounds {
            for (k, contestant) in contestants.iter_mut().enumerate() {
                let ops = f64::from(times_of[k]) * (3 * LINKS) as f64;
                spent[k].push(contestant.block(times_of[k]).as_nanos() as f64 / ops);
            }
        }
        for (contestant, spent) in contestants.iter().zip(spent) {
            let spent: Vec<String> =
                spent.iter().map(|ns| format!("{ns:.2}")).collect();
            println!("{length} {} {}", contestant.name(), spent.join(" "));
        }
    }
}
