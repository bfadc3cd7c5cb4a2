//! `longshore completions`, `longshore man`

use clap_complete::shells::{Bash, Fish, Zsh};

use super::World;
use crate::cli::{self, CompletionsArgs, ManArgs, Shell};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::report::{self, files};

/// Prints a completion script.
pub(super) fn completions(args: &CompletionsArgs) -> Result<(), Diagnostics> {
    let mut command = cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    match args.shell {
        Shell::Bash => clap_complete::generate(Bash, &mut command, name, &mut script),
        Shell::Zsh => clap_complete::generate(Zsh, &mut command, name, &mut script),
        Shell::Fish => clap_complete::generate(Fish, &mut command, name, &mut script),
    }
    Ok(report::print(&String::from_utf8_lossy(&script))?)
}

/// Writes a page for each command, of the names that `man` looks for.
pub(super) fn man(args: &ManArgs, world: &World) -> Result<(), Diagnostics> {
    let folder = world.folder.join(&args.folder);
    let pages = pages(cli::command())
        .map_err(|error| Diagnostic::input("cannot make the manual pages").caused_by(error.to_string()))?;
    files::create_folder(&folder)?;
    for (name, page) in &pages {
        files::write(&folder.join(name), page)?;
    }
    report::note(&format!("wrote {} manual pages into {}", pages.len(), args.folder.display()));
    Ok(())
}

fn pages(mut command: clap::Command) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    command.build();
    let mut pages = Vec::new();
    let mut left = vec![command];
    while let Some(command) = left.pop() {
        let below = command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set());
        left.extend(below.cloned());
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        pages.push((format!("{name}.1"), page));
    }
    pages.sort();
    Ok(pages)
}
