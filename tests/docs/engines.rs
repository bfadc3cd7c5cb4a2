//! The table of what engines lack is the one that builds and the doctor go by; UPDATE_DOCS=1 writes it anew.

use std::fmt::Write as _;

use longshore::effects::docker::EngineFacts;
use longshore::effects::docker::lacks::{Outcome, Road, lacks};

use crate::{at, read};

const PAGE: &str = "docs/building.md";

/// An engine as the head of a column names it. The versions are of the API.
fn engines() -> [(&'static str, Road, EngineFacts); 5] {
    let docker = |version: &str, containerd_store| EngineFacts {
        api_version: version.to_owned(),
        buildkit: true,
        containerd_store,
        ..EngineFacts::default()
    };
    let podman = EngineFacts { podman: true, buildkit: false, ..docker("1.41", false) };
    [
        ("containerd store", Road::Session, docker("1.52", true)),
        ("23.0 and later", Road::Session, docker("1.44", false)),
        ("20.10", Road::Session, docker("1.41", false)),
        ("classic builder", Road::Classic, docker("1.41", false)),
        ("Podman", Road::Podman, podman),
    ]
}

fn table() -> String {
    let engines = engines();
    let lacking: Vec<_> = engines.iter().map(|(_, road, facts)| lacks(*road, facts)).collect();
    let names: Vec<&str> = engines.iter().map(|(name, ..)| *name).collect();
    let mut table = format!("| | {} |\n|{}\n", names.join(" | "), " --- |".repeat(names.len() + 1));
    // Of all engines together in the order of the fullest list, which is that of the table itself.
    let mut rows: Vec<&str> = Vec::new();
    for lack in lacking.iter().flatten() {
        if !rows.contains(&lack.what) {
            rows.push(lack.what);
        }
    }
    for row in rows {
        let cells = lacking.iter().map(|lacks| match lacks.iter().find(|lack| lack.what == row) {
            None => "yes",
            Some(lack) if lack.outcome == Outcome::Error => "**error**",
            Some(lack) if lack.outcome == Outcome::Warning => "warning",
            Some(_) => "no",
        });
        let shown = if row.contains(' ') { row.to_owned() } else { format!("`{row}`") };
        let _ = writeln!(table, "| {shown} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    table
}

#[test]
fn the_table_of_engines_is_the_programs() {
    let page = read(PAGE);
    let begins = page.find("| | containerd store |").unwrap_or_else(|| panic!("{PAGE} has no table of engines"));
    let ends = begins + page[begins..].find("\n\n").unwrap() + 1;
    let made = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(at(PAGE), format!("{}{made}{}", &page[..begins], &page[ends..])).unwrap();
        return;
    }
    assert!(page[begins..ends] == *made, "{PAGE} is not what the program says; UPDATE_DOCS=1 cargo test --test docs");
}
