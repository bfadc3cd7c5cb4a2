//! The dependency rule is a test: each room of `src/` uses what its row in CONTRIBUTING.md allows, and nothing else.
#![allow(clippy::disallowed_methods, reason = "it reads the sources")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/table.rs"]
mod table;
#[path = "architecture/tokens.rs"]
mod tokens;

use std::path::Path;

use rules::File;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
}

/// Every Rust file below a folder, by its path below `base`.
fn rust_files(folder: &Path, base: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path, base));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(base).unwrap().to_string_lossy().replace('\\', "/");
            files.push(File { path: name, text: read(&path) });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

#[test]
fn each_room_uses_only_what_its_row_allows() {
    let rooms = table::read(&read(&Path::new(ROOT).join("CONTRIBUTING.md"))).unwrap();
    let src = Path::new(ROOT).join("src");
    let violations = rules::violations(&rooms, &rust_files(&src, &src));
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn no_test_file_is_longer_than_a_source_file_may_be() {
    let tests = Path::new(ROOT).join("tests");
    for file in rust_files(&tests, &tests) {
        let lines = file.text.lines().count();
        assert!(lines <= rules::MOST_LINES, "tests/{} has {lines} lines", file.path);
    }
}

mod the_checker {
    use crate::rules::{File, violations};
    use crate::table::{Room, read};

    const TABLE: &str = "\
Rooms:

| room | in one line | may use |
| --- | --- | --- |
| `names` | words | nothing |
| `execute` | walks | `names` |
| `effects` | touches | `names`, `execute::ports` |
| `commands` | wires | all above |
";

    /// What is said about one file when all the rooms are there.
    fn about(path: &str, text: &str) -> Vec<String> {
        let mut files: Vec<File> = ["names", "execute", "effects", "commands"]
            .map(|room| File { path: format!("{room}/mod.rs"), text: String::new() })
            .into();
        files.push(File { path: path.into(), text: text.into() });
        violations(&read(TABLE).unwrap(), &files)
    }

    fn forbidden(path: &str, text: &str, expected: &str) {
        assert_eq!(about(path, text), [expected], "{text}");
    }

    fn allowed(path: &str, text: &str) {
        assert_eq!(about(path, text), [""; 0], "{text}");
    }

    #[test]
    fn finds_a_forbidden_edge_however_it_is_written() {
        for (text, line, path) in [
            ("use crate::execute;", 1, "execute"),
            ("\n\nfn f() { crate::effects::go::<u8>() }", 3, "effects::go"),
            ("use crate::{names::Tag, execute::{self as e}};", 1, "execute"),
            ("use crate::{\n    names::{A, B},\n    effects as x,\n};", 3, "effects"),
            ("use crate::*;", 1, "*"),
            ("use crate::{self};", 1, ""),
            ("use crate::elsewhere::A;", 1, "elsewhere::A"),
            ("const C: char = '\"'; use crate::execute;", 1, "execute"),
            ("const C: char = '\\''; use crate::execute;", 1, "execute"),
            ("const S: &str = r#\"\\\"#; use crate::execute;", 1, "execute"),
            ("fn f<'a>(c: &'a str) {} use crate::r#execute;", 1, "execute"),
        ] {
            forbidden("names/tag.rs", text, &format!("src/names/tag.rs:{line}: `names` may not use `crate::{path}`"));
        }
    }

    #[test]
    fn tells_a_part_of_a_room_from_the_whole() {
        allowed("effects/a.rs", "use crate::execute::ports::{Engine, Ecr}; use crate::execute::{ports::Registry};");
        for path in ["execute::events::E", "execute", "execute::*", "execute::portside::E"] {
            let expected = format!("src/effects/a.rs:1: `effects` may not use `crate::{path}`");
            forbidden("effects/a.rs", &format!("use crate::{path};"), &expected);
        }
        allowed("commands/run.rs", "use crate::{effects::a, execute::events, names::Tag};");
    }

    #[test]
    fn leaves_comments_and_strings_alone() {
        allowed(
            "names/tag.rs",
            "//! [`x`](crate::execute)\n/* crate::effects /* nested */ crate::effects */ // crate::execute",
        );
        allowed(
            "names/tag.rs",
            "const S: &str = \"\\\"use crate::execute;\"; const R: &[u8] = br#\"crate::\"effects\"#;",
        );
        allowed("names/tag.rs", "pub(crate) fn f() {} pub(in crate::names) fn g() { $crate::names::f!() }");
    }

    #[test]
    fn super_may_not_leave_the_room() {
        let too_far = |path: &str, line: usize| format!("src/{path}:{line}: `super` leads too far; write `crate::…`");
        forbidden("effects/a.rs", "use super::super::execute;", &too_far("effects/a.rs", 1));
        forbidden("effects/mod.rs", "use super::execute;", &too_far("effects/mod.rs", 1));
        forbidden("effects.rs", "\nuse super::execute;", &too_far("effects.rs", 2));
        forbidden(
            "effects/mod.rs",
            "mod tests { use super::*; }\nfn f() { super::execute::f() }",
            &too_far("effects/mod.rs", 2),
        );
        allowed("effects/mod.rs", "mod tests { fn f() { if true {} } use super::*; }");
        allowed("effects/deep/mod.rs", "use super::context;");
        allowed("effects/a.rs", "pub(super) fn f() { super::g() }");
    }

    #[test]
    fn counts_lines() {
        let long = "\n".repeat(501);
        forbidden("names/long.rs", &long, "src/names/long.rs has 501 lines, 500 are allowed");
        allowed("names/long.rs", &long[1..]);
    }

    #[test]
    fn wants_a_row_for_each_room_and_a_room_for_each_row() {
        forbidden("lifecycle.rs", "", "src/lifecycle has no row in the table");
        allowed("lib.rs", "pub mod names;");
        let alone = [Room { name: "names".into(), may_use: vec![] }];
        assert_eq!(violations(&alone, &[]), ["the table has a row for `names`, but there is no such module"]);
    }

    #[test]
    fn refuses_a_table_that_it_cannot_hold_to() {
        assert!(read("no table here").is_err());
        let with = |uses: &str| TABLE.replace("| walks | `names` |", &format!("| walks | {uses} |"));
        let refusal = |uses: &str| read(&with(uses)).unwrap_err();
        assert_eq!(refusal("`effects`"), "`execute` uses `effects`, which does not stand above it");
        assert_eq!(refusal("names"), "`execute` uses `names`, which is neither rooms in backticks nor `nothing`");
    }
}
