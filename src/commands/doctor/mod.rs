//! `longshore doctor`: looks at everything that a run needs, changes nothing, and says of each thing how it is.

mod access;
mod docker;
mod docker_config;
mod region;
mod repositories;

use std::process::ExitCode;

use super::way::Way;
use super::{World, read, target, unless_interrupted};
use crate::cli::DoctorArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::workspace;
use crate::execute::ports::ServiceError;
use crate::explain::{Circumstances, explain};
use crate::facts::ci::CiFacts;
use crate::pipeline::{Pipeline, Registry};
use crate::report::doctor::{self as report, Finding};

/// The exit code is that of the gravest problem; warnings are none.
pub(super) async fn run(args: &DoctorArgs, world: &World) -> Result<ExitCode, Diagnostics> {
    let mut findings = Vec::new();
    unless_interrupted(async {
        look(args, world, &mut findings).await;
        Ok(())
    })
    .await?;
    match args.json {
        true => report::findings_json(&findings, world.retries.sum())?,
        false => report::findings(&findings, world.colors)?,
    }
    Ok(match report::problems(&findings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => ExitCode::from(problems.exit_code()),
    })
}

async fn look(args: &DoctorArgs, world: &World, findings: &mut Vec<Finding>) {
    let ci = CiFacts::read(&world.variables, workspace::github_event(&world.variables).as_ref());
    let ci = ci.unwrap_or_default();
    let surroundings = Surroundings { world, ci: ci.system, machine: ci.machine };
    let pipeline = pipeline(args, world, findings);
    docker::look(pipeline.as_ref(), &surroundings, findings).await;
    let registry = pipeline.as_ref().map_or_else(Registry::default, |pipeline| pipeline.registry.clone());
    let own = match target::connect(&registry, &args.registry, None, world).await {
        Ok(own) => own,
        Err(problems) => {
            findings.extend(problems.iter().map(|problem| Finding::wrong("registry", problem.clone())));
            docker_config::look(&[], &surroundings, findings);
            return;
        }
    };
    let mut ways = Vec::new();
    let replicas = match target::replicas(&registry, (&own.host, &own.ecr), world).await {
        Ok(replicas) => replicas,
        Err(problems) => {
            findings.extend(problems.iter().map(|problem| Finding::wrong("replicas", problem.clone())));
            Vec::new()
        }
    };
    for target in std::iter::once(own).chain(replicas) {
        match Way::to(target, world) {
            Ok(way) => ways.push(way),
            Err(error) => findings.push(Finding::wrong("registry", surroundings.told(&error))),
        }
    }
    for (number, way) in ways.iter().enumerate() {
        let place = if number == 0 { String::new() } else { format!(" of {}", way.host) };
        // Replicas are in other regions on purpose.
        let others = if number == 0 { region::elsewhere(&registry, way, world).await } else { Vec::new() };
        findings.push(region::finding(way, &place, &others));
        if access::look(way, &place, &surroundings, findings).await
            && let Some(pipeline) = &pipeline
        {
            repositories::look(pipeline, way, (&place, &others), &surroundings, findings).await;
        }
    }
    let hosts: Vec<_> = ways.iter().map(|way| way.host.clone()).collect();
    docker_config::look(&hosts, &surroundings, findings);
}

/// The pipeline, if there is one that can be read.
fn pipeline(args: &DoctorArgs, world: &World, findings: &mut Vec<Finding>) -> Option<Pipeline> {
    let Some(path) = read::find(&args.pipeline, world) else {
        let text = "there is no longshore.yaml here; the registry is that of the AWS configuration";
        findings.push(Finding::odd("pipeline", Diagnostic::input(text).hint("write one with `longshore init`")));
        return None;
    };
    match read::pipeline(&args.pipeline, world) {
        Ok(loaded) => {
            let images: Vec<&str> = loaded.pipeline.images.iter().map(|image| image.name.as_str()).collect();
            let text = format!("{}: {}", read::shown(&path, &world.folder), images.join(", "));
            findings.push(Finding::fine("pipeline", text));
            Some(loaded.pipeline)
        }
        Err(problems) => {
            findings.extend(problems.iter().map(|problem| Finding::wrong("pipeline", problem.clone())));
            None
        }
    }
}

/// What helps to give the right advice.
struct Surroundings<'a> {
    world: &'a World,
    ci: Option<&'static str>,
    machine: Option<&'static str>,
}

impl Surroundings<'_> {
    /// A failure in the words in which a run tells of it.
    fn told(&self, error: &ServiceError) -> Diagnostic {
        explain(error, Circumstances { ci: self.ci, machine: self.machine, ..Circumstances::default() })
    }
}
