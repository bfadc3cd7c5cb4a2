//! BuildKit's own protocol through a real Docker daemon: what only it can do.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "a test touches the world")]

#[allow(dead_code, reason = "every test binary compiles this module and uses its own part of it")]
mod engine_support;

use std::cell::RefCell;
use std::fs;
use std::process::Command;

use engine_support::{Registry, World, docker};
use longshore::execute::events::BuildEvent;
use longshore::execute::ports::{BuildInputs, BuiltImage, Credential, Engine as _, Failure, ServiceError};
use longshore::pipeline::{CacheEntry, ContextSource, Dockerfile, NamedContext, Secret, SecretSource, Ssh, Ulimit};
use longshore::plan::BuildPlan;

const BUSYBOX: &str = "FROM scratch AS base\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n";

fn inline(rest: &str) -> Dockerfile {
    Dockerfile::Inline(format!("{BUSYBOX}{rest}"))
}

async fn build(world: &World, plan: &BuildPlan) -> (Result<BuiltImage, ServiceError>, Vec<BuildEvent>) {
    let events = RefCell::new(Vec::new());
    let built = world.engine.build(plan, &BuildInputs::default(), &|event| events.borrow_mut().push(event)).await;
    (built, events.into_inner())
}

async fn built(world: &World, plan: &BuildPlan) -> String {
    world.keep(&build(world, plan).await.0.unwrap().id)
}

/// All that the image is made of, as one archive.
fn saved(image: &str) -> Vec<u8> {
    let output = Command::new("docker").args(["save", image]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn sent(events: &[BuildEvent]) -> u64 {
    let bytes = events.iter().filter_map(|event| match event {
        // BuildKit asks, so that it is known how much there is to come.
        BuildEvent::ContextSent { sent, total } => {
            assert!(total.is_some_and(|total| total >= *sent), "{sent} of {total:?}");
            Some(*sent)
        }
        _ => None,
    });
    bytes.max().unwrap_or(0)
}

#[tokio::test]
async fn secrets_are_given_and_leave_no_trace() {
    let world = World::with_variables(false, &[("TOKEN", "from-the-environment")]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key"), "from-the-file").unwrap();
    let mut plan = world.plan(inline(
        "RUN --mount=type=secret,id=key --mount=type=secret,id=token \
         busybox=/bin/busybox; for id in key token; do $busybox cat /run/secrets/$id | $busybox wc -c; done > /sizes\n",
    ));
    plan.options.secrets = vec![
        Secret { id: "key".into(), source: SecretSource::File(folder.path().join("key")) },
        Secret { id: "token".into(), source: SecretSource::Variable("TOKEN".into()) },
    ];
    let image = built(&world, &plan).await;
    assert_eq!(world.cat(&image, "/sizes"), "13\n20\n");
    let (saved, history) = (saved(&image), docker(&["history", "--no-trunc", &image]));
    for secret in ["from-the-file", "from-the-environment"] {
        assert!(!saved.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()) && !history.contains(secret));
    }

    plan.options.secrets[0].source = SecretSource::File(folder.path().join("gone"));
    let error = build(&world, &plan).await.0.unwrap_err();
    assert_eq!(error.failure, Failure::BuildInputMissing { what: "secret `key`".into() });
    assert!(error.cause.contains("/gone: No such file"), "{error:?}");
    plan.options.secrets[0].source = SecretSource::Variable("NOT_SET".into());
    assert_eq!(build(&world, &plan).await.0.unwrap_err().cause, "NOT_SET is not set");
}

/// Asks the agent for its keys. Source: RFC draft "SSH agent protocol": 11 asks, 12 answers.
const ASK: &str = r#"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(void) {
  struct sockaddr_un to = { .sun_family = AF_UNIX };
  strncpy(to.sun_path, getenv("SSH_AUTH_SOCK"), sizeof to.sun_path - 1);
  int agent = socket(AF_UNIX, SOCK_STREAM, 0);
  char answer[4096];
  if (connect(agent, (struct sockaddr *)&to, sizeof to) || write(agent, "\0\0\0\1\13", 5) != 5) return 1;
  ssize_t got = read(agent, answer, sizeof answer);
  return got < 5 || answer[4] != 12 || write(1, answer, got) != got;
}
"#;

#[tokio::test]
async fn an_ssh_agent_is_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", "the-comment", "-f"];
    let made = Command::new("ssh-keygen").args(arguments).arg(&key).status();
    assert!(made.unwrap().success());
    let world = World::new(false);
    let mut plan = world.plan(inline("RUN --mount=type=ssh /bin/busybox test -S $SSH_AUTH_SOCK\n"));
    plan.options.ssh = vec![Ssh { id: "default".into(), paths: vec![key] }];
    built(&world, &plan).await;
    world.write("ask.c", ASK);
    let ask = world.context.path().join("ask");
    let made = Command::new("cc").args(["-static", "-x", "c", "-o"]).arg(&ask).arg(ask.with_extension("c")).status();
    assert!(made.unwrap().success());
    plan.dockerfile = inline("COPY ask /ask\nRUN --mount=type=ssh /ask > /keys\n");
    let image = built(&world, &plan).await;
    assert!(world.run(&image, &["cat", "/keys"]).contains("the-comment"));
    plan.options.ssh = vec![Ssh { id: "default".into(), paths: vec![] }];
    let error = build(&world, &plan).await.0.unwrap_err();
    assert_eq!(error.cause, "`ssh: default` needs an agent, and SSH_AUTH_SOCK names none");
}

#[tokio::test]
async fn only_what_is_needed_is_sent() {
    let world = World::new(false);
    fs::File::create(world.context.path().join("huge")).unwrap().set_len(1 << 30).unwrap();
    world.write("dir/deep/small", "small");
    let plan = world.plan(Dockerfile::Inline("FROM scratch\nCOPY dir/deep/sm* /s\n".into()));
    let (image, events) = build(&world, &plan).await;
    world.keep(&image.unwrap().id);
    assert!((5..1000).contains(&sent(&events)), "{events:?}");
    let (again, events) = build(&world, &plan).await;
    again.unwrap();
    assert!(sent(&events) < 1000, "{events:?}");
}

#[tokio::test]
async fn many_small_files_time_and_again() {
    let world = World::new(false);
    for folder in 0..200 {
        fs::create_dir(world.context.path().join(format!("d{folder}"))).unwrap();
        for file in 0..100 {
            fs::write(world.context.path().join(format!("d{folder}/f{file}")), format!("{folder} {file}")).unwrap();
        }
    }
    for round in 0..3 {
        // A context of another place each time, so that all of it is sent.
        let root = tempfile::tempdir().unwrap();
        let moved = root.path().join(format!("{round}"));
        std::os::unix::fs::symlink(world.context.path(), &moved).unwrap();
        let mut plan =
            world.plan(inline("COPY . /c\nRUN /bin/busybox find /c -type f | /bin/busybox wc -l > /count\n"));
        plan.context = ContextSource::Folder(moved);
        let image = built(&world, &plan).await;
        assert_eq!(world.cat(&image, "/count"), "20001\n");
    }
}

#[tokio::test]
async fn a_failing_step_shows_its_lines() {
    let world = World::new(false);
    world.write("Dockerfile.web", &format!("{BUSYBOX}RUN true\nRUN echo no && \\\n  exit 3\nRUN true\n"));
    let plan = world.plan(Dockerfile::File("Dockerfile.web".into()));
    let error = build(&world, &plan).await.0.unwrap_err();
    let place =
        "Dockerfile.web:5\n  3 | SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n  4 | RUN true\n> 5 | RUN echo no && \\\n";
    assert!(error.cause.starts_with(place), "{}", error.cause);
}

#[tokio::test]
async fn names_of_images_mean_them_and_what_the_engine_lacks_is_said() {
    let registry = Registry::start();
    let world = World::new(false);
    let image = build(&world, &world.plan(inline("RUN echo mine > /who\n"))).await.0.unwrap();
    let target = registry.target(&world.name, "v1");
    world.engine.push(&image, &target, &Credential::new("AWS", "x", None), &|_| {}).await.unwrap();
    docker(&["rmi", &target.to_string()]);
    let user = World::new(false);
    let mut plan = user.plan(Dockerfile::Inline("FROM mine\nCOPY --from=theirs /who /copied\n".into()));
    plan.contexts.insert("mine".into(), NamedContext::Planned("web".into()));
    plan.contexts.insert("theirs".into(), NamedContext::Image(target.to_string()));
    let inputs = BuildInputs { images: [("web".to_owned(), target)].into(), ..BuildInputs::default() };
    let built = user.engine.build(&plan, &inputs, &|_| {}).await.unwrap();
    let built = user.keep(&built.id);
    assert_eq!(user.cat(&built, "/copied"), "mine\n");
}

#[tokio::test]
async fn what_the_engine_lacks_is_named() {
    let world = World::new(false);
    let facts = world.engine.look().await.unwrap();
    let refused = async |field: &str, change: &dyn Fn(&mut BuildPlan)| {
        let mut plan = world.plan(inline(""));
        change(&mut plan);
        let error = build(&world, &plan).await.0.unwrap_err();
        assert!(
            matches!(&error.failure, Failure::EngineLacks { engine, field: named, .. } if *engine == facts.name() && named == field),
            "{error:?}"
        );
    };
    if !facts.containerd_store {
        refused("provenance", &|plan| plan.options.provenance = Some("mode=max".into())).await;
        refused("sbom", &|plan| plan.options.sbom = Some(String::new())).await;
    }
    if !facts.knows_named_contexts() {
        let ulimit = Ulimit { name: "nofile".into(), soft: 10, hard: 20 };
        refused("ulimits", &|plan| plan.options.ulimits = vec![ulimit.clone()]).await;
        let folder = NamedContext::Folder(world.context.path().to_owned());
        refused("additional_contexts: extra", &|plan| {
            plan.contexts.insert("extra".into(), folder.clone());
        })
        .await;
    }
    let mut plan = world.plan(inline(""));
    let attributes = [("ref".to_owned(), "127.0.0.1:1/cache".to_owned())].into();
    plan.options.cache_to = vec![CacheEntry { kind: "local".into(), attributes }];
    let (image, events) = build(&world, &plan).await;
    world.keep(&image.unwrap().id);
    let warned =
        |event: &BuildEvent| matches!(event, BuildEvent::Warning(text) if text.contains("`cache_to` of type `local`"));
    assert!(events.iter().any(warned), "{events:?}");
    let classic = World::new(true);
    let mut plan = classic.plan(inline(""));
    plan.options.secrets = vec![Secret { id: "x".into(), source: SecretSource::Variable("X".into()) }];
    let error = build(&classic, &plan).await.0.unwrap_err();
    assert!(
        matches!(&error.failure, Failure::EngineLacks { engine, field, .. } if engine.starts_with("the classic builder of Docker") && field == "secrets")
    );
}

#[tokio::test]
async fn the_network_of_the_host_and_an_archive_as_context() {
    let world = World::new(false);
    // Only the host's own loopback leads to this.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::Write as _;
        listener.accept().unwrap().0.write_all(b"the host").unwrap();
    });
    let mut plan = world.plan(inline(&format!("RUN /bin/busybox nc 127.0.0.1 {port} > /said\n")));
    plan.network = Some("host".into());
    let image = built(&world, &plan).await;
    assert_eq!(world.cat(&image, "/said"), "the host");

    let packed = tempfile::tempdir().unwrap();
    let archive = packed.path().join("context.tar");
    fs::write(world.context.path().join("Dockerfile"), format!("{BUSYBOX}RUN echo packed > /p\n")).unwrap();
    let tar = Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(world.context.path()).arg(".").status();
    assert!(tar.unwrap().success());
    plan.context = ContextSource::Archive(archive);
    plan.dockerfile = Dockerfile::File("Dockerfile".into());
    let image = built(&world, &plan).await;
    assert_eq!(world.cat(&image, "/p"), "packed\n");
}

#[tokio::test]
async fn a_base_image_for_which_only_the_docker_configuration_has_the_password() {
    use base64::Engine as _;
    let registry = Registry::with_password("se:cret");
    let world = World::new(false);
    let image = build(&world, &world.plan(inline("RUN echo private > /who\n"))).await.0.unwrap();
    let target = registry.target(&world.name, "v1");
    world.engine.push(&image, &target, &Credential::new("AWS", "se:cret", None), &|_| {}).await.unwrap();
    docker(&["rmi", &target.to_string()]);
    let config = tempfile::tempdir().unwrap();
    let auth = base64::engine::general_purpose::STANDARD.encode("AWS:se:cret");
    let text = format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, target.host);
    fs::write(config.path().join("config.json"), text).unwrap();
    let user = World::with_variables(false, &[("DOCKER_CONFIG", config.path().to_str().unwrap())]);
    let image = built(&user, &user.plan(Dockerfile::Inline(format!("FROM {target}\n")))).await;
    assert_eq!(user.cat(&image, "/who"), "private\n");
}
