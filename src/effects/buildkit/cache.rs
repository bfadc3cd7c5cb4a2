//! Caches of layers, in BuildKit's words and as far as an engine knows them.
//!
//! Source: BuildKit's README, "Cache"; the Docker engine's `builder/builder-next`, which registers fewer kinds.

use std::collections::HashMap;

use bollard_buildkit_proto::moby::buildkit::v1::{CacheOptions, CacheOptionsEntry};

use crate::effects::docker::EngineFacts;
use crate::facts::Variables;
use crate::names::ImageRef;
use crate::pipeline::{CacheEntry, CacheKind, CacheMode};
use crate::plan::{BuildPlan, CachePlan};

type Attributes = HashMap<String, String>;

/// Whether the image of this build will hold its own layers' cache for [`CachePlan::to`]: where that is asked for, and
/// where the engine can keep no other.
pub(super) fn is_inline(build: &BuildPlan, facts: &EngineFacts) -> bool {
    build.cache.as_ref().is_some_and(|cache| cache.kind == CacheKind::Inline || !facts.exports_caches())
}

/// What is read and what is kept. Whatever the engine cannot do is warned of: a build without cache is only slower.
pub(super) fn caches(
    build: &BuildPlan,
    facts: &EngineFacts,
    variables: &Variables,
    warn: &dyn Fn(String),
) -> CacheOptions {
    let options = &build.options;
    let entry = |entry: &CacheEntry| CacheOptionsEntry {
        r#type: entry.kind.clone(),
        attrs: with_credentials(entry, variables),
    };
    let usable = |field: &str, entries: &[CacheEntry], lacks: &dyn Fn(&str) -> bool| {
        let (lost, kept): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| lacks(&entry.kind));
        for lost in lost {
            warn(format!("{} cannot use the `{field}` of type `{}`; it is left out", facts.name(), lost.kind));
        }
        kept.into_iter().map(entry).collect::<Vec<_>>()
    };
    // A local cache would have to be kept by us.
    let import = |kind: &str| kind == "local" || (!facts.exports_caches() && !matches!(kind, "registry" | "inline"));
    let export = |kind: &str| kind == "local" || (!facts.exports_caches() && kind != "inline");
    let mut imports = usable("cache_from", &options.cache_from, &import);
    let mut exports = usable("cache_to", &options.cache_to, &export);
    if let Some(cache) = &build.cache {
        imports.extend(cache.from.iter().map(|reference| registry(reference, [])));
        exports.extend(kept(build, cache, facts, warn));
        exports.dedup_by(|one, other| one.r#type == "inline" && other.r#type == "inline");
    }
    // A cache that cannot be kept is no reason to fail; inline ones are part of the image.
    for entry in exports.iter_mut().filter(|entry| entry.r#type != "inline") {
        entry.attrs.entry("ignore-error".into()).or_insert_with(|| "true".into());
    }
    CacheOptions { imports, exports, ..CacheOptions::default() }
}

/// How `cache:` is kept by this engine.
fn kept(build: &BuildPlan, cache: &CachePlan, facts: &EngineFacts, warn: &dyn Fn(String)) -> Option<CacheOptionsEntry> {
    if let (Some(why), true) = (&cache.not_kept, cache.asked) {
        warn(format!("the layer cache is not kept: {why}"));
    }
    if is_inline(build, facts) {
        if cache.kind == CacheKind::Registry && cache.mode == CacheMode::Max && cache.asked {
            warn(format!(
                "{} keeps a layer cache in the image only: of `cache`, the layers of other stages are left out",
                facts.name()
            ));
        }
        return Some(CacheOptionsEntry { r#type: "inline".into(), attrs: Attributes::new() });
    }
    let mode = if cache.mode == CacheMode::Max { "max" } else { "min" };
    // ECR takes a cache only as an image's manifest and with OCI's media types. Source: AWS, "Announcing remote cache
    // support in Amazon ECR for BuildKit clients".
    let form = [("mode", mode), ("image-manifest", "true"), ("oci-mediatypes", "true")];
    cache.to.as_ref().map(|reference| registry(reference, form))
}

fn registry<const N: usize>(reference: &ImageRef, more: [(&str, &str); N]) -> CacheOptionsEntry {
    let more = more.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let attrs = more.chain([("ref".to_owned(), reference.to_string())]).collect();
    CacheOptionsEntry { r#type: "registry".into(), attrs }
}

/// What GitHub's runner tells its steps of the cache service. Source: BuildKit, "GitHub Actions cache".
const GITHUB_CACHE: [(&str, &str); 3] =
    [("url", "ACTIONS_CACHE_URL"), ("url_v2", "ACTIONS_RESULTS_URL"), ("token", "ACTIONS_RUNTIME_TOKEN")];

fn with_credentials(entry: &CacheEntry, variables: &Variables) -> Attributes {
    let mut attributes: Attributes = entry.attributes.clone().into_iter().collect();
    if entry.kind == "gha" {
        for (name, variable) in GITHUB_CACHE {
            if let Some(value) = variables.get(variable).filter(|value| !value.is_empty()) {
                attributes.entry(name.to_owned()).or_insert_with(|| value.clone());
            }
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{ContextSource, Dockerfile};
    use std::cell::RefCell;

    fn build(kind: CacheKind, mode: CacheMode) -> BuildPlan {
        let host = "123456789012.dkr.ecr.us-east-1.amazonaws.com".parse().unwrap();
        let reference = |tag: &str| ImageRef::tagged(&host, &"web".parse().unwrap(), &tag.parse().unwrap());
        let (from, to) = (vec![reference("cache-main")], Some(reference("cache-fix")));
        BuildPlan {
            cache: Some(CachePlan { kind, mode, from, to, not_kept: None, asked: true }),
            ..BuildPlan::plain(ContextSource::Stdin, Dockerfile::Inline(String::new()))
        }
    }

    fn seen(build: &BuildPlan, containerd_store: bool) -> (CacheOptions, Vec<String>) {
        let facts = EngineFacts { containerd_store, version: "1".into(), ..EngineFacts::default() };
        let warnings = RefCell::new(Vec::new());
        let found = caches(build, &facts, &Variables::new(), &|text| warnings.borrow_mut().push(text));
        (found, warnings.into_inner())
    }

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_registry_cache_has_the_form_that_ecr_takes() {
        let (found, warnings) = seen(&build(CacheKind::Registry, CacheMode::Max), true);
        let host = "123456789012.dkr.ecr.us-east-1.amazonaws.com/web";
        let expected = [
            ("mode", "max"),
            ("image-manifest", "true"),
            ("oci-mediatypes", "true"),
            ("ignore-error", "true"),
            ("ref", &format!("{host}:cache-fix")),
        ];
        assert_eq!((found.exports.len(), &found.exports[0].attrs), (1, &attributes(&expected)));
        assert_eq!(found.imports[0].attrs, attributes(&[("ref", &format!("{host}:cache-main"))]));
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn where_only_the_image_can_hold_a_cache_it_does() {
        let (found, warnings) = seen(&build(CacheKind::Registry, CacheMode::Max), false);
        assert_eq!(found.exports.len(), 1);
        assert_eq!((found.exports[0].r#type.as_str(), found.exports[0].attrs.len()), ("inline", 0));
        assert_eq!(found.imports[0].r#type, "registry");
        let expected =
            "Docker 1 keeps a layer cache in the image only: of `cache`, the layers of other stages are left out";
        assert_eq!(warnings, [expected]);
        assert_eq!(seen(&build(CacheKind::Registry, CacheMode::Min), false).1, Vec::<String>::new());
    }
}
