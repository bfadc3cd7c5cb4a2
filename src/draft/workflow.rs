//! Steps of a GitHub workflow that build an image with docker/build-push-action. Source: its README, "inputs".

use serde_json::{Map, Value};

use super::{Draft, DraftImage, yaml};

/// Inputs that are fields of a build, and what they are called there.
const INPUTS: [(&str, &str); 12] = [
    ("file", "dockerfile"),
    ("target", "target"),
    ("build-args", "args"),
    ("build-contexts", "additional_contexts"),
    ("labels", "labels"),
    ("secrets", "secrets"),
    ("secret-files", "secret_files"),
    ("secret-envs", "secret_envs"),
    ("ssh", "ssh"),
    ("network", "network"),
    ("no-cache-filters", "no_cache_filter"),
    ("shm-size", "shm_size"),
];

pub(super) fn read(path: &str, text: &str, draft: &mut Draft) {
    let Some(workflow) = yaml::read(text) else {
        return draft.leave_out(format!("{path}: it cannot be read as YAML"));
    };
    let jobs = workflow.get("jobs").and_then(Value::as_object).into_iter().flatten();
    for (_, job) in jobs {
        for step in job.get("steps").and_then(Value::as_array).into_iter().flatten() {
            let uses = step.get("uses").and_then(Value::as_str).unwrap_or_default();
            if uses.split('@').next() == Some("docker/build-push-action") {
                let with = step.get("with").and_then(Value::as_object).cloned().unwrap_or_default();
                add(path, &with, draft);
            }
        }
    }
}

fn add(path: &str, with: &Map<String, Value>, draft: &mut Draft) {
    let text = |name: &str| with.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let context = text("context").unwrap_or(".");
    if context.contains("${{") {
        return draft.leave_out(format!("{path}: a build whose context is `{context}`"));
    }
    let context = context.trim_start_matches("./").trim_end_matches('/');
    let context = if context.is_empty() { "." } else { context };
    let tag = text("tags").and_then(|tags| tags.split(['\n', ',']).map(str::trim).find(|tag| !tag.is_empty()));
    let mut image = DraftImage::new("", format!("a step of {path}"));
    image.build.push(("context".to_owned(), Value::from(context)));
    for (input, field) in INPUTS {
        let Some(value) = text(input) else { continue };
        if value.contains("${{") {
            draft.leave_out(format!("{path}: `{input}`, which holds an expression: {}", value.replace('\n', " ")));
            continue;
        }
        let value = match (input, value.lines().collect::<Vec<_>>().as_slice()) {
            // There it starts from the checkout, here from the context.
            ("file", _) => from_context(context, value),
            (_, [one]) if !matches!(input, "build-args" | "labels" | "build-contexts") => Value::from(*one),
            (_, lines) => lines.iter().map(|line| Value::from(line.trim())).collect(),
        };
        if !(field == "dockerfile" && value == "Dockerfile") {
            image.build.push((field.to_owned(), value));
        }
    }
    if let Some(tag) = tag {
        draft.note(&mut image, tag);
    }
    let last = |path: &str| path.rsplit('/').next().map(str::to_owned);
    image.name = image.repository.as_deref().and_then(last).or_else(|| last(context)).unwrap_or_default();
    draft.add(image);
}

fn from_context(context: &str, file: &str) -> Value {
    let file = file.trim_start_matches("./");
    let inside = match context {
        "." => Some(file),
        _ => file.strip_prefix(context).and_then(|rest| rest.strip_prefix('/')),
    };
    let up = || format!("{}{file}", "../".repeat(context.split('/').count()));
    Value::from(inside.map_or_else(up, str::to_owned))
}
