//! Every folder of `tests/cases/context`: an ignore file, and what of one tree is sent.
//!
//! `tree` has a path a line, folders ending in `/`, links as `name -> target`. A case has a `dockerignore` (none, if
//! there shall be none) and either `expected`, the paths in their order, or `refused`, where the file is an error; what
//! is said then is in it, and `UPDATE_CASES=1` writes it anew. Which it is, and the paths, were found by asking BuildKit's
//! own code, so they are never written anew.

#![allow(clippy::disallowed_methods, reason = "the cases are files")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use longshore::effects::context::{Context, ContextError, slashed_bytes};
use longshore::report::context::escaped;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/context")
}

fn plant(root: &Path) {
    for line in fs::read_to_string(cases().join("tree")).unwrap().lines() {
        let (path, target) = line.split_once(" -> ").map_or((line, None), |(path, target)| (path, Some(target)));
        let full = root.join(path);
        fs::create_dir_all(if path.ends_with('/') { &full } else { full.parent().unwrap() }).unwrap();
        match target {
            Some(target) => symlink(target, full).unwrap(),
            None if path.ends_with('/') => {}
            None => fs::write(full, "x").unwrap(),
        }
    }
}

fn listed(context: &Context) -> Result<String, ContextError> {
    let lines = context.walk()?.map(|entry| {
        let entry = entry?;
        let slash = if entry.metadata.is_dir() { "/" } else { "" };
        Ok(format!("{}{slash}\n", escaped(&slashed_bytes(&entry.path))))
    });
    lines.collect()
}

#[test]
fn every_case() {
    let root = tempfile::tempdir().unwrap();
    plant(root.path());
    let mut wrong = Vec::new();
    let mut count = 0;
    let update = std::env::var_os("UPDATE_CASES").is_some();
    for case in fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        count += 1;
        // Beside the Dockerfile, so that the file is no part of what is listed.
        let outside = tempfile::tempdir().unwrap();
        if let Ok(bytes) = fs::read(case.join("dockerignore")) {
            fs::write(outside.path().join("Dockerfile.dockerignore"), bytes).unwrap();
        }
        let found = Context::folder(root.path(), Some(&outside.path().join("Dockerfile")));
        let found = found.and_then(|context| listed(&context)).map_err(|error| error.cause + "\n");
        if let (Err(told), true) = (&found, update && case.join("refused").exists()) {
            fs::write(case.join("refused"), told).unwrap();
        }
        let expected = match fs::read_to_string(case.join("refused")) {
            Ok(told) => Err(told),
            Err(_) => Ok(fs::read_to_string(case.join("expected")).unwrap()),
        };
        if found != expected {
            wrong.push(format!("{}\n--- expected\n{expected:?}\n+++ found\n{found:?}\n", case.display()));
        }
    }
    assert!(count >= 40, "only {count} cases were found");
    assert!(wrong.is_empty(), "{} cases differ:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// A folder that is left out and cannot be read is no error, not even where something inside might be kept.
#[test]
fn what_is_left_out_need_not_be_readable() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("locked")).unwrap();
    fs::write(root.path().join(".dockerignore"), "locked\n!**/x\n").unwrap();
    fs::set_permissions(root.path().join("locked"), fs::Permissions::from_mode(0o000)).unwrap();
    let found = Context::folder(root.path(), None).and_then(|context| listed(&context)).unwrap();
    fs::set_permissions(root.path().join("locked"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(found, ".dockerignore\n");
}
