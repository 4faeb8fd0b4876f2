//! How long work is stopped.
//!
//! Whoever starts work may give a question along: may it go on? The work polls between
//! its parts, and at a poll the question is asked, unless it was a short while ago.

use crate::error::{Error, Fault, Result};
use std::cell::Cell;
use std::process;
use std::time::{Duration, Instant};

/// The answer to the question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(
    not(any(test, feature = "python")),
    expect(dead_code, reason = "nobody asks")
)]
pub(crate) enum Answer {
    GoOn,
    /// As `GoOn`; and this work need not ask again.
    Always,
    Stop,
}

#[derive(Clone, Copy)]
struct Watch {
    may_go_on: fn() -> Answer,
    pause: Duration,
    /// When the question is asked again.
    due: Instant,
}

thread_local!(static WATCH: Cell<Option<Watch>> = const { Cell::new(None) });

/// Does work whose polls ask the question; the first time after a pause, and then once
/// a pause. The question is this thread's: other threads that help are stopped by it.
#[cfg(any(test, feature = "python"))]
pub(crate) fn watched<R>(
    may_go_on: fn() -> Answer,
    pause: Duration,
    work: impl FnOnce() -> R,
) -> R {
    let watch = Watch { may_go_on, pause, due: Instant::now() + pause };
    with(Some(watch), work)
}

/// Does work that others wait for: its polls ask nothing.
pub(crate) fn unwatched<R>(work: impl FnOnce() -> R) -> R {
    with(None, work)
}

fn with<R>(watch: Option<Watch>, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Watch>);
    impl Drop for Restore {
        fn drop(&mut self) {
            WATCH.set(self.0);
        }
    }
    let _outer = Restore(WATCH.replace(watch));
    work()
}

/// Fails if the work under way on this thread is to stop. Between two polls lie at most
/// some milliseconds of work, and enough to make up for a look at the clock.
#[inline]
pub(crate) fn poll() -> Result<()> {
    match WATCH.get() {
        Some(watch) if Instant::now() >= watch.due => ask(watch),
        _ => Ok(()),
    }
}

/// Polls at some steps of a loop of short steps, which are numbered from 0.
#[inline]
pub(crate) fn poll_at(step: usize) -> Result<()> {
    if step.is_multiple_of(1 << 14) { poll() } else { Ok(()) }
}

#[cold]
fn ask(watch: Watch) -> Result<()> {
    let process = process::id();
    // What is done to answer, such as a signal handler, is not this work.
    WATCH.set(None);
    let answer = (watch.may_go_on)();
    let due = Instant::now() + watch.pause;
    WATCH.set((answer == Answer::GoOn).then_some(Watch { due, ..watch }));
    if process::id() != process {
        return Err(Error::new(Fault::Forked));
    }
    match answer {
        Answer::GoOn | Answer::Always => Ok(()),
        Answer::Stop => Err(Error::new(Fault::Interrupted)),
    }
}
