//! The help texts: examples come first, because they are what is looked for.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, FromArgMatches as _};

use super::Cli;
use crate::names::nearest;

/// What a command is, examples of it, and then its flags.
const TEMPLATE: &str = "{about}{after-help}\n\n{usage-heading} {usage}\n\n{all-args}";

/// The whole command line, as it is parsed, shown and written down.
pub fn command() -> Command {
    with_examples_first(Cli::command())
}

/// What the program was started with.
///
/// # Errors
/// Help and version, which are no errors, and whatever may not be typed.
pub fn parse<T: Into<std::ffi::OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(arguments).map_err(suggesting)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))
}

/// The error with the command that was meant, where only our own measure finds one: clap's knows of no swapped letters.
fn suggesting(mut error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::InvalidSubcommand || error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let all = command();
    let meant = nearest(given, all.get_subcommands().map(Command::get_name)).map(str::to_owned);
    if let Some(meant) = meant {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![meant]));
    }
    error
}

fn with_examples_first(command: Command) -> Command {
    let command = match command.get_after_help() {
        Some(_) => command.help_template(TEMPLATE),
        None => command,
    };
    command.mut_subcommands(with_examples_first)
}

#[cfg(test)]
#[expect(clippy::panic, reason = "a test that finds nothing to look at has failed")]
mod tests {
    use super::*;

    /// Every command that does something, by its words.
    fn leaves(command: &Command, path: &str) -> Vec<(String, String)> {
        if command.has_subcommands() {
            let below = command.get_subcommands().filter(|below| below.get_name() != "help");
            return below.flat_map(|below| leaves(below, &format!("{path} {}", below.get_name()))).collect();
        }
        vec![(path.to_owned(), command.get_after_help().map(ToString::to_string).unwrap_or_default())]
    }

    /// The words of an example as a shell would take them, up to a comment behind it, a pipe or a redirection.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
        let command = line.split("  ").next().unwrap_or_default();
        for c in command.chars() {
            match (c, quote) {
                (c, Some(open)) if c == open => quote = None,
                ('\'' | '"', None) => (quote, begun) = (Some(c), true),
                (' ', None) => {
                    if begun {
                        words.push(std::mem::take(&mut word));
                    }
                    begun = false;
                }
                (c, _) => {
                    word.push(c);
                    begun = true;
                }
            }
        }
        words.extend(begun.then_some(word));
        let end = words.iter().position(|word| matches!(word.as_str(), "|" | ">" | ">>")).unwrap_or(words.len());
        words.truncate(end);
        words
    }

    #[test]
    fn every_command_begins_its_help_with_examples_and_each_can_be_typed() {
        let all = command();
        for (path, help) in leaves(&all, "longshore") {
            assert!(help.starts_with("Examples:\n"), "`{path}` has no examples:\n{help}");
            let examples: Vec<&str> = help
                .lines()
                .filter_map(|line| line.strip_prefix("  "))
                .filter(|line| line.starts_with("longshore "))
                .collect();
            assert!(
                examples.iter().any(|line| line.starts_with(&path)),
                "`{path}` is in none of its examples:\n{help}"
            );
            for line in examples {
                parse(words(line)).unwrap_or_else(|error| panic!("`{line}` cannot be typed: {error}"));
            }
        }
    }

    #[test]
    fn the_examples_stand_before_the_flags() {
        let mut run = command().find_subcommand("run").unwrap().clone();
        let help = run.render_help().to_string();
        let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("no `{text}` in\n{help}"));
        assert!(at("Examples:") < at("Usage:") && at("Usage:") < at("Options:"), "{help}");
    }

    #[test]
    fn a_mistyped_command_is_recognised() {
        let told = parse(["longshore", "prmote"]).unwrap_err().to_string();
        assert!(told.contains("'promote'"), "{told}");
        for (given, meant) in [("rnu", "run"), ("pla", "plan"), ("tgas", "tags")] {
            let told = parse(["longshore", given]).unwrap_err().to_string();
            assert!(told.contains(&format!("a similar subcommand exists: '{meant}'")), "{told}");
        }
        let told = parse(["longshore", "xyzzy"]).unwrap_err().to_string();
        assert!(!told.contains("similar"), "{told}");
    }
}
