//! How long rules take. `cargo test --release --test tags_speed -- --ignored --nocapture` says it.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used, reason = "it measures, and tells")]

use std::time::{Duration, Instant};

use longshore::facts::{Facts, Known, Refs};
use longshore::pipeline::rule::{self, Flavor};
use longshore::pipeline::{TagRule, TagRuleKind};
use longshore::plan::tags::{Rules, derive};

const RULES: [&str; 6] = [
    "type=semver,pattern={{major}}.{{minor}}",
    "type=match,pattern=v(\\d+)\\.(\\d+),group=2",
    "type=pep440,pattern={{version}}",
    "type=raw,value={{date 'YYYYMMDD' tz='Asia/Seoul'}}-{{tag}}",
    "type=ref,event=tag,prefix=release-",
    "type=raw,value=plain",
];

#[test]
#[ignore = "a measurement, which says something in a release build only"]
fn ten_thousand_rules_take_well_under_a_second() {
    let facts = Facts {
        refs: Refs::tag(Known::new("v1.2.3".into(), "test")),
        now: Some(Known::new(time::macros::datetime!(2024-05-06 07:08:09 UTC), "test")),
        ..Facts::default()
    };
    let began = Instant::now();
    let rules: Vec<TagRule> = (0..10_000)
        .map(|number| format!("{},suffix=-{number}", RULES[number % RULES.len()]))
        .map(|text| TagRule { kind: TagRuleKind::Rule(Box::new(rule::parse(&text).unwrap())), place: None })
        .collect();
    let rules = Rules { rules: &rules, flavor: &Flavor::default(), tag_prefix: "" };
    let derived = derive(&rules, &facts, &Err("none".into())).unwrap();
    let took = began.elapsed();
    eprintln!("10,000 rules gave {} tags in {took:?}", derived.tags.len());
    assert_eq!(derived.tags.len(), 10_001);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
