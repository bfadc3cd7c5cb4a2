//! Command lines of the documentation: longshore's are parsed as the program would, others must be known.

use longshore::cli;

use crate::read;

/// The words of a command line as a shell would take them, one list for each command; what stands behind a `#` is none.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word, mut quote, mut begun) =
        (Vec::new(), Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => (quote, begun) = (Some(c), true),
            ('#', None) if !begun => break,
            (' ', None) => {
                words.extend(begun.then(|| std::mem::take(&mut word)));
                begun = false;
            }
            (c, _) => {
                word.push(c);
                begun = true;
            }
        }
    }
    assert!(quote.is_none(), "a quote is not closed in `{line}`");
    words.extend(begun.then_some(word));
    while let Some(end) = words.iter().position(|word| matches!(word.as_str(), "&&" | "|" | ";")) {
        let rest = words.split_off(end + 1);
        words.truncate(end);
        commands.push(std::mem::replace(&mut words, rest));
    }
    commands.push(words);
    commands
}

/// Whether a command line can be typed.
pub fn check(line: &str) -> Result<(), String> {
    for words in commands(line) {
        let assigned = words.iter().take_while(|word| word.contains('=') && !word.starts_with('-')).count();
        let mut words = words[assigned..].to_vec();
        if let Some(end) = words.iter().position(|word| matches!(word.as_str(), ">" | ">>")) {
            words.truncate(end);
        }
        match words.first().map(String::as_str) {
            Some("longshore") => longshore_can(&words)?,
            Some("make") => {
                let goal = words.get(1).ok_or("`make` of what?")?;
                if !read("Makefile").lines().any(|line| line.starts_with(&format!("{goal}: "))) {
                    return Err(format!("there is no `make {goal}`"));
                }
            }
            Some("aws" | "cargo" | "cd" | "docker" | "git" | "ln") => {}
            other => return Err(format!("nobody knows what {other:?} is in `{line}`")),
        }
    }
    Ok(())
}

fn longshore_can(words: &[String]) -> Result<(), String> {
    let told = match cli::parse(words) {
        Ok(_) => None,
        Err(error) if error.exit_code() == 0 => None,
        Err(error) => Some(error.to_string()),
    };
    // What follows `--` is a command of its own, and so is what a shell is given.
    let inner = words.iter().position(|word| word == "--").map(|at| &words[at + 1..]);
    match (told, inner) {
        (Some(told), _) => Err(told),
        (None, Some([shell, flag, script])) if shell == "sh" && flag == "-c" => check(script),
        _ => Ok(()),
    }
}
