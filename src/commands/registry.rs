//! A look at the registry: what exists, and what the tags of this run name now.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::effects::ecr::{Ask, EcrClient};
use crate::effects::registry::RegistryClient;
use crate::execute::ports::{Credential, ServiceError};
use crate::execute::renewing;
use crate::facts::{ContentFacts, Facts, RegistryFacts, RepositoryFacts, RepositorySettings, StoredImage};
use crate::key::{self, KeyRecord, Record};
use crate::lifecycle::{self, Policy};
use crate::names::{Digest, ImageRef, RegistryHost, RepositoryName, Tag};
use crate::pipeline::{OnDrift, Pipeline, Repository};
use crate::plan::tags::DerivedTags;
use crate::plan::{RECORD_TYPE, cache, labels};
use crate::retry::{RENEWAL, Verdict};

/// How many repositories are looked into at once.
const CONCURRENCY: usize = 20;

/// How many images are asked for their records before it is given up to say what changed.
const MOST_RECORDS: usize = 2;

/// The way to one registry.
pub(crate) struct Lookout<'a> {
    pub(crate) host: &'a RegistryHost,
    pub(crate) ecr: &'a EcrClient,
    pub(crate) registry: &'a RegistryClient,
}

/// The tags that are to be looked up in one repository.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Those of content keys.
    pub(crate) staging: BTreeSet<Tag>,
    /// Those of layer caches.
    pub(crate) cache: BTreeSet<Tag>,
    /// All others.
    pub(crate) release: BTreeSet<Tag>,
    /// What else of it is to be known.
    pub(crate) settings: Ask,
    /// The lifecycle policy that it is to get; then its images are looked at as well.
    pub(crate) lifecycle: Option<Policy>,
}

/// What of a repository's settings is stated, and has to be asked for.
pub(crate) fn ask(repository: &Repository) -> Ask {
    Ask {
        scanning: repository.scan_on_push.is_some(),
        lifecycle: repository.lifecycle.is_some(),
        policy: repository.policy.is_some(),
        resource_tags: !repository.resource_tags.is_empty(),
    }
}

/// The lifecycle policy that a repository gets, if it has another.
pub(crate) fn guarded(repository: &Repository) -> Option<Policy> {
    repository.lifecycle_policy().filter(|_| repository.on_drift == OnDrift::Fix).cloned()
}

/// What is to be looked up, by repository.
pub(crate) type AllWanted = BTreeMap<RepositoryName, Wanted>;

/// The repositories of a run, and what of their settings it has to know; tags come later.
pub(crate) fn named(pipeline: &Pipeline, facts: &Facts) -> AllWanted {
    let mut all = AllWanted::new();
    for image in &pipeline.images {
        let wanted = all.entry(image.repository.name.clone()).or_default();
        wanted.settings = ask(&image.repository);
        wanted.lifecycle = guarded(&image.repository);
        if let Some(name) = cache::own_repository(image, facts) {
            all.entry(name.clone()).or_default();
        }
    }
    all
}

/// What a run has to know of the tags that it will write.
pub(crate) fn wanted(pipeline: &Pipeline, tags: &[DerivedTags], contents: &[ContentFacts], facts: &Facts) -> AllWanted {
    let mut all = named(pipeline, facts);
    for ((image, derived), content) in pipeline.images.iter().zip(tags).zip(contents) {
        let wanted = all.entry(image.repository.name.clone()).or_default();
        let parts = content.parts.iter().map(|part| &part.content);
        wanted.staging.extend(parts.chain([content]).filter_map(|known| Some(known.key.as_ref().ok()?.tag())));
        wanted.release.extend(derived.tags.iter().map(|planned| planned.tag.clone()));
        let repository = cache::own_repository(image, facts).unwrap_or(&image.repository.name);
        let platforms = content.parts.iter().map(|part| Some(&part.platform));
        let platforms: Vec<_> = if content.parts.is_empty() { vec![None] } else { platforms.collect() };
        let caches = platforms.into_iter().flat_map(|platform| cache::tags(image, facts, platform));
        for tag in caches {
            all.entry(repository.clone()).or_default().cache.insert(tag);
        }
    }
    all
}

/// Whether a repository has this lifecycle policy.
fn has(settings: &RepositorySettings, policy: &Policy) -> bool {
    let text = settings.lifecycle.as_ref().and_then(|asked| asked.as_ref().ok()?.as_deref());
    text.and_then(|text| lifecycle::read_json(text).ok()).is_some_and(|written| written.policy == *policy)
}

/// The repositories among these that exist, with those of their settings that are asked for; tags are left out.
pub(crate) async fn standing(ecr: &EcrClient, wanted: &AllWanted) -> Result<RegistryFacts, ServiceError> {
    let names: BTreeSet<RepositoryName> = wanted.keys().cloned().collect();
    let found = ecr.look_at_repositories(&names).await?;
    let templates = async { if found.len() < names.len() { ecr.creation_templates().await } else { Vec::new() } };
    let each = stream::iter(&found)
        .map(|(name, repository)| async move {
            let Some(wanted) = wanted.get(name) else { return Ok((repository.clone(), None)) };
            let settings = ecr.look_at_settings(repository, wanted.settings).await;
            let images = match &wanted.lifecycle {
                Some(policy) if !has(&settings, policy) => Some(ecr.images(name).await?),
                _ => None,
            };
            Ok((RepositoryFacts { settings, ..repository.clone() }, images))
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect::<Vec<_>>();
    let (templates, each) = tokio::join!(templates, each);
    let mut seen = RegistryFacts { templates, ..RegistryFacts::default() };
    for (repository, images) in each? {
        let name = repository.name.clone();
        seen.images.extend(images.map(|images| (name.clone(), images)));
        seen.repositories.insert(name, repository);
    }
    Ok(seen)
}

/// What was found out of the tags of one repository, which need not exist.
pub(crate) struct Looked {
    digests: BTreeMap<Tag, Digest>,
    /// What is known of the images that content keys name.
    described: BTreeMap<Tag, Result<Option<StoredImage>, ServiceError>>,
}

/// The same of several; why one does not answer matters only if it exists.
pub(crate) type AllLooked = BTreeMap<RepositoryName, Result<Looked, ServiceError>>;

impl Lookout<'_> {
    /// The repositories among these that exist, with the images that the tags name.
    pub(crate) async fn repositories(&self, wanted: &AllWanted) -> Result<RegistryFacts, ServiceError> {
        let (seen, looked) = tokio::join!(standing(self.ecr, wanted), self.tags(wanted));
        self.settle(seen?, looked, wanted).await
    }

    /// The repositories among these, once it is known that the registry itself answers.
    pub(crate) async fn look(&self, wanted: &AllWanted) -> Result<RegistryFacts, ServiceError> {
        let (seen, answer) = tokio::join!(self.repositories(wanted), self.ping());
        let seen = seen?;
        answer.map(|()| seen)
    }

    /// Looks the tags up, whether their repositories exist or not: nobody has to wait until that is known.
    pub(crate) async fn tags(&self, wanted: &AllWanted) -> AllLooked {
        let each =
            stream::iter(wanted).map(async |(name, wanted)| (name.clone(), Box::pin(self.tags_of(name, wanted)).await));
        each.buffer_unordered(CONCURRENCY).collect().await
    }

    async fn tags_of(&self, name: &RepositoryName, wanted: &Wanted) -> Result<Looked, ServiceError> {
        let tags: BTreeSet<&Tag> = wanted.staging.iter().chain(&wanted.release).chain(&wanted.cache).collect();
        let tags: Vec<Tag> = tags.into_iter().cloned().collect();
        let described = stream::iter(&wanted.staging)
            .map(async |tag| (tag.clone(), Box::pin(self.ecr.describe_image(name, tag)).await))
            .buffer_unordered(CONCURRENCY)
            .collect();
        let (digests, described) = tokio::join!(Box::pin(self.ecr.look_up_tags(name, &tags)), described);
        Ok(Looked { digests: digests?, described })
    }

    /// Puts together what [`standing`] and [`Lookout::tags`] have found.
    pub(crate) async fn settle(
        &self,
        seen: RegistryFacts,
        mut looked: AllLooked,
        wanted: &AllWanted,
    ) -> Result<RegistryFacts, ServiceError> {
        let RegistryFacts { repositories, .. } = &seen;
        let found = repositories.iter().map(|(name, repository)| (name, repository, looked.remove(name)));
        let each = stream::iter(found).map(async |(name, repository, looked)| {
            let (Some(wanted), Some(looked)) = (wanted.get(name), looked) else {
                return Ok((name.clone(), repository.clone()));
            };
            let taken = self.taken(repository, wanted, looked?).await?;
            Ok((name.clone(), RepositoryFacts { taken, ..repository.clone() }))
        });
        let repositories = each.buffer_unordered(CONCURRENCY).try_collect().await?;
        Ok(RegistryFacts { repositories, ..seen })
    }

    /// Finds out whether the registry itself answers, which the control plane does not tell.
    pub(crate) async fn ping(&self) -> Result<(), ServiceError> {
        self.renewing(async |credential| self.registry.ping(credential).await).await
    }

    /// Calls with the credential, and with a new one if it is refused.
    async fn renewing<T>(&self, call: impl AsyncFn(&Credential) -> Result<T, ServiceError>) -> Result<T, ServiceError> {
        renewing(self.ecr, &RENEWAL, |_, _, _| {}, call).await
    }

    async fn taken(
        &self,
        repository: &RepositoryFacts,
        wanted: &Wanted,
        Looked { digests, mut described }: Looked,
    ) -> Result<BTreeMap<Tag, StoredImage>, ServiceError> {
        let staged: Vec<Digest> = wanted.staging.iter().filter_map(|tag| digests.get(tag)).cloned().collect();
        let mut taken = BTreeMap::new();
        for (tag, digest) in digests {
            let mut image = StoredImage::new(digest);
            if let Some(described) = described.remove(&tag) {
                let described = described?;
                // It may have moved in between; then the next run learns more.
                if let Some(described) = described.filter(|described| described.digest == image.digest) {
                    image = described;
                }
            } else if wanted.release.contains(&tag) && repository.is_frozen(&tag) && !staged.contains(&image.digest) {
                self.read_labels(&repository.name, &mut image).await?;
            }
            taken.insert(tag, image);
        }
        Ok(taken)
    }

    async fn read_labels(&self, repository: &RepositoryName, image: &mut StoredImage) -> Result<(), ServiceError> {
        let labels = self.labels(repository, &image.digest).await?;
        image.revision = labels.get(labels::REVISION).cloned();
        image.content_key = labels.get(labels::CONTENT_KEY).cloned();
        Ok(())
    }

    /// The labels of an image; none if they cannot be read, which only means that it is not recognised as ours.
    async fn labels(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<BTreeMap<String, String>, ServiceError> {
        let image = ImageRef::digested(self.host, repository, digest);
        let labels = self.renewing(async |credential| self.registry.labels(&image, credential).await).await;
        match labels {
            // What cannot be had is not recognised; what may be had a moment later decides on the plan.
            Err(error) if error.failure.verdict() != Verdict::Final => Err(error),
            labels => Ok(labels.unwrap_or_default()),
        }
    }

    /// How an image's content differs from that of the image that one of its tags names now, in words; nothing if there
    /// is no such image, or no record beside it.
    pub(crate) async fn changes(
        &self,
        repository: &RepositoryFacts,
        tags: &DerivedTags,
        record: &KeyRecord,
    ) -> Vec<String> {
        // A tag that moves with every release says most about what was there before.
        let taken = tags.tags.iter().rev().filter_map(|planned| repository.taken.get(&planned.tag));
        let mut tried: Vec<&Digest> = Vec::new();
        for image in taken {
            if tried.len() == MOST_RECORDS || tried.contains(&&image.digest) {
                continue;
            }
            tried.push(&image.digest);
            if let Some(old) = self.record(&repository.name, &image.digest).await {
                return key::changes(&old, record).iter().map(ToString::to_string).collect();
            }
        }
        Vec::new()
    }

    /// The record beside an image. It only explains, so that whatever keeps it from being read is not told.
    async fn record(&self, repository: &RepositoryName, digest: &Digest) -> Option<KeyRecord> {
        let image = ImageRef::digested(self.host, repository, digest);
        let attachment =
            self.renewing(async |credential| self.registry.attachment(&image, RECORD_TYPE, credential).await);
        let bytes = attachment.await.ok()??;
        match serde_json::from_slice(&bytes).ok()? {
            Record::Known(record) => Some(*record),
            Record::Other { .. } => None,
        }
    }
}
