//! A Dockerfile as instructions: continuations joined, comments dropped, here-documents taken out.

use super::Unreadable;
use super::words;

/// The file, before anything is made of it.
#[derive(Debug)]
pub(super) struct File {
    /// The image of the frontend that `# syntax=` names.
    pub syntax: Option<String>,
    /// What joins lines and takes the meaning from the next character: `\`, or a backtick.
    pub escape: char,
    pub instructions: Vec<Instruction>,
}

/// One instruction, on as many lines as it took.
#[derive(Debug)]
pub(super) struct Instruction {
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// In upper case; of `ONBUILD RUN …` it is `RUN`.
    pub keyword: String,
    /// What follows the keyword.
    pub rest: String,
}

/// Splits the text.
///
/// # Errors
/// If a here-document is not ended, or `# escape=` names anything but `\` and a backtick.
pub(super) fn read(text: &str) -> Result<File, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut file = File { syntax: None, escape: '\\', instructions: Vec::new() };
    directives(text, &mut file)?;
    let escape = file.escape;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (mut joined, mut goes_on) = continued(line, escape);
        while goes_on {
            let Some((_, next)) = lines.next() else { break };
            // Comments and empty lines do not end what goes on.
            if next.trim().is_empty() || next.trim_start().starts_with('#') {
                continue;
            }
            let (more, on) = continued(next, escape);
            joined.push_str(&more);
            goes_on = on;
        }
        let instruction = split(&joined, index + 1);
        for (name, chomp) in heredocs(&instruction, escape) {
            let ends = |line: &str| (if chomp { line.trim_start_matches('\t') } else { line }) == name;
            if !lines.any(|(_, line)| ends(line)) {
                let problem = format!("the here-document `{name}` is not ended");
                return Err(Unreadable { line: index + 1, problem });
            }
        }
        if !instruction.keyword.is_empty() {
            file.instructions.push(instruction);
        }
    }
    Ok(file)
}

/// Directives are comments at the very top; the first line that is none ends them.
fn directives(text: &str, file: &mut File) -> Result<(), Unreadable> {
    for (index, line) in text.lines().enumerate() {
        let Some((name, value)) = line.trim_start().strip_prefix('#').and_then(|line| line.split_once('=')) else {
            // A script's first line may come before them.
            if index == 0 && line.starts_with("#!") {
                continue;
            }
            break;
        };
        match (name.trim().to_ascii_lowercase().as_str(), value.trim()) {
            ("syntax", value) => file.syntax = Some(value.to_owned()),
            ("escape", "\\") => file.escape = '\\',
            ("escape", "`") => file.escape = '`',
            ("escape", other) => {
                return Err(Unreadable {
                    line: index + 1,
                    problem: format!("`{other}` cannot be the escape character"),
                });
            }
            ("check", _) => {}
            _ => break,
        }
    }
    Ok(())
}

/// The line without its sign of continuation, and whether it had one. A doubled escape character is none.
fn continued(line: &str, escape: char) -> (String, bool) {
    let trimmed = line.trim_end_matches([' ', '\t', '\r']);
    match trimmed.strip_suffix(escape) {
        Some(before) if !before.ends_with(escape) => (before.to_owned(), true),
        _ => (line.trim_end_matches('\r').to_owned(), false),
    }
}

fn split(line: &str, number: usize) -> Instruction {
    let (keyword, rest) = match line.trim().split_once(char::is_whitespace) {
        Some((keyword, rest)) => (keyword, rest.trim_start()),
        None => (line.trim(), ""),
    };
    let keyword = keyword.to_ascii_uppercase();
    if keyword == "ONBUILD" && !rest.is_empty() {
        // What a later build will do is taken for something that this one does: no input is missed that way.
        return split(rest, number);
    }
    Instruction { line: number, keyword, rest: rest.to_owned() }
}

/// The here-documents that an instruction opens: each one's terminator, and whether tabs before it are dropped.
fn heredocs(instruction: &Instruction, escape: char) -> Vec<(String, bool)> {
    if !matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD") || instruction.rest.starts_with('[') {
        return Vec::new();
    }
    let words = words::split(&instruction.rest, escape);
    words.iter().filter_map(|word| heredoc(word, escape)).collect()
}

/// `<<EOF`, `3<<-"EOF"`
pub(super) fn heredoc(word: &str, escape: char) -> Option<(String, bool)> {
    let name = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (name, chomp) = match name.strip_prefix('-') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let name = words::unquoted(name, escape);
    (!name.is_empty() && !name.contains('<')).then_some((name, chomp))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instructions(text: &str) -> Vec<(usize, String)> {
        let file = read(text).unwrap();
        file.instructions.into_iter().map(|one| (one.line, format!("{}|{}", one.keyword, one.rest))).collect()
    }

    fn texts(text: &str) -> Vec<String> {
        instructions(text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn lines_are_joined_around_comments_and_empty_lines() {
        let text = "from a\nRUN x \\\n  # no\n\n  y \\  \n  z\n# c\nCMD w\\\\\nENV a";
        let expected =
            [(1, "FROM|a".to_owned()), (2, "RUN|x   y   z".into()), (8, "CMD|w\\\\".into()), (9, "ENV|a".into())];
        assert_eq!(instructions(text), expected);
        assert_eq!(texts("RUN a \\\r\n b\r\n"), ["RUN|a  b"]);
    }

    #[test]
    fn directives_stand_at_the_top_only() {
        let file = read("# syntax = docker/dockerfile:1\n# escape=`\nRUN c:\\`\n d\n").unwrap();
        assert_eq!((file.syntax.as_deref(), file.escape), (Some("docker/dockerfile:1"), '`'));
        assert_eq!(file.instructions[0].rest, "c:\\ d");
        assert_eq!(read("# a comment\n# syntax=x\n").unwrap().syntax, None);
        assert_eq!(read("\u{feff}#syntax=x\n").unwrap().syntax.as_deref(), Some("x"));
        assert_eq!(read("#!/usr/bin/env x\n#syntax=x\n").unwrap().syntax.as_deref(), Some("x"));
        assert!(read("# escape=x\n").is_err());
    }

    #[test]
    fn here_documents_hold_no_instructions() {
        assert_eq!(texts("RUN <<EOF\nFROM x\nEOF\nCMD y"), ["RUN|<<EOF", "CMD|y"]);
        assert_eq!(texts("COPY <<-'A' <<B /x\nFROM 1\n\tA\nFROM 2\nB\nCMD y"), ["COPY|<<-'A' <<B /x", "CMD|y"]);
        assert_eq!(texts("RUN echo \"<<EOF\"\nFROM x"), ["RUN|echo \"<<EOF\"", "FROM|x"]);
        assert_eq!(texts("RUN [\"<<EOF\"]\nFROM x"), ["RUN|[\"<<EOF\"]", "FROM|x"]);
        assert_eq!(texts("ENV a=<<EOF\nFROM x"), ["ENV|a=<<EOF", "FROM|x"]);
        assert_eq!(read("RUN <<EOF\nx").unwrap_err().to_string(), "line 1: the here-document `EOF` is not ended");
    }
}
