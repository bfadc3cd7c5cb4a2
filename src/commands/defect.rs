//! A panic is always a defect of ours. It is told as one, with its place, and without what is known to be secret.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use tokio::task::JoinError;

use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::facts::Variables;
use crate::report::{self, Colors};
use crate::secrecy;

/// As much of a panic's message as is told, in characters: some show all that they have.
const MOST: usize = 4000;

/// What a panic said, and where.
#[derive(Debug)]
struct Defect {
    message: String,
    place: Option<String>,
}

/// The last panic of the thread that waits for all others.
static LAST: Mutex<Option<Defect>> = Mutex::new(None);

/// From now on panics are told in our own way. Those of this thread are left to [`guarded`]; of any other it is told at
/// once, since what waits for it may make an error of it that does not say as much.
pub(super) fn watch(colors: Colors) {
    let own = thread::current().id();
    panic::set_hook(Box::new(move |info| hear(info, own, colors)));
}

fn hear(info: &PanicHookInfo<'_>, own: ThreadId, colors: Colors) {
    let defect = Defect {
        message: info.payload_as_str().unwrap_or("it said nothing").to_owned(),
        place: info.location().map(ToString::to_string),
    };
    // Only where RUST_BACKTRACE asks for it. It shows names of functions, and no values.
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        report::note(&trace.to_string());
    }
    match thread::current().id() == own {
        true => *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(defect),
        false => report::warnings(&[told(&defect, "a part of the work came upon a defect of longshore's own")], colors),
    }
}

/// Does work, and turns a panic into a diagnostic.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Diagnostics>) -> Result<T, Diagnostics> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        let defect = last.unwrap_or_else(|| Defect { message: words(&*payload).to_owned(), place: None });
        Err(told(&defect, "longshore came upon a defect of its own and cannot go on").into())
    })
}

/// What cannot go on since a task that it waited for has panicked, which was told by then.
pub(super) fn of_task(what: &str, error: &JoinError) -> Diagnostic {
    let diagnostic = Diagnostic::new(Blame::Bug, what);
    match error.is_panic() {
        true => diagnostic.hint("report it, please, with the warning above"),
        false => diagnostic.caused_by(error.to_string()),
    }
}

fn words(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("it said nothing")
}

fn told(defect: &Defect, what: &str) -> Diagnostic {
    let message: String = secrecy::told(&secrecy::without_known(&defect.message)).chars().take(MOST).collect();
    let place = defect.place.as_deref().unwrap_or("an unknown place");
    let (version, system) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    Diagnostic::new(Blame::Bug, what)
        .caused_by(message)
        .caused_by(format!("at {place} of longshore {version} on {system}/{}", std::env::consts::ARCH))
        .hint("report it, please, with these lines and what was run; RUST_BACKTRACE=1 adds how it came to it")
}

/// Panics at this step where a test asks for it, with what the test wants said: there is no other way to see what comes
/// of a defect. It is in no release.
#[cfg(debug_assertions)]
#[track_caller]
#[expect(clippy::panic, reason = "it is what it is for")]
pub(super) fn provoke(step: &str, variables: impl FnOnce() -> Variables) {
    let variables = variables();
    let wanted = variables.get("LONGSHORE_TEST_PANIC").and_then(|wanted| wanted.split_once(' '));
    if let Some((_, message)) = wanted.filter(|(at, _)| *at == step) {
        panic!("{message} {variables:?}");
    }
}

/// Does nothing, in a release.
#[cfg(not(debug_assertions))]
pub(super) fn provoke(_: &str, _: impl FnOnce() -> Variables) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::panic, reason = "it is what the test is about")]
    fn a_panic_is_told_as_a_defect() {
        secrecy::keep("canary-of-a-panic");
        let problems = guarded::<()>(|| panic!("no such thing as {:?}", "canary-of-a-panic")).unwrap_err();
        assert_eq!(problems.exit_code(), 70);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(told[0].starts_with("longshore came upon a defect of its own and cannot go on\n"), "{told:?}");
        assert!(told[0].contains("caused by: no such thing as \"***\"\n"), "{told:?}");
        assert_eq!(guarded(|| Ok(1)), Ok(1));
    }

    #[test]
    fn with_its_place_and_not_without_end() {
        let place = Some("src/plan/mod.rs:7:1".to_owned());
        let told = told(&Defect { message: "x".repeat(2 * MOST), place }, "a defect").to_string();
        assert!(told.contains("\ncaused by: at src/plan/mod.rs:7:1 of longshore "), "{told}");
        assert!(told.len() < MOST + 500 && told.contains("\nhint: report it, please"));
    }
}
