//! Names in a Dockerfile replaced by what they mean, for builders that do not know named contexts.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::expand::expand;
use super::lines::{self, Instruction};
use super::{Unreadable, words};
use crate::names::ImageRef;

type Variables = BTreeMap<String, String>;

/// Replaces these names in `FROM`, `--from=` and `--mount=…,from=` by references of images. A stage that has such a name
/// becomes the image. Every line stays where it was.
///
/// # Errors
/// If the Dockerfile cannot be understood, or a name is written in a way that cannot be replaced.
pub fn replace_names(text: &str, images: &Variables, args: &Variables) -> Result<String, Unreadable> {
    let file = lines::read(text)?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(first) = file.instructions.first() else { return Ok(text.to_owned()) };
    let mut result: String = lines[..first.line - 1].concat();
    let mut replacing =
        Replacing { escape: file.escape, images, args, global: Variables::new(), stages: 0, dropped: false };
    for (index, instruction) in file.instructions.iter().enumerate() {
        let end = file.instructions.get(index + 1).map_or(lines.len(), |next| next.line - 1);
        let region = lines[instruction.line - 1..end].concat();
        let replaced = replacing.instruction(instruction, &region);
        result.push_str(&replaced.map_err(|problem| Unreadable { line: instruction.line, problem })?);
    }
    Ok(result)
}

struct Replacing<'a> {
    escape: char,
    images: &'a Variables,
    args: &'a Variables,
    /// The arguments before the first `FROM`.
    global: Variables,
    stages: usize,
    /// What follows belongs to a stage that an image stands in for.
    dropped: bool,
}

impl Replacing<'_> {
    fn instruction(&mut self, instruction: &Instruction, region: &str) -> Result<String, String> {
        let (_, words) = words::flags(&instruction.rest, self.escape);
        match instruction.keyword.as_str() {
            "FROM" => return self.from(&words, region),
            _ if self.dropped => return Ok(blank(region)),
            "ARG" if self.stages == 0 => self.arguments(&words),
            "COPY" | "ADD" | "RUN" => return self.flags(instruction, region),
            _ => {}
        }
        Ok(region.to_owned())
    }

    fn arguments(&mut self, words: &[String]) {
        for word in words {
            let (name, default) = word.split_once('=').unwrap_or((word, ""));
            let value = match self.args.get(name) {
                Some(given) => Some(given.clone()),
                None => {
                    expand(default, self.escape, &|name| self.global.get(name).cloned()).ok().map(|value| value.text)
                }
            };
            if let Some(value) = value {
                self.global.insert(name.to_owned(), value);
            }
        }
    }

    fn from(&mut self, words: &[String], region: &str) -> Result<String, String> {
        self.stages += 1;
        self.dropped = false;
        let Some(written) = words.first() else { return Ok(region.to_owned()) };
        let name = words.get(2).filter(|_| words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("as")));
        let stage = name.and_then(|name| self.image(name)).cloned();
        self.dropped = stage.is_some();
        let meant = || expand(written, self.escape, &|name| self.global.get(name).cloned()).ok();
        let Some(image) = stage.or_else(|| self.image(&meant()?.text).cloned()) else { return Ok(region.to_owned()) };
        replace_word(region, written, &image)
    }

    fn flags(&self, instruction: &Instruction, region: &str) -> Result<String, String> {
        let mut region = region.to_owned();
        for word in words::split(&instruction.rest, self.escape).iter().take_while(|word| word.starts_with("--")) {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let value = words::unquoted(value, self.escape);
            let changed = match name.to_ascii_lowercase().as_str() {
                "--from" => self.image(&value).cloned(),
                "--mount" => self.mount(&value),
                _ => None,
            };
            if let Some(changed) = changed {
                region = replace_word(&region, word, &format!("{name}={changed}"))?;
            }
        }
        Ok(region)
    }

    fn mount(&self, value: &str) -> Option<String> {
        let is_from =
            |field: &&str| field.split_once('=').is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case("from"));
        let from = value.split(',').find(is_from)?;
        let image = self.image(from.split_once('=')?.1.trim())?;
        let fields =
            value.split(',').map(|field| if field == from { format!("from={image}") } else { field.to_owned() });
        Some(fields.collect::<Vec<_>>().join(","))
    }

    /// What a name means. Names of images are compared by what they stand for: `alpine` is `alpine:latest`.
    fn image(&self, name: &str) -> Option<&String> {
        let same = |known: &&String| {
            known.eq_ignore_ascii_case(name)
                || matches!((known.parse::<ImageRef>(), name.parse::<ImageRef>()), (Ok(a), Ok(b)) if a == b)
        };
        self.images.keys().find(same).and_then(|known| self.images.get(known))
    }
}

/// The first place at which this word stands as a word of its own.
fn replace_word(region: &str, word: &str, by: &str) -> Result<String, String> {
    let ends = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let places = region
        .match_indices(word)
        .filter(|(at, _)| ends(region[..*at].chars().next_back()) && ends(region[at + word.len()..].chars().next()));
    match places.map(|(at, _)| at).next() {
        Some(at) => Ok(format!("{}{by}{}", &region[..at], &region[at + word.len()..])),
        None => Err(format!("`{word}` goes over more than one line, so that it cannot be replaced by an image")),
    }
}

/// The same number of lines, with nothing in them.
fn blank(region: &str) -> String {
    "\n".repeat(region.matches('\n').count())
}

/// The lines, counted from 1, of the one instruction that reads so, whatever white space is in it.
pub fn find(text: &str, instruction: &str) -> Option<RangeInclusive<usize>> {
    let file = lines::read(text).ok()?;
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = plain(instruction);
    let reads_so = |one: &Instruction| plain(&format!("{} {}", one.keyword, one.rest)) == wanted;
    let mut found = file.instructions.iter().enumerate().filter(|(_, one)| reads_so(one));
    let (index, one) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let next = file.instructions.get(index + 1).map_or(text.lines().count() + 1, |next| next.line);
    // Comments and empty lines before the next instruction are no part of this one.
    let lines: Vec<&str> = text.lines().collect();
    let is_part = |number: &usize| {
        let line = lines.get(number - 1).map_or("", |line| line.trim());
        *number == one.line || !(line.is_empty() || line.starts_with('#'))
    };
    let last = (one.line..next).rev().find(is_part)?;
    Some(one.line..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> Result<String, String> {
        let images = [("base", "r/base@sha256:1"), ("alpine", "r/alpine@sha256:2"), ("tools", "r/tools:3")];
        let images = images.map(|(name, image)| (name.to_owned(), image.to_owned())).into();
        let args = [("WHICH".to_owned(), "base".to_owned())].into();
        replace_names(text, &images, &args).map_err(|problem| problem.to_string())
    }

    #[test]
    fn every_place_where_a_name_may_stand() {
        for (text, expected) in [
            ("FROM base", "FROM r/base@sha256:1"),
            ("# syntax=x\nfrom --platform=base BASE as x\n", "# syntax=x\nfrom --platform=base r/base@sha256:1 as x\n"),
            ("FROM alpine:latest\n", "FROM r/alpine@sha256:2\n"),
            ("FROM docker.io/library/alpine\n", "FROM r/alpine@sha256:2\n"),
            ("FROM alpine:3\n", "FROM alpine:3\n"),
            ("ARG WHICH=other\nFROM ${WHICH}\n", "ARG WHICH=other\nFROM r/base@sha256:1\n"),
            ("ARG A=tools\nFROM $A\n", "ARG A=tools\nFROM r/tools:3\n"),
            (
                "FROM scratch\nCOPY --link --from=base /a \\\n  # c\n  /b\n",
                "FROM scratch\nCOPY --link --from=r/base@sha256:1 /a \\\n  # c\n  /b\n",
            ),
            ("FROM scratch\nCOPY --from=\"base\" /base /\n", "FROM scratch\nCOPY --from=r/base@sha256:1 /base /\n"),
            (
                "FROM x\nRUN --mount=type=bind,from=tools,target=/t \\\n --mount=from=base,target=/b t\n",
                "FROM x\nRUN --mount=type=bind,from=r/tools:3,target=/t \\\n --mount=from=r/base@sha256:1,target=/b t\n",
            ),
            ("FROM x\nRUN echo --from=base\nCOPY base /base\n", "FROM x\nRUN echo --from=base\nCOPY base /base\n"),
            (
                "FROM x\nRUN <<EOF\nFROM base\nEOF\nFROM base\n",
                "FROM x\nRUN <<EOF\nFROM base\nEOF\nFROM r/base@sha256:1\n",
            ),
            ("FROM \\\n base\n", "FROM \\\n r/base@sha256:1\n"),
        ] {
            assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_stage_of_that_name_gives_way_and_no_line_moves() {
        let text = "FROM x AS base\nRUN a \\\n  b\n\nFROM base\nRUN c\n";
        assert_eq!(replaced(text).as_deref(), Ok("FROM r/base@sha256:1 AS base\n\n\n\nFROM r/base@sha256:1\nRUN c\n"));
    }

    #[test]
    fn an_instruction_is_found_if_there_is_one_like_it() {
        let text = "FROM x\nrun a \\\n # c\n  b\n\n# d\nCOPY a b\nCOPY a b\nCMD z";
        assert_eq!(find(text, "RUN a   b"), Some(2..=4));
        assert_eq!(find(text, "CMD z"), Some(9..=9));
        assert_eq!(find(text, "COPY a b"), None);
    }

    #[test]
    fn what_cannot_be_replaced_is_said() {
        let told = replaced("FROM ba\\\nse\n").unwrap_err();
        assert_eq!(told, "line 1: `base` goes over more than one line, so that it cannot be replaced by an image");
    }
}
