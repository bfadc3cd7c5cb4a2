//! The critical path: the chain of work in which each part waited for the one before it, and the last ended the run. Had
//! any of it been quicker, the run would have been.

use std::time::Duration;

use super::{Kind, Timeline};

/// Events take a moment to arrive, so that work which follows at once may seem to begin before what it follows.
const SLACK: Duration = Duration::from_millis(30);

/// What has been over for longer than this did not hold up what begins only now.
const LONG: Duration = Duration::from_millis(100);

/// A span, by its lane and its number there.
type At = (Option<usize>, usize);

/// Marks its spans, from the last to the first.
pub(super) fn mark_critical_path(timeline: &mut Timeline) {
    let mut path: Vec<At> = Vec::new();
    let mut current = latest(timeline, |_, _| true);
    while let Some(at) = current {
        path.push(at);
        current = before(timeline, at, &path);
    }
    for (lane, number) in path {
        match lane {
            Some(lane) => timeline.lanes[lane].spans[number].critical = true,
            None => timeline.run[number].critical = true,
        }
    }
}

/// What a span waited for: of all that can have held it up, what ended last. A builder's steps hold up one another, and
/// so does everything within a lane; from other lanes only what has to come first.
fn before(timeline: &Timeline, (lane, number): At, path: &[At]) -> Option<At> {
    let span = match lane {
        Some(lane) => &timeline.lanes[lane].spans[number],
        None => &timeline.run[number],
    };
    let (from, kind) = (span.from, span.kind);
    let is_before = |at: At, to: Duration, began: Duration| to <= from + SLACK && began < from && !path.contains(&at);
    let holds_up = |other: Option<usize>, turn: bool| match (other, lane) {
        (None, _) => true,
        (Some(other), Some(lane)) if other == lane => true,
        // Nothing is released or copied before all is staged, and a turn is whoever's that ended before.
        (Some(_), _) if matches!(kind, Kind::Release | Kind::Copy | Kind::Assemble) => true,
        (Some(other), Some(lane)) => {
            let needs = &timeline.lanes[lane].needs;
            let begins = timeline.lanes[lane].spans.iter().all(|span| span.kind == Kind::Wait || span.from >= from);
            begins && (turn || needs.is_empty() || needs.contains(&timeline.lanes[other].name))
        }
        (Some(_), None) => false,
    };
    let found = latest(timeline, |at, (began, to)| holds_up(at.0, false) && is_before(at, to, began));
    // What it needed was there long before: then it was a turn that it waited for, and that is whoever's ended last.
    match found.map(|at| end_of(timeline, at)) {
        Some(end) if end + LONG >= from => found,
        _ => latest(timeline, |at, (began, to)| holds_up(at.0, true) && is_before(at, to, began)),
    }
}

fn end_of(timeline: &Timeline, (lane, number): At) -> Duration {
    match lane {
        Some(lane) => timeline.lanes[lane].spans[number].to,
        None => timeline.run[number].to,
    }
}

/// The span that ended last among those that may be chosen; of several the one that began first.
fn latest(timeline: &Timeline, may: impl Fn(At, (Duration, Duration)) -> bool) -> Option<At> {
    let run = timeline.run.iter().enumerate().map(|(number, span)| ((None, number), span));
    let lanes = timeline.lanes.iter().enumerate().flat_map(|(lane, found)| {
        found.spans.iter().enumerate().map(move |(number, span)| ((Some(lane), number), span))
    });
    run.chain(lanes)
        .filter(|(_, span)| span.kind != Kind::Wait)
        .filter(|(at, span)| may(*at, (span.from, span.to)))
        .max_by(|(_, a), (_, b)| a.to.cmp(&b.to).then(b.from.cmp(&a.from)))
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::timeline::{Lane, Span};

    fn span(kind: Kind, name: &str, from: u64, to: u64) -> Span {
        Span::new(kind, name, Duration::from_secs(from), Duration::from_secs(to))
    }

    fn lane(name: &str, needs: &[&str], spans: Vec<Span>) -> Lane {
        let needs = needs.iter().map(|name| (*name).to_owned()).collect();
        Lane { name: name.to_owned(), needs, spans, ..Lane::default() }
    }

    fn path(run: Vec<Span>, lanes: Vec<Lane>) -> Vec<String> {
        let mut timeline = Timeline {
            title: String::new(),
            facts: Vec::new(),
            run,
            lanes,
            took: Duration::from_secs(100),
            succeeded: true,
        };
        mark_critical_path(&mut timeline);
        timeline.critical().into_iter().map(|(_, span)| span.name.clone()).collect()
    }

    #[test]
    fn it_goes_through_the_slower_image_and_the_release() {
        let run = vec![span(Kind::Decide, "look", 0, 1)];
        let web = vec![
            span(Kind::Step, "web 1", 1, 4),
            span(Kind::Step, "web aside", 1, 3),
            span(Kind::Step, "web 2", 4, 9),
            span(Kind::Push, "web push", 9, 12),
            span(Kind::Release, "web tag", 12, 13),
        ];
        let worker = vec![
            span(Kind::Step, "worker 1", 1, 2),
            span(Kind::Push, "worker push", 2, 3),
            span(Kind::Wait, "wait", 3, 13),
            span(Kind::Release, "worker tag", 13, 14),
        ];
        let expected = ["look", "web 1", "web 2", "web push", "web tag", "worker tag"];
        assert_eq!(path(run, vec![lane("web", &[], web), lane("worker", &[], worker)]), expected);
    }

    #[test]
    fn an_image_that_needs_another_begins_with_it() {
        let base = vec![span(Kind::Step, "base", 0, 5), span(Kind::Push, "base push", 5, 6)];
        let other = vec![span(Kind::Step, "other", 0, 6)];
        let app = vec![span(Kind::Wait, "wait", 0, 6), span(Kind::Step, "app", 6, 9)];
        let lanes = vec![lane("base", &[], base), lane("other", &[], other), lane("app", &["base"], app)];
        assert_eq!(path(Vec::new(), lanes), ["base", "base push", "app"]);
    }

    #[test]
    fn an_image_that_waits_for_its_turn_begins_with_whoever_had_it() {
        let base = vec![span(Kind::Push, "base push", 0, 6)];
        let other = vec![span(Kind::Step, "other", 0, 7), span(Kind::Push, "other push", 7, 9)];
        let app = vec![span(Kind::Step, "app", 9, 10)];
        let lanes = vec![lane("base", &[], base), lane("other", &[], other), lane("app", &["base"], app)];
        assert_eq!(path(Vec::new(), lanes), ["other", "other push", "app"]);
    }

    #[test]
    fn nothing_gives_no_path() {
        assert!(path(Vec::new(), Vec::new()).is_empty());
    }
}
