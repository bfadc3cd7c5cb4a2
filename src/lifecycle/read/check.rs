//! What must hold between the rules of a policy, for each storage class on its own.

use std::collections::BTreeMap;

use super::ecr::{Draft, Status};
use crate::lifecycle::policy::StorageClass;
use crate::tree::{Problem, Problems};

const ANY_LAST: &str = "Rule for tagStatus=ANY must have the lowest priority per storage class";
const ONE_UNTAGGED: &str = "Only one rule can select Untagged images per storage class";

/// Checks all rules, also those that are wrong for themselves, as far as they could be read.
pub(super) fn together(drafts: &[Draft], problems: &mut Problems) {
    priorities(drafts, problems);
    for storage in [StorageClass::Standard, StorageClass::Archive] {
        let of_class: Vec<&Draft> = drafts.iter().filter(|draft| draft.storage == Some(storage)).collect();
        any_last(&of_class, storage, problems);
        one_untagged(&of_class, storage, problems);
        unique_prefixes(&of_class, storage, problems);
    }
}

fn priorities(drafts: &[Draft], problems: &mut Problems) {
    let mut seen = BTreeMap::new();
    for (number, draft) in drafts.iter().enumerate() {
        let Some(priority) = &draft.priority else { continue };
        if let Some(first) = seen.get(&priority.value) {
            let message = format!("rulePriority {} is taken by `rules[{first}]` already", priority.value);
            problems.push(
                Problem::at(&priority.at, message).hint("every rule needs a number of its own; gaps are allowed"),
            );
        } else {
            seen.insert(priority.value, number);
        }
    }
}

fn any_last(drafts: &[&Draft], storage: StorageClass, problems: &mut Problems) {
    let last = drafts.iter().filter_map(|draft| draft.priority.as_ref()).map(|priority| priority.value).max();
    for draft in drafts {
        let (Some(status), Some(priority)) = (&draft.status, &draft.priority) else { continue };
        if let Some(last) = last.filter(|last| status.value == Status::Any && *last > priority.value) {
            let word = storage.word();
            let message = format!(
                "rule {} selects `any` {word} image, so its rulePriority must be the highest of all {word} rules, \
                 but there is a rule {last}",
                priority.value
            );
            let hint = format!("give it a number above {last}");
            problems.push(Problem::at(&priority.at, message).service(ANY_LAST).hint(hint));
        }
    }
}

fn one_untagged(drafts: &[&Draft], storage: StorageClass, problems: &mut Problems) {
    let untagged = drafts.iter().filter_map(|draft| draft.status.as_ref());
    for status in untagged.filter(|status| status.value == Status::Untagged).skip(1) {
        let message = format!("another rule selects the untagged {} images already", storage.word());
        problems.push(Problem::at(&status.at, message).service(ONE_UNTAGGED));
    }
}

/// Whether patterns are compared as well is not documented; see the warnings.
fn unique_prefixes(drafts: &[&Draft], storage: StorageClass, problems: &mut Problems) {
    let mut seen: Vec<&str> = Vec::new();
    for prefix in drafts.iter().flat_map(|draft| draft.prefixes.iter().flatten()) {
        if seen.contains(&prefix.value.as_str()) {
            let message =
                format!("prefix `{}` comes twice among the rules for {} images", prefix.value, storage.word());
            problems.push(Problem::at(&prefix.at, message).hint("every prefix may stand once in all rules together"));
        } else {
            seen.push(&prefix.value);
        }
    }
}
