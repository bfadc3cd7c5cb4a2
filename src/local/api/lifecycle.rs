//! Lifecycle policies: checked as ECR checks them, kept in the order of their priorities, and previewed. They are never
//! applied: nothing expires here.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::lifecycle::{self, Action, Image, ImageState, Outcome, Policy};
use crate::local::api::input::{ImageId, Target};
use crate::local::api::paging::Paging;
use crate::local::clock::Timestamp;
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Named, Refusal};
use crate::local::store::{Index, Preview, Repository};
use crate::tree;

/// How long a preview takes, so that clients have to wait for it as for ECR's.
const PREVIEW_TAKES: Duration = Duration::from_millis(300);

/// The input of the operations that only read or delete the policy.
#[derive(Debug, Deserialize)]
pub struct Of {
    #[serde(flatten)]
    target: Target,
}

/// The input of PutLifecyclePolicy and StartLifecyclePolicyPreview; the latter may do without a text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WithText {
    #[serde(flatten)]
    target: Target,
    lifecycle_policy_text: Option<String>,
}

/// Gives the policy.
pub fn get(ecr: &Ecr, input: Of) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let policy = repository.lock().settings.lifecycle_policy.clone();
    let text = policy.ok_or_else(|| no_policy(&repository.named))?;
    Ok(answer(&repository, text))
}

/// Keeps a policy that ECR would take.
pub fn put(ecr: &Ecr, input: WithText) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let text = checked(&input.lifecycle_policy_text.unwrap_or_default())?.to_text();
    repository.configure(|settings| {
        settings.lifecycle_policy = Some(text.clone());
        Ok(())
    })?;
    Ok(answer(&repository, text))
}

/// Removes the policy and gives it a last time.
pub fn delete(ecr: &Ecr, input: Of) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let text = repository
        .configure(|settings| settings.lifecycle_policy.take().ok_or_else(|| no_policy(&repository.named)))?;
    Ok(answer(&repository, text))
}

/// Begins a preview of a policy, or of the repository's own.
pub fn start_preview(ecr: &Ecr, input: WithText) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let stored = repository.lock().settings.lifecycle_policy.clone();
    let text = input.lifecycle_policy_text.or(stored).ok_or_else(|| no_policy(&repository.named))?;
    let policy = checked(&text)?;
    let now = ecr.clock.now();
    let mut contents = repository.lock();
    if contents.preview.as_ref().is_some_and(|preview| now < preview.ready_at) {
        let message = format!("The lifecycle policy preview is in progress for {}", repository.named);
        return Err(Refusal::new(Kind::LifecyclePolicyPreviewInProgress, message));
    }
    let text = policy.to_text();
    let results = results(&policy, &contents.index, now);
    contents.preview = Some(Preview { text: text.clone(), ready_at: now.after(PREVIEW_TAKES), results });
    let mut answer = answer(&repository, text);
    answer["status"] = "IN_PROGRESS".into();
    Ok(answer)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    tag_status: Option<String>,
}

/// The input of GetLifecyclePolicyPreview.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetPreview {
    #[serde(flatten)]
    target: Target,
    #[serde(flatten)]
    paging: Paging,
    image_ids: Option<Vec<ImageId>>,
    #[serde(default)]
    filter: Filter,
}

/// Gives a page of the preview, once it is complete.
pub fn get_preview(ecr: &Ecr, input: GetPreview) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let contents = repository.lock();
    let preview = contents.preview.as_ref().ok_or_else(|| {
        let message = format!("Lifecycle policy preview does not exist for {}", repository.named);
        Refusal::new(Kind::LifecyclePolicyPreviewNotFound, message)
    })?;
    let mut output = answer(&repository, preview.text.clone());
    if ecr.clock.now() < preview.ready_at {
        output["status"] = "IN_PROGRESS".into();
        return Ok(output);
    }
    let asked = |result: &&Value| {
        let untagged = result["imageTags"].as_array().is_none_or(Vec::is_empty);
        let status = match input.filter.tag_status.as_deref() {
            Some("TAGGED") => !untagged,
            Some("UNTAGGED") => untagged,
            _ => true,
        };
        let named = input.image_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| is_named(id, result)));
        status && named
    };
    // ECR's page tokens are opaque; here the place in the list makes one that ascends.
    let numbered = preview.results.iter().filter(asked).enumerate();
    let page = input.paging.page(numbered.map(|(number, result)| (format!("{number:09}"), result)))?;
    let page = page.into_output("previewResults");
    for (key, value) in page.as_object().into_iter().flatten() {
        output[key] = value.clone();
    }
    output["status"] = "COMPLETE".into();
    output["summary"] = summary(&preview.results);
    Ok(output)
}

fn is_named(id: &ImageId, result: &Value) -> bool {
    let digest = id.image_digest.as_ref().is_none_or(|digest| result["imageDigest"] == digest.as_str());
    let tag = id.image_tag.as_ref().is_none_or(|tag| {
        result["imageTags"].as_array().is_some_and(|tags| tags.iter().any(|known| known == tag.as_str()))
    });
    digest && tag
}

fn results(policy: &Policy, index: &Index, now: Timestamp) -> Vec<Value> {
    let moment = |time: Timestamp| lifecycle::Moment::from_seconds(time.seconds());
    let images: Vec<Image> = index
        .images_from(None)
        .filter_map(|image| {
            Some(Image {
                digest: image.digest.to_string(),
                tags: image.tags.iter().map(ToString::to_string).collect(),
                pushed_at: moment(image.pushed_at)?,
                pulled_at: None,
                archived_at: None,
                activated_at: None,
                state: ImageState::Active,
                size: None,
                media_type: None,
                subject: image.subject.as_ref().map(ToString::to_string),
                children: image.children.iter().map(ToString::to_string).collect(),
            })
        })
        .collect();
    let Some(now) = moment(now) else { return Vec::new() };
    let Outcome { taken, .. } = lifecycle::evaluate(policy, &images, now);
    let pushed: std::collections::HashMap<String, f64> =
        index.images_from(None).map(|image| (image.digest.to_string(), image.pushed_at.seconds())).collect();
    let one = |taken: lifecycle::Taken<'_>| {
        json!({
            "imageTags": taken.image.tags,
            "imageDigest": taken.image.digest,
            "imagePushedAt": pushed.get(&taken.image.digest),
            "action": match taken.action {
                Action::Expire => json!({ "type": "EXPIRE" }),
                Action::Archive => json!({ "type": "TRANSITION", "targetStorageClass": "ARCHIVE" }),
            },
            "appliedRulePriority": taken.priority,
            "storageClass": "STANDARD",
        })
    };
    taken.into_iter().map(one).collect()
}

fn summary(results: &[Value]) -> Value {
    let expiring = results.iter().filter(|result| result["action"]["type"] == "EXPIRE").count();
    let mut summary = json!({ "expiringImageTotalCount": expiring });
    if expiring < results.len() {
        let count = results.len() - expiring;
        summary["transitioningImageTotalCounts"] =
            json!([{ "targetStorageClass": "ARCHIVE", "imageTotalCount": count }]);
    }
    summary
}

/// Refuses a policy that ECR would refuse.
pub fn check(text: &str) -> Result<(), Refusal> {
    checked(text).map(drop)
}

/// The policy, or ECR's refusal of it in ECR's words, as far as those are known.
fn checked(text: &str) -> Result<Policy, Refusal> {
    let refused = |problem: &str| {
        let constraint = format_args!("Lifecycle policy validation failure: {problem}").to_string();
        Refusal::parameter("LifecyclePolicyText", constraint)
    };
    let is_ecrs = tree::json::parse(text).is_ok_and(|node| node.get("rules").is_some());
    match lifecycle::read_json(text) {
        Ok(written) if is_ecrs => Ok(written.policy),
        Ok(_) => Err(refused("Could not map policyString into LifecyclePolicy.")),
        Err(problems) => {
            let first = problems.first();
            Err(refused(first.map_or("", |problem| problem.service.unwrap_or(&problem.message))))
        }
    }
}

fn answer(repository: &Arc<Repository>, text: String) -> Value {
    let named = &repository.named;
    json!({ "registryId": named.registry_id, "repositoryName": named.name, "lifecyclePolicyText": text })
}

fn no_policy(named: &Named) -> Refusal {
    Refusal::new(Kind::LifecyclePolicyNotFound, format!("Lifecycle policy does not exist for {named}"))
}
