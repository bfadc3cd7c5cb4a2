//! VPC endpoints.

use serde_json::{Value, json};

use super::hcl::{self, Expression, Item};
use super::{Format, yaml};
use crate::names::Region;
use crate::plan::endpoints::{Endpoint, Kind};
use crate::report::json;

/// The endpoints in a format. Those that are not needed by all are in the JSON's `optional`, and comments elsewhere.
pub fn text(format: Format, region: &Region, endpoints: &[Endpoint]) -> String {
    match format {
        Format::Json => {
            let list = |needed: bool| -> Vec<Value> {
                endpoints.iter().filter(|endpoint| endpoint.needed == needed).map(json_of).collect()
            };
            json::text(&json!({ "version": 1, "region": region, "endpoints": list(true), "optional": list(false) }))
        }
        Format::Terraform => terraform(endpoints),
        Format::CloudFormation => {
            let mut lines = vec![yaml::text(&cloudformation(endpoints))];
            lines.extend(unneeded(endpoints).map(|endpoint| format!("# {}", optional(endpoint))));
            lines.join("\n")
        }
    }
}

fn kind(endpoint: &Endpoint) -> &'static str {
    match endpoint.kind {
        Kind::Interface => "Interface",
        Kind::Gateway => "Gateway",
    }
}

fn unneeded(endpoints: &[Endpoint]) -> impl Iterator<Item = &Endpoint> {
    endpoints.iter().filter(|endpoint| !endpoint.needed)
}

fn optional(endpoint: &Endpoint) -> String {
    format!("as needed: {} ({}), for {}", endpoint.service, kind(endpoint), endpoint.purpose)
}

fn json_of(endpoint: &Endpoint) -> Value {
    let mut told = json!({
        "serviceName": endpoint.service,
        "vpcEndpointType": kind(endpoint),
        "purpose": endpoint.purpose,
    });
    match endpoint.kind {
        Kind::Interface => told["privateDnsEnabled"] = json!(true),
        Kind::Gateway => {}
    }
    if let Some(policy) = &endpoint.policy {
        told["policyDocument"] = policy.clone();
    }
    told
}

fn terraform(endpoints: &[Endpoint]) -> String {
    let raw = |text: &str| Expression::Raw(text.to_owned());
    let set = |name: &str, expression| Item::Attribute(name.to_owned(), expression);
    let mut items = Vec::new();
    for (name, kind) in [
        ("vpc_id", "string"),
        ("subnet_ids", "list(string)"),
        ("security_group_ids", "list(string)"),
        ("route_table_ids", "list(string)"),
    ] {
        items.push(Item::Block("variable".to_owned(), vec![name.to_owned()], vec![set("type", raw(kind))]));
        items.push(Item::Gap);
    }
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.needed) {
        let mut inside = vec![
            set("vpc_id", raw("var.vpc_id")),
            set("service_name", Expression::Value(endpoint.service.clone().into())),
            set("vpc_endpoint_type", Expression::Value(kind(endpoint).into())),
        ];
        match endpoint.kind {
            Kind::Interface => inside.extend([
                set("subnet_ids", raw("var.subnet_ids")),
                set("security_group_ids", raw("var.security_group_ids")),
                set("private_dns_enabled", raw("true")),
            ]),
            Kind::Gateway => inside.push(set("route_table_ids", raw("var.route_table_ids"))),
        }
        if let Some(policy) = &endpoint.policy {
            inside.push(set("policy", Expression::Json(policy.clone())));
        }
        let labels = vec!["aws_vpc_endpoint".to_owned(), endpoint.name.to_owned()];
        items.push(Item::Comment(endpoint.purpose.to_owned()));
        items.push(Item::Block("resource".to_owned(), labels, inside));
        items.push(Item::Gap);
    }
    items.extend(unneeded(endpoints).map(|endpoint| Item::Comment(optional(endpoint))));
    hcl::file(&items)
}

fn cloudformation(endpoints: &[Endpoint]) -> Value {
    let reference = |name: &str| json!({ "Ref": name });
    let mut resources = json!({});
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.needed) {
        let mut properties = json!({
            "VpcId": reference("VpcId"),
            "ServiceName": endpoint.service,
            "VpcEndpointType": kind(endpoint),
        });
        match endpoint.kind {
            Kind::Interface => {
                properties["SubnetIds"] = reference("SubnetIds");
                properties["SecurityGroupIds"] = reference("SecurityGroupIds");
                properties["PrivateDnsEnabled"] = json!(true);
            }
            Kind::Gateway => properties["RouteTableIds"] = reference("RouteTableIds"),
        }
        if let Some(policy) = &endpoint.policy {
            properties["PolicyDocument"] = policy.clone();
        }
        let words = endpoint.name.split('_').map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            format!("{}{rest}", first.to_ascii_uppercase())
        });
        let name = format!("{}Endpoint", words.collect::<String>());
        resources[name] = json!({ "Type": "AWS::EC2::VPCEndpoint", "Properties": properties });
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What a private subnet needs to reach Amazon ECR",
        "Parameters": {
            "VpcId": { "Type": "AWS::EC2::VPC::Id" },
            "SubnetIds": { "Type": "List<AWS::EC2::Subnet::Id>" },
            "SecurityGroupIds": { "Type": "List<AWS::EC2::SecurityGroup::Id>" },
            "RouteTableIds": { "Type": "CommaDelimitedList" },
        },
        "Resources": resources,
    })
}
