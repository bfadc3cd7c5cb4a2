//! Other programs, and the signals that end this one.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;

use tokio::process::Command;
use tokio::signal;

use crate::names::Platform;

/// Runs a program to its end with these variables added to the environment.
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
            () = interrupted() => {}
        }
    }
}

/// Waits until the user, or the system, asks the program to end.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        let terminate = signal::unix::signal(signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = signal::ctrl_c().await;
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
