//! What refers to an image: signatures, SBOMs, attestations.
//!
//! Source: OCI distribution specification v1.1, "Listing Referrers" and "Referrers Tag Schema"; cosign's tags are older
//! than both and still in use.

use reqwest::Method;
use serde_json::Value;

use super::answer;
use super::client::{RegistryClient, Request};
use super::parts::parts;
use crate::execute::ports::{Credential, ServiceError};
use crate::names::{Digest, ImageRef, Reference, Tag};

/// What cosign puts after the digest in the tags of signatures, attestations and SBOMs.
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];

impl RegistryClient {
    /// What refers to this image or, if it is an index, to one of its images; and what refers to that in turn.
    ///
    /// # Errors
    /// If the registry does not answer.
    pub async fn referrers(
        &self,
        image: &ImageRef,
        credential: Option<&Credential>,
    ) -> Result<Vec<Reference>, ServiceError> {
        let root = self.fetch(image, credential).await?;
        let mut subjects = parts(&root, image)?.children;
        subjects.push(root.digest);
        let mut found: Vec<Reference> = Vec::new();
        while let Some(subject) = subjects.pop() {
            for digest in self.listed(image, &subject, credential).await? {
                let reference = Reference::Digest(digest.clone());
                if !found.contains(&reference) {
                    found.push(reference);
                    subjects.push(digest);
                }
            }
            for kind in COSIGN {
                let Ok(tag) = format!("sha256-{}.{kind}", subject.hex()).parse::<Tag>() else { continue };
                let named = ImageRef::tagged(&image.host, &image.repository, &tag);
                if self.look_up(&named, credential).await?.is_some() {
                    found.push(Reference::Tag(tag));
                }
            }
        }
        Ok(found)
    }

    /// The digests in the registry's list; in the list that clients keep under a tag, if it has none of its own.
    async fn listed(
        &self,
        image: &ImageRef,
        subject: &Digest,
        credential: Option<&Credential>,
    ) -> Result<Vec<Digest>, ServiceError> {
        let request = Request {
            method: Method::GET,
            repository: &image.repository,
            path: format!("referrers/{subject}"),
            accept: Some("application/vnd.oci.image.index.v1+json"),
            body: None,
            doing: format!("list what refers to {image}"),
        };
        let response = self.send(&request, credential).await?;
        let bytes = match response.status().as_u16() {
            200..300 => self.read_small(response, &request.doing).await?,
            404 => {
                let Ok(tag) = format!("sha256-{}", subject.hex()).parse::<Tag>() else { return Ok(Vec::new()) };
                let list = ImageRef::tagged(&image.host, &image.repository, &tag);
                match self.look_up(&list, credential).await? {
                    Some(_) => self.fetch(&list, credential).await?.bytes,
                    None => return Ok(Vec::new()),
                }
            }
            _ => return Err(answer::refused(response, image, &request.doing).await),
        };
        let list: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let manifests = list.get("manifests").and_then(Value::as_array).into_iter().flatten();
        Ok(manifests.filter_map(|entry| entry.get("digest")?.as_str()?.parse().ok()).collect())
    }
}
