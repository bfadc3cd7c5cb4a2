//! IAM policies.

use serde_json::{Value, json};

use super::hcl::{self, Expression, Item};
use super::{Format, yaml};
use crate::report::json;

/// A policy, and with it who may take a role with that policy, in a format.
pub fn text(format: Format, policy: &Value, trust: Option<&Value>) -> String {
    match format {
        Format::Json => match trust {
            None => json::text(policy),
            Some(trust) => json::text(&json!({ "policy": policy, "trustPolicy": trust })),
        },
        Format::Terraform => terraform(policy, trust),
        Format::CloudFormation => yaml::text(&cloudformation(policy, trust)),
    }
}

fn terraform(policy: &Value, trust: Option<&Value>) -> String {
    let set = |name: &str, expression| Item::Attribute(name.to_owned(), expression);
    let resource =
        |kind: &str, items| Item::Block("resource".to_owned(), vec![kind.to_owned(), "longshore".to_owned()], items);
    let name = || set("name", Expression::Value("longshore".into()));
    let mut items = vec![resource("aws_iam_policy", vec![name(), set("policy", Expression::Json(policy.clone()))])];
    if let Some(trust) = trust {
        let reference = |text: &str| Expression::Raw(text.to_owned());
        items.extend([
            Item::Gap,
            resource("aws_iam_role", vec![name(), set("assume_role_policy", Expression::Json(trust.clone()))]),
            Item::Gap,
            resource(
                "aws_iam_role_policy_attachment",
                vec![
                    set("role", reference("aws_iam_role.longshore.name")),
                    set("policy_arn", reference("aws_iam_policy.longshore.arn")),
                ],
            ),
        ]);
    }
    hcl::file(&items)
}

fn cloudformation(policy: &Value, trust: Option<&Value>) -> Value {
    let mut resources = json!({
        "LongshorePolicy": { "Type": "AWS::IAM::ManagedPolicy", "Properties": { "PolicyDocument": policy } },
    });
    if let Some(trust) = trust {
        resources["LongshoreRole"] = json!({
            "Type": "AWS::IAM::Role",
            "Properties": { "AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [{ "Ref": "LongshorePolicy" }] },
        });
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What longshore needs to push images to Amazon ECR",
        "Resources": resources,
    })
}
