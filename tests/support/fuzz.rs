//! What is fed with bytes that anybody may have written: nothing of it may panic, hang, or take memory without bound.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::path::Path;

use bollard_buildkit_proto::moby::buildkit::v1::StatusResponse;
use longshore::dockerfile::{self, Circumstances};
use longshore::draft::{self, Checkout};
use longshore::effects::buildkit::Progress as BuildKitProgress;
use longshore::effects::context::IgnoreRules;
use longshore::effects::docker::ClassicProgress;
use longshore::effects::registry::Challenge;
use longshore::execute::ports::{Credential, Manifest};
use longshore::facts::Facts;
use longshore::key::{self, Record};
use longshore::local::Fault;
use longshore::names::{Digest, ImageRef, Platform, RegistryHost, RepositoryName, Tag};
use longshore::pipeline::rule;
use longshore::plan::tags::fill_in;
use longshore::report::timeline;
use longshore::retry::retry_after;
use longshore::{execute, inventory, lifecycle, pipeline, secrecy};
use prost::Message as _;

/// One target: its name, what it is begun with, and what is fed.
pub struct Target {
    pub name: &'static str,
    pub seeds: &'static [&'static str],
    pub run: fn(&[u8]),
}

impl Target {
    /// The name of its program in `fuzz/fuzz_targets`.
    #[allow(dead_code, reason = "a program of its own knows it")]
    pub fn program(&self) -> String {
        let words = self.name.to_lowercase().replace(|letter: char| !letter.is_ascii_lowercase(), "_");
        words.trim_matches('_').to_owned()
    }
}

pub static TARGETS: [Target; 16] = [
    Target {
        name: "pipeline file and interpolation",
        seeds: &[
            "version: 1\nimages:\n  web: { build: ., repository: shop/web, tags: [semver, 'type=sha,format=long'] }\n",
            "version: 1\nx-a: &a { context: '${C:-.}', args: [A=1, B] }\nimages: { w: { build: *a, gate: { fail_on: HIGH } } }\n",
            "a: &a [*a, *a]\nb: {<<: *a, '${X:?no}': \"$$\", c: ${Y:-${Z-1}}}\n",
            "version: 1\nregistry: { account: \"123456789012\", replicas: [{ region: us-west-2 }] }\nimages: {}\n",
        ],
        run: pipeline_file,
    },
    Target {
        name: "tag rules",
        seeds: &[
            "type=semver,pattern={{version}},value=v1.2.3,enable=true,priority=3,prefix=a,suffix=b",
            "type=match,pattern=v(\\d+).*(?<x>[a-z]{2,}),group=1",
            "type=raw,value={{#if tag}}{{tag}}{{else}}{{branch}}{{/if}}",
            "type=schedule,pattern={{date 'YYYYMMDD-[x]' tz='Asia/Seoul'}}",
            "type=ref,event=pr,\"prefix=a\"\"b\"",
        ],
        run: tag_rule,
    },
    Target {
        name: "templates",
        seeds: &[
            "{{branch}}-{{sha}}",
            "{{#if is_default_branch}}a{{else}}{{{tag}}}{{/if}}",
            "{{date 'w[w]gg' tz='UTC'}}",
        ],
        run: template,
    },
    Target {
        name: ".dockerignore",
        seeds: &["**/*.log\n!a/b.log\n# c\n[a-z]?x\\\n", "/a/../b/**\n!**\n", "{a,b}|c\n"],
        run: dockerignore,
    },
    Target {
        name: "Dockerfile",
        seeds: &[
            "# syntax=docker/dockerfile:1\n# escape=`\nARG V=1\nFROM --platform=$BUILDPLATFORM alpine:${V:-3} AS a\nCOPY --from=a /x /y\n",
            "FROM a\nRUN <<EOF cat <<\"X\"\na\nEOF\nX\nADD https://x/y /\nRUN --mount=type=bind,from=b,source=/ true\n",
            "FROM scratch\nCOPY [\"a b\", \"c\"]\\\n # x\n ./\nENV A=\"b $A\" C=d\\ e\n",
        ],
        run: dockerfile,
    },
    Target {
        name: "lifecycle JSON",
        seeds: &[
            r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["v*"],"countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}}]}"#,
            r#"{"rules":[{"rulePriority":1,"rulePriority":2,"selection":{"countUnit":"days"}}]}"#,
        ],
        run: lifecycle_json,
    },
    Target {
        name: "manifests and indexes",
        seeds: &[
            r#"{"schemaVersion":2,"config":{"size":1},"layers":[{"size":20},{"size":300}]}"#,
            r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:00","size":18446744073709551615}]}"#,
        ],
        run: manifest,
    },
    Target {
        name: "records of content keys",
        seeds: &[include_str!("records.jsonl"), r#"{"version":99}"#],
        run: record,
    },
    Target { name: "Retry-After", seeds: &["120", "Wed, 25 Nov 2026 12:00:07 GMT", "-1"], run: retry_after_value },
    Target {
        name: "names",
        seeds: &[
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web:1.2.3",
            "localhost:5000/a@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "linux/arm64/v8",
        ],
        run: names,
    },
    Target {
        name: "faults of the small ECR",
        seeds: &["quotas: ecr\nfaults: [{ operation: 'registry:*', nth: 2.., delay: 5ms, answer: { status: 503 } }]\n"],
        run: faults,
    },
    Target {
        name: "progress of the classic builder",
        seeds: &[
            "Step 1/2 : FROM scratch\n",
            " ---> Running in 0123456789ab\nhello\r\nRemoving intermediate container 0123456789ab\n ---> 0123456789ab\n",
            "STEP 2/3: RUN x\n--> Using cache 0123456789ab\nSuccessfully built 0123456789ab\n",
        ],
        run: classic_progress,
    },
    Target {
        name: "progress of BuildKit",
        // A vertex that began and one line of its log, as protobuf; what BuildKit sends is not text.
        seeds: &["\u{a}\u{15}\u{a}\u{3}d:1\u{1a}\u{e}[1/2] RUN x\u{1a}\u{b}\u{a}\u{3}d:1\u{22}\u{3}hi\n"],
        run: buildkit_progress,
    },
    Target {
        name: "challenges and tokens",
        seeds: &[
            "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a:pull\"",
            "Bearer realm=https://x/, scope=\"\"",
            "QVdTOnBhc3N3b3Jk",
        ],
        run: challenge,
    },
    Target {
        name: "lines that are quoted",
        seeds: &[
            "args: { NPM_TOKEN: \"a, b\", PORT: 80 }",
            "secrets:\n  npm_token: { environment: X }\nargs:\n  API_KEY: |\n    abc\n",
            "- https://me:p/w@host/a.git?b=${C:-d}#e\n-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
        ],
        run: quoted_lines,
    },
    Target {
        name: "what init reads",
        seeds: &[
            "0variable \"V\" {\n default = \"1\"\n}\ntarget \"a\" {\n inherits = [\"b\"]\n tags = [\"x/y:${V}\"]\n args = { A = V == 1 ? \"b\" : upper(V) }\n}\n",
            "1{\"variable\": {\"V\": {\"default\": \"${W}\"}}, \"target\": {\"a\": {\"context\": \"${V}\", \"contexts\": {\"b\": \"target:b\"}}}}",
            "2services: { web: { build: { context: &a web, args: [A=$$1, B] }, image: 'x/y:${V:-1}' } }\nsecrets: { s: { file: s } }\n",
            "3jobs: { j: { steps: [{ uses: docker/build-push-action@v6, with: { tags: 'a/b:1', build-args: \"A=1\\nB\" } }] } }\n",
            "4a b\nDockerfile.x",
        ],
        run: drafts,
    },
];

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

/// Writes the seeds of a target where a fuzzer looks for what to begin with, if LONGSHORE_SEEDS names the place.
#[allow(dead_code, clippy::disallowed_methods, reason = "for fuzzers, which have a program for each")]
pub fn begin(name: &str) {
    let Some(folder) = std::env::var_os("LONGSHORE_SEEDS") else { return };
    for (number, seed) in target(name).seeds.iter().enumerate() {
        std::fs::write(Path::new(&folder).join(format!("seed-{number}")), seed).unwrap();
    }
}

/// Runs one target on these bytes.
#[allow(dead_code, reason = "for fuzzers, which have a program for each")]
pub fn run(name: &str, bytes: &[u8]) {
    (target(name).run)(bytes);
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn pipeline_file(bytes: &[u8]) {
    let Ok(file) = pipeline::parse_bytes("f", bytes.to_vec()) else { return };
    let value = |name: &str| (!name.starts_with('N')).then(|| "v".to_owned());
    match file.resolve(&value) {
        Ok((pipeline, _)) => {
            black_box(pipeline::to_yaml(&pipeline).unwrap());
        }
        // Its text is made for people, and has to come to an end too.
        Err(problems) => problems.iter().for_each(|problem| {
            black_box(problem.to_string());
        }),
    }
}

fn tag_rule(bytes: &[u8]) {
    if let Err(wrong) = rule::parse(&text(bytes)) {
        black_box(wrong.in_rule(&text(bytes), None).to_string());
    }
}

fn template(bytes: &[u8]) {
    let _ = black_box(fill_in(&text(bytes), &Facts::default()));
}

fn dockerignore(bytes: &[u8]) {
    let Ok(rules) = IgnoreRules::parse(Path::new(".dockerignore"), bytes) else { return };
    for path in [&b"a"[..], b"a/b.log", b"x/y/z/w", b"\xff/\xfe", b".dockerignore"] {
        let _ = black_box(rules.excludes(path));
    }
}

fn dockerfile(bytes: &[u8]) {
    let platform: Platform = "linux/amd64".parse().unwrap();
    let args = BTreeMap::from([("V".to_owned(), "2".to_owned())]);
    let contexts = BTreeSet::from(["b".to_owned()]);
    let around = Circumstances {
        target: None,
        args: &args,
        platform: &platform,
        build_platform: &platform,
        contexts: &contexts,
    };
    let _ = black_box(dockerfile::read(&text(bytes), &around));
}

fn lifecycle_json(bytes: &[u8]) {
    let _ = black_box(lifecycle::read_json(&text(bytes)));
}

fn manifest(bytes: &[u8]) {
    let manifest = Manifest { digest: Digest::of(bytes), media_type: String::new(), bytes: bytes.to_vec() };
    black_box((manifest.is_index(), manifest.layers(), manifest.size()));
    black_box((execute::targets(&manifest.digest, bytes).ok(), timeline::Layer::of(bytes)));
    let text = text(bytes);
    black_box((inventory::entries(&text), inventory::blobs(&text)));
    // The manifest and its configuration come one after the other.
    if let Some((manifest, config)) = text.split_once('\n') {
        black_box(inventory::draw(manifest, config));
    }
}

/// What two images say of themselves, a record a line.
fn record(bytes: &[u8]) {
    let text = text(bytes);
    let (old, new) = text.trim_end().split_once('\n').unwrap_or((&text, &text));
    let [old, new] = [old, new].map(serde_json::from_str::<Record>);
    if let (Ok(Record::Known(old)), Ok(Record::Known(new))) = (old, new) {
        assert!(key::changes(&old, &old).is_empty());
        key::changes(&old, &new).iter().chain(&key::changes(&new, &old)).for_each(|change| {
            black_box(change.to_string());
        });
    }
}

fn retry_after_value(bytes: &[u8]) {
    black_box(retry_after(&text(bytes), time::OffsetDateTime::UNIX_EPOCH));
}

fn names(bytes: &[u8]) {
    let text = text(bytes);
    if let Ok(image) = text.parse::<ImageRef>() {
        let again: ImageRef = image.to_string().parse().unwrap();
        assert_eq!(again, image, "{text}");
    }
    let _ = black_box((text.parse::<Tag>(), text.parse::<RepositoryName>(), text.parse::<Digest>()));
    let _ = black_box((text.parse::<RegistryHost>().map(|host| host.as_ecr()), text.parse::<Platform>()));
}

fn faults(bytes: &[u8]) {
    let _ = black_box(Fault::parse(&text(bytes), Path::new("/")));
}

fn classic_progress(bytes: &[u8]) {
    for mut progress in [ClassicProgress::default(), ClassicProgress::of_podman()] {
        text(bytes).split_inclusive('\n').for_each(|line| progress.update(line, &|event| drop(black_box(event))));
        black_box(progress.failure(&|event| drop(black_box(event))));
    }
}

fn buildkit_progress(bytes: &[u8]) {
    let Ok(status) = StatusResponse::decode(bytes) else { return };
    let mut progress = BuildKitProgress::default();
    // Twice, since steps are told again as they go on.
    for _ in 0..2 {
        progress.update(&status, &|event| drop(black_box(event)));
    }
    black_box(progress.failure(&|event| drop(black_box(event))));
}

fn challenge(bytes: &[u8]) {
    black_box(Challenge::parse(&text(bytes)));
    if let Some(credential) = Credential::from_basic(&text(bytes), None) {
        let again = Credential::from_basic(&credential.basic(), None).unwrap();
        assert_eq!((again.username.as_str(), again.reveal()), (credential.username.as_str(), credential.reveal()));
    }
}

/// What looks like a secret on a line of its own is hidden whatever stands above it, and all else keeps its column.
fn quoted_lines(bytes: &[u8]) {
    let text = text(bytes);
    let count = text.lines().count();
    for (number, line) in text.lines().enumerate().skip(count.saturating_sub(20)) {
        let shown = secrecy::quoted(&text, number).map(|shown| shown.chars().count());
        assert!(shown.is_none_or(|shown| shown == line.chars().count()), "{line:?}");
    }
    black_box(secrecy::told(&text));
    if text.contains(CANARY) {
        return;
    }
    for last in [format!("NPM_TOKEN: {CANARY}"), format!("- https://me:{CANARY}@host/a.git")] {
        let shown = secrecy::quoted(&format!("{text}\n{last}"), text.split('\n').count());
        assert!(!shown.unwrap().contains(CANARY), "{last} below {text:?}");
        assert!(
            !secrecy::told(&format!("{text}\n{}", last.replace(": ", "="))).contains(CANARY),
            "{last} below {text:?}"
        );
    }
    for url in [format!("https://me:{CANARY}@{text}"), format!("https://me:{CANARY}{text}@host/")] {
        assert!(!secrecy::without_secrets(&url).contains(CANARY), "{url}");
    }
}

const CANARY: &str = "c4n4ry";

/// What stands in files of a checkout becomes a pipeline file that can be read, whatever it is. The first byte says in which
/// file.
fn drafts(bytes: &[u8]) {
    let text = text(bytes);
    let mut chars = text.chars();
    let paths = ["docker-bake.hcl", "docker-bake.json", "compose.yaml", ".github/workflows/build.yml"];
    let path = chars.next().and_then(|digit| paths.get(digit.to_digit(10)? as usize));
    let text = chars.as_str().to_owned();
    let mut checkout =
        Checkout { name: "shop".to_owned(), paths: vec!["Dockerfile".to_owned()], ..Checkout::default() };
    match path {
        Some(path) => drop(checkout.texts.insert((*path).to_owned(), text)),
        None => checkout.paths.push(text),
    }
    let drafted = draft::draft(&checkout);
    let any = |_: &str| Some("v".to_owned());
    let refused = |written: &str| {
        let read = pipeline::parse("f", written.to_owned()).and_then(|file| file.resolve(&any));
        let problems = read.err().into_iter().flat_map(|problems| problems.iter().cloned().collect::<Vec<_>>());
        problems.filter_map(|problem| Some((problem.place?.line, problem.message))).collect()
    };
    let written = draft::pipeline_file(&drafted, &checkout, &refused);
    assert!(drafted.images.is_empty() || pipeline::parse("f", written.clone()).is_ok(), "{written}");
}
