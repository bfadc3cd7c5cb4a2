//! ECR's own replication, as far as it tells.

use std::time::Duration;

/// How far an image is on its way to one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// The destination's region.
    pub region: String,
    /// The destination's account.
    pub account: String,
    /// How far it is.
    pub progress: Progress,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It is on its way.
    UnderWay,
    /// It is there.
    Done,
    /// It will not come by itself; ECR's code for it, where there is one.
    Failed(Option<String>),
}

/// Why an image does not come to where its replication is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hitch {
    /// ECR says that it failed, and its code.
    Failed(Option<String>),
    /// It is still on its way after this time.
    Late(Duration),
    /// ECR knows of no such way.
    NoWay,
}
