use super::*;
use crate::facts::{Commit, Event, Known, Refs};
use crate::pipeline::Preset;

fn tagged(tags: &[&str], all: &[&str]) -> Facts {
    let tags = tags.iter().map(|tag| Known::new((*tag).to_owned(), "git")).collect();
    Facts {
        refs: Refs { tags, ..Refs::default() },
        all_tags: all.iter().map(|tag| (*tag).to_owned()).collect(),
        in_git: true,
        ..Facts::default()
    }
}

/// What rules give under a flavor; the result panics where it should not fail.
fn under(flavor: &[&str], rules: &[TagRule], prefix: &str, facts: &Facts) -> Result<DerivedTags, Diagnostics> {
    let mut read = Flavor::default();
    flavor.iter().for_each(|line| read.add(line, None).unwrap());
    derive(&Rules { rules, flavor: &read, tag_prefix: prefix }, facts, &Err("no environment".into()))
}

fn of(rules: &[TagRule], facts: &Facts) -> DerivedTags {
    under(&[], rules, "", facts).unwrap()
}

fn rule(text: &str) -> TagRule {
    TagRule { kind: TagRuleKind::Rule(Box::new(rule::parse(text).unwrap())), place: None }
}

fn texts(derived: &DerivedTags) -> Vec<&str> {
    derived.tags.iter().map(|planned| planned.tag.as_str()).collect()
}

fn tags(preset: Preset, facts: &Facts) -> Result<Vec<String>, String> {
    let rule = TagRule { kind: TagRuleKind::Preset(preset), place: None };
    let derived = of(&[rule], facts);
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
    assert_eq!(tags(Preset::Semver, &tagged(&["v1.0.0-rc.1", "v1.0.0", "nightly"], &[])), ok(&["1.0.0", "1.0", "1"]));
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
fn a_tag_is_listed_once_with_its_first_rule() {
    let literal = |text: &str| TagRule { kind: TagRuleKind::Literal(text.parse().unwrap()), place: None };
    let semver = TagRule { kind: TagRuleKind::Preset(Preset::Semver), place: None };
    let derived = of(&[literal("1.2"), semver, literal("1.2")], &tagged(&["v1.2.3"], &[]));
    let made: Vec<_> = derived.tags.iter().map(|p| (p.tag.as_str(), p.rule.as_str())).collect();
    assert_eq!(made, [("1.2", "1.2"), ("1.2.3", "semver"), ("1", "semver")]);
}

fn on_branch(branch: &str, default: &str) -> Facts {
    Facts {
        refs: Refs::branch(Known::new(branch.into(), "git")),
        default_branch: Some(Known::new(default.into(), "git")),
        commit: Some(Known::new(Commit::parse(&"a1".repeat(20)).unwrap(), "git")),
        ..Facts::default()
    }
}

#[test]
fn words_keep_their_places_and_rules_come_by_priority() {
    let facts = on_branch("main", "main");
    let word = TagRule { kind: TagRuleKind::Preset(Preset::Sha), place: None };
    let rules = [rule("type=raw,value=r"), word, rule("type=edge"), rule("type=raw,value=p,priority=1")];
    assert_eq!(texts(&of(&rules, &facts)), ["edge", "a1a1a1a", "r", "p"]);
}

#[test]
fn the_first_rule_that_gives_a_tag_decides_about_latest() {
    let facts = tagged(&["v1.2.3"], &[]);
    let semver = || rule("type=semver,pattern={{version}}");
    assert_eq!(texts(&of(&[semver(), rule("type=raw,value=x")], &facts)), ["1.2.3", "x", "latest"]);
    let first = [semver(), rule("type=raw,value=x,priority=1000")];
    assert_eq!(texts(&of(&first, &facts)), ["x", "1.2.3"]);
    let never = under(&["latest=false"], &[semver()], "", &facts).unwrap();
    assert_eq!(texts(&never), ["1.2.3"]);
    let always = under(&["latest=true", "suffix=-a,onlatest=true"], &[rule("x")], "", &facts).unwrap();
    assert_eq!(texts(&always), ["x-a", "latest-a"]);
    let preset = TagRule { kind: TagRuleKind::Preset(Preset::Semver), place: None };
    assert_eq!(texts(&of(&[preset, rule("type=raw,value=x")], &facts)), ["1.2.3", "1.2", "1", "x"]);
}

#[test]
fn the_prefix_of_git_tags_in_a_repository_of_several_images() {
    let facts = tagged(&["api/v3.0.0", "web/v1.2.3"], &["api/v3.0.0", "web/v1.2.3"]);
    let presets = [Preset::Semver, Preset::Latest].map(|kind| TagRule { kind: TagRuleKind::Preset(kind), place: None });
    let web = under(&[], &presets, "web/", &facts).unwrap();
    assert_eq!(texts(&web), ["1.2.3", "1.2", "1", "latest"]);
    assert_eq!(web.tags[0].why, "git tag v1.2.3, from git without web/");
    let jobs = under(&[], &presets, "jobs/", &facts).unwrap();
    assert_eq!(jobs.skipped[0].why, "the git tag `api/v3.0.0` does not begin with `jobs/`");
}

#[test]
fn what_no_registry_accepts_is_repaired_or_refused_in_the_open() {
    let facts = Facts::default();
    let long = "x".repeat(200);
    let repaired = of(&[rule("type=raw,value=.hidden"), rule(&long)], &facts);
    assert_eq!(texts(&repaired), ["hidden", &long[..128]]);
    let why = "written in the rule; `.` cut from its front, because no registry accepts it otherwise";
    assert_eq!(repaired.tags[0].why, why);
    let ambiguous = of(&[rule("type=raw,value=-x"), rule("type=raw,value=x")], &facts);
    assert_eq!(texts(&ambiguous), ["x"]);
    assert_eq!(ambiguous.skipped[0].why, "it would have to become `x`, and so would `x`");
    let refused = of(&[rule("type=raw,value=...")], &facts);
    assert_eq!(refused.skipped[0].why, "nothing of `...` can stand in a tag");
}

#[test]
fn faults_are_told_for_every_rule_that_applies() {
    let facts = tagged(&["v1.2.3"], &[]);
    let rules = [
        rule("type=raw,value={{x"),
        rule("type=match,pattern=v(?=1)"),
        rule("type=raw,value=x,enable=yes"),
        rule("type=raw,value={{never,enable=false"),
    ];
    let faults = under(&[], &rules, "", &facts).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "tag rule `type=match,pattern=v(?=1)`: lookahead `(?=` cannot be used here: it takes more than linear time",
            "tag rule `type=raw,value={{x`: `{{` is never closed",
            "tag rule `type=raw,value=x,enable=yes`: `enable` must come out as `true` or `false`, not `yes`",
        ]
    );
}

#[test]
fn a_job_by_the_clock() {
    let event = Event { name: "schedule".into(), scheduled: true, on_default_branch: false };
    let facts = Facts {
        event: Some(Known::new(event, "CI_PIPELINE_SOURCE")),
        now: Some(Known::new(time::macros::datetime!(2024-05-06 22:08:09 UTC), "--at")),
        ..Facts::default()
    };
    assert_eq!(tags(Preset::Schedule, &facts), ok(&["nightly"]));
    let dated = of(&[rule("type=schedule,pattern={{date 'YYYYMMDD' tz='Asia/Seoul'}}{{branch}}")], &facts);
    assert_eq!(texts(&dated), ["20240507"]);
    let nowhere = of(&[rule("type=raw,value={{date 'HH' tz='Mars/Base'}}")], &facts);
    assert_eq!(
        nowhere.tags[0].why,
        "from `{{date 'HH' tz='Mars/Base'}}`; the time zone `Mars/Base` is not known, so this is UTC"
    );
    assert_eq!(tags(Preset::Schedule, &Facts::default()), Err("the job was not started by a schedule".into()));
}
