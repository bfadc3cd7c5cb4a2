//! The runner of GitHub Actions, where the program is started by one.

use std::path::Path;

use super::World;
use super::finish::Finished;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::{git, random, workspace};
use crate::execute::ports::Credential;
use crate::facts::Variables;
use crate::plan::Plan;
use crate::report::github::{self, Ground, Level, Tokens};
use crate::report::handover::Handover;
use crate::report::{self, Colors, files};

/// What the runner says of itself.
pub(super) struct Runner<'a> {
    /// The file that takes a step's outputs.
    output: Option<&'a Path>,
    /// The file that takes a step's summary.
    summary: Option<&'a Path>,
    /// The folder of the checkout, where no git repository is found.
    workspace: Option<&'a Path>,
}

impl<'a> Runner<'a> {
    /// The runner that these variables tell of. Source: GitHub, "Default environment variables".
    pub(super) fn of(variables: &'a Variables) -> Option<Self> {
        let value = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        value("GITHUB_ACTIONS").filter(|value| *value == "true")?;
        let path = |name: &str| value(name).map(Path::new);
        Some(Runner {
            output: path("GITHUB_OUTPUT"),
            summary: path("GITHUB_STEP_SUMMARY"),
            workspace: path("GITHUB_WORKSPACE"),
        })
    }

    /// Sets the step's outputs and adds to its summary; the step is told of both after a failure too.
    pub(super) fn tell(
        &self,
        finished: &Finished,
        handover: &Handover,
        report: Option<&Path>,
        problems: Option<&Diagnostics>,
    ) -> Result<(), Diagnostic> {
        self.set(&github::outputs(handover, &finished.deploy_files, report))?;
        let Some(path) = self.summary else { return Ok(()) };
        let (plan, done) = (finished.plan.as_ref(), finished.report.as_ref());
        files::append(path, &github::summary(plan, done, &finished.spans.all(), problems))
    }

    /// Sets the outputs of a step that makes a plan.
    pub(super) fn tell_plan(&self, plan: &Plan) -> Result<(), Diagnostic> {
        self.set(&github::plan_outputs(plan))
    }

    fn set(&self, outputs: &[(&str, String)]) -> Result<(), Diagnostic> {
        let (Some(path), Some(tokens)) = (self.output, tokens()) else { return Ok(()) };
        files::append(path, &github::file_command(outputs, &tokens.next()))
    }

    /// Tells what went wrong, also at its place in the user's files.
    pub(super) fn errors(&self, diagnostics: &Diagnostics, folder: &Path, colors: Colors) {
        match tokens().filter(|_| github::runner_listens()) {
            Some(tokens) => {
                let annotations = self.annotations(Level::Error, diagnostics.iter(), folder);
                github::errors(diagnostics, colors, &annotations, &tokens);
            }
            None => report::errors(diagnostics, colors),
        }
    }

    /// Tells what may go wrong at its place in the user's files; the log has it already.
    pub(super) fn warn(&self, warnings: &[Diagnostic], folder: &Path) {
        if github::runner_listens() {
            self.annotations(Level::Warning, warnings, folder).iter().for_each(|line| report::note(line));
        }
    }

    fn annotations<'d>(
        &self,
        level: Level,
        diagnostics: impl IntoIterator<Item = &'d Diagnostic>,
        folder: &Path,
    ) -> Vec<String> {
        let root = git::top(folder).or(self.workspace);
        github::annotations(level, diagnostics, Ground { folder, root, is_file: &workspace::is_file })
    }
}

impl World {
    /// Tells what may go wrong, also at its place in the user's files where somebody shows that.
    pub(super) fn warn(&self, warnings: &[Diagnostic]) {
        report::warnings(warnings, self.colors);
        if let Some(runner) = self.listening_runner() {
            runner.warn(warnings, &self.folder);
        }
    }

    /// The runner, if there is one that hears what is said.
    pub(super) fn listening_runner(&self) -> Option<Runner<'_>> {
        Runner::of(&self.variables).filter(|_| github::runner_listens())
    }

    /// What is to hear of each credential as soon as there is one.
    pub(super) fn on_credential(&self) -> Option<fn(&Credential)> {
        self.listening_runner().map(|_| mask as fn(&Credential))
    }
}

fn mask(credential: &Credential) {
    github::mask(&[credential.reveal(), &credential.basic()]);
}

/// Without randomness there are no tokens, and what would need one is left out.
pub(super) fn tokens() -> Option<Tokens> {
    random::secret().map(Tokens::new)
}
