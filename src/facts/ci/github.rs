//! Source: GitHub documentation, "Variables reference", "Events that trigger workflows" and "Webhook events and
//! payloads"; README of docker/metadata-action for the `DOCKER_METADATA_` switches.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{CiFacts, known, known_commit};
use crate::facts::{Commit, Event, Known, Project, Refs, Variables};

/// Where facts of the webhook event come from.
const PAYLOAD: &str = "GITHUB_EVENT_PATH";

/// Events that are always about the last commit of the default branch, by a part of their names.
const ON_DEFAULT_BRANCH: [&str; 4] = ["create", "discussion", "issues", "schedule"];

pub(super) fn read(variables: &Variables, payload: Option<&Value>) -> CiFacts {
    let payload = Payload(payload);
    let event = variables.get("GITHUB_EVENT_NAME").map_or("", String::as_str);
    let refs = refs(variables, payload, event);
    let repository = known(variables, "GITHUB_REPOSITORY");
    let own_page = known(variables, "GITHUB_SERVER_URL")
        .zip(repository.as_ref())
        .map(|(server, repository)| Known::new(format!("{}/{}", server.value, repository.value), "GITHUB_REPOSITORY"));
    let source_url = payload.text("/repository/html_url").or(own_page);
    let run = known(variables, "GITHUB_RUN_ID");
    let commit = commit(variables, payload, event);
    CiFacts {
        system: Some("GitHub Actions"),
        machine: None,
        commit_time: commit.as_ref().and_then(|commit| commit_time(payload, commit)),
        commit,
        source_branch: known(variables, "GITHUB_HEAD_REF"),
        base_branch: base_branch(payload, &refs).or_else(|| known(variables, "GITHUB_BASE_REF")),
        fork: fork(payload, event),
        default_branch: payload.text("/repository/default_branch"),
        event: (!event.is_empty()).then(|| {
            let value = Event {
                name: event.to_owned(),
                scheduled: event.contains("schedule"),
                on_default_branch: variables.get("GITHUB_REF").is_some_and(|name| !name.is_empty())
                    && ON_DEFAULT_BRANCH.iter().any(|name| event.contains(name)),
            };
            Known::new(value, "GITHUB_EVENT_NAME")
        }),
        refs,
        refs_complete: true,
        project: Project {
            name: payload.text("/repository/name").or_else(|| {
                let name = repository.as_ref()?.value.rsplit('/').next()?.to_owned();
                Some(Known::new(name, "GITHUB_REPOSITORY"))
            }),
            description: payload.text("/repository/description"),
            license: payload.text("/repository/license/spdx_id"),
        },
        build_number: known(variables, "GITHUB_RUN_NUMBER"),
        build_url: source_url
            .as_ref()
            .zip(run)
            .map(|(page, run)| Known::new(format!("{}/actions/runs/{}", page.value, run.value), "GITHUB_RUN_ID")),
        source_url,
    }
}

/// The webhook event, as far as it is there.
#[derive(Clone, Copy)]
struct Payload<'a>(Option<&'a Value>);

impl<'a> Payload<'a> {
    fn get(self, pointer: &str) -> Option<&'a Value> {
        self.0?.pointer(pointer)
    }

    fn text(self, pointer: &str) -> Option<Known<String>> {
        let text = self.get(pointer)?.as_str().filter(|text| !text.is_empty())?;
        Some(Known::new(text.to_owned(), PAYLOAD))
    }
}

fn refs(variables: &Variables, payload: Payload<'_>, event: &str) -> Refs {
    // Here GITHUB_REF is the branch that is merged into, which is not what is being built.
    if event.contains("pull_request_target") {
        let number = payload.get("/number").and_then(Value::as_u64);
        return number.map(|number| Refs::pull_request(Known::new(number.to_string(), PAYLOAD))).unwrap_or_default();
    }
    Refs::from_full_name(variables.get("GITHUB_REF").map_or("", String::as_str), "GITHUB_REF")
}

fn commit(variables: &Variables, payload: Payload<'_>, event: &str) -> Option<Known<Commit>> {
    // Otherwise it is the merge that GitHub made for the pull request, which nobody has ever seen.
    let head_wanted =
        variables.get("DOCKER_METADATA_PR_HEAD_SHA").is_some_and(|text| text.to_ascii_lowercase().contains("true"));
    let head = payload.text("/pull_request/head/sha").filter(|_| head_wanted && event.contains("pull_request"));
    let head = head.and_then(|head| Commit::parse(&head.value));
    match head {
        Some(head) => Some(Known::new(head, "GITHUB_EVENT_PATH, as DOCKER_METADATA_PR_HEAD_SHA asks")),
        None => known_commit(variables, "GITHUB_SHA"),
    }
}

fn commit_time(payload: Payload<'_>, commit: &Known<Commit>) -> Option<Known<OffsetDateTime>> {
    let pushed = payload.get("/commits").and_then(Value::as_array).into_iter().flatten();
    let candidates = pushed.chain(payload.get("/head_commit"));
    let is_ours = |candidate: &&Value| candidate["id"].as_str() == Some(commit.value.as_str());
    let timestamp = candidates.filter(is_ours).find_map(|candidate| candidate["timestamp"].as_str())?;
    OffsetDateTime::parse(timestamp, &Rfc3339).ok().map(|time| Known::new(time, PAYLOAD))
}

fn base_branch(payload: Payload<'_>, refs: &Refs) -> Option<Known<String>> {
    if refs.pull_request.is_some() {
        return payload.text("/pull_request/base/ref");
    }
    let mut base = payload.text("/base_ref").filter(|_| !refs.tags.is_empty())?;
    base.value = base.value.strip_prefix("refs/heads/").unwrap_or(&base.value).to_owned();
    Some(base)
}

/// The fork that a pull request comes from. With `pull_request_target` its job has the credentials of the base.
fn fork(payload: Payload<'_>, event: &str) -> Option<Known<String>> {
    if !event.contains("pull_request") || event.contains("pull_request_target") {
        return None;
    }
    let head = payload.get("/pull_request/head")?;
    // A fork that was deleted in the meantime is null.
    let from = head.pointer("/repo/full_name").and_then(Value::as_str).unwrap_or("a deleted repository");
    let own = payload.text("/repository/full_name").or_else(|| payload.text("/pull_request/base/repo/full_name"))?;
    (own.value != from).then(|| Known::new(from.to_owned(), PAYLOAD))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::ci::variables;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_tag_push() {
        let payload = json!({
            "base_ref": "refs/heads/main",
            "head_commit": { "id": SHA, "timestamp": "2024-05-06T07:08:09+02:00" },
            "repository": { "name": "web", "default_branch": "main", "license": { "spdx_id": "MIT" }, "description": null },
        });
        let environment = variables(&[
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_REF", "refs/tags/v1.2.3"),
            ("GITHUB_SHA", SHA),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "shop/web"),
            ("GITHUB_RUN_ID", "77"),
        ]);
        let facts = read(&environment, Some(&payload));
        let text = |known: Option<Known<String>>| known.map(|known| known.value);
        assert_eq!(facts.refs.tags, [Known::new("v1.2.3".into(), "GITHUB_REF")]);
        assert_eq!(facts.commit.map(|known| known.value.to_string()).as_deref(), Some(SHA));
        assert_eq!(facts.commit_time.map(|known| known.value.unix_timestamp()), Some(1_714_972_089));
        assert_eq!(text(facts.base_branch).as_deref(), Some("main"));
        assert_eq!(text(facts.source_url).as_deref(), Some("https://github.com/shop/web"));
        assert_eq!(text(facts.build_url).as_deref(), Some("https://github.com/shop/web/actions/runs/77"));
        assert_eq!(text(facts.project.license).as_deref(), Some("MIT"));
        assert_eq!(facts.project.description, None);
    }

    #[test]
    fn a_pull_request() {
        let environment = variables(&[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_REF", "refs/pull/7/merge")]);
        let payload = |from: &str| {
            json!({
                "pull_request": { "head": { "sha": SHA, "repo": { "full_name": from } }, "base": { "ref": "main" } },
                "repository": { "full_name": "shop/web" },
            })
        };
        let facts = read(&environment, Some(&payload("shop/web")));
        assert_eq!(facts.refs.pull_request, Some(Known::new("7".into(), "GITHUB_REF")));
        assert_eq!(facts.base_branch, Some(Known::new("main".into(), PAYLOAD)));
        assert_eq!((facts.fork, facts.commit), (None, None));
        let facts = read(&environment, Some(&payload("stranger/web")));
        assert_eq!(facts.fork, Some(Known::new("stranger/web".into(), PAYLOAD)));
        let mut wants_head = environment.clone();
        wants_head.insert("DOCKER_METADATA_PR_HEAD_SHA".into(), "True".into());
        let facts = read(&wants_head, Some(&payload("shop/web")));
        assert_eq!(facts.commit.map(|known| known.value.to_string()).as_deref(), Some(SHA));
    }

    #[test]
    fn a_pull_request_target_does_not_build_the_branch_it_names() {
        let payload = json!({ "number": 7 });
        let environment = variables(&[("GITHUB_EVENT_NAME", "pull_request_target"), ("GITHUB_REF", "refs/heads/main")]);
        let facts = read(&environment, Some(&payload));
        assert_eq!(facts.refs.branch, None);
        assert_eq!(facts.refs.pull_request, Some(Known::new("7".into(), PAYLOAD)));
        assert_eq!(facts.fork, None);
    }

    #[test]
    fn a_scheduled_job_is_on_the_default_branch() {
        let environment = variables(&[("GITHUB_EVENT_NAME", "schedule"), ("GITHUB_REF", "refs/heads/main")]);
        let event = read(&environment, None).event.unwrap().value;
        assert!(event.scheduled && event.on_default_branch);
    }
}
