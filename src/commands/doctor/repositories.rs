//! The repositories of the pipeline: whether they are there, take a push, and let those tags move that will.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};

use super::Surroundings;
use super::region::{self, Elsewhere};
use crate::commands::way::Way;
use crate::diagnostic::{Blame, Diagnostic};
use crate::execute::ports::{Failure, ServiceError};
use crate::facts::RepositoryFacts;
use crate::names::{RepositoryName, Tag};
use crate::pipeline::{self, Image, Pipeline};
use crate::report::doctor::Finding;

/// How many repositories are probed at once.
const CONCURRENCY: usize = 10;

pub(super) async fn look(
    pipeline: &Pipeline,
    way: &Way,
    (place, others): (&str, &[Elsewhere]),
    around: &Surroundings<'_>,
    findings: &mut Vec<Finding>,
) {
    let names: BTreeSet<RepositoryName> = pipeline.images.iter().map(|image| image.repository.name.clone()).collect();
    let found = match way.ecr.look_at_repositories(&names).await {
        Ok(found) => found,
        Err(error) => return findings.push(Finding::wrong(format!("repositories{place}"), around.told(&error))),
    };
    let moving = moving(pipeline);
    let looks = stream::iter(&pipeline.images).map(|image| {
        let (facts, about) =
            (found.get(&image.repository.name), format!("repository {}{place}", image.repository.name));
        let moving = &moving;
        async move {
            match facts {
                Some(facts) => there(image, facts, moving, way, about, around).await,
                None => vec![missing(image, about, way, others, around).await],
            }
        }
    });
    findings.extend(looks.buffered(CONCURRENCY).collect::<Vec<_>>().await.into_iter().flatten());
}

/// The tags that are written in every run, and so have to move: environments and literal tags.
fn moving(pipeline: &Pipeline) -> Vec<Tag> {
    pipeline::declared_tags(pipeline).release_tags.iter().filter_map(|tag| tag.parse().ok()).collect()
}

async fn missing(image: &Image, about: String, way: &Way, others: &[Elsewhere], around: &Surroundings<'_>) -> Finding {
    let name = image.repository.name.clone();
    if let Some((region, variable)) = region::of(&name, others).await {
        let own = way.ecr.region();
        let message = format!("does not exist in {own}, but in {region}, which {variable} names");
        let hint = format!("set `registry.region: {region}` in the pipeline file, or AWS_REGION to {own}");
        let problem = Diagnostic::new(Blame::Input, message).hint(hint);
        // Where a run may not make it, it cannot go on.
        return if image.repository.create { Finding::odd(about, problem) } else { Finding::wrong(about, problem) };
    }
    if image.repository.create {
        return Finding::fine(about, "does not exist yet; a run creates it, which needs ecr:CreateRepository");
    }
    let failure = Failure::RepositoryMissing { repository: name };
    let error =
        ServiceError { failure, doing: String::new(), cause: "`create: false` in the pipeline file".to_owned() };
    Finding::wrong(about, around.told(&error))
}

async fn there(
    image: &Image,
    facts: &RepositoryFacts,
    moving: &[Tag],
    way: &Way,
    about: String,
    around: &Surroundings<'_>,
) -> Vec<Finding> {
    let refused = way.ecr.probe_push(&facts.name).await;
    let mut found: Vec<Finding> =
        refused.iter().map(|error| Finding::wrong(about.clone(), around.told(error))).collect();
    found.extend(frozen(image, facts, moving).map(|problem| Finding::odd(about.clone(), problem)));
    if found.is_empty() {
        let tags = if facts.immutable { "immutable" } else { "mutable" };
        let except = match facts.except.as_slice() {
            [] => String::new(),
            except => format!(" except {}", except.join(", ")),
        };
        found.push(Finding::fine(about, format!("exists, takes a push; its tags are {tags}{except}")));
    }
    found
}

/// Tags that the pipeline moves and the repository holds.
fn frozen(image: &Image, facts: &RepositoryFacts, moving: &[Tag]) -> Option<Diagnostic> {
    let held: Vec<String> = moving.iter().filter(|tag| facts.is_frozen(tag)).map(|tag| format!("`{tag}`")).collect();
    if held.is_empty() {
        return None;
    }
    let name = &image.repository.name;
    let message = format!("its tags are immutable, but the pipeline moves {}", held.join(", "));
    let except: Vec<String> = held.iter().map(|tag| tag.trim_matches('`').to_owned()).collect();
    let filters: Vec<String> = except.iter().map(|tag| format!("filterType=WILDCARD,filter={tag}")).collect();
    Some(
        Diagnostic::new(Blame::Input, message)
            .hint(format!(
                "aws ecr put-image-tag-mutability --repository-name {name} --image-tag-mutability IMMUTABLE_WITH_EXCLUSION \
                 --image-tag-mutability-exclusion-filters {}",
                filters.join(" ")
            ))
            .hint(format!("or do not move them: leave {} out of `tags`", held.join(", "))),
    )
}
