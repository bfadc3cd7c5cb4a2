//! What a run hands over to whatever comes after it in the same job: one list, written in each CI system's own form.

mod names;
mod properties;
mod shell;

use serde::Serialize;

use super::files;
use crate::execute::report::{Outcome, Report};
use crate::names::{Digest, ImageRef, RegistryHost, RepositoryName, Tag};
use crate::plan::{ImageAction, Plan};

pub use names::{clashes, pairs};
pub use properties::properties;
pub use shell::env_file;

/// Everything that is handed over. After a failure it is empty: what then is in the registry is in the report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Handover {
    /// The images that are in the registry, in the order of the plan.
    pub images: Vec<Handed>,
}

/// One image, taken apart: a CI system that masks the account's number must not blank all of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Handed {
    /// Its key in the pipeline file.
    pub name: String,
    /// The registry's host.
    pub registry: RegistryHost,
    /// The repository.
    pub repository: RepositoryName,
    /// The first of its tags; none if it was staged and not released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// All of its tags.
    pub tags: Vec<Tag>,
    /// Its digest.
    pub digest: Digest,
    /// What a deploy should name it by.
    pub uri: ImageRef,
    /// Whether it was there already, and nothing was built.
    pub reused: bool,
    /// Its names, in the order of its tags.
    #[serde(skip)]
    pub references: Vec<ImageRef>,
}

impl Handover {
    /// What a run that succeeded hands over.
    pub fn of(plan: &Plan, report: &Report) -> Self {
        let images = plan.images.iter().zip(&report.images).filter_map(|(planned, done)| {
            let (registry, digest, references) = match &done.outcome {
                Outcome::Published(published) => (&published.registry, &published.digest, published.references.clone()),
                Outcome::Staged(digest) => (&plan.registry, digest, Vec::new()),
                Outcome::Failed(_) | Outcome::Stopped => return None,
            };
            let released = !references.is_empty();
            let tags: Vec<Tag> = planned.tags.iter().filter(|_| released).map(|one| one.tag.clone()).collect();
            Some(Handed {
                name: planned.name.clone(),
                registry: registry.clone(),
                repository: planned.repository.clone(),
                tag: tags.first().cloned(),
                tags,
                digest: digest.clone(),
                uri: files::uri(plan, registry, &planned.repository, digest, &references),
                reused: matches!(planned.action, ImageAction::Reuse { .. }),
                references,
            })
        });
        Handover { images: images.collect() }
    }

    /// The names of those that were built, or of those that were there already.
    pub fn named(&self, reused: bool) -> Vec<&str> {
        self.images.iter().filter(|image| image.reused == reused).map(|image| image.name.as_str()).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// `web`, which was built, and `it's`, which was there already and is staged only.
    pub(crate) fn handover() -> Handover {
        let registry: RegistryHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com".parse().unwrap();
        let repository: RepositoryName = "shop/web".parse().unwrap();
        let (tags, digest) = (["1.2.3", "prod"].map(|tag| tag.parse::<Tag>().unwrap()), Digest::of(b"x"));
        let web = Handed {
            name: "web".into(),
            tag: Some(tags[0].clone()),
            uri: ImageRef::digested(&registry, &repository, &digest),
            references: tags.iter().map(|tag| ImageRef::tagged(&registry, &repository, tag)).collect(),
            tags: tags.into(),
            reused: false,
            registry,
            repository,
            digest,
        };
        let staged = Handed {
            name: "it's".into(),
            tag: None,
            tags: Vec::new(),
            references: Vec::new(),
            reused: true,
            ..web.clone()
        };
        Handover { images: vec![web, staged] }
    }
}
