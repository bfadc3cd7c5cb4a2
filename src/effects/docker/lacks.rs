//! What an engine cannot do of what a pipeline file can ask for: one table, for builds and for whoever wants to know before.

use serde::Serialize;

use super::EngineFacts;
use crate::pipeline::NamedContext;
use crate::plan::{BuildPlan, ContextSource};

/// The way on which a build goes to an engine; each carries other things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Road {
    /// BuildKit's own protocol.
    Session,
    /// An archive for BuildKit, where a connection cannot be handed over: Windows' pipes.
    Archive,
    /// An archive for the classic builder.
    Classic,
    /// An archive for Podman's builder.
    Podman,
}

/// Something that an engine cannot do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// The field of `build`, or what else is missing, as in `additional_contexts` or `folder times`.
    pub what: &'static str,
    /// What comes of it.
    pub outcome: Outcome,
    /// Where it can be had.
    pub remedy: &'static str,
}

/// What becomes of a build that asks for what the engine lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is refused before anything is sent.
    Error,
    /// It goes on without, and says so.
    Warning,
    /// Nobody asks for it; the image is only less than it could be.
    Quiet,
}

const BUILDKIT: &str = "use BuildKit, which Docker 20.10 and later have";
const NEW_BUILDKIT: &str = "use Docker 23.0 or later";
const CONTAINERD: &str = "use Docker 29, or an earlier one with the containerd image store turned on";

/// One row of the table.
struct Row {
    what: &'static str,
    outcome: Outcome,
    lacks: fn(Road, &EngineFacts) -> Option<&'static str>,
    /// Whether a build asks for it.
    asked: fn(&BuildPlan, Road) -> bool,
}

fn session_only(road: Road, _: &EngineFacts) -> Option<&'static str> {
    (road != Road::Session).then_some(BUILDKIT)
}

fn attests(road: Road, facts: &EngineFacts) -> Option<&'static str> {
    (road != Road::Session || !facts.containerd_store).then_some(CONTAINERD)
}

fn reads_caches(road: Road, _: &EngineFacts) -> Option<&'static str> {
    matches!(road, Road::Classic | Road::Podman).then_some(BUILDKIT)
}

/// The first named context that the engine itself has to know: on BuildKit's road, names of images are replaced in the
/// Dockerfile where the engine does not know them.
fn unreplaced(build: &BuildPlan, road: Road) -> Option<&String> {
    let is_image = |context: &NamedContext| matches!(context, NamedContext::Planned(_) | NamedContext::Image(_));
    let replaces = road == Road::Session && build.context.folder().is_some();
    build.contexts.iter().find(|(_, context)| !(replaces && is_image(context))).map(|(name, _)| name)
}

/// Whether a URL names a folder of a git repository: `#ref:folder`.
fn names_folder(url: &str) -> bool {
    let folder = url.split_once('#').and_then(|(_, fragment)| fragment.split_once(':'));
    folder.is_some_and(|(_, folder)| !folder.trim_matches('/').is_empty())
}

/// The classic builder has limits of its own; Podman's compatible API reads them in a form that differs by version.
fn limits(road: Road, facts: &EngineFacts) -> Option<&'static str> {
    match road {
        Road::Session => (!facts.knows_named_contexts()).then_some(NEW_BUILDKIT),
        Road::Archive | Road::Podman => Some(NEW_BUILDKIT),
        Road::Classic => None,
    }
}

const TABLE: &[Row] = &[
    Row {
        what: "context",
        outcome: Outcome::Error,
        lacks: session_only,
        asked: |build, _| build.context.folder().is_none(),
    },
    Row {
        what: "context: folder of a repository",
        outcome: Outcome::Error,
        // BuildKit takes a part of a git repository since 0.10; seen to refuse it on 20.10.
        lacks: |road, facts| (road == Road::Session && !facts.knows_named_contexts()).then_some(NEW_BUILDKIT),
        asked: |build, _| matches!(&build.context, ContextSource::Remote(url) if names_folder(url)),
    },
    Row {
        what: "additional_contexts",
        outcome: Outcome::Error,
        lacks: |road, facts| match road {
            Road::Session => (!facts.knows_named_contexts()).then_some(NEW_BUILDKIT),
            Road::Archive | Road::Classic | Road::Podman => Some(BUILDKIT),
        },
        asked: |build, road| unreplaced(build, road).is_some(),
    },
    Row {
        what: "secrets",
        outcome: Outcome::Error,
        lacks: session_only,
        asked: |build, _| !build.options.secrets.is_empty(),
    },
    Row { what: "ssh", outcome: Outcome::Error, lacks: session_only, asked: |build, _| !build.options.ssh.is_empty() },
    Row {
        what: "no_cache_filter",
        outcome: Outcome::Error,
        lacks: session_only,
        asked: |build, _| !build.options.no_cache_filter.is_empty(),
    },
    Row {
        what: "entitlements",
        outcome: Outcome::Error,
        lacks: session_only,
        asked: |build, _| !build.options.entitlements.is_empty(),
    },
    Row {
        what: "shm_size",
        outcome: Outcome::Error,
        lacks: |road, facts| {
            let by_buildkit = matches!(road, Road::Session | Road::Archive);
            (by_buildkit && !facts.buildkit_obeys_shm_size())
                .then_some("use Docker 23.0 or later, or the classic builder with DOCKER_BUILDKIT=0")
        },
        asked: |build, _| build.shm_size.is_some(),
    },
    Row {
        what: "ulimits",
        outcome: Outcome::Error,
        lacks: limits,
        asked: |build, _| !build.options.ulimits.is_empty(),
    },
    Row {
        what: "provenance",
        outcome: Outcome::Error,
        lacks: attests,
        asked: |build, _| build.options.provenance.is_some(),
    },
    Row { what: "sbom", outcome: Outcome::Error, lacks: attests, asked: |build, _| build.options.sbom.is_some() },
    Row {
        what: "cache_from",
        outcome: Outcome::Warning,
        lacks: reads_caches,
        asked: |build, _| !build.options.cache_from.is_empty(),
    },
    Row {
        what: "cache_to",
        outcome: Outcome::Warning,
        lacks: reads_caches,
        asked: |build, _| !build.options.cache_to.is_empty(),
    },
    Row {
        what: "cache",
        outcome: Outcome::Warning,
        lacks: reads_caches,
        asked: |build, _| build.cache.as_ref().is_some_and(|cache| cache.asked),
    },
    Row {
        what: "a cache apart from the image",
        outcome: Outcome::Quiet,
        lacks: |_, facts| (!facts.exports_caches()).then_some(CONTAINERD),
        asked: |_, _| false,
    },
    Row {
        what: "the times of folders of the context",
        outcome: Outcome::Quiet,
        lacks: |road, facts| (road == Road::Session && !facts.keeps_folder_times()).then_some(NEW_BUILDKIT),
        asked: |_, _| false,
    },
    Row {
        what: "the times of what steps make",
        outcome: Outcome::Quiet,
        lacks: |road, facts| (road != Road::Podman && !facts.rewrites_timestamps()).then_some(CONTAINERD),
        asked: |_, _| false,
    },
];

/// Everything that an engine lacks on a road, those first for which a build is refused.
pub fn lacks(road: Road, facts: &EngineFacts) -> Vec<Lack> {
    let lack = |row: &Row| Some(Lack { what: row.what, outcome: row.outcome, remedy: (row.lacks)(road, facts)? });
    TABLE.iter().filter_map(lack).collect()
}

/// Where something can be had that an engine lacks; its field may have more behind it, as in `additional_contexts: base`.
pub fn remedy(road: Road, facts: &EngineFacts, field: &str) -> &'static str {
    let name = field.split(':').next().unwrap_or(field);
    let row = TABLE.iter().find(|row| row.what == field).or_else(|| TABLE.iter().find(|row| row.what == name));
    row.and_then(|row| (row.lacks)(road, facts)).unwrap_or("use a newer Docker, or remove the field")
}

/// What a build asks for in vain, each with the field as the user knows it.
pub fn asked_in_vain(road: Road, facts: &EngineFacts, build: &BuildPlan) -> Vec<(String, Lack)> {
    let asked = |lack: &Lack| TABLE.iter().any(|row| row.what == lack.what && (row.asked)(build, road));
    let named = |lack: Lack| match unreplaced(build, road).filter(|_| lack.what == "additional_contexts") {
        Some(name) => (format!("{}: {name}", lack.what), lack),
        None => (lack.what.to_owned(), lack),
    };
    lacks(road, facts).into_iter().filter(asked).map(named).collect()
}

impl EngineFacts {
    /// The road of builds to this engine. `classic` is that the user wants the classic builder, `piped` that the engine is
    /// behind one of Windows' pipes.
    pub fn road(&self, classic: bool, piped: bool) -> Road {
        match (self.podman, classic || !self.buildkit, piped) {
            (true, ..) => Road::Podman,
            (false, true, _) => Road::Classic,
            (false, false, true) => Road::Archive,
            (false, false, false) => Road::Session,
        }
    }

    /// Who builds on a road, as people call it.
    pub fn builder_name(&self, road: Road) -> String {
        match road {
            Road::Session | Road::Archive | Road::Podman => self.name(),
            Road::Classic => format!("the classic builder of {}", self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Dockerfile;

    fn engine(api_version: &str, containerd_store: bool, podman: bool) -> EngineFacts {
        let (api_version, buildkit) = (api_version.to_owned(), !podman);
        EngineFacts { api_version, buildkit, containerd_store, podman, ..EngineFacts::default() }
    }

    fn names(road: Road, facts: &EngineFacts, outcome: Outcome) -> Vec<&'static str> {
        lacks(road, facts).into_iter().filter(|lack| lack.outcome == outcome).map(|lack| lack.what).collect()
    }

    #[test]
    fn roads() {
        let docker = engine("1.41", false, false);
        assert_eq!(docker.road(false, false), Road::Session);
        assert_eq!(docker.road(true, false), Road::Classic);
        assert_eq!(docker.road(false, true), Road::Archive);
        assert_eq!(engine("1.41", false, true).road(true, false), Road::Podman);
        assert_eq!(EngineFacts::default().road(false, false), Road::Classic);
    }

    #[test]
    fn only_what_is_asked_for_counts_and_a_named_context_by_its_name() {
        let old = engine("1.41", false, false);
        let folder = || std::path::PathBuf::from("/x");
        let mut build = BuildPlan::plain(ContextSource::Folder(folder()), Dockerfile::Inline(String::new()));
        let fields = |road, build: &BuildPlan| -> Vec<String> {
            asked_in_vain(road, &old, build).into_iter().map(|(field, _)| field).collect()
        };
        assert_eq!(fields(Road::Session, &build), Vec::<String>::new());
        build.contexts.insert("base".into(), NamedContext::Image("x".into()));
        assert_eq!(fields(Road::Session, &build), Vec::<String>::new());
        assert_eq!(fields(Road::Classic, &build), ["additional_contexts: base"]);
        build.contexts.insert("extra".into(), NamedContext::Folder(folder()));
        build.shm_size = Some(1);
        assert!(
            names_folder("https://h/r.git#main:a") && !names_folder("https://h/r.git#main") && !names_folder("h#:/")
        );
        assert_eq!(fields(Road::Session, &build), ["additional_contexts: extra", "shm_size"]);
    }

    #[test]
    fn the_newest_engine_lacks_nothing() {
        assert_eq!(lacks(Road::Session, &engine("1.55", true, false)), []);
    }

    #[test]
    fn what_others_lack() {
        let old = engine("1.41", false, false);
        let expected =
            ["context: folder of a repository", "additional_contexts", "shm_size", "ulimits", "provenance", "sbom"];
        assert_eq!(names(Road::Session, &old, Outcome::Error), expected);
        let classic = names(Road::Classic, &old, Outcome::Error);
        assert!(!classic.contains(&"shm_size") && !classic.contains(&"ulimits") && classic.contains(&"secrets"));
        assert_eq!(names(Road::Classic, &old, Outcome::Warning), ["cache_from", "cache_to", "cache"]);
        let podman = engine("1.41", false, true);
        assert_eq!(names(Road::Podman, &podman, Outcome::Quiet), ["a cache apart from the image"]);
        assert!(names(Road::Podman, &podman, Outcome::Error).contains(&"ulimits"));
    }
}
