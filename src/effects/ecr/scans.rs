//! Scans: asked for, and what they found.

use std::collections::BTreeMap;

use aws_sdk_ecr::error::ProvideErrorMetadata as _;
use aws_sdk_ecr::operation::describe_image_scan_findings::DescribeImageScanFindingsOutput;
use aws_sdk_ecr::types::{
    EnhancedImageScanFinding, ImageIdentifier, ImageScanFinding, PackageVulnerabilityDetails, VulnerablePackage,
};
use time::OffsetDateTime;

use super::EcrClient;
use crate::execute::ports::ServiceError;
use crate::names::{Digest, RepositoryName};
use crate::scan::{Answer, Finding, Package, Read, Severity, Standing, Started, Status};

/// The largest page of findings. Source: ECR API model.
const PAGE: i32 = 1000;

impl EcrClient {
    /// Asks ECR to scan an image.
    pub(super) async fn begin_scan(&self, name: &RepositoryName, digest: &Digest) -> Result<Started, ServiceError> {
        let call = self.sdk.start_image_scan().set_registry_id(self.registry_id()).repository_name(name.as_str());
        let call = call.image_id(id(digest));
        let doing = format!("start a scan of {} in `{name}`", digest.short());
        let started = self.ask(&doing, async |_| call.clone().send().await).await;
        let Err(error) = started else { return Ok(Started::Yes) };
        let words = error.message().unwrap_or_default().to_owned();
        match error.code() {
            Some("LimitExceededException") => Ok(Started::TooSoon),
            Some("UnsupportedImageTypeException") => Ok(Started::Unsupported(words)),
            Some("ImageArchivedException") => Ok(Started::Archived),
            // With Inspector on: "This feature is disabled".
            Some("ValidationException") if words.contains("disabled") => Ok(Started::Disabled),
            _ => Err(self.failed(doing, Some(name), &error)),
        }
    }

    /// Asks ECR how far the scan of an image is, and for all findings there are.
    pub(super) async fn read_findings(&self, name: &RepositoryName, digest: &Digest) -> Result<Answer, ServiceError> {
        let doing = || format!("get the scan findings of {} in `{name}`", digest.short());
        let mut read: Option<Read> = None;
        let mut token: Option<String> = None;
        loop {
            let call = self.sdk.describe_image_scan_findings().set_registry_id(self.registry_id());
            let call = call.repository_name(name.as_str()).image_id(id(digest)).max_results(PAGE);
            let call = call.set_next_token(token.take());
            let page = match self.ask(&doing(), async |_| call.clone().send().await).await {
                Ok(page) => page,
                Err(error) if error.code() == Some("ScanNotFoundException") => return Ok(Answer::NotFound),
                Err(error) => return Err(self.failed(doing(), Some(name), &error)),
            };
            let all = read.get_or_insert_with(|| head(&page));
            if let Some(found) = page.image_scan_findings() {
                all.enhanced |= !found.enhanced_findings().is_empty();
                all.findings.extend(found.findings().iter().map(basic));
                all.findings.extend(found.enhanced_findings().iter().map(enhanced));
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        let Some(mut read) = read else { return Ok(Answer::NotFound) };
        read.findings.sort_by(|a, b| (&a.id, &a.packages).cmp(&(&b.id, &b.packages)));
        Ok(Answer::Read(Box::new(read)))
    }
}

fn id(digest: &Digest) -> ImageIdentifier {
    ImageIdentifier::builder().image_digest(digest.as_str()).build()
}

fn head(page: &DescribeImageScanFindingsOutput) -> Read {
    let status = page.image_scan_status();
    let found = page.image_scan_findings();
    let counts = found.and_then(|found| found.finding_severity_counts());
    let counts = counts.into_iter().flatten().filter(|(_, count)| **count > 0);
    Read {
        status: Status::of_service(status.and_then(|status| status.status()).map_or("no status", |word| word.as_str())),
        description: status.and_then(|status| status.description()).map(str::to_owned),
        completed_at: found
            .and_then(|found| found.image_scan_completed_at())
            .and_then(|time| OffsetDateTime::from_unix_timestamp(time.secs()).ok()),
        enhanced: false,
        counts: counts.map(|(word, count)| (word.as_str().to_owned(), u64::try_from(*count).unwrap_or(0))).collect(),
        findings: Vec::new(),
    }
}

fn basic(finding: &ImageScanFinding) -> Finding {
    let attributes: BTreeMap<&str, &str> =
        finding.attributes().iter().filter_map(|one| Some((one.key(), one.value()?))).collect();
    let of = |names: &[&str]| names.iter().find_map(|name| attributes.get(name)).map(|value| (*value).to_owned());
    let package = of(&["package_name"]).map(|name| Package {
        name,
        version: of(&["package_version"]),
        fixed_in: of(&["fixed_in_version", "fixed_version", "patched_version"]).filter(|version| is_known(version)),
        manager: None,
        path: None,
    });
    Finding {
        id: finding.name().unwrap_or("a finding without a name").to_owned(),
        severity: Severity::of_service(finding.severity().map_or("", |severity| severity.as_str())),
        title: finding.description().map(str::to_owned),
        uri: finding.uri().map(str::to_owned),
        score: of(&["CVSS4_SCORE", "CVSS3_SCORE", "CVSS2_SCORE"]).and_then(|score| score.parse().ok()),
        exploit_available: None,
        standing: Standing::Active,
        packages: package.into_iter().collect(),
    }
}

fn enhanced(finding: &EnhancedImageScanFinding) -> Finding {
    let details = finding.package_vulnerability_details();
    let id = details.and_then(|details| details.vulnerability_id()).or(finding.title()).or(finding.finding_arn());
    let packages = details.map(PackageVulnerabilityDetails::vulnerable_packages).unwrap_or_default();
    let mut packages: Vec<Package> = packages.iter().map(package).collect();
    packages.sort_unstable();
    packages.dedup();
    let yes = |word: Option<&str>| word.map(|word| word.eq_ignore_ascii_case("YES"));
    Finding {
        id: id.unwrap_or("a finding without a name").to_owned(),
        severity: Severity::of_service(finding.severity().unwrap_or_default()),
        title: finding.title().or(finding.description()).map(str::to_owned),
        uri: details.and_then(|details| details.source_url()).map(str::to_owned),
        score: Some(finding.score()).filter(|score| *score > 0.0),
        exploit_available: yes(finding.exploit_available()),
        standing: match finding.status() {
            Some("SUPPRESSED") => Standing::Suppressed,
            Some("CLOSED") => Standing::Closed,
            _ => Standing::Active,
        },
        packages,
    }
}

fn package(package: &VulnerablePackage) -> Package {
    let version = package.version().map(|version| match package.release() {
        Some(release) => format!("{version}-{release}"),
        None => version.to_owned(),
    });
    Package {
        name: package.name().unwrap_or("a package without a name").to_owned(),
        version,
        fixed_in: package.fixed_in_version().filter(|version| is_known(version)).map(str::to_owned),
        manager: package.package_manager().map(str::to_owned),
        path: package.file_path().map(str::to_owned),
    }
}

/// Inspector writes `NotAvailable` where there is no fix.
fn is_known(version: &str) -> bool {
    !version.is_empty() && !version.eq_ignore_ascii_case("NotAvailable")
}
