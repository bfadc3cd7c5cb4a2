//! The report as JSON, for programs. Fields are only ever added.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::scan;
use super::signing;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::report::{ImageReport, Move, Outcome, Report};
use crate::names::{Digest, ImageRef, Platform, RegistryHost, RepositoryName, Tag};
use crate::plan::{
    ImageAction, ImagePlan, PartAction, PartPlan, Plan, PlannedTag, PushBy, RepositoryPlan, SkippedRule,
};
use crate::retry::Sum;

/// Everything about a run. What was not reached is missing or empty.
#[derive(Debug, Serialize)]
pub struct JsonReport<'a> {
    /// The version of this format; 1.
    version: u32,
    /// `succeeded` or `failed`.
    status: &'static str,
    /// The exit code that goes with it.
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<&'a RegistryHost>,
    /// How long the work took, planning left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    repositories: Vec<JsonRepository<'a>>,
    images: Vec<JsonImage<'a>>,
    /// What ECR, the registry or the daemon had to be asked for again.
    retries: JsonRetries,
    errors: Vec<JsonError<'a>>,
}

/// What had to be asked for again, as every document has it.
#[derive(Debug, Serialize)]
pub(super) struct JsonRetries {
    count: u64,
    waited_seconds: f64,
}

impl From<Sum> for JsonRetries {
    fn from(sum: Sum) -> Self {
        JsonRetries { count: sum.retries, waited_seconds: seconds(sum.waited) }
    }
}

/// The same document, which is an object, and what had to be asked for again while it was made.
pub fn with_retries(mut document: Value, retries: Sum) -> Value {
    document["retries"] = serde_json::json!(JsonRetries::from(retries));
    document
}

#[derive(Debug, Serialize)]
struct JsonRepository<'a> {
    name: &'a RepositoryName,
    /// `kept`, `changed`, `created` or `missing`; `on-push` if ECR creates it by a template.
    state: &'static str,
}

#[derive(Debug, Serialize)]
struct JsonImage<'a> {
    name: &'a str,
    container: &'a str,
    repository: &'a RepositoryName,
    /// `published`; `failed`; `staged`, which is pushed but not released; or `stopped`.
    status: &'static str,
    /// `build`; `reuse`; or `assemble`, which makes an index of `parts`.
    action: &'static str,
    why: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a Digest>,
    /// The image of each platform, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<JsonPart<'a>>,
    references: &'a [ImageRef],
    tags: &'a [PlannedTag],
    /// The release tags that were written, with what they named before.
    moves: Vec<JsonMove<'a>>,
    skipped: &'a [SkippedRule],
    /// What its scan found, where it has a gate and got there.
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<Value>,
    /// How far ECR's managed signing is with it, where that was asked and told: an entry for each signing profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_seconds: Option<f64>,
    /// Who pushed it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    push: Option<JsonPush<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonPush<'a> {
    /// `daemon` or `direct`.
    by: PushBy,
    why: &'a str,
}

#[derive(Debug, Serialize)]
struct JsonPart<'a> {
    platform: &'a Platform,
    /// `build` or `reuse`.
    action: &'static str,
    why: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a Digest>,
}

#[derive(Debug, Serialize)]
struct JsonMove<'a> {
    tag: &'a Tag,
    /// The registry, if it is not the run's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    replica: Option<&'a RegistryHost>,
    /// Null if the tag was free.
    before: Option<&'a Digest>,
    after: &'a Digest,
}

#[derive(Debug, Serialize)]
struct JsonError<'a> {
    message: &'a str,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<JsonPlace<'a>>,
    caused_by: &'a [String],
    hints: &'a [String],
}

#[derive(Debug, Serialize)]
struct JsonPlace<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

impl<'a> JsonReport<'a> {
    /// Joins what was planned, what came of it, and what went wrong.
    pub fn new(
        plan: Option<&'a Plan>,
        report: Option<&'a Report>,
        problems: Option<&'a Diagnostics>,
        retries: Sum,
    ) -> Self {
        // What was planned but never begun, as after an interruption, is there all the same.
        let done = |at: usize| report.and_then(|report| report.images.get(at));
        let images = plan
            .map(|plan| plan.images.iter().enumerate().map(|(at, one)| image(one, done(at), &plan.registry)).collect());
        let repositories = plan.map(|plan| plan.repositories.iter().map(|one| repository(one, report)).collect());
        JsonReport {
            version: 1,
            status: if problems.is_none() { "succeeded" } else { "failed" },
            exit_code: problems.map_or(0, Diagnostics::exit_code),
            registry: plan.map(|plan| &plan.registry),
            seconds: report.map(|report| seconds(report.took)),
            repositories: repositories.unwrap_or_default(),
            images: images.unwrap_or_default(),
            retries: retries.into(),
            errors: problems.map(|problems| problems.iter().map(error).collect()).unwrap_or_default(),
        }
    }
}

fn repository<'a>(planned: &'a RepositoryPlan, report: Option<&Report>) -> JsonRepository<'a> {
    let state = match planned {
        RepositoryPlan::Keep { .. } => "kept",
        RepositoryPlan::Change { .. } if report.is_some_and(|report| report.failures.is_empty()) => "changed",
        RepositoryPlan::Change { .. } => "kept",
        RepositoryPlan::OnPush { .. } => "on-push",
        RepositoryPlan::Create(spec) if report.is_some_and(|report| report.created.contains(&spec.name)) => "created",
        RepositoryPlan::Create(_) if report.is_some_and(|report| report.failures.is_empty()) => "kept",
        RepositoryPlan::Create(_) => "missing",
    };
    JsonRepository { name: planned.name(), state }
}

fn image<'a>(planned: &'a ImagePlan, done: Option<&'a ImageReport>, host: &RegistryHost) -> JsonImage<'a> {
    let (action, why) = match &planned.action {
        ImageAction::Build { why, .. } => ("build", why.as_slice()),
        ImageAction::Reuse { why, .. } => ("reuse", std::slice::from_ref(why)),
        ImageAction::Assemble { why, .. } => ("assemble", why.as_slice()),
    };
    let (status, digest, published) = match done.map(|done| &done.outcome) {
        Some(Outcome::Published(published)) => ("published", Some(&published.digest), Some(published)),
        Some(Outcome::Staged(digest)) => ("staged", Some(digest), None),
        Some(Outcome::Failed(_)) => ("failed", None, None),
        Some(Outcome::Stopped) | None => ("stopped", None, None),
    };
    JsonImage {
        name: &planned.name,
        container: &planned.container,
        repository: &planned.repository,
        status,
        action,
        why,
        digest,
        parts: parts(planned, done),
        references: published.map(|published| published.references.as_slice()).unwrap_or_default(),
        tags: &planned.tags,
        moves: done.map(|done| done.moves.iter().map(moved).collect()).unwrap_or_default(),
        skipped: &planned.skipped,
        gate: done.and_then(|done| gate(planned, done, host)),
        signing: done.and_then(|done| done.signatures.as_deref()).map(signing::json),
        size_bytes: published.and_then(|published| published.size),
        build_seconds: done.and_then(|done| done.build_took).map(seconds),
        push_seconds: done.and_then(|done| done.push_took).map(seconds),
        push: done.and_then(|done| done.road.as_ref()).map(|road| JsonPush { by: road.by, why: &road.why }),
    }
}

fn gate(planned: &ImagePlan, done: &ImageReport, host: &RegistryHost) -> Option<Value> {
    let gate = done.gate.as_ref()?;
    Some(scan::json(&scan::Scanned {
        name: planned.name.clone(),
        image: ImageRef::digested(host, &planned.repository, &gate.digest),
        file: None,
        fail_on: planned.gate.as_ref().map(|gate| gate.policy.fail_on),
        scans: &gate.scans,
        judgement: &gate.judgement,
    }))
}

fn parts<'a>(planned: &'a ImagePlan, done: Option<&'a ImageReport>) -> Vec<JsonPart<'a>> {
    let ImageAction::Assemble { parts, .. } = &planned.action else { return Vec::new() };
    let json = |part: &'a PartPlan| {
        let (action, why) = match &part.action {
            PartAction::Build { why, .. } => ("build", why.as_slice()),
            PartAction::Reuse { why, .. } => ("reuse", std::slice::from_ref(why)),
        };
        let staged = done.and_then(|done| done.parts.iter().find(|staged| staged.platform == part.platform));
        JsonPart { platform: &part.platform, action, why, digest: staged.map(|staged| &staged.digest) }
    };
    parts.iter().map(json).collect()
}

fn moved(done: &Move) -> JsonMove<'_> {
    JsonMove { tag: &done.tag, replica: done.replica.as_ref(), before: done.before.as_ref(), after: &done.after }
}

/// A diagnostic for programs, as in the list `errors` of the report.
pub fn diagnostic(diagnostic: &Diagnostic) -> serde_json::Value {
    serde_json::to_value(error(diagnostic)).unwrap_or_default()
}

fn error(diagnostic: &Diagnostic) -> JsonError<'_> {
    JsonError {
        message: &diagnostic.message,
        exit_code: diagnostic.blame.exit_code(),
        place: diagnostic.place.as_ref().map(|place| JsonPlace {
            file: &place.source.name,
            line: place.line,
            column: place.column,
        }),
        caused_by: &diagnostic.causes,
        hints: &diagnostic.hints,
    }
}

/// To the millisecond.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A value as indented JSON with a newline at the end.
pub fn text(value: &impl Serialize) -> String {
    // Our types have string keys and no fallible serializers, the only two ways for this to fail.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
