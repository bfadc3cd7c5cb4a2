//! Bake files as people write them, and as nobody should.

use super::*;

/// The fields of each image, and what is left out.
fn drafted(path: &str, text: &str) -> (BTreeMap<String, Fields>, Vec<String>) {
    let mut draft = Draft::default();
    read(path, text, &mut draft);
    let images = draft.images.into_iter().map(|image| (image.name, image.build.into_iter().collect()));
    (images.collect(), draft.left_out)
}

fn hcl(text: &str) -> (BTreeMap<String, Fields>, Vec<String>) {
    drafted("docker-bake.hcl", text)
}

fn json(value: &Value) -> (BTreeMap<String, Fields>, Vec<String>) {
    drafted("docker-bake.json", &value.to_string())
}

const DOUBLED: [&str; 2] =
    ["docker-bake.hcl: variable `A20`, which is too large", "docker-bake.json: variable `A20`, which is too large"];

#[test]
fn variables_that_double_end() {
    let doubled = |at: usize| format!("${{A{}}}${{A{}}}", at - 1, at - 1);
    let rest: String = (1..40).map(|at| format!("variable \"A{at}\" {{ default = \"{}\" }}\n", doubled(at))).collect();
    let text =
        format!("variable \"A0\" {{ default = \"x\" }}\n{rest}target \"a\" {{\n context = A3\n target = A39\n}}\n");
    let (images, left_out) = hcl(&text);
    assert_eq!(images["a"]["context"], "xxxxxxxx");
    assert_eq!(images["a"]["target"], "");
    assert!(left_out.contains(&DOUBLED[0].to_owned()), "{left_out:?}");

    let mut variables: Fields =
        (1..40).map(|at| (format!("A{at}"), serde_json::json!({ "default": doubled(at) }))).collect();
    variables.insert("A0".into(), serde_json::json!({ "default": "x" }));
    let (images, left_out) = json(&serde_json::json!({
        "variable": variables, "target": { "a": { "context": "${A3}", "args": { "B": "${A39}" } } },
    }));
    assert_eq!(images["a"]["context"], "xxxxxxxx");
    assert!(left_out.contains(&DOUBLED[1].to_owned()), "{left_out:?}");
}

#[test]
fn a_value_that_is_named_often_ends() {
    let text = format!(
        "variable \"A\" {{ default = \"{}\" }}\ntarget \"a\" {{\n context = \"{}\"\n target = A\n}}\n",
        "x".repeat(30_000),
        "${A}".repeat(10_000)
    );
    let (images, left_out) = hcl(&text);
    assert_eq!(images["a"]["target"].as_str().map(str::len), Some(30_000));
    assert_eq!(left_out, ["docker-bake.hcl: `context` of `a`, which is too large"]);
}

#[test]
fn a_value_that_is_nested_ever_deeper_ends() {
    let rest: String = (1..3_000).map(|at| format!("variable \"A{at}\" {{ default = [A{}] }}\n", at - 1)).collect();
    let (images, left_out) =
        hcl(&format!("{rest}variable \"A0\" {{ default = 1 }}\ntarget \"a\" {{ args = {{ B = A9 }} }}\n"));
    assert_eq!(images["a"]["args"]["B"].to_string(), "[[[[[[[[[1]]]]]]]]]");
    assert!(left_out.contains(&"docker-bake.hcl: variable `A17`, which is too large".to_owned()), "{left_out:?}");
}

#[test]
fn loops_calls_and_deep_templates_are_left_out() {
    let items = "l0, ".repeat(1000);
    let (images, left_out) = hcl(&format!(
        r#"
variable "l0" {{ default = "x" }}
variable "l" {{ default = [{items}] }}
target "a" {{
  context = "${{l[0]}}/${{ l0 == "x" ? "y" : "z" }}"
  args = [for a in l : [for b in l : [for c in l : [for d in l : [for e in l : e]]]]]
  labels = "%{{ for a in l }}%{{ for b in l }}%{{ for c in l }}%{{ for d in l }}${{d}}%{{ endfor }}%{{ endfor }}%{{ endfor }}%{{ endfor }}"
  dockerfile = "${{ l0 == "" ? "" : "${{l0}}.Dockerfile" }}"
  target = "${{"${{"${{l0}}"}}"}}"
  network = l{splats}
  ssh = "%{{ if l0 == "x" }}default%{{ endif }}"
  pull = [lower("X")]
}}
"#,
        splats = "[*]".repeat(20_000)
    ));
    assert_eq!(images["a"]["context"], "x/y");
    assert_eq!(images["a"]["ssh"], "default");
    assert_eq!(images["a"]["dockerfile"], "x.Dockerfile");
    assert_eq!(
        left_out,
        [
            "docker-bake.hcl: `args` of `a`, which is computed",
            "docker-bake.hcl: `labels` of `a`, which is computed",
            "docker-bake.hcl: `target` of `a`, which is too large",
            "docker-bake.hcl: `network` of `a`, which is too large",
            "docker-bake.hcl: `pull` of `a`, which is computed",
        ]
    );
}

#[test]
fn the_json_form_means_what_the_other_does() {
    let (images, left_out) = json(&serde_json::json!({
        "variable": {
            "Z": { "default": "${A}-${B}" },
            "A": { "default": "a$${B}" },
            "B": { "default": 3 },
            "LIST": { "default": ["x", "y"] },
            "UNSET": {},
            "NULL": { "default": null },
            "CIRCLE": { "default": "${CIRCLE}" },
        },
        "TOP": "t${B}",
        "group": { "default": { "targets": ["${A == \"a\" ? \"no\" : \"web\"}"] } },
        "target": {
            "web": [{
                "context": "${Z}/${TOP}${UNSET}${NULL}",
                "args": { "${TOP}": "${B}", "BACK": "a\\n${B}\n", "PLAIN": 1.5, "MANY": "${LIST}" },
                "no-cache": true,
                "target": "${lower(A)}",
                "network": "%{ if",
            }],
            "other": {},
        },
    }));
    let args = serde_json::json!({ "t3": 3, "BACK": "a\\n3\n", "PLAIN": 1.5, "MANY": ["x", "y"] });
    assert_eq!(images.keys().collect::<Vec<_>>(), ["web"]);
    assert_eq!(images["web"]["context"], "a$${B}-3/t3");
    assert_eq!(images["web"]["args"], args);
    assert_eq!(images["web"]["no_cache"], true);
    assert_eq!(
        left_out,
        [
            "docker-bake.json: variable `CIRCLE`, which is computed",
            "docker-bake.json: `target` of `web`, which is computed",
            "docker-bake.json: `network` of `web`, which is computed",
        ]
    );
}

#[test]
fn each_target_inherits_once() {
    // Ten ways into each of two hundred levels, and a circle at the end.
    let levels: String = (0..200)
        .map(|at| {
            let bases = vec![format!("\"t{}\"", (at + 1) % 200); 10].join(",");
            format!("target \"t{at}\" {{\n inherits = [{bases}]\n args = {{ A{} = {at} }}\n}}\n", at % 7)
        })
        .collect();
    let text = format!("{levels}group \"default\" {{ targets = [\"t0\"] }}\n");
    let (images, left_out) = hcl(&text);
    let args = serde_json::json!({ "A5": 5, "A4": 4, "A3": 3, "A2": 2, "A1": 1, "A0": 0, "A6": 6 });
    assert_eq!((&images["t0"]["args"], left_out.len()), (&args, 0));
}

#[test]
fn what_is_inherited_without_end_is_told() {
    let text = "x".repeat(50_000);
    let targets: String =
        (0..100).map(|at| format!("target \"t{at}\" {{\n inherits = [\"_base\"]\n context = \"{at}\"\n}}\n")).collect();
    let (images, left_out) = hcl(&format!("target \"_base\" {{ args = {{ A = \"{text}\" }} }}\n{targets}"));
    assert_eq!(images["t0"]["args"]["A"].as_str().map(str::len), Some(50_000));
    assert!(left_out.contains(&"docker-bake.hcl: target `t99`, which inherits too much".to_owned()), "{left_out:?}");
}

#[test]
fn groups_may_name_each_other() {
    let names: Vec<String> = (0..20_000).map(|at| format!("\"t{at}\"")).collect();
    let text = format!(
        "group \"default\" {{ targets = [\"all\", {0}] }}\ngroup \"all\" {{ targets = [\"default\", {0}] }}\ntarget \"t7\" {{}}\n",
        names.join(",")
    );
    assert_eq!(hcl(&text).0.into_keys().collect::<Vec<_>>(), ["t7"]);
}

#[test]
fn more_fields_than_anybody_writes_are_not_read() {
    for (fields, read) in [(7_998, true), (8_000, false)] {
        let fields: String = (0..fields).map(|at| format!("a{at}=1\n")).collect();
        let (images, left_out) = hcl(&format!("{fields}target \"a\" {{\n context = \"a\"\n}}\n"));
        assert_eq!(images.contains_key("a"), read);
        assert_eq!(left_out.is_empty(), read, "{left_out:?}");
    }
}
