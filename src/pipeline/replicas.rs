//! `registry.replicas`: the other registries that get the same images.

use super::Replica;
use super::fields::Schema;
use super::problems::Problems;
use super::read::Field;
use crate::names::RoleArn;

pub(super) const REPLICA: Schema = Schema {
    expected: "a map with a `region`, an `account` or a `host`",
    fields: &[("account", &[]), ("region", &[]), ("host", &[]), ("role", &["role_arn", "role-arn"]), ("profile", &[])],
    unsupported: &[],
};

/// Reads the list.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<Replica>> {
    let items = field.items("a list of registries, as in `[{ region: eu-west-1 }]`", problems)?;
    Some(items.iter().filter_map(|item| replica(item, problems)).collect())
}

fn replica(item: &Field<'_>, problems: &mut Problems) -> Option<Replica> {
    let fields = REPLICA.read(item, problems)?;
    if ["account", "region", "host"].iter().all(|name| fields.get(name).is_none()) {
        problems.error_with_hint(
            item.span(),
            format!("`{}` says nothing of where it is", item.path),
            "give it a `region`, an `account`, or the `host` of its registry",
        );
        return None;
    }
    let replica = Replica {
        account: fields.read("account", problems, Field::name),
        region: fields.read("region", problems, Field::name),
        host: fields.read("host", problems, Field::name),
        role: fields.read("role", problems, Field::name::<RoleArn>),
        profile: fields.read("profile", problems, Field::owned),
        place: Some(problems.place(item.span())),
    };
    if let (Some(_), Some(profile)) = (fields.get("role"), fields.get("profile")) {
        problems.error_with_hint(
            profile.key,
            format!("`{}` stands beside a `role`", profile.path),
            "keep one of them; a profile of the AWS configuration can have a role itself",
        );
    }
    Some(replica)
}
