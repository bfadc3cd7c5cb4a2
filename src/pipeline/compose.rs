//! A Compose file as a pipeline file: each service that is built and whose `image` is in a registry of ECR is an image.
//!
//! The tree is brought into the pipeline's shape before it is read, so that every value keeps its place in the file and
//! means what it means in a pipeline file. What Compose has beyond building is not looked at.

use super::node::{Entry, Node, Value};
use super::problems::Problems;
use super::span::{Span, Spanned};
use crate::names::RegistryHost;

/// The parts of a Compose file that say what is built; `None` if it is no Compose file.
///
/// Done before variables are replaced: those of other parts need not be set.
pub(super) fn relevant(root: &Node) -> Option<Node> {
    let services = entry(root, "services")?;
    if entry(root, "images").is_some() {
        return None;
    }
    let Value::Map(all) = &services.value.value else { return Some(root.clone()) };
    let fields = ["build", "image", "extends"];
    let service = |service: &Entry| match &service.value.value {
        Value::Map(entries) => {
            let kept = entries.iter().filter(|entry| fields.contains(&entry.key.value.as_str())).cloned().collect();
            Entry { key: service.key.clone(), value: Node { value: Value::Map(kept), span: service.value.span } }
        }
        _ => service.clone(),
    };
    let services = Entry {
        key: services.key.clone(),
        value: Node { value: Value::Map(all.iter().map(service).collect()), span: services.value.span },
    };
    let secrets = entry(root, "secrets").cloned();
    Some(Node { value: Value::Map(std::iter::once(services).chain(secrets).collect()), span: root.span })
}

/// The same as a pipeline file, from what [`relevant`] left and with variables replaced.
pub(super) fn translate(root: &Node, problems: &mut Problems) -> Node {
    let mut translated = vec![text_entry("version", "1", root.span)];
    translated.extend(entry(root, "secrets").cloned());
    let services = entry(root, "services");
    let mut found = Found::default();
    if let Some(services) = services {
        match &services.value.value {
            Value::Map(services) => services.iter().for_each(|service| found.add(service, problems)),
            Value::Broken => {}
            other => problems.error(services.key.span, format!("`services` must be a map, not {}", other.kind())),
        }
        if found.images.is_empty() && matches!(services.value.value, Value::Map(_)) {
            problems.error_with_hint(
                services.key.span,
                "no service has both a `build` and an `image` in a registry of ECR",
                "name the registry in `image`, as in `123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web:1`",
            );
            // Nothing else can be wrong with it.
            found
                .images
                .push(Entry { key: Spanned { value: String::new(), span: services.key.span }, value: broken(root) });
        }
        translated.push(map_entry("images", found.images, services.key.span));
    }
    if let Some((host, span)) = found.registry {
        translated.push(map_entry("registry", vec![text_entry("host", host.as_str(), span)], span));
    }
    Node { value: Value::Map(translated), span: root.span }
}

#[derive(Default)]
struct Found {
    images: Vec<Entry>,
    registry: Option<(RegistryHost, Span)>,
}

impl Found {
    fn add(&mut self, service: &Entry, problems: &mut Problems) {
        let name = &service.key.value;
        let (build, image) = (entry(&service.value, "build"), entry(&service.value, "image"));
        let Some(build) = build else {
            if let Some(extends) = entry(&service.value, "extends") {
                let message = format!("service `{name}` is left out: what it extends is not followed");
                problems.warn(extends.key.span, message, "give it a `build` of its own");
            }
            return;
        };
        let left_out = |span, why: &str, problems: &mut Problems| {
            let hint = "name a registry of ECR in its `image`, with the repository and a tag";
            problems.warn(span, format!("service `{name}` is left out: {why}"), hint);
        };
        let Some(image) = image else {
            return left_out(service.key.span, "it is built, but has no `image`", problems);
        };
        let Value::Text(text) = &image.value.value else {
            if image.value.value != Value::Broken {
                left_out(image.key.span, "its `image` is no text", problems);
            }
            return;
        };
        let Some(reference) = Reference::read(text) else {
            return left_out(image.value.span, &format!("`{text}` is in no registry of ECR"), problems);
        };
        match &self.registry {
            Some((known, _)) if *known != reference.host => {
                let message = format!("service `{name}` goes to {}, another one to {known}", reference.host);
                let hint = "one run has one registry; write a longshore.yaml with `replicas`, or split the file";
                return problems.error_with_hint(image.value.span, message, hint);
            }
            _ => self.registry = Some((reference.host.clone(), image.value.span)),
        }
        let mut tags = vec![text_node(reference.tag, image.value.span)];
        let build = without_tags(build, &reference, &mut tags, problems);
        let fields = vec![
            build,
            text_entry("repository", reference.repository, image.value.span),
            Entry {
                key: Spanned { value: "tags".to_owned(), span: image.value.span },
                value: Node { value: Value::List(tags), span: image.value.span },
            },
        ];
        let value = Node { value: Value::Map(fields), span: service.value.span };
        self.images.push(Entry { key: service.key.clone(), value });
    }
}

/// An image in ECR, or in a registry on this machine.
struct Reference<'t> {
    host: RegistryHost,
    repository: &'t str,
    tag: &'t str,
}

impl<'t> Reference<'t> {
    /// Without a tag Compose means `latest`. Digests are of images that are there already.
    fn read(text: &'t str) -> Option<Self> {
        let (host, rest) = text.split_once('/')?;
        let host: RegistryHost = host.parse().ok()?;
        if (host.as_ecr().is_none() && !host.is_loopback()) || rest.contains('@') {
            return None;
        }
        let (repository, tag) = rest.rsplit_once(':').unwrap_or((rest, "latest"));
        Some(Reference { host, repository, tag })
    }
}

/// The build without its `tags`, which are further names of the image: those in its own repository become tags.
fn without_tags(build: &Entry, image: &Reference<'_>, tags: &mut Vec<Node>, problems: &mut Problems) -> Entry {
    let Value::Map(entries) = &build.value.value else { return build.clone() };
    let (others, rest): (Vec<Entry>, Vec<Entry>) = entries.iter().cloned().partition(|entry| entry.key.value == "tags");
    for item in others.iter().flat_map(|entry| match &entry.value.value {
        Value::List(items) => items.clone(),
        _ => vec![entry.value.clone()],
    }) {
        let Value::Text(text) = &item.value else { continue };
        match Reference::read(text).filter(|other| (&other.host, other.repository) == (&image.host, image.repository)) {
            Some(other) => tags.push(text_node(other.tag, item.span)),
            None => problems.warn(
                item.span,
                format!("`{text}` is left out: it is in another repository than the service's `image`"),
                "a pipeline brings each image to one repository; copy it with `longshore copy`",
            ),
        }
    }
    Entry { key: build.key.clone(), value: Node { value: Value::Map(rest), span: build.value.span } }
}

fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n Entry> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|entry| entry.key.value == name)
}

fn text_node(text: &str, span: Span) -> Node {
    Node { value: Value::Text(text.to_owned()), span }
}

fn text_entry(key: &str, text: &str, span: Span) -> Entry {
    Entry { key: Spanned { value: key.to_owned(), span }, value: text_node(text, span) }
}

fn map_entry(key: &str, entries: Vec<Entry>, span: Span) -> Entry {
    Entry { key: Spanned { value: key.to_owned(), span }, value: Node { value: Value::Map(entries), span } }
}

fn broken(root: &Node) -> Node {
    Node { value: Value::Broken, span: root.span }
}
