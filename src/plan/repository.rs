//! What is done about one repository.

use super::lifecycle::objections;
use super::settings::{Difference, Setting, There, compare};
use super::{Change, RepositoryPlan, RepositorySpec};
use crate::diagnostic::{Blame, Diagnostic};
use crate::facts::{RepositoryFacts, Template, Unseen};
use crate::lifecycle::{Image, Moment, Policy};
use crate::names::{RegistryHost, RepositoryName};
use crate::pipeline::{Environment, Lifecycle, OnDrift, Repository, RepositoryPolicy};

/// How far a repository's settings are brought in line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// Resource tags that the pipeline does not state are removed.
    pub prune_tags: bool,
    /// Settings of the whole registry may be changed as well.
    pub registry_wide: bool,
}

/// What was seen around a repository before it was decided on.
#[derive(Clone, Copy)]
pub struct RepositorySight<'a> {
    /// The registry.
    pub registry: &'a RegistryHost,
    /// The repository, if it exists.
    pub there: Option<&'a RepositoryFacts>,
    /// The registry's templates for repositories that are created by a push.
    pub templates: &'a [Template],
    /// How far settings are brought in line.
    pub manner: Manner,
    /// What keeps a lifecycle policy from deleting too much; none if it may.
    pub guard: Option<Guard<'a>>,
}

/// What is held against a lifecycle policy before it is set.
#[derive(Clone, Copy)]
pub struct Guard<'a> {
    /// The images of the repository; none if they were not looked at.
    pub images: Option<&'a [Image]>,
    /// The time.
    pub at: Moment,
    /// The pipeline's environments.
    pub environments: &'a [Environment],
    /// The most percent of all images that it may delete.
    pub max_expire: u8,
}

/// What is found out about one repository besides what is done.
#[derive(Debug, Default)]
pub struct Told {
    /// What makes it impossible.
    pub problems: Vec<Diagnostic>,
    /// What may go wrong.
    pub doubts: Vec<Diagnostic>,
}

/// Decides, by what the pipeline says of drift.
pub fn plan_repository(wanted: &Repository, sight: &RepositorySight<'_>, told: &mut Told) -> Option<RepositoryPlan> {
    let name = wanted.name.clone();
    let Some(there) = sight.there else { return missing(wanted, sight, told) };
    let facts = There { immutable: there.immutable, except: &there.except, settings: &there.settings };
    let (differences, unseen) = compare(wanted, facts, sight.manner);
    told.doubts.extend(unseen.iter().map(|unseen| hidden(wanted, unseen)));
    if differences.is_empty() {
        return Some(RepositoryPlan::Keep { name, drift: Vec::new() });
    }
    match wanted.on_drift {
        OnDrift::Report => told.doubts.push(drifted(wanted, &differences)),
        OnDrift::Fail => told.problems.push(drifted(wanted, &differences)),
        OnDrift::Fix => {
            let (changes, stuck): (Vec<Difference>, Vec<Difference>) =
                differences.into_iter().partition(|difference| difference.change.is_ok());
            for difference in &stuck {
                match difference.setting {
                    Setting::Encryption => told.problems.push(encrypted(wanted, difference)),
                    _ => told.doubts.push(drifted(wanted, std::slice::from_ref(difference))),
                }
            }
            for change in &changes {
                if let Ok(Change::Lifecycle(policy)) = &change.change {
                    told.problems.extend(guarded(wanted, policy, sight.guard));
                }
            }
            if changes.is_empty() {
                return Some(RepositoryPlan::Keep { name, drift: stuck });
            }
            return Some(RepositoryPlan::Change { name, arn: there.settings.arn.clone(), changes, drift: stuck });
        }
    }
    Some(RepositoryPlan::Keep { name, drift: differences })
}

fn missing(wanted: &Repository, sight: &RepositorySight<'_>, told: &mut Told) -> Option<RepositoryPlan> {
    let name = wanted.name.clone();
    if let Some(template) = Template::of(name.as_str(), sight.templates) {
        let facts = There { immutable: template.immutable, except: &template.except, settings: &template.settings };
        let (differences, _) = compare(wanted, facts, Manner::default());
        // Who scans what is no matter of templates, so that a statement about it takes a repository of our own making.
        let fits = differences.is_empty() && wanted.scan_on_push != Some(true);
        if fits || !wanted.create {
            return Some(RepositoryPlan::OnPush { name, template: template.prefix.clone() });
        }
    }
    if !wanted.create {
        let problem = absent(&name, sight.registry).at_maybe(wanted.place.clone());
        told.problems.push(problem);
        return None;
    }
    match spec(wanted) {
        Ok(spec) => Some(RepositoryPlan::Create(spec)),
        Err(problem) => {
            told.problems.push(problem);
            None
        }
    }
}

/// Decides about a repository that only holds layers of the cache; one that is missing is created with ECR's own settings.
pub(super) fn plan_cache_repository(
    name: &RepositoryName,
    create: bool,
    sight: &RepositorySight<'_>,
    told: &mut Told,
) -> Option<RepositoryPlan> {
    if sight.there.is_some() {
        return Some(RepositoryPlan::kept(name.clone()));
    }
    if let Some(template) = Template::of(name.as_str(), sight.templates) {
        return Some(RepositoryPlan::OnPush { name: name.clone(), template: template.prefix.clone() });
    }
    if !create {
        told.problems.push(absent(name, sight.registry));
        return None;
    }
    Some(RepositoryPlan::Create(RepositorySpec::plain(name.clone())))
}

fn absent(name: &RepositoryName, registry: &RegistryHost) -> Diagnostic {
    let region = registry.as_ecr().map_or(String::new(), |ecr| format!(" --region {}", ecr.region));
    Diagnostic::input(format!("repository `{name}` does not exist in {registry}"))
        .hint(format!(
            "remove `create: false` to have it created, or create it with \
             `aws ecr create-repository --repository-name {name}{region}`"
        ))
        .hint("ECR calls a repository missing if it is in another region, too: `longshore doctor` looks for it")
}

fn spec(wanted: &Repository) -> Result<RepositorySpec, Diagnostic> {
    let unread = |what: &str, path: &std::path::Path, place: &crate::diagnostic::Place| {
        Diagnostic::new(Blame::Bug, format!("the {what} `{}` was never read", path.display())).at(place.clone())
    };
    let lifecycle = match &wanted.lifecycle {
        Some(Lifecycle::File { path, place }) => return Err(unread("lifecycle policy", path, place)),
        _ => wanted.lifecycle_policy().cloned(),
    };
    let policy = match &wanted.policy {
        Some(RepositoryPolicy::File { path, place }) => return Err(unread("repository policy", path, place)),
        _ => wanted.document().cloned(),
    };
    Ok(RepositorySpec {
        name: wanted.name.clone(),
        scan_on_push: wanted.scan_on_push,
        encryption: wanted.encryption.clone(),
        tag_mutability: wanted.tag_mutability.clone(),
        resource_tags: wanted.resource_tags.clone(),
        lifecycle,
        policy,
    })
}

fn guarded(wanted: &Repository, policy: &Policy, guard: Option<Guard<'_>>) -> Vec<Diagnostic> {
    let Some(guard) = guard else { return Vec::new() };
    let Some(images) = guard.images else {
        let message = format!("the images of `{}` were never looked at", wanted.name);
        return vec![Diagnostic::new(Blame::Bug, message)];
    };
    objections(&wanted.name, policy, images.to_vec(), guard.at, guard.environments, guard.max_expire)
}

/// All differences of a repository in one message.
fn drifted(wanted: &Repository, differences: &[Difference]) -> Diagnostic {
    let name = &wanted.name;
    let mut diagnostic = Diagnostic::input(format!("repository `{name}` is not as the pipeline file states"))
        .at_maybe(wanted.place.clone());
    for difference in differences {
        let words = difference.words();
        diagnostic = diagnostic.caused_by(match &difference.change {
            Ok(_) => words,
            Err(why) => format!("{words}: {why}"),
        });
    }
    if differences.iter().any(|difference| difference.change.is_ok()) {
        diagnostic = diagnostic.hint(format!("`longshore repo apply {name}` sets it, and so does `on_drift: fix`"));
    }
    diagnostic
}

/// Encryption that is another than the stated one, and what it would take to change it.
fn encrypted(wanted: &Repository, difference: &Difference) -> Diagnostic {
    let name = &wanted.name;
    Diagnostic::input(format!("the encryption of repository `{name}` is not the stated one, and cannot be changed"))
        .at_maybe(wanted.place.clone())
        .caused_by(difference.words())
        .hint(format!(
            "making it anew deletes its images, tags and scan results: copy them to another repository with \
             `longshore copy`, delete `{name}`, run again, and copy them back; until then nobody can pull them"
        ))
        .hint("or state the encryption that it has")
}

fn hidden(wanted: &Repository, unseen: &Unseen) -> Diagnostic {
    let message = format!("some settings of repository `{}` could not be compared", wanted.name);
    let hint =
        unseen.denied.then(|| format!("allow `{}` in the IAM policy of the role that runs this job", unseen.action));
    Diagnostic::new(Blame::Access, message)
        .at_maybe(wanted.place.clone())
        .caused_by(unseen.cause.clone())
        .hint_maybe(hint)
}
