//! The region: the one that is worked in, and others that variables name, which may be the ones that are meant.

use std::collections::BTreeSet;

use crate::commands::way::Way;
use crate::commands::{World, target};
use crate::diagnostic::{Blame, Diagnostic};
use crate::effects::ecr::EcrClient;
use crate::names::{Region, RepositoryName};
use crate::pipeline::Registry;
use crate::report::doctor::Finding;

/// The variables that other tools take the region from. Source: AWS SDKs and tools reference guide, "AWS Region".
const VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// A region that is not the registry's.
pub(super) struct Elsewhere {
    region: Region,
    /// The variable that names it.
    variable: &'static str,
    ecr: EcrClient,
}

/// The other regions that are named, each once. One that cannot be worked in is left out.
pub(super) async fn elsewhere(registry: &Registry, own: &Way, world: &World) -> Vec<Elsewhere> {
    let mut others: Vec<Elsewhere> = Vec::new();
    for variable in VARIABLES {
        let Some(region) = world.variable(variable).and_then(|name| name.parse::<Region>().ok()) else { continue };
        if region == *own.ecr.region() || others.iter().any(|other| other.region == region) {
            continue;
        }
        if let Ok(ecr) = target::in_region(registry, region.clone(), world).await {
            others.push(Elsewhere { region, variable, ecr });
        }
    }
    others
}

/// How it is with the region.
pub(super) fn finding(way: &Way, place: &str, others: &[Elsewhere]) -> Finding {
    let about = format!("region{place}");
    let own = way.ecr.region();
    let Some(Elsewhere { region, variable, .. }) = others.first() else { return Finding::fine(about, own.to_string()) };
    let problem = Diagnostic::new(Blame::Input, format!("{own} for this pipeline, but {variable} is {region}"));
    Finding::odd(
        about,
        problem.hint(format!(
            "what goes through the AWS CLI, such as `docker login` by hand, goes to {region}; make them one, or pass --region"
        )),
    )
}

/// The region in which a repository is that is missing in the registry's, with the variable that names it.
pub(super) async fn of(repository: &RepositoryName, others: &[Elsewhere]) -> Option<(String, &'static str)> {
    for other in others {
        // Whoever may not look there does not know.
        let found = other.ecr.look_at_repositories(&BTreeSet::from([repository.clone()])).await.unwrap_or_default();
        if found.contains_key(repository) {
            return Some((other.region.to_string(), other.variable));
        }
    }
    None
}
