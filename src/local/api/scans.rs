//! StartImageScan and DescribeImageScanFindings. Nobody looks into images here: what a scan finds stands in the script,
//! and without one it finds nothing.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::local::api::input::{ImageId, Target};
use crate::local::api::paging::Paging;
use crate::local::clock::Timestamp;
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Named, Refusal};
use crate::local::scanning::{Frequency, ScanType};
use crate::local::script::{Answer, Asked};
use crate::local::store::{Contents, Image};

/// How long a scan takes that the script does not speak of.
const SCAN_TAKES: Duration = Duration::from_millis(300);

/// An image is scanned once in that time, the scan on push included. Source: ECR user guide, "Service quotas".
const BETWEEN_SCANS: Duration = Duration::from_secs(24 * 60 * 60);

/// What stands in place of ECR's "The scan was completed successfully."
const NOT_LOOKED: &str = "longshore local looks into no image; name a script of scans with --scans";

/// The input of StartImageScan.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    #[serde(flatten)]
    target: Target,
    image_id: ImageId,
}

/// Begins a scan that somebody asks for.
pub fn start(ecr: &Ecr, input: Start) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let mut contents = repository.lock();
    let image = find(&repository.named, &contents, &input.image_id)?.clone();
    let scanning = ecr.scanning.get();
    if scanning.scan_type == ScanType::Enhanced {
        return Err(Refusal::new(Kind::Validation, "This feature is disabled"));
    }
    if !image.children.is_empty() {
        let message = format!("An artifact with media type '{}' cannot be scanned.", image.media_type);
        return Err(Refusal::new(Kind::UnsupportedImageType, message));
    }
    let asked = asked(&repository.named, &contents, &image);
    let refused = ecr.script.entry(&asked)?.and_then(|entry| entry.start);
    if let Some(name) = refused {
        return Err(refusal(&name, &repository.named, &input.image_id));
    }
    let now = ecr.clock.now();
    let on_push = scanning.effective(&contents.settings).frequency != Frequency::Manual;
    let last = contents.scans.get(&image.digest).copied().or(on_push.then_some(image.pushed_at));
    if last.is_some_and(|last| now < last.after(BETWEEN_SCANS)) {
        return Err(refusal("LimitExceededException", &repository.named, &input.image_id));
    }
    contents.scans.insert(image.digest.clone(), now);
    Ok(json!({
        "registryId": repository.named.registry_id,
        "repositoryName": repository.named.name,
        "imageId": ImageId::of(&image.digest, None),
        "imageScanStatus": { "status": "IN_PROGRESS" },
    }))
}

/// The input of DescribeImageScanFindings.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Describe {
    #[serde(flatten)]
    target: Target,
    #[serde(flatten)]
    paging: Paging,
    image_id: ImageId,
}

/// Tells how far the scan of an image is, and a page of what it found.
pub fn describe(ecr: &Ecr, input: Describe) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let contents = repository.lock();
    let named = &repository.named;
    let image = find(named, &contents, &input.image_id)?;
    let asked = asked(named, &contents, image);
    let answer = match ecr.script.entry(&asked)? {
        Some(entry) => ecr.script.answer(&entry, &asked, input.paging.is_first())?,
        None => None,
    };
    let answer = match answer {
        Some(answer) => answer,
        None => {
            unscripted(ecr, &contents, image).ok_or_else(|| refusal("ScanNotFoundException", named, &input.image_id))?
        }
    };
    if !answer.status.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
        return Err(refusal(&answer.status, named, &input.image_id));
    }
    let mut output = json!({
        "registryId": named.registry_id,
        "repositoryName": named.name,
        "imageId": ImageId::of(&image.digest, None),
        "imageScanStatus": { "status": answer.status },
    });
    let usual = match answer.status.as_str() {
        "COMPLETE" => Some("The scan was completed successfully."),
        "ACTIVE" => Some("Continuous scan is selected for image."),
        _ => None,
    };
    if let Some(description) = answer.description.as_deref().or(usual) {
        output["imageScanStatus"]["description"] = description.into();
    }
    let has_findings = matches!(answer.status.as_str(), "COMPLETE" | "ACTIVE");
    if answer.image_scan_findings.is_some() || has_findings {
        let findings = answer.image_scan_findings.unwrap_or_default();
        put_findings(&mut output, findings, &input.paging, ecr.clock.now())?;
    }
    Ok(output)
}

/// What is told of an image that the script does not speak of.
fn unscripted(ecr: &Ecr, contents: &Contents, image: &Image) -> Option<Answer> {
    let scanning = ecr.scanning.get();
    let on_push = scanning.effective(&contents.settings).frequency != Frequency::Manual && image.children.is_empty();
    let began = contents.scans.get(&image.digest).copied().or(on_push.then_some(image.pushed_at))?;
    let ready = ecr.clock.now() >= began.after(SCAN_TAKES);
    let status = match (ready, scanning.scan_type) {
        (false, _) => "IN_PROGRESS",
        (true, ScanType::Basic) => "COMPLETE",
        (true, ScanType::Enhanced) => "ACTIVE",
    };
    let completed = json!({ "imageScanCompletedAt": began.after(SCAN_TAKES).seconds() });
    Some(Answer {
        status: status.to_owned(),
        description: ready.then(|| NOT_LOOKED.to_owned()),
        image_scan_findings: completed.as_object().filter(|_| ready).cloned(),
        ..Answer::default()
    })
}

/// Findings of both kinds are one list for paging; counts are whole on every page.
fn put_findings(
    output: &mut Value,
    mut findings: Map<String, Value>,
    paging: &Paging,
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut take = |name: &'static str| match findings.remove(name) {
        Some(Value::Array(items)) => items.into_iter().map(|item| (name, item)).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let basic = take("findings");
    let enhanced = take("enhancedFindings");
    let mut counts: Map<String, Value> = Map::new();
    for (_, finding) in basic.iter().chain(&enhanced) {
        let severity = finding["severity"].as_str().unwrap_or("UNDEFINED");
        let count = counts.get(severity).and_then(Value::as_u64).unwrap_or_default();
        counts.insert(severity.to_owned(), (count + 1).into());
    }
    let is_basic = enhanced.is_empty();
    let all = basic.into_iter().chain(enhanced).enumerate();
    let page = paging.page(all.map(|(number, item)| (format!("{number:09}"), item)))?;
    findings.entry("findingSeverityCounts").or_insert(Value::Object(counts));
    if !findings.contains_key("imageScanCompletedAt") {
        findings.insert("imageScanCompletedAt".to_owned(), now.whole_seconds().into());
    }
    findings.retain(|_, value| !value.is_null());
    let of = |name: &str| -> Value {
        page.items.iter().filter(|(of, _)| *of == name).map(|(_, item)| item.clone()).collect()
    };
    let name = if is_basic { "findings" } else { "enhancedFindings" };
    findings.insert(name.to_owned(), of(name));
    if !is_basic && of("findings") != json!([]) {
        findings.insert("findings".to_owned(), of("findings"));
    }
    output["imageScanFindings"] = Value::Object(findings);
    if let Some(token) = page.next_token {
        output["nextToken"] = token.into();
    }
    Ok(())
}

fn find<'a>(named: &Named, contents: &'a Contents, id: &ImageId) -> Result<&'a Image, Refusal> {
    id.find(&contents.index, || refusal("ImageNotFoundException", named, id))
}

/// The image, with its own tags and those of the indexes that list it.
fn asked<'a>(named: &'a Named, contents: &'a Contents, image: &'a Image) -> Asked<'a> {
    let index = &contents.index;
    let lists = index.parents(&image.digest).filter_map(|parent| index.image(parent));
    let tags = std::iter::once(image).chain(lists).flat_map(|image| &image.tags);
    Asked { repository: &named.name, digest: &image.digest, tags: tags.map(ToString::to_string).collect() }
}

/// A refusal by the exception's name, in ECR's words as far as they are known.
fn refusal(name: &str, named: &Named, id: &ImageId) -> Refusal {
    let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "null".to_owned());
    let id = format!("{{imageDigest:'{}', imageTag:'{}'}}", text(&id.image_digest), text(&id.image_tag));
    match name.strip_suffix("Exception").unwrap_or(name) {
        "ScanNotFound" => {
            Refusal::new(Kind::ScanNotFound, format!("Image scan does not exist for the image with '{id}' in {named}"))
        }
        "LimitExceeded" => {
            Refusal::new(Kind::LimitExceeded, "The scan quota per image has been exceeded. Wait and try again.")
        }
        "ImageNotFound" => {
            Refusal::new(Kind::ImageNotFound, format!("The image with imageId {id} does not exist within {named}"))
        }
        "ImageArchived" => Refusal::new(Kind::ImageArchived, format!("The image with imageId {id} is archived")),
        "UnsupportedImageType" => Refusal::new(Kind::UnsupportedImageType, "This image cannot be scanned."),
        "Validation" => Refusal::new(Kind::Validation, "This feature is disabled"),
        "AccessDenied" => Refusal::new(
            Kind::AccessDenied,
            format!(
                "User: arn:aws:iam::{}:user/local is not authorized to perform: ecr:DescribeImageScanFindings",
                named.registry_id
            ),
        ),
        other => Refusal::new(Kind::Server, other),
    }
}
