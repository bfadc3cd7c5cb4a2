//! Repositories that are missing, and repositories that somebody else creates.

use crate::user::{Checkout, Proxy, User};

fn checkout<'a>(user: &'a User, create: &str) -> Checkout<'a> {
    let pipeline = format!(
        "version: 1\nimages:\n  web:\n    build: .\n    repository: {{ name: UNIQUE/web{create} }}\n    tags: [one]\n"
    );
    user.checkout(&[("longshore.yaml", &pipeline), ("Dockerfile", &user.dockerfile("COPY longshore.yaml /\n"))])
}

#[test]
fn a_missing_one_that_shall_not_be_created_ends_the_run_before_the_build() {
    let user = User::new();
    let checkout = checkout(&user, ", create: false");
    checkout.run_local(&[]).run().with_code(2).says(
        "\
error: repository `UNIQUE/web` does not exist in HOST
 --> longshore.yaml:5:25
  |
5 |     repository: { name: UNIQUE/web, create: false }
  |                         ^^^^^^^^^^^^^^
hint: remove `create: false` to have it created, or create it with `aws ecr create-repository --repository-name UNIQUE/web`
hint: ECR calls a repository missing if it is in another region, too: `longshore doctor` looks for it
"
        // The caret is as long as the name was before it was redacted.
        .replace("^^^^^^^^^^^^^^", &"^".repeat(user.unique().len() + 4))
        .as_str(),
    );
    assert_eq!(user.images(), Vec::<String>::new(), "nothing was built");
}

#[test]
fn one_that_another_job_creates_meanwhile_is_as_good() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let server = user.serve("data");
    server.run(&checkout).succeeds();
    let missing = r#"{"__type":"RepositoryNotFoundException","message":"not yet"}"#;
    let proxy = Proxy::start(server.variable("AWS_ENDPOINT_URL_ECR"), move |action| {
        (action == "DescribeRepositories").then(|| (400, missing.to_owned()))
    });
    let ended = server.run(&checkout).env("AWS_ENDPOINT_URL_ECR", &proxy.endpoint).run().with_code(0);
    assert!(ended.err().starts_with("repository UNIQUE/web was created by another job\n"), "{}", ended.err());
    assert_eq!(ended.out(), "HOST/UNIQUE/web:one DIGEST\n");
    assert!(proxy.actions().contains(&"CreateRepository".to_owned()));
}

#[test]
fn two_runs_at_once_both_succeed() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let server = user.serve("data");
    let both = [(); 2].map(|()| server.run(&checkout).start());
    let [first, second] = both.map(|run| run.end().with_code(0));
    assert_eq!(first.out(), "HOST/UNIQUE/web:one DIGEST\n");
    assert_eq!(second.stdout, first.stdout);
    let created = [&first, &second].map(|run| run.err().matches("created repository UNIQUE/web\n").count());
    assert_eq!(created.iter().sum::<usize>(), 1, "{}\n{}", first.stderr, second.stderr);
}
