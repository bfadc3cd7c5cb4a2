//! Errors at their places in the user's files.

use std::path::Path;

use super::lines::{escape_data, escape_property};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::report::paths;

/// More of a cause than this would fill the page; the log has it all.
const CAUSE_LINES: usize = 10;

/// One command for each error. Names of files are meant from `folder`; the runner wants them from the `workspace`.
pub fn annotations(diagnostics: &Diagnostics, folder: &Path, workspace: Option<&Path>) -> Vec<String> {
    let line = |diagnostic: &Diagnostic| {
        let place = diagnostic.place.as_ref().map(|place| {
            let file = paths::from_top(Path::new(&place.source.name), folder, workspace).display().to_string();
            let end = place.column + place.length.max(1);
            format!("file={},line={},col={},endColumn={end},", escape_property(&file), place.line, place.column)
        });
        format!("::error {}title=longshore::{}", place.unwrap_or_default(), escape_data(&text(diagnostic)))
    };
    diagnostics.iter().map(line).collect()
}

/// What the diagnostic says, without the place, which the page shows itself.
fn text(diagnostic: &Diagnostic) -> String {
    let mut short = Diagnostic { place: None, ..diagnostic.clone() };
    for cause in &mut short.causes {
        let lines: Vec<&str> = cause.trim_end().lines().collect();
        *cause = lines[lines.len().saturating_sub(CAUSE_LINES)..].join("\n");
    }
    short.to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Place, Source};

    fn told(name: &str, cause: &str) -> Vec<String> {
        let source = Arc::new(Source { name: name.into(), text: "a\nb: c\n".into() });
        let place = Place { source, line: 2, column: 4, length: 1 };
        let diagnostic = Diagnostic::input("100% wrong").caused_by(cause).hint("look, there").at(place);
        annotations(&diagnostic.into(), Path::new("/w/repo/app"), Some(Path::new("/w/repo")))
    }

    #[test]
    fn word_for_word() {
        let expected = "::error file=app/longshore.yaml,line=2,col=4,endColumn=5,title=longshore::\
                        100%25 wrong%0Acaused by: x%0A           ::y%0Ahint: look, there";
        assert_eq!(told("longshore.yaml", "x\n::y"), [expected]);
        let placeless = annotations(&Diagnostic::input("no").into(), Path::new("/w"), None);
        assert_eq!(placeless, ["::error title=longshore::no"]);
    }

    #[test]
    fn files_are_named_from_the_workspace() {
        let file = |name: &str| told(name, "")[0].split(",line").next().unwrap().to_owned();
        assert_eq!(file("../web/./Dockerfile"), "::error file=web/Dockerfile");
        assert_eq!(file("/elsewhere/a,b:c"), "::error file=/elsewhere/a%2Cb%3Ac");
    }

    #[test]
    fn of_a_long_cause_the_end_is_shown() {
        let long: String = (0..30).map(|number| format!("line {number}\n")).collect();
        let line = &told("f", &long)[0];
        assert!(line.contains("line 29") && line.contains("line 20") && !line.contains("line 19"), "{line}");
    }
}
