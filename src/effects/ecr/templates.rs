//! Templates for repositories that ECR creates itself.

use std::collections::BTreeMap;

use aws_sdk_ecr::types::{ImageTagMutability, RctAppliedFor, RepositoryCreationTemplate};

use super::EcrClient;
use crate::facts::{EncryptionFacts, RepositorySettings, Template};

impl EcrClient {
    /// The registry's templates for repositories that somebody pushes to before they exist; none if they cannot be
    /// seen, since then it is as good to create a repository as if there were none.
    pub async fn creation_templates(&self) -> Vec<Template> {
        let mut templates = Vec::new();
        let mut token = None;
        loop {
            // Asked for once only: stand-ins for ECR that do not know of templates say that they are broken.
            let answer = self.sdk.describe_repository_creation_templates().set_next_token(token).send().await;
            let Ok(answer) = answer else { return templates };
            templates.extend(answer.repository_creation_templates().iter().filter_map(template));
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return templates;
            }
        }
    }
}

fn template(found: &RepositoryCreationTemplate) -> Option<Template> {
    if !found.applied_for().contains(&RctAppliedFor::CreateOnPush) {
        return None;
    }
    let immutable = matches!(
        found.image_tag_mutability(),
        Some(ImageTagMutability::Immutable | ImageTagMutability::ImmutableWithExclusion)
    );
    let except = found.image_tag_mutability_exclusion_filters().iter().map(|filter| filter.filter().to_owned());
    let encryption = found.encryption_configuration().map(|encryption| EncryptionFacts {
        kind: encryption.encryption_type().as_str().to_owned(),
        key: encryption.kms_key().map(str::to_owned),
    });
    let tags: BTreeMap<String, String> =
        found.resource_tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Template {
        prefix: found.prefix()?.to_owned(),
        immutable,
        except: except.collect(),
        settings: RepositorySettings {
            encryption: encryption.unwrap_or(EncryptionFacts { kind: "AES256".to_owned(), key: None }),
            lifecycle: Some(Ok(text(found.lifecycle_policy()))),
            policy: Some(Ok(text(found.repository_policy()))),
            resource_tags: Some(Ok(tags)),
            ..RepositorySettings::default()
        },
    })
}
