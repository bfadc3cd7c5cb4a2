//! The outputs of a step.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::names::Tag;
use crate::plan::Plan;
use crate::report::handover::{Handed, Handover};

/// The outputs of `run` and `promote`; all are always there, if only empty.
///
/// Those about one image are about the first. `registry` is apart from `repository`, `tag` and `digest`, because GitHub
/// drops an output of a job that holds a masked text, as an account's number may be.
pub fn outputs(handover: &Handover, deploy_files: &[PathBuf], report: Option<&Path>) -> Vec<(&'static str, String)> {
    let first = handover.images.first();
    let of_first = |text: fn(&Handed) -> String| first.map(text).unwrap_or_default();
    let tag = |image: &Handed| image.tag.as_ref().map(Tag::to_string).unwrap_or_default();
    let references = handover.images.iter().flat_map(|image| &image.references);
    let shown = |path: Option<&Path>| path.map(|path| path.display().to_string()).unwrap_or_default();
    vec![
        ("version", of_first(tag)),
        ("tags", references.map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        ("digest", of_first(|image| image.digest.to_string())),
        ("image-uri", of_first(|image| image.uri.to_string())),
        ("registry", of_first(|image| image.registry.to_string())),
        ("repository", of_first(|image| image.repository.to_string())),
        ("tag", of_first(tag)),
        ("images", images(handover).to_string()),
        ("built", json!(handover.named(false)).to_string()),
        ("reused", json!(handover.named(true)).to_string()),
        ("image-definitions", shown(deploy_files.first().map(PathBuf::as_path))),
        ("report", shown(report)),
    ]
}

/// Each image by its name, so that an expression can say `fromJSON(…).web.digest`.
fn images(handover: &Handover) -> Value {
    let entry = |image: &Handed| (image.name.clone(), json!(image));
    Value::Object(handover.images.iter().map(entry).collect::<Map<_, _>>())
}

/// The outputs of `plan`: what to build as a list for a matrix, and whether there is anything to do at all.
pub fn plan_outputs(plan: &Plan) -> Vec<(&'static str, String)> {
    vec![("matrix", crate::report::plan::matrix(plan)), ("changes", plan.changes_anything().to_string())]
}

/// The text that sets outputs when it is appended to the file that the runner names.
///
/// The delimiter must be one that nobody can know who had a hand in a value.
pub fn file_command(outputs: &[(&str, String)], delimiter: &str) -> String {
    outputs.iter().map(|(name, value)| format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::handover::tests::handover;

    #[test]
    fn word_for_word() {
        let digest = crate::names::Digest::of(b"x");
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let text = file_command(&outputs(&handover(), &["/w/a.json".into(), "/w/b.json".into()], None), "D");
        let rest = format!(r#""digest":"{digest}","uri":"{host}/shop/web@{digest}""#);
        let place = format!(r#""registry":"{host}","repository":"shop/web""#);
        let web = format!(r#"{{"name":"web",{place},"tag":"1.2.3","tags":["1.2.3","prod"],{rest},"reused":false}}"#);
        let staged = format!(r#"{{"name":"it's",{place},"tags":[],{rest},"reused":true}}"#);
        let expected = format!(
            "version<<D\n1.2.3\nD\ntags<<D\n{host}/shop/web:1.2.3\n{host}/shop/web:prod\nD\ndigest<<D\n{digest}\nD\n\
             image-uri<<D\n{host}/shop/web@{digest}\nD\nregistry<<D\n{host}\nD\nrepository<<D\nshop/web\nD\n\
             tag<<D\n1.2.3\nD\nimages<<D\n{{\"web\":{web},\"it's\":{staged}}}\nD\nbuilt<<D\n[\"web\"]\nD\n\
             reused<<D\n[\"it's\"]\nD\nimage-definitions<<D\n/w/a.json\nD\nreport<<D\n\nD\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn nothing_is_handed_over_under_the_same_names() {
        let full: Vec<&str> = outputs(&handover(), &[], None).iter().map(|(name, _)| *name).collect();
        let empty = outputs(&Handover::default(), &[], Some(Path::new("/r.json")));
        assert_eq!(empty.iter().map(|(name, _)| *name).collect::<Vec<_>>(), full);
        let told: Vec<&str> = empty.iter().map(|(_, value)| value.as_str()).filter(|value| !value.is_empty()).collect();
        assert_eq!(told, ["{}", "[]", "[]", "/r.json"]);
    }
}
