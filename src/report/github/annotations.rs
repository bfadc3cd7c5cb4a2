//! Errors and warnings at their places in the user's files.

use std::path::Path;

use super::lines::{escape_data, escape_property};
use crate::diagnostic::Diagnostic;
use crate::report::lines::safe;
use crate::report::paths;
use crate::secrecy;

/// More of a cause than this would fill the page; the log has it all.
const CAUSE_LINES: usize = 10;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing comes of the run.
    Error,
    /// It may go wrong.
    Warning,
}

/// Where files are.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// What names of files are meant from.
    pub folder: &'a Path,
    /// The root of the git repository, from which the page names files.
    pub root: Option<&'a Path>,
    /// Whether there is such a file: what flags and standard input say comes from none.
    pub is_file: &'a dyn Fn(&Path) -> bool,
}

/// One command for each diagnostic.
pub fn annotations<'d>(
    level: Level,
    diagnostics: impl IntoIterator<Item = &'d Diagnostic>,
    ground: Ground<'_>,
) -> Vec<String> {
    let word = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let line = |diagnostic: &Diagnostic| {
        let place = diagnostic.place.as_ref().and_then(|place| {
            let name = Path::new(&place.source.name);
            let file = (ground.is_file)(&ground.folder.join(name))
                .then(|| paths::from_top(name, ground.folder, ground.root))?;
            let file = file.display().to_string();
            let end = place.column + place.length.max(1);
            Some(format!("file={},line={},col={},endColumn={end},", escape_property(&file), place.line, place.column))
        });
        format!("::{word} {}title=longshore::{}", place.unwrap_or_default(), escape_data(&safe(&text(diagnostic))))
    };
    diagnostics.into_iter().map(line).collect()
}

/// What the diagnostic says, without the place, which the page shows itself.
fn text(diagnostic: &Diagnostic) -> String {
    let mut short = Diagnostic { place: None, ..diagnostic.clone() };
    for cause in &mut short.causes {
        let lines: Vec<&str> = cause.trim_end().lines().collect();
        *cause = lines[lines.len().saturating_sub(CAUSE_LINES)..].join("\n");
    }
    secrecy::without_known(&short.to_string())
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
        annotations(Level::Error, [&diagnostic], ground(&|path| !path.ends_with("--rule")))
    }

    fn ground<'a>(is_file: &'a dyn Fn(&Path) -> bool) -> Ground<'a> {
        Ground { folder: Path::new("/w/repo/app"), root: Some(Path::new("/w/repo")), is_file }
    }

    #[test]
    fn word_for_word() {
        let expected = "::error file=app/longshore.yaml,line=2,col=4,endColumn=5,title=longshore::\
                        100%25 wrong%0Acaused by: x%0A           \u{200b}::y%0Ahint: look, there";
        assert_eq!(told("longshore.yaml", "x\n::y"), [expected]);
        let placeless = annotations(Level::Warning, [&Diagnostic::input("no")], ground(&|_| true));
        assert_eq!(placeless, ["::warning title=longshore::no"]);
        assert!(told("--rule", "x")[0].starts_with("::error title=longshore::100%25 wrong"), "it is in no file");
    }

    #[test]
    fn files_are_named_from_the_root() {
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
