//! Where in a Dockerfile a step of its build is written.

use super::lines;

/// The line, counted from 1, on which the instruction begins that the builder calls by this name, as in
/// `[build 2/3] RUN make`; `None` if several could be meant, or none.
pub fn line_of_step(text: &str, step: &str) -> Option<usize> {
    let said = step.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(step, |(_, said)| said);
    let said = plain(said);
    let file = lines::read(text).ok()?;
    let written = |one: &lines::Instruction| plain(&format!("{} {}", one.keyword, one.rest));
    // Of a here-document the builder says the beginning of the text as well, in brackets.
    let is_meant = |written: &str| said == *written || (written.contains("<<") && said.starts_with(written));
    let mut found = file.instructions.iter().filter(|one| is_meant(&written(one)));
    let first = found.next()?;
    found.next().is_none().then_some(first.line)
}

/// The line that the builder itself names in an error: by its excerpt of the file, whose line has a `>` before its number,
/// or in words, as in `dockerfile parse error on line 3: unknown instruction`.
pub fn line_in_error(words: &str) -> Option<usize> {
    let shown = words.lines().filter_map(excerpt_line).find(|(_, is_meant)| *is_meant);
    if let Some((number, _)) = shown {
        return Some(number);
    }
    let lower = words.to_ascii_lowercase();
    let rest = lower.split_once("dockerfile parse error").map(|(_, rest)| rest)?;
    let rest = rest.trim_start().strip_prefix("on ").unwrap_or(rest).trim_start().strip_prefix("line ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|line| *line > 0)
}

/// The line of the Dockerfile that a warning is about, which begins with the place, as in `Dockerfile:3: ConsistentInstructionCasing`.
pub fn line_in_warning(words: &str) -> Option<usize> {
    let (place, _) = words.split_once(": ")?;
    let (_, line) = place.rsplit_once(':').filter(|(file, _)| !file.contains(' '))?;
    line.parse().ok().filter(|line| *line > 0)
}

/// The error without the builder's excerpt of the file, for who shows the place otherwise.
pub fn without_excerpt(words: &str) -> String {
    let lines: Vec<&str> = words.lines().collect();
    let in_excerpt = |at: usize| lines.get(at).is_some_and(|line| excerpt_line(line).is_some());
    // It has a line above it that names the file and the line.
    let is_heading =
        |at: usize| in_excerpt(at + 1) && lines[at].rsplit_once(':').is_some_and(|(_, line)| is_number(line));
    let kept = (0..lines.len()).filter(|at| !in_excerpt(*at) && !is_heading(*at));
    kept.map(|at| lines[at]).collect::<Vec<_>>().join("\n")
}

/// A line of the excerpt: its number, and whether it is the one that is meant.
fn excerpt_line(line: &str) -> Option<(usize, bool)> {
    let (before, _) = line.split_once(" |")?;
    let before = before.trim_start();
    let (number, is_meant) = before.strip_prefix('>').map_or((before, false), |rest| (rest.trim_start(), true));
    is_number(number).then(|| number.parse().ok()).flatten().map(|number| (number, is_meant))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// The text with one blank where there are several, since the builder joins lines as it likes.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "FROM a AS build\nRUN make \\\n    all\ncopy x /y\nRUN <<EOF\necho\nEOF\nFROM b\nRUN one\nRUN one\n";

    #[test]
    fn a_step_is_found_by_what_it_says() {
        assert_eq!(line_of_step(FILE, "[build 1/3] RUN make     all"), Some(2));
        assert_eq!(line_of_step(FILE, "[build 2/3] COPY x /y"), Some(4));
        assert_eq!(line_of_step(FILE, "[build 3/3] RUN <<EOF (echo)"), Some(5));
    }

    #[test]
    fn a_step_that_could_be_another_is_not_guessed() {
        assert_eq!(line_of_step(FILE, "[stage-1 2/2] RUN one"), None);
        assert_eq!(line_of_step(FILE, "[internal] load metadata for a"), None);
        assert_eq!(line_of_step("RUN <<EOF\n", "RUN x"), None);
    }

    #[test]
    fn the_builders_own_line() {
        assert_eq!(line_in_error("failed: dockerfile parse error on line 12: unknown instruction: X"), Some(12));
        assert_eq!(line_in_error("dockerfile parse error line 3: x"), Some(3));
        assert_eq!(line_in_error("Dockerfile parse error: file with no instructions"), None);
        assert_eq!(line_in_error("line 3"), None);
    }

    #[test]
    fn the_place_of_a_warning() {
        assert_eq!(line_in_warning("docker/web.Dockerfile:3: FromAsCasing: it does not match (https://x)"), Some(3));
        assert_eq!(line_in_warning("One or more build-args [A:1] were not consumed"), None);
        assert_eq!(line_in_warning("cache of 10.0.0.1:5000: refused"), None);
        assert_eq!(line_in_warning("step 3:4: x"), None);
    }

    #[test]
    fn the_builders_excerpt() {
        let words = "web/Dockerfile:4\n  3 | COPY a | b\n> 4 | RUN false\n  5 |\nexit code: 1\n5 | x";
        assert_eq!(line_in_error(words), Some(4));
        assert_eq!(without_excerpt(words), "exit code: 1");
        assert_eq!(without_excerpt("a: 3\nb"), "a: 3\nb");
    }
}
