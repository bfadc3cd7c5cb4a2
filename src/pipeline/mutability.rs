//! `tag_mutability:`, which tags of a repository may move.

use super::fields::Schema;
use super::node::Value;
use super::problems::Problems;
use super::read::Field;
use super::span::Span;
use super::{Mutability, TagMutability};

/// Limits of ECR's tag mutability exclusion filters. Source: ECR API, `ImageTagMutabilityExclusionFilter`.
const MAX_PATTERNS: usize = 5;
const MAX_PATTERN_LENGTH: usize = 128;
const MAX_STARS: usize = 2;

pub(super) const SCHEMA: Schema =
    Schema { expected: "a mode or a map", fields: &[("mode", &[]), ("except", &[])], unsupported: &[] };

/// The mutability as one place of the file gives it.
#[derive(Debug, Clone, Default)]
pub(super) struct MutabilityPart {
    at: Option<Span>,
    mode: Option<Mutability>,
    mode_is_broken: bool,
    except: Option<Except>,
}

/// What is excepted.
#[derive(Debug, Clone, PartialEq)]
enum Except {
    /// Whatever moves by its rule.
    Auto,
    /// These.
    Patterns(Vec<String>),
}

impl MutabilityPart {
    /// Reads a mode, or a map.
    pub fn read(field: &Field<'_>, problems: &mut Problems) -> Self {
        let at = Some(field.key);
        if matches!(field.node.value, Value::Text(_)) {
            let mode = mode(field, problems);
            return MutabilityPart { at, mode, mode_is_broken: mode.is_none(), except: None };
        }
        let Some(fields) = SCHEMA.read(field, problems) else { return Self::default() };
        let mode = fields.read("mode", problems, mode);
        MutabilityPart {
            at,
            mode,
            mode_is_broken: mode.is_none() && fields.get("mode").is_some(),
            except: fields.read("except", problems, except),
        }
    }

    /// This part, with the other for whatever it leaves open. Exceptions go with their mode, because under
    /// the other mode they would mean the opposite.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        let same = !self.mode_is_broken && (self.mode.is_none() || self.mode == base.mode);
        MutabilityPart {
            at: self.at.or(base.at),
            mode: self.mode.or(base.mode),
            mode_is_broken: self.mode_is_broken || (self.mode.is_none() && base.mode_is_broken),
            except: self.except.or(base.except.filter(|_| same)),
        }
    }

    /// Whether the exceptions follow from the tag rules.
    pub fn is_auto(&self) -> bool {
        self.except == Some(Except::Auto) && self.mode != Some(Mutability::Mutable)
    }

    /// Whether a mode is given.
    pub fn is_stated(&self) -> bool {
        self.mode.is_some() || self.is_auto()
    }

    /// The mutability; exceptions need a mode to be exceptions from.
    pub fn finish(self, problems: &mut Problems) -> TagMutability {
        let auto = self.is_auto();
        let except = match self.except {
            Some(Except::Patterns(patterns)) => patterns,
            Some(Except::Auto) if self.mode == Some(Mutability::Mutable) => {
                if let Some(at) = self.at {
                    let message = "`except: auto` lets tags move, and goes with `mode: IMMUTABLE`";
                    problems.error_with_hint(
                        at,
                        message,
                        "name the tags that shall not move, as in `except: [\"v*\"]`",
                    );
                }
                Vec::new()
            }
            // Filled in from the tag rules, when all of them are read.
            Some(Except::Auto) | None => Vec::new(),
        };
        if let (Some(at), None, false, false) = (self.at, self.mode, self.mode_is_broken, except.is_empty()) {
            let message = "`tag_mutability` has exceptions, but no `mode` that they are exceptions from";
            problems.error_with_hint(at, message, "write `mode: IMMUTABLE` to let these tags alone move");
        }
        let mode = self.mode.unwrap_or(if auto { Mutability::Immutable } else { Mutability::Mutable });
        TagMutability { mode, except }
    }
}

fn mode(field: &Field<'_>, problems: &mut Problems) -> Option<Mutability> {
    let text = field.text(problems)?;
    match text.to_ascii_uppercase().as_str() {
        "MUTABLE" => Some(Mutability::Mutable),
        "IMMUTABLE" => Some(Mutability::Immutable),
        word => {
            let message = format!("`{}` must be `MUTABLE` or `IMMUTABLE`, not `{text}`", field.path);
            match word.strip_suffix("_WITH_EXCLUSION") {
                Some(mode @ ("MUTABLE" | "IMMUTABLE")) => {
                    let hint = format!("write `{{ mode: {mode}, except: [latest] }}`, with patterns of your own");
                    problems.error_with_hint(field.span(), message, hint);
                }
                _ => problems.error(field.span(), message),
            }
            None
        }
    }
}

fn except(field: &Field<'_>, problems: &mut Problems) -> Option<Except> {
    match &field.node.value {
        Value::Text(word) if word == "auto" => Some(Except::Auto),
        _ => patterns(field, problems).map(Except::Patterns),
    }
}

fn patterns(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let items = field.items_or_single(problems)?;
    if items.len() > MAX_PATTERNS {
        let message = format!("`{}` has {} patterns, ECR allows {MAX_PATTERNS}", field.path, items.len());
        problems.error(field.key, message);
    }
    let mut patterns = Vec::new();
    for item in items {
        let Some(text) = item.text(problems) else { continue };
        if let Some(problem) = problem(text) {
            problems.error(item.span(), format!("`{}`: `{text}` is not a tag pattern: {problem}", item.path));
        } else if patterns.iter().any(|known| known == text) {
            problems.error(item.span(), format!("`{}` gives `{text}` again", item.path));
        } else {
            patterns.push(text.to_owned());
        }
    }
    Some(patterns)
}

fn problem(pattern: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '*' | '-');
    let stars = pattern.matches('*').count();
    if let Some(odd) = pattern.chars().find(|c| !legal(*c)) {
        return Some(format!("it contains {odd:?}; letters, digits, `.`, `_`, `-` and `*` are allowed"));
    }
    if pattern.len() > MAX_PATTERN_LENGTH {
        return Some(format!("it has {} characters, the limit is {MAX_PATTERN_LENGTH}", pattern.len()));
    }
    (stars > MAX_STARS).then(|| format!("it has {stars} `*`, the limit is {MAX_STARS}"))
}
