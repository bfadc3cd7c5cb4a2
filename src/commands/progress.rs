//! How the builders' work is shown.

use super::{World, github};
use crate::cli;
use crate::effects::clock;
use crate::report::progress::{Progress, Style};

/// What shows the work on these images as the user asked for it.
pub(super) fn progress(asked: cli::Progress, images: &[&str], world: &World) -> Progress {
    if asked == cli::Progress::Auto
        && world.listening_runner().is_some()
        && let Some(tokens) = github::tokens()
    {
        return Progress::in_groups(world.colors, images, tokens);
    }
    let began = clock::instant();
    Progress::new(style(asked, world), world.colors, images, Box::new(move || began.elapsed()))
}

fn style(asked: cli::Progress, world: &World) -> Style {
    match asked {
        // Where lines cannot change in place, `tty` would show nothing at all.
        cli::Progress::Auto | cli::Progress::Tty => Style::fitting(world.variable("TERM")),
        cli::Progress::Plain => Style::Plain,
        cli::Progress::Json => Style::Json,
        cli::Progress::Quiet => Style::Quiet,
    }
}
