//! Facts from real git repositories of every shape that CI systems check out.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test touches the world"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use longshore::effects::git;
use longshore::facts::GitFacts;
use tempfile::TempDir;

/// A repository with one commit on `main`, in a temporary folder.
struct Checkout {
    folder: TempDir,
}

impl Checkout {
    fn new() -> Self {
        let checkout = Checkout { folder: tempfile::tempdir().unwrap() };
        checkout.git(&["init", "--quiet", "--initial-branch=main"]);
        fs::write(checkout.path().join("file"), "one\n").unwrap();
        checkout.git(&["add", "file"]);
        checkout.git(&["commit", "--quiet", "--message=one"]);
        checkout
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, args: &[&str]) -> String {
        git_in(self.path(), args)
    }

    fn look(&self) -> GitFacts {
        git::look(self.path()).unwrap().expect("a repository")
    }
}

/// Runs git with nothing of this machine's configuration.
fn git_in(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
        .env("GIT_COMMITTER_DATE", "2024-05-06T07:08:09Z")
        .output()
        .expect("git starts");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_plain_checkout() {
    let checkout = Checkout::new();
    checkout.git(&["tag", "v1.0.0"]);
    checkout.git(&["tag", "--annotate", "--message=x", "v1.0.1"]);
    checkout.git(&["remote", "add", "origin", "git@example.com:shop/web.git"]);
    let facts = checkout.look();
    assert_eq!(facts.commit.map(|commit| commit.to_string()), Some(checkout.git(&["rev-parse", "HEAD"])));
    assert_eq!(facts.branch.as_deref(), Some("main"));
    assert_eq!(facts.tags_at_head, ["v1.0.0", "v1.0.1"]);
    assert_eq!(facts.remote_url.as_deref(), Some("https://example.com/shop/web"));
    assert_eq!(facts.commit_time.map(|time| time.to_string()).as_deref(), Some("2024-05-06 7:08:09.0 +00:00:00"));
    assert!(!facts.dirty && !facts.shallow);
}

#[test]
fn a_tag_of_another_commit_is_known_but_not_at_head() {
    let checkout = Checkout::new();
    checkout.git(&["tag", "v1.0.0"]);
    checkout.git(&["commit", "--quiet", "--allow-empty", "--message=two"]);
    let facts = checkout.look();
    assert_eq!(facts.tags_at_head, [""; 0]);
    assert_eq!(facts.all_tags, ["v1.0.0"]);
}

#[test]
fn tracked_changes_make_it_dirty_and_untracked_files_do_not() {
    let checkout = Checkout::new();
    fs::write(checkout.path().join("new"), "").unwrap();
    assert!(!checkout.look().dirty);
    fs::write(checkout.path().join("file"), "two\n").unwrap();
    assert!(checkout.look().dirty);
}

#[test]
fn a_detached_head_has_no_branch() {
    let checkout = Checkout::new();
    checkout.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(checkout.look().branch, None);
}

#[test]
fn a_repository_without_commits() {
    let folder = tempfile::tempdir().unwrap();
    git_in(folder.path(), &["init", "--quiet", "--initial-branch=trunk"]);
    let facts = git::look(folder.path()).unwrap().unwrap();
    assert_eq!((facts.commit, facts.branch.as_deref(), facts.dirty), (None, Some("trunk"), false));
}

#[test]
fn a_shallow_clone() {
    let checkout = Checkout::new();
    checkout.git(&["commit", "--quiet", "--allow-empty", "--message=two"]);
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", checkout.path().display());
    git_in(clone.path(), &["clone", "--quiet", "--depth=1", &url, "."]);
    let facts = git::look(clone.path()).unwrap().unwrap();
    assert!(facts.shallow);
    assert_eq!(facts.commit.map(|commit| commit.to_string()), Some(checkout.git(&["rev-parse", "HEAD"])));
    assert_eq!(facts.remote_url, None, "a file is no page");
}

#[test]
fn a_linked_worktree_and_a_folder_inside() {
    let checkout = Checkout::new();
    let tree = tempfile::tempdir().unwrap();
    let path = tree.path().join("tree");
    checkout.git(&["worktree", "add", "--quiet", "-b", "side", path.to_str().unwrap()]);
    fs::create_dir(path.join("inner")).unwrap();
    let facts = git::look(&path.join("inner")).unwrap().unwrap();
    assert_eq!(facts.branch.as_deref(), Some("side"));
}

#[test]
fn no_repository_at_all() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(git::look(folder.path()).unwrap(), None);
}

#[test]
fn a_damaged_repository_is_an_error() {
    let checkout = Checkout::new();
    fs::write(checkout.path().join(".git/HEAD"), "nonsense\n").unwrap();
    assert!(git::look(checkout.path()).is_err());
}

/// Gives everything under the folder to a user that is neither root nor we. Only root can.
fn give_away(folder: &Path) -> bool {
    let done = Command::new("chown").args(["-R", "65534:65534"]).arg(folder).output();
    done.is_ok_and(|output| output.status.success())
}

fn owned_by_another(checkout: &Checkout, look_at: &Path) -> Option<GitFacts> {
    if !give_away(checkout.path()) || !give_away(look_at) {
        eprintln!("skipped: only root can give a checkout to another user");
        return None;
    }
    let refused = git2::Repository::open(look_at);
    assert!(refused.is_err(), "libgit2 must refuse this checkout, or the test shows nothing");
    Some(git::look(look_at).unwrap().expect("a repository"))
}

#[test]
fn a_checkout_that_another_user_owns() {
    let checkout = Checkout::new();
    checkout.git(&["tag", "v1.2.3"]);
    let commit = checkout.git(&["rev-parse", "HEAD"]);
    let Some(clean) = owned_by_another(&checkout, checkout.path()) else { return };
    assert_eq!(clean.commit.map(|commit| commit.to_string()), Some(commit));
    assert_eq!(clean.branch.as_deref(), Some("main"));
    assert_eq!(clean.tags_at_head, ["v1.2.3"]);
    assert!(!clean.dirty);
    fs::write(checkout.path().join("file"), "two\n").unwrap();
    assert!(checkout.look().dirty);
}

#[test]
fn a_linked_worktree_that_another_user_owns() {
    let checkout = Checkout::new();
    let tree: PathBuf = checkout.path().join("tree");
    checkout.git(&["worktree", "add", "--quiet", "-b", "side", tree.to_str().unwrap()]);
    let Some(facts) = owned_by_another(&checkout, &tree) else { return };
    assert_eq!(facts.branch.as_deref(), Some("side"));
    assert!(!facts.dirty);
}
