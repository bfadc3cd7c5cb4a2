//! Everything of the file but `build:`.

use super::Described;
use super::build::{BUILD, SECRET};
use super::shape::{Shape, TEXTS};
use crate::lifecycle::SHORT_FORM;
use crate::pipeline::fields::Schema;
use crate::pipeline::{
    builders, encryption, file, gate, image, mutability, outputs, registry, replicas, repository, reuse, transport,
};

const ACCOUNT: Shape = Shape::Like("^[0-9]{12}$");

/// A span of time, as in `7d`.
const WAIT_OF: Shape = Shape::Either(&[Shape::Flag, SPAN]);
const SPAN: Shape = Shape::Like("^[0-9]+[wdhms]$");

const REPOSITORY_NAME: Shape = Shape::Text;

/// The whole file.
pub(super) static FILE: Described = Described {
    name: "file",
    schema: &file::SCHEMA,
    fields: &[
        ("version", "The version of this format: 1", Shape::Exactly(1)),
        (
            "registry",
            "Where the images go [default: the registry of the caller's account and region]",
            Shape::Map(&REGISTRY),
        ),
        (
            "environments",
            "The environments and the git refs that mean them; the first that matches names the environment",
            Shape::MapOf(&Shape::Map(&ENVIRONMENT)),
        ),
        (
            "builders",
            "The Docker daemons that images are built with [default: the one that the environment names]",
            Shape::MapOf(&Shape::Either(&[Shape::Text, Shape::Map(&BUILDER)])),
        ),
        ("defaults", "What lies under every image", Shape::Map(&DEFAULTS)),
        ("images", "The images, by names of your own", Shape::MapOf(&Shape::Map(&IMAGE))),
        ("secrets", "Secrets that builds name, each in a file or in a variable", Shape::MapOf(&Shape::Map(&SECRET))),
        ("outputs", "The files that a run writes for the deploy", Shape::Map(&OUTPUTS)),
    ],
    required: &["version", "images"],
};

static REGISTRY: Described = Described {
    name: "registry",
    schema: &registry::REGISTRY,
    fields: &[
        ("account", "The AWS account, 12 digits in quotes [default: that of the caller]", ACCOUNT),
        ("region", "The AWS region [default: the AWS configuration]", Shape::Text),
        ("host", "The registry's host, where it does not follow from account and region", Shape::Text),
        ("fips", "Go through the endpoints that are validated for FIPS 140", Shape::Flag),
        ("dual_stack", "Go through the endpoints that answer over IPv6 as well", Shape::Flag),
        ("replicas", "Other registries that get the same digests", Shape::ListOf(&Shape::Map(&REPLICA))),
    ],
    required: &[],
};

static REPLICA: Described = Described {
    name: "replica",
    schema: &replicas::REPLICA,
    fields: &[
        ("account", "The AWS account [default: the registry's]", ACCOUNT),
        ("region", "The AWS region [default: the registry's]", Shape::Text),
        ("host", "The registry's host, where it does not follow from account and region", Shape::Text),
        ("role", "The ARN of the role that is assumed to push there", Shape::Text),
        ("profile", "The profile of the AWS configuration to push there with", Shape::Text),
        ("wait", "Wait for ECR's own replication in place of copying, for 30 minutes or for a time span", WAIT_OF),
    ],
    required: &[],
};

static ENVIRONMENT: Described = Described {
    name: "environment",
    schema: &registry::ENVIRONMENT,
    fields: &[
        ("branch", "A glob over branches, as in `release/**`", Shape::Text),
        ("tag", "A glob over git tags, as in `v*`", Shape::Text),
    ],
    required: &[],
};

static BUILDER: Described = Described {
    name: "builder",
    schema: &builders::BUILDER,
    fields: &[
        ("endpoint", "Where it answers: `unix://`, `tcp://`, `ssh://`, or the name of a docker context", Shape::Text),
        ("platforms", "What it builds natively [default: what it says of itself]", TEXTS),
        ("certificates", "The folder with ca.pem, cert.pem and key.pem, for TLS over `tcp://`", Shape::Text),
    ],
    required: &[],
};

/// What image and defaults say alike.
const BUILD_OF: Shape = Shape::Either(&[Shape::Text, Shape::Map(&BUILD)]);
const REPOSITORY_OF: Shape = Shape::Either(&[REPOSITORY_NAME, Shape::Map(&REPOSITORY)]);
const REUSE_OF: Shape = Shape::Either(&[Shape::Flag, Shape::Map(&REUSE)]);
const ABOUT_BUILD: &str = "What the image is built from: the path of a context, or a map as in Compose";
const ABOUT_REPOSITORY: &str =
    "The repository: its name, or a map that says how it should be [default: the image's name]";
const ABOUT_TAGS: &str = "Tags: semver, sha, env, branch, pr, latest, schedule, any other word as it stands, or a rule of \
                          docker/metadata-action [default: semver, sha, env]";
const ABOUT_FLAVOR: &str = "What holds for all tag rules: `latest=`, `prefix=` and `suffix=` of docker/metadata-action";
const ABOUT_REUSE: &str = "Whether an image whose inputs did not change is taken from the registry in place of a build";

const ABOUT_GATE: &str = "What its scan may find before its release tags are written";
const ABOUT_SIGNING: &str = "Whether a run says how far ECR's managed signing is with the image, or releases it only when it is signed \
                             [default: false]";
const SIGNING_OF: Shape = Shape::Either(&[Shape::Words(&["report", "require"]), Shape::Flag]);
const PUSH_OF: Shape = Shape::Words(&["auto", "direct", "daemon"]);
const ABOUT_PUSH: &str =
    "Who brings the image to the registry: the daemon, Longshore itself, or whoever takes less time";
const COMPRESSIONS: Shape = Shape::Words(&["gzip", "zstd"]);
const COMPRESSION_OF: Shape = Shape::Either(&[COMPRESSIONS, Shape::Map(&COMPRESSION)]);
const ABOUT_COMPRESSION: &str = "How layers are compressed that the daemon does not compress [default: gzip]";

static IMAGE: Described = Described {
    name: "image",
    schema: &image::IMAGE,
    fields: &[
        ("build", ABOUT_BUILD, BUILD_OF),
        ("repository", ABOUT_REPOSITORY, REPOSITORY_OF),
        ("tags", ABOUT_TAGS, TEXTS),
        ("flavor", ABOUT_FLAVOR, TEXTS),
        ("tag_prefix", "What git tags of this image begin with, as in `web/` for `web/v1.2.3`", Shape::Text),
        (
            "manifest",
            "One plain manifest, as AWS Lambda takes it, or an index [default: auto, an index for several platforms]",
            Shape::Words(&["auto", "index", "single"]),
        ),
        ("container", "Its container in the ECS task definition [default: the image's name]", Shape::Text),
        ("depends_on", "Images that must be staged before this one", TEXTS),
        ("reuse", ABOUT_REUSE, REUSE_OF),
        ("push", ABOUT_PUSH, PUSH_OF),
        ("compression", ABOUT_COMPRESSION, COMPRESSION_OF),
        ("gate", ABOUT_GATE, GATE_OF),
        ("signing", ABOUT_SIGNING, SIGNING_OF),
    ],
    required: &[],
};

static DEFAULTS: Described = Described {
    name: "defaults",
    schema: &image::DEFAULTS,
    fields: &[
        ("build", ABOUT_BUILD, BUILD_OF),
        ("repository", ABOUT_REPOSITORY, REPOSITORY_OF),
        ("tags", ABOUT_TAGS, TEXTS),
        ("flavor", ABOUT_FLAVOR, TEXTS),
        ("reuse", ABOUT_REUSE, REUSE_OF),
        ("push", ABOUT_PUSH, PUSH_OF),
        ("compression", ABOUT_COMPRESSION, COMPRESSION_OF),
        ("gate", ABOUT_GATE, GATE_OF),
        ("signing", ABOUT_SIGNING, SIGNING_OF),
    ],
    required: &[],
};

static REUSE: Described = Described {
    name: "reuse",
    schema: &reuse::SCHEMA,
    fields: &[("max_age", "How old an image may be that is reused, as in `12h` [default: 7d]", SPAN)],
    required: &[],
};

const SEVERITIES: Shape = Shape::Words(&[
    "CRITICAL",
    "HIGH",
    "MEDIUM",
    "LOW",
    "INFORMATIONAL",
    "UNDEFINED",
    "critical",
    "high",
    "medium",
    "low",
    "informational",
    "undefined",
]);
const GATE_OF: Shape = Shape::Either(&[SEVERITIES, Shape::Flag, Shape::Map(&GATE)]);

static GATE: Described = Described {
    name: "gate",
    schema: &gate::GATE,
    fields: &[
        (
            "fail_on",
            "Findings as bad as this or worse keep the image from its release tags [default: HIGH]",
            SEVERITIES,
        ),
        ("ignore", "Findings that are known and bearable for a time", Shape::ListOf(&Shape::Map(&IGNORE))),
        ("timeout", "How long to wait for the scan, as in `10m`, which is the default", SPAN),
        (
            "unsupported",
            "What becomes of an image that cannot be scanned [default: fail]",
            Shape::Words(&["fail", "warn"]),
        ),
        (
            "scan",
            "Whether scans are started where none comes by itself [default: auto]",
            Shape::Words(&["auto", "never"]),
        ),
        ("settle", "For how long Inspector's findings must not change, as in `15s`, which is the default", SPAN),
    ],
    required: &[],
};

static IGNORE: Described = Described {
    name: "gate_ignore",
    schema: &gate::IGNORE,
    fields: &[
        ("id", "The finding, as in CVE-2024-3094", Shape::Text),
        (
            "until",
            "The last day on which it is bearable, in UTC, as in 2026-12-31",
            Shape::Like("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        ),
        ("reason", "Why it is bearable", Shape::Text),
    ],
    required: &["id", "until", "reason"],
};

static COMPRESSION: Described = Described {
    name: "compression",
    schema: &transport::SCHEMA,
    fields: &[
        ("type", "gzip, or zstd, which Docker before 23.0 cannot pull [default: gzip]", COMPRESSIONS),
        ("level", "1 to 12 of gzip, 1 to 19 of zstd [default: 6, 3]", Shape::Number),
    ],
    required: &[],
};

static REPOSITORY: Described = Described {
    name: "repository",
    schema: &repository::SCHEMA,
    fields: &[
        ("name", "Its name, without the registry's host", REPOSITORY_NAME),
        ("create", "Whether it is created where it is missing [default: true]", Shape::Flag),
        ("scan_on_push", "Whether ECR scans each image that is pushed", Shape::Flag),
        ("encryption", "How it is encrypted", Shape::Either(&[ENCRYPTION_KINDS, Shape::Map(&ENCRYPTION)])),
        (
            "tag_mutability",
            "Whether tags may move once they are written",
            Shape::Either(&[MUTABILITIES, Shape::Map(&MUTABILITY)]),
        ),
        ("resource_tags", "Its AWS resource tags", Shape::MapOf(&Shape::Text)),
        (
            "lifecycle",
            "Its lifecycle policy: the short form, ECR's own form, or a file of either",
            Shape::Either(&[Shape::Text, Shape::ListOf(&Shape::Map(&WISH)), Shape::MapOf(&Shape::Any)]),
        ),
        (
            "policy",
            "Who else may use it: `pull` and `push` with accounts, ARNs or organizations, IAM's own form, or a file of either",
            Shape::Either(&[Shape::Text, Shape::MapOf(&Shape::Any)]),
        ),
        (
            "on_drift",
            "What a run does about settings that differ [default: report]",
            Shape::Words(&["report", "fix", "fail"]),
        ),
    ],
    required: &[],
};

/// The reader takes upper and lower case.
const ENCRYPTION_KINDS: Shape = Shape::Words(&["AES256", "KMS", "KMS_DSSE", "aes256", "kms", "kms_dsse"]);
const MUTABILITIES: Shape = Shape::Words(&["MUTABLE", "IMMUTABLE", "mutable", "immutable"]);

static ENCRYPTION: Described = Described {
    name: "encryption",
    schema: &encryption::SCHEMA,
    fields: &[
        ("type", "The kind of encryption [default: AES256]", ENCRYPTION_KINDS),
        ("key", "The KMS key, where it is not AWS's own", Shape::Text),
    ],
    required: &[],
};

static MUTABILITY: Described = Described {
    name: "tag_mutability",
    schema: &mutability::SCHEMA,
    fields: &[
        ("mode", "Whether tags may move [default: MUTABLE]", MUTABILITIES),
        (
            "except",
            "Tags for which the opposite holds, where `*` stands for anything; or auto, for those that move by their rules",
            TEXTS,
        ),
    ],
    required: &[],
};

/// The short form of a lifecycle policy has its reader in another room, and its fields from there.
static WISH_FIELDS: Schema = Schema { expected: "a map", fields: &SHORT_FORM_FIELDS, unsupported: &[] };

const SHORT_FORM_FIELDS: [(&str, &[&str]); SHORT_FORM.len()] = {
    let mut fields: [(&str, &[&str]); SHORT_FORM.len()] = [("", &[]); SHORT_FORM.len()];
    let mut at = 0;
    while at < SHORT_FORM.len() {
        fields[at].0 = SHORT_FORM[at];
        at += 1;
    }
    fields
};

const DAYS: Shape = Shape::Like("^[0-9]+[dwh]$");

static WISH: Described = Described {
    name: "lifecycle_entry",
    schema: &WISH_FIELDS,
    fields: &[
        ("keep_last", "Expire all but so many of the newest", Shape::Number),
        ("expire_untagged_after", "Expire images without a tag that were pushed longer ago, as in `1d`", DAYS),
        ("expire_after", "Expire images that were pushed longer ago, as in `90d`", DAYS),
        ("archive_unpulled_after", "Archive images that were not pulled for so long, as in `90d`", DAYS),
        ("expire_archived_after", "Expire images that are in the archive for longer, `90d` at least", DAYS),
        ("protect", "Leave images alone that have such a tag, whatever else is said", TEXTS),
        ("tag_prefix", "Only images with a tag that begins so; of several, any", TEXTS),
        ("tag_pattern", "Only images with such a tag; `*` stands for anything", TEXTS),
    ],
    required: &[],
};

static TASK_DEFINITION: Described = Described {
    name: "task_definition",
    schema: &outputs::TASK_DEFINITION,
    fields: &[
        ("template", "The task definition as it is kept in git", Shape::Text),
        ("file", "The file to write", Shape::Text),
    ],
    required: &["template", "file"],
};

static OUTPUTS: Described = Described {
    name: "outputs",
    schema: &outputs::SCHEMA,
    fields: &[
        (
            "image_definitions",
            "The files for CodePipeline's ECS deploy action, or `false` [default: both spellings of imageDefinitions.json]",
            TEXTS,
        ),
        (
            "image_detail",
            "The file for CodePipeline's blue/green deploy action, or `false` [default: none]",
            Shape::Text,
        ),
        (
            "task_definition",
            "An ECS task definition with the images of the run in it [default: none]",
            Shape::Map(&TASK_DEFINITION),
        ),
        ("image_uri", "How those files name an image [default: digest]", Shape::Words(&["digest", "tag"])),
    ],
    required: &[],
};
