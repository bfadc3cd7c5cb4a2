//! Whether a lifecycle policy may be put on a repository.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::lifecycle::{Action, Image, Moment, Policy, settle};
use crate::names::RepositoryName;
use crate::pipeline::Environment;

/// The most percent of a repository's images that a policy may delete unless it is said otherwise.
pub const MAX_EXPIRE: u8 = 20;

/// What speaks against putting the policy there: images that it would delete, or archive, from where they cannot be
/// pulled, although an environment's tag names them; or more deleted images than so many percent of all.
///
/// Deletions are counted until nothing changes any more, because the children of an index go only after it.
pub fn objections(
    repository: &RepositoryName,
    policy: &Policy,
    images: Vec<Image>,
    at: Moment,
    environments: &[Environment],
    max_percent: u8,
) -> Vec<Diagnostic> {
    let all = images.len();
    let gone = settle(policy, images, at);
    let mut objections = Vec::new();
    let names: BTreeSet<&str> = environments.iter().map(|environment| environment.name.as_str()).collect();
    for (image, action) in &gone {
        let verb = if *action == Action::Expire { "delete" } else { "archive" };
        for tag in image.tags.iter().filter(|tag| names.contains(tag.as_str())) {
            let message =
                format!("the policy would {verb} `{repository}:{tag}`, which is the image of environment `{tag}`");
            let hint = format!("put a rule above the others that matches `{tag}` and keeps it, or pass --yes");
            objections.push(Diagnostic::input(message).caused_by(image.digest.clone()).hint(hint));
        }
    }
    // In whole numbers: more than 20 % of 5 images is more than 1.
    let deleted = gone.iter().filter(|(_, action)| *action == Action::Expire).count();
    if deleted * 100 > all * usize::from(max_percent) {
        let message = format!(
            "the policy would delete {deleted} of the {all} images in `{repository}`, which is more than {max_percent} %"
        );
        let hint = "see which with `longshore lifecycle simulate`; then raise --max-expire, or pass --yes";
        objections.push(Diagnostic::input(message).hint(hint));
    }
    objections
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{Images, read_json};

    /// What is said of five images, one a second, of which the oldest has this tag; one is taken.
    fn told(action: &str, oldest: &str, max_percent: u8) -> Vec<String> {
        let selection = r#"{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":4}"#;
        let text = format!(r#"{{"rules":[{{"rulePriority":1,"selection":{selection},"action":{action}}}]}}"#);
        let policy = read_json(&text).unwrap().policy;
        let image =
            |n: u32, tag: &str| format!(r#"{{"imageDigest":"sha256:{n}","imagePushedAt":{n},"imageTags":["{tag}"]}}"#);
        let all: Vec<String> = (1..=5).map(|n| image(n, if n == 1 { oldest } else { "v" })).collect();
        let images = Images::parse(&format!("[{}]", all.join(","))).unwrap().0;
        let at = Moment::parse("2024-01-01T00:00:00Z").unwrap();
        let environment = Environment { name: "prod".parse().unwrap(), branch: None, tag: None };
        let found = objections(&"web".parse().unwrap(), &policy, images, at, &[environment], max_percent);
        found.into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn environments_and_too_many() {
        let expire = r#"{"type":"expire"}"#;
        let archive = r#"{"type":"transition","targetStorageClass":"archive"}"#;
        assert_eq!(told(expire, "v", 20), Vec::<String>::new(), "one of five is 20 %, and not more");
        let many = "the policy would delete 1 of the 5 images in `web`, which is more than 19 %";
        assert_eq!(told(expire, "v", 19), [many]);
        let prod = "the policy would delete `web:prod`, which is the image of environment `prod`";
        assert_eq!(told(expire, "prod", 20), [prod]);
        assert_eq!(told(archive, "prod", 0), [prod.replace("delete", "archive")]);
    }
}
