//! Other programs, and the signals that end this one.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;

use tokio::process::{Child, Command};
use tokio::signal;

use crate::names::Platform;

/// Runs a program to its end with these variables added to the environment. It is asked to end when we are.
///
/// # Errors
/// If it cannot be started.
pub async fn run(command: &[OsString], variables: &[(&str, String)]) -> io::Result<ExitStatus> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no command"))?;
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
    let mut child = Command::new(program).args(arguments).envs(variables).spawn()?;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            // The terminal sends it to the child as well, who decides what it means.
            _ = signal::ctrl_c() => {}
            () = terminated() => terminate(&child),
        }
    }
}

/// What the program was started as, without folder and `.exe`, and what it was started with.
pub fn started_as() -> (String, Vec<OsString>) {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let name = arguments.first().and_then(|path| std::path::Path::new(path).file_stem());
    (name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(), arguments)
}

/// What somebody wrote to standard input, up to this many bytes.
///
/// # Errors
/// If it cannot be read, or is no text.
pub fn read_input(most: u64) -> io::Result<String> {
    let mut text = String::new();
    io::Read::read_to_string(&mut io::Read::take(io::stdin().lock(), most), &mut text)?;
    Ok(text)
}

/// Where a program is that is started by its name, if it is anywhere.
pub fn find(name: &str, variables: &crate::facts::Variables) -> Option<std::path::PathBuf> {
    let folders = std::env::split_paths(variables.get("PATH")?).collect::<Vec<_>>();
    let suffix = std::env::consts::EXE_SUFFIX;
    folders.into_iter().map(|folder| folder.join(format!("{name}{suffix}"))).find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &std::path::Path) -> bool {
    path.is_file()
}

/// Who asks the program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The user, with Ctrl-C.
    User,
    /// The system.
    System,
}

/// Waits until the user, or the system, asks the program to end.
pub async fn interrupted() -> EndedBy {
    tokio::select! {
        _ = signal::ctrl_c() => EndedBy::User,
        () = terminated() => EndedBy::System,
    }
}

/// From now on ends the program at once when it is asked to end again, with this exit code.
#[expect(clippy::disallowed_methods, reason = "whoever asks twice does not want to wait for what main still does")]
pub fn end_when_asked_again(code: u8) {
    tokio::spawn(async move {
        interrupted().await;
        std::process::exit(i32::from(code))
    });
}

/// Waits until the system asks the program to end; for ever where systems do not.
async fn terminated() {
    #[cfg(unix)]
    if let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) {
        terminate.recv().await;
        return;
    }
    std::future::pending::<()>().await;
}

/// Asks a program to end. One that has ended already is none to ask.
#[cfg(unix)]
fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let _ = id.map(|id| kill_process(id, Signal::TERM));
}

#[cfg(not(unix))]
fn terminate(_: &Child) {}

/// A program's exit code; for one that a signal ended, what shells say: 128 and the signal's number.
pub fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    let code = status.code().or_else(|| Some(128 + signal?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// What this machine is, as a platform that containers run on: always Linux, since elsewhere Docker runs a Linux of
/// its own.
pub fn platform() -> Platform {
    let linux = |architecture: &str| format!("linux/{architecture}").parse::<Platform>();
    #[expect(clippy::expect_used, reason = "`linux/amd64` is a platform")]
    linux(std::env::consts::ARCH).or_else(|_| linux("amd64")).expect("a platform").normalized()
}

/// How many images can usefully be worked on at once: one for each core that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}
