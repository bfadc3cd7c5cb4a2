//! BuildKit's progress: a graph of vertices, each sent again whenever something about it changed.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexWarning};

use crate::effects::docker::steps::Step;
use crate::execute::events::BuildEvent;
use crate::execute::ports::Failure;

/// The vertices of one build, merged.
#[derive(Debug, Default)]
pub struct Progress {
    index: HashMap<String, usize>,
    vertices: Vec<Merged>,
    told: usize,
    warnings: HashSet<String>,
}

#[derive(Debug)]
struct Merged {
    step: Step,
    cached: bool,
    error: String,
}

impl Progress {
    /// Whether nothing was heard of any step.
    pub fn is_empty(&self) -> bool {
        self.vertices.is_empty()
    }

    /// Takes in one message.
    pub fn update(&mut self, status: &StatusResponse, tell: &dyn Fn(BuildEvent)) {
        for vertex in &status.vertexes {
            self.update_vertex(vertex, tell);
        }
        for log in &status.logs {
            let Some(merged) = self.index.get(&log.vertex).and_then(|index| self.vertices.get_mut(*index)) else {
                continue;
            };
            merged.step.start(&mut self.told, tell);
            // 1 is stdout, 2 is stderr.
            merged.step.print(usize::from(log.stream == 2), &log.msg, tell);
        }
        // The output of a step that ended comes in the same message as its end, but after it.
        for vertex in &status.vertexes {
            self.finish_vertex(vertex, tell);
        }
        for warning in &status.warnings {
            let text = warning_text(warning);
            if self.warnings.insert(text.clone()) {
                tell(BuildEvent::Warning(text));
            }
        }
    }

    fn update_vertex(&mut self, vertex: &Vertex, tell: &dyn Fn(BuildEvent)) {
        let index = *self.index.entry(vertex.digest.clone()).or_insert_with(|| {
            let step = Step::new(one_line(&vertex.name), is_housekeeping(&vertex.name));
            self.vertices.push(Merged { step, cached: false, error: String::new() });
            self.vertices.len() - 1
        });
        let merged = &mut self.vertices[index];
        merged.cached |= vertex.cached;
        if !vertex.error.is_empty() {
            merged.error.clone_from(&vertex.error);
        }
        if vertex.started.is_some() || vertex.cached {
            merged.step.start(&mut self.told, tell);
        }
    }

    fn finish_vertex(&mut self, vertex: &Vertex, tell: &dyn Fn(BuildEvent)) {
        let Some(merged) = self.index.get(&vertex.digest).and_then(|index| self.vertices.get_mut(*index)) else {
            return;
        };
        if vertex.completed.is_some() && merged.error.is_empty() && !merged.step.is_done() {
            merged.step.finish(merged.cached, took(vertex), tell);
        }
    }

    /// Warns of steps that failed in a build that did not: caches that could not be read or written.
    pub fn warn_of_failed(&self, tell: &dyn Fn(BuildEvent)) {
        for merged in self.vertices.iter().filter(|merged| !merged.error.is_empty()) {
            tell(BuildEvent::Warning(format!("{} failed: {}", merged.step.name(), merged.error.trim_end())));
        }
    }

    /// The step that failed; steps that were stopped because of it do not count.
    pub fn failure(&mut self, tell: &dyn Fn(BuildEvent)) -> Failure {
        let failed = |merged: &&mut Merged| !merged.error.is_empty() && !merged.error.ends_with("context canceled");
        match self.vertices.iter_mut().find(failed) {
            Some(merged) => merged.step.fail(&mut self.told, tell),
            None => Failure::BuildFailed { step: None, output: Vec::new() },
        }
    }
}

/// What BuildKit does for itself: reading the Dockerfile, unpacking the uploaded context, logging in.
fn is_housekeeping(name: &str) -> bool {
    ["[internal] ", "[auth] ", "copy /context"].iter().any(|start| name.starts_with(start))
}

/// A heredoc's text stands in the name, line breaks and all.
fn one_line(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn took(vertex: &Vertex) -> Option<Duration> {
    let (from, to) = (vertex.started.as_ref()?, vertex.completed.as_ref()?);
    let nanos = |seconds: i64, nanos: i32| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let passed = nanos(to.seconds, to.nanos) - nanos(from.seconds, from.nanos);
    u64::try_from(passed).ok().map(Duration::from_nanos)
}

fn warning_text(warning: &VertexWarning) -> String {
    let text = String::from_utf8_lossy(&warning.short).trim().to_owned();
    let line = warning.ranges.first().and_then(|range| range.start.as_ref()).map(|start| start.line);
    let place = match (&warning.info, line) {
        (Some(info), Some(line)) if !info.filename.is_empty() => format!("{}:{line}: ", info.filename),
        _ => String::new(),
    };
    let more = if warning.url.is_empty() { String::new() } else { format!(" ({})", warning.url) };
    format!("{place}{text}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::moby::buildkit::v1::VertexLog;
    use std::cell::RefCell;

    fn vertex(digest: &str, name: &str) -> Vertex {
        Vertex { digest: digest.into(), name: name.into(), ..Default::default() }
    }

    fn started(mut vertex: Vertex) -> Vertex {
        vertex.started.get_or_insert_default().seconds = 10;
        vertex
    }

    fn completed(vertex: Vertex) -> Vertex {
        let mut vertex = started(vertex);
        let at = vertex.completed.get_or_insert_default();
        (at.seconds, at.nanos) = (11, 500_000_000);
        vertex
    }

    fn vertices(vertexes: Vec<Vertex>) -> StatusResponse {
        StatusResponse { vertexes, ..Default::default() }
    }

    fn log(digest: &str, text: &str) -> StatusResponse {
        let log = VertexLog { vertex: digest.into(), stream: 1, msg: text.into(), ..Default::default() };
        StatusResponse { logs: vec![log], ..Default::default() }
    }

    fn tell_all(statuses: &[StatusResponse]) -> (Vec<BuildEvent>, Failure) {
        let events = RefCell::new(Vec::new());
        let tell = |event| events.borrow_mut().push(event);
        let mut progress = Progress::default();
        for status in statuses {
            progress.update(status, &tell);
        }
        let failure = progress.failure(&tell);
        (events.into_inner(), failure)
    }

    const NO_STEP: Failure = Failure::BuildFailed { step: None, output: Vec::new() };

    #[test]
    fn a_step_that_is_sent_again_and_again() {
        let run = vertex("b", "[2/2] RUN make");
        let (events, failure) = tell_all(&[
            vertices(vec![vertex("a", "[1/2] FROM x"), run.clone(), vertex("i", "[internal] load build definition")]),
            vertices(vec![completed(vertex("i", "[internal] load build definition"))]),
            vertices(vec![completed(Vertex { cached: true, ..vertex("a", "[1/2] FROM x") })]),
            vertices(vec![started(run.clone())]),
            log("b", "one\ntw"),
            vertices(vec![started(run.clone())]),
            log("b", "o"),
            vertices(vec![completed(run.clone())]),
            vertices(vec![completed(run)]),
        ]);
        let took = Some(Duration::from_millis(1500));
        let expected = [
            BuildEvent::StepStarted { step: 1, name: "[1/2] FROM x".into() },
            BuildEvent::StepDone { step: 1, cached: true, took },
            BuildEvent::StepStarted { step: 2, name: "[2/2] RUN make".into() },
            BuildEvent::StepOutput { step: 2, line: "one".into() },
            BuildEvent::StepOutput { step: 2, line: "two".into() },
            BuildEvent::StepDone { step: 2, cached: false, took },
        ];
        assert_eq!(events, expected);
        assert_eq!(failure, NO_STEP);
    }

    #[test]
    fn the_step_that_failed_is_not_the_one_that_was_stopped() {
        let failed = |digest: &str, name: &str, error: &str| Vertex { error: error.into(), ..vertex(digest, name) };
        let text: String = (1..=30).map(|line| format!("line {line}\n")).collect();
        let (events, failure) = tell_all(&[
            vertices(vec![started(vertex("a", "[a 1/1] RUN sleep")), started(vertex("b", "[b 1/1] RUN false"))]),
            log("b", &text),
            vertices(vec![completed(failed("a", "[a 1/1] RUN sleep", "context canceled"))]),
            vertices(vec![completed(failed("b", "[b 1/1] RUN false", "exit code: 1"))]),
        ]);
        let output: Vec<String> = (11..=30).map(|line| format!("line {line}")).collect();
        assert_eq!(failure, Failure::BuildFailed { step: Some("[b 1/1] RUN false".into()), output });
        assert!(!events.iter().any(|event| matches!(event, BuildEvent::StepDone { .. })));
    }

    #[test]
    fn housekeeping_is_told_of_only_if_it_fails() {
        let name = "[internal] load metadata for docker.io/library/nothing:latest";
        let failed = Vertex { error: "not found".into(), ..vertex("m", name) };
        let (events, failure) = tell_all(&[vertices(vec![started(vertex("m", name))]), vertices(vec![failed])]);
        assert_eq!(events, [BuildEvent::StepStarted { step: 1, name: name.into() }]);
        assert_eq!(failure, Failure::BuildFailed { step: Some(name.into()), output: vec![] });
    }

    #[test]
    fn a_warning_is_told_once() {
        let warning = VertexWarning { short: b"Casing".to_vec(), url: "https://w".into(), ..Default::default() };
        let status = StatusResponse { warnings: vec![warning], ..Default::default() };
        let (events, _) = tell_all(&[status.clone(), status]);
        assert_eq!(events, [BuildEvent::Warning("Casing (https://w)".into())]);
    }
}
