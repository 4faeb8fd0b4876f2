//! Panics that tests expect, and places in the source.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::Once;

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The text of the panic that `f` ends in, and the place in the source that it names.
pub(crate) fn panic_of<T>(f: impl FnOnce() -> T) -> (String, String) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| match info.location() {
            Some(place) if EXPECTED.get() => PLACE.set(text(place)),
            _ => usual(info),
        }));
    });
    EXPECTED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    EXPECTED.set(false);
    let Err(payload) = result else { panic!("the call was to panic") };
    let message = payload.downcast::<String>().expect("a panic with a formatted text");
    (*message, PLACE.take())
}

/// The place of the call, as messages show it: `tests/rust/faults.rs:12`.
#[track_caller]
pub(crate) fn here() -> String {
    text(Location::caller())
}

fn text(place: &Location<'_>) -> String {
    format!("{}:{}", place.file(), place.line())
}
