//! Text with and without colours. It must read as well without.

use anstyle::{AnsiColor, Style};

use crate::diagnostic::Diagnostic;
use crate::secrecy;

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

/// Text that may come from anywhere, fit for a terminal and for the log of a CI system: no escape sequences, no control
/// characters but newlines and tabs, nothing that changes the direction of writing, and no line that a CI system takes
/// for a command. Source: ECMA-48 for control functions; Unicode TR 9, section 2; the GitHub Actions runner's
/// `ActionCommand.cs`, which trims a line before it looks for `::`, and finds `##[` anywhere; Azure Pipelines documentation,
/// "Logging commands", for `##vso[`.
pub(super) fn safe(text: &str) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    let mut out = String::with_capacity(plain.len());
    for (at, line) in plain.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        let start = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at(start);
        out.push_str(indent);
        if rest.starts_with("::") {
            // Invisible, and enough to have it begin with something else.
            out.push('\u{200b}');
        }
        let rest = rest.replace("##[", "#\u{200b}#[").replace("##vso[", "#\u{200b}#vso[");
        out.extend(rest.chars().map(|character| if is_harmful(character) { '\u{fffd}' } else { character }));
    }
    out
}

fn is_harmful(character: char) -> bool {
    (character.is_control() && character != '\t')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn labelled(label: &str, diagnostic: &Diagnostic, colors: Colors) -> String {
    let color = if label == "error" { AnsiColor::Red } else { AnsiColor::Yellow };
    let text = safe(&secrecy::without_known(&diagnostic.to_string()));
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
    fn nothing_moves_the_cursor_or_speaks_to_the_ci_system() {
        for (text, shown) in [
            ("plain\n  text\tof two lines\r\n", "plain\n  text\tof two lines\n"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("a\u{8}b\rc", "ab\u{fffd}c"),
            ("admin\u{202e}gnp.exe", "admin\u{fffd}gnp.exe"),
            ("::set-output name=x::y", "\u{200b}::set-output name=x::y"),
            ("caused by: x\n           ::add-mask::y", "caused by: x\n           \u{200b}::add-mask::y"),
            ("x ##[error]y", "x #\u{200b}#[error]y"),
            ("##vso[task.setvariable]z", "#\u{200b}#vso[task.setvariable]z"),
            ("std::fs", "std::fs"),
        ] {
            assert_eq!(safe(text), shown, "{text:?}");
        }
    }

    #[test]
    fn with_colours_the_same_text() {
        let diagnostic = Diagnostic::input("a").caused_by("b").hint("c");
        let colored = labelled("error", &diagnostic, Colors(true));
        assert_ne!(colored, anstream::adapter::strip_str(&colored).to_string());
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), "error: a\ncaused by: b\nhint: c");
    }
}
