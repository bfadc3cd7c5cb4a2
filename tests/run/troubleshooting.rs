//! The troubleshooting chapters of ECR's guides, provoked one by one: `run` and `doctor` tell of each in the same words.
//! Source: ECR user guide, "Troubleshooting errors with Docker commands when using Amazon ECR" and "Troubleshooting Amazon
//! ECR error messages". A missing repository, an immutable tag and a missing permission have their tests beside what they
//! are about: `doctor.rs`, `immutable.rs`, `access.rs`.

use crate::user::User;

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
