//! `longshore tags`

use std::sync::Arc;

use super::{World, look, read};
use crate::cli::{RuleArgs, TagsArgs};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::facts::Facts;
use crate::pipeline::rule::{self, Flavor};
use crate::pipeline::{TagRule, TagRuleKind};
use crate::plan::labels;
use crate::plan::tags::{DerivedTags, Rules, derive};
use crate::report;
use crate::report::tags::Tagged;

pub(super) fn run(args: &TagsArgs, world: &World) -> Result<(), Diagnostics> {
    match &args.rules.rules {
        Some(texts) => of_rules(texts, args, world),
        None => of_pipeline(args, world),
    }
}

fn of_pipeline(args: &TagsArgs, world: &World) -> Result<(), Diagnostics> {
    let mut loaded = read::pipeline(&args.pipeline, world)?;
    read::select(&mut loaded.pipeline, &args.images)?;
    let facts = look::checkout(&args.facts, &loaded.root, world)?;
    look::warn_of_changes(&facts, world);
    let environment = look::environment(&args.facts, &loaded.pipeline, &facts, world)?;
    let tags = look::tags(&loaded.pipeline, &facts, &environment)?;
    let images: Vec<(String, Tagged)> = (loaded.pipeline.images.iter().zip(tags))
        .map(|(image, derived)| {
            let version = derived.tags.first().map(|planned| &planned.tag);
            let labels = labels::standard(&facts, version, &image.build.labels);
            (image.name.clone(), Tagged { derived, labels, annotations: None })
        })
        .collect();
    if args.json {
        report::print(&report::tags::json(&images))?;
    } else if args.explain {
        report::print(&report::tags::explained(&images))?;
    } else {
        let none = images.iter().filter(|(_, tagged)| tagged.derived.tags.is_empty()).map(|(name, _)| {
            Diagnostic::input(format!("image `{name}` gets no tag")).hint("`longshore tags --explain` says why")
        });
        world.warn(&none.collect::<Vec<_>>());
        report::print(&report::tags::plain(&images))?;
    }
    Ok(())
}

/// Rules of the command line, with no pipeline file.
fn of_rules(texts: &[String], args: &TagsArgs, world: &World) -> Result<(), Diagnostics> {
    let (rules, flavor) = parse(texts, &args.rules.flavor)?;
    let facts = look::checkout(&args.facts, &world.folder, world)?;
    let no_environment = Err("environments belong to a pipeline file".to_owned());
    let derived = derive(&Rules { rules: &rules, flavor: &flavor, tag_prefix: "" }, &facts, &no_environment)?;
    let tagged = tagged(derived, &args.rules, &facts, world)?;
    if args.json {
        report::print(&report::tags::json_of_rules(&tagged))?;
    } else if args.explain {
        report::print(&report::tags::explained_rules(&tagged))?;
    } else {
        if tagged.derived.tags.is_empty() {
            let warning = Diagnostic::input("the rules give no tag").hint("`--explain` says why");
            world.warn(&[warning]);
        }
        report::print(&report::tags::plain(&[(String::new(), tagged)]))?;
    }
    Ok(())
}

fn parse(texts: &[String], flavor_texts: &[String]) -> Result<(Vec<TagRule>, Flavor), Diagnostics> {
    let (mut rules, mut flavor, mut faults) = (Vec::new(), Flavor::default(), Vec::new());
    let mut lines: Vec<&str> = texts.iter().flat_map(|text| rule::lines(text)).collect();
    if lines.is_empty() {
        lines.extend(rule::DEFAULTS);
    }
    for line in lines {
        let place = Some(typed("--rule", line));
        match rule::parse(line) {
            Ok(rule) => rules.push(TagRule { kind: TagRuleKind::Rule(Box::new(rule)), place }),
            Err(wrong) => faults.push(wrong.in_rule(line, place.as_ref())),
        }
    }
    for line in flavor_texts.iter().flat_map(|text| rule::lines(text)) {
        let place = typed("--flavor", line);
        if let Err(wrong) = flavor.add(line, Some(&place)) {
            faults.push(wrong.in_flavor(line, Some(&place)));
        }
    }
    Diagnostics::check(faults)?;
    Ok((rules, flavor))
}

/// The place of a text on the command line.
fn typed(flag: &str, text: &str) -> Place {
    let source = Arc::new(Source { name: flag.to_owned(), text: text.to_owned() });
    Place { source, line: 1, column: 1, length: text.chars().count() }
}

/// Source: README of docker/metadata-action, "Environment variables".
const LEVELS: &str = "DOCKER_METADATA_ANNOTATIONS_LEVELS";

fn tagged(derived: DerivedTags, args: &RuleArgs, facts: &Facts, world: &World) -> Result<Tagged, Diagnostics> {
    let lines = |texts: &'_ [String]| -> Vec<String> {
        texts.iter().flat_map(|text| rule::lines(text)).map(str::to_owned).collect()
    };
    let version = derived.tags.first().map(|planned| planned.tag.clone());
    let of = |own: &[String]| {
        let own = lines(own);
        labels::of_action(facts, version.as_ref(), &own.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let labels = of(&args.labels)?;
    let levels = world.variables.get(LEVELS).filter(|levels| !levels.is_empty());
    let annotations = match (args.annotations.is_empty(), levels) {
        (true, None) => None,
        (_, levels) => {
            let annotations = of(&args.annotations)?;
            let levels = levels.map_or("manifest", String::as_str).split(',');
            let one = |level: &str| annotations.iter().map(|(key, value)| format!("{level}:{key}={value}")).collect();
            Some(levels.flat_map(|level| -> Vec<String> { one(level) }).collect())
        }
    };
    Ok(Tagged { derived, labels, annotations })
}
