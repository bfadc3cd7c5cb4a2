//! Which environment this run is for.

use crate::diagnostic::Diagnostic;
use crate::facts::{Facts, Known};
use crate::names::Tag;
use crate::pipeline::{self, Environment, Pipeline};

/// The environment of this run, or why there is none.
pub type Chosen = Result<Known<Tag>, String>;

/// Takes the environment that was asked for, else the first of the file whose branch or tag matches.
///
/// # Errors
/// If the one that was asked for is not in the file.
pub fn choose(pipeline: &Pipeline, facts: &Facts, asked: Option<&Known<String>>) -> Result<Chosen, Diagnostic> {
    let environments = &pipeline.environments;
    if let Some(asked) = asked {
        return named(pipeline, asked).map(Ok);
    }
    if environments.is_empty() {
        return Ok(Err("the pipeline file has no `environments`".to_owned()));
    }
    let branch = facts.refs.branch.as_ref();
    let tags = &facts.refs.tags;
    for environment in environments {
        let by_branch = branch.filter(|branch| fits(environment.branch.as_deref(), &branch.value));
        if let Some(branch) = by_branch {
            let source = format!("branch {}, from {}", branch.value, branch.source);
            return Ok(Ok(Known::new(environment.name.clone(), source)));
        }
        if let Some(tag) = tags.iter().find(|tag| fits(environment.tag.as_deref(), &tag.value)) {
            let source = format!("git tag {}, from {}", tag.value, tag.source);
            return Ok(Ok(Known::new(environment.name.clone(), source)));
        }
    }
    Ok(Err(match (branch, tags.first()) {
        (Some(branch), _) => format!("no environment matches the branch `{}`", branch.value),
        (None, Some(tag)) => format!("no environment matches the git tag `{}`", tag.value),
        (None, None) => "neither a branch nor a git tag is known to match the environments with".to_owned(),
    }))
}

/// The environment that was asked for.
///
/// # Errors
/// If it is not in the file.
pub fn named(pipeline: &Pipeline, asked: &Known<String>) -> Result<Known<Tag>, Diagnostic> {
    let environments = &pipeline.environments;
    match environments.iter().find(|environment| environment.name.as_str() == asked.value) {
        Some(environment) => Ok(Known::new(environment.name.clone(), asked.source.clone())),
        None => Err(unknown(asked, environments)),
    }
}

fn fits(pattern: Option<&str>, name: &str) -> bool {
    pattern.is_some_and(|pattern| pipeline::glob(pattern, name))
}

fn unknown(asked: &Known<String>, environments: &[Environment]) -> Diagnostic {
    let diagnostic = Diagnostic::input(format!(
        "the environment `{}` from {} is not in the pipeline file",
        asked.value, asked.source
    ));
    if environments.is_empty() {
        return diagnostic.hint(format!("add it: `environments: {{ {}: {{ branch: main }} }}`", asked.value));
    }
    let names: Vec<String> = environments.iter().map(|environment| format!("`{}`", environment.name)).collect();
    diagnostic.hint(format!("its environments are {}", names.join(", ")))
}
