//! Tags from rules and facts, each with its reason; a rule that lacks a fact gives none and says so.

use semver::Version;

use super::environment::Chosen;
use super::{PlannedTag, SkippedRule};
use crate::facts::{Facts, Known};
use crate::names::Tag;
use crate::pipeline::{Preset, TagRule, TagRuleKind};

/// What the rules of one image came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DerivedTags {
    /// In the order of the rules, without repetitions; the first is the image's version.
    pub tags: Vec<PlannedTag>,
    /// The rules that gave no tag.
    pub skipped: Vec<SkippedRule>,
}

/// Applies an image's tag rules.
pub fn derive(rules: &[TagRule], facts: &Facts, environment: &Chosen) -> DerivedTags {
    let mut derived = DerivedTags::default();
    for rule in rules {
        let name = rule.kind.to_string();
        match apply(&rule.kind, facts, environment) {
            Ok(made) => {
                for (tag, why) in made {
                    if !derived.tags.iter().any(|planned| planned.tag == tag) {
                        derived.tags.push(PlannedTag { tag, rule: name.clone(), why });
                    }
                }
            }
            Err(why) => derived.skipped.push(SkippedRule { rule: name, why }),
        }
    }
    derived
}

/// The tags that one rule gives, each with what it was made from; or why it gives none.
fn apply(rule: &TagRuleKind, facts: &Facts, environment: &Chosen) -> Result<Vec<(Tag, String)>, String> {
    let preset = match rule {
        TagRuleKind::Literal(tag) => return Ok(vec![(tag.clone(), "written in the pipeline file".to_owned())]),
        TagRuleKind::Preset(preset) => preset,
    };
    match preset {
        Preset::Semver => semver(facts),
        Preset::Latest => latest(facts),
        Preset::Sha => {
            let commit = facts.commit.as_ref().ok_or_else(|| no_commit(facts))?;
            Ok(vec![(sanitised(commit.value.short())?, format!("commit {}, from {}", commit.value, commit.source))])
        }
        Preset::Branch => {
            let branch = facts.refs.branch.as_ref().ok_or_else(|| no_branch(facts))?;
            Ok(vec![(sanitised(&branch.value)?, format!("branch {}, from {}", branch.value, branch.source))])
        }
        Preset::Pr => {
            let number = facts.refs.pull_request.as_ref().ok_or("this is not a pull request")?;
            let tag = sanitised(&format!("pr-{}", number.value))?;
            Ok(vec![(tag, format!("pull request {}, from {}", number.value, number.source))])
        }
        Preset::Env => {
            let name = environment.as_ref().map_err(Clone::clone)?;
            Ok(vec![(name.value.clone(), format!("environment {}, from {}", name.value, name.source))])
        }
    }
}

/// `1.2.3`, `1.2` and `1`; of a pre-release only itself. `0` is left out: it would promise what 0.x does not keep.
fn semver(facts: &Facts) -> Result<Vec<(Tag, String)>, String> {
    let (version, tag) = version_at_commit(facts)?;
    let why = format!("git tag {}, from {}", tag.value, tag.source);
    // Build metadata stays out: `+` is not legal in a tag.
    let mut texts = vec![Version { build: semver::BuildMetadata::EMPTY, ..version.clone() }.to_string()];
    if version.pre.is_empty() {
        texts.push(format!("{}.{}", version.major, version.minor));
        if version.major > 0 {
            texts.push(version.major.to_string());
        }
    }
    texts.iter().map(|text| Ok((sanitised(text)?, why.clone()))).collect()
}

/// `latest`, where the commit carries the highest stable version of all that the clone knows.
fn latest(facts: &Facts) -> Result<Vec<(Tag, String)>, String> {
    let (version, tag) = version_at_commit(facts)?;
    if !version.pre.is_empty() {
        return Err(format!("{version} is a pre-release"));
    }
    let highest = facts.all_tags.iter().filter_map(|tag| parse_version(tag)).filter(|v| v.pre.is_empty()).max();
    match highest {
        Some(highest) if highest > version => Err(format!("{version} is not the highest version, {highest} is")),
        None if facts.shallow => {
            Err("the clone is shallow and has no tags to compare with; fetch them, as with `fetch-depth: 0`".to_owned())
        }
        None if !facts.in_git => Err("there is no git repository whose tags could be compared".to_owned()),
        _ => Ok(vec![(sanitised("latest")?, format!("git tag {} is the highest stable version", tag.value))]),
    }
}

/// The highest version among the git tags that are being built.
fn version_at_commit(facts: &Facts) -> Result<(Version, &Known<String>), String> {
    let tags = &facts.refs.tags;
    let versions = tags.iter().filter_map(|tag| Some((parse_version(&tag.value)?, tag)));
    versions.max_by(|(a, _), (b, _)| a.cmp(b)).ok_or_else(|| match tags.first() {
        Some(tag) => format!("the git tag `{}` is not a semantic version", tag.value),
        None if !facts.in_git && facts.ci.is_none() => {
            "there is no git repository, and no CI system names a tag".to_owned()
        }
        None if facts.refs.pull_request.is_some() => "a pull request has no git tag".to_owned(),
        None if facts.shallow => "no git tag names this commit in the shallow clone".to_owned(),
        None => "no git tag names this commit".to_owned(),
    })
}

/// A semantic version with at most one lower-case `v` before it.
fn parse_version(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

fn no_commit(facts: &Facts) -> String {
    match facts.in_git {
        true => "the git repository has no commit".to_owned(),
        false => "there is no git repository, and no CI system names a commit".to_owned(),
    }
}

fn no_branch(facts: &Facts) -> String {
    if facts.refs.pull_request.is_some() {
        "a pull request is not a branch".to_owned()
    } else if !facts.refs.tags.is_empty() {
        "a git tag is being built, not a branch".to_owned()
    } else if facts.in_git {
        "HEAD is detached, and no CI system names a branch".to_owned()
    } else {
        "there is no git repository, and no CI system names a branch".to_owned()
    }
}

/// The text as a tag: runs of what no tag may contain become `-`, as in docker/metadata-action; what a tag may
/// not start with is cut, and so is what is too long.
fn sanitised(text: &str) -> Result<Tag, String> {
    let mut clean = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            clean.push(c);
            in_run = false;
        } else if !in_run {
            clean.push('-');
            in_run = true;
        }
    }
    let clean = clean.trim_start_matches(['.', '-']);
    clean[..clean.len().min(Tag::MAX_LENGTH)].parse().map_err(|_| format!("nothing of `{text}` can stand in a tag"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Commit, Refs};

    fn tagged(tags: &[&str], all: &[&str]) -> Facts {
        let tags = tags.iter().map(|tag| Known::new((*tag).to_owned(), "git")).collect();
        Facts {
            refs: Refs { tags, ..Refs::default() },
            all_tags: all.iter().map(|tag| (*tag).to_owned()).collect(),
            in_git: true,
            ..Facts::default()
        }
    }

    fn tags(preset: Preset, facts: &Facts) -> Result<Vec<String>, String> {
        let rule = TagRule { kind: TagRuleKind::Preset(preset), place: None };
        let derived = derive(&[rule], facts, &Err("no environment".into()));
        match derived.skipped.first() {
            Some(skipped) => Err(skipped.why.clone()),
            None => Ok(derived.tags.iter().map(|planned| planned.tag.to_string()).collect()),
        }
    }

    fn ok(texts: &[&str]) -> Result<Vec<String>, String> {
        Ok(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn semver_gives_three_tags() {
        assert_eq!(tags(Preset::Semver, &tagged(&["v1.2.3"], &[])), ok(&["1.2.3", "1.2", "1"]));
        assert_eq!(tags(Preset::Semver, &tagged(&["1.2.3+build.5"], &[])), ok(&["1.2.3", "1.2", "1"]));
        assert_eq!(tags(Preset::Semver, &tagged(&["v0.3.1"], &[])), ok(&["0.3.1", "0.3"]));
    }

    #[test]
    fn a_pre_release_gives_only_itself() {
        assert_eq!(tags(Preset::Semver, &tagged(&["v2.0.0-rc.1"], &[])), ok(&["2.0.0-rc.1"]));
    }

    #[test]
    fn of_several_versions_the_highest_counts() {
        assert_eq!(
            tags(Preset::Semver, &tagged(&["v1.0.0-rc.1", "v1.0.0", "nightly"], &[])),
            ok(&["1.0.0", "1.0", "1"])
        );
    }

    #[test]
    fn semver_says_why_not() {
        assert_eq!(tags(Preset::Semver, &tagged(&[], &[])), Err("no git tag names this commit".into()));
        for odd in ["nightly", "V1.2.3", "1.2", "v1.2.3.4", "v01.2.3"] {
            let why = format!("the git tag `{odd}` is not a semantic version");
            assert_eq!(tags(Preset::Semver, &tagged(&[odd], &[])), Err(why));
        }
        let why = "there is no git repository, and no CI system names a tag";
        assert_eq!(tags(Preset::Semver, &Facts::default()), Err(why.into()));
    }

    #[test]
    fn latest_follows_the_highest_stable_version() {
        let newest = tagged(&["v1.10.0"], &["v1.9.0", "v1.10.0", "v2.0.0-rc.1"]);
        assert_eq!(tags(Preset::Latest, &newest), ok(&["latest"]));
        let old = tagged(&["v1.9.1"], &["v1.9.1", "v1.10.0"]);
        assert_eq!(tags(Preset::Latest, &old), Err("1.9.1 is not the highest version, 1.10.0 is".into()));
        let candidate = tagged(&["v2.0.0-rc.1"], &["v2.0.0-rc.1"]);
        assert_eq!(tags(Preset::Latest, &candidate), Err("2.0.0-rc.1 is a pre-release".into()));
        let shallow = Facts { shallow: true, ..tagged(&["v1.0.0"], &[]) };
        assert!(tags(Preset::Latest, &shallow).is_err_and(|why| why.starts_with("the clone is shallow")));
    }

    #[test]
    fn commit_branch_and_pull_request() {
        let commit = Commit::parse("0123456789abcdef0123456789abcdef01234567").unwrap();
        let facts = Facts {
            commit: Some(Known::new(commit, "git")),
            refs: Refs {
                branch: Some(Known::new("feature/#12 new".into(), "git")),
                pull_request: Some(Known::new("7".into(), "CHANGE_ID")),
                tags: Vec::new(),
            },
            ..Facts::default()
        };
        assert_eq!(tags(Preset::Sha, &facts), ok(&["0123456"]));
        assert_eq!(tags(Preset::Branch, &facts), ok(&["feature-12-new"]));
        assert_eq!(tags(Preset::Pr, &facts), ok(&["pr-7"]));
    }

    #[test]
    fn what_no_registry_accepts_is_repaired_or_refused() {
        assert_eq!(sanitised("--.x").map(|tag| tag.to_string()), Ok("x".into()));
        assert_eq!(sanitised(&"é/b".repeat(90)).map(|tag| tag.as_str().len()), Ok(128));
        assert_eq!(sanitised("///"), Err("nothing of `///` can stand in a tag".into()));
    }

    #[test]
    fn a_tag_is_listed_once_with_its_first_rule() {
        let literal = |text: &str| TagRule { kind: TagRuleKind::Literal(text.parse().unwrap()), place: None };
        let semver = TagRule { kind: TagRuleKind::Preset(Preset::Semver), place: None };
        let derived = derive(&[literal("1.2"), semver, literal("1.2")], &tagged(&["v1.2.3"], &[]), &Err("".into()));
        let made: Vec<_> = derived.tags.iter().map(|p| (p.tag.as_str(), p.rule.as_str())).collect();
        assert_eq!(made, [("1.2", "1.2"), ("1.2.3", "semver"), ("1", "semver")]);
    }
}
