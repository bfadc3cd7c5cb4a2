//! What was true when we looked, each fact with where it comes from.
//!
//! The order is: flags, CI variables, git. Nothing is ever made up: a fact that nobody states is not there.

pub mod ci;
mod git;
mod registry;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;

pub use git::GitFacts;
pub use registry::{ContentFacts, RepositoryFacts, StoredImage};

use ci::CiFacts;

/// The environment's variables, as they were when the program started.
pub type Variables = BTreeMap<String, String>;

/// A fact and who states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known<T> {
    /// The fact.
    pub value: T,
    /// As in `GITHUB_REF` or `git`.
    pub source: String,
}

impl<T> Known<T> {
    /// A fact and who states it.
    pub fn new(value: T, source: impl Into<String>) -> Self {
        Known { value, source: source.into() }
    }
}

/// A git commit's full hash, 40 or 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Commit(String);

impl Commit {
    /// The commit, if the text is a full hash; CI variables often hold something else under the same name.
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (matches!(text.len(), 40 | 64) && hexadecimal).then(|| Commit(text.to_owned()))
    }

    /// The whole hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 7 digits, the length that docker/metadata-action uses.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is being built: a branch, tags, a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Refs {
    /// The branch.
    pub branch: Option<Known<String>>,
    /// The git tags, without `refs/tags/`.
    pub tags: Vec<Known<String>>,
    /// The number of the pull request.
    pub pull_request: Option<Known<String>>,
}

impl Refs {
    fn is_empty(&self) -> bool {
        self.branch.is_none() && self.tags.is_empty() && self.pull_request.is_none()
    }

    /// The ref with the given full name, as in `refs/heads/main`; none if it is not one that we know.
    pub fn from_full_name(name: &str, source: &str) -> Self {
        let mut refs = Refs::default();
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            refs.branch = Some(Known::new(branch.to_owned(), source));
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            refs.tags = vec![Known::new(tag.to_owned(), source)];
        } else if let Some(number) = name.strip_prefix("refs/pull/").and_then(|rest| rest.split('/').next()) {
            refs.pull_request = Some(Known::new(number.to_owned(), source));
        }
        refs
    }
}

/// What the user states about the checkout on the command line.
#[derive(Debug, Clone, Default)]
pub struct StatedFacts {
    /// `--commit`
    pub commit: Option<Commit>,
    /// `--branch`
    pub branch: Option<String>,
    /// `--git-tag`
    pub tag: Option<String>,
    /// `--pull-request`
    pub pull_request: Option<String>,
}

/// What is known about the checkout.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Facts {
    /// The commit.
    pub commit: Option<Known<Commit>>,
    /// What is being built.
    pub refs: Refs,
    /// Every git tag that the clone knows, for rules that compare versions.
    pub all_tags: Vec<String>,
    /// Tracked files differ from the commit.
    pub dirty: bool,
    /// When the commit was made.
    #[serde(with = "time::serde::rfc3339::option")]
    pub commit_time: Option<OffsetDateTime>,
    /// Where the source lives, as a URL for browsers, without credentials.
    pub source_url: Option<Known<String>>,
    /// The clone lacks history.
    pub shallow: bool,
    /// There is a git repository.
    pub in_git: bool,
    /// The CI system's name, where there is one.
    pub ci: Option<&'static str>,
}

impl Facts {
    /// Joins what the flags, the CI system and git say; the first that speaks of a thing is believed.
    ///
    /// What is being built comes from one source as a whole: a CI job for a branch has no tag, even if git
    /// finds one at the same commit, where the CI system is known to say so when there is one.
    pub fn gather(stated: &StatedFacts, ci: Option<CiFacts>, git: Option<GitFacts>) -> Self {
        let in_git = git.is_some();
        let ci = ci.unwrap_or_default();
        let git = git.unwrap_or_default();
        let from_flags = Refs {
            branch: stated.branch.clone().map(|branch| Known::new(branch, "--branch")),
            tags: stated.tag.iter().map(|tag| Known::new(tag.clone(), "--git-tag")).collect(),
            pull_request: stated.pull_request.clone().map(|number| Known::new(number, "--pull-request")),
        };
        let refs = if !from_flags.is_empty() {
            from_flags
        } else if ci.refs_complete {
            ci.refs
        } else {
            Refs {
                branch: ci.refs.branch.or_else(|| git.branch.map(|branch| Known::new(branch, "git"))),
                tags: if ci.refs.tags.is_empty() {
                    git.tags_at_head.into_iter().map(|tag| Known::new(tag, "git")).collect()
                } else {
                    ci.refs.tags
                },
                pull_request: ci.refs.pull_request,
            }
        };
        let git_commit = git.commit.clone();
        let commit = stated.commit.clone().map(|commit| Known::new(commit, "--commit"));
        let commit = commit.or(ci.commit).or_else(|| git.commit.map(|commit| Known::new(commit, "git")));
        // The time belongs to git's commit; of any other it would be a lie.
        let same = git_commit.is_some() && commit.as_ref().map(|known| &known.value) == git_commit.as_ref();
        Facts {
            commit,
            refs,
            all_tags: git.all_tags,
            dirty: git.dirty,
            commit_time: git.commit_time.filter(|_| same),
            source_url: ci.source_url.or_else(|| git.remote_url.map(|url| Known::new(url, "git"))),
            shallow: git.shallow,
            in_git,
            ci: ci.system,
        }
    }
}

/// A git remote's address as a URL for browsers: credentials and `.git` cut, `git@host:path` turned round.
pub fn browsable_url(remote: &str) -> Option<String> {
    let (host, path) = match remote.split_once("://") {
        Some(("http" | "https" | "ssh" | "git", rest)) => {
            let (authority, path) = rest.split_once('/')?;
            let host = authority.rsplit('@').next()?;
            // A port of ssh's says nothing about where the pages are.
            let host = if remote.starts_with("http") { host } else { host.split(':').next()? };
            (host, path)
        }
        Some(_) => return None,
        None => {
            let (authority, path) = remote.split_once(':')?;
            (authority.rsplit_once('@')?.1, path)
        }
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("https://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: char) -> Commit {
        Commit::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn git() -> GitFacts {
        GitFacts {
            commit: Some(commit('a')),
            branch: Some("main".into()),
            tags_at_head: vec!["v1.0.0".into()],
            commit_time: Some(OffsetDateTime::UNIX_EPOCH),
            ..GitFacts::default()
        }
    }

    #[test]
    fn without_ci_git_speaks_for_itself() {
        let facts = Facts::gather(&StatedFacts::default(), None, Some(git()));
        assert_eq!(facts.refs.branch, Some(Known::new("main".into(), "git")));
        assert_eq!(facts.refs.tags, [Known::new("v1.0.0".into(), "git")]);
        assert!(facts.commit_time.is_some());
    }

    #[test]
    fn a_ci_job_for_a_branch_has_no_tag() {
        let ci = CiFacts {
            refs: Refs::from_full_name("refs/heads/dev", "GITHUB_REF"),
            refs_complete: true,
            ..CiFacts::default()
        };
        let facts = Facts::gather(&StatedFacts::default(), Some(ci), Some(git()));
        assert_eq!(facts.refs, Refs::from_full_name("refs/heads/dev", "GITHUB_REF"));
    }

    #[test]
    fn flags_win_and_another_commit_has_no_time() {
        let stated = StatedFacts { commit: Some(commit('b')), tag: Some("v2".into()), ..StatedFacts::default() };
        let facts = Facts::gather(&stated, None, Some(git()));
        assert_eq!(facts.commit, Some(Known::new(commit('b'), "--commit")));
        assert_eq!(facts.refs.branch, None);
        assert_eq!(facts.refs.tags, [Known::new("v2".into(), "--git-tag")]);
        assert_eq!(facts.commit_time, None);
    }

    #[test]
    fn nothing_is_made_up() {
        let facts = Facts::gather(&StatedFacts::default(), None, None);
        assert_eq!(facts, Facts::default());
    }

    #[test]
    fn commits() {
        assert!(Commit::parse(&"0".repeat(64)).is_some());
        for text in ["HEAD", "", "main", &"A".repeat(40), &"a".repeat(41)] {
            assert_eq!(Commit::parse(text), None, "{text}");
        }
    }

    #[test]
    fn remotes_as_pages() {
        let page = Some("https://example.com/shop/web".to_owned());
        for remote in [
            "https://example.com/shop/web.git",
            "https://user:secret@example.com/shop/web",
            "git@example.com:shop/web.git",
            "ssh://git@example.com:2222/shop/web.git/",
        ] {
            assert_eq!(browsable_url(remote), page, "{remote}");
        }
        assert_eq!(browsable_url("/srv/git/web.git"), None);
        assert_eq!(browsable_url("file:///srv/git/web.git"), None);
    }
}
