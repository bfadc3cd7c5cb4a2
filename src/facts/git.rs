use time::OffsetDateTime;

use super::Commit;

/// What the git repository around the pipeline file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GitFacts {
    /// The commit that is checked out; none in a repository without commits.
    pub commit: Option<Commit>,
    /// The branch that is checked out; none where HEAD is detached.
    pub branch: Option<String>,
    /// The tags, light and annotated, that name this commit, in the order of their names.
    pub tags_at_head: Vec<String>,
    /// Every tag of the clone, in the order of their names.
    pub all_tags: Vec<String>,
    /// Tracked files differ from the commit.
    pub dirty: bool,
    /// When the commit was made.
    pub commit_time: Option<OffsetDateTime>,
    /// The first remote's address, `origin` before others, as a URL for browsers.
    pub remote_url: Option<String>,
    /// The default branch of that remote, where the clone remembers it.
    pub default_branch: Option<String>,
    /// The clone lacks history.
    pub shallow: bool,
}
