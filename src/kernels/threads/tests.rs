use super::*;
use crate::stop::{Answer, watched};
use std::sync::Barrier;
use std::sync::atomic::AtomicBool;

/// Enough for any job to be offered.
const HEAVY: usize = WORTH_WAKING;

/// Runs `f` while the number of threads is `threads`. Tests of one process take turns.
pub(crate) fn with_threads<R>(threads: usize, f: impl FnOnce() -> R) -> R {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = lock(&TURN);
    set_num_threads(threads);
    let result = catch_unwind(AssertUnwindSafe(f));
    set_num_threads(0);
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

#[test]
fn every_tile_is_done_once() {
    for threads in [1, 2, 3, 16] {
        with_threads(threads, || {
            for count in [0, 1, 2, 3, 17, 1000] {
                for weight in [1, HEAVY] {
                    let done: Vec<_> =
                        (0..count).map(|_| AtomicUsize::new(0)).collect();
                    for_each_tile(count, weight, |k| {
                        done[k].fetch_add(1, Ordering::Relaxed);
                    })
                    .unwrap();
                    assert!(done.iter().all(|x| x.load(Ordering::Relaxed) == 1));
                }
            }
        });
    }
}

#[test]
fn parts_are_the_whole() {
    for len in [0, 1, 99, 100, 101, 1050] {
        let mut whole = vec![0; len];
        for_each_part(&mut whole, 100, |k, part| {
            part.iter_mut().enumerate().for_each(|(i, x)| *x += 100 * k + i);
        })
        .unwrap();
        assert!(whole.into_iter().eq(0..len));
    }
}

#[test]
fn parts_of_equal_size_fill_the_whole() {
    for size in 1..300 {
        let part = evenly(size, 64, 8);
        assert!(part <= 64 && part.is_multiple_of(8));
        assert_eq!(size.div_ceil(part), size.div_ceil(64));
    }
}

/// Two tiles that are done only together are done by two threads.
fn together(barrier: &Barrier, k: usize) {
    if k < 2 {
        barrier.wait();
    }
}

#[test]
fn another_thread_helps() {
    with_threads(2, || {
        let (caller, barrier) = (thread::current().id(), Barrier::new(2));
        let other = AtomicUsize::new(0);
        for_each_tile(2, HEAVY, |k| {
            together(&barrier, k);
            let is_other = thread::current().id() != caller;
            other.fetch_add(usize::from(is_other), Ordering::Relaxed);
        })
        .unwrap();
        assert_eq!(other.into_inner(), 1);
    });
}

#[test]
fn a_panic_of_any_thread_comes_to_the_caller() {
    with_threads(2, || {
        let caller = thread::current().id();
        for in_caller in [true, false] {
            let barrier = Barrier::new(2);
            let job = || {
                for_each_tile(100, HEAVY, |k| {
                    together(&barrier, k);
                    let is_caller = thread::current().id() == caller;
                    assert!(k >= 2 || is_caller != in_caller, "tile {k} is broken");
                })
            };
            let panic = catch_unwind(AssertUnwindSafe(job)).unwrap_err();
            let text = panic.downcast_ref::<String>().unwrap();
            assert!(text.ends_with("is broken"), "{text}");
        }
    });
    every_tile_is_done_once();
}

#[test]
fn a_tile_may_share_work_of_its_own() {
    with_threads(3, || {
        let count = AtomicUsize::new(0);
        for_each_tile(20, HEAVY, |_| {
            for_each_tile(20, HEAVY, |_| {
                count.fetch_add(1, Ordering::Relaxed);
            })
            .unwrap();
        })
        .unwrap();
        assert_eq!(count.into_inner(), 400);
    });
}

#[test]
fn many_threads_share_one_pool() {
    with_threads(4, || {
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for round in 0..200 {
                        let mut squares = vec![0; 1 + round % 50];
                        for_each_part(&mut squares, 3, |k, part| {
                            part.iter_mut().zip(3 * k..).for_each(|(x, i)| *x = i * i);
                        })
                        .unwrap();
                        assert!(squares.iter().enumerate().all(|(i, &x)| x == i * i));
                    }
                });
            }
        });
    });
}

/// What the caller is told stops the others too, and once it returns nobody is at work.
#[test]
fn a_stop_reaches_all_threads() {
    fn stop() -> Answer {
        Answer::Stop
    }
    with_threads(2, || {
        let (at_work, done) = (AtomicBool::new(false), AtomicUsize::new(0));
        let result = watched(stop, Duration::ZERO, || {
            for_each_tile(1_000_000, 1, |_| {
                at_work.store(true, Ordering::Relaxed);
                done.fetch_add(1, Ordering::Relaxed);
                at_work.store(false, Ordering::Relaxed);
            })
        });
        assert!(result.is_err());
        assert!(!at_work.load(Ordering::Relaxed));
        assert!(done.into_inner() < 1_000_000);
    });
}

#[test]
fn the_number_of_threads_is_asked_for_or_found() {
    with_threads(5, || assert_eq!(num_threads(), 5));
    assert!(num_threads() > 0);
}
