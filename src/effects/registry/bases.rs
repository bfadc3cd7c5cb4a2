//! The digests that base images have right now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::registries::{OwnRegistry, Registries, told};
use crate::facts::Variables;
use crate::names::{Digest, ImageRef, Reference};
use crate::retry::Tally;

/// How many references are looked up at once.
const AT_ONCE: usize = 16;

/// How long one look-up may take. A build that goes ahead without the answer is better than a long wait for it.
const LIMIT: Duration = Duration::from_secs(20);

/// Looks base images up, each reference once.
pub struct BaseImages<'a>(Registries<'a>);

impl<'a> BaseImages<'a> {
    /// Prepares; nothing is sent yet. Retries are counted in `tally`.
    pub fn new(variables: &'a Variables, own: Option<OwnRegistry<'a>>, tally: &'a Arc<Tally>) -> Self {
        BaseImages(Registries::new(variables, own, tally))
    }

    /// The digests of these references, or why one is not known, in words that follow the reference and a colon.
    ///
    /// References that name the same image are looked up once; one that has a digest is not looked up at all.
    pub async fn resolve(&self, references: &BTreeSet<String>) -> BTreeMap<String, Result<Digest, String>> {
        let images: BTreeMap<&String, Result<ImageRef, String>> = references
            .iter()
            .map(|reference| {
                (reference, reference.parse().map_err(|error: crate::names::InvalidName| error.to_string()))
            })
            .collect();
        let distinct: BTreeSet<&ImageRef> = images.values().filter_map(|image| image.as_ref().ok()).collect();
        let found: BTreeMap<&ImageRef, Result<Digest, String>> = stream::iter(distinct)
            .map(async |image| (image, self.digest(image).await))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let answer = |image: &Result<ImageRef, String>| match image {
            Ok(image) => found.get(image).cloned().unwrap_or_else(|| Err("it was not looked up".into())),
            Err(problem) => Err(problem.clone()),
        };
        images.iter().map(|(reference, image)| ((*reference).clone(), answer(image))).collect()
    }

    async fn digest(&self, image: &ImageRef) -> Result<Digest, String> {
        if let Reference::Digest(digest) = &image.reference {
            return Ok(digest.clone());
        }
        let looked = tokio::time::timeout(LIMIT, async {
            let client = self.0.client(&image.host).await.map_err(|error| told(&error))?;
            let login = self.0.login(&image.host).await;
            match client.look_up(image, login.credential.as_ref()).await {
                Ok(Some(digest)) => Ok(digest),
                Ok(None) => Err(format!("{} has no such image", image.host)),
                Err(error) => Err(match login.missing {
                    Some(missing) => format!("{}; {missing}", told(&error)),
                    None => told(&error),
                }),
            }
        });
        looked.await.unwrap_or_else(|_| Err(format!("{} did not answer within {} s", image.host, LIMIT.as_secs())))
    }
}
