//! One entry of `images:`, and `defaults:`, which lies under each of them.

use super::build::{BuildPart, Given};
use super::fields::{Fields, Schema};
use super::gate::GatePart;
use super::needs::{self, Needed};
use super::problems::Problems;
use super::read::Field;
use super::repository::RepositoryPart;
use super::span::Span;
use super::{
    Compression, FlavorLines, Image, ManifestKind, PushBy, Reuse, Signing, TagRule, TagRuleKind, Transport, reuse,
    signing, tags, transport,
};

pub(super) const IMAGE: Schema = Schema {
    expected: "a map",
    fields: &[
        ("build", &[]),
        ("repository", &[]),
        ("tags", &[]),
        ("flavor", &[]),
        ("tag_prefix", &["tag-prefix"]),
        ("manifest", &[]),
        ("container", &[]),
        ("depends_on", &[]),
        ("reuse", &[]),
        ("push", &[]),
        ("compression", &[]),
        ("gate", &[]),
        ("signing", &[]),
    ],
    unsupported: &[],
};

pub(super) const DEFAULTS: Schema = Schema {
    expected: "a map",
    fields: &[
        ("build", &[]),
        ("repository", &[]),
        ("tags", &[]),
        ("flavor", &[]),
        ("reuse", &[]),
        ("push", &[]),
        ("compression", &[]),
        ("gate", &[]),
        ("signing", &[]),
    ],
    unsupported: &["depends_on"],
};

/// An image as one place of the file gives it.
#[derive(Debug, Clone, Default)]
pub(super) struct ImagePart {
    build: Option<BuildPart>,
    repository: Option<RepositoryPart>,
    tags: Option<Vec<TagRule>>,
    flavor: Option<FlavorLines>,
    tag_prefix: Option<String>,
    manifest: Option<ManifestKind>,
    container: Option<String>,
    reuse: Option<Reuse>,
    gate: Option<GatePart>,
    signing: Option<Signing>,
    push: Option<PushBy>,
    compression: Option<Compression>,
    depends_on: Vec<Needed>,
}

impl ImagePart {
    /// Reads an image; `None` if it is no map at all.
    pub fn read(field: &Field<'_>, given: &Given<'_>, problems: &mut Problems) -> Option<Self> {
        let fields = IMAGE.read(field, problems)?;
        Some(Self::from(&fields, given, problems))
    }

    /// Reads what all images have in common.
    pub fn read_defaults(field: &Field<'_>, given: &Given<'_>, problems: &mut Problems) -> Self {
        match DEFAULTS.read(field, problems) {
            Some(fields) => Self::from(&fields, given, problems),
            None => Self::default(),
        }
    }

    fn from(fields: &Fields<'_>, given: &Given<'_>, problems: &mut Problems) -> Self {
        ImagePart {
            build: fields.get("build").map(|field| BuildPart::read(field, given, problems)),
            repository: fields.get("repository").map(|field| RepositoryPart::read(field, problems)),
            tags: fields.read("tags", problems, tags::read),
            flavor: fields.read("flavor", problems, tags::read_flavor),
            tag_prefix: fields.read("tag_prefix", problems, Field::owned),
            manifest: fields.read("manifest", problems, manifest),
            container: fields.read("container", problems, Field::owned),
            reuse: fields.read("reuse", problems, reuse::read),
            gate: fields.read("gate", problems, GatePart::read),
            signing: fields.read("signing", problems, signing::read),
            push: fields.read("push", problems, transport::push),
            compression: fields.read("compression", problems, transport::compression),
            depends_on: fields.read("depends_on", problems, needs::depends_on).unwrap_or_default(),
        }
    }

    /// This image, with the defaults for whatever it leaves open.
    #[must_use]
    pub fn over(self, defaults: &ImagePart) -> Self {
        ImagePart {
            build: match self.build {
                Some(build) => Some(build.over(defaults.build.as_ref())),
                None => defaults.build.clone(),
            },
            repository: match self.repository {
                Some(repository) => Some(repository.over(defaults.repository.as_ref())),
                None => defaults.repository.clone(),
            },
            tags: self.tags.or_else(|| defaults.tags.clone()),
            flavor: self.flavor.or_else(|| defaults.flavor.clone()),
            tag_prefix: self.tag_prefix,
            manifest: self.manifest,
            container: self.container,
            reuse: self.reuse.or(defaults.reuse),
            gate: match self.gate {
                Some(gate) => Some(gate.over(defaults.gate.as_ref())),
                None => defaults.gate.clone(),
            },
            signing: self.signing.or(defaults.signing),
            push: self.push.or(defaults.push),
            compression: self.compression.or(defaults.compression),
            depends_on: self.depends_on,
        }
    }

    /// The images that must be there before this one, those of its named contexts included.
    pub fn needs(&self) -> Vec<Needed> {
        let contexts = self.build.iter().flat_map(BuildPart::needs);
        self.depends_on.iter().chain(contexts).cloned().collect()
    }

    /// The image of this name, whose key stands there.
    pub fn finish(self, name: &str, at: Span, problems: &mut Problems) -> Option<Image> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            problems
                .error(at, format!("`{}` is not an image's name: it is empty or has white space", name.escape_debug()));
            return None;
        }
        let repository = self.repository.unwrap_or_default().finish(name, at, problems);
        let Some(build) = self.build else {
            let hint = "write `build: .` to build the folder of this file";
            problems.error_with_hint(at, format!("image `{name}` has no `build`"), hint);
            return None;
        };
        let build = build.finish(problems);
        let manifest = self.manifest.unwrap_or_default();
        if manifest == ManifestKind::Single
            && let Some(other) = build.more_than_one_manifest()
        {
            let message = format!("image `{name}` shall have a single manifest, but {other}");
            problems.error_with_hint(at, message, "leave out one of the two; AWS Lambda takes single manifests only");
        }
        let default_tags = || tags::DEFAULT.map(|preset| TagRule { kind: TagRuleKind::Preset(preset), place: None });
        Some(Image {
            name: name.to_owned(),
            build,
            repository: repository?,
            tags: self.tags.unwrap_or_else(|| default_tags().to_vec()),
            flavor: self.flavor.unwrap_or_default(),
            tag_prefix: self.tag_prefix,
            manifest,
            container: self.container.unwrap_or_else(|| name.to_owned()),
            reuse: self.reuse.unwrap_or_default(),
            gate: self.gate.and_then(GatePart::finish),
            signing: self.signing.unwrap_or_default(),
            transport: Transport {
                by: self.push.unwrap_or_default(),
                compression: self.compression.unwrap_or_default(),
            },
            depends_on: self.depends_on.into_iter().map(|needed| needed.image).collect(),
        })
    }
}

fn manifest(field: &Field<'_>, problems: &mut Problems) -> Option<ManifestKind> {
    match field.text(problems)? {
        "auto" => Some(ManifestKind::Auto),
        "index" => Some(ManifestKind::Index),
        "single" => Some(ManifestKind::Single),
        other => {
            let message = format!("`{}` is `{other}`", field.path);
            problems.error_with_hint(field.span(), message, "write `single`, `index` or `auto`");
            None
        }
    }
}
