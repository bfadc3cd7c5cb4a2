//! ECR's own form. Source: ECR user guide, "Lifecycle policy properties"; ECR's own messages.

use super::check;
use super::{MAX_RULES, NOT_JSON, too_many_rules};
use crate::lifecycle::pattern::MAX_STARS;
use crate::lifecycle::policy::{Action, Count, Rule, StorageClass, TagSelection};
use crate::tree::{At, Member, Members, Node, Placed, Problem, Problems, Value};

const SELECTION: [&str; 7] =
    ["tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber"];

/// ECR's words for a count type and unit that do not go together.
const NO_SCHEMA: &str = "instance failed to match exactly one schema (matched 0 out of 2)";
const NO_LIST: &str = "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.";

/// The least days that an image must be in the archive before it can be expired from there.
const MIN_ARCHIVED_DAYS: u32 = 90;

/// A rule as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub priority: Option<Placed<u32>>,
    pub status: Option<Placed<Status>>,
    /// The count's type, with a number that means nothing.
    pub kind: Option<Count>,
    /// `None` if it was given and could not be read.
    pub storage: Option<StorageClass>,
    pub prefixes: Option<Vec<Placed<String>>>,
    pub patterns: Option<Vec<Placed<String>>>,
}

/// `tagStatus`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Tagged,
    Untagged,
    Any,
}

type MakeCount = fn(u32) -> Count;

/// Reads all rules; those that are wrong are left out.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Vec<(Rule, At)> {
    if node.entries().is_none() {
        let kind = node.value.kind();
        if node.value != Value::Broken {
            let problem = Problem::at(&node.at, format!("a policy must be an object with `rules`, not {kind}"));
            problems.push(problem.service(NOT_JSON));
        }
        return Vec::new();
    }
    let Some(root) = Members::of(node, String::new(), &["rules"], problems) else { return Vec::new() };
    let Some(list) = root.required("rules", problems) else { return Vec::new() };
    let Value::List(items) = &list.node.value else {
        list.wrong("a list of rules", problems);
        return Vec::new();
    };
    if items.is_empty() {
        problems.push(Problem::at(list.at(), "the policy has no rules").hint("to have none, delete the policy"));
    } else if items.len() > MAX_RULES {
        problems.push(too_many_rules(list.at(), items.len()));
    }
    let mut rules = Vec::new();
    let mut drafts = Vec::new();
    for (number, node) in items.iter().enumerate() {
        let mut draft = Draft::default();
        let rule = rule(node, &format!("rules[{number}]"), &mut draft, problems);
        rules.extend(rule.map(|rule| (rule, node.at.clone())));
        drafts.push(draft);
    }
    check::together(&drafts, problems);
    rules
}

fn rule(node: &Node, path: &str, draft: &mut Draft, problems: &mut Problems) -> Option<Rule> {
    let known = ["rulePriority", "description", "selection", "action"];
    let members = Members::of(node, path.to_owned(), &known, problems)?;
    draft.priority = members.required("rulePriority", problems).and_then(|member| member.number(problems));
    let description = members.get("description").map(|member| member.text(problems));
    let selection = members.required("selection", problems);
    let selection = selection.and_then(|member| selection_of(&member, draft, problems));
    let action = members.required("action", problems).and_then(|member| action_of(&member, problems));
    if let (Some(kind), Some(action)) = (draft.kind, &action) {
        check_action(kind, action, problems);
    }
    let (tags, count) = selection?;
    Some(Rule {
        priority: draft.priority.as_ref()?.value,
        description: match description {
            None => None,
            Some(text) => Some(text?.value.to_owned()),
        },
        tags,
        count,
        action: action?.value,
    })
}

fn selection_of(member: &Member<'_>, draft: &mut Draft, problems: &mut Problems) -> Option<(TagSelection, Count)> {
    let members = Members::of(member.node, member.path.clone(), &SELECTION, problems)?;
    let tags = tags_of(&members, draft, problems);
    let words = [("standard", StorageClass::Standard), ("archive", StorageClass::Archive)];
    let storage = members.get("storageClass").map(|member| member.word(&words, problems));
    draft.storage = match &storage {
        None => Some(StorageClass::Standard),
        Some(storage) => storage.as_ref().map(|storage| storage.value),
    };
    let count = count_of(&members, member, storage, draft, problems);
    Some((tags?, count?))
}

fn tags_of(members: &Members<'_>, draft: &mut Draft, problems: &mut Problems) -> Option<TagSelection> {
    let words = [("tagged", Status::Tagged), ("untagged", Status::Untagged), ("any", Status::Any)];
    draft.status = members.required("tagStatus", problems).and_then(|member| member.word(&words, problems));
    let lists = (members.get("tagPrefixList"), members.get("tagPatternList"));
    draft.prefixes = lists.0.as_ref().and_then(|member| member.texts(problems)).map(|texts| texts.value);
    draft.patterns = lists.1.as_ref().and_then(|member| member.texts(problems)).map(|texts| texts.value);
    let before = problems.len();
    for pattern in draft.patterns.iter().flatten() {
        check_stars(pattern, problems);
    }
    let status = draft.status.as_ref()?;
    match (status.value, &lists) {
        (Status::Untagged | Status::Any, (prefixes, patterns)) => {
            let word = if status.value == Status::Any { "any" } else { "untagged" };
            for list in [prefixes, patterns].into_iter().flatten() {
                let message = format!("`{}` goes with `tagStatus: tagged` only, and it is `{word}`", list.path);
                problems.push(Problem::at(list.at(), message));
            }
        }
        (Status::Tagged, (None, None)) => {
            let message = "a rule for tagged images needs `tagPrefixList` or `tagPatternList`";
            let hint = "write `\"tagPatternList\": [\"*\"]` for every tag";
            problems.push(Problem::at(&status.at, message).service(NO_LIST).hint(hint));
        }
        (Status::Tagged, (Some(_), Some(patterns))) => {
            let message = "a rule takes either `tagPrefixList` or `tagPatternList`, not both";
            problems.push(Problem::at(patterns.at(), message).hint("write a rule for each"));
        }
        (Status::Tagged, (Some(list), None) | (None, Some(list))) => {
            if draft.prefixes.iter().chain(&draft.patterns).any(Vec::is_empty) {
                problems.push(Problem::at(list.at(), format!("`{}` is empty", list.path)).service(NO_LIST));
            }
        }
    }
    if problems.len() > before {
        return None;
    }
    let texts = |list: &[Placed<String>]| list.iter().map(|text| text.value.clone()).collect();
    match (status.value, &draft.prefixes, &draft.patterns) {
        (Status::Any, ..) => Some(TagSelection::Any),
        (Status::Untagged, ..) => Some(TagSelection::Untagged),
        (Status::Tagged, Some(prefixes), _) => Some(TagSelection::Prefixes(texts(prefixes))),
        (Status::Tagged, _, Some(patterns)) => Some(TagSelection::Patterns(texts(patterns))),
        (Status::Tagged, None, None) => None,
    }
}

pub(super) fn check_stars(pattern: &Placed<String>, problems: &mut Problems) {
    let stars = pattern.value.matches('*').count();
    if stars > MAX_STARS {
        let message = format!("pattern `{}` has {stars} `*`, ECR takes at most {MAX_STARS}", pattern.value);
        problems.push(Problem::at(&pattern.at, message));
    }
}

fn count_of(
    members: &Members<'_>,
    selection: &Member<'_>,
    storage: Option<Option<Placed<StorageClass>>>,
    draft: &mut Draft,
    problems: &mut Problems,
) -> Option<Count> {
    let words: [(&str, MakeCount); 4] = [
        ("imageCountMoreThan", Count::MoreThan),
        ("sinceImagePushed", Count::SincePushed),
        ("sinceImagePulled", Count::SincePulled),
        ("sinceImageTransitioned", Count::SinceTransitioned),
    ];
    let kind = members.required("countType", problems).and_then(|member| member.word(&words, problems));
    let unit = members.get("countUnit");
    let unit_is_days = unit.as_ref().is_none_or(|unit| unit.word(&[("days", ())], problems).is_some());
    let number = members.required("countNumber", problems).and_then(|member| member.number(problems));
    let kind = kind?;
    let since = (kind.value)(1);
    draft.kind = Some(since);
    let word = since.word();
    let mut good = unit_is_days;
    let mut wrong = |problem: Problem| {
        good = false;
        problems.push(problem);
    };
    match (since, &unit) {
        (Count::MoreThan(_), Some(unit)) => {
            wrong(Problem::at(unit.at(), format!("`countUnit` does not go with `{word}`")).service(NO_SCHEMA));
        }
        (Count::SincePushed(_) | Count::SincePulled(_) | Count::SinceTransitioned(_), None) => {
            let problem = Problem::at(&kind.at, format!("`{word}` needs `countUnit`")).service(NO_SCHEMA);
            wrong(problem.hint("write `\"countUnit\": \"days\"` beside it"));
        }
        _ => {}
    }
    let storage = match storage {
        None => Placed { value: StorageClass::Standard, at: kind.at.clone() },
        Some(storage) => storage?,
    };
    match (since, storage.value) {
        (Count::SinceTransitioned(_), StorageClass::Standard) => {
            let message = format!("`{word}` is for archived images and needs `storageClass: archive`");
            wrong(Problem::at(&storage.at, message).hint(format!("write it in `{}`", selection.path)));
        }
        (Count::MoreThan(_) | Count::SincePushed(_) | Count::SincePulled(_), StorageClass::Archive) => {
            let message = format!("`storageClass: archive` goes with `sinceImageTransitioned` only, not with `{word}`");
            wrong(Problem::at(&storage.at, message));
        }
        _ => {}
    }
    let number = number?;
    if matches!(since, Count::SinceTransitioned(_)) && number.value < MIN_ARCHIVED_DAYS {
        let message = format!(
            "`{word}` must be at least {MIN_ARCHIVED_DAYS} days, not {}; those are billed anyway",
            number.value
        );
        wrong(Problem::at(&number.at, message));
    }
    good.then(|| (kind.value)(number.value))
}

fn action_of(member: &Member<'_>, problems: &mut Problems) -> Option<Placed<Action>> {
    let members = Members::of(member.node, member.path.clone(), &["type", "targetStorageClass"], problems)?;
    let words = [("expire", Action::Expire), ("transition", Action::Archive)];
    let kind = members.required("type", problems).and_then(|member| member.word(&words, problems));
    let target = members.get("targetStorageClass");
    let target_is_archive = target.as_ref().is_none_or(|target| target.word(&[("archive", ())], problems).is_some());
    let kind = kind?;
    match (kind.value, target) {
        (Action::Expire, Some(target)) => {
            let message = "`targetStorageClass` goes with the action `transition` only";
            problems.push(Problem::at(target.at(), message));
            return None;
        }
        (Action::Archive, None) => {
            let message = "the action `transition` needs `targetStorageClass`";
            problems.push(Problem::at(&kind.at, message).hint("write `\"targetStorageClass\": \"archive\"` beside it"));
            return None;
        }
        _ => {}
    }
    target_is_archive.then_some(kind)
}

fn check_action(kind: Count, action: &Placed<Action>, problems: &mut Problems) {
    match (kind, action.value) {
        (Count::SincePulled(_), Action::Expire) => {
            let message = "`sinceImagePulled` goes with the action `transition` only";
            let hint = "archive what nobody pulls, and expire it from there by `sinceImageTransitioned`";
            problems.push(Problem::at(&action.at, message).hint(hint));
        }
        (Count::SinceTransitioned(_), Action::Archive) => {
            let message = "`sinceImageTransitioned` goes with the action `expire` only";
            problems.push(Problem::at(&action.at, message));
        }
        _ => {}
    }
}
