//! A whole run against a stand-in for ECR that is none of our own making: what Longshore believes of ECR, others
//! believe too.
#![allow(clippy::disallowed_methods, reason = "it drives real programs")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/stand_in/mod.rs"]
mod stand_in;

use std::io::Write;
use std::path::{Path, PathBuf};

use stand_in::program::{program, run};
use stand_in::{HOST, StandIn};

/// The stand-in, or nothing after saying why not, past the test harness, which hides what a passing test prints.
fn start(test: &str) -> Option<StandIn> {
    let skipped = |reason| {
        let _ = writeln!(std::io::stderr(), "test {test} was skipped: {reason}");
    };
    StandIn::start().map_err(skipped).ok()
}

/// The quickstart's git repository with one more file, so that its images are like no others on this machine.
fn checkout(folder: &Path) -> PathBuf {
    let repository = folder.join("quickstart");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/quickstart-repository.sh");
    run(program(script).arg(&repository));
    for service in ["web/site", "worker"] {
        std::fs::write(repository.join(service).join("unique.txt"), folder.display().to_string()).unwrap();
    }
    std::fs::write(
        repository.join("worker/Dockerfile"),
        "FROM scratch\nCOPY busybox unique.txt /\nCMD [\"/busybox\"]\n",
    )
    .unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=Longshore", "-c", "user.email=test@example.com"];
        run(program("git").arg("-C").arg(&repository).args(identity).args(arguments));
    };
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "Something of its own"]);
    git(&["tag", "--force", "v1.2.3"]);
    repository
}

#[test]
fn the_stand_in_serves_the_shell_script_that_longshore_replaces() {
    let Some(bed) = start("the_stand_in_serves_the_shell_script_that_longshore_replaces") else { return };
    let repository = checkout(bed.folder());
    let token = bed.ecr(&["get-authorization-token"]);
    assert_eq!(token["authorizationData"][0]["proxyEndpoint"], format!("https://{HOST}"));
    bed.ecr(&["create-repository", "--repository-name", "quickstart/worker"]);

    let reference = format!("{HOST}/quickstart/worker:1.2.3");
    bed.docker(&["build", "--quiet", "--tag", &reference, &repository.join("worker").display().to_string()]);
    bed.docker(&["push", &reference]);
    let uploads = bed.uploads();
    assert!(uploads >= 2, "a layer and a configuration at least, not {uploads}");
    bed.docker(&["push", &reference]);
    assert_eq!(bed.uploads(), uploads);
    bed.docker(&["image", "rm", &reference]);
    bed.docker(&["pull", &reference]);
}

#[test]
fn a_run_goes_from_checkout_to_deploy_file() {
    let Some(bed) = start("a_run_goes_from_checkout_to_deploy_file") else { return };
    let repository = checkout(bed.folder());
    let longshore = || {
        let mut command = program(env!("CARGO_BIN_EXE_longshore"));
        bed.as_caller(command.arg("run").current_dir(&repository)).env("AWS_ENDPOINT_URL_ECR", &bed.endpoint);
        run(&mut command)
    };
    let deploy_file = || -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(repository.join("imageDefinitions.json")).unwrap()).unwrap()
    };

    let pushed = longshore();
    let definitions = deploy_file();
    let uploads = bed.uploads();
    assert_eq!(longshore(), pushed, "a second run says the same");
    assert_eq!(deploy_file(), definitions);
    assert_eq!(bed.uploads(), uploads, "a second run uploads nothing");

    let names: Vec<&str> = definitions.as_array().unwrap().iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert_eq!(names, ["web", "worker"]);
    for (entry, name) in definitions.as_array().unwrap().iter().zip(names) {
        let uri = entry["imageUri"].as_str().unwrap();
        let (image, digest) = uri.split_once('@').unwrap_or_else(|| panic!("`{uri}` names no digest"));
        assert_eq!(image, format!("{HOST}/quickstart/{name}"));
        for tag in ["1.2.3", "1.2", "1", "prod"] {
            let line = format!("{image}:{tag} {digest}");
            assert!(pushed.lines().any(|printed| printed == line), "no line `{line}` in\n{pushed}");
        }
        let described = bed.ecr(&["describe-repositories", "--repository-names", &format!("quickstart/{name}")]);
        assert_eq!(described["repositories"][0]["imageScanningConfiguration"]["scanOnPush"], true);

        let held = bed.docker(&["image", "ls", "--quiet", "--filter", &format!("reference={image}")]);
        for id in held.split_whitespace() {
            bed.docker(&["image", "rm", "--force", id]);
        }
        bed.docker(&["pull", "--quiet", uri]);
        bed.docker(&["pull", "--quiet", &format!("{image}:1.2.3")]);
        let digests =
            bed.docker(&["image", "inspect", "--format", "{{join .RepoDigests \" \"}}", &format!("{image}:1.2.3")]);
        assert!(digests.contains(digest), "the tag means {digests}, not {digest}");
    }
}
