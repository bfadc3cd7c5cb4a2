//! A daemon on another machine, reached the way the docker CLI does: the program `ssh` runs `docker system dial-stdio`
//! there, which hands its input and output to the daemon.
//!
//! Source: docker/cli, `cli/connhelper`; keys, agents, jump hosts and the like are the business of the user's ssh.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

/// How much of what ssh complains of is kept, in bytes.
const MOST_WORDS: u64 = 4096;

/// Where a daemon is reached through ssh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshHost {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    /// The path of the daemon's socket there, if it is not the usual one.
    socket: Option<String>,
}

impl fmt::Display for SshHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.socket.as_deref().unwrap_or_default())
    }
}

impl SshHost {
    /// Reads what follows `ssh://`, as in `ci@build.example:2222`.
    ///
    /// # Errors
    /// In words, if it is no such address or holds a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (authority, socket) = match text.find('/') {
            Some(at) => (&text[..at], Some(&text[at..])),
            None => (text, None),
        };
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err("a password has no place in it; use a key".to_owned());
        }
        let bracketed = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => match place.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = port.map(|port| port.parse().map_err(|_| format!("`{port}` is no port"))).transpose()?;
        // What goes to a shell on the other side is kept to what no shell gives a meaning.
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/%+".contains(c));
        let words = [user, Some(host), socket];
        if host.is_empty() || words.iter().flatten().any(|word| !is_plain(word) || word.starts_with('-')) {
            return Err("it does not look like `ssh://user@host:port`".to_owned());
        }
        let owned = |text: Option<&str>| text.filter(|text| !text.is_empty() && *text != "/").map(str::to_owned);
        Ok(SshHost { user: owned(user), host: host.to_owned(), port, socket: owned(socket) })
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["-o".to_owned(), "ConnectTimeout=30".to_owned(), "-T".to_owned()];
        if let Some(user) = &self.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.port {
            arguments.extend(["-p".to_owned(), port.to_string()]);
        }
        arguments.extend(["--".to_owned(), self.host.clone(), "docker".to_owned()]);
        if let Some(socket) = &self.socket {
            arguments.extend(["--host".to_owned(), format!("unix://{socket}")]);
        }
        arguments.extend(["system".to_owned(), "dial-stdio".to_owned()]);
        arguments
    }

    /// A connection to the daemon. The program ends when it is dropped.
    ///
    /// # Errors
    /// If there is no program `ssh`. Whatever goes wrong on the way is an error of the first read.
    pub fn dial(&self) -> io::Result<SshStream> {
        let mut command = Command::new("ssh");
        command.args(self.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = command.kill_on_drop(true).spawn();
        let mut child =
            started.map_err(|error| io::Error::new(error.kind(), format!("cannot start `ssh`: {error}")))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(complaints)) = pipes else {
            return Err(io::Error::other("`ssh` has no pipes"));
        };
        let complaints = tokio::spawn(async move {
            let mut words = Vec::new();
            let _ = complaints.take(MOST_WORDS).read_to_end(&mut words).await;
            String::from_utf8_lossy(&words).trim().to_owned()
        });
        Ok(SshStream { _child: child, input, output, complaints: Some(complaints) })
    }
}

/// The daemon's end of a connection, through ssh.
pub struct SshStream {
    /// Ended with the stream.
    _child: Child,
    input: ChildStdin,
    output: ChildStdout,
    /// What ssh complains of; none once the daemon has said something, which means that ssh got there.
    complaints: Option<JoinHandle<String>>,
}

impl SshStream {
    /// Why there is no connection, if ssh never got to the daemon.
    fn poll_why(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Error>> {
        let Some(complaints) = &mut self.complaints else { return Poll::Ready(None) };
        let words = ready!(Pin::new(complaints).poll(cx)).unwrap_or_default();
        self.complaints = None;
        let words = if words.is_empty() { "it ended without a word".to_owned() } else { words };
        Poll::Ready(Some(io::Error::new(io::ErrorKind::ConnectionReset, format!("ssh: {words}"))))
    }
}

impl AsyncRead for SshStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.complaints = None;
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(ready!(self.poll_why(cx)).map_or(Ok(()), Err))
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.input).poll_write(cx, bytes)) {
            Err(error) => Poll::Ready(Err(ready!(self.poll_why(cx)).unwrap_or(error))),
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Result<String, String> {
        SshHost::parse(text).map(|host| host.arguments().join(" "))
    }

    #[test]
    fn what_ssh_is_called_with() {
        let common = "-o ConnectTimeout=30 -T";
        assert_eq!(arguments("arm"), Ok(format!("{common} -- arm docker system dial-stdio")));
        assert_eq!(
            arguments("ci@arm.example:2222"),
            Ok(format!("{common} -l ci -p 2222 -- arm.example docker system dial-stdio"))
        );
        assert_eq!(
            arguments("[fd00::1]:22/run/user/7/docker.sock"),
            Ok(format!("{common} -p 22 -- fd00::1 docker --host unix:///run/user/7/docker.sock system dial-stdio"))
        );
    }

    #[test]
    fn what_no_ssh_is_called_with() {
        assert!(arguments("ci:secret@arm").unwrap_err().contains("password"));
        for text in ["", "@", "ci@", "-oProxyCommand=x", "-l@arm", "arm/$(x)", "arm;x", "arm:port"] {
            assert!(arguments(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_address_is_shown_as_it_was_written() {
        for text in ["arm", "ci@arm.example:2222", "ci@arm/run/docker.sock"] {
            assert_eq!(SshHost::parse(text).unwrap().to_string(), format!("ssh://{text}"));
        }
    }
}
