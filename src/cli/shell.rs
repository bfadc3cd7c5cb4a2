//! `longshore completions`, `longshore man`: what shells and man are given.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `longshore completions`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    longshore completions bash > /etc/bash_completion.d/longshore\n  \
    longshore completions zsh > \"${fpath[1]}/_longshore\"\n  \
    longshore completions fish > ~/.config/fish/completions/longshore.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// The shells that are completed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// The Z shell
    Zsh,
    /// The friendly interactive shell
    Fish,
}

/// `longshore man`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore man /usr/local/share/man/man1")]
pub struct ManArgs {
    /// The folder that the pages are written to, one for each command
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}
