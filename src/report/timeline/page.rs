//! The page: one file, no script, nothing from elsewhere, so that it opens wherever a build keeps its results.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::rows::{self, seconds};
use super::{Kind, Lane, Span, Timeline};
use crate::report::size;

const STYLE: &str = include_str!("style.css");

/// How many images may be open from the start; more of them begin as one line each.
const MOST_OPEN: usize = 12;

/// The page of a run.
pub fn page(timeline: &Timeline) -> String {
    let mut html = String::with_capacity(64 * 1024);
    // Writing to a text cannot fail.
    let _ = write_page(timeline, &mut html);
    html
}

fn write_page(timeline: &Timeline, html: &mut String) -> fmt::Result {
    write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escape(&format!("longshore run, {}", size::span(timeline.took)))
    )?;
    header(timeline, html)?;
    critical_path(timeline, html)?;
    chart(timeline, html)?;
    html.push_str("</body>\n</html>\n");
    Ok(())
}

fn header(timeline: &Timeline, html: &mut String) -> fmt::Result {
    let state = if timeline.succeeded { "succeeded" } else { "failed" };
    writeln!(html, "<header>\n<h1>longshore run <span class=\"state {state}\">{state}</span></h1>")?;
    write!(html, "<p class=\"facts\">{}", escape(&timeline.title))?;
    for (name, value) in &timeline.facts {
        write!(html, " <span>{}</span> {}", escape(name), escape(value))?;
    }
    html.push_str("</p>\n<dl class=\"tiles\">\n");
    for (name, value, more) in tiles(timeline) {
        writeln!(
            html,
            "<div><dt>{}</dt><dd>{}</dd><dd class=\"more\">{}</dd></div>",
            escape(name),
            escape(&value),
            escape(&more)
        )?;
    }
    html.push_str("</dl>\n</header>\n");
    Ok(())
}

/// The few figures that say most: a name, a value, and more about it.
fn tiles(timeline: &Timeline) -> Vec<(&'static str, String, String)> {
    let of = |kind: Kind| timeline.spans().filter(move |(_, span)| span.kind == kind).map(|(_, span)| span);
    let steps = of(Kind::Step).filter(|span| span.name.starts_with('[')).count();
    let cached = of(Kind::Step).filter(|span| span.name.starts_with('[') && span.cached).count();
    let pushes = of(Kind::Push).count();
    let working: Duration =
        timeline.spans().filter(|(_, span)| span.kind != Kind::Wait).map(|(_, span)| span.took()).sum();
    let failed = timeline.lanes.iter().filter(|lane| lane.failed).count();
    let has_steps = |lane: &&Lane| lane.spans.iter().any(|span| span.kind == Kind::Step);
    let built = timeline.lanes.iter().filter(|lane| !lane.failed).filter(has_steps).count();
    let rest = match (timeline.lanes.len() - built - failed, failed) {
        (not, 0) => format!("{built} built, {not} not"),
        (0, failed) => format!("{built} built, {failed} failed"),
        (not, failed) => format!("{built} built, {failed} failed, {not} not"),
    };
    let bytes: u64 = timeline.lanes.iter().flat_map(|lane| &lane.layers).map(|layer| layer.size).sum();
    let mut tiles = vec![
        ("total", size::span(timeline.took), format!("{} of work", size::span(working))),
        ("images", timeline.lanes.len().to_string(), rest),
        ("build steps", steps.to_string(), format!("{cached} cached")),
        ("pushes", pushes.to_string(), size::span(of(Kind::Push).map(Span::took).sum())),
    ];
    if bytes > 0 {
        tiles.push(("layers", size::bytes(bytes), "compressed, of all images".to_owned()));
    }
    tiles
}

fn critical_path(timeline: &Timeline, html: &mut String) -> fmt::Result {
    let path = timeline.critical();
    let on_it: Duration = path.iter().map(|(_, span)| span.took()).sum();
    let total = timeline.took.as_secs_f64().max(0.001);
    writeln!(
        html,
        "<section>\n<h2>Critical path <small>{} of {}: what the run as a whole waited for</small></h2>",
        size::span(on_it),
        size::span(timeline.took)
    )?;
    html.push_str("<div class=\"strip\">");
    for (lane, span) in &path {
        let share = span.took().as_secs_f64() / total * 100.0;
        if share >= 0.1 {
            let name = lane.map_or("", |lane| timeline.lanes[lane].name.as_str());
            write!(
                html,
                "<span class=\"{}\" style=\"left:{:.3}%;width:{share:.3}%\" title=\"{}\"></span>",
                rows::class(span),
                percent(span.from, timeline.took),
                escape(&format!("{name} {}: {}", span.name, size::span(span.took())))
            )?;
        }
    }
    html.push_str("</div>\n<ol class=\"path\">\n");
    let mut longest: Vec<_> = path.iter().filter(|(_, span)| span.took() >= Duration::from_millis(1)).collect();
    longest.sort_by_key(|(_, span)| std::cmp::Reverse(span.took()));
    let shown: Vec<_> = longest.iter().take(8).map(|(_, span)| (span.from, span.to, span.name.clone())).collect();
    for (lane, span) in path.iter().filter(|(_, span)| shown.contains(&(span.from, span.to, span.name.clone()))) {
        let share = span.took().as_secs_f64() / total * 100.0;
        let name = escape(lane.map_or("the run", |lane| timeline.lanes[lane].name.as_str()));
        let step = escape(&span.name);
        writeln!(
            html,
            "<li><span class=\"dot {}\"></span><b title=\"{name}\">{name}</b><code title=\"{step}\">{step}</code><span class=\"time\">{} <small>{share:.0} %</small></span></li>",
            rows::class(span),
            size::span(span.took())
        )?;
    }
    if longest.len() > 8 {
        let rest: Duration = longest.iter().skip(8).map(|(_, span)| span.took()).sum();
        writeln!(html, "<li class=\"rest\">and {} more, {} together</li>", longest.len() - 8, size::span(rest))?;
    }
    let between = timeline.took.saturating_sub(on_it);
    if between >= Duration::from_millis(100) {
        let told = "between them, where nothing was heard of: the registry was asked, or a turn was waited for";
        writeln!(html, "<li class=\"rest\">{} {told}</li>", size::span(between))?;
    }
    html.push_str("</ol>\n</section>\n");
    Ok(())
}

fn chart(timeline: &Timeline, html: &mut String) -> fmt::Result {
    html.push_str("<section class=\"chart\">\n<h2>Timeline</h2>\n<p class=\"legend\">");
    let there = |kind: Kind| timeline.spans().any(|(_, span)| span.kind == kind);
    for kind in Kind::ALL.into_iter().filter(|kind| there(*kind)) {
        write!(html, "<span><i class=\"bar {}\"></i>{}</span>", kind.word(), legend(kind))?;
    }
    if timeline.spans().any(|(_, span)| span.cached) {
        html.push_str("<span><i class=\"bar step cached\"></i>cached step</span>");
    }
    html.push_str("<span><i class=\"bar step critical\"></i>on the critical path</span></p>\n<div class=\"scale\">");
    let axis = axis(timeline.took);
    for at in &axis {
        let left = percent(*at, timeline.took);
        write!(html, "<span style=\"left:{left:.3}%\">{}</span>", seconds(*at))?;
    }
    html.push_str("</div>\n<div class=\"lanes\">\n<div class=\"grid\">");
    for at in &axis {
        write!(html, "<i style=\"left:{:.3}%\"></i>", percent(*at, timeline.took))?;
    }
    html.push_str("</div>\n");
    if !timeline.run.is_empty() {
        rows::run(timeline, html)?;
    }
    let open = timeline.lanes.len() <= MOST_OPEN;
    for lane in &timeline.lanes {
        rows::lane(timeline, lane, open || lane.failed, html)?;
    }
    html.push_str("</div>\n</section>\n");
    Ok(())
}

fn legend(kind: Kind) -> &'static str {
    match kind {
        Kind::Decide => "read, look, decide",
        Kind::Create => "create repository",
        Kind::Step => "build step",
        Kind::Builder => "builder: context, image",
        Kind::Seed => "layers of base images",
        Kind::Push => "push",
        Kind::Assemble => "index",
        Kind::Scan => "scan gate",
        Kind::Copy => "copy",
        Kind::Release => "release tag",
        Kind::Wait => "wait",
    }
}

/// Round moments, four to ten of them.
fn axis(took: Duration) -> Vec<Duration> {
    const STEPS: [f64; 17] =
        [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
    let total = took.as_secs_f64();
    let step = STEPS.into_iter().find(|step| total / step <= 9.0).unwrap_or(3600.0);
    let count = (total / step).floor().min(100.0) as u32;
    (0..=count).map(|at| Duration::from_secs_f64(f64::from(at) * step)).collect()
}

/// Where a moment is, in percent of the whole.
pub(super) fn percent(at: Duration, took: Duration) -> f64 {
    (at.as_secs_f64() / took.as_secs_f64().max(0.001) * 100.0).clamp(0.0, 100.0)
}

/// A text as HTML, also between quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push_str("&#10;"),
            c if c.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_is_round_and_not_crowded() {
        for (milliseconds, last, count) in [(80, 0.08, 9), (1234, 1.2, 7), (61_000, 60.0, 7), (4_000_000, 3600.0, 7)] {
            let axis = axis(Duration::from_millis(milliseconds));
            assert_eq!((axis.last().unwrap().as_secs_f64(), axis.len()), (last, count), "{milliseconds}");
        }
        assert_eq!(axis(Duration::ZERO).len(), 1);
    }

    #[test]
    fn nothing_of_a_step_becomes_markup() {
        assert_eq!(escape("<a href=\"x\">'&\u{1b}[1m\n"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;\u{fffd}[1m&#10;");
    }
}
