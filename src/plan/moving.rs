//! Tags that move by their rules where the repository does not let them.

use super::PlannedTag;
use crate::diagnostic::Diagnostic;
use crate::pipeline::moving::{Given, Moving, filters, given, moving};
use crate::pipeline::{Environment, Image, Mutability};

/// What to say of an image whose tags move by their rules in a repository that is declared immutable; nothing if the
/// exclusions let all of them. With the tags of a run only those are meant, else all that the rules can give.
pub fn doubt(image: &Image, environments: &[Environment], planned: Option<&[PlannedTag]>) -> Option<Diagnostic> {
    let mutability = &image.repository.tag_mutability;
    if !image.repository.stated.tag_mutability || mutability.mode != Mutability::Immutable {
        return None;
    }
    let staying: Vec<Given> = given(image, environments).into_iter().filter(|given| !given.moves).collect();
    let is_meant = |moving: &Moving| {
        let Some(tags) = planned else { return true };
        // A tag that another rule gives for good is not expected to move.
        let stays = |tag: &str| staying.iter().any(|given| given.shape.accepts(tag));
        tags.iter().map(|planned| planned.tag.as_str()).any(|tag| moving.given.shape.accepts(tag) && !stays(tag))
    };
    let is_free = |moving: &Moving| mutability.except.iter().any(|filter| moving.given.shape.is_within(filter));
    let stuck: Vec<Moving> =
        moving(image, environments).into_iter().filter(|moving| !is_free(moving) && is_meant(moving)).collect();
    stuck.first()?;
    let place = stuck.iter().find_map(|moving| moving.given.place.clone()).or_else(|| image.repository.place.clone());
    let mut diagnostic = Diagnostic::input(format!(
        "tags of image `{}` move by their rules, and the tags of `{}` are immutable",
        image.name, image.repository.name
    ))
    .at_maybe(place);
    for Moving { given, meets, .. } in &stuck {
        let what = format!("`{}` by `{}`", given.shape.example(), given.rule);
        diagnostic = diagnostic.caused_by(match meets {
            None => what,
            Some(stays) => {
                let stays = format!("`{}` by `{}`", stays.shape.example(), stays.rule);
                format!("{what}: no filter lets it move that does not let {stays} move as well")
            }
        });
    }
    if stuck.iter().any(|moving| moving.meets.is_none()) {
        diagnostic = diagnostic.hint(proposal(image, environments));
    }
    if stuck.iter().any(|moving| moving.meets.is_some()) {
        diagnostic = diagnostic.hint(
            "what no filter can tell apart needs another rule, as `type=semver,pattern={{version}}` alone, or a prefix of \
             its own, as in `type=semver,pattern={{major}},prefix=v`",
        );
    }
    Some(diagnostic)
}

/// The exclusions that would let move what moves.
fn proposal(image: &Image, environments: &[Environment]) -> String {
    let quoted = |filters: &[String]| {
        let one = |filter: &String| if filter.contains('*') { format!("\"{filter}\"") } else { filter.clone() };
        filters.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    match filters(image, environments) {
        Ok(filters) => {
            let list = quoted(&filters);
            format!(
                "write `tag_mutability: {{ mode: IMMUTABLE, except: [{list}] }}`, or `except: auto`, which means the same"
            )
        }
        Err(filters) => format!("it takes {} filters, and ECR knows 5 at most: {}", filters.len(), quoted(&filters)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::parse;

    fn told(image: &str, tags: Option<&[&str]>) -> Option<(Vec<String>, Vec<String>)> {
        let text = format!(
            "version: 1\nenvironments: {{ prod: {{ branch: main }} }}\nimages:\n  web: {{ build: ., {image} }}\n"
        );
        let (pipeline, _) = parse("f", text).unwrap().resolve(&|_| None).unwrap();
        let planned = |tag: &&str| PlannedTag { tag: tag.parse().unwrap(), rule: String::new(), why: String::new() };
        let planned: Option<Vec<PlannedTag>> = tags.map(|tags| tags.iter().map(planned).collect());
        let doubt = doubt(&pipeline.images[0], &pipeline.environments, planned.as_deref());
        doubt.map(|doubt| (doubt.causes, doubt.hints))
    }

    #[test]
    fn only_what_is_declared_immutable_and_not_excepted() {
        assert_eq!(told("tags: [latest]", None), None);
        assert_eq!(told("tags: [latest], repository: { tag_mutability: MUTABLE }", None), None);
        let except = "repository: { tag_mutability: { mode: IMMUTABLE, except: [latest, 'src-*', 'p*'] } }";
        assert_eq!(told(&format!("tags: [latest, sha, env, pr], {except}"), None), None);
        let causes = told(&format!("tags: [latest, sha, branch], {except}"), None).unwrap().0;
        assert_eq!(
            causes,
            ["`NAME` by `branch`: no filter lets it move that does not let `4f2e1a0` by `sha` move as well"]
        );
    }

    #[test]
    fn of_a_run_only_its_own_tags() {
        let image = "tags: [semver, sha], repository: { tag_mutability: IMMUTABLE }";
        assert_eq!(told(image, Some(&["1.2.3-rc.1", "4f2e1a0"])), None);
        let causes = told(image, Some(&["1.2.3", "1.2", "1"])).unwrap().0;
        assert_eq!(causes.len(), 2, "{causes:?}");
    }
}
