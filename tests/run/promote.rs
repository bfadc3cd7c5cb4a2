//! Promotions and copies, and registries that get the same images: between two small ECRs.

use serde_json::{Value, json};

use crate::user::{Checkout, LocalServer, User};

const PIPELINE: &str = "\
version: 1
environments: { prod: { branch: release } }
defaults: { tags: [sha] }
images:
  web: { build: web, repository: UNIQUE/web }
  worker: { build: worker, repository: UNIQUE/worker }
";

fn checkout<'u>(user: &'u User, pipeline: &str) -> Checkout<'u> {
    let dockerfile = user.dockerfile("COPY file /\n");
    user.checkout(&[
        ("longshore.yaml", pipeline),
        ("web/Dockerfile", &dockerfile),
        ("web/file", "web"),
        ("worker/Dockerfile", &dockerfile),
        ("worker/file", "worker"),
    ])
}

fn promote(server: &LocalServer, checkout: &Checkout<'_>, arguments: &[&str]) -> crate::user::Call {
    server.env(checkout.longshore(&["promote"])).env("DOCKER_HOST", "unix:///no/daemon").args(arguments)
}

/// The lines `REPOSITORY:TAG DIGEST` that a command printed, without the host.
fn printed(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| Some(line.split_once('/')?.1.to_owned())).collect()
}

/// What the tags of an image name on a server: what `aws` says.
fn tags(user: &User, server: &LocalServer, repository: &str) -> Vec<(String, String)> {
    let call = server.env(user.program("aws", &user.at("home")));
    let name = format!("{}/{repository}", user.unique());
    let answer = call.args(&["ecr", "list-images", "--endpoint-url", &format!("http://{}", server.host())]);
    let answer = answer.args(&["--repository-name", &name, "--output", "json"]).succeeds();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let text = |image: &Value, key: &str| image[key].as_str().map(str::to_owned);
    let images = answer["imageIds"].as_array().unwrap();
    let mut tags: Vec<_> =
        images.iter().filter_map(|image| Some((text(image, "imageTag")?, text(image, "imageDigest")?))).collect();
    tags.sort();
    tags
}

#[test]
fn a_tag_of_all_images_is_promoted_as_one() {
    let user = User::new();
    let (checkout, server) = (checkout(&user, PIPELINE), user.serve("data"));
    let pushed = server.run(&checkout).succeeds();
    let short = checkout.head()[..7].to_owned();
    let promoted =
        promote(&server, &checkout, &[&short, "--to", "1.2.3", "--env", "prod", "--report", "r.json"]).succeeds();
    let digest = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.contains(name)).unwrap();
        line.split_once(' ').unwrap().1.to_owned()
    };
    let expected: Vec<String> = ["web", "worker"]
        .iter()
        .flat_map(|name| {
            ["1.2.3", "prod"].map(|tag| format!("{}/{name}:{tag} {}", user.unique(), digest(&pushed, name)))
        })
        .collect();
    assert_eq!(printed(&promoted), expected);
    assert!(checkout.read("imageDefinitions.json").contains(&digest(&pushed, "web")));
    let report: Value = serde_json::from_str(&checkout.read("r.json")).unwrap();
    assert_eq!(report["images"][0]["moves"][0]["before"], json!(null));
    // Once more: nothing to do, and that is success.
    let again = promote(&server, &checkout, &[&short, "--to", "1.2.3,prod"]).run().with_code(0);
    assert!(again.err().contains("web    | 1.2.3 names it already"), "{}", again.err());
}

#[test]
fn what_is_not_there_or_may_not_move_is_known_before_anything_is_written() {
    let user = User::new();
    let immutable = PIPELINE
        .replace("defaults: {", "defaults: { repository: { tag_mutability: { mode: IMMUTABLE, except: ['src-*'] } },")
        .replace("repository: UNIQUE/web", "repository: { name: UNIQUE/web }")
        .replace("repository: UNIQUE/worker", "repository: { name: UNIQUE/worker }");
    let (checkout, server) = (checkout(&user, &immutable), user.serve("data"));
    server.run(&checkout).args(&["web"]).succeeds();
    let first = checkout.head()[..7].to_owned();
    promote(&server, &checkout, &[&first, "--to", "1.0"]).run().with_code(2).says(&format!(
        "\
error: cannot promote `{first}`: there is no tag `{first}` of `worker`
caused by: looked for in HOST
hint: name the images that are meant, as in `longshore promote TAG web --to prod`
"
    ));
    promote(&server, &checkout, &[&first, "web", "--to", "1.0"]).succeeds();
    checkout.write("web/file", "more");
    checkout.commit();
    server.run(&checkout).succeeds();
    let second = checkout.head()[..7].to_owned();
    let taken = promote(&server, &checkout, &[&second, "--to", "1.0"]).run().with_code(2);
    assert!(taken.err().starts_with("error: tag `1.0` is taken in `UNIQUE/web`"), "{}", taken.err());
    assert!(!tags(&user, &server, "worker").iter().any(|(tag, _)| tag == "1.0"), "all or none");
    let missing = promote(&server, &checkout, &[&"a".repeat(64), "--to", "1.0"]).run().with_code(2);
    assert!(missing.err().contains("no image has the content key"), "{}", missing.err());
}

#[test]
fn a_key_or_a_digest_names_one_image_and_it_can_go_elsewhere() {
    let user = User::new();
    let (checkout, here, there) = (checkout(&user, PIPELINE), user.serve("here"), user.serve("there"));
    let staged = here.run(&checkout).args(&["--no-tag"]).succeeds();
    assert!(!tags(&user, &here, "web").iter().any(|(tag, _)| !tag.starts_with("src-")));
    let keys: Value =
        serde_json::from_str(&here.env(checkout.longshore(&["key", "--json", "web"])).succeeds()).unwrap();
    let key = keys["images"]["web"]["key"].as_str().unwrap().to_owned();
    let elsewhere = ["--to", "1.2.3", "--to-registry", there.host()];
    let promoted = promote(&here, &checkout, &[&key]).args(&elsewhere).succeeds();
    let digest = staged.lines().next().unwrap().split_once(' ').unwrap().1.to_owned();
    assert_eq!(promoted.trim(), format!("{}/{}/web:1.2.3 {digest}", there.host(), user.unique()));
    assert_eq!(tags(&user, &there, "web"), [("1.2.3".to_owned(), digest.clone())]);
    assert!(!tags(&user, &here, "web").iter().any(|(tag, _)| tag == "1.2.3"), "only there");
    assert!(checkout.read("imageDefinitions.json").contains(there.host()));
    // Everything is there now, so that another tag moves no byte.
    let again = promote(&here, &checkout, &[&digest]).args(&["--to", "1.2.4", "--to-registry", there.host()]).run();
    let again = again.with_code(0);
    assert!(again.err().contains("0 B sent"), "{}", again.err());
    user.remove_images();
    user.docker(&["pull", "--quiet", &format!("{}/{}/web:1.2.4", there.host(), user.unique())]).run();
}

#[test]
fn a_run_brings_the_same_digests_to_its_replicas() {
    let user = User::new();
    let (here, there) = (user.serve("here"), user.serve("there"));
    let registry = format!("version: 1\nregistry: {{ replicas: [{{ host: '{}' }}] }}\n", there.host());
    let checkout = checkout(&user, &PIPELINE.replace("version: 1\n", &registry));
    let planned = here.env(checkout.longshore(&["plan"])).succeeds();
    assert!(planned.contains(&format!("replica {}\n+ repository {}/web", there.host(), user.unique())), "{planned}");
    here.run(&checkout).args(&["--report", "r.json"]).succeeds();
    for repository in ["web", "worker"] {
        assert_eq!(tags(&user, &here, repository), tags(&user, &there, repository));
        assert_eq!(tags(&user, &here, repository).len(), 2);
    }
    let report: Value = serde_json::from_str(&checkout.read("r.json")).unwrap();
    let places: Vec<&Value> = report["images"][0]["moves"].as_array().unwrap().iter().map(|m| &m["replica"]).collect();
    assert_eq!(places, [&Value::Null, &json!(there.host())]);
    let nothing = here.env(checkout.longshore(&["plan", "--detailed-exitcode"])).run().with_code(0);
    assert!(nothing.stdout.ends_with("nothing to do\n"), "{}", nothing.stdout);
    // A replica that lost a tag gets it back, and nothing else happens.
    let name = format!("{}/web", user.unique());
    let short = format!("imageTag={}", &checkout.head()[..7]);
    let aws = here.env(user.program("aws", &user.at("home")));
    let delete = [
        "ecr",
        "batch-delete-image",
        "--endpoint-url",
        &format!("http://{}", there.host()),
        "--repository-name",
        &name,
    ];
    aws.args(&delete).args(&["--image-ids", &short]).succeeds();
    let mended = here.run(&checkout).run().with_code(0);
    assert!(
        mended.err().contains(&format!("tagged {} in {}", &checkout.head()[..7], "127.0.0.1:PORT"))
            || tags(&user, &here, "web") == tags(&user, &there, "web")
    );
    assert_eq!(tags(&user, &here, "web"), tags(&user, &there, "web"));
}

#[test]
fn a_dead_replica_is_known_before_anything_is_built() {
    let user = User::new();
    let (here, there) = (user.serve("here"), user.serve("there"));
    let registry = format!("version: 1\nregistry: {{ replicas: [{{ host: '{}' }}] }}\n", there.host());
    let checkout = checkout(&user, &PIPELINE.replace("version: 1\n", &registry));
    there.end_with(crate::user::Signal::TERM);
    let failed = here.run(&checkout).run().with_code(4);
    assert!(!failed.err().contains("built"), "{}", failed.err());
    assert!(tags_of_nothing(&user, &here));
}

fn tags_of_nothing(user: &User, server: &LocalServer) -> bool {
    let call = server.env(user.program("aws", &user.at("home")));
    let url = format!("http://{}", server.host());
    let answer = call.args(&["ecr", "describe-repositories", "--endpoint-url", &url, "--output", "json"]).succeeds();
    serde_json::from_str::<Value>(&answer).unwrap()["repositories"] == json!([])
}

/// Logs the user's docker client in to the server.
fn login(user: &User, server: &LocalServer) {
    let folder = user.at("login");
    user.write(&folder.join("longshore.yaml"), "version: 1\nimages: { web: { build: . } }\n");
    server.env(user.longshore(&folder, &["login"])).succeeds();
}

#[test]
fn an_index_is_copied_whole_and_nothing_twice() {
    let user = User::new();
    let (checkout, here, there) = (checkout(&user, PIPELINE), user.serve("here"), user.serve("there"));
    here.run(&checkout).args(&["web"]).succeeds();
    checkout.write("web/file", "other");
    checkout.commit();
    here.run(&checkout).args(&["web"]).succeeds();
    login(&user, &here);
    login(&user, &there);
    let from = format!("{}/{}/web", here.host(), user.unique());
    let images = tags(&user, &here, "web");
    let mut images: Vec<String> = images.into_iter().map(|(_, digest)| format!("{from}@{digest}")).collect();
    images.sort();
    images.dedup();
    let multi = format!("{from}:multi");
    let create = ["manifest", "create", "--insecure", &multi, &images[0], &images[1]];
    user.docker(&create).succeeds();
    let digest = user.docker(&["manifest", "push", "--insecure", &multi]).succeeds().trim().to_owned();

    let goal = format!("{}/{}/mirror", there.host(), user.unique());
    let copy = |arguments: &[&str]| {
        let call = there.env(user.longshore(&user.at("home"), &["copy"])).env("DOCKER_HOST", "unix:///no/daemon");
        call.args(arguments)
    };
    let missing = copy(&[&multi, &goal]).run().with_code(2);
    assert!(missing.err().ends_with("hint: pass --create to have it created\n"), "{}", missing.err());
    let copied = copy(&[&multi, &goal, &format!("{goal}:stable"), "--create"]).succeeds();
    assert_eq!(copied, format!("{goal}:multi {digest}\n{goal}:stable {digest}\n"));
    let inspect = ["inspect", "--raw", "--tls-verify=false"];
    let read = |name: &str| user.program("skopeo", &user.at("home")).args(&inspect).arg(format!("docker://{name}"));
    let auth =
        |call: crate::user::Call| call.args(&["--authfile", &user.at("docker/config.json").display().to_string()]);
    assert_eq!(auth(read(&format!("{goal}:stable"))).succeeds(), auth(read(&multi)).succeeds());
    for image in &images {
        let child = image.replace(&from, &goal);
        assert_eq!(auth(read(&child)).succeeds(), auth(read(image)).succeeds());
    }
    let again: Value = serde_json::from_str(&copy(&[&multi, &goal, "--json"]).succeeds()).unwrap();
    assert_eq!((&again["blobs_sent"], &again["destinations"][0]["status"]), (&json!(0), &json!("unchanged")));
    // Beside each image is the record of its content: two blobs, of which one is the same for all.
    let more: Value = serde_json::from_str(&copy(&[&multi, &goal, "--json", "--referrers"]).succeeds()).unwrap();
    assert_eq!(more["blobs_sent"], json!(3), "{more}");
}

#[test]
fn what_cannot_be_copied_is_said() {
    let user = User::new();
    let server = user.serve("data");
    login(&user, &server);
    let copy = |arguments: &[&str]| server.env(user.longshore(&user.at("home"), &["copy"])).args(arguments).run();
    let goal = format!("{}/mirror", server.host());
    let gone = copy(&[&format!("{}/gone:1", server.host()), &goal]).with_code(2);
    assert!(gone.err().contains("there is no image HOST/gone:1"), "{}", gone.err());
    copy(&[&format!("{}/gone:1", server.host()), "mirror"]).with_code(2).says(
        "\
error: the destination `mirror` names no registry
hint: write it as `HOST/REPOSITORY` or `HOST/REPOSITORY:TAG`
",
    );
    copy(&["127.0.0.1:1/web:1", &goal]).with_code(4);
}

#[test]
fn which_layers_a_replica_has_is_asked_for_all_at_once() {
    for (fault, calls, looks) in
        [("", 1, 2), ("{ operation: BatchCheckLayerAvailability, answer: { status: 403 } }", 1, 6)]
    {
        let user = User::new();
        let (here, there) = (user.serve("here"), user.serve_with_faults("there", &format!("faults: [{fault}]")));
        let pipeline = format!(
            "version: 1\nregistry: {{ replicas: [{{ host: '{}' }}] }}\nimages: {{ web: {{ build: ., tags: [sha], repository: UNIQUE/web }} }}\n",
            there.host()
        );
        let dockerfile = user.dockerfile("COPY a /\nCOPY b /\nCOPY c /\nCOPY d /\nCOPY e /\n");
        let letters = ["a", "b", "c", "d", "e"].map(|name| (name, name));
        let mut files = vec![("longshore.yaml", pipeline.as_str()), ("Dockerfile", &dockerfile)];
        files.extend(letters);
        let checkout = user.checkout(&files);
        here.run(&checkout).succeeds();
        let before = user.logged().len();
        checkout.write("e", "another");
        checkout.commit();
        here.run(&checkout).succeeds();
        let logged = user.logged();
        let count = |name: &str| logged[before..].iter().filter(|line| line["operation"] == name).count();
        // What changed is the last layer and the configuration.
        assert_eq!((count("BatchCheckLayerAvailability"), count("registry:HeadBlob")), (calls, looks), "{fault}");
        assert_eq!(count("registry:StartUpload"), 2);
    }
}
