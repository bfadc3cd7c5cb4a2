//! Reads the git repository around a folder, through libgit2.

use std::fs;
use std::path::Path;

use git2::{ErrorClass, ErrorCode, Repository, StatusOptions};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::facts::{Commit, GitFacts, browsable_url};
use crate::key::Checkout;
use crate::secrecy;

/// Why the repository around the folder could not be read, in libgit2's words.
#[derive(Debug)]
pub struct UnreadableRepository(pub String);

/// What the repository around this folder says; `None` where there is none.
///
/// Shallow clones, detached HEADs, linked worktrees and checkouts that another user owns are all fine.
///
/// # Errors
/// Where there is a repository that libgit2 cannot read: a damaged one, or one of a format that it does not know.
pub fn look(folder: &Path) -> Result<Option<GitFacts>, UnreadableRepository> {
    let opened = match Repository::discover(folder) {
        Ok(repository) => Ok(Opened { repository, _shell: None }),
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) if error.code() == ErrorCode::Owner && error.class() == ErrorClass::Config => open_foreign(folder),
        Err(error) => Err(error),
    };
    opened.and_then(|opened| read(&opened.repository)).map(Some).map_err(|error| UnreadableRepository(describe(&error)))
}

/// What every clone of the commit that is checked out in this very folder has in common; `None` where the folder is
/// not the top of a repository with a commit that can be read.
pub fn checkout(folder: &Path) -> Option<Checkout> {
    let opened = match Repository::open(folder) {
        Err(error) if error.code() == ErrorCode::Owner && error.class() == ErrorClass::Config => open_foreign(folder),
        opened => opened.map(|repository| Opened { repository, _shell: None }),
    };
    let opened = opened.ok()?;
    let commit = opened.repository.head().and_then(|head| head.peel_to_commit()).ok()?.id();
    let (tags, _) = tags(&opened.repository, Some(commit)).ok()?;
    Some(Checkout { commit: commit.to_string(), tags })
}

struct Opened {
    repository: Repository,
    /// What must live as long as the repository is read.
    _shell: Option<TempDir>,
}

/// Opens a checkout that another user owns, as CI containers often have it.
///
/// The check that libgit2 makes protects from programs that a stranger's configuration could start; we only read,
/// and libgit2 starts none. The switch that turns it off is process-wide and unsafe. So the repository is read as
/// git reads a linked worktree: through a git directory of our own that holds HEAD and the index, and names the
/// foreign one as the place of everything else.
fn open_foreign(folder: &Path) -> Result<Opened, git2::Error> {
    let git_dir = Repository::discover_path(folder, std::iter::empty::<&Path>())?;
    let shell = tempfile::Builder::new().prefix("longshore-git-").tempdir().map_err(|error| io_error(&error))?;
    let common = match fs::read_to_string(git_dir.join("commondir")) {
        Ok(relative) => git_dir.join(relative.trim_end()),
        Err(_) => git_dir.clone(),
    };
    let common = fs::canonicalize(common).map_err(|error| io_error(&error))?;
    fs::copy(git_dir.join("HEAD"), shell.path().join("HEAD")).map_err(|error| io_error(&error))?;
    if git_dir.join("index").exists() {
        fs::copy(git_dir.join("index"), shell.path().join("index")).map_err(|error| io_error(&error))?;
    }
    fs::write(shell.path().join("commondir"), format!("{}\n", common.display())).map_err(|error| io_error(&error))?;
    let repository = Repository::open_bare(shell.path())?;
    if let Some(work_tree) = top(folder) {
        repository.set_workdir(work_tree, false)?;
    }
    Ok(Opened { repository, _shell: Some(shell) })
}

/// The top of the work tree around a folder: the nearest one with a `.git` in it, be it a folder or the file of a linked
/// worktree.
pub fn top(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|ancestor| ancestor.join(".git").exists())
}

fn io_error(error: &std::io::Error) -> git2::Error {
    git2::Error::from_str(&error.to_string())
}

fn describe(error: &git2::Error) -> String {
    format!("{} (class={:?}, code={:?})", error.message(), error.class(), error.code())
}

fn read(repository: &Repository) -> Result<GitFacts, git2::Error> {
    let commit = match repository.head().and_then(|head| head.peel_to_commit()) {
        Ok(commit) => Some(commit),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => None,
        Err(error) => return Err(error),
    };
    let (tags_at_head, all_tags) = tags(repository, commit.as_ref().map(git2::Commit::id))?;
    let seconds = commit.as_ref().map(|commit| commit.time().seconds());
    Ok(GitFacts {
        branch: branch(repository)?,
        tags_at_head,
        all_tags,
        dirty: commit.is_some() && is_dirty(repository)?,
        commit_time: seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()),
        remote_url: remote_url(repository),
        default_branch: default_branch(repository),
        shallow: repository.is_shallow(),
        commit: commit.and_then(|commit| Commit::parse(&commit.id().to_string())),
    })
}

/// The branch that is checked out, also one that has no commit yet.
fn branch(repository: &Repository) -> Result<Option<String>, git2::Error> {
    let head = repository.find_reference("HEAD")?;
    let target = head.symbolic_target().ok().flatten();
    Ok(target.and_then(|target| target.strip_prefix("refs/heads/")).map(str::to_owned))
}

/// The tags that name the commit, and all tags; both sorted by name. Tags whose names are not UTF-8 are left out.
fn tags(repository: &Repository, head: Option<git2::Oid>) -> Result<(Vec<String>, Vec<String>), git2::Error> {
    let (mut at_head, mut all) = (Vec::new(), Vec::new());
    for reference in repository.references_glob("refs/tags/*")? {
        let reference = reference?;
        let Some(name) = reference.shorthand().ok().map(str::to_owned) else { continue };
        let commit = reference.peel_to_commit().ok().map(|commit| commit.id());
        if head.is_some() && commit == head {
            at_head.push(name.clone());
        }
        all.push(name);
    }
    at_head.sort();
    all.sort();
    Ok((at_head, all))
}

/// Whether tracked files differ from the commit. Files that git does not track are the build's own affair.
fn is_dirty(repository: &Repository) -> Result<bool, git2::Error> {
    if repository.workdir().is_none() {
        return Ok(false);
    }
    let mut options = StatusOptions::new();
    options.include_untracked(false).include_ignored(false).exclude_submodules(true).update_index(false);
    Ok(!repository.statuses(Some(&mut options))?.is_empty())
}

/// The remote `origin`, or else the first.
fn remote(repository: &Repository) -> Option<git2::Remote<'_>> {
    repository.find_remote("origin").ok().or_else(|| {
        let names = repository.remotes().ok()?;
        let first = names.iter().flatten().flatten().next()?.to_owned();
        repository.find_remote(&first).ok()
    })
}

fn remote_url(repository: &Repository) -> Option<String> {
    let remote = remote(repository)?;
    let url = remote.url().ok()?;
    // It is not told, but a message of git's could tell it.
    if secrecy::value_tells(url) {
        secrecy::keep(url);
    }
    browsable_url(url)
}

/// What the remote's HEAD named when it was cloned; CI systems fetch without it.
fn default_branch(repository: &Repository) -> Option<String> {
    let remote = remote(repository)?.name().ok()??.to_owned();
    let head = repository.find_reference(&format!("refs/remotes/{remote}/HEAD")).ok()?;
    let target = head.symbolic_target().ok()??;
    target.strip_prefix(&format!("refs/remotes/{remote}/")).map(str::to_owned)
}
