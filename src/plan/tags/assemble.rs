//! From the texts that rules give to the tags of an image.

use std::collections::BTreeSet;

use super::DerivedTags;
use super::repair::{Repaired, repair};
use crate::pipeline::rule::{Flavor, LatestFlavor};
use crate::plan::{PlannedTag, SkippedRule};

/// What rules have given so far.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    given: Vec<Given>,
    skipped: Vec<SkippedRule>,
    /// Something was given, be it refused.
    any: bool,
    /// The first rule that had a say in it, and whether its type adds `latest`.
    latest: Option<(String, bool)>,
}

#[derive(Debug)]
struct Given {
    rule: String,
    why: String,
    tag: Repaired,
}

impl Assembly {
    /// A rule gives a text. A text that is refused is missing from the tags, but counts for `latest` as if it were there.
    /// `adds_latest` is what its type says of the tag `latest`, if it has a say in it.
    pub fn give(&mut self, rule: &str, text: &str, why: String, adds_latest: Option<bool>) {
        if let Some(adds_latest) = adds_latest {
            self.latest.get_or_insert_with(|| (rule.to_owned(), adds_latest));
        }
        self.any = true;
        match repair(text) {
            Ok(tag) => self.given.push(Given { rule: rule.to_owned(), why, tag }),
            Err(why) => self.skip(rule, why),
        }
    }

    /// A rule gives nothing.
    pub fn skip(&mut self, rule: &str, why: String) {
        self.skipped.push(SkippedRule { rule: rule.to_owned(), why });
    }

    /// The tags, each once with the first rule that gave it.
    pub fn finish(mut self, flavor: &Flavor) -> DerivedTags {
        if self.any
            && let Some((rule, why)) = self.latest_rule(flavor)
        {
            let before = if flavor.prefix.on_latest { flavor.prefix.template.text.as_str() } else { "" };
            let after = if flavor.suffix.on_latest { flavor.suffix.template.text.as_str() } else { "" };
            // The affixes of `latest` are not filled in: neither does docker/metadata-action.
            self.give(&rule, &format!("{before}latest{after}"), why, None);
        }
        let (mut tags, mut seen) = (Vec::new(), BTreeSet::new());
        for at in 0..self.given.len() {
            let Given { rule, why, tag: Repaired { tag, repair, .. } } = &self.given[at];
            if let Some(other) = self.other_meaning(at) {
                let why = format!("it would have to become `{tag}`, and so would `{other}`");
                self.skipped.push(SkippedRule { rule: rule.clone(), why });
                continue;
            }
            if !seen.insert(tag) {
                continue;
            }
            let why = match repair {
                Some(repair) => format!("{why}; {repair}, because no registry accepts it otherwise"),
                None => why.clone(),
            };
            tags.push(PlannedTag { tag: tag.clone(), rule: rule.clone(), why });
        }
        DerivedTags { tags, skipped: self.skipped }
    }

    /// The rule that adds the tag `latest`, and why, if one does.
    fn latest_rule(&self, flavor: &Flavor) -> Option<(String, String)> {
        match (flavor.latest, &self.latest) {
            (LatestFlavor::Always, _) => {
                Some(("latest=true".to_owned(), "the flavor adds it to any other tag".to_owned()))
            }
            (LatestFlavor::Auto, Some((rule, true))) => {
                Some((rule.clone(), "the first rule that gives a tag, and its type adds `latest`".to_owned()))
            }
            _ => None,
        }
    }

    /// Another text that the same tag would stand for, if this one had to be repaired to become it.
    fn other_meaning(&self, at: usize) -> Option<&str> {
        let Given { tag: Repaired { tag, clean, repair }, .. } = &self.given[at];
        repair.as_ref()?;
        let others = self.given.iter().map(|given| &given.tag);
        others.into_iter().find(|other| other.tag == *tag && other.clean != *clean).map(|other| other.clean.as_str())
    }
}
