//! `tags:`, the rules that give an image its tags.

use super::problems::Problems;
use super::read::Field;
use super::suggest::nearest;
use super::{Preset, TagRule, TagRuleKind};

/// The rules of an image that gives none, and has none from `defaults`.
pub(super) const DEFAULT: [Preset; 3] = [Preset::Semver, Preset::Sha, Preset::Env];

/// Reads one rule, or a list of them.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<TagRule>> {
    let items = field.items_or_single(problems)?;
    if items.is_empty() {
        let hint = "name at least one tag, or leave the field out for `[semver, sha, env]`";
        problems.error_with_hint(field.key, format!("`{}` is empty", field.path), hint);
    }
    Some(items.iter().filter_map(|item| rule(item, problems)).collect())
}

fn rule(item: &Field<'_>, problems: &mut Problems) -> Option<TagRule> {
    let text = item.text(problems)?;
    let place = Some(problems.place(item.span()));
    if let Some(preset) = Preset::ALL.into_iter().find(|preset| preset.word() == text) {
        return Some(TagRule { kind: TagRuleKind::Preset(preset), place });
    }
    if text.contains('=') {
        problems.error_with_hint(
            item.span(),
            format!("`{}`: the rule `{text}` is in the grammar of docker/metadata-action", item.path),
            format!("this version knows plain tags and {}; such rules come with a later one", words()),
        );
        return None;
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

fn words() -> String {
    Preset::ALL.map(|preset| format!("`{}`", preset.word())).join(", ")
}
