//! Source: GitHub documentation, "Variables reference" and "Events that trigger workflows".

use serde_json::Value;

use super::{CiFacts, known, known_commit};
use crate::facts::{Known, Refs, Variables};

pub(super) fn read(variables: &Variables, event: Option<&Value>) -> CiFacts {
    let event_name = variables.get("GITHUB_EVENT_NAME").map_or("", String::as_str);
    let full_name = variables.get("GITHUB_REF").map_or("", String::as_str);
    // Here GITHUB_REF is the branch that is merged into, which is not what is being built.
    let refs = if event_name.contains("pull_request_target") {
        let number = event.and_then(|event| event.get("number")).and_then(Value::as_u64);
        let pull_request = number.map(|number| Known::new(number.to_string(), "GITHUB_EVENT_PATH"));
        Refs { pull_request, ..Refs::default() }
    } else {
        Refs::from_full_name(full_name, "GITHUB_REF")
    };
    let source_url = match (known(variables, "GITHUB_SERVER_URL"), known(variables, "GITHUB_REPOSITORY")) {
        (Some(server), Some(repository)) => {
            Some(Known::new(format!("{}/{}", server.value, repository.value), "GITHUB_REPOSITORY"))
        }
        _ => None,
    };
    CiFacts {
        system: Some("GitHub Actions"),
        commit: known_commit(variables, "GITHUB_SHA"),
        refs,
        refs_complete: true,
        source_url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ci::variables;

    #[test]
    fn a_tag_push() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let facts = read(
            &variables(&[
                ("GITHUB_REF", "refs/tags/v1.2.3"),
                ("GITHUB_SHA", sha),
                ("GITHUB_SERVER_URL", "https://github.com"),
                ("GITHUB_REPOSITORY", "shop/web"),
            ]),
            None,
        );
        assert_eq!(facts.refs.tags, [Known::new("v1.2.3".into(), "GITHUB_REF")]);
        assert_eq!(facts.commit.map(|known| known.value.to_string()).as_deref(), Some(sha));
        assert_eq!(facts.source_url.map(|known| known.value).as_deref(), Some("https://github.com/shop/web"));
    }

    #[test]
    fn a_pull_request() {
        let facts = read(&variables(&[("GITHUB_REF", "refs/pull/7/merge")]), None);
        assert_eq!(facts.refs.pull_request, Some(Known::new("7".into(), "GITHUB_REF")));
    }

    #[test]
    fn a_pull_request_target_does_not_build_the_branch_it_names() {
        let event = serde_json::json!({ "number": 7 });
        let environment = variables(&[("GITHUB_EVENT_NAME", "pull_request_target"), ("GITHUB_REF", "refs/heads/main")]);
        let facts = read(&environment, Some(&event));
        assert_eq!(facts.refs.branch, None);
        assert_eq!(facts.refs.pull_request, Some(Known::new("7".into(), "GITHUB_EVENT_PATH")));
    }
}
