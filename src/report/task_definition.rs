//! An ECS task definition with this run's images in it, made from a template that the user keeps in git.

use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::names::ImageRef;

/// A template in which each image has its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    definition: Value,
    /// For each entry of `containerDefinitions` the image that it runs, by its place in the plan.
    images: Vec<Option<usize>>,
}

impl Template {
    /// Reads a template for these containers, one for each image of the plan.
    ///
    /// An image goes where the container has its name. Else it goes where the image's own placeholder stands, as
    /// CodePipeline's blue/green action knows them: `<IMAGE1_NAME>` for the first image, and so on.
    ///
    /// # Errors
    /// If it is no task definition, has no place for an image, or a placeholder that none of the images fills.
    pub fn read(name: &str, text: &str, containers: &[&str]) -> Result<Self, Diagnostics> {
        let definition: Value = serde_json::from_str(text).map_err(|error| no_json(name, text, &error))?;
        let entries = definition.get("containerDefinitions").and_then(Value::as_array).ok_or_else(|| {
            Diagnostic::input(format!("`{name}` has no list `containerDefinitions`"))
                .hint("it is to be a task definition as `aws ecs register-task-definition --cli-input-json` takes it")
        })?;
        let named = |entry: &Value| {
            let name = entry.get("name").and_then(Value::as_str)?;
            containers.iter().position(|container| *container == name)
        };
        let images: Vec<Option<usize>> =
            entries.iter().map(|entry| named(entry).or_else(|| placeholder(entry)?.checked_sub(1))).collect();
        let mut problems = Vec::new();
        for (at, container) in containers.iter().enumerate() {
            if !images.contains(&Some(at)) {
                let names: Vec<String> =
                    entries.iter().filter_map(|entry| Some(format!("`{}`", entry.get("name")?.as_str()?))).collect();
                problems.push(
                    Diagnostic::input(format!("`{name}` has no container `{container}`"))
                        .hint(format!("it has {}; set the image's `container` to one of them", names.join(", "))),
                );
            }
        }
        for (entry, image) in entries.iter().zip(&images) {
            if placeholder(entry).is_some() && image.is_none_or(|image| image >= containers.len()) {
                let image = entry.get("image").and_then(Value::as_str).unwrap_or_default();
                let message = format!("`{name}`: no image of this run fills the placeholder `{image}`");
                problems
                    .push(Diagnostic::input(message).hint("run all images, or name the image that is deployed now"));
            }
        }
        Diagnostics::check(problems)?;
        Ok(Template { definition, images })
    }

    /// The task definition with these images, one for each container that the template was read for.
    pub fn render(&self, uris: &[ImageRef]) -> String {
        let mut definition = self.definition.clone();
        let entries = definition.get_mut("containerDefinitions").and_then(Value::as_array_mut);
        for (entry, image) in entries.into_iter().flatten().zip(&self.images) {
            if let (Some(entry), Some(uri)) = (entry.as_object_mut(), image.and_then(|image| uris.get(image))) {
                entry.insert("image".to_owned(), Value::String(uri.to_string()));
            }
        }
        super::json::text(&definition)
    }
}

/// The number in `<IMAGE1_NAME>`. Source: CodePipeline user guide, "Tutorial: ECR source and ECS-to-CodeDeploy".
fn placeholder(entry: &Value) -> Option<usize> {
    entry.get("image")?.as_str()?.strip_prefix("<IMAGE")?.strip_suffix("_NAME>")?.parse().ok()
}

fn no_json(name: &str, text: &str, error: &serde_json::Error) -> Diagnostic {
    let source = Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
    let place = Place { source, line: error.line().max(1), column: error.column().max(1), length: 1 };
    Diagnostic::input(format!("`{name}` is not JSON")).at(place).caused_by(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Digest;

    fn uri(repository: &str) -> ImageRef {
        ImageRef::digested(&"127.0.0.1:1".parse().unwrap(), &repository.parse().unwrap(), &Digest::of(b"x"))
    }

    const TEMPLATE: &str = r#"{
  "family": "shop",
  "containerDefinitions": [
    {"name": "web", "image": "old", "cpu": 1},
    {"name": "job", "image": "<IMAGE2_NAME>"},
    {"name": "envoy", "image": "public.ecr.aws/envoy:1"}
  ]
}"#;

    #[test]
    fn word_for_word() {
        let template = Template::read("taskdef.json", TEMPLATE, &["web", "worker"]).unwrap();
        let digest = Digest::of(b"x");
        let expected = format!(
            r#"{{
  "family": "shop",
  "containerDefinitions": [
    {{
      "name": "web",
      "image": "127.0.0.1:1/shop/web@{digest}",
      "cpu": 1
    }},
    {{
      "name": "job",
      "image": "127.0.0.1:1/shop/worker@{digest}"
    }},
    {{
      "name": "envoy",
      "image": "public.ecr.aws/envoy:1"
    }}
  ]
}}
"#
        );
        assert_eq!(template.render(&[uri("shop/web"), uri("shop/worker")]), expected);
    }

    fn refused(text: &str, containers: &[&str]) -> Vec<String> {
        Template::read("t.json", text, containers).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_would_deploy_the_wrong_image_is_refused() {
        let missing = "`t.json` has no container `api`\nhint: it has `web`, `job`, `envoy`; set the image's `container` \
                       to one of them";
        assert_eq!(refused(TEMPLATE, &["web", "worker", "api"]), [missing]);
        let unfilled = "`t.json`: no image of this run fills the placeholder `<IMAGE2_NAME>`\nhint: run all images, or \
                        name the image that is deployed now";
        assert_eq!(refused(TEMPLATE, &["web"]), [unfilled]);
        assert!(refused("{}", &[])[0].starts_with("`t.json` has no list `containerDefinitions`"));
        assert!(refused("{\n  x", &[])[0].starts_with("`t.json` is not JSON\n --> t.json:2:3\n  |\n2 |   x\n"));
    }
}
