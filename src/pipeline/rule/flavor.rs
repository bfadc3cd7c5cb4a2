//! The flavor: what holds for all rules of an image.

use super::csv;
use super::{Piece, Wrong};
use crate::diagnostic::Place;

/// What holds for all rules of an image. Source: README of docker/metadata-action, "flavor input".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flavor {
    /// Whether the tag `latest` is added.
    pub latest: LatestFlavor,
    /// Stands before every tag whose rule has no prefix of its own.
    pub prefix: Affix,
    /// Stands after every tag whose rule has no suffix of its own.
    pub suffix: Affix,
}

/// Whether the tag `latest` is added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LatestFlavor {
    /// The first rule that gives a tag decides by its type.
    #[default]
    Auto,
    /// To any other tag.
    Always,
    /// Never.
    Never,
}

/// What stands before or after tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affix {
    /// A template; empty for none.
    pub template: Piece,
    /// The line it comes from.
    pub line: String,
    /// Where that stands.
    pub place: Option<Place>,
    /// The tag `latest` gets it as well, as it is written.
    pub on_latest: bool,
}

impl Flavor {
    /// Adds what a line says to what earlier lines said.
    ///
    /// # Errors
    /// If it has a word without `=`, an unknown key, or a value that the key cannot have.
    pub fn add(&mut self, line: &str, place: Option<&Place>) -> Result<(), Wrong> {
        let mut last: Option<Side> = None;
        for field in csv::record(line)? {
            let range = field.range.clone();
            // Everything after a second `=` is lost, as it is in docker/metadata-action.
            let mut parts = field.text.split('=').map(str::trim);
            let key = parts.next().unwrap_or_default().to_lowercase();
            let Some(value) = parts.next() else {
                let message = format!("`{}` is no entry of a flavor", field.text.trim());
                return Err(Wrong::new(message, range).hint("write it as `key=value`"));
            };
            match key.as_str() {
                "latest" => self.latest = latest(value, range)?,
                "prefix" | "suffix" => {
                    let side = if key == "prefix" { Side::Prefix } else { Side::Suffix };
                    let affix = self.affix(side);
                    affix.template = Piece { text: value.to_owned(), range: place_of(&field, value) };
                    affix.line = line.to_owned();
                    affix.place = place.cloned();
                    last = Some(side);
                }
                "onlatest" => {
                    let on_latest = on_latest(value, range)?;
                    if let Some(side) = last {
                        self.affix(side).on_latest = on_latest;
                    }
                }
                other => {
                    let hint = "a flavor knows `latest`, `prefix`, `suffix` and `onlatest`";
                    return Err(Wrong::new(format!("unknown key `{other}`"), range).hint(hint));
                }
            }
        }
        Ok(())
    }

    fn affix(&mut self, side: Side) -> &mut Affix {
        match side {
            Side::Prefix => &mut self.prefix,
            Side::Suffix => &mut self.suffix,
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Prefix,
    Suffix,
}

/// Where the value of a field stands.
fn place_of(field: &csv::Field, value: &str) -> std::ops::Range<usize> {
    let after_key = field.text.find('=').map_or(0, |at| at + 1);
    match field.text[after_key..].find(value) {
        Some(skipped) if field.verbatim => {
            let start = field.range.start + after_key + skipped;
            start..start + value.len()
        }
        _ => field.range.clone(),
    }
}

fn latest(value: &str, range: std::ops::Range<usize>) -> Result<LatestFlavor, Wrong> {
    match value {
        "auto" => Ok(LatestFlavor::Auto),
        "true" => Ok(LatestFlavor::Always),
        "false" => Ok(LatestFlavor::Never),
        _ => Err(Wrong::new(format!("`latest` must be one of `auto`, `true`, `false`, not `{value}`"), range)),
    }
}

fn on_latest(value: &str, range: std::ops::Range<usize>) -> Result<bool, Wrong> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Wrong::new(format!("`onlatest` must be `true` or `false`, not `{value}`"), range)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flavor(lines: &[&str]) -> Result<Flavor, String> {
        let mut flavor = Flavor::default();
        lines.iter().try_for_each(|line| flavor.add(line, None)).map_err(|wrong| wrong.message)?;
        Ok(flavor)
    }

    #[test]
    fn later_lines_win_and_onlatest_belongs_to_its_line() {
        let read = flavor(&["latest=true", "prefix=a-,suffix=-b,onlatest=true", "LATEST=false", "onlatest=true"]);
        let read = read.unwrap();
        assert_eq!(read.latest, LatestFlavor::Never);
        assert_eq!((read.prefix.template.text.as_str(), read.prefix.on_latest), ("a-", false));
        assert_eq!((read.suffix.template.text.as_str(), read.suffix.on_latest), ("-b", true));
    }

    #[test]
    fn what_a_flavor_cannot_say() {
        assert_eq!(flavor(&["latest"]), Err("`latest` is no entry of a flavor".into()));
        assert_eq!(flavor(&["tag=x"]), Err("unknown key `tag`".into()));
        assert_eq!(flavor(&["latest=True"]), Err("`latest` must be one of `auto`, `true`, `false`, not `True`".into()));
        assert_eq!(flavor(&["prefix=a,onlatest=1"]), Err("`onlatest` must be `true` or `false`, not `1`".into()));
    }
}
