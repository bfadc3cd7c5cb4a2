//! The classic builder's progress, which is meant for people's eyes: `Step 2/5 : RUN make`, then what it prints.
//! Podman's builder says `STEP 2/5: RUN make`.

use super::lines::Lines;
use super::steps::Step;
use crate::execute::events::BuildEvent;
use crate::execute::ports::Failure;

/// The steps of one build, read off its output.
#[derive(Debug, Default)]
pub struct Progress {
    lines: Lines,
    step: Option<Step>,
    cached: bool,
    told: usize,
    podman: bool,
}

enum Line<'a> {
    Step(String),
    Cached,
    /// The builder's own bookkeeping.
    Noise,
    Warning(&'a str),
    End,
    Output,
}

impl Progress {
    /// For Podman's builder.
    pub fn of_podman() -> Self {
        Progress { podman: true, ..Progress::default() }
    }

    /// Takes in a portion of output.
    pub fn update(&mut self, text: &str, tell: &dyn Fn(BuildEvent)) {
        // What a step prints to stderr comes in red.
        let plain = text.strip_prefix("\u{1b}[91m").map(|text| text.strip_suffix("\u{1b}[0m").unwrap_or(text));
        for line in self.lines.push(plain.unwrap_or(text).as_bytes()) {
            match read(&line, self.podman) {
                Line::Step(name) => {
                    self.finish(tell);
                    let mut step = Step::new(name, false);
                    step.start(&mut self.told, tell);
                    self.step = Some(step);
                }
                Line::Cached => self.cached = true,
                Line::Noise => {}
                Line::Warning(text) => tell(BuildEvent::Warning(text.to_owned())),
                Line::End => self.finish(tell),
                Line::Output => {
                    if let Some(step) = &mut self.step {
                        step.print(0, line.as_bytes(), tell);
                        step.print(0, b"\n", tell);
                    }
                }
            }
        }
    }

    fn finish(&mut self, tell: &dyn Fn(BuildEvent)) {
        let cached = std::mem::take(&mut self.cached);
        if let Some(mut step) = self.step.take() {
            step.finish(cached, None, tell);
        }
    }

    /// The step at which the build stopped.
    pub fn failure(&mut self, tell: &dyn Fn(BuildEvent)) -> Failure {
        self.update("\n", tell);
        match &mut self.step {
            Some(step) => step.fail(&mut self.told, tell),
            None => Failure::BuildFailed { step: None, output: Vec::new() },
        }
    }
}

fn read(line: &str, podman: bool) -> Line<'_> {
    // Podman puts the stage before the lines of a build that has several.
    let line = if podman { without_stage(line) } else { line };
    let step = line.strip_prefix("Step ").or_else(|| line.strip_prefix("STEP "));
    if let Some(step) = step.and_then(step_name) {
        return Line::Step(step);
    }
    if let Some(note) = line.strip_prefix(" --->").or_else(|| line.strip_prefix("-->")) {
        let note = note.trim();
        return match note.strip_prefix("Running in ").unwrap_or(note) {
            "" => Line::Noise,
            id if is_id(id) => Line::Noise,
            _ if note == "Using cache" || note.strip_prefix("Using cache ").is_some_and(is_id) => Line::Cached,
            _ => note.strip_prefix("[Warning] ").map_or(Line::Output, Line::Warning),
        };
    }
    if line.trim().is_empty() || line.strip_prefix("Removing intermediate container ").is_some_and(is_id) {
        return Line::Noise;
    }
    // Podman says last that it commits the image, and then its id.
    if line.strip_prefix("Successfully built ").is_some_and(is_id) || (podman && line == "COMMIT") {
        return Line::End;
    }
    line.strip_prefix("[Warning] ").map_or(Line::Output, Line::Warning)
}

/// `[1/2] STEP 1/3: FROM x` without the stage.
fn without_stage(line: &str) -> &str {
    let stage = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    stage.filter(|(stage, _)| is_count(stage)).map_or(line, |(_, rest)| rest)
}

/// As in `2/5`.
fn is_count(text: &str) -> bool {
    text.split_once('/').is_some_and(|(n, of)| n.parse::<u32>().is_ok() && of.parse::<u32>().is_ok())
}

/// An image's or container's id, of which the builder prints 11 digits or more.
fn is_id(text: &str) -> bool {
    text.len() >= 11 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `2/5 : RUN make` as `[2/5] RUN make`, the form in which BuildKit says it.
fn step_name(text: &str) -> Option<String> {
    let (count, instruction) = text.split_once(':')?;
    let count = count.trim();
    is_count(count).then(|| format!("[{count}] {}", instruction.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn tell_all(texts: &[&str]) -> (Vec<BuildEvent>, Failure) {
        let events = RefCell::new(Vec::new());
        let tell = |event| events.borrow_mut().push(event);
        let mut progress = Progress::default();
        for text in texts {
            progress.update(text, &tell);
        }
        let failure = progress.failure(&tell);
        (events.into_inner(), failure)
    }

    #[test]
    fn what_docker_prints() {
        let (events, _) = tell_all(&[
            "Step 1/2 : FROM scratch",
            "\n",
            " ---> \n",
            "Step 2/2 : RUN make",
            "\n",
            " ---> Using cache\n",
            " ---> e1ab644ed3a7\n",
            "[Warning] One or more build-args [A] were not consumed\n",
            "Successfully built e1ab644ed3a7\n",
        ]);
        let expected = [
            BuildEvent::StepStarted { step: 1, name: "[1/2] FROM scratch".into() },
            BuildEvent::StepDone { step: 1, cached: false, took: None },
            BuildEvent::StepStarted { step: 2, name: "[2/2] RUN make".into() },
            BuildEvent::Warning("One or more build-args [A] were not consumed".into()),
            BuildEvent::StepDone { step: 2, cached: true, took: None },
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn what_podman_prints() {
        let events = RefCell::new(Vec::new());
        let tell = |event| events.borrow_mut().push(event);
        let mut progress = Progress::of_podman();
        for text in ["[1/2] STEP 1/1: FROM scratch AS a\n", "--> 1ee2e46b776\n", "[2/2] STEP 1/1: RUN make\n", "made\n"]
        {
            progress.update(text, &tell);
        }
        progress.update("[2/2] COMMIT\n--> 1ee2e46b776\n1ee2e46b776b1ee2e46b776b\n", &tell);
        let expected = [
            BuildEvent::StepStarted { step: 1, name: "[1/1] FROM scratch AS a".into() },
            BuildEvent::StepDone { step: 1, cached: false, took: None },
            BuildEvent::StepStarted { step: 2, name: "[1/1] RUN make".into() },
            BuildEvent::StepOutput { step: 2, line: "made".into() },
            BuildEvent::StepDone { step: 2, cached: false, took: None },
        ];
        assert_eq!(events.into_inner(), expected);
    }

    #[test]
    fn a_step_that_fails() {
        let texts = ["STEP 1/1: RUN x\n", " ---> Running in 1ee2e46b776b\n", "Step by step: no\n--> COMM", "IT\n"];
        let (events, failure) = tell_all(&[&texts[..], &["Using cache\n", "\u{1b}[91mbye\u{1b}[0m"]].concat());
        let output = ["Step by step: no", "--> COMMIT", "Using cache", "bye"].map(str::to_owned).to_vec();
        assert_eq!(failure, Failure::BuildFailed { step: Some("[1/1] RUN x".into()), output });
        assert_eq!(events.len(), 5);
    }
}
