//! The names that other tools give images.

use crate::names::{RegistryHost, RepositoryName};

/// A reference, as far as a pipeline file can use it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Account and region, if it is of ECR.
    pub ecr: Option<(String, String)>,
    /// The repository, without the registry.
    pub repository: String,
}

impl Reference {
    /// Reads `host/repository:tag`; variables and expressions may stand for any part.
    pub fn read(text: &str) -> Option<Self> {
        let text = without_tag(text.trim());
        let (host, rest) = match text.split_once('/') {
            Some((host, rest)) if is_host(host) => (Some(host), rest),
            _ => (None, text),
        };
        let ecr = host.and_then(|host| host.parse::<RegistryHost>().ok()?.as_ecr());
        let repository = repository_name(rest)?;
        Some(Reference { ecr: ecr.map(|ecr| (ecr.account.to_string(), ecr.region.to_string())), repository })
    }
}

/// Whether the first part of a name is a registry: it has a dot or a port, or is a variable or an expression.
fn is_host(part: &str) -> bool {
    part.contains(['.', ':', '$']) || part == "localhost"
}

/// Without a digest and a tag; a variable that stands for the tag goes with it.
fn without_tag(text: &str) -> &str {
    let text = text.split('@').next().unwrap_or(text);
    // What is in braces may hold colons and slashes of its own.
    let (mut depth, mut last_slash, mut colon) = (0_usize, 0, None);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => (last_slash, colon) = (at, None),
            ':' if depth == 0 && colon.is_none() && at >= last_slash => colon = Some(at),
            _ => {}
        }
    }
    colon.map_or(text, |at| &text[..at])
}

/// A name that ECR takes for a repository, made of one that people give a folder or an image; `None` if nothing of it is
/// left.
pub(super) fn repository_name(text: &str) -> Option<String> {
    let parts = text.split('/').map(|part| {
        let plain: String = part
            .to_ascii_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
            .collect();
        plain.trim_matches(['.', '_', '-']).to_owned()
    });
    let name = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    name.parse::<RepositoryName>().ok().map(|name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let read = |text: &str| Reference::read(text).map(|found| (found.ecr.is_some(), found.repository));
        let of = |ecr, repository: &str| Some((ecr, repository.to_owned()));
        assert_eq!(read("123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web:1.2"), of(true, "shop/web"));
        assert_eq!(read("ghcr.io/shop/web@sha256:abc"), of(false, "shop/web"));
        assert_eq!(read("shop/web"), of(false, "shop/web"));
        assert_eq!(read("${REGISTRY:-localhost:5000}/web:${TAG:-dev}"), of(false, "web"));
        assert_eq!(read("${{ steps.login.outputs.registry }}/shop/api:${{ github.sha }}"), of(false, "shop/api"));
        assert_eq!(read("localhost:5000/Web_App:x"), of(false, "web_app"));
        assert_eq!(read(""), None);
    }
}
