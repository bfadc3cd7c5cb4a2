//! What Dockerfiles build on, by the rules of the Dockerfile reference.
#![allow(clippy::unwrap_used, reason = "this is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};

use longshore::dockerfile::{Circumstances, Recipe, Unreadable, read};
use proptest::prelude::*;

fn with(text: &str, target: Option<&str>, args: &[(&str, &str)], contexts: &[&str]) -> Result<Recipe, Unreadable> {
    let args: BTreeMap<String, String> = args.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let contexts: BTreeSet<String> = contexts.iter().map(|name| (*name).to_owned()).collect();
    let circumstances = Circumstances {
        target,
        args: &args,
        platform: &"linux/arm64".parse().unwrap(),
        build_platform: &"linux/amd64".parse().unwrap(),
        contexts: &contexts,
    };
    read(text, &circumstances)
}

fn images(text: &str) -> Vec<String> {
    with(text, None, &[], &[]).unwrap().images.into_iter().collect()
}

fn unknowable(text: &str) -> Vec<String> {
    with(text, None, &[], &[]).unwrap().unknowable
}

#[test]
fn base_images_and_stages() {
    assert_eq!(images("FROM alpine:3"), ["alpine:3"]);
    assert!(images("FROM scratch\nCOPY a /").is_empty());
    assert_eq!(images("FROM --platform=$BUILDPLATFORM go:1 AS Build\nFROM scratch\nCOPY --from=build /a /"), ["go:1"]);
    assert_eq!(images("FROM a:1 AS one\nFROM one AS two\nFROM two"), ["a:1"]);
    assert_eq!(images("FROM a:1\nFROM b:1\nCOPY --from=0 /x /"), ["a:1", "b:1"]);
    assert_eq!(images("FROM scratch\nCOPY --from=nginx:1 /etc /etc"), ["nginx:1"]);
    assert_eq!(images("FROM a:1\nRUN --mount=type=bind,from=tool:2,target=/t t"), ["a:1", "tool:2"]);
    assert_eq!(images("FROM a:1\nONBUILD COPY --from=b:1 /x /"), ["a:1", "b:1"]);
}

#[test]
fn only_what_the_target_needs() {
    let text = "FROM a:1 AS one\nFROM b:1 AS two\nADD https://x/y /\nFROM c:1 AS three\nCOPY --from=one / /";
    assert_eq!(images(text), ["a:1", "c:1"]);
    assert!(unknowable(text).is_empty(), "stage two is not built");
    let two = with(text, Some("TWO"), &[], &[]).unwrap();
    assert_eq!((two.images.len(), two.unknowable.len()), (1, 1));
    assert_eq!(with(text, Some("0"), &[], &[]).unwrap().images, BTreeSet::from(["a:1".to_owned()]));
    assert!(with(text, Some("four"), &[], &[]).unwrap_err().to_string().ends_with("there is no stage `four`"));
}

#[test]
fn arguments_before_the_first_from() {
    let text = "ARG V=3\nARG BASE=alpine:$V\nFROM ${BASE}";
    assert_eq!(images(text), ["alpine:3"]);
    let given = |args| with(text, None, args, &[]).unwrap().images.into_iter().next().unwrap();
    assert_eq!(given(&[("V", "4")]), "alpine:4");
    assert_eq!(given(&[("BASE", "x:1")]), "x:1");
    assert_eq!(images("FROM a:${V:-9}"), ["a:9"], "an argument that is not declared has no value");
    assert_eq!(images("ARG V\nFROM a:${V:-9}"), ["a:9"]);
    assert_eq!(images("FROM a:$TARGETARCH-$BUILDARCH"), ["a:arm64-amd64"]);
    assert_eq!(images("ARG A=1\nFROM \"a:$A\" AS x"), ["a:1"]);
    assert!(with("FROM $NOTHING", None, &[], &[]).is_err());
}

#[test]
fn what_can_change_at_any_time() {
    for text in [
        "ADD https://example.com/a /",
        "ADD git@github.com:a/b.git /",
        "ADD https://github.com/a/b.git#main /",
        "ARG U=https://x/\nADD ${U}y /",
        "ENV U=http://x\nADD $U/y /",
        "ADD $FROM_THE_BASE /",
        "ADD [\"https://example.com/a b\", \"/\"]",
        "COPY --from=$STAGE / /",
    ] {
        assert_eq!(unknowable(&format!("FROM scratch\n{text}")).len(), 1, "{text}");
    }
    for text in [
        "ADD --checksum=sha256:00 https://example.com/a /",
        "ADD a.tar.gz /",
        "COPY $DIR /",
        "ADD <<EOF /x\nhttps://x/y\nEOF",
    ] {
        assert!(unknowable(&format!("FROM scratch\n{text}")).is_empty(), "{text}");
    }
    assert_eq!(unknowable("# syntax=me/nix-frontend\nFROM a:1"), ["is written for the frontend `me/nix-frontend`"]);
    assert!(unknowable("# syntax=docker/dockerfile:1.7\nFROM a:1").is_empty());
    assert!(unknowable("# syntax=mirror.local:5000/docker/dockerfile:1@sha256:0\nFROM a:1").is_empty());
}

#[test]
fn named_contexts() {
    let found = |text| with(text, None, &[], &["base"]).unwrap();
    for text in ["FROM base", "FROM scratch\nCOPY --from=base / /", "FROM x:1 AS base\nADD http://x /\nFROM base"] {
        let recipe = found(text);
        assert_eq!(recipe.contexts, BTreeSet::from(["base".to_owned()]), "{text}");
        assert!(recipe.images.is_empty(), "{text}");
    }
}

#[test]
fn what_is_copied_from_the_context() {
    let copies =
        |text: &str, name: &str| with(&format!("FROM scratch\n{text}"), None, &[], &[]).unwrap().may_copy(name);
    for text in
        ["COPY . .", "COPY / /", "COPY ./ /", "COPY * /", "COPY .g* /", "COPY .git/HEAD /", "COPY $X /", "ADD . /"]
    {
        assert!(copies(text, ".git"), "{text}");
    }
    assert!(copies("RUN --mount=target=/src make", ".git"));
    for text in ["COPY web /", "COPY *.json /", "COPY --from=x . .", "RUN ls", "COPY .github /", "COPY a .git b /"] {
        assert_eq!(copies(text, ".git"), text.contains(".git b"), "{text}");
    }
}

#[test]
fn what_is_no_dockerfile() {
    for text in ["", "# nothing", "RUN x", "FROM", "FROM a b", "FROM a AS", "FROM ${x", "FROM a\nRUN <<E\n"] {
        assert!(with(text, None, &[], &[]).is_err(), "{text:?}");
    }
}

const PIECES: [&str; 40] = [
    "FROM ",
    "a:1",
    " AS ",
    "b",
    "\n",
    "\\\n",
    "# syntax=",
    "# escape=`\n",
    "ARG ",
    "X",
    "=",
    "$X",
    "${X",
    ":-",
    "}",
    "COPY ",
    "ADD ",
    "--from=",
    "0",
    "RUN ",
    "--mount=",
    "from=b",
    ",",
    "<<",
    "EOF",
    "-",
    "\"",
    "'",
    "\\",
    "`",
    "[",
    "]",
    " ",
    "\t",
    "\r\n",
    "ENV ",
    "ONBUILD ",
    "https://x",
    "é",
    "\u{feff}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the text, the answer is a recipe or a reason.
    #[test]
    fn no_text_breaks_the_reader(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = pieces.into_iter().map(|at| PIECES[at]).collect();
        let _ = with(&text, Some("b"), &[("X", "y")], &["b"]);
        let _ = with(&text, None, &[], &[]).map(|recipe| recipe.may_copy(".git"));
    }

    #[test]
    fn nor_do_any_characters(text in "\\PC{0,60}") {
        let _ = with(&text, None, &[], &[]);
        let _ = with(&format!("FROM {text}\nCOPY {text}\nRUN {text}\nADD {text} /\nENV {text}"), None, &[], &[]);
    }

    /// Comments, empty lines and continuations between words change nothing.
    #[test]
    fn how_lines_are_broken_does_not_matter(breaks in proptest::collection::vec(0..4usize, 12)) {
        let text = ["FROM", " a:1", " AS", " b\nFROM", " c:1\nCOPY", " --from=b", " /x", " /\nRUN", " --mount=from=d:1", " y"];
        let between = ["", "\\\n", "\\ \n# comment\n", "\\\n\n"];
        let broken: String = text.iter().zip(&breaks).map(|(word, at)| format!("{word}{}", between[*at])).collect();
        let expected = ["a:1", "c:1", "d:1"].map(str::to_owned);
        prop_assert_eq!(with(&broken, None, &[], &[]).unwrap().images, BTreeSet::from(expected), "{}", broken);
    }
}
