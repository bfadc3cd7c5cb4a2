//! Joins what the flags, the CI system and git say.

use time::OffsetDateTime;

use super::ci::CiFacts;
use super::{Commit, Event, GitFacts, Known, Project, Refs};

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

impl StatedFacts {
    fn refs(&self) -> Refs {
        Refs {
            branch: self.branch.clone().map(|branch| Known::new(branch, "--branch")),
            tags: self.tag.iter().map(|tag| Known::new(tag.clone(), "--git-tag")).collect(),
            pull_request: self.pull_request.clone().map(|number| Known::new(number, "--pull-request")),
        }
    }
}

/// What is known about the checkout.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The commit.
    pub commit: Option<Known<Commit>>,
    /// What is being built.
    pub refs: Refs,
    /// The branch that a pull request comes from.
    pub source_branch: Option<Known<String>>,
    /// The branch that a pull request goes to, or that a git tag was made from.
    pub base_branch: Option<Known<String>>,
    /// The repository that a pull request comes from, where it is a fork, which gets no credentials.
    pub fork: Option<Known<String>>,
    /// The repository's default branch.
    pub default_branch: Option<Known<String>>,
    /// What started the job.
    pub event: Option<Known<Event>>,
    /// Every git tag that the clone knows, for rules that compare versions.
    pub all_tags: Vec<String>,
    /// Tracked files differ from the commit.
    pub dirty: bool,
    /// When the commit was made.
    pub commit_time: Option<Known<OffsetDateTime>>,
    /// The time of the run.
    pub now: Option<Known<OffsetDateTime>>,
    /// When images are said to be made: at a time that was stated, else at that of the commit, so that the same
    /// commit gives the same image.
    pub created: Option<Known<OffsetDateTime>>,
    /// Where the source lives, as a URL for browsers, without credentials.
    pub source_url: Option<Known<String>>,
    /// What the repository says about itself.
    pub project: Project,
    /// The clone lacks history.
    pub shallow: bool,
    /// There is a git repository.
    pub in_git: bool,
    /// The CI system's name, where there is one.
    pub ci: Option<&'static str>,
    /// The CI system whose machine this is: CodeBuild can run the jobs of others.
    pub machine: Option<&'static str>,
    /// The number that the CI system gave the build.
    pub build_number: Option<Known<String>>,
    /// The build's page.
    pub build_url: Option<Known<String>>,
    /// How many digits of a commit are its short form, as a text that nobody has looked at.
    pub short_length: Option<Known<String>>,
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
        let from_flags = stated.refs();
        let of_ci = from_flags.is_empty();
        let refs = if !of_ci {
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
        let from_git = git.commit.clone();
        let stated_commit = stated.commit.clone().map(|commit| Known::new(commit, "--commit"));
        // A time belongs to one commit; of any other it would be a lie.
        let ci_time = ci.commit_time.filter(|_| stated_commit.is_none());
        let commit = stated_commit.or(ci.commit).or_else(|| git.commit.map(|commit| Known::new(commit, "git")));
        let same = from_git.is_some() && commit.as_ref().map(|known| &known.value) == from_git.as_ref();
        let git_time = git.commit_time.filter(|_| same).map(|time| Known::new(time, "git"));
        Facts {
            commit,
            refs,
            source_branch: ci.source_branch.filter(|_| of_ci),
            base_branch: ci.base_branch.filter(|_| of_ci),
            fork: ci.fork.filter(|_| of_ci),
            default_branch: ci.default_branch.or_else(|| git.default_branch.map(|name| Known::new(name, "git"))),
            event: ci.event,
            all_tags: git.all_tags,
            dirty: git.dirty,
            commit_time: ci_time.or(git_time),
            now: None,
            created: None,
            source_url: ci.source_url.or_else(|| git.remote_url.map(|url| Known::new(url, "git"))),
            project: ci.project,
            shallow: git.shallow,
            in_git,
            ci: ci.system,
            machine: ci.machine,
            build_number: ci.build_number,
            build_url: ci.build_url,
            short_length: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Refs;

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
}
