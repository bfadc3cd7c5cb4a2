//! How long tag rules take: `make bench` says it.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, reason = "it measures, and tells")]

use std::time::Instant;

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

fn main() {
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
    println!("10,000 tag rules gave {} tags in {:.2} s", derived.tags.len(), began.elapsed().as_secs_f64());
}
