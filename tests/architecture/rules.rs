//! What holds for every source file.

use std::collections::BTreeSet;

use crate::paths::{Path, paths};
use crate::table::Room;

/// No file is longer, tests included.
pub const MOST_LINES: usize = 500;

/// A source file, by its path below `src/`.
pub struct File {
    /// As in `plan/mod.rs`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl File {
    /// The room it belongs to; none for `lib.rs` and `main.rs`.
    fn room(&self) -> Option<&str> {
        match self.path.split_once('/') {
            Some((room, _)) => Some(room),
            None => self.path.strip_suffix(".rs").filter(|name| !matches!(*name, "lib" | "main")),
        }
    }

    /// How many modules it stands below the crate's root.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        match self.path.rsplit('/').next() {
            Some("mod.rs" | "lib.rs" | "main.rs") => parts - 1,
            _ => parts,
        }
    }
}

/// Everything in which the files differ from the table; empty if all is well.
pub fn violations(rooms: &[Room], files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    let built: BTreeSet<&str> = files.iter().filter_map(File::room).collect();
    let described: BTreeSet<&str> = rooms.iter().map(|room| room.name.as_str()).collect();
    for room in built.difference(&described) {
        found.push(format!("src/{room} has no row in the table"));
    }
    for room in described.difference(&built) {
        found.push(format!("the table has a row for `{room}`, but there is no such module"));
    }
    for file in files {
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            found.push(format!("src/{} has {lines} lines, {MOST_LINES} are allowed", file.path));
        }
        let paths = paths(&file.text, file.depth());
        for line in paths.climbing {
            found.push(format!("src/{}:{line}: `super` leads too far; write `crate::…`", file.path));
        }
        let Some(room) = rooms.iter().find(|room| Some(room.name.as_str()) == file.room()) else { continue };
        for path in paths.rooted.iter().filter(|path| !may_name(room, path)) {
            let (room, path, line) = (&room.name, path.segments.join("::"), path.line);
            found.push(format!("src/{}:{line}: `{room}` may not use `crate::{path}`", file.path));
        }
    }
    found
}

fn may_name(room: &Room, path: &Path) -> bool {
    let begins_with = |allowed: &str| {
        let allowed: Vec<&str> = allowed.split("::").collect();
        path.segments.len() >= allowed.len() && allowed.iter().zip(&path.segments).all(|(wanted, is)| wanted == is)
    };
    begins_with(&room.name) || room.may_use.iter().any(|allowed| begins_with(allowed))
}
