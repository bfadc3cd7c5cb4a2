//! What to do where ECR has not signed an image that must be signed.

use super::{Circumstances, of_image};
use crate::diagnostic::{Blame, Diagnostic};
use crate::execute::ports::Unsigned;
use crate::names::RepositoryName;

/// Why it is not signed.
pub(super) fn missed(repository: &RepositoryName, why: &Unsigned, around: Circumstances<'_>) -> Diagnostic {
    let image = of_image(around);
    match why {
        Unsigned::Failed(profile) => Diagnostic::new(
            Blame::Work,
            format!("{image}ECR failed to sign it in `{repository}`, with {profile}"),
        )
        .hint("whoever pushes needs `signer:SignPayload` on the signing profile, which must be active")
        .hint("then remove the image with `longshore images rm` and run again: ECR signs what is pushed, and nothing that is there"),
        Unsigned::Late(after) => {
            let message = format!("{image}ECR did not sign it in `{repository}` within {} s", after.as_secs());
            Diagnostic::new(Blame::Service, message)
                .hint("run again, which goes on waiting; what is pushed is not pushed again")
        }
        Unsigned::ByNobody => Diagnostic::input(format!("{image}ECR does not sign it in `{repository}`"))
            .hint("one of the rules that `aws ecr get-signing-configuration` shows must match the repository")
            .hint(
                "what was pushed before there was such a rule stays unsigned: remove it with `longshore images rm`, and run again",
            ),
    }
}
