//! One TLS implementation for the whole program, and the certificates it trusts besides the system's.

use std::fs;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

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
/// If the file cannot be read, or holds no certificates.
pub fn extra_roots(variables: &Variables) -> Result<Option<Vec<u8>>, ServiceError> {
    let Some(path) = variables.get("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else { return Ok(None) };
    let unusable = |cause: String| ServiceError {
        failure: Failure::CertificatesUnreadable { path: path.clone() },
        doing: "read the certificates that AWS_CA_BUNDLE names".to_owned(),
        cause,
    };
    let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let mut certificates = CertificateDer::pem_slice_iter(&pem);
    if let Some(Err(error)) = certificates.find(Result::is_err) {
        return Err(unusable(error.to_string()));
    }
    if CertificateDer::pem_slice_iter(&pem).next().is_none() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(Some(pem))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(content: &[u8]) -> Option<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let variables = Variables::from([("AWS_CA_BUNDLE".to_owned(), file.path().display().to_string())]);
        extra_roots(&variables).err().map(|error| error.cause)
    }

    #[test]
    fn a_bundle_without_certificates_is_refused_before_the_first_connection() {
        assert_eq!(cause(b"").as_deref(), Some("it holds no certificate"));
        assert_eq!(cause(b"garbage").as_deref(), Some("it holds no certificate"));
        assert!(cause(b"-----BEGIN CERTIFICATE-----\n#\n-----END CERTIFICATE-----\n").is_some());
        assert_eq!(cause(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), None);
        assert_eq!(extra_roots(&Variables::new()), Ok(None));
    }
}
