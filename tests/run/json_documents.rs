//! What `docs/json.md` says of the JSON for programs is what real runs write, to the field.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::user::User;

/// The paths of the leaves, as the document writes them. What it says in one row is not looked into.
fn paths(value: &Value, path: &str, told: &BTreeSet<String>, found: &mut BTreeSet<String>) {
    match value {
        _ if told.contains(path) => {
            found.insert(path.to_owned());
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                paths(field, &path, told, found);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| paths(entry, &format!("{path}[]"), told, found)),
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// The fields of one section of the document, and those among them that may be missing.
fn told(heading: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let document = include_str!("../../docs/json.md");
    let (_, section) = document.split_once(&format!("## {heading}\n")).unwrap();
    let rows = section.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    let fields =
        rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',').map(|field| field.trim().trim_matches('`')));
    let fields: Vec<&str> = fields.collect();
    let plain = |field: &&str| field.replace('?', "");
    (fields.iter().map(plain).collect(), fields.iter().filter(|field| field.contains('?')).map(plain).collect())
}

fn compare(heading: &str, documents: &[&str]) {
    let (all, optional) = told(heading);
    let mut found = BTreeSet::new();
    for text in documents {
        paths(&serde_json::from_str(text).unwrap(), "", &all, &mut found);
    }
    let unknown: Vec<_> = found.difference(&all).collect();
    assert!(unknown.is_empty(), "docs/json.md does not tell of {unknown:?}, under `{heading}`");
    let may_lack = |path: &&String| optional.iter().any(|one| path.starts_with(one.as_str())) || path.ends_with("[]");
    let missing: Vec<_> = all.difference(&found).filter(|path| !may_lack(path)).collect();
    assert!(missing.is_empty(), "no document has {missing:?}, which docs/json.md tells of under `{heading}`");
}

#[test]
fn the_documents_are_as_they_are_told() {
    let user = User::new();
    let pipeline = "version: 1\ndefaults: { tags: [semver, one], gate: HIGH, signing: report }\nimages:\n  web: { build: ., repository: UNIQUE/web }\n";
    let dockerfile = user.dockerfile("COPY Dockerfile /\n");
    let checkout = user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &dockerfile)]);
    let server = user.serve("data");
    let plan = |name: &str| {
        let planned = server.env(checkout.longshore(&["plan", "--json"])).succeeds();
        assert!(planned.starts_with("{\n  \"version\": 1,"), "{name}: {planned}");
        planned
    };
    let before = plan("before the first run");
    let published = server.run(&checkout).args(&["--json"]).succeeds();
    let after = plan("after it");
    checkout.write("Dockerfile", &user.dockerfile("COPY gone /\n"));
    let failed = server.run(&checkout).args(&["--json"]).run().with_code(1).stdout;
    compare("The plan", &[&before, &after]);
    compare("The report", &[&published, &failed]);
}
