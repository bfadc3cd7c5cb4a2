//! What holds for every pipeline file, and for every text that is none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

use std::collections::BTreeMap;

use longshore::pipeline::{self, Pipeline};
use proptest::prelude::*;

/// Pieces of pipeline files, good and bad, to be put together at random.
const PIECES: [&str; 44] = [
    "version: 1\n",
    "images:\n",
    "  web:\n",
    "    build: .\n",
    "    build:\n",
    "      context: x\n",
    "      args: [A=1, B]\n",
    "      args: { A: $B, C: }\n",
    "      dockerfile_inline: |\n        FROM scratch\n",
    "      extra_hosts: [a=::1]\n",
    "      platforms: [linux/amd64]\n",
    "    repository: { name: web }\n",
    "    repository:\n",
    "      tag_mutability: { mode: IMMUTABLE, except: ['*'] }\n",
    "      encryption: KMS\n",
    "    tags: [sha, 1.10]\n",
    "defaults:\n",
    "  build: x\n",
    "registry: { account: 012345678901 }\n",
    "environments: { prod: { branch: main } }\n",
    "outputs: { image_detail: d.json }\n",
    "x-a: &a\n",
    "  b: 1\n",
    "    <<: *a\n",
    "*a",
    "&a ",
    "${A:-${B}}",
    "${",
    "$$",
    "'",
    "\"",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "\n",
    "  ",
    "\t",
    "한",
    "!!str ",
    "~",
    "---\n",
];

fn environment(name: &str) -> Option<String> {
    (name.len() % 2 == 1).then(|| "${A} é\n*".to_owned())
}

/// Reads a text, and renders whatever there is to say about it.
fn read(text: &str) {
    let told = match pipeline::parse_bytes("f.yaml", text.as_bytes().to_vec()) {
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
        Ok(file) => match file.resolve(&environment) {
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
            Ok((resolved, warnings)) => {
                assert_same(&resolved, &again(&resolved));
                warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
            }
        },
    };
    assert!(told.iter().all(|diagnostic| !diagnostic.is_empty()));
}

fn again(resolved: &Pipeline) -> Pipeline {
    let yaml = pipeline::to_yaml(resolved).unwrap();
    let told = |errors: &longshore::diagnostic::Diagnostics| {
        errors.iter().map(|error| format!("{error}\n")).collect::<String>() + &yaml
    };
    let file = pipeline::parse("again", yaml.clone()).unwrap_or_else(|errors| panic!("{}", told(&errors)));
    let (again, _) =
        file.resolve(&|_| Some("no variable is left".into())).unwrap_or_else(|errors| panic!("{}", told(&errors)));
    again
}

/// Places aside, which only say where something was written.
fn assert_same(one: &Pipeline, other: &Pipeline) {
    assert_eq!(serde_json::to_value(one).unwrap(), serde_json::to_value(other).unwrap());
}

/// Keys of build arguments and labels.
fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z_][A-Za-z0-9_.-]{0,8}", "[!-<>-~가-힣]{1,4}", Just("<<".into()), Just("null".into())]
}

/// Texts that YAML takes for something else, or finds hard to write.
const ODD: [&str; 43] = [
    "",
    " ",
    "~",
    "null",
    "true",
    "no",
    "1.10",
    "0x1f",
    "- a",
    "a: b",
    "# a",
    "a #b",
    "a\n",
    "\n",
    "\na",
    " a\nb",
    "a\n\n",
    "a\r\nb",
    "\t",
    "a\tb",
    "$A ${B} $$",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "@",
    "%",
    "`",
    "'",
    "\"",
    "\\",
    "...",
    "---",
    "---\na",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{7f}",
    "\u{0}",
    "\u{1f600}",
    "a\n b\n  c\n",
    "  lead\nback\n",
];

/// Texts of every kind.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        proptest::sample::select(ODD.as_slice()).prop_map(str::to_owned),
        "[a-z $#:\\n\\t'\"é-]{0,30}",
        any::<String>(),
        "[a-z ]{90,200}",
    ]
}

/// A file that says exactly which texts are meant: JSON, with what YAML cannot hold as it is written as escapes.
fn written(file: &serde_json::Value) -> String {
    let json = file.to_string();
    let escaped = json.chars().map(|c| match c {
        ' '..='~' => c.to_string(),
        c => format!("\\U{:08X}", u32::from(c)),
    });
    escaped.collect()
}

fn pipeline_file() -> impl Strategy<Value = serde_json::Value> {
    let map = || proptest::collection::btree_map(key(), text(), 0..4);
    let non_empty = || text().prop_filter("not empty", |text| !text.trim().is_empty());
    (map(), map(), non_empty(), non_empty(), proptest::option::of(non_empty()), any::<[bool; 4]>()).prop_map(
        |(args, labels, context, recipe, target, [no_cache, inline, create, definitions])| {
            let escape = |text: &str| text.replace('$', "$$");
            let all = |map: BTreeMap<String, String>| -> serde_json::Map<String, serde_json::Value> {
                map.iter().map(|(key, value)| (key.clone(), escape(value).into())).collect()
            };
            let mut build = serde_json::json!({
                "context": escape(&context),
                "args": all(args),
                "labels": all(labels),
                "no_cache": no_cache,
            });
            build[if inline { "dockerfile_inline" } else { "dockerfile" }] = escape(&recipe).into();
            if let Some(target) = target {
                build["target"] = escape(&target).into();
            }
            serde_json::json!({
                "version": 1,
                "environments": { "prod": { "branch": escape(&recipe) }, "1.0": {} },
                "images": { "web": { "build": build, "repository": { "create": create } } },
                "outputs": { "image_definitions": if definitions { escape(&context).into() } else { serde_json::json!(false) } },
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_pieces_are_read_or_refused(pieces in proptest::collection::vec(proptest::sample::select(PIECES.as_slice()), 0..30)) {
        read(&pieces.concat());
    }

    #[test]
    fn a_good_file_with_one_piece_too_many(at in 0usize..400, piece in proptest::sample::select(PIECES.as_slice())) {
        let mut good = include_str!("cases/config/full/longshore.yaml").to_owned();
        let at = (at..=good.len()).find(|at| good.is_char_boundary(*at)).unwrap_or(good.len());
        good.insert_str(at, piece);
        read(&good);
    }

    #[test]
    fn what_is_written_down_means_the_same(file in pipeline_file()) {
        let parsed = pipeline::parse("f.json", written(&file)).unwrap();
        let (resolved, _) = parsed.resolve(&|_| None).unwrap();
        let build = serde_json::to_value(&resolved).unwrap()["images"]["web"]["build"].take();
        for field in ["args", "labels"] {
            let meant: serde_json::Map<String, serde_json::Value> = file["images"]["web"]["build"][field]
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, value)| (key.clone(), value.as_str().unwrap().replace("$$", "$").into()))
                .collect();
            prop_assert_eq!(build[field].as_object(), Some(&meant));
        }
        assert_same(&resolved, &again(&resolved));
    }
}
