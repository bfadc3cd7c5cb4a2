//! The words that stand for rules.

use super::subject::Subject;
use crate::facts::Known;
use crate::names::Tag;
use crate::pipeline::Preset;

/// What must hold for a rule of a preset, besides what the rule itself says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    None,
    /// The version is not of the form 0.x: `0` would promise what 0.x does not keep.
    MajorAboveZero,
    /// The version is the highest stable one of all.
    HighestVersion,
}

/// A rule that a preset stands for, in the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PresetRule {
    pub text: String,
    pub condition: Condition,
    /// What the tag is made from, where the rule cannot know.
    pub why: Option<String>,
}

/// The rules that a preset stands for.
///
/// # Errors
/// If they need an environment and there is none; the text says why.
pub(super) fn rules(preset: Preset, environment: &Result<Known<Tag>, String>) -> Result<Vec<PresetRule>, String> {
    let rule = |text: &str, condition| PresetRule { text: text.to_owned(), condition, why: None };
    Ok(match preset {
        Preset::Semver => {
            let conditions = [Condition::None, Condition::None, Condition::MajorAboveZero];
            preset.rules().iter().zip(conditions).map(|(text, condition)| rule(text, condition)).collect()
        }
        Preset::Latest => preset.rules().iter().map(|text| rule(text, Condition::HighestVersion)).collect(),
        Preset::Sha | Preset::Branch | Preset::Pr | Preset::Schedule => {
            preset.rules().iter().map(|text| rule(text, Condition::None)).collect()
        }
        Preset::Env => {
            let name = environment.as_ref().map_err(Clone::clone)?;
            let why = format!("environment {}, from {}", name.value, name.source);
            let text = format!("type=raw,value={}", name.value);
            vec![PresetRule { text, condition: Condition::None, why: Some(why) }]
        }
    })
}

impl Condition {
    /// Whether it holds, with what it was seen from if that is worth saying; or why it does not hold.
    pub fn check(self, subject: &Subject<'_>) -> Result<Option<String>, String> {
        match self {
            Condition::None => Ok(None),
            Condition::MajorAboveZero => match subject.version() {
                Ok((version, _)) if version.version.major == 0 && !version.is_pre_release() => {
                    Err("0.x keeps no promises".to_owned())
                }
                _ => Ok(None),
            },
            Condition::HighestVersion => highest(subject).map(Some),
        }
    }
}

fn highest(subject: &Subject<'_>) -> Result<String, String> {
    let (version, tag) = subject.version()?;
    let facts = subject.facts;
    if version.is_pre_release() {
        return Err(format!("{} is a pre-release", version.version));
    }
    match subject.highest_stable() {
        Some(highest) if highest.version > version.version => {
            Err(format!("{} is not the highest version, {} is", version.version, highest.version))
        }
        None if facts.shallow => {
            Err("the clone is shallow and has no tags to compare with; fetch them, as with `fetch-depth: 0`".to_owned())
        }
        None if !facts.in_git => Err("there is no git repository whose tags could be compared".to_owned()),
        _ => Ok(format!("git tag {} is the highest stable version", tag.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::rule;

    #[test]
    fn every_preset_is_written_in_the_grammar() {
        let environment = Ok(Known::new("prod".parse().unwrap(), "--env"));
        for preset in Preset::ALL {
            for rule in rules(preset, &environment).unwrap() {
                assert!(rule::parse(&rule.text).is_ok(), "{}", rule.text);
            }
        }
    }
}
