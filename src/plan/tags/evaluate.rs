//! What one rule comes to.

use super::regex::{Expression, Unusable};
use super::subject::{Dates, Subject, not_semantic};
use super::template::{self, Fault, Scope};
use super::{pep440, semver};
use crate::diagnostic::{Diagnostic, Place};
use crate::pipeline::rule::{Affix, Flavor, Piece, RefEvent, Rule, RuleKind, VersionRule, Wrong};

/// What one rule comes to.
pub(super) enum Outcome {
    /// A text that may be a tag.
    Given {
        text: String,
        /// What it was made from.
        why: String,
        /// Rules of this type add the tag `latest`.
        adds_latest: bool,
    },
    /// No tag, for this reason.
    Skipped(String),
}

/// A value before anything is put around it; or why there is none.
type Value = Result<Made, String>;

struct Made {
    text: String,
    why: String,
    adds_latest: bool,
}

impl Made {
    fn new(text: impl Into<String>, why: impl Into<String>, adds_latest: bool) -> Self {
        Made { text: text.into(), why: why.into(), adds_latest }
    }
}

/// Applies a rule.
///
/// # Errors
/// If a template or a regular expression that is needed is broken.
pub(super) fn evaluate(
    rule: &Rule,
    place: Option<&Place>,
    flavor: &Flavor,
    subject: &Subject<'_>,
) -> Result<Outcome, Diagnostic> {
    let applied = apply(rule, subject).map_err(|wrong| wrong.in_rule(&rule.text, place))?;
    let made = match applied {
        Ok(made) => made,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    let own = |piece: &Piece| render(piece, subject).map_err(|wrong| wrong.in_rule(&rule.text, place));
    let common = |affix: &Affix| {
        render(&affix.template, subject).map_err(|wrong| wrong.in_flavor(&affix.line, affix.place.as_ref()))
    };
    let prefix = rule.prefix.as_ref().map_or_else(|| common(&flavor.prefix), own)?;
    let suffix = rule.suffix.as_ref().map_or_else(|| common(&flavor.suffix), own)?;
    let text = format!("{prefix}{}{suffix}", made.text);
    if text.is_empty() {
        return Ok(Outcome::Skipped("it comes out empty".to_owned()));
    }
    let why = std::iter::once(made.why).chain(subject.take_remarks()).collect::<Vec<_>>().join("; ");
    Ok(Outcome::Given { text, why, adds_latest: made.adds_latest })
}

fn apply(rule: &Rule, subject: &Subject<'_>) -> Result<Value, Wrong> {
    subject.take_remarks();
    let enabled = render(&rule.enable, subject)?;
    match enabled.as_str() {
        "true" => {}
        "false" if rule.enable.text == "false" => return Ok(Err("`enable` is false".to_owned())),
        "false" => return Ok(Err(format!("`enable={}` is false", rule.enable.text))),
        other => {
            let message = format!("`enable` must come out as `true` or `false`, not `{other}`");
            return Err(Wrong::new(message, rule.enable.range.clone()));
        }
    }
    match &rule.kind {
        RuleKind::Schedule { pattern } => schedule(pattern, subject),
        RuleKind::Semver(version) => semantic(version, subject),
        RuleKind::Pep440(version) => python(version, subject),
        RuleKind::Match { pattern, group, value } => matching(pattern, group, value, subject),
        RuleKind::Edge { branch } => Ok(edge(branch, subject)),
        RuleKind::Ref(event) => Ok(reference(*event, subject)),
        RuleKind::Raw { value } => {
            let text = render(value, subject)?;
            let why =
                if text == value.text { "written in the rule".to_owned() } else { format!("from `{}`", value.text) };
            Ok(Ok(Made::new(text, why, false)))
        }
        RuleKind::Sha { long } => sha(*long, subject),
    }
}

fn schedule(pattern: &Piece, subject: &Subject<'_>) -> Result<Value, Wrong> {
    let event = subject.facts.event.as_ref().filter(|event| event.value.scheduled);
    let Some(event) = event else { return Ok(Err("the job was not started by a schedule".to_owned())) };
    let text = render(pattern, &Dates(subject))?;
    Ok(Ok(Made::new(text, format!("event {}, from {}", event.value.name, event.source), false)))
}

fn semantic(rule: &VersionRule, subject: &Subject<'_>) -> Result<Value, Wrong> {
    let inputs = match inputs(&rule.value, subject)? {
        Ok(inputs) => inputs,
        Err(why) => return Ok(Err(why)),
    };
    let mut highest = None;
    let mut why_not = String::new();
    for Input { text, why, is_tag } in inputs {
        let text = extracted(&rule.matching, text)?;
        match semver::parse(&text) {
            Some(version) => match &highest {
                Some((known, _)) if *known >= version.version => {}
                _ => highest = Some((version.version.clone(), (version, why))),
            },
            None if !why_not.is_empty() => {}
            None if is_tag => why_not = not_semantic(&text),
            None => why_not = format!("the value `{text}` is not a semantic version"),
        }
    }
    let Some((_, (version, why))) = highest else { return Ok(Err(why_not)) };
    // A pre-release stands for nothing but itself.
    if version.is_pre_release() && !is_only_raw(&rule.pattern) {
        return Ok(Ok(Made::new(version.version.to_string(), why, false)));
    }
    Ok(Ok(Made::new(render(&rule.pattern, &version)?, why, !version.is_pre_release())))
}

fn python(rule: &VersionRule, subject: &Subject<'_>) -> Result<Value, Wrong> {
    let inputs = match inputs(&rule.value, subject)? {
        Ok(inputs) => inputs,
        Err(why) => return Ok(Err(why)),
    };
    let mut why_not = String::new();
    for Input { text, why, is_tag } in inputs {
        let text = extracted(&rule.matching, text)?;
        let Some(version) = pep440::parse(&text) else {
            let what = if is_tag { "git tag" } else { "value" };
            why_not = format!("the {what} `{text}` is not a version by PEP 440");
            continue;
        };
        return Ok(Ok(match version.is_special {
            true if is_only_raw(&rule.pattern) => Made::new(text, why, false),
            true => Made::new(version.clean, why, false),
            false => Made::new(render(&rule.pattern, &version)?, why, true),
        }));
    }
    Ok(Err(why_not))
}

fn matching(pattern: &Piece, group: &Piece, value: &Piece, subject: &Subject<'_>) -> Result<Value, Wrong> {
    let inputs = match inputs(value, subject)? {
        Ok(inputs) => inputs,
        Err(why) => return Ok(Err(why)),
    };
    let expression = Expression::delimited(&pattern.text).map_err(|unusable| unusable_in(pattern, unusable))?;
    let mut why_not = String::new();
    for Input { text, why, .. } in inputs {
        let Some(mut groups) = expression.groups(&text) else {
            why_not = format!("`{}` does not match `{text}`", pattern.text);
            continue;
        };
        // Only the number as it is commonly written names a group.
        let index = group.text.parse::<usize>().ok().filter(|index| index.to_string() == group.text);
        let found = index.filter(|index| *index < groups.len()).and_then(|index| groups.swap_remove(index));
        match found {
            Some(found) => return Ok(Ok(Made::new(found, why, true))),
            None => why_not = format!("`{}` has no group {} in `{text}`", pattern.text, group.text),
        }
    }
    Ok(Err(why_not))
}

fn edge(branch: &str, subject: &Subject<'_>) -> Value {
    let facts = subject.facts;
    let Some(current) = &facts.refs.branch else { return Err(subject.no_branch()) };
    let default = facts.default_branch.as_ref().map(|known| known.value.as_str());
    let wanted = if branch.is_empty() { default } else { Some(branch) };
    match wanted {
        None => Err("the default branch is not known".to_owned()),
        Some(wanted) if wanted != current.value => Err(format!("the branch is `{}`, not `{wanted}`", current.value)),
        Some(_) => Ok(Made::new("edge", format!("branch {}, from {}", current.value, current.source), false)),
    }
}

fn reference(event: RefEvent, subject: &Subject<'_>) -> Value {
    let refs = &subject.facts.refs;
    let (found, what, why_not) = match event {
        RefEvent::Branch => (refs.branch.as_ref(), "branch", subject.no_branch()),
        RefEvent::Tag => (subject.tag(), "git tag", subject.no_tag()),
        RefEvent::Pr => (refs.pull_request.as_ref(), "pull request", "this is not a pull request".to_owned()),
    };
    let found = found.ok_or(why_not)?;
    Ok(Made::new(found.value.clone(), format!("{what} {}, from {}", found.value, found.source), event == RefEvent::Tag))
}

fn sha(long: bool, subject: &Subject<'_>) -> Result<Value, Wrong> {
    let Some(commit) = &subject.facts.commit else { return Ok(Err(subject.no_commit())) };
    let text = match long {
        true => commit.value.to_string(),
        false => subject.short_commit().map_err(|message| Wrong::new(message, 0..0))?,
    };
    Ok(Ok(Made::new(text, format!("commit {}, from {}", commit.value, commit.source), false)))
}

/// What a version is looked for in.
struct Input {
    text: String,
    why: String,
    is_tag: bool,
}

/// The rule's own value, or else the git tags.
fn inputs(value: &Piece, subject: &Subject<'_>) -> Result<Result<Vec<Input>, String>, Wrong> {
    if !value.text.is_empty() {
        let text = render(value, subject)?;
        let why = format!("value {text}");
        return Ok(Ok(vec![Input { text, why, is_tag: false }]));
    }
    if subject.tags.is_empty() {
        return Ok(Err(subject.no_tag()));
    }
    let tags = subject.tags.iter().map(|tag| Input {
        text: tag.value.clone(),
        why: format!("git tag {}, from {}", tag.value, tag.source),
        is_tag: true,
    });
    Ok(Ok(tags.collect()))
}

/// What `match` finds in a text, or the text itself; and no slashes in either.
fn extracted(matching: &Piece, text: String) -> Result<String, Wrong> {
    let mut found = text;
    if !matching.text.is_empty() {
        let expression = Expression::bare(&matching.text).map_err(|unusable| unusable_in(matching, unusable))?;
        if let Some(groups) = expression.groups(&found) {
            let Some(Some(first)) = groups.into_iter().nth(1) else {
                let message = format!("`match` has no first group in `{found}`");
                let hint = "put the part that is the version in parentheses";
                return Err(Wrong::new(message, matching.range.clone()).hint(hint));
            };
            found = first;
        }
    }
    Ok(found.replace('/', "-"))
}

fn is_only_raw(pattern: &Piece) -> bool {
    template::parse(&pattern.text).is_ok_and(|template| template.is_only("raw"))
}

/// Fills a template in.
pub(super) fn render(piece: &Piece, scope: &dyn Scope) -> Result<String, Wrong> {
    // Most pieces are plain texts, and a text without braces has nothing to be read.
    if !piece.text.contains("{{") {
        return Ok(piece.text.clone());
    }
    let rendered = template::parse(&piece.text).and_then(|template| template.render(scope));
    rendered.map_err(|Fault { message, range }| Wrong::new(message, piece.inside(&range)))
}

fn unusable_in(piece: &Piece, unusable: Unusable) -> Wrong {
    Wrong::new(unusable.message, piece.inside(&unusable.range))
}
