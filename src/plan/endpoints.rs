//! The VPC endpoints that a private subnet needs to reach ECR.
//!
//! Source: ECR user guide, "Amazon ECR interface VPC endpoints (AWS PrivateLink)": the API, the registry, and S3, which the
//! layers come from.

use serde_json::{Value, json};

use crate::names::{Partition, Region};
use crate::pipeline::Pipeline;

/// How an endpoint is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An address in subnets; billed by the hour.
    Interface,
    /// A route; free.
    Gateway,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its name, as it goes into a resource's.
    pub name: &'static str,
    /// The service's name.
    pub service: String,
    /// How it is made.
    pub kind: Kind,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether ECR cannot be reached without it; else it depends on what else runs in the subnet.
    pub needed: bool,
    /// What may go through it, where that can be said.
    pub policy: Option<Value>,
}

/// The endpoints for a region. STS is needed where the pipeline assumes roles.
pub fn endpoints(region: &Region, pipeline: Option<&Pipeline>) -> Vec<Endpoint> {
    let partition = Partition::of(region);
    let service = |name: &str| format!("{}.{region}.{name}", partition.service_prefix());
    let interface = |name, of: &str, purpose, needed| Endpoint {
        name,
        service: service(of),
        kind: Kind::Interface,
        purpose,
        needed,
        policy: None,
    };
    let assumes =
        pipeline.is_some_and(|pipeline| pipeline.registry.replicas.iter().any(|replica| replica.role.is_some()));
    // In China, too, S3 has the name that it has elsewhere.
    let storage = format!("com.amazonaws.{region}.s3");
    let layers = format!("arn:{}:s3:::prod-{region}-starport-layer-bucket/*", partition.id());
    vec![
        interface("ecr_api", "ecr.api", "ECR's control plane: login, repositories, tags, scans", true),
        interface("ecr_dkr", "ecr.dkr", "the registry: pushes and pulls", true),
        Endpoint {
            name: "s3",
            service: if matches!(partition, Partition::China) { storage } else { service("s3") },
            kind: Kind::Gateway,
            purpose: "the layers, which the registry hands out from S3",
            needed: true,
            policy: Some(json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Sid": "ReadLayers",
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Resource": layers,
                }],
            })),
        },
        interface("sts", "sts", "roles that are assumed from there, as those of replicas or of pods", assumes),
        interface("logs", "logs", "CloudWatch Logs, for tasks with the log driver awslogs", false),
    ]
}
