//! What is set up once around a pipeline, in the formats of the tools that do it.

pub mod endpoints;
mod hcl;
pub mod iam;
mod yaml;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As the AWS CLI takes it.
    Json,
    /// Terraform and OpenTofu.
    Terraform,
    /// A CloudFormation template in YAML.
    CloudFormation,
}
