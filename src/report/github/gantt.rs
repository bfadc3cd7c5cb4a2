//! The run's time as a Mermaid chart, which GitHub draws.

use std::time::Duration;

use crate::report::spans::Span;

/// Mermaid refuses charts over 50,000 characters, and nobody reads one of so many lines.
const MOST_SPANS: usize = 120;

/// The chart, or nothing if there is nothing to draw.
pub(super) fn gantt(spans: &[Span]) -> Option<String> {
    let mut images: Vec<&str> = Vec::new();
    for span in spans.iter().take(MOST_SPANS) {
        if !images.contains(&span.image.as_str()) {
            images.push(&span.image);
        }
    }
    if images.is_empty() {
        return None;
    }
    let mut out = "```mermaid\ngantt\n  dateFormat x\n  axisFormat %M:%S\n".to_owned();
    for image in images {
        out.push_str(&format!("  section {}\n", name(image)));
        for span in spans.iter().take(MOST_SPANS).filter(|span| span.image == image) {
            let (from, to) = (millis(span.from), millis(span.to));
            let took = crate::report::size::span(span.to.saturating_sub(span.from));
            out.push_str(&format!("  {} {took} :{from}, {}\n", span.what, to.max(from + 1)));
        }
    }
    out.push_str("```\n");
    Some(out)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX - 1)
}

/// What of a name the chart's grammar takes for nothing else.
fn name(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || "-_./ ".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_for_word() {
        let span = |image: &str, what, from, to| Span {
            image: image.into(),
            what,
            from: Duration::from_millis(from),
            to: Duration::from_millis(to),
        };
        let spans = [span("a:b", "build", 0, 2500), span("web", "build", 0, 0), span("a:b", "push", 2500, 64_000)];
        let expected = "```mermaid\ngantt\n  dateFormat x\n  axisFormat %M:%S\n  section a_b\n  build 2.5s :0, 2500\n  \
                        push 1m01s :2500, 64000\n  section web\n  build 0.0s :0, 1\n```\n";
        assert_eq!(gantt(&spans).as_deref(), Some(expected));
        assert_eq!(gantt(&[]), None);
    }
}
