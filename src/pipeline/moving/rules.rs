//! From the rules of an image to what their tags look like.

use super::shape::{Part, Shape};
use crate::diagnostic::Place;
use crate::pipeline::recipe::{Cache, CacheKind};
use crate::pipeline::rule::{self, LatestFlavor, Piece, RefEvent, Rule, RuleKind, VersionRule};
use crate::pipeline::{Environment, Image, Preset, TagRule, TagRuleKind};

/// The tags of one rule that look alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// What they look like.
    pub shape: Shape,
    /// The rule, as it stands in the file.
    pub rule: String,
    /// Where it stands.
    pub place: Option<Place>,
    /// Another run gives them to another image.
    pub moves: bool,
}

/// What is filled in for a name of a template.
enum Filled {
    /// It is the same for the same source only.
    Staying(Vec<Part>),
    /// It is the same for many sources.
    Moving(Vec<Part>),
}

/// All tags that the rules of an image can give.
pub fn given(image: &Image, environments: &[Environment]) -> Vec<Given> {
    let mut all = Vec::new();
    for rule in &image.tags {
        let written = rule.kind.to_string();
        let mut add = |shape: Shape, moves: bool| {
            all.push(Given { shape, rule: written.clone(), place: rule.place.clone(), moves });
        };
        match &rule.kind {
            TagRuleKind::Literal(tag) if is_version(tag.as_str()) || is_from_variable(rule) => {
                add(Shape::text(tag.as_str()), false);
            }
            TagRuleKind::Literal(tag) => add(Shape::text(tag.as_str()), true),
            TagRuleKind::Preset(preset) => {
                for text in texts(*preset, environments) {
                    if let Ok(parsed) = rule::parse(&text) {
                        of_rule(&parsed, image, &mut add);
                    }
                }
            }
            TagRuleKind::Rule(parsed) => of_rule(parsed, image, &mut add),
        }
    }
    if adds_latest(image) {
        let affix = |on: bool, piece: &Piece| if on { piece.text.clone() } else { String::new() };
        let flavor = &image.flavor.flavor;
        let before = affix(flavor.prefix.on_latest, &flavor.prefix.template);
        let after = affix(flavor.suffix.on_latest, &flavor.suffix.template);
        let shape = Shape::text(&format!("{before}latest{after}"));
        all.push(Given { shape, rule: "flavor".to_owned(), place: None, moves: true });
    }
    let own = |shape, rule: &str| Given { shape, rule: rule.to_owned(), place: None, moves: true };
    if let Some(Cache::On { kind: CacheKind::Registry, repository: None, .. }) = &image.build.cache {
        all.push(own(Shape(vec![Part::Text("cache-".to_owned()), Part::Any]), "cache"));
    }
    // Those of content keys: an image whose age is over is built again under its key.
    all.push(own(Shape(vec![Part::Text("src-".to_owned()), Part::Hash(20)]), "reuse"));
    all
}

/// The rules that a word stands for, in the grammar.
fn texts(preset: Preset, environments: &[Environment]) -> Vec<String> {
    match preset {
        Preset::Env => environments.iter().map(|environment| format!("type=raw,value={}", environment.name)).collect(),
        _ => preset.rules().iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn of_rule(rule: &Rule, image: &Image, add: &mut impl FnMut(Shape, bool)) {
    if rule.enable.text == "false" {
        return;
    }
    let flavor = &image.flavor.flavor;
    let before = affix(rule.prefix.as_ref().unwrap_or(&flavor.prefix.template));
    let after = affix(rule.suffix.as_ref().unwrap_or(&flavor.suffix.template));
    let around = |value: Vec<Part>| Shape(before.iter().cloned().chain(value).chain(after.iter().cloned()).collect());
    match &rule.kind {
        RuleKind::Semver(version) | RuleKind::Pep440(version) => {
            let (value, moves) = version_tags(version);
            if moves {
                add(around(value), true);
            } else {
                // Only as it was written it may begin with a letter.
                let spellings = if version.pattern.text.contains("raw") { 2 } else { 1 };
                versions().into_iter().take(spellings).for_each(|value| add(around(value), false));
                // What other rules give for a pre-release, which stands for itself, is no loss if it may move.
                add(around(pre_release()), false);
            }
        }
        RuleKind::Match { .. } | RuleKind::Ref(RefEvent::Tag) => {
            versions().into_iter().for_each(|value| add(around(value), false));
        }
        RuleKind::Schedule { pattern } => filled(pattern, general, around, add),
        RuleKind::Raw { value } => filled(value, general, around, add),
        RuleKind::Edge { .. } => add(around(vec![Part::Text("edge".to_owned())]), true),
        RuleKind::Ref(RefEvent::Branch) => add(around(vec![Part::Any]), true),
        RuleKind::Ref(RefEvent::Pr) => add(around(vec![Part::Number]), true),
        RuleKind::Sha { long } => add(around(vec![Part::Hash(if *long { 40 } else { 7 })]), false),
    }
}

fn filled(
    piece: &Piece,
    scope: fn(&str) -> Filled,
    around: impl Fn(Vec<Part>) -> Shape,
    add: &mut impl FnMut(Shape, bool),
) {
    let (value, staying) = fill(piece, scope);
    let text: String = value.iter().map(|part| if let Part::Text(text) = part { text.as_str() } else { "" }).collect();
    let is_plain = value.iter().all(|part| matches!(part, Part::Text(_)));
    add(around(value), !(staying || (is_plain && is_version(&text))));
}

/// A template with its names filled in, and whether one of them stays with the source.
fn fill(piece: &Piece, scope: fn(&str) -> Filled) -> (Vec<Part>, bool) {
    let (mut parts, mut staying) = (Vec::new(), false);
    let mut rest = piece.text.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((call, behind)) = after.split_once("}}") else { break };
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let call = call.trim_matches(['{', '}', ' ']);
        let name = call.split([' ', '\'', '"']).next().unwrap_or_default();
        match scope(name) {
            Filled::Staying(filled) => {
                staying = true;
                parts.extend(filled);
            }
            Filled::Moving(filled) => parts.extend(filled),
        }
        rest = behind.trim_start_matches('}');
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    (parts, staying)
}

fn affix(piece: &Piece) -> Vec<Part> {
    fill(piece, general).0
}

/// The names of templates that know the whole of a checkout.
fn general(name: &str) -> Filled {
    match name {
        "sha" => Filled::Staying(vec![Part::Hash(7)]),
        "date" | "commit_date" => Filled::Staying(vec![Part::Number]),
        "tag" => Filled::Staying(vec![Part::Any]),
        _ => Filled::Moving(vec![Part::Any]),
    }
}

/// What a pattern for versions gives, and whether that is the same for many versions.
fn version_tags(rule: &VersionRule) -> (Vec<Part>, bool) {
    let of_version = |name: &str| match name {
        "version" | "raw" => Filled::Staying(vec![Part::Any]),
        _ => Filled::Moving(vec![Part::Number]),
    };
    let (value, staying) = fill(&rule.pattern, of_version);
    let has = |name: &str| rule.pattern.text.contains(name);
    (value, !(staying || (has("major") && has("minor") && has("patch"))))
}

/// `1.2.3`, and git tags as they mostly are.
fn versions() -> Vec<Vec<Part>> {
    let dot = || Part::Text(".".to_owned());
    let plain = vec![Part::Number, dot(), Part::Number, dot(), Part::Number];
    let tagged = std::iter::once(Part::Text("v".to_owned())).chain(plain.clone()).collect();
    vec![plain, tagged]
}

fn pre_release() -> Vec<Part> {
    let mut parts = versions().swap_remove(0);
    parts.extend([Part::Text("-".to_owned()), Part::Any]);
    parts
}

/// Whether a tag that is written out is of one version, and so is not meant to move.
fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let numbers: Vec<&str> = text.split(['-', '+']).next().unwrap_or_default().split('.').collect();
    numbers.len() >= 3 && numbers.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a tag comes from a variable of the environment: what that holds in other runs, nobody knows.
fn is_from_variable(rule: &TagRule) -> bool {
    let Some(place) = &rule.place else { return false };
    let line = place.source.text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    line.chars().skip(place.column.saturating_sub(1)).take(place.length).any(|c| c == '$')
}

/// Whether the flavor adds `latest`: always, or because the type of a rule does.
fn adds_latest(image: &Image) -> bool {
    let by_type = |rule: &TagRule| match &rule.kind {
        TagRuleKind::Rule(rule) => matches!(
            rule.kind,
            RuleKind::Semver(_) | RuleKind::Pep440(_) | RuleKind::Match { .. } | RuleKind::Ref(RefEvent::Tag)
        ),
        TagRuleKind::Preset(_) | TagRuleKind::Literal(_) => false,
    };
    match image.flavor.flavor.latest {
        LatestFlavor::Always => true,
        LatestFlavor::Auto => image.tags.iter().any(by_type),
        LatestFlavor::Never => false,
    }
}
