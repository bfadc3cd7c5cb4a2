//! The troubleshooting chapters of ECR's guides, provoked one by one: `run` and `doctor` tell of each in the same words.
//! Source: ECR user guide, "Troubleshooting errors with Docker commands when using Amazon ECR" and "Troubleshooting Amazon
//! ECR error messages". A missing repository, an immutable tag and a missing permission have their tests beside what they
//! are about: `doctor.rs`, `immutable.rs`, `access.rs`.

use crate::user::{Proxy, User};

/// What strikes every request to the registry, the exit code, and what is told.
const CHAPTERS: [(&str, i32, &str); 4] = [
    (
        "token: expired",
        3,
        "\
cannot log in to HOST: the registry's token is over
caused by: CAUSE
hint: run again: each run gets a token of its own, for 12 hours; after `docker login` it is `longshore login`",
    ),
    (
        "answer: { status: 401, code: UNAUTHORIZED, message: no basic auth credentials }",
        3,
        "\
cannot log in to HOST: the credentials are not accepted
caused by: CAUSE
hint: a token of ECR's is good in one region, and for the accounts that let its owner in: `longshore doctor` names both, and \
what docker's own configuration has in the way",
    ),
    (
        "answer: { status: 403, code: DENIED, message: Not Authorized }",
        3,
        "\
cannot log in to HOST: permission denied
caused by: CAUSE
hint: check the IAM policy of the role, and that the token was made for this region",
    ),
    (
        "reset: true",
        4,
        "\
cannot log in to HOST: HOST broke the connection off
caused by: CAUSE
hint: ECR does so where the repository is missing, or `ecr:InitiateLayerUpload` is not allowed: `longshore doctor` tells
hint: where it is neither, run again; proxies and gateways break off large uploads, too",
    ),
];

#[test]
fn each_is_told_for_what_it_is() {
    let user = User::new();
    let pipeline = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n";
    let checkout =
        user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY longshore.yaml /\n"))]);
    for (number, (fault, code, expected)) in CHAPTERS.iter().enumerate() {
        let faults = format!("faults: [{{ operation: \"registry:*\", {fault} }}]\n");
        let server = user.serve_with_faults(&format!("data{number}"), &faults);
        let without_cause = |text: &str| -> String {
            let lines =
                text.lines().map(|line| if line.starts_with("caused by: ") { "caused by: CAUSE" } else { line });
            lines.collect::<Vec<_>>().join("\n")
        };
        let run = server.run(&checkout).run().with_code(*code);
        let err = run.err();
        // What is tried again says so before.
        let told: Vec<&str> = err.lines().skip_while(|line| !line.starts_with("error: ")).collect();
        assert_eq!(without_cause(&told.join("\n")), format!("error: {expected}"), "{fault}");
        let doctor = server.env(checkout.longshore(&["doctor"])).run().with_code(*code);
        let out = doctor.out();
        let told: Vec<&str> = out.lines().skip_while(|line| !line.starts_with("problem")).collect();
        let column = told[0].find("cannot").unwrap_or_else(|| panic!("no problem in {out}"));
        let told: Vec<&str> = told.iter().take_while(|line| line.len() > column).map(|line| &line[column..]).collect();
        let told = told[..expected.lines().count()].join("\n");
        assert_eq!(without_cause(&told), *expected, "{fault}");
    }
}

/// "Repository does not exist", "no basic auth credentials" and a push that breaks off: what a wrong region looks like.
#[test]
fn a_repository_that_is_in_another_region() {
    let user = User::new();
    let pipeline = "\
version: 1
registry: { region: us-east-1 }
images: { web: { build: ., repository: { name: UNIQUE/web, create: false }, tags: [one] } }
";
    let checkout =
        user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY longshore.yaml /\n"))]);
    let (here, there) = (user.serve("here"), user.serve("there"));
    let name = format!("{}/web", user.unique());
    let endpoint = there.variable("AWS_ENDPOINT_URL_ECR").to_owned();
    let create = ["--endpoint-url", &endpoint, "ecr", "create-repository", "--repository-name", &name];
    there.env(user.program("aws", checkout.root())).args(&create).succeeds();
    let ecr = Proxy::of_regions(&[("us-east-1", here.variable("AWS_ENDPOINT_URL_ECR")), ("eu-west-1", &endpoint)]);
    let with = |arguments: &[&str], region: &str, code: i32| {
        let call = here.env(checkout.longshore(arguments)).env("AWS_ENDPOINT_URL_ECR", &ecr.endpoint);
        call.env("AWS_REGION", region).env("AWS_DEFAULT_REGION", region).run().with_code(code)
    };

    let doctor = with(&["doctor"], "eu-west-1", 2).out();
    let told = [
        "warning  region                      us-east-1 for this pipeline, but AWS_REGION is eu-west-1\n",
        "hint: what goes through the AWS CLI, such as `docker login` by hand, goes to eu-west-1; make them one, or pass --region\n",
        "does not exist in us-east-1, but in eu-west-1, which AWS_REGION names\n",
        "hint: set `registry.region: eu-west-1` in the pipeline file, or AWS_REGION to us-east-1\n",
    ];
    for line in told {
        assert!(doctor.contains(line), "no `{line}` in\n{doctor}");
    }
    let run = with(&["run"], "eu-west-1", 2).err();
    assert!(run.starts_with("error: repository `UNIQUE/web` does not exist in HOST\n"), "{run}");
    assert!(run.contains("hint: ECR calls a repository missing if it is in another region, too"), "{run}");

    // Where nothing names the other region, a run's hint is the doctor's.
    let doctor = with(&["doctor"], "us-east-1", 2).out();
    assert!(doctor.contains("ok       region                      us-east-1\n"), "{doctor}");
    assert!(doctor.contains("ECR calls a repository missing if it is in another region\n"), "{doctor}");
    // A run that makes what is missing would make it in the wrong place: a warning, since that may be meant.
    checkout.write("longshore.yaml", &pipeline.replace("create: false", "create: true"));
    let doctor = with(&["doctor"], "eu-west-1", 0).out();
    assert!(doctor.contains("does not exist in us-east-1, but in eu-west-1, which AWS_REGION names\n"), "{doctor}");
    // A token of the wrong region is not taken by the registry.
    checkout.write("longshore.yaml", &pipeline.replace("us-east-1", "eu-west-1"));
    let advice = "with `aws sts get-caller-identity`, and that the region is right\n";
    for told in [with(&["doctor"], "us-east-1", 3).stdout, with(&["run"], "us-east-1", 3).stderr] {
        assert!(told.contains(" the credentials are not accepted\n") && told.contains(advice), "{told}");
    }
}

#[test]
fn no_daemon_in_codebuild_also_where_it_runs_the_jobs_of_github() {
    let user = User::new();
    let (server, checkout) = (
        user.serve("data"),
        user.checkout(&[
            ("longshore.yaml", "version: 1\nimages: { web: { build: . } }\n"),
            ("Dockerfile", "FROM scratch\n"),
        ]),
    );
    let socket = format!("unix://{}", user.at("no.sock").display());
    for (variables, advice) in [
        (&[("CODEBUILD_BUILD_ID", "shop:1")][..], "turn on privileged mode for the CodeBuild project"),
        (
            &[("CODEBUILD_BUILD_ID", "shop:1"), ("GITHUB_ACTIONS", "true")],
            "turn on privileged mode for the CodeBuild project",
        ),
        (&[("GITHUB_ACTIONS", "true")], "start Docker, or point `DOCKER_HOST` at a running daemon"),
    ] {
        let with = |command: &str| {
            let call = server.env(checkout.longshore(&[command])).env("DOCKER_HOST", &socket);
            call.env("GITHUB_REPOSITORY", "octo/shop").envs(variables).run().with_code(4)
        };
        for told in [with("run").stderr, with("doctor").stdout] {
            assert!(told.contains(&format!("hint: {advice}")), "no `{advice}` in\n{told}");
        }
    }
}
