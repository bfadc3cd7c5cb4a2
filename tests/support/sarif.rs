//! Whether a file is SARIF 2.1.0 that code scanning takes, as far as this program writes it. The published schema is not
//! ours to keep here, so what it asks of these objects is said again: which properties each has, which it needs, and of
//! what kind they are. Sources: OASIS SARIF 2.1.0, sections 3.13 to 3.58; GitHub, "SARIF support for code scanning".

use serde_json::Value;

/// Properties of an object: each with its kind, and a `!` where it must be there.
type Properties = &'static [(&'static str, &'static str)];

const OBJECTS: &[(&str, Properties)] = &[
    ("sarifLog", &[("$schema", "uri"), ("version!", "version"), ("runs!", "[run]")]),
    (
        "run",
        &[
            ("tool!", "tool"),
            ("invocations", "[invocation]"),
            ("results", "[result]"),
            ("columnKind", "utf16CodeUnits|unicodeCodePoints"),
        ],
    ),
    ("tool", &[("driver!", "toolComponent")]),
    ("toolComponent", &[("name!", "text"), ("semanticVersion", "text"), ("rules", "[rule]")]),
    (
        "rule",
        &[
            ("id!", "text"),
            ("name", "text"),
            ("shortDescription", "message"),
            ("fullDescription", "message"),
            ("help", "message"),
            ("helpUri", "uri"),
            ("defaultConfiguration", "configuration"),
            ("properties", "ruleProperties"),
        ],
    ),
    ("configuration", &[("level", LEVEL)]),
    ("ruleProperties", &[("tags", "[text]"), ("precision", "text"), ("security-severity!", "score")]),
    ("invocation", &[("executionSuccessful!", "boolean"), ("toolExecutionNotifications", "[notification]")]),
    ("notification", &[("message!", "message"), ("level", LEVEL)]),
    (
        "result",
        &[
            ("ruleId", "text"),
            ("ruleIndex", "number"),
            ("level", LEVEL),
            ("message!", "message"),
            // GitHub shows no result without a place.
            ("locations!", "[location]"),
            ("partialFingerprints", "any"),
            ("suppressions", "[suppression]"),
            ("properties", "any"),
        ],
    ),
    ("message", &[("text!", "text")]),
    ("location", &[("physicalLocation!", "physicalLocation"), ("logicalLocations", "[logicalLocation]")]),
    ("physicalLocation", &[("artifactLocation!", "artifactLocation"), ("region", "region")]),
    ("artifactLocation", &[("uri!", "path")]),
    ("region", &[("startLine", "place"), ("startColumn", "place"), ("endLine", "place"), ("endColumn", "place")]),
    ("logicalLocation", &[("fullyQualifiedName", "text"), ("kind", "text")]),
    (
        "suppression",
        &[("kind!", "inSource|external"), ("status", "accepted|underReview|rejected"), ("justification", "text")],
    ),
];

const LEVEL: &str = "none|note|warning|error";

/// Everything that is wrong with the file, with its place.
pub fn problems(sarif: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(sarif, "sarifLog", "", &mut found);
    for run in sarif["runs"].as_array().into_iter().flatten() {
        references(run, &mut found);
    }
    found
}

fn check(value: &Value, kind: &str, at: &str, found: &mut Vec<String>) {
    if let Some(kind) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        let Some(entries) = value.as_array() else { return found.push(format!("{at}: no list: {value}")) };
        entries.iter().enumerate().for_each(|(number, entry)| check(entry, kind, &format!("{at}/{number}"), found));
        return;
    }
    let Some((_, properties)) = OBJECTS.iter().find(|(name, _)| *name == kind) else {
        if !is(value, kind) {
            found.push(format!("{at}: no {kind}: {value}"));
        }
        return;
    };
    let Some(object) = value.as_object() else { return found.push(format!("{at}: no object: {value}")) };
    for (name, kind) in *properties {
        match object.get(name.trim_end_matches('!')) {
            Some(value) => check(value, kind, &format!("{at}/{}", name.trim_end_matches('!')), found),
            None if name.ends_with('!') => found.push(format!("{at}: no {name}")),
            None => {}
        }
    }
    let known = |name: &str| properties.iter().any(|(known, _)| known.trim_end_matches('!') == name);
    found.extend(object.keys().filter(|name| !known(name)).map(|name| format!("{at}: there is no property {name}")));
}

fn is(value: &Value, kind: &str) -> bool {
    let text = value.as_str();
    match kind {
        "any" => value.is_object(),
        "boolean" => value.is_boolean(),
        "number" => value.is_u64(),
        "place" => value.as_u64().is_some_and(|number| number >= 1),
        "text" => text.is_some_and(|text| !text.is_empty()),
        "version" => text == Some("2.1.0"),
        "uri" => text.is_some_and(|text| text.starts_with("https://") || text.starts_with("http://")),
        // Relative to the top of the checkout, and a URI: nothing in it that would have to be escaped.
        "path" => text.is_some_and(|text| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
            !text.is_empty() && !text.starts_with('/') && !text.starts_with("..") && text.bytes().all(legal)
        }),
        "score" => text.and_then(|text| text.parse::<f64>().ok()).is_some_and(|score| (0.0..=10.0).contains(&score)),
        words => words.split('|').any(|word| text == Some(word)),
    }
}

/// Rules have ids of their own, and each result names one of them twice.
fn references(run: &Value, found: &mut Vec<String>) {
    let empty = Vec::new();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap_or(&empty);
    let mut ids: Vec<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    for result in run["results"].as_array().unwrap_or(&empty) {
        let of = result["ruleIndex"].as_u64().and_then(|number| rules.get(usize::try_from(number).ok()?));
        if of.is_none_or(|rule| rule["id"] != result["ruleId"]) {
            found.push(format!("{} is no rule of number {}", result["ruleId"], result["ruleIndex"]));
        }
    }
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    if ids.len() < count {
        found.push("a rule comes twice".to_owned());
    }
}
