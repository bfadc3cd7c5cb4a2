//! Tags from rules and facts, each with its reason; a rule that lacks a fact gives none and says so.
//!
//! There is one engine: the grammar of docker/metadata-action, in which the presets are written too.

mod assemble;
mod evaluate;
mod moment;
mod order;
mod pep440;
mod presets;
mod regex;
mod repair;
mod semver;
mod subject;
mod template;

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::facts::Facts;
use crate::names::Tag;
use crate::pipeline::rule::{self, Flavor, Piece, Rule};
use crate::pipeline::{Image, TagRule, TagRuleKind};

use super::environment::Chosen;
use super::{PlannedTag, SkippedRule};
use assemble::Assembly;
use evaluate::{Outcome, evaluate};
use presets::{Condition, PresetRule};
use subject::Subject;

/// What the rules of one image came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DerivedTags {
    /// In the order of priority, without repetitions; the first is the image's version.
    pub tags: Vec<PlannedTag>,
    /// The rules that gave no tag.
    pub skipped: Vec<SkippedRule>,
}

/// What an image's tags are made by.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// In the order of the file.
    pub rules: &'a [TagRule],
    /// What holds for all of them.
    pub flavor: &'a Flavor,
    /// What stands before the version in this image's git tags.
    pub tag_prefix: &'a str,
}

impl<'a> Rules<'a> {
    /// The rules of an image.
    pub fn of(image: &'a Image) -> Self {
        Rules {
            rules: &image.tags,
            flavor: &image.flavor.flavor,
            tag_prefix: image.tag_prefix.as_deref().unwrap_or_default(),
        }
    }
}

/// A text as a tag, repaired where need be; none if nothing is left of it.
pub(super) fn tag_of(text: &str) -> Option<Tag> {
    repair::repair(text).ok().map(|repaired| repaired.tag)
}

/// Applies an image's tag rules.
///
/// Rules of the grammar come in the order of their priorities. A word keeps its place in the list.
///
/// # Errors
/// If a template or a regular expression that is needed is broken; of every rule the first such fault.
pub fn derive(rules: &Rules<'_>, facts: &Facts, environment: &Chosen) -> Result<DerivedTags, Diagnostics> {
    let subject = Subject::new(facts, rules.tag_prefix);
    let mut assembly = Assembly::default();
    let mut faults = Vec::new();
    for rule in in_order(rules.rules) {
        let result = match &rule.kind {
            TagRuleKind::Rule(parsed) => apply(parsed, rule.place.as_ref(), rules.flavor, &subject, &mut assembly),
            TagRuleKind::Literal(tag) => {
                let text = format!("type=raw,value={tag}");
                let why = "written in the pipeline file".to_owned();
                let only = PresetRule { text, condition: Condition::None, why: Some(why) };
                apply_word(tag.as_str(), &[only], rules.flavor, &subject, &mut assembly)
            }
            TagRuleKind::Preset(preset) => match presets::rules(*preset, environment) {
                Ok(found) => apply_word(preset.word(), &found, rules.flavor, &subject, &mut assembly),
                Err(why) => {
                    assembly.skip(preset.word(), why);
                    Ok(())
                }
            },
        };
        faults.extend(result.err());
    }
    Diagnostics::check(faults)?;
    Ok(assembly.finish(rules.flavor))
}

/// A text with its templates filled in, as for a label.
///
/// # Errors
/// If its template is broken.
pub fn fill_in(text: &str, facts: &Facts) -> Result<String, Diagnostic> {
    let piece = Piece { text: text.to_owned(), range: 0..text.len() };
    let rendered = evaluate::render(&piece, &Subject::new(facts, ""));
    rendered.map_err(|wrong| Diagnostic::input(format!("`{text}`: {}", wrong.message)).hint_maybe(wrong.hint))
}

/// The rules in the order of priority, with the words among them in their places.
fn in_order(rules: &[TagRule]) -> Vec<&TagRule> {
    let parsed = |rule: &TagRule| match &rule.kind {
        TagRuleKind::Rule(parsed) => Some(parsed.priority),
        TagRuleKind::Preset(_) | TagRuleKind::Literal(_) => None,
    };
    let mut sorted: Vec<&TagRule> = rules.iter().filter(|rule| parsed(rule).is_some()).collect();
    order::by_priority(&mut sorted, |rule| parsed(rule).unwrap_or_default());
    let mut sorted = sorted.into_iter();
    rules.iter().map(|rule| if parsed(rule).is_some() { sorted.next().unwrap_or(rule) } else { rule }).collect()
}

fn apply(
    rule: &Rule,
    place: Option<&Place>,
    flavor: &Flavor,
    subject: &Subject<'_>,
    assembly: &mut Assembly,
) -> Result<(), Diagnostic> {
    match evaluate(rule, place, flavor, subject)? {
        Outcome::Given { text, why, adds_latest } => assembly.give(&rule.text, &text, why, Some(adds_latest)),
        Outcome::Skipped(why) => assembly.skip(&rule.text, why),
    }
    Ok(())
}

/// Applies the rules that a word stands for. The word is skipped if none of them gives a tag, for the first's reason.
fn apply_word(
    word: &str,
    rules: &[PresetRule],
    flavor: &Flavor,
    subject: &Subject<'_>,
    assembly: &mut Assembly,
) -> Result<(), Diagnostic> {
    let mut why_not = None;
    let mut given = false;
    for PresetRule { text, condition, why } in rules {
        let parsed = rule::parse(text).map_err(|wrong| wrong.in_rule(text, None))?;
        let seen = match condition.check(subject) {
            Ok(seen) => seen,
            Err(why) => {
                why_not.get_or_insert(why);
                continue;
            }
        };
        match evaluate(&parsed, None, flavor, subject)? {
            Outcome::Given { text, why: made_from, .. } => {
                given = true;
                let why = why.clone().or(seen).unwrap_or(made_from);
                // A word says all that it gives, so it never adds `latest` by itself.
                assembly.give(word, &text, why, None);
            }
            Outcome::Skipped(why) => {
                why_not.get_or_insert(why);
            }
        }
    }
    if let Some(why) = why_not.filter(|_| !given) {
        assembly.skip(word, why);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
