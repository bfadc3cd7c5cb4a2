//! `build:`, and the secrets that builds name.

use super::Described;
use super::shape::{ATTRIBUTES, Shape, TEXTS};
use crate::pipeline::build::tables;

/// One secret at the top of the file.
pub(super) static SECRET: Described = Described {
    name: "secret",
    schema: &tables::SECRET,
    fields: &[
        ("file", "The file that holds it", Shape::Text),
        ("environment", "The variable that holds it", Shape::Text),
    ],
    required: &[],
};

/// What an image is built from.
pub(super) static BUILD: Described = Described {
    name: "build",
    schema: &tables::BUILD,
    fields: &[
        (
            "context",
            "A folder, an archive, `-`, or the URL of a git repository or an archive [default: .]",
            Shape::Text,
        ),
        ("dockerfile", "The Dockerfile, within the context [default: Dockerfile]", Shape::Text),
        ("dockerfile_inline", "The text of a Dockerfile", Shape::Text),
        ("target", "The stage to build [default: the last]", Shape::Text),
        ("args", "Build arguments; one without a value takes it from the environment", Shape::Pairs),
        ("public_args", "Build arguments that look like secrets and are none", TEXTS),
        ("labels", "Labels of the image", Shape::Pairs),
        (
            "platforms",
            "The platforms to build for, as in `linux/arm64` [default: what the first builder builds natively]",
            TEXTS,
        ),
        ("emulate", "Let a builder emulate a platform that none builds natively [default: true]", Shape::Flag),
        ("no_cache", "Build every step anew", Shape::Flag),
        ("pull", "Look for newer base images", Shape::Flag),
        ("network", "The network of RUN steps: default, none or host", Shape::Text),
        (
            "extra_hosts",
            "Lines for the hosts file of RUN steps: a map, or a list of `host=address`",
            Shape::Either(&[Shape::MapOf(&TEXTS), Shape::ListOf(&Shape::Text)]),
        ),
        ("shm_size", "The size of /dev/shm in RUN steps, as in `64m`", Shape::Text),
        (
            "additional_contexts",
            "Named contexts: folders, URLs, `docker-image://REFERENCE`, or images of this pipeline as in `image:web`",
            Shape::Pairs,
        ),
        ("no_cache_filter", "Stages that are built anew", TEXTS),
        (
            "secrets",
            "Secrets that RUN steps may mount: names from the top of the file, `id=NAME,src=FILE`, `id=NAME,env=VARIABLE`, or maps",
            Shape::Either(&[Shape::Text, Shape::ListOf(&Shape::Either(&[Shape::Text, Shape::Map(&SECRET_ITEM)]))]),
        ),
        ("secret_files", "Secrets in files, as in `id=path`", TEXTS),
        ("secret_envs", "Secrets in variables, as in `id=VARIABLE`", TEXTS),
        (
            "ssh",
            "Agents and keys that RUN steps may use: `default`, or `id=path`",
            Shape::Either(&[
                Shape::Text,
                Shape::ListOf(&Shape::Either(&[Shape::Text, Shape::Map(&SSH_ITEM)])),
                Shape::MapOf(&Shape::Any),
            ]),
        ),
        ("cache_from", "Where the builder finds cached steps, as in `type=registry,ref=…`", ATTRIBUTES),
        ("cache_to", "Where the builder keeps cached steps, as in `type=registry,ref=…`", ATTRIBUTES),
        (
            "cache",
            "A cache beside the image in ECR: `registry`, `inline`, `false`, or a map",
            Shape::Either(&[Shape::Words(&tables::CACHE_KINDS), Shape::Off, Shape::Map(&CACHE)]),
        ),
        (
            "ulimits",
            "Limits of RUN steps, as in `nofile: 1024`",
            Shape::Either(&[
                Shape::Text,
                Shape::ListOf(&Shape::Text),
                Shape::MapOf(&Shape::Either(&[Shape::Number, Shape::Map(&LIMITS)])),
            ]),
        ),
        (
            "entitlements",
            "What RUN steps may do beyond the usual: `network.host`, `security.insecure`, `device=…`",
            TEXTS,
        ),
        ("privileged", "The same as the entitlement `security.insecure`", Shape::Flag),
        (
            "provenance",
            "Whether the builder attests how the image was built: `true`, `false`, or attributes",
            Shape::Text,
        ),
        ("sbom", "Whether the builder lists what the image holds: `true`, `false`, or attributes", Shape::Text),
        ("attest", "Both, as bake has it: `type=provenance,mode=max`, `type=sbom`", ATTRIBUTES),
        ("isolation", "Only `default`: others exist where Windows containers are built", Shape::Words(&["default"])),
        ("tags", "Not here: tags belong beside `build`, under the image", Shape::Nothing),
    ],
    required: &[],
};

static SECRET_ITEM: Described = Described {
    name: "build_secret",
    schema: &tables::SECRET_ITEM,
    fields: &[
        ("id", "What RUN steps call it", Shape::Text),
        ("source", "A secret of the top of the file, or beside an `id` the file that holds it", Shape::Text),
        ("environment", "The variable that holds it", Shape::Text),
        ("type", "`file` or `env`", Shape::Text),
        ("target", "What RUN steps call a secret of the top of the file", Shape::Text),
        ("uid", "No effect in a build", Shape::Text),
        ("gid", "No effect in a build", Shape::Text),
        ("mode", "No effect in a build", Shape::Text),
    ],
    required: &[],
};

static SSH_ITEM: Described = Described {
    name: "build_ssh",
    schema: &tables::SSH_ITEM,
    fields: &[
        ("id", "What RUN steps call it [default: default]", Shape::Text),
        ("paths", "The keys, or the socket of an agent [default: SSH_AUTH_SOCK]", TEXTS),
    ],
    required: &[],
};

static CACHE: Described = Described {
    name: "build_cache",
    schema: &tables::CACHE,
    fields: &[
        ("type", "Where the cache is [default: registry]", Shape::Words(&tables::CACHE_KINDS)),
        ("mode", "Which steps are kept: all, or those of the image", Shape::Words(&["max", "min"])),
        ("repository", "The repository of the cache [default: the image's]", Shape::Text),
    ],
    required: &[],
};

static LIMITS: Described = Described {
    name: "build_ulimit",
    schema: &tables::LIMITS,
    fields: &[
        ("soft", "The soft limit; -1 is none", Shape::Number),
        ("hard", "The hard limit; -1 is none", Shape::Number),
    ],
    required: &["soft", "hard"],
};
