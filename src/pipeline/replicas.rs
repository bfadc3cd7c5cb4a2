//! `registry.replicas`: the other registries that get the same images.

use std::time::Duration;

use serde::{Serialize as _, Serializer};

use super::Replica;
use super::fields::Schema;
use super::problems::Problems;
use super::read::Field;
use super::reuse::seconds;
use crate::names::RoleArn;

pub(super) const REPLICA: Schema = Schema {
    expected: "a map with a `region`, an `account` or a `host`",
    fields: &[
        ("account", &[]),
        ("region", &[]),
        ("host", &[]),
        ("role", &["role_arn", "role-arn"]),
        ("profile", &[]),
        ("wait", &[]),
    ],
    unsupported: &[],
};

/// ECR brings most images to other regions within this time. Source: ECR user guide, "Private image replication".
const USUAL_WAIT: Duration = Duration::from_secs(30 * 60);

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
        wait: fields.read("wait", problems, wait).flatten(),
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

/// How long ECR's replication is waited for: `true`, or a time span.
fn wait(field: &Field<'_>, problems: &mut Problems) -> Option<Option<Duration>> {
    match field.text(problems)? {
        "true" => Some(Some(USUAL_WAIT)),
        "false" => Some(None),
        text => {
            let found = seconds(text).filter(|seconds| (1..=24 * 60 * 60).contains(seconds)).map(Duration::from_secs);
            if found.is_none() {
                let message = format!("`{}`: `{text}` is neither `true` nor a time span of a day at most", field.path);
                problems.error_with_hint(field.span(), message, "a time span looks like `45m`");
            }
            found.map(Some)
        }
    }
}

/// As a pipeline file has it.
pub(super) fn span<S: Serializer>(wait: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    wait.map(|wait| format!("{}s", wait.as_secs())).serialize(serializer)
}
