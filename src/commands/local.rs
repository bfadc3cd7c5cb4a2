//! `longshore local`

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::World;
use crate::cli::LocalArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::program;
use crate::local::{Server, Settings, StartError};
use crate::report;

pub(super) async fn run(args: &LocalArgs, world: &World) -> Result<ExitCode, Diagnostics> {
    let data = args.data.as_deref().map(|data| world.folder.join(data));
    let log = args.log.as_deref().map(|log| world.folder.join(log));
    let scans = args.scans.as_deref().map(|scans| world.folder.join(scans));
    let server = start(Extras { data, port: args.port, log, scans }, world).await?;
    let variables = server.environment();
    if args.command.is_empty() {
        let exports: Vec<String> = variables.iter().map(|(name, value)| format!("export {name}={value}")).collect();
        report::print(&exports.join("\n"))?;
        report::note(&format!("longshore local answers at {}; end it with Ctrl-C", server.endpoint()));
        program::interrupted().await;
        server.stop().await;
        return Ok(ExitCode::SUCCESS);
    }
    let status = program::run(&args.command, &variables).await;
    server.stop().await;
    match status {
        Ok(status) => Ok(ExitCode::from(program::exit_code(status))),
        Err(error) => {
            let name = args.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Err(Diagnostic::input(format!("cannot run `{name}`")).caused_by(error.to_string()).into())
        }
    }
}

/// What of the server's settings may be typed.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) data: Option<PathBuf>,
    pub(super) port: Option<u16>,
    pub(super) log: Option<PathBuf>,
    pub(super) scans: Option<PathBuf>,
}

/// Starts the server over this folder, or over the user's own.
pub(super) async fn start(wanted: Extras, world: &World) -> Result<Server, Diagnostic> {
    let Extras { data, port, log, scans } = wanted;
    let Some(data) = data.or_else(|| default_data(world)) else {
        return Err(Diagnostic::input("no folder to keep the images in is known").hint("name one with `--data`"));
    };
    Server::start(Settings { log, scans, ..Settings::new(data, port) }).await.map_err(|error| explain(&error))
}

/// Source: XDG Base Directory Specification.
fn default_data(world: &World) -> Option<PathBuf> {
    let base = world.variable("XDG_DATA_HOME").map(PathBuf::from);
    let base = base.or_else(|| world.variable("HOME").map(|home| Path::new(home).join(".local/share")));
    base.map(|base| base.join("longshore").join("local"))
}

fn explain(error: &StartError) -> Diagnostic {
    let blame = match error {
        StartError::PortTaken { .. } | StartError::Data { .. } | StartError::Log { .. } | StartError::Scans { .. } => {
            Blame::Input
        }
        // The other server may be gone in a moment.
        StartError::InUse { .. } | StartError::Listen { .. } => Blame::Service,
    };
    let diagnostic = Diagnostic::new(blame, "longshore local cannot start").caused_by(error.to_string());
    let diagnostic = match error.source() {
        Some(source) => diagnostic.caused_by(source.to_string()),
        None => diagnostic,
    };
    match error {
        StartError::InUse { endpoint: Some(_), .. } => {
            diagnostic.hint("use that server: export the variables that it printed, and leave out `--local`")
        }
        StartError::InUse { endpoint: None, .. } => diagnostic.hint("give this one a folder of its own with `--data`"),
        StartError::PortTaken { .. } => diagnostic.hint("name another port with `--port`, or 0 for any that is free"),
        StartError::Data { .. } => diagnostic.hint("name a folder that can be written to with `--data`"),
        StartError::Log { .. } => diagnostic.hint("name a file that can be written to with `--log`"),
        StartError::Scans { .. } => diagnostic.hint("it is a list of entries, each with `answers`; see the README"),
        StartError::Listen { .. } => diagnostic,
    }
}
