//! Checkouts that anybody may have written.

use super::*;

fn checkout(texts: &[(&str, &str)]) -> Checkout {
    let texts: BTreeMap<String, String> =
        texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Checkout { name: "shop".into(), paths: texts.keys().cloned().collect(), texts, ..Checkout::default() }
}

fn written(checkout: &Checkout) -> (String, serde_json::Value) {
    let text = pipeline_file(&draft(checkout), checkout, &|_| Vec::new());
    let read = serde_yaml::from_str(&text).map_err(|error| format!("{error}\n{text}")).unwrap();
    (text, read)
}

#[test]
fn ten_thousand_dockerfiles_are_no_more_than_a_pipeline_file_holds() {
    let paths = (0..10_000).map(|at| format!("a{at}/web/Dockerfile")).collect();
    let checkout = Checkout { name: "shop".into(), paths, ..Checkout::default() };
    let found = draft(&checkout);
    assert!((500..5_000).contains(&found.images.len()), "{}", found.images.len());
    assert_eq!(found.images[1].name, "web-2");
    assert_eq!(found.left_out.len(), 101);
    assert_eq!(found.left_out[100], format!("{} more", 10_000 - found.images.len() - 100));
    let (text, read) = written(&checkout);
    assert!(text.len() < 256 << 10, "{}", text.len());
    assert_eq!(read["images"].as_object().unwrap().len(), found.images.len());
}

#[test]
fn what_is_too_large_leaves_room_for_the_rest() {
    let compose = format!(
        "services:\n  long: {{ build: {{ target: {} }} }}\n  key: {{ build: {{ args: {{ ? {} : x }} }} }}\n  web: {{ build: web }}\nsecrets: {{ x: {{ file: {} }} }}\n",
        "x".repeat(200_000),
        "k".repeat(2000),
        "y".repeat(200_000),
    );
    let found = draft(&checkout(&[("compose.yaml", &compose)]));
    assert_eq!(found.images.iter().map(|image| image.name.as_str()).collect::<Vec<_>>(), ["web"]);
    assert_eq!(found.secrets, None);
    assert_eq!(
        found.left_out,
        [
            "service `long` of compose.yaml: a pipeline file has no room for it",
            "service `key` of compose.yaml: a pipeline file has no room for it",
            "compose.yaml: `secrets`, for which a pipeline file has no room",
        ]
    );
}

#[test]
fn names_stay_names() {
    let compose = r#"
services:
  "web\nversion: 2\r\u001b[2J\u0085x": { build: { "context\nevil: y": 1, args: { "A\nB": "\u007f\n::set-output name=x::y" }, context: "a\nb" } }
secrets: { "s\n1": { file: "x\r\nimages: {}" } }
"#;
    let workflow = "jobs: { x: { steps: [{ uses: docker/build-push-action@v6, with: { context: \"${{ x }}\\r\\nversion: 3\" } }] } }\n";
    let mut checkout = checkout(&[("compose.yaml", compose), (".github/workflows/\n\u{1b}x.yml", workflow)]);
    checkout.paths.push("a\nversion: 4\r\u{2028}/b: c/Dockerfile".into());
    checkout.main_branch = Some("main\" }\nversion: 5".into());
    checkout.unread = vec!["x\nversion: 6".into()];
    let (text, read) = written(&checkout);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    let has_line = |start: &str| text.lines().any(|line| line.trim_start().starts_with(start));
    assert!(!has_line("version: 2") && !has_line("evil") && !has_line("::"), "{text}");
    assert_eq!(
        read.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["version", "environments", "defaults", "secrets", "images"]
    );
    assert_eq!(read["version"], 1);
    assert_eq!(read["secrets"]["s\n1"]["file"], "x\r\nimages: {}");
    let build = &read["images"]["web-version--2---2j-x"]["build"];
    assert_eq!((&build["context\nevil: y"], &build["context"]), (&1.into(), &"a\nb".into()));
    assert_eq!(build["args"]["A\nB"], "\u{7f}\n::set-output name=x::y");
    assert_eq!(read["images"]["b--c"]["build"], "a\nversion: 4\r\u{2028}/b: c");
    let found = draft(&checkout);
    assert!(found.left_out.iter().all(|line| !line.contains(char::is_control)), "{:?}", found.left_out);
    assert!(found.images.iter().all(|image| !image.from.contains(char::is_control)));
}

#[test]
fn only_compose_has_variables() {
    let bake = "target \"aa\" {\n context = \"bake\"\n args = { HOME = \"$HOME\", BOTH = \"$${X}\" }\n}\n";
    let compose = "services: { bb: { build: { context: compose, args: { HOME: $HOME } } } }\n";
    let workflow =
        "jobs: { x: { steps: [{ uses: docker/build-push-action@v6, with: { context: workflow, target: $HOME } }] } }\n";
    let mut checkout =
        checkout(&[("docker-bake.hcl", bake), ("compose.yaml", compose), (".github/workflows/x.yml", workflow)]);
    checkout.paths.push("$HOME/Dockerfile".into());
    let (_, read) = written(&checkout);
    assert_eq!(read["images"]["aa"]["build"]["args"], serde_json::json!({ "HOME": "$$HOME", "BOTH": "$${X}" }));
    assert_eq!(read["images"]["bb"]["build"]["args"]["HOME"], "$HOME");
    assert_eq!(read["images"]["workflow"]["build"]["target"], "$$HOME");
    assert_eq!(read["images"]["home"]["build"], "$$HOME");
}

#[test]
fn aliases_end() {
    let bomb = (1..9).fold("x0: &x0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, at| {
        text + &format!("x{at}: &x{at} [{}]\n", vec![format!("*x{}", at - 1); 9].join(","))
    });
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(50_000), "*a,".repeat(90));
    for text in [bomb + "services: { web: { build: . } }\n", long + "services: { web: { build: . } }\n"] {
        let found = draft(&checkout(&[("compose.yaml", &text), (".github/workflows/x.yml", &text)]));
        assert_eq!(
            found.left_out,
            ["compose.yaml: it cannot be read as YAML", ".github/workflows/x.yml: it cannot be read as YAML"]
        );
    }
}
