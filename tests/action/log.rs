//! A step's output as the runner of GitHub Actions reads it.

/// What became of the output.
#[derive(Debug, Default)]
pub struct Log {
    /// What a reader of the log sees, secrets masked.
    pub visible: String,
    /// The commands that were carried out, each with its properties, as in `error file=a,line=1` and its text.
    pub commands: Vec<(String, String)>,
    /// Lines that were printed between `stop-commands` and its token.
    pub untrusted: Vec<String>,
    secrets: Vec<String>,
    stopped: Option<String>,
}

const KNOWN: [&str; 9] =
    ["add-mask", "debug", "endgroup", "error", "group", "notice", "set-output", "stop-commands", "warning"];

impl Log {
    /// Reads the output line by line. Source: actions/runner, `ActionCommand.cs` and `ActionCommandManager.cs`.
    pub fn read(output: &str) -> Self {
        let mut log = Log::default();
        output.lines().for_each(|line| log.line(line));
        log
    }

    /// The texts of the commands of this name.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let of = |(command, _): &&(String, String)| command.split(' ').next() == Some(name);
        self.commands.iter().filter(of).map(|(_, text)| text.as_str()).collect()
    }

    fn line(&mut self, line: &str) {
        if let Some(token) = &self.stopped {
            if line.trim_start() == format!("::{token}::") {
                self.stopped = None;
            } else {
                self.untrusted.push(line.to_owned());
                self.show(line);
            }
            return;
        }
        let Some((command, text)) = command(line) else { return self.show(line) };
        match command.split(' ').next().unwrap_or_default() {
            "stop-commands" => self.stopped = Some(text.clone()),
            "add-mask" => self.secrets.push(text.clone()),
            _ => {}
        }
        self.commands.push((command, text));
    }

    fn show(&mut self, line: &str) {
        let masked = self.secrets.iter().fold(line.to_owned(), |line, secret| line.replace(secret, "***"));
        self.visible.push_str(&masked);
        self.visible.push('\n');
    }
}

fn command(line: &str) -> Option<(String, String)> {
    let new = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::"));
    let old = || line.split_once("##[").and_then(|(_, rest)| rest.split_once(']'));
    let (command, text) = new.filter(|(command, _)| is_known(command)).or_else(old)?;
    is_known(command).then(|| (command.to_owned(), unescape(text)))
}

fn is_known(command: &str) -> bool {
    command.split(' ').next().is_some_and(|name| KNOWN.contains(&name))
}

fn unescape(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}
