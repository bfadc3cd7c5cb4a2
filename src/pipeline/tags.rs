//! `tags:`, the rules that give an image its tags, and `flavor:`, what holds for all of them.

use super::problems::Problems;
use super::read::Field;
use super::{FlavorLines, Preset, TagRule, TagRuleKind, rule};
use crate::names::nearest;

/// The rules of an image that gives none, and has none from `defaults`.
pub(super) const DEFAULT: [Preset; 3] = [Preset::Semver, Preset::Sha, Preset::Env];

/// Reads one rule, or a list of them.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<TagRule>> {
    let items = field.items_or_single(problems)?;
    if items.is_empty() {
        let hint = "name at least one tag, or leave the field out for `[semver, sha, env]`";
        problems.error_with_hint(field.key, format!("`{}` is empty", field.path), hint);
    }
    Some(items.iter().filter_map(|item| read_rule(item, problems)).collect())
}

fn read_rule(item: &Field<'_>, problems: &mut Problems) -> Option<TagRule> {
    let text = item.text(problems)?;
    let place = Some(problems.place(item.span()));
    if let Some(preset) = Preset::ALL.into_iter().find(|preset| preset.word() == text) {
        return Some(TagRule { kind: TagRuleKind::Preset(preset), place });
    }
    if text.contains('=') {
        return match rule::parse(text) {
            Ok(rule) => Some(TagRule { kind: TagRuleKind::Rule(Box::new(rule)), place }),
            Err(wrong) => {
                problems.add(wrong.in_rule(text, place.as_ref()));
                None
            }
        };
    }
    let tag = item.name(problems)?;
    // In a short word one letter makes another word, and in a long one it makes a typing error.
    let typed = Preset::ALL.map(Preset::word).into_iter().filter(|word| word.len() > 4);
    if let Some(word) = nearest(text, typed) {
        let message = format!("`{text}` is taken as a tag as it stands");
        problems.warn(item.span(), message, format!("did you mean the preset `{word}`?"));
    }
    Some(TagRule { kind: TagRuleKind::Literal(tag), place })
}

/// Reads the flavor, one line or a list of them.
pub(super) fn read_flavor(field: &Field<'_>, problems: &mut Problems) -> Option<FlavorLines> {
    let mut read = FlavorLines::default();
    for item in field.items_or_single(problems)? {
        let Some(text) = item.text(problems) else { continue };
        let place = problems.place(item.span());
        for line in rule::lines(text) {
            match read.flavor.add(line, Some(&place)) {
                Ok(()) => read.lines.push(line.to_owned()),
                Err(wrong) => problems.add(wrong.in_flavor(line, Some(&place))),
            }
        }
    }
    Some(read)
}
