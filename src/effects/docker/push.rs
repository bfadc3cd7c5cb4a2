//! One push of one tag.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::errors::Error;
use bollard::models::PushImageInfo;
use bollard::query_parameters::{PushImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::StreamExt;

use super::{Docker, failure, phrases};
use crate::execute::events::PushEvent;
use crate::execute::ports::{BuiltImage, Credential, Failure, ServiceError};
use crate::names::{Digest, ImageRef, Platform, Reference};

impl Docker {
    /// Tags the image and pushes that tag; see [`Engine::push`](crate::execute::ports::Engine::push).
    pub(super) async fn push_image(
        &self,
        image: &BuiltImage,
        target: &ImageRef,
        credential: &Credential,
        tell: &dyn Fn(PushEvent),
    ) -> Result<Digest, ServiceError> {
        let doing = format!("push `{target}`");
        let Reference::Tag(tag) = &target.reference else {
            let cause = "the Docker daemon pushes tags only, not digests".to_owned();
            return Err(ServiceError { failure: Failure::Unexpected, doing, cause });
        };
        let name = target.name();
        let options = TagImageOptionsBuilder::new().repo(&name).tag(tag.as_str()).build();
        let tagged = self.client.tag_image(&image.id, Some(options)).await;
        tagged.map_err(|error| self.refusal(&error, &doing, Failure::Unexpected))?;

        let plain = target.host.is_loopback() && self.facts.get().is_some_and(|facts| facts.podman);
        let client = with_credential(&self.client, credential, target, plain);
        let mut options = PushImageOptionsBuilder::new().tag(tag.as_str());
        if let Some(platform) = self.platform_to_push(image).await? {
            options = options.platform(&platform);
        }
        let options = options.build();
        let mut messages = client.push_image(&name, Some(options), None);
        let mut digest = None;
        while let Some(message) = messages.next().await {
            match message {
                Ok(info) => {
                    digest = info.status.as_deref().and_then(pushed_digest).or(digest);
                    event(&info).into_iter().for_each(tell);
                }
                Err(error) if digest.is_some() && failure::is_trailing_newline(&error) => break,
                Err(error) => {
                    let failure = failure::daemon_words(&error)
                        .map_or(Failure::Unexpected, |words| phrases::classify(words, target));
                    return Err(self.refusal(&error, &doing, failure));
                }
            }
        }
        digest.ok_or_else(|| ServiceError {
            failure: Failure::Unexpected,
            doing,
            cause: "the daemon ended the push without naming a digest".into(),
        })
    }

    /// The platform that the push has to name, as JSON: containerd's store may hold several under one tag, of which it
    /// would push what fits the daemon's machine. Attestations are pushed only where none is named.
    ///
    /// Source: moby `daemon/containerd/image_push.go`; Docker Engine API 1.46, operation `ImagePush`.
    async fn platform_to_push(&self, image: &BuiltImage) -> Result<Option<String>, ServiceError> {
        let Some(platform) = image.platform.as_ref().filter(|_| !image.attested) else { return Ok(None) };
        Ok(self.look().await?.names_pushed_platform().then(|| in_json(platform)))
    }

    /// The daemon's own words with this failure, or the failure to reach it.
    fn refusal(&self, error: &Error, doing: &str, failure: Failure) -> ServiceError {
        match failure::daemon_words(error) {
            Some(words) => ServiceError { failure, doing: doing.to_owned(), cause: words.to_owned() },
            None => failure::unreachable(&self.address, doing, error),
        }
    }
}

fn in_json(platform: &Platform) -> String {
    match platform.split() {
        (os, architecture, "") => serde_json::json!({ "os": os, "architecture": architecture }),
        (os, architecture, variant) => {
            serde_json::json!({ "os": os, "architecture": architecture, "variant": variant })
        }
    }
    .to_string()
}

/// The same client, whose requests carry the credential.
///
/// The header is ours because bollard 0.21.1 writes it in base64's standard alphabet, while daemons read the one
/// that is safe in URLs: a password whose code has a `+` or `/` would be taken for no password at all.
///
/// Docker speaks to registries on loopback without TLS where they have none; Podman does so when it is told to.
fn with_credential(
    client: &bollard::Docker,
    credential: &Credential,
    target: &ImageRef,
    plain: bool,
) -> bollard::Docker {
    let header = registry_auth(credential, target);
    client.clone().with_request_modifier(move |mut request| {
        if plain && let Ok(uri) = format!("{}&tlsVerify=false", request.uri()).parse() {
            *request.uri_mut() = uri;
        }
        // Base64 is a legal header value, so this always parses.
        if let Ok(value) = header.parse() {
            request.headers_mut().insert("x-registry-auth", value);
        }
        // Kept out of what the HTTP library may print.
        request.headers_mut().values_mut().for_each(|value| value.set_sensitive(true));
        request
    })
}

/// Source: Docker Engine API, section "Authentication".
fn registry_auth(credential: &Credential, target: &ImageRef) -> String {
    let json = serde_json::json!({
        "username": credential.username,
        "password": credential.reveal(),
        "serveraddress": target.host.as_str(),
    });
    URL_SAFE.encode(json.to_string())
}

/// The digest in `TAG: digest: sha256:… size: N`, the one form in which Docker 20.10 to 29 and Podman all say it.
fn pushed_digest(status: &str) -> Option<Digest> {
    let (_, rest) = status.split_once("digest: ")?;
    rest.split_whitespace().next()?.parse().ok()
}

fn event(info: &PushImageInfo) -> Option<PushEvent> {
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    match info.status.as_deref()? {
        "Preparing" => Some(PushEvent::LayerFound),
        "Pushing" => {
            let progress = info.progress_detail.as_ref()?;
            Some(PushEvent::LayerSending { sent: count(progress.current), total: count(progress.total) })
        }
        "Pushed" => Some(PushEvent::LayerSent),
        "Layer already exists" => Some(PushEvent::LayerThereAlready),
        status if status.starts_with("Mounted from") => Some(PushEvent::LayerMounted),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_read_from_the_text() {
        let hex = "a".repeat(64);
        let digest = pushed_digest(&format!("v1: digest: sha256:{hex} size: 527"));
        assert_eq!(digest.unwrap().hex(), hex);
        assert_eq!(pushed_digest("v1: digest: sha256:abc size: 1"), None);
        assert_eq!(pushed_digest("Pushed"), None);
    }

    #[test]
    fn the_platform_is_told_in_json() {
        let json = |text: &str| in_json(&text.parse().unwrap());
        assert_eq!(json("linux/arm64"), r#"{"os":"linux","architecture":"arm64"}"#);
        assert_eq!(json("linux/arm/v7"), r#"{"os":"linux","architecture":"arm","variant":"v7"}"#);
    }

    #[test]
    fn the_credential_is_written_in_the_alphabet_that_daemons_read() {
        let target = ImageRef::tagged(&"r:5000".parse().unwrap(), &"web".parse().unwrap(), &"v1".parse().unwrap());
        for password in ["a???b", "~~~~", ">>>>>", "ü¿"] {
            let header = registry_auth(&Credential::new("AWS", password, None), &target);
            assert!(!header.contains(['+', '/']), "{header}");
            let json: serde_json::Value = serde_json::from_slice(&URL_SAFE.decode(&header).unwrap()).unwrap();
            assert_eq!(json["password"], password);
        }
    }
}
