//! Environments that AWS tools are run in, for better or worse.

use crate::user::{Checkout, Ended, User};

fn checkout(user: &User) -> Checkout<'_> {
    let pipeline = "version: 1\nimages:\n  web: { build: ., repository: UNIQUE/web, tags: [one] }\n";
    user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY longshore.yaml /\n"))])
}

/// A login by somebody with credentials and these variables as well, which has to end with this code.
fn login(variables: &[(&str, &str)]) -> Ended {
    let user = User::new();
    let keys = [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "s")];
    user.longshore(&user.at("home"), &["login", "--print"]).envs(&keys).envs(variables).run()
}

#[test]
fn a_proxy_does_not_stand_between_the_machine_and_itself() {
    let user = User::new();
    let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"];
    // Nothing answers at the discard port.
    let proxies = proxies.map(|name| (name, "http://127.0.0.1:9"));
    let ended = checkout(&user).run_local(&[]).envs(&proxies).run().with_code(0);
    assert_eq!(ended.out(), "HOST/UNIQUE/web:one DIGEST\n");
}

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    let user = User::new();
    let names = [
        "LONGSHORE_FILE",
        "LONGSHORE_REGISTRY",
        "LONGSHORE_ENV",
        "AWS_ENDPOINT_URL_ECR",
        "AWS_ENDPOINT_URL",
        "AWS_CA_BUNDLE",
        "AWS_PROFILE",
        "DOCKER_CONTEXT",
        "GITHUB_ACTIONS",
        "TERM",
    ];
    let empty = names.map(|name| (name, ""));
    let ended = checkout(&user).run_local(&[]).envs(&empty).run().with_code(0);
    assert_eq!(ended.out(), "HOST/UNIQUE/web:one DIGEST\n");
    // Without a network, but not with a panic.
    let ended = login(&[("AWS_ENDPOINT_URL_ECR", ""), ("HTTPS_PROXY", "http://127.0.0.1:9")]).with_code(4);
    assert!(ended.stderr.contains("the ECR API in us-east-1 does not answer"), "{}", ended.stderr);
}

#[test]
fn variables_of_ours_that_hold_nonsense_are_named() {
    login(&[("LONGSHORE_REGISTRY", "https://x/y")])
        .with_code(2)
        .says("error: LONGSHORE_REGISTRY: `https://x/y` is not a registry host: it is a URL\n");
    login(&[("LONGSHORE_FILE", "no.yaml")])
        .with_code(2)
        .says("error: cannot read the pipeline file `no.yaml`\ncaused by: No such file or directory (os error 2)\n");
}

#[test]
fn an_endpoint_that_is_no_url() {
    login(&[("AWS_ENDPOINT_URL_ECR", "localhost:4566")]).with_code(2).says(
        "\
error: AWS_ENDPOINT_URL_ECR is not a URL: `localhost:4566`
caused by: it does not begin with http:// or https://
hint: write it as in `https://api.ecr.us-east-1.amazonaws.com`, or unset AWS_ENDPOINT_URL_ECR
",
    );
}

#[test]
fn an_endpoint_that_does_not_answer() {
    // Nothing answers at the discard port.
    login(&[("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:9"), ("AWS_MAX_ATTEMPTS", "1")]).with_code(4).says(
        "\
error: cannot get the registry's authorization token: http://127.0.0.1:9 does not answer
caused by: tcp connect error: Connection refused (os error 111)
hint: check the network, HTTPS_PROXY and NO_PROXY, and in a private subnet the VPC endpoints api.ecr, dkr.ecr and S3
"
        .replace("127.0.0.1:9 ", "HOST ")
        .as_str(),
    );
}

#[test]
fn certificates_that_are_none() {
    login(&[("AWS_CA_BUNDLE", "/no/bundle.pem")]).with_code(2).says(
        "\
error: cannot use the certificates of `/no/bundle.pem`
caused by: No such file or directory (os error 2)
hint: the file must hold certificates in PEM form
",
    );
    login(&[("AWS_CA_BUNDLE", "/bin/sh")]).with_code(2).says(
        "\
error: cannot use the certificates of `/bin/sh`
caused by: it holds no certificate
hint: the file must hold certificates in PEM form
",
    );
}

#[test]
fn credentials_that_cannot_be_loaded() {
    let user = User::new();
    user.write(&user.at("aws"), "[default]\ncredential_process = /bin/false\n");
    let login = user.longshore(&user.at("home"), &["login", "--print"]);
    let ended = login.env("AWS_REGION", "us-east-1").env("AWS_CONFIG_FILE", user.at("aws")).run().with_code(3);
    assert!(ended.err().starts_with("error: the AWS credentials cannot be loaded\ncaused by: "), "{}", ended.err());
    let hints = "\
hint: log in again, as with `aws sso login`, or check AWS_PROFILE and the files in `~/.aws`
hint: `aws sts get-caller-identity` takes the same way to the credentials
";
    assert!(ended.err().ends_with(hints), "{}", ended.err());
}

#[test]
fn paths_with_spaces_and_letters_of_all_kinds() {
    let user = User::new();
    let pipeline =
        "version: 1\nimages:\n  web: { build: \"ein Verzeichnis ☃\", repository: UNIQUE/web, tags: [one] }\n";
    let checkout = user.checkout(&[
        ("longshore.yaml", pipeline),
        ("ein Verzeichnis ☃/Dockerfile", &user.dockerfile("COPY . /files/\n")),
        ("ein Verzeichnis ☃/ü ☃.txt", "found"),
        (&format!("ein Verzeichnis ☃/{0}/{0}", "long-".repeat(50)), ""),
    ]);
    checkout.run_local(&[]).succeeds();
    let image = &user.images()[0];
    let container = user.docker(&["create", image, "none"]).succeeds();
    let copied = user.docker(&["cp", &format!("{}:/files/ü ☃.txt", container.trim())]).arg(user.at("copy")).run();
    user.docker(&["rm", container.trim()]).succeeds();
    copied.with_code(0);
    assert_eq!(std::fs::read_to_string(user.at("copy")).unwrap(), "found");
}
