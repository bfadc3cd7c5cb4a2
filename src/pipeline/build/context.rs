//! `context` and `additional_contexts`: what a build starts from, told apart by how it is written, as the docker client
//! does, which looks at nothing but the text either, except that a folder of that very name comes first there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::pipeline::needs::Needed;
use crate::pipeline::pairs;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;
use crate::pipeline::{ContextSource, NamedContext};

/// A named context, with its place if it is an image of the pipeline.
#[derive(Debug, Clone)]
pub(super) struct NamedPart {
    pub meaning: NamedContext,
    pub needed: Option<Needed>,
}

/// The endings of archives that BuildKit unpacks.
const ARCHIVES: [&str; 9] = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst"];

/// Reads a folder, an archive, `-` for standard input, or the URL of a git repository or an archive.
pub(super) fn source(field: &Field<'_>, problems: &mut Problems) -> Option<ContextSource> {
    let text = field.text(problems)?;
    if text == "-" {
        return Some(ContextSource::Stdin);
    }
    if let Some((word, _)) = scheme(text).filter(|(word, _)| !is_remote_scheme(word)) {
        let hint = "a context is a folder, an archive, `-`, or the URL of a git repository or an archive; other images \
                    are named under `additional_contexts`";
        problems.error_with_hint(field.span(), format!("`{}`: `{word}` names no context", field.path), hint);
        return None;
    }
    if is_remote(text) {
        return Some(ContextSource::Remote(text.to_owned()));
    }
    if ARCHIVES.iter().any(|ending| text.to_ascii_lowercase().ends_with(ending)) {
        return Some(ContextSource::Archive(PathBuf::from(text)));
    }
    Some(ContextSource::Folder(PathBuf::from(text)))
}

/// Reads names with what they mean: `{NAME: VALUE}` or `[NAME=VALUE]`. Compose's word for another image, `service:`,
/// and bake's, `target:`, mean the same as `image:`.
pub(super) fn named(field: &Field<'_>, problems: &mut Problems) -> Option<BTreeMap<String, NamedPart>> {
    let mut all = BTreeMap::new();
    for (name, value) in pairs::read(field, problems)? {
        let path = format!("{}.{name}", field.path);
        let value = value.unwrap_or_default();
        match meaning(&value) {
            Ok(meaning) => {
                let needed = meaning.planned().map(|image| Needed::new(image, &path, field.key));
                all.insert(name, NamedPart { meaning, needed });
            }
            Err(problem) => problems.error_with_hint(
                field.key,
                format!("`{path}` {problem}"),
                "name a folder, a git repository or an archive by its URL, `docker-image://REFERENCE`, or an image of \
                 the pipeline as in `image:web`",
            ),
        }
    }
    Some(all)
}

fn meaning(value: &str) -> Result<NamedContext, String> {
    if let Some(image) = ["image:", "service:", "target:"].iter().find_map(|word| value.strip_prefix(word)) {
        return match image {
            "" => Err(format!("is `{value}`, which names no image")),
            image => Ok(NamedContext::Planned(image.to_owned())),
        };
    }
    match scheme(value) {
        Some(("docker-image", "")) => Err(format!("is `{value}`, which names no image")),
        Some(("docker-image", reference)) if !reference.contains(char::is_whitespace) => {
            Ok(NamedContext::Image(reference.to_owned()))
        }
        Some(("oci-layout", _)) => Err("is an OCI layout, which this version does not support".into()),
        Some((word, _)) if !is_remote_scheme(word) => Err(format!("is `{value}`, which is no context")),
        _ if value.trim().is_empty() => Err("is empty".into()),
        _ if is_remote(value) => Ok(NamedContext::Remote(value.to_owned())),
        _ => Ok(NamedContext::Folder(PathBuf::from(value))),
    }
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once("://")?;
    let legal = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    legal.then_some((word, rest))
}

fn is_remote_scheme(word: &str) -> bool {
    ["http", "https", "git", "ssh"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether it is a URL, or one of git's own short forms: `user@host:path`, and `github.com/…` without a scheme.
/// Source: BuildKit's `gitutil`.
fn is_remote(text: &str) -> bool {
    scheme(text).is_some_and(|(word, _)| is_remote_scheme(word)) || text.starts_with("github.com/") || is_scp(text)
}

fn is_scp(text: &str) -> bool {
    let Some((user, rest)) = text.split_once('@') else { return false };
    let Some((host, _)) = rest.split_once(':') else { return false };
    let is_name = |text: &str, others: &[char]| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(&c))
    };
    is_name(user, &['-', '_']) && is_name(host, &['-', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_or_not() {
        for remote in [
            "https://github.com/a/b.git#v1:sub",
            "HTTP://example.com/x.tar.gz",
            "git://h/r",
            "ssh://git@h/r",
            "git@github.com:a/b.git#main",
            "github.com/a/b",
        ] {
            assert!(is_remote(remote), "{remote}");
        }
        for local in ["./github.com/a/b", "../x", "a@b", "a/b@c:d", "C:\\x", "x:y", "gitlab.com/a/b"] {
            assert!(!is_remote(local), "{local}");
        }
    }

    #[test]
    fn named_contexts() {
        assert_eq!(meaning("service:web"), Ok(NamedContext::Planned("web".into())));
        assert_eq!(meaning("docker-image://alpine:3"), Ok(NamedContext::Image("alpine:3".into())));
        assert_eq!(meaning("../shared"), Ok(NamedContext::Folder("../shared".into())));
        for wrong in ["", " ", "image:", "docker-image://", "oci-layout://x", "ftp://x"] {
            assert!(meaning(wrong).is_err(), "{wrong}");
        }
    }
}
