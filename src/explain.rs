//! What to do about a failure outside: every hint about a service lives here.

mod gate;
mod replication;
mod signing;

use crate::diagnostic::{Blame, Diagnostic};
use crate::execute::ports::{Failure, ServiceError};
use crate::names::Tag;

/// What is known around a failure and helps to give the right advice.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances<'a> {
    /// The image that was worked on, by its key in the pipeline file.
    pub image: Option<&'a str>,
    /// The CI system's name.
    pub ci: Option<&'static str>,
    /// The CI system whose machine this is, where that runs the jobs of another.
    pub machine: Option<&'static str>,
    /// The release tags of the image that were written before the failure.
    pub written: &'a [Tag],
}

/// A failure as the user is told of it.
pub fn explain(error: &ServiceError, around: Circumstances<'_>) -> Diagnostic {
    let told = match &error.failure {
        Failure::EngineUnreachable { address, forbidden } => engine(address, *forbidden, around.machine.or(around.ci)),
        Failure::EngineMisconfigured { address } => {
            Diagnostic::input(format!("`{address}` does not lead to a Docker daemon"))
                .hint("check DOCKER_HOST and DOCKER_CONTEXT; an address looks like `unix:///var/run/docker.sock`")
        }
        Failure::ContextUnreadable { path } => {
            Diagnostic::input(format!("{}cannot read `{path}`", of_image(around))).hint(
                "`context` starts from the pipeline file's folder, and `dockerfile` from the context",
            )
        }
        Failure::BuildFailed { step, output } => build_failed(step.as_deref(), output, &error.cause, around),
        Failure::EngineLacks { engine, field, remedy } => {
            Diagnostic::input(format!("{}{engine} cannot do what `{field}` asks for", of_image(around)))
                .hint(*remedy)
        }
        Failure::PlatformMissing { platform } => {
            Diagnostic::input(format!("{}no builder builds {platform} natively, and `emulate` is off", of_image(around)))
                .hint(format!("name a builder with `platforms: [{platform}]` under `builders`, or allow `emulate`"))
        }
        Failure::NotSingle => {
            Diagnostic::new(Blame::Work, format!("{}it shall be a single manifest, but is an index", of_image(around)))
                .hint("the builder adds attestations by itself; turn them off there, or leave out `manifest: single`")
        }
        Failure::BuildInputMissing { what } => Diagnostic::input(format!("{}cannot use {what}", of_image(around))),
        Failure::CertificatesUnreadable { path } => Diagnostic::input(format!("cannot use the certificates of `{path}`"))
            .hint("the file must hold certificates in PEM form"),
        Failure::RegionMissing => Diagnostic::input("no AWS region is known")
            .hint("set `registry.region` in the pipeline file, AWS_REGION, or pass --region"),
        Failure::EndpointMalformed { variable, url } => Diagnostic::input(format!("{variable} is not a URL: `{url}`"))
            .hint(format!("write it as in `https://api.ecr.us-east-1.amazonaws.com`, or unset {variable}")),
        Failure::CredentialsMissing => Diagnostic::new(Blame::Access, "no AWS credentials were found")
            .hint(credentials_hint(around.ci))
            .hint("without an AWS account, try `longshore run --local`"),
        Failure::CredentialsUnreadable => Diagnostic::new(Blame::Access, "the AWS credentials cannot be loaded")
            .hint("log in again, as with `aws sso login`, or check AWS_PROFILE and the files in `~/.aws`")
            .hint("`aws sts get-caller-identity` takes the same way to the credentials"),
        Failure::CredentialsExpired if error.cause.to_lowercase().contains(TOKEN_OVER) => token_over(&error.doing),
        Failure::CredentialsExpired => {
            Diagnostic::new(Blame::Access, "the AWS credentials have expired").hint(match around.ci {
                Some("GitHub Actions") => {
                    "run `aws-actions/configure-aws-credentials` just before this step, or raise its \
                     `role-duration-seconds`"
                }
                _ => "get new ones, as with `aws sso login`, and run again; what is done is not done twice",
            })
        }
        Failure::CredentialsRefused => {
            let told = Diagnostic::new(Blame::Access, format!("cannot {}: the credentials are not accepted", error.doing));
            told.hint(if error.cause.contains(NO_BASIC_AUTH) { ELSEWHERE } else { REFUSED })
        }
        Failure::Denied { action } => denied(&error.doing, action.as_deref()),
        Failure::RepositoryMissing { repository } => {
            Diagnostic::input(format!("repository `{repository}` does not exist in the registry"))
                .hint("check `registry.account` and `registry.region`; ECR calls a repository missing if it is in another region")
        }
        Failure::TagTaken { tag, repository } => {
            Diagnostic::input(format!("tag `{tag}` is taken in `{repository}`, and that repository's tags are immutable"))
                .hint("another job took it meanwhile; tag a new version in git, or except the tag from immutability under `tag_mutability`")
        }
        Failure::GateClosed { fail_on, objections, released } => gate::closed(*fail_on, objections, *released, around),
        Failure::NotReplicated { repository, to, hitch } => replication::missed(repository, to, hitch, around),
        Failure::NotSigned { repository, why } => signing::missed(repository, why, around),
        Failure::Throttled => Diagnostic::new(Blame::Service, format!("cannot {}: too many requests", error.doing))
            .hint("run again; if it happens often, ask AWS for a higher rate under Service Quotas"),
        Failure::Unreachable { address } if broke_off(&error.cause) => broken_off(&error.doing, address),
        Failure::Unreachable { address } => {
            Diagnostic::new(Blame::Service, format!("cannot {}: {address} does not answer", error.doing))
                .hint("check the network, HTTPS_PROXY and NO_PROXY, and in a private subnet the VPC endpoints api.ecr, dkr.ecr and S3")
        }
        Failure::ServiceBroken => Diagnostic::new(Blame::Service, format!("cannot {}: the service failed", error.doing))
            .hint("run again; what is done is not done twice"),
        Failure::Refused | Failure::Unexpected => Diagnostic::new(Blame::Work, format!("cannot {}", error.doing)),
    };
    let told = match error.cause.trim() {
        "" => told,
        cause => told.caused_by(cause),
    };
    if around.written.is_empty() {
        return told;
    }
    let written: Vec<String> = around.written.iter().map(|tag| format!("`{tag}`")).collect();
    told.caused_by(format!("of its release tags, {} were written before", written.join(", ")))
        .hint("run again: it writes what is left")
}

/// ECR's words, 403, for a token that is older than 12 hours. Source: ECR user guide, "Troubleshooting errors with Docker
/// commands when using Amazon ECR".
const TOKEN_OVER: &str = "authorization token has expired";

/// The docker client's words where it has no password for a registry, or one that is for another. Source: the same.
const NO_BASIC_AUTH: &str = "no basic auth credentials";

const ELSEWHERE: &str = "a token of ECR's is good in one region, and for the accounts that let its owner in: \
                         `longshore doctor` names both, and what docker's own configuration has in the way";

const REFUSED: &str =
    "check AWS_PROFILE and AWS_ACCESS_KEY_ID with `aws sts get-caller-identity`, and that the region is right";

fn token_over(doing: &str) -> Diagnostic {
    Diagnostic::new(Blame::Access, format!("cannot {doing}: the registry's token is over"))
        .hint("run again: each run gets a token of its own, for 12 hours; after `docker login` it is `longshore login`")
}

/// Whether the other side ended a connection in the middle. Source: the same, "EOF", and Go's `net` package.
fn broke_off(cause: &str) -> bool {
    let lower = cause.to_lowercase();
    let last = lower.trim_end().split(|c: char| !c.is_ascii_alphanumeric()).next_back();
    last == Some("eof") || ["broken pipe", "connection reset"].iter().any(|words| lower.contains(words))
}

fn broken_off(doing: &str, address: &str) -> Diagnostic {
    Diagnostic::new(Blame::Service, format!("cannot {doing}: {address} broke the connection off"))
        .hint("ECR does so where the repository is missing, or `ecr:InitiateLayerUpload` is not allowed: `longshore doctor` tells")
        .hint("where it is neither, run again; proxies and gateways break off large uploads, too")
}

fn engine(address: &str, forbidden: bool, ci: Option<&str>) -> Diagnostic {
    if forbidden {
        return Diagnostic::new(Blame::Access, format!("this user may not use the Docker daemon at {address}"))
            .hint("add the user to the group `docker` and log in again, or run as root");
    }
    Diagnostic::new(Blame::Service, format!("the Docker daemon does not answer at {address}")).hint(match ci {
        Some("AWS CodeBuild") => {
            "turn on privileged mode for the CodeBuild project; without it there is no Docker daemon"
        }
        _ => "start Docker, or point `DOCKER_HOST` at a running daemon",
    })
}

/// What `execve(2)` says of a program for another machine.
const ENOEXEC: &str = "exec format error";

fn build_failed(step: Option<&str>, output: &[String], cause: &str, around: Circumstances<'_>) -> Diagnostic {
    let what = match step {
        Some(step) => format!("{}step `{step}` failed", of_image(around)),
        None => format!("{}the build failed", of_image(around)),
    };
    let mut diagnostic = Diagnostic::new(Blame::Work, what);
    if !output.is_empty() {
        diagnostic = diagnostic.caused_by(output.join("\n"));
    }
    if output.iter().any(|line| line.contains(ENOEXEC)) || cause.contains(ENOEXEC) {
        diagnostic = diagnostic.hint(
            "the builder cannot run programs of another platform: name one that can under `builders`, or install \
             emulators there with `docker run --privileged --rm tonistiigi/binfmt --install all`",
        );
    }
    diagnostic
}

fn of_image(around: Circumstances<'_>) -> String {
    around.image.map_or(String::new(), |image| format!("image `{image}`: "))
}

fn denied(doing: &str, action: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Blame::Access, format!("cannot {doing}: permission denied"));
    match action {
        Some(action) => diagnostic.hint(format!("allow `{action}` in the IAM policy of the role that runs this job")),
        None => diagnostic.hint("check the IAM policy of the role, and that the token was made for this region"),
    }
}

fn credentials_hint(ci: Option<&str>) -> &'static str {
    match ci {
        Some("GitHub Actions") => {
            "run `aws-actions/configure-aws-credentials` before this step, with `permissions: { id-token: write }`"
        }
        Some("AWS CodeBuild") => "give the CodeBuild project a service role",
        Some("Jenkins") => "wrap the step in `withCredentials` or `withAWS`, or give the agent an instance profile",
        _ => "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(failure: Failure, cause: &str, around: Circumstances<'_>) -> (u8, String) {
        let error = ServiceError { failure, doing: "create repository `web`".into(), cause: cause.into() };
        let diagnostic = explain(&error, around);
        (diagnostic.blame.exit_code(), diagnostic.to_string())
    }

    #[test]
    fn a_dead_daemon() {
        let failure = Failure::EngineUnreachable { address: "unix:///var/run/docker.sock".into(), forbidden: false };
        let expected = "the Docker daemon does not answer at unix:///var/run/docker.sock\n\
                        caused by: No such file or directory (os error 2)\n\
                        hint: start Docker, or point `DOCKER_HOST` at a running daemon";
        let (code, text) = told(failure, "No such file or directory (os error 2)", Circumstances::default());
        assert_eq!((code, text.as_str()), (4, expected));
    }

    #[test]
    fn a_missing_permission_names_the_action() {
        let failure = Failure::Denied { action: Some("ecr:CreateRepository".into()) };
        let expected = "cannot create repository `web`: permission denied\n\
                        caused by: AccessDeniedException: no\n\
                        hint: allow `ecr:CreateRepository` in the IAM policy of the role that runs this job";
        let (code, text) = told(failure, "AccessDeniedException: no", Circumstances::default());
        assert_eq!((code, text.as_str()), (3, expected));
    }

    #[test]
    fn the_guides_troubleshooting_chapters() {
        let around = Circumstances::default;
        let (code, text) = told(
            Failure::CredentialsExpired,
            "denied: Your authorization token has expired. Reauthenticate and try again.",
            around(),
        );
        assert_eq!(code, 3);
        assert!(
            text.starts_with("cannot create repository `web`: the registry's token is over\ncaused by: denied: Your"),
            "{text}"
        );
        let (code, text) = told(Failure::CredentialsRefused, "no basic auth credentials", around());
        assert_eq!(code, 3);
        assert!(text.contains("\nhint: a token of ECR's is good in one region"), "{text}");
        for cause in ["Put \"https://x/v2/y\": EOF", "write: broken pipe", "read: connection reset by peer"] {
            let (code, text) = told(Failure::Unreachable { address: "x".into() }, cause, around());
            assert_eq!(code, 4);
            let start = format!(
                "cannot create repository `web`: x broke the connection off\ncaused by: {cause}\nhint: ECR does so"
            );
            assert!(text.starts_with(&start), "{text}");
        }
        let (_, text) = told(Failure::Unreachable { address: "x".into() }, "connection refused", around());
        assert!(text.starts_with("cannot create repository `web`: x does not answer\n"), "{text}");
    }

    #[test]
    fn a_failing_step_ends_with_its_output() {
        let failure =
            Failure::BuildFailed { step: Some("[2/2] RUN false".into()), output: vec!["one".into(), "two".into()] };
        let around = Circumstances { image: Some("web"), ..Circumstances::default() };
        let expected = "image `web`: step `[2/2] RUN false` failed\n\
                        caused by: one\n           two\n\
                        caused by: exit code: 1";
        assert_eq!(told(failure, "exit code: 1", around), (1, expected.to_owned()));
    }
}
