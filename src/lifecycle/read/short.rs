//! The short form: a list of wishes, and the rules of ECR that mean them.
//!
//! A list of prefixes or patterns means any of them, as people expect; in ECR one rule with several means all of them at
//! once, so each gets a rule of its own. Protection comes before everything else: ECR leaves an image alone that a
//! higher rule matches, whether or not that rule takes it. A wish for all images comes last, as ECR demands; the others
//! keep their order.

use super::check;
use super::ecr::{Draft, Status, check_stars};
use super::{MAX_RULES, too_many_rules};
use crate::lifecycle::policy::{Action, Count, Rule, StorageClass, TagSelection};
use crate::tree::{At, Member, Members, Node, Placed, Problem, Problems, Value};

const VERBS: [&str; 6] = [
    "keep_last",
    "expire_untagged_after",
    "expire_after",
    "archive_unpulled_after",
    "expire_archived_after",
    "protect",
];
/// The fields of an entry.
pub const FIELDS: [&str; 8] = [VERBS[0], VERBS[1], VERBS[2], VERBS[3], VERBS[4], VERBS[5], "tag_prefix", "tag_pattern"];

/// More images than a repository can hold: its quota is 100,000 unless AWS raises it. Source: ECR user guide, "Service
/// quotas". A rule that keeps so many takes none.
const ALL_IMAGES: u32 = 1_000_000;
/// More days than an image can have been archived.
const ALL_DAYS: u32 = 1_000_000;
/// See the ECR form: images stay in the archive for so many days at least.
const MIN_ARCHIVED_DAYS: u32 = 90;

/// Whether this is a field of the short form.
pub(super) fn is_known(key: &str) -> bool {
    FIELDS.contains(&key)
}

/// Which images a wish is about.
#[derive(Clone)]
enum Tags {
    Any,
    Untagged,
    Prefixes(Vec<Placed<String>>),
    Patterns(Vec<Placed<String>>),
}

/// A rule without its number.
struct Wish {
    at: At,
    tags: TagSelection,
    /// The one entry of the list, if there is one.
    entry: Option<Placed<String>>,
    count: Count,
    action: Action,
    description: String,
}

/// Reads the wishes and makes rules of them; those that are wrong are left out.
pub(super) fn read(items: &[Node], at: &At, problems: &mut Problems) -> Vec<(Rule, At)> {
    let before = problems.len();
    let (mut wishes, mut protected) = (Vec::new(), Vec::new());
    if items.is_empty() {
        problems.push(Problem::at(at, "the policy has no rules").hint("leave it out, or name what shall go"));
    }
    for (number, node) in items.iter().enumerate() {
        let path = if items.len() == 1 { String::new() } else { format!("[{number}]") };
        if node.get("rulePriority").is_some() {
            let message = "rules in ECR's own form stand in a map under `rules`";
            problems.push(Problem::at(&node.at, message).hint("write `{ rules: [ … ] }`"));
            continue;
        }
        item(node, path, &mut wishes, &mut protected, problems);
    }
    let archive = wishes.iter().any(|wish| matches!(wish.count, Count::SinceTransitioned(_)));
    let mut rules = protection(&protected, archive);
    let (last, first): (Vec<Wish>, Vec<Wish>) = wishes.into_iter().partition(|wish| wish.tags == TagSelection::Any);
    rules.extend(first);
    rules.extend(last);
    if rules.len() > MAX_RULES {
        problems.push(too_many_rules(at, rules.len()));
    }
    together(&rules, problems);
    if problems.len() > before {
        return Vec::new();
    }
    let numbered = rules.into_iter().zip(1..).map(|(wish, priority)| {
        let description = Some(wish.description);
        (Rule { priority, description, tags: wish.tags, count: wish.count, action: wish.action }, wish.at)
    });
    numbered.collect()
}

fn item(
    node: &Node,
    path: String,
    wishes: &mut Vec<Wish>,
    protected: &mut Vec<Placed<String>>,
    problems: &mut Problems,
) {
    let before = problems.len();
    let Some(members) = Members::of(node, path, &FIELDS, problems) else { return };
    let mut verbs = VERBS.iter().filter_map(|verb| Some((*verb, members.get(verb)?)));
    let (verb, member) = match (verbs.next(), verbs.next()) {
        (Some(verb), None) => verb,
        (Some((first, _)), Some((second, member))) => {
            let message = format!("one entry says both `{first}` and `{second}`");
            return problems.push(Problem::at(member.at(), message).hint("write an entry for each"));
        }
        (None, _) => {
            if problems.len() == before {
                let listed: Vec<String> = VERBS.iter().map(|verb| format!("`{verb}`")).collect();
                let hint = format!("write one of {}", listed.join(", "));
                problems.push(Problem::at(&node.at, "this entry does not say what shall happen").hint(hint));
            }
            return;
        }
    };
    let tags = tags(&members, problems);
    match verb {
        "protect" => {
            no_tags(verb, &members, problems);
            let patterns = texts(&member, problems);
            patterns.iter().for_each(|pattern| check_stars(pattern, problems));
            protected.extend(patterns);
        }
        "keep_last" => {
            let (Some(number), Some(tags)) = (number(&member, problems), tags) else { return };
            if let Tags::Prefixes(texts) | Tags::Patterns(texts) = &tags
                && let Some(second) = texts.get(1)
            {
                let message = "`keep_last` with several prefixes or patterns cannot be said to ECR";
                let hint = format!("write an entry for each, which keeps {number} of each");
                return problems.push(Problem::at(&second.at, message).hint(hint));
            }
            let what = format!("keep the last {number}");
            wishes.extend(each(&node.at, &tags, Count::MoreThan(number), Action::Expire, &what));
        }
        "expire_untagged_after" => {
            no_tags(verb, &members, problems);
            let Some(days) = days(&member, problems) else { return };
            let count = Count::SincePushed(days);
            wishes.extend(each(&node.at, &Tags::Untagged, count, Action::Expire, &format!("expire after {days}d")));
        }
        _ => {
            let (Some(days), Some(tags)) = (days(&member, problems), tags) else { return };
            let (count, action, what) = match verb {
                "expire_after" => (Count::SincePushed(days), Action::Expire, format!("expire after {days}d")),
                "archive_unpulled_after" => {
                    (Count::SincePulled(days), Action::Archive, format!("archive unpulled after {days}d"))
                }
                _ => {
                    if days < MIN_ARCHIVED_DAYS {
                        let message =
                            format!("`{verb}` must be at least {MIN_ARCHIVED_DAYS}d, which are billed anyway");
                        return problems.push(Problem::at(member.at(), message));
                    }
                    (Count::SinceTransitioned(days), Action::Expire, format!("expire archived after {days}d"))
                }
            };
            wishes.extend(each(&node.at, &tags, count, action, &what));
        }
    }
}

/// A rule for each prefix or pattern.
fn each(at: &At, tags: &Tags, count: Count, action: Action, what: &str) -> Vec<Wish> {
    let one = |tags: TagSelection, entry: Option<&Placed<String>>, of: &str| Wish {
        at: at.clone(),
        tags,
        entry: entry.cloned(),
        count,
        action,
        description: if of.is_empty() { what.to_owned() } else { format!("{what}: {of}") },
    };
    match tags {
        Tags::Any => vec![one(TagSelection::Any, None, "")],
        Tags::Untagged => vec![one(TagSelection::Untagged, None, "untagged")],
        Tags::Prefixes(prefixes) => prefixes
            .iter()
            .map(|text| one(TagSelection::Prefixes(vec![text.value.clone()]), Some(text), &format!("{}*", text.value)))
            .collect(),
        Tags::Patterns(patterns) => patterns
            .iter()
            .map(|text| one(TagSelection::Patterns(vec![text.value.clone()]), Some(text), &text.value))
            .collect(),
    }
}

/// Rules that match and never take. Each storage class has its rules, so the archive needs its own wherever a rule
/// looks there.
fn protection(protected: &[Placed<String>], archive: bool) -> Vec<Wish> {
    let counts = [Some(Count::MoreThan(ALL_IMAGES)), archive.then_some(Count::SinceTransitioned(ALL_DAYS))];
    let rule = |text: &Placed<String>, count: Count| Wish {
        at: text.at.clone(),
        tags: TagSelection::Patterns(vec![text.value.clone()]),
        entry: Some(text.clone()),
        count,
        action: Action::Expire,
        description: match count {
            Count::SinceTransitioned(_) => format!("protect in the archive: {}", text.value),
            _ => format!("protect: {}", text.value),
        },
    };
    let counts = counts.into_iter().flatten();
    counts.flat_map(|count| protected.iter().map(move |text| rule(text, count))).collect()
}

/// What ECR demands of rules together, told of the entries that they come from.
fn together(rules: &[Wish], problems: &mut Problems) {
    let mut seen: Vec<(StorageClass, &TagSelection)> = Vec::new();
    for wish in rules {
        let storage = storage(wish);
        if seen.contains(&(storage, &wish.tags)) {
            let class = storage.word();
            problems.push(match (&wish.tags, &wish.entry) {
                (TagSelection::Any, _) => {
                    let message =
                        format!("another entry is about all {class} images already, and ECR takes one such rule");
                    Problem::at(&wish.at, message).hint("restrict one of them by `tag_prefix` or `tag_pattern`")
                }
                (TagSelection::Untagged, _) => {
                    let message = "another entry is about untagged images already, and ECR takes one such rule";
                    Problem::at(&wish.at, message)
                }
                (_, entry) => {
                    let at = entry.as_ref().map_or(&wish.at, |entry| &entry.at);
                    let text = entry.as_ref().map_or("", |entry| &entry.value);
                    let message = format!("`{text}` comes twice; images that it means are left to the first");
                    Problem::at(at, message).hint("keep one of them")
                }
            });
        }
        seen.push((storage, &wish.tags));
    }
    // The general check, for whatever the words above do not cover.
    if problems.is_empty() {
        check::together(&rules.iter().zip(1..).map(draft).collect::<Vec<_>>(), problems);
    }
}

fn storage(wish: &Wish) -> StorageClass {
    match wish.count {
        Count::SinceTransitioned(_) => StorageClass::Archive,
        _ => StorageClass::Standard,
    }
}

fn draft((wish, priority): (&Wish, u32)) -> Draft {
    let status = match wish.tags {
        TagSelection::Any => Status::Any,
        TagSelection::Untagged => Status::Untagged,
        TagSelection::Prefixes(_) | TagSelection::Patterns(_) => Status::Tagged,
    };
    let prefix = wish.entry.clone().filter(|_| matches!(wish.tags, TagSelection::Prefixes(_)));
    Draft {
        priority: Some(Placed { value: priority, at: wish.at.clone() }),
        status: Some(Placed { value: status, at: wish.at.clone() }),
        kind: Some(wish.count),
        storage: Some(storage(wish)),
        prefixes: prefix.map(|prefix| vec![prefix]),
        patterns: None,
    }
}

/// `None` if what is there is wrong.
fn tags(members: &Members<'_>, problems: &mut Problems) -> Option<Tags> {
    let before = problems.len();
    let tags = match (members.get("tag_prefix"), members.get("tag_pattern")) {
        (None, None) => Tags::Any,
        (Some(prefixes), None) => Tags::Prefixes(texts(&prefixes, problems)),
        (None, Some(patterns)) => Tags::Patterns(texts(&patterns, problems)),
        (Some(_), Some(patterns)) => {
            let message = "one entry has both `tag_prefix` and `tag_pattern`";
            problems.push(Problem::at(patterns.at(), message).hint("write an entry for each"));
            return None;
        }
    };
    if let Tags::Patterns(patterns) = &tags {
        patterns.iter().for_each(|pattern| check_stars(pattern, problems));
    }
    (problems.len() == before).then_some(tags)
}

fn no_tags(verb: &str, members: &Members<'_>, problems: &mut Problems) {
    for list in [members.get("tag_prefix"), members.get("tag_pattern")].into_iter().flatten() {
        problems.push(Problem::at(list.at(), format!("`{verb}` goes with neither `tag_prefix` nor `tag_pattern`")));
    }
}

/// A list of texts, or the one that stands in its place; none of them empty.
fn texts(member: &Member<'_>, problems: &mut Problems) -> Vec<Placed<String>> {
    let texts = match &member.node.value {
        Value::Text(text) => vec![Placed { value: text.clone(), at: member.at().clone() }],
        // A tag such as `1` is a text, whatever it looks like.
        Value::List(items) => {
            let each = items.iter().map(|node| match &node.value {
                Value::Number(number) => Node { value: Value::Text(number.clone()), at: node.at.clone() },
                _ => node.clone(),
            });
            let node = Node { value: Value::List(each.collect()), at: member.at().clone() };
            let member = Member { node: &node, path: member.path.clone() };
            match member.texts(problems) {
                Some(texts) => texts.value,
                None => return Vec::new(),
            }
        }
        Value::Number(number) => vec![Placed { value: number.clone(), at: member.at().clone() }],
        _ => {
            member.wrong("a text or a list of texts", problems);
            return Vec::new();
        }
    };
    if texts.is_empty() {
        problems.push(Problem::at(member.at(), format!("`{}` is empty", member.path)));
    }
    for text in texts.iter().filter(|text| text.value.is_empty()) {
        problems.push(Problem::at(&text.at, format!("`{}` holds an empty text", member.path)));
    }
    texts
}

fn number(member: &Member<'_>, problems: &mut Problems) -> Option<u32> {
    match &member.node.value {
        Value::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let node = Node { value: Value::Number(text.clone()), at: member.at().clone() };
            Some(Member { node: &node, path: member.path.clone() }.number(problems)?.value)
        }
        _ => Some(member.number(problems)?.value),
    }
}

/// A span of whole days, at least one.
fn days(member: &Member<'_>, problems: &mut Problems) -> Option<u32> {
    let hint = "ECR counts whole days: write it as in `90d` or `2w`";
    let (Value::Text(text) | Value::Number(text)) = &member.node.value else {
        member.wrong("a number of days", problems);
        return None;
    };
    let span = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let days = span.and_then(|(number, unit)| {
        let number: u32 = number.parse().ok()?;
        match unit {
            "d" => Some(number),
            "w" => number.checked_mul(7),
            "h" => number.is_multiple_of(24).then_some(number / 24),
            _ => None,
        }
    });
    let days = days.filter(|days| i32::try_from(*days).is_ok_and(|days| days > 0));
    if days.is_none() {
        let message = format!("`{}`: `{text}` is not a number of days", member.path);
        problems.push(Problem::at(member.at(), message).hint(hint));
    }
    days
}
