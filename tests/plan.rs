//! What is decided, from what was asked for and what is there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use longshore::facts::{
    Commit, ContentFacts, Facts, Known, PartFacts, Refs, RegistryFacts, RepositoryFacts, RepositorySettings,
    StoredImage,
};
use longshore::key::ContentKey;
use longshore::names::{Digest, Platform, Tag};
use longshore::pipeline::{self, Pipeline};
use longshore::plan::tags::{Rules, derive};
use longshore::plan::{self, ImageAction, PartAction, Plan, Scope, Sight, TagChange};
use time::{Duration, OffsetDateTime};

/// A run of one image, `web`, at the git tag v1.0.0, whose content key is `aa…`; the rest is up to the test.
struct Situation {
    pipeline: Pipeline,
    content: ContentFacts,
    repository: Option<RepositoryFacts>,
    dirty: bool,
    force: bool,
    scope: Wanted,
}

/// What of the work the run does.
enum Wanted {
    Whole,
    Platforms(Vec<Platform>),
    Merge,
}

impl Wanted {
    fn scope(&self) -> Scope<'_> {
        match self {
            Wanted::Whole => Scope::Whole,
            Wanted::Platforms(platforms) => Scope::Platforms(platforms),
            Wanted::Merge => Scope::Merge,
        }
    }
}

const NOW: OffsetDateTime = time::macros::datetime!(2026-11-23 12:00 UTC);

fn commit() -> Commit {
    Commit::parse(&"1".repeat(40)).unwrap()
}

fn key(digit: char) -> ContentKey {
    serde_json::from_value(digit.to_string().repeat(64).into()).unwrap()
}

fn image(name: &str) -> StoredImage {
    StoredImage::new(Digest::of(name.as_bytes()))
}

impl Situation {
    /// `more` is what the pipeline file says of the image beyond its build and tags.
    fn new(more: &str) -> Self {
        let text = format!("version: 1\nimages:\n  web:\n    build: .\n    tags: [semver]\n{more}");
        let (pipeline, _) = pipeline::parse("longshore.yaml", text).unwrap().resolve(&|_| None).unwrap();
        let content = ContentFacts {
            key: Ok(key('a')),
            fresh_bases: false,
            record: None,
            base: None,
            changes: Vec::new(),
            parts: Vec::new(),
        };
        Situation { pipeline, content, repository: None, dirty: false, force: false, scope: Wanted::Whole }
    }

    fn with_repository(mut self, immutable: bool, taken: &[(&str, StoredImage)]) -> Self {
        let taken = taken.iter().map(|(tag, image)| (tag.parse::<Tag>().unwrap(), image.clone())).collect();
        let name = "web".parse().unwrap();
        self.repository = Some(RepositoryFacts {
            name,
            immutable,
            except: Vec::new(),
            settings: RepositorySettings::default(),
            taken,
        });
        self
    }

    /// The repository has an image under the content key, pushed so many days ago.
    fn with_content(self, immutable: bool, days: i64, taken: &[(&str, StoredImage)]) -> Self {
        let stored = StoredImage { pushed_at: Some(NOW - Duration::days(days)), ..image("ours") };
        let mut taken = taken.to_vec();
        let tag = key('a').tag().to_string();
        taken.push((&tag, stored));
        self.with_repository(immutable, &taken)
    }

    fn decide(&self) -> Result<Plan, String> {
        let facts = Facts {
            commit: Some(Known::new(commit(), "git")),
            refs: Refs { tags: vec![Known::new("v1.0.0".into(), "git")], ..Refs::default() },
            in_git: true,
            dirty: self.dirty,
            ..Facts::default()
        };
        let derived = derive(&Rules::of(&self.pipeline.images[0]), &facts, &Err("none".into())).unwrap();
        let repositories: BTreeMap<_, _> =
            self.repository.iter().map(|repository| (repository.name.clone(), repository.clone())).collect();
        let seen = RegistryFacts { repositories, ..RegistryFacts::default() };
        let sight = Sight {
            root: Path::new("/work"),
            written: &[],
            facts: &facts,
            registry: &"123456789012.dkr.ecr.us-east-1.amazonaws.com".parse().unwrap(),
            contents: std::slice::from_ref(&self.content),
            now: NOW,
            force: self.force,
            scope: self.scope.scope(),
            native: &"linux/amd64".parse().unwrap(),
            based_on_registry: &BTreeSet::new(),
            seen: &seen,
            replicas: &[],
        };
        plan::make(&self.pipeline, vec![derived], &sight)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))
    }

    /// The reason to build.
    fn built_because(&self) -> String {
        match self.decide().unwrap().images.remove(0).action {
            ImageAction::Build { why, .. } => why.join("; "),
            ImageAction::Reuse { .. } | ImageAction::Assemble { .. } => panic!("it is reused"),
        }
    }

    /// The reason to reuse, and the digest.
    fn reused_because(&self) -> (String, Digest) {
        match self.decide().unwrap().images.remove(0).action {
            ImageAction::Reuse { why, digest } => (why, digest),
            ImageAction::Build { why, .. } | ImageAction::Assemble { why, .. } => panic!("it is built: {why:?}"),
        }
    }
}

#[test]
fn what_is_not_there_is_built() {
    assert_eq!(Situation::new("").built_because(), "first run: the repository is new");
    let situation = Situation::new("").with_repository(false, &[("1.0.0", image("old"))]);
    assert_eq!(situation.built_because(), "no image in the repository has this content");
}

#[test]
fn what_changed_is_the_reason() {
    let mut situation = Situation::new("").with_repository(false, &[]);
    situation.content.changes = vec!["Dockerfile changed".into(), "argument A changed".into()];
    assert_eq!(situation.built_because(), "Dockerfile changed; argument A changed");
}

#[test]
fn when_in_doubt_build() {
    let mut situation = Situation::new("").with_content(false, 0, &[]);
    situation.content.key = Err("the base image `x` cannot be resolved".into());
    assert_eq!(situation.built_because(), "the base image `x` cannot be resolved");
}

#[test]
fn a_key_that_holds_base_images_has_the_builder_look_for_them() {
    for fresh in [false, true] {
        let mut situation = Situation::new("");
        situation.content.fresh_bases = fresh;
        let plan = situation.decide().unwrap();
        let ImageAction::Build { build, .. } = &plan.images[0].action else { panic!() };
        assert_eq!(build.pull, fresh);
    }
}

#[test]
fn the_same_content_is_reused_and_carries_its_key() {
    let situation = Situation::new("").with_content(false, 6, &[("1.0", image("old")), ("1", image("ours"))]);
    let (why, digest) = situation.reused_because();
    assert_eq!(why, format!("its content did not change: {}", key('a').tag()));
    assert_eq!(digest, image("ours").digest);
    let plan = situation.decide().unwrap();
    let changes = plan.images[0].tags.iter().map(|planned| plan.images[0].tag_change(&planned.tag));
    assert_eq!(changes.collect::<Vec<_>>(), [TagChange::New, TagChange::Move, TagChange::Keep]);
    assert!(plan.changes_anything() && !plan.builds_anything());

    let plan = Situation::new("").decide().unwrap();
    let ImageAction::Build { build, .. } = &plan.images[0].action else { panic!() };
    assert_eq!(build.labels["dev.longshore.content-key"], "a".repeat(64));
    assert_eq!(plan.images[0].staging, Some(key('a').tag()));
}

#[test]
fn a_plan_with_nothing_to_do_says_so() {
    let ours = ["1.0.0", "1.0", "1"].map(|tag| (tag, image("ours")));
    let plan = Situation::new("").with_content(false, 0, &ours).decide().unwrap();
    assert!(!plan.changes_anything());
}

#[test]
fn an_old_image_is_built_anew() {
    let why = Situation::new("").with_content(false, 8, &[]).built_because();
    assert_eq!(why, "the image with this content is 8 days old, and `reuse.max_age` 7 days");
    let hourly = Situation::new("    reuse: { max_age: 12h }\n").with_content(false, 1, &[]).built_because();
    assert_eq!(hourly, "the image with this content is 1 day old, and `reuse.max_age` 12 hours");
    let (why, _) = Situation::new("").with_content(true, 8, &[]).reused_because();
    assert_eq!(why, format!("its content did not change, and {} cannot move in this repository", key('a').tag()));
}

#[test]
fn reuse_can_be_refused() {
    let never = Situation::new("    reuse: false\n").with_content(false, 0, &[]);
    assert_eq!(never.built_because(), "`reuse` is off");
    let forced = Situation { force: true, ..Situation::new("").with_content(false, 0, &[]) };
    assert_eq!(forced.built_because(), "a build is forced");
    let frozen = Situation { force: true, ..Situation::new("").with_content(true, 0, &[]) };
    let expected = format!(
        "image `web` cannot be built again: `web` already has an image with this content\n --> longshore.yaml:3:3\n  |\n\
         3 |   web:\n  |   ^^^\n\
         caused by: {} is {}, and that repository's tags are immutable\n\
         hint: except `src-*` from immutability under `tag_mutability`, or build without forcing it",
        key('a').tag(),
        image("ours").digest
    );
    assert_eq!(frozen.decide().unwrap_err(), expected);
}

#[test]
fn a_frozen_tag_on_the_image_that_is_wanted_is_no_conflict() {
    let (_, digest) = Situation::new("").with_content(true, 0, &[("1.0.0", image("ours"))]).reused_because();
    assert_eq!(digest, image("ours").digest);
}

#[test]
fn a_frozen_tag_on_another_image_of_this_content_decides_which_is_released() {
    let theirs = StoredImage { content_key: Some(key('a').to_string()), ..image("theirs") };
    let (why, digest) = Situation::new("").with_content(true, 0, &[("1.0.0", theirs.clone())]).reused_because();
    assert_eq!((why.as_str(), digest), ("tag `1.0.0` names an image with this content", theirs.digest));
}

#[test]
fn a_frozen_tag_on_other_content_is_an_error_that_names_both() {
    let theirs =
        StoredImage { content_key: Some(key('b').to_string()), revision: Some("2".repeat(40)), ..image("theirs") };
    let expected = format!(
        "tag `1.0.0` is taken in `web`, and that repository's tags are immutable\n --> longshore.yaml:5:12\n  |\n\
         5 |     tags: [semver]\n  |            ^^^^^^\n\
         caused by: 1.0.0 is {}, built from commit {}\n\
         caused by: it should be {}\n\
         hint: nothing was built; tag a new version in git, or except the tag from immutability under `tag_mutability`",
        theirs.digest,
        "2".repeat(40),
        image("ours").digest
    );
    assert_eq!(Situation::new("").with_content(true, 0, &[("1.0.0", theirs)]).decide().unwrap_err(), expected);
}

#[test]
fn without_a_key_the_commit_tells_whether_a_frozen_tag_is_ours() {
    let of = |revision: &str| StoredImage { revision: Some(revision.to_owned()), ..image("theirs") };
    let mut situation = Situation::new("").with_repository(true, &[("1.0.0", of(commit().as_str()))]);
    situation.content.key = Err("unknown".into());
    let (why, _) = situation.reused_because();
    assert_eq!(why, "tag `1.0.0` is immutable and names the image of this very commit");
    situation.dirty = true;
    assert!(situation.decide().is_err(), "what is built would not be that commit");
    let mut situation = Situation::new("").with_repository(true, &[("1.0.0", of("other"))]);
    situation.content.key = Err("unknown".into());
    assert!(situation.decide().is_err());
}

#[test]
fn a_missing_repository_that_shall_not_be_created() {
    let expected = "repository `web` does not exist in 123456789012.dkr.ecr.us-east-1.amazonaws.com\n\
                    hint: remove `create: false` to have it created, or create it with `aws ecr create-repository \
                    --repository-name web --region us-east-1`\n\
                    hint: ECR calls a repository missing if it is in another region, too: `longshore doctor` looks for it";
    let problem = Situation::new("    repository: { create: false }\n").decide().unwrap_err();
    assert_eq!(
        problem.lines().filter(|line| !line.contains('|') && !line.contains("-->")).collect::<Vec<_>>().join("\n"),
        expected
    );
}

impl Situation {
    /// The image is for two platforms; the keys of its parts are `bb…` and `cc…`.
    fn for_two_platforms(more: &str) -> Self {
        let mut situation = Situation::new(more);
        let part = |platform: &str, digit: char| PartFacts {
            platform: platform.parse().unwrap(),
            content: ContentFacts { key: Ok(key(digit)), ..situation.content.clone() },
        };
        situation.pipeline.images[0].build.platforms =
            vec!["linux/amd64".parse().unwrap(), "linux/arm64".parse().unwrap()];
        situation.content.parts = vec![part("linux/amd64", 'b'), part("linux/arm64", 'c')];
        situation
    }

    fn in_scope(mut self, scope: Wanted) -> Self {
        self.scope = scope;
        self
    }

    /// What is done for each platform: `+` built, `=` reused.
    fn parts(&self) -> Vec<String> {
        let ImageAction::Assemble { parts, .. } = self.decide().unwrap().images.remove(0).action else {
            panic!("it is no index that is made")
        };
        let sign = |action: &PartAction| if matches!(action, PartAction::Build { .. }) { '+' } else { '=' };
        parts.iter().map(|part| format!("{} {}", sign(&part.action), part.platform)).collect()
    }
}

#[test]
fn platforms_are_built_and_reused_each_for_itself() {
    assert_eq!(Situation::for_two_platforms("").parts(), ["+ linux/amd64", "+ linux/arm64"]);
    let staged = [(&*key('c').tag().to_string(), image("arm"))];
    let situation = Situation::for_two_platforms("").with_repository(true, &staged);
    assert_eq!(situation.parts(), ["+ linux/amd64", "= linux/arm64"]);
    let situation = Situation::for_two_platforms("").with_content(false, 0, &staged);
    assert!(situation.reused_because().0.contains("did not change"), "the index is there");
}

#[test]
fn a_run_for_one_platform_leaves_the_others_out() {
    let arm = || Wanted::Platforms(vec!["linux/arm64/v8".parse().unwrap()]);
    assert_eq!(Situation::for_two_platforms("").in_scope(arm()).parts(), ["+ linux/arm64"]);
    // An image that names no platform is the builder's own.
    let problem = Situation::new("").in_scope(arm()).decide().unwrap_err();
    let expected = "no image is built for linux/arm64/v8\nhint: the images here are built for linux/amd64";
    assert_eq!(problem, expected);
    let amd = Wanted::Platforms(vec!["linux/amd64".parse().unwrap()]);
    assert_eq!(Situation::new("").in_scope(amd).built_because(), "first run: the repository is new");

    let mut unknowable = Situation::for_two_platforms("").in_scope(arm());
    unknowable.content.parts[0].content.key = Err("its Dockerfile adds https://example.com/x".into());
    let problem = unknowable.decide().unwrap_err();
    assert!(problem.contains("image `web` cannot be built in several runs"), "{problem}");
    assert!(problem.contains("caused by: its Dockerfile adds https://example.com/x"), "{problem}");
}

#[test]
fn a_merge_takes_what_is_there_and_builds_nothing() {
    let part = |digit: char, days: i64| {
        (key(digit).tag().to_string(), StoredImage { pushed_at: Some(NOW - Duration::days(days)), ..image("x") })
    };
    let (amd, arm) = (part('b', 0), part('c', 30));
    let merge = |taken: &[(&str, StoredImage)], more: &str| {
        Situation::for_two_platforms(more).with_repository(false, taken).in_scope(Wanted::Merge)
    };
    let both = [(&*amd.0, amd.1.clone()), (&*arm.0, arm.1.clone())];
    assert_eq!(merge(&both, "").parts(), ["= linux/amd64", "= linux/arm64"], "whatever their age");
    assert_eq!(merge(&both, "    reuse: false\n").parts(), ["= linux/amd64", "= linux/arm64"]);
    let expected = "the image of `web` for linux/arm64 is not in `web` yet\n\
                    caused by: no image in the repository has this content\n\
                    caused by: it is looked for as `src-cccccccccccccccccccc`\n\
                    hint: run `longshore run --platform linux/arm64 --stage-only web` from the same commit first, on a machine \
                    for it";
    assert_eq!(merge(&both[..1], "").decide().unwrap_err(), expected);
    let nothing = Situation::new("").in_scope(Wanted::Merge).decide().unwrap_err();
    assert!(nothing.starts_with("image `web` is not in `web` yet\n"), "{nothing}");
}
