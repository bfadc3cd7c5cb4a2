//! Whether an image is built, or is in the registry already.

use time::OffsetDateTime;

use super::PlannedTag;
use crate::diagnostic::Diagnostic;
use crate::facts::{ContentFacts, Facts, RepositoryFacts, StoredImage};
use crate::key::ContentKey;
use crate::names::Digest;
use crate::pipeline::{Image, Reuse};

/// What speaks for building or not, of one image.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) image: &'a Image,
    pub(super) tags: &'a [PlannedTag],
    pub(super) content: &'a ContentFacts,
    pub(super) there: Option<&'a RepositoryFacts>,
    pub(super) facts: &'a Facts,
    pub(super) now: OffsetDateTime,
    /// The user asked for a build in any case.
    pub(super) force: bool,
    /// Whatever is there with this content is taken, because another run has just decided to leave it there.
    pub(super) any_age: bool,
}

/// What was decided; how to build is for the caller to say.
pub(super) enum Verdict {
    Build { why: Vec<String> },
    Reuse { digest: Digest, why: String },
}

impl Verdict {
    fn reuse(digest: &Digest, why: impl Into<String>) -> Self {
        Verdict::Reuse { digest: digest.clone(), why: why.into() }
    }

    fn build(why: impl Into<String>) -> Self {
        Verdict::Build { why: vec![why.into()] }
    }
}

impl Case<'_> {
    /// Decides. When in doubt, it is built.
    ///
    /// # Errors
    /// If a release tag is taken by another image and cannot move: then nothing that could be built would help.
    pub(super) fn decide(&self) -> Result<Verdict, Diagnostic> {
        let verdict = self.by_content()?;
        let Some(frozen) = self.frozen() else { return Ok(verdict) };
        if let Verdict::Reuse { digest, .. } = &verdict
            && frozen.iter().all(|(_, stored)| stored.digest == *digest)
        {
            return Ok(verdict);
        }
        self.by_frozen_tags(&frozen)
    }

    /// Decides by the content alone.
    pub(super) fn by_content(&self) -> Result<Verdict, Diagnostic> {
        let key = match &self.content.key {
            Ok(key) => key,
            Err(reason) => return Ok(Verdict::build(reason)),
        };
        let Some((repository, stored)) = self.there.and_then(|there| Some((there, there.taken.get(&key.tag())?)))
        else {
            return Ok(Verdict::Build { why: self.why_new() });
        };
        let outdated = match self.image.reuse {
            _ if self.any_age => None,
            _ if self.force => Some("a build is forced".to_owned()),
            Reuse::Never => Some("`reuse` is off".to_owned()),
            Reuse::UpTo { max_age } => self.too_old(stored, max_age),
        };
        match outdated {
            None => Ok(Verdict::reuse(&stored.digest, format!("its content did not change: {}", key.tag()))),
            Some(why) if !repository.is_frozen(&key.tag()) => Ok(Verdict::build(why)),
            Some(_) if self.force || self.image.reuse == Reuse::Never => Err(self.staging_is_frozen(key, stored)),
            // Of two images with the same content, the registry would refuse the newer.
            Some(_) => Ok(Verdict::reuse(
                &stored.digest,
                format!("its content did not change, and {} cannot move in this repository", key.tag()),
            )),
        }
    }

    fn why_new(&self) -> Vec<String> {
        if !self.content.changes.is_empty() {
            return self.content.changes.clone();
        }
        vec![match self.there {
            None => "first run: the repository is new".to_owned(),
            Some(_) => "no image in the repository has this content".to_owned(),
        }]
    }

    fn too_old(&self, stored: &StoredImage, max_age: u64) -> Option<String> {
        // Whoever does not tell the age of an image is no reason to build it again and again.
        let age = (self.now - stored.pushed_at?).whole_seconds();
        (age > i64::try_from(max_age).unwrap_or(i64::MAX)).then(|| {
            format!("the image with this content is {} old, and `reuse.max_age` {}", span(age), span(max_age as i64))
        })
    }

    /// The release tags that are taken and cannot move; `None` if there are none.
    fn frozen(&self) -> Option<Vec<(&PlannedTag, &StoredImage)>> {
        let repository = self.there?;
        let frozen = self.tags.iter().filter(|planned| repository.is_frozen(&planned.tag));
        let taken: Vec<_> = frozen.filter_map(|planned| Some((planned, repository.taken.get(&planned.tag)?))).collect();
        (!taken.is_empty()).then_some(taken)
    }

    /// The image that taken and frozen tags name, if it is the one that would be built: of the same content, or of the
    /// same commit where the content cannot be told.
    fn by_frozen_tags(&self, frozen: &[(&PlannedTag, &StoredImage)]) -> Result<Verdict, Diagnostic> {
        let (first, stored) = frozen[0];
        let one_image = frozen.iter().all(|(_, other)| other.digest == stored.digest);
        if one_image && !self.force {
            if let (Ok(key), Some(stored_key)) = (&self.content.key, &stored.content_key)
                && key.as_str() == stored_key
            {
                return Ok(Verdict::reuse(
                    &stored.digest,
                    format!("tag `{}` names an image with this content", first.tag),
                ));
            }
            let commit = self.facts.commit.as_ref().map(|commit| commit.value.as_str());
            let unknown = self.content.key.is_err() || stored.content_key.is_none();
            if unknown && commit.is_some() && stored.revision.as_deref() == commit && !self.facts.dirty {
                let why = format!("tag `{}` is immutable and names the image of this very commit", first.tag);
                return Ok(Verdict::reuse(&stored.digest, why));
            }
        }
        Err(self.taken(first, stored))
    }

    fn taken(&self, planned: &PlannedTag, stored: &StoredImage) -> Diagnostic {
        let repository = &self.image.repository.name;
        let built_from = match &stored.revision {
            Some(revision) => format!(", built from commit {revision}"),
            None => String::new(),
        };
        let place = self.image.tags.iter().find(|rule| rule.kind.to_string() == planned.rule);
        let diagnostic = Diagnostic::input(format!(
            "tag `{}` is taken in `{repository}`, and that repository's tags are immutable",
            planned.tag
        ))
        .at_maybe(place.and_then(|rule| rule.place.clone()))
        .caused_by(format!("{} is {}{built_from}", planned.tag, stored.digest));
        let wanted = self.content.key.as_ref().ok().and_then(|key| self.there?.taken.get(&key.tag()));
        let diagnostic = match wanted {
            Some(wanted) => diagnostic.caused_by(format!("it should be {}", wanted.digest)),
            None => diagnostic,
        };
        diagnostic.hint(
            "nothing was built; tag a new version in git, or except the tag from immutability under `tag_mutability`",
        )
    }

    fn staging_is_frozen(&self, key: &ContentKey, stored: &StoredImage) -> Diagnostic {
        Diagnostic::input(format!(
            "image `{}` cannot be built again: `{}` already has an image with this content",
            self.image.name, self.image.repository.name
        ))
        .at_maybe(self.image.repository.place.clone())
        .caused_by(format!("{} is {}, and that repository's tags are immutable", key.tag(), stored.digest))
        .hint("except `src-*` from immutability under `tag_mutability`, or build without forcing it")
    }
}

/// A time span in its largest whole unit.
fn span(seconds: i64) -> String {
    let (unit, name) = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")]
        .into_iter()
        .find(|(unit, _)| seconds >= *unit)
        .unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans() {
        assert_eq!(span(0), "0 seconds");
        assert_eq!(span(86_400), "1 day");
        assert_eq!(span(7 * 86_400 + 5), "7 days");
        assert_eq!(span(7_199), "1 hour");
    }
}
