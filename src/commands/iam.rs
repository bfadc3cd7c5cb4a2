//! `longshore iam` and `longshore vpc-endpoints`: what is set up once, elsewhere. Nobody is asked.

use super::{World, read, recipes};
use crate::cli::iam::{EndpointsArgs, IamArgs, InfrastructureFormat};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::names::{Region, RegistryHost};
use crate::pipeline::Registry;
use crate::plan::endpoints::endpoints;
use crate::plan::permissions::{self, Base, GithubSubject, Home};
use crate::report;
use crate::report::infrastructure::{self, Format};

pub(super) fn iam(args: &IamArgs, world: &World) -> Result<(), Diagnostics> {
    let loaded = read::pipeline(&args.pipeline, world)?;
    let pipeline = &loaded.pipeline;
    let named = pipeline.registry.host.as_ref().and_then(RegistryHost::as_ecr);
    let account = args.account.clone().or_else(|| pipeline.registry.account.clone());
    let account = account.or_else(|| named.map(|ecr| ecr.account)).ok_or_else(|| {
        Diagnostic::input("the AWS account is not known, and a policy names it")
            .hint("set `registry.account` in the pipeline file, or pass --account")
    })?;
    let home = Home { account, region: region(args.region.as_ref(), &pipeline.registry, world)? };
    let statements = match &args.replica_role {
        Some(role) => permissions::of_replica(pipeline, &home, role),
        None => permissions::of_pipeline(pipeline, &home, &bases(&loaded, world)),
    };
    if statements.is_empty() {
        let message = "no replica of the pipeline is reached by this role";
        return Err(Diagnostic::input(message).hint("its replicas are under `registry.replicas`").into());
    }
    let trust = args.subject.as_deref().filter(|_| args.jobs.is_some()).map(|text| -> Result<_, Diagnostic> {
        let subject: GithubSubject = text.parse().map_err(|malformed| {
            Diagnostic::input(format!("`{text}` is no repository on GitHub")).caused_by(format!("{malformed}"))
        })?;
        if !subject.has_ids() {
            let warning = Diagnostic::input(format!("the trust policy knows `{text}` by its names only"))
                .hint("the tokens of repositories made since July 2026 hold ids too: write ORG@ID/REPO@ID, which `gh api repos/ORG/REPO` prints");
            world.warn(&[warning]);
        }
        Ok(permissions::github(&home, &subject, &args.branch, &pipeline.environments))
    });
    let trust = trust.transpose()?;
    let policy = permissions::policy(&statements);
    Ok(report::print(&infrastructure::iam::text(format(args.format), &policy, trust.as_ref()))?)
}

pub(super) fn vpc_endpoints(args: &EndpointsArgs, world: &World) -> Result<(), Diagnostics> {
    let pipeline = match read::find(&args.pipeline, world) {
        Some(_) => Some(read::pipeline(&args.pipeline, world)?.pipeline),
        None => None,
    };
    let registry = pipeline.as_ref().map_or_else(Registry::default, |pipeline| pipeline.registry.clone());
    let region = region(args.region.as_ref(), &registry, world)?;
    let endpoints = endpoints(&region, pipeline.as_ref());
    Ok(report::print(&infrastructure::endpoints::text(format(args.format), &region, &endpoints))?)
}

/// The repositories in ECR that base images come from. A Dockerfile that cannot be read names none.
fn bases(loaded: &read::Loaded, world: &World) -> Vec<Base> {
    let references = match recipes::read(&loaded.pipeline, &loaded.root) {
        Ok(recipes) => recipes.images(&loaded.pipeline),
        Err(problems) => {
            let warning =
                Diagnostic::input("base images in ECR are not in the policy, since a Dockerfile cannot be read");
            let warning = problems.iter().fold(warning, |warning, problem| warning.caused_by(problem.message.clone()));
            world.warn(&[warning]);
            return Vec::new();
        }
    };
    let base = |reference: &String| {
        let (host, rest) = reference.split_once('/')?;
        let ecr = host.parse::<RegistryHost>().ok()?.as_ecr()?;
        let name = rest.split('@').next()?.split(':').next()?;
        Some(Base { home: Home { account: ecr.account, region: ecr.region }, name: name.parse().ok()? })
    };
    references.iter().filter_map(base).collect()
}

fn region(stated: Option<&Region>, registry: &Registry, world: &World) -> Result<Region, Diagnostic> {
    let named = registry.host.as_ref().and_then(RegistryHost::as_ecr);
    let written = stated.cloned().or_else(|| registry.region.clone()).or_else(|| named.map(|ecr| ecr.region));
    if let Some(region) = written {
        return Ok(region);
    }
    let variable = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| world.variable(name));
    variable.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Diagnostic::input("no AWS region is known")
            .hint("set `registry.region` in the pipeline file, AWS_REGION, or pass --region")
    })
}

fn format(format: InfrastructureFormat) -> Format {
    match format {
        InfrastructureFormat::Json => Format::Json,
        InfrastructureFormat::Terraform => Format::Terraform,
        InfrastructureFormat::Cloudformation => Format::CloudFormation,
    }
}
