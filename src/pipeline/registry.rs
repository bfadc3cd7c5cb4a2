//! `registry:`, and `environments:`.

use super::fields::Schema;
use super::problems::Problems;
use super::read::Field;
use super::{Environment, Registry, replicas};
use crate::names::Tag;

pub(super) const REGISTRY: Schema = Schema {
    expected: "a map",
    fields: &[
        ("account", &[]),
        ("region", &[]),
        ("host", &[]),
        ("fips", &[]),
        ("dual_stack", &["dual-stack"]),
        ("replicas", &[]),
    ],
    unsupported: &[],
};

pub(super) const ENVIRONMENT: Schema =
    Schema { expected: "a map", fields: &[("branch", &[]), ("tag", &[])], unsupported: &[] };

/// Reads the registry.
pub(super) fn registry(field: &Field<'_>, problems: &mut Problems) -> Option<Registry> {
    let fields = REGISTRY.read(field, problems)?;
    Some(Registry {
        account: fields.read("account", problems, Field::name),
        region: fields.read("region", problems, Field::name),
        host: fields.read("host", problems, Field::name),
        fips: fields.read("fips", problems, Field::flag).unwrap_or(false),
        dual_stack: fields.read("dual_stack", problems, Field::flag).unwrap_or(false),
        replicas: fields.read("replicas", problems, replicas::read).unwrap_or_default(),
    })
}

/// Reads the environments, in the order of the file.
pub(super) fn environments(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<Environment>> {
    let mut environments = Vec::new();
    for (entry, field) in field.entries(problems)? {
        let name = match entry.key.value.parse::<Tag>() {
            Ok(name) => Some(name),
            Err(invalid) => {
                let message = format!("an environment's name is a tag of its images, but {invalid}");
                problems.error(entry.key.span, message);
                None
            }
        };
        let Some(fields) = ENVIRONMENT.read(&field, problems) else { continue };
        let branch = fields.read("branch", problems, Field::owned);
        let tag = fields.read("tag", problems, Field::owned);
        environments.extend(name.map(|name| Environment { name, branch, tag }));
    }
    Some(environments)
}
