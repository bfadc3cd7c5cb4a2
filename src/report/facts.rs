//! What `longshore facts` prints.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::facts::{Facts, Known};

/// A fact in words: its name, its value, where it is from.
struct Row {
    name: &'static str,
    value: Value,
    source: String,
}

/// Every fact with its source, as JSON: `{"NAME": {"value", "source"}}`; `tags` is a list of these.
pub fn json(facts: &Facts) -> String {
    let mut object = Map::new();
    object.insert("ci".to_owned(), json!(facts.ci));
    for Row { name, value, source } in rows(facts) {
        let fact = json!({ "value": value, "source": source });
        if name == "tag" {
            let tags = object.entry("tags").or_insert_with(|| json!([]));
            tags.as_array_mut().into_iter().for_each(|tags| tags.push(fact.clone()));
        } else {
            object.insert(name.replace(' ', "_"), fact);
        }
    }
    super::json::text(&object)
}

/// Every fact with its source, one a line.
pub fn plain(facts: &Facts) -> String {
    let mut text = format!("CI system {}\n", facts.ci.unwrap_or("none"));
    for Row { name, value, source } in rows(facts) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&format!("{name} {value}, from {source}\n"));
    }
    text
}

fn rows(facts: &Facts) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name: &'static str, value: Value, source: &str| {
        rows.push(Row { name, value, source: source.to_owned() });
    };
    let time = |time: &OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    if let Some(commit) = &facts.commit {
        add("commit", json!(commit.value), &commit.source);
    }
    for (name, known) in texts(facts) {
        if let Some(known) = known {
            add(name, json!(known.value), &known.source);
        }
    }
    for tag in &facts.refs.tags {
        add("tag", json!(tag.value), &tag.source);
    }
    if let Some(known) = &facts.commit_time {
        add("commit time", json!(time(&known.value)), &known.source);
    }
    if let Some(event) = &facts.event {
        add("event", json!(event.value.name), &event.source);
        add("scheduled", json!(event.value.scheduled), &event.source);
    }
    if facts.in_git {
        add("shallow", json!(facts.shallow), "git");
        add("dirty", json!(facts.dirty), "git");
    }
    if let Some(now) = &facts.now {
        add("time", json!(time(&now.value)), &now.source);
    }
    rows
}

fn texts(facts: &Facts) -> [(&'static str, Option<&Known<String>>); 12] {
    [
        ("branch", facts.refs.branch.as_ref()),
        ("pull request", facts.refs.pull_request.as_ref()),
        ("source branch", facts.source_branch.as_ref()),
        ("base branch", facts.base_branch.as_ref()),
        ("fork", facts.fork.as_ref()),
        ("default branch", facts.default_branch.as_ref()),
        ("source", facts.source_url.as_ref()),
        ("name", facts.project.name.as_ref()),
        ("description", facts.project.description.as_ref()),
        ("licence", facts.project.license.as_ref()),
        ("build number", facts.build_number.as_ref()),
        ("build page", facts.build_url.as_ref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Refs;

    #[test]
    fn each_fact_has_its_source() {
        let branch = Known::new("main".to_owned(), "GIT_BRANCH with origin/ stripped");
        let mut facts = Facts { refs: Refs::branch(branch), ci: Some("Jenkins"), ..Facts::default() };
        assert_eq!(plain(&facts), "CI system Jenkins\nbranch main, from GIT_BRANCH with origin/ stripped\n");
        facts.refs = Refs::tag(Known::new("v1".to_owned(), "TAG_NAME"));
        let read: Value = serde_json::from_str(&json(&facts)).unwrap();
        assert_eq!(read, json!({ "ci": "Jenkins", "tags": [{ "value": "v1", "source": "TAG_NAME" }] }));
    }
}
