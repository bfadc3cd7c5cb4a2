//! What a checkout has that says how its images are built.

use std::fs;
use std::path::Path;

/// Folders that hold what others wrote, or what a build made.
const SKIPPED: [&str; 10] = [
    "node_modules",
    "target",
    "vendor",
    "dist",
    "venv",
    "__pycache__",
    "bower_components",
    "Pods",
    "build-output",
    "out",
];

/// Hidden folders that CI systems have their files in.
const HIDDEN: [&str; 4] = [".github", ".circleci", ".buildkite", ".docker"];

/// How deep folders are looked into, and after how many files it is given up.
const DEEPEST: usize = 6;
const MOST: usize = 100_000;

/// What was found.
pub struct Found {
    /// The paths, with `/` between their parts, in order.
    pub paths: Vec<String>,
    /// After how many files it was given up, if it was.
    pub given_up: Option<usize>,
}

/// The files below a folder that `wanted` chooses.
pub fn files(root: &Path, wanted: &dyn Fn(&str) -> bool) -> Found {
    let mut survey = Survey { wanted, found: Vec::new(), seen: 0 };
    survey.walk(root, "", 0);
    survey.found.sort();
    Found { paths: survey.found, given_up: (survey.seen > MOST).then_some(MOST) }
}

struct Survey<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    found: Vec<String>,
    seen: usize,
}

impl Survey<'_> {
    /// A folder that cannot be read has nothing for us.
    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            self.seen += 1;
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
            if self.seen > MOST {
                return;
            }
            let path = format!("{prefix}{name}");
            let is_hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_str());
            if kind.is_file() && (self.wanted)(&path) {
                self.found.push(path);
            } else if kind.is_dir() && depth < DEEPEST && !is_hidden && !SKIPPED.contains(&name.as_str()) {
                self.walk(&entry.path(), &format!("{path}/"), depth + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for path in
            ["Dockerfile", "a/b/Dockerfile", "node_modules/x/Dockerfile", ".git/Dockerfile", ".github/workflows/x.yml"]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = files(folder.path(), &|_| true);
        assert_eq!(found.given_up, None);
        assert_eq!(found.paths, [".github/workflows/x.yml", "Dockerfile", "a/b/Dockerfile"]);
    }
}
