//! What lies between the spans.

use std::time::Duration;

use super::{Kind, Lane, Span, Timeline};

/// What is shorter is nothing that anybody waits for.
const LEAST: Duration = Duration::from_millis(50);

/// Names the time in which a builder was busy with none of its steps, and puts the spans in order.
pub(super) fn close(lane: &mut Lane, builds: &[(Duration, Duration)]) {
    for (from, to) in builds {
        let steps = lane.spans.iter().filter(|span| span.kind == Kind::Step);
        let taken: Vec<(Duration, Duration)> = steps.map(|span| (span.from, span.to)).collect();
        let free = gaps(*from, *to, taken);
        lane.spans.extend(free.into_iter().map(|(from, to)| Span::new(Kind::Builder, "context, image", from, to)));
    }
    sort(lane);
}

/// Names what each lane waited for.
pub(super) fn fill(timeline: &mut Timeline) {
    let began = timeline.run.iter().map(|span| span.to).max().unwrap_or_default();
    let staged: Vec<(String, Option<Duration>)> =
        timeline.lanes.iter().map(|lane| (lane.name.clone(), lane.staged())).collect();
    for lane in &mut timeline.lanes {
        let Some(end) = lane.end() else { continue };
        let taken = lane.spans.iter().map(|span| (span.from, span.to)).collect();
        for (from, to) in gaps(began, end, taken) {
            let waits = reasons(lane, from, to, &staged);
            lane.spans.extend(waits.into_iter().map(|(name, from, to)| Span::new(Kind::Wait, name, from, to)));
        }
        sort(lane);
    }
}

/// What a lane waited for in this time: for what it needs, and then, if that was not all, for its turn.
fn reasons(
    lane: &Lane,
    from: Duration,
    to: Duration,
    staged: &[(String, Option<Duration>)],
) -> Vec<(String, Duration, Duration)> {
    let next = lane.spans.iter().filter(|span| span.from >= to).min_by_key(|span| span.from);
    let whole = |why: &str| vec![(why.to_owned(), from, to)];
    match next.map(|span| span.kind) {
        Some(Kind::Release | Kind::Copy) => whole("until all images are staged"),
        Some(Kind::Push) => whole("for the push to begin"),
        Some(Kind::Step | Kind::Builder | Kind::Seed) => {
            let needed = staged.iter().filter(|(name, _)| lane.needs.contains(name));
            let needed = needed.filter_map(|(name, at)| Some((name, at.as_ref()?.min(&to))));
            match needed.max_by_key(|(_, at)| **at).filter(|(_, at)| **at > from) {
                Some((name, at)) if to.saturating_sub(*at) >= LEAST => {
                    vec![(format!("for {name}"), from, *at), ("for its turn".to_owned(), *at, to)]
                }
                Some((name, _)) => whole(&format!("for {name}")),
                None => whole("for its turn"),
            }
        }
        _ => whole("for something else"),
    }
}

fn sort(lane: &mut Lane) {
    lane.spans.sort_by_key(|span| (span.from, span.to, span.kind));
}

/// The stretches between two moments that nothing covers, and that are long enough to matter.
fn gaps(from: Duration, to: Duration, mut taken: Vec<(Duration, Duration)>) -> Vec<(Duration, Duration)> {
    taken.sort();
    let mut gaps = Vec::new();
    let mut free_from = from;
    for (begin, end) in taken {
        if begin > free_from && begin <= to {
            gaps.push((free_from, begin));
        }
        free_from = free_from.max(end);
    }
    if to > free_from {
        gaps.push((free_from, to));
    }
    gaps.retain(|(from, to)| *to - *from >= LEAST);
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_nothing_covers() {
        let seconds = |list: &[(u64, u64)]| -> Vec<(Duration, Duration)> {
            list.iter().map(|(from, to)| (Duration::from_secs(*from), Duration::from_secs(*to))).collect()
        };
        let between =
            |from, to, taken: &[(u64, u64)]| gaps(Duration::from_secs(from), Duration::from_secs(to), seconds(taken));
        assert_eq!(between(0, 10, &[(4, 6), (2, 5), (9, 12)]), seconds(&[(0, 2), (6, 9)]));
        assert_eq!(between(0, 10, &[]), seconds(&[(0, 10)]));
        assert_eq!(between(0, 10, &[(0, 10)]), []);
        assert_eq!(between(3, 5, &[(0, 4)]), seconds(&[(4, 5)]));
    }
}
