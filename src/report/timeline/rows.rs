//! The rows of the chart.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::page::{escape, percent};
use super::{Kind, Lane, Span, Timeline};
use crate::report::size;

/// The classes of a span.
pub(super) fn class(span: &Span) -> String {
    let mut class = span.kind.word().to_owned();
    for (name, there) in [("cached", span.cached), ("failed", span.failed), ("critical", span.critical)] {
        if there {
            class.push(' ');
            class.push_str(name);
        }
    }
    class
}

/// What was done for the run as a whole: one row.
pub(super) fn run(timeline: &Timeline, html: &mut String) -> fmt::Result {
    html.push_str("<div class=\"row all\"><div class=\"label\"><b>the run</b></div><div class=\"plot\">");
    for span in &timeline.run {
        bar(timeline, span, html)?;
    }
    html.push_str("</div></div>\n");
    Ok(())
}

/// One image: a row of everything, and under it a row for each thing.
pub(super) fn lane(timeline: &Timeline, lane: &Lane, open: bool, html: &mut String) -> fmt::Result {
    let failed = if lane.failed { " failed" } else { "" };
    let open = if open { " open" } else { "" };
    write!(
        html,
        "<details class=\"lane{failed}\"{open}>\n<summary class=\"row all\"><div class=\"label\"><b>{}</b> \
         <small title=\"{}\">{}</small></div><div class=\"plot\">",
        escape(&lane.name),
        escape(&lane.outcome),
        escape(&lane.outcome)
    )?;
    for span in &lane.spans {
        bar(timeline, span, html)?;
    }
    html.push_str("</div></summary>\n");
    for span in lane.spans.iter().filter(|span| span.kind != Kind::Wait) {
        let name = escape(&span.name);
        write!(
            html,
            "<div class=\"row\"><div class=\"label\" title=\"{name}\"><code>{name}</code></div><div class=\"plot\">"
        )?;
        bar(timeline, span, html)?;
        beside(timeline, span, html)?;
        html.push_str("</div></div>\n");
    }
    layers(lane, html)?;
    for note in &lane.notes {
        writeln!(html, "<p class=\"note\">{}</p>", escape(note))?;
    }
    html.push_str("</details>\n");
    Ok(())
}

/// A span, where it is in time, with everything about it for who points at it.
fn bar(timeline: &Timeline, span: &Span, html: &mut String) -> fmt::Result {
    let (left, right) = (percent(span.from, timeline.took), percent(span.to, timeline.took));
    // What is told of a span on the right hangs to the left of it.
    let side = if left > 60.0 { " late" } else { "" };
    write!(
        html,
        "<span class=\"bar {}{side}\" style=\"left:{left:.3}%;width:{:.3}%\" tabindex=\"0\" data-tip=\"{}\"></span>",
        class(span),
        right - left,
        escape(&told(timeline, span))
    )
}

/// How long it took, beside it.
fn beside(timeline: &Timeline, span: &Span, html: &mut String) -> fmt::Result {
    let (left, right) = (percent(span.from, timeline.took), percent(span.to, timeline.took));
    let text = match span.cached {
        true => "cached".to_owned(),
        false if span.took() < Duration::from_millis(100) => format!("{} ms", span.took().as_millis()),
        false => size::span(span.took()),
    };
    match right > 88.0 {
        true => write!(html, "<em style=\"right:{:.3}%\">{text}</em>", 100.0 - left),
        false => write!(html, "<em style=\"left:{right:.3}%\">{text}</em>"),
    }
}

/// All that is known of a span, one line each.
fn told(timeline: &Timeline, span: &Span) -> String {
    let what = match span.kind {
        Kind::Wait => format!("waits {}", span.name),
        _ => span.name.clone(),
    };
    let share = span.took().as_secs_f64() / timeline.took.as_secs_f64().max(0.001) * 100.0;
    let mut lines = vec![
        what,
        format!("{} to {}: {}, {share:.0} % of the run", seconds(span.from), seconds(span.to), precise(span.took())),
    ];
    for (text, there) in [("cached", span.cached), ("failed", span.failed), ("on the critical path", span.critical)] {
        if there {
            lines.push(text.to_owned());
        }
    }
    lines.extend(span.notes.iter().cloned());
    lines.join("\n")
}

/// The sizes of the layers, as a strip.
fn layers(lane: &Lane, html: &mut String) -> fmt::Result {
    let total: u64 = lane.layers.iter().map(|layer| layer.size).sum();
    if total == 0 {
        return Ok(());
    }
    let count = lane.layers.len();
    let word = if count == 1 { "layer" } else { "layers" };
    write!(
        html,
        "<div class=\"row layers\"><div class=\"label\"><small>{count} {word}, {}</small></div><div class=\"plot\"><div class=\"strip\">",
        size::bytes(total)
    )?;
    for (number, layer) in lane.layers.iter().enumerate() {
        let share = layer.size as f64 / total as f64 * 100.0;
        let tip = format!(
            "layer {} of {count}\n{}, {share:.0} % of the image\n{}",
            number + 1,
            size::bytes(layer.size),
            layer.digest.short()
        );
        write!(
            html,
            "<span class=\"bar layer\" style=\"width:{share:.3}%\" tabindex=\"0\" data-tip=\"{}\">",
            escape(&tip)
        )?;
        if share >= 9.0 {
            html.push_str(&size::bytes(layer.size));
        }
        html.push_str("</span>");
    }
    html.push_str("</div></div></div>\n");
    Ok(())
}

/// A moment, as the axis has it.
pub(super) fn seconds(at: Duration) -> String {
    let seconds = at.as_secs_f64();
    match seconds {
        _ if seconds >= 60.0 => format!("{}:{:02}", at.as_secs() / 60, at.as_secs() % 60),
        _ if (seconds.fract()).abs() < 0.0005 => format!("{seconds:.0} s"),
        _ => {
            let text = format!("{seconds:.3}");
            format!("{} s", text.trim_end_matches('0'))
        }
    }
}

fn precise(took: Duration) -> String {
    if took < Duration::from_secs(10) { format!("{:.3} s", took.as_secs_f64()) } else { size::span(took) }
}
