//! What holds for any rules: every tag is one, nothing panics, and every fault has a place inside of its rule.
#![allow(clippy::unwrap_used, reason = "this is how a test fails")]

use longshore::diagnostic::{Diagnostics, Place, Source};
use longshore::facts::{Commit, Event, Facts, Known, Refs};
use longshore::names::Tag;
use longshore::pipeline::rule::{self, Flavor};
use longshore::pipeline::{Preset, TagRule, TagRuleKind};
use longshore::plan::tags::{DerivedTags, Rules, derive};
use proptest::prelude::*;
use time::OffsetDateTime;

/// The docker tag grammar. Source: OCI distribution specification, "Pulling manifests".
fn is_tag(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    (1..=128).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with(['.', '-'])
}

/// Texts that come near to what means something, and texts that do not.
fn value() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{".to_owned()),
        Just("}}".to_owned()),
        proptest::sample::select(vec![
            "{{branch}}",
            "{{tag}}",
            "{{sha}}",
            "{{version}}",
            "{{major}}",
            "{{raw}}",
            "{{base_ref}}",
            "{{is_default_branch}}",
            "{{date 'YYYYMMDD'}}",
            "{{date '' tz='Asia/Seoul'}}",
            "{{commit_date 'w[w]gg'}}",
            "{{#if tag}}",
            "{{else}}",
            "{{/if}}",
            "{{{branch}}}",
            "\\d+",
            "(.*)",
            "[^]",
            "(?<n>",
            "{2,}",
            "\\",
            "'",
            "~",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,6}",
        "\\PC{0,3}",
        Just("x".repeat(140)),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn rule_text() -> impl Strategy<Value = String> {
    let kind =
        proptest::sample::select(vec!["schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha", "x"]);
    let key = proptest::sample::select(vec![
        "pattern", "value", "match", "group", "branch", "event", "format", "prefix", "suffix", "enable", "priority",
    ]);
    let attributes = proptest::collection::vec((key, value()), 0..4);
    let built = (kind, attributes).prop_map(|(kind, attributes)| {
        let attributes: Vec<String> = attributes
            .into_iter()
            .map(|(key, value)| format!("\"{}\"", format!("{key}={value}").replace('"', "\"\"")))
            .collect();
        format!("type={kind},event=tag,pattern={{{{version}}}},value=v1.2.3,{}", attributes.join(","))
    });
    prop_oneof![3 => built, 1 => value(), 1 => "\\PC{0,40}"]
}

fn facts() -> impl Strategy<Value = Facts> {
    let name =
        || prop_oneof!["[a-zA-Z0-9./_#-]{0,12}", "\\PC{0,8}", Just("y".repeat(300)), Just("v1.2.3-rc.1".to_owned())];
    (any::<bool>(), name(), name(), 0i64..4_000_000_000, any::<bool>()).prop_map(
        |(is_tag, name, base, at, scheduled)| {
            let known = Known::new(name.clone(), "test");
            Facts {
                refs: if is_tag { Refs::tag(known) } else { Refs::branch(known) },
                base_branch: Some(Known::new(base, "test")),
                commit: Commit::parse(&"0123456789".repeat(4)).map(|commit| Known::new(commit, "test")),
                now: OffsetDateTime::from_unix_timestamp(at).ok().map(|time| Known::new(time, "test")),
                event: Some(Known::new(Event { name: "x".into(), scheduled, on_default_branch: scheduled }, "test")),
                ..Facts::default()
            }
        },
    )
}

fn place(text: &str) -> Place {
    let source = std::sync::Arc::new(Source { name: "--rule".into(), text: text.to_owned() });
    Place { source, line: 1, column: 1, length: text.chars().count() }
}

fn run(texts: &[String], flavor: &[String], facts: &Facts) -> Result<DerivedTags, Diagnostics> {
    let mut rules: Vec<TagRule> =
        Preset::ALL.into_iter().map(|preset| TagRule { kind: TagRuleKind::Preset(preset), place: None }).collect();
    let mut faults = Vec::new();
    for text in texts {
        let place = place(text);
        match rule::parse(text) {
            Ok(rule) => rules.push(TagRule { kind: TagRuleKind::Rule(Box::new(rule)), place: Some(place) }),
            Err(wrong) => faults.push(wrong.in_rule(text, Some(&place))),
        }
    }
    let mut read = Flavor::default();
    for line in flavor {
        faults.extend(read.add(line, None).err().map(|wrong| wrong.in_flavor(line, None)));
    }
    // Faults of some rules do not keep the others from being applied here.
    let derived = derive(&Rules { rules: &rules, flavor: &read, tag_prefix: "" }, facts, &Err("none".into()));
    Diagnostics::check(faults)?;
    derived
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_tag_is_one_and_nothing_panics(
        texts in proptest::collection::vec(rule_text(), 1..5),
        flavor in proptest::collection::vec(value().prop_map(|value| format!("prefix={value},onlatest=true")), 0..2),
        facts in facts(),
    ) {
        match run(&texts, &flavor, &facts) {
            Ok(derived) => {
                let tags: Vec<&str> = derived.tags.iter().map(|planned| planned.tag.as_str()).collect();
                prop_assert!(tags.iter().all(|tag| is_tag(tag)), "{tags:?}");
                let unique: std::collections::BTreeSet<&str> = tags.iter().copied().collect();
                prop_assert_eq!(unique.len(), tags.len());
            }
            Err(faults) => {
                for fault in faults.iter() {
                    let told = fault.to_string();
                    prop_assert!(!told.is_empty());
                    if let Some(place) = &fault.place {
                        prop_assert!(place.column >= 1 && place.column <= place.source.text.chars().count() + 1, "{told}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_legal_text_is_given_as_it_is(text in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}") {
        let tag: Tag = text.parse().unwrap();
        let derived = run(&[format!("type=raw,value={text},priority=9999")], &[], &Facts::default()).unwrap();
        prop_assert!(derived.tags.iter().any(|planned| planned.tag == tag && planned.rule.ends_with("9999")));
    }
}
