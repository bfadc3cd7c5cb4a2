//! What to do where ECR's own replication does not bring an image.

use super::{Circumstances, of_image};
use crate::diagnostic::{Blame, Diagnostic};
use crate::execute::ports::Hitch;
use crate::names::RepositoryName;

const COPIES: &str = "leave out `wait`, and images are copied in place of being waited for";

/// Why it did not come.
pub(super) fn missed(repository: &RepositoryName, to: &str, hitch: &Hitch, around: Circumstances<'_>) -> Diagnostic {
    let image = of_image(around);
    match hitch {
        Hitch::Failed(code) => {
            let told = Diagnostic::new(Blame::Work, format!("{image}ECR failed to replicate `{repository}` to {to}"));
            let told = match code {
                Some(code) => told.caused_by(format!("its failure code is {code}")),
                None => told,
            };
            told.hint("the registry policy of another account must allow `ecr:ReplicateImage` and `ecr:CreateRepository` to this account")
                .hint("run again: what ECR failed to replicate is copied then")
        }
        Hitch::Late(after) => {
            let message = format!("{image}ECR did not replicate `{repository}` to {to} within {} s", after.as_secs());
            Diagnostic::new(Blame::Service, message)
                .hint("run again, which goes on waiting; the replica's `wait: 60m` waits longer")
                .hint(COPIES)
        }
        Hitch::NoWay => Diagnostic::input(format!("{image}ECR does not replicate `{repository}` to {to}"))
            .hint("one of the rules that `aws ecr describe-registry` shows must name that destination and match the repository")
            .hint(COPIES),
    }
}
