//! Where the layer cache of an image is looked for and kept: `cache:` in the pipeline file, in terms of the registry.

use serde::Serialize;

use super::tags::tag_of;
use crate::facts::{Facts, RepositoryFacts, RepositorySettings};
use crate::names::{Digest, ImageRef, Platform, RegistryHost, RepositoryName, Tag};
use crate::pipeline::{Cache, CacheKind, CacheMode, Image, Mutability, Repository};

/// A cache of layers in the run's own registry, for whatever engine builds: what each can do of it is for `effects` to
/// know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CachePlan {
    /// In an artifact of its own, or in the image.
    pub kind: CacheKind,
    /// Which layers are kept.
    pub mode: CacheMode,
    /// What is read, if the registry has it; the first that knows a layer gives it.
    pub from: Vec<ImageRef>,
    /// Where it is kept; nowhere if that cannot be.
    pub to: Option<ImageRef>,
    /// Why it is kept nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<String>,
    /// The pipeline file asks for it; else it is there because this CI system loses the builder's own cache.
    pub asked: bool,
}

/// The CI system whose builders start empty every time: its local cache is kept at best for a while.
/// Source: AWS CodeBuild user guide, "Cache builds to improve performance".
const FORGETFUL: &str = "AWS CodeBuild";

/// How many images under release tags are asked for what they hold besides those that were kept for that.
const MOST_RELEASED: usize = 2;

/// The repository of its own that an image's cache has, if it has one.
pub fn own_repository<'i>(image: &'i Image, facts: &Facts) -> Option<&'i RepositoryName> {
    let (wish, _) = of(image, facts)?;
    wish.repository
}

/// The cache tags that a run wants to know of: that of what is built, and those of the branches that it came from.
pub fn tags(image: &Image, facts: &Facts, platform: Option<&Platform>) -> Vec<Tag> {
    if of(image, facts).is_none() {
        return Vec::new();
    }
    let refs = &facts.refs;
    let pull_request = refs.pull_request.as_ref().map(|number| format!("pr-{}", number.value));
    let branch = refs.branch.as_ref().map(|branch| branch.value.clone());
    let own = pull_request.or(branch);
    let others = [&facts.source_branch, &facts.base_branch, &facts.default_branch];
    let others = others.into_iter().filter_map(|known| Some(known.as_ref()?.value.clone()));
    let mut tags: Vec<Tag> = Vec::new();
    for tag in own.into_iter().chain(others).filter_map(|name| cache_tag(&name, platform)) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// `cache-<name>`, with the architecture after it where an image has several platforms.
fn cache_tag(name: &str, platform: Option<&Platform>) -> Option<Tag> {
    let architecture = platform.map(|platform| {
        let (_, architecture, variant) = platform.split();
        format!("-{architecture}{variant}")
    });
    tag_of(&format!("cache-{name}{}", architecture.unwrap_or_default()))
}

/// What is asked for, as far as it does not depend on the registry.
struct Wish<'i> {
    kind: CacheKind,
    mode: CacheMode,
    repository: Option<&'i RepositoryName>,
}

/// What holds for an image, and whether the file asks for it.
fn of<'i>(image: &'i Image, facts: &Facts) -> Option<(Wish<'i>, bool)> {
    match &image.build.cache {
        Some(Cache::Off) => None,
        Some(Cache::On { kind, mode, repository }) => {
            Some((Wish { kind: *kind, mode: *mode, repository: repository.as_ref() }, true))
        }
        None if facts.machine == Some(FORGETFUL) => {
            let wish = Wish { kind: CacheKind::Registry, mode: CacheMode::Max, repository: None };
            Some((wish, false))
        }
        None => None,
    }
}

/// What a cache is planned with.
pub(super) struct Ground<'a> {
    pub(super) facts: &'a Facts,
    pub(super) registry: &'a RegistryHost,
    /// The image's repository, if it exists.
    pub(super) there: Option<&'a RepositoryFacts>,
    /// The same for the cache's own.
    pub(super) cache_there: Option<&'a RepositoryFacts>,
    /// What those of the image's release tags name that are taken.
    pub(super) released: &'a [Digest],
}

/// Plans the cache of an image, or of one platform of it.
pub(super) fn plan(image: &Image, platform: Option<&Platform>, ground: &Ground<'_>) -> Option<CachePlan> {
    let (wish, asked) = of(image, ground.facts)?;
    let repository = wish.repository.unwrap_or(&image.repository.name);
    let there = if wish.repository.is_some() { ground.cache_there } else { ground.there };
    let tags = tags(image, ground.facts, platform);
    let is_built = ground.facts.refs.pull_request.is_some() || ground.facts.refs.branch.is_some();
    let own = tags.first().filter(|_| is_built);
    let frozen = |tag: &Tag| match (there, wish.repository) {
        (Some(there), _) => there.is_frozen(tag),
        (None, Some(_)) => false,
        (None, None) => would_be_frozen(&image.repository, tag),
    };
    let not_kept = match own {
        None => Some("neither a branch nor a pull request is built".to_owned()),
        Some(tag) if frozen(tag) => Some(format!(
            "the tag `{tag}` cannot move in `{repository}`; except `cache-*` under `tag_mutability`, or give `cache` a \
             `repository` of its own"
        )),
        Some(_) => None,
    };
    let is_there = |tag: &&Tag| there.is_some_and(|there| there.taken.contains_key(*tag));
    let mut from: Vec<ImageRef> =
        tags.iter().filter(is_there).map(|tag| ImageRef::tagged(ground.registry, repository, tag)).collect();
    let released = ground.released.iter().take(MOST_RELEASED);
    from.extend(released.map(|digest| ImageRef::digested(ground.registry, &image.repository.name, digest)));
    let to = own.filter(|_| not_kept.is_none()).map(|tag| ImageRef::tagged(ground.registry, repository, tag));
    Some(CachePlan { kind: wish.kind, mode: wish.mode, from, to, not_kept, asked })
}

/// The same as of a repository that exists, of one that is created.
fn would_be_frozen(repository: &Repository, tag: &Tag) -> bool {
    let mutability = &repository.tag_mutability;
    let planned = RepositoryFacts {
        name: repository.name.clone(),
        immutable: mutability.mode == Mutability::Immutable,
        except: mutability.except.clone(),
        settings: RepositorySettings::default(),
        taken: std::collections::BTreeMap::new(),
    };
    planned.is_frozen(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Known, Refs, StoredImage};
    use crate::pipeline;
    use std::collections::BTreeMap;

    fn image(build: &str, repository: &str) -> Image {
        let text = format!(
            "version: 1\nimages: {{ web: {{ build: {{ context: ., {build} }}, tags: [x], repository: {repository} }} }}"
        );
        let (pipeline, _) = pipeline::parse("longshore.yaml", text).unwrap().resolve(&|_| None).unwrap();
        pipeline.images.into_iter().next().unwrap()
    }

    fn known(value: &str) -> Option<Known<String>> {
        Some(Known::new(value.to_owned(), "test"))
    }

    fn on(refs: Refs) -> Facts {
        Facts { refs, default_branch: known("main"), ..Facts::default() }
    }

    fn planned(image: &Image, facts: &Facts, there: Option<&RepositoryFacts>) -> Option<CachePlan> {
        let registry = "127.0.0.1:5000".parse().unwrap();
        let released = [Digest::of(b"released")];
        plan(image, None, &Ground { facts, registry: &registry, there, cache_there: there, released: &released })
    }

    #[test]
    fn tags_come_from_what_is_built() {
        let image = image("cache: registry", "web");
        let names = |facts: &Facts, platform: Option<&Platform>| -> Vec<String> {
            tags(&image, facts, platform).iter().map(ToString::to_string).collect()
        };
        let branch = on(Refs::branch(known("fix/#7").unwrap()));
        assert_eq!(names(&branch, None), ["cache-fix-7", "cache-main"]);
        assert_eq!(names(&branch, Some(&"linux/arm/v7".parse().unwrap())), ["cache-fix-7-armv7", "cache-main-armv7"]);
        let change = Facts {
            source_branch: known("fix"),
            base_branch: known("release"),
            ..on(Refs::pull_request(known("7").unwrap()))
        };
        assert_eq!(names(&change, None), ["cache-pr-7", "cache-fix", "cache-release", "cache-main"]);
        assert_eq!(names(&on(Refs::tag(known("v1").unwrap())), None), ["cache-main"]);
        assert_eq!(names(&on(Refs::branch(known("main").unwrap())), None), ["cache-main"]);
    }

    #[test]
    fn what_is_there_is_read_and_only_a_branch_keeps_anything() {
        let name: RepositoryName = "web".parse().unwrap();
        let taken = BTreeMap::from([("cache-main".parse().unwrap(), StoredImage::new(Digest::of(b"cache")))]);
        let settings = RepositorySettings::default();
        let there = RepositoryFacts { name, immutable: false, except: Vec::new(), settings, taken };
        let image = image("cache: registry", "web");
        let cache = planned(&image, &on(Refs::branch(known("fix").unwrap())), Some(&there)).unwrap();
        let from: Vec<String> = cache.from.iter().map(ToString::to_string).collect();
        let released = format!("127.0.0.1:5000/web@{}", Digest::of(b"released"));
        assert_eq!(from, ["127.0.0.1:5000/web:cache-main", &released]);
        assert_eq!(cache.to.unwrap().to_string(), "127.0.0.1:5000/web:cache-fix");
        let cache = planned(&image, &on(Refs::tag(known("v1").unwrap())), Some(&there)).unwrap();
        assert_eq!((cache.from.len(), cache.to), (2, None));
        assert_eq!(cache.not_kept.as_deref(), Some("neither a branch nor a pull request is built"));
    }

    #[test]
    fn immutable_tags_are_left_alone() {
        let facts = on(Refs::branch(known("main").unwrap()));
        let not_kept = |image: &Image| planned(image, &facts, None).unwrap().not_kept.is_some();
        let frozen = "{ name: web, tag_mutability: IMMUTABLE }";
        assert!(not_kept(&image("cache: registry", frozen)));
        assert!(!not_kept(&image("cache: { repository: cache }", frozen)));
        let except = "{ name: web, tag_mutability: { mode: IMMUTABLE, except: [\"cache-*\"] } }";
        assert!(!not_kept(&image("cache: registry", except)));
    }

    #[test]
    fn codebuild_has_one_unless_it_is_refused() {
        let facts = Facts { machine: Some(FORGETFUL), ..on(Refs::branch(known("main").unwrap())) };
        let unasked = planned(&image("pull: false", "web"), &facts, None).unwrap();
        assert_eq!((unasked.kind, unasked.mode, unasked.asked), (CacheKind::Registry, CacheMode::Max, false));
        assert_eq!(planned(&image("cache: false", "web"), &facts, None), None);
        let elsewhere = Facts { machine: Some("Jenkins"), ..facts };
        assert_eq!(planned(&image("pull: false", "web"), &elsewhere, None), None);
    }
}
