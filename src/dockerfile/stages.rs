//! The stages that are built for a target, and what they take from outside.

use std::collections::{BTreeMap, BTreeSet};

use super::expand::{Expanded, expand};
use super::lines::{self, File, Instruction};
use super::mounts::{self, Mount};
use super::{Circumstances, Recipe, Unreadable, words};

type Variables = BTreeMap<String, String>;

/// One stage, and what it takes by its own instructions.
#[derive(Debug, Default)]
struct Stage {
    /// In lower case, as names of stages are compared.
    name: Option<String>,
    /// Stages that it is built on or copies from, by number or name.
    stages: Vec<Ref>,
    base: Base,
    takes: Recipe,
    env: Variables,
    args: Variables,
}

/// What a stage begins with.
#[derive(Debug, Clone, Default)]
enum Base {
    /// Nothing, or something that is not known.
    #[default]
    Nothing,
    Stage(String),
    /// An image or a named context.
    Outside(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ref {
    Number(usize),
    Name(String),
}

struct Reader<'a> {
    escape: char,
    around: &'a Circumstances<'a>,
    /// The arguments before the first `FROM`, and those that the builder defines.
    global: Variables,
    stages: Vec<Stage>,
}

/// Reads all stages and joins what the wanted ones take.
///
/// # Errors
/// If an instruction that matters cannot be understood, or the target is not there.
pub(super) fn read(file: &File, around: &Circumstances<'_>) -> Result<Recipe, Unreadable> {
    let global = platform_arguments(around);
    let mut reader = Reader { escape: file.escape, around, global, stages: Vec::new() };
    for instruction in &file.instructions {
        reader.instruction(instruction).map_err(|problem| Unreadable { line: instruction.line, problem })?;
    }
    let last = file.instructions.last().map_or(1, |instruction| instruction.line);
    reader.join().map_err(|problem| Unreadable { line: last, problem })
}

/// Source: Dockerfile reference, "Automatic platform ARGs in the global scope".
fn platform_arguments(around: &Circumstances<'_>) -> Variables {
    let mut global = Variables::new();
    for (prefix, platform) in [("BUILD", around.build_platform), ("TARGET", around.platform)] {
        let (os, architecture, variant) = platform.split();
        for (name, value) in [("PLATFORM", platform.as_str()), ("OS", os), ("ARCH", architecture), ("VARIANT", variant)]
        {
            global.insert(format!("{prefix}{name}"), value.to_owned());
        }
    }
    global.insert("TARGETSTAGE".into(), around.target.unwrap_or("default").to_owned());
    for (name, value) in &mut global {
        if let Some(given) = around.args.get(name) {
            value.clone_from(given);
        }
    }
    global
}

impl Reader<'_> {
    fn instruction(&mut self, instruction: &Instruction) -> Result<(), String> {
        let (flags, words) = words::flags(&instruction.rest, self.escape);
        match (instruction.keyword.as_str(), self.stages.last()) {
            ("FROM", _) => return self.from(&flags, &words),
            ("ARG", None) => {
                for word in &words {
                    self.global_argument(word)?;
                }
            }
            (_, None) => return Err(format!("`{}` stands before the first `FROM`", instruction.keyword)),
            ("ARG", _) => {
                for word in &words {
                    self.argument(word)?;
                }
            }
            ("ENV", _) => self.env(&words)?,
            ("COPY" | "ADD", _) => self.copy(instruction, &flags)?,
            ("RUN", _) => {
                for (_, value) in flags.iter().filter(|(name, _)| name == "mount") {
                    match mounts::read(value) {
                        Mount::From(from) => self.take_from(&from),
                        Mount::Context(source) => self.take(|takes| takes.copies.insert(source)),
                        Mount::Nothing => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn from(&mut self, flags: &[(String, String)], words: &[String]) -> Result<(), String> {
        let (image, name) = match words {
            [image] => (image, None),
            [image, word, name] if word.eq_ignore_ascii_case("as") => (image, Some(name.to_ascii_lowercase())),
            _ => return Err("`FROM` takes an image, and `AS` with a name".into()),
        };
        let image = self.expand_with(image, &|name| self.global.get(name).cloned())?.text;
        if image.is_empty() {
            return Err("`FROM` names no image: a variable in it is empty".into());
        }
        let mut stage = Stage { name, ..Stage::default() };
        let named = |name: &str| self.around.contexts.contains(name);
        let earlier = self.stages.iter().rev().find(|stage| stage.name.as_deref() == Some(&image.to_ascii_lowercase()));
        if let Some(name) = stage.name.as_deref().filter(|name| named(name)) {
            // A context of the stage's name stands in the stage's place.
            stage.base = Base::Outside(name.to_owned());
            stage.takes.contexts.insert(name.to_owned());
        } else if named(&image) {
            stage.base = Base::Outside(image.clone());
            stage.takes.contexts.insert(image);
        } else if let Some(earlier) = earlier {
            stage.env = earlier.env.clone();
            stage.args = earlier.args.clone();
            stage.base = Base::Stage(image.to_ascii_lowercase());
            stage.stages.push(Ref::Name(image.to_ascii_lowercase()));
        } else if image != "scratch" {
            stage.base = Base::Outside(image.clone());
            stage.takes.images.insert(image);
        }
        let platform = flags.iter().find(|(name, _)| name == "platform").map(|(_, value)| value.as_str());
        if !matches!(platform, None | Some("$TARGETPLATFORM" | "${TARGETPLATFORM}")) {
            stage.base = Base::Nothing;
        }
        self.stages.push(stage);
        Ok(())
    }

    fn global_argument(&mut self, word: &str) -> Result<(), String> {
        let (name, default) = assignment(word);
        let value = match (self.around.args.get(name), default) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(default)) => Some(self.expand_with(default, &|name| self.global.get(name).cloned())?.text),
            (None, None) => None,
        };
        if let Some(value) = value {
            self.global.insert(name.to_owned(), value);
        }
        Ok(())
    }

    fn argument(&mut self, word: &str) -> Result<(), String> {
        let (name, default) = assignment(word);
        let value = match (self.around.args.get(name), default) {
            (Some(given), _) => Some(given.clone()),
            // A value that is not understood is one that is not known.
            (None, Some(default)) => self.expand(default).ok().filter(|value| !value.unset).map(|value| value.text),
            (None, None) => self.global.get(name).cloned(),
        };
        if let Some(stage) = self.stages.last_mut() {
            match value {
                Some(value) => stage.args.insert(name.to_owned(), value),
                None => stage.args.remove(name),
            };
        }
        Ok(())
    }

    /// `ENV name=value …`, and the old form `ENV name value`.
    fn env(&mut self, words: &[String]) -> Result<(), String> {
        let old = words.first().is_some_and(|word| !word.contains('='));
        let pairs: Vec<(String, String)> = match words {
            [name, value @ ..] if old => vec![(name.clone(), value.join(" "))],
            _ => words.iter().filter_map(|word| word.split_once('=')).map(|(n, v)| (n.into(), v.into())).collect(),
        };
        let values: Vec<_> = pairs.into_iter().map(|(name, value)| (name, self.expand(&value).ok())).collect();
        if let Some(stage) = self.stages.last_mut() {
            for (name, value) in values {
                match value.filter(|value| !value.unset) {
                    Some(value) => stage.env.insert(name, value.text),
                    None => stage.env.remove(&name),
                };
            }
        }
        Ok(())
    }

    fn copy(&mut self, instruction: &Instruction, flags: &[(String, String)]) -> Result<(), String> {
        let flag = |wanted: &str| flags.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        if let Some(from) = flag("from") {
            self.take_from(from);
            return Ok(());
        }
        let sources = self.sources(&instruction.rest)?;
        for source in sources {
            let expanded = self.expand(&source).unwrap_or(Expanded { text: source.clone(), unset: true });
            let source = if expanded.unset { source } else { expanded.text };
            let remote = instruction.keyword == "ADD" && (expanded.unset || is_remote(&source));
            if remote && flag("checksum").is_none_or(|checksum| checksum.contains('$')) {
                self.take(|takes| takes.unknowable.push(format!("adds `{source}`, which can change at any time")));
            } else if !remote {
                self.take(|takes| takes.copies.insert(source));
            }
        }
        Ok(())
    }

    /// The sources of a copy, here-documents left out.
    fn sources(&self, rest: &str) -> Result<Vec<String>, String> {
        let (_, words) = words::flags(rest, self.escape);
        let mut words = match words.first() {
            // The form of a JSON list, if it is one.
            Some(first) if first.starts_with('[') => {
                let list = rest.find('[').map_or("", |start| &rest[start..]);
                serde_json::from_str::<Vec<String>>(list).unwrap_or(words)
            }
            _ => words,
        };
        if words.pop().is_none() {
            return Err("it copies nothing".into());
        }
        words.retain(|word| lines::heredoc(word, self.escape).is_none());
        Ok(words)
    }

    /// Something comes from a stage, a named context, or an image.
    fn take_from(&mut self, from: &str) {
        let contexts = self.around.contexts;
        let number = from.parse::<usize>().ok().filter(|number| *number + 1 < self.stages.len());
        let from = from.to_owned();
        let Some(stage) = self.stages.last_mut() else { return };
        if from.contains('$') {
            stage.takes.unknowable.push(format!("copies from `{from}`, where variables are not expanded"));
        } else if let Some(number) = number {
            stage.stages.push(Ref::Number(number));
        } else if contexts.contains(&from) {
            stage.takes.contexts.insert(from);
        } else {
            // Whether it is a stage is known when all stages are.
            stage.stages.push(Ref::Name(from));
        }
    }

    fn take<T>(&mut self, what: impl FnOnce(&mut Recipe) -> T) {
        if let Some(stage) = self.stages.last_mut() {
            what(&mut stage.takes);
        }
    }

    fn expand(&self, word: &str) -> Result<Expanded, String> {
        let stage = self.stages.last();
        // What ENV says goes over arguments of the same name.
        self.expand_with(word, &|name| stage.and_then(|stage| stage.env.get(name).or(stage.args.get(name)).cloned()))
    }

    fn expand_with(&self, word: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Expanded, String> {
        expand(word, self.escape, lookup).map_err(|unsupported| format!("`{word}`: {}", unsupported.0))
    }

    /// Joins what the target takes with what those stages take that it needs.
    fn join(self) -> Result<Recipe, String> {
        let target = self.target()?;
        let mut open = vec![target];
        let mut seen = BTreeSet::new();
        let mut recipe = Recipe { base: self.base(target), ..Recipe::default() };
        while let Some(number) = open.pop() {
            let Some(stage) = self.stages.get(number).filter(|_| seen.insert(number)) else { continue };
            let takes = stage.takes.clone();
            recipe.images.extend(takes.images);
            recipe.contexts.extend(takes.contexts);
            recipe.copies.extend(takes.copies);
            recipe.unknowable.extend(takes.unknowable);
            for needed in &stage.stages {
                match needed {
                    Ref::Number(number) => open.push(*number),
                    Ref::Name(name) => {
                        let found = self.named(name);
                        if found.is_empty() && name != "scratch" {
                            recipe.images.insert(name.clone());
                        }
                        open.extend(found);
                    }
                }
            }
        }
        Ok(recipe)
    }

    fn base(&self, mut number: usize) -> Option<String> {
        loop {
            match &self.stages.get(number)?.base {
                Base::Nothing => return None,
                Base::Outside(name) => return Some(name.clone()),
                // Only an earlier stage can be meant, so this ends.
                Base::Stage(name) => number = self.named(name).into_iter().rfind(|earlier| *earlier < number)?,
            }
        }
    }

    /// Every stage of this name; there should be one, and where there are more, none of them is missed.
    fn named(&self, name: &str) -> Vec<usize> {
        let name = name.to_ascii_lowercase();
        let stages = self.stages.iter().enumerate();
        stages.filter(|(_, stage)| stage.name.as_ref() == Some(&name)).map(|(number, _)| number).collect()
    }

    fn target(&self) -> Result<usize, String> {
        let last = self.stages.len().checked_sub(1).ok_or("it has no `FROM`")?;
        let Some(target) = self.around.target.filter(|target| !target.is_empty()) else { return Ok(last) };
        let number = || target.parse().ok().filter(|number| *number <= last);
        self.named(target).pop().or_else(number).ok_or_else(|| format!("there is no stage `{target}`"))
    }
}

fn assignment(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    }
}

/// A URL or a git repository. Source: Dockerfile reference, "ADD", "Source".
fn is_remote(source: &str) -> bool {
    let lower = source.to_ascii_lowercase();
    ["http://", "https://", "git://", "ssh://", "git@", "github.com/"].iter().any(|start| lower.starts_with(start))
        // `user@host:path` is git's own short form.
        || lower.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'))
}
