//! Wires the five steps; decides nothing.

mod blame;
mod builders;
mod config;
mod contents;
mod context;
mod contexts;
mod copy;
mod cost;
mod credential_helper;
mod decide;
mod defect;
mod doctor;
mod facts;
mod finish;
mod fork;
mod gather;
mod github;
mod iam;
mod images;
mod init;
mod key;
mod lifecycle;
mod local;
mod login;
mod logout;
mod look;
mod merge;
mod origins;
mod plan;
mod prices;
mod progress;
mod promote;
mod read;
mod recipes;
mod registry;
mod repo;
mod run;
mod scan;
mod scanned;
mod shell;
mod tags;
mod target;
mod timeline;
mod way;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::{self, Command, When};
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::program::EndedBy;
use crate::effects::{program, tls, workspace};
use crate::facts::Variables;
use crate::report::{self, Colors};
use crate::retry::{Retry, Tally};
use crate::secrecy;

/// The world that the program was started in.
struct World {
    variables: Variables,
    folder: PathBuf,
    colors: Colors,
    /// What is tried again.
    retries: Arc<Tally>,
}

impl World {
    /// A variable that is set to something; CI systems set to nothing what they do not know.
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Does the work, and tells meanwhile what is tried again.
    async fn telling<T>(&self, tell: &dyn Fn(&Retry), work: impl Future<Output = T>) -> T {
        let mut heard = self.retries.hear();
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                result = &mut work => {
                    while let Ok(retry) = heard.try_recv() {
                        tell(&retry);
                    }
                    return result;
                }
                // There is none while another part of the work tells of them.
                Some(retry) = heard.recv() => tell(&retry),
            }
        }
    }
}

/// Runs the program: the only place where an error is told and an exit code chosen.
pub fn main() -> ExitCode {
    let (name, arguments) = program::started_as();
    if name == credential_helper::NAME {
        return credential_helper::main(arguments.get(1).and_then(|action| action.to_str()));
    }
    let cli = match cli::parse(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors, and clap knows which stream each belongs to.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Blame::Input.exit_code() } else { 0 });
        }
    };
    let colors = Colors::choose(match cli.color {
        When::Auto => None,
        When::Always => Some(true),
        When::Never => Some(false),
    });
    defect::watch(colors);
    match defect::guarded(|| in_world(colors, async |world| dispatch(&cli.command, world).await)) {
        Ok(code) => code,
        Err(diagnostics) => {
            tell_errors(&diagnostics, colors);
            ExitCode::from(diagnostics.exit_code())
        }
    }
}

/// Tells what went wrong, in the form of whoever reads the log.
fn tell_errors(diagnostics: &Diagnostics, colors: Colors) {
    let variables = workspace::variables();
    match github::Runner::of(&variables) {
        Some(runner) => runner.errors(diagnostics, &workspace::current_folder().unwrap_or_default(), colors),
        None => report::errors(diagnostics, colors),
    }
}

/// Does work in the world that the program was started in.
fn in_world<T>(colors: Colors, work: impl AsyncFnOnce(&World) -> Result<T, Diagnostics>) -> Result<T, Diagnostics> {
    tls::install_provider();
    let folder = workspace::current_folder()
        .map_err(|error| Diagnostic::input("cannot tell the current folder").caused_by(error.to_string()))?;
    let variables = workspace::variables();
    let secrets = variables.iter().filter(|(name, value)| secrecy::name_tells(name) || secrecy::value_tells(value));
    secrets.for_each(|(_, value)| secrecy::keep(value));
    let world = World { variables, folder, colors, retries: Arc::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Diagnostic::new(Blame::Service, "cannot start the program's threads").caused_by(error.to_string())
    })?;
    let told = std::cell::RefCell::default();
    let tell = |retry: &Retry| report::note_retry(retry, &told);
    let result = runtime.block_on(world.telling(&tell, work(&world)));
    // Threads that wait for a service which no longer matters are not waited for.
    runtime.shutdown_background();
    result
}

async fn dispatch(command: &Command, world: &World) -> Result<ExitCode, Diagnostics> {
    match command {
        Command::Init(args) => init::run(args, world)?,
        Command::Run(args) => run::run(args, world).await?,
        Command::Plan(args) => return plan::run(args, world).await,
        Command::Merge(args) => merge::run(args, world).await?,
        Command::Promote(args) => promote::run(args, world).await?,
        Command::Copy(args) => unless_interrupted(copy::run(args, world)).await?,
        Command::Tags(args) => tags::run(args, world)?,
        Command::Facts(args) => facts::run(args, world)?,
        Command::Key(args) => unless_interrupted(key::run(args, world)).await?,
        Command::Context(args) => context::run(args, world)?,
        Command::Config(args) => config::run(args, world)?,
        Command::Doctor(args) => return doctor::run(args, world).await,
        Command::Login(args) => unless_interrupted(login::run(args, world)).await?,
        Command::Logout(args) => unless_interrupted(logout::run(args, world)).await?,
        Command::Schema => report::print_json(&crate::pipeline::json_schema())?,
        Command::Completions(args) => shell::completions(args)?,
        Command::Man(args) => shell::man(args, world)?,
        Command::Iam(args) => iam::iam(args, world)?,
        Command::VpcEndpoints(args) => iam::vpc_endpoints(args, world)?,
        Command::Repo(args) => return repo::run(args, world).await,
        Command::Audit(args) => report::print(&report::audit::commands(&args.repository, args.region.as_ref()))?,
        Command::Lifecycle(args) => return lifecycle::run(args, world).await,
        Command::Scan(args) => unless_interrupted(scan::run(args, world)).await?,
        Command::Images(args) => unless_interrupted(images::run(args, world)).await?,
        Command::Cost(args) => unless_interrupted(cost::run(args, world)).await?,
        Command::Local(args) => return local::run(args, world).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives up the work when the user asks for it; dropping it stops the builds and pushes that are under way.
async fn unless_interrupted(work: impl Future<Output = Result<(), Diagnostics>>) -> Result<(), Diagnostics> {
    tokio::select! {
        result = work => result,
        ended_by = program::interrupted() => {
            let (blame, what) = match ended_by {
                EndedBy::User => (Blame::Interrupted, "interrupted"),
                EndedBy::System => (Blame::Terminated, "terminated"),
            };
            program::end_when_asked_again(blame.exit_code());
            Err(Diagnostic::new(blame, what).hint("run again; what is done is not done twice").into())
        }
    }
}
