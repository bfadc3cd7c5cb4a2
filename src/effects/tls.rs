//! One TLS implementation for the whole program, and the certificates it trusts besides the system's.

use std::fs;
use std::path::Path;

use crate::execute::ports::{Failure, ServiceError};
use crate::facts::Variables;
use crate::names::RegistryHost;

/// Makes ring the provider of every TLS connection that does not name its own. Calling it again changes nothing.
pub fn install_provider() {
    // The only failure is that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The certificates of `AWS_CA_BUNDLE`, as PEM; companies that look into TLS set it for every AWS tool.
///
/// # Errors
/// If the file cannot be read.
pub fn extra_roots(variables: &Variables) -> Result<Option<Vec<u8>>, ServiceError> {
    let Some(path) = variables.get("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else { return Ok(None) };
    fs::read(path).map(Some).map_err(|error| ServiceError {
        failure: Failure::CertificatesUnreadable { path: path.clone() },
        doing: "read the certificates that AWS_CA_BUNDLE names".to_owned(),
        cause: error.to_string(),
    })
}

/// The certificates that the Docker daemon trusts for this registry, as PEM.
///
/// Source: Docker documentation, "Verify repository client with certificates".
pub fn registry_roots(host: &RegistryHost) -> Vec<Vec<u8>> {
    let folder = Path::new("/etc/docker/certs.d").join(host.as_str());
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "crt"))
        .filter_map(|path| fs::read(path).ok())
        .collect()
}
