//! Text with and without colours. It must read as well without.

use anstyle::{AnsiColor, Style};

use crate::diagnostic::Diagnostic;

/// Whether stderr gets colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colors(pub bool);

impl Colors {
    /// As the user asked, else by the usual variables (`NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `TERM`) and by
    /// whether stderr is a terminal.
    pub fn choose(asked: Option<bool>) -> Self {
        use anstream::ColorChoice;
        Colors(asked.unwrap_or_else(|| anstream::AutoStream::choice(&std::io::stderr()) != ColorChoice::Never))
    }

    pub(super) fn paint(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

pub(super) fn labelled(label: &str, diagnostic: &Diagnostic, colors: Colors) -> String {
    let color = if label == "error" { AnsiColor::Red } else { AnsiColor::Yellow };
    let text = diagnostic.to_string();
    if !colors.0 {
        return format!("{label}: {text}");
    }
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let mut out = format!(
        "{} {}",
        colors.paint(color.on_default().bold(), &format!("{label}:")),
        colors.paint(Style::new().bold(), first)
    );
    for line in lines {
        out.push('\n');
        match line.split_once(": ").filter(|(word, _)| matches!(*word, "hint" | "caused by")) {
            Some((word, rest)) => {
                let word = colors.paint(AnsiColor::Cyan.on_default(), &format!("{word}:"));
                out.push_str(&format!("{word} {rest}"));
            }
            None => out.push_str(line),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_nothing_but_the_text() {
        let diagnostic = Diagnostic::input("a").caused_by("b").hint("c");
        assert_eq!(labelled("error", &diagnostic, Colors(false)), "error: a\ncaused by: b\nhint: c");
    }

    #[test]
    fn with_colours_the_same_text() {
        let diagnostic = Diagnostic::input("a").caused_by("b").hint("c");
        let colored = labelled("error", &diagnostic, Colors(true));
        assert_ne!(colored, anstream::adapter::strip_str(&colored).to_string());
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), "error: a\ncaused by: b\nhint: c");
    }
}
