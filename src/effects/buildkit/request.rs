//! A build in the words of BuildKit's `Solve`.
//!
//! Source of the attributes: BuildKit, `frontend/dockerfile`, and the exporters' and caches' parts of its README.

use std::collections::HashMap;

use bollard_buildkit_proto::moby::buildkit::v1::SolveRequest;

use crate::effects::docker::EngineFacts;
use crate::facts::Variables;
use crate::plan::BuildPlan;

use super::cache;

type Attributes = HashMap<String, String>;

/// The request, but for what depends on where the Dockerfile and the contexts are; `further` is that.
pub(super) fn solve(
    build: &BuildPlan,
    facts: &EngineFacts,
    variables: &Variables,
    further: Attributes,
    warn: &dyn Fn(String),
) -> SolveRequest {
    let cache = cache::caches(build, facts, variables, warn);
    let mut attributes = frontend(build);
    if !cache.imports.is_empty() {
        let imports =
            cache.imports.iter().map(|entry| serde_json::json!({ "Type": entry.r#type, "Attrs": entry.attrs }));
        attributes.insert("cache-imports".into(), serde_json::Value::from_iter(imports).to_string());
    }
    attributes.extend(further);
    let mut entitlements = build.options.entitlements.clone();
    if build.network.as_deref() == Some("host") && !entitlements.iter().any(|one| one == NETWORK_HOST) {
        entitlements.push(NETWORK_HOST.to_owned());
    }
    let mut exporter = Attributes::new();
    if build.source_date_epoch.is_some() && facts.rewrites_timestamps() {
        exporter.insert("rewrite-timestamp".into(), "true".into());
    }
    // The older form of naming the exporter is the one that every engine reads.
    SolveRequest {
        r#ref: random_id(),
        session: random_id(),
        frontend: "dockerfile.v0".into(),
        frontend_attrs: attributes,
        exporter_deprecated: "moby".into(),
        exporter_attrs_deprecated: exporter,
        cache: Some(cache),
        entitlements,
        ..SolveRequest::default()
    }
}

const NETWORK_HOST: &str = "network.host";

/// A name that no other build or session has.
pub(super) fn random_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

fn frontend(build: &BuildPlan) -> Attributes {
    let options = &build.options;
    let mut attributes = Attributes::new();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            attributes.insert(name.to_owned(), value);
        }
    };
    for (name, value) in &build.args {
        set(&format!("build-arg:{name}"), Some(value.clone()));
    }
    if !build.args.contains_key("SOURCE_DATE_EPOCH") {
        set("build-arg:SOURCE_DATE_EPOCH", build.source_date_epoch.map(|seconds| seconds.to_string()));
    }
    for (name, value) in &build.labels {
        set(&format!("label:{name}"), Some(value.clone()));
    }
    set("target", build.target.clone());
    set("platform", build.platform.as_ref().map(ToString::to_string));
    // Without names it means every stage.
    let stages = (!options.no_cache_filter.is_empty()).then(|| options.no_cache_filter.join(","));
    set("no-cache", if build.no_cache { Some(String::new()) } else { stages });
    set("image-resolve-mode", build.pull.then(|| "pull".to_owned()));
    set("force-network-mode", build.network.clone().filter(|network| network != "default"));
    let joined = |parts: Vec<String>| (!parts.is_empty()).then(|| parts.join(","));
    set("add-hosts", joined(build.extra_hosts.iter().map(|(host, address)| format!("{host}={address}")).collect()));
    set("shm-size", build.shm_size.map(|bytes| bytes.to_string()));
    set(
        "ulimit",
        joined(options.ulimits.iter().map(|one| format!("{}={}:{}", one.name, one.soft, one.hard)).collect()),
    );
    set("attest:provenance", options.provenance.clone());
    set("attest:sbom", options.sbom.clone());
    attributes
}
