//! The steps of one build, however the builder speaks of them.

use std::collections::VecDeque;
use std::time::Duration;

use super::lines::Lines;
use crate::execute::events::BuildEvent;
use crate::execute::ports::Failure;

/// How many of its last lines a failure quotes.
const QUOTED: usize = 20;

/// One step, from its first line to its last.
#[derive(Debug)]
pub struct Step {
    name: String,
    /// Its number, once it has been told of.
    number: Option<usize>,
    /// It is told of only if it fails.
    quiet: bool,
    done: bool,
    output: [Lines; 2],
    last: VecDeque<String>,
}

impl Step {
    /// A step that nobody has heard of.
    pub fn new(name: impl Into<String>, quiet: bool) -> Self {
        Step { name: name.into(), number: None, quiet, done: false, output: Default::default(), last: VecDeque::new() }
    }

    /// Its name, in the builder's words.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its end has been told.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// It began.
    pub fn start(&mut self, counter: &mut usize, tell: &dyn Fn(BuildEvent)) {
        if self.number.is_none() && !self.quiet {
            *counter += 1;
            self.number = Some(*counter);
            tell(BuildEvent::StepStarted { step: *counter, name: self.name.clone() });
        }
    }

    /// It printed something to one of its two streams.
    pub fn print(&mut self, stream: usize, bytes: &[u8], tell: &dyn Fn(BuildEvent)) {
        for line in self.output[stream.min(1)].push(bytes) {
            self.tell_line(line, tell);
        }
    }

    /// It ended well.
    pub fn finish(&mut self, cached: bool, took: Option<Duration>, tell: &dyn Fn(BuildEvent)) {
        self.flush(tell);
        if let Some(step) = self.number.filter(|_| !self.done) {
            tell(BuildEvent::StepDone { step, cached, took });
        }
        self.done = true;
    }

    /// It failed; even a quiet step is told of now.
    pub fn fail(&mut self, counter: &mut usize, tell: &dyn Fn(BuildEvent)) -> Failure {
        if self.quiet {
            self.quiet = false;
            self.start(counter, tell);
        }
        self.flush(tell);
        Failure::BuildFailed { step: Some(self.name.clone()), output: self.last.iter().cloned().collect() }
    }

    fn flush(&mut self, tell: &dyn Fn(BuildEvent)) {
        let rest: Vec<String> = self.output.iter_mut().filter_map(Lines::finish).collect();
        for line in rest {
            self.tell_line(line, tell);
        }
    }

    fn tell_line(&mut self, line: String, tell: &dyn Fn(BuildEvent)) {
        if self.last.len() == QUOTED {
            self.last.pop_front();
        }
        self.last.push_back(line.clone());
        if let Some(step) = self.number {
            tell(BuildEvent::StepOutput { step, line });
        }
    }
}
