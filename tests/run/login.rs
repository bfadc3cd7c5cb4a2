//! `longshore login`

use std::os::unix::fs::PermissionsExt;

use crate::user::User;

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
