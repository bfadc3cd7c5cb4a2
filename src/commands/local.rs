//! `longshore local`

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::World;
use crate::cli::LocalArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics, Place, Source};
use crate::effects::{program, workspace};
use crate::local::{Beside, Fault, Server, Settings, StartError};
use crate::report;

pub(super) async fn run(args: &LocalArgs, world: &World) -> Result<ExitCode, Diagnostics> {
    let data = args.data.as_deref().map(|data| world.folder.join(data));
    let log = args.log.as_deref().map(|log| world.folder.join(log));
    let scans = args.scans.as_deref().map(|scans| world.folder.join(scans));
    let faults = args.faults.as_deref().map(|file| faults(file, world)).transpose()?.unwrap_or_default();
    let beside = args.beside.iter().map(|other| Beside {
        account: other.account.clone(),
        region: other.region.clone(),
        port: other.port,
    });
    let beside = beside.collect();
    let server = start(Settings { log, scans, faults, beside, ..settings(data, args.port, world)? }).await?;
    let variables = server.environment();
    if args.command.is_empty() {
        let exports: Vec<String> = variables.iter().map(|(name, value)| format!("export {name}={value}")).collect();
        report::print(&exports.join("\n"))?;
        for other in server.beside() {
            report::note(&format!("it is {} at {} as well", other.place(), other.endpoint()));
        }
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

/// The settings of a server over this folder, or over the user's own.
pub(super) fn settings(data: Option<PathBuf>, port: Option<u16>, world: &World) -> Result<Settings, Diagnostic> {
    let Some(data) = data.or_else(|| default_data(world)) else {
        return Err(Diagnostic::input("no folder to keep the images in is known").hint("name one with `--data`"));
    };
    Ok(Settings::new(data, port))
}

/// Starts a server.
pub(super) async fn start(settings: Settings) -> Result<Server, Diagnostic> {
    Server::start(settings).await.map_err(|error| explain(&error))
}

/// Reads a file of faults.
fn faults(file: &Path, world: &World) -> Result<Vec<Fault>, Diagnostic> {
    let path = world.folder.join(file);
    let bytes = workspace::read(&path)
        .map_err(|error| Diagnostic::input(format!("cannot read `{}`", path.display())).caused_by(error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let name = file.display().to_string();
    let folder = path.parent().unwrap_or(&world.folder);
    Fault::parse(&text, folder).map_err(|error| {
        let told = Diagnostic::input(format!("the faults of `{name}` mean nothing")).caused_by(error.problem);
        let source = Arc::new(Source { name, text });
        let place = error.line.zip(error.column).map(|(line, column)| Place { source, line, column, length: 1 });
        told.at_maybe(place)
    })
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
        StartError::Scans { .. } => {
            diagnostic.hint("it is a list of entries, each with `answers`, as in docs/local.md")
        }
        StartError::Listen { .. } => diagnostic,
    }
}
