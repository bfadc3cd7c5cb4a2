//! The engine port against a real Docker daemon and a real registry. Base images are made from `/bin/busybox`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "a test touches the world")]

#[allow(dead_code, reason = "every test binary compiles this module and uses its own part of it")]
mod engine_support;

use std::cell::RefCell;
use std::fs;
use std::time::Duration;

use engine_support::{Registry, World, docker};
use longshore::execute::events::{BuildEvent, PushEvent};
use longshore::execute::ports::{BuildInputs, Credential, Engine as _, Failure, Login};
use longshore::pipeline::{ContextSource, Dockerfile, Ulimit};

const BUSYBOX: &str = "FROM scratch AS base\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n";

fn inline(rest: &str) -> Dockerfile {
    Dockerfile::Inline(format!("{BUSYBOX}{rest}"))
}

#[tokio::test]
async fn everything_of_a_build_plan_reaches_both_builders() {
    for classic in [false, true] {
        let world = World::new(classic);
        let mut plan = world.plan(inline(
            "ARG NAME=nobody\nRUN echo hello $NAME && echo $NAME > /who && busybox cat /etc/hosts > /hosts 2>/dev/null || \
             /bin/busybox cat /etc/hosts > /hosts\nFROM base AS unused\nRUN exit 9\n",
        ));
        plan.target = Some("base".into());
        plan.args.insert("NAME".into(), "a&b=c + d".into());
        plan.labels.insert("org.example.k".into(), "v \"quoted\"".into());
        plan.extra_hosts.insert("one.test".into(), "10.1.1.1".into());
        plan.extra_hosts.insert("two.test".into(), "10.2.2.2".into());
        plan.no_cache = true;
        plan.platform = Some("linux/amd64".parse().unwrap());
        let events = RefCell::new(Vec::new());
        let image =
            world.engine.build(&plan, &BuildInputs::default(), &|event| events.borrow_mut().push(event)).await.unwrap();
        let image = world.keep(&image.id);
        assert_eq!(world.cat(&image, "/who"), "a&b=c + d\n");
        let hosts = world.cat(&image, "/hosts");
        assert!(hosts.contains("10.1.1.1\tone.test") && hosts.contains("10.2.2.2\ttwo.test"), "{classic} {hosts}");
        let label = docker(&["inspect", "-f", "{{index .Config.Labels \"org.example.k\"}}", &image]);
        assert_eq!(label.trim(), "v \"quoted\"");
        let events = events.into_inner();
        let output =
            |event: &BuildEvent| matches!(event, BuildEvent::StepOutput { line, .. } if line == "hello a&b=c + d");
        assert!(events.iter().any(output), "{events:#?}");
        assert!(events.iter().any(|event| matches!(event, BuildEvent::ContextSent { sent, .. } if *sent > 1_000_000)));
        assert!(events.iter().any(|event| matches!(event, BuildEvent::StepDone { cached: false, .. })));
    }
}

#[tokio::test]
async fn a_second_build_comes_from_the_cache() {
    for classic in [false, true] {
        let world = World::new(classic);
        let plan = world.plan(inline(&format!("RUN echo {}\n", world.name)));
        let first = world.engine.build(&plan, &BuildInputs::default(), &|_| {}).await.unwrap();
        let events = RefCell::new(Vec::new());
        let second =
            world.engine.build(&plan, &BuildInputs::default(), &|event| events.borrow_mut().push(event)).await.unwrap();
        world.keep(&second.id);
        assert_eq!(first, second);
        let events = events.into_inner();
        let run = events.iter().find_map(|event| match event {
            BuildEvent::StepStarted { step, name } if name.contains("RUN echo") => Some(*step),
            _ => None,
        });
        let is_cached = |event: &&BuildEvent| matches!(event, BuildEvent::StepDone { step, cached: true, .. } if Some(*step) == run);
        assert!(events.iter().any(|event| is_cached(&event)), "{events:#?}");
        assert!(
            !events
                .iter()
                .any(|event| matches!(event, BuildEvent::StepStarted { name, .. } if name.contains("[internal]")))
        );
    }
}

#[tokio::test]
async fn the_ignore_file_is_applied() {
    for classic in [false, true] {
        let world = World::new(classic);
        world.write("Dockerfile", &format!("{BUSYBOX}COPY . /c/\n"));
        world.write(".dockerignore", "*\n!busybox\n!src/**/*.rs\nsrc/secret.rs\n");
        for file in ["src/a/b.rs", "src/a/b.go", "src/secret.rs", "node_modules/x"] {
            world.write(file, file);
        }
        let long = "l".repeat(120);
        world.write(&format!("src/{long}/{long}.rs"), "long");
        let image = world
            .engine
            .build(&world.plan(Dockerfile::File("Dockerfile".into())), &BuildInputs::default(), &|_| {})
            .await
            .unwrap();
        let image = world.keep(&image.id);
        let mut files: Vec<String> = world.run(&image, &["find", "/c"]).lines().map(str::to_owned).collect();
        files.sort();
        let long = format!("/c/src/{long}");
        let expected = [
            "/c",
            "/c/busybox",
            "/c/src",
            "/c/src/a",
            "/c/src/a/b.rs",
            &long,
            &format!("{long}/{}.rs", "l".repeat(120)),
        ];
        assert_eq!(files, expected);
    }
}

#[tokio::test]
async fn links_modes_and_odd_names_arrive() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let world = World::new(false);
    let file = |name: &str| world.context.path().join(name);
    world.write("tool", "x");
    fs::set_permissions(file("tool"), fs::Permissions::from_mode(0o4751)).unwrap();
    symlink("nowhere//../x", file("dangling")).unwrap();
    symlink("t".repeat(150), file("longlink")).unwrap();
    fs::hard_link(file("tool"), file("twin")).unwrap();
    fs::write(world.context.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "latin").unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(file("pipe")).status().unwrap();
    assert!(fifo.success());
    let events = RefCell::new(Vec::new());
    let plan = world.plan(inline("COPY . /c/\n"));
    let image =
        world.engine.build(&plan, &BuildInputs::default(), &|event| events.borrow_mut().push(event)).await.unwrap();
    let image = world.keep(&image.id);
    let list = world.run(&image, &["ls", "-ln", "/c"]);
    assert!(list.contains("-rwsr-xr-x    1 0        0"), "{list}");
    assert!(list.contains("dangling -> nowhere//../x"), "{list}");
    assert!(list.contains(&format!("longlink -> {}", "t".repeat(150))), "{list}");
    assert!(list.contains("twin") && list.contains("caf") && !list.contains("pipe"), "{list}");
    let warning = "`pipe` is neither file, folder nor link; left out";
    assert!(events.borrow().contains(&BuildEvent::Warning(warning.into())), "{events:?}");
}

#[tokio::test]
async fn a_dockerfile_outside_of_the_context() {
    for classic in [false, true] {
        let world = World::new(classic);
        let outside = tempfile::tempdir().unwrap();
        let file = outside.path().join("Dockerfile");
        fs::write(&file, format!("{BUSYBOX}COPY . /c/\n")).unwrap();
        let image =
            world.engine.build(&world.plan(Dockerfile::File(file)), &BuildInputs::default(), &|_| {}).await.unwrap();
        let image = world.keep(&image.id);
        let files = world.run(&image, &["find", "/c", "-type", "f"]);
        assert_eq!(files, "/c/busybox\n");
    }
}

#[tokio::test]
async fn a_failing_step_says_what_it_said() {
    for classic in [false, true] {
        let world = World::new(classic);
        let plan = world.plan(inline("RUN for i in 1 2 3; do echo out $i; done; echo err >&2; exit 3\n"));
        let error = world.engine.build(&plan, &BuildInputs::default(), &|_| {}).await.unwrap_err();
        let Failure::BuildFailed { step: Some(step), output } = &error.failure else { panic!("{error:?}") };
        assert!(step.contains("RUN for i in 1 2 3"), "{step}");
        let mut output = output.clone();
        output.sort();
        assert_eq!(output, ["err", "out 1", "out 2", "out 3"]);
        assert!(error.cause.contains('3'), "{error:?}");
    }
}

#[tokio::test]
async fn a_dockerfile_that_is_none() {
    for classic in [false, true] {
        let world = World::new(classic);
        let plan = world.plan(Dockerfile::Inline("FROM scratch\nFLY /moon\n".into()));
        let error = world.engine.build(&plan, &BuildInputs::default(), &|_| {}).await.unwrap_err();
        assert!(matches!(error.failure, Failure::BuildFailed { .. }), "{error:?}");
        assert!(error.cause.to_lowercase().contains("unknown instruction: fly"), "{error:?}");
    }
}

#[tokio::test]
async fn files_that_cannot_be_read_are_named_before_the_daemon_is_asked() {
    let world = World::new(false);
    let error = world
        .engine
        .build(&world.plan(Dockerfile::File("none".into())), &BuildInputs::default(), &|_| {})
        .await
        .unwrap_err();
    assert!(matches!(&error.failure, Failure::ContextUnreadable { path } if path.ends_with("/none")), "{error:?}");
    let mut plan = world.plan(inline(""));
    plan.context = ContextSource::Folder("/nowhere/at/all".into());
    let error = world.engine.build(&plan, &BuildInputs::default(), &|_| {}).await.unwrap_err();
    assert_eq!(error.failure, Failure::ContextUnreadable { path: "/nowhere/at/all".into() });
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_sent_is_an_error() {
    let world = World::new(false);
    let big = world.context.path().join("big");
    fs::File::create(&big).unwrap().set_len(256 << 20).unwrap();
    let shrink = |event| {
        if matches!(event, BuildEvent::ContextSent { .. }) {
            fs::File::options().write(true).open(&big).unwrap().set_len(1).unwrap();
        }
    };
    let error =
        world.engine.build(&world.plan(inline("COPY big /big\n")), &BuildInputs::default(), &shrink).await.unwrap_err();
    assert!(matches!(&error.failure, Failure::ContextUnreadable { path } if path.ends_with("/big")), "{error:?}");
    assert_eq!(error.cause, "it became shorter while it was read");
}

#[tokio::test]
async fn dropping_the_build_stops_the_step() {
    for classic in [false, true] {
        let world = World::new(classic);
        let seconds = format!("98{:05}", std::process::id() % 100_000);
        let plan = world.plan(inline(&format!("RUN echo begun && exec /bin/busybox sleep {seconds}\n")));
        let (begun, mut wait) = tokio::sync::mpsc::unbounded_channel();
        let tell = |event| {
            if matches!(event, BuildEvent::StepOutput { line, .. } if line == "begun") {
                begun.send(()).unwrap();
            }
        };
        let inputs = BuildInputs::default();
        tokio::select! {
            result = world.engine.build(&plan, &inputs, &tell) => panic!("{result:?}"),
            begun = wait.recv() => assert!(begun.is_some()),
        }
        let gone = async {
            while engine_support::is_running(&seconds) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
    }
}

#[tokio::test]
async fn pushes_and_pushes_again() {
    let registry = Registry::start();
    let world = World::new(false);
    let image = world.engine.build(&world.plan(inline("")), &BuildInputs::default(), &|_| {}).await.unwrap();
    world.keep(&image.id);
    let target = registry.target(&world.name, "v1");
    let credential = Credential::new("AWS", "a???b", None);
    let events = RefCell::new(Vec::new());
    let tell = |event| events.borrow_mut().push(event);
    let digest = world.engine.push(&image, &target, &credential, &tell).await.unwrap();
    assert_eq!(digest.as_str(), registry.digest(&target));
    let first = events.take();
    assert_eq!(first.iter().filter(|event| **event == PushEvent::LayerFound).count(), 1, "{first:?}");
    assert!(first.contains(&PushEvent::LayerSent), "{first:?}");
    let again = world.engine.push(&image, &target, &credential, &|event| events.borrow_mut().push(event)).await;
    assert_eq!(again.unwrap(), digest);
    assert!(events.take().contains(&PushEvent::LayerThereAlready));
    docker(&["rmi", &target.to_string()]);
}

#[tokio::test]
async fn a_password_of_any_signs_is_understood_and_a_wrong_one_refused() {
    let registry = Registry::with_password("a???b");
    let world = World::new(false);
    let image = world.engine.build(&world.plan(inline("")), &BuildInputs::default(), &|_| {}).await.unwrap();
    world.keep(&image.id);
    let target = registry.target(&world.name, "v1");
    world.engine.push(&image, &target, &Credential::new("AWS", "a???b", None), &|_| {}).await.unwrap();
    let error = world.engine.push(&image, &target, &Credential::new("AWS", "wrong", None), &|_| {}).await.unwrap_err();
    assert_eq!(error.failure, Failure::CredentialsRefused, "{error:?}");
    assert!(!format!("{error:?}").contains("wrong"));
    docker(&["rmi", &target.to_string()]);
}

#[tokio::test]
async fn a_registry_that_is_not_there() {
    let world = World::new(false);
    let image = world.engine.build(&world.plan(inline("")), &BuildInputs::default(), &|_| {}).await.unwrap();
    world.keep(&image.id);
    let target = engine_support::target("127.0.0.1:1", &world.name, "v1");
    let error = world.engine.push(&image, &target, &Credential::new("AWS", "x", None), &|_| {}).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unreachable { address: "127.0.0.1:1".into() }, "{error:?}");
    docker(&["rmi", &target.to_string()]);
}

#[tokio::test]
async fn the_network_and_the_shared_memory_of_run_steps() {
    for classic in [false, true] {
        let world = World::new(classic);
        let mut plan = world.plan(inline("RUN df -k /dev/shm > /shm; ls /sys/class/net > /net; ulimit -n > /files\n"));
        if classic {
            plan.options.ulimits = vec![Ulimit { name: "nofile".into(), soft: 123, hard: 456 }];
        }
        plan.shm_size = Some(3 << 30);
        plan.network = Some("none".into());
        let mut built = world.engine.build(&plan, &BuildInputs::default(), &|_| {}).await;
        let mut obeyed = true;
        if let Err(error) = &built {
            let refused = matches!(&error.failure, Failure::EngineLacks { field, .. } if field == "shm_size");
            assert!(refused && !classic, "it is obeyed, or the user hears that it is not: {error:?}");
            (obeyed, plan.shm_size) = (false, None);
            built = world.engine.build(&plan, &BuildInputs::default(), &|_| {}).await;
        }
        let image = world.keep(&built.unwrap().id);
        assert_eq!(world.cat(&image, "/net"), "lo\n");
        assert!(!classic || world.cat(&image, "/files") == "123\n");
        assert_eq!(world.cat(&image, "/shm").contains(" 3145728 "), obeyed);
    }
}

#[tokio::test]
async fn a_base_image_that_is_not_public() {
    let registry = Registry::with_password("secret");
    let base = World::new(false);
    let image = base
        .engine
        .build(&base.plan(inline("RUN echo base > /base\n")), &BuildInputs::default(), &|_| {})
        .await
        .unwrap();
    base.keep(&image.id);
    let target = registry.target(&base.name, "v1");
    let credential = Credential::new("AWS", "secret", None);
    base.engine.push(&image, &target, &credential, &|_| {}).await.unwrap();
    docker(&["rmi", &target.to_string()]);
    for classic in [false, true] {
        let world = World::new(classic);
        let plan = world.plan(Dockerfile::Inline(format!("FROM {target}\n")));
        let refused = world.engine.build(&plan, &BuildInputs::default(), &|_| {}).await.unwrap_err();
        assert!(matches!(refused.failure, Failure::BuildFailed { .. }), "{refused:?}");
        let login = Login { host: target.host.clone(), credential: credential.clone() };
        let image = world
            .engine
            .build(&plan, &BuildInputs { login: Some(login), ..BuildInputs::default() }, &|_| {})
            .await
            .unwrap();
        let image = world.keep(&image.id);
        assert_eq!(world.cat(&image, "/base"), "base\n");
        let _ = std::process::Command::new("docker").args(["rmi", &target.to_string()]).output();
    }
}
