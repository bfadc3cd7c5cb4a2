//! Tag rules in the grammar of docker/metadata-action, as written and as meant.
//!
//! Source: README of docker/metadata-action, "tags input". What a rule says is checked here; what its templates and
//! regular expressions say only when they are used, because a rule that does not apply may hold any.

mod attributes;
pub(super) mod csv;
mod flavor;
mod number;

use std::ops::Range;

use attributes::Attributes;
pub use flavor::{Affix, Flavor, LatestFlavor};
pub use number::number;

use crate::diagnostic::{Diagnostic, Place};

/// A piece of a rule, and where it stands in the rule's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// What it says.
    pub text: String,
    /// In bytes of the rule; empty for a default.
    pub range: Range<usize>,
}

impl Piece {
    fn default_of(text: &str) -> Self {
        Piece { text: text.to_owned(), range: 0..0 }
    }

    /// Where a stretch of the piece stands in the rule; the whole piece, where quotes have moved things.
    pub fn inside(&self, range: &Range<usize>) -> Range<usize> {
        let verbatim = self.range.len() == self.text.len();
        if verbatim { self.range.start + range.start..self.range.start + range.end } else { self.range.clone() }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// As it is written.
    pub text: String,
    /// What it makes tags of.
    pub kind: RuleKind,
    /// A template for `true` or `false`.
    pub enable: Piece,
    /// A template for what stands before the value, in place of the flavor's.
    pub prefix: Option<Piece>,
    /// A template for what stands after the value, in place of the flavor's.
    pub suffix: Option<Piece>,
    /// Rules are applied from the highest down; NaN is as high as any.
    pub priority: f64,
}

/// What a rule makes tags of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleKind {
    /// A job that was started by a schedule.
    Schedule {
        /// A template that knows the dates only.
        pattern: Piece,
    },
    /// A git tag, or the value, that is a semantic version.
    Semver(VersionRule),
    /// A git tag, or the value, that is a version by PEP 440.
    Pep440(VersionRule),
    /// A git tag, or the value, that a regular expression matches.
    Match {
        /// The regular expression, bare or as `/…/flags`.
        pattern: Piece,
        /// The number of the group that is the tag, as a text.
        group: Piece,
        /// A template in place of the git tag, unless it is empty.
        value: Piece,
    },
    /// The last commit of a branch.
    Edge {
        /// The branch; the default branch if empty.
        branch: String,
    },
    /// The branch, the git tag or the pull request itself.
    Ref(RefEvent),
    /// A text.
    Raw {
        /// A template.
        value: Piece,
    },
    /// The commit.
    Sha {
        /// The whole hash, not its first digits.
        long: bool,
    },
}

/// The attributes that semantic versions and PEP 440 have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRule {
    /// A template that knows the version only.
    pub pattern: Piece,
    /// A template in place of the git tag, unless it is empty.
    pub value: Piece,
    /// A regular expression whose first group is the version, unless it is empty.
    pub matching: Piece,
}

/// What a rule `type=ref` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefEvent {
    /// The branch.
    Branch,
    /// The git tag.
    Tag,
    /// The pull request.
    Pr,
}

/// What is wrong with a rule, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Lower case, no full stop; it does not name the rule.
    pub message: String,
    /// In bytes of the rule's text.
    pub range: Range<usize>,
    /// What can be done about it.
    pub hint: Option<String>,
}

impl Wrong {
    /// Something is wrong there.
    pub fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        Wrong { message: message.into(), range, hint: None }
    }

    /// Adds what can be done about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The diagnostic about the rule of this text, which stands there.
    pub fn in_rule(self, rule: &str, place: Option<&Place>) -> Diagnostic {
        self.told("tag rule", rule, place)
    }

    /// The diagnostic about the line of a flavor, which stands there.
    pub fn in_flavor(self, line: &str, place: Option<&Place>) -> Diagnostic {
        self.told("flavor", line, place)
    }

    fn told(self, what: &str, text: &str, place: Option<&Place>) -> Diagnostic {
        let place = place.map(|place| within(place, text, &self.range));
        Diagnostic::input(format!("{what} `{text}`: {}", self.message)).at_maybe(place).hint_maybe(self.hint)
    }
}

/// The place of a stretch of a text that stands at a place, in quotes or without.
fn within(place: &Place, text: &str, range: &Range<usize>) -> Place {
    let line = place.source.text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    let from_here: String = line.chars().skip(place.column.saturating_sub(1)).collect();
    let quotes = usize::from(from_here.starts_with(['"', '\'']) && !from_here.starts_with(text));
    if range.is_empty() || !from_here.chars().skip(quotes).collect::<String>().starts_with(text) {
        return place.clone();
    }
    let (Some(before), Some(inside)) = (text.get(..range.start), text.get(range.clone())) else { return place.clone() };
    let column = place.column + quotes + before.chars().count();
    Place { column, length: inside.chars().count(), ..place.clone() }
}

/// The rules that an empty list stands for.
pub const DEFAULTS: [&str; 4] = ["type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"];

/// The entries of a list that is written one a line: without white space around them, empty lines, and lines that
/// begin with `#`.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    // The list as a whole is trimmed first, so an indented `#` is a comment in its first line only.
    text.trim().lines().filter(|line| !line.starts_with('#')).map(str::trim).filter(|line| !line.is_empty())
}

/// Reads a rule.
///
/// # Errors
/// If its quotes are out of order, its type is unknown, an attribute is missing or has a value that it cannot have.
pub fn parse(text: &str) -> Result<Rule, Wrong> {
    let attributes = Attributes::read(text)?;
    let kind = kind(&attributes)?;
    let own_prefix = match kind {
        RuleKind::Ref(RefEvent::Pr) => Some("pr-"),
        RuleKind::Sha { .. } => Some("sha-"),
        _ => None,
    };
    Ok(Rule {
        enable: attributes.piece_or("enable", "true"),
        prefix: attributes.piece("prefix").or_else(|| own_prefix.map(Piece::default_of)),
        suffix: attributes.piece("suffix"),
        priority: attributes.piece("priority").map_or_else(|| priority(&kind), |piece| number(&piece.text)),
        kind,
        text: text.to_owned(),
    })
}

fn kind(attributes: &Attributes) -> Result<RuleKind, Wrong> {
    let version = |attributes: &Attributes| -> Result<VersionRule, Wrong> {
        Ok(VersionRule {
            pattern: attributes.required("pattern")?,
            value: attributes.piece_or("value", ""),
            matching: attributes.piece_or("match", ""),
        })
    };
    let name = attributes.piece_or("type", "raw");
    Ok(match name.text.as_str() {
        "schedule" => RuleKind::Schedule { pattern: attributes.piece_or("pattern", "nightly") },
        "semver" => RuleKind::Semver(version(attributes)?),
        "pep440" => RuleKind::Pep440(version(attributes)?),
        "match" => {
            let pattern = attributes.required("pattern")?;
            let group = attributes.piece_or("group", "0");
            if number(&group.text).is_nan() {
                return Err(Wrong::new(format!("`group` must be a number, not `{}`", group.text), group.range));
            }
            RuleKind::Match { pattern, group, value: attributes.piece_or("value", "") }
        }
        "edge" => RuleKind::Edge { branch: attributes.piece_or("branch", "").text },
        "ref" => RuleKind::Ref(attributes.choice(
            &attributes.required("event")?,
            "event",
            &[("branch", RefEvent::Branch), ("tag", RefEvent::Tag), ("pr", RefEvent::Pr)],
        )?),
        "raw" => RuleKind::Raw { value: attributes.required("value")? },
        "sha" => RuleKind::Sha {
            long: attributes.choice(
                &attributes.piece_or("format", "short"),
                "format",
                &[("short", false), ("long", true)],
            )?,
        },
        other => {
            let known = "the types are schedule, semver, pep440, match, edge, ref, raw and sha, in lower case";
            return Err(Wrong::new(format!("unknown type `{other}`"), name.range.clone()).hint(known));
        }
    })
}

/// Source: README of docker/metadata-action, "Priority attribute".
fn priority(kind: &RuleKind) -> f64 {
    match kind {
        RuleKind::Schedule { .. } => 1000.0,
        RuleKind::Semver(_) | RuleKind::Pep440(_) => 900.0,
        RuleKind::Match { .. } => 800.0,
        RuleKind::Edge { .. } => 700.0,
        RuleKind::Ref(_) => 600.0,
        RuleKind::Raw { .. } => 200.0,
        RuleKind::Sha { .. } => 100.0,
    }
}

#[cfg(test)]
mod tests;
