//! Credentials that are missing, refused or too weak.

use crate::user::{Checkout, Ended, Proxy, User};

fn checkout(user: &User) -> Checkout<'_> {
    let pipeline = "version: 1\nimages:\n  web: { build: ., repository: UNIQUE/web, tags: [one] }\n";
    user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY longshore.yaml /\n"))])
}

/// A run by somebody with credentials, against an API that answers everything with this error.
fn run_against(status: u16, code: &str, message: &str) -> Ended {
    let user = User::new();
    let body = serde_json::json!({ "__type": code, "message": message }).to_string();
    let proxy = Proxy::start("", move |_| Some((status, body.clone())));
    let run = checkout(&user).longshore(&["run"]).env("AWS_ENDPOINT_URL_ECR", &proxy.endpoint);
    run.envs(&[("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "s")]).run()
}

#[test]
fn no_credentials() {
    let user = User::new();
    let run = checkout(&user).longshore(&["run"]).env("AWS_REGION", "us-east-1");
    let ended = run.env("AWS_EC2_METADATA_DISABLED", "true").run().with_code(3);
    assert!(ended.err().starts_with("error: no AWS credentials were found\ncaused by: "), "{}", ended.err());
    let hints = "\
hint: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`
hint: without an AWS account, try `longshore run --local`
";
    assert!(ended.err().ends_with(hints), "{}", ended.err());
    assert_eq!(ended.stdout, "");
}

#[test]
fn no_region() {
    let user = User::new();
    checkout(&user).longshore(&["run"]).run().with_code(2).says(
        "\
error: no AWS region is known
caused by: no region in the pipeline file, AWS_REGION, AWS_DEFAULT_REGION or the AWS profile
hint: set `registry.region` in the pipeline file, AWS_REGION, or pass --region
",
    );
}

#[test]
fn expired_credentials() {
    let message = "The security token included in the request is expired";
    run_against(400, "ExpiredTokenException", message).with_code(3).says(
        "\
error: the AWS credentials have expired
caused by: ExpiredTokenException: The security token included in the request is expired
hint: get new ones, as with `aws sso login`, and run again; what is done is not done twice
",
    );
}

#[test]
fn refused_credentials() {
    let message = "The security token included in the request is invalid.";
    run_against(400, "UnrecognizedClientException", message).with_code(3).says(
        "\
error: cannot get the registry's authorization token: the credentials are not accepted
caused by: UnrecognizedClientException: The security token included in the request is invalid.
hint: check AWS_PROFILE and AWS_ACCESS_KEY_ID with `aws sts get-caller-identity`, and that the region is right
",
    );
}

#[test]
fn a_service_in_trouble_is_worth_another_try() {
    let ended = run_against(503, "ServerException", "please try again").with_code(4);
    ended.says(
        "\
error: cannot get the registry's authorization token: the service failed
caused by: ServerException: please try again
hint: run again; what is done is not done twice
",
    );
}

#[test]
fn a_missing_permission_is_named_as_the_action_it_is() {
    let user = User::new();
    let server = user.serve("data");
    let message = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:CreateRepository on \
                   resource: arn:aws:ecr:us-east-1:123456789012:repository/web";
    let denied = serde_json::json!({ "__type": "AccessDeniedException", "message": message }).to_string();
    let proxy = Proxy::start(server.variable("AWS_ENDPOINT_URL_ECR"), move |action| {
        (action == "CreateRepository").then(|| (400, denied.clone()))
    });
    let ended = server.run(&checkout(&user)).env("AWS_ENDPOINT_URL_ECR", &proxy.endpoint).run().with_code(3);
    ended.says(&format!(
        "\
error: cannot create repository `UNIQUE/web`: permission denied
caused by: AccessDeniedException: {message}
hint: allow `ecr:CreateRepository` in the IAM policy of the role that runs this job
"
    ));
    assert_eq!(user.images(), Vec::<String>::new(), "nothing was built");
}
