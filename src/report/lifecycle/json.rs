//! A simulation for programs. A repository may hold 100,000 images, so nothing is copied on the way.

use serde::Serialize;
use serde_json::{Value, json};

use super::reach;
use super::simulation::{self, Bearing};
use super::{action_json, retries_json};
use crate::lifecycle::{Action, Image, ImageState, Outcome, Pass, Policy, along};
use crate::retry::Sum;

/// In the shape of ECR's GetLifecyclePolicyPreview, with what that does not tell beside it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Simulation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    repository_name: Option<&'a str>,
    lifecycle_policy_text: String,
    status: &'static str,
    at: String,
    preview_results: Vec<TakenImage<'a>>,
    summary: Value,
    /// The images that go along with those that they refer to, in the same run.
    referrers: Vec<Referrer<'a>>,
    /// Reasons why images stay, and how many.
    kept: Vec<Value>,
    freed: Value,
    /// Where the images are replicated to, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    replication: Option<Value>,
    /// Every daily run, the first included, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    passes: Option<Vec<Run<'a>>>,
    /// What had to be asked for again, where a service was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TakenImage<'a> {
    image_tags: &'a [String],
    image_digest: &'a str,
    image_pushed_at: String,
    action: Value,
    applied_rule_priority: u32,
    storage_class: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Referrer<'a> {
    image_digest: &'a str,
    subject_manifest_digest: Option<&'a str>,
    action: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    at: String,
    preview_results: Vec<TakenImage<'a>>,
    summary: Value,
    referrers: Vec<Referrer<'a>>,
}

/// The simulation of these images as JSON. `passes` are all daily runs, the first included, where there are several.
pub fn json<'a>(
    repository: Option<&'a str>,
    policy: &Policy,
    images: &'a [Image],
    first: &'a Outcome<'a>,
    passes: &'a [Pass],
    to: &Bearing<'_>,
    retries: Option<Sum>,
) -> String {
    let taken = || first.taken.iter().map(|taken| (taken.image, taken.action, taken.priority));
    let going = along(first, images);
    let referrers = images.iter().filter_map(|image| Some(referrer(image, *going.get(image.digest.as_str())?)));
    let kept = simulation::kept(first).into_iter();
    crate::report::json::text(&Simulation {
        repository_name: repository,
        lifecycle_policy_text: policy.to_text(),
        status: "COMPLETE",
        at: first.at.text(),
        preview_results: taken().map(taken_image).collect(),
        summary: summary(taken().map(|(_, action, _)| action)),
        referrers: referrers.collect(),
        kept: kept.map(|(why, count, _)| json!({ "reason": why, "imageCount": count })).collect(),
        freed: simulation::freed(taken().map(|(image, action, _)| (image, action))).to_json(to.prices),
        replication: reach::json(to.reach),
        passes: (passes.len() > 1).then(|| passes.iter().map(run).collect()),
        retries: retries.map(retries_json),
    })
}

fn run(pass: &Pass) -> Run<'_> {
    Run {
        at: pass.at.text(),
        preview_results: pass.taken.iter().map(|(image, action, rule)| taken_image((image, *action, *rule))).collect(),
        summary: summary(pass.taken.iter().map(|(_, action, _)| *action)),
        referrers: pass.referrers.iter().map(|(image, action)| referrer(image, *action)).collect(),
    }
}

fn taken_image((image, action, priority): (&Image, Action, u32)) -> TakenImage<'_> {
    TakenImage {
        image_tags: &image.tags,
        image_digest: &image.digest,
        image_pushed_at: image.pushed_at.text(),
        action: action_json(action),
        applied_rule_priority: priority,
        storage_class: if image.state == ImageState::Archived { "ARCHIVE" } else { "STANDARD" },
    }
}

fn referrer(image: &Image, action: Action) -> Referrer<'_> {
    Referrer {
        image_digest: &image.digest,
        subject_manifest_digest: image.subject.as_deref(),
        action: action_json(action),
    }
}

/// As ECR counts: what is not archived at all is not mentioned.
fn summary(actions: impl Iterator<Item = Action>) -> Value {
    let (mut expiring, mut transitioning) = (0, 0);
    for action in actions {
        *(if action == Action::Expire { &mut expiring } else { &mut transitioning }) += 1;
    }
    let mut summary = json!({ "expiringImageTotalCount": expiring });
    if transitioning > 0 {
        let counts = json!([{ "targetStorageClass": "ARCHIVE", "imageTotalCount": transitioning }]);
        summary["transitioningImageTotalCounts"] = counts;
    }
    summary
}
