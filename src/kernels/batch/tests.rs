use super::{Batch, Run, Source, add, add_product};
use crate::array::buffer::Buffer;
use crate::dtype::DType;
use crate::kernels::map::Mode;
use crate::kernels::naive::{self, config};
use crate::ops::{Op, Tag};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const ARRAYS: usize = 5;

/// What a loop computes, and how many of its four operands it reads.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Pull(Tag, usize),
    Add,
    AddProduct,
}

impl Rule {
    fn run(self) -> (Run, usize) {
        match self {
            Rule::Pull(tag, k) => (Op::PULLS[tag as usize].unwrap(), k),
            Rule::Add => (add, 0),
            Rule::AddProduct => (add_product, 0),
        }
    }

    fn reads(self, operand: usize) -> bool {
        match self {
            Rule::Pull(Tag::Multiply, k) => operand == 0 || operand == 2 - k,
            Rule::Pull(Tag::Divide, 0) => operand == 0 || operand == 2,
            Rule::Pull(Tag::Tanh, _) => operand == 0 || operand == 3,
            Rule::Pull(..) => true,
            Rule::Add => operand == 0,
            Rule::AddProduct => operand < 2,
        }
    }
}

/// An array by its number, or a number.
#[derive(Clone, Copy, Debug)]
enum Operand {
    Array(usize),
    Number(f64),
}

#[derive(Clone, Copy, Debug)]
struct Step {
    rule: Rule,
    x: [Operand; 4],
    out: usize,
    mode: Mode,
}

fn step() -> impl Strategy<Value = Step> {
    const RULES: &[Rule] = &[
        Rule::Pull(Tag::Tanh, 0),
        Rule::Pull(Tag::Sin, 0),
        Rule::Pull(Tag::Multiply, 0),
        Rule::Pull(Tag::Multiply, 1),
        Rule::Pull(Tag::Divide, 0),
        Rule::Pull(Tag::Divide, 1),
        Rule::Add,
        Rule::AddProduct,
    ];
    const MODES: &[Mode] = &[Mode::Write, Mode::Overwrite, Mode::Add];
    let operand = || {
        prop_oneof![
            4 => (0..ARRAYS).prop_map(Operand::Array),
            1 => (-2.0..2.0).prop_map(Operand::Number),
        ]
    };
    (
        proptest::sample::select(RULES),
        [operand(), operand(), operand(), operand()],
        0..ARRAYS,
        0..ARRAYS,
        proptest::sample::select(MODES),
    )
        .prop_map(|(rule, mut x, ct, out, mode)| {
            x[0] = Operand::Array(ct);
            if let Rule::Add | Rule::AddProduct = rule {
                return Step { rule, x, out, mode: Mode::Add };
            }
            let out = if mode == Mode::Overwrite { ct } else { out };
            Step { rule, x, out, mode }
        })
        // What a loop writes or adds to is no operand, unless it is overwritten.
        .prop_filter("an operand is written", |step| {
            let is_out = |x: &Operand| matches!(x, Operand::Array(k) if *k == step.out);
            let read = step.x.iter().enumerate().filter(|(k, _)| step.rule.reads(*k));
            step.mode == Mode::Overwrite || !read.into_iter().any(|(_, x)| is_out(x))
        })
}

fn filled(dtype: DType, len: usize, seed: u64) -> Buffer {
    let buffer = Buffer::try_new(len * dtype.size()).unwrap();
    for k in 0..len {
        let random = (seed + k as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let word = crate::dtype::Scalar::Float(naive::special(random)).to_bits(dtype);
        let bytes = word.to_le_bytes();
        // SAFETY: the buffer has room for `len` elements.
        unsafe {
            let at = buffer.data().add(k * dtype.size());
            at.copy_from_nonoverlapping(bytes.as_ptr(), dtype.size());
        }
    }
    buffer
}

fn bytes(buffer: &Buffer, dtype: DType, len: usize) -> Vec<u8> {
    // SAFETY: the buffer has `len` elements, which are initialised.
    unsafe { std::slice::from_raw_parts(buffer.data(), len * dtype.size()) }.to_vec()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn loops_in_parts_give_the_bits_of_whole_ones(
        steps in vec(step(), 1..20),
        len in 1..1500_usize,
        dtype in proptest::sample::select(&[DType::F32, DType::F64][..]),
        seed in 0..1_u64 << 40,
    ) {
        let arrays = || -> Vec<Buffer> {
            (0..ARRAYS as u64).map(|k| filled(dtype, len, seed + (k << 42))).collect()
        };
        let (whole, parts) = (arrays(), arrays());
        let mut batch = Batch::default();
        for Step { rule, x, out, mode } in steps {
            let repeated = x.map(|x| match x {
                Operand::Array(_) => None,
                Operand::Number(x) => {
                    let word = crate::dtype::Scalar::Float(x).to_bits(dtype);
                    let pair = if dtype == DType::F32 { word << 32 | word } else { word };
                    Some((vec![pair; len], word))
                }
            });
            let (run, k) = rule.run();
            let at = std::array::from_fn(|k| match (x[k], &repeated[k]) {
                (Operand::Array(k), _) => whole[k].data().cast_const(),
                (_, Some((words, _))) => words.as_ptr().cast(),
                _ => unreachable!("a number is repeated"),
            });
            let sources = std::array::from_fn(|k| match (x[k], &repeated[k]) {
                _ if !rule.reads(k) => Source::Unread,
                (Operand::Array(k), _) => Source::Elements(parts[k].data()),
                (_, Some((_, word))) => Source::Number(*word),
                _ => unreachable!("a number is repeated"),
            });
            if !batch.takes(dtype, len) {
                batch.run().unwrap();
            }
            // SAFETY: all arrays have `len` elements, which begin where the arrays do; they
            // are dropped after the batch has run.
            unsafe {
                run(k, dtype, at, whole[out].data(), len, mode);
                batch.put_off((dtype, len), (run, k), sources, parts[out].data(), mode);
            }
        }
        batch.run().unwrap();
        for (whole, parts) in whole.iter().zip(&parts) {
            prop_assert_eq!(bytes(whole, dtype, len), bytes(parts, dtype, len));
        }
    }
}

#[test]
fn each_loop_has_its_share_of_the_time() {
    let len = 4096;
    let [a, b] = [1, 2].map(|seed| filled(DType::F64, len, seed));
    let mut batch = Batch::default();
    let (tanh, none) = (Rule::Pull(Tag::Tanh, 0).run(), Source::Unread);
    for owner in [7, 8] {
        batch.owner = owner;
        let x = Source::Elements(a.data());
        // SAFETY: both have `len` elements, and live until the batch has run.
        unsafe {
            let elements = (DType::F64, len);
            batch.put_off(elements, tanh, [x, none, none, x], b.data(), Mode::Write);
            batch.put_off(
                elements,
                (add, 0),
                [x, none, none, none],
                b.data(),
                Mode::Add,
            );
        }
    }
    assert_eq!(batch.bytes(), 8 * len);
    let mut noted = Vec::new();
    let started = Instant::now();
    batch.run_timed(|owner, time| noted.push((owner, time))).unwrap();
    let whole = started.elapsed();
    let owners: Vec<u32> = noted.iter().map(|x| x.0).collect();
    assert_eq!(owners, [7, 7, 8, 8]);
    assert!(noted.iter().all(|x| !x.1.is_zero()));
    let sum: Duration = noted.iter().map(|x| x.1).sum();
    assert!(sum <= whole, "{sum:?} of {whole:?}");
    assert_eq!(batch.bytes(), 0);
}

#[test]
fn memory_that_is_held_is_lent_once_nobody_else_has_it() {
    let mut batch = Batch::default();
    let block = Buffer::try_new(4096).unwrap();
    let (first, shared) = (block.data(), block.clone());
    // SAFETY: the batch is cleared before the memory goes.
    unsafe {
        let x =
            [Source::Elements(first), Source::Unread, Source::Unread, Source::Unread];
        batch.put_off((DType::F64, 512), (add, 0), x, first, Mode::Add);
    }
    batch.hold(block);
    assert!(batch.take_held().is_none());
    drop(shared);
    assert_eq!(batch.take_held().unwrap().data(), first);
    assert!(batch.take_held().is_none());
    batch.clear();
    // Nothing waits for it.
    batch.hold(Buffer::try_new(4096).unwrap());
    assert!(batch.take_held().is_none());
}
