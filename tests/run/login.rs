//! `longshore login`

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::user::{Call, Checkout, LocalServer, User};

#[test]
fn docker_pushes_and_pulls_with_what_login_stored() {
    let user = User::new();
    let server = user.serve("data");
    let pipeline = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n";
    let checkout =
        user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))]);
    server.run(&checkout).succeeds();
    let reference = format!("{}/{}/web:two", server.host(), user.unique());
    user.docker(&["tag", &user.images()[0], &reference]).succeeds();
    assert_ne!(user.docker(&["push", &reference]).run().code, Some(0), "before the login it must be refused");

    let ended = server.env(checkout.longshore(&["login"])).run().with_code(0);
    ended.says("logged in to HOST; the password is in FOLDER/docker/config.json, not encrypted\n");
    let mode = std::fs::metadata(user.at("docker/config.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    user.docker(&["push", &reference]).succeeds();
    user.remove_images();
    user.docker(&["pull", "--quiet", &reference]).succeeds();
}

#[test]
fn a_configuration_that_is_broken_is_named_and_left_alone() {
    let user = User::new();
    let server = user.serve("data");
    user.write(&user.at("docker/config.json"), "{");
    let ended = server.env(user.longshore(&user.at("home"), &["login"])).run().with_code(1);
    ended.says(
        "\
error: cannot store the credential for `HOST`
caused by: `FOLDER/docker/config.json` is not JSON: EOF while parsing an object at line 1 column 1
",
    );
    assert_eq!(std::fs::read_to_string(user.at("docker/config.json")).unwrap(), "{");
}

#[test]
fn print_is_made_for_docker_login_and_writes_nothing() {
    let user = User::new();
    let server = user.serve("data");
    let home = user.at("home");
    let ended = server.env(user.longshore(&home, &["login", "--print"])).run().with_code(0);
    assert_eq!(ended.stderr, "");
    let password = ended.stdout.strip_suffix('\n').unwrap();
    assert!(!password.is_empty() && !password.contains(char::is_whitespace), "{password:?}");
    assert!(!user.at("docker/config.json").exists());

    user.write(&user.at("password"), password);
    let login = ["login", "--username", "AWS", "--password-stdin", server.host()];
    user.docker(&login).stdin(std::fs::File::open(user.at("password")).unwrap()).succeeds();
}

/// A checkout whose image was pushed.
fn pushed<'a>(user: &'a User, server: &LocalServer) -> Checkout<'a> {
    let pipeline = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n";
    let checkout =
        user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))]);
    server.run(&checkout).succeeds();
    checkout
}

/// The program by the name under which docker looks for it; the folder belongs on PATH.
fn helper(user: &User) -> PathBuf {
    let folder = user.at("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let link = folder.join("docker-credential-longshore");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_longshore"), &link).unwrap();
    link
}

fn with_helper(user: &User, call: Call) -> Call {
    let path = std::env::var("PATH").unwrap_or_default();
    call.env("PATH", format!("{}:{path}", user.at("bin").display()))
}

#[test]
fn docker_pushes_and_pulls_with_our_helper_and_nothing_is_stored() {
    let user = User::new();
    let server = user.serve("data");
    let checkout = pushed(&user, &server);
    let ended = server.env(checkout.longshore(&["login", "--credential-helper"])).run().with_code(0);
    ended.says(
        "\
docker asks longshore for the password of HOST; FOLDER/docker/config.json says so
warning: `docker-credential-longshore` is not on PATH, where docker looks for it
hint: ln -s \"$(command -v longshore)\" /usr/local/bin/docker-credential-longshore
",
    );
    helper(&user);
    let again = with_helper(&user, server.env(checkout.longshore(&["login", "--credential-helper"])));
    again
        .run()
        .with_code(0)
        .says("docker asks longshore for the password of HOST; FOLDER/docker/config.json says so\n");
    let config = std::fs::read_to_string(user.at("docker/config.json")).unwrap();

    let docker = |arguments: &[&str]| with_helper(&user, server.env(user.docker(arguments)));
    let reference = format!("{}/{}/web:two", server.host(), user.unique());
    docker(&["tag", &user.images()[0], &reference]).succeeds();
    docker(&["push", &reference]).succeeds();
    user.remove_images();
    docker(&["pull", "--quiet", &reference]).succeeds();
    assert_eq!(std::fs::read_to_string(user.at("docker/config.json")).unwrap(), config);
    let plain = with_helper(&user, server.env(checkout.longshore(&["login"]))).run().with_code(0);
    plain.says("docker asks longshore for the password of HOST each time; nothing is stored\n");
    assert_eq!(std::fs::read_to_string(user.at("docker/config.json")).unwrap(), config);
}

#[test]
fn our_helper_speaks_dockers_protocol() {
    let user = User::new();
    let server = user.serve("data");
    let program = helper(&user).display().to_string();
    let ask = |action: &str, input: &str| {
        user.write(&user.at("input"), input);
        let call = server.env(user.program(&program, &user.at("home"))).arg(action);
        let ended = call.stdin(std::fs::File::open(user.at("input")).unwrap()).run();
        assert_eq!(ended.stderr, "", "docker shows what comes on standard output");
        (ended.code, ended.out())
    };
    let (code, answer) = ask("get", server.host());
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, &answer["ServerURL"], &answer["Username"]), (Some(0), &"HOST".into(), &"AWS".into()));
    assert!(answer["Secret"].as_str().is_some_and(|secret| !secret.is_empty()));
    let not_found = (Some(1), "credentials not found in native keychain\n".to_owned());
    assert_eq!(ask("get", "https://index.docker.io/v1/"), not_found);
    assert_eq!(ask("get", ""), not_found);
    assert_eq!(ask("list", ""), (Some(0), "{}\n".to_owned()));
    assert_eq!(ask("erase", server.host()), (Some(0), String::new()));
    let entry = |host: &str| format!("{{\"ServerURL\":\"{host}\",\"Username\":\"u\",\"Secret\":\"s\"}}");
    assert_eq!(ask("store", &entry(server.host())), (Some(0), String::new()));
    let (code, refused) = ask("store", &entry("ghcr.io"));
    assert_eq!(code, Some(1));
    assert!(
        refused.starts_with("docker-credential-longshore keeps no passwords, and `ghcr.io` is no registry of ECR\n")
    );
    assert_eq!(ask("get", "123456789012.dkr.ecr.us-east-1.amazonaws.com").0, Some(0), "any registry of ECR");
}

#[test]
fn a_login_to_every_registry_of_the_file_and_the_logout_from_them() {
    let user = User::new();
    let (own, replica) = (user.serve("own"), user.serve("replica"));
    let pipeline = format!(
        "version: 1\nregistry: {{ replicas: [{{ host: \"{}\" }}] }}\nimages: {{ web: {{ build: . }} }}\n",
        replica.host()
    );
    let checkout = user.checkout(&[("longshore.yaml", &pipeline)]);
    let config = user.at("docker/config.json");
    user.write(&config, "{\"auths\": {\"ghcr.io\": {\"auth\": \"x\"}}, \"detachKeys\": \"ctrl-e\"}");
    own.env(checkout.longshore(&["login"])).run().with_code(0);
    let hosts = || -> Vec<String> {
        let config: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&config).unwrap()).unwrap();
        assert_eq!(config["detachKeys"], "ctrl-e");
        config["auths"].as_object().unwrap().keys().cloned().collect()
    };
    let mut expected = vec!["ghcr.io".to_owned(), own.host().to_owned(), replica.host().to_owned()];
    expected.sort();
    let mut found = hosts();
    found.sort();
    assert_eq!(found, expected);

    let logout = || own.env(checkout.longshore(&["logout"])).run().with_code(0);
    logout().says("logged out of HOST\nlogged out of HOST\n");
    assert_eq!(hosts(), ["ghcr.io"]);
    logout().says("docker was not logged in to HOST, HOST\n");
    user.write(
        &config,
        "{\"auths\": {\"public.ecr.aws\": {}, \"123456789012.dkr.ecr.eu-west-1.amazonaws.com\": {}, \"ghcr.io\": {}},
          \"detachKeys\": \"ctrl-e\"}",
    );
    checkout
        .longshore(&["logout", "--all"])
        .run()
        .with_code(0)
        .says("logged out of 123456789012.dkr.ecr.eu-west-1.amazonaws.com\nlogged out of public.ecr.aws\n");
    assert_eq!(hosts(), ["ghcr.io"]);
}
